/* Fuzz target: the floppy controller with its DMA chips. */
#include "tests/devices/fdc_case.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&fdc_case, data, size);
}
