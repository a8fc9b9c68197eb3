/* Realtek RTL8029AS PCI full-duplex Ethernet controller: DP8390 core with 16 KB of RAM inside.
 * Realtek data sheet LS009.0 (January 1997), "Register Descriptions", "ID PROM Contents".
 *
 * RAM is 16 KB at 4000h as on the chip; some other programs give this card 32 KB or 48 KB, which no
 * driver uses.
 * NOT IMPLEMENTED: the serial EEPROM (9346CR moves no data; its contents stand in the PROM),
 * power-down and sleep, flow control, the clock switch (HLTCLK), LEDs. */
#include "devices/net/ne2k_pci.h"

#include "base/os.h"
#include "devices/net/ne2k.h"
#include "devices/pci/pci_rom.h"

#include <errno.h>

enum { PAGE3_9346CR = 1, PAGE3_CONFIG0 = 3, PAGE3_CONFIG2 = 5, PAGE3_CONFIG3 = 6, PAGE3_ID0 = 14,
       PAGE3_ID1 = 15, EEM = 0xc0, EEM_AUTOLOAD = 0x40, EEM_CONFIG = 0xc0, CONFIG2_RW = 0xe0,
       CONFIG3_RW = 0x46 };

static uint8_t ne2k_pci_in(void *ctx, unsigned reg)
{
    struct ne2k_pci *c = ctx;
    unsigned page = c->nic.cr & CR_PS;
    if (page == 0 && reg == 10) {
        return 0x50; /* 8029ID0, 8029ID1: P, C */
    }
    if (page == 0 && reg == 11) {
        return 0x43;
    }
    if (page != 0xc0 || reg == 0) {
        return dp8390_in(&c->nic, reg);
    }
    switch (reg) {
    case PAGE3_9346CR: return c->eecr;
    case PAGE3_CONFIG0: return 0; /* twisted pair */
    case PAGE3_CONFIG2: return c->config2;
    case PAGE3_CONFIG3: return c->config3;
    case PAGE3_ID0: return 0x29;
    case PAGE3_ID1: return 0x80;
    default: return 0xff;
    }
}

static void ne2k_pci_out(void *ctx, unsigned reg, uint8_t val)
{
    struct ne2k_pci *c = ctx;
    if ((c->nic.cr & CR_PS) != 0xc0 || reg == 0) {
        dp8390_out(&c->nic, reg, val);
        return;
    }
    bool open = (c->eecr & EEM) == EEM_CONFIG; /* configuration registers write enable */
    if (reg == PAGE3_9346CR) {
        /* loading again takes no time here: the mode is back to normal at once */
        c->eecr = (val & EEM) == EEM_AUTOLOAD ? 0 : val & (EEM | 0x0e);
    } else if (reg == PAGE3_CONFIG2 && open) {
        c->config2 = (uint8_t)((c->config2 & ~CONFIG2_RW) | (val & CONFIG2_RW));
    } else if (reg == PAGE3_CONFIG3 && open) {
        c->config3 = (uint8_t)((c->config3 & ~CONFIG3_RW) | (val & CONFIG3_RW));
    }
}

static uint64_t ne2k_pci_read(void *dev, uint64_t off, unsigned size)
{
    struct ne2k_pci *c = dev;
    struct ne2k_regs regs = {ne2k_pci_in, ne2k_pci_out, c};
    return ne2k_read(&c->nic, &regs, (unsigned)off, size);
}

static void ne2k_pci_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct ne2k_pci *c = dev;
    struct ne2k_regs regs = {ne2k_pci_in, ne2k_pci_out, c};
    ne2k_write(&c->nic, &regs, (unsigned)off, (uint32_t)val, size);
}

static const struct region_ops ne2k_pci_ops = {
    .read = ne2k_pci_read, .write = ne2k_pci_write, .min_size = 1, .max_size = 4};

/* CONFIG2 tells the size of the boot ROM in three steps; a bigger one is the biggest. */
static uint8_t ne2k_pci_bromsize(const struct ne2k_pci *c)
{
    return c->rom_len == 0 ? 0 : c->rom_len <= 8192 ? 1 : c->rom_len <= 16384 ? 2 : 3;
}

