/* Bytes to a life of piix_ide (see tests/rig/fuzz_device.c). */
#include "tests/devices/pc_bench.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&ide_case, data, size);
}
