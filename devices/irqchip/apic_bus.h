/* The APIC bus: which local APIC takes a message, and where the registers of all of them appear.
 *
 * Every processor has its local APIC at the same address.  The one region here stands for all of
 * them: `current` says whose access it is.  Messages come from local APICs and I/O APICs; the end
 * of a level-triggered interrupt goes back to all I/O APICs. */
#pragma once
#include "devices/device.h"
#include "mem/bus.h"

enum apic_mode {
    APIC_FIXED, APIC_LOWEST, APIC_SMI, APIC_NMI = 4, APIC_INIT, APIC_STARTUP, APIC_EXTINT
};
enum apic_to { APIC_TO_DEST, APIC_TO_SELF, APIC_TO_ALL, APIC_TO_OTHERS };
struct apic_msg {
    uint8_t to;   /* enum apic_to */
    uint8_t dest; /* APIC_TO_DEST: an ID, or a set of processors if logical */
    bool logical;
    uint8_t mode; /* enum apic_mode */
    uint8_t vector;
    bool level; /* the handler's EOI is waited for */
};

#define APIC_CHIPS 8 /* processors, at most */
#define APIC_IO_CHIPS 2
#define APIC_ID_ALL 0xff

struct lapic;
struct apic_bus {
    struct region regs; /* 4 KB: FEE00000h unless moved */
    struct lapic *chip[APIC_CHIPS];
    unsigned chips;
    struct {
        void (*eoi)(void *ctx, uint8_t vector);
        void *ctx;
    } io[APIC_IO_CHIPS];
    unsigned ios;
    struct lapic *(*current)(void *ctx); /* the local APIC of the processor that runs */
    void *ctx;
};

/* current NULL: there is one processor. */
void apic_bus_init(struct apic_bus *bus, struct lapic *(*current)(void *ctx), void *ctx);
void apic_bus_add(struct apic_bus *bus, struct lapic *chip);
void apic_bus_add_io(struct apic_bus *bus, void (*eoi)(void *ctx, uint8_t vector), void *ctx);
/* from: the sending local APIC, NULL for an I/O APIC. */
void apic_bus_send(struct apic_bus *bus, const struct apic_msg *msg, const struct lapic *from);
void apic_bus_eoi(struct apic_bus *bus, uint8_t vector);
