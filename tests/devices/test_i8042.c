/* 8042 with keyboard and mouse: controller commands, scan codes, mouse packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/rig/chips.h"

static int setup(void **state)
{
    *state = contract_open(&case_i8042);
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_i8042, *state);
    return 0;
}
static struct kbc_bench *bench(struct rig *r)
{
    return r->priv;
}
static uint8_t status(struct rig *r)
{
    return (uint8_t)region_in(r->regs[1], 0, 1);
}
static void cmd(struct rig *r, uint8_t v)
{
    region_out(r->regs[1], 0, v, 1);
}
/* Wait up to 30 ms for a byte; 0x100: none.  0x200 marks the mouse's. */
static unsigned get(struct rig *r)
{
    for (unsigned i = 0; i < 300; i++) {
        uint8_t s = status(r);
        if (s & 1) {
            return rig_in8(r, 0) | (s & 0x20 ? 0x200u : 0);
        }
        rig_advance(r, 100 * VTIME_US);
    }
    return 0x100;
}
/* everything that comes, as hex: "e0 12" */
static const char *all(struct rig *r, char *buf)
{
    unsigned v, n = 0;
    buf[0] = 0;
    while (n < 40 && (v = get(r)) != 0x100) {
        sprintf(buf + 3 * n, "%02x ", v & 0xff);
        n++;
    }
    if (n) {
        buf[3 * n - 1] = 0;
    }
    return buf;
}
static void kbd(struct rig *r, uint8_t v)
{
    rig_out8(r, 0, v);
}
static void mouse(struct rig *r, uint8_t v)
{
    cmd(r, 0xd4);
    rig_out8(r, 0, v);
}
static void press(struct rig *r, uint8_t hid)
{
    ps2kbd_key(&bench(r)->kbd, hid, true);
}
static void release(struct rig *r, uint8_t hid)
{
    ps2kbd_key(&bench(r)->kbd, hid, false);
}
static void set_ccb(struct rig *r, uint8_t v)
{
    cmd(r, 0x60);
    rig_out8(r, 0, v);
}
static void scan_set(struct rig *r, uint8_t set)
{
    kbd(r, 0xf0);
    assert_int_equal(get(r), 0xfa);
    kbd(r, set);
    assert_int_equal(get(r), 0xfa);
}
static char text[400];

static void self_tests_and_command_byte(void **state)
{
    struct rig *r = *state;
    assert_int_equal(status(r), 0x10);
    cmd(r, 0xaa);
    assert_int_equal(status(r), 0x1d); /* OBF, SYS, last write was a command */
    assert_int_equal(get(r), 0x55);
    cmd(r, 0xab);
    assert_int_equal(get(r), 0x00);
    cmd(r, 0xa9);
    assert_int_equal(get(r), 0x00);
    set_ccb(r, 0x47);
    assert_int_equal(status(r) & 8, 0);
    cmd(r, 0x20);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(get(r), 0x47);
    assert_false(rig_level(r, PIN_IRQ));
    cmd(r, 0xa7), cmd(r, 0xad), cmd(r, 0x20);
    assert_int_equal(get(r), 0x77);
    cmd(r, 0xa8), cmd(r, 0xae), cmd(r, 0x20);
    assert_int_equal(get(r), 0x47);
    cmd(r, 0x75), rig_out8(r, 0, 0x99), cmd(r, 0x35);
    assert_int_equal(get(r), 0x99);
    cmd(r, 0xa4);
    assert_int_equal(get(r), 0xf1);
    assert_int_equal(get(r), 0x100);
}

static void a20_and_reset(void **state)
{
    struct rig *r = *state;
    assert_true(rig_level(r, PIN_A20));
    cmd(r, 0xd1), rig_out8(r, 0, 0xdd);
    assert_false(rig_level(r, PIN_A20));
    cmd(r, 0xd0);
    assert_int_equal(get(r) & 3, 1);
    cmd(r, 0xdf);
    assert_true(rig_level(r, PIN_A20));
    cmd(r, 0xfe);
    cmd(r, 0xf0);
    cmd(r, 0xff); /* pulses nothing */
    cmd(r, 0xd1), rig_out8(r, 0, 0xde);
    assert_int_equal(rig_edges(r, PIN_RESET), 3);
    assert_false(rig_level(r, PIN_RESET));
}

static void output_buffer_commands_and_interrupts(void **state)
{
    struct rig *r = *state;
    set_ccb(r, 0x03);
    cmd(r, 0xd3), rig_out8(r, 0, 0x5a);
    assert_int_equal(status(r) & 0x21, 0x21);
    assert_true(rig_level(r, PIN_IRQ12));
    assert_false(rig_level(r, PIN_IRQ));
    assert_int_equal(get(r), 0x25a);
    cmd(r, 0xd2), rig_out8(r, 0, 0xa5);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(get(r), 0xa5);
}

