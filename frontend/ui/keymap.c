/* Keys: USB HID Usage Tables 1.12, "Keyboard/Keypad Page (0x07)"; names as in QEMU's sendkey; PC
 * set 1 codes from the PS/2 Technical Reference, "Keyboard Scan Codes".
 * Layouts name the character of each key position, plain, with Shift and with AltGr.
 * NOT IMPLEMENTED: dead keys (a character that needs one cannot be typed). */
#include "frontend/ui/keymap.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

/* ---- names ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint8_t hid, set1; /* set1: bit 7 means an E0 prefix; 0: none of its own */
} keymap_keys[] = {
    {"a", 0x04, 0x1e}, {"b", 0x05, 0x30}, {"c", 0x06, 0x2e}, {"d", 0x07, 0x20}, {"e", 0x08, 0x12},
    {"f", 0x09, 0x21}, {"g", 0x0a, 0x22}, {"h", 0x0b, 0x23}, {"i", 0x0c, 0x17}, {"j", 0x0d, 0x24},
    {"k", 0x0e, 0x25}, {"l", 0x0f, 0x26}, {"m", 0x10, 0x32}, {"n", 0x11, 0x31}, {"o", 0x12, 0x18},
    {"p", 0x13, 0x19}, {"q", 0x14, 0x10}, {"r", 0x15, 0x13}, {"s", 0x16, 0x1f}, {"t", 0x17, 0x14},
    {"u", 0x18, 0x16}, {"v", 0x19, 0x2f}, {"w", 0x1a, 0x11}, {"x", 0x1b, 0x2d}, {"y", 0x1c, 0x15},
    {"z", 0x1d, 0x2c}, {"1", 0x1e, 0x02}, {"2", 0x1f, 0x03}, {"3", 0x20, 0x04}, {"4", 0x21, 0x05},
    {"5", 0x22, 0x06}, {"6", 0x23, 0x07}, {"7", 0x24, 0x08}, {"8", 0x25, 0x09}, {"9", 0x26, 0x0a},
    {"0", 0x27, 0x0b}, {"ret", 0x28, 0x1c}, {"esc", 0x29, 0x01}, {"backspace", 0x2a, 0x0e},
    {"tab", 0x2b, 0x0f}, {"spc", 0x2c, 0x39}, {"minus", 0x2d, 0x0c}, {"equal", 0x2e, 0x0d},
    {"bracket_left", 0x2f, 0x1a}, {"bracket_right", 0x30, 0x1b}, {"backslash", 0x31, 0x2b},
    {"semicolon", 0x33, 0x27}, {"apostrophe", 0x34, 0x28}, {"grave_accent", 0x35, 0x29},
    {"comma", 0x36, 0x33}, {"dot", 0x37, 0x34}, {"slash", 0x38, 0x35}, {"caps_lock", 0x39, 0x3a},
    {"f1", 0x3a, 0x3b}, {"f2", 0x3b, 0x3c}, {"f3", 0x3c, 0x3d}, {"f4", 0x3d, 0x3e},
    {"f5", 0x3e, 0x3f}, {"f6", 0x3f, 0x40}, {"f7", 0x40, 0x41}, {"f8", 0x41, 0x42},
    {"f9", 0x42, 0x43}, {"f10", 0x43, 0x44}, {"f11", 0x44, 0x57}, {"f12", 0x45, 0x58},
    {"print", 0x46, 0xb7}, {"scroll_lock", 0x47, 0x46}, {"pause", 0x48, 0xc6},
    {"insert", 0x49, 0xd2}, {"home", 0x4a, 0xc7}, {"pgup", 0x4b, 0xc9}, {"delete", 0x4c, 0xd3},
    {"end", 0x4d, 0xcf}, {"pgdn", 0x4e, 0xd1}, {"right", 0x4f, 0xcd}, {"left", 0x50, 0xcb},
    {"down", 0x51, 0xd0}, {"up", 0x52, 0xc8}, {"num_lock", 0x53, 0x45},
    {"kp_divide", 0x54, 0xb5}, {"kp_multiply", 0x55, 0x37}, {"kp_subtract", 0x56, 0x4a},
    {"kp_add", 0x57, 0x4e}, {"kp_enter", 0x58, 0x9c}, {"kp_1", 0x59, 0x4f}, {"kp_2", 0x5a, 0x50},
    {"kp_3", 0x5b, 0x51}, {"kp_4", 0x5c, 0x4b}, {"kp_5", 0x5d, 0x4c}, {"kp_6", 0x5e, 0x4d},
    {"kp_7", 0x5f, 0x47}, {"kp_8", 0x60, 0x48}, {"kp_9", 0x61, 0x49}, {"kp_0", 0x62, 0x52},
    {"kp_decimal", 0x63, 0x53}, {"less", 0x64, 0x56}, {"compose", 0x65, 0xdd},
    {"power", 0x66, 0xde}, {"kp_equals", 0x67, 0x59}, {"f13", 0x68, 0x5d}, {"f14", 0x69, 0x5e},
    {"f15", 0x6a, 0x5f}, {"volumemute", 0x7f, 0xa0}, {"volumeup", 0x80, 0xb0},
    {"volumedown", 0x81, 0xae}, {"kp_comma", 0x85, 0x7e}, {"ro", 0x87, 0x73},
    {"yen", 0x89, 0x7d}, {"henkan", 0x8a, 0x79}, {"muhenkan", 0x8b, 0x7b},
    {"ctrl", 0xe0, 0x1d}, {"shift", 0xe1, 0x2a}, {"alt", 0xe2, 0x38}, {"meta_l", 0xe3, 0xdb},
    {"ctrl_r", 0xe4, 0x9d}, {"shift_r", 0xe5, 0x36}, {"alt_r", 0xe6, 0xb8},
    {"meta_r", 0xe7, 0xdc},
    /* other spellings; the first one above is the one that is shown */
    {"altgr", 0xe6, 0}, {"asterisk", 0x55, 0}, {"sysrq", 0x46, 0}, {"menu", 0x65, 0},
    {"enter", 0x28, 0}, {"return", 0x28, 0}, {"space", 0x2c, 0}, {"escape", 0x29, 0},
    {"del", 0x4c, 0}, {"ins", 0x49, 0}, {"control", 0xe0, 0}, {"meta", 0xe3, 0}, {"win", 0xe3, 0},
};

