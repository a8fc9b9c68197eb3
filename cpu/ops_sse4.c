/* SSE4.1 integer operations, blends, lane moves and tests, on XMM and YMM registers; PCMPGTQ of
 * SSE4.2.
 *
 * SDM Vol. 1, "SSE4.1 Instructions", "SSE4.2 Instructions"; Vol. 2A/2B/2C: "BLENDPS", "INSERTPS",
 * "MPSADBW", "PHMINPOSUW", "PMOVSX", "PTEST" and their neighbors.  PEXTR and PINSR are in
 * ops_mmx_move.c, PCMPESTRI and kin in ops_string42.c.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

bool op_movntdqa(struct cpu *c, const struct insn *in)
{
    uint64_t v[4];
    return vec_ok(c, in) && vec_read(c, in, 1, VEC_ALWAYS, v) && vec_store(c, in, VEC_ANY, v);
}

/* ---- lane by lane ---- */

LANES(pmulld, uint32_t, x * y)
LANES(pmuldq, int64_t, (int64_t)(int32_t)x * (int32_t)y)
LANES(pminsb, int8_t, x < y ? x : y)
LANES(pminuw, uint16_t, x < y ? x : y)
LANES(pminsd, int32_t, x < y ? x : y)
LANES(pminud, uint32_t, x < y ? x : y)
LANES(pmaxsb, int8_t, x > y ? x : y)
LANES(pmaxuw, uint16_t, x > y ? x : y)
LANES(pmaxsd, int32_t, x > y ? x : y)
LANES(pmaxud, uint32_t, x > y ? x : y)
LANES(pcmpeqq, uint64_t, 0 - (uint64_t)(x == y))
LANES(pcmpgtq, int64_t, 0 - (uint64_t)(x > y))

/* Elements of the lower part of o1, sign- or zero-extended to fill o0. */
#define EXTEND(name, from, to)                                                                    \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        uint64_t a[4], b[4];                                                                      \
        to *out = (to *)a;                                                                        \
        const from *src = (const from *)b;                                                        \
        if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_LEGACY, b)) {                               \
            return false;                                                                         \
        }                                                                                         \
        for (unsigned i = 0; i < 32 / sizeof(to); i++) {                                          \
            out[i] = src[i];                                                                      \
        }                                                                                         \
        return vec_store(c, in, VEC_ANY, a);                                                      \
    }
EXTEND(pmovsxbw, int8_t, int16_t)
EXTEND(pmovsxbd, int8_t, int32_t)
EXTEND(pmovsxbq, int8_t, int64_t)
EXTEND(pmovsxwd, int16_t, int32_t)
EXTEND(pmovsxwq, int16_t, int64_t)
EXTEND(pmovsxdq, int32_t, int64_t)
EXTEND(pmovzxbw, uint8_t, uint16_t)
EXTEND(pmovzxbd, uint8_t, uint32_t)
EXTEND(pmovzxbq, uint8_t, uint64_t)
EXTEND(pmovzxwd, uint16_t, uint32_t)
EXTEND(pmovzxwq, uint16_t, uint64_t)
EXTEND(pmovzxdq, uint32_t, uint64_t)

/* ---- across lanes ---- */

/* The smallest word and, above it, where it first is. */
static void min_position(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    const uint16_t *w = (const uint16_t *)b;
    unsigned at = 0;

    (void)wide, (void)imm;
    for (unsigned i = 1; i < 8; i++) {
        at = w[i] < w[at] ? i : at;
    }
    a[0] = w[at] | at << 16;
    a[1] = 0;
}
VEC_OP1(phminposuw, min_position)

/* Eight sums of absolute differences: a window that slides over the first source against four
 * bytes of the second. */
