/* Interrupt flag, EFLAGS on the stack, descriptor-table registers, selector probes.
 * SDM Vol. 2, by instruction; Vol. 3B, "8086 Emulation" for IOPL, VME and PVI.
 * Control, debug and test registers: ops_control.c; CPUID, counters, MSRs: ops_ident.c. */
#include "cpu/protect.h"

bool op_ud(struct cpu *c, const struct insn *in)
{
    (void)in;
    return FAULT_UD(c);
}

bool op_rsm(struct cpu *c, const struct insn *in)
{
    (void)in;
    return FAULT_UD(c); /* never in SMM */
}

static bool system_cpl0(struct cpu *c)
{
    return c->s.cpl == 0 || FAULT_GP0(c);
}

static bool system_umip(struct cpu *c)
{
    return c->s.cpl == 0 || !(c->s.cr4 & CR4_UMIP) || FAULT_GP0(c);
}

static unsigned system_iopl(const struct cpu *c)
{
    return (c->s.rflags & FL_IOPL) >> FL_IOPL_SHIFT;
}

bool op_hlt(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!system_cpl0(c)) {
        return false;
    }
    c->s.activity = ACT_HALTED;
    return true;
}

/* ---- IF ---- */

enum if_way { IF_REAL, IF_VIRTUAL, IF_DENIED };

/* What CLI and STI act on: IF, VIF (VME, PVI) or nothing. */
static enum if_way system_if_way(const struct cpu *c)
{
    if (cpu_is_real(c)) {
        return IF_REAL;
    }
    if (cpu_is_vm86(c)) {
        return system_iopl(c) == 3 ? IF_REAL : c->s.cr4 & CR4_VME ? IF_VIRTUAL : IF_DENIED;
    }
    if (c->s.cpl <= system_iopl(c)) {
        return IF_REAL;
    }
    return c->s.cpl == 3 && c->s.cr4 & CR4_PVI ? IF_VIRTUAL : IF_DENIED;
}

bool op_cli(struct cpu *c, const struct insn *in)
{
    (void)in;
    switch (system_if_way(c)) {
    case IF_REAL: c->s.rflags &= ~(uint64_t)FL_IF; break;
    case IF_VIRTUAL: c->s.rflags &= ~(uint64_t)FL_VIF; break;
    default: return FAULT_GP0(c);
    }
    cpu_irq_update(c);
    return true;
}

bool op_sti(struct cpu *c, const struct insn *in)
{
    (void)in;
    switch (system_if_way(c)) {
    case IF_REAL:
        if (!(c->s.rflags & FL_IF)) {
            c->s.rflags |= FL_IF;
            c->inhibit_next = INHIBIT_STI;
        }
        break;
    case IF_VIRTUAL:
        if (c->s.rflags & FL_VIP) {
            return FAULT_GP0(c);
        }
        c->s.rflags |= FL_VIF;
        break;
    default: return FAULT_GP0(c);
    }
    cpu_irq_update(c);
    return true;
}

bool op_pushf(struct cpu *c, const struct insn *in)
{
    flags_sync(c);
    uint64_t v = c->s.rflags & ~(uint64_t)(FL_VM | FL_RF), sp = stack_sp(c);
    if (cpu_is_vm86(c) && system_iopl(c) != 3) {
        if (!(c->s.cr4 & CR4_VME) || in->osize != 2) {
            return FAULT_GP0(c);
        }
        v = (v & ~(uint64_t)FL_IF) | FL_IOPL | (v & FL_VIF ? FL_IF : 0);
    }
    if (!stack_push(c, &sp, in->osize, v)) {
        return false;
    }
    stack_commit(c, sp);
    return true;
}

