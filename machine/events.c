/* Host input on its way to the devices: the one door through which anything not deterministic
 * enters.  Posted by any thread, handed over at a slice boundary. */
#include "machine/machine_int.h"

#include <string.h>

/* Host ends are named in a snapshot by the port they belong to; -1: to none of this machine. */
static int events_char_port(const struct machine *m, const struct chardev *chr)
{
    for (unsigned i = 0; i < CHAR_PORTS && chr; i++) {
        if (m->chars[i].chr == chr) {
            return (int)i;
        }
    }
    return -1;
}

static int events_net_port(const struct machine *m, const struct netdev *net)
{
    for (unsigned i = 0; i < MACHINE_NICS && net; i++) {
        if (m->nets[i].net == net) {
            return (int)i;
        }
    }
    return -1;
}

static void events_post(struct machine *m, const struct event *ev)
{
    machine_lock(m);
    if (m->event_count < EVENTS_MAX) { /* a human cannot fill this; a script that does loses keys */
        m->events[(m->event_head + m->event_count++) % EVENTS_MAX] = *ev;
    }
    machine_unlock(m);
}

void machine_post_input(struct machine *m, const struct input_event *ev)
{
    struct event e = {.kind = EVENT_INPUT, .input = *ev};
    events_post(m, &e);
}

void machine_power_button(struct machine *m)
{
    struct event e = {.kind = EVENT_POWER_BUTTON};
    events_post(m, &e);
}

void machine_sleep_button(struct machine *m)
{
    struct event e = {.kind = EVENT_SLEEP_BUTTON};
    events_post(m, &e);
}

void machine_post_link(struct machine *m, struct netdev *net, bool up)
{
    struct event e = {.kind = EVENT_LINK, .net = net, .up = up};
    if (events_net_port(m, net) >= 0) {
        events_post(m, &e);
    }
}

void machine_nmi(struct machine *m)
{
    struct event e = {.kind = EVENT_NMI};
    events_post(m, &e);
}

void machine_post_break(struct machine *m, struct chardev *chr)
{
    struct event e = {.kind = EVENT_BREAK, .chr = chr};
    if (events_char_port(m, chr) >= 0) {
        events_post(m, &e);
    }
}

size_t machine_post_chars(struct machine *m, struct chardev *chr, const uint8_t *buf, size_t len)
{
    size_t done = 0;
    machine_lock(m);
    for (unsigned i = 0; i < CHAR_PORTS; i++) {
        struct char_ring *r = &m->chars[i];
        if (r->chr != chr || !chr) {
            continue;
        }
        while (done < len && r->count < CHAR_RING) {
            r->buf[(r->head + r->count++) % CHAR_RING] = buf[done++];
        }
    }
    machine_unlock(m);
    return done;
}

bool machine_post_frame(struct machine *m, struct netdev *net, const uint8_t *frame, size_t len)
{
    bool taken = false;
    machine_lock(m);
    for (unsigned i = 0; i < MACHINE_NICS && len && len <= NETDEV_FRAME_MAX; i++) {
        struct net_queue *q = &m->nets[i];
        if (q->net != net || !net || q->count == NET_QUEUE) {
            continue;
        }
        unsigned at = (q->head + q->count++) % NET_QUEUE;
        q->frame[at].len = (uint16_t)len;
        memcpy(q->frame[at].data, frame, len);
        taken = true;
    }
    machine_unlock(m);
    return taken;
}

void machine_media_changed(struct machine *m, struct blockdev *blk)
{
    machine_lock(m);
    if (blk->media_changed) {
        blk->media_changed(blk->dev);
    }
    machine_unlock(m);
}

static void events_chars(struct char_ring *r)
{
    struct chardev *chr = r->chr;
    if (!r->count || !chr || !chr->client) {
        return;
    }
    size_t room = chr->client->room(chr->dev);
    while (room && r->count) {
        uint32_t n = CHAR_RING - r->head;
        n = n < r->count ? n : r->count;
        n = n < room ? n : (uint32_t)room;
        chr->client->receive(chr->dev, r->buf + r->head, n);
        r->head = (r->head + n) % CHAR_RING;
        r->count -= n;
        room -= n;
    }
}

static void events_frames(struct net_queue *q)
{
    struct netdev *net = q->net;
    while (q->count && net->client && net->client->ready(net->dev)) {
        unsigned at = q->head;
        q->head = (q->head + 1) % NET_QUEUE;
        q->count--;
        net->client->receive(net->dev, q->frame[at].data, q->frame[at].len);
    }
}

void events_deliver(struct machine *m)
{
    while (m->event_count) {
        struct event ev = m->events[m->event_head];
        m->event_head = (m->event_head + 1) % EVENTS_MAX;
        m->event_count--;
        if (ev.kind == EVENT_BREAK) {
            if (ev.chr && ev.chr->client && ev.chr->client->break_signal) {
                ev.chr->client->break_signal(ev.chr->dev);
            }
        } else if (ev.kind == EVENT_LINK) {
            if (ev.net && ev.net->client && ev.net->client->link) {
                ev.net->client->link(ev.net->dev, ev.up);
            }
        } else {
            board_event(m->board, &ev);
        }
    }
    for (unsigned i = 0; i < CHAR_PORTS; i++) {
        events_chars(&m->chars[i]);
    }
    for (unsigned i = 0; i < MACHINE_NICS; i++) {
        events_frames(&m->nets[i]);
    }
}

