/* Opcode maps as data, in the notation of the SDM Vol. 2D, Appendix A ("Opcode Map", tables A-2 to
 * A row says operation, operands (destination first), feature and flags; a cell that means
 * several things splits by prefix, mod, reg, rm, mode, encoding... into an array of further rows.
 * VEX instructions stand in the rows of their legacy form: the SDM's letter H (VEX.vvvv) is not there
 * in the legacy encoding, and .vex says which VEX.L and W are legal.
 *
 * NOT IMPLEMENTED: EVEX, XOP, 3DNow!: OP_ud.
 *
 * WHAT AN OPERATION GETS (for who writes op_*; "GPR n" is an OPND_GPR of n bytes, "MEM n" likewise):
 *
 *  In general
 *   - in->osize 2, 4, 8 after all defaults: in 64-bit mode 8 for near branches (66 is ignored there,
 *     but with FEAT_AMD makes it 2), push, pop, enter, leave, pushf, popf, lgdt, lidt and the like.
 *     VEX: 4, or 8 with VEX.W in 64-bit mode.
 *   - a memory operand's address is insn_ea(c, in) in in->seg; there is never more than one.
 *   - IMM operands: in->imm is masked to o.size; sign-extended to it first where the encoding is
 *     shorter.  So `imul`, `push` and `add` just use opnd_read().  Jumps: OPND_REL, in->imm is signed
 *     64 bits; the target is next_rip + imm, truncated to osize.
 *   - INSN_REP/INSN_REPNE are set for string instructions only, and at most one of them; F2 on
 *     MOVS STOS LODS INS OUTS is given as INSN_REP, which is what hardware does.  A string
 *     instruction with REP is not INSN_ENDS: an engine must look at INSN_REP | INSN_REPNE itself.
 *   - INSN_LOCK only where it is legal; otherwise the operation is OP_ud.
 *   - OP_ud: o[] is empty, INSN_ENDS is set.
 *   - makers (FEAT_AMD; without a feature set: Intel): SYSCALL and SYSRET are OP_ud outside 64-bit
 *     mode at Intel, SYSENTER and SYSEXIT in 64-bit mode at AMD (in compatibility mode the operation
 *     must refuse); lss lfs lgs jmp_far call_far with REX.W have osize 8 at Intel, 4 at AMD.
 *  Integer
 *   - mul imul1 div idiv not neg inc dec: o0 is the r/m operand.  imul: o0, o1 or o0, o1, o2 = IMM.
 *   - shifts and rotates: o1 is IMM 1 (also for the "by one" forms: imm = 1) or GPR 1 CL.
 *     shld shrd: o0, o1, o2 = IMM 1 or GPR 1 CL.
 *   - bt bts btr btc: o1 is GPR (bit string: adds to a memory address) or IMM 1 (modulo osize*8).
 *   - xchg: both operands; never `90` without REX.B, which is nop (F3 90: pause).
 *   - movzx movsx: o1.size 1 or 2.  movsxd: o1.size 4 (with 66: 2, AMD 4).  cbw cwd: no operands, by osize.
 *   - aam aad: o0 IMM 1.  enter: o0 IMM 2 (frame size), in->imm2 the level (not masked).
 *   - ret ret_far: o0 IMM 2 or none; in->imm is 0 when there is none.  int: o0 IMM 1.
 *   - push: o0 GPR, MEM or IMM of osize; pop: o0 GPR or MEM.  push_seg pop_seg: o0 SEG.
 *     pusha popa pushf popf leave iret: by osize.  (POP with an ESP-based memory operand computes the
 *     address after the increment: the operation's business.)
 *   - jmp call: o0 REL, or GPR/MEM of osize.  jmp_far call_far: o0 FAR (imm offset, imm2 selector,
 *     size = osize), or MEM whose size is that of the offset; the selector lies at ea + osize.
 *   - lseg: o0 GPR osize, o1 MEM (size: the offset's; selector behind it), o2 SEG.
 *   - jcc setcc cmovcc: in->cc.  loop loope loopne jcxz: count register by in->asize.
 *   - movs cmps stos lods scas ins outs: o0 is MEM with the element size and no address (base and
 *     index NOREG): addresses are SI/DI by in->asize; in->seg is the source's segment (ES for stos,
 *     scas, ins).  The destination (cmps: second operand) is always in ES.
 *   - xlat: o0 MEM 1, base BX; the operation adds AL before it masks to asize.
 *   - in: o0 GPR 1, 2, 4 (A), o1 IMM 1 or GPR 2 DX.  out: o0 IMM 1 or GPR 2 DX, o1 GPR (A).
 *   - mov_seg: o0 SEG (never CS), o1 GPR/MEM 2.  mov_from_seg: o0 GPR osize or MEM 2, o1 SEG.
 *   - bound: o0 GPR, o1 MEM size osize: two of them lie there.
 *   - cmpxchg8b: o0 MEM 8.  cmpxchg: o0 r/m, o1 GPR.  xadd: o0 r/m, o1 GPR.  movnti: o0 MEM 4/8, o1 GPR.
 *   - cmpxchg16b: o0 MEM 16.  movbe: o0, o1, one of them MEM of osize.  crc32: o0 GPR 4/8, o1 GPR/MEM
 *     1, 2, 4, 8.  popcnt lzcnt tzcnt: o0 GPR osize, o1 GPR/MEM.  adcx adox: o0 GPR 4/8 += o1.
 *   - andn pdep pext: o0, o1 GPR 4/8, o2 GPR/MEM.  mulx: o0 high half, o1 low half, o2 GPR/MEM times
 *     DX.  bextr bzhi shlx sarx shrx: o0, o1 GPR/MEM, o2 GPR.  blsr blsmsk blsi: o0 GPR, o1 GPR/MEM.
 *     rorx: o0, o1 GPR/MEM, o2 IMM 1.
 *   - rdrand rdseed: o0 GPR osize.  rdpid: o0 GPR 4 (8 in 64-bit mode).  rdfsbase rdgsbase wrfsbase
 *     wrgsbase: o0 GPR 4/8.  invpcid: o0 GPR 4 (8 in 64-bit mode), o1 MEM 16.
 *   - xsave xsaveopt xsavec xrstor fxsave fxrstor: MEM 0; in->osize 8 is the 64 form.
 *   - clflush is also CLFLUSHOPT and CLWB, prefetch every PREFETCH.
 *   - mov_cr mov_dr: o0 CR/DR, o1 GPR 4 (8 in 64-bit mode); mov_from_cr mov_from_dr: the other way
 *     round.  CR is one of 0 2 3 4 8; DR 4 and 5 come through as such (CR4.DE decides).
 *   - mov_tr: the test register's number is imm (an IMM 1 operand); o0 is the destination.  Only
 *     for models without CPUID.
 *   - sldt str smsw: o0 GPR osize or MEM 2.  lldt ltr verr verw lmsw: o0 GPR/MEM 2.  arpl: o0 2, o1 2.
 *     lar lsl: o0 GPR osize, o1 GPR/MEM 2.  lgdt lidt sgdt sidt invlpg lea fxsave fxrstor clflush
 *     prefetch: MEM 0 (lea: o0 GPR).  nop: operands may be there; do not touch them.
 *  x87
 *   - in->imm is the 11-bit opcode as FOP holds it: (first byte & 7) << 8 | ModRM.  in->osize is 2 or
 *     4 (REX.W is ignored) and picks the layout of fldenv fnstenv frstor fnsave (MEM 0).
 *   - fadd fmul fcom fcomp fsub fsubr fdiv fdivr: o0 ST, o1 ST; or o0 ST(0), o1 MEM 4/8.
 *     fiadd...: o0 ST(0), o1 MEM 2/4 integer.  Forms with p: o0 ST(i), o1 ST(0).  fcompp fucompp:
 *     o0 ST(0), o1 ST(1).  The reversed encodings of DC and DE are sorted out: fsub is o0 = o0 - o1,
 *     fsubr is o0 = o1 - o0, whatever the opcode.
 *   - fcom fcomp fucom fucomp fcomi fcomip fucomi fucomip fcmovcc: o0 ST(0), o1 ST(i).
 *   - fld: o0 ST(i) or MEM 4, 8, 10.  fst fstp: o0 ST(i) or MEM 4, 8, (fstp) 10.  fxch ffree ffreep:
 *     o0 ST(i).  fild fist fistp fisttp: o0 MEM 2, 4, 8.  fbld fbstp: o0 MEM 10.
 *   - fnstsw: o0 GPR 2 (AX) or MEM 2.  fldcw fnstcw: o0 MEM 2.  The rest has no operands.
 *   - x87 opcodes are not gated by FEAT_FPU: without an FPU, fpu_check() behaves as if CR0.EM were set.
 *  MMX, SSE and AVX
 *   - INSN_VEX: the VEX encoding, of an operation that has both.  A destination that is the first
 *     source, too, is then apart: legacy o0 = op(o0, o1), VEX o0 = op(o1, o2); with v = 1 for VEX,
 *     else 0, the sources are o[v] and o[v + 1].  Operations on one source (moves, pshufd, sqrtps,
 *     packed conversions, broadcasts) are o0 = op(o1) in both; unary scalars (sqrtss, cvtsi2ss,
 *     movss between registers) have in VEX the source of the upper bits as o1 and o2 = the source.
 *     "Last operand" below counts for both.
 *   - OPND_MMX, OPND_XMM: size is the bytes used (the access size where it is memory instead); 32 is
 *     a YMM register.  o0.size tells the vector length, but where the destination is narrower than
 *     the source (cvtpd2ps, vextractf128...) or not a vector: there o1.size.
 *   - VEX.L, W, vvvv are checked; equal registers of a gather are OP_ud.  Not checked: whether VEX is
 *     on (mode, CR4, XCR0: avx_check()).
 *   - movd: o0 MMX/XMM, o1 GPR/MEM 4, or (REX.W, "MOVQ" in the SDM) 8; or the other way round.
 *     The vector operand's size is 8 or 16: the whole register is written, zero-extended.
 *   - movq: MMX with MMX/MEM 8, or XMM with XMM/MEM 8 (XMM destination: bits 127:64 become zero).
 *     movq2dq: o0 XMM 16, o1 MMX.  movdq2q: o0 MMX, o1 XMM 8.
 *   - movss movsd_x: o0 XMM, o1 XMM merges; o1 MEM zero-extends to 16; o0 MEM stores.
 *   - movlps movhps movlpd movhpd: one operand is MEM 8 (VEX load: o2).  movhlps movlhps: registers.
 *   - packed shifts: last operand MMX/XMM/MEM (XMM: always 16 bytes), or IMM 1.  pslldq psrldq: IMM 1.
 *   - pextrb pextrw pextrd extractps: o0 GPR 4 (pextrd with REX.W: 8) or MEM of the element, o1
 *     MMX/XMM, o2 IMM 1.  pinsrb pinsrw pinsrd: the last but one operand is GPR or MEM; insertps: XMM
 *     16 or MEM 4.
 *   - an immediate (cmpps, shufps, blendps, roundps, dpps, palignr...) is the last operand, IMM 1.
 *   - blendvps blendvpd pblendvb: the mask is the last operand: XMM0, or any with VEX.  sha256rnds2:
 *     o2 = XMM0.
 *   - pmovmskb movmskps movmskpd: o0 GPR 4, o1 MMX/XMM.
 *   - maskmovq maskmovdqu: o0, o1 registers (data, mask); insn_ea() and in->seg are DS:[DI] already.
 *     vmaskmovps vmaskmovpd vpmaskmovd vpmaskmovq: o0 XMM, o1 mask, o2 MEM, or o0 MEM, o1 mask, o2 data.
 *   - cvt*: operand kinds and sizes say it all (cvtsi2ss: GPR/MEM 4 or 8; cvtps2pi: o1 XMM/MEM 8;
 *     cvtpd2pi: o1 XMM/MEM 16; cvtps2pd, cvtdq2pd, vcvtph2ps: o1 half of o0; cvtpd2ps, cvtpd2dq,
 *     cvttpd2dq: o0 16; vcvtps2ph: o0 half of o1).
 *   - pmovsx*, pmovzx*: o1.size is what is read: 2 to 16.  movddup: o1 8, or 32 with o0.
 *   - pcmpestrm pcmpestri: lengths in RAX and RDX if in->osize is 8, else EAX and EDX.
 *   - gathers: o0 destination, o1 MEM of an element, in->index a vector register (never none), o2 the
 *     mask.  vgatherqps vpgatherqd: o0 and o2 are half as long (8, 16) as the index.
 *   - scalars and movlps-like memory operands need no alignment; o1.size == 16 does, but for
 *     movups movupd movdqu lddqu, and with VEX only in the aligned moves. */
