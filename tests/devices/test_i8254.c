/* 8254 and port 61h: modes, latches, read-back, by the datasheet's timing diagrams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/chips.h"

static int setup(void **state)
{
    *state = contract_open(&case_i8254);
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_i8254, *state);
    return 0;
}
static struct i8254 *pit(struct rig *r)
{
    return &((struct pit_bench *)r->priv)->pit;
}
/* to the first instant of input clock k */
static void to_tick(struct rig *r, uint64_t k)
{
    rig_advance_to(r, (k * VTIME_SEC + I8254_HZ - 1) / I8254_HZ);
    assert_int_equal(i8254_ticks(&r->clk), k);
}
static void count16(struct rig *r, unsigned ch, uint16_t n)
{
    rig_out8(r, ch, (uint8_t)n);
    rig_out8(r, ch, (uint8_t)(n >> 8));
}
static unsigned read16(struct rig *r, unsigned ch)
{
    unsigned lo = rig_in8(r, ch);
    return lo | (unsigned)rig_in8(r, ch) << 8;
}

static void mode_0_rises_n_plus_1_clocks_after_the_write(void **state)
{
    struct rig *r = *state;
    to_tick(r, 100);
    rig_out8(r, 3, 0x30);
    assert_false(rig_level(r, PIN_IRQ));
    count16(r, 0, 4);
    to_tick(r, 104);
    assert_false(rig_level(r, PIN_IRQ));
    assert_int_equal(read16(r, 0), 1);
    to_tick(r, 105);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(read16(r, 0), 0);
    to_tick(r, 106);
    assert_int_equal(read16(r, 0), 0xffff); /* goes on counting */
    rig_out8(r, 0, 9); /* the first byte of a new count stops it and lowers OUT */
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 200);
    assert_false(rig_level(r, PIN_IRQ));
    rig_out8(r, 0, 0);
    to_tick(r, 210);
    assert_true(rig_level(r, PIN_IRQ));
}

static void mode_0_gate_holds_the_count(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0x10);
    rig_out8(r, 0, 10);
    to_tick(r, 5);
    i8254_set_gate(pit(r), 0, false);
    uint8_t v = rig_in8(r, 0);
    to_tick(r, 500);
    assert_int_equal(rig_in8(r, 0), v);
    assert_false(rig_level(r, PIN_IRQ));
    i8254_set_gate(pit(r), 0, true);
    to_tick(r, 500 + v);
    assert_true(rig_level(r, PIN_IRQ));
}

static void mode_1_is_a_retriggerable_one_shot(void **state)
{
    struct rig *r = *state;
    i8254_set_gate(pit(r), 0, false);
    rig_out8(r, 3, 0x12);
    rig_out8(r, 0, 5);
    to_tick(r, 20);
    assert_true(rig_level(r, PIN_IRQ));
    i8254_set_gate(pit(r), 0, true);
    to_tick(r, 21);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 24);
    i8254_set_gate(pit(r), 0, false);
    i8254_set_gate(pit(r), 0, true); /* starts anew */
    to_tick(r, 29);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 30);
    assert_true(rig_level(r, PIN_IRQ));
}

static void mode_2_is_low_for_one_clock_in_n(void **state)
{
    struct rig *r = *state;
    to_tick(r, 10);
    rig_out8(r, 3, 0x14);
    rig_out8(r, 0, 5);
    rig_edges(r, PIN_IRQ);
    for (unsigned k = 11; k < 111; k++) { /* loaded at 11 */
        to_tick(r, k);
        assert_int_equal(rig_level(r, PIN_IRQ), (k - 11) % 5 != 4);
        assert_int_equal(rig_in8(r, 0), 5 - (k - 11) % 5);
    }
    assert_int_equal(rig_edges(r, PIN_IRQ), 19);
    to_tick(r, 112); /* one clock into a period: a new count waits for its end */
    rig_out8(r, 0, 10);
    to_tick(r, 115);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 125);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 126);
    assert_true(rig_level(r, PIN_IRQ));
    to_tick(r, 135);
    i8254_set_gate(pit(r), 0, false); /* OUT high at once */
    assert_true(rig_level(r, PIN_IRQ));
    to_tick(r, 200);
    i8254_set_gate(pit(r), 0, true);
    to_tick(r, 210);
    assert_false(rig_level(r, PIN_IRQ));
}

