/* Where a disk controller meets an image.  Synchronous on purpose: the controller decides in
 * virtual time when a request finishes, so completions are deterministic and snapshots never hold
 * requests in flight. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum blk_result { BLK_OK, BLK_EIO, BLK_ENOSPC, BLK_EROFS, BLK_ENOMEDIUM };

struct blockdev_ops {
    /* sector and count in units of sector_size; the caller has checked them against `sectors` */
    enum blk_result (*read)(void *be, uint64_t sector, uint32_t count, void *buf);
    enum blk_result (*write)(void *be, uint64_t sector, uint32_t count, const void *buf);
    enum blk_result (*flush)(void *be); /* returns only when the data is on stable storage */
    enum blk_result (*discard)(void *be, uint64_t sector, uint64_t count); /* may be NULL */
};
struct blockdev {
    const struct blockdev_ops *ops; /* NULL: no medium */
    void *backend;
    uint64_t sectors;     /* 0: no medium */
    uint32_t sector_size; /* 512 (disk, floppy) or 2048 (CD) */
    bool read_only, removable;
    bool locked;                      /* PREVENT MEDIUM REMOVAL is in force (set by the device) */
    void (*media_changed)(void *dev); /* set by the device, called by the machine */
    void (*eject_request)(void *host); /* the guest opened the tray; may be NULL */
    void *host;
    void *dev;
    uint64_t reads, writes, flushes; /* counted by the device, for "info block" and the LED */
};
