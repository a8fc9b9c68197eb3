/* Three-byte opcodes 0F 38 and VEX map 2, SDM Vol. 2D, table A-4 and group 17 of table A-6. */
#include "cpu/opmap.h"
#include "cpu/state.h"

/* SSSE3: on MMX, with 66 on XMM registers, with VEX also 256 bits */
#define SSSE3(name)                                                                                \
    BY_PFX(ROW2(name, Pq, Qq, .feat = FEAT_SSSE3),                                                 \
           ROW3(name, Vx, Hx, Wx, .feat = FEAT_SSSE3, .vex = VEX_OK | VEX_I256))
#define SSSE3_1(name)                                                                              \
    BY_PFX(ROW2(name, Pq, Qq, .feat = FEAT_SSSE3),                                                 \
           ROW2(name, Vx, Wx, .feat = FEAT_SSSE3, .vex = VEX_OK | VEX_I256))
#define SSE41(name)                                                                                \
    PFX_66(ROW3(name, Vx, Hx, Wx, .feat = FEAT_SSE4_1, .vex = VEX_OK | VEX_I256))
#define EXTEND(name, w)                                                                            \
    PFX_66(ROW2(name, Vx, w, .feat = FEAT_SSE4_1, .vex = VEX_OK | VEX_I256))
