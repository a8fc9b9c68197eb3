/* MMX and XMM operands: reading, alignment, writing.  SDM Vol. 1, "Programming with MMX",
 * "Programming with SSE". */
#pragma once
#include "cpu/ops_x87.h"

FORCE_INLINE bool vec_wide(const struct insn *in) /* XMM form of an operation that has both */
{
    return in->o[0].kind == OPND_XMM || in->o[1].kind == OPND_XMM;
}
FORCE_INLINE bool vec_check(struct cpu *c, bool wide)
{
    return wide ? sse_check(c) : mmx_check(c);
}
/* 16-byte operands of all but the unaligned moves: #GP(0). */
FORCE_INLINE bool vec_aligned(struct cpu *c, const struct insn *in)
{
    if ((insn_ea(c, in) + c->s.seg[in->seg].base) & 15) {
        return FAULT_GP0(c);
    }
    return true;
}
/* Operand i into v, the rest of v zero.  A 16-byte memory operand must be aligned. */
FORCE_INLINE bool vec_read(struct cpu *c, const struct insn *in, unsigned i, bool aligned,
                           uint64_t v[2])
{
    const struct opnd *o = &in->o[i];
    uint8_t buf[16];

    v[0] = v[1] = 0;
    switch (o->kind) {
    case OPND_XMM:
        v[0] = c->s.ymm[o->reg][0];
        v[1] = c->s.ymm[o->reg][1];
        return true;
    case OPND_MMX:
        v[0] = c->s.st[o->reg].man;
        return true;
    case OPND_GPR:
        v[0] = reg_read(c, o->reg, o->size);
        return true;
    case OPND_MEM:
        if (o->size != 16) {
            return mem_read(c, in->seg, insn_ea(c, in), o->size, &v[0]);
        }
        if ((aligned && !vec_aligned(c, in)) ||
            !mem_read_bytes(c, in->seg, insn_ea(c, in), buf, 16)) {
            return false;
        }
        v[0] = load_le64(buf);
        v[1] = load_le64(buf + 8);
        return true;
    default:
        v[0] = in->imm;
        return true;
    }
}
/* The whole of operand 0; of an MMX register the exponent becomes all ones. */
FORCE_INLINE bool vec_write(struct cpu *c, const struct insn *in, bool aligned,
                            const uint64_t v[2])
{
    const struct opnd *o = &in->o[0];
    uint8_t buf[16];

    switch (o->kind) {
    case OPND_XMM:
        c->s.ymm[o->reg][0] = v[0];
        c->s.ymm[o->reg][1] = v[1];
        return true;
    case OPND_MMX:
        c->s.st[o->reg] = (struct f80){v[0], 0xffff};
        return true;
    case OPND_GPR:
        reg_write(c, o->reg, o->size, v[0]);
        return true;
    default:
        if (o->size != 16) {
            return mem_write(c, in->seg, insn_ea(c, in), o->size, v[0]);
        }
        if (aligned && !vec_aligned(c, in)) {
            return false;
        }
        store_le64(buf, v[0]);
        store_le64(buf + 8, v[1]);
        return mem_write_bytes(c, in->seg, insn_ea(c, in), buf, 16);
    }
}
/* After an operation with an MMX register: TOP = 0, all tags valid. */
FORCE_INLINE void vec_done(struct cpu *c, const struct insn *in)
{
    if (in->o[0].kind == OPND_MMX || in->o[1].kind == OPND_MMX) {
        x87_mmx(c);
    }
}

/* o0 = fn(o0, o1) over whole registers; `wide` tells fn whether v[1] counts. */
typedef void vec_fn(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm);

FORCE_INLINE bool vec_op2(struct cpu *c, const struct insn *in, vec_fn *fn)
{
    uint64_t a[2], b[2];
    bool wide = vec_wide(in);

    if (!vec_check(c, wide) || !vec_read(c, in, 1, true, b) || !vec_read(c, in, 0, true, a)) {
        return false;
    }
    fn(a, b, wide, (unsigned)in->imm);
    if (!vec_write(c, in, true, a)) {
        return false;
    }
    vec_done(c, in);
    return true;
}
#define VEC_OP(name, fn)                                                                          \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return vec_op2(c, in, fn);                                                                \
    }
