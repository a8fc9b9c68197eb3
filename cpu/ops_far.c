/* Segment loads, far CALL, JMP and RET, through gates and between privilege levels.
 * SDM Vol. 2, "MOV", "POP", "LDS", "CALL", "JMP", "RET"; Vol. 3A, "Call Gates", "Stack Switching".
 * Long mode: Vol. 3A, "Call Gates" (IA-32e Mode Call Gates), "Stack Switching in IA-32e Mode".
 * IRET and INT: ops_iret.c; the fast system calls: ops_syscall.c. */
#include "cpu/protect.h"

/* ---- segment registers ---- */

bool op_mov_seg(struct cpu *c, const struct insn *in)
{
    uint64_t v;
    if (in->o[1].kind == OPND_MEM) {
        if (!mem_read(c, in->seg, insn_ea(c, in), 2, &v)) {
            return false;
        }
    } else {
        v = reg_read(c, in->o[1].reg, 2);
    }
    if (in->o[0].reg == SEG_CS) {
        return FAULT_UD(c);
    }
    if (!seg_load(c, in->o[0].reg, (uint16_t)v)) {
        return false;
    }
    if (in->o[0].reg == SEG_SS) {
        c->inhibit_next = INHIBIT_MOVSS;
    }
    return true;
}

bool op_mov_from_seg(struct cpu *c, const struct insn *in)
{
    uint16_t sel = c->s.seg[in->o[1].reg].sel;
    if (in->o[0].kind == OPND_MEM) {
        return mem_write(c, in->seg, insn_ea(c, in), 2, sel);
    }
    reg_write(c, in->o[0].reg, in->osize, sel);
    return true;
}

bool op_pop_seg(struct cpu *c, const struct insn *in)
{
    uint64_t sp = stack_sp(c), v;
    unsigned old = stack_size(c);
    if (!stack_pop(c, &sp, in->osize, &v) || !seg_load(c, in->o[0].reg, (uint16_t)v)) {
        return false;
    }
    reg_write(c, REG_SP, old, sp); /* SP moves by the stack that was popped from */
    if (in->o[0].reg == SEG_SS) {
        c->inhibit_next = INHIBIT_MOVSS;
    }
    return true;
}

/* m16:64 is Intel's; with AMD's processors the pointer has 32 bits of offset at most (APM Vol. 3,
 * "CALL (Far)", "LFS"; HW: yet REX.W overrides 66, and CALL pushes eight bytes each). */
static unsigned far_osize(const struct cpu *c, const struct insn *in)
{
    return in->osize == 8 && feat_has(&c->feat, FEAT_AMD) ? 4 : in->osize;
}

static bool far_pointer(struct cpu *c, const struct insn *in, uint16_t *sel, uint64_t *off)
{
    uint64_t ea = insn_ea(c, in), s;
    unsigned size = far_osize(c, in);
    if (!mem_read(c, in->seg, ea, size, off) ||
        !mem_read(c, in->seg, (ea + size) & bits_mask(in->asize * 8u), 2, &s)) {
        return false;
    }
    *sel = (uint16_t)s;
    return true;
}

bool op_lseg(struct cpu *c, const struct insn *in)
{
    uint16_t sel;
    uint64_t off;
    if (!far_pointer(c, in, &sel, &off) || !seg_load(c, in->o[2].reg, sel)) {
        return false;
    }
    reg_write(c, in->o[0].reg, far_osize(c, in), off);
    return true;
}

/* ---- code segments ---- */

void far_set_cs(struct cpu *c, uint16_t sel, const struct desc *d, unsigned cpl)
{
    c->s.cpl = (uint8_t)cpl;
    seg_set(c, SEG_CS, (uint16_t)((sel & 0xfffc) | cpl), d);
    mmu_ac_update(c);
}

static bool far_present(struct cpu *c, uint16_t sel, const struct desc *d)
{
    return desc_present(d) || seg_fault(c, EXC_NP, sel, WHY_CS_NOT_PRESENT, d->at);
}

