/* The transcendental functions' errors in last places, ours and the host unit's, against quadruple
 * precision (libquadmath, 113 bits: its own error is some 2^-48 of a last place here).
 *
 * Asserted: ours are correctly rounded, that is off by at most half a last place (by less than one
 * in the directed roundings).  The table printed is the one in docs/correctness-fp.md.
 * VITRINE_LONG=1: 2 million arguments a line instead of 20 thousand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/cpu/fp_values.h"

#if defined(__x86_64__) && defined(HAVE_QUADMATH)
/* quadmath.h is gcc's; these are all that is needed of it */
__float128 sinq(__float128), cosq(__float128), tanq(__float128), expm1q(__float128);
__float128 log2q(__float128), log1pq(__float128), atan2q(__float128, __float128);
__float128 remquoq(__float128, __float128, int *), fabsq(__float128), ldexpq(__float128, int);
int ilogbq(__float128);

enum fn { F2XM1, SIN, COS, TAN, YL2X, YL2XP1, PATAN };

static __float128 quad(struct f80 v)
{
    long double x = 0;
    memcpy(&x, &v.man, 8);
    memcpy((char *)&x + 8, &v.se, 2);
    return x;
}

/* The multiple of half the manual's 66-bit pi that is nearest is taken away, exactly. */
static __float128 reduced(__float128 x, int *quadrant)
{
    __float128 half_pi = ldexpq((__float128)0xc90fdaa22168c234u, -63) + ldexpq(3, -65);
    return remquoq(x, half_pi, quadrant);
}

static __float128 reference(enum fn fn, struct f80 fx, struct f80 fy)
{
    __float128 x = quad(fx), y = quad(fy), r;
    /* ln 2 in two parts: 64 bits and the rest */
    __float128 ln2 = ldexpq((__float128)0xb17217f7d1cf79abu, -64) +
                     ldexpq((__float128)0xc9e3b39803f2f6afu, -128);
    int q;

    switch (fn) {
    case F2XM1: return expm1q(x * ln2);
    case SIN:
        r = reduced(x, &q);
        r = q & 1 ? cosq(r) : sinq(r);
        return q & 2 ? -r : r;
    case COS:
        r = reduced(x, &q);
        r = q & 1 ? -sinq(r) : cosq(r);
        return q & 2 ? -r : r;
    case TAN:
        r = reduced(x, &q);
        return q & 1 ? -cosq(r) / sinq(r) : tanq(r);
    case YL2X: return y * log2q(x);
    case YL2XP1: return y * (log1pq(x) / ln2);
    default: return atan2q(y, x);
    }
}

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

#define X87(insn)                                                                                 \
    __asm__ volatile("fninit\n\tfldcw %[c]\n\tfldt %[b]\n\tfldt %[a]\n\t" insn                  \
                     "\n\tfstpt %[z]\n\tfninit"                                                  \
                     : [z] "=m"(r)                                                                \
                     : [a] "m"(x), [b] "m"(y), [c] "m"(cw)                                        \
                     : "memory")
static struct f80 hosts(enum fn fn, unsigned rc, struct f80 x, struct f80 y)
{
    uint16_t cw = (uint16_t)(0x33f | rc << 10);
    struct f80 r;

    switch (fn) {
    case F2XM1: X87("f2xm1"); break;
    case SIN: X87("fsin"); break;
    case COS: X87("fcos"); break;
    case TAN: X87("fptan\n\tfstp %%st(0)"); break;
    case YL2X: X87("fyl2x"); break;
    case YL2XP1: X87("fyl2xp1"); break;
    default: X87("fpatan"); break;
    }
    return r;
}

/* |v - ref| in last places of an f80 of ref's size. */
static double off(struct f80 v, __float128 ref)
{
    int exp = ilogbq(ref);
    return (double)ldexpq(fabsq(quad(v) - ref), 63 - (exp < -16382 ? -16382 : exp));
}

static struct f80 number(int lo, int hi, bool positive)
{
    struct f80 v = {rnd() | (uint64_t)1 << 63,
                    (uint16_t)(0x3fff + lo + (int)(rnd() % (unsigned)(hi - lo + 1)))};
    if (!(rnd() & 15)) {
        v.man &= ~(uint64_t)0 << (rnd() & 63);
    }
    v.se |= (uint16_t)(positive ? 0 : rnd() << 15);
    return v;
}

