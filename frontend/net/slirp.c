/* User networks: libslirp plays gateway, DHCP, TFTP and name server, and turns the guest's
 * connections into sockets of this process.
 *
 * Two threads touch it.  The machine's thread puts the guest's frames into the `in` ring, and
 * through libslirp at once if nobody else is in there; the socket thread waits in poll() for the
 * host and takes what was left in the ring.  Frames for the guest collect in the `out` ring, which
 * the machine's thread empties.  When the guest does not take them, sockets are not read: the
 * sender waits, nothing is lost.  Paced, the machine's thread never waits for the lock.
 * Deterministic, it does, and timers run on it: then all that libslirp answers by itself (ARP,
 * DHCP, TFTP) comes at a virtual time that depends on nothing else; only what sockets bring does
 * not repeat.
 *
 * Order of locks: the machine's, then net_slirp_lock; under the latter no call into the machine.
 * NOT IMPLEMENTED: connections do not survive in snapshots; guestfwd, SMB; what
 * the guest sends in IPv4 fragments is dropped (slirp_fragment()). */
#include "frontend/net/slirp.h"

#include <errno.h>
#include <libslirp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "frontend/net/tftp_guard.h"
#include "frontend/runner.h"

enum {
    SLIRP_IN = 256,        /* frames; powers of two */
    SLIRP_OUT = 2048,
    SLIRP_OUT_BUSY = 256,  /* no more from sockets while so many wait for the guest */
    SLIRP_OUT_FULL = 1536, /* nor anything of the guest's, which could bring answers */
    SLIRP_POLLS = 1024,
    SLIRP_TIMERS = 4,
    SLIRP_QUIET_MS = 1000  /* what slirp_pollfds_fill() says when it has no timer */
};
/* libslirp takes 0 ms for "never" here and there */
#define SLIRP_EPOCH VTIME_SEC
#define SLIRP_PATIENCE (2 * VTIME_SEC)

struct slirp_frame {
    uint16_t len;
    uint8_t data[NETDEV_FRAME_MAX];
};
struct slirp_ring { /* one writer, one reader; `at` are free-running */
    struct slirp_frame *frame;
    unsigned size, put, get; /* atomic */
};
struct slirp_timer {
    struct net_slirp *s;
    SlirpTimerCb cb;
    void *opaque;
    int64_t due_ms; /* -1: not armed */
    bool used;
};

struct net_slirp {
    struct net_port *port;
    const struct opt_net *opt;
    bool deterministic;
    Slirp *slirp;
    struct slirp_ring in, out;
    pthread_t thread;
    bool running;
    int wake_fd;
    bool stop, woken, waiting; /* atomic */
    vtime now, due;            /* atomic */

    /* under net_slirp_lock */
    vtime traffic; /* the last frame of either direction */
    unsigned round; /* of slirp_pollfds_fill(): the socket thread's indices belong to one */
    struct slirp_timer timer[SLIRP_TIMERS];
    struct pollfd polls[SLIRP_POLLS];
    unsigned poll_count;
};

/* libslirp keeps its clock and the name server's address in variables of the process (slirp.c:
 * curtime, dns_addr), so there is one lock for all instances, also of two machines. */
static pthread_mutex_t net_slirp_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- rings ----------------------------------------------------------------------------- */

static unsigned ring_count(const struct slirp_ring *r)
{
    return __atomic_load_n(&r->put, __ATOMIC_SEQ_CST) - __atomic_load_n(&r->get, __ATOMIC_SEQ_CST);
}

static bool ring_put(struct slirp_ring *r, const uint8_t *frame, size_t len)
{
    if (ring_count(r) >= r->size || len > NETDEV_FRAME_MAX) {
        return false;
    }
    struct slirp_frame *f = &r->frame[r->put % r->size];
    f->len = (uint16_t)len;
    memcpy(f->data, frame, len);
    __atomic_store_n(&r->put, r->put + 1, __ATOMIC_SEQ_CST);
    return true;
}

static struct slirp_frame *ring_first(const struct slirp_ring *r)
{
    return ring_count(r) ? &r->frame[r->get % r->size] : NULL;
}

static void ring_drop(struct slirp_ring *r)
{
    __atomic_store_n(&r->get, r->get + 1, __ATOMIC_SEQ_CST);
}

/* ---- what libslirp calls --------------------------------------------------------------- */

