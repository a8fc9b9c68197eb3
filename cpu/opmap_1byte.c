/* One-byte opcodes, SDM Vol. 2D, table A-2, and groups 1 to 5 and 11 of table A-6.  What the
 * operands mean to an operation stands at the head of opmap.h.  Prefix bytes are empty here:
 * decode() has eaten them. */
#include "cpu/opmap.h"
#include "cpu/state.h"

#define ALU(base, name)                                                                            \
    [base] = ROW2(name, Eb, Gb, .flags = F_LOCK), [base + 1] = ROW2(name, Ev, Gv, .flags = F_LOCK), \
    [base + 2] = ROW2(name, Gb, Eb), [base + 3] = ROW2(name, Gv, Ev),                              \
    [base + 4] = ROW2(name, AL, Ib), [base + 5] = ROW2(name, rAX, Iz)
#define GROUP1(a, b, flag)                                                                         \
    BY_REG(ROW2(add, a, b, .flags = F_LOCK | (flag)), ROW2(or, a, b, .flags = F_LOCK | (flag)),    \
           ROW2(adc, a, b, .flags = F_LOCK | (flag)), ROW2(sbb, a, b, .flags = F_LOCK | (flag)),   \
           ROW2(and, a, b, .flags = F_LOCK | (flag)), ROW2(sub, a, b, .flags = F_LOCK | (flag)),   \
           ROW2(xor, a, b, .flags = F_LOCK | (flag)), ROW2(cmp, a, b, .flags = (flag)))
#define GROUP2(a, b)                                                                               \
    BY_REG(ROW2(rol, a, b), ROW2(ror, a, b), ROW2(rcl, a, b), ROW2(rcr, a, b), ROW2(shl, a, b),    \
           ROW2(shr, a, b), ROW2(shl, a, b), ROW2(sar, a, b))
#define GROUP3(a, i)                                                                               \
    BY_REG(ROW2(test, a, i), ROW2(test, a, i), ROW1(not, a, .flags = F_LOCK),                      \
           ROW1(neg, a, .flags = F_LOCK), ROW1(mul, a), ROW1(imul1, a), ROW1(div, a),              \
           ROW1(idiv, a))
#define EIGHT(base, row)                                                                           \
    [base] = row, [base + 1] = row, [base + 2] = row, [base + 3] = row, [base + 4] = row,          \
    [base + 5] = row, [base + 6] = row, [base + 7] = row
#define JCC ROW1(jcc, Jb, .flags = F_NEAR | F_ENDS | F_CC)
#define INC ROW1(inc, Zv, .flags = F_NO64)
#define DEC ROW1(dec, Zv, .flags = F_NO64)
#define PUSH ROW1(push, Zv, .flags = F_D64)
#define POP ROW1(pop, Zv, .flags = F_D64)
#define XCHG ROW2(xchg, Zv, rAX)
#define MOVB ROW2(mov, Zb, Ib)
#define MOVV ROW2(mov, Zv, Iv)

