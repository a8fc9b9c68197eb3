/* Fast handlers: two-operand arithmetic, TEST, INC DEC NEG NOT, IMUL, shifts.  The meanings are
 * those of cpu/alu.h; here they meet operands that are known when the block is built. NOT
 * IMPLEMENTED: RCL, RCR and memory shifts run generically. */
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
    uint64_t r = alu_do(c, k, rd(c, op->d, size), op_imm(op, size), size, live);
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
    uint64_t b = imm ? op_imm(op, size) : rd(c, op->s, size);
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
    EACH_EA_##size(H_ALU_M, name, k, size, live)
#define H_ALU_S(name, k, size) H_ALU_SL(name, k, size, 0) H_ALU_SL(name, k, size, 1)
#define H_ALU(name, k)                                                                            \
    H_ALU_S(name, k, 1) H_ALU_S(name, k, 2) H_ALU_S(name, k, 4) H_ALU_S(name, k, 8)
#define ALU_KINDS(X)                                                                              \
    X(add, ALU_ADD)                                                                               \
    X(or, ALU_OR)                                                                                 \
    X(adc, ALU_ADC)                                                                               \
    X(sbb, ALU_SBB) X(and, ALU_AND) X(sub, ALU_SUB) X(xor, ALU_XOR) X(cmp, ALU_CMP) X(test, K_TEST)
ALU_KINDS(H_ALU)

#define T_ALU_SL(name, size, live, form) h_##name##_##form##_##size##_##live
#define T_ALU_S(name, size, form) {T_ALU_SL(name, size, 0, form), T_ALU_SL(name, size, 1, form)}
#define T_ALU(name, form)                                                                         \
    {T_ALU_S(name, 1, form), T_ALU_S(name, 2, form), T_ALU_S(name, 4, form), T_ALU_S(name, 8, form)}
#define T_ALU_RR(name, k) [k] = T_ALU(name, rr),
#define T_ALU_RI(name, k) [k] = T_ALU(name, ri),
#define T_ALU_ME(name, size, live, form) T_EA_##size(h_##name##_##form##_##size##_##live)
#define T_ALU_ML(name, size, form) {T_ALU_ME(name, size, 0, form), T_ALU_ME(name, size, 1, form)}
#define T_ALU_M(name, form)                                                                       \
    {T_ALU_ML(name, 1, form), T_ALU_ML(name, 2, form), T_ALU_ML(name, 4, form),                   \
     T_ALU_ML(name, 8, form)}
#define T_ALU_RM(name, k) [k] = T_ALU_M(name, rm),
#define T_ALU_MR(name, k) [k] = T_ALU_M(name, mr),
#define T_ALU_MI(name, k) [k] = T_ALU_M(name, mi),
/* [kind][size][live] and, for memory, [kind][size][live][address] */
static uop_fn *const alu_rr_tab[K_COUNT][4][2] = {ALU_KINDS(T_ALU_RR)};
static uop_fn *const alu_ri_tab[K_COUNT][4][2] = {ALU_KINDS(T_ALU_RI)};
static uop_fn *const alu_rm_tab[K_COUNT][4][2][EA_COUNT] = {ALU_KINDS(T_ALU_RM)};
static uop_fn *const alu_mr_tab[K_COUNT][4][2][EA_COUNT] = {ALU_KINDS(T_ALU_MR)};
static uop_fn *const alu_mi_tab[K_COUNT][4][2][EA_COUNT] = {ALU_KINDS(T_ALU_MI)};

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
    EACH_EA_##size(H_UN_M, name, k, size, live)
#define H_UN_S(name, k, size) H_UN_SL(name, k, size, 0) H_UN_SL(name, k, size, 1)
#define H_UN(name, k)                                                                             \
    H_UN_S(name, k, 1) H_UN_S(name, k, 2) H_UN_S(name, k, 4) H_UN_S(name, k, 8)
#define UNARY_KINDS(X) X(inc, U_INC) X(dec, U_DEC) X(neg, U_NEG) X(not, U_NOT)
UNARY_KINDS(H_UN)
#define T_UN_R(name, k) [k] = T_ALU(name, r),
#define T_UN_M(name, k) [k] = T_ALU_M(name, m),
static uop_fn *const unary_r_tab[U_COUNT][4][2] = {UNARY_KINDS(T_UN_R)};
static uop_fn *const unary_m_tab[U_COUNT][4][2][EA_COUNT] = {UNARY_KINDS(T_UN_M)};

