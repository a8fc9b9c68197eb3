/* The standard VGA as a PCI function, 1234:1111: BAR0 frame buffer, BAR2 registers, option ROM.
 *
 * Wiring by the board, after vga_init(&vga, ...) and pci_init(&pci, ...):
 *   vga_pci_init(&vga_pci, "vga.pci", &vga, &pci, PCI_DEVFN(2, 0), rom, rom_len, &err);
 *   vga_map_legacy(&vga, mem, ports, &err);
 * rom: the bytes of vgabios-stdvga.bin, copied; NULL: none.  vga and vga_pci are two devices in the
 * board's list: reset, snapshot and destroy each (vga_pci before vga). */
#pragma once
#include <stddef.h>

#include "devices/pci/pci.h"
#include "devices/video/vga.h"

struct vga_pci {
    struct device dev;
    struct pci_dev pci;
    struct region rom;
    size_t rom_len; /* as allocated: a power of two */
};

bool vga_pci_init(struct vga_pci *vp, const char *id, struct vga *v, struct pci_bus *bus,
                  uint8_t devfn, const void *rom, size_t rom_len, struct err *err) NODISCARD;
