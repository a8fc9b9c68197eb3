/* Integer meanings as functions of values: operands in, result and flags out.
 *
 * `bits` is a constant at every call site (8, 16, 32, 64), so each use is one straight piece of
 * code. `carry` of a result holds the carry (or borrow) out of every bit position, so CF, AF and OF
 * are three of its bits (cpu/core.h, flags_arith).  Where the SDM leaves flags undefined, the
 * comment says what hardware does (HW: measured by tests/cpu/test_oracle.c). */
#pragma once
#include "cpu/core.h"

struct alu {
    uint64_t res;
    uint64_t carry;
};

FORCE_INLINE struct alu alu_add(uint64_t a, uint64_t b, unsigned cin)
{
    uint64_t r = a + b + cin;
    return (struct alu){r, (a & b) | ((a | b) & ~r)};
}
FORCE_INLINE struct alu alu_sub(uint64_t a, uint64_t b, unsigned bin)
{
    uint64_t r = a - b - bin;
    return (struct alu){r, (~a & b) | ((~a | b) & r)};
}

/* The same for operands that are zero above `bits`: what comes into bit i is bit i of a ^ b ^ res,
 * and res has a bit more than the operands to show what comes out of the last.  Four host
 * instructions less. */
FORCE_INLINE struct alu alu_narrow(struct alu r, uint64_t a, uint64_t b, unsigned bits)
{
    if (bits < 64) {
        r.carry = (a ^ b ^ r.res) >> 1;
    }
    return r;
}

/* The eight two-operand operations by ModRM.reg order: add or adc sbb and sub xor cmp. */
enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

/* Result of op, flags set when `flags` (constant) is true. */
FORCE_INLINE uint64_t alu_binary(struct cpu *c, enum alu_op op, uint64_t a, uint64_t b,
                                 unsigned bits, bool flags)
{
    struct alu r;
    uint64_t v;
    switch (op) {
    case ALU_ADD: r = alu_add(a, b, 0); break;
    case ALU_ADC: r = alu_add(a, b, flag_cf(c)); break;
    case ALU_SBB: r = alu_sub(a, b, flag_cf(c)); break;
    case ALU_SUB:
    case ALU_CMP: r = alu_sub(a, b, 0); break;
    default:
        v = op == ALU_AND ? a & b : op == ALU_OR ? a | b : a ^ b;
        if (flags) {
            flags_logic(c, v, bits);
        }
        return v;
    }
    if (flags) {
        flags_arith(c, r.res, alu_narrow(r, a, b, bits).carry, bits);
    }
    return r.res;
}

/* INC and DEC leave CF alone. */
FORCE_INLINE uint64_t alu_incdec(struct cpu *c, uint64_t a, bool dec, unsigned bits, bool flags)
{
    struct alu r = dec ? alu_sub(a, 1, 0) : alu_add(a, 1, 0);
    if (flags) {
        uint64_t old = c->cv;
        flags_arith(c, r.res, alu_narrow(r, a, 1, bits).carry, bits);
        /* CF is bit 63, OF is bit 63 ^ bit 62: to put CF back, turn both */
        c->cv ^= (uint64_t)((int64_t)(old ^ c->cv) >> 63) & (uint64_t)3 << 62;
    }
    return r.res;
}
FORCE_INLINE uint64_t alu_neg(struct cpu *c, uint64_t a, unsigned bits, bool flags)
{
    struct alu r = alu_sub(0, a, 0);
    if (flags) {
        flags_arith(c, r.res, r.carry, bits);
    }
    return r.res;
}

/* Set CF and OF beside a logic-like result; AF as given. */
FORCE_INLINE void alu_cf_of(struct cpu *c, unsigned cf, unsigned of, unsigned af)
{
    c->cv = (uint64_t)cf << 63 | (uint64_t)(cf ^ of) << 62 | (af ? 8 : 0);
}
FORCE_INLINE void alu_shift_flags(struct cpu *c, unsigned cf, unsigned of)
{
    c->cv = (uint64_t)cf << 63 | (uint64_t)(cf ^ of) << 62 | c->shift_af;
}

