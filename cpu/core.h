/* The inside of a processor, shared by every file of this room: the engine-independent working
 * state around cpu_state, fault recording, lazy flags, register and operand access.
 *
 * Contract of an operation `bool op_x(struct cpu *c, const struct insn *in)`:
 *   - on entry c->s.rip is the instruction's own offset, c->next_rip that of the next one, and
 *     c->retired the instructions retired before it in this run (so clock_now() is exact);
 *   - it returns true when done; a branch has set c->next_rip; a REP string operation with
 *     iterations left has set c->next_rip = c->s.rip;
 *   - it returns false when a fault is recorded in c->fault, having changed nothing else that the
 *     guest can see (registers, flags and memory as before, but for what the SDM lets stand);
 *   - it never touches c->s.rip and never delivers its own faults; the engine does. */
#pragma once
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/decode.h"
#include "base/bits.h"

enum {
    EXC_DE, EXC_DB, EXC_NMI, EXC_BP, EXC_OF, EXC_BR, EXC_UD, EXC_NM, EXC_DF, EXC_TS = 10, EXC_NP,
    EXC_SS, EXC_GP, EXC_PF, EXC_MF = 16, EXC_AC, EXC_MC, EXC_XM
};

struct fault {
    uint8_t vector;
    bool pending, has_error, soft; /* soft: INT n and friends, pushes next_rip */
    uint32_t error;
    uint64_t cr2;
    enum cpu_why why;
    uint64_t where;
};

/* Translation cache: one entry a 4 KB page.  A tag is the page's linear address, ~0 when the access
 * kind must take the slow path (not present, MMIO, watchpoint, read-only, code in the page).
 * One compare covers tag and page crossing: page(addr + size - 1) against the entry of page(addr).
 */
#define TLB_BITS 12
#define TLB_SIZE (1u << TLB_BITS)
struct tlb_entry {
    uint64_t tag_r, tag_w;
    uint64_t addend; /* host address = linear address + addend */
    uint64_t phys;   /* physical page address | TLB_* */
};
enum {
    TLB_GLOBAL = 1, TLB_LARGE = 2,
    TLB_WOK = 4, /* paging allows writes and D is set, whatever tag_w says (code, clean, ROM) */
    TLB_XOK = 8,   /* paging allows fetching */
    TLB_NODATA = 16 /* fetched from, but SMAP forbids data accesses: has no tags */
}; /* in phys */
/* Whose entries: three tables, of which tlb_cur is the one that explicit accesses look into.
 * CR4.SMAP closes user pages to the supervisor but while EFLAGS.AC is set.  Linux sets and clears
 * AC (STAC, CLAC) around every copy to or from a process, so that must cost no more than turning a
 * pointer: with AC set the supervisor looks into a table of its own, TLB_OPEN, that holds user
 * pages too.  TLB_SUPER never has tags of user pages while SMAP is on, and serves the implicit
 * accesses (descriptor tables, TSS, frames of events), for which AC does not count. */
enum { TLB_SUPER, TLB_USER, TLB_OPEN, TLB_VIEWS };
/* Where page tables lie in host memory: saves the walk a bus look-up a level. */
struct mmu_table {
    uint64_t phys;  /* page address, ~0: empty */
    uint8_t *host;
    struct ram *ram;
    uint64_t ram_off;
};
#define MMU_TABLES 32u

/* What decoded code depends on beside the bytes: the block cache's key. */
enum {
    MODE_CODE32 = 1,    /* CS.D */
    MODE_CODE64 = 2,    /* CS.L and EFER.LMA */
    MODE_STACK32 = 4,   /* SS.B */
    MODE_PE = 8,        /* protected mode, not virtual-8086 */
    MODE_VM = 16,
    MODE_USER = 32,     /* CPL 3 */
    MODE_PAGING = 64,
    /* base 0, limit 4 G, usable, (DS ES SS: writable): no segment arithmetic needed */
    MODE_FLAT_CS = 128, MODE_FLAT_DS = 256, MODE_FLAT_ES = 512, MODE_FLAT_SS = 1024,
    MODE_LONG = 2048,   /* EFER.LMA */
    MODE_SSE = 4096,    /* SSE instructions work: CR0.EM and TS clear, CR4.OSFXSR set */
    /* of blocks only: so near the non-canonical addresses that a direct branch may lead there */
    MODE_EDGE = 8192
};

