/* Arithmetic in integers for all formats: one body over the unpacked form.
 *
 * SDM Vol. 1, "Floating-Point Exceptions" (masked and unmasked responses, precedence), "x87 FPU
 * Precision Control", tables "Rules for Handling NaNs", "Unsupported Double Extended-Precision
 * Floating-Point Encodings"; IEEE Std 754-1985 with tininess detected after rounding.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/fp/fp.h"

struct fp_shape {
    int prec, emin, emax, bias;
    unsigned fbits, ebits; /* of the packed forms without an integer bit */
};
static const struct fp_shape shapes[] = {
    [FP_F16] = {11, -14, 15, 15, 10, 5},
    [FP_F32] = {24, -126, 127, 127, 23, 8},
    [FP_F64] = {53, -1022, 1023, 1023, 52, 11},
    [FP_F80] = {64, -16382, 16383, 16383, 0, 0},
};
#define BIT63 ((uint64_t)1 << 63)
#define BIT62 ((uint64_t)1 << 62)
#define WRAP_EXP 24576 /* 3 * 2^13: the exponent adjustment of unmasked over- and underflow */

const struct f80 fp_indefinite80 = {(uint64_t)3 << 62, 0xffff};

struct fp_num fp_default_nan(void)
{
    return (struct fp_num){.sig = BIT63 | BIT62, .cls = FP_QNAN, .sign = true};
}

struct fp_num fp_unpack(enum fp_fmt f, uint64_t bits)
{
    unsigned fbits = shapes[f].fbits, ebits = shapes[f].ebits;
    uint64_t frac = bits & bits_mask(fbits);
    unsigned ef = (unsigned)(bits >> fbits & bits_mask(ebits));
    struct fp_num n = {.sign = bits >> (fbits + ebits) & 1};

    if (ef == bits_mask(ebits)) {
        n.sig = BIT63 | frac << (63 - fbits);
        n.cls = !frac ? FP_INF : n.sig & BIT62 ? FP_QNAN : FP_SNAN;
    } else if (ef) {
        n.cls = FP_NUM;
        n.sig = BIT63 | frac << (63 - fbits);
        n.exp = (int)ef - shapes[f].bias;
    } else if (frac) {
        unsigned z = (unsigned)__builtin_clzll(frac);
        n.cls = FP_NUM;
        n.den = true;
        n.sig = frac << z;
        n.exp = shapes[f].emin - (int)(z - (63 - fbits));
    } else {
        n.cls = FP_ZERO;
    }
    return n;
}

struct fp_num fp_unpack_daz(const struct fp_env *e, enum fp_fmt f, uint64_t bits)
{
    struct fp_num n = fp_unpack(f, bits);

    if (n.den && e->daz) {
        n.cls = FP_ZERO;
        n.den = false;
    }
    return n;
}

struct fp_num fp_unpack80(struct f80 v)
{
    unsigned ef = v.se & 0x7fff;
    struct fp_num n = {.sig = v.man, .sign = v.se >> 15};

    if (ef == 0) {
        if (!v.man) {
            n.cls = FP_ZERO;
        } else {
            unsigned z = (unsigned)__builtin_clzll(v.man); /* 0: a pseudo-denormal */
            n.cls = FP_NUM;
            n.den = true;
            n.sig = v.man << z;
            n.exp = -16382 - (int)z;
        }
    } else if (!(v.man & BIT63)) {
        n.cls = FP_BAD; /* unnormal, pseudo-infinity, pseudo-NaN */
    } else if (ef == 0x7fff) {
        n.cls = !(v.man << 1) ? FP_INF : v.man & BIT62 ? FP_QNAN : FP_SNAN;
    } else {
        n.cls = FP_NUM;
        n.exp = (int)ef - 16383;
    }
    return n;
}

