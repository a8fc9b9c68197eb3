/* The picture: geometry from the registers, graphics modes, the scan that finds what changed.
 * IBM VGA/XGA Technical Reference Manual, "CRT Controller", "Attribute Controller".
 *
 * A scan looks first whether anything could have changed (a register, a page of video memory, a
 * blink phase); if so it draws the lines concerned and compares them with the last picture, so the
 * dirty rectangle is exact.
 *
 * NOT IMPLEMENTED: the border, blanking registers (CR02, CR03, CR15, CR16) narrower than the
 * display, CR17 bit 7 (no sync), SR1 bits 2 and 4 (shift registers loaded less often, the EGA's
 * two-plane modes), changes within a frame (the picture is what the registers say at the moment of
 * the scan). */
#include <string.h>

#include "base/bits.h"
#include "devices/video/vga.h"

/* --- geometry ------------------------------------------------------------------------------- */

static void vga_geometry_legacy(const struct vga *v, struct vga_geom *g)
{
    const uint8_t *cr = v->cr;
    bool text = !(v->gr[6] & 1);
    g->kind = text              ? VGA_TEXT
              : v->gr[5] & 0x40 ? VGA_C256
              : v->gr[5] & 0x20 ? VGA_CGA4
                                : VGA_PLANAR;
    g->dots = text && !(v->seq[1] & 1) ? 9 : 8;
    g->dup = v->seq[1] & 8 ? 2 : 1;
    g->chars = cr[0x01] + 1u;
    if (g->chars * g->dots * g->dup > VGA_MAX_WIDTH) {
        g->chars = VGA_MAX_WIDTH / (g->dots * g->dup);
    }
    g->width = g->chars * g->dots * g->dup;
    g->height = (cr[0x12] | (cr[0x07] & 0x02u) << 7 | (cr[0x07] & 0x40u) << 3) + 1; /* <= 1024 */
    g->line_compare = cr[0x18] | (cr[0x07] & 0x10u) << 4 | (cr[0x09] & 0x40u) << 3;
    if (cr[0x17] & 4) { /* the vertical counter steps every other line, the row scan does not */
        g->height = g->height * 2 > VGA_MAX_HEIGHT ? VGA_MAX_HEIGHT : g->height * 2;
        g->line_compare = g->line_compare * 2 + 1;
    }
    g->scan_dup = cr[0x09] & 0x80 ? 2 : 1;
    g->row_lines = (cr[0x09] & 0x1fu) + 1;
    uint32_t rows = g->height / (g->row_lines * g->scan_dup);
    if (text && rows) { /* HW shows the lines of a row begun; GRUB's firmware sets one too many, and
                         * QEMU leaves them out */
        g->height = rows * g->row_lines * g->scan_dup;
    }
    g->byte_pan = cr[0x08] >> 5 & 3;
    g->start = cr[0x0cu] * 256u + cr[0x0d] + g->byte_pan;
    g->pitch = cr[0x13] * 2u;
    g->count_shift = cr[0x14] & 0x20 ? 2 : cr[0x17] & 0x08 ? 1 : 0;
    g->preset = cr[0x08] & 0x1f;
    g->pan_reset = v->ar[0x10] & 0x20;
    unsigned pan = v->ar[0x13];
    if (g->dots == 9) {
        g->pan = pan >= 8 ? 0 : pan + 1; /* 8: none; 0: one dot */
    } else {
        g->pan = pan & 7;
    }
}

void vga_geometry(const struct vga *v, struct vga_geom *g)
{
    *g = (struct vga_geom){0};
    if (bochs_vbe_enabled(v)) {
        g->kind = VGA_VBE;
        g->width = v->dispi[DISPI_XRES]; /* in range: bochs_vbe_fixup() */
        g->height = v->dispi[DISPI_YRES];
    } else {
        vga_geometry_legacy(v, g);
    }
    /* while a mode is being set, keep the size of the last picture */
    if (!(v->ar_index & 0x20)) {
        g->kind = VGA_BLANK;
        g->width = v->screen.surface.width ? v->screen.surface.width : 640;
        g->height = v->screen.surface.height ? v->screen.surface.height : 480;
    } else if (v->seq[1] & 0x20) {
        g->kind = VGA_BLANK;
    }
}

