/* The processor under test on a bench that looks like a Linux process to user code: long mode with
 * paging, the kernel's user segments and the LDT of oracle_ldt[].  See oracle.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cpu/core.h"
#include "tests/cpu/oracle.h"

enum { /* pages of RAM */
    AT_PML4, AT_PDPT, AT_PD, AT_PT, AT_PDPT_HIGH, AT_PD_HIGH, AT_PT_HIGH, AT_TABLES, AT_CODE,
    AT_DATA, PAGES = AT_DATA + ORACLE_DATA_SIZE / 0x1000
};
enum { LDT_AT = 0x800, TSS_AT = 0xc00, RUN_MAX = 96 };

struct oracle_side {
    struct clock clock;
    struct ram ram;
    struct region region;
    struct bus *mem, *ports;
    struct cpu *cpu;
    unsigned uses;
};

static void put64(struct oracle_side *s, unsigned page, unsigned off, uint64_t v)
{
    uint8_t b[8];
    store_le64(b, v);
    ram_store(&s->ram, page * 0x1000u + off, b, 8);
}

static void map_data(struct oracle_side *s, unsigned table, uint64_t lin)
{
    for (unsigned i = 0; i < ORACLE_DATA_SIZE / 0x1000; i++) {
        bool rw = i < ORACLE_RW_SIZE / 0x1000;
        put64(s, table, (unsigned)(((lin >> 12) + i) & 511) * 8,
              (AT_DATA + i) * 0x1000u | (rw ? 7 : 5) | (uint64_t)1 << 63);
    }
}

static void make_paging(struct oracle_side *s)
{
    put64(s, AT_PML4, 0, AT_PDPT * 0x1000 | 7);
    put64(s, AT_PDPT, 0, AT_PD * 0x1000 | 7);
    put64(s, AT_PD, (ORACLE_CODE >> 21 & 511) * 8, AT_PT * 0x1000 | 7);
    put64(s, AT_PT, (ORACLE_CODE >> 12 & 511) * 8, AT_CODE * 0x1000 | 5);
    put64(s, AT_PT, (ORACLE_TABLES >> 12 & 511) * 8, AT_TABLES * 0x1000 | 3);
    map_data(s, AT_PT, ORACLE_DATA);
    put64(s, AT_PML4, (ORACLE_HIGH >> 39 & 511) * 8, AT_PDPT_HIGH * 0x1000 | 7);
    put64(s, AT_PDPT_HIGH, (ORACLE_HIGH >> 30 & 511) * 8, AT_PD_HIGH * 0x1000 | 7);
    put64(s, AT_PD_HIGH, (ORACLE_HIGH >> 21 & 511) * 8, AT_PT_HIGH * 0x1000 | 7);
    map_data(s, AT_PT_HIGH, ORACLE_HIGH);
}

static uint64_t raw_desc(const struct oracle_desc *d)
{
    return (d->limit & 0xffff) | (uint64_t)(d->base & 0xffffff) << 16 | (uint64_t)d->attr << 40 |
           (uint64_t)(d->limit >> 16 & 0xf) << 48 | (uint64_t)(d->base >> 24) << 56;
}

/* Linux: arch/x86/include/asm/segment.h says which entry is which. */
static void make_tables(struct oracle_side *s)
{
    static const uint64_t kernel[4] = {0, 0x00cf9b000000ffff, 0x00af9b000000ffff,
                                       0x00cf93000000ffff};
    struct oracle_desc d;
    for (unsigned i = 0; i < 16; i++) {
        put64(s, AT_TABLES, i * 8,
              i < 4 ? kernel[i] : oracle_desc(i << 3, &d) ? raw_desc(&d) : 0);
    }
    for (unsigned i = 0; i < LDT_COUNT; i++) {
        put64(s, AT_TABLES, LDT_AT + i * 8, raw_desc(&oracle_ldt[i]));
    }
}

static void host_features(struct cpu *c)
{
    for (unsigned f = 1; f < FEAT_COUNT; f++) {
        bool has = oracle_native_has(f);
        c->feat.bits[f >> 6] &= ~((uint64_t)1 << (f & 63));
        c->feat.bits[f >> 6] |= (uint64_t)has << (f & 63);
    }
}

