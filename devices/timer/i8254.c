/* Programmable interval timer: Intel 8254 (datasheet 231164, "Operational Description", "Mode
 * Definitions", "Read-Back Command").  CLK0-2 = 1.193182 MHz.
 *
 * Nothing counts in here.  A channel remembers the tick at which its counting element was loaded;
 * OUT and the count are functions of that tick and of now.  A count written at tick t is loaded by
 * the next clock, t + 1.
 *
 *   mode            OUT after control  OUT while counting (e = clocks since the load, n = count)
 *   0 event         low                low, high from e = n on
 *   1 one-shot      high               low from the load to e = n (started by GATE)
 *   2 rate          high               low while e mod n = n - 1
 *   3 square wave   high               high for (n + 1) / 2, low for n / 2
 *   4, 5 strobe     high               low for the one clock e = n (5: started by GATE)
 *
 * A count of 1 is illegal in modes 2 and 3: OUT stays high.
 * NOT IMPLEMENTED: nothing known. */
#include "devices/timer/i8254.h"

#include "base/bits.h"

enum { RW_LOW = 1, RW_HIGH = 2, RW_BOTH = 3 };

uint64_t i8254_ticks(const struct clock *clk)
{
    return muldiv64(clock_now(clk), I8254_HZ, VTIME_SEC);
}

static vtime i8254_time_of(int64_t tick)
{
    return tick <= 0 ? 0 : muldiv64_up((uint64_t)tick, VTIME_SEC, I8254_HZ);
}

static unsigned i8254_mode(const struct i8254_channel *c)
{
    unsigned m = c->control >> 1 & 7;
    return m > 5 ? m & 3 : m;
}

static unsigned i8254_rw(const struct i8254_channel *c)
{
    return c->control >> 4 & 3;
}

static bool i8254_periodic(const struct i8254_channel *c)
{
    return (i8254_mode(c) & 2) != 0;
}

static bool i8254_gate_starts(const struct i8254_channel *c)
{
    return i8254_mode(c) == 1 || i8254_mode(c) == 5;
}

static int64_t i8254_mod(const struct i8254_channel *c)
{
    return c->control & 1 ? 10000 : 65536;
}

/* Clocks since the load; negative before it. */
static int64_t i8254_elapsed(const struct i8254_channel *c, int64_t t)
{
    return c->held ? c->elapsed : t - c->start;
}

/* A new count of modes 2 and 3 comes into force at the end of the (half) cycle. */
static void i8254_sync(struct i8254_channel *c, int64_t t)
{
    if (!c->pending || c->held || t < c->pending_at) {
        return;
    }
    int64_t e = c->pending_at - c->start;
    bool into_low = i8254_mode(c) == 3 && e > 0 && e % c->n == (c->n + 1) / 2 && c->n > 1;
    c->n = c->cr;
    c->start = c->pending_at - (into_low ? (int64_t)(c->n + 1) / 2 : 0);
    c->pending = false;
}

static bool i8254_level(const struct i8254_channel *c, int64_t t)
{
    int64_t e = i8254_elapsed(c, t), n = c->n;
    unsigned mode = i8254_mode(c);
    if (!c->loaded || (i8254_gate_starts(c) && !c->triggered)) {
        return mode != 0;
    }
    switch (mode) {
    case 0: return e >= n;
    case 1: return e < 0 || e >= n;
    case 2: return c->held || e < 0 || n < 2 || e % n != n - 1;
    case 3: return c->held || e < 0 || e % n < (n + 1) / 2;
    default: return e != n;
    }
}

/* The tick after t at which OUT may change next; INT64_MAX: not by itself. */
static int64_t i8254_next(const struct i8254_channel *c, int64_t t)
{
    int64_t e = i8254_elapsed(c, t), n = c->n, next = INT64_MAX;
    if (!c->loaded || c->held || (i8254_gate_starts(c) && !c->triggered)) {
        return INT64_MAX;
    }
    if (e < 0) {
        next = c->start;
    } else {
        switch (i8254_mode(c)) {
        case 0:
        case 1:
            if (e < n) {
                next = t + (n - e);
            }
            break;
        case 2:
            if (n > 1) {
                next = e % n < n - 1 ? t + (n - 1 - e % n) : t + 1;
            }
            break;
        case 3:
            if (n > 1) {
                int64_t high = (n + 1) / 2;
                next = e % n < high ? t + (high - e % n) : t + (n - e % n);
            }
            break;
        default:
            if (e <= n) {
                next = e < n ? t + (n - e) : t + 1;
            }
            break;
        }
    }
    if (c->pending && c->pending_at > t && c->pending_at < next) {
        next = c->pending_at;
    }
    return next;
}

