/* Turns a fuzzer's bytes into a life of a chip: write, read, let time pass, host input, save and
 * load, reset, and loading of damaged state.  Used by every tests/fuzz/fuzz_<chip>.c. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "tests/common/contract.h"

int fuzz_device(const struct contract_case *c, const uint8_t *data, size_t size);
