/* Guest RAM and the one door for all writers.
 *
 * CPU stores, DMA, loaders and debugger pokes end in ram_wrote(), which marks pages dirty and tells
 * the engines (one a processor) when a page that holds decoded code changes.  An engine may keep a
 * direct writable pointer to a page only while ram_page_plain() holds: already dirty and without
 * code. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/snap.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE ((uint64_t)1 << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)

enum { RAM_DIRTY = 1, RAM_CODE = 2 };

struct ram_watcher {
    /* bytes [off, off + len) of a page marked RAM_CODE were written (never crosses a page).  Is
     * there still code of this page that was decoded?  When nobody says so the mark goes. */
    bool (*code_changed)(void *ctx, uint64_t off, uint64_t len);
    /* writable pointers to this page (or all: off == UINT64_MAX) must be dropped */
    void (*protect)(void *ctx, uint64_t off);
    void *ctx;
    struct ram_watcher *next;
};

struct ram {
    uint8_t *host;
    uint64_t size;  /* bytes, a multiple of PAGE_SIZE */
    uint8_t *flags; /* one byte a page */
    struct ram_watcher *watchers;
};

bool ram_init(struct ram *ram, uint64_t size, struct err *err);
void ram_fini(struct ram *ram);
void ram_watch(struct ram *ram, struct ram_watcher *w);
/* After bytes were stored through ram->host directly. */
void ram_wrote(struct ram *ram, uint64_t off, uint64_t len);
void ram_store(struct ram *ram, uint64_t off, const void *buf, uint64_t len); /* memcpy + wrote */
/* Mark a page as holding code; the watchers drop writable pointers to it. */
void ram_mark_code(struct ram *ram, uint64_t off);
void ram_clear_code(struct ram *ram, uint64_t off);
/* Forget dirty bits (a snapshot was taken): writable pointers are dropped. */
void ram_clean(struct ram *ram);
uint64_t ram_hash(const struct ram *ram, uint64_t h); /* contents; all-zero pages are cheap */

static inline bool ram_page_plain(const struct ram *ram, uint64_t off)
{
    return ram->flags[off >> PAGE_SHIFT] == RAM_DIRTY;
}
