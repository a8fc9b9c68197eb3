/* Serial ports and the monitor on one terminal, QEMU's Ctrl-A keys between them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontend/char/port.h"

enum { MUX_USERS = 6, MUX_KEPT = 65536, MUX_ESCAPE = 1 /* Ctrl-A */ };
struct mux_actions { /* on the I/O thread; any may be NULL */
    void (*quit)(void *ctx);
    void (*flush_disks)(void *ctx);
    void (*serial_break)(void *ctx, unsigned user);
    void *ctx;
};
struct mux {
    size_t (*write)(void *out, const uint8_t *buf, size_t len); /* to the terminal */
    void *out;
    struct mux_actions act;
    struct char_sink user[MUX_USERS];
    const char *name[MUX_USERS];
    unsigned users, focus;
    bool escaped;        /* Ctrl-A was typed */
    uint8_t *kept;       /* ring: typed but not taken by the user in focus */
    size_t kept_at, kept_len;
};

bool mux_init(struct mux *m, size_t (*write)(void *, const uint8_t *, size_t), void *out,
              const struct mux_actions *act, struct err *err);
void mux_fini(struct mux *m);
/* Returns the user's number; the first has the focus. */
unsigned mux_add(struct mux *m, const char *name, const struct char_sink *sink);
/* The sink of the port underneath. */
struct char_sink mux_sink(struct mux *m);
