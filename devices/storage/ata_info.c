/* What an ATA disk says about itself: IDENTIFY DEVICE, SET FEATURES, SMART.
 * ATA/ATAPI-6 (T13/1410D), 8.15 "IDENTIFY DEVICE", 8.46 "SET FEATURES", 8.54 "SMART"; attribute
 * layout: SFF-8035i revision 2.
 * NOT IMPLEMENTED: SMART WRITE LOG, selective self-tests, advanced power management, acoustics. */
#include "devices/storage/ata.h"

#include <string.h>

#include "base/bits.h"

#define GOOD (ATA_DRDY | ATA_DSC)

/* ATA strings: the first character is the high byte of the first word; padded by spaces. */
void ata_string(uint8_t *out, const char *s, unsigned len)
{
    size_t n = strlen(s);
    for (unsigned i = 0; i < len; i++) {
        out[i ^ 1] = i < n ? (uint8_t)s[i] : ' ';
    }
}

static void ata_checksum(uint8_t b[512])
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < 511; i++) {
        sum = (uint8_t)(sum + b[i]);
    }
    b[511] = (uint8_t)-sum;
}

/* The default translation: 16 heads, 63 sectors, at most 16383 cylinders. */
void ata_geometry(const struct ide_drive *d, uint32_t *cylinders)
{
    uint64_t c = d->blk->sectors / (16 * 63);
    *cylinders = c > 16383 ? 16383 : c < 2 ? 2 : (uint32_t)c;
}

void ata_identify(struct ide_drive *d, uint8_t out[512])
{
    uint64_t sectors = d->blk->sectors;
    uint32_t cylinders, now;
    uint16_t w[256] = {0};
    ata_geometry(d, &cylinders);
    uint64_t c = sectors / ((uint32_t)d->heads * d->spt);
    now = c > 65535 ? 65535 : (uint32_t)c;
    uint32_t chs = now * d->heads * d->spt;
    uint32_t lba28 = sectors > 0x0fffffff ? 0x0fffffff : (uint32_t)sectors;
    w[0] = 0x0040;                     /* fixed disk */
    w[1] = (uint16_t)cylinders;
    w[3] = 16;
    w[6] = 63;
    w[20] = 3;                         /* a dual-ported buffer with read-ahead */
    w[21] = IDE_BUF / ATA_SECTOR;
    w[22] = 4;
    w[47] = 0x8000 | ATA_MULTIPLE_MAX;
    w[48] = 1;                         /* 32-bit data port accesses are fine */
    w[49] = 0x0f00;                    /* LBA, DMA, IORDY and its switch */
    w[50] = 0x4000;
    w[51] = w[52] = 0x0200;
    w[53] = 0x0007;                    /* words 54-58, 64-70 and 88 are valid */
    w[54] = (uint16_t)now;
    w[55] = d->heads;
    w[56] = d->spt;
    w[57] = (uint16_t)chs;
    w[58] = (uint16_t)(chs >> 16);
    w[59] = d->multiple ? (uint16_t)(0x0100 | d->multiple) : 0;
    w[60] = (uint16_t)lba28;
    w[61] = (uint16_t)(lba28 >> 16);
    w[63] = 0x0007;                    /* multiword DMA 0-2 */
    w[64] = 0x0003;                    /* PIO 3 and 4 */
    w[65] = w[66] = w[67] = w[68] = 120;
    w[80] = 0x007e;                    /* ATA-1 to ATA/ATAPI-6 */
    w[82] = 0x4069;                    /* NOP, look-ahead, write cache, power management, SMART */
    w[83] = 0x7400;                    /* FLUSH, FLUSH EXT, 48-bit */
    w[84] = 0x4003;                    /* SMART self-test and error log */
    w[85] = (uint16_t)(0x4008 | (d->look_ahead ? 0x40 : 0) | (d->write_cache ? 0x20 : 0) |
                       (d->smart ? 1 : 0));
    w[86] = 0x3400;
    w[87] = 0x4003;
    w[88] = 0x003f;                    /* Ultra DMA 0-5 */
    if ((d->xfer_mode & 0xf8) == 0x20) {
        w[63] |= (uint16_t)(0x0100 << (d->xfer_mode & 7));
    } else if ((d->xfer_mode & 0xf8) == 0x40) {
        w[88] |= (uint16_t)(0x0100 << (d->xfer_mode & 7));
    }
    w[93] = d == &d->ch->drive[0] ? 0x600b : 0x6b00; /* 80-conductor cable, jumpered */
    for (unsigned i = 0; i < 4; i++) {
        w[100 + i] = (uint16_t)(sectors >> (16 * i));
    }
    for (unsigned i = 0; i < 256; i++) {
        store_le16(out + 2 * i, w[i]);
    }
    ata_string(out + 20, d->serial, 20);
    ata_string(out + 46, d->firmware, 8);
    ata_string(out + 54, d->model, 40);
    out[510] = 0xa5;
    ata_checksum(out);
}

