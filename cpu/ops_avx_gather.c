/* AVX2 gathers: every element from an address of its own, under a mask that keeps account.
 *
 * SDM Vol. 2C, "VGATHERDPS/VGATHERQPS", "VPGATHERDD/VPGATHERQD" and the forms of 64-bit elements;
 * Vol. 2A, "Vector SIB (VSIB) Memory Addressing".
 * An element that has arrived clears its mask; a fault leaves those before it in the destination,
 * so that the instruction started again goes on behind them.  HW: the other elements' masks, which
 * the SDM's pseudocode widens first, and the upper halves are then as they were.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_vec.h"

static uint64_t element_off(const struct cpu *c, const struct insn *in, const uint64_t idx[4],
                            unsigned i, unsigned bits)
{
    uint64_t a = (uint64_t)in->disp + ((uint64_t)bits_sext(lane_get(idx, i, bits), bits)
                                       << in->scale);
    if (in->base < 16) {
        a += c->s.gpr[in->base];
    }
    return a & bits_mask(in->asize * 8u);
}

/* size: of an element; bits: of an index. */
static bool gather(struct cpu *c, const struct insn *in, unsigned size, unsigned bits)
{
    const struct opnd *dst = &in->o[0], *msk = &in->o[2];
    unsigned n = dst->size / size, width = size * 8;
    uint64_t a[4], m[4], idx[4], x;

    if (!vec_ok(c, in)) {
        return false;
    }
    if (dst->reg == msk->reg || dst->reg == in->index || msk->reg == in->index) {
        return FAULT_UD(c);
    }
    vec_load(c, dst->reg, a);
    vec_load(c, msk->reg, m);
    vec_load(c, in->index, idx);
    for (unsigned i = 0; i < n; i++) {
        if (lane_get(m, i, width) >> (width - 1)) {
            if (!mem_read(c, in->seg, element_off(c, in, idx, i, bits), size, &x)) {
                memcpy(c->s.ymm[dst->reg], a, 32);
                memcpy(c->s.ymm[msk->reg], m, 32);
                return false;
            }
            lane_put(a, i, width, x);
        }
        lane_put(m, i, width, 0);
    }
    for (unsigned i = dst->size / 8; i < 4; i++) {
        a[i] = 0;
    }
    memcpy(c->s.ymm[dst->reg], a, 32);
    memset(c->s.ymm[msk->reg], 0, 32);
    return true;
}
#define GATHER(name, size, bits)                                                                  \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return gather(c, in, size, bits);                                                         \
    }
GATHER(vgatherdps, 4, 32)
GATHER(vgatherdpd, 8, 32)
GATHER(vgatherqps, 4, 64)
GATHER(vgatherqpd, 8, 64)
GATHER(vpgatherdd, 4, 32)
GATHER(vpgatherdq, 8, 32)
GATHER(vpgatherqd, 4, 64)
GATHER(vpgatherqq, 8, 64)
