/* Conversions between formats and integers, rounding, scaling, remainders, packed decimal.
 *
 * SDM Vol. 2A: "FIST/FISTP", "FISTTP", "FRNDINT", "FSCALE", "FXTRACT", "FPREM", "FPREM1", "FBLD",
 * "FBSTP", "CVTSS2SI" and its family; Vol. 1, table "Indefinite values".
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/fp/fp.h"

#define BIT63 ((uint64_t)1 << 63)

static struct f80 invalid80(struct fp_env *e)
{
    e->flags |= FP_IE;
    return fp_indefinite80;
}

/* |n| as an integer by e->rc; false: 2^64 or more.  *inexact, *up as in fp_round(). */
static bool integer_part(const struct fp_env *e, const struct fp_num *n, uint64_t *v,
                         bool *inexact, bool *up)
{
    uint64_t whole, frac, half = BIT63; /* frac: the bits behind the point, left-aligned */

    *inexact = *up = false;
    *v = 0;
    if (n->cls == FP_ZERO) {
        return true;
    }
    if (n->exp > 63) {
        return false;
    }
    if (n->exp == 63) {
        whole = n->sig;
        frac = 0;
    } else if (n->exp >= 0) {
        whole = n->sig >> (63 - n->exp);
        frac = n->sig << (n->exp + 1);
    } else {
        whole = 0;
        frac = n->exp == -1 ? n->sig : 1;
    }
    *inexact = frac != 0;
    switch (e->rc) {
    case FP_RC_NEAREST: *up = frac > half || (frac == half && whole & 1); break;
    case FP_RC_DOWN: *up = frac && n->sign; break;
    case FP_RC_UP: *up = frac && !n->sign; break;
    default: break;
    }
    *v = whole + *up;
    return *v || !*up;
}

int64_t fp_to_int(struct fp_env *e, struct fp_num n, unsigned bits)
{
    uint64_t v, limit = (uint64_t)1 << (bits - 1);
    bool inexact = false, up = false;

    if (n.cls == FP_INF || n.cls >= FP_QNAN || !integer_part(e, &n, &v, &inexact, &up) ||
        v > limit - !n.sign) {
        e->flags |= FP_IE;
        return (int64_t)(0 - limit);
    }
    e->flags |= inexact ? FP_PE : 0;
    e->up = up;
    return (int64_t)(n.sign ? 0 - v : v);
}

struct fp_num fp_from_int(int64_t v)
{
    struct fp_num n = {.sign = v < 0, .cls = FP_ZERO};

    if (v) {
        uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
        int z = __builtin_clzll(m);
        n.cls = FP_NUM;
        n.sig = m << z;
        n.exp = 63 - z;
    }
    return n;
}

/* A number in another format; NaNs are quieted, with FP_IE for signaling ones. */
static struct fp_num reformat(struct fp_env *e, enum fp_fmt to, const struct fp_num *n)
{
    switch (n->cls) {
    case FP_BAD:
        e->flags |= FP_IE;
        return fp_default_nan();
    case FP_QNAN:
    case FP_SNAN:
        return fp_nan2(e, to, n, n);
    case FP_NUM:
        return fp_round(e, to, n->sign, n->exp, n->sig, 0);
    default:
        return *n;
    }
}

struct f80 fp_widen80(struct fp_env *e, enum fp_fmt f, uint64_t bits, bool quieten)
{
    unsigned fbits = f == FP_F32 ? 23 : 52, ebits = f == FP_F32 ? 8 : 11;
    unsigned ef = (unsigned)(bits >> fbits & bits_mask(ebits));
    struct fp_num n;

    if (ef - 1 < bits_mask(ebits) - 1) { /* short cut: neither zero, denormal, infinite nor NaN */
        unsigned exp = ef + 16383 - (unsigned)bits_mask(ebits - 1);
        return (struct f80){BIT63 | bits << (63 - fbits),
                            (uint16_t)((bits >> (fbits + ebits) & 1) << 15 | exp)};
    }
    n = fp_unpack(f, bits);
    e->flags |= n.den ? FP_DE : 0;
    if (fp_is_nan(&n) && quieten) {
        n = fp_nan2(e, f, &n, &n);
    }
    return fp_pack80(&n);
}

uint64_t fp_narrow80(struct fp_env *e, enum fp_fmt f, struct f80 v)
{
    struct fp_num n = fp_unpack80(v);
    struct fp_num r = reformat(e, f, &n);
    return fp_pack(f, &r);
}

uint64_t fp_convert(struct fp_env *e, enum fp_fmt to, enum fp_fmt from, uint64_t bits)
{
    unsigned ef = bits >> 23 & 0xff;
    struct fp_num n, r;

    if (from == FP_F32 && to == FP_F64 && ef - 1 < 0xfe) { /* short cut: exact */
        return bits >> 31 << 63 | (uint64_t)(ef + 896) << 52 | (bits & 0x7fffff) << 29;
    }
    n = fp_unpack_daz(e, from, bits);
    e->flags |= n.den ? FP_DE : 0;
    r = reformat(e, to, &n);
    return fp_pack(to, &r);
}