static bool ata_set_transfer_mode(struct ide_drive *d)
{
    uint8_t v = d->tf.count, n = v & 7;
    switch (v & 0xf8) {
    case 0x00: /* PIO default, with or without IORDY */
        if (n > 1) {
            return false;
        }
        break;
    case 0x08: /* PIO with flow control */
        if (n > 4) {
            return false;
        }
        return true; /* the DMA mode stays */
    case 0x20:
        if (n > 2) {
            return false;
        }
        break;
    case 0x40:
        if (n > 5) {
            return false;
        }
        break;
    default: return false;
    }
    if (v & 0x60) {
        d->xfer_mode = v;
    }
    return true;
}

bool ata_set_features(struct ide_drive *d)
{
    switch (d->tf.feature) {
    case 0x02: d->write_cache = true; return d->kind == IDE_DISK;
    case 0x82: /* what is still in the cache goes to the medium first */
        if (d->kind != IDE_DISK) {
            return false;
        }
        d->write_cache = false;
        if (d->blk->ops && d->blk->sectors && !d->blk->read_only) {
            d->blk->flushes++;
            return d->blk->ops->flush(d->blk->backend) == BLK_OK;
        }
        return true;
    case 0x03: return ata_set_transfer_mode(d);
    case 0xaa: d->look_ahead = true; return d->kind == IDE_DISK;
    case 0x55: d->look_ahead = false; return d->kind == IDE_DISK;
    case 0x66: d->keep_settings = true; return true;
    case 0xcc: d->keep_settings = false; return true;
    default: return false;
    }
}

/* ---- SMART ---- */

enum { SMART_READ_DATA = 0xd0, SMART_READ_THRESHOLDS = 0xd1, SMART_AUTOSAVE = 0xd2,
       SMART_SAVE = 0xd3, SMART_OFFLINE = 0xd4, SMART_READ_LOG = 0xd5, SMART_ENABLE = 0xd8,
       SMART_DISABLE = 0xd9, SMART_STATUS = 0xda };

struct smart_attribute {
    uint8_t id;
    uint16_t flags;
    uint8_t value, worst, threshold;
    uint8_t raw; /* of a new drive; attribute 9 counts on */
};
static const struct smart_attribute smart_attributes[] = {
    {1, 0x0003, 100, 100, 6, 0},     /* raw read error rate */
    {3, 0x0003, 100, 100, 0, 16},    /* spin-up time */
    {4, 0x0002, 100, 100, 20, 1},    /* start/stop count */
    {5, 0x0003, 100, 100, 36, 0},    /* reallocated sectors */
    {9, 0x0003, 100, 100, 0, 0},     /* power-on hours */
    {12, 0x0003, 100, 100, 0, 1},    /* power cycles */
    {190, 0x0003, 69, 69, 50, 31},   /* airflow temperature */
};

static uint32_t ata_hours(const struct ide_drive *d)
{
    return (uint32_t)(clock_now(d->timer.clock) / (3600 * VTIME_SEC));
}

static void ata_smart_data(struct ide_drive *d, uint8_t b[512])
{
    memset(b, 0, 512);
    store_le16(b, 1);
    for (unsigned i = 0; i < ARRAY_LEN(smart_attributes); i++) {
        const struct smart_attribute *a = &smart_attributes[i];
        uint8_t *e = b + 2 + 12 * i;
        e[0] = a->id;
        store_le16(e + 1, a->flags);
        e[3] = a->value;
        e[4] = a->worst;
        store_le32(e + 5, a->id == 9 ? ata_hours(d) : a->raw);
    }
    b[362] = d->smart_offline ? 0x02 : 0x00; /* off-line collection: done, never started */
    b[363] = 0;                    /* last self-test: no error */
    store_le16(b + 364, 288);
    b[367] = 0x11;                 /* off-line immediate, self-tests; nothing selective */
    store_le16(b + 368, 0x0003);   /* saves attributes, autosave */
    b[370] = 0x01;                 /* error logging */
    b[372] = 2;
    b[373] = 54;
    ata_checksum(b);
}

static void ata_smart_thresholds(uint8_t b[512])
{
    memset(b, 0, 512);
    store_le16(b, 1);
    for (unsigned i = 0; i < ARRAY_LEN(smart_attributes); i++) {
        b[2 + 12 * i] = smart_attributes[i].id;
        b[2 + 12 * i + 1] = smart_attributes[i].threshold;
    }
    ata_checksum(b);
}

/* Self-tests take no time here and find nothing; the log has room for 21 of them as a ring (T5). */
void ata_selftest_log(struct ide_drive *d, uint8_t type)
{
    d->selftest[d->selftest_next] = type;
    d->selftest_hours[d->selftest_next] = (uint16_t)ata_hours(d);
    d->selftest_next = (uint8_t)((d->selftest_next + 1) % ATA_SELFTESTS);
    if (d->selftests < ATA_SELFTESTS) {
        d->selftests++;
    }
}

