/* Intel 82441FX host bridge (PMC), function 0:0.0.
 *
 * Wiring by the board: RAM is mapped at priority 0 at 0-9FFFFh and from 100000h up, NOT at
 * C0000h-FFFFFh; the BIOS ROM's last 128 KB at E0000h-FFFFFh, priority 1.  Then
 *   i440fx_init(&pmc, "i440fx", &pci, &ram, bios, bios_len)
 * bios is the ROM image (bios_len bytes, ending at 1 MB; only the last 128 KB matter).  The chip
 * maps shadow RAM over C0000h-FFFFFh at priority 3 as PAM says.  ram must be at least 1 MB. */
#pragma once
#include "devices/pci/pci.h"
#include "mem/ram.h"

#define I440FX_SEGMENTS 16 /* 16 KB each, C0000h-FFFFFh */

struct i440fx {
    struct device dev;
    struct pci_dev pci;
    struct ram *ram;
    uint8_t *bios;
    uint64_t bios_len;
    struct region seg[I440FX_SEGMENTS];
    uint8_t seg_mode[I440FX_SEGMENTS]; /* bit 0: reads from RAM, bit 1: writes to RAM */
};

bool i440fx_init(struct i440fx *pmc, const char *id, struct pci_bus *bus, struct ram *ram,
                 uint8_t *bios, uint64_t bios_len) NODISCARD;
