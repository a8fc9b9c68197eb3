/* Machine code to struct insn, driven by the opcode maps.  SDM Vol. 2A, chapter 2 ("Instruction
 * Format"), Vol. 2D, appendix A ("Opcode Map").
 *
 * Reads go to a buffer that is always long enough, and count; one comparison at the end tells a cut
 * instruction from a whole one.
 *
 * VEX (SDM Vol. 2A, 2.3) is another way into the same maps: the prefix gives map, pp, L, W and
 * vvvv, the rows say what is legal.
 *
 * NOT IMPLEMENTED: EVEX and XOP (OP_ud at the first byte). */
#include "cpu/decode.h"
#include "base/bits.h"
#include "cpu/opmap.h"
#include "cpu/state.h"

const struct letter letters[OL_COUNT] = {
    [OL_none] = {C_none, 0, 0},
#define L(name, c, r, m) [OL_##name] = {C_##c, r, m},
    OPMAP_LETTERS(L)
#undef L
};

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };
enum { PFX_NONE, PFX_66, PFX_F3, PFX_F2 };
enum { NEED = 40 }; /* more than any instruction can read, prefixes and all */

struct cursor {
    const uint8_t *p;
    unsigned pos;
    uint8_t rex;   /* 40..4f, or 0; VEX: what the bits mean in REX, 0 but in 64-bit mode */
    uint8_t mode;  /* enum decode_mode */
    uint8_t seg;   /* override or SEG_NONE */
    uint8_t opcode;
    uint8_t map;   /* 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A */
    uint8_t vvvv;  /* VEX: not inverted, 0 when unused; its top bit counts only if it is */
    bool vex, l, w; /* VEX; VEX.L; REX.W or VEX.W */
    bool have_modrm, have_mem, vsib, bad;
};

/* 1: prefix of the legacy kind; 2: also REX in 64-bit mode */
static const uint8_t prefix_class[256] = {
    [0x26] = 1, [0x2e] = 1, [0x36] = 1, [0x3e] = 1, [0x64] = 1, [0x65] = 1, [0x66] = 1, [0x67] = 1,
    [0xf0] = 1, [0xf2] = 1, [0xf3] = 1, [0x40] = 2, [0x41] = 2, [0x42] = 2, [0x43] = 2, [0x44] = 2,
    [0x45] = 2, [0x46] = 2, [0x47] = 2, [0x48] = 2, [0x49] = 2, [0x4a] = 2, [0x4b] = 2, [0x4c] = 2,
    [0x4d] = 2, [0x4e] = 2, [0x4f] = 2,
};

static void need_modrm(struct cursor *c, struct insn *in)
{
    if (!c->have_modrm) {
        c->have_modrm = true;
        in->modrm = c->p[c->pos++];
        in->flags |= INSN_MODRM;
    }
}

static int64_t fetch_signed(struct cursor *c, unsigned size)
{
    const uint8_t *p = c->p + c->pos;
    c->pos += size;
    switch (size) {
    case 1: return (int8_t)p[0];
    case 2: return (int16_t)load_le16(p);
    case 4: return (int32_t)load_le32(p);
    default: return (int64_t)load_le64(p);
    }
}

static void set_default_seg(const struct cursor *c, struct insn *in, unsigned seg)
{
    in->seg = c->seg != SEG_NONE ? c->seg : (uint8_t)seg;
}

