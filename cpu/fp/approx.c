/* RCPPS and RSQRTPS: our own approximations, the same on every host.
 *
 * SDM Vol. 2B, "RCPPS", "RSQRTPS": relative error at most 1.5 * 2^-12; denormal sources count as
 * zeros, tiny results become zeros; no exceptions, MXCSR is not used.  Ours is the exact result for
 * the source's upper 13 fraction bits, cut to 12 fraction bits: within 1.25 * 2^-12.
 * NOT IMPLEMENTED: the bits of any particular processor. */
#include "cpu/fp/fp.h"

#define SIGN 0x80000000u
#define INF 0x7f800000u

uint32_t fp_rcp32(uint32_t a)
{
    uint32_t sign = a & SIGN, mag = a & ~SIGN, m, q;
    int exp = (int)(mag >> 23);

    if (mag > INF) {
        return a | 0x400000; /* quiet */
    }
    if (mag == INF) {
        return sign;
    }
    if (!exp) {
        return sign | INF;
    }
    m = (mag & 0x7fffff) >> 10 | 0x2000;             /* 1.13 bits */
    q = ((1u << 27) + m / 2) / m;                    /* 2^13 < q <= 2^14: 2 / m in 13 bits */
    exp = 253 - exp;                                 /* 1/m = q / 2 */
    if (q == 1u << 14) {
        q >>= 1;
        exp++;
    }
    q = (q + 1) >> 1 << 1; /* 12 fraction bits */
    if (q == 1u << 14) {
        q >>= 1;
        exp++;
    }
    return exp <= 0 ? sign : sign | (uint32_t)exp << 23 | (q & 0x1fff) << 10;
}

uint32_t fp_rsqrt32(uint32_t a)
{
    uint32_t sign = a & SIGN, mag = a & ~SIGN;
    int exp = (int)(mag >> 23) - 127;
    uint64_t m, target;
    uint32_t q = 0;

    if (mag > INF) {
        return a | 0x400000;
    }
    if (exp == -127) {
        return sign | INF;
    }
    if (sign) {
        return 0xffc00000; /* the default NaN */
    }
    if (mag == INF) {
        return 0;
    }
    /* a = m * 2^exp with exp even and m in [1, 4), 13 fraction bits */
    m = (mag & 0x7fffff) >> 10 | 0x2000;
    if (exp & 1) {
        m <<= 1;
        exp--;
    }
    /* the largest q with (q / 2^13)^2 <= 1 / m: q^2 * m <= 2^39; q in [2^12, 2^13] */
    target = (uint64_t)1 << 39;
    for (int bit = 13; bit >= 0; bit--) {
        uint64_t t = q | 1u << bit;
        if (t * t * m <= target) {
            q = (uint32_t)t;
        }
    }
    exp = -exp / 2 - 1; /* q / 2^12 * 2^-1 */
    if (q == 1u << 13) {
        q = 1u << 12;
        exp++;
    }
    return (uint32_t)(exp + 127) << 23 | (q & 0xfff) << 11;
}
