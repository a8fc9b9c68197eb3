/* Fused multiply-add, half precision and rounding to integers in integers (cpu/fp/soft*.c) against
 * the host's own unit: the same bits, the same exceptions, in every rounding mode with and without
 * FTZ and DAZ.  VITRINE_LONG=1 runs ten times as many.
 * What a host cannot run is not compared, and the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/cpu/fp_values.h"

#if defined(__x86_64__)
#include <immintrin.h>

static unsigned rounds(void)
{
    return getenv("VITRINE_LONG") ? 1200000 : 120000;
}

static struct fp_env env_sse(unsigned n)
{
    return (struct fp_env){.rc = n & 3, .prec = 64, .mask = FP_ALL, .daz = n >> 2 & 1,
                           .ftz = n >> 3 & 1};
}
static uint32_t env_mxcsr(const struct fp_env *e)
{
    return 0x1f80u | e->rc * 0x2000u | (e->ftz ? 0x8000u : 0) | (e->daz ? 0x40u : 0);
}

/* z near -(x * y), so that the product's low half decides; by the host's own arithmetic. */
static uint64_t near_product(enum fp_fmt f, uint64_t x, uint64_t y)
{
    struct fp_env e = {.rc = FP_RC_NEAREST, .mask = FP_ALL};
    uint64_t z = soft_bin(&e, f, FP_MUL, x, y);
    return (z ^ (uint64_t)1 << (fp_width(f) - 1)) + rnd() % 3 - 1;
}

static void test_fma_scalar(void **state)
{
    static const char *const names[] = {"fmadd", "fmsub", "fnmadd", "fnmsub"};
    (void)state;
    for (unsigned n = 0; n < rounds(); n++) {
        for (unsigned f = FP_F32; f <= FP_F64; f++) {
            uint64_t x[2] = {value((enum fp_fmt)f), 0}, y[2] = {value((enum fp_fmt)f), 0};
            uint64_t z[2] = {value((enum fp_fmt)f), 0};
            if (!(rnd() & 3)) {
                z[0] = near_product((enum fp_fmt)f, x[0], y[0]) & bits_mask(fp_width(f));
            }
            for (unsigned kind = FMA_ADD; kind <= FMA_NSUB; kind++) {
                struct fp_env e = env_sse(n), he = e;
                uint64_t r[2] = {0}, h[2] = {0};
                soft_fma_packed(&e, (enum fp_fmt)f, (enum fp_fma)kind, 1, r, x, y, z);
                if (!host_fma(&he, (enum fp_fmt)f, (enum fp_fma)kind, 1, h, x, y, z)) {
                    puts("this host has no FMA: nothing compared");
                    return;
                }
                if (r[0] != h[0] || e.flags != he.flags) {
                    fail_msg("%s fmt %u env %x: %llx * %llx + %llx -> %llx flags %x, host %llx "
                             "flags %x",
                             names[kind], f, n & 15, (unsigned long long)x[0],
                             (unsigned long long)y[0], (unsigned long long)z[0],
                             (unsigned long long)r[0], e.flags, (unsigned long long)h[0],
                             he.flags);
                }
            }
        }
    }
}

static void test_fma_packed(void **state)
{
    static const unsigned counts[2][2] = {{4, 8}, {2, 4}};
    (void)state;
    for (unsigned n = 0; n < rounds() / 4; n++) {
        uint64_t x[4], y[4], z[4], r[4] = {1, 2, 3, 4}, h[4] = {1, 2, 3, 4};
        enum fp_fmt f = n >> 4 & 1 ? FP_F64 : FP_F32;
        enum fp_fma kind = (enum fp_fma)(n % 6);
        unsigned count = counts[f][rnd() & 1];
        struct fp_env e = env_sse(n), he = e;

        values_fill(f, x);
        values_fill(f, y);
        values_fill(f, z);
        soft_fma_packed(&e, f, kind, count, r, x, y, z);
        if (!host_fma(&he, f, kind, count, h, x, y, z)) {
            return;
        }
        assert_memory_equal(r, h, sizeof r);
        assert_int_equal(e.flags, he.flags);
    }
}

