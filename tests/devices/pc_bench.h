/* The chip set and its IDE function on real buses, for tests and fuzz targets of this room. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/firmware/fw_cfg.h"
#include "devices/pci/i440fx.h"
#include "devices/pci/piix3.h"
#include "devices/pci/piix4_pm.h"
#include "devices/storage/atapi.h"
#include "devices/storage/piix_ide.h"
#include "tests/common/contract.h"

#define BENCH_RAM ((uint64_t)2 << 20)
#define BENCH_BIOS 0x40000u

struct pc_bench {
    struct rig *rig;
    struct bus *mem, *ports;
    struct ram ram;
    struct region low, high, rom;
    struct pci_bus pci;
    struct i440fx pmc;
    struct piix3 isa;
    struct piix4_pm pm;
    struct piix_ide ide;
    struct fw_cfg fw;
    struct bench_card { /* a card with every kind of BAR, for the bus */
        struct device dev;
        struct pci_dev pci;
        struct region io, regs, big, rom;
        uint8_t rom_bytes[4096];
    } card;
    uint8_t *bios;
    unsigned soft_resets, hard_resets, offs, mmio_hits;
};

static inline void pc_bench_need(bool ok)
{
    if (!ok) {
        abort();
    }
}

static inline void pc_bench_on_reset(void *ctx, bool hard)
{
    struct pc_bench *b = ctx;
    *(hard ? &b->hard_resets : &b->soft_resets) += 1;
}

static inline void pc_bench_on_off(void *ctx, unsigned slp_typ)
{
    (void)slp_typ;
    ((struct pc_bench *)ctx)->offs++;
}

/* Buses, RAM, ROM and the PCI bus; pins 0-15 of the rig are ISA IRQs. */
static inline struct pc_bench *pc_bench_make(struct rig *r)
{
    struct pc_bench *b = calloc(1, sizeof *b);
    struct irq_line isa[16], pirq[4];
    struct err err = {0};
    pc_bench_need(b != NULL);
    r->priv = b;
    b->rig = r;
    b->mem = bus_create("memory", 36);
    b->ports = bus_create("port", 16);
    b->bios = malloc(BENCH_BIOS);
    pc_bench_need(b->mem && b->ports && b->bios && ram_init(&b->ram, BENCH_RAM, &err));
    for (unsigned i = 0; i < BENCH_BIOS; i++) {
        b->bios[i] = (uint8_t)(0xb0 + i / 0x4000);
    }
    b->low = (struct region){.name = "ram.low", .kind = REGION_RAM, .len = 0xa0000, .ram = &b->ram};
    b->high = (struct region){.name = "ram.high", .kind = REGION_RAM, .base = 0x100000,
                              .len = BENCH_RAM - 0x100000, .ram = &b->ram, .ram_off = 0x100000};
    b->rom = (struct region){.name = "bios", .kind = REGION_ROM, .base = 0xe0000, .len = 0x20000,
                             .priority = 1, .host = b->bios + BENCH_BIOS - 0x20000};
    pc_bench_need(bus_map(b->mem, &b->low, &err) && bus_map(b->mem, &b->high, &err) &&
                  bus_map(b->mem, &b->rom, &err));
    for (unsigned i = 0; i < 16; i++) {
        isa[i] = rig_wire(r, i);
    }
    for (unsigned i = 0; i < 4; i++) {
        pirq[i] = (struct irq_line){.set = piix3_pirq, .sink = &b->isa, .pin = i};
    }
    pci_init(&b->pci, "pci", b->mem, b->ports, pirq);
    pc_bench_need(bus_map(b->ports, &b->pci.regs, &err));
    pc_bench_need(
        piix3_init(&b->isa, "piix3", &b->pci, PCI_DEVFN(1, 0), isa, pc_bench_on_reset, b));
    rig_add_device(r, &b->pci.dev);
    rig_add_device(r, &b->isa.dev);
    rig_add_region(r, &b->pci.regs);
    return b;
}

