/* ATA disk: commands, PIO and DMA data transfer.
 * ATA/ATAPI-6 (T13/1410D), clause 8 "Command descriptions".
 * NOT IMPLEMENTED (aborted): security, host protected area, queued DMA, READ/WRITE LONG, READ and
 * WRITE BUFFER, streaming, logs by READ LOG EXT, DATA SET MANAGEMENT, configuration overlay. */
#include "devices/storage/ata.h"

#include <string.h>

#include "base/bits.h"

#define GOOD (ATA_DRDY | ATA_DSC)
#define PIECE (IDE_BUF / ATA_SECTOR) /* sectors moved by DMA at one moment */
#define BLOCK_TIME (20 * VTIME_US)
#define SEEK_TIME (50 * VTIME_US)
#define FLUSH_TIME (200 * VTIME_US)
#define SECTOR_TIME 5120u /* ns: 512 bytes at 100 MB/s */

enum ata_op {
    OP_ABORT, OP_NOP, OP_GOOD, OP_READ, OP_READ_MULTIPLE, OP_READ_DMA, OP_WRITE,
    OP_WRITE_MULTIPLE, OP_WRITE_DMA, OP_VERIFY, OP_SEEK, OP_PARAMS, OP_SMART, OP_MULTIPLE,
    OP_STANDBY, OP_IDLE, OP_CHECK_POWER, OP_SLEEP, OP_FLUSH, OP_IDENTIFY, OP_FEATURES,
    OP_PACKET_ID, OP_EXT = 0x80 /* flag: 48-bit address and 16-bit count */
};

static enum ata_op ata_decode(uint8_t command)
{
    switch (command) {
    case 0x00: return OP_NOP;
    case 0x10 ... 0x1f: return OP_GOOD; /* RECALIBRATE */
    case 0x20: case 0x21: return OP_READ;
    case 0x24: return OP_READ | OP_EXT;
    case 0x25: return OP_READ_DMA | OP_EXT;
    case 0x29: return OP_READ_MULTIPLE | OP_EXT;
    case 0x30: case 0x31: case 0x3c: return OP_WRITE; /* 3Ch: WRITE VERIFY */
    case 0x34: return OP_WRITE | OP_EXT;
    case 0x35: return OP_WRITE_DMA | OP_EXT;
    case 0x39: return OP_WRITE_MULTIPLE | OP_EXT;
    case 0x40: case 0x41: return OP_VERIFY;
    case 0x42: return OP_VERIFY | OP_EXT;
    case 0x70 ... 0x7f: return OP_SEEK;
    case 0x91: return OP_PARAMS;
    case 0x94: case 0xe0: case 0x96: case 0xe2: return OP_STANDBY;
    case 0x95: case 0xe1: case 0x97: case 0xe3: return OP_IDLE;
    case 0x98: case 0xe5: return OP_CHECK_POWER;
    case 0x99: case 0xe6: return OP_SLEEP;
    case 0xa1: return OP_PACKET_ID;
    case 0xb0: return OP_SMART;
    case 0xc4: return OP_READ_MULTIPLE;
    case 0xc5: return OP_WRITE_MULTIPLE;
    case 0xc6: return OP_MULTIPLE;
    case 0xc8: case 0xc9: return OP_READ_DMA;
    case 0xca: case 0xcb: return OP_WRITE_DMA;
    case 0xe7: return OP_FLUSH;
    case 0xea: return OP_FLUSH | OP_EXT;
    case 0xec: return OP_IDENTIFY;
    case 0xef: return OP_FEATURES;
    default: return OP_ABORT;
    }
}

vtime ata_delay(const struct ide_drive *d)
{
    switch (ata_decode(d->command) & ~OP_EXT) {
    case OP_READ_DMA: case OP_WRITE_DMA: case OP_SEEK: return SEEK_TIME;
    case OP_FLUSH: return FLUSH_TIME;
    default: return BLOCK_TIME;
    }
}

/* ---- addresses ---- */

static uint32_t ata_count(const struct ide_drive *d)
{
    if (d->ext) {
        uint32_t n = (uint32_t)d->hob.count << 8 | d->tf.count;
        return n ? n : 65536;
    }
    return d->tf.count ? d->tf.count : 256;
}