/* The counting element, in binary. */
static uint32_t i8254_count(const struct i8254_channel *c, int64_t t)
{
    int64_t e = i8254_elapsed(c, t), n = c->n, mod = i8254_mod(c);
    if (!c->loaded || (i8254_gate_starts(c) && !c->triggered)) {
        return c->frozen;
    }
    if (e < 0) {
        /* The next clock loads the count.  A port access on a real bus takes longer than that
         * clock, so no program there sees the old count (Linux's quick TSC calibration relies on
         * it). */
        return (uint32_t)n;
    }
    int64_t v;
    switch (i8254_mode(c)) {
    case 2: v = n - e % n; break;
    case 3: {
        int64_t high = (n + 1) / 2, p = e % n;
        v = (n & ~(int64_t)1) - 2 * (p < high ? p : p - high);
        break;
    }
    default: v = (n - e) % mod; break;
    }
    return (uint32_t)((v % mod + mod) % mod);
}

static bool i8254_null(const struct i8254_channel *c, int64_t t)
{
    return !c->loaded || c->pending || (i8254_gate_starts(c) && !c->triggered) ||
           i8254_elapsed(c, t) < 0 || c->n != c->cr;
}

static uint16_t i8254_encode(const struct i8254_channel *c, uint32_t v)
{
    if (!(c->control & 1)) {
        return (uint16_t)v;
    }
    v %= 10000;
    return (uint16_t)(v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 << 12);
}

static uint32_t i8254_decode(const struct i8254_channel *c, uint16_t v)
{
    uint32_t n = v;
    if (c->control & 1) {
        n = ((v >> 12) * 1000u + (v >> 8 & 15) * 100u + (v >> 4 & 15) * 10u + (v & 15)) % 10000;
    }
    return n ? n : (uint32_t)i8254_mod(c);
}

/* Put OUT on the wire and wait for its next change. */
static void i8254_update(struct i8254 *p, unsigned i)
{
    struct i8254_channel *c = &p->ch[i];
    int64_t t = (int64_t)i8254_ticks(p->clk);
    i8254_sync(c, t);
    if (!p->out[i].set) {
        return;
    }
    irq_set(&p->out[i], i8254_level(c, t));
    int64_t next = i8254_next(c, t);
    vtimer_arm(&p->timer[i], next == INT64_MAX ? VTIME_NEVER : i8254_time_of(next));
}

static void i8254_load(struct i8254_channel *c, int64_t t)
{
    c->frozen = i8254_count(c, t);
    c->n = c->cr;
    c->start = t + 1;
    c->pending = false;
    c->held = false;
    if (!c->gate && !i8254_gate_starts(c)) {
        c->held = true; /* loaded by the next clock, but does not count */
        c->elapsed = 0;
    }
}

static void i8254_write_count(struct i8254_channel *c, uint16_t val, int64_t t)
{
    bool counting = c->loaded;
    c->cr = i8254_decode(c, val);
    if (i8254_gate_starts(c)) {
        c->loaded = true; /* waits for the trigger; a running one-shot goes on with its own n */
        return;
    }
    if (i8254_periodic(c) && counting && !c->held && c->n) {
        if (!c->pending) {
            int64_t e = i8254_elapsed(c, t), n = c->n;
            if (e < 0) {
                c->n = c->cr; /* the first count has not been loaded yet */
                return;
            }
            int64_t p = e % n, half = (n + 1) / 2;
            int64_t left = i8254_mode(c) == 3 && n > 1 && p < half ? half - p : n - p;
            c->pending_at = t + left;
            c->pending = true;
        }
        return;
    }
    i8254_load(c, t);
    c->loaded = true;
}

static void i8254_write_data(struct i8254_channel *c, uint8_t val, int64_t t)
{
    switch (i8254_rw(c)) {
    case RW_LOW: i8254_write_count(c, val, t); break;
    case RW_HIGH: i8254_write_count(c, (uint16_t)(val << 8), t); break;
    default:
        if (!c->write_high) {
            c->low = val;
            c->write_high = true;
            if (i8254_mode(c) == 0) { /* the first byte stops counting and sets OUT low */
                c->frozen = i8254_count(c, t);
                c->loaded = false;
            }
        } else {
            c->write_high = false;
            i8254_write_count(c, (uint16_t)(val << 8 | c->low), t);
        }
        break;
    }
}

