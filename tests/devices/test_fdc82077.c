/* 82077AA: every command, every standard size, T1 to T4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/devices/fdc_case.h"

static struct rig *bench(uint64_t sectors)
{
    struct rig *r = rig_create();
    fdc_case_make_with(r, sectors);
    for (uint64_t i = 0; i < r->disk.len; i++) {
        r->disk.data[i] = (uint8_t)(i / 512 * 7 + i % 512 * 3 + (i >> 16));
    }
    rig_power_on(r);
    return r;
}

static void done(struct rig *r)
{
    assert_false(r->disk.out_of_range);
    contract_close(&fdc_case, r);
}

/* Wait for the result phase of a data command. */
static void results(struct rig *r, uint8_t *res)
{
    for (unsigned i = 0; i < 200 && !rig_level(r, FDC_PIN_IRQ); i++) {
        rig_next(r, VTIME_SEC);
    }
    assert_true(rig_level(r, FDC_PIN_IRQ));
    assert_int_equal(fdc_result(r, res, 10), 7);
    assert_false(rig_level(r, FDC_PIN_IRQ));
    assert_int_equal(fdc_in(r, 0x3f4), 0x80);
}

#define RES(res, ...) assert_memory_equal(res, ((const uint8_t[]){__VA_ARGS__}), 7)

static void seek(struct rig *r, uint8_t track, uint8_t head)
{
    uint8_t st[2];
    FDC_CMD(r, 0x0f, (uint8_t)(head << 2), track);
    assert_int_equal(fdc_in(r, 0x3f4) & 0x81, 0x81); /* drive 0 busy, commands welcome */
    rig_advance(r, 10 * VTIME_MS);
    assert_true(rig_level(r, FDC_PIN_IRQ));
    FDC_CMD(r, 0x08);
    assert_int_equal(fdc_result(r, st, 2), 2);
    assert_int_equal(st[0], 0x20 | head << 2);
    assert_int_equal(st[1], track);
    assert_false(rig_level(r, FDC_PIN_IRQ));
}

static void reset_interrupts_and_four_drives_are_sensed(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    uint8_t st[2];
    assert_int_equal(fdc_in(r, 0x3f4), 0);
    fdc_out(r, 0x3f2, 0x0c);
    rig_advance(r, VTIME_MS);
    assert_true(rig_level(r, FDC_PIN_IRQ));
    for (uint8_t i = 0; i < 4; i++) {
        assert_true(rig_level(r, FDC_PIN_IRQ));
        FDC_CMD(r, 0x08);
        assert_int_equal(fdc_result(r, st, 2), 2);
        assert_int_equal(st[0], 0xc0 | i);
    }
    assert_false(rig_level(r, FDC_PIN_IRQ));
    FDC_CMD(r, 0x08); /* nothing to sense */
    assert_int_equal(fdc_result(r, st, 2), 1);
    assert_int_equal(st[0], 0x80);
    fdc_out(r, 0x3f4, 0x80); /* DSR reset releases by itself */
    rig_advance(r, VTIME_MS);
    assert_true(rig_level(r, FDC_PIN_IRQ));
    fdc_out(r, 0x3f2, 0x04); /* DMAGATE off: the pin is not driven */
    assert_false(rig_level(r, FDC_PIN_IRQ));
    done(r);
}

static void version_lock_configure_and_dumpreg(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    uint8_t d[16];
    fdc_start(r, 0);
    FDC_CMD(r, 0x10);
    assert_int_equal(fdc_result(r, d, 10), 1);
    assert_int_equal(d[0], 0x90);
    FDC_CMD(r, 0x13, 0, 0x57, 0x21);
    FDC_CMD(r, 0x12, 0x8f);
    FDC_CMD(r, 0x94);
    assert_int_equal(fdc_result(r, d, 10), 1);
    assert_int_equal(d[0], 0x10);
    fdc_out(r, 0x3f4, 0x80);
    rig_advance(r, VTIME_MS);
    FDC_CMD(r, 0x0e);
    assert_int_equal(fdc_result(r, d, 16), 10);
    assert_memory_equal(d, ((const uint8_t[]){0, 0, 0, 0, 0xdf, 0x02, 0, 0x8c, 0x57, 0x21}), 10);
    FDC_CMD(r, 0x14);
    assert_int_equal(fdc_result(r, d, 10), 1);
    assert_int_equal(d[0], 0);
    fdc_out(r, 0x3f4, 0x80);
    rig_advance(r, VTIME_MS);
    FDC_CMD(r, 0x0e);
    fdc_result(r, d, 16);
    assert_int_equal(d[8], 0x20); /* unlocked: defaults came back */
    done(r);
}

