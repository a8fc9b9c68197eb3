/* 82093AA by its data sheet: registers, edge and level pins, remote IRR and EOI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/apic_bench.h"

enum { LEVEL = 0x8000, MASKED = 0x10000, REMOTE_IRR = 0x4000, LOGICAL = 0x800 };

static struct apic_bench *bench(struct rig *r)
{
    return r->priv;
}
static uint32_t rd(struct rig *r, unsigned reg)
{
    region_out(r->regs[0], 0, reg, 4);
    return (uint32_t)region_in(r->regs[0], 0x10, 4);
}
static void wr(struct rig *r, unsigned reg, uint32_t v)
{
    region_out(r->regs[0], 0, reg, 4);
    region_out(r->regs[0], 0x10, v, 4);
}
static void pin(struct rig *r, unsigned n, bool level)
{
    i82093aa_set(&bench(r)->io, n, level);
}
static void lapic(struct rig *r, unsigned off, uint32_t v)
{
    region_out(r->regs[1], off, v, 4);
}
static int inta(struct rig *r)
{
    return lapic_ack(&bench(r)->cpu[0]);
}
static void eoi(struct rig *r)
{
    lapic(r, 0xb0, 0);
}
static int setup(void **state)
{
    struct rig *r = *state = contract_open(&case_i82093aa);
    for (unsigned i = 2; i-- > 0;) {
        bench(r)->running = i;
        lapic(r, 0xf0, 0x1ff);
        lapic(r, 0xd0, 1u << (24 + i));
        lapic(r, 0x350, MASKED);
    }
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_i82093aa, *state);
    return 0;
}

static void registers_after_reset_and_their_writable_bits(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rd(r, 0), 0);
    assert_int_equal(rd(r, 1), 0x170011);
    for (unsigned i = 0; i < I82093AA_PINS; i++) {
        assert_true(rd(r, 0x10 + 2 * i) == MASKED && rd(r, 0x11 + 2 * i) == 0);
        wr(r, 0x10 + 2 * i, 0xffffffff);
        wr(r, 0x11 + 2 * i, 0xffffffff);
        assert_int_equal(rd(r, 0x10 + 2 * i), 0x1afff);
        assert_int_equal(rd(r, 0x11 + 2 * i), 0xff000000);
    }
    wr(r, 0, 0xffffffff);
    assert_int_equal(rd(r, 0), 0x0f000000);
    assert_int_equal(rd(r, 2), 0x0f000000);
    wr(r, 1, 0);
    assert_int_equal(rd(r, 1), 0x170011);
    assert_int_equal(rd(r, 0x40), 0);
    assert_int_equal(region_in(r->regs[0], 0, 4), 0x40); /* IOREGSEL reads back */
}

static void an_edge_is_one_interrupt(void **state)
{
    struct rig *r = *state;
    wr(r, 0x12, 0x31);
    pin(r, 1, true);
    assert_int_equal(inta(r), 0x31);
    eoi(r);
    pin(r, 1, true);
    assert_false(rig_level(r, PIN_INTR)); /* no new edge */
    pin(r, 1, false);
    pin(r, 1, true);
    assert_int_equal(inta(r), 0x31);
    pin(r, 1, false);
    pin(r, 1, true); /* while in service: waits in the local APIC */
    assert_false(rig_level(r, PIN_INTR));
    eoi(r);
    assert_int_equal(inta(r), 0x31);
    assert_int_equal(rd(r, 0x12), 0x31);
}

static void a_masked_edge_is_lost(void **state)
{
    struct rig *r = *state;
    wr(r, 0x12, MASKED | 0x31);
    pin(r, 1, true);
    wr(r, 0x12, 0x31);
    assert_false(rig_level(r, PIN_INTR));
    pin(r, 1, false);
    pin(r, 1, true);
    assert_int_equal(inta(r), 0x31);
}

