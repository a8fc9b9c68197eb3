/* VGA: what the picture shows in each graphics mode, computed here from what was drawn. */
#include "tests/devices/vga_picture.h"

/* --- graphics ------------------------------------------------------------------------------- */

static unsigned planar_color(uint32_t byte, unsigned x) /* pixel x of 8 */
{
    unsigned c = 0;
    for (unsigned p = 0; p < 4; p++) {
        c |= (noise(byte * 4 + p) >> (7 - x) & 1u) << p;
    }
    return c;
}

static void fill_planes(struct rig *r, uint32_t bytes)
{
    for (uint8_t p = 0; p < 4; p++) {
        vga_index(r, 0x3c4, 2, (uint8_t)(1 << p));
        for (uint32_t i = 0; i < bytes; i++) {
            vga_poke(r, 0xa0000 + i, noise(i * 4 + p));
        }
    }
}

static void graphics_blink_between_palette_halves(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_12);
    for (unsigned c = 0; c < 16; c++) { /* eight pixels of each color */
        vga_index(r, 0x3c4, 2, (uint8_t)c);
        vga_poke(r, 0xa0000 + c, 0xff);
    }
    vga_index(r, 0x3c4, 2, 0x0f);
    vga_attr(r, 0x10, 0x09);
    vtime frame = vga_frame_ns(r->priv);
    rig_advance_to(r, frame * 64 + frame / 2);
    const struct surface *s = scan(r, 640, 480);
    for (unsigned c = 0; c < 16; c++) {
        expect(s, c * 8, 0, pal(c | 8));
    }
    rig_advance_to(r, frame * 80 + frame / 2);
    s = scan(r, 640, 480);
    for (unsigned c = 0; c < 16; c++) {
        expect(s, c * 8, 0, pal(c ^ 8));
    }
    scan(r, 640, 480);
    assert_int_equal(last.w, 0);
    vga_attr(r, 0x12, 0x05); /* as in mode 0Fh: without plane 3 all pixels alternate */
    s = scan(r, 640, 480);
    for (unsigned c = 0; c < 16; c++) {
        expect(s, c * 8, 0, pal(c & 5));
    }
    rig_advance_to(r, frame * 96 + frame / 2);
    s = scan(r, 640, 480);
    for (unsigned c = 0; c < 16; c++) {
        expect(s, c * 8, 0, pal((c & 5) | 8));
    }
    vga_attr(r, 0x12, 0x0f);
    vga_attr(r, 0x10, 0x08); /* a text mode's blink bit left over is not obeyed */
    s = scan(r, 640, 480);
    for (unsigned c = 0; c < 16; c++) {
        expect(s, c * 8, 0, pal(c));
    }
}

/* CR17 bit 3 and CR14 bit 5: the address steps every second or fourth character. */
static void address_counter_steps_by_two_and_four(void **state)
{
    struct rig *r = *state;
    for (unsigned shift = 1; shift <= 2; shift++) {
        vga_set_mode(r, &vga_mode_12);
        fill_planes(r, 38400);
        vga_index(r, 0x3d4, 0x17, shift == 1 ? 0xeb : 0xe3);
        vga_index(r, 0x3d4, 0x14, shift == 2 ? 0x20 : 0);
        const struct surface *s = scan(r, 640, 480);
        for (unsigned x = 0; x < 640; x++) {
            expect(s, x, 99, pal(planar_color(99 * 80 + (x / 8 >> shift), x % 8)));
        }
    }
}

static void mode_13h_is_256_colors_doubled(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_13);
    for (uint32_t i = 0; i < 64000; i++) {
        vga_poke(r, 0xa0000 + i, noise(i));
    }
    const struct surface *s = scan(r, 640, 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++) {
            expect(s, x, y, vga_test_color(noise(y / 2 * 320 + x / 2)));
        }
    }
    scan(r, 640, 400);
    assert_int_equal(last.w, 0);
    vga_poke(r, 0xa0000 + 100 * 320 + 50, (uint8_t)~noise(100 * 320 + 50));
    scan(r, 640, 400);
    expect_rect(100, 200, 2, 2);
    vga_out(r, 0x3c6, 0x0f); /* PEL mask */
    s = scan(r, 640, 400);
    expect(s, 2, 0, vga_test_color(noise(1) & 15));
}