#pragma once
#include <stdint.h>

#include "cpu/cpuid.h"
#include "cpu/decode.h"

/* Operand letters: name, class, size as register, size as memory (or of the encoded immediate).
 * SZ_V: osize; SZ_Y: 4, or 8 with REX.W; SZ_N: 4, or 8 in 64-bit mode; SZ_D: osize, at most 4;
 * SZ_X: 16, or 32 with VEX.L; SZ_XH, SZ_XQ, SZ_XE: half, quarter, eighth of that; SZ_XDUP: 8, or 32
 * with VEX.L.  Classes are the SDM's letters (Vol. 2D, A.2.1) but for: X0 is XMM0, LX the register in
 * imm8[7:4], VM a memory operand with a vector index.  The letters H (VEX.vvvv, a vector) are not
 * there in the legacy encoding. */
enum { SZ_V = 0x40, SZ_Y, SZ_N, SZ_D, SZ_X, SZ_XH, SZ_XQ, SZ_XE, SZ_XDUP };
#define OPMAP_LETTERS(L)                                                                           \
    L(Eb, E, 1, 1) L(Ew, E, 2, 2) L(Ed, E, 4, 4) L(Ev, E, SZ_V, SZ_V) L(Ey, E, SZ_Y, SZ_Y)         \
    L(Ez, E, SZ_D, SZ_D)                                                                           \
    L(RvMw, E, SZ_V, 2) L(RdMw, E, 4, 2) L(RdMb, E, 4, 1)                                          \
    L(M, M, 0, 0) L(Mw, M, 0, 2) L(Md, M, 0, 4) L(Mq, M, 0, 8) L(Mo, M, 0, 16) L(Mt, M, 0, 10)     \
    L(Mx, M, 0, SZ_X) L(My, M, 0, SZ_Y) L(Mv, M, 0, SZ_V) L(VMd, VM, 0, 4) L(VMq, VM, 0, 8)        \
    L(Gb, G, 1, 0) L(Gw, G, 2, 0) L(Gd, G, 4, 0) L(Gv, G, SZ_V, 0) L(Gy, G, SZ_Y, 0)               \
    L(Gn, G, SZ_N, 0) L(By, B, SZ_Y, 0)                                                            \
    L(Rn, R, SZ_N, 0) L(Ry, R, SZ_Y, 0) L(Rv, R, SZ_V, 0)                                          \
    L(Sw, S, 2, 0) L(SwD, SD, 2, 0) L(Cn, C, SZ_N, 0) L(Dn, D, SZ_N, 0)                            \
    L(Tn, T, 1, 0) L(STi, STI, 10, 0) L(ST0, ST, 0, 0) L(ST1, ST, 1, 0)                            \
    L(Pq, P, 8, 0) L(Qq, Q, 8, 8) L(Qd, Q, 8, 4) L(Nq, N, 8, 0)                                    \
    L(Vx, V, SZ_X, 0) L(Vo, V, 16, 0) L(Vh, V, SZ_XH, 0) L(Vq, V, 8, 0) L(Vd, V, 4, 0)             \
    L(Hx, H, SZ_X, 0) L(Ho, H, 16, 0) L(Hh, H, SZ_XH, 0) L(Hq, H, 8, 0) L(Hd, H, 4, 0)             \
    L(Wx, W, SZ_X, SZ_X) L(Wh, W, SZ_XH, SZ_XH) L(Wf, W, SZ_XQ, SZ_XQ) L(We, W, SZ_XE, SZ_XE)      \
    L(Wdup, W, SZ_XDUP, SZ_XDUP) L(Wo, W, 16, 16) L(Wq, W, 8, 8) L(Wd, W, 4, 4) L(Ww, W, 2, 2)     \
    L(Wb, W, 1, 1) L(UoMd, W, 16, 4)                                                               \
    L(Ux, U, SZ_X, 0) L(Uo, U, 16, 0) L(Uq, U, 8, 0) L(Ud, U, 4, 0)                                \
    L(Lx, LX, SZ_X, 0) L(XMM0, X0, 16, 0)                                                          \
    L(Ib, I, 1, 1) L(Iw, I, 2, 2) L(Iz, I, SZ_V, SZ_D) L(Iv, I, SZ_V, SZ_V) L(Ibs, I, SZ_V, 1)     \
    L(Ib2, I2, 1, 1) L(One, ONE, 1, 0) L(Jb, J, SZ_V, 1) L(Jz, J, SZ_V, SZ_D) L(Ap, A, SZ_V, 0)    \
    L(Ob, O, 0, 1) L(Ov, O, 0, SZ_V) L(Zb, Z, 1, 0) L(Zv, Z, SZ_V, 0)                              \
    L(AL, FIX, 1, REG_AX) L(CL, FIX, 1, REG_CX) L(AX, FIX, 2, REG_AX) L(DX, FIX, 2, REG_DX)        \
    L(rAX, FIX, SZ_V, REG_AX) L(eAX, FIX, SZ_D, REG_AX)                                            \
    L(ES, SEG, SEG_ES, 0) L(CS, SEG, SEG_CS, 0) L(SS, SEG, SEG_SS, 0) L(DS, SEG, SEG_DS, 0)        \
    L(FS, SEG, SEG_FS, 0) L(GS, SEG, SEG_GS, 0)                                                    \
    L(Xb, X, 1, 1) L(Xv, X, SZ_V, SZ_V) L(Xz, X, SZ_D, SZ_D)                                       \
    L(Yb, Y, 1, 1) L(Yv, Y, SZ_V, SZ_V) L(Yz, Y, SZ_D, SZ_D)                                       \
    L(BXAL, XLAT, 1, 1) L(atDI, DI, 0, 0)

