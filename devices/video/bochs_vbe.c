/* Bochs VBE display interface: ports 1CEh (index) and 1CFh or 1D0h (data), and the 4 KB of memory
 * mapped registers that are BAR2 of the PCI card.  Bochs "VBE Display API", interface B0C5h; BAR2
 * as Linux drivers/gpu/drm/tiny/bochs.c uses it:
 *
 *   000h  EDID, 128 bytes           400h  ports 3C0h-3DFh, one byte each
 *   500h  DISPI registers, words    600h  size of this block (8); 604h byte order of pixels,
 *                                   1E1E1E1Eh little or BEBEBEBEh big (QEMU, "QEMU Standard VGA")
 *
 * NOT IMPLEMENTED: DDC by index 0Bh, bank flags of newer Bochs. */
#include <string.h>

#include "base/bits.h"
#include "devices/video/vga.h"

#define DISPI_LITTLE_ENDIAN 0x1e1e1e1eu
#define DISPI_BIG_ENDIAN 0xbebebebeu

bool bochs_vbe_enabled(const struct vga *v)
{
    return v->dispi[DISPI_ENABLE] & DISPI_ENABLED;
}

uint32_t bochs_vbe_line_bytes(const struct vga *v)
{
    uint32_t w = v->dispi[DISPI_VIRT_WIDTH];
    switch (v->dispi[DISPI_BPP]) {
    case 4: return w / 8 * 4;
    case 8: return w;
    case 15: case 16: return w * 2;
    case 24: return w * 3;
    default: return w * 4;
    }
}

static void bochs_vbe_clamp(uint16_t *reg, uint32_t lo, uint32_t hi, bool *same)
{
    uint16_t val = (uint16_t)(*reg < lo ? lo : *reg > hi ? hi : *reg);
    *same &= val == *reg;
    *reg = val;
}

/* Every picture that these registers describe lies within video memory and the largest surface. */
bool bochs_vbe_fixup(struct vga *v)
{
    uint16_t *d = v->dispi;
    bool same = true;
    if (!bochs_vbe_enabled(v)) {
        return true;
    }
    switch (d[DISPI_BPP]) {
    case 4: case 8: case 15: case 16: case 24: case 32: break;
    default:
        d[DISPI_BPP] = 8;
        same = false;
    }
    same &= (d[DISPI_XRES] & 7) == 0;
    d[DISPI_XRES] &= 0xfff8;
    bochs_vbe_clamp(&d[DISPI_XRES], 8, VGA_MAX_WIDTH, &same);
    if (d[DISPI_BPP] == 4) {
        same &= (d[DISPI_VIRT_WIDTH] & 7) == 0;
        d[DISPI_VIRT_WIDTH] &= 0xfff8;
    }
    bochs_vbe_clamp(&d[DISPI_VIRT_WIDTH], d[DISPI_XRES], 0xffff, &same);
    /* at least 4 bytes and at most 256 KB, memory is 1 MB or more: lines is 4 or more */
    uint32_t lines = (uint32_t)v->vram.size / bochs_vbe_line_bytes(v);
    lines = lines > 0xffff ? 0xffff : lines;
    bochs_vbe_clamp(&d[DISPI_YRES], 1, lines < VGA_MAX_HEIGHT ? lines : VGA_MAX_HEIGHT, &same);
    bochs_vbe_clamp(&d[DISPI_VIRT_HEIGHT], lines, lines, &same);
    bochs_vbe_clamp(&d[DISPI_X_OFFSET], 0, d[DISPI_VIRT_WIDTH] - d[DISPI_XRES], &same);
    bochs_vbe_clamp(&d[DISPI_Y_OFFSET], 0, lines - d[DISPI_YRES], &same);
    return same;
}

/* The VGA registers that a mode implies, so that the window at A0000h shows the frame buffer. */
static void bochs_vbe_set_vga(struct vga *v)
{
    uint32_t vde = v->dispi[DISPI_YRES] - 1u;
    v->gr[1] = v->gr[3] = 0;
    v->gr[6] = (uint8_t)((v->gr[6] & ~0x0c) | 0x05);
    v->gr[8] = 0xff;
    v->cr[0x17] |= 3;
    v->cr[0x13] = (uint8_t)(bochs_vbe_line_bytes(v) >> 3);
    v->cr[0x01] = (uint8_t)((v->dispi[DISPI_XRES] >> 3) - 1);
    v->cr[0x12] = (uint8_t)vde;
    v->cr[0x07] = (uint8_t)((v->cr[0x07] & ~0x42) | (vde >> 7 & 0x02) | (vde >> 3 & 0x40) | 0x10);
    v->cr[0x09] = (uint8_t)((v->cr[0x09] & ~0x9f) | 0x40);
    v->cr[0x18] = 0xff;
    if (v->dispi[DISPI_BPP] == 4) {
        v->seq[1] &= 0xf7;
        v->seq[4] = (uint8_t)((v->seq[4] & ~0x08) | 0x06);
        v->gr[5] &= 0x08;
        v->gr[6] &= 0xfd;
    } else {
        v->seq[4] |= 0x0e;
        v->seq[2] |= 0x0f;
        v->gr[5] = (uint8_t)((v->gr[5] & 0x08) | 0x40);
    }
}

