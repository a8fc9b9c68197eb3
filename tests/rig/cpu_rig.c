/* A bench for the processor alone.  See cpu_rig.h. */
#include "tests/rig/cpu_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

static void rig_put(struct cpu_rig *r, uint64_t v)
{
    if (r->out_len + 1 < sizeof r->out) {
        r->out[r->out_len++] = (char)v;
    }
}

static uint64_t uart_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev;
    (void)size;
    return off == 5 ? 0x60 : 0;
}

static void uart_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct cpu_rig *r = dev;
    (void)size;
    if (off == 3) {
        r->latch = val & 0x80;
    } else if (off == 0 && !r->latch) { /* not the divisor */
        rig_put(r, val);
    }
}

static void debug_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)off;
    (void)size;
    rig_put(dev, val);
}

static uint64_t port_read(void *dev, uint64_t off, unsigned size)
{
    struct cpu_rig *r = dev;
    (void)size;
    if (off == 0x40) { /* a clock to look at: instructions retired so far */
        return clock_now(&r->clk);
    }
    return off == 0x92 ? 2 : ~0ull;
}

static void port_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct cpu_rig *r = dev;
    if (off == 0xf4) {
        r->ended = true;
        cpu_resched(r->cpu);
    } else if (off == 0x20) {
        cpu_irq(r->cpu, false);
    } else if (off == 0x21) { /* a device that raises its line at once */
        r->vector = (uint8_t)val;
        r->irq_once = true;
        cpu_irq(r->cpu, true);
    }
    r->port_sum = r->port_sum * 31 + (uint32_t)(off ^ val << 4 ^ size);
}

static int rig_ack(void *pic)
{
    struct cpu_rig *r = pic;
    if (r->irq_once) {
        cpu_irq(r->cpu, false);
    }
    return r->vector;
}

static const struct region_ops uart_ops = {uart_read, uart_write, 1, 1};
static const struct region_ops debug_ops = {NULL, debug_write, 1, 1};
static const struct region_ops port_ops = {port_read, port_write, 1, 4};

struct cpu_rig *cpu_rig_create(const char *model, uint64_t ram_size)
{
    struct err err = {0};
    struct cpu_rig *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    clock_init(&r->clk);
    r->mem = bus_create("mem", 36);
    r->ports = bus_create("ports", 16);
    if (!ram_init(&r->ram, ram_size, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return NULL;
    }
    r->ram_region = (struct region){.name = "ram", .kind = REGION_RAM, .base = 0, .len = ram_size,
                                    .ram = &r->ram, .priority = 0};
    r->all_ports = (struct region){.name = "ports", .kind = REGION_IO, .base = 0, .len = 0x10000,
                                   .ops = &port_ops, .dev = r, .priority = 0};
    r->uart = (struct region){.name = "uart", .kind = REGION_IO, .base = 0x3f8, .len = 8,
                              .ops = &uart_ops, .dev = r, .priority = 1};
    r->debug = (struct region){.name = "debug", .kind = REGION_IO, .base = 0xe9, .len = 1,
                               .ops = &debug_ops, .dev = r, .priority = 1};
    char name[32] = "";
    snprintf(name, sizeof name, "%.*s", model ? (int)strcspn(model, ",") : 0, model ? model : "");
    struct cpu_config cfg = {.model = model ? name : NULL,
                             .flags = model && strchr(model, ',') ? strchr(model, ',') + 1 : NULL};
    struct cpu_env env = {.mem = r->mem, .ports = r->ports, .ram = &r->ram, .clock = &r->clk,
                          .ack_irq = rig_ack, .pic = r};
    if (!bus_map(r->mem, &r->ram_region, &err) || !bus_map(r->ports, &r->all_ports, &err) ||
        !bus_map(r->ports, &r->uart, &err) || !bus_map(r->ports, &r->debug, &err) ||
        !(r->cpu = cpu_create(&cpu_accel_interp, &cfg, &env, &err))) {
        fprintf(stderr, "%s\n", err.msg);
        cpu_rig_destroy(r);
        return NULL;
    }
    return r;
}

void cpu_rig_destroy(struct cpu_rig *r)
{
    cpu_destroy(r->cpu);
    bus_destroy(r->mem);
    bus_destroy(r->ports);
    ram_fini(&r->ram);
    free(r);
}

void cpu_rig_load(struct cpu_rig *r, uint64_t at, const void *bytes, size_t len)
{
    ram_store(&r->ram, at, bytes, len);
}

static void rig_store64(struct cpu_rig *r, uint64_t at, uint64_t v)
{
    uint8_t b[8];
    store_le64(b, v);
    ram_store(&r->ram, at, b, 8);
}

void cpu_rig_flat32(struct cpu_rig *r, uint32_t eip, uint32_t esp)
{
    static const uint64_t gdt[] = {0, 0x00cf9b000000ffffull, 0x00cf93000000ffffull,
                                   0x00cffb000000ffffull, 0x00cff3000000ffffull};
    struct cpu_state *s = cpu_state(r->cpu);
    for (unsigned i = 0; i < 5; i++) {
        rig_store64(r, 0x500 + i * 8, gdt[i]);
    }
    s->gdt_base = 0x500;
    s->gdt_limit = sizeof gdt - 1;
    s->idt_base = 0x800;
    s->idt_limit = 0x7ff;
    s->cr0 |= CR0_PE;
    s->cpl = 0;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        s->seg[i] = (struct seg){.sel = 0x10, .attr = 0xc093, .limit = 0xffffffff};
    }
    s->seg[SEG_CS] = (struct seg){.sel = 8, .attr = 0xc09b, .limit = 0xffffffff};
    s->rip = eip;
    s->gpr[REG_SP] = esp;
    cpu_state_changed(r->cpu);
}

