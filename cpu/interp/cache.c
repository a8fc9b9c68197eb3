/* Blocks by address, links between them, and their end when code changes.
 *
 * A block is known by the host address of its first byte and the mode, so RAM, ROM, shadow RAM and
 * the A20 gate need no care: another mapping leads to other bytes.  The jump cache knows it by
 * linear address for as long as no translation is dropped (tlb_epoch).
 *
 * A page of RAM that holds blocks is marked RAM_CODE, so that stores to it come by the slow way and
 * end in interp_code_changed(); only blocks whose own bytes were written die. */
#include <stdlib.h>

#include "base/os.h"
#include "cpu/interp/build.h"
#include "cpu/interp/uop.h"

static unsigned cache_hash(const uint8_t *host, uint32_t mode)
{
    uint64_t h = ((uint64_t)(uintptr_t)host ^ (uint64_t)mode << 40) * 0x9e3779b97f4a7c15ull;
    return (unsigned)(h >> (64 - BHASH_BITS));
}

static unsigned cache_page_hash(const uint8_t *host)
{
    return (unsigned)((uintptr_t)host >> PAGE_SHIFT) & ((1u << PHASH_BITS) - 1);
}

static struct cpage *cache_page(struct interp *e, const uint8_t *host)
{
    struct cpage *p = e->phash[cache_page_hash(host)];
    while (p && p->host != host) {
        p = p->next;
    }
    return p;
}

void *cache_alloc(struct interp *e, size_t size)
{
    void *p = e->arena + e->used;
    e->used += (size + 31) & ~(size_t)31;
    return p;
}

/* ---- links: incoming ones are a list through the linking blocks, tagged with which link ---- */

static void cache_link(struct block *from, unsigned which, struct block *to)
{
    from->term->link[which] = to;
    from->in_next[which] = to->in;
    to->in = (uintptr_t)from | which;
}

static void cache_unlink(struct block *from, unsigned which)
{
    struct block *to = from->term->link[which];
    if (!to) {
        return;
    }
    from->term->link[which] = NULL;
    for (uintptr_t *p = &to->in; *p;) {
        struct block *b = (struct block *)(*p & ~(uintptr_t)1);
        if (b == from && (*p & 1) == which) {
            *p = b->in_next[which];
            return;
        }
        p = &b->in_next[*p & 1];
    }
}

static void cache_kill(struct interp *e, struct block *b);

/* The other part of a block in two pages: out of its page's list, too. */
static void cache_kill_twin(struct interp *e, struct block *b)
{
    struct block *t = b->twin;
    b->twin = NULL;
    if (t) {
        struct block **p = &t->page->blocks;
        while (*p != t) {
            p = &(*p)->page_next;
        }
        *p = t->page_next;
        t->twin = NULL;
        cache_kill(e, t);
    }
}

/* The caller takes it out of its page's list. */
static void cache_kill(struct interp *e, struct block *b)
{
    cache_kill_twin(e, b);
    if (b->mode == BLOCK_GUARD) {
        return;
    }
    struct block **p = &e->bhash[cache_hash(b->host, b->mode)];
    while (*p != b) {
        p = &(*p)->hash_next;
    }
    *p = b->hash_next;
    while (b->in) {
        struct block *from = (struct block *)(b->in & ~(uintptr_t)1);
        unsigned which = b->in & 1;
        b->in = from->in_next[which];
        from->term->link[which] = NULL;
    }
    if (b->term) {
        cache_unlink(b, 0);
        cache_unlink(b, 1);
    }
    b->mode = BLOCK_DEAD; /* the jump cache and a pending link see it */
    e->kills++;
}

/* Bytes [off, off + len) of the page, at most to its end: mark them as code, or ask for any such.
 */
static bool cache_bytes(struct cpage *page, uint64_t off, uint64_t len, bool set)
{
    uint64_t at = off & PAGE_MASK, end = len < PAGE_SIZE - at ? at + len : PAGE_SIZE;
    while (at < end) {
        unsigned n = 64 - (at & 63) < end - at ? 64 - (at & 63) : (unsigned)(end - at);
        uint64_t bits = (~0ull >> (64 - n)) << (at & 63);
        if (set) {
            page->code[at >> 6] |= bits;
        } else if (page->code[at >> 6] & bits) {
            return true;
        }
        at += n;
    }
    return false;
}

