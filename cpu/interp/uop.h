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
/* The block at a linear address (32 bits but for 64-bit mode). */
FORCE_INLINE struct block *jc_find_lin(struct cpu *c, struct interp *e, uint64_t lin)
{
    struct jc_entry *j = &e->jc[JC_HASH(lin)];
    if (j->lin == lin && j->epoch == c->tlb_epoch && j->b->mode == c->mode) {
        return j->b;
    }
    return NULL;
}
FORCE_INLINE struct block *jc_find(struct cpu *c, struct interp *e)
{
    return jc_find_lin(c, e, interp_lin(c, c->s.rip));
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
/* B: flat segment, base + disp.  X: flat, base + index + disp.  S: any segment and address size.
 * 64-bit mode: Q: base + disp (RIP-relative: the base is s.rip, where the block begins).  QX: with
 * index.  QS: with index and a segment base (FS, GS; or 0).  An address that is not canonical
 * matches no tag of the translation cache; the slow twin makes the fault. */
enum ea { EA_B, EA_X, EA_S, EA_Q, EA_QX, EA_QS, EA_COUNT };
/* Stamps for operands of each size: X(..., address form), and table rows of the same. */
#define EACH_EA32(X, ...) X(__VA_ARGS__, EA_B) X(__VA_ARGS__, EA_X) X(__VA_ARGS__, EA_S)
#define EACH_EA64(X, ...) X(__VA_ARGS__, EA_Q) X(__VA_ARGS__, EA_QX) X(__VA_ARGS__, EA_QS)
#define EACH_EA_1(X, ...) EACH_EA32(X, __VA_ARGS__) EACH_EA64(X, __VA_ARGS__)
#define EACH_EA_2(X, ...) EACH_EA32(X, __VA_ARGS__) X(__VA_ARGS__, EA_QS)
#define EACH_EA_4(X, ...) EACH_EA32(X, __VA_ARGS__) EACH_EA64(X, __VA_ARGS__)
#define EACH_EA_8(X, ...) EACH_EA64(X, __VA_ARGS__)
#define T_EA(stem)                                                                                \
    {stem##_EA_B, stem##_EA_X, stem##_EA_S, stem##_EA_Q, stem##_EA_QX, stem##_EA_QS}
/* What is not hot in 64-bit mode (16-bit operands, for one) has one form for all addresses. */
#define EACH_EA_COLD_4(X, ...) EACH_EA_2(X, __VA_ARGS__)
#define EACH_EA_COLD_8(X, ...) X(__VA_ARGS__, EA_QS)
#define T_EA_COLD_4(stem)                                                                         \
    {stem##_EA_B, stem##_EA_X, stem##_EA_S, stem##_EA_QS, stem##_EA_QS, stem##_EA_QS}
#define T_EA_COLD_8(stem) {NULL, NULL, NULL, stem##_EA_QS, stem##_EA_QS, stem##_EA_QS}
#define T_EA_1(stem) T_EA(stem)
#define T_EA_2(stem) T_EA_COLD_4(stem)
#define T_EA_4(stem) T_EA(stem)
#define T_EA_8(stem) {NULL, NULL, NULL, stem##_EA_Q, stem##_EA_QX, stem##_EA_QS}

FORCE_INLINE uint64_t ea_off(const struct cpu *c, const struct uop *op, enum ea ea)
{
    if (ea >= EA_Q) {
        uint64_t q = rd(c, op->base, 8) + (uint64_t)(int64_t)op->disp;
        if (ea != EA_Q) {
            q += rd(c, op->index, 8) << op->scale;
        }
        return ea == EA_QS ? q + rd(c, op->x, 8) : q; /* x: offset of the segment's base */
    }
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
/* A 64-bit operand's immediate has 32 bits and a sign (SDM Vol. 1, "Immediate Operands"). */
FORCE_INLINE uint64_t op_imm(const struct uop *op, unsigned size)
{
    return size == 8 ? (uint64_t)(int64_t)(int32_t)op->imm : op->imm;
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

/* ---- the stack ----
 * S: a stack segment with base and limit, or a 16-bit one; op->x is the mask of SP.  F: flat,
 * 32-bit.  Q: 64-bit mode. */
enum stack { STACK_S, STACK_F, STACK_Q };

FORCE_INLINE uint64_t stack_reg(const struct cpu *c, const struct uop *op, enum stack st,
                                unsigned reg)
{
    uint64_t v = rd(c, reg * 8, st == STACK_Q ? 8 : 4);
    return st == STACK_S ? v & op->x : v;
}
FORCE_INLINE void stack_set(struct cpu *c, const struct uop *op, enum stack st, uint64_t sp)
{
    if (st == STACK_S) { /* a 16-bit SP leaves the rest alone, a 32-bit one makes it 0 */
        uint64_t keep = ~(uint64_t)(int64_t)(int32_t)op->x;
        c->s.gpr[REG_SP] = (c->s.gpr[REG_SP] & keep) | (sp & op->x);
    } else {
        c->s.gpr[REG_SP] = st == STACK_F ? (uint32_t)sp : sp;
    }
}
FORCE_INLINE bool stack_host(const struct cpu *c, enum stack st, uint64_t sp, unsigned size,
                             bool write, uint8_t **p)
{
    uint64_t lin = sp;
    if (st == STACK_S && !seg_lin(c, SEG_SS, sp, size, write, &lin)) {
        return false;
    }
    return lin_host(c, lin, size, write, p);
}
FORCE_INLINE bool stack_push_v(struct cpu *c, const struct uop *op, unsigned size, enum stack st,
                               uint64_t v)
{
    uint8_t *p;
    uint64_t sp = stack_reg(c, op, st, REG_SP) - size;
    sp = st == STACK_S ? sp & op->x : st == STACK_F ? (uint32_t)sp : sp;
    if (!stack_host(c, st, sp, size, true, &p)) {
        return false;
    }
    host_put(p, v, size);
    stack_set(c, op, st, sp);
    return true;
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
    unsigned next; /* where the instruction ends: bytes from the block's start */
    int ea;        /* the last pick_ea() */
    struct uop u;
};
bool pick_alu(struct pick *p);
bool pick_shift(struct pick *p);
bool pick_move(struct pick *p);
bool pick_stack(struct pick *p);
bool pick_sse(struct pick *p);
uop_fn *pick_copy(unsigned size); /* from op->s to op->d, 4 (zero-extended) or 8 bytes */
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
/* sizes 1, 2, 4, 8 -> 0, 1, 2, 3; others have no fast forms here */
FORCE_INLINE int pick_size(unsigned size)
{
    return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : -1;
}
/* The immediate of operands of this size, if a micro-op can hold it. */
FORCE_INLINE bool pick_imm(struct pick *p, unsigned size)
{
    uint64_t v = size < 8 ? p->in->imm & bits_mask(size * 8) : p->in->imm;
    p->u.imm = (uint32_t)v;
    return size < 8 || v == op_imm(&p->u, 8);
}
/* Address fields of u; the kind of address, or -1. */
int pick_ea(struct pick *p);
/* The stack of blocks in this mode. */
FORCE_INLINE enum stack pick_stack_kind(const struct pick *p)
{
    const uint32_t flat = MODE_FLAT_SS | MODE_STACK32;
    return p->mode & MODE_CODE64 ? STACK_Q : (p->mode & flat) == flat ? STACK_F : STACK_S;
}
