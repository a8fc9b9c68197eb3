/* See snap_world.h. */
#include "tests/rig/snap_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/snap.h"

static void world_see(struct world *w, const void *buf, size_t len)
{
    w->st.sum = snap_hash_bytes(w->st.sum, buf, len);
}

static enum blk_result world_disk_read(void *be, uint64_t sector, uint32_t count, void *buf)
{
    memcpy(buf, ((struct world *)be)->disk + sector * 512, (size_t)count * 512);
    return BLK_OK;
}

static enum blk_result world_disk_write(void *be, uint64_t sector, uint32_t count, const void *buf)
{
    memcpy(((struct world *)be)->disk + sector * 512, buf, (size_t)count * 512);
    return BLK_OK;
}

static enum blk_result world_disk_flush(void *be)
{
    (void)be;
    return BLK_OK;
}

static size_t world_serial(void *be, const uint8_t *buf, size_t len)
{
    static const char ready[] = "GUEST-READY";
    struct world *w = be;
    world_see(w, buf, len);
    w->st.serial_out += len;
    for (size_t i = 0; i < len && !w->st.ready; i++) {
        w->st.match = buf[i] == ready[w->st.match] ? w->st.match + 1 : buf[i] == ready[0];
        if (!ready[w->st.match]) {
            w->st.ready = machine_now(w->m);
        }
    }
    return len;
}

static uint16_t world_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint16_t world_ip_sum(const uint8_t *p, size_t len)
{
    uint32_t s = 0;
    for (size_t i = 0; i + 1 < len; i += 2) {
        s += world_be16(p + i);
    }
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~(s + (s >> 16));
}

/* ARP requests and pings get their answer; any other frame comes back with its addresses swapped.
 */
static bool world_send(void *be, const uint8_t *frame, size_t len)
{
    struct world *w = be;
    world_see(w, frame, len);
    w->st.sent++;
    if (w->st.echo_count == WORLD_ECHO || len < 14 || len > NETDEV_FRAME_MAX) {
        return false;
    }
    uint8_t *e = w->st.echo[w->st.echo_count].data;
    w->st.echo[w->st.echo_count++].len = (uint16_t)len;
    memcpy(e, frame, len);
    memcpy(e, frame + 6, 6);
    memcpy(e + 6, "\x52\x55\x0a\x00\x02\x02", 6);
    if (len >= 42 && world_be16(e + 12) == 0x0806 && e[21] == 1) {
        e[21] = 2;
        memcpy(e + 22, e + 6, 6);
        memcpy(e + 28, frame + 38, 4);
        memcpy(e + 32, frame + 22, 10);
    } else if (len >= 42 && world_be16(e + 12) == 0x0800 && e[14] == 0x45 && e[23] == 1 &&
               e[34] == 8) {
        uint32_t ip_len = world_be16(e + 16);
        memcpy(e + 26, frame + 30, 4);
        memcpy(e + 30, frame + 26, 4);
        e[34] = 0;
        e[36] = e[37] = 0;
        if (ip_len >= 28 && 14 + ip_len <= len && ip_len % 2 == 0) {
            uint16_t sum = world_ip_sum(e + 34, ip_len - 20);
            e[36] = (uint8_t)(sum >> 8);
            e[37] = (uint8_t)sum;
        }
    }
    return true;
}

static const struct blockdev_ops world_disk_ops = {world_disk_read, world_disk_write,
                                                   world_disk_flush, NULL};
static const struct chardev_ops world_serial_ops = {world_serial, NULL};
static const struct netdev_ops world_net_ops = {world_send};

