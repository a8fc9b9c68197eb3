/* The CPU's window on VGA memory, A0000h-BFFFFh: decoding, latches, write and read modes.
 * IBM VGA/XGA Technical Reference Manual, "Video Memory Organization" and the Graphics Controller.
 *
 * Memory is one array in which plane p, offset o is byte o * 4 + p, so that chain-4 and the linear
 * frame buffer are plain bytes.  On the real chip chain-4 leaves the low address bits in place and
 * the CRTC's doubleword mode skips the gaps; here neither happens, and the picture is the same.
 *
 * NOT IMPLEMENTED: MISC bit 1, RAM enable (see vga_mem_window()); chain-4 data seen through
 * unchained addresses at the chip's own offsets. */
#include "base/bits.h"
#include "devices/video/vga.h"

/* Four plane bits to four bytes. */
static const uint32_t vga_expand[16] = {
    0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff, 0x00ff0000, 0x00ff00ff, 0x00ffff00, 0x00ffffff,
    0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff, 0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff,
};

/* Where in the window of the present memory map; false: this address is not the card's.
 * The IBM manual ("Miscellaneous Output Register", Enable RAM) has the card ignore the window
 * while MISC bit 1 is 0.  We do not: GRUB's own firmware never sets the bit and writes its text all
 * the same; it was made for QEMU, which does not obey the bit either. */
static bool vga_mem_window(const struct vga *v, uint64_t off, uint32_t *addr)
{
    static const struct { uint32_t first, len; } map[4] = {
        {0x00000, 0x20000}, {0x00000, 0x10000}, {0x10000, 0x08000}, {0x18000, 0x08000}};
    unsigned m = v->gr[6] >> 2 & 3;
    if (off < map[m].first || off - map[m].first >= map[m].len) {
        return false;
    }
    *addr = (uint32_t)off - map[m].first;
    return true;
}

static uint32_t vga_bank_base(const struct vga *v)
{
    return bochs_vbe_enabled(v) ? (uint32_t)v->dispi[DISPI_BANK] << 16 : 0;
}

static bool vga_chain4(const struct vga *v)
{
    return v->seq[4] & 8;
}

/* Odd/even addressing: SR4 bit 2 rules writes and GR5 bit 4 reads, and the manual wants them to say
 * the same ("Memory Mode Register").  Where they differ writes are sequential: GRUB's firmware
 * loads its font with SR4 0 and GR5 0, as QEMU lets it, and other loaders change SR4 only. */
static bool vga_odd_even(const struct vga *v)
{
    return !(v->seq[4] & 4) && v->gr[5] & 0x10;
}

/* The byte offset of the plane 0 byte; always within memory. */
static uint32_t vga_mem_dword(const struct vga *v, uint32_t addr)
{
    uint32_t mask = (uint32_t)v->vram.size - 1, plane_off;
    if (vga_chain4(v)) {
        return (vga_bank_base(v) + addr) & mask & ~3u;
    }
    if (v->gr[6] & 2) { /* odd/even: A0 chose the plane, another bit takes its place */
        bool high = (v->gr[6] & 0x0c) == 0 ? addr >> 16 & 1 : !(v->misc & 0x20);
        plane_off = (addr & 0xfffe) | high;
    } else if (vga_odd_even(v)) { /* GRUB's firmware does not set GR6 bit 1, and QEMU ignores it */
        plane_off = addr & 0xfffe;
    } else {
        plane_off = addr & 0xffff;
    }
    return (vga_bank_base(v) + plane_off) * 4 & mask;
}

static uint8_t vga_mem_read8(struct vga *v, uint64_t off)
{
    uint32_t addr;
    if (!vga_mem_window(v, off, &addr)) {
        return 0xff;
    }
    v->latch = load_le32(v->vram.host + vga_mem_dword(v, addr));
    if (vga_chain4(v)) {
        return (uint8_t)(v->latch >> (addr & 3) * 8);
    }
    if (v->gr[5] & 8) { /* read mode 1: which pixels have the color compared with */
        uint32_t diff = (v->latch ^ vga_expand[v->gr[2] & 15]) & vga_expand[v->gr[7] & 15];
        diff |= diff >> 16;
        return (uint8_t)~(diff | diff >> 8);
    }
    unsigned plane = v->gr[4] & 3;
    if (v->gr[5] & 0x10) {
        plane = (plane & 2) | (addr & 1);
    }
    return (uint8_t)(v->latch >> plane * 8);
}

