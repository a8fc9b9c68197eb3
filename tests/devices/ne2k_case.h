/* The two network cards on the bench: contract cases, and a small driver for their tests. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/net/ne2k_isa.h"
#include "devices/net/ne2k_pci.h"
#include "devices/pci/pci_rom.h"
#include "tests/common/contract.h"
#include "tests/devices/pc_bench.h"
#include "tests/rig/net_echo.h"

enum { NIC_PSTART = 0x46, NIC_PSTOP = 0x80, NIC_TPSR = 0x40, NIC_PCI_SLOT = 3 };

/* One image of 2 KB without IDs. */
static inline void nic_rom_image(uint8_t rom[2048])
{
    uint8_t sum = 0;
    memset(rom, 0, 2048);
    memcpy(rom, "\x55\xaa\x04\xeb\x1e", 5);
    store_le16(rom + 0x18, 0x1c);
    memcpy(rom + 0x1c, "PCIR", 4);
    store_le16(rom + 0x1c + 0x0a, 0x18);
    rom[0x1c + 0x0f] = 2;
    store_le16(rom + 0x1c + 0x10, 4);
    rom[0x1c + 0x15] = 0x80;
    for (unsigned i = 0; i < 2048; i++) {
        sum = (uint8_t)(sum + rom[i]);
    }
    rom[6] = (uint8_t)(0 - sum);
}

struct pci_card { /* pc_bench first: its helpers take r->priv as theirs */
    struct pc_bench *pc;
    struct ne2k_pci nic;
};

/* ---- which card is on this bench ---- */

static inline struct dp8390 *nic_of(struct rig *r)
{
    return r->net.dev;
}

static inline struct region *nic_regs(struct rig *r) /* the 32 ports are added last */
{
    return r->regs[r->reg_count - 1];
}

static inline uint8_t nic_in(struct rig *r, unsigned reg)
{
    return (uint8_t)region_in(nic_regs(r), reg, 1);
}

static inline void nic_out(struct rig *r, unsigned reg, uint8_t v)
{
    region_out(nic_regs(r), reg, v, 1);
}

/* Registers by page; leaves page 0 selected, remote DMA as it is. */
static inline uint8_t nic_page_in(struct rig *r, unsigned page, unsigned reg)
{
    struct dp8390 *nic = nic_of(r);
    uint8_t cr = nic->cr & 3;
    nic_out(r, 0, (uint8_t)(cr | CR_RD_ABORT | page << 6));
    uint8_t v = nic_in(r, reg);
    nic_out(r, 0, cr | CR_RD_ABORT);
    return v;
}

static inline void nic_page_out(struct rig *r, unsigned page, unsigned reg, uint8_t v)
{
    uint8_t cr = nic_of(r)->cr & 3;
    nic_out(r, 0, (uint8_t)(cr | CR_RD_ABORT | page << 6));
    nic_out(r, reg, v);
    nic_out(r, 0, cr | CR_RD_ABORT);
}

/* Set up as drivers do: a ring, the address, broadcast; running. */
static inline void nic_ring(struct rig *r, uint8_t pstart, uint8_t pstop, uint8_t bnry,
                            uint8_t curr)
{
    nic_out(r, 0, 0x21);
    nic_out(r, 1, pstart);
    nic_out(r, 2, pstop);
    nic_out(r, 3, bnry);
    nic_out(r, 0, 0x61);
    nic_out(r, 7, curr);
    nic_out(r, 0, 0x21);
}

static inline void nic_start(struct rig *r)
{
    nic_ring(r, NIC_PSTART, NIC_PSTOP, NIC_PSTART, NIC_PSTART + 1);
    nic_out(r, 14, DCR_WTS | DCR_LS);
    nic_out(r, 12, RCR_AB);
    nic_out(r, 13, 0);
    for (unsigned i = 0; i < 6; i++) {
        nic_page_out(r, 1, 1 + i, r->net.mac[i]);
    }
    nic_out(r, 7, 0xff);
    nic_out(r, 0, 0x22);
}

static inline void nic_remote(struct rig *r, uint16_t addr, uint16_t count, uint8_t cr)
{
    nic_out(r, 0, 0x22);
    nic_out(r, 10, (uint8_t)count);
    nic_out(r, 11, (uint8_t)(count >> 8));
    nic_out(r, 8, (uint8_t)addr);
    nic_out(r, 9, (uint8_t)(addr >> 8));
    nic_out(r, 0, cr);
}

static inline void nic_put(struct rig *r, uint16_t addr, const uint8_t *buf, unsigned len)
{
    nic_remote(r, addr, (uint16_t)(len + (len & 1)), 0x12);
    for (unsigned i = 0; i < len; i += 2) {
        region_out(nic_regs(r), 0x10, buf[i] | (i + 1 < len ? buf[i + 1] : 0) << 8, 2);
    }
}

static inline void nic_get(struct rig *r, uint16_t addr, uint8_t *buf, unsigned len)
{
    nic_remote(r, addr, (uint16_t)(len + (len & 1)), 0x0a);
    for (unsigned i = 0; i < len; i += 2) {
        unsigned v = (unsigned)region_in(nic_regs(r), 0x10, 2);
        buf[i] = (uint8_t)v;
        if (i + 1 < len) {
            buf[i + 1] = (uint8_t)(v >> 8);
        }
    }
}

