/* Bit counting and bit manipulation: POPCNT, LZCNT, TZCNT, BMI1, BMI2, ADX.
 * SDM Vol. 2, the instructions by name.  Where flags are undefined there, AMD's processors are
 * followed (HW: measured on Zen by tests/cpu/test_oracle.c). */
#include "cpu/alu.h"

/* ZF and SF of the result, CF as given, OF = 0; HW: PF of the result, AF 0. */
static void bmi_flags(struct cpu *c, uint64_t r, unsigned bits, bool cf)
{
    flags_logic(c, r, bits);
    alu_cf_of(c, cf, 0, 0);
}

/* Only ZF and CF; HW: the others 0, but OF, which TZCNT and LZCNT leave. */
static void bmi_count_flags(struct cpu *c, bool zf, bool cf, bool of)
{
    c->zr = zf ? 0 : 1;
    c->sp = 1; /* SF 0, PF 0 */
    alu_cf_of(c, cf, of, 0);
}

bool op_popcnt(struct cpu *c, const struct insn *in)
{
    uint64_t a;
    if (!opnd_read(c, in, 1, &a)) {
        return false;
    }
    bmi_count_flags(c, a == 0, false, false);
    return opnd_write(c, in, 0, (unsigned)__builtin_popcountll(a));
}

static bool bmi_count(struct cpu *c, const struct insn *in, bool leading)
{
    unsigned bits = in->o[0].size * 8u, n = bits;
    uint64_t a;
    if (!opnd_read(c, in, 1, &a)) {
        return false;
    }
    if (a) {
        n = leading ? (unsigned)__builtin_clzll(a) - (64 - bits) : (unsigned)__builtin_ctzll(a);
    }
    bmi_count_flags(c, n == 0, a == 0, flag_of(c));
    return opnd_write(c, in, 0, n);
}
bool op_lzcnt(struct cpu *c, const struct insn *in) { return bmi_count(c, in, true); }
bool op_tzcnt(struct cpu *c, const struct insn *in) { return bmi_count(c, in, false); }

bool op_andn(struct cpu *c, const struct insn *in)
{
    uint64_t a, b;
    if (!opnd_read(c, in, 1, &a) || !opnd_read(c, in, 2, &b)) {
        return false;
    }
    uint64_t r = ~a & b;
    bmi_flags(c, r, in->o[0].size * 8u, false);
    return opnd_write(c, in, 0, r);
}

/* o2: start in bits 7:0, length in 15:8. */
bool op_bextr(struct cpu *c, const struct insn *in)
{
    unsigned bits = in->o[0].size * 8u;
    uint64_t a, how, r = 0;
    if (!opnd_read(c, in, 1, &a) || !opnd_read(c, in, 2, &how)) {
        return false;
    }
    unsigned start = how & 0xff, len = how >> 8 & 0xff;
    if (start < bits) {
        r = a >> start;
        r = len < bits ? r & bits_mask(len) : r;
    }
    /* HW: SF 0; AF as of a shift */
    c->zr = r;
    c->sp = r & 0xff;
    c->cv = c->shift_af;
    return opnd_write(c, in, 0, r);
}

enum lowest { BLSI, BLSMSK, BLSR };
static bool bmi_lowest(struct cpu *c, const struct insn *in, enum lowest what)
{
    unsigned bits = in->o[0].size * 8u;
    uint64_t a, r;
    bool cf;
    if (!opnd_read(c, in, 1, &a)) {
        return false;
    }
    switch (what) {
    case BLSI: r = a & (0 - a); cf = a != 0; break;
    case BLSMSK: r = a ^ (a - 1); cf = a == 0; break;
    default: r = a & (a - 1); cf = a == 0; break;
    }
    bmi_flags(c, r, bits, cf);
    return opnd_write(c, in, 0, r);
}
bool op_blsi(struct cpu *c, const struct insn *in) { return bmi_lowest(c, in, BLSI); }
bool op_blsmsk(struct cpu *c, const struct insn *in) { return bmi_lowest(c, in, BLSMSK); }
bool op_blsr(struct cpu *c, const struct insn *in) { return bmi_lowest(c, in, BLSR); }

