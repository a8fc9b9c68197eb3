/* Where a network card meets the host: whole Ethernet frames, no FCS. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netdev_ops {
    bool (*send)(void *backend, const uint8_t *frame, size_t len);
};
struct netdev_client {
    bool (*ready)(void *dev);
    void (*receive)(void *dev, const uint8_t *frame, size_t len);
    void (*link)(void *dev, bool up);
};
struct netdev {
    const struct netdev_ops *ops;
    void *backend;
    const struct netdev_client *client;
    void *dev;
    uint8_t mac[6];
};
