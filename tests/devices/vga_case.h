/* The VGA on the bench, for its tests and its fuzz target. */
#pragma once
#include <stdlib.h>

#include "base/bits.h"
#include "devices/video/vga.h"
#include "tests/common/contract.h"

enum { VGA_R_MAIN, VGA_R_MEM, VGA_R_MMIO, VGA_R_DISPI, VGA_R_COLOR, VGA_R_MONO, VGA_R_LFB };

static inline void vga_case_make(struct rig *r)
{
    struct vga *v = malloc(sizeof *v);
    struct err err = {0};
    if (!v || !vga_init(v, "vga", &r->clk, VGA_VRAM_MIN, &err)) {
        abort();
    }
    rig_add_region(r, &v->ports[1]);
    rig_add_region(r, &v->legacy);
    rig_add_region(r, &v->mmio);
    rig_add_region(r, &v->dispi_ports);
    rig_add_region(r, &v->ports[2]);
    rig_add_region(r, &v->ports[0]);
    rig_add_region(r, &v->lfb);
    rig_add_device(r, &v->dev);
    r->priv = v;
}

static inline void vga_case_unmake(struct rig *r)
{
    free(r->priv);
}

/* A frontend looks; what it sees must lie within the surface. */
static inline void vga_case_look(struct rig *r, uint32_t n)
{
    struct vga *v = r->priv;
    struct rect d;
    char text[8192];
    uint32_t cols, rows;
    if (n & 1) {
        vga_text(v, text, n & 2 ? sizeof text : 100, &cols, &rows);
    }
    const struct surface *s = vga_scan(v, &d);
    if (d.x < 0 || d.y < 0 || d.w < 0 || d.h < 0 || (uint32_t)(d.x + d.w) > s->width ||
        (uint32_t)(d.y + d.h) > s->height || s->width > VGA_MAX_WIDTH ||
        s->height > VGA_MAX_HEIGHT || s->stride != s->width * 4) {
        abort();
    }
}

static inline void vga_out(struct rig *r, uint16_t port, uint8_t val)
{
    struct vga *v = r->priv;
    struct region *g = port >= 0x3d4 ? &v->ports[2] : port >= 0x3c0 ? &v->ports[1] : &v->ports[0];
    region_out(g, port - (port >= 0x3d4 ? 0x3d4u : port >= 0x3c0 ? 0x3c0u : 0x3b4u), val, 1);
}
static inline uint8_t vga_in(struct rig *r, uint16_t port)
{
    struct vga *v = r->priv;
    struct region *g = port >= 0x3d4 ? &v->ports[2] : port >= 0x3c0 ? &v->ports[1] : &v->ports[0];
    return (uint8_t)region_in(g, port - (port >= 0x3d4 ? 0x3d4u : port >= 0x3c0 ? 0x3c0u : 0x3b4u),
                              1);
}
static inline void vga_index(struct rig *r, uint16_t port, uint8_t index, uint8_t val)
{
    vga_out(r, port, index);
    vga_out(r, port + 1, val);
}
static inline void vga_attr(struct rig *r, uint8_t index, uint8_t val) /* keeps the screen on */
{
    vga_in(r, 0x3da);
    vga_out(r, 0x3c0, index | 0x20);
    vga_out(r, 0x3c0, val);
}
static inline void vga_dispi(struct rig *r, uint16_t index, uint16_t val)
{
    region_out(r->regs[VGA_R_DISPI], 0, index, 2);
    region_out(r->regs[VGA_R_DISPI], 1, val, 2);
}
static inline uint16_t vga_dispi_in(struct rig *r, uint16_t index)
{
    region_out(r->regs[VGA_R_DISPI], 0, index, 2);
    return (uint16_t)region_in(r->regs[VGA_R_DISPI], 2, 2);
}
static inline void vga_poke(struct rig *r, uint32_t phys, uint8_t val)
{
    region_out(r->regs[VGA_R_MEM], phys - 0xa0000, val, 1);
}
static inline uint8_t vga_peek(struct rig *r, uint32_t phys)
{
    return (uint8_t)region_in(r->regs[VGA_R_MEM], phys - 0xa0000, 1);
}

