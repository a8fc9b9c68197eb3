/* Intel 82371AB PIIX4 power management function: ACPI fixed registers, APM ports, SMBus host.
 * Intel 82371AB PCI-TO-ISA / IDE Xcelerator (PIIX4) (order number 290562), chapters 7.1 "Power
 * Management PCI Configuration Registers", 7.2 "Power Management I/O Space Registers", 7.3 "SMBus
 * I/O Space Registers".
 * NOT IMPLEMENTED: SMI, device monitors, throttling, GPIs; the SMBus has no slaves, so that every
 * cycle ends with DEV_ERR; sleep states other than soft off wake at once. */
#include "devices/pci/piix4_pm.h"

#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum { PMBASE = 0x40, CNTA = 0x44, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBASE = 0x90,
       SMBHSTCFG = 0xd2 };
enum { SMBHSTSTS = 0, SMBSLVSTS = 1, SMBHSTCNT = 2, SMBHSTCMD = 3, SMBHSTADD = 4, SMBHSTDAT0 = 5,
       SMBHSTDAT1 = 6, SMBBLKDAT = 7, SMBSLVCNT = 8, SMBSHDWCMD = 9, SMBSLVEVT = 10,
       SMBSLVDAT = 12 };
enum { HST_BUSY = 1, HST_INTR = 2, HST_DEV_ERR = 4, HST_BUS_ERR = 8, HST_FAILED = 16 };
enum { HSTCNT_INTEREN = 1, HSTCNT_KILL = 2, HSTCNT_START = 0x40 };
#define SMB_ADDRESS_TIME (100 * VTIME_US) /* start, address and the missing ACK at 100 kHz */

static struct piix4_pm *piix4_pm_of(struct pci_dev *pd)
{
    return (struct piix4_pm *)(void *)((char *)pd - offsetof(struct piix4_pm, pci));
}

static void piix4_pm_update_irq(void *owner)
{
    struct piix4_pm *p = owner;
    bool gpe = (p->pm.cnt & PM1_SCI_EN) && (p->gpe_sts & p->gpe_en);
    /* SMBHSTCFG bits 3:1 = 100: the host controller interrupts through IRQ9 */
    bool smb = p->smb_irq && (p->pci.config[SMBHSTCFG] & 0x0e) == 0x08;
    irq_set(&p->sci, acpi_pm_sci(&p->pm) || gpe || smb);
}

/* SLP_TYP 0 is soft off, in the datasheet and in SeaBIOS's _S5.  The others would wait for a
 * wake event: here it comes at once. */
static void piix4_pm_sleep(void *owner, unsigned slp_typ)
{
    struct piix4_pm *p = owner;
    if (slp_typ == 0) {
        if (p->power) {
            p->power(p->power_ctx, slp_typ);
        }
        return;
    }
    log_msg(LOG_UNIMP, p->dev.id, "sleep type %u wakes at once", slp_typ);
    acpi_pm_raise(&p->pm, PM1_WAK);
}

void piix4_pm_power_button(struct piix4_pm *p)
{
    acpi_pm_raise(&p->pm, PM1_PWRBTN);
}

void piix4_pm_rtc(struct piix4_pm *p)
{
    acpi_pm_raise(&p->pm, PM1_RTC);
}

void piix4_pm_sleep_button(struct piix4_pm *p)
{
    acpi_pm_raise(&p->pm, PM1_SLPBTN);
}

/* ---- PM I/O space ---- */

/* Bits of registers 0Ch-3Fh that the guest may set; status registers stay 0. */
static uint8_t piix4_pm_rest_mask(unsigned off)
{
    switch (off) {
    case 0x0e: case 0x0f: case 0x10: case 0x11: return 0xff; /* GPEN, PCNTRL */
    case 0x20: case 0x21: case 0x28: case 0x29: case 0x2a: case 0x2b: return 0xff;
    case 0x2c: case 0x2d: case 0x2e: case 0x2f: return 0xff; /* DEVCTL */
    case 0x34: case 0x35: case 0x36: case 0x37: return 0xff; /* GPOREG */
    default: return 0;
    }
}

