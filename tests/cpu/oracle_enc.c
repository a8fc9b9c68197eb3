/* The list of encodings, made by asking decode() about every opcode of every map in every mode: one
 * entry for each combination of mode, mandatory prefix, W, L, opcode, operation and operand kinds,
 * with the ModRM bytes that lead there.  What decodes as undefined is listed too, by memory and
 * register form: #UD is to be proven as well. */
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"
#include "tests/cpu/oracle.h"

static struct list {
    struct oracle_enc *e;
    unsigned n, cap;
} list; /* a table, filled once */

unsigned oracle_op(const char *name)
{
    for (unsigned i = 0; i < OP_COUNT; i++) {
        if (strcmp(op_name(i), name) == 0) {
            return i;
        }
    }
    return OP_COUNT;
}

/* Prefix, opcode and ModRM of an encoding, operands from r; returns the length so far. */
static unsigned put_probe(const struct oracle_enc *e, unsigned modrm, uint8_t *b)
{
    unsigned n = 0;
    memset(b, 0, 20);
    if (e->map >= MAP_VEX) {
        unsigned pp = e->pfx == 0x66 ? 1 : e->pfx == 0xf3 ? 2 : e->pfx == 0xf2 ? 3 : 0;
        b[n++] = 0xc4;
        b[n++] = (uint8_t)(0xe0 | (e->map - MAP_VEX));
        b[n++] = (uint8_t)(e->w << 7 | 0x78 | e->l << 2 | pp);
    } else {
        if (e->pfx) {
            b[n++] = e->pfx;
        }
        if (e->w) {
            b[n++] = 0x48;
        }
        if (e->map) {
            b[n++] = 0x0f;
        }
        if (e->map >= 2) {
            b[n++] = e->map == 2 ? 0x38 : 0x3a;
        }
    }
    b[n++] = e->opcode;
    b[n++] = (uint8_t)modrm;
    b[n] = 0x10; /* SIB with index 2: gathers want three different registers */
    return n;
}

static bool same_class(const struct oracle_enc *e, const struct insn *in, bool modrm, bool mem)
{
    bool same = e->op == in->op && e->modrm == modrm && e->mem == mem;
    for (unsigned i = 0; i < 4 && in->op != OP_ud; i++) {
        same = same && e->kind[i] == in->o[i].kind;
    }
    return same && (in->op == OP_ud ||
                    (e->size[0] == in->o[0].size && e->size[1] == in->o[1].size));
}

static void add(const struct oracle_enc *base, const struct insn *in, bool modrm, unsigned byte,
                unsigned first)
{
    bool mem = modrm && byte < 0xc0;
    struct oracle_enc *e = NULL;
    for (unsigned i = first; i < list.n && e == NULL; i++) {
        e = same_class(&list.e[i], in, modrm, mem) ? &list.e[i] : NULL;
    }
    if (e == NULL) {
        if (list.n == list.cap) {
            list.cap = list.cap ? 2 * list.cap : 4096;
            list.e = realloc(list.e, list.cap * sizeof *list.e);
            if (list.e == NULL) {
                abort();
            }
        }
        e = &list.e[list.n++];
        *e = *base;
        e->op = in->op;
        e->modrm = modrm;
        e->mem = mem;
        for (unsigned i = 0; i < 4; i++) {
            e->kind[i] = in->o[i].kind;
        }
        e->size[0] = in->o[0].size;
        e->size[1] = in->o[1].size;
    }
    e->modrms[byte >> 5] |= 1u << (byte & 31);
}

static void opcode(struct oracle_enc *e, const struct cpu_features *feat)
{
    unsigned first = list.n, seen = 0;
    for (unsigned m = 0; m < 256; m++) {
        uint8_t b[20];
        struct insn in;
        unsigned n = put_probe(e, m, b);
        if (decode(b, 15, e->mode, feat, &in) != DECODE_OK) {
            continue;
        }
        /* undefined ones do not say whether there is a ModRM byte: take one for granted */
        bool modrm = in.op == OP_ud ? true : (in.flags & INSN_MODRM) != 0;
        if (in.op != OP_ud && in.len < n - !modrm) {
            return; /* a prefix that is none here */
        }
        add(e, &in, modrm, m, first);
        if (!modrm && ++seen == 1) {
            for (unsigned i = m; i < 256; i++) {
                add(e, &in, false, i, first);
            }
            return;
        }
    }
}

static bool is_prefix(unsigned mode, unsigned b)
{
    static const uint8_t prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                     0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x0f};
    return memchr(prefix, (int)b, sizeof prefix) != NULL ||
           (mode == DECODE_64 && (b & 0xf0) == 0x40);
}

static void one_map(struct oracle_enc *e, const struct cpu_features *feat)
{
    for (unsigned op = 0; op < 256; op++) {
        bool string = (op >= 0xa4 && op <= 0xaf && (op & 0xfe) != 0xa8) || (op & 0xfc) == 0x6c;
        e->opcode = (uint8_t)op;
        if (e->map == 0 && (is_prefix(e->mode, op) || op == 0xc4 || op == 0xc5 || op == 0x62)) {
            /* prefixes; VEX and EVEX, but LDS, LES and BOUND are tried with memory below */
            if (is_prefix(e->mode, op) || e->mode == DECODE_64) {
                continue;
            }
        }
        if (e->map == 0 && (e->pfx & 0xf0) == 0xf0 && !string && op != 0x90) {
            continue; /* repetition where it means nothing: the generator throws it in */
        }
        opcode(e, feat);
    }
}

unsigned oracle_encodings(const struct cpu_features *feat, const struct oracle_enc **out)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    struct oracle_enc e = {0};
    bool have = list.n != 0;
    for (unsigned v = 0; v < 3 * 4 && !have; v++) {
        e.mode = (uint8_t)(v / 4);
        e.pfx = prefixes[v % 4];
        for (unsigned map = 0; map < 4; map++) {
            e.map = (uint8_t)map;
            e.l = 0;
            for (unsigned w = 0; w <= (e.mode == DECODE_64); w++) {
                e.w = (uint8_t)w;
                one_map(&e, feat);
            }
        }
        for (unsigned wl = 0; wl < 4 * 3; wl++) {
            e.map = (uint8_t)(MAP_VEX + 1 + wl / 4);
            e.w = wl & 1;
            e.l = wl >> 1 & 1;
            one_map(&e, feat);
        }
    }
    *out = list.e;
    return list.n;
}
