/* SSE, SSE2 and AVX conversions between integers and floating point, and between the two formats.
 *
 * SDM Vol. 1, "SSE Conversion Instructions", "SSE2 Conversion Instructions"; Vol. 2A, "CVT...".
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_ssefp.h"

enum { INT = 3 }; /* beside enum fp_fmt */

struct shape {
    uint8_t from, to;           /* enum fp_fmt or INT */
    uint8_t from_bits, to_bits; /* of an element; 0: the operand's size */
    uint8_t n;                  /* elements; twice as many with a YMM register */
    bool merge;                 /* the first source's other bits stay; else they become zero */
    bool truncate;
};

/* One element. */
static uint64_t element(struct fp_env *e, const struct shape *s, unsigned from_bits,
                        unsigned to_bits, uint64_t v)
{
    if (s->from == INT) {
        return fp_int_to(e, (enum fp_fmt)s->to, bits_sext(v, from_bits));
    }
    if (s->to == INT) {
        return (uint64_t)fp_to_int(e, fp_unpack_daz(e, (enum fp_fmt)s->from, v), to_bits) &
               bits_mask(to_bits);
    }
    return fp_convert(e, (enum fp_fmt)s->to, (enum fp_fmt)s->from, v);
}

/* The merging scalars have a first source, as binary operations; the others one operand. */
static bool convert(struct cpu *c, const struct insn *in, const struct shape *s)
{
    bool mmx = in->o[0].kind == OPND_MMX || in->o[1].kind == OPND_MMX;
    unsigned from = s->merge ? vec_src(in) + 1 : 1;
    unsigned fb = s->from_bits ? s->from_bits : in->o[from].size * 8u;
    unsigned tb = s->to_bits ? s->to_bits : in->o[0].size * 8u;
    unsigned n = s->n << (in->o[0].size == 32 || in->o[1].size == 32);
    struct fp_env e = sse_env(c);
    uint64_t src[4], dst[4] = {0};

    if (!sse_ok(c, in) || (mmx && !mmx_check(c)) || !vec_read(c, in, from, VEC_LEGACY, src) ||
        (s->merge && !vec_read(c, in, from - 1, VEC_ANY, dst))) {
        return false;
    }
    if (s->truncate) {
        e.rc = FP_RC_ZERO;
    }
    for (unsigned i = 0; i < n; i++) {
        lane_put(dst, i, tb, element(&e, s, fb, tb, lane_get(src, i, fb)));
    }
    vec_done(c, in); /* HW: the registers are MMX registers even if #XM follows */
    return sse_raise(c, &e) && vec_store(c, in, VEC_ANY, dst); /* a register: cannot fail */
}
#define CONVERT(name, ...)                                                                        \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        static const struct shape s = {__VA_ARGS__};                                              \
        return convert(c, in, &s);                                                                \
    }
/* clang-format off */
/*      name        from    to      bits    n  merge  truncate */
CONVERT(cvtpi2ps,  INT,    FP_F32, 32, 32, 2, true,  false)
CONVERT(cvtpi2pd,  INT,    FP_F64, 32, 64, 2, false, false)
CONVERT(cvtsi2ss,  INT,    FP_F32, 0,  32, 1, true,  false)
CONVERT(cvtsi2sd,  INT,    FP_F64, 0,  64, 1, true,  false)
CONVERT(cvtdq2ps,  INT,    FP_F32, 32, 32, 4, false, false)
CONVERT(cvtdq2pd,  INT,    FP_F64, 32, 64, 2, false, false)
CONVERT(cvtps2pi,  FP_F32, INT,    32, 32, 2, false, false)
CONVERT(cvttps2pi, FP_F32, INT,    32, 32, 2, false, true)
CONVERT(cvtpd2pi,  FP_F64, INT,    64, 32, 2, false, false)
CONVERT(cvttpd2pi, FP_F64, INT,    64, 32, 2, false, true)
CONVERT(cvtss2si,  FP_F32, INT,    32, 0,  1, false, false)
CONVERT(cvttss2si, FP_F32, INT,    32, 0,  1, false, true)
CONVERT(cvtsd2si,  FP_F64, INT,    64, 0,  1, false, false)
CONVERT(cvttsd2si, FP_F64, INT,    64, 0,  1, false, true)
CONVERT(cvtps2dq,  FP_F32, INT,    32, 32, 4, false, false)
CONVERT(cvttps2dq, FP_F32, INT,    32, 32, 4, false, true)
CONVERT(cvtpd2dq,  FP_F64, INT,    64, 32, 2, false, false)
CONVERT(cvttpd2dq, FP_F64, INT,    64, 32, 2, false, true)
CONVERT(cvtps2pd,  FP_F32, FP_F64, 32, 64, 2, false, false)
CONVERT(cvtpd2ps,  FP_F64, FP_F32, 64, 32, 2, false, false)
CONVERT(cvtss2sd,  FP_F32, FP_F64, 32, 64, 1, true,  false)
CONVERT(cvtsd2ss,  FP_F64, FP_F32, 64, 32, 1, true,  false)
/* clang-format on */
