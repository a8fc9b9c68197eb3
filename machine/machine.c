/* A machine's life: creation, reset, lock, and what others ask of it. */
#include "machine/machine_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RAM_MIN ((uint64_t)1 << 20)
#define RAM_MAX ((uint64_t)60 << 30) /* 36 address bits less the PCI hole */

void machine_lock(struct machine *m)
{
    if (pthread_mutex_trylock(&m->lock) == 0) {
        return;
    }
    atomic_fetch_add(&m->waiters, 1);
    pthread_mutex_lock(&m->lock);
    atomic_fetch_sub(&m->waiters, 1);
}

void machine_unlock(struct machine *m)
{
    pthread_mutex_unlock(&m->lock);
}

void machine_request(struct machine *m, enum machine_stop what)
{
    if (m->request == MACHINE_DEADLINE) {
        m->request = what;
    }
    if (m->cpus) {
        cpu_resched(machine_cpu(m));
    }
}

static void machine_sooner(void *ctx)
{
    struct machine *m = ctx;
    cpu_resched(machine_cpu(m));
}

void machine_map_changed(void *ctx)
{
    struct machine *m = ctx;
    for (unsigned i = 0; i < m->cpus; i++) {
        cpu_map_changed(m->cpu[i]);
    }
}

void machine_reset_cpus(struct machine *m)
{
    for (unsigned i = 0; i < m->cpus; i++) {
        cpu_reset(m->cpu[i]);
    }
    m->turn = 0;
    m->quantum = SMP_QUANTUM;
}

struct machine *machine_create(const struct machine_config *cfg, struct err *err)
{
    if (cfg->ram_size < RAM_MIN || cfg->ram_size > RAM_MAX || (cfg->ram_size & PAGE_MASK)) {
        err_set(err, EINVAL, "memory of %" PRIu64 " bytes is outside 1 MB to 60 GB", cfg->ram_size);
        return NULL;
    }
    if (cfg->cpus > MACHINE_CPUS || cfg->max_cpus > MACHINE_CPUS || cfg->cores > MACHINE_CPUS ||
        cfg->threads > MACHINE_CPUS) {
        err_set(err, EINVAL, "a machine has 1 to %d processors", MACHINE_CPUS);
        return NULL;
    }
    struct machine *m = calloc(1, sizeof *m);
    if (!m) {
        err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    m->cfg = *cfg;
    m->cfg.cpus = cfg->cpus ? cfg->cpus : 1;
    m->cfg.max_cpus = cfg->max_cpus > m->cfg.cpus ? cfg->max_cpus : m->cfg.cpus;
    m->cfg.cores = cfg->cores ? cfg->cores : 1;
    m->cfg.threads = cfg->threads ? cfg->threads : 1;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    clock_init(&m->clk);
    m->clk.sooner = machine_sooner;
    m->clk.sooner_ctx = m;
    m->deterministic = cfg->deterministic;
    m->ns_per_insn_q32 = (uint64_t)1 << (32 + (cfg->deterministic ? cfg->icount_shift : 2));
    m->clk.ns_per_insn_q32 = m->ns_per_insn_q32;
    m->mem = bus_create("memory", 36);
    m->ports = bus_create("port", 16);
    if (!m->mem || !m->ports) {
        err_set(err, ENOMEM, "out of memory");
        machine_destroy(m);
        return NULL;
    }
    if (!ram_init(&m->ram, cfg->ram_size, err)) {
        machine_destroy(m);
        return NULL;
    }
    for (unsigned i = 0; i < CHAR_PORTS; i++) {
        m->chars[i].chr = cfg->serial[i].chr;
    }
    for (unsigned i = 0; i < MACHINE_NICS; i++) {
        m->nets[i].net = cfg->nic[i].model == MACHINE_NIC_NONE ? NULL : cfg->nic[i].net;
    }
    if (!board_create(m, err)) {
        machine_destroy(m);
        return NULL;
    }
    bus_on_change(m->mem, machine_map_changed, m);
    board_reset(m->board, true);
    machine_reset_cpus(m);
    return m;
}

void machine_destroy(struct machine *m)
{
    if (!m) {
        return;
    }
    if (m->mem) {
        bus_on_change(m->mem, NULL, NULL);
    }
    board_destroy(m->board);
    for (unsigned i = 0; i < m->cpus; i++) {
        cpu_destroy(m->cpu[i]);
    }
    bus_destroy(m->mem);
    bus_destroy(m->ports);
    free(m->linux_keep);
    ram_fini(&m->ram);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void machine_reset(struct machine *m)
{
    machine_lock(m);
    m->request = MACHINE_DEADLINE;
    board_reset(m->board, false);
    machine_reset_cpus(m);
    machine_unlock(m);
}

vtime machine_now(struct machine *m)
{
    machine_lock(m);
    vtime t = clock_now(&m->clk);
    machine_unlock(m);
    return t;
}

vtime machine_next_deadline(struct machine *m)
{
    machine_lock(m);
    vtime t = clock_next(&m->clk);
    machine_unlock(m);
    return t;
}

void machine_kick(struct machine *m)
{
    atomic_store(&m->kicked, true);
    for (unsigned i = 0; i < m->cpus; i++) { /* whichever runs; the others look up once more */
        cpu_kick(m->cpu[i]);
    }
}

int machine_exit_code(struct machine *m)
{
    return m->exit_code;
}

const char *machine_why(struct machine *m)
{
    return m->why;
}

uint64_t machine_insns(struct machine *m)
{
    machine_lock(m);
    uint64_t n = m->insns;
    machine_unlock(m);
    return n;
}

unsigned machine_cpus(const struct machine *m)
{
    return m->cpus;
}

unsigned machine_turn(struct machine *m)
{
    machine_lock(m);
    unsigned n = m->turn;
    machine_unlock(m);
    return n;
}

bool machine_deterministic(const struct machine *m)
{
    return m->deterministic;
}

const struct surface *machine_scan(struct machine *m, struct rect *dirty)
{
    machine_lock(m);
    struct display_source *d = board_display(m->board);
    *dirty = (struct rect){0};
    const struct surface *s = d ? d->scan(d->card, dirty) : NULL;
    machine_unlock(m);
    return s;
}

bool machine_text(struct machine *m, char *buf, uint32_t cap, uint32_t *cols, uint32_t *rows)
{
    machine_lock(m);
    struct display_source *d = board_display(m->board);
    bool ok = d && d->text(d->card, buf, cap, cols, rows);
    machine_unlock(m);
    return ok;
}

uint8_t machine_leds(struct machine *m)
{
    machine_lock(m);
    uint8_t v = board_leds(m->board);
    machine_unlock(m);
    return v;
}
