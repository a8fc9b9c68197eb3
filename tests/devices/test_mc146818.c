/* MC146818: update cycle, interrupts, calendar, divider. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/chips.h"

static int setup(void **state)
{
    *state = contract_open(&case_mc146818);
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_mc146818, *state);
    return 0;
}
static uint8_t get(struct rig *r, uint8_t i)
{
    rig_out8(r, 0, i);
    return rig_in8(r, 1);
}
static void set(struct rig *r, uint8_t i, uint8_t v)
{
    rig_out8(r, 0, i);
    rig_out8(r, 1, v);
}
static void expect_date(struct rig *r, unsigned century, unsigned y, unsigned mo, unsigned d,
                        unsigned h, unsigned mi, unsigned s)
{
    assert_int_equal(get(r, 0x32), century);
    assert_int_equal(get(r, 9), y);
    assert_int_equal(get(r, 8), mo);
    assert_int_equal(get(r, 7), d);
    assert_int_equal(get(r, 4), h);
    assert_int_equal(get(r, 2), mi);
    assert_int_equal(get(r, 0), s);
}

static void time_of_day_starts_at_the_base_and_knows_leap_years(void **state)
{
    struct rig *r = *state;
    expect_date(r, 0x20, 0x00, 0x02, 0x28, 0x23, 0x59, 0x57);
    assert_int_equal(get(r, 6), 2); /* a Monday */
    rig_advance(r, 3 * VTIME_SEC);
    expect_date(r, 0x20, 0x00, 0x02, 0x29, 0x00, 0x00, 0x00);
    assert_int_equal(get(r, 6), 3);
    rig_advance(r, 86400 * VTIME_SEC);
    expect_date(r, 0x20, 0x00, 0x03, 0x01, 0x00, 0x00, 0x00);
    assert_int_equal(get(r, 13), 0x80); /* VRT */
}

static void twelve_hours_and_binary(void **state)
{
    struct rig *r = *state;
    set(r, 11, 0x84); /* SET, binary, 12 hours */
    set(r, 0, 59), set(r, 2, 59), set(r, 4, 11), set(r, 9, 99), set(r, 8, 12), set(r, 7, 31);
    set(r, 11, 0x04);
    rig_advance(r, VTIME_SEC);
    assert_int_equal(get(r, 4), 0x80 | 12); /* noon */
    rig_advance(r, 12 * 3600 * VTIME_SEC);
    assert_int_equal(get(r, 4), 12); /* midnight */
    assert_int_equal(get(r, 9), 0);
    assert_int_equal(get(r, 8), 1);
    assert_int_equal(get(r, 0x32), 0x21);
    rig_advance(r, 3600 * VTIME_SEC);
    assert_int_equal(get(r, 4), 1);
}

static void uip_rises_244_us_before_an_update_cycle_of_1984_us(void **state)
{
    struct rig *r = *state;
    rig_advance_to(r, VTIME_SEC - 2228 * VTIME_US - 1);
    assert_int_equal(get(r, 10), 0x26);
    rig_advance(r, 1);
    assert_int_equal(get(r, 10), 0xa6);
    rig_advance_to(r, VTIME_SEC - 1);
    assert_int_equal(get(r, 10), 0xa6);
    assert_int_equal(get(r, 0), 0x57);
    rig_advance(r, 1);
    assert_int_equal(get(r, 10), 0x26);
    assert_int_equal(get(r, 0), 0x58);
}

static void set_freezes_the_time_and_clears_uie(void **state)
{
    struct rig *r = *state;
    set(r, 11, 0x92);
    assert_int_equal(get(r, 11), 0x82);
    rig_advance(r, 10 * VTIME_SEC - 1);
    assert_int_equal(get(r, 10) & 0x80, 0);
    rig_advance(r, 1);
    assert_int_equal(get(r, 0), 0x57);
    set(r, 11, 0x02);
    rig_advance(r, VTIME_SEC);
    assert_int_equal(get(r, 0), 0x58);
}

static void divider_reset_gives_the_first_update_after_half_a_second(void **state)
{
    struct rig *r = *state;
    rig_advance(r, 300 * VTIME_MS);
    set(r, 10, 0x70);
    rig_advance(r, 5 * VTIME_SEC);
    assert_int_equal(get(r, 0), 0x57);
    set(r, 10, 0x26);
    rig_advance(r, 500 * VTIME_MS - 1);
    assert_int_equal(get(r, 0), 0x57);
    rig_advance(r, 1);
    assert_int_equal(get(r, 0), 0x58);
    rig_advance(r, VTIME_SEC);
    assert_int_equal(get(r, 0), 0x59);
}

