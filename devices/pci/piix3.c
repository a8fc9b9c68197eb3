/* Intel 82371SB PIIX3, function 0: PCI-to-ISA bridge, PIRQ routing, reset control.
 * Intel 82371FB/82371SB (order number 290550), "PCI to ISA Bridge Registers" and "RC - Reset
 * Control Register".  The ELCR is in irqchip/i8259.
 * NOT IMPLEMENTED: positive decode of X-bus chips (XBCS reads back), motherboard DMA, SMI. */
#include "devices/pci/piix3.h"

#include "base/bits.h"

enum { IORT = 0x4c, XBCS = 0x4e, PIRQRCA = 0x60, TOM = 0x69, MSTAT = 0x6a, MBIRQ0 = 0x70,
       MBDMA0 = 0x76, PCSC = 0x78, APICBASE = 0x80, DLC = 0x82, SMICNTL = 0xa0, SMIEN = 0xa2,
       SEE = 0xa4, FTMR = 0xa8, SMIREQ = 0xaa, CTLTMR = 0xac, CTHTMR = 0xae };
enum { RCR_SRST = 2, RCR_RCPU = 4 };
#define PIRQ_ROUTABLE 0xdef8u /* 3-7, 9-12, 14, 15; the others are reserved codes */

/* Which ISA IRQ a PIRQ drives, or 16 when it is cut off. */
static unsigned piix3_route(const struct piix3 *p, unsigned pirq)
{
    uint8_t r = p->pci.config[PIRQRCA + pirq];
    return !(r & 0x80) && (PIRQ_ROUTABLE >> (r & 15) & 1) ? r & 15u : 16;
}

static void piix3_update(struct piix3 *p)
{
    unsigned level = p->src[0] | p->src[1] | p->src[2] | p->src[3];
    for (unsigned i = 0; i < 4; i++) {
        if (p->pirq >> i & 1) {
            level |= 1u << piix3_route(p, i);
        }
    }
    for (unsigned n = 0; n < 16; n++) {
        irq_set(&p->isa[n], level >> n & 1);
    }
}

void piix3_pirq(void *isa, unsigned pin, bool level)
{
    struct piix3 *p = isa;
    unsigned bit = 1u << (pin & 3);
    p->pirq = (uint8_t)((p->pirq & ~bit) | (level ? bit : 0));
    piix3_update(p);
}

void piix3_isa_irq(void *isa, unsigned pin, bool level)
{
    struct piix3 *p = isa;
    unsigned s = pin / 16 & 3, bit = 1u << (pin & 15);
    p->src[s] = (uint16_t)((p->src[s] & ~bit) | (level ? bit : 0));
    piix3_update(p);
}

static void piix3_config_written(struct pci_dev *pd, unsigned off, unsigned size)
{
    if (off < PIRQRCA + 4 && off + size > PIRQRCA) {
        piix3_update((struct piix3 *)(void *)((char *)pd - offsetof(struct piix3, pci)));
    }
}

static uint64_t piix3_rc_read(void *dev, uint64_t off, unsigned size)
{
    (void)off;
    (void)size;
    return ((struct piix3 *)dev)->rcr;
}

/* RCPU going from 0 to 1 resets: only the processor, or with SRST set the whole board. */
static void piix3_rc_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct piix3 *p = dev;
    bool rise = (val & RCR_RCPU) && !(p->rcr & RCR_RCPU);
    (void)off;
    (void)size;
    p->rcr = (uint8_t)(val & (RCR_SRST | RCR_RCPU));
    if (rise && p->reset) {
        p->reset(p->reset_ctx, (val & RCR_SRST) != 0);
    }
}

static const struct region_ops piix3_rc_ops = {.read = piix3_rc_read, .write = piix3_rc_write,
                                               .min_size = 1, .max_size = 1};

static void piix3_reset(struct device *dev, enum reset_kind kind)
{
    struct piix3 *p = device_of(dev, struct piix3);
    pci_dev_reset(&p->pci, kind);
    if (kind == RESET_CPU_ONLY) {
        p->rcr &= (uint8_t)~RCR_RCPU; /* so that the next soft reset is an edge again */
        return;
    }
    p->rcr = 0;
    p->pirq = 0;
    for (unsigned i = 0; i < 4; i++) {
        p->src[i] = 0;
    }
    for (unsigned n = 0; n < 16; n++) {
        p->isa[n].level = false;
    }
}