enum opmap_letter {
    OL_none,
#define L(name, cls, r, m) OL_##name,
    OPMAP_LETTERS(L)
#undef L
    OL_COUNT
};

enum letter_class {
    C_none, C_E, C_M, C_VM, C_G, C_R, C_S, C_SD, C_C, C_D, C_T, C_STI, C_P, C_Q, C_N, C_V, C_W, C_U,
    C_FIRST_PLAIN, /* those below need no ModRM */
    C_ST = C_FIRST_PLAIN, C_I, C_I2, C_ONE, C_J, C_A, C_O, C_Z, C_FIX, C_SEG, C_X, C_Y, C_XLAT,
    C_DI, C_H, C_B, C_LX, C_X0
};
struct letter {
    uint8_t cls, size, mem;
};
extern const struct letter letters[OL_COUNT]; /* decode.c */

enum opmap_flag {
    F_LOCK = 1,    /* LOCK is legal with a memory destination */
    F_NO64 = 2,    /* undefined in 64-bit mode */
    F_ONLY64 = 4,  /* undefined outside 64-bit mode */
    F_D64 = 8,     /* operand size defaults to 64 bits in 64-bit mode, 66 makes it 16 */
    F_F64 = 16,    /* operand size is 64 bits in 64-bit mode */
    F_ENDS = 32,   /* ends a basic block */
    F_REP = 64,    /* string: F2 and F3 both repeat */
    F_REPZ = 128,  /* string: REPE and REPNE differ */
    F_X87 = 256,   /* imm gets the 11-bit opcode, REX.W ignored */
    F_CC = 512,    /* cc: the opcode's low four bits */
    F_OLD = 1024,  /* only on models without CPUID */
    F_NEAR = 2048  /* near branch: F_F64 at Intel, F_D64 at AMD */
};

