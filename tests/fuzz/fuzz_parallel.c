/* Bytes to a life of the parallel port (see tests/rig/fuzz_device.c). */
#include "tests/rig/chips.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&case_parallel, data, size);
}