static void piix3_drive(struct device *dev)
{
    struct piix3 *p = device_of(dev, struct piix3);
    piix3_update(p);
    for (unsigned n = 0; n < 16; n++) {
        irq_drive(&p->isa[n]);
    }
}

static void piix3_snap(struct device *dev, struct snap *s)
{
    struct piix3 *p = device_of(dev, struct piix3);
    pci_dev_snap(&p->pci, s);
    snap_u8(s, "rcr", &p->rcr);
    snap_u8(s, "pirq", &p->pirq);
    p->pirq &= 15;
    for (unsigned i = 0; i < 4; i++) {
        snap_u16(s, "src", &p->src[i]);
    }
    for (unsigned n = 0; n < 16; n++) {
        snap_bool(s, "isa", &p->isa[n].level);
    }
}

static void piix3_destroy(struct device *dev)
{
    struct piix3 *p = device_of(dev, struct piix3);
    if (p->pci.bus) {
        p->pci.bus->reset_control = NULL;
    }
    pci_dev_destroy(&p->pci);
}

static const struct device_class piix3_class = {
    .name = "piix3", .snap_version = 1, .reset = piix3_reset, .drive = piix3_drive,
    .snap = piix3_snap, .destroy = piix3_destroy};

bool piix3_init(struct piix3 *isa, const char *id, struct pci_bus *bus, uint8_t devfn,
                const struct irq_line isa_irq[16], void (*reset)(void *ctx, bool hard), void *ctx)
{
    struct pci_dev *pd = &isa->pci;
    *isa = (struct piix3){.dev = {&piix3_class, id}, .reset = reset, .reset_ctx = ctx};
    for (unsigned n = 0; n < 16; n++) {
        isa->isa[n] = isa_irq[n];
    }
    isa->rc = (struct region){.name = "piix3.rc", .kind = REGION_IO, .base = 0xcf9, .len = 1,
                              .ops = &piix3_rc_ops, .dev = isa};
    pci_dev_init(pd, id, devfn, 0x8086, 0x7000, 0x06010000, 0);
    pd->config[PCI_HEADER_TYPE] = 0x80;           /* more functions in this slot */
    store_le16(pd->config + PCI_COMMAND, 0x0007); /* hardwired: the bridge always decodes */
    store_le16(pd->wmask + PCI_COMMAND, 0x0108);
    store_le16(pd->config + PCI_STATUS, 0x0200);
    pd->wmask[PCI_INT_LINE] = 0;
    pd->wmask[PCI_CACHE_LINE] = 0;
    pd->wmask[PCI_LATENCY] = 0;
    pd->config[IORT] = 0x4d;
    pd->wmask[IORT] = 0xff;
    store_le16(pd->config + XBCS, 0x0003);
    store_le16(pd->wmask + XBCS, 0x07ff);
    for (unsigned i = 0; i < 4; i++) {
        pd->config[PIRQRCA + i] = 0x80;
        pd->wmask[PIRQRCA + i] = 0x8f;
    }
    pd->config[TOM] = 0x02;
    pd->wmask[TOM] = 0xfe;
    pd->wmask[MSTAT] = 0x81;
    pd->wmask[MSTAT + 1] = 0x80;
    pd->config[MBIRQ0] = 0x80;
    pd->wmask[MBIRQ0] = 0xef;
    pd->config[MBDMA0] = pd->config[MBDMA0 + 1] = 0x0c;
    pd->wmask[MBDMA0] = pd->wmask[MBDMA0 + 1] = 0x8f;
    store_le16(pd->config + PCSC, 0x0002);
    store_le16(pd->wmask + PCSC, 0xffff);
    pd->wmask[APICBASE] = 0x7f;
    pd->wmask[DLC] = 0x0f;
    pd->config[SMICNTL] = 0x08;
    pd->wmask[SMICNTL] = 0x1f;
    store_le16(pd->wmask + SMIEN, 0x00ff);
    store_le32(pd->wmask + SEE, 0xf000ffff);
    pd->config[FTMR] = 0x0f;
    pd->wmask[FTMR] = 0xff;
    store_le16(pd->w1c + SMIREQ, 0x00ff);
    pd->wmask[CTLTMR] = pd->wmask[CTHTMR] = 0xff;
    pd->config_written = piix3_config_written;
    if (!pci_add(bus, pd)) {
        return false;
    }
    bus->reset_control = &isa->rc;
    return true;
}
