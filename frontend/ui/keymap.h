/* Keys by USB HID usage id (page 7): names as QEMU's sendkey has them, and text typed in a layout.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { KEYMAP_CHORD = 16 };
enum { HID_CTRL_L = 0xe0, HID_SHIFT_L = 0xe1, HID_ALT_L = 0xe2, HID_META_L = 0xe3,
       HID_CTRL_R = 0xe4, HID_SHIFT_R = 0xe5, HID_ALT_R = 0xe6, HID_META_R = 0xe7 };

/* 0 when unknown.  Also "0x1e": a PC scan code of set 1 (e0 as 0x80 | code), as QEMU takes it. */
uint8_t keymap_by_name(const char *name);
const char *keymap_name(uint8_t hid); /* NULL when it has none */
const char *keymap_name_at(unsigned i); /* for completion; NULL ends */
/* "ctrl-alt-delete": the keys in order of pressing; 0 and *bad (the word) when one is unknown. */
unsigned keymap_chord(const char *text, uint8_t keys[KEYMAP_CHORD], char bad[32]);

struct keymap_layout;
const struct keymap_layout *keymap_layout(const char *name); /* NULL when unknown */
struct keymap_stroke {
    uint8_t hid;
    bool shift, altgr, ctrl;
};
/* One Unicode character; control characters become keys (\n Enter, 0x1b Esc, 0x01..0x1a Ctrl-x). */
bool keymap_char(const struct keymap_layout *l, uint32_t ch, struct keymap_stroke *out);
/* The next character of UTF-8 text; 0 at its end.  Malformed bytes come as themselves. */
uint32_t keymap_utf8(const char **p);
/* Backslash escapes of scripts (\n \t \e \b \\ \xNN), in place. */
void keymap_unescape(char *text);
