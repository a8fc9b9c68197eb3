/* SMBIOS: what a machine says of itself in words, as the files "etc/smbios/smbios-anchor" and
 * "etc/smbios/smbios-tables" that firmware copies into memory. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SMBIOS_TYPES = 5, SMBIOS_STRING_MAX = 255 };

/* One of the types 0 to 4: strings by the names of QEMU's -smbios, NULL: ours or none. */
struct smbios_fields {
    const char *vendor, *version, *date;                        /* type 0 (version: 0 to 4) */
    const char *manufacturer, *product, *serial, *sku, *family; /* 1, 2, 3, 4 where they apply */
    const char *asset, *location;                               /* 2, 3, 4 */
    const char *sock_pfx, *part;                                /* 4 */
    uint8_t uuid[16]; /* type 1, in the order in which it is written */
    bool has_uuid;
    uint8_t major, minor; /* type 0 release */
    bool has_release;
    bool uefi;  /* type 0 */
    bool given; /* type 0 is the firmware's own unless something was said */
};

struct smbios_config {
    const struct smbios_fields *type; /* SMBIOS_TYPES of them */
    uint64_t below_4g, above_4g;      /* bytes of RAM */
    uint32_t cpu_signature, cpu_features; /* CPUID leaf 1, EAX and EDX; 0: no CPUID */
    unsigned cpus, cores, threads; /* in all, per socket, per core; 0: 1 */
};

enum { SMBIOS_TABLES_MAX = 16384, SMBIOS_ANCHOR_LEN = 31 };
struct smbios_blobs {
    uint8_t tables[SMBIOS_TABLES_MAX], anchor[SMBIOS_ANCHOR_LEN];
    uint32_t len;
    uint16_t count, largest;
    bool full; /* does not fit: a mistake of ours, strings are bounded */
};

/* Strings are cut at SMBIOS_STRING_MAX. */
void smbios_build(struct smbios_blobs *b, const struct smbios_config *cfg);
