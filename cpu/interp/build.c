/* From bytes to a block: decode, find out which flags nobody reads, choose handlers.
 *
 * Liveness is strict: whatever can fault or leave the block - memory, generic instructions, the
 * block's end - counts as a reader of all flags, so state is exact wherever it can be looked at. */
#include <stddef.h>

#include "cpu/interp/build.h"
#include "cpu/interp/uop.h"

_Static_assert(sizeof(struct uop) == 32, "a micro-op is half a cache line");
_Static_assert(sizeof(struct uterm) == sizeof(struct uop), "a uterm takes a micro-op's place");
_Static_assert(offsetof(struct cpu, s.gpr) == 0, "register offsets are reg * 8");
_Static_assert(BLOCK_MAX < 128, "uop.n and uop.at are bytes");

struct build {
    struct cpu *c;
    struct block *b;
    uint32_t mode;
    struct binsn ins[BLOCK_MAX];
    unsigned n, len, page_off;
    bool live[BLOCK_MAX]; /* flags are read after instruction i */
};

static bool build_is_string(unsigned op)
{
    return op == OP_movs || op == OP_cmps || op == OP_stos || op == OP_lods || op == OP_scas;
}

static bool build_is_rep(const struct insn *in)
{
    return build_is_string(in->op) && (in->flags & (INSN_REP | INSN_REPNE));
}

static bool build_ends(const struct insn *in)
{
    return in->flags & INSN_ENDS || build_is_rep(in) || in->op == OP_ud;
}

static bool build_pick(struct pick *p)
{
    return pick_alu(p) || (p->what = 0, pick_move(p)) || (p->what = 0, pick_shift(p)) ||
           (p->what = 0, pick_stack(p)) || (p->what = 0, pick_sse(p));
}

static void build_decode(struct build *s, const uint8_t *host, unsigned room, unsigned most)
{
    struct cpu *c = s->c;
    unsigned mode = s->mode & MODE_CODE64   ? DECODE_64
                    : s->mode & MODE_CODE32 ? DECODE_32
                                            : DECODE_16;
    while (s->n < most && s->len < room) {
        struct binsn *bi = &s->ins[s->n];
        unsigned avail = room - s->len < INSN_MAX_LEN ? room - s->len : INSN_MAX_LEN;
        if (decode(host + s->len, avail, mode, &c->feat, &bi->in) != DECODE_OK) {
            return;
        }
        bi->off = (uint16_t)s->len;
        s->len += bi->in.len;
        s->n++;
        if (build_ends(&bi->in)) {
            return;
        }
    }
}

static struct pick build_ask(const struct build *s, unsigned i, bool live)
{
    const struct binsn *bi = &s->ins[i];
    return (struct pick){
        .in = &bi->in, .mode = s->mode, .next = bi->off + bi->in.len, .live = live};
}

static void build_liveness(struct build *s)
{
    bool live = true;
    for (unsigned i = s->n; i-- > 0;) {
        struct pick p = build_ask(s, i, true);
        s->live[i] = live;
        if (build_ends(p.in) || !build_pick(&p) || !(p.what & PICK_PLAIN) ||
            (p.what & PICK_READS)) {
            live = true;
        } else if (p.what & PICK_WRITES) {
            live = false;
        }
    }
}

/* A direct branch at the end leads this far from the block's start. */
static int64_t build_target(const struct build *s, const struct insn *in)
{
    int64_t to = (int64_t)s->len + (int64_t)in->imm;
    return s->mode & MODE_CODE64 ? to : (int32_t)to;
}

/* Can a uterm hold the target?  (Not if 2 GB and the block's own length add up.) */
static bool build_reaches(const struct build *s, const struct insn *in)
{
    return in->o[0].kind != OPND_REL || build_target(s, in) == (int32_t)build_target(s, in);
}

