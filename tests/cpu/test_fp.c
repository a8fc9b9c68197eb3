/* Floating-point arithmetic in integers against the host's own unit: same results, same exceptions,
 * same C1, for special values and random ones, in every rounding mode and precision.
 * On a host that is no x86-64 there is nothing to compare with, and the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/cpu/fp_values.h"

#if defined(__x86_64__)
#include <emmintrin.h>

/* ---- values ---- */

static const uint64_t mans[] = {
    0, 1, 2, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001, 0x80000000000003ff,
    0x8000000000000400, 0x8000000000000401, 0x8000000000000c00, 0x8000008000000000,
    0x8000007fffffffff, 0x8000018000000000, 0xbfffffffffffffff, 0xc000000000000000,
    0xc000000000000001, 0xa000000000000000, 0xffffffffffffffff, 0xfffffffffffff800,
    0xfffffffffffffc00, 0xffffff0000000000, 0x4000000000000000, 0x00000000ffffffff};
static const uint16_t exps[] = {
    0, 1, 2, 30, 63, 64, 65, 0x3fff - 1022, 0x3fff - 1023, 0x3fff - 1074, 0x3fff - 1075,
    0x3fff - 126, 0x3fff - 149, 0x3fff - 150, 0x3fff - 64, 0x3ffd, 0x3ffe, 0x3fff, 0x4000, 0x4001,
    0x3fff + 14, 0x3fff + 15, 0x3fff + 16, 0x3fff + 30, 0x3fff + 31, 0x3fff + 32, 0x3fff + 59,
    0x3fff + 62, 0x3fff + 63, 0x3fff + 64, 0x3fff + 127, 0x3fff + 128, 0x3fff + 1023, 0x3fff + 1024,
    0x5fff, 0x7ffd, 0x7ffe, 0x7fff};

static struct f80 value80(void)
{
    uint64_t r = rnd();
    struct f80 v;

    v.man = r & 3 ? rnd() | (r & 60 ? (uint64_t)1 << 63 : 0) : mans[rnd() % ARRAY_LEN(mans)];
    if (!(r & 0x700)) {
        v.man &= ~(uint64_t)0 << (rnd() & 63);
    }
    switch (r >> 12 & 7) {
    case 0: case 1: case 2: v.se = exps[rnd() % ARRAY_LEN(exps)]; break;
    case 3: case 4: case 5: v.se = (uint16_t)(0x3fff - 40 + rnd() % 80); break;
    default: v.se = rnd() & 0x7fff; break;
    }
    if (v.se) {
        v.man |= r & 0x3f00000 ? (uint64_t)1 << 63 : 0; /* unsupported encodings: not too many */
    }
    v.se |= (uint16_t)(rnd() << 15);
    return v;
}
/* a value near another one, so that sums cancel and quotients are near one */
static struct f80 value80_near(struct f80 a)
{
    struct f80 v = value80();
    if (!(rnd() & 3)) {
        v.man = a.man + rnd() % 5 - 2;
        v.se = (uint16_t)(a.se ^ (rnd() << 15));
    } else if (!(rnd() & 3)) {
        v.se = (uint16_t)((a.se + rnd() % 200 - 100) & 0x7fff);
    }
    return v;
}
static struct fp_env env80(unsigned n)
{
    static const uint8_t precs[] = {64, 53, 24};
    return (struct fp_env){.rc = n & 3, .prec = precs[n / 4 % 3], .mask = FP_ALL};
}
static uint16_t env_fcw(const struct fp_env *e)
{
    return (uint16_t)((e->prec == 64 ? 0x300 : e->prec == 53 ? 0x200 : 0) | e->rc << 10 | e->mask);
}

/* One x87 instruction on ST(0) = a, ST(1) = b.  FSW after it and the new ST(0). */
#define X87(insn, fcw, a, b, r, fsw)                                                              \
    __asm__ volatile("fninit\n\tfldcw %[cw]\n\tfldt %[y]\n\tfldt %[x]\n\tfnclex\n\t" insn \
                     "\n\tfnstsw %[sw]\n\tfstpt %[z]\n\tfninit"                                   \
                     : [z] "=m"(r), [sw] "=m"(fsw)                                                \
                     : [x] "m"(a), [y] "m"(b), [cw] "m"(fcw)                                      \
                     : "memory")

