/* fw_cfg: selectors, files, DMA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/devices/pc_bench.h"

static void contract(void **state)
{
    (void)state;
    contract_check(&fw_case);
}

static struct pc_bench *open_fw(void)
{
    return contract_open(&fw_case)->priv;
}
static void close_fw(struct pc_bench *b)
{
    contract_close(&fw_case, b->rig);
}

static void fw_select(struct pc_bench *b, unsigned key)
{
    region_out(&b->fw.regs, 0, key, 2);
}
static uint64_t fw_take(struct pc_bench *b, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) {
        v |= region_in(&b->fw.regs, 1, 1) << (8 * i);
    }
    return v;
}
static void put_be32(uint8_t *p, uint32_t v)
{
    store_le32(p, __builtin_bswap32(v));
}
static uint32_t get_be32(const uint8_t *p)
{
    return __builtin_bswap32(load_le32(p));
}
/* Run one descriptor, return its control word after. */
static uint32_t fw_dma(struct pc_bench *b, uint32_t control, uint32_t len, uint64_t addr)
{
    uint8_t *d = b->rig->mem + 0x80;
    put_be32(d, control);
    put_be32(d + 4, len);
    put_be32(d + 8, (uint32_t)(addr >> 32));
    put_be32(d + 12, (uint32_t)addr);
    region_out(&b->fw.dma_regs, 0, 0, 4);
    region_out(&b->fw.dma_regs, 4, __builtin_bswap32(0x80), 4);
    return get_be32(d);
}

static void items_by_port(void **state)
{
    struct pc_bench *b = open_fw();
    (void)state;
    fw_select(b, 0);
    assert_int_equal(fw_take(b, 4), load_le32("QEMU"));
    assert_int_equal(fw_take(b, 2), 0); /* beyond the end: zeros */
    fw_select(b, 1);
    assert_int_equal(fw_take(b, 4), 3);
    fw_select(b, FW_CFG_RAM_SIZE);
    assert_int_equal(fw_take(b, 8), 64 << 20);
    fw_select(b, 0x3ff);
    assert_int_equal(fw_take(b, 4), 0);
    assert_true(fw_cfg_add_u16(&b->fw, 0x8004, 0x1234));
    fw_select(b, 0x8004);
    assert_int_equal(fw_take(b, 2), 0x1234);
    assert_false(fw_cfg_add_u16(&b->fw, 0x8008, 1));
    assert_false(fw_cfg_add_u16(&b->fw, 0x4001, 1));
    close_fw(b);
}

static void files_are_listed(void **state)
{
    struct pc_bench *b = open_fw();
    uint8_t e[64];
    (void)state;
    fw_select(b, FW_CFG_FILE_DIR);
    assert_int_equal(__builtin_bswap32((uint32_t)fw_take(b, 4)), 2);
    for (unsigned i = 0; i < 64; i++) {
        e[i] = (uint8_t)fw_take(b, 1);
    }
    assert_int_equal(get_be32(e), 5);
    assert_string_equal((char *)e + 8, "etc/hello");
    fw_select(b, (unsigned)(e[4] << 8 | e[5]));
    assert_int_equal(fw_take(b, 5), load_le32("hell") | (uint64_t)'o' << 32);
    for (unsigned i = 2; i < FW_CFG_FILES; i++) {
        char name[16] = {'f', (char)('0' + i / 10), (char)('0' + i % 10)};
        assert_true(fw_cfg_add_file(&b->fw, name, bench_file, i % 5));
    }
    assert_false(fw_cfg_add_file(&b->fw, "one more", bench_file, 1));
    assert_true(fw_cfg_add_file(&b->fw, "etc/hello", bench_file, 2)); /* replaces */
    fw_select(b, 0x20);
    assert_int_equal(fw_take(b, 3), load_le16("he"));
    assert_false(fw_cfg_add_file(
        &b->fw, "a name of more than fifty-five characters is far too long for it", e, 1));
    close_fw(b);
}

static void dma_reads_skips_and_refuses(void **state)
{
    struct pc_bench *b = open_fw();
    uint8_t *m = b->rig->mem;
    (void)state;
    assert_int_equal(region_in(&b->fw.dma_regs, 0, 4), load_le32("QEMU"));
    assert_int_equal(region_in(&b->fw.dma_regs, 4, 4), load_le32(" CFG"));
    memset(m + 0x1000, 0xee, 16);
    assert_int_equal(fw_dma(b, 0x20u << 16 | 8 | 2, 8, 0x1000), 0);
    assert_memory_equal(m + 0x1000, "hello\0\0\0", 8);
    assert_int_equal(m[0x1008], 0xee);
    assert_int_equal(fw_dma(b, 0x20u << 16 | 8 | 4, 3, 0), 0); /* SELECT and SKIP */
    assert_int_equal(fw_dma(b, 2, 2, 0x1010), 0);
    assert_memory_equal(m + 0x1010, "lo", 2);
    assert_int_equal(fw_dma(b, 0x20u << 16 | 8 | 16, 3, 0x1000), 1); /* WRITE: error */
    assert_int_equal(fw_dma(b, 0x20u << 16 | 8 | 2, 8, 0xfffffff0), 1); /* not RAM */
    region_out(&b->fw.dma_regs, 4, 0xf0ffffff, 4); /* descriptor nowhere: nothing happens */
    close_fw(b);
}

/* T24: selector x offset x DMA control, long lengths; the item's borders must hold (ASan). */
static void t24_selector_offset_control(void **state)
{
    struct pc_bench *b = open_fw();
    (void)state;
    for (unsigned key = 0; key < 0x10000; key += key < 0x80 ? 1 : 0x3d) {
        fw_select(b, key);
        fw_take(b, 3);
        for (unsigned control = 0; control < 32; control++) {
            uint32_t lens[] = {0, 1, 4096, 0x10000, 0x7fffffff, 0xffffffff};
            for (unsigned i = 0; i < ARRAY_LEN(lens); i++) {
                fw_dma(b, key << 16 | control, lens[i], 0xff00);
                fw_take(b, 1);
            }
        }
    }
    fw_select(b, 0x20);
    assert_int_equal(fw_take(b, 1), 'h');
    close_fw(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_by_port),
        cmocka_unit_test(files_are_listed),
        cmocka_unit_test(dma_reads_skips_and_refuses),
        cmocka_unit_test(t24_selector_offset_control),
        cmocka_unit_test(contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
