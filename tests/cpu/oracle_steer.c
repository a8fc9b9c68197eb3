/* See oracle_steer.h. */
#include "tests/cpu/oracle_steer.h"

#include <string.h>

#include "cpu/core.h"

#define rnd oracle_rnd
#define below oracle_below

static uint64_t seg_base(const struct oracle_case *c, unsigned seg)
{
    struct oracle_desc d = {0, 0, 0};
    if (c->mode == DECODE_64) {
        return seg == SEG_FS ? c->regs.fsbase : seg == SEG_GS ? c->regs.gsbase : 0;
    }
    oracle_desc(c->regs.sel[seg], &d);
    return d.base;
}

static uint64_t random_base(uint64_t *s)
{
    switch (below(s, 5)) {
    case 0: return 0;
    case 1: return ORACLE_DATA + below(s, 0x1000);
    case 2: return ORACLE_HIGH - below(s, 0x10000);
    case 3: return (uint64_t)-(int64_t)below(s, 0x10000);
    default: return (uint64_t)bits_sext(rnd(s), 48);
    }
}

void oracle_steer_segments(struct oracle_case *c, uint64_t *s)
{
    static const uint8_t data[] = {LDT_DATA16, LDT_WIDE16, LDT_DATA32, LDT_DOWN16, LDT_DOWN32,
                                   LDT_FLAT, ORACLE_DS, LDT_RO, LDT_CODE32, 0};
    uint16_t *sel = c->regs.sel;
    bool flat = c->mode == DECODE_32 && below(s, 3) != 0;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        sel[i] = flat ? ORACLE_DS : data[below(s, i == SEG_SS ? 7 : below(s, 3) ? 3 : 10)];
    }
    if (c->mode == DECODE_64) {
        sel[SEG_CS] = ORACLE_CS64;
        sel[SEG_SS] = ORACLE_DS;
        sel[SEG_FS] = sel[SEG_GS] = 0;
        c->regs.fsbase = random_base(s);
        c->regs.gsbase = random_base(s);
        return;
    }
    sel[SEG_CS] = c->mode == DECODE_16  ? LDT_CODE16
                  : flat || below(s, 2) ? ORACLE_CS32
                                        : LDT_CODE32;
    if (flat && below(s, 2)) {
        sel[SEG_FS] = 0;
        sel[SEG_GS] = LDT_DATA32;
    }
    c->regs.fsbase = seg_base(c, SEG_FS);
    c->regs.gsbase = seg_base(c, SEG_GS);
}

bool oracle_addressed(const struct insn *in)
{
    bool mem = false;
    for (unsigned i = 0; i < 4; i++) {
        mem |= in->o[i].kind == OPND_MEM;
    }
    if ((in->op >= OP_movs && in->op <= OP_scas) || in->op == OP_ins || in->op == OP_outs) {
        return false;
    }
    return mem || in->op == OP_maskmovq || in->op == OP_maskmovdqu;
}

static unsigned operand_size(const struct insn *in)
{
    for (unsigned i = 0; i < 4; i++) {
        if (in->o[i].kind == OPND_MEM && in->o[i].size != 0) {
            return in->o[i].size;
        }
    }
    return 16;
}

/* A linear address in or about the data. */
static uint64_t pick(uint64_t *s, unsigned size, bool high, bool big)
{
    uint64_t base = high && below(s, 3) == 0 ? ORACLE_HIGH : ORACLE_DATA, r = rnd(s);
    unsigned k = (unsigned)(r >> 32) % (size + 4);
    unsigned edge = r & 127;
    if (edge < 104) {
        uint64_t t = base + 0x100 + (r >> 8) % (big ? 0x1800 : 0x1c00);
        return (r >> 24 & 7) == 0 ? t : t & ~(uint64_t)((r >> 27 & 3) ? (big ? 63 : 31) : 3);
    }
    if (edge < 110) {
        return base + 0x1000 - k;
    }
    if (edge < 114) {
        return base + ORACLE_RW_SIZE + (r >> 8 & 0xff0);
    }
    if (edge < 118) {
        return base + ORACLE_RW_SIZE - k;
    }
    if (edge < 122) {
        return base + ORACLE_DATA_SIZE - k;
    }
    if (edge < 126) {
        return base - k;
    }
    if (!high || edge == 126) {
        return base - 0x800;
    }
    return (r >> 40 & 1) ? base | (uint64_t)1 << (47 + (r >> 41 & 15))
                         : 0x8000000000000000 | (r & 0xffffffff);
}