bool op_popf(struct cpu *c, const struct insn *in)
{
    uint64_t sp = stack_sp(c), v, mask = FL_STATUS | FL_TF | FL_DF | FL_NT | FL_RF;
    bool vme = false;
    if (cpu_is_vm86(c) && system_iopl(c) != 3) {
        if (!(c->s.cr4 & CR4_VME) || in->osize != 2) {
            return FAULT_GP0(c);
        }
        vme = true;
    }
    if (!stack_pop(c, &sp, in->osize, &v)) {
        return false;
    }
    if (vme) {
        if ((v & FL_IF && c->s.rflags & FL_VIP) || v & FL_TF) {
            return FAULT_GP0(c);
        }
        v = (v & ~(uint64_t)FL_VIF) | (v & FL_IF ? FL_VIF : 0);
        mask |= FL_VIF;
    } else {
        mask |= cpu_is_real(c) || c->s.cpl == 0 ? FL_IOPL | FL_IF : 0;
        mask |= c->s.cpl <= system_iopl(c) ? FL_IF : 0;
    }
    mask |= in->osize >= 4 ? FL_AC | FL_ID : 0;
    flags_sync(c);
    stack_commit(c, sp);
    /* RF is cleared whatever was popped */
    except_set_flags(c, ((c->s.rflags & ~mask) | (v & mask)) & ~(uint64_t)FL_RF);
    return true;
}

/* ---- descriptor-table registers ---- */

static bool system_load_table(struct cpu *c, const struct insn *in, uint64_t *base, uint16_t *limit)
{
    uint64_t ea = insn_ea(c, in), l, b;
    if (!system_cpl0(c)) {
        return false;
    }
    if (c->mode & MODE_CODE64) { /* always ten bytes, whatever the operand size */
        uint8_t d[10];
        if (!mem_read_bytes(c, in->seg, ea, d, sizeof d)) {
            return false;
        }
        if (!addr_canonical(load_le64(d + 2))) {
            return FAULT_GP0(c);
        }
        *limit = load_le16(d);
        *base = load_le64(d + 2);
        return true;
    }
    if (!mem_read(c, in->seg, ea, 2, &l) ||
        !mem_read(c, in->seg, (ea + 2) & bits_mask(in->asize * 8u), 4, &b)) {
        return false;
    }
    *limit = (uint16_t)l;
    *base = in->osize == 2 ? b & 0xffffff : b;
    return true;
}

bool op_lgdt(struct cpu *c, const struct insn *in)
{
    return system_load_table(c, in, &c->s.gdt_base, &c->s.gdt_limit);
}

bool op_lidt(struct cpu *c, const struct insn *in)
{
    return system_load_table(c, in, &c->s.idt_base, &c->s.idt_limit);
}

/* HW: the 32-bit processors store all 32 bits of the base whatever the operand size. */
static bool system_store_table(struct cpu *c, const struct insn *in, uint64_t base, uint16_t limit)
{
    uint8_t b[10];
    if (!system_umip(c)) {
        return false;
    }
    store_le16(b, limit);
    store_le64(b + 2, base);
    return mem_write_bytes(c, in->seg, insn_ea(c, in), b, c->mode & MODE_CODE64 ? 10 : 6);
}

bool op_sgdt(struct cpu *c, const struct insn *in)
{
    return system_store_table(c, in, c->s.gdt_base, c->s.gdt_limit);
}

bool op_sidt(struct cpu *c, const struct insn *in)
{
    return system_store_table(c, in, c->s.idt_base, c->s.idt_limit);
}

static bool system_protected(struct cpu *c)
{
    return (!cpu_is_real(c) && !cpu_is_vm86(c)) || FAULT_UD(c);
}

/* r/m16 source. */
static bool system_selector(struct cpu *c, const struct insn *in, unsigned i, uint16_t *sel)
{
    uint64_t v;
    if (in->o[i].kind == OPND_MEM) {
        if (!mem_read(c, in->seg, insn_ea(c, in), 2, &v)) {
            return false;
        }
    } else {
        v = reg_read(c, in->o[i].reg, 2);
    }
    *sel = (uint16_t)v;
    return true;
}

/* 16 bits to memory, the operand size to a register. */
static bool system_store16(struct cpu *c, const struct insn *in, uint64_t v)
{
    if (in->o[0].kind == OPND_MEM) {
        return mem_write(c, in->seg, insn_ea(c, in), 2, v & 0xffff);
    }
    reg_write(c, in->o[0].reg, in->osize, v);
    return true;
}

