/* HPET by the IA-PC HPET specification 1.0a: counter, comparators, routes, legacy replacement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/apic_bench.h"

enum { CAPS = 0, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0 };
#define TN(n) (0x100 + 0x20 * (n))
#define CMP(n) (0x108 + 0x20 * (n))
enum { LEVEL = 2, INT = 4, PERIODIC = 8, VAL_SET = 0x40, BITS32 = 0x100 };
#define ROUTE(pin) ((pin) << 9)
#define PIN_ROUTE(pin) (PIN_HPET_ROUTE + (pin) - 20)

static int setup(void **state)
{
    *state = contract_open(&case_hpet);
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_hpet, *state);
    return 0;
}
static uint64_t rd(struct rig *r, unsigned off)
{
    return region_in(r->regs[0], off, 8);
}
static uint32_t rd32(struct rig *r, unsigned off)
{
    return (uint32_t)region_in(r->regs[0], off, 4);
}
static void wr(struct rig *r, unsigned off, uint64_t v)
{
    region_out(r->regs[0], off, v, 8);
}
static void wr32(struct rig *r, unsigned off, uint32_t v)
{
    region_out(r->regs[0], off, v, 4);
}
static void ticks(struct rig *r, uint64_t n)
{
    rig_advance(r, n * HPET_TICK_NS);
}

static void capabilities(void **state)
{
    struct rig *r = *state;
    assert_true(rd(r, CAPS) == 0x009896808086a201ull); /* 10 ns, Intel, 3 timers, 64 bits, legacy */
    assert_int_equal(rd32(r, 4), 10000000);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rd(r, TN(i)) == 0x00f0000000000030ull); /* pins 20-23, periodic, 64 bits */
        assert_true(rd(r, CMP(i)) == UINT64_MAX);
        wr(r, TN(i), UINT64_MAX);
        assert_int_equal(rd32(r, TN(i)), 0x13e & ~ROUTE(31u)); /* pin 31 is not offered: kept */
        wr(r, TN(i), ROUTE(22));
        assert_int_equal(rd32(r, TN(i)), 0x30 | ROUTE(22));
    }
    assert_true(rd(r, TN(3)) == 0 && rd(r, 0x110) == 0 && rd(r, STATUS) == 0);
    wr(r, CAPS, 0);
    assert_true(rd(r, CAPS) == 0x009896808086a201ull);
}

static void the_counter_runs_only_when_enabled_and_can_be_set(void **state)
{
    struct rig *r = *state;
    ticks(r, 1000);
    assert_int_equal(rd(r, COUNTER), 0);
    wr(r, CONFIG, 1);
    rig_advance(r, 99);
    assert_int_equal(rd(r, COUNTER), 9);
    rig_advance(r, 1);
    assert_int_equal(rd(r, COUNTER), 10);
    wr(r, CONFIG, 0);
    ticks(r, 5);
    assert_int_equal(rd(r, COUNTER), 10);
    wr32(r, COUNTER, 0xfffffffe);
    wr32(r, COUNTER + 4, 1);
    wr(r, CONFIG, 1);
    ticks(r, 3);
    assert_true(rd(r, COUNTER) == 0x200000001ull);
    assert_int_equal(rd32(r, COUNTER + 4), 2);
    rig_advance(r, 3600 * VTIME_SEC);
    assert_true(rd(r, COUNTER) == 0x200000001ull + 360000000000ull);
}

static void one_shot_matches_on_equality_once(void **state)
{
    struct rig *r = *state;
    wr(r, TN(2), INT | ROUTE(23));
    wr(r, CMP(2), 500);
    wr(r, CONFIG, 1);
    rig_advance(r, 4999);
    assert_false(rig_level(r, PIN_ROUTE(23)));
    rig_advance(r, 1);
    assert_int_equal(rig_edges(r, PIN_ROUTE(23)), 1);
    wr(r, CMP(2), 400); /* below: not before the counter comes round */
    ticks(r, 1000000);
    assert_int_equal(rig_edges(r, PIN_ROUTE(23)), 0);
    wr(r, CMP(2), rd(r, COUNTER) + 10);
    ticks(r, 10);
    assert_int_equal(rig_edges(r, PIN_ROUTE(23)), 1); /* a low pulse, then high: an edge again */
    assert_true(rig_level(r, PIN_ROUTE(23)));
    wr(r, TN(2), ROUTE(23)); /* disabled: the wire falls */
    assert_false(rig_level(r, PIN_ROUTE(23)));
    assert_int_equal(rd(r, STATUS), 0);
}

