/* The SHA extensions: SHA-1 and SHA-256 rounds and message schedules.  No VEX forms.
 *
 * SDM Vol. 1, "Intel SHA Extensions"; Vol. 2B/2C, "SHA1RNDS4" and kin; FIPS 180-4.
 * The standards' first word is the register's highest: lane 3.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

FORCE_INLINE uint32_t rol(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}
FORCE_INLINE uint32_t ror(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}
FORCE_INLINE uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) ^ (~x & z);
}
FORCE_INLINE uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) ^ (x & z) ^ (y & z);
}

/* HW: AMD (Zen 4) takes a memory operand that is not aligned; the SDM wants #GP. */
static bool sources(struct cpu *c, const struct insn *in, uint64_t a[4], uint64_t b[4])
{
    vec_load(c, in->o[0].reg, a);
    return vec_ok(c, in) &&
           vec_read(c, in, 1, feat_has(&c->feat, FEAT_AMD) ? VEC_ANY : VEC_LEGACY, b);
}
/* A meaning: d is the destination and first source, s the second. */
#define SHA(name)                                                                                 \
    FORCE_INLINE void sha_##name(uint32_t d[4], const uint32_t s[4], unsigned imm);               \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        uint64_t a[4], b[4];                                                                      \
        if (!sources(c, in, a, b)) {                                                              \
            return false;                                                                         \
        }                                                                                         \
        sha_##name((uint32_t *)a, (const uint32_t *)b, (unsigned)in->imm);                        \
        return vec_store(c, in, VEC_ANY, a);                                                      \
    }                                                                                             \
    FORCE_INLINE void sha_##name(uint32_t d[4], const uint32_t s[4], unsigned imm)

/* ---- SHA-1 ---- */

SHA(sha1rnds4)
{
    static const uint32_t k[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t a = d[3], b = d[2], c = d[1], e = 0, dd = d[0]; /* s[3] has the first E in it */

    for (unsigned i = 0; i < 4; i++) {
        uint32_t f = (imm & 3) == 0   ? choose(b, c, dd)
                     : (imm & 3) == 2 ? majority(b, c, dd)
                                      : b ^ c ^ dd;
        uint32_t next = f + rol(a, 5) + s[3 - i] + e + k[imm & 3];
        e = dd;
        dd = c;
        c = rol(b, 30);
        b = a;
        a = next;
    }
    d[3] = a;
    d[2] = b;
    d[1] = c;
    d[0] = dd;
}
SHA(sha1nexte)
{
    uint32_t e = rol(d[3], 30);
    (void)imm;
    memcpy(d, s, 16);
    d[3] += e;
}
SHA(sha1msg1)
{
    (void)imm;
    d[3] ^= d[1];
    d[2] ^= d[0];
    d[1] ^= s[3];
    d[0] ^= s[2];
}
SHA(sha1msg2)
{
    (void)imm;
    d[3] = rol(d[3] ^ s[2], 1);
    d[2] = rol(d[2] ^ s[1], 1);
    d[1] = rol(d[1] ^ s[0], 1);
    d[0] = rol(d[0] ^ d[3], 1);
}

/* ---- SHA-256 ---- */

FORCE_INLINE uint32_t sigma0(uint32_t w)
{
    return ror(w, 7) ^ ror(w, 18) ^ w >> 3;
}
FORCE_INLINE uint32_t sigma1(uint32_t w)
{
    return ror(w, 17) ^ ror(w, 19) ^ w >> 10;
}
SHA(sha256msg1)
{
    uint32_t w4 = s[0];
    (void)imm;
    for (unsigned i = 0; i < 4; i++) {
        d[i] += sigma0(i < 3 ? d[i + 1] : w4);
    }
}
SHA(sha256msg2)
{
    (void)imm;
    d[0] += sigma1(s[2]);
    d[1] += sigma1(s[3]);
    d[2] += sigma1(d[0]);
    d[3] += sigma1(d[1]);
}

/* Two rounds; their words plus constants are XMM0's lower two. */
bool op_sha256rnds2(struct cpu *c, const struct insn *in)
{
    uint64_t x[4], y[4];
    uint32_t *d = (uint32_t *)x;
    const uint32_t *s = (const uint32_t *)y;

    if (!sources(c, in, x, y)) {
        return false;
    }
    uint32_t v[8] = {s[3], s[2], d[3], d[2], s[1], s[0], d[1], d[0]}; /* A to H */
    for (unsigned i = 0; i < 2; i++) {
        uint32_t t = choose(v[4], v[5], v[6]) + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) +
                     (uint32_t)(c->s.ymm[0][0] >> (32 * i)) + v[7];
        uint32_t next = t + majority(v[0], v[1], v[2]) +
                        (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t;
        v[0] = next;
    }
    d[3] = v[0];
    d[2] = v[1];
    d[1] = v[4];
    d[0] = v[5];
    return vec_store(c, in, VEC_ANY, x);
}
