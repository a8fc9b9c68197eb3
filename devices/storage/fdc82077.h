/* Intel 82077AA floppy disk controller with up to four drives.
 *
 * Wiring by the board:
 *   fdc82077_init(&fdc, "fdc0", &clk, irq6, drq2, drives);
 *       drq2 = {.set = i8237_dreq_sink, .sink = &dma, .pin = 2}
 *       drives[i].type 0: no drive; .blk may have no medium (ops == NULL)
 *   i8237_attach(&dma, 2, fdc82077_dack, &fdc);
 *   port bus: fdc.regs (3F0h-3F5h) and fdc.dir (3F7h), bases preset, priority 1.  3F6h is the
 * IDE's. CMOS 10h: fdc.drive[0].type << 4 | fdc.drive[1].type; equipment byte bits 0, 6, 7. A
 * machine makes the drive fit the first image: fdc82077_type_for(blk.sectors). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/plugs/blockdev.h"
#include "devices/device.h"
#include "devices/dma/i8237.h"
#include "mem/bus.h"
#include "mem/irq.h"

#define FDC_DRIVES 4
#define FDC_SECTOR 512u

enum fdc_drive_type { /* as CMOS byte 10h counts them */
    FDC_NONE, FDC_360K, FDC_1200K, FDC_720K, FDC_1440K, FDC_2880K
};
enum fdc_phase { FDC_COMMAND, FDC_EXECUTE, FDC_RESULT };

struct fdc_geometry {
    uint8_t tracks, heads, sectors; /* 0: no medium */
    uint8_t rates;                  /* a bit for each data rate that reads it */
};
struct fdc82077_drive_config {
    struct blockdev *blk; /* may be NULL */
    enum fdc_drive_type type;
};
struct fdc_drive {
    struct blockdev *blk;
    uint8_t type;
    uint8_t track;     /* where the head stands */
    uint8_t pcn;       /* what the controller believes */
    uint8_t seek_to;   /* physical track at the end of the present seek */
    bool changed;      /* DSKCHG is latched */
    bool int_pending;  /* SENSE INTERRUPT STATUS will give int_st0 */
    uint8_t int_st0;
    struct vtimer seek;
    struct fdc82077 *fdc;
};
struct fdc82077 {
    struct device dev;
    struct region regs, dir;
    struct clock *clk;
    struct irq_line irq, drq;
    struct fdc_drive drive[FDC_DRIVES];
    struct vtimer step;  /* the next sector, or the end of the reset */
    uint8_t dor, tdr, dsr;
    uint8_t srt_hut, hlt_nd, config, pretrk, perpendicular;
    bool lock;
    uint8_t phase;
    bool resetting;      /* between the end of a reset and its interrupt */
    uint8_t cmd[9], cmd_len, cmd_pos;
    uint8_t result[10], res_len, res_pos;
    bool int_result;     /* the result phase has interrupted */
    /* execution */
    uint8_t c, h, r, n, head, eot, st0, st1, st2;
    uint16_t left;       /* sectors still to format, verify or read from the track */
    bool xfer;           /* bytes are wanted or offered */
    uint16_t pos, xfer_len;
    uint8_t buf[FDC_SECTOR];
    uint8_t eot_last;    /* for DUMPREG */
};

void fdc82077_init(struct fdc82077 *f, const char *id, struct clock *clk, struct irq_line irq,
                   struct irq_line drq, const struct fdc82077_drive_config drives[FDC_DRIVES]);
i8237_dack fdc82077_dack;
/* The drive that a PC of the time would use for an image of this size. */
enum fdc_drive_type fdc82077_type_for(uint64_t sectors);