/* Data next to code is common and written all the time (iPXE, GRUB, boot sectors): to the byte, or
 * a store would walk the page's blocks for nothing. */
bool interp_code_changed(struct cpu *c, uint64_t off, uint64_t len)
{
    struct interp *e = c->engine;
    struct cpage *page = cache_page(e, c->env.ram->host + (off & ~PAGE_MASK));
    if (!page || !page->blocks) {
        return false;
    }
    if (!cache_bytes(page, off, len, false)) {
        return true;
    }
    const uint8_t *lo = c->env.ram->host + off, *hi = lo + len;
    e->walks++;
    memset(page->code, 0, sizeof page->code);
    for (struct block **p = &page->blocks; *p;) {
        struct block *b = *p;
        if (b->host < hi && lo < b->host + b->len) {
            *p = b->page_next;
            cache_kill(e, b);
            c->exit_word |= EXIT_MODE; /* it may be the one that runs now */
        } else {
            cache_bytes(page, (uint64_t)(b->host - page->host), b->len, true);
            p = &b->page_next;
        }
    }
    return page->blocks != NULL;
}

/* ---- life ---- */

static void cache_forget(struct interp *e)
{
    for (unsigned i = 0; i < JC_SIZE; i++) {
        e->jc[i] = (struct jc_entry){.lin = ~0ull, .b = e->cross};
    }
    for (unsigned i = 0; i < CT_SIZE; i++) {
        e->ct[i].valid = false;
    }
    e->link_from = NULL;
}

/* The pages stay marked as code, which another processor's cache may still hold: the next store to
 * each asks all of them. */
void cache_flush(struct interp *e)
{
    memset(e->phash, 0, sizeof e->phash);
    memset(e->bhash, 0, sizeof e->bhash);
    e->used = 0;
    e->flushes++;
    cache_forget(e);
}

/* The bus map changed.  Blocks in RAM stay true; a ROM may be gone, so its blocks go. */
void cache_map_changed(struct interp *e)
{
    for (unsigned i = 0; i < 1u << PHASH_BITS; i++) {
        for (struct cpage **p = &e->phash[i]; *p;) {
            struct cpage *page = *p;
            if (page->ram) {
                p = &page->next;
                continue;
            }
            for (struct block *b = page->blocks; b; b = b->page_next) {
                cache_kill(e, b);
            }
            *p = page->next;
        }
    }
    cache_forget(e);
}

bool cache_open(struct interp *e)
{
    e->arena = os_pages_alloc(ARENA_SIZE);
    e->cross = calloc(1, sizeof *e->cross + sizeof(struct uop));
    if (!e->arena || !e->cross) {
        return false;
    }
    e->cross->mode = BLOCK_DEAD;
    e->cross->ops[0].h = h_cross;
    cache_forget(e);
    return true;
}

void cache_close(struct interp *e)
{
    if (e->arena) {
        cache_flush(e);
        os_pages_free(e->arena, ARENA_SIZE);
    }
    free(e->cross);
}

/* ---- look-up ---- */

static struct cpage *cache_page_for(struct cpu *c, const uint8_t *host)
{
    struct interp *e = c->engine;
    struct ram *ram = c->env.ram;
    struct cpage *p = cache_page(e, host);
    bool in_ram = ram && host >= ram->host && host < ram->host + ram->size;
    if (!p) {
        unsigned h = cache_page_hash(host);
        p = cache_alloc(e, sizeof *p);
        *p = (struct cpage){.host = host, .next = e->phash[h]};
        if (in_ram) {
            p->ram = ram;
            p->ram_off = (uint64_t)(host - ram->host);
        }
        e->phash[h] = p;
    }
    return p;
}

/* Not MMIO, and not memory whose writers do not tell us (video memory). */
static bool cache_can_hold(const struct cpu *c, const struct bus_page *p)
{
    const struct ram *r = p->ram;
    return p->host_r && (!r || r == c->env.ram || p->host_r < r->host ||
                         p->host_r >= r->host + r->size);
}

/* b is made of bytes of this page from `off` on. */
static void cache_enter(struct cpage *page, struct block *b, uint64_t off, uint64_t len)
{
    b->page = page;
    b->page_next = page->blocks;
    page->blocks = b;
    cache_bytes(page, off, len, true);
    if (page->ram) {
        ram_mark_code(page->ram, page->ram_off);
    }
}

