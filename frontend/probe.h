/* What is this file?  By content, for `vitrine FILE` and for sentences about the wrong kind. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum probe_kind {
    PROBE_UNKNOWN,
    PROBE_EMPTY,
    PROBE_ISO,     /* ISO 9660 or UDF */
    PROBE_BZIMAGE, /* Linux boot protocol 2.00 and up */
    PROBE_GZIP,
    PROBE_DISK,    /* MBR or boot sector signature, multiple of 512 bytes */
    PROBE_FLOPPY,  /* the same in a floppy's size */
    /* the rest only to say what it is */
    PROBE_ELF, PROBE_MULTIBOOT, PROBE_QCOW2, PROBE_VMDK, PROBE_VDI, PROBE_VHD, PROBE_VHDX,
    PROBE_XZ, PROBE_ZSTD, PROBE_BZIP2, PROBE_ZIP, PROBE_PE, PROBE_TEXT
};

enum { PROBE_HEAD = 4096, PROBE_ISO_AT = 32768, PROBE_NEED = PROBE_ISO_AT + 3 * 2048 };
/* head: the first `len` bytes, PROBE_NEED if the file has them; size: of the whole file. */
enum probe_kind probe_bytes(const uint8_t *head, size_t len, uint64_t size);
enum probe_kind probe_fd(int fd, uint64_t size);
const char *probe_name(enum probe_kind kind); /* "an ISO image" */
/* An image format whose bytes are not the disk's bytes. */
bool probe_is_container(enum probe_kind kind);
