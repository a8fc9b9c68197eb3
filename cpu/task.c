/* Hardware task switches.  SDM Vol. 3A, "Task Management", "Task Switching" and its table
 * "Exception Conditions Checked During a Task Switch".
 *
 *   caller: gate and TSS descriptor checks          faults: the old task's
 *   task_prepare(): limits, every page touched      faults: the old task's
 *   task_leave(), task_enter()                      the point of no return
 *   task_load_*(): LDT, CS, SS, data segments       faults: the new task's, at its first
 * instruction
 */
#include "cpu/protect.h"

enum { TASK_SEGS = 6, DR6_BT = 1 << 15, DR7_LOCAL = 0x155 };

/* Where things lie in a TSS. */
struct tss_layout {
    uint8_t size;       /* of a slot */
    uint8_t ip, flags, gpr, seg, segs, ldt, min_limit;
};
static const struct tss_layout tss_layouts[2] = {
    {.size = 2, .ip = 0x0e, .flags = 0x10, .gpr = 0x12, .seg = 0x22, .segs = 4, .ldt = 0x2a,
     .min_limit = 0x2b},
    {.size = 4, .ip = 0x20, .flags = 0x24, .gpr = 0x28, .seg = 0x48, .segs = 6, .ldt = 0x60,
     .min_limit = 0x67},
};
/* TSS order ES CS SS DS FS GS is that of enum SEG_*, and its register order that of enum REG_*. */

struct tss_image {
    uint32_t cr3, ip, flags, gpr[8];
    uint16_t seg[TASK_SEGS], ldt;
    bool trap;
};

static const struct tss_layout *task_layout(unsigned attr)
{
    return &tss_layouts[attr & 8 ? 1 : 0];
}

static bool task_get(struct cpu *c, uint64_t at, unsigned size, uint32_t *v)
{
    uint64_t x;
    if (!lin_read(c, at, size, false, &x)) {
        return false;
    }
    *v = (uint32_t)x;
    return true;
}

