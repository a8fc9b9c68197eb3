/* VGA: registers, memory window, DISPI, PCI function. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "devices/video/vga_pci.h"
#include "tests/devices/vga_case.h"

static int setup(void **state)
{
    *state = contract_open(&vga_case);
    return 0;
}

static int teardown(void **state)
{
    contract_close(&vga_case, *state);
    return 0;
}

static uint32_t lfb32(struct rig *r, uint32_t off)
{
    return (uint32_t)region_in(r->regs[VGA_R_LFB], off, 4);
}

static void crtc_registers_0_to_7_are_write_protected(void **state)
{
    struct rig *r = *state;
    vga_out(r, 0x3c2, 1);
    vga_index(r, 0x3d4, 0x11, 0);
    vga_index(r, 0x3d4, 1, 0x4f);
    vga_index(r, 0x3d4, 7, 0x02);
    vga_index(r, 0x3d4, 0x11, 0x80);
    vga_index(r, 0x3d4, 1, 0x11);
    vga_index(r, 0x3d4, 7, 0xff);
    vga_out(r, 0x3d4, 1);
    assert_int_equal(vga_in(r, 0x3d5), 0x4f);
    vga_out(r, 0x3d4, 7);
    assert_int_equal(vga_in(r, 0x3d5), 0x12); /* only the line compare bit */
}

static void misc_bit_0_moves_the_crtc_between_mono_and_color(void **state)
{
    struct rig *r = *state;
    vga_out(r, 0x3c2, 1);
    vga_index(r, 0x3d4, 0x0c, 0x12);
    assert_int_equal(vga_in(r, 0x3b5), 0xff);
    vga_index(r, 0x3b4, 0x0c, 0x55); /* nobody */
    assert_int_equal(vga_in(r, 0x3d5), 0x12);
    vga_out(r, 0x3c2, 0);
    assert_int_equal(vga_in(r, 0x3d5), 0xff);
    assert_int_equal(vga_in(r, 0x3b5), 0x12);
    assert_int_equal(vga_in(r, 0x3cc), 0);
}

static void attribute_flip_flop_is_cleared_by_status_1(void **state)
{
    struct rig *r = *state;
    vga_out(r, 0x3c2, 1);
    vga_in(r, 0x3da);
    vga_out(r, 0x3c0, 0x03); /* index ... */
    vga_index(r, 0x3d4, 0x24, 0);
    assert_int_equal(vga_in(r, 0x3d5), 0x80);
    vga_in(r, 0x3da);
    vga_out(r, 0x3c0, 0x04); /* ... index again */
    vga_out(r, 0x3c0, 0x2a);
    assert_int_equal(vga_in(r, 0x3c1), 0x2a);
    assert_int_equal(vga_in(r, 0x3c0), 0x04);
    vga_out(r, 0x3c0, 0x03);
    assert_int_equal(vga_in(r, 0x3c1), 0);
}

static void dac_entries_change_whole_and_are_six_bits(void **state)
{
    struct rig *r = *state;
    vga_out(r, 0x3c8, 9);
    vga_out(r, 0x3c9, 0xff);
    vga_out(r, 0x3c9, 2);
    vga_out(r, 0x3c7, 9);
    assert_int_equal(vga_in(r, 0x3c7), 3);
    assert_int_equal(vga_in(r, 0x3c9), 0); /* two thirds written: nothing changed */
    vga_out(r, 0x3c8, 9);
    assert_int_equal(vga_in(r, 0x3c7), 0);
    for (uint8_t i = 0; i < 6; i++) {
        vga_out(r, 0x3c9, 0xf0 + i);
    }
    assert_int_equal(vga_in(r, 0x3c8), 11);
    vga_out(r, 0x3c7, 9);
    for (uint8_t i = 0; i < 6; i++) {
        assert_int_equal(vga_in(r, 0x3c9), 0x30 + i);
    }
    vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED | DISPI_8BIT_DAC);
    vga_out(r, 0x3c8, 1);
    vga_out(r, 0x3c9, 0xf1);
    vga_out(r, 0x3c9, 0xf2);
    vga_out(r, 0x3c9, 0xf3);
    vga_out(r, 0x3c7, 1);
    assert_int_equal(vga_in(r, 0x3c9), 0xf1);
}

