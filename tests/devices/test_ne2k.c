/* The NE2000 boards around the DP8390: PROM, ports, PCI side, option ROM; the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/os.h"
#include "tests/devices/ne2k_case.h"

static const struct contract_case *const cards[2] = {&isa_card_case, &pci_card_case};
#define DEVFN PCI_DEVFN(NIC_PCI_SLOT, 0)

static int setup(void **state)
{
    *state = contract_open(&pci_card_case);
    return 0;
}

static int teardown(void **state)
{
    contract_close(&pci_card_case, *state);
    return 0;
}

static struct pc_bench *bench(struct rig *r)
{
    return ((struct pci_card *)r->priv)->pc;
}

static void isa_keeps_the_contract(void **state)
{
    (void)state;
    contract_check(&isa_card_case);
}

static void pci_keeps_the_contract(void **state)
{
    (void)state;
    contract_check(&pci_card_case);
}

static void prom_has_address_and_letters_doubled(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct rig *r = contract_open(cards[k]);
        uint8_t prom[64];
        nic_out(r, 14, 0x48); /* bytes, as drivers do that look for the doubling */
        nic_remote(r, 0, 64, 0x0a);
        for (unsigned i = 0; i < sizeof prom; i++) {
            prom[i] = (uint8_t)region_in(nic_regs(r), 0x10, 1);
        }
        for (unsigned i = 0; i < sizeof prom; i += 2) {
            assert_int_equal(prom[i], prom[i + 1]);
        }
        for (unsigned i = 0; i < 6; i++) {
            assert_int_equal(prom[2 * i], r->net.mac[i]);
        }
        assert_int_equal(prom[28], 0x57);
        assert_int_equal(prom[30], 0x57);
        assert_int_equal(prom[62], k ? 0x42 : 0x57);
        nic_out(r, 14, 0x49); /* words: a byte access gives each byte once */
        nic_remote(r, 0, 32, 0x0a);
        for (unsigned i = 0; i < 16; i++) {
            assert_int_equal(region_in(nic_regs(r), 0x10, 1), prom[2 * i]);
        }
        nic_remote(r, 0, 2, 0x12);
        region_out(nic_regs(r), 0x10, 0x1234, 2); /* it is a ROM */
        nic_remote(r, 0, 2, 0x0a);
        assert_int_equal(region_in(nic_regs(r), 0x10, 2), prom[0] * 0x101);
        contract_close(cards[k], r);
    }
}

static void a_read_of_any_reset_port_resets(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct rig *r = contract_open(cards[k]);
        for (unsigned port = 0x18; port < 0x20; port++) {
            nic_start(r);
            nic_out(r, 15, 0x7f);
            region_out(nic_regs(r), port, 0xff, 1); /* the end of a pulse that never began */
            assert_int_equal(nic_in(r, 0), 0x22);
            region_in(nic_regs(r), port, 1);
            assert_int_equal(nic_in(r, 0), 0x21);
            assert_int_equal(nic_in(r, 7), 0x80);
            assert_int_equal(nic_page_in(r, 1, 1), r->net.mac[0]); /* registers stay */
        }
        contract_close(cards[k], r);
    }
}

static void wide_accesses_to_registers_are_bytes(void **state)
{
    struct rig *r = *state;
    region_out(nic_regs(r), 0, 0x4c8046 << 8 | 0x21, 4);
    assert_int_equal(nic_of(r)->pstart, 0x46);
    assert_int_equal(nic_of(r)->pstop, 0x80);
    assert_int_equal(nic_of(r)->bnry, 0x4c);
    assert_int_equal(region_in(nic_regs(r), 0, 4) & 0xff0000ff, 0x4c000021);
}

static void data_port_takes_double_words(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) { /* on ISA the bus makes two of them */
        struct rig *r = contract_open(cards[k]);
        nic_start(r);
        nic_remote(r, 0x4000, 8, 0x12);
        region_out(nic_regs(r), 0x10, 0x44332211, 4);
        region_out(nic_regs(r), 0x14, 0x88776655, 4);
        assert_int_equal(nic_in(r, 7), ISR_RDC);
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(nic_of(r)->ram[i], 0x11 * (i + 1));
        }
        nic_remote(r, 0x4002, 6, 0x0a);
        assert_int_equal(region_in(nic_regs(r), 0x10, 4), 0x66554433);
        assert_int_equal(region_in(nic_regs(r), 0x10, 4) & 0xffff, 0x8877);
        contract_close(cards[k], r);
    }
}

static void rtl8029_tells_who_it_is(void **state)
{
    struct rig *r = *state;
    assert_int_equal(nic_in(r, 10), 'P');
    assert_int_equal(nic_in(r, 11), 'C');
    assert_int_equal(nic_page_in(r, 3, 14) | nic_page_in(r, 3, 15) << 8, 0x8029);
    assert_int_equal(nic_page_in(r, 3, 3), 0);
}