static void i8254_latch_count(struct i8254_channel *c, int64_t t)
{
    if (!c->count_latched) {
        c->latch = i8254_encode(c, i8254_count(c, t));
        c->count_latched = true;
    }
}

static void i8254_latch_status(struct i8254_channel *c, int64_t t)
{
    if (!c->status_latched) {
        c->status = (uint8_t)(i8254_level(c, t) << 7 | i8254_null(c, t) << 6 | (c->control & 0x3f));
        c->status_latched = true;
    }
}

static void i8254_write_control(struct i8254 *p, uint8_t val, int64_t t)
{
    unsigned sel = val >> 6;
    if (sel == 3) { /* read-back: D5 = 0 latches counts, D4 = 0 status; D3-D1 choose channels */
        for (unsigned i = 0; i < 3; i++) {
            if (val >> (i + 1) & 1) {
                i8254_sync(&p->ch[i], t);
                if (!(val & 0x20)) {
                    i8254_latch_count(&p->ch[i], t);
                }
                if (!(val & 0x10)) {
                    i8254_latch_status(&p->ch[i], t);
                }
            }
        }
        return;
    }
    struct i8254_channel *c = &p->ch[sel];
    i8254_sync(c, t);
    if (!(val & 0x30)) {
        i8254_latch_count(c, t);
        return;
    }
    c->frozen = i8254_count(c, t);
    c->control = val & 0x3f;
    c->loaded = c->triggered = c->held = c->pending = false;
    c->write_high = c->read_high = c->count_latched = c->status_latched = false;
    i8254_update(p, sel);
}

static void i8254_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8254 *p = dev;
    int64_t t = (int64_t)i8254_ticks(p->clk);
    (void)size;
    if (off >= 3) {
        i8254_write_control(p, (uint8_t)val, t);
        return;
    }
    i8254_sync(&p->ch[off], t);
    i8254_write_data(&p->ch[off], (uint8_t)val, t);
    i8254_update(p, (unsigned)off);
}

static uint64_t i8254_read(void *dev, uint64_t off, unsigned size)
{
    struct i8254 *p = dev;
    int64_t t = (int64_t)i8254_ticks(p->clk);
    (void)size;
    if (off >= 3) { /* the control word register cannot be read */
        return 0xff;
    }
    struct i8254_channel *c = &p->ch[off];
    i8254_sync(c, t);
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    uint16_t v = c->count_latched ? c->latch : i8254_encode(c, i8254_count(c, t));
    bool high = i8254_rw(c) == RW_HIGH;
    if (i8254_rw(c) == RW_BOTH) {
        high = c->read_high;
        c->read_high = !c->read_high;
        if (high) {
            c->count_latched = false;
        }
    } else {
        c->count_latched = false;
    }
    return high ? v >> 8 : v & 0xff;
}

void i8254_set_gate(struct i8254 *p, unsigned i, bool level)
{
    if (i > 2 || p->ch[i].gate == level) {
        return;
    }
    struct i8254_channel *c = &p->ch[i];
    int64_t t = (int64_t)i8254_ticks(p->clk);
    i8254_sync(c, t);
    c->gate = level;
    if (c->loaded) {
        if (i8254_gate_starts(c)) {
            if (level) {
                c->frozen = i8254_count(c, t);
                c->n = c->cr;
                c->start = t + 1;
                c->triggered = true;
            }
        } else if (!level) {
            int64_t e = i8254_elapsed(c, t);
            c->elapsed = e < 0 ? 0 : e;
            c->held = true;
        } else if (i8254_periodic(c)) {
            i8254_load(c, t);
        } else {
            c->start = t - c->elapsed;
            c->held = false;
        }
    }
    i8254_update(p, i);
}

bool i8254_out(struct i8254 *p, unsigned i)
{
    int64_t t = (int64_t)i8254_ticks(p->clk);
    i8254_sync(&p->ch[i], t);
    return i8254_level(&p->ch[i], t);
}

static void i8254_fire0(void *owner, vtime now)
{
    (void)now;
    i8254_update(owner, 0);
}
static void i8254_fire1(void *owner, vtime now)
{
    (void)now;
    i8254_update(owner, 1);
}
static void i8254_fire2(void *owner, vtime now)
{
    (void)now;
    i8254_update(owner, 2);
}

