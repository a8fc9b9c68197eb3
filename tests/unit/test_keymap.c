/* Key names, chords, layouts, and the script's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "frontend/script.h"
#include "frontend/ui/keymap.h"

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t hid;
    } t[] = {{"a", 4}, {"z", 0x1d}, {"1", 0x1e}, {"0", 0x27}, {"ret", 0x28}, {"esc", 0x29},
             {"spc", 0x2c}, {"f12", 0x45}, {"delete", 0x4c}, {"kp_7", 0x5f}, {"ctrl", 0xe0},
             {"alt_r", 0xe6}, {"altgr", 0xe6}, {"less", 0x64}, {"0x1e", 4}, {"0xd3", 0x4c},
             {"nokey", 0}, {"", 0}, {"0x", 0}, {"0xfff", 0}};
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        assert_int_equal(keymap_by_name(t[i].name), t[i].hid);
    }
    /* every name leads to a key, and every key's first name leads back to it */
    for (unsigned i = 0; keymap_name_at(i); i++) {
        uint8_t hid = keymap_by_name(keymap_name_at(i));
        assert_int_not_equal(hid, 0);
        assert_int_equal(keymap_by_name(keymap_name(hid)), hid);
    }
}

static void test_chords(void **state)
{
    (void)state;
    uint8_t k[KEYMAP_CHORD];
    char bad[32];
    assert_int_equal(keymap_chord("ctrl-alt-delete", k, bad), 3);
    assert_int_equal(k[0], 0xe0);
    assert_int_equal(k[1], 0xe2);
    assert_int_equal(k[2], 0x4c);
    assert_int_equal(keymap_chord("ctrl--", k, bad), 2);
    assert_int_equal(k[1], 0x2d);
    assert_int_equal(keymap_chord("ctrl-nokey-x", k, bad), 0);
    assert_string_equal(bad, "nokey");
    assert_int_equal(keymap_chord("", k, bad), 0);
    char many[200] = "a";
    for (int i = 0; i < 30; i++) {
        strcat(many, "-a");
    }
    assert_int_equal(keymap_chord(many, k, bad), 0);
}

static void test_layouts(void **state)
{
    (void)state;
    static const struct {
        const char *layout;
        uint32_t ch;
        uint8_t hid;
        bool shift, altgr;
    } t[] = {
        {"us", 'z', 0x1d, 0, 0},    {"us", '"', 0x34, 1, 0},   {"us", '|', 0x31, 1, 0},
        {"us", '~', 0x35, 1, 0},    {"uk", '"', 0x1f, 1, 0},   {"uk", '#', 0x31, 0, 0},
        {"uk", '|', 0x64, 1, 0},    {"uk", '\\', 0x64, 0, 0},  {"uk", 0xa3, 0x20, 1, 0},
        {"de", 'z', 0x1c, 0, 0},    {"de", 'y', 0x1d, 0, 0},   {"de", '@', 0x14, 0, 1},
        {"de", '/', 0x24, 1, 0},    {"de", '|', 0x64, 0, 1},   {"de", '{', 0x24, 0, 1},
        {"de", '-', 0x38, 0, 0},    {"de", 0xdf, 0x2d, 0, 0},  {"de", '\\', 0x2d, 0, 1},
        {"fr", 'a', 0x14, 0, 0},    {"fr", 'm', 0x33, 0, 0},   {"fr", '1', 0x1e, 1, 0},
        {"fr", '.', 0x36, 1, 0},    {"fr", '@', 0x27, 0, 1},   {"fr", '/', 0x37, 1, 0},
        {"es", 0xf1, 0x33, 0, 0},   {"es", '@', 0x1f, 0, 1},   {"it", 0xe8, 0x2f, 0, 0},
        {"it", '\\', 0x35, 0, 0},   {"sv", 0xe5, 0x2f, 0, 0},  {"sv", '$', 0x21, 0, 1},
        {"en-gb", 'a', 0x04, 0, 0},
    };
    struct keymap_stroke s;
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        const struct keymap_layout *l = keymap_layout(t[i].layout);
        assert_non_null(l);
        if (!keymap_char(l, t[i].ch, &s) || s.hid != t[i].hid || s.shift != t[i].shift ||
            s.altgr != t[i].altgr) {
            fail_msg("layout %s U+%04x: key %02x shift %d altgr %d", t[i].layout, t[i].ch, s.hid,
                     s.shift, s.altgr);
        }
    }
    assert_null(keymap_layout("xx"));
    assert_false(keymap_char(keymap_layout("us"), 0xe4, &s));
    assert_true(keymap_char(keymap_layout("de"), 3, &s)); /* Ctrl-C */
    assert_true(s.ctrl && s.hid == 0x06);
    /* Letters, digits and what a shell needs can be typed in each layout. */
    static const char *const layouts[] = {"us", "uk", "de", "fr", "es", "it", "sv"};
    static const char need[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               " \n\t!\"#$%&'()*+,-./:;<=>?_|\\";
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
        for (const char *p = need; *p; p++) {
            if (!keymap_char(keymap_layout(layouts[i]), (uint8_t)*p, &s)) {
                fail_msg("layout %s cannot type %c", layouts[i], *p);
            }
        }
    }
}

static void test_utf8(void **state)
{
    (void)state;
    const char *p = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xff\xc3z";
    static const uint32_t want[] = {'a', 0xe4, 0x20ac, 0x1f600, 0xff, 0xc3, 'z', 0, 0};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(keymap_utf8(&p), want[i]);
    }
}

static void test_escapes(void **state)
{
    (void)state;
    char s[] = "ls\\n\\t\\e\\x41\\\\\\q\\x0";
    keymap_unescape(s);
    assert_string_equal(s, "ls\n\t\033A\\qx0");
}

static void test_script_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"sendkey a\n", "-input-script f: line 1 must begin with a time in ms: \"5000 sendkey "
                        "ret\""},
        {"# c\n\n10 senkey a\n", "-input-script f: line 3: unknown action \"senkey\", did you mean "
                                 "sendkey"},
        {"10 sendkey bogus\n", "-input-script f: line 1: unknown key \"bogus\""},
        {"10 type \xc3\xa4\n", "-input-script f: line 1: \"\xc3\xa4\" cannot be typed in this "
                               "layout; -k LAYOUT chooses another"},
        {"10 screendump\n", "-input-script f: line 1: screendump needs a file name"},
        {"99999999999999999999 quit\n", "-input-script f: line 1 must begin with a time in ms: "
                                        "\"5000 sendkey ret\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        assert_null(script_parse("f", bad[i].text, keymap_layout("us"), &err));
        assert_string_equal(err.msg, bad[i].says);
    }
    struct err err = {0};
    struct script *s = script_parse("f", "0 type ls\\n\r\n+5 sendkey ret\n10 wait login:\n# end\n"
                                         "20 hash\n30 quit", keymap_layout("us"), &err);
    assert_non_null(s);
    script_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_chords),
        cmocka_unit_test(test_layouts), cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_escapes), cmocka_unit_test(test_script_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
