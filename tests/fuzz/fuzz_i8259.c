/* Fuzz target: i8259 on the bench, driven by bytes (tests/rig/fuzz_device.c). */
#include "tests/rig/chips.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&case_i8259, data, size);
}
