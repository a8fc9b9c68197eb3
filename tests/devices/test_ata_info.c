/* What the disk says about itself: IDENTIFY against what is offered, SET FEATURES, SMART. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "devices/storage/ata.h"
#include "tests/devices/cd_drv.h"

static uint16_t id[256];

static void identify(struct pc_bench *b, unsigned ch)
{
    uint8_t raw[512];
    assert_int_equal(ide_cmd(b, ch, ch ? 0xa1 : 0xec, 0, 0, 0), OK | ATA_DRQ);
    ide_get(b, ch, raw, 512);
    ide_ack(b, ch);
    for (unsigned i = 0; i < 256; i++) {
        id[i] = load_le16(raw + 2 * i);
    }
}

static uint8_t smart(struct pc_bench *b, uint8_t sub, uint8_t count, uint8_t low)
{
    return ide_cmd(b, 0, 0xb0, sub, count, 0xc24f00u | low);
}

static void smart_page(struct pc_bench *b, uint8_t sub, uint8_t low, uint8_t page[512])
{
    assert_int_equal(smart(b, sub, 1, low), OK | ATA_DRQ);
    ide_get(b, 0, page, 512);
    assert_int_equal(ide_status(b, 0), OK);
    ide_ack(b, 0);
}

/* Every command set that words 82 to 84 speak of: offered if the bit is set, aborted if not. */
static void words_82_to_84_keep_their_word(void **state)
{
    static const struct {
        uint8_t word, bit, command, feature, count;
        uint32_t lba;
    } row[] = {
        {82, 0, 0xb0, 0xda, 0, 0xc24f00}, /* SMART */
        {82, 1, 0xf4, 0, 0, 0},           /* security: ERASE UNIT, its members below */
        {82, 1, 0xf1, 0, 0, 0},           {82, 1, 0xf2, 0, 0, 0},
        {82, 1, 0xf3, 0, 0, 0},           {82, 1, 0xf5, 0, 0, 0},
        {82, 1, 0xf6, 0, 0, 0},
        {82, 2, 0xda, 0, 0, 0},           /* removable media status */
        {82, 3, 0xe5, 0, 0, 0},           /* power management */
        {82, 5, 0xef, 0x02, 0, 0},        /* write cache */
        {82, 6, 0xef, 0xaa, 0, 0},        /* look-ahead */
        {82, 9, 0x08, 0, 0, 0},           /* DEVICE RESET */
        {82, 10, 0xf8, 0, 0, 0},          /* host protected area: READ NATIVE MAX ADDRESS */
        {82, 10, 0xf9, 0, 0, 100},        /* SET MAX ADDRESS */
        {82, 10, 0x27, 0, 0, 0},          /* both for 48 bits */
        {82, 10, 0x37, 0, 0, 100},
        {82, 12, 0xe8, 0, 0, 0},          /* WRITE BUFFER */
        {82, 13, 0xe4, 0, 0, 0},          /* READ BUFFER */
        {83, 0, 0x92, 7, 1, 0},           /* DOWNLOAD MICROCODE */
        {83, 1, 0xc7, 1, 0, 0},           /* queued DMA */
        {83, 1, 0xcc, 1, 0, 0},
        {83, 2, 0x03, 0, 0, 0},           /* CFA */
        {83, 3, 0xef, 0x05, 0x80, 0},     /* advanced power management */
        {83, 4, 0xef, 0x31, 0, 0},        /* media status notification */
        {83, 5, 0xef, 0x06, 0, 0},        /* power-up in standby */
        {83, 8, 0xf9, 1, 0, 0},           /* SET MAX security */
        {83, 9, 0xef, 0x42, 0x80, 0},     /* acoustics */
        {83, 10, 0x42, 0, 1, 0},          /* 48 bits: READ VERIFY SECTORS EXT */
        {83, 11, 0xb1, 0xc2, 0, 0},       /* configuration overlay */
        {83, 12, 0xe7, 0, 0, 0},          /* FLUSH CACHE */
        {83, 13, 0xea, 0, 0, 0},          /* FLUSH CACHE EXT */
        {84, 0, 0xb0, 0xd5, 1, 0xc24f01}, /* SMART error log */
        {84, 1, 0xb0, 0xd4, 0, 0xc24f01}, /* SMART self-test */
        {84, 5, 0x2f, 0, 1, 0},           /* READ LOG EXT */
    };
    struct pc_bench *b = open_ide();
    (void)state;
    identify(b, 0);
    for (unsigned w = 82; w <= 84; w++) {
        assert_int_equal(id[w + 3] & (w == 82 ? ~0x61u : ~0u), /* 5, 6 and 0 can be off */
                         id[w] & (w == 83 ? 0x3fffu : w == 82 ? ~0x61u : ~0u));
    }
    assert_int_equal(id[82] & 0x4000, 0x4000); /* NOP: aborts by definition */
    uint16_t known[3] = {0x4000, 0x4000, 0x4000};
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        bool offered = id[row[i].word] >> row[i].bit & 1;
        known[row[i].word - 82] |= (uint16_t)(1u << row[i].bit);
        ide_regs(b, 0, 0x40, 0, 1, 0); /* what the 48-bit commands find below */
        uint8_t s = ide_cmd(b, 0, row[i].command, row[i].feature, row[i].count, row[i].lba);
        if (!offered) {
            assert_int_equal(s, FAILED);
            assert_int_equal(ide_error(b, 0), ATA_ABRT);
        } else {
            assert_int_equal(s & (uint8_t)~ATA_DRQ, OK);
            for (unsigned k = 0; k < 256 && (ide_status(b, 0) & ATA_DRQ); k++) {
                in(b, 0x1f0, 2);
            }
        }
        ide_ack(b, 0);
    }
    for (unsigned w = 0; w < 3; w++) {
        assert_int_equal(id[82 + w] & ~known[w], 0); /* every bit that is set was tried */
    }
    assert_int_equal(id[128], 0); /* no security */
    close_ide(b);
}

