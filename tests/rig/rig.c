/* The bench for one chip. */
#include "tests/rig/rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

/* ---- plugs: the host's ends ---- */

static size_t rig_char_write(void *backend, const uint8_t *buf, size_t len)
{
    struct rig_char *t = backend;
    size_t n = len < t->limit ? len : t->limit;
    for (size_t i = 0; i < n && t->out_len < sizeof t->out; i++) {
        t->out[t->out_len++] = buf[i];
    }
    t->total += n;
    return n;
}

static void rig_char_accept(void *backend)
{
    ((struct rig_char *)backend)->accept_calls++;
}

static const struct chardev_ops rig_char_ops = {rig_char_write, rig_char_accept};

static enum blk_result rig_disk_check(struct rig *r, uint64_t sector, uint32_t count)
{
    struct rig_disk *d = &r->disk;
    d->last_sector = sector;
    d->last_count = count;
    if (!d->data) {
        return BLK_ENOMEDIUM;
    }
    if (count > r->blk.sectors || sector > r->blk.sectors - count) {
        d->out_of_range = true;
        return BLK_EIO;
    }
    if (d->bad_sector >= sector && d->bad_sector - sector < count) {
        return d->error;
    }
    if (d->fail_after && --d->fail_after == 0) {
        return d->error;
    }
    return BLK_OK;
}

static enum blk_result rig_disk_read(void *be, uint64_t sector, uint32_t count, void *buf)
{
    struct rig *r = be;
    r->disk.reads++;
    enum blk_result e = rig_disk_check(r, sector, count);
    if (e == BLK_OK) {
        memcpy(buf, r->disk.data + sector * r->blk.sector_size, (size_t)count * r->blk.sector_size);
    }
    return e;
}

static enum blk_result rig_disk_write(void *be, uint64_t sector, uint32_t count, const void *buf)
{
    struct rig *r = be;
    r->disk.writes++;
    enum blk_result e = rig_disk_check(r, sector, count);
    if (e == BLK_OK && r->blk.read_only) {
        e = BLK_EROFS;
    }
    if (e == BLK_OK) {
        memcpy(r->disk.data + sector * r->blk.sector_size, buf, (size_t)count * r->blk.sector_size);
    }
    return e;
}

static enum blk_result rig_disk_flush(void *be)
{
    struct rig *r = be;
    r->disk.flushes++;
    return r->disk.data ? r->disk.flush_error : BLK_ENOMEDIUM;
}

