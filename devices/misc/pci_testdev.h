/* A PCI function to try BARs and device accesses on.
 *
 * Wiring by the board: pci_testdev_init(&t, "pci_testdev", &pci, devfn). */
#pragma once
#include "devices/device.h"
#include "devices/pci/pci.h"
#include "mem/bus.h"

enum { PCI_TESTDEV_MEM_LEN = 4096, PCI_TESTDEV_IO_LEN = 256, PCI_TESTDEV_HEADER = 16 };
enum { PCI_TESTDEV_BARS = 2 }; /* 0: memory, 1: ports */

struct pci_testdev {
    struct device dev;
    struct pci_dev pci;
    struct region regs[PCI_TESTDEV_BARS];
    struct pci_testdev_bar { /* what a region's functions get */
        struct pci_testdev *t;
        unsigned n;
    } bar[PCI_TESTDEV_BARS];
    uint8_t running; /* 0: no test, else 1 + its BAR */
    uint32_t count;  /* writes that the running test has seen */
};

/* false: the slot is taken. */
bool pci_testdev_init(struct pci_testdev *t, const char *id, struct pci_bus *bus, uint8_t devfn);
