/* VGA registers: miscellaneous, sequencer, graphics and attribute controllers, CRTC, DAC.
 * IBM VGA/XGA Technical Reference Manual (1992), "VGA Function", chapters on registers.
 *
 * NOT IMPLEMENTED: the vertical interrupt (no VGA of the PCI age drives IRQ 2), light pen, 3C3h as
 * a sleep switch and MISC bit 1, RAM enable (both stored only), the sequencer's resets (SR0), the
 * feature connector, border (overscan) pixels, status 1 bits 4-5 (diagnostic), 32 KB banks and
 * separate read and write banks of newer Bochs. */
#include "devices/video/vga.h"

#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "base/os.h"

/* Bits that exist; the others read as zero. */
static const uint8_t vga_seq_mask[8] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff};
static const uint8_t vga_gr_mask[16] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};
static const uint8_t vga_ar_mask[5] = {0xef, 0xff, 0x3f, 0x0f, 0x0f};

enum { ST1_DISPLAY_OFF = 0x01, ST1_VRETRACE = 0x08 };

/* --- time ---------------------------------------------------------------------------------- */

struct vga_timing {
    uint64_t frame_ns;
    uint32_t htotal, hde;           /* character clocks */
    uint32_t vtotal, vde, vrs, vre; /* lines */
};

static void vga_timing(const struct vga *v, struct vga_timing *t)
{
    const uint8_t *cr = v->cr;
    uint32_t dots = v->seq[1] & 1 ? 8 : 9;
    uint64_t hz = (v->misc >> 2 & 3) == 0 ? 25175000 : 28322000;
    t->htotal = cr[0x00] + 5u;
    t->hde = cr[0x01] + 1u;
    t->vtotal = (cr[0x06] | (cr[0x07] & 0x01u) << 8 | (cr[0x07] & 0x20u) << 4) + 2;
    t->vde = (cr[0x12] | (cr[0x07] & 0x02u) << 7 | (cr[0x07] & 0x40u) << 3) + 1;
    t->vrs = cr[0x10] | (cr[0x07] & 0x04u) << 6 | (cr[0x07] & 0x80u) << 2;
    /* Registers that make no picture must still give a retrace, or a polling guest never ends. */
    t->vtotal = t->vtotal < 8 ? 8 : t->vtotal;
    if (t->vrs + 2 > t->vtotal) {
        t->vrs = t->vtotal - 2;
    }
    t->vrs = t->vrs < 2 ? 2 : t->vrs;
    t->vre = t->vrs + (((cr[0x11] & 15u) - (t->vrs & 15u) - 1u) & 15u) + 1;
    t->vde = t->vde > t->vrs ? t->vrs : t->vde;
    if (cr[0x17] & 4) { /* the vertical counter steps every other line */
        t->vtotal *= 2;
        t->vde *= 2;
        t->vrs *= 2;
        t->vre *= 2;
    }
    if (v->seq[1] & 8) {
        dots *= 2;
    }
    t->frame_ns = (uint64_t)t->htotal * dots * t->vtotal * VTIME_SEC / hz;
}

uint64_t vga_frame_ns(const struct vga *v)
{
    struct vga_timing t;
    vga_timing(v, &t);
    return t.frame_ns;
}

static uint8_t vga_status1(const struct vga *v)
{
    struct vga_timing t;
    vga_timing(v, &t);
    uint64_t lines = (clock_now(v->clk) % t.frame_ns) * t.vtotal; /* in 1/frame_ns of a line */
    uint32_t line = (uint32_t)(lines / t.frame_ns);
    uint32_t chr = (uint32_t)((lines % t.frame_ns) * t.htotal / t.frame_ns);
    uint8_t st = 0;
    if (line >= t.vde || chr >= t.hde) {
        st |= ST1_DISPLAY_OFF;
    }
    if (line >= t.vrs && line < t.vre) {
        st |= ST1_VRETRACE | ST1_DISPLAY_OFF;
    }
    return st;
}

/* --- registers ----------------------------------------------------------------------------- */

/* Store a register that shapes the picture. */
static void vga_set(struct vga *v, uint8_t *reg, uint8_t val)
{
    if (*reg != val) {
        *reg = val;
        v->screen.full = true;
    }
}

static void vga_cr_write(struct vga *v, uint8_t val)
{
    uint8_t i = v->cr_index;
    if (i > 0x18) {
        return;
    }
    if (i <= 7 && v->cr[0x11] & 0x80) { /* protected, except the line compare bit */
        if (i == 7) {
            vga_set(v, &v->cr[7], (uint8_t)((v->cr[7] & ~0x10) | (val & 0x10)));
        }
        return;
    }
    switch (i) {
    case 0x0a: case 0x0b: case 0x0e: case 0x0f: /* the cursor: the scan looks at these itself */
        v->cr[i] = val;
        break;
    default:
        vga_set(v, &v->cr[i], val);
    }
}