/* Shifts: n is already masked (31, or 63 for 64 bits) and not 0.
 * OF for n > 1 is undefined in the SDM.  HW: SHL: CF ^ sign of the result, as for n == 1; SHR: the
 * operand's sign for n == 1, else 0; SAR: 0.  AF is undefined: c->shift_af, as the maker does. */
FORCE_INLINE uint64_t alu_shl(struct cpu *c, uint64_t a, unsigned n, unsigned bits, bool flags)
{
    uint64_t r = n < bits ? a << n : 0;
    if (flags) {
        unsigned cf = n <= bits ? (unsigned)(a >> (bits - n) & 1) : 0;
        flags_logic(c, r, bits);
        alu_shift_flags(c, cf, cf ^ (unsigned)(r >> (bits - 1) & 1));
    }
    return r;
}
FORCE_INLINE uint64_t alu_shr(struct cpu *c, uint64_t a, unsigned n, unsigned bits, bool flags)
{
    uint64_t r;
    a &= bits_mask(bits);
    r = n < bits ? a >> n : 0;
    if (flags) {
        unsigned cf = n <= bits ? (unsigned)(a >> (n - 1) & 1) : 0;
        flags_logic(c, r, bits);
        unsigned of = n == 1 ? (unsigned)(a >> (bits - 1) & 1) : 0;
        alu_shift_flags(c, cf, of);
    }
    return r;
}
FORCE_INLINE uint64_t alu_sar(struct cpu *c, uint64_t a, unsigned n, unsigned bits, bool flags)
{
    int64_t s = bits_sext(a, bits);
    uint64_t r = (uint64_t)(s >> (n < 63 ? n : 63));
    if (flags) {
        unsigned cf = (unsigned)(s >> (n - 1 < 63 ? n - 1 : 63) & 1);
        flags_logic(c, r, bits);
        alu_shift_flags(c, cf, 0);
    }
    return r;
}
/* Keep SF ZF PF AF, replace CF and OF: the rotates. */
FORCE_INLINE void alu_rot_flags(struct cpu *c, unsigned cf, unsigned of)
{
    c->cv = (c->cv & 8) | (uint64_t)cf << 63 | (uint64_t)(cf ^ of) << 62;
}
/* n is masked like a shift's count and not 0; flags are set even if n % bits == 0.
 * OF: ROL: CF ^ MSB of the result; ROR: the two top bits of the result (HW: for any count). */
FORCE_INLINE uint64_t alu_rol(struct cpu *c, uint64_t a, unsigned n, unsigned bits, bool flags)
{
    uint64_t m = bits_mask(bits);
    unsigned k = n & (bits - 1);
    a &= m;
    uint64_t r = bits == 32
                     ? (uint32_t)a << k | (uint32_t)a >> (-k & 31) /* the host's own rotate */
                 : k ? ((a << k) | (a >> (bits - k))) & m
                     : a;
    if (flags) {
        unsigned cf = (unsigned)(r & 1);
        alu_rot_flags(c, cf, cf ^ (unsigned)(r >> (bits - 1) & 1));
    }
    return r;
}
FORCE_INLINE uint64_t alu_ror(struct cpu *c, uint64_t a, unsigned n, unsigned bits, bool flags)
{
    uint64_t m = bits_mask(bits);
    unsigned k = n & (bits - 1);
    a &= m;
    uint64_t r = bits == 32 ? (uint32_t)a >> k | (uint32_t)a << (-k & 31)
                 : k ? ((a >> k) | (a << (bits - k))) & m : a;
    if (flags) {
        unsigned msb = (unsigned)(r >> (bits - 1) & 1);
        alu_rot_flags(c, msb, msb ^ (unsigned)(r >> (bits - 2) & 1));
    }
    return r;
}
/* Through carry: n masked to 5 (6) bits, then modulo bits + 1 for 8 and 16. */
FORCE_INLINE uint64_t alu_rcl(struct cpu *c, uint64_t a, unsigned n, unsigned bits)
{
    unsigned cf = flag_cf(c);
    a &= bits_mask(bits);
    n %= bits + 1;
    for (unsigned i = 0; i < n; i++) {
        unsigned out = (unsigned)(a >> (bits - 1) & 1);
        a = (a << 1 | cf) & bits_mask(bits);
        cf = out;
    }
    alu_rot_flags(c, cf, cf ^ (unsigned)(a >> (bits - 1) & 1));
    return a;
}
FORCE_INLINE uint64_t alu_rcr(struct cpu *c, uint64_t a, unsigned n, unsigned bits)
{
    unsigned cf = flag_cf(c);
    a &= bits_mask(bits);
    n %= bits + 1;
    for (unsigned i = 0; i < n; i++) {
        unsigned out = (unsigned)(a & 1);
        a = a >> 1 | (uint64_t)cf << (bits - 1);
        cf = out;
    }
    alu_rot_flags(c, cf, (unsigned)((a >> (bits - 1) ^ a >> (bits - 2)) & 1));
    return a;
}
/* SHLD, SHRD for 16, 32, 64 bits; n masked and not 0.  16-bit counts above 16 are undefined in the
 * SDM. HW: the pair dst:src:dst is shifted, so bits of the first operand come in again. */
