/* VGA: what text modes show, computed here from what was written: fonts, attributes, the cursor,
 * the start address, the split; and the text as text. */
#include "tests/devices/vga_picture.h"

static uint8_t font_bits(unsigned set, unsigned ch, unsigned line)
{
    return noise(set * 10007 + ch * 32 + line);
}

static void load_font(struct rig *r, unsigned set, uint32_t base)
{
    vga_index(r, 0x3c4, 2, 4);
    vga_index(r, 0x3c4, 4, 6);
    vga_index(r, 0x3ce, 5, 0);
    vga_index(r, 0x3ce, 6, 4);
    for (unsigned i = 0; i < 256 * 32; i++) {
        vga_poke(r, 0xa0000 + base + i, font_bits(set, i / 32, i % 32));
    }
    vga_index(r, 0x3c4, 2, 3);
    vga_index(r, 0x3c4, 4, 2);
    vga_index(r, 0x3ce, 5, 0x10);
    vga_index(r, 0x3ce, 6, 0x0e);
}

static void text_mode(struct rig *r)
{
    vga_set_mode(r, &vga_mode_03);
    load_font(r, 0, 0);
    vga_index(r, 0x3d4, 0x0a, 0x20); /* no cursor */
}

static uint16_t cell(unsigned n)
{
    uint8_t attr = noise(n * 2 + 1) & 0x7f;
    if ((attr & 7) == 1) {
        attr++; /* no underline here */
    }
    return (uint16_t)(noise(n * 2) | attr << 8);
}

static void fill_text(struct rig *r, unsigned cells)
{
    for (unsigned i = 0; i < cells; i++) {
        region_out(r->regs[VGA_R_MEM], 0x18000 + i * 2, cell(i), 2);
    }
}

/* pixel (x of 9, line) of a cell */
static uint32_t glyph(uint16_t c, unsigned set, unsigned x, unsigned line)
{
    unsigned ch = c & 0xff, bits = font_bits(set, ch, line), on;
    on = x < 8 ? bits >> (7 - x) & 1 : ch >= 0xc0 && ch < 0xe0 ? bits & 1 : 0;
    return pal(on ? c >> 8 & 15 : c >> 12 & 7);
}

static void expect_text(const struct surface *s, unsigned first_cell, unsigned pitch)
{
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 720; x++) {
            uint16_t c = cell(first_cell + y / 16 * pitch + x / 9);
            expect(s, x, y, glyph(c, 0, x % 9, y % 16));
        }
    }
}

static void text_of_80_columns_every_pixel(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 2000);
    expect_text(scan(r, 720, 400), 0, 80);
    expect_rect(0, 0, 720, 400);
    scan(r, 720, 400);
    assert_int_equal(last.w, 0);
    /* eight dots */
    vga_index(r, 0x3c4, 1, 1);
    const struct surface *s = scan(r, 640, 400);
    for (unsigned x = 0; x < 640; x++) {
        expect(s, x, 37, glyph(cell(160 + x / 8), 0, x % 8, 5));
    }
}

static void text_of_40_columns_doubles_dots(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 1000);
    vga_index(r, 0x3c4, 1, 8);
    vga_index(r, 0x3d4, 0x11, 0);
    vga_index(r, 0x3d4, 1, 39);
    vga_index(r, 0x3d4, 0x13, 20);
    const struct surface *s = scan(r, 720, 400);
    for (unsigned y = 0; y < 400; y += 7) {
        for (unsigned x = 0; x < 720; x++) {
            expect(s, x, y, glyph(cell(y / 16 * 40 + x / 18), 0, x / 2 % 9, y % 16));
        }
    }
}

static void one_character_changes_one_cell(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    scan(r, 720, 400);
    /* full of dots, so that the box is the whole character */
    load_font(r, 0, 0);
    vga_index(r, 0x3c4, 2, 4);
    vga_index(r, 0x3c4, 4, 6);
    vga_index(r, 0x3ce, 6, 4);
    for (unsigned i = 0; i < 32; i++) {
        vga_poke(r, 0xa0000 + 0xdb * 32 + i, 0xff);
    }
    vga_index(r, 0x3c4, 2, 3);
    vga_index(r, 0x3c4, 4, 2);
    vga_index(r, 0x3ce, 6, 0x0e);
    scan(r, 720, 400);
    region_out(r->regs[VGA_R_MEM], 0x18000 + (3 * 80 + 10) * 2, 0x0fdb, 2);
    scan(r, 720, 400);
    expect_rect(90, 48, 9, 16);
    region_out(r->regs[VGA_R_MEM], 0x18000 + (3 * 80 + 10) * 2, 0x0fdb, 2); /* the same again */
    scan(r, 720, 400);
    assert_int_equal(last.w, 0);
}

