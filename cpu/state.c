/* Reset and the one list of architectural state.  SDM Vol. 3A, section "Processor State After
 * Reset" (table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT").
 *
 * NOT IMPLEMENTED: MCA banks. */
#include "cpu/state.h"
#include "base/snap.h"
#include "base/bits.h"

#include <stdio.h>

static void reset_seg(struct seg *s, uint16_t sel, uint64_t base, uint16_t attr)
{
    s->sel = sel;
    s->base = base;
    s->limit = 0xffff;
    s->attr = attr;
}

void cpu_state_reset(struct cpu_state *s, uint32_t signature)
{
    memset(s, 0, sizeof *s);
    s->gpr[REG_DX] = signature;
    s->rip = 0xfff0;
    s->rflags = FL_1;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        reset_seg(&s->seg[i], 0, 0, ATTR_P | ATTR_S | ATTR_W | ATTR_A);
    }
    reset_seg(&s->seg[SEG_CS], 0xf000, 0xffff0000, ATTR_P | ATTR_S | ATTR_W | ATTR_A | ATTR_X);
    reset_seg(&s->ldtr, 0, 0, ATTR_P | 2);  /* LDT */
    reset_seg(&s->tr, 0, 0, ATTR_P | 11);   /* busy 32-bit TSS */
    s->gdt_limit = s->idt_limit = 0xffff;
    s->cr0 = CR0_ET | CR0_NW | CR0_CD;
    s->dr[6] = 0xffff0ff0;
    s->dr[7] = 0x400;
    s->xcr0 = 1;
    s->fcw = 0x40; /* RESET#; FNINIT gives 37Fh */
    s->ftag = 0xff; /* the tag word resets to 5555h: all zero, not empty */
    s->mxcsr = 0x1f80;
    s->apic_base = 0xfee00000 | APIC_BASE_ENABLE | APIC_BASE_BSP;
    s->pat = 0x0007040600070406;
    s->misc_enable = 1; /* fast strings */
}

void cpu_state_init(struct cpu_state *s, uint32_t signature)
{
    struct cpu_state old = *s;
    cpu_state_reset(s, signature);
    s->cr0 = CR0_ET | (old.cr0 & (CR0_NW | CR0_CD));
    s->fcw = old.fcw;
    s->fsw = old.fsw;
    s->ftag = old.ftag;
    s->fop = old.fop;
    s->fcs = old.fcs;
    s->fds = old.fds;
    s->fip = old.fip;
    s->fdp = old.fdp;
    memcpy(s->st, old.st, sizeof s->st);
    s->mxcsr = old.mxcsr;
    memcpy(s->ymm, old.ymm, sizeof s->ymm);
    s->xcr0 = old.xcr0;
    s->smi_pending = old.smi_pending;
    s->nmi_pending = old.nmi_pending;
    /* all MSRs but EFER, which cannot keep LMA without paging */
    s->tsc_offset = old.tsc_offset;
    s->tsc_aux = old.tsc_aux;
    s->apic_base = old.apic_base;
    s->sysenter_cs = old.sysenter_cs;
    s->sysenter_esp = old.sysenter_esp;
    s->sysenter_eip = old.sysenter_eip;
    s->star = old.star;
    s->lstar = old.lstar;
    s->cstar = old.cstar;
    s->fmask = old.fmask;
    s->kernel_gs_base = old.kernel_gs_base;
    s->pat = old.pat;
    s->mtrr_def = old.mtrr_def;
    memcpy(s->mtrr_fixed, old.mtrr_fixed, sizeof s->mtrr_fixed);
    memcpy(s->mtrr_base, old.mtrr_base, sizeof s->mtrr_base);
    memcpy(s->mtrr_mask, old.mtrr_mask, sizeof s->mtrr_mask);
    s->misc_enable = old.misc_enable;
    s->bios_sign = old.bios_sign;
    s->mcg_status = old.mcg_status;
    s->rng = old.rng;
    s->spec_ctrl = old.spec_ctrl;
    s->activity = s->apic_base & APIC_BASE_BSP ? ACT_ACTIVE : ACT_WAIT_SIPI;
}

