/* AVX and AVX2 moves that have no legacy form: broadcasts, permutes, halves, variable shifts,
 * masked moves, clearing.
 *
 * SDM Vol. 2C/2D: "VBROADCAST", "VPERM2F128", "VPERMILPS", "VMASKMOV", "VPMASKMOV", "VPSLLVD",
 * "VZEROALL" and their neighbors.  VPBLENDD and VTESTPS are in ops_sse4.c, gathers in
 * ops_avx_gather.c.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"
#include "cpu/protect.h"

/* ---- one element, or 128 bits, to every place ---- */

#define BROADCAST(name, type)                                                                     \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        uint64_t a[4], b[4];                                                                      \
        type *out = (type *)a;                                                                    \
        if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_ANY, b)) {                                  \
            return false;                                                                         \
        }                                                                                         \
        for (unsigned i = 0; i < 32 / sizeof(type); i++) {                                        \
            out[i] = (type)b[0];                                                                  \
        }                                                                                         \
        return vec_store(c, in, VEC_ANY, a);                                                      \
    }
BROADCAST(vbroadcastss, uint32_t)
BROADCAST(vbroadcastsd, uint64_t)
BROADCAST(vpbroadcastb, uint8_t)
BROADCAST(vpbroadcastw, uint16_t)
BROADCAST(vpbroadcastd, uint32_t)
BROADCAST(vpbroadcastq, uint64_t)

static bool broadcast_half(struct cpu *c, const struct insn *in)
{
    uint64_t v[4];

    if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_ANY, v)) {
        return false;
    }
    memcpy(v + 2, v, 16);
    return vec_store(c, in, VEC_ANY, v);
}
bool op_vbroadcastf128(struct cpu *c, const struct insn *in)
{
    return broadcast_half(c, in);
}
bool op_vbroadcasti128(struct cpu *c, const struct insn *in)
{
    return broadcast_half(c, in);
}

/* ---- 128-bit halves ---- */

static bool insert_half(struct cpu *c, const struct insn *in)
{
    uint64_t a[4], b[4];

    if (!vec_ok(c, in) || !vec_read2(c, in, a, b)) {
        return false;
    }
    memcpy(a + (in->imm & 1) * 2, b, 16);
    return vec_store(c, in, VEC_ANY, a);
}
static bool extract_half(struct cpu *c, const struct insn *in)
{
    uint64_t v[4];

    if (!vec_ok(c, in)) {
        return false;
    }
    vec_load(c, in->o[1].reg, v);
    if (in->imm & 1) {
        memcpy(v, v + 2, 16);
    }
    return vec_store(c, in, VEC_ANY, v);
}
/* Each half: any of the sources' four, or zero. */
static bool permute_halves(struct cpu *c, const struct insn *in)
{
    uint64_t a[4], src[8];

    if (!vec_ok(c, in) || !vec_read2(c, in, src, src + 4)) {
        return false;
    }
    for (unsigned h = 0; h < 2; h++) {
        unsigned pick = (unsigned)in->imm >> (4 * h);
        for (unsigned i = 0; i < 2; i++) {
            a[2 * h + i] = pick & 8 ? 0 : src[2 * (pick & 3) + i];
        }
    }
    return vec_store(c, in, VEC_ANY, a);
}
#define HALF_OP(name, how)                                                                        \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return how(c, in);                                                                        \
    }
HALF_OP(vinsertf128, insert_half)
HALF_OP(vinserti128, insert_half)
HALF_OP(vextractf128, extract_half)
HALF_OP(vextracti128, extract_half)
HALF_OP(vperm2f128, permute_halves)
HALF_OP(vperm2i128, permute_halves)

/* ---- permutes ---- */

static void permil_ps(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    uint32_t src[4], *out = (uint32_t *)a;
    const uint32_t *pick = (const uint32_t *)b;

    (void)wide, (void)imm;
    memcpy(src, a, 16);
    for (unsigned i = 0; i < 4; i++) {
        out[i] = src[pick[i] & 3];
    }
}
static void permil_pd(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    uint64_t src[2] = {a[0], a[1]};

    (void)wide, (void)imm;
    a[0] = src[b[0] >> 1 & 1];
    a[1] = src[b[1] >> 1 & 1];
}
static void permil_ps_imm(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    (void)wide;
    for (unsigned i = 0; i < 4; i++) {
        lane_put(a, i, 32, lane_get(b, imm >> (2 * i) & 3, 32));
    }
}
static void permil_pd_imm(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    (void)wide;
    a[0] = b[imm & 1];
    a[1] = b[imm >> 1 & 1];
}
bool op_vpermilps(struct cpu *c, const struct insn *in)
{
    return in->o[2].kind == OPND_IMM ? vec_op1(c, in, permil_ps_imm, 0)
                                     : vec_op2(c, in, permil_ps, 0);
}
bool op_vpermilpd(struct cpu *c, const struct insn *in)
{
    return in->o[2].kind == OPND_IMM ? vec_op1(c, in, permil_pd_imm, 2)
                                     : vec_op2(c, in, permil_pd, 0);
}

