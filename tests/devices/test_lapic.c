/* Local APIC by SDM Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)": two of them on
 * one bus, seen through one region. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/apic_bench.h"

enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, APR = 0x90, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0,
       DFR = 0xe0, SVR = 0xf0, ISR = 0x100, TMR = 0x180, IRR = 0x200, ESR = 0x280, ICR = 0x300,
       ICR_HIGH = 0x310, TIMER = 0x320, THERMAL = 0x330, PERF = 0x340, LINT0 = 0x350,
       LINT1 = 0x360, ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390, DCR = 0x3e0 };
enum { MASKED = 0x10000, PERIODIC = 0x20000, LEVEL = 0x8000 };

static int setup(void **state)
{
    *state = contract_open(&case_lapic);
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_lapic, *state);
    return 0;
}
static struct apic_bench *bench(struct rig *r)
{
    return r->priv;
}
static uint32_t rd(struct rig *r, unsigned off)
{
    return (uint32_t)region_in(r->regs[0], off, 4);
}
static void wr(struct rig *r, unsigned off, uint32_t v)
{
    region_out(r->regs[0], off, v, 4);
}
static void on(struct rig *r, unsigned cpu) /* whose accesses follow */
{
    bench(r)->running = cpu;
}
static int inta(struct rig *r, unsigned cpu)
{
    return lapic_ack(&bench(r)->cpu[cpu]);
}
static void enable(struct rig *r)
{
    for (unsigned i = 2; i-- > 0;) {
        on(r, i);
        wr(r, SVR, 0x1ff);
        wr(r, LDR, 1u << (24 + i));
    }
}
static bool bit(struct rig *r, unsigned reg, unsigned vector)
{
    return rd(r, reg + vector / 32 * 16) >> (vector % 32) & 1;
}
static void self_ipi(struct rig *r, unsigned vector)
{
    wr(r, ICR, 0x44000 | vector);
}

static void reset_state_is_the_books_and_virtual_wire_for_the_first(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rd(r, VERSION), 0x50014);
    assert_int_equal(rd(r, SVR), 0xff);
    assert_int_equal(rd(r, DFR), 0xffffffff);
    assert_true(rd(r, ID) == 0 && rd(r, LDR) == 0 && rd(r, TPR) == 0 && rd(r, ICR) == 0);
    assert_true(rd(r, TIMER) == MASKED && rd(r, THERMAL) == MASKED && rd(r, PERF) == MASKED);
    assert_true(rd(r, ERROR) == MASKED && rd(r, INITIAL) == 0 && rd(r, CURRENT) == 0);
    assert_true(rd(r, LINT0) == 0x700 && rd(r, LINT1) == 0x400);
    on(r, 1);
    assert_int_equal(rd(r, ID), 1 << 24);
    assert_true(rd(r, LINT0) == MASKED && rd(r, LINT1) == MASKED);
}

static void virtual_wire_lets_the_8259a_and_nmi_through(void **state)
{
    struct rig *r = *state;
    struct lapic *l = &bench(r)->cpu[0];
    lapic_lint(l, 0, true);
    assert_true(rig_level(r, PIN_INTR));
    assert_false(rig_level(r, PIN_INTR + PIN_CPU1));
    assert_int_equal(inta(r, 0), LAPIC_EXTINT);
    assert_true(rig_level(r, PIN_INTR)); /* it is the 8259A that drops its line */
    lapic_lint(l, 0, false);
    assert_false(rig_level(r, PIN_INTR));
    lapic_lint(l, 1, true);
    assert_int_equal(rig_edges(r, PIN_NMI), 1);
    lapic_lint(l, 1, false);
    assert_int_equal(rig_edges(r, PIN_NMI), 0);
    wr(r, SVR, 0x1ff);
    wr(r, LINT0, MASKED | 0x700);
    wr(r, LINT1, MASKED | 0x400);
    lapic_lint(l, 0, true);
    lapic_lint(l, 1, true);
    assert_false(rig_level(r, PIN_INTR));
    assert_int_equal(rig_edges(r, PIN_NMI), 0);
    wr(r, LINT0, 0x700); /* ExtINT follows the level */
    assert_true(rig_level(r, PIN_INTR));
}