/* The other operations on a whole YMM register. */
static void test_packed32(void **state)
{
    (void)state;
    for (unsigned n = 0; n < rounds() / 4; n++) {
        enum fp_fmt f = n >> 4 & 1 ? FP_F64 : FP_F32;
        uint64_t r[4], h[4], y[4];
        struct fp_env e = env_sse(n), he = e;

        values_fill(f, r);
        values_fill(f, y);
        memcpy(h, r, sizeof h);
        soft_packed(&e, f, (enum fp_op)(n % 7), f == FP_F32 ? 8 : 4, r, y);
        assert_true(host_packed(&he, f, (enum fp_op)(n % 7), f == FP_F32 ? 8 : 4, h, y));
        assert_memory_equal(r, h, sizeof r);
        assert_int_equal(e.flags, he.flags);
    }
}

#define NATIVE(insn, d, s)                                                                        \
    __asm__ volatile("ldmxcsr %[in]\n\t" insn " %[y], %[x]\n\tstmxcsr %[out]\n\tldmxcsr %[def]"   \
                     : [x] "=x"(d), [out] "=m"(out)                                               \
                     : [y] "x"(s), [in] "m"(in), [def] "m"(def))
static const uint32_t def = 0x1f80;

static void test_half(void **state)
{
    (void)state;
    if (!values_f16c()) {
        puts("this host has no F16C: nothing compared");
        return;
    }
    for (unsigned n = 0; n < rounds(); n++) {
        struct fp_env base = env_sse(n), e = base;
        uint32_t in = env_mxcsr(&base), out;
        uint64_t h16 = n < 65536 * 16 ? n / 16 : value(FP_F16), a = value(FP_F32), r;
        __m128i d, s = _mm_cvtsi64_si128((long long)h16);
        if (n & 1 && !(n & 0x3000)) {
            a = (a & 0x807fffff) | (uint64_t)(0x60 + rnd() % 0x38) << 23;
        }
        NATIVE("vcvtph2ps", d, s);
        e.daz = false;
        r = fp_convert(&e, FP_F32, FP_F16, h16);
        e.flags &= (uint8_t)~FP_DE;
        if (r != (uint32_t)_mm_cvtsi128_si32(d) || e.flags != (out & FP_ALL)) {
            fail_msg("vcvtph2ps env %x: %llx -> %llx flags %x, host %x flags %x", n & 15,
                     (unsigned long long)h16, (unsigned long long)r, e.flags,
                     (unsigned)_mm_cvtsi128_si32(d), out & FP_ALL);
        }
        s = _mm_cvtsi64_si128((long long)a);
        NATIVE("vcvtps2ph $4,", d, s);
        e = base;
        e.ftz = false;
        r = fp_convert(&e, FP_F16, FP_F32, a);
        if (r != (uint32_t)_mm_cvtsi128_si32(d) || e.flags != (out & FP_ALL)) {
            fail_msg("vcvtps2ph env %x: %llx -> %llx flags %x, host %x flags %x", n & 15,
                     (unsigned long long)a, (unsigned long long)r, e.flags,
                     (unsigned)_mm_cvtsi128_si32(d), out & FP_ALL);
        }
    }
}

static void test_round(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("sse4.1")) {
        puts("this host has no SSE4.1: nothing compared");
        return;
    }
    for (unsigned n = 0; n < rounds(); n++) {
        struct fp_env e = env_sse(n);
        uint32_t in = env_mxcsr(&e), out;
        uint64_t a = value(FP_F64), r;
        __m128i d, s = _mm_cvtsi64_si128((long long)a);

        NATIVE("roundpd $4,", d, s);
        r = fp_rint(&e, FP_F64, a);
        if (r != (uint64_t)_mm_cvtsi128_si64(d) || e.flags != (out & FP_ALL)) {
            fail_msg("roundpd env %x: %llx -> %llx flags %x, host %llx flags %x", n & 15,
                     (unsigned long long)a, (unsigned long long)r, e.flags,
                     (unsigned long long)_mm_cvtsi128_si64(d), out & FP_ALL);
        }
        e = env_sse(n);
        a = value(FP_F32);
        s = _mm_set1_epi32((int)a);
        NATIVE("roundps $4,", d, s);
        r = fp_rint(&e, FP_F32, a);
        if (r != (uint32_t)_mm_cvtsi128_si32(d) || e.flags != (out & FP_ALL)) {
            fail_msg("roundps env %x: %llx -> %llx flags %x, host %x flags %x", n & 15,
                     (unsigned long long)a, (unsigned long long)r, e.flags,
                     (unsigned)_mm_cvtsi128_si32(d), out & FP_ALL);
        }
    }
}
#endif

