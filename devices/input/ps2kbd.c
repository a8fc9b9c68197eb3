/* Keyboard: IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-Key)":
 * commands, scan code sets 1, 2 and 3, typematic, the 16-byte buffer.
 *
 * Set 2 is the native one; set 1 is made from it by the 8042's own table.  In sets 1 and 2 the gray
 * cursor keys are wrapped in hidden shifts, so that a program that knows only the 84-key keyboard
 * sees the numeric pad's key without Num Lock and Shift:
 *      Num Lock on, no shift     E0 12 E0 75 ... E0 F0 75 E0 F0 12
 *      Num Lock off, left shift  E0 F0 12 E0 75 ... E0 F0 75 E0 12
 * The self-test after FFh takes 10 ms here (300 to 900 ms in the manual); none is sent at power-on,
 * when it would have ended before the processor's first instruction.
 * NOT IMPLEMENTED: nothing known. */
#include "devices/input/ps2kbd.h"

#include <string.h>

enum { ACK = 0xfa, RESEND = 0xfe, BAT_OK = 0xaa, ECHO = 0xee };
enum { KEY_PAUSE = 0x48, KEY_PRINT = 0x46, KEY_KP_SLASH = 0x54, KEY_LCTRL = 0xe0, KEY_LSHIFT = 0xe1,
       KEY_LALT = 0xe2, KEY_RCTRL = 0xe4, KEY_RSHIFT = 0xe5, KEY_RALT = 0xe6 };
enum { WRAP_NUM = 1, WRAP_LSHIFT = 2, WRAP_RSHIFT = 4, WRAP_PRINT = 8, WRAP_SYSRQ = 16 };
enum { KIND_ALL = 0x20 }; /* set 3: typematic, make and break (beside PS2_S3_*; 0: typematic) */
#define PS2KBD_BAT_NS (10 * VTIME_MS)

static bool ps2kbd_held(const struct ps2kbd *k, uint8_t hid)
{
    return k->down[hid >> 3] >> (hid & 7) & 1;
}

/* ---- sending ---- */

static void ps2kbd_respond(struct ps2kbd *k, uint8_t val)
{
    fifo_push(&k->resp, val);
    ps2_notify(&k->port);
}

/* A key's whole sequence fits into the buffer or an overrun mark takes its place. */
static void ps2kbd_emit(struct ps2kbd *k, const uint8_t *seq, unsigned n)
{
    uint8_t out[16];
    unsigned len = 0;
    uint8_t brk = 0;
    for (unsigned i = 0; i < n; i++) {
        if (k->set != 1) {
            out[len++] = seq[i];
        } else if (seq[i] == 0xf0) {
            brk = 0x80;
        } else {
            out[len++] = seq[i] == 0xe0 || seq[i] == 0xe1 ? seq[i] : ps2_to_set1[seq[i]] | brk;
            if (seq[i] != 0xe0 && seq[i] != 0xe1) {
                brk = 0;
            }
        }
    }
    if (k->buf.count + len > PS2KBD_BUFFER - 1) {
        uint8_t mark = k->set == 1 ? 0xff : 0x00;
        if (!k->buf.count || k->buf.buf[(k->buf.head + k->buf.count - 1) % k->buf.cap] != mark) {
            fifo_push(&k->buf, mark);
        }
    } else {
        for (unsigned i = 0; i < len; i++) {
            fifo_push(&k->buf, out[i]);
        }
    }
    ps2_notify(&k->port);
}

/* ---- keys ---- */

/* Which hidden shift stands around a gray key that is pressed now. */
static uint8_t ps2kbd_wrap(const struct ps2kbd *k, uint8_t hid)
{
    uint8_t shifts = (uint8_t)((ps2kbd_held(k, KEY_LSHIFT) ? WRAP_LSHIFT : 0) |
                               (ps2kbd_held(k, KEY_RSHIFT) ? WRAP_RSHIFT : 0));
    bool num = k->leds & PS2KBD_NUM;
    if (hid == KEY_PRINT) {
        if (ps2kbd_held(k, KEY_LALT) || ps2kbd_held(k, KEY_RALT)) {
            return WRAP_SYSRQ;
        }
        return shifts || ps2kbd_held(k, KEY_LCTRL) || ps2kbd_held(k, KEY_RCTRL) ? 0 : WRAP_PRINT;
    }
    if (hid == KEY_KP_SLASH) {
        return shifts;
    }
    if (!(ps2_codes[hid].flags & PS2_GRAY)) {
        return 0;
    }
    return num ? (shifts ? 0 : WRAP_NUM) : shifts;
}

