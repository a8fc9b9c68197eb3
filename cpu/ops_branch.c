/* Near control transfer.  SDM Vol. 2, "JMP", "Jcc", "CALL", "RET", "LOOP". */
#include "cpu/alu.h"

static uint64_t branch_rel(const struct cpu *c, const struct insn *in)
{
    return c->next_rip + in->imm;
}

bool op_jmp(struct cpu *c, const struct insn *in)
{
    uint64_t t;
    if (in->o[0].kind == OPND_REL) {
        t = branch_rel(c, in);
    } else if (!opnd_read(c, in, 0, &t)) {
        return false;
    }
    return branch_to(c, t, in->osize);
}

bool op_jcc(struct cpu *c, const struct insn *in)
{
    return !flag_cond(c, in->cc) || branch_to(c, branch_rel(c, in), in->osize);
}

bool op_call(struct cpu *c, const struct insn *in)
{
    uint64_t t, ret = c->next_rip, sp = stack_sp(c);
    if (in->o[0].kind == OPND_REL) {
        t = branch_rel(c, in);
    } else if (!opnd_read(c, in, 0, &t)) {
        return false;
    }
    if (!branch_to(c, t, in->osize)) {
        return false;
    }
    if (!stack_push(c, &sp, in->osize, ret)) {
        c->next_rip = ret;
        return false;
    }
    stack_commit(c, sp);
    return true;
}

bool op_ret(struct cpu *c, const struct insn *in)
{
    uint64_t t, sp = stack_sp(c);
    if (!stack_pop(c, &sp, in->osize, &t) || !branch_to(c, t, in->osize)) {
        return false;
    }
    stack_commit(c, sp + (in->o[0].kind == OPND_IMM ? in->imm & 0xffff : 0));
    return true;
}

/* LOOP, LOOPE, LOOPNE: count in CX by address size, no flags changed. */
static bool branch_loop(struct cpu *c, const struct insn *in, bool cond)
{
    uint64_t n = (c->s.gpr[REG_CX] - 1) & bits_mask(in->asize * 8u);
    if (n && cond && !branch_to(c, branch_rel(c, in), in->osize)) {
        return false;
    }
    reg_write(c, REG_CX, in->asize, n);
    return true;
}

bool op_loop(struct cpu *c, const struct insn *in) { return branch_loop(c, in, true); }
bool op_loope(struct cpu *c, const struct insn *in) { return branch_loop(c, in, flag_zf(c)); }
bool op_loopne(struct cpu *c, const struct insn *in) { return branch_loop(c, in, !flag_zf(c)); }

bool op_jcxz(struct cpu *c, const struct insn *in)
{
    return reg_read(c, REG_CX, in->asize) || branch_to(c, branch_rel(c, in), in->osize);
}
