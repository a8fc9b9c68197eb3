/* Commands of the 82077AA floppy disk controller: media, execution, results.
 * Intel 82077AA (290166), "Command Set / Descriptions" and "Status Register Encoding".
 *
 * NOT IMPLEMENTED: see fdc82077.c. */
#include <string.h>

#include "base/bits.h"
#include "devices/storage/fdc82077_internal.h"

#define FDC_SECTOR_NS (200 * VTIME_US)
#define FDC_STEP_NS (40 * VTIME_US)

enum { ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_READY_CHANGE = 0xc0, ST0_SE = 0x20,
       ST0_EC = 0x10 };
enum { ST1_EN = 0x80, ST1_DE = 0x20, ST1_ND = 0x04, ST1_NW = 0x02, ST1_MA = 0x01 };
enum { ST2_CM = 0x40, ST2_DD = 0x20, ST2_WC = 0x10, ST2_SH = 0x08, ST2_SN = 0x04, ST2_BC = 0x02 };
enum { CMD_MT = 0x80, CMD_MFM = 0x40, CMD_SK = 0x20 };

enum fdc_op {
    OP_INVALID, OP_READ_TRACK, OP_SPECIFY, OP_SENSE_DRIVE, OP_WRITE, OP_READ, OP_RECALIBRATE,
    OP_SENSE_INT, OP_WRITE_DELETED, OP_READ_ID, OP_READ_DELETED, OP_FORMAT, OP_DUMPREG, OP_SEEK,
    OP_VERSION, OP_SCAN_EQUAL, OP_PERPENDICULAR, OP_CONFIGURE, OP_LOCK, OP_VERIFY, OP_SCAN_LOW,
    OP_SCAN_HIGH, OP_RELATIVE_SEEK
};

/* 82077AA, table 5-1: command bytes, and how many there are with the first. */
static const struct fdc_command {
    uint8_t mask, value, len, op;
} fdc_commands[] = {
    {0x1f, 0x06, 9, OP_READ},          {0x3f, 0x05, 9, OP_WRITE},
    {0xff, 0x08, 1, OP_SENSE_INT},     {0xff, 0x0f, 3, OP_SEEK},
    {0xff, 0x07, 2, OP_RECALIBRATE},   {0xff, 0x04, 2, OP_SENSE_DRIVE},
    {0xff, 0x03, 3, OP_SPECIFY},       {0xbf, 0x0a, 2, OP_READ_ID},
    {0xbf, 0x0d, 6, OP_FORMAT},        {0x9f, 0x02, 9, OP_READ_TRACK},
    {0x1f, 0x0c, 9, OP_READ_DELETED},  {0x3f, 0x09, 9, OP_WRITE_DELETED},
    {0x1f, 0x16, 9, OP_VERIFY},        {0x1f, 0x11, 9, OP_SCAN_EQUAL},
    {0x1f, 0x19, 9, OP_SCAN_LOW},      {0x1f, 0x1d, 9, OP_SCAN_HIGH},
    {0xff, 0x10, 1, OP_VERSION},       {0xff, 0x12, 2, OP_PERPENDICULAR},
    {0xff, 0x13, 4, OP_CONFIGURE},     {0xff, 0x0e, 1, OP_DUMPREG},
    {0x7f, 0x14, 1, OP_LOCK},          {0xbf, 0x8f, 3, OP_RELATIVE_SEEK},
};

static const struct fdc_command *fdc_decode(uint8_t byte)
{
    static const struct fdc_command invalid = {0, 0, 1, OP_INVALID};
    for (unsigned i = 0; i < ARRAY_LEN(fdc_commands); i++) {
        if ((byte & fdc_commands[i].mask) == fdc_commands[i].value) {
            return &fdc_commands[i];
        }
    }
    return &invalid;
}

uint8_t fdc_command_len(uint8_t first)
{
    return fdc_decode(first)->len;
}

/* --- media ---------------------------------------------------------------------------------- */

