/* Fuzz target: pci-testdev on the bench, driven by bytes (tests/rig/fuzz_device.c). */
#include "tests/devices/testdev_case.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&pci_testdev_case, data, size);
}
