/* IDE channel and ATA disk: PIO, bus master, errors, resets; T5 to T8 and T25 of faults.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "devices/storage/ata.h"
#include "tests/devices/ide_drv.h"

#define OK (ATA_DRDY | ATA_DSC)
#define FAILED (OK | ATA_ERR)

static void contract(void **state)
{
    (void)state;
    contract_check(&ide_case);
}

static void fill(struct pc_bench *b)
{
    for (uint64_t i = 0; i < b->rig->disk.len; i++) {
        b->rig->disk.data[i] = (uint8_t)(i / 512 * 3 + i);
    }
}
static uint64_t sector0(struct pc_bench *b)
{
    return snap_hash_bytes(1, b->rig->disk.data, 512);
}

static void decoding_follows_the_configuration(void **state)
{
    struct pc_bench *b = contract_open(&ide_case)->priv;
    (void)state;
    assert_int_equal(in(b, 0x1f7, 1), 0xff);
    ide_enable(b);
    assert_int_equal(in(b, 0x1f7, 1), OK);
    assert_int_equal(in(b, 0x3f6, 1), OK);
    cfg_out(b, PCI_DEVFN(1, 1), 0x40, 0, 2);
    assert_int_equal(in(b, 0x1f7, 1), 0xff);
    assert_int_equal(in(b, 0x177, 1), 0); /* a CD says nothing before its first command */
    cfg_out(b, PCI_DEVFN(1, 1), PCI_COMMAND, 0, 2);
    assert_int_equal(in(b, 0x177, 1), 0xff);
    close_ide(b);
}

static void signatures_and_absent_units(void **state)
{
    struct pc_bench *b = open_ide();
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        if (round == 1) {
            out(b, 0x3f6, 4, 1); /* SRST */
            out(b, 0x376, 4, 1);
            assert_int_equal(in(b, 0x1f7, 1) & ATA_BSY, ATA_BSY);
            out(b, 0x3f6, 0, 1);
            out(b, 0x376, 0, 1);
        } else if (round == 2) {
            out(b, 0x1f7, 0x90, 1);
            out(b, 0x177, 0x90, 1);
        }
        assert_int_equal(ide_wait(b, 0), OK);
        assert_int_equal(ide_wait(b, 1), 0);
        assert_int_equal(in(b, 0x1f2, 4), 0x00000101);
        assert_int_equal(in(b, 0x172, 4), 0xeb140101);
        assert_int_equal(in(b, 0x1f1, 1), 1);
    }
    assert_int_equal(ide_cmd(b, 1, 0xec, 0, 0, 0), FAILED);
    assert_int_equal(in(b, 0x174, 2), 0xeb14);
    out(b, 0x1f6, 0xb0, 1); /* unit 1 is not there */
    assert_int_equal(in(b, 0x1f7, 1), 0);
    out(b, 0x1f2, 0x55, 1);
    assert_int_equal(in(b, 0x1f2, 1), 0);
    assert_int_equal(ide_run(b, 0, 0xec), 0);
    close_ide(b);
}

static void identify_is_consistent(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t id[512], sum = 0;
    (void)state;
    out(b, 0x1f7, 0xec, 1);
    assert_int_equal(in(b, 0x3f6, 1) & ATA_BSY, ATA_BSY); /* visible */
    assert_false(rig_level(b->rig, 14));
    assert_int_equal(ide_wait(b, 0), OK | ATA_DRQ);
    assert_true(rig_level(b->rig, 14));
    ide_ack(b, 0);
    assert_false(rig_level(b->rig, 14));
    ide_get(b, 0, id, 512);
    assert_int_equal(ide_status(b, 0), OK);
    for (unsigned i = 0; i < 512; i++) {
        sum = (uint8_t)(sum + id[i]);
    }
    assert_int_equal(sum, 0);
    assert_int_equal(load_le32(id + 120), IDE_TEST_SECTORS);
    assert_int_equal(load_le64(id + 200), IDE_TEST_SECTORS);
    assert_int_equal(load_le16(id + 2), IDE_TEST_SECTORS / 1008);
    assert_memory_equal(id + 20, "TV0000", 6); /* "VT0000" by swapped bytes */
    close_ide(b);
}