static void transfer_modes_show_in_identify(void **state)
{
    static const struct {
        uint8_t mode;
        uint16_t w63, w88; /* the selected bits after it */
    } row[] = {{0x20, 0x0100, 0}, {0x21, 0x0200, 0}, {0x22, 0x0400, 0}, {0x40, 0, 0x0100},
               {0x42, 0, 0x0400}, {0x45, 0, 0x2000}, {0x0c, 0, 0x2000}, /* PIO leaves it */
               {0x00, 0, 0x2000}};
    struct pc_bench *b = open_ide();
    (void)state;
    for (unsigned ch = 0; ch < 2; ch++) {
        for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
            assert_int_equal(ide_cmd(b, ch, 0xef, 3, row[i].mode, 0), OK);
            identify(b, ch);
            assert_int_equal(id[63], 7 | row[i].w63);
            assert_int_equal(id[88], 0x3f | row[i].w88);
            assert_int_equal(id[53] & 6, 6); /* both words and the PIO times are valid */
            assert_int_equal(id[64], 3);
        }
    }
    assert_int_equal(ide_cmd(b, 0, 0xc6, 0, 8, 0), OK);
    identify(b, 0);
    assert_int_equal(id[59], 0x0108);
    assert_int_equal(ide_cmd(b, 0, 0xc6, 0, 0, 0), OK);
    identify(b, 0);
    assert_int_equal(id[59], 0);
    close_ide(b);
}

static void set_features_takes_what_there_is(void **state)
{
    struct pc_bench *b = open_ide();
    (void)state;
    for (unsigned f = 0; f < 256; f++) {
        bool good = f == 0x02 || f == 0x82 || f == 0xaa || f == 0x55 || f == 0x66 || f == 0xcc ||
                    f == 0x03;
        assert_int_equal(ide_cmd(b, 0, 0xef, (uint8_t)f, 0, 0), good ? OK : FAILED);
    }
    /* caches show in word 85; a soft reset brings the defaults back unless told to keep */
    for (unsigned keep = 0; keep < 2; keep++) {
        ide_cmd(b, 0, 0xef, 0x55, 0, 0);
        ide_cmd(b, 0, 0xef, 0x82, 0, 0);
        ide_cmd(b, 0, 0xef, keep ? 0x66 : 0xcc, 0, 0);
        ide_cmd(b, 0, 0xc6, 0, 4, 0);
        identify(b, 0);
        assert_int_equal(id[85] & 0x60, 0);
        out(b, 0x3f6, 4, 1);
        out(b, 0x3f6, 0, 1);
        ide_wait(b, 0);
        identify(b, 0);
        assert_int_equal(id[85] & 0x60, keep ? 0 : 0x60);
        assert_int_equal(id[59], keep ? 0x0104 : 0);
    }
    close_ide(b);
}