struct world *world_new(struct machine_config *cfg, vtime period, const char *script)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err = {0};
    if (!w || !(w->disk = calloc(1, WORLD_DISK))) {
        abort();
    }
    for (size_t i = 0; i < WORLD_DISK / 4; i++) {
        store_le32(w->disk + i * 4, (uint32_t)(i * 2654435761u ^ i >> 7));
    }
    memset(w->disk, 0, 512); /* no partitions */
    w->blk = (struct blockdev){.ops = &world_disk_ops, .backend = w, .sectors = WORLD_DISK / 512,
                               .sector_size = 512};
    w->serial = (struct chardev){.ops = &world_serial_ops, .backend = w};
    w->net = (struct netdev){.ops = &world_net_ops, .backend = w};
    memcpy(w->net.mac, "\x52\x54\x00\x12\x34\x56", 6);
    w->period = period;
    w->script = script;
    struct machine_config c = *cfg;
    c.deterministic = true;
    c.icount_shift = cfg->icount_shift ? cfg->icount_shift : 2;
    c.ide[0] = &w->blk;
    c.serial[0].chr = &w->serial;
    if (c.nic[0].model != MACHINE_NIC_NONE) {
        c.nic[0].net = &w->net;
    }
    w->m = machine_create(&c, &err);
    if (!w->m) {
        fprintf(stderr, "%s\n", err.msg);
        abort();
    }
    return w;
}

void world_free(struct world *w)
{
    machine_destroy(w->m);
    free(w->disk);
    free(w);
}

static void world_frame(struct world *w, uint64_t k)
{
    uint8_t f[NETDEV_FRAME_MAX];
    size_t len = k % 7 == 0 ? 1514 : 60 + k * 37 % 400;
    for (size_t i = 0; i < len; i++) {
        f[i] = (uint8_t)(i * 3 + k);
    }
    memcpy(f, k % 3 ? w->net.mac : (const uint8_t *)"\xff\xff\xff\xff\xff\xff", 6);
    memcpy(f + 6, "\x52\x55\x0a\x00\x02\x02\x88\xb5", 8); /* local experimental type */
    w->st.posted += machine_post_frame(w->m, &w->net, f, len);
}

/* What happens on the host at one of its moments. */
static void world_event(struct world *w)
{
    static const uint8_t keys[] = {0x04, 0x16, 0x07, 0x2c, 0x52, 0x39};
    uint64_t k = w->st.tick++;
    for (unsigned i = 0; i < w->st.echo_count; i++) {
        w->st.posted +=
            machine_post_frame(w->m, &w->net, w->st.echo[i].data, w->st.echo[i].len);
    }
    w->st.echo_count = 0;
    struct input_event ev = {.kind = INPUT_KEY};
    switch (k % 5) {
    case 0:
        ev.key.hid = keys[k / 10 % sizeof keys];
        ev.key.down = k % 10 == 0;
        machine_post_input(w->m, &ev);
        break;
    case 1:
        ev.kind = INPUT_POINTER;
        ev.pointer.dx = (int16_t)(k % 13 - 6);
        ev.pointer.dy = (int16_t)(k % 9 - 4);
        ev.pointer.buttons = k / 20 & 1;
        machine_post_input(w->m, &ev);
        break;
    case 2: world_frame(w, k); break;
    case 3:
        world_frame(w, k);
        world_frame(w, k + 1);
        break;
    case 4:
        if (!w->script) {
            uint8_t b[3] = {(uint8_t)k, (uint8_t)(k >> 8), 'x'};
            machine_post_chars(w->m, &w->serial, b, 1 + k % 3);
        } else if (w->st.ready && w->script[w->st.script]) {
            size_t n = strlen(w->script + w->st.script);
            w->st.script += (unsigned)machine_post_chars(
                w->m, &w->serial, (const uint8_t *)w->script + w->st.script, n < 8 ? n : 8);
        }
        break;
    }
}

bool world_run(struct world *w, vtime t)
{
    while (machine_now(w->m) < t) {
        vtime next = (w->st.tick + 1) * w->period;
        if (machine_run(w->m, next < t ? next : t) != MACHINE_DEADLINE) {
            return false;
        }
        if (next <= t) {
            world_event(w);
        }
    }
    return true;
}

void world_copy_host(struct world *to, const struct world *from)
{
    memcpy(to->disk, from->disk, WORLD_DISK);
    to->st = from->st;
}

uint64_t world_hash(struct world *w)
{
    uint64_t h = snap_hash_bytes(machine_hash(w->m), w->disk, WORLD_DISK);
    return snap_hash_bytes(h, &w->st.sum, sizeof w->st.sum) ^ w->st.tick;
}
