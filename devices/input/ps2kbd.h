/* IBM enhanced PS/2 keyboard. */
#pragma once
#include "base/clock.h"
#include "base/fifo.h"
#include "devices/device.h"
#include "devices/input/ps2.h"

enum { PS2KBD_BUFFER = 17 }; /* 16 bytes of scan codes and the overrun mark */
enum { PS2KBD_SCROLL = 1, PS2KBD_NUM = 2, PS2KBD_CAPS = 4 }; /* LEDs */

struct ps2kbd {
    struct device dev;
    struct ps2_device port; /* plug into i8042_attach() */
    struct clock *clk;
    struct vtimer bat;     /* end of the self-test after FFh */
    struct vtimer repeat;  /* typematic */
    uint8_t set;           /* 1, 2 or 3 */
    uint8_t leds;
    uint8_t rate;          /* F3h argument: delay in bits 6-5, rate in 4-0 */
    bool scanning;
    uint8_t pending;       /* command that waits for its argument; 0: none */
    uint8_t last;          /* last byte sent, for FEh */
    uint8_t repeat_key;    /* HID usage; 0: none */
    uint8_t wrapped;       /* hidden shift that the key being held was sent in: see ps2kbd.c */
    bool sysrq;            /* Print Screen went down as SysRq */
    uint8_t down[32];      /* keys held, by HID usage */
    uint8_t kind[256];     /* set 3: PS2_S3_MB, PS2_S3_M, 0 typematic; by set 3 code */
    uint8_t buf_mem[PS2KBD_BUFFER], resp_mem[8];
    struct fifo buf, resp; /* scan codes; answers, which go first */
};

void ps2kbd_init(struct ps2kbd *k, const char *id, struct clock *clk);
void ps2kbd_key(struct ps2kbd *k, uint8_t hid, bool down); /* a change; repeats are ours */
uint8_t ps2kbd_leds(const struct ps2kbd *k);