static void pio_reads_by_every_address_form(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t buf[4096];
    (void)state;
    fill(b);
    rig_edges(b->rig, 14);
    assert_int_equal(ide_cmd(b, 0, 0x20, 0, 2, 5), OK | ATA_DRQ);
    ide_get(b, 0, buf, 512);
    assert_int_equal(ide_status(b, 0) & ATA_BSY, ATA_BSY); /* the next sector takes its time */
    ide_wait(b, 0);
    ide_ack(b, 0);
    ide_get(b, 0, buf + 512, 512);
    assert_int_equal(ide_status(b, 0), OK);
    assert_memory_equal(buf, b->rig->disk.data + 5 * 512, 1024);
    ide_regs48(b, 0, 1, 4095);
    assert_int_equal(ide_run(b, 0, 0x24), OK | ATA_DRQ);
    ide_get(b, 0, buf, 512);
    assert_memory_equal(buf, b->rig->disk.data + 4095 * 512, 512);
    ide_regs(b, 0, 0x02, 0, 1, 1 << 8 | 3); /* cylinder 1, head 2, sector 3 */
    assert_int_equal(ide_run(b, 0, 0x20), OK | ATA_DRQ);
    ide_get(b, 0, buf, 512);
    assert_memory_equal(buf, b->rig->disk.data + ((16 + 2) * 63 + 2) * 512, 512);
    ide_regs(b, 0, 0x03, 0, 17, 0); /* INITIALIZE DEVICE PARAMETERS: 4 heads, 17 sectors */
    assert_int_equal(ide_run(b, 0, 0x91), OK);
    ide_regs(b, 0, 0x02, 0, 1, 1 << 8 | 3);
    assert_int_equal(ide_run(b, 0, 0x20), OK | ATA_DRQ);
    for (unsigned i = 0; i < 512; i += 4) { /* 32 bits at a time */
        store_le32(buf + i, in(b, 0x1f0, 4));
    }
    assert_memory_equal(buf, b->rig->disk.data + ((4 + 2) * 17 + 2) * 512, 512);
    ide_regs(b, 0, 0x04, 0, 1, 1); /* head 4 of 4 */
    assert_int_equal(ide_run(b, 0, 0x20), FAILED);
    assert_int_equal(ide_error(b, 0), ATA_IDNF);
    ide_regs(b, 0, 0x00, 0, 1, 0); /* sector 0 */
    assert_int_equal(ide_run(b, 0, 0x20), FAILED);
    ide_regs(b, 0, 0x00, 0, 0, 0); /* zero sectors a track: refused (T4's kind) */
    assert_int_equal(ide_run(b, 0, 0x91), FAILED);
    close_ide(b);
}

static void multiple_has_blocks(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t buf[20 * 512];
    (void)state;
    fill(b);
    assert_int_equal(ide_cmd(b, 0, 0xc4, 0, 1, 0), FAILED); /* not set yet */
    assert_int_equal(ide_cmd(b, 0, 0xc6, 0, 3, 0), FAILED);
    assert_int_equal(ide_cmd(b, 0, 0xc6, 0, 32, 0), FAILED);
    assert_int_equal(ide_cmd(b, 0, 0xc6, 0, 16, 0), OK);
    ide_ack(b, 0);
    rig_edges(b->rig, 14);
    assert_int_equal(ide_cmd(b, 0, 0xc4, 0, 20, 100), OK | ATA_DRQ);
    ide_ack(b, 0);
    ide_get(b, 0, buf, 16 * 512);
    ide_wait(b, 0);
    ide_ack(b, 0);
    ide_get(b, 0, buf + 16 * 512, 4 * 512);
    assert_int_equal(ide_status(b, 0), OK);
    assert_int_equal(rig_edges(b->rig, 14), 2);
    assert_memory_equal(buf, b->rig->disk.data + 100 * 512, sizeof buf);
    assert_int_equal(ide_cmd(b, 0, 0xc5, 0, 20, 200), OK | ATA_DRQ);
    assert_false(rig_level(b->rig, 14)); /* no interrupt before the first block of a write */
    ide_put(b, 0, buf, 16 * 512);
    ide_wait(b, 0);
    ide_ack(b, 0);
    ide_put(b, 0, buf + 16 * 512, 4 * 512);
    assert_int_equal(ide_wait(b, 0), OK);
    ide_ack(b, 0);
    assert_int_equal(rig_edges(b->rig, 14), 2);
    assert_memory_equal(buf, b->rig->disk.data + 200 * 512, sizeof buf);
    close_ide(b);
}