const struct op_row opmap_1byte[256] = {
    ALU(0x00, add),
    [0x06] = ROW1(push_seg, ES, .flags = F_NO64),
    [0x07] = ROW1(pop_seg, ES, .flags = F_NO64 | F_ENDS),
    ALU(0x08, or),
    [0x0e] = ROW1(push_seg, CS, .flags = F_NO64),
    /* 0f: the two-byte map */
    ALU(0x10, adc),
    [0x16] = ROW1(push_seg, SS, .flags = F_NO64),
    [0x17] = ROW1(pop_seg, SS, .flags = F_NO64 | F_ENDS),
    ALU(0x18, sbb),
    [0x1e] = ROW1(push_seg, DS, .flags = F_NO64),
    [0x1f] = ROW1(pop_seg, DS, .flags = F_NO64 | F_ENDS),
    ALU(0x20, and),
    [0x27] = ROW0(daa, .flags = F_NO64),
    ALU(0x28, sub),
    [0x2f] = ROW0(das, .flags = F_NO64),
    ALU(0x30, xor),
    [0x37] = ROW0(aaa, .flags = F_NO64),
    /* CMP is ALU without LOCK */
    [0x38] = ROW2(cmp, Eb, Gb),
    [0x39] = ROW2(cmp, Ev, Gv),
    [0x3a] = ROW2(cmp, Gb, Eb),
    [0x3b] = ROW2(cmp, Gv, Ev),
    [0x3c] = ROW2(cmp, AL, Ib),
    [0x3d] = ROW2(cmp, rAX, Iz),
    [0x3f] = ROW0(aas, .flags = F_NO64),
    EIGHT(0x40, INC),
    EIGHT(0x48, DEC),
    EIGHT(0x50, PUSH),
    EIGHT(0x58, POP),
    [0x60] = ROW0(pusha, .flags = F_NO64),
    [0x61] = ROW0(popa, .flags = F_NO64),
    [0x62] = ROW2(bound, Gv, Mv, .flags = F_NO64),
    /* with 66 Intel reads a word, AMD a doubleword */
    [0x63] = BY_MODE(ROW2(arpl, Ew, Gw),
                     BY_FEAT(AMD, ROW2(movsxd, Gv, Ez), ROW2(movsxd, Gv, Ed))),
    [0x68] = ROW1(push, Iz, .flags = F_D64),
    [0x69] = ROW3(imul, Gv, Ev, Iz),
    [0x6a] = ROW1(push, Ibs, .flags = F_D64),
    [0x6b] = ROW3(imul, Gv, Ev, Ibs),
    [0x6c] = ROW1(ins, Yb, .flags = F_REP | F_ENDS),
    [0x6d] = ROW1(ins, Yz, .flags = F_REP | F_ENDS),
    [0x6e] = ROW1(outs, Xb, .flags = F_REP | F_ENDS),
    [0x6f] = ROW1(outs, Xz, .flags = F_REP | F_ENDS),
    EIGHT(0x70, JCC),
    EIGHT(0x78, JCC),
    [0x80] = GROUP1(Eb, Ib, 0),
    [0x81] = GROUP1(Ev, Iz, 0),
    [0x82] = GROUP1(Eb, Ib, F_NO64),
    [0x83] = GROUP1(Ev, Ibs, 0),
    [0x84] = ROW2(test, Eb, Gb),
    [0x85] = ROW2(test, Ev, Gv),
    [0x86] = ROW2(xchg, Eb, Gb, .flags = F_LOCK),
    [0x87] = ROW2(xchg, Ev, Gv, .flags = F_LOCK),
    [0x88] = ROW2(mov, Eb, Gb),
    [0x89] = ROW2(mov, Ev, Gv),
    [0x8a] = ROW2(mov, Gb, Eb),
    [0x8b] = ROW2(mov, Gv, Ev),
    [0x8c] = ROW2(mov_from_seg, RvMw, Sw),
    [0x8d] = ROW2(lea, Gv, M),
    [0x8e] = ROW2(mov_seg, SwD, Ew, .flags = F_ENDS),
    [0x8f] = BY_REG(ROW1(pop, Ev, .flags = F_D64)),
    [0x90] = {.kind = K_NOP, .sub = (const struct op_row[3]){XCHG, ROW0(nop), ROW0(pause)}},
    [0x91] = XCHG, [0x92] = XCHG, [0x93] = XCHG, [0x94] = XCHG, [0x95] = XCHG, [0x96] = XCHG,
    [0x97] = XCHG,
    [0x98] = ROW0(cbw),
    [0x99] = ROW0(cwd),
    [0x9a] = ROW1(call_far, Ap, .flags = F_NO64 | F_ENDS),
    [0x9b] = ROW0(fwait),
    [0x9c] = ROW0(pushf, .flags = F_D64),
    [0x9d] = ROW0(popf, .flags = F_D64 | F_ENDS),
    [0x9e] = BY_MODE(ROW0(sahf), ROW0(sahf, .feat = FEAT_LAHF64)),
    [0x9f] = BY_MODE(ROW0(lahf), ROW0(lahf, .feat = FEAT_LAHF64)),
    [0xa0] = ROW2(mov, AL, Ob),
    [0xa1] = ROW2(mov, rAX, Ov),
    [0xa2] = ROW2(mov, Ob, AL),
    [0xa3] = ROW2(mov, Ov, rAX),
    [0xa4] = ROW1(movs, Xb, .flags = F_REP),
    [0xa5] = ROW1(movs, Xv, .flags = F_REP),
    [0xa6] = ROW1(cmps, Xb, .flags = F_REPZ),
    [0xa7] = ROW1(cmps, Xv, .flags = F_REPZ),
    [0xa8] = ROW2(test, AL, Ib),
    [0xa9] = ROW2(test, rAX, Iz),
    [0xaa] = ROW1(stos, Yb, .flags = F_REP),
    [0xab] = ROW1(stos, Yv, .flags = F_REP),
    [0xac] = ROW1(lods, Xb, .flags = F_REP),
    [0xad] = ROW1(lods, Xv, .flags = F_REP),
    [0xae] = ROW1(scas, Yb, .flags = F_REPZ),
    [0xaf] = ROW1(scas, Yv, .flags = F_REPZ),
    EIGHT(0xb0, MOVB),
    EIGHT(0xb8, MOVV),
    [0xc0] = GROUP2(Eb, Ib),
    [0xc1] = GROUP2(Ev, Ib),
    [0xc2] = ROW1(ret, Iw, .flags = F_NEAR | F_ENDS),
    [0xc3] = ROW0(ret, .flags = F_NEAR | F_ENDS),
    [0xc4] = {.kind = K_VEX,
              .sub = (const struct op_row[1]){ROW3(lseg, Gv, Mv, ES, .flags = F_NO64 | F_ENDS)}},
    [0xc5] = {.kind = K_VEX,
              .sub = (const struct op_row[1]){ROW3(lseg, Gv, Mv, DS, .flags = F_NO64 | F_ENDS)}},
    [0xc6] = BY_REG(ROW2(mov, Eb, Ib)),
    [0xc7] = BY_REG(ROW2(mov, Ev, Iz)),
    [0xc8] = ROW2(enter, Iw, Ib2, .flags = F_D64),
    [0xc9] = ROW0(leave, .flags = F_D64),
    [0xca] = ROW1(ret_far, Iw, .flags = F_ENDS),
    [0xcb] = ROW0(ret_far, .flags = F_ENDS),
    [0xcc] = ROW0(int3, .flags = F_ENDS),
    [0xcd] = ROW1(int, Ib, .flags = F_ENDS),
    [0xce] = ROW0(into, .flags = F_NO64 | F_ENDS),
    [0xcf] = ROW0(iret, .flags = F_ENDS),
    [0xd0] = GROUP2(Eb, One),
    [0xd1] = GROUP2(Ev, One),
    [0xd2] = GROUP2(Eb, CL),
    [0xd3] = GROUP2(Ev, CL),
    [0xd4] = ROW1(aam, Ib, .flags = F_NO64),
    [0xd5] = ROW1(aad, Ib, .flags = F_NO64),
    [0xd6] = ROW0(salc, .flags = F_NO64), /* undocumented, in every processor */
    [0xd7] = ROW1(xlat, BXAL),
    [0xd8] = {.kind = K_MOD, .sub = opmap_x87[0]},
    [0xd9] = {.kind = K_MOD, .sub = opmap_x87[1]},
    [0xda] = {.kind = K_MOD, .sub = opmap_x87[2]},
    [0xdb] = {.kind = K_MOD, .sub = opmap_x87[3]},
    [0xdc] = {.kind = K_MOD, .sub = opmap_x87[4]},
    [0xdd] = {.kind = K_MOD, .sub = opmap_x87[5]},
    [0xde] = {.kind = K_MOD, .sub = opmap_x87[6]},
    [0xdf] = {.kind = K_MOD, .sub = opmap_x87[7]},
    [0xe0] = ROW1(loopne, Jb, .flags = F_NEAR | F_ENDS),
    [0xe1] = ROW1(loope, Jb, .flags = F_NEAR | F_ENDS),
    [0xe2] = ROW1(loop, Jb, .flags = F_NEAR | F_ENDS),
    [0xe3] = ROW1(jcxz, Jb, .flags = F_NEAR | F_ENDS),
    [0xe4] = ROW2(in, AL, Ib, .flags = F_ENDS),
    [0xe5] = ROW2(in, eAX, Ib, .flags = F_ENDS),
    [0xe6] = ROW2(out, Ib, AL, .flags = F_ENDS),
    [0xe7] = ROW2(out, Ib, eAX, .flags = F_ENDS),
    [0xe8] = ROW1(call, Jz, .flags = F_NEAR | F_ENDS),
    [0xe9] = ROW1(jmp, Jz, .flags = F_NEAR | F_ENDS),
    [0xea] = ROW1(jmp_far, Ap, .flags = F_NO64 | F_ENDS),
    [0xeb] = ROW1(jmp, Jb, .flags = F_NEAR | F_ENDS),
    [0xec] = ROW2(in, AL, DX, .flags = F_ENDS),
    [0xed] = ROW2(in, eAX, DX, .flags = F_ENDS),
    [0xee] = ROW2(out, DX, AL, .flags = F_ENDS),
    [0xef] = ROW2(out, DX, eAX, .flags = F_ENDS),
    [0xf1] = ROW0(int1, .flags = F_ENDS),
    [0xf4] = ROW0(hlt, .flags = F_ENDS),
    [0xf5] = ROW0(cmc),
    [0xf6] = GROUP3(Eb, Ib),
    [0xf7] = GROUP3(Ev, Iz),
    [0xf8] = ROW0(clc),
    [0xf9] = ROW0(stc),
    [0xfa] = ROW0(cli, .flags = F_ENDS),
    [0xfb] = ROW0(sti, .flags = F_ENDS),
    [0xfc] = ROW0(cld),
    [0xfd] = ROW0(std),
    [0xfe] = BY_REG(ROW1(inc, Eb, .flags = F_LOCK), ROW1(dec, Eb, .flags = F_LOCK)),
    [0xff] = BY_REG(ROW1(inc, Ev, .flags = F_LOCK), ROW1(dec, Ev, .flags = F_LOCK),
                    ROW1(call, Ev, .flags = F_NEAR | F_ENDS),
                    ROW1(call_far, Mv, .flags = F_ENDS), ROW1(jmp, Ev, .flags = F_NEAR | F_ENDS),
                    ROW1(jmp_far, Mv, .flags = F_ENDS), ROW1(push, Ev, .flags = F_D64)),
};