/* SDM Vol. 3A, "MP Initialization Protocol Algorithm": execution begins at 000VV000h. */
void cpu_state_sipi(struct cpu_state *s, uint8_t vector)
{
    s->seg[SEG_CS].sel = (uint16_t)(vector << 8);
    s->seg[SEG_CS].base = (uint64_t)vector << 12;
    s->rip = 0;
    s->activity = ACT_ACTIVE;
}

static void snap_seg(struct snap *snap, const char *name, struct seg *g)
{
    char field[40];
    snprintf(field, sizeof field, "%s.sel", name);
    snap_u16(snap, field, &g->sel);
    snprintf(field, sizeof field, "%s.attr", name);
    snap_u16(snap, field, &g->attr);
    snprintf(field, sizeof field, "%s.limit", name);
    snap_u32(snap, field, &g->limit);
    snprintf(field, sizeof field, "%s.base", name);
    snap_u64(snap, field, &g->base);
}

static void snap_array(struct snap *snap, const char *name, uint64_t *v, unsigned n)
{
    char field[40];
    for (unsigned i = 0; i < n; i++) {
        snprintf(field, sizeof field, "%.24s%u", name, i);
        snap_u64(snap, field, &v[i]);
    }
}

/* What the rest of the room takes for granted; a snapshot is hostile input. */
static void state_check(struct cpu_state *s, struct snap *snap)
{
    if (s->activity > ACT_WAIT_SIPI) {
        snap_fail(snap, "cpu: no such activity state");
    } else if (s->cpl > 3) {
        snap_fail(snap, "cpu: privilege level above 3");
    } else if (s->inhibit & ~(INHIBIT_STI | INHIBIT_MOVSS)) {
        snap_fail(snap, "cpu: unknown interrupt shadow");
    } else if (s->startup & ~(STARTUP_INIT | STARTUP_SIPI)) {
        snap_fail(snap, "cpu: unknown start-up message");
    } else if (!(s->rflags & FL_1) || (s->rflags & ~(uint64_t)0x3f7fd7)) {
        snap_fail(snap, "cpu: reserved bits of RFLAGS");
    } else if ((s->cr0 & (CR0_PE | CR0_PG)) == CR0_PG) {
        snap_fail(snap, "cpu: paging without protected mode");
    } else if ((s->rflags & FL_VM) && (s->cpl != 3 || !(s->cr0 & CR0_PE))) {
        snap_fail(snap, "cpu: virtual-8086 mode with the wrong privilege level");
    } else if (!(s->cr0 & CR0_PE) && s->cpl != 0) {
        snap_fail(snap, "cpu: real mode with a privilege level");
    } else if ((s->cr4 & CR4_PCIDE) && !(s->efer & EFER_LMA)) {
        snap_fail(snap, "cpu: PCIDs without long mode");
    } else if ((s->efer & EFER_LMA) && !(s->efer & EFER_LME)) {
        snap_fail(snap, "cpu: long mode active but not enabled");
    } else if (s->mxcsr & ~0xffffu) {
        snap_fail(snap, "cpu: reserved bits of MXCSR");
    } else if (!(s->xcr0 & 1) || s->xcr0 & ~(uint64_t)7 || (s->xcr0 & 6) == 4) {
        snap_fail(snap, "cpu: impossible XCR0");
    } else if (!(s->efer & EFER_LMA)) {
        for (unsigned i = 0; i < 8; i++) {
            if (s->gpr[i] >> 32) {
                snap_fail(snap, "cpu: a 32-bit register above 4 G");
                return;
            }
        }
        if (s->rip >> 32) {
            snap_fail(snap, "cpu: EIP above 4 G");
        }
    }
}