static void flush_reaches_the_medium(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t buf[512] = {1, 2, 3};
    (void)state;
    assert_int_equal(ide_cmd(b, 0, 0xe7, 0, 0, 0), OK);
    assert_int_equal(ide_cmd(b, 0, 0xea, 0, 0, 0), OK);
    assert_int_equal(b->rig->disk.flushes, 2);
    ide_cmd(b, 0, 0x30, 0, 1, 7);
    ide_put(b, 0, buf, 512);
    assert_int_equal(ide_wait(b, 0), OK);
    assert_int_equal(b->rig->disk.flushes, 2); /* cached */
    assert_int_equal(ide_cmd(b, 0, 0xef, 0x82, 0, 0), OK);
    assert_int_equal(b->rig->disk.flushes, 3);
    ide_cmd(b, 0, 0x30, 0, 1, 7);
    ide_put(b, 0, buf, 512);
    assert_int_equal(ide_wait(b, 0), OK);
    assert_int_equal(b->rig->disk.flushes, 4); /* write cache off: at once */
    b->rig->disk.flush_error = BLK_EIO;
    assert_int_equal(ide_cmd(b, 0, 0xe7, 0, 0, 0), FAILED | ATA_DF);
    close_ide(b);
}

static void host_errors_become_status_bits(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t buf[512] = {0};
    static const struct {
        enum blk_result why;
        uint8_t status, error;
    } row[] = {{BLK_EIO, FAILED | ATA_DF, ATA_ABRT},
               {BLK_ENOSPC, FAILED | ATA_DF, ATA_ABRT},
               {BLK_EROFS, FAILED, ATA_WP | ATA_ABRT},
               {BLK_ENOMEDIUM, FAILED, ATA_NM | ATA_ABRT}};
    (void)state;
    b->rig->disk.bad_sector = 9;
    assert_int_equal(ide_cmd(b, 0, 0x20, 0, 3, 8), OK | ATA_DRQ);
    ide_get(b, 0, buf, 512);
    assert_int_equal(ide_wait(b, 0), FAILED);
    assert_int_equal(ide_error(b, 0), ATA_UNC);
    assert_int_equal(in(b, 0x1f3, 1), 9); /* the address of the failure */
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        b->rig->disk.error = row[i].why;
        ide_cmd(b, 0, 0x30, 0, 1, 9);
        ide_put(b, 0, buf, 512);
        assert_int_equal(ide_wait(b, 0), row[i].status);
        assert_int_equal(ide_error(b, 0), row[i].error);
    }
    b->rig->disk.bad_sector = UINT64_MAX;
    b->rig->blk.read_only = true;
    ide_cmd(b, 0, 0x30, 0, 1, 9);
    ide_put(b, 0, buf, 512);
    assert_int_equal(ide_wait(b, 0), FAILED);
    close_ide(b);
}

