/* SSE, SSE2 and AVX moves of floating-point elements, and their bitwise logic.
 *
 * SDM Vol. 1, "SSE Data Movement Instructions", "SSE Logical Instructions"; Vol. 2A/2B: "MOVSS",
 * "MOVLPS", "MOVHLPS", "ANDNPS".  Shuffles and interleaves are in ops_mmx_move.c: bits are bits.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

static bool move(struct cpu *c, const struct insn *in, enum vec_align align)
{
    uint64_t v[4];

    return vec_ok(c, in) && vec_read(c, in, 1, align, v) && vec_store(c, in, align, v);
}
#define MOVE(name, align)                                                                         \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return move(c, in, align);                                                                \
    }
MOVE(movaps, VEC_ALWAYS)
MOVE(movapd, VEC_ALWAYS)
MOVE(movntps, VEC_ALWAYS)
MOVE(movntpd, VEC_ALWAYS)
MOVE(movups, VEC_ANY)
MOVE(movupd, VEC_ANY)

/* Register to register merges (VEX: into o1's other bits); from memory the rest is zeroed; to
 * memory only the scalar. */
static bool move_scalar(struct cpu *c, const struct insn *in, uint64_t mask)
{
    uint64_t a[4], v[4];
    unsigned s = vec_src(in);

    if (!vec_ok(c, in)) {
        return false;
    }
    if (in->o[0].kind == OPND_XMM && in->o[1].kind == OPND_XMM) {
        vec_load(c, in->o[s].reg, a);
        vec_load(c, in->o[s + 1].reg, v);
        a[0] = (a[0] & ~mask) | (v[0] & mask);
        return vec_store(c, in, VEC_ANY, a);
    }
    if (!vec_read(c, in, 1, VEC_ANY, v)) {
        return false;
    }
    v[0] &= mask;
    v[1] = 0;
    return vec_store(c, in, VEC_ANY, v);
}
bool op_movss(struct cpu *c, const struct insn *in)
{
    return move_scalar(c, in, 0xffffffff);
}
bool op_movsd_x(struct cpu *c, const struct insn *in)
{
    return move_scalar(c, in, ~(uint64_t)0);
}

/* Half `to` of the first source becomes half `from` of the second; memory has one half only. */
static bool move_half(struct cpu *c, const struct insn *in, unsigned to, unsigned from)
{
    uint64_t a[4], v[4];
    unsigned s = vec_src(in);

    if (!vec_ok(c, in)) {
        return false;
    }
    if (in->o[0].kind == OPND_MEM) {
        return mem_write(c, in->seg, insn_ea(c, in), 8, c->s.ymm[in->o[1].reg][to]);
    }
    if (!vec_read(c, in, s + 1, VEC_ANY, v)) {
        return false;
    }
    vec_load(c, in->o[s].reg, a);
    a[to] = v[from];
    return vec_store(c, in, VEC_ANY, a);
}
#define MOVE_HALF(name, to, from)                                                                 \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return move_half(c, in, to, from);                                                        \
    }
MOVE_HALF(movlps, 0, 0)
MOVE_HALF(movlpd, 0, 0)
MOVE_HALF(movhps, 1, 0)
MOVE_HALF(movhpd, 1, 0)
MOVE_HALF(movhlps, 0, 1)
MOVE_HALF(movlhps, 1, 0)

#define LOGIC(name, expr)                                                                         \
    LANES(name##ps, uint64_t, expr)                                                               \
    LANES(name##pd, uint64_t, expr)
LOGIC(and, x & y)
LOGIC(andn, ~x & y)
LOGIC(or, x | y)
LOGIC(xor, x ^ y)