static void cursor_has_a_shape_and_blinks(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 2000);
    vga_index(r, 0x3d4, 0x0a, 13);
    vga_index(r, 0x3d4, 0x0b, 14);
    vga_index(r, 0x3d4, 0x0e, 0);
    vga_index(r, 0x3d4, 0x0f, 85);
    vtime frame = vga_frame_ns(r->priv);
    rig_advance_to(r, frame * 64 + frame / 2);
    const struct surface *s = scan(r, 720, 400);
    for (unsigned y = 16; y < 32; y++) {
        for (unsigned x = 45; x < 54; x++) {
            expect(s, x, y, y == 29 || y == 30 ? pal(cell(85) >> 8 & 15)
                                               : glyph(cell(85), 0, x - 45, y - 16));
        }
        expect(s, 44, y, glyph(cell(84), 0, 8, y - 16));
        expect(s, 54, y, glyph(cell(86), 0, 0, y - 16));
    }
    rig_advance_to(r, frame * 72 + frame / 2);
    expect_text(scan(r, 720, 400), 0, 80);
    assert_in_range(last.x, 45, 53);
    assert_in_range(last.y, 29, 30);
    assert_in_range(last.w, 1, 9);
    rig_advance_to(r, frame * 80 + frame / 2);
    scan(r, 720, 400);
    assert_in_range(last.w, 1, 9);
    /* start behind end: none */
    vga_index(r, 0x3d4, 0x0a, 15);
    expect_text(scan(r, 720, 400), 0, 80);
}

static void blink_underline_and_two_fonts(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    load_font(r, 1, 0x6000); /* map 5 */
    vtime frame = vga_frame_ns(r->priv);
    region_out(r->regs[VGA_R_MEM], 0x18000, 0xa441, 2);
    region_out(r->regs[VGA_R_MEM], 0x18002, 0x0142, 2);
    region_out(r->regs[VGA_R_MEM], 0x18004, 0x0d43, 2);
    vga_index(r, 0x3d4, 0x14, 12);
    vga_index(r, 0x3c4, 3, 0x24); /* A = 5, B = 0 */
    rig_advance_to(r, frame * 32 + frame / 2);
    const struct surface *s = scan(r, 720, 400);
    for (unsigned y = 0; y < 16; y++) {
        for (unsigned x = 0; x < 9; x++) {
            expect(s, x, y, glyph(0x2441, 0, x, y));
            expect(s, 9 + x, y, y == 12 ? pal(1) : glyph(0x0142, 0, x, y));
            expect(s, 18 + x, y, glyph(0x0d43, 1, x, y));
        }
    }
    rig_advance_to(r, frame * 48 + frame / 2);
    s = scan(r, 720, 400);
    for (unsigned x = 0; x < 9; x++) {
        expect(s, x, 5, pal(2));
    }
    vga_attr(r, 0x10, 0x04); /* no blinking: 16 backgrounds */
    s = scan(r, 720, 400);
    for (unsigned x = 0; x < 8; x++) {
        expect(s, x, 5, font_bits(0, 0x41, 5) >> (7 - x) & 1 ? pal(4) : pal(10));
    }
}

static void start_address_offset_and_panning(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 8000);
    vga_index(r, 0x3d4, 0x0c, 0x01);
    vga_index(r, 0x3d4, 0x0d, 0x40);
    vga_index(r, 0x3d4, 0x13, 50);
    expect_text(scan(r, 720, 400), 0x140, 100);
    vga_index(r, 0x3d4, 0x08, 0x40); /* byte panning */
    expect_text(scan(r, 720, 400), 0x142, 100);
    vga_index(r, 0x3d4, 0x08, 0x03); /* preset row scan */
    vga_attr(r, 0x13, 2);            /* three dots */
    const struct surface *s = scan(r, 720, 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 720; x++) {
            uint16_t c = cell(0x140 + (y + 3) / 16 * 100 + (x + 3) / 9);
            expect(s, x, y, glyph(c, 0, (x + 3) % 9, (y + 3) % 16));
        }
    }
}

