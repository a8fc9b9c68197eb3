/* High precision event timers: Intel, "IA-PC HPET (High Precision Event Timers) Specification",
 * revision 1.0a, chapter 2.  A 64-bit counter at 100 MHz and three 64-bit comparators, all of them
 * able to be periodic.
 *
 * Nothing counts in here: the counter is a function of when it was started and of now, and each
 * comparator that could be noticed has one deadline.  A comparator matches when it is equal to the
 * counter, not when it is below.
 *
 * Interrupts.  Level: the status bit is the wire.  Edge: the wire stays high from a match on, and
 * each further match gives it a low pulse first; an 8259A forgets an edge whose wire falls before
 * it is acknowledged, so there is no fixed short pulse.
 *
 * An access is 4 or 8 bytes, aligned; others read 0 and write nothing.
 * NOT IMPLEMENTED: FSB (message) interrupts: the capability bit is 0. */
#include "devices/timer/hpet.h"

#include "base/bits.h"
#include "base/log.h"

enum { R_CAPS = 0x00, R_CONFIG = 0x10, R_STATUS = 0x20, R_COUNTER = 0xf0, R_TIMER = 0x100 };
enum { T_CONFIG = 0x00, T_COMPARATOR = 0x08 }; /* in each 20h from R_TIMER on */
enum { ENABLE = 1, LEGACY = 2 };
enum {
    TN_LEVEL = 1 << 1, TN_ENABLE = 1 << 2, TN_PERIODIC = 1 << 3, TN_CAN_PERIODIC = 1 << 4,
    TN_CAN_64 = 1 << 5, TN_VAL_SET = 1 << 6, TN_32 = 1 << 8, TN_ROUTE_SHIFT = 9,
    TN_ROUTE = 31 << TN_ROUTE_SHIFT, TN_WRITABLE = TN_LEVEL | TN_ENABLE | TN_PERIODIC | TN_VAL_SET |
                                                   TN_32 | TN_ROUTE
};
#define CAPS ((uint64_t)HPET_TICK_NS * 1000000 << 32 | HPET_ID) /* femtoseconds a tick */
#define ROUTES ((uint64_t)((1u << HPET_ROUTES) - 1) << HPET_ROUTE)
/* A period may be set to one tick: no two of its interrupts come closer than this. */
#define PERIOD_MIN 100u
#define FAR_TICKS ((uint64_t)1 << 58) /* 91 years: never */

static uint64_t hpet_counter(const struct hpet *h)
{
    return h->count +
           (h->config & ENABLE ? (clock_now(h->clk) - h->since) / HPET_TICK_NS : 0);
}

static bool hpet_in_legacy(const struct hpet *h, unsigned i)
{
    return i < 2 && (h->config & (ENABLE | LEGACY)) == (ENABLE | LEGACY);
}

static bool hpet_output(const struct hpet *h, unsigned i)
{
    const struct hpet_timer *t = &h->t[i];
    if (!(h->config & ENABLE) || !(t->config & TN_ENABLE)) {
        return false;
    }
    return t->config & TN_LEVEL ? h->status >> i & 1 : t->high;
}

/* Put the outputs on the wires they are routed to. */
static void hpet_update(struct hpet *h)
{
    uint32_t level = 0;
    bool irq[2] = {false, false};
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        if (!hpet_output(h, i)) {
            continue;
        }
        if (hpet_in_legacy(h, i)) {
            irq[i] = true;
        } else {
            level |= (uint32_t)1 << (h->t[i].config >> TN_ROUTE_SHIFT & 31);
        }
    }
    irq_set(&h->pins.legacy, hpet_in_legacy(h, 0));
    irq_set(&h->pins.irq0, irq[0]);
    irq_set(&h->pins.irq8, irq[1]);
    for (unsigned r = 0; r < HPET_ROUTES; r++) {
        irq_set(&h->pins.apic[r], level >> (HPET_ROUTE + r) & 1);
    }
}

/* Wait for the next match.  matched: the one at the present count is over. */
static void hpet_arm(struct hpet_timer *t, bool matched)
{
    struct hpet *h = t->hpet;
    if (!(h->config & ENABLE) || !(t->config & (TN_ENABLE | TN_LEVEL | TN_PERIODIC))) {
        vtimer_cancel(&t->timer);
        return;
    }
    vtime now = clock_now(h->clk);
    uint64_t left = t->cmp - hpet_counter(h);
    if (t->config & TN_32) {
        left &= UINT32_MAX;
        if (matched && !left) {
            left = (uint64_t)1 << 32;
        }
    } else if (matched && !left) {
        left = FAR_TICKS;
    }
    if (left >= FAR_TICKS) {
        vtimer_cancel(&t->timer);
        return;
    }
    vtime phase = (now - h->since) % HPET_TICK_NS;
    vtimer_arm(&t->timer, left ? now - phase + left * HPET_TICK_NS : now);
}