/* 100 characters of 9 dots, 449 lines, 28.322 MHz by MISC: 14.268 ms a frame. */
static void retrace_follows_the_crtc_and_virtual_time(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_03);
    uint64_t frame = 100ull * 9 * 449 * VTIME_SEC / 28322000;
    assert_int_equal(vga_frame_ns(r->priv), frame);
    unsigned rises = 0, in_retrace = 0, off = 0, steps = 100000;
    bool last = true;
    for (unsigned i = 0; i < steps; i++) {
        uint8_t st = vga_in(r, 0x3da);
        rises += (st & 8) && !last;
        in_retrace += (st & 8) != 0;
        off += st & 1;
        last = st & 8;
        rig_advance(r, frame / 10000);
    }
    assert_int_equal(rises, 10);
    /* 2 lines of 449 (CR10 = 19Ch, CR11 = Eh), display off for 20 of 100 clocks and 49 lines */
    assert_in_range(in_retrace, steps * 2 / 449 - 200, steps * 2 / 449 + 200);
    assert_in_range(off, steps * (449 - 400 * 0.8) / 449 - 1000,
                    steps * (449 - 400 * 0.8) / 449 + 1000);
}

static void retrace_comes_whatever_the_registers_are(void **state)
{
    struct rig *r = *state;
    uint32_t x = 1;
    for (unsigned n = 0; n < 200; n++) {
        vga_out(r, 0x3c2, 1 | (uint8_t)(x >> 8 & 0x0c));
        vga_index(r, 0x3d4, 0x11, 0);
        for (uint8_t i = 0; i < 25; i++) {
            x = x * 1664525 + 1013904223;
            vga_index(r, 0x3d4, i, n ? (uint8_t)(x >> 24) & 0x7f : 0);
        }
        unsigned seen = 0;
        vtime step = vga_frame_ns(r->priv) / 4000 + 1;
        for (unsigned i = 0; i < 5000; i++) {
            seen |= vga_in(r, 0x3da) & 8 ? 2 : 1;
            rig_advance(r, step);
        }
        assert_int_equal(seen, 3);
    }
}

/* --- memory window -------------------------------------------------------------------------- */

static void planar(struct rig *r) /* 16 colors, no set/reset */
{
    vga_set_mode(r, &vga_mode_12);
}

static void write_modes_of_the_graphics_controller(void **state)
{
    struct rig *r = *state;
    planar(r);
    /* mode 0 with rotate, map mask */
    vga_index(r, 0x3c4, 2, 0x05);
    vga_index(r, 0x3ce, 3, 4);
    vga_poke(r, 0xa0010, 0x1f);
    assert_int_equal(lfb32(r, 0x40), 0x00f100f1);
    /* set/reset on planes 1 and 3 */
    vga_index(r, 0x3c4, 2, 0x0f);
    vga_index(r, 0x3ce, 3, 0);
    vga_index(r, 0x3ce, 0, 0x02);
    vga_index(r, 0x3ce, 1, 0x0a);
    vga_poke(r, 0xa0010, 0x3c);
    assert_int_equal(lfb32(r, 0x40), 0x003cff3c);
    vga_index(r, 0x3ce, 1, 0);
    /* the four functions, through the latches and the bit mask */
    static const uint8_t want[4] = {0x5a, 0x5a & 0x33, 0x5a | 0x33, 0x5a ^ 0x33};
    for (uint8_t f = 0; f < 4; f++) {
        vga_index(r, 0x3ce, 3, 0);
        vga_index(r, 0x3ce, 8, 0xff);
        vga_poke(r, 0xa0020, 0x33);
        vga_peek(r, 0xa0020);
        vga_index(r, 0x3ce, 3, (uint8_t)(f << 3));
        vga_index(r, 0x3ce, 8, 0x0f);
        vga_poke(r, 0xa0020, 0x5a);
        assert_int_equal(lfb32(r, 0x80), (0x30u | (want[f] & 0x0f)) * 0x01010101u);
    }
    vga_index(r, 0x3ce, 3, 0);
    vga_index(r, 0x3ce, 8, 0xff);
    /* mode 1 copies four planes */
    vga_index(r, 0x3c4, 2, 1);
    vga_poke(r, 0xa0030, 0x11);
    vga_index(r, 0x3c4, 2, 8);
    vga_poke(r, 0xa0030, 0x44);
    vga_index(r, 0x3c4, 2, 0x0f);
    vga_peek(r, 0xa0030);
    vga_index(r, 0x3ce, 5, 1);
    vga_poke(r, 0xa0031, 0x99);
    assert_int_equal(lfb32(r, 0xc4), 0x44000011);
    /* mode 2: the byte is a color; the bit mask says which pixels */
    vga_peek(r, 0xa0040);
    vga_index(r, 0x3ce, 5, 2);
    vga_index(r, 0x3ce, 8, 0x81);
    vga_poke(r, 0xa0040, 0x06);
    assert_int_equal(lfb32(r, 0x100), 0x00818100);
    /* mode 3: the byte is a mask, set/reset the color */
    vga_peek(r, 0xa0041);
    vga_index(r, 0x3ce, 5, 3);
    vga_index(r, 0x3ce, 0, 0x09);
    vga_index(r, 0x3ce, 8, 0xf0);
    vga_poke(r, 0xa0041, 0x3c);
    assert_int_equal(lfb32(r, 0x104), 0x30000030);
}

