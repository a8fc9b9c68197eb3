/* pcap files (draft-ietf-opsawg-pcap, "PCAP Capture File Format"): nanoseconds of virtual time
 * since power-on, Ethernet, the host's byte order. */
#include "frontend/net/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define PCAP_MAGIC_NS 0xa1b23c4du
#define PCAP_FLUSH (200 * VTIME_MS)
enum { PCAP_ETHERNET = 1, PCAP_ALL = 65536 };

struct pcap {
    FILE *f;
    uint32_t snap;
    vtime flushed;
    bool dirty, failed;
    char path[200];
};

struct pcap *pcap_open(const char *what, const char *path, uint32_t snap, struct err *err)
{
    struct stat st;
    /* a pipe could block the machine: the file must be one */
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    if (fd < 0 || fstat(fd, &st) < 0 || (S_ISREG(st.st_mode) && ftruncate(fd, 0) < 0)) {
        err_set(err, errno, "%s: capture file %s: %s", what, path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    struct pcap *p = S_ISREG(st.st_mode) ? calloc(1, sizeof *p) : NULL;
    if (!p || !(p->f = fdopen(fd, "wb"))) {
        err_set(err, p ? errno : EINVAL, "%s: capture file %s: %s", what, path,
                p ? strerror(errno) : "is not a regular file");
        close(fd);
        free(p);
        return NULL;
    }
    p->snap = snap ? snap : PCAP_ALL;
    snprintf(p->path, sizeof p->path, "%s", path);
    struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snap, link;
    } head = {PCAP_MAGIC_NS, 2, 4, 0, 0, p->snap, PCAP_ETHERNET};
    fwrite(&head, sizeof head, 1, p->f);
    fflush(p->f);
    return p;
}

static void pcap_check(struct pcap *p)
{
    if (ferror(p->f) && !p->failed) {
        p->failed = true;
        log_msg(LOG_HOST, "pcap", "capture file %s: %s; nothing more is captured", p->path,
                strerror(errno));
    }
}

void pcap_frame(struct pcap *p, vtime now, const uint8_t *frame, size_t len)
{
    if (!p || p->failed) {
        return;
    }
    uint32_t kept = len < p->snap ? (uint32_t)len : p->snap;
    uint32_t head[4] = {(uint32_t)(now / VTIME_SEC), (uint32_t)(now % VTIME_SEC), kept,
                        (uint32_t)len};
    if (fwrite(head, sizeof head, 1, p->f) != 1 || fwrite(frame, 1, kept, p->f) != kept) {
        pcap_check(p);
    }
    p->dirty = true;
}

void pcap_tick(struct pcap *p, vtime now)
{
    if (p && p->dirty && now - p->flushed >= PCAP_FLUSH) {
        p->dirty = false;
        p->flushed = now;
        fflush(p->f);
        pcap_check(p);
    }
}

void pcap_close(struct pcap *p)
{
    if (p) {
        fflush(p->f);
        pcap_check(p);
        fclose(p->f);
        free(p);
    }
}
