/* Devices of test suites: they sit where QEMU's "pc" has them. */
#include "machine/board_int.h"

#include <errno.h>

enum { TEST_FIRST_SLOT = 3, TEST_LAST_SLOT = 31 };

static bool test_pc(struct board *b, struct err *err)
{
    struct irq_line irq[PC_TESTDEV_IRQS];
    struct pc_testdev *t = &b->pc_testdev;
    for (unsigned i = 0; i < PC_TESTDEV_IRQS; i++) {
        irq[i] = board_irq(b, BOARD_IRQ_TEST, i);
    }
    pc_testdev_init(t, "testdev", irq);
    board_add(b, &t->dev);
    return bus_map(b->m->ports, &t->latch, err) && bus_map(b->m->ports, &t->flush, err) &&
           bus_map(b->m->ports, &t->bytes, err) && bus_map(b->m->ports, &t->lines, err) &&
           bus_map(b->m->mem, &t->mem, err);
}

static bool test_pci(struct board *b, struct err *err)
{
    unsigned slot = TEST_FIRST_SLOT;
    while (slot <= TEST_LAST_SLOT && b->pci.fn[PCI_DEVFN(slot, 0)]) {
        slot++;
    }
    if (slot > TEST_LAST_SLOT ||
        !pci_testdev_init(&b->pci_testdev, "pci_testdev", &b->pci, PCI_DEVFN(slot, 0))) {
        return err_set(err, EBUSY, "pci-testdev: no PCI slot is free");
    }
    board_add(b, &b->pci_testdev.dev);
    return true;
}

bool board_test(struct board *b, struct err *err)
{
    return (!b->m->cfg.pc_testdev || test_pc(b, err)) &&
           (!b->m->cfg.pci_testdev || test_pci(b, err));
}
