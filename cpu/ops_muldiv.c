/* Multiplication and division.  SDM Vol. 2A "IMUL", "DIV", "IDIV"; Vol. 2B "MUL". */
#include "cpu/alu.h"

/* The double-wide accumulator: AX, DX:AX, EDX:EAX, RDX:RAX. */
static void muldiv_put(struct cpu *c, unsigned size, uint64_t lo, uint64_t hi)
{
    if (size == 1) {
        reg_write(c, REG_AX, 2, (lo & 0xff) | hi << 8);
    } else {
        reg_write(c, REG_AX, size, lo);
        reg_write(c, REG_DX, size, hi);
    }
}

static unsigned __int128 muldiv_get(const struct cpu *c, unsigned size)
{
    if (size == 1) {
        return reg_read(c, REG_AX, 2);
    }
    return (unsigned __int128)reg_read(c, REG_DX, size) << (size * 8) | reg_read(c, REG_AX, size);
}

bool op_mul(struct cpu *c, const struct insn *in)
{
    unsigned size = in->o[0].size, bits = size * 8;
    uint64_t b;
    if (!opnd_read(c, in, 0, &b)) {
        return false;
    }
    unsigned __int128 p = (unsigned __int128)reg_read(c, REG_AX, size) * b;
    uint64_t hi = (uint64_t)(p >> bits) & bits_mask(bits);
    muldiv_put(c, size, (uint64_t)p & bits_mask(bits), hi);
    alu_mul_flags(c, hi != 0);
    return true;
}

bool op_imul1(struct cpu *c, const struct insn *in)
{
    unsigned size = in->o[0].size, bits = size * 8;
    uint64_t b;
    if (!opnd_read(c, in, 0, &b)) {
        return false;
    }
    __int128 p = (__int128)bits_sext(reg_read(c, REG_AX, size), bits) * bits_sext(b, bits);
    uint64_t lo = (uint64_t)p & bits_mask(bits);
    muldiv_put(c, size, lo, (uint64_t)(p >> bits) & bits_mask(bits));
    alu_mul_flags(c, p != bits_sext(lo, bits));
    return true;
}

bool op_imul(struct cpu *c, const struct insn *in)
{
    uint64_t a, b;
    unsigned first = in->o[2].kind == OPND_NONE ? 0 : 1;
    if (!opnd_read(c, in, first, &a) || !opnd_read(c, in, first + 1, &b)) {
        return false;
    }
    return opnd_write(c, in, 0, alu_imul(c, a, b, in->o[0].size * 8u, true));
}

bool op_div(struct cpu *c, const struct insn *in)
{
    unsigned size = in->o[0].size;
    uint64_t b;
    if (!opnd_read(c, in, 0, &b)) {
        return false;
    }
    unsigned __int128 n = muldiv_get(c, size);
    if (!b || n / b > bits_mask(size * 8)) {
        return cpu_fault(c, EXC_DE);
    }
    muldiv_put(c, size, (uint64_t)(n / b), (uint64_t)(n % b));
    return true;
}

bool op_idiv(struct cpu *c, const struct insn *in)
{
    unsigned size = in->o[0].size, bits = size * 8;
    uint64_t b;
    if (!opnd_read(c, in, 0, &b)) {
        return false;
    }
    /* sign-extend the dividend from its 2 * bits */
    unsigned __int128 u = muldiv_get(c, size);
    unsigned sh = 128 - 2 * bits;
    __int128 n = (__int128)(u << sh) >> sh;
    int64_t d = bits_sext(b, bits);
    /* the one quotient that 128-bit division itself cannot hold */
    if (!d || (d == -1 && n == (__int128)((unsigned __int128)1 << 127))) {
        return cpu_fault(c, EXC_DE);
    }
    __int128 q = n / d;
    if (q != bits_sext((uint64_t)q, bits)) {
        return cpu_fault(c, EXC_DE);
    }
    muldiv_put(c, size, (uint64_t)q & bits_mask(bits), (uint64_t)(n % d) & bits_mask(bits));
    return true;
}
