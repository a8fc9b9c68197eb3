/* PCI bus 0: configuration mechanism #1, BARs, interrupt pins.
 *
 * Wiring by the board:
 *   pci_init(&pci, "pci", mem, ports, pirq);   pirq: four lines, to piix3_pirq pins 0..3
 *   pci.regs.base = 0xcf8; bus_map(ports, &pci.regs);
 *   then i440fx_init, piix3_init, ... each of which calls pci_add() on its own.
 * Reset order: pci before the functions on it or after, no difference.  After a machine-wide
 * snapshot load nothing needs to be called: each function's snap list maps its BARs again. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

#define PCI_DEVFN(slot, fn) ((uint8_t)((slot) << 3 | (fn)))
#define PCI_WINDOWS 4

enum { /* PCI Local Bus Specification 2.1, configuration header type 0 */
    PCI_VENDOR = 0x00, PCI_DEVICE = 0x02, PCI_COMMAND = 0x04, PCI_STATUS = 0x06,
    PCI_REVISION = 0x08, PCI_PROG_IF = 0x09, PCI_SUBCLASS = 0x0a, PCI_CLASS = 0x0b,
    PCI_CACHE_LINE = 0x0c, PCI_LATENCY = 0x0d, PCI_HEADER_TYPE = 0x0e, PCI_BAR0 = 0x10,
    PCI_SUBSYS_VENDOR = 0x2c, PCI_SUBSYS = 0x2e, PCI_ROM_BAR = 0x30, PCI_INT_LINE = 0x3c,
    PCI_INT_PIN = 0x3d
};
enum { PCI_CMD_IO = 1, PCI_CMD_MEM = 2, PCI_CMD_MASTER = 4, PCI_CMD_INTX_OFF = 0x400 };
enum { PCI_STATUS_INTX = 0x08 }; /* bit 3 of the status word */

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM, PCI_BAR_MEM64, PCI_BAR_ROM };

struct pci_bar {
    enum pci_bar_kind kind;
    struct region *region; /* len is a power of two: the BAR's size */
};
struct pci_window { /* a decoder of the function outside its BARs (PMBASE and the like) */
    struct region *region;
    bool io, on;
    uint64_t base;
};

struct pci_bus;
struct pci_dev { /* one function; embedded in a chip */
    struct pci_bus *bus;
    const char *id;
    uint8_t devfn;
    uint8_t config[256];
    uint8_t initial[256]; /* after reset; taken by pci_add */
    uint8_t wmask[256];   /* bits the guest may change */
    uint8_t w1c[256];     /* bits the guest clears by writing ones */
    struct pci_bar bar[7]; /* 6 is the expansion ROM */
    struct pci_window window[PCI_WINDOWS];
    /* After the guest wrote config[off .. off + size); may be NULL. */
    void (*config_written)(struct pci_dev *pd, unsigned off, unsigned size);
    bool intx; /* level of the function's own pin */
};

struct pci_bus {
    struct device dev;
    struct region regs; /* CF8h-CFFh; the board maps it */
    struct bus *mem, *ports;
    struct irq_line pirq[4];
    struct pci_dev *fn[256];
    struct region *reset_control; /* bytes at CF9h go here (PIIX3), NULL: nobody */
    uint32_t address;             /* CONFADD */
    bool updating;
};

void pci_init(struct pci_bus *bus, const char *id, struct bus *mem, struct bus *ports,
              const struct irq_line pirq[4]);

/* Fill in a function: ids, class, Debian-SeaBIOS-visible subsystem 1AF4:1100.  pin is 0 (none) or
 * 1..4 (INTA..INTD).  Then set BARs, masks and further bytes, then pci_add(). */
void pci_dev_init(struct pci_dev *pd, const char *id, uint8_t devfn, uint16_t vendor,
                  uint16_t device, uint32_t class_rev, uint8_t pin);
/* region->len must be a power of two (io >= 4, mem >= 16, rom >= 2048); priority becomes 2. */
void pci_bar_init(struct pci_dev *pd, unsigned n, enum pci_bar_kind kind, bool prefetch,
                  struct region *region);
/* false: the slot is taken. */
bool pci_add(struct pci_bus *bus, struct pci_dev *pd) NODISCARD;
/* From the chip's own reset: config back to its initial value, BARs unmapped, pin low. */
void pci_dev_reset(struct pci_dev *pd, enum reset_kind kind);
/* From the chip's own snap list. */
void pci_dev_snap(struct pci_dev *pd, struct snap *s);
void pci_dev_destroy(struct pci_dev *pd); /* unmap everything */
/* Place (or remove) one of the function's extra decoders. */
void pci_window_set(struct pci_dev *pd, unsigned n, struct region *region, bool io, uint64_t base,
                    bool on);
/* Drive the function's INTx pin: level, active = true. */
void pci_set_irq(struct pci_dev *pd, bool level);
/* As pci_set_irq, as an irq_line for chips that know only wires: sink is the pci_dev. */
void pci_irq_sink(void *pd, unsigned pin, bool level);
bool pci_master_enabled(const struct pci_dev *pd);

/* For the monitor ("info pci") and tests. */
uint32_t pci_config_read(struct pci_bus *bus, uint8_t devfn, unsigned off, unsigned size);
void pci_config_write(struct pci_bus *bus, uint8_t devfn, unsigned off, uint32_t val,
                      unsigned size);
/* Present base of a BAR, 0 when none; *mapped tells if it answers now. */
uint64_t pci_bar_base(const struct pci_dev *pd, unsigned n, bool *mapped);
