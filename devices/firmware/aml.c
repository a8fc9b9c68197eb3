/* ACPI machine language, written byte by byte.
 * Advanced Configuration and Power Interface Specification 2.0, "ACPI Machine Language (AML)
 * Specification" and "Resource Data Types for ACPI".
 * NOT IMPLEMENTED: everything but names, devices, packages and resource templates; methods come
 * from roms/dsdt.asl. */
#include "devices/firmware/aml.h"

#include "base/bits.h"

enum { ZERO_OP = 0x00, ONE_OP = 0x01, NAME_OP = 0x08, BYTE_PREFIX = 0x0a, WORD_PREFIX = 0x0b,
       DWORD_PREFIX = 0x0c, STRING_PREFIX = 0x0d, SCOPE_OP = 0x10, BUFFER_OP = 0x11,
       PACKAGE_OP = 0x12, DUAL_NAME = 0x2e, MULTI_NAME = 0x2f, EXT_OP = 0x5b, PROCESSOR_OP = 0x83,
       DEVICE_OP = 0x82 };

void aml_byte(struct aml *a, uint8_t v)
{
    if (a->len == a->cap) {
        a->full = true;
        return;
    }
    a->buf[a->len++] = v;
}

void aml_bytes(struct aml *a, const void *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        aml_byte(a, ((const uint8_t *)p)[i]);
    }
}

void aml_le(struct aml *a, uint32_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        aml_byte(a, (uint8_t)(v >> (8 * i)));
    }
}

void aml_int(struct aml *a, uint32_t v)
{
    if (v < 2) {
        aml_byte(a, v ? ONE_OP : ZERO_OP);
    } else {
        unsigned size = v < 0x100 ? 1 : v < 0x10000 ? 2 : 4;
        aml_byte(a, size == 1 ? BYTE_PREFIX : size == 2 ? WORD_PREFIX : DWORD_PREFIX);
        aml_le(a, v, size);
    }
}

void aml_string(struct aml *a, const char *s)
{
    aml_byte(a, STRING_PREFIX);
    aml_bytes(a, s, strlen(s) + 1);
}

void aml_path(struct aml *a, const char *path)
{
    unsigned segments = 1;
    if (*path == '\\') {
        aml_byte(a, '\\');
        path++;
    }
    for (const char *p = path; *p; p++) {
        segments += *p == '.';
    }
    if (segments == 2) {
        aml_byte(a, DUAL_NAME);
    } else if (segments > 2) {
        aml_byte(a, MULTI_NAME);
        aml_byte(a, (uint8_t)segments);
    }
    for (unsigned n = 0; n < segments; n++) {
        for (unsigned i = 0; i < 4; i++) {
            bool here = *path && *path != '.';
            aml_byte(a, here ? (uint8_t)*path : '_');
            path += here;
        }
        path += *path == '.';
    }
}

/* Three letters of five bits and four hexadecimal digits, the whole with its bytes swapped
 * ("EISAID - EISA ID String To Integer Conversion Macro"); always a double word, as firmware that
 * searches for it expects. */
void aml_eisaid(struct aml *a, const char *id)
{
    unsigned v = 0;
    for (unsigned i = 0; i < 3; i++) {
        v = v << 5 | (unsigned)(id[i] - '@');
    }
    for (unsigned i = 3; i < 7; i++) {
        v = v << 4 | (unsigned)(id[i] > '9' ? id[i] - 'A' + 10 : id[i] - '0');
    }
    aml_byte(a, DWORD_PREFIX);
    aml_le(a, __builtin_bswap32(v), 4);
}

/* PkgLength in three bytes, whatever the length: it is known only at the end. */
static size_t aml_begin(struct aml *a)
{
    size_t at = a->len;
    aml_le(a, 0, 3);
    return at;
}

void aml_end(struct aml *a, size_t begin)
{
    size_t len = a->len - begin;
    if (a->full || len >> 20) {
        a->full = true;
        return;
    }
    a->buf[begin] = (uint8_t)(0x80 | (len & 15));
    a->buf[begin + 1] = (uint8_t)(len >> 4);
    a->buf[begin + 2] = (uint8_t)(len >> 12);
}