static void a_byte_comes_300_us_after_the_last_was_read(void **state)
{
    struct rig *r = *state;
    set_ccb(r, 0x41);
    press(r, 0x04), press(r, 0x05);
    rig_advance(r, 300 * VTIME_US - 1);
    assert_int_equal(status(r) & 1, 0);
    rig_advance(r, 1);
    assert_true(rig_level(r, PIN_IRQ));
    rig_advance(r, 10 * VTIME_MS); /* unread: the second waits */
    assert_int_equal(rig_in8(r, 0), 0x1e);
    assert_int_equal(rig_in8(r, 0), 0x1e); /* the buffer keeps the last */
    assert_int_equal(get(r), 0x30);
    assert_int_equal(rig_edges(r, PIN_IRQ), 2);
}

static void a_disabled_port_keeps_its_bytes(void **state)
{
    struct rig *r = *state;
    set_ccb(r, 0x40);
    cmd(r, 0xad);
    press(r, 0x04);
    assert_int_equal(get(r), 0x100);
    cmd(r, 0xae);
    assert_int_equal(get(r), 0x1e);
}

static void keyboard_commands(void **state)
{
    struct rig *r = *state;
    kbd(r, 0xff);
    assert_int_equal(get(r), 0xfa);
    assert_int_equal(get(r), 0xaa);
    kbd(r, 0xee);
    assert_string_equal(all(r, text), "ee");
    kbd(r, 0xf2);
    assert_string_equal(all(r, text), "fa ab 83");
    kbd(r, 0xed), assert_string_equal(all(r, text), "fa");
    kbd(r, 0x06), assert_string_equal(all(r, text), "fa");
    assert_int_equal(ps2kbd_leds(&bench(r)->kbd), PS2KBD_NUM | PS2KBD_CAPS);
    kbd(r, 0xed), all(r, text);
    kbd(r, 0xf2), assert_string_equal(all(r, text), "fa ab 83"); /* a command instead of it */
    assert_int_equal(ps2kbd_leds(&bench(r)->kbd), 6);
    kbd(r, 0xf0), all(r, text), kbd(r, 0), assert_string_equal(all(r, text), "fa 02");
    kbd(r, 0xf0), all(r, text), kbd(r, 4), assert_string_equal(all(r, text), "fe");
    kbd(r, 0x12), assert_string_equal(all(r, text), "fe");
    kbd(r, 0xee), all(r, text), kbd(r, 0xfe), assert_string_equal(all(r, text), "ee");
    kbd(r, 0xf5), assert_string_equal(all(r, text), "fa");
    press(r, 0x04), release(r, 0x04);
    assert_string_equal(all(r, text), "");
    kbd(r, 0xf4), assert_string_equal(all(r, text), "fa");
    press(r, 0x04), release(r, 0x04);
    assert_string_equal(all(r, text), "1c f0 1c");
    set_ccb(r, 0x40); /* the translator leaves answers alone, but for the ID */
    kbd(r, 0xf2), assert_string_equal(all(r, text), "fa ab 41");
}

/* set 2 (untranslated), set 1 by the controller, set 1 by the keyboard: make and break */
static void expect_key(struct rig *r, uint8_t hid, const char *set2, const char *set1)
{
    set_ccb(r, 0x00);
    press(r, hid), release(r, hid);
    assert_string_equal(all(r, text), set2);
    set_ccb(r, 0x40);
    press(r, hid), release(r, hid);
    assert_string_equal(all(r, text), set1);
    set_ccb(r, 0x00);
    scan_set(r, 1);
    press(r, hid), release(r, hid);
    assert_string_equal(all(r, text), set1);
    scan_set(r, 2);
}

static void scan_codes_of_sets_1_and_2(void **state)
{
    struct rig *r = *state;
    expect_key(r, 0x28, "5a f0 5a", "1c 9c");
    expect_key(r, 0x40, "83 f0 83", "41 c1");                            /* F7 */
    expect_key(r, 0x58, "e0 5a e0 f0 5a", "e0 1c e0 9c");                /* keypad Enter */
    expect_key(r, 0x52, "e0 75 e0 f0 75", "e0 48 e0 c8");                /* up */
    expect_key(r, 0xe4, "e0 14 e0 f0 14", "e0 1d e0 9d");                /* right Ctrl */
    expect_key(r, 0x46, "e0 12 e0 7c e0 f0 7c e0 f0 12", "e0 2a e0 37 e0 b7 e0 aa");
    expect_key(r, 0x48, "e1 14 77 e1 f0 14 f0 77", "e1 1d 45 e1 9d c5"); /* Pause */
    expect_key(r, 0x64, "61 f0 61", "56 d6");
    expect_key(r, 0xe3, "e0 1f e0 f0 1f", "e0 5b e0 db");
    expect_key(r, 0x90, "f2", "f2");
    expect_key(r, 0x00, "", "");
}

