/* Random values and processor states for the host oracle, with a liking for edges. */
#include <string.h>

#include "base/bits.h"
#include "cpu/state.h"
#include "tests/cpu/oracle.h"

uint64_t oracle_rnd(uint64_t *s)
{
    *s += 0x9e3779b97f4a7c15;
    uint64_t z = *s;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
unsigned oracle_below(uint64_t *s, unsigned n)
{
    return (unsigned)((uint64_t)(uint32_t)oracle_rnd(s) * n >> 32);
}
#define rnd oracle_rnd
#define below oracle_below

uint64_t oracle_int(uint64_t *s)
{
    static const uint64_t nice[] = {0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 0x7f, 0x80,
                                    0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
                                    0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0xffff8000,
                                    0xffffff80, 0x100000000, 0x7fffffffffffffff,
                                    0x8000000000000000, 0x8000000000000001, 0xfffffffffffffffe,
                                    0xffffffffffffffff, 0xffffffff80000000, 0xffffffffffffff80};
    uint64_t r = rnd(s);
    switch (r & 3) {
    case 0: return nice[(r >> 8) % ARRAY_LEN(nice)];
    case 1: return rnd(s) >> (r >> 2 & 63);
    default: return r >> 2 | r << 62;
    }
}

static uint32_t float32(uint64_t *s)
{
    static const uint32_t nice[] = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
                                    0x7fc00000, 0x7f800001, 0xffc12345, 1, 0x807fffff, 0x00800000,
                                    0x7f7fffff, 0x4f000000, 0xcf000000, 0x4effffff, 0x3f000000,
                                    0x3fc00000, 0x40200000, 0x5f000000, 0xdf000000, 0x47000000,
                                    0x477fe000, 0x33800000, 0x387fc000, 0x38800000, 0xffbfffff,
                                    0x00ffffff, 0x34000000, 0x7e800000, 0x80000001};
    uint64_t r = rnd(s);
    switch (r & 3) {
    case 0: return nice[(r >> 8) % ARRAY_LEN(nice)];
    case 1: return (uint32_t)(r >> 2);
    case 2:
        return (uint32_t)(r >> 32 & 0x807fff00) | (uint32_t)(112 + (r >> 8 & 31)) << 23;
    default:
        return (uint32_t)(r >> 32 & 0x807fffff) | (uint32_t)(107 + (r >> 8) % 40) << 23;
    }
}

static uint64_t float64(uint64_t *s)
{
    static const uint64_t nice[] = {
        0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000,
        0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff8000000012345, 1,
        0x800fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x41e0000000000000,
        0xc1e0000000000000, 0x41dfffffffc00000, 0x3fe0000000000000, 0x4004000000000000,
        0x43e0000000000000, 0xc3e0000000000000, 0x36a0000000000000, 0x47efffffe0000000,
        0x380fffffffffffff, 0x3690000000000000, 0x8000000000000001, 0x001fffffffffffff,
        0x3cb0000000000000, 0x7fd0000000000000};
    uint64_t r = rnd(s), v = rnd(s);
    switch (r & 3) {
    case 0: return nice[(r >> 8) % ARRAY_LEN(nice)];
    case 1: return v;
    case 2: return (v & 0x800ffffff0000000) | (uint64_t)(1008 + (r >> 8) % 40) << 52;
    default: return (v & 0x800fffffffffffff) | (uint64_t)(1000 + (r >> 8) % 80) << 52;
    }
}

/* half precision, for F16C */
static uint16_t float16(uint64_t *s)
{
    static const uint16_t nice[] = {0, 0x8000, 0x3c00, 0x7c00, 0xfc00, 0x7e00, 0x7c01, 1, 0x83ff,
                                    0x0400, 0x7bff};
    uint64_t r = rnd(s);
    return (r & 3) == 0 ? nice[(r >> 8) % ARRAY_LEN(nice)] : (uint16_t)(r >> 16);
}

