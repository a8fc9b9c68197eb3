/* Unix and TCP stream sockets, either end; one client at a time.
 * NOT IMPLEMENTED: telnet, TLS, reconnecting. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "frontend/char/port.h"
#include "frontend/options.h"

static void socket_connected(struct char_port *p, int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* harmless on unix sockets */
    pthread_mutex_lock(&p->drain_lock);
    pthread_mutex_lock(&p->lock);
    p->out_len = 0; /* meant for the client before */
    pthread_mutex_unlock(&p->lock);
    p->in_fd = fd;
    __atomic_store_n(&p->out_fd, fd, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&p->drain_lock);
    if (p->sink.opened) {
        p->sink.opened(p->sink.ctx, true);
    }
}

void char_socket_accept(struct char_port *p)
{
    int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        socket_connected(p, fd);
    }
}

static int socket_unix(const struct opt_chardev *c, struct char_port *p, struct err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(c->path) >= sizeof sa.sun_path) {
        err_set(err, ENAMETOOLONG, "%s unix:%.60s...: a socket's path has at most %zu bytes",
                c->opt, c->path, sizeof sa.sun_path - 1);
        return -1;
    }
    strcpy(sa.sun_path, c->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0;
    int why = errno;
    if (!c->server) {
        if (!up) {
            err_set(err, why, "%s unix:%.140s: %s", c->opt, c->path, strerror(why));
            close(fd);
            return -1;
        }
        return fd;
    }
    close(fd);
    if (up) {
        err_set(err, EADDRINUSE, "%s unix:%.140s: another process listens there", c->opt, c->path);
        return -1;
    }
    if (lstat(c->path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(c->path); /* left behind by a process that is gone */
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0 || listen(fd, 1) < 0) {
        err_set(err, errno, "%s unix:%.140s: %s", c->opt, c->path, strerror(errno));
        close(fd);
        return -1;
    }
    snprintf(p->unlink_path, sizeof p->unlink_path, "%s", c->path);
    return fd;
}

static int socket_tcp(const struct opt_chardev *c, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                             .ai_flags = c->server ? AI_PASSIVE : 0}, *list = NULL;
    int rc = getaddrinfo(c->host, c->port, &hints, &list);
    if (rc) {
        err_set(err, EINVAL, "%s tcp:%.60s:%s: %s", c->opt, c->host, c->port, gai_strerror(rc));
        return -1;
    }
    int fd = -1, why = 0;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        int one = 1;
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0) {
            why = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        rc = c->server ? bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 1)
                       : connect(fd, a->ai_addr, a->ai_addrlen);
        if (rc) {
            why = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) {
        err_set(err, why, "%s tcp:%.60s:%s: %s", c->opt, c->host, c->port, strerror(why));
    }
    return fd;
}

bool char_socket_open(struct char_port *p, const struct opt_chardev *c, struct err *err)
{
    int fd = c->path ? socket_unix(c, p, err) : socket_tcp(c, err);
    if (fd < 0) {
        return false;
    }
    p->socket = true;
    if (!c->server) {
        socket_connected(p, fd);
        return true;
    }
    p->listen_fd = fd;
    if (c->wait) {
        fprintf(stderr, "vitrine: waiting for a connection on %s (nowait goes on without)\n",
                p->name);
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        while (p->in_fd < 0) {
            poll(&pfd, 1, -1);
            char_socket_accept(p);
        }
    }
    return true;
}