/* Across the whole register: o1's indices pick from o2. */
static bool permute_d(struct cpu *c, const struct insn *in)
{
    uint64_t a[4], pick[4], b[4];

    if (!vec_ok(c, in) || !vec_read2(c, in, pick, b)) {
        return false;
    }
    for (unsigned i = 0; i < 8; i++) {
        ((uint32_t *)a)[i] = ((const uint32_t *)b)[((const uint32_t *)pick)[i] & 7];
    }
    return vec_store(c, in, VEC_ANY, a);
}
static bool permute_q(struct cpu *c, const struct insn *in)
{
    uint64_t a[4], b[4];

    if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_ANY, b)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        a[i] = b[in->imm >> (2 * i) & 3];
    }
    return vec_store(c, in, VEC_ANY, a);
}
HALF_OP(vpermd, permute_d)
HALF_OP(vpermps, permute_d)
HALF_OP(vpermq, permute_q)
HALF_OP(vpermpd, permute_q)

/* ---- shifts, each lane by its own count ---- */

LANES(vpsllvd, uint32_t, y < 32 ? x << y : 0)
LANES(vpsllvq, uint64_t, y < 64 ? x << y : 0)
LANES(vpsrlvd, uint32_t, y < 32 ? x >> y : 0)
LANES(vpsrlvq, uint64_t, y < 64 ? x >> y : 0)
LANES(vpsravd, int32_t, x >> ((uint32_t)y < 32 ? y : 31))

/* ---- masked moves: an element whose mask bit is clear is not accessed at all ---- */

static uint64_t element_off(const struct insn *in, uint64_t ea, unsigned i, unsigned size)
{
    return (ea + i * size) & bits_mask(in->asize * 8u);
}
/* No #AC for any combination of mask bits (SDM Vol. 2A, "Exceptions Type 6"): byte by byte where it
 * is armed. */
static bool element_read(struct cpu *c, const struct insn *in, uint64_t off, unsigned size,
                         uint64_t *v)
{
    unsigned piece = c->ac_check ? 1 : size;
    *v = 0;
    for (unsigned i = 0; i < size; i += piece) {
        uint64_t x;
        if (!mem_read(c, in->seg, element_off(in, off, i, 1), piece, &x)) {
            return false;
        }
        *v |= x << (i * 8);
    }
    return true;
}
static bool element_check(struct cpu *c, const struct insn *in, uint64_t off, unsigned size)
{
    unsigned piece = c->ac_check ? 1 : size;
    for (unsigned i = 0; i < size; i += piece) {
        if (!mem_check_write(c, in->seg, element_off(in, off, i, 1), piece)) {
            return false;
        }
    }
    return true;
}
static bool element_write(struct cpu *c, const struct insn *in, uint64_t off, unsigned size,
                          uint64_t v)
{
    unsigned piece = c->ac_check ? 1 : size;
    for (unsigned i = 0; i < size; i += piece) {
        if (!mem_write(c, in->seg, element_off(in, off, i, 1), piece, v >> (i * 8))) {
            return false;
        }
    }
    return true;
}
static bool masked_load(struct cpu *c, const struct insn *in, unsigned size)
{
    uint64_t a[4] = {0}, m[4], ea = insn_ea(c, in), x;
    unsigned n = in->o[0].size / size;

    if (!vec_ok(c, in)) {
        return false;
    }
    vec_load(c, in->o[1].reg, m);
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(m, i, size * 8) >> (size * 8 - 1)) {
            if (!element_read(c, in, element_off(in, ea, i, size), size, &x)) {
                return false;
            }
            lane_put(a, i, size * 8, x);
        }
    }
    return vec_store(c, in, VEC_ANY, a);
}
static bool masked_store(struct cpu *c, const struct insn *in, unsigned size)
{
    uint64_t v[4], m[4], ea = insn_ea(c, in);
    unsigned n = in->o[2].size / size;

    if (!vec_ok(c, in)) {
        return false;
    }
    vec_load(c, in->o[1].reg, m);
    vec_load(c, in->o[2].reg, v);
    /* the faults first, so that either all or nothing is stored */
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(m, i, size * 8) >> (size * 8 - 1) &&
            !element_check(c, in, element_off(in, ea, i, size), size)) {
            return false;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(m, i, size * 8) >> (size * 8 - 1) &&
            !element_write(c, in, element_off(in, ea, i, size), size,
                           lane_get(v, i, size * 8))) {
            return false;
        }
    }
    return true;
}
#define MASKED(name, size)                                                                        \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return in->o[0].kind == OPND_MEM ? masked_store(c, in, size) : masked_load(c, in, size);  \
    }
MASKED(vmaskmovps, 4)
MASKED(vmaskmovpd, 8)
MASKED(vpmaskmovd, 4)
MASKED(vpmaskmovq, 8)

/* ---- clearing: outside 64-bit mode there are eight registers ---- */

static bool clear(struct cpu *c, unsigned from)
{
    if (!avx_check(c)) {
        return false;
    }
    for (unsigned r = 0; r < (c->mode & MODE_CODE64 ? 16 : 8); r++) {
        for (unsigned i = from; i < 4; i++) {
            c->s.ymm[r][i] = 0;
        }
    }
    return true;
}
bool op_vzeroall(struct cpu *c, const struct insn *in)
{
    (void)in;
    return clear(c, 0);
}
bool op_vzeroupper(struct cpu *c, const struct insn *in)
{
    (void)in;
    return clear(c, 2);
}