static void split_screen_starts_again_at_address_0(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 8000);
    vga_index(r, 0x3d4, 0x0c, 0x08);
    vga_index(r, 0x3d4, 0x11, 0);
    vga_index(r, 0x3d4, 0x18, 199);
    vga_index(r, 0x3d4, 0x07, vga_mode_03.cr[7] & ~0x10);
    vga_index(r, 0x3d4, 0x09, vga_mode_03.cr[9] & ~0x40);
    vga_attr(r, 0x10, 0x2c); /* no panning below */
    vga_attr(r, 0x13, 0);
    const struct surface *s = scan(r, 720, 400);
    for (unsigned y = 0; y < 400; y++) {
        for (unsigned x = 0; x < 720; x++) {
            if (y < 200) {
                uint16_t c = cell(0x800 + y / 16 * 80 + (x + 1) / 9);
                expect(s, x, y, glyph(c, 0, (x + 1) % 9, y % 16));
            } else {
                uint16_t c = cell((y - 200) / 16 * 80 + x / 9);
                expect(s, x, y, glyph(c, 0, x % 9, (y - 200) % 16));
            }
        }
    }
}

static void text_is_read_where_the_crtc_starts(void **state)
{
    struct rig *r = *state;
    char buf[80 * 25];
    uint32_t cols = 0, rows = 0;
    assert_false(vga_text(r->priv, buf, sizeof buf, &cols, &rows));
    text_mode(r);
    for (unsigned i = 0; i < 4000; i++) {
        vga_poke(r, 0xb8000 + i * 2, (uint8_t)(' ' + i / 80));
    }
    assert_true(vga_text(r->priv, buf, sizeof buf, &cols, &rows));
    assert_int_equal(cols, 80);
    assert_int_equal(rows, 25);
    for (unsigned i = 0; i < 2000; i++) {
        assert_int_equal(buf[i], ' ' + i / 80);
    }
    vga_index(r, 0x3d4, 0x0d, 240);
    assert_true(vga_text(r->priv, buf, sizeof buf, &cols, &rows));
    assert_int_equal(buf[0], ' ' + 3);
    assert_int_equal(buf[1999], ' ' + 27);
    assert_false(vga_text(r->priv, buf, sizeof buf - 1, &cols, &rows));
    vga_set_mode(r, &vga_mode_13);
    assert_false(vga_text(r->priv, buf, sizeof buf, &cols, &rows));
}

/* The registers that GRUB's firmware (grub-firmware-qemu, A6) leaves: no color planes, no RAM
 * enable, no totals, CR17 0, CR12 one too many; the font was loaded with SR4 and GR5 0. */
static void text_as_grubs_firmware_sets_it(void **state)
{
    struct rig *r = *state;
    static const uint8_t cr[25] = {[0x01] = 79, [0x07] = 2, [0x09] = 15, [0x0a] = 0x2e,
                                   [0x0b] = 15, [0x12] = 0x90, [0x13] = 40};
    static const uint8_t gr[9] = {[5] = 0x10, [6] = 0x0c, [8] = 0xff};
    text_mode(r); /* for the DAC */
    memset(((struct vga *)r->priv)->vram.host, 0, 1 << 18);
    vga_out(r, 0x3c2, 1);
    for (uint8_t i = 0; i < 5; i++) {
        vga_index(r, 0x3c4, i, i == 1 ? 1 : i == 2 ? 4 : 0);
    }
    vga_index(r, 0x3ce, 5, 0);
    vga_index(r, 0x3ce, 6, 4);
    for (unsigned i = 0; i < 256 * 32; i++) {
        vga_poke(r, 0xa0000 + i, font_bits(0, i / 32, i % 32));
    }
    for (uint8_t i = 0; i < 9; i++) {
        vga_index(r, 0x3ce, i, gr[i]);
    }
    vga_index(r, 0x3c4, 2, 3);
    vga_index(r, 0x3d4, 0x11, 0);
    for (uint8_t i = 0; i < 25; i++) {
        vga_index(r, 0x3d4, i, cr[i]);
    }
    for (uint8_t i = 0; i < 21; i++) {
        vga_attr(r, i, i < 16 ? i : 0);
    }
    fill_text(r, 2000);
    const struct surface *s = scan(r, 640, 400);
    for (unsigned y = 0; y < 400; y++) { /* line compare 0: address 0 again after one line */
        unsigned line = y ? y - 1 : 0;
        for (unsigned x = 0; x < 640; x++) {
            uint16_t c = cell(line / 16 * 80 + x / 8);
            bool on = font_bits(0, c & 0xff, line % 16) >> (7 - x % 8) & 1;
            expect(s, x, y, vga_test_color(on ? c >> 8 & 15 : c >> 12));
        }
    }
    /* the totals are 0, and still the cursor does not flicker with every microsecond */
    vga_index(r, 0x3d4, 0x0a, 0x0e);
    unsigned changes = 0;
    for (unsigned i = 0; i < 100; i++) {
        scan(r, 640, 400);
        changes += last.w != 0;
        rig_advance(r, VTIME_SEC / 100);
    }
    assert_in_range(changes, 6, 9);
}

