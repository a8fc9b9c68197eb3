/* String instructions, one iteration a call.  With a REP prefix and count left over the operation
 * asks to be run again by next_rip = rip, so interrupts and budgets fall between iterations. SDM
 * Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ". */
#include "cpu/alu.h"

struct str {
    unsigned size, asize;
    uint64_t step;
    bool rep;
};

/* false: REP with a count of 0, nothing to do */
static bool str_begin(struct cpu *c, const struct insn *in, struct str *t)
{
    t->size = in->o[0].size;
    t->asize = in->asize;
    t->step = c->s.rflags & FL_DF ? (uint64_t)-(int64_t)t->size : t->size;
    t->rep = in->flags & (INSN_REP | INSN_REPNE);
    return !t->rep || reg_read(c, REG_CX, t->asize) != 0;
}

static void str_advance(struct cpu *c, const struct str *t, unsigned reg)
{
    reg_write(c, reg, t->asize, c->s.gpr[reg] + t->step);
}

static void str_end(struct cpu *c, const struct str *t, bool stop)
{
    if (!t->rep) {
        return;
    }
    uint64_t n = (c->s.gpr[REG_CX] - 1) & bits_mask(t->asize * 8);
    reg_write(c, REG_CX, t->asize, n);
    if (n && !stop) {
        c->next_rip = c->s.rip;
    }
}

bool op_movs(struct cpu *c, const struct insn *in)
{
    struct str t;
    uint64_t v;
    if (!str_begin(c, in, &t)) {
        return true;
    }
    if (!mem_read(c, in->seg, reg_read(c, REG_SI, t.asize), t.size, &v) ||
        !mem_write(c, SEG_ES, reg_read(c, REG_DI, t.asize), t.size, v)) {
        return false;
    }
    str_advance(c, &t, REG_SI);
    str_advance(c, &t, REG_DI);
    str_end(c, &t, false);
    return true;
}

bool op_stos(struct cpu *c, const struct insn *in)
{
    struct str t;
    if (!str_begin(c, in, &t)) {
        return true;
    }
    if (!mem_write(c, SEG_ES, reg_read(c, REG_DI, t.asize), t.size, reg_read(c, REG_AX, t.size))) {
        return false;
    }
    str_advance(c, &t, REG_DI);
    str_end(c, &t, false);
    return true;
}

bool op_lods(struct cpu *c, const struct insn *in)
{
    struct str t;
    uint64_t v;
    if (!str_begin(c, in, &t)) {
        return true;
    }
    if (!mem_read(c, in->seg, reg_read(c, REG_SI, t.asize), t.size, &v)) {
        return false;
    }
    reg_write(c, REG_AX, t.size, v);
    str_advance(c, &t, REG_SI);
    str_end(c, &t, false);
    return true;
}

/* REPE goes on while equal, REPNE while different. */
static bool str_stops(const struct cpu *c, const struct insn *in)
{
    return in->flags & INSN_REPNE ? flag_zf(c) : !flag_zf(c);
}

bool op_cmps(struct cpu *c, const struct insn *in)
{
    struct str t;
    uint64_t a, b;
    if (!str_begin(c, in, &t)) {
        return true;
    }
    if (!mem_read(c, in->seg, reg_read(c, REG_SI, t.asize), t.size, &a) ||
        !mem_read(c, SEG_ES, reg_read(c, REG_DI, t.asize), t.size, &b)) {
        return false;
    }
    alu_binary(c, ALU_CMP, a, b, t.size * 8, true);
    str_advance(c, &t, REG_SI);
    str_advance(c, &t, REG_DI);
    str_end(c, &t, str_stops(c, in));
    return true;
}

bool op_scas(struct cpu *c, const struct insn *in)
{
    struct str t;
    uint64_t b;
    if (!str_begin(c, in, &t)) {
        return true;
    }
    if (!mem_read(c, SEG_ES, reg_read(c, REG_DI, t.asize), t.size, &b)) {
        return false;
    }
    alu_binary(c, ALU_CMP, reg_read(c, REG_AX, t.size), b, t.size * 8, true);
    str_advance(c, &t, REG_DI);
    str_end(c, &t, str_stops(c, in));
    return true;
}
