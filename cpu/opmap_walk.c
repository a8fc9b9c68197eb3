/* Every cell of the opcode maps in turn, and machine code for a cell: for the tests, the oracle and
 * docs/opcodes.md, so that what they cover is what decode() knows.  Not used to run guests. */
#include <string.h>

#include "cpu/opmap.h"
#include "cpu/state.h"

static const struct op_row *const maps[4] = {opmap_1byte, opmap_0f, opmap_0f38, opmap_0f3a};

static unsigned split_ways(const struct op_row *row)
{
    switch (row->kind) {
    case K_REG: case K_RM: return 8;
    case K_PFX: return 4;
    case K_NOP: return 3;
    case K_MOD: case K_64: case K_ENC: case K_W: case K_L: case K_FEAT: return 2;
    case K_VEX: return 1;
    default: return 0;
    }
}

/* false: a split further up says otherwise */
static bool constrain(int8_t *what, unsigned value)
{
    if (*what >= 0 && *what != (int8_t)value) {
        return false;
    }
    *what = (int8_t)value;
    return true;
}

/* Go into way `n` of a split; false: not reachable in this encoding. */
static bool take(struct opmap_iter *it, const struct op_row *row, unsigned n)
{
    switch (row->kind) {
    case K_REG: it->modrm = true; return constrain(&it->reg, n);
    case K_RM: it->modrm = true; return constrain(&it->rm, n);
    case K_MOD: it->modrm = true; return constrain(&it->mod, n);
    case K_PFX: return constrain(&it->pfx, n);
    case K_64: return constrain(&it->mode64, n);
    case K_ENC: return it->vex == (n == 1);
    case K_W: return constrain(&it->w, n);
    case K_L: return it->vex ? constrain(&it->l, n) : n == 0;
    case K_FEAT:
        if (n == 1) {
            it->with = row->feat;
        } else {
            it->without = row->feat;
        }
        return true;
    case K_NOP:
        return n == 0 ? constrain(&it->rexb, 1) && constrain(&it->mode64, 1) :
               n == 2 ? constrain(&it->rexb, 0) && constrain(&it->pfx, 2) : constrain(&it->rexb, 0);
    default: /* K_VEX: LES, LDS */
        return constrain(&it->mode64, 0) && constrain(&it->mod, 0);
    }
}

/* Follow step[] from the cell of the map down to a row; ways not yet taken begin at 0.
 * false: the path is not reachable. */
static bool descend(struct opmap_iter *it)
{
    const struct op_row *row = &maps[it->map][it->opcode];
    unsigned depth = 0;
    bool reachable = true;
    it->pfx = it->mod = it->reg = it->rm = it->w = it->l = it->rexb = it->mode64 = -1;
    it->with = it->without = FEAT_ALWAYS;
    it->modrm = row->kind == K_3D;
    while (split_ways(row) != 0) {
        if (depth == it->depth) {
            it->step[it->depth++] = 0;
        }
        reachable &= take(it, row, it->step[depth]);
        row = &row->sub[it->step[depth++]];
    }
    it->row = row;
    return reachable;
}

/* The next path below the same cell; false: there is none. */
static bool next_path(struct opmap_iter *it)
{
    while (it->depth > 0) {
        const struct op_row *row = &maps[it->map][it->opcode];
        for (unsigned i = 0; i + 1 < it->depth; i++) {
            row = &row->sub[it->step[i]];
        }
        if (++it->step[it->depth - 1] < split_ways(row)) {
            return true;
        }
        it->depth--;
    }
    return false;
}

static void finish_cell(struct opmap_iter *it)
{
    const struct op_row *row = it->row;
    bool has_op = row->kind == K_OP || row->kind == K_OP0;
    it->op = OP_ud;
    if (has_op && (it->vex ? row->vex != 0 : !(row->vex & VEX_ONLY))) {
        it->op = row->op;
    }
    for (unsigned i = 0; i < 4; i++) {
        unsigned cls = letters[row->o[i]].cls;
        it->modrm |= cls != C_none && cls < C_FIRST_PLAIN;
    }
    /* behind an opcode of these maps, and behind VEX, there is a ModRM even if it is undefined */
    it->modrm |= row->kind == K_UD && (it->map >= 2 || (it->vex && it->opcode != 0x77));
    if (it->vex && it->op != OP_ud) {
        it->l = row->vex & VEX_L0 ? 0 : row->vex & VEX_L1 ? 1 : it->l;
        it->w = row->vex & VEX_W0 ? 0 : row->vex & VEX_W1 ? 1 : it->w;
    }
}

