/* Fast handlers: MOV and its relatives, SETcc, CMOVcc, the stack. */
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
    host_put(p, imm ? op_imm(op, size) : rd(c, op->s, size), size);
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
        wr(c, op->d, size, op_imm(op, size));                                                     \
        NEXT;                                                                                     \
    }                                                                                             \
    EACH_EA_##size(H_MOV_M, size)
H_MOV(1)
H_MOV(2)
H_MOV(4)
H_MOV(8)
STAMP(h_mov_ri_wide) /* all 64 bits of an immediate, in imm and x */
{
    wr(c, op->d, 8, op->imm | (uint64_t)op->x << 32);
    NEXT;
}
static uop_fn *const mov_rr_tab[4] = {h_mov_rr_1, h_mov_rr_2, h_mov_rr_4, h_mov_rr_8};
static uop_fn *const mov_ri_tab[4] = {h_mov_ri_1, h_mov_ri_2, h_mov_ri_4, h_mov_ri_8};
#define T_MOV(form)                                                                               \
    {T_EA_1(h_mov_##form##_1), T_EA_2(h_mov_##form##_2), T_EA_4(h_mov_##form##_4),                \
     T_EA_8(h_mov_##form##_8)}
static uop_fn *const mov_rm_tab[4][EA_COUNT] = T_MOV(rm);
static uop_fn *const mov_mr_tab[4][EA_COUNT] = T_MOV(mr);
static uop_fn *const mov_mi_tab[4][EA_COUNT] = T_MOV(mi);

/* ---- MOVZX, MOVSX, MOVSXD: [sign][from 1, 2, 4][to 2, 4, 8] ---- */
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
#define H_EXT_M(sign, from, to, ea)                                                               \
    STAMP(h_ext_m_##sign##_##from##_##to##_##ea) OR_SLOW(ext_m(c, op, from, to, sign, ea))
#define H_EXT(sign, from, to)                                                                     \
    STAMP(h_ext_r_##sign##_##from##_##to)                                                         \
    {                                                                                             \
        wr(c, op->d, to, extend(rd(c, op->s, from), from, sign));                                 \
        NEXT;                                                                                     \
    }                                                                                             \
    EACH_EA_##to(H_EXT_M, sign, from, to)
#define H_EXTS(sign)                                                                              \
    H_EXT(sign, 1, 2) H_EXT(sign, 1, 4) H_EXT(sign, 1, 8) H_EXT(sign, 2, 4) H_EXT(sign, 2, 8)
H_EXTS(0)
H_EXTS(1)
H_EXT(1, 4, 8)
#define T_EXT_R(sign)                                                                             \
    {h_ext_r_##sign##_1_2, h_ext_r_##sign##_1_4, h_ext_r_##sign##_1_8},                           \
    {NULL, h_ext_r_##sign##_2_4, h_ext_r_##sign##_2_8}
static uop_fn *const ext_r_tab[2][3][3] = {{T_EXT_R(0)}, {T_EXT_R(1), {NULL, NULL, h_ext_r_1_4_8}}};
#define T_EXT_M(sign)                                                                             \
    {T_EA_2(h_ext_m_##sign##_1_2), T_EA_4(h_ext_m_##sign##_1_4), T_EA_8(h_ext_m_##sign##_1_8)},   \
    {{NULL}, T_EA_4(h_ext_m_##sign##_2_4), T_EA_8(h_ext_m_##sign##_2_8)}
static uop_fn *const ext_m_tab[2][3][3][EA_COUNT] = {
    {T_EXT_M(0)}, {T_EXT_M(1), {{NULL}, {NULL}, T_EA_8(h_ext_m_1_4_8)}}};

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
/* in 64-bit mode the segment's base does not count */
#define H_LEA64(size)                                                                             \
    STAMP(h_lea_q_##size)                                                                         \
    {                                                                                             \
        wr(c, op->d, size, ea_off(c, op, EA_Q));                                                  \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_lea_qx_##size)                                                                        \
    {                                                                                             \
        wr(c, op->d, size, ea_off(c, op, EA_QX));                                                 \
        NEXT;                                                                                     \
    }
H_LEA64(4)
H_LEA64(8)
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
H_XCHG(8)
FORCE_INLINE bool xchg_m(struct cpu *c, const struct uop *op, unsigned size, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, true, &p)) {
        return false;
    }
    uint64_t a = host_get(p, size);
    host_put(p, rd(c, op->s, size), size);
    wr(c, op->s, size, a);
    return true;
}
#define H_XCHG_M(size, ea) STAMP(h_xchg_m_##size##_##ea) OR_SLOW(xchg_m(c, op, size, ea))
EACH_EA_COLD_4(H_XCHG_M, 4)
EACH_EA_COLD_8(H_XCHG_M, 8)
static uop_fn *const xchg_rr_tab[4] = {h_xchg_rr_1, h_xchg_rr_2, h_xchg_rr_4, h_xchg_rr_8};
static uop_fn *const xchg_m_tab[2][EA_COUNT] = {T_EA_COLD_4(h_xchg_m_4),
                                               T_EA_COLD_8(h_xchg_m_8)};
#define H_CBW(size, half)                                                                         \
    STAMP(h_cbw_##size)                                                                           \
    {                                                                                             \
        wr(c, REG_AX * 8, size, extend(rd(c, REG_AX * 8, half), half, true));                     \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_cwd_##size)                                                                           \
    {                                                                                             \
        int64_t a = bits_sext(rd(c, REG_AX * 8, size), size * 8);                                 \
        wr(c, REG_DX * 8, size, (uint64_t)(a >> 63));                                             \
        NEXT;                                                                                     \
    }
H_CBW(2, 1)
H_CBW(4, 2)
H_CBW(8, 4)
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
FORCE_INLINE bool cmov_m(struct cpu *c, const struct uop *op, unsigned size, unsigned cc,
                         enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, false, &p)) {
        return false;
    }
    uint64_t v = host_get(p, size);
    wr(c, op->d, size, flag_cond(c, cc) ? v : rd(c, op->d, size));
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
#define H_CMOV_M(cc, size, ea)                                                                    \
    STAMP(h_cmov_m_##cc##_##size##_##ea) OR_SLOW(cmov_m(c, op, size, cc, ea))
#define H_CMOV(cc, size)                                                                          \
    STAMP(h_cmov_r_##cc##_##size)                                                                 \
    {                                                                                             \
        unsigned from = flag_cond(c, cc) ? op->s : op->d;                                         \
        wr(c, op->d, size, rd(c, from, size));                                                    \
        NEXT;                                                                                     \
    }                                                                                             \
    EACH_EA_COLD_##size(H_CMOV_M, cc, size)
#define H_SET_M(cc, ea) STAMP(h_set_m_##cc##_##ea) OR_SLOW(set_m(c, op, cc, ea))
#define H_CC(cc)                                                                                  \
    STAMP(h_set_r_##cc)                                                                           \
    {                                                                                             \
        wr(c, op->d, 1, flag_cond(c, cc));                                                        \
        NEXT;                                                                                     \
    }                                                                                             \
    EACH_EA_COLD_4(H_SET_M, cc)                                                                   \
    H_CMOV(cc, 4)                                                                                 \
    H_CMOV(cc, 8)
CONDITIONS(H_CC)
#define T_SET_R(cc) h_set_r_##cc,
#define T_SET_M(cc) T_EA_COLD_4(h_set_m_##cc),
#define T_CMOV_R(cc) {h_cmov_r_##cc##_4, h_cmov_r_##cc##_8},
#define T_CMOV_M(cc) {T_EA_COLD_4(h_cmov_m_##cc##_4), T_EA_COLD_8(h_cmov_m_##cc##_8)},
static uop_fn *const set_r_tab[16] = {CONDITIONS(T_SET_R)};
static uop_fn *const set_m_tab[16][EA_COUNT] = {CONDITIONS(T_SET_M)};
/* [cc][size 4, 8] */
static uop_fn *const cmov_r_tab[16][2] = {CONDITIONS(T_CMOV_R)};
static uop_fn *const cmov_m_tab[16][2][EA_COUNT] = {CONDITIONS(T_CMOV_M)};

/* ---- the stack (enum stack in uop.h) ---- */
FORCE_INLINE bool pop_at(struct cpu *c, const struct uop *op, unsigned size, enum stack st,
                         uint64_t from, uint64_t *v)
{
    uint8_t *p;
    if (!stack_host(c, st, from, size, false, &p)) {
        return false;
    }
    *v = host_get(p, size);
    stack_set(c, op, st, from + size);
    return true;
}
FORCE_INLINE bool pop_r(struct cpu *c, const struct uop *op, unsigned size, enum stack st)
{
    uint64_t v;
    if (!pop_at(c, op, size, st, stack_reg(c, op, st, REG_SP), &v)) {
        return false;
    }
    wr(c, op->d, size, v); /* after SP: POP SP keeps what was popped */
    return true;
}
FORCE_INLINE bool leave_at(struct cpu *c, const struct uop *op, unsigned size, enum stack st)
{
    uint64_t v;
    if (!pop_at(c, op, size, st, stack_reg(c, op, st, REG_BP), &v)) {
        return false;
    }
    wr(c, REG_BP * 8, size, v);
    return true;
}
FORCE_INLINE bool push_m(struct cpu *c, const struct uop *op, unsigned size, enum stack st,
                         enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, false, &p)) {
        return false;
    }
    return stack_push_v(c, op, size, st, host_get(p, size));
}
#define H_STACK(size, st)                                                                         \
    STAMP(h_push_r_##size##_##st) OR_SLOW(stack_push_v(c, op, size, st, rd(c, op->d, size)))      \
    STAMP(h_push_i_##size##_##st) OR_SLOW(stack_push_v(c, op, size, st, op_imm(op, size)))        \
    STAMP(h_pop_r_##size##_##st) OR_SLOW(pop_r(c, op, size, st))                                  \
    STAMP(h_leave_##size##_##st) OR_SLOW(leave_at(c, op, size, st))
H_STACK(2, STACK_S)
H_STACK(4, STACK_S)
H_STACK(2, STACK_F)
H_STACK(4, STACK_F)
H_STACK(8, STACK_Q)
STAMP(h_push_m_4) OR_SLOW(push_m(c, op, 4, STACK_F, EA_X))
STAMP(h_push_m_8) OR_SLOW(push_m(c, op, 8, STACK_Q, EA_QX))
/* [stack][size 4 or 8, not 2] */
#define T_STACK(name)                                                                             \
    {{h_##name##_2_STACK_S, h_##name##_4_STACK_S}, {h_##name##_2_STACK_F, h_##name##_4_STACK_F},  \
     {NULL, h_##name##_8_STACK_Q}}
static uop_fn *const push_r_tab[3][2] = T_STACK(push_r), *const push_i_tab[3][2] = T_STACK(push_i);
static uop_fn *const pop_r_tab[3][2] = T_STACK(pop_r), *const leave_tab[3][2] = T_STACK(leave);

/* ---- choosing ---- */
static int pick_ea64(struct pick *p)
{
    const struct insn *in = p->in;
    int64_t disp = in->disp;
    if (in->asize != 8 || (in->base > 15 && in->base != INSN_NOREG && in->base != INSN_RIP)) {
        return -1;
    }
    if (in->base == INSN_RIP) { /* s.rip is where the block begins */
        p->u.base = offsetof(struct cpu, s.rip);
        disp += p->next;
    }
    if (disp != (int32_t)disp) {
        return -1;
    }
    p->u.disp = (int32_t)disp;
    p->u.x = offsetof(struct cpu, zero);
    if (in->seg >= SEG_FS) {
        p->u.x = (uint32_t)(offsetof(struct cpu, s.seg[0].base) + in->seg * sizeof(struct seg));
        return p->ea = EA_QS;
    }
    return p->ea = in->index == INSN_NOREG ? EA_Q : EA_QX;
}

int pick_ea(struct pick *p)
{
    static const uint16_t flat[SEG_COUNT] = {[SEG_ES] = MODE_FLAT_ES, [SEG_SS] = MODE_FLAT_SS,
                                             [SEG_DS] = MODE_FLAT_DS};
    const struct insn *in = p->in;
    uint16_t zero = offsetof(struct cpu, zero);
    p->ea = -1;
    if (in->seg >= SEG_COUNT || (in->index != INSN_NOREG && in->index > 15)) {
        return -1;
    }
    p->u.base = in->base == INSN_NOREG ? zero : (uint16_t)(in->base * 8u);
    p->u.index = in->index == INSN_NOREG ? zero : (uint16_t)(in->index * 8u);
    p->u.scale = in->scale;
    p->u.seg = in->seg;
    if (p->mode & MODE_CODE64) {
        return pick_ea64(p);
    }
    if (in->asize > 4 || (in->base != INSN_NOREG && in->base > 15)) {
        return -1;
    }
    p->u.disp = (int32_t)in->disp;
    p->u.x = (uint32_t)bits_mask(in->asize * 8u);
    if (in->asize != 4 || !(p->mode & flat[in->seg])) {
        return p->ea = EA_S;
    }
    return p->ea = in->index == INSN_NOREG ? EA_B : EA_X;
}

uop_fn *pick_copy(unsigned size)
{
    return mov_rr_tab[pick_size(size)];
}

static bool pick_mov(struct pick *p)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    int sz = pick_size(d->size), ea;
    if (sz < 0) {
        return false;
    }
    bool imm = s->kind == OPND_IMM, fits = !imm || pick_imm(p, d->size);
    if (pick_is_reg(d)) {
        p->u.d = pick_reg(d);
        if (s->kind == OPND_MEM) {
            ea = pick_ea(p);
            p->u.h = ea < 0 ? NULL : mov_rm_tab[sz][ea];
            return ea >= 0;
        }
        p->what = PICK_PLAIN;
        p->u.s = pick_is_reg(s) ? pick_reg(s) : 0;
        p->u.h = pick_is_reg(s) ? mov_rr_tab[sz] : fits ? mov_ri_tab[sz] : h_mov_ri_wide;
        p->u.x = imm ? (uint32_t)(p->in->imm >> 32) : 0;
        return pick_is_reg(s) || imm;
    }
    ea = d->kind == OPND_MEM ? pick_ea(p) : -1;
    if (ea < 0 || !fits) {
        return false;
    }
    p->u.s = pick_is_reg(s) ? pick_reg(s) : 0;
    p->u.h = pick_is_reg(s) ? mov_mr_tab[sz][ea] : mov_mi_tab[sz][ea];
    return pick_is_reg(s) || imm;
}

static bool pick_extend(struct pick *p, bool sign)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    int from = pick_size(s->size), to = pick_size(d->size) - 1;
    if (from < 0 || to < from) {
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
    if (ea < 0) {
        return false;
    }
    p->what = PICK_PLAIN;
    p->u.d = pick_reg(d);
    if (p->mode & MODE_CODE64) {
        bool x = p->in->index != INSN_NOREG;
        p->u.h = d->size == 8 ? x ? h_lea_qx_8 : h_lea_q_8 : x ? h_lea_qx_4 : h_lea_q_4;
        return d->size >= 4;
    }
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
    int ea = sz >= 2 ? pick_ea(p) : -1;
    if (ea < 0) {
        return false;
    }
    p->u.s = pick_reg(a->kind == OPND_MEM ? b : a);
    p->u.h = xchg_m_tab[sz - 2][ea];
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
    if (d->size < 4) {
        return false;
    }
    p->u.d = pick_reg(d);
    if (pick_is_reg(s)) {
        p->what |= PICK_PLAIN;
        p->u.s = pick_reg(s);
        p->u.h = cmov_r_tab[in->cc & 15][d->size / 8];
        return true;
    }
    ea = pick_ea(p);
    p->u.h = ea < 0 ? NULL : cmov_m_tab[in->cc & 15][d->size / 8][ea];
    return ea >= 0;
}

bool pick_move(struct pick *p)
{
    const struct insn *in = p->in;
    switch (in->op) {
    case OP_mov: return pick_mov(p);
    case OP_movzx: return pick_extend(p, false);
    case OP_movsx:
    case OP_movsxd: return pick_extend(p, true);
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
    case OP_cbw:
        p->u.h = in->osize == 2 ? h_cbw_2 : in->osize == 4 ? h_cbw_4 : h_cbw_8;
        return true;
    case OP_cwd:
        p->u.h = in->osize == 2 ? h_cwd_2 : in->osize == 4 ? h_cwd_4 : h_cwd_8;
        return true;
    default: return false;
    }
}

bool pick_stack(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0];
    unsigned sz = in->osize >= 4;
    enum stack st = pick_stack_kind(p);
    if ((st == STACK_Q) != (in->osize == 8)) {
        return false;
    }
    p->u.x = p->mode & MODE_STACK32 ? 0xffffffffu : 0xffffu;
    switch (in->op) {
    case OP_push:
        if (d->kind == OPND_GPR) {
            p->u.d = pick_reg(d);
            p->u.h = push_r_tab[st][sz];
            return true;
        }
        if (d->kind == OPND_IMM) {
            p->u.h = push_i_tab[st][sz];
            return pick_imm(p, in->osize);
        }
        if (d->kind == OPND_MEM && st != STACK_S && sz) {
            int ea = pick_ea(p);
            p->u.h = st == STACK_Q ? h_push_m_8 : h_push_m_4;
            return ea >= 0 && ea != EA_S && ea != EA_QS;
        }
        return false;
    case OP_pop:
        p->u.d = pick_reg(d);
        p->u.h = pop_r_tab[st][sz];
        return d->kind == OPND_GPR;
    case OP_leave:
        p->u.h = leave_tab[st][sz];
        return true;
    default: return false;
    }
}
