/* x87 environment in memory: FLDENV FNSTENV FRSTOR FNSAVE; LDMXCSR STMXCSR.
 *
 * SDM Vol. 1, figures "Protected Mode x87 FPU State Image in Memory, 32-Bit Format" and the three
 * others; Vol. 2A, "FXSAVE", table "Non-64-Bit-Mode Layout of FXSAVE and FXRSTOR Memory Region".
 * NOT IMPLEMENTED: the REX.W layouts of FXSAVE with 64-bit FIP and FDP are those of osize 8. */
#include "cpu/ops_x87.h"

/* The full tag word, out of the "not empty" bits and the registers' contents. */
static uint16_t tag_word(const struct cpu *c)
{
    unsigned tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        const struct f80 *r = &c->s.st[i];
        unsigned exp = r->se & 0x7fff, tag;

        if (!(c->s.ftag >> i & 1)) {
            tag = 3;
        } else if (exp == 0 && r->man == 0) {
            tag = 1;
        } else {
            tag = exp == 0 || exp == 0x7fff || !(r->man >> 63) ? 2 : 0;
        }
        tags |= tag << (i * 2);
    }
    return (uint16_t)tags;
}

/* Real and virtual-8086 mode: one linear address for each pointer. */
static bool linear_format(const struct cpu *c)
{
    return cpu_is_real(c) || cpu_is_vm86(c);
}

static unsigned env_store(const struct cpu *c, unsigned osize, uint8_t *p)
{
    uint32_t fip = (uint32_t)c->s.fip, fdp = (uint32_t)c->s.fdp;
    uint32_t fop = c->s.fop & 0x7ff;
    uint16_t tags = tag_word(c);

    if (linear_format(c)) {
        fip += (uint32_t)c->s.fcs << 4;
        fdp += (uint32_t)c->s.fds << 4;
    }
    if (osize == 2) {
        store_le16(p, c->s.fcw);
        store_le16(p + 2, c->s.fsw);
        store_le16(p + 4, tags);
        store_le16(p + 6, (uint16_t)fip);
        store_le16(p + 10, (uint16_t)fdp);
        if (linear_format(c)) {
            store_le16(p + 8, (uint16_t)((fip >> 16 & 15) << 12 | fop));
            store_le16(p + 12, (uint16_t)((fdp >> 16 & 15) << 12));
        } else {
            store_le16(p + 8, c->s.fcs);
            store_le16(p + 12, c->s.fds);
        }
        return 14;
    }
    store_le32(p, 0xffff0000u | c->s.fcw);
    store_le32(p + 4, 0xffff0000u | c->s.fsw);
    store_le32(p + 8, 0xffff0000u | tags);
    if (linear_format(c)) {
        store_le32(p + 12, 0xffff0000u | (fip & 0xffff));
        store_le32(p + 16, (fip >> 16) << 12 | fop);
        store_le32(p + 20, 0xffff0000u | (fdp & 0xffff));
        store_le32(p + 24, (fdp >> 16) << 12);
    } else {
        store_le32(p + 12, fip);
        store_le32(p + 16, fop << 16 | c->s.fcs);
        store_le32(p + 20, fdp);
        store_le32(p + 24, 0xffff0000u | c->s.fds);
    }
    return 28;
}

static void set_tags(struct cpu *c, unsigned tags)
{
    c->s.ftag = 0;
    for (unsigned i = 0; i < 8; i++) {
        if ((tags >> (i * 2) & 3) != 3) {
            c->s.ftag |= (uint8_t)(1 << i);
        }
    }
}

void x87_set_control(struct cpu *c, unsigned fcw, unsigned fsw)
{
    c->s.fcw = (uint16_t)((fcw & 0x1f3f) | 0x40);
    c->s.fsw = (uint16_t)(fsw & ~(FSW_ES | FSW_B)); /* these follow from the rest */
    x87_update(c);
}