uint64_t fp_pack(enum fp_fmt f, const struct fp_num *n)
{
    unsigned fbits = shapes[f].fbits, ebits = shapes[f].ebits;
    uint64_t sign = (uint64_t)n->sign << (fbits + ebits);
    uint64_t top = bits_mask(ebits) << fbits;

    switch (n->cls) {
    case FP_ZERO:
        return sign;
    case FP_INF:
        return sign | top;
    case FP_NUM:
        if (n->exp < shapes[f].emin) {
            unsigned sh = 63 - fbits + (unsigned)(shapes[f].emin - n->exp);
            return sign | (sh < 64 ? n->sig >> sh : 0);
        }
        return sign | (uint64_t)(n->exp + shapes[f].bias) << fbits |
               (n->sig << 1 >> (64 - fbits));
    default:
        return sign | top | n->sig << 1 >> (64 - fbits);
    }
}

struct f80 fp_pack80(const struct fp_num *n)
{
    uint16_t sign = (uint16_t)(n->sign << 15);

    switch (n->cls) {
    case FP_ZERO:
        return (struct f80){0, sign};
    case FP_INF:
        return (struct f80){BIT63, (uint16_t)(sign | 0x7fff)};
    case FP_NUM:
        if (n->exp < -16382) {
            unsigned sh = (unsigned)(-16382 - n->exp);
            return (struct f80){sh < 64 ? n->sig >> sh : 0, sign};
        }
        return (struct f80){n->sig, (uint16_t)(sign | (n->exp + 16383))};
    default:
        return (struct f80){n->sig, (uint16_t)(sign | 0x7fff)};
    }
}

/* hi.lo cut to its upper 64 - cut bits.  *carry: it became 2^64 (the result is then bit 63). */
FORCE_INLINE uint64_t round_bits(const struct fp_env *e, bool sign, uint64_t hi, uint64_t lo,
                           unsigned cut, bool *carry, bool *inexact, bool *up)
{
    uint64_t unit = (uint64_t)1 << cut, rest = hi & (unit - 1);

    *inexact = rest || lo;
    switch (e->rc) {
    case FP_RC_NEAREST: {
        uint64_t half_hi = cut ? unit >> 1 : 0, half_lo = cut ? 0 : BIT63;
        bool more = rest != half_hi ? rest > half_hi : lo > half_lo;
        bool tie = rest == half_hi && lo == half_lo;
        *up = more || (tie && (hi & unit));
        break;
    }
    case FP_RC_DOWN: *up = *inexact && sign; break;
    case FP_RC_UP: *up = *inexact && !sign; break;
    default: *up = false; break;
    }
    hi -= rest;
    *carry = false;
    if (*up) {
        hi += unit;
        if (!hi) {
            *carry = true;
            hi = BIT63;
        }
    }
    return hi;
}

static struct fp_num overflowed(struct fp_env *e, int prec, bool sign, int emax)
{
    bool inf = e->rc == FP_RC_NEAREST || e->rc == (sign ? FP_RC_DOWN : FP_RC_UP);

    e->flags |= FP_OE | FP_PE;
    e->up = inf;
    if (inf) {
        return (struct fp_num){.sig = BIT63, .cls = FP_INF, .sign = sign};
    }
    return (struct fp_num){.sig = ~(uint64_t)0 << (64 - prec), .exp = emax, .cls = FP_NUM,
                           .sign = sign};
}

