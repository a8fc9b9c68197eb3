/* What guests cannot see of themselves: triple faults and their story, NMI, INTR, shadows, and that
 * a delivery that faults has changed nothing. */
#include "tests/cpu/prot_case.h"

static void triple_fault_tells_its_story(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu_fault_record f[8];
    (void)state;
    cpu_state(r->cpu)->idt_limit = 0; /* nothing can be delivered */
    cpu_state_changed(r->cpu);
    static const uint8_t ud2[] = {0x0f, 0x0b};
    cpu_rig_load(r, PROT_CODE, ud2, 2);
    assert_int_equal(cpu_rig_run(r, 10), CPU_TRIPLE_FAULT);
    assert_int_equal(cpu_state(r->cpu)->activity, ACT_SHUTDOWN);
    assert_int_equal(cpu_last_faults(r->cpu, f), 5);
    static const struct {
        uint8_t vector;
        bool during;
        uint32_t error;
        enum cpu_why why;
    } want[] = {
        {EXC_UD, false, 0, WHY_OTHER},
        {EXC_GP, true, 6 * 8 + 3, WHY_IDT_LIMIT},  /* #UD is benign: the second is delivered */
        {EXC_GP, true, 13 * 8 + 3, WHY_IDT_LIMIT}, /* #GP in #GP */
        {EXC_DF, true, 0, WHY_NONE},
        {EXC_GP, true, 8 * 8 + 3, WHY_IDT_LIMIT},
    };
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(f[i].vector, want[i].vector);
        assert_int_equal(f[i].during_delivery, want[i].during);
        assert_int_equal(f[i].error, want[i].error);
        assert_int_equal(f[i].why, want[i].why);
        assert_int_equal(f[i].rip, PROT_CODE);
    }
    assert_int_equal(f[4].where, 0x800 + 8 * 8);
    assert_int_equal(cpu_rig_run(r, 10), CPU_TRIPLE_FAULT); /* and stays so */
    cpu_rig_destroy(r);
}

static void reasons(void **state)
{
    struct row {
        uint64_t gate;
        enum cpu_why why;
        unsigned vector, error;
    } rows[] = {
        {0, WHY_GATE_TYPE, EXC_GP, 0x20 * 8 + 2},
        {0x00000e0000080000ull, WHY_GATE_NOT_PRESENT, EXC_NP, 0x20 * 8 + 2},
        {0x00008e0000000000ull, WHY_CS_NULL, EXC_GP, 0},
        {0x00008e0010000000ull, WHY_CS_LIMIT, EXC_GP, 0x1000},
        {0x00008e0000100000ull, WHY_CS_TYPE, EXC_GP, 0x10},
        {0x00008e0000180000ull, WHY_CS_DPL, EXC_GP, 0x18},
        {0x00008e0000280000ull, WHY_CS_NOT_PRESENT, EXC_NP, 0x28},
        {0x00008e0000301000ull, WHY_IP_LIMIT, EXC_GP, 0},
        {0x0000850000100000ull, WHY_TSS_BAD, EXC_GP, 0x10},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct cpu_rig *r = prot_open(NULL);
        struct cpu_fault_record f[8];
        r->cpu->s.gdt_limit = 0x3f;
        prot_put(r, 0x528, 8, prot_desc(0, 0xfffff, 0xc01b));
        prot_put(r, 0x530, 8, prot_desc(0, 0xfff, 0x409b));
        prot_put(r, 0x800 + 0x20 * 8, 8, rows[i].gate);
        PROT_RUN(r, 1, 0xcd, 0x20);
        unsigned n = cpu_last_faults(r->cpu, f);
        assert_true(n >= 1);
        assert_int_equal(f[n - 1].vector, rows[i].vector);
        assert_int_equal(f[n - 1].error, rows[i].error);
        assert_int_equal(f[n - 1].why, rows[i].why);
        assert_int_equal(prot_vector(r), rows[i].vector);
        assert_int_equal(prot_stack(r, 0), rows[i].error);
        assert_int_equal(prot_stack(r, 1), PROT_CODE);
        cpu_rig_destroy(r);
    }
}

static void page_fault_on_the_stack_is_a_double_fault(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu_fault_record f[8];
    (void)state;
    cpu_rig_paging(r, PROT_PD);
    prot_put(r, PROT_PD + 4096 + (PROT_STACK / 4096 - 1) * 4, 4, 0x6000 | 6);
    tlb_flush(r->cpu, false);
    static const uint8_t ud2[] = {0x0f, 0x0b};
    cpu_rig_load(r, PROT_CODE, ud2, 2);
    assert_int_equal(cpu_rig_run(r, 10), CPU_TRIPLE_FAULT);
    unsigned n = cpu_last_faults(r->cpu, f);
    assert_int_equal(n, 5); /* #UD, #PF, #PF -> #DF, #PF */
    assert_int_equal(f[0].vector, EXC_UD);
    assert_int_equal(f[1].vector, EXC_PF);
    assert_int_equal(f[1].error, 2);
    assert_in_range(f[1].cr2, PROT_STACK - 16, PROT_STACK - 1);
    assert_int_equal(f[3].vector, EXC_DF);
    assert_int_equal(f[4].vector, EXC_PF);
    assert_int_equal(f[4].why, WHY_PAGE);
    assert_int_equal(r->cpu->s.gpr[REG_SP], PROT_STACK);
    assert_int_equal(r->cpu->s.rip, PROT_CODE);
    cpu_rig_destroy(r);
}

