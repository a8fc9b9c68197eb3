/* The cable between the 8042 and a keyboard or mouse, at the level of whole bytes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct ps2_device_ops {
    void (*write)(void *dev, uint8_t val); /* host to device; the device interrupts what it sends */
    bool (*ready)(void *dev);              /* a byte waits to be sent */
    uint8_t (*take)(void *dev);            /* send it; only when ready() */
};

struct ps2_device { /* embedded in the device; the controller fills in its end */
    const struct ps2_device_ops *ops;
    void *dev;
    void (*notify)(void *host); /* ready() became true; NULL when unplugged */
    void *host;
};

static inline void ps2_notify(struct ps2_device *d)
{
    if (d->notify) {
        d->notify(d->host);
    }
}

/* Scan codes (devices/input/ps2codes.c). */
struct ps2_code {
    uint8_t set2;   /* 0: no such key */
    uint8_t set3;   /* 0: not in set 3 */
    uint8_t flags;
};
enum {
    PS2_E0 = 1,       /* set 2 sends E0 first */
    PS2_GRAY = 2,     /* the cursor keys between the blocks: hidden shifts around them */
    PS2_MAKE_ONLY = 4, /* Korean keys: no break code in sets 1 and 2 */
    PS2_S3_MB = 8,    /* set 3 default: make and break (else typematic) */
    PS2_S3_M = 16     /* set 3 default: make only */
};
extern const struct ps2_code ps2_codes[256];   /* by USB HID usage */
extern const uint8_t ps2_to_set1[256]; /* the 8042's translation, without the break bit */