static unsigned ps2kbd_put(uint8_t *seq, unsigned n, uint8_t prefix, bool brk, uint8_t code)
{
    if (prefix) {
        seq[n++] = prefix;
    }
    if (brk) {
        seq[n++] = 0xf0;
    }
    seq[n++] = code;
    return n;
}

static void ps2kbd_send_pause(struct ps2kbd *k)
{
    static const uint8_t pause[] = {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77};
    static const uint8_t brk[] = {0xe0, 0x7e, 0xe0, 0xf0, 0x7e};
    if (ps2kbd_held(k, KEY_LCTRL) || ps2kbd_held(k, KEY_RCTRL)) {
        ps2kbd_emit(k, brk, sizeof brk);
    } else {
        ps2kbd_emit(k, pause, sizeof pause);
    }
}

static void ps2kbd_send_set12(struct ps2kbd *k, uint8_t hid, bool down, uint8_t wrap)
{
    const struct ps2_code *c = &ps2_codes[hid];
    uint8_t seq[16];
    unsigned n = 0;
    if (hid == KEY_PAUSE) {
        if (down) {
            ps2kbd_send_pause(k);
        }
        return;
    }
    if (!c->set2 || (!down && (c->flags & PS2_MAKE_ONLY))) {
        return;
    }
    if (wrap & WRAP_SYSRQ) {
        n = ps2kbd_put(seq, n, 0, !down, 0x84);
        ps2kbd_emit(k, seq, n);
        return;
    }
    if (down) {
        if (wrap & (WRAP_NUM | WRAP_PRINT)) {
            n = ps2kbd_put(seq, n, 0xe0, false, 0x12);
        }
        if (wrap & WRAP_LSHIFT) {
            n = ps2kbd_put(seq, n, 0xe0, true, 0x12);
        }
        if (wrap & WRAP_RSHIFT) {
            n = ps2kbd_put(seq, n, 0xe0, true, 0x59);
        }
    }
    n = ps2kbd_put(seq, n, c->flags & PS2_E0 ? 0xe0 : 0, !down, c->set2);
    if (!down) {
        if (wrap & WRAP_RSHIFT) {
            n = ps2kbd_put(seq, n, 0xe0, false, 0x59);
        }
        if (wrap & WRAP_LSHIFT) {
            n = ps2kbd_put(seq, n, 0xe0, false, 0x12);
        }
        if (wrap & (WRAP_NUM | WRAP_PRINT)) {
            n = ps2kbd_put(seq, n, 0xe0, true, 0x12);
        }
    }
    ps2kbd_emit(k, seq, n);
}

static void ps2kbd_send_set3(struct ps2kbd *k, uint8_t hid, bool down)
{
    uint8_t code = ps2_codes[hid].set3, seq[2];
    if (code && (down || k->kind[code] == PS2_S3_MB || k->kind[code] == KIND_ALL)) {
        ps2kbd_emit(k, seq, ps2kbd_put(seq, 0, 0, !down, code));
    }
}

static bool ps2kbd_repeats(const struct ps2kbd *k, uint8_t hid)
{
    const struct ps2_code *c = &ps2_codes[hid];
    if (k->set == 3) {
        return c->set3 && (k->kind[c->set3] == 0 || k->kind[c->set3] == KIND_ALL);
    }
    return c->set2 && hid != KEY_PAUSE && !(c->flags & PS2_MAKE_ONLY);
}

static vtime ps2kbd_period(uint8_t rate)
{
    /* (8 + A) * 2^B * 4.17 ms, A = bits 2-0, B = bits 4-3: 30 to 2 a second */
    return (uint64_t)(8 + (rate & 7)) * (1u << (rate >> 3 & 3)) * VTIME_SEC / 240;
}

static void ps2kbd_stop_repeat(struct ps2kbd *k)
{
    vtimer_cancel(&k->repeat);
    k->repeat_key = 0;
}

static void ps2kbd_repeat(void *owner, vtime now)
{
    struct ps2kbd *k = owner;
    uint8_t hid = k->repeat_key;
    if (!hid || !k->scanning) {
        return;
    }
    vtimer_arm(&k->repeat, now + ps2kbd_period(k->rate));
    if (k->set == 3) {
        ps2kbd_send_set3(k, hid, true);
    } else { /* the hidden shift is sent once */
        ps2kbd_send_set12(k, hid, true, k->wrapped & WRAP_SYSRQ);
    }
}