static void seek_recalibrate_and_sense_drive(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    uint8_t st[2];
    fdc_start(r, 0);
    seek(r, 40, 1);
    FDC_CMD(r, 0x04, 4);
    assert_int_equal(fdc_result(r, st, 2), 1);
    assert_int_equal(st[0], 0x2c);
    FDC_CMD(r, 0x8f, 0, 10); /* relative, outward */
    rig_advance(r, 10 * VTIME_MS);
    FDC_CMD(r, 0x08);
    assert_int_equal(fdc_result(r, st, 2), 2);
    assert_int_equal(st[1], 30);
    FDC_CMD(r, 0x07, 0);
    rig_advance(r, 10 * VTIME_MS);
    FDC_CMD(r, 0x08);
    fdc_result(r, st, 2);
    assert_int_equal(st[0], 0x20);
    assert_int_equal(st[1], 0);
    r->blk.read_only = true;
    FDC_CMD(r, 0x04, 0);
    fdc_result(r, st, 2);
    assert_int_equal(st[0], 0x78); /* track 0, write protected */
    FDC_CMD(r, 0x07, 2); /* no such drive: track 0 is never found */
    rig_advance(r, 10 * VTIME_MS);
    FDC_CMD(r, 0x08);
    fdc_result(r, st, 2);
    assert_int_equal(st[0], 0x72);
    seek(r, 83, 0); /* one recalibrate is not enough from beyond track 79 */
    FDC_CMD(r, 0x07, 0);
    rig_advance(r, 10 * VTIME_MS);
    FDC_CMD(r, 0x08);
    fdc_result(r, st, 2);
    assert_int_equal(st[0], 0x70);
    FDC_CMD(r, 0x07, 0);
    rig_advance(r, 10 * VTIME_MS);
    FDC_CMD(r, 0x08);
    fdc_result(r, st, 2);
    assert_int_equal(st[0], 0x20);
    done(r);
}

static void read_and_write_by_dma(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    uint8_t res[10];
    fdc_start(r, 0);
    seek(r, 5, 1);
    /* two sectors ended by TC */
    fdc_dma(r, 0x44, 0x10200, 1024);
    FDC_CMD(r, 0x46, 4, 5, 1, 7, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0x04, 0, 0, 5, 1, 9, 2);
    uint64_t lba = (5 * 2 + 1) * 18 + 6;
    assert_memory_equal(r->mem + 0x10200, r->disk.data + lba * 512, 1024);
    assert_int_equal(r->mem[0x10200 + 1024], 0);
    assert_int_equal(region_in(r->regs[FDC_R_LOW], 8, 1) & 4, 4); /* TC of channel 2 */
    /* the rest of the cylinder with MT, TC at its very end */
    seek(r, 5, 0);
    fdc_dma(r, 0x44, 0x4000, 36 * 512);
    FDC_CMD(r, 0xe6, 0, 5, 0, 1, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0x04, 0, 0, 6, 0, 1, 2);
    assert_memory_equal(r->mem + 0x4000, r->disk.data + 5 * 36 * 512, 36 * 512);
    /* without TC the end of the track is an error */
    fdc_dma(r, 0x44, 0x4000, 0x8000);
    FDC_CMD(r, 0x46, 0, 5, 0, 18, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0x40, 0x80, 0, 6, 0, 1, 2);
    /* write; TC in the middle of a sector pads with zeros */
    for (unsigned i = 0; i < 700; i++) {
        r->mem[0x2000 + i] = (uint8_t)(i ^ 0x5a);
    }
    fdc_dma(r, 0x48, 0x2000, 700);
    FDC_CMD(r, 0x45, 0, 5, 0, 3, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0, 0, 0, 5, 0, 5, 2);
    uint8_t *d = r->disk.data + (5 * 36 + 2) * 512;
    assert_memory_equal(d, r->mem + 0x2000, 700);
    assert_int_equal(d[700], 0);
    assert_int_equal(d[1023], 0);
    /* verify transfers nothing, but reads */
    fdc_dma(r, 0x40, 0x8000, 512);
    memset(r->mem + 0x8000, 0xee, 512);
    FDC_CMD(r, 0x46, 0, 5, 0, 1, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0, 0, 0, 5, 0, 2, 2);
    assert_int_equal(r->mem[0x8000], 0xee);
    done(r);
}

