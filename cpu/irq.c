/* From pins to vectors: what is taken at an instruction boundary, and when.
 * SDM Vol. 3A, "Priority Among Concurrent Events", "Masking Exceptions and Interrupts When
 * Switching Stacks", "Nonmaskable Interrupt (NMI)"; Vol. 3B, "Debug Exceptions".
 *
 * The engine calls irq_poll() at a boundary whenever c->exit_word is set.  TF, RF and instruction
 * breakpoints need the engine's one-instruction way: EXIT_TRAP stays up while any is in use, and
 * the engine puts BS into s.pending_dr6.  A processor that waits for SIPI takes nothing else.
 * NOT IMPLEMENTED: SMI. */
#include "cpu/protect.h"

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
    uint32_t w = c->exit_word & ~(uint32_t)(EXIT_INTR | EXIT_NMI | EXIT_TRAP | EXIT_STARTUP);
    if (c->s.startup) {
        w |= EXIT_STARTUP;
    }
    if (c->s.activity == ACT_WAIT_SIPI) {
        c->exit_word = w;
        return;
    }
    if (c->intr && c->s.rflags & FL_IF) {
        w |= EXIT_INTR;
    }
    if (c->s.nmi_pending && !c->s.nmi_blocked) {
        w |= EXIT_NMI;
    }
    if (c->s.rflags & (FL_TF | FL_RF) || c->s.pending_dr6 ||
        (c->s.dr[7] & 0xff && irq_code_breakpoints(c))) {
        w |= EXIT_TRAP;
    }
    c->exit_word = w;
}

bool cpu_idle(const struct cpu *c)
{
    const struct cpu_state *s = &c->s;
    if (s->activity == ACT_ACTIVE || s->activity == ACT_SHUTDOWN || s->startup) {
        return false;
    }
    if (s->activity == ACT_WAIT_SIPI) {
        return true;
    }
    bool shadow = s->inhibit & INHIBIT_MOVSS;
    return !(!shadow && (s->pending_dr6 || (s->nmi_pending && !s->nmi_blocked))) &&
           !(c->intr && (s->rflags & FL_IF) && !s->inhibit);
}

bool irq_poll(struct cpu *c)
{
    if (c->s.startup) {
        cpu_take_init(c);
    }
    if (c->s.activity == ACT_WAIT_SIPI) {
        cpu_irq_update(c);
        return true;
    }
    if (c->s.pending_dr6 && !(c->s.inhibit & INHIBIT_MOVSS)) {
        /* B0..B3 are of this event alone; BS and the rest only ever add up */
        c->s.dr[6] = (c->s.dr[6] & ~(uint64_t)0xf) | c->s.pending_dr6;
        cpu_fault(c, EXC_DB);
        if (!except_deliver(c)) {
            return false;
        }
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
    cpu_irq_update(c);
    return true;
}
