/* SSE, SSE2 and AVX floating-point arithmetic and comparison.
 *
 * SDM Vol. 1, "SSE Arithmetic Instructions", "SSE Comparison Instructions"; Vol. 2A: "CMPPS"
 * with its 8 legacy and 32 VEX predicates; "COMISS", "MINPS", "RCPPS".
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_ssefp.h"

enum { SCALAR = 1 };

/* Packed: a = a op b.  Scalar, and one-operand operations as scalars: element 0 of the first
 * source is replaced.  Packed SQRT has one source. */
static bool arith(struct cpu *c, const struct insn *in, enum fp_fmt f, enum fp_op op,
                  unsigned scalar)
{
    struct fp_env e = sse_env(c);
    uint64_t a[4], b[4];

    if (!sse_ok(c, in)) {
        return false;
    }
    if (op == FP_SQRT && !scalar) {
        if (!vec_read(c, in, 1, VEC_LEGACY, b)) {
            return false;
        }
        memset(a, 0, sizeof a);
    } else if (!vec_read2(c, in, a, b)) {
        return false;
    }
    fp_packed(&e, f, op, scalar ? 1 : sse_count(in, f), a, b);
    return sse_finish(c, in, &e, a);
}
#define ARITH1(name, f, op, n)                                                                    \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return arith(c, in, f, op, n);                                                            \
    }
#define ARITH(name, op)                                                                           \
    ARITH1(name##ps, FP_F32, op, 0)                                                               \
    ARITH1(name##pd, FP_F64, op, 0)                                                               \
    ARITH1(name##ss, FP_F32, op, SCALAR)                                                          \
    ARITH1(name##sd, FP_F64, op, SCALAR)
ARITH(add, FP_ADD)
ARITH(sub, FP_SUB)
ARITH(mul, FP_MUL)
ARITH(div, FP_DIV)
ARITH(sqrt, FP_SQRT)
ARITH(min, FP_MIN)
ARITH(max, FP_MAX)

/* ---- approximations: no exceptions ---- */

static bool approx(struct cpu *c, const struct insn *in, uint32_t (*fn)(uint32_t), unsigned scalar)
{
    uint64_t a[4] = {0}, b[4];
    unsigned n = scalar ? 1 : sse_count(in, FP_F32);

    if (!sse_ok(c, in) ||
        !(scalar ? vec_read2(c, in, a, b) : vec_read(c, in, 1, VEC_LEGACY, b))) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        fp_set(a, FP_F32, i, fn((uint32_t)fp_get(b, FP_F32, i)));
    }
    vec_put(c, in, &in->o[0], a);
    return true;
}
bool op_rcpps(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rcp32, 0);
}
bool op_rcpss(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rcp32, SCALAR);
}
bool op_rsqrtps(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rsqrt32, 0);
}
bool op_rsqrtss(struct cpu *c, const struct insn *in)
{
    return approx(c, in, fp_rsqrt32, SCALAR);
}

/* ---- comparison ---- */

/* Predicates 0 to 15 by the relations they hold for; 16 to 31 are the same with the other answer
 * to whether quiet NaNs signal.  SDM Vol. 2A, "CMPPD", table "Comparison Predicate for CMPPD and
 * CMPPS Instructions". */
static bool predicate(struct fp_env *e, enum fp_fmt f, unsigned pred, uint64_t a, uint64_t b)
{
    enum { L = 1 << FP_LESS, E = 1 << FP_EQUAL, G = 1 << FP_GREATER, U = 1 << FP_UNORDERED };
    static const uint8_t holds[16] = {
        /* EQ LT LE UNORD, and their opposites */
        E, L, L | E, U, L | G | U, E | G | U, G | U, L | E | G,
        /* the same with NaNs answered otherwise: EQ_UQ NGE NGT FALSE NEQ_OQ GE GT TRUE */
        E | U, L | U, L | E | U, 0, L | G, E | G, G, L | E | G | U,
    };
    bool signals = ((pred & 3) == 1 || (pred & 3) == 2) ^ (pred >> 4 & 1);

    return holds[pred & 15] >> soft_compare(e, f, a, b, !signals) & 1;
}

static bool compare(struct cpu *c, const struct insn *in, enum fp_fmt f, unsigned scalar)
{
    struct fp_env e = sse_env(c);
    uint64_t a[4], b[4];
    unsigned n = scalar ? 1 : sse_count(in, f), pred = in->imm & (vec_is_vex(in) ? 31 : 7);

    if (!sse_ok(c, in) || !vec_read2(c, in, a, b)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        fp_set(a, f, i, predicate(&e, f, pred, fp_get(a, f, i), fp_get(b, f, i)) ? UINT64_MAX : 0);
    }
    return sse_finish(c, in, &e, a);
}
bool op_cmpps(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F32, 0);
}
bool op_cmppd(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F64, 0);
}
bool op_cmpss(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F32, SCALAR);
}
bool op_cmpsd_x(struct cpu *c, const struct insn *in)
{
    return compare(c, in, FP_F64, SCALAR);
}

/* ZF PF CF; OF SF AF cleared.  Two operands in every encoding. */
static bool compare_flags(struct cpu *c, const struct insn *in, enum fp_fmt f, bool quiet)
{
    static const uint16_t fl[] = {[FP_LESS] = FL_CF, [FP_EQUAL] = FL_ZF, [FP_GREATER] = 0,
                                  [FP_UNORDERED] = FL_CF | FL_ZF | FL_PF};
    struct fp_env e = sse_env(c);
    uint64_t b[4];
    enum fp_rel rel;

    if (!sse_ok(c, in) || !vec_read(c, in, 1, VEC_LEGACY, b)) {
        return false;
    }
    rel = soft_compare(&e, f, fp_get(c->s.ymm[in->o[0].reg], f, 0), fp_get(b, f, 0), quiet);
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
