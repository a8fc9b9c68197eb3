/* Fast handlers that end a block: near JMP, Jcc, CALL, RET, and compare-and-branch in one.
 * Flat code segments with 32-bit targets have handlers of their own; the others check the limit.
 * A uterm stands behind each direct branch.  NOT IMPLEMENTED: 64-bit mode (generic). */
#include "cpu/interp/uop.h"

#define TERM ((const struct uterm *)(const void *)(op + 1))
#define CONDITIONS(X)                                                                             \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

FORCE_INLINE void go_flat(struct cpu *c, const struct uop *op, unsigned w)
{
    c->s.rip = (uint32_t)(c->s.rip + (uint32_t)TERM->delta[w]);
}
/* The target in a segment with a limit; beyond it the branch itself faults. */
FORCE_INLINE bool go_seg(struct cpu *c, const struct uop *op, unsigned w)
{
    uint32_t t = (uint32_t)(c->s.rip + (uint32_t)TERM->delta[w]) & TERM->mask[w];
    if (UNLIKELY(t > c->s.seg[SEG_CS].limit)) {
        return false;
    }
    c->s.rip = t;
    return true;
}
#define JUMP_SEG(w)                                                                               \
    do {                                                                                          \
        if (!go_seg(c, op, w)) {                                                                  \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        GO_LINK_SEG(w);                                                                           \
    } while (0)
#define JUMP_FLAT(w)                                                                              \
    do {                                                                                          \
        go_flat(c, op, w);                                                                        \
        GO_LINK(w);                                                                               \
    } while (0)

/* ---- direct ---- */
STAMP(h_jmp_1)
{
    JUMP_FLAT(1);
}
STAMP(h_jmp_0)
{
    JUMP_SEG(1);
}
/* Behind the last instruction there is no check: fetching beyond the limit faults there. */
#define FALL_SEG                                                                                  \
    do {                                                                                          \
        c->s.rip = (uint32_t)(c->s.rip + (uint32_t)TERM->delta[0]);                               \
        GO_LINK_SEG(0);                                                                           \
    } while (0)
#define H_JCC(cc)                                                                                 \
    STAMP(h_jcc_1_##cc)                                                                           \
    {                                                                                             \
        if (flag_cond(c, cc)) {                                                                   \
            JUMP_FLAT(1);                                                                         \
        }                                                                                         \
        JUMP_FLAT(0);                                                                             \
    }                                                                                             \
    STAMP(h_jcc_0_##cc)                                                                           \
    {                                                                                             \
        if (flag_cond(c, cc)) {                                                                   \
            JUMP_SEG(1);                                                                          \
        }                                                                                         \
        FALL_SEG;                                                                                 \
    }
CONDITIONS(H_JCC)
#define T_JCC_1(cc) h_jcc_1_##cc,
#define T_JCC_0(cc) h_jcc_0_##cc,
static uop_fn *const jcc_tab[2][16] = {{CONDITIONS(T_JCC_0)}, {CONDITIONS(T_JCC_1)}};

/* LOOP and JCXZ with a 32-bit or 16-bit count (op->x: its mask) */
FORCE_INLINE uint64_t loop_count(struct cpu *c, const struct uop *op)
{
    uint64_t n = (rd(c, REG_CX * 8, 4) - 1) & op->x;
    c->s.gpr[REG_CX] = (c->s.gpr[REG_CX] & ~(uint64_t)op->x) | n;
    return n;
}
STAMP(h_loop_1)
{
    if (loop_count(c, op)) {
        JUMP_FLAT(1);
    }
    JUMP_FLAT(0);
}
STAMP(h_loop_0)
{
    /* a target beyond the limit must fault before CX changes */
    if (((rd(c, REG_CX * 8, 4) - 1) & op->x) && UNLIKELY(!go_seg(c, op, 1))) {
        return uop_generic_end(c, op);
    }
    if (loop_count(c, op)) {
        GO_LINK_SEG(1);
    }
    FALL_SEG;
}
STAMP(h_jcxz_1)
{
    if (!(rd(c, REG_CX * 8, 4) & op->x)) {
        JUMP_FLAT(1);
    }
    JUMP_FLAT(0);
}
STAMP(h_jcxz_0)
{
    if (!(rd(c, REG_CX * 8, 4) & op->x)) {
        JUMP_SEG(1);
    }
    FALL_SEG;
}

/* ---- CALL, RET, indirect ----
 * op->imm: from the block's start to the return address.  flat: 32-bit flat code and stack. */
FORCE_INLINE bool call_push(struct cpu *c, const struct uop *op, unsigned size, bool flat)
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
    host_put(p, c->s.rip + op->imm, size);
    c->s.gpr[REG_SP] = flat ? sp : (c->s.gpr[REG_SP] & ~(uint64_t)op->x) | sp;
    return true;
}
STAMP(h_call_1)
{
    if (UNLIKELY(!call_push(c, op, 4, true))) {
        return uop_generic_end(c, op);
    }
    JUMP_FLAT(1);
}
#define H_CALL_SEG(size)                                                                          \
    STAMP(h_call_0_##size)                                                                        \
    {                                                                                             \
        uint64_t at = c->s.rip;                                                                   \
        if (!go_seg(c, op, 1)) {                                                                  \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        uint64_t to = c->s.rip;                                                                   \
        c->s.rip = at;                                                                            \
        if (UNLIKELY(!call_push(c, op, size, false))) {                                           \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = to;                                                                            \
        GO_LINK_SEG(1);                                                                           \
    }
H_CALL_SEG(2)
H_CALL_SEG(4)

#define GO_INDIRECT                                                                               \
    do {                                                                                          \
        struct block *to_ = jc_find32(c, c->engine, (uint32_t)c->s.rip);                          \
        if (UNLIKELY(!to_)) {                                                                     \
            LEAVE;                                                                                \
        }                                                                                         \
        ENTER(to_);                                                                               \
    } while (0)
#define GO_INDIRECT_SEG                                                                           \
    do {                                                                                          \
        struct block *to_ =                                                                       \
            jc_find32(c, c->engine, (uint32_t)(c->s.seg[SEG_CS].base + c->s.rip));                \
        if (UNLIKELY(!to_)) {                                                                     \
            LEAVE;                                                                                \
        }                                                                                         \
        ENTER_SEG(to_);                                                                           \
    } while (0)
/* op->imm: bytes to drop from the stack beside the return address */
STAMP(h_ret_1)
{
    uint8_t *p;
    uint64_t sp = rd(c, REG_SP * 8, 4);
    if (UNLIKELY(!lin_host(c, sp, 4, false, &p))) {
        return uop_generic_end(c, op);
    }
    c->s.rip = host_get(p, 4);
    c->s.gpr[REG_SP] = (uint32_t)(sp + 4 + op->imm);
    GO_INDIRECT;
}
#define H_RET_SEG(size)                                                                           \
    STAMP(h_ret_0_##size)                                                                         \
    {                                                                                             \
        uint8_t *p;                                                                               \
        uint64_t sp = rd(c, REG_SP * 8, 4) & op->x, lin;                                          \
        if (UNLIKELY(!seg_lin(c, SEG_SS, sp, size, false, &lin)) ||                               \
            UNLIKELY(!lin_host(c, lin, size, false, &p)) ||                                       \
            UNLIKELY(host_get(p, size) > c->s.seg[SEG_CS].limit)) {                                \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = host_get(p, size);                                                              \
        sp = (sp + size + op->imm) & op->x;                                                       \
        c->s.gpr[REG_SP] = (c->s.gpr[REG_SP] & ~(uint64_t)op->x) | sp;                            \
        GO_INDIRECT_SEG;                                                                          \
    }
H_RET_SEG(2)
H_RET_SEG(4)

STAMP(h_jmp_r)
{
    c->s.rip = rd(c, op->d, 4);
    GO_INDIRECT;
}
FORCE_INLINE bool jmp_m(struct cpu *c, const struct uop *op, enum ea ea, uint64_t *to)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, 4, false, &p)) {
        return false;
    }
    *to = host_get(p, 4);
    return true;
}
#define H_INDIRECT_M(ea)                                                                          \
    STAMP(h_jmp_m_##ea)                                                                           \
    {                                                                                             \
        uint64_t to;                                                                              \
        if (UNLIKELY(!jmp_m(c, op, ea, &to))) {                                                   \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = to;                                                                            \
        GO_INDIRECT;                                                                              \
    }                                                                                             \
    STAMP(h_call_m_##ea)                                                                          \
    {                                                                                             \
        uint64_t to;                                                                              \
        if (UNLIKELY(!jmp_m(c, op, ea, &to)) || UNLIKELY(!call_push(c, op, 4, true))) {           \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = to;                                                                            \
        GO_INDIRECT;                                                                              \
    }
H_INDIRECT_M(EA_B)
H_INDIRECT_M(EA_X)
H_INDIRECT_M(EA_S)
static uop_fn *const jmp_m_tab[EA_COUNT] = {h_jmp_m_EA_B, h_jmp_m_EA_X, h_jmp_m_EA_S};
static uop_fn *const call_m_tab[EA_COUNT] = {h_call_m_EA_B, h_call_m_EA_X, h_call_m_EA_S};
STAMP(h_call_r)
{
    uint64_t to = rd(c, op->d, 4);
    if (UNLIKELY(!call_push(c, op, 4, true))) {
        return uop_generic_end(c, op);
    }
    c->s.rip = to;
    GO_INDIRECT;
}

/* ---- compare and branch ----
 * The condition straight from the operands: it need not wait for the flags, which are stored too.
 */
FORCE_INLINE bool cond_cmp(const struct cpu *c, unsigned cc, uint64_t a, uint64_t b, unsigned size)
{
    int64_t sa = bits_sext(a, size * 8), sb = bits_sext(b, size * 8);
    uint64_t ua = a & bits_mask(size * 8), ub = b & bits_mask(size * 8);
    bool r;
    switch (cc >> 1) {
    case 1: r = ua < ub; break;
    case 2: r = ua == ub; break;
    case 3: r = ua <= ub; break;
    case 6: r = sa < sb; break;
    case 7: r = sa <= sb; break;
    default: return flag_cond(c, cc);
    }
    return r ^ (cc & 1);
}
/* After AND, OR, TEST: CF = OF = 0. */
FORCE_INLINE bool cond_logic(const struct cpu *c, unsigned cc, uint64_t r, unsigned size)
{
    int64_t s = bits_sext(r, size * 8);
    bool v;
    switch (cc >> 1) {
    case 0: case 1: v = false; break;
    case 2: case 3: v = s == 0; break;
    case 4: case 6: v = s < 0; break;
    case 7: v = s <= 0; break;
    default: return flag_cond(c, cc);
    }
    return v ^ (cc & 1);
}
#define BRANCH(cond)                                                                              \
    do {                                                                                          \
        if (cond) {                                                                               \
            JUMP_FLAT(1);                                                                         \
        }                                                                                         \
        JUMP_FLAT(0);                                                                             \
    } while (0)

#define H_CMPJ_R(size, cc)                                                                        \
    STAMP(h_cmpj_rr_##size##_##cc)                                                                \
    {                                                                                             \
        uint64_t a = rd(c, op->d, size), b = rd(c, op->s, size);                                  \
        alu_binary(c, ALU_CMP, a, b, size * 8, true);                                             \
        BRANCH(cond_cmp(c, cc, a, b, size));                                                      \
    }                                                                                             \
    STAMP(h_cmpj_ri_##size##_##cc)                                                                \
    {                                                                                             \
        uint64_t a = rd(c, op->d, size), b = op->imm;                                             \
        alu_binary(c, ALU_CMP, a, b, size * 8, true);                                             \
        BRANCH(cond_cmp(c, cc, a, b, size));                                                      \
    }                                                                                             \
    STAMP(h_testj_rr_##size##_##cc)                                                               \
    {                                                                                             \
        uint64_t r = alu_binary(c, ALU_AND, rd(c, op->d, size), rd(c, op->s, size), size * 8,     \
                                true);                                                            \
        BRANCH(cond_logic(c, cc, r, size));                                                       \
    }                                                                                             \
    STAMP(h_testj_ri_##size##_##cc)                                                               \
    {                                                                                             \
        uint64_t r = alu_binary(c, ALU_AND, rd(c, op->d, size), op->imm, size * 8, true);         \
        BRANCH(cond_logic(c, cc, r, size));                                                       \
    }
#define H_CMPJ_M(size, cc, ea)                                                                    \
    STAMP(h_cmpj_rm_##size##_##cc##_##ea)                                                         \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!ea_host(c, op, ea, size, false, &p))) {                                     \
            return uop_slow2(c, op);                                                              \
        }                                                                                         \
        uint64_t a = rd(c, op->d, size), b = host_get(p, size);                                    \
        alu_binary(c, ALU_CMP, a, b, size * 8, true);                                             \
        BRANCH(cond_cmp(c, cc, a, b, size));                                                      \
    }                                                                                             \
    STAMP(h_cmpj_mr_##size##_##cc##_##ea)                                                         \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!ea_host(c, op, ea, size, false, &p))) {                                     \
            return uop_slow2(c, op);                                                              \
        }                                                                                         \
        uint64_t a = host_get(p, size), b = rd(c, op->s, size);                                    \
        alu_binary(c, ALU_CMP, a, b, size * 8, true);                                             \
        BRANCH(cond_cmp(c, cc, a, b, size));                                                      \
    }                                                                                             \
    STAMP(h_cmpj_mi_##size##_##cc##_##ea)                                                         \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!ea_host(c, op, ea, size, false, &p))) {                                     \
            return uop_slow2(c, op);                                                              \
        }                                                                                         \
        uint64_t a = host_get(p, size), b = op->imm;                                               \
        alu_binary(c, ALU_CMP, a, b, size * 8, true);                                             \
        BRANCH(cond_cmp(c, cc, a, b, size));                                                      \
    }                                                                                             \
    STAMP(h_testj_mi_##size##_##cc##_##ea)                                                        \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!ea_host(c, op, ea, size, false, &p))) {                                     \
            return uop_slow2(c, op);                                                              \
        }                                                                                         \
        uint64_t r = alu_binary(c, ALU_AND, host_get(p, size), op->imm, size * 8, true);           \
        BRANCH(cond_logic(c, cc, r, size));                                                       \
    }
#define H_CMPJ(cc)                                                                                \
    H_CMPJ_R(1, cc)                                                                               \
    H_CMPJ_R(2, cc)                                                                               \
    H_CMPJ_R(4, cc)                                                                               \
    H_CMPJ_M(1, cc, EA_B) H_CMPJ_M(4, cc, EA_B) H_CMPJ_M(1, cc, EA_X) H_CMPJ_M(4, cc, EA_X)
CONDITIONS(H_CMPJ)
#define T_R(stem)                                                                                 \
    {stem##_0, stem##_1, stem##_2, stem##_3, stem##_4, stem##_5, stem##_6, stem##_7,              \
     stem##_8, stem##_9, stem##_10, stem##_11, stem##_12, stem##_13, stem##_14, stem##_15}
#define T_ME1(stem, cc) {stem##_##cc##_EA_B, stem##_##cc##_EA_X}
#define T_ME(stem)                                                                                \
    {T_ME1(stem, 0), T_ME1(stem, 1), T_ME1(stem, 2), T_ME1(stem, 3), T_ME1(stem, 4),              \
     T_ME1(stem, 5), T_ME1(stem, 6), T_ME1(stem, 7), T_ME1(stem, 8), T_ME1(stem, 9),              \
     T_ME1(stem, 10), T_ME1(stem, 11), T_ME1(stem, 12), T_ME1(stem, 13), T_ME1(stem, 14),         \
     T_ME1(stem, 15)}
/* [cmp, test][size][cc]; memory: [size 1, 4][cc][address] */
static uop_fn *const cj_rr_tab[2][3][16] = {
    {T_R(h_cmpj_rr_1), T_R(h_cmpj_rr_2), T_R(h_cmpj_rr_4)},
    {T_R(h_testj_rr_1), T_R(h_testj_rr_2), T_R(h_testj_rr_4)}};
static uop_fn *const cj_ri_tab[2][3][16] = {
    {T_R(h_cmpj_ri_1), T_R(h_cmpj_ri_2), T_R(h_cmpj_ri_4)},
    {T_R(h_testj_ri_1), T_R(h_testj_ri_2), T_R(h_testj_ri_4)}};
static uop_fn *const cj_rm_tab[2][16][2] = {T_ME(h_cmpj_rm_1), T_ME(h_cmpj_rm_4)};
static uop_fn *const cj_mr_tab[2][16][2] = {T_ME(h_cmpj_mr_1), T_ME(h_cmpj_mr_4)};
static uop_fn *const cj_mi_tab[2][2][16][2] = {{T_ME(h_cmpj_mi_1), T_ME(h_cmpj_mi_4)},
                                               {T_ME(h_testj_mi_1), T_ME(h_testj_mi_4)}};

/* 32-bit arithmetic on a register, then a branch */
#define H_ARJ(cc)                                                                                 \
    STAMP(h_decj_##cc)                                                                            \
    {                                                                                             \
        uint64_t r = alu_incdec(c, rd(c, op->d, 4), true, 32, true);                              \
        wr(c, op->d, 4, r);                                                                       \
        BRANCH((cc >> 1) == 2 ? ((uint32_t)r == 0) ^ (cc & 1) : flag_cond(c, cc));                \
    }                                                                                             \
    STAMP(h_incj_##cc)                                                                            \
    {                                                                                             \
        uint64_t r = alu_incdec(c, rd(c, op->d, 4), false, 32, true);                             \
        wr(c, op->d, 4, r);                                                                       \
        BRANCH((cc >> 1) == 2 ? ((uint32_t)r == 0) ^ (cc & 1) : flag_cond(c, cc));                \
    }                                                                                             \
    STAMP(h_subj_rr_##cc)                                                                         \
    {                                                                                             \
        uint64_t a = rd(c, op->d, 4), b = rd(c, op->s, 4);                                        \
        wr(c, op->d, 4, alu_binary(c, ALU_SUB, a, b, 32, true));                                  \
        BRANCH(cond_cmp(c, cc, a, b, 4));                                                         \
    }                                                                                             \
    STAMP(h_subj_ri_##cc)                                                                         \
    {                                                                                             \
        uint64_t a = rd(c, op->d, 4), b = op->imm;                                                \
        wr(c, op->d, 4, alu_binary(c, ALU_SUB, a, b, 32, true));                                  \
        BRANCH(cond_cmp(c, cc, a, b, 4));                                                         \
    }                                                                                             \
    STAMP(h_addj_rr_##cc)                                                                         \
    {                                                                                             \
        uint64_t r = alu_binary(c, ALU_ADD, rd(c, op->d, 4), rd(c, op->s, 4), 32, true);          \
        wr(c, op->d, 4, r);                                                                       \
        BRANCH((cc >> 1) == 2 ? ((uint32_t)r == 0) ^ (cc & 1) : flag_cond(c, cc));                \
    }                                                                                             \
    STAMP(h_addj_ri_##cc)                                                                         \
    {                                                                                             \
        uint64_t r = alu_binary(c, ALU_ADD, rd(c, op->d, 4), op->imm, 32, true);                  \
        wr(c, op->d, 4, r);                                                                       \
        BRANCH((cc >> 1) == 2 ? ((uint32_t)r == 0) ^ (cc & 1) : flag_cond(c, cc));                \
    }                                                                                             \
    STAMP(h_andj_rr_##cc)                                                                         \
    {                                                                                             \
        uint64_t r = alu_binary(c, ALU_AND, rd(c, op->d, 4), rd(c, op->s, 4), 32, true);          \
        wr(c, op->d, 4, r);                                                                       \
        BRANCH(cond_logic(c, cc, r, 4));                                                          \
    }                                                                                             \
    STAMP(h_andj_ri_##cc)                                                                         \
    {                                                                                             \
        uint64_t r = alu_binary(c, ALU_AND, rd(c, op->d, 4), op->imm, 32, true);                  \
        wr(c, op->d, 4, r);                                                                       \
        BRANCH(cond_logic(c, cc, r, 4));                                                          \
    }                                                                                             \
    STAMP(h_orj_rr_##cc)                                                                          \
    {                                                                                             \
        uint64_t r = alu_binary(c, ALU_OR, rd(c, op->d, 4), rd(c, op->s, 4), 32, true);           \
        wr(c, op->d, 4, r);                                                                       \
        BRANCH(cond_logic(c, cc, r, 4));                                                          \
    }
CONDITIONS(H_ARJ)
static uop_fn *const decj_tab[16] = T_R(h_decj), *const incj_tab[16] = T_R(h_incj);
static uop_fn *const subj_rr_tab[16] = T_R(h_subj_rr), *const subj_ri_tab[16] = T_R(h_subj_ri);
static uop_fn *const addj_rr_tab[16] = T_R(h_addj_rr), *const addj_ri_tab[16] = T_R(h_addj_ri);
static uop_fn *const andj_rr_tab[16] = T_R(h_andj_rr), *const andj_ri_tab[16] = T_R(h_andj_ri);
static uop_fn *const orj_rr_tab[16] = T_R(h_orj_rr);

/* ---- choosing ---- */
static bool pick_call_ret(struct pick *p, bool flat)
{
    const struct insn *in = p->in;
    const struct opnd *o = &in->o[0];
    int ea;
    p->u.x = p->mode & MODE_STACK32 ? 0xffffffffu : 0xffffu;
    switch (in->op) {
    case OP_ret:
        p->u.imm = o->kind == OPND_IMM ? in->imm & 0xffff : 0;
        p->u.h = flat ? h_ret_1 : in->osize == 2 ? h_ret_0_2 : h_ret_0_4;
        return true;
    case OP_call:
        if (o->kind == OPND_REL) {
            p->u.h = flat ? h_call_1 : in->osize == 2 ? h_call_0_2 : h_call_0_4;
            return true;
        }
        if (!flat) {
            return false;
        }
        if (o->kind == OPND_GPR) {
            p->u.d = pick_reg(o);
            p->u.h = h_call_r;
            return true;
        }
        ea = pick_ea(p);
        p->u.h = ea < 0 ? NULL : call_m_tab[ea];
        return ea >= 0;
    default: /* OP_jmp, indirect */
        if (!flat) {
            return false;
        }
        if (o->kind == OPND_GPR) {
            p->u.d = pick_reg(o);
            p->u.h = h_jmp_r;
            return true;
        }
        ea = pick_ea(p);
        p->u.h = ea < 0 ? NULL : jmp_m_tab[ea];
        return ea >= 0;
    }
}

bool pick_branch(struct pick *p)
{
    const struct insn *in = p->in;
    bool flat_cs = p->mode & MODE_FLAT_CS && in->osize == 4;
    bool flat_ss = (p->mode & (MODE_FLAT_SS | MODE_STACK32)) == (MODE_FLAT_SS | MODE_STACK32);
    if (in->osize > 4) {
        return false;
    }
    switch (in->op) {
    case OP_jcc:
        p->u.h = jcc_tab[flat_cs][in->cc & 15];
        return true;
    case OP_loop:
        p->u.x = (uint32_t)bits_mask(in->asize * 8u);
        p->u.h = flat_cs ? h_loop_1 : h_loop_0;
        return true;
    case OP_jcxz:
        p->u.x = (uint32_t)bits_mask(in->asize * 8u);
        p->u.h = flat_cs ? h_jcxz_1 : h_jcxz_0;
        return true;
    case OP_jmp:
        if (in->o[0].kind == OPND_REL) {
            p->u.h = flat_cs ? h_jmp_1 : h_jmp_0;
            return true;
        }
        return pick_call_ret(p, flat_cs);
    case OP_call:
    case OP_ret: return pick_call_ret(p, flat_cs && flat_ss);
    default: return false;
    }
}

static bool pick_compare(struct pick *p, unsigned test, unsigned cc)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    int sz = pick_size(d->size), ea;
    if (sz < 0) {
        return false;
    }
    if (pick_is_reg(d)) {
        p->u.d = pick_reg(d);
        if (pick_is_reg(s)) {
            p->u.s = pick_reg(s);
            p->u.h = cj_rr_tab[test][sz][cc];
            return true;
        }
        if (s->kind == OPND_IMM) {
            p->u.h = cj_ri_tab[test][sz][cc];
            return true;
        }
        ea = test || sz == 1 ? -1 : pick_ea(p);
        p->u.h = ea < 0 || ea == EA_S ? NULL : cj_rm_tab[sz / 2][cc][ea];
        return p->u.h != NULL;
    }
    ea = sz == 1 ? -1 : pick_ea(p);
    if (ea < 0 || ea == EA_S) {
        return false;
    }
    if (s->kind == OPND_IMM) {
        p->u.h = cj_mi_tab[test][sz / 2][cc][ea];
        return true;
    }
    p->u.s = pick_reg(s);
    p->u.h = test ? NULL : cj_mr_tab[sz / 2][cc][ea];
    return p->u.h != NULL;
}

bool pick_fused(struct pick *p, const struct insn *jcc)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0], *s = &in->o[1];
    unsigned cc = jcc->cc & 15;
    if (jcc->op != OP_jcc || !(p->mode & MODE_FLAT_CS) || jcc->osize != 4) {
        return false;
    }
    p->u.imm = (uint32_t)in->imm;
    if (d->size < 4) {
        p->u.imm &= (uint32_t)bits_mask(d->size * 8u);
    }
    if (in->op == OP_cmp || in->op == OP_test) {
        return pick_compare(p, in->op == OP_test, cc);
    }
    if (d->kind != OPND_GPR || d->size != 4) {
        return false;
    }
    p->u.d = pick_reg(d);
    if (in->op == OP_dec || in->op == OP_inc) {
        p->u.h = (in->op == OP_dec ? decj_tab : incj_tab)[cc];
        return true;
    }
    bool reg = s->kind == OPND_GPR, imm = s->kind == OPND_IMM;
    if (!reg && !imm) {
        return false;
    }
    p->u.s = reg ? pick_reg(s) : 0;
    switch (in->op) {
    case OP_sub: p->u.h = (reg ? subj_rr_tab : subj_ri_tab)[cc]; return true;
    case OP_add: p->u.h = (reg ? addj_rr_tab : addj_ri_tab)[cc]; return true;
    case OP_and: p->u.h = (reg ? andj_rr_tab : andj_ri_tab)[cc]; return true;
    case OP_or: p->u.h = orj_rr_tab[cc]; return reg;
    default: return false;
    }
}