/* The sector that the task file names; false: a CHS address that cannot be (ID not found). */
static bool ata_address(const struct ide_drive *d, uint64_t *lba)
{
    uint8_t head = d->ch->device & 0x0f;
    uint32_t low = d->tf.lba0 | (uint32_t)d->tf.lba1 << 8 | (uint32_t)d->tf.lba2 << 16;
    if (d->ext) {
        *lba = low | (uint64_t)d->hob.lba0 << 24 | (uint64_t)d->hob.lba1 << 32 |
               (uint64_t)d->hob.lba2 << 40;
        return true;
    }
    if (d->ch->device & 0x40) {
        *lba = low | (uint32_t)head << 24;
        return true;
    }
    uint32_t cylinder = low >> 8, sector = d->tf.lba0;
    if (sector == 0 || sector > d->spt || head >= d->heads) {
        return false;
    }
    *lba = ((uint64_t)cylinder * d->heads + head) * d->spt + sector - 1;
    return true;
}

/* Show where the command stands: the address of the last sector touched, and what is left. */
static void ata_show(struct ide_drive *d, uint64_t lba)
{
    d->tf.count = (uint8_t)d->left;
    if (d->ext) {
        d->hob.count = (uint8_t)(d->left >> 8);
        d->hob.lba0 = (uint8_t)(lba >> 24);
        d->hob.lba1 = (uint8_t)(lba >> 32);
        d->hob.lba2 = (uint8_t)(lba >> 40);
    } else if (d->ch->device & 0x40) {
        d->ch->device = (uint8_t)((d->ch->device & 0xf0) | (lba >> 24 & 0x0f));
    } else {
        uint64_t track = lba / d->spt;
        d->tf.lba0 = (uint8_t)(lba % d->spt + 1);
        d->tf.lba1 = (uint8_t)(track / d->heads);
        d->tf.lba2 = (uint8_t)(track / d->heads >> 8);
        d->ch->device = (uint8_t)((d->ch->device & 0xf0) | (track % d->heads));
        return;
    }
    d->tf.lba0 = (uint8_t)lba;
    d->tf.lba1 = (uint8_t)(lba >> 8);
    d->tf.lba2 = (uint8_t)(lba >> 16);
}

/* ---- the medium ---- */

/* Every access checks the range anew (T8): the image may have been exchanged by the host. */
static enum blk_result ata_medium(struct ide_drive *d, bool write, uint32_t sectors)
{
    struct blockdev *b = d->blk;
    if (!b->ops || !b->sectors) {
        return BLK_ENOMEDIUM;
    }
    if (d->lba >= b->sectors || sectors > b->sectors - d->lba || sectors > PIECE) {
        return BLK_EIO;
    }
    if (!write) {
        b->reads++;
        return b->ops->read(b->backend, d->lba, sectors, d->buf);
    }
    if (b->read_only) {
        return BLK_EROFS;
    }
    b->writes++;
    enum blk_result r = b->ops->write(b->backend, d->lba, sectors, d->buf);
    if (r == BLK_OK && !d->write_cache) {
        b->flushes++;
        r = b->ops->flush(b->backend);
    }
    return r;
}

static void ata_fail(struct ide_drive *d, enum blk_result why, bool write)
{
    uint8_t status = GOOD | ATA_ERR, error = ATA_ABRT;
    switch (why) {
    case BLK_EROFS: error |= ATA_WP; break;
    case BLK_ENOMEDIUM: error |= ATA_NM; break;
    case BLK_ENOSPC: status |= ATA_DF; break;
    default:
        if (write) {
            status |= ATA_DF; /* the medium cannot take it, wherever it is put */
        } else {
            error = ATA_UNC;
        }
        break;
    }
    ata_show(d, d->lba);
    if (why != BLK_ENOMEDIUM && why != BLK_EROFS) {
        ata_log_error(d, status, error);
    }
    ide_finish(d, status, error);
}

/* Check address and count of a command that moves sectors; false: it has been refused. */
static bool ata_begin(struct ide_drive *d)
{
    uint64_t total = d->blk->ops ? d->blk->sectors : 0;
    d->left = ata_count(d);
    d->power = 0xff;
    if (!total) {
        ata_fail(d, BLK_ENOMEDIUM, false);
        return false;
    }
    if (!ata_address(d, &d->lba) || d->lba >= total || d->left > total - d->lba) {
        d->lba = 0;
        ide_finish(d, GOOD | ATA_ERR, ATA_IDNF);
        return false;
    }
    return true;
}

