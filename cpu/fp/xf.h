/* Working numbers of the transcendental functions: 128 significant bits, truncated.
 *
 * value = (-1)^sign * sig * 2^(exp - 127), bit 127 of sig set; zero is sig 0.  Each operation is
 * off by less than 2 units of the last place, 2^-62 of a unit of an f80 result. */
#pragma once
#include "cpu/fp/fp.h"

struct xf {
    fp_u128 sig;
    int32_t exp;
    bool sign;
};

#define XF_ONE ((struct xf){(fp_u128)1 << 127, 0, false})

FORCE_INLINE struct xf xf_make(int32_t exp, uint64_t hi, uint64_t lo)
{
    return (struct xf){(fp_u128)hi << 64 | lo, exp, false};
}
FORCE_INLINE struct xf xf_norm(bool sign, int32_t exp, fp_u128 sig)
{
    uint64_t hi = (uint64_t)(sig >> 64), lo = (uint64_t)sig;
    int z;

    if (!sig) {
        return (struct xf){0, 0, sign};
    }
    z = hi ? __builtin_clzll(hi) : 64 + __builtin_clzll(lo);
    return (struct xf){sig << z, exp - z, sign};
}
FORCE_INLINE struct xf xf_from(const struct fp_num *n)
{
    return (struct xf){n->cls == FP_NUM ? (fp_u128)n->sig << 64 : 0, n->exp, n->sign};
}
FORCE_INLINE struct xf xf_neg(struct xf a)
{
    a.sign = !a.sign;
    return a;
}
/* The upper 128 bits of a product. */
FORCE_INLINE fp_u128 xf_mulhi(fp_u128 a, fp_u128 b)
{
    uint64_t ah = (uint64_t)(a >> 64), al = (uint64_t)a, bh = (uint64_t)(b >> 64), bl = (uint64_t)b;
    fp_u128 ll = (fp_u128)al * bl, lh = (fp_u128)al * bh, hl = (fp_u128)ah * bl;
    fp_u128 mid = (ll >> 64) + (uint64_t)lh + (uint64_t)hl;

    return (fp_u128)ah * bh + (lh >> 64) + (hl >> 64) + (mid >> 64);
}
FORCE_INLINE struct xf xf_mul(struct xf a, struct xf b)
{
    if (!a.sig || !b.sig) {
        return (struct xf){0, 0, a.sign ^ b.sign};
    }
    return xf_norm(a.sign ^ b.sign, a.exp + b.exp + 1, xf_mulhi(a.sig, b.sig));
}
/* What is too small to matter still moves the last place, so that a rounding sees the side. */
FORCE_INLINE struct xf xf_add(struct xf a, struct xf b)
{
    int32_t d;
    fp_u128 y;

    if (!a.sig || !b.sig) {
        return a.sig ? a : b;
    }
    if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
        struct xf t = a;
        a = b;
        b = t;
    }
    d = a.exp - b.exp;
    y = d > 127 ? 0 : b.sig >> d;
    if (a.sign != b.sign) {
        return xf_norm(a.sign, a.exp, a.sig - (y ? y : 1));
    }
    a.sig += y;
    if (a.sig < y) { /* carry out */
        a.sig = a.sig >> 1 | (fp_u128)1 << 127;
        a.exp++;
    }
    return a;
}
FORCE_INLINE struct xf xf_sub(struct xf a, struct xf b)
{
    return xf_add(a, xf_neg(b));
}
/* a / n for a small n. */
FORCE_INLINE struct xf xf_div_small(struct xf a, uint32_t n)
{
    fp_u128 q = a.sig / n, r = a.sig % n;
    struct xf x = xf_norm(a.sign, a.exp, q);
    int z = a.exp - x.exp;

    x.sig |= x.sig ? (r << z) / n : 0; /* n < 2^16: z < 17 */
    return x;
}
/* Bit by bit; b is not zero. */
static inline struct xf xf_div(struct xf a, struct xf b)
{
    fp_u128 q = 0, rem = a.sig;
    int32_t exp = a.exp - b.exp;
    bool sign = a.sign ^ b.sign;

    if (!a.sig) {
        return (struct xf){0, 0, sign};
    }
    for (int i = 0; i < 128; i++) {
        bool top = false;
        q <<= 1;
        if (i) {
            top = rem >> 127;
            rem <<= 1;
        }
        if (top || rem >= b.sig) {
            rem -= b.sig;
            q |= 1;
        }
    }
    return xf_norm(sign, exp, q);
}
