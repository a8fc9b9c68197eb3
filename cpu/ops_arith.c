/* Two-operand arithmetic and logic, INC DEC NEG NOT, exchange-and-compare.
 * SDM Vol. 2, the instructions by name.  The generic executors: any operand form, any size. */
#include "cpu/alu.h"

/* One body for the eight operations and all sizes; the constant switch gives each size its own
 * code. */
FORCE_INLINE uint64_t arith_sized(struct cpu *c, enum alu_op op, uint64_t a, uint64_t b,
                                  unsigned size)
{
    switch (size) {
    case 1: return alu_binary(c, op, a, b, 8, true);
    case 2: return alu_binary(c, op, a, b, 16, true);
    case 4: return alu_binary(c, op, a, b, 32, true);
    default: return alu_binary(c, op, a, b, 64, true);
    }
}

FORCE_INLINE bool arith_binary(struct cpu *c, const struct insn *in, enum alu_op op)
{
    uint64_t a, b;
    if (!opnd_read_rmw(c, in, 0, &a) || !opnd_read(c, in, 1, &b)) {
        return false;
    }
    /* a memory source after a register destination faults before anything changed */
    uint64_t zr = c->zr, sp = c->sp, cv = c->cv;
    uint64_t r = arith_sized(c, op, a, b, in->o[0].size);
    if (!opnd_write(c, in, 0, r)) {
        c->zr = zr;
        c->sp = sp;
        c->cv = cv;
        return false;
    }
    return true;
}

bool op_add(struct cpu *c, const struct insn *in) { return arith_binary(c, in, ALU_ADD); }
bool op_or(struct cpu *c, const struct insn *in) { return arith_binary(c, in, ALU_OR); }
bool op_adc(struct cpu *c, const struct insn *in) { return arith_binary(c, in, ALU_ADC); }
bool op_sbb(struct cpu *c, const struct insn *in) { return arith_binary(c, in, ALU_SBB); }
bool op_and(struct cpu *c, const struct insn *in) { return arith_binary(c, in, ALU_AND); }
bool op_sub(struct cpu *c, const struct insn *in) { return arith_binary(c, in, ALU_SUB); }
bool op_xor(struct cpu *c, const struct insn *in) { return arith_binary(c, in, ALU_XOR); }

bool op_cmp(struct cpu *c, const struct insn *in)
{
    uint64_t a, b;
    if (!opnd_read(c, in, 0, &a) || !opnd_read(c, in, 1, &b)) {
        return false;
    }
    arith_sized(c, ALU_CMP, a, b, in->o[0].size);
    return true;
}

bool op_test(struct cpu *c, const struct insn *in)
{
    uint64_t a, b;
    if (!opnd_read(c, in, 0, &a) || !opnd_read(c, in, 1, &b)) {
        return false;
    }
    arith_sized(c, ALU_AND, a, b, in->o[0].size);
    return true;
}

static bool arith_incdec(struct cpu *c, const struct insn *in, bool dec)
{
    uint64_t a, r;
    if (!opnd_read_rmw(c, in, 0, &a)) {
        return false;
    }
    switch (in->o[0].size) {
    case 1: r = alu_incdec(c, a, dec, 8, true); break;
    case 2: r = alu_incdec(c, a, dec, 16, true); break;
    case 4: r = alu_incdec(c, a, dec, 32, true); break;
    default: r = alu_incdec(c, a, dec, 64, true); break;
    }
    return opnd_write(c, in, 0, r);
}

bool op_inc(struct cpu *c, const struct insn *in) { return arith_incdec(c, in, false); }
bool op_dec(struct cpu *c, const struct insn *in) { return arith_incdec(c, in, true); }

bool op_neg(struct cpu *c, const struct insn *in)
{
    uint64_t a;
    if (!opnd_read_rmw(c, in, 0, &a)) {
        return false;
    }
    return opnd_write(c, in, 0, alu_neg(c, a, in->o[0].size * 8u, true));
}

bool op_not(struct cpu *c, const struct insn *in)
{
    uint64_t a;
    return opnd_read_rmw(c, in, 0, &a) && opnd_write(c, in, 0, ~a);
}

bool op_xadd(struct cpu *c, const struct insn *in)
{
    uint64_t a, b;
    if (!opnd_read_rmw(c, in, 0, &a) || !opnd_read(c, in, 1, &b)) {
        return false;
    }
    uint64_t r = arith_sized(c, ALU_ADD, a, b, in->o[0].size);
    if (in->o[0].kind == OPND_MEM) { /* first: the register may be part of the address */
        return opnd_write(c, in, 0, r) && opnd_write(c, in, 1, a);
    }
    /* XADD r, r with the same register leaves the sum: the destination is written last */
    return opnd_write(c, in, 1, a) && opnd_write(c, in, 0, r);
}

bool op_cmpxchg(struct cpu *c, const struct insn *in)
{
    unsigned size = in->o[0].size;
    uint64_t a, b, acc = reg_read(c, REG_AX, size);
    /* the destination gets a write cycle in either case, so write faults come before the compare */
    if (!opnd_read_rmw(c, in, 0, &a) || !opnd_read(c, in, 1, &b)) {
        return false;
    }
    arith_sized(c, ALU_CMP, acc, a, size);
    if (acc == a) {
        return opnd_write(c, in, 0, b);
    }
    /* HW: AMD's leave a register alone, upper half and all */
    if (!(in->o[0].kind == OPND_GPR && feat_has(&c->feat, FEAT_AMD)) && !opnd_write(c, in, 0, a)) {
        return false;
    }
    reg_write(c, REG_AX, size, a);
    return true;
}

bool op_cmpxchg8b(struct cpu *c, const struct insn *in)
{
    uint64_t m, ea = insn_ea(c, in);
    uint64_t want = reg_read(c, REG_DX, 4) << 32 | reg_read(c, REG_AX, 4);
    uint64_t put = reg_read(c, REG_BX, 4);
    put |= reg_read(c, REG_CX, 4) << 32;
    if (!mem_read_rmw(c, in->seg, ea, 8, &m)) {
        return false;
    }
    bool same = m == want;
    if (!mem_write(c, in->seg, ea, 8, same ? put : m)) {
        return false;
    }
    if (!same) {
        reg_write(c, REG_AX, 4, m);
        reg_write(c, REG_DX, 4, m >> 32);
    }
    alu_set_zf(c, same);
    return true;
}
