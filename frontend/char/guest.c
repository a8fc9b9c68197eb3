/* Bytes between a port and the machine's queue. */
#include "frontend/char/guest.h"

#include "frontend/runner.h"
#include "machine/machine.h"

static size_t guest_write(void *backend, const uint8_t *buf, size_t len)
{
    struct char_guest *g = backend;
    return g->port ? char_port_write(g->port, buf, len) : len;
}

static void guest_accept_input(void *backend)
{
    struct char_guest *g = backend;
    if (g->port) {
        char_loop_wake(g->port->loop);
    }
}

static const struct chardev_ops guest_ops = {.write = guest_write,
                                             .accept_input = guest_accept_input};

void char_guest_init(struct char_guest *g)
{
    *g = (struct char_guest){.chr = {.ops = &guest_ops}};
    g->chr.backend = g;
}

void char_guest_connect(struct char_guest *g, struct char_port *port, struct runner *r)
{
    g->port = port;
    g->runner = r;
}

static size_t guest_input(void *ctx, const uint8_t *buf, size_t len)
{
    struct char_guest *g = ctx;
    if (!g->runner) {
        return 0;
    }
    size_t n = machine_post_chars(runner_machine(g->runner), &g->chr, buf, len);
    if (n > 0) {
        runner_wake(g->runner);
    }
    return n;
}

struct char_sink char_guest_sink(struct char_guest *g)
{
    return (struct char_sink){.input = guest_input, .ctx = g};
}

void char_guest_break(struct char_guest *g)
{
    if (g->runner) {
        machine_post_break(runner_machine(g->runner), &g->chr);
        runner_wake(g->runner);
    }
}
