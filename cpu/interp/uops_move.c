/* Fast handlers: MOV and its relatives, SETcc, CMOVcc, the stack.
 * NOT IMPLEMENTED: 64-bit operands (with 64-bit mode). */
#include "cpu/interp/uop.h"

/* ---- MOV ---- */
FORCE_INLINE bool mov_rm(struct cpu *c, const struct uop *op, unsigned size, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, false, &p)) {
        return false;
    }
    wr(c, op->d, size, host_get(p, size));
    return true;
}
FORCE_INLINE bool mov_mx(struct cpu *c, const struct uop *op, unsigned size, enum ea ea, bool imm)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, true, &p)) {
        return false;
    }
    host_put(p, imm ? op->imm : rd(c, op->s, size), size);
    return true;
}
#define OR_SLOW(done)                                                                             \
    {                                                                                             \
        if (UNLIKELY(!(done))) {                                                                  \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define H_MOV_M(size, ea)                                                                         \
    STAMP(h_mov_rm_##size##_##ea) OR_SLOW(mov_rm(c, op, size, ea))                                \
    STAMP(h_mov_mr_##size##_##ea) OR_SLOW(mov_mx(c, op, size, ea, false))                         \
    STAMP(h_mov_mi_##size##_##ea) OR_SLOW(mov_mx(c, op, size, ea, true))
#define H_MOV(size)                                                                               \
    STAMP(h_mov_rr_##size)                                                                        \
    {                                                                                             \
        wr(c, op->d, size, rd(c, op->s, size));                                                   \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_mov_ri_##size)                                                                        \
    {                                                                                             \
        wr(c, op->d, size, op->imm);                                                              \
        NEXT;                                                                                     \
    }                                                                                             \
    H_MOV_M(size, EA_B) H_MOV_M(size, EA_X) H_MOV_M(size, EA_S)
H_MOV(1)
H_MOV(2)
H_MOV(4)
#define T_EA(stem) {stem##_EA_B, stem##_EA_X, stem##_EA_S}
static uop_fn *const mov_rr_tab[3] = {h_mov_rr_1, h_mov_rr_2, h_mov_rr_4};
static uop_fn *const mov_ri_tab[3] = {h_mov_ri_1, h_mov_ri_2, h_mov_ri_4};
static uop_fn *const mov_rm_tab[3][EA_COUNT] = {T_EA(h_mov_rm_1), T_EA(h_mov_rm_2),
                                                T_EA(h_mov_rm_4)};
static uop_fn *const mov_mr_tab[3][EA_COUNT] = {T_EA(h_mov_mr_1), T_EA(h_mov_mr_2),
                                                T_EA(h_mov_mr_4)};
static uop_fn *const mov_mi_tab[3][EA_COUNT] = {T_EA(h_mov_mi_1), T_EA(h_mov_mi_2),
                                                T_EA(h_mov_mi_4)};

/* ---- MOVZX, MOVSX: [sign][from 1, 2][to 2, 4] ---- */
FORCE_INLINE uint64_t extend(uint64_t v, unsigned from, bool sign)
{
    return sign ? (uint64_t)bits_sext(v, from * 8) : v;
}
FORCE_INLINE bool ext_m(struct cpu *c, const struct uop *op, unsigned from, unsigned to, bool sign,
                        enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, from, false, &p)) {
        return false;
    }
    wr(c, op->d, to, extend(host_get(p, from), from, sign));
    return true;
}
#define H_EXT(sign, from, to)                                                                     \
    STAMP(h_ext_r_##sign##_##from##_##to)                                                         \
    {                                                                                             \
        wr(c, op->d, to, extend(rd(c, op->s, from), from, sign));                                 \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_ext_m_##sign##_##from##_##to##_EA_B) OR_SLOW(ext_m(c, op, from, to, sign, EA_B))      \
    STAMP(h_ext_m_##sign##_##from##_##to##_EA_X) OR_SLOW(ext_m(c, op, from, to, sign, EA_X))      \
    STAMP(h_ext_m_##sign##_##from##_##to##_EA_S) OR_SLOW(ext_m(c, op, from, to, sign, EA_S))
H_EXT(0, 1, 2)
H_EXT(0, 1, 4)
H_EXT(0, 2, 4)
H_EXT(1, 1, 2)
H_EXT(1, 1, 4)
H_EXT(1, 2, 4)
static uop_fn *const ext_r_tab[2][2][2] = {{{h_ext_r_0_1_2, h_ext_r_0_1_4}, {NULL, h_ext_r_0_2_4}},
                                           {{h_ext_r_1_1_2, h_ext_r_1_1_4}, {NULL, h_ext_r_1_2_4}}};
static uop_fn *const ext_m_tab[2][2][2][EA_COUNT] = {
    {{T_EA(h_ext_m_0_1_2), T_EA(h_ext_m_0_1_4)}, {{NULL}, T_EA(h_ext_m_0_2_4)}},
    {{T_EA(h_ext_m_1_1_2), T_EA(h_ext_m_1_1_4)}, {{NULL}, T_EA(h_ext_m_1_2_4)}}};

/* ---- LEA, XCHG, CBW, CWD, flag bits ---- */
STAMP(h_lea_b)
{
    wr(c, op->d, 4, ea_off(c, op, EA_B));
    NEXT;
}
STAMP(h_lea_x)
{
    wr(c, op->d, 4, ea_off(c, op, EA_X));
    NEXT;
}
STAMP(h_lea_s_2)
{
    wr(c, op->d, 2, ea_off(c, op, EA_S));
    NEXT;
}
STAMP(h_lea_s_4)
{
    wr(c, op->d, 4, ea_off(c, op, EA_S));
    NEXT;
}
#define H_XCHG(size)                                                                              \
    STAMP(h_xchg_rr_##size)                                                                       \
    {                                                                                             \
        uint64_t a = rd(c, op->d, size), b = rd(c, op->s, size);                                  \
        wr(c, op->d, size, b);                                                                    \
        wr(c, op->s, size, a);                                                                    \
        NEXT;                                                                                     \
    }
H_XCHG(1)
H_XCHG(2)
H_XCHG(4)
FORCE_INLINE bool xchg_m(struct cpu *c, const struct uop *op, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, 4, true, &p)) {
        return false;
    }
    uint64_t a = host_get(p, 4);
    host_put(p, rd(c, op->s, 4), 4);
    wr(c, op->s, 4, a);
    return true;
}
STAMP(h_xchg_m_4_EA_B) OR_SLOW(xchg_m(c, op, EA_B))
STAMP(h_xchg_m_4_EA_X) OR_SLOW(xchg_m(c, op, EA_X))
STAMP(h_xchg_m_4_EA_S) OR_SLOW(xchg_m(c, op, EA_S))
static uop_fn *const xchg_rr_tab[3] = {h_xchg_rr_1, h_xchg_rr_2, h_xchg_rr_4};
static uop_fn *const xchg_m_tab[EA_COUNT] = T_EA(h_xchg_m_4);
STAMP(h_cbw_2)
{
    wr(c, REG_AX * 8, 2, extend(rd(c, REG_AX * 8, 1), 1, true));
    NEXT;
}
STAMP(h_cbw_4)
{
    wr(c, REG_AX * 8, 4, extend(rd(c, REG_AX * 8, 2), 2, true));
    NEXT;
}
STAMP(h_cwd_2)
{
    wr(c, REG_DX * 8, 2, extend(rd(c, REG_AX * 8, 2), 2, true) >> 16);
    NEXT;
}
STAMP(h_cwd_4)
{
    wr(c, REG_DX * 8, 4, extend(rd(c, REG_AX * 8, 4), 4, true) >> 32);
    NEXT;
}
STAMP(h_nop)
{
    NEXT;
}
STAMP(h_cld)
{
    c->s.rflags &= ~(uint64_t)FL_DF;
    NEXT;
}
STAMP(h_std)
{
    c->s.rflags |= FL_DF;
    NEXT;
}
STAMP(h_clc)
{
    alu_rot_flags(c, 0, flag_of(c));
    NEXT;
}
STAMP(h_stc)
{
    alu_rot_flags(c, 1, flag_of(c));
    NEXT;
}

/* ---- SETcc, CMOVcc ---- */
#define CONDITIONS(X)                                                                             \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
FORCE_INLINE bool cmov_m(struct cpu *c, const struct uop *op, unsigned cc, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, 4, false, &p)) {
        return false;
    }
    uint64_t v = host_get(p, 4);
    wr(c, op->d, 4, flag_cond(c, cc) ? v : rd(c, op->d, 4));
    return true;
}
FORCE_INLINE bool set_m(struct cpu *c, const struct uop *op, unsigned cc, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, 1, true, &p)) {
        return false;
    }
    *p = flag_cond(c, cc);
    return true;
}
#define H_CC(cc)                                                                                  \
    STAMP(h_set_r_##cc)                                                                           \
    {                                                                                             \
        wr(c, op->d, 1, flag_cond(c, cc));                                                        \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_set_m_##cc##_EA_B) OR_SLOW(set_m(c, op, cc, EA_B))                                    \
    STAMP(h_set_m_##cc##_EA_X) OR_SLOW(set_m(c, op, cc, EA_X))                                    \
    STAMP(h_set_m_##cc##_EA_S) OR_SLOW(set_m(c, op, cc, EA_S))                                    \
    STAMP(h_cmov_r_##cc)                                                                          \
    {                                                                                             \
        unsigned from = flag_cond(c, cc) ? op->s : op->d;                                         \
        wr(c, op->d, 4, rd(c, from, 4));                                                          \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_cmov_m_##cc##_EA_B) OR_SLOW(cmov_m(c, op, cc, EA_B))                                  \
    STAMP(h_cmov_m_##cc##_EA_X) OR_SLOW(cmov_m(c, op, cc, EA_X))                                  \
    STAMP(h_cmov_m_##cc##_EA_S) OR_SLOW(cmov_m(c, op, cc, EA_S))
CONDITIONS(H_CC)
#define T_SET_R(cc) h_set_r_##cc,
#define T_SET_M(cc) T_EA(h_set_m_##cc),
#define T_CMOV_R(cc) h_cmov_r_##cc,
#define T_CMOV_M(cc) T_EA(h_cmov_m_##cc),
static uop_fn *const set_r_tab[16] = {CONDITIONS(T_SET_R)};
static uop_fn *const set_m_tab[16][EA_COUNT] = {CONDITIONS(T_SET_M)};
static uop_fn *const cmov_r_tab[16] = {CONDITIONS(T_CMOV_R)};
static uop_fn *const cmov_m_tab[16][EA_COUNT] = {CONDITIONS(T_CMOV_M)};

/* ---- the stack ----
 * F: flat 32-bit stack.  S: any other; op->x is the mask of SP. */
FORCE_INLINE bool push_at(struct cpu *c, const struct uop *op, unsigned size, bool flat, uint64_t v)
{
    uint8_t *p;
    uint64_t sp, lin;
    if (flat) {
        sp = lin = (uint32_t)(rd(c, REG_SP * 8, 4) - size);
    } else {
        sp = (rd(c, REG_SP * 8, 4) - size) & op->x;
        if (!seg_lin(c, SEG_SS, sp, size, true, &lin)) {
            return false;
        }
    }
    if (!lin_host(c, lin, size, true, &p)) {
        return false;
    }
    host_put(p, v, size);
    c->s.gpr[REG_SP] = flat ? sp : (c->s.gpr[REG_SP] & ~(uint64_t)op->x) | sp;
    return true;
}
FORCE_INLINE bool pop_at(struct cpu *c, const struct uop *op, unsigned size, bool flat,
                         uint64_t from, uint64_t *v)
{
    uint8_t *p;
    uint64_t sp = from, lin = from;
    if (!flat && !seg_lin(c, SEG_SS, sp, size, false, &lin)) {
        return false;
    }
    if (!lin_host(c, lin, size, false, &p)) {
        return false;
    }
    *v = host_get(p, size);
    sp += size;
    c->s.gpr[REG_SP] = flat ? (uint32_t)sp : (c->s.gpr[REG_SP] & ~(uint64_t)op->x) | (sp & op->x);
    return true;
}
FORCE_INLINE uint64_t sp_now(const struct cpu *c, const struct uop *op, bool flat, unsigned reg)
{
    return flat ? rd(c, reg * 8, 4) : rd(c, reg * 8, 4) & op->x;
}
FORCE_INLINE bool pop_r(struct cpu *c, const struct uop *op, unsigned size, bool flat)
{
    uint64_t v;
    if (!pop_at(c, op, size, flat, sp_now(c, op, flat, REG_SP), &v)) {
        return false;
    }
    wr(c, op->d, size, v); /* after SP: POP SP keeps what was popped */
    return true;
}
FORCE_INLINE bool leave_at(struct cpu *c, const struct uop *op, unsigned size, bool flat)
{
    uint64_t v;
    if (!pop_at(c, op, size, flat, sp_now(c, op, flat, REG_BP), &v)) {
        return false;
    }
    wr(c, REG_BP * 8, size, v);
    return true;
}
FORCE_INLINE bool push_m(struct cpu *c, const struct uop *op)
{
    uint8_t *p;
    if (!ea_host(c, op, EA_X, 4, false, &p)) {
        return false;
    }
    return push_at(c, op, 4, true, host_get(p, 4));
}
#define H_STACK(size, flat)                                                                       \
    STAMP(h_push_r_##size##_##flat) OR_SLOW(push_at(c, op, size, flat, rd(c, op->d, size)))       \
    STAMP(h_push_i_##size##_##flat) OR_SLOW(push_at(c, op, size, flat, op->imm))                  \
    STAMP(h_pop_r_##size##_##flat) OR_SLOW(pop_r(c, op, size, flat))                              \
    STAMP(h_leave_##size##_##flat) OR_SLOW(leave_at(c, op, size, flat))
H_STACK(2, 0)
H_STACK(4, 0)
H_STACK(2, 1)
H_STACK(4, 1)
STAMP(h_push_m_4_1)
OR_SLOW(push_m(c, op))
    /* [flat][size - 1] */
    static uop_fn *const push_r_tab[2][2] = {{h_push_r_2_0, h_push_r_4_0},
                                             {h_push_r_2_1, h_push_r_4_1}};
static uop_fn *const push_i_tab[2][2] = {{h_push_i_2_0, h_push_i_4_0},
                                         {h_push_i_2_1, h_push_i_4_1}};
static uop_fn *const pop_r_tab[2][2] = {{h_pop_r_2_0, h_pop_r_4_0}, {h_pop_r_2_1, h_pop_r_4_1}};
static uop_fn *const leave_tab[2][2] = {{h_leave_2_0, h_leave_4_0}, {h_leave_2_1, h_leave_4_1}};

/* ---- choosing ---- */
int pick_ea(struct pick *p)
{
    static const uint16_t flat[SEG_COUNT] = {[SEG_ES] = MODE_FLAT_ES, [SEG_SS] = MODE_FLAT_SS,
                                             [SEG_DS] = MODE_FLAT_DS};
    const struct insn *in = p->in;
    uint16_t zero = offsetof(struct cpu, zero);
    p->ea = -1;
    if (in->asize > 4 || (in->base != INSN_NOREG && in->base > 15) || in->seg >= SEG_COUNT) {
        return -1;
    }
    p->u.base = in->base == INSN_NOREG ? zero : (uint16_t)(in->base * 8u);
    p->u.index = in->index == INSN_NOREG ? zero : (uint16_t)(in->index * 8u);
    p->u.scale = in->scale;
    p->u.seg = in->seg;
    p->u.disp = (int32_t)in->disp;
    p->u.x = (uint32_t)bits_mask(in->asize * 8u);
    if (in->asize != 4 || !(p->mode & flat[in->seg])) {
        return p->ea = EA_S;
    }
    return p->ea = in->index == INSN_NOREG ? EA_B : EA_X;
}

static bool pick_mov(struct pick *p)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    int sz = pick_size(d->size), ea;
    if (sz < 0) {
        return false;
    }
    p->u.imm = (uint32_t)p->in->imm;
    if (pick_is_reg(d)) {
        p->u.d = pick_reg(d);
        if (s->kind == OPND_MEM) {
            ea = pick_ea(p);
            p->u.h = ea < 0 ? NULL : mov_rm_tab[sz][ea];
            return ea >= 0;
        }
        p->what = PICK_PLAIN;
        p->u.s = pick_is_reg(s) ? pick_reg(s) : 0;
        p->u.h = pick_is_reg(s) ? mov_rr_tab[sz] : mov_ri_tab[sz];
        return pick_is_reg(s) || s->kind == OPND_IMM;
    }
    ea = d->kind == OPND_MEM ? pick_ea(p) : -1;
    if (ea < 0) {
        return false;
    }
    p->u.s = pick_is_reg(s) ? pick_reg(s) : 0;
    p->u.h = pick_is_reg(s) ? mov_mr_tab[sz][ea] : mov_mi_tab[sz][ea];
    return pick_is_reg(s) || s->kind == OPND_IMM;
}

static bool pick_extend(struct pick *p, bool sign)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    unsigned from = s->size - 1u, to = d->size == 4;
    if (s->size > 2 || (d->size != 2 && d->size != 4) || s->size >= d->size) {
        return false;
    }
    p->u.d = pick_reg(d);
    if (s->kind == OPND_MEM) {
        int ea = pick_ea(p);
        p->u.h = ea < 0 ? NULL : ext_m_tab[sign][from][to][ea];
        return ea >= 0;
    }
    p->what = PICK_PLAIN;
    p->u.s = pick_reg(s);
    p->u.h = ext_r_tab[sign][from][to];
    return pick_is_reg(s);
}

static bool pick_lea(struct pick *p)
{
    const struct opnd *d = &p->in->o[0];
    int ea = pick_ea(p);
    if (ea < 0 || (d->size != 2 && d->size != 4)) {
        return false;
    }
    p->what = PICK_PLAIN;
    p->u.d = pick_reg(d);
    if (p->in->asize == 4 && d->size == 4) {
        p->u.h = p->in->index == INSN_NOREG ? h_lea_b : h_lea_x;
    } else {
        p->u.h = d->size == 2 ? h_lea_s_2 : h_lea_s_4;
    }
    return true;
}

static bool pick_xchg(struct pick *p)
{
    const struct opnd *a = &p->in->o[0], *b = &p->in->o[1];
    int sz = pick_size(a->size);
    if (sz < 0) {
        return false;
    }
    if (pick_is_reg(a) && pick_is_reg(b)) {
        p->what = PICK_PLAIN;
        p->u.d = pick_reg(a);
        p->u.s = pick_reg(b);
        p->u.h = xchg_rr_tab[sz];
        return true;
    }
    int ea = sz == 2 ? pick_ea(p) : -1;
    if (ea < 0) {
        return false;
    }
    p->u.s = pick_reg(a->kind == OPND_MEM ? b : a);
    p->u.h = xchg_m_tab[ea];
    return true;
}

static bool pick_cc(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0], *s = &in->o[1];
    int ea;
    p->what = PICK_READS;
    if (in->op == OP_setcc) {
        if (pick_is_reg(d)) {
            p->what |= PICK_PLAIN;
            p->u.d = pick_reg(d);
            p->u.h = set_r_tab[in->cc & 15];
            return true;
        }
        ea = pick_ea(p);
        p->u.h = ea < 0 ? NULL : set_m_tab[in->cc & 15][ea];
        return ea >= 0;
    }
    if (d->size != 4) {
        return false;
    }
    p->u.d = pick_reg(d);
    if (pick_is_reg(s)) {
        p->what |= PICK_PLAIN;
        p->u.s = pick_reg(s);
        p->u.h = cmov_r_tab[in->cc & 15];
        return true;
    }
    ea = pick_ea(p);
    p->u.h = ea < 0 ? NULL : cmov_m_tab[in->cc & 15][ea];
    return ea >= 0;
}

bool pick_move(struct pick *p)
{
    const struct insn *in = p->in;
    switch (in->op) {
    case OP_mov: return pick_mov(p);
    case OP_movzx: return pick_extend(p, false);
    case OP_movsx: return pick_extend(p, true);
    case OP_lea: return pick_lea(p);
    case OP_xchg: return pick_xchg(p);
    case OP_setcc:
    case OP_cmovcc: return pick_cc(p);
    default: break;
    }
    p->what = PICK_PLAIN;
    switch (in->op) {
    case OP_nop: p->u.h = h_nop; return true;
    case OP_cld: p->u.h = h_cld; return true;
    case OP_std: p->u.h = h_std; return true;
    case OP_clc: p->u.h = h_clc; return true;
    case OP_stc: p->u.h = h_stc; return true;
    case OP_cbw: p->u.h = in->osize == 2 ? h_cbw_2 : h_cbw_4; return in->osize <= 4;
    case OP_cwd: p->u.h = in->osize == 2 ? h_cwd_2 : h_cwd_4; return in->osize <= 4;
    default: return false;
    }
}

bool pick_stack(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0];
    unsigned sz = in->osize == 4;
    bool flat = (p->mode & (MODE_FLAT_SS | MODE_STACK32)) == (MODE_FLAT_SS | MODE_STACK32);
    if (in->osize > 4) {
        return false;
    }
    p->u.x = p->mode & MODE_STACK32 ? 0xffffffffu : 0xffffu;
    switch (in->op) {
    case OP_push:
        if (d->kind == OPND_GPR) {
            p->u.d = pick_reg(d);
            p->u.h = push_r_tab[flat][sz];
            return true;
        }
        if (d->kind == OPND_IMM) {
            p->u.imm = (uint32_t)in->imm;
            p->u.h = push_i_tab[flat][sz];
            return true;
        }
        if (d->kind == OPND_MEM && flat && sz) {
            int ea = pick_ea(p);
            p->u.h = h_push_m_4_1;
            return ea == EA_B || ea == EA_X;
        }
        return false;
    case OP_pop:
        p->u.d = pick_reg(d);
        p->u.h = pop_r_tab[flat][sz];
        return d->kind == OPND_GPR;
    case OP_leave:
        p->u.h = leave_tab[flat][sz];
        return true;
    default: return false;
    }
}
