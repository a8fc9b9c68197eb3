/* Intel 8237A-5 (231466) twice, and the AT's page registers (IBM PC AT Technical Reference, "DMA").
 *
 * NOT IMPLEMENTED: memory to memory (chip sets since the AT leave it out), compressed timing,
 * DREQ and DACK polarity, rotating priority (a request is served at once, so none ever competes).
 */
#include "devices/dma/i8237.h"

#include "base/bits.h"

enum { CMD_DISABLE = 0x04 };
enum { MODE_DECREMENT = 0x20, MODE_AUTOINIT = 0x10, MODE_KIND = 0xc0, MODE_BLOCK = 0x80,
       MODE_CASCADE = 0xc0 };

/* Where channel n of all eight keeps its page register. */
static const uint8_t i8237_page_at[8] = {7, 3, 1, 2, 15, 11, 9, 10};

static uint32_t i8237_phys(const struct i8237 *d, unsigned n)
{
    const struct i8237_channel *c = &d->chip[n / 4].ch[n & 3];
    uint32_t page = d->pages[i8237_page_at[n]];
    if (n < 4) {
        return page << 16 | c->addr;
    }
    return (page & 0xfe) << 16 | (uint32_t)c->addr << 1;
}

/* One byte or word between memory and the device (or nobody, for a software request). */
static void i8237_cycle(struct i8237 *d, unsigned n, bool tc)
{
    struct i8237_channel *c = &d->chip[n / 4].ch[n & 3];
    unsigned size = n < 4 ? 1 : 2;
    uint32_t phys = i8237_phys(d, n);
    uint8_t b[2] = {0xff, 0xff};
    uint16_t data = 0xffff;
    enum i8237_cycle kind = (c->mode >> 2 & 3) == 1   ? I8237_TO_MEMORY
                            : (c->mode >> 2 & 3) == 2 ? I8237_FROM_MEMORY
                                                      : I8237_VERIFY;
    if (kind == I8237_FROM_MEMORY) {
        d->dma.read(d->dma.ctx, phys, b, size);
        data = load_le16(b);
    }
    if (c->dack && c->dreq) {
        c->dack(c->dev, kind, &data, tc);
    }
    if (kind == I8237_TO_MEMORY) {
        store_le16(b, data);
        d->dma.write(d->dma.ctx, phys, b, size);
    }
}

/* Run one channel until its request ends or its count does: at most 65536 cycles.  A block, once
 * begun, goes on to its terminal count without the request; single mode gives the bus back after
 * each cycle, which nobody can see here, and is like demand mode. */
static void i8237_run(struct i8237 *d, unsigned n)
{
    struct i8237_chip *chip = &d->chip[n / 4];
    struct i8237_channel *c = &chip->ch[n & 3];
    uint8_t bit = (uint8_t)(1 << (n & 3));
    for (uint32_t cycles = 0; cycles < 0x10000; cycles++) {
        bool block = cycles && (c->mode & MODE_KIND) == MODE_BLOCK;
        bool wanted = (c->dreq && !(chip->mask & bit)) || (chip->request & bit) || block;
        if (!wanted || (chip->command & CMD_DISABLE) || (c->mode & MODE_KIND) == MODE_CASCADE) {
            return;
        }
        bool tc = c->count == 0;
        i8237_cycle(d, n, tc);
        c->addr = (uint16_t)(c->mode & MODE_DECREMENT ? c->addr - 1 : c->addr + 1);
        c->count--;
        if (tc) {
            chip->tc |= bit;
            chip->request &= (uint8_t)~bit;
            if (c->mode & MODE_AUTOINIT) {
                c->addr = c->base_addr;
                c->count = c->base_count;
            } else {
                chip->mask |= bit;
                return;
            }
            if ((c->mode & MODE_KIND) == MODE_BLOCK && !c->dreq) {
                return;
            }
        }
    }
}

static void i8237_service(struct i8237 *d)
{
    if (d->running) {
        return;
    }
    d->running = true;
    for (unsigned n = 0; n < 8; n++) {
        if (n != 4) { /* the cascade */
            i8237_run(d, n);
        }
    }
    d->running = false;
}

void i8237_dreq_sink(void *ctx, unsigned channel, bool level)
{
    struct i8237 *d = ctx;
    d->chip[channel >> 2 & 1].ch[channel & 3].dreq = level;
    if (level) {
        i8237_service(d);
    }
}

/* --- registers ------------------------------------------------------------------------------ */

static void i8237_clear(struct i8237_chip *chip)
{
    chip->command = chip->request = chip->tc = 0;
    chip->mask = 0x0f;
    chip->flip_flop = false;
}

static uint8_t i8237_read(struct i8237_chip *chip, unsigned reg)
{
    if (reg < 8) {
        const struct i8237_channel *c = &chip->ch[reg >> 1];
        uint16_t v = reg & 1 ? c->count : c->addr;
        chip->flip_flop = !chip->flip_flop;
        return (uint8_t)(chip->flip_flop ? v : v >> 8);
    }
    switch (reg) {
    case 8: {
        uint8_t st = chip->tc;
        for (unsigned i = 0; i < 4; i++) {
            st |= (uint8_t)((chip->ch[i].dreq || (chip->request >> i & 1)) << (i + 4));
        }
        chip->tc = 0;
        return st;
    }
    case 15: return chip->mask | 0xf0;
    default: return 0; /* 13: the temporary register, only for memory to memory */
    }
}

