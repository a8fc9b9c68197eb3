/* Local APIC of one processor: xAPIC, version 14h.  SDM Vol. 3A, "Advanced Programmable Interrupt
 * Controller (APIC)"; section titles below are of that chapter.
 *
 *               LVT: timer, thermal, performance, LINT0, LINT1, error
 *                 |                                              accepted: IRR -> ISR -> EOI
 *   messages -> [mode] fixed, lowest ---> IRR, above PPR? -----> INTR
 *                 |    NMI, INIT, SIPI, SMI -------------------> the pins
 *   LINT0 ------> ExtINT --------------------------------------> INTR, the vector is the 8259A's
 *
 * After reset the bootstrap processor's LINT0 is ExtINT and LINT1 NMI, unmasked, although the
 * software enable is off: virtual wire mode, which a real board's firmware sets up and which
 * guests without one count on.  Clearing the software enable later masks them, as the book says.
 *
 * An access is 32 bits wide at a multiple of 16; narrower reads give the register's bytes, other
 * writes are lost.
 *
 * NOT IMPLEMENTED: x2APIC; TSC-deadline mode (CPUID does not offer it); performance and thermal
 * interrupts (nothing raises them); focus checking disable; EOI-broadcast suppression; CMCI;
 * remote read; send and receive accept errors. */
#include "devices/irqchip/lapic.h"

#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum { BASE_BSP = 1 << 8, BASE_ENABLE = 1 << 11 };
enum { SVR_ENABLE = 1 << 8, SVR_WRITABLE = 0x3ff };
enum {
    LVT_MODE = 0x700, LVT_LEVEL_IRR = 1 << 14, LVT_LEVEL = 1 << 15, LVT_MASK = 1 << 16,
    LVT_PERIODIC = 1 << 17, LVT_POLARITY = 1 << 13
};
enum { ESR_SEND_ILLEGAL = 1 << 5, ESR_RECEIVE_ILLEGAL = 1 << 6, ESR_REGISTER = 1 << 7 };
enum { ICR_LOGICAL = 1 << 11, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15 };
enum { /* offsets / 16 */
    R_ID = 0x02, R_VERSION = 0x03, R_TPR = 0x08, R_APR = 0x09, R_PPR = 0x0a, R_EOI = 0x0b,
    R_RRD = 0x0c, R_LDR = 0x0d, R_DFR = 0x0e, R_SVR = 0x0f, R_ISR = 0x10, R_TMR = 0x18,
    R_IRR = 0x20, R_ESR = 0x28, R_ICR_LOW = 0x30, R_ICR_HIGH = 0x31, R_LVT = 0x32,
    R_LVT_LAST = 0x37, R_INITIAL = 0x38, R_CURRENT = 0x39, R_DCR = 0x3e
};
#define VERSION (0x14u | (LVT_COUNT - 1) << 16)
/* A periodic timer may be set to a nanosecond: no two of its interrupts come closer than this. */
#define PERIOD_MIN VTIME_US

static const uint32_t lvt_writable[LVT_COUNT] = {
    [LVT_TIMER] = 0xff | LVT_MASK | LVT_PERIODIC,
    [LVT_THERMAL] = 0xff | LVT_MODE | LVT_MASK,
    [LVT_PERF] = 0xff | LVT_MODE | LVT_MASK,
    [LVT_LINT0] = 0xff | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASK,
    [LVT_LINT1] = 0xff | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASK,
    [LVT_ERROR] = 0xff | LVT_MASK,
};

/* ---- vectors ---- */

static bool bit_get(const uint32_t v[8], unsigned n)
{
    return v[n >> 5] >> (n & 31) & 1;
}

static void bit_put(uint32_t v[8], unsigned n, bool on)
{
    uint32_t bit = (uint32_t)1 << (n & 31);
    v[n >> 5] = on ? v[n >> 5] | bit : v[n >> 5] & ~bit;
}

static int bit_top(const uint32_t v[8])
{
    for (int i = 7; i >= 0; i--) {
        if (v[i]) {
            return i * 32 + 31 - __builtin_clz(v[i]);
        }
    }
    return -1;
}

