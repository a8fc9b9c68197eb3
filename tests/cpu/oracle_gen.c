/* Random instances of one encoding (oracle_enc.c): prefixes legal and not, registers, operands
 * steered to the data and its edges, memory, x87 and SIMD state, all from one seed.
 *
 * What cannot be compared with a host process, and why, is `left_out`. */
#include <string.h>

#include "cpu/core.h"
#include "tests/cpu/oracle.h"
#include "tests/cpu/oracle_steer.h"

#define rnd oracle_rnd
#define below oracle_below

static const struct {
    const char *op, *why;
} left_out[] = {
    {"syscall", "enters the kernel"},
    {"int1", "the hypervisor below gives the wrong RIP"},
    {"sgdt", "the kernel emulates it under UMIP"},
    {"sidt", "the kernel emulates it under UMIP"},
    {"sldt", "the kernel emulates it under UMIP"},
    {"str", "the kernel emulates it under UMIP"},
    {"smsw", "the kernel emulates it under UMIP"},
    {"rdtsc", "varies"},
    {"rdtscp", "varies"},
    {"rdpid", "varies"},
    {"rdrand", "varies"},
    {"rdseed", "varies"},
    {"cpuid", "the host's"},
    {"xgetbv", "the host's XCR0"},
};

const char *oracle_left_out(unsigned op)
{
    static uint8_t of[OP_COUNT]; /* index + 1; 255: none */
    if (of[op] == 0) {
        of[op] = 255;
        for (unsigned i = 0; i < ARRAY_LEN(left_out); i++) {
            if (strcmp(op_name(op), left_out[i].op) == 0) {
                of[op] = (uint8_t)(i + 1);
            }
        }
    }
    return of[op] == 255 ? NULL : left_out[of[op] - 1].why;
}

/* ---- what the host has and ours has not ---- */

/* Undefined in ours by lack of the feature; a host with it runs something. */
static const struct {
    uint8_t map, pfx, first, last; /* pfx: 1 any */
    uint16_t regs;                 /* ModRM.reg, a bit each: low byte memory forms, high register */
    const char *what;
} host_more[] = {
    {0, 1, 0x62, 0x62, 0xffff, "EVEX"},
    {1, 1, 0x01, 0x01, 0xff00, "SVM, VMX, MONITORX, RDPRU, CLZERO, PKU"},
    {1, 0xf3, 0x2b, 0x2b, 0x00ff, "MOVNTSS (SSE4a)"},
    {1, 0xf2, 0x2b, 0x2b, 0x00ff, "MOVNTSD (SSE4a)"},
    {1, 0x66, 0x78, 0x79, 0xffff, "EXTRQ (SSE4a)"},
    {1, 0xf2, 0x78, 0x79, 0xffff, "INSERTQ (SSE4a)"},
    {1, 1, 0xc7, 0xc7, 0x0028, "XRSTORS, XSAVES"},
    {2, 0x66, 0xcf, 0xcf, 0xffff, "GFNI"},
    {3, 0x66, 0xce, 0xcf, 0xffff, "GFNI"},
    {6, 0x66, 0xcf, 0xcf, 0xffff, "GFNI"},
    {7, 0x66, 0xce, 0xcf, 0xffff, "GFNI"},
    {6, 0x66, 0xdc, 0xdf, 0xffff, "VAES with 256 bits"},
    {7, 0x66, 0x44, 0x44, 0xffff, "VPCLMULQDQ with 256 bits"},
    {5, 1, 0x41, 0x4b, 0xff00, "mask registers (AVX-512)"},
    {5, 1, 0x90, 0x93, 0xffff, "mask registers (AVX-512)"},
    {5, 1, 0x98, 0x99, 0xff00, "mask registers (AVX-512)"},
    {7, 0x66, 0x30, 0x33, 0xff00, "mask registers (AVX-512)"},
};

