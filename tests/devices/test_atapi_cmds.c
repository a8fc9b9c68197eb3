/* CD drive, command by command: mode pages, speeds, tables of DVDs, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/devices/cd_drv.h"

/* Every operation code that the drive does not have: illegal request, invalid command. */
static void the_rest_is_refused(void **state)
{
    static const uint8_t mine[] = {0x00, 0x03, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b,
                                   0x2f, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a, 0xa8,
                                   0xb9, 0xbb, 0xbd, 0xbe};
    struct pc_bench *b = open_ide();
    (void)state;
    for (unsigned op = 0; op < 256; op++) {
        uint8_t cdb[12] = {(uint8_t)op};
        if (!memchr(mine, (int)op, sizeof mine)) {
            refuses(b, cdb, 0x052000);
        }
    }
    close_ide(b);
}

static const struct {
    uint8_t code, len, byte, bit, fixed; /* one bit that may change, and a byte that may not */
} pages[] = {{0x01, 12, 3, 0x40, 5}, {0x0d, 8, 3, 0x01, 5},  {0x0e, 16, 9, 0x08, 7},
             {0x1a, 12, 3, 0x02, 2}, {0x1d, 10, 9, 0x80, 5}, {0x2a, 22, 0, 0, 2}};

static void every_mode_page_by_six_and_ten(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t all[12] = {0x1a, 0, 0x3f, 0, 255}, s;
    unsigned sum = 4;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        uint8_t six[12] = {0x1a, 0, pages[i].code, 0, 255}, list[64];
        uint8_t ten[12] = {0x5a, 0, pages[i].code, 0, 0, 0, 0, 1, 0};
        uint8_t select[12] = {0x15, 0x10, 0, 0, (uint8_t)(4 + pages[i].len)};
        unsigned len = pages[i].len;
        assert_int_equal(takes(b, ten), 8 + len);
        assert_int_equal(load_le16(reply), (uint16_t)((6 + len) << 8)); /* big-endian */
        memcpy(list, reply + 8, len);
        assert_int_equal(takes(b, six), 4 + len);
        assert_int_equal(reply[0], 3 + len);
        assert_int_equal(reply[1], 1); /* a disc is in */
        assert_int_equal(reply[3], 0); /* no block descriptor */
        assert_memory_equal(reply + 4, list, len);
        assert_int_equal(reply[4], pages[i].code);
        assert_int_equal(reply[5], len - 2);
        sum += len;
        six[2] |= 0x40; /* changeable */
        assert_int_equal(takes(b, six), 4 + len);
        assert_int_equal(reply[5], len - 2);
        assert_int_equal(reply[4 + pages[i].fixed], 0);
        memcpy(list, (const uint8_t[4]){0}, 4);
        six[2] = pages[i].code;
        takes(b, six);
        memcpy(list + 4, reply + 4, len);
        if (!pages[i].bit) { /* nothing to change: refused as a whole */
            packet(b, select, 0xfffe, list, len + 4, &s);
            assert_int_equal(sense(b), 0x052600);
            continue;
        }
        list[4 + pages[i].byte] ^= pages[i].bit;
        packet(b, select, 0xfffe, list, len + 4, &s);
        assert_int_equal(s, OK);
        takes(b, six);
        assert_memory_equal(reply + 4, list + 4, len);
        six[2] |= 0x80; /* the default is still what it was */
        takes(b, six);
        assert_int_equal(reply[4 + pages[i].byte] ^ list[4 + pages[i].byte], pages[i].bit);
        list[4 + pages[i].fixed] ^= 0x80;
        packet(b, select, 0xfffe, list, len + 4, &s);
        assert_int_equal(sense(b), 0x052600);
    }
    assert_int_equal(takes(b, all), sum);
    rig_reset(b->rig, RESET_POWER_ON);
    close_ide(b);
}

