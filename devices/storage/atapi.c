/* ATAPI transport: the PACKET command, its data blocks, CD frames, medium changes.
 * ATA/ATAPI-6 (T13/1410D), 9.8 "PACKET command protocol"; sense: MMC-3 (T10/1363-D), annex A.
 * NOT IMPLEMENTED: overlap; audio tracks; sub-channel data with READ CD. */
#include "devices/storage/atapi.h"

#include <string.h>

#include "base/bits.h"
#include "devices/storage/ata.h"

#define GOOD (ATA_DRDY | ATA_DSC)
enum { REASON_CD = 1, REASON_IO = 2 }; /* sector count = interrupt reason */
#define CHUNK_TIME (20 * VTIME_US)
#define SEEK_TIME (200 * VTIME_US)
#define BYTES_PER_US 20 /* a fast drive */

bool atapi_loaded(const struct ide_drive *d)
{
    const struct blockdev *b = d->blk;
    return b && b->ops && b->sectors && b->sector_size == CD_FRAME && !d->cd.tray_open;
}

/* Called by the machine after it put in or took out a medium. */
void atapi_media_changed(void *drive)
{
    struct ide_drive *d = drive;
    bool in = d->blk->ops && d->blk->sectors;
    d->cd.attention = true;
    d->cd.event = in ? 2 : 3; /* new media, media removal */
    if (in) {
        d->cd.tray_open = false;
    }
}

void atapi_reset(struct ide_drive *d)
{
    d->cd.key = d->cd.asc = d->cd.ascq = 0;
    d->cd.dma = false;
    d->cd.limit = 2;
    d->cd.chunk_end = 0;
    d->cd.lba = d->cd.left = 0;
    d->cd.frame = 0x10;
    memset(d->cd.cdb, 0, sizeof d->cd.cdb);
    if (d->kind == IDE_CD && d->blk) {
        d->blk->locked = false;
    }
}

/* ---- ends of a packet ---- */

void atapi_done(struct ide_drive *d)
{
    d->tf.count = REASON_CD | REASON_IO;
    ide_finish(d, GOOD, 0);
}

void atapi_good(struct ide_drive *d)
{
    d->cd.key = d->cd.asc = d->cd.ascq = 0;
    atapi_done(d);
}

void atapi_fail(struct ide_drive *d, uint8_t key, uint8_t asc, uint8_t ascq)
{
    d->cd.key = key;
    d->cd.asc = asc;
    d->cd.ascq = ascq;
    d->tf.count = REASON_CD | REASON_IO;
    ide_finish(d, GOOD | ATA_ERR, (uint8_t)(key << 4 | ATA_ABRT));
}

/* ---- frames ---- */

/* READ CD byte 9, for mode 1 data: 80h sync, 20h header (40h sub-header: none), 10h user data,
 * 08h EDC and ECC. */
uint32_t atapi_frame_len(uint8_t parts)
{
    return (parts & 0x80 ? 12u : 0) + (parts & 0x20 ? 4u : 0) + (parts & 0x10 ? CD_FRAME : 0) +
           (parts & 0x08 ? 288u : 0);
}

static uint8_t atapi_bcd(uint32_t v)
{
    return (uint8_t)((v / 10 % 10) << 4 | v % 10);
}

void atapi_put_msf(uint8_t *out, uint32_t lba)
{
    uint32_t last = 255 * 60 * 75 + 59 * 75 + 74; /* a DVD is longer than MSF can say */
    uint32_t f = lba < last - 150 ? lba + 150 : last;
    out[0] = (uint8_t)(f / (75 * 60));
    out[1] = (uint8_t)(f / 75 % 60);
    out[2] = (uint8_t)(f % 75);
}

/* EDC of sync, header and user data: CRC-32, polynomial 8001801Bh reflected (ECMA-130, 14.3). */
static uint32_t atapi_edc(const uint8_t *p, uint32_t len)
{
    uint32_t crc = 0;
    for (uint32_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (unsigned k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xd8018001u : 0);
        }
    }
    return crc;
}

static uint8_t atapi_gf_mul2(uint8_t a)
{
    return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1d : 0));
}

/* b with (2 + 1) * b = a in GF(2^8): needed to close the two check bytes of a vector. */
static uint8_t atapi_gf_div3(uint8_t a)
{
    for (unsigned b = 0; b < 256; b++) {
        if ((uint8_t)(b ^ atapi_gf_mul2((uint8_t)b)) == a) {
            return (uint8_t)b;
        }
    }
    return 0;
}

