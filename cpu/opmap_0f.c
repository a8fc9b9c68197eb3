/* Two-byte opcodes, SDM Vol. 2D, table A-3, and groups 6 to 9 and 12 to 16 of table A-6.  What the
 * operands mean to an operation stands at the head of opmap.h.
 *
 * Rows that say `ud` with operands belong to extensions we do not have: they get the length right. */
#include "cpu/opmap.h"
#include "cpu/state.h"

/* MMX, with 66 the same on XMM registers (SSE2), with VEX and AVX2 also on YMM registers */
#define PACKED(name, f)                                                                            \
    BY_PFX(ROW2(name, Pq, Qq, .feat = FEAT_##f), I3(name, Vx, Hx, Wx))
#define MMX(name) PACKED(name, MMX)
#define MMXS(name) PACKED(name, SSE)  /* came to MMX with SSE, or with SSE2 */
#define MMX2(name) PACKED(name, SSE2)
#define MMXLOW(name)                                                                               \
    BY_PFX(ROW2(name, Pq, Qd, .feat = FEAT_MMX), I3(name, Vx, Hx, Wx))
#define SHIFT(name)                                                                                \
    BY_PFX(ROW2(name, Pq, Qq, .feat = FEAT_MMX), I3(name, Vx, Hx, Wo))
#define SHIFT_IMM(name)                                                                            \
    BY_PFX(ROW2(name, Nq, Ib, .feat = FEAT_MMX), I3(name, Hx, Ux, Ib))
/* ps, pd */
#define PSPD(name) BY_PFX(SSE3OP(name##ps, Vx, Hx, Wx), SSE23OP(name##pd, Vx, Hx, Wx))
/* ps, pd, ss, sd */
#define FP4(name)                                                                                  \
    BY_PFX(SSE3OP(name##ps, Vx, Hx, Wx), SSE23OP(name##pd, Vx, Hx, Wx),                            \
           SSE3OP(name##ss, Vd, Hd, Wd), SSE23OP(name##sd, Vq, Hq, Wq))
/* 256 bits with AVX2 only */
#define I2(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE2, .vex = VEX_OK | VEX_I256)
#define I3(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_SSE2, .vex = VEX_OK | VEX_I256)
/* no VEX form; VEX form; VEX form with L = 0 only */
#define SSE(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE)
#define SSE2(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE2)
#define SSEV(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE, .vex = VEX_OK)
#define SSE2V(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE2, .vex = VEX_OK)
#define SSE3V(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE3, .vex = VEX_OK)
#define SSE_L0(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE, .vex = VEX_OK | VEX_L0)
#define SSE2_L0(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE2, .vex = VEX_OK | VEX_L0)
#define SSE3OP(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_SSE, .vex = VEX_OK)
#define SSE23OP(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_SSE2, .vex = VEX_OK)
#define SSE33OP(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_SSE3, .vex = VEX_OK)
#define SSE3OP_L0(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_SSE, .vex = VEX_OK | VEX_L0)
#define SSE23OP_L0(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_SSE2, .vex = VEX_OK | VEX_L0)
#define FSGS(name) ROW1(name, Ry, .flags = F_ONLY64, .feat = FEAT_FSGSBASE)
#define HINT ROW1(nop, Ev, .feat = FEAT_P6)
#define JCC ROW1(jcc, Jz, .flags = F_NEAR | F_ENDS | F_CC)
#define BSF ROW2(bsf, Gv, Ev)
#define BSR ROW2(bsr, Gv, Ev)
#define SETCC ROW1(setcc, Eb, .flags = F_CC)
#define CMOV ROW2(cmovcc, Gv, Ev, .flags = F_CC, .feat = FEAT_CMOV)
#define BSWAP ROW1(bswap, Zv, .feat = FEAT_I486)
#define SIXTEEN(base, row)                                                                         \
    [base] = row, [base + 1] = row, [base + 2] = row, [base + 3] = row, [base + 4] = row,          \
    [base + 5] = row, [base + 6] = row, [base + 7] = row, [base + 8] = row, [base + 9] = row,      \
    [base + 10] = row, [base + 11] = row, [base + 12] = row, [base + 13] = row,                    \
    [base + 14] = row, [base + 15] = row

const struct op_row opmap_0f[256] = {
    [0x00] = BY_REG(ROW1(sldt, RvMw), ROW1(str, RvMw), ROW1(lldt, Ew), ROW1(ltr, Ew),
                    ROW1(verr, Ew), ROW1(verw, Ew)),
    [0x01] = BY_MOD(
        BY_REG(ROW1(sgdt, M, .flags = F_F64), ROW1(sidt, M, .flags = F_F64),
               ROW1(lgdt, M, .flags = F_F64), ROW1(lidt, M, .flags = F_F64), ROW1(smsw, RvMw),
               EMPTY, ROW1(lmsw, Ew, .flags = F_ENDS),
               ROW1(invlpg, M, .flags = F_ENDS, .feat = FEAT_I486)),
        BY_REG(EMPTY, /* VMX */
               BY_RM(ROW0(monitor, .feat = FEAT_MONITOR),
                     ROW0(mwait, .flags = F_ENDS, .feat = FEAT_MONITOR),
                     PFX_NP(ROW0(clac, .feat = FEAT_SMAP)),
                     PFX_NP(ROW0(stac, .feat = FEAT_SMAP))),
               BY_RM(PFX_NP(ROW0(xgetbv, .feat = FEAT_XSAVE)),
                     PFX_NP(ROW0(xsetbv, .flags = F_ENDS, .feat = FEAT_XSAVE))),
               EMPTY, /* SVM */
               ROW1(smsw, RvMw), EMPTY, ROW1(lmsw, Ew, .flags = F_ENDS),
               BY_RM(ROW0(swapgs, .flags = F_ONLY64 | F_ENDS, .feat = FEAT_LM),
                     ROW0(rdtscp, .feat = FEAT_RDTSCP)))),
    [0x02] = ROW2(lar, Gv, Ew),
    [0x03] = ROW2(lsl, Gv, Ew),
    /* AMD has SYSCALL in every mode, Intel in 64-bit mode only; with SYSENTER it is the other way
     * round (that AMD refuses it in compatibility mode, too, is the operation's business) */
    [0x05] = BY_FEAT(AMD, ROW0(syscall, .flags = F_ONLY64 | F_ENDS, .feat = FEAT_SYSCALL),
                     ROW0(syscall, .flags = F_ENDS, .feat = FEAT_SYSCALL)),
    [0x06] = ROW0(clts, .flags = F_ENDS),
    [0x07] = BY_FEAT(AMD, ROW0(sysret, .flags = F_ONLY64 | F_ENDS, .feat = FEAT_SYSCALL),
                     ROW0(sysret, .flags = F_ENDS, .feat = FEAT_SYSCALL)),
    [0x08] = ROW0(invd, .feat = FEAT_I486),
    [0x09] = ROW0(wbinvd, .feat = FEAT_I486),
    [0x0b] = ROW0(ud), /* UD2 */
    [0x0d] = BY_FEAT(AMD, ROW1(prefetch, Ev, .feat = FEAT_P6), ROW1(prefetch, M, .feat = FEAT_P6)),
    [0x0f] = {.kind = K_3D},

    [0x10] = BY_PFX(SSEV(movups, Vx, Wx), SSE2V(movupd, Vx, Wx),
                    BY_MOD(SSEV(movss, Vd, Md), SSE3OP(movss, Vd, Hd, Ud)),
                    BY_MOD(SSE2V(movsd_x, Vq, Mq), SSE23OP(movsd_x, Vq, Hq, Uq))),
    [0x11] = BY_PFX(SSEV(movups, Wx, Vx), SSE2V(movupd, Wx, Vx),
                    BY_MOD(SSEV(movss, Md, Vd), SSE3OP(movss, Ud, Hd, Vd)),
                    BY_MOD(SSE2V(movsd_x, Mq, Vq), SSE23OP(movsd_x, Uq, Hq, Vq))),
    [0x12] = BY_PFX(BY_MOD(SSE3OP_L0(movlps, Vq, Hq, Mq), SSE3OP_L0(movhlps, Vo, Ho, Uo)),
                    SSE23OP_L0(movlpd, Vq, Hq, Mq), SSE3V(movsldup, Vx, Wx),
                    SSE3V(movddup, Vx, Wdup)),
    [0x13] = BY_PFX(SSE_L0(movlps, Mq, Vq), SSE2_L0(movlpd, Mq, Vq)),
    [0x14] = PSPD(unpckl),
    [0x15] = PSPD(unpckh),
    [0x16] = BY_PFX(BY_MOD(SSE3OP_L0(movhps, Vq, Hq, Mq), SSE3OP_L0(movlhps, Vo, Ho, Uo)),
                    SSE23OP_L0(movhpd, Vq, Hq, Mq), SSE3V(movshdup, Vx, Wx)),
    [0x17] = BY_PFX(SSE_L0(movhps, Mq, Vq), SSE2_L0(movhpd, Mq, Vq)),
    [0x18] = BY_REG(ROW1(prefetch, Ev, .feat = FEAT_SSE), ROW1(prefetch, Ev, .feat = FEAT_SSE),
                    ROW1(prefetch, Ev, .feat = FEAT_SSE), ROW1(prefetch, Ev, .feat = FEAT_SSE),
                    HINT, HINT, HINT, HINT),
    [0x19] = HINT,
    [0x1a] = HINT,
    [0x1b] = HINT,
    [0x1c] = HINT,
    [0x1d] = HINT,
    [0x1e] = HINT,
    [0x1f] = HINT,

    [0x20] = ROW2(mov_from_cr, Rn, Cn),
    [0x21] = ROW2(mov_from_dr, Rn, Dn),
    [0x22] = ROW2(mov_cr, Cn, Rn, .flags = F_ENDS),
    [0x23] = ROW2(mov_dr, Dn, Rn, .flags = F_ENDS),
    [0x24] = ROW2(mov_tr, Rn, Tn, .flags = F_NO64 | F_OLD | F_ENDS),
    [0x26] = ROW2(mov_tr, Tn, Rn, .flags = F_NO64 | F_OLD | F_ENDS),
    [0x28] = BY_PFX(SSEV(movaps, Vx, Wx), SSE2V(movapd, Vx, Wx)),
    [0x29] = BY_PFX(SSEV(movaps, Wx, Vx), SSE2V(movapd, Wx, Vx)),
    [0x2a] = BY_PFX(SSE(cvtpi2ps, Vq, Qq), SSE2(cvtpi2pd, Vo, Qq), SSE3OP(cvtsi2ss, Vd, Hd, Ey),
                    SSE23OP(cvtsi2sd, Vq, Hq, Ey)),
    [0x2b] = BY_PFX(SSEV(movntps, Mx, Vx), SSE2V(movntpd, Mx, Vx)),
    [0x2c] = BY_PFX(SSE(cvttps2pi, Pq, Wq), SSE2(cvttpd2pi, Pq, Wo), SSEV(cvttss2si, Gy, Wd),
                    SSE2V(cvttsd2si, Gy, Wq)),
    [0x2d] = BY_PFX(SSE(cvtps2pi, Pq, Wq), SSE2(cvtpd2pi, Pq, Wo), SSEV(cvtss2si, Gy, Wd),
                    SSE2V(cvtsd2si, Gy, Wq)),
    [0x2e] = BY_PFX(SSEV(ucomiss, Vd, Wd), SSE2V(ucomisd, Vq, Wq)),
    [0x2f] = BY_PFX(SSEV(comiss, Vd, Wd), SSE2V(comisd, Vq, Wq)),

    [0x30] = ROW0(wrmsr, .flags = F_ENDS, .feat = FEAT_MSR),
    [0x31] = ROW0(rdtsc, .feat = FEAT_TSC),
    [0x32] = ROW0(rdmsr, .feat = FEAT_MSR),
    [0x33] = ROW0(rdpmc, .feat = FEAT_P6),
    [0x34] = BY_FEAT(AMD, ROW0(sysenter, .flags = F_ENDS, .feat = FEAT_SEP),
                     ROW0(sysenter, .flags = F_NO64 | F_ENDS, .feat = FEAT_SEP)),
    [0x35] = ROW0(sysexit, .flags = F_ENDS, .feat = FEAT_SEP), /* looks at CPL first, AMD's too */
    /* 37: GETSEC; 38 and 3a: the three-byte maps */

    SIXTEEN(0x40, CMOV),

    [0x50] = BY_PFX(SSEV(movmskps, Gd, Ux), SSE2V(movmskpd, Gd, Ux)),
    [0x51] = BY_PFX(SSEV(sqrtps, Vx, Wx), SSE2V(sqrtpd, Vx, Wx), SSE3OP(sqrtss, Vd, Hd, Wd),
                    SSE23OP(sqrtsd, Vq, Hq, Wq)),
    [0x52] = BY_PFX(SSEV(rsqrtps, Vx, Wx), EMPTY, SSE3OP(rsqrtss, Vd, Hd, Wd)),
    [0x53] = BY_PFX(SSEV(rcpps, Vx, Wx), EMPTY, SSE3OP(rcpss, Vd, Hd, Wd)),
    [0x54] = PSPD(and),
    [0x55] = PSPD(andn),
    [0x56] = PSPD(or),
    [0x57] = PSPD(xor),
    [0x58] = FP4(add),
    [0x59] = FP4(mul),
    [0x5a] = BY_PFX(SSE2V(cvtps2pd, Vx, Wh), SSE2V(cvtpd2ps, Vo, Wx), SSE23OP(cvtss2sd, Vq, Hq, Wd),
                    SSE23OP(cvtsd2ss, Vd, Hd, Wq)),
    [0x5b] = BY_PFX(SSE2V(cvtdq2ps, Vx, Wx), SSE2V(cvtps2dq, Vx, Wx), SSE2V(cvttps2dq, Vx, Wx)),
    [0x5c] = FP4(sub),
    [0x5d] = FP4(min),
    [0x5e] = FP4(div),
    [0x5f] = FP4(max),

    [0x60] = MMXLOW(punpcklbw),
    [0x61] = MMXLOW(punpcklwd),
    [0x62] = MMXLOW(punpckldq),
    [0x63] = MMX(packsswb),
    [0x64] = MMX(pcmpgtb),
    [0x65] = MMX(pcmpgtw),
    [0x66] = MMX(pcmpgtd),
    [0x67] = MMX(packuswb),
    [0x68] = MMX(punpckhbw),
    [0x69] = MMX(punpckhwd),
    [0x6a] = MMX(punpckhdq),
    [0x6b] = MMX(packssdw),
    [0x6c] = PFX_66(I3(punpcklqdq, Vx, Hx, Wx)),
    [0x6d] = PFX_66(I3(punpckhqdq, Vx, Hx, Wx)),
    [0x6e] = BY_PFX(ROW2(movd, Pq, Ey, .feat = FEAT_MMX), SSE2_L0(movd, Vo, Ey)),
    [0x6f] = BY_PFX(ROW2(movq, Pq, Qq, .feat = FEAT_MMX), SSE2V(movdqa, Vx, Wx),
                    SSE2V(movdqu, Vx, Wx)),

    [0x70] = BY_PFX(ROW3(pshufw, Pq, Qq, Ib, .feat = FEAT_SSE), I3(pshufd, Vx, Wx, Ib),
                    I3(pshufhw, Vx, Wx, Ib), I3(pshuflw, Vx, Wx, Ib)),
    [0x71] = BY_REG(EMPTY, EMPTY, SHIFT_IMM(psrlw), EMPTY, SHIFT_IMM(psraw), EMPTY,
                    SHIFT_IMM(psllw)),
    [0x72] = BY_REG(EMPTY, EMPTY, SHIFT_IMM(psrld), EMPTY, SHIFT_IMM(psrad), EMPTY,
                    SHIFT_IMM(pslld)),
    [0x73] = BY_REG(EMPTY, EMPTY, SHIFT_IMM(psrlq), PFX_66(I3(psrldq, Hx, Ux, Ib)), EMPTY, EMPTY,
                    SHIFT_IMM(psllq), PFX_66(I3(pslldq, Hx, Ux, Ib))),
    [0x74] = MMX(pcmpeqb),
    [0x75] = MMX(pcmpeqw),
    [0x76] = MMX(pcmpeqd),
    [0x77] = PFX_NP(BY_ENC(ROW0(emms, .feat = FEAT_MMX),
                           BY_L(ROW0(vzeroupper, .feat = FEAT_AVX, .vex = VEX_ONLY),
                                ROW0(vzeroall, .feat = FEAT_AVX, .vex = VEX_ONLY)))),
    [0x78] = ROW2(ud, Ev, Gv), /* VMREAD, VMWRITE */
    [0x79] = ROW2(ud, Gv, Ev),
    [0x7c] = BY_PFX(EMPTY, SSE33OP(haddpd, Vx, Hx, Wx), EMPTY, SSE33OP(haddps, Vx, Hx, Wx)),
    [0x7d] = BY_PFX(EMPTY, SSE33OP(hsubpd, Vx, Hx, Wx), EMPTY, SSE33OP(hsubps, Vx, Hx, Wx)),
    [0x7e] = BY_PFX(ROW2(movd, Ey, Pq, .feat = FEAT_MMX), SSE2_L0(movd, Ey, Vo),
                    SSE2_L0(movq, Vq, Wq)),
    [0x7f] = BY_PFX(ROW2(movq, Qq, Pq, .feat = FEAT_MMX), SSE2V(movdqa, Wx, Vx),
                    SSE2V(movdqu, Wx, Vx)),

    SIXTEEN(0x80, JCC),
    SIXTEEN(0x90, SETCC),

    [0xa0] = ROW1(push_seg, FS, .flags = F_D64),
    [0xa1] = ROW1(pop_seg, FS, .flags = F_D64 | F_ENDS),
    [0xa2] = ROW0(cpuid, .feat = FEAT_CPUID),
    [0xa3] = ROW2(bt, Ev, Gv),
    [0xa4] = ROW3(shld, Ev, Gv, Ib),
    [0xa5] = ROW3(shld, Ev, Gv, CL),
    [0xa8] = ROW1(push_seg, GS, .flags = F_D64),
    [0xa9] = ROW1(pop_seg, GS, .flags = F_D64 | F_ENDS),
    [0xaa] = ROW0(rsm, .flags = F_ENDS, .feat = FEAT_CPUID),
    [0xab] = ROW2(bts, Ev, Gv, .flags = F_LOCK),
    [0xac] = ROW3(shrd, Ev, Gv, Ib),
    [0xad] = ROW3(shrd, Ev, Gv, CL),
    [0xae] = BY_MOD(
        BY_PFX(BY_REG(ROW1(fxsave, M, .feat = FEAT_FXSR), ROW1(fxrstor, M, .feat = FEAT_FXSR),
                      ROW1(ldmxcsr, Md, .feat = FEAT_SSE, .vex = VEX_OK | VEX_L0),
                      ROW1(stmxcsr, Md, .feat = FEAT_SSE, .vex = VEX_OK | VEX_L0),
                      ROW1(xsave, M, .feat = FEAT_XSAVE), ROW1(xrstor, M, .feat = FEAT_XSAVE),
                      ROW1(xsaveopt, M, .feat = FEAT_XSAVEOPT),
                      ROW1(clflush, M, .feat = FEAT_CLFLUSH)),
               BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY,
                      ROW1(clflush, M, .feat = FEAT_CLWB),
                      ROW1(clflush, M, .feat = FEAT_CLFLUSHOPT))),
        BY_PFX(BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, ROW0(lfence, .feat = FEAT_SSE2),
                      ROW0(mfence, .feat = FEAT_SSE2), ROW0(sfence, .feat = FEAT_SSE)),
               EMPTY,
               BY_REG(FSGS(rdfsbase), FSGS(rdgsbase), FSGS(wrfsbase), FSGS(wrgsbase)))),
    [0xaf] = ROW2(imul, Gv, Ev),

    [0xb0] = ROW2(cmpxchg, Eb, Gb, .flags = F_LOCK, .feat = FEAT_I486),
    [0xb1] = ROW2(cmpxchg, Ev, Gv, .flags = F_LOCK, .feat = FEAT_I486),
    [0xb2] = ROW3(lseg, Gv, Mv, SS, .flags = F_ENDS),
    [0xb3] = ROW2(btr, Ev, Gv, .flags = F_LOCK),
    [0xb4] = ROW3(lseg, Gv, Mv, FS, .flags = F_ENDS),
    [0xb5] = ROW3(lseg, Gv, Mv, GS, .flags = F_ENDS),
    [0xb6] = ROW2(movzx, Gv, Eb),
    [0xb7] = ROW2(movzx, Gv, Ew),
    [0xb8] = PFX_F3(ROW2(popcnt, Gv, Ev, .feat = FEAT_POPCNT)),
    [0xb9] = ROW2(ud, Gv, Ev), /* UD1 */
    [0xba] = BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, ROW2(bt, Ev, Ib), ROW2(bts, Ev, Ib, .flags = F_LOCK),
                    ROW2(btr, Ev, Ib, .flags = F_LOCK), ROW2(btc, Ev, Ib, .flags = F_LOCK)),
    [0xbb] = ROW2(btc, Ev, Gv, .flags = F_LOCK),
    /* a processor without TZCNT or LZCNT ignores the F3 */
    [0xbc] = BY_PFX(BSF, BSF, BY_FEAT(BMI1, BSF, ROW2(tzcnt, Gv, Ev)), BSF),
    [0xbd] = BY_PFX(BSR, BSR, BY_FEAT(LZCNT, BSR, ROW2(lzcnt, Gv, Ev)), BSR),
    [0xbe] = ROW2(movsx, Gv, Eb),
    [0xbf] = ROW2(movsx, Gv, Ew),

    [0xc0] = ROW2(xadd, Eb, Gb, .flags = F_LOCK, .feat = FEAT_I486),
    [0xc1] = ROW2(xadd, Ev, Gv, .flags = F_LOCK, .feat = FEAT_I486),
    [0xc2] = BY_PFX(ROW4(cmpps, Vx, Hx, Wx, Ib, .feat = FEAT_SSE, .vex = VEX_OK),
                    ROW4(cmppd, Vx, Hx, Wx, Ib, .feat = FEAT_SSE2, .vex = VEX_OK),
                    ROW4(cmpss, Vd, Hd, Wd, Ib, .feat = FEAT_SSE, .vex = VEX_OK),
                    ROW4(cmpsd_x, Vq, Hq, Wq, Ib, .feat = FEAT_SSE2, .vex = VEX_OK)),
    [0xc3] = PFX_NP(ROW2(movnti, My, Gy, .feat = FEAT_SSE2)),
    [0xc4] = BY_PFX(ROW3(pinsrw, Pq, RdMw, Ib, .feat = FEAT_SSE),
                    ROW4(pinsrw, Vo, Ho, RdMw, Ib, .feat = FEAT_SSE2, .vex = VEX_OK | VEX_L0)),
    [0xc5] = BY_PFX(ROW3(pextrw, Gd, Nq, Ib, .feat = FEAT_SSE), SSE23OP_L0(pextrw, Gd, Uo, Ib)),
    [0xc6] = BY_PFX(ROW4(shufps, Vx, Hx, Wx, Ib, .feat = FEAT_SSE, .vex = VEX_OK),
                    ROW4(shufpd, Vx, Hx, Wx, Ib, .feat = FEAT_SSE2, .vex = VEX_OK)),
    [0xc7] = BY_MOD(BY_REG(EMPTY,
                           BY_W(ROW1(cmpxchg8b, Mq, .flags = F_LOCK, .feat = FEAT_CX8),
                                ROW1(cmpxchg16b, Mo, .flags = F_LOCK, .feat = FEAT_CX16)),
                           EMPTY, ROW1(ud, M), /* XRSTORS */
                           PFX_NP(ROW1(xsavec, M, .feat = FEAT_XSAVEC)),
                           ROW1(ud, M), ROW1(ud, M), ROW1(ud, M)), /* XSAVES, VMX */
                    BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY,
                           BY_PFX(ROW1(rdrand, Rv, .feat = FEAT_RDRAND),
                                  ROW1(rdrand, Rv, .feat = FEAT_RDRAND)),
                           BY_PFX(ROW1(rdseed, Rv, .feat = FEAT_RDSEED),
                                  ROW1(rdseed, Rv, .feat = FEAT_RDSEED),
                                  ROW1(rdpid, Rn, .feat = FEAT_RDPID)))),
    [0xc8] = BSWAP,
    [0xc9] = BSWAP,
    [0xca] = BSWAP,
    [0xcb] = BSWAP,
    [0xcc] = BSWAP,
    [0xcd] = BSWAP,
    [0xce] = BSWAP,
    [0xcf] = BSWAP,

    [0xd0] = BY_PFX(EMPTY, SSE33OP(addsubpd, Vx, Hx, Wx), EMPTY, SSE33OP(addsubps, Vx, Hx, Wx)),
    [0xd1] = SHIFT(psrlw),
    [0xd2] = SHIFT(psrld),
    [0xd3] = SHIFT(psrlq),
    [0xd4] = MMX2(paddq),
    [0xd5] = MMX(pmullw),
    [0xd6] = BY_PFX(EMPTY, SSE2_L0(movq, Wq, Vq), SSE2(movq2dq, Vo, Nq), SSE2(movdq2q, Pq, Uq)),
    [0xd7] = BY_PFX(SSE(pmovmskb, Gd, Nq), I2(pmovmskb, Gd, Ux)),
    [0xd8] = MMX(psubusb),
    [0xd9] = MMX(psubusw),
    [0xda] = MMXS(pminub),
    [0xdb] = MMX(pand),
    [0xdc] = MMX(paddusb),
    [0xdd] = MMX(paddusw),
    [0xde] = MMXS(pmaxub),
    [0xdf] = MMX(pandn),
    [0xe0] = MMXS(pavgb),
    [0xe1] = SHIFT(psraw),
    [0xe2] = SHIFT(psrad),
    [0xe3] = MMXS(pavgw),
    [0xe4] = MMXS(pmulhuw),
    [0xe5] = MMX(pmulhw),
    [0xe6] = BY_PFX(EMPTY, SSE2V(cvttpd2dq, Vo, Wx), SSE2V(cvtdq2pd, Vx, Wh),
                    SSE2V(cvtpd2dq, Vo, Wx)),
    [0xe7] = BY_PFX(SSE(movntq, Mq, Pq), SSE2V(movntdq, Mx, Vx)),
    [0xe8] = MMX(psubsb),
    [0xe9] = MMX(psubsw),
    [0xea] = MMXS(pminsw),
    [0xeb] = MMX(por),
    [0xec] = MMX(paddsb),
    [0xed] = MMX(paddsw),
    [0xee] = MMXS(pmaxsw),
    [0xef] = MMX(pxor),
    [0xf0] = PFX_F2(SSE3V(lddqu, Vx, Mx)),
    [0xf1] = SHIFT(psllw),
    [0xf2] = SHIFT(pslld),
    [0xf3] = SHIFT(psllq),
    [0xf4] = MMX2(pmuludq),
    [0xf5] = MMX(pmaddwd),
    [0xf6] = MMXS(psadbw),
    [0xf7] = BY_PFX(ROW3(maskmovq, Pq, Nq, atDI, .feat = FEAT_SSE),
                    SSE23OP_L0(maskmovdqu, Vo, Uo, atDI)),
    [0xf8] = MMX(psubb),
    [0xf9] = MMX(psubw),
    [0xfa] = MMX(psubd),
    [0xfb] = MMX2(psubq),
    [0xfc] = MMX(paddb),
    [0xfd] = MMX(paddw),
    [0xfe] = MMX(paddd),
    [0xff] = ROW2(ud, Gv, Ev), /* UD0 */
};
