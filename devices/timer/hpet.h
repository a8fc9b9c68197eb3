/* High precision event timers: 3 comparators on one 100 MHz counter.
 *
 * Wiring by the board:
 *   hpet_init(&h, "hpet", &clk, &pins); h.regs mapped at FED00000h;
 *   while `legacy` is high, irq0 and irq8 stand in for the 8254 and the RTC. */
#pragma once
#include "base/clock.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

#define HPET_TIMERS 3
/* Capabilities, low half: revision 1, three timers, 64 bits, legacy replacement, Intel.  The ACPI
 * table's "event timer block ID". */
#define HPET_ID 0x8086a201u
#define HPET_TICK_NS 10u
#define HPET_ROUTE 20 /* the comparators may be routed to I/O APIC pins 20 to 23 */
#define HPET_ROUTES 4

struct hpet_pins {
    struct irq_line apic[HPET_ROUTES];
    struct irq_line irq0, irq8;
    struct irq_line legacy;
};

struct hpet_timer {
    struct hpet *hpet;
    uint32_t config; /* as written; what is fixed is added when read */
    bool high;       /* edge-triggered: the output since the last match */
    uint64_t cmp, period;
    struct vtimer timer;
};

struct hpet {
    struct device dev;
    struct region regs;
    struct clock *clk;
    struct hpet_pins pins;
    uint8_t config, status;
    uint64_t count;   /* the counter when it was stopped or written, at `since` */
    vtime since;
    struct hpet_timer t[HPET_TIMERS];
};

void hpet_init(struct hpet *h, const char *id, struct clock *clk, const struct hpet_pins *pins);
