/* Model-specific registers.  SDM Vol. 4, "Model-Specific Registers"; Vol. 3A, "Memory Type Range
 * Registers", "Page Attribute Table".
 * MTRRs and PAT are kept and checked but change nothing: all memory is coherent here.  So with
 * SPEC_CTRL: nothing is speculated, and ARCH_CAPABILITIES says which attacks therefore do not work.
 * NOT IMPLEMENTED: performance and last-branch counters (read 0), machine-check banks (none),
 * x2APIC, TSC deadline, TSC_ADJUST, supervisor state of XSAVES. */
#include "cpu/protect.h"

enum {
    MSR_P5_MC_ADDR = 0, MSR_P5_MC_TYPE = 1, MSR_TSC = 0x10, MSR_PLATFORM_ID = 0x17,
    MSR_APIC_BASE = 0x1b, MSR_EBL_CR_POWERON = 0x2a, MSR_SPEC_CTRL = 0x48, MSR_PRED_CMD = 0x49,
    MSR_BIOS_UPDT_TRIG = 0x79, MSR_ARCH_CAPABILITIES = 0x10a,
    MSR_BIOS_SIGN = 0x8b, MSR_PERFCTR0 = 0xc1, MSR_PERFCTR1 = 0xc2, MSR_MTRRCAP = 0xfe,
    MSR_BBL_CR_CTL3 = 0x11e, MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176, MSR_MCG_CAP = 0x179, MSR_MCG_STATUS = 0x17a, MSR_EVNTSEL0 = 0x186,
    MSR_EVNTSEL1 = 0x187, MSR_MISC_ENABLE = 0x1a0, MSR_DEBUGCTL = 0x1d9, MSR_LBR_FIRST = 0x1db,
    MSR_LBR_LAST = 0x1de, MSR_MTRR_BASE0 = 0x200, MSR_MTRR_LAST = 0x20f, MSR_FIX64K = 0x250,
    MSR_FIX16K_0 = 0x258, MSR_FIX16K_1 = 0x259, MSR_FIX4K_0 = 0x268, MSR_FIX4K_7 = 0x26f,
    MSR_PAT = 0x277, MSR_MTRR_DEF = 0x2ff
};
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_FMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX 0xc0000103u

/* The feature that brings a register; FEAT_COUNT: there is no such register. */
static unsigned msr_feature(uint32_t i)
{
    switch (i) {
    case MSR_P5_MC_ADDR: case MSR_P5_MC_TYPE: return FEAT_MSR;
    case MSR_TSC: return FEAT_TSC;
    case MSR_APIC_BASE: return FEAT_APIC;
    case MSR_PLATFORM_ID: case MSR_EBL_CR_POWERON: case MSR_BIOS_UPDT_TRIG: case MSR_BIOS_SIGN:
    case MSR_PERFCTR0: case MSR_PERFCTR1: case MSR_EVNTSEL0: case MSR_EVNTSEL1:
    case MSR_BBL_CR_CTL3: case MSR_DEBUGCTL: case MSR_MISC_ENABLE: return FEAT_P6;
    case MSR_SPEC_CTRL: case MSR_PRED_CMD: return FEAT_SPEC_CTRL;
    case MSR_ARCH_CAPABILITIES: return FEAT_ARCH_CAPABILITIES;
    case MSR_SYSENTER_CS: case MSR_SYSENTER_ESP: case MSR_SYSENTER_EIP: return FEAT_SEP;
    case MSR_MCG_CAP: case MSR_MCG_STATUS: return FEAT_MCA;
    case MSR_PAT: return FEAT_PAT;
    case MSR_MTRRCAP: case MSR_FIX64K: case MSR_FIX16K_0: case MSR_FIX16K_1: case MSR_MTRR_DEF:
        return FEAT_MTRR;
    case MSR_LSTAR: case MSR_CSTAR: case MSR_FMASK: case MSR_FS_BASE: case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE: return FEAT_LM;
    case MSR_STAR: return FEAT_SYSCALL;
    case MSR_TSC_AUX: return FEAT_RDTSCP;
    default: break;
    }
    if ((i >= MSR_MTRR_BASE0 && i <= MSR_MTRR_LAST) || (i >= MSR_FIX4K_0 && i <= MSR_FIX4K_7)) {
        return FEAT_MTRR;
    }
    return i >= MSR_LBR_FIRST && i <= MSR_LBR_LAST ? FEAT_P6 : FEAT_COUNT;
}

