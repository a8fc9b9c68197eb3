/* Real-time clock and CMOS RAM: Motorola MC146818A (datasheet, "Registers", "Update Cycle",
 * "Divider Control") with a 32.768 kHz crystal, as PIIX3 places it (ports 70h and 71h; the upper
 * bank at 72h and 73h as in 82371AB).
 *
 *   register A  UIP DV2 DV1 DV0 RS3 RS2 RS1 RS0     register B  SET PIE AIE UIE SQWE DM 24/12 DSE
 *   register C  IRQF PF AF UF 0 0 0 0               register D  VRT 0...
 *
 * UIP rises 244 us before the update cycle, which lasts 1984 us; the registers change at its end.
 * A released divider reset gives the first update half a second later.
 * PF is derived from time; it costs a timer only while PIE is set.
 * HW: the century in byte 32h is advanced as in the DS12887A when it is valid BCD.
 * NOT IMPLEMENTED: the square-wave pin; other crystals (DV = 000, 001 stop the chain). */
#include "devices/timer/mc146818.h"

#include <string.h>

#include "base/bits.h"

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, DAY_OF_WEEK, DAY, MONTH,
       YEAR, REG_A, REG_B, REG_C, REG_D, CENTURY = 0x32 };
enum { A_UIP = 0x80 };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_SQWE = 0x08, B_DM = 0x04,
       B_24 = 0x02, B_DSE = 0x01 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10 };
enum { D_VRT = 0x80 };
enum { PM = 0x80 };

#define RTC_HZ 32768u
#define RTC_UPDATE_NS (244 * VTIME_US + 1984 * VTIME_US)

static bool mc146818_running(const struct mc146818 *r)
{
    return (r->ram[REG_A] & 0x70) == 0x20;
}

static bool mc146818_uip(const struct mc146818 *r)
{
    vtime end = r->update.when;
    return end != VTIME_NEVER && !(r->ram[REG_B] & B_SET) &&
           clock_now(r->clk) + RTC_UPDATE_NS >= end;
}

/* ---- the periodic flag ---- */

/* Crystal clocks a period, 0: none.  Rates 1 and 2 repeat those of 8 and 9 with this crystal. */
static unsigned mc146818_period(const struct mc146818 *r)
{
    unsigned rs = r->ram[REG_A] & 15;
    if (!rs || !mc146818_running(r)) {
        return 0;
    }
    return 1u << ((rs < 3 ? rs + 7 : rs) - 1);
}

static uint64_t mc146818_ticks(const struct mc146818 *r, vtime now)
{
    unsigned period = mc146818_period(r);
    return period ? muldiv64(now - r->origin, RTC_HZ, VTIME_SEC) / period : 0;
}

static void mc146818_arm_periodic(struct mc146818 *r)
{
    unsigned period = mc146818_period(r);
    if (!period || !(r->ram[REG_B] & B_PIE) || (r->ram[REG_C] & C_PF)) {
        vtimer_cancel(&r->periodic); /* nothing new to say until register C is read */
        return;
    }
    uint64_t next = mc146818_ticks(r, clock_now(r->clk)) + 1;
    vtimer_arm(&r->periodic, r->origin + muldiv64_up(next * period, VTIME_SEC, RTC_HZ));
}

/* ---- interrupt ---- */

static void mc146818_update_irq(struct mc146818 *r)
{
    uint8_t *c = &r->ram[REG_C];
    if (mc146818_ticks(r, clock_now(r->clk)) > r->acked) {
        *c |= C_PF;
    }
    *c &= (uint8_t)~C_IRQF;
    if (*c & r->ram[REG_B] & (C_PF | C_AF | C_UF)) {
        *c |= C_IRQF;
    }
    irq_set(&r->irq, *c & C_IRQF);
}

static void mc146818_periodic(void *owner, vtime now)
{
    struct mc146818 *r = owner;
    (void)now;
    mc146818_update_irq(r);
    mc146818_arm_periodic(r);
}

/* ---- the calendar ---- */

static unsigned mc146818_get(const struct mc146818 *r, uint8_t v)
{
    return r->ram[REG_B] & B_DM ? v : (v >> 4) * 10u + (v & 15);
}

static uint8_t mc146818_put(const struct mc146818 *r, unsigned v)
{
    return (uint8_t)(r->ram[REG_B] & B_DM ? v : v / 10 % 10 << 4 | v % 10);
}