struct fp_num fp_round(struct fp_env *e, enum fp_fmt f, bool sign, int32_t exp, uint64_t hi,
                       uint64_t lo)
{
    const struct fp_shape *s = &shapes[f];
    int prec = f == FP_F80 ? e->prec : s->prec;
    unsigned cut = 64 - (unsigned)prec;
    bool carry, inexact, up, tiny;
    struct fp_num r = {.cls = FP_NUM, .sign = sign};

    /* as if the exponent had no bounds */
    r.sig = round_bits(e, sign, hi, lo, cut, &carry, &inexact, &up);
    r.exp = exp + carry;
    if (r.exp > s->emax) {
        if (e->mask & FP_OE) {
            return overflowed(e, prec, sign, s->emax);
        }
        if (f == FP_F80 && r.exp - WRAP_EXP > s->emax) { /* HW: FSCALE beyond the bias: infinity */
            e->flags |= FP_OE | FP_PE;
            e->up = true;
            return (struct fp_num){.sig = BIT63, .cls = FP_INF, .sign = sign};
        }
        e->flags |= FP_OE | (inexact ? FP_PE : 0);
        e->up = up;
        r.exp = f == FP_F80 ? r.exp - WRAP_EXP : 0; /* only registers of the x87 take a result */
        return r;
    }
    tiny = r.exp < s->emin;
    if (tiny && !(e->mask & FP_UE)) {
        if (f == FP_F80 && r.exp + WRAP_EXP < s->emin) { /* HW: FSCALE again: zero */
            e->flags |= FP_UE | FP_PE;
            e->up = false;
            r.cls = FP_ZERO;
            return r;
        }
        e->flags |= FP_UE | (inexact ? FP_PE : 0);
        e->up = up;
        r.exp = f == FP_F80 ? r.exp + WRAP_EXP : 0;
        return r;
    }
    if (tiny && e->ftz && f != FP_F80 && e->mask & FP_UE) {
        e->flags |= FP_UE | FP_PE;
        e->up = false;
        r.cls = FP_ZERO;
        return r;
    }
    if (exp < s->emin) { /* denormal: fewer bits are left */
        unsigned sh = (unsigned)(s->emin - exp);
        if (sh >= 128) {
            lo = 1;
            hi = 0;
        } else if (sh >= 64) {
            lo = (sh == 64 ? hi : hi >> (sh - 64)) | (lo || (sh > 64 && hi << (128 - sh)));
            hi = 0;
        } else {
            lo = hi << (64 - sh) | lo >> sh | ((lo << (64 - sh)) != 0);
            hi >>= sh;
        }
        r.sig = round_bits(e, sign, hi, lo, cut, &carry, &inexact, &up);
        if (tiny && inexact) {
            e->flags |= FP_UE;
        }
        r.exp = s->emin;
        if (!r.sig) {
            r.cls = FP_ZERO;
        } else {
            unsigned z = (unsigned)__builtin_clzll(r.sig);
            r.sig <<= z;
            r.exp -= (int)z;
        }
    }
    if (inexact) {
        e->flags |= FP_PE;
    }
    e->up = up;
    return r;
}

static struct fp_num quieted(struct fp_num n)
{
    n.cls = FP_QNAN;
    n.sig |= BIT62;
    n.den = false;
    return n;
}

struct fp_num fp_nan2(struct fp_env *e, enum fp_fmt f, const struct fp_num *a,
                      const struct fp_num *b)
{
    if (a->cls == FP_SNAN || b->cls == FP_SNAN) {
        e->flags |= FP_IE;
    }
    if (!fp_is_nan(b)) {
        return quieted(*a);
    }
    if (!fp_is_nan(a)) {
        return quieted(*b);
    }
    if (f != FP_F80) { /* SSE: the first source */
        return quieted(*a);
    }
    if (a->cls != b->cls) { /* x87: the quiet one */
        return a->cls == FP_QNAN ? *a : *b;
    }
    if (a->sig != b->sig) { /* the larger significand */
        return quieted(a->sig > b->sig ? *a : *b);
    }
    return quieted(a->sign ? *b : *a);
}

static struct fp_num invalid(struct fp_env *e)
{
    e->flags |= FP_IE;
    return fp_default_nan();
}

static struct fp_num calc_add(struct fp_env *e, enum fp_fmt f, struct fp_num a, struct fp_num b)
{
    fp_u128 x, y;
    unsigned d;
    int exp, z;
    bool sign;

    if (a.cls == FP_INF || b.cls == FP_INF) {
        if (a.cls == b.cls && a.sign != b.sign) {
            return invalid(e);
        }
        e->flags |= a.den || b.den ? FP_DE : 0;
        return a.cls == FP_INF ? a : b;
    }
    e->flags |= a.den || b.den ? FP_DE : 0;
    if (b.cls == FP_ZERO && a.cls == FP_ZERO) {
        a.sign = a.sign == b.sign ? a.sign : e->rc == FP_RC_DOWN;
        return a;
    }
    if (a.cls == FP_ZERO || b.cls == FP_ZERO) {
        const struct fp_num *n = a.cls == FP_ZERO ? &b : &a;
        return fp_round(e, f, n->sign, n->exp, n->sig, 0);
    }
    if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
        struct fp_num t = a;
        a = b;
        b = t;
    }
    d = (unsigned)(a.exp - b.exp);
    x = (fp_u128)a.sig << 62;
    y = (fp_u128)b.sig << 62;
    if (d >= 126) {
        y = 1;
    } else if (d) {
        y = y >> d | ((y << (128 - d)) != 0);
    }
    sign = a.sign;
    exp = a.exp;
    if (a.sign == b.sign) {
        x += y;
    } else {
        x -= y;
        if (!x) {
            return (struct fp_num){.cls = FP_ZERO, .sign = e->rc == FP_RC_DOWN};
        }
    }
    z = x >> 64 ? __builtin_clzll((uint64_t)(x >> 64)) : 64 + __builtin_clzll((uint64_t)x);
    x <<= z;
    return fp_round(e, f, sign, exp + 2 - z, (uint64_t)(x >> 64), (uint64_t)x);
}

