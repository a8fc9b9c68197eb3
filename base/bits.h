/* Bit fields, sign extension, unaligned little-endian access, saturating arithmetic. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FORCE_INLINE static inline __attribute__((always_inline))
#define NODISCARD __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

FORCE_INLINE uint64_t bits_get(uint64_t v, unsigned lo, unsigned len)
{
    return (v >> lo) & (len >= 64 ? UINT64_MAX : ((uint64_t)1 << len) - 1);
}

FORCE_INLINE uint64_t bits_mask(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* Sign-extend the low `bits` (1..64) of v. */
FORCE_INLINE int64_t bits_sext(uint64_t v, unsigned bits)
{
    unsigned sh = 64 - bits;
    return (int64_t)(v << sh) >> sh;
}

FORCE_INLINE uint16_t load_le16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}
FORCE_INLINE uint32_t load_le32(const void *p)
{
    const uint8_t *b = p;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
FORCE_INLINE uint64_t load_le64(const void *p)
{
    return load_le32(p) | (uint64_t)load_le32((const uint8_t *)p + 4) << 32;
}
FORCE_INLINE void store_le16(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
}
FORCE_INLINE void store_le32(void *p, uint32_t v)
{
    store_le16(p, (uint16_t)v);
    store_le16((uint8_t *)p + 2, (uint16_t)(v >> 16));
}
FORCE_INLINE void store_le64(void *p, uint64_t v)
{
    store_le32(p, (uint32_t)v);
    store_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}
/* size is 1, 2, 4 or 8 */
FORCE_INLINE uint64_t load_le(const void *p, unsigned size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return load_le16(p);
    case 4: return load_le32(p);
    default: return load_le64(p);
    }
}
FORCE_INLINE void store_le(void *p, uint64_t v, unsigned size)
{
    switch (size) {
    case 1: *(uint8_t *)p = (uint8_t)v; break;
    case 2: store_le16(p, (uint16_t)v); break;
    case 4: store_le32(p, (uint32_t)v); break;
    default: store_le64(p, v); break;
    }
}

/* v * mul / div with a 128-bit intermediate, truncated; div != 0. */
FORCE_INLINE uint64_t muldiv64(uint64_t v, uint64_t mul, uint64_t div)
{
    return (uint64_t)((unsigned __int128)v * mul / div);
}
FORCE_INLINE uint64_t muldiv64_up(uint64_t v, uint64_t mul, uint64_t div)
{
    return (uint64_t)(((unsigned __int128)v * mul + div - 1) / div);
}