/* Why a run must look up from its blocks, tested after every slow operation. */
enum {
    EXIT_INTR = 1,    /* INTR pin is up and IF is set (kept by cpu_irq_update) */
    EXIT_NMI = 2,
    EXIT_RESCHED = 4, /* a deadline moved, or the board wants the CPU out */
    EXIT_MODE = 8,    /* c->mode, mapping or code changed: look blocks up again */
    EXIT_TRAP = 16,   /* a debug trap is pending, TF is set or breakpoints are armed */
    EXIT_SHUTDOWN = 32,
    EXIT_STARTUP = 64 /* INIT or SIPI waits in s.startup */
};

/* How far data accesses through a segment may go, precomputed by seg_update():
 * offset o of size n is good when o >= lo and o + n - 1 <= hi (64-bit arithmetic). */
struct seg_range {
    uint64_t rd_lo, rd_hi, wr_lo, wr_hi; /* lo > hi: no access */
};

struct cpu {
    struct cpu_state s;        /* first: engines address registers from the start of struct cpu */
    uint64_t next_rip;
    /* Lazy status flags: ZF = (zr == 0); SF = bit 63 of sp, PF = even parity of sp's low byte;
     * carry word cv: CF = bit 63, OF = bit 63 ^ bit 62, AF = bit 3.  s.rflags holds all other
     * flags always and the status flags only after flags_sync(). */
    uint64_t zr, sp, cv;
    uint32_t mode;             /* MODE_*: kept by cpu_mode_update() */
    uint32_t exit_word;        /* EXIT_* */
    uint64_t retired;          /* instructions retired in this run: clock.progress points here */
    uint64_t run_limit;        /* retired may not pass this; 0 after cpu_kick() */
    uint64_t shift_af;         /* AF after a shift, in its place in cv: 8 for AMD's, else 0 */
    uint64_t zero;             /* always 0: what the engine reads for a missing base or index */
    struct tlb_entry *tlb_cur; /* tlb[tlb_view()] */
    struct seg_range range[SEG_COUNT];
    struct fault fault;
    uint8_t inhibit_next;      /* set by STI, MOV SS, POP SS for the following boundary */
    bool intr;                 /* INTR pin */
    bool ignne;
    bool in_delivery;          /* an exception or interrupt is being delivered */
    uint32_t tlb_epoch;        /* changes whenever a translation may have been dropped */
    bool ac_check;             /* #AC is armed: CR0.AM, EFLAGS.AC and CPL 3; TLB_USER has no tags */
    bool ext; /* error codes get EXT: an event that INT n did not make is delivered */
    struct tlb_entry tlb[TLB_VIEWS][TLB_SIZE];
    /* The page each entry translates, ~0: none.  The translation holds where the tags are ~0, too,
     * so that who watches does not change what stale entries a guest sees, and MMIO needs no walk.
     */
    uint64_t tlb_page[TLB_VIEWS][TLB_SIZE];
    /* Filled entries, and the words of tlb_used that are not 0: a flush costs what was filled. */
    uint64_t tlb_used[TLB_VIEWS][TLB_SIZE / 64], tlb_words[TLB_VIEWS];
    uint64_t tlb_large[4]; /* bit n: there may be a piece of a large page at n * 1 G modulo 256 G */
    struct mmu_table mmu_tables[MMU_TABLES];
    /* identity and surroundings */
    const struct cpu_accel *accel;
    void *engine;              /* the accelerator's own data */
    struct cpu_env env;
    struct cpu_features feat;
    const struct cpu_model *model;
    uint64_t tsc_hz;
    uint8_t apic_id;
    bool ap;                   /* not the bootstrap processor */
    unsigned cpus, cores, threads; /* topology for CPUID: in all, per socket, per core */
    bool yields;               /* PAUSE ends the run: others wait for their turn */
    bool paused;               /* it did */
    const struct cpu_hooks *hooks;
    void *hooks_ctx;
    volatile int kicked;
    struct ram_watcher watcher;
    struct ram_watcher aux_watcher; /* of memory that is not env.ram: the video memory */
    struct ram *aux_ram;
    /* insight */
    struct cpu_fault_record faults[8];
    unsigned fault_count;      /* total; the last eight are kept, faults[i % 8] */
    char error[160];
};

typedef bool op_fn(struct cpu *c, const struct insn *in);
extern op_fn *const exec_table[OP_COUNT];
#define OP(name) op_fn op_##name;
#include "cpu/ops.def"
#undef OP