const char *keymap_name_at(unsigned i)
{
    return i < ARRAY_LEN(keymap_keys) ? keymap_keys[i].name : NULL;
}

const char *keymap_name(uint8_t hid)
{
    for (unsigned i = 0; i < ARRAY_LEN(keymap_keys); i++) {
        if (keymap_keys[i].hid == hid) {
            return keymap_keys[i].name;
        }
    }
    return NULL;
}

uint8_t keymap_by_name(const char *name)
{
    if (name[0] == '0' && (name[1] | 32) == 'x') {
        char *end;
        unsigned long code = strtoul(name, &end, 16);
        for (unsigned i = 0; *end == 0 && code && i < ARRAY_LEN(keymap_keys); i++) {
            if (keymap_keys[i].set1 == code) {
                return keymap_keys[i].hid;
            }
        }
        return 0;
    }
    for (unsigned i = 0; i < ARRAY_LEN(keymap_keys); i++) {
        if (strcmp(keymap_keys[i].name, name) == 0) {
            return keymap_keys[i].hid;
        }
    }
    return 0;
}

unsigned keymap_chord(const char *text, uint8_t keys[KEYMAP_CHORD], char bad[32])
{
    unsigned count = 0;
    text += strspn(text, " \t");
    do {
        char word[32];
        size_t len = strcspn(text, "-");
        if (len == 0 && text[0] == '-') {
            len = 1; /* "ctrl--": the minus key */
        }
        snprintf(word, sizeof word, "%.*s", (int)(len < 31 ? len : 31), text);
        word[strcspn(word, " \t")] = 0;
        uint8_t hid = strcmp(word, "-") == 0 ? 0x2d : keymap_by_name(word);
        if (!hid || count == KEYMAP_CHORD) {
            snprintf(bad, 32, "%s", word);
            return 0;
        }
        keys[count++] = hid;
        text += len;
    } while (*text++ == '-');
    return count;
}

/* ---- layouts --------------------------------------------------------------------------- */

/* The 48 keys that differ, in rows: ` 1..0 - =, q..p [ ], a..l ; ' \, < z..m , . / */
static const uint8_t keymap_places[48] = {
    0x35, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e, 0x14, 0x1a, 0x08,
    0x15, 0x17, 0x1c, 0x18, 0x0c, 0x12, 0x13, 0x2f, 0x30, 0x04, 0x16, 0x07, 0x09, 0x0a, 0x0b, 0x0d,
    0x0e, 0x0f, 0x33, 0x34, 0x31, 0x64, 0x1d, 0x1b, 0x06, 0x19, 0x05, 0x11, 0x10, 0x36, 0x37, 0x38};

struct keymap_layout {
    const char *names[3];
    const char *plain, *shift; /* 48 characters of UTF-8; a space: nothing (or a dead key) */
    const char *altgr;         /* pairs "key character, its character with AltGr" */
};

