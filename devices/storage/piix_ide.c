/* PIIX3 IDE function: configuration, bus-master BAR, two channels.
 * Intel 82371FB/82371SB (order number 290550), "PCI IDE Configuration Registers".
 * NOT IMPLEMENTED: the timing registers read back and slow nothing down. */
#include "devices/storage/piix_ide.h"

#include <string.h>

#include "base/bits.h"

enum { IDETIM = 0x40, SIDETIM = 0x44, IDETIM_IDE = 0x8000 };

static bool piix_ide_may_dma(void *owner)
{
    return pci_master_enabled(&((struct piix_ide *)owner)->pci);
}

static uint64_t piix_ide_bm_read(void *dev, uint64_t off, unsigned size)
{
    struct piix_ide *p = dev;
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++) {
        unsigned o = (unsigned)off + i;
        v |= (uint64_t)bmdma_read(&p->ch[o >> 3 & 1].bm, o & 7) << (8 * i);
    }
    return v;
}

static void piix_ide_bm_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct piix_ide *p = dev;
    for (unsigned i = 0; i < size; i++) {
        unsigned o = (unsigned)off + i;
        bmdma_write(&p->ch[o >> 3 & 1].bm, o & 7, (uint8_t)(val >> (8 * i)));
    }
}

static const struct region_ops piix_ide_bm_ops = {
    .read = piix_ide_bm_read, .write = piix_ide_bm_write, .min_size = 1, .max_size = 4};

static void piix_ide_place(struct piix_ide *p)
{
    const uint8_t *c = p->pci.config;
    for (unsigned n = 0; n < 2; n++) {
        struct ide_channel *ch = &p->ch[n];
        bool on = (c[PCI_COMMAND] & PCI_CMD_IO) && (load_le16(c + IDETIM + 2 * n) & IDETIM_IDE);
        pci_window_set(&p->pci, 2 * n, &ch->cmd, true, n ? 0x170 : 0x1f0, on);
        pci_window_set(&p->pci, 2 * n + 1, &ch->ctl, true, n ? 0x376 : 0x3f6, on);
    }
}

static void piix_ide_config_written(struct pci_dev *pd, unsigned off, unsigned size)
{
    (void)size;
    if (off < PCI_STATUS || (off >= IDETIM && off < SIDETIM)) {
        piix_ide_place((struct piix_ide *)(void *)((char *)pd - offsetof(struct piix_ide, pci)));
    }
}

static void piix_ide_reset(struct device *dev, enum reset_kind kind)
{
    struct piix_ide *p = device_of(dev, struct piix_ide);
    if (kind != RESET_CPU_ONLY) {
        pci_dev_reset(&p->pci, kind);
        ide_reset(&p->ch[0]);
        ide_reset(&p->ch[1]);
    }
}

static void piix_ide_drive(struct device *dev)
{
    struct piix_ide *p = device_of(dev, struct piix_ide);
    ide_drive_irq(&p->ch[0]);
    ide_drive_irq(&p->ch[1]);
}

static void piix_ide_snap(struct device *dev, struct snap *s)
{
    struct piix_ide *p = device_of(dev, struct piix_ide);
    pci_dev_snap(&p->pci, s);
    ide_snap(&p->ch[0], s);
    ide_snap(&p->ch[1], s);
    if (snap_loading(s) && !s->failed) {
        piix_ide_place(p);
    }
}

static void piix_ide_destroy(struct device *dev)
{
    struct piix_ide *p = device_of(dev, struct piix_ide);
    ide_destroy(&p->ch[0]);
    ide_destroy(&p->ch[1]);
    pci_dev_destroy(&p->pci);
}

static const struct device_class piix_ide_class = {
    .name = "piix_ide", .snap_version = 2, .reset = piix_ide_reset, .drive = piix_ide_drive,
    .snap = piix_ide_snap, .destroy = piix_ide_destroy};

bool piix_ide_init(struct piix_ide *p, const char *id, struct pci_bus *bus, uint8_t devfn,
                   struct clock *clk, struct dma dma, struct irq_line irq14, struct irq_line irq15)
{
    struct pci_dev *pd = &p->pci;
    p->dev = (struct device){&piix_ide_class, id};
    ide_init(&p->ch[0], 0, clk, dma, irq14);
    ide_init(&p->ch[1], 1, clk, dma, irq15);
    for (unsigned n = 0; n < 2; n++) {
        p->ch[n].may_dma = piix_ide_may_dma;
        p->ch[n].owner = p;
    }
    p->bm = (struct region){.name = "piix_ide.bm", .kind = REGION_IO, .len = 16,
                            .ops = &piix_ide_bm_ops, .dev = p};
    pci_dev_init(pd, id, devfn, 0x8086, 0x7010, 0x01018000, 0); /* legacy IRQs, no pin */
    store_le16(pd->wmask + PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MASTER);
    store_le16(pd->config + PCI_STATUS, 0x0280);
    pd->wmask[PCI_CACHE_LINE] = 0;
    pd->wmask[PCI_LATENCY] = 0xf0;
    pd->wmask[PCI_INT_LINE] = 0;
    store_le32(pd->wmask + IDETIM, 0xffffffff);
    pd->wmask[SIDETIM] = 0xff;
    pci_bar_init(pd, 4, PCI_BAR_IO, false, &p->bm);
    pd->config_written = piix_ide_config_written;
    return pci_add(bus, pd);
}

void piix_ide_attach(struct piix_ide *p, unsigned channel, unsigned unit, enum ide_kind kind,
                     struct blockdev *blk, const char *serial)
{
    ide_attach(&p->ch[channel & 1], unit & 1, kind, blk, serial);
}