static struct fp_num calc_mul(struct fp_env *e, enum fp_fmt f, struct fp_num a, struct fp_num b)
{
    bool sign = a.sign ^ b.sign;
    fp_u128 p;
    int exp = a.exp + b.exp;

    if ((a.cls == FP_INF && b.cls == FP_ZERO) || (a.cls == FP_ZERO && b.cls == FP_INF)) {
        return invalid(e);
    }
    e->flags |= a.den || b.den ? FP_DE : 0;
    if (a.cls == FP_INF || b.cls == FP_INF) {
        return (struct fp_num){.sig = BIT63, .cls = FP_INF, .sign = sign};
    }
    if (a.cls == FP_ZERO || b.cls == FP_ZERO) {
        return (struct fp_num){.cls = FP_ZERO, .sign = sign};
    }
    p = (fp_u128)a.sig * b.sig;
    if (p >> 127) {
        exp++;
    } else {
        p <<= 1;
    }
    return fp_round(e, f, sign, exp, (uint64_t)(p >> 64), (uint64_t)p);
}

static struct fp_num calc_div(struct fp_env *e, enum fp_fmt f, struct fp_num a, struct fp_num b)
{
    bool sign = a.sign ^ b.sign;
    int exp = a.exp - b.exp;
    fp_u128 n;
    uint64_t hi, lo, rem;

    if ((a.cls == FP_INF && b.cls == FP_INF) || (a.cls == FP_ZERO && b.cls == FP_ZERO)) {
        return invalid(e);
    }
    if (a.cls == FP_INF) {
        e->flags |= b.den ? FP_DE : 0;
        return (struct fp_num){.sig = BIT63, .cls = FP_INF, .sign = sign};
    }
    if (b.cls == FP_ZERO) {
        e->flags |= FP_ZE;
        return (struct fp_num){.sig = BIT63, .cls = FP_INF, .sign = sign};
    }
    e->flags |= a.den || b.den ? FP_DE : 0;
    if (b.cls == FP_INF || a.cls == FP_ZERO) {
        return (struct fp_num){.cls = FP_ZERO, .sign = sign};
    }
    n = (fp_u128)a.sig << 63;
    if (a.sig < b.sig) {
        n <<= 1;
        exp--;
    }
    hi = (uint64_t)(n / b.sig);
    rem = (uint64_t)(n % b.sig);
    n = (fp_u128)rem << 64;
    lo = (uint64_t)(n / b.sig);
    lo |= n % b.sig != 0;
    return fp_round(e, f, sign, exp, hi, lo);
}

static struct fp_num calc_sqrt(struct fp_env *e, enum fp_fmt f, struct fp_num a)
{
    fp_u128 n, rem;
    uint64_t root = 0;
    int exp;

    if (a.cls == FP_ZERO) {
        return a;
    }
    if (a.sign) {
        return invalid(e);
    }
    if (a.cls == FP_INF) {
        return a;
    }
    e->flags |= a.den ? FP_DE : 0;
    exp = a.exp & 1 ? (a.exp - 1) / 2 : a.exp / 2;
    n = a.exp & 1 ? (fp_u128)a.sig << 64 : (fp_u128)a.sig << 63;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t t = root | (uint64_t)1 << bit;
        if ((fp_u128)t * t <= n) {
            root = t;
        }
    }
    rem = n - (fp_u128)root * root;
    /* (root + 1/2)^2 = root^2 + root + 1/4: above half when rem > root; never a tie */
    return fp_round(e, f, false, exp, root, !rem ? 0 : rem > root ? BIT63 | 1 : 1);
}