static void hpet_match(void *owner, vtime now)
{
    struct hpet_timer *t = owner;
    struct hpet *h = t->hpet;
    unsigned i = (unsigned)(t - h->t);
    (void)now;
    if (t->config & TN_LEVEL) {
        h->status |= (uint8_t)(1u << i);
    } else if (t->config & TN_ENABLE) {
        t->high = false;
        hpet_update(h);
        t->high = true;
    }
    hpet_update(h);
    if (t->config & TN_PERIODIC) {
        uint64_t step = t->period;
        if (step && step < PERIOD_MIN) {
            step = (PERIOD_MIN + step - 1) / step * step;
        }
        t->cmp += step;
        if (t->config & TN_32) {
            t->cmp &= UINT32_MAX;
        }
    }
    hpet_arm(t, true);
}

static uint64_t hpet_timer_caps(const struct hpet_timer *t)
{
    return (t->config & ~(uint32_t)TN_VAL_SET) | TN_CAN_PERIODIC | TN_CAN_64 | ROUTES << 32;
}

static uint64_t hpet_get(const struct hpet *h, unsigned r)
{
    unsigned i = (r - R_TIMER) / 0x20;
    switch (r) {
    case R_CAPS: return CAPS;
    case R_CONFIG: return h->config;
    case R_STATUS: return h->status;
    case R_COUNTER: return hpet_counter(h);
    default: break;
    }
    if (r >= R_TIMER && i < HPET_TIMERS) {
        switch (r & 0x1f) {
        case T_CONFIG: return hpet_timer_caps(&h->t[i]);
        case T_COMPARATOR: return h->t[i].cmp;
        default: break; /* the FSB route */
        }
    }
    return 0;
}

static void hpet_put_config(struct hpet *h, uint8_t v)
{
    bool on = v & ENABLE, was = h->config & ENABLE;
    h->count = hpet_counter(h);
    h->since = clock_now(h->clk);
    h->config = v & (ENABLE | LEGACY);
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        if (!on) {
            h->t[i].high = false;
        }
        if (on != was) {
            hpet_arm(&h->t[i], false);
        }
    }
    hpet_update(h);
}

static void hpet_put_counter(struct hpet *h, uint64_t v)
{
    h->count = v;
    h->since = clock_now(h->clk);
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        hpet_arm(&h->t[i], false);
    }
}

static void hpet_put_timer(struct hpet_timer *t, uint32_t v)
{
    uint32_t old = t->config;
    v &= TN_WRITABLE;
    if (!(ROUTES >> (v >> TN_ROUTE_SHIFT & 31) & 1)) { /* "the value read back will not match" */
        v = (v & ~(uint32_t)TN_ROUTE) | (old & TN_ROUTE);
    }
    t->config = v;
    if (v & TN_32) {
        t->cmp &= UINT32_MAX;
        t->period &= UINT32_MAX;
    }
    if (!(v & TN_ENABLE) || (old ^ v) & (TN_LEVEL | TN_ROUTE)) {
        t->high = false;
    }
    if ((old ^ v) & ~(uint32_t)TN_VAL_SET) {
        hpet_arm(t, !((~old & v) & (TN_ENABLE | TN_LEVEL | TN_PERIODIC)));
    }
    hpet_update(t->hpet);
}

/* "Timer n Comparator Value Register": in periodic mode a write sets the period, and the value of
 * the comparator too when VAL_SET was set just before. */
static void hpet_put_comparator(struct hpet_timer *t, uint64_t v, uint64_t mask)
{
    if (t->config & TN_32) {
        mask &= UINT32_MAX;
    }
    if (t->config & TN_PERIODIC) {
        t->period = (t->period & ~mask) | (v & mask);
    }
    if (!(t->config & TN_PERIODIC) || (t->config & TN_VAL_SET)) {
        t->cmp = (t->cmp & ~mask) | (v & mask);
        hpet_arm(t, false);
    }
    t->config &= ~(uint32_t)TN_VAL_SET;
}

/* Register r, the bits of mask. */
static void hpet_put(struct hpet *h, unsigned r, uint64_t v, uint64_t mask)
{
    unsigned i = (r - R_TIMER) / 0x20;
    switch (r) {
    case R_CONFIG:
        if (mask & 0xff) {
            hpet_put_config(h, (uint8_t)v);
        }
        return;
    case R_STATUS:
        h->status &= (uint8_t)~(v & mask);
        hpet_update(h);
        return;
    case R_COUNTER: hpet_put_counter(h, (hpet_counter(h) & ~mask) | (v & mask)); return;
    default: break;
    }
    if (r >= R_TIMER && i < HPET_TIMERS) {
        if ((r & 0x1f) == T_CONFIG && (mask & 0xff)) {
            hpet_put_timer(&h->t[i], (uint32_t)v);
        } else if ((r & 0x1f) == T_COMPARATOR) {
            hpet_put_comparator(&h->t[i], v, mask);
        }
    }
}

