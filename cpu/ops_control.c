/* Control, debug, test and extended control registers, and the caches they govern.
 * SDM Vol. 3A, "Control Registers"; Vol. 2, "MOV-Move to/from Control Registers", "LMSW"; Vol. 3B,
 * "Debug Registers"; 80386 Programmer's Reference Manual, "Test Registers".
 * NOT IMPLEMENTED: the 386/486 test registers do nothing (reads give 0); CR4.PKE, LA57, CET. */
#include "cpu/protect.h"

#define CR0_BITS \
    ((uint64_t)(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | \
                CR0_CD) | CR0_PG)

static bool control_cpl0(struct cpu *c)
{
    return c->s.cpl == 0 || FAULT_GP0(c);
}

/* ---- CR0 ---- */

static bool control_set_cr0(struct cpu *c, uint64_t v)
{
    uint64_t old = c->s.cr0, mask = CR0_BITS, change;
    if (!feat_has(&c->feat, FEAT_I486)) {
        mask &= ~(uint64_t)(CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD);
    }
    if (c->mode & MODE_CODE64 && v >> 32) {
        return FAULT_GP0(c);
    }
    v = (v & mask) | CR0_ET;
    if ((v & CR0_PG && !(v & CR0_PE)) || (v & CR0_NW && !(v & CR0_CD))) {
        return FAULT_GP0(c);
    }
    change = v ^ old;
    uint64_t efer = c->s.efer;
    if (change & CR0_PG) {
        if (v & CR0_PG && efer & EFER_LME) {
            if (!(c->s.cr4 & CR4_PAE) || c->s.seg[SEG_CS].attr & ATTR_L ||
                !(c->s.tr.attr & 8)) { /* a 16-bit TSS */
                return FAULT_GP0(c);
            }
            efer |= EFER_LMA;
        } else if (!(v & CR0_PG)) {
            if (c->mode & MODE_CODE64 || c->s.cr4 & CR4_PCIDE) {
                return FAULT_GP0(c);
            }
            efer &= ~(uint64_t)EFER_LMA;
        }
    }
    if (v & CR0_PG && c->s.cr4 & CR4_PAE && !(efer & EFER_LMA) &&
        change & ((uint64_t)CR0_PG | CR0_CD | CR0_NW) && !mmu_load_pdptes(c, c->s.cr3)) {
        return false;
    }
    c->s.cr0 = v;
    c->s.efer = efer;
    if (change & ((uint64_t)CR0_PG | CR0_WP | CR0_PE)) {
        tlb_flush(c, false);
    }
    cpu_mode_update(c);
    return true;
}

bool op_lmsw(struct cpu *c, const struct insn *in)
{
    uint64_t v;
    if (!control_cpl0(c)) {
        return false;
    }
    if (in->o[0].kind == OPND_MEM) {
        if (!mem_read(c, in->seg, insn_ea(c, in), 2, &v)) {
            return false;
        }
    } else {
        v = reg_read(c, in->o[0].reg, 2);
    }
    v = (v & 0xf) | (c->s.cr0 & CR0_PE); /* PE can be set, not cleared */
    return control_set_cr0(c, (c->s.cr0 & ~(uint64_t)0xf) | v);
}

bool op_clts(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!control_cpl0(c)) {
        return false;
    }
    c->s.cr0 &= ~(uint64_t)CR0_TS;
    cpu_mode_update(c);
    return true;
}

/* ---- CR3, CR4 ---- */

#define CR3_NOFLUSH ((uint64_t)1 << 63)

/* With PCIDs bit 63 asks to keep the translations of the PCID that comes in.  They are dropped all
 * the same: the cache knows no PCIDs. */
static bool control_set_cr3(struct cpu *c, uint64_t v)
{
    bool pae = c->s.cr0 & CR0_PG && c->s.cr4 & CR4_PAE, lma = c->s.efer & EFER_LMA;
    if (c->s.cr4 & CR4_PCIDE) {
        v &= ~CR3_NOFLUSH;
    }
    if (v & ~bits_mask(mmu_phys_bits(c)) && c->mode & MODE_CODE64) {
        return FAULT_GP0(c);
    }
    if (pae && !lma && !mmu_load_pdptes(c, v)) {
        return false;
    }
    c->s.cr3 = v;
    tlb_flush(c, true);
    return true;
}

