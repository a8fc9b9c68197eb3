/* Interrupt controllers on the bench. */
#include "tests/rig/apic_bench.h"

#include <stdlib.h>
#include <string.h>

static struct lapic *bench_current(void *ctx)
{
    struct apic_bench *b = ctx;
    return &b->cpu[b->running & 1];
}

static void bench_startup(void *ctx, uint8_t vector)
{
    struct apic_bench *b = ctx;
    b->startups++;
    b->startup_vector = vector;
}

static void make_apics(struct rig *r)
{
    static const char *const name[] = {"lapic0", "lapic1"};
    struct apic_bench *b = malloc(sizeof *b);
    if (!b) {
        abort();
    }
    memset(b, 0xa5, sizeof *b); /* T37: what init and reset forget shows */
    r->priv = b;
    b->running = 0;
    b->startups = 0;
    apic_bus_init(&b->bus, bench_current, b);
    for (unsigned i = 0; i < 2; i++) {
        struct lapic_pins pins = {.intr = rig_wire(r, PIN_INTR + i * PIN_CPU1),
                                  .nmi = rig_wire(r, PIN_NMI + i * PIN_CPU1),
                                  .init = rig_wire(r, PIN_INIT + i * PIN_CPU1),
                                  .smi = rig_wire(r, PIN_SMI + i * PIN_CPU1),
                                  .startup = bench_startup,
                                  .ctx = b};
        lapic_init(&b->cpu[i], name[i], &r->clk, &b->bus, (uint8_t)i, &pins);
        rig_add_device(r, &b->cpu[i].dev);
    }
    i82093aa_init(&b->io, "ioapic0", &b->bus);
    rig_add_device(r, &b->io.dev);
}

static void make_lapic(struct rig *r)
{
    make_apics(r);
    rig_add_region(r, &((struct apic_bench *)r->priv)->bus.regs);
    rig_add_region(r, &((struct apic_bench *)r->priv)->io.regs);
}

static void make_ioapic(struct rig *r)
{
    make_apics(r);
    rig_add_region(r, &((struct apic_bench *)r->priv)->io.regs);
    rig_add_region(r, &((struct apic_bench *)r->priv)->bus.regs);
}

static void unmake(struct rig *r)
{
    free(r->priv);
}

static void bench_reg(struct apic_bench *b, unsigned off, uint32_t v)
{
    region_out(&b->bus.regs, off, v, 4);
}

static void bench_entry(struct apic_bench *b, unsigned pin, uint64_t e)
{
    region_out(&b->io.regs, 0, 0x11 + pin * 2, 4);
    region_out(&b->io.regs, 0x10, e >> 32, 4);
    region_out(&b->io.regs, 0, 0x10 + pin * 2, 4);
    region_out(&b->io.regs, 0x10, (uint32_t)e, 4);
}

static void busy_apics(struct rig *r)
{
    struct apic_bench *b = r->priv;
    for (b->running = 0; b->running < 2; b->running++) {
        bench_reg(b, 0xf0, 0x1ff);
        bench_reg(b, 0xd0, 1u << (24 + b->running));
        bench_reg(b, 0x3e0, 3);
        bench_reg(b, 0x320, 0x20000 | (0x40 + b->running));
        bench_reg(b, 0x380, 1000);
        bench_reg(b, 0x350, 0x8000 | 0x50);
    }
    b->running = 0;
    bench_entry(b, 5, 0x0300000000008961); /* lowest priority, logical, level */
    i82093aa_set(&b->io, 5, true);
    lapic_ack(&b->cpu[0]);
    lapic_lint(&b->cpu[1], 0, true);
    rig_advance(r, 55555);
    bench_reg(b, 0x300, 0xc4033);
}