void cpu_state_snap(struct cpu_state *s, struct snap *snap)
{
    static const char *const seg_names[SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs"};
    char field[40];

    snap_array(snap, "gpr", s->gpr, 16);
    snap_u64(snap, "rip", &s->rip);
    snap_u64(snap, "rflags", &s->rflags);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        snap_seg(snap, seg_names[i], &s->seg[i]);
    }
    snap_seg(snap, "ldtr", &s->ldtr);
    snap_seg(snap, "tr", &s->tr);
    snap_u64(snap, "gdt_base", &s->gdt_base);
    snap_u64(snap, "idt_base", &s->idt_base);
    snap_u16(snap, "gdt_limit", &s->gdt_limit);
    snap_u16(snap, "idt_limit", &s->idt_limit);
    snap_u64(snap, "cr0", &s->cr0);
    snap_u64(snap, "cr2", &s->cr2);
    snap_u64(snap, "cr3", &s->cr3);
    snap_u64(snap, "cr4", &s->cr4);
    snap_u64(snap, "cr8", &s->cr8);
    snap_array(snap, "dr", s->dr, 8);
    snap_array(snap, "pdpte", s->pdpte, 4);
    snap_u64(snap, "efer", &s->efer);
    snap_u64(snap, "xcr0", &s->xcr0);
    snap_u8(snap, "cpl", &s->cpl);
    snap_u8(snap, "activity", &s->activity);
    snap_u8(snap, "inhibit", &s->inhibit);
    snap_bool(snap, "nmi_blocked", &s->nmi_blocked);
    snap_bool(snap, "nmi_pending", &s->nmi_pending);
    snap_bool(snap, "smi_pending", &s->smi_pending);
    snap_u8(snap, "startup", &s->startup);
    snap_u8(snap, "sipi_vector", &s->sipi_vector);
    snap_u64(snap, "pending_dr6", &s->pending_dr6);
    snap_u16(snap, "fcw", &s->fcw);
    snap_u16(snap, "fsw", &s->fsw);
    snap_u8(snap, "ftag", &s->ftag);
    snap_u16(snap, "fop", &s->fop);
    snap_u16(snap, "fcs", &s->fcs);
    snap_u16(snap, "fds", &s->fds);
    snap_u64(snap, "fip", &s->fip);
    snap_u64(snap, "fdp", &s->fdp);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(field, sizeof field, "fpr%u.man", i);
        snap_u64(snap, field, &s->st[i].man);
        snprintf(field, sizeof field, "fpr%u.se", i);
        snap_u16(snap, field, &s->st[i].se);
    }
    snap_u32(snap, "mxcsr", &s->mxcsr);
    for (unsigned i = 0; i < 16; i++) {
        snprintf(field, sizeof field, "ymm%u.", i);
        snap_array(snap, field, s->ymm[i], 4);
    }
    snap_u64(snap, "tsc_offset", &s->tsc_offset);
    snap_u64(snap, "tsc_aux", &s->tsc_aux);
    snap_u64(snap, "tsc_deadline", &s->tsc_deadline);
    snap_u64(snap, "apic_base", &s->apic_base);
    snap_u64(snap, "sysenter_cs", &s->sysenter_cs);
    snap_u64(snap, "sysenter_esp", &s->sysenter_esp);
    snap_u64(snap, "sysenter_eip", &s->sysenter_eip);
    snap_u64(snap, "star", &s->star);
    snap_u64(snap, "lstar", &s->lstar);
    snap_u64(snap, "cstar", &s->cstar);
    snap_u64(snap, "fmask", &s->fmask);
    snap_u64(snap, "kernel_gs_base", &s->kernel_gs_base);
    snap_u64(snap, "pat", &s->pat);
    snap_u64(snap, "mtrr_def", &s->mtrr_def);
    snap_array(snap, "mtrr_fixed", s->mtrr_fixed, 11);
    snap_array(snap, "mtrr_base", s->mtrr_base, 8);
    snap_array(snap, "mtrr_mask", s->mtrr_mask, 8);
    snap_u64(snap, "misc_enable", &s->misc_enable);
    snap_u64(snap, "bios_sign", &s->bios_sign);
    snap_u64(snap, "mcg_status", &s->mcg_status);
    snap_u64(snap, "rng", &s->rng);
    snap_u64(snap, "spec_ctrl", &s->spec_ctrl);
    snap_u64(snap, "monitor", &s->monitor);
    snap_u64(snap, "monitor_sum", &s->monitor_sum);
    if (snap_loading(snap)) {
        state_check(s, snap);
    }
}
