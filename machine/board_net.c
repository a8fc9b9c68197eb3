/* Network cards: which chip the configuration asks for, and where it sits.  PCI cards take slots
 * from 3 on, ISA cards ports 300h and IRQ 9 unless the user says otherwise. */
#include "machine/board_int.h"

#include <errno.h>

enum { NET_FIRST_SLOT = 3, NET_LAST_SLOT = 31, NET_ISA_BASE = 0x300, NET_ISA_IRQ = 9,
       PIIX3_SOURCES = 4 };

static bool net_slot_free(const struct board *b, unsigned slot)
{
    for (unsigned fn = 0; fn < 8; fn++) {
        if (b->pci.fn[PCI_DEVFN(slot, fn)]) {
            return false;
        }
    }
    return true;
}

static bool net_pci(struct board *b, unsigned n, const char *id, struct err *err)
{
    const struct machine_nic *c = &b->m->cfg.nic[n];
    unsigned slot = c->slot ? c->slot : NET_FIRST_SLOT;
    while (!c->slot && slot <= NET_LAST_SLOT && !net_slot_free(b, slot)) {
        slot++;
    }
    if (slot > NET_LAST_SLOT) {
        return err_set(err, EINVAL, "%s: PCI slot %u: slots go from 3 to 31", id, slot);
    }
    if (!net_slot_free(b, slot)) {
        return err_set(err, EBUSY, "%s: PCI slot %u is taken", id, slot);
    }
    if (!ne2k_pci_init(&b->net[n].pci, id, &b->pci, PCI_DEVFN(slot, 0), c->net, c->rom.data,
                       c->rom.len, err)) {
        return false;
    }
    board_add(b, &b->net[n].pci.dev);
    return true;
}

/* The PIIX3 ORs four sources on each wire; serial ports, the SCI, the IDE channels and cards before
 * this one have theirs (board_i440fx.c).  -1: none left. */
static int net_source(const struct board *b, unsigned n, unsigned irq)
{
    static const uint8_t serial_irq[] = {4, 3, 4, 3};
    unsigned used = irq == 9 ? 2 : irq >= 14 ? 1 : 0;
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        const struct machine_serial *s = &b->m->cfg.serial[i];
        if (s->chr && (s->irq ? s->irq & 15u : serial_irq[i]) == irq) {
            used |= 1u << i;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (b->net_irq[i] == irq) {
            used |= 1u << b->net_source[i];
        }
    }
    for (int i = PIIX3_SOURCES - 1; i >= 0; i--) {
        if (!(used >> i & 1)) {
            return i;
        }
    }
    return -1;
}

static bool net_isa(struct board *b, unsigned n, const char *id, struct err *err)
{
    const struct machine_nic *c = &b->m->cfg.nic[n];
    unsigned irq = c->irq ? c->irq : NET_ISA_IRQ;
    if (irq > 15 || !(1u << irq & 0xceb8)) { /* the others end at chips of the board */
        return err_set(err, EINVAL,
                       "%s: IRQ %u is not for cards: 3, 4, 5, 7, 9, 10, 11, 14 or 15 is", id, irq);
    }
    int source = net_source(b, n, irq);
    if (source < 0) {
        return err_set(err, EBUSY, "%s: IRQ %u is shared by four devices already: take another",
                       id, irq);
    }
    b->net_irq[n] = (uint8_t)irq;
    b->net_source[n] = (uint8_t)source;
    ne2k_isa_init(&b->net[n].isa, id,
                  board_line(piix3_isa_irq, &b->isa, PIIX3_ISA_PIN((unsigned)source, irq)), c->net);
    board_add(b, &b->net[n].isa.dev);
    return board_port(b, &b->net[n].isa.regs, c->iobase ? c->iobase : NET_ISA_BASE, err) ||
           err_prefix(err, "%s: ", id);
}

bool board_net(struct board *b, struct err *err)
{
    static const char *const id[MACHINE_NICS] = {"net0", "net1", "net2", "net3"};
    /* cards with a slot of their own first: the others go around them */
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned n = 0; n < MACHINE_NICS; n++) {
            const struct machine_nic *c = &b->m->cfg.nic[n];
            bool now = (c->model == MACHINE_NIC_NE2K_PCI && c->slot) == (pass == 0);
            if (!now || c->model == MACHINE_NIC_NONE) {
                continue;
            }
            if (!(c->model == MACHINE_NIC_NE2K_PCI ? net_pci(b, n, id[n], err)
                                                   : net_isa(b, n, id[n], err))) {
                return false;
            }
        }
    }
    return true;
}