static void mode_x_pages_and_pans(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_13);
    vga_index(r, 0x3c4, 4, 6);
    vga_index(r, 0x3d4, 0x14, 0);
    vga_index(r, 0x3d4, 0x17, 0xe3);
    vga_index(r, 0x3d4, 0x13, 50); /* 400 pixels wide */
    for (uint8_t p = 0; p < 4; p++) {
        vga_index(r, 0x3c4, 2, (uint8_t)(1 << p));
        for (uint32_t i = 0; i < 0x10000; i++) {
            vga_poke(r, 0xa0000 + i, noise(i * 4 + p));
        }
    }
    vga_index(r, 0x3d4, 0x0c, 0x40);
    vga_attr(r, 0x13, 4); /* two pixels */
    const struct surface *s = scan(r, 640, 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++) {
            expect(s, x, y, vga_test_color(noise(0x10000 + y / 2 * 400 + x / 2 + 2)));
        }
    }
}

static void mode_12h_is_planar_with_palette_registers(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_12);
    fill_planes(r, 38400);
    const struct surface *s = scan(r, 640, 480);
    for (unsigned y = 0; y < 480; y++) {
        for (unsigned x = 0; x < 640; x++) {
            expect(s, x, y, pal(planar_color(y * 80 + x / 8, x % 8)));
        }
    }
    /* pan, plane enable, and the upper color bits from AR14 */
    vga_attr(r, 0x13, 3);
    vga_attr(r, 0x12, 0x0b);
    vga_attr(r, 0x10, 0x81);
    vga_attr(r, 0x14, 0x0d);
    s = scan(r, 640, 480);
    for (unsigned x = 0; x < 640; x++) {
        unsigned c = planar_color(77 * 80 + (x + 3) / 8, (x + 3) % 8) & 0x0b;
        expect(s, x, 77, vga_test_color((vga_mode_12.ar[c] & 15u) | 0xd0));
    }
}

static void mode_0dh_doubles_both_ways(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_0d);
    fill_planes(r, 8000);
    const struct surface *s = scan(r, 640, 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++) {
            unsigned c = planar_color(y / 2 * 40 + x / 16, x / 2 % 8);
            expect(s, x, y, vga_test_color(vga_mode_0d.ar[c]));
        }
    }
}

static void cga_modes_interleave_lines(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_04);
    for (uint32_t i = 0; i < 0x4000; i++) {
        vga_poke(r, 0xb8000 + i, noise(i));
    }
    const struct surface *s = scan(r, 640, 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++) {
            unsigned line = y / 2, px = x / 2;
            uint8_t b = noise((line & 1) * 0x2000 + line / 2 * 80 + px / 4);
            expect(s, x, y, vga_test_color(vga_mode_04.ar[b >> (6 - px % 4 * 2) & 3]));
        }
    }
    vga_set_mode(r, &vga_mode_06);
    for (uint32_t i = 0; i < 0x4000; i++) {
        vga_poke(r, 0xb8000 + i, noise(i + 7));
    }
    s = scan(r, 640, 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 640; x++) {
            uint8_t b = noise((y / 2 & 1) * 0x2000 + y / 4 * 80 + x / 8 + 7);
            expect(s, x, y, vga_test_color(b >> (7 - x % 8) & 1 ? 0x17 : 0));
        }
    }
}

static uint32_t vbe_color(const uint8_t *m, unsigned bpp, uint64_t pixel)
{
    uint32_t c;
    switch (bpp) {
    case 4: {
        unsigned i = 0;
        for (unsigned p = 0; p < 4; p++) {
            i |= (m[pixel / 8 * 4 + p] >> (7 - pixel % 8) & 1u) << p;
        }
        return pal(i);
    }
    case 8: return vga_test_color(m[pixel]);
    case 15:
        c = load_le16(m + pixel * 2);
        return ((c >> 10 & 31) * 0x21 >> 2) << 16 | ((c >> 5 & 31) * 0x21 >> 2) << 8 |
               (c & 31) * 0x21 >> 2;
    case 16:
        c = load_le16(m + pixel * 2);
        return ((c >> 11) * 0x21 >> 2) << 16 | ((c >> 5 & 63) * 0x41 >> 4) << 8 |
               (c & 31) * 0x21 >> 2;
    case 24: return m[pixel * 3] | m[pixel * 3 + 1] << 8 | (uint32_t)m[pixel * 3 + 2] << 16;
    default: return load_le32(m + pixel * 4) & 0xffffff;
    }
}