static void sliding_sad(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    uint8_t src[16];
    const uint8_t *x = src + (imm >> 2 & 1) * 4, *y = (const uint8_t *)b + (imm & 3) * 4;
    uint16_t *out = (uint16_t *)a;

    (void)wide;
    memcpy(src, a, 16);
    for (unsigned i = 0; i < 8; i++) {
        int sum = 0;
        for (unsigned k = 0; k < 4; k++) {
            sum += x[i + k] > y[k] ? x[i + k] - y[k] : y[k] - x[i + k];
        }
        out[i] = (uint16_t)sum;
    }
}
VEC_OP_IMM(mpsadbw, sliding_sad, 3)

/* ---- blends ---- */

/* By the immediate's bits; hi: how many of them the lower lane takes away (none: both use all) */
#define BLEND(name, type, hi)                                                                     \
    FORCE_INLINE void blend_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)   \
    {                                                                                             \
        type *p = (type *)a;                                                                      \
        const type *q = (const type *)b;                                                          \
        (void)wide;                                                                               \
        for (unsigned i = 0; i < 16 / sizeof(type); i++) {                                        \
            p[i] = imm >> i & 1 ? q[i] : p[i];                                                    \
        }                                                                                         \
    }                                                                                             \
    VEC_OP_IMM(name, blend_##name, hi)
BLEND(pblendw, uint16_t, 0)
BLEND(blendps, uint32_t, 4)
BLEND(blendpd, uint64_t, 2)
BLEND(vpblendd, uint32_t, 4)

/* By the sign bits of the operand behind the sources. */
#define BLEND_BY_SIGN(name, type)                                                                 \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        uint64_t a[4], b[4], m[4];                                                                \
        type *p = (type *)a;                                                                      \
        const type *q = (const type *)b, *mask = (const type *)m;                                 \
        if (!vec_ok(c, in) || !vec_read2(c, in, a, b)) {                                          \
            return false;                                                                         \
        }                                                                                         \
        vec_load(c, in->o[vec_src(in) + 2].reg, m);                                               \
        for (unsigned i = 0; i < 32 / sizeof(type); i++) {                                        \
            p[i] = mask[i] < 0 ? q[i] : p[i];                                                     \
        }                                                                                         \
        return vec_store(c, in, VEC_ANY, a);                                                      \
    }
BLEND_BY_SIGN(pblendvb, int8_t)
BLEND_BY_SIGN(blendvps, int32_t)
BLEND_BY_SIGN(blendvpd, int64_t)

/* One element of the second source (the only one, from memory) into the first; then zeroes. */
bool op_insertps(struct cpu *c, const struct insn *in)
{
    uint64_t a[4], b[4];
    bool mem = in->o[vec_src(in) + 1].kind == OPND_MEM;
    unsigned imm = (unsigned)in->imm;

    if (!vec_ok(c, in) || !vec_read2(c, in, a, b)) {
        return false;
    }
    lane_put(a, imm >> 4 & 3, 32, lane_get(b, mem ? 0 : imm >> 6 & 3, 32));
    for (unsigned i = 0; i < 4; i++) {
        if (imm >> i & 1) {
            lane_put(a, i, 32, 0);
        }
    }
    return vec_store(c, in, VEC_ANY, a);
}

/* ---- tests: ZF: a AND b is zero under the mask, CF: NOT a AND b is ---- */

static bool test_bits(struct cpu *c, const struct insn *in, uint64_t mask)
{
    uint64_t a[4], b[4], and = 0, andn = 0;

    if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_LEGACY, b)) {
        return false;
    }
    vec_load(c, in->o[0].reg, a);
    for (unsigned i = 0; i < in->o[0].size / 8u; i++) {
        and |= a[i] & b[i] & mask;
        andn |= ~a[i] & b[i] & mask;
    }
    flags_set_status(c, (and ? 0 : FL_ZF) | (andn ? 0 : FL_CF));
    return true;
}
bool op_ptest(struct cpu *c, const struct insn *in)
{
    return test_bits(c, in, ~(uint64_t)0);
}
bool op_vtestps(struct cpu *c, const struct insn *in)
{
    return test_bits(c, in, 0x8000000080000000);
}
bool op_vtestpd(struct cpu *c, const struct insn *in)
{
    return test_bits(c, in, 0x8000000000000000);
}