/* ---- IMUL r, r/m and r, r/m, imm ---- */
FORCE_INLINE bool imul_m(struct cpu *c, const struct uop *op, unsigned size, enum ea ea, bool live,
                         bool three)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, false, &p)) {
        return false;
    }
    uint64_t b = three ? op_imm(op, size) : rd(c, op->d, size);
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
        uint64_t b = op_imm(op, size);                                                            \
        wr(c, op->d, size, alu_imul(c, rd(c, op->s, size), b, size * 8, live));                   \
        NEXT;                                                                                     \
    }                                                                                             \
    EACH_EA_##size(H_IMUL_M, size, live)
H_IMUL(2, 0)
H_IMUL(2, 1)
H_IMUL(4, 0)
H_IMUL(4, 1)
H_IMUL(8, 0)
H_IMUL(8, 1)
/* [three][size - 1][live] */
static uop_fn *const imul_r_tab[2][3][2] = {
    {T_ALU_S(imul2, 2, r), T_ALU_S(imul2, 4, r), T_ALU_S(imul2, 8, r)},
    {T_ALU_S(imul3, 2, r), T_ALU_S(imul3, 4, r), T_ALU_S(imul3, 8, r)}};
static uop_fn *const imul_m_tab[2][3][2][EA_COUNT] = {
    {T_ALU_ML(imul2, 2, m), T_ALU_ML(imul2, 4, m), T_ALU_ML(imul2, 8, m)},
    {T_ALU_ML(imul3, 2, m), T_ALU_ML(imul3, 4, m), T_ALU_ML(imul3, 8, m)}};

