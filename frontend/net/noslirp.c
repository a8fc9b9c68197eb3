/* This build has no libslirp. */
#include <errno.h>

#include "frontend/net/slirp.h"

bool net_slirp_built(void)
{
    return false;
}

struct net_slirp *net_slirp_open(struct net_port *p, const struct opt_net *opt, bool deterministic,
                                 struct err *err)
{
    (void)p, (void)deterministic;
    err_set(err, ENOSYS, "%s user: this build has no libslirp: say -nic none", opt->opt);
    return NULL;
}

void net_slirp_close(struct net_slirp *s)
{
    (void)s;
}

bool net_slirp_send(struct net_slirp *s, vtime now, const uint8_t *frame, size_t len)
{
    (void)s, (void)now, (void)frame, (void)len;
    return false;
}

vtime net_slirp_tick(struct net_slirp *s, vtime now, bool *waiting)
{
    (void)s, (void)now, (void)waiting;
    return VTIME_NEVER;
}

bool net_slirp_forward(struct net_slirp *s, const struct opt_fwd *f, struct err *err)
{
    (void)s, (void)f;
    return err_set(err, ENOSYS, "this build has no libslirp");
}

bool net_slirp_unforward(struct net_slirp *s, const struct opt_fwd *f)
{
    (void)s, (void)f;
    return false;
}

char *net_slirp_info(struct net_slirp *s)
{
    (void)s;
    return NULL;
}