/* ---- faults: record and return false (except.c) ---- */
bool cpu_fault(struct cpu *c, unsigned vector);
bool cpu_fault_err(struct cpu *c, unsigned vector, uint32_t error);
bool cpu_fault_why(struct cpu *c, unsigned vector, uint32_t error, enum cpu_why why,
                   uint64_t where);
#define FAULT_GP0(c) cpu_fault_err((c), EXC_GP, 0)
#define FAULT_UD(c) cpu_fault((c), EXC_UD)
#define FAULT_NM(c) cpu_fault((c), EXC_NM)

/* Deliver c->fault (engine, between instructions): pushes s.rip (faults) and sets s.rip to the
 * handler.  Handles contributory and double faults.  false: triple fault, the CPU is shut down. */
bool except_deliver(struct cpu *c);
/* Deliver external interrupt or NMI `vector` at s.rip.  Same return. */
bool except_interrupt(struct cpu *c, unsigned vector);
/* INT n, INT3, INTO, INT1 from inside an operation: enters the handler with next_rip as return
 * address and sets next_rip; false: fault recorded. */
bool except_soft_int(struct cpu *c, unsigned vector, enum op_id kind);
/* At an instruction boundary with exit_word set (irq.c): takes what is deliverable now - pending
 * debug traps, NMI, INTR in that order - considering s.inhibit.  Returns false on triple fault. */
bool irq_poll(struct cpu *c);
void cpu_take_init(struct cpu *c); /* cpu.c: INIT and SIPI, at an instruction boundary */
void cpu_irq_update(struct cpu *c); /* after IF, the pin or NMI blocking changed */

/* ---- modes (seg.c) ---- */
void cpu_mode_update(struct cpu *c);            /* after CR0, EFER, VM, CS, SS, CPL changed */
void seg_update(struct cpu *c, unsigned seg);   /* after s.seg[seg] changed: range[], mode */

/* ---- flags ---- */
FORCE_INLINE bool flag_cf(const struct cpu *c) { return c->cv >> 63; }
FORCE_INLINE bool flag_zf(const struct cpu *c) { return c->zr == 0; }
FORCE_INLINE bool flag_sf(const struct cpu *c) { return c->sp >> 63; }
FORCE_INLINE bool flag_of(const struct cpu *c) { return (c->cv >> 63 ^ c->cv >> 62) & 1; }
FORCE_INLINE bool flag_af(const struct cpu *c) { return c->cv >> 3 & 1; }
FORCE_INLINE bool flag_pf(const struct cpu *c)
{
    return !__builtin_parity((unsigned)(c->sp & 0xff));
}
/* All flags of an arithmetic result: res and carry (carry or borrow out of each bit) of `bits`
 * wide. */
FORCE_INLINE void flags_arith(struct cpu *c, uint64_t res, uint64_t carry, unsigned bits)
{
    c->zr = c->sp = (uint64_t)bits_sext(res, bits);
    carry &= bits_mask(bits);
    c->cv = bits == 64 ? carry : carry << (64 - bits) | carry;
}
/* Logic: CF = OF = 0; AF is 0 on hardware. */
FORCE_INLINE void flags_logic(struct cpu *c, uint64_t res, unsigned bits)
{
    c->zr = c->sp = (uint64_t)bits_sext(res, bits);
    c->cv = 0;
}
/* The status flags in their EFLAGS places. */
FORCE_INLINE uint32_t flags_status(const struct cpu *c)
{
    return (uint32_t)(flag_cf(c) * FL_CF | flag_pf(c) * FL_PF | flag_af(c) * FL_AF |
                      flag_zf(c) * FL_ZF | flag_sf(c) * FL_SF | flag_of(c) * FL_OF);
}
/* Set the status flags from an EFLAGS image (other bits of v are ignored). */
FORCE_INLINE void flags_set_status(struct cpu *c, uint32_t v)
{
    uint64_t cf = v & FL_CF ? 1 : 0, of = v & FL_OF ? 1 : 0;
    c->zr = v & FL_ZF ? 0 : 1;
    c->sp = (v & FL_SF ? (uint64_t)1 << 63 : 0) | (v & FL_PF ? 0 : 1);
    c->cv = cf << 63 | (cf ^ of) << 62 | (v & FL_AF ? 8 : 0);
}
FORCE_INLINE void flags_sync(struct cpu *c)
{
    c->s.rflags = (c->s.rflags & ~(uint64_t)FL_STATUS) | flags_status(c) | FL_1;
}
/* Condition code 0..15 (SDM Vol. 1, Appendix B). */
FORCE_INLINE bool flag_cond(const struct cpu *c, unsigned cc)
{
    bool r;
    switch (cc >> 1) {
    case 0: r = flag_of(c); break;
    case 1: r = flag_cf(c); break;
    case 2: r = flag_zf(c); break;
    case 3: r = flag_cf(c) || flag_zf(c); break;
    case 4: r = flag_sf(c); break;
    case 5: r = flag_pf(c); break;
    case 6: r = flag_sf(c) != flag_of(c); break;
    default: r = flag_zf(c) || flag_sf(c) != flag_of(c); break;
    }
    return r ^ (cc & 1);
}

