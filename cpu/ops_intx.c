/* Later integer instructions: MOVBE, CRC32, CMPXCHG16B, RDRAND, RDSEED.
 * SDM Vol. 2, the instructions by name; Vol. 1, "Random Number Generator Instructions". */
#include "cpu/alu.h"
#include "cpu/protect.h"

bool op_movbe(struct cpu *c, const struct insn *in)
{
    unsigned size = in->o[0].size;
    uint64_t v;
    return opnd_read(c, in, 1, &v) &&
           opnd_write(c, in, 0, __builtin_bswap64(v) >> (64 - size * 8));
}

/* The Castagnoli polynomial 11EDC6F41h, bits reversed. */
bool op_crc32(struct cpu *c, const struct insn *in)
{
    uint64_t v, crc = reg_read(c, in->o[0].reg, 4);
    if (!opnd_read(c, in, 1, &v)) {
        return false;
    }
    for (unsigned i = 0; i < in->o[1].size; i++, v >>= 8) {
        crc ^= v & 0xff;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    reg_write(c, in->o[0].reg, in->o[0].size, crc);
    return true;
}

bool op_cmpxchg16b(struct cpu *c, const struct insn *in)
{
    uint64_t ea = insn_ea(c, in), *g = c->s.gpr;
    uint8_t buf[16];
    if ((ea + (in->seg >= SEG_FS ? c->s.seg[in->seg].base : 0)) & 15) {
        return FAULT_GP0(c);
    }
    /* there is a write cycle in either case, so write faults come first */
    if (!mem_check_write(c, in->seg, ea, 16) || !mem_read_bytes(c, in->seg, ea, buf, 16)) {
        return false;
    }
    uint64_t lo = load_le64(buf), hi = load_le64(buf + 8);
    bool same = lo == g[REG_AX] && hi == g[REG_DX];
    if (same) {
        store_le64(buf, g[REG_BX]);
        store_le64(buf + 8, g[REG_CX]);
    }
    if (!mem_write_bytes(c, in->seg, ea, buf, 16)) {
        return false;
    }
    if (!same) {
        g[REG_AX] = lo;
        g[REG_DX] = hi;
    }
    alu_set_zf(c, same);
    return true;
}

/* splitmix64: the sequence is a function of the seed, which is state like any register, so that a
 * run can be repeated.  The seed is the board's business: host entropy, or a number. */
static bool random_number(struct cpu *c, const struct insn *in)
{
    uint64_t z = c->s.rng += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    flags_set_status(c, FL_CF); /* there is one, always; the others are cleared */
    return opnd_write(c, in, 0, z);
}
bool op_rdrand(struct cpu *c, const struct insn *in) { return random_number(c, in); }
bool op_rdseed(struct cpu *c, const struct insn *in) { return random_number(c, in); }
