/* x87 arithmetic and comparison; the transcendental instructions' operands and stack effects.
 *
 * SDM Vol. 1, "Basic Arithmetic Instructions", "Comparison and Classification Instructions",
 * "Trigonometric Instructions", "Logarithmic, Exponential, and Scale"; Vol. 2A for each table.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_x87.h"

/* ---- two operands ---- */

enum { REVERSE = 1, POP = 2, INTEGER = 4 };

/* A memory operand as f80.  A denormal's #D goes to *den: it counts if nothing worse happens. */
static bool mem_operand(struct cpu *c, const struct insn *in, bool integer, struct f80 *v,
                        bool *den)
{
    unsigned size = x87_mem(in)->size;
    struct fp_env e = {0};
    uint64_t bits;

    if (!mem_read(c, in->seg, insn_ea(c, in), size, &bits)) {
        return false;
    }
    if (integer) {
        struct fp_num n = fp_from_int(bits_sext(bits, size * 8));
        *v = fp_pack80(&n);
    } else {
        *v = fp_widen80(&e, size == 4 ? FP_F32 : FP_F64, bits, false);
    }
    *den = e.flags & FP_DE;
    return true;
}

static bool is_nan(struct f80 v)
{
    return (v.se & 0x7fff) == 0x7fff && v.man << 1;
}

static bool arith(struct cpu *c, const struct insn *in, enum fp_op op, unsigned how)
{
    unsigned dst = 0, src = in->modrm & 7;
    bool mem = x87_has_mem(in), den = false;
    struct fp_env e;
    struct f80 a, b = {0}, r;

    if (!x87_begin(c) || (mem && !mem_operand(c, in, how & INTEGER, &b, &den))) {
        return false;
    }
    if (!mem && (how & POP || (in->o[0].kind == OPND_ST && in->o[0].reg))) {
        dst = src;
        src = 0;
    }
    x87_note(c, in);
    if (x87_empty(c, dst) || (!mem && x87_empty(c, src))) {
        if (!x87_underflow(c)) {
            return true;
        }
        x87_put(c, dst, fp_indefinite80);
    } else {
        e = x87_env(c);
        a = x87_get(c, dst);
        if (!mem) {
            b = x87_get(c, src);
        }
        r = how & REVERSE ? fp_bin80(&e, op, b, a) : fp_bin80(&e, op, a, b);
        if (den && !(e.flags & (FP_IE | FP_ZE)) && !is_nan(a)) {
            e.flags |= FP_DE;
        }
        x87_raise(c, &e, false);
        if (!x87_stores(&e, false)) {
            return true;
        }
        x87_put(c, dst, r);
    }
    if (how & POP) {
        x87_pop(c);
    }
    return true;
}
#define ARITH(name, op, how)                                                                      \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return arith(c, in, op, how);                                                             \
    }
ARITH(fadd, FP_ADD, 0)
ARITH(fmul, FP_MUL, 0)
ARITH(fsub, FP_SUB, 0)
ARITH(fsubr, FP_SUB, REVERSE)
ARITH(fdiv, FP_DIV, 0)
ARITH(fdivr, FP_DIV, REVERSE)
ARITH(fiadd, FP_ADD, INTEGER)
ARITH(fimul, FP_MUL, INTEGER)
ARITH(fisub, FP_SUB, INTEGER)
ARITH(fisubr, FP_SUB, INTEGER | REVERSE)
ARITH(fidiv, FP_DIV, INTEGER)
ARITH(fidivr, FP_DIV, INTEGER | REVERSE)
ARITH(faddp, FP_ADD, POP)
ARITH(fmulp, FP_MUL, POP)
ARITH(fsubp, FP_SUB, POP)
ARITH(fsubrp, FP_SUB, POP | REVERSE)
ARITH(fdivp, FP_DIV, POP)
ARITH(fdivrp, FP_DIV, POP | REVERSE)

/* ---- comparison ---- */

static unsigned rel_cc(enum fp_rel rel)
{
    static const uint16_t cc[] = {
        [FP_LESS] = FSW_C0, [FP_EQUAL] = FSW_C3, [FP_GREATER] = 0,
        [FP_UNORDERED] = FSW_C0 | FSW_C2 | FSW_C3};
    return cc[rel];
}