/* One of the two Reed-Solomon codes over bytes 12.. of a raw frame (ECMA-130, annex A). */
static void atapi_ecc(uint8_t *frame, unsigned major, unsigned minor, unsigned major_mul,
                      unsigned minor_inc, unsigned out)
{
    unsigned size = major * minor;
    const uint8_t *src = frame + 12;
    for (unsigned i = 0; i < major; i++) {
        unsigned at = (i >> 1) * major_mul + (i & 1);
        uint8_t a = 0, b = 0;
        for (unsigned k = 0; k < minor; k++) {
            a = atapi_gf_mul2(a ^ src[at]);
            b ^= src[at];
            at += minor_inc;
            if (at >= size) {
                at -= size;
            }
        }
        /* a now holds the weighted sum shifted by one, b the plain sum */
        uint8_t p = atapi_gf_div3(atapi_gf_mul2(a) ^ b);
        frame[out + i] = p;
        frame[out + major + i] = p ^ b;
    }
}

/* Turn 2048 bytes of user data into the parts of a raw mode 1 frame that were asked for. */
static void atapi_build_frame(const uint8_t *user, uint32_t lba, uint8_t parts, uint8_t *out)
{
    uint8_t raw[2352], msf[3];
    memset(raw, 0xff, 12);
    raw[0] = raw[11] = 0;
    atapi_put_msf(msf, lba);
    for (unsigned i = 0; i < 3; i++) {
        raw[12 + i] = atapi_bcd(msf[i]);
    }
    raw[15] = 1;
    memcpy(raw + 16, user, CD_FRAME);
    memset(raw + 2064, 0, 288);
    if (parts & 0x08) {
        store_le32(raw + 2064, atapi_edc(raw, 2064));
        atapi_ecc(raw, 86, 24, 2, 86, 2076);
        atapi_ecc(raw, 52, 43, 86, 88, 2248);
    }
    static const struct {
        uint8_t bit;
        uint16_t at, len;
    } part[4] = {{0x80, 0, 12}, {0x20, 12, 4}, {0x10, 16, CD_FRAME}, {0x08, 2064, 288}};
    for (unsigned i = 0; i < 4; i++) {
        if (parts & part[i].bit) {
            memcpy(out, raw + part[i].at, part[i].len);
            out += part[i].len;
        }
    }
}

/* Fill buf with as many of the frames still wanted as fit; false: the packet has failed. */
static bool atapi_refill(struct ide_drive *d)
{
    uint32_t frame = atapi_frame_len(d->cd.frame), n = IDE_BUF / frame;
    struct blockdev *b = d->blk;
    enum blk_result r;
    if (n > d->cd.left) {
        n = d->cd.left;
    }
    if (!atapi_loaded(d)) {
        atapi_fail(d, 2, 0x3a, 0);
        return false;
    }
    if (d->cd.lba >= b->sectors || n > b->sectors - d->cd.lba) {
        atapi_fail(d, 5, 0x21, 0);
        return false;
    }
    b->reads++;
    if (frame == CD_FRAME && d->cd.frame == 0x10) {
        r = b->ops->read(b->backend, d->cd.lba, n, d->buf);
    } else {
        uint8_t user[CD_FRAME];
        r = BLK_OK;
        for (uint32_t i = 0; i < n && r == BLK_OK; i++) {
            r = b->ops->read(b->backend, d->cd.lba + i, 1, user);
            if (r == BLK_OK) {
                atapi_build_frame(user, d->cd.lba + i, d->cd.frame, d->buf + i * frame);
            }
        }
    }
    if (r != BLK_OK) {
        atapi_fail(d, r == BLK_ENOMEDIUM ? 2 : 3, r == BLK_ENOMEDIUM ? 0x3a : 0x11, 0);
        return false;
    }
    d->cd.lba += n;
    d->cd.left -= n;
    d->pos = 0;
    d->end = n * frame;
    return true;
}

/* ---- data to the host ---- */

static void atapi_go_in(struct ide_drive *d, vtime delay)
{
    if (d->cd.dma) {
        d->dma = IDE_DMA_PACKET_IN;
        ide_arm(d, IDE_STEP_DMA, delay);
    } else {
        ide_arm(d, IDE_STEP_PACKET_IN, delay);
    }
}