/* SDM Vol. 2A, tables 2-1 (16-bit), 2-2 (32-bit), 2-3 (SIB). */
static void parse_mem(struct cursor *c, struct insn *in)
{
    static const uint8_t base16[8] = {REG_BX, REG_BX, REG_BP, REG_BP,
                                      REG_SI, REG_DI, REG_BP, REG_BX};
    static const uint8_t index16[8] = {REG_SI, REG_DI, REG_SI, REG_DI, INSN_NOREG, INSN_NOREG,
                                       INSN_NOREG, INSN_NOREG};
    unsigned mod = in->modrm >> 6, rm = in->modrm & 7;
    if (c->have_mem) {
        return;
    }
    c->have_mem = true;
    if (in->asize == 2) {
        if (mod == 0 && rm == 6) {
            in->disp = fetch_signed(c, 2);
        } else {
            in->base = base16[rm];
            in->index = index16[rm];
            if (mod != 0) {
                in->disp = fetch_signed(c, mod);
            }
        }
        set_default_seg(c, in, in->base == REG_BP ? SEG_SS : SEG_DS);
        return;
    }
    unsigned base = rm;
    bool absolute = mod == 0 && rm == 5;
    if (rm == 4) {
        unsigned sib = c->p[c->pos++];
        unsigned index = (sib >> 3 & 7) | (c->rex & REX_X) << 2;
        base = sib & 7;
        absolute = mod == 0 && base == 5;
        if (index != REG_SP || c->vsib) {
            in->index = (uint8_t)index;
            in->scale = (uint8_t)(sib >> 6);
        }
    } else if (absolute && c->mode == DECODE_64) {
        in->base = INSN_RIP;
    }
    if (absolute) {
        in->disp = fetch_signed(c, 4);
    } else {
        in->base = (uint8_t)(base | (c->rex & REX_B) << 3);
        if (mod != 0) {
            in->disp = fetch_signed(c, mod == 1 ? 1 : 4);
        }
    }
    set_default_seg(c, in, in->base == REG_SP || in->base == REG_BP ? SEG_SS : SEG_DS);
}

static unsigned letter_size(const struct cursor *c, const struct insn *in, unsigned size)
{
    switch (size) {
    case SZ_V: return in->osize;
    case SZ_Y: return c->rex & REX_W ? 8 : 4;
    case SZ_N: return c->mode == DECODE_64 ? 8 : 4;
    case SZ_D: return in->osize > 4 ? 4 : in->osize;
    case SZ_X: return 16u << c->l;
    case SZ_XH: return 8u << c->l;
    case SZ_XQ: return 4u << c->l;
    case SZ_XE: return 2u << c->l;
    case SZ_XDUP: return c->l ? 32 : 8;
    default: return size;
    }
}

static void set_gpr(const struct cursor *c, struct opnd *o, unsigned reg, unsigned size)
{
    o->size = (uint8_t)size;
    if (size == 1 && reg >= 4 && reg < 8 && !c->rex) {
        o->kind = OPND_GPR8H;
        o->reg = (uint8_t)(reg & 3);
    } else {
        o->kind = OPND_GPR;
        o->reg = (uint8_t)reg;
    }
}

static void set_reg(struct opnd *o, unsigned kind, unsigned reg, unsigned size)
{
    o->kind = (uint8_t)kind;
    o->reg = (uint8_t)reg;
    o->size = (uint8_t)size;
}