static void read_modes_and_latches(void **state)
{
    struct rig *r = *state;
    planar(r);
    for (uint8_t p = 0; p < 4; p++) {
        vga_index(r, 0x3c4, 2, (uint8_t)(1 << p));
        vga_poke(r, 0xa0100, (uint8_t)(0x11 << p));
    }
    for (uint8_t p = 0; p < 4; p++) {
        vga_index(r, 0x3ce, 4, p);
        assert_int_equal(vga_peek(r, 0xa0100), 0x11 << p);
        vga_out(r, 0x3d4, 0x22);
        assert_int_equal(vga_in(r, 0x3d5), 0x11 << p);
    }
    /* pixels are 8421 8421 from the left: which have color 4? only planes 2 and 3 matter */
    vga_index(r, 0x3ce, 5, 8);
    vga_index(r, 0x3ce, 2, 4);
    vga_index(r, 0x3ce, 7, 0x0f);
    assert_int_equal(vga_peek(r, 0xa0100), 0x44);
    vga_index(r, 0x3ce, 2, 0);
    vga_index(r, 0x3ce, 7, 0x0c);
    assert_int_equal(vga_peek(r, 0xa0100), 0x33);
    vga_index(r, 0x3ce, 7, 0);
    assert_int_equal(vga_peek(r, 0xa0100), 0xff);
}

static void chain_4_is_linear_and_obeys_the_map_mask(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_13);
    region_out(r->regs[VGA_R_MEM], 0x1235, 0x0807060504030201, 8);
    assert_int_equal(lfb32(r, 0x1235), 0x04030201);
    assert_int_equal(lfb32(r, 0x1239), 0x08070605);
    assert_int_equal(region_in(r->regs[VGA_R_MEM], 0x1236, 4), 0x05040302);
    vga_index(r, 0x3c4, 2, 0x01);
    region_out(r->regs[VGA_R_MEM], 0x1000, 0xffffffff, 4);
    assert_int_equal(lfb32(r, 0x1000), 0xff);
    assert_int_equal(vga_peek(r, 0xb8000), 0xff); /* not in this memory map */
    vga_index(r, 0x3c4, 2, 0x0f);
    vga_out(r, 0x3c2, 0x61); /* without RAM enable: no difference, see vga_mem_window() */
    vga_poke(r, 0xa1000, 0x55);
    assert_int_equal(vga_peek(r, 0xa1000), 0x55);
}

/* As GRUB's firmware (grub-firmware-qemu) sets text mode: MISC 1, GR5 10h, GR6 0Ch, SR4 0. */
static void text_with_gr5_alone_is_odd_even(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_03);
    vga_out(r, 0x3c2, 1);
    vga_index(r, 0x3c4, 4, 0);
    vga_index(r, 0x3ce, 6, 0x0c);
    region_out(r->regs[VGA_R_MEM], 0x18004, 0x1f42, 2);
    assert_int_equal(lfb32(r, 4 * 4), 0x1f42);
}

