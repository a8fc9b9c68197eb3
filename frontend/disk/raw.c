/* Raw images: sector n is the bytes at n * sector_size of a file or block device.
 *
 * Locks are open-file-description locks (fcntl(2), F_OFD_SETLK), so that two openers within one
 * process exclude each other too, placed where QEMU keeps its own (bytes 100 + permission and 200 +
 * permission not shared; permission 1 is "write"), so that the two programs respect each other.
 * Such a lock does not tell its holder's pid; a classic lock on another byte does.
 *
 * NOT IMPLEMENTED: O_DIRECT, discard, growing. */
#include "frontend/disk/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum {
    RAW_LOCK_WRITING = 101,    /* QEMU: somebody holds the write permission */
    RAW_LOCK_NO_WRITERS = 201, /* QEMU: somebody does not share the write permission */
    RAW_LOCK_ALL = 100,
    RAW_LOCK_ALL_LEN = 200,
    RAW_LOCK_PID = 400
};

struct raw {
    int fd;
    bool read_only, block_device;
    bool flush_failed; /* after a failed fsync the pages may be gone: never claim success again */
    uint32_t sector_size;
    uint64_t size; /* bytes in the file */
    char path[200];
};

/* ---- access ---------------------------------------------------------------------------- */

static enum blk_result raw_result(struct raw *r, const char *what, int error)
{
    log_msg(LOG_HOST, "disk", "%s: %s: %s", r->path, what, strerror(error));
    if (error == ENOSPC || error == EDQUOT) {
        return BLK_ENOSPC;
    }
    return error == EROFS || error == EBADF ? BLK_EROFS : BLK_EIO;
}

static enum blk_result raw_read(void *be, uint64_t sector, uint32_t count, void *buf)
{
    struct raw *r = be;
    uint64_t at = sector * r->sector_size;
    size_t len = (size_t)count * r->sector_size, done = 0;
    while (done < len) {
        ssize_t n = pread(r->fd, (char *)buf + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return raw_result(r, "read failed", errno);
        }
        if (n == 0) {
            /* The tail of the last CD sector is zeros; anything else means that somebody cut the
             * file while we had it. */
            if (at + done < r->size || at >= r->size) {
                return raw_result(r, "read beyond the end", EIO);
            }
            memset((char *)buf + done, 0, len - done);
            break;
        }
        done += (size_t)n;
    }
    return BLK_OK;
}

static enum blk_result raw_write(void *be, uint64_t sector, uint32_t count, const void *buf)
{
    struct raw *r = be;
    uint64_t at = sector * r->sector_size;
    size_t len = (size_t)count * r->sector_size, done = 0;
    if (r->read_only) {
        return BLK_EROFS;
    }
    if (at > r->size || len > r->size - at) {
        return BLK_EIO;
    }
    while (done < len) {
        ssize_t n = pwrite(r->fd, (const char *)buf + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return raw_result(r, "write failed", n ? errno : ENOSPC);
        }
        done += (size_t)n;
    }
    return BLK_OK;
}

static enum blk_result raw_flush(void *be)
{
    struct raw *r = be;
    if (r->read_only) {
        return BLK_OK;
    }
    if (!r->flush_failed) {
        int rc;
        do {
            rc = fdatasync(r->fd);
        } while (rc < 0 && errno == EINTR);
        if (rc < 0 && errno != EINVAL && errno != EROFS) {
            r->flush_failed = true;
            return raw_result(r, "flush failed", errno);
        }
    }
    return r->flush_failed ? BLK_EIO : BLK_OK;
}

static const struct blockdev_ops raw_ops = {
    .read = raw_read, .write = raw_write, .flush = raw_flush};

void raw_attach(struct raw *r, struct blockdev *blk)
{
    blk->ops = &raw_ops;
    blk->backend = r;
    blk->sector_size = r->sector_size;
    blk->sectors = (r->size + r->sector_size - 1) / r->sector_size;
    blk->read_only = r->read_only;
}

/* ---- locks ----------------------------------------------------------------------------- */

static bool raw_lock_call(int fd, int cmd, short type, off_t at, off_t len, struct flock *fl)
{
    *fl = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = len};
    int rc;
    do {
        rc = fcntl(fd, cmd, fl);
    } while (rc < 0 && errno == EINTR);
    return rc == 0;
}

static bool raw_refuse(int fd, const char *what, const char *path, bool write, struct err *err)
{
    struct flock fl;
    int pid = 0;
    if (raw_lock_call(fd, F_GETLK, F_WRLCK, RAW_LOCK_PID, 1, &fl) && fl.l_type != F_UNLCK) {
        pid = fl.l_pid;
    }
    if (pid > 0) {
        return err_set(err, EBUSY, "%s %s: in use by process %d%s", what, path, pid,
                       write ? "; add -snapshot or readonly=on only if nobody writes to it"
                             : ", which writes to it");
    }
    bool own = raw_lock_call(fd, F_OFD_GETLK, F_WRLCK, RAW_LOCK_PID + 1, 1, &fl) &&
               fl.l_type != F_UNLCK;
    return err_set(err, EBUSY, "%s %s: in use by %s", what, path,
                   own ? "this process already: an image can be one drive only"
                       : "another program (a QEMU perhaps)");
}

