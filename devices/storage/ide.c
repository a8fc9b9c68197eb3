/* IDE channel: command block, control block, data port, interrupt, soft reset.
 * ATA/ATAPI-6 (T13/1410D), clause 7 "Interface register definitions and descriptions" and clause 9
 * "Protocol".
 * NOT IMPLEMENTED: overlapped and queued commands, media status notification, CSEL. */
#include "devices/storage/ide.h"

#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/storage/ata.h"
#include "devices/storage/atapi.h"

enum { CMD_DEVICE_RESET = 0x08, CMD_DIAGNOSTIC = 0x90 };
#define RESET_TIME (1 * VTIME_MS)
#define COMMAND_TIME (20 * VTIME_US)

static struct ide_drive *ide_selected(struct ide_channel *ch)
{
    return &ch->drive[ch->device >> 4 & 1];
}

/* INTRQ is driven by the selected unit and let go while nIEN is set. */
static void ide_update_irq(struct ide_channel *ch)
{
    bool level = ide_selected(ch)->intrq && !(ch->control & IDE_NIEN);
    if (level && !ch->irq.level) {
        ch->bm.bmis |= BMIS_INTERRUPT;
    }
    irq_set(&ch->irq, level);
}

void ide_drive_irq(struct ide_channel *ch)
{
    ide_update_irq(ch);
    irq_drive(&ch->irq);
}

void ide_raise(struct ide_drive *d)
{
    d->intrq = true;
    ide_update_irq(d->ch);
}

void ide_arm(struct ide_drive *d, enum ide_step step, vtime delay)
{
    d->step = (uint8_t)step;
    d->status = (uint8_t)((d->status & ~(ATA_DRQ | ATA_ERR | ATA_DF)) | ATA_BSY);
    d->xfer = IDE_XFER_NONE;
    vtimer_arm(&d->timer, clock_now(d->timer.clock) + delay);
}

/* Forget whatever was going on, without a word to the host. */
static void ide_quiet(struct ide_drive *d)
{
    vtimer_cancel(&d->timer);
    d->step = IDE_STEP_IDLE;
    d->xfer = IDE_XFER_NONE;
    d->dma = IDE_DMA_NONE;
    d->dma_wait = false;
    d->left = d->moving = 0;
    d->cd.left = d->cd.chunk_end = 0;
    d->pos = d->end = 0;
}

void ide_settle(struct ide_drive *d, uint8_t status, uint8_t error)
{
    ide_quiet(d);
    d->status = status;
    d->error = error;
}

void ide_finish(struct ide_drive *d, uint8_t status, uint8_t error)
{
    ide_settle(d, status, error);
    ide_raise(d);
}

void ide_abort(struct ide_drive *d)
{
    ide_finish(d, ATA_DRDY | ATA_DSC | ATA_ERR, ATA_ABRT);
}

void ide_offer(struct ide_drive *d, enum ide_xfer xfer, uint32_t len, bool interrupt)
{
    d->xfer = (uint8_t)xfer;
    d->pos = 0;
    d->end = len;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    if (interrupt) {
        ide_raise(d);
    }
}

bool ide_dma_ready(struct ide_drive *d)
{
    d->dma_wait = !bmdma_active(ide_bm(d)) || !d->ch->may_dma(d->ch->owner);
    return !d->dma_wait;
}

void ide_signature(struct ide_drive *d)
{
    d->tf.count = d->tf.lba0 = 1;
    d->tf.lba1 = d->kind == IDE_CD ? 0x14 : 0;
    d->tf.lba2 = d->kind == IDE_CD ? 0xeb : 0;
    d->error = 1; /* diagnostic code: no error */
}

/* ---- time ---- */

static void ide_end_reset(struct ide_drive *d)
{
    ide_quiet(d);
    ide_signature(d);
    d->status = d->kind == IDE_CD ? 0 : ATA_DRDY | ATA_DSC;
}

