/* The fixed ACPI hardware that Intel's chip sets share: PM1 event and control registers and the
 * 3.579545 MHz timer.  A part of piix4_pm (and later of ICH9), not a device of its own.
 *
 * The owner calls acpi_pm_init once, answers its own PM I/O space by acpi_pm_read/write for offsets
 * 0-0Bh, and puts acpi_pm_sci() on a wire whenever `changed` is called. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/snap.h"

#define ACPI_PM_HZ 3579545u

enum { /* PM1 status and enable */
    PM1_TMR = 0x0001, PM1_BM = 0x0010, PM1_GBL = 0x0020, PM1_PWRBTN = 0x0100,
    PM1_SLPBTN = 0x0200, PM1_RTC = 0x0400, PM1_WAK = 0x8000
};
enum { PM1_SCI_EN = 0x0001, PM1_BM_RLD = 0x0002, PM1_GBL_RLS = 0x0004, PM1_SLP_TYP = 0x1c00,
       PM1_SLP_EN = 0x2000 };

struct acpi_pm {
    struct clock *clock;
    struct vtimer overflow;
    void (*changed)(void *owner);                   /* the SCI level may have changed */
    void (*sleep)(void *owner, unsigned slp_typ);   /* SLP_EN was written */
    void *owner;
    uint16_t sts, en, cnt;
    vtime origin;       /* when the timer was 0 */
    uint64_t next_flip; /* timer tick (not cut to 24 bits) at which bit 23 changes next */
};

void acpi_pm_init(struct acpi_pm *pm, struct clock *clk, const char *timer_name,
                  void (*changed)(void *owner), void (*sleep)(void *owner, unsigned slp_typ),
                  void *owner);
void acpi_pm_reset(struct acpi_pm *pm);
uint32_t acpi_pm_read(struct acpi_pm *pm, unsigned off, unsigned size);
void acpi_pm_write(struct acpi_pm *pm, unsigned off, uint32_t val, unsigned size);
bool acpi_pm_sci(const struct acpi_pm *pm);
void acpi_pm_raise(struct acpi_pm *pm, uint16_t sts_bits); /* buttons, wake */
void acpi_pm_set_sci_en(struct acpi_pm *pm, bool on);      /* what the SMI handler does at B2h */
void acpi_pm_snap(struct acpi_pm *pm, struct snap *s);