static void modifiers_change_print_screen_pause_and_the_gray_keys(void **state)
{
    struct rig *r = *state;
    press(r, 0xe2), all(r, text); /* Alt: SysRq */
    press(r, 0x46), release(r, 0xe2), release(r, 0x46);
    assert_string_equal(all(r, text), "84 f0 11 f0 84");
    press(r, 0xe0), all(r, text); /* Ctrl */
    press(r, 0x46), release(r, 0x46), press(r, 0x48), release(r, 0x48), release(r, 0xe0);
    assert_string_equal(all(r, text), "e0 7c e0 f0 7c e0 7e e0 f0 7e f0 14");
    press(r, 0xe1), all(r, text); /* left Shift hides itself around a cursor key */
    press(r, 0x50), release(r, 0x50);
    assert_string_equal(all(r, text), "e0 f0 12 e0 6b e0 f0 6b e0 12");
    press(r, 0x50), all(r, text), release(r, 0xe1), release(r, 0x50);
    assert_string_equal(all(r, text), "f0 12 e0 f0 6b");
    kbd(r, 0xed), get(r), kbd(r, 2), get(r); /* Num Lock */
    press(r, 0x50), release(r, 0x50);
    assert_string_equal(all(r, text), "e0 12 e0 6b e0 f0 6b e0 f0 12");
    press(r, 0x54), release(r, 0x54);
    assert_string_equal(all(r, text), "e0 4a e0 f0 4a");
}

static void scan_code_set_3_with_its_key_types(void **state)
{
    struct rig *r = *state;
    scan_set(r, 3);
    press(r, 0x04), release(r, 0x04), press(r, 0xe1), release(r, 0xe1), press(r, 0x3a),
        release(r, 0x3a);
    assert_string_equal(all(r, text), "1c 12 f0 12 07"); /* typematic, make/break, make only */
    kbd(r, 0xf8), get(r);
    press(r, 0x04), release(r, 0x04), press(r, 0x52), release(r, 0x52);
    assert_string_equal(all(r, text), "1c f0 1c 63 f0 63");
    kbd(r, 0xfd), get(r), kbd(r, 0x1c), assert_int_equal(get(r), 0xfa), kbd(r, 0xf4), get(r);
    press(r, 0x04), release(r, 0x04), press(r, 0x05), release(r, 0x05);
    assert_string_equal(all(r, text), "1c 32 f0 32");
    kbd(r, 0xf2), assert_string_equal(all(r, text), "fa ab 83");
}

static void typematic_delay_and_rate(void **state)
{
    struct rig *r = *state;
    kbd(r, 0xf3), get(r), kbd(r, 0x00), get(r); /* 250 ms, 30 a second */
    vtime t0 = clock_now(&r->clk);
    press(r, 0x04);
    press(r, 0x04); /* the host's own repeats are not ours */
    unsigned n = 0;
    while (clock_now(&r->clk) < t0 + 1251 * VTIME_MS) {
        if (status(r) & 1) {
            assert_int_equal(rig_in8(r, 0), 0x1c);
            n++;
        }
        rig_advance(r, 100 * VTIME_US);
    }
    assert_in_range(n, 31, 32); /* the press, one at 250 ms, then 30 in a second */
    press(r, 0x05); /* the last key repeats */
    release(r, 0x04);
    assert_int_equal(get(r), 0x32);
    release(r, 0x05);
    all(r, text);
    rig_advance(r, VTIME_SEC);
    assert_int_equal(get(r), 0x100);
}

static void sixteen_bytes_then_an_overrun_mark(void **state)
{
    struct rig *r = *state;
    cmd(r, 0xad);
    for (unsigned i = 0; i < 26; i++) {
        press(r, (uint8_t)(4 + i));
    }
    for (unsigned i = 0; i < 26; i++) {
        release(r, (uint8_t)(4 + i));
    }
    cmd(r, 0xae);
    assert_string_equal(all(r, text), "1c 32 21 23 24 2b 34 33 43 3b 42 4b 3a 31 44 4d 00");
    press(r, 0x04);
    assert_int_equal(get(r), 0x1c);
}