static inline void pc_bench_unmake(struct rig *r)
{
    struct pc_bench *b = r->priv;
    bus_destroy(b->mem);
    bus_destroy(b->ports);
    ram_fini(&b->ram);
    free(b->bios);
    free(b);
}

static inline uint32_t in(struct pc_bench *b, unsigned port, unsigned size)
{
    return (uint32_t)bus_read(b->ports, port, size);
}
static inline void out(struct pc_bench *b, unsigned port, uint32_t v, unsigned size)
{
    bus_write(b->ports, port, v, size);
}
static inline uint32_t cfg_in(struct pc_bench *b, unsigned devfn, unsigned off, unsigned size)
{
    out(b, 0xcf8, 0x80000000u | devfn << 8 | (off & 0xfc), 4);
    return in(b, 0xcfc + (off & 3), size);
}
static inline void cfg_out(struct pc_bench *b, unsigned devfn, unsigned off, uint32_t v,
                           unsigned size)
{
    out(b, 0xcf8, 0x80000000u | devfn << 8 | (off & 0xfc), 4);
    out(b, 0xcfc + (off & 3), v, size);
}

/* ---- the chip set case: bridges, power management, and a card ---- */

static inline void bench_card_reset(struct device *dev, enum reset_kind kind)
{
    pci_dev_reset(&device_of(dev, struct bench_card)->pci, kind);
}
static inline void bench_card_snap(struct device *dev, struct snap *s)
{
    pci_dev_snap(&device_of(dev, struct bench_card)->pci, s);
}
static inline void bench_card_destroy(struct device *dev)
{
    pci_dev_destroy(&device_of(dev, struct bench_card)->pci);
}
static const struct device_class bench_card_class = {
    .name = "card", .snap_version = 1, .reset = bench_card_reset, .snap = bench_card_snap,
    .destroy = bench_card_destroy};

static inline void bench_card_make(struct rig *r, struct pc_bench *b)
{
    struct bench_card *c = &b->card;
    *c = (struct bench_card){.dev = {&bench_card_class, "card"}};
    c->io = (struct region){.name = "card.io", .len = 32};
    c->regs = (struct region){.name = "card.regs", .len = 4096};
    c->big = (struct region){.name = "card.big", .len = 65536};
    c->rom = (struct region){.name = "card.rom", .kind = REGION_ROM, .len = 4096,
                             .host = c->rom_bytes};
    pci_dev_init(&c->pci, "card", PCI_DEVFN(2, 0), 0x1234, 0x5678, 0xff000000, 1);
    pci_bar_init(&c->pci, 0, PCI_BAR_IO, false, &c->io);
    pci_bar_init(&c->pci, 1, PCI_BAR_MEM, false, &c->regs);
    pci_bar_init(&c->pci, 2, PCI_BAR_MEM64, true, &c->big);
    pci_bar_init(&c->pci, 6, PCI_BAR_ROM, false, &c->rom);
    pc_bench_need(pci_add(&b->pci, &c->pci));
    rig_add_device(r, &c->dev);
}

static inline void chipset_make(struct rig *r)
{
    struct pc_bench *b = pc_bench_make(r);
    struct err err = {0};
    struct irq_line sci = {.set = piix3_isa_irq, .sink = &b->isa, .pin = PIIX3_ISA_PIN(1, 9)};
    pc_bench_need(i440fx_init(&b->pmc, "i440fx", &b->pci, &b->ram, b->bios, BENCH_BIOS));
    pc_bench_need(piix4_pm_init(&b->pm, "piix4_pm", &b->pci, PCI_DEVFN(1, 3), &r->clk, sci,
                                pc_bench_on_off, b));
    pc_bench_need(bus_map(b->ports, &b->pm.apm, &err) && bus_map(b->ports, &b->pm.gpe, &err));
    bench_card_make(r, b);
    rig_add_device(r, &b->pmc.dev);
    rig_add_device(r, &b->pm.dev);
    rig_add_region(r, &b->pm.pm_io);
    rig_add_region(r, &b->pm.smb_io);
    rig_add_region(r, &b->pm.apm);
    rig_add_region(r, &b->pm.gpe);
    rig_add_region(r, &b->isa.rc);
}

