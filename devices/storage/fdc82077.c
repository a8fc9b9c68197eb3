/* Intel 82077AA CHMOS single-chip floppy disk controller (290166), in PC/AT mode.
 *
 *   3F2h DOR   3F3h TDR   3F4h MSR / DSR   3F5h FIFO   3F7h DIR / CCR
 *
 * Media are images of 512-byte sectors; everything else about a track (gaps, sector order, deleted
 * marks, other sector sizes) does not exist.  Sectors come faster than a real disk turns.
 *
 * NOT IMPLEMENTED: FM, sectors of other sizes than 512 bytes, deleted data marks (written as plain
 * data), the PS/2 registers SRA and SRB, overrun (the controller waits for the host), power down,
 * FIFO threshold (bytes are offered one by one), motor spin-up. */
#include <string.h>

#include "base/bits.h"
#include "devices/storage/fdc82077_internal.h"

enum { MSR_RQM = 0x80, MSR_DIO = 0x40, MSR_NDM = 0x20, MSR_CB = 0x10 };

/* --- registers ------------------------------------------------------------------------------ */

static void fdc_abort(struct fdc82077 *f)
{
    vtimer_cancel(&f->step);
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        vtimer_cancel(&f->drive[i].seek);
        f->drive[i].int_pending = false;
    }
    f->xfer = f->int_result = f->resetting = false;
    f->perpendicular &= 0x3c;
    if (!f->lock) {
        f->config = CFG_EFIFO;
        f->pretrk = 0;
    }
    fdc_idle(f);
    fdc_update(f);
}

static void fdc_release(struct fdc82077 *f)
{
    f->resetting = true;
    vtimer_arm(&f->step, clock_now(f->clk) + FDC_RESET_NS);
}

static uint8_t fdc_msr(const struct fdc82077 *f)
{
    uint8_t msr = 0;
    if (!(f->dor & DOR_NRESET) || f->resetting) {
        return 0;
    }
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        msr |= (uint8_t)((f->drive[i].seek.when != VTIME_NEVER) << i);
    }
    switch (f->phase) {
    case FDC_COMMAND: return msr | MSR_RQM | (f->cmd_pos ? MSR_CB : 0);
    case FDC_RESULT: return msr | MSR_RQM | MSR_DIO | MSR_CB;
    default:
        msr |= MSR_CB;
        if (!fdc_dma_mode(f)) {
            msr |= MSR_NDM;
            if (f->xfer) {
                msr |= MSR_RQM | (fdc_to_host(f) ? MSR_DIO : 0);
            }
        }
        return msr;
    }
}

/* Without DMA each byte is an interrupt of its own: the line falls between two. */
static uint8_t fdc_fifo_byte(struct fdc82077 *f, uint8_t val)
{
    irq_set(&f->irq, false);
    uint8_t out = fdc_byte(f, val, false);
    fdc_update(f);
    return out;
}

static uint8_t fdc_fifo_read(struct fdc82077 *f)
{
    uint8_t msr = fdc_msr(f);
    if ((msr & (MSR_RQM | MSR_DIO)) != (MSR_RQM | MSR_DIO)) {
        return 0;
    }
    if (f->phase == FDC_EXECUTE) {
        return fdc_fifo_byte(f, 0);
    }
    uint8_t val = f->result[f->res_pos++];
    f->int_result = false;
    if (f->res_pos >= f->res_len) {
        fdc_idle(f);
    }
    fdc_update(f);
    return val;
}

static void fdc_fifo_write(struct fdc82077 *f, uint8_t val)
{
    uint8_t msr = fdc_msr(f);
    if ((msr & (MSR_RQM | MSR_DIO)) != MSR_RQM) {
        return;
    }
    if (f->phase == FDC_EXECUTE) {
        fdc_fifo_byte(f, val);
        return;
    }
    if (f->cmd_pos == 0) {
        memset(f->cmd, 0, sizeof f->cmd);
        f->cmd_len = fdc_command_len(val);
    }
    f->cmd[f->cmd_pos++] = val; /* len is 9 at most */
    if (f->cmd_pos >= f->cmd_len) {
        fdc_execute(f);
    }
}

static uint64_t fdc_read(void *dev, uint64_t off, unsigned size)
{
    struct fdc82077 *f = dev;
    (void)size;
    switch (off) {
    case 2: return f->dor;
    case 3: return f->tdr | 0xfc;
    case 4: return fdc_msr(f);
    case 5: return fdc_fifo_read(f);
    default: return 0xff;
    }
}

