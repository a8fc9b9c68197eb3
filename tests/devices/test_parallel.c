/* The parallel port against IEEE 1284's compatibility mode and the PC87332's registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/chips.h"

enum { DATA, STATUS, CONTROL };

static void keeps_the_contract(void **state)
{
    (void)state;
    contract_check(&case_parallel);
}

static void print(struct rig *r, uint8_t c)
{
    rig_out8(r, DATA, c);
    rig_out8(r, CONTROL, 0x0d);
    rig_out8(r, CONTROL, 0x0c);
}

static void registers_read_back_as_a_probe_expects(void **state)
{
    (void)state;
    struct rig *r = contract_open(&case_parallel);
    assert_int_equal(rig_in8(r, STATUS), 0xdf); /* ready, nACK high, paper, selected, no error */
    for (unsigned v = 0; v < 256; v++) {
        rig_out8(r, DATA, (uint8_t)v);
        assert_int_equal(rig_in8(r, DATA), v);
    }
    rig_out8(r, DATA, 0x5a);
    rig_out8(r, CONTROL, 0x2c); /* DIR: the pins float */
    assert_int_equal(rig_in8(r, DATA), 0xff);
    rig_out8(r, CONTROL, 0x0c);
    assert_int_equal(rig_in8(r, DATA), 0x5a);
    assert_int_equal(rig_in8(r, CONTROL), 0xcc);
    rig_out8(r, CONTROL, 0xff);
    assert_int_equal(rig_in8(r, CONTROL), 0xff);
    rig_out8(r, STATUS, 0); /* read only */
    assert_int_equal(rig_in8(r, STATUS) & 0x18, 0x18);
    assert_int_equal(rig_in8(r, 3), 0xff);
    contract_close(&case_parallel, r);
}

static void a_strobe_hands_over_one_byte(void **state)
{
    (void)state;
    struct rig *r = contract_open(&case_parallel);
    rig_out8(r, DATA, 'a');
    assert_int_equal(r->term.total, 0);
    rig_out8(r, CONTROL, 0x0d);
    rig_out8(r, CONTROL, 0x0d); /* no edge: no second byte */
    assert_int_equal(r->term.total, 1);
    assert_int_equal(rig_in8(r, STATUS) & 0xc0, 0x40); /* busy, not yet acknowledged */
    rig_out8(r, CONTROL, 0x0c);
    print(r, 'x'); /* not heard */
    rig_advance(r, 5500);
    assert_int_equal(rig_in8(r, STATUS) & 0xc0, 0x00); /* nACK low */
    rig_advance(r, 1000);
    assert_int_equal(rig_in8(r, STATUS) & 0xc0, 0xc0);
    print(r, 'b');
    assert_int_equal(r->term.total, 2);
    assert_memory_equal(r->term.out, "ab", 2);
    rig_out8(r, CONTROL, 0x08); /* nINIT low: at once ready */
    assert_int_equal(rig_in8(r, STATUS) & 0xc0, 0xc0);
    print(r, 'c');
    assert_memory_equal(r->term.out, "abc", 3);
    contract_close(&case_parallel, r);
}

static void each_acknowledge_is_an_interrupt(void **state)
{
    (void)state;
    struct rig *r = contract_open(&case_parallel);
    print(r, 'a');
    rig_advance(r, 10000);
    assert_int_equal(rig_edges(r, PIN_IRQ), 0); /* IRQEN is off */
    for (unsigned i = 0; i < 3; i++) { /* also without reading the status in between */
        rig_out8(r, CONTROL, 0x1d);
        rig_out8(r, CONTROL, 0x1c);
        rig_advance(r, 5500);
        assert_int_equal(rig_edges(r, PIN_IRQ), 0);
        rig_advance(r, 5500);
        assert_int_equal(rig_edges(r, PIN_IRQ), 1);
    }
    assert_int_equal(rig_in8(r, STATUS) & 0x04, 0); /* nIRQ, until it was seen */
    assert_false(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, STATUS) & 0x04, 4);
    rig_out8(r, CONTROL, 0x1d);
    rig_advance(r, 10000);
    assert_true(rig_level(r, PIN_IRQ));
    rig_out8(r, CONTROL, 0x0c); /* IRQEN off */
    assert_false(rig_level(r, PIN_IRQ));
    contract_close(&case_parallel, r);
}

static void paper_may_be_missing(void **state)
{
    (void)state;
    struct rig *r = contract_open(&case_parallel);
    r->chr.ops = NULL;
    print(r, 'a');
    rig_advance(r, 10000);
    assert_int_equal(rig_in8(r, STATUS) & 0x80, 0x80);
    assert_int_equal(r->term.total, 0);
    contract_close(&case_parallel, r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_read_back_as_a_probe_expects),
        cmocka_unit_test(a_strobe_hands_over_one_byte),
        cmocka_unit_test(each_acknowledge_is_an_interrupt),
        cmocka_unit_test(paper_may_be_missing),
        cmocka_unit_test(keeps_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
