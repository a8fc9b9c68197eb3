/* Bit tests, bit scans, byte swap.  SDM Vol. 2A "BSF".."BTS". */
#include "cpu/alu.h"

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static bool bits_exec(struct cpu *c, const struct insn *in, enum bit_op op)
{
    unsigned size = in->o[0].size, bits = size * 8;
    bool mem = in->o[0].kind == OPND_MEM;
    uint64_t n, a, ea = 0;
    if (!opnd_read(c, in, 1, &n)) {
        return false;
    }
    if (mem) {
        ea = insn_ea(c, in);
        if (in->o[1].kind == OPND_GPR) {
            /* a register index is signed and reaches beyond the operand */
            int64_t word = bits_sext(n, bits) >> (size == 2 ? 4 : size == 4 ? 5 : 6);
            ea = (ea + (uint64_t)(word * (int64_t)size)) & bits_mask(in->asize * 8u);
        }
        if (!(op == BIT_TEST ? mem_read(c, in->seg, ea, size, &a)
                             : mem_read_rmw(c, in->seg, ea, size, &a))) {
            return false;
        }
    } else {
        a = reg_read(c, in->o[0].reg, size);
    }
    uint64_t bit = (uint64_t)1 << (n & (bits - 1));
    uint64_t r = op == BIT_SET ? a | bit : op == BIT_RESET ? a & ~bit : a ^ bit;
    if (op != BIT_TEST) {
        if (mem) {
            if (!mem_write(c, in->seg, ea, size, r)) {
                return false;
            }
        } else {
            reg_write(c, in->o[0].reg, size, r);
        }
    }
    /* only CF is defined; HW: the others are unchanged */
    bool of = flag_of(c), cf = (a & bit) != 0;
    alu_rot_flags(c, cf, of);
    return true;
}

bool op_bt(struct cpu *c, const struct insn *in) { return bits_exec(c, in, BIT_TEST); }
bool op_bts(struct cpu *c, const struct insn *in) { return bits_exec(c, in, BIT_SET); }
bool op_btr(struct cpu *c, const struct insn *in) { return bits_exec(c, in, BIT_RESET); }
bool op_btc(struct cpu *c, const struct insn *in) { return bits_exec(c, in, BIT_COMPLEMENT); }

static bool bits_scan(struct cpu *c, const struct insn *in, bool forward)
{
    uint64_t a;
    if (!opnd_read(c, in, 1, &a)) {
        return false;
    }
    if (!a) {
        alu_scan_flags(c, 0, true);
        return true;
    }
    unsigned n = forward ? (unsigned)__builtin_ctzll(a) : 63 - (unsigned)__builtin_clzll(a);
    alu_scan_flags(c, n, false);
    return opnd_write(c, in, 0, n);
}

bool op_bsf(struct cpu *c, const struct insn *in) { return bits_scan(c, in, true); }
bool op_bsr(struct cpu *c, const struct insn *in) { return bits_scan(c, in, false); }

bool op_bswap(struct cpu *c, const struct insn *in)
{
    unsigned r = in->o[0].reg, size = in->o[0].size;
    uint64_t v = c->s.gpr[r];
    if (size == 8) {
        v = __builtin_bswap64(v);
    } else if (size == 4) {
        v = __builtin_bswap32((uint32_t)v);
    } else {
        v = 0; /* 16-bit operand is undefined; HW: gives 0 */
    }
    reg_write(c, r, size, v);
    return true;
}