static void vbe_of_every_depth_with_virtual_size_and_offset(void **state)
{
    struct rig *r = *state;
    struct vga *v = r->priv;
    static const uint16_t depth[] = {4, 8, 15, 16, 24, 32};
    vga_set_mode(r, &vga_mode_12); /* palette registers and DAC */
    for (unsigned d = 0; d < ARRAY_LEN(depth); d++) {
        vga_dispi(r, DISPI_ENABLE, 0);
        vga_dispi(r, DISPI_XRES, 400);
        vga_dispi(r, DISPI_YRES, 300);
        vga_dispi(r, DISPI_BPP, depth[d]);
        vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED | DISPI_LFB_ENABLED);
        for (uint32_t i = 0; i < VGA_VRAM_MIN; i += 8) {
            uint64_t x = noise(i) * 0x0101010101010101ull ^ i * 0x123456789abcdefull;
            region_out(r->regs[VGA_R_LFB], i, x, 8);
        }
        vga_dispi(r, DISPI_VIRT_WIDTH, 520);
        vga_dispi(r, DISPI_X_OFFSET, 61);
        vga_dispi(r, DISPI_Y_OFFSET, 99);
        const struct surface *s = scan(r, 400, 300);
        for (unsigned y = 0; y < 300; y++) {
            for (unsigned x = 0; x < 400; x++) {
                expect(s, x, y, vbe_color(v->vram.host, depth[d], (y + 99ull) * 520 + x + 61));
            }
        }
        scan(r, 400, 300);
        assert_int_equal(last.w, 0);
        if (depth[d] >= 24) { /* one pixel written by the CPU is one pixel to show */
            uint64_t at = (100ull + 99) * 520 + 61 + 7;
            unsigned n = depth[d] / 8;
            region_out(r->regs[VGA_R_LFB], at * n,
                       ~region_in(r->regs[VGA_R_LFB], at * n, 2), 2);
            scan(r, 400, 300);
            expect_rect(7, 100, 1, 1);
            region_out(r->regs[VGA_R_LFB], 0, 0, 4); /* not on the screen */
            scan(r, 400, 300);
            assert_int_equal(last.w, 0);
        }
    }
}

static void vbe_8_bit_dac_and_banked_drawing(void **state)
{
    struct rig *r = *state;
    vga_set_mode(r, &vga_mode_13);
    vga_dispi(r, DISPI_XRES, 640);
    vga_dispi(r, DISPI_YRES, 480);
    vga_dispi(r, DISPI_BPP, 8);
    vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED | DISPI_8BIT_DAC);
    vga_out(r, 0x3c8, 200);
    vga_out(r, 0x3c9, 0x81);
    vga_out(r, 0x3c9, 0x42);
    vga_out(r, 0x3c9, 0x13);
    scan(r, 640, 480);
    vga_dispi(r, DISPI_BANK, 3);
    vga_poke(r, 0xa0000 + 77, 200);
    const struct surface *s = scan(r, 640, 480);
    uint32_t at = 0x30000 + 77;
    expect(s, at % 640, at / 640, 0x814213);
    expect_rect((int32_t)(at % 640), (int32_t)(at / 640), 1, 1);
}

/* BAR2 604h: the same picture from pixels with their bytes the other way round. */
static void vbe_big_endian_pixels(void **state)
{
    struct rig *r = *state;
    static const uint16_t bpp[] = {8, 15, 16, 24, 32};
    uint32_t want[64];
    for (unsigned d = 0; d < ARRAY_LEN(bpp); d++) {
        unsigned n = (bpp[d] + 7u) / 8;
        vga_set_mode(r, &vga_mode_13);
        vga_dispi(r, DISPI_XRES, 64);
        vga_dispi(r, DISPI_YRES, 8);
        vga_dispi(r, DISPI_BPP, bpp[d]);
        vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED);
        for (unsigned i = 0; i < 64 * n; i++) {
            region_out(r->regs[VGA_R_LFB], i, noise(i), 1);
        }
        memcpy(want, scan(r, 64, 8)->pixels, sizeof want);
        region_out(r->regs[VGA_R_MMIO], 0x604, 0x12345678, 4); /* neither: no change */
        region_out(r->regs[VGA_R_MMIO], 0x604, 0xbebebebe, 4);
        assert_int_equal(region_in(r->regs[VGA_R_MMIO], 0x604, 4), 0xbebebebe);
        for (unsigned i = 0; i < 64 * n; i++) {
            region_out(r->regs[VGA_R_LFB], i, noise(i / n * n + n - 1 - i % n), 1);
        }
        assert_memory_equal(scan(r, 64, 8)->pixels, want, sizeof want);
        region_out(r->regs[VGA_R_MMIO], 0x604, 0x1e1e1e1e, 4);
        if (n > 1) {
            assert_memory_not_equal(scan(r, 64, 8)->pixels, want, sizeof want);
        }
        assert_int_equal(region_in(r->regs[VGA_R_MMIO], 0x604, 4), 0x1e1e1e1e);
    }
}

