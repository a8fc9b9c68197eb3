/* IRET in all its forms, INT and friends, BOUND.
 * SDM Vol. 2, "IRET/IRETD/IRETQ", "INT n/INTO/INT3/INT1"; Vol. 3A, "IRET in IA-32e Mode"; Vol. 3B,
 * "8086 Emulation", "Software Interrupt Handling Methods While Operating in Virtual-8086 Mode". */
#include "cpu/protect.h"

/* ---- IRET ---- */

#define IRET_ALWAYS ((uint64_t)(FL_STATUS | FL_TF | FL_DF | FL_NT))

static void iret_flags(struct cpu *c, uint64_t v, uint64_t mask)
{
    flags_sync(c);
    except_set_flags(c, (c->s.rflags & ~mask) | (v & mask));
}

static bool iret_real(struct cpu *c, const struct stk *k, unsigned size, const uint64_t v[3])
{
    bool vm = cpu_is_vm86(c);
    uint64_t mask = IRET_ALWAYS | FL_IF, flags = v[2];
    if (vm && (c->s.rflags & FL_IOPL) != FL_IOPL) {
        if (!(c->s.cr4 & CR4_VME) || size != 2) {
            return FAULT_GP0(c);
        }
        if ((flags & FL_IF && c->s.rflags & FL_VIP) || flags & FL_TF) {
            return FAULT_GP0(c);
        }
        mask = (mask & ~(uint64_t)FL_IF) | FL_VIF;
        flags = (flags & ~(uint64_t)FL_VIF) | (flags & FL_IF ? FL_VIF : 0);
    }
    if (v[0] > c->s.seg[SEG_CS].limit) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, v[0]);
    }
    mask |= vm ? 0 : FL_IOPL;
    mask |= size == 4 ? FL_RF | FL_AC | FL_ID : 0;
    stack_commit(c, k->sp + 3 * size);
    if (vm) {
        seg_set_vm86(c, SEG_CS, (uint16_t)v[1]);
    } else {
        seg_set_real(c, SEG_CS, (uint16_t)v[1]);
    }
    c->next_rip = v[0];
    iret_flags(c, flags, mask);
    return true;
}

static bool iret_to_vm86(struct cpu *c, const struct stk *k, const uint64_t v[3])
{
    static const uint8_t segs[] = {SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    uint64_t esp, sel[5];
    if (!stk_read(c, k, k->sp + 12, 4, &esp)) {
        return false;
    }
    for (unsigned i = 0; i < 5; i++) {
        if (!stk_read(c, k, k->sp + 16 + i * 4, 4, &sel[i])) {
            return false;
        }
    }
    if (v[0] > 0xffff) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, v[0]);
    }
    c->s.cpl = 3;
    c->s.gpr[REG_SP] = esp;
    c->next_rip = v[0];
    except_set_flags(c, v[2]);
    seg_set_vm86(c, SEG_CS, (uint16_t)v[1]);
    for (unsigned i = 0; i < 5; i++) {
        seg_set_vm86(c, segs[i], (uint16_t)sel[i]);
    }
    if (c->s.cr4 & CR4_VME && (c->s.rflags & (FL_VIF | FL_VIP)) == (FL_VIF | FL_VIP)) {
        c->s.rip = c->next_rip; /* an interrupt is waiting for VIF: #GP at the first instruction */
        return FAULT_GP0(c);
    }
    return true;
}

static bool iret_task(struct cpu *c)
{
    uint64_t link;
    struct desc d;
    if (!lin_read(c, c->s.tr.base, 2, false, &link)) {
        return false;
    }
    uint16_t sel = (uint16_t)link;
    if (sel & 4) {
        return seg_fault(c, EXC_TS, sel, WHY_TSS_BAD, c->s.tr.base);
    }
    if (!seg_fetch(c, sel, EXC_TS, WHY_TSS_LIMIT, &d)) {
        return false;
    }
    if (desc_is_segment(&d) ||
        (desc_type(&d) != DESC_TSS16_BUSY && desc_type(&d) != DESC_TSS32_BUSY)) {
        return seg_fault(c, EXC_TS, sel, WHY_TSS_BAD, d.at);
    }
    if (!desc_present(&d)) {
        return seg_fault(c, EXC_NP, sel, WHY_TSS_BAD, d.at);
    }
    return far_task(c, sel, &d, TASK_IRET);
}

static bool iret_protected(struct cpu *c, const struct stk *k, unsigned size, const uint64_t v[3])
{
    struct desc code, stack;
    uint16_t cs = (uint16_t)v[1];
    uint64_t sp = 0, ss = 0;
    unsigned rpl = cs & 3;
    if (!far_check_return(c, cs, &code)) {
        return false;
    }
    bool outer = rpl > c->s.cpl, pops_stack = outer || c->mode & MODE_CODE64;
    if (pops_stack && (!stk_read(c, k, k->sp + 3 * size, size, &sp) ||
                       !stk_read(c, k, k->sp + 4 * size, size, &ss) ||
                       !far_check_outer(c, (uint16_t)ss, rpl, &code, &stack))) {
        return false;
    }
    if (!far_limit(c, &code, v[0]) || !seg_mark_accessed(c, &code) ||
        (pops_stack && !far_mark_outer(c, &stack))) {
        return false;
    }
    uint64_t mask = IRET_ALWAYS;
    mask |= size >= 4 ? FL_RF | FL_AC | FL_ID : 0;
    if (c->s.cpl <= (c->s.rflags & FL_IOPL) >> FL_IOPL_SHIFT) {
        mask |= FL_IF;
    }
    if (c->s.cpl == 0) {
        mask |= FL_IOPL | (size >= 4 ? FL_VIF | FL_VIP : 0);
    }
    if (!pops_stack) {
        stack_commit(c, k->sp + 3 * size);
    }
    far_set_cs(c, cs, &code, rpl);
    iret_flags(c, v[2], mask);
    if (pops_stack) {
        far_set_outer(c, (uint16_t)ss, &stack);
        stack_commit(c, sp);
    }
    if (outer) {
        seg_drop_inner(c);
    }
    c->next_rip = v[0];
    return true;
}

