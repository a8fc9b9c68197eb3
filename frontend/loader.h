/* Files that are read whole: firmware, kernels, RAM disks. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct blob {
    uint8_t *data;
    size_t len;
};

bool loader_read(struct blob *b, const char *what, const char *path, uint64_t max, struct err *err);
/* In place, if it is gzip; what it grows to is limited. */
bool loader_gunzip(struct blob *b, const char *what, const char *path, struct err *err);
/* -kernel: a bzImage or a Multiboot kernel, perhaps gzipped; the sentence says what it is
 * instead. */
bool loader_kernel(struct blob *b, const char *what, const char *path, struct err *err);
void loader_free(struct blob *b);

/* Firmware by name, or by path when there is a slash or the file exists: dirs, then Debian's place,
 * then ${XDG_CACHE_HOME:-~/.cache}/vitrine/firmware.  NULL-ended list of names to try. */
bool firmware_find(char *path, size_t cap, const char *const *dirs, unsigned dir_count,
                   const char *const *names);