/* What VEX says of a row.  Without VEX_L0 and VEX_L1 both lengths are legal (or the length is
 * ignored: then no operand is of size x); without VEX_W0 and VEX_W1 VEX.W is ignored, or the size of
 * an integer register. */
enum opmap_vex {
    VEX_OK = 1,    /* there is a VEX form; it needs FEAT_AVX beside the row's feature */
    VEX_ONLY = 2,  /* there is no other; it needs the row's feature alone */
    VEX_L0 = 4,
    VEX_L1 = 8,
    VEX_W0 = 16,
    VEX_W1 = 32,
    VEX_I256 = 64  /* VEX.L = 1 came with AVX2 */
};

enum opmap_kind {
    K_UD,   /* an empty cell */
    K_OP,
    K_OP0,  /* an operation without operands */
    K_REG,  /* eight rows by ModRM.reg */
    K_RM,   /* eight rows by ModRM.rm */
    K_MOD,  /* two rows: memory, register */
    K_PFX,  /* four rows: none, 66, F3, F2; or VEX.pp */
    K_64,   /* two rows: legacy modes, 64-bit mode */
    K_ENC,  /* two rows: legacy encoding, VEX */
    K_W,    /* two rows by REX.W or VEX.W */
    K_L,    /* two rows by VEX.L */
    K_FEAT, /* two rows: without the feature `feat`, with it */
    K_NOP,  /* 90, three rows: REX.B, neither, F3 */
    K_VEX,  /* C4, C5: VEX in 64-bit mode or with mod == 3 (decode() sees to it), else sub[0] */
    K_3D    /* 0F 0F: ModRM and suffix */
};

