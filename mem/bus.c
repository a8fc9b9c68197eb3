/* The bus: regions flattened into sorted ranges (memory) or a direct table (64 K ports). */
#include "mem/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define BUS_REGIONS 192 /* our own boards map some sixty */

struct bus_range {
    uint64_t start, last;
    struct region *r;
};

struct bus {
    const char *name;
    uint64_t max; /* highest address */
    uint64_t mask;
    struct region *regions[BUS_REGIONS];
    unsigned count;
    struct bus_range ranges[BUS_REGIONS * 2 + 1];
    unsigned range_count;
    uint8_t *table; /* ports: range index + 1 by address */
    unsigned batch;
    bool batch_dirty;
    void (*changed)(void *ctx);
    void *changed_ctx;
    struct bus_observer obs;
};

struct bus *bus_create(const char *name, unsigned addr_bits)
{
    struct bus *bus = calloc(1, sizeof *bus);
    if (!bus) {
        return NULL;
    }
    bus->name = name;
    bus->max = bits_mask(addr_bits);
    bus->mask = bus->max;
    if (addr_bits <= 16) {
        bus->table = calloc((size_t)1 << addr_bits, 1);
        if (!bus->table) {
            free(bus);
            return NULL;
        }
    }
    return bus;
}

void bus_destroy(struct bus *bus)
{
    if (bus) {
        free(bus->table);
        free(bus);
    }
}

static int bus_cmp_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static struct region *bus_winner(struct bus *bus, uint64_t addr)
{
    struct region *best = NULL;
    for (unsigned i = 0; i < bus->count; i++) {
        struct region *r = bus->regions[i];
        if (addr >= r->base && addr - r->base < r->len && (!best || r->priority > best->priority)) {
            best = r;
        }
    }
    return best;
}

static void bus_rebuild(struct bus *bus)
{
    uint64_t edge[BUS_REGIONS * 2];
    unsigned n = 0;
    if (bus->batch) {
        bus->batch_dirty = true;
        return;
    }
    for (unsigned i = 0; i < bus->count; i++) {
        edge[n++] = bus->regions[i]->base;
        edge[n++] = bus->regions[i]->base + bus->regions[i]->len;
    }
    qsort(edge, n, sizeof edge[0], bus_cmp_u64);
    bus->range_count = 0;
    for (unsigned i = 0; i + 1 < n; i++) {
        if (edge[i] == edge[i + 1]) {
            continue;
        }
        struct region *r = bus_winner(bus, edge[i]);
        if (!r) {
            continue;
        }
        struct bus_range *prev = bus->range_count ? &bus->ranges[bus->range_count - 1] : NULL;
        if (prev && prev->r == r && prev->last + 1 == edge[i]) {
            prev->last = edge[i + 1] - 1;
        } else {
            bus->ranges[bus->range_count++] = (struct bus_range){edge[i], edge[i + 1] - 1, r};
        }
    }
    if (bus->table) {
        memset(bus->table, 0, (size_t)bus->max + 1);
        for (unsigned i = 0; i < bus->range_count && i < 255; i++) {
            for (uint64_t a = bus->ranges[i].start; a <= bus->ranges[i].last; a++) {
                bus->table[a] = (uint8_t)(i + 1);
            }
        }
    }
    if (bus->changed) {
        bus->changed(bus->changed_ctx);
    }
}

bool bus_map(struct bus *bus, struct region *r, struct err *err)
{
    if (r->mapped) {
        bus_unmap(bus, r);
    }
    if (!r->len || r->base > bus->max || r->len - 1 > bus->max - r->base) {
        return err_set(err, EINVAL, "%s does not fit on the %s bus", r->name, bus->name);
    }
    if (bus->count == BUS_REGIONS || (bus->table && bus->range_count > 240)) {
        return err_set(err, ENOSPC, "no room for %s on the %s bus", r->name, bus->name);
    }
    for (unsigned i = 0; i < bus->count; i++) {
        struct region *o = bus->regions[i];
        if (o->priority == r->priority && r->base < o->base + o->len &&
            o->base < r->base + r->len) {
            return err_set(err, EBUSY, "%s at 0x%" PRIx64 " collides with %s at 0x%" PRIx64,
                           r->name, r->base, o->name, o->base);
        }
    }
    bus->regions[bus->count++] = r;
    r->mapped = true;
    bus_rebuild(bus);
    return true;
}

void bus_unmap(struct bus *bus, struct region *r)
{
    if (!r->mapped) {
        return;
    }
    for (unsigned i = 0; i < bus->count; i++) {
        if (bus->regions[i] == r) {
            memmove(&bus->regions[i], &bus->regions[i + 1],
                    (bus->count - i - 1) * sizeof bus->regions[0]);
            bus->count--;
            break;
        }
    }
    r->mapped = false;
    bus_rebuild(bus);
}