/* Long mode: the upper half of a 16-byte descriptor, with bits 63..32 of the base. */
static bool system_base64(struct cpu *c, uint16_t sel, enum cpu_why why, struct desc *d)
{
    d->high = 0;
    if (!(c->mode & MODE_LONG)) {
        return true;
    }
    if (!seg_fetch_high(c, sel, EXC_GP, why, d)) {
        return false;
    }
    return addr_canonical(d->high << 32 | desc_base(d)) ||
           seg_fault(c, EXC_GP, sel, why, d->at);
}

bool op_lldt(struct cpu *c, const struct insn *in)
{
    uint16_t sel;
    struct desc d;
    if (!system_protected(c) || !system_cpl0(c) || !system_selector(c, in, 0, &sel)) {
        return false;
    }
    if (!(sel & 0xfffc)) {
        c->s.ldtr = (struct seg){.sel = sel};
        return true;
    }
    if (sel & 4) {
        return seg_fault(c, EXC_GP, sel, WHY_OTHER, 0);
    }
    if (!seg_fetch(c, sel, EXC_GP, WHY_OTHER, &d)) {
        return false;
    }
    if (desc_is_segment(&d) || desc_type(&d) != DESC_LDT) {
        return seg_fault(c, EXC_GP, sel, WHY_OTHER, d.at);
    }
    if (!desc_present(&d)) {
        return seg_fault(c, EXC_NP, sel, WHY_OTHER, d.at);
    }
    if (!system_base64(c, sel, WHY_OTHER, &d)) {
        return false;
    }
    seg_from_desc(&c->s.ldtr, sel, &d);
    c->s.ldtr.base |= d.high << 32;
    return true;
}

bool op_ltr(struct cpu *c, const struct insn *in)
{
    uint16_t sel;
    struct desc d;
    if (!system_protected(c) || !system_cpl0(c) || !system_selector(c, in, 0, &sel)) {
        return false;
    }
    if (!(sel & 0xfffc)) {
        return FAULT_GP0(c);
    }
    if (sel & 4) {
        return seg_fault(c, EXC_GP, sel, WHY_TSS_BAD, 0);
    }
    if (!seg_fetch(c, sel, EXC_GP, WHY_TSS_BAD, &d)) {
        return false;
    }
    bool wide = c->mode & MODE_LONG, tss16 = desc_type(&d) == DESC_TSS16 && !wide;
    if (desc_is_segment(&d) || (!tss16 && desc_type(&d) != DESC_TSS32)) {
        return seg_fault(c, EXC_GP, sel, WHY_TSS_BAD, d.at);
    }
    if (!desc_present(&d)) {
        return seg_fault(c, EXC_NP, sel, WHY_TSS_BAD, d.at);
    }
    if (!system_base64(c, sel, WHY_TSS_BAD, &d)) {
        return false;
    }
    d.raw |= (uint64_t)2 << 40; /* busy */
    if (!lin_write(c, d.at + 5, 1, false, d.raw >> 40 & 0xff)) {
        return false;
    }
    seg_from_desc(&c->s.tr, sel, &d);
    c->s.tr.base |= d.high << 32;
    return true;
}

bool op_sldt(struct cpu *c, const struct insn *in)
{
    return system_protected(c) && system_umip(c) && system_store16(c, in, c->s.ldtr.sel);
}

bool op_str(struct cpu *c, const struct insn *in)
{
    return system_protected(c) && system_umip(c) && system_store16(c, in, c->s.tr.sel);
}

bool op_smsw(struct cpu *c, const struct insn *in)
{
    return system_umip(c) && system_store16(c, in, c->s.cr0);
}

/* ---- looking at selectors ---- */

static void system_set_zf(struct cpu *c, bool zf)
{
    flags_set_status(c, (flags_status(c) & ~(uint32_t)FL_ZF) | (zf ? FL_ZF : 0));
}

