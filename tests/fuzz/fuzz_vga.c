/* Fuzz target: the VGA's registers, memory window, BAR2 and scan.  The first byte chooses where it
 * starts: after power-on, in an IBM mode, or in a VBE mode of some depth and byte order whose picture
 * reaches the end of memory; a fuzzer alone is slow to find so many registers at once. */
#include "tests/devices/vga_case.h"
#include "tests/rig/fuzz_device.h"

static unsigned fuzz_vga_start;

static void fuzz_vga_make(struct rig *r)
{
    static const struct vga_mode *const modes[] = {&vga_mode_03, &vga_mode_04, &vga_mode_06,
                                                   &vga_mode_0d, &vga_mode_12, &vga_mode_13};
    static const uint16_t depths[] = {4, 8, 15, 16, 24, 32};
    unsigned kind = fuzz_vga_start % 13;
    vga_case_make(r);
    if (kind == 0) {
        return;
    }
    vga_set_mode(r, modes[(kind - 1) % 6]);
    if (kind > 6) {
        vga_dispi(r, DISPI_XRES, 64);
        vga_dispi(r, DISPI_YRES, 16);
        vga_dispi(r, DISPI_BPP, depths[kind - 7]);
        vga_dispi(r, DISPI_ENABLE, DISPI_ENABLED | DISPI_8BIT_DAC);
        vga_dispi(r, DISPI_VIRT_WIDTH, 1024);
        vga_dispi(r, DISPI_X_OFFSET, 0xffff);
        vga_dispi(r, DISPI_Y_OFFSET, 0xffff);
        region_out(r->regs[VGA_R_MMIO], 0x604, fuzz_vga_start & 0x80 ? 0xbebebebe : 0x1e1e1e1e, 4);
    }
    vga_out(r, 0x3c0, 0x20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct contract_case c = vga_case;
    c.make = fuzz_vga_make;
    if (size == 0) {
        return 0;
    }
    fuzz_vga_start = data[0];
    return fuzz_device(&c, data + 1, size - 1);
}
