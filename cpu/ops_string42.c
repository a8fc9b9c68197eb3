/* SSE4.2 string comparison: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM and their VEX forms.
 *
 * SDM Vol. 1, "String and Text Processing Instructions"; Vol. 2B, "Imm8 Control Byte Operation for
 * PCMPESTRI / PCMPESTRM / PCMPISTRI / PCMPISTRM".
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

enum { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED }; /* imm bits 3:2 */

struct strings {
    int a[16], b[16];
    unsigned na, nb; /* how many are valid */
    unsigned n;      /* how many there are: 16 bytes or 8 words */
};

static void unpack(int out[16], const uint64_t v[4], unsigned imm)
{
    for (unsigned i = 0; i < 16; i++) {
        switch (imm & 3) {
        case 0: out[i] = ((const uint8_t *)v)[i]; break;
        case 1: out[i] = ((const uint16_t *)v)[i & 7]; break;
        case 2: out[i] = ((const int8_t *)v)[i]; break;
        default: out[i] = ((const int16_t *)v)[i & 7]; break;
        }
    }
}
/* Up to the first zero. */
static unsigned implicit_length(const int s[16], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!s[i]) {
            return i;
        }
    }
    return n;
}
/* A register's magnitude, at most n. */
static unsigned explicit_length(const struct cpu *c, unsigned reg, bool q, unsigned n)
{
    int64_t v = q ? (int64_t)c->s.gpr[reg] : (int32_t)c->s.gpr[reg];
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    return m < n ? (unsigned)m : n;
}

/* IntRes1's bit j. */
static bool match(const struct strings *s, unsigned how, unsigned j)
{
    switch (how) {
    case EQUAL_ANY:
        for (unsigned i = 0; i < s->na; i++) {
            if (j < s->nb && s->a[i] == s->b[j]) {
                return true;
            }
        }
        return false;
    case RANGES:
        for (unsigned i = 0; i + 1 < s->na; i += 2) {
            if (j < s->nb && s->a[i] <= s->b[j] && s->b[j] <= s->a[i + 1]) {
                return true;
            }
        }
        return false;
    case EQUAL_EACH:
        return j < s->na && j < s->nb ? s->a[j] == s->b[j] : j >= s->na && j >= s->nb;
    default: /* a, as far as it is valid, stands in b at j, as far as b can show */
        for (unsigned i = 0; i < s->na && i + j < s->n; i++) {
            if (i + j >= s->nb || s->a[i] != s->b[i + j]) {
                return false;
            }
        }
        return true;
    }
}

/* IntRes2 and the flags. */
static bool compare(struct cpu *c, const struct insn *in, bool explicit, unsigned *res, unsigned *n)
{
    struct strings s;
    uint64_t a[4], b[4];
    unsigned imm = (unsigned)in->imm, r = 0;

    if (!vec_ok(c, in) || !vec_read(c, in, 1, VEC_ANY, b)) {
        return false;
    }
    vec_load(c, in->o[0].reg, a);
    unpack(s.a, a, imm);
    unpack(s.b, b, imm);
    s.n = imm & 1 ? 8 : 16;
    if (explicit) {
        s.na = explicit_length(c, REG_AX, in->osize == 8, s.n);
        s.nb = explicit_length(c, REG_DX, in->osize == 8, s.n);
    } else {
        s.na = implicit_length(s.a, s.n);
        s.nb = implicit_length(s.b, s.n);
    }
    for (unsigned j = 0; j < s.n; j++) {
        bool bit = match(&s, imm >> 2 & 3, j);
        if (imm & 0x10 && (!(imm & 0x20) || j < s.nb)) { /* negated, or only where b is valid */
            bit = !bit;
        }
        r |= (unsigned)bit << j;
    }
    flags_set_status(c, (r ? FL_CF : 0) | (s.nb < s.n ? FL_ZF : 0) | (s.na < s.n ? FL_SF : 0) |
                            (r & 1 ? FL_OF : 0));
    *res = r;
    *n = s.n;
    return true;
}

/* ECX: the first or last bit that is set, else the number of elements. */
static bool to_index(struct cpu *c, const struct insn *in, bool explicit)
{
    unsigned r, n;

    if (!compare(c, in, explicit, &r, &n)) {
        return false;
    }
    if (r) {
        n = in->imm & 0x40 ? 31 - (unsigned)__builtin_clz(r) : (unsigned)__builtin_ctz(r);
    }
    reg_write(c, REG_CX, 4, n);
    return true;
}
/* XMM0: the bits, or an element of ones for each. */
static bool to_mask(struct cpu *c, const struct insn *in, bool explicit)
{
    static const struct opnd xmm0 = {OPND_XMM, 0, 16};
    uint64_t v[4] = {0};
    unsigned r, n;

    if (!compare(c, in, explicit, &r, &n)) {
        return false;
    }
    v[0] = r;
    if (in->imm & 0x40) {
        for (unsigned i = 0; i < n; i++) {
            lane_put(v, i, 128 / n, r >> i & 1 ? 0xffff : 0);
        }
    }
    vec_put(c, in, &xmm0, v);
    return true;
}
bool op_pcmpestri(struct cpu *c, const struct insn *in)
{
    return to_index(c, in, true);
}
bool op_pcmpistri(struct cpu *c, const struct insn *in)
{
    return to_index(c, in, false);
}
bool op_pcmpestrm(struct cpu *c, const struct insn *in)
{
    return to_mask(c, in, true);
}
bool op_pcmpistrm(struct cpu *c, const struct insn *in)
{
    return to_mask(c, in, false);
}