/* Sequential writes as soon as one of SR4 bit 2 and GR5 bit 4 says so: font loaders set either. */
static void writes_are_odd_even_only_if_both_bits_say_so(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_03);
    vga_index(r, 0x3ce, 6, 0x04);
    for (uint8_t seq = 0; seq < 2; seq++) {
        for (uint8_t gr = 0; gr < 2; gr++) {
            vga_index(r, 0x3c4, 2, 15);
            vga_index(r, 0x3c4, 4, 6);
            vga_index(r, 0x3ce, 5, 0);
            region_out(r->regs[VGA_R_MEM], 0x20, 0, 2);
            vga_index(r, 0x3c4, 2, 4);
            vga_index(r, 0x3c4, 4, seq ? 6 : 2);
            vga_index(r, 0x3ce, 5, gr ? 0x10 : 0);
            vga_poke(r, 0xa0020, 0x11);
            vga_poke(r, 0xa0021, 0x22);
            assert_int_equal(lfb32(r, 0x20 * 4), 0x110000);
            assert_int_equal(lfb32(r, 0x21 * 4), gr && !seq ? 0 : 0x220000);
        }
    }
}

static void odd_even_puts_characters_in_plane_0_and_attributes_in_1(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_03);
    region_out(r->regs[VGA_R_MEM], 0x18004, 0x1f42, 2);
    assert_int_equal(lfb32(r, 4 * 4), 0x1f42);
    assert_int_equal(region_in(r->regs[VGA_R_MEM], 0x18004, 2), 0x1f42);
    assert_int_equal(vga_peek(r, 0xa0004), 0xff);
    assert_int_equal(vga_peek(r, 0xb0004), 0xff);
}

/* T16 (2016-3710): the bank never leads outside video memory, whatever map mode follows it. */
static void T16_bank_and_memory_map_and_width(void **state)
{
    struct rig *r = *state;
    struct vga *v = r->priv;
    for (uint32_t bank = 0; bank < 0x10000; bank = bank * 3 + 1) {
        for (uint8_t map = 0; map < 16; map++) {
            vga_dispi(r, DISPI_ENABLE, 0);
            vga_dispi(r, DISPI_XRES, 640);
            vga_dispi(r, DISPI_YRES, 480);
            vga_dispi(r, DISPI_BPP, map & 2 ? 4 : 8);
            vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED | DISPI_NOCLEARMEM);
            vga_dispi(r, DISPI_BANK, (uint16_t)bank);
            vga_out(r, 0x3c2, 0x67);
            vga_index(r, 0x3ce, 6, map);
            for (unsigned size = 1; size <= 8; size *= 2) {
                static const uint32_t at[] = {0, 1, 0x7fff, 0xfff9, 0xffff, 0x10000, 0x17fff,
                                              0x18000, 0x1fff8};
                for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
                    if (at[i] + size <= 0x20000) {
                        region_out(r->regs[VGA_R_MEM], at[i], 0x0123456789abcdef, size);
                        region_in(r->regs[VGA_R_MEM], at[i], size);
                    }
                }
            }
        }
    }
    /* and within memory it leads to the right place */
    vga_dispi(r, DISPI_ENABLE, 0);
    vga_dispi(r, DISPI_BPP, 8);
    vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED);
    for (uint16_t bank = 0; bank < VGA_VRAM_MIN >> 16; bank++) {
        vga_dispi(r, DISPI_BANK, bank);
        vga_poke(r, 0xa1234, (uint8_t)(bank + 1));
        assert_int_equal(v->vram.host[bank * 0x10000u + 0x1234], bank + 1);
    }
    vga_dispi(r, DISPI_BANK, VGA_VRAM_MIN >> 16); /* wraps to bank 0 */
    assert_int_equal(vga_peek(r, 0xa1234), 1);
}

/* --- DISPI and BAR2 ------------------------------------------------------------------------- */