static unsigned mc146818_get_hour(const struct mc146818 *r)
{
    uint8_t v = r->ram[HOURS];
    if (r->ram[REG_B] & B_24) {
        return mc146818_get(r, v);
    }
    unsigned h = mc146818_get(r, v & 0x7f) % 12;
    return v & PM ? h + 12 : h;
}

static void mc146818_put_hour(struct mc146818 *r, unsigned h)
{
    if (r->ram[REG_B] & B_24) {
        r->ram[HOURS] = mc146818_put(r, h);
    } else {
        r->ram[HOURS] = (uint8_t)(mc146818_put(r, h % 12 ? h % 12 : 12) | (h >= 12 ? PM : 0));
    }
}

static unsigned mc146818_days(unsigned month, unsigned year)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12) {
        return 31;
    }
    return days[month - 1] + (month == 2 && year % 4 == 0);
}

static void mc146818_next_day(struct mc146818 *r)
{
    unsigned dow = mc146818_get(r, r->ram[DAY_OF_WEEK]), day = mc146818_get(r, r->ram[DAY]);
    unsigned month = mc146818_get(r, r->ram[MONTH]), year = mc146818_get(r, r->ram[YEAR]);
    r->ram[DAY_OF_WEEK] = mc146818_put(r, dow >= 7 ? 1 : dow + 1);
    if (day < mc146818_days(month, year)) {
        r->ram[DAY] = mc146818_put(r, day + 1);
        return;
    }
    r->ram[DAY] = 1;
    if (month < 12) {
        r->ram[MONTH] = mc146818_put(r, month + 1);
        return;
    }
    r->ram[MONTH] = 1;
    if (year < 99) {
        r->ram[YEAR] = mc146818_put(r, year + 1);
        return;
    }
    r->ram[YEAR] = 0;
    uint8_t cc = r->ram[CENTURY];
    if ((cc & 15) < 10 && cc < 0x99) {
        r->ram[CENTURY] = (uint8_t)((cc & 15) == 9 ? (cc & 0xf0) + 0x10 : cc + 1);
    }
}

/* Daylight saving as in the datasheet: the last Sunday of April (of 1984) has since become the
 * first one in the MC146818A: 1:59:59 -> 3:00:00; last Sunday of October: 1:59:59 -> 1:00:00 once.
 */
static unsigned mc146818_dse(struct mc146818 *r, unsigned hour)
{
    unsigned day = mc146818_get(r, r->ram[DAY]), month = mc146818_get(r, r->ram[MONTH]);
    bool sunday = mc146818_get(r, r->ram[DAY_OF_WEEK]) == 1;
    if (month != 10 || hour != 2) {
        if (hour != 1) {
            r->fell_back = false;
        }
    }
    if (!(r->ram[REG_B] & B_DSE) || !sunday || hour != 2) {
        return hour;
    }
    if (month == 4 && day <= 7) {
        return 3;
    }
    if (month == 10 && day >= 25 && !r->fell_back) {
        r->fell_back = true;
        return 1;
    }
    return hour;
}

/* One second passes: each counter carries when it reaches its last value, whatever it holds. */
static void mc146818_tick(struct mc146818 *r)
{
    unsigned sec = mc146818_get(r, r->ram[SECONDS] & 0x7f);
    if (sec < 59) {
        r->ram[SECONDS] = mc146818_put(r, sec + 1);
        return;
    }
    r->ram[SECONDS] = 0;
    unsigned min = mc146818_get(r, r->ram[MINUTES]);
    if (min < 59) {
        r->ram[MINUTES] = mc146818_put(r, min + 1);
        return;
    }
    r->ram[MINUTES] = 0;
    unsigned hour = mc146818_get_hour(r);
    if (hour < 23) {
        mc146818_put_hour(r, mc146818_dse(r, hour + 1));
        return;
    }
    mc146818_put_hour(r, 0);
    mc146818_next_day(r);
}

static bool mc146818_alarm_hit(const struct mc146818 *r)
{
    for (unsigned i = SECONDS; i <= HOURS; i += 2) {
        uint8_t want = r->ram[i + 1];
        if ((want & 0xc0) != 0xc0 && want != r->ram[i]) { /* C0-FF: don't care */
            return false;
        }
    }
    return true;
}