static void configuration_registers_need_the_write_enable(void **state)
{
    struct rig *r = *state;
    nic_page_out(r, 3, 6, 0xff);
    nic_page_out(r, 3, 5, 0xff);
    assert_int_equal(nic_page_in(r, 3, 6), 0);
    assert_int_equal(nic_page_in(r, 3, 5), 1); /* an 8 KB boot ROM */
    nic_page_out(r, 3, 1, 0xc0);
    nic_page_out(r, 3, 6, 0xff);
    nic_page_out(r, 3, 5, 0xff);
    assert_int_equal(nic_page_in(r, 3, 6), 0x46);
    assert_int_equal(nic_page_in(r, 3, 5), 0xe1);
    assert_int_equal(nic_page_in(r, 3, 1), 0xc0);
    nic_page_out(r, 3, 1, 0x40); /* auto-load is over at once */
    assert_int_equal(nic_page_in(r, 3, 1), 0);
}

static void pci_function_is_an_rtl8029as(void **state)
{
    struct pc_bench *b = bench(*state);
    assert_int_equal(cfg_in(b, DEVFN, 0, 4), 0x802910ec);
    assert_int_equal(cfg_in(b, DEVFN, 8, 4), 0x02000000);
    assert_int_equal(cfg_in(b, DEVFN, PCI_INT_PIN, 1), 1);
    cfg_out(b, DEVFN, PCI_BAR0, 0xffffffff, 4);
    assert_int_equal(cfg_in(b, DEVFN, PCI_BAR0, 4), 0xffffffe1);
    cfg_out(b, DEVFN, PCI_BAR0, 0xc100, 4);
    assert_int_equal(in(b, 0xc100, 1), 0xff);
    cfg_out(b, DEVFN, PCI_COMMAND, 0xffff, 2);
    assert_int_equal(cfg_in(b, DEVFN, PCI_COMMAND, 2), PCI_CMD_IO | PCI_CMD_MEM);
    assert_int_equal(in(b, 0xc100, 1), 0x21);
}

static void pci_interrupt_goes_by_the_bridges_routing(void **state)
{
    struct rig *r = *state;
    struct pc_bench *b = bench(r);
    cfg_out(b, PCI_DEVFN(1, 0), 0x60 + ((NIC_PCI_SLOT - 1) & 3), 11, 1); /* slot 3 INTA */
    nic_start(r);
    nic_out(r, 15, ISR_PTX);
    assert_false(rig_level(r, 11));
    nic_send(r, NIC_TPSR, 60);
    assert_true(rig_level(r, 11));
    assert_int_equal(cfg_in(b, DEVFN, PCI_STATUS, 2) & PCI_STATUS_INTX, PCI_STATUS_INTX);
    nic_out(r, 7, ISR_PTX);
    assert_false(rig_level(r, 11));
}

/* ---- option ROM ---- */

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t s = 0;
    while (len--) {
        s = (uint8_t)(s + *p++);
    }
    return s;
}

static void option_rom_gets_the_cards_ids(void **state)
{
    struct rig *r = *state;
    struct pc_bench *b = bench(r);
    cfg_out(b, DEVFN, PCI_ROM_BAR, 0xffffffff, 4);
    assert_int_equal(cfg_in(b, DEVFN, PCI_ROM_BAR, 4), 0xfffff001);
    cfg_out(b, DEVFN, PCI_ROM_BAR, 0xfeb00001, 4);
    cfg_out(b, DEVFN, PCI_COMMAND, 2, 2);
    assert_int_equal(bus_read(b->mem, 0xfeb00000, 4) & 0xffffff, 0x04aa55);
    assert_int_equal(bus_read(b->mem, 0xfeb00020, 4), 0x802910ec);
    uint8_t s = 0;
    for (unsigned i = 0; i < 2048; i++) {
        s = (uint8_t)(s + bus_read(b->mem, 0xfeb00000 + i, 1));
    }
    assert_int_equal(s, 0);
    assert_int_equal(bus_read(b->mem, 0xfeb00000 + 2048, 1), 0xff);
}

static const struct pci_rom_id want_id = {0x10ec, 0x8029};

/* NULL or the image; the sentence must have `word`. */
static uint8_t *load(const uint8_t *rom, size_t len, size_t *out_len, const char *word)
{
    struct err err = {0};
    /* exactly len bytes, so that a sanitizer sees a step too far */
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, rom, len);
    uint8_t *p = pci_rom_load(exact, len, &want_id, out_len, &err);
    free(exact);
    if (word) {
        assert_null(p);
        if (!strstr(err.msg, word)) {
            fail_msg("\"%s\" does not say \"%s\"", err.msg, word);
        }
    } else if (!p) {
        fail_msg("%s", err.msg);
    }
    return p;
}

static void option_rom_of_several_images(void **state)
{
    uint8_t rom[5 * 2048];
    size_t len;
    (void)state;
    memset(rom, 0, sizeof rom);
    nic_rom_image(rom);
    nic_rom_image(rom + 2048);
    nic_rom_image(rom + 4096);
    rom[0x1c + 0x15] = 0;                /* more behind */
    rom[2048 + 0x1c + 0x15] = 0;
    rom[2048 + 0x1c + 0x14] = 3;         /* EFI: no checksum of its own */
    store_le32(rom + 4096 + 0x20, 0x802910ec); /* already ours: stays */
    uint8_t *p = load(rom, sizeof rom, &len, NULL);
    assert_int_equal(len, 16384);
    assert_int_equal(load_le32(p + 0x20), 0x802910ec);
    assert_int_equal(sum(p, 2048), 0);
    assert_int_equal(load_le32(p + 2048 + 0x20), 0x802910ec);
    assert_int_equal(p[2048 + 6], rom[2048 + 6]);
    assert_memory_equal(p + 4096, rom + 4096, 2048);
    os_pages_free(p, len);
}