void bus_batch_begin(struct bus *bus)
{
    bus->batch++;
}

void bus_batch_end(struct bus *bus)
{
    if (--bus->batch == 0 && bus->batch_dirty) {
        bus->batch_dirty = false;
        bus_rebuild(bus);
    }
}

void bus_on_change(struct bus *bus, void (*changed)(void *ctx), void *ctx)
{
    bus->changed = changed;
    bus->changed_ctx = ctx;
}

void bus_set_mask(struct bus *bus, uint64_t mask)
{
    if (bus->mask != (mask & bus->max)) {
        bus->mask = mask & bus->max;
        if (bus->changed) {
            bus->changed(bus->changed_ctx);
        }
    }
}

uint64_t bus_mask(const struct bus *bus)
{
    return bus->mask;
}

void bus_observe(struct bus *bus, const struct bus_observer *obs)
{
    bus->obs = obs ? *obs : (struct bus_observer){0};
}

static const struct bus_range *bus_find(struct bus *bus, uint64_t addr)
{
    if (bus->table) {
        unsigned i = bus->table[addr];
        return i ? &bus->ranges[i - 1] : NULL;
    }
    unsigned lo = 0, hi = bus->range_count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (addr > bus->ranges[mid].last) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < bus->range_count && addr >= bus->ranges[lo].start ? &bus->ranges[lo] : NULL;
}

static unsigned bus_max_size(const struct region_ops *ops)
{
    return ops->max_size ? ops->max_size : 4;
}

/* One naturally sized access to a device; the bus widens below min_size and splits above max. */
static uint64_t bus_io_read(struct bus *bus, const struct region *r, uint64_t addr, unsigned size)
{
    const struct region_ops *ops = r->ops;
    uint64_t off = addr - r->base, v;
    if (!ops || !ops->read) {
        v = bits_mask(size * 8);
    } else if (size < ops->min_size) {
        uint64_t base = off & ~(uint64_t)(ops->min_size - 1);
        v = ops->read(r->dev, base, ops->min_size) >> ((off - base) * 8);
    } else {
        v = ops->read(r->dev, off, size);
    }
    v &= bits_mask(size * 8);
    if (bus->obs.access) {
        bus->obs.access(bus->obs.ctx, r, addr, size, false, v);
    }
    return v;
}

static void bus_io_write(struct bus *bus, const struct region *r, uint64_t addr, uint64_t val,
                         unsigned size)
{
    const struct region_ops *ops = r->ops;
    uint64_t off = addr - r->base;
    val &= bits_mask(size * 8);
    if (bus->obs.access) {
        bus->obs.access(bus->obs.ctx, r, addr, size, true, val);
    }
    if (!ops || !ops->write) {
        return;
    }
    if (size < ops->min_size) {
        uint64_t base = off & ~(uint64_t)(ops->min_size - 1);
        unsigned sh = (unsigned)(off - base) * 8;
        uint64_t old = ops->read ? ops->read(r->dev, base, ops->min_size) : 0;
        old &= bits_mask(ops->min_size * 8u);
        val = (old & ~(bits_mask(size * 8) << sh)) | val << sh;
        ops->write(r->dev, base, val, ops->min_size);
    } else {
        ops->write(r->dev, off, val, size);
    }
}

/* How many of the next `left` bytes nobody answers; the first one is such. */
static unsigned bus_miss(struct bus *bus, uint64_t addr, unsigned left)
{
    unsigned n = 1;
    while (n < left && !bus_find(bus, (addr + n) & bus->mask)) {
        n++;
    }
    return n;
}

uint64_t bus_read(struct bus *bus, uint64_t addr, unsigned size)
{
    uint64_t v = 0;
    for (unsigned done = 0; done < size;) {
        uint64_t a = (addr + done) & bus->mask;
        const struct bus_range *g = bus_find(bus, a);
        unsigned left = size - done, n;
        uint64_t part;
        if (!g) {
            if (bus->obs.unmapped) {
                bus->obs.unmapped(bus->obs.ctx, a, left, false);
            }
            n = bus_miss(bus, a, left);
            part = bits_mask(n * 8);
        } else {
            const struct region *r = g->r;
            unsigned max = r->kind == REGION_IO ? bus_max_size(r->ops) : 8;
            n = left;
            while (n > max || (n & (n - 1)) || g->last - a < n - 1) {
                n = n > max ? max : n - 1;
            }
            if (r->kind == REGION_RAM) {
                part = 0;
                memcpy(&part, r->ram->host + r->ram_off + (a - r->base), n);
                part = load_le64(&part);
            } else if (r->kind == REGION_ROM) {
                part = load_le(r->host + (a - r->base), n);
            } else {
                part = bus_io_read(bus, r, a, n);
            }
        }
        v |= part << (done * 8);
        done += n;
    }
    return v;
}

