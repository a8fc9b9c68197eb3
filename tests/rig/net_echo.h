/* A network in a test: a deterministic station at the other end of a card's cable.
 *
 *     struct net_echo net;
 *     net_echo_init(&net, mac);                 mac: the card's (NULL: 52:54:00:12:34:56)
 *     cfg.nic[0].model = MACHINE_NIC_NE2K_PCI;
 *     cfg.nic[0].net = &net.net;                before machine_create()
 *     net.post = my_post, net.ctx = m;          wraps machine_post_frame(); NULL: only records
 *     ... run ...
 *     net_echo_frame(n, mac, buf) makes frame number n, to be posted at a slice boundary
 *
 * It keeps what was sent (count, hash, the last frame) and answers as 10.0.2.2, 52:55:0a:00:02:02:
 * ARP requests for that address, ICMP echo requests to it and UDP to its port 7.  An answer is a
 * function of the question alone: the station has no state that a snapshot of the machine would
 * have to bring back.  No test framework in here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/plugs/netdev.h"

struct net_echo {
    struct netdev net;
    /* Send an answer towards the card; called from within the card's send(). */
    bool (*post)(void *ctx, struct netdev *net, const uint8_t *frame, size_t len);
    void *ctx;
    unsigned sent, answered, refused; /* refused: post() said false */
    uint64_t hash;                    /* of all frames sent, in order, with their lengths */
    size_t last_len;
    uint8_t last[NETDEV_FRAME_MAX];
    bool deaf; /* take nothing */
};

void net_echo_init(struct net_echo *e, const uint8_t *mac);
/* Frame number n for the card `mac`, 60 to 1514 bytes: unicast, broadcast and multicast by turns,
 * a UDP datagram to port 9 whose contents follow from n.  Returns its length. */
size_t net_echo_frame(uint32_t n, const uint8_t mac[6], uint8_t buf[NETDEV_FRAME_MAX]);
/* What the station answers to a frame; 0: nothing.  out may not be frame. */
size_t net_echo_answer(const uint8_t *frame, size_t len, uint8_t out[NETDEV_FRAME_MAX]);
