/* A small CD driver for the tests: packets by PIO, sense. */
#pragma once
#include "tests/devices/ide_drv.h"

#define OK (ATA_DRDY | ATA_DSC)
#define FAILED (OK | ATA_ERR)

static uint8_t reply[300000];

/* Send a packet; collect data blocks by PIO.  Returns bytes read; *status is the last status. */
static inline unsigned packet(struct pc_bench *b, const uint8_t *cdb, unsigned limit,
                              const uint8_t *data, unsigned data_len, uint8_t *status)
{
    unsigned got = 0, put = 0;
    ide_regs(b, 1, 0, 0, 0, limit << 8);
    *status = ide_run(b, 1, 0xa0);
    assert_int_equal(*status, OK | ATA_DRQ);
    assert_int_equal(in(b, 0x172, 1), 1);
    ide_put(b, 1, cdb, 12);
    for (;;) {
        *status = ide_wait(b, 1);
        if (!(*status & ATA_DRQ)) {
            break;
        }
        ide_ack(b, 1);
        unsigned n = in(b, 0x174, 2), why = in(b, 0x172, 1);
        assert_true(n > 0);
        if (limit > 1 && limit < 0xffff && got + n > 8) {
            assert_true(n <= limit);
        }
        if (why == 2) {
            assert_true(got + n + 1 <= sizeof reply);
            ide_get(b, 1, reply + got, n);
            got += n;
        } else {
            assert_int_equal(why, 0);
            assert_true(put + n <= data_len);
            ide_put(b, 1, data + put, n);
            put += n;
        }
    }
    assert_int_equal(in(b, 0x172, 1) & 3, 3);
    ide_ack(b, 1);
    return got;
}

static inline unsigned get(struct pc_bench *b, const uint8_t cdb[12], uint8_t *status)
{
    return packet(b, cdb, 0xfffe, NULL, 0, status);
}
static inline uint32_t sense(struct pc_bench *b) /* key << 16 | asc << 8 | ascq */
{
    static const uint8_t cdb[12] = {3, 0, 0, 0, 18};
    uint8_t s;
    assert_int_equal(get(b, cdb, &s), 18);
    assert_int_equal(s, OK);
    return (uint32_t)(reply[2] << 16 | reply[12] << 8 | reply[13]);
}
static inline void refuses(struct pc_bench *b, const uint8_t cdb[12], uint32_t why)
{
    uint8_t s;
    assert_int_equal(get(b, cdb, &s), 0);
    assert_int_equal(s, FAILED);
    assert_int_equal(ide_error(b, 1) >> 4, why >> 16);
    assert_int_equal(sense(b), why);
    assert_int_equal(sense(b), 0); /* told once */
}
static inline unsigned takes(struct pc_bench *b, const uint8_t cdb[12])
{
    uint8_t s;
    unsigned n = get(b, cdb, &s);
    assert_int_equal(s, OK);
    return n;
}
static inline uint8_t frame_byte(uint64_t frame, unsigned i)
{
    return (uint8_t)(frame * 7 + i * 3);
}
