/* Saved processor state: FXSAVE, FXRSTOR, the XSAVE family, XCR0.
 * SDM Vol. 1, "Managing State Using the XSAVE Feature Set"; Vol. 2A, "FXSAVE", tables of the
 * memory region; Vol. 2D, "XSAVE", "XSAVEC", "XRSTOR".
 *
 *      0  FXSAVE image (x87, MXCSR at 24, XMM from 160)
 *    512  header: XSTATE_BV, XCOMP_BV, 48 bytes that are zero
 *    576  upper halves of YMM0..15 (the same place in both formats: nothing lies before it)
 *
 * XSAVEOPT leaves out what is in its initial configuration, never what is merely unmodified.
 * NOT IMPLEMENTED: XSAVES, XRSTORS (no supervisor states). */
#include "cpu/ops_x87.h"
#include "cpu/protect.h"

enum { X_FPU = 1, X_SSE = 2, X_AVX = 4 };
enum { FX_XMM = 160, FX_LEN = 512, XS_HEADER = 512, XS_AVX = 576, XS_LEN = 832 };
#define XCOMP_FORMAT ((uint64_t)1 << 63)

static unsigned regs_in_use(const struct cpu *c) /* vector registers of the present mode */
{
    return c->mode & MODE_CODE64 ? 16 : 8;
}

/* ---- the parts of the image ---- */

static void x87_image(const struct cpu *c, bool wide, uint8_t *p)
{
    store_le16(p, c->s.fcw);
    store_le16(p + 2, c->s.fsw);
    p[4] = c->s.ftag;
    p[5] = 0;
    store_le16(p + 6, c->s.fop & 0x7ff);
    if (wide) {
        store_le64(p + 8, c->s.fip);
        store_le64(p + 16, c->s.fdp);
    } else {
        store_le32(p + 8, (uint32_t)c->s.fip);
        store_le32(p + 12, c->s.fcs);
        store_le32(p + 16, (uint32_t)c->s.fdp);
        store_le32(p + 20, c->s.fds);
    }
    for (unsigned i = 0; i < 8; i++) {
        struct f80 r = x87_get(c, i);
        store_le64(p + 32 + i * 16, r.man);
        store_le64(p + 40 + i * 16, r.se);
    }
}

static void x87_load_image(struct cpu *c, bool wide, const uint8_t *p)
{
    x87_set_control(c, load_le16(p), load_le16(p + 2));
    c->s.ftag = p[4];
    c->s.fop = load_le16(p + 6) & 0x7ff;
    if (wide) {
        c->s.fip = load_le64(p + 8);
        c->s.fdp = load_le64(p + 16);
    } else {
        c->s.fip = load_le32(p + 8);
        c->s.fcs = load_le16(p + 12);
        c->s.fdp = load_le32(p + 16);
        c->s.fds = load_le16(p + 20);
    }
    for (unsigned i = 0; i < 8; i++) {
        c->s.st[x87_phys(c, i)] =
            (struct f80){load_le64(p + 32 + i * 16), load_le16(p + 40 + i * 16)};
    }
}

static void vec_image(const struct cpu *c, unsigned half, uint8_t *p)
{
    for (unsigned i = 0; i < regs_in_use(c); i++) {
        store_le64(p + i * 16, c->s.ymm[i][half]);
        store_le64(p + i * 16 + 8, c->s.ymm[i][half + 1]);
    }
}

/* p NULL: the initial configuration. */
static void vec_load_image(struct cpu *c, unsigned half, const uint8_t *p)
{
    for (unsigned i = 0; i < regs_in_use(c); i++) {
        c->s.ymm[i][half] = p ? load_le64(p + i * 16) : 0;
        c->s.ymm[i][half + 1] = p ? load_le64(p + i * 16 + 8) : 0;
    }
}

static void mxcsr_image(const struct cpu *c, uint8_t *p)
{
    store_le32(p + 24, c->s.mxcsr);
    store_le32(p + 28, MXCSR_MASK);
}

/* ---- FXSAVE ---- */

static uint64_t xs_lin(const struct cpu *c, const struct insn *in, uint64_t ea)
{
    bool base = !(c->mode & MODE_CODE64) || (in->seg >= SEG_FS && in->seg < SEG_COUNT);
    return ea + (base ? c->s.seg[in->seg].base : 0);
}

static bool fx_begin(struct cpu *c, const struct insn *in)
{
    if (c->s.cr0 & (CR0_EM | CR0_TS)) {
        return FAULT_NM(c);
    }
    return !(xs_lin(c, in, insn_ea(c, in)) & 15) || FAULT_GP0(c);
}

/* How many bytes of the image are in use: with XMM registers only under CR4.OSFXSR. */
static unsigned fx_len(const struct cpu *c)
{
    return c->s.cr4 & CR4_OSFXSR ? FX_XMM + regs_in_use(c) * 16 : FX_XMM;
}