struct fp_num fp_calc(struct fp_env *e, enum fp_fmt f, enum fp_op op, struct fp_num a,
                      struct fp_num b)
{
    if (op == FP_SQRT) {
        b = a;
    }
    if (a.cls == FP_BAD || b.cls == FP_BAD) {
        return invalid(e);
    }
    if (fp_is_nan(&a) || fp_is_nan(&b)) {
        return fp_nan2(e, f, &a, &b);
    }
    switch (op) {
    case FP_SUB:
        b.sign = !b.sign;
        return calc_add(e, f, a, b);
    case FP_ADD: return calc_add(e, f, a, b);
    case FP_MUL: return calc_mul(e, f, a, b);
    case FP_DIV: return calc_div(e, f, a, b);
    default: return calc_sqrt(e, f, a);
    }
}

/* ---- short cuts: ordinary numbers in, an ordinary number out; the bits of the long way ---- */

FORCE_INLINE bool ordinary80(struct f80 v)
{
    unsigned exp = v.se & 0x7fff;
    return exp - 1 < 0x7ffe && v.man >> 63;
}
/* exp is biased. */
FORCE_INLINE bool quick_round80(struct fp_env *e, bool sign, int exp, fp_u128 v, struct f80 *r)
{
    bool carry, inexact, up;
    uint64_t hi = round_bits(e, sign, (uint64_t)(v >> 64), (uint64_t)v, 64u - e->prec, &carry,
                             &inexact, &up);

    exp += carry;
    if (exp < 1 || exp > 0x7ffe) {
        return false;
    }
    e->flags |= inexact ? FP_PE : 0;
    e->up = up;
    *r = (struct f80){hi, (uint16_t)(sign << 15 | exp)};
    return true;
}
FORCE_INLINE bool quick_add80(struct fp_env *e, struct f80 a, struct f80 b, struct f80 *r)
{
    int exp = a.se & 0x7fff, d = exp - (b.se & 0x7fff);
    fp_u128 x, y;

    if (d < 0 || (d == 0 && a.man < b.man)) {
        struct f80 t = a;
        a = b;
        b = t;
        exp -= d;
        d = -d;
    }
    if (d > 62) {
        return false;
    }
    x = (fp_u128)a.man << 63;
    y = (fp_u128)b.man << 63 >> d; /* its last bit is bit 1 at least */
    x = (a.se ^ b.se) >> 15 ? x - y : x + y;
    if (x >> 127) {
        exp++;
    } else if (!x) {
        return false;
    } else {
        uint64_t hi = (uint64_t)(x >> 64);
        int z = hi ? __builtin_clzll(hi) : 64 + __builtin_clzll((uint64_t)x);
        x <<= z;
        exp -= z - 1;
        if (exp < 1) {
            return false;
        }
    }
    return quick_round80(e, a.se >> 15, exp, x, r);
}
FORCE_INLINE bool quick_mul80(struct fp_env *e, struct f80 a, struct f80 b, struct f80 *r)
{
    fp_u128 p = (fp_u128)a.man * b.man;
    int exp = (a.se & 0x7fff) + (b.se & 0x7fff) - 16383 + (int)(p >> 127);

    if (exp < 1 || exp > 0x7ffe) {
        return false;
    }
    return quick_round80(e, (a.se ^ b.se) >> 15, exp, p >> 127 ? p : p << 1, r);
}

/* Zero, or neither denormal nor infinite nor NaN: as an integer in the same order. */
FORCE_INLINE bool ordinary(enum fp_fmt f, uint64_t bits, int64_t *order)
{
    uint64_t v = bits << (64 - fp_width(f)), mag = v & ~BIT63;
    uint64_t least = (uint64_t)1 << (63 - shapes[f].ebits); /* exponent field 1 */

    *order = v >> 63 ? -(int64_t)mag : (int64_t)mag;
    return mag - least < BIT63 - 2 * least || !mag;
}

