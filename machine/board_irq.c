/* Interrupt wires of the board: sixteen ISA IRQs that reach both the 8259A pair and the I/O APIC,
 * the local APICs between them and the processors.
 *
 *   IRQ n ---+--> 8259A pair --INT--> LINT0 of local APIC 0 --INTR--> processor 0
 *            +--> I/O APIC pin n (IRQ 0: pin 2) --messages--> any local APIC n --INTR--> n
 *   NMI ---------> LINT1 of every local APIC
 *
 * The local APICs' registers lie at one address for all; who accesses them sees its own.
 * NOT IMPLEMENTED: local APICs at different addresses (the last one moved says where they lie; a
 * processor whose IA32_APIC_BASE says otherwise finds nobody there).
 *
 * Several chips may drive one IRQ: it is the OR of its sources.  PCI interrupts come through the
 * PIIX3's routing on the same sixteen wires, active high (the MADT and MP tables say so). */
#include "machine/board_int.h"

#include "base/log.h"

/* ---- the processor's side ---- */

/* Processor n gets something to do: whoever runs has company from the next instruction on. */
static void board_woken(struct board *b, unsigned n)
{
    if (n != b->m->turn) {
        cpu_resched(machine_cpu(b->m));
    }
}

static void board_intr(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    if (pin < b->m->cpus) {
        cpu_irq(b->m->cpu[pin], level);
        board_woken(b, pin);
    }
}

static void board_nmi_pin(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    if (level && pin < b->m->cpus) {
        cpu_nmi(b->m->cpu[pin]);
        board_woken(b, pin);
    }
}

static void board_init_pin(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    if (level && pin < b->m->cpus) {
        cpu_init_pin(b->m->cpu[pin]);
        board_woken(b, pin);
    }
}

static void board_smi_pin(void *sink, unsigned pin, bool level)
{
    (void)sink;
    (void)pin;
    if (level) {
        log_msg(LOG_UNIMP, "board", "SMI: there is no system management mode");
    }
}

static void board_startup(void *ctx, uint8_t vector)
{
    const struct board_cpu *p = ctx;
    if (p->i < p->b->m->cpus) {
        cpu_sipi(p->b->m->cpu[p->i], vector);
        board_woken(p->b, p->i);
    }
}

int board_inta(void *ctx)
{
    const struct board_cpu *p = ctx;
    int vector = lapic_ack(&p->b->lapic[p->i]);
    return vector == LAPIC_EXTINT ? i8259_ack(&p->b->pic[0]) : vector;
}

static unsigned board_bits_for(unsigned n) /* to number n of them */
{
    unsigned bits = 0;
    while (1u << bits < n) {
        bits++;
    }
    return bits;
}

/* SDM Vol. 3A, "Hierarchical Mapping of Shared Resources": fields for socket, core and thread, each
 * as wide as it must be. */
uint8_t board_apic_id(const struct machine_config *cfg, unsigned cpu)
{
    unsigned threads = cfg->threads, cores = cfg->cores, tbits = board_bits_for(threads);
    unsigned socket = cpu / (cores * threads), core = cpu / threads % cores, thread = cpu % threads;
    return (uint8_t)((socket << board_bits_for(cores) | core) << tbits | thread);
}

/* Whose access it is: only processors reach local APICs, one at a time. */
static struct lapic *board_lapic(void *ctx)
{
    struct board *b = ctx;
    struct lapic *l = &b->lapic[b->m->turn];
    bool here = l->base & APIC_BASE_ENABLE && (l->base & ~(uint64_t)0xfff) == b->apic.regs.base;
    return here ? l : NULL;
}

/* IA32_APIC_BASE was written, or the processor reset. */
static void board_apic_base(void *ctx, uint64_t msr)
{
    const struct board_cpu *p = ctx;
    struct board *b = p->b;
    struct region *r = &b->apic.regs;
    uint64_t at = msr & ~(uint64_t)0xfff;
    bool on = msr & APIC_BASE_ENABLE, any = on;
    struct err err = {0};
    lapic_set_base(&b->lapic[p->i], msr);
    for (unsigned i = 0; i < b->m->cfg.cpus; i++) {
        any |= b->lapic[i].base & APIC_BASE_ENABLE;
    }
    if (r->mapped && (!any || (on && r->base != at))) {
        bus_unmap(b->m->mem, r);
    }
    r->base = on ? at : r->base;
    if (on && !r->mapped && !bus_map(b->m->mem, r, &err)) {
        log_msg(LOG_GUEST, "board", "%s", err.msg);
    }
}

static uint8_t board_tpr(void *ctx)
{
    const struct board_cpu *p = ctx;
    return lapic_tpr(&p->b->lapic[p->i]);
}

static void board_set_tpr(void *ctx, uint8_t tpr)
{
    const struct board_cpu *p = ctx;
    lapic_set_tpr(&p->b->lapic[p->i], tpr);
}

struct cpu_apic board_cpu_apic(struct board *b, unsigned cpu)
{
    return (struct cpu_apic){
        .ctx = &b->place[cpu], .base = board_apic_base, .tpr = board_tpr, .set_tpr = board_set_tpr};
}

void board_nmi(struct board *b)
{
    for (unsigned i = 0; i < b->m->cpus; i++) {
        lapic_lint(&b->lapic[i], 1, true);
        lapic_lint(&b->lapic[i], 1, false);
    }
}