static void mode_3_is_a_square_wave_odd_counts_longer_high(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0x16);
    rig_out8(r, 0, 5);
    static const uint8_t count[5] = {4, 2, 0, 4, 2};
    for (unsigned k = 1; k < 101; k++) {
        to_tick(r, k);
        assert_int_equal(rig_level(r, PIN_IRQ), (k - 1) % 5 < 3);
        assert_int_equal(rig_in8(r, 0), count[(k - 1) % 5]);
    }
    to_tick(r, 101); /* high: the new count begins with the low half at 104 */
    rig_out8(r, 0, 8);
    to_tick(r, 103);
    assert_true(rig_level(r, PIN_IRQ));
    to_tick(r, 104);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 107);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 108);
    assert_true(rig_level(r, PIN_IRQ));
    to_tick(r, 112);
    assert_false(rig_level(r, PIN_IRQ));
}

static void mode_4_strobes_once_and_mode_5_on_the_gate(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0x18);
    rig_out8(r, 0, 3);
    to_tick(r, 3);
    assert_true(rig_level(r, PIN_IRQ));
    to_tick(r, 4);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 5);
    assert_true(rig_level(r, PIN_IRQ));
    to_tick(r, 100000);
    assert_int_equal(rig_edges(r, PIN_IRQ), 2);
    i8254_set_gate(pit(r), 0, false);
    rig_out8(r, 3, 0x1a);
    rig_out8(r, 0, 3);
    to_tick(r, 100100);
    assert_true(rig_level(r, PIN_IRQ));
    i8254_set_gate(pit(r), 0, true);
    to_tick(r, 100104);
    assert_false(rig_level(r, PIN_IRQ));
    to_tick(r, 100105);
    assert_true(rig_level(r, PIN_IRQ));
}

static void bcd_counts_decimally(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0x31);
    count16(r, 0, 0x0100); /* one hundred */
    to_tick(r, 2);
    assert_int_equal(read16(r, 0), 0x0099);
    to_tick(r, 101);
    assert_true(rig_level(r, PIN_IRQ));
    to_tick(r, 102);
    assert_int_equal(read16(r, 0), 0x9999);
}

static void latch_holds_both_bytes_until_read(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0x34);
    count16(r, 0, 0x1234);
    to_tick(r, 1);
    rig_out8(r, 3, 0x00);
    to_tick(r, 0x235);
    rig_out8(r, 3, 0x00); /* ignored: the first latch is unread */
    assert_int_equal(read16(r, 0), 0x1234);
    assert_int_equal(read16(r, 0), 0x1000);
}

static void read_back_latches_status_and_count(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0xb6);
    rig_out8(r, 3, 0xe8); /* status of channel 2 */
    assert_int_equal(rig_in8(r, 2), 0x80 | 0x40 | 0x36); /* OUT high, null count */
    count16(r, 2, 0x100);
    region_out(r->regs[1], 0, 1, 1);
    to_tick(r, 3);
    rig_out8(r, 3, 0xc8); /* both: the status is read first */
    assert_int_equal(rig_in8(r, 2), 0x80 | 0x36);
    assert_int_equal(read16(r, 2), 0x100 - 2 * 2);
    to_tick(r, 1 + 0x80);
    rig_out8(r, 3, 0xe8);
    assert_int_equal(rig_in8(r, 2), 0x36);
    rig_out8(r, 3, 0xc0 | 0x3e);
}