static void a_level_asks_again_until_it_is_gone(void **state)
{
    struct rig *r = *state;
    wr(r, 0x24, LEVEL | 0x61);
    pin(r, 10, true);
    assert_int_equal(rd(r, 0x24), LEVEL | REMOTE_IRR | 0x61);
    assert_int_equal(inta(r), 0x61);
    pin(r, 10, false);
    pin(r, 10, true); /* remote IRR is set: nothing is sent */
    assert_false(rig_level(r, PIN_INTR));
    eoi(r);
    assert_int_equal(inta(r), 0x61);
    pin(r, 10, false);
    assert_int_equal(rd(r, 0x24), LEVEL | REMOTE_IRR | 0x61);
    eoi(r);
    assert_false(rig_level(r, PIN_INTR));
    assert_int_equal(rd(r, 0x24), LEVEL | 0x61);
}

static void a_masked_level_asks_when_it_is_unmasked(void **state)
{
    struct rig *r = *state;
    wr(r, 0x24, LEVEL | MASKED | 0x61);
    pin(r, 10, true);
    assert_false(rig_level(r, PIN_INTR));
    wr(r, 0x24, LEVEL | 0x61);
    assert_int_equal(inta(r), 0x61);
    wr(r, 0x24, LEVEL | MASKED | 0x61);
    eoi(r); /* masked in the handler, as Linux does for threaded ones */
    assert_false(rig_level(r, PIN_INTR));
    wr(r, 0x24, LEVEL | 0x61);
    assert_int_equal(inta(r), 0x61);
}

static void an_eoi_is_for_its_vector_and_to_all_pins_that_have_it(void **state)
{
    struct rig *r = *state;
    wr(r, 0x24, LEVEL | 0x61);
    wr(r, 0x26, LEVEL | 0x61);
    wr(r, 0x28, LEVEL | 0x71);
    pin(r, 10, true);
    pin(r, 11, true);
    pin(r, 12, true);
    pin(r, 10, false);
    pin(r, 11, false);
    pin(r, 12, false);
    assert_int_equal(inta(r), 0x71);
    eoi(r);
    assert_int_equal(rd(r, 0x28), LEVEL | 0x71);
    assert_int_equal(rd(r, 0x24), LEVEL | REMOTE_IRR | 0x61);
    assert_int_equal(inta(r), 0x61);
    eoi(r);
    assert_int_equal(rd(r, 0x24), LEVEL | 0x61);
    assert_int_equal(rd(r, 0x26), LEVEL | 0x61);
    assert_false(rig_level(r, PIN_INTR));
}

/* What Linux does to get rid of a remote IRR on a version without an EOI register. */
static void going_to_edge_and_back_clears_remote_irr(void **state)
{
    struct rig *r = *state;
    wr(r, 0x24, LEVEL | 0x61);
    pin(r, 10, true);
    pin(r, 10, false);
    wr(r, 0x24, MASKED | 0x61);
    wr(r, 0x24, LEVEL | 0x61);
    assert_int_equal(rd(r, 0x24), LEVEL | 0x61);
}

static void destinations_and_lowest_priority(void **state)
{
    struct rig *r = *state;
    wr(r, 0x13, 1u << 24);
    wr(r, 0x12, 0x31);
    pin(r, 1, true);
    assert_true(!rig_level(r, PIN_INTR) && rig_level(r, PIN_INTR + PIN_CPU1));
    wr(r, 0x15, 3u << 24);
    wr(r, 0x14, LOGICAL | 0x41);
    pin(r, 2, true);
    assert_true(rig_level(r, PIN_INTR));
    assert_int_equal(lapic_ack(&bench(r)->cpu[1]), 0x41);
    assert_int_equal(inta(r), 0x41);
    wr(r, 0x17, 3u << 24);
    wr(r, 0x16, LOGICAL | 0x151);
    bench(r)->running = 1;
    lapic(r, 0xb0, 0);
    bench(r)->running = 0; /* 0 has 41h in service, 1 nothing: 1 is the one */
    assert_int_equal(lapic_ack(&bench(r)->cpu[1]), 0x31);
    pin(r, 3, true);
    assert_false(rig_level(r, PIN_INTR));
    assert_true(rig_level(r, PIN_INTR + PIN_CPU1));
}