static uint64_t piix4_pm_io_read(void *dev, uint64_t off, unsigned size)
{
    struct piix4_pm *p = dev;
    if (off + size <= 12) {
        return acpi_pm_read(&p->pm, (unsigned)off, size);
    }
    return off + size <= sizeof p->rest ? load_le(p->rest + off, size) : 0;
}

static void piix4_pm_io_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct piix4_pm *p = dev;
    if (off + size <= 12) {
        acpi_pm_write(&p->pm, (unsigned)off, (uint32_t)val, size);
        return;
    }
    for (unsigned i = 0; i < size && off + i < sizeof p->rest; i++) {
        uint8_t m = piix4_pm_rest_mask((unsigned)off + i);
        p->rest[off + i] = (uint8_t)((p->rest[off + i] & ~m) | ((val >> (8 * i)) & m));
    }
}

static const struct region_ops piix4_pm_io_ops = {
    .read = piix4_pm_io_read, .write = piix4_pm_io_write, .min_size = 1, .max_size = 4};

/* ---- APM ports: without SMM the chip itself does what SeaBIOS's FADT asks of the handler ---- */

static uint64_t piix4_pm_apm_read(void *dev, uint64_t off, unsigned size)
{
    struct piix4_pm *p = dev;
    (void)size;
    return off ? p->apms : p->apmc;
}

static void piix4_pm_apm_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct piix4_pm *p = dev;
    (void)size;
    if (off) {
        p->apms = (uint8_t)val;
        return;
    }
    p->apmc = (uint8_t)val;
    if (p->apmc == PIIX4_ACPI_ENABLE || p->apmc == PIIX4_ACPI_DISABLE) {
        acpi_pm_set_sci_en(&p->pm, p->apmc == PIIX4_ACPI_ENABLE);
    }
}

static const struct region_ops piix4_pm_apm_ops = {
    .read = piix4_pm_apm_read, .write = piix4_pm_apm_write, .min_size = 1, .max_size = 1};

/* ---- GPE0: no sources yet, so its status never rises ---- */

static uint64_t piix4_pm_gpe_read(void *dev, uint64_t off, unsigned size)
{
    struct piix4_pm *p = dev;
    (void)size;
    uint16_t w = off < 2 ? p->gpe_sts : p->gpe_en;
    return w >> (off & 1 ? 8 : 0) & 0xff;
}

static void piix4_pm_gpe_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct piix4_pm *p = dev;
    unsigned sh = off & 1 ? 8 : 0;
    (void)size;
    if (off < 2) {
        p->gpe_sts &= (uint16_t) ~((val & 0xff) << sh);
    } else {
        p->gpe_en = (uint16_t)((p->gpe_en & ~(0xffu << sh)) | (val & 0xff) << sh);
    }
    piix4_pm_update_irq(p);
}

static const struct region_ops piix4_pm_gpe_ops = {
    .read = piix4_pm_gpe_read, .write = piix4_pm_gpe_write, .min_size = 1, .max_size = 1};

/* ---- SMBus host controller on an empty bus ---- */

static void piix4_pm_smb_end(struct piix4_pm *p, uint8_t status)
{
    vtimer_cancel(&p->smb_done);
    p->smb[SMBHSTSTS] = (uint8_t)((p->smb[SMBHSTSTS] & ~HST_BUSY) | status);
    p->smb_irq = p->smb[SMBHSTCNT] & HSTCNT_INTEREN;
    piix4_pm_update_irq(p);
}

static void piix4_pm_smb_done(void *owner, vtime now)
{
    (void)now;
    piix4_pm_smb_end(owner, HST_DEV_ERR);
}

static uint64_t piix4_pm_smb_read(void *dev, uint64_t off, unsigned size)
{
    struct piix4_pm *p = dev;
    (void)size;
    return off == SMBBLKDAT ? 0xff : p->smb[off & 15]; /* no block data ever arrives */
}