static void i8237_write_word(struct i8237_chip *chip, unsigned reg, uint8_t val)
{
    struct i8237_channel *c = &chip->ch[reg >> 1];
    uint16_t *base = reg & 1 ? &c->base_count : &c->base_addr;
    uint16_t *cur = reg & 1 ? &c->count : &c->addr;
    unsigned sh = chip->flip_flop ? 8 : 0;
    *base = (uint16_t)((*base & ~(0xff << sh)) | val << sh);
    *cur = *base;
    chip->flip_flop = !chip->flip_flop;
}

static void i8237_write(struct i8237 *d, struct i8237_chip *chip, unsigned reg, uint8_t val)
{
    uint8_t bit = (uint8_t)(1 << (val & 3));
    switch (reg) {
    case 8: chip->command = val; break;
    case 9: chip->request = (uint8_t)(val & 4 ? chip->request | bit : chip->request & ~bit); break;
    case 10: chip->mask = (uint8_t)(val & 4 ? chip->mask | bit : chip->mask & ~bit); break;
    case 11: chip->ch[val & 3].mode = val & 0xfc; return;
    case 12: chip->flip_flop = false; return;
    case 13: i8237_clear(chip); return;
    case 14: chip->mask = 0; break;
    case 15: chip->mask = val & 0x0f; break;
    default: i8237_write_word(chip, reg, val); return;
    }
    i8237_service(d);
}

static uint64_t i8237_low_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return i8237_read(&((struct i8237 *)dev)->chip[0], (unsigned)off);
}

static void i8237_low_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8237 *d = dev;
    (void)size;
    i8237_write(d, &d->chip[0], (unsigned)off, (uint8_t)val);
}

/* The second chip hangs on address lines shifted by one. */
static uint64_t i8237_high_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return off & 1 ? 0xff : i8237_read(&((struct i8237 *)dev)->chip[1], (unsigned)off >> 1);
}

static void i8237_high_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8237 *d = dev;
    (void)size;
    if (!(off & 1)) {
        i8237_write(d, &d->chip[1], (unsigned)off >> 1, (uint8_t)val);
    }
}

static uint64_t i8237_page_read(void *dev, uint64_t off, unsigned size)
{
    (void)size;
    return ((struct i8237 *)dev)->pages[off & 15];
}

static void i8237_page_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)size;
    ((struct i8237 *)dev)->pages[off & 15] = (uint8_t)val;
}

static const struct region_ops i8237_low_ops = {i8237_low_read, i8237_low_write, 1, 1};
static const struct region_ops i8237_high_ops = {i8237_high_read, i8237_high_write, 1, 1};
static const struct region_ops i8237_page_ops = {i8237_page_read, i8237_page_write, 1, 1};

/* --- device --------------------------------------------------------------------------------- */

static void i8237_reset(struct device *dev, enum reset_kind kind)
{
    struct i8237 *d = device_of(dev, struct i8237);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        i8237_clear(&d->chip[i]);
        for (unsigned k = 0; k < 4; k++) {
            struct i8237_channel *c = &d->chip[i].ch[k];
            *c = (struct i8237_channel){.dack = c->dack, .dev = c->dev};
        }
    }
    memset(d->pages, 0, sizeof d->pages);
}

static void i8237_snap(struct device *dev, struct snap *s)
{
    struct i8237 *d = device_of(dev, struct i8237);
    for (unsigned i = 0; i < 2; i++) {
        struct i8237_chip *chip = &d->chip[i];
        snap_u8(s, "command", &chip->command);
        snap_u8(s, "request", &chip->request);
        snap_u8(s, "mask", &chip->mask);
        snap_u8(s, "tc", &chip->tc);
        snap_bool(s, "flip_flop", &chip->flip_flop);
        for (unsigned k = 0; k < 4; k++) {
            struct i8237_channel *c = &chip->ch[k];
            snap_u16(s, "base_addr", &c->base_addr);
            snap_u16(s, "base_count", &c->base_count);
            snap_u16(s, "addr", &c->addr);
            snap_u16(s, "count", &c->count);
            snap_u8(s, "mode", &c->mode);
            snap_bool(s, "dreq", &c->dreq);
        }
        if (snap_loading(s) && (chip->request | chip->mask | chip->tc) & 0xf0) {
            snap_fail(s, "an 8237 has four channels");
            chip->request &= 15;
            chip->mask &= 15;
            chip->tc &= 15;
        }
    }
    snap_bytes(s, "pages", d->pages, sizeof d->pages);
}

static const struct device_class i8237_class = {
    .name = "i8237", .snap_version = 1, .reset = i8237_reset, .snap = i8237_snap};

void i8237_init(struct i8237 *d, const char *id, struct dma dma)
{
    *d = (struct i8237){.dev = {&i8237_class, id}, .dma = dma};
    d->low = (struct region){.name = "dma.low", .base = 0x00, .len = 16, .priority = 1,
                             .ops = &i8237_low_ops, .dev = d};
    d->page = (struct region){.name = "dma.page", .base = 0x80, .len = 16, .priority = 1,
                              .ops = &i8237_page_ops, .dev = d};
    d->high = (struct region){.name = "dma.high", .base = 0xc0, .len = 32, .priority = 1,
                              .ops = &i8237_high_ops, .dev = d};
    i8237_reset(&d->dev, RESET_POWER_ON);
}

void i8237_attach(struct i8237 *d, unsigned channel, i8237_dack *dack, void *dev)
{
    d->chip[channel >> 2 & 1].ch[channel & 3].dack = dack;
    d->chip[channel >> 2 & 1].ch[channel & 3].dev = dev;
}
