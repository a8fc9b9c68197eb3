/* Floating-point arithmetic as functions of values: formats, environment, operations.
 *
 * IEEE 754 as x87 and SSE have it: SDM Vol. 1, "Floating-Point Exceptions", "x87 FPU Rounding",
 * "SIMD Floating-Point Exceptions", tables on NaN operands.  softfloat.c and softconv.c hold the
 * meanings in integers; host.c does the same with the host's own unit where it has one, and a
 * test holds the two to the same bits.  Nothing here knows a register, a stack or a fault. */
#pragma once
#include "base/bits.h"
#include "cpu/state.h"

typedef unsigned __int128 fp_u128;

/* Exception bits, as they lie in FSW and MXCSR (and, shifted, their masks in FCW and MXCSR). */
enum { FP_IE = 1, FP_DE = 2, FP_ZE = 4, FP_OE = 8, FP_UE = 16, FP_PE = 32, FP_ALL = 63 };
enum { FP_RC_NEAREST, FP_RC_DOWN, FP_RC_UP, FP_RC_ZERO };

enum fp_fmt { FP_F32, FP_F64, FP_F80, FP_F16 };
enum fp_op { FP_ADD, FP_SUB, FP_MUL, FP_DIV, FP_SQRT, FP_MIN, FP_MAX };
/* x*y+z, x*y-z, -(x*y)+z, -(x*y)-z; ADDSUB subtracts in even elements, SUBADD in odd ones. */
enum fp_fma { FMA_ADD, FMA_SUB, FMA_NADD, FMA_NSUB, FMA_ADDSUB, FMA_SUBADD };
enum fp_rel { FP_LESS, FP_EQUAL, FP_GREATER, FP_UNORDERED };

struct fp_env {
    uint8_t rc;    /* FP_RC_* */
    uint8_t prec;  /* x87 precision control: 24, 53 or 64 significant bits */
    uint8_t mask;  /* FP_* that are masked */
    uint8_t flags; /* FP_* raised so far */
    bool up;       /* the last rounding made the magnitude bigger: C1 */
    bool daz, ftz; /* MXCSR */
    /* FP_* that the guest's FSW or MXCSR has already.  host_*() may leave these out of `flags`. */
    uint8_t sticky;
};

/* A number taken apart.  FP_NUM: value = sig * 2^(exp - 63), bit 63 of sig set. */
enum fp_class { FP_ZERO, FP_NUM, FP_INF, FP_QNAN, FP_SNAN, FP_BAD };
struct fp_num {
    uint64_t sig; /* of a NaN: left-aligned as in f80, integer bit set */
    int32_t exp;
    uint8_t cls;  /* enum fp_class; FP_BAD: an encoding the x87 does not support */
    bool sign;
    bool den;     /* came from a denormal (or pseudo-denormal) encoding */
};

/* ---- packing (softfloat.c) ---- */
struct fp_num fp_unpack(enum fp_fmt f, uint64_t bits); /* f16, f32, f64 */
/* The same for a source of SSE arithmetic: denormals are zeros under DAZ. */
struct fp_num fp_unpack_daz(const struct fp_env *e, enum fp_fmt f, uint64_t bits);
struct fp_num fp_unpack80(struct f80 v);
uint64_t fp_pack(enum fp_fmt f, const struct fp_num *n);
struct f80 fp_pack80(const struct fp_num *n);
/* Round sign * hi.lo * 2^(exp - 63) (bit 63 of hi set; lo: what follows, its last bit sticky) to
 * format f (f80: to e->prec bits), with overflow and underflow as the masks say. */
struct fp_num fp_round(struct fp_env *e, enum fp_fmt f, bool sign, int32_t exp, uint64_t hi,
                       uint64_t lo);
struct fp_num fp_default_nan(void);
/* a's or b's NaN, whichever the x87 (f80) or SSE (f32, f64) rule picks; raises FP_IE for SNaNs. */
struct fp_num fp_nan2(struct fp_env *e, enum fp_fmt f, const struct fp_num *a,
                      const struct fp_num *b);
struct fp_num fp_calc(struct fp_env *e, enum fp_fmt f, enum fp_op op, struct fp_num a,
                      struct fp_num b);
/* Elements of a vector register. */
FORCE_INLINE unsigned fp_width(enum fp_fmt f)
{
    return f == FP_F16 ? 16 : f == FP_F32 ? 32 : 64;
}
FORCE_INLINE uint64_t fp_get(const uint64_t *v, enum fp_fmt f, unsigned i)
{
    unsigned at = i * fp_width(f);
    return v[at / 64] >> at % 64 & bits_mask(fp_width(f));
}
FORCE_INLINE void fp_set(uint64_t *v, enum fp_fmt f, unsigned i, uint64_t x)
{
    unsigned at = i * fp_width(f);
    uint64_t m = bits_mask(fp_width(f)) << at % 64;
    v[at / 64] = (v[at / 64] & ~m) | (x << at % 64 & m);
}
FORCE_INLINE bool fp_is_nan(const struct fp_num *n)
{
    return n->cls == FP_QNAN || n->cls == FP_SNAN;
}

