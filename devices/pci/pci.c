/* PCI bus 0 with configuration mechanism #1.
 * PCI Local Bus Specification 2.1, chapter 3.7.4.1 "Configuration Mechanism #1" and chapter 6
 * "Configuration Space"; Intel 82441FX (290549), CONFADD and CONFDATA.
 * NOT IMPLEMENTED: bridges to further buses, special cycles, parity, MSI, mechanism #2. */
#include "devices/pci/pci.h"

#include <string.h>

#include "base/bits.h"
#include "base/log.h"

#define PCI_BAR_PRIORITY 2

/* ---- placing regions ---- */

static unsigned pci_bar_off(unsigned n)
{
    return n == 6 ? PCI_ROM_BAR : PCI_BAR0 + 4 * n;
}

/* Where BAR n decodes, or false when it must not decode at all.  Address 0 is what firmware finds
 * after reset, and the sizing pattern of all ones would put the BAR against the top of the
 * address space: neither is a place (software sizes BARs with decoding left on). */
static bool pci_bar_place(const struct pci_dev *pd, unsigned n, uint64_t *base)
{
    const struct pci_bar *bar = &pd->bar[n];
    unsigned off = pci_bar_off(n), cmd = load_le16(pd->config + PCI_COMMAND);
    uint64_t v = load_le32(pd->config + off), size, last;
    if (bar->kind == PCI_BAR_NONE) {
        return false;
    }
    size = bar->region->len;
    if (bar->kind == PCI_BAR_MEM64) {
        v |= (uint64_t)load_le32(pd->config + off + 4) << 32;
    }
    *base = v & ~(size - 1);
    last = *base + size - 1;
    if (*base == 0 || last < *base) {
        return false;
    }
    switch (bar->kind) {
    case PCI_BAR_IO: return (cmd & PCI_CMD_IO) && last <= 0xffff;
    case PCI_BAR_MEM64: return (cmd & PCI_CMD_MEM) && last != UINT32_MAX && last != UINT64_MAX;
    case PCI_BAR_ROM:
        return (cmd & PCI_CMD_MEM) && (pd->config[off] & 1) && last < UINT32_MAX;
    default: return (cmd & PCI_CMD_MEM) && last < UINT32_MAX;
    }
}

/* Bring one region to where it should be; true when something was unmapped or mapped. */
static bool pci_place(struct pci_dev *pd, struct region *r, bool io, bool on, uint64_t base,
                      bool complain)
{
    struct bus *bus = io ? pd->bus->ports : pd->bus->mem;
    struct err err = {0};
    if (r->mapped && (!on || r->base != base)) {
        bus_unmap(bus, r);
        if (!on) {
            return true;
        }
    }
    if (!on || r->mapped) {
        return false;
    }
    r->base = base;
    if (!bus_map(bus, r, &err)) {
        if (complain) {
            log_msg(LOG_GUEST, pd->id, "%s", err.msg);
        }
        return false;
    }
    return true;
}

/* Place all decoders of one function; true when any moved. */
static bool pci_place_fn(struct pci_dev *pd, bool complain)
{
    bool moved = false;
    for (unsigned n = 0; n < 7; n++) {
        uint64_t base = 0;
        if (pd->bar[n].kind != PCI_BAR_NONE) {
            bool on = pci_bar_place(pd, n, &base);
            moved |= pci_place(pd, pd->bar[n].region, pd->bar[n].kind == PCI_BAR_IO, on, base,
                               complain);
        }
    }
    for (unsigned n = 0; n < PCI_WINDOWS; n++) {
        struct pci_window *w = &pd->window[n];
        if (w->region) {
            moved |= pci_place(pd, w->region, w->io, w->on, w->base, complain);
        }
    }
    return moved;
}

/* A guest may put two BARs on one place and later move one away: whoever was refused gets
 * another try whenever anything moved. */
