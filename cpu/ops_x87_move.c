/* x87 data transfer: loads, stores, exchanges, constants, sign operations.
 *
 * SDM Vol. 1, "x87 FPU Data Transfer Instructions", "x87 FPU Load Constant Instructions"; Vol. 2A,
 * one section an instruction.
 * NOT IMPLEMENTED: nothing known. */
#include "cpu/ops_x87.h"

/* ---- loads ---- */

/* Push v, whose exceptions are in e. */
static bool load(struct cpu *c, const struct insn *in, struct fp_env *e, struct f80 v)
{
    x87_note(c, in);
    if (!x87_empty(c, 7)) {
        if (x87_overflow(c)) {
            x87_push(c, fp_indefinite80);
        }
        return true;
    }
    x87_raise(c, e, false);
    if (!(e->flags & ~e->mask & FP_IE)) { /* HW: a denormal is loaded even with #D unmasked */
        x87_push(c, v);
    }
    return true;
}

bool op_fld(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c);
    struct f80 v = {0};

    if (!x87_begin(c)) {
        return false;
    }
    if (!x87_has_mem(in)) {
        unsigned i = in->modrm & 7;
        if (x87_empty(c, i)) { /* HW: underflow comes before overflow */
            x87_note(c, in);
            if (x87_underflow(c)) {
                x87_push(c, fp_indefinite80);
            }
            return true;
        }
        return load(c, in, &e, x87_get(c, i));
    }
    if (x87_mem(in)->size == 10) {
        uint8_t buf[10];
        if (!mem_read_bytes(c, in->seg, insn_ea(c, in), buf, 10)) {
            return false;
        }
        v = (struct f80){load_le64(buf), load_le16(buf + 8)};
    } else {
        unsigned size = x87_mem(in)->size;
        uint64_t bits;
        if (!mem_read(c, in->seg, insn_ea(c, in), size, &bits)) {
            return false;
        }
        v = fp_widen80(&e, size == 4 ? FP_F32 : FP_F64, bits, true);
    }
    return load(c, in, &e, v);
}

bool op_fild(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c);
    unsigned size = x87_mem(in)->size;
    struct fp_num n;
    uint64_t v;

    if (!x87_begin(c) || !mem_read(c, in->seg, insn_ea(c, in), size, &v)) {
        return false;
    }
    n = fp_from_int(bits_sext(v, size * 8));
    return load(c, in, &e, fp_pack80(&n));
}

bool op_fbld(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c);
    uint8_t bcd[10];

    return x87_begin(c) && mem_read_bytes(c, in->seg, insn_ea(c, in), bcd, 10) &&
           load(c, in, &e, fp_from_bcd(bcd));
}

/* Constants are kept longer than a register and rounded by RC: down and zero give `low`, up gives
 * low + 1, nearest what `near` adds. */
static bool load_const(struct cpu *c, const struct insn *in, uint16_t se, uint64_t low,
                       unsigned near, bool exact)
{
    struct fp_env e = x87_env(c);

    if (!x87_begin(c)) {
        return false;
    }
    if (!exact) {
        low += e.rc == FP_RC_NEAREST ? near : e.rc == FP_RC_UP;
    }
    return load(c, in, &e, (struct f80){low, se});
}
#define CONSTANT(name, se, low, near, exact)                                                      \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return load_const(c, in, se, low, near, exact);                                           \
    }
CONSTANT(fld1, 0x3fff, 0x8000000000000000, 0, true)
CONSTANT(fldz, 0, 0, 0, true)
CONSTANT(fldpi, 0x4000, 0xc90fdaa22168c234, 1, false)
CONSTANT(fldl2t, 0x4000, 0xd49a784bcd1b8afe, 0, false)
CONSTANT(fldl2e, 0x3fff, 0xb8aa3b295c17f0bb, 1, false)
CONSTANT(fldlg2, 0x3ffd, 0x9a209a84fbcff798, 1, false)
CONSTANT(fldln2, 0x3ffe, 0xb17217f7d1cf79ab, 1, false)

/* ---- stores ---- */

/* Write `len` bytes with the exceptions in e, then pop if asked.  Memory first: it may fault. */
static bool store(struct cpu *c, const struct insn *in, const struct fp_env *e, const void *buf,
                  unsigned len, bool pop)
{
    bool stores = x87_stores(e, true);

    if (stores && !mem_write_bytes(c, in->seg, insn_ea(c, in), buf, len)) {
        return false;
    }
    x87_note(c, in);
    x87_raise(c, e, true);
    if (stores && pop) {
        x87_pop(c);
    }
    return true;
}

/* ST(0) is empty: store the indefinite when #IS is masked. */
static bool store_empty(struct cpu *c, const struct insn *in, const void *buf, unsigned len,
                        bool pop)
{
    bool stores = c->s.fcw & FP_IE;

    if (stores && !mem_write_bytes(c, in->seg, insn_ea(c, in), buf, len)) {
        return false;
    }
    x87_note(c, in);
    if (x87_underflow(c) && pop) {
        x87_pop(c);
    }
    return true;
}

static void f80_bytes(struct f80 v, uint8_t buf[10])
{
    store_le64(buf, v.man);
    store_le16(buf + 8, v.se);
}

static bool store_reg(struct cpu *c, const struct insn *in, bool pop)
{
    x87_note(c, in);
    if (x87_empty(c, 0) && in->imm >> 8 == 1) {
        c->s.fsw &= (uint16_t)~FSW_C1; /* HW: D9 D8+i pops an empty register, without a fault */
    } else if (x87_empty(c, 0)) {
        if (!x87_underflow(c)) {
            return true;
        }
        x87_put(c, in->modrm & 7, fp_indefinite80);
    } else {
        c->s.fsw &= (uint16_t)~FSW_C1;
        x87_put(c, in->modrm & 7, x87_get(c, 0));
    }
    if (pop) {
        x87_pop(c);
    }
    return true;
}