static void ata_advance(struct ide_drive *d, uint32_t sectors)
{
    d->lba += sectors;
    d->left -= sectors;
    d->moving = 0;
    ata_show(d, d->lba - 1);
}

/* ---- PIO ---- */

void ata_fetch(struct ide_drive *d)
{
    uint32_t n = d->left < d->block ? d->left : d->block;
    enum blk_result r = ata_medium(d, false, n);
    if (r != BLK_OK) {
        ata_fail(d, r, false);
        return;
    }
    d->moving = n;
    ide_offer(d, IDE_XFER_IN, n * ATA_SECTOR, true);
}

void ata_block_read(struct ide_drive *d)
{
    ata_advance(d, d->moving);
    if (d->left) {
        ide_arm(d, IDE_STEP_IN, BLOCK_TIME);
        return;
    }
    d->xfer = IDE_XFER_NONE; /* the last block of a read ends without an interrupt */
    d->pos = d->end = 0;
    d->status = GOOD;
}

static void ata_want(struct ide_drive *d, bool interrupt)
{
    d->moving = d->left < d->block ? d->left : d->block;
    ide_offer(d, IDE_XFER_OUT, d->moving * ATA_SECTOR, interrupt);
}

void ata_store(struct ide_drive *d)
{
    enum blk_result r = ata_medium(d, true, d->moving);
    if (r != BLK_OK) {
        ata_fail(d, r, true);
        return;
    }
    ata_advance(d, d->moving);
    if (d->left) {
        ata_want(d, true);
    } else {
        ide_finish(d, GOOD, 0);
    }
}

/* ---- DMA ---- */

static void ata_dma_next(struct ide_drive *d)
{
    d->moving = d->left < PIECE ? d->left : PIECE;
    ide_arm(d, IDE_STEP_DMA, (vtime)d->moving * SECTOR_TIME);
}

/* A piece's time is over: now it moves, all at once.  A table too short ends the command without
 * an interrupt, as the bus master does (T6); whole sectors that did arrive are kept. */
void ata_dma(struct ide_drive *d)
{
    bool write = d->dma == IDE_DMA_OUT;
    uint32_t n = d->moving, moved;
    enum blk_result r = BLK_OK;
    if (!ide_dma_ready(d)) {
        return;
    }
    if (write) {
        moved = bmdma_copy(ide_bm(d), d->buf, n * ATA_SECTOR, false) / ATA_SECTOR;
        if (moved) {
            r = ata_medium(d, true, moved);
        }
    } else {
        r = ata_medium(d, false, n);
        moved = r == BLK_OK ? bmdma_copy(ide_bm(d), d->buf, n * ATA_SECTOR, true) / ATA_SECTOR : 0;
    }
    if (r != BLK_OK) {
        ata_fail(d, r, write);
        return;
    }
    ata_advance(d, moved);
    if (moved < n || (d->left && !bmdma_active(ide_bm(d)))) {
        ide_settle(d, GOOD, 0);
        return;
    }
    if (d->left) {
        ata_dma_next(d);
    } else {
        ide_finish(d, GOOD, 0);
    }
}

/* ---- commands ---- */

static void ata_set_params(struct ide_drive *d)
{
    uint8_t heads = (uint8_t)((d->ch->device & 15) + 1), spt = d->tf.count;
    if (spt == 0 || spt > 63) {
        ide_abort(d);
        return;
    }
    d->heads = heads;
    d->spt = spt;
    ide_finish(d, GOOD, 0);
}

static void ata_set_multiple(struct ide_drive *d)
{
    uint8_t n = d->tf.count;
    if (n > ATA_MULTIPLE_MAX || (n & (n - 1))) {
        d->multiple = 0;
        ide_abort(d);
        return;
    }
    d->multiple = n; /* 0 turns the multiple commands off */
    ide_finish(d, GOOD, 0);
}

static void ata_verify(struct ide_drive *d)
{
    if (ata_begin(d)) {
        d->lba += d->left - 1;
        d->left = 0;
        ata_show(d, d->lba);
        ide_finish(d, GOOD, 0);
    }
}

