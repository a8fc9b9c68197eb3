/* Random instances of every encoding in the opcode maps, for the host oracle (oracle.h).
 *
 * An encoding is prefix, map, opcode and, where it selects the operation, ModRM.reg (x87: the whole
 * ModRM).  A case fills the rest: operands, registers, memory, FPU and SSE state, all from one
 * seed. Memory operands are steered into the data pages by changing a register or the displacement.
 *
 * Left out, because a host process cannot show them or they depend on the host: see `left_out`. */
#include <string.h>

#include "base/bits.h"
#include "cpu/cpuid.h"
#include "cpu/state.h"
#include "tests/cpu/oracle.h"

static const struct {
    uint16_t op;
    const char *why;
} left_out[] = {
#define WHY(name, why) {OP_##name, why},
    WHY(ud, "not an operation") WHY(int, "the kernel's IDT") WHY(int3, "the kernel's IDT") WHY(
        int1, "the kernel's IDT") WHY(into, "the kernel's IDT") WHY(sysenter, "enters the kernel")
        WHY(syscall, "enters the kernel") WHY(sysret, "the kernel's MSRs")
            WHY(sysexit, "the kernel's MSRs") WHY(iret, "needs descriptors") WHY(
                ret_far, "needs descriptors") WHY(call_far, "needs descriptors")
                WHY(jmp_far, "needs descriptors") WHY(mov_seg, "needs descriptors") WHY(
                    pop_seg, "needs descriptors") WHY(lseg, "needs descriptors")
                    WHY(lar, "needs descriptors") WHY(lsl, "needs descriptors") WHY(
                        verr, "needs descriptors") WHY(verw, "needs descriptors") WHY(sldt, "UMIP")
                        WHY(str, "UMIP") WHY(sgdt, "UMIP") WHY(sidt, "UMIP") WHY(smsw, "UMIP") WHY(
                            rdtsc, "varies") WHY(rdtscp, "varies") WHY(rdpmc, "the kernel's CR4")
                            WHY(cpuid, "the host's") WHY(in, "TSS bitmap") WHY(out, "TSS bitmap")
                                WHY(ins, "TSS bitmap") WHY(outs, "TSS bitmap")
                                    WHY(monitor, "host feature") WHY(mwait, "host feature")
                                        WHY(xgetbv, "host feature") WHY(xsetbv, "host feature")
                                            WHY(swapgs, "64-bit mode") WHY(mov_tr, "386 and 486")
                                                WHY(rsm, "SMM")
#undef WHY
};

static bool is_left_out(unsigned op)
{
    for (unsigned i = 0; i < ARRAY_LEN(left_out); i++) {
        if (left_out[i].op == op) {
            return true;
        }
    }
    return false;
}

