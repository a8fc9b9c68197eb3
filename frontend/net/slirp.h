/* A network behind NAT, by libslirp. */
#pragma once
#include "frontend/net/net.h"

bool net_slirp_built(void);
struct net_slirp *net_slirp_open(struct net_port *p, const struct opt_net *opt, bool deterministic,
                                 struct err *err);
void net_slirp_close(struct net_slirp *s);
/* On the machine's thread.  send: false: dropped. */
bool net_slirp_send(struct net_slirp *s, vtime now, const uint8_t *frame, size_t len);
vtime net_slirp_tick(struct net_slirp *s, vtime now, bool *waiting);
/* Of the monitor, any thread. */
bool net_slirp_forward(struct net_slirp *s, const struct opt_fwd *f, struct err *err);
bool net_slirp_unforward(struct net_slirp *s, const struct opt_fwd *f);
char *net_slirp_info(struct net_slirp *s); /* to free() */
