/* Fast handlers that end a block: near JMP, Jcc, CALL, RET, and compare-and-branch in one.
 * Flat code segments with 32-bit targets and 64-bit mode share handlers; the others check the
 * limit.  A uterm stands behind each direct branch. */
#include "cpu/interp/uop.h"

#define TERM ((const struct uterm *)(const void *)(op + 1))
#define CONDITIONS(X)                                                                             \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

/* Inside a page nothing wraps around; on the way to another one h_cross cuts EIP to 32 bits.  In
 * 64-bit mode no direct branch of such a block leaves the canonical addresses (MODE_EDGE). */
FORCE_INLINE void go_flat(struct cpu *c, const struct uop *op, unsigned w)
{
    c->s.rip += (uint64_t)(int64_t)TERM->delta[w];
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
    /* a 16-bit count leaves the rest alone, a 32-bit one makes it 0 */
    c->s.gpr[REG_CX] = (c->s.gpr[REG_CX] & ~(uint64_t)(int64_t)(int32_t)op->x) | n;
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
 * op->imm: from the block's start to the return address. */
FORCE_INLINE bool call_push(struct cpu *c, const struct uop *op, unsigned size, enum stack st)
{
    return stack_push_v(c, op, size, st, c->s.rip + op->imm);
}
#define H_CALL(size, st)                                                                          \
    STAMP(h_call_##st)                                                                            \
    {                                                                                             \
        if (UNLIKELY(!call_push(c, op, size, st))) {                                              \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        JUMP_FLAT(1);                                                                             \
    }
H_CALL(4, STACK_F)
H_CALL(8, STACK_Q)
#define H_CALL_SEG(size)                                                                          \
    STAMP(h_call_0_##size)                                                                        \
    {                                                                                             \
        uint64_t at = c->s.rip;                                                                   \
        if (!go_seg(c, op, 1)) {                                                                  \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        uint64_t to = c->s.rip;                                                                   \
        c->s.rip = at;                                                                            \
        if (UNLIKELY(!call_push(c, op, size, STACK_S))) {                                         \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = to;                                                                            \
        GO_LINK_SEG(1);                                                                           \
    }
H_CALL_SEG(2)
H_CALL_SEG(4)

/* Look the target up before anything changes: a block is there only for canonical addresses, so a
 * hit needs no check. */
#define FIND_INDIRECT(to_, lin_)                                                                  \
    struct block *to_ = jc_find_lin(c, c->engine, lin_);                                          \
    if (UNLIKELY(!to_) && (uint64_t)bits_sext(lin_, 48) != (lin_)) {                              \
        return uop_generic_end(c, op);                                                            \
    }
#define GO_INDIRECT(to_)                                                                          \
    do {                                                                                          \
        if (UNLIKELY(!(to_))) {                                                                   \
            LEAVE;                                                                                \
        }                                                                                         \
        ENTER(to_);                                                                               \
    } while (0)
#define GO_INDIRECT_SEG                                                                           \
    do {                                                                                          \
        struct block *to_ =                                                                       \
            jc_find_lin(c, c->engine, (uint32_t)(c->s.seg[SEG_CS].base + c->s.rip));              \
        if (UNLIKELY(!to_)) {                                                                     \
            LEAVE;                                                                                \
        }                                                                                         \
        ENTER_SEG(to_);                                                                           \
    } while (0)
#define H_RET_SEG(size)                                                                           \
    STAMP(h_ret_0_##size)                                                                         \
    {                                                                                             \
        uint8_t *p;                                                                               \
        uint64_t sp = stack_reg(c, op, STACK_S, REG_SP);                                          \
        if (UNLIKELY(!stack_host(c, STACK_S, sp, size, false, &p)) ||                             \
            UNLIKELY(host_get(p, size) > c->s.seg[SEG_CS].limit)) {                               \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = host_get(p, size);                                                             \
        stack_set(c, op, STACK_S, sp + size + op->imm);                                           \
        GO_INDIRECT_SEG;                                                                          \
    }
H_RET_SEG(2)
H_RET_SEG(4)

#define H_INDIRECT_M(size, st, ea)                                                                \
    STAMP(h_jmp_m_##ea)                                                                           \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!ea_host(c, op, ea, size, false, &p))) {                                     \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        uint64_t lin = host_get(p, size);                                                         \
        FIND_INDIRECT(to, lin)                                                                    \
        c->s.rip = lin;                                                                           \
        GO_INDIRECT(to);                                                                          \
    }                                                                                             \
    STAMP(h_call_m_##ea)                                                                          \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!ea_host(c, op, ea, size, false, &p))) {                                     \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        uint64_t lin = host_get(p, size);                                                         \
        FIND_INDIRECT(to, lin)                                                                    \
        if (UNLIKELY(!call_push(c, op, size, st))) {                                              \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = lin;                                                                           \
        GO_INDIRECT(to);                                                                          \
    }
/* op->imm of RET: bytes to drop from the stack beside the return address */
#define H_INDIRECT(size, st, each)                                                                \
    STAMP(h_ret_##st)                                                                             \
    {                                                                                             \
        uint8_t *p;                                                                               \
        uint64_t sp = stack_reg(c, op, st, REG_SP);                                               \
        if (UNLIKELY(!stack_host(c, st, sp, size, false, &p))) {                                  \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        uint64_t lin = host_get(p, size);                                                         \
        FIND_INDIRECT(to, lin)                                                                    \
        stack_set(c, op, st, sp + size + op->imm);                                                \
        c->s.rip = lin;                                                                           \
        GO_INDIRECT(to);                                                                          \
    }                                                                                             \
    STAMP(h_jmp_r_##st)                                                                           \
    {                                                                                             \
        uint64_t lin = rd(c, op->d, size);                                                        \
        FIND_INDIRECT(to, lin)                                                                    \
        c->s.rip = lin;                                                                           \
        GO_INDIRECT(to);                                                                          \
    }                                                                                             \
    STAMP(h_call_r_##st)                                                                          \
    {                                                                                             \
        uint64_t lin = rd(c, op->d, size);                                                        \
        FIND_INDIRECT(to, lin)                                                                    \
        if (UNLIKELY(!call_push(c, op, size, st))) {                                              \
            return uop_generic_end(c, op);                                                        \
        }                                                                                         \
        c->s.rip = lin;                                                                           \
        GO_INDIRECT(to);                                                                          \
    }                                                                                             \
    each(H_INDIRECT_M, size, st)
H_INDIRECT(4, STACK_F, EACH_EA32)
H_INDIRECT(8, STACK_Q, EACH_EA64)
static uop_fn *const jmp_m_tab[EA_COUNT] = T_EA(h_jmp_m), *const call_m_tab[EA_COUNT] =
                                                              T_EA(h_call_m);

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
        uint64_t a = rd(c, op->d, size), b = op_imm(op, size);                                    \
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
        uint64_t a = rd(c, op->d, size), b = op_imm(op, size);                                    \
        uint64_t r = alu_binary(c, ALU_AND, a, b, size * 8, true);                                \
        BRANCH(cond_logic(c, cc, r, size));                                                       \
    }
#define H_CMPJ_M(size, cc, ea)                                                                   \
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
        uint64_t a = host_get(p, size), b = op_imm(op, size);                                     \
        alu_binary(c, ALU_CMP, a, b, size * 8, true);                                             \
        BRANCH(cond_cmp(c, cc, a, b, size));                                                      \
    }                                                                                             \
    STAMP(h_testj_mi_##size##_##cc##_##ea)                                                        \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!ea_host(c, op, ea, size, false, &p))) {                                     \
            return uop_slow2(c, op);                                                              \
        }                                                                                         \
        uint64_t a = host_get(p, size), b = op_imm(op, size);                                     \
        uint64_t r = alu_binary(c, ALU_AND, a, b, size * 8, true);                                \
        BRANCH(cond_logic(c, cc, r, size));                                                       \
    }
#define H_CMPJ(cc)                                                                                \
    H_CMPJ_R(1, cc)                                                                               \
    H_CMPJ_R(2, cc)                                                                               \
    H_CMPJ_R(4, cc)                                                                               \
    H_CMPJ_R(8, cc)                                                                               \
    H_CMPJ_M(1, cc, EA_B) H_CMPJ_M(4, cc, EA_B) H_CMPJ_M(1, cc, EA_X) H_CMPJ_M(4, cc, EA_X)       \
    H_CMPJ_M(1, cc, EA_Q) H_CMPJ_M(4, cc, EA_Q) H_CMPJ_M(8, cc, EA_Q)
CONDITIONS(H_CMPJ)
#define T_R(stem)                                                                                 \
    {stem##_0, stem##_1, stem##_2, stem##_3, stem##_4, stem##_5, stem##_6, stem##_7,              \
     stem##_8, stem##_9, stem##_10, stem##_11, stem##_12, stem##_13, stem##_14, stem##_15}
#define T_ME(T, stem)                                                                             \
    {T(stem, 0), T(stem, 1), T(stem, 2), T(stem, 3), T(stem, 4), T(stem, 5), T(stem, 6),          \
     T(stem, 7), T(stem, 8), T(stem, 9), T(stem, 10), T(stem, 11), T(stem, 12), T(stem, 13),      \
     T(stem, 14), T(stem, 15)}
#define T_ME4(stem, cc) {stem##_##cc##_EA_B, stem##_##cc##_EA_X, NULL, stem##_##cc##_EA_Q}
#define T_ME8(stem, cc) {NULL, NULL, NULL, stem##_##cc##_EA_Q}
#define T_CR(name) {T_R(h_##name##_1), T_R(h_##name##_2), T_R(h_##name##_4), T_R(h_##name##_8)}
#define T_CM(name)                                                                                \
    {T_ME(T_ME4, h_##name##_1), {{NULL}}, T_ME(T_ME4, h_##name##_4), T_ME(T_ME8, h_##name##_8)}
/* [cmp, test][size][cc]; memory: and [address] */
static uop_fn *const cj_rr_tab[2][4][16] = {T_CR(cmpj_rr), T_CR(testj_rr)};
static uop_fn *const cj_ri_tab[2][4][16] = {T_CR(cmpj_ri), T_CR(testj_ri)};
static uop_fn *const cj_rm_tab[4][16][EA_COUNT] = T_CM(cmpj_rm);
static uop_fn *const cj_mr_tab[4][16][EA_COUNT] = T_CM(cmpj_mr);
static uop_fn *const cj_mi_tab[2][4][16][EA_COUNT] = {T_CM(cmpj_mi), T_CM(testj_mi)};

/* Arithmetic on a 32- or 64-bit register, then a branch.  Only ZF comes straight from a sum. */
FORCE_INLINE bool cond_sum(const struct cpu *c, unsigned cc, uint64_t r, unsigned size)
{
    return (cc >> 1) == 2 ? ((r & bits_mask(size * 8)) == 0) ^ (cc & 1) : flag_cond(c, cc);
}
#define H_ARJ1(name, size, cc, b_, k, cond)                                                       \
    STAMP(h_##name##_##size##_##cc)                                                               \
    {                                                                                             \
        uint64_t a = rd(c, op->d, size), b = b_;                                                  \
        uint64_t r = alu_binary(c, k, a, b, size * 8, true);                                      \
        wr(c, op->d, size, r);                                                                    \
        BRANCH(cond);                                                                             \
    }
#define H_ARJ(size, cc)                                                                           \
    STAMP(h_decj_##size##_##cc)                                                                   \
    {                                                                                             \
        uint64_t r = alu_incdec(c, rd(c, op->d, size), true, size * 8, true);                     \
        wr(c, op->d, size, r);                                                                    \
        BRANCH(cond_sum(c, cc, r, size));                                                         \
    }                                                                                             \
    STAMP(h_incj_##size##_##cc)                                                                   \
    {                                                                                             \
        uint64_t r = alu_incdec(c, rd(c, op->d, size), false, size * 8, true);                    \
        wr(c, op->d, size, r);                                                                    \
        BRANCH(cond_sum(c, cc, r, size));                                                         \
    }                                                                                             \
    H_ARJ1(subj_rr, size, cc, rd(c, op->s, size), ALU_SUB, cond_cmp(c, cc, a, b, size))           \
    H_ARJ1(subj_ri, size, cc, op_imm(op, size), ALU_SUB, cond_cmp(c, cc, a, b, size))             \
    H_ARJ1(addj_rr, size, cc, rd(c, op->s, size), ALU_ADD, cond_sum(c, cc, r, size))              \
    H_ARJ1(addj_ri, size, cc, op_imm(op, size), ALU_ADD, cond_sum(c, cc, r, size))                \
    H_ARJ1(andj_rr, size, cc, rd(c, op->s, size), ALU_AND, cond_logic(c, cc, r, size))            \
    H_ARJ1(andj_ri, size, cc, op_imm(op, size), ALU_AND, cond_logic(c, cc, r, size))              \
    H_ARJ1(orj_rr, size, cc, rd(c, op->s, size), ALU_OR, cond_logic(c, cc, r, size))
#define H_ARJS(cc) H_ARJ(4, cc) H_ARJ(8, cc)
CONDITIONS(H_ARJS)
/* [size 4, 8][cc] */
#define T_ARJ(name) {T_R(h_##name##_4), T_R(h_##name##_8)}
static uop_fn *const decj_tab[2][16] = T_ARJ(decj), *const incj_tab[2][16] = T_ARJ(incj);
static uop_fn *const subj_rr_tab[2][16] = T_ARJ(subj_rr), *const subj_ri_tab[2][16] =
                                                              T_ARJ(subj_ri);
static uop_fn *const addj_rr_tab[2][16] = T_ARJ(addj_rr), *const addj_ri_tab[2][16] =
                                                              T_ARJ(addj_ri);
static uop_fn *const andj_rr_tab[2][16] = T_ARJ(andj_rr), *const andj_ri_tab[2][16] =
                                                              T_ARJ(andj_ri);
static uop_fn *const orj_rr_tab[2][16] = T_ARJ(orj_rr);

/* ---- choosing ---- */
/* Branches that the flat handlers do: the segment's limit does not matter and the target has all
 * bits.  (A 66h prefix on a near branch differs between makers in 64-bit mode: generic.) */
static bool pick_flat_cs(const struct pick *p, const struct insn *in)
{
    return p->mode & MODE_CODE64
               ? in->osize == 8 && !(in->flags & INSN_66) && !(p->mode & MODE_EDGE)
               : p->mode & MODE_FLAT_CS && in->osize == 4;
}

static bool pick_call_ret(struct pick *p, bool flat)
{
    const struct insn *in = p->in;
    const struct opnd *o = &in->o[0];
    bool q = p->mode & MODE_CODE64;
    int ea;
    p->u.x = p->mode & MODE_STACK32 ? 0xffffffffu : 0xffffu;
    if (in->op == OP_ret) {
        p->u.imm = o->kind == OPND_IMM ? in->imm & 0xffff : 0;
        p->u.h = q              ? h_ret_STACK_Q
                 : flat         ? h_ret_STACK_F
                 : in->osize == 2 ? h_ret_0_2
                                : h_ret_0_4;
        return true;
    }
    bool call = in->op == OP_call;
    if (call && o->kind == OPND_REL) {
        p->u.h = q              ? h_call_STACK_Q
                 : flat         ? h_call_STACK_F
                 : in->osize == 2 ? h_call_0_2
                                : h_call_0_4;
        return true;
    }
    if (!flat) {
        return false;
    }
    if (o->kind == OPND_GPR) {
        p->u.d = pick_reg(o);
        p->u.h = call ? q ? h_call_r_STACK_Q : h_call_r_STACK_F
                      : q ? h_jmp_r_STACK_Q : h_jmp_r_STACK_F;
        return true;
    }
    ea = pick_ea(p);
    p->u.h = ea < 0 ? NULL : (call ? call_m_tab : jmp_m_tab)[ea];
    return ea >= 0;
}

bool pick_branch(struct pick *p)
{
    const struct insn *in = p->in;
    bool flat_cs = pick_flat_cs(p, in);
    if (p->mode & MODE_CODE64 && !flat_cs) {
        return false;
    }
    switch (in->op) {
    case OP_jcc:
        p->u.h = jcc_tab[flat_cs][in->cc & 15];
        return true;
    case OP_loop:
    case OP_jcxz:
        p->u.x = (uint32_t)bits_mask(in->asize * 8u);
        p->u.h = in->op == OP_loop ? flat_cs ? h_loop_1 : h_loop_0 : flat_cs ? h_jcxz_1 : h_jcxz_0;
        return in->asize <= 4;
    case OP_jmp:
        if (in->o[0].kind == OPND_REL) {
            p->u.h = flat_cs ? h_jmp_1 : h_jmp_0;
            return true;
        }
        return pick_call_ret(p, flat_cs);
    case OP_call:
    case OP_ret: return pick_call_ret(p, flat_cs && pick_stack_kind(p) != STACK_S);
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
    if (pick_is_reg(d) && s->kind != OPND_MEM) {
        p->u.d = pick_reg(d);
        p->u.s = pick_is_reg(s) ? pick_reg(s) : 0;
        p->u.h = (pick_is_reg(s) ? cj_rr_tab : cj_ri_tab)[test][sz][cc];
        return true;
    }
    ea = pick_ea(p);
    if (ea < 0) {
        return false;
    }
    if (pick_is_reg(d)) {
        p->u.d = pick_reg(d);
        p->u.h = test ? NULL : cj_rm_tab[sz][cc][ea];
    } else if (s->kind == OPND_IMM) {
        p->u.h = cj_mi_tab[test][sz][cc][ea];
    } else {
        p->u.s = pick_reg(s);
        p->u.h = test ? NULL : cj_mr_tab[sz][cc][ea];
    }
    return p->u.h != NULL;
}

bool pick_fused(struct pick *p, const struct insn *jcc)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0], *s = &in->o[1];
    unsigned cc = jcc->cc & 15;
    if (jcc->op != OP_jcc || !pick_flat_cs(p, jcc) ||
        (s->kind == OPND_IMM && !pick_imm(p, d->size))) {
        return false;
    }
    if (in->op == OP_cmp || in->op == OP_test) {
        return pick_compare(p, in->op == OP_test, cc);
    }
    if (d->kind != OPND_GPR || d->size < 4) {
        return false;
    }
    bool q = d->size == 8;
    p->u.d = pick_reg(d);
    if (in->op == OP_dec || in->op == OP_inc) {
        p->u.h = (in->op == OP_dec ? decj_tab : incj_tab)[q][cc];
        return true;
    }
    bool reg = s->kind == OPND_GPR, imm = s->kind == OPND_IMM;
    if (!reg && !imm) {
        return false;
    }
    p->u.s = reg ? pick_reg(s) : 0;
    switch (in->op) {
    case OP_sub: p->u.h = (reg ? subj_rr_tab : subj_ri_tab)[q][cc]; return true;
    case OP_add: p->u.h = (reg ? addj_rr_tab : addj_ri_tab)[q][cc]; return true;
    case OP_and: p->u.h = (reg ? andj_rr_tab : andj_ri_tab)[q][cc]; return true;
    case OP_or: p->u.h = orj_rr_tab[q][cc]; return reg;
    default: return false;
    }
}
