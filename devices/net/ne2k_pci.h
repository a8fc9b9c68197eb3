/* Realtek RTL8029AS: an NE2000 on PCI, 10EC:8029.
 *
 * Wiring by the board: ne2k_pci_init(&c, "net0", &pci, PCI_DEVFN(3, 0), net, rom, rom_len, &err).
 * net: its mac is the card's; it must not be shared.  rom: an option ROM, copied and made this
 * card's own (devices/pci/pci_rom.h); NULL: none. */
#pragma once
#include "base/err.h"
#include "devices/net/dp8390.h"
#include "devices/pci/pci.h"

enum { NE2K_PCI_VENDOR = 0x10ec, NE2K_PCI_DEVICE = 0x8029 };

struct ne2k_pci {
    struct device dev;
    struct pci_dev pci;
    struct region regs; /* BAR0: 32 ports */
    struct region rom;
    size_t rom_len; /* as allocated: a power of two */
    struct dp8390 nic;
    uint8_t eecr, config2, config3; /* page 3 */
};

bool ne2k_pci_init(struct ne2k_pci *c, const char *id, struct pci_bus *bus, uint8_t devfn,
                   struct netdev *net, const void *rom, size_t rom_len, struct err *err) NODISCARD;
