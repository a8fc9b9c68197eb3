/* FMA3: fused multiply-add in its 60 forms.
 *
 * SDM Vol. 1, "Programming with AVX, FMA and AVX2", "FMA Instruction Operand Order and Arithmetic
 * Behavior"; Vol. 2C, "VFMADD132PD/VFMADD213PD/VFMADD231PD" and so on.  The digits name the
 * operands that are multiplied (the first two) and added (the third).
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_ssefp.h"

/* x, y, z: which operands; scalar: the destination's other elements stay. */
static bool fma_op(struct cpu *c, const struct insn *in, enum fp_fmt f, enum fp_fma kind,
                   bool scalar, unsigned x, unsigned y, unsigned z)
{
    struct fp_env e = sse_env(c);
    uint64_t v[3][4];

    if (!avx_check(c) || !vec_read(c, in, 2, VEC_LEGACY, v[2])) {
        return false;
    }
    vec_load(c, in->o[0].reg, v[0]);
    vec_load(c, in->o[1].reg, v[1]);
    fp_fma(&e, f, kind, scalar ? 1 : sse_count(in, f), v[0], v[x], v[y], v[z]);
    return sse_finish(c, in, &e, v[0]);
}
#define FMA1(name, f, kind, scalar, x, y, z)                                                      \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return fma_op(c, in, f, kind, scalar, x, y, z);                                           \
    }
#define FMA3(name, suffix, f, kind, scalar)                                                       \
    FMA1(name##132##suffix, f, kind, scalar, 0, 2, 1)                                             \
    FMA1(name##213##suffix, f, kind, scalar, 1, 0, 2)                                             \
    FMA1(name##231##suffix, f, kind, scalar, 1, 2, 0)
#define FMA_PACKED(name, kind)                                                                     \
    FMA3(name, ps, FP_F32, kind, false) FMA3(name, pd, FP_F64, kind, false)
#define FMA_SCALAR(name, kind) FMA3(name, ss, FP_F32, kind, true) FMA3(name, sd, FP_F64, kind, true)
FMA_PACKED(vfmadd, FMA_ADD)
FMA_SCALAR(vfmadd, FMA_ADD)
FMA_PACKED(vfmsub, FMA_SUB)
FMA_SCALAR(vfmsub, FMA_SUB)
FMA_PACKED(vfnmadd, FMA_NADD)
FMA_SCALAR(vfnmadd, FMA_NADD)
FMA_PACKED(vfnmsub, FMA_NSUB)
FMA_SCALAR(vfnmsub, FMA_NSUB)
FMA_PACKED(vfmaddsub, FMA_ADDSUB)
FMA_PACKED(vfmsubadd, FMA_SUBADD)
