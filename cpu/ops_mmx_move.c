/* Moves, packs, interleaves and shuffles of packed integers on MMX and XMM registers.
 *
 * SDM Vol. 2A/2B: "MOVD/MOVQ", "PACKSSWB/PACKSSDW", "PUNPCKHBW...", "PSHUFD", "PEXTRW", "PINSRW",
 * "MASKMOVQ", "MASKMOVDQU", "MOVNTQ".
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

/* ---- lane access over a register ---- */

FORCE_INLINE uint64_t lane_get(const uint64_t v[2], unsigned i, unsigned bits)
{
    unsigned per = 64 / bits;
    return bits_get(v[i / per & 1], i % per * bits, bits);
}
FORCE_INLINE void lane_put(uint64_t v[2], unsigned i, unsigned bits, uint64_t x)
{
    unsigned per = 64 / bits, sh = i % per * bits;
    uint64_t m = bits_mask(bits) << sh;
    v[i / per & 1] = (v[i / per & 1] & ~m) | (x << sh & m);
}

/* ---- moves ---- */

/* o0 = o1, zero-extended to the register; 16-byte memory aligned or not. */
static bool move(struct cpu *c, const struct insn *in, bool aligned)
{
    uint64_t v[2];

    if (!vec_check(c, vec_wide(in)) || !vec_read(c, in, 1, aligned, v) ||
        !vec_write(c, in, aligned, v)) {
        return false;
    }
    vec_done(c, in);
    return true;
}
bool op_movd(struct cpu *c, const struct insn *in)
{
    return move(c, in, true);
}
bool op_movq(struct cpu *c, const struct insn *in)
{
    uint64_t v[2];

    if (!vec_check(c, vec_wide(in)) || !vec_read(c, in, 1, true, v)) {
        return false;
    }
    v[1] = 0;
    if (!vec_write(c, in, true, v)) {
        return false;
    }
    vec_done(c, in);
    return true;
}
bool op_movntq(struct cpu *c, const struct insn *in)
{
    return move(c, in, true);
}
bool op_movdqa(struct cpu *c, const struct insn *in)
{
    return move(c, in, true);
}
bool op_movntdq(struct cpu *c, const struct insn *in)
{
    return move(c, in, true);
}
bool op_movdqu(struct cpu *c, const struct insn *in)
{
    return move(c, in, false);
}
/* Between the register files: an MMX register too, so #MF and the tags. */
static bool move_across(struct cpu *c, const struct insn *in)
{
    uint64_t v[2];

    if (!sse_check(c) || !mmx_check(c) || !vec_read(c, in, 1, true, v)) {
        return false;
    }
    v[1] = 0;
    (void)vec_write(c, in, true, v); /* a register */
    vec_done(c, in);
    return true;
}
bool op_movq2dq(struct cpu *c, const struct insn *in)
{
    return move_across(c, in);
}
bool op_movdq2q(struct cpu *c, const struct insn *in)
{
    return move_across(c, in);
}

/* ---- packs ---- */