static uint64_t rnd(uint64_t *s)
{
    *s += 0x9e3779b97f4a7c15;
    uint64_t z = *s;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
static unsigned below(uint64_t *s, unsigned n)
{
    return (unsigned)(rnd(s) % n);
}

/* ---- encodings ---- */

struct encoding {
    uint8_t prefix, map, opcode;
    int16_t modrm; /* -1: any; 0..7: this reg, rm and mod free; 0x100 | m: exactly m */
};
enum { MAX_ENCODINGS = 8192 };
struct encodings {
    unsigned n;
    struct encoding e[MAX_ENCODINGS];
};

static bool selects_by_reg(unsigned map, unsigned op)
{
    static const uint8_t one[] = {0x80, 0x81, 0x82, 0x83, 0x8f, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0,
                                  0xd1, 0xd2, 0xd3, 0xf6, 0xf7, 0xfe, 0xff};
    static const uint8_t two[] = {0x00, 0x01, 0x18, 0x71, 0x72, 0x73, 0xae, 0xba, 0xc7};
    const uint8_t *t = map ? two : one;
    return memchr(t, (int)op, map ? sizeof two : sizeof one) != NULL;
}

/* What the host, an AMD processor with later extensions, takes for something else. */
static bool host_differs(const struct encoding *e, const struct insn *in, const uint8_t *code)
{
    switch (in->op) {
    case OP_bsf: case OP_bsr: return e->prefix == 0xf3; /* TZCNT, LZCNT */
    case OP_prefetch: return e->opcode == 0x0d && (e->prefix || in->modrm >= 0xc0); /* #UD */
    case OP_shld: case OP_shrd: /* 16 and more: result or OF undefined */
        return in->osize == 2 && in->o[2].kind == OPND_IMM && (in->imm & 31) > 15;
    case OP_ud: /* LOCK MOV CR0: CR8 */
        return e->map && (e->opcode & 0xfd) == 0x20 && memchr(code, 0xf0, 2) != NULL;
    default: return false;
    }
}

static bool decodes(const struct encoding *e, unsigned modrm)
{
    uint8_t b[20] = {0};
    unsigned n = 0;
    struct insn in;
    if (e->prefix) {
        b[n++] = e->prefix;
    }
    if (e->map) {
        b[n++] = 0x0f;
    }
    b[n++] = e->opcode;
    b[n++] = (uint8_t)modrm;
    return decode(b, 15, DECODE_32, &cpuid_model(NULL)->feat, &in) == DECODE_OK && in.op != OP_ud &&
           !is_left_out(in.op) &&
           in.len >= n - (in.flags & INSN_MODRM ? 0 : 1);
}

static void add_encoding(struct encodings *t, struct encoding e)
{
    bool any = false;
    for (unsigned rm = 0; rm < 256 && !any; rm++) {
        unsigned m = e.modrm < 0 ? rm : e.modrm >= 0x100 ? e.modrm & 0xff
                                       : (rm & 0xc7u) | (unsigned)e.modrm << 3;
        any = decodes(&e, m);
    }
    if (any && t->n < MAX_ENCODINGS) {
        t->e[t->n++] = e;
    }
}

static const struct encodings *encodings(void)
{
    static struct encodings t; /* a table, filled once */
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    if (t.n != 0) {
        return &t;
    }
    for (unsigned v = 0; v < 4 * 512; v++) {
        struct encoding e = {prefixes[v >> 9], (uint8_t)(v >> 8 & 1), (uint8_t)v, -1};
        bool string = !e.map && e.opcode >= 0xa4 && e.opcode <= 0xaf && (e.opcode & 0xfe) != 0xa8;
        static const uint8_t is_prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0,
                                            0xf2, 0xf3, 0x0f};
        if (!e.map && memchr(is_prefix, e.opcode, sizeof is_prefix) != NULL) {
            continue;
        }
        if ((e.prefix & 0xf0) == 0xf0 && !e.map && !string && e.opcode != 0x90) {
            continue;
        }
        if (!e.map && e.opcode >= 0xd8 && e.opcode <= 0xdf) {
            if (e.prefix) {
                continue;
            }
            for (int m = 0; m < 72; m++) {
                e.modrm = (int16_t)(m < 8 ? 0x100 | m << 3 | 5 : 0x100 | (0xc0 + m - 8));
                add_encoding(&t, e);
            }
        } else if (selects_by_reg(e.map, e.opcode)) {
            for (e.modrm = 0; e.modrm < 8; e.modrm++) {
                add_encoding(&t, e);
            }
        } else {
            add_encoding(&t, e);
        }
    }
    return &t;
}

unsigned oracle_gen_count(void)
{
    return encodings()->n;
}

/* ---- values ---- */

static uint32_t value32(uint64_t *s)
{
    static const uint32_t nice[] = {0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 0x7f, 0x80, 0xff, 0x100,
                                    0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
                                    0x80000001, 0xfffffffe, 0xffffffff, 0xffff8000, 0xffffff80};
    switch (below(s, 4)) {
    case 0: return nice[below(s, ARRAY_LEN(nice))];
    case 1: return (uint32_t)rnd(s) >> below(s, 32);
    default: return (uint32_t)rnd(s);
    }
}

static uint32_t float32(uint64_t *s)
{
    static const uint32_t nice[] = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
                                    0x7fc00000, 0x7f800001, 0xffc12345, 1, 0x807fffff, 0x00800000,
                                    0x7f7fffff, 0x4f000000, 0xcf000000, 0x4effffff, 0x3f000000,
                                    0x3fc00000, 0x40200000, 0x5f000000, 0xdf000000, 0x47000000};
    switch (below(s, 4)) {
    case 0: return nice[below(s, ARRAY_LEN(nice))];
    case 1: return (uint32_t)rnd(s);
    case 2: return (uint32_t)(rnd(s) & 0x807fff00) | (uint32_t)(112 + below(s, 32)) << 23;
    default: return (uint32_t)(rnd(s) & 0x807fffff) | (uint32_t)(107 + below(s, 40)) << 23;
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
        0x380fffffffffffff, 0x3690000000000000};
    switch (below(s, 4)) {
    case 0: return nice[below(s, ARRAY_LEN(nice))];
    case 1: return rnd(s);
    case 2: return (rnd(s) & 0x800ffffff0000000) | (uint64_t)(1008 + below(s, 40)) << 52;
    default: return (rnd(s) & 0x800fffffffffffff) | (uint64_t)(1000 + below(s, 80)) << 52;
    }
}