static uint64_t control_cr4_bits(const struct cpu *c)
{
    static const struct {
        uint32_t bits;
        uint16_t feat;
    } row[] = {
        {CR4_VME | CR4_PVI, FEAT_VME}, {CR4_TSD, FEAT_TSC}, {CR4_DE, FEAT_DE}, {CR4_PSE, FEAT_PSE},
        {CR4_PAE, FEAT_PAE}, {CR4_MCE, FEAT_MCE}, {CR4_PGE, FEAT_PGE}, {CR4_PCE, FEAT_P6},
        {CR4_OSFXSR, FEAT_FXSR}, {CR4_OSXMMEXCPT, FEAT_SSE}, {CR4_UMIP, FEAT_UMIP},
        {CR4_FSGSBASE, FEAT_FSGSBASE}, {CR4_OSXSAVE, FEAT_XSAVE}, {CR4_SMEP, FEAT_SMEP},
        {CR4_SMAP, FEAT_SMAP}, {CR4_PCIDE, FEAT_PCID},
    };
    uint64_t m = 0;
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        m |= feat_has(&c->feat, row[i].feat) ? row[i].bits : 0;
    }
    return m;
}

static bool control_set_cr4(struct cpu *c, uint64_t v)
{
    uint64_t change = v ^ c->s.cr4;
    bool lma = c->s.efer & EFER_LMA;
    if (v & ~control_cr4_bits(c) || (lma && !(v & CR4_PAE))) {
        return FAULT_GP0(c);
    }
    if (change & v & CR4_PCIDE && (!lma || c->s.cr3 & 0xfff)) {
        return FAULT_GP0(c);
    }
    if (c->s.cr0 & CR0_PG && v & CR4_PAE && !lma &&
        change & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP) && !mmu_load_pdptes(c, c->s.cr3)) {
        return false;
    }
    c->s.cr4 = v;
    cpu_mode_update(c);
    if (change & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PCIDE)) {
        tlb_flush(c, false);
    }
    mmu_ac_update(c); /* SMAP */
    return true;
}

static bool control_cr_exists(const struct cpu *c, unsigned cr)
{
    switch (cr) {
    case 0: case 2: case 3: return true;
    case 4: return control_cr4_bits(c) != 0;
    case 8: return c->mode & MODE_CODE64 || feat_has(&c->feat, FEAT_CR8_LEGACY);
    default: return false;
    }
}

bool op_mov_cr(struct cpu *c, const struct insn *in)
{
    unsigned cr = in->o[0].reg;
    uint64_t v = reg_read(c, in->o[1].reg, c->mode & MODE_CODE64 ? 8 : 4);
    if (!control_cr_exists(c, cr)) {
        return FAULT_UD(c);
    }
    if (!control_cpl0(c)) {
        return false;
    }
    switch (cr) {
    case 0: return control_set_cr0(c, v);
    case 2: c->s.cr2 = v; return true;
    case 3: return control_set_cr3(c, v);
    case 4: return control_set_cr4(c, v);
    default:
        if (v > 15) {
            return FAULT_GP0(c);
        }
        c->s.cr8 = v;
        if (c->env.apic.set_tpr) {
            c->env.apic.set_tpr(c->env.apic.ctx, (uint8_t)(v << 4));
        }
        return true;
    }
}

bool op_mov_from_cr(struct cpu *c, const struct insn *in)
{
    unsigned cr = in->o[1].reg;
    if (!control_cr_exists(c, cr)) {
        return FAULT_UD(c);
    }
    if (!control_cpl0(c)) {
        return false;
    }
    if (cr == 8 && c->env.apic.tpr) { /* the register lies in the local APIC */
        c->s.cr8 = c->env.apic.tpr(c->env.apic.ctx) >> 4;
    }
    uint64_t v = cr == 0 ? c->s.cr0 : cr == 2 ? c->s.cr2 : cr == 3 ? c->s.cr3
                                  : cr == 4 ? c->s.cr4 : c->s.cr8;
    reg_write(c, in->o[0].reg, c->mode & MODE_CODE64 ? 8 : 4, v);
    return true;
}

/* ---- debug registers ---- */

enum { DR6_BD = 1 << 13, DR7_GD = 1 << 13 };
#define DR6_ONES ((uint64_t)0xffff0ff0)
#define DR7_ONES ((uint64_t)0x400)

/* Checks common to both directions; *dr after the aliasing of DR4 and DR5. */
static bool control_dr(struct cpu *c, unsigned *dr)
{
    if (feat_has(&c->feat, FEAT_AMD) && !control_cpl0(c)) { /* HW: before #UD */
        return false;
    }
    if (*dr > 7 || ((*dr == 4 || *dr == 5) && c->s.cr4 & CR4_DE)) {
        return FAULT_UD(c);
    }
    if (!control_cpl0(c)) {
        return false;
    }
    if (c->s.dr[7] & DR7_GD) { /* delivery clears GD */
        c->s.dr[6] = (c->s.dr[6] & ~(uint64_t)0xf) | DR6_BD;
        return cpu_fault(c, EXC_DB);
    }
    *dr |= *dr == 4 || *dr == 5 ? 2 : 0;
    return true;
}

