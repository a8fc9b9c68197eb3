/* Handlers that are not fast: the slow twin of every fast one, instructions without a fast form,
 * and the seams between blocks.  All of them run the instruction's generic executor on the saved
 * struct insn, so there is one meaning. */
#include "base/log.h"
#include "cpu/interp/uop.h"

bool interp_is_tail_threaded(void)
{
    return UOP_TAIL;
}

static bool slow_exec(struct cpu *c, const struct insn *in)
{
    op_fn *fn = exec_table[in->op];
    if (UNLIKELY(!fn)) {
        log_msg(LOG_UNIMP, "cpu", "%s is not implemented", op_name(in->op));
        return FAULT_UD(c);
    }
    return fn(c, in);
}

/* The last block was not run to its end: only k instructions of it were. */
static void slow_ring(struct cpu *c, unsigned k)
{
    struct interp *e = c->engine;
    e->ring[(e->ring_pos - 1) % RING_SIZE].n = (uint16_t)k;
}

/* Instruction n of b, generically, with everything that it may look at in place: s.rip, next_rip,
 * retired.  false: leave the block (s.rip and retired are exact, interp.why is set). */
static bool slow_one(struct cpu *c, const struct block *b, unsigned n)
{
    const struct binsn *bi = &b->insn[n];
    uint64_t start = c->s.rip;
    unsigned left = b->n - n;
    c->retired -= left;
    c->s.rip = start + bi->off;
    c->next_rip = c->s.rip + bi->in.len;
    if (!(b->mode & MODE_CODE64)) {
        c->next_rip = (uint32_t)c->next_rip;
    }
    if (UNLIKELY(!slow_exec(c, &bi->in))) {
        ((struct interp *)c->engine)->why = WHY_FAULT;
        slow_ring(c, n);
        return false;
    }
    if (UNLIKELY(c->exit_word | c->inhibit_next)) {
        c->retired++;
        c->s.rip = c->next_rip;
        c->s.inhibit = c->inhibit_next;
        c->inhibit_next = 0;
        slow_ring(c, n + 1);
        return false;
    }
    c->retired += left;
    c->s.rip = start;
    return true;
}

void uop_part(struct cpu *c, const struct block *b, unsigned k)
{
    uint64_t start = c->s.rip;
    ring_push(c->engine, c->s.seg[SEG_CS].base + start, k, c->mode);
    c->retired += b->n;
    for (unsigned i = 0; i < k; i++) {
        if (!slow_one(c, b, i)) {
            return;
        }
    }
    c->retired -= b->n - k;
    c->s.rip = start + b->insn[k].off;
}

HANDLER(uop_slow)
{
    if (!slow_one(c, uop_block(op), op->n)) {
        LEAVE;
    }
    NEXT;
}

HANDLER(uop_run)
{
    const struct block *b = uop_block(op);
    for (unsigned i = 0; i < op->x; i++) {
        if (!slow_one(c, b, op->n + i)) {
            LEAVE;
        }
    }
    NEXT;
}

static bool slow_last(struct cpu *c, const struct block *b, unsigned n)
{
    const struct binsn *bi = &b->insn[n];
    c->retired -= 1;
    c->s.rip += bi->off;
    c->next_rip = c->s.rip + bi->in.len;
    if (!(b->mode & MODE_CODE64)) {
        c->next_rip = (uint32_t)c->next_rip;
    }
    if (UNLIKELY(!slow_exec(c, &bi->in))) {
        ((struct interp *)c->engine)->why = WHY_FAULT;
        slow_ring(c, n);
        return false;
    }
    c->retired += 1;
    c->s.rip = c->next_rip;
    c->s.inhibit = c->inhibit_next;
    c->inhibit_next = 0;
    return !(c->exit_word | c->s.inhibit | c->s.activity); /* HLT stops here */
}

/* Whatever the instruction changed, the jump cache knows whether a block still fits: its key has
 * the mode and the epoch of the mapping. */
#define GO_ANYWHERE                                                                               \
    do {                                                                                          \
        struct block *any_ = jc_find(c, c->engine);                                               \
        if (!any_) {                                                                              \
            LEAVE;                                                                                \
        }                                                                                         \
        if (c->mode & MODE_FLAT_CS) {                                                             \
            ENTER(any_);                                                                          \
        }                                                                                         \
        ENTER_SEG(any_);                                                                          \
    } while (0)

HANDLER(uop_generic_end)
{
    if (!slow_last(c, uop_block(op), op->n)) {
        LEAVE;
    }
    GO_ANYWHERE;
}

HANDLER(uop_slow2)
{
    const struct block *b = uop_block(op);
    if (!slow_one(c, b, op->n) || !slow_last(c, b, op->n + 1u)) {
        LEAVE;
    }
    GO_ANYWHERE;
}

/* The block holds as long as the second page is where it was when the block was made. */
HANDLER(uop_check_page)
{
    struct interp *e = c->engine;
    const struct block *b = uop_block(op);
    uint64_t lin = interp_lin(c, c->s.rip) + b->len - 1;
    const struct ct_entry *t = interp_code(c, c->mode & MODE_CODE64 ? lin : (uint32_t)lin);
    if (UNLIKELY(!t || t->page.host_r != b->twin->host)) {
        c->fault.pending = false; /* it comes again where it belongs */
        c->retired -= b->n;
        e->ring_pos--;
        e->why = WHY_STEP;
        LEAVE;
    }
    NEXT;
}

const struct uop *uop_unlinked(struct cpu *c, const struct uop *op, unsigned which)
{
    struct interp *e = c->engine;
    e->link_from = uop_block(op);
    e->link_which = which;
    LEAVE;
}

HANDLER(h_cross)
{
    if (!(c->mode & MODE_CODE64)) { /* go_flat() does not */
        c->s.rip = (uint32_t)c->s.rip;
    }
    struct block *b = jc_find(c, c->engine);
    (void)op;
    if (UNLIKELY(!b)) {
        LEAVE;
    }
    if (UNLIKELY(!(c->mode & MODE_FLAT_CS))) {
        ENTER_SEG(b);
    }
    ENTER(b);
}

HANDLER(h_fall)
{
    c->s.rip += (uint64_t)(int64_t)((const struct uterm *)(op + 1))->delta[0];
    GO_LINK(0);
}

HANDLER(h_fall_seg)
{
    c->s.rip = (uint32_t)(c->s.rip + (uint32_t)((const struct uterm *)(op + 1))->delta[0]);
    GO_LINK_SEG(0);
}