static void float80(uint64_t *s, uint8_t out[10])
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

/* FXSAVE layout: SDM Vol. 1, "FXSAVE Area". */
static void random_fx(uint64_t *s, uint8_t fx[512], bool x87, bool sse)
{
    unsigned fcw = 0x37f, fsw = 0, mxcsr = 0x1f80;
    memset(fx, 0, 512);
    fx[4] = 0xff;
    if (x87) {
        static const uint8_t precision[] = {3, 3, 3, 2, 0};
        fcw = 0x40 | below(s, 4) << 10 | (unsigned)precision[below(s, 5)] << 8 | 0x3f;
        if (below(s, 8) == 0) {
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
        if (below(s, 4) == 0) {
            fx[4] = (uint8_t)rnd(s);
        }
    }
    if (sse) {
        mxcsr = 0x1f80 | below(s, 4) << 13 | (below(s, 4) ? 0 : below(s, 64));
        if (below(s, 5) == 0) {
            mxcsr |= below(s, 2) << 15 | below(s, 2) << 6;
        }
        if (below(s, 8) == 0) {
            mxcsr &= ~(below(s, 64) << 7);
        }
    }
    store_le16(fx, (uint16_t)fcw);
    store_le16(fx + 2, (uint16_t)fsw);
    store_le32(fx + 24, mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        float80(s, fx + 32 + 16 * i);
        uint8_t *x = fx + 160 + 16 * i;
        unsigned kind = below(s, 3);
        for (unsigned k = 0; k < 4; k++) {
            store_le32(x + 4 * k, kind == 0 ? float32(s) : value32(s));
        }
        if (kind == 1) {
            store_le64(x, float64(s));
            store_le64(x + 8, float64(s));
        }
    }
}

/* ---- cases ---- */

static void add_poke(struct oracle_case *c, uint32_t at, const void *bytes, unsigned len)
{
    if (c->pokes < ARRAY_LEN(c->poke) && at >= ORACLE_DATA && len <= 32 &&
        at + len <= ORACLE_DATA + ORACLE_DATA_SIZE) {
        c->poke[c->pokes].at = at;
        c->poke[c->pokes].len = (uint8_t)len;
        memcpy(c->poke[c->pokes].bytes, bytes, len);
        c->pokes++;
    }
}

static void poke_operand(uint64_t *s, struct oracle_case *c, uint32_t at, unsigned size)
{
    uint8_t v[32];
    unsigned kind = below(s, 3);
    if (kind == 0 && c->in.op != OP_ldmxcsr && c->in.op != OP_fxrstor) {
        return; /* whatever lies there */
    }
    for (unsigned i = 0; i < 32; i += 4) {
        store_le32(v + i, kind == 1 ? value32(s) : float32(s));
    }
    if (kind == 2 && size >= 8 && below(s, 3)) {
        store_le64(v, float64(s));
        store_le64(v + 8, float64(s));
    }
    if (size == 10) {
        float80(s, v);
        if (c->in.op == OP_fbld) { /* mostly valid digits */
            for (unsigned i = 0; i < 9; i++) {
                v[i] = (uint8_t)(below(s, 10) << 4 | below(s, 10));
            }
            v[9] = (uint8_t)(below(s, 2) << 7);
        }
    }
    switch (c->in.op) {
    case OP_ldmxcsr:
        store_le32(v, value32(s) & (below(s, 8) ? 0xffff : ~0x20000u) /* AMD: MM */);
        break;
    case OP_fxrstor:
        memset(v, 0, 32);
        store_le16(v, 0x37f);
        v[4] = (uint8_t)rnd(s);
        store_le32(v + 24, 0x1f80 | (below(s, 8) ? 0 : value32(s) & ~0x20000u));
        size = 32;
        break;
    default: break;
    }
    add_poke(c, at, v, size == 0 ? 16 : size);
}

static uint32_t address_of(const struct oracle_case *c)
{
    uint32_t a = (uint32_t)c->in.disp;
    if (c->in.base < 8) {
        a += c->regs.gpr[c->in.base];
    }
    if (c->in.index < 8) {
        a += c->regs.gpr[c->in.index] << c->in.scale;
    }
    return a;
}

/* Make the memory operand point at `target` by way of a register or the displacement. */
static bool steer(struct oracle_case *c, unsigned opcode_end, uint32_t target)
{
    struct insn *in = &c->in;
    uint32_t *g = c->regs.gpr;
    if (in->base < 8 && in->base == in->index) {
        g[in->base] = (target - (uint32_t)in->disp) / (1 + (1u << in->scale));
    } else if (in->base < 8) {
        g[in->base] += target - address_of(c);
    } else if (in->index < 8) {
        g[in->index] = (target - (uint32_t)in->disp) >> in->scale;
    } else {
        unsigned at = opcode_end;
        if (in->flags & INSN_MODRM) {
            at += (in->modrm & 7) == 4 ? 2 : 1;
        }
        store_le32(c->code + at, target);
        if (decode(c->code, 15, DECODE_32, &cpuid_model(NULL)->feat, in) != DECODE_OK) {
            return false;
        }
    }
    uint32_t a = address_of(c);
    return a >= ORACLE_DATA + 0x40 && a <= ORACLE_DATA + ORACLE_DATA_SIZE - 0x280;
}

static bool has_memory(const struct insn *in)
{
    for (unsigned i = 0; i < 3; i++) {
        if (in->o[i].kind == OPND_MEM) {
            return true;
        }
    }
    return false;
}

static bool set_branch(struct oracle_case *c, const struct encoding *e, uint64_t *s)
{
    struct insn *in = &c->in;
    if (in->osize != 4) {
        return false;
    }
    if (in->o[0].kind == OPND_REL) {
        uint32_t rel = ORACLE_TAKEN - (ORACLE_INSN + in->len);
        bool byte = e->map == 0 && e->opcode != 0xe8 && e->opcode != 0xe9;
        if (byte) {
            c->code[in->len - 1] = (uint8_t)rel;
        } else {
            store_le32(c->code + in->len - 4, rel);
        }
        if (in->op == OP_loop || in->op == OP_loope || in->op == OP_loopne || in->op == OP_jcxz) {
            c->regs.gpr[REG_CX] = below(s, 3);
        }
        return true;
    }
    if (in->op == OP_ret) {
        uint8_t v[4];
        store_le32(v, ORACLE_TAKEN);
        add_poke(c, c->regs.gpr[REG_SP], v, 4);
        return true;
    }
    if (in->o[0].kind == OPND_GPR) {
        if (in->o[0].reg == REG_SP) {
            return false;
        }
        c->regs.gpr[in->o[0].reg] = ORACLE_TAKEN;
    }
    return true;
}

static bool is_x87(unsigned op)
{
    return op >= OP_fadd && op <= OP_fwait;
}

bool oracle_gen_case(unsigned index, uint64_t number, struct oracle_case *c)
{
    const struct encoding *e = &encodings()->e[index];
    uint64_t seed = number * 0x100000001b3 + index, *s = &seed;
    const struct cpu_features *feat = &cpuid_model(NULL)->feat;
    struct insn *in = &c->in;
    unsigned n = 0;
    uint32_t *g = c->regs.gpr;

    memset(c, 0, sizeof *c);
    if (below(s, 24) == 0) {
        static const uint8_t segs[] = {0x26, 0x2e, 0x36, 0x3e};
        c->code[n++] = segs[below(s, 4)];
    }
    if (below(s, 24) == 0) {
        c->code[n++] = 0xf0;
    }
    if (e->prefix) {
        c->code[n++] = e->prefix;
    }
    if (e->map) {
        c->code[n++] = 0x0f;
    }
    c->code[n++] = e->opcode;
    unsigned opcode_end = n;
    for (; n < 15; n++) {
        c->code[n] = (uint8_t)rnd(s);
    }
    uint8_t *m = &c->code[opcode_end];
    if (e->modrm >= 0x100) {
        *m = (uint8_t)e->modrm;
        if (*m < 0xc0) {
            *m = (uint8_t)((*m & 0x38) | (rnd(s) & 0x87) | (below(s, 2) ? 0x40 : 0));
            *m = *m >= 0xc0 ? *m & 0x7f : *m;
        }
    } else if (e->modrm >= 0) {
        *m = (uint8_t)((*m & 0xc7) | e->modrm << 3);
    }
    if (below(s, 3) == 0 && e->modrm < 0x100) {
        *m |= 0xc0; /* more registers */
    }
    if (decode(c->code, 15, DECODE_32, feat, in) != DECODE_OK || is_left_out(in->op)) {
        /* a LOCK where it is not legal raises #UD: worth a try, others are not */
        bool lock = memchr(c->code, 0xf0, opcode_end) != NULL;
        struct encoding probe = *e;
        if (in->op != OP_ud || !lock || !decodes(&probe, *m)) {
            return false;
        }
    }
    /* immediates that matter */
    if (in->op != OP_ud && in->len > opcode_end && in->o[0].kind != OPND_REL && below(s, 3) == 0) {
        unsigned op = in->op;
        c->code[in->len - 1] = (uint8_t)value32(s);
        if (decode(c->code, 15, DECODE_32, feat, in) != DECODE_OK || in->op != op) {
            return false;
        }
    }

    if (host_differs(e, in, c->code)) {
        return false;
    }
    for (unsigned r = 0; r < 8; r++) {
        g[r] = value32(s);
    }
    g[REG_SP] = ORACLE_DATA + 0x1000 + 4 * below(s, 64) + (below(s, 8) ? 0 : below(s, 4));
    c->regs.eflags = 0x202 | (uint32_t)(rnd(s) & (FL_STATUS | FL_DF));
    bool vector = in->op >= OP_fxsave;
    random_fx(s, c->regs.fx, is_x87(in->op) || in->op == OP_emms || below(s, 16) == 0,
              vector || below(s, 16) == 0);
    if (vector && below(s, 4)) { /* most MMX and SSE without a waiting #MF */
        store_le16(c->regs.fx + 2, load_le16(c->regs.fx + 2) & 0x7f00);
    }

    switch (in->op) {
    case OP_div: case OP_idiv: /* quotients that fit, often */
        if (below(s, 3)) {
            unsigned size = in->o[0].size;
            if (size == 1) {
                g[REG_AX] = (uint32_t)(int16_t)(rnd(s) >> below(s, 16));
            } else {
                bool neg = in->op == OP_idiv && (size == 2 ? g[REG_AX] & 0x8000 : g[REG_AX] >> 31);
                g[REG_DX] = neg ? 0xffffffff : below(s, 3);
            }
        }
        break;
    case OP_movs: case OP_cmps: case OP_stos: case OP_lods: case OP_scas:
        g[REG_SI] = ORACLE_DATA + 0x800 + below(s, 0x400);
        g[REG_DI] = ORACLE_DATA + 0x900 + below(s, 0x400);
        g[REG_CX] = in->flags & (INSN_REP | INSN_REPNE) ? below(s, 9) : g[REG_CX];
        if (below(s, 2)) { /* equal strings */
            uint8_t v[32];
            memset(v, (int)rnd(s), sizeof v);
            add_poke(c, g[REG_SI] - 8, v, 24);
            add_poke(c, g[REG_DI] - 8, v, 24);
            memset(&g[REG_AX], v[0], 4);
        }
        break;
    case OP_xlat: g[REG_BX] = ORACLE_DATA + below(s, 0x1000); break;
    case OP_enter: /* a wide frame would reach unmapped pages */
        c->code[in->len - 2] &= 1;
        if (decode(c->code, 15, DECODE_32, feat, in) != DECODE_OK) {
            return false;
        }
        g[REG_BP] = ORACLE_DATA + 0x1800 + 4 * below(s, 64);
        break;
    case OP_leave: g[REG_BP] = ORACLE_DATA + 0x1800 + 4 * below(s, 64); break;
    case OP_maskmovq: case OP_maskmovdqu: g[REG_DI] = ORACLE_DATA + below(s, 0x1800); break;
    case OP_popf: {
        uint8_t v[4];
        store_le32(v, value32(s) & (FL_STATUS | FL_DF | FL_IF | FL_IOPL | FL_ID));
        add_poke(c, g[REG_SP], v, 4);
        break;
    }
    case OP_jmp: case OP_jcc: case OP_call: case OP_ret: case OP_loop: case OP_loope:
    case OP_loopne: case OP_jcxz:
        if (!set_branch(c, e, s) || decode(c->code, 15, DECODE_32, feat, in) != DECODE_OK) {
            return false;
        }
        break;
    case OP_bt: case OP_bts: case OP_btr: case OP_btc:
        if (in->o[0].kind == OPND_MEM && in->o[1].kind == OPND_GPR) {
            if (in->o[1].reg == in->base || in->o[1].reg == in->index) {
                return false;
            }
            g[in->o[1].reg] = below(s, 400);
            if (below(s, 2)) {
                g[in->o[1].reg] = -g[in->o[1].reg];
            }
        }
        break;
    default: break;
    }
    bool addressed = has_memory(in) && in->op != OP_xlat &&
                     !(in->op >= OP_movs && in->op <= OP_scas) && in->op != OP_maskmovq &&
                     in->op != OP_maskmovdqu;
    if (addressed && in->op != OP_lea && in->op != OP_nop && in->op != OP_prefetch) {
        bool aligned = has_memory(in) && (in->o[0].size == 16 || in->o[1].size == 16 ||
                                          in->o[0].size == 0 || in->op == OP_fxrstor);
        uint32_t target = ORACLE_DATA + 0x100 + below(s, 0x1c00);
        if (aligned && below(s, 8)) {
            target &= ~15u;
        }
        if (below(s, 2)) {
            target &= ~3u;
        }
        if (!steer(c, opcode_end, target)) {
            return false;
        }
        if (in->op == OP_jmp || in->op == OP_call) {
            uint8_t v[4];
            store_le32(v, ORACLE_TAKEN);
            add_poke(c, address_of(c), v, 4);
        } else {
            unsigned size = in->o[0].kind == OPND_MEM ? in->o[0].size : in->o[1].size;
            poke_operand(s, c, address_of(c), size);
        }
        if ((in->op == OP_push || in->op == OP_pop || in->op == OP_call || in->op == OP_ret) &&
            !(g[REG_SP] >= ORACLE_DATA + 0x40 &&
              g[REG_SP] <= ORACLE_DATA + ORACLE_DATA_SIZE - 0x40)) {
            return false;
        }
    }
    if ((in->op == OP_shld || in->op == OP_shrd) && in->osize == 2 && in->o[2].kind == OPND_GPR &&
        (g[REG_CX] & 31) > 15) {
        return false; /* the result is undefined */
    }
    c->len = in->len;
    return true;
}

/* ---- sequences ---- */

/* Operations whose flags are all defined (AF of shifts apart) and that neither branch away nor
 * touch what the sequence stands on. */
static bool may_stand_in_sequence(const struct insn *in)
{
    static const uint16_t ops[] = {
        OP_add, OP_or,     OP_adc,   OP_sbb,  OP_and,   OP_sub,     OP_xor,   OP_cmp,   OP_test,
        OP_inc, OP_dec,    OP_neg,   OP_not,  OP_xadd,  OP_cmpxchg, OP_rol,   OP_ror,   OP_rcl,
        OP_rcr, OP_shl,    OP_shr,   OP_sar,  OP_shld,  OP_shrd,    OP_mul,   OP_imul1, OP_imul,
        OP_bt,  OP_bts,    OP_btr,   OP_btc,  OP_bswap, OP_mov,     OP_movzx, OP_movsx, OP_xchg,
        OP_lea, OP_cmovcc, OP_setcc, OP_cbw,  OP_cwd,   OP_sahf,    OP_clc,   OP_stc,   OP_cmc,
        OP_cld, OP_std,    OP_nop,   OP_salc, OP_push,  OP_pop,     OP_jcc};
    bool found = false;
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        found |= ops[i] == in->op;
    }
    for (unsigned i = 0; i < 3; i++) {
        const struct opnd *o = &in->o[i];
        bool fixed = o->kind == OPND_GPR && (o->reg == REG_SP || o->reg == REG_BP) && o->size != 1;
        if (fixed ||
            (o->kind == OPND_MEM && o->size == 0 && in->op != OP_lea && in->op != OP_nop)) {
            return false;
        }
    }
    if ((in->op == OP_shld || in->op == OP_shrd || in->op == OP_bswap || in->op == OP_jcc) &&
        in->osize == 2) {
        return false;
    }
    /* a bit string reaches anywhere */
    bool bit_string = in->op >= OP_bt && in->op <= OP_btc && in->o[0].kind == OPND_MEM &&
                      in->o[1].kind == OPND_GPR;
    return found && !bit_string;
}

