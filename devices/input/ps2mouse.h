/* PS/2 mouse with wheel and five buttons. */
#pragma once
#include "base/clock.h"
#include "base/fifo.h"
#include "devices/device.h"
#include "devices/input/ps2.h"

struct ps2mouse {
    struct device dev;
    struct ps2_device port; /* plug into i8042_attach() */
    struct clock *clk;
    struct vtimer bat;    /* end of the self-test after FFh */
    struct vtimer sample; /* stream mode: the next report may be sent */
    uint8_t id;           /* 0, 3 (wheel) or 4 (wheel and five buttons) */
    uint8_t rate, resolution;
    uint8_t knock[2];     /* the two sample rates set before the last */
    bool streaming, remote, wrap, scaled;
    uint8_t pending, last, errors;
    uint8_t buttons, reported; /* now, and as last reported: bits 0-4 */
    int32_t dx, dy, dz;   /* movement not yet reported; y up */
    uint8_t buf_mem[64];
    struct fifo buf;
};

void ps2mouse_init(struct ps2mouse *m, const char *id, struct clock *clk);
/* dx to the right, dy down (as in base/plugs/input.h), wheel away from the user, button bits. */
void ps2mouse_move(struct ps2mouse *m, int dx, int dy, int wheel, uint8_t buttons);
