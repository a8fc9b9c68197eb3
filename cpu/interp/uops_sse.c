/* Fast handlers: SSE and SSE2 moves and the common integer operations on XMM registers.
 *
 * Only in blocks of MODE_SSE, where nothing forbids them; VEX forms run generically.  A lane
 * operation is written in the compiler's vector types, which hosts with 128-bit registers do in
 * one instruction; the meanings for all forms are in cpu/ops_mmx*.c, and the random programs of
 * tests/cpu/test_interp64.c hold the two together.
 * NOT IMPLEMENTED: saturation, packing, shifts by a register, floating-point arithmetic. */
#include "cpu/interp/uop.h"

typedef uint8_t vb __attribute__((vector_size(16)));
typedef uint16_t vw __attribute__((vector_size(16)));
typedef uint32_t vd __attribute__((vector_size(16)));
typedef uint64_t vq __attribute__((vector_size(16)));
typedef int8_t sb __attribute__((vector_size(16)));
typedef int16_t sw __attribute__((vector_size(16)));
typedef int32_t sd __attribute__((vector_size(16)));

_Static_assert(offsetof(struct cpu, s.ymm[15][3]) < 0x10000, "XMM registers by a 16-bit offset");

FORCE_INLINE vq vrd(const struct cpu *c, unsigned off)
{
    vq v;
    memcpy(&v, (const uint8_t *)c + off, sizeof v);
    return v;
}
FORCE_INLINE void vwr(struct cpu *c, unsigned off, vq v)
{
    memcpy((uint8_t *)c + off, &v, sizeof v);
}
FORCE_INLINE bool vec_host(const struct cpu *c, const struct uop *op, enum ea ea, unsigned size,
                           bool aligned, bool write, uint8_t **p)
{
    /* guest pages are host pages, so the host's address tells the alignment */
    return ea_host(c, op, ea, size, write, p) && !(aligned && ((uintptr_t)*p & 15));
}
#define OR_SLOW(done)                                                                             \
    {                                                                                             \
        if (UNLIKELY(!(done))) {                                                                  \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }

/* ---- moves ---- */
/* The rest of the register becomes zero. */
FORCE_INLINE bool vec_load(struct cpu *c, const struct uop *op, unsigned size, bool aligned,
                           enum ea ea)
{
    uint8_t *p;
    vq v = {0, 0};
    if (!vec_host(c, op, ea, size, aligned, false, &p)) {
        return false;
    }
    if (size == 16) {
        memcpy(&v, p, 16);
    } else {
        v[0] = host_get(p, size);
    }
    vwr(c, op->d, v);
    return true;
}
FORCE_INLINE bool vec_store(struct cpu *c, const struct uop *op, unsigned size, bool aligned,
                            enum ea ea)
{
    uint8_t *p;
    if (!vec_host(c, op, ea, size, aligned, true, &p)) {
        return false;
    }
    if (size == 16) {
        vq v = vrd(c, op->s);
        memcpy(p, &v, 16);
    } else {
        host_put(p, rd(c, op->s, 8), size);
    }
    return true;
}
/* op->d is the half's place in the register */
FORCE_INLINE bool half_load(struct cpu *c, const struct uop *op, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, 8, false, &p)) {
        return false;
    }
    wr(c, op->d, 8, host_get(p, 8));
    return true;
}
#define H_VMOV(size, aligned, ea)                                                                 \
    STAMP(h_vload_##size##_##aligned##_##ea) OR_SLOW(vec_load(c, op, size, aligned, ea))          \
    STAMP(h_vstore_##size##_##aligned##_##ea) OR_SLOW(vec_store(c, op, size, aligned, ea))
#define EACH_VMOV(X, size, aligned)                                                               \
    X(size, aligned, EA_S) X(size, aligned, EA_Q) X(size, aligned, EA_QX) X(size, aligned, EA_QS)
#define T_VMOV(stem)                                                                              \
    {stem##_EA_S, stem##_EA_S, stem##_EA_S, stem##_EA_Q, stem##_EA_QX, stem##_EA_QS}
EACH_VMOV(H_VMOV, 4, 0)
EACH_VMOV(H_VMOV, 8, 0)
EACH_VMOV(H_VMOV, 16, 0)
EACH_VMOV(H_VMOV, 16, 1)
static uop_fn *const vload_tab[4][EA_COUNT] = {T_VMOV(h_vload_4_0), T_VMOV(h_vload_8_0),
                                               T_VMOV(h_vload_16_0), T_VMOV(h_vload_16_1)};
static uop_fn *const vstore_tab[4][EA_COUNT] = {T_VMOV(h_vstore_4_0), T_VMOV(h_vstore_8_0),
                                                T_VMOV(h_vstore_16_0), T_VMOV(h_vstore_16_1)};
#define T_VCOLD(stem)                                                                             \
    {stem##_EA_S, stem##_EA_S, stem##_EA_S, stem##_EA_QS, stem##_EA_QS, stem##_EA_QS}
STAMP(h_vhalf_EA_S) OR_SLOW(half_load(c, op, EA_S))
STAMP(h_vhalf_EA_QS) OR_SLOW(half_load(c, op, EA_QS))
static uop_fn *const vhalf_tab[EA_COUNT] = T_VCOLD(h_vhalf);
STAMP(h_vmov)
{
    vwr(c, op->d, vrd(c, op->s));
    NEXT;
}
/* from a general register or the low part of another: the rest becomes zero */
#define H_VMOV_R(size)                                                                            \
    STAMP(h_vmov_r_##size)                                                                        \
    {                                                                                             \
        vq v = {rd(c, op->s, size), 0};                                                           \
        vwr(c, op->d, v);                                                                         \
        NEXT;                                                                                     \
    }
H_VMOV_R(4)
H_VMOV_R(8)
STAMP(h_vput_4) /* MOVSS between registers keeps the rest */
{
    uint64_t hi = rd(c, op->d, 8) & ~(uint64_t)0xffffffff;
    wr(c, op->d, 8, hi | rd(c, op->s, 4));
    NEXT;
}

/* ---- lanes ---- */
#define V_(type, x) ((type)(x))
#define LANES(X)                                                                                  \
    X(pand, a & b) X(pandn, ~a & b) X(por, a | b) X(pxor, a ^ b)                                  \
    X(paddb, (vq)(V_(vb, a) + V_(vb, b))) X(paddw, (vq)(V_(vw, a) + V_(vw, b)))                   \
    X(paddd, (vq)(V_(vd, a) + V_(vd, b))) X(paddq, a + b)                                         \
    X(psubb, (vq)(V_(vb, a) - V_(vb, b))) X(psubw, (vq)(V_(vw, a) - V_(vw, b)))                   \
    X(psubd, (vq)(V_(vd, a) - V_(vd, b))) X(psubq, a - b)                                         \
    X(pmullw, (vq)(V_(vw, a) * V_(vw, b)))                                                        \
    X(pcmpeqb, (vq)(V_(vb, a) == V_(vb, b))) X(pcmpeqw, (vq)(V_(vw, a) == V_(vw, b)))             \
    X(pcmpeqd, (vq)(V_(vd, a) == V_(vd, b)))                                                      \
    X(pcmpgtb, (vq)(V_(sb, a) > V_(sb, b))) X(pcmpgtw, (vq)(V_(sw, a) > V_(sw, b)))               \
    X(pcmpgtd, (vq)(V_(sd, a) > V_(sd, b)))                                                       \
    X(pminub, lane_pick(V_(vb, a) < V_(vb, b), a, b))                                             \
    X(pmaxub, lane_pick(V_(vb, a) > V_(vb, b), a, b))                                             \
    X(pminsw, lane_pick(V_(sw, a) < V_(sw, b), a, b))                                             \
    X(pmaxsw, lane_pick(V_(sw, a) > V_(sw, b), a, b))                                             \
    X(pmuludq, (vq){(a[0] & 0xffffffff) * (b[0] & 0xffffffff) COMMA                               \
                    (a[1] & 0xffffffff) * (b[1] & 0xffffffff)})                                   \
    X(punpcklbw, (vq)ZIP(vb, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))             \
    X(punpckhbw, (vq)ZIP(vb, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))       \
    X(punpcklwd, (vq)ZIP(vw, 0, 8, 1, 9, 2, 10, 3, 11))                                           \
    X(punpckhwd, (vq)ZIP(vw, 4, 12, 5, 13, 6, 14, 7, 15))                                         \
    X(punpckldq, (vq)ZIP(vd, 0, 4, 1, 5)) X(punpckhdq, (vq)ZIP(vd, 2, 6, 3, 7))                   \
    X(punpcklqdq, ZIP(vq, 0, 2)) X(punpckhqdq, ZIP(vq, 1, 3))
#define COMMA ,
#define ZIP(type, ...) __builtin_shufflevector(V_(type, a), V_(type, b), __VA_ARGS__)
/* a where the mask is set, else b */
#define lane_pick(mask, a, b) (((vq)(mask) & (a)) | (~(vq)(mask) & (b)))

#define H_LANE(name, expr)                                                                        \
    FORCE_INLINE vq lane_##name(vq a, vq b)                                                       \
    {                                                                                             \
        return expr;                                                                              \
    }                                                                                             \
    STAMP(h_##name##_rr)                                                                          \
    {                                                                                             \
        vwr(c, op->d, lane_##name(vrd(c, op->d), vrd(c, op->s)));                                 \
        NEXT;                                                                                     \
    }                                                                                             \
    H_LANE_M(name, EA_S)                                                                          \
    H_LANE_M(name, EA_QS)
#define H_LANE_M(name, ea)                                                                        \
    STAMP(h_##name##_rm_##ea)                                                                     \
    {                                                                                             \
        uint8_t *p;                                                                               \
        vq b;                                                                                     \
        if (UNLIKELY(!vec_host(c, op, ea, 16, true, false, &p))) {                                \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        memcpy(&b, p, 16);                                                                        \
        vwr(c, op->d, lane_##name(vrd(c, op->d), b));                                             \
        NEXT;                                                                                     \
    }
LANES(H_LANE)

struct lane_row {
    uint16_t op;
    uop_fn *rr, *s, *qs;
};
#define T_LANE(name, expr) {OP_##name, h_##name##_rr, h_##name##_rm_EA_S, h_##name##_rm_EA_QS},
/* The same bits under another name. */
#define T_SAME(name, as) {OP_##name, h_##as##_rr, h_##as##_rm_EA_S, h_##as##_rm_EA_QS},
static const struct lane_row lane_rows[] = {
    LANES(T_LANE) T_SAME(andps, pand) T_SAME(andpd, pand) T_SAME(andnps, pandn)
        T_SAME(andnpd, pandn) T_SAME(orps, por) T_SAME(orpd, por) T_SAME(xorps, pxor)
            T_SAME(xorpd, pxor) T_SAME(unpcklps, punpckldq) T_SAME(unpckhps, punpckhdq)
                T_SAME(unpcklpd, punpcklqdq) T_SAME(unpckhpd, punpckhqdq)};

/* ---- shifts by an immediate: op->imm is below the lane's width ---- */
#define H_VSHIFT(name, type, oper)                                                                \
    STAMP(h_##name##_i)                                                                           \
    {                                                                                             \
        vwr(c, op->d, (vq)(V_(type, vrd(c, op->d)) oper(int) op->imm));                           \
        NEXT;                                                                                     \
    }
H_VSHIFT(psllw, vw, <<)
H_VSHIFT(pslld, vd, <<)
H_VSHIFT(psllq, vq, <<)
H_VSHIFT(psrlw, vw, >>)
H_VSHIFT(psrld, vd, >>)
H_VSHIFT(psrlq, vq, >>)
H_VSHIFT(psraw, sw, >>)
H_VSHIFT(psrad, sd, >>)
STAMP(h_vzero)
{
    vwr(c, op->d, (vq){0, 0});
    NEXT;
}
/* whole register, op->imm bits (0 to 120) */
STAMP(h_pslldq_i)
{
    unsigned __int128 v = (unsigned __int128)rd(c, op->d + 8u, 8) << 64 | rd(c, op->d, 8);
    v <<= op->imm;
    vwr(c, op->d, (vq){(uint64_t)v, (uint64_t)(v >> 64)});
    NEXT;
}
STAMP(h_psrldq_i)
{
    unsigned __int128 v = (unsigned __int128)rd(c, op->d + 8u, 8) << 64 | rd(c, op->d, 8);
    v >>= op->imm;
    vwr(c, op->d, (vq){(uint64_t)v, (uint64_t)(v >> 64)});
    NEXT;
}

/* ---- shuffles and masks ---- */
FORCE_INLINE uint64_t dword_at(const struct cpu *c, unsigned off, unsigned i)
{
    uint32_t v;
    memcpy(&v, (const uint8_t *)c + off + (i & 3) * 4, 4);
    return v;
}
/* PSHUFD: all four from op->s.  SHUFPS: two from op->d, two from op->s. */
STAMP(h_pshufd)
{
    unsigned k = op->imm;
    uint64_t lo = dword_at(c, op->s, k) | dword_at(c, op->s, k >> 2) << 32;
    uint64_t hi = dword_at(c, op->s, k >> 4) | dword_at(c, op->s, k >> 6) << 32;
    vwr(c, op->d, (vq){lo, hi});
    NEXT;
}
STAMP(h_shufps)
{
    unsigned k = op->imm;
    uint64_t lo = dword_at(c, op->d, k) | dword_at(c, op->d, k >> 2) << 32;
    uint64_t hi = dword_at(c, op->s, k >> 4) | dword_at(c, op->s, k >> 6) << 32;
    vwr(c, op->d, (vq){lo, hi});
    NEXT;
}
STAMP(h_shufpd)
{
    unsigned k = op->imm;
    uint64_t lo = rd(c, op->d + (k & 1) * 8, 8), hi = rd(c, op->s + (k >> 1 & 1) * 8, 8);
    vwr(c, op->d, (vq){lo, hi});
    NEXT;
}
/* the sign bits of eight bytes: a multiplication brings them together at the top */
FORCE_INLINE uint64_t byte_signs(uint64_t v)
{
    return (v >> 7 & 0x0101010101010101) * 0x0102040810204080 >> 56;
}
STAMP(h_pmovmskb)
{
    wr(c, op->d, 4, byte_signs(rd(c, op->s, 8)) | byte_signs(rd(c, op->s + 8u, 8)) << 8);
    NEXT;
}

/* ---- choosing ---- */
static uint16_t pick_xmm(const struct opnd *o)
{
    return (uint16_t)(offsetof(struct cpu, s.ymm) + o->reg * sizeof((struct cpu *)NULL)->s.ymm[0]);
}

static bool pick_lane(struct pick *p)
{
    const struct opnd *s = &p->in->o[1];
    for (unsigned i = 0; i < ARRAY_LEN(lane_rows); i++) {
        const struct lane_row *r = &lane_rows[i];
        if (r->op != p->in->op) {
            continue;
        }
        p->u.d = pick_xmm(&p->in->o[0]);
        if (s->kind == OPND_XMM) {
            p->u.s = pick_xmm(s);
            p->u.h = r->rr;
            p->what = PICK_PLAIN;
            return true;
        }
        int ea = pick_ea(p);
        p->u.h = ea >= EA_Q ? r->qs : r->s;
        return ea >= 0;
    }
    return false;
}

static bool pick_vshift(struct pick *p)
{
    const struct insn *in = p->in;
    uop_fn *h;
    unsigned bits, n = (unsigned)in->imm & 0xff;
    bool sign = false;
    if (in->o[0].kind != OPND_XMM || in->o[1].kind != OPND_IMM) {
        return false;
    }
    switch (in->op) {
    case OP_psllw: h = h_psllw_i; bits = 16; break;
    case OP_pslld: h = h_pslld_i; bits = 32; break;
    case OP_psllq: h = h_psllq_i; bits = 64; break;
    case OP_psrlw: h = h_psrlw_i; bits = 16; break;
    case OP_psrld: h = h_psrld_i; bits = 32; break;
    case OP_psrlq: h = h_psrlq_i; bits = 64; break;
    case OP_psraw: h = h_psraw_i; bits = 16; sign = true; break;
    case OP_psrad: h = h_psrad_i; bits = 32; sign = true; break;
    case OP_pslldq: h = h_pslldq_i; bits = 128; n *= 8; break;
    case OP_psrldq: h = h_psrldq_i; bits = 128; n *= 8; break;
    default: return false;
    }
    p->what = PICK_PLAIN;
    p->u.d = pick_xmm(&in->o[0]);
    p->u.imm = n < bits ? n : bits - 1;
    p->u.h = n < bits || sign ? h : h_vzero;
    return true;
}

/* A load, a store or a copy of `size` bytes; what a load does not fill becomes zero. */
static bool pick_vmov(struct pick *p, unsigned size, bool aligned)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    unsigned row = size == 4 ? 0 : size == 8 ? 1 : aligned ? 3 : 2;
    int ea;
    if (d->kind == OPND_MEM) {
        ea = s->kind == OPND_XMM ? pick_ea(p) : -1;
        p->u.s = pick_xmm(s);
        p->u.h = ea < 0 ? NULL : vstore_tab[row][ea];
        return ea >= 0;
    }
    if (d->kind != OPND_XMM) {
        return false;
    }
    p->u.d = pick_xmm(d);
    if (s->kind == OPND_MEM) {
        ea = pick_ea(p);
        p->u.h = ea < 0 ? NULL : vload_tab[row][ea];
        return ea >= 0;
    }
    p->what = PICK_PLAIN;
    p->u.s = s->kind == OPND_XMM ? pick_xmm(s) : pick_reg(s);
    p->u.h = size == 16 ? h_vmov : size == 8 ? h_vmov_r_8 : h_vmov_r_4;
    return s->kind == OPND_XMM || s->kind == OPND_GPR;
}

/* MOVD and MOVQ also go to general registers. */
static bool pick_movd(struct pick *p, unsigned size)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    if (d->kind != OPND_GPR) {
        return pick_vmov(p, size, false);
    }
    p->what = PICK_PLAIN;
    p->u.d = pick_reg(d);
    p->u.s = pick_xmm(s);
    p->u.h = pick_copy(size);
    return s->kind == OPND_XMM;
}

/* Scalars between registers keep the rest of the destination; halves of a register to or from
 * memory.  `half` 1: the upper one. */
static bool pick_part(struct pick *p, unsigned size, unsigned half)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    int ea;
    if (d->kind == OPND_MEM) {
        bool ok = pick_vmov(p, size, false);
        p->u.s = (uint16_t)(p->u.s + half * 8);
        return ok;
    }
    p->u.d = (uint16_t)(pick_xmm(d) + half * 8);
    if (s->kind == OPND_MEM) {
        ea = pick_ea(p);
        p->u.h = ea < 0 ? NULL : vhalf_tab[ea];
        return ea >= 0;
    }
    p->what = PICK_PLAIN;
    p->u.s = pick_xmm(s);
    p->u.h = size == 4 ? h_vput_4 : pick_copy(8);
    return s->kind == OPND_XMM;
}

static bool pick_shuffle(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0], *s = &in->o[1];
    if (s->kind != OPND_XMM) {
        return false;
    }
    p->what = PICK_PLAIN;
    p->u.s = pick_xmm(s);
    p->u.imm = in->imm & 0xff;
    if (in->op == OP_pmovmskb) {
        p->u.d = pick_reg(d);
        p->u.h = h_pmovmskb;
        return d->kind == OPND_GPR;
    }
    p->u.d = pick_xmm(d);
    p->u.h = in->op == OP_pshufd ? h_pshufd : in->op == OP_shufps ? h_shufps : h_shufpd;
    return d->kind == OPND_XMM;
}

bool pick_sse(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0], *s = &in->o[1];
    if (!(p->mode & MODE_SSE) || in->flags & INSN_VEX ||
        (d->kind != OPND_XMM && s->kind != OPND_XMM)) {
        return false;
    }
    bool regs = d->kind == OPND_XMM && s->kind == OPND_XMM;
    switch (in->op) {
    case OP_movaps: case OP_movapd: case OP_movdqa:
    case OP_movntps: case OP_movntpd: case OP_movntdq: return pick_vmov(p, 16, true);
    case OP_movups: case OP_movupd: case OP_movdqu: return pick_vmov(p, 16, false);
    case OP_movd: return pick_movd(p, d->kind == OPND_XMM ? s->size : d->size);
    case OP_movq: return pick_movd(p, 8);
    case OP_movss: return regs ? pick_part(p, 4, 0) : pick_vmov(p, 4, false);
    case OP_movsd_x: return regs ? pick_part(p, 8, 0) : pick_vmov(p, 8, false);
    case OP_movlps: case OP_movlpd: return !regs && pick_part(p, 8, 0);
    case OP_movhps: case OP_movhpd: return !regs && pick_part(p, 8, 1);
    case OP_movlhps: return regs && pick_part(p, 8, 1);
    case OP_pshufd: case OP_shufps: case OP_shufpd: case OP_pmovmskb: return pick_shuffle(p);
    default: break;
    }
    return d->kind == OPND_XMM && (pick_vshift(p) || pick_lane(p));
}
