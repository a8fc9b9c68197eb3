/* I/O APIC: Intel 82093AA (data sheet 290566), "Memory Mapped Registers for Accessing IOAPIC
 * Registers", "IOAPIC Registers", "Interrupt Processing".  24 pins, version 11h: what stands beside
 * a PIIX3 (QEMU says 20h, which promises an EOI register that this chip has not).
 *
 *   FEC00000h IOREGSEL   0 ID   1 version   2 arbitration   10h + 2n, 11h + 2n: entry of pin n
 *   FEC00010h IOWIN
 *
 *   edge   INTIN rises while the pin is unmasked -> one message; masked edges are lost
 *   level  INTIN asserted, unmasked and remote IRR clear -> message, remote IRR set until EOI
 *
 * A wire here says "asserted": INTPOL is kept and does nothing, so that a guest that was told the
 * wrong polarity by some table gets its interrupts all the same, as with every other emulator.
 *
 * Registers are 32 bits; narrower and odd accesses read 0 and write nothing.
 * NOT IMPLEMENTED: input polarity (above); the arbitration ID (it follows the ID). */
#include "devices/irqchip/i82093aa.h"

#include "base/bits.h"
#include "base/log.h"

enum { R_ID = 0, R_VERSION = 1, R_ARBITRATION = 2, R_ENTRY = 0x10 };
#define VERSION (0x11u | (I82093AA_PINS - 1) << 16)
#define ENTRY_WRITABLE 0xff0000000001afffull /* not: delivery status, remote IRR */

static void i82093aa_send(struct i82093aa *io, unsigned pin)
{
    uint64_t e = io->entry[pin];
    struct apic_msg m = {.to = APIC_TO_DEST, .dest = (uint8_t)(e >> 56),
                         .logical = e & IOAPIC_LOGICAL, .mode = e >> 8 & 7, .vector = (uint8_t)e,
                         .level = e & IOAPIC_LEVEL};
    /* "Delivery Mode": only fixed and lowest priority may be level-triggered */
    if (m.level && m.mode > APIC_LOWEST) {
        m.level = false;
    }
    if (m.mode == 3 || m.mode == APIC_STARTUP) {
        log_msg(LOG_GUEST, io->dev.id, "pin %u: reserved delivery mode %u", pin, m.mode);
        return;
    }
    if (m.level) {
        io->entry[pin] |= IOAPIC_REMOTE_IRR;
    }
    apic_bus_send(io->bus, &m, NULL);
}

/* A pin that is level-triggered may ask now. */
static void i82093aa_level(struct i82093aa *io, unsigned pin)
{
    uint64_t e = io->entry[pin];
    if ((io->lines >> pin & 1) && (e & IOAPIC_LEVEL) && !(e & (IOAPIC_MASK | IOAPIC_REMOTE_IRR)) &&
        (e >> 8 & 7) <= APIC_LOWEST) {
        i82093aa_send(io, pin);
    }
}

void i82093aa_set(void *sink, unsigned pin, bool level)
{
    struct i82093aa *io = sink;
    if (pin >= I82093AA_PINS) {
        return;
    }
    uint32_t bit = (uint32_t)1 << pin;
    bool rise = level && !(io->lines & bit);
    io->lines = level ? io->lines | bit : io->lines & ~bit;
    uint64_t e = io->entry[pin];
    bool by_level = (e & IOAPIC_LEVEL) && (e >> 8 & 7) <= APIC_LOWEST;
    if (by_level) {
        i82093aa_level(io, pin);
    } else if (rise && !(e & IOAPIC_MASK)) {
        i82093aa_send(io, pin);
    }
}

static void i82093aa_eoi(void *ctx, uint8_t vector)
{
    struct i82093aa *io = ctx;
    for (unsigned pin = 0; pin < I82093AA_PINS; pin++) {
        uint64_t e = io->entry[pin];
        if ((e & IOAPIC_REMOTE_IRR) && (e & 0xff) == vector) {
            io->entry[pin] &= ~(uint64_t)IOAPIC_REMOTE_IRR;
            i82093aa_level(io, pin);
        }
    }
}