/* ---- registers ---- */
FORCE_INLINE uint64_t reg_read(const struct cpu *c, unsigned r, unsigned size)
{
    return c->s.gpr[r] & bits_mask(size * 8);
}
/* 32-bit writes zero the upper half, 8- and 16-bit writes keep the rest. */
FORCE_INLINE void reg_write(struct cpu *c, unsigned r, unsigned size, uint64_t v)
{
    if (size >= 4) {
        c->s.gpr[r] = v & bits_mask(size * 8);
    } else {
        uint64_t m = bits_mask(size * 8);
        c->s.gpr[r] = (c->s.gpr[r] & ~m) | (v & m);
    }
}

/* ---- memory (access.c); every one may fault: false ----
 * seg:off form does segment checks (type, limit, canonical) and paging with the current CPL.
 * #SS for SEG_SS, else #GP.  Sizes 1, 2, 4, 8. */
bool mem_read(struct cpu *c, unsigned seg, uint64_t off, unsigned size, uint64_t *v);
bool mem_write(struct cpu *c, unsigned seg, uint64_t off, unsigned size, uint64_t v);
/* Read with the write checks of a later mem_write to the same place, which then cannot fault. */
bool mem_read_rmw(struct cpu *c, unsigned seg, uint64_t off, unsigned size, uint64_t *v);
/* Any length up to 512 bytes; a fault leaves memory unwritten. */
bool mem_read_bytes(struct cpu *c, unsigned seg, uint64_t off, void *buf, unsigned len);
bool mem_write_bytes(struct cpu *c, unsigned seg, uint64_t off, const void *buf, unsigned len);
/* Linear address, as supervisor (descriptor tables, TSS) or with the current CPL. */
bool lin_read(struct cpu *c, uint64_t lin, unsigned size, bool user, uint64_t *v);
bool lin_write(struct cpu *c, uint64_t lin, unsigned size, bool user, uint64_t v);
bool lin_check_write(struct cpu *c, uint64_t lin, unsigned len,
                     bool user); /* faults now or never */

/* ---- paging (mmu.c) ---- */
enum mmu_access { MMU_READ, MMU_WRITE, MMU_EXEC };
/* Full walk; sets A/D; false: #PF recorded with CR2 and error code. */
bool mmu_translate(struct cpu *c, uint64_t lin, enum mmu_access acc, unsigned view, uint64_t *phys);
bool mmu_probe(struct cpu *c, uint64_t lin, uint64_t *phys); /* no side effects, supervisor read */
/* The table for explicit data accesses as things are (mmu_ac_update() keeps tlb_cur so). */
FORCE_INLINE unsigned tlb_view(const struct cpu *c)
{
    return c->s.cpl == 3                                          ? TLB_USER
           : c->s.rflags & FL_AC && c->s.cr4 & (uint64_t)CR4_SMAP ? TLB_OPEN
                                                                  : TLB_SUPER;
}
void tlb_flush(struct cpu *c, bool keep_global);
void tlb_flush_page(struct cpu *c, uint64_t lin);
void tlb_untag(struct cpu *c); /* hooks or breakpoints changed: everything through the slow path */
void tlb_protect(struct cpu *c, uint64_t ram_host_page); /* drop tag_w of this host page; 0: all */
/* The page that holds the instruction byte at lin, for fetching with the current CPL: walk, A bit.
 * out->host_r NULL: executes from MMIO, fetch with bus_read.  false: #PF recorded. */
bool mmu_code_page(struct cpu *c, uint64_t lin, struct bus_page *out, uint64_t *phys);

