/* Port 92h, the debug console and the debug exit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/rig/chips.h"

static void port_92h_drives_a20_and_resets_on_a_change_to_one(void **state)
{
    (void)state;
    struct rig *r = contract_open(&case_port92);
    assert_false(rig_level(r, PIN_A20));
    rig_out8(r, 0, 2);
    assert_true(rig_level(r, PIN_A20));
    assert_int_equal(rig_in8(r, 0), 2);
    rig_out8(r, 0, 3);
    rig_out8(r, 0, 3);
    assert_int_equal(rig_edges(r, PIN_RESET), 1);
    assert_false(rig_level(r, PIN_RESET));
    rig_reset(r, RESET_CPU_ONLY);
    assert_true(rig_level(r, PIN_A20));
    rig_out8(r, 0, 3);
    assert_int_equal(rig_edges(r, PIN_RESET), 1);
    rig_reset(r, RESET_POWER_ON);
    assert_false(rig_level(r, PIN_A20));
    contract_close(&case_port92, r);
}

static void debug_console_reads_e9_and_writes_through(void **state)
{
    (void)state;
    struct rig *r = contract_open(&case_debugcon);
    assert_int_equal(rig_in8(r, 0), 0xe9);
    rig_out8(r, 0, 'o');
    rig_out8(r, 0, 'k');
    assert_memory_equal(r->term.out, "ok", 2);
    r->chr.ops = NULL; /* nobody listens */
    rig_out8(r, 0, '!');
    assert_int_equal(r->term.out_len, 2);
    contract_close(&case_debugcon, r);
}

static void debug_exit_gives_an_odd_status(void **state)
{
    (void)state;
    struct rig *r = contract_open(&case_debug_exit);
    struct exit_bench *b = r->priv;
    region_out(r->regs[0], 0, 0x10, 4);
    assert_int_equal(b->status, 0x21);
    region_out(r->regs[0], 0, 0, 1);
    assert_int_equal(b->status, 1);
    assert_int_equal(b->calls, 2);
    assert_int_equal(rig_in8(r, 0), 0);
    contract_close(&case_debug_exit, r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_92h_drives_a20_and_resets_on_a_change_to_one),
        cmocka_unit_test(debug_console_reads_e9_and_writes_through),
        cmocka_unit_test(debug_exit_gives_an_odd_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
