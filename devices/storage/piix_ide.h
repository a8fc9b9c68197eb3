/* Intel 82371SB PIIX3, function 1: two IDE channels with bus mastering.
 *
 * Wiring by the board:
 *   piix_ide_init(&ide, "ide", &pci, PCI_DEVFN(1, 1), clk, bus_dma(mem), irq14, irq15)
 *   piix_ide_attach(&ide, channel, unit, IDE_DISK or IDE_CD, blk, "serial")    before the reset
 * irq14, irq15: to {piix3_isa_irq, &isa, PIIX3_ISA_PIN(0, 14)} and 15.  The command blocks
 * (1F0h, 3F6h, 170h, 376h) and BAR4 place themselves when the guest enables decoding (IDETIM bit 15
 * and the command register), as firmware does.  The blockdev must outlive the device; for a CD
 * with no disc pass one with ops NULL, sectors 0.  When the machine changes a CD it fills in the
 * blockdev (sector_size 2048) and calls blk->media_changed(blk->dev), at a slice boundary.  A
 * disk's blockdev with ops == NULL or sectors == 0 answers as a drive without a medium. */
#pragma once
#include "devices/pci/pci.h"
#include "devices/storage/ide.h"

struct piix_ide {
    struct device dev;
    struct pci_dev pci;
    struct region bm; /* BAR4: 16 ports */
    struct ide_channel ch[2];
};

bool piix_ide_init(struct piix_ide *p, const char *id, struct pci_bus *bus, uint8_t devfn,
                   struct clock *clk, struct dma dma, struct irq_line irq14,
                   struct irq_line irq15) NODISCARD;
void piix_ide_attach(struct piix_ide *p, unsigned channel, unsigned unit, enum ide_kind kind,
                     struct blockdev *blk, const char *serial);