void vga_line_source(const struct vga_geom *g, uint32_t y, struct vga_line *l)
{
    uint32_t line;
    l->split = y > g->line_compare;
    if (l->split) {
        line = (y - g->line_compare - 1) / g->scan_dup;
        l->base = g->pan_reset ? 0 : g->byte_pan;
        l->pan = g->pan_reset ? 0 : g->pan;
    } else {
        line = y / g->scan_dup + g->preset;
        l->base = g->start;
        l->pan = g->pan;
    }
    l->base += line / g->row_lines * g->pitch;
    l->ra = line % g->row_lines;
}

uint32_t vga_crtc_address(const struct vga *v, uint32_t counter, uint32_t ra)
{
    uint8_t mode = v->cr[0x17];
    uint32_t a = counter;
    if (!(v->cr[0x14] & 0x40) &&
        !(mode & 0x40)) { /* word mode; vga_mem.c says why not doubleword */
        a = counter << 1 | (counter >> (mode & 0x20 ? 15 : 13) & 1);
    }
    if (v->gr[6] & 1) { /* in text GRUB's firmware leaves both bits clear, and QEMU ignores them */
        if (!(mode & 1)) {
            a = (a & ~0x2000u) | (ra & 1) << 13;
        }
        if (!(mode & 2)) {
            a = (a & ~0x4000u) | (ra >> 1 & 1) << 14;
        }
    }
    return a & 0xffff;
}

/* --- colors --------------------------------------------------------------------------------- */

static uint32_t vga_dac_color(const struct vga *v, unsigned index)
{
    const uint8_t *d = &v->dac[(index & v->pel_mask) * 3];
    if (bochs_vbe_enabled(v) && v->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC) {
        return (uint32_t)d[0] << 16 | (uint32_t)d[1] << 8 | d[2];
    }
    uint32_t c = 0;
    for (unsigned i = 0; i < 3; i++) {
        uint32_t x = d[i] & 0x3f;
        c = c << 8 | x << 2 | x >> 4;
    }
    return c;
}

/* Blinking in graphics modes: pixels with bit 3 alternate between the two halves of the palette,
 * the others stay in the upper half.  GUESS: a plane that AR12 takes away counts as set, or mode
 * 0Fh's palette (pixel 4 is 18h in the lower half and 00h in the upper) would not blink. */
static bool vga_graphics_blinks(const struct vga *v)
{
    return (v->ar[0x10] & 9) == 9;
}

/* What the attribute controller looks up for a pixel. */
static unsigned vga_pixel_index(const struct vga *v, const struct vga_geom *g, unsigned pixel)
{
    unsigned enable = v->ar[0x12] & 15;
    if (g->kind == VGA_TEXT) { /* planes hold codes, not colors: GRUB's firmware enables none */
        return pixel;
    }
    if (!vga_graphics_blinks(v)) {
        return pixel & enable;
    }
    return (pixel & enable & 7) | ((pixel | ~enable) & 8 && vga_blink_off(v) ? 0 : 8);
}

static void vga_palettes(struct vga *v, const struct vga_geom *g)
{
    struct vga_screen *s = &v->screen;
    for (unsigned i = 0; i < 256; i++) {
        s->pal256[i] = vga_dac_color(v, i);
    }
    for (unsigned i = 0; i < 16; i++) {
        unsigned p = v->ar[vga_pixel_index(v, g, i)] & 0x3f;
        if (v->ar[0x10] & 0x80) {
            p = (p & 0x0f) | (v->ar[0x14] & 3u) << 4;
        }
        s->pal16[i] = s->pal256[p | (v->ar[0x14] & 0x0cu) << 4];
    }
}

/* --- lines ---------------------------------------------------------------------------------- */

/* One line of the new picture; widens the box by what differs. */
void vga_put_line(struct vga_screen *s, uint32_t y, const uint32_t *px)
{
    uint32_t w = s->surface.width, *old = s->pixels + (size_t)y * w;
    uint32_t x0 = 0, x1 = w;
    if (memcmp(old, px, (size_t)w * 4) == 0) {
        return;
    }
    while (old[x0] == px[x0]) {
        x0++;
    }
    while (old[x1 - 1] == px[x1 - 1]) {
        x1--;
    }
    memcpy(old + x0, px + x0, (size_t)(x1 - x0) * 4);
    if (s->box.w == 0) {
        s->box = (struct rect){(int32_t)x0, (int32_t)y, (int32_t)x1, (int32_t)y + 1};
        return;
    }
    s->box.x = (int32_t)x0 < s->box.x ? (int32_t)x0 : s->box.x;
    s->box.w = (int32_t)x1 > s->box.w ? (int32_t)x1 : s->box.w;
    s->box.h = (int32_t)y + 1; /* lines come in order */
}

