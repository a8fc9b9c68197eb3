/* Intel 8254 programmable interval timer at 1.193182 MHz. */
#pragma once
#include "base/clock.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

#define I8254_HZ 1193182u

struct i8254_channel {
    uint8_t control;     /* RW1-0, M2-0, BCD as written (bits 5..0) */
    uint8_t low;         /* first byte of a two-byte count */
    bool write_high, read_high; /* the byte that comes next */
    bool gate;
    bool loaded;         /* a count was written since the control word */
    bool triggered;      /* modes 1, 5: a gate edge started a sequence */
    bool held;           /* the gate stops counting; `elapsed` clocks had passed */
    bool pending;        /* modes 2, 3: a new count waits for the cycle's end at pending_at */
    bool count_latched, status_latched;
    uint8_t status;
    uint16_t latch;
    uint32_t cr;         /* count register, 1..65536 */
    uint32_t n;          /* the count that the counting element works with */
    uint32_t frozen;     /* counting element while no count is loaded, or before the load clock */
    int64_t start;       /* tick at which the counting element holds n */
    int64_t pending_at, elapsed;
};

struct i8254 {
    struct device dev;
    struct region regs; /* 4 bytes: 40h */
    struct clock *clk;
    struct irq_line out[3]; /* OUT0-OUT2; a channel without a receiver costs no timer */
    struct vtimer timer[3];
    struct i8254_channel ch[3];
};

void i8254_init(struct i8254 *p, const char *id, struct clock *clk, struct irq_line out0);
void i8254_set_gate(struct i8254 *p, unsigned ch, bool level);
bool i8254_out(struct i8254 *p, unsigned ch); /* OUT as it is now */
uint64_t i8254_ticks(const struct clock *clk); /* input clocks since power-on */