FORCE_INLINE void pack(uint64_t a[2], const uint64_t b[2], bool wide, unsigned from, int64_t lo,
                       int64_t hi)
{
    uint64_t out[2] = {0, 0};
    unsigned n = (wide ? 128 : 64) / from;

    for (unsigned i = 0; i < 2 * n; i++) {
        int64_t x = bits_sext(i < n ? lane_get(a, i, from) : lane_get(b, i - n, from), from);
        lane_put(out, i, from / 2, (uint64_t)(x < lo ? lo : x > hi ? hi : x));
    }
    a[0] = out[0];
    a[1] = out[1];
}
#define PACK(name, from, lo, hi)                                                                  \
    FORCE_INLINE void pack_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)    \
    {                                                                                             \
        (void)imm;                                                                                \
        pack(a, b, wide, from, lo, hi);                                                           \
    }                                                                                             \
    VEC_OP(name, pack_##name)
PACK(packsswb, 16, -128, 127)
PACK(packssdw, 32, -32768, 32767)
PACK(packuswb, 16, 0, 255)

/* ---- interleaves ---- */

FORCE_INLINE void interleave(uint64_t a[2], const uint64_t b[2], bool wide, unsigned bits,
                             bool high)
{
    uint64_t out[2] = {0, 0};
    unsigned n = (wide ? 128 : 64) / bits, from = high ? n / 2 : 0;

    for (unsigned i = 0; i < n / 2; i++) {
        lane_put(out, 2 * i, bits, lane_get(a, from + i, bits));
        lane_put(out, 2 * i + 1, bits, lane_get(b, from + i, bits));
    }
    a[0] = out[0];
    a[1] = out[1];
}
#define UNPACK(name, bits, high)                                                                  \
    FORCE_INLINE void unpack_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)  \
    {                                                                                             \
        (void)imm;                                                                                \
        interleave(a, b, wide, bits, high);                                                       \
    }                                                                                             \
    VEC_OP(name, unpack_##name)
UNPACK(punpcklbw, 8, false)
UNPACK(punpcklwd, 16, false)
UNPACK(punpckldq, 32, false)
UNPACK(punpcklqdq, 64, false)
UNPACK(punpckhbw, 8, true)
UNPACK(punpckhwd, 16, true)
UNPACK(punpckhdq, 32, true)
UNPACK(punpckhqdq, 64, true)
/* The same bits as floating-point elements (SSE). */
UNPACK(unpcklps, 32, false)
UNPACK(unpckhps, 32, true)
UNPACK(unpcklpd, 64, false)
UNPACK(unpckhpd, 64, true)

/* ---- shuffles: two bits of imm a lane ---- */

FORCE_INLINE void shuffle(uint64_t a[2], const uint64_t b[2], unsigned imm, unsigned bits,
                          unsigned first)
{
    uint64_t src[2] = {b[0], b[1]};

    a[0] = src[0];
    a[1] = src[1];
    for (unsigned i = 0; i < 4; i++) {
        lane_put(a, first + i, bits, lane_get(src, first + (imm >> (2 * i) & 3), bits));
    }
}
#define SHUFFLE(name, bits, first)                                                                \
    FORCE_INLINE void shuffle_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm) \
    {                                                                                             \
        (void)wide;                                                                               \
        shuffle(a, b, imm, bits, first);                                                          \
    }                                                                                             \
    VEC_OP(name, shuffle_##name)
SHUFFLE(pshufw, 16, 0)
SHUFFLE(pshufd, 32, 0)
SHUFFLE(pshufhw, 16, 4)
SHUFFLE(pshuflw, 16, 0)

static void shuffle_ps(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    uint64_t src[2] = {a[0], a[1]}, other[2] = {b[0], b[1]};

    (void)wide;
    for (unsigned i = 0; i < 4; i++) {
        lane_put(a, i, 32, lane_get(i < 2 ? src : other, imm >> (2 * i) & 3, 32));
    }
}
static void shuffle_pd(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    (void)wide;
    a[0] = a[imm & 1];
    a[1] = b[imm >> 1 & 1];
}
VEC_OP(shufps, shuffle_ps)
VEC_OP(shufpd, shuffle_pd)

/* ---- words and sign bits in and out ---- */

bool op_pinsrw(struct cpu *c, const struct insn *in)
{
    uint64_t a[2], w;
    bool wide = vec_wide(in);

    if (!vec_check(c, wide) || !opnd_read(c, in, 1, &w) || !vec_read(c, in, 0, true, a)) {
        return false;
    }
    lane_put(a, (unsigned)in->imm & (wide ? 7 : 3), 16, w);
    (void)vec_write(c, in, true, a);
    vec_done(c, in);
    return true;
}

bool op_pextrw(struct cpu *c, const struct insn *in)
{
    uint64_t v[2];
    bool wide = vec_wide(in);

    if (!vec_check(c, wide) || !vec_read(c, in, 1, true, v)) {
        return false;
    }
    reg_write(c, in->o[0].reg, in->o[0].size,
              lane_get(v, (unsigned)in->imm & (wide ? 7 : 3), 16));
    vec_done(c, in);
    return true;
}

/* The lanes' sign bits of operand 1, gathered. */
static bool gather_signs(struct cpu *c, const struct insn *in, unsigned bits)
{
    uint64_t v[2], out = 0;
    bool wide = vec_wide(in);

    if (!vec_check(c, wide) || !vec_read(c, in, 1, true, v)) {
        return false;
    }
    for (unsigned i = 0; i < (wide ? 128 : 64) / bits; i++) {
        out |= (lane_get(v, i, bits) >> (bits - 1)) << i;
    }
    reg_write(c, in->o[0].reg, in->o[0].size, out);
    vec_done(c, in);
    return true;
}
bool op_pmovmskb(struct cpu *c, const struct insn *in)
{
    return gather_signs(c, in, 8);
}
bool op_movmskps(struct cpu *c, const struct insn *in)
{
    return gather_signs(c, in, 32);
}
bool op_movmskpd(struct cpu *c, const struct insn *in)
{
    return gather_signs(c, in, 64);
}

/* Bytes whose mask byte is negative go to DS:[DI]. */
static bool masked_store(struct cpu *c, const struct insn *in)
{
    uint64_t data[2], mask[2], off = insn_ea(c, in), v;
    bool wide = vec_wide(in);
    unsigned n = wide ? 16 : 8;

    if (!vec_check(c, wide) || !vec_read(c, in, 0, true, data) || !vec_read(c, in, 1, true, mask)) {
        return false;
    }
    /* the writes' faults first, so that either all or nothing is stored */
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(mask, i, 8) & 0x80 &&
            !mem_read_rmw(c, in->seg, (off + i) & bits_mask(in->asize * 8u), 1, &v)) {
            return false;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(mask, i, 8) & 0x80 &&
            !mem_write(c, in->seg, (off + i) & bits_mask(in->asize * 8u), 1,
                       lane_get(data, i, 8))) {
            return false;
        }
    }
    vec_done(c, in);
    return true;
}
bool op_maskmovq(struct cpu *c, const struct insn *in)
{
    return masked_store(c, in);
}
bool op_maskmovdqu(struct cpu *c, const struct insn *in)
{
    return masked_store(c, in);
}