static void fonts_beyond_the_first_need_sr4_and_underlines_blink(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    load_font(r, 1, 0x4000);
    region_out(r->regs[VGA_R_MEM], 0x18000, 0x8941, 2);
    vga_index(r, 0x3d4, 0x14, 12);
    vga_index(r, 0x3c4, 3, 0x04); /* attribute bit 3: map 1 */
    vtime frame = vga_frame_ns(r->priv);
    rig_advance_to(r, frame * 64 + frame / 2);
    const struct surface *s = scan(r, 720, 400);
    for (unsigned x = 0; x < 8; x++) {
        expect(s, x, 3, font_bits(1, 0x41, 3) >> (7 - x) & 1 ? pal(9) : pal(0));
        expect(s, x, 12, pal(9));
    }
    rig_advance_to(r, frame * 80 + frame / 2); /* dark, the underline too */
    s = scan(r, 720, 400);
    expect(s, 0, 12, pal(0));
    vga_index(r, 0x3c4, 4, 0);
    vga_attr(r, 0x10, 0x04);
    s = scan(r, 720, 400);
    for (unsigned x = 0; x < 8; x++) {
        expect(s, x, 3, font_bits(0, 0x41, 3) >> (7 - x) & 1 ? pal(9) : pal(8));
    }
}

static void cursor_skew_moves_it_to_the_right(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 2000);
    vtime frame = vga_frame_ns(r->priv);
    rig_advance_to(r, frame * 64 + frame / 2);
    scan(r, 720, 400);
    vga_index(r, 0x3d4, 0x0e, 1);
    vga_index(r, 0x3d4, 0x0f, 4);
    vga_index(r, 0x3d4, 0x0b, 15 | 2 << 5);
    vga_index(r, 0x3d4, 0x0a, 0);
    const struct surface *s = scan(r, 720, 400);
    for (unsigned x = 0; x < 9; x++) {
        expect(s, 22 * 9 + x, 48, pal(cell(262) >> 8 & 15)); /* 104h + 2 = 3 * 80 + 22 */
    }
    assert_in_range(last.x, 22 * 9, 22 * 9 + 8);
    assert_true(last.w <= 9);
}

static void vertical_counts_doubled_by_cr17(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 8000);
    vtime frame = vga_frame_ns(r->priv);
    vga_index(r, 0x3d4, 0x17, 0xa7);
    assert_true(vga_frame_ns(r->priv) - 2 * frame <= 1);
    vga_index(r, 0x3d4, 0x11, 0);
    vga_index(r, 0x3d4, 0x18, 99); /* line compare: after 200 lines */
    vga_index(r, 0x3d4, 0x07, vga_mode_03.cr[7] & ~0x10);
    vga_index(r, 0x3d4, 0x09, vga_mode_03.cr[9] & ~0x40);
    vga_index(r, 0x3d4, 0x0c, 4);
    const struct surface *s = scan(r, 720, 800);
    for (unsigned y = 0; y < 800; y += 3) {
        uint32_t line = y < 200 ? y : y - 200;
        for (unsigned x = 0; x < 720; x++) {
            uint16_t c = cell((y < 200 ? 0x400 : 0) + line / 16 * 80 + x / 9);
            expect(s, x, y, glyph(c, 0, x % 9, line % 16));
        }
    }
    vga_index(r, 0x3d4, 0x11, 0x0e); /* retrace for 2 of 449 counts, as before */
    unsigned retrace = 0;
    for (unsigned i = 0; i < 9000; i++) {
        retrace += (vga_in(r, 0x3da) & 8) != 0;
        rig_advance(r, frame * 2 / 9000);
    }
    assert_in_range(retrace, 9000 * 2 / 449 - 10, 9000 * 2 / 449 + 10);
}

static void byte_panning_goes_on_below_the_split_or_not(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 8000);
    vga_index(r, 0x3d4, 0x11, 0);
    vga_index(r, 0x3d4, 0x18, 199);
    vga_index(r, 0x3d4, 0x07, vga_mode_03.cr[7] & ~0x10);
    vga_index(r, 0x3d4, 0x09, vga_mode_03.cr[9] & ~0x40);
    vga_index(r, 0x3d4, 0x08, 0x60);
    for (unsigned compatible = 0; compatible < 2; compatible++) {
        vga_attr(r, 0x10, compatible ? 0x2c : 0x0c);
        const struct surface *s = scan(r, 720, 400);
        for (unsigned x = 0; x < 720; x++) {
            expect(s, x, 5, glyph(cell(3 + x / 9), 0, x % 9, 5));
            expect(s, x, 205, glyph(cell((compatible ? 0 : 3) + x / 9), 0, x % 9, 5));
        }
    }
}

