/* One Intel 8259A with its byte of PIIX3's edge/level control register. */
#pragma once
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

struct i8259 {
    struct device dev;
    struct region regs; /* 2 bytes: 20h or A0h */
    struct region elcr_reg; /* 1 byte: 4D0h or 4D1h */
    struct irq_line intr;   /* INT: to the processor, or to the master's IR2 */
    struct i8259 *slave;    /* master only: who answers INTA for IR2; wiring, not state */
    uint8_t elcr_mask;      /* which inputs may be level-triggered */
    uint8_t lines;          /* IR0-IR7 as they are now */
    uint8_t edge;           /* edge-sense latches */
    uint8_t imr, isr, elcr;
    uint8_t icw1, icw2, icw3, icw4;
    uint8_t step;    /* ICW expected next at A0=1: 2, 3, 4; 0: none */
    uint8_t lowest;  /* the IR of lowest priority: 7 unless rotated */
    bool ready;      /* initialized: INT may be driven */
    bool read_isr;   /* OCW3 RR/RIS */
    bool poll;       /* OCW3 P: the next read is an INTA */
    bool special_mask;
    bool rotate_aeoi;
};

/* elcr_mask: F8h for PIIX3's master, DEh for its slave. */
void i8259_init(struct i8259 *c, const char *id, struct irq_line intr, uint8_t elcr_mask);
/* Before the first reset: the slave's INT goes to the master's IR2, and INTA follows. */
void i8259_cascade(struct i8259 *master, struct i8259 *slave);
struct irq_line i8259_pin(struct i8259 *c, unsigned ir);
void i8259_set(void *sink, unsigned pin, bool level); /* an irq_line's set */
/* INTA: the vector; a spurious one when nothing requests. */
int i8259_ack(struct i8259 *master);
uint8_t i8259_irr(const struct i8259 *c);
