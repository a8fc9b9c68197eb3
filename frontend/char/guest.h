/* A serial-like device of the guest on a port of the host. */
#pragma once
#include "base/plugs/chardev.h"
#include "frontend/char/port.h"

struct runner;
struct char_guest {
    struct chardev chr;     /* what the machine is given */
    struct char_port *port; /* NULL: connected to nothing (yet) */
    struct runner *runner;
};

void char_guest_init(struct char_guest *g);
/* After the machine was made, before anything runs: so that no file is touched and no terminal
 * changed when the machine cannot be made. */
void char_guest_connect(struct char_guest *g, struct char_port *port, struct runner *r);
struct char_sink char_guest_sink(struct char_guest *g);
void char_guest_break(struct char_guest *g);