bool op_fxsave(struct cpu *c, const struct insn *in)
{
    uint8_t buf[FX_LEN];
    unsigned len = fx_len(c);

    if (!fx_begin(c, in)) {
        return false;
    }
    x87_image(c, in->osize == 8, buf);
    mxcsr_image(c, buf);
    vec_image(c, 0, buf + FX_XMM);
    return mem_write_bytes(c, in->seg, insn_ea(c, in), buf, len);
}

bool op_fxrstor(struct cpu *c, const struct insn *in)
{
    uint8_t buf[FX_LEN];
    unsigned len = fx_len(c);

    if (!fx_begin(c, in) || !mem_read_bytes(c, in->seg, insn_ea(c, in), buf, len)) {
        return false;
    }
    if (load_le32(buf + 24) & ~MXCSR_MASK) {
        return FAULT_GP0(c);
    }
    x87_load_image(c, in->osize == 8, buf);
    c->s.mxcsr = load_le32(buf + 24);
    if (len > FX_XMM) {
        vec_load_image(c, 0, buf + FX_XMM);
    }
    return true;
}

/* ---- XSAVE ---- */

/* XINUSE: which components are not in their initial configuration. */
static uint64_t xs_in_use(const struct cpu *c)
{
    uint64_t fpu = (uint64_t)(c->s.fcw ^ 0x37f) | c->s.fsw | c->s.ftag | c->s.fop | c->s.fip |
                   c->s.fdp | c->s.fcs | c->s.fds;
    uint64_t sse = 0, avx = 0;
    for (unsigned i = 0; i < 8; i++) {
        fpu |= c->s.st[i].man | c->s.st[i].se;
    }
    for (unsigned i = 0; i < 16; i++) {
        sse |= c->s.ymm[i][0] | c->s.ymm[i][1];
        avx |= c->s.ymm[i][2] | c->s.ymm[i][3];
    }
    return (fpu ? X_FPU : 0) | (sse ? X_SSE : 0) | (avx ? X_AVX : 0);
}

static bool xs_begin(struct cpu *c, const struct insn *in, uint64_t *ea, uint64_t *rfbm)
{
    *ea = insn_ea(c, in);
    *rfbm = (reg_read(c, REG_AX, 4) | reg_read(c, REG_DX, 4) << 32) & c->s.xcr0;
    if (!(c->s.cr4 & CR4_OSXSAVE)) {
        return FAULT_UD(c);
    }
    if (c->s.cr0 & CR0_TS) {
        return FAULT_NM(c);
    }
    return !(xs_lin(c, in, *ea) & 63) || FAULT_GP0(c);
}

static uint64_t xs_at(const struct insn *in, uint64_t ea, unsigned off)
{
    return (ea + off) & bits_mask(in->asize * 8u);
}

/* Every byte that will be stored can be: a fault leaves the area as it was. */
static bool xs_check(struct cpu *c, const struct insn *in, uint64_t ea)
{
    unsigned rest = c->s.xcr0 & X_AVX ? XS_AVX - XS_HEADER + regs_in_use(c) * 16
                                      : XS_AVX - XS_HEADER;
    return mem_check_write(c, in->seg, ea, FX_LEN) &&
           mem_check_write(c, in->seg, xs_at(in, ea, XS_HEADER), rest);
}

/* mxcsr: that register goes with SSE or AVX, XSAVEC: with SSE alone. */
static bool xs_store(struct cpu *c, const struct insn *in, uint64_t ea, uint64_t what, bool mxcsr)
{
    uint8_t buf[FX_LEN];
    unsigned regs = regs_in_use(c) * 16;
    if (what & X_FPU) {
        x87_image(c, in->osize == 8, buf);
        if (!mem_write_bytes(c, in->seg, ea, buf, 24) ||
            !mem_write_bytes(c, in->seg, xs_at(in, ea, 32), buf + 32, 128)) {
            return false;
        }
    }
    if (mxcsr) {
        mxcsr_image(c, buf);
        if (!mem_write_bytes(c, in->seg, xs_at(in, ea, 24), buf + 24, 8)) {
            return false;
        }
    }
    if (what & X_SSE) {
        vec_image(c, 0, buf);
        if (!mem_write_bytes(c, in->seg, xs_at(in, ea, FX_XMM), buf, regs)) {
            return false;
        }
    }
    if (what & X_AVX) {
        vec_image(c, 2, buf);
        return mem_write_bytes(c, in->seg, xs_at(in, ea, XS_AVX), buf, regs);
    }
    return true;
}

static bool xs_save(struct cpu *c, const struct insn *in, bool optimized)
{
    uint64_t ea, rfbm, old, used = xs_in_use(c);
    if (!xs_begin(c, in, &ea, &rfbm) || !xs_check(c, in, ea) ||
        !mem_read(c, in->seg, xs_at(in, ea, XS_HEADER), 8, &old)) {
        return false;
    }
    return xs_store(c, in, ea, optimized ? rfbm & used : rfbm, rfbm & (X_SSE | X_AVX)) &&
           mem_write(c, in->seg, xs_at(in, ea, XS_HEADER), 8, (old & ~rfbm) | (used & rfbm));
}
bool op_xsave(struct cpu *c, const struct insn *in) { return xs_save(c, in, false); }
bool op_xsaveopt(struct cpu *c, const struct insn *in) { return xs_save(c, in, true); }

