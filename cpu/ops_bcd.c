/* Decimal adjustment.  SDM Vol. 2A, "AAA" to "AAS", "DAA", "DAS"; flags that the SDM leaves
 * undefined as hardware sets them (tests/cpu/test_oracle.c). */
#include "cpu/alu.h"

static void bcd_set(struct cpu *c, uint64_t al, bool cf, bool af, bool of)
{
    flags_logic(c, al, 8);
    alu_cf_of(c, cf, of, af);
}

static bool bcd_das_daa(struct cpu *c, bool sub)
{
    uint8_t al = (uint8_t)c->s.gpr[REG_AX], old = al;
    bool cf = flag_cf(c), af = flag_af(c), ncf = false;
    if ((al & 15) > 9 || af) {
        ncf = cf || (sub ? al < 6 : al > 0xf9);
        al = (uint8_t)(sub ? al - 6 : al + 6);
        af = true;
    }
    if (old > 0x99 || cf) {
        al = (uint8_t)(sub ? al - 0x60 : al + 0x60);
        ncf = true;
    }
    /* OF is undefined; HW (AMD Zen): the signed overflow of the whole adjustment */
    bool of = sub ? ((old & ~al) >> 7 & 1) : ((~old & al) >> 7 & 1);
    reg_write(c, REG_AX, 1, al);
    bcd_set(c, al, ncf, af, of);
    return true;
}

bool op_daa(struct cpu *c, const struct insn *in)
{
    (void)in;
    return bcd_das_daa(c, false);
}

bool op_das(struct cpu *c, const struct insn *in)
{
    (void)in;
    return bcd_das_daa(c, true);
}

static bool bcd_ascii(struct cpu *c, bool sub)
{
    uint16_t ax = (uint16_t)c->s.gpr[REG_AX];
    bool adj = (ax & 15) > 9 || flag_af(c);
    if (adj) {
        ax = (uint16_t)(sub ? ax - 0x106 : ax + 0x106);
    }
    ax &= 0xff0f;
    reg_write(c, REG_AX, 2, ax);
    /* SF ZF PF OF are undefined; HW: of the adjusted AL */
    bcd_set(c, ax & 0xff, adj, adj, false);
    return true;
}

bool op_aaa(struct cpu *c, const struct insn *in)
{
    (void)in;
    return bcd_ascii(c, false);
}

bool op_aas(struct cpu *c, const struct insn *in)
{
    (void)in;
    return bcd_ascii(c, true);
}

bool op_aam(struct cpu *c, const struct insn *in)
{
    unsigned base = in->imm & 0xff, al = c->s.gpr[REG_AX] & 0xff;
    if (!base) {
        return cpu_fault(c, EXC_DE);
    }
    reg_write(c, REG_AX, 2, (al / base) << 8 | al % base);
    bcd_set(c, al % base, false, false, false);
    return true;
}

bool op_aad(struct cpu *c, const struct insn *in)
{
    unsigned al = c->s.gpr[REG_AX] & 0xff, ah = c->s.gpr[REG_AX] >> 8 & 0xff;
    uint8_t r = (uint8_t)(al + ah * (in->imm & 0xff));
    reg_write(c, REG_AX, 2, r);
    bcd_set(c, r, false, false, false);
    return true;
}