bool far_limit(struct cpu *c, const struct desc *d, uint64_t off)
{
    if (desc_is_code64(c, d)) {
        return addr_canonical(off) || cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, off);
    }
    return off <= desc_limit(d) || cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, desc_base(d) + off);
}

/* L and D together are reserved in long mode. */
static bool far_check_ld(struct cpu *c, uint16_t sel, const struct desc *d)
{
    return !(desc_is_code64(c, d) && desc_is_d(d)) ||
           seg_fault(c, EXC_GP, sel, WHY_CS_TYPE, d->at);
}

/* Target code segment of a direct far CALL or JMP. */
static bool far_check_direct(struct cpu *c, uint16_t sel, const struct desc *d)
{
    bool ok = desc_is_conforming(d) ? desc_dpl(d) <= c->s.cpl
                                    : (sel & 3u) <= c->s.cpl && desc_dpl(d) == c->s.cpl;
    if (!ok) {
        return seg_fault(c, EXC_GP, sel, WHY_CS_DPL, d->at);
    }
    return far_check_ld(c, sel, d) && far_present(c, sel, d);
}

bool far_check_return(struct cpu *c, uint16_t cs, struct desc *d)
{
    unsigned rpl = cs & 3;
    if (!(cs & 0xfffc)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_CS_NULL, 0);
    }
    if (!seg_fetch(c, cs, EXC_GP, WHY_CS_LIMIT, d)) {
        return false;
    }
    if (!desc_is_code(d)) {
        return seg_fault(c, EXC_GP, cs, WHY_CS_TYPE, d->at);
    }
    if (rpl < c->s.cpl || (desc_is_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl)) {
        return seg_fault(c, EXC_GP, cs, WHY_CS_DPL, d->at);
    }
    return far_check_ld(c, cs, d) && far_present(c, cs, d);
}

bool far_check_outer(struct cpu *c, uint16_t ss, unsigned rpl, const struct desc *code,
                     struct desc *d)
{
    if (!(ss & 0xfffc) && rpl < 3 && desc_is_code64(c, code)) {
        d->raw = 0;
        return true;
    }
    return seg_check_ss(c, ss, rpl, EXC_GP, d);
}

bool far_mark_outer(struct cpu *c, struct desc *d)
{
    return !d->raw || seg_mark_accessed(c, d);
}

void far_set_outer(struct cpu *c, uint16_t ss, const struct desc *d)
{
    if (d->raw) {
        seg_set(c, SEG_SS, ss, d);
    } else {
        seg_set_null(c, SEG_SS, ss);
    }
}

bool far_task(struct cpu *c, uint16_t sel, struct desc *d, enum task_why why)
{
    uint64_t rip = c->s.rip;
    if (!task_switch(c, sel, d, why, c->next_rip, false, 0, &rip)) {
        c->s.rip = rip;
        return false;
    }
    c->next_rip = rip;
    return true;
}

/* ---- CALL and JMP ---- */

static bool far_to_tss(struct cpu *c, uint16_t sel, struct desc *d, bool call)
{
    if (sel & 4 || (desc_type(d) != DESC_TSS16 && desc_type(d) != DESC_TSS32) ||
        desc_is_segment(d)) {
        return seg_fault(c, EXC_GP, sel, WHY_TSS_BAD, d->at);
    }
    if (!desc_present(d)) {
        return seg_fault(c, EXC_NP, sel, WHY_TSS_BAD, d->at);
    }
    return far_task(c, sel, d, call ? TASK_CALL : TASK_JMP);
}