enum { RATE_500K = 1 << 0, RATE_300K = 1 << 1, RATE_250K = 1 << 2, RATE_1M = 1 << 3 };

static const struct fdc_format {
    uint16_t total;
    uint8_t type;
    struct fdc_geometry g;
} fdc_formats[] = {
    {320, FDC_360K, {40, 1, 8, RATE_250K | RATE_300K}},
    {360, FDC_360K, {40, 1, 9, RATE_250K | RATE_300K}},
    {640, FDC_360K, {40, 2, 8, RATE_250K | RATE_300K}},
    {720, FDC_360K, {40, 2, 9, RATE_250K | RATE_300K}},
    {1280, FDC_720K, {80, 2, 8, RATE_250K | RATE_300K}},
    {1440, FDC_720K, {80, 2, 9, RATE_250K | RATE_300K}},
    {2400, FDC_1200K, {80, 2, 15, RATE_500K}},
    {2880, FDC_1440K, {80, 2, 18, RATE_500K}},
    {3360, FDC_1440K, {80, 2, 21, RATE_500K}},
    {3444, FDC_1440K, {82, 2, 21, RATE_500K}},
    {5760, FDC_2880K, {80, 2, 36, RATE_1M}},
};

/* An odd size is the start of the next bigger disk of the common kinds: 1.44 MB, else 2.88 MB. */
static const struct fdc_format *fdc_format(uint64_t sectors)
{
    const struct fdc_format *odd = NULL;
    for (unsigned i = 0; i < ARRAY_LEN(fdc_formats); i++) {
        if (fdc_formats[i].total == sectors) {
            return &fdc_formats[i];
        }
        if (!odd && sectors < fdc_formats[i].total &&
            (fdc_formats[i].total == 2880 || fdc_formats[i].total == 5760)) {
            odd = &fdc_formats[i];
        }
    }
    return odd ? odd : &fdc_formats[ARRAY_LEN(fdc_formats) - 1];
}

enum fdc_drive_type fdc82077_type_for(uint64_t sectors)
{
    return sectors ? fdc_format(sectors)->type : FDC_1440K;
}

bool fdc_medium(const struct fdc_drive *d)
{
    return d->type && d->blk && d->blk->ops && d->blk->sectors && d->blk->sector_size == FDC_SECTOR;
}

static struct fdc_geometry fdc_geometry(const struct fdc_drive *d)
{
    return fdc_medium(d) ? fdc_format(d->blk->sectors)->g : (struct fdc_geometry){0};
}

/* A 1.2 MB drive has twice the tracks of a 360 KB disk. */
static unsigned fdc_disk_track(const struct fdc_drive *d, const struct fdc_geometry *g)
{
    return d->type == FDC_1200K && g->tracks == 40 ? d->track / 2 : d->track;
}

/* --- wires ---------------------------------------------------------------------------------- */

bool fdc_dma_mode(const struct fdc82077 *f)
{
    return !(f->hlt_nd & 1);
}

static bool fdc_interrupt(const struct fdc82077 *f)
{
    bool on = f->int_result || (f->xfer && !fdc_dma_mode(f));
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        on |= f->drive[i].int_pending;
    }
    return on && (f->dor & DOR_DMAGATE);
}

/* Raising DRQ may run the whole transfer before irq_set() returns: always the last thing done. */
void fdc_update(struct fdc82077 *f)
{
    irq_set(&f->irq, fdc_interrupt(f));
    irq_set(&f->drq, f->xfer && fdc_dma_mode(f) && (f->dor & DOR_DMAGATE));
}

static struct fdc_drive *fdc_selected(struct fdc82077 *f)
{
    return &f->drive[f->cmd[1] & 3];
}

/* --- results -------------------------------------------------------------------------------- */

void fdc_idle(struct fdc82077 *f)
{
    f->phase = FDC_COMMAND;
    f->cmd_pos = 0;
    f->cmd_len = 0;
    f->res_len = f->res_pos = 0;
}

