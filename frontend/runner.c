/* The machine's thread.
 *
 * Paced: host time is posted before each slice, and virtual time follows it; while the machine is
 * stopped the posted time stands still, so the guest never sees a jump.  Deterministic (-icount):
 * host time is never posted and nothing sleeps.  Slices end at the script's next action, so that
 * it happens at its exact virtual time; whatever else ends a slice does not change what the guest
 * sees (house.md 0.2). */
#include "frontend/runner.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "frontend/script.h"
#include "machine/debug.h"
#include "machine/machine.h"

enum { RUNNER_KEYS = 2048 };
#define RUNNER_KEY_GAP (20 * VTIME_MS)
#define RUNNER_SLICE (1 * VTIME_MS)
#define RUNNER_SLICE_ICOUNT (5 * VTIME_MS)

struct runner_stroke { /* of runner_chord(): still to come */
    vtime when;
    uint8_t hid;
    bool down;
};

struct runner {
    struct machine *m;
    struct runner_config cfg;
    pthread_t thread;
    bool started;
    int wake_fd;
    bool deterministic;

    pthread_mutex_t lock; /* protects all below */
    pthread_cond_t cond;
    bool pause_wanted, standing, quit, reset_wanted, finished;
    unsigned steps;
    int status;
    const char *why;
    struct runner_stroke keys[RUNNER_KEYS]; /* ring, in order of time */
    unsigned key_head, key_count;
    vtime keys_end;

    unsigned scans;       /* atomic */
    uint64_t standing_ns; /* host time to leave out of what is posted; machine's thread only */
    uint64_t stat_insns, stat_host;
    vtime stat_now;
};

static uint64_t runner_host_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void runner_wake(struct runner *r)
{
    uint64_t one = 1;
    if (write(r->wake_fd, &one, sizeof one) < 0) {
        return; /* full: it is awake already */
    }
}

static void runner_sleep(struct runner *r, uint64_t ns)
{
    struct pollfd pfd = {.fd = r->wake_fd, .events = POLLIN};
    struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000u),
                          .tv_nsec = (long)(ns % 1000000000u)};
    if (ppoll(&pfd, 1, ns == UINT64_MAX ? NULL : &ts, NULL) > 0) {
        uint64_t v;
        if (read(r->wake_fd, &v, sizeof v) < 0) {
            return;
        }
    }
}

/* ---- what a stop means ----------------------------------------------------------------- */

static void runner_finish(struct runner *r, int status)
{
    pthread_mutex_lock(&r->lock);
    if (!r->quit) {
        r->quit = true;
        r->status = status;
    }
    pthread_mutex_unlock(&r->lock);
}

static void runner_stand(struct runner *r, const char *why)
{
    pthread_mutex_lock(&r->lock);
    r->pause_wanted = true;
    r->why = why;
    pthread_mutex_unlock(&r->lock);
    if (r->cfg.stopped) {
        r->cfg.stopped(r->cfg.ctx, why);
    }
}

static void runner_handle(struct runner *r, enum machine_stop stop)
{
    switch (stop) {
    case MACHINE_POWERED_OFF:
        if (r->cfg.no_shutdown) {
            runner_stand(r, "powered off");
        } else {
            runner_finish(r, 0);
        }
        break;
    case MACHINE_RESET:
        if (r->cfg.no_reboot) {
            if (r->cfg.no_shutdown) {
                runner_stand(r, "reset asked for");
            } else {
                runner_finish(r, 0);
            }
        } else {
            machine_reset(r->m);
        }
        break;
    case MACHINE_TRIPLE_FAULT:
        if (r->cfg.fault) {
            r->cfg.fault(r->cfg.ctx, r->m, true);
        }
        if (r->cfg.triple_reset && !r->cfg.no_reboot) {
            machine_reset(r->m);
        } else if (r->cfg.no_shutdown) {
            runner_stand(r, "triple fault");
        } else {
            runner_finish(r, 2);
        }
        break;
    case MACHINE_INTERNAL:
        if (r->cfg.fault) {
            r->cfg.fault(r->cfg.ctx, r->m, false);
        }
        runner_finish(r, 1);
        break;
    case MACHINE_EXIT:
        runner_finish(r, machine_exit_code(r->m));
        break;
    case MACHINE_BREAKPOINT: runner_stand(r, "breakpoint"); break;
    default: break;
    }
}

/* ---- the loop -------------------------------------------------------------------------- */

/* Strokes that are due; when the next one is. */
static vtime runner_strokes(struct runner *r, vtime now)
{
    for (;;) {
        struct runner_stroke k = {.when = VTIME_NEVER};
        pthread_mutex_lock(&r->lock);
        bool due = r->key_count && (k = r->keys[r->key_head]).when <= now;
        if (due) {
            r->key_head = (r->key_head + 1) % RUNNER_KEYS;
            r->key_count--;
        }
        pthread_mutex_unlock(&r->lock);
        if (!due) {
            return k.when;
        }
        struct input_event ev = {.kind = INPUT_KEY, .key = {.hid = k.hid, .down = k.down}};
        machine_post_input(r->m, &ev);
    }
}