/* CALL through a gate into a more privileged segment: stack from the TSS, parameters copied. */
static bool far_call_inner(struct cpu *c, const struct desc *gate, uint16_t cs, struct desc *code)
{
    unsigned size = gate->raw >> 43 & 1 ? 4 : 2, n = gate_params(gate), cpl = desc_dpl(code);
    struct frame f = {.size = size};
    struct desc stack;
    struct stk k, old;
    uint16_t ss;
    uint32_t esp;

    if (!except_tss_stack(c, cpl, &ss, &esp) || !seg_check_ss(c, ss, cpl, EXC_TS, &stack)) {
        return false;
    }
    stk_current(c, &old);
    stk_new(c, &k, ss, &stack, esp, cpl);
    f.v[f.n++] = c->s.seg[SEG_SS].sel;
    f.v[f.n++] = (uint32_t)c->s.gpr[REG_SP];
    for (unsigned i = n; i-- > 0;) {
        if (!stk_read(c, &old, old.sp + i * size, size, &f.v[f.n++])) {
            return false;
        }
    }
    f.v[f.n++] = c->s.seg[SEG_CS].sel;
    f.v[f.n++] = c->next_rip;
    if (!far_limit(c, code, gate_offset(gate)) || !seg_mark_accessed(c, &stack) ||
        !seg_mark_accessed(c, code) || !stk_push_frame(c, &k, &f)) {
        return false;
    }
    far_set_cs(c, cs, code, cpl);
    seg_set(c, SEG_SS, ss, &stack);
    c->s.gpr[REG_SP] = k.sp & 0xffffffff;
    c->next_rip = gate_offset(gate);
    return true;
}

/* Same level: push (CALL) and go. */
static bool far_same(struct cpu *c, uint16_t cs, struct desc *code, uint64_t off, bool call,
                     unsigned size)
{
    struct frame f = {{c->s.seg[SEG_CS].sel, c->next_rip}, 2, size};
    struct stk k;
    if (!far_limit(c, code, off) || !seg_mark_accessed(c, code)) {
        return false;
    }
    if (call) {
        stk_current(c, &k);
        if (!stk_push_frame(c, &k, &f)) {
            return false;
        }
        c->s.gpr[REG_SP] = k.sp;
    }
    far_set_cs(c, cs, code, c->s.cpl);
    c->next_rip = off;
    return true;
}

/* A call gate of long mode: 16 bytes, to 64-bit code, no parameters.  The frame is of quadwords on
 * a 64-bit stack, also from compatibility mode. */
static bool far_gate64(struct cpu *c, uint16_t sel, struct desc *gate, bool call)
{
    uint16_t target = gate_sel(gate);
    struct frame f = {.size = 8};
    uint64_t sp = c->s.gpr[REG_SP], off;
    struct desc d;
    struct stk k;
    if (desc_dpl(gate) < c->s.cpl || (sel & 3u) > desc_dpl(gate)) {
        return seg_fault(c, EXC_GP, sel, WHY_GATE_DPL, gate->at);
    }
    if (!desc_present(gate)) {
        return seg_fault(c, EXC_NP, sel, WHY_GATE_NOT_PRESENT, gate->at);
    }
    if (!seg_fetch_high(c, sel, EXC_GP, WHY_GATE_TYPE, gate)) {
        return false;
    }
    off = gate_offset64(gate);
    if (!(target & 0xfffc)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_CS_NULL, gate->at);
    }
    if (!seg_fetch(c, target, EXC_GP, WHY_CS_LIMIT, &d)) {
        return false;
    }
    if (!desc_is_code(&d) || !desc_is_code64(c, &d) || desc_is_d(&d)) {
        return seg_fault(c, EXC_GP, target, WHY_CS_TYPE, d.at);
    }
    bool inward = desc_dpl(&d) < c->s.cpl && !desc_is_conforming(&d);
    if (desc_dpl(&d) > c->s.cpl || (inward && !call)) {
        return seg_fault(c, EXC_GP, target, WHY_CS_DPL, d.at);
    }
    unsigned cpl = inward ? desc_dpl(&d) : c->s.cpl;
    if (!far_present(c, target, &d) || (inward && !except_tss_rsp(c, cpl, 0, &sp)) ||
        !far_limit(c, &d, off)) {
        return false;
    }
    if (inward) {
        f.v[f.n++] = c->s.seg[SEG_SS].sel;
        f.v[f.n++] = c->s.gpr[REG_SP];
    }
    f.v[f.n++] = c->s.seg[SEG_CS].sel;
    f.v[f.n++] = c->next_rip;
    stk_new64(&k, sp, cpl);
    if (!seg_mark_accessed(c, &d) || (call && !stk_push_frame(c, &k, &f))) {
        return false;
    }
    far_set_cs(c, target, &d, cpl);
    if (inward) {
        seg_set_null(c, SEG_SS, (uint16_t)cpl);
    }
    c->s.gpr[REG_SP] = k.sp;
    c->next_rip = off;
    return true;
}

