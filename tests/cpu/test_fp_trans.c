/* The transcendental functions: their special cases, and how far they are from the host's unit.
 *
 * Ours are the same on every host; the host's unit is only a measure.  The bound asserted: at most
 * one last place of an f80 over the whole range of arguments, special cases and flags equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "cpu/fp/fp.h"

#define ONE ((uint64_t)1 << 63)

static void check(struct f80 r, uint16_t se, uint64_t man)
{
    if (r.se != se || r.man != man) {
        fail_msg("%04x:%016llx, not %04x:%016llx", r.se, (unsigned long long)r.man, se,
                 (unsigned long long)man);
    }
}

/* Known values, correctly rounded (computed in rational arithmetic). */
static void test_known_values(void **state)
{
    struct fp_env e = {.prec = 64, .mask = FP_ALL};
    struct f80 one = {ONE, 0x3fff}, half = {ONE, 0x3ffe};
    (void)state;
    check(fp_patan(&e, one, one), 0x3ffe, 0xc90fdaa22168c235);
    check(fp_patan(&e, (struct f80){ONE, 0xbfff}, (struct f80){0, 0}), 0x4000, 0xc90fdaa22168c235);
    check(fp_trans(&e, FP_F2XM1, half), 0x3ffd, 0xd413cccfe7799211);
    check(fp_yl2x(&e, (struct f80){0xa000000000000000, 0x4002}, one, false), 0x4000,
          0xd49a784bcd1b8afe);
    check(fp_trans(&e, FP_FSIN, one), 0x3ffe, 0xd76aa47848677021);
    check(fp_trans(&e, FP_FCOS, one), 0x3ffe, 0x8a51407da8345c92);
    check(fp_trans(&e, FP_FPTAN, one), 0x3fff, 0xc75922e5f71d2dc5);
    assert_int_equal(e.flags, FP_PE);
    /* the 66-bit pi of the manual: sin(pi to 64 bits) is -2^-64 */
    check(fp_trans(&e, FP_FSIN, (struct f80){0xc90fdaa22168c235, 0x4000}), 0xbfbf, ONE);
}

#if defined(__x86_64__)
static uint64_t rng = 0x853c49e6748fea9b;
static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

#define X87(insn, cw, x, y, r, r2, sw)                                                            \
    __asm__ volatile("fninit\n\tfldcw %[c]\n\tfldt %[b]\n\tfldt %[a]\n\tfnclex\n\t" insn \
                     "\n\tfnstsw %[s]\n\tfstpt %[z]\n\tfstpt %[z2]\n\tfninit"                     \
                     : [z] "=m"(r), [z2] "=m"(r2), [s] "=m"(sw)                                   \
                     : [a] "m"(x), [b] "m"(y), [c] "m"(cw)                                        \
                     : "memory")

/* Distance in last places; huge when sign or kind differ. */
static uint64_t ulps(struct f80 a, struct f80 b)
{
    uint64_t hi, lo;

    if (a.se == b.se) {
        return a.man > b.man ? a.man - b.man : b.man - a.man;
    }
    if ((a.se ^ b.se) & 0x8000) {
        return ~(uint64_t)0;
    }
    /* across a power of two */
    if (a.se == b.se + 1) {
        hi = a.man, lo = b.man;
    } else if (b.se == a.se + 1) {
        hi = b.man, lo = a.man;
    } else {
        return ~(uint64_t)0;
    }
    return (hi - ONE) * 2 + (0 - lo);
}

enum fn { F2XM1, SIN, COS, TAN, YL2X, YL2XP1, PATAN, FN_COUNT };
static const char *const names[] = {"f2xm1", "fsin", "fcos", "fptan", "fyl2x", "fyl2xp1", "fpatan"};

static struct f80 mine(struct fp_env *e, enum fn fn, struct f80 x, struct f80 y)
{
    switch (fn) {
    case F2XM1: return fp_trans(e, FP_F2XM1, x);
    case SIN: return fp_trans(e, FP_FSIN, x);
    case COS: return fp_trans(e, FP_FCOS, x);
    case TAN: return fp_trans(e, FP_FPTAN, x);
    case YL2X: return fp_yl2x(e, x, y, false);
    case YL2XP1: return fp_yl2x(e, x, y, true);
    default: return fp_patan(e, x, y);
    }
}
static struct f80 hosts(enum fn fn, unsigned rc, struct f80 x, struct f80 y, unsigned *flags)
{
    uint16_t cw = (uint16_t)(0x33f | rc << 10), sw;
    struct f80 r, r2;