static void pci_update(struct pci_dev *pd)
{
    struct pci_bus *bus = pd->bus;
    if (!bus || bus->updating) {
        return;
    }
    bus->updating = true;
    bus_batch_begin(bus->mem);
    bus_batch_begin(bus->ports);
    if (pci_place_fn(pd, true)) {
        for (unsigned i = 0; i < 256; i++) {
            if (bus->fn[i] && bus->fn[i] != pd) {
                pci_place_fn(bus->fn[i], false);
            }
        }
    }
    bus_batch_end(bus->ports);
    bus_batch_end(bus->mem);
    bus->updating = false;
}

void pci_window_set(struct pci_dev *pd, unsigned n, struct region *region, bool io, uint64_t base,
                    bool on)
{
    region->priority = PCI_BAR_PRIORITY;
    pd->window[n] = (struct pci_window){region, io, on && base != 0, base};
    pci_update(pd);
}

uint64_t pci_bar_base(const struct pci_dev *pd, unsigned n, bool *mapped)
{
    uint64_t base = 0;
    *mapped = false;
    if (n < 7 && pd->bar[n].kind != PCI_BAR_NONE) {
        pci_bar_place(pd, n, &base);
        *mapped = pd->bar[n].region->mapped;
    }
    return base;
}

/* ---- interrupt pins ---- */

/* Each slot's pins are rotated by one against its neighbor's (PIIX3 boards, and what SeaBIOS and
 * its _PRT assume): slot 1 INTA is PIRQA. */
static unsigned pci_swizzle(const struct pci_dev *pd)
{
    return ((pd->devfn >> 3) + pd->config[PCI_INT_PIN] - 1 - 1) & 3;
}

static void pci_update_irq(struct pci_bus *bus, unsigned pirq)
{
    bool level = false;
    for (unsigned i = 0; i < 256 && !level; i++) {
        struct pci_dev *pd = bus->fn[i];
        level = pd && pd->intx && pci_swizzle(pd) == pirq &&
                !(load_le16(pd->config + PCI_COMMAND) & PCI_CMD_INTX_OFF);
    }
    irq_set(&bus->pirq[pirq], level);
}

void pci_set_irq(struct pci_dev *pd, bool level)
{
    if (pd->intx == level || pd->config[PCI_INT_PIN] == 0) {
        return;
    }
    pd->intx = level;
    pd->config[PCI_STATUS] = (uint8_t)((pd->config[PCI_STATUS] & ~PCI_STATUS_INTX) |
                                       (level ? PCI_STATUS_INTX : 0));
    pci_update_irq(pd->bus, pci_swizzle(pd));
}

void pci_irq_sink(void *pd, unsigned pin, bool level)
{
    (void)pin;
    pci_set_irq(pd, level);
}

bool pci_master_enabled(const struct pci_dev *pd)
{
    return pd->config[PCI_COMMAND] & PCI_CMD_MASTER;
}

/* ---- configuration space ---- */

uint32_t pci_config_read(struct pci_bus *bus, uint8_t devfn, unsigned off, unsigned size)
{
    struct pci_dev *pd = bus->fn[devfn];
    if (!pd || off + size > sizeof pd->config) {
        return (uint32_t)bits_mask(size * 8);
    }
    return (uint32_t)load_le(pd->config + off, size);
}

void pci_config_write(struct pci_bus *bus, uint8_t devfn, unsigned off, uint32_t val,
                      unsigned size)
{
    struct pci_dev *pd = bus->fn[devfn];
    if (!pd || off + size > sizeof pd->config) {
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        uint8_t *c = &pd->config[off + i], m = pd->wmask[off + i], v = (uint8_t)(val >> (8 * i));
        *c = (uint8_t)((*c & ~m) | (v & m));
        *c = (uint8_t)(*c & ~(v & pd->w1c[off + i]));
    }
    if (off < PCI_STATUS || (off + size > PCI_BAR0 && off < PCI_ROM_BAR + 4)) {
        pci_update(pd);
        if (off < PCI_STATUS && pd->config[PCI_INT_PIN]) {
            pci_update_irq(bus, pci_swizzle(pd));
        }
    }
    if (pd->config_written) {
        pd->config_written(pd, off, size);
    }
}