static void mc146818_update(void *owner, vtime now)
{
    struct mc146818 *r = owner;
    vtimer_arm(&r->update, now + VTIME_SEC);
    if (r->ram[REG_B] & B_SET) {
        return;
    }
    mc146818_tick(r);
    r->ram[REG_C] |= C_UF;
    if (mc146818_alarm_hit(r)) {
        r->ram[REG_C] |= C_AF;
    }
    mc146818_update_irq(r);
}

/* ---- ports ---- */

static void mc146818_write_a(struct mc146818 *r, uint8_t val)
{
    bool ran = mc146818_running(r);
    vtime now = clock_now(r->clk);
    mc146818_update_irq(r); /* PF of the old rate */
    r->ram[REG_A] = val & 0x7f;
    if (!mc146818_running(r)) {
        vtimer_cancel(&r->update);
    } else if (!ran) {
        r->origin = now - VTIME_SEC / 2;
        vtimer_arm(&r->update, now + VTIME_SEC / 2);
    }
    r->acked = mc146818_ticks(r, now);
    mc146818_arm_periodic(r);
}

static void mc146818_write_b(struct mc146818 *r, uint8_t val)
{
    if (val & B_SET) {
        val &= (uint8_t)~B_UIE;
    }
    r->ram[REG_B] = val;
    mc146818_update_irq(r);
    mc146818_arm_periodic(r);
}

static uint8_t mc146818_read_c(struct mc146818 *r)
{
    mc146818_update_irq(r);
    uint8_t v = r->ram[REG_C];
    r->ram[REG_C] = 0;
    r->acked = mc146818_ticks(r, clock_now(r->clk));
    mc146818_update_irq(r);
    mc146818_arm_periodic(r);
    return v;
}

static void mc146818_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct mc146818 *r = dev;
    (void)size;
    if (!off) {
        r->index = val & 0x7f;
        r->nmi_masked = val & 0x80;
        return;
    }
    switch (r->index) {
    case REG_A: mc146818_write_a(r, (uint8_t)val); break;
    case REG_B: mc146818_write_b(r, (uint8_t)val); break;
    case REG_C: break; /* read only */
    case REG_D: break;
    case SECONDS: r->ram[SECONDS] = val & 0x7f; break; /* bit 7 cannot be written */
    default: r->ram[r->index & 0x7f] = (uint8_t)val; break;
    }
}

static uint64_t mc146818_read(void *dev, uint64_t off, unsigned size)
{
    struct mc146818 *r = dev;
    (void)size;
    if (!off) {
        return 0xff; /* the index cannot be read */
    }
    switch (r->index) {
    case REG_A: return r->ram[REG_A] | (mc146818_uip(r) ? A_UIP : 0);
    case REG_C: return mc146818_read_c(r);
    default: return r->ram[r->index & 0x7f];
    }
}

static void mc146818_ext_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct mc146818 *r = dev;
    (void)size;
    if (!off) {
        r->ext_index = val & 0x7f;
    } else {
        r->ext[r->ext_index & 0x7f] = (uint8_t)val;
    }
}

static uint64_t mc146818_ext_read(void *dev, uint64_t off, unsigned size)
{
    struct mc146818 *r = dev;
    (void)size;
    return off ? r->ext[r->ext_index & 0x7f] : 0xff;
}

/* ---- board ---- */

void mc146818_set_cmos(struct mc146818 *r, uint8_t idx, uint8_t val)
{
    if (idx > REG_D && idx < sizeof r->ram) {
        r->ram[idx] = val;
    }
}

uint8_t mc146818_get_cmos(const struct mc146818 *r, uint8_t idx)
{
    return idx < sizeof r->ram ? r->ram[idx] : 0xff;
}

/* The pin PS# and a battery: the time of day at power-on.  Days to civil date after the proleptic
 * Gregorian calendar, in eras of 400 years that begin on 1 March. */
static void mc146818_set_time(struct mc146818 *r, uint64_t seconds)
{
    uint64_t days = seconds / 86400 % 3652059, sec = seconds % 86400; /* up to the year 9999 */
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
    r->ram[SECONDS] = mc146818_put(r, (unsigned)(sec % 60));
    r->ram[MINUTES] = mc146818_put(r, (unsigned)(sec / 60 % 60));
    mc146818_put_hour(r, (unsigned)(sec / 3600));
    r->ram[DAY_OF_WEEK] = mc146818_put(r, (unsigned)((days + 4) % 7 + 1)); /* 1 is Sunday */
    r->ram[DAY] = mc146818_put(r, (unsigned)(doy - (153 * mp + 2) / 5 + 1));
    r->ram[MONTH] = mc146818_put(r, (unsigned)month);
    r->ram[YEAR] = mc146818_put(r, (unsigned)(year % 100));
    r->ram[CENTURY] = (uint8_t)(year / 1000 % 10 << 4 | year / 100 % 10);
}

