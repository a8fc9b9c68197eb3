/* The I/O thread: one poll() over all host ends. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "frontend/char/port.h"
#include "frontend/char/tty.h"

enum { LOOP_PORTS = 20, LOOP_RETRY_MS = 1, LOOP_STALL_MS = 1000, LOOP_CHUNK = 4096 };

struct char_loop {
    pthread_t thread;
    bool running;
    bool stop; /* atomic */
    int wake_fd;
    struct char_port *ports;
    unsigned count;
};

/* ---- output ---------------------------------------------------------------------------- */

/* Give one chunk to the descriptor.  false: it would block, or there is nothing. */
static bool port_drain(struct char_port *p, int timeout_ms)
{
    uint8_t chunk[LOOP_CHUNK];
    bool moved = false;
    pthread_mutex_lock(&p->drain_lock);
    pthread_mutex_lock(&p->lock);
    if (p->out_fd < 0) {
        p->out_len = 0; /* nobody there */
    }
    /* A terminal may have room for less than a page: small pieces never block */
    size_t max = p->raw_tty ? 256 : sizeof chunk;
    size_t n = p->out_len < max ? p->out_len : max;
    for (size_t i = 0; i < n; i++) {
        chunk[i] = p->out[(p->out_at + i) % CHAR_OUT];
    }
    pthread_mutex_unlock(&p->lock);
    if (n > 0) {
        struct pollfd pfd = {.fd = p->out_fd, .events = POLLOUT};
        int rc = poll(&pfd, 1, timeout_ms);
        ssize_t done = 0;
        if (rc > 0) {
            done = p->socket ? send(p->out_fd, chunk, n, MSG_NOSIGNAL | MSG_DONTWAIT)
                             : write(p->out_fd, chunk, n);
            if (done < 0 && errno != EINTR && errno != EAGAIN) {
                done = (ssize_t)n; /* the reader is gone: as a pulled cable */
            }
        }
        if (done > 0) {
            moved = true;
            pthread_mutex_lock(&p->lock);
            p->out_at = (p->out_at + (size_t)done) % CHAR_OUT;
            p->out_len -= (size_t)done;
            if (p->out_len < CHAR_OUT / 2) {
                p->stalled = false;
            }
            pthread_mutex_unlock(&p->lock);
        }
    }
    pthread_mutex_unlock(&p->drain_lock);
    return moved;
}

size_t char_port_write(struct char_port *p, const uint8_t *buf, size_t len)
{
    size_t done = 0;
    if (__atomic_load_n(&p->out_fd, __ATOMIC_RELAXED) < 0) {
        return len; /* nobody is connected */
    }
    while (done < len) {
        pthread_mutex_lock(&p->lock);
        bool was_empty = p->out_len == 0, stalled = p->stalled;
        while (done < len && p->out_len < CHAR_OUT) {
            p->out[(p->out_at + p->out_len++) % CHAR_OUT] = buf[done++];
        }
        pthread_mutex_unlock(&p->lock);
        if (was_empty) {
            char_loop_wake(p->loop);
        }
        if (done < len && (stalled || !port_drain(p, LOOP_STALL_MS))) {
            pthread_mutex_lock(&p->lock);
            /* the other thread may have made room meanwhile */
            bool full = p->out_len == CHAR_OUT;
            p->stalled = p->stalled || full;
            pthread_mutex_unlock(&p->lock);
            if (full) {
                break; /* nobody reads: the rest is lost, as on a real line */
            }
        }
    }
    return len;
}

/* ---- input ----------------------------------------------------------------------------- */

static void port_offer(struct char_port *p)
{
    while (p->in_len > 0 && p->sink.input) {
        size_t n = p->sink.input(p->sink.ctx, p->in + p->in_at, p->in_len);
        if (n == 0) {
            return;
        }
        p->in_at += n;
        p->in_len -= n;
    }
    if (!p->sink.input) {
        p->in_len = 0;
    }
}

void char_port_hangup(struct char_port *p)
{
    pthread_mutex_lock(&p->drain_lock);
    if (p->socket) {
        close(p->in_fd);
    }
    p->in_fd = -1;
    if (p->socket) {
        __atomic_store_n(&p->out_fd, -1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&p->drain_lock);
    if (p->sink.opened) {
        p->sink.opened(p->sink.ctx, false);
    }
}

static void port_read(struct char_port *p)
{
    ssize_t n = read(p->in_fd, p->in, sizeof p->in);
    if (n > 0) {
        p->in_at = 0;
        p->in_len = (size_t)n;
        port_offer(p);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN && errno != EIO)) {
        char_port_hangup(p);
    } else if (errno == EIO && !p->keep_fd) {
        char_port_hangup(p);
    }
}

