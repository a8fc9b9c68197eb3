/* Faults and interrupts: recording, delivery through IVT and IDT, double and triple fault.
 * SDM Vol. 3A, "Interrupt and Exception Handling", "Double Fault Exception (#DF)"; Vol. 2, "INT n".
 * Long mode: Vol. 3A, "Exception and Interrupt Handling in 64-bit Mode".
 * NOT IMPLEMENTED: machine checks. */
#include "cpu/protect.h"

/* ---- recording ---- */

bool cpu_fault_why(struct cpu *c, unsigned vector, uint32_t error, enum cpu_why why, uint64_t where)
{
    bool has_error = vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC;
    if (c->ext && vector >= EXC_TS && vector <= EXC_GP) {
        error |= 1; /* EXT */
    }
    c->fault = (struct fault){.vector = (uint8_t)vector, .pending = true, .has_error = has_error,
                              .error = has_error ? error : 0, .why = why, .where = where};
    return false;
}

bool cpu_fault_err(struct cpu *c, unsigned vector, uint32_t error)
{
    return cpu_fault_why(c, vector, error, WHY_OTHER, 0);
}

bool cpu_fault(struct cpu *c, unsigned vector)
{
    return cpu_fault_why(c, vector, 0, WHY_OTHER, 0);
}

static void except_record(struct cpu *c, const struct fault *f, bool during)
{
    c->faults[c->fault_count++ % ARRAY_LEN(c->faults)] = (struct cpu_fault_record){
        .vector = f->vector, .has_error = f->has_error, .during_delivery = during,
        .error = f->error, .cs = c->s.seg[SEG_CS].sel, .rip = c->s.rip,
        .cr2 = f->vector == EXC_PF ? f->cr2 : 0, .why = f->why, .where = f->where,
    };
}

void except_set_flags(struct cpu *c, uint64_t v)
{
    uint64_t mask = 0x37fd7; /* what the 386 has; software tells the generations by the others */
    mask |= feat_has(&c->feat, FEAT_I486) ? FL_AC : 0;
    mask |= feat_has(&c->feat, FEAT_CPUID) ? FL_ID : 0;
    mask |= feat_has(&c->feat, FEAT_VME) ? FL_VIF | FL_VIP : 0;
    c->s.rflags = (v & mask) | FL_1;
    flags_set_status(c, (uint32_t)v);
    mmu_ac_update(c);
    cpu_irq_update(c);
}

/* ---- stacks ---- */

void stk_current(const struct cpu *c, struct stk *k)
{
    k->seg = c->s.seg[SEG_SS];
    k->mask = bits_mask(stack_size(c) * 8);
    k->sp = c->s.gpr[REG_SP];
    k->user = c->s.cpl == 3;
    k->wide = c->mode & MODE_CODE64;
    k->err = 0;
}

void stk_new(const struct cpu *c, struct stk *k, uint16_t sel, const struct desc *d, uint64_t sp,
             unsigned cpl)
{
    (void)c;
    seg_from_desc(&k->seg, sel, d);
    k->mask = k->seg.attr & ATTR_DB ? 0xffffffff : 0xffff;
    k->sp = sp;
    k->user = cpl == 3;
    k->wide = false;
    k->err = sel & 0xfffc;
}

void stk_new64(struct stk *k, uint64_t sp, unsigned cpl)
{
    *k = (struct stk){.sp = sp, .mask = ~0ull, .user = cpl == 3, .wide = true};
}

static bool stk_fault(struct cpu *c, const struct stk *k, uint64_t off)
{
    return cpu_fault_why(c, EXC_SS, k->err, WHY_STACK_LIMIT, k->seg.base + off);
}

static void stk_range(const struct cpu *c, const struct stk *k, struct seg_range *r)
{
    if (k->wide) {
        *r = (struct seg_range){0, UINT64_MAX, 0, UINT64_MAX};
    } else {
        seg_range_of(c, &k->seg, r);
    }
}

static bool stk_room(const struct stk *k, uint64_t p, uint64_t n, uint64_t lo, uint64_t hi)
{
    if (k->wide && !(addr_canonical(p) && addr_canonical(p + n - 1))) {
        return false;
    }
    return p >= lo && p + n - 1 <= hi;
}