static bool hpet_aligned(uint64_t off, unsigned size)
{
    return (size == 4 || size == 8) && !(off & (size - 1));
}

static uint64_t hpet_read(void *dev, uint64_t off, unsigned size)
{
    if (!hpet_aligned(off, size)) {
        return 0;
    }
    uint64_t v = hpet_get(dev, (unsigned)(off & ~(uint64_t)7));
    return off & 4 ? v >> 32 : size == 4 ? v & UINT32_MAX : v;
}

static void hpet_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct hpet *h = dev;
    if (!hpet_aligned(off, size)) {
        log_msg(LOG_GUEST, h->dev.id, "write of %u bytes at %03x is lost", size, (unsigned)off);
        return;
    }
    unsigned sh = off & 4 ? 32 : 0;
    hpet_put(h, (unsigned)(off & ~(uint64_t)7), val << sh, bits_mask(size * 8) << sh);
}

static void hpet_reset(struct device *dev, enum reset_kind kind)
{
    struct hpet *h = device_of(dev, struct hpet);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    h->config = h->status = 0;
    h->count = 0;
    h->since = 0;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        struct hpet_timer *t = &h->t[i];
        vtimer_cancel(&t->timer);
        t->config = 0;
        t->high = false;
        t->cmp = UINT64_MAX;
        t->period = 0;
    }
    for (unsigned r = 0; r < HPET_ROUTES; r++) {
        h->pins.apic[r].level = false;
    }
    h->pins.irq0.level = h->pins.irq8.level = h->pins.legacy.level = false;
}

static void hpet_drive(struct device *dev)
{
    struct hpet *h = device_of(dev, struct hpet);
    irq_drive(&h->pins.legacy);
    irq_drive(&h->pins.irq0);
    irq_drive(&h->pins.irq8);
    for (unsigned r = 0; r < HPET_ROUTES; r++) {
        irq_drive(&h->pins.apic[r]);
    }
}

static void hpet_snap(struct device *dev, struct snap *s)
{
    struct hpet *h = device_of(dev, struct hpet);
    snap_u8(s, "config", &h->config);
    snap_u8(s, "status", &h->status);
    snap_u64(s, "count", &h->count);
    snap_u64(s, "since", &h->since);
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        struct hpet_timer *t = &h->t[i];
        snap_u32(s, "timer.config", &t->config);
        snap_bool(s, "timer.high", &t->high);
        snap_u64(s, "timer.cmp", &t->cmp);
        snap_u64(s, "timer.period", &t->period);
        snap_timer(s, "timer.deadline", &t->timer);
        t->config &= TN_WRITABLE;
    }
    for (unsigned r = 0; r < HPET_ROUTES; r++) {
        snap_bool(s, "apic", &h->pins.apic[r].level);
    }
    snap_bool(s, "irq0", &h->pins.irq0.level);
    snap_bool(s, "irq8", &h->pins.irq8.level);
    snap_bool(s, "legacy", &h->pins.legacy.level);
}

static void hpet_destroy(struct device *dev)
{
    struct hpet *h = device_of(dev, struct hpet);
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        vtimer_cancel(&h->t[i].timer);
    }
}

static const struct device_class hpet_class = {
    .name = "hpet",
    .snap_version = 1,
    .reset = hpet_reset,
    .drive = hpet_drive,
    .snap = hpet_snap,
    .destroy = hpet_destroy,
};
static const struct region_ops hpet_ops = {hpet_read, hpet_write, 1, 8};

void hpet_init(struct hpet *h, const char *id, struct clock *clk, const struct hpet_pins *pins)
{
    static const char *const name[HPET_TIMERS] = {"hpet.t0", "hpet.t1", "hpet.t2"};
    *h = (struct hpet){
        .dev = {&hpet_class, id},
        .regs = {.name = "hpet.regs",
                 .base = 0xfed00000,
                 .len = 0x400,
                 .priority = 1,
                 .ops = &hpet_ops,
                 .dev = h},
        .clk = clk,
        .pins = *pins,
    };
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        h->t[i].hpet = h;
        vtimer_init(&h->t[i].timer, clk, name[i], hpet_match, &h->t[i]);
    }
    hpet_reset(&h->dev, RESET_POWER_ON);
}