static bool host_has_more(const struct oracle_enc *e, const uint8_t *code, unsigned modrm_at)
{
    unsigned reg = (code[modrm_at] >> 3 & 7) + (code[modrm_at] >= 0xc0 ? 8 : 0);
    if (e->map == 1 && e->opcode == 0 && reg == 5) {
        return true; /* LOCK VERW: Zen runs it */
    }
    if (e->map == 7 && e->opcode <= 1 && e->mode != DECODE_64) {
        return true; /* VPERMQ, VPERMPD: Zen ignores VEX.W outside 64-bit mode, the SDM wants 1 */
    }
    for (unsigned i = 0; i < ARRAY_LEN(host_more); i++) {
        if (host_more[i].map == e->map && e->opcode >= host_more[i].first &&
            e->opcode <= host_more[i].last && (host_more[i].regs >> reg & 1) &&
            (host_more[i].pfx == 1 || host_more[i].pfx == e->pfx)) {
            return true;
        }
    }
    return false;
}

/* ---- code ---- */

struct draft {
    struct oracle_case *c;
    const struct oracle_enc *e;
    const struct cpu_features *feat;
    uint64_t *s;
    unsigned modrm_at; /* behind the opcode */
};

static unsigned put_prefixes(struct draft *d, unsigned n)
{
    static const uint8_t segs[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    static const uint8_t any[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0,
                                  0xf2, 0xf3, 0x48, 0x41};
    uint8_t *b = d->c->code;
    uint64_t r = rnd(d->s);
    if ((r & 15) == 0) {
        b[n++] = segs[(r >> 4) % 6];
    }
    if ((r >> 8 & 15) == 0) {
        b[n++] = 0x67;
    }
    if ((r >> 12 & 31) == 0) {
        b[n++] = 0xf0;
    }
    if ((r >> 17 & 63) == 0) { /* too many, or one that changes everything */
        for (unsigned i = (r >> 24 & 7) == 0 ? 10 : 1 + (r >> 24 & 1); i-- > 0;) {
            b[n++] = any[below(d->s, sizeof any)]; /* 14 at most */
        }
    }
    return n;
}

static void put_vex(struct draft *d, unsigned n)
{
    const struct oracle_enc *e = d->e;
    uint8_t *b = d->c->code;
    uint64_t r = rnd(d->s);
    unsigned pp = e->pfx == 0x66 ? 1 : e->pfx == 0xf3 ? 2 : e->pfx == 0xf2 ? 3 : 0;
    unsigned vvvv = 15;
    if ((r & 3) != 0) { /* operands that need 1111 are undefined with others */
        uint8_t probe[20] = {0xc4, (uint8_t)(0xe0 | (e->map - MAP_VEX)),
                             (uint8_t)(e->w << 7 | e->l << 2 | pp), e->opcode};
        struct insn in;
        for (unsigned m = 0; m < 256; m++) {
            if (e->modrms[m >> 5] >> (m & 31) & 1) {
                probe[4] = (uint8_t)m;
                break;
            }
        }
        bool good = decode(probe, 15, e->mode, d->feat, &in) == DECODE_OK && in.op != OP_ud;
        vvvv = good || e->op == OP_ud || (r >> 2 & 31) == 0 ? r >> 8 & 15 : 15;
    }
    if (e->mode != DECODE_64) {
        vvvv |= 8;
    }
    if (e->map == MAP_VEX + 1 && e->w == 0 && (r >> 12 & 1)) {
        b[n++] = 0xc5;
        b[n++] = (uint8_t)((e->mode != DECODE_64 ? 0x80 : r >> 16 & 0x80) | vvvv << 3 | e->l << 2 |
                           pp);
    } else {
        b[n++] = 0xc4;
        b[n++] = (uint8_t)((e->mode != DECODE_64 ? 0xe0 : r >> 16 & 0xe0) | (e->map - MAP_VEX));
        b[n++] = (uint8_t)(e->w << 7 | vvvv << 3 | e->l << 2 | pp);
    }
    b[n++] = e->opcode;
    d->modrm_at = n;
}

static void put_legacy(struct draft *d, unsigned n)
{
    const struct oracle_enc *e = d->e;
    uint8_t *b = d->c->code;
    uint64_t r = rnd(d->s);
    if (e->pfx) {
        b[n++] = e->pfx;
    }
    if (e->mode == DECODE_64 && (e->w || (r & 1))) {
        b[n++] = (uint8_t)(0x40 | e->w << 3 | (r >> 1 & 7));
    }
    if (e->map) {
        b[n++] = 0x0f;
    }
    if (e->map >= 2) {
        b[n++] = e->map == 2 ? 0x38 : 0x3a;
    }
    b[n++] = e->opcode;
    d->modrm_at = n;
}

static bool put_code(struct draft *d)
{
    const struct oracle_enc *e = d->e;
    struct oracle_case *c = d->c;
    unsigned n = put_prefixes(d, 0), m;
    if (e->map >= MAP_VEX) {
        put_vex(d, n);
    } else {
        put_legacy(d, n);
    }
    n = d->modrm_at;
    if (n >= 15) {
        n = 15;
    }
    for (unsigned i = n; i < 16; i++) {
        c->code[i] = (uint8_t)rnd(d->s);
    }
    if (d->modrm_at < 15) {
        do {
            m = (uint8_t)rnd(d->s);
        } while (!(e->modrms[m >> 5] >> (m & 31) & 1));
        if (e->modrm) {
            c->code[d->modrm_at] = (uint8_t)m;
            if (m < 0x40 && (m & 7) != 5 && below(d->s, 2) &&
                (e->modrms[(m | 0x80) >> 5] >> (m & 31) & 1)) {
                c->code[d->modrm_at] |= 0x80; /* more displacements, fewer wild ones */
            }
        }
    }
    return true;
}

static bool redecode(struct draft *d)
{
    unsigned op = d->c->in.op;
    return decode(d->c->code, 15, d->e->mode, d->feat, &d->c->in) == DECODE_OK &&
           d->c->in.op == op;
}

/* ---- operands ---- */

void oracle_poke(struct oracle_case *c, uint64_t lin, const void *bytes, unsigned len)
{
    uint64_t off = lin - ORACLE_DATA;
    if (off >= ORACLE_DATA_SIZE) {
        off = lin - ORACLE_HIGH;
    }
    if (c->pokes < ARRAY_LEN(c->poke) && len <= 64 && off < ORACLE_DATA_SIZE &&
        off + len <= ORACLE_DATA_SIZE) {
        c->poke[c->pokes].off = (uint16_t)off;
        c->poke[c->pokes].len = (uint8_t)len;
        memcpy(c->poke[c->pokes].bytes, bytes, len);
        c->pokes++;
    }
}

static unsigned random_selector(uint64_t *s)
{
    static const uint8_t sel[] = {0, 1, 3, 0x10, 0x18, 0x08, 0x20, 0x22, 0x23, 0x2b, 0x28, 0x33,
                                  LDT_CODE16, LDT_CODE32, LDT_DATA16, LDT_WIDE16, LDT_DATA32,
                                  LDT_DOWN16, LDT_DOWN32, LDT_RO, LDT_XO, LDT_NP, LDT_NPCODE,
                                  LDT_FLAT, LDT_DATA16 - 1, LDT_DATA32 - 3, LDT_RO - 2, 0x63,
                                  0x67, 0x83};
    return below(s, 16) == 0 ? 0x84 + below(s, 0xff00) : sel[below(s, sizeof sel)];
}

/* Selector and offset of a far transfer. */
static void far_target(uint64_t *s, unsigned *sel, uint64_t *off)
{
    static const uint8_t good[] = {0x23, 0x33, LDT_CODE16, LDT_CODE32, LDT_XO};
    struct oracle_desc d = {0, 0, 0};
    *sel = below(s, 4) ? good[below(s, 5)] : random_selector(s);
    oracle_desc(*sel, &d);
    *off = ORACLE_CODE + ORACLE_TAKEN_OFF - (d.base == ORACLE_CODE ? ORACLE_CODE : 0);
    if (below(s, 10) == 0) {
        *off = oracle_int(s);
    }
}

/* CALL FAR out of compatibility mode: AMD pushes with the new mode's stack, flat and 64 bits wide;
 * so not into 64-bit code from a stack that is not. */
static unsigned calls_into_64(const struct oracle_case *c, unsigned sel)
{
    bool flat = c->mode == DECODE_64 || c->regs.sel[SEG_SS] == ORACLE_DS;
    return (sel & ~3u) == 0x30 && !flat ? ORACLE_CS32 : sel;
}

static void poke_operand(struct draft *d, uint64_t lin, unsigned size)
{
    struct oracle_case *c = d->c;
    uint64_t *s = d->s;
    uint8_t v[64];
    const char *name = op_name(c->in.op);
    unsigned kind = below(s, 3);
    memset(v, 0, sizeof v);
    oracle_vector(s, v, 32);
    oracle_vector(s, v + 32, 32);
    if (kind == 0) {
        store_le64(v, oracle_int(s));
    }
    if (size == 10) {
        oracle_f80(s, v);
        if (c->in.op == OP_fbld) { /* mostly valid digits */
            for (unsigned i = 0; i < 9; i++) {
                v[i] = (uint8_t)(below(s, 10) << 4 | below(s, 10));
            }
            v[9] = (uint8_t)(below(s, 2) << 7);
        }
    }
    if (c->in.op == OP_ldmxcsr) { /* bit 17 is AMD's misaligned mode */
        store_le32(v, (uint32_t)oracle_int(s) & (below(s, 8) ? 0xffff : ~0x20000u));
    } else if (c->in.op == OP_fxrstor || strncmp(name, "xrstor", 6) == 0) {
        uint8_t head[64] = {0};
        store_le16(v, (uint16_t)(0x40 | (rnd(s) & 0xf3f)));
        v[4] = (uint8_t)rnd(s);
        store_le16(v + 6, 0);
        store_le32(v + 24, 0x1f80 | (below(s, 8) ? 0 : (uint32_t)oracle_int(s) & ~0x20000u));
        head[0] = below(s, 8);
        head[below(s, 64)] |= below(s, 8) ? 0 : (uint8_t)rnd(s);
        oracle_poke(c, lin + 512, head, 64);
        size = 28;
    } else if (c->in.op == OP_lseg || c->in.op == OP_jmp_far || c->in.op == OP_call_far) {
        unsigned sel;
        uint64_t off;
        far_target(s, &sel, &off);
        if (c->in.op == OP_call_far) {
            sel = calls_into_64(c, sel);
        }
        store_le64(v, off);
        if (c->in.op == OP_lseg) {
            sel = random_selector(s);
        }
        store_le16(v + c->in.osize, (uint16_t)sel);
        size = 10;
    } else if (c->in.op == OP_mov_seg || c->in.op == OP_lar || c->in.op == OP_lsl ||
               c->in.op == OP_verr || c->in.op == OP_verw || c->in.op == OP_arpl) {
        store_le16(v, (uint16_t)random_selector(s));
    } else if (c->in.op == OP_bound) {
        uint64_t a = oracle_int(s), w = oracle_int(s) & 0xff;
        store_le(v, a - w, c->in.osize);
        store_le(v + c->in.osize, a + w, c->in.osize);
        size = 2u * c->in.osize;
        c->regs.gpr[c->in.o[0].reg] = below(s, 2) ? a : a + w + below(s, 3) - 1;
        c->regs.gpr[c->in.o[0].reg] &= d->e->mode == DECODE_64 ? ~0ull : 0xffffffff;
    } else if (c->in.op == OP_jmp || c->in.op == OP_call) {
        struct oracle_desc cs = {0, 0, 0};
        oracle_desc(c->regs.sel[SEG_CS], &cs);
        store_le64(v, below(s, 12) ? ORACLE_CODE + ORACLE_TAKEN_OFF - cs.base : oracle_int(s));
    }
    oracle_poke(c, lin, v, size == 0 || size > 64 ? 16 : size);
}

/* ---- operations that need a helping hand ---- */

static void set_low(uint64_t *g, unsigned size, uint64_t v)
{
    *g = (*g & ~bits_mask(size * 8)) | (v & bits_mask(size * 8));
}

/* What a return finds on the stack. */
static void return_frame(struct draft *d, uint64_t lin)
{
    struct oracle_case *c = d->c;
    unsigned size = c->in.osize, sel = 0, n = 0;
    uint8_t v[64] = {0};
    uint64_t off, flags;
    struct oracle_desc cs = {0, 0, 0};
    if (c->in.op == OP_ret) {
        oracle_desc(c->regs.sel[SEG_CS], &cs);
        store_le64(v, below(d->s, 12) ? ORACLE_CODE + ORACLE_TAKEN_OFF - cs.base
                                      : oracle_int(d->s));
        oracle_poke(c, lin, v, size);
        return;
    }
    far_target(d->s, &sel, &off);
    sel |= 3; /* AMD looks at an RPL that is too low only after it has read all */
    store_le64(v, off);
    store_le64(v + size, sel | (size > 2 && below(d->s, 2) ? rnd(d->s) << 16 : 0));
    n = 2;
    if (c->in.op == OP_iret) {
        flags = oracle_int(d->s) & (FL_STATUS | FL_DF | FL_IF | FL_IOPL | FL_ID | FL_AC);
        store_le64(v + 2 * size, flags);
        n = 3;
        if (d->e->mode == DECODE_64 || below(d->s, 2)) {
            static const uint8_t ss[] = {0x2b, LDT_DATA16, LDT_DATA32, LDT_FLAT, LDT_DOWN16};
            store_le64(v + 3 * size, ORACLE_DATA + 0x800);
            store_le64(v + 4 * size, below(d->s, 6) ? ss[below(d->s, 5)] : random_selector(d->s));
            n = 5;
        }
    }
    oracle_poke(c, lin, v, n * size);
}

static bool set_branch(struct draft *d)
{
    struct oracle_case *c = d->c;
    struct insn *in = &c->in;
    struct oracle_desc cs = {0, 0, 0};
    oracle_desc(c->regs.sel[SEG_CS], &cs);
    if (in->op == OP_loop || in->op == OP_loope || in->op == OP_loopne || in->op == OP_jcxz) {
        set_low(&c->regs.gpr[REG_CX], in->asize, below(d->s, 3));
    }
    if (in->o[0].kind == OPND_REL && below(d->s, 16)) {
        unsigned size = in->len - d->modrm_at;
        uint64_t rel = ORACLE_TAKEN_OFF - (uint64_t)(c->at + in->len);
        if (size > 4 || in->len <= d->modrm_at || (int64_t)rel != bits_sext(rel, size * 8)) {
            return false;
        }
        store_le(c->code + d->modrm_at, rel, size);
        return redecode(d);
    }
    if (in->o[0].kind == OPND_FAR && in->len > d->modrm_at + 2) {
        unsigned sel, size = in->len - d->modrm_at - 2;
        uint64_t off;
        far_target(d->s, &sel, &off);
        sel = in->op == OP_call_far ? calls_into_64(c, sel) : sel;
        store_le(c->code + d->modrm_at, off, size);
        store_le16(c->code + d->modrm_at + size, (uint16_t)sel);
        return redecode(d);
    }
    if (in->o[0].kind == OPND_GPR && (in->op == OP_jmp || in->op == OP_call)) {
        uint64_t *g = &c->regs.gpr[in->o[0].reg];
        *g = below(d->s, 12) ? ORACLE_CODE + ORACLE_TAKEN_OFF - cs.base : *g;
    }
    return true;
}

static void set_selector(struct draft *d)
{
    const struct insn *in = &d->c->in;
    for (unsigned i = 0; i < 2; i++) {
        if (in->o[i].kind == OPND_GPR && (i == 1 || in->o[i].size == 2)) {
            set_low(&d->c->regs.gpr[in->o[i].reg], 2, random_selector(d->s));
        }
    }
}

/* Registers and code bytes that make the operation do something; false: drop the case. */
static bool prepare(struct draft *d)
{
    struct oracle_case *c = d->c;
    struct insn *in = &c->in;
    uint64_t *g = c->regs.gpr, *s = d->s;
    switch (in->op) {
    case OP_div: case OP_idiv: /* quotients that fit, often */
        if (below(s, 3)) {
            unsigned size = in->o[0].size;
            uint64_t a = g[REG_AX];
            if (size == 1) {
                set_low(&g[REG_AX], 2, (uint64_t)(int16_t)rnd(s) >> below(s, 16));
            } else {
                bool neg = in->op == OP_idiv && (a >> (size * 8 - 1) & 1);
                set_low(&g[REG_DX], size, neg ? ~(uint64_t)0 : below(s, 3));
            }
        }
        return true;
    case OP_movs: case OP_cmps: case OP_stos: case OP_lods: case OP_scas: case OP_ins:
    case OP_outs: return oracle_steer_string(c, s);
    case OP_enter: /* a wide frame would reach far */
        if (in->len >= 4 && below(s, 8)) {
            c->code[in->len - 2] &= 1;
            if (below(s, 2)) {
                c->code[in->len - 1] &= 3;
            }
        }
        oracle_steer_reg(c, s, REG_BP, SEG_SS, 0x1800 + 4 * below(s, 64));
        return redecode(d);
    case OP_leave: oracle_steer_reg(c, s, REG_BP, SEG_SS, 0x1800 + 4 * below(s, 64)); return true;
    case OP_int: /* the kernel's gates: 3 and 4 for all; 80h enters it */
        if (below(s, 4) == 0 && d->modrm_at + 1u == in->len) {
            c->code[d->modrm_at] = (uint8_t)(3 + below(s, 2));
        }
        return redecode(d) && in->imm != 0x80;
    case OP_jmp: case OP_jcc: case OP_call: case OP_loop: case OP_loope: case OP_loopne:
    case OP_jcxz: case OP_jmp_far: case OP_call_far: return set_branch(d);
    case OP_mov_seg: case OP_lar: case OP_lsl: case OP_verr: case OP_verw: case OP_arpl:
        set_selector(d);
        return true;
    case OP_iret:
        c->regs.rflags |= below(s, 8) ? 0 : FL_NT;
        return true;
    case OP_bt: case OP_bts: case OP_btr: case OP_btc:
        if (in->o[0].kind == OPND_MEM && in->o[1].kind == OPND_GPR) {
            if (in->o[1].reg == in->base || in->o[1].reg == in->index) {
                return false;
            }
            set_low(&g[in->o[1].reg], in->osize, below(s, 2) ? below(s, 400) : -below(s, 400));
        }
        return true;
    default: break;
    }
    const char *name = op_name(in->op);
    if (strncmp(name, "xsave", 5) == 0 || strncmp(name, "xrstor", 6) == 0) {
        set_low(&g[REG_AX], 4, below(s, 8)); /* the host's XCR0 has more */
        set_low(&g[REG_DX], 4, 0);
    }
    return true;
}

/* XSAVE and kin with components that only the host has, as the address came to lie in AX or DX? */
static bool masked_by_axdx(const struct oracle_case *c)
{
    const char *name = op_name(c->in.op);
    return (strncmp(name, "xsave", 5) == 0 || strncmp(name, "xrstor", 6) == 0) &&
           ((uint32_t)c->regs.gpr[REG_AX] > 7 || (uint32_t)c->regs.gpr[REG_DX] != 0);
}

static bool uses_stack(const struct insn *in)
{
    switch (in->op) {
    case OP_push: case OP_pop: case OP_pusha: case OP_popa: case OP_push_seg: case OP_pop_seg:
    case OP_pushf: case OP_popf: case OP_enter: case OP_leave: case OP_call: case OP_ret:
    case OP_call_far: case OP_ret_far: case OP_iret: return true;
    default: return false;
    }
}

static void prepare_stack(struct draft *d)
{
    struct oracle_case *c = d->c;
    uint64_t lin = oracle_steer_stack(c, d->s);
    if (c->in.op == OP_popf) {
        uint8_t v[8];
        store_le64(v, oracle_int(d->s) &
                          (FL_STATUS | FL_DF | FL_IF | FL_IOPL | FL_ID | FL_AC | FL_NT));
        oracle_poke(c, lin, v, c->in.osize);
    } else if (c->in.op == OP_pop_seg) {
        uint8_t v[8];
        store_le64(v, random_selector(d->s));
        oracle_poke(c, lin, v, c->in.osize);
    } else if (c->in.op == OP_ret || c->in.op == OP_ret_far || c->in.op == OP_iret) {
        return_frame(d, lin);
    }
}

/* Undefined results, whoever makes the processor. */
static bool meaningless(const struct oracle_case *c)
{
    const struct insn *in = &c->in;
    if ((in->op == OP_shld || in->op == OP_shrd) && in->osize == 2) {
        unsigned n = in->o[2].kind == OPND_GPR ? (unsigned)c->regs.gpr[REG_CX] : (unsigned)in->imm;
        return (n & 31) > 15;
    }
    return false;
}

static bool is_x87(unsigned op)
{
    return op >= OP_fadd && op <= OP_fwait;
}

bool oracle_gen_case(const struct oracle_enc *e, const struct cpu_features *feat, uint64_t number,
                     struct oracle_case *c)
{
    uint64_t seed = number * 0x100000001b3 + e->opcode * 0x10001u + e->map * 77u + e->op * 0x1313u +
                    e->pfx * 0x3000003u + e->mode + e->w * 4u + e->l * 8u + e->mem * 16u +
                    e->kind[1] * 32u;
    uint64_t *s = &seed;
    struct draft d = {.c = c, .e = e, .feat = feat, .s = s};
    struct insn *in = &c->in;

    rnd(s);
    memset(c, 0, sizeof *c);
    c->mode = e->mode;
    c->at = ORACLE_INSN_OFF;
    if (!put_code(&d)) {
        return false;
    }
    c->decoded = decode(c->code, 15, e->mode, feat, in) == DECODE_OK;
    if (!c->decoded) {
        in->op = OP_ud;
        in->len = 15;
        memset(in->o, 0, sizeof in->o);
    }
    if (oracle_left_out(in->op) != NULL ||
        (in->op == OP_ud && host_has_more(e, c->code, d.modrm_at < 15 ? d.modrm_at : 14))) {
        return false;
    }
    /* immediates that matter */
    if (in->op != OP_ud && in->len > d.modrm_at && in->o[0].kind != OPND_REL && below(s, 3) == 0) {
        unsigned op = in->op;
        c->code[in->len - 1] = (uint8_t)oracle_int(s);
        if (!redecode(&d) || in->op != op) {
            return false;
        }
    }
    bool simd = in->op >= OP_fxsave;
    oracle_state(s, &c->regs, is_x87(in->op) || in->op == OP_emms || below(s, 16) == 0,
                 simd || below(s, 16) == 0);
    if (simd && below(s, 4)) { /* most MMX and SSE without a waiting #MF */
        store_le16(c->regs.xs + 2, load_le16(c->regs.xs + 2) & 0x7f00);
    }
    oracle_steer_segments(c, s);
    if (below(s, 64) == 0) { /* the page, or the segment, ends within the instruction */
        c->at = 0x1000 - 1 - below(s, in->len);
    }
    struct oracle_desc cs = {0, 0, 0};
    oracle_desc(c->regs.sel[SEG_CS], &cs);
    c->regs.rip = ORACLE_CODE + c->at - cs.base;
    if (!prepare(&d)) {
        return false;
    }
    if (uses_stack(in)) {
        prepare_stack(&d);
    }
    if (strstr(op_name(in->op), "gather") != NULL) {
        c->regs.rflags &= ~(uint64_t)FL_AC; /* Zen 4 does not look, SDM "Exceptions Type 12": #AC */
    }
    if (oracle_addressed(in)) {
        uint64_t lin;
        if (!oracle_steer(c, s, d.modrm_at, &lin) || !redecode(&d)) {
            return false;
        }
        if (masked_by_axdx(c)) {
            return false;
        }
        unsigned i = in->o[0].kind == OPND_MEM ? 0 : in->o[1].kind == OPND_MEM ? 1 : 2;
        poke_operand(&d, lin, in->o[i].size);
    }
    if (e->mode != DECODE_64) {
        for (unsigned r = 0; r < 16; r++) {
            c->regs.gpr[r] &= r < 8 ? 0xffffffff : 0;
        }
    }
    c->len = in->len;
    if (c->at + c->len > 0x1000) {
        c->decoded = false;
    }
    if (in->op == OP_ud && c->at + c->len > 0xff4) {
        return false; /* how long is something undefined? */
    }
    return !meaningless(c);
}
