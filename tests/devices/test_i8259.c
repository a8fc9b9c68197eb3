/* 8259A pair: the datasheet's sentences as tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/chips.h"

struct pics {
    struct rig *r;
    struct pic_bench *b;
};

static void out(struct pics *p, unsigned chip, unsigned a0, uint8_t v)
{
    region_out(p->r->regs[chip], a0, v, 1);
}
static uint8_t in(struct pics *p, unsigned chip, unsigned a0)
{
    return (uint8_t)region_in(p->r->regs[chip], a0, 1);
}
static void pin(struct pics *p, unsigned irq, bool level)
{
    i8259_set(irq < 8 ? &p->b->master : &p->b->slave, irq & 7, level);
}
static int ack(struct pics *p)
{
    return i8259_ack(&p->b->master);
}
static void init(struct pics *p, uint8_t icw4)
{
    out(p, 0, 0, 0x11), out(p, 0, 1, 0x08), out(p, 0, 1, 4), out(p, 0, 1, icw4);
    out(p, 1, 0, 0x11), out(p, 1, 1, 0x70), out(p, 1, 1, 2), out(p, 1, 1, 1);
}

static int setup(void **state)
{
    static struct pics p;
    p.r = contract_open(&case_i8259);
    p.b = p.r->priv;
    *state = &p;
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_i8259, ((struct pics *)*state)->r);
    return 0;
}

static void nothing_interrupts_before_initialization(void **state)
{
    struct pics *p = *state;
    pin(p, 0, true);
    assert_false(rig_level(p->r, PIN_IRQ));
    init(p, 1);
    assert_false(rig_level(p->r, PIN_IRQ)); /* ICW1 cleared the edge sense */
    pin(p, 0, false), pin(p, 0, true);
    assert_true(rig_level(p->r, PIN_IRQ));
}

static void highest_priority_is_acknowledged_first_and_nests(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    pin(p, 5, true), pin(p, 3, true);
    assert_int_equal(ack(p), 0x0b);
    assert_false(rig_level(p->r, PIN_IRQ)); /* IR5 is lower than IR3 in service */
    pin(p, 1, true);
    assert_true(rig_level(p->r, PIN_IRQ));
    assert_int_equal(ack(p), 0x09);
    out(p, 0, 0, 0x0b);
    assert_int_equal(in(p, 0, 0), 0x0a); /* ISR */
    out(p, 0, 0, 0x0a);
    assert_int_equal(in(p, 0, 0), 0x20); /* IRR */
    out(p, 0, 0, 0x20); /* non-specific EOI: the highest in service */
    out(p, 0, 0, 0x0b);
    assert_int_equal(in(p, 0, 0), 0x08);
    out(p, 0, 0, 0x63); /* specific EOI of 3 */
    assert_true(rig_level(p->r, PIN_IRQ));
    assert_int_equal(ack(p), 0x0d);
}

static void edge_needs_a_new_rise_and_level_does_not(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    pin(p, 4, true);
    assert_int_equal(ack(p), 0x0c);
    out(p, 0, 0, 0x20);
    assert_false(rig_level(p->r, PIN_IRQ));
    region_out(p->r->regs[2], 0, 0xff, 1);
    assert_int_equal(region_in(p->r->regs[2], 0, 1), 0xf8); /* 0, 1 and 2 stay edge */
    assert_true(rig_level(p->r, PIN_IRQ));
    assert_int_equal(ack(p), 0x0c);
    out(p, 0, 0, 0x20);
    assert_true(rig_level(p->r, PIN_IRQ)); /* the line is still high */
    pin(p, 4, false);
    assert_false(rig_level(p->r, PIN_IRQ));
    region_out(p->r->regs[3], 0, 0xff, 1);
    assert_int_equal(region_in(p->r->regs[3], 0, 1), 0xde);
}

static void cascade_gives_the_slaves_vector(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    pin(p, 11, true), pin(p, 8, true);
    assert_int_equal(ack(p), 0x70);
    pin(p, 8, false);
    out(p, 1, 0, 0x20), out(p, 0, 0, 0x20);
    assert_true(rig_level(p->r, PIN_IRQ)); /* a second edge on IR2 */
    assert_int_equal(ack(p), 0x73);
}

static void a_line_that_falls_early_gives_spurious_ir7_and_ir15(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    pin(p, 3, true), pin(p, 3, false);
    assert_false(rig_level(p->r, PIN_IRQ));
    assert_int_equal(ack(p), 0x0f);
    out(p, 0, 0, 0x0b);
    assert_int_equal(in(p, 0, 0), 0); /* IR7 is not in service */
    /* the slave's request goes away while the master's stands */
    pin(p, 9, true);
    out(p, 1, 1, 0x02);
    pin(p, 12, true), pin(p, 12, false);
    p->b->master.lines |= 4, p->b->master.edge |= 4; /* as between the two INTA pulses */
    assert_int_equal(ack(p), 0x77);
    assert_int_equal(in(p, 0, 0), 4); /* the master must be told with an EOI */
}