/* A 32-bit access where the random ones are mostly bytes; pins; INTA; whose turn it is. */
static void input_apics(struct rig *r, uint32_t v)
{
    struct apic_bench *b = r->priv;
    uint32_t x = v * 2654435761u;
    b->running = v >> 31;
    struct lapic *l = bench_current(b);
    switch (v & 15) {
    case 0: case 1: lapic_ack(l); break;
    case 2: lapic_lint(l, v >> 4 & 1, v >> 5 & 1); break;
    case 3: case 4: i82093aa_set(&b->io, v >> 4 & 31, v >> 9 & 1); break;
    case 5: case 6: /* an entry with a mode that exists, to whoever */
        bench_entry(b, v >> 4 & 31,
                    (uint64_t)(v >> 9 & 3) << 56 | (x & 0xafff) | (v >> 11 & 1) << 16);
        break;
    case 7: bench_reg(b, 0xb0, 0); break;
    case 8: bench_reg(b, 0xf0, 0x100 | (x & 0xff)); break;
    case 9:
        if (v >> 4 & 1) {
            lapic_set_base(l, 0xfee00000 | (v >> 5 & 7 ? 0x800 : 0));
        } else {
            lapic_set_tpr(l, (uint8_t)(v >> 8));
        }
        break;
    case 10: region_in(&b->bus.regs, (v >> 4 & 0x3f) * 16, 4); break;
    case 11: bench_reg(b, 0x380, x >> (v >> 4 & 31)); break;
    default: bench_reg(b, (v >> 4 & 0x3f) * 16, x ^ x >> 15); break;
    }
    b->running = 0;
}

static const struct contract_pure pure_lapic[] = {{0, 0x20, 4}, {0, 0xa0, 4}, {0, 0x390, 4}};
const struct contract_case case_lapic = {"lapic", make_lapic, unmake, busy_apics, input_apics,
                                         pure_lapic, 3, 12000, 0};
static const struct contract_pure pure_ioapic[] = {{0, 0, 4}, {0, 0x10, 4}};
const struct contract_case case_i82093aa = {"i82093aa", make_ioapic, unmake, busy_apics,
                                            input_apics, pure_ioapic, 2, 12000, 0};

/* ---- HPET ---- */

static void make_hpet(struct rig *r)
{
    struct hpet *h = malloc(sizeof *h);
    if (!h) {
        abort();
    }
    memset(h, 0xa5, sizeof *h);
    r->priv = h;
    struct hpet_pins pins = {.irq0 = rig_wire(r, PIN_HPET_IRQ0),
                             .irq8 = rig_wire(r, PIN_HPET_IRQ8),
                             .legacy = rig_wire(r, PIN_HPET_LEGACY)};
    for (unsigned i = 0; i < HPET_ROUTES; i++) {
        pins.apic[i] = rig_wire(r, PIN_HPET_ROUTE + i);
    }
    hpet_init(h, "hpet", &r->clk, &pins);
    rig_add_region(r, &h->regs);
    rig_add_device(r, &h->dev);
}

static void busy_hpet(struct rig *r)
{
    struct region *g = r->regs[0];
    region_out(g, 0x100, 0x4c | 21 << 9, 4); /* periodic, with VAL_SET */
    region_out(g, 0x108, 5000, 8);
    region_out(g, 0x108, 777, 8);
    region_out(g, 0x120, 0x106 | 20 << 9, 4); /* one-shot, level, 32 bits */
    region_out(g, 0x128, 4000, 4);
    region_out(g, 0x10, 1, 4);
    rig_advance(r, 45 * VTIME_US);
}

static void input_hpet(struct rig *r, uint32_t v)
{
    static const uint16_t at[] = {0x10, 0x20, 0xf0, 0xf4, 0x100, 0x108, 0x10c, 0x120,
                                  0x128, 0x12c, 0x140, 0x148, 0x14c, 0x104, 0x108, 0x110};
    uint32_t x = v * 2654435761u;
    unsigned off = at[v & 15];
    switch (v >> 4 & 3) {
    case 0: region_out(r->regs[0], off, x >> (v >> 8 & 31), 4); break;
    case 1: region_out(r->regs[0], off & ~7u, x >> (v >> 8 & 31), 8); break;
    case 2: /* a comparator a little ahead */
        region_out(r->regs[0], 0x108 + 0x20 * (v % 3), region_in(r->regs[0], 0xf0, 8) + (x >> 22),
                   v >> 8 & 1 ? 8 : 4);
        break;
    default: region_out(r->regs[0], 0x10, v >> 8 & 3, 4); break;
    }
}

static const struct contract_pure pure_hpet[] = {{0, 0xf0, 8}, {0, 0x100, 8}, {0, 0x128, 4}};
const struct contract_case case_hpet = {"hpet", make_hpet, unmake, busy_hpet, input_hpet,
                                        pure_hpet, 3, 12000, 0};