bool vga_any_dirty(const struct vga *v, uint64_t off, uint64_t len)
{
    if (off + len > v->vram.size) { /* wraps: too rare to be clever */
        off = 0;
        len = v->vram.size;
    }
    for (uint64_t p = off >> PAGE_SHIFT; p <= (off + len - 1) >> PAGE_SHIFT; p++) {
        if (v->vram.flags[p] & RAM_DIRTY) {
            return true;
        }
    }
    return false;
}

/* Eight pixels of four planes each. */
static void vga_unpack_planar(const struct vga_screen *s, uint32_t d, uint32_t *out)
{
    for (unsigned k = 0; k < 8; k++) {
        unsigned sh = 7 - k;
        unsigned c = (d >> sh & 1) | (d >> (sh + 7) & 2) | (d >> (sh + 14) & 4) |
                     (d >> (sh + 21) & 8);
        out[k] = s->pal16[c];
    }
}

/* The shift registers interleaved: two-bit pixels, planes 0 and 2, then planes 1 and 3. */
static void vga_unpack_cga4(const struct vga_screen *s, uint32_t d, uint32_t *out)
{
    for (unsigned k = 0; k < 8; k++) {
        uint32_t half = k < 4 ? d : d >> 8;
        unsigned sh = 6 - (k & 3) * 2;
        out[k] = s->pal16[(half >> sh & 3) | (half >> (sh + 16) & 3) << 2];
    }
}

static uint32_t *vga_draw_graphics_line(struct vga *v, const struct vga_geom *g,
                                        const struct vga_line *l)
{
    struct vga_screen *s = &v->screen;
    uint32_t *out = s->line, pan = l->pan * g->dup;
    uint32_t chars = g->chars + (pan ? 1 : 0), unit[8];
    for (uint32_t i = 0; i < chars; i++) {
        uint32_t a = vga_crtc_address(v, l->base + (i >> g->count_shift), l->ra);
        uint32_t d = load_le32(v->vram.host + a * 4);
        if (g->kind == VGA_C256) { /* four pixels of two dots */
            for (unsigned k = 0; k < 4; k++) {
                unit[k * 2] = unit[k * 2 + 1] = s->pal256[d >> k * 8 & 0xff];
            }
        } else if (g->kind == VGA_CGA4) {
            vga_unpack_cga4(s, d, unit);
        } else {
            vga_unpack_planar(s, d, unit);
        }
        for (unsigned k = 0; k < 8; k++) {
            *out++ = unit[k];
            if (g->dup == 2) {
                *out++ = unit[k];
            }
        }
    }
    return s->line + (g->kind == VGA_C256 ? pan & ~1u : pan);
}

static void vga_draw_graphics(struct vga *v, const struct vga_geom *g)
{
    struct vga_line last = {.base = UINT32_MAX};
    uint32_t *px = NULL;
    for (uint32_t y = 0; y < g->height; y++) {
        struct vga_line l;
        vga_line_source(g, y, &l);
        bool again = px && l.base == last.base && l.split == last.split &&
                     (l.ra == last.ra || (v->cr[0x17] & 3) == 3);
        if (!again) { /* the row scan counter matters only where it replaces address bits */
            px = vga_draw_graphics_line(v, g, &l);
        }
        last = l;
        vga_put_line(&v->screen, y, px);
    }
}