static void ne2k_pci_reset(struct device *dev, enum reset_kind kind)
{
    struct ne2k_pci *c = device_of(dev, struct ne2k_pci);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    dp8390_power_on(&c->nic);
    c->eecr = c->config3 = 0;
    c->config2 = ne2k_pci_bromsize(c);
    pci_dev_reset(&c->pci, kind);
}

static void ne2k_pci_drive(struct device *dev)
{
    dp8390_drive(&device_of(dev, struct ne2k_pci)->nic);
}

static void ne2k_pci_snap(struct device *dev, struct snap *s)
{
    struct ne2k_pci *c = device_of(dev, struct ne2k_pci);
    pci_dev_snap(&c->pci, s);
    dp8390_snap(&c->nic, s);
    snap_u8(s, "eecr", &c->eecr);
    snap_u8(s, "config2", &c->config2);
    snap_u8(s, "config3", &c->config3);
    if (snap_loading(s)) {
        c->eecr &= EEM | 0x0e;
        c->config2 = (uint8_t)((c->config2 & CONFIG2_RW) | ne2k_pci_bromsize(c));
        c->config3 &= CONFIG3_RW;
    }
}

static void ne2k_pci_destroy(struct device *dev)
{
    struct ne2k_pci *c = device_of(dev, struct ne2k_pci);
    pci_dev_destroy(&c->pci);
    if (c->rom.host) {
        os_pages_free(c->rom.host, c->rom_len);
        c->rom.host = NULL;
    }
}

static const struct device_class ne2k_pci_class = {.name = "ne2k_pci",
                                                   .snap_version = 1,
                                                   .reset = ne2k_pci_reset,
                                                   .drive = ne2k_pci_drive,
                                                   .snap = ne2k_pci_snap,
                                                   .destroy = ne2k_pci_destroy};

bool ne2k_pci_init(struct ne2k_pci *c, const char *id, struct pci_bus *bus, uint8_t devfn,
                   struct netdev *net, const void *rom, size_t rom_len, struct err *err)
{
    static const uint8_t none[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    struct pci_dev *pd = &c->pci;
    *c = (struct ne2k_pci){.dev = {&ne2k_pci_class, id}};
    c->regs = (struct region){.name = "ne2k_pci.regs", .kind = REGION_IO, .len = NE2K_PORTS,
                              .ops = &ne2k_pci_ops, .dev = c};
    pci_dev_init(pd, id, devfn, NE2K_PCI_VENDOR, NE2K_PCI_DEVICE, 0x02000000, 1);
    store_le16(pd->wmask + PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    store_le16(pd->config + PCI_STATUS, 0x0200); /* medium DEVSEL */
    pd->wmask[PCI_CACHE_LINE] = pd->wmask[PCI_LATENCY] = 0; /* it never is a bus master */
    pci_bar_init(pd, 0, PCI_BAR_IO, false, &c->regs);
    if (rom && rom_len) {
        struct pci_rom_id want = {NE2K_PCI_VENDOR, NE2K_PCI_DEVICE};
        c->rom = (struct region){.name = "ne2k_pci.rom", .kind = REGION_ROM};
        c->rom.host = pci_rom_load(rom, rom_len, &want, &c->rom_len, err);
        if (!c->rom.host) {
            return err_prefix(err, "%s: ", id);
        }
        c->rom.len = c->rom_len;
        pci_bar_init(pd, 6, PCI_BAR_ROM, false, &c->rom);
    }
    dp8390_init(&c->nic, id, (struct irq_line){.set = pci_irq_sink, .sink = pd}, net);
    ne2k_prom(&c->nic, net ? net->mac : none, 0x42);
    c->config2 = ne2k_pci_bromsize(c);
    if (!pci_add(bus, pd)) {
        ne2k_pci_destroy(&c->dev);
        return err_set(err, EBUSY, "%s: PCI slot %u is taken", id, devfn >> 3);
    }
    return true;
}
