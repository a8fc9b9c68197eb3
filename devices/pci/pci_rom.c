/* PCI Local Bus Specification 2.1, "PCI Expansion ROMs": a chain of images, each with a header (55
 * AA, pointer to the data structure at 18h) and a data structure ("PCIR", IDs, length, code type,
 * last-image bit).
 * NOT IMPLEMENTED: ROM headers of code types other than 0 (x86) and 3 (EFI) are not looked into. */
#include "devices/pci/pci_rom.h"

#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "base/os.h"

enum { ROM_SIZE = 2, ROM_CHECKSUM = 6, ROM_PCIR = 0x18, ROM_BLOCK = 512, ROM_HEADER = 0x1a };
enum { PCIR_VENDOR = 4, PCIR_DEVICE = 6, PCIR_LENGTH = 0x10, PCIR_TYPE = 0x14,
       PCIR_INDICATOR = 0x15, PCIR_BYTES = 0x18, PCIR_X86 = 0, PCIR_LAST = 0x80 };
enum { ROM_PAGE = 4096 };

/* Write IDs; in an x86 image keep the sum of its bytes 0 by the byte behind the three-byte jump at
 * 3, which boot ROM builders leave for this. */
static void pci_rom_set_id(uint8_t *image, uint8_t *pcir, const struct pci_rom_id *id)
{
    uint8_t sum = 0;
    store_le16(pcir + PCIR_VENDOR, id->vendor);
    store_le16(pcir + PCIR_DEVICE, id->device);
    if (pcir[PCIR_TYPE] != PCIR_X86) {
        return;
    }
    for (size_t i = 0; i < (size_t)image[ROM_SIZE] * ROM_BLOCK; i++) {
        sum = (uint8_t)(sum + image[i]);
    }
    image[ROM_CHECKSUM] = (uint8_t)(image[ROM_CHECKSUM] - sum);
}

/* One image at p with `left` bytes behind it; its length, 0 and a sentence when it is malformed. */
static size_t pci_rom_image(uint8_t *p, size_t left, const struct pci_rom_id *id, bool *last,
                            struct err *err)
{
    if (left < ROM_HEADER || p[0] != 0x55 || p[1] != 0xaa) {
        err_set(err, EINVAL, "not an option ROM: it does not begin with 55 AA");
        return 0;
    }
    size_t at = load_le16(p + ROM_PCIR);
    if (at < ROM_HEADER || at > left || left - at < PCIR_BYTES || memcmp(p + at, "PCIR", 4) != 0) {
        err_set(err, EINVAL, "not a PCI option ROM: no PCIR structure where its header points");
        return 0;
    }
    uint8_t *pcir = p + at;
    size_t len = (size_t)load_le16(pcir + PCIR_LENGTH) * ROM_BLOCK;
    bool x86 = pcir[PCIR_TYPE] == PCIR_X86;
    if (!len || len > left || at + PCIR_BYTES > len ||
        (x86 && (!p[ROM_SIZE] || (size_t)p[ROM_SIZE] * ROM_BLOCK > left))) {
        err_set(err, EINVAL, "the option ROM is cut off: it says that it is longer than the file");
        return 0;
    }
    uint16_t vendor = load_le16(pcir + PCIR_VENDOR), device = load_le16(pcir + PCIR_DEVICE);
    if (!vendor && !device) {
        pci_rom_set_id(p, pcir, id);
    } else if (vendor != id->vendor || device != id->device) {
        err_set(err, EINVAL, "the option ROM is for PCI device %04x:%04x, the card is %04x:%04x",
                vendor, device, id->vendor, id->device);
        return 0;
    }
    *last = pcir[PCIR_INDICATOR] & PCIR_LAST;
    return len;
}

uint8_t *pci_rom_load(const void *rom, size_t len, const struct pci_rom_id *id, size_t *out_len,
                      struct err *err)
{
    size_t size = ROM_PAGE, at = 0;
    bool last = false;
    if (len > PCI_ROM_MAX) {
        err_set(err, EFBIG, "an option ROM of %zu bytes is too big: at most %zu", len, PCI_ROM_MAX);
        return NULL;
    }
    while (size < len) {
        size *= 2;
    }
    uint8_t *p = os_pages_alloc(size);
    if (!p) {
        err_set(err, ENOMEM, "the host has no memory for the option ROM");
        return NULL;
    }
    memset(p, 0xff, size);
    memcpy(p, rom, len);
    while (!last) {
        size_t n = pci_rom_image(p + at, len - at, id, &last, err);
        if (!n) {
            os_pages_free(p, size);
            return NULL;
        }
        at += n; /* n <= len - at */
    }
    *out_len = size;
    return p;
}