static void slirp_wake(struct net_slirp *s)
{
    uint64_t one = 1;
    if (!__atomic_exchange_n(&s->woken, true, __ATOMIC_SEQ_CST) &&
        write(s->wake_fd, &one, sizeof one) < 0) {
        return; /* full: it is awake already */
    }
}

static ssize_t slirp_cb_send(const void *buf, size_t len, void *opaque)
{
    struct net_slirp *s = opaque;
    s->traffic = s->now;
    ring_put(&s->out, buf, len); /* full: lost as on a wire */
    return (ssize_t)len;
}

static void slirp_cb_error(const char *msg, void *opaque)
{
    (void)opaque;
    log_msg(LOG_GUEST, "slirp", "%s", msg);
}

static int64_t slirp_cb_clock(void *opaque)
{
    struct net_slirp *s = opaque;
    return (int64_t)(__atomic_load_n(&s->now, __ATOMIC_RELAXED) + SLIRP_EPOCH);
}

static void *slirp_cb_timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    struct net_slirp *s = opaque;
    for (unsigned i = 0; i < SLIRP_TIMERS; i++) {
        struct slirp_timer *t = &s->timer[i];
        if (!t->used) {
            *t = (struct slirp_timer){.s = s, .cb = cb, .opaque = cb_opaque, .due_ms = -1,
                                      .used = true};
            return t;
        }
    }
    abort(); /* libslirp 4 has one kind of timer, and one of it */
}

static void slirp_cb_timer_free(void *timer, void *opaque)
{
    struct slirp_timer *t = timer;
    (void)opaque;
    t->used = false;
}

static void slirp_cb_timer_mod(void *timer, int64_t expire_time, void *opaque)
{
    struct slirp_timer *t = timer;
    (void)opaque;
    t->due_ms = expire_time;
    slirp_wake(t->s);
}

static void slirp_cb_poll_fd(int fd, void *opaque)
{
    (void)fd;
    slirp_wake(opaque);
}

static void slirp_cb_notify(void *opaque)
{
    slirp_wake(opaque);
}

static const SlirpCb slirp_callbacks = {
    .send_packet = slirp_cb_send,
    .guest_error = slirp_cb_error,
    .clock_get_ns = slirp_cb_clock,
    .timer_new = slirp_cb_timer_new,
    .timer_free = slirp_cb_timer_free,
    .timer_mod = slirp_cb_timer_mod,
    .register_poll_fd = slirp_cb_poll_fd,
    .unregister_poll_fd = slirp_cb_poll_fd,
    .notify = slirp_cb_notify,
};

static int slirp_cb_add_poll(int fd, int events, void *opaque)
{
    struct net_slirp *s = opaque;
    if (s->poll_count == SLIRP_POLLS) {
        return -1; /* this one waits for a later round */
    }
    short ev = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) |
                       (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                       (events & SLIRP_POLL_PRI ? POLLPRI : 0));
    s->polls[s->poll_count] = (struct pollfd){.fd = fd, .events = ev};
    return (int)s->poll_count++;
}