static void piix4_pm_smb_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct piix4_pm *p = dev;
    uint8_t v = (uint8_t)val;
    (void)size;
    switch (off & 15) {
    case SMBHSTSTS:
        p->smb[SMBHSTSTS] &= (uint8_t) ~(v & (HST_INTR | HST_DEV_ERR | HST_BUS_ERR | HST_FAILED));
        if (!(p->smb[SMBHSTSTS] & (HST_INTR | HST_DEV_ERR | HST_BUS_ERR | HST_FAILED))) {
            p->smb_irq = false;
        }
        piix4_pm_update_irq(p);
        break;
    case SMBHSTCNT:
        p->smb[SMBHSTCNT] = v & 0x1d; /* KILL and START read as zero */
        if (v & HSTCNT_KILL) {
            if (p->smb[SMBHSTSTS] & HST_BUSY) {
                piix4_pm_smb_end(p, HST_FAILED);
            }
        } else if ((v & HSTCNT_START) && !(p->smb[SMBHSTSTS] & HST_BUSY)) {
            p->smb[SMBHSTSTS] |= HST_BUSY;
            vtimer_arm(&p->smb_done, clock_now(p->pm.clock) + SMB_ADDRESS_TIME);
        }
        break;
    case SMBSLVSTS: p->smb[SMBSLVSTS] &= (uint8_t) ~(v & 0x3c); break;
    case SMBBLKDAT: break;
    case SMBSLVCNT: p->smb[SMBSLVCNT] = v & 0x0f; break;
    default: p->smb[off & 15] = v; break;
    }
}

static const struct region_ops piix4_pm_smb_ops = {
    .read = piix4_pm_smb_read, .write = piix4_pm_smb_write, .min_size = 1, .max_size = 1};

/* ---- configuration ---- */

static void piix4_pm_place(struct piix4_pm *p)
{
    const uint8_t *c = p->pci.config;
    pci_window_set(&p->pci, 0, &p->pm_io, true, load_le16(c + PMBASE) & 0xffc0,
                   c[PMREGMISC] & 1);
    pci_window_set(&p->pci, 1, &p->smb_io, true, load_le16(c + SMBBASE) & 0xfff0,
                   (c[SMBHSTCFG] & 1) && (c[PCI_COMMAND] & PCI_CMD_IO));
}

static void piix4_pm_config_written(struct pci_dev *pd, unsigned off, unsigned size)
{
    (void)off;
    (void)size;
    piix4_pm_place(piix4_pm_of(pd));
    piix4_pm_update_irq(piix4_pm_of(pd));
}

static void piix4_pm_reset(struct device *dev, enum reset_kind kind)
{
    struct piix4_pm *p = device_of(dev, struct piix4_pm);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    acpi_pm_reset(&p->pm);
    vtimer_cancel(&p->smb_done);
    memset(p->smb, 0, sizeof p->smb);
    memset(p->rest, 0, sizeof p->rest);
    memset(p->rest + 0x30, 0xff, 4); /* GPIREG: inputs pulled up */
    store_le32(p->rest + 0x34, 0x7fffbfff);
    p->smb_irq = false;
    p->apmc = p->apms = 0;
    p->gpe_sts = p->gpe_en = 0;
    p->sci.level = false;
    pci_dev_reset(&p->pci, kind);
}

static void piix4_pm_drive(struct device *dev)
{
    struct piix4_pm *p = device_of(dev, struct piix4_pm);
    piix4_pm_update_irq(p);
    irq_drive(&p->sci);
}