/* ---- arithmetic: soft_ in integers, host_ by the host's unit, fp_ the one to call ---- */
uint64_t soft_bin(struct fp_env *e, enum fp_fmt f, enum fp_op op, uint64_t a, uint64_t b);
struct f80 soft_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b);
enum fp_rel soft_compare(struct fp_env *e, enum fp_fmt f, uint64_t a, uint64_t b, bool quiet);
/* x * y + z with one rounding; the signs of product and z turned as asked (softfma.c). */
uint64_t soft_fma(struct fp_env *e, enum fp_fmt f, bool neg_xy, bool neg_z, uint64_t x, uint64_t y,
                  uint64_t z);
enum fp_rel soft_compare80(struct fp_env *e, struct f80 a, struct f80 b, bool quiet);

/* ---- conversions (softconv.c) ---- */
/* To a signed integer of 16, 32 or 64 bits by e->rc; FP_IE: the integer indefinite. */
int64_t fp_to_int(struct fp_env *e, struct fp_num n, unsigned bits);
struct fp_num fp_from_int(int64_t v);
/* f32 or f64 to f80 as FLD does, or with SNaNs left as they are (an arithmetic operand). */
struct f80 fp_widen80(struct fp_env *e, enum fp_fmt f, uint64_t bits, bool quieten);
uint64_t fp_narrow80(struct fp_env *e, enum fp_fmt f, struct f80 v); /* FST m32, m64 */
uint64_t fp_convert(struct fp_env *e, enum fp_fmt to, enum fp_fmt from, uint64_t bits); /* SSE */
/* ROUNDSS and friends: to an integer in the same format by e->rc; FP_PE if that changed it. */
uint64_t fp_rint(struct fp_env *e, enum fp_fmt f, uint64_t bits);
uint64_t fp_int_to(struct fp_env *e, enum fp_fmt f, int64_t v); /* CVTSI2SS and friends */
struct f80 fp_rndint80(struct fp_env *e, struct f80 a);
struct f80 fp_scale80(struct fp_env *e, struct f80 a, struct f80 b);
/* *exponent gets the exponent as a number, the result is the significand. */
struct f80 fp_extract80(struct fp_env *e, struct f80 a, struct f80 *exponent);
/* FPREM (nearest false), FPREM1 (true).  *quot: low three quotient bits; *partial: C2. */
struct f80 fp_rem80(struct fp_env *e, struct f80 a, struct f80 b, bool nearest, unsigned *quot,
                    bool *partial);
/* 18 packed decimal digits and a sign. */
struct f80 fp_from_bcd(const uint8_t bcd[10]);
bool fp_to_bcd(struct fp_env *e, struct f80 a, uint8_t bcd[10]);

/* ---- 12-bit approximations (approx.c), f32 ---- */
uint32_t fp_rcp32(uint32_t a);
uint32_t fp_rsqrt32(uint32_t a);

/* ---- transcendental functions (trans.c) ---- */
enum fp_fn { FP_F2XM1, FP_FSIN, FP_FCOS, FP_FPTAN };
struct f80 fp_trans(struct fp_env *e, enum fp_fn fn, struct f80 a);
struct f80 fp_yl2x(struct fp_env *e, struct f80 x, struct f80 y, bool plus1);
struct f80 fp_patan(struct fp_env *e, struct f80 x, struct f80 y);

extern const struct f80 fp_indefinite80;

/* ---- what the operations call (host.c: the host's unit, else softfloat) ---- */
/* x87 ADD SUB MUL DIV SQRT under e->prec. */
struct f80 fp_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b);
/* n elements of f (up to 32 bytes) in r op= b; e->flags collects. */
void fp_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
               const uint64_t *b);
/* n elements r = x * y + z, as `kind` says; r may be any of them. */
void fp_fma(struct fp_env *e, enum fp_fmt f, enum fp_fma kind, unsigned n, uint64_t *r,
            const uint64_t *x, const uint64_t *y, const uint64_t *z);
/* The same by the host's unit alone: false when this host or environment cannot. */
bool host_bin80(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b, struct f80 *r);
bool host_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
                 const uint64_t *b);
bool host_fma(struct fp_env *e, enum fp_fmt f, enum fp_fma kind, unsigned n, uint64_t *r,
              const uint64_t *x, const uint64_t *y, const uint64_t *z);
void soft_packed(struct fp_env *e, enum fp_fmt f, enum fp_op op, unsigned n, uint64_t *r,
                 const uint64_t *b);
void soft_fma_packed(struct fp_env *e, enum fp_fmt f, enum fp_fma kind, unsigned n, uint64_t *r,
                     const uint64_t *x, const uint64_t *y, const uint64_t *z);
