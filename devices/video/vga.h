/* IBM VGA with the Bochs VBE extensions ("standard VGA"): registers, 256 KB .. 32 MB of memory, the
 * picture.  Documents: IBM VGA/XGA Technical Reference Manual (1992), "VGA Function"; Bochs "VBE
 * Display API" (vbe_spec); Linux drivers/gpu/drm/tiny/bochs.c for BAR2.
 *
 * Wiring (the board does this after vga_init()):
 *   memory bus   v->legacy   base A0000h, priority 1 (over RAM at 0)
 *                v->lfb      REGION_RAM on v->vram; BAR0 of vga_pci, or any fixed place; priority 2
 *                v->mmio     4 KB; BAR2 of vga_pci; priority 2
 *   port bus     v->ports[0..2]  bases are preset (3B4h-3BAh, 3C0h-3CFh, 3D4h-3DAh); priority 1
 *                v->dispi_ports  base preset 1CEh; priority 1
 * vga_map_legacy() maps legacy, ports and dispi in one go.  Whoever caches writable pointers to
 * pages must ram_watch(&v->vram): the scan clears dirty bits with ram_clean(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/plugs/display.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/ram.h"

#define VGA_MAX_WIDTH 2560u  /* of a picture, pixels */
#define VGA_MAX_HEIGHT 1600u
#define VGA_VRAM_MIN (1u << 20)
#define VGA_VRAM_MAX (32u << 20)
#define VGA_VRAM_DEFAULT (16u << 20)
#define VGA_LEGACY_BYTES 0x40000u /* what the IBM registers reach: four planes of 64 KB */
#define VGA_LINE_SLACK 80u        /* a line buffer's room for panning and the last character */
#define VGA_MAX_CHARS 258u

enum dispi_index {
    DISPI_ID, DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_ENABLE, DISPI_BANK, DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT, DISPI_X_OFFSET, DISPI_Y_OFFSET, DISPI_VIDEO_MEMORY_64K, DISPI_REGS
};
enum { DISPI_ENABLED = 0x01, DISPI_GETCAPS = 0x02, DISPI_8BIT_DAC = 0x20, DISPI_LFB_ENABLED = 0x40,
       DISPI_NOCLEARMEM = 0x80 };

/* What the picture looks like, worked out from the registers at each scan. */
enum vga_kind { VGA_BLANK, VGA_TEXT, VGA_PLANAR, VGA_CGA4, VGA_C256, VGA_VBE };
struct vga_geom {
    enum vga_kind kind;
    uint32_t width, height;   /* pixels */
    uint32_t chars;           /* character clocks a line */
    uint32_t dots;            /* dots in one: 8 or 9 */
    uint32_t dup;             /* pixels a dot: 2 at half the dot clock */
    uint32_t scan_dup;        /* CR09 bit 7: each line twice */
    uint32_t row_lines;       /* scan lines of a row, 1..32 */
    uint32_t byte_pan;        /* CR08 bits 5-6, already in start */
    uint32_t start, pitch;    /* address counter: first, and step from row to row */
    uint32_t count_shift;     /* counter steps every 1, 2 or 4 character clocks */
    uint32_t line_compare;    /* the last line before the split */
    uint32_t preset;          /* CR08: first scan line of the top row */
    uint32_t pan;             /* AR13 in dots, already decoded */
    bool pan_reset;           /* AR10 bit 5: no panning below the split */
};
struct vga_line { /* where one scan line comes from */
    uint32_t base, ra, pan;
    bool split;
};