/* Compare ST(0) with b (absent: `empty`); then `pops` pops. */
static bool compare(struct cpu *c, const struct insn *in, struct f80 b, bool empty, bool den,
                    bool quiet, unsigned pops)
{
    struct fp_env e = x87_env(c);
    enum fp_rel rel = FP_UNORDERED;

    x87_note(c, in);
    if (x87_empty(c, 0) || empty) {
        pops = x87_underflow(c) ? pops : 0;
    } else {
        rel = soft_compare80(&e, x87_get(c, 0), b, quiet);
        if (den && !(e.flags & FP_IE) && rel != FP_UNORDERED) {
            e.flags |= FP_DE;
        }
        x87_raise(c, &e, false);
        pops = x87_stores(&e, false) ? pops : 0;
    }
    x87_cc(c, rel_cc(rel)); /* HW: also with the exception unmasked, though the SDM says not */
    while (pops--) {
        x87_pop(c);
    }
    return true;
}

static bool compare_reg(struct cpu *c, const struct insn *in, unsigned i, bool quiet,
                        unsigned pops)
{
    return x87_begin(c) &&
           compare(c, in, x87_get(c, i), x87_empty(c, i), false, quiet, pops);
}
static bool compare_opnd(struct cpu *c, const struct insn *in, bool integer, unsigned pops)
{
    struct f80 b;
    bool den;

    if (!x87_has_mem(in)) {
        return compare_reg(c, in, in->modrm & 7, false, pops);
    }
    return x87_begin(c) && mem_operand(c, in, integer, &b, &den) &&
           compare(c, in, b, false, den, false, pops);
}
bool op_fcom(struct cpu *c, const struct insn *in)
{
    return compare_opnd(c, in, false, 0);
}
bool op_fcomp(struct cpu *c, const struct insn *in)
{
    return compare_opnd(c, in, false, 1);
}
bool op_fcompp(struct cpu *c, const struct insn *in)
{
    return compare_reg(c, in, 1, false, 2);
}
bool op_ficom(struct cpu *c, const struct insn *in)
{
    return compare_opnd(c, in, true, 0);
}
bool op_ficomp(struct cpu *c, const struct insn *in)
{
    return compare_opnd(c, in, true, 1);
}
bool op_fucom(struct cpu *c, const struct insn *in)
{
    return compare_reg(c, in, in->modrm & 7, true, 0);
}
bool op_fucomp(struct cpu *c, const struct insn *in)
{
    return compare_reg(c, in, in->modrm & 7, true, 1);
}
bool op_fucompp(struct cpu *c, const struct insn *in)
{
    return compare_reg(c, in, 1, true, 2);
}
bool op_ftst(struct cpu *c, const struct insn *in)
{
    return x87_begin(c) && compare(c, in, (struct f80){0}, false, false, false, 0);
}

/* FCOMI and friends: ZF PF CF as C3 C2 C0; OF SF AF cleared. */
static bool compare_flags(struct cpu *c, const struct insn *in, bool quiet, bool pop)
{
    static const uint16_t fl[] = {[FP_LESS] = FL_CF, [FP_EQUAL] = FL_ZF, [FP_GREATER] = 0,
                                  [FP_UNORDERED] = FL_CF | FL_ZF | FL_PF};
    unsigned i = in->modrm & 7;
    struct fp_env e = x87_env(c);
    enum fp_rel rel = FP_UNORDERED;
    uint16_t c1 = c->s.fsw & FSW_C1;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (x87_empty(c, 0) || x87_empty(c, i)) {
        pop = x87_underflow(c) && pop;
    } else {
        rel = soft_compare80(&e, x87_get(c, 0), x87_get(c, i), quiet);
        x87_raise(c, &e, false);
        pop = x87_stores(&e, false) && pop;
        if (feat_has(&c->feat, FEAT_AMD)) {
            c->s.fsw |= c1; /* HW: AMD leaves it; the SDM has it cleared */
        }
    }
    flags_set_status(c, fl[rel]);
    if (pop) {
        x87_pop(c);
    }
    return true;
}
bool op_fcomi(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, false, false);
}
bool op_fcomip(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, false, true);
}
bool op_fucomi(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, true, false);
}
bool op_fucomip(struct cpu *c, const struct insn *in)
{
    return compare_flags(c, in, true, true);
}

bool op_fxam(struct cpu *c, const struct insn *in)
{
    struct f80 v;
    struct fp_num n;
    unsigned cc;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    v = x87_get(c, 0); /* C1 is the sign even of an empty register */
    n = fp_unpack80(v);
    if (x87_empty(c, 0)) {
        cc = FSW_C3 | FSW_C0;
    } else {
        switch (n.cls) {
        case FP_ZERO: cc = FSW_C3; break;
        case FP_NUM: cc = n.den ? FSW_C3 | FSW_C2 : FSW_C2; break;
        case FP_INF: cc = FSW_C2 | FSW_C0; break;
        case FP_BAD: cc = 0; break;
        default: cc = FSW_C0; break;
        }
    }
    c->s.fsw = (uint16_t)((c->s.fsw & ~FSW_CC) | cc | (v.se >> 15 ? FSW_C1 : 0));
    return true;
}