static void test_errors(void **state)
{
    static const struct {
        const char *name;
        enum fn fn;
        int lo, hi, ylo, yhi; /* exponents of the arguments */
        const char *what;
    } lines[] = {
        {"F2XM1", F2XM1, -64, -1, 0, 0, "2^-64 <= |x| < 1"},
        {"F2XM1", F2XM1, -16382, -65, 0, 0, "2^-16382 <= |x| < 2^-64"},
        {"FSIN", SIN, -64, -2, 0, 0, "2^-64 <= |x| < 1/2"},
        {"FSIN", SIN, -16382, -65, 0, 0, "2^-16382 <= |x| < 2^-64"},
        {"FSIN", SIN, -1, 4, 0, 0, "1/2 <= |x| < 32"},
        {"FSIN", SIN, 5, 62, 0, 0, "32 <= |x| < 2^63"},
        {"FCOS", COS, -64, -2, 0, 0, "2^-64 <= |x| < 1/2"},
        {"FCOS", COS, -1, 4, 0, 0, "1/2 <= |x| < 32"},
        {"FCOS", COS, 5, 62, 0, 0, "32 <= |x| < 2^63"},
        {"FPTAN", TAN, -64, -2, 0, 0, "2^-64 <= |x| < 1/2"},
        {"FPTAN", TAN, -1, 4, 0, 0, "1/2 <= |x| < 32"},
        {"FPTAN", TAN, 5, 62, 0, 0, "32 <= |x| < 2^63"},
        {"FPATAN", PATAN, -10, 10, -10, 10, "2^-10 <= |x|, |y| < 2^11"},
        {"FPATAN", PATAN, -8000, 8000, -8000, 8000, "2^-8000 <= |x|, |y| < 2^8001"},
        {"FPATAN", PATAN, 1, 8000, -16382, -8190, "denormal and tiny quotients"},
        {"FYL2X", YL2X, -1, 0, -20, 20, "1/2 <= x < 2, 2^-20 <= |y| < 2^21"},
        {"FYL2X", YL2X, -16382, 16383, -100, 100, "all normal x, 2^-100 <= |y| < 2^101"},
        {"FYL2XP1", YL2XP1, -64, -3, -20, 20, "2^-64 <= |x| < 1/4, 2^-20 <= |y| < 2^21"},
        {"FYL2XP1", YL2XP1, -2, -2, -20, 20, "1/4 <= |x| < 0.29, 2^-20 <= |y| < 2^21"},
        {"FYL2XP1", YL2XP1, -16000, -65, -20, 20, "2^-16000 <= |x| < 2^-64, y as above"},
    };
    unsigned total = getenv("VITRINE_LONG") ? 2000000 : 20000;
    (void)state;
    printf("function range                                    ours     host     host not correctly "
           "rounded\n");
    for (unsigned l = 0; l < ARRAY_LEN(lines); l++) {
        double worst = 0, hosts_worst = 0;
        unsigned differ = 0;
        for (unsigned n = 0; n < total; n++) {
            enum fn fn = lines[l].fn;
            struct f80 x = number(lines[l].lo, lines[l].hi, fn == YL2X);
            if (fn == YL2XP1 && x.man > 0x947ae147ae147ae1) { /* 0.29: the manual's range ends */
                x.man = 0x947ae147ae147ae1 - rnd() % 0x10000000000000;
            }
            struct f80 y = number(lines[l].ylo, lines[l].yhi, false);
            struct fp_env e = {.prec = 64, .mask = FP_ALL};
            struct f80 a = mine(&e, fn, x, y), b = hosts(fn, 0, x, y);
            __float128 ref = reference(fn, x, y);
            double d = off(a, ref), h = off(b, ref);

            if (d > 0.5 + 1e-9) {
                fail_msg("%s x %04x:%016llx y %04x:%016llx: %04x:%016llx is off by %g",
                         lines[l].name, x.se, (unsigned long long)x.man, y.se,
                         (unsigned long long)y.man, a.se, (unsigned long long)a.man, d);
            }
            worst = d > worst ? d : worst;
            hosts_worst = h > hosts_worst ? h : hosts_worst;
            differ += a.man != b.man || a.se != b.se;
            e = (struct fp_env){.rc = 1 + n % 3, .prec = 64, .mask = FP_ALL};
            a = mine(&e, fn, x, y);
            assert_true(off(a, ref) < 1 + 1e-9);
            if (e.rc == FP_RC_DOWN ? quad(a) > ref : e.rc == FP_RC_UP && quad(a) < ref) {
                d = off(a, ref); /* the reference's own error, at most */
                assert_true(d < 1e-9);
            }
        }
        printf("%-8s %-40s %.4f   %.4f   %.4f %%\n", lines[l].name, lines[l].what, worst,
               hosts_worst, 100.0 * differ / total);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__) && defined(HAVE_QUADMATH)
        cmocka_unit_test(test_errors),
#endif
    };
#if !defined(__x86_64__) || !defined(HAVE_QUADMATH)
    puts("no x87 or no libquadmath here: nothing measured");
    (void)tests;
    return 0;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
