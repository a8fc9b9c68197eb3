/* Intel 82441FX PCI and Memory Controller (PMC): configuration, PAM shadow RAM.
 * Intel 440FX PCIset, 82441FX (order number 290549), chapter 3 "Register Description".
 * NOT IMPLEMENTED: SMRAM (72h reads back, no system management mode), ECC and parity, DRAM timing
 * (reads back), LOCK of SMRAM space beyond D_LCK itself. */
#include "devices/pci/i440fx.h"

#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum { PMCCFG = 0x50, DRAMC = 0x57, DRAMT = 0x58, PAM0 = 0x59, DRB0 = 0x60, FDHC = 0x68,
       DRAMXC = 0x6a, SMRAM = 0x72, ERRCMD = 0x90, ERRSTS = 0x91, TRC = 0x93 };
enum { SEG_FIRST = 0xc0000, SEG_LEN = 0x4000, ROM_FIRST = 0xe0000 };
enum { SEG_READ = 1, SEG_WRITE = 2 };

/* What reads see where neither ROM nor RAM answers: an open bus. */
static const uint8_t i440fx_open_bus[SEG_LEN] = {[0 ... SEG_LEN - 1] = 0xff};

/* Attributes of one 16 KB segment.  PAM0 bits 5:4 hold F0000h-FFFFFh whole; PAM1..PAM6 hold two
 * segments each from C0000h up, low nibble first. */
static unsigned i440fx_pam(const struct i440fx *pmc, unsigned seg)
{
    if (seg >= 12) {
        return pmc->pci.config[PAM0] >> 4 & 3;
    }
    return pmc->pci.config[PAM0 + 1 + seg / 2] >> (seg & 1 ? 4 : 0) & 3;
}

static void i440fx_set_segment(struct i440fx *pmc, unsigned n, unsigned mode)
{
    struct region *r = &pmc->seg[n];
    uint64_t addr = SEG_FIRST + (uint64_t)n * SEG_LEN, from_top = 0x100000 - addr;
    struct err err = {0};
    if (pmc->seg_mode[n] == mode) {
        return;
    }
    pmc->seg_mode[n] = (uint8_t)mode;
    bus_unmap(pmc->pci.bus->mem, r);
    *r = (struct region){.name = "i440fx.pam", .base = addr, .len = SEG_LEN, .priority = 3};
    switch (mode) {
    case 0: return; /* the ROM below shows through */
    case SEG_READ:
        r->kind = REGION_ROM;
        r->host = pmc->ram->host + addr;
        break;
    case SEG_WRITE:
        r->kind = REGION_ROM;
        r->host = pmc->bios && addr >= ROM_FIRST && from_top <= pmc->bios_len
                      ? pmc->bios + (pmc->bios_len - from_top)
                      : (uint8_t *)i440fx_open_bus; /* never written: ROM */
        r->ram = pmc->ram;
        r->ram_off = addr;
        break;
    default:
        r->kind = REGION_RAM;
        r->ram = pmc->ram;
        r->ram_off = addr;
        break;
    }
    if (!bus_map(pmc->pci.bus->mem, r, &err)) {
        log_msg(LOG_GUEST, pmc->dev.id, "%s", err.msg);
    }
}

static void i440fx_update_pam(struct i440fx *pmc)
{
    bus_batch_begin(pmc->pci.bus->mem);
    for (unsigned n = 0; n < I440FX_SEGMENTS; n++) {
        i440fx_set_segment(pmc, n, i440fx_pam(pmc, n));
    }
    bus_batch_end(pmc->pci.bus->mem);
}

static void i440fx_config_written(struct pci_dev *pd, unsigned off, unsigned size)
{
    struct i440fx *pmc = (struct i440fx *)(void *)((char *)pd - offsetof(struct i440fx, pci));
    if (off < PAM0 + 7 && off + size > PAM0) {
        i440fx_update_pam(pmc);
    }
    if (off <= SMRAM && off + size > SMRAM) {
        if (pd->config[SMRAM] & 0x10) { /* D_LCK: the register is closed until reset */
            pd->config[SMRAM] &= (uint8_t)~0x40;
            pd->wmask[SMRAM] = 0;
        }
    }
}