static enum fp_rel relation(const struct fp_num *a, const struct fp_num *b)
{
    bool less;

    if (a->cls == FP_ZERO && b->cls == FP_ZERO) {
        return FP_EQUAL;
    }
    if (a->cls == FP_ZERO) {
        return b->sign ? FP_GREATER : FP_LESS;
    }
    if (b->cls == FP_ZERO || a->sign != b->sign) {
        return a->sign ? FP_LESS : FP_GREATER;
    }
    if (a->cls == FP_INF || b->cls == FP_INF) {
        if (a->cls == b->cls) {
            return FP_EQUAL;
        }
        less = b->cls == FP_INF;
    } else if (a->exp != b->exp) {
        less = a->exp < b->exp;
    } else if (a->sig != b->sig) {
        less = a->sig < b->sig;
    } else {
        return FP_EQUAL;
    }
    return less != a->sign ? FP_LESS : FP_GREATER;
}

static enum fp_rel compare(struct fp_env *e, const struct fp_num *a, const struct fp_num *b,
                           bool quiet)
{
    if (a->cls >= FP_QNAN || b->cls >= FP_QNAN) {
        if (!quiet || a->cls >= FP_SNAN || b->cls >= FP_SNAN) {
            e->flags |= FP_IE;
        }
        return FP_UNORDERED;
    }
    e->flags |= a->den || b->den ? FP_DE : 0;
    return relation(a, b);
}

enum fp_rel soft_compare80(struct fp_env *e, struct f80 a, struct f80 b, bool quiet)
{
    struct fp_num x = fp_unpack80(a), y = fp_unpack80(b);
    return compare(e, &x, &y, quiet);
}

enum fp_rel soft_compare(struct fp_env *e, enum fp_fmt f, uint64_t a, uint64_t b, bool quiet)
{
    struct fp_num x, y;
    int64_t ia, ib;

    if (ordinary(f, a, &ia) && ordinary(f, b, &ib)) {
        return ia < ib ? FP_LESS : ia > ib ? FP_GREATER : FP_EQUAL;
    }
    x = fp_unpack_daz(e, f, a);
    y = fp_unpack_daz(e, f, b);
    return compare(e, &x, &y, quiet);
}

struct f80 soft_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b)
{
    struct fp_num n;
    struct f80 r;

    if (op <= FP_MUL && ordinary80(a) && ordinary80(b)) {
        struct f80 y = b;
        y.se ^= (uint16_t)(op == FP_SUB ? 0x8000 : 0);
        if (op == FP_MUL ? quick_mul80(e, a, b, &r) : quick_add80(e, a, y, &r)) {
            return r;
        }
    }
    n = fp_calc(e, FP_F80, op, fp_unpack80(a), fp_unpack80(b));
    return fp_pack80(&n);
}

/* MINPS and friends: the second source unless the first is strictly beyond it; NaNs of any kind
 * are invalid and give the second source as it is. */
static uint64_t min_max(struct fp_env *e, enum fp_fmt f, bool max, uint64_t a, uint64_t b)
{
    enum fp_rel rel = soft_compare(e, f, a, b, false);
    uint64_t r = rel == (max ? FP_GREATER : FP_LESS) ? a : b;
    struct fp_num n = fp_unpack(f, r);

    if (n.den && e->daz) {
        n.cls = FP_ZERO;
        r = fp_pack(f, &n);
    }
    return r;
}

uint64_t soft_bin(struct fp_env *e, enum fp_fmt f, enum fp_op op, uint64_t a, uint64_t b)
{
    struct fp_num r;

    if (op == FP_MIN || op == FP_MAX) {
        return min_max(e, f, op == FP_MAX, a, b);
    }
    if (op == FP_SQRT) {
        a = b;
    }
    r = fp_calc(e, f, op, fp_unpack_daz(e, f, a), fp_unpack_daz(e, f, b));
    return fp_pack(f, &r);
}

void soft_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
                 const uint64_t *b)
{
    for (unsigned i = 0; i < n; i++) {
        fp_set(r, f, i, soft_bin(e, f, op, fp_get(r, f, i), fp_get(b, f, i)));
    }
}
