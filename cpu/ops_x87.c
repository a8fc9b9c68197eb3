/* x87 availability, exceptions, and the control instructions without an image in memory.
 *
 * SDM Vol. 1, "x87 FPU Floating-Point Exception Handling", "x87 FPU Control Instructions"; Vol. 3A,
 * "Handling x87 FPU Exceptions in Software" and the MS-DOS compatible FERR#/IGNNE# scheme (Vol. 1,
 * "Guidelines for Writing SIMD/x87 Exception Handlers").
 * NOT IMPLEMENTED: with CR0.NE = 0 and an exception pending, a waiting instruction does not freeze
 * until INTR; FERR# is driven at the faulting instruction, so the interrupt is there before it. */
#include "cpu/ops_x87.h"

bool fpu_check(struct cpu *c, bool wait)
{
    if (c->s.cr0 & (CR0_EM | CR0_TS) || !feat_has(&c->feat, FEAT_FPU)) {
        return FAULT_NM(c);
    }
    if (wait && c->s.fsw & FSW_ES) {
        if (c->s.cr0 & CR0_NE) {
            return cpu_fault(c, EXC_MF);
        }
        x87_update(c);
    }
    return true;
}

bool sse_check(struct cpu *c)
{
    if (c->s.cr0 & CR0_EM || !(c->s.cr4 & CR4_OSFXSR)) {
        return FAULT_UD(c);
    }
    return c->s.cr0 & CR0_TS ? FAULT_NM(c) : true;
}

bool mmx_check(struct cpu *c)
{
    return c->s.cr0 & CR0_EM ? FAULT_UD(c) : fpu_check(c, true);
}

void x87_update(struct cpu *c)
{
    bool pending = c->s.fsw & ~c->s.fcw & FP_ALL;
    bool ferr = pending && !(c->s.cr0 & CR0_NE);

    if (!pending || !(c->s.fsw & FSW_ES)) {
        c->ignne = false; /* IGNNE# is for the error that was there, until it is cleared */
    }
    c->s.fsw = (uint16_t)(pending ? c->s.fsw | FSW_ES | FSW_B : c->s.fsw & ~(FSW_ES | FSW_B));
    irq_set(&c->env.ferr, ferr && !c->ignne);
}

struct fp_env x87_env(const struct cpu *c)
{
    static const uint8_t precisions[4] = {24, 64, 53, 64};

    return (struct fp_env){.rc = c->s.fcw >> 10 & 3, .prec = precisions[c->s.fcw >> 8 & 3],
                           .mask = c->s.fcw & FP_ALL, .sticky = c->s.fsw & FP_ALL};
}

bool x87_stores(const struct fp_env *e, bool to_mem)
{
    unsigned stop = FP_IE | FP_DE | FP_ZE | (to_mem ? FP_OE | FP_UE : 0);
    return !(e->flags & ~e->mask & stop);
}

void x87_raise(struct cpu *c, const struct fp_env *e, bool to_mem)
{
    unsigned flags = e->flags, unmasked = flags & ~(unsigned)e->mask;

    if (unmasked & (FP_IE | FP_DE | FP_ZE)) {
        flags &= FP_IE | FP_DE | FP_ZE; /* nothing was computed */
    } else if (to_mem && unmasked & (FP_OE | FP_UE)) {
        flags &= ~(unsigned)FP_PE; /* nothing was stored */
    }
    c->s.fsw = (uint16_t)((c->s.fsw & ~FSW_C1) | flags);
    if (flags & FP_PE && e->up) {
        c->s.fsw |= FSW_C1;
    }
    if (flags & ~(unsigned)e->mask) {
        x87_update(c);
    }
}

static bool stack_fault(struct cpu *c, unsigned c1)
{
    c->s.fsw = (uint16_t)((c->s.fsw & ~FSW_C1) | FSW_SF | FP_IE | c1);
    x87_update(c);
    return c->s.fcw & FP_IE;
}

bool x87_underflow(struct cpu *c)
{
    return stack_fault(c, 0);
}