static void bochs_vbe_set_enable(struct vga *v, uint16_t val)
{
    bool was = bochs_vbe_enabled(v);
    v->dispi[DISPI_ENABLE] = val & 0xff;
    if (!bochs_vbe_enabled(v)) {
        v->dispi[DISPI_BANK] = 0;
        return;
    }
    if (was) {
        return;
    }
    v->dispi[DISPI_VIRT_WIDTH] = 0;
    v->dispi[DISPI_X_OFFSET] = v->dispi[DISPI_Y_OFFSET] = 0;
    bochs_vbe_fixup(v);
    bochs_vbe_set_vga(v);
    if (!(val & DISPI_NOCLEARMEM)) {
        uint64_t len = (uint64_t)bochs_vbe_line_bytes(v) * v->dispi[DISPI_YRES];
        memset(v->vram.host, 0, len); /* fixup: no more than there is */
        ram_wrote(&v->vram, 0, len);
    }
}

uint16_t bochs_vbe_read(struct vga *v, unsigned index)
{
    if (v->dispi[DISPI_ENABLE] & DISPI_GETCAPS) {
        switch (index) {
        case DISPI_XRES: return VGA_MAX_WIDTH;
        case DISPI_YRES: return VGA_MAX_HEIGHT;
        case DISPI_BPP: return 32;
        default: break;
        }
    }
    return index < DISPI_REGS ? v->dispi[index] : 0;
}

void bochs_vbe_write(struct vga *v, unsigned index, uint16_t val)
{
    switch (index) {
    case DISPI_ID:
        if (val >= 0xb0c0 && val <= 0xb0c5) {
            v->dispi[DISPI_ID] = val;
        }
        return;
    case DISPI_BANK: v->dispi[DISPI_BANK] = (uint16_t)(val & ((v->vram.size >> 16) - 1)); return;
    case DISPI_ENABLE: bochs_vbe_set_enable(v, val); break;
    case DISPI_XRES: case DISPI_YRES: case DISPI_BPP:
        v->dispi[index] = val;
        if (bochs_vbe_enabled(v)) {
            bochs_vbe_fixup(v);
            bochs_vbe_set_vga(v);
        }
        break;
    case DISPI_VIRT_WIDTH: case DISPI_X_OFFSET: case DISPI_Y_OFFSET:
        v->dispi[index] = val;
        bochs_vbe_fixup(v);
        break;
    default: return; /* VIRT_HEIGHT follows from memory and width */
    }
    v->screen.full = true;
}

void bochs_vbe_reset(struct vga *v)
{
    memset(v->dispi, 0, sizeof v->dispi);
    v->dispi_index = 0;
    v->big_endian = false;
    v->dispi[DISPI_ID] = 0xb0c5;
    v->dispi[DISPI_VIDEO_MEMORY_64K] = (uint16_t)(v->vram.size >> 16);
}

/* --- ports: word registers one byte apart --------------------------------------------------- */

static uint64_t bochs_vbe_port_read(void *dev, uint64_t off, unsigned size)
{
    struct vga *v = dev;
    (void)size;
    return off == 0 ? v->dispi_index : bochs_vbe_read(v, v->dispi_index);
}

static void bochs_vbe_port_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *v = dev;
    (void)size;
    if (off == 0) {
        v->dispi_index = (uint16_t)val;
    } else if (off < 3) {
        bochs_vbe_write(v, v->dispi_index, (uint16_t)val);
    }
}

const struct region_ops bochs_vbe_port_ops = {bochs_vbe_port_read, bochs_vbe_port_write, 1, 2};

/* --- BAR2 ----------------------------------------------------------------------------------- */

static void bochs_vbe_descriptor(uint8_t *d, uint8_t tag, const char *text)
{
    size_t n = strlen(text);
    memset(d, 0, 5);
    d[3] = tag;
    memset(d + 5, ' ', 13);
    memcpy(d + 5, text, n < 13 ? n : 13);
    if (n < 13) {
        d[5 + n] = '\n';
    }
}

