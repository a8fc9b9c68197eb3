/* pc-testdev: no chip; what processor test suites (kvm-unit-tests) expect behind QEMU's device of
 * that name (hw/misc, "pc-testdev").
 *
 *   E0h-E3h       a latch of 32 bits, read and written in 1, 2 and 4 bytes
 *   E4h           written with an address: the page is looked up again (nothing to do: no cache of
 *                 ours can be out of date)
 *   E8h-EBh       the same latch, always byte by byte
 *   2000h + n     writing raises (not 0) or lowers (0) ISA IRQ n
 *   FF000000h     64 KB of memory that is a device: nothing is cached, each access comes here
 *
 * NOT IMPLEMENTED: interrupt lines above 15. */
#include "devices/misc/pc_testdev.h"

#include <string.h>

#include "base/bits.h"

/* An access that leaves the latch at its end has the bytes that are there. */
static uint64_t latch_read(void *dev, uint64_t off, unsigned size)
{
    const struct pc_testdev *t = dev;
    return t->value >> (off & 3) * 8 & bits_mask(size * 8);
}

static void latch_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct pc_testdev *t = dev;
    unsigned shift = (off & 3) * 8;
    uint32_t mask = (uint32_t)(bits_mask(size * 8) << shift);
    t->value = (t->value & ~mask) | ((uint32_t)(val << shift) & mask);
}

static uint64_t nothing_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev, (void)off, (void)size;
    return 0;
}

static void flush_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)dev, (void)off, (void)val, (void)size;
}

static void lines_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct pc_testdev *t = dev;
    (void)size;
    if (off < PC_TESTDEV_IRQS) {
        irq_set(&t->irq[off], val != 0);
    }
}

static uint64_t mem_read(void *dev, uint64_t off, unsigned size)
{
    const struct pc_testdev *t = dev;
    return off + size <= PC_TESTDEV_MEM ? load_le(t->data + off, size) : 0;
}

static void mem_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct pc_testdev *t = dev;
    if (off + size <= PC_TESTDEV_MEM) {
        store_le(t->data + off, val, size);
    }
}

static void pc_testdev_reset(struct device *dev, enum reset_kind kind)
{
    struct pc_testdev *t = device_of(dev, struct pc_testdev);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    t->value = 0;
    memset(t->data, 0, sizeof t->data);
    for (unsigned i = 0; i < PC_TESTDEV_IRQS; i++) {
        t->irq[i].level = false;
    }
}

static void pc_testdev_drive(struct device *dev)
{
    struct pc_testdev *t = device_of(dev, struct pc_testdev);
    for (unsigned i = 0; i < PC_TESTDEV_IRQS; i++) {
        irq_drive(&t->irq[i]);
    }
}

static void pc_testdev_snap(struct device *dev, struct snap *s)
{
    struct pc_testdev *t = device_of(dev, struct pc_testdev);
    snap_u32(s, "latch", &t->value);
    for (unsigned i = 0; i < PC_TESTDEV_IRQS; i++) {
        snap_bool(s, "irq", &t->irq[i].level);
    }
    snap_bytes(s, "mem", t->data, sizeof t->data);
}

static const struct device_class pc_testdev_class = {
    .name = "pc_testdev",
    .snap_version = 1,
    .reset = pc_testdev_reset,
    .drive = pc_testdev_drive,
    .snap = pc_testdev_snap,
};
static const struct region_ops latch_ops = {latch_read, latch_write, 1, 4};
static const struct region_ops bytes_ops = {latch_read, latch_write, 1, 1};
static const struct region_ops flush_ops = {nothing_read, flush_write, 1, 4};
static const struct region_ops lines_ops = {nothing_read, lines_write, 1, 4};
static const struct region_ops mem_ops = {mem_read, mem_write, 1, 8};

void pc_testdev_init(struct pc_testdev *t, const char *id,
                     const struct irq_line irq[PC_TESTDEV_IRQS])
{
    *t = (struct pc_testdev){.dev = {&pc_testdev_class, id}};
    t->latch = (struct region){.name = "testdev.latch", .base = 0xe0, .len = 4, .priority = 1,
                               .ops = &latch_ops, .dev = t};
    t->flush = (struct region){.name = "testdev.flush", .base = 0xe4, .len = 4, .priority = 1,
                               .ops = &flush_ops, .dev = t};
    /* below others: a debug console may have E9h */
    t->bytes = (struct region){.name = "testdev.bytes", .base = 0xe8, .len = 4, .priority = 0,
                               .ops = &bytes_ops, .dev = t};
    t->lines = (struct region){.name = "testdev.lines", .base = 0x2000, .len = 24, .priority = 1,
                               .ops = &lines_ops, .dev = t};
    t->mem = (struct region){.name = "testdev.mem", .base = 0xff000000, .len = PC_TESTDEV_MEM,
                             .priority = 1, .ops = &mem_ops, .dev = t};
    for (unsigned i = 0; i < PC_TESTDEV_IRQS; i++) {
        t->irq[i] = irq[i];
    }
}