static void speed_is_kept_within_the_drive(void **state)
{
    static const struct {
        uint16_t ask, get;
    } row[] = {{0xffff, 8467}, {706, 706}, {0, 176}, {9000, 8467}};
    struct pc_bench *b = open_ide();
    uint8_t page[12] = {0x5a, 0, 0x2a, 0, 0, 0, 0, 1, 0};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        uint8_t cdb[12] = {0xbb, 0, (uint8_t)(row[i].ask >> 8), (uint8_t)row[i].ask, 0xff, 0xff};
        assert_int_equal(takes(b, cdb), 0);
        takes(b, page);
        assert_int_equal(reply[8 + 14] << 8 | reply[8 + 15], row[i].get);
        assert_int_equal(reply[8 + 8] << 8 | reply[8 + 9], 8467);
    }
    close_ide(b);
}

/* Only tables are read here: no image of this size is behind the drive. */
static void a_dvd_is_longer_than_minutes_can_say(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t toc[12] = {0x43, 2, 0, 0, 0, 0, 0, 1, 0}, cap[12] = {0x25};
    uint8_t conf[12] = {0x46, 0, 0, 0, 0, 0, 0, 1, 0};
    (void)state;
    takes(b, conf);
    assert_int_equal(reply[6] << 8 | reply[7], 0x0008);
    bench_cd_of(b)->blk.sectors = 2295104; /* 4.7 GB */
    takes(b, conf);
    assert_int_equal(reply[6] << 8 | reply[7], 0x0010);
    takes(b, cap);
    assert_memory_equal(reply, "\x00\x23\x05\x3f\x00\x00\x08\x00", 8);
    takes(b, toc);
    assert_memory_equal(reply + 16, "\0\xff\x3b\x4a", 4); /* lead-out: 255:59:74, no more */
    toc[1] = 0;
    takes(b, toc);
    assert_memory_equal(reply + 16, "\x00\x23\x05\x40", 4);
    close_ide(b);
}

