/* A pseudo terminal: posix_openpt(3).  We keep its other side open, so that it never hangs up when
 * a reader leaves. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "frontend/char/port.h"
#include "frontend/options.h"

bool char_pty_open(struct char_port *p, const struct opt_chardev *c, struct err *err)
{
    char name[64];
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, sizeof name) != 0) {
        return err_set(err, errno, "%s pty: %s", c->opt, strerror(errno));
    }
    p->in_fd = p->out_fd = fd;
    p->keep_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios t;
    if (p->keep_fd >= 0 && tcgetattr(p->keep_fd, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(p->keep_fd, TCSANOW, &t);
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    snprintf(p->name, sizeof p->name, "pty:%s", name);
    fprintf(stderr, "vitrine: %s pty is %s (screen %s opens it)\n", c->opt, name, name);
    return true;
}
