/* A user network without a machine: frames in, frames out.  Stands in for runner.c and net.c, so a
 * program with this header must not need those. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "frontend/net/slirp.h"
#include "frontend/runner.h"

enum { CASE_REPLIES = 512 };
struct slirp_case {
    struct net_port port;
    struct opt_net opt;
    struct net_slirp *s;
    vtime now;
    struct {
        uint16_t len;
        uint8_t data[NETDEV_FRAME_MAX];
    } reply[CASE_REPLIES];
    unsigned replies; /* all that came; the last CASE_REPLIES are kept */
};

void runner_wake(struct runner *r)
{
    (void)r;
}

bool net_port_deliver(struct net_port *p, vtime now, const uint8_t *frame, size_t len)
{
    struct slirp_case *c = (struct slirp_case *)p;
    unsigned at = c->replies++ % CASE_REPLIES;
    (void)now;
    c->reply[at].len = (uint16_t)len;
    memcpy(c->reply[at].data, frame, len);
    return true;
}

static inline void case_default(struct slirp_case *c)
{
    memset(c, 0, sizeof *c);
    c->opt = (struct opt_net){.kind = OPT_NET_USER, .opt = "-nic", .net = 0x0a000200,
                              .mask = 0xffffff00, .host = 0x0a000202, .dhcp = 0x0a00020f,
                              .dns = 0x0a000203, .restricted = true};
}

static inline bool case_open(struct slirp_case *c, struct err *err)
{
    c->now = VTIME_SEC;
    c->s = net_slirp_open(&c->port, &c->opt, true, err);
    return c->s != NULL;
}

/* A frame of the guest; how many answers came at once. */
static inline unsigned case_send(struct slirp_case *c, const uint8_t *frame, size_t len)
{
    unsigned before = c->replies;
    c->now += VTIME_MS;
    net_slirp_send(c->s, c->now, frame, len);
    return c->replies - before;
}

static inline void case_pass(struct slirp_case *c, vtime ns)
{
    bool waiting = false;
    c->now += ns;
    net_slirp_tick(c->s, c->now, &waiting);
}

/* ---- frames ---- */

static inline void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static inline uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += get16(p + i);
    }
    sum += len & 1 ? (uint32_t)p[len - 1] << 8 : 0;
    return sum;
}

static inline unsigned fold16(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
}

/* Make the checksums of an IPv4 frame right, as far as the frame goes. */
static inline void ip_checksums(uint8_t *f, size_t len)
{
    uint8_t *ip = f + 14;
    if (len < 34 || get16(f + 12) != 0x0800) {
        return;
    }
    size_t head = (size_t)(ip[0] & 15) * 4, total = get16(ip + 2);
    total = total < len - 14 ? total : len - 14;
    if (head < 20 || head > total) {
        return;
    }
    put16(ip + 10, 0);
    put16(ip + 10, fold16(sum16(ip, head, 0)));
    size_t n = total - head;
    size_t at = ip[9] == 17 ? 6 : ip[9] == 6 ? 16 : ip[9] == 1 ? 2 : 0;
    if (!at || at + 2 > n || get16(ip + 6) & 0x1fff) {
        return;
    }
    uint32_t pseudo = ip[9] == 1 ? 0 : sum16(ip + 12, 8, ip[9] + (uint32_t)n);
    put16(ip + head + at, 0);
    put16(ip + head + at, fold16(sum16(ip + head, n, pseudo)));
}

/* Ethernet and IPv4 headers for n bytes of `proto`; returns where they begin. */
static inline uint8_t *ip_frame(uint8_t *f, uint32_t to, unsigned proto, size_t n)
{
    static const uint8_t me[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
    memset(f, 0xff, 6);
    memcpy(f + 6, me, 6);
    put16(f + 12, 0x0800);
    uint8_t *ip = f + 14;
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(20 + n));
    ip[8] = 64;
    ip[9] = (uint8_t)proto;
    put32(ip + 12, 0x0a00020f);
    put32(ip + 16, to);
    return ip + 20;
}

static inline size_t udp_frame(uint8_t *f, uint32_t to, unsigned from_port, unsigned port,
                               const void *data, size_t n)
{
    uint8_t *u = ip_frame(f, to, 17, 8 + n);
    put16(u, from_port);
    put16(u + 2, port);
    put16(u + 4, (unsigned)(8 + n));
    put16(u + 6, 0);
    memcpy(u + 8, data, n);
    ip_checksums(f, 42 + n);
    return 42 + n;
}

static inline size_t dhcp_frame(uint8_t *f, unsigned type)
{
    uint8_t b[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};
    memcpy(b + 28, "\x52\x54\x00\x12\x34\x56", 6);
    memcpy(b + 236, "\x63\x82\x53\x63", 4);
    b[240] = 53;
    b[241] = 1;
    b[242] = (uint8_t)type;
    b[243] = 255;
    size_t n = udp_frame(f, 0xffffffff, 68, 67, b, sizeof b);
    put32(f + 26, 0);
    ip_checksums(f, n);
    return n;
}

static inline size_t arp_frame(uint8_t *f, uint32_t whom)
{
    static const uint8_t head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0x12, 0x34,
                                   0x56, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 0x12, 0x34,
                                   0x56, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0};
    memcpy(f, head, sizeof head);
    put32(f + 38, whom);
    return 42;
}

static inline size_t tftp_frame(uint8_t *f, const char *name)
{
    uint8_t b[600] = {0, 1};
    size_t n = strlen(name) + 1;
    memcpy(b + 2, name, n);
    memcpy(b + 2 + n, "octet", 6);
    return udp_frame(f, 0x0a000202, 2000, 69, b, 2 + n + 6);
}