static void port_61h_gates_channel_2_and_shows_out2_and_refresh(void **state)
{
    struct rig *r = *state;
    struct region *p61 = r->regs[1];
    rig_out8(r, 3, 0xb0); /* mode 0, as delay loops do */
    count16(r, 2, 100);
    to_tick(r, 1000);
    assert_int_equal(region_in(p61, 0, 1) & 0x2f, 0);
    region_out(p61, 0, 0xff, 1);
    to_tick(r, 1099);
    assert_int_equal(region_in(p61, 0, 1) & 0x2f, 0x0f);
    to_tick(r, 1100);
    assert_int_equal(region_in(p61, 0, 1) & 0x2f, 0x2f);
    assert_true(port61_speaker(&((struct pit_bench *)r->priv)->port61));
    assert_int_equal(port61_tone(&((struct pit_bench *)r->priv)->port61), 0); /* no tone */
    unsigned toggles = 0;
    uint64_t last = region_in(p61, 0, 1) & 0x10;
    for (unsigned i = 0; i < 10000; i++) { /* 10 ms: 66287 a second */
        rig_advance(r, VTIME_US);
        uint64_t now = region_in(p61, 0, 1) & 0x10;
        toggles += now != last;
        last = now;
    }
    assert_in_range(toggles, 661, 664);
    rig_out8(r, 3, 0xb6); /* mode 3: a tone, when gate and data are on */
    assert_int_equal(port61_tone(&((struct pit_bench *)r->priv)->port61), 0); /* no count yet */
    count16(r, 2, 2712);
    rig_advance(r, VTIME_MS);
    for (unsigned v = 0; v < 4; v++) {
        region_out(p61, 0, v, 1);
        assert_int_equal(port61_tone(&((struct pit_bench *)r->priv)->port61), v == 3 ? 439 : 0);
    }
}

static void rate_never_drifts(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0x34);
    count16(r, 0, 11932); /* about 100 Hz */
    rig_edges(r, PIN_IRQ);
    rig_advance_to(r, 1000 * VTIME_SEC);
    assert_int_equal(rig_edges(r, PIN_IRQ), (1193182ull * 1000 - 1) / 11932);
}

static void t20_every_port_at_every_width_and_read_back_of_no_channel(void **state)
{
    struct rig *r = *state;
    for (unsigned v = 0; v < 256; v++) {
        rig_out8(r, 3, (uint8_t)v);
        for (unsigned off = 0; off < 4; off++) {
            for (unsigned size = 1; size <= 8; size *= 2) {
                region_out(r->regs[0], off, 0x0101010101010101ull * v, size);
                region_in(r->regs[0], off, size);
            }
        }
        rig_advance(r, 1000);
    }
    assert_int_equal(rig_in8(r, 3), 0xff);
    assert_int_equal(region_in(r->regs[1], 0, 8) >> 8, 0xffffffffffffffull);
}

static void a_count_of_one_does_not_storm(void **state)
{
    struct rig *r = *state;
    rig_out8(r, 3, 0x14);
    rig_out8(r, 0, 1);
    rig_advance(r, VTIME_SEC);
    assert_true(rig_edges(r, PIN_IRQ) <= 1);
    rig_out8(r, 3, 0x16);
    rig_out8(r, 0, 1);
    rig_advance(r, VTIME_SEC);
    assert_int_equal(rig_edges(r, PIN_IRQ), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(mode_0_rises_n_plus_1_clocks_after_the_write),
        T(mode_0_gate_holds_the_count),
        T(mode_1_is_a_retriggerable_one_shot),
        T(mode_2_is_low_for_one_clock_in_n),
        T(mode_3_is_a_square_wave_odd_counts_longer_high),
        T(mode_4_strobes_once_and_mode_5_on_the_gate),
        T(bcd_counts_decimally),
        T(latch_holds_both_bytes_until_read),
        T(read_back_latches_status_and_count),
        T(port_61h_gates_channel_2_and_shows_out2_and_refresh),
        T(rate_never_drifts),
        T(t20_every_port_at_every_width_and_read_back_of_no_channel),
        T(a_count_of_one_does_not_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