static void mouse_commands_and_ids(void **state)
{
    struct rig *r = *state;
    static const uint8_t wheel[] = {200, 100, 80}, five[] = {200, 200, 80};
    mouse(r, 0xff);
    assert_string_equal(all(r, text), "fa aa 00");
    mouse(r, 0xf2), assert_string_equal(all(r, text), "fa 00");
    mouse(r, 0xe9), assert_string_equal(all(r, text), "fa 00 02 64");
    mouse(r, 0xe8), all(r, text), mouse(r, 3), mouse(r, 0xe7), mouse(r, 0xf4), all(r, text);
    mouse(r, 0xe9), assert_string_equal(all(r, text), "fa 30 03 64");
    for (unsigned i = 0; i < 3; i++) {
        mouse(r, 0xf3), all(r, text), mouse(r, wheel[i]), assert_string_equal(all(r, text), "fa");
    }
    mouse(r, 0xf2), assert_string_equal(all(r, text), "fa 03");
    for (unsigned i = 0; i < 3; i++) {
        mouse(r, 0xf3), all(r, text), mouse(r, five[i]), all(r, text);
    }
    mouse(r, 0xf2), assert_string_equal(all(r, text), "fa 04");
    mouse(r, 0xf3), all(r, text), mouse(r, 7), assert_string_equal(all(r, text), "fe");
    mouse(r, 7), assert_string_equal(all(r, text), "fc");
    mouse(r, 0xee), all(r, text), mouse(r, 0xf2), assert_string_equal(all(r, text), "f2");
    mouse(r, 0xec), assert_string_equal(all(r, text), "fa");
    mouse(r, 0xf6), all(r, text), mouse(r, 0xe9), assert_string_equal(all(r, text), "fa 00 02 64");
}

static void mouse_packets(void **state)
{
    struct rig *r = *state;
    struct ps2mouse *m = &bench(r)->mouse;
    ps2mouse_move(m, 5, 5, 0, 0); /* not streaming */
    assert_string_equal(all(r, text), "");
    mouse(r, 0xf4), all(r, text);
    ps2mouse_move(m, 3, -2, 0, 1); /* right, up, left button */
    assert_int_equal(get(r), 0x209);
    assert_string_equal(all(r, text), "03 02");
    ps2mouse_move(m, -1, 1, 0, 0);
    assert_string_equal(all(r, text), "38 ff ff");
    ps2mouse_move(m, 600, 0, 0, 0); /* what does not fit comes with the next samples */
    assert_string_equal(all(r, text), "08 ff 00 08 ff 00 08 5a 00");
    ps2mouse_move(m, 0, 0, 0, 4);
    ps2mouse_move(m, 0, 0, 0, 0); /* a click within one sample period */
    assert_string_equal(all(r, text), "0c 00 00 08 00 00");
    mouse(r, 0xf0), all(r, text);
    ps2mouse_move(m, 7, 0, 0, 0);
    assert_string_equal(all(r, text), "");
    mouse(r, 0xeb), assert_string_equal(all(r, text), "fa 08 07 00");
    m->id = 3;
    mouse(r, 0xea), all(r, text);
    ps2mouse_move(m, 0, 0, 1, 0); /* away from the user */
    assert_string_equal(all(r, text), "08 00 00 ff");
    m->id = 4;
    ps2mouse_move(m, 0, 0, -1, 0x10);
    assert_string_equal(all(r, text), "08 00 00 21");
}

static void t23_queue_lengths_from_a_damaged_state_are_refused(void **state)
{
    struct rig *r = *state;
    struct snap a;
    press(r, 0x04);
    rig_save(r, &a);
    unsigned refused = 0;
    for (size_t i = 0; i < a.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            a.buf[i] ^= (uint8_t)(1u << bit);
            refused += !rig_load(r, a.buf, a.len);
            a.buf[i] ^= (uint8_t)(1u << bit);
            get(r);
            rig_out8(r, 0, 0xf2);
        }
    }
    assert_true(refused > 100);
    assert_true(rig_load(r, a.buf, a.len));
    snap_fini(&a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(self_tests_and_command_byte),
        T(a20_and_reset),
        T(output_buffer_commands_and_interrupts),
        T(a_byte_comes_300_us_after_the_last_was_read),
        T(a_disabled_port_keeps_its_bytes),
        T(keyboard_commands),
        T(scan_codes_of_sets_1_and_2),
        T(modifiers_change_print_screen_pause_and_the_gray_keys),
        T(scan_code_set_3_with_its_key_types),
        T(typematic_delay_and_rate),
        T(sixteen_bytes_then_an_overrun_mark),
        T(mouse_commands_and_ids),
        T(mouse_packets),
        T(t23_queue_lengths_from_a_damaged_state_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