static void read_without_dma_interrupts_for_each_byte(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    uint8_t res[10];
    fdc_start(r, 0);
    FDC_CMD(r, 0x03, 0xdf, 0x03);
    FDC_CMD(r, 0x46, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    assert_int_equal(fdc_in(r, 0x3f4), 0x30);
    rig_edges(r, FDC_PIN_IRQ);
    rig_advance(r, 5 * VTIME_MS);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(fdc_in(r, 0x3f4), 0xf0);
        assert_int_equal(rig_edges(r, FDC_PIN_IRQ), 1);
        assert_int_equal(fdc_in(r, 0x3f5), r->disk.data[17 * 512 + i]);
    }
    results(r, res);
    RES(res, 0x40, 0x80, 0, 1, 0, 1, 2); /* nobody can say TC */
    FDC_CMD(r, 0x45, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    rig_advance(r, 5 * VTIME_MS);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(fdc_in(r, 0x3f4), 0xb0);
        fdc_out(r, 0x3f5, (uint8_t)(i * 5));
    }
    results(r, res);
    assert_int_equal(r->disk.data[17 * 512 + 511], (uint8_t)(511 * 5));
    done(r);
}

static void all_standard_sizes(void **state)
{
    (void)state;
    static const struct { uint16_t sectors; uint8_t tracks, heads, spt, rate, type; } size[] = {
        {320, 40, 1, 8, 2, 1}, {360, 40, 1, 9, 2, 1}, {640, 40, 2, 8, 2, 1}, {720, 40, 2, 9, 2, 1},
        {1280, 80, 2, 8, 2, 3}, {1440, 80, 2, 9, 2, 3}, {2400, 80, 2, 15, 0, 2},
        {2880, 80, 2, 18, 0, 4}, {3360, 80, 2, 21, 0, 4}, {3444, 82, 2, 21, 0, 4},
        {5760, 80, 2, 36, 3, 5}};
    for (unsigned i = 0; i < ARRAY_LEN(size); i++) {
        struct rig *r = bench(size[i].sectors);
        uint8_t res[10], head = size[i].heads - 1, last = size[i].tracks - 1;
        assert_int_equal(fdc82077_type_for(size[i].sectors), size[i].type);
        fdc_start(r, size[i].rate);
        seek(r, last, head);
        fdc_dma(r, 0x44, 0x1000, 512);
        FDC_CMD(r, 0x46, (uint8_t)(head << 2), last, head, size[i].spt, 2, size[i].spt, 0x1b, 0xff);
        results(r, res);
        assert_int_equal(res[0] & 0xc0, 0);
        assert_memory_equal(r->mem + 0x1000, r->disk.data + r->disk.len - 512, 512);
        FDC_CMD(r, 0x46, (uint8_t)(head << 2), last, head, size[i].spt + 1, 2, 99, 0x1b, 0xff);
        results(r, res);
        assert_int_equal(res[1], 0x04); /* no such sector */
        fdc_out(r, 0x3f7, size[i].rate ^ 1);
        if (size[i].rate == 2) {
            fdc_out(r, 0x3f7, 0);
        }
        FDC_CMD(r, 0x4a, 0);
        results(r, res);
        assert_int_equal(res[0] & 0xc0, 0x40);
        assert_int_equal(res[1], 0x01); /* wrong data rate: no address mark */
        done(r);
    }
}