static void software_disable_masks_the_lvt_and_holds_what_is_pending(void **state)
{
    struct rig *r = *state;
    enable(r);
    wr(r, LINT0, 0x700);
    wr(r, TIMER, 0x55);
    self_ipi(r, 0x41);
    assert_true(rig_level(r, PIN_INTR));
    wr(r, SVR, 0xff);
    assert_false(rig_level(r, PIN_INTR));
    assert_true(rd(r, TIMER) == (MASKED | 0x55) && rd(r, LINT0) == (MASKED | 0x700));
    wr(r, TIMER, 0x55);
    assert_int_equal(rd(r, TIMER), MASKED | 0x55); /* cannot be unmasked */
    assert_true(bit(r, IRR, 0x41));
    self_ipi(r, 0x42);
    assert_false(bit(r, IRR, 0x42));
    assert_int_equal(inta(r, 0), LAPIC_NONE);
    wr(r, SVR, 0x1ff);
    assert_true(rig_level(r, PIN_INTR));
    assert_int_equal(inta(r, 0), 0x41);
}

static void hardware_disable_leaves_intr_and_nmi_pins(void **state)
{
    struct rig *r = *state;
    struct lapic *l = &bench(r)->cpu[0];
    enable(r);
    wr(r, LINT0, MASKED);
    self_ipi(r, 0x41);
    lapic_set_base(l, 0xfee00100);
    assert_false(rig_level(r, PIN_INTR));
    on(r, 1);
    wr(r, ICR_HIGH, 0);
    wr(r, ICR, 0x4050); /* nobody there */
    on(r, 0);
    lapic_lint(l, 0, true);
    assert_true(rig_level(r, PIN_INTR));
    assert_int_equal(inta(r, 0), LAPIC_EXTINT);
    lapic_lint(l, 1, true);
    assert_int_equal(rig_edges(r, PIN_NMI), 1);
    lapic_lint(l, 0, false);
    lapic_set_base(l, 0xfee00900);
    assert_int_equal(rd(r, SVR), 0xff); /* as after reset */
    assert_false(bit(r, IRR, 0x41) || bit(r, IRR, 0x50));
}

static void priorities_nest(void **state)
{
    struct rig *r = *state;
    enable(r);
    self_ipi(r, 0x41);
    assert_int_equal(inta(r, 0), 0x41);
    assert_true(bit(r, ISR, 0x41) && !bit(r, IRR, 0x41));
    assert_int_equal(rd(r, PPR), 0x40);
    self_ipi(r, 0x4f); /* the same class waits */
    assert_false(rig_level(r, PIN_INTR));
    self_ipi(r, 0x51);
    assert_true(rig_level(r, PIN_INTR));
    assert_int_equal(inta(r, 0), 0x51);
    assert_int_equal(rd(r, PPR), 0x50);
    wr(r, EOI, 0);
    assert_false(bit(r, ISR, 0x51));
    assert_false(rig_level(r, PIN_INTR));
    wr(r, EOI, 0);
    assert_true(rig_level(r, PIN_INTR));
    assert_int_equal(inta(r, 0), 0x4f);
    wr(r, EOI, 0);
    wr(r, EOI, 0); /* one too many does nothing */
    assert_int_equal(rd(r, PPR), 0);
}

static void tpr_holds_back_its_class_and_below(void **state)
{
    struct rig *r = *state;
    enable(r);
    wr(r, TPR, 0x57);
    assert_int_equal(rd(r, PPR), 0x57);
    self_ipi(r, 0x5f);
    assert_false(rig_level(r, PIN_INTR));
    assert_int_equal(rd(r, APR), 0x57); /* TPR >= IRRV and > ISRV */
    self_ipi(r, 0x60);
    assert_true(rig_level(r, PIN_INTR));
    assert_int_equal(rd(r, APR), 0x60);
    wr(r, TPR, 0x60);
    assert_false(rig_level(r, PIN_INTR));
    assert_int_equal(inta(r, 0), 0xff); /* gone before INTA: the spurious vector, nothing in ISR */
    assert_false(bit(r, ISR, 0xff));
    lapic_set_tpr(&bench(r)->cpu[0], 0x40); /* CR8 = 4 */
    assert_int_equal(rd(r, TPR), 0x40);
    assert_int_equal(inta(r, 0), 0x60);
}

