/* F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FPTAN, FPATAN: fixed algorithms over 128 significant bits, so
 * that every engine on every host gives the same bits.  Correctly rounded but for cases closer to a
 * tie than about 2^-55 of a last place; the host's unit differs by at most one last place.
 *
 * SDM Vol. 1, "Transcendental Instructions", "Approximation of Pi" (arguments are reduced by the
 * 66-bit pi of that section, exactly); Vol. 2A, the tables "FPATAN Results", "FYL2X Results" and
 * so on.  What the tables call undefined follows measured hardware and is marked HW.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/fp/xf.h"

#define BIT63 ((uint64_t)1 << 63)

static const struct f80 zero80 = {0, 0}, one80 = {BIT63, 0x3fff};

static struct xf xf_pi(void)
{
    return xf_make(1, 0xc90fdaa22168c234, 0xc4c6628b80dc1cd1);
}
static struct xf xf_half_pi(void)
{
    return xf_make(0, 0xc90fdaa22168c234, 0xc4c6628b80dc1cd1);
}

/* Round to f80 (precision control does not apply); always inexact. */
static struct f80 finish(struct fp_env *e, struct xf v)
{
    struct fp_env full = *e;
    struct fp_num r;

    full.prec = 64;
    r = fp_round(&full, FP_F80, v.sign, v.exp, (uint64_t)(v.sig >> 64), (uint64_t)v.sig);
    e->flags = full.flags | FP_PE;
    if (v.exp < -16382 && (r.cls == FP_ZERO || r.exp < -16382)) {
        e->flags |= FP_UE;
    }
    e->up = full.up;
    return fp_pack80(&r);
}

static struct f80 invalid(struct fp_env *e)
{
    e->flags |= FP_IE;
    return fp_indefinite80;
}
static struct f80 signed80(struct f80 v, bool sign)
{
    v.se = (uint16_t)((v.se & 0x7fff) | sign << 15);
    return v;
}
static struct f80 inf80(bool sign)
{
    return (struct f80){BIT63, (uint16_t)(0x7fff | sign << 15)};
}

/* NaNs and unsupported encodings of one or two operands.  true: *r is the answer. */
static bool special(struct fp_env *e, const struct fp_num *a, const struct fp_num *b,
                    struct f80 *r)
{
    if (a->cls == FP_BAD || b->cls == FP_BAD) {
        *r = invalid(e);
        return true;
    }
    if (fp_is_nan(a) || fp_is_nan(b)) {
        struct fp_num n = fp_nan2(e, FP_F80, a, b);
        *r = fp_pack80(&n);
        return true;
    }
    return false;
}

/* ---- sine and cosine ---- */

/* sin r (odd) or cos r by their series, |r| <= pi/4. */
static struct xf series_sin_cos(struct xf r, bool cosine)
{
    struct xf r2 = xf_mul(r, r), t = XF_ONE;

    for (uint32_t k = 36; k; k -= 2) { /* 1 - r2/(j(j+1)) * t */
        uint32_t j = cosine ? k - 1 : k;
        t = xf_sub(XF_ONE, xf_div_small(xf_mul(r2, t), j * (j + 1)));
    }
    return cosine ? t : xf_mul(r, t);
}

/* |x| mod pi/2 with the 66-bit pi, exactly, brought into [-pi/4, pi/4]; returns the quadrant. */
static unsigned reduce(const struct fp_num *n, struct xf *r)
{
    /* pi/2 in units of 2^-65 */
    const fp_u128 half_pi = (fp_u128)0xc90fdaa22168c234 << 2 | 3;
    fp_u128 rem = n->sig;
    unsigned q = 0;
    bool neg = false;

    if (n->exp < -1) {
        *r = xf_from(n);
        r->sign = false;
        return 0;
    }
    for (int i = 0; i < n->exp + 2; i++) { /* at most 64 turns: exp <= 62 */
        rem <<= 1;
        q <<= 1;
        if (rem >= half_pi) {
            rem -= half_pi;
            q |= 1;
        }
    }
    if (2 * rem > half_pi) {
        rem = half_pi - rem;
        neg = true;
        q++;
    }
    *r = xf_norm(neg, 127 - 65, rem);
    return q & 3;
}

static struct f80 sin_cos_tan(struct fp_env *e, enum fp_fn fn, const struct fp_num *n)
{
    struct xf r, s, c;
    unsigned q = reduce(n, &r);
    bool swap = q & 1;

    if (fn == FP_FPTAN) {
        s = series_sin_cos(r, false);
        c = series_sin_cos(r, true);
        s = swap ? xf_neg(xf_div(c, s)) : xf_div(s, c);
    } else if (fn == FP_FSIN) {
        s = series_sin_cos(r, swap);
        s.sign ^= q >> 1;
    } else {
        s = series_sin_cos(r, !swap);
        s.sign ^= (q + 1) >> 1 & 1;
    }
    if (fn != FP_FCOS) {
        s.sign ^= n->sign;
    }
    return finish(e, s);
}