/* The descriptor if `sel` can be seen from here; *ok false: not.  Only paging can fault. */
static bool system_probe(struct cpu *c, uint16_t sel, struct desc *d, bool *ok)
{
    *ok = false;
    if (!(sel & 0xfffc) || !seg_desc_at(c, sel, &d->at)) {
        return true;
    }
    if (!lin_read(c, d->at, 8, false, &d->raw)) {
        return false;
    }
    *ok = desc_is_conforming(d) || (desc_dpl(d) >= c->s.cpl && desc_dpl(d) >= (sel & 3u));
    return true;
}

enum { /* valid system types, bit n: type n */
    LAR_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12,
    LSL_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11,
    LONG_TYPES = 1 << 2 | 1 << 9 | 1 << 11 | 1 << 12 /* of these, those of long mode */
};

static bool system_type_in(const struct cpu *c, const struct desc *d, unsigned types)
{
    types &= c->mode & MODE_LONG ? LONG_TYPES : ~0u;
    return desc_is_segment(d) || (types >> desc_type(d) & 1);
}

bool op_lar(struct cpu *c, const struct insn *in)
{
    uint16_t sel;
    struct desc d;
    bool ok;
    if (!system_protected(c) || !system_selector(c, in, 1, &sel) ||
        !system_probe(c, sel, &d, &ok)) {
        return false;
    }
    ok = ok && system_type_in(c, &d, LAR_TYPES);
    if (ok) {
        reg_write(c, in->o[0].reg, in->osize, d.raw >> 32 & 0xffff00);
    }
    system_set_zf(c, ok);
    return true;
}

bool op_lsl(struct cpu *c, const struct insn *in)
{
    uint16_t sel;
    struct desc d;
    bool ok;
    if (!system_protected(c) || !system_selector(c, in, 1, &sel) ||
        !system_probe(c, sel, &d, &ok)) {
        return false;
    }
    ok = ok && system_type_in(c, &d, LSL_TYPES);
    if (ok) {
        reg_write(c, in->o[0].reg, in->osize, desc_limit(&d));
    }
    system_set_zf(c, ok);
    return true;
}

static bool system_verify(struct cpu *c, const struct insn *in, bool write)
{
    uint16_t sel;
    struct desc d;
    bool ok;
    if (!system_protected(c) || !system_selector(c, in, 0, &sel) ||
        !system_probe(c, sel, &d, &ok)) {
        return false;
    }
    if (ok) {
        bool w = d.raw >> 40 & ATTR_W; /* code: readable */
        ok = desc_is_segment(&d) && (desc_is_code(&d) ? !write && w : !write || w);
    }
    system_set_zf(c, ok);
    return true;
}

bool op_verr(struct cpu *c, const struct insn *in)
{
    return system_verify(c, in, false);
}

bool op_verw(struct cpu *c, const struct insn *in)
{
    return system_verify(c, in, true);
}

bool op_arpl(struct cpu *c, const struct insn *in)
{
    uint64_t v;
    unsigned rpl = c->s.gpr[in->o[1].reg] & 3;
    bool mem = in->o[0].kind == OPND_MEM, less;
    if (!system_protected(c)) {
        return false;
    }
    if (mem) {
        /* AMD asks for write access only when there is something to write */
        bool amd = feat_has(&c->feat, FEAT_AMD);
        if (!(amd ? mem_read(c, in->seg, insn_ea(c, in), 2, &v)
                  : mem_read_rmw(c, in->seg, insn_ea(c, in), 2, &v))) {
            return false;
        }
    } else {
        v = reg_read(c, in->o[0].reg, 2);
    }
    less = (v & 3) < rpl;
    if (less) {
        v = (v & ~(uint64_t)3) | rpl;
        if (mem) {
            if (!mem_write(c, in->seg, insn_ea(c, in), 2, v)) {
                return false;
            }
        } else {
            reg_write(c, in->o[0].reg, 2, v);
        }
    }
    system_set_zf(c, less);
    return true;
}
