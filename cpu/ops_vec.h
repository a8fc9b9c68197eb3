/* MMX, XMM and YMM operands: availability, reading, alignment, writing, and the stamps that make
 * an operation from a meaning.  SDM Vol. 1, "Programming with MMX", "Programming with SSE",
 * "Programming with AVX, FMA and AVX2"; Vol. 2A, "Instruction Exception Specification".
 *
 * A meaning is a function on one 128-bit lane (an MMX register is the lower half of one):
 * the same text makes the MMX, the SSE, the VEX.128 and the VEX.256 form.  Legacy: o0 = f(o0, o1);
 * VEX: o0 = f(o1, o2), the register's bits above the result become zero.  Lanes of 8 to 32 bits are
 * reached through pointers into the quadwords: the engine needs a little-endian host anyway. */
#pragma once
#include "cpu/ops_x87.h"

/* #UD in real and virtual-8086 mode and without CR4.OSXSAVE, XCR0.SSE and XCR0.AVX; #NM.  EM and
 * OSFXSR do not matter. */
bool avx_fault(struct cpu *c); /* ops_vec.c: which of them; false */
FORCE_INLINE bool avx_check(struct cpu *c)
{
    if ((c->s.cr0 & (CR0_PE | CR0_TS)) == CR0_PE && !(c->s.rflags & FL_VM) &&
        c->s.cr4 & CR4_OSXSAVE && (c->s.xcr0 & 6) == 6) {
        return true;
    }
    return avx_fault(c);
}
FORCE_INLINE bool vec_is_vex(const struct insn *in)
{
    return in->flags & INSN_VEX;
}
/* The first source's index; the second's is one more.  Unary operations read o[1] in both. */
FORCE_INLINE unsigned vec_src(const struct insn *in)
{
    return vec_is_vex(in);
}
FORCE_INLINE bool vec_wide(const struct insn *in) /* XMM form of an operation that has both */
{
    return in->o[0].kind == OPND_XMM || in->o[1].kind == OPND_XMM;
}
/* Is the instruction available?  One with an MMX and an XMM register also asks mmx_check(). */
FORCE_INLINE bool vec_ok(struct cpu *c, const struct insn *in)
{
    if (vec_is_vex(in)) {
        return avx_check(c);
    }
    if (vec_wide(in)) {
        return (!(c->s.cr0 & (CR0_EM | CR0_TS)) && c->s.cr4 & CR4_OSFXSR) || sse_check(c);
    }
    return mmx_check(c);
}

/* When a memory operand of 16 or 32 bytes must be aligned (#GP(0), by its linear address).
 * Smaller operands never must. */
enum vec_align {
    VEC_ANY,    /* never: MOVDQU and kin */
    VEC_LEGACY, /* unless VEX-encoded: nearly all operations */
    VEC_ALWAYS  /* MOVDQA and kin */
};
/* ops_vec.c: the memory operand, `size` bytes (1 to 32); the rest of v becomes zero. */
bool vec_mem_read(struct cpu *c, const struct insn *in, unsigned size, enum vec_align align,
                  uint64_t v[4]);
bool vec_mem_write(struct cpu *c, const struct insn *in, unsigned size, enum vec_align align,
                   const uint64_t v[4]);
/* ops_vec.c: operand i; operand 0: not only XMM registers. */
bool vec_read_any(struct cpu *c, const struct insn *in, unsigned i, enum vec_align align,
                  uint64_t v[4]);
bool vec_store_any(struct cpu *c, const struct insn *in, enum vec_align align,
                   const uint64_t v[4]);

FORCE_INLINE void vec_load(const struct cpu *c, unsigned reg, uint64_t v[4])
{
    memcpy(v, c->s.ymm[reg], 32);
}
/* Operand i into v: of an XMM register everything that is there, whatever the operand's size;
 * of anything else as many bytes as it has, the rest zero. */
FORCE_INLINE bool vec_read(struct cpu *c, const struct insn *in, unsigned i, enum vec_align align,
                           uint64_t v[4])
{
    if (in->o[i].kind == OPND_XMM) {
        vec_load(c, in->o[i].reg, v);
        return true;
    }
    return vec_read_any(c, in, i, align, v);
}
/* Both sources of a binary operation; the second first, as it may fault. */
FORCE_INLINE bool vec_read2(struct cpu *c, const struct insn *in, uint64_t a[4], uint64_t b[4])
{
    unsigned s = vec_src(in);
    return vec_read(c, in, s + 1, VEC_LEGACY, b) && vec_read(c, in, s, VEC_LEGACY, a);
}
/* XMM register o: legacy writes keep bits 255:128, VEX.128 (and scalars) zero them. */
FORCE_INLINE void vec_put(struct cpu *c, const struct insn *in, const struct opnd *o,
                          const uint64_t v[4])
{
    uint64_t *d = c->s.ymm[o->reg];

    d[0] = v[0];
    d[1] = v[1];
    if (o->size == 32) {
        d[2] = v[2];
        d[3] = v[3];
    } else if (vec_is_vex(in)) {
        d[2] = d[3] = 0;
    }
}
/* The whole of operand 0; of an MMX register the exponent becomes all ones. */
FORCE_INLINE bool vec_store(struct cpu *c, const struct insn *in, enum vec_align align,
                            const uint64_t v[4])
{
    if (in->o[0].kind == OPND_XMM) {
        vec_put(c, in, &in->o[0], v);
        return true;
    }
    return vec_store_any(c, in, align, v);
}
/* After an operation with an MMX register: TOP = 0, all tags valid. */
FORCE_INLINE void vec_done(struct cpu *c, const struct insn *in)
{
    if (in->o[0].kind == OPND_MMX || in->o[1].kind == OPND_MMX) {
        x87_mmx(c);
    }
}