bool stk_push_frame(struct cpu *c, struct stk *k, const struct frame *f)
{
    struct seg_range r;
    uint64_t sp = k->sp & k->mask, total = (uint64_t)f->n * f->size;
    uint64_t base = k->wide ? 0 : k->seg.base;
    stk_range(c, k, &r);
    bool whole = sp >= total && stk_room(k, sp - total, total, r.wr_lo, r.wr_hi) &&
                 lin_check_write(c, base + sp - total, (unsigned)total, k->user);
    if (!whole) { /* slot by slot: it wraps, or the first one that cannot be written faults */
        uint64_t p = sp;
        c->fault.pending = false;
        for (unsigned i = 0; i < f->n; i++) {
            p = (p - f->size) & k->mask;
            if (!stk_room(k, p, f->size, r.wr_lo, r.wr_hi)) {
                return stk_fault(c, k, p);
            }
            if (!lin_check_write(c, base + p, f->size, k->user)) {
                return false;
            }
        }
    }
    for (unsigned i = 0; i < f->n; i++) {
        sp = (sp - f->size) & k->mask;
        if (!lin_write(c, base + sp, f->size, k->user, f->v[i])) {
            return false; /* not after the checks */
        }
    }
    k->sp = (k->sp & ~k->mask) | sp;
    return true;
}

bool stk_read(struct cpu *c, const struct stk *k, uint64_t off, unsigned size, uint64_t *v)
{
    struct seg_range r;
    uint64_t p = off & k->mask;
    stk_range(c, k, &r);
    if (!stk_room(k, p, size, r.rd_lo, r.rd_hi)) {
        return stk_fault(c, k, p);
    }
    p += k->wide ? 0 : k->seg.base;
    if (k->user && c->ac_check && p & (size - 1)) {
        return cpu_fault_err(c, EXC_AC, 0);
    }
    return lin_read(c, p, size, k->user, v);
}

bool except_tss_stack(struct cpu *c, unsigned cpl, uint16_t *ss, uint32_t *esp)
{
    const struct seg *tr = &c->s.tr;
    bool wide = tr->attr & 8;
    unsigned size = wide ? 4 : 2, off = size + cpl * 2 * size;
    uint64_t sp, sel;
    if (!(tr->attr & ATTR_P) || off + size + 1 > tr->limit) {
        return seg_fault(c, EXC_TS, tr->sel, WHY_TSS_LIMIT, tr->base + off);
    }
    if (!lin_read(c, tr->base + off, size, false, &sp) ||
        !lin_read(c, tr->base + off + size, 2, false, &sel)) {
        return false;
    }
    *esp = (uint32_t)sp;
    *ss = (uint16_t)sel;
    return true;
}

bool except_tss_rsp(struct cpu *c, unsigned cpl, unsigned ist, uint64_t *rsp)
{
    const struct seg *tr = &c->s.tr;
    unsigned off = ist ? 28 + ist * 8 : 4 + cpl * 8;
    if (!(tr->attr & ATTR_P) || off + 7 > tr->limit) {
        return seg_fault(c, EXC_TS, tr->sel, WHY_TSS_LIMIT, tr->base + off);
    }
    return lin_read(c, tr->base + off, 8, false, rsp);
}

/* ---- entering a handler ---- */

enum { DR7_GD = 1 << 13 };

struct event {
    uint8_t vector;
    bool soft;       /* INT n, INT3, INTO: the gate's DPL counts */
    bool has_error;
    uint32_t error;
    uint64_t ret;    /* the return address to push */
    uint32_t flags;  /* the flags image to push */
};

