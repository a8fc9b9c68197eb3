/* Fuzz target: the VGA's registers, memory window, BAR2 and scan. */
#include "tests/devices/vga_case.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&vga_case, data, size);
}
