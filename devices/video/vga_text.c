/* Text modes: characters, attributes, fonts from plane 2, the cursor; and the text as text.
 * IBM VGA/XGA Technical Reference Manual, "Alphanumeric Modes", "Character Map Select Register".
 *
 * A row is drawn again when its cells, its cursor or its blink phase changed; a changed font draws
 * all.  Blinking follows virtual time: the cursor 8 frames on, 8 off, characters 16 and 16. */
#include <string.h>

#include "base/bits.h"
#include "base/snap.h"
#include "devices/video/vga.h"

struct vga_cursor {
    bool on;         /* enabled, and in the lit phase */
    uint32_t at;     /* address counter */
    uint32_t first, last;
};

/* Frames so far.  Registers that no monitor could follow (GRUB's firmware leaves the totals 0)
 * blink at a monitor's pace all the same. */
static uint64_t vga_text_frame(const struct vga *v)
{
    uint64_t ns = vga_frame_ns(v);
    return clock_now(v->clk) / (ns < VTIME_SEC / 200 ? VTIME_SEC / 60 : ns);
}

bool vga_blink_off(const struct vga *v)
{
    return (v->ar[0x10] & 8) && (vga_text_frame(v) & 16);
}

static void vga_cursor(const struct vga *v, struct vga_cursor *c)
{
    const uint8_t *cr = v->cr;
    c->at = cr[0x0e] * 256u + cr[0x0f] + (cr[0x0b] >> 5 & 3);
    c->first = cr[0x0a] & 31;
    c->last = cr[0x0b] & 31;
    c->on = !(cr[0x0a] & 0x20) && c->first <= c->last && !(vga_text_frame(v) & 8);
}

/* All that changes a text picture without a register in vga_set() or a byte of memory. */
uint64_t vga_text_key(const struct vga *v)
{
    struct vga_cursor c;
    vga_cursor(v, &c);
    return (uint64_t)c.on << 63 | (uint64_t)vga_blink_off(v) << 62 | (uint64_t)c.at << 16 |
           c.first << 8 | c.last;
}

/* The two character maps chosen by SR3, where SR4 bit 1 gives the memory for more than the first;
 * true if a dot changed. */
static bool vga_fonts(struct vga *v)
{
    uint8_t sr3 = v->seq[4] & 2 ? v->seq[3] : 0;
    unsigned map[2] = {(sr3 & 3u) | (sr3 >> 2 & 4u), (sr3 >> 2 & 3u) | (sr3 >> 3 & 4u)};
    bool changed = false;
    for (unsigned f = 0; f < 2; f++) {
        const uint8_t *plane2 =
            v->vram.host + 2 + ((map[f] & 3) * 0x4000 + (map[f] >> 2) * 0x2000) * 4;
        uint8_t *font = v->screen.font[f];
        for (unsigned i = 0; i < 256 * 32; i++) {
            changed |= font[i] != plane2[i * 4];
            font[i] = plane2[i * 4];
        }
    }
    return changed;
}

static uint32_t vga_text_cell(const struct vga *v, uint32_t counter)
{
    return load_le32(v->vram.host + vga_crtc_address(v, counter, 0) * 4) & 0xffff;
}

static void vga_draw_text_line(struct vga *v, const struct vga_geom *g, const uint16_t *cells,
                               const struct vga_line *l, const struct vga_cursor *cur)
{
    struct vga_screen *s = &v->screen;
    bool blink = v->ar[0x10] & 8, hide = vga_blink_off(v);
    bool ninth = v->ar[0x10] & 4;
    bool cursor_line = cur->on && l->ra >= cur->first && l->ra <= cur->last;
    uint32_t *out = s->line, n = g->chars + (l->pan ? 1 : 0);
    for (uint32_t i = 0; i < n; i++) {
        unsigned ch = cells[i] & 0xff, attr = cells[i] >> 8;
        unsigned fg = attr & 15, bg = blink ? attr >> 4 & 7 : attr >> 4;
        unsigned bits = s->font[attr >> 3 & 1][ch * 32 + l->ra] << 1;
        if (ninth && ch >= 0xc0 && ch <= 0xdf) {
            bits |= bits >> 1 & 1;
        }
        if ((attr & 7) == 1 && l->ra == (v->cr[0x14] & 0x1fu)) {
            bits = 0x1ff;
        }
        if (blink && hide && attr & 0x80) { /* with its underline */
            bits = 0;
        }
        if (cursor_line && ((l->base + (i >> g->count_shift)) & 0xffff) == (cur->at & 0xffff)) {
            bits = 0x1ff;
        }
        uint32_t color[2] = {s->pal16[bg], s->pal16[fg]};
        for (unsigned k = 0; k < g->dots; k++) {
            uint32_t px = color[bits >> (8 - k) & 1];
            *out++ = px;
            if (g->dup == 2) {
                *out++ = px;
            }
        }
    }
}

void vga_draw_text(struct vga *v, const struct vga_geom *g, bool full)
{
    struct vga_screen *s = &v->screen;
    struct vga_line last = {.base = UINT32_MAX};
    struct vga_cursor cur;
    uint16_t cells[VGA_MAX_CHARS];
    bool row_changed = false, hide = vga_blink_off(v);
    vga_cursor(v, &cur);
    if (vga_fonts(v)) {
        full = true;
    }
    for (uint32_t y = 0; y < g->height; y++) {
        struct vga_line l;
        vga_line_source(g, y, &l);
        if (y == 0 || l.base != last.base || l.split != last.split) {
            uint64_t extra = 0;
            for (uint32_t i = 0; i <= g->chars; i++) {
                uint32_t at = l.base + (i >> g->count_shift);
                cells[i] = (uint16_t)vga_text_cell(v, at);
                if (cur.on && (at & 0xffff) == (cur.at & 0xffff)) {
                    extra |= (uint64_t)(i + 1) << 32 | cur.first << 8 | cur.last;
                }
            }
            uint64_t h = snap_hash_bytes(extra << 1 | hide, cells, (g->chars + 1) * 2);
            row_changed = full || h != s->row_hash[y];
            s->row_hash[y] = h;
        }
        last = l;
        if (row_changed) {
            vga_draw_text_line(v, g, cells, &l, &cur);
            vga_put_line(s, y, s->line + l.pan * g->dup);
        }
    }
}

bool vga_text(void *card, char *buf, uint32_t cap, uint32_t *cols, uint32_t *rows)
{
    struct vga *v = card;
    struct vga_geom g;
    if (bochs_vbe_enabled(v) || !(v->ar_index & 0x20) || v->gr[6] & 1) {
        return false;
    }
    vga_geometry(v, &g);
    uint32_t high = g.row_lines * g.scan_dup, n = g.height / high;
    *cols = g.chars;
    *rows = n;
    if (n == 0 || (uint64_t)g.chars * n > cap) {
        return false;
    }
    for (uint32_t r = 0; r < n; r++) {
        struct vga_line l;
        vga_line_source(&g, r * high, &l);
        for (uint32_t c = 0; c < g.chars; c++) {
            *buf++ = (char)vga_text_cell(v, l.base + (c >> g.count_shift));
        }
    }
    return true;
}
