/* Intel 82371SB PIIX3: PCI-to-ISA bridge (function 0) and the OR of interrupt wires it holds.
 * Its IDE function is devices/storage/piix_ide.h; power management is piix4_pm.h.
 *
 * Wiring by the board:
 *   piix3_init(&isa, "piix3", &pci, PCI_DEVFN(1, 0), isa_irq, reset, ctx)
 * isa_irq: sixteen lines to the two i8259 (line n to pin n; 0, 2 and 13 are never driven by PIRQs
 * but can be by piix3_isa_irq).  The pci_bus gets pirq lines {piix3_pirq, &isa, 0..3}.  An ISA
 * device (or the SCI) that shares an IRQ with PCI goes through
 *   {piix3_isa_irq, &isa, PIIX3_ISA_PIN(source, irq)}      source 0..3: one per device on that IRQ
 * and is ORed in.  reset(ctx, hard) is called from inside a port write: note it, and act at the end
 * of the slice.  CF9h is reached through the pci_bus; nothing to map. */
#pragma once
#include "devices/pci/pci.h"

#define PIIX3_ISA_PIN(source, irq) ((source) * 16u + (irq))

struct piix3 {
    struct device dev;
    struct pci_dev pci;
    struct region rc; /* reset control, answered through pci_bus */
    struct irq_line isa[16];
    void (*reset)(void *ctx, bool hard);
    void *reset_ctx;
    uint8_t pirq;     /* bit n: PIRQ n is active */
    uint16_t src[4];  /* ISA sources: bit n of src[s] is source s on IRQ n */
    uint8_t rcr;
};

bool piix3_init(struct piix3 *isa, const char *id, struct pci_bus *bus, uint8_t devfn,
                const struct irq_line isa_irq[16], void (*reset)(void *ctx, bool hard), void *ctx)
    NODISCARD;
void piix3_pirq(void *isa, unsigned pin, bool level);
void piix3_isa_irq(void *isa, unsigned pin, bool level);