static void differ80(const char *what, const struct fp_env *e, struct f80 a, struct f80 b,
                     struct f80 r, unsigned fl, struct f80 h, unsigned hfl)
{
    fail_msg("%s rc %u prec %u: %04x:%016llx, %04x:%016llx -> %04x:%016llx flags %02x, host "
             "%04x:%016llx flags %02x",
             what, e->rc, e->prec, a.se, (unsigned long long)a.man, b.se,
             (unsigned long long)b.man, r.se, (unsigned long long)r.man, fl, h.se,
             (unsigned long long)h.man, hfl);
}
#define CHECK80(what, e, a, b, r, h, fsw)                                                         \
    do {                                                                                          \
        unsigned fl_ = (e).flags | ((e).flags & FP_PE && (e).up ? 0x200u : 0u);                   \
        unsigned hfl_ = (fsw) & 0x23fu;                                                           \
        if ((r).man != (h).man || (r).se != (h).se || fl_ != hfl_) {                              \
            differ80(what, &(e), a, b, r, fl_, h, hfl_);                                          \
        }                                                                                         \
    } while (0)

enum { ROUNDS = 400000 };

static void test_f80_arithmetic(void **state)
{
    static const char *const names[] = {"fadd", "fsub", "fmul", "fdiv", "fsqrt"};
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct f80 a = value80(), b = value80_near(a), r, h;
        for (unsigned op = FP_ADD; op <= FP_SQRT; op++) {
            struct fp_env e = env80(n), he = e;
            he.sticky = n & 64 ? FP_PE : 0; /* may then come back without being raised */
            r = soft_bin80(&e, (enum fp_op)op, a, b);
            assert_true(host_bin80(&he, (enum fp_op)op, a, b, &h));
            if (he.sticky && !(e.flags & FP_PE)) {
                he.flags &= (uint8_t)~FP_PE;
            }
            CHECK80(names[op], e, a, b, r, h, he.flags | (unsigned)(he.up ? 0x200 : 0));
        }
    }
}

/* Significands of few bits at every distance: what is shifted out decides ties. */
static void test_f80_distances(void **state)
{
    static const uint64_t m[] = {0x8000000000000000, 0x8000000000000001, 0x8000000000000002,
                                 0xffffffffffffffff, 0xfffffffffffffffe, 0xc000000000000000,
                                 0x8000000000000400, 0x8000008000000000};
    (void)state;
    for (unsigned n = 0; n < 12 * ARRAY_LEN(m) * ARRAY_LEN(m) * 70 * 2; n++) {
        unsigned v = n / 12;
        struct f80 a = {m[v % ARRAY_LEN(m)], 0x3fff}, b = {m[v / ARRAY_LEN(m) % ARRAY_LEN(m)], 0};
        struct fp_env e = env80(n), he = e;
        struct f80 r, h;

        v /= ARRAY_LEN(m) * ARRAY_LEN(m);
        b.se = (uint16_t)((0x3fff - v % 70) | (v / 70) << 15);
        r = soft_bin80(&e, FP_ADD, a, b);
        assert_true(host_bin80(&he, FP_ADD, a, b, &h));
        CHECK80("fadd", e, a, b, r, h, he.flags | (unsigned)(he.up ? 0x200 : 0));
    }
}

