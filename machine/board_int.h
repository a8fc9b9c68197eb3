/* The board's inside, shared by machine/board_*.c: every chip there is, and what the parts of the
 * board's code call of each other. */
#pragma once
#include "devices/char/debug_exit.h"
#include "devices/char/debugcon.h"
#include "devices/char/parallel.h"
#include "devices/char/uart16550.h"
#include "devices/dma/i8237.h"
#include "devices/firmware/fw_cfg.h"
#include "devices/input/i8042.h"
#include "devices/input/ps2kbd.h"
#include "devices/input/ps2mouse.h"
#include "devices/irqchip/i82093aa.h"
#include "devices/irqchip/i8259.h"
#include "devices/irqchip/lapic.h"
#include "devices/misc/pc_testdev.h"
#include "devices/misc/pci_testdev.h"
#include "devices/net/ne2k_isa.h"
#include "devices/net/ne2k_pci.h"
#include "devices/pci/i440fx.h"
#include "devices/pci/piix3.h"
#include "devices/pci/piix4_pm.h"
#include "devices/port92.h"
#include "devices/storage/fdc82077.h"
#include "devices/storage/piix_ide.h"
#include "devices/timer/hpet.h"
#include "devices/timer/i8254.h"
#include "devices/timer/mc146818.h"
#include "devices/timer/port61.h"
#include "devices/video/vga.h"
#include "devices/video/vga_pci.h"
#include "machine/machine_int.h"

#define BOARD_DEVICES 64

/* Who drives an ISA IRQ: chips with a wire of their own, the PIIX3 (PCI and what shares with it),
 * the HPET in place of the 8254 and the RTC. */
enum board_irq_source {
    BOARD_IRQ_CHIP, BOARD_IRQ_PIIX3, BOARD_IRQ_HPET, BOARD_IRQ_TEST, BOARD_IRQ_LPT,
    BOARD_IRQ_SOURCES = BOARD_IRQ_LPT + MACHINE_PARALLELS
};

struct board {
    struct machine *m;
    struct region ram_low, ram_high, ram_above_4g, bios_high, bios_low, fpu_port;
    uint64_t below_4g, above_4g; /* bytes of RAM on either side of the PCI hole */
    struct i8259 pic[2];
    struct apic_bus apic;
    struct lapic lapic[MACHINE_CPUS]; /* one a processor */
    struct board_cpu {                /* a processor's place on the board */
        struct board *b;
        unsigned i;
    } place[MACHINE_CPUS];
    struct i82093aa ioapic;
    struct hpet hpet;
    uint16_t irq[BOARD_IRQ_SOURCES], irq_level; /* bit n: ISA IRQ n */
    bool hpet_legacy;                           /* the HPET has taken IRQ 0 and IRQ 8 */
    uint64_t irq_count[16];                     /* for "info irq"; not the guest's to see */
    struct i8254 pit;
    struct port61 port61;
    struct port92 port92;
    struct mc146818 rtc;
    struct i8042 kbc;
    struct ps2kbd kbd;
    struct ps2mouse mouse;
    struct i8237 dma;
    struct fdc82077 fdc;
    struct uart16550 uart[MACHINE_SERIALS];
    struct parallel parallel[MACHINE_PARALLELS];
    uint8_t parallel_irq[MACHINE_PARALLELS];
    struct debugcon debugcon[MACHINE_DEBUGCONS];
    struct debug_exit debug_exit;
    struct pc_testdev pc_testdev;
    struct pci_testdev pci_testdev;
    struct fw_cfg fw;
    struct pci_bus pci;
    struct i440fx pmc;
    struct piix3 isa;
    struct piix_ide ide;
    struct piix4_pm pm;
    struct vga vga;
    struct vga_pci vga_pci;
    union { /* by the model that the configuration names */
        struct ne2k_isa isa;
        struct ne2k_pci pci;
    } net[MACHINE_NICS];
    uint8_t net_irq[MACHINE_NICS], net_source[MACHINE_NICS]; /* of ISA cards: board_net.c */
    bool has_vga, has_pm;
    bool acpi_apic; /* the processor has a local APIC for the ACPI tables to name */
    uint16_t acpi_pm_base, acpi_smb_base; /* what the ACPI tables say */
    uint32_t acpi_len;                    /* their length: it never changes */
    struct device *devices[BOARD_DEVICES]; /* in order of reset, snapshot and printing */
    unsigned device_count;
    uint8_t *bios;
    bool a20_port92, a20_kbc;
    bool booted_once; /* -boot once= was used up */
};

void board_add(struct board *b, struct device *dev);
bool board_port(struct board *b, struct region *r, uint64_t base, struct err *err);
struct irq_line board_line(void (*set)(void *, unsigned, bool), void *sink, unsigned pin);

/* board_irq.c: interrupt controllers and their wires */
bool board_irqs(struct board *b, struct err *err);
struct irq_line board_irq(struct board *b, enum board_irq_source source, unsigned irq);
struct cpu_apic board_cpu_apic(struct board *b, unsigned cpu);
int board_inta(void *place);
void board_nmi(struct board *b);
void board_irq_snap(struct board *b, struct snap *s);
/* board_memory.c: RAM around the PCI hole, and the BIOS */
bool board_memory(struct board *b, struct err *err);
/* board_firmware.c: what the firmware asks */
void board_cmos(struct board *b);
bool board_firmware(struct board *b, struct err *err);
/* with the processor: what the tables say of it */
bool board_smbios(struct board *b, struct err *err);
/* board_boot.c: the boot order, device by device */
bool board_boot_order(struct board *b, struct err *err);
/* board_acpi.c: the ACPI tables, when the processor is there */
bool board_acpi(struct board *b, struct err *err);
void board_acpi_snap(struct board *b, struct snap *s);
uint8_t board_serial_irq(const struct board *b, unsigned port);
/* board_net.c: network cards */
bool board_net(struct board *b, struct err *err);
/* board_test.c: devices of test suites */
bool board_test(struct board *b, struct err *err);