/* Prefixes and escapes to another map are no cells. */
static bool is_escape(const struct opmap_iter *it)
{
    static const uint8_t escapes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                      0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x0f};
    if (it->map == 0) {
        return memchr(escapes, it->opcode, sizeof escapes) != NULL;
    }
    return it->map == 1 && !it->vex && (it->opcode == 0x38 || it->opcode == 0x3a);
}

bool opmap_next(struct opmap_iter *it)
{
    if (!it->started) {
        it->started = true;
        it->depth = 0;
        goto look;
    }
    for (;;) {
        if (!next_path(it)) {
            if (++it->opcode == 0) {
                if (++it->map == 4) {
                    if (it->vex) {
                        return false;
                    }
                    it->vex = true;
                    it->map = 1;
                }
            }
        }
look:
        if (descend(it) && !is_escape(it)) {
            finish_cell(it);
            return true;
        }
    }
}

bool opmap_mode_legal(const struct opmap_iter *it, enum decode_mode mode)
{
    if (it->mode64 >= 0 && it->mode64 != (mode == DECODE_64)) {
        return false;
    }
    if (mode != DECODE_64 && !it->vex && it->w == 1) {
        return false;
    }
    return !(it->row->flags & (mode == DECODE_64 ? F_NO64 : F_ONLY64));
}

unsigned opmap_encode(const struct opmap_iter *it, enum decode_mode mode,
                      const struct opmap_pick *pick, uint8_t out[32])
{
    static const uint8_t prefix[4] = {0, 0x66, 0xf3, 0xf2}, pp[4] = {0, 1, 2, 3};
    unsigned n = 0, rxb = mode == DECODE_64 ? pick->rxb & 7u : 0, modrm = pick->modrm;
    unsigned pfx = (it->pfx >= 0 ? (unsigned)it->pfx : pick->pfx) & 3;
    unsigned w = it->w >= 0 ? (unsigned)it->w : pick->w & 1u;
    unsigned l = it->l >= 0 ? (unsigned)it->l : pick->l & 1u;

    if ((it->mode64 >= 0 && it->mode64 != (mode == DECODE_64)) ||
        (mode != DECODE_64 && !it->vex && it->w == 1) ||
        (mode == DECODE_64 && !it->vex && it->map == 0 && it->opcode >> 4 == 4)) { /* REX */
        return 0;
    }
    if (pick->p67) {
        out[n++] = 0x67;
    }
    rxb = it->rexb >= 0 ? (rxb & 6) | (unsigned)it->rexb : rxb;
    if (it->vex) {
        unsigned vvvv = ~(mode == DECODE_64 ? pick->vvvv : pick->vvvv & 7u) & 15;
        unsigned last = vvvv << 3 | l << 2 | pp[pfx];
        if (it->map == 1 && !w && !(rxb & 3) && !pick->vex3) {
            out[n++] = 0xc5;
            out[n++] = (uint8_t)((~rxb & 4) << 5 | last);
        } else {
            out[n++] = 0xc4;
            out[n++] = (uint8_t)((~rxb & 7) << 5 | it->map);
            out[n++] = (uint8_t)(w << 7 | last);
        }
    } else {
        if (prefix[pfx]) {
            out[n++] = prefix[pfx];
        }
        if (mode == DECODE_64 && (w || rxb)) {
            out[n++] = (uint8_t)(0x40 | w << 3 | rxb);
        }
        if (it->map != 0) {
            out[n++] = 0x0f;
        }
        if (it->map >= 2) {
            out[n++] = it->map == 2 ? 0x38 : 0x3a;
        }
    }
    out[n++] = it->opcode;
    if (it->modrm) {
        modrm = it->reg >= 0 ? (modrm & 0xc7) | (unsigned)it->reg << 3 : modrm;
        modrm = it->rm >= 0 ? (modrm & 0xf8) | (unsigned)it->rm : modrm;
        modrm = it->mod == 1 ? modrm | 0xc0 : it->mod == 0 && modrm >= 0xc0 ? modrm & 0x7f : modrm;
        out[n++] = (uint8_t)modrm;
        bool addr16 = mode == DECODE_16 ? !pick->p67 : mode == DECODE_32 && pick->p67;
        if (!addr16 && modrm < 0xc0 && (modrm & 7) == 4) {
            out[n++] = pick->sib;
        }
    }
    memcpy(out + n, pick->tail, sizeof pick->tail);
    return n + (unsigned)sizeof pick->tail;
}
