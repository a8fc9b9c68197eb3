/* PCI bus, host bridge, PIIX3, power management: the datasheet as a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/devices/pc_bench.h"

static void contract(void **state)
{
    (void)state;
    contract_check(&chipset_case);
}

static struct pc_bench *open_chipset(void)
{
    return contract_open(&chipset_case)->priv;
}
static void close_chipset(struct pc_bench *b)
{
    contract_close(&chipset_case, b->rig);
}

static void ids_are_what_seabios_looks_for(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    assert_int_equal(cfg_in(b, PCI_DEVFN(0, 0), 0, 4), 0x12378086);
    assert_int_equal(cfg_in(b, PCI_DEVFN(0, 0), 0x2c, 4), 0x11001af4);
    assert_int_equal(cfg_in(b, PCI_DEVFN(0, 0), 0x0a, 2), 0x0600);
    assert_int_equal(cfg_in(b, PCI_DEVFN(1, 0), 0, 4), 0x70008086);
    assert_int_equal(cfg_in(b, PCI_DEVFN(1, 0), 0x0e, 1), 0x80);
    assert_int_equal(cfg_in(b, PCI_DEVFN(1, 3), 0, 4), 0x71138086);
    assert_int_equal(cfg_in(b, PCI_DEVFN(1, 3), 0x58, 4) >> 25 & 1, 1);
    assert_int_equal(cfg_in(b, PCI_DEVFN(1, 2), 0, 4), 0xffffffff);
    assert_int_equal(cfg_in(b, PCI_DEVFN(31, 7), 0, 2), 0xffff);
    close_chipset(b);
}

static void mechanism_one_by_width(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    out(b, 0xcf8, 0x80000000, 4);
    assert_int_equal(in(b, 0xcf8, 4), 0x80000000);
    out(b, 0xcfb, 0x01, 1); /* Linux' probe: bytes do not reach CONFADD */
    out(b, 0xcf8, 0x1234, 2);
    assert_int_equal(in(b, 0xcf8, 4), 0x80000000);
    assert_int_equal(in(b, 0xcf8, 1), 0xff);
    assert_int_equal(in(b, 0xcfc, 2), 0x8086);
    assert_int_equal(in(b, 0xcfe, 2), 0x1237);
    assert_int_equal(in(b, 0xcff, 1), 0x12);
    out(b, 0xcf8, 0x00000000, 4); /* not enabled */
    assert_int_equal(in(b, 0xcfc, 4), 0xffffffff);
    out(b, 0xcf8, 0x80010000, 4); /* bus 1: nobody */
    assert_int_equal(in(b, 0xcfc, 4), 0xffffffff);
    cfg_out(b, PCI_DEVFN(1, 3), PCI_INT_LINE, 9, 1);
    assert_int_equal(cfg_in(b, PCI_DEVFN(1, 3), PCI_INT_LINE, 1), 9);
    cfg_out(b, PCI_DEVFN(0, 0), 0, 0, 4); /* ids are read-only */
    assert_int_equal(cfg_in(b, PCI_DEVFN(0, 0), 0, 4), 0x12378086);
    close_chipset(b);
}

/* A test function with one BAR of each kind and an interrupt pin. */
struct test_fn {
    struct pci_dev pd;
    struct region io, mem, rom, big;
    uint8_t rom_data[2048];
};

static uint64_t fn_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev, (void)size;
    return 0x40 + off;
}
static const struct region_ops fn_ops = {.read = fn_read, .min_size = 1, .max_size = 4};

static void fn_init(struct test_fn *f, struct pc_bench *b, unsigned slot)
{
    memset(f, 0, sizeof *f);
    f->io = (struct region){.name = "t.io", .kind = REGION_IO, .len = 32, .ops = &fn_ops, .dev = f};
    f->mem = (struct region){.name = "t.mem", .kind = REGION_IO, .len = 4096, .ops = &fn_ops,
                             .dev = f};
    f->big = (struct region){.name = "t.big", .kind = REGION_IO, .len = 0x10000, .ops = &fn_ops,
                             .dev = f};
    f->rom = (struct region){.name = "t.rom", .kind = REGION_ROM, .len = 2048,
                             .host = f->rom_data};
    memset(f->rom_data, 0x55, sizeof f->rom_data);
    pci_dev_init(&f->pd, "test", PCI_DEVFN(slot, 0), 0x1234, 0x5678, 0xff000000, 1);
    pci_bar_init(&f->pd, 0, PCI_BAR_IO, false, &f->io);
    pci_bar_init(&f->pd, 1, PCI_BAR_MEM, true, &f->mem);
    pci_bar_init(&f->pd, 2, PCI_BAR_MEM64, false, &f->big);
    pci_bar_init(&f->pd, 6, PCI_BAR_ROM, false, &f->rom);
    assert_true(pci_add(&b->pci, &f->pd));
    assert_false(pci_add(&b->pci, &f->pd));
}