/* ---- one operand: ST(0) = f(ST(0)) ---- */

typedef struct f80 unary_fn(struct fp_env *e, struct f80 a, bool *range);

static bool unary(struct cpu *c, const struct insn *in, unary_fn *fn, bool trig)
{
    struct fp_env e = x87_env(c);
    bool range = false;
    struct f80 r;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (trig) {
        c->s.fsw &= (uint16_t)~FSW_C2;
    }
    if (x87_empty(c, 0)) {
        if (x87_underflow(c)) {
            x87_put(c, 0, fp_indefinite80);
        }
        return true;
    }
    r = fn(&e, x87_get(c, 0), &range);
    if (range) { /* C2: |x| >= 2^63, ST(0) stays */
        c->s.fsw = (uint16_t)((c->s.fsw & ~FSW_C1) | FSW_C2);
        return true;
    }
    x87_raise(c, &e, false);
    if (x87_stores(&e, false)) {
        x87_put(c, 0, r);
    }
    return true;
}

static struct f80 fn_sqrt(struct fp_env *e, struct f80 a, bool *range)
{
    (void)range;
    return fp_bin80(e, FP_SQRT, a, a);
}
static struct f80 fn_rndint(struct fp_env *e, struct f80 a, bool *range)
{
    (void)range;
    return fp_rndint80(e, a);
}
static struct f80 fn_2xm1(struct fp_env *e, struct f80 a, bool *range)
{
    (void)range;
    return fp_trans(e, FP_F2XM1, a);
}
bool op_fsqrt(struct cpu *c, const struct insn *in)
{
    return unary(c, in, fn_sqrt, false);
}
bool op_frndint(struct cpu *c, const struct insn *in)
{
    return unary(c, in, fn_rndint, false);
}
bool op_f2xm1(struct cpu *c, const struct insn *in)
{
    return unary(c, in, fn_2xm1, false);
}

/* Trigonometric arguments of 2^63 and beyond are not reduced. */
static bool out_of_range(struct f80 a)
{
    unsigned exp = a.se & 0x7fff;
    return exp >= 16383 + 63 && exp != 0x7fff && a.man >> 63;
}
static struct f80 fn_sin(struct fp_env *e, struct f80 a, bool *range)
{
    *range = out_of_range(a);
    return *range ? a : fp_trans(e, FP_FSIN, a);
}
static struct f80 fn_cos(struct fp_env *e, struct f80 a, bool *range)
{
    *range = out_of_range(a);
    return *range ? a : fp_trans(e, FP_FCOS, a);
}
bool op_fsin(struct cpu *c, const struct insn *in)
{
    return unary(c, in, fn_sin, true);
}
bool op_fcos(struct cpu *c, const struct insn *in)
{
    return unary(c, in, fn_cos, true);
}

/* ---- ST(0) becomes one value, another is pushed ---- */

/* Stack faults of FSINCOS, FPTAN, FXTRACT: ST(0) must be there and ST(7) free.  true: handled. */
static bool pair_faults(struct cpu *c, const struct insn *in)
{
    bool masked;

    if (!x87_empty(c, 0) && x87_empty(c, 7)) {
        return false;
    }
    if (in->op != OP_fxtract) {
        c->s.fsw &= (uint16_t)~FSW_C2;
    }
    masked = x87_empty(c, 0) ? x87_underflow(c) : x87_overflow(c);
    if (masked) {
        x87_put(c, 0, fp_indefinite80);
        x87_push(c, fp_indefinite80);
    }
    return true;
}

static void pair_finish(struct cpu *c, const struct fp_env *e, struct f80 below, struct f80 top)
{
    x87_raise(c, e, false);
    if (x87_stores(e, false)) {
        x87_put(c, 0, below);
        x87_push(c, top);
    }
}

bool op_fsincos(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c), e2 = e;
    struct f80 a, s, co;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (pair_faults(c, in)) {
        return true;
    }
    a = x87_get(c, 0);
    if (out_of_range(a)) {
        c->s.fsw = (uint16_t)((c->s.fsw & ~FSW_C1) | FSW_C2);
        return true;
    }
    c->s.fsw &= (uint16_t)~FSW_C2;
    s = fp_trans(&e2, FP_FSIN, a);
    co = fp_trans(&e, FP_FCOS, a);
    e.flags |= e2.flags;
    pair_finish(c, &e, s, co);
    return true;
}