/* A reply of len bytes in buf, cut to what the host allocated. */
void atapi_reply(struct ide_drive *d, uint32_t len, uint32_t alloc)
{
    uint32_t n = len < alloc ? len : alloc;
    d->cd.key = d->cd.asc = d->cd.ascq = 0;
    if (n == 0) {
        atapi_good(d);
        return;
    }
    d->cd.left = 0;
    d->pos = d->cd.chunk_end = 0;
    d->end = n;
    atapi_go_in(d, CHUNK_TIME);
}

/* Frames from the medium; the caller has checked the range. */
void atapi_read(struct ide_drive *d, uint32_t lba, uint32_t frames, uint8_t parts)
{
    d->cd.key = d->cd.asc = d->cd.ascq = 0;
    if (frames == 0) {
        atapi_good(d);
        return;
    }
    d->cd.lba = lba;
    d->cd.left = frames;
    d->cd.frame = parts;
    d->pos = d->end = d->cd.chunk_end = 0;
    atapi_go_in(d, SEEK_TIME);
}

/* Offer the next DRQ block: at most `limit` bytes, never across a refill of buf. */
void atapi_chunk(struct ide_drive *d)
{
    if (d->pos == d->end && (d->cd.left == 0 || !atapi_refill(d))) {
        if (d->cd.left == 0 && d->status & ATA_BSY) {
            atapi_good(d);
        }
        return;
    }
    uint32_t rest = d->end - d->pos, n = rest < d->cd.limit ? rest : d->cd.limit, pos = d->pos;
    uint32_t end = d->end;
    d->tf.count = REASON_IO;
    d->tf.lba1 = (uint8_t)n;
    d->tf.lba2 = (uint8_t)(n >> 8);
    ide_offer(d, IDE_XFER_PACKET_IN, end, true);
    d->pos = pos;
    /* The host reads whole words: let an odd end be one byte longer, of zeros. */
    d->cd.chunk_end = end;
    d->end = pos + ((n + 1) & ~1u);
    if (n & 1) {
        d->buf[pos + n] = 0; /* n is odd only at the end of a reply far shorter than buf */
    }
}

/* cd.chunk_end keeps where the data in buf ends while `end` marks the block on offer. */
void atapi_chunk_read(struct ide_drive *d)
{
    uint32_t end = d->cd.chunk_end;
    if (d->pos > end) {
        d->pos = end;
    }
    d->end = end;
    d->cd.chunk_end = 0;
    if (d->pos == d->end && d->cd.left == 0) {
        ide_arm(d, IDE_STEP_PACKET_DONE, CHUNK_TIME);
    } else {
        ide_arm(d, IDE_STEP_PACKET_IN, CHUNK_TIME + (d->pos == d->end ? SEEK_TIME / 4 : 0));
    }
}

/* ---- data from the host ---- */

void atapi_accept(struct ide_drive *d, uint32_t len)
{
    uint32_t n = len < d->cd.limit ? len : d->cd.limit;
    d->pos = 0;
    d->end = len;
    if (d->cd.dma) {
        d->dma = IDE_DMA_PACKET_OUT;
        ide_arm(d, IDE_STEP_DMA, CHUNK_TIME);
        return;
    }
    d->tf.count = 0;
    d->tf.lba1 = (uint8_t)n;
    d->tf.lba2 = (uint8_t)(n >> 8);
    ide_offer(d, IDE_XFER_PACKET_OUT, (n + 1) & ~1u, true);
    d->cd.chunk_end = len;
}

void atapi_chunk_written(struct ide_drive *d)
{
    uint32_t len = d->cd.chunk_end, pos = d->pos;
    if (pos >= len) {
        d->end = len;
        d->pos = 0;
        d->cd.chunk_end = 0;
        ide_arm(d, IDE_STEP_PACKET_OUT, CHUNK_TIME);
        return;
    }
    uint32_t n = len - pos < d->cd.limit ? len - pos : d->cd.limit;
    d->tf.lba1 = (uint8_t)n;
    d->tf.lba2 = (uint8_t)(n >> 8);
    ide_offer(d, IDE_XFER_PACKET_OUT, pos + ((n + 1) & ~1u), true);
    d->pos = pos;
}

void atapi_parameters(struct ide_drive *d)
{
    atapi_mode_select(d, d->end);
}