static void nmi_is_blocked_until_iret(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    (void)state;
    static const uint8_t nops[] = {0x90, 0x90, 0x90};
    cpu_rig_load(r, PROT_CODE, nops, 3);
    cpu_rig_load(r, 0x9100, "\x90\x90\xcf", 3);
    cpu_rig_gate(r, 2, 0x9100, 0);
    cpu_nmi(r->cpu);
    cpu_rig_run(r, 1);
    assert_int_equal(cpu_state(r->cpu)->rip, 0x9101); /* in the handler already */
    assert_true(r->cpu->s.nmi_blocked);
    cpu_nmi(r->cpu); /* waits */
    cpu_rig_run(r, 1);
    assert_int_equal(cpu_state(r->cpu)->rip, 0x9102);
    cpu_rig_run(r, 1); /* IRET */
    assert_false(r->cpu->s.nmi_blocked);
    cpu_rig_run(r, 1);
    assert_int_equal(cpu_state(r->cpu)->rip, 0x9101);
    assert_int_equal(prot_stack(r, 0), PROT_CODE); /* nothing of the program ran between */
    cpu_rig_destroy(r);
}

static struct cpu_rig *open_irq(void)
{
    struct cpu_rig *r = prot_open(NULL);
    r->vector = 0x30;
    r->irq_once = true;
    return r;
}

static void sti_holds_back_one_instruction(void **state)
{
    struct cpu_rig *r = open_irq();
    (void)state;
    cpu_irq(r->cpu, true);
    PROT_RUN(r, 3, 0x90, 0xfb, 0x40, 0x40); /* NOP STI INC INC */
    cpu_rig_run(r, 1);
    assert_int_equal(prot_stack(r, 0), PROT_CODE + 3);
    assert_int_equal(cpu_state(r->cpu)->gpr[REG_AX] & 0xff, 1);
    cpu_rig_destroy(r);
    r = open_irq(); /* STI; STI: the second makes no new shadow */
    cpu_irq(r->cpu, true);
    PROT_RUN(r, 3, 0xfb, 0xfb, 0x40, 0x40);
    assert_int_equal(prot_stack(r, 0), PROT_CODE + 2);
    cpu_rig_destroy(r);
}

static void mov_ss_holds_back_everything(void **state)
{
    struct cpu_rig *r = open_irq();
    (void)state;
    r->cpu->s.rflags |= FL_IF;
    r->cpu->s.gpr[REG_DX] = 0x10;
    static const uint8_t code[] = {0x8e, 0xd2, 0x40, 0x40}; /* MOV SS,DX; INC; INC */
    cpu_rig_load(r, PROT_CODE, code, sizeof code);
    cpu_rig_run(r, 1);
    cpu_irq(r->cpu, true);
    cpu_nmi(r->cpu);
    cpu_rig_run(r, 1);
    assert_int_equal(cpu_state(r->cpu)->rip, PROT_CODE + 3);
    cpu_rig_run(r, 1);
    assert_int_equal(prot_stack(r, 0), PROT_CODE + 3);
    assert_true(r->cpu->s.nmi_blocked); /* NMI goes first */
    cpu_rig_destroy(r);
}

static void hlt_wakes_by_intr(void **state)
{
    struct cpu_rig *r = open_irq();
    (void)state;
    static const uint8_t code[] = {0xfb, 0xf4, 0x90};
    cpu_rig_load(r, PROT_CODE, code, sizeof code);
    assert_int_equal(cpu_rig_run(r, 10), CPU_HALTED);
    assert_int_equal(r->done, 2);
    cpu_irq(r->cpu, true);
    cpu_rig_run(r, 10);
    assert_int_equal(prot_stack(r, 0), PROT_CODE + 2);
    assert_int_equal(r->cpu->s.activity, ACT_HALTED); /* the handler's own HLT, IF is clear */
    cpu_irq(r->cpu, true);
    assert_int_equal(cpu_rig_run(r, 10), CPU_HALTED);
    assert_int_equal(r->done, 0);
    cpu_rig_destroy(r);
}

static unsigned told;
static void on_exception(void *ctx, unsigned vector, uint32_t error, uint64_t rip)
{
    (void)ctx, (void)rip;
    told = vector << 16 | error;
}
static void on_interrupt(void *ctx, unsigned vector, uint64_t rip)
{
    (void)ctx, (void)rip;
    told = vector;
}

static void hooks(void **state)
{
    static const struct cpu_hooks h = {.exception = on_exception, .interrupt = on_interrupt};
    struct cpu_rig *r = open_irq();
    (void)state;
    cpu_set_hooks(r->cpu, &h, NULL);
    PROT_RUN(r, 1, 0xcd, 0x3f);
    r->cpu->s.rip = PROT_CODE;
    told = 0;
    PROT_RUN(r, 1, 0x8e, 0x05, 0xff, 0xff, 0xff, 0xff); /* MOV ES,[FFFFFFFF]: beyond the limit */
    assert_int_equal(told, EXC_GP << 16);
    r->cpu->s.rip = PROT_CODE;
    r->cpu->s.rflags |= FL_IF;
    cpu_irq(r->cpu, true);
    PROT_RUN(r, 1, 0x90);
    assert_int_equal(told, 0x30);
    cpu_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triple_fault_tells_its_story),
        cmocka_unit_test(reasons),
        cmocka_unit_test(page_fault_on_the_stack_is_a_double_fault),
        cmocka_unit_test(nmi_is_blocked_until_iret),
        cmocka_unit_test(sti_holds_back_one_instruction),
        cmocka_unit_test(mov_ss_holds_back_everything),
        cmocka_unit_test(hlt_wakes_by_intr),
        cmocka_unit_test(hooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
