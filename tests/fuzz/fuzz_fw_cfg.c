/* Bytes to a life of fw_cfg (see tests/rig/fuzz_device.c). */
#include "tests/devices/pc_bench.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&fw_case, data, size);
}
