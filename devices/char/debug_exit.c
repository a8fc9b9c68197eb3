/* isa-debug-exit: no chip; the convention is QEMU's (hw/misc, "isa-debug-exit"): a write of v ends
 * the emulator with status (v << 1) | 1, so a guest can never claim success (0).
 * NOT IMPLEMENTED: nothing. */
#include "devices/char/debug_exit.h"

static uint64_t debug_exit_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev, (void)off, (void)size;
    return 0;
}

static void debug_exit_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct debug_exit *d = dev;
    (void)off, (void)size;
    if (d->leave) {
        d->leave(d->ctx, (int)((uint32_t)val << 1 | 1));
    }
}

static void debug_exit_snap(struct device *dev, struct snap *s)
{
    (void)dev, (void)s; /* no state */
}

static const struct device_class debug_exit_class = {
    .name = "debug_exit",
    .snap_version = 1,
    .snap = debug_exit_snap,
};
static const struct region_ops debug_exit_ops = {debug_exit_read, debug_exit_write, 1, 4};

void debug_exit_init(struct debug_exit *d, const char *id, unsigned iosize,
                     void (*leave)(void *ctx, int status), void *ctx)
{
    *d = (struct debug_exit){
        .dev = {&debug_exit_class, id},
        .regs = {.name = "debug_exit",
                 .len = iosize < 1 ? 1 : iosize > 8 ? 8 : iosize,
                 .priority = 1,
                 .ops = &debug_exit_ops,
                 .dev = d},
        .leave = leave,
        .ctx = ctx,
    };
}