/* CONFDATA selects bytes within the dword that CONFADD points at.  Other buses have nobody on
 * them: a master abort, which reads as ones. */
static uint64_t pci_data_read(struct pci_bus *bus, unsigned byte, unsigned size)
{
    uint32_t a = bus->address;
    if (!(a & 0x80000000) || (a & 0x00ff0000)) {
        return bits_mask(size * 8);
    }
    return pci_config_read(bus, (uint8_t)(a >> 8), (a & 0xfc) + byte, size);
}

/* CONFADD answers to whole dwords only; bytes there are ordinary I/O cycles, and of those
 * CF9h is the PIIX3's reset control register. */
static uint64_t pci_read(void *dev, uint64_t off, unsigned size)
{
    struct pci_bus *bus = dev;
    if (off >= 4) {
        return pci_data_read(bus, (unsigned)off - 4, size);
    }
    if (off == 0 && size == 4) {
        return bus->address;
    }
    if (off == 1 && size == 1 && bus->reset_control) {
        return bus->reset_control->ops->read(bus->reset_control->dev, 0, 1);
    }
    return bits_mask(size * 8);
}

static void pci_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct pci_bus *bus = dev;
    if (off >= 4) {
        uint32_t a = bus->address;
        if ((a & 0x80000000) && !(a & 0x00ff0000)) {
            pci_config_write(bus, (uint8_t)(a >> 8), (a & 0xfc) + (unsigned)off - 4,
                             (uint32_t)val, size);
        }
    } else if (off == 0 && size == 4) {
        bus->address = (uint32_t)val & 0x80fffffc;
    } else if (off == 1 && size == 1 && bus->reset_control) {
        bus->reset_control->ops->write(bus->reset_control->dev, 0, val, 1);
    }
}

static const struct region_ops pci_ops = {.read = pci_read, .write = pci_write, .min_size = 1,
                                          .max_size = 4};

/* ---- functions ---- */

void pci_dev_init(struct pci_dev *pd, const char *id, uint8_t devfn, uint16_t vendor,
                  uint16_t device, uint32_t class_rev, uint8_t pin)
{
    *pd = (struct pci_dev){.id = id, .devfn = devfn};
    store_le16(pd->config + PCI_VENDOR, vendor);
    store_le16(pd->config + PCI_DEVICE, device);
    store_le32(pd->config + PCI_REVISION, class_rev);
    store_le16(pd->config + PCI_SUBSYS_VENDOR, 0x1af4);
    store_le16(pd->config + PCI_SUBSYS, 0x1100);
    pd->config[PCI_INT_PIN] = pin;
    store_le16(pd->wmask + PCI_COMMAND,
               PCI_CMD_IO | PCI_CMD_MEM | PCI_CMD_MASTER | 0x140 | (pin ? PCI_CMD_INTX_OFF : 0));
    store_le16(pd->w1c + PCI_STATUS, 0xf900);
    pd->wmask[PCI_CACHE_LINE] = 0xff;
    pd->wmask[PCI_LATENCY] = 0xf8;
    pd->wmask[PCI_INT_LINE] = 0xff;
}

void pci_bar_init(struct pci_dev *pd, unsigned n, enum pci_bar_kind kind, bool prefetch,
                  struct region *region)
{
    unsigned off = pci_bar_off(n);
    uint64_t mask = ~(region->len - 1);
    region->priority = PCI_BAR_PRIORITY;
    pd->bar[n] = (struct pci_bar){kind, region};
    switch (kind) {
    case PCI_BAR_IO: pd->config[off] = 1; break;
    case PCI_BAR_MEM: pd->config[off] = prefetch ? 8 : 0; break;
    case PCI_BAR_MEM64:
        pd->config[off] = prefetch ? 12 : 4;
        store_le32(pd->wmask + off + 4, (uint32_t)(mask >> 32));
        break;
    default: mask |= 1; break;
    }
    store_le32(pd->wmask + off, (uint32_t)mask);
}

