/* Decoding blocks (build.c) and keeping them (cache.c). */
#pragma once
#include "cpu/interp/engine.h"

/* The most that one block and its page record can take from the arena. */
#define BUILD_ROOM                                                                                 \
    (2 * sizeof(struct block) + (BLOCK_MAX + 4) * (sizeof(struct uop) + sizeof(struct binsn)) +    \
     2 * sizeof(struct cpage) + 256)

/* A block of the instructions at host, `off` in its page, for this mode (c->mode, or that with
 * MODE_EDGE).  NULL: the first one leaves the page. */
struct block *build_block(struct cpu *c, uint32_t mode, struct cpage *page, const uint8_t *host,
                          unsigned off);

/* The same for the one instruction in bytes[], which begins at host and goes on in another page; it
 * has a head that checks the other page. */
struct block *build_crossing(struct cpu *c, uint32_t mode, struct cpage *page, const uint8_t *host,
                             unsigned off, const uint8_t bytes[INSN_MAX_LEN]);

bool cache_open(struct interp *e);
void cache_close(struct interp *e);
void *cache_alloc(struct interp *e, size_t size);
void cache_flush(struct interp *e);
void cache_map_changed(struct interp *e);
/* The block at s.rip in the present mode; NULL: run the instruction by itself. */
struct block *cache_lookup(struct cpu *c);
/* Link the jump that brought us here (link_from), if both ends are on one page. */
void cache_patch(struct interp *e, struct block *to);