struct oracle_side *oracle_side_open(void)
{
    struct err err = {0};
    struct oracle_side *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    clock_init(&s->clock);
    s->mem = bus_create("memory", 40);
    s->ports = bus_create("ports", 16);
    s->region = (struct region){
        .name = "ram", .kind = REGION_RAM, .len = PAGES * 0x1000, .ram = &s->ram};
    struct cpu_env env = {.mem = s->mem, .ports = s->ports, .ram = &s->ram, .clock = &s->clock};
    struct cpu_config cfg = {.model = "max", .flags = "vendor=AuthenticAMD"};
    if (!ram_init(&s->ram, PAGES * 0x1000, &err) || !bus_map(s->mem, &s->region, &err) ||
        !(s->cpu = cpu_create(&cpu_accel_interp, &cfg, &env, &err))) {
        printf("%s\n", err.msg);
        return NULL;
    }
    host_features(s->cpu);
    make_paging(s);
    make_tables(s);
    uint8_t hlt[0x1000];
    memset(hlt, 0xf4, sizeof hlt);
    ram_store(&s->ram, AT_CODE * 0x1000, hlt, sizeof hlt);
    struct cpu_state *st = cpu_state(s->cpu);
    st->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    st->cr4 = CR4_PAE | CR4_PGE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE |
              CR4_FSGSBASE | CR4_UMIP;
    st->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    st->cr3 = AT_PML4 * 0x1000;
    st->xcr0 = 7;
    st->cpl = 3;
    st->gdt_base = ORACLE_TABLES;
    st->gdt_limit = 0x7f;
    st->ldtr = (struct seg){.sel = 0x50, .attr = ATTR_P | 2, .limit = LDT_COUNT * 8 - 1,
                            .base = ORACLE_TABLES + LDT_AT};
    st->tr = (struct seg){.sel = 0x40, .attr = ATTR_P | 11, .limit = 0x67,
                          .base = ORACLE_TABLES + TSS_AT}; /* no port is allowed */
    put64(s, AT_TABLES, TSS_AT + 0x60, (uint64_t)0xffff << 48);
    st->idt_limit = 0; /* a fault delivered ends in a triple fault: seen as such */
    return s;
}

const struct cpu_features *oracle_features(const struct oracle_side *s)
{
    return &s->cpu->feat;
}
uint8_t *oracle_side_data(struct oracle_side *s)
{
    return s->ram.host + AT_DATA * 0x1000;
}
void oracle_side_poke(struct oracle_side *s, unsigned off, const void *bytes, unsigned len)
{
    ram_store(&s->ram, AT_DATA * 0x1000 + off, bytes, len);
}

/* ---- state ---- */

static struct seg seg_of(unsigned sel, unsigned index, const struct oracle_regs *r)
{
    struct oracle_desc d;
    struct seg g = {.sel = (uint16_t)sel};
    if ((sel & 0xfffc) && oracle_desc(sel, &d)) {
        g.attr = d.attr;
        g.limit = d.attr & ATTR_G ? d.limit << 12 | 0xfff : d.limit;
        g.base = d.base;
    }
    if (index >= SEG_FS) {
        g.base = index == SEG_FS ? r->fsbase : r->gsbase;
    }
    return g;
}

static void load(struct oracle_side *s, const struct oracle_regs *r)
{
    struct cpu *c = s->cpu;
    struct cpu_state *st = cpu_state(c);
    bool same = s->uses++ % 4096 != 0 && !((st->rflags ^ r->rflags) & FL_AC);
    memcpy(st->gpr, r->gpr, sizeof st->gpr);
    st->rip = r->rip;
    st->rflags = r->rflags | 0x202;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        struct seg g = seg_of(r->sel[i], i, r);
        same = same && st->seg[i].sel == g.sel && st->seg[i].base == g.base &&
               st->seg[i].attr == g.attr;
        st->seg[i] = g;
    }
    st->fcw = load_le16(r->xs);
    st->fsw = load_le16(r->xs + 2);
    st->ftag = r->xs[4];
    st->mxcsr = load_le32(r->xs + 24);
    for (unsigned i = 0; i < 8; i++) {
        unsigned phys = (i + (st->fsw >> 11)) & 7;
        st->st[phys].man = load_le64(r->xs + 32 + 16 * i);
        st->st[phys].se = load_le16(r->xs + 40 + 16 * i);
    }
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 4; k++) {
            st->ymm[i][k] = load_le64(r->xs + (k < 2 ? 160 : 560) + 16 * i + 8 * k);
        }
    }
    st->activity = ACT_ACTIVE;
    st->inhibit = 0;
    st->cr2 = 0;
    c->fault_count = 0;
    if (!same) {
        cpu_state_changed(c);
        return;
    }
    flags_set_status(c, (uint32_t)st->rflags);
    c->inhibit_next = 0;
    c->fault.pending = false;
    c->in_delivery = false;
    c->exit_word = 0;
    cpu_irq_update(c);
}