static bool lapic_present(const struct lapic *l)
{
    return l->base & BASE_ENABLE;
}

bool lapic_accepts(const struct lapic *l)
{
    return lapic_present(l) && (l->svr & SVR_ENABLE);
}

/* "Task and Processor Priorities" */
uint8_t lapic_priority(const struct lapic *l)
{
    int v = bit_top(l->isr);
    unsigned isr = v < 0 ? 0 : (unsigned)v & 0xf0;
    return (l->tpr & 0xf0u) >= isr ? l->tpr : (uint8_t)isr;
}

static uint8_t lapic_arbitration(const struct lapic *l)
{
    int i = bit_top(l->irr), s = bit_top(l->isr);
    unsigned irr = i < 0 ? 0 : (unsigned)i & 0xf0, isr = s < 0 ? 0 : (unsigned)s & 0xf0;
    unsigned tpr = l->tpr & 0xf0u;
    if (tpr >= irr && tpr > isr) {
        return l->tpr;
    }
    tpr = tpr > isr ? tpr : isr;
    return (uint8_t)(tpr > irr ? tpr : irr);
}

bool lapic_has_focus(const struct lapic *l, uint8_t vector)
{
    return bit_get(l->irr, vector) || bit_get(l->isr, vector);
}

/* The vector that INTR stands for, or -1. */
static int lapic_pending(const struct lapic *l)
{
    int v = lapic_accepts(l) ? bit_top(l->irr) : -1;
    return v >= 0 && (v & 0xf0) > (lapic_priority(l) & 0xf0) ? v : -1;
}

/* Whether INTR stands for the 8259A. */
static bool lapic_extint(const struct lapic *l)
{
    if (!lapic_present(l)) {
        return l->lint & 1;
    }
    uint32_t e = l->lvt[LVT_LINT0];
    return l->ext || ((l->lint & 1) && (e & (LVT_MASK | LVT_MODE)) == APIC_EXTINT << 8);
}

static void lapic_update(struct lapic *l)
{
    irq_set(&l->pins.intr, lapic_pending(l) >= 0 || lapic_extint(l));
}

static void lapic_pulse(struct irq_line *line)
{
    irq_set(line, true);
    irq_set(line, false);
}

static void lapic_error(struct lapic *l, uint32_t bit);

static void lapic_accept(struct lapic *l, unsigned vector, bool level)
{
    if (vector < 16) { /* "Valid Interrupt Vectors" */
        lapic_error(l, ESR_RECEIVE_ILLEGAL);
        return;
    }
    bit_put(l->irr, vector, true);
    bit_put(l->tmr, vector, level);
    lapic_update(l);
}

/* The error interrupt itself may have an illegal vector: that error interrupts nobody. */
static void lapic_error(struct lapic *l, uint32_t bit)
{
    l->errors |= bit;
    uint32_t e = l->lvt[LVT_ERROR];
    if (lapic_accepts(l) && !(e & LVT_MASK) && (e & 0xff) >= 16) {
        lapic_accept(l, e & 0xff, false);
    }
}

/* ---- the timer: "APIC Timer" ---- */

unsigned lapic_shift(const struct lapic *l)
{
    return ((l->dcr & 3) + (l->dcr >> 1 & 4) + 1) & 7;
}

static bool lapic_periodic(const struct lapic *l)
{
    return l->lvt[LVT_TIMER] & LVT_PERIODIC;
}

/* Ticks until the count is 0 next; 0: it stands there. */
uint32_t lapic_count(const struct lapic *l)
{
    if (!l->running || !l->initial) {
        return 0;
    }
    uint64_t n = (clock_now(l->clk) - l->start) >> lapic_shift(l);
    if (lapic_periodic(l)) {
        return l->initial - (uint32_t)(n % l->initial);
    }
    return n >= l->initial ? 0 : l->initial - (uint32_t)n;
}

