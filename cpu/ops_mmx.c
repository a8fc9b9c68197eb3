/* Packed integer arithmetic, comparison, logic and shifts on MMX and XMM registers.
 *
 * SDM Vol. 1, "MMX Instructions", "SSE2 128-Bit SIMD Integer Instruction Extensions"; Vol. 2B for
 * each operation.  Every meaning is one expression over a lane; 64-bit halves are independent.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

FORCE_INLINE int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* LANES: x and y are lanes of type `type`, `bits` wide, r the result. */
#define LANES(name, type, bits, expr)                                                             \
    FORCE_INLINE void lane_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)    \
    {                                                                                             \
        (void)imm;                                                                                \
        for (unsigned h = 0; h < 1u + wide; h++) {                                                \
            uint64_t out = 0;                                                                     \
            for (unsigned i = 0; i < 64; i += bits) {                                             \
                type x = (type)(a[h] >> i), y = (type)(b[h] >> i);                                \
                out |= ((uint64_t)(expr) & bits_mask(bits)) << i;                                 \
            }                                                                                     \
            a[h] = out;                                                                           \
        }                                                                                         \
    }                                                                                             \
    VEC_OP(name, lane_##name)

LANES(paddb, uint8_t, 8, x + y)
LANES(paddw, uint16_t, 16, x + y)
LANES(paddd, uint32_t, 32, x + y)
LANES(paddq, uint64_t, 64, x + y)
LANES(psubb, uint8_t, 8, x - y)
LANES(psubw, uint16_t, 16, x - y)
LANES(psubd, uint32_t, 32, x - y)
LANES(psubq, uint64_t, 64, x - y)
LANES(paddsb, int8_t, 8, clamp(x + y, -128, 127))
LANES(paddsw, int16_t, 16, clamp(x + y, -32768, 32767))
LANES(psubsb, int8_t, 8, clamp(x - y, -128, 127))
LANES(psubsw, int16_t, 16, clamp(x - y, -32768, 32767))
LANES(paddusb, uint8_t, 8, clamp(x + y, 0, 255))
LANES(paddusw, uint16_t, 16, clamp(x + y, 0, 65535))
LANES(psubusb, uint8_t, 8, clamp(x - y, 0, 255))
LANES(psubusw, uint16_t, 16, clamp(x - y, 0, 65535))
LANES(pcmpeqb, uint8_t, 8, 0 - (uint64_t)(x == y))
LANES(pcmpeqw, uint16_t, 16, 0 - (uint64_t)(x == y))
LANES(pcmpeqd, uint32_t, 32, 0 - (uint64_t)(x == y))
LANES(pcmpgtb, int8_t, 8, 0 - (uint64_t)(x > y))
LANES(pcmpgtw, int16_t, 16, 0 - (uint64_t)(x > y))
LANES(pcmpgtd, int32_t, 32, 0 - (uint64_t)(x > y))
LANES(pmullw, int16_t, 16, x * y)
LANES(pmulhw, int16_t, 16, x * y >> 16)
LANES(pmulhuw, uint16_t, 16, (uint32_t)x * y >> 16)
LANES(pmuludq, uint64_t, 64, (x & 0xffffffff) * (y & 0xffffffff))
LANES(pmaddwd, uint32_t, 32,
      (uint32_t)((int16_t)x * (int16_t)y) +
          (uint32_t)((int16_t)(x >> 16) * (int16_t)(y >> 16)))
LANES(pavgb, uint8_t, 8, (x + y + 1) >> 1)
LANES(pavgw, uint16_t, 16, (x + y + 1) >> 1)
LANES(pmaxub, uint8_t, 8, x > y ? x : y)
LANES(pminub, uint8_t, 8, x < y ? x : y)
LANES(pmaxsw, int16_t, 16, x > y ? x : y)
LANES(pminsw, int16_t, 16, x < y ? x : y)
LANES(pand, uint64_t, 64, x & y)
LANES(pandn, uint64_t, 64, ~x & y)
LANES(por, uint64_t, 64, x | y)
LANES(pxor, uint64_t, 64, x ^ y)

static void sum_abs(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    (void)imm;
    for (unsigned h = 0; h < 1u + wide; h++) {
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

enum shift_kind { SHIFT_LEFT, SHIFT_RIGHT, SHIFT_ARITH };

FORCE_INLINE void shift(uint64_t a[2], uint64_t n, unsigned bits, enum shift_kind kind)
{
    for (unsigned h = 0; h < 2; h++) {
        uint64_t out = 0;
        for (unsigned i = 0; i < 64; i += bits) {
            uint64_t x = bits_get(a[h], i, bits);
            if (kind == SHIFT_ARITH) {
                x = (uint64_t)(bits_sext(x, bits) >> (n < bits ? n : bits - 1));
            } else if (n >= bits) {
                x = 0;
            } else {
                x = kind == SHIFT_LEFT ? x << n : x >> n;
            }
            out |= (x & bits_mask(bits)) << i;
        }
        a[h] = out;
    }
}
#define SHIFTS(name, bits, kind)                                                                  \
    FORCE_INLINE void shift_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)   \
    {                                                                                             \
        (void)wide, (void)imm;                                                                    \
        shift(a, b[0], bits, kind);                                                               \
    }                                                                                             \
    VEC_OP(name, shift_##name)
SHIFTS(psllw, 16, SHIFT_LEFT)
SHIFTS(pslld, 32, SHIFT_LEFT)
SHIFTS(psllq, 64, SHIFT_LEFT)
SHIFTS(psrlw, 16, SHIFT_RIGHT)
SHIFTS(psrld, 32, SHIFT_RIGHT)
SHIFTS(psrlq, 64, SHIFT_RIGHT)
SHIFTS(psraw, 16, SHIFT_ARITH)
SHIFTS(psrad, 32, SHIFT_ARITH)

/* The whole register, in bytes. */
static void left_bytes(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    fp_u128 v = (fp_u128)a[1] << 64 | a[0];
    (void)wide, (void)b;
    imm &= 0xff;
    v = imm > 15 ? 0 : v << (imm * 8);
    a[0] = (uint64_t)v;
    a[1] = (uint64_t)(v >> 64);
}
static void right_bytes(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    fp_u128 v = (fp_u128)a[1] << 64 | a[0];
    (void)wide, (void)b;
    imm &= 0xff;
    v = imm > 15 ? 0 : v >> (imm * 8);
    a[0] = (uint64_t)v;
    a[1] = (uint64_t)(v >> 64);
}
VEC_OP(pslldq, left_bytes)
VEC_OP(psrldq, right_bytes)