static void parse_operand(struct cursor *c, struct insn *in, struct opnd *o, const struct letter *l)
{
    unsigned size = letter_size(c, in, l->size), reg, rm;
    if (l->cls < C_FIRST_PLAIN) {
        need_modrm(c, in);
    }
    reg = in->modrm >> 3 & 7;
    rm = in->modrm & 7;
    bool is_mem = in->modrm < 0xc0;
    switch (l->cls) {
    case C_E: case C_Q: case C_W: case C_M:
        if (is_mem) {
            parse_mem(c, in);
            set_reg(o, OPND_MEM, 0, letter_size(c, in, l->mem));
        } else if (l->cls == C_E) {
            set_gpr(c, o, rm | (c->rex & REX_B) << 3, size);
        } else if (l->cls == C_Q) {
            set_reg(o, OPND_MMX, rm, size);
        } else if (l->cls == C_W) {
            set_reg(o, OPND_XMM, rm | (c->rex & REX_B) << 3, size);
        } else {
            c->bad = true;
        }
        break;
    case C_VM: /* a SIB byte is a must (SDM Vol. 2A, "VSIB Memory Addressing") */
        c->vsib = true;
        c->bad |= !is_mem || rm != 4 || in->asize == 2;
        if (is_mem) {
            parse_mem(c, in);
        }
        set_reg(o, OPND_MEM, 0, letter_size(c, in, l->mem));
        break;
    case C_G: set_gpr(c, o, reg | (c->rex & REX_R) << 1, size); break;
    case C_R: set_gpr(c, o, rm | (c->rex & REX_B) << 3, size); break;
    case C_S: case C_SD:
        set_reg(o, OPND_SEG, reg, 2);
        c->bad |= reg > SEG_GS || (l->cls == C_SD && reg == SEG_CS);
        break;
    case C_C:
        reg |= (c->rex & REX_R) << 1;
        set_reg(o, OPND_CR, reg, size);
        c->bad |= !(0x11du >> reg & 1) || (reg == 8 && c->mode != DECODE_64);
        break;
    case C_D:
        set_reg(o, OPND_DR, reg, size);
        c->bad |= (c->rex & REX_R) != 0;
        break;
    case C_T:
        set_reg(o, OPND_IMM, 0, 1);
        in->imm = reg;
        break;
    case C_STI: set_reg(o, OPND_ST, rm, 10); break;
    case C_ST: set_reg(o, OPND_ST, l->size, 10); break;
    case C_P: set_reg(o, OPND_MMX, reg, size); break;
    case C_V: set_reg(o, OPND_XMM, reg | (c->rex & REX_R) << 1, size); break;
    case C_N: case C_U:
        if (is_mem) {
            c->bad = true;
            parse_mem(c, in);
        } else if (l->cls == C_N) {
            set_reg(o, OPND_MMX, rm, size);
        } else {
            set_reg(o, OPND_XMM, rm | (c->rex & REX_B) << 3, size);
        }
        break;
    case C_I:
        set_reg(o, OPND_IMM, 0, size);
        in->imm = (uint64_t)fetch_signed(c, letter_size(c, in, l->mem)) & bits_mask(size * 8);
        break;
    case C_I2: in->imm2 = c->p[c->pos++]; break;
    case C_ONE:
        set_reg(o, OPND_IMM, 0, 1);
        in->imm = 1;
        break;
    case C_J:
        set_reg(o, OPND_REL, 0, size);
        in->imm = (uint64_t)fetch_signed(c, letter_size(c, in, l->mem));
        break;
    case C_A:
        set_reg(o, OPND_FAR, 0, size);
        in->imm = (uint64_t)fetch_signed(c, size) & bits_mask(size * 8);
        in->imm2 = (uint16_t)fetch_signed(c, 2);
        break;
    case C_O:
        set_reg(o, OPND_MEM, 0, letter_size(c, in, l->mem));
        in->disp = (int64_t)((uint64_t)fetch_signed(c, in->asize) & bits_mask(in->asize * 8u));
        set_default_seg(c, in, SEG_DS);
        break;
    case C_Z: set_gpr(c, o, (c->opcode & 7u) | (c->rex & REX_B) << 3, size); break;
    case C_FIX: set_reg(o, OPND_GPR, l->mem, size); break;
    case C_SEG: set_reg(o, OPND_SEG, l->size, 2); break;
    case C_X:
        set_reg(o, OPND_MEM, 0, size);
        set_default_seg(c, in, SEG_DS);
        break;
    case C_Y:
        set_reg(o, OPND_MEM, 0, size);
        in->seg = SEG_ES;
        break;
    case C_XLAT:
        set_reg(o, OPND_MEM, 0, 1);
        in->base = REG_BX;
        set_default_seg(c, in, SEG_DS);
        break;
    case C_DI:
        in->base = REG_DI;
        set_default_seg(c, in, SEG_DS);
        break;
    case C_H: set_reg(o, OPND_XMM, c->vvvv & (c->mode == DECODE_64 ? 15 : 7), size); break;
    case C_B: set_gpr(c, o, c->vvvv & (c->mode == DECODE_64 ? 15 : 7), size); break;
    case C_LX: { /* bit 7 counts in 64-bit mode only */
        unsigned is4 = c->p[c->pos++];
        set_reg(o, OPND_XMM, c->mode == DECODE_64 ? is4 >> 4 : is4 >> 4 & 7, size);
        break;
    }
    case C_X0: set_reg(o, OPND_XMM, 0, size); break;
    default: break;
    }
}

