/* SSE and SSE2 floating-point arithmetic and comparison.
 *
 * SDM Vol. 1, "SSE Arithmetic Instructions", "SSE Comparison Instructions"; Vol. 2A: "CMPPS"
 * with its predicates; "COMISS", "MINPS", "RCPPS".
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_ssefp.h"

static bool arith(struct cpu *c, const struct insn *in, enum fp_fmt f, enum fp_op op, unsigned n)
{
    struct fp_env e = sse_env(c);
    uint64_t a[4], b[4];

    if (!sse_check(c) || !vec_read(c, in, 1, VEC_LEGACY, b)) {
        return false;
    }
    a[0] = c->s.ymm[in->o[0].reg][0];
    a[1] = c->s.ymm[in->o[0].reg][1];
    fp_packed(&e, f, op, n, a, b);
    if (!sse_raise(c, &e)) {
        return false;
    }
    c->s.ymm[in->o[0].reg][0] = a[0];
    c->s.ymm[in->o[0].reg][1] = a[1];
    return true;
}
#define ARITH1(name, f, op, n)                                                                    \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return arith(c, in, f, op, n);                                                            \
    }
#define ARITH(name, op)                                                                           \
    ARITH1(name##ps, FP_F32, op, 4)                                                               \
    ARITH1(name##pd, FP_F64, op, 2)                                                               \
    ARITH1(name##ss, FP_F32, op, 1)                                                               \
    ARITH1(name##sd, FP_F64, op, 1)
ARITH(add, FP_ADD)
ARITH(sub, FP_SUB)
ARITH(mul, FP_MUL)
ARITH(div, FP_DIV)
ARITH(sqrt, FP_SQRT)
ARITH(min, FP_MIN)
ARITH(max, FP_MAX)

/* ---- approximations: no exceptions ---- */

static bool approx(struct cpu *c, const struct insn *in, uint32_t (*fn)(uint32_t), unsigned n)
{
    uint64_t b[4], *d = c->s.ymm[in->o[0].reg];

    if (!sse_check(c) || !vec_read(c, in, 1, VEC_LEGACY, b)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned sh = (i & 1) * 32;
        uint64_t v = fn((uint32_t)(b[i / 2] >> sh));
        d[i / 2] = (d[i / 2] & ~((uint64_t)0xffffffff << sh)) | v << sh;
    }
    return true;
}
bool op_rcpps(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rcp32, 4);
}
bool op_rcpss(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rcp32, 1);
}
bool op_rsqrtps(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rsqrt32, 4);
}
bool op_rsqrtss(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rsqrt32, 1);
}

/* ---- comparison ---- */

/* Predicate 0..7: EQ LT LE UNORD, and 4..7 their negations. */
static bool predicate(struct fp_env *e, enum fp_fmt f, unsigned pred, uint64_t a, uint64_t b)
{
    bool quiet = (pred & 3) == 0 || (pred & 3) == 3;
    enum fp_rel rel = soft_compare(e, f, a, b, quiet);
    bool r;

    switch (pred & 3) {
    case 0: r = rel == FP_EQUAL; break;
    case 1: r = rel == FP_LESS; break;
    case 2: r = rel == FP_LESS || rel == FP_EQUAL; break;
    default: r = rel == FP_UNORDERED; break;
    }
    return r ^ (pred >> 2 & 1);
}

static bool compare(struct cpu *c, const struct insn *in, enum fp_fmt f, unsigned n)
{
    struct fp_env e = sse_env(c);
    uint64_t a[4], b[4];
    unsigned bits = f == FP_F32 ? 32 : 64;

    if (!sse_check(c) || !vec_read(c, in, 1, VEC_LEGACY, b)) {
        return false;
    }
    a[0] = c->s.ymm[in->o[0].reg][0];
    a[1] = c->s.ymm[in->o[0].reg][1];
    for (unsigned i = 0; i < n; i++) {
        unsigned h = i * bits / 64, sh = i * bits % 64;
        uint64_t m = bits_mask(bits) << sh;
        bool r = predicate(&e, f, (unsigned)in->imm & 7, bits_get(a[h], sh, bits),
                           bits_get(b[h], sh, bits));
        a[h] = (a[h] & ~m) | (r ? m : 0);
    }
    if (!sse_raise(c, &e)) {
        return false;
    }
    c->s.ymm[in->o[0].reg][0] = a[0];
    c->s.ymm[in->o[0].reg][1] = a[1];
    return true;
}
bool op_cmpps(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F32, 4);
}
bool op_cmppd(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F64, 2);
}
bool op_cmpss(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F32, 1);
}
bool op_cmpsd_x(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F64, 1);
}

/* ZF PF CF; OF SF AF cleared. */
static bool compare_flags(struct cpu *c, const struct insn *in, enum fp_fmt f, bool quiet)
{
    static const uint16_t fl[] = {[FP_LESS] = FL_CF, [FP_EQUAL] = FL_ZF, [FP_GREATER] = 0,
                                  [FP_UNORDERED] = FL_CF | FL_ZF | FL_PF};
    struct fp_env e = sse_env(c);
    uint64_t a[4], b[4], mask = f == FP_F32 ? 0xffffffff : ~(uint64_t)0;
    enum fp_rel rel;

    if (!sse_check(c) || !vec_read(c, in, 1, VEC_LEGACY, b) || !vec_read(c, in, 0, VEC_LEGACY, a)) {
        return false;
    }
    rel = soft_compare(&e, f, a[0] & mask, b[0] & mask, quiet);
    if (!sse_raise(c, &e)) {
        return false;
    }
    flags_set_status(c, fl[rel]);
    return true;
}
bool op_comiss(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, FP_F32, false);
}
bool op_comisd(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, FP_F64, false);
}
bool op_ucomiss(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, FP_F32, true);
}
bool op_ucomisd(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, FP_F64, true);
}