bool op_bzhi(struct cpu *c, const struct insn *in)
{
    unsigned bits = in->o[0].size * 8u;
    uint64_t a, n;
    if (!opnd_read(c, in, 1, &a) || !opnd_read(c, in, 2, &n)) {
        return false;
    }
    n &= 0xff;
    uint64_t r = n < bits ? a & bits_mask((unsigned)n) : a;
    bmi_flags(c, r, bits, n >= bits);
    return opnd_write(c, in, 0, r);
}

/* ---- no flags ---- */

bool op_pdep(struct cpu *c, const struct insn *in)
{
    uint64_t a, mask, r = 0;
    if (!opnd_read(c, in, 1, &a) || !opnd_read(c, in, 2, &mask)) {
        return false;
    }
    for (; mask; mask &= mask - 1, a >>= 1) {
        r |= a & 1 ? mask & (0 - mask) : 0;
    }
    return opnd_write(c, in, 0, r);
}

bool op_pext(struct cpu *c, const struct insn *in)
{
    uint64_t a, mask, r = 0;
    if (!opnd_read(c, in, 1, &a) || !opnd_read(c, in, 2, &mask)) {
        return false;
    }
    for (unsigned i = 0; mask; mask &= mask - 1, i++) {
        r |= (uint64_t)((a & mask & (0 - mask)) != 0) << i;
    }
    return opnd_write(c, in, 0, r);
}

/* o0 (high half) and o1 (low half) = rDX * o2; the same register twice: the high half stays. */
bool op_mulx(struct cpu *c, const struct insn *in)
{
    unsigned size = in->o[0].size, bits = size * 8;
    uint64_t b;
    if (!opnd_read(c, in, 2, &b)) {
        return false;
    }
    unsigned __int128 p = (unsigned __int128)reg_read(c, REG_DX, size) * b;
    reg_write(c, in->o[1].reg, size, (uint64_t)p);
    reg_write(c, in->o[0].reg, size, (uint64_t)(p >> bits));
    return true;
}

enum shiftx { SARX, SHLX, SHRX, RORX };
static bool bmi_shift(struct cpu *c, const struct insn *in, enum shiftx what)
{
    unsigned bits = in->o[0].size * 8u;
    uint64_t a, n, r;
    if (!opnd_read(c, in, 1, &a) || !opnd_read(c, in, 2, &n)) {
        return false;
    }
    n &= bits - 1;
    switch (what) {
    case SARX: r = (uint64_t)(bits_sext(a, bits) >> n); break;
    case SHLX: r = a << n; break;
    case SHRX: r = a >> n; break;
    default: r = n ? a >> n | a << (bits - n) : a; break;
    }
    return opnd_write(c, in, 0, r);
}
bool op_sarx(struct cpu *c, const struct insn *in) { return bmi_shift(c, in, SARX); }
bool op_shlx(struct cpu *c, const struct insn *in) { return bmi_shift(c, in, SHLX); }
bool op_shrx(struct cpu *c, const struct insn *in) { return bmi_shift(c, in, SHRX); }
bool op_rorx(struct cpu *c, const struct insn *in) { return bmi_shift(c, in, RORX); }

/* Add with one flag as carry in and out, all others left alone. */
static bool bmi_add_flag(struct cpu *c, const struct insn *in, bool overflow)
{
    unsigned bits = in->o[0].size * 8u, cf = flag_cf(c), of = flag_of(c);
    uint64_t a, b;
    if (!opnd_read(c, in, 0, &a) || !opnd_read(c, in, 1, &b)) {
        return false;
    }
    struct alu r = alu_add(a, b, overflow ? of : cf);
    unsigned carry = (unsigned)(r.carry >> (bits - 1) & 1);
    alu_rot_flags(c, overflow ? cf : carry, overflow ? carry : of);
    return opnd_write(c, in, 0, r.res);
}
bool op_adcx(struct cpu *c, const struct insn *in) { return bmi_add_flag(c, in, false); }
bool op_adox(struct cpu *c, const struct insn *in) { return bmi_add_flag(c, in, true); }
