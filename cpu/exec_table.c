/* The operations by id.  Declared weak while the room is being filled: a missing one is NULL, which
 * the engine treats as undefined and logs; tests/cpu checks that none is missing. */
#include "cpu/core.h"

#define OP(name) extern op_fn op_##name __attribute__((weak));
#include "cpu/ops.def"
#undef OP

op_fn *const exec_table[OP_COUNT] = {
#define OP(name) [OP_##name] = op_##name,
#include "cpu/ops.def"
#undef OP
};

static const char *const exec_names[OP_COUNT] = {
#define OP(name) [OP_##name] = #name,
#include "cpu/ops.def"
#undef OP
};

const char *op_name(unsigned op)
{
    return op < OP_COUNT ? exec_names[op] : "?";
}