static void option_rom_of_another_kind_is_refused(void **state)
{
    uint8_t rom[2048], bad[2048];
    size_t len;
    (void)state;
    nic_rom_image(rom);
    memcpy(bad, rom, sizeof bad);
    bad[1] = 0;
    load(bad, sizeof bad, &len, "55 AA");
    load(rom, 0, &len, "55 AA");
    load(rom, 1, &len, "55 AA");
    load(rom, 0x19, &len, "55 AA");
    load(rom, 0x1c, &len, "PCIR");
    load(rom, 0x1c + 0x17, &len, "PCIR");
    load(rom, 0x1c + 0x18, &len, "cut off");
    load(rom, 2047, &len, "cut off");
    for (unsigned at = 0; at <= 0xffff; at++) { /* every pointer to the structure */
        memcpy(bad, rom, sizeof bad);
        store_le16(bad + 0x18, (uint16_t)at);
        if (at != 0x1c) {
            load(bad, sizeof bad, &len, "PCIR");
        }
    }
    memcpy(bad, rom, sizeof bad);
    store_le32(bad + 0x20, 0x100e8086);
    load(bad, sizeof bad, &len, "8086:100e");
    for (unsigned blocks = 0; blocks < 0x10000; blocks += 5) { /* every length it may claim */
        memcpy(bad, rom, sizeof bad);
        store_le16(bad + 0x1c + 0x10, (uint16_t)blocks);
        load(bad, sizeof bad, &len, "cut off");
    }
    memcpy(bad, rom, sizeof bad);
    bad[2] = 5;
    load(bad, sizeof bad, &len, "cut off");
    bad[2] = 0;
    load(bad, sizeof bad, &len, "cut off");
    memcpy(bad, rom, sizeof bad);
    bad[0x1c + 0x15] = 0; /* a next image that is not there */
    load(bad, sizeof bad, &len, "55 AA");
    static uint8_t big[PCI_ROM_MAX + 1];
    load(big, sizeof big, &len, "too big");
}

static void option_rom_random_damage(void **state)
{
    uint8_t rom[4096], bad[4096];
    uint64_t x = 88172645463325252ull;
    unsigned taken = 0;
    (void)state;
    nic_rom_image(rom);
    nic_rom_image(rom + 2048);
    rom[0x1c + 0x15] = 0;
    for (unsigned i = 0; i < 20000; i++) {
        memcpy(bad, rom, sizeof bad);
        for (unsigned n = 0; n < 3; n++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            bad[(x & 0x800) + (x >> 16) % 0x38] = (uint8_t)(x >> 32);
        }
        struct err err = {0};
        size_t len = 0;
        uint8_t *p = pci_rom_load(bad, sizeof bad - (x >> 40) % 600, &want_id, &len, &err);
        taken += p != NULL;
        if (p) {
            assert_int_equal(len, 4096);
            os_pages_free(p, len);
        } else {
            assert_int_not_equal(err.msg[0], 0);
        }
    }
    assert_true(taken > 100);
}

static void a_bad_option_rom_names_the_card(void **state)
{
    struct rig *r = *state;
    struct ne2k_pci *c = calloc(1, sizeof *c);
    struct netdev net = {0};
    struct err err = {0};
    assert_non_null(c);
    assert_false(
        ne2k_pci_init(c, "net1", &bench(r)->pci, PCI_DEVFN(4, 0), &net, "abc", 3, &err));
    assert_non_null(strstr(err.msg, "net1: "));
    err = (struct err){0};
    assert_false(ne2k_pci_init(c, "net1", &bench(r)->pci, DEVFN, &net, NULL, 0, &err));
    assert_non_null(strstr(err.msg, "slot 3 is taken"));
    free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isa_keeps_the_contract),
        cmocka_unit_test(pci_keeps_the_contract),
        cmocka_unit_test(prom_has_address_and_letters_doubled),
        cmocka_unit_test(a_read_of_any_reset_port_resets),
        TEST(wide_accesses_to_registers_are_bytes),
        cmocka_unit_test(data_port_takes_double_words),
        TEST(rtl8029_tells_who_it_is),
        TEST(configuration_registers_need_the_write_enable),
        TEST(pci_function_is_an_rtl8029as),
        TEST(pci_interrupt_goes_by_the_bridges_routing),
        TEST(option_rom_gets_the_cards_ids),
        cmocka_unit_test(option_rom_of_several_images),
        cmocka_unit_test(option_rom_of_another_kind_is_refused),
        cmocka_unit_test(option_rom_random_damage),
        TEST(a_bad_option_rom_names_the_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