static void refused_and_simple_commands(void **state)
{
    struct pc_bench *b = open_ide();
    static const uint8_t refused[] = {0x00, 0x08, 0x22, 0x27, 0x37, 0xa0, 0xa1, 0xb1, 0xf1, 0xf2,
                                      0xf3, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0x06, 0xff};
    (void)state;
    for (unsigned i = 0; i < sizeof refused; i++) {
        assert_int_equal(ide_cmd(b, 0, refused[i], 0, 1, 0), FAILED);
        assert_int_equal(ide_error(b, 0), ATA_ABRT);
    }
    assert_int_equal(ide_cmd(b, 0, 0x10, 0, 0, 0), OK);
    assert_int_equal(ide_cmd(b, 0, 0x70, 0, 0, 4095), OK);
    assert_int_equal(ide_cmd(b, 0, 0x70, 0, 0, 4096), FAILED);
    assert_int_equal(ide_cmd(b, 0, 0x40, 0, 0, 4096 - 256), OK);
    assert_int_equal(ide_cmd(b, 0, 0xe0, 0, 0, 0), OK);
    assert_int_equal(ide_cmd(b, 0, 0xe5, 0, 0, 0), OK);
    assert_int_equal(in(b, 0x1f2, 1), 0x00);
    ide_cmd(b, 0, 0x40, 0, 1, 0);
    ide_cmd(b, 0, 0xe5, 0, 0, 0);
    assert_int_equal(in(b, 0x1f2, 1), 0xff);
    static const struct {
        uint8_t count;
        bool good;
    } modes[] = {{0, true},     {1, true},     {2, false},    {0x0c, true}, {0x0d, false},
                 {0x22, true},  {0x23, false}, {0x45, true},  {0x46, false}, {0x80, false}};
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        assert_int_equal(ide_cmd(b, 0, 0xef, 3, modes[i].count, 0), modes[i].good ? OK : FAILED);
    }
    assert_int_equal(ide_cmd(b, 0, 0xe6, 0, 0, 0), OK); /* SLEEP, until a reset */
    out(b, 0x1f7, 0xec, 1);
    rig_advance(b->rig, VTIME_MS);
    assert_int_equal(ide_status(b, 0), OK);
    out(b, 0x3f6, 4, 1);
    out(b, 0x3f6, 0, 1);
    ide_wait(b, 0);
    assert_int_equal(ide_cmd(b, 0, 0xec, 0, 0, 0), OK | ATA_DRQ);
    close_ide(b);
}

/* T5: every SMART sub-feature with every log address. */
static void t5_smart_subfeatures(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t buf[512];
    (void)state;
    for (unsigned sub = 0; sub < 256; sub++) {
        for (unsigned lba = 0; lba < 256; lba++) {
            uint8_t s = ide_cmd(b, 0, 0xb0, (uint8_t)sub, 1, 0xc24f00 | lba);
            assert_true(s == OK || s == FAILED || s == (OK | ATA_DRQ));
            if (s & ATA_DRQ) {
                uint8_t sum = 0;
                ide_get(b, 0, buf, 512);
                for (unsigned i = 0; i < 512; i++) {
                    sum = (uint8_t)(sum + buf[i]);
                }
                assert_true(sum == 0 || (sub == 0xd5 && lba == 0)); /* the directory has none */
            }
            if (sub == 0xd9) {
                assert_int_equal(ide_cmd(b, 0, 0xb0, 0xda, 0, 0xc24f00), FAILED); /* it is off */
                assert_int_equal(ide_cmd(b, 0, 0xb0, 0xd8, 0, 0xc24f00), OK);
            }
        }
    }
    assert_int_equal(ide_cmd(b, 0, 0xb0, 0xd0, 0, 0x111100), FAILED); /* wrong key */
    for (unsigned i = 0; i < 50; i++) { /* the self-test ring turns over */
        assert_int_equal(ide_cmd(b, 0, 0xb0, 0xd4, 0, 0xc24f01), OK);
        assert_int_equal(ide_cmd(b, 0, 0xb0, 0xd5, 1, 0xc24f06), OK | ATA_DRQ);
        ide_get(b, 0, buf, 512);
        assert_in_range(buf[508], 1, 21);
    }
    assert_int_equal(ide_cmd(b, 0, 0xb0, 0xda, 0, 0xc24f00), OK);
    assert_int_equal(in(b, 0x1f4, 2), 0xc24f);
    close_ide(b);
}