static void fdc_results(struct fdc82077 *f, const uint8_t *bytes, uint8_t n)
{
    memcpy(f->result, bytes, n);
    f->res_len = n;
    f->res_pos = 0;
    f->phase = FDC_RESULT;
}

static void fdc_finish(struct fdc82077 *f)
{
    if (f->st1 & (ST1_EN | ST1_DE | ST1_ND | ST1_NW | ST1_MA)) {
        f->st0 |= ST0_ABNORMAL;
    }
    f->st0 = (uint8_t)((f->st0 & ~4) | f->head << 2);
    const uint8_t r[7] = {f->st0, f->st1, f->st2, f->c, f->h, f->r, f->n};
    f->xfer = false;
    f->int_result = true;
    fdc_results(f, r, 7);
    fdc_update(f);
}

/* --- data transfer commands ----------------------------------------------------------------- */

/* The medium under the head can be read at all: there, at the right rate, the track formatted. */
static bool fdc_readable(struct fdc82077 *f, struct fdc_geometry *g)
{
    const struct fdc_drive *d = fdc_selected(f);
    *g = fdc_geometry(d);
    bool ok = g->sectors && (f->cmd[0] & CMD_MFM) && (g->rates >> (f->dsr & 3) & 1) &&
              fdc_disk_track(d, g) < g->tracks && f->head < g->heads;
    if (!ok) {
        f->st1 |= ST1_MA;
    }
    return ok;
}

/* Look for the sector ID in c, h, r, n. */
static bool fdc_find(struct fdc82077 *f, uint64_t *lba)
{
    const struct fdc_drive *d = fdc_selected(f);
    struct fdc_geometry g;
    if (!fdc_readable(f, &g)) {
        return false;
    }
    unsigned track = fdc_disk_track(d, &g);
    if (f->c != track) {
        f->st1 |= ST1_ND;
        f->st2 |= f->c == 0xff ? ST2_BC : ST2_WC;
        return false;
    }
    if (f->h != f->head || f->n != 2 || f->r == 0 || f->r > g.sectors) {
        f->st1 |= ST1_ND;
        return false;
    }
    *lba = (track * g.heads + f->head) * (uint64_t)g.sectors + f->r - 1;
    return true;
}

static bool fdc_read_sector(struct fdc82077 *f, uint64_t lba)
{
    struct blockdev *blk = fdc_selected(f)->blk;
    memset(f->buf, 0, sizeof f->buf);
    if (lba >= blk->sectors) { /* the image is shorter than its disk */
        return true;
    }
    blk->reads++;
    if (blk->ops->read(blk->backend, lba, 1, f->buf) != BLK_OK) {
        f->st1 |= ST1_DE;
        f->st2 |= ST2_DD;
        return false;
    }
    return true;
}

static bool fdc_write_sector(struct fdc82077 *f, uint64_t lba)
{
    struct blockdev *blk = fdc_selected(f)->blk;
    if (blk->read_only) {
        f->st1 |= ST1_NW;
        return false;
    }
    blk->writes++;
    if (lba >= blk->sectors || blk->ops->write(blk->backend, lba, 1, f->buf) != BLK_OK) {
        f->st1 |= ST1_DE;
        f->st2 |= ST2_DD;
        return false;
    }
    return true;
}

/* 82077AA, table 5-4: the ID after this sector; false at the end of the cylinder. */
static bool fdc_next(struct fdc82077 *f, uint8_t by)
{
    if (f->r + by <= f->eot) {
        f->r = (uint8_t)(f->r + by);
        return true;
    }
    f->r = 1;
    if ((f->cmd[0] & CMD_MT) && f->head == 0) {
        f->head = 1;
        f->h ^= 1;
        return true;
    }
    if (f->cmd[0] & CMD_MT) {
        f->h ^= 1;
    }
    f->c++;
    return false;
}

static void fdc_want(struct fdc82077 *f, uint16_t len)
{
    f->pos = 0;
    f->xfer_len = len;
    f->xfer = true;
    fdc_update(f);
}

