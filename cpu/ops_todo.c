/* TEMPORARY: every operation of ops.def that does not exist yet, as a weak definition, so that
 * everything links; deleted when the last one is there.  A library of its own, behind pc_cpu: the
 * linker looks here only for what pc_cpu does not have. */
#include "cpu/core.h"

#define X(name)                                                                                    \
    __attribute__((weak)) bool op_##name(struct cpu *c, const struct insn *in)                     \
    {                                                                                              \
        (void)in;                                                                                  \
        return FAULT_UD(c);                                                                        \
    }
/* clang-format off */
X(cmpxchg16b) X(movbe) X(crc32) X(popcnt) X(lzcnt) X(tzcnt) X(adcx) X(adox) X(andn) X(bextr)
X(blsi) X(blsmsk) X(blsr) X(bzhi) X(mulx) X(pdep) X(pext) X(rorx) X(sarx) X(shlx) X(shrx)
X(rdrand) X(rdseed) X(invpcid) X(clac) X(stac) X(rdfsbase) X(rdgsbase) X(wrfsbase) X(wrgsbase)
X(rdpid) X(xsave) X(xsaveopt) X(xsavec) X(xrstor) X(lddqu) X(movddup) X(movsldup) X(movshdup)
X(pshufb) X(phaddw) X(phaddd) X(phaddsw) X(pmaddubsw) X(phsubw) X(phsubd) X(phsubsw) X(psignb)
X(psignw) X(psignd) X(pmulhrsw) X(pabsb) X(pabsw) X(pabsd) X(palignr) X(pblendvb) X(blendvps)
X(blendvpd) X(pblendw) X(blendps) X(blendpd) X(ptest) X(movntdqa) X(pmovsxbw) X(pmovsxbd)
X(pmovsxbq) X(pmovsxwd) X(pmovsxwq) X(pmovsxdq) X(pmovzxbw) X(pmovzxbd) X(pmovzxbq) X(pmovzxwd)
X(pmovzxwq) X(pmovzxdq) X(pmuldq) X(pmulld) X(pcmpeqq) X(pcmpgtq) X(packusdw) X(phminposuw)
X(mpsadbw) X(pminsb) X(pminsd) X(pminuw) X(pminud) X(pmaxsb) X(pmaxsd) X(pmaxuw) X(pmaxud)
X(pextrb) X(pextrd) X(extractps) X(pinsrb) X(pinsrd) X(insertps) X(pcmpestrm) X(pcmpestri)
X(pcmpistrm) X(pcmpistri) X(addsubps) X(addsubpd) X(haddps) X(haddpd) X(hsubps) X(hsubpd)
X(roundps) X(roundpd) X(roundss) X(roundsd) X(dpps) X(dppd) X(aesenc) X(aesenclast) X(aesdec)
X(aesdeclast) X(aesimc) X(aeskeygenassist) X(pclmulqdq) X(sha1nexte) X(sha1msg1) X(sha1msg2)
X(sha1rnds4) X(sha256rnds2) X(sha256msg1) X(sha256msg2) X(vzeroupper) X(vzeroall)
X(vbroadcastss) X(vbroadcastsd) X(vbroadcastf128) X(vinsertf128) X(vextractf128) X(vperm2f128)
X(vpermilps) X(vpermilpd) X(vmaskmovps) X(vmaskmovpd) X(vtestps) X(vtestpd) X(vpbroadcastb)
X(vpbroadcastw) X(vpbroadcastd) X(vpbroadcastq) X(vbroadcasti128) X(vinserti128) X(vextracti128)
X(vperm2i128) X(vpermd) X(vpermps) X(vpermq) X(vpermpd) X(vpblendd) X(vpsllvd) X(vpsllvq)
X(vpsrlvd) X(vpsrlvq) X(vpsravd) X(vpmaskmovd) X(vpmaskmovq) X(vpgatherdd) X(vpgatherdq)
X(vpgatherqd) X(vpgatherqq) X(vgatherdps) X(vgatherdpd) X(vgatherqps) X(vgatherqpd) X(vcvtph2ps)
X(vcvtps2ph) X(vfmadd132ps) X(vfmadd132pd) X(vfmadd132ss) X(vfmadd132sd) X(vfmadd213ps)
X(vfmadd213pd) X(vfmadd213ss) X(vfmadd213sd) X(vfmadd231ps) X(vfmadd231pd) X(vfmadd231ss)
X(vfmadd231sd) X(vfmsub132ps) X(vfmsub132pd) X(vfmsub132ss) X(vfmsub132sd) X(vfmsub213ps)
X(vfmsub213pd) X(vfmsub213ss) X(vfmsub213sd) X(vfmsub231ps) X(vfmsub231pd) X(vfmsub231ss)
X(vfmsub231sd) X(vfnmadd132ps) X(vfnmadd132pd) X(vfnmadd132ss) X(vfnmadd132sd) X(vfnmadd213ps)
X(vfnmadd213pd) X(vfnmadd213ss) X(vfnmadd213sd) X(vfnmadd231ps) X(vfnmadd231pd) X(vfnmadd231ss)
X(vfnmadd231sd) X(vfnmsub132ps) X(vfnmsub132pd) X(vfnmsub132ss) X(vfnmsub132sd) X(vfnmsub213ps)
X(vfnmsub213pd) X(vfnmsub213ss) X(vfnmsub213sd) X(vfnmsub231ps) X(vfnmsub231pd) X(vfnmsub231ss)
X(vfnmsub231sd) X(vfmaddsub132ps) X(vfmaddsub132pd) X(vfmaddsub213ps) X(vfmaddsub213pd)
X(vfmaddsub231ps) X(vfmaddsub231pd) X(vfmsubadd132ps) X(vfmsubadd132pd) X(vfmsubadd213ps)
X(vfmsubadd213pd) X(vfmsubadd231ps) X(vfmsubadd231pd)
