/* Where a serial-like device meets the host. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct chardev_ops { /* guest -> host; returns bytes taken */
    size_t (*write)(void *backend, const uint8_t *buf, size_t len);
    void (*accept_input)(void *backend); /* the device has room again; may be NULL */
};
struct chardev_client { /* host -> guest, called at a slice boundary on the machine's thread */
    size_t (*room)(void *dev);
    void (*receive)(void *dev, const uint8_t *buf, size_t len); /* len <= room() */
    void (*break_signal)(void *dev);                            /* may be NULL */
};
struct chardev { /* a device with ops == NULL drops its output */
    const struct chardev_ops *ops;
    void *backend;
    const struct chardev_client *client;
    void *dev;
};