/* EXECUTE DEVICE DIAGNOSTIC: both units take part, unit 0 reports. */
static void ide_diagnostic(struct ide_channel *ch)
{
    for (unsigned u = 0; u < 2; u++) {
        struct ide_drive *d = &ch->drive[u];
        if (d->kind != IDE_ABSENT) {
            ide_end_reset(d);
        }
    }
    ch->device = 0;
    ide_raise(&ch->drive[ch->drive[0].kind == IDE_ABSENT ? 1 : 0]);
}

static void ide_fire(void *owner, vtime now)
{
    struct ide_drive *d = owner;
    unsigned step = d->step;
    (void)now;
    d->step = IDE_STEP_IDLE;
    switch (step) {
    case IDE_STEP_COMMAND:
        if (d->command == CMD_DIAGNOSTIC) {
            ide_diagnostic(d->ch);
        } else if (d->kind == IDE_CD) {
            atapi_command(d);
        } else {
            ata_command(d);
        }
        break;
    case IDE_STEP_IN: ata_fetch(d); break;
    case IDE_STEP_OUT: ata_store(d); break;
    case IDE_STEP_DMA:
        if (d->kind == IDE_CD) {
            atapi_dma(d);
        } else {
            ata_dma(d);
        }
        break;
    case IDE_STEP_PACKET: atapi_packet(d); break;
    case IDE_STEP_PACKET_IN: atapi_chunk(d); break;
    case IDE_STEP_PACKET_OUT: atapi_parameters(d); break;
    case IDE_STEP_PACKET_DONE: atapi_done(d); break;
    case IDE_STEP_RESET: ide_end_reset(d); break;
    default: break;
    }
}

/* The bus master was started: whoever waits for it goes on a moment later. */
static void ide_bm_started(void *owner)
{
    struct ide_channel *ch = owner;
    for (unsigned u = 0; u < 2; u++) {
        struct ide_drive *d = &ch->drive[u];
        if (d->dma_wait && d->dma != IDE_DMA_NONE) {
            d->dma_wait = false;
            ide_arm(d, IDE_STEP_DMA, 1 * VTIME_US);
        }
    }
}

/* Stopped in the middle: the drive keeps asking, with no data lost, until started or reset. */
static void ide_bm_stopped(void *owner)
{
    struct ide_channel *ch = owner;
    for (unsigned u = 0; u < 2; u++) {
        struct ide_drive *d = &ch->drive[u];
        if (d->step == IDE_STEP_DMA) {
            vtimer_cancel(&d->timer);
            d->step = IDE_STEP_IDLE;
            d->dma_wait = true;
        }
    }
}

/* ---- data port ---- */

static void ide_data_out_of_room(struct ide_drive *d)
{
    switch (d->xfer) {
    case IDE_XFER_IN: ata_block_read(d); break;
    case IDE_XFER_OUT: ide_arm(d, IDE_STEP_OUT, COMMAND_TIME); break;
    case IDE_XFER_CDB:
        memcpy(d->cd.cdb, d->buf, sizeof d->cd.cdb);
        ide_arm(d, IDE_STEP_PACKET, COMMAND_TIME);
        break;
    case IDE_XFER_PACKET_IN: atapi_chunk_read(d); break;
    case IDE_XFER_PACKET_OUT: atapi_chunk_written(d); break;
    default: /* a single block: IDENTIFY, SMART */
        d->xfer = IDE_XFER_NONE;
        d->status &= (uint8_t)~ATA_DRQ;
        break;
    }
}

static uint64_t ide_data_read(struct ide_drive *d, unsigned size)
{
    uint64_t v = 0;
    if (d->xfer == IDE_XFER_NONE || d->xfer == IDE_XFER_OUT || d->xfer == IDE_XFER_CDB ||
        d->xfer == IDE_XFER_PACKET_OUT) {
        return bits_mask(size * 8);
    }
    if (d->end - d->pos >= size) {
        v = load_le(d->buf + d->pos, size);
        d->pos += size;
    } else { /* a wide access at the end of a block that is no multiple of it */
        for (unsigned sh = 0; d->pos < d->end; sh += 8) {
            v |= (uint64_t)d->buf[d->pos++] << sh;
        }
    }
    if (d->pos == d->end) {
        ide_data_out_of_room(d);
    }
    return v;
}