bool pci_add(struct pci_bus *bus, struct pci_dev *pd)
{
    if (bus->fn[pd->devfn]) {
        return false;
    }
    memcpy(pd->initial, pd->config, sizeof pd->config);
    pd->bus = bus;
    bus->fn[pd->devfn] = pd;
    return true;
}

void pci_dev_reset(struct pci_dev *pd, enum reset_kind kind)
{
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    memcpy(pd->config, pd->initial, sizeof pd->config);
    pd->intx = false;
    for (unsigned n = 0; n < PCI_WINDOWS; n++) {
        pd->window[n].on = false;
    }
    pci_update(pd);
}

void pci_dev_snap(struct pci_dev *pd, struct snap *s)
{
    uint8_t c[256];
    memcpy(c, pd->config, sizeof c);
    snap_bytes(s, "config", c, sizeof c);
    snap_bool(s, "intx", &pd->intx);
    if (!snap_loading(s) || s->failed) {
        return;
    }
    /* Bits that neither guest nor chip can change are as this machine was built: a file that says
     * otherwise describes another machine.  Chips keep live status in the status word only. */
    for (unsigned i = 0; i < sizeof c; i++) {
        uint8_t free = pd->wmask[i] | pd->w1c[i];
        if (i == PCI_STATUS || i == PCI_STATUS + 1) {
            free = 0xff;
        }
        if ((c[i] ^ pd->initial[i]) & ~free) {
            snap_fail(s, "PCI configuration of another device");
            return;
        }
    }
    memcpy(pd->config, c, sizeof c);
    if (pd->intx && pd->config[PCI_INT_PIN] == 0) {
        snap_fail(s, "interrupt from a function without a pin");
        pd->intx = false;
    }
    pci_update(pd);
}

void pci_dev_destroy(struct pci_dev *pd)
{
    if (!pd->bus) {
        return;
    }
    for (unsigned n = 0; n < 7; n++) {
        if (pd->bar[n].kind != PCI_BAR_NONE) {
            bus_unmap(pd->bar[n].kind == PCI_BAR_IO ? pd->bus->ports : pd->bus->mem,
                      pd->bar[n].region);
        }
    }
    for (unsigned n = 0; n < PCI_WINDOWS; n++) {
        struct pci_window *w = &pd->window[n];
        if (w->region) {
            bus_unmap(w->io ? pd->bus->ports : pd->bus->mem, w->region);
        }
    }
    pd->bus->fn[pd->devfn] = NULL;
    pd->bus = NULL;
}

/* ---- the host side ---- */

static void pci_reset(struct device *dev, enum reset_kind kind)
{
    struct pci_bus *bus = device_of(dev, struct pci_bus);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    bus->address = 0;
    for (unsigned i = 0; i < 4; i++) {
        bus->pirq[i].level = false;
    }
}

static void pci_drive(struct device *dev)
{
    struct pci_bus *bus = device_of(dev, struct pci_bus);
    for (unsigned i = 0; i < 4; i++) {
        pci_update_irq(bus, i);
        irq_drive(&bus->pirq[i]);
    }
}

static void pci_snap(struct device *dev, struct snap *s)
{
    struct pci_bus *bus = device_of(dev, struct pci_bus);
    snap_u32(s, "address", &bus->address);
    bus->address &= 0x80fffffc;
    for (unsigned i = 0; i < 4; i++) {
        snap_bool(s, "pirq", &bus->pirq[i].level);
    }
}

static const struct device_class pci_class = {
    .name = "pci", .snap_version = 1, .reset = pci_reset, .drive = pci_drive, .snap = pci_snap};

void pci_init(struct pci_bus *bus, const char *id, struct bus *mem, struct bus *ports,
              const struct irq_line pirq[4])
{
    *bus = (struct pci_bus){.dev = {&pci_class, id}, .mem = mem, .ports = ports};
    bus->regs = (struct region){.name = "pci.config", .kind = REGION_IO, .base = 0xcf8, .len = 8,
                                .priority = 1, .ops = &pci_ops, .dev = bus};
    for (unsigned i = 0; i < 4; i++) {
        bus->pirq[i] = pirq[i];
    }
}