size_t aml_scope(struct aml *a, const char *path)
{
    aml_byte(a, SCOPE_OP);
    size_t at = aml_begin(a);
    aml_path(a, path);
    return at;
}

size_t aml_device(struct aml *a, const char *name)
{
    aml_byte(a, EXT_OP);
    aml_byte(a, DEVICE_OP);
    size_t at = aml_begin(a);
    aml_path(a, name);
    return at;
}

size_t aml_package(struct aml *a, unsigned elements)
{
    aml_byte(a, PACKAGE_OP);
    size_t at = aml_begin(a);
    aml_byte(a, (uint8_t)elements);
    return at;
}

void aml_name(struct aml *a, const char *name)
{
    aml_byte(a, NAME_OP);
    aml_path(a, name);
}

void aml_processor(struct aml *a, const char *name, uint8_t id)
{
    aml_byte(a, EXT_OP);
    aml_byte(a, PROCESSOR_OP);
    size_t at = aml_begin(a);
    aml_path(a, name);
    aml_byte(a, id);
    aml_le(a, 0, 4); /* no P_BLK: C2, C3 and throttling are not there */
    aml_byte(a, 0);
    aml_end(a, at);
}

/* ---- resource templates ---- */

/* Buffer (size) { ... }: the size is a word, written at the end. */
size_t aml_crs(struct aml *a)
{
    aml_name(a, "_CRS");
    aml_byte(a, BUFFER_OP);
    size_t at = aml_begin(a);
    aml_byte(a, WORD_PREFIX);
    aml_le(a, 0, 2);
    return at;
}

void aml_crs_end(struct aml *a, size_t begin)
{
    aml_le(a, 0x0079, 2); /* end tag; a checksum of 0 is taken as right */
    if (!a->full) {
        store_le16(a->buf + begin + 4, (uint16_t)(a->len - begin - 6));
    }
    aml_end(a, begin);
}

void aml_crs_io(struct aml *a, uint16_t base, uint8_t len)
{
    aml_le(a, 0x0147, 2); /* I/O port descriptor, 16 bits decoded */
    aml_le(a, base, 2);
    aml_le(a, base, 2);
    aml_byte(a, 1);
    aml_byte(a, len);
}

void aml_crs_irq(struct aml *a, unsigned irq)
{
    aml_byte(a, 0x22); /* IRQ format descriptor without flags: edge, active high, alone */
    aml_le(a, 1u << (irq & 15), 2);
}

void aml_crs_dma(struct aml *a, unsigned channel)
{
    aml_byte(a, 0x2a);
    aml_byte(a, (uint8_t)(1u << (channel & 7)));
    aml_byte(a, 0);
}

void aml_crs_mem(struct aml *a, uint32_t base, uint32_t len)
{
    aml_byte(a, 0x86); /* 32-bit fixed location memory range descriptor */
    aml_le(a, 9, 2);
    aml_byte(a, 0); /* read only, as far as an operating system may move or cache it */
    aml_le(a, base, 4);
    aml_le(a, len, 4);
}

/* An address space descriptor: both ends fixed, positive decode, produced for the bus behind. */
static void aml_window(struct aml *a, uint8_t tag, uint8_t type, uint8_t flags, uint32_t first,
                       uint32_t last, unsigned size)
{
    aml_byte(a, tag);
    aml_le(a, 3 + 5 * size, 2);
    aml_byte(a, type);
    aml_byte(a, 0x0c); /* _MIF, _MAF */
    aml_byte(a, flags);
    aml_le(a, 0, size);
    aml_le(a, first, size);
    aml_le(a, last, size);
    aml_le(a, 0, size); /* no translation */
    aml_le(a, last - first + 1, size);
}

void aml_crs_bus(struct aml *a, uint16_t first, uint16_t last)
{
    aml_window(a, 0x88, 2, 0, first, last, 2);
}

void aml_crs_io_window(struct aml *a, uint16_t first, uint16_t last)
{
    aml_window(a, 0x88, 1, 3, first, last, 2); /* entire range */
}

void aml_crs_mem_window(struct aml *a, uint32_t first, uint32_t last, bool cacheable)
{
    aml_window(a, 0x87, 0, cacheable ? 3 : 1, first, last, 4); /* read and write */
}