static bool store_real(struct cpu *c, const struct insn *in, bool pop)
{
    struct fp_env e = x87_env(c);
    unsigned size;
    uint8_t buf[10];
    uint64_t v;

    if (!x87_begin(c)) {
        return false;
    }
    if (!x87_has_mem(in)) {
        return store_reg(c, in, pop);
    }
    size = x87_mem(in)->size;
    if (size == 10) {
        f80_bytes(x87_empty(c, 0) ? fp_indefinite80 : x87_get(c, 0), buf);
    } else {
        struct fp_env unused = e;
        bool empty = x87_empty(c, 0);
        v = fp_narrow80(empty ? &unused : &e, size == 4 ? FP_F32 : FP_F64,
                        empty ? fp_indefinite80 : x87_get(c, 0));
        store_le(buf, v, size);
    }
    return x87_empty(c, 0) ? store_empty(c, in, buf, size, pop)
                           : store(c, in, &e, buf, size, pop);
}
bool op_fst(struct cpu *c, const struct insn *in)
{
    return store_real(c, in, false);
}
bool op_fstp(struct cpu *c, const struct insn *in)
{
    return store_real(c, in, true);
}

static bool store_int(struct cpu *c, const struct insn *in, bool pop, bool truncate)
{
    struct fp_env e = x87_env(c);
    unsigned size = x87_mem(in)->size;
    uint8_t buf[8];

    if (!x87_begin(c)) {
        return false;
    }
    if (x87_empty(c, 0)) {
        store_le(buf, (uint64_t)1 << (size * 8 - 1), size);
        return store_empty(c, in, buf, size, pop);
    }
    if (truncate) {
        e.rc = FP_RC_ZERO;
    }
    store_le(buf, (uint64_t)fp_to_int(&e, fp_unpack80(x87_get(c, 0)), size * 8), size);
    return store(c, in, &e, buf, size, pop);
}
bool op_fist(struct cpu *c, const struct insn *in)
{
    return store_int(c, in, false, false);
}
bool op_fistp(struct cpu *c, const struct insn *in)
{
    return store_int(c, in, true, false);
}
bool op_fisttp(struct cpu *c, const struct insn *in)
{
    return store_int(c, in, true, true);
}

bool op_fbstp(struct cpu *c, const struct insn *in)
{
    struct fp_env e = x87_env(c);
    uint8_t bcd[10];

    if (!x87_begin(c)) {
        return false;
    }
    if (x87_empty(c, 0)) {
        fp_to_bcd(&e, fp_indefinite80, bcd);
        return store_empty(c, in, bcd, 10, true);
    }
    fp_to_bcd(&e, x87_get(c, 0), bcd);
    return store(c, in, &e, bcd, 10, true);
}

/* ---- between registers ---- */

bool op_fxch(struct cpu *c, const struct insn *in)
{
    unsigned i = in->modrm & 7;
    struct f80 a, b;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    a = x87_empty(c, 0) ? fp_indefinite80 : x87_get(c, 0);
    b = x87_empty(c, i) ? fp_indefinite80 : x87_get(c, i);
    if (x87_empty(c, 0) || x87_empty(c, i)) {
        if (!x87_underflow(c)) {
            return true;
        }
    } else {
        c->s.fsw &= (uint16_t)~FSW_C1;
    }
    x87_put(c, 0, b);
    x87_put(c, i, a);
    return true;
}

static bool move_if(struct cpu *c, const struct insn *in, bool cond)
{
    unsigned i = in->modrm & 7;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (x87_empty(c, 0) || x87_empty(c, i)) {
        if (x87_underflow(c)) {
            x87_put(c, 0, fp_indefinite80);
        }
        return true;
    }
    if (cond) {
        x87_put(c, 0, x87_get(c, i));
    }
    return true;
}
#define FCMOV(name, cond)                                                                         \
    bool op_##name(struct cpu *c, const struct insn *in)                                          \
    {                                                                                             \
        return move_if(c, in, cond);                                                              \
    }
FCMOV(fcmovb, flag_cf(c))
FCMOV(fcmove, flag_zf(c))
FCMOV(fcmovbe, flag_cf(c) || flag_zf(c))
FCMOV(fcmovu, flag_pf(c))
FCMOV(fcmovnb, !flag_cf(c))
FCMOV(fcmovne, !flag_zf(c))
FCMOV(fcmovnbe, !flag_cf(c) && !flag_zf(c))
FCMOV(fcmovnu, !flag_pf(c))

static bool set_sign(struct cpu *c, const struct insn *in, uint16_t keep, uint16_t flip)
{
    struct f80 v;

    if (!x87_begin(c)) {
        return false;
    }
    x87_note(c, in);
    if (x87_empty(c, 0)) {
        if (x87_underflow(c)) {
            x87_put(c, 0, fp_indefinite80);
        }
        return true;
    }
    c->s.fsw &= (uint16_t)~FSW_C1;
    v = x87_get(c, 0);
    v.se = (uint16_t)((v.se & keep) ^ flip);
    x87_put(c, 0, v);
    return true;
}
bool op_fchs(struct cpu *c, const struct insn *in)
{
    return set_sign(c, in, 0xffff, 0x8000);
}
bool op_fabs(struct cpu *c, const struct insn *in)
{
    return set_sign(c, in, 0x7fff, 0);
}