static void lapic_arm(struct lapic *l)
{
    uint32_t left = lapic_count(l);
    if (!left || (l->lvt[LVT_TIMER] & LVT_MASK) || !lapic_present(l)) {
        vtimer_cancel(&l->timer);
        return;
    }
    unsigned sh = lapic_shift(l);
    vtime now = clock_now(l->clk);
    uint64_t in = ((uint64_t)left << sh) - ((now - l->start) & bits_mask(sh));
    uint64_t period = (uint64_t)l->initial << sh;
    if (lapic_periodic(l) && in < PERIOD_MIN) {
        in += (PERIOD_MIN - in + period - 1) / period * period;
    }
    vtimer_arm(&l->timer, now + in);
}

static void lapic_fire(void *owner, vtime now)
{
    struct lapic *l = owner;
    uint32_t e = l->lvt[LVT_TIMER];
    (void)now;
    if (!(e & LVT_MASK) && lapic_accepts(l)) {
        lapic_accept(l, e & 0xff, false);
    }
    lapic_arm(l);
}

/* The divisor or the mode has changed; the count from before is kept. */
static void lapic_timer_go_on(struct lapic *l, uint32_t count)
{
    l->running = count != 0;
    l->start = clock_now(l->clk) - ((uint64_t)(l->initial - count) << lapic_shift(l));
    lapic_arm(l);
}

/* ---- messages ---- */

/* "Logical Destination Mode": DFR 1111b flat, 0000b clusters */
bool lapic_is_dest(const struct lapic *l, uint8_t dest, bool logical)
{
    if (!lapic_present(l)) {
        return false;
    }
    if (dest == APIC_ID_ALL) {
        return true;
    }
    if (!logical) {
        return dest == l->id;
    }
    uint8_t ldr = (uint8_t)(l->ldr >> 24);
    if (l->dfr >> 28 == 15) {
        return dest & ldr;
    }
    return dest >> 4 == ldr >> 4 && (dest & ldr & 15);
}

static void lapic_state_reset(struct lapic *l);

/* What a message or a local entry of this delivery mode does here. */
static void lapic_do(struct lapic *l, unsigned mode, uint8_t vector, bool level)
{
    switch (mode) {
    case APIC_FIXED:
    case APIC_LOWEST:
        if (lapic_accepts(l)) {
            lapic_accept(l, vector, level);
        }
        break;
    case APIC_SMI: lapic_pulse(&l->pins.smi); break;
    case APIC_NMI: lapic_pulse(&l->pins.nmi); break;
    case APIC_INIT: { /* "Local APIC State After It Receives an INIT IPI": the ID stays */
        uint8_t id = l->id;
        lapic_state_reset(l);
        l->id = id;
        lapic_update(l);
        lapic_pulse(&l->pins.init);
        break;
    }
    case APIC_STARTUP:
        if (l->pins.startup) {
            l->pins.startup(l->pins.ctx, vector);
        }
        break;
    case APIC_EXTINT:
        l->ext = true;
        lapic_update(l);
        break;
    default: log_msg(LOG_GUEST, l->dev.id, "reserved delivery mode %u", mode); break;
    }
}

void lapic_deliver(struct lapic *l, const struct apic_msg *m)
{
    if (lapic_present(l)) {
        lapic_do(l, m->mode, m->vector, m->level);
    }
}

void lapic_lint(void *sink, unsigned pin, bool level)
{
    struct lapic *l = sink;
    uint8_t bit = (uint8_t)(1u << (pin & 1));
    bool rise = level && !(l->lint & bit);
    l->lint = (uint8_t)(level ? l->lint | bit : l->lint & ~bit);
    if (!lapic_present(l)) {
        if (rise && (pin & 1)) {
            lapic_pulse(&l->pins.nmi);
        }
        lapic_update(l);
        return;
    }
    uint32_t *e = &l->lvt[LVT_LINT0 + (pin & 1)];
    unsigned mode = *e >> 8 & 7;
    /* "LVT": level sensing is for fixed mode, and LINT1 has none */
    bool by_level = mode == APIC_FIXED && (*e & LVT_LEVEL) && !(pin & 1);
    if (rise && !(*e & LVT_MASK) && mode != APIC_EXTINT && !(by_level && (*e & LVT_LEVEL_IRR))) {
        if (by_level) {
            *e |= LVT_LEVEL_IRR;
        }
        lapic_do(l, mode, *e & 0xff, by_level);
    }
    lapic_update(l);
}

