/* Routing of interrupt messages between APICs.  SDM Vol. 3A, "Determining IPI Destination",
 * "Lowest Priority Delivery Mode", "Interrupt Command Register (ICR)".
 *
 * Wires only: there is nothing in here to save.  Equal priorities are decided for the lower
 * number: no arbitration ID rotates (it has no effect on xAPICs).
 * NOT IMPLEMENTED: bus errors and retries: a message nobody takes is gone. */
#include "devices/irqchip/apic_bus.h"

#include "devices/irqchip/lapic.h"

static bool apic_bus_addressed(const struct apic_msg *m, const struct lapic *l,
                               const struct lapic *from)
{
    switch (m->to) {
    case APIC_TO_SELF: return l == from;
    case APIC_TO_ALL: return true;
    case APIC_TO_OTHERS: return l != from;
    default: return lapic_is_dest(l, m->dest, m->logical);
    }
}

/* A processor that already has the vector takes it again; else the least busy one. */
static struct lapic *apic_bus_lowest(struct apic_bus *bus, const struct apic_msg *m,
                                     const struct lapic *from)
{
    struct lapic *best = NULL;
    for (unsigned i = 0; i < bus->chips; i++) {
        struct lapic *l = bus->chip[i];
        if (!apic_bus_addressed(m, l, from) || !lapic_accepts(l)) {
            continue;
        }
        if (lapic_has_focus(l, m->vector)) {
            return l;
        }
        if (!best || lapic_priority(l) < lapic_priority(best)) {
            best = l;
        }
    }
    return best;
}

void apic_bus_send(struct apic_bus *bus, const struct apic_msg *m, const struct lapic *from)
{
    if (m->mode == APIC_LOWEST) {
        struct lapic *l = apic_bus_lowest(bus, m, from);
        if (l) {
            lapic_deliver(l, m);
        }
        return;
    }
    for (unsigned i = 0; i < bus->chips; i++) {
        if (apic_bus_addressed(m, bus->chip[i], from)) {
            lapic_deliver(bus->chip[i], m);
        }
    }
}

void apic_bus_eoi(struct apic_bus *bus, uint8_t vector)
{
    for (unsigned i = 0; i < bus->ios; i++) {
        bus->io[i].eoi(bus->io[i].ctx, vector);
    }
}

static struct lapic *apic_bus_chip(struct apic_bus *bus)
{
    return bus->current ? bus->current(bus->ctx) : bus->chip[0];
}

static uint64_t apic_bus_read(void *dev, uint64_t off, unsigned size)
{
    struct lapic *l = apic_bus_chip(dev);
    return l ? lapic_read(l, off, size) : UINT32_MAX;
}

static void apic_bus_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct lapic *l = apic_bus_chip(dev);
    if (l) {
        lapic_write(l, off, val, size);
    }
}

static const struct region_ops apic_bus_ops = {apic_bus_read, apic_bus_write, 1, 4};

void apic_bus_init(struct apic_bus *bus, struct lapic *(*current)(void *ctx), void *ctx)
{
    *bus = (struct apic_bus){
        .regs = {.name = "lapic.regs",
                 .base = 0xfee00000,
                 .len = 0x1000,
                 .priority = 4, /* wherever it is moved to, it lies on top */
                 .ops = &apic_bus_ops,
                 .dev = bus},
        .current = current,
        .ctx = ctx,
    };
}

void apic_bus_add(struct apic_bus *bus, struct lapic *chip)
{
    if (bus->chips < APIC_CHIPS) {
        bus->chip[bus->chips++] = chip;
    }
}

void apic_bus_add_io(struct apic_bus *bus, void (*eoi)(void *ctx, uint8_t vector), void *ctx)
{
    if (bus->ios < APIC_IO_CHIPS) {
        bus->io[bus->ios].eoi = eoi;
        bus->io[bus->ios++].ctx = ctx;
    }
}
