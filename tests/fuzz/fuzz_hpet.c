/* Fuzz target: hpet on the bench, driven by bytes (tests/rig/fuzz_device.c). */
#include "tests/rig/apic_bench.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&case_hpet, data, size);
}
