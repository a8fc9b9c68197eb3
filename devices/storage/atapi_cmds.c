/* CD/DVD-ROM drive: packet commands.
 * MMC-3 (T10/1363-D), clause 6 "Commands"; SFF-8020i revision 2.6 for mode page 2Ah and IDENTIFY.
 * NOT IMPLEMENTED (refused, 05/20/00): audio play, writing, changers, READ DVD STRUCTURE and key
 * exchange, GET PERFORMANCE; one data track in one session is all a medium has. */
#include <string.h>

#include "base/bits.h"
#include "devices/storage/ata.h"
#include "devices/storage/atapi.h"

enum { SENSE_NOT_READY = 2, SENSE_ILLEGAL = 5, SENSE_ATTENTION = 6 };
enum { ASC_OPCODE = 0x20, ASC_RANGE = 0x21, ASC_FIELD = 0x24, ASC_LIST_LEN = 0x1a,
       ASC_LIST_FIELD = 0x26, ASC_NO_MEDIUM = 0x3a, ASC_CHANGED = 0x28, ASC_SAVING = 0x39,
       ASC_PREVENTED = 0x53, ASC_MODE_FOR_TRACK = 0x64 };
#define CD_SPEED_MIN 176u  /* KB/s: 1 x */
#define CD_SPEED_MAX 8467u /* 48 x */
#define CD_MAX_FRAMES 450000u /* 100 minutes; more is a DVD */

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)be16(p) << 16 | be16(p + 2);
}
static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static uint32_t atapi_frames(const struct ide_drive *d)
{
    uint64_t n = atapi_loaded(d) ? d->blk->sectors : 0;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void atapi_bad_field(struct ide_drive *d)
{
    atapi_fail(d, SENSE_ILLEGAL, ASC_FIELD, 0);
}

/* 3A/01 tray closed, 3A/02 tray open */
static void atapi_no_medium(struct ide_drive *d)
{
    atapi_fail(d, SENSE_NOT_READY, ASC_NO_MEDIUM, d->cd.tray_open ? 2 : 1);
}

/* ---- who are you ---- */

void atapi_identify(struct ide_drive *d, uint8_t out[512])
{
    memset(out, 0, 512);
    store_le16(out, 0x85c0);             /* ATAPI, CD, removable, DRQ in 50 us, 12-byte packets */
    ata_string(out + 20, d->serial, 20);
    store_le16(out + 40, 3);
    store_le16(out + 42, IDE_BUF / 512);
    ata_string(out + 46, d->firmware, 8);
    ata_string(out + 54, d->model, 40);
    store_le16(out + 96, 1);
    store_le16(out + 98, 0x0f00);        /* DMA, LBA, IORDY */
    store_le16(out + 106, 0x0006);       /* words 64-70 and 88 are valid */
    uint16_t mw = 7, ud = 0x003f;
    if ((d->xfer_mode & 0xf8) == 0x20) {
        mw |= (uint16_t)(0x0100 << (d->xfer_mode & 7));
    } else if ((d->xfer_mode & 0xf8) == 0x40) {
        ud |= (uint16_t)(0x0100 << (d->xfer_mode & 7));
    }
    store_le16(out + 126, mw);
    store_le16(out + 128, 3);
    for (unsigned w = 65; w <= 68; w++) {
        store_le16(out + 2 * w, 120);
    }
    store_le16(out + 142, 30);
    store_le16(out + 144, 30);
    store_le16(out + 160, 0x007e);
    store_le16(out + 164, 0x4218);       /* NOP, DEVICE RESET, PACKET, power management */
    store_le16(out + 166, 0x4000);
    store_le16(out + 168, 0x4000);
    store_le16(out + 170, 0x4218);
    store_le16(out + 174, 0x4000);
    store_le16(out + 176, ud);
    store_le16(out + 186, d == &d->ch->drive[0] ? 0x600b : 0x6b00);
}

static void atapi_inquiry(struct ide_drive *d)
{
    uint8_t *b = d->buf, text[40];
    uint32_t alloc = be16(d->cd.cdb + 3);
    memset(b, 0, 64);
    if (d->cd.cdb[1] & 1) { /* vital product data */
        b[0] = 5;
        b[1] = d->cd.cdb[2];
        if (d->cd.cdb[2] == 0x00) {
            b[3] = 2;
            b[4] = 0x00;
            b[5] = 0x80;
            atapi_reply(d, 6, alloc);
        } else if (d->cd.cdb[2] == 0x80) {
            size_t n = strlen(d->serial);
            b[3] = (uint8_t)n;
            memcpy(b + 4, d->serial, n);
            atapi_reply(d, 4 + (uint32_t)n, alloc);
        } else {
            atapi_bad_field(d);
        }
        return;
    }
    if (d->cd.cdb[2]) {
        atapi_bad_field(d);
        return;
    }
    b[0] = 5;    /* CD/DVD */
    b[1] = 0x80; /* removable */
    b[3] = 0x21; /* ATAPI, response format 1 */
    b[4] = 31;
    memset(text, ' ', sizeof text);
    memcpy(text, "VITRINE ", 8);
    memcpy(text + 8, "DVD-ROM", 7);
    memcpy(text + 24, d->firmware, strlen(d->firmware));
    memcpy(b + 8, text, 28);
    atapi_reply(d, 36, alloc);
}

static void atapi_request_sense(struct ide_drive *d)
{
    uint8_t *b = d->buf, key = d->cd.key, asc = d->cd.asc, ascq = d->cd.ascq;
    if (key == 0 && d->cd.attention) {
        key = SENSE_ATTENTION;
        asc = ASC_CHANGED;
        ascq = 0;
        d->cd.attention = false;
    }
    memset(b, 0, 18);
    b[0] = 0x70;
    b[2] = key;
    b[7] = 10;
    b[12] = asc;
    b[13] = ascq;
    atapi_reply(d, 18, d->cd.cdb[4]); /* and the sense is gone */
}

/* ---- the medium ---- */

static void atapi_start_stop(struct ide_drive *d)
{
    uint8_t how = d->cd.cdb[4] & 3;
    if (d->cd.cdb[4] & 0xf0) { /* power conditions */
        atapi_good(d);
        return;
    }
    if (how == 2) { /* eject */
        if (d->blk->locked) {
            atapi_fail(d, atapi_loaded(d) ? SENSE_ILLEGAL : SENSE_NOT_READY, ASC_PREVENTED, 2);
            return;
        }
        if (!d->cd.tray_open) {
            d->cd.tray_open = true;
            if (d->blk->eject_request) {
                d->blk->eject_request(d->blk->host);
            }
        }
    } else if (how == 3 && d->cd.tray_open) { /* load: what lay in the tray is back */
        d->cd.tray_open = false;
        if (atapi_loaded(d)) {
            atapi_media_changed(d);
        }
    }
    atapi_good(d);
}

static void atapi_read_capacity(struct ide_drive *d)
{
    put32(d->buf, atapi_frames(d) - 1);
    put32(d->buf + 4, CD_FRAME);
    atapi_reply(d, 8, 8);
}

static bool atapi_range(struct ide_drive *d, uint32_t lba, uint32_t frames)
{
    uint32_t total = atapi_frames(d);
    if (lba > total || frames > total - lba) { /* T11: lba FFFFFFFFh as well */
        atapi_fail(d, SENSE_ILLEGAL, ASC_RANGE, 0);
        return false;
    }
    return true;
}

static void atapi_read_cmd(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint32_t lba = be32(c + 2), n = c[0] == 0x28 ? be16(c + 7) : be32(c + 6);
    if (atapi_range(d, lba, n)) {
        atapi_read(d, lba, n, 0x10);
    }
}

static bool atapi_from_msf(const uint8_t *p, uint32_t *lba)
{
    uint32_t f = (p[0] * 60u + p[1]) * 75 + p[2];
    *lba = f - 150;
    return p[1] < 60 && p[2] < 75 && f >= 150;
}

/* READ CD and READ CD MSF.  Byte 9 says which parts of the raw frame; bits 3:1 of byte 1 the
 * expected sector type: any or mode 1 fit our one data track. */
static void atapi_read_cd(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint32_t lba = be32(c + 2), n = (uint32_t)c[6] << 16 | be16(c + 7);
    uint8_t type = c[1] >> 2 & 7, parts = c[9] & 0xf8;
    if (c[0] == 0xb9) {
        uint32_t end;
        if (!atapi_from_msf(c + 3, &lba) || !atapi_from_msf(c + 6, &end) || end < lba) {
            atapi_bad_field(d);
            return;
        }
        n = end - lba;
    }
    if (type > 2 || type == 1) {
        atapi_fail(d, SENSE_ILLEGAL, ASC_MODE_FOR_TRACK, 0);
        return;
    }
    if ((c[10] & 7) || (c[9] & 6)) { /* sub-channels, C2 pointers */
        atapi_bad_field(d);
        return;
    }
    if (!atapi_range(d, lba, n)) {
        return;
    }
    parts &= 0xb8; /* a mode 1 sector has no sub-header */
    if (n == 0 || parts == 0) {
        atapi_good(d);
        return;
    }
    atapi_read(d, lba, n, parts);
}

static void atapi_seek(struct ide_drive *d)
{
    if (atapi_range(d, be32(d->cd.cdb + 2), 1)) {
        atapi_good(d);
    }
}

static void atapi_verify(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    if (atapi_range(d, be32(c + 2), be16(c + 7))) {
        atapi_good(d);
    }
}

/* ---- tables of contents ---- */

static void atapi_put_address(uint8_t *p, uint32_t lba, bool msf)
{
    if (msf) {
        p[0] = 0;
        atapi_put_msf(p + 1, lba);
    } else {
        put32(p, lba);
    }
}

static void atapi_toc_track(uint8_t *p, uint8_t track, uint32_t lba, bool msf)
{
    p[0] = 0;
    p[1] = 0x14; /* ADR 1, data track */
    p[2] = track;
    p[3] = 0;
    atapi_put_address(p + 4, lba, msf);
}

/* One entry of the full TOC: { session, ADR/control, 0, point, m, s, f, 0, pm, ps, pf } */
static void atapi_toc_raw(uint8_t *p, uint8_t point, uint8_t pm, uint8_t ps, uint8_t pf)
{
    memset(p, 0, 11);
    p[0] = 1;
    p[1] = 0x14;
    p[3] = point;
    p[8] = pm;
    p[9] = ps;
    p[10] = pf;
}

static void atapi_read_toc(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint8_t *b = d->buf, format = c[2] & 15, msf3[3];
    bool msf = c[1] & 2;
    uint32_t alloc = be16(c + 7), len;
    if (format == 0) {
        format = c[9] >> 6; /* where SFF-8020i had it */
    }
    memset(b, 0, 64);
    b[2] = b[3] = 1;
    switch (format) {
    case 0:
        len = 4;
        if (c[6] > 1 && c[6] != 0xaa) {
            atapi_bad_field(d);
            return;
        }
        if (c[6] <= 1) {
            atapi_toc_track(b + len, 1, 0, msf);
            len += 8;
        }
        atapi_toc_track(b + len, 0xaa, atapi_frames(d), msf);
        len += 8;
        break;
    case 1: /* the first track of the last session */
        atapi_toc_track(b + 4, 1, 0, msf);
        len = 12;
        break;
    case 2:
        atapi_toc_raw(b + 4, 0xa0, 1, 0, 0);
        atapi_toc_raw(b + 15, 0xa1, 1, 0, 0);
        atapi_put_msf(msf3, atapi_frames(d));
        atapi_toc_raw(b + 26, 0xa2, msf3[0], msf3[1], msf3[2]);
        atapi_put_msf(msf3, 0);
        atapi_toc_raw(b + 37, 1, msf3[0], msf3[1], msf3[2]);
        len = 48;
        break;
    default: atapi_bad_field(d); return;
    }
    put16(b, len - 2);
    atapi_reply(d, len, alloc);
}

static void atapi_read_subchannel(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint8_t *b = d->buf;
    uint32_t alloc = be16(c + 7);
    memset(b, 0, 24);
    b[1] = 0x15; /* no audio status to tell */
    if (!(c[2] & 0x40)) {
        atapi_reply(d, 4, alloc);
        return;
    }
    b[4] = c[3];
    switch (c[3]) {
    case 1: /* current position */
        b[3] = 12;
        b[5] = 0x14;
        b[6] = b[7] = 1;
        atapi_put_address(b + 8, 0, c[1] & 2);
        atapi_reply(d, 16, alloc);
        break;
    case 2: case 3: /* catalog number, ISRC: the disc has none */
        b[3] = 20;
        atapi_reply(d, 24, alloc);
        break;
    default: atapi_bad_field(d); break;
    }
}

static void atapi_disc_information(struct ide_drive *d)
{
    uint8_t *b = d->buf;
    if (d->cd.cdb[1] & 7) {
        atapi_bad_field(d);
        return;
    }
    memset(b, 0, 34);
    put16(b, 32);
    b[2] = 0x0e; /* last session complete, disc complete */
    b[3] = b[4] = b[5] = b[6] = 1;
    b[7] = 0x20; /* unrestricted use */
    memset(b + 16, 0xff, 8); /* no lead-in or lead-out to write */
    atapi_reply(d, 34, be16(d->cd.cdb + 7));
}

static void atapi_track_information(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint8_t *b = d->buf;
    uint32_t n = be32(c + 2);
    bool ok = (c[1] & 3) == 0 ? n < atapi_frames(d) : (c[1] & 3) < 3 && n == 1;
    if (!ok) {
        atapi_bad_field(d);
        return;
    }
    memset(b, 0, 36);
    put16(b, 34);
    b[2] = b[3] = 1;
    b[5] = 4; /* data track */
    b[6] = 1; /* mode 1 */
    put32(b + 24, atapi_frames(d));
    atapi_reply(d, 36, be16(c + 7));
}

/* ---- features ---- */

struct atapi_feature {
    uint16_t code;
    uint8_t version, current; /* current: 1 always, 2 with a medium, 3 with CD, 4 with DVD */
    uint8_t len;
    uint8_t data[8];
};
static const struct atapi_feature atapi_features[] = {
    {0x0001, 0, 1, 4, {0, 0, 0, 2}},                  /* core: ATAPI */
    {0x0003, 0, 1, 4, {0x29, 0, 0, 0}},               /* removable: tray, eject, lock */
    {0x0010, 0, 2, 8, {0, 0, 8, 0, 0, 1, 0, 0}},      /* random readable: 2048-byte blocks */
    {0x001d, 0, 3, 0, {0}},                           /* multi-read */
    {0x001e, 0, 3, 4, {0}},                           /* CD read */
    {0x001f, 0, 4, 0, {0}},                           /* DVD read */
    {0x0100, 0, 1, 0, {0}},                           /* power: mode page 1Ah */
    {0x0105, 0, 1, 0, {0}},                           /* timeout: mode page 1Dh */
};

static void atapi_get_configuration(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint8_t *b = d->buf, rt = c[1] & 3;
    uint16_t first = be16(c + 2);
    uint32_t len = 8, alloc = be16(c + 7), frames = atapi_frames(d);
    bool dvd = frames > CD_MAX_FRAMES, cd = frames && !dvd;
    if (rt == 3) {
        atapi_bad_field(d);
        return;
    }
    memset(b, 0, 256);
    put16(b + 6, dvd ? 0x0010 : cd ? 0x0008 : 0);
    if (first == 0) { /* profile list: DVD-ROM, CD-ROM */
        static const uint8_t list[12] = {0, 0, 3, 8, 0, 0x10, 0, 0, 0, 0x08, 0, 0};
        memcpy(b + len, list, sizeof list);
        b[len + 6] = dvd;
        b[len + 10] = cd;
        len += sizeof list;
    }
    for (unsigned i = 0; i < ARRAY_LEN(atapi_features); i++) {
        const struct atapi_feature *f = &atapi_features[i];
        bool now = f->current == 1 || (f->current == 2 && frames) || (f->current == 3 && cd) ||
                   (f->current == 4 && dvd);
        if (f->code < first || (rt == 1 && !now) || (rt == 2 && f->code != first)) {
            continue;
        }
        put16(b + len, f->code);
        b[len + 2] = (uint8_t)(f->version << 2 | (f->current == 1 ? 2 : 0) | now);
        b[len + 3] = f->len;
        memcpy(b + len + 4, f->data, f->len);
        len += 4u + f->len;
    }
    put32(b, len - 4);
    atapi_reply(d, len, alloc);
}

static void atapi_event_status(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint8_t *b = d->buf;
    uint32_t alloc = be16(c + 7);
    if (!(c[1] & 1)) { /* only polling */
        atapi_bad_field(d);
        return;
    }
    memset(b, 0, 8);
    b[3] = 0x10; /* we know media events */
    if (!(c[4] & 0x10)) {
        put16(b, 2);
        b[2] = 0x80; /* no event available */
        atapi_reply(d, 4, alloc);
        return;
    }
    put16(b, 6);
    b[2] = 4;
    b[4] = d->cd.event;
    b[5] = (uint8_t)((d->cd.tray_open ? 1 : 0) | (atapi_loaded(d) ? 2 : 0));
    if (alloc > 4) {
        d->cd.event = 0;
    }
    atapi_reply(d, 8, alloc);
}

static void atapi_mechanism_status(struct ide_drive *d)
{
    memset(d->buf, 0, 8);
    d->buf[1] = d->cd.tray_open ? 0x10 : 0;
    atapi_reply(d, 8, be16(d->cd.cdb + 8));
}

/* ---- mode pages ---- */

static const struct atapi_page {
    uint8_t code, len; /* of the whole page */
    uint8_t preset[ATAPI_PAGE], mask[ATAPI_PAGE]; /* mask: bits that MODE SELECT may change */
} atapi_pages[ATAPI_PAGES] = {
    {0x01, 12, {0x01, 10, 0x00, 5}, {0, 0, 0xff, 0xff}}, /* read error recovery */
    /* CD device: 60 seconds, 75 frames */
    {0x0d, 8, {0x0d, 6, 0, 0, 0, 60, 0, 75}, {0, 0, 0, 0x0f}},
    /* CD audio control: no port plays, but drivers keep the volume here */
    {0x0e, 16, {0x0e, 14, 4, 0, 0, 0, 0, 75, 1, 0xff, 2, 0xff},
     {0, 0, 2, 0, 0, 0, 0, 0, 0x0f, 0xff, 0x0f, 0xff}},
    /* power condition: idle and standby timers, in 100 ms; they change nothing here */
    {0x1a, 12, {0x1a, 10}, {0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    /* timeout and protect: groups 1 and 2 in seconds */
    {0x1d, 10, {0x1d, 8, 0, 0, 0, 0, 0, 5, 0, 30}, {0, 0, 0, 0, 4, 0, 0xff, 0xff, 0xff, 0xff}},
};

void atapi_mode_defaults(struct ide_drive *d)
{
    for (unsigned i = 0; i < ATAPI_PAGES; i++) {
        memcpy(d->cd.mode[i], atapi_pages[i].preset, ATAPI_PAGE);
    }
    d->cd.speed = CD_SPEED_MAX;
}

/* Capabilities and mechanical status: nothing to change. */
static uint32_t atapi_page_2a(struct ide_drive *d, uint8_t control, uint8_t *p)
{
    memset(p, 0, 22);
    p[0] = 0x2a;
    p[1] = 20;
    if (control != 1) {
        p[2] = 0x3b; /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
        p[4] = 0x70; /* mode 2 form 1 and 2, multi-session */
        p[5] = 0x00; /* no audio */
        p[6] = (uint8_t)(0x29 | (d->blk->locked ? 2 : 0)); /* tray, eject, lock */
        put16(p + 8, CD_SPEED_MAX);
        put16(p + 12, IDE_BUF / 1024);
        put16(p + 14, d->cd.speed);
    }
    return 22;
}

/* Append page i of the table in its current, changeable or default form. */
static uint32_t atapi_mode_page(const struct ide_drive *d, unsigned i, uint8_t control, uint8_t *p)
{
    const struct atapi_page *page = &atapi_pages[i];
    memcpy(p, control == 1 ? page->mask : control == 2 ? page->preset : d->cd.mode[i], page->len);
    p[0] = page->code;
    p[1] = page->len - 2;
    return page->len;
}

static void atapi_mode_sense(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    bool ten = c[0] == 0x5a;
    uint8_t page = c[2] & 0x3f, control = c[2] >> 6, *b = d->buf;
    uint32_t head = ten ? 8 : 4, len = head, alloc = ten ? be16(c + 7) : c[4];
    uint8_t medium = d->cd.tray_open ? 0x71 : atapi_loaded(d) ? 0x01 : 0x70;
    if (control == 3) { /* nothing is saved */
        atapi_fail(d, SENSE_ILLEGAL, ASC_SAVING, 0);
        return;
    }
    memset(b, 0, 128);
    for (unsigned i = 0; i < ATAPI_PAGES; i++) {
        if (page == 0x3f || page == atapi_pages[i].code) {
            len += atapi_mode_page(d, i, control, b + len);
        }
    }
    if (page == 0x3f || page == 0x2a) {
        len += atapi_page_2a(d, control, b + len);
    }
    if (len == head) {
        atapi_bad_field(d);
        return;
    }
    if (ten) {
        put16(b, len - 2);
        b[2] = medium;
    } else {
        b[0] = (uint8_t)(len - 1);
        b[1] = medium;
    }
    atapi_reply(d, len, alloc);
}

static void atapi_mode_select_cmd(struct ide_drive *d)
{
    const uint8_t *c = d->cd.cdb;
    uint32_t len = c[0] == 0x55 ? be16(c + 7) : c[4];
    if ((c[1] & 0x11) != 0x10) { /* PF must be set, SP cannot */
        atapi_bad_field(d);
    } else if (len == 0) {
        atapi_good(d);
    } else {
        atapi_accept(d, len);
    }
}

/* Header, block descriptors, then pages that must be as long as ours and may differ only in
 * changeable bits; all are checked before any is taken. */
void atapi_mode_select(struct ide_drive *d, uint32_t len)
{
    bool ten = d->cd.cdb[0] == 0x55;
    uint32_t head = ten ? 8 : 4, at;
    const uint8_t *b = d->buf;
    if (len < head) {
        atapi_fail(d, SENSE_ILLEGAL, ASC_LIST_LEN, 0);
        return;
    }
    uint32_t first = head + (ten ? be16(b + 6) : b[3]);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (at = first; at < len; at += 2u + b[at + 1]) {
            if (len - at < 2 || len - at < 2u + b[at + 1]) {
                atapi_fail(d, SENSE_ILLEGAL, ASC_LIST_LEN, 0);
                return;
            }
            unsigned n = 0;
            while (n < ATAPI_PAGES && (b[at] & 0x3f) != atapi_pages[n].code) {
                n++;
            }
            if (n == ATAPI_PAGES || b[at + 1] != atapi_pages[n].len - 2) {
                atapi_fail(d, SENSE_ILLEGAL, ASC_LIST_FIELD, 0);
                return;
            }
            uint8_t *mine = d->cd.mode[n];
            const uint8_t *mask = atapi_pages[n].mask;
            for (unsigned i = 2; i < atapi_pages[n].len; i++) {
                if (pass == 0 && ((b[at + i] ^ mine[i]) & ~mask[i])) {
                    atapi_fail(d, SENSE_ILLEGAL, ASC_LIST_FIELD, 0);
                    return;
                }
                if (pass == 1) {
                    mine[i] = b[at + i];
                }
            }
        }
    }
    atapi_good(d);
}

/* ---- dispatch ---- */

enum { CMD_MEDIUM = 1, CMD_ANY_TIME = 2 }; /* needs a disc; runs despite a unit attention */
struct atapi_row {
    uint8_t opcode, flags;
    void (*run)(struct ide_drive *d);
};

/* KB/s; FFFFh: as fast as it goes.  Mode page 2Ah tells it. */
static void atapi_set_speed(struct ide_drive *d)
{
    uint16_t v = be16(d->cd.cdb + 2);
    d->cd.speed = v > CD_SPEED_MAX ? CD_SPEED_MAX : v < CD_SPEED_MIN ? CD_SPEED_MIN : v;
    atapi_good(d);
}

static void atapi_prevent(struct ide_drive *d)
{
    d->blk->locked = d->cd.cdb[4] & 1;
    atapi_good(d);
}

static const struct atapi_row atapi_rows[] = {
    {0x00, CMD_MEDIUM, atapi_good},               /* TEST UNIT READY */
    {0x03, CMD_ANY_TIME, atapi_request_sense},
    {0x12, CMD_ANY_TIME, atapi_inquiry},
    {0x15, 0, atapi_mode_select_cmd},
    {0x1a, 0, atapi_mode_sense},
    {0x1b, 0, atapi_start_stop},
    {0x1e, 0, atapi_prevent},
    {0x25, CMD_MEDIUM, atapi_read_capacity},
    {0x28, CMD_MEDIUM, atapi_read_cmd},
    {0x2b, CMD_MEDIUM, atapi_seek},
    {0x2f, CMD_MEDIUM, atapi_verify},
    {0x42, CMD_MEDIUM, atapi_read_subchannel},
    {0x43, CMD_MEDIUM, atapi_read_toc},
    {0x46, CMD_ANY_TIME, atapi_get_configuration},
    {0x4a, CMD_ANY_TIME, atapi_event_status},
    {0x51, CMD_MEDIUM, atapi_disc_information},
    {0x52, CMD_MEDIUM, atapi_track_information},
    {0x55, 0, atapi_mode_select_cmd},
    {0x5a, 0, atapi_mode_sense},
    {0xa8, CMD_MEDIUM, atapi_read_cmd},
    {0xb9, CMD_MEDIUM, atapi_read_cd},
    {0xbb, 0, atapi_set_speed},
    {0xbd, 0, atapi_mechanism_status},
    {0xbe, CMD_MEDIUM, atapi_read_cd},
};

void atapi_execute(struct ide_drive *d)
{
    for (unsigned i = 0; i < ARRAY_LEN(atapi_rows); i++) {
        const struct atapi_row *row = &atapi_rows[i];
        if (row->opcode != d->cd.cdb[0]) {
            continue;
        }
        if (d->cd.attention && !(row->flags & CMD_ANY_TIME)) {
            d->cd.attention = false;
            atapi_fail(d, SENSE_ATTENTION, ASC_CHANGED, 0);
        } else if ((row->flags & CMD_MEDIUM) && !atapi_loaded(d)) {
            atapi_no_medium(d);
        } else {
            row->run(d);
        }
        return;
    }
    atapi_fail(d, SENSE_ILLEGAL, ASC_OPCODE, 0);
}
