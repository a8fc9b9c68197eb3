/* A device's window on guest memory: copies only, so that a guest cannot change a descriptor
 * between its check and its use.  Reads of nothing give ones, writes to nothing are dropped;
 * DMA never reaches a device's registers (no re-entry: faults.md T25). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dma {
    bool (*read)(void *ctx, uint64_t phys, void *buf, size_t len);        /* false: not all RAM */
    bool (*write)(void *ctx, uint64_t phys, const void *buf, size_t len); /* false: not all RAM */
    void *ctx;
};
