/* Data movement, conversions, flag bits, no-operations and hints.  SDM Vol. 2. */
#include "cpu/alu.h"

bool op_mov(struct cpu *c, const struct insn *in)
{
    uint64_t v;
    return opnd_read(c, in, 1, &v) && opnd_write(c, in, 0, v);
}

bool op_movnti(struct cpu *c, const struct insn *in)
{
    return op_mov(c, in);
}

bool op_movzx(struct cpu *c, const struct insn *in)
{
    return op_mov(c, in); /* the source operand is read at its own size */
}

bool op_movsx(struct cpu *c, const struct insn *in)
{
    uint64_t v;
    if (!opnd_read(c, in, 1, &v)) {
        return false;
    }
    return opnd_write(c, in, 0, (uint64_t)bits_sext(v, in->o[1].size * 8u));
}

bool op_movsxd(struct cpu *c, const struct insn *in)
{
    return op_movsx(c, in);
}

bool op_xchg(struct cpu *c, const struct insn *in)
{
    uint64_t a, b;
    unsigned m = in->o[1].kind == OPND_MEM ? 1 : 0, r = 1 - m; /* memory first: it may fault */
    if (!opnd_read_rmw(c, in, m, &a) || !opnd_read(c, in, r, &b)) {
        return false;
    }
    return opnd_write(c, in, m, b) && opnd_write(c, in, r, a);
}

bool op_lea(struct cpu *c, const struct insn *in)
{
    return opnd_write(c, in, 0, insn_ea(c, in));
}

bool op_xlat(struct cpu *c, const struct insn *in)
{
    uint64_t ea = (c->s.gpr[REG_BX] + (c->s.gpr[REG_AX] & 0xff)) & bits_mask(in->asize * 8u), v;
    if (!mem_read(c, in->seg, ea, 1, &v)) {
        return false;
    }
    reg_write(c, REG_AX, 1, v);
    return true;
}

bool op_cmovcc(struct cpu *c, const struct insn *in)
{
    uint64_t v;
    if (!opnd_read(c, in, 1, &v)) { /* reads, and may fault, even when the condition is false */
        return false;
    }
    if (!flag_cond(c, in->cc)) {
        v = reg_read(c, in->o[0].reg, in->o[0].size);
    }
    return opnd_write(c, in, 0, v);
}

bool op_setcc(struct cpu *c, const struct insn *in)
{
    return opnd_write(c, in, 0, flag_cond(c, in->cc));
}

bool op_cbw(struct cpu *c, const struct insn *in)
{
    unsigned half = in->osize / 2u;
    reg_write(c, REG_AX, in->osize, (uint64_t)bits_sext(c->s.gpr[REG_AX], half * 8));
    return true;
}

bool op_cwd(struct cpu *c, const struct insn *in)
{
    bool neg = bits_sext(c->s.gpr[REG_AX], in->osize * 8u) < 0;
    reg_write(c, REG_DX, in->osize, neg ? UINT64_MAX : 0);
    return true;
}

bool op_lahf(struct cpu *c, const struct insn *in)
{
    (void)in;
    uint64_t ah = (flags_status(c) & 0xd5) | FL_1;
    c->s.gpr[REG_AX] = (c->s.gpr[REG_AX] & ~(uint64_t)0xff00) | ah << 8;
    return true;
}

bool op_sahf(struct cpu *c, const struct insn *in)
{
    (void)in;
    uint32_t of = flag_of(c) ? FL_OF : 0;
    flags_set_status(c, (uint32_t)(c->s.gpr[REG_AX] >> 8 & 0xff) | of);
    return true;
}

static bool move_set_cf(struct cpu *c, bool cf)
{
    alu_rot_flags(c, cf, flag_of(c));
    return true;
}

bool op_clc(struct cpu *c, const struct insn *in)
{
    (void)in;
    return move_set_cf(c, false);
}

bool op_stc(struct cpu *c, const struct insn *in)
{
    (void)in;
    return move_set_cf(c, true);
}

bool op_cmc(struct cpu *c, const struct insn *in)
{
    (void)in;
    return move_set_cf(c, !flag_cf(c));
}

bool op_cld(struct cpu *c, const struct insn *in)
{
    (void)in;
    c->s.rflags &= ~(uint64_t)FL_DF;
    return true;
}

bool op_std(struct cpu *c, const struct insn *in)
{
    (void)in;
    c->s.rflags |= FL_DF;
    return true;
}

/* D6h, undocumented but on every processor: AL = CF ? FF : 00 */
bool op_salc(struct cpu *c, const struct insn *in)
{
    (void)in;
    reg_write(c, REG_AX, 1, flag_cf(c) ? 0xff : 0);
    return true;
}

static bool move_nothing(struct cpu *c, const struct insn *in)
{
    (void)c;
    (void)in;
    return true;
}

bool op_nop(struct cpu *c, const struct insn *in) { return move_nothing(c, in); }
bool op_sfence(struct cpu *c, const struct insn *in) { return move_nothing(c, in); }
bool op_lfence(struct cpu *c, const struct insn *in) { return move_nothing(c, in); }
bool op_mfence(struct cpu *c, const struct insn *in) { return move_nothing(c, in); }
bool op_prefetch(struct cpu *c, const struct insn *in) { return move_nothing(c, in); }

/* A spinning processor waits for what another does: the others' turn. */
bool op_pause(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (c->yields) {
        c->paused = true;
        c->exit_word |= EXIT_RESCHED;
    }
    return true;
}

bool op_clflush(struct cpu *c, const struct insn *in)
{
    uint64_t v; /* there is no cache, but the address is checked like a byte load's */
    return mem_read(c, in->seg, insn_ea(c, in), 1, &v);
}