void cpu_rig_real(struct cpu_rig *r, uint16_t cs, uint16_t ip, uint16_t sp)
{
    struct cpu_state *s = cpu_state(r->cpu);
    s->seg[SEG_CS].sel = cs;
    s->seg[SEG_CS].base = (uint64_t)cs << 4;
    s->rip = ip;
    s->gpr[REG_SP] = sp;
    s->idt_limit = 0x3ff;
    cpu_state_changed(r->cpu);
}

void cpu_rig_paging(struct cpu_rig *r, uint32_t pd_at)
{
    uint32_t pages = (uint32_t)(r->ram.size >> PAGE_SHIFT), pts = (pages + 1023) / 1024;
    uint8_t b[4];
    for (uint32_t i = 0; i < pages; i++) {
        store_le32(b, i << 12 | 7);
        ram_store(&r->ram, pd_at + 4096 + i * 4, b, 4);
    }
    for (uint32_t i = 0; i < pts; i++) {
        store_le32(b, (pd_at + 4096 + i * 4096) | 7);
        ram_store(&r->ram, pd_at + i * 4, b, 4);
    }
    struct cpu_state *s = cpu_state(r->cpu);
    s->cr3 = pd_at;
    s->cr0 |= CR0_PG;
    cpu_state_changed(r->cpu);
}

void cpu_rig_gate(struct cpu_rig *r, unsigned vector, uint32_t eip, unsigned dpl)
{
    rig_store64(r, 0x800 + vector * 8,
                (uint64_t)(eip & 0xffff0000) << 32 | (uint64_t)(0x8e00 | dpl << 13) << 32 |
                    8u << 16 | (eip & 0xffff));
}

void cpu_rig_long64(struct cpu_rig *r, uint32_t tables, uint64_t rip, uint64_t rsp)
{
    static const uint64_t gdt[] = {0, 0x00af9b000000ffffull, 0x00cf93000000ffffull,
                                   0x00affb000000ffffull, 0x00cff3000000ffffull};
    uint64_t pages = r->ram.size >> PAGE_SHIFT, pt = tables + 0x6000;
    for (uint64_t i = 0; i < 0x6000; i += 8) {
        rig_store64(r, tables + i, 0);
    }
    rig_store64(r, tables, (tables + 0x1000) | 7);
    rig_store64(r, tables + 511 * 8, (tables + 0x2000) | 7);
    rig_store64(r, tables + 255 * 8, (tables + 0x3000) | 7);
    rig_store64(r, tables + 0x1000, (tables + 0x4000) | 7);
    rig_store64(r, tables + 0x2000 + 510 * 8, (tables + 0x4000) | 7);
    rig_store64(r, tables + 0x3000 + 511 * 8, (tables + 0x5000) | 7);
    rig_store64(r, tables + 0x4000, pt | 7);
    rig_store64(r, tables + 0x5000 + 511 * 8, pt | 7);
    for (uint64_t i = 0; i < 512; i++) {
        rig_store64(r, pt + i * 8, (i % pages) << PAGE_SHIFT | 7);
    }
    for (unsigned i = 0; i < 5; i++) {
        rig_store64(r, 0x500 + i * 8, gdt[i]);
    }
    rig_store64(r, 0x600 + 4, rsp);
    rig_store64(r, 0x600 + 36, rsp);
    struct cpu_state *s = cpu_state(r->cpu);
    s->gdt_base = 0x500;
    s->gdt_limit = sizeof gdt - 1;
    s->idt_base = tables + 0x7000;
    s->idt_limit = 0xfff;
    s->tr = (struct seg){.sel = 0x28, .attr = 0x8b, .limit = 103, .base = 0x600};
    s->cr0 |= CR0_PE | CR0_PG;
    s->cr3 = tables;
    s->cr4 |= CR4_PAE | CR4_OSFXSR;
    s->efer |= EFER_LME | EFER_LMA | EFER_SCE;
    s->cpl = 0;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        s->seg[i] = (struct seg){.sel = 0x10, .attr = 0xc093, .limit = 0xffffffff};
    }
    s->seg[SEG_CS] = (struct seg){.sel = 8, .attr = 0xa09b, .limit = 0xffffffff};
    s->rip = rip;
    s->gpr[REG_SP] = rsp;
    cpu_state_changed(r->cpu);
}

void cpu_rig_gate64(struct cpu_rig *r, unsigned vector, uint64_t rip)
{
    uint64_t at = cpu_state(r->cpu)->idt_base + vector * 16;
    rig_store64(r, at, (rip & 0xffff) | 8u << 16 | (uint64_t)0xee01 << 32 |
                           (rip & 0xffff0000) << 32);
    rig_store64(r, at + 8, rip >> 32);
}

enum cpu_stop cpu_rig_run(struct cpu_rig *r, uint64_t max)
{
    r->clk.progress = cpu_progress(r->cpu);
    enum cpu_stop s = cpu_run(r->cpu, max, &r->done);
    vtime now = clock_now(&r->clk);
    clock_advance(&r->clk, now);
    return s;
}

uint64_t cpu_rig_hash(struct cpu_rig *r)
{
    struct snap s;
    snap_init_hash(&s);
    cpu_snap(r->cpu, &s);
    uint64_t h = s.hash ^ r->port_sum;
    snap_fini(&s);
    return ram_hash(&r->ram, h);
}