static bool event_real(struct cpu *c, const struct event *ev, uint64_t *rip)
{
    uint64_t at = c->s.idt_base + ev->vector * 4u, vec;
    struct stk k;
    if (ev->vector * 4u + 3 > c->s.idt_limit) {
        return cpu_fault_why(c, EXC_GP, ev->vector * 8u + 2, WHY_IDT_LIMIT, at);
    }
    if (!lin_read(c, at, 4, false, &vec)) {
        return false;
    }
    struct frame f = {{ev->flags & 0xffff, c->s.seg[SEG_CS].sel, ev->ret}, 3, 2};
    stk_current(c, &k);
    if (!stk_push_frame(c, &k, &f)) {
        return false;
    }
    c->s.gpr[REG_SP] = k.sp;
    seg_set_real(c, SEG_CS, (uint16_t)(vec >> 16));
    *rip = vec & 0xffff;
    except_set_flags(c, (flags_status(c) | (c->s.rflags & ~(uint64_t)FL_STATUS)) &
                            ~(uint64_t)(FL_IF | FL_TF | FL_AC | FL_RF));
    return true;
}

static void frame_put(struct frame *f, uint64_t v)
{
    f->v[f->n++] = v;
}

/* Interrupt and trap gates. */
static bool event_gate(struct cpu *c, const struct event *ev, const struct desc *gate,
                       uint64_t *rip)
{
    uint16_t cs = gate_sel(gate), ss = 0;
    struct desc code, stack;
    struct stk k;
    bool vm = cpu_is_vm86(c);
    struct frame f = {.size = gate->raw >> 43 & 1 ? 4 : 2};

    if (!(cs & 0xfffc)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_CS_NULL, gate->at);
    }
    if (!seg_fetch(c, cs, EXC_GP, WHY_CS_LIMIT, &code)) {
        return false;
    }
    if (!desc_is_code(&code)) {
        return seg_fault(c, EXC_GP, cs, WHY_CS_TYPE, code.at);
    }
    if (desc_dpl(&code) > c->s.cpl) {
        return seg_fault(c, EXC_GP, cs, WHY_CS_DPL, code.at);
    }
    if (!desc_present(&code)) {
        return seg_fault(c, EXC_NP, cs, WHY_CS_NOT_PRESENT, code.at);
    }
    unsigned cpl = desc_is_conforming(&code) ? c->s.cpl : desc_dpl(&code);
    if (vm && cpl != 0) {
        return seg_fault(c, EXC_GP, cs, WHY_CS_DPL, code.at);
    }
    bool inner = cpl < c->s.cpl;
    if (inner) {
        uint32_t esp;
        if (!except_tss_stack(c, cpl, &ss, &esp) ||
            !seg_check_ss(c, ss, cpl, EXC_TS, &stack)) {
            return false;
        }
        stk_new(c, &k, ss, &stack, esp, cpl);
        if (vm) {
            frame_put(&f, c->s.seg[SEG_GS].sel);
            frame_put(&f, c->s.seg[SEG_FS].sel);
            frame_put(&f, c->s.seg[SEG_DS].sel);
            frame_put(&f, c->s.seg[SEG_ES].sel);
        }
        frame_put(&f, c->s.seg[SEG_SS].sel);
        frame_put(&f, (uint32_t)c->s.gpr[REG_SP]);
    } else {
        stk_current(c, &k);
    }
    frame_put(&f, ev->flags);
    frame_put(&f, c->s.seg[SEG_CS].sel);
    frame_put(&f, (uint32_t)ev->ret);
    if (ev->has_error) {
        frame_put(&f, ev->error);
    }
    uint32_t target = gate_offset(gate);
    if (target > desc_limit(&code)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, desc_base(&code) + target);
    }
    if (!seg_mark_accessed(c, &code) || (inner && !seg_mark_accessed(c, &stack)) ||
        !stk_push_frame(c, &k, &f)) {
        return false;
    }
    /* nothing can fault any more */
    uint64_t flags = flags_status(c) | (c->s.rflags & ~(uint64_t)FL_STATUS);
    flags &= ~(uint64_t)(FL_TF | FL_NT | FL_RF | FL_VM);
    if (!(gate->raw >> 40 & 1)) { /* interrupt gate */
        flags &= ~(uint64_t)FL_IF;
    }
    c->s.cpl = (uint8_t)cpl;
    c->s.gpr[REG_SP] = k.sp & 0xffffffff;
    c->s.rflags &= ~(uint64_t)FL_VM;
    if (vm) {
        static const uint8_t segs[] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};
        for (unsigned i = 0; i < sizeof segs; i++) {
            seg_set_null(c, segs[i], 0);
        }
    }
    if (inner) {
        seg_from_desc(&c->s.seg[SEG_SS], ss, &stack);
    }
    seg_from_desc(&c->s.seg[SEG_CS], (uint16_t)((cs & 0xfffc) | cpl), &code);
    except_set_flags(c, flags);
    seg_update(c, SEG_SS);
    seg_update(c, SEG_CS);
    *rip = target;
    return true;
}