bool op_iret(struct cpu *c, const struct insn *in)
{
    unsigned size = in->osize;
    bool real = cpu_is_real(c) || cpu_is_vm86(c);
    uint64_t v[3]; /* IP, CS, FLAGS */
    struct stk k;

    c->s.nmi_blocked = false; /* even if it faults */
    cpu_irq_update(c);
    if (!real && c->s.rflags & FL_NT) {
        return c->mode & MODE_LONG ? FAULT_GP0(c) : iret_task(c);
    }
    if (cpu_is_vm86(c) && (c->s.rflags & FL_IOPL) != FL_IOPL &&
        (!(c->s.cr4 & CR4_VME) || size != 2)) {
        return FAULT_GP0(c);
    }
    stk_current(c, &k);
    for (unsigned i = 0; i < 3; i++) {
        if (!stk_read(c, &k, k.sp + i * size, size, &v[i])) {
            return false;
        }
    }
    if (real) {
        return iret_real(c, &k, size, v);
    }
    if (size == 4 && v[2] & FL_VM && c->s.cpl == 0 && !(c->mode & MODE_LONG)) {
        return iret_to_vm86(c, &k, v);
    }
    return iret_protected(c, &k, size, v);
}

/* ---- INT ---- */

/* Virtual-8086 INT n whose bit in the TSS's redirection map is clear: to the 8086 program's own
 * handler, through the vector table at linear 0 (methods 5 and 6). */
static bool int_redirected(struct cpu *c, unsigned vector)
{
    bool iopl3 = (c->s.rflags & FL_IOPL) == FL_IOPL;
    uint64_t vec;
    struct stk k;
    flags_sync(c);
    uint32_t image = c->s.rflags & 0xffff;
    if (!iopl3) {
        image = (image & ~(uint32_t)FL_IF) | FL_IOPL | (c->s.rflags & FL_VIF ? FL_IF : 0);
    }
    if (!lin_read(c, vector * 4, 4, true, &vec)) {
        return false;
    }
    struct frame f = {{image, c->s.seg[SEG_CS].sel, (uint32_t)c->next_rip & 0xffff}, 3, 2};
    stk_current(c, &k);
    if (!stk_push_frame(c, &k, &f)) {
        return false;
    }
    c->s.gpr[REG_SP] = k.sp;
    seg_set_vm86(c, SEG_CS, (uint16_t)(vec >> 16));
    c->next_rip = vec & 0xffff;
    except_set_flags(c, c->s.rflags & ~(uint64_t)(FL_TF | FL_NT | (iopl3 ? FL_IF : FL_VIF)));
    return true;
}

/* The redirection bit of vector: 32 bytes in front of the I/O map.  *set: to protected mode. */
static bool int_redirection_bit(struct cpu *c, unsigned vector, bool *set)
{
    const struct seg *tr = &c->s.tr;
    uint64_t base, byte;
    *set = true;
    if (!(tr->attr & 8) || tr->limit < 0x67) {
        return true;
    }
    if (!lin_read(c, tr->base + 0x66, 2, false, &base)) {
        return false;
    }
    if (base < 32 || base - 32 + vector / 8 > tr->limit) {
        return true;
    }
    if (!lin_read(c, tr->base + base - 32 + vector / 8, 1, false, &byte)) {
        return false;
    }
    *set = byte >> (vector & 7) & 1;
    return true;
}

bool op_int(struct cpu *c, const struct insn *in)
{
    unsigned vector = in->imm & 0xff;
    if (cpu_is_vm86(c)) {
        bool to_monitor = true;
        if (c->s.cr4 & CR4_VME && !int_redirection_bit(c, vector, &to_monitor)) {
            return false;
        }
        if (!to_monitor) {
            return int_redirected(c, vector);
        }
        if ((c->s.rflags & FL_IOPL) != FL_IOPL) {
            return FAULT_GP0(c);
        }
    }
    return except_soft_int(c, vector, OP_int);
}

bool op_int3(struct cpu *c, const struct insn *in)
{
    (void)in;
    return except_soft_int(c, EXC_BP, OP_int3);
}

bool op_into(struct cpu *c, const struct insn *in)
{
    (void)in;
    return !flag_of(c) || except_soft_int(c, EXC_OF, OP_into);
}

bool op_int1(struct cpu *c, const struct insn *in)
{
    (void)in;
    return except_soft_int(c, EXC_DB, OP_int1);
}

bool op_bound(struct cpu *c, const struct insn *in)
{
    uint64_t ea = insn_ea(c, in), lo, hi;
    unsigned bits = in->osize * 8u;
    if (!mem_read(c, in->seg, ea, in->osize, &lo) ||
        !mem_read(c, in->seg, (ea + in->osize) & bits_mask(in->asize * 8u), in->osize, &hi)) {
        return false;
    }
    int64_t v = bits_sext(reg_read(c, in->o[0].reg, in->osize), bits);
    if (v < bits_sext(lo, bits) || v > bits_sext(hi, bits)) {
        return cpu_fault(c, EXC_BR);
    }
    return true;
}
