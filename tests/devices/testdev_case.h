/* The devices of test suites on the bench. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "devices/misc/pc_testdev.h"
#include "devices/misc/pci_testdev.h"
#include "tests/common/contract.h"
#include "tests/devices/pc_bench.h"

static inline void pc_testdev_make(struct rig *r)
{
    struct pc_testdev *t = malloc(sizeof *t);
    struct irq_line irq[PC_TESTDEV_IRQS];
    pc_bench_need(t != NULL);
    memset(t, 0xa5, sizeof *t); /* T37: what init forgets shows as this pattern */
    r->priv = t;
    for (unsigned i = 0; i < PC_TESTDEV_IRQS; i++) {
        irq[i] = rig_wire(r, i);
    }
    pc_testdev_init(t, "testdev", irq);
    rig_add_region(r, &t->latch);
    rig_add_region(r, &t->flush);
    rig_add_region(r, &t->bytes);
    rig_add_region(r, &t->lines);
    rig_add_region(r, &t->mem);
    rig_add_device(r, &t->dev);
}

static inline void pc_testdev_unmake(struct rig *r)
{
    free(r->priv);
}

static inline void pc_testdev_busy(struct rig *r)
{
    region_out(r->regs[0], 0, 0x12345678, 4);
    region_out(r->regs[3], 5, 1, 1);
    region_out(r->regs[4], 0x1230, 0xa55a, 2);
}

static const struct contract_pure pc_testdev_pure[] = {
    {0, 0, 4}, {0, 1, 2}, {2, 3, 1}, {1, 0, 1}, {3, 5, 1}, {4, 0x1230, 4}};
static const struct contract_case pc_testdev_case = {
    .name = "pc_testdev", .make = pc_testdev_make, .unmake = pc_testdev_unmake,
    .busy = pc_testdev_busy, .pure = pc_testdev_pure, .pure_count = 6};

struct pci_testdev_bench { /* pc_bench first: its helpers take r->priv as theirs */
    struct pc_bench *pc;
    struct pci_testdev t;
};
enum { PCI_TESTDEV_SLOT = 4 };

static inline void pci_testdev_make(struct rig *r)
{
    struct pci_testdev_bench *b = malloc(sizeof *b);
    pc_bench_need(b != NULL);
    memset(b, 0xa5, sizeof *b);
    b->pc = pc_bench_make(r);
    r->priv = b;
    pc_bench_need(pci_testdev_init(&b->t, "pci_testdev", &b->pc->pci,
                                   PCI_DEVFN(PCI_TESTDEV_SLOT, 0)));
    rig_add_region(r, &b->t.regs[0]);
    rig_add_region(r, &b->t.regs[1]);
    rig_add_device(r, &b->t.dev);
}

static inline void pci_testdev_unmake(struct rig *r)
{
    struct pci_testdev_bench *b = r->priv;
    r->priv = b->pc;
    pc_bench_unmake(r);
    free(b);
}

static inline void pci_testdev_busy(struct rig *r)
{
    region_out(r->regs[1], 0, 0, 1);
    region_out(r->regs[1], 2048, 0xfa, 1);
}

static const struct contract_pure pci_testdev_pure[] = {{1, 1, 1}, {1, 4, 4}, {2, 12, 4}};
static const struct contract_case pci_testdev_case = {
    .name = "pci_testdev", .make = pci_testdev_make, .unmake = pci_testdev_unmake,
    .busy = pci_testdev_busy, .pure = pci_testdev_pure, .pure_count = 3};