struct op_row {
    uint16_t op; /* enum op_id */
    uint8_t kind;
    uint8_t o[4]; /* enum opmap_letter */
    uint8_t feat; /* enum cpu_feature */
    uint8_t vex;  /* enum opmap_vex */
    uint16_t flags;
    const struct op_row *sub;
};

#define OPMAP_CAT(a, b) a##b
/* ROW0(name, .flags = ...): no operands.  ROW1..ROW4: with that many. */
#define ROW0(name, ...) {.op = OP_##name, .kind = K_OP0, __VA_ARGS__}
#define ROW1(name, a, ...) {.op = OP_##name, .kind = K_OP, .o = {OL_##a}, __VA_ARGS__}
#define ROW2(name, a, b, ...) {.op = OP_##name, .kind = K_OP, .o = {OL_##a, OL_##b}, __VA_ARGS__}
#define ROW3(name, a, b, d, ...)                                                                   \
    {.op = OP_##name, .kind = K_OP, .o = {OL_##a, OL_##b, OL_##d}, __VA_ARGS__}
#define ROW4(name, a, b, d, e, ...)                                                                \
    {.op = OP_##name, .kind = K_OP, .o = {OL_##a, OL_##b, OL_##d, OL_##e}, __VA_ARGS__}
#define EMPTY {.kind = K_UD}
#define BY_REG(...) {.kind = K_REG, .sub = (const struct op_row[8]){__VA_ARGS__}}
#define BY_RM(...) {.kind = K_RM, .sub = (const struct op_row[8]){__VA_ARGS__}}
#define BY_MOD(...) {.kind = K_MOD, .sub = (const struct op_row[2]){__VA_ARGS__}}
#define BY_PFX(...) {.kind = K_PFX, .sub = (const struct op_row[4]){__VA_ARGS__}}
#define BY_MODE(...) {.kind = K_64, .sub = (const struct op_row[2]){__VA_ARGS__}}
#define BY_ENC(...) {.kind = K_ENC, .sub = (const struct op_row[2]){__VA_ARGS__}}
#define BY_W(...) {.kind = K_W, .sub = (const struct op_row[2]){__VA_ARGS__}}
#define BY_L(...) {.kind = K_L, .sub = (const struct op_row[2]){__VA_ARGS__}}
#define BY_FEAT(f, ...)                                                                            \
    {.kind = K_FEAT, .feat = FEAT_##f, .sub = (const struct op_row[2]){__VA_ARGS__}}
#define PFX_NP(...) BY_PFX(__VA_ARGS__)
#define PFX_66(...) BY_PFX(EMPTY, __VA_ARGS__)
#define PFX_F3(...) BY_PFX(EMPTY, EMPTY, __VA_ARGS__)
#define PFX_F2(...) BY_PFX(EMPTY, EMPTY, EMPTY, __VA_ARGS__)

/* VEX goes through the same maps: each fact stands once. */
extern const struct op_row opmap_1byte[256]; /* table A-2 */
extern const struct op_row opmap_0f[256];    /* table A-3 */
extern const struct op_row opmap_0f38[256];  /* table A-4 */
extern const struct op_row opmap_0f3a[256];  /* table A-5 */
extern const struct op_row opmap_x87[8][2];  /* tables: D8..DF, memory and register */

/* ---- every cell of every map, for tests and tables (opmap_walk.c) ----
 * Start with a zeroed iterator; each call gives the next cell, false at the end.  First come the
 * legacy maps 0 to 3, then maps 1 to 3 by VEX.  A constraint of -1 is none. */
enum { WALK_SPLITS = 9 };
struct opmap_iter {
    const struct op_row *row; /* of kind K_OP or K_OP0; else an empty cell */
    uint16_t op;              /* row->op, or OP_ud: empty, or not in this encoding */
    bool vex;
    uint8_t map;              /* 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A */
    uint8_t opcode;
    bool modrm;               /* there is a ModRM byte */
    int8_t pfx;               /* 0 none, 1: 66, 2: F3, 3: F2; VEX.pp in this numbering */
    int8_t mod;               /* 0: memory, 1: register */
    int8_t reg, rm;           /* of ModRM */
    int8_t w, l;              /* REX.W or VEX.W; VEX.L.  Rows' VEX_W0, L0... are in here, too */
    int8_t rexb;
    int8_t mode64;            /* 0: legacy modes only, 1: 64-bit mode only */
    uint8_t with, without;    /* enum cpu_feature that a split needs there or not, beside row->feat */
    /* the walker's own */
    bool started;
    uint8_t depth, step[WALK_SPLITS];
};
bool opmap_next(struct opmap_iter *it);
/* Can the cell be reached in this mode: row and split allow it? */
bool opmap_mode_legal(const struct opmap_iter *it, enum decode_mode mode);

/* What a cell leaves open. */
struct opmap_pick {
    uint8_t modrm;            /* what the cell constrains is put in */
    uint8_t sib;              /* used if the resulting ModRM and the address size ask for one */
    uint8_t vvvv;             /* VEX: the register, not inverted */
    uint8_t rxb;              /* REX or VEX: 4 R, 2 X, 1 B; 64-bit mode only */
    uint8_t w, l, pfx;        /* where the cell leaves it open (w, legacy: in 64-bit mode only) */
    bool p67;                 /* an address-size prefix (a VSIB operand in 16-bit mode needs it) */
    bool vex3;                /* the three-byte VEX even where two do */
    uint8_t tail[12];         /* displacement and immediate */
};
/* The machine code of a cell, out[32]; returns the bytes written, `tail` and all: more than the
 * instruction has.  0: the cell's constraints and the mode or pick exclude each other. */
unsigned opmap_encode(const struct opmap_iter *it, enum decode_mode mode,
                      const struct opmap_pick *pick, uint8_t out[32]);