static void piix4_pm_snap(struct device *dev, struct snap *s)
{
    struct piix4_pm *p = device_of(dev, struct piix4_pm);
    pci_dev_snap(&p->pci, s);
    acpi_pm_snap(&p->pm, s);
    snap_u8(s, "apmc", &p->apmc);
    snap_u8(s, "apms", &p->apms);
    snap_bytes(s, "rest", p->rest, sizeof p->rest);
    snap_u16(s, "gpe_sts", &p->gpe_sts);
    snap_u16(s, "gpe_en", &p->gpe_en);
    snap_bytes(s, "smb", p->smb, sizeof p->smb);
    snap_bool(s, "smb_irq", &p->smb_irq);
    snap_timer(s, "smb_done", &p->smb_done);
    snap_bool(s, "sci", &p->sci.level);
    if (snap_loading(s) && !s->failed) {
        if (!!(p->smb[SMBHSTSTS] & HST_BUSY) != (p->smb_done.when != VTIME_NEVER)) {
            snap_fail(s, "SMBus busy without an end");
            return;
        }
        piix4_pm_place(p);
    }
}

static void piix4_pm_destroy(struct device *dev)
{
    struct piix4_pm *p = device_of(dev, struct piix4_pm);
    vtimer_cancel(&p->pm.overflow);
    vtimer_cancel(&p->smb_done);
    pci_dev_destroy(&p->pci);
}

static const struct device_class piix4_pm_class = {
    .name = "piix4_pm", .snap_version = 1, .reset = piix4_pm_reset, .drive = piix4_pm_drive,
    .snap = piix4_pm_snap, .destroy = piix4_pm_destroy};

static void piix4_pm_region(struct piix4_pm *p, struct region *r, const char *name, uint64_t base,
                            uint64_t len, const struct region_ops *ops)
{
    *r = (struct region){.name = name, .kind = REGION_IO, .base = base, .len = len, .priority = 1,
                         .ops = ops, .dev = p};
}

bool piix4_pm_init(struct piix4_pm *p, const char *id, struct pci_bus *bus, uint8_t devfn,
                   struct clock *clk, struct irq_line sci,
                   void (*power)(void *ctx, unsigned slp_typ), void *ctx)
{
    struct pci_dev *pd = &p->pci;
    *p = (struct piix4_pm){.dev = {&piix4_pm_class, id}, .sci = sci, .power = power,
                           .power_ctx = ctx};
    acpi_pm_init(&p->pm, clk, "piix4_pm.overflow", piix4_pm_update_irq, piix4_pm_sleep, p);
    vtimer_init(&p->smb_done, clk, "piix4_pm.smb", piix4_pm_smb_done, p);
    piix4_pm_region(p, &p->pm_io, "piix4_pm.io", 0, 64, &piix4_pm_io_ops);
    piix4_pm_region(p, &p->smb_io, "piix4_pm.smbus", 0, 16, &piix4_pm_smb_ops);
    piix4_pm_region(p, &p->apm, "piix4_pm.apm", 0xb2, 2, &piix4_pm_apm_ops);
    piix4_pm_region(p, &p->gpe, "piix4_pm.gpe", 0xafe0, 4, &piix4_pm_gpe_ops);
    pci_dev_init(pd, id, devfn, 0x8086, 0x7113, 0x06800003, 1);
    store_le16(pd->wmask + PCI_COMMAND, 0x0001);
    store_le16(pd->config + PCI_STATUS, 0x0280);
    pd->wmask[PCI_CACHE_LINE] = 0;
    pd->wmask[PCI_LATENCY] = 0;
    pd->config[PMBASE] = 1;
    store_le16(pd->wmask + PMBASE, 0xffc0);
    memset(pd->wmask + CNTA, 0xff, 0x7f - CNTA); /* CNTA .. DEVRESJ: activity monitors */
    /* APMC_EN: firmware takes it as "SMM is set up already" and does not try an SMI */
    store_le32(pd->config + DEVACTB, 0x02000000);
    pd->wmask[PMREGMISC] = 0x01;
    pd->config[SMBBASE] = 1;
    store_le16(pd->wmask + SMBBASE, 0xfff0);
    pd->wmask[SMBHSTCFG] = 0x0f;
    pd->wmask[0xd3] = pd->wmask[0xd4] = pd->wmask[0xd5] = 0xff; /* slave address and shadows */
    pd->config_written = piix4_pm_config_written;
    return pci_add(bus, pd);
}