/* Configuration writes that hit somebody: what random CONFADD values hardly do. */
static inline void chipset_input(struct rig *r, uint32_t v)
{
    static const uint8_t fn[4] = {PCI_DEVFN(0, 0), PCI_DEVFN(1, 0), PCI_DEVFN(2, 0),
                                  PCI_DEVFN(1, 3)};
    struct pc_bench *b = r->priv;
    if ((v & 0xf0000000) == 0 && b->pm.dev.cls) {
        piix4_pm_power_button(&b->pm);
        return;
    }
    if ((v & 0xf0000000) == 0x10000000) {
        pci_set_irq(&b->card.pci, v & 1);
        return;
    }
    pci_config_write(&b->pci, fn[v & 3], v >> 2 & 0xff, v * 0x9e3779b9u, 1u << (v >> 10 & 1));
}

static inline void chipset_busy(struct rig *r)
{
    struct pc_bench *b = r->priv;
    region_out(&b->pm.pm_io, 2, 0x0121, 2);
    region_out(&b->pm.pm_io, 4, 1, 2);
    region_out(&b->pm.smb_io, 2, 0x48, 1);
}

static const struct contract_case chipset_case = {
    .name = "chipset", .make = chipset_make, .unmake = pc_bench_unmake, .busy = chipset_busy,
    .input = chipset_input, .max_advance = 3 * VTIME_SEC};

/* ---- the IDE case: a disk (rig.blk) at 0.0, a CD at 1.0 ---- */

#define IDE_TEST_SECTORS 4096u
#define IDE_TEST_FRAMES 64u


static inline enum blk_result bench_cd_read(void *be, uint64_t sector, uint32_t count, void *buf)
{
    uint8_t *p = buf;
    (void)be;
    if (sector + count > IDE_TEST_FRAMES) {
        abort(); /* the drive must have checked */
    }
    for (uint32_t i = 0; i < count * CD_FRAME; i++) {
        p[i] = (uint8_t)((sector + i / CD_FRAME) * 7 + i % CD_FRAME * 3);
    }
    return BLK_OK;
}
static inline enum blk_result bench_cd_write(void *be, uint64_t s, uint32_t n, const void *buf)
{
    (void)be, (void)s, (void)n, (void)buf;
    return BLK_EROFS;
}
static inline enum blk_result bench_cd_flush(void *be)
{
    (void)be;
    return BLK_OK;
}
static const struct blockdev_ops bench_cd_ops = {bench_cd_read, bench_cd_write, bench_cd_flush,
                                                 NULL};

struct bench_cd {
    struct blockdev blk;
    unsigned ejects;
};

static inline void bench_cd_eject(void *host)
{
    struct bench_cd *c = host;
    c->ejects++;
    c->blk.sectors = 0;
    c->blk.ops = NULL;
    c->blk.media_changed(c->blk.dev);
}

static inline void bench_cd_insert(struct bench_cd *c)
{
    c->blk.ops = &bench_cd_ops;
    c->blk.sectors = IDE_TEST_FRAMES;
    c->blk.sector_size = CD_FRAME;
    c->blk.read_only = c->blk.removable = true;
    c->blk.eject_request = bench_cd_eject;
    c->blk.host = c;
    if (c->blk.media_changed) {
        c->blk.media_changed(c->blk.dev);
    }
}

static inline struct bench_cd *bench_cd_of(struct pc_bench *b)
{
    return b->ide.ch[1].drive[0].blk->host;
}

