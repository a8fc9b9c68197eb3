/* Segment registers: descriptor fetch, load checks, derived ranges and the mode word.
 * SDM Vol. 3A, "Segment Descriptors", "Privilege Checking When Accessing Data Segments",
 * "Privilege Levels"; Vol. 2, "MOV", "POP", "LDS".
 * Long mode: Vol. 3A, "Code Segment Descriptor in 64-bit Mode", "System Segment Descriptors". */
#include "cpu/protect.h"

/* ---- descriptors ---- */

bool seg_desc_at(const struct cpu *c, uint16_t sel, uint64_t *at)
{
    uint64_t base = c->s.gdt_base, limit = c->s.gdt_limit;
    if (sel & 4) {
        base = c->s.ldtr.base;
        limit = c->s.ldtr.limit;
        if (!(c->s.ldtr.attr & ATTR_P)) {
            *at = base;
            return false;
        }
    }
    *at = base + (sel & 0xfff8u);
    if (!(c->mode & MODE_LONG)) {
        *at &= 0xffffffff;
    }
    return (sel | 7u) <= limit;
}

bool seg_fault(struct cpu *c, unsigned vector, uint16_t sel, enum cpu_why why, uint64_t where)
{
    return cpu_fault_why(c, vector, sel & 0xfffcu, why, where);
}

bool seg_fetch(struct cpu *c, uint16_t sel, unsigned vector, enum cpu_why why, struct desc *d)
{
    if (!seg_desc_at(c, sel, &d->at)) {
        return seg_fault(c, vector, sel, why, d->at);
    }
    return lin_read(c, d->at, 8, false, &d->raw);
}

bool seg_fetch_high(struct cpu *c, uint16_t sel, unsigned vector, enum cpu_why why, struct desc *d)
{
    uint64_t at;
    if ((sel | 7u) + 8 > 0xffff || !seg_desc_at(c, (uint16_t)(sel + 8), &at)) {
        return seg_fault(c, vector, sel, why, d->at);
    }
    if (!lin_read(c, at, 8, false, &d->high)) {
        return false;
    }
    return !(d->high >> 40 & 0x1f) || seg_fault(c, vector, sel, why, at);
}

bool seg_mark_accessed(struct cpu *c, struct desc *d)
{
    if (d->raw >> 40 & ATTR_A) {
        return true;
    }
    d->raw |= (uint64_t)ATTR_A << 40;
    return lin_write(c, d->at + 5, 1, false, d->raw >> 40 & 0xff);
}

void seg_from_desc(struct seg *s, uint16_t sel, const struct desc *d)
{
    *s = (struct seg){.sel = sel, .attr = desc_attr(d), .limit = desc_limit(d),
                      .base = desc_base(d)};
}

/* ---- derived state ---- */

void seg_range_of(const struct cpu *c, const struct seg *s, struct seg_range *r)
{
    static const struct seg_range none = {1, 0, 1, 0};
    bool pe = c->s.cr0 & CR0_PE && !(c->s.rflags & FL_VM);
    uint64_t lo = 0, hi = s->limit;
    *r = none;
    if (!(s->attr & ATTR_P)) {
        return;
    }
    if ((s->attr & (ATTR_X | ATTR_E)) == ATTR_E) {
        lo = hi + 1;
        hi = s->attr & ATTR_DB ? 0xffffffff : 0xffff;
    }
    /* real and virtual-8086 mode know no types: CS can be written */
    if (!pe || !(s->attr & ATTR_X) || s->attr & ATTR_W) {
        r->rd_lo = lo;
        r->rd_hi = hi;
    }
    if (!pe || (s->attr & (ATTR_X | ATTR_W)) == ATTR_W) {
        r->wr_lo = lo;
        r->wr_hi = hi;
    }
}

static bool seg_is_flat(const struct cpu *c, unsigned seg)
{
    const struct seg_range *r = &c->range[seg];
    bool write_ok = r->wr_lo == 0 && r->wr_hi == 0xffffffff;
    return c->s.seg[seg].base == 0 && r->rd_lo == 0 && r->rd_hi == 0xffffffff &&
           (write_ok || seg == SEG_CS);
}

static void seg_mode(struct cpu *c)
{
    const struct cpu_state *s = &c->s;
    uint32_t m = 0;
    bool vm = s->rflags & FL_VM;
    if (s->efer & EFER_LMA) {
        m |= MODE_LONG;
    }
    if (s->efer & EFER_LMA && s->seg[SEG_CS].attr & ATTR_L) {
        m |= MODE_CODE64;
    } else if (s->seg[SEG_CS].attr & ATTR_DB) {
        m |= MODE_CODE32;
    }
    if (!(m & MODE_CODE64)) {
        m |= s->seg[SEG_SS].attr & ATTR_DB ? MODE_STACK32 : 0;
    }
    if (s->cr0 & CR0_PE) {
        m |= vm ? MODE_VM : MODE_PE;
    }
    m |= s->cpl == 3 ? MODE_USER : 0;
    m |= s->cr0 & CR0_PG ? MODE_PAGING : 0;
    m |= !(s->cr0 & (CR0_EM | CR0_TS)) && s->cr4 & CR4_OSFXSR ? MODE_SSE : 0;
    if (m & MODE_CODE64) { /* but for FS and GS there are no segments: one key for all code */
        m |= MODE_FLAT_CS | MODE_FLAT_DS | MODE_FLAT_ES | MODE_FLAT_SS;
    } else {
        m |= seg_is_flat(c, SEG_CS) ? MODE_FLAT_CS : 0;
        m |= seg_is_flat(c, SEG_DS) ? MODE_FLAT_DS : 0;
        m |= seg_is_flat(c, SEG_ES) ? MODE_FLAT_ES : 0;
        m |= seg_is_flat(c, SEG_SS) ? MODE_FLAT_SS : 0;
    }
    if (m != c->mode) {
        c->mode = m;
        c->exit_word |= EXIT_MODE;
    }
    c->tlb_cur = c->tlb[tlb_view(c)];
}