/* Skip ModRM, SIB, displacement and `imm` bytes of something without an operation. */
static void skip_modrm(struct cursor *c, struct insn *in, unsigned imm)
{
    need_modrm(c, in);
    if (in->modrm < 0xc0) {
        parse_mem(c, in);
    }
    c->pos += imm;
}

/* What is behind an opcode without a row.  0F 0F has an immediate, as the map 0F 3A. */
static void skip_undefined(struct cursor *c, struct insn *in)
{
    unsigned op = c->opcode;
    bool imm = c->map == 3 || (c->map == 1 && op == 0x0f);
    if (c->vex && c->map == 1) {
        imm = (op >= 0x70 && op <= 0x73) || op == 0xc2 || (op >= 0xc4 && op <= 0xc6);
    }
    if (c->vex ? op != 0x77 || c->map != 1 : c->map >= 2 || (c->map == 1 && op == 0x0f)) {
        skip_modrm(c, in, imm);
    }
}

static bool has_feature(const struct cpu_features *feat, unsigned which)
{
    return feat != NULL ? feat_has(feat, which) : which != FEAT_AMD;
}

/* Walk the splits of a cell down to a row; NULL: undefined (c->pos is behind what was read). */
static const struct op_row *find_row(struct cursor *c, struct insn *in, const struct op_row *row,
                                     const struct cpu_features *feat, unsigned pfx)
{
    for (;;) {
        switch (row->kind) {
        case K_OP: case K_OP0: return row;
        case K_REG:
            need_modrm(c, in);
            row = &row->sub[in->modrm >> 3 & 7];
            break;
        case K_RM:
            need_modrm(c, in);
            row = &row->sub[in->modrm & 7];
            break;
        case K_MOD:
            need_modrm(c, in);
            row = &row->sub[in->modrm >= 0xc0];
            break;
        case K_PFX: row = &row->sub[pfx]; break;
        case K_64: row = &row->sub[c->mode == DECODE_64]; break;
        case K_ENC: row = &row->sub[c->vex]; break;
        case K_W: row = &row->sub[c->w]; break;
        case K_L: row = &row->sub[c->l]; break;
        case K_FEAT: row = &row->sub[has_feature(feat, row->feat)]; break;
        case K_NOP: row = &row->sub[c->rex & REX_B ? 0 : pfx == PFX_F3 ? 2 : 1]; break;
        case K_VEX: row = row->sub; break;
        default: return NULL;
        }
    }
}

static bool uses_vvvv(const struct op_row *row)
{
    for (unsigned i = 0; i < 4; i++) {
        if (letters[row->o[i]].cls == C_H || letters[row->o[i]].cls == C_B) {
            return true;
        }
    }
    return false;
}

/* VEX.L, W, vvvv and the features of the VEX form. */
static bool vex_allowed(const struct cursor *c, const struct op_row *row,
                        const struct cpu_features *feat)
{
    unsigned vex = row->vex;
    return (vex & (VEX_OK | VEX_ONLY)) && !(vex & (c->l ? VEX_L0 : VEX_L1)) &&
           !(vex & (c->w ? VEX_W0 : VEX_W1)) && (c->vvvv == 0 || uses_vvvv(row)) &&
           ((vex & VEX_ONLY) || has_feature(feat, FEAT_AVX)) &&
           (!c->l || !(vex & VEX_I256) || has_feature(feat, FEAT_AVX2));
}

static bool row_allowed(const struct cursor *c, const struct op_row *row,
                        const struct cpu_features *feat)
{
    if (!has_feature(feat, row->feat)) {
        return false;
    }
    if (c->vex ? !vex_allowed(c, row, feat) : (row->vex & VEX_ONLY)) {
        return false;
    }
    if (row->flags & (F_NO64 | F_ONLY64 | F_OLD)) {
        if (row->flags & (c->mode == DECODE_64 ? F_NO64 : F_ONLY64)) {
            return false;
        }
        if ((row->flags & F_OLD) && has_feature(feat, FEAT_CPUID)) {
            return false;
        }
    }
    return true;
}

