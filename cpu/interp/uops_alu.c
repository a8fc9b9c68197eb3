/* Fast handlers: two-operand arithmetic, TEST, INC DEC NEG NOT, IMUL, shifts.  The meanings are
 * those of cpu/alu.h; here they meet operands that are known when the block is built. NOT
 * IMPLEMENTED: 64-bit operands (with 64-bit mode); RCL, RCR and memory shifts run generically. */
#include "cpu/interp/uop.h"

/* ---- two operands ---- */
#define K_TEST 8 /* behind ALU_ADD .. ALU_CMP */
#define K_COUNT 9

FORCE_INLINE uint64_t alu_do(struct cpu *c, unsigned k, uint64_t a, uint64_t b, unsigned size,
                             bool live)
{
    return alu_binary(c, k == K_TEST ? ALU_AND : (enum alu_op)k, a, b, size * 8, live);
}
FORCE_INLINE bool alu_stores(unsigned k)
{
    return k != ALU_CMP && k != K_TEST;
}
FORCE_INLINE void alu_rr(struct cpu *c, const struct uop *op, unsigned k, unsigned size, bool live)
{
    uint64_t r = alu_do(c, k, rd(c, op->d, size), rd(c, op->s, size), size, live);
    if (alu_stores(k)) {
        wr(c, op->d, size, r);
    }
}
FORCE_INLINE void alu_ri(struct cpu *c, const struct uop *op, unsigned k, unsigned size, bool live)
{
    uint64_t r = alu_do(c, k, rd(c, op->d, size), op->imm, size, live);
    if (alu_stores(k)) {
        wr(c, op->d, size, r);
    }
}
FORCE_INLINE bool alu_rm(struct cpu *c, const struct uop *op, unsigned k, unsigned size, enum ea ea,
                         bool live)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, false, &p)) {
        return false;
    }
    uint64_t r = alu_do(c, k, rd(c, op->d, size), host_get(p, size), size, live);
    if (alu_stores(k)) {
        wr(c, op->d, size, r);
    }
    return true;
}
FORCE_INLINE bool alu_mx(struct cpu *c, const struct uop *op, unsigned k, unsigned size, enum ea ea,
                         bool live, bool imm)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, alu_stores(k), &p)) {
        return false;
    }
    uint64_t b = imm ? op->imm : rd(c, op->s, size);
    uint64_t r = alu_do(c, k, host_get(p, size), b, size, live);
    if (alu_stores(k)) {
        host_put(p, r, size);
    }
    return true;
}

