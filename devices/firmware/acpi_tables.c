/* ACPI tables, and the table loader's commands that place them in the guest's memory.
 * Advanced Configuration and Power Interface Specification 2.0, "ACPI System Description Tables"
 * (RSDP, RSDT, XSDT, FADT, FACS, MADT); IA-PC HPET Specification 1.0a, "The ACPI 2.0 HPET
 * Description Table"; Microsoft "Windows ACPI Emulated Devices Table (WAET)".  The loader's
 * commands are those that SeaBIOS ("romfile_loader") and OVMF ("QemuLoader") execute.
 * NOT IMPLEMENTED: processors that are added later, S1 to S4, tables of the user's. */
#include "devices/firmware/acpi_tables.h"

#include <string.h>

#include "base/bits.h"
#include "devices/pci/piix4_pm.h"

enum { HEADER_LEN = 36, FACS_LEN = 64, FADT_LEN = 244 };
enum { SPACE_MEM = 0, SPACE_IO = 1 };
enum { LOADER_ENTRY = 128, LOADER_NAME = 56, ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3,
       ZONE_HIGH = 1, ZONE_FSEG = 2 };
enum { FADT_WBINVD = 1 << 0, FADT_PROC_C1 = 1 << 2, FADT_RESET_REG_SUP = 1 << 10 };
enum { BOOT_LEGACY_DEVICES = 1 << 0, BOOT_8042 = 1 << 1, BOOT_NO_VGA = 1 << 2 };
enum { WAET_PM_TIMER_GOOD = 1 << 1 };
#define LOCAL_APIC 0xfee00000u
#define IO_APIC 0xfec00000u
#define HPET 0xfed00000u

static const char acpi_tables_file[] = "etc/acpi/tables", acpi_rsdp_file[] = "etc/acpi/rsdp";

/* ---- the loader's commands ---- */

static uint8_t *loader_entry(struct acpi_blobs *b, unsigned command, const char *file)
{
    if (b->loader_len + LOADER_ENTRY > sizeof b->loader) {
        b->full = true;
        return b->loader;
    }
    uint8_t *e = b->loader + b->loader_len;
    b->loader_len += LOADER_ENTRY;
    store_le32(e, command);
    memcpy(e + 4, file, strlen(file));
    return e + 4 + LOADER_NAME;
}

static void loader_allocate(struct acpi_blobs *b, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t *e = loader_entry(b, ALLOCATE, file);
    store_le32(e, align);
    e[4] = zone;
}

/* The pointer at `at` of `file` holds an offset in the tables; their address is added to it. */
static void loader_pointer(struct acpi_blobs *b, const char *file, uint8_t *data, uint32_t at,
                           uint32_t target, uint8_t size)
{
    uint8_t *e = loader_entry(b, ADD_POINTER, file);
    memcpy(e, acpi_tables_file, sizeof acpi_tables_file);
    store_le32(e + LOADER_NAME, at);
    e[LOADER_NAME + 4] = size;
    store_le(data + at, target, size);
}

static void loader_checksum(struct acpi_blobs *b, const char *file, uint32_t at, uint32_t start,
                            uint32_t len)
{
    uint8_t *e = loader_entry(b, ADD_CHECKSUM, file);
    store_le32(e, at);
    store_le32(e + 4, start);
    store_le32(e + 8, len);
}

/* ---- tables ---- */

/* Room for a table; its offset, or 0 when there is none (nothing is written there: it is where
 * the FACS stands, and full is set). */
static uint32_t table_room(struct acpi_blobs *b, uint32_t len, uint32_t align)
{
    uint32_t at = (b->tables_len + align - 1) & ~(align - 1);
    if (at + len > sizeof b->tables) {
        b->full = true;
        return 0;
    }
    b->tables_len = at + len;
    return at;
}

static void table_header(uint8_t *t, const char *signature, uint32_t len, uint8_t revision)
{
    memcpy(t, signature, 4);
    store_le32(t + 4, len);
    t[8] = revision;
    memcpy(t + 10, "VITRINVITRINPC", 14);
    store_le32(t + 24, 1);
    memcpy(t + 28, "VITR", 4);
    store_le32(t + 32, 1);
}

static uint32_t table_new(struct acpi_blobs *b, const char *signature, uint32_t len,
                          uint8_t revision)
{
    uint32_t at = table_room(b, len, 16);
    table_header(b->tables + at, signature, len, revision);
    return at;
}