static bool far_through_gate(struct cpu *c, uint16_t sel, struct desc *gate, bool call)
{
    struct desc d;
    uint16_t target = gate_sel(gate);
    if (desc_dpl(gate) < c->s.cpl || (sel & 3u) > desc_dpl(gate)) {
        return seg_fault(c, EXC_GP, sel, WHY_GATE_DPL, gate->at);
    }
    if (!desc_present(gate)) {
        return seg_fault(c, EXC_NP, sel, WHY_GATE_NOT_PRESENT, gate->at);
    }
    if (desc_type(gate) == DESC_TASK) {
        if (target & 4) {
            return seg_fault(c, EXC_GP, target, WHY_TSS_BAD, gate->at);
        }
        return seg_fetch(c, target, EXC_GP, WHY_TSS_LIMIT, &d) && far_to_tss(c, target, &d, call);
    }
    if (!(target & 0xfffc)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_CS_NULL, gate->at);
    }
    if (!seg_fetch(c, target, EXC_GP, WHY_CS_LIMIT, &d)) {
        return false;
    }
    if (!desc_is_code(&d)) {
        return seg_fault(c, EXC_GP, target, WHY_CS_TYPE, d.at);
    }
    /* JMP cannot change the level; the RPL of the gate's selector does not count */
    bool inward = desc_dpl(&d) < c->s.cpl && !desc_is_conforming(&d);
    if (desc_dpl(&d) > c->s.cpl || (inward && !call)) {
        return seg_fault(c, EXC_GP, target, WHY_CS_DPL, d.at);
    }
    if (!far_present(c, target, &d)) {
        return false;
    }
    if (inward) {
        return far_call_inner(c, gate, target, &d);
    }
    return far_same(c, target, &d, gate_offset(gate), call, gate->raw >> 43 & 1 ? 4 : 2);
}

static bool far_protected(struct cpu *c, uint16_t sel, uint64_t off, bool call, unsigned osize)
{
    struct desc d;
    if (!(sel & 0xfffc)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_CS_NULL, 0);
    }
    if (!seg_fetch(c, sel, EXC_GP, WHY_CS_LIMIT, &d)) {
        return false;
    }
    if (desc_is_code(&d)) {
        return far_check_direct(c, sel, &d) && far_same(c, sel, &d, off, call, osize);
    }
    if (desc_is_segment(&d)) {
        return seg_fault(c, EXC_GP, sel, WHY_CS_TYPE, d.at);
    }
    if (c->mode & MODE_LONG) { /* neither 16- and 32-bit gates nor tasks */
        return desc_type(&d) == DESC_CALL32 ? far_gate64(c, sel, &d, call)
                                            : seg_fault(c, EXC_GP, sel, WHY_CS_TYPE, d.at);
    }
    switch (desc_type(&d)) {
    case DESC_CALL16: case DESC_CALL32: case DESC_TASK:
        return far_through_gate(c, sel, &d, call);
    case DESC_TSS16: case DESC_TSS32:
        if (desc_dpl(&d) < c->s.cpl || (sel & 3u) > desc_dpl(&d)) {
            return seg_fault(c, EXC_GP, sel, WHY_GATE_DPL, d.at);
        }
        return far_to_tss(c, sel, &d, call);
    default:
        return seg_fault(c, EXC_GP, sel, WHY_CS_TYPE, d.at);
    }
}

