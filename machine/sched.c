/* The loop: run to the next deadline, advance the clock, deliver host input, idle.
 *
 * Several processors take turns on this thread, each for a quantum of instructions or until it
 * waits (HLT, PAUSE).  There is one clock: it goes on with the instructions of whoever runs, so no
 * processor ever sees another's future.  Whose turn it is depends on the machine's state alone:
 * docs/decisions/0010-smp.md.
 *
 * Deterministic: time is counted instructions, HLT jumps to the next deadline.  Paced: time follows
 * the host's, as posted between calls, never backwards: while the guest runs, by the instructions
 * retired at the speed it has been running, a little faster or slower to close the gap; while it is
 * halted, from deadline to deadline. */
#include "machine/machine_int.h"

#include <sched.h>
#include <string.h>

#include "base/bits.h"

#define SLICE_INSNS 4000000u                /* others get at the lock at least this often */
#define NS_PER_INSN_MIN ((uint64_t)1 << 29) /* 1/8 ns: faster than any engine */
#define NS_PER_INSN_MAX ((uint64_t)1 << 42) /* 1 us */

/* Behind the host by more than this, as after a suspended host, time jumps. */
#define LAG_MAX (2 * VTIME_SEC)

static vtime sched_host_now(const struct machine *m)
{
    return m->host_ns - m->host_base;
}

void machine_post_time(struct machine *m, uint64_t host_ns)
{
    machine_lock(m);
    if (m->deterministic) {
        machine_unlock(m);
        return;
    }
    vtime now = clock_now(&m->clk);
    if (!m->have_host_time) {
        m->have_host_time = true;
        m->host_base = host_ns - now;
        m->host_ns = host_ns;
    }
    if (host_ns > m->host_ns && !m->was_idle && m->busy_insns > 1000) {
        unsigned __int128 q = (unsigned __int128)(host_ns - m->host_ns) << 32;
        uint64_t sample = (uint64_t)(q / m->busy_insns);
        sample = sample < NS_PER_INSN_MIN   ? NS_PER_INSN_MIN
                 : sample > NS_PER_INSN_MAX ? NS_PER_INSN_MAX
                                            : sample;
        m->ns_per_insn_q32 = (m->ns_per_insn_q32 * 3 + sample) / 4;
    }
    m->busy_insns = 0;
    m->was_idle = false;
    m->host_ns = host_ns > m->host_ns ? host_ns : m->host_ns;
    vtime host_now = sched_host_now(m);
    if (host_now > now + LAG_MAX) {
        clock_advance(&m->clk, host_now - LAG_MAX / 2);
    } else if (host_now < now) {
        /* ahead of the host: let it catch up by counting less for each instruction, not by waiting
         */
        m->clk.ns_per_insn_q32 = m->ns_per_insn_q32 / 4;
    } else {
        /* Behind: count more for each, up to four times, rather than jump: ticks of the guest's
         * timer that fall into one jump would be one interrupt, and its clocks would drift apart.
         */
        uint64_t lag = host_now - now;
        uint64_t boost = 4 * VTIME_MS + (lag < 12 * VTIME_MS ? lag : 12 * VTIME_MS);
        m->clk.ns_per_insn_q32 = muldiv64(m->ns_per_insn_q32, boost, 4 * VTIME_MS);
    }
    machine_unlock(m);
}

/* ---- turns ---- */

static void sched_next_turn(struct machine *m)
{
    m->turn = (m->turn + 1) % m->cpus;
    m->quantum = SMP_QUANTUM;
}

/* The turn goes on to the next processor that has something to do, if it must.  false: all wait. */
static bool sched_turn(struct machine *m)
{
    if (m->quantum == 0) {
        sched_next_turn(m);
    }
    for (unsigned i = 0; i < m->cpus; i++) {
        if (!cpu_idle(machine_cpu(m))) {
            return true;
        }
        sched_next_turn(m);
    }
    return false; /* and the turn is where it was */
}

/* Does another processor wait for its turn?  That changes at slice boundaries alone: who wakes
 * another one while running ends its own slice (board_irq.c). */
static bool sched_others_wait(const struct machine *m)
{
    for (unsigned i = 0; i < m->cpus; i++) {
        if (i != m->turn && !cpu_idle(m->cpu[i])) {
            return true;
        }
    }
    return false;
}

