/* Snapshot visitor.  Stream: per section { u32 id length, id, u32 version, u32 byte count, bytes }.
 * NOT IMPLEMENTED: names in the stream; a later file format adds a table of contents. */
#include "base/snap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define SNAP_SECTION_MAX ((size_t)64 << 20)

uint64_t snap_hash_bytes(uint64_t h, const void *buf, size_t len)
{
    const uint8_t *p = buf;
    const uint64_t k = 0x9e3779b97f4a7c15ull;
    for (; len >= 8; p += 8, len -= 8) {
        h = (h ^ load_le64(p)) * k;
        h ^= h >> 29;
    }
    uint64_t tail = len;
    for (size_t i = 0; i < len; i++) {
        tail = tail << 8 | p[i];
    }
    h = (h ^ tail) * k;
    return h ^ h >> 32;
}

void snap_init_save(struct snap *s)
{
    *s = (struct snap){.mode = SNAP_SAVE};
}

void snap_init_load(struct snap *s, const void *buf, size_t len)
{
    *s = (struct snap){.mode = SNAP_LOAD, .in = buf, .len = len};
}

void snap_init_hash(struct snap *s)
{
    *s = (struct snap){.mode = SNAP_HASH, .hash = 0x76697472696e65ull};
}

void snap_init_print(struct snap *s, void (*print)(void *ctx, const char *line), void *ctx)
{
    *s = (struct snap){.mode = SNAP_PRINT, .print = print, .print_ctx = ctx};
}

void snap_fini(struct snap *s)
{
    free(s->buf);
    s->buf = NULL;
}

bool snap_loading(const struct snap *s)
{
    return s->mode == SNAP_LOAD;
}

uint32_t snap_version(const struct snap *s)
{
    return s->version;
}

void snap_fail(struct snap *s, const char *why)
{
    if (!s->failed) {
        s->failed = true;
        snprintf(s->why, sizeof s->why, "%s", why);
    }
}

static void snap_put(struct snap *s, const void *p, size_t n)
{
    if (s->len + n > s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 4096;
        while (cap < s->len + n) {
            cap *= 2;
        }
        uint8_t *b = realloc(s->buf, cap);
        if (!b) {
            snap_fail(s, "out of memory");
            return;
        }
        s->buf = b;
        s->cap = cap;
    }
    memcpy(s->buf + s->len, p, n);
    s->len += n;
}

static bool snap_get(struct snap *s, void *p, size_t n, size_t end)
{
    if (s->failed || end - s->pos < n) {
        snap_fail(s, "truncated");
        return false;
    }
    memcpy(p, s->in + s->pos, n);
    s->pos += n;
    return true;
}

static void snap_line(struct snap *s, const char *fmt, const char *name, uint64_t v)
{
    char line[160];
    snprintf(line, sizeof line, fmt, name, (unsigned long long)v);
    s->print(s->print_ctx, line);
}

bool snap_begin(struct snap *s, const char *id, uint32_t version)
{
    uint8_t w[4];
    size_t idlen = strlen(id);
    s->version = version;
    if (s->failed) {
        return false;
    }
    switch (s->mode) {
    case SNAP_SAVE:
        store_le32(w, (uint32_t)idlen);
        snap_put(s, w, 4);
        snap_put(s, id, idlen);
        store_le32(w, version);
        snap_put(s, w, 4);
        s->section_at = s->len;
        store_le32(w, 0);
        snap_put(s, w, 4);
        break;
    case SNAP_LOAD: {
        char got[64];
        if (!snap_get(s, w, 4, s->len)) {
            return false;
        }
        if (load_le32(w) != idlen || idlen > sizeof got || !snap_get(s, got, idlen, s->len) ||
            memcmp(got, id, idlen) != 0) {
            snap_fail(s, "section of another device");
            return false;
        }
        if (!snap_get(s, w, 4, s->len)) {
            return false;
        }
        s->version = load_le32(w);
        if (s->version != version) {
            snap_fail(s, "unknown version");
            return false;
        }
        if (!snap_get(s, w, 4, s->len)) {
            return false;
        }
        if (load_le32(w) > SNAP_SECTION_MAX || load_le32(w) > s->len - s->pos) {
            snap_fail(s, "truncated section");
            return false;
        }
        s->section_end = s->pos + load_le32(w);
        break;
    }
    case SNAP_HASH:
        s->hash = snap_hash_bytes(s->hash, id, idlen);
        break;
    case SNAP_PRINT: {
        char line[100];
        snprintf(line, sizeof line, "%s:", id);
        s->print(s->print_ctx, line);
        break;
    }
    }
    return true;
}