static void dispi_tells_its_version_memory_and_limits(void **state)
{
    struct rig *r = *state;
    assert_int_equal(vga_dispi_in(r, DISPI_ID), 0xb0c5);
    vga_dispi(r, DISPI_ID, 0xb0c2);
    assert_int_equal(vga_dispi_in(r, DISPI_ID), 0xb0c2);
    vga_dispi(r, DISPI_ID, 0x1234);
    assert_int_equal(vga_dispi_in(r, DISPI_ID), 0xb0c2);
    assert_int_equal(vga_dispi_in(r, DISPI_VIDEO_MEMORY_64K), VGA_VRAM_MIN >> 16);
    vga_dispi(r, DISPI_ENABLE, DISPI_GETCAPS);
    assert_int_equal(vga_dispi_in(r, DISPI_XRES), VGA_MAX_WIDTH);
    assert_int_equal(vga_dispi_in(r, DISPI_YRES), VGA_MAX_HEIGHT);
    assert_int_equal(vga_dispi_in(r, DISPI_BPP), 32);
}

static void dispi_enable_sets_virtual_size_and_clears_memory(void **state)
{
    struct rig *r = *state;
    region_out(r->regs[VGA_R_LFB], 4, 0x55aa55aa, 4);
    vga_dispi(r, DISPI_XRES, 512);
    vga_dispi(r, DISPI_YRES, 300);
    vga_dispi(r, DISPI_BPP, 16);
    vga_dispi(r, DISPI_VIRT_WIDTH, 4000);
    vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED | DISPI_LFB_ENABLED | DISPI_NOCLEARMEM);
    assert_int_equal(vga_dispi_in(r, DISPI_ENABLE), 0xc1);
    assert_int_equal(lfb32(r, 4), 0x55aa55aa);
    vga_dispi(r, DISPI_ENABLE, 0);
    vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED | DISPI_LFB_ENABLED);
    assert_int_equal(lfb32(r, 4), 0);
    assert_int_equal(vga_dispi_in(r, DISPI_VIRT_WIDTH), 512);
    assert_int_equal(vga_dispi_in(r, DISPI_VIRT_HEIGHT), VGA_VRAM_MIN / 1024);
    vga_dispi(r, DISPI_VIRT_WIDTH, 1024);
    vga_dispi(r, DISPI_X_OFFSET, 9999);
    vga_dispi(r, DISPI_Y_OFFSET, 9999);
    assert_int_equal(vga_dispi_in(r, DISPI_X_OFFSET), 512);
    assert_int_equal(vga_dispi_in(r, DISPI_Y_OFFSET), VGA_VRAM_MIN / 2048 - 300);
}

static void bar2_has_an_edid_the_vga_ports_and_dispi(void **state)
{
    struct rig *r = *state;
    struct region *m = r->regs[VGA_R_MMIO];
    unsigned sum = 0;
    for (unsigned i = 0; i < 128; i++) {
        sum += (unsigned)region_in(m, i, 1);
    }
    assert_int_equal(sum & 0xff, 0);
    assert_int_equal(region_in(m, 0, 8), 0x00ffffffffffff00);
    assert_int_equal(region_in(m, 95, 4), load_le32("Vitr"));
    assert_int_equal(region_in(m, 0x500, 2), 0xb0c5);
    region_out(m, 0x502, 800, 2);
    region_out(m, 0x504, 0x00200258, 4); /* two registers at once */
    assert_int_equal(vga_dispi_in(r, DISPI_XRES), 800);
    assert_int_equal(vga_dispi_in(r, DISPI_YRES), 600);
    assert_int_equal(vga_dispi_in(r, DISPI_BPP), 32);
    region_out(m, 0x402, 0x67, 1);
    assert_int_equal(vga_in(r, 0x3cc), 0x67);
    region_out(m, 0x414, 0x5a0c, 2);
    vga_out(r, 0x3d4, 0x0c);
    assert_int_equal(vga_in(r, 0x3d5), 0x5a);
    assert_int_equal(region_in(m, 0x600, 4), 8);
    assert_int_equal(region_in(m, 0x604, 4), 0x1e1e1e1e);
}

static void vram_size_is_checked(void **state)
{
    struct rig *r = *state;
    static const uint32_t bad[] = {0, 4096, 3u << 20, 64u << 20, 0xffffffff};
    struct vga *v = malloc(sizeof *v);
    assert_non_null(v);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        assert_false(vga_init(v, "vga", &r->clk, bad[i], &err));
        assert_int_not_equal(err.code, 0);
    }
    free(v);
}