static enum blk_result rig_disk_discard(void *be, uint64_t sector, uint64_t count)
{
    struct rig *r = be;
    r->disk.discards++;
    return rig_disk_check(r, sector, count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}

static const struct blockdev_ops rig_disk_ops = {rig_disk_read, rig_disk_write, rig_disk_flush,
                                                 rig_disk_discard};

static void rig_disk_eject(void *host)
{
    ((struct rig *)host)->disk.ejects++;
}

static bool rig_net_send(void *backend, const uint8_t *frame, size_t len)
{
    struct rig_net *w = backend;
    if (w->refuse) {
        return false;
    }
    unsigned i = w->sent++ % RIG_FRAMES;
    w->len[i] = len;
    memcpy(w->frame[i], frame, len < sizeof w->frame[i] ? len : sizeof w->frame[i]);
    return true;
}

static const struct netdev_ops rig_net_ops = {rig_net_send};

static bool rig_dma_copy(struct rig *r, uint64_t phys, uint8_t *out, const uint8_t *in, size_t len)
{
    bool all = true;
    for (size_t i = 0; i < len; i++) {
        bool hit = phys + i >= phys && phys + i < r->mem_len;
        if (!hit) {
            all = false;
        }
        if (out) {
            out[i] = hit ? r->mem[phys + i] : 0xff;
        } else if (hit) {
            r->mem[phys + i] = in[i];
        }
    }
    r->dma_misses += !all;
    return all;
}

static bool rig_dma_read(void *ctx, uint64_t phys, void *buf, size_t len)
{
    return rig_dma_copy(ctx, phys, buf, NULL, len);
}

static bool rig_dma_write(void *ctx, uint64_t phys, const void *buf, size_t len)
{
    return rig_dma_copy(ctx, phys, NULL, buf, len);
}

struct dma rig_dma(struct rig *r)
{
    return (struct dma){rig_dma_read, rig_dma_write, r};
}

/* ---- the bench itself ---- */

struct rig *rig_create(void)
{
    struct rig *r = calloc(1, sizeof *r);
    if (!r) {
        abort();
    }
    clock_init(&r->clk);
    r->term.limit = SIZE_MAX;
    r->chr.ops = &rig_char_ops;
    r->chr.backend = &r->term;
    r->disk.bad_sector = UINT64_MAX;
    r->disk.error = BLK_EIO;
    r->net.ops = &rig_net_ops;
    r->net.backend = &r->wire;
    memcpy(r->net.mac, "\x52\x54\x00\x12\x34\x56", 6);
    return r;
}

void rig_destroy(struct rig *r)
{
    for (unsigned i = r->dev_count; i-- > 0;) {
        device_destroy(r->devs[i]);
    }
    free(r->disk.data);
    free(r->mem);
    free(r);
}

void rig_add_device(struct rig *r, struct device *dev)
{
    if (r->dev_count == RIG_DEVICES) {
        abort();
    }
    r->devs[r->dev_count++] = dev;
}

void rig_add_region(struct rig *r, struct region *reg)
{
    if (r->reg_count == RIG_REGIONS) {
        abort();
    }
    r->regs[r->reg_count++] = reg;
}

void rig_reset(struct rig *r, enum reset_kind kind)
{
    for (unsigned i = 0; i < r->dev_count; i++) {
        device_reset(r->devs[i], kind);
    }
    for (unsigned i = 0; i < r->dev_count; i++) {
        device_drive(r->devs[i]);
    }
}

void rig_power_on(struct rig *r)
{
    rig_reset(r, RESET_POWER_ON);
}

void rig_advance_to(struct rig *r, vtime when)
{
    clock_advance(&r->clk, when);
}

void rig_advance(struct rig *r, vtime ns)
{
    clock_advance(&r->clk, clock_now(&r->clk) + ns);
}

bool rig_next(struct rig *r, vtime limit)
{
    vtime next = clock_next(&r->clk), end = clock_now(&r->clk) + limit;
    clock_advance(&r->clk, next < end ? next : end);
    return next <= end;
}

static void rig_pin_set(void *sink, unsigned pin, bool level)
{
    struct rig_pin *p = &((struct rig *)sink)->pin[pin];
    p->drives++;
    p->rises += level && !p->level;
    p->falls += !level && p->level;
    p->level = level;
}

struct irq_line rig_wire(struct rig *r, unsigned pin)
{
    if (pin >= RIG_PINS) {
        abort();
    }
    return (struct irq_line){.set = rig_pin_set, .sink = r, .pin = pin};
}

bool rig_level(const struct rig *r, unsigned pin)
{
    return r->pin[pin].level;
}

unsigned rig_edges(struct rig *r, unsigned pin)
{
    unsigned n = r->pin[pin].rises;
    r->pin[pin].rises = 0;
    return n;
}

/* ---- registers: the splitting rule of mem/bus.c on one region ---- */

static unsigned region_part(const struct region *reg, uint64_t off, unsigned left)
{
    unsigned max = reg->kind == REGION_IO && reg->ops && reg->ops->max_size ? reg->ops->max_size
                   : reg->kind == REGION_IO                                 ? 4
                                                                            : 8;
    unsigned n = left;
    while (n > max || (n & (n - 1)) || reg->len - 1 - off < n - 1) {
        n = n > max ? max : n - 1;
    }
    return n;
}

static uint64_t region_in_part(struct region *reg, uint64_t off, unsigned n)
{
    const struct region_ops *ops = reg->ops;
    if (reg->kind == REGION_RAM) {
        return load_le(reg->ram->host + reg->ram_off + off, n);
    }
    if (reg->kind == REGION_ROM) {
        return load_le(reg->host + off, n);
    }
    if (!ops || !ops->read) {
        return bits_mask(n * 8);
    }
    if (n < ops->min_size) {
        uint64_t base = off & ~(uint64_t)(ops->min_size - 1);
        return (ops->read(reg->dev, base, ops->min_size) >> ((off - base) * 8)) & bits_mask(n * 8);
    }
    return ops->read(reg->dev, off, n) & bits_mask(n * 8);
}

static void region_out_part(struct region *reg, uint64_t off, uint64_t val, unsigned n)
{
    const struct region_ops *ops = reg->ops;
    val &= bits_mask(n * 8);
    if (reg->kind != REGION_IO && reg->ram) {
        uint8_t b[8];
        store_le64(b, val);
        ram_store(reg->ram, reg->ram_off + off, b, n);
        return;
    }
    if (!ops || !ops->write) {
        return;
    }
    if (n < ops->min_size) {
        uint64_t base = off & ~(uint64_t)(ops->min_size - 1);
        unsigned sh = (unsigned)(off - base) * 8;
        uint64_t old = ops->read ? ops->read(reg->dev, base, ops->min_size) : 0;
        ops->write(reg->dev, base, (old & ~(bits_mask(n * 8) << sh)) | val << sh, ops->min_size);
    } else {
        ops->write(reg->dev, off, val, n);
    }
}

uint64_t region_in(struct region *reg, uint64_t off, unsigned size)
{
    uint64_t v = 0;
    for (unsigned done = 0; done < size;) {
        if (off + done >= reg->len) { /* nobody answers beyond the region */
            v |= (uint64_t)0xff << (done * 8);
            done++;
            continue;
        }
        unsigned n = region_part(reg, off + done, size - done);
        v |= region_in_part(reg, off + done, n) << (done * 8);
        done += n;
    }
    return v;
}

void region_out(struct region *reg, uint64_t off, uint64_t val, unsigned size)
{
    for (unsigned done = 0; done < size && off + done < reg->len;) {
        unsigned n = region_part(reg, off + done, size - done);
        region_out_part(reg, off + done, val >> (done * 8), n);
        done += n;
    }
}

uint8_t rig_in8(struct rig *r, uint64_t off)
{
    return (uint8_t)region_in(r->regs[0], off, 1);
}

void rig_out8(struct rig *r, uint64_t off, uint8_t val)
{
    region_out(r->regs[0], off, val, 1);
}

size_t rig_type(struct rig *r, const void *buf, size_t len)
{
    const struct chardev_client *c = r->chr.client;
    size_t done = 0;
    while (c && done < len) {
        size_t n = c->room(r->chr.dev);
        if (!n) {
            break;
        }
        n = n < len - done ? n : len - done;
        c->receive(r->chr.dev, (const uint8_t *)buf + done, n);
        done += n;
    }
    return done;
}

void rig_disk_insert(struct rig *r, uint64_t sectors, uint32_t sector_size)
{
    free(r->disk.data);
    r->disk.len = sectors * sector_size;
    r->disk.data = calloc(1, r->disk.len ? r->disk.len : 1);
    if (!r->disk.data) {
        abort();
    }
    r->blk.ops = &rig_disk_ops;
    r->blk.backend = r;
    r->blk.sectors = sectors;
    r->blk.sector_size = sector_size;
    r->blk.eject_request = rig_disk_eject;
    r->blk.host = r;
    if (r->blk.media_changed) {
        r->blk.media_changed(r->blk.dev);
    }
}

void rig_disk_remove(struct rig *r)
{
    free(r->disk.data);
    r->disk.data = NULL;
    r->disk.len = 0;
    r->blk.sectors = 0;
    if (r->blk.media_changed) {
        r->blk.media_changed(r->blk.dev);
    }
}

void rig_mem_alloc(struct rig *r, size_t len)
{
    free(r->mem);
    r->mem = calloc(1, len);
    r->mem_len = len;
    if (!r->mem) {
        abort();
    }
}

/* ---- state of all devices ---- */

uint64_t rig_hash(struct rig *r)
{
    struct snap s;
    snap_init_hash(&s);
    for (unsigned i = 0; i < r->dev_count; i++) {
        device_snap(r->devs[i], &s);
    }
    return s.hash;
}

void rig_save(struct rig *r, struct snap *s)
{
    snap_init_save(s);
    for (unsigned i = 0; i < r->dev_count; i++) {
        device_snap(r->devs[i], s);
    }
}

bool rig_load(struct rig *r, const void *buf, size_t len)
{
    struct snap s;
    snap_init_load(&s, buf, len);
    for (unsigned i = 0; i < r->dev_count; i++) {
        device_snap(r->devs[i], &s);
    }
    return !s.failed && s.pos == len;
}