/* The uterm behind `op`: [0] the next instruction, [1] the branch target if `in` has one. */
static void build_term(struct build *s, struct uop *op, const struct insn *in)
{
    struct interp *e = s->c->engine;
    struct uterm *t = (struct uterm *)(void *)(op + 1);
    *t = (struct uterm){.delta = {(int32_t)s->len, 0}, .mask = {0xffffffff, 0xffffffff}};
    s->b->term = t;
    if (in) {
        t->delta[1] = (int32_t)build_target(s, in);
        t->mask[1] = in->osize == 2 ? 0xffff : 0xffffffff;
    }
    for (unsigned w = 0; w < 2; w++) {
        int64_t to = (int64_t)s->page_off + t->delta[w];
        if (to < 0 || to >= (int64_t)PAGE_SIZE) {
            t->link[w] = e->cross;
        }
    }
}

/* Micro-op for instruction i; returns how many instructions it does. */
static unsigned build_uop(struct build *s, unsigned i, struct uop *op, bool *term)
{
    const struct insn *in = &s->ins[i].in;
    struct pick p = build_ask(s, i, s->live[i]);
    bool last = i + 1 == s->n;
    p.u = (struct uop){.n = (uint8_t)i};
    if (build_is_rep(in)) {
        p.u.h = uop_rep;
    } else if (last && build_ends(in)) {
        if (build_reaches(s, in) && pick_branch(&p)) {
            p.u.imm = in->op == OP_call ? s->len : p.u.imm;
            *term = true;
            build_term(s, op, in->o[0].kind == OPND_REL ? in : NULL);
        } else {
            p.u = (struct uop){.n = (uint8_t)i, .h = uop_generic_end};
            *term = true; /* nothing falls through */
            build_term(s, op, NULL);
        }
    } else if (i + 2 == s->n && build_reaches(s, &s->ins[i + 1].in) &&
               pick_fused(&p, &s->ins[i + 1].in)) {
        *term = true;
        build_term(s, op, &s->ins[i + 1].in);
        *op = p.u;
        return 2;
    } else {
        unsigned run = pick_run(&p, &s->ins[i], s->n - i);
        if (run > 1) {
            *op = p.u;
            return run;
        }
        p.u = (struct uop){.n = (uint8_t)i};
        p.ea = -1;
        if (build_pick(&p)) {
            pick_registers(&p);
        } else {
            p.u = (struct uop){.n = (uint8_t)i, .h = uop_slow};
        }
    }
    *op = p.u;
    return 1;
}

static struct block *build_finish(struct build *s, struct cpage *page, const uint8_t *host,
                                  bool check_page)
{
    struct interp *e = s->c->engine;
    build_liveness(s);
    /* at most a micro-op an instruction, the head, the end, the uterm */
    struct block *b = cache_alloc(e, sizeof *b + (s->n + 3) * sizeof(struct uop));
    *b = (struct block){.host = host, .mode = s->mode, .len = (uint16_t)s->len, .n = (uint8_t)s->n,
                        .page = page};
    s->b = b;
    struct uop *op = b->ops;
    bool term = false;
    if (check_page) {
        *op++ = (struct uop){.h = uop_check_page};
    }
    for (unsigned i = 0; i < s->n; op++) {
        i += build_uop(s, i, op, &term);
        op->at = (uint8_t)(op - b->ops);
    }
    if (!term) {
        *op = (struct uop){.h = s->mode & MODE_FLAT_CS ? h_fall : h_fall_seg, .n = (uint8_t)s->n,
                           .at = (uint8_t)(op - b->ops)};
        build_term(s, op, NULL);
    }
    b->insn = cache_alloc(e, s->n * sizeof *b->insn);
    memcpy(b->insn, s->ins, s->n * sizeof *b->insn);
    e->builds++;
    return b;
}

struct block *build_block(struct cpu *c, uint32_t mode, struct cpage *page, const uint8_t *host,
                          unsigned off)
{
    struct build s = {.c = c, .mode = mode, .page_off = off};
    build_decode(&s, host, (unsigned)PAGE_SIZE - off, BLOCK_MAX);
    return s.n ? build_finish(&s, page, host, false) : NULL;
}

struct block *build_crossing(struct cpu *c, uint32_t mode, struct cpage *page, const uint8_t *host,
                             unsigned off, const uint8_t bytes[INSN_MAX_LEN])
{
    struct build s = {.c = c, .mode = mode, .page_off = off};
    build_decode(&s, bytes, INSN_MAX_LEN, 1);
    return s.n ? build_finish(&s, page, host, true) : NULL;
}
