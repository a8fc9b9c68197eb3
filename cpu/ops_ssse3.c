/* SSE3 duplicating moves and the SSSE3 integer operations, on MMX, XMM and YMM registers.
 *
 * SDM Vol. 1, "SSE3 Instructions", "SSSE3 Instructions"; Vol. 2A/2B: "LDDQU", "MOVDDUP",
 * "PSHUFB", "PHADDW/PHADDD", "PMADDUBSW", "PALIGNR" and their neighbors.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

/* ---- SSE3 ---- */

bool op_lddqu(struct cpu *c, const struct insn *in)
{
    uint64_t v[4];
    return vec_ok(c, in) && vec_read(c, in, 1, VEC_ANY, v) && vec_store(c, in, VEC_ANY, v);
}

static void dup_q(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    (void)wide, (void)imm;
    a[0] = a[1] = b[0];
}
VEC_OP1(movddup, dup_q)
LANES1(movshdup, uint64_t, (x >> 32) | (x & 0xffffffff00000000))
LANES1(movsldup, uint64_t, (x & 0xffffffff) | x << 32)

/* ---- SSSE3: lane by lane ---- */

FORCE_INLINE int sat16(int v)
{
    return v < -32768 ? -32768 : v > 32767 ? 32767 : v;
}
LANES(psignb, int8_t, y < 0 ? -x : y ? x : 0)
LANES(psignw, int16_t, y < 0 ? -x : y ? x : 0)
LANES(psignd, int32_t, y < 0 ? -x : y ? x : 0)
LANES1(pabsb, int8_t, x < 0 ? -x : x)
LANES1(pabsw, int16_t, x < 0 ? -x : x)
LANES1(pabsd, int32_t, x < 0 ? -x : x)
LANES(pmulhrsw, int16_t, ((x * y >> 14) + 1) >> 1)
/* unsigned bytes of the first source times signed ones of the second */
LANES(pmaddubsw, uint16_t,
      sat16((uint8_t)x * (int8_t)y + (uint8_t)(x >> 8) * (int8_t)(y >> 8)))

/* ---- SSSE3: across lanes ---- */

static void shuffle_bytes(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    uint8_t src[16], *out = (uint8_t *)a;
    const uint8_t *pick = (const uint8_t *)b;
    unsigned mask = wide ? 15 : 7;

    (void)imm;
    memcpy(src, a, 16);
    for (unsigned i = 0; i < 16; i++) {
        out[i] = pick[i] & 0x80 ? 0 : src[pick[i] & mask];
    }
}
VEC_OP(pshufb, shuffle_bytes)

/* Neighbors x, y of the first source, then of the second. */
#define HORIZONTAL(name, type, expr)                                                              \
    FORCE_INLINE void horizontal_##name(uint64_t a[2], const uint64_t b[2], bool wide,            \
                                        unsigned imm)                                             \
    {                                                                                             \
        const unsigned n = (wide ? 16 : 8) / sizeof(type);                                        \
        type src[32 / sizeof(type)], *out = (type *)a;                                            \
        (void)imm;                                                                                \
        memcpy(src, a, n * sizeof(type));                                                         \
        memcpy(src + n, b, n * sizeof(type));                                                     \
        for (unsigned i = 0; i < n; i++) {                                                        \
            type x = src[2 * i], y = src[2 * i + 1];                                              \
            out[i] = (type)(expr);                                                                \
        }                                                                                         \
    }                                                                                             \
    VEC_OP(name, horizontal_##name)
HORIZONTAL(phaddw, int16_t, x + y)
HORIZONTAL(phaddd, uint32_t, x + y)
HORIZONTAL(phaddsw, int16_t, sat16(x + y))
HORIZONTAL(phsubw, int16_t, x - y)
HORIZONTAL(phsubd, uint32_t, x - y)
HORIZONTAL(phsubsw, int16_t, sat16(x - y))

/* The first source above the second, shifted right by bytes. */
static void align_right(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)
{
    uint8_t src[64] = {0};
    unsigned n = wide ? 16 : 8;

    memcpy(src, b, n);
    memcpy(src + n, a, n);
    memcpy(a, src + (imm < 32 ? imm : 32), 16);
}
VEC_OP(palignr, align_right)