static void pci_function_maps_frame_buffer_registers_and_rom(void **state)
{
    struct rig *r = *state;
    struct vga *v = r->priv;
    struct bus *mem = bus_create("memory", 32), *ports = bus_create("port", 16);
    struct pci_bus *pci = calloc(1, sizeof *pci);
    struct vga_pci *vp = calloc(1, sizeof *vp);
    struct irq_line none[4] = {{0}};
    struct err err = {0};
    static uint8_t rom[40000] = {0x55, 0xaa, 78};
    pci_init(pci, "pci", mem, ports, none);
    assert_true(vga_pci_init(vp, "vga.pci", v, pci, PCI_DEVFN(2, 0), rom, sizeof rom, &err));
    assert_true(vga_map_legacy(v, mem, ports, &err));
    assert_int_equal(pci_config_read(pci, 0x10, 0, 4), 0x11111234);
    assert_int_equal(pci_config_read(pci, 0x10, 8, 4), 0x03000002);
    pci_config_write(pci, 0x10, 0x10, 0xffffffff, 4);
    assert_int_equal(pci_config_read(pci, 0x10, 0x10, 4), 0xfff00008);
    pci_config_write(pci, 0x10, 0x30, 0xfffffffe, 4);
    assert_int_equal(pci_config_read(pci, 0x10, 0x30, 4), 0xffff0000);
    pci_config_write(pci, 0x10, 0x10, 0xe0000000, 4);
    pci_config_write(pci, 0x10, 0x18, 0xe1000000, 4);
    pci_config_write(pci, 0x10, 0x30, 0xe2000001, 4);
    pci_config_write(pci, 0x10, PCI_COMMAND, 7, 2);
    bus_write(mem, 0xe0000010, 0x11223344, 4);
    assert_int_equal(load_le32(v->vram.host + 16), 0x11223344);
    assert_true(v->vram.flags[0] & RAM_DIRTY);
    assert_int_equal(bus_read(mem, 0xe1000500, 2), 0xb0c5);
    assert_int_equal(bus_read(mem, 0xe2000000, 2), 0xaa55);
    assert_int_equal(bus_read(mem, 0xe200ffff, 1), 0xff);
    bus_write(ports, 0x1ce, 0, 2);
    assert_int_equal(bus_read(ports, 0x1cf, 2), 0xb0c5);
    assert_int_equal(bus_read(ports, 0x1d0, 2), 0xb0c5);
    bus_write(ports, 0x3c2, 1, 1);
    bus_write(ports, 0x3d4, 0x770e, 2); /* index and data in one word */
    assert_int_equal(v->cr[0x0e], 0x77);
    assert_int_equal(bus_read(ports, 0x3bc, 1), 0xff); /* the printer's */
    device_reset(&vp->dev, RESET_POWER_ON);
    assert_false(v->lfb.mapped);
    device_destroy(&vp->dev);
    bus_destroy(mem);
    bus_destroy(ports);
    free(vp);
    free(pci);
}

static void contract(void **state)
{
    (void)state;
    contract_check(&vga_case);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(crtc_registers_0_to_7_are_write_protected),
        T(misc_bit_0_moves_the_crtc_between_mono_and_color),
        T(text_with_gr5_alone_is_odd_even),
        T(attribute_flip_flop_is_cleared_by_status_1),
        T(dac_entries_change_whole_and_are_six_bits),
        T(retrace_follows_the_crtc_and_virtual_time),
        T(retrace_comes_whatever_the_registers_are),
        T(write_modes_of_the_graphics_controller),
        T(read_modes_and_latches),
        T(chain_4_is_linear_and_obeys_the_map_mask),
        T(writes_are_odd_even_only_if_both_bits_say_so),
        T(odd_even_puts_characters_in_plane_0_and_attributes_in_1),
        T(T16_bank_and_memory_map_and_width),
        T(dispi_tells_its_version_memory_and_limits),
        T(dispi_enable_sets_virtual_size_and_clears_memory),
        T(bar2_has_an_edid_the_vga_ports_and_dispi),
        T(vram_size_is_checked),
        T(pci_function_maps_frame_buffer_registers_and_rom),
        cmocka_unit_test(contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
