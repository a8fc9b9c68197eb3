/* SIMD floating-point environment and exceptions, shared by ops_ssefp.c and ops_ssecvt.c.
 * SDM Vol. 1, "SIMD Floating-Point Exceptions". */
#pragma once
#include "cpu/ops_vec.h"

FORCE_INLINE struct fp_env sse_env(const struct cpu *c)
{
    uint32_t m = c->s.mxcsr;
    return (struct fp_env){.rc = m >> 13 & 3, .prec = 64, .mask = m >> 7 & FP_ALL,
                           .daz = m >> 6 & 1, .ftz = m >> 15 & 1};
}
/* Collect the exceptions of all elements.  false: an unmasked one, #XM (or #UD without
 * CR4.OSXMMEXCPT) is recorded and nothing is to be written. */
FORCE_INLINE bool sse_raise(struct cpu *c, const struct fp_env *e)
{
    unsigned flags = e->flags, unmasked = flags & ~(unsigned)e->mask;

    if (unmasked & (FP_IE | FP_DE | FP_ZE)) {
        flags &= FP_IE | FP_DE | FP_ZE; /* before the computation: nothing after it is reported */
    }
    c->s.mxcsr |= flags;
    if (unmasked) {
        return cpu_fault(c, c->s.cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
    }
    return true;
}