static bool event_task(struct cpu *c, const struct event *ev, const struct desc *gate,
                       uint64_t *rip)
{
    uint16_t sel = gate_sel(gate);
    struct desc d;
    if (sel & 4) { /* must be in the GDT */
        return seg_fault(c, EXC_GP, sel, WHY_TSS_BAD, gate->at);
    }
    if (!seg_fetch(c, sel, EXC_GP, WHY_TSS_LIMIT, &d)) {
        return false;
    }
    if (desc_is_segment(&d) || (desc_type(&d) != DESC_TSS16 && desc_type(&d) != DESC_TSS32)) {
        return seg_fault(c, EXC_GP, sel, WHY_TSS_BAD, d.at);
    }
    if (!desc_present(&d)) {
        return seg_fault(c, EXC_NP, sel, WHY_TSS_BAD, d.at);
    }
    c->s.rflags = (c->s.rflags & ~(uint64_t)FL_RF) | (ev->flags & FL_RF); /* into the old TSS */
    return task_switch(c, sel, &d, TASK_INT, ev->ret, ev->has_error, ev->error, rip);
}

static bool event_protected(struct cpu *c, const struct event *ev, uint64_t *rip)
{
    struct desc gate = {.at = c->s.idt_base + ev->vector * 8u};
    uint32_t err = ev->vector * 8u + 2;
    if (ev->vector * 8u + 7 > c->s.idt_limit) {
        return cpu_fault_why(c, EXC_GP, err, WHY_IDT_LIMIT, gate.at);
    }
    if (!lin_read(c, gate.at, 8, false, &gate.raw)) {
        return false;
    }
    unsigned type = desc_type(&gate);
    bool usable = type == DESC_TASK || (type & 7) == 6 || (type & 7) == 7;
    if (desc_is_segment(&gate) || !usable) {
        return cpu_fault_why(c, EXC_GP, err, WHY_GATE_TYPE, gate.at);
    }
    if (ev->soft && desc_dpl(&gate) < c->s.cpl) {
        return cpu_fault_why(c, EXC_GP, err, WHY_GATE_DPL, gate.at);
    }
    if (!desc_present(&gate)) {
        return cpu_fault_why(c, EXC_NP, err, WHY_GATE_NOT_PRESENT, gate.at);
    }
    return type == DESC_TASK ? event_task(c, ev, &gate, rip) : event_gate(c, ev, &gate, rip);
}

/* The code segment of a gate in long mode, and the level it runs at. */
static bool event_code64(struct cpu *c, const struct desc *gate, struct desc *code, unsigned *cpl)
{
    uint16_t cs = gate_sel(gate);
    if (!(cs & 0xfffc)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_CS_NULL, gate->at);
    }
    if (!seg_fetch(c, cs, EXC_GP, WHY_CS_LIMIT, code)) {
        return false;
    }
    if (!desc_is_code(code) || !desc_is_code64(c, code) || desc_is_d(code)) {
        return seg_fault(c, EXC_GP, cs, WHY_CS_TYPE, code->at);
    }
    if (desc_dpl(code) > c->s.cpl) {
        return seg_fault(c, EXC_GP, cs, WHY_CS_DPL, code->at);
    }
    if (!desc_present(code)) {
        return seg_fault(c, EXC_NP, cs, WHY_CS_NOT_PRESENT, code->at);
    }
    *cpl = desc_is_conforming(code) ? c->s.cpl : desc_dpl(code);
    return true;
}

/* A gate in long mode, from 64-bit and compatibility mode: the handler is 64-bit code, its stack
 * comes from the TSS (IST, or RSPn to an inner level) or stays, and SS:RSP is always pushed. */
