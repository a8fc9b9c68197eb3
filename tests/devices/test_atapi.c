/* CD drive: packets by PIO and DMA, medium changes, tables; T9 to T11 of faults.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/devices/cd_drv.h"

static void reads_by_pio_in_blocks(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t s;
    static const uint8_t cdb[12] = {0x28, 0, 0, 0, 0, 3, 0, 0, 40};
    static const unsigned limits[] = {2048, 2, 6, 0xfffe, 0xffff, 0, 4095, 1};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(limits); i++) { /* T9: also 0, odd and FFFFh */
        memset(reply, 0, sizeof reply);
        assert_int_equal(packet(b, cdb, limits[i], NULL, 0, &s), 40 * 2048);
        assert_int_equal(s, OK);
        for (unsigned k = 0; k < 40 * 2048; k++) {
            if (reply[k] != frame_byte(3 + k / 2048, k % 2048)) {
                fail_msg("limit %u: byte %u", limits[i], k);
            }
        }
    }
    close_ide(b);
}

static void reads_by_dma(void **state)
{
    struct pc_bench *b = open_ide();
    static const uint8_t cdb[12] = {0xa8, 0, 0, 0, 0, 2, 0, 0, 0, 40};
    (void)state;
    ide_prd(b, 0, 0x10000, 0);
    ide_prd(b, 1, 0x20000, (40 * 2048 - 0x10000) | PRD_LAST);
    ide_regs(b, 1, 0, 1, 0, 0);
    ide_run(b, 1, 0xa0);
    ide_put(b, 1, cdb, 12);
    rig_edges(b->rig, 15);
    bm_start(b, 1, true);
    assert_int_equal(ide_wait(b, 1), OK);
    assert_int_equal(bm_status(b, 1), 4);
    assert_int_equal(rig_edges(b->rig, 15), 1);
    assert_int_equal(b->rig->mem[0x10000 + 5], frame_byte(2, 5));
    assert_int_equal(b->rig->mem[0x20000 + 8 * 2048 - 1], frame_byte(41, 2047));
    close_ide(b);
}

static void says_who_it_is(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t id[512];
    static const uint8_t inq[12] = {0x12, 0, 0, 0, 36}, inq5[12] = {0x12, 0, 0, 0, 5};
    static const uint8_t vpd[12] = {0x12, 1, 0x80, 0, 255}, bad[12] = {0x12, 1, 0x83, 0, 255};
    static const uint8_t nonsense[12] = {0xd8};
    (void)state;
    assert_int_equal(ide_cmd(b, 1, 0xa1, 0, 0, 0), OK | ATA_DRQ);
    ide_get(b, 1, id, 512);
    assert_int_equal(load_le16(id), 0x85c0);
    assert_int_equal(takes(b, inq), 36);
    assert_memory_equal(reply, "\x05\x80\x00\x21\x1f", 5);
    assert_memory_equal(reply + 8, "VITRINE ", 8);
    assert_int_equal(takes(b, inq5), 5); /* an odd length ends mid-word */
    assert_int_equal(takes(b, vpd), 4 + 7);
    refuses(b, bad, 0x052400);
    refuses(b, nonsense, 0x052000);
    close_ide(b);
}

static void media_come_and_go(void **state)
{
    struct pc_bench *b = open_ide();
    struct bench_cd *cd = bench_cd_of(b);
    static const uint8_t tur[12] = {0}, eject[12] = {0x1b, 0, 0, 0, 2};
    static const uint8_t load[12] = {0x1b, 0, 0, 0, 3};
    static const uint8_t prevent[12] = {0x1e, 0, 0, 0, 1}, allow[12] = {0x1e};
    static const uint8_t event[12] = {0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8};
    static const uint8_t cap[12] = {0x25};
    (void)state;
    assert_int_equal(takes(b, tur), 0);
    takes(b, prevent);
    assert_true(cd->blk.locked);
    refuses(b, eject, 0x055302);
    assert_int_equal(cd->ejects, 0);
    takes(b, allow);
    takes(b, eject);
    assert_int_equal(cd->ejects, 1);
    refuses(b, tur, 0x062800); /* the change first, then what is so now */
    refuses(b, tur, 0x023a02);
    refuses(b, cap, 0x023a02);
    assert_int_equal(takes(b, event), 8);
    assert_memory_equal(reply, "\x00\x06\x04\x10\x03\x01", 6);
    takes(b, load);
    refuses(b, tur, 0x023a01);
    bench_cd_insert(cd);
    assert_int_equal(sense(b), 0x062800); /* REQUEST SENSE may tell it as well */
    assert_int_equal(takes(b, tur), 0);
    takes(b, event);
    assert_int_equal(reply[4], 2);
    assert_int_equal(reply[5], 2);
    takes(b, event);
    assert_int_equal(reply[4], 0);
    takes(b, cap);
    assert_memory_equal(reply, "\0\0\0\x3f\0\0\x08\0", 8);
    out(b, 0x177, 0x08, 1); /* DEVICE RESET unlocks */
    close_ide(b);
}