static void update_interrupt_is_cleared_by_reading_c(void **state)
{
    struct rig *r = *state;
    set(r, 11, 0x12);
    rig_advance(r, VTIME_SEC);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(get(r, 12) & 0xb0, 0x90);
    assert_false(rig_level(r, PIN_IRQ));
    assert_int_equal(get(r, 12), 0);
    rig_advance(r, 4 * VTIME_SEC);
    assert_int_equal(rig_edges(r, PIN_IRQ), 2); /* stays high until read */
}

static void periodic_rate_is_exact(void **state)
{
    struct rig *r = *state;
    set(r, 11, 0x42); /* PIE at 1024 Hz */
    unsigned n = 0;
    rig_edges(r, PIN_IRQ);
    for (vtime t = 0; t < 2 * VTIME_SEC; t += 100 * VTIME_US) {
        rig_advance(r, 100 * VTIME_US);
        if (rig_level(r, PIN_IRQ)) {
            assert_int_equal(get(r, 12) & 0xc0, 0xc0);
            n++;
        }
    }
    assert_int_equal(n, 2048);
    assert_int_equal(rig_edges(r, PIN_IRQ), 2048);
    set(r, 11, 0x02); /* without PIE the flag is there to be polled, without an interrupt */
    get(r, 12);
    rig_advance(r, VTIME_MS);
    assert_int_equal(get(r, 12) & 0xc0, 0x40);
    set(r, 10, 0x20); /* rate 0: none */
    get(r, 12);
    rig_advance(r, 100 * VTIME_MS);
    assert_int_equal(get(r, 12) & 0x40, 0);
}

static void alarm_matches_with_dont_care(void **state)
{
    struct rig *r = *state;
    set(r, 1, 0x10), set(r, 3, 0xff), set(r, 5, 0xc0);
    set(r, 11, 0x22);
    rig_advance(r, 12 * VTIME_SEC); /* 00:00:09 */
    assert_false(rig_level(r, PIN_IRQ));
    rig_advance(r, VTIME_SEC);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(get(r, 12) & 0xa0, 0xa0);
    set(r, 3, 0x05);
    rig_advance(r, 60 * VTIME_SEC);
    assert_false(rig_level(r, PIN_IRQ));
    rig_advance(r, 4 * 60 * VTIME_SEC);
    assert_true(rig_level(r, PIN_IRQ));
}

static void daylight_saving_jumps_in_april_and_october(void **state)
{
    struct rig *r = *state;
    set(r, 11, 0x83);
    set(r, 0, 0x59), set(r, 2, 0x59), set(r, 4, 0x01), set(r, 6, 1), set(r, 7, 0x02), set(r, 8, 4);
    set(r, 11, 0x03);
    rig_advance(r, VTIME_SEC);
    assert_int_equal(get(r, 4), 0x03);
    set(r, 11, 0x83);
    set(r, 0, 0x59), set(r, 2, 0x59), set(r, 4, 0x01), set(r, 6, 1), set(r, 7, 0x29),
        set(r, 8, 0x10);
    set(r, 11, 0x03);
    rig_advance(r, VTIME_SEC);
    assert_int_equal(get(r, 4), 0x01);
    rig_advance(r, 3600 * VTIME_SEC);
    assert_int_equal(get(r, 4), 0x02); /* only once */
}

static void reset_keeps_time_and_ram_and_the_nmi_mask_is_bit_7(void **state)
{
    struct rig *r = *state;
    struct mc146818 *c = r->priv;
    set(r, 0x80 | 0x40, 0x5a);
    assert_true(c->nmi_masked);
    mc146818_set_cmos(c, 0x15, 0x80);
    region_out(r->regs[1], 0, 0x7f, 1);
    region_out(r->regs[1], 1, 0x77, 1);
    set(r, 11, 0x72);
    rig_reset(r, RESET_POWER_ON);
    assert_int_equal(get(r, 0x40), 0x5a);
    assert_int_equal(get(r, 0x15), 0x80);
    assert_int_equal(get(r, 11), 0x02);
    assert_int_equal(get(r, 0), 0x57);
    region_out(r->regs[1], 0, 0xff, 1);
    assert_int_equal(region_in(r->regs[1], 1, 1), 0x77);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(time_of_day_starts_at_the_base_and_knows_leap_years),
        T(twelve_hours_and_binary),
        T(uip_rises_244_us_before_an_update_cycle_of_1984_us),
        T(set_freezes_the_time_and_clears_uie),
        T(divider_reset_gives_the_first_update_after_half_a_second),
        T(update_interrupt_is_cleared_by_reading_c),
        T(periodic_rate_is_exact),
        T(alarm_matches_with_dont_care),
        T(daylight_saving_jumps_in_april_and_october),
        T(reset_keeps_time_and_ram_and_the_nmi_mask_is_bit_7),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