static void ide_data_write(struct ide_drive *d, uint64_t v, unsigned size)
{
    if (d->xfer != IDE_XFER_OUT && d->xfer != IDE_XFER_CDB && d->xfer != IDE_XFER_PACKET_OUT) {
        return;
    }
    if (d->end - d->pos >= size) {
        store_le(d->buf + d->pos, v, size);
        d->pos += size;
    } else {
        for (; d->pos < d->end; v >>= 8) {
            d->buf[d->pos++] = (uint8_t)v;
        }
    }
    if (d->pos == d->end) {
        ide_data_out_of_room(d);
    }
}

/* ---- registers ---- */

static uint8_t ide_reg_read(struct ide_channel *ch, unsigned reg)
{
    struct ide_drive *d = ide_selected(ch);
    const struct ide_taskfile *tf = ch->control & IDE_HOB ? &d->hob : &d->tf;
    if (d->kind == IDE_ABSENT) {
        /* unit 0 answers for an absent unit 1, with a status of 0 */
        return reg == 6 && ch->drive[0].kind != IDE_ABSENT ? ch->device | 0xa0 : 0;
    }
    switch (reg) {
    case 1: return d->error;
    case 2: return tf->count;
    case 3: return tf->lba0;
    case 4: return tf->lba1;
    case 5: return tf->lba2;
    case 6: return ch->device | 0xa0;
    default:
        d->intrq = false;
        ide_update_irq(ch);
        return d->status;
    }
}

static void ide_device_reset(struct ide_drive *d)
{
    ide_quiet(d);
    d->intrq = false;
    ide_update_irq(d->ch);
    atapi_reset(d);
    d->asleep = false;
    ide_arm(d, IDE_STEP_RESET, RESET_TIME);
}

static void ide_command_write(struct ide_channel *ch, uint8_t v)
{
    struct ide_drive *d = ide_selected(ch);
    if (v == CMD_DIAGNOSTIC && d->kind == IDE_ABSENT && ch->drive[0].kind != IDE_ABSENT) {
        d = &ch->drive[0]; /* unit 0 takes it whichever is selected */
    }
    if (d->kind == IDE_ABSENT) {
        return;
    }
    if (v == CMD_DEVICE_RESET && d->kind == IDE_CD) {
        ide_device_reset(d);
        return;
    }
    if ((d->status & (ATA_BSY | ATA_DRQ)) || d->asleep) {
        return;
    }
    d->intrq = false;
    ide_update_irq(ch);
    d->command = v;
    d->error = 0;
    ide_arm(d, IDE_STEP_COMMAND, d->kind == IDE_DISK ? ata_delay(d) : COMMAND_TIME);
}

/* Both units take what is written to the command block.  A busy one does not. */
static void ide_reg_write(struct ide_channel *ch, unsigned reg, uint8_t v)
{
    ch->control &= (uint8_t)~IDE_HOB;
    if (reg == 7) {
        ide_command_write(ch, v);
        return;
    }
    if (reg == 6) {
        ch->device = v & 0x5f;
        ide_update_irq(ch);
        return;
    }
    for (unsigned u = 0; u < 2; u++) {
        struct ide_drive *d = &ch->drive[u];
        uint8_t *now = &(&d->tf.feature)[reg - 1], *before = &(&d->hob.feature)[reg - 1];
        if (!(d->status & (ATA_BSY | ATA_DRQ))) {
            *before = *now;
            *now = v;
        }
    }
}

static uint64_t ide_cmd_read(void *dev, uint64_t off, unsigned size)
{
    struct ide_channel *ch = dev;
    if (off == 0) {
        return ide_data_read(ide_selected(ch), size);
    }
    uint64_t v = 0;
    for (unsigned i = 0; i < size && off + i < 8; i++) {
        v |= (uint64_t)ide_reg_read(ch, (unsigned)off + i) << (8 * i);
    }
    return v;
}

