/* What a processor says of itself: CPUID, time stamps and counters, model-specific registers, the
 * bases of FS and GS; and waiting by MONITOR and MWAIT.  SDM Vol. 2, by instruction.
 *
 * MWAIT may end for any reason, so it is built of what is there.  With several processors it gives
 * up its turn as PAUSE does and goes on: the store it waits for comes in somebody else's turn.  A
 * processor alone halts, unless its line changed since MONITOR: nobody stores there after that but
 * its own interrupt handlers, and devices, which interrupt.
 *
 * NOT IMPLEMENTED: performance counters (RDPMC gives 0), power states (MWAIT's hints). */
#include "cpu/protect.h"

static bool ident_cpl0(struct cpu *c)
{
    return c->s.cpl == 0 || FAULT_GP0(c);
}

bool op_cpuid(struct cpu *c, const struct insn *in)
{
    uint32_t r[4];
    (void)in;
    cpuid_query(c, (uint32_t)c->s.gpr[REG_AX], (uint32_t)c->s.gpr[REG_CX], r);
    reg_write(c, REG_AX, 4, r[0]);
    reg_write(c, REG_BX, 4, r[1]);
    reg_write(c, REG_CX, 4, r[2]);
    reg_write(c, REG_DX, 4, r[3]);
    return true;
}

/* ---- counters ---- */

static void ident_edx_eax(struct cpu *c, uint64_t v)
{
    reg_write(c, REG_AX, 4, v);
    reg_write(c, REG_DX, 4, v >> 32);
}

bool op_rdtsc(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (c->s.cr4 & CR4_TSD && c->s.cpl) {
        return FAULT_GP0(c);
    }
    ident_edx_eax(c, cpu_tsc(c));
    return true;
}

bool op_rdtscp(struct cpu *c, const struct insn *in)
{
    if (!op_rdtsc(c, in)) {
        return false;
    }
    reg_write(c, REG_CX, 4, c->s.tsc_aux);
    return true;
}

bool op_rdpid(struct cpu *c, const struct insn *in)
{
    reg_write(c, in->o[0].reg, c->mode & MODE_CODE64 ? 8 : 4, c->s.tsc_aux);
    return true;
}

bool op_rdpmc(struct cpu *c, const struct insn *in)
{
    (void)in;
    if ((!(c->s.cr4 & CR4_PCE) && c->s.cpl) || (c->s.gpr[REG_CX] & 0xffffffff) > 1) {
        return FAULT_GP0(c);
    }
    ident_edx_eax(c, 0);
    return true;
}

/* ---- model-specific registers ---- */

bool op_rdmsr(struct cpu *c, const struct insn *in)
{
    uint64_t v;
    (void)in;
    if (!ident_cpl0(c)) {
        return false;
    }
    if (!msr_read(c, (uint32_t)c->s.gpr[REG_CX], &v)) {
        return FAULT_GP0(c);
    }
    ident_edx_eax(c, v);
    return true;
}

bool op_wrmsr(struct cpu *c, const struct insn *in)
{
    uint64_t v = reg_read(c, REG_AX, 4) | reg_read(c, REG_DX, 4) << 32;
    (void)in;
    if (!ident_cpl0(c)) {
        return false;
    }
    return msr_write(c, (uint32_t)c->s.gpr[REG_CX], v) || FAULT_GP0(c);
}

/* ---- FS and GS bases, at any privilege: CR4.FSGSBASE says whether ---- */

static bool ident_fsgsbase(struct cpu *c)
{
    return (c->mode & MODE_CODE64 && c->s.cr4 & CR4_FSGSBASE) || FAULT_UD(c);
}

static bool ident_read_base(struct cpu *c, const struct insn *in, unsigned seg)
{
    if (!ident_fsgsbase(c)) {
        return false;
    }
    reg_write(c, in->o[0].reg, in->o[0].size, c->s.seg[seg].base);
    return true;
}

static bool ident_write_base(struct cpu *c, const struct insn *in, unsigned seg)
{
    uint64_t v = reg_read(c, in->o[0].reg, in->o[0].size);
    if (!ident_fsgsbase(c)) {
        return false;
    }
    if (!addr_canonical(v)) {
        return FAULT_GP0(c);
    }
    c->s.seg[seg].base = v;
    return true;
}

bool op_rdfsbase(struct cpu *c, const struct insn *in) { return ident_read_base(c, in, SEG_FS); }
bool op_rdgsbase(struct cpu *c, const struct insn *in) { return ident_read_base(c, in, SEG_GS); }
bool op_wrfsbase(struct cpu *c, const struct insn *in) { return ident_write_base(c, in, SEG_FS); }
bool op_wrgsbase(struct cpu *c, const struct insn *in) { return ident_write_base(c, in, SEG_GS); }

/* ---- MONITOR, MWAIT ---- */

enum { MONITOR_LINE = 64 };

/* A sum of the line that holds the byte at phys.  false: it is no memory to be waited on. */
static bool ident_line(struct cpu *c, uint64_t phys, uint64_t *sum)
{
    struct bus_page pg;
    bus_page(c->env.mem, phys, &pg);
    if (!pg.host_r) {
        return false;
    }
    const uint8_t *p = pg.host_r + (phys & PAGE_MASK & ~(uint64_t)(MONITOR_LINE - 1));
    *sum = 0;
    for (unsigned i = 0; i < MONITOR_LINE; i += 8) {
        *sum = (*sum ^ load_le64(p + i)) * 0x9e3779b97f4a7c15;
        *sum ^= *sum >> 29;
    }
    return true;
}

/* RCX in 64-bit mode, else ECX. */
static uint64_t ident_extensions(const struct cpu *c)
{
    return reg_read(c, REG_CX, c->mode & MODE_CODE64 ? 8 : 4);
}

bool op_monitor(struct cpu *c, const struct insn *in)
{
    uint64_t v, lin, phys, ea = c->s.gpr[REG_AX] & bits_mask(in->asize * 8u);
    unsigned seg = in->seg < SEG_COUNT ? in->seg : SEG_DS;
    if (c->s.cpl) {
        return FAULT_UD(c);
    }
    if (ident_extensions(c)) {
        return FAULT_GP0(c);
    }
    if (!mem_read(c, seg, ea, 1, &v)) { /* checked as a load of a byte */
        return false;
    }
    lin = c->mode & MODE_CODE64 ? ea + (seg >= SEG_FS ? c->s.seg[seg].base : 0)
                                : (ea + c->s.seg[seg].base) & 0xffffffff;
    c->s.monitor = 0;
    if (!mmu_translate(c, lin, MMU_READ, tlb_view(c), &phys)) {
        return false; /* the tables changed since they were cached */
    }
    if (ident_line(c, phys, &c->s.monitor_sum)) {
        c->s.monitor = (phys & ~(uint64_t)(MONITOR_LINE - 1)) | 1;
    }
    return true;
}

bool op_mwait(struct cpu *c, const struct insn *in)
{
    uint64_t sum, ext = ident_extensions(c);
    uint64_t line = c->s.monitor;
    if (c->s.cpl) {
        return FAULT_UD(c);
    }
    if (ext > 1) { /* bit 0: interrupts end it even when IF is clear */
        return FAULT_GP0(c);
    }
    c->s.monitor = 0;
    if (c->yields) {
        return op_pause(c, in);
    }
    if (line && ident_line(c, line, &sum) && sum == c->s.monitor_sum &&
        (c->s.rflags & FL_IF || !ext)) {
        c->s.activity = ACT_HALTED;
    }
    return true;
}