static void tables_of_contents(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t cdb[12] = {0x43, 0, 0, 0, 0, 0, 0, 1, 0};
    (void)state;
    assert_int_equal(takes(b, cdb), 20);
    assert_memory_equal(reply, "\0\x12\1\1\0\x14\1\0\0\0\0\0\0\x14\xaa\0\0\0\0\x40", 20);
    cdb[1] = 2; /* MSF */
    takes(b, cdb);
    assert_memory_equal(reply + 8, "\0\0\2\0", 4);
    assert_memory_equal(reply + 16, "\0\0\2\x40", 4);
    cdb[6] = 0xaa;
    assert_int_equal(takes(b, cdb), 12);
    cdb[6] = 2;
    refuses(b, cdb, 0x052400);
    cdb[6] = 0;
    cdb[2] = 1;
    assert_int_equal(takes(b, cdb), 12);
    cdb[2] = 2;
    assert_int_equal(takes(b, cdb), 48);
    assert_int_equal(reply[7], 0xa0);
    assert_memory_equal(reply + 4 + 22 + 8, "\0\2\x40", 3); /* lead-out: 64 + 150 frames */
    cdb[2] = 5;
    refuses(b, cdb, 0x052400);
    close_ide(b);
}

static void modes_and_features(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t sense10[12] = {0x5a, 0, 0x01, 0, 0, 0, 0, 0, 64}, s;
    uint8_t select10[12] = {0x55, 0x10, 0, 0, 0, 0, 0, 0, 20}, list[64] = {0};
    uint8_t conf[12] = {0x46, 0, 0, 0, 0, 0, 0, 1, 0};
    static const uint8_t all[12] = {0x1a, 0, 0x3f, 0, 255};
    static const uint8_t info[12] = {0x51, 0, 0, 0, 0, 0, 0, 0, 34};
    static const uint8_t track[12] = {0x52, 1, 0, 0, 0, 1, 0, 0, 36};
    static const uint8_t mech[12] = {0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8}, speed[12] = {0xbb};
    static const uint8_t sub[12] = {0x42, 2, 0x40, 1, 0, 0, 0, 0, 16};
    (void)state;
    assert_int_equal(takes(b, all), 4 + 12 + 8 + 16 + 12 + 10 + 22);
    assert_int_equal(takes(b, sense10), 8 + 12);
    memcpy(list, reply, 20);
    memset(list, 0, 8);
    list[8 + 3] = 9; /* retries */
    assert_int_equal(packet(b, select10, 6, list, 64, &s), 0); /* in blocks of six */
    assert_int_equal(s, OK);
    takes(b, sense10);
    assert_int_equal(reply[8 + 3], 9);
    list[8 + 5] = 1; /* not changeable */
    packet(b, select10, 0, list, 64, &s);
    assert_int_equal(s, FAILED);
    assert_int_equal(sense(b), 0x052600);
    select10[8] = 19; /* cut */
    packet(b, select10, 0, list, 64, &s);
    assert_int_equal(sense(b), 0x051a00);
    sense10[2] = 0x30;
    refuses(b, sense10, 0x052400);
    sense10[2] = 0xc1; /* saved values */
    refuses(b, sense10, 0x053900);
    assert_int_equal(takes(b, conf), 8 + 12 + 8 + 8 + 12 + 4 + 8 + 4 + 4 + 4);
    assert_int_equal(reply[7], 8); /* CD-ROM */
    conf[1] = 2;
    conf[3] = 0x1e;
    assert_int_equal(takes(b, conf), 16);
    assert_int_equal(takes(b, info), 34);
    assert_int_equal(takes(b, track), 36);
    assert_int_equal(takes(b, mech), 8);
    assert_int_equal(takes(b, speed), 0);
    assert_int_equal(takes(b, sub), 16);
    close_ide(b);
}

