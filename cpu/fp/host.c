/* The same arithmetic by the host's own unit, where the host is an x86-64: the operation runs with
 * the guest's rounding, precision, DAZ and FTZ loaded, and with all exceptions masked.
 *
 * An environment with unmasked exceptions, or another host, goes to softfloat.c; both give the same
 * bits (tests/cpu/test_fp.c).  SDM Vol. 1, "x87 FPU Control Word", "MXCSR Control and Status
 * Register".
 * NOT IMPLEMENTED: other hosts' units. */
#include "cpu/fp/fp.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define X87(insn)                                                                                 \
    __asm__ volatile("fnstcw %[old]\n\tfldcw %[fcw]\n\tfldt %[b]\n\tfldt %[a]\n\t" insn   \
                     "\n\tfnstsw %[fsw]\n\tfstpt %[r]\n\tfstp %%st(0)\n\tfldcw %[old]"            \
                     : [r] "=m"(*r), [fsw] "=m"(fsw), [old] "=m"(old)                             \
                     : [a] "m"(a), [b] "m"(b), [fcw] "m"(fcw)                                     \
                     : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)")

bool host_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b, struct f80 *r)
{
    unsigned pc = e->prec == 64 ? 3 : e->prec == 53 ? 2 : 0;
    uint16_t fcw = (uint16_t)(0x3f | pc << 8 | e->rc << 10), fsw, old;

    if (e->mask != FP_ALL) {
        return false;
    }
    /* FNCLEX takes three times as long as all the rest.  A PE left over from the operation before
     * does no harm when the guest has it too. */
    __asm__ volatile("fnstsw %0" : "=a"(fsw));
    if (fsw & 0x7f & ~(e->sticky & FP_PE)) {
        __asm__ volatile("fnclex");
    }
    switch (op) {
    case FP_ADD: X87("fadd %%st(1), %%st"); break;
    case FP_SUB: X87("fsub %%st(1), %%st"); break;
    case FP_MUL: X87("fmul %%st(1), %%st"); break;
    case FP_DIV: X87("fdiv %%st(1), %%st"); break;
    case FP_SQRT: X87("fsqrt"); break;
    default: return false;
    }
    e->flags |= fsw & FP_ALL;
    e->up = fsw >> 9 & 1;
    return true;
}

/* ---- SSE ----
 * LDMXCSR costs more than the operation.  The host's MXCSR is 1F80h between operations, but for
 * exception bits that were left there.  An environment that is 1F80h too is not loaded: if after
 * the operation no bit is set that the guest does not have, none was raised that matters; else the
 * bits are cleared and it is done again.  Any other environment is loaded and unloaded. */
#define MXCSR_PLAIN 0x1f80u

FORCE_INLINE uint32_t mxcsr_of(const struct fp_env *e)
{
    return MXCSR_PLAIN | e->rc * 0x2000u | (e->ftz ? 0x8000u : 0) | (e->daz ? 0x40u : 0);
}
FORCE_INLINE void mxcsr_load(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v));
}
FORCE_INLINE void mxcsr_begin(const struct fp_env *e)
{
    if (mxcsr_of(e) != MXCSR_PLAIN) {
        mxcsr_load(mxcsr_of(e));
    }
}
/* false: do it again (the second time is the last). */
FORCE_INLINE bool mxcsr_end(struct fp_env *e, unsigned *turn)
{
    uint32_t out;

    __asm__ volatile("stmxcsr %0" : "=m"(out));
    if (mxcsr_of(e) != MXCSR_PLAIN) {
        mxcsr_load(MXCSR_PLAIN);
    } else if ((out & ~(uint32_t)(e->sticky & FP_ALL)) == MXCSR_PLAIN) {
        return true;
    } else if (!(*turn)++) {
        mxcsr_load(MXCSR_PLAIN);
        return false;
    }
    e->flags |= out & FP_ALL;
    return true;
}

#define SSE(insn) __asm__ volatile(insn " %[y], %[x]" : [x] "+x"(x) : [y] "x"(y))
#define SSE4(op, name)                                                                            \
    case op:                                                                                      \
        if (f == FP_F64) {                                                                        \
            if (n == 1) {                                                                         \
                SSE(name "sd");                                                                   \
            } else {                                                                              \
                SSE(name "pd");                                                                   \
            }                                                                                     \
        } else if (n == 1) {                                                                      \
            SSE(name "ss");                                                                       \
        } else {                                                                                  \
            SSE(name "ps");                                                                       \
        }                                                                                         \
        break;