static void bars_are_sized_and_mapped(void **state)
{
    struct pc_bench *b = open_chipset();
    struct test_fn f, g;
    unsigned fn = PCI_DEVFN(3, 0);
    (void)state;
    fn_init(&f, b, 3);
    for (unsigned on = 0; on < 2; on++) { /* sizing, also with decoding on */
        cfg_out(b, fn, PCI_COMMAND, on ? 3 : 0, 2);
        for (unsigned o = 0x10; o < 0x20; o += 4) {
            cfg_out(b, fn, o, 0xffffffff, 4);
        }
        cfg_out(b, fn, 0x30, 0xfffffffe, 4);
        assert_int_equal(cfg_in(b, fn, 0x10, 4), 0xffffffe1);
        assert_int_equal(cfg_in(b, fn, 0x14, 4), 0xfffff008);
        assert_int_equal(cfg_in(b, fn, 0x18, 4), 0xffff0004);
        assert_int_equal(cfg_in(b, fn, 0x1c, 4), 0xffffffff);
        assert_int_equal(cfg_in(b, fn, 0x20, 4), 0);
        assert_int_equal(cfg_in(b, fn, 0x30, 4), 0xfffff800);
        assert_false(f.io.mapped || f.mem.mapped || f.big.mapped || f.rom.mapped);
    }
    cfg_out(b, fn, 0x10, 0xc100, 4);
    cfg_out(b, fn, 0x14, 0xe0000000, 4);
    cfg_out(b, fn, 0x18, 0x00000000, 4);
    cfg_out(b, fn, 0x1c, 0x1, 4); /* above 4 GB */
    cfg_out(b, fn, 0x30, 0xe1000000, 4);
    assert_int_equal(in(b, 0xc101, 1), 0x41);
    assert_int_equal(bus_read(b->mem, 0xe0000004, 1), 0x44);
    assert_int_equal(bus_read(b->mem, 0x100000008, 1), 0x48);
    assert_false(f.rom.mapped); /* its own enable bit is off */
    cfg_out(b, fn, 0x30, 0xe1000001, 4);
    assert_int_equal(bus_read(b->mem, 0xe1000000, 2), 0x5555);
    cfg_out(b, fn, PCI_COMMAND, 1, 2);
    assert_true(f.io.mapped);
    assert_false(f.mem.mapped || f.big.mapped || f.rom.mapped);
    cfg_out(b, fn, 0x10, 0, 4); /* address 0 is nowhere */
    assert_false(f.io.mapped);
    /* a collision leaves the second one unmapped, until the first moves away */
    fn_init(&g, b, 4);
    cfg_out(b, fn, 0x10, 0xc200, 4);
    cfg_out(b, PCI_DEVFN(4, 0), 0x10, 0xc200, 4);
    cfg_out(b, PCI_DEVFN(4, 0), PCI_COMMAND, 1, 2);
    assert_true(f.io.mapped);
    assert_false(g.io.mapped);
    cfg_out(b, fn, 0x10, 0xc300, 4);
    assert_true(f.io.mapped && g.io.mapped);
    pci_dev_destroy(&f.pd);
    assert_false(f.io.mapped);
    pci_dev_destroy(&g.pd);
    close_chipset(b);
}