static void a_32_bit_comparator_matches_at_each_wrap(void **state)
{
    struct rig *r = *state;
    wr(r, TN(1), INT | BITS32 | ROUTE(20));
    wr(r, CMP(1), 0xabcd00000100ull); /* the high half does not count */
    assert_int_equal(rd(r, CMP(1)), 0x100);
    wr(r, COUNTER, 0x700000000ull);
    wr(r, CONFIG, 1);
    ticks(r, 0x100);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 1);
    ticks(r, 0xffffffff);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 0);
    ticks(r, 1);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 1);
}

static void level_holds_until_the_status_bit_is_cleared(void **state)
{
    struct rig *r = *state;
    wr(r, TN(0), INT | LEVEL | ROUTE(21));
    wr(r, CMP(0), 10);
    wr(r, CONFIG, 1);
    ticks(r, 10);
    assert_true(rig_level(r, PIN_ROUTE(21)));
    assert_int_equal(rd(r, STATUS), 1);
    wr(r, STATUS, 6); /* other bits */
    assert_true(rig_level(r, PIN_ROUTE(21)));
    wr(r, CONFIG, 0); /* off: no interrupt, but the status stays */
    assert_false(rig_level(r, PIN_ROUTE(21)));
    assert_int_equal(rd(r, STATUS), 1);
    wr(r, CONFIG, 1);
    assert_true(rig_level(r, PIN_ROUTE(21)));
    wr(r, STATUS, 1);
    assert_false(rig_level(r, PIN_ROUTE(21)));
    wr(r, TN(0), LEVEL | ROUTE(21)); /* not enabled: status without interrupt */
    wr(r, CMP(0), rd(r, COUNTER) + 5);
    ticks(r, 5);
    assert_int_equal(rd(r, STATUS), 1);
    assert_false(rig_level(r, PIN_ROUTE(21)));
}

static void periodic_by_the_val_set_rule(void **state)
{
    struct rig *r = *state;
    wr32(r, TN(0), INT | PERIODIC | VAL_SET | BITS32 | ROUTE(20));
    assert_int_equal(rd32(r, TN(0)) & VAL_SET, 0); /* never reads back */
    wr32(r, CMP(0), 1000); /* the comparator itself */
    wr32(r, CMP(0), 300);  /* the period */
    assert_int_equal(rd(r, CMP(0)), 1000);
    wr(r, CONFIG, 1);
    ticks(r, 999);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 0);
    ticks(r, 1);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 1);
    assert_int_equal(rd(r, CMP(0)), 1300);
    for (unsigned i = 0; i < 50; i++) {
        ticks(r, 299);
        assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 0);
        ticks(r, 1);
        assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 1);
    }
    wr32(r, CMP(0), 500); /* another period, from the next match on */
    ticks(r, 300);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 1);
    ticks(r, 499);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 0);
    ticks(r, 1);
    assert_int_equal(rig_edges(r, PIN_ROUTE(20)), 1);
}

static void periodic_64_bits_by_halves(void **state)
{
    struct rig *r = *state;
    wr(r, COUNTER, 0x1fffffff0ull);
    wr32(r, TN(1), INT | PERIODIC | VAL_SET | ROUTE(22));
    wr32(r, CMP(1), 0x10);
    /* "set VAL_SET again" for the upper half */
    wr32(r, TN(1), INT | PERIODIC | VAL_SET | ROUTE(22));
    wr32(r, CMP(1) + 4, 2);
    wr(r, CMP(1), 0x400);
    assert_true(rd(r, CMP(1)) == 0x200000010ull);
    wr(r, CONFIG, 1);
    ticks(r, 0x20);
    assert_int_equal(rig_edges(r, PIN_ROUTE(22)), 1);
    assert_true(rd(r, CMP(1)) == 0x200000410ull);
}

