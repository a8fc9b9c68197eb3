/* TEMPORARY: every operation of ops.def that does not exist yet, as a weak definition, so that
 * everything links; deleted when the last one is there.  A library of its own, behind pc_cpu: the
 * linker looks here only for what pc_cpu does not have. */
#include "cpu/core.h"

#define X(name)                                                                                    \
    __attribute__((weak)) bool op_##name(struct cpu *c, const struct insn *in)                     \
    {                                                                                              \
        (void)in;                                                                                  \
        return FAULT_UD(c);                                                                        \
    }
/* clang-format off */
X(clac) 
X(invpcid) X(rdfsbase) X(rdgsbase)
X(rdpid) X(stac) X(wrfsbase)
X(wrgsbase) 