static void small_answers(void **state)
{
    struct pc_bench *b = open_ide();
    static const uint8_t disc[12] = {0x51, 0, 0, 0, 0, 0, 0, 1, 0};
    static const uint8_t disc_bad[12] = {0x51, 1, 0, 0, 0, 0, 0, 1, 0};
    static const uint8_t by_lba[12] = {0x52, 0, 0, 0, 0, 63, 0, 1, 0};
    static const uint8_t beyond[12] = {0x52, 0, 0, 0, 0, 64, 0, 1, 0};
    static const uint8_t track2[12] = {0x52, 1, 0, 0, 0, 2, 0, 1, 0};
    static const uint8_t mech[12] = {0xbd, 0, 0, 0, 0, 0, 0, 0, 1, 0};
    static const uint8_t eject[12] = {0x1b, 0, 0, 0, 2}, load[12] = {0x1b, 0, 0, 0, 3};
    static const uint8_t start[12] = {0x1b, 0, 0, 0, 1}, stop[12] = {0x1b};
    static const uint8_t sub[12] = {0x42, 0, 0x40, 1, 0, 0, 0, 1, 0};
    static const uint8_t head[12] = {0x42, 0, 0, 1, 0, 0, 0, 1, 0};
    static const uint8_t mcn[12] = {0x42, 0, 0x40, 2, 0, 0, 0, 1, 0};
    static const uint8_t sub_bad[12] = {0x42, 0, 0x40, 4, 0, 0, 0, 1, 0};
    static const uint8_t seek[12] = {0x2b, 0, 0, 0, 0, 63}, seek_bad[12] = {0x2b, 0, 0, 0, 0, 64};
    static const uint8_t poll[12] = {0x4a, 1, 0, 0, 0x7e, 0, 0, 1, 0};
    static const uint8_t wait[12] = {0x4a, 0, 0, 0, 0x10, 0, 0, 1, 0};
    (void)state;
    assert_int_equal(takes(b, disc), 34);
    assert_memory_equal(reply, "\0\x20\x0e\1\1\1\1\x20", 8);
    refuses(b, disc_bad, 0x052400);
    assert_int_equal(takes(b, by_lba), 36);
    assert_memory_equal(reply, "\0\x22\1\1\0\4\1", 7);
    assert_memory_equal(reply + 24, "\0\0\0\x40", 4);
    refuses(b, beyond, 0x052400);
    refuses(b, track2, 0x052400);
    assert_int_equal(takes(b, sub), 16);
    assert_memory_equal(reply, "\0\x15\0\x0c\1\x14\1\1\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(takes(b, head), 4);
    assert_int_equal(takes(b, mcn), 24);
    assert_int_equal(reply[8], 0); /* none on the disc */
    refuses(b, sub_bad, 0x052400);
    assert_int_equal(takes(b, seek), 0);
    refuses(b, seek_bad, 0x052100);
    assert_int_equal(takes(b, poll), 8);
    assert_memory_equal(reply, "\0\6\4\x10\0\2", 6);
    refuses(b, wait, 0x052400); /* asynchronous notification is not there */
    assert_int_equal(takes(b, mech), 8);
    assert_int_equal(reply[1], 0);
    takes(b, stop), takes(b, start);
    takes(b, eject);
    refuses(b, mech, 0x062800);
    assert_int_equal(takes(b, mech), 8);
    assert_int_equal(reply[1] & 0x10, 0x10); /* the door is open */
    takes(b, load);
    takes(b, mech);
    assert_int_equal(reply[1] & 0x10, 0);
    close_ide(b);
}

/* A reply is cut to what the host allocates, and none of it is an error. */
static void allocation_lengths_cut(void **state)
{
    static const struct {
        uint8_t op, sub, page, at, len; /* where the length stands; full length */
    } row[] = {{0x12, 0, 0, 4, 36},  {0x03, 0, 0, 4, 18}, {0x1a, 0, 0x2a, 4, 26},
               {0x43, 0, 0, 8, 20},  {0x51, 0, 0, 8, 34}, {0x4a, 1, 0, 8, 4},
               {0x46, 0, 0, 8, 72},  {0xbd, 0, 0, 9, 8},  {0x42, 0, 0x40, 8, 16}};
    struct pc_bench *b = open_ide();
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        uint8_t cdb[12] = {row[i].op, row[i].sub, row[i].page}, whole[256];
        cdb[3] = row[i].op == 0x42;
        for (unsigned k = 0; k <= row[i].len + 2u; k++) {
            unsigned n = k ? row[i].len + 2u - k : 255; /* all first, then ever less */
            cdb[row[i].at] = (uint8_t)n;
            unsigned want = n < row[i].len ? n : row[i].len;
            memset(reply, 0xee, 300);
            assert_int_equal(takes(b, cdb), want);
            if (n == 255) {
                memcpy(whole, reply, sizeof whole);
            }
            assert_memory_equal(reply, whole, want & ~1u);
        }
    }
    close_ide(b);
}

/* Ejected by the host while locked: gone all the same (the user forced it), and the guest is told;
 * a lock stays with the drive, not with the disc. */
static void a_locked_disc_taken_by_force(void **state)
{
    struct pc_bench *b = open_ide();
    static const uint8_t prevent[12] = {0x1e, 0, 0, 0, 1}, tur[12] = {0};
    static const uint8_t read[12] = {0x28, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t event[12] = {0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8};
    (void)state;
    takes(b, prevent);
    bench_cd_eject(bench_cd_of(b));
    takes(b, event);
    assert_int_equal(reply[4], 3);
    refuses(b, read, 0x062800);
    refuses(b, read, 0x023a01);
    bench_cd_insert(bench_cd_of(b));
    refuses(b, tur, 0x062800);
    assert_int_equal(takes(b, read), 2048);
    assert_true(bench_cd_of(b)->blk.locked);
    out(b, 0x376, 4, 1); /* a reset of the drive unlocks it */
    out(b, 0x376, 0, 1);
    ide_wait(b, 1);
    assert_false(bench_cd_of(b)->blk.locked);
    close_ide(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_is_refused),
        cmocka_unit_test(every_mode_page_by_six_and_ten),
        cmocka_unit_test(speed_is_kept_within_the_drive),
        cmocka_unit_test(a_dvd_is_longer_than_minutes_can_say),
        cmocka_unit_test(small_answers),
        cmocka_unit_test(allocation_lengths_cut),
        cmocka_unit_test(a_locked_disc_taken_by_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