static void fdc_again(struct fdc82077 *f)
{
    vtimer_arm(&f->step, clock_now(f->clk) + FDC_SECTOR_NS);
    fdc_update(f);
}

/* SCAN: every byte of the disk against the host's; FFh from the host matches anything. */
static bool fdc_scan_match(struct fdc82077 *f, uint64_t lba, enum fdc_op op)
{
    uint8_t host[FDC_SECTOR];
    int cmp = 0;
    memcpy(host, f->buf, sizeof host);
    if (!fdc_read_sector(f, lba)) {
        return true;
    }
    for (unsigned i = 0; i < FDC_SECTOR && cmp == 0; i++) {
        if (host[i] != 0xff && host[i] != f->buf[i]) {
            cmp = f->buf[i] < host[i] ? -1 : 1;
        }
    }
    f->st2 &= (uint8_t)~(ST2_SH | ST2_SN);
    if (cmp == 0) {
        f->st2 |= ST2_SH;
        return true;
    }
    if ((op == OP_SCAN_LOW && cmp < 0) || (op == OP_SCAN_HIGH && cmp > 0)) {
        return true;
    }
    f->st2 |= ST2_SN;
    return false;
}

static void fdc_format_one(struct fdc82077 *f, bool tc)
{
    struct fdc_drive *d = fdc_selected(f);
    struct fdc_geometry g = fdc_geometry(d);
    uint8_t id[4];
    memcpy(id, f->buf, 4);
    f->c = id[0];
    f->h = id[1];
    f->r = id[2];
    if (!g.sectors) {
        f->st1 |= ST1_MA;
        fdc_finish(f);
        return;
    }
    unsigned track = fdc_disk_track(d, &g);
    if (id[0] == track && id[1] == f->head && id[2] && id[2] <= g.sectors && id[3] == 2 &&
        track < g.tracks && f->head < g.heads) {
        memset(f->buf, f->cmd[5], sizeof f->buf);
        fdc_write_sector(f, (track * g.heads + f->head) * (uint64_t)g.sectors + id[2] - 1);
    }
    if (tc || f->st1 || f->left <= 1) {
        fdc_finish(f);
        return;
    }
    f->left--;
    fdc_again(f);
}

/* The host has given or taken xfer_len bytes, or DMA said TC. */
static void fdc_transferred(struct fdc82077 *f, bool tc)
{
    enum fdc_op op = fdc_decode(f->cmd[0])->op;
    uint64_t lba = 0;
    uint8_t by = 1;
    bool more;
    f->xfer = false;
    switch (op) {
    case OP_FORMAT: fdc_format_one(f, tc); return;
    case OP_WRITE: case OP_WRITE_DELETED:
        memset(f->buf + f->pos, 0, FDC_SECTOR - f->pos); /* TC within a sector */
        if (!fdc_find(f, &lba) || !fdc_write_sector(f, lba)) {
            fdc_finish(f);
            return;
        }
        break;
    case OP_SCAN_EQUAL: case OP_SCAN_LOW: case OP_SCAN_HIGH:
        memset(f->buf + f->pos, 0xff, FDC_SECTOR - f->pos);
        by = f->cmd[8] == 2 ? 2 : 1;
        if (!fdc_find(f, &lba) || fdc_scan_match(f, lba, op)) {
            fdc_finish(f);
            return;
        }
        break;
    case OP_READ_DELETED: /* a sector with the other mark ends the command at its own address */
        f->st2 |= ST2_CM;
        fdc_finish(f);
        return;
    case OP_READ_TRACK:
        f->r++;
        if (tc || f->left <= 1) {
            fdc_finish(f);
            return;
        }
        f->left--;
        fdc_again(f);
        return;
    default: break;
    }
    more = fdc_next(f, by);
    if (!tc && more) {
        fdc_again(f);
        return;
    }
    if (!tc && by == 1 && !(f->st2 & ST2_SN)) {
        f->st1 |= ST1_EN;
    }
    fdc_finish(f);
}

