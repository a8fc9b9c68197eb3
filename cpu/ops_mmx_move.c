/* Moves, packs, interleaves and shuffles of packed integers on MMX, XMM and YMM registers.
 *
 * SDM Vol. 2A/2B: "MOVD/MOVQ", "PACKSSWB/PACKSSDW", "PUNPCKHBW...", "PSHUFD", "PEXTRW", "PINSRW",
 * "MASKMOVQ", "MASKMOVDQU", "MOVNTQ"; of SSE4.1 "PACKUSDW", "PEXTRB/PEXTRD/PEXTRQ", "EXTRACTPS".
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"
#include "cpu/protect.h"

/* ---- moves ---- */

/* o0 = o1, zero-extended to the register. */
static bool move(struct cpu *c, const struct insn *in, enum vec_align align)
{
    uint64_t v[4];

    if (!vec_ok(c, in) || !vec_read(c, in, 1, align, v) || !vec_store(c, in, align, v)) {
        return false;
    }
    vec_done(c, in);
    return true;
}
bool op_movd(struct cpu *c, const struct insn *in)
{
    return move(c, in, VEC_ANY);
}
bool op_movq(struct cpu *c, const struct insn *in)
{
    uint64_t v[4];

    if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_ANY, v)) {
        return false;
    }
    v[1] = 0;
    if (!vec_store(c, in, VEC_ANY, v)) {
        return false;
    }
    vec_done(c, in);
    return true;
}
bool op_movntq(struct cpu *c, const struct insn *in)
{
    return move(c, in, VEC_ANY);
}
bool op_movdqa(struct cpu *c, const struct insn *in)
{
    return move(c, in, VEC_ALWAYS);
}
bool op_movntdq(struct cpu *c, const struct insn *in)
{
    return move(c, in, VEC_ALWAYS);
}
bool op_movdqu(struct cpu *c, const struct insn *in)
{
    return move(c, in, VEC_ANY);
}
/* Between the register files: an MMX register too, so #MF and the tags. */
static bool move_across(struct cpu *c, const struct insn *in)
{
    uint64_t v[4];

    if (!sse_check(c) || !mmx_check(c) || !vec_read(c, in, 1, VEC_ANY, v)) {
        return false;
    }
    v[1] = 0;
    (void)vec_store(c, in, VEC_ANY, v); /* a register */
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

/* ---- packs: a's lanes, then b's, saturated to half the width ---- */

#define PACK(name, from, to, lo, hi)                                                              \
    FORCE_INLINE void pack_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)    \
    {                                                                                             \
        const unsigned n = (wide ? 16 : 8) / sizeof(from);                                        \
        from src[32 / sizeof(from)];                                                              \
        to *out = (to *)a;                                                                        \
        (void)imm;                                                                                \
        memcpy(src, a, n * sizeof(from));                                                         \
        memcpy(src + n, b, n * sizeof(from));                                                     \
        for (unsigned i = 0; i < 2 * n; i++) {                                                    \
            out[i] = (to)(src[i] < (lo) ? (lo) : src[i] > (hi) ? (hi) : src[i]);                  \
        }                                                                                         \
    }                                                                                             \
    VEC_OP(name, pack_##name)
PACK(packsswb, int16_t, int8_t, -128, 127)
PACK(packssdw, int32_t, int16_t, -32768, 32767)
PACK(packuswb, int16_t, uint8_t, 0, 255)
PACK(packusdw, int32_t, uint16_t, 0, 65535)

/* ---- interleaves ---- */

#define UNPACK(name, type, high)                                                                  \
    FORCE_INLINE void unpack_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)  \
    {                                                                                             \
        const unsigned n = (wide ? 8 : 4) / sizeof(type), from = (high) ? n : 0;                  \
        const type *q = (const type *)b;                                                          \
        type src[16 / sizeof(type)], *out = (type *)a;                                            \
        (void)imm;                                                                                \
        memcpy(src, a, 16);                                                                       \
        for (unsigned i = 0; i < n; i++) {                                                        \
            out[2 * i] = src[from + i];                                                           \
            out[2 * i + 1] = q[from + i];                                                         \
        }                                                                                         \
    }                                                                                             \
    VEC_OP(name, unpack_##name)
UNPACK(punpcklbw, uint8_t, false)
UNPACK(punpcklwd, uint16_t, false)
UNPACK(punpckldq, uint32_t, false)
UNPACK(punpcklqdq, uint64_t, false)
UNPACK(punpckhbw, uint8_t, true)
UNPACK(punpckhwd, uint16_t, true)
UNPACK(punpckhdq, uint32_t, true)
UNPACK(punpckhqdq, uint64_t, true)
/* The same bits as floating-point elements (SSE). */
UNPACK(unpcklps, uint32_t, false)
UNPACK(unpckhps, uint32_t, true)
UNPACK(unpcklpd, uint64_t, false)
UNPACK(unpckhpd, uint64_t, true)

/* ---- shuffles: two bits of imm a lane ---- */

#define SHUFFLE(name, type, first)                                                                \
    FORCE_INLINE void shuffle_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm) \
    {                                                                                             \
        type *out = (type *)a;                                                                    \
        const type *src = (const type *)b;                                                        \
        (void)wide;                                                                               \
        a[0] = b[0];                                                                              \
        a[1] = b[1];                                                                              \
        for (unsigned i = 0; i < 4; i++) {                                                        \
            out[(first) + i] = src[(first) + (imm >> (2 * i) & 3)];                               \
        }                                                                                         \
    }                                                                                             \
    VEC_OP1(name, shuffle_##name)
SHUFFLE(pshufw, uint16_t, 0)
SHUFFLE(pshufd, uint32_t, 0)
SHUFFLE(pshufhw, uint16_t, 4)
SHUFFLE(pshuflw, uint16_t, 0)

static void shuffle_ps(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    uint32_t src[4];
    const uint32_t *other = (const uint32_t *)b;
    uint32_t *out = (uint32_t *)a;

    (void)wide;
    memcpy(src, a, 16);
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (i < 2 ? src : other)[imm >> (2 * i) & 3];
    }
}
static void shuffle_pd(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    (void)wide;
    a[0] = a[imm & 1];
    a[1] = b[imm >> 1 & 1];
}
VEC_OP(shufps, shuffle_ps)
VEC_OP_IMM(shufpd, shuffle_pd, 2)