void snap_end(struct snap *s)
{
    if (s->failed) {
        return;
    }
    if (s->mode == SNAP_SAVE) {
        store_le32(s->buf + s->section_at, (uint32_t)(s->len - s->section_at - 4));
    } else if (s->mode == SNAP_LOAD && s->pos != s->section_end) {
        snap_fail(s, "section has another length");
    }
}

void snap_bytes(struct snap *s, const char *name, void *buf, size_t len)
{
    if (s->failed) {
        return;
    }
    switch (s->mode) {
    case SNAP_SAVE: snap_put(s, buf, len); break;
    case SNAP_LOAD: snap_get(s, buf, len, s->section_end); break;
    case SNAP_HASH: s->hash = snap_hash_bytes(s->hash, buf, len); break;
    case SNAP_PRINT: {
        char line[160];
        int n = snprintf(line, sizeof line, "  %-16s", name);
        for (size_t i = 0; i < len && i < 32; i++) {
            n += snprintf(line + n, sizeof line - (size_t)n, " %02x", ((uint8_t *)buf)[i]);
        }
        if (len > 32) {
            snprintf(line + n, sizeof line - (size_t)n, " ... (%zu bytes)", len);
        }
        s->print(s->print_ctx, line);
        break;
    }
    }
}

static void snap_word(struct snap *s, const char *name, uint64_t *v, size_t n)
{
    uint8_t b[8];
    if (s->mode == SNAP_PRINT) {
        snap_line(s, "  %-16s 0x%llx", name, *v);
        return;
    }
    store_le64(b, *v);
    snap_bytes(s, name, b, n);
    if (s->mode == SNAP_LOAD && !s->failed) {
        memset(b + n, 0, 8 - n);
        *v = load_le64(b);
    }
}

void snap_bool(struct snap *s, const char *name, bool *v)
{
    uint8_t raw; /* whatever lies there: what is loaded is checked, what is saved may be poison */
    memcpy(&raw, v, 1);
    uint64_t w = raw;
    snap_word(s, name, &w, 1);
    if (w > 1) {
        snap_fail(s, "a flag is neither 0 nor 1");
        return;
    }
    *v = w != 0;
}

void snap_u8(struct snap *s, const char *name, uint8_t *v)
{
    uint64_t w = *v;
    snap_word(s, name, &w, 1);
    *v = (uint8_t)w;
}

void snap_u16(struct snap *s, const char *name, uint16_t *v)
{
    uint64_t w = *v;
    snap_word(s, name, &w, 2);
    *v = (uint16_t)w;
}

void snap_u32(struct snap *s, const char *name, uint32_t *v)
{
    uint64_t w = *v;
    snap_word(s, name, &w, 4);
    *v = (uint32_t)w;
}

void snap_u64(struct snap *s, const char *name, uint64_t *v)
{
    snap_word(s, name, v, 8);
}

void snap_timer(struct snap *s, const char *name, struct vtimer *t)
{
    uint64_t when = t->when, order = when == VTIME_NEVER ? 0 : t->order;
    snap_u64(s, name, &when);
    if (s->mode != SNAP_PRINT && s->mode != SNAP_HASH) {
        snap_u64(s, name, &order);
    }
    if (s->mode == SNAP_LOAD && when != VTIME_NEVER && when >> 63) {
        snap_fail(s, "a deadline that no clock reaches"); /* sums with it would pass 2^64 */
    }
    if (s->mode == SNAP_LOAD && !s->failed) {
        vtimer_restore(t, when, order);
        if (when != VTIME_NEVER && order >= t->clock->next_order) {
            t->clock->next_order = order + 1;
        }
    }
}
