/* Novell NE2000: a DP8390 with 16 KB of RAM at 4000h-7FFFh, PROM below, on 32 ISA ports.
 * NOT IMPLEMENTED: boot ROM socket, 8-bit slots (the PROM says WW: a 16-bit slot). */
#include "devices/net/ne2k_isa.h"

#include "devices/net/ne2k.h"

static uint8_t ne2k_isa_in(void *ctx, unsigned reg)
{
    return dp8390_in(ctx, reg);
}

static void ne2k_isa_out(void *ctx, unsigned reg, uint8_t val)
{
    dp8390_out(ctx, reg, val);
}

static uint64_t ne2k_isa_read(void *dev, uint64_t off, unsigned size)
{
    struct ne2k_isa *c = dev;
    struct ne2k_regs regs = {ne2k_isa_in, ne2k_isa_out, &c->nic};
    return ne2k_read(&c->nic, &regs, (unsigned)off, size);
}

static void ne2k_isa_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct ne2k_isa *c = dev;
    struct ne2k_regs regs = {ne2k_isa_in, ne2k_isa_out, &c->nic};
    ne2k_write(&c->nic, &regs, (unsigned)off, (uint32_t)val, size);
}

/* The bus splits 32-bit accesses: two words at the data port and its alias. */
static const struct region_ops ne2k_isa_ops = {
    .read = ne2k_isa_read, .write = ne2k_isa_write, .min_size = 1, .max_size = 2};

static void ne2k_isa_reset(struct device *dev, enum reset_kind kind)
{
    if (kind != RESET_CPU_ONLY) {
        dp8390_power_on(&device_of(dev, struct ne2k_isa)->nic);
    }
}

static void ne2k_isa_drive(struct device *dev)
{
    dp8390_drive(&device_of(dev, struct ne2k_isa)->nic);
}

static void ne2k_isa_snap(struct device *dev, struct snap *s)
{
    dp8390_snap(&device_of(dev, struct ne2k_isa)->nic, s);
}

static const struct device_class ne2k_isa_class = {.name = "ne2k_isa",
                                                   .snap_version = 1,
                                                   .reset = ne2k_isa_reset,
                                                   .drive = ne2k_isa_drive,
                                                   .snap = ne2k_isa_snap};

void ne2k_isa_init(struct ne2k_isa *c, const char *id, struct irq_line irq, struct netdev *net)
{
    static const uint8_t none[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    c->dev = (struct device){&ne2k_isa_class, id};
    c->regs = (struct region){.name = "ne2k_isa.regs", .kind = REGION_IO, .len = NE2K_PORTS,
                              .priority = 1, .ops = &ne2k_isa_ops, .dev = c};
    dp8390_init(&c->nic, id, irq, net);
    ne2k_prom(&c->nic, net ? net->mac : none, 0x57);
}