/* Deterministic, and the guest waits for the host's network: what an idle guest jumped ahead of the
 * host is slept, or its time-outs would pass before any answer can come.  What the guest sees does
 * not change by it, but for when the answer comes. */
static void runner_hold(struct runner *r, uint64_t virtual_ns, uint64_t host_ns)
{
    if (virtual_ns > host_ns) {
        runner_sleep(r, virtual_ns - host_ns);
    }
}

static void runner_slice(struct runner *r)
{
    vtime now = machine_now(r->m);
    /* the script first: what it presses goes down in this very slice */
    vtime at = r->cfg.script ? script_run(r->cfg.script, r, now) : VTIME_NEVER;
    vtime next = runner_strokes(r, now);
    next = at < next ? at : next;
    bool waiting = false;
    at = r->cfg.tick ? r->cfg.tick(r->cfg.ctx, now, &waiting) : VTIME_NEVER;
    next = at < next ? at : next;
    vtime until = now + (r->deterministic ? RUNNER_SLICE_ICOUNT : RUNNER_SLICE);
    until = next < until ? next : until;
    if (!r->deterministic) {
        machine_post_time(r->m, runner_host_ns() - r->standing_ns);
    }
    uint64_t from = waiting && r->deterministic ? runner_host_ns() : 0;
    enum machine_stop stop = machine_run(r->m, until > now ? until : now + 1);
    if (from) {
        runner_hold(r, machine_now(r->m) - now, runner_host_ns() - from);
    }
    if (stop == MACHINE_IDLE || stop == MACHINE_HALTED) {
        vtime due = machine_next_deadline(r->m);
        due = next < due ? next : due;
        now = machine_now(r->m);
        if (due == VTIME_NEVER) {
            runner_sleep(r, UINT64_MAX);
        } else if (r->deterministic) {
            /* Halted with nothing armed but a script: let time pass up to its next action. */
            runner_sleep(r, 1000000);
        } else if (due > now) {
            runner_sleep(r, due - now);
        }
    } else if (stop != MACHINE_DEADLINE && stop != MACHINE_KICKED) {
        runner_handle(r, stop);
    }
}

/* Stands until told to go on; single steps happen here. */
static void runner_stand_still(struct runner *r)
{
    uint64_t from = runner_host_ns();
    r->standing = true;
    pthread_cond_broadcast(&r->cond);
    while (r->pause_wanted && !r->quit && !r->reset_wanted) {
        if (r->steps) {
            pthread_mutex_unlock(&r->lock);
            enum machine_stop stop = machine_step(r->m);
            pthread_mutex_lock(&r->lock);
            r->steps--;
            if (stop != MACHINE_DEADLINE && stop != MACHINE_KICKED && stop != MACHINE_BREAKPOINT &&
                stop != MACHINE_IDLE && stop != MACHINE_HALTED) {
                r->steps = 0;
                pthread_mutex_unlock(&r->lock);
                runner_handle(r, stop);
                pthread_mutex_lock(&r->lock);
            }
            if (r->steps == 0) {
                pthread_cond_broadcast(&r->cond);
            }
            continue;
        }
        pthread_cond_wait(&r->cond, &r->lock);
    }
    r->standing = false;
    r->why = NULL;
    pthread_cond_broadcast(&r->cond);
    r->standing_ns += runner_host_ns() - from;
}

static void *runner_main(void *arg)
{
    struct runner *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->quit) {
        if (r->reset_wanted) {
            r->reset_wanted = false;
            pthread_mutex_unlock(&r->lock);
            machine_reset(r->m);
            pthread_mutex_lock(&r->lock);
            continue;
        }
        if (r->pause_wanted) {
            runner_stand_still(r);
            continue;
        }
        pthread_mutex_unlock(&r->lock);
        runner_slice(r);
        pthread_mutex_lock(&r->lock);
    }
    r->finished = true;
    r->standing = true;
    pthread_cond_broadcast(&r->cond);
    pthread_mutex_unlock(&r->lock);
    if (r->cfg.finished) {
        r->cfg.finished(r->cfg.ctx);
    }
    return NULL;
}

/* ---- other threads --------------------------------------------------------------------- */

static void runner_change(struct runner *r)
{
    pthread_cond_broadcast(&r->cond);
    pthread_mutex_unlock(&r->lock);
    machine_kick(r->m);
    runner_wake(r);
}

void runner_quit(struct runner *r, int status)
{
    pthread_mutex_lock(&r->lock);
    if (!r->quit) {
        r->quit = true;
        r->status = status;
    }
    runner_change(r);
}

static bool runner_is_me(const struct runner *r)
{
    return r->started && pthread_equal(pthread_self(), r->thread);
}

