/* Random floating-point values that crowd where rounding, underflow and NaNs are decided. */
#pragma once
#include "cpu/fp/fp.h"

#if defined(__x86_64__)
#include <cpuid.h>
static inline bool values_f16c(void) /* clang 14's __builtin_cpu_supports() does not know it */
{
    unsigned a, b, c = 0, d;
    return __builtin_cpu_supports("avx") && __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
}
#endif

static uint64_t rng = 0x9e3779b97f4a7c15;
static inline uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

/* f16, f32 or f64. */
static inline uint64_t value(enum fp_fmt f)
{
    unsigned fb = f == FP_F16 ? 10 : f == FP_F32 ? 23 : 52;
    unsigned eb = f == FP_F16 ? 5 : f == FP_F32 ? 8 : 11;
    uint64_t frac = rnd(), exp, r = rnd();

    switch (r & 7) {
    case 0: exp = 0; break;
    case 1: exp = r >> 9 & 1 ? bits_mask(eb) : rnd(); break;
    case 2: exp = rnd() & 31; break;
    case 3: exp = bits_mask(eb) - 1 - (rnd() & 3); break;
    case 4: exp = bits_mask(eb - 1) / 2 - 3 + (rnd() & 7); break; /* products near tiny */
    case 5: case 6: exp = bits_mask(eb - 1) - 33 + rnd() % 66; break;
    default: exp = rnd(); break;
    }
    switch (r >> 4 & 7) {
    case 0: frac = 0; break;
    case 1: frac = 1; break;
    case 2: frac = ~(uint64_t)0; break;
    case 3: frac <<= rnd() % fb; break;
    default: break;
    }
    return (rnd() & 1) << (fb + eb) | (exp & bits_mask(eb)) << fb |
           (frac & bits_mask(fb));
}
static inline void values_fill(enum fp_fmt f, uint64_t v[4])
{
    for (unsigned i = 0; i < 256 / fp_width(f); i++) {
        fp_set(v, f, i, value(f));
    }
}
