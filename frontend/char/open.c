/* From a parsed -chardev to a port: null, stdio and file here, the others in their files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "frontend/char/port.h"
#include "frontend/char/tty.h"
#include "frontend/options.h"

bool char_stdio_open(struct char_port *p, const struct opt_chardev *c, struct err *err)
{
    (void)err;
    p->in_fd = STDIN_FILENO;
    p->out_fd = STDOUT_FILENO;
    fflush(stdout);
    p->raw_tty = tty_raw(c->signal) || isatty(STDOUT_FILENO);
    return true;
}

static bool char_file_open(struct char_port *p, const struct opt_chardev *c, struct err *err)
{
    p->out_fd = open(c->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY |
                                  (c->append ? O_APPEND : O_TRUNC), 0666);
    if (p->out_fd < 0) {
        return err_set(err, errno, "%s file %s: %s", c->opt, c->path, strerror(errno));
    }
    return true;
}

struct char_port *char_open(struct char_loop *l, const struct opt_chardev *c, struct err *err)
{
    char name[160];
    bool ok = false;
    switch (c->kind) {
    case OPT_CHR_NULL: return NULL;
    case OPT_CHR_STDIO: snprintf(name, sizeof name, "stdio"); break;
    case OPT_CHR_FILE: snprintf(name, sizeof name, "file:%s", c->path); break;
    case OPT_CHR_PTY: snprintf(name, sizeof name, "pty"); break;
    case OPT_CHR_SOCKET:
        if (c->path) {
            snprintf(name, sizeof name, "unix:%s%s", c->path, c->server ? ",server" : "");
        } else {
            snprintf(name, sizeof name, "tcp:%s:%s%s", c->host, c->port,
                     c->server ? ",server" : "");
        }
        break;
    }
    struct char_port *p = char_port_new(l, name, err);
    if (!p) {
        return NULL;
    }
    switch (c->kind) {
    case OPT_CHR_NULL: break;
    case OPT_CHR_STDIO: ok = char_stdio_open(p, c, err); break;
    case OPT_CHR_FILE: ok = char_file_open(p, c, err); break;
    case OPT_CHR_PTY: ok = char_pty_open(p, c, err); break;
    case OPT_CHR_SOCKET: ok = char_socket_open(p, c, err); break;
    }
    return ok ? p : NULL; /* the port itself is freed with the loop */
}
