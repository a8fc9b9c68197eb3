/* Several integer instructions in a row for the host oracle: what an engine fuses, drops and
 * specialises.  Memory operands are [BP + displacement]; branches lead out of the sequence. */
#include <string.h>

#include "cpu/core.h"
#include "tests/cpu/oracle.h"

#define rnd oracle_rnd
#define below oracle_below

/* Operations that neither branch away nor touch what the sequence stands on. */
static bool may_stand(const struct insn *in)
{
    static const uint16_t ops[] = {
        OP_add, OP_or,     OP_adc,   OP_sbb,  OP_and,   OP_sub,     OP_xor,   OP_cmp,   OP_test,
        OP_inc, OP_dec,    OP_neg,   OP_not,  OP_xadd,  OP_cmpxchg, OP_rol,   OP_ror,   OP_rcl,
        OP_rcr, OP_shl,    OP_shr,   OP_sar,  OP_shld,  OP_shrd,    OP_mul,   OP_imul1, OP_imul,
        OP_bt,  OP_bts,    OP_btr,   OP_btc,  OP_bswap, OP_mov,     OP_movzx, OP_movsx, OP_xchg,
        OP_lea, OP_cmovcc, OP_setcc, OP_cbw,  OP_cwd,   OP_sahf,    OP_clc,   OP_stc,   OP_cmc,
        OP_cld, OP_std,    OP_nop,   OP_salc, OP_push,  OP_pop,     OP_jcc,   OP_movsxd};
    bool found = false;
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        found |= ops[i] == in->op;
    }
    for (unsigned i = 0; i < 3; i++) {
        const struct opnd *o = &in->o[i];
        if ((o->kind == OPND_GPR && (o->reg == REG_SP || o->reg == REG_BP)) ||
            (o->kind == OPND_MEM && o->size == 0 && in->op != OP_lea && in->op != OP_nop)) {
            return false;
        }
    }
    /* undefined for counts above 15 */
    if ((in->op == OP_shld || in->op == OP_shrd || in->op == OP_bswap) && in->osize == 2) {
        return false;
    }
    bool bit_string = in->op >= OP_bt && in->op <= OP_btc && in->o[0].kind == OPND_MEM &&
                      in->o[1].kind == OPND_GPR; /* reaches anywhere */
    return found && !bit_string;
}

static unsigned one(uint64_t *s, unsigned mode, const struct cpu_features *feat, uint8_t *at,
                    unsigned offset, struct insn *in)
{
    const struct oracle_enc *list, *e;
    unsigned count = oracle_encodings(feat, &list), n = 0;
    do {
        e = &list[below(s, count)];
    } while (e->mode != mode || e->map > 1 || e->op == OP_ud);
    if (e->pfx) {
        at[n++] = e->pfx;
    }
    if (mode == DECODE_64 && (e->w || below(s, 2))) {
        at[n++] = (uint8_t)(0x40 | e->w << 3 | below(s, 2) << 2 | (e->mem ? 0 : below(s, 2)));
    }
    if (e->map) {
        at[n++] = 0x0f;
    }
    at[n++] = e->opcode;
    unsigned rest = n + 1, modrm;
    for (unsigned i = n; i < 16; i++) {
        at[i] = (uint8_t)rnd(s);
    }
    if (e->modrm) {
        unsigned rm = mode == DECODE_16 ? 6 : 5, wide = mode == DECODE_16 ? 2 : 4;
        do {
            modrm = (unsigned)rnd(s) & 0xff;
        } while (!(e->modrms[modrm >> 5] >> (modrm & 31) & 1));
        if (e->mem) { /* [bp + disp8] or the long form */
            modrm = (modrm & 0x38) | rm | (below(s, 2) ? 0x40 : 0x80);
            if (!(e->modrms[modrm >> 5] >> (modrm & 31) & 1)) {
                return 0;
            }
            store_le(at + rest, below(s, 0x60), modrm < 0x80 ? 1 : wide);
        }
        at[n] = (uint8_t)modrm;
    }
    if (decode(at, 15, mode, feat, in) != DECODE_OK || in->op != e->op || !may_stand(in)) {
        return 0;
    }
    if (in->op == OP_mov && !(in->flags & INSN_MODRM) &&
        (in->o[0].kind == OPND_MEM || in->o[1].kind == OPND_MEM)) {
        return 0; /* moffs */
    }
    if (in->op == OP_jcc) {
        uint64_t rel = ORACLE_TAKEN_OFF - (uint64_t)(ORACLE_INSN_OFF + offset + in->len);
        store_le(at + n, rel, in->len - n);
    }
    return in->len;
}

void oracle_gen_seq(uint64_t number, const struct cpu_features *feat, struct oracle_seq *q)
{
    uint64_t seed = number * 0x9e3779b97f4a7c15 + 77, *s = &seed, base = 0;
    unsigned want = 2 + below(s, 8);
    memset(q, 0, sizeof *q);
    q->mode = (unsigned)(number % 3);
    while (q->count < want && q->len < ORACLE_SEQ_MAX - 16) {
        struct insn in;
        unsigned len = one(s, q->mode, feat, q->code + q->len, q->len, &in);
        q->len += len;
        q->count += len != 0;
    }
    oracle_state(s, &q->regs, false, false);
    q->regs.rflags &= ~(uint64_t)FL_AC;
    bool local = q->mode == DECODE_16 || (q->mode == DECODE_32 && below(s, 4) == 0);
    for (unsigned i = 0; i < 6; i++) {
        q->regs.sel[i] = local ? q->mode == DECODE_16 ? LDT_DATA16 : LDT_DATA32 : ORACLE_DS;
    }
    q->regs.sel[SEG_CS] = q->mode == DECODE_64 ? ORACLE_CS64
                          : !local             ? ORACLE_CS32
                          : q->mode == DECODE_16 ? LDT_CODE16
                                                 : LDT_CODE32;
    q->regs.sel[SEG_FS] = q->regs.sel[SEG_GS] = 0;
    base = local ? ORACLE_DATA : 0;
    q->regs.rip = ORACLE_INSN_OFF + (local ? 0 : ORACLE_CODE);
    for (unsigned r = 0; r < 16; r++) {
        q->regs.gpr[r] &= q->mode == DECODE_64 ? ~(uint64_t)0 : r < 8 ? 0xffffffff : 0;
    }
    q->regs.gpr[REG_SP] = ORACLE_DATA + 0x1000 + 8 * below(s, 64) - base;
    q->regs.gpr[REG_BP] = ORACLE_DATA + 0x800 - base;
}