static void dma_moves_both_ways(void **state)
{
    struct pc_bench *b = open_ide();
    uint8_t *m = b->rig->mem;
    (void)state;
    fill(b);
    rig_edges(b->rig, 14);
    /* 200 sectors: two pieces; scattered, with a 64 KB entry written as 0 */
    ide_prd(b, 0, 0x10000, 0);
    ide_prd(b, 1, 0x30000, (200 * 512 - 0x10000) | PRD_LAST);
    ide_regs(b, 0, 0x40, 0, 200, 50);
    out(b, 0x1f7, 0xc8, 1);
    rig_advance(b->rig, 10 * VTIME_MS);
    assert_int_equal(ide_status(b, 0) & ATA_BSY, ATA_BSY); /* waits for the bus master */
    vtime began = clock_now(&b->rig->clk);
    bm_start(b, 0, true);
    assert_int_equal(bm_status(b, 0), 1);
    while (ide_status(b, 0) & ATA_BSY) {
        assert_true(rig_next(b->rig, VTIME_SEC));
    }
    assert_true(clock_now(&b->rig->clk) > began);
    assert_int_equal(bm_status(b, 0), 4);
    assert_int_equal(rig_edges(b->rig, 14), 1);
    bm_stop(b, 0);
    ide_ack(b, 0);
    assert_memory_equal(m + 0x10000, b->rig->disk.data + 50 * 512, 0x10000);
    assert_memory_equal(m + 0x30000, b->rig->disk.data + 50 * 512 + 0x10000, 200 * 512 - 0x10000);
    /* back, by the 48-bit command, started before the command */
    ide_prd(b, 0, 0x10000, 3 * 512 | PRD_LAST);
    bm_start(b, 0, false);
    ide_regs48(b, 0, 3, 1000);
    assert_int_equal(ide_run(b, 0, 0x35), OK);
    assert_int_equal(bm_status(b, 0), 4);
    assert_memory_equal(b->rig->disk.data + 1000 * 512, m + 0x10000, 3 * 512);
    /* an error ends it with an interrupt; the table is not used up: ACTIVE stays */
    bm_stop(b, 0);
    b->rig->disk.bad_sector = 1001;
    bm_start(b, 0, true);
    assert_int_equal(ide_cmd(b, 0, 0xc8, 0, 3, 1000), FAILED);
    assert_int_equal(ide_error(b, 0), ATA_UNC);
    assert_int_equal(bm_status(b, 0), 5);
    /* without the bus-master enable nothing moves */
    b->rig->disk.bad_sector = UINT64_MAX;
    bm_stop(b, 0);
    cfg_out(b, PCI_DEVFN(1, 1), PCI_COMMAND, 1, 2);
    memset(m + 0x10000, 0x77, 512);
    bm_start(b, 0, true);
    ide_regs(b, 0, 0x40, 0, 1, 0);
    out(b, 0x1f7, 0xc8, 1);
    rig_advance(b->rig, 100 * VTIME_MS);
    assert_int_equal(m[0x10000], 0x77);
    close_ide(b);
}

static void nien_holds_the_wire(void **state)
{
    struct pc_bench *b = open_ide();
    (void)state;
    out(b, 0x3f6, 2, 1);
    ide_cmd(b, 0, 0xec, 0, 0, 0);
    assert_false(rig_level(b->rig, 14));
    out(b, 0x3f6, 0, 1);
    assert_true(rig_level(b->rig, 14));
    out(b, 0x1f6, 0x10, 1); /* the other unit is selected: not its wire */
    assert_false(rig_level(b->rig, 14));
    close_ide(b);
}

