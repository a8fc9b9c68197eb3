/* Three-byte opcodes 0F 3A and VEX map 3, SDM Vol. 2D, table A-5. */
#include "cpu/opmap.h"
#include "cpu/state.h"

#define SSE41(name, a, b, d, v) ROW3(name, a, b, d, .feat = FEAT_SSE4_1, .vex = VEX_OK | (v))
#define SSE41_4(name, a, b, d, e, v) ROW4(name, a, b, d, e, .feat = FEAT_SSE4_1, .vex = VEX_OK | (v))
#define SSE42(name) PFX_66(ROW3(name, Vx, Wx, Ib, .feat = FEAT_SSE4_2, .vex = VEX_OK | VEX_L0))
/* AVX or AVX2, 256 bits only */
#define Y3(f, name, a, b, d, w)                                                                    \
    PFX_66(ROW3(name, a, b, d, .feat = FEAT_##f, .vex = VEX_ONLY | VEX_L1 | (w)))
#define Y4(f, name, a, b, d, e)                                                                    \
    PFX_66(ROW4(name, a, b, d, e, .feat = FEAT_##f, .vex = VEX_ONLY | VEX_L1 | VEX_W0))
#define BLENDV(name, v)                                                                            \
    PFX_66(ROW4(name, Vx, Hx, Wx, Lx, .feat = FEAT_AVX, .vex = VEX_ONLY | VEX_W0 | (v)))
#define PERMIL(name) PFX_66(ROW3(name, Vx, Wx, Ib, .feat = FEAT_AVX, .vex = VEX_ONLY | VEX_W0))

const struct op_row opmap_0f3a[256] = {
    [0x00] = Y3(AVX2, vpermq, Vx, Wx, Ib, VEX_W1),
    [0x01] = Y3(AVX2, vpermpd, Vx, Wx, Ib, VEX_W1),
    [0x02] = PFX_66(ROW4(vpblendd, Vx, Hx, Wx, Ib, .feat = FEAT_AVX2, .vex = VEX_ONLY | VEX_W0)),
    [0x04] = PERMIL(vpermilps),
    [0x05] = PERMIL(vpermilpd),
    [0x06] = Y4(AVX, vperm2f128, Vx, Hx, Wx, Ib),
    [0x08] = PFX_66(SSE41(roundps, Vx, Wx, Ib, 0)),
    [0x09] = PFX_66(SSE41(roundpd, Vx, Wx, Ib, 0)),
    [0x0a] = PFX_66(SSE41_4(roundss, Vd, Hd, Wd, Ib, 0)),
    [0x0b] = PFX_66(SSE41_4(roundsd, Vq, Hq, Wq, Ib, 0)),
    [0x0c] = PFX_66(SSE41_4(blendps, Vx, Hx, Wx, Ib, 0)),
    [0x0d] = PFX_66(SSE41_4(blendpd, Vx, Hx, Wx, Ib, 0)),
    [0x0e] = PFX_66(SSE41_4(pblendw, Vx, Hx, Wx, Ib, VEX_I256)),
    [0x0f] = BY_PFX(ROW3(palignr, Pq, Qq, Ib, .feat = FEAT_SSSE3),
                    ROW4(palignr, Vx, Hx, Wx, Ib, .feat = FEAT_SSSE3, .vex = VEX_OK | VEX_I256)),

    [0x14] = PFX_66(SSE41(pextrb, RdMb, Vo, Ib, VEX_L0)),
    [0x15] = PFX_66(SSE41(pextrw, RdMw, Vo, Ib, VEX_L0)),
    /* VPEXTRQ and VPINSRQ are undefined, not the doubleword, outside 64-bit mode */
    [0x16] = PFX_66(BY_MODE(SSE41(pextrd, Ey, Vo, Ib, VEX_L0 | VEX_W0),
                            SSE41(pextrd, Ey, Vo, Ib, VEX_L0))),
    [0x17] = PFX_66(SSE41(extractps, Ed, Vo, Ib, VEX_L0)),
    [0x18] = Y4(AVX, vinsertf128, Vx, Hx, Wo, Ib),
    [0x19] = Y3(AVX, vextractf128, Wo, Vx, Ib, VEX_W0),
    [0x1d] = PFX_66(ROW3(vcvtps2ph, Wh, Vx, Ib, .feat = FEAT_F16C, .vex = VEX_ONLY | VEX_W0)),
    [0x20] = PFX_66(SSE41_4(pinsrb, Vo, Ho, RdMb, Ib, VEX_L0)),
    [0x21] = PFX_66(SSE41_4(insertps, Vo, Ho, UoMd, Ib, VEX_L0)),
    [0x22] = PFX_66(BY_MODE(SSE41_4(pinsrd, Vo, Ho, Ey, Ib, VEX_L0 | VEX_W0),
                            SSE41_4(pinsrd, Vo, Ho, Ey, Ib, VEX_L0))),
    [0x38] = Y4(AVX2, vinserti128, Vx, Hx, Wo, Ib),
    [0x39] = Y3(AVX2, vextracti128, Wo, Vx, Ib, VEX_W0),

    [0x40] = PFX_66(SSE41_4(dpps, Vx, Hx, Wx, Ib, 0)),
    [0x41] = PFX_66(SSE41_4(dppd, Vx, Hx, Wx, Ib, VEX_L0)),
    [0x42] = PFX_66(SSE41_4(mpsadbw, Vx, Hx, Wx, Ib, VEX_I256)),
    [0x44] = PFX_66(ROW4(pclmulqdq, Vx, Hx, Wx, Ib, .feat = FEAT_PCLMULQDQ, .vex = VEX_OK | VEX_L0)),
    [0x46] = Y4(AVX2, vperm2i128, Vx, Hx, Wx, Ib),
    [0x4a] = BLENDV(blendvps, 0),
    [0x4b] = BLENDV(blendvpd, 0),
    [0x4c] = BLENDV(pblendvb, VEX_I256),
    [0x60] = SSE42(pcmpestrm),
    [0x61] = SSE42(pcmpestri),
    [0x62] = SSE42(pcmpistrm),
    [0x63] = SSE42(pcmpistri),

    [0xcc] = PFX_NP(ROW3(sha1rnds4, Vx, Wx, Ib, .feat = FEAT_SHA)),
    [0xdf] = PFX_66(ROW3(aeskeygenassist, Vx, Wx, Ib, .feat = FEAT_AES, .vex = VEX_OK | VEX_L0)),
    [0xf0] = PFX_F2(ROW3(rorx, Gy, Ey, Ib, .feat = FEAT_BMI2, .vex = VEX_ONLY | VEX_L0)),
};
