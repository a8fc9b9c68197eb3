/* System control port A: 82371SB (PIIX3), "PORT 92 REGISTER": bit 1 FAST_A20, bit 0 FAST_INIT
 * (acts on its change from 0 to 1).
 * NOT IMPLEMENTED: the PS/2's security lock, watchdog status and disk lamps (read as written). */
#include "devices/port92.h"

enum { FAST_INIT = 0x01, FAST_A20 = 0x02 };

static uint64_t port92_read(void *dev, uint64_t off, unsigned size)
{
    (void)off, (void)size;
    return ((struct port92 *)dev)->value;
}

static void port92_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct port92 *p = dev;
    (void)off, (void)size;
    bool init = (val & FAST_INIT) && !(p->value & FAST_INIT);
    p->value = (uint8_t)val;
    irq_set(&p->a20, val & FAST_A20);
    if (init) {
        irq_set(&p->reset, true);
        irq_set(&p->reset, false);
    }
}

static void port92_reset(struct device *dev, enum reset_kind kind)
{
    struct port92 *p = device_of(dev, struct port92);
    if (kind == RESET_CPU_ONLY) {
        p->value &= (uint8_t)~FAST_INIT; /* so that the next fast reset is a change again */
        return;
    }
    p->value = 0;
    p->a20.level = false;
    p->reset.level = false;
}

static void port92_drive(struct device *dev)
{
    irq_drive(&device_of(dev, struct port92)->a20);
}

static void port92_snap(struct device *dev, struct snap *s)
{
    struct port92 *p = device_of(dev, struct port92);
    snap_u8(s, "value", &p->value);
    snap_bool(s, "a20", &p->a20.level);
}

static const struct device_class port92_class = {
    .name = "port92",
    .snap_version = 1,
    .reset = port92_reset,
    .drive = port92_drive,
    .snap = port92_snap,
};
static const struct region_ops port92_ops = {port92_read, port92_write, 1, 1};

void port92_init(struct port92 *p, const char *id, struct irq_line a20, struct irq_line reset)
{
    *p = (struct port92){
        .dev = {&port92_class, id},
        .regs = {.name = "port92", .len = 1, .priority = 1, .ops = &port92_ops, .dev = p},
        .a20 = a20,
        .reset = reset,
    };
}
