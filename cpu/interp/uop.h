/* What handlers are made of: going on, giving up, registers, addresses.
 *
 * A fast handler (h_*) calls nothing, so it needs no stack frame; what it cannot do at once - a
 * miss in the translation cache, a segment check that fails, a page crossing - it leaves to a slow
 * routine (uop_*) by a tail call, before it has changed anything.  tests/cpu/test_interp.c reads
 * the disassembly of the release build to see that it stays so. */
#pragma once
#include "cpu/alu.h"
#include "cpu/interp/engine.h"

#if defined(__SANITIZE_ADDRESS__) || defined(VITRINE_PORTABLE) || !defined(__OPTIMIZE__)
#define UOP_TAIL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer) ||            \
    __has_feature(memory_sanitizer)
#define UOP_TAIL 0
#else
#define UOP_TAIL 1
#endif
#else
#define UOP_TAIL 1
#endif

#if !UOP_TAIL
#define GOTO(next_) return (next_)
#elif defined(__clang__)
#define GOTO(next_)                                                                               \
    do {                                                                                          \
        const struct uop *to_ = (next_);                                                          \
        __attribute__((musttail)) return to_->h(c, to_);                                          \
    } while (0)
#else /* gcc 12: -foptimize-sibling-calls (part of -O2) makes it a jump */
#define GOTO(next_)                                                                               \
    do {                                                                                          \
        const struct uop *to_ = (next_);                                                          \
        return to_->h(c, to_);                                                                    \
    } while (0)
#endif
#define NEXT GOTO(op + 1)
#define LEAVE return NULL
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Aligned, or unrelated changes move loops across fetch lines and cost up to a fifth. */
#define HANDLER(name)                                                                              \
    __attribute__((aligned(32))) const struct uop *name(__attribute__((unused)) struct cpu *c,     \
                                                        const struct uop *op)
#define STAMP(name) static HANDLER(name)

/* ---- slow.c: slow twins, generic execution ---- */
uop_fn uop_slow;         /* this instruction by its generic executor, then on */
uop_fn uop_slow2;        /* a fused pair */
uop_fn uop_generic_end;  /* the last of a block, whatever it does */
uop_fn uop_run;          /* op->x instructions (a run of pushes or pops) */
uop_fn uop_rep;          /* string.c: REP MOVS and friends */
/* The first k instructions of b, fewer than it has: the end of a budget. */
void uop_part(struct cpu *c, const struct block *b, unsigned k);
uop_fn uop_check_page;   /* head of a block whose instruction lies in two pages */
uop_fn h_cross;          /* stands for all blocks on other pages */
uop_fn h_fall;           /* end of a block without a branch */
uop_fn h_fall_seg;
const struct uop *uop_unlinked(struct cpu *c, const struct uop *op, unsigned which);

FORCE_INLINE struct block *uop_block(const struct uop *op)
{
    return (struct block *)((char *)(uintptr_t)(op - op->at) - offsetof(struct block, ops));
}

/* ---- entering blocks ---- */
#define JC_HASH(lin) (((lin) ^ (lin) >> 10) & (JC_SIZE - 1))
FORCE_INLINE struct block *jc_find(struct cpu *c, struct interp *e)
{
    uint64_t lin = interp_lin(c, c->s.rip);
    struct jc_entry *j = &e->jc[JC_HASH(lin)];
    if (j->lin == lin && j->epoch == c->tlb_epoch && j->b->mode == c->mode) {
        return j->b;
    }
    return NULL;
}
FORCE_INLINE struct block *jc_find32(struct cpu *c, struct interp *e, uint32_t lin)
{
    struct jc_entry *j = &e->jc[JC_HASH(lin)];
    if (j->lin == lin && j->epoch == c->tlb_epoch && j->b->mode == c->mode) {
        return j->b;
    }
    return NULL;
}
/* The whole block must fit in the budget; s.rip is its start already. */
#define ENTER(b_)                                                                                 \
    do {                                                                                          \
        const struct block *in_ = (b_);                                                           \
        uint64_t r_ = c->retired + in_->n;                                                        \
        if (UNLIKELY(r_ > __atomic_load_n(&c->run_limit, __ATOMIC_RELAXED))) {                   \
            LEAVE;                                                                                \
        }                                                                                         \
        c->retired = r_;                                                                          \
        ring_push(c->engine, c->s.seg[SEG_CS].base + c->s.rip, in_->n, c->mode);                  \
        GOTO(in_->ops);                                                                           \
    } while (0)
/* Code segments with a limit: a block may not go beyond it. */
#define ENTER_SEG(b_)                                                                             \
    do {                                                                                          \
        const struct block *seg_ = (b_);                                                          \
        if (c->s.rip + seg_->len - 1 > c->s.seg[SEG_CS].limit) {                                  \
            LEAVE;                                                                                \
        }                                                                                         \
        ENTER(seg_);                                                                              \
    } while (0)
#define GO_LINK(w_)                                                                               \
    do {                                                                                          \
        const struct block *link_ = ((const struct uterm *)(op + 1))->link[w_];                   \
        if (UNLIKELY(!link_)) {                                                                   \
            return uop_unlinked(c, op, w_);                                                       \
        }                                                                                         \
        ENTER(link_);                                                                             \
    } while (0)
#define GO_LINK_SEG(w_)                                                                           \
    do {                                                                                          \
        const struct block *link_ = ((const struct uterm *)(op + 1))->link[w_];                   \
        if (UNLIKELY(!link_)) {                                                                   \
            return uop_unlinked(c, op, w_);                                                       \
        }                                                                                         \
        ENTER_SEG(link_);                                                                         \
    } while (0)

