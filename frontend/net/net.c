/* One network card's host end: counting, capturing, the cable, and which backend gets a frame. */
#include "frontend/net/net.h"

#include <string.h>

#include "frontend/net/pcap.h"
#include "frontend/net/slirp.h"
#include "frontend/runner.h"
#include "machine/machine.h"

static bool net_port_send(void *backend, const uint8_t *frame, size_t len)
{
    struct net_port *p = backend;
    if (!p->machine || len == 0 || len > NETDEV_FRAME_MAX ||
        __atomic_load_n(&p->link_down, __ATOMIC_RELAXED)) {
        p->dropped++;
        return false;
    }
    vtime now = machine_now(p->machine);
    p->sent++;
    p->sent_bytes += len;
    pcap_frame(p->pcap, now, frame, len);
    if (p->slirp && !net_slirp_send(p->slirp, now, frame, len)) {
        p->dropped++;
        return false;
    }
    return true;
}

static const struct netdev_ops net_port_ops = {.send = net_port_send};

void net_port_init(struct net_port *p, const struct opt_nic *nic, const struct opt_net *opt)
{
    memset(p, 0, sizeof *p);
    p->nic = nic;
    p->opt = opt;
    p->net.ops = &net_port_ops;
    p->net.backend = p;
    memcpy(p->net.mac, nic->mac, sizeof p->net.mac);
}

bool net_port_open(struct net_port *p, struct machine *m, struct runner *r, struct err *err)
{
    p->runner = r;
    if (p->opt && p->opt->pcap &&
        !(p->pcap = pcap_open(p->opt->opt, p->opt->pcap, p->opt->pcap_max, err))) {
        return false;
    }
    if (p->opt && p->opt->kind == OPT_NET_USER &&
        !(p->slirp = net_slirp_open(p, p->opt, machine_deterministic(m), err))) {
        return false;
    }
    p->machine = m;
    return true;
}

void net_port_close(struct net_port *p)
{
    net_slirp_close(p->slirp);
    pcap_close(p->pcap);
    p->slirp = NULL;
    p->pcap = NULL;
    p->machine = NULL;
}

bool net_port_deliver(struct net_port *p, vtime now, const uint8_t *frame, size_t len)
{
    if (__atomic_load_n(&p->link_down, __ATOMIC_RELAXED) || len > NETDEV_FRAME_MAX) {
        p->dropped++;
        return true; /* gone */
    }
    if (!machine_post_frame(p->machine, &p->net, frame, len)) {
        return false;
    }
    p->got++;
    p->got_bytes += len;
    pcap_frame(p->pcap, now, frame, len);
    return true;
}

vtime net_tick(struct net_port *p, vtime now, bool *waiting)
{
    if (!p->machine) {
        return VTIME_NEVER;
    }
    pcap_tick(p->pcap, now);
    return p->slirp ? net_slirp_tick(p->slirp, now, waiting) : VTIME_NEVER;
}

void net_port_link(struct net_port *p, bool up)
{
    __atomic_store_n(&p->link_down, !up, __ATOMIC_RELAXED);
    machine_post_link(p->machine, &p->net, up);
    runner_wake(p->runner);
}