uint64_t fp_int_to(struct fp_env *e, enum fp_fmt f, int64_t v)
{
    unsigned fbits = f == FP_F32 ? 23 : 52;
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    struct fp_num n, r;

    if (m && !(m >> (fbits + 1))) { /* short cut: exact */
        unsigned top = 63 - (unsigned)__builtin_clzll(m);
        return (uint64_t)(v < 0) << (fp_width(f) - 1) |
               ((uint64_t)(f == FP_F32 ? 127 : 1023) + top) << fbits |
               (m << (fbits - top) & bits_mask(fbits));
    }
    n = fp_from_int(v);
    r = reformat(e, f, &n);
    return fp_pack(f, &r);
}

uint64_t fp_rint(struct fp_env *e, enum fp_fmt f, uint64_t bits)
{
    struct fp_num n = fp_unpack_daz(e, f, bits);
    uint64_t v;
    bool inexact, up;

    if (fp_is_nan(&n)) {
        n = fp_nan2(e, f, &n, &n);
    } else if (n.cls == FP_NUM && n.exp < 63) { /* a denormal is no exception here */
        integer_part(e, &n, &v, &inexact, &up);
        e->flags |= inexact ? FP_PE : 0;
        if (!v) {
            n.cls = FP_ZERO;
        } else {
            int z = __builtin_clzll(v);
            n.sig = v << z;
            n.exp = 63 - z;
        }
    }
    return fp_pack(f, &n);
}

struct f80 fp_rndint80(struct fp_env *e, struct f80 a)
{
    struct fp_num n = fp_unpack80(a);
    uint64_t v;
    bool inexact, up;

    if (n.cls == FP_BAD) {
        return invalid80(e);
    }
    if (fp_is_nan(&n)) {
        n = fp_nan2(e, FP_F80, &n, &n);
        return fp_pack80(&n);
    }
    if (n.cls != FP_NUM) {
        return a;
    }
    e->flags |= n.den ? FP_DE : 0;
    if (n.exp >= 63 || !integer_part(e, &n, &v, &inexact, &up)) {
        return a; /* an integer already */
    }
    e->flags |= inexact ? FP_PE : 0;
    e->up = up;
    if (!v) {
        n.cls = FP_ZERO;
    } else {
        int z = __builtin_clzll(v);
        n.sig = v << z;
        n.exp = 63 - z;
    }
    return fp_pack80(&n);
}

struct f80 fp_scale80(struct fp_env *e, struct f80 a, struct f80 b)
{
    struct fp_num x = fp_unpack80(a), y = fp_unpack80(b), r;
    struct fp_env full = *e;
    int by;

    if (x.cls == FP_BAD || y.cls == FP_BAD) {
        return invalid80(e);
    }
    if (fp_is_nan(&x) || fp_is_nan(&y)) {
        r = fp_nan2(e, FP_F80, &x, &y);
        return fp_pack80(&r);
    }
    if (y.cls == FP_INF) {
        if (x.cls == (y.sign ? FP_INF : FP_ZERO)) {
            return invalid80(e);
        }
        e->flags |= x.den ? FP_DE : 0;
        r = (struct fp_num){.sig = BIT63, .cls = y.sign ? FP_ZERO : FP_INF, .sign = x.sign};
        return fp_pack80(&r);
    }
    e->flags |= x.den || y.den ? FP_DE : 0;
    if (x.cls != FP_NUM) {
        return a;
    }
    /* toward zero; anything beyond 2^16 leaves every exponent range */
    by = y.cls == FP_ZERO || y.exp < 0 ? 0 : y.exp > 16 ? 1 << 17 : (int)(y.sig >> (63 - y.exp));
    full.prec = 64;
    full.flags = e->flags;
    r = fp_round(&full, FP_F80, x.sign, x.exp + (y.sign ? -by : by), x.sig, 0);
    e->flags = full.flags;
    e->up = full.up;
    return fp_pack80(&r);
}

struct f80 fp_extract80(struct fp_env *e, struct f80 a, struct f80 *exponent)
{
    struct fp_num n = fp_unpack80(a), x;

    if (n.cls == FP_BAD) {
        return *exponent = invalid80(e);
    }
    if (fp_is_nan(&n)) {
        n = fp_nan2(e, FP_F80, &n, &n);
        return *exponent = fp_pack80(&n);
    }
    if (n.cls == FP_INF) {
        *exponent = (struct f80){BIT63, 0x7fff};
        return a;
    }
    if (n.cls == FP_ZERO) {
        e->flags |= FP_ZE;
        *exponent = (struct f80){BIT63, 0xffff};
        return a;
    }
    e->flags |= n.den ? FP_DE : 0;
    x = fp_from_int(n.exp);
    *exponent = fp_pack80(&x);
    n.exp = 0;
    return fp_pack80(&n);
}

