/* The multiplexer: qemu(1), "Keys in the character backend multiplexer".
 * Keys for a guest that does not listen are kept up to 64 KB, then dropped: the escape keys must
 * work whatever the guest does.
 * NOT IMPLEMENTED: Ctrl-A t (time stamps). */
#include "frontend/char/mux.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void mux_say(struct mux *m, const char *text)
{
    m->write(m->out, (const uint8_t *)text, strlen(text));
}

static void mux_help(struct mux *m)
{
    mux_say(m, "\r\n"
               "Ctrl-A h    this help\r\n"
               "Ctrl-A x    leave Vitrine\r\n"
               "Ctrl-A s    flush the disks\r\n"
               "Ctrl-A b    send a break to the serial port\r\n"
               "Ctrl-A c    switch between console and monitor\r\n"
               "Ctrl-A Ctrl-A  send Ctrl-A\r\n");
}

/* Offer what is kept to the user in focus.  true: some is left. */
static bool mux_offer(void *ctx)
{
    struct mux *m = ctx;
    while (m->kept_len > 0) {
        size_t run = MUX_KEPT - m->kept_at;
        run = run < m->kept_len ? run : m->kept_len;
        struct char_sink *s = &m->user[m->focus];
        size_t n = m->focus < m->users && s->input ? s->input(s->ctx, m->kept + m->kept_at, run)
                                                   : run;
        if (n == 0) {
            return true;
        }
        m->kept_at = (m->kept_at + n) % MUX_KEPT;
        m->kept_len -= n;
    }
    return false;
}

static void mux_switch(struct mux *m)
{
    if (m->users == 0) {
        return;
    }
    struct char_sink *s = &m->user[m->focus];
    m->kept_len = 0; /* it was typed for the other one */
    if (s->opened) {
        s->opened(s->ctx, false);
    }
    m->focus = (m->focus + 1) % m->users;
    s = &m->user[m->focus];
    if (s->opened) {
        s->opened(s->ctx, true);
    } else {
        char line[80];
        snprintf(line, sizeof line, "\r\n[%s]\r\n", m->name[m->focus]);
        mux_say(m, line);
    }
}

static void mux_command(struct mux *m, uint8_t c)
{
    switch (c) {
    case 'h':
    case '?': mux_help(m); break;
    case 'x':
        mux_say(m, "\r\nVitrine: left with Ctrl-A x\r\n");
        if (m->act.quit) {
            m->act.quit(m->act.ctx);
        }
        break;
    case 's':
        if (m->act.flush_disks) {
            m->act.flush_disks(m->act.ctx);
        }
        break;
    case 'b':
        if (m->act.serial_break) {
            m->act.serial_break(m->act.ctx, m->focus);
        }
        break;
    case 'c': mux_switch(m); break;
    default: break;
    }
}

static size_t mux_input(void *ctx, const uint8_t *buf, size_t len)
{
    struct mux *m = ctx;
    for (size_t i = 0; i < len; i++) {
        if (m->escaped) {
            m->escaped = false;
            if (buf[i] != MUX_ESCAPE) {
                mux_offer(m); /* what was typed before belongs to the focus before */
                mux_command(m, buf[i]);
                continue;
            }
        } else if (buf[i] == MUX_ESCAPE) {
            m->escaped = true;
            continue;
        }
        if (m->kept_len < MUX_KEPT) {
            m->kept[(m->kept_at + m->kept_len++) % MUX_KEPT] = buf[i];
        }
    }
    mux_offer(m);
    return len;
}

bool mux_init(struct mux *m, size_t (*write)(void *, const uint8_t *, size_t), void *out,
              const struct mux_actions *act, struct err *err)
{
    memset(m, 0, sizeof *m);
    m->write = write;
    m->out = out;
    m->act = *act;
    m->kept = malloc(MUX_KEPT);
    return m->kept || err_set(err, ENOMEM, "chardev: out of memory");
}

void mux_fini(struct mux *m)
{
    free(m->kept);
    m->kept = NULL;
}

unsigned mux_add(struct mux *m, const char *name, const struct char_sink *sink)
{
    if (m->users == MUX_USERS) {
        return MUX_USERS;
    }
    m->user[m->users] = *sink;
    m->name[m->users] = name;
    return m->users++;
}

struct char_sink mux_sink(struct mux *m)
{
    return (struct char_sink){.input = mux_input, .flush = mux_offer, .ctx = m};
}