static bool event_gate64(struct cpu *c, const struct event *ev, const struct desc *gate,
                         uint64_t *rip)
{
    unsigned cpl = 0, ist = gate->raw >> 32 & 7;
    uint64_t sp = c->s.gpr[REG_SP], target = gate_offset64(gate);
    struct desc code;
    struct stk k;
    struct frame f = {.size = 8};
    if (!event_code64(c, gate, &code, &cpl)) {
        return false;
    }
    bool inner = cpl < c->s.cpl;
    if ((inner || ist) && !except_tss_rsp(c, cpl, ist, &sp)) {
        return false;
    }
    stk_new64(&k, sp, cpl);
    if ((inner || ist) && !addr_canonical(sp)) {
        return stk_fault(c, &k, sp);
    }
    if (!addr_canonical(target)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, target);
    }
    k.sp &= ~(uint64_t)15;
    frame_put(&f, c->s.seg[SEG_SS].sel);
    frame_put(&f, c->s.gpr[REG_SP]);
    frame_put(&f, ev->flags);
    frame_put(&f, c->s.seg[SEG_CS].sel);
    frame_put(&f, ev->ret);
    if (ev->has_error) {
        frame_put(&f, ev->error);
    }
    if (!seg_mark_accessed(c, &code) || !stk_push_frame(c, &k, &f)) {
        return false;
    }
    /* nothing can fault any more */
    uint64_t flags = flags_status(c) | (c->s.rflags & ~(uint64_t)FL_STATUS);
    flags &= ~(uint64_t)(FL_TF | FL_NT | FL_RF);
    if (!(gate->raw >> 40 & 1)) { /* interrupt gate */
        flags &= ~(uint64_t)FL_IF;
    }
    c->s.cpl = (uint8_t)cpl;
    c->s.gpr[REG_SP] = k.sp;
    if (inner) {
        c->s.seg[SEG_SS] = (struct seg){.sel = (uint16_t)cpl};
    }
    seg_from_desc(&c->s.seg[SEG_CS], (uint16_t)((gate_sel(gate) & 0xfffc) | cpl), &code);
    except_set_flags(c, flags);
    seg_update(c, SEG_SS);
    seg_update(c, SEG_CS);
    *rip = target;
    return true;
}

static bool event_long(struct cpu *c, const struct event *ev, uint64_t *rip)
{
    struct desc gate = {.at = c->s.idt_base + ev->vector * 16u};
    uint32_t err = ev->vector * 8u + 2;
    if (ev->vector * 16u + 15 > c->s.idt_limit) {
        return cpu_fault_why(c, EXC_GP, err, WHY_IDT_LIMIT, gate.at);
    }
    if (!lin_read(c, gate.at, 8, false, &gate.raw) ||
        !lin_read(c, gate.at + 8, 8, false, &gate.high)) {
        return false;
    }
    unsigned type = desc_type(&gate);
    if (desc_is_segment(&gate) || (type != DESC_INT32 && type != DESC_TRAP32)) {
        return cpu_fault_why(c, EXC_GP, err, WHY_GATE_TYPE, gate.at);
    }
    if (ev->soft && desc_dpl(&gate) < c->s.cpl) {
        return cpu_fault_why(c, EXC_GP, err, WHY_GATE_DPL, gate.at);
    }
    if (!desc_present(&gate)) {
        return cpu_fault_why(c, EXC_NP, err, WHY_GATE_NOT_PRESENT, gate.at);
    }
    return event_gate64(c, ev, &gate, rip);
}

static bool event_enter(struct cpu *c, const struct event *ev, uint64_t *rip)
{
    bool ok;
    c->ext = !ev->soft;
    c->in_delivery = true;
    ok = c->mode & MODE_LONG ? event_long(c, ev, rip)
         : cpu_is_real(c)    ? event_real(c, ev, rip)
                             : event_protected(c, ev, rip);
    c->ext = false;
    c->in_delivery = false;
    if (ok) {
        c->s.inhibit = 0;
        c->inhibit_next = 0;
        c->s.activity = ACT_ACTIVE;
        cpu_irq_update(c);
    }
    return ok;
}