static void table_done(struct acpi_blobs *b, uint32_t at)
{
    uint32_t len = load_le32(b->tables + at + 4);
    b->tables[at + 9] = 0;
    loader_checksum(b, acpi_tables_file, at + 9, at, len);
}

static uint32_t acpi_facs(struct acpi_blobs *b)
{
    uint32_t at = table_room(b, FACS_LEN, 64);
    memcpy(b->tables + at, "FACS", 4);
    store_le32(b->tables + at + 4, FACS_LEN);
    b->tables[at + 32] = 1; /* version; no checksum, and the global lock is free */
    return at;
}

static uint32_t acpi_put_dsdt(struct acpi_blobs *b, const struct acpi_config *cfg)
{
    uint32_t at = table_room(b, 0, 16);
    struct aml a = {.buf = b->tables, .cap = sizeof b->tables, .len = at};
    acpi_dsdt(&a, cfg);
    b->tables_len = (uint32_t)a.len;
    b->full |= a.full;
    table_done(b, at);
    return at;
}

static void fadt_gas(uint8_t *p, uint8_t space, uint32_t addr, unsigned bytes)
{
    p[0] = space;
    p[1] = (uint8_t)(8 * bytes);
    store_le64(p + 4, addr);
}

static uint32_t acpi_fadt(struct acpi_blobs *b, const struct acpi_config *cfg, uint32_t facs,
                          uint32_t dsdt)
{
    uint32_t at = table_new(b, "FACP", FADT_LEN, 3);
    uint8_t *t = b->tables + at;
    t[44] = cfg->apic; /* INT_MODEL of ACPI 1.0 */
    t[45] = 1;         /* a desktop */
    store_le16(t + 46, 9);
    store_le32(t + 48, cfg->apm_base);
    t[52] = PIIX4_ACPI_ENABLE;
    t[53] = PIIX4_ACPI_DISABLE;
    store_le32(t + 56, cfg->pm_base);     /* PM1a event block */
    store_le32(t + 64, cfg->pm_base + 4); /* PM1a control */
    store_le32(t + 76, cfg->pm_base + 8); /* PM timer */
    store_le32(t + 80, cfg->gpe_base);
    t[88] = 4;
    t[89] = 2;
    t[91] = 4;
    t[92] = 4;
    store_le16(t + 96, 0xfff); /* above 100: no C2 */
    store_le16(t + 98, 0xfff); /* above 1000: no C3 */
    t[108] = 0x32;             /* the century's byte in CMOS */
    store_le16(t + 109,
               BOOT_LEGACY_DEVICES | BOOT_8042 | (cfg->vga ? 0 : BOOT_NO_VGA));
    /* buttons and the RTC's alarm are fixed hardware: their flags are 0 */
    store_le32(t + 112, FADT_WBINVD | FADT_PROC_C1 | FADT_RESET_REG_SUP);
    fadt_gas(t + 116, SPACE_IO, 0xcf9, 1);
    t[128] = 6; /* PIIX3's RC: hard reset */
    fadt_gas(t + 148, SPACE_IO, cfg->pm_base, 4);
    fadt_gas(t + 172, SPACE_IO, cfg->pm_base + 4u, 2);
    fadt_gas(t + 208, SPACE_IO, cfg->pm_base + 8u, 4);
    fadt_gas(t + 220, SPACE_IO, cfg->gpe_base, 4);
    loader_pointer(b, acpi_tables_file, b->tables, at + 36, facs, 4);
    loader_pointer(b, acpi_tables_file, b->tables, at + 40, dsdt, 4);
    loader_pointer(b, acpi_tables_file, b->tables, at + 132, facs, 8);
    loader_pointer(b, acpi_tables_file, b->tables, at + 140, dsdt, 8);
    table_done(b, at);
    return at;
}

unsigned acpi_processors(const struct acpi_config *cfg)
{
    unsigned n = cfg->max_cpus > cfg->cpus ? cfg->max_cpus : cfg->cpus;
    return n < 1 ? 1 : n > ACPI_CPUS ? ACPI_CPUS : n;
}

/* Interrupt source override: ISA IRQ `irq` is input `gsi` of the I/O APIC. */
static uint8_t *madt_override(uint8_t *p, uint8_t irq, uint8_t gsi, uint16_t flags)
{
    p[0] = 2;
    p[1] = 10;
    p[3] = irq;
    store_le32(p + 4, gsi);
    store_le16(p + 8, flags);
    return p + 10;
}

