/* The machine's thread: runs it in slices, paces it to the host, sleeps when it idles, and decides
 * what a stop means. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/plugs/input.h"

struct machine;
struct runner;
struct script;

struct runner_config {
    bool freeze, no_reboot, no_shutdown, triple_reset;
    struct script *script; /* may be NULL */
    /* Before each slice, on the machine's thread: returns when it wants to be called again at the
     * latest.  *waiting: the guest waits for something of the host, so its time should not run
     * ahead while it idles.  May be NULL. */
    vtime (*tick)(void *ctx, vtime now, bool *waiting);
    /* On the machine's thread, after it stopped or went on by itself: reason in words. */
    void (*stopped)(void *ctx, const char *why);
    /* A triple fault or internal error, before anything is reset. */
    void (*fault)(void *ctx, struct machine *m, bool triple);
    /* It is over; runner_status() is the exit status. */
    void (*finished)(void *ctx);
    void *ctx;
};

struct runner_stats {
    double mips;    /* million instructions per second since the last call */
    double percent; /* virtual time per host time */
    bool paused;
};

struct runner *runner_create(struct machine *m, const struct runner_config *cfg, struct err *err);
bool runner_start(struct runner *r, struct err *err);
void runner_quit(struct runner *r, int status); /* from any thread, also a signal thread */
void runner_join(struct runner *r);
void runner_destroy(struct runner *r);
struct machine *runner_machine(struct runner *r);
bool runner_finished(struct runner *r);
int runner_status(struct runner *r);

/* Stop and go; runner_pause() returns when the machine stands still. */
void runner_pause(struct runner *r);
void runner_cont(struct runner *r);
bool runner_paused(struct runner *r);
/* Instructions, one by one; the machine must be paused.  false: it is not. */
bool runner_step(struct runner *r, unsigned count);
void runner_reset(struct runner *r);
/* Something was posted to the machine: end its sleep. */
void runner_wake(struct runner *r);
void runner_key(struct runner *r, uint8_t hid, bool down);
void runner_pointer(struct runner *r, int dx, int dy, int wheel, uint8_t buttons);
/* Keys pressed together, released after hold_ms of virtual time; a later chord waits for the one
 * before.  false: too many wait already. */
bool runner_chord(struct runner *r, const uint8_t *keys, unsigned count, unsigned hold_ms);
void runner_get_stats(struct runner *r, struct runner_stats *st);
/* Somebody beside the display took a machine_scan() and with it the record of what changed: the
 * display draws everything when the count differs from the one it knows. */
void runner_scanned(struct runner *r);
unsigned runner_scans(struct runner *r);
const char *runner_why_paused(struct runner *r);