static void test_f80_functions(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct f80 a = value80(), b = value80_near(a), r, h, x;
        struct fp_env e = env80(n);
        uint16_t cw = env_fcw(&e), sw;
        bool partial;
        unsigned q;

        X87("frndint", cw, a, b, h, sw);
        r = fp_rndint80(&e, a);
        CHECK80("frndint", e, a, b, r, h, sw);

        e = env80(n);
        X87("fscale", cw, a, b, h, sw);
        r = fp_scale80(&e, a, b);
        CHECK80("fscale", e, a, b, r, h, sw);

        e = env80(n);
        X87("fxtract", cw, a, b, h, sw);
        r = fp_extract80(&e, a, &x);
        CHECK80("fxtract", e, a, b, r, h, sw);
        X87("fxtract\n\tfstp %%st(0)", cw, a, b, h, sw);
        CHECK80("fxtract exponent", e, a, b, x, h, sw);

        for (int nearest = 0; nearest < 2; nearest++) {
            unsigned cc;
            e = env80(n);
            if (nearest) {
                X87("fprem1", cw, a, b, h, sw);
            } else {
                X87("fprem", cw, a, b, h, sw);
            }
            r = fp_rem80(&e, a, b, nearest, &q, &partial);
            cc = (q & 4 ? 0x100 : 0) | (q & 2 ? 0x4000 : 0) | (q & 1 ? 0x200 : 0) |
                 (partial ? 0x400 : 0);
            if (r.man != h.man || r.se != h.se || (cc | e.flags) != (sw & 0x473f)) {
                differ80(nearest ? "fprem1" : "fprem", &e, a, b, r, cc | e.flags, h, sw & 0x473f);
            }
        }
    }
}

static void test_f80_compare(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        static const uint16_t cc[] = {0x100, 0x4000, 0, 0x4500};
        struct f80 a = value80(), b = rnd() & 7 ? value80_near(a) : a, h;
        struct fp_env e = env80(n), e2 = e;
        uint16_t cw = env_fcw(&e), sw;
        unsigned r;

        X87("fcom %%st(1)", cw, a, b, h, sw);
        r = cc[soft_compare80(&e, a, b, false)] | e.flags;
        if (r != (sw & 0x473f)) {
            differ80("fcom", &e, a, b, a, r, h, sw & 0x473f);
        }
        X87("fucom %%st(1)", cw, a, b, h, sw);
        r = cc[soft_compare80(&e2, a, b, true)] | e2.flags;
        if (r != (sw & 0x473f)) {
            differ80("fucom", &e2, a, b, a, r, h, sw & 0x473f);
        }
    }
}

/* FST m32/m64, FIST m16/m32/m64, FBSTP */
#define STORE(insn, mem)                                                                          \
    __asm__ volatile("fninit\n\tfldcw %[cw]\n\tfldt %[x]\n\tfnclex\n\t" insn " %[m]\n\tfnstsw " \
                     "%[sw]\n\tfninit"                                                            \
                     : [m] "=m"(mem), [sw] "=m"(sw)                                               \
                     : [x] "m"(a), [cw] "m"(cw))

static void test_f80_stores(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct f80 a = value80(), z = {0};
        struct fp_env e, base = env80(n);
        uint16_t cw = env_fcw(&base), sw;
        uint32_t m32;
        uint64_t m64, r;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        uint8_t bcd[10], mine[10];
#define CHECK_STORE(what, got, want)                                                              \
    do {                                                                                          \
        struct f80 g_ = {(uint64_t)(got), 0}, w_ = {(uint64_t)(want), 0};                         \
        unsigned fl_ = e.flags | (e.flags & FP_PE && e.up ? 0x200u : 0u);                         \
        if (g_.man != w_.man || fl_ != (sw & 0x23fu)) {                                           \
            differ80(what, &e, a, z, g_, fl_, w_, sw & 0x23fu);                                   \
        }                                                                                         \
    } while (0)
        STORE("fstps", m32);
        e = base;
        r = fp_narrow80(&e, FP_F32, a);
        CHECK_STORE("fst m32", r, m32);
        STORE("fstpl", m64);
        e = base;
        r = fp_narrow80(&e, FP_F64, a);
        CHECK_STORE("fst m64", r, m64);
        STORE("fistps", i16);
        e = base;
        CHECK_STORE("fist m16", fp_to_int(&e, fp_unpack80(a), 16), i16);
        STORE("fistpl", i32);
        e = base;
        CHECK_STORE("fist m32", fp_to_int(&e, fp_unpack80(a), 32), i32);
        STORE("fistpll", i64);
        e = base;
        CHECK_STORE("fist m64", fp_to_int(&e, fp_unpack80(a), 64), i64);
        STORE("fbstp", bcd);
        e = base;
        fp_to_bcd(&e, a, mine);
        CHECK_STORE("fbstp", 0, memcmp(mine, bcd, 10) != 0);
    }
}