static bool task_read(struct cpu *c, const struct seg *tss, struct tss_image *t)
{
    const struct tss_layout *l = task_layout(tss->attr);
    uint32_t v;
    *t = (struct tss_image){0};
    if (!task_get(c, tss->base + l->ip, l->size, &t->ip) ||
        !task_get(c, tss->base + l->flags, l->size, &t->flags)) {
        return false;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (!task_get(c, tss->base + l->gpr + i * l->size, l->size, &t->gpr[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < l->segs; i++) {
        if (!task_get(c, tss->base + l->seg + i * l->size, 2, &v)) {
            return false;
        }
        t->seg[i] = (uint16_t)v;
    }
    if (!task_get(c, tss->base + l->ldt, 2, &v)) {
        return false;
    }
    t->ldt = (uint16_t)v;
    if (l->size == 4) {
        if (!task_get(c, tss->base + 0x1c, 4, &t->cr3) ||
            !task_get(c, tss->base + 0x64, 2, &v)) {
            return false;
        }
        t->trap = v & 1;
    }
    return true;
}

/* The busy bit of the descriptor of `sel` in the GDT. */
static uint64_t task_busy_at(const struct cpu *c, uint16_t sel)
{
    return (c->s.gdt_base + (sel & 0xfff8u) + 5) & 0xffffffff;
}

static bool task_set_busy(struct cpu *c, uint16_t sel, bool busy)
{
    uint64_t v;
    return lin_read(c, task_busy_at(c, sel), 1, false, &v) &&
           lin_write(c, task_busy_at(c, sel), 1, false, busy ? v | 2 : v & ~(uint64_t)2);
}

/* Everything that can still fault in the old task. */
static bool task_prepare(struct cpu *c, const struct seg *tss, enum task_why why,
                         struct tss_image *t)
{
    const struct seg *old = &c->s.tr;
    const struct tss_layout *lo = task_layout(old->attr), *ln = task_layout(tss->attr);
    unsigned last = lo->seg + lo->segs * lo->size - 1u;
    if (tss->limit < ln->min_limit) {
        return seg_fault(c, EXC_TS, tss->sel, WHY_TSS_LIMIT, tss->base);
    }
    if (old->limit < last) {
        return seg_fault(c, EXC_TS, old->sel, WHY_TSS_LIMIT, old->base);
    }
    if (!lin_check_write(c, old->base + lo->ip, last - lo->ip + 1, false) ||
        !task_read(c, tss, t)) {
        return false;
    }
    if ((why == TASK_CALL || why == TASK_INT) && !lin_check_write(c, tss->base, 2, false)) {
        return false;
    }
    if ((why == TASK_JMP || why == TASK_IRET) && old->sel & 0xfffc &&
        !lin_check_write(c, task_busy_at(c, old->sel), 1, false)) {
        return false;
    }
    return why == TASK_IRET || lin_check_write(c, task_busy_at(c, tss->sel), 1, false);
}

/* Save the old task.  The pages are checked: nothing in here fails. */
static bool task_leave(struct cpu *c, enum task_why why, uint64_t rip)
{
    const struct seg *old = &c->s.tr;
    const struct tss_layout *l = task_layout(old->attr);
    uint64_t flags;
    bool ok = true;
    flags_sync(c);
    flags = c->s.rflags;
    if (why == TASK_IRET) {
        flags &= ~(uint64_t)FL_NT;
    }
    if ((why == TASK_JMP || why == TASK_IRET) && old->sel & 0xfffc) {
        ok = task_set_busy(c, old->sel, false);
    }
    ok = ok && lin_write(c, old->base + l->ip, l->size, false, rip) &&
         lin_write(c, old->base + l->flags, l->size, false, flags);
    for (unsigned i = 0; i < 8 && ok; i++) {
        ok = lin_write(c, old->base + l->gpr + i * l->size, l->size, false, c->s.gpr[i]);
    }
    for (unsigned i = 0; i < l->segs && ok; i++) { /* two bytes: the slot's upper half stays */
        ok = lin_write(c, old->base + l->seg + i * l->size, 2, false, c->s.seg[i].sel);
    }
    return ok;
}

static bool task_enter(struct cpu *c, struct seg *tss, enum task_why why,
                       const struct tss_image *t)
{
    uint64_t flags = t->flags;
    bool wide = tss->attr & 8;
    if (why == TASK_CALL || why == TASK_INT) {
        if (!lin_write(c, tss->base, 2, false, c->s.tr.sel)) {
            return false;
        }
        flags |= FL_NT;
    }
    if (why != TASK_IRET && !task_set_busy(c, tss->sel, true)) {
        return false;
    }
    tss->attr |= 2;
    c->s.tr = *tss;
    c->s.cr0 |= CR0_TS;
    for (unsigned i = 0; i < 8; i++) {
        c->s.gpr[i] = t->gpr[i];
    }
    /* selectors now, hidden parts when they are checked */
    for (unsigned i = 0; i < TASK_SEGS; i++) {
        c->s.seg[i] = (struct seg){.sel = t->seg[i]};
    }
    c->s.ldtr = (struct seg){.sel = t->ldt};
    c->s.cpl = flags & FL_VM && wide ? 3 : t->seg[SEG_CS] & 3;
    c->s.dr[7] &= ~(uint64_t)DR7_LOCAL;
    except_set_flags(c, wide ? flags : flags & 0xffff);
    cpu_mode_update(c);
    if (t->trap) {
        c->s.pending_dr6 |= DR6_BT;
        c->exit_word |= EXIT_TRAP;
    }
    if (wide && c->s.cr0 & CR0_PG) {
        if (c->s.cr4 & CR4_PAE && !mmu_load_pdptes(c, t->cr3)) {
            return false;
        }
        c->s.cr3 = t->cr3;
        tlb_flush(c, true);
    }
    return true;
}

/* ---- in the new task ---- */

static bool task_load_ldt(struct cpu *c, uint16_t sel)
{
    struct desc d;
    if (!(sel & 0xfffc)) {
        return true;
    }
    if (sel & 4) {
        return seg_fault(c, EXC_TS, sel, WHY_TSS_BAD, 0);
    }
    if (!seg_fetch(c, sel, EXC_TS, WHY_TSS_BAD, &d)) {
        return false;
    }
    if (desc_is_segment(&d) || desc_type(&d) != DESC_LDT || !desc_present(&d)) {
        return seg_fault(c, EXC_TS, sel, WHY_TSS_BAD, d.at);
    }
    seg_from_desc(&c->s.ldtr, sel, &d);
    return true;
}

static bool task_load_cs(struct cpu *c, uint16_t sel)
{
    struct desc d;
    if (!(sel & 0xfffc)) {
        return cpu_fault_why(c, EXC_TS, 0, WHY_CS_NULL, 0);
    }
    if (!seg_fetch(c, sel, EXC_TS, WHY_CS_LIMIT, &d)) {
        return false;
    }
    if (!desc_is_code(&d)) {
        return seg_fault(c, EXC_TS, sel, WHY_CS_TYPE, d.at);
    }
    if (desc_is_conforming(&d) ? desc_dpl(&d) > (sel & 3u) : desc_dpl(&d) != (sel & 3u)) {
        return seg_fault(c, EXC_TS, sel, WHY_CS_DPL, d.at);
    }
    if (!desc_present(&d)) {
        return seg_fault(c, EXC_NP, sel, WHY_CS_NOT_PRESENT, d.at);
    }
    if (!seg_mark_accessed(c, &d)) {
        return false;
    }
    seg_set(c, SEG_CS, sel, &d);
    return true;
}

static bool task_load_ss(struct cpu *c, uint16_t sel)
{
    struct desc d;
    if (!seg_check_ss(c, sel, c->s.cpl, EXC_TS, &d) || !seg_mark_accessed(c, &d)) {
        return false;
    }
    seg_set(c, SEG_SS, sel, &d);
    return true;
}

static bool task_load_data(struct cpu *c, unsigned seg, uint16_t sel)
{
    struct desc d;
    if (!(sel & 0xfffc)) {
        return true;
    }
    if (!seg_check_data(c, sel, EXC_TS, &d) || !seg_mark_accessed(c, &d)) {
        return false;
    }
    seg_set(c, seg, sel, &d);
    return true;
}

static bool task_load_segments(struct cpu *c, const struct tss_image *t)
{
    static const uint8_t data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    if (!task_load_ldt(c, t->ldt)) {
        return false;
    }
    if (cpu_is_vm86(c)) {
        for (unsigned i = 0; i < TASK_SEGS; i++) {
            seg_set_vm86(c, i, t->seg[i]);
        }
        return true;
    }
    if (!task_load_cs(c, t->seg[SEG_CS]) || !task_load_ss(c, t->seg[SEG_SS])) {
        return false;
    }
    for (unsigned i = 0; i < sizeof data; i++) {
        if (!task_load_data(c, data[i], t->seg[data[i]])) {
            return false;
        }
    }
    return true;
}

static bool task_push_error(struct cpu *c, uint32_t error)
{
    struct frame f = {{error}, 1, c->s.tr.attr & 8 ? 4 : 2};
    struct stk k;
    stk_current(c, &k);
    if (!stk_push_frame(c, &k, &f)) {
        return false;
    }
    c->s.gpr[REG_SP] = k.sp;
    return true;
}

bool task_switch(struct cpu *c, uint16_t sel, struct desc *d, enum task_why why, uint64_t ret_rip,
                 bool push_error, uint32_t error, uint64_t *rip)
{
    struct tss_image t = {0};
    struct seg tss;
    seg_from_desc(&tss, sel, d);
    if (!task_prepare(c, &tss, why, &t) || !task_leave(c, why, ret_rip)) {
        return false;
    }
    *rip = t.ip;
    if (!task_enter(c, &tss, why, &t) || !task_load_segments(c, &t) ||
        (push_error && !task_push_error(c, error))) {
        return false;
    }
    if (t.ip > c->s.seg[SEG_CS].limit) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, c->s.seg[SEG_CS].base + t.ip);
    }
    return true;
}
