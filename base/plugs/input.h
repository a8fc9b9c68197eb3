/* A human's input, as posted by a frontend and handed to devices at a slice boundary. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum input_kind { INPUT_KEY, INPUT_POINTER };

/* Keys are physical: the USB HID usage id (page 7) of the key's position, e.g. 0x04 = the key
 * that types 'a' on a US keyboard.  Keymaps live in the frontend. */
struct input_event {
    enum input_kind kind;
    union {
        struct {
            uint8_t hid;
            bool down;
        } key;
        struct {
            int16_t dx, dy;  /* counts; positive y is down */
            int8_t wheel;    /* positive: away from the user */
            uint8_t buttons; /* bit 0 left, 1 right, 2 middle */
        } pointer;
    };
};
