/* Host ends of serial things: a descriptor or two with bounded buffers, served by one I/O thread.
 *
 * Guest to host: char_port_write() never blocks for long and always takes everything, so what the
 * guest sees never depends on how fast the host reads.  Host to guest: the I/O thread reads and
 * hands bytes to the port's sink; what the sink does not take is offered again. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct opt_chardev;
struct char_loop;

struct char_sink {
    size_t (*input)(void *ctx, const uint8_t *buf, size_t len); /* returns bytes taken */
    bool (*flush)(void *ctx); /* offer kept bytes again; true: some are left; may be NULL */
    void (*opened)(void *ctx, bool open); /* the other end came or went; may be NULL */
    void *ctx;
};

enum { CHAR_IN = 4096, CHAR_OUT = 1 << 18 };
struct char_port {
    struct char_loop *loop;
    struct char_port *next;
    char name[80];              /* "tcp:127.0.0.1:4444", for info chardev */
    int in_fd, out_fd;          /* -1: not connected */
    int listen_fd, keep_fd;     /* keep_fd: a pty's other side, so that it never hangs up */
    bool socket, raw_tty;       /* what to do at hang-up, at close */
    char unlink_path[108];      /* unix server */
    struct char_sink sink;
    uint8_t in[CHAR_IN];        /* read but not taken yet; I/O thread only */
    size_t in_at, in_len;
    pthread_mutex_t lock;       /* protects out, out_at, out_len, stalled */
    pthread_mutex_t drain_lock; /* held while writing to out_fd or changing it; taken before lock */
    uint8_t *out;               /* ring of CHAR_OUT bytes */
    size_t out_at, out_len;
    bool stalled;               /* nobody reads: drop at once until half is gone */
};

struct char_loop *char_loop_create(struct err *err);
/* The machine must exist before the thread starts to post to it. */
bool char_loop_start(struct char_loop *l, struct err *err);
/* Ends the thread and gives what is left to the descriptors for up to half a second. */
void char_loop_stop(struct char_loop *l);
void char_loop_destroy(struct char_loop *l);
void char_loop_wake(struct char_loop *l);

/* NULL with err set; for a null device NULL without.  An opener that waits for a client does. */
struct char_port *char_open(struct char_loop *l, const struct opt_chardev *c, struct err *err);
void char_port_sink(struct char_port *p, const struct char_sink *sink);
size_t char_port_write(struct char_port *p, const uint8_t *buf, size_t len);

/* For the openers in char/. */
struct char_port *char_port_new(struct char_loop *l, const char *name, struct err *err);
void char_port_hangup(struct char_port *p);
bool char_stdio_open(struct char_port *p, const struct opt_chardev *c, struct err *err);
bool char_socket_open(struct char_port *p, const struct opt_chardev *c, struct err *err);
void char_socket_accept(struct char_port *p);
bool char_pty_open(struct char_port *p, const struct opt_chardev *c, struct err *err);