/* ---- 2^x - 1 ---- */

static struct f80 exp2_minus_1(struct fp_env *e, const struct fp_num *n, struct f80 a)
{
    struct xf y, t = XF_ONE;

    if (n->exp >= 0) { /* |x| >= 1 */
        e->flags |= FP_PE;
        if (n->exp > 0 || n->sig != BIT63) {
            return a; /* HW: out of range: unchanged */
        }
        return n->sign ? (struct f80){BIT63, 0xbffe} : one80;
    }
    y = xf_mul(xf_from(n), xf_make(-1, 0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af));
    for (uint32_t k = 36; k >= 2; k--) { /* 1 + y/k * t */
        t = xf_add(XF_ONE, xf_div_small(xf_mul(y, t), k));
    }
    return finish(e, xf_mul(y, t));
}

struct f80 fp_trans(struct fp_env *e, enum fp_fn fn, struct f80 a)
{
    struct fp_num n = fp_unpack80(a);
    struct f80 r;

    e->up = false;
    if (special(e, &n, &n, &r)) {
        return r;
    }
    if (n.cls == FP_INF) {
        if (fn == FP_F2XM1) {
            return n.sign ? signed80(one80, true) : a;
        }
        return invalid(e);
    }
    if (n.cls == FP_ZERO) {
        return fn == FP_FCOS ? one80 : a;
    }
    e->flags |= n.den ? FP_DE : 0;
    if (fn == FP_F2XM1) {
        return exp2_minus_1(e, &n, a);
    }
    if (n.exp > 62) {
        return a; /* the caller sets C2 */
    }
    return sin_cos_tan(e, fn, &n);
}

/* ---- logarithms ---- */

/* log2((1 + s) / (1 - s)) = 2/ln2 * (s + s^3/3 + s^5/5 ...), |s| <= 0.172 */
static struct xf log2_ratio(struct xf s)
{
    struct xf s2 = xf_mul(s, s), t = xf_div_small(XF_ONE, 55);

    for (int k = 53; k > 0; k -= 2) {
        t = xf_add(xf_div_small(XF_ONE, (uint32_t)k), xf_mul(s2, t));
    }
    return xf_mul(xf_mul(s, t), xf_make(1, 0xb8aa3b295c17f0bb, 0xbe87fed0691d3e89));
}

/* log2 of a positive number */
static struct xf log2_of(struct xf x)
{
    int32_t e = x.exp;
    struct xf whole, m = x;

    m.exp = 0;
    if (m.sig >> 64 >= 0xb504f333f9de6484) { /* sqrt 2 */
        m.exp = -1;
        e++;
    }
    m = log2_ratio(xf_div(xf_sub(m, XF_ONE), xf_add(m, XF_ONE)));
    if (!e) {
        return m;
    }
    whole = xf_norm(e < 0, 127, (fp_u128)(e < 0 ? -(int64_t)e : e));
    return m.sig ? xf_add(whole, m) : whole;
}

/* y * log2(1 + x), 1 + x > 0 */
static struct xf log2_plus_1(const struct fp_num *n)
{
    struct xf x = xf_from(n), two = XF_ONE;

    two.exp = 1;
    if (n->exp < -2) { /* |x| < 1/4: s = x / (2 + x), nothing cancels */
        return log2_ratio(xf_div(x, xf_add(two, x)));
    }
    return log2_of(xf_add(XF_ONE, x));
}

struct f80 fp_yl2x(struct fp_env *e, struct f80 x, struct f80 y, bool plus1)
{
    struct fp_num a = fp_unpack80(x), b = fp_unpack80(y);
    bool one = a.cls == FP_NUM && a.exp == 0 && a.sig == BIT63;
    bool zero_log, neg_log; /* the logarithm is 0; is below 0 */
    struct f80 r;

    e->up = false;
    if (special(e, &a, &b, &r)) {
        return r;
    }
    if (plus1) {
        zero_log = a.cls == FP_ZERO;
        neg_log = a.sign;
        if (a.cls == FP_INF && a.sign) {
            return invalid(e);
        }
    } else {
        zero_log = one;
        neg_log = a.cls == FP_ZERO || a.exp < 0;
        if (a.cls != FP_ZERO && a.sign) {
            return invalid(e);
        }
    }
    if ((b.cls == FP_INF && zero_log) || (b.cls == FP_ZERO && a.cls == FP_INF)) {
        return invalid(e);
    }
    if (a.cls == FP_INF) {
        e->flags |= b.den ? FP_DE : 0;
        return inf80(b.sign);
    }
    if (!plus1 && a.cls == FP_ZERO) { /* log2 0 */
        if (b.cls == FP_ZERO) {
            return invalid(e);
        }
        if (b.cls != FP_INF) {
            e->flags |= FP_ZE;
        }
        return inf80(!b.sign);
    }
    e->flags |= a.den || b.den ? FP_DE : 0;
    if (b.cls == FP_INF) {
        return inf80(b.sign ^ neg_log);
    }
    if (zero_log || b.cls == FP_ZERO) {
        return signed80(zero80, b.sign ^ neg_log);
    }
    if (plus1 && a.sign && a.exp >= 0) {
        e->flags |= FP_PE; /* HW: log2 of zero or less: ST(0) comes back */
        return x;
    }
    return finish(e, xf_mul(xf_from(&b), plus1 ? log2_plus_1(&a) : log2_of(xf_from(&a))));
}

