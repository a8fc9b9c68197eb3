/* A byte ring with fixed capacity, for UART, PS/2 and the like.  Storage belongs to the caller. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/snap.h"

struct fifo {
    uint8_t *buf;
    uint16_t cap, head, count;
};

static inline void fifo_init(struct fifo *f, uint8_t *buf, uint16_t cap)
{
    *f = (struct fifo){.buf = buf, .cap = cap};
}
static inline void fifo_clear(struct fifo *f)
{
    f->head = f->count = 0;
}
static inline bool fifo_push(struct fifo *f, uint8_t v) /* false: full, v is dropped */
{
    if (f->count >= f->cap) {
        return false;
    }
    f->buf[(f->head + f->count++) % f->cap] = v;
    return true;
}
static inline uint8_t fifo_peek(const struct fifo *f) /* 0 when empty */
{
    return f->count ? f->buf[f->head] : 0;
}
static inline uint8_t fifo_pop(struct fifo *f) /* 0 when empty */
{
    if (!f->count) {
        return 0;
    }
    uint8_t v = f->buf[f->head];
    f->head = (uint16_t)((f->head + 1) % f->cap);
    f->count--;
    return v;
}
static inline uint16_t fifo_room(const struct fifo *f)
{
    return (uint16_t)(f->cap - f->count);
}
/* Canonical form (oldest first) so that equal contents hash equal; checks its indices on load. */
static inline void fifo_snap(struct fifo *f, struct snap *s, const char *name)
{
    uint16_t n = f->count;
    snap_u16(s, name, &n);
    if (n > f->cap) {
        snap_fail(s, "fifo longer than its ring");
        return;
    }
    for (uint16_t i = 0; i < n; i++) {
        uint8_t v = snap_loading(s) ? 0 : f->buf[(f->head + i) % f->cap];
        snap_u8(s, name, &v);
        if (snap_loading(s)) {
            f->buf[i] = v;
        }
    }
    if (snap_loading(s)) {
        f->head = 0;
        f->count = n;
    }
}