static bool msr_exists(const struct cpu *c, uint32_t i)
{
    if (i == MSR_EFER) {
        return feat_has(&c->feat, FEAT_SYSCALL) || feat_has(&c->feat, FEAT_NX) ||
               feat_has(&c->feat, FEAT_LM);
    }
    unsigned f = msr_feature(i);
    return f != FEAT_COUNT && feat_has(&c->feat, f) &&
           (feat_has(&c->feat, FEAT_MSR) || f == FEAT_TSC);
}

/* Registers that are plain words of the state. */
static uint64_t *msr_word(struct cpu *c, uint32_t i)
{
    struct cpu_state *s = &c->s;
    switch (i) {
    case MSR_APIC_BASE: return &s->apic_base;
    case MSR_BIOS_SIGN: return &s->bios_sign;
    case MSR_SYSENTER_CS: return &s->sysenter_cs;
    case MSR_SYSENTER_ESP: return &s->sysenter_esp;
    case MSR_SYSENTER_EIP: return &s->sysenter_eip;
    case MSR_MCG_STATUS: return &s->mcg_status;
    case MSR_MISC_ENABLE: return &s->misc_enable;
    case MSR_SPEC_CTRL: return &s->spec_ctrl;
    case MSR_PAT: return &s->pat;
    case MSR_MTRR_DEF: return &s->mtrr_def;
    case MSR_FIX64K: return &s->mtrr_fixed[0];
    case MSR_FIX16K_0: return &s->mtrr_fixed[1];
    case MSR_FIX16K_1: return &s->mtrr_fixed[2];
    case MSR_EFER: return &s->efer;
    case MSR_STAR: return &s->star;
    case MSR_LSTAR: return &s->lstar;
    case MSR_CSTAR: return &s->cstar;
    case MSR_FMASK: return &s->fmask;
    case MSR_FS_BASE: return &s->seg[SEG_FS].base;
    case MSR_GS_BASE: return &s->seg[SEG_GS].base;
    case MSR_KERNEL_GS_BASE: return &s->kernel_gs_base;
    case MSR_TSC_AUX: return &s->tsc_aux;
    default: break;
    }
    if (i >= MSR_FIX4K_0 && i <= MSR_FIX4K_7) {
        return &s->mtrr_fixed[3 + (i - MSR_FIX4K_0)];
    }
    if (i >= MSR_MTRR_BASE0 && i <= MSR_MTRR_LAST) {
        unsigned n = (i - MSR_MTRR_BASE0) / 2;
        return i & 1 ? &s->mtrr_mask[n] : &s->mtrr_base[n];
    }
    return NULL;
}

/* IA32_ARCH_CAPABILITIES: what we are not vulnerable to.  RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY,
 * SSB_NO, MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO; SBDR_SSDP_NO, FBSDP_NO, PSDP_NO; BHI_NO; PBRSB_NO;
 * GDS_NO, RFDS_NO. */
#define ARCH_CAPABILITIES                                                                         \
    (1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 7u << 13 | 1u << 20 |   \
     1u << 24 | 3u << 26)

/* IA32_MISC_ENABLE: branch trace storage and PEBS are unavailable; read only. */
#define MISC_ENABLE_FIXED ((uint64_t)3 << 11)

bool msr_read(struct cpu *c, uint32_t index, uint64_t *v)
{
    if (!msr_exists(c, index) || index == MSR_PRED_CMD) {
        return false;
    }
    const uint64_t *w = msr_word(c, index);
    if (w) {
        *v = *w | (index == MSR_MISC_ENABLE ? MISC_ENABLE_FIXED : 0);
        return true;
    }
    switch (index) {
    case MSR_ARCH_CAPABILITIES: *v = ARCH_CAPABILITIES; break;
    case MSR_TSC: *v = cpu_tsc(c); break;
    case MSR_MTRRCAP: *v = 8 | 1 << 8 | 1 << 10; break; /* 8 ranges, fixed, WC */
    default: *v = 0; break;
    }
    return true;
}

