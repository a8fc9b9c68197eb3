/* Where a network card meets the host: whole Ethernet frames, no preamble, no FCS. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest frame that passes in either direction: 1500 bytes of data, header, one VLAN tag. */
#define NETDEV_FRAME_MAX 1518

struct netdev_ops { /* guest -> host, on the machine's thread; may copy and queue, never wait */
    /* false: dropped.  len may be anything from 1 to NETDEV_FRAME_MAX. */
    bool (*send)(void *backend, const uint8_t *frame, size_t len);
};
struct netdev_client { /* host -> guest, called at a slice boundary on the machine's thread */
    bool (*ready)(void *dev); /* there is room for one frame of the longest kind now */
    void (*receive)(void *dev, const uint8_t *frame, size_t len);
    void (*link)(void *dev, bool up); /* the cable; may be NULL */
};
struct netdev { /* a card with ops == NULL sends into nothing */
    const struct netdev_ops *ops;
    void *backend;
    const struct netdev_client *client; /* the card's side, set by its init */
    void *dev;
    uint8_t mac[6];
};