static void lapic_eoi(struct lapic *l)
{
    int v = bit_top(l->isr);
    if (v < 0) {
        return;
    }
    bit_put(l->isr, (unsigned)v, false);
    if (bit_get(l->tmr, (unsigned)v)) {
        uint32_t *e = &l->lvt[LVT_LINT0];
        apic_bus_eoi(l->bus, (uint8_t)v);
        if ((*e & LVT_LEVEL_IRR) && (*e & 0xff) == (uint32_t)v) {
            *e &= ~(uint32_t)LVT_LEVEL_IRR;
            if ((l->lint & 1) && !(*e & LVT_MASK)) {
                *e |= LVT_LEVEL_IRR;
                lapic_do(l, *e >> 8 & 7, (uint8_t)v, true);
            }
        }
    }
    lapic_update(l);
}

int lapic_ack(struct lapic *l)
{
    int v = lapic_pending(l);
    if (v >= 0) {
        bit_put(l->irr, (unsigned)v, false);
        bit_put(l->isr, (unsigned)v, true);
    } else if (lapic_extint(l)) {
        l->ext = false;
        v = LAPIC_EXTINT;
    } else { /* "Spurious Interrupt": the request went away before INTA */
        v = lapic_accepts(l) ? (int)(l->svr & 0xff) : LAPIC_NONE;
    }
    lapic_update(l);
    return v;
}

/* "Issuing Interprocessor Interrupts" */
static void lapic_send(struct lapic *l)
{
    uint32_t low = l->icr[0];
    struct apic_msg m = {.to = low >> 18 & 3, .dest = (uint8_t)(l->icr[1] >> 24),
                         .logical = low & ICR_LOGICAL, .mode = low >> 8 & 7,
                         .vector = (uint8_t)low};
    if ((m.mode == APIC_FIXED || m.mode == APIC_LOWEST) && m.vector < 16) {
        lapic_error(l, ESR_SEND_ILLEGAL);
        return;
    }
    if (m.mode == 3 || m.mode == APIC_EXTINT) {
        log_msg(LOG_GUEST, l->dev.id, "IPI with reserved delivery mode %u", m.mode);
        return;
    }
    if (m.mode == APIC_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT)) {
        return; /* INIT level de-assert sets arbitration IDs, which xAPICs do not have */
    }
    apic_bus_send(l->bus, &m, l);
}

uint8_t lapic_tpr(const struct lapic *l)
{
    return l->tpr;
}

void lapic_set_tpr(struct lapic *l, uint8_t tpr)
{
    l->tpr = tpr;
    lapic_update(l);
}

/* ---- registers ---- */

static uint32_t lapic_reg(struct lapic *l, unsigned r)
{
    switch (r) {
    case R_ID: return (uint32_t)l->id << 24;
    case R_VERSION: return VERSION;
    case R_TPR: return l->tpr;
    case R_APR: return lapic_arbitration(l);
    case R_PPR: return lapic_priority(l);
    case R_EOI: case R_RRD: return 0;
    case R_LDR: return l->ldr;
    case R_DFR: return l->dfr;
    case R_SVR: return l->svr;
    case R_ESR: return l->esr;
    case R_ICR_LOW: return l->icr[0];
    case R_ICR_HIGH: return l->icr[1];
    case R_INITIAL: return l->initial;
    case R_CURRENT: return lapic_count(l);
    case R_DCR: return l->dcr;
    default: break;
    }
    if (r >= R_ISR && r < R_ISR + 8) {
        return l->isr[r - R_ISR];
    }
    if (r >= R_TMR && r < R_TMR + 8) {
        return l->tmr[r - R_TMR];
    }
    if (r >= R_IRR && r < R_IRR + 8) {
        return l->irr[r - R_IRR];
    }
    if (r >= R_LVT && r <= R_LVT_LAST) {
        return l->lvt[r - R_LVT];
    }
    log_msg(LOG_GUEST, l->dev.id, "read of reserved register %03x", r * 16);
    lapic_error(l, ESR_REGISTER);
    return 0;
}

