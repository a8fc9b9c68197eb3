/* A whole PC: all that a frontend ever includes (with machine/config.h and machine/debug.h).
 *
 * Threads: every function may be called from any thread; they take the machine's lock.
 * machine_run() holds it in short slices and lets others in between.  Nothing here sleeps. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/plugs/display.h"
#include "base/plugs/input.h"
#include "machine/config.h"

struct machine;

enum machine_stop {
    MACHINE_DEADLINE,     /* virtual time `until` reached */
    MACHINE_IDLE,         /* paced only: the CPU waits; sleep until machine_next_deadline() */
    MACHINE_KICKED,       /* machine_kick() */
    MACHINE_POWERED_OFF,  /* S5 */
    MACHINE_RESET,        /* the guest asked for a reset; call machine_reset() or stop */
    MACHINE_TRIPLE_FAULT, /* machine_why() tells; machine_reset() goes on */
    MACHINE_EXIT,         /* isa-debug-exit: machine_exit_code() */
    MACHINE_HALTED,       /* HLT with nothing that could ever wake it (no timer armed) */
    MACHINE_BREAKPOINT,
    MACHINE_INTERNAL      /* machine_why() */
};

/* Is this kernel image one for Multiboot 1 (and not a Linux bzImage)? */
bool machine_is_multiboot(const void *kernel, size_t len);
struct machine *machine_create(const struct machine_config *cfg, struct err *err);
void machine_destroy(struct machine *m);
void machine_reset(struct machine *m); /* power-on state, same media */
/* Run until virtual time `until`.  Deterministic: HLT jumps to the next deadline.  Paced: virtual
 * time follows machine_post_time(). */
enum machine_stop machine_run(struct machine *m, vtime until);
enum machine_stop machine_step(struct machine *m); /* one instruction or one REP iteration, of
                                                  * the processor whose turn it is */
vtime machine_now(struct machine *m);
vtime machine_next_deadline(struct machine *m);
void machine_kick(struct machine *m); /* make machine_run() return MACHINE_KICKED soon */
int machine_exit_code(struct machine *m);
const char *machine_why(struct machine *m); /* last triple fault or internal error, in words */
uint64_t machine_insns(struct machine *m);  /* retired since creation, by all processors */
unsigned machine_cpus(const struct machine *m);
unsigned machine_turn(struct machine *m); /* the processor that runs, or runs next */
bool machine_deterministic(const struct machine *m);
void machine_lock(struct machine *m); /* recursive; for several calls in one breath */
void machine_unlock(struct machine *m);

/* Host input: queued, handed to the devices at the next slice boundary. */
void machine_post_time(struct machine *m, uint64_t host_ns); /* monotonic, from any origin */
void machine_post_input(struct machine *m, const struct input_event *ev);
/* Bytes for the device behind this chardev; returns how many were taken (the rest: try later). */
size_t machine_post_chars(struct machine *m, struct chardev *chr, const uint8_t *buf, size_t len);
void machine_post_break(struct machine *m, struct chardev *chr);
/* A frame for the card behind this netdev; false: its queue is full, try later.  A frame waits in
 * the queue until the card has room. */
bool machine_post_frame(struct machine *m, struct netdev *net, const uint8_t *frame, size_t len);
void machine_post_link(struct machine *m, struct netdev *net, bool up); /* the cable */
void machine_power_button(struct machine *m); /* ACPI power button */
void machine_sleep_button(struct machine *m);
void machine_nmi(struct machine *m);
/* The medium behind this blockdev was exchanged (fields of *blk changed under machine_lock()). */
void machine_media_changed(struct machine *m, struct blockdev *blk);

/* Screen: both under machine_lock() while the surface is read. */
const struct surface *machine_scan(struct machine *m, struct rect *dirty);
bool machine_text(struct machine *m, char *buf, uint32_t cap, uint32_t *cols, uint32_t *rows);
uint8_t machine_leds(struct machine *m); /* bit 0 scroll, 1 num, 2 caps */

/* All state: the determinism and snapshot oracle. */
uint64_t machine_hash(struct machine *m);
bool machine_save(struct machine *m, FILE *f, struct err *err);
/* A snapshot is hostile input.  When it is refused the machine is as before; when the host cannot
 * read to its end what was whole a moment ago, as after power-on. */
bool machine_load(struct machine *m, FILE *f, struct err *err);