void ps2kbd_key(struct ps2kbd *k, uint8_t hid, bool down)
{
    if (ps2kbd_held(k, hid) == down) {
        return;
    }
    k->down[hid >> 3] ^= (uint8_t)(1u << (hid & 7));
    if (!k->scanning || !ps2_codes[hid].set2) {
        return;
    }
    uint8_t wrap = 0;
    if (down) {
        wrap = ps2kbd_wrap(k, hid);
        if (hid == KEY_PRINT) {
            k->sysrq = wrap & WRAP_SYSRQ;
        }
        ps2kbd_stop_repeat(k);
        if (ps2kbd_repeats(k, hid)) {
            k->repeat_key = hid;
            vtimer_arm(&k->repeat, clock_now(k->clk) + ((k->rate >> 5 & 3) + 1) * 250 * VTIME_MS);
        }
        k->wrapped = wrap;
    } else {
        wrap = ps2kbd_wrap(k, hid) & (uint8_t)~WRAP_SYSRQ;
        if (hid == k->repeat_key) {
            /* give back what was taken, but never press a shift that has been let go since */
            const uint8_t shifts = WRAP_LSHIFT | WRAP_RSHIFT;
            wrap = (uint8_t)((k->wrapped & ~shifts) | (k->wrapped & wrap & shifts));
            ps2kbd_stop_repeat(k);
        }
        if (hid == KEY_PRINT && k->sysrq) {
            wrap = WRAP_SYSRQ;
            k->sysrq = false;
        }
    }
    if (k->set == 3) {
        ps2kbd_send_set3(k, hid, down);
    } else {
        ps2kbd_send_set12(k, hid, down, wrap);
    }
}

uint8_t ps2kbd_leds(const struct ps2kbd *k)
{
    return k->leds;
}

/* ---- commands ---- */

static void ps2kbd_default_kinds(struct ps2kbd *k)
{
    memset(k->kind, 0, sizeof k->kind);
    for (unsigned i = 0; i < 256; i++) {
        if (ps2_codes[i].set3) {
            k->kind[ps2_codes[i].set3] = ps2_codes[i].flags & (PS2_S3_MB | PS2_S3_M);
        }
    }
}

static void ps2kbd_defaults(struct ps2kbd *k)
{
    k->rate = 0x2b; /* 500 ms, 10.9 a second */
    ps2kbd_default_kinds(k);
    ps2kbd_stop_repeat(k);
    fifo_clear(&k->buf);
}

static void ps2kbd_bat_done(void *owner, vtime now)
{
    struct ps2kbd *k = owner;
    (void)now;
    k->scanning = true;
    ps2kbd_respond(k, BAT_OK);
}

/* The argument of ED, F0, F3, FB-FD.  False: it is a command instead. */
static bool ps2kbd_argument(struct ps2kbd *k, uint8_t val)
{
    uint8_t cmd = k->pending;
    if (val >= 0xed) {
        k->pending = 0;
        return false;
    }
    switch (cmd) {
    case 0xed:
        k->leds = val & 7;
        k->pending = 0;
        break;
    case 0xf0:
        k->pending = 0;
        if (val > 3) {
            ps2kbd_respond(k, RESEND);
            return true;
        }
        ps2kbd_respond(k, ACK);
        if (!val) {
            ps2kbd_respond(k, k->set);
        } else {
            k->set = val;
            fifo_clear(&k->buf);
            ps2kbd_stop_repeat(k);
        }
        return true;
    case 0xf3:
        k->rate = val & 0x7f;
        k->pending = 0;
        break;
    default: /* FB, FC, FD: any number of set 3 codes, until a command */
        k->kind[val] = cmd == 0xfb ? 0 : cmd == 0xfc ? PS2_S3_MB : PS2_S3_M;
        break;
    }
    ps2kbd_respond(k, ACK);
    return true;
}

static void ps2kbd_all_kinds(struct ps2kbd *k, uint8_t kind)
{
    memset(k->kind, kind, sizeof k->kind);
}

static void ps2kbd_command(struct ps2kbd *k, uint8_t cmd)
{
    switch (cmd) {
    case 0xed: case 0xf0: case 0xf3: k->pending = cmd; break;
    case 0xee: ps2kbd_respond(k, ECHO); return;
    case 0xf2:
        ps2kbd_respond(k, ACK);
        ps2kbd_respond(k, 0xab);
        ps2kbd_respond(k, 0x83);
        return;
    case 0xf4:
        fifo_clear(&k->buf);
        ps2kbd_stop_repeat(k);
        k->scanning = true;
        break;
    case 0xf5:
        ps2kbd_defaults(k);
        k->scanning = false;
        break;
    case 0xf6: ps2kbd_defaults(k); break;
    case 0xf7: ps2kbd_all_kinds(k, 0); break;
    case 0xf8: ps2kbd_all_kinds(k, PS2_S3_MB); break;
    case 0xf9: ps2kbd_all_kinds(k, PS2_S3_M); break;
    case 0xfa: ps2kbd_all_kinds(k, KIND_ALL); break;
    case 0xfb: case 0xfc: case 0xfd: k->pending = cmd; break;
    case 0xfe: ps2kbd_respond(k, k->last); return;
    case 0xff:
        ps2kbd_defaults(k);
        fifo_clear(&k->resp);
        k->set = 2;
        k->leds = 0;
        k->scanning = false;
        vtimer_arm(&k->bat, clock_now(k->clk) + PS2KBD_BAT_NS);
        break;
    default: ps2kbd_respond(k, RESEND); return;
    }
    ps2kbd_respond(k, ACK);
}