/* ---- arc tangent ---- */

/* atan(k/16) */
static const struct {
    int exp;
    uint64_t hi, lo;
} atans[17] = {
    {0, 0, 0},
    {-5, 0xffaaddb967ef4e36, 0xcb2792dc0e2e0d51}, {-4, 0xfeadd4d5617b6e32, 0xc897989f3e888ef8},
    {-3, 0xbdcbda5e72d81134, 0x7b0b4f881c9c7488}, {-3, 0xfadbafc96406eb15, 0x6dc79ef5f7a217e6},
    {-2, 0x9b13b9b83f5e5e69, 0xc5abb498d27af328}, {-2, 0xb7b0ca0f26f78473, 0x8aa32122dcfe4483},
    {-2, 0xd327761e611fe5b6, 0x427c95e9001e7136}, {-2, 0xed63382b0dda7b45, 0x6fe445ecbc3a8d03},
    {-1, 0x832bf4a6d9867e2a, 0x4b6a09cb61a515c1}, {-1, 0x8f005d5ef7f59f9b, 0x5c835e1665c43748},
    {-1, 0x9a2f80e671bdda20, 0x4226f8e2204ff3bd}, {-1, 0xa4bc7d1934f70924, 0x19a87f2a457dac9f},
    {-1, 0xaeac4c38b4d8c080, 0x14725e2f3e52070a}, {-1, 0xb8053e2bc2319e73, 0xcb2da55210a4443d},
    {-1, 0xc0ce85b8ac526640, 0x89dd62c46e92fa25}, {-1, 0xc90fdaa22168c234, 0xc4c6628b80dc1cd1},
};

/* atan t, 0 < t <= 1: by the nearest k/16, then u = (t - k/16) / (1 + t k/16), |u| <= 1/32 */
static struct xf atan_of(struct xf t)
{
    unsigned k = t.exp < -5 ? 0 : (unsigned)((t.sig >> (122 - t.exp)) + 1) >> 1;
    struct xf u = t, u2, s;

    if (k) {
        struct xf c = xf_norm(false, 127 - 4, k);
        u = xf_div(xf_sub(t, c), xf_add(XF_ONE, xf_mul(t, c)));
    }
    if (u.sig) {
        u2 = xf_mul(u, u);
        s = xf_div_small(XF_ONE, 29);
        for (int j = 27; j > 0; j -= 2) {
            s = xf_sub(xf_div_small(XF_ONE, (uint32_t)j), xf_mul(u2, s));
        }
        u = xf_mul(u, s);
    }
    return k ? xf_add(xf_make(atans[k].exp, atans[k].hi, atans[k].lo), u) : u;
}

struct f80 fp_patan(struct fp_env *e, struct f80 x, struct f80 y)
{
    struct fp_num a = fp_unpack80(x), b = fp_unpack80(y);
    struct xf ax, ay, r;
    struct f80 v;
    bool steep;

    e->up = false;
    if (special(e, &a, &b, &v)) {
        return v;
    }
    e->flags |= a.den || b.den ? FP_DE : 0;
    if (b.cls == FP_ZERO || (a.cls == FP_INF && b.cls != FP_INF)) { /* along the x axis */
        if (!a.sign) {
            return signed80(zero80, b.sign);
        }
        r = xf_pi();
    } else if (a.cls == FP_ZERO || (b.cls == FP_INF && a.cls != FP_INF)) { /* the y axis */
        r = xf_half_pi();
    } else if (a.cls == FP_INF) { /* both infinite: pi/4 or 3pi/4 */
        r = xf_half_pi();
        r.exp--;
        if (a.sign) {
            r = xf_sub(xf_pi(), r);
        }
    } else {
        ax = xf_from(&a);
        ay = xf_from(&b);
        ax.sign = ay.sign = false;
        steep = ay.exp > ax.exp || (ay.exp == ax.exp && ay.sig > ax.sig);
        r = atan_of(steep ? xf_div(ax, ay) : xf_div(ay, ax));
        if (steep) {
            r = a.sign ? xf_add(xf_half_pi(), r) : xf_sub(xf_half_pi(), r);
        } else if (a.sign) {
            r = xf_sub(xf_pi(), r);
        }
    }
    r.sign = b.sign;
    return finish(e, r);
}
