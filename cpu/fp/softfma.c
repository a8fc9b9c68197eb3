/* Fused multiply-add in integers: one rounding of the exact x * y + z.
 *
 * SDM Vol. 1, "FMA Instruction Operand Order and Arithmetic Behavior", table "Rules for Handling
 * Special Values": NaNs win in the order x, y, z; infinity times zero with a NaN in z is that NaN,
 * without #I.  f32 and f64 only: the product must fit 128 bits with room to align.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/fp/fp.h"

#define BIT63 ((uint64_t)1 << 63)

/* Right by d bits; what falls out stays visible in the last bit. */
static fp_u128 jam(fp_u128 v, unsigned d)
{
    if (d == 0) {
        return v;
    }
    return d > 127 ? v != 0 : v >> d | ((v << (128 - d)) != 0);
}

/* Sum of the numbers x (127 bits, bit 125 set) and z at their exponents: rounded. */
static struct fp_num add_exact(struct fp_env *e, enum fp_fmt f, bool xs, int xe, fp_u128 x, bool zs,
                               int ze, fp_u128 z)
{
    bool sign = xs;
    int exp = xe, lead;

    if (xe < ze || (xe == ze && x < z)) {
        fp_u128 t = x;
        x = z;
        z = jam(t, (unsigned)(ze - xe));
        sign = zs;
        exp = ze;
    } else {
        z = jam(z, (unsigned)(xe - ze));
    }
    x = xs == zs ? x + z : x - z;
    if (!x) {
        return (struct fp_num){.cls = FP_ZERO, .sign = e->rc == FP_RC_DOWN};
    }
    lead = x >> 64 ? __builtin_clzll((uint64_t)(x >> 64)) : 64 + __builtin_clzll((uint64_t)x);
    x <<= lead;
    return fp_round(e, f, sign, exp + 2 - lead, (uint64_t)(x >> 64), (uint64_t)x);
}

static struct fp_num fused(struct fp_env *e, enum fp_fmt f, const struct fp_num *x,
                           const struct fp_num *y, const struct fp_num *z, bool sign, bool zsign)
{
    fp_u128 p;
    int exp;

    if (x->cls == FP_INF || y->cls == FP_INF || z->cls == FP_INF) {
        bool prod = x->cls == FP_INF || y->cls == FP_INF;
        if (x->cls == FP_ZERO || y->cls == FP_ZERO ? prod
                                                   : prod && z->cls == FP_INF && sign != zsign) {
            e->flags |= FP_IE;
            return fp_default_nan();
        }
        e->flags |= x->den || y->den || z->den ? FP_DE : 0;
        return (struct fp_num){.sig = BIT63, .cls = FP_INF, .sign = prod ? sign : zsign};
    }
    e->flags |= x->den || y->den || z->den ? FP_DE : 0;
    if (x->cls == FP_ZERO || y->cls == FP_ZERO) {
        if (z->cls == FP_ZERO) {
            return (struct fp_num){.cls = FP_ZERO,
                                   .sign = sign == zsign ? sign : e->rc == FP_RC_DOWN};
        }
        return fp_round(e, f, zsign, z->exp, z->sig, 0);
    }
    p = (fp_u128)x->sig * y->sig; /* at most 106 bits are in use, from the top */
    exp = x->exp + y->exp + 1;
    if (!(p >> 127)) {
        p <<= 1;
        exp--;
    }
    if (z->cls == FP_ZERO) {
        return fp_round(e, f, sign, exp, (uint64_t)(p >> 64), (uint64_t)p);
    }
    return add_exact(e, f, sign, exp, p >> 2, zsign, z->exp, (fp_u128)z->sig << 62);
}

uint64_t soft_fma(struct fp_env *e, enum fp_fmt f, bool neg_xy, bool neg_z, uint64_t x, uint64_t y,
                  uint64_t z)
{
    struct fp_num a = fp_unpack_daz(e, f, x), b = fp_unpack_daz(e, f, y);
    struct fp_num c = fp_unpack_daz(e, f, z), r;

    if (fp_is_nan(&a) || fp_is_nan(&b) || fp_is_nan(&c)) {
        e->flags |= a.cls == FP_SNAN || b.cls == FP_SNAN || c.cls == FP_SNAN ? FP_IE : 0;
        r = fp_is_nan(&a) ? a : fp_is_nan(&b) ? b : c;
        r = fp_nan2(e, f, &r, &r);
    } else {
        r = fused(e, f, &a, &b, &c, a.sign ^ b.sign ^ neg_xy, c.sign ^ neg_z);
    }
    return fp_pack(f, &r);
}

void soft_fma_packed(struct fp_env *e, enum fp_fmt f, enum fp_fma kind, unsigned n, uint64_t *r,
                     const uint64_t *x, const uint64_t *y, const uint64_t *z)
{
    for (unsigned i = 0; i < n; i++) {
        bool neg_xy = kind == FMA_NADD || kind == FMA_NSUB, neg_z = kind == FMA_SUB;

        switch (kind) {
        case FMA_NSUB: neg_z = true; break;
        case FMA_ADDSUB: neg_z = !(i & 1); break;
        case FMA_SUBADD: neg_z = i & 1; break;
        default: break;
        }
        fp_set(r, f, i,
               soft_fma(e, f, neg_xy, neg_z, fp_get(x, f, i), fp_get(y, f, i), fp_get(z, f, i)));
    }
}
