/* ACPI fixed hardware: PM1 event block, PM1 control, PM timer.
 * ACPI Specification 2.0, "ACPI Hardware Specification"; Intel 82371AB PIIX4 (290562), "Power
 * Management I/O Space Registers".
 * NOT IMPLEMENTED: the 32-bit timer variant, SMI generation (GBL_RLS), bus-master status. */
#include "devices/timer/acpi_pm.h"

#include "base/bits.h"

#define FLIP 0x800000u /* TMROF_STS: bit 23 of the timer changes */
#define PM1_STS_BITS (PM1_TMR | PM1_BM | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC | PM1_WAK)
#define PM1_EN_BITS (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC)

static uint64_t acpi_pm_ticks(const struct acpi_pm *pm)
{
    vtime now = clock_now(pm->clock);
    return now < pm->origin ? 0 : muldiv64(now - pm->origin, ACPI_PM_HZ, VTIME_SEC);
}

bool acpi_pm_sci(const struct acpi_pm *pm)
{
    return (pm->cnt & PM1_SCI_EN) && (pm->sts & pm->en & PM1_EN_BITS);
}

/* Bring TMROF_STS up to date; a timer is kept armed only while its change could interrupt. */
static void acpi_pm_update(struct acpi_pm *pm)
{
    uint64_t ticks = acpi_pm_ticks(pm);
    if (ticks >= pm->next_flip) {
        pm->sts |= PM1_TMR;
        pm->next_flip = (ticks / FLIP + 1) * FLIP;
    }
    if ((pm->en & PM1_TMR) && !(pm->sts & PM1_TMR)) {
        vtimer_arm(&pm->overflow,
                   pm->origin + muldiv64_up(pm->next_flip, VTIME_SEC, ACPI_PM_HZ));
    } else {
        vtimer_cancel(&pm->overflow);
    }
    pm->changed(pm->owner);
}

static void acpi_pm_fire(void *owner, vtime now)
{
    (void)now;
    acpi_pm_update(owner);
}

static uint8_t acpi_pm_byte(struct acpi_pm *pm, unsigned off)
{
    switch (off) {
    case 0: case 1: return (uint8_t)(pm->sts >> (8 * off));
    case 2: case 3: return (uint8_t)(pm->en >> (8 * (off - 2)));
    case 4: case 5: return (uint8_t)(pm->cnt >> (8 * (off - 4)));
    default: return 0;
    }
}

uint32_t acpi_pm_read(struct acpi_pm *pm, unsigned off, unsigned size)
{
    uint32_t v = 0;
    if (off >= 8) {
        return off < 12 ? (uint32_t)(((acpi_pm_ticks(pm) & 0xffffff) >> (8 * (off - 8))) &
                                     bits_mask(size * 8))
                        : 0;
    }
    if (off < 2) {
        acpi_pm_update(pm);
    }
    for (unsigned i = 0; i < size; i++) {
        v |= (uint32_t)acpi_pm_byte(pm, off + i) << (8 * i);
    }
    return v;
}

static void acpi_pm_write_byte(struct acpi_pm *pm, unsigned off, uint8_t v, bool *slp)
{
    unsigned sh = 8 * (off & 1), m = 0xffu << sh;
    uint16_t w = (uint16_t)(v << sh);
    switch (off) {
    case 0: case 1: pm->sts &= (uint16_t)~w; break;
    case 2: case 3: pm->en = (uint16_t)(((pm->en & ~m) | w) & PM1_EN_BITS); break;
    case 4: case 5:
        pm->cnt = (uint16_t)(((pm->cnt & ~m) | w) & (PM1_SCI_EN | PM1_BM_RLD | PM1_SLP_TYP));
        *slp |= (w & PM1_SLP_EN) != 0;
        break;
    default: break; /* the timer is read-only */
    }
}

void acpi_pm_write(struct acpi_pm *pm, unsigned off, uint32_t val, unsigned size)
{
    bool slp = false;
    acpi_pm_update(pm); /* a flip before this write must not be cleared unseen, nor kept after */
    for (unsigned i = 0; i < size; i++) {
        acpi_pm_write_byte(pm, off + i, (uint8_t)(val >> (8 * i)), &slp);
    }
    acpi_pm_update(pm);
    if (slp) {
        pm->sleep(pm->owner, pm->cnt >> 10 & 7);
    }
}

void acpi_pm_raise(struct acpi_pm *pm, uint16_t sts_bits)
{
    pm->sts |= sts_bits & PM1_STS_BITS;
    acpi_pm_update(pm);
}

void acpi_pm_set_sci_en(struct acpi_pm *pm, bool on)
{
    pm->cnt = (uint16_t)((pm->cnt & ~PM1_SCI_EN) | (on ? PM1_SCI_EN : 0));
    acpi_pm_update(pm);
}

void acpi_pm_reset(struct acpi_pm *pm)
{
    vtimer_cancel(&pm->overflow);
    pm->sts = pm->en = pm->cnt = 0;
    pm->origin = clock_now(pm->clock);
    pm->next_flip = FLIP;
}

void acpi_pm_snap(struct acpi_pm *pm, struct snap *s)
{
    snap_u16(s, "pm1_sts", &pm->sts);
    snap_u16(s, "pm1_en", &pm->en);
    snap_u16(s, "pm1_cnt", &pm->cnt);
    snap_u64(s, "origin", &pm->origin);
    snap_u64(s, "next_flip", &pm->next_flip);
    snap_timer(s, "overflow", &pm->overflow);
    /* bounds that keep origin + next_flip's time within 64 bits: a deadline is never in the past */
    if (snap_loading(s) && (pm->next_flip % FLIP || !pm->next_flip ||
                            pm->next_flip > (uint64_t)1 << 54 || pm->origin > (uint64_t)1 << 62)) {
        snap_fail(s, "PM timer flip out of step");
        vtimer_cancel(&pm->overflow);
        pm->next_flip = FLIP;
        pm->origin = 0;
    }
}

void acpi_pm_init(struct acpi_pm *pm, struct clock *clk, const char *timer_name,
                  void (*changed)(void *owner), void (*sleep)(void *owner, unsigned slp_typ),
                  void *owner)
{
    *pm = (struct acpi_pm){.clock = clk, .changed = changed, .sleep = sleep, .owner = owner,
                           .next_flip = FLIP};
    vtimer_init(&pm->overflow, clk, timer_name, acpi_pm_fire, pm);
}