static void other_delivery_modes_are_edges(void **state)
{
    struct rig *r = *state;
    wr(r, 0x12, LEVEL | 0x400); /* NMI, level by mistake */
    pin(r, 1, true);
    pin(r, 1, true);
    assert_int_equal(rig_edges(r, PIN_NMI), 1);
    assert_int_equal(rd(r, 0x12), LEVEL | 0x400);
    wr(r, 0x14, 0x200);
    pin(r, 2, true);
    assert_int_equal(rig_edges(r, PIN_SMI), 1);
    wr(r, 0x16, 0x700);
    pin(r, 3, true);
    assert_int_equal(inta(r), LAPIC_EXTINT);
    assert_false(rig_level(r, PIN_INTR));
    wr(r, 0x18, 0x300); /* reserved */
    pin(r, 4, true);
    wr(r, 0x1a, 0x500);
    pin(r, 5, true);
    assert_int_equal(rig_edges(r, PIN_INIT), 1);
}

static void an_illegal_vector_is_an_error_there(void **state)
{
    struct rig *r = *state;
    wr(r, 0x12, 0x05);
    pin(r, 1, true);
    assert_false(rig_level(r, PIN_INTR));
    lapic(r, 0x280, 0);
    assert_int_equal(region_in(r->regs[1], 0x280, 4), 0x40);
}

static void t20_odd_accesses_do_nothing(void **state)
{
    struct rig *r = *state;
    wr(r, 0x12, 0x31);
    region_out(r->regs[0], 0x10, 0x55, 1);
    region_out(r->regs[0], 0x12, 0x5555, 2);
    region_out(r->regs[0], 0x14, 0x55555555, 4);
    region_out(r->regs[0], 0x40, 0x31, 4); /* there is no EOI register */
    assert_int_equal(rd(r, 0x12), 0x31);
    assert_int_equal(region_in(r->regs[0], 0x11, 1), 0);
    for (unsigned off = 0; off < 0x1000; off++) {
        for (unsigned size = 1; size <= 8; size *= 2) {
            region_in(r->regs[0], off, size);
            region_out(r->regs[0], off, 0x3b3b3b3b3b3b3b3bull, size);
        }
    }
    for (unsigned sel = 0; sel < 256; sel++) {
        wr(r, sel, 0xffffffff);
        rd(r, sel);
    }
    i82093aa_set(&bench(r)->io, 24, true); /* no such pins */
    i82093aa_set(&bench(r)->io, 4000000000u, true);
}

/* All levels high, all pins one vector: EOI must come to an end. */
static void t6_a_stuck_level_is_bounded(void **state)
{
    struct rig *r = *state;
    for (unsigned i = 0; i < I82093AA_PINS; i++) {
        wr(r, 0x10 + 2 * i, LEVEL | 0x61);
        pin(r, i, true);
    }
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(inta(r), 0x61);
        eoi(r);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(registers_after_reset_and_their_writable_bits),
        T(an_edge_is_one_interrupt),
        T(a_masked_edge_is_lost),
        T(a_level_asks_again_until_it_is_gone),
        T(a_masked_level_asks_when_it_is_unmasked),
        T(an_eoi_is_for_its_vector_and_to_all_pins_that_have_it),
        T(going_to_edge_and_back_clears_remote_irr),
        T(destinations_and_lowest_priority),
        T(other_delivery_modes_are_edges),
        T(an_illegal_vector_is_an_error_there),
        T(t20_odd_accesses_do_nothing),
        T(t6_a_stuck_level_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