static void interrupts_are_swizzled_routed_and_ored(void **state)
{
    struct pc_bench *b = open_chipset();
    struct test_fn f, g;
    (void)state;
    fn_init(&f, b, 3); /* slot 3, INTA: PIRQC */
    fn_init(&g, b, 7); /* slot 7, INTA: PIRQC too */
    pci_set_irq(&f.pd, true);
    assert_int_equal(b->isa.pirq, 4);
    assert_int_equal(cfg_in(b, PCI_DEVFN(3, 0), PCI_STATUS, 2) & 8, 8);
    for (unsigned i = 0; i < 16; i++) {
        assert_false(rig_level(b->rig, i)); /* not routed after reset */
    }
    cfg_out(b, PCI_DEVFN(1, 0), 0x62, 11, 1);
    assert_true(rig_level(b->rig, 11));
    cfg_out(b, PCI_DEVFN(1, 0), 0x62, 2, 1); /* reserved code: nowhere */
    assert_false(rig_level(b->rig, 11) || rig_level(b->rig, 2));
    cfg_out(b, PCI_DEVFN(1, 0), 0x62, 10, 1);
    pci_set_irq(&g.pd, true);
    pci_set_irq(&f.pd, false);
    assert_true(rig_level(b->rig, 10));
    piix3_isa_irq(&b->isa, PIIX3_ISA_PIN(2, 10), true);
    pci_set_irq(&g.pd, false);
    assert_true(rig_level(b->rig, 10));
    piix3_isa_irq(&b->isa, PIIX3_ISA_PIN(2, 10), false);
    assert_false(rig_level(b->rig, 10));
    pci_set_irq(&g.pd, true); /* INTx disable */
    cfg_out(b, PCI_DEVFN(7, 0), PCI_COMMAND, 0x400, 2);
    assert_false(rig_level(b->rig, 10));
    cfg_out(b, PCI_DEVFN(7, 0), PCI_COMMAND, 0, 2);
    assert_true(rig_level(b->rig, 10));
    pci_dev_destroy(&f.pd);
    pci_dev_destroy(&g.pd);
    close_chipset(b);
}

static void pam_reads_and_writes_apart(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    for (unsigned seg = 0; seg < 16; seg++) {
        uint64_t a = 0xc0000 + seg * 0x4000ull;
        unsigned reg = seg >= 12 ? 0x59 : 0x5a + seg / 2;
        unsigned sh = seg >= 12 || (seg & 1) ? 4 : 0;
        uint8_t rom = seg < 8 ? 0xff : (uint8_t)bus_read(b->mem, a + 1, 1);
        assert_true(seg < 8 || rom == b->bios[BENCH_BIOS - (0x100000 - a) + 1]);
        assert_int_equal(bus_read(b->mem, a, 1), rom);
        bus_write(b->mem, a, 0x11, 1);
        assert_int_equal(b->ram.host[a], 0); /* 0: neither */
        cfg_out(b, 0, reg, 2u << sh, 1);     /* write only */
        bus_write(b->mem, a, 0x22, 1);
        assert_int_equal(b->ram.host[a], 0x22);
        assert_int_equal(bus_read(b->mem, a, 1),
                         seg < 8 ? 0xff : b->bios[BENCH_BIOS - (0x100000 - a)]);
        cfg_out(b, 0, reg, 1u << sh, 1); /* read only */
        bus_write(b->mem, a, 0x33, 1);
        assert_int_equal(bus_read(b->mem, a, 1), 0x22);
        cfg_out(b, 0, reg, 3u << sh, 1); /* RAM */
        bus_write(b->mem, a + 1, 0x44, 1);
        assert_int_equal(bus_read(b->mem, a, 2), 0x4422);
        cfg_out(b, 0, reg, 0, 1);
        assert_int_equal(bus_read(b->mem, a, 1), rom);
    }
    cfg_out(b, 0, 0x59, 0x30, 1);
    rig_reset(b->rig, RESET_POWER_ON); /* the ROM is back */
    assert_int_equal(bus_read(b->mem, 0xffff0, 1), b->bios[BENCH_BIOS - 16]);
    assert_int_equal(cfg_in(b, 0, 0x67, 1), 1); /* 2 MB: less than a row of 8 MB, but a row */
    close_chipset(b);
}

static void reset_control(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    out(b, 0xcf9, 0x02, 1);
    assert_int_equal(b->hard_resets + b->soft_resets, 0);
    out(b, 0xcf9, 0x06, 1);
    assert_int_equal(b->hard_resets, 1);
    out(b, 0xcf9, 0x06, 1); /* no edge */
    assert_int_equal(b->hard_resets, 1);
    out(b, 0xcf9, 0x00, 1);
    out(b, 0xcf9, 0x04, 1);
    assert_int_equal(b->soft_resets, 1);
    assert_int_equal(in(b, 0xcf9, 1), 4);
    rig_reset(b->rig, RESET_POWER_ON);
    assert_int_equal(in(b, 0xcf9, 1), 0);
    close_chipset(b);
}