/* A command as the error log shows it; the log keeps five before each error. */
void ata_log_command(struct ide_drive *d)
{
    uint8_t *c = d->commands[ATA_LOGGED - 1];
    memmove(d->commands[0], d->commands[1], sizeof d->commands - sizeof d->commands[0]);
    c[0] = d->ch->control;
    c[1] = d->tf.feature;
    c[2] = d->tf.count;
    c[3] = d->tf.lba0;
    c[4] = d->tf.lba1;
    c[5] = d->tf.lba2;
    c[6] = d->ch->device | 0xa0;
    c[7] = d->command;
    store_le32(c + 8, (uint32_t)(clock_now(d->timer.clock) / VTIME_MS));
}

/* The medium failed: an entry in the summary error log, a ring of five.  Commands that the host got
 * wrong (no such address, no such command) are not logged, as 8.54.6.8.2 has it. */
void ata_log_error(struct ide_drive *d, uint8_t status, uint8_t error)
{
    uint8_t *e = d->error_log[d->errors % ATA_ERRORS];
    if (!d->smart || d->errors == UINT16_MAX) {
        return;
    }
    memset(e, 0, sizeof d->error_log[0]);
    memcpy(e, d->commands, sizeof d->commands);
    e += sizeof d->commands;
    e[1] = error;
    e[2] = d->tf.count;
    e[3] = d->tf.lba0;
    e[4] = d->tf.lba1;
    e[5] = d->tf.lba2;
    e[6] = d->ch->device | 0xa0;
    e[7] = status;
    e[27] = 0x03; /* active or idle */
    store_le16(e + 28, (uint16_t)ata_hours(d));
    d->errors++;
}

static bool ata_smart_log(struct ide_drive *d, uint8_t b[512])
{
    memset(b, 0, 512);
    switch (d->tf.lba0) {
    case 0: /* log directory: one sector each of logs 1 and 6 */
        store_le16(b, 1);
        b[2] = 1;
        b[12] = 1;
        return true;
    case 1:
        b[0] = 1;
        b[1] = d->errors ? (uint8_t)((d->errors - 1) % ATA_ERRORS + 1) : 0; /* the newest */
        memcpy(b + 2, d->error_log, sizeof d->error_log);
        store_le16(b + 452, d->errors);
        break;
    case 6:
        store_le16(b, 1);
        for (unsigned i = 0; i < d->selftests; i++) {
            uint8_t *e = b + 2 + 24 * i;
            e[0] = d->selftest[i];
            e[1] = 0; /* completed without error */
            store_le16(e + 2, d->selftest_hours[i]);
        }
        if (d->selftests) { /* number of the newest entry, from 1 */
            b[508] = (uint8_t)((d->selftest_next + ATA_SELFTESTS - 1) % ATA_SELFTESTS + 1);
        }
        break;
    default: return false;
    }
    ata_checksum(b);
    return true;
}

static void ata_smart_offline(struct ide_drive *d)
{
    switch (d->tf.lba0) {
    case 0x00: d->smart_offline = true; break; /* data collection: done at once */
    case 0x01: case 0x02: case 0x81: case 0x82: ata_selftest_log(d, d->tf.lba0); break;
    case 0x7f: break; /* abort the running one: none runs */
    default: ide_abort(d); return;
    }
    ide_finish(d, GOOD, 0);
}

void ata_smart(struct ide_drive *d)
{
    uint8_t sub = d->tf.feature;
    if (d->tf.lba1 != 0x4f || d->tf.lba2 != 0xc2 || (!d->smart && sub != SMART_ENABLE)) {
        ide_abort(d);
        return;
    }
    switch (sub) {
    case SMART_READ_DATA: ata_smart_data(d, d->buf); break;
    case SMART_READ_THRESHOLDS: ata_smart_thresholds(d->buf); break;
    case SMART_READ_LOG:
        if (d->tf.count != 1 || !ata_smart_log(d, d->buf)) {
            ide_abort(d);
            return;
        }
        break;
    case SMART_AUTOSAVE:
        if (d->tf.count != 0 && d->tf.count != 0xf1) {
            ide_abort(d);
            return;
        }
        d->smart_autosave = d->tf.count != 0;
        ide_finish(d, GOOD, 0);
        return;
    case SMART_OFFLINE: ata_smart_offline(d); return;
    case SMART_ENABLE: case SMART_DISABLE:
        d->smart = sub == SMART_ENABLE;
        ide_finish(d, GOOD, 0);
        return;
    case SMART_SAVE: case SMART_STATUS: /* LBA mid and high stay 4F C2: no threshold exceeded */
        ide_finish(d, GOOD, 0);
        return;
    default: ide_abort(d); return;
    }
    ide_offer(d, IDE_XFER_IN_ONCE, 512, true);
}