static bool cache_canonical(uint64_t lin)
{
    return (uint64_t)bits_sext(lin, 48) == lin;
}

/* The mode of a block at lin.  A direct branch to a non-canonical address faults itself, before it
 * is taken; only code this near can have one, and its branches run generically. */
static uint32_t cache_mode(const struct cpu *c, uint64_t lin)
{
    const uint64_t far = 0x80000000u + 2 * PAGE_SIZE;
    bool edge = !cache_canonical(lin + far) || !cache_canonical(lin - far);
    return c->mode & MODE_CODE64 && edge ? c->mode | MODE_EDGE : c->mode;
}

/* A block for the one instruction at lin that goes on in the next page; NULL: not cacheable. */
static struct block *cache_build_crossing(struct cpu *c, uint32_t mode, struct cpage *page,
                                          const uint8_t *host, uint64_t lin)
{
    unsigned off = (unsigned)(lin & PAGE_MASK), first = (unsigned)PAGE_SIZE - off;
    uint64_t next = c->mode & MODE_CODE64 ? lin + first : (uint32_t)(lin + first);
    uint8_t bytes[INSN_MAX_LEN];
    if (first >= INSN_MAX_LEN) { /* too long: #GP, and nobody looks at the next page */
        return NULL;
    }
    const struct ct_entry *t = cache_canonical(next) ? interp_code(c, next) : NULL;
    /* one page behind itself: both parts would be in one list; left to step */
    if (!t || !cache_can_hold(c, &t->page) || t->page.host_r == page->host) {
        c->fault.pending = false;
        return NULL;
    }
    const uint8_t *host2 = t->page.host_r;
    memcpy(bytes, host, first);
    memcpy(bytes + first, host2, INSN_MAX_LEN - first);
    struct block *b = build_crossing(c, mode, page, host, off, bytes);
    if (!b) {
        return NULL;
    }
    struct block *guard = cache_alloc(c->engine, sizeof *guard);
    *guard = (struct block){.host = host2, .mode = BLOCK_GUARD, .len = (uint16_t)(b->len - first),
                            .twin = b};
    b->twin = guard;
    cache_enter(cache_page_for(c, host2), guard, 0, guard->len);
    return b;
}

struct block *cache_lookup(struct cpu *c)
{
    struct interp *e = c->engine;
    uint64_t lin = interp_lin(c, c->s.rip);
    uint32_t mode = cache_mode(c, lin);
    struct jc_entry *j = &e->jc[JC_HASH(lin)];
    if (j->lin == lin && j->epoch == c->tlb_epoch && j->b->mode == mode) {
        return j->b;
    }
    const struct ct_entry *t = cache_canonical(lin) ? interp_code(c, lin) : NULL;
    if (!t || !cache_can_hold(c, &t->page)) { /* a fault, or code in MMIO: step sees to it */
        c->fault.pending = false;
        return NULL;
    }
    const uint8_t *host = t->page.host_r + (lin & PAGE_MASK);
    /* after a flush most translations are what they were: the old entry is the first guess */
    struct block *b = j->b;
    if (j->lin != lin || b->host != host || b->mode != mode) {
        b = e->bhash[cache_hash(host, mode)];
        while (b && (b->host != host || b->mode != mode)) {
            b = b->hash_next;
        }
    }
    if (!b) {
        if (e->used + BUILD_ROOM > ARENA_SIZE) {
            cache_flush(e);
        }
        struct cpage *page = cache_page_for(c, t->page.host_r);
        b = build_block(c, mode, page, host, (unsigned)(lin & PAGE_MASK));
        if (!b && !(b = cache_build_crossing(c, mode, page, host, lin))) {
            return NULL;
        }
        unsigned h = cache_hash(host, mode);
        b->hash_next = e->bhash[h];
        e->bhash[h] = b;
        cache_enter(page, b, lin & PAGE_MASK, b->len);
    }
    *j = (struct jc_entry){.lin = lin, .b = b, .epoch = c->tlb_epoch};
    return b;
}

void cache_patch(struct interp *e, struct block *to)
{
    struct block *from = e->link_from;
    unsigned which = e->link_which;
    e->link_from = NULL;
    if (from->mode == to->mode && from->page == to->page && !from->term->link[which] &&
        from->host + from->term->delta[which] == to->host) {
        cache_link(from, which, to);
    }
}
