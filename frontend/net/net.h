/* The host's side of network cards: what a frame of the guest meets.
 *
 * A frame of the guest comes through the card's plug on the machine's thread.  A frame for the
 * guest goes into the machine's queue on that thread too, in net_tick() or right after a frame of
 * the guest, so a capture file has one writer and a deterministic machine one order of things. Host
 * descriptors are watched by threads of the backends (slirp.c). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/plugs/netdev.h"
#include "frontend/options_net.h"

struct runner;
struct machine;
struct pcap;
struct net_slirp;

struct net_port {
    struct netdev net;         /* what the machine is given */
    const struct opt_nic *nic; /* NULL: no such card */
    const struct opt_net *opt; /* NULL: nothing on the wire */
    struct machine *machine;   /* NULL until it runs */
    struct runner *runner;
    struct net_slirp *slirp;
    struct pcap *pcap;
    bool link_down; /* atomic */
    uint64_t sent, sent_bytes, got, got_bytes, dropped; /* machine's thread; read by the monitor */
};

/* Fill in the plug; nothing of the host is touched. */
void net_port_init(struct net_port *p, const struct opt_nic *nic, const struct opt_net *opt);
/* Opens capture files and host ports.  deterministic: see slirp.h. */
bool net_port_open(struct net_port *p, struct machine *m, struct runner *r, struct err *err);
void net_port_close(struct net_port *p); /* after the machine's thread ended */
/* On the machine's thread, between slices: hands over what waits for the guest.  Returns when it
 * wants to be called at the latest; *waiting: the guest waits for the host's network. */
vtime net_tick(struct net_port *p, vtime now, bool *waiting);
/* A frame for the guest, on the machine's thread; false: its queue is full. */
bool net_port_deliver(struct net_port *p, vtime now, const uint8_t *frame, size_t len);
void net_port_link(struct net_port *p, bool up);