static bool raw_lock(int fd, bool write, const char *what, const char *path, struct err *err)
{
    struct flock fl;
    bool ok = raw_lock_call(fd, F_OFD_SETLK, write ? F_WRLCK : F_RDLCK,
                            write ? RAW_LOCK_ALL : RAW_LOCK_NO_WRITERS,
                            write ? RAW_LOCK_ALL_LEN : 1, &fl);
    if (!ok) {
        if (errno == EAGAIN || errno == EACCES) {
            return raw_refuse(fd, what, path, write, err);
        }
        /* A file system without locks: better to work than to refuse. */
        log_msg(LOG_HOST, "disk", "%s: cannot be locked (%s): do not open it twice", path,
                strerror(errno));
        return true;
    }
    if (!write && raw_lock_call(fd, F_OFD_GETLK, F_WRLCK, RAW_LOCK_WRITING, 1, &fl) &&
        fl.l_type != F_UNLCK) {
        return raw_refuse(fd, what, path, write, err);
    }
    /* Only to be found by raw_refuse(): the pid, and that it is us. */
    raw_lock_call(fd, F_SETLK, write ? F_WRLCK : F_RDLCK, RAW_LOCK_PID, 1, &fl);
    raw_lock_call(fd, F_OFD_SETLK, write ? F_WRLCK : F_RDLCK, RAW_LOCK_PID + 1, 1, &fl);
    return true;
}

/* ---- open and close -------------------------------------------------------------------- */

static bool raw_measure(struct raw *r, const char *what, const char *path, bool cd,
                        struct err *err)
{
    struct stat st;
    if (fstat(r->fd, &st) < 0) {
        return err_set(err, errno, "%s %s: %s", what, path, strerror(errno));
    }
    if (S_ISBLK(st.st_mode)) {
        r->block_device = true;
        if (ioctl(r->fd, BLKGETSIZE64, &r->size) < 0) {
            return err_set(err, errno, "%s %s: the size of the block device is unknown: %s", what,
                           path, strerror(errno));
        }
    } else if (S_ISREG(st.st_mode)) {
        r->size = (uint64_t)st.st_size;
    } else {
        return err_set(err, EINVAL, "%s %s: is a %s, not an image file", what, path,
                       S_ISDIR(st.st_mode) ? "directory" : "special file");
    }
    if (r->size == 0) {
        return err_set(err, EINVAL, "%s %s: is empty; truncate -s 1G FILE makes an image of 1 GB",
                       what, path);
    }
    if (!cd && r->size % 512) {
        return err_set(err, EINVAL, "%s %s: its size is not a multiple of 512 bytes, so it is no "
                       "raw disk; truncate -s %%512 FILE pads it", what, path);
    }
    return true;
}

struct raw *raw_open(const char *what, const char *path, unsigned flags, struct err *err)
{
    bool ro = flags & (RAW_READ_ONLY | RAW_CD);
    int fd = open(path, (ro ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        if (!ro && (errno == EACCES || errno == EROFS || errno == EPERM) &&
            access(path, R_OK) == 0) {
            err_set(err, errno, "%s %s: is not writable; say -snapshot, or -drive "
                    "file=FILE,format=raw,readonly=on", what, path);
        } else if (!ro && errno == EISDIR) {
            err_set(err, errno, "%s %s: is a directory, not an image file", what, path);
        } else {
            err_set(err, errno, "%s %s: %s", what, path, strerror(errno));
        }
        return NULL;
    }
    struct raw *r = calloc(1, sizeof *r);
    if (!r) {
        close(fd);
        err_set(err, ENOMEM, "%s %s: out of memory", what, path);
        return NULL;
    }
    r->fd = fd;
    r->read_only = ro;
    r->sector_size = flags & RAW_CD ? 2048 : 512;
    snprintf(r->path, sizeof r->path, "%s", path);
    if (!raw_measure(r, what, path, flags & RAW_CD, err) ||
        !raw_lock(fd, !ro, what, path, err)) {
        close(fd);
        free(r);
        return NULL;
    }
    return r;
}

void raw_close(struct raw *r)
{
    if (r) {
        raw_flush(r);
        close(r->fd); /* gives the locks back */
        free(r);
    }
}

int raw_fd(const struct raw *r)
{
    return r->fd;
}

uint64_t raw_size(const struct raw *r)
{
    return r->size;
}

bool raw_read_only(const struct raw *r)
{
    return r->read_only;
}