/* 16 bytes; of a scalar 8: wider loads would wait for narrower stores. */
FORCE_INLINE __m128i load16(const uint64_t *v, unsigned n)
{
    return n == 1 ? _mm_loadl_epi64((const __m128i *)(const void *)v)
                  : _mm_loadu_si128((const __m128i *)(const void *)v);
}
FORCE_INLINE void store16(uint64_t *v, unsigned n, __m128i x)
{
    if (n == 1) {
        _mm_storel_epi64((__m128i *)(void *)v, x);
    } else {
        _mm_storeu_si128((__m128i *)(void *)v, x);
    }
}

static void packed16(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
                     const uint64_t *b)
{
    unsigned turn = 0;
    __m128i x, y = load16(b, n);

    do {
        x = load16(r, n);
        mxcsr_begin(e);
        switch (op) {
        SSE4(FP_ADD, "add")
        SSE4(FP_SUB, "sub")
        SSE4(FP_MUL, "mul")
        SSE4(FP_DIV, "div")
        SSE4(FP_SQRT, "sqrt")
        SSE4(FP_MIN, "min")
        SSE4(FP_MAX, "max")
        }
    } while (!mxcsr_end(e, &turn));
    store16(r, n, x);
}

/* ---- 32 bytes and fused operations: where this host has AVX and FMA ---- */

/* libgcc's word about the processor: written once before main(). */
FORCE_INLINE bool has_avx(void)
{
    return __builtin_cpu_supports("avx");
}
FORCE_INLINE bool has_fma(void)
{
    return __builtin_cpu_supports("avx") && __builtin_cpu_supports("fma");
}

#define AVX(op, insn)                                                                             \
    case op:                                                                                      \
        if (f == FP_F64) {                                                                        \
            __asm__ volatile("v" insn "pd %[y], %[x], %[x]" : [x] "+x"(x) : [y] "x"(y));          \
        } else {                                                                                  \
            __asm__ volatile("v" insn "ps %[y], %[x], %[x]" : [x] "+x"(x) : [y] "x"(y));          \
        }                                                                                         \
        break;

__attribute__((target("avx"))) static void packed32(struct fp_env *e, enum fp_fmt f, enum fp_op op,
                                                    uint64_t *r, const uint64_t *b)
{
    unsigned turn = 0;
    __m256i x, y = _mm256_loadu_si256((const __m256i *)(const void *)b);

    do {
        x = _mm256_loadu_si256((const __m256i *)(const void *)r);
        mxcsr_begin(e);
        switch (op) {
        AVX(FP_ADD, "add")
        AVX(FP_SUB, "sub")
        AVX(FP_MUL, "mul")
        AVX(FP_DIV, "div")
        AVX(FP_MIN, "min")
        AVX(FP_MAX, "max")
        default: break; /* FP_SQRT: packed16() twice */
        }
    } while (!mxcsr_end(e, &turn));
    _mm256_storeu_si256((__m256i *)(void *)r, x);
}

bool host_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
                 const uint64_t *b)
{
    unsigned each = f == FP_F32 ? 4 : 2;

    if (e->mask != FP_ALL) {
        return false;
    }
    if (n <= each) {
        packed16(e, f, op, n, r, b);
    } else if (op != FP_SQRT && has_avx()) {
        packed32(e, f, op, r, b);
    } else {
        packed16(e, f, op, each, r, b);
        packed16(e, f, op, each, r + 2, b + 2);
    }
    return true;
}

#define FUSED(insn)                                                                               \
    __asm__ volatile("v" insn " %[b], %[a], %[c]" : [c] "+x"(c) : [a] "x"(a), [b] "x"(b))
#define FUSED2(name)                                                                              \
    do {                                                                                          \
        if (f == FP_F64) {                                                                        \
            FUSED(name "231pd");                                                                  \
        } else {                                                                                  \
            FUSED(name "231ps");                                                                  \
        }                                                                                         \
    } while (0)
