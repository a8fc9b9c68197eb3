/* INIT, SIPI, IA32_APIC_BASE, CR8: the processor's side of a local APIC. */
#include "tests/cpu/prot_case.h"

struct apic_probe {
    uint64_t base;
    unsigned calls;
    uint8_t tpr;
};

static void probe_base(void *ctx, uint64_t msr)
{
    struct apic_probe *p = ctx;
    p->base = msr;
    p->calls++;
}
static uint8_t probe_tpr(void *ctx)
{
    return ((struct apic_probe *)ctx)->tpr;
}
static void probe_set_tpr(void *ctx, uint8_t tpr)
{
    ((struct apic_probe *)ctx)->tpr = tpr;
}
static void probe(struct cpu_rig *r, struct apic_probe *p)
{
    *p = (struct apic_probe){0};
    r->cpu->env.apic = (struct cpu_apic){
        .ctx = p, .base = probe_base, .tpr = probe_tpr, .set_tpr = probe_set_tpr};
}

/* Instructions that end in the write of port 30h, which pulls INIT from inside the instruction. */
static void init_write(void *ctx, uint64_t off, uint64_t v, unsigned size)
{
    (void)off, (void)v, (void)size;
    cpu_init_pin(((struct cpu_rig *)ctx)->cpu);
}
static const struct region_ops init_ops = {NULL, init_write, 1, 1};

static void init_keeps_what_the_table_says(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    struct cpu_state *s = &c->s;
    struct err err = {0};
    struct region pin = {.name = "init", .kind = REGION_IO, .base = 0x30, .len = 1, .priority = 2,
                         .ops = &init_ops, .dev = r};
    (void)state;
    static uint8_t top[4096];
    struct region rom = {.name = "rom", .kind = REGION_ROM, .base = 0xfffff000, .len = sizeof top,
                         .host = top};
    top[0xff0] = 0xf4; /* HLT at the reset vector */
    assert_true(bus_map(r->ports, &pin, &err) && bus_map(r->mem, &rom, &err));
    assert_true(msr_write(c, 0x277, 0x0007010600070106));
    assert_true(msr_write(c, 0x2ff, 0xc06));
    assert_true(msr_write(c, 0x174, 0x10));
    s->cr0 = (s->cr0 & ~(uint64_t)(CR0_CD | CR0_NW)) | CR0_WP;
    s->cr4 |= CR4_PSE;
    s->cr2 = 0x1234;
    s->fcw = 0x37f;
    s->st[3].man = 0x8000000000000001;
    s->ymm[2][0] = 77;
    s->mxcsr = 0x1fa0;
    s->dr[7] = 0x400;
    s->gpr[REG_AX] = 5;
    uint64_t tsc = s->tsc_offset;
    cpu_state_changed(c);
    PROT_RUN(r, 1, 0xe6, 0x30, 0x90); /* out 30h, al */
    assert_int_equal(s->rip, PROT_CODE + 2); /* the instruction is done before INIT is taken */
    uint64_t done;
    cpu_run(c, 0, &done);
    assert_true(s->startup == STARTUP_INIT);
    assert_int_equal(cpu_run(c, 9, &done), CPU_HALTED);
    assert_true(done == 1 && s->startup == 0 && s->rip == 0xfff1);
    assert_true(s->seg[SEG_CS].sel == 0xf000 && s->seg[SEG_CS].base == 0xffff0000);
    assert_int_equal(s->cr0, CR0_ET); /* CD and NW as they were: clear */
    assert_true(s->cr2 == 0 && s->cr4 == 0 && s->gpr[REG_AX] == 0);
    assert_true(s->gpr[REG_DX] == c->model->signature && s->gdt_limit == 0xffff);
    assert_true(s->pat == 0x0007010600070106 && s->mtrr_def == 0xc06 && s->sysenter_cs == 0x10);
    assert_true(s->fcw == 0x37f && s->st[3].man == 0x8000000000000001 && s->ymm[2][0] == 77);
    assert_true(s->mxcsr == 0x1fa0 && s->tsc_offset == tsc && s->apic_base == 0xfee00900);
    assert_int_equal(c->mode & (MODE_PE | MODE_CODE32), 0);
    cpu_rig_destroy(r);
}

