/* What the x87 files share: the register stack, exceptions, the last-instruction pointers.
 * SDM Vol. 1, "Programming with the x87 FPU". */
#pragma once
#include "cpu/core.h"
#include "cpu/fp/fp.h"

enum {
    FSW_SF = 1 << 6, FSW_ES = 1 << 7, FSW_C0 = 1 << 8, FSW_C1 = 1 << 9, FSW_C2 = 1 << 10,
    FSW_C3 = 1 << 14, FSW_B = 1 << 15, FSW_TOP_SHIFT = 11,
    FSW_CC = FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3
};

FORCE_INLINE unsigned x87_top(const struct cpu *c)
{
    return c->s.fsw >> FSW_TOP_SHIFT & 7;
}
FORCE_INLINE void x87_set_top(struct cpu *c, unsigned top)
{
    c->s.fsw = (uint16_t)((c->s.fsw & ~(7 << FSW_TOP_SHIFT)) | (top & 7) << FSW_TOP_SHIFT);
}
FORCE_INLINE unsigned x87_phys(const struct cpu *c, unsigned i)
{
    return (x87_top(c) + i) & 7;
}
FORCE_INLINE bool x87_empty(const struct cpu *c, unsigned i)
{
    return !(c->s.ftag >> x87_phys(c, i) & 1);
}
FORCE_INLINE struct f80 x87_get(const struct cpu *c, unsigned i)
{
    return c->s.st[x87_phys(c, i)];
}
FORCE_INLINE void x87_put(struct cpu *c, unsigned i, struct f80 v)
{
    unsigned p = x87_phys(c, i);
    c->s.st[p] = v;
    c->s.ftag |= (uint8_t)(1 << p);
}
FORCE_INLINE void x87_pop(struct cpu *c)
{
    unsigned top = x87_top(c);
    c->s.ftag &= (uint8_t)~(1 << top);
    x87_set_top(c, top + 1);
}
FORCE_INLINE void x87_push(struct cpu *c, struct f80 v)
{
    x87_set_top(c, x87_top(c) - 1);
    x87_put(c, 0, v);
}
FORCE_INLINE void x87_cc(struct cpu *c, unsigned cc) /* FSW_C0, C2, C3; C1 is the caller's */
{
    c->s.fsw = (uint16_t)((c->s.fsw & ~(FSW_C0 | FSW_C2 | FSW_C3)) | cc);
}
FORCE_INLINE bool x87_has_mem(const struct insn *in)
{
    return in->o[0].kind == OPND_MEM || in->o[1].kind == OPND_MEM;
}
/* Which operand is in memory, and how many bytes it has. */
FORCE_INLINE const struct opnd *x87_mem(const struct insn *in)
{
    return in->o[0].kind == OPND_MEM ? &in->o[0] : &in->o[1];
}

/* The environment of an operation: FCW's rounding, precision and masks. */
struct fp_env x87_env(const struct cpu *c);
/* Does an operation with these exceptions write its result?  to_mem: the result goes to memory. */
bool x87_stores(const struct fp_env *e, bool to_mem);
/* Put an operation's exceptions and C1 into FSW. */
void x87_raise(struct cpu *c, const struct fp_env *e, bool to_mem);
/* Stack faults: #IS with C1.  Return: masked, the caller writes the indefinite. */
bool x87_underflow(struct cpu *c);
bool x87_overflow(struct cpu *c);
/* FIP, FCS, FOP and, with a memory operand, FDP and FDS. */
void x87_note(struct cpu *c, const struct insn *in);
/* FCW and FSW from memory. */
void x87_set_control(struct cpu *c, unsigned fcw, unsigned fsw);
void x87_init(struct cpu *c); /* FNINIT; the registers themselves stay */
#define MXCSR_MASK 0xffffu
/* ES, B and the FERR pin after FSW or FCW changed. */
void x87_update(struct cpu *c);
/* The usual start: #NM, pending #MF. */
FORCE_INLINE bool x87_begin(struct cpu *c)
{
    if (!(c->s.cr0 & (CR0_EM | CR0_TS)) && !(c->s.fsw & FSW_ES) && feat_has(&c->feat, FEAT_FPU)) {
        return true;
    }
    return fpu_check(c, true);
}
/* MMX: #UD, #NM, pending #MF; then x87_mmx() makes the registers MMX registers. */
bool mmx_check(struct cpu *c);
FORCE_INLINE void x87_mmx(struct cpu *c)
{
    c->s.fsw &= (uint16_t)~(7 << FSW_TOP_SHIFT);
    c->s.ftag = 0xff;
}