static void mask_register_holds_back_but_remembers(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    out(p, 0, 1, 0x08);
    assert_int_equal(in(p, 0, 1), 0x08);
    pin(p, 3, true);
    assert_false(rig_level(p->r, PIN_IRQ));
    out(p, 0, 1, 0);
    assert_true(rig_level(p->r, PIN_IRQ));
}

static void rotation_and_set_priority(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    pin(p, 2 + 1, true), pin(p, 6, true);
    out(p, 0, 0, 0xc5); /* IR5 lowest: IR6 highest */
    assert_int_equal(ack(p), 0x0e);
    out(p, 0, 0, 0xa0); /* rotate on non-specific EOI: IR6 lowest */
    pin(p, 6, false), pin(p, 6, true);
    assert_int_equal(ack(p), 0x0b);
    out(p, 0, 0, 0xe3); /* rotate on specific EOI 3: IR3 lowest */
    pin(p, 3, false), pin(p, 3, true);
    assert_int_equal(ack(p), 0x0e);
    out(p, 0, 0, 0x20);
    assert_int_equal(ack(p), 0x0b);
}

static void automatic_eoi_with_rotation(void **state)
{
    struct pics *p = *state;
    init(p, 3);
    out(p, 0, 0, 0x80);
    pin(p, 0, true), pin(p, 1, true);
    assert_int_equal(ack(p), 0x08);
    out(p, 0, 0, 0x0b);
    assert_int_equal(in(p, 0, 0), 0);
    assert_int_equal(ack(p), 0x09);
    pin(p, 0, false), pin(p, 0, true), pin(p, 2 + 1, true);
    assert_int_equal(ack(p), 0x0b); /* 2..7 now come before 0 and 1 */
}

static void special_mask_mode_lets_lower_levels_through(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    pin(p, 1, true);
    ack(p);
    pin(p, 6, true);
    assert_false(rig_level(p->r, PIN_IRQ));
    out(p, 0, 1, 0x02);
    assert_false(rig_level(p->r, PIN_IRQ));
    out(p, 0, 0, 0x68);
    assert_true(rig_level(p->r, PIN_IRQ));
    assert_int_equal(ack(p), 0x0e);
    out(p, 0, 0, 0x20); /* a masked level is not ended by a non-specific EOI */
    out(p, 0, 0, 0x0b);
    assert_int_equal(in(p, 0, 0), 0x02);
    out(p, 0, 0, 0x48);
    pin(p, 6, false), pin(p, 6, true);
    assert_false(rig_level(p->r, PIN_IRQ));
}

static void special_fully_nested_mode_nests_in_the_slave(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    pin(p, 12, true);
    ack(p);
    pin(p, 9, true);
    assert_false(rig_level(p->r, PIN_IRQ));
    out(p, 1, 0, 0x20), out(p, 1, 0, 0x20), out(p, 0, 0, 0x20), pin(p, 9, false), pin(p, 12, false);
    init(p, 0x11);
    pin(p, 12, true);
    assert_int_equal(ack(p), 0x74);
    pin(p, 9, true);
    assert_true(rig_level(p->r, PIN_IRQ));
    assert_int_equal(ack(p), 0x71);
    pin(p, 5, true);
    assert_false(rig_level(p->r, PIN_IRQ)); /* lower than the cascade in service */
}

static void poll_command_acknowledges(void **state)
{
    struct pics *p = *state;
    init(p, 1);
    out(p, 0, 0, 0x0c);
    assert_int_equal(in(p, 0, 0), 0);
    pin(p, 5, true);
    out(p, 0, 0, 0x0c);
    assert_int_equal(in(p, 0, 0), 0x85);
    assert_false(rig_level(p->r, PIN_IRQ));
    out(p, 0, 0, 0x0b);
    assert_int_equal(in(p, 0, 0), 0x20);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_interrupts_before_initialization),
        T(highest_priority_is_acknowledged_first_and_nests),
        T(edge_needs_a_new_rise_and_level_does_not),
        T(cascade_gives_the_slaves_vector),
        T(a_line_that_falls_early_gives_spurious_ir7_and_ir15),
        T(mask_register_holds_back_but_remembers),
        T(rotation_and_set_priority),
        T(automatic_eoi_with_rotation),
        T(special_mask_mode_lets_lower_levels_through),
        T(special_fully_nested_mode_nests_in_the_slave),
        T(poll_command_acknowledges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