/* --- hostile registers ---------------------------------------------------------------------- */

static uint32_t rnd(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* T17 (2016-3712, 2014-3615): no DISPI register reaches outside memory; ASan is the judge, and
 * the surface stays within its bound (checked in vga_case_look). */
static void T17_dispi_registers_random(void **state)
{
    struct rig *r = *state;
    uint32_t x = 12345;
    vga_set_mode(r, &vga_mode_13);
    for (unsigned n = 0; n < 1200; n++) {
        static const uint16_t bpp[] = {0, 4, 8, 15, 16, 24, 32, 33, 1, 0xffff};
        for (unsigned k = rnd(&x) % 6; k; k--) {
            uint16_t val = (uint16_t)(rnd(&x) >> (rnd(&x) % 16));
            vga_dispi(r, DISPI_XRES + rnd(&x) % 10, val);
        }
        vga_dispi(r, DISPI_BPP, bpp[rnd(&x) % ARRAY_LEN(bpp)]);
        vga_dispi(r, DISPI_ENABLE, (rnd(&x) & 0xa2) | (rnd(&x) % 4 ? 1 : 0));
        for (unsigned k = rnd(&x) % 4; k; k--) {
            vga_dispi(r, DISPI_VIRT_WIDTH + rnd(&x) % 4, (uint16_t)(rnd(&x) >> (rnd(&x) % 16)));
        }
        region_out(r->regs[VGA_R_LFB], rnd(&x) % (VGA_VRAM_MIN - 8), rnd(&x), 8);
        vga_case_look(r, rnd(&x));
    }
}

/* T18 (2018-5683, 2017-13673): CRTC start, offset, line compare, heights and every other shape. */
static void T18_crtc_registers_random(void **state)
{
    struct rig *r = *state;
    uint32_t x = 777;
    static const struct vga_mode *modes[] = {&vga_mode_03, &vga_mode_04, &vga_mode_06,
                                             &vga_mode_0d, &vga_mode_12, &vga_mode_13};
    for (unsigned n = 0; n < 600; n++) {
        vga_set_mode(r, modes[rnd(&x) % 6]);
        vga_index(r, 0x3d4, 0x11, 0);
        for (unsigned k = 0; k < 10; k++) {
            vga_index(r, 0x3d4, rnd(&x) % 25, (uint8_t)rnd(&x));
            vga_index(r, 0x3d4, 0x11, 0);
        }
        vga_index(r, 0x3c4, 1, (uint8_t)rnd(&x) & 0xdf);
        vga_index(r, 0x3c4, 3, (uint8_t)rnd(&x));
        vga_index(r, 0x3ce, 5, (uint8_t)rnd(&x));
        vga_attr(r, 0x10 + rnd(&x) % 5, (uint8_t)rnd(&x));
        for (unsigned k = 0; k < 40; k++) {
            region_out(r->regs[VGA_R_LFB], rnd(&x) % (VGA_LEGACY_BYTES - 8), rnd(&x), 4);
        }
        rig_advance(r, rnd(&x) % (500 * VTIME_MS));
        vga_case_look(r, rnd(&x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(graphics_blink_between_palette_halves),
        T(address_counter_steps_by_two_and_four),
        T(mode_13h_is_256_colors_doubled),
        T(mode_x_pages_and_pans),
        T(mode_12h_is_planar_with_palette_registers),
        T(mode_0dh_doubles_both_ways),
        T(cga_modes_interleave_lines),
        T(vbe_of_every_depth_with_virtual_size_and_offset),
        T(vbe_8_bit_dac_and_banked_drawing),
        T(vbe_big_endian_pixels),
        T(T17_dispi_registers_random),
        T(T18_crtc_registers_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