static bool msr_types_ok(uint64_t v, unsigned valid) /* eight memory types, one a byte */
{
    for (unsigned i = 0; i < 64; i += 8) {
        unsigned t = v >> i & 0xff;
        if (t > 7 || !(valid >> t & 1)) {
            return false;
        }
    }
    return true;
}

enum { MTRR_TYPES = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6, PAT_TYPES = MTRR_TYPES | 1 << 7 };

static bool msr_write_efer(struct cpu *c, uint64_t v)
{
    uint64_t old = c->s.efer, ok = EFER_LMA;
    ok |= feat_has(&c->feat, FEAT_SYSCALL) ? EFER_SCE : 0;
    ok |= feat_has(&c->feat, FEAT_LM) ? EFER_LME : 0;
    ok |= feat_has(&c->feat, FEAT_NX) ? EFER_NXE : 0;
    if (v & ~ok || ((v ^ old) & EFER_LME && c->s.cr0 & CR0_PG)) {
        return false;
    }
    c->s.efer = (v & ~(uint64_t)EFER_LMA) | (old & EFER_LMA);
    if ((v ^ old) & EFER_NXE) {
        tlb_flush(c, false);
    }
    return true;
}

/* Reserved bits of a plain word; false: #GP. */
static bool msr_check(const struct cpu *c, uint32_t i, uint64_t v)
{
    uint64_t phys = bits_mask(mmu_phys_bits(c));
    bool amd = feat_has(&c->feat, FEAT_AMD);
    if (i >= MSR_MTRR_BASE0 && i <= MSR_MTRR_LAST) {
        if (v & ~phys || v & (i & 1 ? 0x7ff : 0xf00)) {
            return false;
        }
        return i & 1 || ((v & 0xff) <= 6 && MTRR_TYPES >> (v & 0xff) & 1);
    }
    if (i == MSR_FIX64K || i == MSR_FIX16K_0 || i == MSR_FIX16K_1 ||
        (i >= MSR_FIX4K_0 && i <= MSR_FIX4K_7)) {
        return msr_types_ok(v, MTRR_TYPES);
    }
    switch (i) {
    case MSR_PAT: return msr_types_ok(v, PAT_TYPES);
    case MSR_MTRR_DEF: return !(v & ~(uint64_t)0xcff) && (v & 0xff) <= 6 &&
                              MTRR_TYPES >> (v & 0xff) & 1;
    case MSR_APIC_BASE: return !(v & ~phys) && !(v & 0x6ff); /* no x2APIC */
    case MSR_SYSENTER_ESP: case MSR_SYSENTER_EIP: /* AMD's have 32 bits that count */
        return amd || addr_canonical(v);
    case MSR_LSTAR: case MSR_CSTAR: case MSR_FS_BASE: case MSR_GS_BASE: case MSR_KERNEL_GS_BASE:
        return addr_canonical(v);
    case MSR_FMASK: return amd || !(v >> 32);
    case MSR_TSC_AUX: return !(v >> 32);
    case MSR_SPEC_CTRL: /* IBRS, STIBP, BHI_DIS_S */
        return !(v & ~(uint64_t)(feat_has(&c->feat, FEAT_BHI_CTRL) ? 0x403 : 3));
    default: return true;
    }
}

bool msr_write(struct cpu *c, uint32_t index, uint64_t v)
{
    if (!msr_exists(c, index)) {
        return false;
    }
    if (index == MSR_EFER) {
        return msr_write_efer(c, v);
    }
    uint64_t *w = msr_word(c, index);
    if (w) {
        if (!msr_check(c, index, v)) {
            return false;
        }
        *w = v;
        if (index == MSR_APIC_BASE && c->env.apic.base) {
            c->env.apic.base(c->env.apic.ctx, v);
        }
        return true;
    }
    switch (index) {
    case MSR_TSC: c->s.tsc_offset += v - cpu_tsc(c); return true;
    case MSR_MTRRCAP: case MSR_MCG_CAP: case MSR_ARCH_CAPABILITIES: return false; /* read only */
    case MSR_PRED_CMD: return v <= 1; /* IBPB */
    default: return true;
    }
}
