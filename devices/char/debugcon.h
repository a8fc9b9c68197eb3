/* A one-port console for firmware and small kernels: bytes written appear on a character device. */
#pragma once
#include "base/plugs/chardev.h"
#include "devices/device.h"
#include "mem/bus.h"

struct debugcon {
    struct device dev;
    struct region regs; /* 1 byte: E9h or 402h */
    struct chardev *chr;
    uint8_t readback; /* what a read gives: E9h says "someone listens" */
};

void debugcon_init(struct debugcon *d, const char *id, uint8_t readback, struct chardev *chr);
