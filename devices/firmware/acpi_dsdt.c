/* The part of the DSDT that is regular or chosen by the configuration, behind what roms/dsdt.asl
 * says: the PCI host bridge's windows and interrupt routing, ports, floppy, HPET, processor.
 * Advanced Configuration and Power Interface Specification 2.0, "Device Configuration"; PCI
 * Firmware Specification 3.0, chapter 4 (windows of a host bridge).
 * NOT IMPLEMENTED: ECP, the ISA network card (no system drives it through ACPI). */
#include <string.h>

#include "base/bits.h"
#include "devices/firmware/acpi_tables.h"

#define IO_APIC 0xfec00000u
#define HPET 0xfed00000u
#define HPET_LEN 0x400u

/* What the host bridge passes on: all ports but its own, the video memory, and everything from the
 * end of low RAM to the I/O APIC.  SeaBIOS and its like put BARs near the end of that. */
static void dsdt_windows(struct aml *a, const struct acpi_config *cfg)
{
    size_t crs = aml_crs(a);
    aml_crs_bus(a, 0, 0xff);
    aml_crs_io(a, 0xcf8, 8);
    aml_crs_io_window(a, 0, 0xcf7);
    aml_crs_io_window(a, 0xd00, 0xffff);
    aml_crs_mem_window(a, 0xa0000, 0xbffff, true);
    aml_crs_mem_window(a, (uint32_t)cfg->hole, IO_APIC - 1, false);
    aml_crs_end(a, crs);
}

/* Pin P (0 is A) of slot S is PIRQ (S + P - 1) mod 4, as the PCI bus here wires it.  Pin A of slot
 * 1 is power management's, which interrupts by the SCI. */
static void dsdt_routing(struct aml *a)
{
    static const char *const link[] = {"LNKA", "LNKB", "LNKC", "LNKD"};
    aml_name(a, "_PRT");
    size_t prt = aml_package(a, 31 * 4);
    for (unsigned slot = 1; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            size_t p = aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_path(a, slot == 1 && pin == 0 ? "LNKS" : link[(slot + pin - 1) & 3]);
            aml_int(a, 0);
            aml_end(a, p);
        }
    }
    aml_end(a, prt);
}

static size_t dsdt_device(struct aml *a, const char *name, char digit, const char *hid)
{
    char full[5] = {0};
    memcpy(full, name, strlen(name));
    if (digit) {
        full[strlen(name)] = digit;
    }
    size_t dev = aml_device(a, full);
    aml_name(a, "_HID");
    aml_eisaid(a, hid);
    return dev;
}

static void dsdt_ports(struct aml *a, const char *name, const char *hid,
                       const struct acpi_port *ports, unsigned count, uint8_t len)
{
    for (unsigned i = 0; i < count; i++) {
        if (!ports[i].iobase) {
            continue;
        }
        size_t dev = dsdt_device(a, name, (char)('1' + i), hid);
        aml_name(a, "_UID");
        aml_int(a, i + 1);
        size_t crs = aml_crs(a);
        aml_crs_io(a, ports[i].iobase, len);
        aml_crs_irq(a, ports[i].irq);
        aml_crs_end(a, crs);
        aml_end(a, dev);
    }
}

static void dsdt_floppy(struct aml *a, const struct acpi_config *cfg)
{
    if (!cfg->floppy[0] && !cfg->floppy[1]) {
        return;
    }
    size_t dev = dsdt_device(a, "FDC0", 0, "PNP0700");
    size_t crs = aml_crs(a);
    aml_crs_io(a, 0x3f2, 4);
    aml_crs_io(a, 0x3f7, 1);
    aml_crs_irq(a, 6);
    aml_crs_dma(a, 2);
    aml_crs_end(a, crs);
    aml_end(a, dev);
}

/* Ports that belong to the board and to nobody's driver. */
static void dsdt_motherboard(struct aml *a, const struct acpi_config *cfg)
{
    size_t dev = dsdt_device(a, "MBRD", 0, "PNP0C02");
    size_t crs = aml_crs(a);
    aml_crs_io(a, 0x92, 1);
    aml_crs_io(a, cfg->apm_base, 2);
    aml_crs_io(a, cfg->gpe_base, 4);
    aml_crs_io(a, cfg->pm_base, 64);
    aml_crs_io(a, cfg->smb_base, 16);
    aml_crs_end(a, crs);
    aml_end(a, dev);
    dev = aml_device(a, "FWCF");
    aml_name(a, "_HID");
    aml_string(a, "QEMU0002"); /* the name that fw_cfg has */
    crs = aml_crs(a);
    aml_crs_io(a, 0x510, 12);
    aml_crs_end(a, crs);
    aml_end(a, dev);
}

void acpi_dsdt(struct aml *a, const struct acpi_config *cfg)
{
    size_t start = a->len;
    aml_bytes(a, dsdt_aml, dsdt_aml_len);
    size_t scope = aml_scope(a, "\\_SB.PCI0");
    dsdt_windows(a, cfg);
    dsdt_routing(a);
    aml_end(a, scope);
    scope = aml_scope(a, "\\_SB.PCI0.ISA");
    dsdt_ports(a, "COM", "PNP0501", cfg->com, ACPI_COMS, 8);
    dsdt_ports(a, "LPT", "PNP0400", cfg->lpt, ACPI_LPTS, 4);
    dsdt_floppy(a, cfg);
    dsdt_motherboard(a, cfg);
    aml_end(a, scope);
    if (cfg->hpet_id) {
        scope = aml_scope(a, "\\_SB");
        size_t dev = dsdt_device(a, "HPET", 0, "PNP0103");
        size_t crs = aml_crs(a);
        aml_crs_mem(a, HPET, HPET_LEN);
        aml_crs_end(a, crs);
        aml_end(a, dev);
        aml_end(a, scope);
    }
    scope = aml_scope(a, "\\_PR");
    for (unsigned i = 0; i < acpi_processors(cfg); i++) {
        char name[5] = {'C', 'P', 'U', (char)('0' + i)};
        aml_processor(a, name, (uint8_t)i);
    }
    aml_end(a, scope);
    if (!a->full) {
        store_le32(a->buf + start + 4, (uint32_t)(a->len - start));
    }
}
