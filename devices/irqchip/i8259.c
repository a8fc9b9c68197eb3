/* Programmable interrupt controller: Intel 8259A (datasheet 231468, "Programming the 8259A",
 * "Operation Command Words") as PIIX3 carries it (82371SB, "Interrupt Controller Registers"):
 * LTIM of ICW1 is replaced by the edge/level control registers, the cascade is hard-wired to IR2.
 *
 *        IR0-7  __________  INT           request = edge latch AND line   (edge)
 *   lines ---->|  8259A   |------>                  line                  (level)
 *              |__________|               so a line that falls before INTA gives spurious IR7
 *
 * NOT IMPLEMENTED: MCS-80/85 mode (ICW4 uPM = 0 behaves as 8086 mode), buffered mode pins. */
#include "devices/irqchip/i8259.h"

#include "base/bits.h"
#include "base/log.h"

enum { ICW1_IC4 = 0x01, ICW1_SNGL = 0x02, ICW1_INIT = 0x10 };
enum { ICW4_AEOI = 0x02, ICW4_SFNM = 0x10 };
enum {
    OCW3_RIS = 0x01,
    OCW3_RR = 0x02,
    OCW3_P = 0x04,
    OCW3 = 0x08,
    OCW3_SMM = 0x20,
    OCW3_ESMM = 0x40
};
enum { CASCADE_IR = 2 };

uint8_t i8259_irr(const struct i8259 *c)
{
    return c->lines & (uint8_t)(c->elcr | c->edge);
}

/* 0 = highest; 8 = none of the bits is set */
static unsigned i8259_rank(const struct i8259 *c, uint8_t bits)
{
    for (unsigned i = 0; i < 8; i++) {
        if (bits >> ((c->lowest + 1 + i) & 7) & 1) {
            return i;
        }
    }
    return 8;
}

/* The IR that INT stands for, or -1. */
static int i8259_pending(const struct i8259 *c)
{
    unsigned want = i8259_rank(c, i8259_irr(c) & (uint8_t)~c->imr);
    uint8_t busy = c->isr;
    if (c->special_mask) {
        busy &= (uint8_t)~c->imr;
    }
    if (c->slave && (c->icw4 & ICW4_SFNM)) {
        /* special fully nested: the slave in service does not lock out its own higher requests */
        busy &= (uint8_t) ~(1u << CASCADE_IR);
        unsigned cascade = (CASCADE_IR + 7u - c->lowest) & 7;
        if ((c->isr >> CASCADE_IR & 1) && want > cascade) {
            return -1;
        }
    }
    if (want == 8 || i8259_rank(c, busy) <= want) {
        return -1;
    }
    return (int)((c->lowest + 1 + want) & 7);
}

static void i8259_update(struct i8259 *c)
{
    irq_set(&c->intr, c->ready && i8259_pending(c) >= 0);
}

void i8259_set(void *sink, unsigned pin, bool level)
{
    struct i8259 *c = sink;
    uint8_t bit = (uint8_t)(1u << (pin & 7));
    if (level) {
        if (!(c->lines & bit)) {
            c->edge |= bit;
        }
        c->lines |= bit;
    } else {
        c->lines &= (uint8_t)~bit;
        c->edge &= (uint8_t)~bit;
    }
    i8259_update(c);
}

struct irq_line i8259_pin(struct i8259 *c, unsigned ir)
{
    return (struct irq_line){.set = i8259_set, .sink = c, .pin = ir & 7};
}

/* The chip's part of an INTA sequence: freeze, set in-service, drop INT. */
static int i8259_accept(struct i8259 *c)
{
    int ir = i8259_pending(c);
    /* INT falls with INTA even if another request follows: the master's edge latch needs it */
    irq_set(&c->intr, false);
    if (ir < 0) {
        return -1;
    }
    uint8_t bit = (uint8_t)(1u << ir);
    c->edge &= (uint8_t)~bit;
    if (c->icw4 & ICW4_AEOI) {
        if (c->rotate_aeoi) {
            c->lowest = (uint8_t)ir;
        }
    } else {
        c->isr |= bit;
    }
    return ir;
}

int i8259_ack(struct i8259 *c)
{
    int ir = i8259_accept(c);
    int vector = c->icw2 + (ir < 0 ? 7 : ir);
    if (ir == CASCADE_IR && c->slave) {
        vector = i8259_ack(c->slave);
    }
    i8259_update(c);
    return vector;
}

static void i8259_icw1(struct i8259 *c, uint8_t val)
{
    c->icw1 = val;
    c->edge = 0;
    c->imr = 0;
    c->isr = 0;
    c->lowest = 7;
    c->icw3 = 7;
    c->special_mask = c->read_isr = c->poll = c->rotate_aeoi = false;
    if (!(val & ICW1_IC4)) {
        c->icw4 = 0;
    }
    c->ready = false;
    c->step = 2;
}

static void i8259_eoi(struct i8259 *c, uint8_t bit, bool rotate)
{
    if (!bit) {
        return;
    }
    c->isr &= (uint8_t)~bit;
    if (rotate) {
        c->lowest = (uint8_t)__builtin_ctz(bit);
    }
}

static void i8259_ocw2(struct i8259 *c, uint8_t val)
{
    uint8_t level = (uint8_t)(1u << (val & 7));
    uint8_t busy = c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr;
    unsigned rank = i8259_rank(c, busy);
    uint8_t top = rank == 8 ? 0 : (uint8_t)(1u << ((c->lowest + 1 + rank) & 7));
    switch (val >> 5) {
    case 0: c->rotate_aeoi = false; break;
    case 1: i8259_eoi(c, top, false); break;
    case 2: break; /* no operation */
    case 3: i8259_eoi(c, level, false); break;
    case 4: c->rotate_aeoi = true; break;
    case 5: i8259_eoi(c, top, true); break;
    case 6: c->lowest = val & 7; break;
    case 7: i8259_eoi(c, level, true); break;
    }
}