static void legacy_replacement_takes_irq0_and_irq8(void **state)
{
    struct rig *r = *state;
    wr(r, CONFIG, 2);
    assert_false(rig_level(r, PIN_HPET_LEGACY)); /* both bits */
    for (unsigned i = 0; i < 3; i++) {
        wr(r, TN(i), INT | ROUTE(20));
        wr(r, CMP(i), 100 * (i + 1));
    }
    wr(r, CONFIG, 3);
    assert_true(rig_level(r, PIN_HPET_LEGACY));
    ticks(r, 100);
    assert_true(rig_level(r, PIN_HPET_IRQ0) && !rig_level(r, PIN_HPET_IRQ8));
    assert_false(rig_level(r, PIN_ROUTE(20)));
    ticks(r, 100);
    assert_true(rig_level(r, PIN_HPET_IRQ8) && !rig_level(r, PIN_ROUTE(20)));
    ticks(r, 100);
    assert_true(rig_level(r, PIN_ROUTE(20)));
    wr(r, CONFIG, 0);
    assert_false(rig_level(r, PIN_HPET_IRQ0) || rig_level(r, PIN_HPET_IRQ8) ||
                 rig_level(r, PIN_HPET_LEGACY) || rig_level(r, PIN_ROUTE(20)));
}

static void a_route_is_shared_by_or(void **state)
{
    struct rig *r = *state;
    wr(r, TN(0), INT | LEVEL | ROUTE(23));
    wr(r, TN(2), INT | LEVEL | ROUTE(23));
    wr(r, CMP(0), 10);
    wr(r, CMP(2), 20);
    wr(r, CONFIG, 1);
    ticks(r, 30);
    wr(r, STATUS, 1);
    assert_true(rig_level(r, PIN_ROUTE(23)));
    wr(r, STATUS, 4);
    assert_false(rig_level(r, PIN_ROUTE(23)));
}

/* Periods of 0 and 1, comparators at the counter: bounded work. */
static void t6_tiny_periods_do_not_storm(void **state)
{
    struct rig *r = *state;
    for (uint64_t period = 0; period < 3; period++) {
        rig_reset(r, RESET_POWER_ON);
        vtime start = r->clk.slice_start;
        for (unsigned i = 0; i < 3; i++) {
            wr(r, TN(i), INT | PERIODIC | VAL_SET | ROUTE(20) | (i & 1 ? BITS32 : 0));
            wr(r, CMP(i), 1);
            wr(r, CMP(i), period);
        }
        wr(r, CONFIG, 1);
        unsigned fired = 0;
        while (r->clk.slice_start < start + VTIME_MS && fired < 100000 && rig_next(r, VTIME_MS)) {
            fired++;
        }
        assert_true(fired <= 3003);
        assert_true(period == 0 || fired > 1000);
    }
}

static void t20_every_register_at_every_width(void **state)
{
    struct rig *r = *state;
    wr(r, CMP(0), 0x1122334455667788ull);
    assert_int_equal(rd32(r, CMP(0)), 0x55667788);
    assert_int_equal(rd32(r, CMP(0) + 4), 0x11223344);
    assert_int_equal(region_in(r->regs[0], CMP(0), 2), 0); /* too narrow */
    region_out(r->regs[0], CMP(0), 0, 2);
    region_out(r->regs[0], CMP(0) + 2, 0, 4);
    assert_true(rd(r, CMP(0)) == 0x1122334455667788ull);
    for (unsigned v = 0; v < 4; v++) {
        for (unsigned off = 0; off < 0x400; off++) {
            for (unsigned size = 1; size <= 8; size *= 2) {
                region_out(r->regs[0], off, v * 0x5555555555555555ull, size);
                region_in(r->regs[0], off, size);
            }
            rig_advance(r, 1000);
        }
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(capabilities),
        T(the_counter_runs_only_when_enabled_and_can_be_set),
        T(one_shot_matches_on_equality_once),
        T(a_32_bit_comparator_matches_at_each_wrap),
        T(level_holds_until_the_status_bit_is_cleared),
        T(periodic_by_the_val_set_rule),
        T(periodic_64_bits_by_halves),
        T(legacy_replacement_takes_irq0_and_irq8),
        T(a_route_is_shared_by_or),
        T(t6_tiny_periods_do_not_storm),
        T(t20_every_register_at_every_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