uint32_t lapic_read(struct lapic *l, uint64_t off, unsigned size)
{
    unsigned byte = off & 15;
    if (byte + size > 4) {
        return 0; /* undefined: the registers are 32 bits in every 128 */
    }
    return (uint32_t)((lapic_reg(l, off >> 4 & 0xff) >> (byte * 8)) & bits_mask(size * 8));
}

static void lapic_write_svr(struct lapic *l, uint32_t v)
{
    l->svr = v & SVR_WRITABLE;
    if (!(v & SVR_ENABLE)) {
        for (unsigned i = 0; i < LVT_COUNT; i++) {
            l->lvt[i] |= LVT_MASK;
        }
        lapic_arm(l);
    }
    lapic_update(l);
}

static void lapic_write_lvt(struct lapic *l, unsigned i, uint32_t v)
{
    uint32_t held = lapic_count(l), old = l->lvt[i];
    v &= lvt_writable[i];
    if (!(l->svr & SVR_ENABLE)) {
        v |= LVT_MASK; /* "Local APIC State After It Has Been Software Disabled" */
    }
    l->lvt[i] = v | (old & LVT_LEVEL_IRR);
    if (i == LVT_TIMER) {
        if ((old ^ v) & LVT_PERIODIC) {
            lapic_timer_go_on(l, held);
        } else {
            lapic_arm(l);
        }
    }
    if (i == LVT_LINT0 && (l->lint & 1) && (v & (LVT_MODE | LVT_MASK | LVT_LEVEL)) == LVT_LEVEL &&
        !(l->lvt[i] & LVT_LEVEL_IRR)) { /* a level that was there before it was unmasked */
        l->lvt[i] |= LVT_LEVEL_IRR;
        lapic_do(l, APIC_FIXED, (uint8_t)v, true);
    }
    lapic_update(l);
}

static void lapic_reg_write(struct lapic *l, unsigned r, uint32_t v)
{
    switch (r) {
    case R_ID: l->id = (uint8_t)(v >> 24); return;
    case R_TPR: lapic_set_tpr(l, (uint8_t)v); return;
    case R_EOI: lapic_eoi(l); return;
    case R_LDR: l->ldr = v & 0xff000000; return;
    case R_DFR: l->dfr = v | 0x0fffffff; return;
    case R_SVR: lapic_write_svr(l, v); return;
    case R_ESR:
        l->esr = l->errors;
        l->errors = 0;
        return;
    case R_ICR_LOW:
        l->icr[0] = v & 0xccfff; /* delivery status: always idle */
        lapic_send(l);
        return;
    case R_ICR_HIGH: l->icr[1] = v & 0xff000000; return;
    case R_INITIAL:
        l->initial = v;
        l->running = v != 0;
        l->start = clock_now(l->clk);
        lapic_arm(l);
        return;
    case R_DCR: {
        uint32_t held = lapic_count(l);
        l->dcr = v & 0xb;
        lapic_timer_go_on(l, held);
        return;
    }
    case R_VERSION: case R_APR: case R_PPR: case R_RRD: case R_CURRENT: return; /* read only */
    default: break;
    }
    if (r >= R_LVT && r <= R_LVT_LAST) {
        lapic_write_lvt(l, r - R_LVT, v);
    } else if (r < R_ISR || r >= R_IRR + 8) {
        log_msg(LOG_GUEST, l->dev.id, "write of reserved register %03x", r * 16);
        lapic_error(l, ESR_REGISTER);
    }
}

void lapic_write(struct lapic *l, uint64_t off, uint64_t val, unsigned size)
{
    if (size == 4 && !(off & 15)) {
        lapic_reg_write(l, off >> 4 & 0xff, (uint32_t)val);
    } else {
        log_msg(LOG_GUEST, l->dev.id, "write of %u bytes at %03x is lost", size, (unsigned)off);
    }
}

/* ---- life ---- */