#define H_ALU_R(name, k, size, live)                                                              \
    STAMP(h_##name##_rr_##size##_##live)                                                          \
    {                                                                                             \
        alu_rr(c, op, k, size, live);                                                             \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_##name##_ri_##size##_##live)                                                          \
    {                                                                                             \
        alu_ri(c, op, k, size, live);                                                             \
        NEXT;                                                                                     \
    }
#define H_ALU_M(name, k, size, live, ea)                                                          \
    STAMP(h_##name##_rm_##size##_##live##_##ea)                                                   \
    {                                                                                             \
        if (UNLIKELY(!alu_rm(c, op, k, size, ea, live))) {                                        \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_##name##_mr_##size##_##live##_##ea)                                                   \
    {                                                                                             \
        if (UNLIKELY(!alu_mx(c, op, k, size, ea, live, false))) {                                 \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_##name##_mi_##size##_##live##_##ea)                                                   \
    {                                                                                             \
        if (UNLIKELY(!alu_mx(c, op, k, size, ea, live, true))) {                                  \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define H_ALU_SL(name, k, size, live)                                                             \
    H_ALU_R(name, k, size, live)                                                                  \
    H_ALU_M(name, k, size, live, EA_B)                                                            \
    H_ALU_M(name, k, size, live, EA_X)                                                            \
    H_ALU_M(name, k, size, live, EA_S)
#define H_ALU_S(name, k, size) H_ALU_SL(name, k, size, 0) H_ALU_SL(name, k, size, 1)
#define H_ALU(name, k) H_ALU_S(name, k, 1) H_ALU_S(name, k, 2) H_ALU_S(name, k, 4)
#define ALU_KINDS(X)                                                                              \
    X(add, ALU_ADD)                                                                               \
    X(or, ALU_OR)                                                                                 \
    X(adc, ALU_ADC)                                                                               \
    X(sbb, ALU_SBB) X(and, ALU_AND) X(sub, ALU_SUB) X(xor, ALU_XOR) X(cmp, ALU_CMP) X(test, K_TEST)
ALU_KINDS(H_ALU)

#define T_ALU_SL(name, size, live, form) h_##name##_##form##_##size##_##live
#define T_ALU_S(name, size, form) {T_ALU_SL(name, size, 0, form), T_ALU_SL(name, size, 1, form)}
#define T_ALU_RR(name, k) [k] = {T_ALU_S(name, 1, rr), T_ALU_S(name, 2, rr), T_ALU_S(name, 4, rr)},
#define T_ALU_RI(name, k) [k] = {T_ALU_S(name, 1, ri), T_ALU_S(name, 2, ri), T_ALU_S(name, 4, ri)},
#define T_ALU_ME(name, size, live, form)                                                          \
    {h_##name##_##form##_##size##_##live##_EA_B, h_##name##_##form##_##size##_##live##_EA_X,      \
     h_##name##_##form##_##size##_##live##_EA_S}
#define T_ALU_ML(name, size, form) {T_ALU_ME(name, size, 0, form), T_ALU_ME(name, size, 1, form)}
#define T_ALU_M(name, form)                                                                       \
    {T_ALU_ML(name, 1, form), T_ALU_ML(name, 2, form), T_ALU_ML(name, 4, form)}
#define T_ALU_RM(name, k) [k] = T_ALU_M(name, rm),
#define T_ALU_MR(name, k) [k] = T_ALU_M(name, mr),
#define T_ALU_MI(name, k) [k] = T_ALU_M(name, mi),
/* [kind][size][live] and, for memory, [kind][size][live][address] */
static uop_fn *const alu_rr_tab[K_COUNT][3][2] = {ALU_KINDS(T_ALU_RR)};
static uop_fn *const alu_ri_tab[K_COUNT][3][2] = {ALU_KINDS(T_ALU_RI)};
static uop_fn *const alu_rm_tab[K_COUNT][3][2][EA_COUNT] = {ALU_KINDS(T_ALU_RM)};
static uop_fn *const alu_mr_tab[K_COUNT][3][2][EA_COUNT] = {ALU_KINDS(T_ALU_MR)};
static uop_fn *const alu_mi_tab[K_COUNT][3][2][EA_COUNT] = {ALU_KINDS(T_ALU_MI)};

/* ---- one operand ---- */
enum { U_INC, U_DEC, U_NEG, U_NOT, U_COUNT };

FORCE_INLINE uint64_t unary_do(struct cpu *c, unsigned k, uint64_t a, unsigned size, bool live)
{
    switch (k) {
    case U_INC: return alu_incdec(c, a, false, size * 8, live);
    case U_DEC: return alu_incdec(c, a, true, size * 8, live);
    case U_NEG: return alu_neg(c, a, size * 8, live);
    default: return ~a;
    }
}
FORCE_INLINE bool unary_m(struct cpu *c, const struct uop *op, unsigned k, unsigned size,
                          enum ea ea, bool live)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, true, &p)) {
        return false;
    }
    /* store first: the address need not live through the flags (a register less) */
    uint64_t a = host_get(p, size);
    host_put(p, unary_do(c, k, a, size, false), size);
    if (live) {
        unary_do(c, k, a, size, true);
    }
    return true;
}
#define H_UN_M(name, k, size, live, ea)                                                           \
    STAMP(h_##name##_m_##size##_##live##_##ea)                                                    \
    {                                                                                             \
        if (UNLIKELY(!unary_m(c, op, k, size, ea, live))) {                                       \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define H_UN_SL(name, k, size, live)                                                              \
    STAMP(h_##name##_r_##size##_##live)                                                           \
    {                                                                                             \
        uint64_t a = rd(c, op->d, size);                                                          \
        wr(c, op->d, size, unary_do(c, k, a, size, false));                                       \
        if (live) {                                                                               \
            unary_do(c, k, a, size, true);                                                        \
        }                                                                                         \
        NEXT;                                                                                     \
    }                                                                                             \
    H_UN_M(name, k, size, live, EA_B)                                                             \
    H_UN_M(name, k, size, live, EA_X)                                                             \
    H_UN_M(name, k, size, live, EA_S)
#define H_UN_S(name, k, size) H_UN_SL(name, k, size, 0) H_UN_SL(name, k, size, 1)
#define H_UN(name, k) H_UN_S(name, k, 1) H_UN_S(name, k, 2) H_UN_S(name, k, 4)
#define UNARY_KINDS(X) X(inc, U_INC) X(dec, U_DEC) X(neg, U_NEG) X(not, U_NOT)
UNARY_KINDS(H_UN)
#define T_UN_R(name, k) [k] = {T_ALU_S(name, 1, r), T_ALU_S(name, 2, r), T_ALU_S(name, 4, r)},
#define T_UN_M(name, k) [k] = T_ALU_M(name, m),
static uop_fn *const unary_r_tab[U_COUNT][3][2] = {UNARY_KINDS(T_UN_R)};
static uop_fn *const unary_m_tab[U_COUNT][3][2][EA_COUNT] = {UNARY_KINDS(T_UN_M)};

/* ---- IMUL r, r/m and r, r/m, imm ---- */
FORCE_INLINE bool imul_m(struct cpu *c, const struct uop *op, unsigned size, enum ea ea, bool live,
                         bool three)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, false, &p)) {
        return false;
    }
    uint64_t b = three ? op->imm : rd(c, op->d, size);
    wr(c, op->d, size, alu_imul(c, host_get(p, size), b, size * 8, live));
    return true;
}
#define H_IMUL_M(size, live, ea)                                                                  \
    STAMP(h_imul2_m_##size##_##live##_##ea)                                                       \
    {                                                                                             \
        if (UNLIKELY(!imul_m(c, op, size, ea, live, false))) {                                    \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_imul3_m_##size##_##live##_##ea)                                                       \
    {                                                                                             \
        if (UNLIKELY(!imul_m(c, op, size, ea, live, true))) {                                     \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define H_IMUL(size, live)                                                                        \
    STAMP(h_imul2_r_##size##_##live)                                                              \
    {                                                                                             \
        uint64_t r = alu_imul(c, rd(c, op->d, size), rd(c, op->s, size), size * 8, live);         \
        wr(c, op->d, size, r);                                                                    \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_imul3_r_##size##_##live)                                                              \
    {                                                                                             \
        wr(c, op->d, size, alu_imul(c, rd(c, op->s, size), op->imm, size * 8, live));             \
        NEXT;                                                                                     \
    }                                                                                             \
    H_IMUL_M(size, live, EA_B)                                                                    \
    H_IMUL_M(size, live, EA_X)                                                                    \
    H_IMUL_M(size, live, EA_S)
H_IMUL(2, 0)
H_IMUL(2, 1)
H_IMUL(4, 0)
H_IMUL(4, 1)
/* [three][size - 1][live] */
static uop_fn *const imul_r_tab[2][2][2] = {
    {T_ALU_S(imul2, 2, r), T_ALU_S(imul2, 4, r)}, {T_ALU_S(imul3, 2, r), T_ALU_S(imul3, 4, r)}};
static uop_fn *const imul_m_tab[2][2][2][EA_COUNT] = {
    {T_ALU_ML(imul2, 2, m), T_ALU_ML(imul2, 4, m)}, {T_ALU_ML(imul3, 2, m), T_ALU_ML(imul3, 4, m)}};

/* ---- one-operand MUL, IMUL, DIV, IDIV of 32-bit registers ---- */
STAMP(h_mul_r_4)
{
    uint64_t p = rd(c, REG_AX * 8, 4) * rd(c, op->d, 4);
    alu_mul_flags(c, p >> 32 != 0);
    wr(c, REG_AX * 8, 4, p);
    wr(c, REG_DX * 8, 4, p >> 32);
    NEXT;
}
STAMP(h_imul1_r_4)
{
    int64_t p = bits_sext(rd(c, REG_AX * 8, 4), 32) * bits_sext(rd(c, op->d, 4), 32);
    alu_mul_flags(c, p != (int32_t)p);
    wr(c, REG_AX * 8, 4, (uint64_t)p);
    wr(c, REG_DX * 8, 4, (uint64_t)p >> 32);
    NEXT;
}
/* The quotient must fit, or it is #DE: the slow twin's business. */
STAMP(h_div_r_4)
{
    uint64_t n = rd(c, REG_DX * 8, 4) << 32 | rd(c, REG_AX * 8, 4), d = rd(c, op->d, 4);
    if (UNLIKELY(n >> 32 >= d)) {
        return uop_slow(c, op);
    }
    uint64_t q = n / d, r = n % d;
    wr(c, REG_AX * 8, 4, q);
    wr(c, REG_DX * 8, 4, r);
    NEXT;
}
STAMP(h_idiv_r_4)
{
    int64_t n = (int64_t)(rd(c, REG_DX * 8, 4) << 32 | rd(c, REG_AX * 8, 4));
    int64_t d = (int32_t)rd(c, op->d, 4);
    /* INT64_MIN / -1 would trap on the host */
    if (UNLIKELY(d == 0 || d == -1)) {
        return uop_slow(c, op);
    }
    int64_t q = n / d, r = n % d;
    if (UNLIKELY(q != (int32_t)q)) {
        return uop_slow(c, op);
    }
    wr(c, REG_AX * 8, 4, (uint64_t)q);
    wr(c, REG_DX * 8, 4, (uint64_t)r);
    NEXT;
}

/* ---- shifts and rotates of registers ---- */
enum { S_SHL, S_SHR, S_SAR, S_ROL, S_ROR, S_COUNT };

FORCE_INLINE uint64_t shift_do(struct cpu *c, unsigned k, uint64_t a, unsigned n, unsigned size,
                               bool live)
{
    switch (k) {
    case S_SHL: return alu_shl(c, a, n, size * 8, live);
    case S_SHR: return alu_shr(c, a, n, size * 8, live);
    case S_SAR: return alu_sar(c, a, n, size * 8, live);
    case S_ROL: return alu_rol(c, a, n, size * 8, live);
    default: return alu_ror(c, a, n, size * 8, live);
    }
}
#define H_SH_SL(name, k, size, live)                                                              \
    STAMP(h_##name##_i_##size##_##live)                                                           \
    {                                                                                             \
        wr(c, op->d, size, shift_do(c, k, rd(c, op->d, size), op->imm, size, live));              \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_##name##_c_##size##_##live)                                                           \
    {                                                                                             \
        unsigned n = (unsigned)rd(c, REG_CX * 8, 1) & 31;                                         \
        if (n) {                                                                                  \
            wr(c, op->d, size, shift_do(c, k, rd(c, op->d, size), n, size, live));                \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define H_SH_S(name, k, size) H_SH_SL(name, k, size, 0) H_SH_SL(name, k, size, 1)
#define H_SH(name, k) H_SH_S(name, k, 1) H_SH_S(name, k, 2) H_SH_S(name, k, 4)
#define SHIFT_KINDS(X) X(shl, S_SHL) X(shr, S_SHR) X(sar, S_SAR) X(rol, S_ROL) X(ror, S_ROR)
SHIFT_KINDS(H_SH)
#define T_SH_I(name, k) [k] = {T_ALU_S(name, 1, i), T_ALU_S(name, 2, i), T_ALU_S(name, 4, i)},
#define T_SH_C(name, k) [k] = {T_ALU_S(name, 1, c), T_ALU_S(name, 2, c), T_ALU_S(name, 4, c)},
static uop_fn *const shift_i_tab[S_COUNT][3][2] = {SHIFT_KINDS(T_SH_I)};
static uop_fn *const shift_c_tab[S_COUNT][3][2] = {SHIFT_KINDS(T_SH_C)};

STAMP(h_shld_4)
{
    wr(c, op->d, 4, alu_shld(c, rd(c, op->d, 4), rd(c, op->s, 4), op->imm, 32));
    NEXT;
}
STAMP(h_shrd_4)
{
    wr(c, op->d, 4, alu_shrd(c, rd(c, op->d, 4), rd(c, op->s, 4), op->imm, 32));
    NEXT;
}

/* ---- bits ---- */
FORCE_INLINE void bit_cf(struct cpu *c, bool cf)
{
    alu_rot_flags(c, cf, flag_of(c));
}
STAMP(h_bt_rr_4)
{
    bit_cf(c, rd(c, op->d, 4) >> (rd(c, op->s, 4) & 31) & 1);
    NEXT;
}
STAMP(h_bt_ri_4)
{
    bit_cf(c, rd(c, op->d, 4) >> op->imm & 1);
    NEXT;
}
STAMP(h_bsf_4)
{
    uint32_t a = (uint32_t)rd(c, op->s, 4);
    alu_scan_flags(c, a ? (uint64_t)__builtin_ctz(a) : 0, !a);
    if (a) {
        wr(c, op->d, 4, (uint64_t)__builtin_ctz(a));
    }
    NEXT;
}
STAMP(h_bsr_4)
{
    uint32_t a = (uint32_t)rd(c, op->s, 4);
    alu_scan_flags(c, a ? 31u - (unsigned)__builtin_clz(a) : 0, !a);
    if (a) {
        wr(c, op->d, 4, 31u - (unsigned)__builtin_clz(a));
    }
    NEXT;
}
STAMP(h_bswap_4)
{
    wr(c, op->d, 4, __builtin_bswap32((uint32_t)rd(c, op->d, 4)));
    NEXT;
}

/* ---- choosing ---- */
static int pick_alu_kind(unsigned op)
{
    switch (op) {
    case OP_add: return ALU_ADD;
    case OP_or: return ALU_OR;
    case OP_adc: return ALU_ADC;
    case OP_sbb: return ALU_SBB;
    case OP_and: return ALU_AND;
    case OP_sub: return ALU_SUB;
    case OP_xor: return ALU_XOR;
    case OP_cmp: return ALU_CMP;
    case OP_test: return K_TEST;
    default: return -1;
    }
}

static bool pick_binary(struct pick *p, unsigned k, int sz)
{
    const struct opnd *d = &p->in->o[0], *s = &p->in->o[1];
    p->what = PICK_WRITES | (k == ALU_ADC || k == ALU_SBB ? PICK_READS : 0);
    p->u.imm = (uint32_t)p->in->imm;
    if (d->size < 4) {
        p->u.imm &= (uint32_t)bits_mask(d->size * 8);
    }
    if (pick_is_reg(d)) {
        p->u.d = pick_reg(d);
        if (pick_is_reg(s) || s->kind == OPND_IMM) {
            p->what |= PICK_PLAIN;
            p->u.s = pick_is_reg(s) ? pick_reg(s) : 0;
            p->u.h = (pick_is_reg(s) ? alu_rr_tab : alu_ri_tab)[k][sz][p->live];
            return true;
        }
        int ea = s->kind == OPND_MEM ? pick_ea(p) : -1;
        if (ea < 0) {
            return false;
        }
        p->u.h = alu_rm_tab[k][sz][p->live][ea];
        return true;
    }
    int ea = d->kind == OPND_MEM ? pick_ea(p) : -1;
    if (ea < 0) {
        return false;
    }
    if (s->kind == OPND_IMM) {
        p->u.h = alu_mi_tab[k][sz][p->live][ea];
        return true;
    }
    p->u.s = pick_reg(s);
    p->u.h = alu_mr_tab[k][sz][p->live][ea];
    return pick_is_reg(s);
}

static bool pick_unary(struct pick *p, unsigned k, int sz)
{
    const struct opnd *d = &p->in->o[0];
    p->what = k == U_NEG ? PICK_WRITES : 0; /* INC, DEC keep CF */
    if (pick_is_reg(d)) {
        p->what |= PICK_PLAIN;
        p->u.d = pick_reg(d);
        p->u.h = unary_r_tab[k][sz][p->live];
        return true;
    }
    int ea = pick_ea(p);
    if (ea < 0) {
        return false;
    }
    p->u.h = unary_m_tab[k][sz][p->live][ea];
    return true;
}

static bool pick_imul(struct pick *p)
{
    const struct insn *in = p->in;
    unsigned three = in->o[2].kind != OPND_NONE, sz = in->o[0].size == 2 ? 0 : 1;
    const struct opnd *s = &in->o[1];
    p->what = 0; /* keeps SF ZF AF PF */
    p->u.d = pick_reg(&in->o[0]);
    p->u.imm = (uint32_t)in->imm;
    if (pick_is_reg(s)) {
        p->what |= PICK_PLAIN;
        p->u.s = pick_reg(s);
        p->u.h = imul_r_tab[three][sz][p->live];
        return true;
    }
    int ea = s->kind == OPND_MEM ? pick_ea(p) : -1;
    if (ea < 0) {
        return false;
    }
    p->u.h = imul_m_tab[three][sz][p->live][ea];
    return true;
}

bool pick_alu(struct pick *p)
{
    const struct insn *in = p->in;
    int sz = pick_size(in->o[0].size), k = pick_alu_kind(in->op);
    if (sz < 0) {
        return false;
    }
    if (k >= 0) {
        return pick_binary(p, (unsigned)k, sz);
    }
    switch (in->op) {
    case OP_inc: return pick_unary(p, U_INC, sz);
    case OP_dec: return pick_unary(p, U_DEC, sz);
    case OP_neg: return pick_unary(p, U_NEG, sz);
    case OP_not: return pick_unary(p, U_NOT, sz);
    case OP_imul: return sz > 0 && pick_imul(p);
    default: break;
    }
    if (sz != 2 || !pick_is_reg(&in->o[0])) {
        return false;
    }
    p->u.d = pick_reg(&in->o[0]);
    p->what = PICK_PLAIN; /* each keeps some flags */
    switch (in->op) {
    case OP_mul: p->u.h = h_mul_r_4; return true;
    case OP_imul1: p->u.h = h_imul1_r_4; return true;
    case OP_div: p->u.h = h_div_r_4; p->what = 0; return true;
    case OP_idiv: p->u.h = h_idiv_r_4; p->what = 0; return true;
    case OP_bswap: p->u.h = h_bswap_4; p->what = PICK_PLAIN; return true;
    case OP_bt:
        p->u.h = in->o[1].kind == OPND_IMM ? h_bt_ri_4 : h_bt_rr_4;
        p->u.imm = in->imm & 31;
        p->u.s = pick_reg(&in->o[1]);
        return true;
    case OP_bsf:
    case OP_bsr:
        p->u.h = in->op == OP_bsf ? h_bsf_4 : h_bsr_4;
        p->u.s = pick_reg(&in->o[1]);
        return pick_is_reg(&in->o[1]);
    default: return false;
    }
}

bool pick_shift(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0], *s = &in->o[1];
    int sz = pick_size(d->size);
    unsigned k, n;
    if (sz < 0 || !pick_is_reg(d)) {
        return false;
    }
    p->u.d = pick_reg(d);
    switch (in->op) {
    case OP_shl: k = S_SHL; break;
    case OP_shr: k = S_SHR; break;
    case OP_sar: k = S_SAR; break;
    case OP_rol: k = S_ROL; break;
    case OP_ror: k = S_ROR; break;
    case OP_shld:
    case OP_shrd:
        n = in->imm & 31;
        p->u.s = pick_reg(s);
        p->u.imm = n;
        p->u.h = in->op == OP_shld ? h_shld_4 : h_shrd_4;
        p->what = PICK_PLAIN | PICK_WRITES;
        return sz == 2 && in->o[2].kind == OPND_IMM && n;
    default: return false;
    }
    p->what = PICK_PLAIN; /* rotates, and a count of 0, keep flags */
    if (s->kind == OPND_IMM) {
        n = in->imm & 31;
        p->u.imm = n;
        p->u.h = shift_i_tab[k][sz][p->live];
        if (k <= S_SAR) {
            p->what = PICK_PLAIN | PICK_WRITES;
        }
        return n != 0;
    }
    p->u.h = shift_c_tab[k][sz][p->live];
    return s->kind == OPND_GPR && s->reg == REG_CX && s->size == 1;
}
