/* The local APIC of one processor.
 *
 * Wiring by the board:
 *   apic_bus_init(&bus, ...); lapic_init(&l, "lapic0", &clk, &bus, 0, &pins);
 *   bus.regs mapped where lapic_set_base() was told by the processor's IA32_APIC_BASE;
 *   the 8259A's INT to {lapic_lint, &l, 0}, NMI sources to {lapic_lint, &l, 1};
 *   INTA asks lapic_ack(), and the 8259A when that says LAPIC_EXTINT. */
#pragma once
#include "base/clock.h"
#include "devices/device.h"
#include "devices/irqchip/apic_bus.h"
#include "mem/irq.h"

/* The timer counts this clock divided by DCR.  1 GHz, as QEMU's: a tick is a virtual nanosecond. */
#define LAPIC_TIMER_HZ 1000000000u

enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };
enum { LAPIC_NONE = -1, LAPIC_EXTINT = -2 };

struct lapic_pins { /* towards the processor */
    struct irq_line intr;           /* level: something to acknowledge */
    struct irq_line nmi, init, smi; /* pulses */
    void (*startup)(void *ctx, uint8_t vector);
    void *ctx;
};

struct lapic {
    struct device dev;
    struct clock *clk;
    struct apic_bus *bus;
    struct lapic_pins pins;
    uint8_t initial_id;
    uint64_t base; /* IA32_APIC_BASE, as the processor told */
    uint8_t id, tpr;
    uint8_t lint; /* LINT0, LINT1 as they are now */
    bool ext;     /* an ExtINT message (not the pin) waits for INTA */
    uint32_t ldr, dfr, svr;
    uint32_t isr[8], tmr[8], irr[8];
    uint32_t esr, errors; /* as last latched; since then */
    uint32_t icr[2];
    uint32_t lvt[LVT_COUNT];
    /* The timer does not count: its count is a function of when it was `initial`, and now. */
    uint32_t initial, dcr;
    bool running;
    uint64_t start;
    struct vtimer timer;
};

void lapic_init(struct lapic *l, const char *id, struct clock *clk, struct apic_bus *bus,
                uint8_t apic_id, const struct lapic_pins *pins);
/* IA32_APIC_BASE: bit 11 off takes the chip away, and LINT0 and LINT1 become INTR and NMI. */
void lapic_set_base(struct lapic *l, uint64_t msr);
void lapic_lint(void *l, unsigned pin, bool level); /* an irq_line's set */
/* INTA: a vector, LAPIC_EXTINT (ask the 8259A), or LAPIC_NONE. */
int lapic_ack(struct lapic *l);
uint8_t lapic_tpr(const struct lapic *l);
void lapic_set_tpr(struct lapic *l, uint8_t tpr);

/* for the APIC bus */
uint32_t lapic_read(struct lapic *l, uint64_t off, unsigned size);
void lapic_write(struct lapic *l, uint64_t off, uint64_t val, unsigned size);
bool lapic_is_dest(const struct lapic *l, uint8_t dest, bool logical);
bool lapic_accepts(const struct lapic *l); /* fixed interrupts: it is there and enabled */
bool lapic_has_focus(const struct lapic *l, uint8_t vector);
uint8_t lapic_priority(const struct lapic *l); /* what the processor is doing: PPR */
void lapic_deliver(struct lapic *l, const struct apic_msg *m);
uint32_t lapic_count(const struct lapic *l); /* the timer's current count */
unsigned lapic_shift(const struct lapic *l); /* its divisor is 1 << this */
