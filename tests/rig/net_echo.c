/* A deterministic station at the other end of the cable. */
#include "tests/rig/net_echo.h"

#include <string.h>

#include "base/bits.h"
#include "base/snap.h"

static const uint8_t echo_mac[6] = {0x52, 0x55, 0x0a, 0x00, 0x02, 0x02};
static const uint8_t echo_ip[4] = {10, 0, 2, 2};
enum { ETH = 14, ETH_ARP = 0x0806, ETH_IP = 0x0800, IP = 20, FRAME_SHORTEST = 60 };

static unsigned be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static void put_be16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned inet_sum(const uint8_t *p, size_t len)
{
    uint32_t s = 0;
    for (size_t i = 0; i < len; i++) {
        s += (uint32_t)p[i] << (i & 1 ? 0 : 8);
    }
    while (s >> 16) {
        s = (s & 0xffff) + (s >> 16);
    }
    return ~s & 0xffff;
}

static size_t echo_arp(const uint8_t *f, size_t len, uint8_t *out)
{
    const uint8_t *a = f + ETH;
    if (len < ETH + 28 || be16(a + 6) != 1 || memcmp(a + 24, echo_ip, 4) != 0) {
        return 0;
    }
    uint8_t *b = out + ETH;
    memset(out, 0, FRAME_SHORTEST);
    memcpy(out, f, ETH + 28);
    memcpy(out, f + 6, 6);
    memcpy(out + 6, echo_mac, 6);
    put_be16(b + 6, 2);
    memcpy(b + 8, echo_mac, 6);
    memcpy(b + 14, echo_ip, 4);
    memcpy(b + 18, a + 8, 10);
    return FRAME_SHORTEST;
}

static size_t echo_ipv4(const uint8_t *f, size_t len, uint8_t *out)
{
    const uint8_t *ip = f + ETH;
    if (len < ETH + IP + 8 || ip[0] != 0x45 || memcmp(ip + 16, echo_ip, 4) != 0) {
        return 0;
    }
    size_t total = be16(ip + 2);
    bool icmp = ip[9] == 1 && ip[IP] == 8, udp = ip[9] == 17 && be16(ip + IP + 2) == 7;
    if (total < IP + 8 || total > len - ETH || (!icmp && !udp)) {
        return 0;
    }
    memcpy(out, f, len);
    memcpy(out, f + 6, 6);
    memcpy(out + 6, echo_mac, 6);
    memcpy(out + ETH + 12, ip + 16, 4);
    memcpy(out + ETH + 16, ip + 12, 4);
    uint8_t *l4 = out + ETH + IP;
    if (icmp) {
        l4[0] = 0;
        put_be16(l4 + 2, 0);
        put_be16(l4 + 2, inet_sum(l4, total - IP));
    } else { /* exchanged ports and addresses leave the checksum as it is */
        memcpy(l4, ip + IP + 2, 2);
        memcpy(l4 + 2, ip + IP, 2);
    }
    return len;
}

size_t net_echo_answer(const uint8_t *frame, size_t len, uint8_t out[NETDEV_FRAME_MAX])
{
    if (len < ETH || len > NETDEV_FRAME_MAX) {
        return 0;
    }
    switch (be16(frame + 12)) {
    case ETH_ARP: return echo_arp(frame, len, out);
    case ETH_IP: return echo_ipv4(frame, len, out);
    default: return 0;
    }
}

static bool echo_send(void *backend, const uint8_t *frame, size_t len)
{
    struct net_echo *e = backend;
    uint8_t n[8], out[NETDEV_FRAME_MAX];
    if (e->deaf || len > sizeof e->last) {
        return false;
    }
    store_le64(n, len);
    e->hash = snap_hash_bytes(snap_hash_bytes(e->hash, n, sizeof n), frame, len);
    e->sent++;
    e->last_len = len;
    memcpy(e->last, frame, len);
    size_t answer = e->post ? net_echo_answer(frame, len, out) : 0;
    if (answer) {
        e->answered++;
        e->refused += !e->post(e->ctx, &e->net, out, answer);
    }
    return true;
}

static const struct netdev_ops echo_ops = {echo_send};

void net_echo_init(struct net_echo *e, const uint8_t *mac)
{
    static const uint8_t usual[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    memset(e, 0, sizeof *e);
    e->net.ops = &echo_ops;
    e->net.backend = e;
    memcpy(e->net.mac, mac ? mac : usual, 6);
}

size_t net_echo_frame(uint32_t n, const uint8_t mac[6], uint8_t buf[NETDEV_FRAME_MAX])
{
    static const uint8_t to_all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t to_group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
    static const uint8_t guest_ip[4] = {10, 0, 2, 15};
    size_t len = FRAME_SHORTEST + n * 397u % (1514 - FRAME_SHORTEST + 1);
    uint64_t x = n * 0x9e3779b97f4a7c15ull + 1;
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        buf[i] = (uint8_t)(x >> 32);
    }
    memcpy(buf, n % 7 == 5 ? to_all : n % 7 == 6 ? to_group : mac, 6);
    memcpy(buf + 6, echo_mac, 6);
    put_be16(buf + 12, ETH_IP);
    uint8_t *ip = buf + ETH;
    memset(ip, 0, IP);
    ip[0] = 0x45;
    put_be16(ip + 2, (unsigned)len - ETH);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, echo_ip, 4);
    memcpy(ip + 16, guest_ip, 4);
    put_be16(ip + 10, inet_sum(ip, IP));
    put_be16(ip + IP, 9);
    put_be16(ip + IP + 2, 9);
    put_be16(ip + IP + 4, (unsigned)len - ETH - IP);
    put_be16(ip + IP + 6, 0); /* no checksum */
    return len;
}
