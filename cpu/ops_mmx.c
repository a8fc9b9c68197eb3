/* Packed integer arithmetic, comparison, logic and shifts on MMX, XMM and
 * YMM registers.
 *
 * SDM Vol. 1, "MMX Instructions", "SSE2 128-Bit SIMD Integer Instruction Extensions"; Vol. 2B for
 * each operation.  Every meaning is one expression over a lane.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

FORCE_INLINE int clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

LANES(paddb, uint8_t, x + y)
LANES(paddw, uint16_t, x + y)
LANES(paddd, uint32_t, x + y)
LANES(paddq, uint64_t, x + y)
LANES(psubb, uint8_t, x - y)
LANES(psubw, uint16_t, x - y)
LANES(psubd, uint32_t, x - y)
LANES(psubq, uint64_t, x - y)
LANES(paddsb, int8_t, clamp(x + y, -128, 127))
LANES(paddsw, int16_t, clamp(x + y, -32768, 32767))
LANES(psubsb, int8_t, clamp(x - y, -128, 127))
LANES(psubsw, int16_t, clamp(x - y, -32768, 32767))
LANES(paddusb, uint8_t, clamp(x + y, 0, 255))
LANES(paddusw, uint16_t, clamp(x + y, 0, 65535))
LANES(psubusb, uint8_t, clamp(x - y, 0, 255))
LANES(psubusw, uint16_t, clamp(x - y, 0, 65535))
LANES(pcmpeqb, uint8_t, 0 - (uint64_t)(x == y))
LANES(pcmpeqw, uint16_t, 0 - (uint64_t)(x == y))
LANES(pcmpeqd, uint32_t, 0 - (uint64_t)(x == y))
LANES(pcmpgtb, int8_t, 0 - (uint64_t)(x > y))
LANES(pcmpgtw, int16_t, 0 - (uint64_t)(x > y))
LANES(pcmpgtd, int32_t, 0 - (uint64_t)(x > y))
LANES(pmullw, int16_t, x * y)
LANES(pmulhw, int16_t, x * y >> 16)
LANES(pmulhuw, uint16_t, (uint32_t)x * y >> 16)
LANES(pmuludq, uint64_t, (uint64_t)(uint32_t)x * (uint32_t)y)
LANES(pmaddwd, uint32_t,
      (uint32_t)((int16_t)x * (int16_t)y) +
          (uint32_t)((int16_t)(x >> 16) * (int16_t)(y >> 16)))
LANES(pavgb, uint8_t, (x + y + 1) >> 1)
LANES(pavgw, uint16_t, (x + y + 1) >> 1)
LANES(pmaxub, uint8_t, x > y ? x : y)
LANES(pminub, uint8_t, x < y ? x : y)
LANES(pmaxsw, int16_t, x > y ? x : y)
LANES(pminsw, int16_t, x < y ? x : y)
LANES(pand, uint64_t, x & y)
LANES(pandn, uint64_t, ~x & y)
LANES(por, uint64_t, x | y)
LANES(pxor, uint64_t, x ^ y)

static void sum_abs(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    (void)wide, (void)imm;
    for (unsigned h = 0; h < 2; h++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < 64; i += 8) {
            int d = (uint8_t)(a[h] >> i) - (uint8_t)(b[h] >> i);
            sum += (uint64_t)(d < 0 ? -d : d);
        }
        a[h] = sum;
    }
}
VEC_OP(psadbw, sum_abs)

/* ---- shifts: one count for all lanes, a 64-bit number or an immediate ---- */

static bool shift_op(struct cpu *c, const struct insn *in, vec_fn *fn)
{
    uint64_t a[4], b[4];

    if (!vec_ok(c, in) || !vec_read2(c, in, a, b)) {
        return false;
    }
    b[2] = b[0]; /* the upper lane's count is the lower one's */
    return vec_finish(c, in, fn, 0, a, b);
}
/* x: the lane, n: the count, less than the lane's bits; `over`: the count to use when it is not */
#define SHIFTS(name, type, expr, over)                                                            \
    static void shift_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)         \
    {                                                                                             \
        const unsigned bits = sizeof(type) * 8;                                                   \
        type *p = (type *)a;                                                                      \
        unsigned n = b[0] < bits ? (unsigned)b[0] : (over);                                       \
        (void)wide, (void)imm;                                                                    \
        if (n >= bits) {                                                                          \
            a[0] = a[1] = 0;                                                                      \
            return;                                                                               \
        }                                                                                         \
        for (unsigned i = 0; i < 16 / sizeof(type); i++) {                                        \
            type x = p[i];                                                                        \
            p[i] = (type)(expr);                                                                  \
        }                                                                                         \
    }                                                                                             \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return shift_op(c, in, shift_##name);                                                     \
    }
SHIFTS(psllw, uint16_t, x << n, bits)
SHIFTS(pslld, uint32_t, x << n, bits)
SHIFTS(psllq, uint64_t, x << n, bits)
SHIFTS(psrlw, uint16_t, x >> n, bits)
SHIFTS(psrld, uint32_t, x >> n, bits)
SHIFTS(psrlq, uint64_t, x >> n, bits)
SHIFTS(psraw, int16_t, x >> n, bits - 1)
SHIFTS(psrad, int32_t, x >> n, bits - 1)

/* A whole 128-bit lane, in bytes. */
static void left_bytes(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    fp_u128 v = (fp_u128)a[1] << 64 | a[0];
    (void)wide, (void)b;
    v = imm > 15 ? 0 : v << (imm * 8);
    a[0] = (uint64_t)v;
    a[1] = (uint64_t)(v >> 64);
}
static void right_bytes(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    fp_u128 v = (fp_u128)a[1] << 64 | a[0];
    (void)wide, (void)b;
    v = imm > 15 ? 0 : v >> (imm * 8);
    a[0] = (uint64_t)v;
    a[1] = (uint64_t)(v >> 64);
}
VEC_OP(pslldq, left_bytes)
VEC_OP(psrldq, right_bytes)