FORCE_INLINE uint64_t alu_shld(struct cpu *c, uint64_t a, uint64_t b, unsigned n, unsigned bits)
{
    uint64_t m = bits_mask(bits), r;
    unsigned cf;
    a &= m;
    b &= m;
    if (bits == 16) {
        uint64_t w = a << 32 | b << 16 | a; /* 48 bits, n <= 31 */
        r = w >> (32 - n) & m;
        cf = (unsigned)(w >> (48 - n) & 1);
    } else {
        r = (a << n | b >> (bits - n)) & m;
        cf = (unsigned)(a >> (bits - n) & 1);
    }
    flags_logic(c, r, bits);
    alu_shift_flags(c, cf, cf ^ (unsigned)(r >> (bits - 1) & 1));
    return r;
}
FORCE_INLINE uint64_t alu_shrd(struct cpu *c, uint64_t a, uint64_t b, unsigned n, unsigned bits)
{
    uint64_t m = bits_mask(bits), r;
    unsigned cf;
    a &= m;
    b &= m;
    if (bits == 16) {
        uint64_t w = a << 32 | b << 16 | a;
        r = w >> n & m;
        cf = (unsigned)(w >> (n - 1) & 1);
    } else {
        r = (a >> n | b << (bits - n)) & m;
        cf = (unsigned)(a >> (n - 1) & 1);
    }
    flags_logic(c, r, bits);
    alu_shift_flags(c, cf, (unsigned)((r >> (bits - 1) ^ r >> (bits - 2)) & 1));
    return r;
}

/* Multiplication: CF = OF = the product needs its upper half.  SF ZF AF PF are undefined in the
 * SDM. HW (AMD Zen): left as they were; Intel sets SF from the low half.  We leave them. */
FORCE_INLINE void alu_mul_flags(struct cpu *c, bool over)
{
    alu_rot_flags(c, over, over);
}
FORCE_INLINE uint64_t alu_imul(struct cpu *c, uint64_t a, uint64_t b, unsigned bits, bool flags)
{
    __int128 p = (__int128)bits_sext(a, bits) * bits_sext(b, bits);
    uint64_t r = (uint64_t)p & bits_mask(bits);
    if (flags) {
        alu_mul_flags(c, p != bits_sext(r, bits));
    }
    return r;
}

FORCE_INLINE void alu_set_zf(struct cpu *c, bool zf)
{
    /* ZF alone must not disturb SF and PF, which sp holds */
    c->zr = zf ? 0 : 1;
}
/* BSF, BSR.  The SDM defines ZF alone.  HW: of 0 the destination is unchanged (AMD documents it)
 * and the flags are as of a result of 0, else as of the index, though ZF is clear. */
FORCE_INLINE void alu_scan_flags(struct cpu *c, uint64_t index, bool zero)
{
    c->sp = zero ? 0 : index;
    c->cv = 0;
    c->zr = zero ? 0 : 1;
}