static void i8259_ocw3(struct i8259 *c, uint8_t val)
{
    if (val & OCW3_P) {
        c->poll = true;
    }
    if (val & OCW3_RR) {
        c->read_isr = val & OCW3_RIS;
    }
    if (val & OCW3_ESMM) {
        c->special_mask = val & OCW3_SMM;
    }
}

static void i8259_data(struct i8259 *c, uint8_t val)
{
    switch (c->step) {
    case 2:
        c->icw2 = val & 0xf8;
        c->step = !(c->icw1 & ICW1_SNGL) ? 3 : c->icw1 & ICW1_IC4 ? 4 : 0;
        break;
    case 3:
        c->icw3 = val;
        c->step = c->icw1 & ICW1_IC4 ? 4 : 0;
        break;
    case 4:
        c->icw4 = val & 0x1f;
        c->step = 0;
        break;
    default: c->imr = val; return;
    }
    c->ready = c->step == 0;
}

static void i8259_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8259 *c = dev;
    (void)size;
    if (off) {
        i8259_data(c, (uint8_t)val);
    } else if (val & ICW1_INIT) {
        i8259_icw1(c, (uint8_t)val);
    } else if (val & OCW3) {
        i8259_ocw3(c, (uint8_t)val);
    } else {
        i8259_ocw2(c, (uint8_t)val);
    }
    i8259_update(c);
}

static uint64_t i8259_read(void *dev, uint64_t off, unsigned size)
{
    struct i8259 *c = dev;
    (void)size;
    if (c->poll) {
        c->poll = false;
        int ir = i8259_accept(c);
        i8259_update(c);
        return ir < 0 ? 0 : 0x80 | (unsigned)ir;
    }
    if (off) {
        return c->imr;
    }
    return c->read_isr ? c->isr : i8259_irr(c);
}

static uint64_t i8259_elcr_read(void *dev, uint64_t off, unsigned size)
{
    (void)off, (void)size;
    return ((struct i8259 *)dev)->elcr;
}

static void i8259_elcr_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8259 *c = dev;
    (void)off, (void)size;
    c->elcr = (uint8_t)val & c->elcr_mask;
    i8259_update(c);
}

static void i8259_reset(struct device *dev, enum reset_kind kind)
{
    struct i8259 *c = device_of(dev, struct i8259);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    /* the inputs are other chips' outputs: they stay as driven */
    c->edge = c->imr = c->isr = c->elcr = 0;
    c->icw1 = c->icw2 = c->icw3 = c->icw4 = c->step = 0;
    c->lowest = 7;
    c->ready = c->read_isr = c->poll = c->special_mask = c->rotate_aeoi = false;
    c->intr.level = false;
}

static void i8259_drive(struct device *dev)
{
    irq_drive(&device_of(dev, struct i8259)->intr);
}

static void i8259_snap(struct device *dev, struct snap *s)
{
    struct i8259 *c = device_of(dev, struct i8259);
    snap_u8(s, "lines", &c->lines);
    snap_u8(s, "edge", &c->edge);
    snap_u8(s, "imr", &c->imr);
    snap_u8(s, "isr", &c->isr);
    snap_u8(s, "elcr", &c->elcr);
    snap_u8(s, "icw1", &c->icw1);
    snap_u8(s, "icw2", &c->icw2);
    snap_u8(s, "icw3", &c->icw3);
    snap_u8(s, "icw4", &c->icw4);
    snap_u8(s, "step", &c->step);
    snap_u8(s, "lowest", &c->lowest);
    snap_bool(s, "ready", &c->ready);
    snap_bool(s, "read_isr", &c->read_isr);
    snap_bool(s, "poll", &c->poll);
    snap_bool(s, "special_mask", &c->special_mask);
    snap_bool(s, "rotate_aeoi", &c->rotate_aeoi);
    snap_bool(s, "intr", &c->intr.level);
    if (snap_loading(s) && (c->lowest > 7 || c->step > 4)) {
        c->lowest &= 7;
        c->step = 0;
        snap_fail(s, "i8259: priority or ICW step out of range");
    }
}

static const struct device_class i8259_class = {
    .name = "i8259",
    .snap_version = 1,
    .reset = i8259_reset,
    .drive = i8259_drive,
    .snap = i8259_snap,
};
static const struct region_ops i8259_ops = {i8259_read, i8259_write, 1, 1};
static const struct region_ops i8259_elcr_ops = {i8259_elcr_read, i8259_elcr_write, 1, 1};

void i8259_init(struct i8259 *c, const char *id, struct irq_line intr, uint8_t elcr_mask)
{
    *c = (struct i8259){
        .dev = {&i8259_class, id},
        .regs = {.name = "i8259.regs", .len = 2, .priority = 1, .ops = &i8259_ops, .dev = c},
        .elcr_reg =
            {.name = "i8259.elcr", .len = 1, .priority = 1, .ops = &i8259_elcr_ops, .dev = c},
        .intr = intr,
        .elcr_mask = elcr_mask,
        .lowest = 7,
    };
}

void i8259_cascade(struct i8259 *master, struct i8259 *slave)
{
    master->slave = slave;
    slave->intr = i8259_pin(master, CASCADE_IR);
}
