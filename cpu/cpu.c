/* The public face of the processor: creation, reset, pins, state access, insight.
 * What runs instructions is behind struct cpu_accel. */
#include "cpu/cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"
#include "cpu/interp/engine.h"

static bool cpu_on_code_changed(void *ctx, uint64_t off, uint64_t len)
{
    struct cpu *c = ctx;
    return c->accel == &cpu_accel_interp && interp_code_changed(c, off, len);
}

static void cpu_on_protect(void *ctx, uint64_t off)
{
    struct cpu *c = ctx;
    tlb_protect(c, off == UINT64_MAX ? 0 : (uint64_t)(uintptr_t)(c->env.ram->host + off));
}

struct cpu *cpu_create(const struct cpu_accel *accel, const struct cpu_config *cfg,
                       const struct cpu_env *env, struct err *err)
{
    const struct cpu_model *model = cpuid_model(cfg ? cfg->model : NULL);
    if (!model) {
        err_set(err, EINVAL, "no processor model is called '%s'; -cpu help lists them", cfg->model);
        return NULL;
    }
    struct cpu *c = aligned_alloc(64, (sizeof *c + 63) & ~(size_t)63);
    if (!c) {
        err_set(err, ENOMEM, "no memory for a processor");
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->env = *env;
    c->model = model;
    c->feat = model->feat;
    c->tsc_hz = cfg && cfg->tsc_hz ? cfg->tsc_hz : VTIME_SEC;
    if (cfg && cfg->flags && !cpuid_apply_flags(&c->feat, cfg->flags, err)) {
        free(c);
        return NULL;
    }
    c->shift_af = feat_has(&c->feat, FEAT_AMD) ? 8 : 0;
    c->apic_id = cfg ? cfg->apic_id : 0;
    c->ap = cfg && cfg->ap;
    c->s.rng = cfg ? cfg->seed + cfg->apic_id : 0;
    c->cpus = cfg && cfg->cpus ? cfg->cpus : 1;
    c->cores = cfg && cfg->cores ? cfg->cores : 1;
    c->threads = cfg && cfg->threads ? cfg->threads : 1;
    c->yields = c->cpus > 1;
    c->accel = accel;
    c->tlb_cur = c->tlb[0];
    tlb_flush(c, false);
    if (!accel->open(c, err)) {
        free(c);
        return NULL;
    }
    c->watcher = (struct ram_watcher){
        .code_changed = cpu_on_code_changed, .protect = cpu_on_protect, .ctx = c};
    if (env->ram) {
        ram_watch(env->ram, &c->watcher);
    }
    cpu_reset(c);
    return c;
}

void cpu_destroy(struct cpu *c)
{
    if (!c) {
        return;
    }
    c->accel->close(c);
    if (c->env.ram) {
        for (struct ram_watcher **p = &c->env.ram->watchers; *p; p = &(*p)->next) {
            if (*p == &c->watcher) {
                *p = c->watcher.next;
                break;
            }
        }
    }
    if (c->env.clock && c->env.clock->progress == &c->retired) {
        c->env.clock->progress = NULL;
    }
    free(c);
}

/* Everything that is derived from cpu_state, after it was written from outside. */
static void cpu_derive(struct cpu *c)
{
    flags_set_status(c, (uint32_t)c->s.rflags);
    c->s.rflags |= FL_1;
    c->zero = 0;
    c->inhibit_next = 0;
    c->fault.pending = false;
    c->in_delivery = false;
    c->paused = false;
    c->exit_word = 0;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        seg_update(c, i);
    }
    cpu_mode_update(c);
    tlb_flush(c, false);
    cpu_irq_update(c);
    c->accel->store_state(c);
}

uint64_t cpu_apic_base(const struct cpu *c)
{
    return feat_has(&c->feat, FEAT_APIC) ? c->s.apic_base : 0;
}

static void cpu_tell_apic(struct cpu *c)
{
    if (c->env.apic.base) {
        c->env.apic.base(c->env.apic.ctx, cpu_apic_base(c));
    }
}

void cpu_reset(struct cpu *c)
{
    uint64_t rng = c->s.rng; /* noise does not start again */
    cpu_state_reset(&c->s, c->model->signature);
    c->s.rng = rng;
    if (c->ap) {
        c->s.apic_base &= ~(uint64_t)APIC_BASE_BSP;
        c->s.activity = ACT_WAIT_SIPI;
    }
    if (c->env.clock) { /* TSC 0 now */
        c->s.tsc_offset -= muldiv64(clock_now(c->env.clock), c->tsc_hz, VTIME_SEC);
    }
    c->ignne = false;
    irq_set(&c->env.ferr, false);
    c->fault_count = 0;
    c->error[0] = 0;
    cpu_derive(c);
    cpu_tell_apic(c);
}

