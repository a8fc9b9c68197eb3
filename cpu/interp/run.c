/* The interpreter's loop: what happens between instructions, and which way the next ones run.
 *
 * One turn of the loop: budget, then events (traps, NMI, INTR), then at least one instruction.
 * Delivering a fault counts as one instruction, so a guest that only faults still uses up time. */
#include <errno.h>
#include <stdlib.h>

#include "base/os.h"
#include "cpu/interp/engine.h"

static bool interp_open(struct cpu *c, struct err *err)
{
    struct interp *e = calloc(1, sizeof *e);
    if (!e) {
        return err_set(err, ENOMEM, "no memory for the interpreter");
    }
    c->engine = e;
    return true;
}

static void interp_close(struct cpu *c)
{
    free(c->engine);
    c->engine = NULL;
}

void interp_code_changed(struct cpu *c, uint64_t off, uint64_t len)
{
    (void)c;
    (void)off;
    (void)len;
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

static enum cpu_stop interp_run(struct cpu *c, uint64_t max, uint64_t *done)
{
    enum cpu_stop stop;
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

static void interp_store_state(struct cpu *c)
{
    (void)c;
}

static void interp_map_changed(struct cpu *c)
{
    struct interp *e = c->engine;
    for (unsigned i = 0; i < CT_SIZE; i++) {
        e->ct[i].valid = false;
    }
}

unsigned interp_last_insns(struct cpu *c, uint64_t out[32])
{
    struct interp *e = c->engine;
    uint64_t back[32];
    unsigned n = 0;
    for (unsigned i = 1; i <= RING_SIZE && i <= e->ring_pos && n < 32; i++) {
        const struct ring_entry *r = &e->ring[(e->ring_pos - i) % RING_SIZE];
        if (r->n) {
            back[n++] = r->lin;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        out[i] = back[n - 1 - i];
    }
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