static void i8254_reset(struct device *dev, enum reset_kind kind)
{
    struct i8254 *p = device_of(dev, struct i8254);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    /* The 8254 has no reset pin and wakes up undefined: here idle, in mode 3, OUT high. */
    for (unsigned i = 0; i < 3; i++) {
        vtimer_cancel(&p->timer[i]);
        p->ch[i] = (struct i8254_channel){.control = 0x36, .gate = i != 2, .cr = 65536, .n = 65536};
        p->out[i].level = true;
    }
}

static void i8254_drive(struct device *dev)
{
    struct i8254 *p = device_of(dev, struct i8254);
    for (unsigned i = 0; i < 3; i++) {
        irq_drive(&p->out[i]);
    }
}

static void i8254_snap(struct device *dev, struct snap *s)
{
    struct i8254 *p = device_of(dev, struct i8254);
    for (unsigned i = 0; i < 3; i++) {
        struct i8254_channel *c = &p->ch[i];
        i8254_sync(c, (int64_t)i8254_ticks(p->clk)); /* one form of the same state */
        uint64_t start = (uint64_t)c->start, at = c->pending ? (uint64_t)c->pending_at : 0,
                 elapsed = c->held ? (uint64_t)c->elapsed : 0;
        snap_u8(s, "control", &c->control);
        snap_u8(s, "low", &c->low);
        snap_bool(s, "write_high", &c->write_high);
        snap_bool(s, "read_high", &c->read_high);
        snap_bool(s, "gate", &c->gate);
        snap_bool(s, "loaded", &c->loaded);
        snap_bool(s, "triggered", &c->triggered);
        snap_bool(s, "held", &c->held);
        snap_bool(s, "pending", &c->pending);
        snap_bool(s, "count_latched", &c->count_latched);
        snap_bool(s, "status_latched", &c->status_latched);
        snap_u8(s, "status", &c->status);
        snap_u16(s, "latch", &c->latch);
        snap_u32(s, "cr", &c->cr);
        snap_u32(s, "n", &c->n);
        snap_u32(s, "frozen", &c->frozen);
        snap_u64(s, "start", &start);
        snap_u64(s, "pending_at", &at);
        snap_u64(s, "elapsed", &elapsed);
        snap_bool(s, "out", &p->out[i].level);
        snap_timer(s, "timer", &p->timer[i]);
        if (!snap_loading(s)) {
            continue;
        }
        c->start = (int64_t)start;
        c->pending_at = (int64_t)at;
        c->elapsed = (int64_t)elapsed;
        const int64_t far = (int64_t)1 << 51; /* 60 years: in ns still far below 2^63 */
        if (c->cr < 1 || c->cr > 65536 || c->n < 1 || c->n > 65536 || c->frozen > 65536 ||
            c->start < -far || c->start > far || c->pending_at < 0 || c->pending_at > far ||
            c->elapsed < 0 || c->elapsed > far || c->control > 0x3f) {
            vtimer_cancel(&p->timer[i]);
            *c = (struct i8254_channel){.control = 0x36, .cr = 65536, .n = 65536};
            snap_fail(s, "i8254: a count or tick out of range");
        }
    }
}

static void i8254_destroy(struct device *dev)
{
    struct i8254 *p = device_of(dev, struct i8254);
    for (unsigned i = 0; i < 3; i++) {
        vtimer_cancel(&p->timer[i]);
    }
}

static const struct device_class i8254_class = {
    .name = "i8254",
    .snap_version = 1,
    .reset = i8254_reset,
    .drive = i8254_drive,
    .snap = i8254_snap,
    .destroy = i8254_destroy,
};
static const struct region_ops i8254_ops = {i8254_read, i8254_write, 1, 1};

void i8254_init(struct i8254 *p, const char *id, struct clock *clk, struct irq_line out0)
{
    *p = (struct i8254){
        .dev = {&i8254_class, id},
        .regs = {.name = "i8254.regs", .len = 4, .priority = 1, .ops = &i8254_ops, .dev = p},
        .clk = clk,
        .out = {out0},
    };
    vtimer_init(&p->timer[0], clk, "pit.ch0", i8254_fire0, p);
    vtimer_init(&p->timer[1], clk, "pit.ch1", i8254_fire1, p);
    vtimer_init(&p->timer[2], clk, "pit.ch2", i8254_fire2, p);
    i8254_reset(&p->dev, RESET_POWER_ON);
}