static void mc146818_reset(struct device *dev, enum reset_kind kind)
{
    struct mc146818 *r = device_of(dev, struct mc146818);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    /* RESET# leaves time, calendar, RAM and the divider alone: a battery runs them */
    r->ram[REG_B] &= (uint8_t) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
    r->ram[REG_C] = 0;
    r->acked = mc146818_ticks(r, clock_now(r->clk));
    r->index = r->ext_index = 0;
    r->nmi_masked = false;
    r->irq.level = false;
    vtimer_cancel(&r->periodic);
}

static void mc146818_drive(struct device *dev)
{
    irq_drive(&device_of(dev, struct mc146818)->irq);
}

static void mc146818_snap(struct device *dev, struct snap *s)
{
    struct mc146818 *r = device_of(dev, struct mc146818);
    snap_u8(s, "index", &r->index);
    snap_u8(s, "ext_index", &r->ext_index);
    snap_bool(s, "nmi_masked", &r->nmi_masked);
    snap_bool(s, "fell_back", &r->fell_back);
    snap_bytes(s, "ram", r->ram, sizeof r->ram);
    snap_bytes(s, "ext", r->ext, sizeof r->ext);
    snap_u64(s, "origin", &r->origin);
    snap_u64(s, "acked", &r->acked);
    snap_bool(s, "irq", &r->irq.level);
    snap_timer(s, "update", &r->update);
    snap_timer(s, "periodic", &r->periodic);
    if (snap_loading(s)) {
        r->index &= 0x7f;
        r->ext_index &= 0x7f;
        vtime now = clock_now(r->clk);
        if (now - r->origin > (uint64_t)1 << 60 || r->acked > mc146818_ticks(r, now)) {
            r->origin = now;
            r->acked = 0;
            snap_fail(s, "mc146818: the divider's origin lies in the future");
        }
        if (mc146818_running(r) != (r->update.when != VTIME_NEVER)) {
            vtimer_arm(&r->update, mc146818_running(r) ? now + VTIME_SEC : VTIME_NEVER);
            snap_fail(s, "mc146818: the divider and the update timer disagree");
        }
    }
}

static void mc146818_destroy(struct device *dev)
{
    struct mc146818 *r = device_of(dev, struct mc146818);
    vtimer_cancel(&r->update);
    vtimer_cancel(&r->periodic);
}

static const struct device_class mc146818_class = {
    .name = "mc146818",
    .snap_version = 1,
    .reset = mc146818_reset,
    .drive = mc146818_drive,
    .snap = mc146818_snap,
    .destroy = mc146818_destroy,
};
static const struct region_ops mc146818_ops = {mc146818_read, mc146818_write, 1, 1};
static const struct region_ops mc146818_ext_ops = {mc146818_ext_read, mc146818_ext_write, 1, 1};

void mc146818_init(struct mc146818 *r, const char *id, struct clock *clk, struct irq_line irq,
                   uint64_t seconds)
{
    *r = (struct mc146818){
        .dev = {&mc146818_class, id},
        .regs = {.name = "rtc.regs", .len = 2, .priority = 1, .ops = &mc146818_ops, .dev = r},
        .ext_regs =
            {.name = "rtc.ext", .len = 2, .priority = 1, .ops = &mc146818_ext_ops, .dev = r},
        .clk = clk,
        .irq = irq,
    };
    vtimer_init(&r->update, clk, "rtc.update", mc146818_update, r);
    vtimer_init(&r->periodic, clk, "rtc.periodic", mc146818_periodic, r);
    r->ram[REG_A] = 0x26; /* 32.768 kHz, 1024 Hz */
    r->ram[REG_B] = B_24;
    r->ram[REG_D] = D_VRT;
    r->origin = clock_now(clk);
    mc146818_set_time(r, seconds);
    vtimer_arm(&r->update, r->origin + VTIME_SEC);
}
