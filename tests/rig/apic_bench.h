/* Interrupt controllers on the bench: two local APICs on one bus with an I/O APIC, and the HPET. */
#pragma once
#include "devices/irqchip/i82093aa.h"
#include "devices/irqchip/lapic.h"
#include "devices/timer/hpet.h"
#include "tests/common/contract.h"

enum { /* probes; processor 1's are 8 further */
    PIN_INTR, PIN_NMI, PIN_INIT, PIN_SMI, PIN_CPU1 = 8
};
enum { PIN_HPET_IRQ0 = 16, PIN_HPET_IRQ8, PIN_HPET_LEGACY, PIN_HPET_ROUTE /* and 3 more */ };

struct apic_bench { /* regions: of the processor that runs, I/O APIC */
    struct apic_bus bus;
    struct lapic cpu[2];
    struct i82093aa io;
    unsigned running; /* whose access it is */
    unsigned startups;
    uint8_t startup_vector;
};

extern const struct contract_case case_lapic, case_i82093aa, case_hpet;
