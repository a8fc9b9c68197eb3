/* SIMD floating-point environment, exceptions and operand forms, shared by ops_ssefp.c,
 * ops_ssecvt.c, ops_sse4fp.c, ops_fma.c and ops_f16c.c.
 * SDM Vol. 1, "SIMD Floating-Point Exceptions"; Vol. 2A, "Instruction Exception Specification". */
#pragma once
#include "cpu/ops_vec.h"

FORCE_INLINE struct fp_env sse_env(const struct cpu *c)
{
    uint32_t m = c->s.mxcsr;
    return (struct fp_env){.rc = m >> 13 & 3, .prec = 64, .mask = m >> 7 & FP_ALL,
                           .daz = m >> 6 & 1, .ftz = m >> 15 & 1, .sticky = m & FP_ALL};
}
/* What of an operation's exceptions hardware reports. */
FORCE_INLINE unsigned sse_reported(const struct fp_env *e)
{
    if (e->flags & ~e->mask & (FP_IE | FP_DE | FP_ZE)) {
        return e->flags & (FP_IE | FP_DE | FP_ZE); /* before the computation: nothing after it */
    }
    return e->flags;
}
/* Collect the exceptions of all elements.  false: an unmasked one, #XM (or #UD without
 * CR4.OSXMMEXCPT) is recorded and nothing is to be written. */
FORCE_INLINE bool sse_raise(struct cpu *c, const struct fp_env *e)
{
    c->s.mxcsr |= sse_reported(e);
    if (e->flags & ~e->mask) {
        return cpu_fault(c, c->s.cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
    }
    return true;
}
/* Available?  No operation of these files has an MMX form (the conversions ask for themselves). */
FORCE_INLINE bool sse_ok(struct cpu *c, const struct insn *in)
{
    return vec_is_vex(in) ? avx_check(c) : sse_check(c);
}
/* Elements of format f in the register that the instruction works on. */
FORCE_INLINE unsigned sse_count(const struct insn *in, enum fp_fmt f)
{
    return (in->o[0].size == 32 ? 256 : 128) / fp_width(f);
}
/* Raise, then write a to register operand 0. */
FORCE_INLINE bool sse_finish(struct cpu *c, const struct insn *in, const struct fp_env *e,
                             const uint64_t a[4])
{
    if (!sse_raise(c, e)) {
        return false;
    }
    vec_put(c, in, &in->o[0], a);
    return true;
}