static enum decode_result finish(const struct cursor *c, size_t avail, struct insn *in)
{
    if (c->pos > avail || c->pos > INSN_MAX_LEN) {
        return avail < INSN_MAX_LEN ? DECODE_MORE : DECODE_TOO_LONG;
    }
    in->len = (uint8_t)c->pos;
    return DECODE_OK;
}

static enum decode_result undefined(const struct cursor *c, size_t avail, struct insn *in)
{
    in->op = OP_ud;
    in->flags = INSN_ENDS;
    memset(in->o, 0, sizeof in->o);
    return finish(c, avail, in);
}

/* SDM Vol. 2A, 2.3.5, "The VEX Prefix".  Outside 64-bit mode there are only eight registers: B and
 * the top of a vvvv in use are ignored, W is no operand size.  Returns pp as the prefix it stands
 * for. */
static unsigned parse_vex(struct cursor *c, unsigned first)
{
    static const uint8_t pp[4] = {PFX_NONE, PFX_66, PFX_F3, PFX_F2};
    unsigned b = c->p[c->pos++];
    c->vex = true;
    c->map = 1;
    c->rex = (uint8_t)(~b >> 5 & REX_R);
    if (first == 0xc4) {
        c->map = b & 0x1f;
        c->rex = (uint8_t)(~b >> 5 & (REX_R | REX_X | REX_B));
        b = c->p[c->pos++];
        c->w = b & 0x80;
        c->rex |= c->w ? REX_W : 0;
    }
    c->l = b & 4;
    c->vvvv = (uint8_t)(~b >> 3 & 15);
    if (c->mode != DECODE_64) {
        c->rex = 0;
    }
    return pp[b & 3];
}