static void test_f80_loads(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct fp_env base = env80(n), e;
        uint16_t cw = env_fcw(&base), sw;
        uint32_t m32 = (uint32_t)value(FP_F32);
        uint64_t m64 = value(FP_F64), i64 = rnd() >> (rnd() & 63);
        struct f80 h, r, z = {0};
        uint8_t bcd[10];
        struct fp_num num;
#define LOAD(insn, mem)                                                                           \
    __asm__ volatile("fninit\n\tfldcw %[cw]\n\t" insn " %[m]\n\tfnstsw %[sw]\n\tfstpt "           \
                     "%[z]\n\tfninit" \
                     : [z] "=m"(h), [sw] "=m"(sw)                                                 \
                     : [m] "m"(mem), [cw] "m"(cw))
        LOAD("flds", m32);
        e = base;
        r = fp_widen80(&e, FP_F32, m32, true);
        CHECK80("fld m32", e, z, z, r, h, sw);
        LOAD("fldl", m64);
        e = base;
        r = fp_widen80(&e, FP_F64, m64, true);
        CHECK80("fld m64", e, z, z, r, h, sw);
        LOAD("fildll", i64);
        e = base;
        num = fp_from_int((int64_t)i64);
        r = fp_pack80(&num);
        CHECK80("fild", e, z, z, r, h, sw);
        for (unsigned i = 0; i < 10; i++) {
            bcd[i] = (uint8_t)(rnd() % 10 << 4 | rnd() % 10);
        }
        LOAD("fbld", bcd);
        e = base;
        r = fp_from_bcd(bcd);
        CHECK80("fbld", e, z, z, r, h, sw);
    }
}

/* ---- SSE ---- */

static struct fp_env env_sse(unsigned n)
{
    return (struct fp_env){.rc = n & 3, .prec = 64, .mask = FP_ALL, .daz = n >> 2 & 1,
                           .ftz = n >> 3 & 1};
}
static uint32_t env_mxcsr(const struct fp_env *e)
{
    return 0x1f80u | e->rc * 0x2000u | (e->ftz ? 0x8000u : 0) | (e->daz ? 0x40u : 0);
}

static void test_sse_arithmetic(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        for (unsigned f = FP_F32; f <= FP_F64; f++) {
            uint64_t a = value((enum fp_fmt)f), b = value((enum fp_fmt)f);
            if (!(rnd() & 7)) {
                b = a ^ (rnd() & 3);
            }
            for (unsigned op = FP_ADD; op <= FP_MAX; op++) {
                uint64_t r[2] = {a, 0}, h[2] = {a, 0}, y[2] = {b, 0};
                struct fp_env e = env_sse(n), he = e;
                he.sticky = n & 32 ? rnd() & FP_ALL : 0; /* may stay out of he.flags */
                soft_packed(&e, (enum fp_fmt)f, (enum fp_op)op, 1, r, y);
                assert_true(host_packed(&he, (enum fp_fmt)f, (enum fp_op)op, 1, h, y));
                if (r[0] != h[0] || (he.flags & ~e.flags) || (e.flags & ~he.flags & ~he.sticky)) {
                    fail_msg("op %u fmt %u env %x: %llx, %llx -> %llx flags %x, host %llx flags %x",
                             op, f, n & 15, (unsigned long long)a, (unsigned long long)b,
                             (unsigned long long)r[0], e.flags, (unsigned long long)h[0],
                             he.flags);
                }
            }
        }
    }
}

