/* Intel 8042 keyboard controller with the PS/2 mouse port. */
#pragma once
#include "base/clock.h"
#include "base/fifo.h"
#include "devices/device.h"
#include "devices/input/ps2.h"
#include "mem/bus.h"
#include "mem/irq.h"

enum { I8042_KBD, I8042_AUX };

struct i8042 {
    struct device dev;
    struct region data;      /* 1 byte: 60h */
    struct region command;   /* 1 byte: 64h */
    struct clock *clk;
    struct irq_line irq[2];  /* keyboard: IRQ1, mouse: IRQ12 */
    struct irq_line a20;     /* high: address line 20 enabled */
    struct irq_line reset;   /* pulses high: reset of the processor (and, on a PC, the board) */
    struct ps2_device *port[2]; /* what is plugged in; wiring, not state */
    struct vtimer xfer;      /* the next byte from a device or the controller is in */
    uint8_t status;          /* OBF, SYS, A2, AUX OBF, TIMEOUT as kept; others computed */
    uint8_t out;             /* output buffer */
    uint8_t outport;
    uint8_t ram[32];         /* ram[0]: command byte */
    uint8_t pending;         /* command that waits for its data byte; 0: none */
    bool break_next;         /* translation: F0 was seen */
    bool password_loading;
    bool aux_last;           /* the mouse was served last */
    uint8_t reply_buf[16];
    struct fifo reply;       /* the controller's own answers: low byte of pairs {flags, byte} */
};

void i8042_init(struct i8042 *k, const char *id, struct clock *clk, struct irq_line irq1,
                struct irq_line irq12, struct irq_line a20, struct irq_line reset);
void i8042_attach(struct i8042 *k, unsigned port,
                  struct ps2_device *dev); /* before the first reset */
