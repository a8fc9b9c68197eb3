/* T28: libslirp refuses "../" in a TFTP name, but opens whatever else the name leads to: a
 * directory, a pipe (and waits), a device, a symbolic link to anywhere.  So requests are read here
 * before it gets them: the name must lead to a regular file inside the folder, links resolved.
 * Fragments of UDP that could hide a request are dropped while TFTP is served.
 *
 * RFC 1350, "TFTP Packets"; RFC 768; RFC 791, "Internet Header Format"; RFC 8200, section "IPv6
 * Header Format" (libslirp follows no extension headers). */
#include "frontend/net/tftp_guard.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bits.h"

enum { ETH_HEAD = 14, UDP_HEAD = 8, IP_UDP = 17, TFTP_PORT = 69, TFTP_RRQ = 1, TFTP_NAME = 512 };

static uint16_t guard_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* Offset of the UDP header of a TFTP request, 0: the frame is none.  *fragment: it may be one's
 * part. */
static size_t guard_udp(const uint8_t *f, size_t len, bool *fragment)
{
    size_t at;
    *fragment = false;
    if (len < ETH_HEAD + 20) {
        return 0;
    }
    const uint8_t *ip = f + ETH_HEAD;
    switch (guard_be16(f + 12)) {
    case 0x0800:
        if (ip[9] != IP_UDP) {
            return 0;
        }
        if (guard_be16(ip + 6) & 0x3fff) { /* more fragments, or an offset */
            *fragment = true;
            return 0;
        }
        at = ETH_HEAD + (size_t)(ip[0] & 15) * 4;
        break;
    case 0x86dd:
        if (len < ETH_HEAD + 40 || ip[6] != IP_UDP) {
            return 0;
        }
        at = ETH_HEAD + 40;
        break;
    default: return 0;
    }
    return at + UDP_HEAD <= len && guard_be16(f + at + 2) == TFTP_PORT ? at : 0;
}

bool tftp_guard_name(const char *root, const char *name)
{
    char path[PATH_MAX], real_root[PATH_MAX], real[PATH_MAX];
    struct stat st;
    if (!name[0] || strchr(name, '\\') || (isalpha((unsigned char)name[0]) && name[1] == ':')) {
        return false; /* no such path on this host, and nothing that a later host should believe */
    }
    int n = snprintf(path, sizeof path, "%s/%s", root, name);
    if (n < 0 || (size_t)n >= sizeof path || !realpath(root, real_root)) {
        return false;
    }
    if (!realpath(path, real)) {
        /* not there: libslirp says so, unless the name tries to look outside */
        return strstr(name, "..") == NULL;
    }
    size_t len = strcmp(real_root, "/") ? strlen(real_root) : 0;
    return strncmp(real, real_root, len) == 0 && real[len] == '/' && stat(real, &st) == 0 &&
           S_ISREG(st.st_mode);
}

enum tftp_verdict tftp_guard(const char *root, const uint8_t *frame, size_t len)
{
    bool fragment;
    size_t at = guard_udp(frame, len, &fragment);
    if (fragment) {
        return TFTP_DROP;
    }
    if (!at) {
        return TFTP_PASS;
    }
    const uint8_t *p = frame + at + UDP_HEAD, *end = frame + len;
    if (end - p < 2 || guard_be16(p) != TFTP_RRQ) {
        return TFTP_PASS; /* acknowledgments; libslirp writes nothing */
    }
    char name[TFTP_NAME];
    size_t n = 0;
    for (p += 2; p < end && *p && n < sizeof name - 1; p++) {
        name[n++] = (char)*p;
    }
    name[n] = 0;
    if (p == end || *p) {
        return TFTP_DROP; /* the name has no end */
    }
    return tftp_guard_name(root, name) ? TFTP_PASS : n >= 3 ? TFTP_REFUSE : TFTP_DROP;
}

void tftp_guard_spoil(uint8_t *frame, size_t len)
{
    bool fragment;
    size_t at = guard_udp(frame, len, &fragment);
    if (at && at + UDP_HEAD + 5 <= len) {
        memcpy(frame + at + UDP_HEAD + 2, "../", 3);
        if (guard_be16(frame + 12) == 0x0800) {
            frame[at + 6] = frame[at + 7] = 0; /* no checksum (RFC 768) */
        }
    }
}