void events_forget(struct machine *m)
{
    m->event_count = 0;
    for (unsigned i = 0; i < CHAR_PORTS; i++) {
        m->chars[i].count = 0;
    }
    for (unsigned i = 0; i < MACHINE_NICS; i++) {
        m->nets[i].count = 0;
    }
}

/* ---- what is under way is part of the machine: two equal runs hash equal in between too ---- */

static void events_snap_input(struct input_event *in, struct snap *s)
{
    uint8_t kind = (uint8_t)in->kind;
    snap_u8(s, "input", &kind);
    in->kind = (enum input_kind)kind;
    if (kind == INPUT_KEY) {
        snap_u8(s, "hid", &in->key.hid);
        snap_bool(s, "down", &in->key.down);
    } else if (kind == INPUT_POINTER) {
        uint16_t dx = (uint16_t)in->pointer.dx, dy = (uint16_t)in->pointer.dy;
        uint8_t wheel = (uint8_t)in->pointer.wheel;
        snap_u16(s, "dx", &dx);
        snap_u16(s, "dy", &dy);
        snap_u8(s, "wheel", &wheel);
        snap_u8(s, "buttons", &in->pointer.buttons);
        in->pointer.dx = (int16_t)dx;
        in->pointer.dy = (int16_t)dy;
        in->pointer.wheel = (int8_t)wheel;
    } else {
        snap_fail(s, "input of an unknown kind");
    }
}

static void events_snap_event(struct machine *m, struct event *ev, struct snap *s)
{
    uint8_t kind = (uint8_t)ev->kind, port = 0;
    snap_u8(s, "event", &kind);
    ev->kind = (enum event_kind)kind;
    switch (ev->kind) {
    case EVENT_POWER_BUTTON:
    case EVENT_SLEEP_BUTTON:
    case EVENT_NMI: return;
    case EVENT_INPUT: events_snap_input(&ev->input, s); return;
    case EVENT_BREAK:
        port = (uint8_t)events_char_port(m, ev->chr);
        snap_u8(s, "port", &port);
        ev->chr = port < CHAR_PORTS ? m->chars[port].chr : NULL;
        if (!ev->chr) {
            snap_fail(s, "a break for a serial port that is not there");
        }
        return;
    case EVENT_LINK:
        port = (uint8_t)events_net_port(m, ev->net);
        snap_u8(s, "card", &port);
        snap_bool(s, "up", &ev->up);
        ev->net = port < MACHINE_NICS ? m->nets[port].net : NULL;
        if (!ev->net) {
            snap_fail(s, "a cable of a network card that is not there");
        }
        return;
    }
    snap_fail(s, "an event of an unknown kind");
}

static void events_snap_queue(struct machine *m, struct snap *s)
{
    uint32_t n = m->event_count;
    snap_u32(s, "events", &n);
    if (n > EVENTS_MAX) {
        snap_fail(s, "more events than the queue holds");
        return;
    }
    if (snap_loading(s)) {
        m->event_head = 0;
        m->event_count = 0;
    }
    for (uint32_t k = 0; k < n && !s->failed; k++) {
        struct event ev = {0};
        struct event *at = &m->events[(m->event_head + k) % EVENTS_MAX];
        if (!snap_loading(s)) {
            ev = *at;
        }
        events_snap_event(m, &ev, s);
        if (snap_loading(s) && !s->failed) {
            *at = ev;
            m->event_count++;
        }
    }
}

static void events_snap_chars(struct char_ring *r, struct snap *s)
{
    uint32_t n = r->count;
    snap_u32(s, "chars", &n);
    if (n > CHAR_RING || (n && !r->chr)) {
        snap_fail(s, r->chr ? "more input bytes than fit" : "input for a port that is not there");
        return;
    }
    for (uint32_t k = 0; k < n && !s->failed; k++) {
        uint8_t b = snap_loading(s) ? 0 : r->buf[(r->head + k) % CHAR_RING];
        snap_u8(s, "char", &b);
        if (snap_loading(s)) {
            r->buf[k] = b;
        }
    }
    if (snap_loading(s)) {
        r->head = 0;
        r->count = s->failed ? 0 : n;
    }
}

static void events_snap_frames(struct net_queue *q, struct snap *s)
{
    uint32_t n = q->count;
    snap_u32(s, "frames", &n);
    if (n > NET_QUEUE || (n && !q->net)) {
        snap_fail(s, q->net ? "more frames than the queue holds"
                            : "frames for a network card that is not there");
        return;
    }
    if (snap_loading(s)) {
        q->head = 0;
        q->count = 0;
    }
    for (uint32_t k = 0; k < n && !s->failed; k++) {
        unsigned at = (q->head + k) % NET_QUEUE;
        snap_u16(s, "frame_len", &q->frame[at].len);
        if (!q->frame[at].len || q->frame[at].len > NETDEV_FRAME_MAX) {
            snap_fail(s, "a frame of impossible length");
            return;
        }
        snap_bytes(s, "frame", q->frame[at].data, q->frame[at].len);
    }
    if (snap_loading(s)) {
        q->count = s->failed ? 0 : n;
    }
}

void events_snap(struct machine *m, struct snap *s)
{
    events_snap_queue(m, s);
    for (unsigned i = 0; i < CHAR_PORTS; i++) {
        events_snap_chars(&m->chars[i], s);
    }
    for (unsigned i = 0; i < MACHINE_NICS; i++) {
        events_snap_frames(&m->nets[i], s);
    }
}