bool op_fptan(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c);
    struct f80 a, r;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (pair_faults(c, in)) {
        return true;
    }
    a = x87_get(c, 0);
    if (out_of_range(a)) {
        c->s.fsw = (uint16_t)((c->s.fsw & ~FSW_C1) | FSW_C2);
        return true;
    }
    c->s.fsw &= (uint16_t)~FSW_C2;
    r = fp_trans(&e, FP_FPTAN, a);
    /* HW: a NaN is pushed instead of 1.0 */
    pair_finish(c, &e, r, is_nan(r) ? r : (struct f80){(uint64_t)1 << 63, 0x3fff});
    return true;
}

bool op_fxtract(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c);
    struct f80 sig, exp;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (pair_faults(c, in)) {
        return true;
    }
    sig = fp_extract80(&e, x87_get(c, 0), &exp);
    pair_finish(c, &e, exp, sig);
    return true;
}

/* ---- ST(0) and ST(1) ---- */

/* Both must be there; else the indefinite goes to dst (ST(0) kept or popped).  true: handled. */
static bool two_faults(struct cpu *c, bool pop)
{
    if (!x87_empty(c, 0) && !x87_empty(c, 1)) {
        return false;
    }
    if (x87_underflow(c)) {
        if (pop) {
            x87_pop(c);
        }
        x87_put(c, 0, fp_indefinite80);
    }
    return true;
}

bool op_fscale(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c);
    struct f80 r;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (two_faults(c, false)) {
        return true;
    }
    r = fp_scale80(&e, x87_get(c, 0), x87_get(c, 1));
    x87_raise(c, &e, false);
    if (x87_stores(&e, false)) {
        x87_put(c, 0, r);
    }
    return true;
}

static bool remainder_op(struct cpu *c, const struct insn *in, bool nearest)
{
    struct fp_env e = x87_env(c);
    bool partial;
    unsigned q;
    struct f80 r;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    c->s.fsw &= (uint16_t)~FSW_C2;
    if (two_faults(c, false)) {
        return true;
    }
    r = fp_rem80(&e, x87_get(c, 0), x87_get(c, 1), nearest, &q, &partial);
    x87_raise(c, &e, false);
    if (x87_stores(&e, false)) {
        x87_put(c, 0, r);
    }
    if (x87_stores(&e, false) && !(e.flags & FP_IE) && !is_nan(r)) { /* HW: else C0, C3 stay */
        x87_cc(c, (q & 4 ? FSW_C0 : 0) | (q & 2 ? FSW_C3 : 0) | (partial ? FSW_C2 : 0));
        c->s.fsw = (uint16_t)((c->s.fsw & ~FSW_C1) | (q & 1 ? FSW_C1 : 0));
    }
    return true;
}
bool op_fprem(struct cpu *c, const struct insn *in)
{
    return remainder_op(c, in, false);
}
bool op_fprem1(struct cpu *c, const struct insn *in)
{
    return remainder_op(c, in, true);
}

/* ST(1) = f(ST(0), ST(1)), pop. */
static struct f80 fn_yl2x(struct fp_env *e, struct f80 x, struct f80 y)
{
    return fp_yl2x(e, x, y, false);
}
static struct f80 fn_yl2xp1(struct fp_env *e, struct f80 x, struct f80 y)
{
    return fp_yl2x(e, x, y, true);
}
static bool two_pop(struct cpu *c, const struct insn *in,
                    struct f80 (*fn)(struct fp_env *, struct f80, struct f80))
{
    struct fp_env e = x87_env(c);
    struct f80 r;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (two_faults(c, true)) {
        return true;
    }
    r = fn(&e, x87_get(c, 0), x87_get(c, 1));
    x87_raise(c, &e, false);
    if (x87_stores(&e, false)) {
        x87_pop(c);
        x87_put(c, 0, r);
    }
    return true;
}
bool op_fyl2x(struct cpu *c, const struct insn *in)
{
    return two_pop(c, in, fn_yl2x);
}
bool op_fyl2xp1(struct cpu *c, const struct insn *in)
{
    return two_pop(c, in, fn_yl2xp1);
}
bool op_fpatan(struct cpu *c, const struct insn *in)
{
    return two_pop(c, in, fp_patan);
}