static void an_application_processor_waits_for_sipi(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    struct err err = {0};
    uint64_t done;
    (void)state;
    assert_true(cpuid_apply_flags(&c->feat, "+apic", &err));
    c->ap = true;
    c->apic_id = 3;
    cpu_reset(c);
    assert_int_equal(c->s.apic_base, 0xfee00800);
    uint32_t id[4];
    cpuid_query(c, 1, 0, id);
    assert_int_equal(id[1] >> 24, 3);
    assert_int_equal(cpu_run(c, 10, &done), CPU_HALTED);
    assert_int_equal(done, 0);
    c->s.rflags |= FL_IF;
    cpu_irq(c, true); /* neither INTR nor NMI wakes it */
    cpu_nmi(c);
    assert_int_equal(cpu_run(c, 10, &done), CPU_HALTED);
    assert_int_equal(c->s.activity, ACT_WAIT_SIPI);
    cpu_irq(c, false);
    c->s.nmi_pending = false;
    c->s.rflags &= ~(uint64_t)FL_IF;
    static const uint8_t code[] = {0x40, 0xeb, 0xfd}; /* inc ax; jmp $-1 */
    cpu_rig_load(r, 0x12000, code, sizeof code);
    cpu_sipi(c, 0x12);
    assert_int_equal(cpu_run(c, 3, &done), CPU_BUDGET);
    assert_true(c->s.seg[SEG_CS].sel == 0x1200 && c->s.seg[SEG_CS].base == 0x12000);
    assert_int_equal(c->s.gpr[REG_AX], 2);
    cpu_sipi(c, 0x34); /* it does not wait any more */
    cpu_run(c, 2, &done);
    assert_int_equal(c->s.seg[SEG_CS].sel, 0x1200);
    cpu_init_pin(c); /* INIT, SIPI, SIPI: the first counts */
    cpu_sipi(c, 0x12);
    cpu_run(c, 3, &done);
    assert_true(c->s.seg[SEG_CS].sel == 0x1200 && c->s.gpr[REG_AX] == 2);
    cpu_init_pin(c);
    assert_int_equal(cpu_run(c, 3, &done), CPU_HALTED);
    assert_int_equal(c->s.activity, ACT_WAIT_SIPI);
    cpu_rig_destroy(r);
}

static void apic_base_is_told_and_hides_the_feature(void **state)
{
    struct cpu_rig *r = prot_open("pentium3");
    struct cpu *c = r->cpu;
    struct apic_probe p;
    uint32_t id[4];
    struct err err = {0};
    (void)state;
    assert_true(cpuid_apply_flags(&c->feat, "+apic", &err));
    probe(r, &p);
    cpu_reset(c);
    assert_true(p.calls == 1 && p.base == 0xfee00900);
    assert_true(msr_write(c, 0x1b, 0xfed40900));
    assert_int_equal(p.base, 0xfed40900);
    cpuid_query(c, 1, 0, id);
    assert_true(id[3] & 1 << 9);
    assert_true(msr_write(c, 0x1b, 0xfed40100)); /* off */
    assert_int_equal(p.base, 0xfed40100);
    cpuid_query(c, 1, 0, id);
    assert_false(id[3] & 1 << 9);
    assert_false(msr_write(c, 0x1b, 0xfed40d00)); /* x2APIC is not offered */
    assert_false(msr_write(c, 0x1b, 0x10fee00900)); /* beyond 36 address bits */
    unsigned calls = p.calls;
    assert_true(cpuid_apply_flags(&c->feat, "-apic", &err));
    assert_false(msr_write(c, 0x1b, 0xfee00900));
    assert_int_equal(p.calls, calls);
    cpu_reset(c);
    assert_int_equal(p.base, 0);
    cpu_rig_destroy(r);
}

static void cr8_is_the_task_priority(void **state)
{
    struct cpu_rig *r = prot_open("max");
    struct cpu *c = r->cpu;
    struct apic_probe p;
    struct insn in;
    (void)state;
    probe(r, &p);
    c->mode |= MODE_CODE64;
    assert_int_equal(decode((const uint8_t *)"\x44\x0f\x22\xc0\0\0\0\0\0\0\0\0\0\0", 15, DECODE_64,
                            &c->feat, &in), DECODE_OK); /* mov cr8, rax */
    c->s.gpr[REG_AX] = 5;
    assert_true(exec_table[in.op](c, &in));
    assert_int_equal(p.tpr, 0x50);
    p.tpr = 0x93;
    assert_int_equal(decode((const uint8_t *)"\x44\x0f\x20\xc1\0\0\0\0\0\0\0\0\0\0", 15, DECODE_64,
                            &c->feat, &in), DECODE_OK); /* mov rcx, cr8 */
    assert_true(exec_table[in.op](c, &in));
    assert_int_equal(c->s.gpr[REG_CX], 9);
    cpu_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_keeps_what_the_table_says),
        cmocka_unit_test(an_application_processor_waits_for_sipi),
        cmocka_unit_test(apic_base_is_told_and_hides_the_feature),
        cmocka_unit_test(cr8_is_the_task_priority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