/* ---- operands ---- */
FORCE_INLINE uint64_t insn_ea(const struct cpu *c, const struct insn *in)
{
    uint64_t a = (uint64_t)in->disp;
    if (in->base < 16) {
        a += c->s.gpr[in->base];
    } else if (in->base == INSN_RIP) {
        a += c->next_rip;
    }
    if (in->index != INSN_NOREG) {
        a += c->s.gpr[in->index] << in->scale;
    }
    return a & bits_mask(in->asize * 8u);
}
FORCE_INLINE bool opnd_read(struct cpu *c, const struct insn *in, unsigned i, uint64_t *v)
{
    const struct opnd *o = &in->o[i];
    switch (o->kind) {
    case OPND_GPR: *v = reg_read(c, o->reg, o->size); return true;
    case OPND_GPR8H: *v = c->s.gpr[o->reg] >> 8 & 0xff; return true;
    case OPND_MEM: return mem_read(c, in->seg, insn_ea(c, in), o->size, v);
    default: *v = in->imm & bits_mask((o->size ? o->size : 8) * 8u); return true;
    }
}
/* For a destination that is also read: later opnd_write cannot fault. */
FORCE_INLINE bool opnd_read_rmw(struct cpu *c, const struct insn *in, unsigned i, uint64_t *v)
{
    if (in->o[i].kind == OPND_MEM) {
        return mem_read_rmw(c, in->seg, insn_ea(c, in), in->o[i].size, v);
    }
    return opnd_read(c, in, i, v);
}
FORCE_INLINE bool opnd_write(struct cpu *c, const struct insn *in, unsigned i, uint64_t v)
{
    const struct opnd *o = &in->o[i];
    switch (o->kind) {
    case OPND_GPR: reg_write(c, o->reg, o->size, v); return true;
    case OPND_GPR8H:
        c->s.gpr[o->reg] = (c->s.gpr[o->reg] & ~(uint64_t)0xff00) | (v & 0xff) << 8;
        return true;
    default: return mem_write(c, in->seg, insn_ea(c, in), o->size, v);
    }
}

/* Stack through SS with the stack's address size (ops_stack.c).  push_n/pop work on a copy of SP
 * that the caller commits with stack_commit() once nothing can fault any more. */
FORCE_INLINE unsigned stack_size(const struct cpu *c) /* bytes of SP in use */
{
    return c->mode & MODE_CODE64 ? 8 : c->mode & MODE_STACK32 ? 4 : 2;
}
FORCE_INLINE uint64_t stack_sp(const struct cpu *c)
{
    return reg_read(c, REG_SP, stack_size(c));
}
FORCE_INLINE bool stack_push(struct cpu *c, uint64_t *sp, unsigned size, uint64_t v)
{
    uint64_t n = (*sp - size) & bits_mask(stack_size(c) * 8);
    if (!mem_write(c, SEG_SS, n, size, v)) {
        return false;
    }
    *sp = n;
    return true;
}
FORCE_INLINE bool stack_pop(struct cpu *c, uint64_t *sp, unsigned size, uint64_t *v)
{
    if (!mem_read(c, SEG_SS, *sp, size, v)) {
        return false;
    }
    *sp = (*sp + size) & bits_mask(stack_size(c) * 8);
    return true;
}
FORCE_INLINE void stack_commit(struct cpu *c, uint64_t sp)
{
    reg_write(c, REG_SP, stack_size(c), sp);
}
/* Near branch: check target against CS limit / canonical and set next_rip. */
FORCE_INLINE bool branch_to(struct cpu *c, uint64_t target, unsigned osize)
{
    target &= bits_mask(osize * 8);
    if (!(c->mode & MODE_CODE64) && target > c->s.seg[SEG_CS].limit) {
        return FAULT_GP0(c);
    }
    if ((c->mode & MODE_CODE64) && (uint64_t)bits_sext(target, 48) != target) {
        return FAULT_GP0(c);
    }
    c->next_rip = target;
    return true;
}
FORCE_INLINE uint64_t cpu_tsc(const struct cpu *c)
{
    return muldiv64(clock_now(c->env.clock), c->tsc_hz, VTIME_SEC) + c->s.tsc_offset;
}
FORCE_INLINE bool cpu_is_real(const struct cpu *c) { return !(c->s.cr0 & CR0_PE); }
FORCE_INLINE bool cpu_is_vm86(const struct cpu *c) { return c->s.rflags & FL_VM; }
/* x87/MMX/SSE availability (ops_x87.c, ops_sse.c): #NM, #UD, pending #MF */
bool fpu_check(struct cpu *c, bool wait);
bool sse_check(struct cpu *c);
