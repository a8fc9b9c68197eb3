/* Parallel port: standard and bidirectional (PS/2) mode.
 * IEEE Std 1284-1994, "Compatibility mode" (the handshake and its times); National Semiconductor
 * PC87332 data sheet, "Parallel Port" (registers, interrupt).
 *
 *            7     6     5     4      3       2      1       0
 *   data    D7 ................................................ D0
 *   status  nBUSY  nACK  PE    SELECT nERROR  nIRQ   1       1        read only
 *   control 1      1     DIR   IRQEN  SELIN   nINIT  AUTOFD  STROBE
 *
 * A rising STROBE bit hands the byte to the printer: it is busy for a while, then pulls nACK low,
 * and with its end it is ready again.  The interrupt is an edge at that end; nIRQ shows it until
 * the status is read.
 * NOT IMPLEMENTED: EPP and ECP (their registers are not there, so that drivers find neither),
 * the reverse channel: with DIR set the data pins float high. */
#include "devices/char/parallel.h"

enum { DATA, STATUS, CONTROL };
enum { ST_READY = 0x80, ST_NACK = 0x40, ST_SELECT = 0x10, ST_NERROR = 0x08, ST_NIRQ = 0x04,
       ST_ONES = 0x03 };
enum { CT_STROBE = 0x01, CT_INIT = 0x04, CT_IRQEN = 0x10, CT_DIR = 0x20, CT_BITS = 0x3f,
       CT_ONES = 0xc0 };
#define BUSY_TIME (5 * VTIME_US) /* the printer's own time for a byte */
#define ACK_TIME (1 * VTIME_US)  /* IEEE 1284 asks for 500 ns at least */

static void parallel_step(void *owner, vtime now)
{
    struct parallel *p = owner;
    if (!p->busy) {
        return;
    }
    if (!p->ack) {
        p->ack = true;
        vtimer_arm(&p->step, now + ACK_TIME);
        return;
    }
    p->ack = p->busy = false;
    if (p->control & CT_IRQEN) {
        p->pending = true;
        irq_set(&p->irq, false); /* an edge for each byte, read or not */
        irq_set(&p->irq, true);
    }
}

static void parallel_strobe(struct parallel *p)
{
    if (p->busy) {
        return; /* the printer does not listen yet */
    }
    if (p->chr && p->chr->ops && p->chr->ops->write) {
        p->chr->ops->write(p->chr->backend, &p->data, 1);
    }
    p->busy = true;
    vtimer_arm(&p->step, clock_now(p->clk) + BUSY_TIME);
}

/* The printer forgets what it was doing; so does a reset of the port. */
static void parallel_idle(struct parallel *p)
{
    p->busy = p->ack = false;
    vtimer_cancel(&p->step);
}

static void parallel_quiet(struct parallel *p)
{
    p->pending = false;
    irq_set(&p->irq, false);
}

static uint64_t parallel_read(void *dev, uint64_t off, unsigned size)
{
    struct parallel *p = dev;
    (void)size;
    switch (off) {
    case DATA: return p->control & CT_DIR ? 0xff : p->data;
    case STATUS: {
        uint8_t v = ST_SELECT | ST_NERROR | ST_ONES | (p->busy ? 0 : ST_READY) |
                    (p->ack ? 0 : ST_NACK) | (p->pending ? 0 : ST_NIRQ);
        parallel_quiet(p);
        return v;
    }
    case CONTROL: return p->control | CT_ONES;
    default: return 0xff;
    }
}

static void parallel_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct parallel *p = dev;
    (void)size;
    if (off == DATA) {
        p->data = (uint8_t)val;
    } else if (off == CONTROL) {
        bool strobe = (val & CT_STROBE) && !(p->control & CT_STROBE);
        p->control = val & CT_BITS;
        if (!(val & CT_IRQEN)) {
            parallel_quiet(p);
        }
        if (!(val & CT_INIT)) {
            parallel_idle(p);
        } else if (strobe) {
            parallel_strobe(p);
        }
    }
}

static void parallel_reset(struct device *dev, enum reset_kind kind)
{
    struct parallel *p = device_of(dev, struct parallel);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    vtimer_cancel(&p->step);
    p->busy = p->ack = p->pending = false;
    p->data = 0;
    p->control = CT_INIT;
    p->irq.level = false;
}

static void parallel_drive(struct device *dev)
{
    irq_drive(&device_of(dev, struct parallel)->irq);
}

static void parallel_snap(struct device *dev, struct snap *s)
{
    struct parallel *p = device_of(dev, struct parallel);
    snap_u8(s, "data", &p->data);
    snap_u8(s, "control", &p->control);
    snap_bool(s, "busy", &p->busy);
    snap_bool(s, "ack", &p->ack);
    snap_bool(s, "pending", &p->pending);
    snap_bool(s, "irq", &p->irq.level);
    snap_timer(s, "step", &p->step);
    if (snap_loading(s)) {
        p->control &= CT_BITS;
        if (p->busy != (p->step.when != VTIME_NEVER) || (p->ack && !p->busy)) {
            snap_fail(s, "the printer is busy without an end");
            parallel_idle(p);
        }
    }
}

static void parallel_destroy(struct device *dev)
{
    vtimer_cancel(&device_of(dev, struct parallel)->step);
}

static const struct device_class parallel_class = {
    .name = "parallel",
    .snap_version = 1,
    .reset = parallel_reset,
    .drive = parallel_drive,
    .snap = parallel_snap,
    .destroy = parallel_destroy,
};
static const struct region_ops parallel_ops = {parallel_read, parallel_write, 1, 1};

void parallel_init(struct parallel *p, const char *id, struct clock *clk, struct irq_line irq,
                   struct chardev *chr)
{
    *p = (struct parallel){
        .dev = {&parallel_class, id},
        .regs = {.name = "parallel", .len = 4, .priority = 1, .ops = &parallel_ops, .dev = p},
        .clk = clk,
        .irq = irq,
        .chr = chr,
    };
    vtimer_init(&p->step, clk, "parallel.step", parallel_step, p);
}