static void ide_cmd_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct ide_channel *ch = dev;
    if (off == 0) {
        ide_data_write(ide_selected(ch), val, size);
        return;
    }
    for (unsigned i = 0; i < size && off + i < 8; i++) {
        ide_reg_write(ch, (unsigned)off + i, (uint8_t)(val >> (8 * i)));
    }
}

/* Alternate status: the same bits, but the interrupt stays. */
static uint64_t ide_ctl_read(void *dev, uint64_t off, unsigned size)
{
    struct ide_drive *d = ide_selected(dev);
    (void)off;
    (void)size;
    return d->kind == IDE_ABSENT ? 0 : d->status;
}

/* SRST: on while the bit is set, over a while after it was cleared. */
static void ide_ctl_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct ide_channel *ch = dev;
    uint8_t was = ch->control;
    (void)off;
    (void)size;
    ch->control = (uint8_t)val & (IDE_SRST | IDE_NIEN | IDE_HOB);
    for (unsigned u = 0; u < 2; u++) {
        struct ide_drive *d = &ch->drive[u];
        if (d->kind == IDE_ABSENT) {
            continue;
        }
        if ((ch->control & IDE_SRST) && !(was & IDE_SRST)) {
            ide_quiet(d);
            d->intrq = d->asleep = false;
            d->status = ATA_BSY;
            if (!d->keep_settings) {
                ide_defaults(d);
            }
            atapi_reset(d);
        } else if (!(ch->control & IDE_SRST) && (was & IDE_SRST)) {
            ide_arm(d, IDE_STEP_RESET, RESET_TIME);
        }
    }
    if (ch->control & IDE_SRST) {
        ch->device = 0;
    }
    ide_update_irq(ch);
}

static const struct region_ops ide_cmd_ops = {.read = ide_cmd_read, .write = ide_cmd_write,
                                              .min_size = 1, .max_size = 4};
static const struct region_ops ide_ctl_ops = {.read = ide_ctl_read, .write = ide_ctl_write,
                                              .min_size = 1, .max_size = 1};

/* ---- life ---- */

/* Settings as after power-on. */
void ide_defaults(struct ide_drive *d)
{
    d->multiple = 0;
    d->heads = 16;
    d->spt = 63;
    d->write_cache = d->look_ahead = true;
    d->power = 0xff;
}

void ide_reset(struct ide_channel *ch)
{
    ch->device = 0;
    ch->control = 0;
    ch->irq.level = false;
    bmdma_reset(&ch->bm);
    for (unsigned u = 0; u < 2; u++) {
        struct ide_drive *d = &ch->drive[u];
        ide_quiet(d);
        d->intrq = d->asleep = d->keep_settings = false;
        d->tf = d->hob = (struct ide_taskfile){0};
        d->status = d->error = d->command = 0;
        d->lba = 0;
        d->block = 1;
        d->ext = false;
        d->xfer_mode = 0x22; /* multiword DMA 2 */
        ide_defaults(d);
        d->smart = d->smart_autosave = true;
        d->selftests = d->selftest_next = 0;
        memset(d->selftest, 0, sizeof d->selftest);
        memset(d->selftest_hours, 0, sizeof d->selftest_hours);
        d->smart_offline = false;
        d->errors = 0;
        memset(d->error_log, 0, sizeof d->error_log);
        memset(d->commands, 0, sizeof d->commands);
        atapi_reset(d);
        d->cd.attention = d->cd.tray_open = false;
        d->cd.event = 0;
        atapi_mode_defaults(d);
        if (d->kind != IDE_ABSENT) {
            ide_end_reset(d);
        }
    }
}