static void power_states(void **state)
{
    static const struct {
        uint8_t command, count;
    } row[] = {{0xe0, 0x00}, {0x94, 0x00}, {0xe1, 0x80}, {0x95, 0x80}, {0xe2, 0x00},
               {0x96, 0x00}, {0xe3, 0x80}, {0x97, 0x80}};
    struct pc_bench *b = open_ide();
    (void)state;
    for (unsigned ch = 0; ch < 2; ch++) {
        for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
            assert_int_equal(ide_cmd(b, ch, row[i].command, 0, 5, 0), OK);
            for (unsigned old = 0; old < 2; old++) {
                assert_int_equal(ide_cmd(b, ch, old ? 0x98 : 0xe5, 0, 0x55, 0), OK);
                assert_int_equal(in(b, ide_base(ch) + 2, 1), row[i].count);
            }
        }
    }
    assert_int_equal(ide_cmd(b, 0, 0xe0, 0, 0, 0), OK); /* a read wakes the disk */
    assert_int_equal(ide_cmd(b, 0, 0x20, 0, 1, 0), OK | ATA_DRQ);
    for (unsigned i = 0; i < 256; i++) {
        in(b, 0x1f0, 2);
    }
    ide_cmd(b, 0, 0xe5, 0, 0, 0);
    assert_int_equal(in(b, 0x1f2, 1), 0xff);
    close_ide(b);
}

static void smart_off_refuses_all_but_on(void **state)
{
    struct pc_bench *b = open_ide();
    (void)state;
    assert_int_equal(smart(b, 0xd9, 0, 0), OK);
    identify(b, 0);
    assert_int_equal(id[85] & 1, 0);
    assert_int_equal(id[82] & 1, 1);
    for (unsigned sub = 0; sub < 256; sub++) {
        if (sub != 0xd8) {
            assert_int_equal(smart(b, (uint8_t)sub, 1, 0), FAILED);
            assert_int_equal(ide_error(b, 0), ATA_ABRT);
        }
    }
    assert_int_equal(smart(b, 0xd8, 0, 0), OK);
    identify(b, 0);
    assert_int_equal(id[85] & 1, 1);
    assert_int_equal(ide_cmd(b, 0, 0xb0, 0xda, 0, 0xc24e00), FAILED); /* the key must be right */
    close_ide(b);
}

static void smart_data_and_thresholds_agree(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t data[512], limit[512];
    (void)state;
    smart_page(b, 0xd0, 0, data);
    smart_page(b, 0xd1, 0, limit);
    unsigned n = 0;
    for (unsigned i = 0; i < 30; i++) {
        const uint8_t *a = data + 2 + 12 * i, *t = limit + 2 + 12 * i;
        assert_int_equal(a[0], t[0]);
        if (a[0]) {
            assert_true(a[3] > t[1]); /* nothing has failed, as SMART RETURN STATUS says */
            assert_true(a[4] > t[1]);
            n++;
        }
    }
    assert_true(n >= 5);
    assert_int_equal(data[362], 0); /* no collection yet */
    assert_int_equal(data[367], 0x11);
    assert_int_equal(smart(b, 0xd5, 1, 9), FAILED); /* 367 says: no selective self-test, */
    assert_int_equal(smart(b, 0xdb, 0xf8, 0), FAILED); /* nor automatic collection */
    assert_int_equal(smart(b, 0xd4, 0, 0), OK);
    assert_int_equal(smart(b, 0xd2, 0xf1, 0), OK);
    assert_int_equal(smart(b, 0xd2, 0x00, 0), OK);
    assert_int_equal(smart(b, 0xd2, 0x12, 0), FAILED);
    assert_int_equal(smart(b, 0xd3, 0, 0), OK);
    smart_page(b, 0xd0, 0, data);
    assert_int_equal(data[362], 2);
    assert_int_equal(smart(b, 0xda, 0, 0), OK);
    assert_int_equal(in(b, 0x1f4, 2), 0xc24f);
    close_ide(b);
}