/* T6: PRD tables of size 0, odd, too short, too long, unterminated, pointing at themselves. */
static void t6_prd_tables(void **state)
{
    static const struct {
        uint32_t addr, word;
        unsigned entries;
    } row[] = {
        {0x10000, 0 | PRD_LAST, 1},      {0x10001, 1 | PRD_LAST, 1},  {0x10000, 3 | PRD_LAST, 1},
        {0x10000, 511 | PRD_LAST, 1},    {0x10000, 2, 8192},          {0x1000, 8, 4096},
        {0x1000, 0x800, 2},              {0x10000, 0xfffe | PRD_LAST, 1}, {0xfffffff0, 0, 4},
        {0x10000, 513, 7},               {0x3fffe, 0x10, 100},        {0x10000, 512, 255},
        {0x10000, 0, 4096},              {0x10000, 1, 4096},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        for (unsigned k = 0; k < 4; k++) {
            struct pc_bench *b = open_ide();
            uint32_t rnd = i * 4 + k;
            uint64_t h;
            fill(b);
            h = sector0(b);
            memset(b->rig->mem + 0x1000, 0xff, 0x8000); /* no end: addresses of ones */
            for (unsigned n = 0; n < row[i].entries && n < 4096; n++) {
                ide_prd(b, n, row[i].addr, row[i].word);
            }
            bm_start(b, 0, !(k & 1));
            ide_cmd(b, 0, k & 1 ? 0xca : 0xc8, 0, k & 2 ? 0 : 3, 10 + rnd);
            for (unsigned n = 0; n < 100 && (ide_status(b, 0) & ATA_BSY); n++) {
                rig_advance(b->rig, 10 * VTIME_MS);
            }
            assert_int_equal(ide_status(b, 0) & ATA_BSY, 0); /* it came to an end, */
            if (!(k & 2)) { /* after no more entries than there were words to move */
                assert_true(b->ide.ch[0].bm.next <= 0x1000 + 8 * (3 * 512 / 2 + 1));
            }
            assert_true(sector0(b) == h);
            /* and the channel lives */
            bm_stop(b, 0);
            assert_int_equal(ide_cmd(b, 0, 0xec, 0, 0, 0), OK | ATA_DRQ);
            close_ide(b);
        }
    }
    /* short table: ACTIVE off, no interrupt */
    struct pc_bench *b = open_ide();
    ide_prd(b, 0, 0x10000, 512 | PRD_LAST);
    bm_start(b, 0, true);
    rig_edges(b->rig, 14);
    ide_cmd(b, 0, 0xc8, 0, 2, 0);
    assert_int_equal(bm_status(b, 0), 0);
    assert_int_equal(rig_edges(b->rig, 14), 0);
    /* the table itself outside memory: error bit */
    out(b, 0xc004, 0xf0000000, 4);
    bm_stop(b, 0);
    out(b, 0xc000, 9, 1);
    ide_cmd(b, 0, 0xc8, 0, 2, 0);
    assert_int_equal(bm_status(b, 0) & 3, 2);
    close_ide(b);
}

/* T7: a reset of any kind at each step of a write never touches sector 0 or anything else that
 * was not asked for. */
