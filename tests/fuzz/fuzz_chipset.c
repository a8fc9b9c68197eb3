/* Bytes to a life of chipset (see tests/rig/fuzz_device.c). */
#include "tests/devices/pc_bench.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&chipset_case, data, size);
}
