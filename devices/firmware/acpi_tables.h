/* The ACPI tables of the board, as files for firmware that reads fw_cfg's table loader.
 *
 * acpi_build() is a function of its configuration alone.  Its three blobs become the files
 * "etc/acpi/tables", "etc/acpi/rsdp" and "etc/table-loader". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/firmware/aml.h"

enum { ACPI_CPUS = 8, ACPI_COMS = 4, ACPI_LPTS = 3, ACPI_FLOPPIES = 2 };

struct acpi_port {
    uint16_t iobase; /* 0: no such port */
    uint8_t irq;
};
struct acpi_config {
    uint16_t pm_base, smb_base; /* where the firmware puts PIIX4's I/O spaces */
    uint16_t gpe_base;
    uint16_t apm_base;
    uint64_t hole;    /* first address above low RAM: the PCI hole begins here */
    bool apic;        /* local APIC and I/O APIC */
    /* Processors, at least one, and those that could be there: the tables call them disabled. */
    unsigned cpus, max_cpus;
    uint8_t apic_id[ACPI_CPUS];
    bool vga;
    uint32_t hpet_id; /* low half of the HPET's capabilities; 0: none */
    struct acpi_port com[ACPI_COMS], lpt[ACPI_LPTS];
    bool floppy[ACPI_FLOPPIES];
};

enum { ACPI_TABLES_MAX = 16384, ACPI_LOADER_MAX = 32 * 128, ACPI_RSDP_LEN = 36 };
struct acpi_blobs {
    uint8_t tables[ACPI_TABLES_MAX], rsdp[ACPI_RSDP_LEN], loader[ACPI_LOADER_MAX];
    uint32_t tables_len, loader_len;
    bool full; /* something did not fit: a mistake of ours */
};

void acpi_build(struct acpi_blobs *b, const struct acpi_config *cfg);

unsigned acpi_processors(const struct acpi_config *cfg); /* there, or possible */

/* acpi_dsdt.c: the DSDT, header and all (checksum and OEM fields as the ASL compiler left them) */
void acpi_dsdt(struct aml *a, const struct acpi_config *cfg);
/* made from roms/dsdt.asl */
extern const uint8_t dsdt_aml[];
extern const size_t dsdt_aml_len;