    switch (fn) {
    case F2XM1: X87("f2xm1", cw, x, y, r, r2, sw); break;
    case SIN: X87("fsin", cw, x, y, r, r2, sw); break;
    case COS: X87("fcos", cw, x, y, r, r2, sw); break;
    case TAN: X87("fptan", cw, x, y, r2, r, sw); break;
    case YL2X: X87("fyl2x", cw, x, y, r, r2, sw); break;
    case YL2XP1: X87("fyl2xp1", cw, x, y, r, r2, sw); break;
    default: X87("fpatan", cw, x, y, r, r2, sw); break;
    }
    *flags = sw & FP_ALL;
    return r;
}

static struct f80 number(int lo, int hi)
{
    struct f80 v = {rnd() | ONE, (uint16_t)(0x3fff + lo + (int)(rnd() % (unsigned)(hi - lo + 1)))};
    if (!(rnd() & 7)) {
        v.man &= ~(uint64_t)0 << (rnd() & 63);
    }
    v.se |= (uint16_t)(rnd() << 15);
    return v;
}

static void test_distance_from_host(void **state)
{
    static const int range[FN_COUNT][2] = {{-80, -1}, {-80, 62}, {-80, 62}, {-80, 62},
                                           {-16382, 16383}, {-80, -3}, {-100, 100}};
    (void)state;
    for (unsigned fn = 0; fn < FN_COUNT; fn++) {
        uint64_t worst = 0;
        unsigned differ = 0, total = 20000;
        for (unsigned n = 0; n < total; n++) {
            struct f80 x = number(n & 1 ? -6 > range[fn][0] ? -6 : range[fn][0] : range[fn][0],
                                  n & 1 ? 6 < range[fn][1] ? 6 : range[fn][1] : range[fn][1]);
            struct f80 y = fn == YL2X || fn == YL2XP1 ? number(-100, 100) : number(-100, 100);
            struct fp_env e = {.rc = n >> 1 & 3, .prec = 64, .mask = FP_ALL};
            struct f80 a, b;
            unsigned hf;
            uint64_t d;
            if (fn == YL2X) {
                x.se &= 0x7fff;
            }
            a = mine(&e, (enum fn)fn, x, y);
            b = hosts((enum fn)fn, e.rc, x, y, &hf);
            d = ulps(a, b);
            if (d > 1 || e.flags != hf) {
                fail_msg("%s rc %u x %04x:%016llx y %04x:%016llx: %04x:%016llx %x, host "
                         "%04x:%016llx %x",
                         names[fn], e.rc, x.se, (unsigned long long)x.man, y.se,
                         (unsigned long long)y.man, a.se, (unsigned long long)a.man, e.flags, b.se,
                         (unsigned long long)b.man, hf);
            }
            worst = d > worst ? d : worst;
            differ += d != 0;
        }
        printf("%s: worst %llu ulp, %u of %u differ\n", names[fn], (unsigned long long)worst,
               differ, total);
    }
}

static void test_special_cases(void **state)
{
    static const struct f80 v[] = {
        {0, 0}, {0, 0x8000}, {1, 0}, {1, 0x8000}, {ONE, 0}, {ONE, 0x3fff}, {ONE, 0xbfff},
        {ONE, 0x3ffe}, {ONE, 0xbffe}, {ONE, 0x4000}, {ONE, 0x7fff}, {ONE, 0xffff},
        {ONE | ONE >> 1 | 1, 0x7fff}, {ONE | 5, 0x7fff}, {ONE | 7, 0xffff}, {5, 0x7fff},
        {5, 0x3fff}};
    (void)state;
    for (unsigned fn = 0; fn < FN_COUNT; fn++) {
        for (unsigned i = 0; i < ARRAY_LEN(v); i++) {
            for (unsigned j = 0; j < ARRAY_LEN(v); j++) {
                struct fp_env e = {.prec = 64, .mask = FP_ALL};
                struct f80 a = mine(&e, (enum fn)fn, v[i], v[j]), b;
                unsigned hf;
                b = hosts((enum fn)fn, 0, v[i], v[j], &hf);
                if (ulps(a, b) > 1 || e.flags != hf) {
                    fail_msg("%s x %04x:%016llx y %04x:%016llx: %04x:%016llx %x, host "
                             "%04x:%016llx %x",
                             names[fn], v[i].se, (unsigned long long)v[i].man, v[j].se,
                             (unsigned long long)v[j].man, a.se, (unsigned long long)a.man, e.flags,
                             b.se, (unsigned long long)b.man, hf);
                }
            }
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
#if defined(__x86_64__)
        cmocka_unit_test(test_distance_from_host),
        cmocka_unit_test(test_special_cases),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
