/* PUSH, POP and the frame instructions.  SP is committed only when nothing can fault any more. */
#include "cpu/alu.h"

bool op_push(struct cpu *c, const struct insn *in)
{
    uint64_t v, sp = stack_sp(c);
    if (!opnd_read(c, in, 0, &v)) {
        return false;
    }
    if (in->o[0].kind == OPND_GPR && in->o[0].reg == REG_SP && !feat_has(&c->feat, FEAT_I286)) {
        v -= in->osize; /* 8086 and 80186 push the new SP */
    }
    if (!stack_push(c, &sp, in->osize, v)) {
        return false;
    }
    stack_commit(c, sp);
    return true;
}

/* With a 32-bit operand size only 16 bits are written (HW: since the Pentium; the SDM allows both).
 */
bool op_push_seg(struct cpu *c, const struct insn *in)
{
    uint64_t sp = stack_sp(c);
    uint64_t n = (sp - in->osize) & bits_mask(stack_size(c) * 8);
    unsigned size = in->osize == 8 ? 8 : 2;
    if (!mem_write(c, SEG_SS, n, size, c->s.seg[in->o[0].reg].sel)) {
        return false;
    }
    stack_commit(c, n);
    return true;
}

bool op_pop(struct cpu *c, const struct insn *in)
{
    uint64_t v, sp = stack_sp(c), old = c->s.gpr[REG_SP];
    if (!stack_pop(c, &sp, in->osize, &v)) {
        return false;
    }
    /* a memory operand's address is computed with the incremented SP */
    stack_commit(c, sp);
    if (!opnd_write(c, in, 0, v)) {
        c->s.gpr[REG_SP] = old;
        return false;
    }
    return true;
}

bool op_pusha(struct cpu *c, const struct insn *in)
{
    uint64_t sp = stack_sp(c);
    /* check the whole frame first: a fault half way leaves nothing behind but memory, which the SDM
     * allows; registers do not change before the end */
    for (unsigned r = 0; r < 8; r++) {
        if (!stack_push(c, &sp, in->osize, reg_read(c, r, in->osize))) {
            return false;
        }
    }
    stack_commit(c, sp);
    return true;
}

bool op_popa(struct cpu *c, const struct insn *in)
{
    uint64_t v[8], sp = stack_sp(c);
    for (int r = 7; r >= 0; r--) {
        if (!stack_pop(c, &sp, in->osize, &v[r])) {
            return false;
        }
    }
    for (unsigned r = 0; r < 8; r++) {
        if (r != REG_SP) {
            reg_write(c, r, in->osize, v[r]);
        }
    }
    stack_commit(c, sp);
    return true;
}

/* SDM Vol. 2A, "ENTER": level in imm2 (mod 32), size in imm. */
bool op_enter(struct cpu *c, const struct insn *in)
{
    unsigned osize = in->osize, ssize = stack_size(c), level = in->imm2 & 31;
    uint64_t sp = stack_sp(c), bp = reg_read(c, REG_BP, ssize), frame, v;
    if (!stack_push(c, &sp, osize, reg_read(c, REG_BP, osize))) {
        return false;
    }
    frame = sp | (c->s.gpr[REG_SP] & ~bits_mask(ssize * 8)); /* all of ESP, whatever SS.B */
    for (unsigned i = 1; i < level; i++) {
        bp = (bp - osize) & bits_mask(ssize * 8);
        if (!mem_read(c, SEG_SS, bp, osize, &v) || !stack_push(c, &sp, osize, v)) {
            return false;
        }
    }
    if (level && !stack_push(c, &sp, osize, frame)) {
        return false;
    }
    sp = (sp - (in->imm & 0xffff)) & bits_mask(ssize * 8);
    /* HW: the new top of stack is probed for writing, so a bad frame faults here */
    uint64_t dummy;
    if (!mem_read_rmw(c, SEG_SS, sp, osize, &dummy)) {
        return false;
    }
    reg_write(c, REG_BP, osize, frame);
    stack_commit(c, sp);
    return true;
}

bool op_leave(struct cpu *c, const struct insn *in)
{
    uint64_t v, sp = reg_read(c, REG_BP, stack_size(c));
    if (!stack_pop(c, &sp, in->osize, &v)) {
        return false;
    }
    stack_commit(c, sp);
    reg_write(c, REG_BP, in->osize, v);
    return true;
}