/* VESA E-EDID 1.4: a digital monitor named Vitrine that prefers 1024x768 at 60 Hz. */
void bochs_vbe_edid(uint8_t edid[128])
{
    static const uint8_t head[54] = {
        0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x59, 0x34, 0x01, 0x00, 0x01, 0x00,
        0x00, 0x00,                   /* maker "VIT" (5 bits a letter), product 1 */
        0x00, 0x24, 0x01, 0x04,       /* 2026, EDID 1.4 */
        0xa5, 0x28, 0x1e, 0x78, 0x06, /* digital 8 bits, 40x30 cm, gamma 2.2, sRGB */
        0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, 0x21, 0x08, 0x00, /* 640x480
                                                                                         800x600
                                                                                         1024x768 at
                                                                                         60 */
        0x81, 0xc0, 0x81, 0x80, 0x95, 0x00, 0xa9, 0x40, /* 1280x720 1280x1024 1440x900 1600x1200 */
        0xb3, 0x00, 0xd1, 0xc0, 0xd1, 0x00, 0xe1, 0x00, /* 1680x1050 1920x1080 1920x1200 2048x1280
                                                         */
    };
    static const uint8_t preferred[18] = {
        /* 65.00 MHz, 1024 + 320, 768 + 38, sync +24 136, +3 6, 400 x 300 mm, both negative */
        0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00,
        0x90, 0x2c, 0x11, 0x00, 0x00, 0x18};
    static const uint8_t limits[18] = {
        /* 50-75 Hz vertical, 30-160 kHz horizontal, 300 MHz */
        0x00, 0x00, 0x00, 0xfd, 0x00, 50, 75, 30, 160, 30, 0x01, 0x0a,
        0x20, 0x20, 0x20, 0x20, 0x20, 0x20};
    unsigned sum = 0;
    memset(edid, 0, 128);
    memcpy(edid, head, sizeof head);
    memcpy(edid + 54, preferred, 18);
    memcpy(edid + 72, limits, 18);
    bochs_vbe_descriptor(edid + 90, 0xfc, "Vitrine");
    bochs_vbe_descriptor(edid + 108, 0xff, "0001");
    for (unsigned i = 0; i < 127; i++) {
        sum += edid[i];
    }
    edid[127] = (uint8_t)-sum;
}

static uint8_t bochs_vbe_mmio_read8(struct vga *v, uint64_t off)
{
    if (off < 0x80) {
        uint8_t edid[128];
        bochs_vbe_edid(edid);
        return edid[off];
    }
    if (off >= 0x400 && off < 0x420) {
        return vga_port_read(v, (uint16_t)(0x3c0 + (off - 0x400)));
    }
    if (off >= 0x500 && off < 0x500 + DISPI_REGS * 2) {
        return (uint8_t)(bochs_vbe_read(v, (unsigned)(off - 0x500) >> 1) >> (off & 1) * 8);
    }
    if (off >= 0x600 && off < 0x604) {
        return off == 0x600 ? 8 : 0;
    }
    if (off >= 0x604 && off < 0x608) {
        return (v->big_endian ? DISPI_BIG_ENDIAN : DISPI_LITTLE_ENDIAN) & 0xff;
    }
    return 0xff;
}

static uint64_t bochs_vbe_mmio_read(void *dev, uint64_t off, unsigned size)
{
    uint64_t val = 0;
    for (unsigned i = 0; i < size; i++) {
        val |= (uint64_t)bochs_vbe_mmio_read8(dev, off + i) << i * 8;
    }
    return val;
}

static void bochs_vbe_mmio_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *v = dev;
    if (off == 0x604 && size == 4) {
        if (val == DISPI_BIG_ENDIAN || val == DISPI_LITTLE_ENDIAN) {
            v->big_endian = val == DISPI_BIG_ENDIAN;
            v->screen.full = true;
        }
        return;
    }
    for (unsigned i = 0; i < size;) {
        uint64_t at = off + i;
        if (at >= 0x400 && at < 0x420) {
            vga_port_write(v, (uint16_t)(0x3c0 + (at - 0x400)), (uint8_t)(val >> i * 8));
        } else if (at >= 0x500 && at < 0x500 + DISPI_REGS * 2) {
            unsigned index = (unsigned)(at - 0x500) >> 1;
            if (!(at & 1) && i + 1 < size) {
                bochs_vbe_write(v, index, (uint16_t)(val >> i * 8));
                i++;
            } else { /* half a register */
                unsigned sh = (unsigned)(at & 1) * 8;
                uint16_t old = v->dispi[index];
                bochs_vbe_write(v, index, (uint16_t)((old & ~(0xffu << sh)) |
                                                     (val >> i * 8 & 0xff) << sh));
            }
        }
        i++;
    }
}

const struct region_ops bochs_vbe_mmio_ops = {bochs_vbe_mmio_read, bochs_vbe_mmio_write, 1, 4};