static void a_360k_disk_in_a_1200k_drive_steps_twice(void **state)
{
    (void)state;
    struct rig *r = bench(2400);
    uint8_t res[10];
    rig_disk_insert(r, 720, 512);
    for (uint64_t i = 0; i < r->disk.len; i++) {
        r->disk.data[i] = (uint8_t)(i >> 9);
    }
    fdc_start(r, 1);
    seek(r, 20, 0);
    FDC_CMD(r, 0x4a, 0);
    results(r, res);
    assert_int_equal(res[3], 10);
    fdc_dma(r, 0x44, 0, 512);
    FDC_CMD(r, 0x46, 0, 10, 0, 1, 2, 9, 0x1b, 0xff);
    results(r, res);
    assert_int_equal(res[0] & 0xc0, 0);
    assert_int_equal(r->mem[0], 180);
    done(r);
}

static void read_id_finds_each_sector(void **state)
{
    (void)state;
    struct rig *r = bench(1440);
    uint8_t res[10];
    unsigned seen = 0;
    fdc_start(r, 2);
    seek(r, 3, 0);
    for (unsigned i = 0; i < 300; i++) {
        FDC_CMD(r, 0x4a, 4);
        results(r, res);
        assert_int_equal(res[0], 0x04);
        assert_int_equal(res[3], 3);
        assert_int_equal(res[4], 1);
        assert_in_range(res[5], 1, 9);
        assert_int_equal(res[6], 2);
        seen |= 1u << res[5];
        rig_advance(r, 70 * VTIME_US);
    }
    assert_int_equal(seen, 0x3fe);
    done(r);
}

static void errors_are_told_apart(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    uint8_t res[10];
    fdc_start(r, 0);
    fdc_dma(r, 0x44, 0, 512);
    FDC_CMD(r, 0x46, 0, 7, 0, 1, 2, 18, 0x1b, 0xff); /* the head stands on track 0 */
    results(r, res);
    RES(res, 0x40, 0x04, 0x10, 7, 0, 1, 2);
    FDC_CMD(r, 0x46, 0, 0, 0, 1, 3, 18, 0x1b, 0xff); /* 1024-byte sectors */
    results(r, res);
    assert_int_equal(res[1], 0x04);
    FDC_CMD(r, 0x06, 0, 0, 0, 1, 2, 18, 0x1b, 0xff); /* FM */
    results(r, res);
    assert_int_equal(res[1], 0x01);
    r->blk.read_only = true;
    FDC_CMD(r, 0x45, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0x40, 0x02, 0, 0, 0, 1, 2);
    FDC_CMD(r, 0x4d, 0, 2, 18, 0x54, 0xf6);
    results(r, res);
    assert_int_equal(res[1], 0x02);
    r->blk.read_only = false;
    r->disk.bad_sector = 4;
    r->disk.error = BLK_EIO;
    FDC_CMD(r, 0x46, 0, 0, 0, 5, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0x40, 0x20, 0x20, 0, 0, 5, 2);
    /* implied seek reaches the track */
    FDC_CMD(r, 0x13, 0, 0x60, 0);
    fdc_dma(r, 0x44, 0, 512);
    FDC_CMD(r, 0x46, 0, 7, 0, 1, 2, 18, 0x1b, 0xff);
    results(r, res);
    RES(res, 0, 0, 0, 7, 0, 2, 2);
    assert_memory_equal(r->mem, r->disk.data + 7 * 36 * 512, 512);
    done(r);
}

