/* Who answers at an address: one instance for memory, one for ports.
 *
 * Chips own their regions; the board and the PCI code place them.  Where regions overlap, the
 * higher priority wins; overlap at equal priority is refused by name. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mem/dma.h"
#include "mem/ram.h"

struct region_ops {
    /* off is within the region, size 1, 2, 4 or 8 and within [min_size, max_size] */
    uint64_t (*read)(void *dev, uint64_t off, unsigned size);
    void (*write)(void *dev, uint64_t off, uint64_t val, unsigned size);
    uint8_t min_size, max_size; /* the bus splits or widens anything else; 0 means 1 and 4 */
};

enum region_kind {
    REGION_IO,  /* ops */
    REGION_RAM, /* ram at ram_off */
    REGION_ROM  /* reads from host; writes go to ram at ram_off if ram is set (PAM), else to
                   ops->write if ops is set, else nowhere */
};

struct region {
    const char *name; /* "uart0.regs" */
    enum region_kind kind;
    uint64_t base, len; /* set by who maps it */
    int priority;       /* RAM 0, devices 1, PCI BARs 2, PAM and overlays 3 */
    const struct region_ops *ops;
    void *dev;
    uint8_t *host; /* REGION_ROM */
    struct ram *ram;
    uint64_t ram_off;
    bool mapped;
};

struct bus;
struct bus *bus_create(const char *name, unsigned addr_bits);
void bus_destroy(struct bus *bus);
bool bus_map(struct bus *bus, struct region *r, struct err *err)
    __attribute__((warn_unused_result));
void bus_unmap(struct bus *bus, struct region *r); /* no-op when not mapped */
/* Move or change several regions with one rebuild: begin, map/unmap ..., end. */
void bus_batch_begin(struct bus *bus);
void bus_batch_end(struct bus *bus);
/* Called after the map or the address mask changed: engines drop cached translations and code. */
void bus_on_change(struct bus *bus, void (*changed)(void *ctx), void *ctx);
/* Addresses are ANDed with mask before look-up: the A20 gate clears bit 20. */
void bus_set_mask(struct bus *bus, uint64_t mask);
uint64_t bus_mask(const struct bus *bus);

uint64_t bus_read(struct bus *bus, uint64_t addr, unsigned size); /* size 1..8; unmapped: ones */
void bus_write(struct bus *bus, uint64_t addr, uint64_t val, unsigned size);

/* What a whole 4 KB page is, for an engine's translation cache.  host_r / host_w are NULL where
 * some byte of the page needs a slow access. */
struct bus_page {
    uint8_t *host_r;   /* RAM or ROM: page-aligned contents */
    uint8_t *host_w;   /* RAM only */
    struct ram *ram;   /* set when host_r (or else host_w) lies in it */
    uint64_t ram_off;  /* page offset in it */
};
void bus_page(struct bus *bus, uint64_t addr, struct bus_page *out);

/* Copies through RAM and ROM only (dma.h); *io pokes and the debugger use the same. */
bool bus_copy_out(struct bus *bus, uint64_t addr, void *buf, uint64_t len);
bool bus_copy_in(struct bus *bus, uint64_t addr, const void *buf, uint64_t len);
struct dma bus_dma(struct bus *bus);
/* One line a range: "00000000000a0000-00000000000bffff io vga.legacy" */
void bus_print(struct bus *bus, void (*print)(void *ctx, const char *line), void *ctx);
/* Told of accesses nobody answers and of every I/O access (tracing); either may be NULL. */
struct bus_observer {
    void (*unmapped)(void *ctx, uint64_t addr, unsigned size, bool write);
    void (*access)(void *ctx, const struct region *r, uint64_t addr, unsigned size, bool write,
                   uint64_t val);
    void *ctx;
};
void bus_observe(struct bus *bus, const struct bus_observer *obs); /* NULL: nobody */
