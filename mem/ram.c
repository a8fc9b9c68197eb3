/* Guest RAM: dirty and code bits, one door for writers. */
#include "mem/ram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/os.h"

bool ram_init(struct ram *ram, uint64_t size, struct err *err)
{
    *ram = (struct ram){.size = size};
    ram->host = os_pages_alloc(size);
    ram->flags = calloc(size >> PAGE_SHIFT, 1);
    if (!ram->host || !ram->flags) {
        ram_fini(ram);
        return err_set(err, ENOMEM, "the host cannot give %llu MB of memory for the guest",
                       (unsigned long long)(size >> 20));
    }
    return true;
}

void ram_fini(struct ram *ram)
{
    if (ram->host) {
        os_pages_free(ram->host, ram->size);
    }
    free(ram->flags);
    *ram = (struct ram){0};
}

void ram_watch(struct ram *ram, struct ram_watcher *w)
{
    w->next = ram->watchers;
    ram->watchers = w;
}

void ram_wrote(struct ram *ram, uint64_t off, uint64_t len)
{
    while (len) {
        uint64_t in_page = PAGE_SIZE - (off & PAGE_MASK);
        uint64_t n = len < in_page ? len : in_page;
        uint8_t *f = &ram->flags[off >> PAGE_SHIFT];
        if (*f & RAM_CODE) {
            bool held = false;
            for (struct ram_watcher *w = ram->watchers; w; w = w->next) {
                held |= w->code_changed(w->ctx, off, n);
            }
            if (!held) {
                *f &= (uint8_t)~RAM_CODE;
            }
        }
        *f |= RAM_DIRTY;
        off += n;
        len -= n;
    }
}

void ram_store(struct ram *ram, uint64_t off, const void *buf, uint64_t len)
{
    memcpy(ram->host + off, buf, len);
    ram_wrote(ram, off, len);
}

void ram_mark_code(struct ram *ram, uint64_t off)
{
    uint8_t *f = &ram->flags[off >> PAGE_SHIFT];
    if (*f & RAM_CODE) {
        return;
    }
    *f |= RAM_CODE;
    for (struct ram_watcher *w = ram->watchers; w; w = w->next) {
        w->protect(w->ctx, off & ~PAGE_MASK);
    }
}

void ram_clear_code(struct ram *ram, uint64_t off)
{
    ram->flags[off >> PAGE_SHIFT] &= (uint8_t)~RAM_CODE;
}

void ram_clean(struct ram *ram)
{
    for (uint64_t i = 0; i < ram->size >> PAGE_SHIFT; i++) {
        ram->flags[i] &= (uint8_t)~RAM_DIRTY;
    }
    for (struct ram_watcher *w = ram->watchers; w; w = w->next) {
        w->protect(w->ctx, UINT64_MAX);
    }
}

uint64_t ram_hash(const struct ram *ram, uint64_t h)
{
    static const uint8_t zero[PAGE_SIZE];
    for (uint64_t off = 0; off < ram->size; off += PAGE_SIZE) {
        /* a page never written is still zero; skipping it keeps it uncommitted on the host */
        if (!ram->flags[off >> PAGE_SHIFT] || memcmp(ram->host + off, zero, PAGE_SIZE) == 0) {
            continue;
        }
        h = snap_hash_bytes(h ^ off, ram->host + off, PAGE_SIZE);
    }
    return h;
}