static void ps2kbd_write(void *dev, uint8_t val)
{
    struct ps2kbd *k = dev;
    if (val != 0xfe) { /* a command ends what is being answered */
        fifo_clear(&k->resp);
    }
    if (k->bat.when != VTIME_NEVER && val != 0xff) {
        vtimer_cancel(&k->bat); /* the self-test is cut short by a command */
        k->scanning = true;
    }
    if (k->pending && ps2kbd_argument(k, val)) {
        return;
    }
    ps2kbd_command(k, val);
}

static bool ps2kbd_ready(void *dev)
{
    struct ps2kbd *k = dev;
    return k->resp.count || k->buf.count;
}

static uint8_t ps2kbd_take(void *dev)
{
    struct ps2kbd *k = dev;
    k->last = fifo_pop(k->resp.count ? &k->resp : &k->buf);
    return k->last;
}

static const struct ps2_device_ops ps2kbd_port_ops = {ps2kbd_write, ps2kbd_ready, ps2kbd_take};

/* ---- life ---- */

static void ps2kbd_reset(struct device *dev, enum reset_kind kind)
{
    struct ps2kbd *k = device_of(dev, struct ps2kbd);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    vtimer_cancel(&k->bat);
    ps2kbd_defaults(k);
    fifo_clear(&k->resp);
    k->set = 2;
    k->leds = k->pending = k->last = k->wrapped = 0;
    k->scanning = true;
    k->sysrq = false;
    memset(k->down, 0, sizeof k->down);
}

static void ps2kbd_snap(struct device *dev, struct snap *s)
{
    struct ps2kbd *k = device_of(dev, struct ps2kbd);
    snap_u8(s, "set", &k->set);
    snap_u8(s, "leds", &k->leds);
    snap_u8(s, "rate", &k->rate);
    snap_bool(s, "scanning", &k->scanning);
    snap_u8(s, "pending", &k->pending);
    snap_u8(s, "last", &k->last);
    snap_u8(s, "repeat_key", &k->repeat_key);
    snap_u8(s, "wrapped", &k->wrapped);
    snap_bool(s, "sysrq", &k->sysrq);
    snap_bytes(s, "down", k->down, sizeof k->down);
    snap_bytes(s, "kind", k->kind, sizeof k->kind);
    fifo_snap(&k->buf, s, "buf");
    fifo_snap(&k->resp, s, "resp");
    snap_timer(s, "bat", &k->bat);
    snap_timer(s, "repeat", &k->repeat);
    if (snap_loading(s) && (k->set < 1 || k->set > 3)) {
        k->set = 2;
        snap_fail(s, "ps2kbd: no such scan code set");
    }
}

static void ps2kbd_destroy(struct device *dev)
{
    struct ps2kbd *k = device_of(dev, struct ps2kbd);
    vtimer_cancel(&k->bat);
    vtimer_cancel(&k->repeat);
}

static const struct device_class ps2kbd_class = {
    .name = "ps2kbd",
    .snap_version = 1,
    .reset = ps2kbd_reset,
    .snap = ps2kbd_snap,
    .destroy = ps2kbd_destroy,
};

void ps2kbd_init(struct ps2kbd *k, const char *id, struct clock *clk)
{
    *k = (struct ps2kbd){
        .dev = {&ps2kbd_class, id},
        .port = {.ops = &ps2kbd_port_ops, .dev = k},
        .clk = clk,
    };
    fifo_init(&k->buf, k->buf_mem, sizeof k->buf_mem);
    fifo_init(&k->resp, k->resp_mem, sizeof k->resp_mem);
    vtimer_init(&k->bat, clk, "kbd.bat", ps2kbd_bat_done, k);
    vtimer_init(&k->repeat, clk, "kbd.repeat", ps2kbd_repeat, k);
    ps2kbd_reset(&k->dev, RESET_POWER_ON);
}
