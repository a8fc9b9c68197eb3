/* pci-testdev: no chip; what test suites expect behind QEMU's device of that name (QEMU manual,
 * "System Emulation Guest Hardware Specifications", "QEMU PCI test device"): 1B36:0005, BAR 0
 * memory, BAR 1 ports, each with a header
 *
 *   0 test    written: test n of this BAR begins          8 data    what to write
 *   1 width   of the accesses that count, 0: no test      12 count  how many came
 *   4 offset  where in this BAR                            16 name   text, ended by 0
 *
 * of which the guest reads all but `test`.  While no test runs all of it reads 0.
 * A guest tries tests from 0 on until it finds one with no width.
 * NOT IMPLEMENTED: tests of event descriptors, which are about a host kernel; BAR 2 (membar=). */
#include "devices/misc/pci_testdev.h"

#include <string.h>

#include "base/bits.h"

enum { H_TEST = 0, H_WIDTH = 1, H_OFFSET = 4, H_DATA = 8, H_COUNT = 12 };
enum { MEM_OFFSET = 2048, IO_OFFSET = 128, DATA = 0xfa };

static uint32_t testdev_offset(unsigned bar)
{
    return bar ? IO_OFFSET : MEM_OFFSET;
}

static uint8_t testdev_byte(const struct pci_testdev *t, uint64_t off)
{
    static const char *const name[PCI_TESTDEV_BARS] = {"mmio-no-eventfd", "portio-no-eventfd"};
    uint8_t h[PCI_TESTDEV_HEADER] = {0};
    unsigned bar = t->running - 1u;
    if (!t->running) {
        return 0;
    }
    if (off >= PCI_TESTDEV_HEADER) {
        uint64_t at = off - PCI_TESTDEV_HEADER;
        return at < strlen(name[bar]) ? (uint8_t)name[bar][at] : 0;
    }
    h[H_WIDTH] = 1;
    store_le32(h + H_OFFSET, testdev_offset(bar));
    h[H_DATA] = DATA;
    store_le32(h + H_COUNT, t->count);
    return h[off];
}

static uint64_t testdev_read(void *dev, uint64_t off, unsigned size)
{
    const struct pci_testdev_bar *b = dev;
    (void)size;
    return testdev_byte(b->t, off);
}

static void testdev_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    const struct pci_testdev_bar *b = dev;
    struct pci_testdev *t = b->t;
    (void)size;
    if (off == H_TEST) {
        t->running = val == 0 ? (uint8_t)(1 + b->n) : 0;
        t->count = 0;
    } else if (t->running && off == testdev_offset(t->running - 1u) && val == DATA) {
        t->count++;
    }
}

static void pci_testdev_reset(struct device *dev, enum reset_kind kind)
{
    struct pci_testdev *t = device_of(dev, struct pci_testdev);
    pci_dev_reset(&t->pci, kind);
    if (kind != RESET_CPU_ONLY) {
        t->running = 0;
        t->count = 0;
    }
}

static void pci_testdev_snap(struct device *dev, struct snap *s)
{
    struct pci_testdev *t = device_of(dev, struct pci_testdev);
    pci_dev_snap(&t->pci, s);
    snap_u8(s, "running", &t->running);
    snap_u32(s, "count", &t->count);
    if (snap_loading(s) && t->running > PCI_TESTDEV_BARS) {
        snap_fail(s, "pci-testdev: no such test");
        t->running = 0;
    }
}

static void pci_testdev_destroy(struct device *dev)
{
    pci_dev_destroy(&device_of(dev, struct pci_testdev)->pci);
}

static const struct device_class pci_testdev_class = {
    .name = "pci_testdev",
    .snap_version = 1,
    .reset = pci_testdev_reset,
    .snap = pci_testdev_snap,
    .destroy = pci_testdev_destroy,
};
static const struct region_ops testdev_ops = {testdev_read, testdev_write, 1, 1};

bool pci_testdev_init(struct pci_testdev *t, const char *id, struct pci_bus *bus, uint8_t devfn)
{
    static const char *const name[PCI_TESTDEV_BARS] = {"pci_testdev.mem", "pci_testdev.ports"};
    *t = (struct pci_testdev){.dev = {&pci_testdev_class, id}};
    pci_dev_init(&t->pci, id, devfn, 0x1b36, 0x0005, 0x00ff0000, 0);
    store_le16(t->pci.wmask + PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    for (unsigned n = 0; n < PCI_TESTDEV_BARS; n++) {
        t->bar[n] = (struct pci_testdev_bar){t, n};
        t->regs[n] = (struct region){.name = name[n], .kind = REGION_IO, .ops = &testdev_ops,
                                     .len = n ? PCI_TESTDEV_IO_LEN : PCI_TESTDEV_MEM_LEN,
                                     .dev = &t->bar[n]};
        pci_bar_init(&t->pci, n, n ? PCI_BAR_IO : PCI_BAR_MEM, false, &t->regs[n]);
    }
    return pci_add(bus, &t->pci);
}