/* An offset in a segment of compatibility mode: sometimes at its limit. */
static uint64_t pick_offset(const struct oracle_case *c, uint64_t *s, unsigned seg, unsigned size,
                            bool big)
{
    struct oracle_desc d = {0, 0, 0};
    uint64_t lin = pick(s, size, c->mode == DECODE_64 && c->in.asize == 8, big);
    if (c->mode != DECODE_64 && oracle_desc(c->regs.sel[seg], &d) &&
        !(d.attr & ATTR_G) && below(s, 8) == 0) {
        return below(s, 4) ? d.limit + 1 - below(s, size + 4) : -(uint64_t)below(s, size + 4);
    }
    return lin - seg_base(c, seg);
}

void oracle_steer_reg(struct oracle_case *c, uint64_t *s, unsigned reg, unsigned seg, unsigned off)
{
    struct oracle_desc ss = {0, 0, 0};
    unsigned size = 8;
    if (c->mode != DECODE_64) {
        oracle_desc(c->regs.sel[SEG_SS], &ss);
        size = ss.attr & ATTR_DB ? 4 : 2;
    }
    uint64_t v = ORACLE_DATA + off - seg_base(c, seg), m = bits_mask(size * 8);
    if (c->mode == DECODE_64 && below(s, 4) == 0) {
        v += ORACLE_HIGH - ORACLE_DATA;
    }
    c->regs.gpr[reg] = (c->regs.gpr[reg] & ~m) | (v & m);
}

uint64_t oracle_steer_stack(struct oracle_case *c, uint64_t *s)
{
    struct oracle_desc ss = {0, 0, 0};
    unsigned size = 8;
    if (c->mode != DECODE_64) {
        oracle_desc(c->regs.sel[SEG_SS], &ss);
        size = ss.attr & ATTR_DB ? 4 : 2;
    }
    uint64_t m = bits_mask(size * 8), off = 0;
    switch (below(s, 24)) {
    case 0: off = pick_offset(c, s, SEG_SS, 16, false); break;
    case 1: off = below(s, 40); break; /* wraps */
    case 2: off = pick(s, 24, c->mode == DECODE_64, false) - seg_base(c, SEG_SS); break;
    default:
        off = ORACLE_DATA + 0x1000 + 8 * below(s, 64) - seg_base(c, SEG_SS);
        off += below(s, 8) ? 0 : below(s, 8);
        break;
    }
    c->regs.gpr[REG_SP] = (c->regs.gpr[REG_SP] & ~m) | (off & m);
    return seg_base(c, SEG_SS) + (off & m);
}

bool oracle_steer_string(struct oracle_case *c, uint64_t *s)
{
    const struct insn *in = &c->in;
    uint64_t m = bits_mask(in->asize * 8u), lin[2];
    uint64_t *g = c->regs.gpr;
    unsigned size = in->o[0].size;
    for (unsigned i = 0; i < 2; i++) {
        unsigned seg = i ? SEG_ES : in->seg, reg = i ? REG_DI : REG_SI;
        uint64_t off = below(s, 10) == 0 ? pick_offset(c, s, seg, 5 * size, false)
                                         : ORACLE_DATA + 0x800 + 0x100 * i + below(s, 0x400) -
                                               seg_base(c, seg);
        if (below(s, 2)) {
            off &= ~(uint64_t)(size - 1);
        }
        g[reg] = (g[reg] & ~m) | (off & m);
        lin[i] = seg_base(c, seg) + (off & m);
    }
    if (in->flags & (INSN_REP | INSN_REPNE)) {
        g[REG_CX] = (g[REG_CX] & ~m) | below(s, 9);
    }
    if (below(s, 2)) { /* equal strings */
        uint8_t v[64];
        memset(v, (int)rnd(s), sizeof v);
        oracle_poke(c, lin[0] - 32, v, 64);
        oracle_poke(c, lin[1] - 32, v, 64);
        memset(&g[REG_AX], v[0], 8);
    }
    return true;
}

