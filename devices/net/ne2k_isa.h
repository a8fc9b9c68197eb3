/* Novell NE2000 (16-bit ISA).
 *
 * Wiring by the board: ne2k_isa_init(&c, "net0", irq, net), then map c.regs (32 ports, 300h unless
 * the user says otherwise).  net: its mac is the card's; it must not be shared. */
#pragma once
#include "devices/device.h"
#include "devices/net/dp8390.h"
#include "mem/bus.h"

struct ne2k_isa {
    struct device dev;
    struct region regs;
    struct dp8390 nic;
};

void ne2k_isa_init(struct ne2k_isa *c, const char *id, struct irq_line irq, struct netdev *net);
