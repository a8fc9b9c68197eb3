/* SSE and SSE2 moves of floating-point elements, and their bitwise logic.
 *
 * SDM Vol. 1, "SSE Data Movement Instructions", "SSE Logical Instructions"; Vol. 2A/2B: "MOVSS",
 * "MOVLPS", "MOVHLPS", "ANDNPS".  Shuffles and interleaves are in ops_mmx_move.c: bits are bits.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

static bool move(struct cpu *c, const struct insn *in, bool aligned)
{
    uint64_t v[2];

    return sse_check(c) && vec_read(c, in, 1, aligned, v) && vec_write(c, in, aligned, v);
}
#define MOVE(name, aligned)                                                                       \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return move(c, in, aligned);                                                              \
    }
MOVE(movaps, true)
MOVE(movapd, true)
MOVE(movntps, true)
MOVE(movntpd, true)
MOVE(movups, false)
MOVE(movupd, false)

/* Register to register merges; from memory the rest is zeroed; to memory only the scalar. */
static bool move_scalar(struct cpu *c, const struct insn *in, uint64_t mask)
{
    uint64_t v[2];

    if (!sse_check(c) || !vec_read(c, in, 1, true, v)) {
        return false;
    }
    if (in->o[0].kind == OPND_XMM && in->o[1].kind == OPND_XMM) {
        uint64_t *d = c->s.ymm[in->o[0].reg];
        d[0] = (d[0] & ~mask) | (v[0] & mask);
        return true;
    }
    v[0] &= mask;
    v[1] = 0;
    return vec_write(c, in, true, v);
}
bool op_movss(struct cpu *c, const struct insn *in)
{
    return move_scalar(c, in, 0xffffffff);
}
bool op_movsd_x(struct cpu *c, const struct insn *in)
{
    return move_scalar(c, in, ~(uint64_t)0);
}

/* One half: load from or store to 8 bytes of memory. */
static bool move_half(struct cpu *c, const struct insn *in, unsigned half)
{
    uint64_t v;

    if (!sse_check(c)) {
        return false;
    }
    if (in->o[0].kind == OPND_MEM) {
        return mem_write(c, in->seg, insn_ea(c, in), 8, c->s.ymm[in->o[1].reg][half]);
    }
    if (!mem_read(c, in->seg, insn_ea(c, in), 8, &v)) {
        return false;
    }
    c->s.ymm[in->o[0].reg][half] = v;
    return true;
}
bool op_movlps(struct cpu *c, const struct insn *in)
{
    return move_half(c, in, 0);
}
bool op_movlpd(struct cpu *c, const struct insn *in)
{
    return move_half(c, in, 0);
}
bool op_movhps(struct cpu *c, const struct insn *in)
{
    return move_half(c, in, 1);
}
bool op_movhpd(struct cpu *c, const struct insn *in)
{
    return move_half(c, in, 1);
}
bool op_movhlps(struct cpu *c, const struct insn *in)
{
    if (!sse_check(c)) {
        return false;
    }
    c->s.ymm[in->o[0].reg][0] = c->s.ymm[in->o[1].reg][1];
    return true;
}
bool op_movlhps(struct cpu *c, const struct insn *in)
{
    if (!sse_check(c)) {
        return false;
    }
    c->s.ymm[in->o[0].reg][1] = c->s.ymm[in->o[1].reg][0];
    return true;
}

#define LOGIC(name, expr)                                                                         \
    FORCE_INLINE void logic_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)   \
    {                                                                                             \
        (void)wide, (void)imm;                                                                    \
        for (unsigned h = 0; h < 2; h++) {                                                        \
            uint64_t x = a[h], y = b[h];                                                          \
            a[h] = expr;                                                                          \
        }                                                                                         \
    }                                                                                             \
    VEC_OP(name##ps, logic_##name)                                                                \
    VEC_OP(name##pd, logic_##name)
LOGIC(and, x & y)
LOGIC(andn, ~x & y)
LOGIC(or, x | y)
LOGIC(xor, x ^ y)