static void test_sse_packed(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ROUNDS / 4; n++) {
        for (unsigned f = FP_F32; f <= FP_F64; f++) {
            uint64_t r[2], h[2], y[2];
            struct fp_env e = env_sse(n), he = e;
            unsigned op = n % 7, count = f == FP_F32 ? (n & 16 ? 4 : 1) : n & 16 ? 2 : 1;
            for (unsigned i = 0; i < 2; i++) {
                r[i] = h[i] = f == FP_F32 ? value(FP_F32) | value(FP_F32) << 32 : value(FP_F64);
                y[i] = f == FP_F32 ? value(FP_F32) | value(FP_F32) << 32 : value(FP_F64);
            }
            soft_packed(&e, (enum fp_fmt)f, (enum fp_op)op, count, r, y);
            assert_true(host_packed(&he, (enum fp_fmt)f, (enum fp_op)op, count, h, y));
            assert_memory_equal(r, h, 16);
            assert_int_equal(e.flags, he.flags);
        }
    }
}

#define SSE1(insn, x, y)                                                                          \
    __asm__ volatile("ldmxcsr %[in]\n\t" insn "\n\tstmxcsr %[out]\n\tldmxcsr %[def]" \
                     : [d] "=x"(x), [out] "=m"(out)                                               \
                     : [s] "x"(y), [in] "m"(in), [def] "m"(def))
#define SSEI(insn, x, y)                                                                          \
    __asm__ volatile("ldmxcsr %[in]\n\t" insn "\n\tstmxcsr %[out]\n\tldmxcsr %[def]" \
                     : [d] "=r"(x), [out] "=m"(out)                                               \
                     : [s] "x"(y), [in] "m"(in), [def] "m"(def))

static void test_sse_conversions(void **state)
{
    static const uint32_t def = 0x1f80;
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct fp_env base = env_sse(n), e;
        uint32_t in = env_mxcsr(&base), out, i32;
        uint64_t a32 = value(FP_F32), a64 = value(FP_F64), i64, r, i = rnd() >> (rnd() & 63);
        __m128i v32 = _mm_cvtsi64_si128((long long)a32), v64 = _mm_cvtsi64_si128((long long)a64);
        __m128i d;
#define CHECK_CVT(what, src, got, want)                                                           \
    do {                                                                                          \
        if ((uint64_t)(got) != (uint64_t)(want) || e.flags != (out & FP_ALL)) {                   \
            fail_msg("%s env %x: %llx -> %llx flags %x, host %llx flags %x", what, n & 15,        \
                     (unsigned long long)(src), (unsigned long long)(got), e.flags,               \
                     (unsigned long long)(want), out & FP_ALL);                                   \
        }                                                                                         \
    } while (0)
        SSE1("cvtss2sd %[s], %[d]", d, v32);
        e = base;
        r = fp_convert(&e, FP_F64, FP_F32, a32);
        CHECK_CVT("cvtss2sd", a32, r, _mm_cvtsi128_si64(d));
        SSE1("cvtsd2ss %[s], %[d]", d, v64);
        e = base;
        r = fp_convert(&e, FP_F32, FP_F64, a64);
        CHECK_CVT("cvtsd2ss", a64, r, (uint32_t)_mm_cvtsi128_si32(d));
        SSEI("cvtss2si %[s], %k[d]", i32, v32);
        {
            struct fp_num x = fp_unpack(FP_F32, a32);
            x.cls = x.den && base.daz ? FP_ZERO : x.cls;
            e = base;
            r = (uint32_t)fp_to_int(&e, x, 32);
            CHECK_CVT("cvtss2si", a32, r, i32);
            SSEI("cvttss2si %[s], %q[d]", i64, v32);
            e = base;
            e.rc = FP_RC_ZERO;
            r = (uint64_t)fp_to_int(&e, x, 64);
            CHECK_CVT("cvttss2si 64", a32, r, i64);
        }
        {
            struct fp_num x = fp_unpack(FP_F64, a64);
            x.cls = x.den && base.daz ? FP_ZERO : x.cls;
            SSEI("cvtsd2si %[s], %k[d]", i32, v64);
            e = base;
            r = (uint32_t)fp_to_int(&e, x, 32);
            CHECK_CVT("cvtsd2si", a64, r, i32);
            SSEI("cvtsd2si %[s], %q[d]", i64, v64);
            e = base;
            r = (uint64_t)fp_to_int(&e, x, 64);
            CHECK_CVT("cvtsd2si 64", a64, r, i64);
        }
        d = _mm_setzero_si128();
        __asm__ volatile("ldmxcsr %[in]\n\tcvtsi2ssq %[s], %[d]\n\tstmxcsr %[out]\n\tldmxcsr %[def]"
                         : [d] "+x"(d), [out] "=m"(out)
                         : [s] "r"(i), [in] "m"(in), [def] "m"(def));
        e = base;
        r = fp_int_to(&e, FP_F32, (int64_t)i);
        CHECK_CVT("cvtsi2ss", i, r, (uint32_t)_mm_cvtsi128_si32(d));
        __asm__ volatile("ldmxcsr %[in]\n\tcvtsi2sdq %[s], %[d]\n\tstmxcsr %[out]\n\tldmxcsr %[def]"
                         : [d] "+x"(d), [out] "=m"(out)
                         : [s] "r"(i), [in] "m"(in), [def] "m"(def));
        e = base;
        r = fp_int_to(&e, FP_F64, (int64_t)i);
        CHECK_CVT("cvtsi2sd", i, r, _mm_cvtsi128_si64(d));
    }
}

