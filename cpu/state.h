/* Architectural state of one processor: no pointers, no caches.
 *
 * The exchange format between engines, snapshots, debuggers and tests.  Engines keep derived data
 * (translation caches, decoded code, lazy flags) beside it and bring rip and rflags up to date
 * before anyone looks (cpu_state()).  Register names: Intel SDM Vol. 1, "Basic Execution
 * Environment" and Vol. 3A, "System Architecture Overview". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { REG_AX, REG_CX, REG_DX, REG_BX, REG_SP, REG_BP, REG_SI, REG_DI };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT, SEG_NONE = 7 };

/* attr: the descriptor's bytes 5 and 6 as they lie there, limit bits removed:
 *
 *   15  14  13  12 | 11..8 | 7 | 6..5 | 4 | 3..0
 *    G  D/B  L AVL |   0   | P | DPL  | S | type
 */
enum {
    ATTR_TYPE = 0x000f,
    ATTR_A = 0x0001,  /* accessed */
    ATTR_W = 0x0002,  /* data: writable; code: readable */
    ATTR_E = 0x0004,  /* data: expand-down; code: conforming */
    ATTR_X = 0x0008,  /* code */
    ATTR_S = 0x0010,  /* code or data, not system */
    ATTR_DPL = 0x0060, ATTR_DPL_SHIFT = 5,
    ATTR_P = 0x0080, ATTR_AVL = 0x1000, ATTR_L = 0x2000, ATTR_DB = 0x4000, ATTR_G = 0x8000
};

struct seg {
    uint16_t sel;
    uint16_t attr;   /* ATTR_P clear: unusable (a null selector was loaded) */
    uint32_t limit;  /* in bytes, granularity already applied */
    uint64_t base;
};

struct f80 { /* x87 extended: explicit integer bit in man bit 63; se = sign << 15 | exponent */
    uint64_t man;
    uint16_t se;
};

enum {
    CR0_PE = 1 << 0, CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_ET = 1 << 4,
    CR0_NE = 1 << 5, CR0_WP = 1 << 16, CR0_AM = 1 << 18, CR0_NW = 1 << 29, CR0_CD = 1 << 30
};
#define CR0_PG 0x80000000u
enum {
    CR4_VME = 1 << 0, CR4_PVI = 1 << 1, CR4_TSD = 1 << 2, CR4_DE = 1 << 3, CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_PGE = 1 << 7, CR4_PCE = 1 << 8, CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11, CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17,
    CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21
};
enum { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11 };
enum {
    FL_CF = 1 << 0, FL_1 = 1 << 1, FL_PF = 1 << 2, FL_AF = 1 << 4, FL_ZF = 1 << 6, FL_SF = 1 << 7,
    FL_TF = 1 << 8, FL_IF = 1 << 9, FL_DF = 1 << 10, FL_OF = 1 << 11, FL_IOPL = 3 << 12,
    FL_IOPL_SHIFT = 12, FL_NT = 1 << 14, FL_RF = 1 << 16, FL_VM = 1 << 17, FL_AC = 1 << 18,
    FL_VIF = 1 << 19, FL_VIP = 1 << 20, FL_ID = 1 << 21,
    FL_STATUS = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF
};

enum cpu_activity { ACT_ACTIVE, ACT_HALTED, ACT_SHUTDOWN, ACT_WAIT_SIPI };
enum { APIC_BASE_BSP = 1 << 8, APIC_BASE_ENABLE = 1 << 11 }; /* in apic_base */
enum { STARTUP_INIT = 1, STARTUP_SIPI = 2 };
enum { INHIBIT_STI = 1, INHIBIT_MOVSS = 2 }; /* the shadow over the next instruction boundary */

struct cpu_state {
    uint64_t gpr[16];
    uint64_t rip;    /* offset in CS, of the next instruction */
    uint64_t rflags;
    struct seg seg[SEG_COUNT], ldtr, tr;
    uint64_t gdt_base, idt_base;
    uint16_t gdt_limit, idt_limit;
    uint64_t cr0, cr2, cr3, cr4, cr8, dr[8]; /* dr[4], dr[5] unused */
    uint64_t pdpte[4];                       /* PAE: loaded with CR3 */
    uint64_t efer, xcr0;
    uint8_t cpl;
    uint8_t activity; /* enum cpu_activity */
    uint8_t inhibit;  /* INHIBIT_* */
    bool nmi_blocked, nmi_pending, smi_pending;
    uint8_t startup;     /* STARTUP_*: messages that wait for the instruction boundary */
    uint8_t sipi_vector; /* with STARTUP_SIPI */
    uint64_t pending_dr6; /* debug traps waiting behind a MOV SS shadow */
    /* x87 and SIMD */
    uint16_t fcw, fsw; /* TOP lives in fsw */
    uint8_t ftag;      /* bit n: physical register n is not empty */
    uint16_t fop, fcs, fds;
    uint64_t fip, fdp;
    struct f80 st[8]; /* physical registers; MMn is st[n].man */
    uint32_t mxcsr;
    uint64_t ymm[16][4];
    /* MSRs */
    uint64_t tsc_offset, tsc_aux, tsc_deadline;
    uint64_t apic_base, sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t star, lstar, cstar, fmask, kernel_gs_base;
    uint64_t pat, mtrr_def, mtrr_fixed[11], mtrr_base[8], mtrr_mask[8];
    uint64_t misc_enable, bios_sign, mcg_status;
    uint64_t rng; /* the next RDRAND's state */
    uint64_t spec_ctrl;
    uint64_t monitor;     /* MONITOR, and no MWAIT yet: physical address of the line | 1; else 0 */
    uint64_t monitor_sum; /* of what lay there */
};

struct snap;
/* The one list: save, load, hash, print. */
void cpu_state_snap(struct cpu_state *s, struct snap *snap);
/* SDM Vol. 3A, "Processor State After Reset"; signature goes to EDX. */
void cpu_state_reset(struct cpu_state *s, uint32_t signature);
/* INIT: the same table's last column.  The bootstrap processor goes on at FFFFFFF0h, others wait
 * for SIPI. */
void cpu_state_init(struct cpu_state *s, uint32_t signature);
void cpu_state_sipi(struct cpu_state *s, uint8_t vector);
