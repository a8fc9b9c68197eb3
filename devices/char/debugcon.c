/* Debug console: the "port E9 hack" of Bochs, also at 402h for SeaBIOS, which asks first whether
 * the port reads E9h.  No datasheet; it exists in emulators only. NOT IMPLEMENTED: nothing. */
#include "devices/char/debugcon.h"

static uint64_t debugcon_read(void *dev, uint64_t off, unsigned size)
{
    (void)off, (void)size;
    return ((struct debugcon *)dev)->readback;
}

static void debugcon_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct debugcon *d = dev;
    uint8_t b = (uint8_t)val;
    (void)off, (void)size;
    if (d->chr && d->chr->ops && d->chr->ops->write) {
        d->chr->ops->write(d->chr->backend, &b, 1);
    }
}

static void debugcon_snap(struct device *dev, struct snap *s)
{
    (void)dev, (void)s; /* no state */
}

static const struct device_class debugcon_class = {
    .name = "debugcon",
    .snap_version = 1,
    .snap = debugcon_snap,
};
static const struct region_ops debugcon_ops = {debugcon_read, debugcon_write, 1, 1};

void debugcon_init(struct debugcon *d, const char *id, uint8_t readback, struct chardev *chr)
{
    *d = (struct debugcon){
        .dev = {&debugcon_class, id},
        .regs = {.name = "debugcon", .len = 1, .priority = 1, .ops = &debugcon_ops, .dev = d},
        .chr = chr,
        .readback = readback,
    };
}