static void format_verify_scan_and_read_track(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    uint8_t res[10];
    fdc_start(r, 0);
    seek(r, 2, 1);
    for (uint8_t i = 0; i < 18; i++) {
        memcpy(r->mem + 0x100 + i * 4, (const uint8_t[]){2, 1, i + 1, 2}, 4);
    }
    uint8_t *track = r->disk.data + (2 * 2 + 1) * 18 * 512;
    uint8_t before = track[-1], after = track[18 * 512];
    fdc_dma(r, 0x48, 0x100, 72);
    FDC_CMD(r, 0x4d, 4, 2, 18, 0x54, 0xf6);
    results(r, res);
    assert_int_equal(res[0], 0x04);
    for (unsigned i = 0; i < 18 * 512; i++) {
        assert_int_equal(track[i], 0xf6);
    }
    assert_int_equal(track[-1], before);
    assert_int_equal(track[18 * 512], after);
    FDC_CMD(r, 0x56, 0x04, 2, 1, 1, 2, 18, 0x1b, 0xff); /* VERIFY to the end of the track */
    results(r, res);
    assert_int_equal(res[0], 0x04);
    unsigned reads = r->disk.reads;
    FDC_CMD(r, 0x56, 0x84, 2, 1, 4, 2, 18, 0x1b, 3); /* VERIFY three sectors */
    results(r, res);
    assert_int_equal(res[0], 0x04);
    assert_int_equal(r->disk.reads, reads + 3);
    /* SCAN EQUAL finds the sector that equals */
    memset(track + 3 * 512, 0x11, 512);
    for (unsigned i = 0; i < 5; i++) {
        memset(r->mem + 0x1000 + i * 512, 0x11, 512);
    }
    fdc_dma(r, 0x48, 0x1000, 5 * 512);
    FDC_CMD(r, 0x51, 4, 2, 1, 1, 2, 18, 0x1b, 1);
    results(r, res);
    RES(res, 0x04, 0, 0x08, 2, 1, 4, 2);
    /* READ TRACK takes the sectors in order whatever is asked for, and says so */
    fdc_dma(r, 0x44, 0x8000, 18 * 512);
    FDC_CMD(r, 0x42, 4, 2, 1, 1, 2, 18, 0x1b, 0xff);
    results(r, res);
    assert_int_equal(res[0], 0x04);
    assert_memory_equal(r->mem + 0x8000, track, 18 * 512);
    fdc_dma(r, 0x44, 0x8000, 0x1000);
    FDC_CMD(r, 0x4c, 4, 2, 1, 5, 2, 18, 0x1b, 0xff); /* READ DELETED meets a normal sector: it is */
    results(r, res);                                 /* read, and the address stays */
    RES(res, 0x04, 0, 0x40, 2, 1, 5, 2);
    assert_memory_equal(r->mem + 0x8000, track + 4 * 512, 512);
    memset(r->mem + 0x8000, 0xee, 512);
    FDC_CMD(r, 0x6c, 4, 2, 1, 5, 2, 18, 0x1b, 0xff); /* with SK it and all others are skipped */
    results(r, res);
    RES(res, 0x04, 0, 0x40, 3, 1, 1, 2);
    assert_int_equal(r->mem[0x8000], 0xee);
    done(r);
}

static void disk_change_line(void **state)
{
    (void)state;
    struct rig *r = bench(2880);
    fdc_start(r, 0);
    assert_int_equal(fdc_in(r, 0x3f7), 0x80); /* since power on */
    seek(r, 1, 0);
    assert_int_equal(fdc_in(r, 0x3f7), 0);
    rig_disk_remove(r);
    assert_int_equal(fdc_in(r, 0x3f7), 0x80);
    seek(r, 0, 0);
    assert_int_equal(fdc_in(r, 0x3f7), 0x80); /* nothing in */
    rig_disk_insert(r, 1440, 512);
    assert_int_equal(fdc_in(r, 0x3f7), 0x80);
    seek(r, 1, 0);
    assert_int_equal(fdc_in(r, 0x3f7), 0);
    fdc_out(r, 0x3f2, 0x0c); /* motor off */
    rig_disk_remove(r);
    assert_int_equal(fdc_in(r, 0x3f7), 0);
    done(r);
}