static unsigned sequence_insn(uint64_t *s, uint8_t *at, unsigned offset, struct insn *in)
{
    const struct encodings *t = encodings();
    const struct encoding *e = &t->e[below(s, t->n)];
    unsigned n = 0;
    if (e->prefix) {
        at[n++] = e->prefix;
    }
    if (e->map) {
        at[n++] = 0x0f;
    }
    at[n++] = e->opcode;
    unsigned modrm = below(s, 256), rest = n + 1;
    if (e->modrm >= 0x100) {
        return 0;
    }
    if (e->modrm >= 0) {
        modrm = (modrm & 0xc7) | (unsigned)e->modrm << 3;
    }
    uint32_t disp = below(s, 0x60);
    switch (below(s, 5)) {
    case 0: modrm = (modrm & 0x38) | 0x05; break;                  /* [disp32] */
    case 1: modrm = (modrm & 0x38) | 0x45; break;                  /* [ebp+disp8] */
    case 2: modrm = (modrm & 0x38) | 0x85; break;                  /* [ebp+disp32] */
    default: modrm |= 0xc0; break;
    }
    at[n++] = (uint8_t)modrm;
    for (; n < 15; n++) {
        at[n] = (uint8_t)rnd(s);
    }
    if (below(s, 2)) { /* small immediates */
        store_le32(at + rest +
                       (modrm >= 0xc0                   ? 0
                        : modrm >= 0x80 || modrm < 0x40 ? 4
                                                        : 1),
                   value32(s));
    }
    if (modrm < 0x40) {
        store_le32(at + rest, ORACLE_DATA + 0x800 + disp);
    } else if (modrm < 0x80) {
        at[rest] = (uint8_t)disp;
    } else if (modrm < 0xc0) {
        store_le32(at + rest, disp);
    }
    const struct cpu_features *feat = &cpuid_model(NULL)->feat;
    if (decode(at, 15, DECODE_32, feat, in) != DECODE_OK || !may_stand_in_sequence(in) ||
        host_differs(e, in, at)) {
        return 0;
    }
    if (in->op == OP_mov && !(in->flags & INSN_MODRM) && in->o[0].kind != OPND_GPR &&
        in->o[0].kind != OPND_GPR8H) {
        return 0; /* moffs */
    }
    if (in->op == OP_mov && !(in->flags & INSN_MODRM) && in->o[1].kind == OPND_MEM) {
        return 0;
    }
    if (in->op == OP_jcc) {
        uint32_t rel = ORACLE_TAKEN - (ORACLE_INSN + offset + in->len);
        if (e->map) {
            store_le32(at + in->len - 4, rel);
        } else {
            at[in->len - 1] = (uint8_t)rel;
        }
    }
    return in->len;
}

void oracle_gen_seq(uint64_t number, struct oracle_seq *q)
{
    uint64_t seed = number * 0x9e3779b97f4a7c15 + 77, *s = &seed;
    unsigned want = 2 + below(s, 8);
    memset(q, 0, sizeof *q);
    while (q->count < want && q->len < ORACLE_SEQ_MAX - 16) {
        struct insn in;
        unsigned len = sequence_insn(s, q->code + q->len, q->len, &in);
        if (len != 0) {
            q->af_unknown |= in.op >= OP_shl && in.op <= OP_shrd;
            q->len += len;
            q->count++;
        }
    }
    for (unsigned r = 0; r < 8; r++) {
        q->regs.gpr[r] = value32(s);
    }
    q->regs.gpr[REG_SP] = ORACLE_DATA + 0x1000 + 4 * below(s, 64);
    q->regs.gpr[REG_BP] = ORACLE_DATA + 0x800;
    q->regs.eflags = 0x202 | (uint32_t)(rnd(s) & (FL_STATUS | FL_DF));
    random_fx(s, q->regs.fx, false, false);
}
