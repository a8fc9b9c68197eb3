/* Handlers for one combination of registers each: the register's place is a constant, so two loads
 * of the micro-op fall away.  Only the forms that measured hottest; all 32-bit, flat.  Same
 * meanings, same slow twins as the general forms, which they replace after those were chosen. */
#include "cpu/interp/uop.h"

#define EACH(X, ...)                                                                              \
    X(0, __VA_ARGS__)                                                                             \
    X(1, __VA_ARGS__)                                                                             \
    X(2, __VA_ARGS__) X(3, __VA_ARGS__) X(4, __VA_ARGS__) X(5, __VA_ARGS__) X(6, __VA_ARGS__)     \
        X(7, __VA_ARGS__)
/* a second level, because a macro does not expand inside itself */
#define EACH2(X, ...)                                                                             \
    X(0, __VA_ARGS__)                                                                             \
    X(1, __VA_ARGS__)                                                                             \
    X(2, __VA_ARGS__) X(3, __VA_ARGS__) X(4, __VA_ARGS__) X(5, __VA_ARGS__) X(6, __VA_ARGS__)     \
        X(7, __VA_ARGS__)
#define T8(stem)                                                                                  \
    {stem##_0, stem##_1, stem##_2, stem##_3, stem##_4, stem##_5, stem##_6, stem##_7}
#define T88(stem)                                                                                 \
    {T8(stem##_0), T8(stem##_1), T8(stem##_2), T8(stem##_3), T8(stem##_4), T8(stem##_5),          \
     T8(stem##_6), T8(stem##_7)}

/* ---- arithmetic: [live][d][s] and [live][d] ---- */
#define R_ALU_RR(s, d, name, k, live)                                                             \
    STAMP(h_##name##_##live##_##d##_##s)                                                          \
    {                                                                                             \
        uint64_t r = alu_binary(c, k, rd(c, (d)*8, 4), rd(c, (s)*8, 4), 32, live);                \
        if ((k) != ALU_CMP) {                                                                     \
            wr(c, (d)*8, 4, r);                                                                   \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define R_ALU_RI(d, name, k, live)                                                                \
    STAMP(h_##name##_i_##live##_##d)                                                              \
    {                                                                                             \
        uint64_t r = alu_binary(c, k, rd(c, (d)*8, 4), op->imm, 32, live);                        \
        if ((k) != ALU_CMP) {                                                                     \
            wr(c, (d)*8, 4, r);                                                                   \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define R_ALU_D(d, name, k, live)                                                                 \
    EACH2(R_ALU_RR, d, name, k, live)                                                             \
    R_ALU_RI(d, name, k, live)
#define R_ALU(name, k)                                                                            \
    EACH(R_ALU_D, name, k, 0)                                                                     \
    EACH(R_ALU_D, name, k, 1)
R_ALU(add, ALU_ADD)
R_ALU(or, ALU_OR)
R_ALU(and, ALU_AND)
R_ALU(sub, ALU_SUB)
R_ALU(xor, ALU_XOR)
R_ALU(cmp, ALU_CMP)
#define T_ALU(name) {T88(h_##name##_0), T88(h_##name##_1)}
#define T_ALU_I(name) {T8(h_##name##_i_0), T8(h_##name##_i_1)}
static uop_fn *const reg_alu_rr[8][2][8][8] = {
    [ALU_ADD] = T_ALU(add), [ALU_OR] = T_ALU(or), [ALU_AND] = T_ALU(and), [ALU_SUB] = T_ALU(sub),
    [ALU_XOR] = T_ALU(xor), [ALU_CMP] = T_ALU(cmp)};
static uop_fn *const reg_alu_ri[8][2][8] = {
    [ALU_ADD] = T_ALU_I(add), [ALU_OR] = T_ALU_I(or), [ALU_AND] = T_ALU_I(and),
    [ALU_SUB] = T_ALU_I(sub), [ALU_XOR] = T_ALU_I(xor), [ALU_CMP] = T_ALU_I(cmp)};

/* ---- INC, DEC, shifts: [live][d] ---- */
#define R_UN(d, live)                                                                             \
    STAMP(h_inc_##live##_##d)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, alu_incdec(c, rd(c, (d)*8, 4), false, 32, live));                         \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_dec_##live##_##d)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, alu_incdec(c, rd(c, (d)*8, 4), true, 32, live));                          \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_shl_##live##_##d)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, alu_shl(c, rd(c, (d)*8, 4), op->imm, 32, live));                          \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_shr_##live##_##d)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, alu_shr(c, rd(c, (d)*8, 4), op->imm, 32, live));                          \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_sar_##live##_##d)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, alu_sar(c, rd(c, (d)*8, 4), op->imm, 32, live));                          \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_rol_##live##_##d)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, alu_rol(c, rd(c, (d)*8, 4), op->imm, 32, live));                          \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_ror_##live##_##d)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, alu_ror(c, rd(c, (d)*8, 4), op->imm, 32, live));                          \
        NEXT;                                                                                     \
    }
EACH(R_UN, 0)
EACH(R_UN, 1)
#define T_UN(name) {T8(h_##name##_0), T8(h_##name##_1)}
static uop_fn *const reg_inc[2][8] = T_UN(inc), *const reg_dec[2][8] = T_UN(dec);
static uop_fn *const reg_shl[2][8] = T_UN(shl), *const reg_shr[2][8] = T_UN(shr);
static uop_fn *const reg_sar[2][8] = T_UN(sar), *const reg_rol[2][8] = T_UN(rol);
static uop_fn *const reg_ror[2][8] = T_UN(ror);

/* ---- MOV, LEA: [d][s] or [d][base] ---- */
FORCE_INLINE bool reg_host(const struct cpu *c, const struct uop *op, unsigned base, unsigned size,
                           bool write, uint8_t **p)
{
    return lin_host(c, (uint32_t)(rd(c, base * 8, 4) + (uint32_t)op->disp), size, write, p);
}
#define R_MOV(s, d)                                                                               \
    STAMP(h_mov_rr_##d##_##s)                                                                     \
    {                                                                                             \
        wr(c, (d)*8, 4, rd(c, (s)*8, 4));                                                         \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_lea_##d##_##s)                                                                        \
    {                                                                                             \
        wr(c, (d)*8, 4, rd(c, (s)*8, 4) + (uint32_t)op->disp);                                    \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_mov_rm_##d##_##s)                                                                     \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!reg_host(c, op, s, 4, false, &p))) {                                        \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        wr(c, (d)*8, 4, host_get(p, 4));                                                          \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_mov_mr_##d##_##s)                                                                     \
    {                                                                                             \
        uint8_t *p;                                                                               \
        if (UNLIKELY(!reg_host(c, op, s, 4, true, &p))) {                                         \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        host_put(p, rd(c, (d)*8, 4), 4);                                                          \
        NEXT;                                                                                     \
    }
#define R_MOV_D(d, ...) EACH2(R_MOV, d)
EACH(R_MOV_D, 0)
static uop_fn *const reg_mov_rr[8][8] = T88(h_mov_rr), *const reg_lea[8][8] = T88(h_lea);
static uop_fn *const reg_mov_rm[8][8] = T88(h_mov_rm), *const reg_mov_mr[8][8] = T88(h_mov_mr);

/* ---- one register: MOV imm, PUSH, POP, zero-extending loads by destination ---- */
#define R_ONE(d, ...)                                                                             \
    STAMP(h_mov_ri_##d)                                                                           \
    {                                                                                             \
        wr(c, (d)*8, 4, op->imm);                                                                 \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_push_##d)                                                                             \
    {                                                                                             \
        uint8_t *p;                                                                               \
        uint64_t sp = (uint32_t)(rd(c, REG_SP * 8, 4) - 4);                                       \
        if (UNLIKELY(!lin_host(c, sp, 4, true, &p))) {                                            \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        host_put(p, rd(c, (d)*8, 4), 4);                                                          \
        c->s.gpr[REG_SP] = sp;                                                                    \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_pop_##d)                                                                              \
    {                                                                                             \
        uint8_t *p;                                                                               \
        uint64_t sp = rd(c, REG_SP * 8, 4);                                                       \
        if (UNLIKELY(!lin_host(c, sp, 4, false, &p))) {                                           \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        c->s.gpr[REG_SP] = (uint32_t)(sp + 4);                                                    \
        wr(c, (d)*8, 4, host_get(p, 4));                                                          \
        NEXT;                                                                                     \
    }
EACH(R_ONE, 0)
static uop_fn *const reg_mov_ri[8] = T8(h_mov_ri);
static uop_fn *const reg_push[8] = T8(h_push), *const reg_pop[8] = T8(h_pop);

/* ---- runs of pushes and pops: one check for all (flat stack) ----
 * op->x: how many.  Registers by instruction: a nibble each in op->imm, the first lowest.  ESP
 * itself is not among them.  The slow twin does them one by one. */
#ifdef __clang__
#define KEEP_LOOP _Pragma("clang loop unroll(disable) vectorize(disable)")
#else
#define KEEP_LOOP
#endif
#define H_RUN(size, st)                                                                           \
    STAMP(h_push_run_##size)                                                                      \
    {                                                                                             \
        uint8_t *p;                                                                               \
        unsigned len = size * op->x;                                                              \
        uint64_t sp = stack_reg(c, op, st, REG_SP) - len;                                         \
        sp = st == STACK_F ? (uint32_t)sp : sp;                                                   \
        if (UNLIKELY(!lin_host(c, sp, size, true, &p)) ||                                         \
            UNLIKELY((sp & PAGE_MASK) + len > PAGE_SIZE)) {                                       \
            return uop_run(c, op);                                                                \
        }                                                                                         \
        uint32_t regs = op->imm;                                                                  \
        KEEP_LOOP                                                                                 \
        for (uint8_t *q = p + len; q != p; regs >>= 4) {                                          \
            q -= size;                                                                            \
            host_put(q, c->s.gpr[regs & 15], size);                                               \
        }                                                                                         \
        stack_set(c, op, st, sp);                                                                 \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_pop_run_##size)                                                                       \
    {                                                                                             \
        uint8_t *p;                                                                               \
        unsigned len = size * op->x;                                                              \
        uint64_t sp = stack_reg(c, op, st, REG_SP);                                               \
        if (UNLIKELY(!lin_host(c, sp, size, false, &p)) ||                                        \
            UNLIKELY((sp & PAGE_MASK) + len > PAGE_SIZE)) {                                       \
            return uop_run(c, op);                                                                \
        }                                                                                         \
        uint32_t regs = op->imm;                                                                  \
        KEEP_LOOP                                                                                 \
        for (uint8_t *end = p + len; p != end; p += size, regs >>= 4) {                           \
            c->s.gpr[regs & 15] = host_get(p, size);                                              \
        }                                                                                         \
        stack_set(c, op, st, sp + len);                                                           \
        NEXT;                                                                                     \
    }
H_RUN(4, STACK_F)
H_RUN(8, STACK_Q)

/* ---- choosing ---- */
static bool reg_is(const struct opnd *o)
{
    return o->kind == OPND_GPR && o->size == 4 && o->reg < 8;
}

static uop_fn *reg_binary(const struct pick *p, enum alu_op k)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    if (!reg_is(d)) {
        return NULL;
    }
    if (s->kind == OPND_IMM) {
        return reg_alu_ri[k][p->live][d->reg];
    }
    return reg_is(s) ? reg_alu_rr[k][p->live][d->reg][s->reg] : NULL;
}

static bool reg_flat_base(const struct pick *p)
{
    return p->ea == EA_B && p->in->base < 8;
}

static uop_fn *reg_mov(const struct pick *p)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    if (reg_is(d)) {
        if (s->kind == OPND_IMM) {
            return reg_mov_ri[d->reg];
        }
        if (s->kind == OPND_MEM) {
            return reg_flat_base(p) ? reg_mov_rm[d->reg][p->in->base] : NULL;
        }
        return reg_is(s) ? reg_mov_rr[d->reg][s->reg] : NULL;
    }
    return d->kind == OPND_MEM && reg_is(s) && reg_flat_base(p)
               ? reg_mov_mr[s->reg][p->in->base] : NULL;
}

static uop_fn *reg_shift(const struct pick *p, uop_fn *const tab[2][8])
{
    const struct opnd *d = &p->in->o[0];
    return reg_is(d) && p->in->o[1].kind == OPND_IMM ? tab[p->live][d->reg] : NULL;
}

static bool reg_flat_stack(const struct pick *p)
{
    const uint32_t flat = MODE_FLAT_SS | MODE_STACK32;
    return (p->mode & flat) == flat && p->in->osize == 4;
}

void pick_registers(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0];
    uop_fn *h = NULL;
    switch (in->op) {
    case OP_add: h = reg_binary(p, ALU_ADD); break;
    case OP_or: h = reg_binary(p, ALU_OR); break;
    case OP_and: h = reg_binary(p, ALU_AND); break;
    case OP_sub: h = reg_binary(p, ALU_SUB); break;
    case OP_xor: h = reg_binary(p, ALU_XOR); break;
    case OP_cmp: h = reg_binary(p, ALU_CMP); break;
    case OP_inc: h = reg_is(d) ? reg_inc[p->live][d->reg] : NULL; break;
    case OP_dec: h = reg_is(d) ? reg_dec[p->live][d->reg] : NULL; break;
    case OP_shl: h = reg_shift(p, reg_shl); break;
    case OP_shr: h = reg_shift(p, reg_shr); break;
    case OP_sar: h = reg_shift(p, reg_sar); break;
    case OP_rol: h = reg_shift(p, reg_rol); break;
    case OP_ror: h = reg_shift(p, reg_ror); break;
    case OP_mov: h = reg_mov(p); break;
    case OP_lea:
        h = reg_is(d) && in->asize == 4 && in->base < 8 && in->index == INSN_NOREG
                ? reg_lea[d->reg][in->base] : NULL;
        break;
    case OP_push: h = reg_is(d) && reg_flat_stack(p) ? reg_push[d->reg] : NULL; break;
    case OP_pop: h = reg_is(d) && reg_flat_stack(p) ? reg_pop[d->reg] : NULL; break;
    default: break;
    }
    if (h) {
        p->u.h = h;
    }
}

unsigned pick_run(struct pick *p, const struct binsn *first, unsigned most)
{
    unsigned op = first->in.op, n = 0;
    enum stack st = pick_stack_kind(p);
    unsigned size = st == STACK_Q ? 8 : 4;
    if ((op != OP_push && op != OP_pop) || st == STACK_S) {
        return 0;
    }
    p->u.imm = 0;
    while (n < most && n < 8) {
        const struct insn *in = &first[n].in;
        if (in->op != op || in->osize != size || in->o[0].kind != OPND_GPR ||
            in->o[0].reg == REG_SP) {
            break;
        }
        p->u.imm |= (uint32_t)in->o[0].reg << (4 * n++);
    }
    p->u.x = n;
    p->u.h = op == OP_push ? size == 8 ? h_push_run_8 : h_push_run_4
                           : size == 8 ? h_pop_run_8 : h_pop_run_4;
    return n;
}