/* the mask is XMM0; the VEX forms stand in 0F 3A */
#define BLENDV(name) PFX_66(ROW3(name, Vx, Wx, XMM0, .feat = FEAT_SSE4_1))
#define AES(name) PFX_66(ROW3(name, Vx, Hx, Wx, .feat = FEAT_AES, .vex = VEX_OK | VEX_L0))
#define SHA(name) PFX_NP(ROW2(name, Vx, Wx, .feat = FEAT_SHA))
#define AVX_W0(name, a, b) ROW2(name, a, b, .feat = FEAT_AVX, .vex = VEX_ONLY | VEX_W0)
#define AVX3_W0(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_AVX, .vex = VEX_ONLY | VEX_W0)
#define AVX2_W0(name, a, b) ROW2(name, a, b, .feat = FEAT_AVX2, .vex = VEX_ONLY | VEX_W0)
#define AVX2_3(name, a, b, d, v) ROW3(name, a, b, d, .feat = FEAT_AVX2, .vex = VEX_ONLY | (v))
/* doubleword with W0, quadword with W1 */
#define AVX2_DQ(name, a, b, e)                                                                     \
    PFX_66(BY_W(AVX2_3(name##d, a, b, e, VEX_W0), AVX2_3(name##q, a, b, e, VEX_W1)))
#define FMA_ROW(name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_FMA, .vex = VEX_ONLY)
#define FMA_P(name) PFX_66(BY_W(FMA_ROW(name##ps, Vx, Hx, Wx), FMA_ROW(name##pd, Vx, Hx, Wx)))
#define FMA_S(name) PFX_66(BY_W(FMA_ROW(name##ss, Vd, Hd, Wd), FMA_ROW(name##sd, Vq, Hq, Wq)))
#define FMA(base, order)                                                                           \
    [(base) + 6] = FMA_P(vfmaddsub##order), [(base) + 7] = FMA_P(vfmsubadd##order),                \
    [(base) + 8] = FMA_P(vfmadd##order), [(base) + 9] = FMA_S(vfmadd##order),                      \
    [(base) + 10] = FMA_P(vfmsub##order), [(base) + 11] = FMA_S(vfmsub##order),                    \
    [(base) + 12] = FMA_P(vfnmadd##order), [(base) + 13] = FMA_S(vfnmadd##order),                  \
    [(base) + 14] = FMA_P(vfnmsub##order), [(base) + 15] = FMA_S(vfnmsub##order)
#define BMI(n, name, a, b, d) ROW3(name, a, b, d, .feat = FEAT_BMI##n, .vex = VEX_ONLY | VEX_L0)
#define BLS(name) ROW2(name, By, Ey, .feat = FEAT_BMI1, .vex = VEX_ONLY | VEX_L0)

const struct op_row opmap_0f38[256] = {
    [0x00] = SSSE3(pshufb),
    [0x01] = SSSE3(phaddw),
    [0x02] = SSSE3(phaddd),
    [0x03] = SSSE3(phaddsw),
    [0x04] = SSSE3(pmaddubsw),
    [0x05] = SSSE3(phsubw),
    [0x06] = SSSE3(phsubd),
    [0x07] = SSSE3(phsubsw),
    [0x08] = SSSE3(psignb),
    [0x09] = SSSE3(psignw),
    [0x0a] = SSSE3(psignd),
    [0x0b] = SSSE3(pmulhrsw),
    [0x0c] = PFX_66(AVX3_W0(vpermilps, Vx, Hx, Wx)),
    [0x0d] = PFX_66(AVX3_W0(vpermilpd, Vx, Hx, Wx)),
    [0x0e] = PFX_66(AVX_W0(vtestps, Vx, Wx)),
    [0x0f] = PFX_66(AVX_W0(vtestpd, Vx, Wx)),

    [0x10] = BLENDV(pblendvb),
    [0x13] = PFX_66(ROW2(vcvtph2ps, Vx, Wh, .feat = FEAT_F16C, .vex = VEX_ONLY | VEX_W0)),
    [0x14] = BLENDV(blendvps),
    [0x15] = BLENDV(blendvpd),
    [0x16] = PFX_66(AVX2_3(vpermps, Vx, Hx, Wx, VEX_L1 | VEX_W0)),
    [0x17] = PFX_66(ROW2(ptest, Vx, Wx, .feat = FEAT_SSE4_1, .vex = VEX_OK)),
    [0x18] = PFX_66(BY_MOD(AVX_W0(vbroadcastss, Vx, Md), AVX2_W0(vbroadcastss, Vx, Ud))),
    [0x19] = PFX_66(BY_L(EMPTY, BY_MOD(AVX_W0(vbroadcastsd, Vx, Mq), AVX2_W0(vbroadcastsd, Vx, Uq)))),
    [0x1a] = PFX_66(BY_L(EMPTY, AVX_W0(vbroadcastf128, Vx, Mo))),
    [0x1c] = SSSE3_1(pabsb),
    [0x1d] = SSSE3_1(pabsw),
    [0x1e] = SSSE3_1(pabsd),

    [0x20] = EXTEND(pmovsxbw, Wh),
    [0x21] = EXTEND(pmovsxbd, Wf),
    [0x22] = EXTEND(pmovsxbq, We),
    [0x23] = EXTEND(pmovsxwd, Wh),
    [0x24] = EXTEND(pmovsxwq, Wf),
    [0x25] = EXTEND(pmovsxdq, Wh),
    [0x28] = SSE41(pmuldq),
    [0x29] = SSE41(pcmpeqq),
    [0x2a] = PFX_66(ROW2(movntdqa, Vx, Mx, .feat = FEAT_SSE4_1, .vex = VEX_OK | VEX_I256)),
    [0x2b] = SSE41(packusdw),
    [0x2c] = PFX_66(AVX3_W0(vmaskmovps, Vx, Hx, Mx)),
    [0x2d] = PFX_66(AVX3_W0(vmaskmovpd, Vx, Hx, Mx)),
    [0x2e] = PFX_66(AVX3_W0(vmaskmovps, Mx, Hx, Vx)),
    [0x2f] = PFX_66(AVX3_W0(vmaskmovpd, Mx, Hx, Vx)),

    [0x30] = EXTEND(pmovzxbw, Wh),
    [0x31] = EXTEND(pmovzxbd, Wf),
    [0x32] = EXTEND(pmovzxbq, We),
    [0x33] = EXTEND(pmovzxwd, Wh),
    [0x34] = EXTEND(pmovzxwq, Wf),
    [0x35] = EXTEND(pmovzxdq, Wh),
    [0x36] = PFX_66(AVX2_3(vpermd, Vx, Hx, Wx, VEX_L1 | VEX_W0)),
    [0x37] = PFX_66(ROW3(pcmpgtq, Vx, Hx, Wx, .feat = FEAT_SSE4_2, .vex = VEX_OK | VEX_I256)),
    [0x38] = SSE41(pminsb),
    [0x39] = SSE41(pminsd),
    [0x3a] = SSE41(pminuw),
    [0x3b] = SSE41(pminud),
    [0x3c] = SSE41(pmaxsb),
    [0x3d] = SSE41(pmaxsd),
    [0x3e] = SSE41(pmaxuw),
    [0x3f] = SSE41(pmaxud),

    [0x40] = SSE41(pmulld),
    [0x41] = PFX_66(ROW2(phminposuw, Vx, Wx, .feat = FEAT_SSE4_1, .vex = VEX_OK | VEX_L0)),
    [0x45] = AVX2_DQ(vpsrlv, Vx, Hx, Wx),
    [0x46] = PFX_66(AVX2_3(vpsravd, Vx, Hx, Wx, VEX_W0)),
    [0x47] = AVX2_DQ(vpsllv, Vx, Hx, Wx),
    [0x58] = PFX_66(AVX2_W0(vpbroadcastd, Vx, Wd)),
    [0x59] = PFX_66(AVX2_W0(vpbroadcastq, Vx, Wq)),
    [0x5a] = PFX_66(BY_L(EMPTY, AVX2_W0(vbroadcasti128, Vx, Mo))),
    [0x78] = PFX_66(AVX2_W0(vpbroadcastb, Vx, Wb)),
    [0x79] = PFX_66(AVX2_W0(vpbroadcastw, Vx, Ww)),

    [0x82] = PFX_66(ROW2(invpcid, Gn, Mo, .flags = F_ENDS, .feat = FEAT_INVPCID)),
    [0x8c] = AVX2_DQ(vpmaskmov, Vx, Hx, Mx),
    [0x8e] = AVX2_DQ(vpmaskmov, Mx, Hx, Vx),
    [0x90] = PFX_66(BY_W(AVX2_3(vpgatherdd, Vx, VMd, Hx, 0), AVX2_3(vpgatherdq, Vx, VMq, Hx, 0))),
    [0x91] = PFX_66(BY_W(AVX2_3(vpgatherqd, Vh, VMd, Hh, 0), AVX2_3(vpgatherqq, Vx, VMq, Hx, 0))),
    [0x92] = PFX_66(BY_W(AVX2_3(vgatherdps, Vx, VMd, Hx, 0), AVX2_3(vgatherdpd, Vx, VMq, Hx, 0))),
    [0x93] = PFX_66(BY_W(AVX2_3(vgatherqps, Vh, VMd, Hh, 0), AVX2_3(vgatherqpd, Vx, VMq, Hx, 0))),
    FMA(0x90, 132),
    FMA(0xa0, 213),
    FMA(0xb0, 231),

    [0xc8] = SHA(sha1nexte),
    [0xc9] = SHA(sha1msg1),
    [0xca] = SHA(sha1msg2),
    [0xcb] = PFX_NP(ROW3(sha256rnds2, Vx, Wx, XMM0, .feat = FEAT_SHA)),
    [0xcc] = SHA(sha256msg1),
    [0xcd] = SHA(sha256msg2),
    [0xdb] = PFX_66(ROW2(aesimc, Vx, Wx, .feat = FEAT_AES, .vex = VEX_OK | VEX_L0)),
    [0xdc] = AES(aesenc),
    [0xdd] = AES(aesenclast),
    [0xde] = AES(aesdec),
    [0xdf] = AES(aesdeclast),

    [0xf0] = BY_PFX(ROW2(movbe, Gv, Mv, .feat = FEAT_MOVBE), ROW2(movbe, Gv, Mv, .feat = FEAT_MOVBE),
                    EMPTY, ROW2(crc32, Gy, Eb, .feat = FEAT_SSE4_2)),
    [0xf1] = BY_PFX(ROW2(movbe, Mv, Gv, .feat = FEAT_MOVBE), ROW2(movbe, Mv, Gv, .feat = FEAT_MOVBE),
                    EMPTY, ROW2(crc32, Gy, Ev, .feat = FEAT_SSE4_2)),
    [0xf2] = PFX_NP(BMI(1, andn, Gy, By, Ey)),
    [0xf3] = PFX_NP(BY_REG(EMPTY, BLS(blsr), BLS(blsmsk), BLS(blsi))),
    [0xf5] = BY_PFX(BMI(2, bzhi, Gy, Ey, By), EMPTY, BMI(2, pext, Gy, By, Ey),
                    BMI(2, pdep, Gy, By, Ey)),
    [0xf6] = BY_PFX(EMPTY, ROW2(adcx, Gy, Ey, .feat = FEAT_ADX), ROW2(adox, Gy, Ey, .feat = FEAT_ADX),
                    BMI(2, mulx, Gy, By, Ey)),
    [0xf7] = BY_PFX(BMI(1, bextr, Gy, Ey, By), BMI(2, shlx, Gy, Ey, By), BMI(2, sarx, Gy, Ey, By),
                    BMI(2, shrx, Gy, Ey, By)),
};
