/* Mouse: IBM PS/2 Hardware Interface Technical Reference, "Mouse"; wheel and buttons 4 and 5 after
 * Microsoft's IntelliMouse (sample rates 200, 100, 80 give ID 3; 200, 200, 80 give ID 4).
 *
 *   byte 1   Y ovf  X ovf  Y sign  X sign   1   middle  right  left
 *   byte 2   X      byte 3   Y (up is positive)
 *   byte 4   ID 3: Z (toward the user is positive)    ID 4: 0 0 B5 B4 Z3-Z0
 *
 * NOT IMPLEMENTED: the resolution does not scale counts (the host's pointer has its own). */
#include "devices/input/ps2mouse.h"

#include <string.h>

enum { ACK = 0xfa, ERROR = 0xfc, RESEND = 0xfe, BAT_OK = 0xaa };
#define PS2MOUSE_BAT_NS (10 * VTIME_MS)

static void ps2mouse_send(struct ps2mouse *m, uint8_t val)
{
    fifo_push(&m->buf, val);
    ps2_notify(&m->port);
}

static int32_t ps2mouse_clip(int32_t v, int32_t lo, int32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* 2:1 scaling, stream mode only: 0 1 1 3 6 9, then twice the count. */
static int32_t ps2mouse_scale(int32_t v)
{
    static const uint8_t table[6] = {0, 1, 1, 3, 6, 9};
    int32_t a = v < 0 ? -v : v;
    a = a < 6 ? table[a] : 2 * a;
    return v < 0 ? -a : a;
}

static bool ps2mouse_changed(const struct ps2mouse *m)
{
    return m->dx || m->dy || (m->id && m->dz) || m->buttons != m->reported;
}

static void ps2mouse_packet(struct ps2mouse *m, bool scaled)
{
    int32_t x = ps2mouse_clip(m->dx, -255, 255), y = ps2mouse_clip(m->dy, -255, 255);
    int32_t z = ps2mouse_clip(m->dz, m->id == 4 ? -8 : -127, m->id == 4 ? 7 : 127);
    m->dx -= x;
    m->dy -= y;
    m->dz = m->id ? m->dz - z : 0;
    if (scaled) {
        x = ps2mouse_scale(x);
        y = ps2mouse_scale(y);
    }
    uint8_t b = (uint8_t)((m->buttons & 7) | 8);
    b |= (uint8_t)((x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0));
    b |= (uint8_t)((x < -256 || x > 255 ? 0x40 : 0) | (y < -256 || y > 255 ? 0x80 : 0));
    m->reported = m->buttons;
    ps2mouse_send(m, b);
    ps2mouse_send(m, (uint8_t)x);
    ps2mouse_send(m, (uint8_t)y);
    if (m->id == 3) {
        ps2mouse_send(m, (uint8_t)z);
    } else if (m->id == 4) {
        ps2mouse_send(m, (uint8_t)((z & 15) | (m->buttons & 0x18) << 1));
    }
}

/* Stream mode: a report if something changed and the last one is a sample period ago. */
static void ps2mouse_stream(struct ps2mouse *m)
{
    if (!m->streaming || m->remote || m->wrap || m->sample.when != VTIME_NEVER ||
        m->bat.when != VTIME_NEVER || !ps2mouse_changed(m)) {
        return;
    }
    vtimer_arm(&m->sample, clock_now(m->clk) + VTIME_SEC / (m->rate ? m->rate : 100));
    if (fifo_room(&m->buf) >= 4) {
        ps2mouse_packet(m, m->scaled);
    }
}

static void ps2mouse_sample(void *owner, vtime now)
{
    (void)now;
    ps2mouse_stream(owner);
}

static int32_t ps2mouse_add(int32_t sum, int v)
{
    return ps2mouse_clip(sum + ps2mouse_clip(v, -32768, 32767), -100000, 100000);
}

void ps2mouse_move(struct ps2mouse *m, int dx, int dy, int wheel, uint8_t buttons)
{
    buttons &= 0x1f;
    if (m->buttons != m->reported && buttons != m->buttons && m->streaming && !m->remote &&
        !m->wrap && fifo_room(&m->buf) >= 4) {
        ps2mouse_packet(m, m->scaled); /* a click shorter than a sample period is not lost */
    }
    m->dx = ps2mouse_add(m->dx, dx);
    m->dy = ps2mouse_add(m->dy, -dy);
    m->dz = ps2mouse_add(m->dz, -wheel);
    m->buttons = buttons;
    ps2mouse_stream(m);
}

static void ps2mouse_clear(struct ps2mouse *m)
{
    m->dx = m->dy = m->dz = 0;
    m->reported = m->buttons;
}

static void ps2mouse_defaults(struct ps2mouse *m)
{
    m->rate = 100;
    m->resolution = 2;
    m->streaming = m->remote = m->scaled = false;
    vtimer_cancel(&m->sample);
    ps2mouse_clear(m);
}

static void ps2mouse_bat_done(void *owner, vtime now)
{
    struct ps2mouse *m = owner;
    (void)now;
    ps2mouse_send(m, BAT_OK);
    ps2mouse_send(m, 0x00);
}

/* An invalid argument is asked for again once, then given up. */
static void ps2mouse_invalid(struct ps2mouse *m)
{
    ps2mouse_send(m, m->errors ? ERROR : RESEND);
    m->pending = m->errors ? 0 : m->pending;
    m->errors = !m->errors;
}

static void ps2mouse_argument(struct ps2mouse *m, uint8_t val)
{
    if (m->pending == 0xe8) {
        if (val > 3) {
            ps2mouse_invalid(m);
            return;
        }
        m->resolution = val;
    } else {
        if (val != 10 && val != 20 && val != 40 && val != 60 && val != 80 && val != 100 &&
            val != 200) {
            ps2mouse_invalid(m);
            return;
        }
        if (m->knock[0] == 200 && val == 80) {
            m->id = m->knock[1] == 100 ? 3 : m->knock[1] == 200 ? 4 : m->id;
        }
        m->knock[0] = m->knock[1];
        m->knock[1] = val;
        m->rate = val;
    }
    m->pending = m->errors = 0;
    ps2mouse_send(m, ACK);
}

static void ps2mouse_status(struct ps2mouse *m)
{
    /* 0 remote enabled 2:1 0 left middle right */
    uint8_t b = (uint8_t)((m->remote ? 0x40 : 0) | (m->streaming ? 0x20 : 0) |
                          (m->scaled ? 0x10 : 0) | (m->buttons & 1 ? 4 : 0) |
                          (m->buttons & 4 ? 2 : 0) | (m->buttons & 2 ? 1 : 0));
    ps2mouse_send(m, ACK);
    ps2mouse_send(m, b);
    ps2mouse_send(m, m->resolution);
    ps2mouse_send(m, m->rate);
}

static void ps2mouse_command(struct ps2mouse *m, uint8_t cmd)
{
    switch (cmd) {
    case 0xe6: m->scaled = false; break;
    case 0xe7: m->scaled = true; break;
    case 0xe8: case 0xf3: m->pending = cmd; break;
    case 0xe9: ps2mouse_status(m); return;
    case 0xea:
        m->remote = false;
        ps2mouse_clear(m);
        break;
    case 0xeb:
        ps2mouse_send(m, ACK);
        ps2mouse_packet(m, false);
        return;
    case 0xec: break; /* reset wrap mode: not in it */
    case 0xee: m->wrap = true; break;
    case 0xf0:
        m->remote = true;
        ps2mouse_clear(m);
        break;
    case 0xf2:
        ps2mouse_send(m, ACK);
        ps2mouse_send(m, m->id);
        return;
    case 0xf4:
        m->streaming = true;
        ps2mouse_clear(m);
        break;
    case 0xf5: m->streaming = false; break;
    case 0xf6: ps2mouse_defaults(m); break;
    case 0xfe: ps2mouse_send(m, m->last); return;
    case 0xff:
        ps2mouse_defaults(m);
        m->id = 0;
        m->knock[0] = m->knock[1] = 0;
        vtimer_arm(&m->bat, clock_now(m->clk) + PS2MOUSE_BAT_NS);
        break;
    default: ps2mouse_invalid(m); return;
    }
    m->errors = 0;
    ps2mouse_send(m, ACK);
}

static void ps2mouse_write(void *dev, uint8_t val)
{
    struct ps2mouse *m = dev;
    fifo_clear(&m->buf); /* a command ends what is being sent */
    vtimer_cancel(&m->bat);
    if (m->wrap && val != 0xff && val != 0xec) {
        ps2mouse_send(m, val);
        return;
    }
    if (m->pending && val < 0xe6) {
        ps2mouse_argument(m, val);
        return;
    }
    m->wrap = false;
    m->pending = 0;
    ps2mouse_command(m, val);
}

static bool ps2mouse_ready(void *dev)
{
    return ((struct ps2mouse *)dev)->buf.count != 0;
}

static uint8_t ps2mouse_take(void *dev)
{
    struct ps2mouse *m = dev;
    m->last = fifo_pop(&m->buf);
    return m->last;
}

static const struct ps2_device_ops ps2mouse_port_ops = {ps2mouse_write, ps2mouse_ready,
                                                        ps2mouse_take};

static void ps2mouse_reset(struct device *dev, enum reset_kind kind)
{
    struct ps2mouse *m = device_of(dev, struct ps2mouse);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    vtimer_cancel(&m->bat);
    m->buttons = 0;
    ps2mouse_defaults(m);
    m->wrap = false;
    m->id = m->pending = m->last = m->errors = m->knock[0] = m->knock[1] = 0;
    fifo_clear(&m->buf);
}

static void ps2mouse_snap(struct device *dev, struct snap *s)
{
    struct ps2mouse *m = device_of(dev, struct ps2mouse);
    uint32_t dx = (uint32_t)m->dx, dy = (uint32_t)m->dy, dz = (uint32_t)m->dz;
    snap_u8(s, "id", &m->id);
    snap_u8(s, "rate", &m->rate);
    snap_u8(s, "resolution", &m->resolution);
    snap_bytes(s, "knock", m->knock, sizeof m->knock);
    snap_bool(s, "streaming", &m->streaming);
    snap_bool(s, "remote", &m->remote);
    snap_bool(s, "wrap", &m->wrap);
    snap_bool(s, "scaled", &m->scaled);
    snap_u8(s, "pending", &m->pending);
    snap_u8(s, "last", &m->last);
    snap_u8(s, "errors", &m->errors);
    snap_u8(s, "buttons", &m->buttons);
    snap_u8(s, "reported", &m->reported);
    snap_u32(s, "dx", &dx);
    snap_u32(s, "dy", &dy);
    snap_u32(s, "dz", &dz);
    fifo_snap(&m->buf, s, "buf");
    snap_timer(s, "bat", &m->bat);
    snap_timer(s, "sample", &m->sample);
    if (snap_loading(s)) {
        m->dx = ps2mouse_clip((int32_t)dx, -100000, 100000);
        m->dy = ps2mouse_clip((int32_t)dy, -100000, 100000);
        m->dz = ps2mouse_clip((int32_t)dz, -100000, 100000);
        if (m->id != 0 && m->id != 3 && m->id != 4) {
            m->id = 0;
            snap_fail(s, "ps2mouse: no such ID");
        }
    }
}

static void ps2mouse_destroy(struct device *dev)
{
    struct ps2mouse *m = device_of(dev, struct ps2mouse);
    vtimer_cancel(&m->bat);
    vtimer_cancel(&m->sample);
}

static const struct device_class ps2mouse_class = {
    .name = "ps2mouse",
    .snap_version = 1,
    .reset = ps2mouse_reset,
    .snap = ps2mouse_snap,
    .destroy = ps2mouse_destroy,
};

void ps2mouse_init(struct ps2mouse *m, const char *id, struct clock *clk)
{
    *m = (struct ps2mouse){
        .dev = {&ps2mouse_class, id},
        .port = {.ops = &ps2mouse_port_ops, .dev = m},
        .clk = clk,
    };
    fifo_init(&m->buf, m->buf_mem, sizeof m->buf_mem);
    vtimer_init(&m->bat, clk, "mouse.bat", ps2mouse_bat_done, m);
    vtimer_init(&m->sample, clk, "mouse.sample", ps2mouse_sample, m);
    ps2mouse_reset(&m->dev, RESET_POWER_ON);
}