static void fdc_verify_step(struct fdc82077 *f)
{
    uint64_t lba = 0;
    bool count = f->cmd[1] & 0x80; /* EC: as many as DTL says */
    if (!fdc_find(f, &lba) || !fdc_read_sector(f, lba)) {
        fdc_finish(f);
        return;
    }
    bool more = fdc_next(f, 1), last = count && f->left <= 1;
    f->left -= f->left != 0;
    if (last || (!more && !count)) {
        fdc_finish(f);
    } else if (!more) {
        f->st1 |= ST1_EN;
        fdc_finish(f);
    } else {
        fdc_again(f);
    }
}

/* READ DELETED DATA with SK: sectors with the plain mark, all that there are, are passed over. */
static bool fdc_skips(struct fdc82077 *f)
{
    if (fdc_decode(f->cmd[0])->op != OP_READ_DELETED || !(f->cmd[0] & CMD_SK)) {
        return false;
    }
    f->st2 |= ST2_CM;
    if (fdc_next(f, 1)) {
        fdc_again(f);
    } else {
        fdc_finish(f);
    }
    return true;
}

static void fdc_read_track_step(struct fdc82077 *f)
{
    struct fdc_geometry g;
    struct fdc_drive *d = fdc_selected(f);
    if (!fdc_readable(f, &g)) {
        fdc_finish(f);
        return;
    }
    unsigned i = (f->eot - f->left) % g.sectors; /* from the index hole on, whatever the IDs */
    unsigned track = fdc_disk_track(d, &g);
    if (f->c != track || f->h != f->head || f->n != 2 || f->r != i + 1) {
        f->st1 |= ST1_ND;
    }
    if (!fdc_read_sector(f, (track * g.heads + f->head) * (uint64_t)g.sectors + i)) {
        fdc_finish(f);
        return;
    }
    fdc_want(f, FDC_SECTOR);
}

static void fdc_read_id_step(struct fdc82077 *f)
{
    struct fdc_geometry g;
    if (fdc_readable(f, &g)) {
        f->c = (uint8_t)fdc_disk_track(fdc_selected(f), &g);
        f->h = f->head;
        f->r = (uint8_t)(clock_now(f->clk) / FDC_SECTOR_NS % g.sectors + 1);
        f->n = 2;
    }
    fdc_finish(f);
}

static void fdc_format_step(struct fdc82077 *f)
{
    struct fdc_geometry g;
    if (!fdc_readable(f, &g)) {
        fdc_finish(f);
        return;
    }
    if (fdc_selected(f)->blk->read_only) {
        f->st1 |= ST1_NW;
    } else if (f->n != 2) {
        f->st1 |= ST1_ND;
    }
    if (f->st1 || !f->left) {
        fdc_finish(f);
        return;
    }
    fdc_want(f, 4);
}

/* The head has come to the next sector. */
void fdc_step(void *owner, vtime now)
{
    struct fdc82077 *f = owner;
    uint64_t lba = 0;
    (void)now;
    if (f->resetting) {
        f->resetting = false;
        for (unsigned i = 0; i < FDC_DRIVES && !(f->config & CFG_POLL); i++) {
            f->drive[i].int_pending = true;
            f->drive[i].int_st0 = (uint8_t)(ST0_READY_CHANGE | i);
        }
        fdc_update(f);
        return;
    }
    if (f->phase != FDC_EXECUTE || f->xfer) {
        return;
    }
    switch (fdc_decode(f->cmd[0])->op) {
    case OP_READ_ID: fdc_read_id_step(f); return;
    case OP_FORMAT: fdc_format_step(f); return;
    case OP_READ_TRACK: fdc_read_track_step(f); return;
    case OP_VERIFY: fdc_verify_step(f); return;
    case OP_READ: case OP_READ_DELETED:
        if (!fdc_find(f, &lba) || !fdc_read_sector(f, lba)) {
            fdc_finish(f);
            return;
        }
        if (fdc_skips(f)) {
            return;
        }
        break;
    case OP_WRITE: case OP_WRITE_DELETED:
        if (fdc_find(f, &lba) && fdc_selected(f)->blk->read_only) {
            f->st1 |= ST1_NW;
        }
        if (f->st1) {
            fdc_finish(f);
            return;
        }
        break;
    default: /* the scans */
        if (!fdc_find(f, &lba)) {
            fdc_finish(f);
            return;
        }
    }
    fdc_want(f, FDC_SECTOR);
}

