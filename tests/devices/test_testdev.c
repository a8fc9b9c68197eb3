/* The devices of test suites, from the guest's side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/devices/testdev_case.h"

static void pc_testdev_keeps_the_contract(void **state)
{
    (void)state;
    contract_check(&pc_testdev_case);
}

static void pci_testdev_keeps_the_contract(void **state)
{
    (void)state;
    contract_check(&pci_testdev_case);
}

static void the_latch_is_one_word_in_every_width(void **state)
{
    (void)state;
    struct rig *r = contract_open(&pc_testdev_case);
    struct region *latch = r->regs[0], *bytes = r->regs[2];
    region_out(latch, 0, 0x12345678, 4);
    assert_int_equal(region_in(latch, 0, 4), 0x12345678);
    assert_int_equal(region_in(latch, 0, 1), 0x78);
    assert_int_equal(region_in(latch, 3, 1), 0x12);
    assert_int_equal(region_in(latch, 2, 2), 0x1234);
    region_out(latch, 1, 0xaa, 1);
    region_out(latch, 2, 0xbbcc, 2);
    assert_int_equal(region_in(latch, 0, 4), 0xbbccaa78);
    assert_int_equal(region_in(bytes, 0, 4), 0xbbccaa78);
    region_out(bytes, 3, 0x11, 1);
    assert_int_equal(region_in(latch, 0, 4), 0x11ccaa78);
    region_out(r->regs[1], 0, 0x1000, 4); /* flushing a page changes nothing */
    assert_int_equal(region_in(latch, 0, 4), 0x11ccaa78);
    assert_int_equal(region_in(r->regs[1], 0, 4), 0);
    rig_reset(r, RESET_POWER_ON);
    assert_int_equal(region_in(latch, 0, 4), 0);
    contract_close(&pc_testdev_case, r);
}

static void a_port_a_line(void **state)
{
    (void)state;
    struct rig *r = contract_open(&pc_testdev_case);
    for (unsigned i = 0; i < 24; i++) {
        region_out(r->regs[3], i, 1, 1);
        for (unsigned k = 0; k < PC_TESTDEV_IRQS; k++) {
            assert_int_equal(rig_level(r, k), k == i);
        }
        region_out(r->regs[3], i, 0, 1);
        assert_false(rig_level(r, i & 15));
    }
    region_out(r->regs[3], 3, 0x80000000, 4); /* not 0, whatever the width */
    assert_true(rig_level(r, 3));
    contract_close(&pc_testdev_case, r);
}

static void memory_that_is_a_device(void **state)
{
    (void)state;
    struct rig *r = contract_open(&pc_testdev_case);
    struct region *mem = r->regs[4];
    region_out(mem, 0, 0x1122334455667788, 8);
    region_out(mem, 3, 0xaa, 1);
    assert_true(region_in(mem, 0, 8) == 0x11223344aa667788);
    assert_int_equal(region_in(mem, 4, 2), 0x3344);
    region_out(mem, PC_TESTDEV_MEM - 4, 0xdeadbeef, 4);
    assert_int_equal(region_in(mem, PC_TESTDEV_MEM - 4, 4), 0xdeadbeef);
    contract_close(&pc_testdev_case, r);
}

static void bars_and_their_tests(void **state)
{
    (void)state;
    struct rig *r = contract_open(&pci_testdev_case);
    struct pc_bench *pc = ((struct pci_testdev_bench *)r->priv)->pc;
    unsigned fn = PCI_DEVFN(PCI_TESTDEV_SLOT, 0);
    assert_int_equal(cfg_in(pc, fn, 0, 4), 0x00051b36);
    assert_int_equal(cfg_in(pc, fn, 8, 4), 0x00ff0000);
    cfg_out(pc, fn, 0x10, 0xffffffff, 4);
    cfg_out(pc, fn, 0x14, 0xffffffff, 4);
    assert_int_equal(cfg_in(pc, fn, 0x10, 4), 0xfffff000);
    assert_int_equal(cfg_in(pc, fn, 0x14, 4) & 0xffff, 0xff01);
    assert_int_equal(cfg_in(pc, fn, 0x18, 4), 0);
    cfg_out(pc, fn, 0x10, 0xe0000000, 4);
    cfg_out(pc, fn, 0x14, 0xc000, 4);
    cfg_out(pc, fn, 4, 3, 2);
    for (unsigned bar = 0; bar < 2; bar++) {
        struct bus *bus = bar ? pc->ports : pc->mem;
        uint64_t at = bar ? 0xc000 : 0xe0000000;
        static const char *const name[] = {"mmio-no-eventfd", "portio-no-eventfd"};
        bus_write(bus, at, 9, 1); /* no such test */
        assert_int_equal(bus_read(bus, at + 1, 1), 0);
        assert_int_equal(bus_read(bus, at + 4, 4), 0);
        bus_write(bus, at, 0, 1);
        assert_int_equal(bus_read(bus, at + 1, 1), 1);
        uint32_t off = (uint32_t)bus_read(bus, at + 4, 4);
        uint32_t data = (uint32_t)bus_read(bus, at + 8, 4);
        assert_int_equal(off, bar ? 128 : 2048);
        assert_int_equal(data, 0xfa);
        for (unsigned i = 0; i <= strlen(name[bar]); i++) {
            assert_int_equal(bus_read(bus, at + 16 + i, 1), name[bar][i]);
        }
        for (unsigned i = 1; i < 5; i++) {
            bus_write(bus, at + off, data, 1);
            bus_write(bus, at + off, data + 1, 1); /* another value, another place */
            bus_write(bus, at + off + 1, data, 1);
            assert_int_equal(bus_read(bus, at + 12, 4), i);
        }
        bus_write(bus, at, 0, 1);
        assert_int_equal(bus_read(bus, at + 12, 4), 0);
    }
    rig_reset(r, RESET_POWER_ON);
    assert_int_equal(region_in(r->regs[1], 1, 1), 0);
    contract_close(&pci_testdev_case, r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pc_testdev_keeps_the_contract),
        cmocka_unit_test(pci_testdev_keeps_the_contract),
        cmocka_unit_test(the_latch_is_one_word_in_every_width),
        cmocka_unit_test(a_port_a_line),
        cmocka_unit_test(memory_that_is_a_device),
        cmocka_unit_test(bars_and_their_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
