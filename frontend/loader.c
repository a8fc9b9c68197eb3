/* Reading whole files, gzip (RFC 1952, by zlib), and where firmware is kept. */
#include "frontend/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "frontend/probe.h"

#define LOADER_GUNZIP_MAX (512u << 20)

void loader_free(struct blob *b)
{
    free(b->data);
    *b = (struct blob){0};
}

bool loader_read(struct blob *b, const char *what, const char *path, uint64_t max, struct err *err)
{
    struct stat st;
    *b = (struct blob){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        err_set(err, errno, "%s %s: %s", what, path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        err_set(err, EINVAL, "%s %s: is a %s, not a file", what, path,
                S_ISDIR(st.st_mode) ? "directory" : "special file");
    } else if (st.st_size == 0) {
        err_set(err, EINVAL, "%s %s: is empty", what, path);
    } else if ((uint64_t)st.st_size > max) {
        err_set(err, EFBIG, "%s %s: is larger than %llu MB", what, path,
                (unsigned long long)(max >> 20));
    } else if (!(b->data = malloc((size_t)st.st_size))) {
        err_set(err, ENOMEM, "%s %s: out of memory", what, path);
    } else {
        while (b->len < (size_t)st.st_size) {
            ssize_t n = read(fd, b->data + b->len, (size_t)st.st_size - b->len);
            if (n < 0 && errno == EINTR) {
                continue;
            }
            if (n <= 0) {
                err_set(err, n ? errno : EIO, "%s %s: %s", what, path,
                        n ? strerror(errno) : "became shorter while it was read");
                break;
            }
            b->len += (size_t)n;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (err->code) {
        loader_free(b);
        return false;
    }
    return true;
}

bool loader_gunzip(struct blob *b, const char *what, const char *path, struct err *err)
{
    if (b->len < 18 || b->data[0] != 0x1f || b->data[1] != 0x8b) {
        return true;
    }
    z_stream z = {.next_in = b->data, .avail_in = (uInt)b->len};
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return err_set(err, ENOMEM, "%s %s: out of memory", what, path);
    }
    struct blob out = {0};
    size_t cap = b->len * 4 + 65536;
    int rc = Z_OK;
    while (rc == Z_OK) {
        if (out.len == cap || !out.data) {
            cap = out.data ? cap * 2 : cap;
            uint8_t *grown = cap <= LOADER_GUNZIP_MAX ? realloc(out.data, cap) : NULL;
            if (!grown) {
                break;
            }
            out.data = grown;
        }
        z.next_out = out.data + out.len;
        z.avail_out = (uInt)(cap - out.len);
        rc = inflate(&z, Z_NO_FLUSH);
        out.len = cap - z.avail_out;
    }
    inflateEnd(&z);
    if (rc != Z_STREAM_END) {
        free(out.data);
        return err_set(err, EINVAL, "%s %s: %s", what, path,
                       rc == Z_OK ? "unpacks to more than 512 MB" : "is damaged gzip data");
    }
    free(b->data);
    *b = out;
    return true;
}

bool loader_kernel(struct blob *b, const char *what, const char *path, struct err *err)
{
    if (!loader_read(b, what, path, 512u << 20, err) || !loader_gunzip(b, what, path, err)) {
        loader_free(b);
        return false;
    }
    enum probe_kind kind = probe_bytes(b->data, b->len, b->len);
    if (kind != PROBE_BZIMAGE && kind != PROBE_MULTIBOOT) {
        loader_free(b);
        return err_set(err, EINVAL,
                       "%s %s: is %s, neither a Linux bzImage nor a Multiboot kernel%s", what, path,
                       probe_name(kind),
                       kind == PROBE_ISO    ? "; try -cdrom FILE"
                       : kind == PROBE_DISK ? "; try -hda FILE"
                       : kind == PROBE_ELF  ? "; give the bzImage instead of vmlinux"
                                            : "");
    }
    return true;
}

static bool firmware_try(char *path, size_t cap, const char *dir, const char *const *names)
{
    for (unsigned i = 0; names[i]; i++) {
        if (dir) {
            snprintf(path, cap, "%s/%s", dir, names[i]);
        } else {
            snprintf(path, cap, "%s", names[i]);
        }
        struct stat st;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            return true;
        }
    }
    return false;
}

bool firmware_find(char *path, size_t cap, const char *const *dirs, unsigned dir_count,
                   const char *const *names)
{
    for (unsigned i = 0; i < dir_count; i++) {
        if (firmware_try(path, cap, dirs[i], names)) {
            return true;
        }
    }
    if (firmware_try(path, cap, "/usr/share/seabios", names) ||
        firmware_try(path, cap, "/usr/lib/ipxe/qemu", names)) {
        return true;
    }
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char dir[400];
    if (cache && *cache) {
        snprintf(dir, sizeof dir, "%s/vitrine/firmware", cache);
    } else {
        snprintf(dir, sizeof dir, "%s/.cache/vitrine/firmware", home ? home : "");
    }
    return firmware_try(path, cap, dir, names) || firmware_try(path, cap, "/usr/share/qemu", names);
}