static uint32_t acpi_madt(struct acpi_blobs *b, const struct acpi_config *cfg)
{
    unsigned cpus = acpi_processors(cfg);
    static const uint8_t level[] = {5, 9, 10, 11}; /* the SCI, and what a link may choose */
    uint32_t len = HEADER_LEN + 8 + 8 * cpus + 12 + 10 + 10 * (uint32_t)sizeof level + 6;
    uint32_t at = table_new(b, "APIC", len, 1);
    uint8_t *t = b->tables + at, *p = t + HEADER_LEN + 8;
    store_le32(t + 36, LOCAL_APIC);
    store_le32(t + 40, 1); /* PCAT_COMPAT: two 8259A are there as well */
    for (unsigned i = 0; i < cpus; i++) {
        p[1] = 8; /* processor local APIC: processor, APIC, enabled */
        p[2] = (uint8_t)i;
        p[3] = cfg->apic_id[i];
        store_le32(p + 4, i == 0 || i < cfg->cpus);
        p += 8;
    }
    p[0] = 1; /* I/O APIC 0, inputs from 0 */
    p[1] = 12;
    store_le32(p + 4, IO_APIC);
    p += 12;
    p = madt_override(p, 0, 2, 0);
    for (unsigned i = 0; i < sizeof level; i++) {
        p = madt_override(p, level[i], level[i], 0x0d); /* active high, level */
    }
    p[0] = 4; /* NMI at LINT1 of every local APIC */
    p[1] = 6;
    p[2] = 0xff;
    p[5] = 1;
    table_done(b, at);
    return at;
}

static uint32_t acpi_hpet(struct acpi_blobs *b, uint32_t id)
{
    uint32_t at = table_new(b, "HPET", 56, 1);
    uint8_t *t = b->tables + at;
    store_le32(t + 36, id);
    fadt_gas(t + 40, SPACE_MEM, HPET, 0);
    t[41] = 0; /* the register width is not said */
    table_done(b, at);
    return at;
}

static uint32_t acpi_waet(struct acpi_blobs *b)
{
    uint32_t at = table_new(b, "WAET", 40, 1);
    store_le32(b->tables + at + 36, WAET_PM_TIMER_GOOD); /* reads need not be repeated */
    table_done(b, at);
    return at;
}

static uint32_t acpi_root(struct acpi_blobs *b, const char *signature, const uint32_t *table,
                          unsigned count, uint8_t size)
{
    uint32_t at = table_new(b, signature, HEADER_LEN + count * size, 1);
    for (unsigned i = 0; i < count; i++) {
        loader_pointer(b, acpi_tables_file, b->tables, at + HEADER_LEN + i * size, table[i], size);
    }
    table_done(b, at);
    return at;
}

static void acpi_rsdp(struct acpi_blobs *b, uint32_t rsdt, uint32_t xsdt)
{
    memcpy(b->rsdp, "RSD PTR ", 8);
    memcpy(b->rsdp + 9, "VITRIN", 6);
    b->rsdp[15] = 2;
    store_le32(b->rsdp + 20, ACPI_RSDP_LEN);
    loader_pointer(b, acpi_rsdp_file, b->rsdp, 16, rsdt, 4);
    loader_pointer(b, acpi_rsdp_file, b->rsdp, 24, xsdt, 8);
    loader_checksum(b, acpi_rsdp_file, 8, 0, 20);
    loader_checksum(b, acpi_rsdp_file, 32, 0, ACPI_RSDP_LEN);
}

void acpi_build(struct acpi_blobs *b, const struct acpi_config *cfg)
{
    uint32_t table[8];
    unsigned n = 0;
    memset(b, 0, sizeof *b);
    loader_allocate(b, acpi_rsdp_file, 16, ZONE_FSEG);
    loader_allocate(b, acpi_tables_file, 64, ZONE_HIGH);
    uint32_t facs = acpi_facs(b), dsdt = acpi_put_dsdt(b, cfg);
    table[n++] = acpi_fadt(b, cfg, facs, dsdt);
    if (cfg->apic) {
        table[n++] = acpi_madt(b, cfg);
    }
    if (cfg->hpet_id) {
        table[n++] = acpi_hpet(b, cfg->hpet_id);
    }
    table[n++] = acpi_waet(b);
    uint32_t rsdt = acpi_root(b, "RSDT", table, n, 4), xsdt = acpi_root(b, "XSDT", table, n, 8);
    acpi_rsdp(b, rsdt, xsdt);
}
