/* A port by which a test guest ends the emulator with a status. */
#pragma once
#include "devices/device.h"
#include "mem/bus.h"

struct debug_exit {
    struct device dev;
    struct region regs; /* iosize bytes: 501h unless chosen otherwise */
    void (*leave)(void *ctx, int status);
    void *ctx;
};

/* iosize is clamped to 1..8; a write of v calls leave(ctx, (v << 1) | 1). */
void debug_exit_init(struct debug_exit *d, const char *id, unsigned iosize,
                     void (*leave)(void *ctx, int status), void *ctx);