/* ---- registers by byte offset ---- */
FORCE_INLINE uint64_t rd(const struct cpu *c, unsigned off, unsigned size)
{
    const uint8_t *p = (const uint8_t *)c + off;
    switch (size) {
    case 1: return *p;
    case 2: return *(const uint16_t *)(const void *)p;
    case 4: {
        /* the whole register, though only half is wanted: hosts forward a store to a load of the
         * same size without going through the cache.  The asm keeps the compiler from narrowing it
         * (+3 %) */
        uint64_t v = *(const uint64_t *)(const void *)p;
        __asm__("" : "+r"(v));
        return (uint32_t)v;
    }
    default: return *(const uint64_t *)(const void *)p;
    }
}
/* Always a 64-bit store: a narrow one followed by a wide load would stall on most hosts. */
FORCE_INLINE void wr(struct cpu *c, unsigned off, unsigned size, uint64_t v)
{
    uint8_t *p = (uint8_t *)c + off;
    if (size >= 4) {
        *(uint64_t *)(void *)p = v & bits_mask(size * 8);
    } else if (size == 2) {
        uint64_t *q = (uint64_t *)(void *)p;
        *q = (*q & ~(uint64_t)0xffff) | (v & 0xffff);
    } else {
        uint64_t *q = (uint64_t *)(void *)((uint8_t *)c + (off & ~7u));
        unsigned sh = (off & 1) * 8;
        *q = (*q & ~((uint64_t)0xff << sh)) | (v & 0xff) << sh;
    }
}

/* ---- addresses ---- */
/* B: flat segment, base + disp.  X: flat, base + index + disp.  S: any segment and address size. */
enum ea { EA_B, EA_X, EA_S, EA_COUNT };

FORCE_INLINE uint64_t ea_off(const struct cpu *c, const struct uop *op, enum ea ea)
{
    uint32_t a = (uint32_t)rd(c, op->base, 4) + (uint32_t)op->disp;
    if (ea != EA_B) {
        a += (uint32_t)rd(c, op->index, 4) << op->scale;
    }
    return ea == EA_S ? a & op->x : a;
}
/* One compare for tag and page crossing. */
FORCE_INLINE bool lin_host(const struct cpu *c, uint64_t lin, unsigned size, bool write,
                           uint8_t **p)
{
    const struct tlb_entry *t = &c->tlb_cur[lin >> PAGE_SHIFT & (TLB_SIZE - 1)];
    if (UNLIKELY((write ? t->tag_w : t->tag_r) != ((lin + size - 1) & ~PAGE_MASK))) {
        return false;
    }
    *p = (uint8_t *)(uintptr_t)(lin + t->addend);
    return true;
}
FORCE_INLINE bool seg_lin(const struct cpu *c, unsigned seg, uint64_t off, unsigned size,
                          bool write, uint64_t *lin)
{
    const struct seg_range *r = &c->range[seg];
    uint64_t lo = write ? r->wr_lo : r->rd_lo, hi = write ? r->wr_hi : r->rd_hi;
    if (UNLIKELY(off < lo || off + size - 1 > hi)) {
        return false;
    }
    *lin = (uint32_t)(c->s.seg[seg].base + off);
    return true;
}
FORCE_INLINE bool ea_host(const struct cpu *c, const struct uop *op, enum ea ea, unsigned size,
                          bool write, uint8_t **p)
{
    uint64_t lin = ea_off(c, op, ea);
    if (ea == EA_S && !seg_lin(c, op->seg, lin, size, write, &lin)) {
        return false;
    }
    return lin_host(c, lin, size, write, p);
}
/* Guest memory behind a checked address: one host access (registers are little-endian here too). */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the engine needs a little-endian host");
FORCE_INLINE uint64_t host_get(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;
    memcpy(&v, p, size); /* size is a constant */
    return v;
}
FORCE_INLINE void host_put(uint8_t *p, uint64_t v, unsigned size)
{
    memcpy(p, &v, size);
}

/* ---- choosing a handler (each handler file offers a pick_*) ---- */
enum {
    PICK_PLAIN = 1, /* cannot fault or leave: not a reader of everything */
    PICK_READS = 2, /* its result depends on some flag.  An instruction that only keeps flags does
                       not count: if nobody reads what it leaves, nobody reads what it kept */
    PICK_WRITES = 4 /* writes all status flags */
};
struct pick {
    const struct insn *in;
    uint32_t mode;
    bool live;     /* somebody reads the flags that it leaves */
    unsigned what; /* PICK_*: answered */
    int ea;        /* the last pick_ea() */
    struct uop u;
};
bool pick_alu(struct pick *p);
bool pick_shift(struct pick *p);
bool pick_move(struct pick *p);
bool pick_stack(struct pick *p);
/* Block ends; a uterm follows.  `next`: the jcc behind a compare that can be done with it. */
bool pick_branch(struct pick *p);
bool pick_fused(struct pick *p, const struct insn *jcc);
/* After a handler was chosen: one made for these very registers, if there is. */
void pick_registers(struct pick *p);
/* A run of PUSH or POP of registers: how many of the `most` instructions it takes (0: none). */
unsigned pick_run(struct pick *p, const struct binsn *first, unsigned most);
/* A register operand's offset. */
FORCE_INLINE uint16_t pick_reg(const struct opnd *o)
{
    return (uint16_t)(o->reg * 8u + (o->kind == OPND_GPR8H));
}
FORCE_INLINE bool pick_is_reg(const struct opnd *o)
{
    return o->kind == OPND_GPR || o->kind == OPND_GPR8H;
}
/* sizes 1, 2, 4 -> 0, 1, 2; others do not have fast forms yet */
FORCE_INLINE int pick_size(unsigned size)
{
    return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : -1;
}
/* Address fields of u; the kind of address, or -1. */
int pick_ea(struct pick *p);
