/* Expansion ROM images: checking one that a user brought, and making it a card's own. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pci_rom_id {
    uint16_t vendor, device;
};

#define PCI_ROM_MAX ((size_t)4 << 20)

/* A copy of the ROM in whole pages (os_pages_alloc), its length rounded up to a power of two with
 * ones behind the image.  Images that carry the IDs 0000:0000 get the card's, and a checksum to
 * match, or firmware would skip them.  NULL and one sentence when it is no expansion ROM for this
 * card. */
uint8_t *pci_rom_load(const void *rom, size_t len, const struct pci_rom_id *id, size_t *out_len,
                      struct err *err);