static void smart_self_tests_are_logged_with_their_hour(void **state)
{
    static const uint8_t types[] = {0x01, 0x02, 0x81, 0x82};
    struct pc_bench *b = open_ide();
    uint8_t log[512], data[512];
    (void)state;
    smart_page(b, 0xd5, 6, log);
    assert_int_equal(log[508], 0);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        assert_int_equal(smart(b, 0xd4, 0, types[i]), OK);
        rig_advance(b->rig, 3600 * VTIME_SEC);
    }
    assert_int_equal(smart(b, 0xd4, 0, 0x7f), OK); /* abort: nothing runs */
    assert_int_equal(smart(b, 0xd4, 0, 0x04), FAILED); /* selective */
    smart_page(b, 0xd5, 6, log);
    assert_int_equal(load_le16(log), 1);
    assert_int_equal(log[508], 4);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        const uint8_t *e = log + 2 + 24 * i;
        assert_int_equal(e[0], types[i]);
        assert_int_equal(e[1], 0);
        assert_int_equal(load_le16(e + 2), i);
    }
    smart_page(b, 0xd0, 0, data);
    for (unsigned i = 0; i < 30; i++) {
        if (data[2 + 12 * i] == 9) {
            assert_int_equal(load_le32(data + 2 + 12 * i + 5), 4); /* power-on hours */
            return close_ide(b);
        }
    }
    fail_msg("no attribute 9");
}

static void medium_errors_are_in_the_error_log(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t log[512], sum = 0;
    (void)state;
    smart_page(b, 0xd5, 1, log);
    assert_int_equal(log[1], 0);
    assert_int_equal(load_le16(log + 452), 0);
    /* what the host got wrong is not an error of the disk */
    assert_int_equal(ide_cmd(b, 0, 0x20, 0, 1, IDE_TEST_SECTORS), FAILED);
    assert_int_equal(ide_cmd(b, 0, 0x22, 0, 1, 0), FAILED);
    smart_page(b, 0xd5, 1, log);
    assert_int_equal(log[1], 0);
    b->rig->disk.bad_sector = 77;
    for (unsigned n = 1; n <= 7; n++) {
        assert_int_equal(ide_cmd(b, 0, 0xe7, 0, 0, 0), OK);
        rig_advance(b->rig, 1000 * VTIME_MS);
        assert_int_equal(ide_cmd(b, 0, 0x20, 0, (uint8_t)n, 77), FAILED);
        assert_int_equal(ide_error(b, 0), ATA_UNC);
        smart_page(b, 0xd5, 1, log);
        assert_int_equal(log[1], (n - 1) % 5 + 1);
        assert_int_equal(load_le16(log + 452), n);
        const uint8_t *e = log + 2 + 90 * ((n - 1) % 5);
        assert_int_equal(e[36 + 7], 0xe7); /* the one before */
        assert_int_equal(e[48 + 7], 0x20); /* the one that failed, as it was written */
        assert_int_equal(e[48 + 2], n);
        assert_int_equal(e[48 + 3], 77);
        assert_int_equal(e[48 + 6] & 0x40, 0x40);
        assert_in_range(load_le32(e + 48 + 8) - load_le32(e + 36 + 8), 1000, 1001);
        assert_int_equal(e[60 + 1], ATA_UNC);
        assert_int_equal(e[60 + 3], 77);
        assert_int_equal(e[60 + 7], FAILED);
    }
    for (unsigned i = 0; i < 512; i++) {
        sum = (uint8_t)(sum + log[i]);
    }
    assert_int_equal(sum, 0);
    close_ide(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_82_to_84_keep_their_word),
        cmocka_unit_test(transfer_modes_show_in_identify),
        cmocka_unit_test(set_features_takes_what_there_is),
        cmocka_unit_test(power_states),
        cmocka_unit_test(smart_off_refuses_all_but_on),
        cmocka_unit_test(smart_data_and_thresholds_agree),
        cmocka_unit_test(smart_self_tests_are_logged_with_their_hour),
        cmocka_unit_test(medium_errors_are_in_the_error_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