/* ---- power management ---- */

static void pm_enable(struct pc_bench *b)
{
    cfg_out(b, PCI_DEVFN(1, 3), 0x40, 0x600, 4);
    cfg_out(b, PCI_DEVFN(1, 3), 0x80, 1, 1);
    cfg_out(b, PCI_DEVFN(1, 3), 0x90, 0x700, 4);
    cfg_out(b, PCI_DEVFN(1, 3), 0xd2, 9, 1);
    cfg_out(b, PCI_DEVFN(1, 3), PCI_COMMAND, 1, 2);
}

static void pm_timer_counts_and_interrupts(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    assert_int_equal(in(b, 0x608, 4), 0xffffffff); /* not placed yet */
    pm_enable(b);
    assert_int_equal(in(b, 0x608, 4), 0);
    rig_advance(b->rig, VTIME_SEC);
    assert_int_equal(in(b, 0x608, 4), 3579545);
    assert_int_equal(in(b, 0x609, 1), 3579545 >> 8 & 0xff);
    assert_int_equal(in(b, 0x600, 2) & 1, 0);
    rig_advance_to(b->rig, muldiv64_up(0x800000, VTIME_SEC, 3579545));
    assert_int_equal(in(b, 0x608, 4), 0x800000);
    assert_int_equal(in(b, 0x600, 2) & 1, 1);
    out(b, 0x600, 1, 2);
    assert_int_equal(in(b, 0x600, 2) & 1, 0);
    out(b, 0x602, 1, 2); /* TMR_EN, but SCI_EN is off */
    rig_advance_to(b->rig, muldiv64_up(0x1000000, VTIME_SEC, 3579545));
    assert_int_equal(in(b, 0x608, 4), 0); /* 24 bits */
    assert_false(rig_level(b->rig, 9));
    out(b, 0xb2, 0xf1, 1); /* ACPI_ENABLE */
    assert_int_equal(in(b, 0x604, 2) & 1, 1);
    assert_true(rig_level(b->rig, 9));
    out(b, 0x600, 1, 2);
    assert_false(rig_level(b->rig, 9));
    rig_advance_to(b->rig, muldiv64_up(0x1800000, VTIME_SEC, 3579545) - 1);
    assert_false(rig_level(b->rig, 9));
    rig_advance(b->rig, 1); /* and exactly then */
    assert_true(rig_level(b->rig, 9));
    out(b, 0xb2, 0xf0, 1);
    assert_false(rig_level(b->rig, 9));
    close_chipset(b);
}

static void power_button_and_soft_off(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    pm_enable(b);
    out(b, 0x602, 0x100, 2);
    out(b, 0x604, 1, 2);
    piix4_pm_power_button(&b->pm);
    assert_true(rig_level(b->rig, 9));
    assert_int_equal(in(b, 0x600, 2), 0x100);
    out(b, 0x600, 0x100, 2);
    assert_false(rig_level(b->rig, 9));
    out(b, 0x604, 0x2401, 2); /* type 1: not off; wakes at once */
    assert_int_equal(b->offs, 0);
    assert_int_equal(in(b, 0x600, 2) & 0x8000, 0x8000);
    out(b, 0x604, 0x0001, 2); /* type 0 without SLP_EN */
    assert_int_equal(b->offs, 0);
    out(b, 0x604, 0x2001, 2);
    assert_int_equal(b->offs, 1);
    assert_int_equal(in(b, 0x604, 2), 1); /* SLP_EN reads as zero */
    close_chipset(b);
}

/* Each event sets its bit whether or not it may interrupt, and interrupts if both enables are on;
 * what is written to GBL_RLS goes to a system management mode that is not there. */