/* --- hostile guests ------------------------------------------------------------------------- */

static void settle(struct rig *r)
{
    uint8_t b[16];
    for (unsigned i = 0; i < 40 && rig_next(r, VTIME_SEC); i++) {
        fdc_result(r, b, sizeof b);
    }
    fdc_result(r, b, sizeof b);
}

/* T1 (2015-3456 VENOM): every command with 0 to 4096 bytes pushed after it. */
static void T1_command_bytes_stay_in_the_buffer(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 8, 9, 10, 512, 4096};
    struct rig *r = bench(320);
    struct fdc_bench *b = r->priv;
    for (unsigned c = 0; c < 256; c++) {
        for (unsigned k = 0; k < ARRAY_LEN(counts); k++) {
            fdc_start(r, 2);
            fdc_out(r, 0x3f5, (uint8_t)c);
            for (unsigned i = 0; i < counts[k]; i++) {
                fdc_out(r, 0x3f5, (uint8_t)(c * 31 + i));
                assert_true(b->fdc.cmd_pos <= sizeof b->fdc.cmd);
                assert_true(b->fdc.res_pos <= sizeof b->fdc.result);
                if (i % 64 == 63) {
                    rig_next(r, VTIME_SEC);
                }
            }
            for (unsigned i = 0; i < 600; i++) {
                fdc_in(r, 0x3f5);
            }
            settle(r);
        }
    }
    done(r);
}

/* T2 (2021-3507): DMA counts against EOT and drive types. */
static void T2_dma_count_and_eot_and_size(void **state)
{
    (void)state;
    static const uint16_t sizes[] = {320, 720, 1440, 2400, 2880, 5760};
    static const uint32_t lens[] = {1, 511, 512, 513, 4096, 0x10000};
    static const uint8_t eots[] = {0, 1, 9, 18, 36, 255};
    for (unsigned s = 0; s < ARRAY_LEN(sizes); s++) {
        struct rig *r = bench(sizes[s]);
        struct fdc_bench *b = r->priv;
        for (unsigned i = 0; i < 4 * 6 * 6; i++) {
            uint8_t cmds[] = {0xe6, 0x45, 0x42, 0x51}, res[10];
            fdc_start(r, i & 3);
            FDC_CMD(r, 0x03, 0xdf, i & 1 ? 0x02 : (i >> 3 & 1) * 3);
            fdc_dma(r, i % 4 == 0 || i % 4 == 2 ? 0x44 : 0x48, 0x1f000, lens[i / 4 % 6]);
            FDC_CMD(r, cmds[i % 4], 0, 0, 0, 1, (uint8_t)(i / 24), eots[i / 24], 0x1b, 0xff);
            for (unsigned k = 0; k < 300 && b->fdc.phase == FDC_EXECUTE; k++) {
                assert_true(b->fdc.pos < FDC_SECTOR || !b->fdc.xfer);
                rig_next(r, VTIME_SEC);
            }
            fdc_result(r, res, 10);
        }
        done(r);
    }
}

/* T3 (2021-20196): every command with no drive, no disk, and a disk taken out in the middle. */
static void T3_no_drive_no_disk_and_ejected(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        for (unsigned c = 0; c < 256; c++) {
            struct rig *r = bench(320);
            uint8_t b[10];
            fdc_start(r, 2);
            fdc_dma(r, 0x44, 0, 0x8000);
            if (how == 1) {
                rig_disk_remove(r);
            }
            uint8_t drive = how == 0 ? (uint8_t)(1 + c % 3) : 0;
            FDC_CMD(r, (uint8_t)c, drive, 0, 0, 1, 2, 18, 0x1b, 1);
            if (how == 2) {
                rig_next(r, VTIME_SEC);
                rig_disk_remove(r);
            }
            settle(r);
            unsigned n = fdc_result(r, b, 10);
            assert_true(n <= 10);
            fdc_out(r, 0x3f4, 0x80); /* and it answers afterwards */
            rig_advance(r, VTIME_MS);
            FDC_CMD(r, 0x10);
            assert_int_equal(fdc_result(r, b, 10), 1);
            assert_int_equal(b[0], 0x90);
            done(r);
        }
    }
}