bool x87_overflow(struct cpu *c)
{
    return stack_fault(c, FSW_C1);
}

void x87_note(struct cpu *c, const struct insn *in)
{
    c->s.fip = c->s.rip;
    c->s.fcs = c->s.seg[SEG_CS].sel;
    c->s.fop = (uint16_t)in->imm;
    if (x87_has_mem(in)) {
        c->s.fdp = insn_ea(c, in);
        c->s.fds = in->seg < SEG_COUNT ? c->s.seg[in->seg].sel : 0;
    }
}

/* ---- control ---- */

bool op_fwait(struct cpu *c, const struct insn *in)
{
    (void)in;
    if ((c->s.cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)) {
        return FAULT_NM(c);
    }
    if (c->s.fsw & FSW_ES) {
        if (c->s.cr0 & CR0_NE) {
            return cpu_fault(c, EXC_MF);
        }
        x87_update(c);
    }
    return true;
}

void x87_init(struct cpu *c)
{
    c->s.fcw = 0x37f;
    c->s.fsw = 0;
    c->s.ftag = 0;
    c->s.fop = c->s.fcs = c->s.fds = 0;
    c->s.fip = c->s.fdp = 0;
    x87_update(c);
}

bool op_fninit(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!fpu_check(c, false)) {
        return false;
    }
    x87_init(c);
    return true;
}

bool op_fnclex(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!fpu_check(c, false)) {
        return false;
    }
    c->s.fsw &= (uint16_t)~(FSW_B | FSW_ES | FSW_SF | FP_ALL);
    x87_update(c);
    return true;
}

/* 8087 and 80287 leftovers: FENI, FDISI, FSETPM do nothing since the 80387. */
bool op_feni(struct cpu *c, const struct insn *in)
{
    (void)in;
    return fpu_check(c, false);
}
bool op_fdisi(struct cpu *c, const struct insn *in)
{
    return op_feni(c, in);
}
bool op_fsetpm(struct cpu *c, const struct insn *in)
{
    return op_feni(c, in);
}

bool op_fnop(struct cpu *c, const struct insn *in)
{
    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    return true;
}

static bool turn(struct cpu *c, const struct insn *in, unsigned by)
{
    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    c->s.fsw &= (uint16_t)~FSW_C1;
    x87_set_top(c, x87_top(c) + by);
    return true;
}
bool op_fincstp(struct cpu *c, const struct insn *in)
{
    return turn(c, in, 1);
}
bool op_fdecstp(struct cpu *c, const struct insn *in)
{
    return turn(c, in, 7);
}

static bool free_reg(struct cpu *c, const struct insn *in, bool pop)
{
    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    c->s.fsw &= (uint16_t)~FSW_C1; /* HW; undefined in the SDM */
    c->s.ftag &= (uint8_t)~(1 << x87_phys(c, in->modrm & 7));
    if (pop) {
        x87_pop(c);
    }
    return true;
}
bool op_ffree(struct cpu *c, const struct insn *in)
{
    return free_reg(c, in, false);
}
bool op_ffreep(struct cpu *c, const struct insn *in)
{
    return free_reg(c, in, true);
}

bool op_fldcw(struct cpu *c, const struct insn *in)
{
    uint64_t v;

    if (!x87_begin(c) || !opnd_read(c, in, 0, &v)) {
        return false;
    }
    c->s.fcw = (uint16_t)((v & 0x1f3f) | 0x40); /* HW: bit 6 reads as 1, 7 and 13-15 as 0 */
    x87_update(c);
    return true;
}

bool op_fnstcw(struct cpu *c, const struct insn *in)
{
    return fpu_check(c, false) && opnd_write(c, in, 0, c->s.fcw);
}

bool op_fnstsw(struct cpu *c, const struct insn *in)
{
    return fpu_check(c, false) && opnd_write(c, in, 0, c->s.fsw);
}

bool op_emms(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!mmx_check(c)) {
        return false;
    }
    c->s.ftag = 0;
    x87_set_top(c, 0);
    return true;
}
