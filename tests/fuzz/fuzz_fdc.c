/* Fuzz target: the floppy controller with its DMA chips.  Beside register accesses the bytes choose
 * whole commands: nine right bytes in a row are too rare by chance. */
#include "tests/devices/fdc_case.h"
#include "tests/rig/fuzz_device.h"

static void fuzz_fdc_input(struct rig *r, uint32_t v)
{
    static const uint8_t op[] = {0x06, 0x05, 0x0d, 0x0c, 0x09, 0x02, 0x16, 0x11,
                                 0x19, 0x1d, 0x0a, 0x0f, 0x07, 0x8f, 0x08, 0x13};
    static const uint8_t mode[] = {0x44, 0x48, 0x40, 0x54};
    if ((v & 15) == 0) {
        fdc_case_input(r, v);
        return;
    }
    if (v & 1) {
        fdc_start(r, v >> 1 & 3);
    }
    if (v & 2) {
        FDC_CMD(r, 0x03, 0xdf, (uint8_t)(v >> 3 & 1)); /* by DMA or by the processor */
    }
    fdc_dma(r, mode[v >> 4 & 3], 0x1000, 1 + (v >> 6 & 0x1fff));
    unsigned which = v >> 19 & 15;
    uint8_t first = op[which], head = (uint8_t)(v >> 23 & 1);
    if (which <= 10) {
        first |= v & 4 ? 0xc0 : 0x40;
    }
    const uint8_t bytes[9] = {first, (uint8_t)(head << 2 | (v >> 24 & 1)), (uint8_t)(v >> 25 & 3),
                              head, (uint8_t)(v >> 27 & 31), 2, 18, 0x1b, 2};
    fdc_cmd(r, bytes, sizeof bytes);
    rig_advance(r, 3 * VTIME_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct contract_case c = fdc_case;
    c.input = fuzz_fdc_input;
    return fuzz_device(&c, data, size);
}