/* T4 (2007-2894): zeros in every register and parameter; odd media. */
static void T4_zero_geometry(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 7, 1000, 2879, 5761, 1u << 20};
    for (unsigned s = 0; s < ARRAY_LEN(sizes); s++) {
        struct rig *r = bench(sizes[s]);
        fdc_start(r, 0);
        for (unsigned c = 0; c < 256; c++) {
            uint8_t b[10];
            FDC_CMD(r, (uint8_t)c, 0, 0, 0, 0, 0, 0, 0, 0);
            settle(r);
            fdc_result(r, b, 10);
            fdc_start(r, c & 3);
        }
        r->blk.sector_size = 2048; /* a CD in a floppy drive is no medium */
        FDC_CMD(r, 0x4a, 0);
        settle(r);
        done(r);
    }
}

/* In the middle of a sector and of a command. */
static void a_snapshot_in_mid_sector_goes_on(void **state)
{
    (void)state;
    struct rig *r = bench(2880), *t = bench(2880);
    struct snap s;
    uint8_t res[10];
    fdc_start(r, 0);
    FDC_CMD(r, 0x03, 0xdf, 0x03);
    FDC_CMD(r, 0x46, 0, 0, 0, 2, 2, 2, 0x1b, 0xff);
    rig_advance(r, 5 * VTIME_MS);
    for (unsigned i = 0; i < 200; i++) {
        fdc_in(r, 0x3f5);
    }
    rig_save(r, &s);
    t->clk.slice_start = r->clk.slice_start;
    t->pin[FDC_PIN_IRQ] = r->pin[FDC_PIN_IRQ];
    assert_true(rig_load(t, s.buf, s.len));
    snap_fini(&s);
    for (unsigned i = 200; i < 512; i++) {
        assert_int_equal(fdc_in(t, 0x3f5), t->disk.data[512 + i]);
    }
    results(t, res);
    RES(res, 0x40, 0x80, 0, 1, 0, 1, 2);
    done(r);
    r = bench(2880);
    FDC_CMD(t, 0x0f, 0); /* two bytes of three */
    rig_save(t, &s);
    assert_true(rig_load(r, s.buf, s.len));
    snap_fini(&s);
    fdc_out(r, 0x3f5, 9);
    rig_advance(r, 20 * VTIME_MS);
    FDC_CMD(r, 0x08);
    assert_int_equal(fdc_result(r, res, 2), 2);
    assert_int_equal(res[1], 9);
    done(r);
    done(t);
}

static void contract(void **state)
{
    (void)state;
    contract_check(&fdc_case);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset_interrupts_and_four_drives_are_sensed),
        cmocka_unit_test(version_lock_configure_and_dumpreg),
        cmocka_unit_test(seek_recalibrate_and_sense_drive),
        cmocka_unit_test(read_and_write_by_dma),
        cmocka_unit_test(read_without_dma_interrupts_for_each_byte),
        cmocka_unit_test(all_standard_sizes),
        cmocka_unit_test(a_360k_disk_in_a_1200k_drive_steps_twice),
        cmocka_unit_test(read_id_finds_each_sector),
        cmocka_unit_test(errors_are_told_apart),
        cmocka_unit_test(format_verify_scan_and_read_track),
        cmocka_unit_test(disk_change_line),
        cmocka_unit_test(a_snapshot_in_mid_sector_goes_on),
        cmocka_unit_test(T1_command_bytes_stay_in_the_buffer),
        cmocka_unit_test(T2_dma_count_and_eot_and_size),
        cmocka_unit_test(T3_no_drive_no_disk_and_ejected),
        cmocka_unit_test(T4_zero_geometry),
        cmocka_unit_test(contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