static void t7_reset_at_each_step(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        for (unsigned step = 0; step < 60; step++) {
            struct pc_bench *b = open_ide();
            bool dma = step & 1;
            uint8_t block[512];
            fill(b);
            uint64_t h = sector0(b), tail = snap_hash_bytes(1, b->rig->disk.data + 700 * 512,
                                                            1000 * 512);
            memset(b->rig->mem + 0x10000, 0xa5, 0x10000);
            memset(block, 0xa5, sizeof block);
            for (unsigned n = 0; n < 4; n++) {
                ide_prd(b, n, 0x10000, n == 3 ? PRD_LAST : 0);
            }
            bm_start(b, 0, false);
            ide_regs(b, 0, 0x40, 0, 0, 100); /* 256 sectors from 100 */
            out(b, 0x1f7, dma ? 0xca : 0x30, 1);
            for (unsigned t = 0; t < step; t++) {
                if (ide_status(b, 0) & ATA_DRQ) {
                    ide_put(b, 0, block, t == step - 1 ? 100 : 512);
                }
                rig_advance(b->rig, 30 * VTIME_US);
            }
            unsigned writes = b->rig->disk.writes;
            switch (how) {
            case 0:
                out(b, 0x3f6, 4, 1);
                out(b, 0x3f6, 0, 1);
                break;
            case 1:
                rig_reset(b->rig, RESET_POWER_ON);
                ide_enable(b);
                break;
            case 2: bm_stop(b, 0); break;
            default: /* reset held while the bus master is started again */
                out(b, 0x3f6, 4, 1);
                bm_stop(b, 0);
                bm_start(b, 0, false);
                rig_advance(b->rig, 5 * VTIME_MS);
                out(b, 0x3f6, 0, 1);
                break;
            }
            for (unsigned n = 0; n < 50; n++) {
                rig_advance(b->rig, VTIME_MS);
                ide_put(b, 0, block, how == 2 ? 0 : 64);
            }
            assert_true(sector0(b) == h);
            assert_true(snap_hash_bytes(1, b->rig->disk.data + 700 * 512, 1000 * 512) == tail);
            if (how != 2 || dma) {
                assert_int_equal(b->rig->disk.writes, writes); /* not one more, anywhere */
            }
            if (how != 2) {
                assert_int_equal(ide_status(b, 0), OK);
            }
            close_ide(b);
        }
    }
}

/* T8: at the end of the disk, one before, one beyond, and around the corner. */
static void t8_out_of_range(void **state)
{
    struct pc_bench *b = open_ide();
    static const uint8_t cmds[] = {0x20, 0x30, 0xc4, 0xc5, 0xc8, 0xca, 0x40,
                                   0x24, 0x34, 0x29, 0x39, 0x25, 0x35, 0x42};
    static const struct {
        uint64_t lba;
        uint32_t count;
        bool good;
    } row[] = {{IDE_TEST_SECTORS - 1, 1, true},  {IDE_TEST_SECTORS - 1, 2, false},
               {IDE_TEST_SECTORS, 1, false},     {IDE_TEST_SECTORS + 1, 1, false},
               {IDE_TEST_SECTORS - 255, 0, false}, {IDE_TEST_SECTORS - 256, 256, true},
               {0x0fffffff, 1, false},           {0x0fffffff, 0, false}};
    static const uint64_t wide[] = {0xffffffffffff, 0xfffffffffff0, 0x800000000000, 0x100000000};
    (void)state;
    ide_cmd(b, 0, 0xc6, 0, 16, 0);
    for (unsigned c = 0; c < sizeof cmds; c++) {
        bool ext = cmds[c] == 0x24 || cmds[c] == 0x34 || cmds[c] == 0x29 || cmds[c] == 0x39 ||
                   cmds[c] == 0x25 || cmds[c] == 0x35 || cmds[c] == 0x42;
        for (unsigned i = 0; i < ARRAY_LEN(row) + (ext ? ARRAY_LEN(wide) : 0); i++) {
            bool w = i >= ARRAY_LEN(row);
            bool good = !w && row[i].good;
            if (ext) {
                ide_regs48(b, 0, w ? 1 : (uint16_t)row[i].count,
                           w ? wide[i - ARRAY_LEN(row)] : row[i].lba);
            } else {
                ide_regs(b, 0, 0x40, 0, (uint8_t)row[i].count, (uint32_t)row[i].lba);
            }
            out(b, 0x1f7, cmds[c], 1);
            rig_advance(b->rig, 10 * VTIME_MS);
            uint8_t s = ide_status(b, 0);
            if (good) {
                assert_true(s == OK || s == (OK | ATA_DRQ) || (s & ATA_BSY));
            } else {
                assert_int_equal(s, FAILED);
                assert_int_equal(ide_error(b, 0), ATA_IDNF);
            }
            out(b, 0x3f6, 4, 1);
            out(b, 0x3f6, 0, 1);
            ide_wait(b, 0);
            ide_cmd(b, 0, 0xc6, 0, 16, 0);
        }
    }
    assert_false(b->rig->disk.out_of_range);
    /* the image shrinks behind the drive's back */
    ide_cmd(b, 0, 0x20, 0, 4, IDE_TEST_SECTORS - 4);
    b->rig->blk.sectors = IDE_TEST_SECTORS - 2;
    uint8_t buf[512];
    ide_get(b, 0, buf, 512);
    ide_wait(b, 0);
    ide_get(b, 0, buf, 512);
    assert_int_equal(ide_wait(b, 0), FAILED);
    assert_false(b->rig->disk.out_of_range);
    close_ide(b);
}