static inline void ide_make(struct rig *r)
{
    struct pc_bench *b = pc_bench_make(r);
    struct bench_cd *cd = calloc(1, sizeof *cd);
    struct irq_line i14 = {.set = piix3_isa_irq, .sink = &b->isa, .pin = PIIX3_ISA_PIN(0, 14)};
    struct irq_line i15 = {.set = piix3_isa_irq, .sink = &b->isa, .pin = PIIX3_ISA_PIN(0, 15)};
    pc_bench_need(cd != NULL);
    rig_mem_alloc(r, 1 << 18);
    rig_disk_insert(r, IDE_TEST_SECTORS, 512);
    bench_cd_insert(cd);
    pc_bench_need(piix_ide_init(&b->ide, "ide", &b->pci, PCI_DEVFN(1, 1), &r->clk, rig_dma(r), i14,
                                i15));
    piix_ide_attach(&b->ide, 0, 0, IDE_DISK, &r->blk, "VT00001");
    piix_ide_attach(&b->ide, 1, 0, IDE_CD, &cd->blk, "VT00003");
    rig_add_device(r, &b->ide.dev);
    rig_add_region(r, &b->ide.ch[0].cmd);
    rig_add_region(r, &b->ide.ch[0].ctl);
    rig_add_region(r, &b->ide.ch[1].cmd);
    rig_add_region(r, &b->ide.ch[1].ctl);
    rig_add_region(r, &b->ide.bm);
}

static inline void ide_unmake(struct rig *r)
{
    free(bench_cd_of(r->priv));
    pc_bench_unmake(r);
}

/* What firmware does before it touches a port. */
static inline void ide_enable(struct pc_bench *b)
{
    cfg_out(b, PCI_DEVFN(1, 1), 0x20, 0xc000, 4);
    cfg_out(b, PCI_DEVFN(1, 1), 0x40, 0x80008000, 4);
    cfg_out(b, PCI_DEVFN(1, 1), PCI_COMMAND, 5, 2);
}

/* Whole commands, so that random lives get beyond the command block. */
static inline void ide_input(struct rig *r, uint32_t v)
{
    static const uint8_t ata[16] = {0xc8, 0xca, 0x25, 0x35, 0x20, 0x30, 0xc4, 0xc5,
                                    0xec, 0xa0, 0xa1, 0xb0, 0xe7, 0xef, 0x24, 0x34};
    static const uint8_t packet[16] = {0x28, 0xa8, 0xbe, 0x12, 0x43, 0x5a, 0x55, 0x46,
                                       0x4a, 0x1b, 0x1e, 0x03, 0x25, 0x00, 0x51, 0xb9};
    struct pc_bench *b = r->priv;
    unsigned ch = v & 1;
    struct region *cmd = &b->ide.ch[ch].cmd;
    ide_enable(b);
    switch (v >> 1 & 7) {
    case 0: { /* a PRD table at a place the guest chose */
        store_le32(r->mem + 0x100, (v >> 4 & 0xffff) * 4);
        store_le32(r->mem + 0x104, (v >> 20) | (v & 0x10 ? 0x80000000u : 0));
        region_out(&b->ide.bm, ch * 8 + 4, 0x100, 4);
        region_out(&b->ide.bm, ch * 8, v >> 8 & 9, 1);
        break;
    }
    case 1: region_out(&b->ide.bm, ch * 8, v >> 8 & 1 ? 1 : 0, 1); break;
    case 2: /* run the data port */
        for (unsigned i = 0; i < (v >> 8 & 0x3ff); i++) {
            if (v & 0x10) {
                region_in(cmd, 0, 2);
            } else {
                region_out(cmd, 0, v * (i + 1), 2);
            }
        }
        break;
    case 3: { /* a packet */
        region_out(cmd, 6, 0, 1);
        region_out(cmd, 1, v >> 4 & 1, 1);
        region_out(cmd, 4, v >> 8 & 0xff, 1);
        region_out(cmd, 5, v >> 16 & 0x1f, 1);
        region_out(cmd, 7, 0xa0, 1);
        rig_advance(r, 30 * VTIME_US);
        region_out(cmd, 0, packet[v >> 24 & 15] | (v >> 4 & 0xff00), 2);
        for (unsigned i = 0; i < 5; i++) {
            region_out(cmd, 0, i == 1 ? v >> 28 : i == 3 ? v >> 20 : v >> 12 & 0xff10, 2);
        }
        break;
    }
    case 4:
        if (v & 0x100) {
            bench_cd_insert(bench_cd_of(b));
        } else {
            bench_cd_eject(bench_cd_of(b));
        }
        break;
    default:
        region_out(cmd, 6, 0x40, 1);
        region_out(cmd, 2, v >> 8 & 0x3f, 1);
        region_out(cmd, 3, v >> 16 & 0xff, 1);
        region_out(cmd, 4, v & 0x800000 ? 0x4f : 0, 1);
        region_out(cmd, 5, v & 0x800000 ? 0xc2 : 0, 1);
        region_out(cmd, 1, v >> 14 & 0xff, 1);
        region_out(cmd, 7, ata[v >> 28 & 15], 1);
        break;
    }
}