static void timer_one_shot_counts_at_the_divisor_and_stops(void **state)
{
    struct rig *r = *state;
    static const struct {
        uint8_t dcr, div;
    } rows[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
    enable(r);
    wr(r, TIMER, 0x61);
    for (unsigned i = 0; i < 8; i++) {
        rig_advance(r, 13);
        wr(r, DCR, rows[i].dcr);
        wr(r, INITIAL, 1000);
        assert_int_equal(rd(r, CURRENT), 1000);
        rig_advance(r, 10 * rows[i].div);
        assert_int_equal(rd(r, CURRENT), 990);
        rig_advance(r, 990 * rows[i].div - 1);
        assert_false(rig_level(r, PIN_INTR));
        assert_int_equal(rd(r, CURRENT), 1);
        rig_advance(r, 1);
        assert_true(rig_level(r, PIN_INTR));
        assert_int_equal(inta(r, 0), 0x61);
        wr(r, EOI, 0);
        assert_int_equal(rd(r, CURRENT), 0);
        rig_advance(r, VTIME_SEC);
        assert_false(rig_level(r, PIN_INTR));
        assert_int_equal(rd(r, INITIAL), 1000);
    }
}

static void timer_periodic_does_not_drift_and_initial_0_stops_it(void **state)
{
    struct rig *r = *state;
    unsigned n = 0;
    enable(r);
    wr(r, TIMER, PERIODIC | 0x61);
    wr(r, DCR, 11);
    wr(r, INITIAL, 1234567);
    for (unsigned i = 0; i < 10000; i++) {
        rig_advance(r, 123457);
        if (rig_level(r, PIN_INTR)) {
            assert_int_equal(inta(r, 0), 0x61);
            wr(r, EOI, 0);
            n++;
        }
    }
    assert_int_equal(n, 10000ull * 123457 / 1234567);
    assert_int_equal(rd(r, CURRENT), 1234567 - 10000ull * 123457 % 1234567);
    wr(r, INITIAL, 0);
    rig_advance(r, VTIME_SEC);
    assert_false(rig_level(r, PIN_INTR));
    assert_int_equal(rd(r, CURRENT), 0);
}

static void timer_masked_counts_silently_and_a_divisor_keeps_the_count(void **state)
{
    struct rig *r = *state;
    enable(r);
    wr(r, TIMER, MASKED | 0x61);
    wr(r, DCR, 11);
    wr(r, INITIAL, 1000);
    assert_null(r->clk.head); /* and costs no deadline */
    rig_advance(r, 400);
    assert_int_equal(rd(r, CURRENT), 600);
    wr(r, DCR, 0); /* by 2 */
    assert_int_equal(rd(r, CURRENT), 600);
    rig_advance(r, 400);
    assert_int_equal(rd(r, CURRENT), 400);
    wr(r, TIMER, 0x61);
    rig_advance(r, 799);
    assert_false(rig_level(r, PIN_INTR));
    rig_advance(r, 1);
    assert_true(rig_level(r, PIN_INTR));
    wr(r, TIMER, PERIODIC | 0x61); /* a one-shot that is over does not come back to life */
    rig_advance(r, VTIME_SEC);
    assert_int_equal(rd(r, CURRENT), 0);
}

static void timer_of_one_tick_does_not_storm(void **state)
{
    struct rig *r = *state;
    enable(r);
    wr(r, TIMER, PERIODIC | 0x61);
    wr(r, DCR, 11);
    wr(r, INITIAL, 1);
    unsigned fired = 0;
    while (rig_next(r, VTIME_MS) && fired < 100000 && r->clk.slice_start < VTIME_MS) {
        fired++;
    }
    assert_in_range(fired, 500, 1001);
    assert_int_equal(inta(r, 0), 0x61);
}

static void ipis_find_physical_logical_and_cluster_destinations(void **state)
{
    struct rig *r = *state;
    enable(r);
    static const struct {
        uint32_t high, low;
        uint8_t ldr0, ldr1, dfr;
        unsigned who; /* bit n: processor n */
    } rows[] = {
        {0, 0x4000, 1, 2, 15, 1}, {1, 0x4000, 1, 2, 15, 2}, {2, 0x4000, 1, 2, 15, 0},
        {0xff, 0x4000, 1, 2, 15, 3}, {1, 0x4800, 1, 2, 15, 1}, {2, 0x4800, 1, 2, 15, 2},
        {3, 0x4800, 1, 2, 15, 3}, {4, 0x4800, 1, 2, 15, 0}, {0xff, 0x4800, 0, 0, 15, 3},
        {0x21, 0x4800, 0x21, 0x31, 0, 1}, {0x33, 0x4800, 0x21, 0x31, 0, 2},
        {0x23, 0x4800, 0x21, 0x22, 0, 3}, {0x20, 0x4800, 0x21, 0x22, 0, 0},
        {9, 0x44000, 1, 2, 15, 1}, {9, 0x84000, 1, 2, 15, 3}, {9, 0xc4000, 1, 2, 15, 2},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        on(r, 1);
        wr(r, LDR, (uint32_t)rows[i].ldr1 << 24);
        wr(r, DFR, (uint32_t)rows[i].dfr << 28);
        on(r, 0);
        wr(r, LDR, (uint32_t)rows[i].ldr0 << 24);
        wr(r, DFR, (uint32_t)rows[i].dfr << 28);
        wr(r, ICR_HIGH, rows[i].high << 24);
        wr(r, ICR, rows[i].low | 0x77);
        unsigned got = rig_level(r, PIN_INTR) | (unsigned)rig_level(r, PIN_INTR + PIN_CPU1) << 1;
        if (got != rows[i].who) {
            print_message("row %u\n", i);
        }
        assert_int_equal(got, rows[i].who);
        for (unsigned c = 0; c < 2; c++) {
            if (got >> c & 1) {
                assert_int_equal(inta(r, c), 0x77);
                on(r, c);
                wr(r, EOI, 0);
            }
        }
    }
}

static void lowest_priority_goes_to_who_has_it_or_is_least_busy(void **state)
{
    struct rig *r = *state;
    enable(r);
    on(r, 0);
    wr(r, TPR, 0x30);
    wr(r, ICR_HIGH, 0xff000000);
    wr(r, ICR, 0x4991);
    assert_true(rig_level(r, PIN_INTR + PIN_CPU1) && !rig_level(r, PIN_INTR));
    on(r, 1);
    wr(r, TPR, 0x40);
    wr(r, ICR, 0); /* the destination is this chip's own */
    wr(r, ICR_HIGH, 0xff000000);
    wr(r, ICR, 0x4991); /* busier now, but it has the vector already: the focus processor */
    assert_false(rig_level(r, PIN_INTR));
    wr(r, ICR, 0x4992);
    assert_true(rig_level(r, PIN_INTR));
    wr(r, SVR, 0xff); /* disabled ones do not take part */
    on(r, 0);
    wr(r, TPR, 0x80);
    wr(r, ICR, 0x4993);
    assert_true(bit(r, IRR, 0x93));
}

static void nmi_init_and_startup_reach_the_processor(void **state)
{
    struct rig *r = *state;
    struct apic_bench *b = bench(r);
    enable(r);
    on(r, 1);
    wr(r, TPR, 0x20);
    wr(r, ID, 5u << 24);
    on(r, 0);
    wr(r, ICR_HIGH, 5u << 24);
    wr(r, ICR, 0x4400);
    assert_int_equal(rig_edges(r, PIN_NMI + PIN_CPU1), 1);
    wr(r, ICR, 0x4200);
    assert_int_equal(rig_edges(r, PIN_SMI + PIN_CPU1), 1);
    wr(r, ICR, 0xc500); /* INIT assert */
    assert_int_equal(rig_edges(r, PIN_INIT + PIN_CPU1), 1);
    wr(r, ICR, 0x8500); /* INIT de-assert is nothing */
    assert_int_equal(rig_edges(r, PIN_INIT + PIN_CPU1), 0);
    wr(r, ICR, 0x4612);
    assert_true(b->startups == 1 && b->startup_vector == 0x12);
    on(r, 1);
    assert_true(rd(r, TPR) == 0 && rd(r, SVR) == 0xff);
    assert_int_equal(rd(r, ID), 5u << 24); /* INIT keeps the ID */
    assert_int_equal(rig_edges(r, PIN_NMI) + rig_edges(r, PIN_INIT), 0);
}

static void errors_are_latched_by_a_write_and_interrupt(void **state)
{
    struct rig *r = *state;
    enable(r);
    wr(r, ERROR, 0x6e);
    self_ipi(r, 15); /* send illegal vector */
    assert_int_equal(rd(r, ESR), 0);
    assert_int_equal(inta(r, 0), 0x6e);
    wr(r, EOI, 0);
    wr(r, ESR, 0);
    assert_int_equal(rd(r, ESR), 0x20);
    wr(r, ESR, 0);
    assert_int_equal(rd(r, ESR), 0);
    rd(r, 0x3f0); /* reserved register */
    wr(r, 0x40, 0);
    wr(r, ESR, 0);
    assert_int_equal(rd(r, ESR), 0x80);
    assert_int_equal(inta(r, 0), 0x6e);
    wr(r, EOI, 0);
    wr(r, TIMER, 5); /* an illegal vector, received */
    wr(r, INITIAL, 1);
    rig_advance(r, 10);
    wr(r, ESR, 0);
    assert_int_equal(rd(r, ESR), 0x40);
    assert_int_equal(inta(r, 0), 0x6e);
}

/* An error whose own vector is an error: no recursion (pattern 7 of faults.md). */
static void t25_error_interrupt_with_an_illegal_vector_does_not_recurse(void **state)
{
    struct rig *r = *state;
    enable(r);
    wr(r, ERROR, 3);
    for (unsigned i = 0; i < 1000; i++) {
        self_ipi(r, i & 15);
        rd(r, 0x3f0);
    }
    assert_false(rig_level(r, PIN_INTR));
    wr(r, ESR, 0);
    assert_int_equal(rd(r, ESR), 0xa0);
}

static void lint0_fixed_level_waits_for_eoi(void **state)
{
    struct rig *r = *state;
    struct lapic *l = &bench(r)->cpu[0];
    enable(r);
    wr(r, LINT0, LEVEL | 0x71);
    lapic_lint(l, 0, true);
    assert_int_equal(rd(r, LINT0), LEVEL | 0x4000 | 0x71);
    assert_int_equal(inta(r, 0), 0x71);
    assert_true(bit(r, TMR, 0x71));
    wr(r, EOI, 0); /* still asserted: again */
    assert_int_equal(inta(r, 0), 0x71);
    lapic_lint(l, 0, false);
    wr(r, EOI, 0);
    assert_false(rig_level(r, PIN_INTR));
    assert_int_equal(rd(r, LINT0), LEVEL | 0x71);
    wr(r, LINT0, 0x72); /* edge */
    lapic_lint(l, 0, true);
    lapic_lint(l, 0, false);
    assert_int_equal(inta(r, 0), 0x72);
    assert_false(bit(r, TMR, 0x72));
}

static void t20_every_register_at_every_width(void **state)
{
    struct rig *r = *state;
    enable(r);
    wr(r, LDR, 0x12000000);
    assert_int_equal(region_in(r->regs[0], LDR + 3, 1), 0x12); /* a byte of the register */
    assert_int_equal(region_in(r->regs[0], LDR + 2, 2), 0x1200);
    assert_int_equal(region_in(r->regs[0], LDR + 4, 4), 0); /* between registers */
    region_out(r->regs[0], LDR + 3, 0x55, 1);
    region_out(r->regs[0], LDR, 0x5555, 2);
    region_out(r->regs[0], LDR + 4, 0x55555555, 4);
    assert_int_equal(rd(r, LDR), 0x12000000);
    for (unsigned off = 0; off < 0x1000; off++) {
        for (unsigned size = 1; size <= 8; size *= 2) {
            region_in(r->regs[0], off, size);
            region_out(r->regs[0], off, 0x5a5a5a5a5a5a5a5aull, size);
        }
    }
    assert_int_equal(rd(r, VERSION), 0x50014);
}

static void writable_bits_only(void **state)
{
    struct rig *r = *state;
    enable(r);
    static const struct {
        uint16_t reg;
        uint32_t got;
    } rows[] = {{ID, 0xff000000}, {TPR, 0xff}, {LDR, 0xff000000}, {DFR, 0xffffffff},
                {SVR, 0x3ff}, {ICR_HIGH, 0xff000000}, {TIMER, 0x300ff}, {THERMAL, 0x107ff},
                {PERF, 0x107ff}, {LINT0, 0x1a7ff}, {LINT1, 0x1a7ff}, {ERROR, 0x100ff},
                {DCR, 0xb}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wr(r, rows[i].reg, 0xffffffff);
        assert_int_equal(rd(r, rows[i].reg), rows[i].got);
    }
    wr(r, DFR, 0);
    assert_int_equal(rd(r, DFR), 0x0fffffff);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reset_state_is_the_books_and_virtual_wire_for_the_first),
        T(virtual_wire_lets_the_8259a_and_nmi_through),
        T(software_disable_masks_the_lvt_and_holds_what_is_pending),
        T(hardware_disable_leaves_intr_and_nmi_pins),
        T(priorities_nest),
        T(tpr_holds_back_its_class_and_below),
        T(timer_one_shot_counts_at_the_divisor_and_stops),
        T(timer_periodic_does_not_drift_and_initial_0_stops_it),
        T(timer_masked_counts_silently_and_a_divisor_keeps_the_count),
        T(timer_of_one_tick_does_not_storm),
        T(ipis_find_physical_logical_and_cluster_destinations),
        T(lowest_priority_goes_to_who_has_it_or_is_least_busy),
        T(nmi_init_and_startup_reach_the_processor),
        T(errors_are_latched_by_a_write_and_interrupt),
        T(t25_error_interrupt_with_an_illegal_vector_does_not_recurse),
        T(lint0_fixed_level_waits_for_eoi),
        T(t20_every_register_at_every_width),
        T(writable_bits_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
