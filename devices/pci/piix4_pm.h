/* Intel 82371AB PIIX4, function 3: power management and SMBus, as PC firmware expects it beside a
 * PIIX3 (8086:7113).
 *
 * Wiring by the board:
 *   piix4_pm_init(&pm, "piix4_pm", &pci, PCI_DEVFN(1, 3), clk, sci, power, ctx)
 *   bus_map(ports, &pm.apm)   (B2h-B3h)      bus_map(ports, &pm.gpe)   (AFE0h-AFE3h)
 * sci: level, active high, to {piix3_isa_irq, &isa, PIIX3_ISA_PIN(1, 9)}.  The PM and SMBus I/O
 * spaces place themselves as the guest programs PMBASE and SMBBASE.
 * power(ctx, slp_typ) is called from inside a port write when the guest asks for soft off
 * (slp_typ 0): note it, and act at the end of the slice.
 * piix4_pm_power_button is called at a slice boundary. */
#pragma once
#include "devices/pci/pci.h"
#include "devices/timer/acpi_pm.h"

/* what written to APMC (B2h) gives the fixed hardware to the operating system, and back */
enum { PIIX4_ACPI_ENABLE = 0xf1, PIIX4_ACPI_DISABLE = 0xf0 };

struct piix4_pm {
    struct device dev;
    struct pci_dev pci;
    struct region pm_io;  /* 64 bytes at PMBASE */
    struct region smb_io; /* 16 bytes at SMBBASE */
    struct region apm;    /* APMC, APMS */
    struct region gpe;    /* GPE0 status and enable, 2 bytes each */
    struct irq_line sci;
    struct acpi_pm pm;
    void (*power)(void *ctx, unsigned slp_typ);
    void *power_ctx;
    uint8_t apmc, apms;
    uint8_t rest[64]; /* PM I/O registers 0Ch-3Fh that only read back */
    uint16_t gpe_sts, gpe_en;
    struct vtimer smb_done; /* the address byte went unanswered */
    uint8_t smb[16];
    bool smb_irq;
};

bool piix4_pm_init(struct piix4_pm *p, const char *id, struct pci_bus *bus, uint8_t devfn,
                   struct clock *clk, struct irq_line sci,
                   void (*power)(void *ctx, unsigned slp_typ), void *ctx) NODISCARD;
void piix4_pm_power_button(struct piix4_pm *p);
void piix4_pm_rtc(struct piix4_pm *p); /* IRQ8# was asserted: sets RTC_STS */
void piix4_pm_sleep_button(struct piix4_pm *p); /* no such pin on PIIX4: sets SLPBTN_STS */
