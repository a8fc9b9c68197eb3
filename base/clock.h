/* Virtual time: the only time a guest can see.  Nothing in here reads the host's clock.
 *
 * While a slice runs, the engine publishes the instructions retired so far through *progress, so
 * clock_now() is exact at every moment the guest can look.  Deadlines are vtimers on one queue. */
#pragma once
#include <stdint.h>

typedef uint64_t vtime; /* virtual nanoseconds since power-on */
#define VTIME_NEVER UINT64_MAX
#define VTIME_SEC 1000000000ull
#define VTIME_MS 1000000ull
#define VTIME_US 1000ull

struct vtimer;

struct clock {
    vtime slice_start;                   /* the time at which *progress was 0 */
    const uint64_t *progress;            /* instructions retired since; NULL: nobody runs */
    uint64_t ns_per_insn_q32;            /* ns per instruction, 32.32 fixed point */
    vtime slice_end;                     /* a timer armed before this calls sooner() */
    void (*sooner)(void *ctx);           /* shorten the running slice; may be NULL */
    void *sooner_ctx;
    struct vtimer *head;                 /* earliest first */
    uint64_t next_order;
};

struct vtimer {
    const char *name; /* shown by traces and snapshots: "pit0.ch0" */
    void (*fire)(void *owner, vtime now);
    void *owner;
    struct clock *clock;
    vtime when;     /* VTIME_NEVER when idle */
    uint64_t order; /* arming order: ties fire oldest first */
    struct vtimer *next;
};

void clock_init(struct clock *clk);
vtime clock_now(const struct clock *clk);
vtime clock_next(const struct clock *clk); /* earliest deadline, VTIME_NEVER if none */
/* Move time to `to` (never backwards), firing everything due in order; clock_now() inside fire()
 * is the timer's own deadline.  Ends with progress taken as 0: callers zero their counter. */
void clock_advance(struct clock *clk, vtime to);
/* Instructions until `when` is reached at the present ratio, rounded up, counted from slice start.
 */
uint64_t clock_insns_until(const struct clock *clk, vtime when);

void vtimer_init(struct vtimer *t, struct clock *clk, const char *name,
                 void (*fire)(void *owner, vtime now), void *owner);
void vtimer_arm(struct vtimer *t, vtime when); /* absolute; VTIME_NEVER cancels; rearms if armed */
void vtimer_cancel(struct vtimer *t);
/* Snapshot load: put back a deadline with the order it had. */
void vtimer_restore(struct vtimer *t, vtime when, uint64_t order);
