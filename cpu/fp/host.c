/* The same arithmetic by the host's own unit, where the host is an x86-64: the operation runs with
 * the guest's rounding, precision, DAZ and FTZ loaded, and with all exceptions masked.
 *
 * An environment with unmasked exceptions, or another host, goes to softfloat.c; both give the same
 * bits (tests/cpu/test_fp.c).  SDM Vol. 1, "x87 FPU Control Word", "MXCSR Control and Status
 * Register".
 * NOT IMPLEMENTED: other hosts' units. */
#include "cpu/fp/fp.h"

#if defined(__x86_64__)
#include <emmintrin.h>

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

#define SSE(insn)                                                                                 \
    __asm__ volatile("ldmxcsr %[in]\n\t" insn " %[y], %[x]\n\tstmxcsr %[out]\n\tldmxcsr %[def]" \
                     : [x] "+x"(x), [out] "=m"(out)                                               \
                     : [y] "x"(y), [in] "m"(in), [def] "m"(def))
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

bool host_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t r[2],
                 const uint64_t b[2])
{
    static const uint32_t def = 0x1f80;
    uint32_t in = 0x1f80u | e->rc * 0x2000u | (e->ftz ? 0x8000u : 0) | (e->daz ? 0x40u : 0);
    uint32_t out;
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)r);
    __m128i y = _mm_loadu_si128((const __m128i *)(const void *)b);

    if (e->mask != FP_ALL) {
        return false;
    }
    switch (op) {
    SSE4(FP_ADD, "add")
    SSE4(FP_SUB, "sub")
    SSE4(FP_MUL, "mul")
    SSE4(FP_DIV, "div")
    SSE4(FP_SQRT, "sqrt")
    SSE4(FP_MIN, "min")
    SSE4(FP_MAX, "max")
    }
    _mm_storeu_si128((__m128i *)(void *)r, x);
    e->flags |= out & FP_ALL;
    return true;
}
#else
bool host_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b, struct f80 *r)
{
    (void)e, (void)op, (void)a, (void)b, (void)r;
    return false;
}
bool host_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t r[2],
                 const uint64_t b[2])
{
    (void)e, (void)f, (void)op, (void)n, (void)r, (void)b;
    return false;
}
#endif

struct f80 fp_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b)
{
    struct f80 r;
    return host_bin80(e, op, a, b, &r) ? r : soft_bin80(e, op, a, b);
}

void fp_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t r[2],
               const uint64_t b[2])
{
    if (!host_packed(e, f, op, n, r, b)) {
        soft_packed(e, f, op, n, r, b);
    }
}