static inline void ide_busy(struct rig *r)
{
    struct pc_bench *b = r->priv;
    ide_enable(b);
    for (unsigned i = 0; i < 4; i++) {
        store_le32(r->mem + 0x100 + 8 * i, 0x10000);
        store_le32(r->mem + 0x104 + 8 * i, i == 3 ? 0x80000000u : 0);
    }
    region_out(&b->ide.bm, 4, 0x100, 4);
    region_out(&b->ide.bm, 0, 9, 1);
    region_out(&b->ide.ch[0].cmd, 6, 0x40, 1);
    region_out(&b->ide.ch[0].cmd, 2, 0, 1);
    region_out(&b->ide.ch[0].cmd, 7, 0xc8, 1);
    rig_advance(r, 800 * VTIME_US);
}

static const struct contract_case ide_case = {
    .name = "piix_ide", .make = ide_make, .unmake = ide_unmake, .busy = ide_busy,
    .input = ide_input, .max_advance = 5 * VTIME_MS};

/* ---- fw_cfg ---- */

static const uint8_t bench_file[5] = "hello";

static inline void fw_make(struct rig *r)
{
    struct pc_bench *b = calloc(1, sizeof *b);
    pc_bench_need(b != NULL);
    r->priv = b;
    b->rig = r;
    rig_mem_alloc(r, 1 << 16);
    fw_cfg_init(&b->fw, "fw_cfg", rig_dma(r));
    pc_bench_need(fw_cfg_add_u64(&b->fw, FW_CFG_RAM_SIZE, 64 << 20) &&
                  fw_cfg_add_u16(&b->fw, FW_CFG_NB_CPUS, 1) &&
                  fw_cfg_add_file(&b->fw, "etc/hello", bench_file, sizeof bench_file) &&
                  fw_cfg_add_file_copy(&b->fw, "bootorder", "/pci@i0cf8", 11));
    rig_add_device(r, &b->fw.dev);
    rig_add_region(r, &b->fw.regs);
    rig_add_region(r, &b->fw.dma_regs);
}

static inline void fw_unmake(struct rig *r)
{
    free(r->priv);
}

static inline void fw_input(struct rig *r, uint32_t v)
{
    struct pc_bench *b = r->priv;
    uint8_t *d = r->mem + 0x40;
    memset(d, 0, 16);
    d[0] = (uint8_t)(v >> 24 & 0x80);
    d[1] = (uint8_t)(v >> 16 & 0x3f);
    d[3] = (uint8_t)(v & 0x1f);
    d[6] = (uint8_t)(v >> 8 & 0xff);
    d[7] = (uint8_t)(v >> 4);
    d[14] = (uint8_t)(v >> 20);
    region_out(&b->fw.dma_regs, 4, 0x40000000, 4);
}

static const struct contract_case fw_case = {
    .name = "fw_cfg", .make = fw_make, .unmake = fw_unmake, .input = fw_input};