static bool far_real(struct cpu *c, uint16_t sel, uint64_t off, bool call, unsigned osize)
{
    struct frame f = {{c->s.seg[SEG_CS].sel, c->next_rip}, 2, osize};
    struct stk k;
    if (off > c->s.seg[SEG_CS].limit) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, off);
    }
    if (call) {
        stk_current(c, &k);
        if (!stk_push_frame(c, &k, &f)) {
            return false;
        }
        c->s.gpr[REG_SP] = k.sp;
    }
    if (cpu_is_vm86(c)) {
        seg_set_vm86(c, SEG_CS, sel);
    } else {
        seg_set_real(c, SEG_CS, sel);
    }
    c->next_rip = off;
    return true;
}

static bool far_transfer(struct cpu *c, const struct insn *in, bool call)
{
    uint16_t sel = in->imm2;
    unsigned osize = in->osize;
    uint64_t off = in->imm & bits_mask(osize * 8);
    if (in->o[0].kind == OPND_MEM && !far_pointer(c, in, &sel, &off)) {
        return false;
    }
    if (cpu_is_real(c) || cpu_is_vm86(c)) {
        return far_real(c, sel, off, call, osize);
    }
    return far_protected(c, sel, off, call, osize);
}

bool op_call_far(struct cpu *c, const struct insn *in)
{
    return far_transfer(c, in, true);
}

bool op_jmp_far(struct cpu *c, const struct insn *in)
{
    return far_transfer(c, in, false);
}

/* ---- RET ---- */

bool op_ret_far(struct cpu *c, const struct insn *in)
{
    unsigned size = in->osize;
    uint64_t extra = in->o[0].kind == OPND_IMM ? in->imm & 0xffff : 0;
    struct stk k;
    struct desc code, stack;
    uint64_t ip, cs, sp, ss;

    stk_current(c, &k);
    if (!stk_read(c, &k, k.sp, size, &ip) || !stk_read(c, &k, k.sp + size, size, &cs)) {
        return false;
    }
    cs &= 0xffff;
    if (cpu_is_real(c) || cpu_is_vm86(c)) {
        if (ip > c->s.seg[SEG_CS].limit) {
            return cpu_fault_why(c, EXC_GP, 0, WHY_IP_LIMIT, ip);
        }
        if (cpu_is_vm86(c)) {
            seg_set_vm86(c, SEG_CS, (uint16_t)cs);
        } else {
            seg_set_real(c, SEG_CS, (uint16_t)cs);
        }
        stack_commit(c, k.sp + 2 * size + extra);
        c->next_rip = ip;
        return true;
    }
    if (!far_check_return(c, (uint16_t)cs, &code)) {
        return false;
    }
    unsigned rpl = cs & 3;
    if (rpl == c->s.cpl) {
        if (!far_limit(c, &code, ip) || !seg_mark_accessed(c, &code)) {
            return false;
        }
        far_set_cs(c, (uint16_t)cs, &code, rpl);
        stack_commit(c, k.sp + 2 * size + extra);
        c->next_rip = ip;
        return true;
    }
    if (!stk_read(c, &k, k.sp + 2 * size + extra, size, &sp) ||
        !stk_read(c, &k, k.sp + 3 * size + extra, size, &ss) ||
        !far_check_outer(c, (uint16_t)ss, rpl, &code, &stack) || !far_limit(c, &code, ip) ||
        !seg_mark_accessed(c, &code) || !far_mark_outer(c, &stack)) {
        return false;
    }
    far_set_cs(c, (uint16_t)cs, &code, rpl);
    far_set_outer(c, (uint16_t)ss, &stack);
    stack_commit(c, sp + extra);
    seg_drop_inner(c);
    c->next_rip = ip;
    return true;
}