/* ---- one-operand MUL, IMUL, DIV, IDIV of registers ---- */
#define H_MUL(size, utype, stype)                                                                 \
    STAMP(h_mul_r_##size)                                                                         \
    {                                                                                             \
        utype p = (utype)rd(c, REG_AX * 8, size) * rd(c, op->d, size);                            \
        alu_mul_flags(c, p >> (size * 8) != 0);                                                   \
        wr(c, REG_AX * 8, size, (uint64_t)p);                                                     \
        wr(c, REG_DX * 8, size, (uint64_t)(p >> (size * 8)));                                     \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_imul1_r_##size)                                                                       \
    {                                                                                             \
        int64_t a = bits_sext(rd(c, REG_AX * 8, size), size * 8);                                 \
        stype p = (stype)a * bits_sext(rd(c, op->d, size), size * 8);                             \
        alu_mul_flags(c, p != bits_sext((uint64_t)p, size * 8));                                  \
        wr(c, REG_AX * 8, size, (uint64_t)p);                                                     \
        wr(c, REG_DX * 8, size, (uint64_t)(p >> (size * 8)));                                     \
        NEXT;                                                                                     \
    }
H_MUL(4, uint64_t, int64_t)
H_MUL(8, unsigned __int128, __int128)
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
/* Nearly all 64-bit dividends are 64 bits wide: those that are not are left to the slow twin (the
 * compiler would call its library for them). */
STAMP(h_div_r_8)
{
    uint64_t n = rd(c, REG_AX * 8, 8), d = rd(c, op->d, 8);
    if (UNLIKELY(rd(c, REG_DX * 8, 8) != 0 || d == 0)) {
        return uop_slow(c, op);
    }
    uint64_t q = n / d, r = n % d;
    wr(c, REG_AX * 8, 8, q);
    wr(c, REG_DX * 8, 8, r);
    NEXT;
}
STAMP(h_idiv_r_8)
{
    int64_t n = (int64_t)rd(c, REG_AX * 8, 8), d = (int64_t)rd(c, op->d, 8);
    if (UNLIKELY((int64_t)rd(c, REG_DX * 8, 8) != n >> 63 || d == 0 || d == -1)) {
        return uop_slow(c, op);
    }
    int64_t q = n / d, r = n % d;
    wr(c, REG_AX * 8, 8, (uint64_t)q);
    wr(c, REG_DX * 8, 8, (uint64_t)r);
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
        unsigned n = (unsigned)rd(c, REG_CX * 8, 1) & (size == 8 ? 63 : 31);                      \
        if (n) {                                                                                  \
            wr(c, op->d, size, shift_do(c, k, rd(c, op->d, size), n, size, live));                \
        } else if (size == 4) { /* written all the same: the upper half becomes 0 */              \
            wr(c, op->d, size, rd(c, op->d, size));                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }
#define H_SH_S(name, k, size) H_SH_SL(name, k, size, 0) H_SH_SL(name, k, size, 1)
#define H_SH(name, k)                                                                             \
    H_SH_S(name, k, 1) H_SH_S(name, k, 2) H_SH_S(name, k, 4) H_SH_S(name, k, 8)
#define SHIFT_KINDS(X) X(shl, S_SHL) X(shr, S_SHR) X(sar, S_SAR) X(rol, S_ROL) X(ror, S_ROR)
SHIFT_KINDS(H_SH)
#define T_SH_I(name, k) [k] = T_ALU(name, i),
#define T_SH_C(name, k) [k] = T_ALU(name, c),
static uop_fn *const shift_i_tab[S_COUNT][4][2] = {SHIFT_KINDS(T_SH_I)};
static uop_fn *const shift_c_tab[S_COUNT][4][2] = {SHIFT_KINDS(T_SH_C)};

/* ---- double shifts, bits: 32 and 64 wide ---- */
FORCE_INLINE void bit_cf(struct cpu *c, bool cf)
{
    alu_rot_flags(c, cf, flag_of(c));
}
#define H_BITS(size)                                                                              \
    STAMP(h_shld_##size)                                                                          \
    {                                                                                             \
        uint64_t a = rd(c, op->d, size), b = rd(c, op->s, size);                                  \
        wr(c, op->d, size, alu_shld(c, a, b, op->imm, size * 8));                                 \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_shrd_##size)                                                                          \
    {                                                                                             \
        uint64_t a = rd(c, op->d, size), b = rd(c, op->s, size);                                  \
        wr(c, op->d, size, alu_shrd(c, a, b, op->imm, size * 8));                                 \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_bt_rr_##size)                                                                         \
    {                                                                                             \
        bit_cf(c, rd(c, op->d, size) >> (rd(c, op->s, size) & (size * 8 - 1)) & 1);               \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_bt_ri_##size)                                                                         \
    {                                                                                             \
        bit_cf(c, rd(c, op->d, size) >> op->imm & 1);                                             \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_bsf_##size)                                                                           \
    {                                                                                             \
        uint64_t a = rd(c, op->s, size);                                                          \
        uint64_t n = a ? (uint64_t)__builtin_ctzll(a) : 0;                                        \
        alu_scan_flags(c, n, !a);                                                                 \
        if (a) {                                                                                  \
            wr(c, op->d, size, n);                                                                \
        }                                                                                         \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_bsr_##size)                                                                           \
    {                                                                                             \
        uint64_t a = rd(c, op->s, size);                                                          \
        uint64_t n = a ? 63u - (unsigned)__builtin_clzll(a) : 0;                                  \
        alu_scan_flags(c, n, !a);                                                                 \
        if (a) {                                                                                  \
            wr(c, op->d, size, n);                                                                \
        }                                                                                         \
        NEXT;                                                                                     \
    }
H_BITS(4)
H_BITS(8)
STAMP(h_bswap_4)
{
    wr(c, op->d, 4, __builtin_bswap32((uint32_t)rd(c, op->d, 4)));
    NEXT;
}
STAMP(h_bswap_8)
{
    wr(c, op->d, 8, __builtin_bswap64(rd(c, op->d, 8)));
    NEXT;
}

/* ---- CMPXCHG, XADD of memory (LOCK or not: one processor runs at a time) ---- */
FORCE_INLINE bool cmpxchg_m(struct cpu *c, const struct uop *op, unsigned size, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, true, &p)) {
        return false;
    }
    uint64_t a = host_get(p, size), acc = rd(c, REG_AX * 8, size);
    if (acc == a) {
        host_put(p, rd(c, op->s, size), size);
    } else {
        wr(c, REG_AX * 8, size, a);
    }
    alu_binary(c, ALU_CMP, acc, a, size * 8, true);
    return true;
}
FORCE_INLINE bool xadd_m(struct cpu *c, const struct uop *op, unsigned size, enum ea ea)
{
    uint8_t *p;
    if (!ea_host(c, op, ea, size, true, &p)) {
        return false;
    }
    uint64_t a = host_get(p, size), b = rd(c, op->s, size);
    host_put(p, a + b, size);
    wr(c, op->s, size, a);
    alu_binary(c, ALU_ADD, a, b, size * 8, true);
    return true;
}
#define H_LOCKED(size, ea)                                                                        \
    STAMP(h_cmpxchg_m_##size##_##ea)                                                              \
    {                                                                                             \
        if (UNLIKELY(!cmpxchg_m(c, op, size, ea))) {                                              \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }                                                                                             \
    STAMP(h_xadd_m_##size##_##ea)                                                                 \
    {                                                                                             \
        if (UNLIKELY(!xadd_m(c, op, size, ea))) {                                                 \
            return uop_slow(c, op);                                                               \
        }                                                                                         \
        NEXT;                                                                                     \
    }
EACH_EA_COLD_4(H_LOCKED, 4)
EACH_EA_COLD_8(H_LOCKED, 8)
/* [size - 2][address] */
static uop_fn *const cmpxchg_tab[2][EA_COUNT] = {T_EA_COLD_4(h_cmpxchg_m_4),
                                                T_EA_COLD_8(h_cmpxchg_m_8)};
static uop_fn *const xadd_tab[2][EA_COUNT] = {T_EA_COLD_4(h_xadd_m_4), T_EA_COLD_8(h_xadd_m_8)};

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
    if (s->kind == OPND_IMM && !pick_imm(p, d->size)) {
        return false;
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
    unsigned three = in->o[2].kind != OPND_NONE, sz = in->o[0].size / 4;
    const struct opnd *s = &in->o[1];
    p->what = 0; /* keeps SF ZF AF PF */
    p->u.d = pick_reg(&in->o[0]);
    if (three && !pick_imm(p, in->o[0].size)) {
        return false;
    }
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

/* What there is for 32- and 64-bit operands only. */
static bool pick_wide(struct pick *p, bool q)
{
    const struct insn *in = p->in;
    if (in->op == OP_cmpxchg || in->op == OP_xadd) {
        int ea = in->o[0].kind == OPND_MEM ? pick_ea(p) : -1;
        if (ea < 0) {
            return false;
        }
        p->u.s = pick_reg(&in->o[1]);
        p->u.h = (in->op == OP_xadd ? xadd_tab : cmpxchg_tab)[q][ea];
        p->what = PICK_WRITES;
        return true;
    }
    if (!pick_is_reg(&in->o[0])) {
        return false;
    }
    p->u.d = pick_reg(&in->o[0]);
    p->what = PICK_PLAIN; /* each keeps some flags */
    switch (in->op) {
    case OP_mul: p->u.h = q ? h_mul_r_8 : h_mul_r_4; return true;
    case OP_imul1: p->u.h = q ? h_imul1_r_8 : h_imul1_r_4; return true;
    case OP_div: p->u.h = q ? h_div_r_8 : h_div_r_4; p->what = 0; return true;
    case OP_idiv: p->u.h = q ? h_idiv_r_8 : h_idiv_r_4; p->what = 0; return true;
    case OP_bswap: p->u.h = q ? h_bswap_8 : h_bswap_4; return true;
    case OP_bt:
        p->u.h = in->o[1].kind == OPND_IMM ? q ? h_bt_ri_8 : h_bt_ri_4 : q ? h_bt_rr_8 : h_bt_rr_4;
        p->u.imm = in->imm & (q ? 63 : 31);
        p->u.s = pick_reg(&in->o[1]);
        return true;
    case OP_bsf:
    case OP_bsr:
        p->u.h = in->op == OP_bsf ? q ? h_bsf_8 : h_bsf_4 : q ? h_bsr_8 : h_bsr_4;
        p->u.s = pick_reg(&in->o[1]);
        return pick_is_reg(&in->o[1]);
    default: return false;
    }
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
    return sz >= 2 && pick_wide(p, sz == 3);
}

bool pick_shift(struct pick *p)
{
    const struct insn *in = p->in;
    const struct opnd *d = &in->o[0], *s = &in->o[1];
    int sz = pick_size(d->size);
    unsigned k, n, most = sz == 3 ? 63 : 31;
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
        n = in->imm & most;
        p->u.s = pick_reg(s);
        p->u.imm = n;
        p->u.h = in->op == OP_shld ? sz == 3 ? h_shld_8 : h_shld_4 : sz == 3 ? h_shrd_8 : h_shrd_4;
        p->what = PICK_PLAIN | PICK_WRITES;
        return sz >= 2 && in->o[2].kind == OPND_IMM && n;
    default: return false;
    }
    p->what = PICK_PLAIN; /* rotates, and a count of 0, keep flags */
    if (s->kind == OPND_IMM) {
        n = in->imm & most;
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
