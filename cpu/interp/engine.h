/* The block interpreter's inside: micro-ops, blocks, code pages, the jump cache.
 * docs/decisions/0007-engine.md says why it is like this. */
#pragma once
#include "cpu/core.h"

struct uop;
struct block;
/* A handler runs one micro-op and goes to the next: by a tail call, or (portable build) by
 * returning it.  NULL: back to the dispatcher, interp.why says why. */
typedef const struct uop *uop_fn(struct cpu *c, const struct uop *op);

struct uop {
    uop_fn *h;
    uint16_t d, s;        /* registers: byte offsets in struct cpu (AH is RAX's + 1) */
    uint16_t base, index; /* the same; none: offsetof(zero) */
    uint8_t scale, seg;
    uint8_t n;            /* instruction in the block */
    uint8_t at;           /* micro-op in the block */
    int32_t disp;
    uint32_t imm;
    uint32_t x;           /* address or stack mask; what else the handler says */
};

/* Stands behind a micro-op that ends a block: [0] fall through (or the only way), [1] taken. */
struct uterm {
    struct block *link[2]; /* NULL: not linked yet */
    int32_t delta[2];      /* target - start of this block */
    uint32_t mask[2];      /* of the instruction pointer (code segments that are not flat) */
};

struct binsn {
    struct insn in;
    uint16_t off; /* from the block's start */
};

#define BLOCK_MAX 48
#define BLOCK_DEAD 0xffffffffu
#define BLOCK_GUARD 0xfffffffeu

struct cpage;
struct block {
    const uint8_t *host; /* its first byte */
    uint32_t mode;       /* BLOCK_DEAD: killed */
    uint16_t len;        /* bytes */
    uint8_t n;           /* instructions */
    struct cpage *page;
    struct block *page_next, *hash_next;
    /* blocks that link here: a list of (block | which link), continued in their in_next[which] */
    uintptr_t in, in_next[2];
    struct uterm *term;
    struct binsn *insn;
    /* An instruction in two pages: its block is in the first one's list, a guard (mode BLOCK_GUARD)
     * for the rest of its bytes in the second one's. */
    struct block *twin;
    struct uop ops[];
};

struct cpage { /* a host page that holds decoded code */
    const uint8_t *host;
    uint64_t ram_off;
    struct ram *ram;   /* NULL: ROM */
    struct block *blocks;
    struct cpage *next;
    uint64_t code[PAGE_SIZE / 64]; /* a bit for every byte that some block was made of */
};

enum interp_why { WHY_NEXT, WHY_FAULT, WHY_STEP }; /* STEP: this instruction by itself */

#define JC_BITS 14
#define JC_SIZE (1u << JC_BITS)
struct jc_entry {
    uint64_t lin;
    struct block *b;
    uint32_t epoch;
};
#define CT_SIZE 256u
struct ct_entry { /* where the instruction bytes of a linear page are */
    uint64_t lin;
    uint32_t epoch;
    bool user, valid;
    struct bus_page page;
};
#define RING_SIZE 64u
struct ring_entry {
    uint64_t lin;
    uint16_t n;    /* instructions executed from there on */
    uint16_t mode; /* MODE_CODE32, MODE_CODE64 as they were */
};
#define BHASH_BITS 17
#define PHASH_BITS 12
#define ARENA_SIZE ((size_t)64 << 20)

struct interp {
    enum interp_why why;
    uint32_t ring_pos;
    struct ring_entry ring[RING_SIZE];
    struct block *link_from; /* a jump that found no link: patched by the dispatcher */
    unsigned link_which;
    struct block *cross;     /* stands for every block on another page */
    bool step_only;          /* for tests: never run blocks */
    uint8_t *arena;
    size_t used;
    uint64_t flushes, builds, kills, walks; /* walks: of a page's blocks, after a store */
    struct ct_entry ct[CT_SIZE];
    struct jc_entry jc[JC_SIZE];
    struct block *bhash[1u << BHASH_BITS];
    struct cpage *phash[1u << PHASH_BITS];
};

FORCE_INLINE void ring_push(struct interp *e, uint64_t lin, unsigned n, uint32_t mode)
{
    struct ring_entry *r = &e->ring[e->ring_pos++ % RING_SIZE];
    r->lin = lin;
    r->n = (uint16_t)n;
    r->mode = (uint16_t)mode;
}
FORCE_INLINE uint64_t interp_lin(const struct cpu *c, uint64_t rip)
{
    return c->mode & MODE_CODE64 ? rip : (uint32_t)(c->s.seg[SEG_CS].base + rip);
}

/* ---- run.c ---- */
bool interp_code_changed(struct cpu *c, uint64_t off, uint64_t len);
unsigned interp_last_insns(struct cpu *c, uint64_t out[32]);
/* For tests: run everything instruction by instruction. */
void interp_step_only(struct cpu *c, bool on);
/* Are handlers chained by tail calls in this build? */
bool interp_is_tail_threaded(void);
/* ---- step.c ---- */
/* Where the bytes at lin are, through a small cache; NULL: #PF recorded. */
const struct ct_entry *interp_code(struct cpu *c, uint64_t lin);
enum step { STEP_OK, STEP_FAULT, STEP_BREAK };
/* One instruction by its generic executor, with everything a boundary needs. */
enum step interp_step(struct cpu *c);