/* T25: tables and data aimed at registers: DMA does not reach them. */
static uint64_t mmio_read(void *dev, uint64_t off, unsigned size)
{
    (void)off, (void)size;
    ((struct pc_bench *)dev)->mmio_hits++;
    return 0;
}
static void mmio_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    (void)off, (void)val, (void)size;
    ((struct pc_bench *)dev)->mmio_hits++;
}
static const struct region_ops mmio_ops = {.read = mmio_read, .write = mmio_write};

static void t25_dma_never_reaches_registers(void **state)
{
    struct pc_bench *b = open_ide();
    struct region r = {.name = "mmio", .kind = REGION_IO, .base = 0xfe000000, .len = 0x10000,
                       .priority = 1, .ops = &mmio_ops, .dev = b};
    struct err err = {0};
    (void)state;
    assert_true(bus_map(b->mem, &r, &err));
    b->ide.ch[0].bm.dma = bus_dma(b->mem);
    uint8_t prd[8];
    for (unsigned k = 0; k < 4; k++) {
        store_le32(prd, 0xfe000000);
        store_le32(prd + 4, 1024 | PRD_LAST);
        bus_copy_in(b->mem, 0x1000, prd, 8);
        out(b, 0xc004, k & 1 ? 0xfe000000 : 0x1000, 4);
        out(b, 0xc000, 0, 1);
        out(b, 0xc000, 9, 1);
        ide_cmd(b, 0, k & 2 ? 0xca : 0xc8, 0, 2, 20);
        assert_int_equal(ide_status(b, 0) & ATA_BSY, 0);
    }
    assert_int_equal(b->mmio_hits, 0);
    struct fw_cfg *fw = calloc(1, sizeof *fw);
    fw_cfg_init(fw, "fw_cfg", bus_dma(b->mem));
    region_out(&fw->dma_regs, 4, 0x000000fe, 4);
    uint8_t desc[16] = {0, 0, 0, 0x0a, 0, 0, 1, 0, 0, 0, 0, 0, 0xfe, 0, 0, 0};
    bus_copy_in(b->mem, 0x1000, desc, 16);
    region_out(&fw->dma_regs, 4, 0x00100000, 4);
    assert_int_equal(b->mmio_hits, 0);
    free(fw);
    bus_unmap(b->mem, &r);
    close_ide(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_follows_the_configuration),
        cmocka_unit_test(signatures_and_absent_units),
        cmocka_unit_test(identify_is_consistent),
        cmocka_unit_test(pio_reads_by_every_address_form),
        cmocka_unit_test(multiple_has_blocks),
        cmocka_unit_test(flush_reaches_the_medium),
        cmocka_unit_test(host_errors_become_status_bits),
        cmocka_unit_test(refused_and_simple_commands),
        cmocka_unit_test(t5_smart_subfeatures),
        cmocka_unit_test(dma_moves_both_ways),
        cmocka_unit_test(nien_holds_the_wire),
        cmocka_unit_test(t6_prd_tables),
        cmocka_unit_test(t7_reset_at_each_step),
        cmocka_unit_test(t8_out_of_range),
        cmocka_unit_test(t25_dma_never_reaches_registers),
        cmocka_unit_test(contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
