/* The interpreter's loop: what happens between instructions, and which way the next ones run.
 *
 * One turn of the loop: budget, then events (traps, NMI, INTR), then at least one instruction.
 * Delivering a fault counts as one instruction, so a guest that only faults still uses up time. */
#include <errno.h>
#include <stdlib.h>

#include "cpu/interp/build.h"
#include "cpu/interp/uop.h"

static bool interp_open(struct cpu *c, struct err *err)
{
    struct interp *e = calloc(1, sizeof *e);
    if (!e) {
        return err_set(err, ENOMEM, "no memory for the interpreter");
    }
    if (!cache_open(e)) {
        cache_close(e);
        free(e);
        return err_set(err, ENOMEM, "no memory for the interpreter's blocks");
    }
    c->engine = e;
    return true;
}

static void interp_close(struct cpu *c)
{
    cache_close(c->engine);
    free(c->engine);
    c->engine = NULL;
}

void interp_step_only(struct cpu *c, bool on)
{
    struct interp *e = c->engine;
    e->step_only = on;
}

/* An exception of the instruction at s.rip: into its handler.  false: shut down. */
static bool run_fault(struct cpu *c)
{
    c->inhibit_next = 0;
    c->s.inhibit = 0;
    c->retired++;
    return except_deliver(c);
}

/* Blocks from s.rip until something must be looked at here.  false: the next instruction has to be
 * run by itself (budget, code that no block can hold). */
static bool run_blocks(struct cpu *c)
{
    struct interp *e = c->engine;
    struct block *b = cache_lookup(c);
    if (!b) {
        e->link_from = NULL;
        return false;
    }
    if (e->link_from) {
        cache_patch(e, b);
    }
    if (!(c->mode & (MODE_FLAT_CS | MODE_CODE64)) &&
        c->s.rip + b->len - 1 > c->s.seg[SEG_CS].limit) {
        return false;
    }
    uint64_t limit = __atomic_load_n(&c->run_limit, __ATOMIC_RELAXED);
    if (c->retired + b->n > limit) {
        if (b->twin || c->retired >= limit) {
            return false;
        }
        uop_part(c, b, (unsigned)(limit - c->retired));
        return true;
    }
    c->retired += b->n;
    ring_push(e, c->s.seg[SEG_CS].base + c->s.rip, b->n, c->mode);
    for (const struct uop *op = b->ops; op;) {
        op = op->h(c, op);
    }
    if (!(c->mode & MODE_CODE64)) { /* a flat branch that did not come as far as h_cross */
        c->s.rip = (uint32_t)c->s.rip;
    }
    return true;
}

static enum cpu_stop interp_run(struct cpu *c, uint64_t max, uint64_t *done)
{
    struct interp *e = c->engine;
    enum cpu_stop stop;
    __atomic_store_n(&c->run_limit, max, __ATOMIC_SEQ_CST);
    e->link_from = NULL;
    c->exit_word &= ~(uint32_t)EXIT_RESCHED;
    for (;;) {
        if (c->s.activity == ACT_SHUTDOWN || (c->exit_word & EXIT_SHUTDOWN)) {
            stop = CPU_TRIPLE_FAULT;
            break;
        }
        if (c->retired >= max) {
            stop = CPU_BUDGET;
            break;
        }
        if (__atomic_load_n(&c->kicked, __ATOMIC_SEQ_CST) || (c->exit_word & EXIT_RESCHED)) {
            __atomic_store_n(&c->kicked, 0, __ATOMIC_SEQ_CST);
            c->exit_word &= ~(uint32_t)EXIT_RESCHED;
            stop = CPU_KICKED;
            break;
        }
        c->exit_word &= ~(uint32_t)EXIT_MODE;
        if (c->exit_word && !irq_poll(c)) {
            stop = CPU_TRIPLE_FAULT;
            break;
        }
        if (c->s.activity != ACT_ACTIVE) {
            stop = c->s.activity == ACT_SHUTDOWN ? CPU_TRIPLE_FAULT : CPU_HALTED;
            break;
        }
        c->exit_word &= ~(uint32_t)EXIT_MODE;
        if (!(c->exit_word | c->s.inhibit) && !c->hooks && !e->step_only) {
            e->why = WHY_NEXT;
            if (run_blocks(c)) {
                if (e->why == WHY_FAULT && !run_fault(c)) {
                    stop = CPU_TRIPLE_FAULT;
                    break;
                }
                if (e->why != WHY_STEP) {
                    continue;
                }
            }
        }
        e->link_from = NULL;
        enum step st = interp_step(c);
        if (st == STEP_BREAK) {
            stop = CPU_BREAKPOINT;
            break;
        }
        if (st == STEP_FAULT && !run_fault(c)) {
            stop = CPU_TRIPLE_FAULT;
            break;
        }
    }
    *done = c->retired;
    return stop;
}

static void interp_fetch_state(struct cpu *c)
{
    flags_sync(c);
}

/* Memory may have been changed behind our back as well (a snapshot was loaded). */
static void interp_store_state(struct cpu *c)
{
    cache_flush(c->engine);
}

static void interp_map_changed(struct cpu *c)
{
    cache_map_changed(c->engine);
}

/* The instructions of a ring entry, by their lengths in memory as it is now. */
static unsigned run_expand(struct cpu *c, const struct ring_entry *r, uint64_t out[BLOCK_MAX])
{
    unsigned mode = r->mode & MODE_CODE64   ? DECODE_64
                    : r->mode & MODE_CODE32 ? DECODE_32
                                            : DECODE_16;
    uint64_t lin = r->mode & MODE_CODE64 ? r->lin : (uint32_t)r->lin;
    unsigned n = 0;
    while (n < r->n && n < BLOCK_MAX) {
        uint8_t buf[INSN_MAX_LEN];
        struct insn in;
        uint64_t phys;
        out[n++] = lin;
        for (unsigned i = 0; i < sizeof buf; i++) {
            struct bus_page pg;
            if (!mmu_probe(c, lin + i, &phys)) {
                return n;
            }
            bus_page(c->env.mem, phys, &pg);
            if (!pg.host_r) {
                return n;
            }
            buf[i] = pg.host_r[phys & PAGE_MASK];
        }
        if (decode(buf, sizeof buf, mode, &c->feat, &in) != DECODE_OK) {
            return n;
        }
        lin += in.len;
    }
    return n;
}

unsigned interp_last_insns(struct cpu *c, uint64_t out[32])
{
    struct interp *e = c->engine;
    uint64_t one[BLOCK_MAX];
    unsigned n = 0; /* filled from the end */
    for (unsigned i = 1; i <= RING_SIZE && i <= e->ring_pos && n < 32; i++) {
        unsigned k = run_expand(c, &e->ring[(e->ring_pos - i) % RING_SIZE], one);
        while (k && n < 32) {
            out[31 - n++] = one[--k];
        }
    }
    memmove(out, out + 32 - n, n * sizeof *out);
    return n;
}

const struct cpu_accel cpu_accel_interp = {
    .name = "interp",
    .caps = ACCEL_DETERMINISTIC | ACCEL_SINGLE_STEP | ACCEL_COUNTS_INSNS,
    .open = interp_open,
    .close = interp_close,
    .run = interp_run,
    .fetch_state = interp_fetch_state,
    .store_state = interp_store_state,
    .map_changed = interp_map_changed,
};