void oracle_f80(uint64_t *s, uint8_t out[10])
{
    uint64_t man = rnd(s) | (uint64_t)1 << 63;
    unsigned se = 0;
    switch (below(s, 8)) {
    case 0: { /* special encodings, the invalid ones too */
        static const struct {
            uint64_t man;
            uint16_t se;
        } nice[] = {{0, 0}, {0, 0x8000}, {1ull << 63, 0x3fff}, {1ull << 63, 0xbfff},
                    {1ull << 63, 0x7fff}, {1ull << 63, 0xffff}, {3ull << 62, 0x7fff},
                    {3ull << 62, 0xffff}, {(1ull << 63) + 1, 0x7fff}, {(3ull << 62) + 99, 0xffff},
                    {1, 0}, {1ull << 62, 0}, {1ull << 63, 0}, {1ull << 62, 0x3fff}, {0, 0x7fff},
                    {0, 0x3fff}, {~0ull, 0x7ffe}, {1ull << 63, 1}, {1ull << 63, 0x403e},
                    {1ull << 63, 0xc03e}, {1ull << 63, 0x3ffe}, {3ull << 62, 0x3fff}};
        unsigned i = below(s, ARRAY_LEN(nice));
        man = nice[i].man;
        se = nice[i].se;
        break;
    }
    case 1: se = below(s, 0x7fff); break;
    case 2: /* whole numbers, often */
        se = 0x3fff + below(s, 20);
        man &= ~(uint64_t)0 << (63 - below(s, 20));
        break;
    case 3: /* as from a double or float */
        se = 0x3fff - 20 + below(s, 40);
        man &= ~(uint64_t)0 << (below(s, 2) ? 11 : 40);
        break;
    default: se = 0x3fff - 40 + below(s, 80); break;
    }
    if (below(s, 2)) {
        se ^= 0x8000;
    }
    store_le64(out, man);
    store_le16(out + 8, (uint16_t)se);
}

void oracle_vector(uint64_t *s, uint8_t *out, unsigned len)
{
    unsigned kind = below(s, 8);
    for (unsigned i = 0; i < len; i += 4) {
        switch (kind) {
        case 0: case 1: case 2: store_le32(out + i, float32(s)); break;
        case 3: case 4:
            if ((i & 4) == 0) {
                store_le64(out + i, float64(s));
            }
            break;
        case 5:
            store_le16(out + i, float16(s));
            store_le16(out + i + 2, float16(s));
            break;
        case 6: /* bytes: few different ones, often zero */
            store_le32(out + i, (uint32_t)(rnd(s) & rnd(s) & 0x83838383) * (1 + below(s, 2)));
            break;
        default: store_le32(out + i, (uint32_t)oracle_int(s)); break;
        }
    }
}

static unsigned random_mxcsr(uint64_t *s)
{
    uint64_t r = rnd(s);
    unsigned v = 0x1f80 | (unsigned)(r & 3) << 13 | (r & 0xc ? 0 : (unsigned)(r >> 4 & 63));
    if ((r >> 16 & 3) == 0) {
        v |= (unsigned)(r >> 20 & 1) << 15 | (unsigned)(r >> 21 & 1) << 6;
    }
    if ((r >> 24 & 7) == 0) {
        v &= ~((unsigned)(r >> 32 & 63) << 7);
    }
    return v;
}

static void random_x87(uint64_t *s, uint8_t *xs, bool x87)
{
    unsigned fcw = 0x37f, fsw = 0;
    if (x87) {
        static const uint8_t precision[] = {3, 3, 3, 2, 0, 1};
        fcw = 0x40 | below(s, 4) << 10 | (unsigned)precision[below(s, 6)] << 8 | 0x3f;
        if (below(s, 6) == 0) {
            fcw &= ~below(s, 64);
        }
        fsw = below(s, 8) << 11 | (below(s, 16) & 7) << 8 | below(s, 2) << 14;
        if (below(s, 4) == 0) {
            fsw |= below(s, 128) & 0x7f;
            if ((fsw & ~fcw & 0x3f) && below(s, 8)) {
                fsw &= ~0x3fu | fcw; /* a pending #MF only now and then */
            }
        }
        if (fsw & ~fcw & 0x3f) {
            fsw |= 0x8080;
        }
    }
    xs[4] = 0xff;
    if (x87 && below(s, 4) == 0) {
        xs[4] = (uint8_t)rnd(s);
    }
    store_le16(xs, (uint16_t)fcw);
    store_le16(xs + 2, (uint16_t)fsw);
    for (unsigned i = 0; i < 8; i++) {
        oracle_f80(s, xs + 32 + 16 * i);
    }
}

/* Standard format: SDM Vol. 1, "XSAVE Area". */
void oracle_state(uint64_t *s, struct oracle_regs *r, bool x87, bool simd)
{
    for (unsigned i = 0; i < 16; i++) {
        r->gpr[i] = oracle_int(s);
    }
    r->rflags = 0x202 | (rnd(s) & (FL_STATUS | FL_DF));
    if (below(s, 24) == 0) {
        r->rflags |= FL_AC;
    }
    memset(r->xs, 0, sizeof r->xs);
    random_x87(s, r->xs, x87);
    store_le32(r->xs + 24, simd ? random_mxcsr(s) : 0x1f80);
    r->xs[512] = 7;
    uint64_t kind = rnd(s);
    for (unsigned i = 0; i < 16; i++) {
        if (simd || (kind >> i & 3) == 0) {
            oracle_vector(s, r->xs + 160 + 16 * i, 16);
            oracle_vector(s, r->xs + 576 + 16 * i, 16);
        }
    }
}
