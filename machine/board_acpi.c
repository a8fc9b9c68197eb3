/* ACPI tables for this board: what the tables' author has to know of it. */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/cpuid.h"
#include "devices/firmware/acpi_tables.h"
#include "machine/board_int.h"

/* Where SeaBIOS puts PIIX4's I/O spaces when it finds a table loader; other firmware is asked. */
#define ACPI_PM_BASE 0x600
#define ACPI_SMB_BASE 0x700

static void board_acpi_build(struct board *b, struct acpi_blobs *blobs)
{
    const struct machine_config *cfg = &b->m->cfg;
    struct acpi_config a = {.pm_base = b->acpi_pm_base,
                            .smb_base = b->acpi_smb_base,
                            .gpe_base = (uint16_t)b->pm.gpe.base,
                            .apm_base = (uint16_t)b->pm.apm.base,
                            .hole = b->below_4g,
                            .apic = b->acpi_apic,
                            .vga = b->has_vga};
    if (!cfg->no_hpet) {
        a.hpet_id = (uint32_t)b->hpet.regs.ops->read(&b->hpet, 0, 4);
    }
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        if (cfg->serial[i].chr) {
            a.com[i] = (struct acpi_port){(uint16_t)b->uart[i].regs.base, board_serial_irq(b, i)};
        }
    }
    for (unsigned i = 0; i < MACHINE_PARALLELS; i++) {
        if (cfg->parallel[i].chr) {
            a.lpt[i] =
                (struct acpi_port){(uint16_t)b->parallel[i].regs.base, b->parallel_irq[i]};
        }
    }
    a.cpus = cfg->cpus;
    a.max_cpus = cfg->max_cpus;
    for (unsigned i = 0; i < ACPI_CPUS; i++) {
        a.apic_id[i] = board_apic_id(cfg, i);
    }
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) {
        a.floppy[i] = b->fdc.drive[i].type != FDC_NONE;
    }
    acpi_build(blobs, &a);
}

/* Firmware is about to read the tables: are PIIX4's I/O spaces where the tables say? */
static void board_acpi_refresh(void *ctx)
{
    struct board *b = ctx;
    const uint8_t *c = b->pm.pci.config;
    uint16_t pm = load_le16(c + 0x40) & 0xffc0, smb = load_le16(c + 0x90) & 0xfff0;
    uint8_t *tables = fw_cfg_file(&b->fw, "etc/acpi/tables");
    struct acpi_blobs blobs;
    b->acpi_pm_base = pm ? pm : ACPI_PM_BASE;
    b->acpi_smb_base = smb ? smb : ACPI_SMB_BASE;
    board_acpi_build(b, &blobs);
    if (tables && blobs.tables_len == b->acpi_len) { /* places do not change lengths */
        memcpy(tables, blobs.tables, blobs.tables_len);
    }
}

bool board_acpi(struct board *b, struct err *err)
{
    struct fw_cfg *fw = &b->fw;
    /* QEMU's order: S1 to S5 in bytes 1 to 5, bit 7: there; else the sleep type it would have */
    static const uint8_t states[6] = {128, 0, 0, 1, 2, 128};
    struct acpi_blobs blobs;
    if (!b->has_pm) {
        return true;
    }
    if (cpuid_model(b->m->cfg.cpu_model)->max_leaf) {
        uint32_t r[4];
        cpuid_query(b->m->cpu[0], 1, 0, r);
        b->acpi_apic = r[3] >> 9 & 1;
    }
    b->acpi_pm_base = ACPI_PM_BASE;
    b->acpi_smb_base = ACPI_SMB_BASE;
    board_acpi_build(b, &blobs);
    b->acpi_len = blobs.tables_len;
    bool ok = !blobs.full &&
              fw_cfg_add_file_copy(fw, "etc/acpi/tables", blobs.tables, blobs.tables_len) &&
              fw_cfg_add_file_copy(fw, "etc/acpi/rsdp", blobs.rsdp, sizeof blobs.rsdp) &&
              fw_cfg_add_file_copy(fw, "etc/table-loader", blobs.loader, blobs.loader_len) &&
              fw_cfg_add_file_copy(fw, "etc/system-states", states, sizeof states);
    fw_cfg_on_select(fw, "etc/acpi/tables", board_acpi_refresh, b);
    return ok || err_set(err, ENOSPC, "the ACPI tables do not fit");
}

void board_acpi_snap(struct board *b, struct snap *s)
{
    struct acpi_blobs blobs;
    uint8_t *tables = fw_cfg_file(&b->fw, "etc/acpi/tables");
    snap_u16(s, "acpi_pm_base", &b->acpi_pm_base);
    snap_u16(s, "acpi_smb_base", &b->acpi_smb_base);
    if (snap_loading(s) && tables) {
        board_acpi_build(b, &blobs);
        if (blobs.tables_len == b->acpi_len) {
            memcpy(tables, blobs.tables, blobs.tables_len);
        }
    }
}