static const struct keymap_layout keymap_layouts[] = {
    {{"us", "en-us", "en"},
     "`1234567890-=qwertyuiop[]asdfghjkl;'\\ zxcvbnm,./",
     "~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"| ZXCVBNM<>?", ""},
    {{"uk", "en-gb", "gb"},
     "`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./",
     "¬!\"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?", "`¦4€eéuúiíoóaá"},
    {{"de", "de-de", "german"},
     " 1234567890ß qwertzuiopü+asdfghjklöä#<yxcvbnm,.-",
     "°!\"§$%&/()=? QWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_", "2²3³7{8[9]0}ß\\q@e€+~<|mµ"},
    {{"fr", "fr-fr", "french"},
     "²&é\"'(-è_çà)=azertyuiop $qsdfghjklmù*<wxcvbn,;:!",
     " 1234567890°+AZERTYUIOP £QSDFGHJKLM%µ>WXCVBN?./§", "é~\"#'{([-|è`_\\ç^à@)]=}e€"},
    {{"es", "es-es", "spanish"},
     "º1234567890'¡qwertyuiop +asdfghjklñ ç<zxcvbnm,.-",
     "ª!\"·$%&/()=?¿QWERTYUIOP *ASDFGHJKLÑ Ç>ZXCVBNM;:_", "º\\1|2@3#4~6¬e€+]ç}"},
    {{"it", "it-it", "italian"},
     "\\1234567890'ìqwertyuiopè+asdfghjklòàù<zxcvbnm,.-",
     "|!\"£$%&/()=?^QWERTYUIOPé*ASDFGHJKLç°§>ZXCVBNM;:_", "e€è[+]ò@à#"},
    {{"sv", "se", "swedish"},
     "§1234567890+ qwertyuiopå asdfghjklöä'<zxcvbnm,.-",
     "½!\"#¤%&/()=? QWERTYUIOPÅ ASDFGHJKLÖÄ*>ZXCVBNM;:_", "2@3£4$7{8[9]0}+\\e€<|mµ"},
};

const struct keymap_layout *keymap_layout(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(keymap_layouts); i++) {
        for (unsigned j = 0; j < 3; j++) {
            if (strcmp(keymap_layouts[i].names[j], name) == 0) {
                return &keymap_layouts[i];
            }
        }
    }
    return NULL;
}

uint32_t keymap_utf8(const char **p)
{
    const uint8_t *b = (const uint8_t *)*p;
    if (b[0] == 0) {
        return 0;
    }
    unsigned more = b[0] >= 0xf0 && b[0] < 0xf8 ? 3 : b[0] >= 0xe0 ? 2 : b[0] >= 0xc2 ? 1 : 0;
    uint32_t ch = b[0];
    if (more && b[0] < 0xf8) {
        ch = b[0] & (0x3fu >> more);
        for (unsigned i = 1; i <= more; i++) {
            if ((b[i] & 0xc0) != 0x80) {
                *p += 1;
                return b[0];
            }
            ch = ch << 6 | (b[i] & 0x3f);
        }
        *p += more + 1;
        return ch;
    }
    *p += 1;
    return ch;
}

static uint8_t keymap_find(const char *row, uint32_t ch)
{
    for (unsigned i = 0; *row && i < ARRAY_LEN(keymap_places); i++) {
        if (keymap_utf8(&row) == ch) {
            return keymap_places[i];
        }
    }
    return 0;
}

bool keymap_char(const struct keymap_layout *l, uint32_t ch, struct keymap_stroke *out)
{
    memset(out, 0, sizeof *out);
    switch (ch) {
    case ' ': out->hid = 0x2c; return true;
    case '\r':
    case '\n': out->hid = 0x28; return true;
    case '\t': out->hid = 0x2b; return true;
    case 0x1b: out->hid = 0x29; return true;
    case 0x08:
    case 0x7f: out->hid = 0x2a; return true;
    default: break;
    }
    if (ch > 0 && ch < 0x1b) {
        out->ctrl = true;
        out->hid = keymap_find(l->plain, 'a' + ch - 1);
        return out->hid != 0;
    }
    if ((out->hid = keymap_find(l->plain, ch))) {
        return true;
    }
    if ((out->hid = keymap_find(l->shift, ch))) {
        out->shift = true;
        return true;
    }
    for (const char *p = l->altgr; *p;) {
        uint32_t key = keymap_utf8(&p), made = keymap_utf8(&p);
        if (made == ch) {
            out->altgr = true;
            out->hid = keymap_find(l->plain, key);
            return out->hid != 0;
        }
    }
    return false;
}

void keymap_unescape(char *text)
{
    char *w = text;
    for (char *p = text; *p; p++) {
        if (*p != '\\' || !p[1]) {
            *w++ = *p;
            continue;
        }
        switch (*++p) {
        case 'n': *w++ = '\n'; break;
        case 't': *w++ = '\t'; break;
        case 'e': *w++ = 0x1b; break;
        case 'b': *w++ = 0x08; break;
        case 'x':
            if (isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
                char hex[3] = {p[1], p[2], 0};
                char c = (char)strtoul(hex, NULL, 16);
                if (c) {
                    *w++ = c;
                }
                p += 2;
            } else {
                *w++ = *p;
            }
            break;
        default: *w++ = *p; break;
        }
    }
    *w = 0;
}
