/* A bench for one chip: a hand-turned clock, probes on its pins, a terminal, a disk, a memory.
 *
 * A test builds a rig, gives the chip wires from rig_wire(), plugs from rig.chr / rig.blk /
 * rig_dma(), adds the chip's regions and the devices, and then reads like the datasheet:
 *     rig_out8(r, IER, 2); assert_true(rig_level(r, 0)); assert_int_equal(rig_in8(r, IIR), 2);
 * No test framework in here: fuzz targets use it too. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/plugs/blockdev.h"
#include "base/plugs/chardev.h"
#include "base/plugs/netdev.h"
#include "base/snap.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/dma.h"
#include "mem/irq.h"

#define RIG_PINS 64
#define RIG_DEVICES 12
#define RIG_REGIONS 48
#define RIG_OUT_MAX 4096
#define RIG_FRAMES 16

struct rig_pin { /* a probe */
    bool level;
    unsigned rises, falls, drives; /* drives: every call, also without a change */
};

struct rig_char { /* the host's end of a serial-like device */
    uint8_t out[RIG_OUT_MAX]; /* what the chip wrote; stops growing when full */
    size_t out_len;
    size_t total;           /* bytes taken, also those beyond out[] */
    size_t limit;           /* bytes taken a call at most; 0: the host takes nothing */
    unsigned accept_calls;  /* accept_input() calls */
};

struct rig_disk { /* a medium in memory with faults to order */
    uint8_t *data;
    uint64_t len; /* bytes */
    uint64_t bad_sector;        /* UINT64_MAX: none; reading or writing it gives `error` */
    enum blk_result error;      /* what the bad sector or the countdown gives */
    unsigned fail_after;        /* operation number (1 = next) that fails once; 0: none */
    enum blk_result flush_error; /* BLK_OK: flush works */
    unsigned reads, writes, flushes, discards, ejects;
    uint64_t last_sector;
    uint32_t last_count;
    bool out_of_range; /* the chip asked beyond `sectors`: always a bug in the chip */
};

struct rig_net { /* the wire of a network card */
    uint8_t frame[RIG_FRAMES][2048];
    size_t len[RIG_FRAMES];
    unsigned sent; /* frames sent; the last RIG_FRAMES are kept at sent % RIG_FRAMES */
    bool refuse;
};

struct rig {
    struct clock clk;
    struct rig_pin pin[RIG_PINS];
    struct rig_char term;
    struct chardev chr;   /* plug it into the chip */
    struct rig_disk disk;
    struct blockdev blk;  /* after rig_disk_insert() */
    struct rig_net wire;
    struct netdev net;
    uint8_t *mem; /* after rig_mem_alloc() */
    size_t mem_len;
    unsigned dma_misses; /* DMA that left mem */
    struct device *devs[RIG_DEVICES]; /* reset, drive and snapshot walk, in this order */
    unsigned dev_count;
    struct region *regs[RIG_REGIONS];
    unsigned reg_count;
    void *priv; /* of the test: the chip's own struct */
};

struct rig *rig_create(void);
void rig_destroy(struct rig *r); /* destroys the added devices first (contract: no timer left) */
void rig_add_device(struct rig *r, struct device *dev);
void rig_add_region(struct rig *r, struct region *reg);
void rig_power_on(struct rig *r); /* reset all, then drive all */
void rig_reset(struct rig *r, enum reset_kind kind);

/* time */
void rig_advance(struct rig *r, vtime ns);
void rig_advance_to(struct rig *r, vtime when);
/* Advance to the next deadline, but not beyond limit ns from now; false: none was due by then. */
bool rig_next(struct rig *r, vtime limit);

/* pins */
struct irq_line rig_wire(struct rig *r, unsigned pin);
bool rig_level(const struct rig *r, unsigned pin);
unsigned rig_edges(struct rig *r, unsigned pin); /* rising edges since the last call */

/* registers: through the region's ops, split and widened as the bus does */
uint64_t region_in(struct region *reg, uint64_t off, unsigned size);
void region_out(struct region *reg, uint64_t off, uint64_t val, unsigned size);
/* the same for regs[0] */
uint8_t rig_in8(struct rig *r, uint64_t off);
void rig_out8(struct rig *r, uint64_t off, uint8_t val);

/* terminal: host -> chip, as much as the chip has room for; bytes handed over */
size_t rig_type(struct rig *r, const void *buf, size_t len);

/* disk and memory */
void rig_disk_insert(struct rig *r, uint64_t sectors, uint32_t sector_size); /* zeroed medium */
void rig_disk_remove(struct rig *r);
void rig_mem_alloc(struct rig *r, size_t len);
struct dma rig_dma(struct rig *r); /* over mem; outside: ones are read, writes dropped, false */

/* all devices of the rig, in order */
uint64_t rig_hash(struct rig *r);
void rig_save(struct rig *r, struct snap *s); /* caller: snap_fini */
bool rig_load(struct rig *r, const void *buf, size_t len);