/* ---- the devices' side ---- */

/* Whether the HPET stands in for the timer that drives this IRQ directly. */
static bool board_irq_replaced(const struct board *b, unsigned irq)
{
    return b->hpet_legacy && (irq == 0 || irq == 8);
}

static void board_irq_update(struct board *b, unsigned irq)
{
    uint16_t all = b->irq[BOARD_IRQ_PIIX3] | b->irq[BOARD_IRQ_HPET] | b->irq[BOARD_IRQ_TEST];
    for (unsigned i = 0; i < MACHINE_PARALLELS; i++) {
        all |= b->irq[BOARD_IRQ_LPT + i];
    }
    if (!board_irq_replaced(b, irq)) {
        all |= b->irq[BOARD_IRQ_CHIP];
    }
    bool level = all >> irq & 1;
    if (level && !(b->irq_level >> irq & 1)) {
        b->irq_count[irq]++;
    }
    b->irq_level = (uint16_t)((b->irq_level & ~(1u << irq)) | (unsigned)level << irq);
    i8259_set(&b->pic[irq >> 3], irq & 7, level);
    i82093aa_set(&b->ioapic, irq ? irq : 2, level);
}

/* pin: 16 * source + IRQ */
static void board_irq_set(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    unsigned irq = pin & 15, source = pin >> 4;
    uint16_t bit = (uint16_t)(1u << irq);
    b->irq[source] = (uint16_t)(level ? b->irq[source] | bit : b->irq[source] & ~bit);
    if (source == BOARD_IRQ_CHIP && irq == 8 && level && b->has_pm) {
        piix4_pm_rtc(&b->pm); /* the PIIX4 sees the RTC's own pin */
    }
    board_irq_update(b, irq);
}

struct irq_line board_irq(struct board *b, enum board_irq_source source, unsigned irq)
{
    return board_line(board_irq_set, b, source * 16 + irq);
}

static void board_hpet_legacy(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    (void)pin;
    b->hpet_legacy = level;
    board_irq_update(b, 0);
    board_irq_update(b, 8);
}

static bool board_hpet(struct board *b, struct err *err)
{
    struct hpet_pins pins = {.irq0 = board_irq(b, BOARD_IRQ_HPET, 0),
                             .irq8 = board_irq(b, BOARD_IRQ_HPET, 8),
                             .legacy = board_line(board_hpet_legacy, b, 0)};
    if (b->m->cfg.no_hpet) {
        return true;
    }
    for (unsigned i = 0; i < HPET_ROUTES; i++) {
        pins.apic[i] = board_line(i82093aa_set, &b->ioapic, HPET_ROUTE + i);
    }
    hpet_init(&b->hpet, "hpet", &b->m->clk, &pins);
    board_add(b, &b->hpet.dev);
    return bus_map(b->m->mem, &b->hpet.regs, err);
}

static void board_lapics(struct board *b)
{
    static const char *const id[MACHINE_CPUS] = {"lapic0", "lapic1", "lapic2", "lapic3",
                                                 "lapic4", "lapic5", "lapic6", "lapic7"};
    apic_bus_init(&b->apic, board_lapic, b);
    for (unsigned i = 0; i < b->m->cfg.cpus; i++) {
        b->place[i] = (struct board_cpu){b, i};
        struct lapic_pins pins = {.intr = board_line(board_intr, b, i),
                                  .nmi = board_line(board_nmi_pin, b, i),
                                  .init = board_line(board_init_pin, b, i),
                                  .smi = board_line(board_smi_pin, b, i),
                                  .startup = board_startup,
                                  .ctx = &b->place[i]};
        lapic_init(&b->lapic[i], id[i], &b->m->clk, &b->apic, board_apic_id(&b->m->cfg, i), &pins);
    }
}

bool board_irqs(struct board *b, struct err *err)
{
    i8259_init(&b->pic[0], "pic0", board_line(lapic_lint, &b->lapic[0], 0), 0xf8);
    i8259_init(&b->pic[1], "pic1", i8259_pin(&b->pic[0], 2), 0xde);
    i8259_cascade(&b->pic[0], &b->pic[1]);
    board_lapics(b);
    i82093aa_init(&b->ioapic, "ioapic0", &b->apic);
    board_add(b, &b->pic[0].dev);
    board_add(b, &b->pic[1].dev);
    for (unsigned i = 0; i < b->m->cfg.cpus; i++) {
        board_add(b, &b->lapic[i].dev);
    }
    board_add(b, &b->ioapic.dev);
    return board_port(b, &b->pic[0].regs, 0x20, err) && board_port(b, &b->pic[1].regs, 0xa0, err) &&
           board_port(b, &b->pic[0].elcr_reg, 0x4d0, err) &&
           board_port(b, &b->pic[1].elcr_reg, 0x4d1, err) &&
           bus_map(b->m->mem, &b->ioapic.regs, err) && board_hpet(b, err);
}

void board_irq_snap(struct board *b, struct snap *s)
{
    for (unsigned i = 0; i < BOARD_IRQ_SOURCES; i++) {
        snap_u16(s, "irq", &b->irq[i]);
    }
    snap_u16(s, "irq_level", &b->irq_level);
    snap_bool(s, "hpet_legacy", &b->hpet_legacy);
}