static uint8_t vga_cr_read(const struct vga *v)
{
    switch (v->cr_index) {
    case 0x22: return (uint8_t)(v->latch >> (v->gr[4] & 3) * 8);
    case 0x24: return v->ar_flip_flop ? 0x80 : 0;
    default: return v->cr_index <= 0x18 ? v->cr[v->cr_index] : 0;
    }
}

static void vga_ar_write(struct vga *v, uint8_t val)
{
    if (!v->ar_flip_flop) {
        vga_set(v, &v->ar_index, val & 0x3f);
    } else {
        uint8_t i = v->ar_index & 0x1f;
        if (i < 16) {
            vga_set(v, &v->ar[i], val & 0x3f);
        } else if (i < 0x15) {
            vga_set(v, &v->ar[i], val & vga_ar_mask[i - 16]);
        }
    }
    v->ar_flip_flop = !v->ar_flip_flop;
}

static void vga_dac_write(struct vga *v, uint8_t val)
{
    if (!(bochs_vbe_enabled(v) && v->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC)) {
        val &= 0x3f;
    }
    v->dac_latch[v->dac_sub] = val;
    if (++v->dac_sub == 3) { /* an entry changes as a whole */
        uint8_t *d = &v->dac[v->dac_write_index * 3];
        if (memcmp(d, v->dac_latch, 3) != 0) {
            memcpy(d, v->dac_latch, 3);
            v->screen.full = true;
        }
        v->dac_sub = 0;
        v->dac_write_index++;
    }
}

static uint8_t vga_dac_read(struct vga *v)
{
    uint8_t val = v->dac[v->dac_read_index * 3 + v->dac_sub];
    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read_index++;
    }
    return val;
}

/* 3B4h-3BAh answer with MISC bit 0 clear, 3D4h-3DAh with it set. */
static bool vga_selected(const struct vga *v, uint16_t port)
{
    if (port >= 0x3c0 && port < 0x3d0) {
        return true;
    }
    return (port >= 0x3d0) == (v->misc & 1);
}