enum decode_result decode(const uint8_t *bytes, size_t avail, enum decode_mode mode,
                          const struct cpu_features *feat, struct insn *in)
{
    uint8_t copy[NEED];
    struct cursor c = {.p = bytes, .mode = (uint8_t)mode, .seg = SEG_NONE};
    unsigned rep = 0;
    bool p66 = false, p67 = false, lock = false, oseg = false;

    if (avail > INSN_MAX_LEN) {
        if (avail < NEED) {
            memset(copy, 0, sizeof copy);
            memcpy(copy, bytes, INSN_MAX_LEN);
            c.p = copy;
        }
        avail = INSN_MAX_LEN;
    } else {
        memset(copy, 0, sizeof copy);
        memcpy(copy, bytes, avail);
        c.p = copy;
    }
    *in = (struct insn){.seg = SEG_DS, .base = INSN_NOREG, .index = INSN_NOREG};

    unsigned b = c.p[c.pos++];
    while (prefix_class[b] != 0) {
        if (prefix_class[b] == 2) {
            if (mode != DECODE_64) {
                break;
            }
            c.rex = (uint8_t)b;
        } else {
            c.rex = 0; /* REX counts only right in front of the opcode */
            switch (b) {
            case 0x26: case 0x2e: case 0x36: case 0x3e:
                if (mode != DECODE_64) { /* 64-bit mode ignores these four */
                    c.seg = (uint8_t)(b >> 3 & 3);
                    oseg = true;
                }
                break;
            case 0x64: case 0x65:
                c.seg = (uint8_t)(SEG_FS + (b & 1));
                oseg = true;
                break;
            case 0x66: p66 = true; break;
            case 0x67: p67 = true; break;
            case 0xf0: lock = true; break;
            default: rep = b; break;
            }
        }
        if (c.pos >= INSN_MAX_LEN) {
            c.pos = INSN_MAX_LEN + 1;
            return finish(&c, avail, in);
        }
        b = c.p[c.pos++];
    }

    static const struct op_row *const maps[4] = {opmap_1byte, opmap_0f, opmap_0f38, opmap_0f3a};
    unsigned pfx = rep == 0xf3 ? PFX_F3 : rep == 0xf2 ? PFX_F2 : p66 ? PFX_66 : PFX_NONE;
    in->asize = mode == DECODE_16 ? (p67 ? 4 : 2) : mode == DECODE_32 ? (p67 ? 2 : 4) : p67 ? 4 : 8;
    if ((b == 0xc4 || b == 0xc5) && (mode == DECODE_64 || c.p[c.pos] >= 0xc0)) {
        c.bad = p66 || rep != 0 || lock || c.rex != 0;
        pfx = parse_vex(&c, b);
        b = c.p[c.pos++];
        in->osize = c.rex & REX_W ? 8 : 4;
        in->flags = INSN_VEX;
        if (c.map < 1 || c.map > 3) {
            return undefined(&c, avail, in);
        }
    } else {
        in->osize = mode == DECODE_16 ? (p66 ? 4 : 2) : c.rex & REX_W ? 8 : p66 ? 2 : 4;
        c.w = c.rex & REX_W;
        if (b == 0x0f) {
            b = c.p[c.pos++];
            c.map = b == 0x38 ? 2 : b == 0x3a ? 3 : 1;
            if (c.map != 1) {
                b = c.p[c.pos++];
            }
        }
    }
    c.opcode = (uint8_t)b;
    const struct op_row *row = find_row(&c, in, &maps[c.map][b], feat, pfx);
    if (row == NULL) {
        skip_undefined(&c, in);
        return undefined(&c, avail, in);
    }

    unsigned flags = row->flags;
    if (mode == DECODE_64 && (flags & (F_D64 | F_F64 | F_NEAR))) {
        bool fixed = (flags & F_F64) || ((flags & F_NEAR) && !has_feature(feat, FEAT_AMD));
        in->osize = fixed || !p66 || (c.rex & REX_W) ? 8 : 2;
    }
    if (flags & F_X87) {
        in->osize = in->osize > 4 ? 4 : in->osize;
    }
    if (row->kind == K_OP) {
        struct opnd *o = in->o;
        for (unsigned i = 0; i < 4 && row->o[i] != OL_none; i++) {
            const struct letter *l = &letters[row->o[i]];
            if (c.vex || l->cls != C_H) {
                parse_operand(&c, in, o++, l);
            }
        }
        /* a gather's registers must differ */
        c.bad |= c.vsib && (in->o[0].reg == in->index || in->o[0].reg == in->o[2].reg ||
                            in->o[2].reg == in->index);
    }
    if (lock && (row->op == OP_mov_cr || row->op == OP_mov_from_cr) &&
        has_feature(feat, FEAT_CR8_LEGACY) && in->o[row->op == OP_mov_from_cr].reg == 0) {
        /* AMD's way to CR8 outside 64-bit mode (APM Vol. 3, "MOV CRn") */
        in->o[row->op == OP_mov_from_cr].reg = 8;
        lock = false;
    }
    if (c.bad || row->op == OP_ud || !row_allowed(&c, row, feat) ||
        (lock && !((flags & F_LOCK) && in->o[0].kind == OPND_MEM))) {
        return undefined(&c, avail, in);
    }
    in->op = row->op;
    in->flags |= (uint8_t)((lock ? INSN_LOCK : 0) | (p66 ? INSN_66 : 0) | (oseg ? INSN_OSEG : 0) |
                           (flags & F_ENDS ? INSN_ENDS : 0));
    if (rep != 0) {
        if (flags & F_REP) {
            in->flags |= INSN_REP;
        } else if (flags & F_REPZ) {
            in->flags |= rep == 0xf3 ? INSN_REP : INSN_REPNE;
        }
    }
    if (flags & F_CC) {
        in->cc = c.opcode & 15;
    }
    if (flags & F_X87) {
        in->imm = (uint64_t)(c.opcode & 7) << 8 | in->modrm;
    }
    return finish(&c, avail, in);
}