void runner_pause(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    if (!r->pause_wanted) {
        r->pause_wanted = true;
        r->why = "paused";
    }
    runner_change(r);
    pthread_mutex_lock(&r->lock);
    while (!r->standing && r->started && !runner_is_me(r)) {
        pthread_cond_wait(&r->cond, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

void runner_cont(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    r->pause_wanted = false;
    runner_change(r);
}

bool runner_paused(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    bool paused = r->pause_wanted;
    pthread_mutex_unlock(&r->lock);
    return paused;
}

const char *runner_why_paused(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    const char *why = r->pause_wanted ? (r->why ? r->why : "paused") : NULL;
    pthread_mutex_unlock(&r->lock);
    return why;
}

bool runner_step(struct runner *r, unsigned count)
{
    pthread_mutex_lock(&r->lock);
    bool ok = r->pause_wanted && r->standing && !r->finished;
    if (ok && count) {
        r->steps = count;
        pthread_cond_broadcast(&r->cond);
        while (r->steps && !r->finished && !runner_is_me(r)) {
            pthread_cond_wait(&r->cond, &r->lock);
        }
    }
    pthread_mutex_unlock(&r->lock);
    return ok;
}

void runner_reset(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    r->reset_wanted = true;
    runner_change(r);
}

void runner_key(struct runner *r, uint8_t hid, bool down)
{
    struct input_event ev = {.kind = INPUT_KEY, .key = {.hid = hid, .down = down}};
    machine_post_input(r->m, &ev);
    runner_wake(r);
}

void runner_pointer(struct runner *r, int dx, int dy, int wheel, uint8_t buttons)
{
    struct input_event ev = {.kind = INPUT_POINTER,
                             .pointer = {.dx = (int16_t)dx, .dy = (int16_t)dy,
                                         .wheel = (int8_t)wheel, .buttons = buttons}};
    machine_post_input(r->m, &ev);
    runner_wake(r);
}

bool runner_chord(struct runner *r, const uint8_t *keys, unsigned count, unsigned hold_ms)
{
    vtime now = machine_now(r->m);
    pthread_mutex_lock(&r->lock);
    bool room = r->key_count + 2 * count <= RUNNER_KEYS;
    vtime down = r->key_count && r->keys_end > now ? r->keys_end : now;
    vtime up = down + hold_ms * VTIME_MS;
    for (unsigned i = 0; room && i < 2 * count; i++) {
        bool press = i < count;
        r->keys[(r->key_head + r->key_count++) % RUNNER_KEYS] = (struct runner_stroke){
            .when = press ? down : up, .hid = keys[press ? i : 2 * count - 1 - i], .down = press};
        r->keys_end = up + RUNNER_KEY_GAP;
    }
    runner_change(r);
    return room;
}

void runner_get_stats(struct runner *r, struct runner_stats *st)
{
    uint64_t host = runner_host_ns(), insns = machine_insns(r->m);
    vtime now = machine_now(r->m);
    double ns = (double)(host - r->stat_host);
    memset(st, 0, sizeof *st);
    if (r->stat_host && ns > 0) {
        st->mips = (double)(insns - r->stat_insns) * 1000.0 / ns;
        st->percent = (double)(now - r->stat_now) * 100.0 / ns;
    }
    r->stat_host = host;
    r->stat_insns = insns;
    r->stat_now = now;
    st->paused = runner_paused(r);
}

void runner_scanned(struct runner *r)
{
    __atomic_add_fetch(&r->scans, 1, __ATOMIC_RELAXED);
}

unsigned runner_scans(struct runner *r)
{
    return __atomic_load_n(&r->scans, __ATOMIC_RELAXED);
}

/* ---- life ------------------------------------------------------------------------------ */

struct machine *runner_machine(struct runner *r)
{
    return r->m;
}

bool runner_finished(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    bool f = r->finished;
    pthread_mutex_unlock(&r->lock);
    return f;
}

int runner_status(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
    int s = r->status;
    pthread_mutex_unlock(&r->lock);
    return s;
}

struct runner *runner_create(struct machine *m, const struct runner_config *cfg, struct err *err)
{
    struct runner *r = calloc(1, sizeof *r);
    if (!r || (r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
        err_set(err, errno, "the machine's thread: %s", strerror(errno));
        free(r);
        return NULL;
    }
    r->m = m;
    r->cfg = *cfg;
    r->deterministic = machine_deterministic(m);
    r->pause_wanted = cfg->freeze;
    r->why = cfg->freeze ? "not started yet (-S): cont starts it" : NULL;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->cond, NULL);
    return r;
}

bool runner_start(struct runner *r, struct err *err)
{
    pthread_mutex_lock(&r->lock);
    int rc = pthread_create(&r->thread, NULL, runner_main, r);
    r->started = rc == 0;
    pthread_mutex_unlock(&r->lock);
    return rc == 0 || err_set(err, rc, "the machine's thread: %s", strerror(rc));
}

void runner_join(struct runner *r)
{
    if (r->started) {
        pthread_join(r->thread, NULL);
        r->started = false;
    }
}

void runner_destroy(struct runner *r)
{
    if (r) {
        runner_join(r);
        close(r->wake_fd);
        pthread_mutex_destroy(&r->lock);
        pthread_cond_destroy(&r->cond);
        free(r);
    }
}