static uint8_t vga_ror8(uint8_t b, unsigned n)
{
    return (uint8_t)(b >> n | b << ((8 - n) & 7));
}

/* What the four planes would get, before the map mask. */
static uint32_t vga_mem_data(const struct vga *v, uint8_t val)
{
    uint32_t bytes = 0x01010101u, data, mask = v->gr[8] * bytes;
    uint8_t rotated = vga_ror8(val, v->gr[3] & 7);
    switch (v->gr[5] & 3) {
    case 0: {
        uint32_t enable = vga_expand[v->gr[1] & 15];
        data = ((rotated * bytes) & ~enable) | (vga_expand[v->gr[0] & 15] & enable);
        break;
    }
    case 1: return v->latch;
    case 2: data = vga_expand[val & 15]; break;
    default:
        mask &= rotated * bytes;
        data = vga_expand[v->gr[0] & 15];
        break;
    }
    switch (v->gr[3] >> 3 & 3) {
    case 1: data &= v->latch; break;
    case 2: data |= v->latch; break;
    case 3: data ^= v->latch; break;
    default: break;
    }
    return (data & mask) | (v->latch & ~mask);
}

static void vga_mem_mark(struct vga *v, uint32_t at, unsigned len)
{
    if (!ram_page_plain(&v->vram, at) || (at & PAGE_MASK) + len > PAGE_SIZE) {
        ram_wrote(&v->vram, at, len);
    }
}

static void vga_mem_write8(struct vga *v, uint64_t off, uint8_t val)
{
    uint32_t addr;
    if (!vga_mem_window(v, off, &addr)) {
        return;
    }
    unsigned planes = v->seq[2] & 15;
    if (vga_chain4(v)) {
        planes &= 1u << (addr & 3);
    } else if (vga_odd_even(v)) {
        planes &= addr & 1 ? 0xa : 0x5;
    }
    if (!planes) {
        return;
    }
    uint32_t at = vga_mem_dword(v, addr), enable = vga_expand[planes];
    uint8_t *p = v->vram.host + at;
    store_le32(p, (load_le32(p) & ~enable) | (vga_mem_data(v, val) & enable));
    vga_mem_mark(v, at, 4);
}

/* Chain-4 without any of the graphics controller's arithmetic: plain memory, several bytes at a
 * time.  This is how mode 13h and banked VESA programs draw. */
static bool vga_mem_plain(const struct vga *v, uint64_t off, unsigned size, uint32_t *at)
{
    uint32_t addr, last;
    if (!vga_chain4(v) || !vga_mem_window(v, off, &addr) ||
        !vga_mem_window(v, off + size - 1, &last)) {
        return false;
    }
    *at = (vga_bank_base(v) + addr) & (uint32_t)(v->vram.size - 1);
    return *at + size <= v->vram.size;
}

uint64_t vga_mem_read(void *dev, uint64_t off, unsigned size)
{
    struct vga *v = dev;
    uint64_t val = 0;
    uint32_t at;
    if (vga_mem_plain(v, off, size, &at)) {
        v->latch = load_le32(v->vram.host + ((at + size - 1) & ~3u));
        return load_le(v->vram.host + at, size);
    }
    for (unsigned i = 0; i < size; i++) {
        val |= (uint64_t)vga_mem_read8(v, off + i) << i * 8;
    }
    return val;
}

void vga_mem_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *v = dev;
    uint32_t at;
    if (v->seq[2] == 15 && v->gr[8] == 0xff && !(v->gr[5] & 3) && !v->gr[1] && !v->gr[3] &&
        vga_mem_plain(v, off, size, &at)) {
        store_le(v->vram.host + at, val, size);
        vga_mem_mark(v, at, size);
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        vga_mem_write8(v, off + i, (uint8_t)(val >> i * 8));
    }
}
