/* A pen for ACPI machine language: just what acpi_dsdt.c writes.
 *
 * Bytes go into a buffer of the caller's; what does not fit sets `full` and is dropped, so that
 * the caller checks once at the end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
    uint8_t *buf;
    size_t cap, len;
    bool full;
};

void aml_byte(struct aml *a, uint8_t v);
void aml_bytes(struct aml *a, const void *p, size_t len);
void aml_le(struct aml *a, uint32_t v, unsigned size);
/* An integer in its shortest form. */
void aml_int(struct aml *a, uint32_t v);
void aml_string(struct aml *a, const char *s);
/* "\\_SB.PCI0", "LNKA": segments of up to four characters, filled up with '_'. */
void aml_path(struct aml *a, const char *path);
void aml_eisaid(struct aml *a, const char *id); /* "PNP0501" */

/* Things with a length: begin gives what end wants. */
size_t aml_scope(struct aml *a, const char *path);
size_t aml_device(struct aml *a, const char *name);
size_t aml_package(struct aml *a, unsigned elements);
void aml_end(struct aml *a, size_t begin);
void aml_name(struct aml *a, const char *name); /* Name (name, ...the next object...) */
void aml_processor(struct aml *a, const char *name, uint8_t id);

/* A resource template: descriptors between begin and end. */
size_t aml_crs(struct aml *a);
void aml_crs_io(struct aml *a, uint16_t base, uint8_t len);
void aml_crs_irq(struct aml *a, unsigned irq);
void aml_crs_dma(struct aml *a, unsigned channel); /* 8 bits, compatible */
void aml_crs_mem(struct aml *a, uint32_t base, uint32_t len);
void aml_crs_bus(struct aml *a, uint16_t first, uint16_t last);
void aml_crs_io_window(struct aml *a, uint16_t first, uint16_t last);
void aml_crs_mem_window(struct aml *a, uint32_t first, uint32_t last, bool cacheable);
void aml_crs_end(struct aml *a, size_t begin);
