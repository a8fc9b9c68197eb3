/* Two-byte opcodes, SDM Vol. 2D, table A-3, and groups 6 to 9 and 12 to 16 of table A-6.  What the
 * operands mean to an operation stands at the head of opmap.h.
 *
 * Rows that say `ud` with operands belong to extensions after SSE2 that have no operation yet:
 * they get the length right.  BSF and BSR ignore F3, as every processor without TZCNT and LZCNT. */
#include "cpu/opmap.h"
#include "cpu/state.h"

/* MMX, with 66 the same on XMM registers (SSE2) */
#define MMX(name)                                                                                  \
    BY_PFX(ROW2(name, Pq, Qq, .feat = FEAT_MMX), ROW2(name, Vx, Wx, .feat = FEAT_SSE2))
/* came to MMX with SSE, or with SSE2 */
#define MMXS(name)                                                                                 \
    BY_PFX(ROW2(name, Pq, Qq, .feat = FEAT_SSE), ROW2(name, Vx, Wx, .feat = FEAT_SSE2))
#define MMX2(name)                                                                                 \
    BY_PFX(ROW2(name, Pq, Qq, .feat = FEAT_SSE2), ROW2(name, Vx, Wx, .feat = FEAT_SSE2))
#define MMXLOW(name)                                                                               \
    BY_PFX(ROW2(name, Pq, Qd, .feat = FEAT_MMX), ROW2(name, Vx, Wx, .feat = FEAT_SSE2))
#define SHIFT_IMM(name)                                                                            \
    BY_PFX(ROW2(name, Nq, Ib, .feat = FEAT_MMX), ROW2(name, Ux, Ib, .feat = FEAT_SSE2))
