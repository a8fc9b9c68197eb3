/* A board of nothing but places to try a processor and its interrupt controllers on.
 *
 * Wiring by the board:
 *   pc_testdev_init(&t, "testdev", irq);   irq[n]: a wire to ISA IRQ n
 *   ports t.latch E0h, t.flush E4h, t.bytes E8h, t.lines 2000h; memory t.mem FF000000h */
#pragma once
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

enum { PC_TESTDEV_IRQS = 16, PC_TESTDEV_MEM = 0x10000 };

struct pc_testdev {
    struct device dev;
    struct region latch, flush, bytes, lines, mem;
    struct irq_line irq[PC_TESTDEV_IRQS];
    uint32_t value;
    uint8_t data[PC_TESTDEV_MEM];
};

void pc_testdev_init(struct pc_testdev *t, const char *id,
                     const struct irq_line irq[PC_TESTDEV_IRQS]);