static uint32_t i82093aa_get(const struct i82093aa *io)
{
    unsigned r = io->sel;
    if (r >= R_ENTRY && r < R_ENTRY + 2 * I82093AA_PINS) {
        return (uint32_t)(io->entry[(r - R_ENTRY) / 2] >> (r & 1 ? 32 : 0));
    }
    switch (r) {
    case R_ID: case R_ARBITRATION: return (uint32_t)io->id << 24;
    case R_VERSION: return VERSION;
    default: return 0;
    }
}

static void i82093aa_put(struct i82093aa *io, uint32_t v)
{
    unsigned r = io->sel;
    if (r == R_ID) {
        io->id = v >> 24 & 15;
    } else if (r >= R_ENTRY && r < R_ENTRY + 2 * I82093AA_PINS) {
        unsigned pin = (r - R_ENTRY) / 2;
        uint64_t old = io->entry[pin];
        uint64_t half = r & 1 ? 0xffffffff00000000ull : 0xffffffffull;
        uint64_t e = (old & ~(half & ENTRY_WRITABLE)) |
                     (((uint64_t)v << (r & 1 ? 32 : 0)) & half & ENTRY_WRITABLE);
        if (!(e & IOAPIC_LEVEL)) {
            e &= ~(uint64_t)IOAPIC_REMOTE_IRR; /* how software lets go of it: no EOI register */
        }
        io->entry[pin] = e;
        i82093aa_level(io, pin);
    }
}

static uint64_t i82093aa_read(void *dev, uint64_t off, unsigned size)
{
    const struct i82093aa *io = dev;
    if (size != 4 || (off & 0xef)) {
        return 0;
    }
    return off & 0x10 ? i82093aa_get(io) : io->sel;
}

static void i82093aa_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i82093aa *io = dev;
    if (size != 4 || (off & 0xef)) {
        log_msg(LOG_GUEST, io->dev.id, "write of %u bytes at %03x is lost", size, (unsigned)off);
    } else if (off & 0x10) {
        i82093aa_put(io, (uint32_t)val);
    } else {
        io->sel = (uint8_t)val;
    }
}

static void i82093aa_reset(struct device *dev, enum reset_kind kind)
{
    struct i82093aa *io = device_of(dev, struct i82093aa);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    /* the lines are other chips' outputs: they stay as driven */
    io->id = io->sel = 0;
    for (unsigned i = 0; i < I82093AA_PINS; i++) {
        io->entry[i] = IOAPIC_MASK;
    }
}

static void i82093aa_snap(struct device *dev, struct snap *s)
{
    struct i82093aa *io = device_of(dev, struct i82093aa);
    snap_u32(s, "lines", &io->lines);
    snap_u8(s, "id", &io->id);
    snap_u8(s, "sel", &io->sel);
    for (unsigned i = 0; i < I82093AA_PINS; i++) {
        snap_u64(s, "entry", &io->entry[i]);
    }
}

static const struct device_class i82093aa_class = {
    .name = "i82093aa",
    .snap_version = 1,
    .reset = i82093aa_reset,
    .snap = i82093aa_snap,
};
static const struct region_ops i82093aa_ops = {i82093aa_read, i82093aa_write, 1, 4};

void i82093aa_init(struct i82093aa *io, const char *id, struct apic_bus *bus)
{
    *io = (struct i82093aa){
        .dev = {&i82093aa_class, id},
        .regs = {.name = "ioapic.regs",
                 .base = 0xfec00000,
                 .len = 0x1000,
                 .priority = 1,
                 .ops = &i82093aa_ops,
                 .dev = io},
        .bus = bus,
    };
    apic_bus_add_io(bus, i82093aa_eoi, io);
    i82093aa_reset(&io->dev, RESET_POWER_ON);
}