/* Register sets of the IBM manual's mode tables. */
struct vga_mode {
    uint8_t misc, seq[5], cr[25], gr[9], ar[21];
};
static const struct vga_mode vga_mode_03 = {
    0x67,
    {3, 0x00, 3, 0, 2},
    {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,    0x4f, 0x0d, 0x0e, 0,
     0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    {0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff},
    {0,    1,    2,    3,    4,    5,    0x14, 7,    0x38, 0x39, 0x3a,
     0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0,    0x0f, 8,    0}};
static const struct vga_mode vga_mode_04 = {
    0x63,
    {3, 0x09, 3, 0, 2},
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0,    0xc1, 0,    0,   0,
     0,    0,    0,    0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff},
    {0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff},
    {0,    0x13, 0x15, 0x17, 2,    4, 6, 7, 0x10, 0x11, 0x12,
     0x13, 0x14, 0x15, 0x16, 0x17, 1, 0, 3, 0,    0}};
static const struct vga_mode vga_mode_06 = {
    0x63, {3, 0x01, 1, 0, 6},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff},
    {0, 0, 0, 0, 0, 0x00, 0x0d, 0x0f, 0xff},
    {0, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17,
     1, 0, 1, 0, 0}};
static const struct vga_mode vga_mode_0d = {
    0x63, {3, 0x09, 0x0f, 0, 6},
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0, 0xc0, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff},
    {0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff},
    {0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 1, 0, 0x0f, 0, 0}};
static const struct vga_mode vga_mode_12 = {
    0xe3, {3, 0x01, 0x0f, 0, 6},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0,
     0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff},
    {0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff},
    {0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 1, 0, 0x0f, 0, 0}};
static const struct vga_mode vga_mode_13 = {
    0x63, {3, 0x01, 0x0f, 0, 0x0e},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0, 0, 0, 0,
     0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff},
    {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 0x0f, 0, 0}};

/* Entry i of the DAC becomes a color that is different for each i. */
static inline uint32_t vga_test_color(unsigned i)
{
    uint32_t c[3] = {i & 63, (i * 7 + 3) & 63, (i >> 2) ^ 21}, rgb = 0;
    for (unsigned k = 0; k < 3; k++) {
        rgb = rgb << 8 | (c[k] & 63) << 2 | (c[k] & 63) >> 4;
    }
    return rgb;
}

static inline void vga_set_mode(struct rig *r, const struct vga_mode *m)
{
    vga_dispi(r, DISPI_ENABLE, 0);
    vga_out(r, 0x3c2, m->misc);
    for (uint8_t i = 0; i < 5; i++) {
        vga_index(r, 0x3c4, i, m->seq[i]);
    }
    vga_index(r, 0x3d4, 0x11, m->cr[0x11] & 0x7f);
    for (uint8_t i = 0; i < 25; i++) {
        vga_index(r, 0x3d4, i, m->cr[i]);
    }
    for (uint8_t i = 0; i < 9; i++) {
        vga_index(r, 0x3ce, i, m->gr[i]);
    }
    for (uint8_t i = 0; i < 21; i++) {
        vga_attr(r, i, m->ar[i]);
    }
    vga_out(r, 0x3c6, 0xff);
    vga_out(r, 0x3c8, 0);
    for (unsigned i = 0; i < 256; i++) {
        vga_out(r, 0x3c9, i & 63);
        vga_out(r, 0x3c9, (uint8_t)(i * 7 + 3) & 63);
        vga_out(r, 0x3c9, ((uint8_t)(i >> 2) ^ 21) & 63);
    }
}

/* In the middle of things: text on the screen, a DAC entry half written, the flip-flop at data. */
static inline void vga_case_busy(struct rig *r)
{
    vga_set_mode(r, &vga_mode_03);
    for (unsigned i = 0; i < 4000; i++) {
        vga_poke(r, 0xb8000 + i, (uint8_t)(i * 13));
    }
    vga_in(r, 0x3da);
    vga_out(r, 0x3c0, 0x25);
    vga_out(r, 0x3c8, 7);
    vga_out(r, 0x3c9, 11);
    vga_case_look(r, 3);
}

static const struct contract_pure vga_pure[] = {
    {VGA_R_MAIN, 5, 1}, {VGA_R_MAIN, 0xc, 1}, {VGA_R_DISPI, 1, 2}, {VGA_R_MMIO, 0, 4},
    {VGA_R_MMIO, 0x500, 2}, {VGA_R_COLOR, 1, 1}};
static const struct contract_case vga_case = {
    .name = "vga", .make = vga_case_make, .unmake = vga_case_unmake, .busy = vga_case_busy,
    .input = vga_case_look, .pure = vga_pure, .pure_count = ARRAY_LEN(vga_pure), .rounds = 1500};