/* One slice at most n instructions.  Leaves the clock advanced and everything due fired. */
static enum cpu_stop sched_slice(struct machine *m, uint64_t n, vtime end)
{
    struct cpu *cpu = machine_cpu(m);
    uint64_t done = 0;
    bool shared = sched_others_wait(m);
    if (shared && n > m->quantum) {
        n = m->quantum;
    }
    m->clk.slice_end = end;
    m->clk.progress = cpu_progress(cpu);
    enum cpu_stop stop = cpu_run(cpu, n, &done);
    if (shared) { /* alone it needs no quantum, and uses none up */
        m->quantum -= done;
    }
    if (cpu_took_pause(cpu)) {
        m->quantum = 0;
    }
    vtime now =
        m->clk.slice_start + (uint64_t)(((unsigned __int128)done * m->clk.ns_per_insn_q32) >> 32);
    m->clk.slice_end = 0;
    clock_advance(&m->clk, now);
    m->insns += done;
    m->busy_insns += done;
    return stop;
}

static enum machine_stop sched_halted(struct machine *m, vtime until, bool *go_on)
{
    vtime next = clock_next(&m->clk);
    *go_on = false;
    m->was_idle = true;
    if (!m->deterministic) {
        /* one deadline at a time, so that each tick which is late still is an interrupt of its own
         */
        vtime host_now = m->have_host_time ? sched_host_now(m) : clock_now(&m->clk);
        *go_on = next <= host_now;
        clock_advance(&m->clk, *go_on ? next : host_now);
        return MACHINE_IDLE;
    }
    if (next == VTIME_NEVER && until == VTIME_NEVER) {
        return MACHINE_HALTED;
    }
    clock_advance(&m->clk, next < until ? next : until);
    *go_on = true;
    return MACHINE_DEADLINE;
}

static enum machine_stop sched_requested(struct machine *m)
{
    enum machine_stop what = m->request;
    m->request = MACHINE_DEADLINE;
    return what;
}

static enum machine_stop sched_loop(struct machine *m, vtime until)
{
    for (;;) {
        events_deliver(m);
        if (m->request != MACHINE_DEADLINE) {
            return sched_requested(m);
        }
        if (atomic_exchange(&m->kicked, false)) {
            return MACHINE_KICKED;
        }
        vtime now = clock_now(&m->clk);
        if (now >= until) {
            return MACHINE_DEADLINE;
        }
        vtime end = clock_next(&m->clk);
        end = end < until ? end : until;
        uint64_t n = end <= now ? 1 : clock_insns_until(&m->clk, end);
        n = n < 1 ? 1 : n > SLICE_INSNS ? SLICE_INSNS : n;
        bool go_on = true;
        enum machine_stop why = MACHINE_IDLE;
        switch (sched_turn(m) ? sched_slice(m, n, end) : CPU_HALTED) {
        case CPU_BUDGET:
        case CPU_KICKED: break;
        case CPU_HALTED:
            if (m->request == MACHINE_DEADLINE && !sched_turn(m)) {
                why = sched_halted(m, until, &go_on);
            }
            break;
        case CPU_BREAKPOINT: return MACHINE_BREAKPOINT;
        case CPU_TRIPLE_FAULT: machine_explain_triple_fault(m); return MACHINE_TRIPLE_FAULT;
        case CPU_INTERNAL:
            strncpy(m->why, cpu_error(machine_cpu(m)), sizeof m->why - 1);
            return MACHINE_INTERNAL;
        }
        if (!go_on) {
            return why;
        }
        if (atomic_load(&m->waiters)) {
            machine_unlock(m);
            sched_yield();
            machine_lock(m);
        }
    }
}

enum machine_stop machine_run(struct machine *m, vtime until)
{
    machine_lock(m);
    enum machine_stop why = sched_loop(m, until);
    machine_unlock(m);
    return why;
}

enum machine_stop machine_step(struct machine *m)
{
    machine_lock(m);
    enum machine_stop why = MACHINE_BREAKPOINT;
    events_deliver(m);
    switch (sched_turn(m) ? sched_slice(m, 1, clock_next(&m->clk)) : CPU_HALTED) {
    case CPU_TRIPLE_FAULT:
        machine_explain_triple_fault(m);
        why = MACHINE_TRIPLE_FAULT;
        break;
    case CPU_HALTED:
        /* stepping over HLT: time goes on to what will wake it */
        if (!sched_turn(m) && clock_next(&m->clk) != VTIME_NEVER) {
            clock_advance(&m->clk, clock_next(&m->clk));
        }
        break;
    default: break;
    }
    if (m->request != MACHINE_DEADLINE) {
        why = sched_requested(m);
    }
    machine_unlock(m);
    return why;
}