static void fdc_write_dor(struct fdc82077 *f, uint8_t val)
{
    uint8_t was = f->dor;
    f->dor = val;
    if ((was & DOR_NRESET) && !(val & DOR_NRESET)) {
        fdc_abort(f);
    } else if (!(was & DOR_NRESET) && (val & DOR_NRESET)) {
        fdc_release(f);
    }
    fdc_update(f);
}

static void fdc_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct fdc82077 *f = dev;
    (void)size;
    switch (off) {
    case 2: fdc_write_dor(f, (uint8_t)val); break;
    case 3: f->tdr = val & 3; break;
    case 4:
        f->dsr = val & 0x7f;
        if ((val & 0x80) && (f->dor & DOR_NRESET)) { /* resets and releases by itself */
            fdc_abort(f);
            fdc_release(f);
        }
        break;
    case 5: fdc_fifo_write(f, (uint8_t)val); break;
    default: break;
    }
}

static uint64_t fdc_dir_read(void *dev, uint64_t off, unsigned size)
{
    struct fdc82077 *f = dev;
    unsigned sel = f->dor & DOR_SELECT;
    const struct fdc_drive *d = &f->drive[sel];
    (void)off;
    (void)size;
    /* the drive drives the line only while selected with its motor on */
    if (!d->type || !(f->dor >> (4 + sel) & 1)) {
        return 0;
    }
    return d->changed || !fdc_medium(d) ? 0x80 : 0;
}

static void fdc_ccr_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct fdc82077 *f = dev;
    (void)off;
    (void)size;
    f->dsr = (uint8_t)((f->dsr & ~3) | (val & 3));
}

static const struct region_ops fdc_ops = {fdc_read, fdc_write, 1, 1};
static const struct region_ops fdc_dir_ops = {fdc_dir_read, fdc_ccr_write, 1, 1};

/* The host put in or took out a disk. */
static void fdc_media_changed(void *dev)
{
    ((struct fdc_drive *)dev)->changed = true;
}

/* --- device --------------------------------------------------------------------------------- */

static void fdc_reset(struct device *dev, enum reset_kind kind)
{
    struct fdc82077 *f = device_of(dev, struct fdc82077);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    vtimer_cancel(&f->step);
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        struct fdc_drive *d = &f->drive[i];
        vtimer_cancel(&d->seek);
        d->track = d->pcn = d->seek_to = d->int_st0 = 0;
        d->changed = true;
        d->int_pending = false;
    }
    f->dor = f->tdr = f->srt_hut = f->hlt_nd = f->pretrk = f->perpendicular = 0;
    f->dsr = 2;
    f->config = CFG_EFIFO;
    f->lock = f->resetting = f->int_result = f->xfer = false;
    memset(f->cmd, 0, sizeof f->cmd);
    memset(f->result, 0, sizeof f->result);
    memset(f->buf, 0, sizeof f->buf);
    f->c = f->h = f->r = f->n = f->head = f->eot = f->st0 = f->st1 = f->st2 = f->eot_last = 0;
    f->left = f->pos = f->xfer_len = 0;
    f->irq.level = f->drq.level = false;
    fdc_idle(f);
}

static void fdc_drive_wires(struct device *dev)
{
    struct fdc82077 *f = device_of(dev, struct fdc82077);
    irq_drive(&f->irq);
    irq_drive(&f->drq);
}

static bool fdc_sane(const struct fdc82077 *f)
{
    bool ok = f->cmd_len <= sizeof f->cmd && f->cmd_pos <= f->cmd_len &&
              (f->cmd_pos < f->cmd_len || f->phase != FDC_COMMAND || f->cmd_len == 0) &&
              f->res_len <= sizeof f->result && f->phase <= FDC_RESULT && f->head <= 1 &&
              (f->phase == FDC_RESULT ? f->res_pos < f->res_len : f->res_pos <= f->res_len) &&
              f->xfer_len <= FDC_SECTOR && (!f->xfer || f->pos < f->xfer_len) &&
              f->pos <= FDC_SECTOR && (!f->xfer || f->phase == FDC_EXECUTE) &&
              (f->phase != FDC_EXECUTE || f->xfer || f->step.when != VTIME_NEVER);
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        ok &= f->drive[i].track <= FDC_LAST_TRACK && f->drive[i].seek_to <= FDC_LAST_TRACK;
    }
    return ok;
}