uint8_t vga_port_read(struct vga *v, uint16_t port)
{
    if (!vga_selected(v, port)) {
        return 0xff;
    }
    switch (port) {
    case 0x3c0: return v->ar_flip_flop ? 0 : v->ar_index;
    case 0x3c1: return (v->ar_index & 0x1f) < 0x15 ? v->ar[v->ar_index & 0x1f] : 0;
    case 0x3c2: return 0x10; /* switch sense: a color monitor is attached */
    case 0x3c3: return v->vse;
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->seq[v->seq_index & 7];
    case 0x3c6: return v->pel_mask;
    case 0x3c7: return v->dac_state;
    case 0x3c8: return v->dac_write_index;
    case 0x3c9: return vga_dac_read(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gr_index;
    case 0x3cf: return v->gr[v->gr_index & 15];
    case 0x3b4: case 0x3d4: return v->cr_index;
    case 0x3b5: case 0x3d5: return vga_cr_read(v);
    case 0x3ba: case 0x3da:
        v->ar_flip_flop = false;
        return vga_status1(v);
    default: return 0xff;
    }
}

void vga_port_write(struct vga *v, uint16_t port, uint8_t val)
{
    if (!vga_selected(v, port)) {
        return;
    }
    switch (port) {
    case 0x3c0: case 0x3c1: vga_ar_write(v, val); break;
    case 0x3c2: vga_set(v, &v->misc, val & 0xef); break;
    case 0x3c3: v->vse = val & 1; break;
    case 0x3c4: v->seq_index = val & 7; break;
    case 0x3c5: vga_set(v, &v->seq[v->seq_index], val & vga_seq_mask[v->seq_index]); break;
    case 0x3c6: vga_set(v, &v->pel_mask, val); break;
    case 0x3c7:
        v->dac_read_index = val;
        v->dac_sub = 0;
        v->dac_state = 3;
        break;
    case 0x3c8:
        v->dac_write_index = val;
        v->dac_sub = 0;
        v->dac_state = 0;
        break;
    case 0x3c9: vga_dac_write(v, val); break;
    case 0x3ce: v->gr_index = val & 15; break;
    case 0x3cf: vga_set(v, &v->gr[v->gr_index], val & vga_gr_mask[v->gr_index]); break;
    case 0x3b4: case 0x3d4: v->cr_index = val & 0x3f; break;
    case 0x3b5: case 0x3d5: vga_cr_write(v, val); break;
    case 0x3ba: case 0x3da: v->feature = val & 3; break;
    default: break;
    }
}

/* Three ranges of ports, because 3BCh-3BFh between them belong to a printer. */
#define VGA_PORT_RANGE(name, first)                                                \
    static uint64_t vga_##name##_read(void *dev, uint64_t off, unsigned size)      \
    {                                                                              \
        (void)size;                                                                \
        return vga_port_read(dev, (uint16_t)((first) + off));                      \
    }                                                                              \
    static void vga_##name##_write(void *dev, uint64_t off, uint64_t val, unsigned size) \
    {                                                                              \
        (void)size;                                                                \
        vga_port_write(dev, (uint16_t)((first) + off), (uint8_t)val);              \
    }                                                                              \
    static const struct region_ops vga_##name##_ops = {vga_##name##_read, vga_##name##_write, 1, 1};
VGA_PORT_RANGE(mono, 0x3b4)
VGA_PORT_RANGE(main, 0x3c0)
VGA_PORT_RANGE(color, 0x3d4)
static const struct region_ops vga_mem_ops = {vga_mem_read, vga_mem_write, 1, 8};

/* --- device -------------------------------------------------------------------------------- */

static void vga_reset(struct device *dev, enum reset_kind kind)
{
    struct vga *v = device_of(dev, struct vga);
    static const uint8_t zero[PAGE_SIZE];
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    v->misc = v->feature = v->vse = 0;
    v->seq_index = v->gr_index = v->ar_index = v->cr_index = 0;
    memset(v->seq, 0, sizeof v->seq);
    memset(v->gr, 0, sizeof v->gr);
    memset(v->ar, 0, sizeof v->ar);
    memset(v->cr, 0, sizeof v->cr);
    memset(v->dac, 0, sizeof v->dac);
    memset(v->dac_latch, 0, sizeof v->dac_latch);
    v->ar_flip_flop = false;
    v->latch = 0;
    v->dac_read_index = v->dac_write_index = v->dac_sub = v->dac_state = 0;
    v->pel_mask = 0xff;
    bochs_vbe_reset(v);
    for (uint64_t off = 0; off < v->vram.size; off += PAGE_SIZE) {
        if (memcmp(v->vram.host + off, zero, PAGE_SIZE) != 0) {
            ram_store(&v->vram, off, zero, PAGE_SIZE);
        }
    }
    v->screen.full = true;
}

/* Page by page, so that a memory hardly used makes a small file.  By contents, never by dirty
 * bits: those depend on when somebody looked at the screen. */
static void vga_snap_vram(struct vga *v, struct snap *s)
{
    static const uint8_t zero[PAGE_SIZE];
    uint8_t page[PAGE_SIZE];
    for (uint64_t off = 0; off < v->vram.size && !s->failed; off += PAGE_SIZE) {
        uint8_t *host = v->vram.host + off;
        bool was_used = memcmp(host, zero, PAGE_SIZE) != 0, used = was_used;
        snap_bool(s, "vram.used", &used);
        if (!snap_loading(s)) {
            if (used) {
                snap_bytes(s, "vram", host, PAGE_SIZE);
            }
        } else if (used) {
            snap_bytes(s, "vram", page, PAGE_SIZE);
            if (!s->failed) {
                ram_store(&v->vram, off, page, PAGE_SIZE);
            }
        } else if (was_used && !s->failed) {
            ram_store(&v->vram, off, zero, PAGE_SIZE);
        }
    }
}

static void vga_snap(struct device *dev, struct snap *s)
{
    struct vga *v = device_of(dev, struct vga);
    uint32_t size = (uint32_t)v->vram.size;
    snap_u32(s, "vram_bytes", &size);
    if (size != v->vram.size) {
        snap_fail(s, "another amount of video memory");
        return;
    }
    snap_u8(s, "misc", &v->misc);
    snap_u8(s, "feature", &v->feature);
    snap_u8(s, "vse", &v->vse);
    snap_u8(s, "seq_index", &v->seq_index);
    snap_bytes(s, "seq", v->seq, sizeof v->seq);
    snap_u8(s, "gr_index", &v->gr_index);
    snap_bytes(s, "gr", v->gr, sizeof v->gr);
    snap_u8(s, "ar_index", &v->ar_index);
    snap_bytes(s, "ar", v->ar, sizeof v->ar);
    snap_bool(s, "ar_flip_flop", &v->ar_flip_flop);
    snap_u8(s, "cr_index", &v->cr_index);
    snap_bytes(s, "cr", v->cr, sizeof v->cr);
    snap_u32(s, "latch", &v->latch);
    snap_bytes(s, "dac", v->dac, sizeof v->dac);
    snap_bytes(s, "dac_latch", v->dac_latch, sizeof v->dac_latch);
    snap_u8(s, "dac_read_index", &v->dac_read_index);
    snap_u8(s, "dac_write_index", &v->dac_write_index);
    snap_u8(s, "dac_sub", &v->dac_sub);
    snap_u8(s, "dac_state", &v->dac_state);
    snap_u8(s, "pel_mask", &v->pel_mask);
    snap_u16(s, "dispi_index", &v->dispi_index);
    for (unsigned i = 0; i < DISPI_REGS; i++) {
        snap_u16(s, "dispi", &v->dispi[i]);
    }
    snap_bool(s, "big_endian", &v->big_endian);
    if (snap_loading(s)) {
        bool sane = v->dac_sub < 3 && v->seq_index < 8 && v->gr_index < 16;
        v->dac_sub = v->dac_sub < 3 ? v->dac_sub : 0;
        v->seq_index &= 7;
        v->gr_index &= 15;
        if (!bochs_vbe_fixup(v) || !sane) {
            snap_fail(s, "VGA registers out of range");
        }
        v->screen.full = true;
    }
    if (s->mode != SNAP_PRINT) {
        vga_snap_vram(v, s);
    }
}

static void vga_destroy(struct device *dev)
{
    struct vga *v = device_of(dev, struct vga);
    ram_fini(&v->vram);
    if (v->screen.pixels) {
        os_pages_free(v->screen.pixels, (size_t)VGA_MAX_WIDTH * VGA_MAX_HEIGHT * 4);
        v->screen.pixels = NULL;
    }
}

static const struct device_class vga_class = {
    .name = "vga", .snap_version = 1, .reset = vga_reset, .snap = vga_snap, .destroy = vga_destroy,
};

bool vga_init(struct vga *v, const char *id, struct clock *clk, uint32_t vram_bytes,
              struct err *err)
{
    *v = (struct vga){.dev = {&vga_class, id}, .clk = clk};
    if (vram_bytes < VGA_VRAM_MIN || vram_bytes > VGA_VRAM_MAX ||
        (vram_bytes & (vram_bytes - 1)) != 0) {
        return err_set(err, EINVAL, "%s: video memory must be 1, 2, 4, 8, 16 or 32 MB", id);
    }
    if (!ram_init(&v->vram, vram_bytes, err)) {
        return false;
    }
    v->screen.pixels = os_pages_alloc((size_t)VGA_MAX_WIDTH * VGA_MAX_HEIGHT * 4);
    if (!v->screen.pixels) {
        ram_fini(&v->vram);
        return err_set(err, ENOMEM, "%s: the host has no memory for a picture", id);
    }
    v->screen.surface.pixels = v->screen.pixels;
    v->legacy = (struct region){.name = "vga.legacy", .base = 0xa0000, .len = 0x20000,
                                .priority = 1, .ops = &vga_mem_ops, .dev = v};
    v->lfb = (struct region){.name = "vga.lfb", .kind = REGION_RAM, .len = vram_bytes,
                             .priority = 2, .ram = &v->vram};
    v->mmio = (struct region){.name = "vga.mmio", .len = 0x1000, .priority = 2,
                              .ops = &bochs_vbe_mmio_ops, .dev = v};
    v->ports[0] = (struct region){.name = "vga.mono", .base = 0x3b4, .len = 7, .priority = 1,
                                  .ops = &vga_mono_ops, .dev = v};
    v->ports[1] = (struct region){.name = "vga.ports", .base = 0x3c0, .len = 16, .priority = 1,
                                  .ops = &vga_main_ops, .dev = v};
    v->ports[2] = (struct region){.name = "vga.color", .base = 0x3d4, .len = 7, .priority = 1,
                                  .ops = &vga_color_ops, .dev = v};
    v->dispi_ports = (struct region){.name = "vga.dispi", .base = 0x1ce, .len = 4, .priority = 1,
                                     .ops = &bochs_vbe_port_ops, .dev = v};
    v->display = (struct display_source){.scan = vga_scan, .text = vga_text, .card = v};
    vga_reset(&v->dev, RESET_POWER_ON);
    return true;
}

bool vga_map_legacy(struct vga *v, struct bus *mem, struct bus *ports, struct err *err)
{
    return bus_map(mem, &v->legacy, err) && bus_map(ports, &v->ports[0], err) &&
           bus_map(ports, &v->ports[1], err) && bus_map(ports, &v->ports[2], err) &&
           bus_map(ports, &v->dispi_ports, err);
}