/* Syndromes of the P and Q codes over a raw frame must be zero: sums over each vector. */
static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    uint8_t r = 0;
    for (; b; b >>= 1) {
        if (b & 1) {
            r ^= a;
        }
        a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1d : 0));
    }
    return r;
}

static void raw_frames_carry_valid_codes(void **state)
{
    struct pc_bench *b = open_ide();
    static const uint8_t cdb[12] = {0xbe, 0, 0, 0, 0, 5, 0, 0, 2, 0xf8};
    static const uint8_t msf[12] = {0xb9, 0, 0, 0, 2, 5, 0, 2, 7, 0xf8};
    static const uint8_t user[12] = {0xbe, 0, 0, 0, 0, 5, 0, 0, 2, 0x10};
    static const uint8_t audio[12] = {0xbe, 4, 0, 0, 0, 5, 0, 0, 2, 0x10};
    const uint8_t *f = reply + 2352;
    (void)state;
    assert_int_equal(takes(b, user), 4096);
    assert_int_equal(takes(b, cdb), 2 * 2352);
    assert_memory_equal(f, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\2\6\1", 16);
    uint32_t crc = 0; /* CRC over data and EDC of a right frame is 0 */
    for (unsigned i = 0; i < 2068; i++) {
        crc ^= f[i];
        for (unsigned k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xd8018001u : 0);
        }
    }
    assert_int_equal(crc, 0);
    for (unsigned v = 0; v < 86; v++) { /* P: 24 bytes 86 apart, then two check bytes */
        uint8_t sum = 0, weighted = 0;
        for (unsigned i = 0; i < 26; i++) {
            uint8_t x = f[12 + v + 86 * i];
            sum ^= x;
            weighted = gf_mul(weighted, 2) ^ x;
        }
        assert_int_equal(sum, 0);
        assert_int_equal(weighted, 0);
    }
    for (unsigned v = 0; v < 52; v++) { /* Q: diagonals of 43, then two check bytes */
        uint8_t sum = 0, weighted = 0;
        for (unsigned i = 0; i < 45; i++) {
            unsigned at = i < 43 ? ((v >> 1) * 86 + (v & 1) + 88 * i) % 2236
                                 : 2236 + v + 52 * (i - 43);
            uint8_t x = f[12 + at];
            sum ^= x;
            weighted = gf_mul(weighted, 2) ^ x;
        }
        assert_int_equal(sum, 0);
        assert_int_equal(weighted, 0);
    }
    memcpy(reply + 10000, reply, 2 * 2352);
    assert_int_equal(takes(b, msf), 2 * 2352);
    assert_memory_equal(reply + 10000, reply, 2 * 2352);
    refuses(b, audio, 0x056400);
    close_ide(b);
}

/* T9: every packet opcode x byte-count limits, by PIO and by DMA, with and without a disc. */
static void t9_every_packet(void **state)
{
    static const unsigned limits[] = {0, 1, 3, 0xffff};
    (void)state;
    for (unsigned loaded = 0; loaded < 2; loaded++) {
        struct pc_bench *b = open_ide();
        if (!loaded) {
            bench_cd_eject(bench_cd_of(b));
        }
        for (unsigned op = 0; op < 256; op++) {
            for (unsigned i = 0; i < ARRAY_LEN(limits) * 2; i++) {
                uint8_t cdb[12] = {(uint8_t)op, 0x10, 0, 0, 0, 1, 0, 0, 9, 0xff};
                ide_prd(b, 0, 0x10000, 100 | PRD_LAST);
                bm_start(b, 1, op & 1);
                ide_regs(b, 1, 0, i & 1, 0, limits[i / 2] << 8);
                assert_int_equal(ide_run(b, 1, 0xa0), OK | ATA_DRQ);
                ide_put(b, 1, cdb, 12);
                for (unsigned n = 0; n < 40000 && (ide_wait(b, 1) & ATA_DRQ); n++) {
                    unsigned wide = loaded && n % 3 ? 4 : 2; /* also across the end of a block */
                    in(b, 0x170, wide);
                    out(b, 0x170, 0xffffffff, wide);
                }
                uint8_t s = ide_status(b, 1);
                assert_true(s == OK || s == FAILED);
                bm_stop(b, 1);
            }
        }
        close_ide(b);
    }
}