static void ide_drive_check(struct ide_drive *d, struct snap *s)
{
    bool timed = d->timer.when != VTIME_NEVER;
    if (d->step >= IDE_STEPS || d->xfer >= IDE_XFERS || d->dma >= IDE_DMAS ||
        d->end > IDE_BUF || d->pos > d->end || timed != (d->step != IDE_STEP_IDLE) ||
        (d->kind == IDE_ABSENT && (timed || d->xfer || d->dma)) || !d->heads || d->heads > 16 ||
        !d->spt || d->multiple > ATA_MULTIPLE_MAX || !d->block || d->block > ATA_MULTIPLE_MAX ||
        d->moving > IDE_BUF / ATA_SECTOR || d->moving > d->left || d->left > 65536 ||
        d->selftests > ATA_SELFTESTS || d->selftest_next >= ATA_SELFTESTS ||
        (d->dma_wait && d->dma == IDE_DMA_NONE) ||
        (d->xfer == IDE_XFER_CDB && d->end != sizeof d->cd.cdb) || !ata_snap_ok(d) ||
        !atapi_snap_ok(d)) {
        snap_fail(s, "IDE drive in an impossible state");
        ide_quiet(d);
        atapi_reset(d);
        ide_defaults(d);
        d->block = 1;
        d->selftests = d->selftest_next = 0;
        d->status = ATA_DRDY | ATA_DSC;
    }
}

static void ide_taskfile_snap(struct ide_taskfile *t, struct snap *s, const char *name)
{
    uint8_t b[5] = {t->feature, t->count, t->lba0, t->lba1, t->lba2};
    snap_bytes(s, name, b, sizeof b);
    *t = (struct ide_taskfile){b[0], b[1], b[2], b[3], b[4]};
}

static void ide_cd_snap(struct atapi *cd, struct snap *s)
{
    snap_bytes(s, "cdb", cd->cdb, sizeof cd->cdb);
    snap_u8(s, "key", &cd->key);
    snap_u8(s, "asc", &cd->asc);
    snap_u8(s, "ascq", &cd->ascq);
    snap_bool(s, "attention", &cd->attention);
    snap_u8(s, "event", &cd->event);
    snap_bool(s, "tray_open", &cd->tray_open);
    snap_bool(s, "packet_dma", &cd->dma);
    snap_u32(s, "limit", &cd->limit);
    snap_u32(s, "chunk_end", &cd->chunk_end);
    snap_u32(s, "cd_lba", &cd->lba);
    snap_u32(s, "cd_left", &cd->left);
    snap_u8(s, "frame", &cd->frame);
    snap_bytes(s, "mode", cd->mode, sizeof cd->mode);
    snap_u16(s, "speed", &cd->speed);
}

static void ide_drive_snap(struct ide_drive *d, struct snap *s)
{
    bool locked = d->blk && d->blk->locked;
    uint32_t used;
    snap_u8(s, "step", &d->step);
    snap_u8(s, "xfer", &d->xfer);
    snap_u8(s, "dma", &d->dma);
    snap_bool(s, "dma_wait", &d->dma_wait);
    snap_bool(s, "intrq", &d->intrq);
    snap_bool(s, "asleep", &d->asleep);
    snap_u8(s, "status", &d->status);
    snap_u8(s, "error", &d->error);
    snap_u8(s, "command", &d->command);
    ide_taskfile_snap(&d->tf, s, "tf");
    ide_taskfile_snap(&d->hob, s, "hob");
    snap_u32(s, "pos", &d->pos);
    snap_u32(s, "end", &d->end);
    snap_u64(s, "lba", &d->lba);
    snap_u32(s, "left", &d->left);
    snap_u32(s, "moving", &d->moving);
    snap_u8(s, "block", &d->block);
    snap_bool(s, "ext", &d->ext);
    snap_u8(s, "multiple", &d->multiple);
    snap_u8(s, "heads", &d->heads);
    snap_u8(s, "spt", &d->spt);
    snap_u8(s, "xfer_mode", &d->xfer_mode);
    snap_bool(s, "write_cache", &d->write_cache);
    snap_bool(s, "look_ahead", &d->look_ahead);
    snap_bool(s, "keep_settings", &d->keep_settings);
    snap_u8(s, "power", &d->power);
    snap_bool(s, "smart", &d->smart);
    snap_bool(s, "smart_autosave", &d->smart_autosave);
    snap_u8(s, "selftests", &d->selftests);
    snap_u8(s, "selftest_next", &d->selftest_next);
    snap_bytes(s, "selftest", d->selftest, sizeof d->selftest);
    for (unsigned i = 0; i < ATA_SELFTESTS; i++) {
        snap_u16(s, "selftest_hours", &d->selftest_hours[i]);
    }
    snap_bool(s, "smart_offline", &d->smart_offline);
    snap_u16(s, "errors", &d->errors);
    snap_bytes(s, "error_log", d->error_log, sizeof d->error_log);
    snap_bytes(s, "commands", d->commands, sizeof d->commands);
    snap_bool(s, "locked", &locked);
    if (snap_loading(s) && d->blk) {
        d->blk->locked = locked;
    }
    ide_cd_snap(&d->cd, s);
    snap_timer(s, "timer", &d->timer);
    used = d->end > d->cd.chunk_end ? d->end : d->cd.chunk_end;
    used = used <= IDE_BUF ? used : 0;
    snap_bytes(s, "buf", d->buf, used);
    if (snap_loading(s)) {
        ide_drive_check(d, s);
    }
}