/* ps, pd */
#define PSPD(name)                                                                                 \
    BY_PFX(ROW2(name##ps, Vx, Wx, .feat = FEAT_SSE), ROW2(name##pd, Vx, Wx, .feat = FEAT_SSE2))
/* ps, pd, ss, sd */
#define FP4(name)                                                                                  \
    BY_PFX(ROW2(name##ps, Vx, Wx, .feat = FEAT_SSE), ROW2(name##pd, Vx, Wx, .feat = FEAT_SSE2),    \
           ROW2(name##ss, Vd, Wd, .feat = FEAT_SSE), ROW2(name##sd, Vq, Wq, .feat = FEAT_SSE2))
#define SSE(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE)
#define SSE2(name, a, b) ROW2(name, a, b, .feat = FEAT_SSE2)
#define LATER ROW2(ud, Vx, Wx)
#define HINT ROW1(nop, Ev, .feat = FEAT_P6)
#define JCC ROW1(jcc, Jz, .flags = F_F64 | F_ENDS | F_CC)
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
                     ROW0(mwait, .flags = F_ENDS, .feat = FEAT_MONITOR)),
               BY_RM(ROW0(xgetbv, .feat = FEAT_XSAVE),
                     ROW0(xsetbv, .flags = F_ENDS, .feat = FEAT_XSAVE)),
               EMPTY, ROW1(smsw, RvMw), EMPTY, ROW1(lmsw, Ew, .flags = F_ENDS),
               BY_RM(ROW0(swapgs, .flags = F_ONLY64 | F_ENDS, .feat = FEAT_LM),
                     ROW0(rdtscp, .feat = FEAT_RDTSCP)))),
    [0x02] = ROW2(lar, Gv, Ew),
    [0x03] = ROW2(lsl, Gv, Ew),
    [0x05] = ROW0(syscall, .flags = F_ENDS, .feat = FEAT_SYSCALL),
    [0x06] = ROW0(clts, .flags = F_ENDS),
    [0x07] = ROW0(sysret, .flags = F_ENDS, .feat = FEAT_SYSCALL),
    [0x08] = ROW0(invd, .feat = FEAT_I486),
    [0x09] = ROW0(wbinvd, .feat = FEAT_I486),
    [0x0b] = ROW0(ud), /* UD2 */
    [0x0d] = ROW1(prefetch, Ev, .feat = FEAT_P6),
    [0x0f] = {.kind = K_3D},

    [0x10] = BY_PFX(SSE(movups, Vx, Wx), SSE2(movupd, Vx, Wx), SSE(movss, Vd, Wd),
                    SSE2(movsd_x, Vq, Wq)),
    [0x11] = BY_PFX(SSE(movups, Wx, Vx), SSE2(movupd, Wx, Vx), SSE(movss, Wd, Vd),
                    SSE2(movsd_x, Wq, Vq)),
    [0x12] = BY_PFX(BY_MOD(SSE(movlps, Vq, Mq), SSE(movhlps, Vx, Ux)), SSE2(movlpd, Vq, Mq), LATER,
                    LATER),
    [0x13] = BY_PFX(SSE(movlps, Mq, Vq), SSE2(movlpd, Mq, Vq)),
    [0x14] = PSPD(unpckl),
    [0x15] = PSPD(unpckh),
    [0x16] = BY_PFX(BY_MOD(SSE(movhps, Vq, Mq), SSE(movlhps, Vx, Ux)), SSE2(movhpd, Vq, Mq), LATER),
    [0x17] = BY_PFX(SSE(movhps, Mq, Vq), SSE2(movhpd, Mq, Vq)),
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
    [0x28] = BY_PFX(SSE(movaps, Vx, Wx), SSE2(movapd, Vx, Wx)),
    [0x29] = BY_PFX(SSE(movaps, Wx, Vx), SSE2(movapd, Wx, Vx)),
    [0x2a] = BY_PFX(SSE(cvtpi2ps, Vq, Qq), SSE2(cvtpi2pd, Vx, Qq), SSE(cvtsi2ss, Vd, Ey),
                    SSE2(cvtsi2sd, Vq, Ey)),
    [0x2b] = BY_PFX(SSE(movntps, Mx, Vx), SSE2(movntpd, Mx, Vx)),
    [0x2c] = BY_PFX(SSE(cvttps2pi, Pq, Wq), SSE2(cvttpd2pi, Pq, Wx), SSE(cvttss2si, Gy, Wd),
                    SSE2(cvttsd2si, Gy, Wq)),
    [0x2d] = BY_PFX(SSE(cvtps2pi, Pq, Wq), SSE2(cvtpd2pi, Pq, Wx), SSE(cvtss2si, Gy, Wd),
                    SSE2(cvtsd2si, Gy, Wq)),
    [0x2e] = BY_PFX(SSE(ucomiss, Vd, Wd), SSE2(ucomisd, Vq, Wq)),
    [0x2f] = BY_PFX(SSE(comiss, Vd, Wd), SSE2(comisd, Vq, Wq)),

    [0x30] = ROW0(wrmsr, .flags = F_ENDS, .feat = FEAT_MSR),
    [0x31] = ROW0(rdtsc, .feat = FEAT_TSC),
    [0x32] = ROW0(rdmsr, .feat = FEAT_MSR),
    [0x33] = ROW0(rdpmc, .feat = FEAT_P6),
    [0x34] = ROW0(sysenter, .flags = F_ENDS, .feat = FEAT_SEP),
    [0x35] = ROW0(sysexit, .flags = F_ENDS, .feat = FEAT_SEP),
    /* 37 GETSEC, 38 and 3a: three-byte maps, in decode.c */

    SIXTEEN(0x40, CMOV),

    [0x50] = BY_PFX(SSE(movmskps, Gd, Ux), SSE2(movmskpd, Gd, Ux)),
    [0x51] = FP4(sqrt),
    [0x52] = BY_PFX(SSE(rsqrtps, Vx, Wx), EMPTY, SSE(rsqrtss, Vd, Wd)),
    [0x53] = BY_PFX(SSE(rcpps, Vx, Wx), EMPTY, SSE(rcpss, Vd, Wd)),
    [0x54] = PSPD(and),
    [0x55] = PSPD(andn),
    [0x56] = PSPD(or),
    [0x57] = PSPD(xor),
    [0x58] = FP4(add),
    [0x59] = FP4(mul),
    [0x5a] = BY_PFX(SSE2(cvtps2pd, Vx, Wq), SSE2(cvtpd2ps, Vx, Wx), SSE2(cvtss2sd, Vq, Wd),
                    SSE2(cvtsd2ss, Vd, Wq)),
    [0x5b] = BY_PFX(SSE2(cvtdq2ps, Vx, Wx), SSE2(cvtps2dq, Vx, Wx), SSE2(cvttps2dq, Vx, Wx)),
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
    [0x6c] = BY_PFX(EMPTY, SSE2(punpcklqdq, Vx, Wx)),
    [0x6d] = BY_PFX(EMPTY, SSE2(punpckhqdq, Vx, Wx)),
    [0x6e] = BY_PFX(ROW2(movd, Pq, Ey, .feat = FEAT_MMX), SSE2(movd, Vx, Ey)),
    [0x6f] = BY_PFX(ROW2(movq, Pq, Qq, .feat = FEAT_MMX), SSE2(movdqa, Vx, Wx),
                    SSE2(movdqu, Vx, Wx)),

    [0x70] = BY_PFX(ROW3(pshufw, Pq, Qq, Ib, .feat = FEAT_SSE),
                    ROW3(pshufd, Vx, Wx, Ib, .feat = FEAT_SSE2),
                    ROW3(pshufhw, Vx, Wx, Ib, .feat = FEAT_SSE2),
                    ROW3(pshuflw, Vx, Wx, Ib, .feat = FEAT_SSE2)),
    [0x71] = BY_REG(EMPTY, EMPTY, SHIFT_IMM(psrlw), EMPTY, SHIFT_IMM(psraw), EMPTY,
                    SHIFT_IMM(psllw)),
    [0x72] = BY_REG(EMPTY, EMPTY, SHIFT_IMM(psrld), EMPTY, SHIFT_IMM(psrad), EMPTY,
                    SHIFT_IMM(pslld)),
    [0x73] = BY_REG(EMPTY, EMPTY, SHIFT_IMM(psrlq), BY_PFX(EMPTY, SSE2(psrldq, Ux, Ib)), EMPTY,
                    EMPTY, SHIFT_IMM(psllq), BY_PFX(EMPTY, SSE2(pslldq, Ux, Ib))),
    [0x74] = MMX(pcmpeqb),
    [0x75] = MMX(pcmpeqw),
    [0x76] = MMX(pcmpeqd),
    [0x77] = BY_PFX(ROW0(emms, .feat = FEAT_MMX)),
    [0x78] = ROW2(ud, Ev, Gv), /* VMREAD, VMWRITE */
    [0x79] = ROW2(ud, Gv, Ev),
    [0x7c] = BY_PFX(EMPTY, LATER, EMPTY, LATER),
    [0x7d] = BY_PFX(EMPTY, LATER, EMPTY, LATER),
    [0x7e] = BY_PFX(ROW2(movd, Ey, Pq, .feat = FEAT_MMX), SSE2(movd, Ey, Vx), SSE2(movq, Vq, Wq)),
    [0x7f] = BY_PFX(ROW2(movq, Qq, Pq, .feat = FEAT_MMX), SSE2(movdqa, Wx, Vx),
                    SSE2(movdqu, Wx, Vx)),

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
                      ROW1(ldmxcsr, Md, .feat = FEAT_SSE), ROW1(stmxcsr, Md, .feat = FEAT_SSE),
                      ROW1(ud, M), ROW1(ud, M), ROW1(ud, M), /* XSAVE XRSTOR XSAVEOPT */
                      ROW1(clflush, M, .feat = FEAT_CLFLUSH)),
               BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, ROW1(ud, M), /* CLWB */
                      ROW1(clflush, M, .feat = FEAT_CLFLUSHOPT))),
        BY_PFX(BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, ROW0(lfence, .feat = FEAT_SSE2),
                      ROW0(mfence, .feat = FEAT_SSE2), ROW0(sfence, .feat = FEAT_SSE)),
               EMPTY, /* F3: RDFSBASE and kin */ BY_REG(ROW1(ud, Ed), ROW1(ud, Ed), ROW1(ud, Ed),
                                                        ROW1(ud, Ed)))),
    [0xaf] = ROW2(imul, Gv, Ev),

    [0xb0] = ROW2(cmpxchg, Eb, Gb, .flags = F_LOCK, .feat = FEAT_I486),
    [0xb1] = ROW2(cmpxchg, Ev, Gv, .flags = F_LOCK, .feat = FEAT_I486),
    [0xb2] = ROW3(lseg, Gv, Mv, SS, .flags = F_ENDS),
    [0xb3] = ROW2(btr, Ev, Gv, .flags = F_LOCK),
    [0xb4] = ROW3(lseg, Gv, Mv, FS, .flags = F_ENDS),
    [0xb5] = ROW3(lseg, Gv, Mv, GS, .flags = F_ENDS),
    [0xb6] = ROW2(movzx, Gv, Eb),
    [0xb7] = ROW2(movzx, Gv, Ew),
    [0xb8] = BY_PFX(EMPTY, EMPTY, ROW2(ud, Gv, Ev)), /* POPCNT */
    [0xb9] = ROW2(ud, Gv, Ev),                       /* UD1 */
    [0xba] = BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, ROW2(bt, Ev, Ib), ROW2(bts, Ev, Ib, .flags = F_LOCK),
                    ROW2(btr, Ev, Ib, .flags = F_LOCK), ROW2(btc, Ev, Ib, .flags = F_LOCK)),
    [0xbb] = ROW2(btc, Ev, Gv, .flags = F_LOCK),
    [0xbc] = ROW2(bsf, Gv, Ev),
    [0xbd] = ROW2(bsr, Gv, Ev),
    [0xbe] = ROW2(movsx, Gv, Eb),
    [0xbf] = ROW2(movsx, Gv, Ew),

    [0xc0] = ROW2(xadd, Eb, Gb, .flags = F_LOCK, .feat = FEAT_I486),
    [0xc1] = ROW2(xadd, Ev, Gv, .flags = F_LOCK, .feat = FEAT_I486),
    [0xc2] = BY_PFX(ROW3(cmpps, Vx, Wx, Ib, .feat = FEAT_SSE),
                    ROW3(cmppd, Vx, Wx, Ib, .feat = FEAT_SSE2),
                    ROW3(cmpss, Vd, Wd, Ib, .feat = FEAT_SSE),
                    ROW3(cmpsd_x, Vq, Wq, Ib, .feat = FEAT_SSE2)),
    [0xc3] = BY_PFX(ROW2(movnti, My, Gy, .feat = FEAT_SSE2)),
    [0xc4] = BY_PFX(ROW3(pinsrw, Pq, RdMw, Ib, .feat = FEAT_SSE),
                    ROW3(pinsrw, Vx, RdMw, Ib, .feat = FEAT_SSE2)),
    [0xc5] = BY_PFX(ROW3(pextrw, Gd, Nq, Ib, .feat = FEAT_SSE),
                    ROW3(pextrw, Gd, Ux, Ib, .feat = FEAT_SSE2)),
    [0xc6] = BY_PFX(ROW3(shufps, Vx, Wx, Ib, .feat = FEAT_SSE),
                    ROW3(shufpd, Vx, Wx, Ib, .feat = FEAT_SSE2)),
    [0xc7] = BY_MOD(BY_REG(EMPTY, ROW1(cmpxchg8b, Mdq, .flags = F_LOCK, .feat = FEAT_CX8), EMPTY,
                           ROW1(ud, M), ROW1(ud, M), ROW1(ud, M), ROW1(ud, M), ROW1(ud, M)),
                    BY_REG(EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, ROW1(ud, Ev), ROW1(ud, Ev))),
    [0xc8] = BSWAP,
    [0xc9] = BSWAP,
    [0xca] = BSWAP,
    [0xcb] = BSWAP,
    [0xcc] = BSWAP,
    [0xcd] = BSWAP,
    [0xce] = BSWAP,
    [0xcf] = BSWAP,

    [0xd0] = BY_PFX(EMPTY, LATER, EMPTY, LATER),
    [0xd1] = MMX(psrlw),
    [0xd2] = MMX(psrld),
    [0xd3] = MMX(psrlq),
    [0xd4] = MMX2(paddq),
    [0xd5] = MMX(pmullw),
    [0xd6] = BY_PFX(EMPTY, SSE2(movq, Wq, Vq), SSE2(movq2dq, Vx, Nq), SSE2(movdq2q, Pq, Uq)),
    [0xd7] = BY_PFX(SSE(pmovmskb, Gd, Nq), SSE2(pmovmskb, Gd, Ux)),
    [0xd8] = MMX(psubusb),
    [0xd9] = MMX(psubusw),
    [0xda] = MMXS(pminub),
    [0xdb] = MMX(pand),
    [0xdc] = MMX(paddusb),
    [0xdd] = MMX(paddusw),
    [0xde] = MMXS(pmaxub),
    [0xdf] = MMX(pandn),
    [0xe0] = MMXS(pavgb),
    [0xe1] = MMX(psraw),
    [0xe2] = MMX(psrad),
    [0xe3] = MMXS(pavgw),
    [0xe4] = MMXS(pmulhuw),
    [0xe5] = MMX(pmulhw),
    [0xe6] = BY_PFX(EMPTY, SSE2(cvttpd2dq, Vx, Wx), SSE2(cvtdq2pd, Vx, Wq),
                    SSE2(cvtpd2dq, Vx, Wx)),
    [0xe7] = BY_PFX(SSE(movntq, Mq, Pq), SSE2(movntdq, Mx, Vx)),
    [0xe8] = MMX(psubsb),
    [0xe9] = MMX(psubsw),
    [0xea] = MMXS(pminsw),
    [0xeb] = MMX(por),
    [0xec] = MMX(paddsb),
    [0xed] = MMX(paddsw),
    [0xee] = MMXS(pmaxsw),
    [0xef] = MMX(pxor),
    [0xf0] = BY_PFX(EMPTY, EMPTY, EMPTY, ROW2(ud, Vx, Mx)), /* LDDQU */
    [0xf1] = MMX(psllw),
    [0xf2] = MMX(pslld),
    [0xf3] = MMX(psllq),
    [0xf4] = MMX2(pmuludq),
    [0xf5] = MMX(pmaddwd),
    [0xf6] = MMXS(psadbw),
    [0xf7] = BY_PFX(ROW3(maskmovq, Pq, Nq, atDI, .feat = FEAT_SSE),
                    ROW3(maskmovdqu, Vx, Ux, atDI, .feat = FEAT_SSE2)),
    [0xf8] = MMX(psubb),
    [0xf9] = MMX(psubw),
    [0xfa] = MMX(psubd),
    [0xfb] = MMX2(psubq),
    [0xfc] = MMX(paddb),
    [0xfd] = MMX(paddw),
    [0xfe] = MMX(paddd),
    [0xff] = ROW2(ud, Gv, Ev), /* UD0 */
};
