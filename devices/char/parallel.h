/* A PC's parallel port with a printer behind it that takes every byte.
 *
 * Wiring by the board:
 *   parallel_init(&p, "parallel0", clk, irq, chr); board_port(&p.regs, 0x378)
 * irq: positive edge, one for each byte that the printer acknowledges.
 * The printer's paper is the character device; with none it still takes bytes. */
#pragma once
#include "base/clock.h"
#include "base/plugs/chardev.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

struct parallel {
    struct device dev;
    struct region regs; /* 4 bytes: data, status, control, open bus */
    struct clock *clk;
    struct vtimer step; /* the printer's next move */
    struct irq_line irq;
    struct chardev *chr;
    uint8_t data;
    uint8_t control; /* bits 5:0 as written */
    bool busy;       /* the printer has a byte */
    bool ack;        /* nACK is low: it has taken the byte */
    bool pending;    /* interrupt since the last look at the status */
};

void parallel_init(struct parallel *p, const char *id, struct clock *clk, struct irq_line irq,
                   struct chardev *chr);
