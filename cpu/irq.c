/* From pins to vectors: what is taken at an instruction boundary, and when.
 * SDM Vol. 3A, "Priority Among Concurrent Events", "Masking Exceptions and Interrupts When Switching
 * Stacks", "Nonmaskable Interrupt (NMI)"; Vol. 3B, "Debug Exceptions".
 *
 * The engine calls irq_poll() once at each boundary, right before it would execute an instruction,
 * whenever c->exit_word is set.  TF and RF live from boundary to boundary, so EXIT_TRAP stays up while
 * either is set.
 * NOT IMPLEMENTED: SMI, INIT and SIPI (the board resets the CPU by cpu_reset). */
#include "cpu/protect.h"

enum { DR6_BS = 1 << 14 };

static bool irq_code_breakpoints(const struct cpu *c)
{
    for (unsigned i = 0; i < 4; i++) {
        if (c->s.dr[7] >> (i * 2) & 3 && !(c->s.dr[7] >> (16 + i * 4) & 3)) {
            return true;
        }
    }
    return false;
}

void cpu_irq_update(struct cpu *c)
{
    uint32_t w = c->exit_word & ~(uint32_t)(EXIT_INTR | EXIT_NMI | EXIT_TRAP);
    if (c->intr && c->s.rflags & FL_IF) {
        w |= EXIT_INTR;
    }
    if (c->s.nmi_pending && !c->s.nmi_blocked) {
        w |= EXIT_NMI;
    }
    if (c->s.rflags & (FL_TF | FL_RF) || c->s.pending_dr6 || c->tf_armed ||
        (c->s.dr[7] & 0xff && irq_code_breakpoints(c))) {
        w |= EXIT_TRAP;
    }
    c->exit_word = w;
}

static bool irq_debug_fault(struct cpu *c, uint64_t dr6)
{
    cpu_fault(c, EXC_DB);
    c->fault.cr2 = dr6;
    return except_deliver(c);
}

/* Instruction breakpoints are faults: before the instruction, unless RF. */
static uint64_t irq_match_code(const struct cpu *c)
{
    uint64_t lin = c->mode & MODE_CODE64 ? c->s.rip
                                         : (c->s.seg[SEG_CS].base + c->s.rip) & 0xffffffff;
    uint64_t hit = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (c->s.dr[7] >> (i * 2) & 3 && !(c->s.dr[7] >> (16 + i * 4) & 3) && c->s.dr[i] == lin) {
            hit |= (uint64_t)1 << i;
        }
    }
    return hit;
}

static bool irq_poll_traps(struct cpu *c)
{
    bool shadow = c->s.inhibit & INHIBIT_MOVSS;
    if (c->tf_armed && !shadow) { /* HW: the trap of MOV SS itself is lost, not postponed */
        c->s.pending_dr6 |= DR6_BS;
    }
    c->tf_armed = false;
    if (c->s.pending_dr6 && !shadow) {
        uint64_t dr6 = c->s.pending_dr6;
        c->s.pending_dr6 = 0;
        if (!irq_debug_fault(c, dr6)) {
            return false;
        }
    }
    if (c->s.rflags & FL_RF) {
        if (c->rf_held && c->rf_rip != c->s.rip) {
            c->s.rflags &= ~(uint64_t)FL_RF;
            c->rf_held = false;
        } else {
            c->rf_held = true;
            c->rf_rip = c->s.rip;
        }
    }
    if (c->s.dr[7] & 0xff && !(c->s.rflags & FL_RF) && !shadow) {
        uint64_t hit = irq_match_code(c);
        if (hit && !irq_debug_fault(c, hit)) {
            return false;
        }
    }
    return true;
}

bool irq_poll(struct cpu *c)
{
    /* a trap pending behind HLT ends it; breakpoints wait until there is an instruction */
    bool trap = c->tf_armed || c->s.pending_dr6;
    if ((c->s.activity == ACT_ACTIVE || trap) && !irq_poll_traps(c)) {
        return false;
    }
    if (c->s.nmi_pending && !c->s.nmi_blocked && !(c->s.inhibit & INHIBIT_MOVSS)) {
        c->s.nmi_pending = false;
        c->s.nmi_blocked = true;
        if (!except_interrupt(c, EXC_NMI)) {
            return false;
        }
    }
    if (c->intr && c->s.rflags & FL_IF && !c->s.inhibit) {
        int vector = c->env.ack_irq ? c->env.ack_irq(c->env.pic) : -1;
        if (vector >= 0 && !except_interrupt(c, (unsigned)vector & 0xff)) {
            return false;
        }
    }
    c->tf_armed = c->s.rflags & FL_TF;
    cpu_irq_update(c);
    return true;
}