static void env_load(struct cpu *c, unsigned osize, const uint8_t *p)
{
    if (osize == 2) {
        x87_set_control(c, load_le16(p), load_le16(p + 2));
        set_tags(c, load_le16(p + 4));
        c->s.fip = load_le16(p + 6);
        c->s.fdp = load_le16(p + 10);
        if (linear_format(c)) {
            c->s.fip |= (uint32_t)(load_le16(p + 8) & 0xf000) << 4;
            c->s.fop = load_le16(p + 8) & 0x7ff;
            c->s.fdp |= (uint32_t)(load_le16(p + 12) & 0xf000) << 4;
            c->s.fcs = c->s.fds = 0;
        } else {
            c->s.fcs = load_le16(p + 8);
            c->s.fds = load_le16(p + 12);
        }
        return;
    }
    x87_set_control(c, load_le16(p), load_le16(p + 4));
    set_tags(c, load_le16(p + 8));
    if (linear_format(c)) {
        c->s.fip = load_le16(p + 12) | (load_le32(p + 16) & 0x0ffff000) << 4;
        c->s.fop = load_le16(p + 16) & 0x7ff;
        c->s.fdp = load_le16(p + 20) | (load_le32(p + 24) & 0x0ffff000) << 4;
        c->s.fcs = c->s.fds = 0;
    } else {
        c->s.fip = load_le32(p + 12);
        c->s.fcs = load_le16(p + 16);
        c->s.fop = load_le16(p + 18) & 0x7ff;
        c->s.fdp = load_le32(p + 20);
        c->s.fds = load_le16(p + 24);
    }
}

bool op_fnstenv(struct cpu *c, const struct insn *in)
{
    uint8_t buf[28];

    if (!fpu_check(c, false) ||
        !mem_write_bytes(c, in->seg, insn_ea(c, in), buf, env_store(c, in->osize, buf))) {
        return false;
    }
    c->s.fcw |= FP_ALL;
    x87_update(c);
    return true;
}

bool op_fldenv(struct cpu *c, const struct insn *in)
{
    uint8_t buf[28];

    if (!x87_begin(c) ||
        !mem_read_bytes(c, in->seg, insn_ea(c, in), buf, in->osize == 2 ? 14 : 28)) {
        return false;
    }
    env_load(c, in->osize, buf);
    return true;
}

bool op_fnsave(struct cpu *c, const struct insn *in)
{
    uint8_t buf[108];
    unsigned n;

    if (!fpu_check(c, false)) {
        return false;
    }
    n = env_store(c, in->osize, buf);
    for (unsigned i = 0; i < 8; i++, n += 10) {
        struct f80 r = x87_get(c, i);
        store_le64(buf + n, r.man);
        store_le16(buf + n + 8, r.se);
    }
    return mem_write_bytes(c, in->seg, insn_ea(c, in), buf, n) && op_fninit(c, in);
}

bool op_frstor(struct cpu *c, const struct insn *in)
{
    uint8_t buf[108];
    unsigned n = in->osize == 2 ? 14 : 28;

    if (!x87_begin(c) || !mem_read_bytes(c, in->seg, insn_ea(c, in), buf, n + 80)) {
        return false;
    }
    env_load(c, in->osize, buf);
    for (unsigned i = 0; i < 8; i++, n += 10) {
        c->s.st[x87_phys(c, i)] = (struct f80){load_le64(buf + n), load_le16(buf + n + 8)};
    }
    return true;
}

/* ---- MXCSR ---- */

bool op_ldmxcsr(struct cpu *c, const struct insn *in)
{
    uint64_t v;

    if (!sse_check(c) || !opnd_read(c, in, 0, &v)) {
        return false;
    }
    if (v & ~(uint64_t)MXCSR_MASK) {
        return FAULT_GP0(c);
    }
    c->s.mxcsr = (uint32_t)v;
    return true;
}

bool op_stmxcsr(struct cpu *c, const struct insn *in)
{
    return sse_check(c) && opnd_write(c, in, 0, c->s.mxcsr);
}
