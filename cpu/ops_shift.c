/* Shifts, rotates, double shifts.  Counts are masked to 5 bits (6 with REX.W); a count of 0 changes
 * neither flags nor (for memory) more than a read would.  SDM Vol. 2B, "SAL/SAR/SHL/SHR". */
#include "cpu/alu.h"

enum shift_op { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAR };

FORCE_INLINE uint64_t shift_one(struct cpu *c, enum shift_op op, uint64_t a, unsigned n,
                                unsigned bits)
{
    switch (op) {
    case SH_ROL: return alu_rol(c, a, n, bits, true);
    case SH_ROR: return alu_ror(c, a, n, bits, true);
    case SH_RCL: return alu_rcl(c, a, n, bits);
    case SH_RCR: return alu_rcr(c, a, n, bits);
    case SH_SHL: return alu_shl(c, a, n, bits, true);
    case SH_SHR: return alu_shr(c, a, n, bits, true);
    default: return alu_sar(c, a, n, bits, true);
    }
}

FORCE_INLINE bool shift_exec(struct cpu *c, const struct insn *in, enum shift_op op)
{
    uint64_t a, n;
    unsigned size = in->o[0].size;
    if (!opnd_read_rmw(c, in, 0, &a) || !opnd_read(c, in, 1, &n)) {
        return false;
    }
    n &= size == 8 ? 63 : 31;
    if (!n) {
        /* still a write of the destination: 32-bit registers are zero-extended in 64-bit mode */
        return in->o[0].kind == OPND_MEM || opnd_write(c, in, 0, a);
    }
    uint64_t r;
    switch (size) {
    case 1: r = shift_one(c, op, a, (unsigned)n, 8); break;
    case 2: r = shift_one(c, op, a, (unsigned)n, 16); break;
    case 4: r = shift_one(c, op, a, (unsigned)n, 32); break;
    default: r = shift_one(c, op, a, (unsigned)n, 64); break;
    }
    return opnd_write(c, in, 0, r);
}

bool op_rol(struct cpu *c, const struct insn *in) { return shift_exec(c, in, SH_ROL); }
bool op_ror(struct cpu *c, const struct insn *in) { return shift_exec(c, in, SH_ROR); }
bool op_rcl(struct cpu *c, const struct insn *in) { return shift_exec(c, in, SH_RCL); }
bool op_rcr(struct cpu *c, const struct insn *in) { return shift_exec(c, in, SH_RCR); }
bool op_shl(struct cpu *c, const struct insn *in) { return shift_exec(c, in, SH_SHL); }
bool op_shr(struct cpu *c, const struct insn *in) { return shift_exec(c, in, SH_SHR); }
bool op_sar(struct cpu *c, const struct insn *in) { return shift_exec(c, in, SH_SAR); }

static bool shift_double(struct cpu *c, const struct insn *in, bool left)
{
    uint64_t a, b, n;
    unsigned bits = in->o[0].size * 8u;
    if (!opnd_read_rmw(c, in, 0, &a) || !opnd_read(c, in, 1, &b) || !opnd_read(c, in, 2, &n)) {
        return false;
    }
    n &= bits == 64 ? 63 : 31;
    if (!n) {
        return in->o[0].kind == OPND_MEM || opnd_write(c, in, 0, a);
    }
    uint64_t r = left ? alu_shld(c, a, b, (unsigned)n, bits) : alu_shrd(c, a, b, (unsigned)n, bits);
    return opnd_write(c, in, 0, r);
}

bool op_shld(struct cpu *c, const struct insn *in) { return shift_double(c, in, true); }
bool op_shrd(struct cpu *c, const struct insn *in) { return shift_double(c, in, false); }
