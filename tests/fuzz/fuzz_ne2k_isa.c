/* Fuzz target: ne2k_isa on the bench, driven by bytes; frames and the cable
 * are host input (tests/devices/ne2k_case.h). */
#include "tests/devices/ne2k_case.h"
#include "tests/rig/fuzz_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_device(&isa_card_case, data, size);
}