/* T10: all 256 ATA opcodes on a CD, empty and loaded. */
static void t10_every_ata_command(void **state)
{
    (void)state;
    for (unsigned loaded = 0; loaded < 2; loaded++) {
        struct pc_bench *b = open_ide();
        if (!loaded) {
            bench_cd_eject(bench_cd_of(b));
        }
        for (unsigned op = 0; op < 256; op++) {
            for (unsigned k = 0; k < 3; k++) {
                ide_regs(b, 1, k == 1 ? 0x40 : 0, (uint8_t)(k * 0xd0), (uint8_t)(k * 127),
                         k == 2 ? 0xc24f00 : 0);
                uint8_t s = ide_run(b, 1, (uint8_t)op);
                assert_int_equal(s & ATA_BSY, 0);
                for (unsigned i = 0; i < 300; i++) {
                    in(b, 0x170, 2);
                    out(b, 0x170, 0, 2);
                }
                if (op == 0xc8 || op == 0x30 || op == 0xb0 || op == 0x91 || op == 0xc6) {
                    assert_int_equal(s, FAILED);
                }
                out(b, 0x376, 4, 1);
                out(b, 0x376, 0, 1);
                ide_wait(b, 1);
            }
        }
        close_ide(b);
    }
}

/* T11: reads at FFFFFFFFh and around the end with tiny byte counts. */
static void t11_reads_beyond_the_end(void **state)
{
    struct pc_bench *b = open_ide();
    static const uint32_t lbas[] = {0xffffffff, 0xfffffffe, 0x80000000, 64, 65, 63, 60};
    static const uint8_t ops[] = {0x28, 0xa8, 0xbe, 0x2b, 0x2f};
    static const unsigned limits[] = {0, 1, 2, 0xffff};
    (void)state;
    for (unsigned o = 0; o < sizeof ops; o++) {
        for (unsigned i = 0; i < ARRAY_LEN(lbas); i++) {
            for (unsigned k = 0; k < ARRAY_LEN(limits); k++) {
                uint32_t l = lbas[i];
                uint8_t cdb[12] = {ops[o], 0, l >> 24, l >> 16 & 0xff, l >> 8 & 0xff, l & 0xff}, s;
                unsigned n = 2; /* frames */
                cdb[ops[o] == 0xa8 ? 9 : 8] = (uint8_t)n;
                cdb[9] |= ops[o] == 0xbe ? 0x10 : 0;
                unsigned got = packet(b, cdb, limits[k], NULL, 0, &s);
                bool good = l <= 62 || (ops[o] == 0x2b && l < 64);
                assert_int_equal(s, good ? OK : FAILED);
                if (!good) {
                    assert_int_equal(got, 0);
                    assert_int_equal(sense(b), 0x052100);
                }
            }
        }
    }
    /* the disc leaves in the middle of a read */
    static const uint8_t cdb[12] = {0x28, 0, 0, 0, 0, 0, 0, 0, 60};
    ide_regs(b, 1, 0, 0, 0, 0x200000 & 0xffff00);
    ide_run(b, 1, 0xa0);
    ide_put(b, 1, cdb, 12);
    ide_wait(b, 1);
    bench_cd_eject(bench_cd_of(b));
    for (unsigned i = 0; i < 200000 && (ide_wait(b, 1) & ATA_DRQ); i++) {
        in(b, 0x170, 4);
    }
    assert_int_equal(ide_status(b, 1), FAILED);
    assert_int_equal(ide_error(b, 1) >> 4, 2);
    close_ide(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_by_pio_in_blocks),
        cmocka_unit_test(reads_by_dma),
        cmocka_unit_test(says_who_it_is),
        cmocka_unit_test(media_come_and_go),
        cmocka_unit_test(tables_of_contents),
        cmocka_unit_test(modes_and_features),
        cmocka_unit_test(raw_frames_carry_valid_codes),
        cmocka_unit_test(t9_every_packet),
        cmocka_unit_test(t10_every_ata_command),
        cmocka_unit_test(t11_reads_beyond_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