static void test_sse_compare(void **state)
{
    static const uint32_t def = 0x1f80;
    (void)state;
    for (unsigned n = 0; n < ROUNDS; n++) {
        static const uint64_t rel_flags[] = {FL_CF, FL_ZF, 0, FL_CF | FL_ZF | FL_PF};
        struct fp_env base = env_sse(n), e;
        uint32_t in = env_mxcsr(&base), out;
        uint64_t a = value(FP_F64), b = rnd() & 3 ? value(FP_F64) : a ^ (rnd() & 1), fl;
        __m128i x = _mm_cvtsi64_si128((long long)a), y = _mm_cvtsi64_si128((long long)b);
#define COMI(insn, quiet)                                                                         \
    __asm__ volatile("ldmxcsr %[in]\n\t" insn                                                     \
                     " %[y], %[x]\n\tpushf\n\tpop %[fl]\n\tstmxcsr %[out]\n\tldmxcsr %[def]" \
                     : [fl] "=r"(fl), [out] "=m"(out)                                             \
                     : [x] "x"(x), [y] "x"(y), [in] "m"(in), [def] "m"(def)                       \
                     : "cc");                                                                     \
    e = base;                                                                                     \
    if (rel_flags[soft_compare(&e, FP_F64, a, b, quiet)] != (fl & FL_STATUS) ||                   \
        e.flags != (out & FP_ALL)) {                                                              \
        fail_msg(insn " env %x: %llx, %llx: host flags %x eflags %llx, mine %x", n & 15,          \
                 (unsigned long long)a, (unsigned long long)b, out & FP_ALL,                      \
                 (unsigned long long)fl & FL_STATUS, e.flags);                                    \
    }
        COMI("comisd", false)
        COMI("ucomisd", true)
    }
}
#endif