bool fdc_to_host(const struct fdc82077 *f)
{
    switch (fdc_decode(f->cmd[0])->op) {
    case OP_READ: case OP_READ_DELETED: case OP_READ_TRACK: return true;
    default: return false;
    }
}

/* One byte of the execution phase, by DMA or through the FIFO. */
uint8_t fdc_byte(struct fdc82077 *f, uint8_t val, bool tc)
{
    uint8_t out = f->buf[f->pos];
    if (!fdc_to_host(f)) {
        f->buf[f->pos] = val;
    }
    f->pos++;
    if (tc || f->pos >= f->xfer_len) {
        fdc_transferred(f, tc);
    }
    return out;
}

void fdc82077_dack(void *dev, enum i8237_cycle cycle, uint16_t *data, bool tc)
{
    struct fdc82077 *f = dev;
    (void)cycle;
    if (f->xfer && fdc_dma_mode(f)) {
        *data = fdc_byte(f, (uint8_t)*data, tc);
    }
}

static void fdc_start_data(struct fdc82077 *f, enum fdc_op op)
{
    struct fdc_drive *d = fdc_selected(f);
    vtime delay = FDC_SECTOR_NS;
    f->phase = FDC_EXECUTE;
    f->st0 = f->cmd[1] & 7;
    f->st1 = f->st2 = 0;
    f->head = f->cmd[1] >> 2 & 1;
    f->xfer = false;
    f->left = 0;
    if (op == OP_FORMAT) {
        f->c = d->pcn;
        f->h = f->head;
        f->r = 1;
        f->n = f->cmd[2];
        f->left = f->cmd[3];
    } else if (op != OP_READ_ID) {
        f->c = f->cmd[2];
        f->h = f->cmd[3];
        f->r = f->cmd[4];
        f->n = f->cmd[5];
        f->eot = f->eot_last = f->cmd[6];
        f->left = op == OP_VERIFY ? f->cmd[8] : f->eot;
        if ((f->config & CFG_EIS) && d->pcn != f->c && d->type) { /* implied seek */
            unsigned to = f->c < FDC_LAST_TRACK ? f->c : FDC_LAST_TRACK;
            delay += FDC_STEP_NS * (d->track > to ? d->track - to : to - d->track);
            d->track = (uint8_t)to;
            d->pcn = f->c;
            d->changed &= !fdc_medium(d);
        }
        if (op == OP_READ_TRACK && !f->left) {
            f->left = f->eot = 1;
        }
    }
    vtimer_arm(&f->step, clock_now(f->clk) + delay);
}

/* --- seeks ---------------------------------------------------------------------------------- */

void fdc_seek_done(void *owner, vtime now)
{
    struct fdc_drive *d = owner;
    (void)now;
    if (d->type && d->track != d->seek_to) {
        d->track = d->seek_to;
        if (fdc_medium(d)) {
            d->changed = false; /* a step pulse with a disk in */
        }
    }
    d->int_pending = true;
    fdc_update(d->fdc);
}

static void fdc_start_seek(struct fdc82077 *f, struct fdc_drive *d, int pcn, int track)
{
    track = track < 0 ? 0 : track > FDC_LAST_TRACK ? FDC_LAST_TRACK : track;
    unsigned steps = (unsigned)(track > d->track ? track - d->track : d->track - track);
    d->seek_to = (uint8_t)track;
    d->pcn = (uint8_t)pcn;
    d->int_pending = false;
    d->int_st0 = (uint8_t)(ST0_SE | (f->cmd[1] & 7));
    vtimer_arm(&d->seek, clock_now(f->clk) + FDC_STEP_NS * (steps + 4));
    fdc_idle(f);
    fdc_update(f);
}