/* ---- lane access where a pointer of the lane's type does not do ---- */

FORCE_INLINE uint64_t lane_get(const uint64_t *v, unsigned i, unsigned bits)
{
    unsigned per = 64 / bits;
    return bits_get(v[i / per], i % per * bits, bits);
}
FORCE_INLINE void lane_put(uint64_t *v, unsigned i, unsigned bits, uint64_t x)
{
    unsigned per = 64 / bits, sh = i % per * bits;
    uint64_t m = bits_mask(bits) << sh;
    v[i / per] = (v[i / per] & ~m) | (x << sh & m);
}

/* ---- from a meaning to an operation ----
 * Binary: a = f(a, b) for one 128-bit lane.  `wide` is false for an MMX register, whose upper half
 * is not looked at.  Unary: a = f(b); a's old value is not to be used.  imm: the immediate; the
 * upper lane gets it shifted right by hi_imm. */
typedef void vec_fn(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm);

FORCE_INLINE bool vec_finish(struct cpu *c, const struct insn *in, vec_fn *fn, unsigned hi_imm,
                             uint64_t a[4], const uint64_t b[4])
{
    unsigned imm = (unsigned)in->imm & 0xff;

    fn(a, b, in->o[0].kind != OPND_MMX, imm);
    if (in->o[0].size == 32) {
        fn(a + 2, b + 2, true, imm >> hi_imm);
    }
    (void)vec_store(c, in, VEC_ANY, a); /* a register */
    vec_done(c, in);
    return true;
}
FORCE_INLINE bool vec_op2(struct cpu *c, const struct insn *in, vec_fn *fn, unsigned hi_imm)
{
    uint64_t a[4], b[4];
    return vec_ok(c, in) && vec_read2(c, in, a, b) && vec_finish(c, in, fn, hi_imm, a, b);
}
FORCE_INLINE bool vec_op1(struct cpu *c, const struct insn *in, vec_fn *fn, unsigned hi_imm)
{
    uint64_t a[4] = {0}, b[4];
    return vec_ok(c, in) && vec_read(c, in, 1, VEC_LEGACY, b) &&
           vec_finish(c, in, fn, hi_imm, a, b);
}
#define VEC_OP_IMM(name, fn, hi_imm)                                                              \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return vec_op2(c, in, fn, hi_imm);                                                        \
    }
#define VEC_OP(name, fn) VEC_OP_IMM(name, fn, 0)
#define VEC_OP1_IMM(name, fn, hi_imm)                                                             \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return vec_op1(c, in, fn, hi_imm);                                                        \
    }
#define VEC_OP1(name, fn) VEC_OP1_IMM(name, fn, 0)

/* x and y are the sources' lanes of type `type`, the expression the result's. */
#define LANES(name, type, expr)                                                                   \
    FORCE_INLINE void lane_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)    \
    {                                                                                             \
        type *p = (type *)a;                                                                      \
        const type *q = (const type *)b;                                                          \
        (void)wide, (void)imm;                                                                    \
        for (unsigned i = 0; i < 16 / sizeof(type); i++) {                                        \
            type x = p[i], y = q[i];                                                              \
            p[i] = (type)(expr);                                                                  \
        }                                                                                         \
    }                                                                                             \
    VEC_OP(name, lane_##name)
/* x is the source's lane. */
#define LANES1(name, type, expr)                                                                  \
    FORCE_INLINE void lane_##name(uint64_t a[2], const uint64_t b[2], bool wide, unsigned imm)    \
    {                                                                                             \
        type *p = (type *)a;                                                                      \
        const type *q = (const type *)b;                                                          \
        (void)wide, (void)imm;                                                                    \
        for (unsigned i = 0; i < 16 / sizeof(type); i++) {                                        \
            type x = q[i];                                                                        \
            p[i] = (type)(expr);                                                                  \
        }                                                                                         \
    }                                                                                             \
    VEC_OP1(name, lane_##name)
