/* Motorola MC146818A real-time clock with 128 + 128 bytes of battery-backed RAM. */
#pragma once
#include "base/clock.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

struct mc146818 {
    struct device dev;
    struct region regs;     /* 2 bytes: 70h index and NMI mask, 71h data */
    struct region ext_regs; /* 2 bytes: 72h index, 73h data of the upper bank */
    struct clock *clk;
    struct irq_line irq;    /* IRQ, high = asserted (the board's IRQ8) */
    struct vtimer update;   /* the end of the next update cycle; idle while the divider is reset */
    struct vtimer periodic; /* the next periodic flag, while it is enabled as an interrupt */
    uint8_t index, ext_index;
    bool nmi_masked;
    bool fell_back;      /* daylight saving's second 1:00 hour has begun */
    uint8_t ram[128];    /* 0-9 time and alarm, 10-13 registers A-D, the rest the guest's */
    uint8_t ext[128];
    uint64_t origin;     /* time at which the divider chain stood at a whole second (wraps) */
    uint64_t acked;      /* periodic ticks already reported by reading register C */
};

/* seconds: the time of day at power-on, since 1970-01-01 UTC. */
void mc146818_init(struct mc146818 *r, const char *id, struct clock *clk, struct irq_line irq,
                   uint64_t seconds);
/* The board's knowledge for the firmware: memory size, drive types, boot order... */
void mc146818_set_cmos(struct mc146818 *r, uint8_t idx, uint8_t val);
uint8_t mc146818_get_cmos(const struct mc146818 *r, uint8_t idx);
