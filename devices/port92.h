/* Port 92h: fast A20 and fast reset. */
#pragma once
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

struct port92 {
    struct device dev;
    struct region regs;     /* 1 byte: 92h */
    struct irq_line a20;    /* high: address line 20 enabled (the board ORs it with the 8042's) */
    struct irq_line reset;  /* pulses high: INIT to the processor */
    uint8_t value;
};

void port92_init(struct port92 *p, const char *id, struct irq_line a20, struct irq_line reset);