static void store(const struct cpu_state *st, struct oracle_regs *r)
{
    memset(r, 0, sizeof *r);
    memcpy(r->gpr, st->gpr, sizeof r->gpr);
    r->rflags = st->rflags;
    r->rip = st->rip;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        r->sel[i] = st->seg[i].sel;
    }
    r->fsbase = st->seg[SEG_FS].base;
    r->gsbase = st->seg[SEG_GS].base;
    store_le16(r->xs, st->fcw);
    store_le16(r->xs + 2, st->fsw);
    r->xs[4] = st->ftag;
    store_le16(r->xs + 6, st->fop);
    store_le64(r->xs + 8, st->fip);
    store_le64(r->xs + 16, st->fdp);
    store_le32(r->xs + 24, st->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        unsigned phys = (i + (st->fsw >> 11)) & 7;
        store_le64(r->xs + 32 + 16 * i, st->st[phys].man);
        store_le16(r->xs + 40 + 16 * i, st->st[phys].se);
    }
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 4; k++) {
            store_le64(r->xs + (k < 2 ? 160 : 560) + 16 * i + 8 * k, st->ymm[i][k]);
        }
    }
}

/* ---- runs ---- */

struct oracle_end oracle_run_exec(struct oracle_side *s, const struct oracle_case *k,
                                  struct oracle_regs *out)
{
    struct cpu *c = s->cpu;
    struct oracle_end e = {.vector = ORACLE_NOFAULT};
    load(s, &k->regs);
    for (unsigned i = 0; i < RUN_MAX; i++) { /* as many calls as iterations */
        uint64_t mask = k->mode == DECODE_64 ? ~(uint64_t)0 : 0xffffffff;
        c->next_rip = (k->regs.rip + k->len) & mask;
        if (!exec_table[k->in.op](c, &k->in)) {
            e.vector = c->fault.vector;
            e.error = c->fault.has_error ? c->fault.error : 0;
            e.cr2 = c->fault.cr2;
            if (c->fault.soft) { /* INT3 and friends are traps */
                c->s.rip = c->next_rip;
            }
            break;
        }
        if (c->next_rip != c->s.rip) {
            c->s.rip = c->next_rip;
            break;
        }
    }
    flags_sync(c);
    store(&c->s, out);
    return e;
}

struct oracle_end oracle_run_engine(struct oracle_side *s, const uint8_t *code, unsigned len,
                                    unsigned at, const struct oracle_regs *in, unsigned piece,
                                    struct oracle_regs *out)
{
    struct cpu *c = s->cpu;
    struct oracle_end e = {.vector = ORACLE_RUNAWAY};
    uint8_t hlt[ORACLE_CODE_MAX];
    uint64_t done;
    unsigned fits = at + len <= 0x1000 ? len : 0x1000 - at;
    ram_store(&s->ram, AT_CODE * 0x1000 + at, code, fits);
    load(s, in);
    enum cpu_stop stop = CPU_BUDGET;
    for (unsigned n = 0; n < RUN_MAX && stop == CPU_BUDGET; n += piece) {
        stop = cpu_run(c, piece, &done);
    }
    const struct cpu_state *st = cpu_state(c);
    store(st, out);
    memset(hlt, 0xf4, sizeof hlt);
    ram_store(&s->ram, AT_CODE * 0x1000 + at, hlt, fits);
    if (stop != CPU_BUDGET) {
        struct cpu_fault_record rec[8];
        unsigned n = cpu_last_faults(c, rec);
        if (n != 0) {
            e = (struct oracle_end){rec[0].vector, rec[0].has_error ? rec[0].error : 0,
                                    rec[0].cr2};
        }
    }
    return e;
}