static void *loop_main(void *arg)
{
    struct char_loop *l = arg;
    while (!__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE)) {
        struct pollfd pfd[1 + 3 * LOOP_PORTS];
        struct char_port *who[1 + 3 * LOOP_PORTS];
        nfds_t n = 0;
        int timeout = -1;
        pfd[n++] = (struct pollfd){.fd = l->wake_fd, .events = POLLIN};
        for (struct char_port *p = l->ports; p; p = p->next) {
            if (p->in_len > 0) {
                port_offer(p);
            }
            bool kept = p->sink.flush && p->sink.flush(p->sink.ctx);
            if (p->in_len > 0 || kept) {
                timeout = LOOP_RETRY_MS;
            }
            pthread_mutex_lock(&p->lock);
            bool output = p->out_len > 0;
            pthread_mutex_unlock(&p->lock);
            if (output && p->out_fd < 0) {
                port_drain(p, 0);
                output = false;
            }
            if (p->listen_fd >= 0 && p->in_fd < 0) {
                who[n] = p;
                pfd[n++] = (struct pollfd){.fd = p->listen_fd, .events = POLLIN};
            }
            if (p->in_fd >= 0 && p->in_len == 0) {
                who[n] = p;
                pfd[n++] = (struct pollfd){.fd = p->in_fd, .events = POLLIN};
            }
            if (output) {
                who[n] = p;
                pfd[n++] = (struct pollfd){.fd = p->out_fd, .events = POLLOUT};
            }
        }
        if (poll(pfd, n, timeout) < 0 && errno != EINTR) {
            log_msg(LOG_HOST, "chardev", "poll: %s", strerror(errno));
            return NULL;
        }
        if (pfd[0].revents) {
            uint64_t v;
            if (read(l->wake_fd, &v, sizeof v) < 0) {
                continue;
            }
        }
        for (nfds_t i = 1; i < n; i++) {
            struct char_port *p = who[i];
            if (!pfd[i].revents) {
                continue;
            }
            if (pfd[i].events == POLLOUT) {
                port_drain(p, 0);
            } else if (pfd[i].fd == p->listen_fd) {
                char_socket_accept(p);
            } else if (pfd[i].fd == p->in_fd && p->in_len == 0) {
                port_read(p);
            }
        }
    }
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------ */

struct char_loop *char_loop_create(struct err *err)
{
    struct char_loop *l = calloc(1, sizeof *l);
    if (!l || (l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
        err_set(err, errno, "chardev: %s", strerror(errno));
        free(l);
        return NULL;
    }
    return l;
}

bool char_loop_start(struct char_loop *l, struct err *err)
{
    int rc = pthread_create(&l->thread, NULL, loop_main, l);
    if (rc) {
        return err_set(err, rc, "chardev: no thread: %s", strerror(rc));
    }
    l->running = true;
    return true;
}

void char_loop_wake(struct char_loop *l)
{
    uint64_t one = 1;
    if (write(l->wake_fd, &one, sizeof one) < 0) {
        return; /* full: it is awake already */
    }
}

static int64_t loop_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void char_loop_stop(struct char_loop *l)
{
    if (!l->running) {
        return;
    }
    __atomic_store_n(&l->stop, true, __ATOMIC_RELEASE);
    char_loop_wake(l);
    pthread_join(l->thread, NULL);
    l->running = false;
    int64_t end = loop_ms() + 500;
    for (struct char_port *p = l->ports; p; p = p->next) {
        while (port_drain(p, 20) || (p->out_len > 0 && !p->stalled && loop_ms() < end)) {
        }
    }
}

void char_loop_destroy(struct char_loop *l)
{
    if (!l) {
        return;
    }
    char_loop_stop(l);
    while (l->ports) {
        struct char_port *p = l->ports;
        l->ports = p->next;
        if (p->raw_tty) {
            tty_restore();
        }
        if (p->in_fd > 2) {
            close(p->in_fd);
        }
        if (p->out_fd > 2 && p->out_fd != p->in_fd) {
            close(p->out_fd);
        }
        if (p->listen_fd >= 0) {
            close(p->listen_fd);
        }
        if (p->keep_fd > 0) {
            close(p->keep_fd);
        }
        if (p->unlink_path[0]) {
            unlink(p->unlink_path);
        }
        pthread_mutex_destroy(&p->lock);
        pthread_mutex_destroy(&p->drain_lock);
        free(p->out);
        free(p);
    }
    close(l->wake_fd);
    free(l);
}

struct char_port *char_port_new(struct char_loop *l, const char *name, struct err *err)
{
    struct char_port *p = l->count < LOOP_PORTS ? calloc(1, sizeof *p) : NULL;
    if (!p || !(p->out = malloc(CHAR_OUT))) {
        err_set(err, ENOMEM, "chardev %s: out of memory", name);
        free(p);
        return NULL;
    }
    p->loop = l;
    p->in_fd = p->out_fd = p->listen_fd = -1;
    snprintf(p->name, sizeof p->name, "%s", name);
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->drain_lock, NULL);
    p->next = l->ports;
    l->ports = p;
    l->count++;
    return p;
}

void char_port_sink(struct char_port *p, const struct char_sink *sink)
{
    p->sink = *sink;
}
