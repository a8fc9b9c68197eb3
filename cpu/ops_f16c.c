/* F16C: half-precision conversion.
 *
 * SDM Vol. 1, "Half-Precision Floating-Point Conversion"; Vol. 2C, "VCVTPH2PS", "VCVTPS2PH".  A
 * half's denormal is an ordinary number: no #D, whatever DAZ; FTZ does not make halves zero.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_ssefp.h"
#include "cpu/protect.h"

bool op_vcvtph2ps(struct cpu *c, const struct insn *in)
{
    struct fp_env e = sse_env(c);
    uint64_t src[4], dst[4] = {0};

    if (!avx_check(c) || !vec_read(c, in, 1, VEC_LEGACY, src)) {
        return false;
    }
    e.daz = false;
    for (unsigned i = 0; i < sse_count(in, FP_F32); i++) {
        fp_set(dst, FP_F32, i, fp_convert(&e, FP_F32, FP_F16, fp_get(src, FP_F16, i)));
    }
    e.flags &= (uint8_t)~FP_DE;
    return sse_finish(c, in, &e, dst);
}

/* To a register or to memory: half as many bytes as the source has. */
bool op_vcvtps2ph(struct cpu *c, const struct insn *in)
{
    struct fp_env e = sse_env(c);
    unsigned n = in->o[1].size / 4;
    uint64_t src[4], dst[4] = {0};

    if (!avx_check(c)) {
        return false;
    }
    vec_load(c, in->o[1].reg, src);
    e.rc = in->imm & 4 ? e.rc : in->imm & 3;
    e.ftz = false;
    for (unsigned i = 0; i < n; i++) {
        fp_set(dst, FP_F16, i, fp_convert(&e, FP_F16, FP_F32, fp_get(src, FP_F32, i)));
    }
    if (e.flags & ~e.mask) {
        if (in->o[0].kind == OPND_MEM && /* HW: a store that cannot be goes before #XM */
            !mem_check_write(c, in->seg, insn_ea(c, in), in->o[0].size)) {
            return false;
        }
        return sse_raise(c, &e);
    }
    /* a store that faults leaves MXCSR as it was */
    return vec_store(c, in, VEC_LEGACY, dst) && sse_raise(c, &e);
}