static void vga_convert(struct vga_screen *s, unsigned bpp, const uint8_t *p, uint32_t w)
{
    uint32_t *out = s->line;
    switch (bpp) {
    case 8:
        for (uint32_t x = 0; x < w; x++) {
            out[x] = s->pal256[p[x]];
        }
        break;
    case 15:
        for (uint32_t x = 0; x < w; x++, p += 2) {
            uint32_t c = load_le16(p), r = c >> 10 & 31, g = c >> 5 & 31, b = c & 31;
            out[x] = (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
        }
        break;
    case 16:
        for (uint32_t x = 0; x < w; x++, p += 2) {
            uint32_t c = load_le16(p), r = c >> 11, g = c >> 5 & 63, b = c & 31;
            out[x] = (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
        }
        break;
    case 24:
        for (uint32_t x = 0; x < w; x++, p += 3) {
            out[x] = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
        }
        break;
    default:
        for (uint32_t x = 0; x < w; x++, p += 4) {
            out[x] = load_le32(p) & 0xffffff;
        }
    }
}

/* Bytes of linear memory; over its end they go on at the start, as address lines do. */
static const uint8_t *vga_linear(struct vga *v, uint64_t at, uint32_t len)
{
    at &= v->vram.size - 1;
    uint64_t room = v->vram.size - at;
    if (len <= room) {
        return v->vram.host + at;
    }
    memcpy(v->screen.wrapped, v->vram.host + at, room);
    memcpy(v->screen.wrapped + room, v->vram.host, len - room);
    return v->screen.wrapped;
}

/* Pixels of a big-endian guest, turned round in place. */
static uint8_t *vga_swap_line(struct vga *v, unsigned bytes, const uint8_t *p, uint32_t len)
{
    uint8_t *out = v->screen.swapped;
    for (uint32_t i = 0; i < len; i++) {
        uint32_t k = i % bytes;
        out[i - k + bytes - 1 - k] = p[i];
    }
    return out;
}

static void vga_draw_vbe(struct vga *v, const struct vga_geom *g, bool full)
{
    struct vga_screen *s = &v->screen;
    unsigned bpp = v->dispi[DISPI_BPP], bytes = (bpp + 7) / 8;
    uint32_t pitch = bochs_vbe_line_bytes(v), x0 = v->dispi[DISPI_X_OFFSET];
    for (uint32_t y = 0; y < g->height; y++) {
        uint64_t at = (uint64_t)(v->dispi[DISPI_Y_OFFSET] + y) * pitch;
        uint32_t len = bpp == 4 ? (g->width + 8) / 8 * 4 : g->width * bytes;
        at += bpp == 4 ? x0 / 8 * 4 : x0 * bytes;
        if (!full && !vga_any_dirty(v, at, len)) {
            continue;
        }
        const uint8_t *p = vga_linear(v, at, len);
        if (bpp == 4) {
            for (uint32_t i = 0; i < len; i += 4) {
                vga_unpack_planar(s, load_le32(p + i), s->line + i * 2);
            }
            vga_put_line(s, y, s->line + (x0 & 7));
        } else {
            if (v->big_endian && bytes > 1) {
                p = vga_swap_line(v, bytes, p, len);
            }
            vga_convert(s, bpp, p, g->width);
            vga_put_line(s, y, s->line);
        }
    }
}

/* --- the scan ------------------------------------------------------------------------------- */

static bool vga_visible_dirty(const struct vga *v, const struct vga_geom *g)
{
    if (g->kind == VGA_VBE) {
        uint32_t pitch = bochs_vbe_line_bytes(v);
        return vga_any_dirty(v, (uint64_t)v->dispi[DISPI_Y_OFFSET] * pitch,
                             (uint64_t)g->height * pitch);
    }
    return vga_any_dirty(v, 0, VGA_LEGACY_BYTES);
}

static bool vga_resize(struct vga_screen *s, const struct vga_geom *g)
{
    bool same = s->surface.width == g->width && s->surface.height == g->height &&
                s->geom.kind == g->kind;
    s->geom = *g;
    if (same) {
        return false;
    }
    s->surface.width = g->width;
    s->surface.height = g->height;
    s->surface.stride = g->width * 4;
    s->surface.generation++;
    memset(s->pixels, 0, (size_t)g->width * g->height * 4);
    return true;
}

const struct surface *vga_scan(void *card, struct rect *dirty)
{
    struct vga *v = card;
    struct vga_screen *s = &v->screen;
    struct vga_geom g;
    vga_geometry(v, &g);
    bool resized = vga_resize(s, &g), full = s->full || resized;
    uint64_t key = g.kind == VGA_TEXT ? vga_text_key(v) : 0;
    s->box = (struct rect){0};
    if (g.kind != VGA_TEXT && g.kind != VGA_C256 && vga_graphics_blinks(v)) {
        key = 1u + vga_blink_off(v);
        full |= key != s->cursor_key; /* other colors */
    }
    if (g.kind != VGA_BLANK &&
        (full || key != s->cursor_key || vga_visible_dirty(v, &g))) {
        if (full) {
            vga_palettes(v, &g);
        }
        if (g.kind == VGA_TEXT) {
            vga_draw_text(v, &g, full);
        } else if (g.kind == VGA_VBE) {
            vga_draw_vbe(v, &g, full);
        } else {
            vga_draw_graphics(v, &g);
        }
        if (vga_visible_dirty(v, &g)) {
            ram_clean(&v->vram);
        }
        s->cursor_key = key;
        s->full = false;
    }
    if (resized) {
        *dirty = (struct rect){0, 0, (int32_t)g.width, (int32_t)g.height};
    } else {
        *dirty = (struct rect){s->box.x, s->box.y, s->box.w - s->box.x, s->box.h - s->box.y};
    }
    return &s->surface;
}