void bus_write(struct bus *bus, uint64_t addr, uint64_t val, unsigned size)
{
    for (unsigned done = 0; done < size;) {
        uint64_t a = (addr + done) & bus->mask;
        const struct bus_range *g = bus_find(bus, a);
        unsigned left = size - done, n = left;
        uint64_t part = val >> (done * 8);
        if (!g) {
            if (bus->obs.unmapped) {
                bus->obs.unmapped(bus->obs.ctx, a, left, true);
            }
            done += bus_miss(bus, a, left);
            continue;
        }
        struct region *r = g->r;
        unsigned max = r->kind == REGION_IO ? bus_max_size(r->ops) : 8;
        while (n > max || (n & (n - 1)) || g->last - a < n - 1) {
            n = n > max ? max : n - 1;
        }
        if (r->kind == REGION_IO || (r->kind == REGION_ROM && !r->ram && r->ops)) {
            bus_io_write(bus, r, a, part, n);
        } else if (r->ram) {
            uint8_t b[8];
            store_le64(b, part);
            ram_store(r->ram, r->ram_off + (a - r->base), b, n);
        }
        done += n;
    }
}

void bus_page(struct bus *bus, uint64_t addr, struct bus_page *out)
{
    uint64_t a = addr & bus->mask & ~PAGE_MASK;
    const struct bus_range *g = bus_find(bus, a);
    *out = (struct bus_page){0};
    if (!g || g->last - a < PAGE_MASK) {
        return;
    }
    const struct region *r = g->r;
    uint64_t off = a - r->base;
    if (r->kind == REGION_RAM) {
        out->host_r = out->host_w = r->ram->host + r->ram_off + off;
        out->ram = r->ram;
        out->ram_off = r->ram_off + off;
    } else if (r->kind == REGION_ROM) {
        out->host_r = r->host + off;
        if (r->ram) {
            /* writes to shadow RAM under ROM take the slow path: rare, and reads differ */
            out->ram = NULL;
        }
    }
}

bool bus_copy_out(struct bus *bus, uint64_t addr, void *buf, uint64_t len)
{
    uint8_t *p = buf;
    bool all = true;
    while (len) {
        uint64_t a = addr & bus->mask;
        const struct bus_range *g = bus_find(bus, a);
        uint64_t n = 1;
        if (!g || g->r->kind == REGION_IO) {
            *p = 0xff;
            all = false;
        } else {
            n = g->last - a + 1 < len ? g->last - a + 1 : len;
            const struct region *r = g->r;
            memcpy(p, r->kind == REGION_RAM ? r->ram->host + r->ram_off + (a - r->base)
                                            : r->host + (a - r->base), n);
        }
        p += n;
        addr += n;
        len -= n;
    }
    return all;
}

bool bus_copy_in(struct bus *bus, uint64_t addr, const void *buf, uint64_t len)
{
    const uint8_t *p = buf;
    bool all = true;
    while (len) {
        uint64_t a = addr & bus->mask;
        const struct bus_range *g = bus_find(bus, a);
        uint64_t n = 1;
        if (!g || g->r->kind == REGION_IO || !g->r->ram) {
            all = false;
        } else {
            n = g->last - a + 1 < len ? g->last - a + 1 : len;
            ram_store(g->r->ram, g->r->ram_off + (a - g->r->base), p, n);
        }
        p += n;
        addr += n;
        len -= n;
    }
    return all;
}

static bool bus_dma_read(void *ctx, uint64_t phys, void *buf, size_t len)
{
    return bus_copy_out(ctx, phys, buf, len);
}

static bool bus_dma_write(void *ctx, uint64_t phys, const void *buf, size_t len)
{
    return bus_copy_in(ctx, phys, buf, len);
}

struct dma bus_dma(struct bus *bus)
{
    return (struct dma){bus_dma_read, bus_dma_write, bus};
}

void bus_print(struct bus *bus, void (*print)(void *ctx, const char *line), void *ctx)
{
    static const char *const kind[] = {"io", "ram", "rom"};
    unsigned w = bus->table ? 4 : 16;
    for (unsigned i = 0; i < bus->range_count; i++) {
        char line[160];
        const struct bus_range *g = &bus->ranges[i];
        snprintf(line, sizeof line, "%0*" PRIx64 "-%0*" PRIx64 " %-3s %s", (int)w, g->start, (int)w,
                 g->last, kind[g->r->kind], g->r->name);
        print(ctx, line);
    }
}