static uint32_t event_flags(struct cpu *c, bool fault)
{
    flags_sync(c);
    return (uint32_t)c->s.rflags | (fault ? FL_RF : 0);
}

/* ---- faults and what becomes of faults in them ---- */

enum except_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE };

static enum except_class except_class(unsigned vector)
{
    switch (vector) {
    case EXC_DE: case EXC_TS: case EXC_NP: case EXC_SS: case EXC_GP: return CONTRIBUTORY;
    case EXC_PF: return PAGE_FAULT;
    case EXC_DF: return DOUBLE;
    default: return BENIGN;
    }
}

static bool except_is_fault(unsigned vector) /* pushes RF = 1 */
{
    switch (vector) {
    case EXC_DB: case EXC_NMI: case EXC_BP: case EXC_OF: case EXC_DF: case EXC_MC: return false;
    default: return vector < 32;
    }
}

static bool except_shutdown(struct cpu *c)
{
    c->s.activity = ACT_SHUTDOWN;
    c->exit_word |= EXIT_SHUTDOWN;
    return false;
}

/* c->fault is pending; `first`: the class of the event in whose delivery it came. */
static bool except_chain(struct cpu *c, enum except_class first, bool during)
{
    for (;;) {
        struct fault f = c->fault;
        c->fault.pending = false;
        except_record(c, &f, during);
        if (f.vector == EXC_PF) {
            c->s.cr2 = f.cr2;
        }
        enum except_class second = except_class(f.vector);
        if (first == DOUBLE) {
            return except_shutdown(c);
        }
        if ((first == CONTRIBUTORY && second == CONTRIBUTORY) ||
            (first == PAGE_FAULT && (second == CONTRIBUTORY || second == PAGE_FAULT))) {
            cpu_fault_why(c, EXC_DF, 0, WHY_NONE, 0);
            f = c->fault;
            c->fault.pending = false;
            except_record(c, &f, true);
            second = DOUBLE;
        }
        if (f.vector == EXC_DB) { /* DR6 is set by who found the condition */
            c->s.dr[7] &= ~(uint64_t)DR7_GD;
        }
        if (c->hooks && c->hooks->exception) {
            c->hooks->exception(c->hooks_ctx, f.vector, f.error, c->s.rip);
        }
        bool rf = except_is_fault(f.vector);
        struct event ev = {.vector = f.vector, .has_error = f.has_error, .error = f.error,
                           .ret = c->s.rip, .flags = event_flags(c, rf)};
        uint64_t rip = c->s.rip;
        if (event_enter(c, &ev, &rip)) {
            c->s.rip = rip;
            return true;
        }
        c->s.rip = rip; /* moves only when a task switch was past its point of no return */
        first = second;
        during = true;
    }
}

bool except_deliver(struct cpu *c)
{
    c->s.pending_dr6 = 0; /* traps of an instruction that is not done, or lost behind MOV SS */
    return except_chain(c, BENIGN, false);
}

bool except_interrupt(struct cpu *c, unsigned vector)
{
    struct event ev = {.vector = (uint8_t)vector, .ret = c->s.rip, .flags = event_flags(c, false)};
    uint64_t rip = c->s.rip;
    if (c->hooks && c->hooks->interrupt) {
        c->hooks->interrupt(c->hooks_ctx, vector, c->s.rip);
    }
    c->s.activity = ACT_ACTIVE;
    if (event_enter(c, &ev, &rip)) {
        c->s.rip = rip;
        return true;
    }
    c->s.rip = rip;
    return except_chain(c, BENIGN, true);
}

bool except_soft_int(struct cpu *c, unsigned vector, enum op_id kind)
{
    struct event ev = {.vector = (uint8_t)vector, .soft = kind != OP_int1, .ret = c->next_rip,
                       .flags = event_flags(c, false) & ~(uint32_t)FL_RF};
    uint64_t rip = c->next_rip;
    if (c->hooks && c->hooks->interrupt) { /* INT n is no exception, whatever its vector */
        c->hooks->interrupt(c->hooks_ctx, vector, c->s.rip);
    }
    if (!event_enter(c, &ev, &rip)) {
        return false;
    }
    c->next_rip = rip;
    return true;
}