static void buttons_and_the_rtc_are_fixed_events(void **state)
{
    static const struct {
        void (*event)(struct piix4_pm *);
        unsigned bit;
    } ev[] = {{piix4_pm_power_button, 0x100}, {piix4_pm_sleep_button, 0x200},
              {piix4_pm_rtc, 0x400}};
    struct pc_bench *b = open_chipset();
    (void)state;
    pm_enable(b);
    out(b, 0xb2, 0xf1, 1);
    for (unsigned i = 0; i < ARRAY_LEN(ev); i++) {
        out(b, 0x602, 0x721 & ~ev[i].bit, 2);
        ev[i].event(&b->pm);
        assert_int_equal(in(b, 0x600, 2), ev[i].bit);
        assert_false(rig_level(b->rig, 9));
        out(b, 0x602, ev[i].bit, 2);
        assert_true(rig_level(b->rig, 9));
        out(b, 0x600, ~ev[i].bit & 0xffff, 2); /* clears all others */
        assert_true(rig_level(b->rig, 9));
        out(b, 0xb2, 0xf0, 1); /* ACPI_DISABLE: SCI_EN off */
        assert_false(rig_level(b->rig, 9));
        out(b, 0xb2, 0xf1, 1);
        out(b, 0x600, ev[i].bit, 2);
        assert_false(rig_level(b->rig, 9));
    }
    out(b, 0x604, 0x0005, 2); /* GBL_RLS */
    assert_int_equal(in(b, 0x604, 2), 1);
    assert_int_equal(in(b, 0x600, 2), 0);
    close_chipset(b);
}

static void smbus_is_empty(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    pm_enable(b);
    assert_int_equal(in(b, 0x700, 1), 0);
    out(b, 0x704, 0xa1, 1);
    out(b, 0x702, 0x49, 1); /* START, byte data, INTEREN */
    assert_int_equal(in(b, 0x700, 1), 1);
    rig_advance(b->rig, VTIME_MS);
    assert_int_equal(in(b, 0x700, 1), 4);
    assert_true(rig_level(b->rig, 9));
    out(b, 0x700, 0xff, 1);
    assert_int_equal(in(b, 0x700, 1), 0);
    assert_false(rig_level(b->rig, 9));
    out(b, 0x702, 0x48, 1);
    out(b, 0x702, 0x02, 1); /* KILL */
    assert_int_equal(in(b, 0x700, 1), 0x10);
    close_chipset(b);
}

/* T21: every value to every power and hot-plug port, and to every configuration byte. */
static void t21_every_value_to_every_power_port(void **state)
{
    struct pc_bench *b = open_chipset();
    (void)state;
    pm_enable(b);
    for (unsigned v = 0; v < 256; v++) {
        for (unsigned p = 0x600; p < 0x640; p++) {
            out(b, p, v, 1);
        }
        for (unsigned p = 0x700; p < 0x710; p++) {
            out(b, p, v, 1);
        }
        for (unsigned p = 0xae00; p < 0xb000; p++) { /* where others have PCI hot-plug and GPE0 */
            out(b, p, v, 1);
        }
        out(b, 0xb2, v, 1);
        out(b, 0xb3, v, 1);
        rig_advance(b->rig, VTIME_MS);
    }
    assert_int_equal(cfg_in(b, PCI_DEVFN(1, 0), 0, 4), 0x70008086); /* still there */
    for (unsigned fn = 0; fn < 256; fn++) {
        for (unsigned off = 0; off < 256; off++) {
            cfg_out(b, fn, off, 0xff, 1);
            cfg_out(b, fn, off, off * 7 + fn, 1);
        }
        rig_advance(b->rig, VTIME_MS);
    }
    rig_reset(b->rig, RESET_POWER_ON);
    uint64_t h = rig_hash(b->rig);
    struct pc_bench *fresh = open_chipset();
    fresh->rig->clk.slice_start = b->rig->clk.slice_start;
    rig_reset(fresh->rig, RESET_POWER_ON);
    assert_true(rig_hash(fresh->rig) == h);
    close_chipset(fresh);
    close_chipset(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_what_seabios_looks_for),
        cmocka_unit_test(mechanism_one_by_width),
        cmocka_unit_test(bars_are_sized_and_mapped),
        cmocka_unit_test(interrupts_are_swizzled_routed_and_ored),
        cmocka_unit_test(pam_reads_and_writes_apart),
        cmocka_unit_test(reset_control),
        cmocka_unit_test(pm_timer_counts_and_interrupts),
        cmocka_unit_test(power_button_and_soft_off),
        cmocka_unit_test(buttons_and_the_rtc_are_fixed_events),
        cmocka_unit_test(smbus_is_empty),
        cmocka_unit_test(t21_every_value_to_every_power_port),
        cmocka_unit_test(contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