#define FUSED4(kind, name)                                                                        \
    case kind:                                                                                    \
        if (n > 1) {                                                                              \
            FUSED2(name);                                                                         \
        } else if (f == FP_F64) {                                                                 \
            FUSED(name "231sd");                                                                  \
        } else {                                                                                  \
            FUSED(name "231ss");                                                                  \
        }                                                                                         \
        break;

__attribute__((target("avx,fma"))) static void fma16(struct fp_env *e, enum fp_fmt f,
                                                     enum fp_fma kind, unsigned n, uint64_t *r,
                                                     const uint64_t *x, const uint64_t *y,
                                                     const uint64_t *z)
{
    unsigned turn = 0;
    __m128i a = load16(x, n);
    __m128i b = load16(y, n), c;

    do {
        c = load16(z, n);
        mxcsr_begin(e);
        switch (kind) {
        FUSED4(FMA_ADD, "fmadd")
        FUSED4(FMA_SUB, "fmsub")
        FUSED4(FMA_NADD, "fnmadd")
        FUSED4(FMA_NSUB, "fnmsub")
        case FMA_ADDSUB: FUSED2("fmaddsub"); break;
        default: FUSED2("fmsubadd"); break;
        }
    } while (!mxcsr_end(e, &turn));
    if (n == 1) { /* f32: element 1 of r is not z's */
        fp_set(r, f, 0, (uint64_t)_mm_cvtsi128_si64(c));
    } else {
        store16(r, n, c);
    }
}

__attribute__((target("avx,fma"))) static void fma32(struct fp_env *e, enum fp_fmt f,
                                                     enum fp_fma kind, uint64_t *r,
                                                     const uint64_t *x, const uint64_t *y,
                                                     const uint64_t *z)
{
    unsigned turn = 0;
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)x);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)y), c;

    do {
        c = _mm256_loadu_si256((const __m256i *)(const void *)z);
        mxcsr_begin(e);
        switch (kind) {
        case FMA_ADD: FUSED2("fmadd"); break;
        case FMA_SUB: FUSED2("fmsub"); break;
        case FMA_NADD: FUSED2("fnmadd"); break;
        case FMA_NSUB: FUSED2("fnmsub"); break;
        case FMA_ADDSUB: FUSED2("fmaddsub"); break;
        default: FUSED2("fmsubadd"); break;
        }
    } while (!mxcsr_end(e, &turn));
    _mm256_storeu_si256((__m256i *)(void *)r, c);
}

bool host_fma(struct fp_env *e, enum fp_fmt f, enum fp_fma kind, unsigned n, uint64_t *r,
              const uint64_t *x, const uint64_t *y, const uint64_t *z)
{
    if (e->mask != FP_ALL || !has_fma()) {
        return false;
    }
    if (n > (f == FP_F32 ? 4u : 2u)) {
        fma32(e, f, kind, r, x, y, z);
    } else {
        fma16(e, f, kind, n, r, x, y, z);
    }
    return true;
}
#else
bool host_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b, struct f80 *r)
{
    (void)e, (void)op, (void)a, (void)b, (void)r;
    return false;
}
bool host_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
                 const uint64_t *b)
{
    (void)e, (void)f, (void)op, (void)n, (void)r, (void)b;
    return false;
}
bool host_fma(struct fp_env *e, enum fp_fmt f, enum fp_fma kind, unsigned n, uint64_t *r,
              const uint64_t *x, const uint64_t *y, const uint64_t *z)
{
    (void)e, (void)f, (void)kind, (void)n, (void)r, (void)x, (void)y, (void)z;
    return false;
}
#endif

struct f80 fp_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b)
{
    struct f80 r;

    /* all but roots are as quick in integers as loading the host's unit */
    return op == FP_SQRT && host_bin80(e, op, a, b, &r) ? r : soft_bin80(e, op, a, b);
}

void fp_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
               const uint64_t *b)
{
    if (!host_packed(e, f, op, n, r, b)) {
        soft_packed(e, f, op, n, r, b);
    }
}

void fp_fma(struct fp_env *e, enum fp_fmt f, enum fp_fma kind, unsigned n, uint64_t *r,
            const uint64_t *x, const uint64_t *y, const uint64_t *z)
{
    if (!host_fma(e, f, kind, n, r, x, y, z)) {
        soft_fma_packed(e, f, kind, n, r, x, y, z);
    }
}