bool op_xsavec(struct cpu *c, const struct insn *in)
{
    uint64_t ea, rfbm;
    if (!xs_begin(c, in, &ea, &rfbm) || !xs_check(c, in, ea)) {
        return false;
    }
    uint64_t what = rfbm & (xs_in_use(c) | (c->s.mxcsr != 0x1f80 ? X_SSE : 0));
    return xs_store(c, in, ea, what, what & X_SSE) &&
           mem_write(c, in->seg, xs_at(in, ea, XS_HEADER), 8, what) &&
           mem_write(c, in->seg, xs_at(in, ea, XS_HEADER + 8), 8, rfbm | XCOMP_FORMAT);
}

/* The header's rules; false: #GP. */
static bool xs_header_ok(const struct cpu *c, const uint8_t *h)
{
    uint64_t bv = load_le64(h), comp = load_le64(h + 8);
    if (comp & XCOMP_FORMAT) {
        if (!feat_has(&c->feat, FEAT_XSAVEC) || comp & ~XCOMP_FORMAT & ~c->s.xcr0 ||
            bv & ~comp) {
            return false;
        }
        for (unsigned i = 16; i < 64; i++) {
            if (h[i]) {
                return false;
            }
        }
        return true;
    }
    return !comp && !load_le64(h + 16) && !(bv & ~c->s.xcr0);
}

bool op_xrstor(struct cpu *c, const struct insn *in)
{
    uint8_t fx[FX_LEN], rest[XS_LEN - XS_HEADER];
    uint64_t ea, rfbm;
    if (!xs_begin(c, in, &ea, &rfbm) || !mem_read_bytes(c, in->seg, ea, fx, FX_LEN) ||
        !mem_read_bytes(c, in->seg, xs_at(in, ea, XS_HEADER), rest, XS_AVX - XS_HEADER)) {
        return false;
    }
    if (!xs_header_ok(c, rest)) {
        return FAULT_GP0(c);
    }
    bool compact = load_le64(rest + 8) & XCOMP_FORMAT;
    uint64_t bv = load_le64(rest), load = rfbm & bv;
    if (load & X_AVX &&
        !mem_read_bytes(c, in->seg, xs_at(in, ea, XS_AVX), rest + (XS_AVX - XS_HEADER),
                        regs_in_use(c) * 16)) {
        return false;
    }
    bool mxcsr = compact ? load & X_SSE : rfbm & (X_SSE | X_AVX);
    if (mxcsr && load_le32(fx + 24) & ~MXCSR_MASK) {
        return FAULT_GP0(c);
    }
    /* nothing can fault any more */
    if (mxcsr) {
        c->s.mxcsr = load_le32(fx + 24);
    } else if (compact && rfbm & X_SSE) {
        c->s.mxcsr = 0x1f80;
    }
    if (load & X_FPU) {
        x87_load_image(c, in->osize == 8, fx);
    } else if (rfbm & X_FPU) {
        x87_init(c);
        memset(c->s.st, 0, sizeof c->s.st);
    }
    if (rfbm & X_SSE) {
        vec_load_image(c, 0, load & X_SSE ? fx + FX_XMM : NULL);
    }
    if (rfbm & X_AVX) {
        vec_load_image(c, 2, load & X_AVX ? rest + (XS_AVX - XS_HEADER) : NULL);
    }
    return true;
}

/* ---- XCR0 ---- */

bool op_xgetbv(struct cpu *c, const struct insn *in)
{
    uint64_t v = c->s.xcr0, index = reg_read(c, REG_CX, 4);
    (void)in;
    if (!(c->s.cr4 & CR4_OSXSAVE)) {
        return FAULT_UD(c);
    }
    if (index == 1 && feat_has(&c->feat, FEAT_XGETBV1)) {
        v &= xs_in_use(c) | (c->s.mxcsr != 0x1f80 ? X_SSE : 0);
    } else if (index) {
        return FAULT_GP0(c);
    }
    reg_write(c, REG_AX, 4, v);
    reg_write(c, REG_DX, 4, v >> 32);
    return true;
}

bool op_xsetbv(struct cpu *c, const struct insn *in)
{
    uint64_t v = reg_read(c, REG_AX, 4) | reg_read(c, REG_DX, 4) << 32;
    uint64_t mask = X_FPU | X_SSE | (feat_has(&c->feat, FEAT_AVX) ? X_AVX : 0);
    (void)in;
    if (!(c->s.cr4 & CR4_OSXSAVE)) {
        return FAULT_UD(c);
    }
    if (c->s.cpl || reg_read(c, REG_CX, 4) || v & ~mask || !(v & X_FPU) ||
        (v & (X_SSE | X_AVX)) == X_AVX) {
        return FAULT_GP0(c);
    }
    c->s.xcr0 = v;
    return true;
}
