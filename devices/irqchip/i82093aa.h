/* Intel 82093AA I/O APIC.
 *
 * Wiring by the board:
 *   i82093aa_init(&io, "ioapic", &apic_bus, id); io.regs mapped at FEC00000h;
 *   sources drive {i82093aa_set, &io, pin}. */
#pragma once
#include "devices/device.h"
#include "devices/irqchip/apic_bus.h"
#include "mem/irq.h"

#define I82093AA_PINS 24

struct i82093aa {
    struct device dev;
    struct region regs; /* FEC00000h: IOREGSEL and IOWIN */
    struct apic_bus *bus;
    uint32_t lines;     /* INTIN0-INTIN23 as they are now: asserted */
    uint8_t id, sel;
    uint64_t entry[I82093AA_PINS];
};

enum { /* in an entry's low half */
    IOAPIC_LOGICAL = 1 << 11, IOAPIC_POLARITY = 1 << 13, IOAPIC_REMOTE_IRR = 1 << 14,
    IOAPIC_LEVEL = 1 << 15, IOAPIC_MASK = 1 << 16
};

void i82093aa_init(struct i82093aa *io, const char *id, struct apic_bus *bus);
void i82093aa_set(void *io, unsigned pin, bool level); /* an irq_line's set */