static void fdc_recalibrate(struct fdc82077 *f)
{
    struct fdc_drive *d = fdc_selected(f);
    bool found = d->type && d->track <= 79; /* 79 pulses at most */
    fdc_start_seek(f, d, 0, d->track - 79);
    d->int_st0 = (uint8_t)(ST0_SE | (f->cmd[1] & 3) | (found ? 0 : ST0_ABNORMAL | ST0_EC));
}

static void fdc_sense_interrupt(struct fdc82077 *f)
{
    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        struct fdc_drive *d = &f->drive[i];
        if (d->int_pending) {
            const uint8_t r[2] = {d->int_st0, d->pcn};
            d->int_pending = false;
            fdc_results(f, r, 2);
            fdc_update(f);
            return;
        }
    }
    fdc_results(f, &(uint8_t){ST0_INVALID}, 1);
}

/* --- the other commands --------------------------------------------------------------------- */

static void fdc_sense_drive(struct fdc82077 *f)
{
    struct fdc_drive *d = fdc_selected(f);
    uint8_t st3 = 0x28 | (f->cmd[1] & 7); /* ready, two sides */
    if (d->type && d->track == 0) {
        st3 |= 0x10;
    }
    if (fdc_medium(d) && d->blk->read_only) {
        st3 |= 0x40;
    }
    fdc_results(f, &st3, 1);
}

static void fdc_dumpreg(struct fdc82077 *f)
{
    const uint8_t r[10] = {
        f->drive[0].pcn, f->drive[1].pcn, f->drive[2].pcn, f->drive[3].pcn, f->srt_hut, f->hlt_nd,
        f->eot_last, (uint8_t)(f->lock << 7 | (f->perpendicular & 0x3f)), f->config, f->pretrk};
    fdc_results(f, r, 10);
}

void fdc_execute(struct fdc82077 *f)
{
    enum fdc_op op = fdc_decode(f->cmd[0])->op;
    struct fdc_drive *d = fdc_selected(f);
    switch (op) {
    case OP_INVALID: fdc_results(f, &(uint8_t){ST0_INVALID}, 1); return;
    case OP_SENSE_INT: fdc_sense_interrupt(f); return;
    case OP_SENSE_DRIVE: fdc_sense_drive(f); return;
    case OP_VERSION: fdc_results(f, &(uint8_t){0x90}, 1); return;
    case OP_DUMPREG: fdc_dumpreg(f); return;
    case OP_LOCK:
        f->lock = f->cmd[0] & 0x80;
        fdc_results(f, &(uint8_t){(uint8_t)(f->lock << 4)}, 1);
        return;
    case OP_SPECIFY:
        f->srt_hut = f->cmd[1];
        f->hlt_nd = f->cmd[2];
        break;
    case OP_CONFIGURE:
        f->config = f->cmd[2] & 0x7f;
        f->pretrk = f->cmd[3];
        break;
    case OP_PERPENDICULAR:
        if (f->cmd[1] & 0x80) { /* OW */
            f->perpendicular = f->cmd[1] & 0x3f;
        } else {
            f->perpendicular = (uint8_t)((f->perpendicular & 0x3c) | (f->cmd[1] & 3));
        }
        break;
    case OP_RECALIBRATE: fdc_recalibrate(f); return;
    case OP_SEEK:
        fdc_start_seek(f, d, f->cmd[2], d->track + f->cmd[2] - d->pcn);
        return;
    case OP_RELATIVE_SEEK: {
        int by = f->cmd[0] & 0x40 ? f->cmd[2] : -f->cmd[2];
        fdc_start_seek(f, d, d->pcn + by, d->track + by);
        return;
    }
    default: fdc_start_data(f, op); return;
    }
    fdc_idle(f);
}