static void ata_seek(struct ide_drive *d)
{
    uint64_t lba;
    if (!ata_address(d, &lba) || lba >= d->blk->sectors) {
        ide_finish(d, GOOD | ATA_ERR, ATA_IDNF);
    } else {
        ide_finish(d, GOOD, 0);
    }
}

static void ata_flush(struct ide_drive *d)
{
    struct blockdev *b = d->blk;
    enum blk_result r = BLK_OK;
    if (b->ops && b->sectors && !b->read_only) {
        b->flushes++;
        r = b->ops->flush(b->backend);
    }
    if (r != BLK_OK) {
        ide_finish(d, GOOD | ATA_ERR | ATA_DF, ATA_ABRT);
    } else {
        ide_finish(d, GOOD, 0);
    }
}

static void ata_transfer(struct ide_drive *d, enum ata_op op)
{
    bool multiple = op == OP_READ_MULTIPLE || op == OP_WRITE_MULTIPLE;
    if (multiple && d->multiple == 0) {
        ide_abort(d);
        return;
    }
    if (!ata_begin(d)) {
        return;
    }
    d->block = multiple ? d->multiple : 1;
    switch (op) {
    case OP_READ: case OP_READ_MULTIPLE: ata_fetch(d); break;
    case OP_WRITE: case OP_WRITE_MULTIPLE: ata_want(d, false); break;
    default:
        d->dma = op == OP_READ_DMA ? IDE_DMA_IN : IDE_DMA_OUT;
        ata_dma_next(d);
        break;
    }
}

void ata_command(struct ide_drive *d)
{
    enum ata_op op = ata_decode(d->command);
    d->ext = op & OP_EXT;
    op &= ~OP_EXT;
    ata_log_command(d);
    switch (op) {
    case OP_GOOD: ide_finish(d, GOOD, 0); break;
    case OP_READ: case OP_READ_MULTIPLE: case OP_READ_DMA:
    case OP_WRITE: case OP_WRITE_MULTIPLE: case OP_WRITE_DMA: ata_transfer(d, op); break;
    case OP_VERIFY: ata_verify(d); break;
    case OP_SEEK: ata_seek(d); break;
    case OP_PARAMS: ata_set_params(d); break;
    case OP_SMART: ata_smart(d); break;
    case OP_MULTIPLE: ata_set_multiple(d); break;
    case OP_STANDBY:
        d->power = 0x00;
        ide_finish(d, GOOD, 0);
        break;
    case OP_IDLE:
        d->power = 0x80;
        ide_finish(d, GOOD, 0);
        break;
    case OP_CHECK_POWER:
        d->tf.count = d->power;
        ide_finish(d, GOOD, 0);
        break;
    case OP_SLEEP:
        d->power = 0x00;
        d->asleep = true; /* until a reset */
        ide_finish(d, GOOD, 0);
        break;
    case OP_FLUSH: ata_flush(d); break;
    case OP_IDENTIFY:
        ata_identify(d, d->buf);
        ide_offer(d, IDE_XFER_IN_ONCE, 512, true);
        break;
    case OP_FEATURES:
        if (ata_set_features(d)) {
            ide_finish(d, GOOD, 0);
        } else {
            ide_abort(d);
        }
        break;
    default: /* NOP and IDENTIFY PACKET DEVICE end here by definition */
        ide_abort(d);
        break;
    }
}

/* After a load: does what the drive is about to do fit its kind and its buffer? */
bool ata_snap_ok(const struct ide_drive *d)
{
    bool sectors = d->xfer == IDE_XFER_IN || d->xfer == IDE_XFER_OUT || d->step == IDE_STEP_IN ||
                   d->step == IDE_STEP_OUT || d->dma == IDE_DMA_IN || d->dma == IDE_DMA_OUT;
    if (!sectors) {
        return true;
    }
    if (d->kind != IDE_DISK || d->left == 0) {
        return false;
    }
    if (d->xfer == IDE_XFER_IN || d->xfer == IDE_XFER_OUT) {
        return d->moving && d->end == d->moving * ATA_SECTOR;
    }
    return d->step == IDE_STEP_IN || d->moving != 0;
}