struct vga_screen { /* derived: not state, never saved */
    uint32_t *pixels; /* VGA_MAX_WIDTH * VGA_MAX_HEIGHT */
    struct surface surface;
    struct vga_geom geom;
    struct rect box;        /* what changed in this scan, as x0, y0, x1, y1 */
    bool full;              /* a register that shapes the picture changed: look at every line */
    uint64_t cursor_key;    /* cursor registers and blink phases of the last scan */
    uint32_t pal16[16], pal256[256];
    uint8_t font[2][256 * 32];
    uint64_t row_hash[VGA_MAX_HEIGHT];
    uint32_t line[VGA_MAX_WIDTH + 2 * VGA_LINE_SLACK];
    uint8_t wrapped[VGA_MAX_WIDTH * 4]; /* a line that runs over the end of memory */
    uint8_t swapped[VGA_MAX_WIDTH * 4]; /* a line of big-endian pixels */
};

struct vga {
    struct device dev;
    struct clock *clk;
    struct ram vram;            /* plane p, offset o: byte o * 4 + p */
    struct region legacy, lfb, mmio, ports[3], dispi_ports;
    struct display_source display;

    uint8_t misc, feature, vse; /* 3C2h, 3DAh, 3C3h */
    uint8_t seq_index, seq[8];
    uint8_t gr_index, gr[16];
    uint8_t ar_index, ar[32];   /* ar_index keeps bit 5 (PAS) */
    bool ar_flip_flop;          /* true: the next write to 3C0h is data */
    uint8_t cr_index, cr[32];
    uint32_t latch;             /* plane 0 in the low byte */
    uint8_t dac[768], dac_latch[3];
    uint8_t dac_read_index, dac_write_index, dac_sub, dac_state, pel_mask;
    uint16_t dispi_index, dispi[DISPI_REGS];
    bool big_endian;            /* BAR2's byte order of pixels */

    struct vga_screen screen;
};

bool vga_init(struct vga *v, const char *id, struct clock *clk, uint32_t vram_bytes,
              struct err *err) __attribute__((warn_unused_result));
bool vga_map_legacy(struct vga *v, struct bus *mem, struct bus *ports, struct err *err)
    __attribute__((warn_unused_result));

/* One byte at port 3B0h-3DFh; the regions and BAR2 come here. */
uint8_t vga_port_read(struct vga *v, uint16_t port);
void vga_port_write(struct vga *v, uint16_t port, uint8_t val);
/* The 128 KB window at A0000h (vga_mem.c). */
uint64_t vga_mem_read(void *dev, uint64_t off, unsigned size);
void vga_mem_write(void *dev, uint64_t off, uint64_t val, unsigned size);

/* bochs_vbe.c */
void bochs_vbe_reset(struct vga *v);
uint16_t bochs_vbe_read(struct vga *v, unsigned index);
void bochs_vbe_write(struct vga *v, unsigned index, uint16_t val);
/* Bring the registers in range; true if they already were. */
bool bochs_vbe_fixup(struct vga *v);
bool bochs_vbe_enabled(const struct vga *v);
uint32_t bochs_vbe_line_bytes(const struct vga *v); /* of linear memory */
extern const struct region_ops bochs_vbe_port_ops, bochs_vbe_mmio_ops;
void bochs_vbe_edid(uint8_t edid[128]);

/* vga_draw.c, vga_text.c */
void vga_geometry(const struct vga *v, struct vga_geom *g);
void vga_line_source(const struct vga_geom *g, uint32_t y, struct vga_line *l);
/* Address counter to plane offset, below 64 K. */
uint32_t vga_crtc_address(const struct vga *v, uint32_t counter, uint32_t ra);
const struct surface *vga_scan(void *card, struct rect *dirty);
void vga_put_line(struct vga_screen *s, uint32_t y, const uint32_t *px);
bool vga_any_dirty(const struct vga *v, uint64_t off, uint64_t len);
uint64_t vga_frame_ns(const struct vga *v);
bool vga_blink_off(const struct vga *v); /* the dark phase of blinking */
void vga_draw_text(struct vga *v, const struct vga_geom *g, bool full);
uint64_t vga_text_key(const struct vga *v);
bool vga_text(void *card, char *buf, uint32_t cap, uint32_t *cols, uint32_t *rows);