/* ---- bus master ---- */

void atapi_dma(struct ide_drive *d)
{
    if (!ide_dma_ready(d)) {
        return;
    }
    if (d->dma == IDE_DMA_PACKET_OUT) {
        if (bmdma_copy(ide_bm(d), d->buf, d->end, false) == d->end) {
            d->dma = IDE_DMA_NONE;
            atapi_mode_select(d, d->end);
            return;
        }
    } else {
        if (d->pos == d->end && (d->cd.left == 0 || !atapi_refill(d))) {
            return;
        }
        uint32_t n = d->end - d->pos;
        if (bmdma_copy(ide_bm(d), d->buf + d->pos, n, true) == n) {
            d->pos = d->end;
            if (d->cd.left == 0) {
                atapi_done(d);
                return;
            }
            if (bmdma_active(ide_bm(d))) {
                ide_arm(d, IDE_STEP_DMA, (n / BYTES_PER_US + 1) * VTIME_US);
                return;
            }
        }
    }
    /* the table was too short: the bus master goes inactive without an interrupt */
    d->tf.count = REASON_CD | REASON_IO;
    ide_settle(d, GOOD, 0);
}

/* ---- ATA commands of a packet device ---- */

/* PACKET: the byte count limit must be even, unless all fits in one block; 0 and FFFFh mean the
 * largest (T9). */
static void atapi_packet_command(struct ide_drive *d)
{
    uint32_t limit = d->tf.lba1 | (uint32_t)d->tf.lba2 << 8;
    if (d->tf.feature & 2) { /* overlapped */
        ide_abort(d);
        return;
    }
    limit &= 0xfffe;
    d->cd.limit = limit ? limit : 0xfffe;
    d->cd.dma = d->tf.feature & 1;
    d->tf.count = REASON_CD;
    ide_offer(d, IDE_XFER_CDB, sizeof d->cd.cdb, false);
}

void atapi_command(struct ide_drive *d)
{
    switch (d->command) {
    case 0xa0: atapi_packet_command(d); break;
    case 0xa1:
        atapi_identify(d, d->buf);
        ide_offer(d, IDE_XFER_IN_ONCE, 512, true);
        break;
    case 0xef:
        if (ata_set_features(d)) {
            ide_finish(d, GOOD, 0);
        } else {
            ide_abort(d);
        }
        break;
    case 0x94: case 0x96: case 0xe0: case 0xe2: /* standby */
        d->power = 0x00;
        ide_finish(d, GOOD, 0);
        break;
    case 0x95: case 0x97: case 0xe1: case 0xe3: /* idle */
        d->power = 0x80;
        ide_finish(d, GOOD, 0);
        break;
    case 0x98: case 0xe5:
        d->tf.count = d->power;
        ide_finish(d, GOOD, 0);
        break;
    case 0x99: case 0xe6:
        d->power = 0;
        d->asleep = true;
        ide_finish(d, GOOD, 0);
        break;
    case 0xe7: ide_finish(d, GOOD, 0); break; /* FLUSH CACHE: nothing is ever dirty */
    case 0x20: case 0x21: case 0xec: /* how a host tells us from a disk */
        ide_signature(d);
        ide_finish(d, GOOD | ATA_ERR, ATA_ABRT);
        break;
    default: ide_abort(d); break; /* T10: disk commands have no meaning here */
    }
}

void atapi_packet(struct ide_drive *d)
{
    d->power = 0xff;
    d->pos = d->end = 0;
    atapi_execute(d);
}

bool atapi_snap_ok(const struct ide_drive *d)
{
    const struct atapi *cd = &d->cd;
    bool packet = d->xfer >= IDE_XFER_CDB || (d->step >= IDE_STEP_PACKET &&
                  d->step <= IDE_STEP_PACKET_DONE) || d->dma >= IDE_DMA_PACKET_IN;
    uint32_t frame = atapi_frame_len(cd->frame);
    if (cd->limit < 2 || cd->limit > 0xfffe || (cd->limit & 1) || cd->chunk_end > IDE_BUF ||
        frame == 0 || (packet && d->kind != IDE_CD)) {
        return false;
    }
    if (d->xfer == IDE_XFER_PACKET_IN || d->xfer == IDE_XFER_PACKET_OUT) {
        return cd->chunk_end + 1 >= d->end;
    }
    return true;
}
