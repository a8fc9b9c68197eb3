/* Floppy controller and DMA on the bench, for their tests and fuzz targets. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/dma/i8237.h"
#include "devices/storage/fdc82077.h"
#include "tests/common/contract.h"

enum { FDC_R_REGS, FDC_R_DIR, FDC_R_LOW, FDC_R_PAGE, FDC_R_HIGH };
enum { FDC_PIN_IRQ = 6 };

struct fdc_bench {
    struct i8237 dma;
    struct fdc82077 fdc;
};

static inline void fdc_case_make_with(struct rig *r, uint64_t sectors)
{
    struct fdc_bench *b = calloc(1, sizeof *b);
    if (!b) {
        abort();
    }
    rig_mem_alloc(r, 0x20000);
    if (sectors) {
        rig_disk_insert(r, sectors, 512);
    }
    i8237_init(&b->dma, "dma", rig_dma(r));
    struct fdc82077_drive_config drives[FDC_DRIVES] = {{&r->blk, fdc82077_type_for(sectors)},
                                                       {NULL, FDC_1440K},
                                                       {NULL, FDC_NONE},
                                                       {NULL, FDC_NONE}};
    struct irq_line drq = {.set = i8237_dreq_sink, .sink = &b->dma, .pin = 2};
    fdc82077_init(&b->fdc, "fdc0", &r->clk, rig_wire(r, FDC_PIN_IRQ), drq, drives);
    i8237_attach(&b->dma, 2, fdc82077_dack, &b->fdc);
    rig_add_region(r, &b->fdc.regs);
    rig_add_region(r, &b->fdc.dir);
    rig_add_region(r, &b->dma.low);
    rig_add_region(r, &b->dma.page);
    rig_add_region(r, &b->dma.high);
    rig_add_device(r, &b->dma.dev);
    rig_add_device(r, &b->fdc.dev);
    r->priv = b;
}

static inline void fdc_case_make(struct rig *r)
{
    fdc_case_make_with(r, 2880);
}

static inline void fdc_case_unmake(struct rig *r)
{
    free(r->priv);
}

static inline void fdc_out(struct rig *r, uint16_t port, uint8_t val)
{
    region_out(r->regs[port == 0x3f7 ? FDC_R_DIR : FDC_R_REGS], port == 0x3f7 ? 0 : port - 0x3f0u,
               val, 1);
}
static inline uint8_t fdc_in(struct rig *r, uint16_t port)
{
    return (uint8_t)region_in(r->regs[port == 0x3f7 ? FDC_R_DIR : FDC_R_REGS],
                              port == 0x3f7 ? 0 : port - 0x3f0u, 1);
}

/* Command bytes, as long as the controller asks for them. */
static inline void fdc_cmd(struct rig *r, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n && (fdc_in(r, 0x3f4) & 0xc0) == 0x80; i++) {
        fdc_out(r, 0x3f5, bytes[i]);
    }
}
#define FDC_CMD(r, ...)                                          \
    fdc_cmd(r, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static inline unsigned fdc_result(struct rig *r, uint8_t *out, unsigned max)
{
    unsigned n = 0;
    while (n < max && (fdc_in(r, 0x3f4) & 0xd0) == 0xd0 && !(fdc_in(r, 0x3f4) & 0x20)) {
        out[n++] = fdc_in(r, 0x3f5);
    }
    return n;
}

/* Out of reset, motor of drive 0 on, interrupts of the reset taken. */
static inline void fdc_start(struct rig *r, uint8_t rate)
{
    uint8_t st[2];
    fdc_out(r, 0x3f2, 0x00);
    fdc_out(r, 0x3f2, 0x1c);
    rig_advance(r, VTIME_MS);
    for (unsigned i = 0; i < 4; i++) {
        FDC_CMD(r, 0x08);
        fdc_result(r, st, 2);
    }
    fdc_out(r, 0x3f7, rate);
    FDC_CMD(r, 0x03, 0xdf, 0x02); /* SPECIFY: DMA */
}

/* DMA channel 2: mode 44h to memory, 48h from memory, 40h verify. */
static inline void fdc_dma(struct rig *r, uint8_t mode, uint32_t phys, uint32_t len)
{
    struct region *low = r->regs[FDC_R_LOW];
    region_out(low, 10, 6, 1);
    region_out(low, 12, 0, 1);
    region_out(low, 11, mode | 2, 1);
    region_out(low, 4, phys & 0xff, 1);
    region_out(low, 4, phys >> 8 & 0xff, 1);
    region_out(low, 5, (len - 1) & 0xff, 1);
    region_out(low, 5, (len - 1) >> 8 & 0xff, 1);
    region_out(r->regs[FDC_R_PAGE], 1, phys >> 16, 1);
    region_out(low, 10, 2, 1);
}

static inline void fdc_case_busy(struct rig *r) /* a read of a cylinder, under way */
{
    fdc_start(r, 0);
    fdc_dma(r, 0x44, 0x1000, 36 * 512);
    FDC_CMD(r, 0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    rig_advance(r, 3 * VTIME_MS);
}

static inline void fdc_case_input(struct rig *r, uint32_t v)
{
    (void)v;
    r->blk.media_changed(r->blk.dev);
}

static const struct contract_pure fdc_pure[] = {
    {FDC_R_REGS, 2, 1}, {FDC_R_REGS, 4, 1}, {FDC_R_DIR, 0, 1}, {FDC_R_PAGE, 1, 1}};
static const struct contract_case fdc_case = {
    .name = "fdc82077", .make = fdc_case_make, .unmake = fdc_case_unmake, .busy = fdc_case_busy,
    .input = fdc_case_input, .pure = fdc_pure, .pure_count = ARRAY_LEN(fdc_pure)};