static inline void nic_send(struct rig *r, uint8_t page, unsigned count)
{
    nic_out(r, 4, page);
    nic_out(r, 5, (uint8_t)count);
    nic_out(r, 6, (uint8_t)(count >> 8));
    nic_out(r, 0, 0x26);
}

/* ---- cases ---- */

static inline void nic_busy(struct rig *r)
{
    uint8_t f[NETDEV_FRAME_MAX];
    nic_start(r);
    nic_out(r, 15, 0x7f);
    for (unsigned i = 0; i < 9; i++) {
        size_t n = net_echo_frame(i, r->net.mac, f);
        r->net.client->receive(r->net.dev, f, n);
    }
    nic_remote(r, 0x4701, 0x333, 0x0a);
    region_in(nic_regs(r), 0x10, 2);
}

/* Frames and the cable, and whole driver actions so that random lives get somewhere. */
static inline void nic_input(struct rig *r, uint32_t v)
{
    uint8_t f[NETDEV_FRAME_MAX] = {0};
    struct dp8390 *nic = nic_of(r);
    size_t n;
    switch (v & 15) {
    case 0: r->net.client->link(r->net.dev, v & 0x70); break;
    case 1: nic_start(r); break;
    case 2: nic_ring(r, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24, v >> 4 & 0xff); break;
    case 3: nic_remote(r, v >> 8 & 0xffff, v >> 24, v & 0x10 ? 0x0a : 0x12); break;
    case 4: nic_send(r, v >> 8 & 0xff, v >> 16 & 0xfff); break;
    case 5: /* the guest empties the ring */
        nic_page_out(r, 0, 3, nic->curr);
        break;
    case 6: /* a damaged frame, a runt */
        n = net_echo_frame(v >> 8, nic->par, f);
        dp8390_wire(nic, f, v >> 16 & 0x7ff, v & 0xf0);
        break;
    case 7: /* registers of the receiver and transmitter */
        nic_out(r, 12, v >> 8 & 0x3f);
        nic_out(r, 13, v >> 16 & 0x1f);
        nic_out(r, 14, v >> 24 & 0x7f);
        break;
    default:
        n = net_echo_frame(v >> 8 & 0xffff, v & 0x10 ? nic->par : r->net.mac, f);
        if (v & 0x20) {
            n = v >> 24;
        }
        if (n && (v & 0x40 || r->net.client->ready(r->net.dev))) {
            r->net.client->receive(r->net.dev, f, n);
        }
        break;
    }
}

static inline void isa_card_make(struct rig *r)
{
    struct ne2k_isa *c = malloc(sizeof *c);
    pc_bench_need(c != NULL);
    memset(c, 0xa5, sizeof *c); /* T37: what init forgets shows as this pattern */
    r->priv = c;
    ne2k_isa_init(c, "net0", rig_wire(r, 9), &r->net);
    rig_add_region(r, &c->regs);
    rig_add_device(r, &c->dev);
}

static inline void isa_card_unmake(struct rig *r)
{
    free(r->priv);
}

static inline void pci_card_make(struct rig *r)
{
    struct pci_card *c = malloc(sizeof *c);
    struct err err = {0};
    uint8_t rom[2048];
    pc_bench_need(c != NULL);
    memset(c, 0xa5, sizeof *c);
    c->pc = pc_bench_make(r);
    r->priv = c;
    nic_rom_image(rom);
    pc_bench_need(ne2k_pci_init(&c->nic, "net0", &c->pc->pci, PCI_DEVFN(NIC_PCI_SLOT, 0), &r->net,
                                rom, sizeof rom, &err));
    rig_add_region(r, &c->nic.regs);
    rig_add_device(r, &c->nic.dev);
}

static inline void pci_card_unmake(struct rig *r)
{
    struct pci_card *c = r->priv;
    r->priv = c->pc;
    pc_bench_unmake(r);
    free(c);
}

/* TPSR's page 0 registers that change nothing when read: BNRY, TSR, NCR, ISR, RSR and the like are
 * at the same places as page 1's and 2's, which are pure too; 6 (FIFO) and 13-15 are not. */
static const struct contract_pure isa_card_pure[] = {
    {0, 0, 1}, {0, 3, 1}, {0, 4, 1}, {0, 5, 1}, {0, 7, 1}, {0, 8, 1}, {0, 9, 1}, {0, 12, 1}};
static const struct contract_case isa_card_case = {
    .name = "ne2k_isa", .make = isa_card_make, .unmake = isa_card_unmake, .busy = nic_busy,
    .input = nic_input, .pure = isa_card_pure, .pure_count = 8};
static const struct contract_pure pci_card_pure[] = {
    {1, 0, 1}, {1, 3, 1}, {1, 4, 1}, {1, 5, 1}, {1, 7, 1}, {1, 10, 1}, {1, 11, 1}, {1, 12, 1}};
static const struct contract_case pci_card_case = {
    .name = "ne2k_pci", .make = pci_card_make, .unmake = pci_card_unmake, .busy = nic_busy,
    .input = nic_input, .pure = pci_card_pure, .pure_count = 8};
