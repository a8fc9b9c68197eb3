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
X(adcx) X(adox) X(andn) X(bextr) X(blsi) X(blsmsk) X(blsr) X(bzhi) X(clac) X(cmpxchg16b)
X(crc32) X(invpcid) X(lzcnt) X(movbe) X(mulx) X(pdep) X(pext) X(popcnt) X(rdfsbase) X(rdgsbase)
X(rdpid) X(rdrand) X(rdseed) X(rorx) X(sarx) X(shlx) X(shrx) X(stac) X(tzcnt) X(wrfsbase)
X(wrgsbase) X(xrstor) X(xsave) X(xsavec) X(xsaveopt)
