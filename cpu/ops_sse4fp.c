/* SSE3's and SSE4.1's floating-point arithmetic: sums across elements, rounding, dot products.
 *
 * SDM Vol. 2A/2B: "ADDSUBPS", "HADDPS", "HSUBPS", "ROUNDPS", "DPPS" (its products are summed in
 * pairs, each sum rounded, and exceptions come operation by operation).
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_ssefp.h"

/* ---- ADDSUB: subtract in even elements, add in odd ones ---- */

static uint64_t negated(enum fp_fmt f, uint64_t v)
{
    struct fp_num n = fp_unpack(f, v);
    return fp_is_nan(&n) ? v : v ^ (uint64_t)1 << (fp_width(f) - 1);
}

static bool addsub(struct cpu *c, const struct insn *in, enum fp_fmt f)
{
    struct fp_env e = sse_env(c);
    unsigned n = sse_count(in, f);
    uint64_t a[4], b[4];

    if (!sse_ok(c, in) || !vec_read2(c, in, a, b)) {
        return false;
    }
    for (unsigned i = 0; i < n; i += 2) {
        fp_set(b, f, i, negated(f, fp_get(b, f, i)));
    }
    fp_packed(&e, f, FP_ADD, n, a, b);
    return sse_finish(c, in, &e, a);
}
bool op_addsubps(struct cpu *c, const struct insn *in)
{
    return addsub(c, in, FP_F32);
}
bool op_addsubpd(struct cpu *c, const struct insn *in)
{
    return addsub(c, in, FP_F64);
}

/* ---- HADD, HSUB: of neighbours; the first source's go to the lower half of each lane ---- */

static bool horizontal(struct cpu *c, const struct insn *in, enum fp_fmt f, enum fp_op op)
{
    struct fp_env e = sse_env(c);
    unsigned n = sse_count(in, f), lane = 128 / fp_width(f);
    uint64_t a[4], b[4], even[4] = {0}, odd[4] = {0};

    if (!sse_ok(c, in) || !vec_read2(c, in, a, b)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        const uint64_t *from = i % lane < lane / 2 ? a : b;
        unsigned at = i / lane * lane + i % (lane / 2) * 2;
        fp_set(even, f, i, fp_get(from, f, at));
        fp_set(odd, f, i, fp_get(from, f, at + 1));
    }
    fp_packed(&e, f, op, n, even, odd);
    memcpy(a, even, n * fp_width(f) / 8);
    return sse_finish(c, in, &e, a);
}
bool op_haddps(struct cpu *c, const struct insn *in)
{
    return horizontal(c, in, FP_F32, FP_ADD);
}
bool op_haddpd(struct cpu *c, const struct insn *in)
{
    return horizontal(c, in, FP_F64, FP_ADD);
}
bool op_hsubps(struct cpu *c, const struct insn *in)
{
    return horizontal(c, in, FP_F32, FP_SUB);
}
bool op_hsubpd(struct cpu *c, const struct insn *in)
{
    return horizontal(c, in, FP_F64, FP_SUB);
}

/* ---- ROUND: imm 1:0 the rounding, 2: by MXCSR instead, 3: no #P ---- */

static bool round_int(struct cpu *c, const struct insn *in, enum fp_fmt f, bool scalar)
{
    struct fp_env e = sse_env(c);
    uint64_t a[4] = {0}, b[4];

    if (!sse_ok(c, in) ||
        !(scalar ? vec_read2(c, in, a, b) : vec_read(c, in, 1, VEC_LEGACY, b))) {
        return false;
    }
    e.rc = in->imm & 4 ? e.rc : in->imm & 3;
    for (unsigned i = 0; i < (scalar ? 1 : sse_count(in, f)); i++) {
        fp_set(a, f, i, fp_rint(&e, f, fp_get(b, f, i)));
    }
    e.flags &= in->imm & 8 ? (uint8_t)~FP_PE : FP_ALL;
    return sse_finish(c, in, &e, a);
}
bool op_roundps(struct cpu *c, const struct insn *in)
{
    return round_int(c, in, FP_F32, false);
}
bool op_roundpd(struct cpu *c, const struct insn *in)
{
    return round_int(c, in, FP_F64, false);
}
bool op_roundss(struct cpu *c, const struct insn *in)
{
    return round_int(c, in, FP_F32, true);
}
bool op_roundsd(struct cpu *c, const struct insn *in)
{
    return round_int(c, in, FP_F64, true);
}

/* ---- DP: the sum of products, for the elements that the immediate selects ---- */

/* One step: a += or *= b.  Its exceptions are reported even if a later step faults. */
static bool step(struct cpu *c, struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n,
                 uint64_t a[4], const uint64_t b[4])
{
    e->flags = 0;
    fp_packed(e, f, op, n, a, b);
    return sse_raise(c, e);
}

static bool dot(struct cpu *c, const struct insn *in, enum fp_fmt f)
{
    struct fp_env e = sse_env(c);
    unsigned n = sse_count(in, f), lane = 128 / fp_width(f), imm = (unsigned)in->imm;
    uint64_t a[4], b[4], low[4] = {0};

    if (!sse_ok(c, in) || !vec_read2(c, in, a, b)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!(imm >> (4 + i % lane) & 1)) {
            fp_set(a, f, i, 0);
            fp_set(b, f, i, 0);
        }
    }
    if (!step(c, &e, f, FP_MUL, n, a, b)) {
        return false;
    }
    for (unsigned by = 1; by < lane; by *= 2) { /* every element gets the sum, in one order */
        for (unsigned i = 0; i < n; i++) {
            fp_set(low, f, i, fp_get(a, f, i & ~by));
            fp_set(b, f, i, fp_get(a, f, i | by));
        }
        memcpy(a, low, n * fp_width(f) / 8);
        if (!step(c, &e, f, FP_ADD, n, a, b)) {
            return false;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (!(imm >> i % lane & 1)) {
            fp_set(a, f, i, 0);
        }
    }
    vec_put(c, in, &in->o[0], a);
    return true;
}
bool op_dpps(struct cpu *c, const struct insn *in)
{
    return dot(c, in, FP_F32);
}
bool op_dppd(struct cpu *c, const struct insn *in)
{
    return dot(c, in, FP_F64);
}
