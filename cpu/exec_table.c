/* The operations by id: one missing is a link error. */
#include "cpu/core.h"

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