/* RCPPS and RSQRTPS promise 1.5 * 2^-12 and nothing about bits. */
static float as_float(uint32_t v)
{
    float f;
    memcpy(&f, &v, 4);
    return f;
}
static void test_approximations(void **state)
{
    (void)state;
    double worst[2] = {0, 0}, hosts[2] = {0, 0};

    for (uint32_t v = 0x10000000; v < 0x70000000; v += 0x3fff) {
        double x = as_float(v), r = as_float(fp_rcp32(v)) * x - 1;
        double q = as_float(fp_rsqrt32(v));
        q = q * q * x - 1; /* (1 + err)^2 - 1 */
        assert_true(r < 1.5 / 4096 && r > -1.5 / 4096);
        assert_true(q < 3.0 / 4096 && q > -3.0 / 4096);
    }
    for (uint32_t v = 0x3f800000; v < 0x40800000; v++) { /* every significand, both parities */
        double x = as_float(v), r[2] = {as_float(fp_rcp32(v)) * x - 1, as_float(fp_rsqrt32(v))};
        r[1] = (r[1] * r[1] * x - 1) / 2; /* to the first order */
        for (unsigned i = 0; i < 2; i++) {
            r[i] = r[i] < 0 ? -r[i] : r[i];
            worst[i] = r[i] > worst[i] ? r[i] : worst[i];
        }
#if defined(__x86_64__)
        __m128 m = _mm_set_ss(as_float(v));
        double h[2] = {_mm_cvtss_f32(_mm_rcp_ss(m)) * x - 1, _mm_cvtss_f32(_mm_rsqrt_ss(m))};
        h[1] = (h[1] * h[1] * x - 1) / 2;
        for (unsigned i = 0; i < 2; i++) {
            h[i] = h[i] < 0 ? -h[i] : h[i];
            hosts[i] = h[i] > hosts[i] ? h[i] : hosts[i];
        }
#endif
    }
    printf("rcpps: relative error at most %.4f * 2^-12, host %.4f; rsqrtps: %.4f, host %.4f\n",
           worst[0] * 4096, hosts[0] * 4096, worst[1] * 4096, hosts[1] * 4096);
    assert_true(worst[0] < 1.25 / 4096 && worst[1] < 1.25 / 4096);
    assert_int_equal(fp_rcp32(0x3f800000), 0x3f800000);
    assert_int_equal(fp_rsqrt32(0x40800000), 0x3f000000);
    assert_int_equal(fp_rcp32(0x80000001), 0xff800000); /* a denormal is a zero */
    assert_int_equal(fp_rcp32(0x7f7fffff), 0);          /* a tiny result too */
    assert_int_equal(fp_rsqrt32(0xbf800000), 0xffc00000);
    assert_int_equal(fp_rsqrt32(0x7f800000), 0);
    assert_int_equal(fp_rcp32(0x7f800001), 0x7fc00001);
}

/* Unmasked responses, SDM Vol. 1, "Numeric Overflow Exception", "Numeric Underflow Exception". */
static void test_unmasked_bias(void **state)
{
    struct fp_env e = {.prec = 64, .mask = FP_ALL & ~FP_OE};
    struct f80 big = {(uint64_t)1 << 63, 0x7ffe}, min = {(uint64_t)1 << 63, 1}, r;
    struct f80 half = {(uint64_t)1 << 63, 0x3ffe};
    (void)state;
    r = soft_bin80(&e, FP_MUL, big, big); /* 2^32766, biased down by 24576 */
    assert_int_equal(e.flags, FP_OE);
    assert_int_equal(r.se, 0x3fff + 32766 - 24576);
    e = (struct fp_env){.prec = 64, .mask = FP_ALL & ~FP_UE};
    r = soft_bin80(&e, FP_MUL, min, min);
    assert_int_equal(e.flags, FP_UE);
    assert_int_equal(r.se, 0x3fff - 32764 + 24576);
    /* exact denormal: underflow only when unmasked */
    e = (struct fp_env){.prec = 64, .mask = FP_ALL};
    r = soft_bin80(&e, FP_MUL, min, half);
    assert_int_equal(e.flags, 0);
    assert_int_equal(r.se, 0);
    assert_true(r.man == (uint64_t)1 << 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
        cmocka_unit_test(test_f80_arithmetic), cmocka_unit_test(test_f80_functions),
        cmocka_unit_test(test_f80_distances),
        cmocka_unit_test(test_f80_compare),    cmocka_unit_test(test_f80_stores),
        cmocka_unit_test(test_f80_loads),      cmocka_unit_test(test_sse_arithmetic),
        cmocka_unit_test(test_sse_packed),     cmocka_unit_test(test_sse_conversions),
        cmocka_unit_test(test_sse_compare),
#endif
        cmocka_unit_test(test_approximations), cmocka_unit_test(test_unmasked_bias),
    };
#if !defined(__x86_64__)
    puts("not an x86-64 host: no comparison with its unit");
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