void seg_update(struct cpu *c, unsigned seg)
{
    seg_range_of(c, &c->s.seg[seg], &c->range[seg]);
    seg_mode(c);
}

void cpu_mode_update(struct cpu *c)
{
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        seg_range_of(c, &c->s.seg[i], &c->range[i]);
    }
    mmu_ac_update(c);
    seg_mode(c);
}

/* ---- storing into the hidden part ---- */

void seg_set(struct cpu *c, unsigned seg, uint16_t sel, const struct desc *d)
{
    seg_from_desc(&c->s.seg[seg], sel, d);
    seg_update(c, seg);
}

void seg_set_null(struct cpu *c, unsigned seg, uint16_t sel)
{
    c->s.seg[seg] = (struct seg){.sel = sel};
    seg_update(c, seg);
}

/* Limit and D/B survive ("big real mode"); HW: a load makes the segment present and writable. */
void seg_set_real(struct cpu *c, unsigned seg, uint16_t sel)
{
    struct seg *s = &c->s.seg[seg];
    if (!(s->attr & ATTR_P)) {
        s->limit = 0xffff;
    }
    s->sel = sel;
    s->base = (uint32_t)sel << 4;
    s->attr = (s->attr & (ATTR_DB | ATTR_G | ATTR_AVL)) | ATTR_P | ATTR_S | ATTR_W | ATTR_A;
    seg_update(c, seg);
}

void seg_set_vm86(struct cpu *c, unsigned seg, uint16_t sel)
{
    c->s.seg[seg] = (struct seg){.sel = sel, .base = (uint32_t)sel << 4, .limit = 0xffff,
                                 .attr = ATTR_P | ATTR_DPL | ATTR_S | ATTR_W | ATTR_A};
    seg_update(c, seg);
}

/* ---- loads ---- */

bool seg_check_ss(struct cpu *c, uint16_t sel, unsigned cpl, unsigned vector, struct desc *d)
{
    if (!(sel & 0xfffc)) {
        return cpu_fault_why(c, vector, 0, WHY_SS_NULL, 0);
    }
    if (!seg_fetch(c, sel, vector, WHY_SS_LIMIT, d)) {
        return false;
    }
    if ((sel & 3u) != cpl || !desc_is_stack(d) || desc_dpl(d) != cpl) {
        return seg_fault(c, vector, sel, WHY_SS_BAD, d->at);
    }
    if (!desc_present(d)) {
        return seg_fault(c, EXC_SS, sel, WHY_SS_NOT_PRESENT, d->at);
    }
    return true;
}

bool seg_check_data(struct cpu *c, uint16_t sel, unsigned vector, struct desc *d)
{
    if (!seg_fetch(c, sel, vector, WHY_OTHER, d)) {
        return false;
    }
    bool readable = desc_is_segment(d) && (!desc_is_code(d) || d->raw >> 40 & ATTR_W);
    bool visible = desc_is_conforming(d) ||
                   ((sel & 3u) <= desc_dpl(d) && c->s.cpl <= desc_dpl(d));
    if (!readable || !visible) {
        return seg_fault(c, vector, sel, WHY_OTHER, d->at);
    }
    return desc_present(d) || seg_fault(c, EXC_NP, sel, WHY_OTHER, d->at);
}

bool seg_load(struct cpu *c, unsigned seg, uint16_t sel)
{
    struct desc d;
    if (cpu_is_real(c)) {
        seg_set_real(c, seg, sel);
        return true;
    }
    if (cpu_is_vm86(c)) {
        seg_set_vm86(c, seg, sel);
        return true;
    }
    if (seg == SEG_SS) {
        if (c->mode & MODE_CODE64 && !(sel & 0xfffc) && c->s.cpl < 3 && (sel & 3) == c->s.cpl) {
            seg_set_null(c, seg, sel);
            return true;
        }
        if (!seg_check_ss(c, sel, c->s.cpl, EXC_GP, &d)) {
            return false;
        }
    } else {
        if (!(sel & 0xfffc)) {
            seg_set_null(c, seg, sel);
            return true;
        }
        if (!seg_check_data(c, sel, EXC_GP, &d)) {
            return false;
        }
    }
    if (!seg_mark_accessed(c, &d)) {
        return false;
    }
    seg_set(c, seg, sel, &d);
    return true;
}

void seg_drop_inner(struct cpu *c)
{
    static const uint8_t segs[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    for (unsigned i = 0; i < sizeof segs; i++) {
        const struct seg *s = &c->s.seg[segs[i]];
        bool conforming = (s->attr & (ATTR_X | ATTR_E)) == (ATTR_X | ATTR_E);
        if (s->attr & ATTR_P && !conforming &&
            (s->attr & ATTR_DPL) >> ATTR_DPL_SHIFT < c->s.cpl) {
            seg_set_null(c, segs[i], 0);
        }
    }
}