void cpu_take_init(struct cpu *c)
{
    uint8_t what = c->s.startup, vector = c->s.sipi_vector;
    uint32_t keep = c->exit_word & EXIT_RESCHED;
    c->s.startup = 0;
    c->s.sipi_vector = 0;
    if (what & STARTUP_INIT) {
        flags_sync(c);
        cpu_state_init(&c->s, c->model->signature);
    }
    if ((what & STARTUP_SIPI) && c->s.activity == ACT_WAIT_SIPI) {
        cpu_state_sipi(&c->s, vector);
    } else if (!(what & STARTUP_INIT)) {
        return;
    }
    cpu_derive(c);
    c->exit_word |= keep | EXIT_MODE;
}

enum cpu_stop cpu_run(struct cpu *c, uint64_t max_insns, uint64_t *done)
{
    uint64_t n = 0;
    c->retired = 0;
    enum cpu_stop stop = c->accel->run(c, max_insns, &n);
    if (done) {
        *done = n;
    }
    return stop;
}

void cpu_irq(struct cpu *c, bool level)
{
    c->intr = level;
    cpu_irq_update(c);
}

void cpu_nmi(struct cpu *c)
{
    c->s.nmi_pending = true;
    cpu_irq_update(c);
}

void cpu_init_pin(struct cpu *c)
{
    c->s.startup = STARTUP_INIT; /* a SIPI from before is forgotten */
    cpu_irq_update(c);
}

void cpu_sipi(struct cpu *c, uint8_t vector)
{
    if (c->s.activity == ACT_WAIT_SIPI || (c->s.startup & STARTUP_INIT)) {
        c->s.startup |= STARTUP_SIPI;
        c->s.sipi_vector = vector;
        cpu_irq_update(c);
    }
}

void cpu_ignne(struct cpu *c)
{
    c->ignne = true;
    irq_set(&c->env.ferr, false);
}

void cpu_kick(struct cpu *c)
{
    __atomic_store_n(&c->kicked, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&c->run_limit, 0, __ATOMIC_SEQ_CST); /* no further block fits */
}

void cpu_resched(struct cpu *c)
{
    c->exit_word |= EXIT_RESCHED;
}

bool cpu_took_pause(struct cpu *c)
{
    bool paused = c->paused;
    c->paused = false;
    return paused;
}

void cpu_map_changed(struct cpu *c)
{
    tlb_flush(c, false);
    c->exit_word |= EXIT_MODE;
    c->accel->map_changed(c);
}

struct cpu_state *cpu_state(struct cpu *c)
{
    c->accel->fetch_state(c);
    return &c->s;
}

void cpu_state_changed(struct cpu *c)
{
    cpu_derive(c);
}

void cpu_set_hooks(struct cpu *c, const struct cpu_hooks *hooks, void *ctx)
{
    c->hooks = hooks;
    c->hooks_ctx = ctx;
    tlb_untag(c); /* the memory hook wants to see every access; translations stay as they are */
}

void cpu_snap(struct cpu *c, struct snap *snap)
{
    c->accel->fetch_state(c);
    if (snap_begin(snap, "cpu", 1)) {
        cpu_state_snap(&c->s, snap);
        snap_bool(snap, "intr_pin", &c->intr);
        snap_bool(snap, "ignne", &c->ignne);
        snap_bool(snap, "ferr_pin", &c->env.ferr.level);
        snap_end(snap);
    }
    if (snap_loading(snap)) {
        cpu_derive(c);
        cpu_tell_apic(c);
    }
}

const uint64_t *cpu_progress(const struct cpu *c)
{
    return &c->retired;
}

bool cpu_lin_to_phys(struct cpu *c, uint64_t lin, uint64_t *phys)
{
    return mmu_probe(c, lin, phys);
}

unsigned cpu_last_faults(const struct cpu *c, struct cpu_fault_record out[8])
{
    unsigned n = c->fault_count < 8 ? c->fault_count : 8;
    for (unsigned i = 0; i < n; i++) {
        out[i] = c->faults[(c->fault_count - n + i) % 8];
    }
    return n;
}

unsigned cpu_last_insns(struct cpu *c, uint64_t out[32])
{
    return c->accel == &cpu_accel_interp ? interp_last_insns(c, out) : 0;
}

const char *cpu_error(const struct cpu *c)
{
    return c->error;
}

const char *cpu_model_name(unsigned i, const char **what)
{
    const struct cpu_model *m = cpuid_models(i);
    if (m && what) {
        *what = m->what;
    }
    return m ? m->name : NULL;
}
