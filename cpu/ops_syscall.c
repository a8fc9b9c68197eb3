/* The fast system calls, which load flat segments without a look at the tables, and SWAPGS.
 * SDM Vol. 2, "SYSENTER", "SYSEXIT", "SYSCALL", "SYSRET", "SWAPGS"; AMD APM Vol. 3, the same; Vol.
 * 2, "SYSCALL and SYSRET", "SYSENTER and SYSEXIT (Legacy Mode Only)".
 *
 * The makers differ:                      Intel                      AMD
 *   SYSCALL, SYSRET outside 64-bit mode   #UD                        work (STAR; CSTAR in long
 * mode) SYSENTER, SYSEXIT in long mode        work                       #UD SYSRET, RCX not
 * canonical             #GP(0) of SYSRET, CPL 0    #GP(0) at the target, CPL 3 SYSRET's SS a whole
 * flat segment       the selector alone changes */
#include "cpu/protect.h"

enum { DR6_BS = 1 << 14 };
enum {
    FLAT_DATA = ATTR_G | ATTR_DB | ATTR_P | ATTR_S | ATTR_W | ATTR_A,
    FLAT_CODE = FLAT_DATA | ATTR_X,
    FLAT_CODE64 = (FLAT_CODE & ~ATTR_DB) | ATTR_L
};
#define SYSRET_FLAGS ((uint64_t)0x3c7fd7) /* what R11 gives: not RF, not VM */

static bool syscall_amd(const struct cpu *c)
{
    return feat_has(&c->feat, FEAT_AMD);
}

static void syscall_cs(struct cpu *c, unsigned sel, unsigned cpl, bool wide)
{
    unsigned attr = (wide ? FLAT_CODE64 : FLAT_CODE) | cpl << ATTR_DPL_SHIFT;
    c->s.cpl = (uint8_t)cpl;
    c->s.seg[SEG_CS] = (struct seg){.sel = (uint16_t)sel, .attr = (uint16_t)attr,
                                    .limit = 0xffffffff};
}

static void syscall_ss(struct cpu *c, unsigned sel, unsigned cpl)
{
    c->s.seg[SEG_SS] = (struct seg){.sel = (uint16_t)sel, .limit = 0xffffffff,
                                    .attr = (uint16_t)(FLAT_DATA | cpl << ATTR_DPL_SHIFT)};
}

/* The rest, when segments and CPL are set. */
static bool syscall_go(struct cpu *c, uint64_t rip, uint64_t flags)
{
    c->next_rip = rip;
    except_set_flags(c, flags);
    cpu_mode_update(c);
    return true;
}

/* SYSCALL and SYSRET: the single-step trap behind them goes by the TF they load, so that a system
 * call that was stepped over traps once, in the program. */
static bool syscall_trap(struct cpu *c)
{
    if (c->s.rflags & FL_TF) {
        c->s.pending_dr6 |= DR6_BS;
        c->exit_word |= EXIT_TRAP;
    }
    return true;
}

bool op_sysenter(struct cpu *c, const struct insn *in)
{
    unsigned cs = c->s.sysenter_cs & 0xfffc;
    bool wide = c->mode & MODE_LONG;
    uint64_t mask = wide ? ~0ull : 0xffffffff;
    (void)in;
    if (wide && syscall_amd(c)) {
        return FAULT_UD(c);
    }
    if (cpu_is_real(c) || !cs) {
        return FAULT_GP0(c);
    }
    flags_sync(c);
    c->s.gpr[REG_SP] = c->s.sysenter_esp & mask;
    syscall_cs(c, cs, 0, wide);
    syscall_ss(c, cs + 8, 0);
    return syscall_go(c, c->s.sysenter_eip & mask,
                      c->s.rflags & ~(uint64_t)(FL_VM | FL_IF | FL_RF));
}

bool op_sysexit(struct cpu *c, const struct insn *in)
{
    unsigned cs = c->s.sysenter_cs & 0xfffc;
    bool wide = in->osize == 8;
    uint64_t rip = reg_read(c, REG_DX, wide ? 8 : 4), rsp = reg_read(c, REG_CX, wide ? 8 : 4);
    if (c->mode & MODE_LONG && syscall_amd(c)) {
        return c->s.cpl ? FAULT_GP0(c) : FAULT_UD(c); /* HW (Zen 4) */
    }
    if (cpu_is_real(c) || c->s.cpl || !cs || !addr_canonical(rip) || !addr_canonical(rsp)) {
        return FAULT_GP0(c);
    }
    flags_sync(c);
    c->s.gpr[REG_SP] = rsp;
    cs += wide ? 32 : 16;
    syscall_cs(c, cs | 3, 3, wide);
    syscall_ss(c, (cs + 8) | 3, 3);
    return syscall_go(c, rip, c->s.rflags);
}

bool op_syscall(struct cpu *c, const struct insn *in)
{
    unsigned cs = c->s.star >> 32 & 0xfffc;
    bool wide = c->mode & MODE_LONG, from64 = c->mode & MODE_CODE64;
    uint64_t rip, flags;
    (void)in;
    if (!(c->s.efer & EFER_SCE) || cpu_is_real(c) || (!from64 && !syscall_amd(c))) {
        return FAULT_UD(c);
    }
    flags_sync(c);
    flags = c->s.rflags & ~(uint64_t)FL_RF;
    c->s.gpr[REG_CX] = c->next_rip;
    if (wide) {
        c->s.gpr[11] = flags;
        flags &= ~c->s.fmask;
        rip = from64 ? c->s.lstar : c->s.cstar;
    } else {
        flags &= ~(uint64_t)(FL_VM | FL_IF);
        rip = c->s.star & 0xffffffff;
    }
    syscall_cs(c, cs, 0, wide);
    syscall_ss(c, cs + 8, 0);
    return syscall_go(c, rip, flags) && syscall_trap(c);
}

bool op_sysret(struct cpu *c, const struct insn *in)
{
    unsigned sel = (unsigned)(c->s.star >> 48);
    bool amd = syscall_amd(c), from64 = c->mode & MODE_CODE64, wide = in->osize == 8;
    uint64_t rip = reg_read(c, REG_CX, wide ? 8 : 4);
    if (!(c->s.efer & EFER_SCE) || cpu_is_real(c) || (!from64 && !amd)) {
        return FAULT_UD(c);
    }
    if (c->s.cpl || (!amd && !addr_canonical(rip))) {
        return FAULT_GP0(c);
    }
    flags_sync(c);
    syscall_cs(c, (wide ? sel + 16 : sel) | 3, 3, wide);
    if (amd) {
        c->s.seg[SEG_SS].sel = (uint16_t)((sel + 8) | 3);
        c->s.seg[SEG_SS].attr |= ATTR_DPL;
    } else {
        syscall_ss(c, (sel + 8) | 3, 3);
    }
    return syscall_go(c, rip, from64 ? c->s.gpr[11] & SYSRET_FLAGS : c->s.rflags | FL_IF) &&
           syscall_trap(c);
}

bool op_swapgs(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!(c->mode & MODE_CODE64)) {
        return FAULT_UD(c);
    }
    if (c->s.cpl) {
        return FAULT_GP0(c);
    }
    uint64_t v = c->s.seg[SEG_GS].base;
    c->s.seg[SEG_GS].base = c->s.kernel_gs_base;
    c->s.kernel_gs_base = v;
    return true;
}
