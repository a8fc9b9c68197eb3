/* Recognizing files by their first bytes.
 * ECMA-119 8.1 (volume descriptors from sector 16), ECMA-167 2/9.1 (NSR in the same places),
 * Linux Documentation/arch/x86/boot.rst ("HdrS" at 202h, AA55h at 1FEh), RFC 1952, ELF gABI,
 * Multiboot Specification 0.6.96 (magic in the first 8192 bytes, 32-bit aligned).
 * NOT IMPLEMENTED: a bare boot sector below 512 bytes, El Torito floppies, compressed disks. */
#include "frontend/probe.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/machine.h"

static const struct {
    const char *magic;
    uint8_t len, at;
    enum probe_kind kind;
} probe_magics[] = {
    {"\x7f" "ELF", 4, 0, PROBE_ELF},        {"QFI\xfb", 4, 0, PROBE_QCOW2},
    {"KDMV", 4, 0, PROBE_VMDK},             {"# Disk DescriptorFile", 21, 0, PROBE_VMDK},
    {"\x7f\x10\xda\xbe", 4, 64, PROBE_VDI}, {"conectix", 8, 0, PROBE_VHD},
    {"vhdxfile", 8, 0, PROBE_VHDX},         {"\x1f\x8b\x08", 3, 0, PROBE_GZIP},
    {"\xfd" "7zXZ", 6, 0, PROBE_XZ},        {"\x28\xb5\x2f\xfd", 4, 0, PROBE_ZSTD},
    {"BZh", 3, 0, PROBE_BZIP2},             {"PK\x03\x04", 4, 0, PROBE_ZIP},
};

static bool probe_text(const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len && i < 512; i++) {
        if (b[i] < 9 || (b[i] > 13 && b[i] < 32) || b[i] == 127) {
            return false;
        }
    }
    return len > 0;
}

enum probe_kind probe_bytes(const uint8_t *b, size_t len, uint64_t size)
{
    if (size == 0) {
        return PROBE_EMPTY;
    }
    /* An ISO first: hybrid images carry a boot sector as well. */
    for (unsigned s = 0; s < 3; s++) {
        size_t at = PROBE_ISO_AT + s * 2048;
        if (len >= at + 6 && (memcmp(b + at + 1, "CD001", 5) == 0 ||
                              memcmp(b + at + 1, "NSR0", 4) == 0)) {
            return PROBE_ISO;
        }
    }
    if (len >= 0x208 && memcmp(b + 0x202, "HdrS", 4) == 0 && load_le16(b + 0x1fe) == 0xaa55 &&
        load_le16(b + 0x206) >= 0x200) {
        return PROBE_BZIMAGE;
    }
    for (unsigned i = 0; i < ARRAY_LEN(probe_magics); i++) {
        if (len >= (size_t)probe_magics[i].at + probe_magics[i].len &&
            memcmp(b + probe_magics[i].at, probe_magics[i].magic, probe_magics[i].len) == 0) {
            if (probe_magics[i].kind == PROBE_ELF && machine_is_multiboot(b, len)) {
                return PROBE_MULTIBOOT;
            }
            return probe_magics[i].kind;
        }
    }
    if (len >= 512 && load_le16(b + 0x1fe) == 0xaa55 && size % 512 == 0) {
        static const uint16_t kb[] = {160, 180, 320, 360, 720, 1200, 1440, 1680, 1722, 2880};
        for (unsigned i = 0; i < ARRAY_LEN(kb); i++) {
            if (size == kb[i] * 1024u) {
                return PROBE_FLOPPY;
            }
        }
        return PROBE_DISK;
    }
    if (len >= 2 && b[0] == 'M' && b[1] == 'Z') {
        return PROBE_PE;
    }
    if (machine_is_multiboot(b, len)) {
        return PROBE_MULTIBOOT;
    }
    return probe_text(b, len) ? PROBE_TEXT : PROBE_UNKNOWN;
}

enum probe_kind probe_fd(int fd, uint64_t size)
{
    uint8_t buf[PROBE_NEED];
    size_t have = 0;
    while (have < sizeof buf) {
        ssize_t n = pread(fd, buf + have, sizeof buf - have, (off_t)have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        have += (size_t)n;
    }
    return probe_bytes(buf, have, size);
}

const char *probe_name(enum probe_kind kind)
{
    switch (kind) {
    case PROBE_EMPTY: return "empty";
    case PROBE_ISO: return "an ISO image";
    case PROBE_BZIMAGE: return "a Linux kernel (bzImage)";
    case PROBE_GZIP: return "compressed with gzip";
    case PROBE_DISK: return "a raw disk image";
    case PROBE_FLOPPY: return "a floppy image";
    case PROBE_ELF: return "an ELF file";
    case PROBE_MULTIBOOT: return "a Multiboot kernel";
    case PROBE_QCOW2: return "a qcow2 image";
    case PROBE_VMDK: return "a VMDK image";
    case PROBE_VDI: return "a VDI image";
    case PROBE_VHD: return "a VHD image";
    case PROBE_VHDX: return "a VHDX image";
    case PROBE_XZ: return "compressed with xz";
    case PROBE_ZSTD: return "compressed with zstd";
    case PROBE_BZIP2: return "compressed with bzip2";
    case PROBE_ZIP: return "a ZIP archive";
    case PROBE_PE: return "a DOS or Windows program";
    case PROBE_TEXT: return "a text file";
    default: return "nothing known";
    }
}

bool probe_is_container(enum probe_kind kind)
{
    return kind == PROBE_QCOW2 || kind == PROBE_VMDK || kind == PROBE_VDI || kind == PROBE_VHD ||
           kind == PROBE_VHDX || kind == PROBE_GZIP || kind == PROBE_XZ || kind == PROBE_ZSTD ||
           kind == PROBE_BZIP2;
}