/* DRB0..7: upper bound of each DRAM row in units of 8 MB, cumulative, at most 1 GB in all. */
static void i440fx_fill_drb(struct i440fx *pmc)
{
    uint64_t rows = (pmc->ram->size + 0x7fffff) >> 23, row = 1;
    if (rows > 128) {
        rows = 128;
    }
    while (row * 8 < rows) {
        row *= 2; /* rows of equal, power-of-two size fill first */
    }
    for (unsigned i = 0; i < 8; i++) {
        uint64_t top = (i + 1) * row;
        pmc->pci.config[DRB0 + i] = (uint8_t)(top < rows ? top : rows);
    }
}

static void i440fx_reset(struct device *dev, enum reset_kind kind)
{
    struct i440fx *pmc = device_of(dev, struct i440fx);
    pci_dev_reset(&pmc->pci, kind);
    if (kind != RESET_CPU_ONLY) {
        pmc->pci.wmask[SMRAM] = 0x78;
    }
    i440fx_update_pam(pmc);
}

static void i440fx_snap(struct device *dev, struct snap *s)
{
    struct i440fx *pmc = device_of(dev, struct i440fx);
    if (snap_loading(s)) {
        pmc->pci.wmask[SMRAM] = 0x78; /* a locked register was open once */
    }
    pci_dev_snap(&pmc->pci, s);
    if (snap_loading(s) && !s->failed) {
        pmc->pci.wmask[SMRAM] = pmc->pci.config[SMRAM] & 0x10 ? 0 : 0x78;
        i440fx_update_pam(pmc);
    }
}

static void i440fx_destroy(struct device *dev)
{
    struct i440fx *pmc = device_of(dev, struct i440fx);
    for (unsigned n = 0; n < I440FX_SEGMENTS; n++) {
        i440fx_set_segment(pmc, n, 0);
    }
    pci_dev_destroy(&pmc->pci);
}

static const struct device_class i440fx_class = {.name = "i440fx", .snap_version = 1,
                                                 .reset = i440fx_reset, .snap = i440fx_snap,
                                                 .destroy = i440fx_destroy};

bool i440fx_init(struct i440fx *pmc, const char *id, struct pci_bus *bus, struct ram *ram,
                 uint8_t *bios, uint64_t bios_len)
{
    struct pci_dev *pd = &pmc->pci;
    *pmc = (struct i440fx){.dev = {&i440fx_class, id}, .ram = ram, .bios = bios,
                           .bios_len = bios_len};
    pci_dev_init(pd, id, PCI_DEVFN(0, 0), 0x8086, 0x1237, 0x06000002, 0);
    store_le16(pd->config + PCI_COMMAND, 0x0006); /* memory and mastering are hardwired on */
    store_le16(pd->wmask + PCI_COMMAND, 0x0100);
    store_le16(pd->config + PCI_STATUS, 0x0280);
    pd->wmask[PCI_INT_LINE] = 0;
    pd->wmask[PCI_CACHE_LINE] = 0;
    pd->config[PMCCFG + 1] = 0x00;
    pd->config[DRAMC] = 0x01;
    pd->config[SMRAM] = 0x02;
    i440fx_fill_drb(pmc);
    pd->wmask[PMCCFG] = 0x7f;
    pd->wmask[PMCCFG + 1] = 0xff;
    memset(pd->wmask + 0x53, 0xff, DRAMT + 1 - 0x53);
    pd->wmask[PAM0] = 0x30;
    memset(pd->wmask + PAM0 + 1, 0x33, 6);
    memset(pd->wmask + DRB0, 0xff, 8);
    pd->wmask[FDHC] = 0xc0;
    memset(pd->wmask + DRAMXC, 0xff, 2);
    pd->wmask[0x70] = 0xff; /* MTT */
    pd->wmask[0x71] = 0xff; /* CLT */
    pd->wmask[SMRAM] = 0x78;
    pd->wmask[ERRCMD] = 0xff;
    pd->w1c[ERRSTS] = 0x11;
    pd->wmask[TRC] = 0x0d; /* bit 1 SRST with bit 2 would reset; boards use the PIIX3's CF9h */
    pd->config_written = i440fx_config_written;
    return pci_add(bus, pd);
}
