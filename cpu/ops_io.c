/* IN, OUT, INS, OUTS.  SDM Vol. 1, "Input/Output"; Vol. 3B, "Debug Registers" for I/O breakpoints.
 * INS and OUTS do one iteration a call. */
#include "cpu/protect.h"

/* IOPL, then the permission map of a 32-bit TSS. */
static bool io_allowed(struct cpu *c, unsigned port, unsigned size)
{
    const struct seg *tr = &c->s.tr;
    uint64_t base, bits;
    if (cpu_is_real(c) ||
        (!cpu_is_vm86(c) && c->s.cpl <= (c->s.rflags & FL_IOPL) >> FL_IOPL_SHIFT)) {
        return true;
    }
    if (!(tr->attr & ATTR_P) || !(tr->attr & 8) || tr->limit < 0x67) {
        return FAULT_GP0(c);
    }
    if (!lin_read(c, tr->base + 0x66, 2, false, &base)) {
        return false;
    }
    if (base + port / 8 + 1 > tr->limit) { /* two bytes are read always */
        return FAULT_GP0(c);
    }
    if (!lin_read(c, tr->base + base + port / 8, 2, false, &bits)) {
        return false;
    }
    return !(bits >> (port & 7) & bits_mask(size)) || FAULT_GP0(c);
}

static void io_seen(struct cpu *c, unsigned port, unsigned size, bool write, uint64_t v)
{
    if (c->s.cr4 & CR4_DE && c->s.dr[7] & 0xff) {
        access_watch_port(c, port, size);
    }
    if (c->hooks && c->hooks->port) {
        c->hooks->port(c->hooks_ctx, (uint16_t)port, size, write, (uint32_t)v);
    }
}

static uint64_t io_in(struct cpu *c, unsigned port, unsigned size)
{
    uint64_t v = bus_read(c->env.ports, port, size);
    io_seen(c, port, size, false, v);
    return v;
}

static void io_out(struct cpu *c, unsigned port, unsigned size, uint64_t v)
{
    io_seen(c, port, size, true, v);
    bus_write(c->env.ports, port, v, size);
}

static unsigned io_port(const struct cpu *c, const struct opnd *o, const struct insn *in)
{
    return o->kind == OPND_IMM ? in->imm & 0xff : c->s.gpr[REG_DX] & 0xffff;
}

bool op_in(struct cpu *c, const struct insn *in)
{
    unsigned port = io_port(c, &in->o[1], in), size = in->o[0].size;
    if (!io_allowed(c, port, size)) {
        return false;
    }
    reg_write(c, REG_AX, size, io_in(c, port, size));
    return true;
}

bool op_out(struct cpu *c, const struct insn *in)
{
    unsigned port = io_port(c, &in->o[0], in), size = in->o[1].size;
    if (!io_allowed(c, port, size)) {
        return false;
    }
    io_out(c, port, size, reg_read(c, REG_AX, size));
    return true;
}

/* Operand size of INS and OUTS: that of the memory operand where the decoder names one. */
static unsigned io_string_size(const struct insn *in)
{
    for (unsigned i = 0; i < 2; i++) {
        if (in->o[i].kind == OPND_MEM && in->o[i].size) {
            return in->o[i].size;
        }
    }
    return in->osize > 4 ? 4 : in->osize;
}

static bool io_string_done(const struct cpu *c, const struct insn *in)
{
    return in->flags & (INSN_REP | INSN_REPNE) && reg_read(c, REG_CX, in->asize) == 0;
}

/* Nothing to move: HW (Zen 4) looks at the permission all the same. */
static bool io_none_allowed(struct cpu *c, unsigned port, unsigned size)
{
    return !feat_has(&c->feat, FEAT_AMD) || io_allowed(c, port, size);
}

static void io_string_next(struct cpu *c, const struct insn *in, unsigned index, unsigned size)
{
    uint64_t step = c->s.rflags & FL_DF ? (uint64_t)0 - size : size;
    reg_write(c, index, in->asize, reg_read(c, index, in->asize) + step);
    if (in->flags & (INSN_REP | INSN_REPNE)) {
        uint64_t n = reg_read(c, REG_CX, in->asize) - 1;
        reg_write(c, REG_CX, in->asize, n);
        if (n & bits_mask(in->asize * 8u)) {
            c->next_rip = c->s.rip;
        }
    }
}

bool op_ins(struct cpu *c, const struct insn *in)
{
    unsigned size = io_string_size(in), port = c->s.gpr[REG_DX] & 0xffff;
    if (io_string_done(c, in)) {
        return io_none_allowed(c, port, size);
    }
    uint64_t di = reg_read(c, REG_DI, in->asize);
    /* a device must not be read for a store that faults */
    if (!io_allowed(c, port, size) || !mem_check_write(c, SEG_ES, di, size) ||
        !mem_write(c, SEG_ES, di, size, io_in(c, port, size))) {
        return false;
    }
    io_string_next(c, in, REG_DI, size);
    return true;
}

bool op_outs(struct cpu *c, const struct insn *in)
{
    unsigned size = io_string_size(in), port = c->s.gpr[REG_DX] & 0xffff;
    uint64_t v;
    if (io_string_done(c, in)) {
        return io_none_allowed(c, port, size);
    }
    if (!io_allowed(c, port, size) ||
        !mem_read(c, in->seg, reg_read(c, REG_SI, in->asize), size, &v)) {
        return false;
    }
    io_out(c, port, size, v);
    io_string_next(c, in, REG_SI, size);
    return true;
}
