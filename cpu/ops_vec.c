/* What the SIMD operations share out of line: why AVX is not available, memory operands.
 *
 * SDM Vol. 2A, "Instruction Exception Specification"; Vol. 1, "Memory Alignment" (AVX).
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

bool avx_fault(struct cpu *c)
{
    if (cpu_is_real(c) || cpu_is_vm86(c) || !(c->s.cr4 & CR4_OSXSAVE) || (c->s.xcr0 & 6) != 6) {
        return FAULT_UD(c);
    }
    return FAULT_NM(c);
}

static bool misaligned(const struct cpu *c, const struct insn *in, uint64_t ea, unsigned size,
                       enum vec_align align)
{
    if (in->op >= OP_sha1nexte && in->op <= OP_sha256msg2 && feat_has(&c->feat, FEAT_AMD)) {
        return false; /* HW (Zen 4): SHA's operands may lie anywhere */
    }
    if (size < 16 || align == VEC_ANY || (align == VEC_LEGACY && vec_is_vex(in))) {
        return false;
    }
    if (!(c->mode & MODE_CODE64) || in->seg >= SEG_FS) {
        ea += c->s.seg[in->seg].base;
    }
    return ea & (size - 1);
}

bool vec_mem_read(struct cpu *c, const struct insn *in, unsigned size, enum vec_align align,
                  uint64_t v[4])
{
    uint64_t ea = insn_ea(c, in);
    uint8_t buf[32] = {0};

    if (misaligned(c, in, ea, size, align)) {
        return FAULT_GP0(c);
    }
    if (size <= 8) {
        v[1] = v[2] = v[3] = 0;
        return mem_read(c, in->seg, ea, size, &v[0]);
    }
    if (!mem_read_bytes(c, in->seg, ea, buf, size)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        v[i] = load_le64(buf + 8 * i);
    }
    return true;
}

bool vec_mem_write(struct cpu *c, const struct insn *in, unsigned size, enum vec_align align,
                   const uint64_t v[4])
{
    uint64_t ea = insn_ea(c, in);
    uint8_t buf[32];

    if (misaligned(c, in, ea, size, align)) {
        return FAULT_GP0(c);
    }
    if (size <= 8) {
        return mem_write(c, in->seg, ea, size, v[0]);
    }
    for (unsigned i = 0; i < size / 8; i++) {
        store_le64(buf + 8 * i, v[i]);
    }
    return mem_write_bytes(c, in->seg, ea, buf, size);
}

bool vec_read_any(struct cpu *c, const struct insn *in, unsigned i, enum vec_align align,
                  uint64_t v[4])
{
    const struct opnd *o = &in->o[i];

    if (o->kind == OPND_MEM) {
        return vec_mem_read(c, in, o->size, align, v);
    }
    v[1] = v[2] = v[3] = 0;
    switch (o->kind) {
    case OPND_XMM: vec_load(c, o->reg, v); break;
    case OPND_MMX: v[0] = c->s.st[o->reg].man; break;
    case OPND_GPR: v[0] = reg_read(c, o->reg, o->size); break;
    default: v[0] = in->imm; break;
    }
    return true;
}

bool vec_store_any(struct cpu *c, const struct insn *in, enum vec_align align, const uint64_t v[4])
{
    const struct opnd *o = &in->o[0];

    switch (o->kind) {
    case OPND_XMM: vec_put(c, in, o, v); return true;
    case OPND_MMX: c->s.st[o->reg] = (struct f80){v[0], 0xffff}; return true;
    case OPND_GPR: reg_write(c, o->reg, o->size, v[0]); return true;
    default: return vec_mem_write(c, in, o->size, align, v);
    }
}