static void fdc_snap(struct device *dev, struct snap *s)
{
    struct fdc82077 *f = device_of(dev, struct fdc82077);
    snap_timer(s, "step", &f->step);
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        struct fdc_drive *d = &f->drive[i];
        snap_timer(s, "seek", &d->seek);
        snap_u8(s, "track", &d->track);
        snap_u8(s, "pcn", &d->pcn);
        snap_u8(s, "seek_to", &d->seek_to);
        snap_bool(s, "changed", &d->changed);
        snap_bool(s, "int_pending", &d->int_pending);
        snap_u8(s, "int_st0", &d->int_st0);
    }
    uint8_t *const bytes[] = {
        &f->dor, &f->tdr, &f->dsr, &f->srt_hut, &f->hlt_nd, &f->config, &f->pretrk,
        &f->perpendicular, &f->phase, &f->cmd_len, &f->cmd_pos, &f->res_len, &f->res_pos, &f->c,
        &f->h, &f->r, &f->n, &f->head, &f->eot, &f->st0, &f->st1, &f->st2, &f->eot_last};
    static const char *const names[] = {
        "dor", "tdr", "dsr", "srt_hut", "hlt_nd", "config", "pretrk", "perpendicular", "phase",
        "cmd_len", "cmd_pos", "res_len", "res_pos", "c", "h", "r", "n", "head", "eot", "st0", "st1",
        "st2", "eot_last"};
    for (unsigned i = 0; i < ARRAY_LEN(bytes); i++) {
        snap_u8(s, names[i], bytes[i]);
    }
    snap_bytes(s, "cmd", f->cmd, sizeof f->cmd);
    snap_bytes(s, "result", f->result, sizeof f->result);
    snap_bool(s, "lock", &f->lock);
    snap_bool(s, "resetting", &f->resetting);
    snap_bool(s, "int_result", &f->int_result);
    snap_bool(s, "xfer", &f->xfer);
    snap_u16(s, "left", &f->left);
    snap_u16(s, "pos", &f->pos);
    snap_u16(s, "xfer_len", &f->xfer_len);
    snap_bytes(s, "buf", f->buf, sizeof f->buf);
    snap_bool(s, "irq", &f->irq.level);
    snap_bool(s, "drq", &f->drq.level);
    if (snap_loading(s) && (s->failed || !fdc_sane(f))) {
        bool irq = f->irq.level, drq = f->drq.level;
        snap_fail(s, "floppy controller state out of range");
        fdc_reset(dev, RESET_POWER_ON);
        f->irq.level = irq;
        f->drq.level = drq;
    }
}

static void fdc_destroy(struct device *dev)
{
    struct fdc82077 *f = device_of(dev, struct fdc82077);
    vtimer_cancel(&f->step);
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        vtimer_cancel(&f->drive[i].seek);
        if (f->drive[i].blk) {
            f->drive[i].blk->media_changed = NULL;
        }
    }
}

static const struct device_class fdc_class = {
    .name = "fdc82077", .snap_version = 1, .reset = fdc_reset, .drive = fdc_drive_wires,
    .snap = fdc_snap, .destroy = fdc_destroy};

void fdc82077_init(struct fdc82077 *f, const char *id, struct clock *clk, struct irq_line irq,
                   struct irq_line drq, const struct fdc82077_drive_config drives[FDC_DRIVES])
{
    *f = (struct fdc82077){.dev = {&fdc_class, id}, .clk = clk, .irq = irq, .drq = drq};
    f->regs = (struct region){.name = "fdc.regs", .base = 0x3f0, .len = 6, .priority = 1,
                              .ops = &fdc_ops, .dev = f};
    f->dir = (struct region){.name = "fdc.dir", .base = 0x3f7, .len = 1, .priority = 1,
                             .ops = &fdc_dir_ops, .dev = f};
    vtimer_init(&f->step, clk, "fdc.step", fdc_step, f);
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        struct fdc_drive *d = &f->drive[i];
        d->fdc = f;
        d->blk = drives[i].blk;
        d->type = (uint8_t)drives[i].type;
        vtimer_init(&d->seek, clk, "fdc.seek", fdc_seek_done, d);
        if (d->blk) {
            d->blk->media_changed = fdc_media_changed;
            d->blk->dev = d;
        }
    }
    fdc_reset(&f->dev, RESET_POWER_ON);
}