/* ---- words and sign bits in and out ---- */

/* o0 = first source with a lane from a general register or memory. */
FORCE_INLINE bool insert(struct cpu *c, const struct insn *in, unsigned bits)
{
    uint64_t a[4], x;
    unsigned s = vec_src(in);

    if (!vec_ok(c, in) || !opnd_read(c, in, s + 1, &x)) {
        return false;
    }
    (void)vec_read(c, in, s, VEC_ANY, a); /* registers, both */
    lane_put(a, (unsigned)in->imm & ((in->o[0].kind == OPND_MMX ? 64 : 128) / bits - 1), bits, x);
    (void)vec_store(c, in, VEC_ANY, a);
    vec_done(c, in);
    return true;
}
/* To a general register, zero-extended, or to memory. */
FORCE_INLINE bool extract(struct cpu *c, const struct insn *in, unsigned bits)
{
    uint64_t v[4];

    if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_ANY, v)) {
        return false;
    }
    v[0] = lane_get(v, (unsigned)in->imm & ((in->o[1].kind == OPND_MMX ? 64 : 128) / bits - 1),
                    bits);
    if (!vec_store(c, in, VEC_ANY, v)) {
        return false;
    }
    vec_done(c, in);
    return true;
}
#define LANE_MOVE(name, how, bits)                                                                \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return how(c, in, bits);                                                                  \
    }
LANE_MOVE(pinsrw, insert, 16)
LANE_MOVE(pextrw, extract, 16)
LANE_MOVE(pinsrb, insert, 8)
LANE_MOVE(pextrb, extract, 8)
LANE_MOVE(extractps, extract, 32)
bool op_pinsrd(struct cpu *c, const struct insn *in) /* and PINSRQ */
{
    return in->o[vec_src(in) + 1].size == 8 ? insert(c, in, 64) : insert(c, in, 32);
}
bool op_pextrd(struct cpu *c, const struct insn *in) /* and PEXTRQ */
{
    return in->o[0].size == 8 ? extract(c, in, 64) : extract(c, in, 32);
}

/* The lanes' sign bits of operand 1, gathered. */
FORCE_INLINE bool gather_signs(struct cpu *c, const struct insn *in, unsigned bits)
{
    uint64_t v[4], out = 0;
    const struct opnd *o = &in->o[1];
    unsigned n = (o->kind == OPND_MMX ? 64 : o->size == 32 ? 256 : 128) / bits;

    if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_ANY, v)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        out |= (lane_get(v, i, bits) >> (bits - 1)) << i;
    }
    reg_write(c, in->o[0].reg, in->o[0].size, out);
    vec_done(c, in);
    return true;
}
LANE_MOVE(pmovmskb, gather_signs, 8)
LANE_MOVE(movmskps, gather_signs, 32)
LANE_MOVE(movmskpd, gather_signs, 64)

/* Bytes whose mask byte is negative go to DS:[DI]. */
static bool masked_store(struct cpu *c, const struct insn *in)
{
    uint64_t data[4], mask[4], off = insn_ea(c, in), m = bits_mask(in->asize * 8u);
    unsigned n = vec_wide(in) ? 16 : 8;

    if (!vec_ok(c, in)) {
        return false;
    }
    (void)vec_read(c, in, 0, VEC_ANY, data); /* registers */
    (void)vec_read(c, in, 1, VEC_ANY, mask);
    /* HW: AMD (Zen 4) checks all the bytes, masked or not, as both manuals allow, and has made the
     * registers MMX registers by then */
    if (feat_has(&c->feat, FEAT_AMD) && !mem_check_write(c, in->seg, off, n)) {
        vec_done(c, in);
        return false;
    }
    /* the writes' faults first, so that either all or nothing is stored */
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(mask, i, 8) & 0x80 && !mem_check_write(c, in->seg, (off + i) & m, 1)) {
            return false;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(mask, i, 8) & 0x80 &&
            !mem_write(c, in->seg, (off + i) & m, 1, lane_get(data, i, 8))) {
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