/* What every host must give: values worked out by hand from IEEE 754. */
static void test_known(void **state)
{
    struct fp_env e = {.mask = FP_ALL};
    (void)state;
    /* (1 + 2^-52)^2 - 1 = 2^-51 + 2^-104: exact only when fused */
    assert_true(soft_fma(&e, FP_F64, false, true, 0x3ff0000000000001, 0x3ff0000000000001,
                         0x3ff0000000000000) == 0x3cc0000000000000);
    assert_int_equal(e.flags, FP_PE);
    e = (struct fp_env){.mask = FP_ALL};
    /* 2^-1074 * 2^-1 + 0: tiny, a tie to even */
    assert_true(soft_fma(&e, FP_F64, false, false, 1, 0x3fe0000000000000, 0) == 0);
    assert_int_equal(e.flags, FP_DE | FP_UE | FP_PE);
    e = (struct fp_env){.mask = FP_ALL};
    /* infinity * 0 + NaN: the NaN, nothing invalid; + 1: the default NaN, #I */
    assert_int_equal(soft_fma(&e, FP_F32, false, false, 0x7f800000, 0, 0x7fc00123), 0x7fc00123);
    assert_int_equal(e.flags, 0);
    assert_int_equal(soft_fma(&e, FP_F32, false, false, 0x7f800000, 0, 0x3f800000), 0xffc00000);
    assert_int_equal(e.flags, FP_IE);
    e = (struct fp_env){.mask = FP_ALL};
    /* 1 * 1 - 1: +0, downward -0 */
    assert_int_equal(soft_fma(&e, FP_F32, false, true, 0x3f800000, 0x3f800000, 0x3f800000), 0);
    e.rc = FP_RC_DOWN;
    assert_int_equal(soft_fma(&e, FP_F32, false, true, 0x3f800000, 0x3f800000, 0x3f800000),
                     0x80000000);
    assert_int_equal(e.flags, 0);
    /* halves: 65504 is the largest, 65520 rounds to infinity; 2^-24 the smallest */
    e = (struct fp_env){.mask = FP_ALL};
    assert_int_equal(fp_convert(&e, FP_F16, FP_F32, 0x477fe000), 0x7bff);
    assert_int_equal(e.flags, 0);
    assert_int_equal(fp_convert(&e, FP_F16, FP_F32, 0x477ff000), 0x7c00);
    assert_int_equal(e.flags, FP_OE | FP_PE);
    assert_int_equal(fp_convert(&e, FP_F32, FP_F16, 1), 0x33800000);
    assert_int_equal(fp_convert(&e, FP_F32, FP_F16, 0xfc01), 0xffc02000); /* SNaN, quieted */
    /* 2.5 to nearest: 2; -0.25 upward: -0 */
    e = (struct fp_env){.mask = FP_ALL};
    assert_int_equal(fp_rint(&e, FP_F32, 0x40200000), 0x40000000);
    e.rc = FP_RC_UP;
    assert_int_equal(fp_rint(&e, FP_F32, 0xbe800000), 0x80000000);
    assert_int_equal(e.flags, FP_PE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
#if defined(__x86_64__)
        cmocka_unit_test(test_fma_scalar), cmocka_unit_test(test_fma_packed),
        cmocka_unit_test(test_packed32),   cmocka_unit_test(test_half),
        cmocka_unit_test(test_round),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