static int slirp_cb_revents(int idx, void *opaque)
{
    struct net_slirp *s = opaque;
    int ev = idx >= 0 && (unsigned)idx < s->poll_count ? s->polls[idx].revents : 0;
    return (ev & POLLIN ? SLIRP_POLL_IN : 0) | (ev & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (ev & POLLPRI ? SLIRP_POLL_PRI : 0) | (ev & POLLERR ? SLIRP_POLL_ERR : 0) |
           (ev & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* ---- under the lock -------------------------------------------------------------------- */

/* Timers, frames that wait for ARP, and libslirp's own idea of the time, which it reads here only;
 * no socket is looked at. */
static void slirp_clock(struct net_slirp *s)
{
    slirp_pollfds_poll(s->slirp, 1, slirp_cb_revents, s);
}

/* T26: reassembly of overlapping fragments in libslirp 4.7.0 (Debian 12) ends in a wild pointer, so
 * a guest's IPv4 fragments do not reach it.  RFC 791, "Internet Header Format". */
static bool slirp_fragment(const struct slirp_frame *f)
{
    return f->len >= 34 && f->data[12] == 0x08 && f->data[13] == 0x00 &&
           ((f->data[20] & 0x3f) | f->data[21]);
}

/* The guest's frames through libslirp. */
static void slirp_take(struct net_slirp *s)
{
    struct slirp_frame *f;
    if (ring_count(&s->in)) {
        slirp_clock(s); /* or a new connection would begin at the time of the last event */
    }
    while (ring_count(&s->out) < SLIRP_OUT_FULL && (f = ring_first(&s->in))) {
        enum tftp_verdict v = slirp_fragment(f) ? TFTP_DROP
                              : s->opt->tftp    ? tftp_guard(s->opt->tftp, f->data, f->len)
                                                : TFTP_PASS;
        if (v == TFTP_REFUSE) {
            tftp_guard_spoil(f->data, f->len);
        }
        if (v != TFTP_DROP) {
            slirp_input(s->slirp, f->data, f->len);
        }
        s->traffic = s->now;
        ring_drop(&s->in);
    }
}

static void slirp_timers(struct net_slirp *s)
{
    int64_t now_ms = slirp_cb_clock(s) / (int64_t)VTIME_MS;
    for (unsigned i = 0; i < SLIRP_TIMERS; i++) {
        struct slirp_timer *t = &s->timer[i];
        if (t->used && t->due_ms >= 0 && t->due_ms <= now_ms) {
            t->due_ms = -1;
            t->cb(t->opaque);
        }
    }
}

/* Does the guest wait for a socket?  Then time should not run ahead of the host's. */
static bool slirp_waiting(const struct net_slirp *s)
{
    for (unsigned i = 0; i < s->poll_count; i++) {
        int type = 0, listens = 0;
        socklen_t len = sizeof type;
        getsockopt(s->polls[i].fd, SOL_SOCKET, SO_TYPE, &type, &len);
        len = sizeof listens;
        getsockopt(s->polls[i].fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len);
        if (type == SOCK_STREAM ? !listens : s->now - s->traffic < SLIRP_PATIENCE) {
            return true;
        }
    }
    return false;
}

/* What to wait for, and until when. */
static void slirp_fill(struct net_slirp *s)
{
    uint32_t timeout = UINT32_MAX;
    vtime now = __atomic_load_n(&s->now, __ATOMIC_RELAXED), due = VTIME_NEVER;
    s->round++;
    s->poll_count = 0;
    slirp_pollfds_fill(s->slirp, &timeout, slirp_cb_add_poll, s);
    if (timeout < SLIRP_QUIET_MS) {
        due = now + (timeout + 1) * VTIME_MS; /* + 1: libslirp cuts off fractions of a ms */
    }
    for (unsigned i = 0; i < SLIRP_TIMERS; i++) {
        const struct slirp_timer *t = &s->timer[i];
        if (t->used && t->due_ms >= 0) {
            vtime at = (vtime)t->due_ms * VTIME_MS;
            at = at > SLIRP_EPOCH ? at - SLIRP_EPOCH : 0;
            due = at < due ? at : due;
        }
    }
    if (s->deterministic) {
        __atomic_store_n(&s->waiting, slirp_waiting(s), __ATOMIC_RELAXED);
    }
    __atomic_store_n(&s->due, due, __ATOMIC_SEQ_CST);
}

/* All that is due.  Twice: the first round may arm a timer that is due at once. */
static void slirp_turn(struct net_slirp *s)
{
    for (unsigned i = 0; i < 2; i++) {
        slirp_timers(s);
        slirp_clock(s);
        slirp_fill(s);
    }
}

/* ---- the socket thread ----------------------------------------------------------------- */

static void slirp_rest(struct net_slirp *s, struct pollfd *pfd, unsigned n)
{
    uint64_t v;
    pfd[0] = (struct pollfd){.fd = s->wake_fd, .events = POLLIN};
    if (poll(pfd, n, -1) < 0 && errno != EINTR) {
        log_msg(LOG_HOST, "slirp", "poll: %s", strerror(errno));
        usleep(100000); /* out of memory, say: no reason to spin */
    }
    if (pfd[0].revents && read(s->wake_fd, &v, sizeof v) < 0) {
        return;
    }
}

static void *slirp_main(void *arg)
{
    struct net_slirp *s = arg;
    struct pollfd pfd[1 + SLIRP_POLLS];
    for (;;) {
        __atomic_store_n(&s->woken, false, __ATOMIC_SEQ_CST); /* before anything is looked at */
        if (__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST)) {
            return NULL;
        }
        pthread_mutex_lock(&net_slirp_lock);
        vtime due = __atomic_load_n(&s->due, __ATOMIC_RELAXED);
        slirp_take(s);
        if (s->deterministic) {
            slirp_fill(s);
        } else {
            slirp_turn(s);
        }
        bool sooner = __atomic_load_n(&s->due, __ATOMIC_RELAXED) < due;
        unsigned round = s->round;
        /* back-pressure: nothing more from the host before the guest takes what is here */
        unsigned n = ring_count(&s->out) < SLIRP_OUT_BUSY ? s->poll_count : 0;
        memcpy(pfd + 1, s->polls, n * sizeof *pfd);
        pthread_mutex_unlock(&net_slirp_lock);
        if (sooner || ring_count(&s->out)) {
            runner_wake(s->port->runner);
        }
        slirp_rest(s, pfd, 1 + n);
        pthread_mutex_lock(&net_slirp_lock);
        if (round == s->round && n > 0) {
            memcpy(s->polls, pfd + 1, n * sizeof *pfd);
            slirp_pollfds_poll(s->slirp, 0, slirp_cb_revents, s);
        }
        pthread_mutex_unlock(&net_slirp_lock);
    }
}

/* ---- the machine's thread -------------------------------------------------------------- */

static void slirp_flush(struct net_slirp *s, vtime now)
{
    struct slirp_frame *f;
    bool busy = ring_count(&s->out) >= SLIRP_OUT_BUSY;
    while ((f = ring_first(&s->out)) && net_port_deliver(s->port, now, f->data, f->len)) {
        ring_drop(&s->out);
    }
    if (busy && ring_count(&s->out) < SLIRP_OUT_BUSY) {
        slirp_wake(s);
    }
}

bool net_slirp_send(struct net_slirp *s, vtime now, const uint8_t *frame, size_t len)
{
    __atomic_store_n(&s->now, now, __ATOMIC_RELAXED);
    bool taken = ring_put(&s->in, frame, len);
    if (s->deterministic) {
        pthread_mutex_lock(&net_slirp_lock);
    } else if (pthread_mutex_trylock(&net_slirp_lock) != 0) {
        slirp_wake(s); /* the socket thread has it and looks into the ring before it rests */
        return taken;
    }
    slirp_take(s);
    if (s->deterministic) {
        slirp_turn(s);
    }
    pthread_mutex_unlock(&net_slirp_lock);
    slirp_wake(s); /* sockets may have come, or room in their buffers */
    slirp_flush(s, now);
    return taken;
}

vtime net_slirp_tick(struct net_slirp *s, vtime now, bool *waiting)
{
    __atomic_store_n(&s->now, now, __ATOMIC_RELAXED);
    if (now >= __atomic_load_n(&s->due, __ATOMIC_SEQ_CST)) {
        if (s->deterministic) {
            pthread_mutex_lock(&net_slirp_lock);
            slirp_turn(s);
            pthread_mutex_unlock(&net_slirp_lock);
        } else {
            /* the thread knows a later one when it has run those that are due */
            __atomic_store_n(&s->due, VTIME_NEVER, __ATOMIC_SEQ_CST);
        }
        slirp_wake(s);
    }
    slirp_flush(s, now);
    if (ring_count(&s->in)) {
        slirp_wake(s);
    }
    *waiting = *waiting || __atomic_load_n(&s->waiting, __ATOMIC_RELAXED);
    return __atomic_load_n(&s->due, __ATOMIC_SEQ_CST);
}

/* ---- the monitor ----------------------------------------------------------------------- */

bool net_slirp_forward(struct net_slirp *s, const struct opt_fwd *f, struct err *err)
{
    struct in_addr host = {htonl(f->host_addr)}, guest = {htonl(f->guest_addr)};
    char text[16];
    pthread_mutex_lock(&net_slirp_lock);
    errno = 0;
    int rc = slirp_add_hostfwd(s->slirp, f->udp, host, f->host_port, guest, f->guest_port);
    int why = errno;
    pthread_mutex_unlock(&net_slirp_lock);
    slirp_wake(s);
    return rc == 0 || err_set(err, why ? why : EADDRINUSE, "%s: hostfwd: the %s port %u on %s of "
                              "the host cannot be used: %s", s->opt->opt, f->udp ? "UDP" : "TCP",
                              f->host_port, opt_addr_text(f->host_addr, text),
                              strerror(why ? why : EADDRINUSE));
}

bool net_slirp_unforward(struct net_slirp *s, const struct opt_fwd *f)
{
    struct in_addr host = {htonl(f->host_addr)};
    pthread_mutex_lock(&net_slirp_lock);
    int rc = slirp_remove_hostfwd(s->slirp, f->udp, host, f->host_port);
    pthread_mutex_unlock(&net_slirp_lock);
    slirp_wake(s);
    return rc == 0;
}

char *net_slirp_info(struct net_slirp *s)
{
    pthread_mutex_lock(&net_slirp_lock);
    char *text = slirp_connection_info(s->slirp);
    pthread_mutex_unlock(&net_slirp_lock);
    return text;
}

/* ---- life ------------------------------------------------------------------------------ */

bool net_slirp_built(void)
{
    return true;
}

static void slirp_config(SlirpConfig *c, const struct opt_net *o, const char **search)
{
    memset(c, 0, sizeof *c);
    c->version = SLIRP_CONFIG_VERSION_MAX;
    c->restricted = o->restricted;
    c->in_enabled = true;
    c->vnetwork.s_addr = htonl(o->net);
    c->vnetmask.s_addr = htonl(o->mask);
    c->vhost.s_addr = htonl(o->host);
    c->vdhcp_start.s_addr = htonl(o->dhcp);
    c->vnameserver.s_addr = htonl(o->dns);
    c->in6_enabled = o->ipv6;
    inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
    c->vprefix_len = 64;
    inet_pton(AF_INET6, "fec0::2", &c->vhost6);
    inet_pton(AF_INET6, "fec0::3", &c->vnameserver6);
    c->vhostname = o->hostname;
    c->vdomainname = o->domain;
    c->tftp_path = o->tftp;
    c->tftp_server_name = o->tftp_name;
    c->bootfile = o->bootfile;
    memcpy(search, o->search, sizeof o->search);
    c->vdnssearch = o->searches ? search : NULL;
}

static bool slirp_check(const struct opt_net *o, struct err *err)
{
    struct stat st;
    if (o->tftp && stat(o->tftp, &st) < 0) {
        return err_set(err, errno, "%s: tftp=%s: %s", o->opt, o->tftp, strerror(errno));
    }
    return !o->tftp || S_ISDIR(st.st_mode) ||
           err_set(err, ENOTDIR, "%s: tftp=%s is not a folder: give the folder that holds the "
                   "files", o->opt, o->tftp);
}

struct net_slirp *net_slirp_open(struct net_port *p, const struct opt_net *opt, bool deterministic,
                                 struct err *err)
{
    const char *search[OPT_SEARCHES + 1] = {0};
    SlirpConfig cfg;
    if (!slirp_check(opt, err)) {
        return NULL;
    }
    struct net_slirp *s = calloc(1, sizeof *s);
    if (!s || !(s->in.frame = calloc(SLIRP_IN, sizeof *s->in.frame)) ||
        !(s->out.frame = calloc(SLIRP_OUT, sizeof *s->out.frame))) {
        err_set(err, ENOMEM, "%s: out of memory", opt->opt);
        if (s) {
            free(s->in.frame);
        }
        free(s);
        return NULL;
    }
    s->port = p;
    s->opt = opt;
    s->deterministic = deterministic;
    s->in.size = SLIRP_IN;
    s->out.size = SLIRP_OUT;
    s->due = VTIME_NEVER;
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    slirp_config(&cfg, opt, search);
    pthread_mutex_lock(&net_slirp_lock);
    s->slirp = s->wake_fd >= 0 ? slirp_new(&cfg, &slirp_callbacks, s) : NULL;
    pthread_mutex_unlock(&net_slirp_lock);
    bool ok = s->slirp || err_set(err, errno ? errno : EINVAL, "%s: no user network: %s", opt->opt,
                                  strerror(errno ? errno : EINVAL));
    for (unsigned i = 0; ok && i < opt->fwds; i++) {
        ok = net_slirp_forward(s, &opt->fwd[i], err);
    }
    if (ok) {
        int rc = pthread_create(&s->thread, NULL, slirp_main, s);
        s->running = rc == 0;
        ok = rc == 0 || err_set(err, rc, "%s: no thread: %s", opt->opt, strerror(rc));
    }
    if (!ok) {
        net_slirp_close(s);
        return NULL;
    }
    return s;
}

void net_slirp_close(struct net_slirp *s)
{
    if (!s) {
        return;
    }
    if (s->running) {
        __atomic_store_n(&s->stop, true, __ATOMIC_SEQ_CST);
        slirp_wake(s);
        pthread_join(s->thread, NULL);
    }
    if (s->slirp) {
        pthread_mutex_lock(&net_slirp_lock);
        slirp_cleanup(s->slirp);
        pthread_mutex_unlock(&net_slirp_lock);
    }
    if (s->wake_fd >= 0) {
        close(s->wake_fd);
    }
    free(s->in.frame);
    free(s->out.frame);
    free(s);
}