/* "Local APIC State After Power-Up or Reset", and virtual wire mode */
static void lapic_state_reset(struct lapic *l)
{
    vtimer_cancel(&l->timer);
    l->id = l->initial_id;
    l->tpr = 0;
    l->ext = false;
    l->ldr = 0;
    l->dfr = 0xffffffff;
    l->svr = 0xff;
    memset(l->isr, 0, sizeof l->isr);
    memset(l->tmr, 0, sizeof l->tmr);
    memset(l->irr, 0, sizeof l->irr);
    l->esr = l->errors = 0;
    l->icr[0] = l->icr[1] = 0;
    for (unsigned i = 0; i < LVT_COUNT; i++) {
        l->lvt[i] = LVT_MASK;
    }
    if (l->initial_id == 0) { /* the bootstrap processor */
        l->lvt[LVT_LINT0] = APIC_EXTINT << 8;
        l->lvt[LVT_LINT1] = APIC_NMI << 8;
    }
    l->initial = l->dcr = 0;
    l->running = false;
    l->start = 0;
}

void lapic_set_base(struct lapic *l, uint64_t msr)
{
    bool was = lapic_present(l);
    l->base = msr;
    if (was && !lapic_present(l)) { /* "Enabling or Disabling the Local APIC": state is lost */
        lapic_state_reset(l);
    }
    lapic_update(l);
}

static void lapic_reset(struct device *dev, enum reset_kind kind)
{
    struct lapic *l = device_of(dev, struct lapic);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    lapic_state_reset(l); /* the base is the processor's, the LINTs are other chips' */
    l->pins.intr.level = false;
}

static void lapic_drive(struct device *dev)
{
    struct lapic *l = device_of(dev, struct lapic);
    l->pins.intr.level = lapic_pending(l) >= 0 || lapic_extint(l);
    irq_drive(&l->pins.intr);
}

static void lapic_snap_words(struct snap *s, const char *name, uint32_t v[8])
{
    for (unsigned i = 0; i < 8; i++) {
        snap_u32(s, name, &v[i]);
    }
}

static void lapic_snap(struct device *dev, struct snap *s)
{
    struct lapic *l = device_of(dev, struct lapic);
    snap_u64(s, "base", &l->base);
    snap_u8(s, "id", &l->id);
    snap_u8(s, "tpr", &l->tpr);
    snap_u8(s, "lint", &l->lint);
    snap_bool(s, "ext", &l->ext);
    snap_u32(s, "ldr", &l->ldr);
    snap_u32(s, "dfr", &l->dfr);
    snap_u32(s, "svr", &l->svr);
    lapic_snap_words(s, "isr", l->isr);
    lapic_snap_words(s, "tmr", l->tmr);
    lapic_snap_words(s, "irr", l->irr);
    snap_u32(s, "esr", &l->esr);
    snap_u32(s, "errors", &l->errors);
    snap_u32(s, "icr_low", &l->icr[0]);
    snap_u32(s, "icr_high", &l->icr[1]);
    for (unsigned i = 0; i < LVT_COUNT; i++) {
        snap_u32(s, "lvt", &l->lvt[i]);
    }
    snap_u32(s, "initial", &l->initial);
    snap_u32(s, "dcr", &l->dcr);
    snap_bool(s, "running", &l->running);
    snap_u64(s, "start", &l->start);
    snap_bool(s, "intr", &l->pins.intr.level);
    snap_timer(s, "timer", &l->timer);
}

static void lapic_destroy(struct device *dev)
{
    vtimer_cancel(&device_of(dev, struct lapic)->timer);
}

static const struct device_class lapic_class = {
    .name = "lapic",
    .snap_version = 1,
    .reset = lapic_reset,
    .drive = lapic_drive,
    .snap = lapic_snap,
    .destroy = lapic_destroy,
};

void lapic_init(struct lapic *l, const char *id, struct clock *clk, struct apic_bus *bus,
                uint8_t apic_id, const struct lapic_pins *pins)
{
    *l = (struct lapic){.dev = {&lapic_class, id}, .clk = clk, .bus = bus, .pins = *pins,
                        .initial_id = apic_id,
                        .base = 0xfee00000 | BASE_ENABLE | (apic_id ? 0 : BASE_BSP)};
    vtimer_init(&l->timer, clk, "lapic.timer", lapic_fire, l);
    lapic_state_reset(l);
    apic_bus_add(bus, l);
}