struct f80 fp_rem80(struct fp_env *e, struct f80 a, struct f80 b, bool nearest, unsigned *quot,
                    bool *partial)
{
    struct fp_num x = fp_unpack80(a), y = fp_unpack80(b), r;
    struct fp_env exact = *e;
    uint64_t rem, q = 0;
    int d, exp;
    bool sign = x.sign;

    *quot = 0;
    *partial = false;
    if (x.cls == FP_BAD || y.cls == FP_BAD) {
        return invalid80(e);
    }
    if (fp_is_nan(&x) || fp_is_nan(&y)) {
        r = fp_nan2(e, FP_F80, &x, &y);
        return fp_pack80(&r);
    }
    if (x.cls == FP_INF || y.cls == FP_ZERO) {
        return invalid80(e);
    }
    e->flags |= x.den || y.den ? FP_DE : 0;
    if (x.cls == FP_ZERO) {
        return a;
    }
    exact.flags = e->flags;
    exact.prec = 64;
    if (y.cls == FP_INF) {
        r = fp_round(&exact, FP_F80, x.sign, x.exp, x.sig, 0);
        e->flags = exact.flags;
        return fp_pack80(&r);
    }
    d = x.exp - y.exp;
    rem = x.sig;
    exp = y.exp;
    if (d < -1 || (d == -1 && !nearest)) {
        exp = x.exp; /* |x| < |y| (/2) */
    } else if (d < 64) {
        if (d < 0) {
            /* only FPREM1: |x| is between y/4 and y */
            exp = x.exp;
            if (x.sig > y.sig) { /* 2x > y: nearer to y than to 0 */
                q = 1;
                sign = !sign;
                rem = 2 * y.sig - x.sig; /* y - x in units of x's last bit; below y.sig */
            }
        } else {
            for (int i = d; i >= 0; i--) { /* rem < 2 * y.sig before each step */
                fp_u128 t = i == d ? rem : (fp_u128)rem << 1;
                q <<= 1;
                if (t >= y.sig) {
                    t -= y.sig;
                    q |= 1;
                }
                rem = (uint64_t)t;
            }
            if (nearest && rem) {
                fp_u128 twice = (fp_u128)rem << 1;
                if (twice > y.sig || (twice == y.sig && q & 1)) {
                    rem = y.sig - rem;
                    sign = !sign;
                    q++;
                }
            }
        }
    } else {
        /* HW: reduces by 32 to 63 bits of the quotient a turn: as many as leave a multiple of 32 */
        int n = (d & 31) | 32;
        *partial = true;
        for (int i = n; i >= 0; i--) {
            fp_u128 t = i == n ? rem : (fp_u128)rem << 1;
            if (t >= y.sig) {
                t -= y.sig;
            }
            rem = (uint64_t)t;
        }
        exp = y.exp + (d - n);
    }
    *quot = *partial ? 0 : (unsigned)(q & 7);
    if (!rem) {
        r = (struct fp_num){.cls = FP_ZERO, .sign = x.sign};
    } else {
        int z = __builtin_clzll(rem);
        r = fp_round(&exact, FP_F80, sign, exp - z, rem << z, 0);
        e->flags = exact.flags;
    }
    return fp_pack80(&r);
}

struct f80 fp_from_bcd(const uint8_t bcd[10])
{
    uint64_t v = 0;
    struct fp_num n;

    for (int i = 8; i >= 0; i--) {
        v = v * 100 + (bcd[i] >> 4) * 10u + (bcd[i] & 15);
    }
    n = fp_from_int((int64_t)v);
    n.sign = bcd[9] >> 7;
    return fp_pack80(&n);
}

bool fp_to_bcd(struct fp_env *e, struct f80 a, uint8_t bcd[10])
{
    struct fp_num n = fp_unpack80(a);
    uint64_t v = 0;
    bool inexact = false, up = false;

    if (n.cls == FP_INF || n.cls >= FP_QNAN || !integer_part(e, &n, &v, &inexact, &up) ||
        v > 999999999999999999u) {
        static const uint8_t indefinite[10] = {[7] = 0xc0, 0xff, 0xff};
        e->flags |= FP_IE;
        memcpy(bcd, indefinite, 10);
        return false;
    }
    e->flags |= inexact ? FP_PE : 0;
    e->up = up;
    for (int i = 0; i < 9; i++) {
        unsigned two = (unsigned)(v % 100);
        bcd[i] = (uint8_t)(two / 10 << 4 | two % 10);
        v /= 100;
    }
    bcd[9] = (uint8_t)(n.sign << 7);
    return true;
}
