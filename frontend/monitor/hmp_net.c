/* The monitor's commands about networks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/monitor/hmp.h"
#include "frontend/net/slirp.h"
#include "frontend/runner.h"
#include "machine/machine.h"

static const char *const hmp_nic_models[] = {"ne2k_pci", "ne2k_isa"};

void hmp_info_network(struct hmp *h)
{
    char net[16];
    unsigned cards = 0;
    for (unsigned i = 0; i < h->net_count; i++) {
        struct net_port *p = &h->nets[i];
        const uint8_t *a = p->net.mac;
        if (!p->nic) {
            continue;
        }
        cards++;
        machine_lock(runner_machine(h->runner)); /* it counts in it */
        struct net_port now = *p;
        machine_unlock(runner_machine(h->runner));
        hmp_printf(h, "%s: model=%s, mac=%02x:%02x:%02x:%02x:%02x:%02x, link %s\n", p->nic->id,
                   hmp_nic_models[p->nic->model], a[0], a[1], a[2], a[3], a[4], a[5],
                   now.link_down ? "off" : "on");
        hmp_printf(h, "    sent %" PRIu64 " frames, %" PRIu64 " bytes; received %" PRIu64
                   " frames, %" PRIu64 " bytes; %" PRIu64 " lost\n", now.sent, now.sent_bytes,
                   now.got, now.got_bytes, now.dropped);
        if (p->slirp) {
            hmp_printf(h, " \\ %s: user network %s, restrict=%s%s%s\n", p->opt->id,
                       opt_addr_text(p->opt->net, net), p->opt->restricted ? "on" : "off",
                       p->pcap ? ", captured into " : "", p->pcap ? p->opt->pcap : "");
        }
    }
    if (!cards) {
        hmp_printf(h, "There is no network card.\n");
    }
}

void hmp_info_usernet(struct hmp *h)
{
    unsigned count = 0;
    for (unsigned i = 0; i < h->net_count; i++) {
        struct net_port *p = &h->nets[i];
        char *text = p->slirp ? net_slirp_info(p->slirp) : NULL;
        if (p->slirp) {
            hmp_printf(h, "%s:\n", p->opt->id);
            for (char *line = text; line && *line;) { /* longer than one hmp_printf() takes */
                size_t n = strcspn(line, "\n");
                hmp_printf(h, "%.*s\n", (int)n, line);
                line += n + (line[n] != 0);
            }
            count++;
        }
        free(text);
    }
    if (!count) {
        hmp_printf(h, "There is no user network.\n");
    }
}

/* The network that a command names, or the first one; what was named is taken off args. */
static struct net_port *hmp_usernet(struct hmp *h, char **args)
{
    char *first = *args + strspn(*args, " \t");
    char *end = first + strcspn(first, " \t");
    char *next = end + strspn(end, " \t");
    bool named = *next != 0;
    char known[200] = "";
    for (unsigned i = 0; i < h->net_count; i++) {
        struct net_port *p = &h->nets[i];
        if (!p->slirp) {
            continue;
        }
        if (!named || (strlen(p->opt->id) == (size_t)(end - first) &&
                       strncmp(p->opt->id, first, (size_t)(end - first)) == 0)) {
            *args = named ? next : first;
            return p;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", p->opt->id);
    }
    if (named) {
        hmp_printf(h, "There is no user network \"%.*s\"; there is %s.\n", (int)(end - first),
                   first, *known ? known : "none");
    } else {
        hmp_printf(h, "There is no user network.\n");
    }
    return NULL;
}

void hmp_hostfwd_add(struct hmp *h, char *args)
{
    struct err err = {0};
    struct opt_fwd f;
    struct net_port *p = hmp_usernet(h, &args);
    if (p && (!opt_parse_fwd("hostfwd_add", args, &f, &err) ||
              !net_slirp_forward(p->slirp, &f, &err))) {
        hmp_printf(h, "%s\n", err.msg);
    }
}

void hmp_hostfwd_remove(struct hmp *h, char *args)
{
    struct err err = {0};
    struct opt_fwd f;
    char addr[16];
    struct net_port *p = hmp_usernet(h, &args);
    if (!p) {
        return;
    }
    if (!opt_parse_fwd_host("hostfwd_remove", args, &f, &err)) {
        hmp_printf(h, "%s\n", err.msg);
    } else if (!net_slirp_unforward(p->slirp, &f)) {
        hmp_printf(h, "No %s port %u on %s is forwarded.\n", f.udp ? "UDP" : "TCP", f.host_port,
                   opt_addr_text(f.host_addr, addr));
    }
}

void hmp_set_link(struct hmp *h, char *args)
{
    char *name = args, *state = strpbrk(args, " \t");
    char known[200] = "";
    if (state) {
        *state++ = 0;
        state += strspn(state, " \t");
    }
    if (!state || (strcmp(state, "on") != 0 && strcmp(state, "off") != 0)) {
        hmp_printf(h, "Say set_link NAME on or set_link NAME off.\n");
        return;
    }
    for (unsigned i = 0; i < h->net_count; i++) {
        struct net_port *p = &h->nets[i];
        if (!p->nic) {
            continue;
        }
        if (strcmp(p->nic->id, name) == 0 || (p->opt && strcmp(p->opt->id, name) == 0)) {
            net_port_link(p, strcmp(state, "on") == 0);
            return;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", p->nic->id);
    }
    hmp_printf(h, "There is no network card \"%s\"; there is %s.\n", name,
               *known ? known : "none");
}