void ide_snap(struct ide_channel *ch, struct snap *s)
{
    snap_u8(s, "device", &ch->device);
    snap_u8(s, "control", &ch->control);
    snap_bool(s, "irq", &ch->irq.level);
    bmdma_snap(&ch->bm, s);
    for (unsigned u = 0; u < 2; u++) {
        ide_drive_snap(&ch->drive[u], s);
    }
}

void ide_destroy(struct ide_channel *ch)
{
    for (unsigned u = 0; u < 2; u++) {
        vtimer_cancel(&ch->drive[u].timer);
    }
}

void ide_attach(struct ide_channel *ch, unsigned unit, enum ide_kind kind, struct blockdev *blk,
                const char *serial)
{
    struct ide_drive *d = &ch->drive[unit & 1];
    unsigned i = 0;
    d->kind = kind;
    d->blk = blk;
    for (; serial[i] && i < sizeof d->serial - 1; i++) {
        d->serial[i] = serial[i];
    }
    d->serial[i] = 0;
    memset(d->model, 0, sizeof d->model);
    memcpy(d->model, kind == IDE_CD ? "VITRINE DVD-ROM " : "VITRINE HARDDISK", 16);
    memcpy(d->firmware, "1.0", 4);
    if (kind == IDE_CD) {
        blk->media_changed = atapi_media_changed;
        blk->dev = d;
    }
}

void ide_init(struct ide_channel *ch, unsigned number, struct clock *clk, struct dma dma,
              struct irq_line irq)
{
    static const char *const timers[4] = {"ide0.0", "ide0.1", "ide1.0", "ide1.1"};
    static const char *const names[2] = {"ide0", "ide1"};
    number &= 1;
    memset(ch, 0, sizeof *ch);
    ch->id = names[number];
    ch->irq = irq;
    ch->cmd = (struct region){.name = number ? "ide1.cmd" : "ide0.cmd", .kind = REGION_IO,
                              .base = number ? 0x170 : 0x1f0, .len = 8, .priority = 1,
                              .ops = &ide_cmd_ops, .dev = ch};
    ch->ctl = (struct region){.name = number ? "ide1.ctl" : "ide0.ctl", .kind = REGION_IO,
                              .base = number ? 0x376 : 0x3f6, .len = 1, .priority = 1,
                              .ops = &ide_ctl_ops, .dev = ch};
    ch->bm = (struct bmdma){.id = names[number], .dma = dma, .started = ide_bm_started,
                            .stopped = ide_bm_stopped, .owner = ch};
    for (unsigned u = 0; u < 2; u++) {
        struct ide_drive *d = &ch->drive[u];
        d->ch = ch;
        vtimer_init(&d->timer, clk, timers[number * 2 + u], ide_fire, d);
        ide_defaults(d);
        d->block = 1;
    }
}
