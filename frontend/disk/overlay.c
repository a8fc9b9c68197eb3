/* A copy-on-write overlay that ends with the process: one bit for each sector tells whether the
 * temporary file (sparse, unlinked, in $TMPDIR or /var/tmp) or the base image holds it.
 * NOT IMPLEMENTED: commit to the base, discard. */
#include "frontend/disk/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/os.h"

struct overlay {
    struct blockdev base;
    int fd;
    uint64_t *map; /* bit per sector, lazily committed */
    size_t map_len;
};

static bool overlay_has(const struct overlay *o, uint64_t s)
{
    return o->map[s / 64] >> (s % 64) & 1;
}

static enum blk_result overlay_io(struct overlay *o, bool write, uint64_t sector, uint32_t count,
                                  void *buf)
{
    size_t len = (size_t)count * 512, done = 0;
    while (done < len) {
        off_t at = (off_t)(sector * 512 + done);
        ssize_t n = write ? pwrite(o->fd, (char *)buf + done, len - done, at)
                          : pread(o->fd, (char *)buf + done, len - done, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            int error = n < 0 ? errno : EIO;
            log_msg(LOG_HOST, "disk", "temporary file of -snapshot: %s", strerror(error));
            return error == ENOSPC || error == EDQUOT ? BLK_ENOSPC : BLK_EIO;
        }
        done += (size_t)n;
    }
    return BLK_OK;
}

static enum blk_result overlay_read(void *be, uint64_t sector, uint32_t count, void *buf)
{
    struct overlay *o = be;
    uint8_t *p = buf;
    while (count) {
        bool mine = overlay_has(o, sector);
        uint32_t run = 1;
        while (run < count && overlay_has(o, sector + run) == mine) {
            run++;
        }
        enum blk_result res = mine ? overlay_io(o, false, sector, run, p)
                                   : o->base.ops->read(o->base.backend, sector, run, p);
        if (res != BLK_OK) {
            return res;
        }
        sector += run;
        count -= run;
        p += (size_t)run * 512;
    }
    return BLK_OK;
}

static enum blk_result overlay_write(void *be, uint64_t sector, uint32_t count, const void *buf)
{
    struct overlay *o = be;
    if (sector >= o->base.sectors || count > o->base.sectors - sector) {
        return BLK_EIO;
    }
    enum blk_result res = overlay_io(o, true, sector, count, (void *)buf);
    for (uint64_t s = sector; res == BLK_OK && s < sector + count; s++) {
        o->map[s / 64] |= 1ull << (s % 64);
    }
    return res;
}

static enum blk_result overlay_flush(void *be)
{
    (void)be; /* nothing outlives the process */
    return BLK_OK;
}

static const struct blockdev_ops overlay_ops = {
    .read = overlay_read, .write = overlay_write, .flush = overlay_flush};

struct overlay *overlay_open(const struct blockdev *base, const char *name, struct err *err)
{
    const char *dir = getenv("TMPDIR");
    char path[256];
    snprintf(path, sizeof path, "%s/vitrine-XXXXXX", dir && *dir ? dir : "/var/tmp");
    struct overlay *o = calloc(1, sizeof *o);
    if (!o) {
        err_set(err, ENOMEM, "-snapshot: out of memory");
        return NULL;
    }
    o->base = *base;
    o->map_len = (size_t)((base->sectors + 63) / 64 * 8);
    o->map = os_pages_alloc(o->map_len);
    o->fd = mkostemp(path, O_CLOEXEC);
    if (o->fd >= 0) {
        unlink(path);
    }
    if (o->fd < 0 || !o->map) {
        err_set(err, errno, "-snapshot: no temporary file %s for %s: %s; set TMPDIR", path, name,
                strerror(errno));
        overlay_close(o);
        return NULL;
    }
    return o;
}

void overlay_close(struct overlay *o)
{
    if (o) {
        if (o->fd >= 0) {
            close(o->fd);
        }
        os_pages_free(o->map, o->map_len);
        free(o);
    }
}

void overlay_attach(struct overlay *o, struct blockdev *blk)
{
    blk->ops = &overlay_ops;
    blk->backend = o;
    blk->sectors = o->base.sectors;
    blk->sector_size = 512;
    blk->read_only = false;
}
