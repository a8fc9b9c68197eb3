/* Virtual clock and deadline queue.  A sorted list: a PC has some twenty timers. */
#include "base/clock.h"

#include "base/bits.h"

void clock_init(struct clock *clk)
{
    *clk = (struct clock){.ns_per_insn_q32 = (uint64_t)1 << 32, .slice_end = 0};
}

vtime clock_now(const struct clock *clk)
{
    if (!clk->progress) {
        return clk->slice_start;
    }
    return clk->slice_start +
           (uint64_t)(((unsigned __int128)*clk->progress * clk->ns_per_insn_q32) >> 32);
}

vtime clock_next(const struct clock *clk)
{
    return clk->head ? clk->head->when : VTIME_NEVER;
}

uint64_t clock_insns_until(const struct clock *clk, vtime when)
{
    if (when <= clk->slice_start) {
        return 0;
    }
    unsigned __int128 n = ((unsigned __int128)(when - clk->slice_start) << 32);
    n = (n + clk->ns_per_insn_q32 - 1) / clk->ns_per_insn_q32;
    return n > UINT64_MAX ? UINT64_MAX : (uint64_t)n;
}

void clock_advance(struct clock *clk, vtime to)
{
    clk->progress = NULL;
    while (clk->head && clk->head->when <= to) {
        struct vtimer *t = clk->head;
        clk->head = t->next;
        t->next = NULL;
        if (t->when > clk->slice_start) {
            clk->slice_start = t->when;
        }
        vtime when = clk->slice_start;
        t->when = VTIME_NEVER;
        t->fire(t->owner, when);
    }
    if (to > clk->slice_start) {
        clk->slice_start = to;
    }
}

void vtimer_init(struct vtimer *t, struct clock *clk, const char *name,
                 void (*fire)(void *owner, vtime now), void *owner)
{
    *t = (struct vtimer){.name = name, .fire = fire, .owner = owner, .clock = clk,
                         .when = VTIME_NEVER};
}

void vtimer_cancel(struct vtimer *t)
{
    if (t->when == VTIME_NEVER) {
        return;
    }
    for (struct vtimer **p = &t->clock->head; *p; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    t->next = NULL;
    t->when = VTIME_NEVER;
}

/* Insert by (when, order): used by vtimer_arm and by snapshot load, which brings its own order. */
static void vtimer_insert(struct vtimer *t)
{
    struct vtimer **p = &t->clock->head;
    while (*p && ((*p)->when < t->when || ((*p)->when == t->when && (*p)->order < t->order))) {
        p = &(*p)->next;
    }
    t->next = *p;
    *p = t;
}

void vtimer_arm(struct vtimer *t, vtime when)
{
    vtimer_cancel(t);
    if (when == VTIME_NEVER) {
        return;
    }
    struct clock *clk = t->clock;
    t->when = when;
    t->order = clk->next_order++;
    vtimer_insert(t);
    if (when < clk->slice_end && clk->sooner) {
        clk->sooner(clk->sooner_ctx);
    }
}

void vtimer_restore(struct vtimer *t, vtime when, uint64_t order)
{
    vtimer_cancel(t);
    if (when == VTIME_NEVER) {
        return;
    }
    t->when = when;
    t->order = order;
    vtimer_insert(t);
}