/* Linux's vgacon scrolls by the start address; so may a guest that runs over the end. */
static void text_wraps_at_the_end_of_the_address_counter(void **state)
{
    struct rig *r = *state;
    char buf[80 * 25];
    uint32_t cols, rows;
    text_mode(r);
    fill_text(r, 2000);
    vga_index(r, 0x3d4, 0x0c, 0xff);
    vga_index(r, 0x3d4, 0x0d, 0xb0); /* one row before the end of the counter */
    assert_true(vga_text(r->priv, buf, sizeof buf, &cols, &rows));
    const struct surface *s = scan(r, 720, 400);
    for (unsigned i = 80; i < 2000; i++) {
        assert_int_equal((uint8_t)buf[i], cell(i - 80) & 0xff);
    }
    for (unsigned x = 0; x < 720; x++) {
        expect(s, x, 20, glyph(cell(x / 9), 0, x % 9, 4));
    }
    /* MA15 comes back as MA0 in word mode: the odd bytes of the planes, "the high page" */
    vga_index(r, 0x3d4, 0x0c, 0x80);
    vga_index(r, 0x3d4, 0x0d, 0x00);
    vga_out(r, 0x3c2, vga_mode_03.misc & ~0x20);
    fill_text(r, 100);
    vga_poke(r, 0xb8000, 'x');
    assert_true(vga_text(r->priv, buf, sizeof buf, &cols, &rows));
    assert_int_equal(buf[0], 'x');
    assert_int_equal((uint8_t)buf[1], cell(1) & 0xff);
}

static void blank_screens_are_black_and_come_back(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 2000);
    uint64_t gen = scan(r, 720, 400)->generation;
    vga_index(r, 0x3c4, 1, 0x20); /* screen off */
    const struct surface *s = vga_scan(r->priv, &last);
    assert_true(s->generation > gen);
    for (unsigned i = 0; i < s->width * s->height; i++) {
        assert_int_equal(s->pixels[i], 0);
    }
    vga_scan(r->priv, &last);
    assert_int_equal(last.w, 0);
    vga_index(r, 0x3c4, 1, 0);
    expect_text(scan(r, 720, 400), 0, 80);
    vga_in(r, 0x3da);
    vga_out(r, 0x3c0, 0x00); /* PAS off */
    s = scan(r, 720, 400);
    expect(s, 3, 3, 0);
    vga_in(r, 0x3da);
    vga_out(r, 0x3c0, 0x20);
    expect_text(scan(r, 720, 400), 0, 80);
}

static void a_loaded_snapshot_shows_the_same_picture(void **state)
{
    struct rig *r = *state;
    text_mode(r);
    fill_text(r, 2000);
    scan(r, 720, 400);
    struct snap s;
    rig_save(r, &s);
    vga_set_mode(r, &vga_mode_13);
    memset(((struct vga *)r->priv)->vram.host, 0x5a, VGA_VRAM_MIN);
    scan(r, 640, 400);
    assert_true(rig_load(r, s.buf, s.len));
    expect_text(scan(r, 720, 400), 0, 80);
    /* looking at the screen is not part of the state */
    uint64_t h = rig_hash(r);
    region_in(r->regs[VGA_R_LFB], 0, 4);
    scan(r, 720, 400);
    assert_true(rig_hash(r) == h);
    snap_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(text_of_80_columns_every_pixel),
        T(text_of_40_columns_doubles_dots),
        T(one_character_changes_one_cell),
        T(cursor_has_a_shape_and_blinks),
        T(blink_underline_and_two_fonts),
        T(start_address_offset_and_panning),
        T(split_screen_starts_again_at_address_0),
        T(text_is_read_where_the_crtc_starts),
        T(text_as_grubs_firmware_sets_it),
        T(fonts_beyond_the_first_need_sr4_and_underlines_blink),
        T(cursor_skew_moves_it_to_the_right),
        T(vertical_counts_doubled_by_cr17),
        T(byte_panning_goes_on_below_the_split_or_not),
        T(text_wraps_at_the_end_of_the_address_counter),
        T(blank_screens_are_black_and_come_back),
        T(a_loaded_snapshot_shows_the_same_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