bool op_mov_dr(struct cpu *c, const struct insn *in)
{
    unsigned dr = in->o[0].reg;
    uint64_t v = reg_read(c, in->o[1].reg, c->mode & MODE_CODE64 ? 8 : 4), old7 = c->s.dr[7];
    if (!control_dr(c, &dr)) {
        return false;
    }
    if (v >> 32 && dr >= 6) {
        return FAULT_GP0(c);
    }
    switch (dr) {
    case 6: c->s.dr[6] = (v & 0xe00f) | DR6_ONES; break;
    case 7: c->s.dr[7] = (v & 0xffff23ff) | DR7_ONES; break;
    default: c->s.dr[dr] = v; break;
    }
    if (dr != 6 && (old7 | c->s.dr[7]) & 0xff) {
        tlb_untag(c); /* pages under watch have no fast tags */
    }
    cpu_irq_update(c);
    return true;
}

bool op_mov_from_dr(struct cpu *c, const struct insn *in)
{
    unsigned dr = in->o[1].reg;
    if (!control_dr(c, &dr)) {
        return false;
    }
    reg_write(c, in->o[0].reg, c->mode & MODE_CODE64 ? 8 : 4, c->s.dr[dr]);
    return true;
}

/* 386 and 486 only: TR3..TR7 test the cache and the TLB, of which ours look different. */
bool op_mov_tr(struct cpu *c, const struct insn *in)
{
    if (feat_has(&c->feat, FEAT_MSR)) {
        return FAULT_UD(c);
    }
    if (!control_cpl0(c)) {
        return false;
    }
    if (in->o[0].kind == OPND_GPR) {
        reg_write(c, in->o[0].reg, 4, 0);
    }
    return true;
}

/* ---- caches ---- */

bool op_invlpg(struct cpu *c, const struct insn *in)
{
    if (!control_cpl0(c)) {
        return false;
    }
    uint64_t lin = insn_ea(c, in);
    if (c->mode & MODE_CODE64) {
        lin += in->seg >= SEG_FS && in->seg < SEG_COUNT ? c->s.seg[in->seg].base : 0;
    } else {
        lin = (lin + c->s.seg[in->seg].base) & 0xffffffff;
    }
    tlb_flush_page(c, lin);
    return true;
}

/* The cache holds the present PCID's translations and global ones. */
bool op_invpcid(struct cpu *c, const struct insn *in)
{
    uint64_t type = reg_read(c, in->o[0].reg, c->mode & MODE_CODE64 ? 8 : 4), d[2];
    uint8_t b[16];
    if (!control_cpl0(c) || !mem_read_bytes(c, in->seg, insn_ea(c, in), b, sizeof b)) {
        return false;
    }
    d[0] = load_le64(b);     /* PCID */
    d[1] = load_le64(b + 8); /* linear address */
    if (type > 3 || d[0] >> 12 || (type < 2 && d[0] && !(c->s.cr4 & CR4_PCIDE)) ||
        (type == 0 && !addr_canonical(d[1]))) {
        return FAULT_GP0(c);
    }
    uint64_t pcid = c->s.cr4 & CR4_PCIDE ? c->s.cr3 & 0xfff : 0;
    switch (type) {
    case 0: /* one address of one PCID, not global */
        if (d[0] == pcid) {
            tlb_flush_page(c, d[1]);
        }
        break;
    case 2: tlb_flush(c, false); break; /* everything */
    case 3: tlb_flush(c, true); break;  /* all but global ones */
    default:                            /* that of one PCID, not global */
        if (d[0] == pcid) {
            tlb_flush(c, true);
        }
        break;
    }
    return true;
}

/* ---- SMAP's key: #UD, not #GP, for want of privilege ---- */

static bool control_set_ac(struct cpu *c, bool on)
{
    if (c->s.cpl) {
        return FAULT_UD(c);
    }
    c->s.rflags = on ? c->s.rflags | FL_AC : c->s.rflags & ~(uint64_t)FL_AC;
    c->tlb_cur = c->tlb[tlb_view(c)];
    return true;
}

bool op_stac(struct cpu *c, const struct insn *in)
{
    (void)in;
    return control_set_ac(c, true);
}

bool op_clac(struct cpu *c, const struct insn *in)
{
    (void)in;
    return control_set_ac(c, false);
}

bool op_invd(struct cpu *c, const struct insn *in)
{
    (void)in;
    return control_cpl0(c);
}

bool op_wbinvd(struct cpu *c, const struct insn *in)
{
    (void)in;
    return control_cpl0(c);
}