static uint64_t address_of(const struct oracle_case *c)
{
    const struct insn *in = &c->in;
    uint64_t a = (uint64_t)in->disp;
    if (in->base < 16) {
        a += c->regs.gpr[in->base];
    } else if (in->base == INSN_RIP) {
        a += c->regs.rip + in->len;
    }
    if (in->index < 16 && strstr(op_name(in->op), "gather") == NULL) {
        a += c->regs.gpr[in->index] << in->scale;
    }
    return a & bits_mask(in->asize * 8u);
}

/* VSIB: indices near zero, some wild ones would fault in a page of their own. */
static void vector_index(struct oracle_case *c, uint64_t *s)
{
    uint8_t *x = c->regs.xs;
    bool q = op_name(c->in.op)[strncmp(op_name(c->in.op), "vp", 2) == 0 ? 8 : 7] == 'q';
    unsigned reg = c->in.index;
    for (unsigned i = 0; i < 32; i += q ? 8 : 4) {
        uint8_t *at = x + (i < 16 ? 160 : 560) + 16 * reg + i;
        int64_t v = (int64_t)below(s, 0x200) - 0x80;
        if (below(s, 40) == 0) {
            v = 0x2000 / (1 << c->in.scale) + (int64_t)below(s, 0x800);
        }
        store_le(at, (uint64_t)v, q ? 8 : 4);
    }
}

bool oracle_steer(struct oracle_case *c, uint64_t *s, unsigned modrm_at, uint64_t *lin)
{
    struct insn *in = &c->in;
    uint64_t *g = c->regs.gpr, m = bits_mask(in->asize * 8u), rest;
    unsigned size = operand_size(in);
    bool none = in->base == INSN_NOREG && in->index == INSN_NOREG;
    bool gather = strstr(op_name(in->op), "gather") != NULL;
    uint64_t off = pick_offset(c, s, in->seg, size, in->o[0].size == 0);
    if (gather) {
        off = ORACLE_DATA + 0xa00 + below(s, 0x200) - seg_base(c, in->seg);
        vector_index(c, s);
        none = in->base == INSN_NOREG;
    }
    if (none || in->base == INSN_RIP) {
        unsigned at = modrm_at, n = in->asize == 2 ? 2 : 4;
        if (in->flags & INSN_MODRM) {
            at += in->asize != 2 && (in->modrm & 7) == 4 ? 2 : 1;
        } else {
            n = in->asize;
        }
        rest = in->base == INSN_RIP ? off - (c->regs.rip + in->len) : off;
        rest &= m;
        if (at + n > in->len ||
            (n == 4 && in->asize == 8 && (uint64_t)bits_sext(rest, 32) != rest)) {
            return false;
        }
        store_le(c->code + at, rest, n);
        in->disp = bits_sext(rest, n * 8);
        if (n == in->asize && n == 8) {
            in->disp = (int64_t)rest;
        }
    } else if (in->base < 16 && in->base == in->index && !gather) {
        rest = (off - (uint64_t)in->disp) & m;
        g[in->base] = (g[in->base] & ~m) | rest / (1 + (1u << in->scale));
    } else if (in->base < 16) {
        rest = off - (uint64_t)in->disp;
        if (in->index < 16 && !gather) {
            rest -= g[in->index] << in->scale;
        }
        g[in->base] = (g[in->base] & ~m) | (rest & m);
    } else {
        rest = (off - (uint64_t)in->disp) & m;
        g[in->index] = (g[in->index] & ~m) | rest >> in->scale;
    }
    *lin = seg_base(c, in->seg) + address_of(c);
    if (c->mode != DECODE_64) {
        *lin &= 0xffffffff;
    }
    /* Zen: #GP when the offset alone is not canonical.  SDM Vol. 1, 3.3.7.1: the linear address. */
    if (c->mode == DECODE_64 && (in->seg == SEG_FS || in->seg == SEG_GS) &&
        (uint64_t)bits_sext(address_of(c), 48) != address_of(c)) {
        return false;
    }
    /* what a register could not express exactly must not stray into other mappings */
    uint64_t low = *lin - (ORACLE_DATA - 0x8000), high = *lin - (ORACLE_HIGH - 0x8000);
    return low < 0x20000 || high < 0x20000 || *lin < 0x10000 ||
           (c->mode == DECODE_64 && (uint64_t)bits_sext(*lin, 47) != *lin) ||
           (c->mode != DECODE_64 && (*lin >> 28) != 1);
}
