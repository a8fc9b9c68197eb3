/* What the files of protection share: descriptors, stacks of far transfers, task switches.
 * seg.c, except.c, task.c, ops_far.c, ops_system.c and ops_io.c; nobody else needs it. */
#pragma once
#include "cpu/core.h"

/* A segment or gate descriptor as it lies in its table.
 *
 *   63..56    55 54 53 52  51..48    47 46..45 44 43..40   39..16    15..0
 *   base 31:24 G  D  L AVL limit19:16 P  DPL    S  type    base 23:0  limit 15:0
 */
struct desc {
    uint64_t raw;
    uint64_t at;   /* linear address */
    uint64_t high; /* the second half of a system descriptor in long mode: bits 63..32 of base or
                    * offset in its lower dword */
};
enum { /* system descriptor types */
    DESC_TSS16 = 1, DESC_LDT = 2, DESC_TSS16_BUSY = 3, DESC_CALL16 = 4, DESC_TASK = 5,
    DESC_INT16 = 6, DESC_TRAP16 = 7, DESC_TSS32 = 9, DESC_TSS32_BUSY = 11, DESC_CALL32 = 12,
    DESC_INT32 = 14, DESC_TRAP32 = 15
};
FORCE_INLINE uint16_t desc_attr(const struct desc *d) { return d->raw >> 40 & 0xf0ff; }
FORCE_INLINE unsigned desc_type(const struct desc *d) { return d->raw >> 40 & 0xf; }
FORCE_INLINE unsigned desc_dpl(const struct desc *d) { return d->raw >> 45 & 3; }
FORCE_INLINE bool desc_present(const struct desc *d) { return d->raw >> 47 & 1; }
FORCE_INLINE bool desc_is_segment(const struct desc *d) { return d->raw >> 44 & 1; }
FORCE_INLINE bool desc_is_code(const struct desc *d) { return (d->raw >> 40 & 0x18) == 0x18; }
FORCE_INLINE bool desc_is_conforming(const struct desc *d) { return (d->raw >> 40 & 0x1c) == 0x1c; }
FORCE_INLINE bool desc_is_stack(const struct desc *d) { return (d->raw >> 40 & 0x1a) == 0x12; }
/* L: 64-bit code.  Outside long mode the bit means nothing. */
FORCE_INLINE bool desc_is_code64(const struct cpu *c, const struct desc *d)
{
    return c->mode & MODE_LONG && d->raw >> 53 & 1;
}
FORCE_INLINE bool desc_is_d(const struct desc *d) { return d->raw >> 54 & 1; }
FORCE_INLINE uint32_t desc_base(const struct desc *d)
{
    return (uint32_t)((d->raw >> 16 & 0xffffff) | (d->raw >> 56 & 0xff) << 24);
}
FORCE_INLINE uint32_t desc_limit(const struct desc *d)
{
    uint32_t l = (uint32_t)((d->raw & 0xffff) | (d->raw >> 32 & 0xf0000));
    return d->raw >> 55 & 1 ? l << 12 | 0xfff : l;
}
/* Gates: selector, offset (16-bit gates: low half only), parameter count. */
FORCE_INLINE uint16_t gate_sel(const struct desc *d) { return (uint16_t)(d->raw >> 16); }
FORCE_INLINE uint32_t gate_offset(const struct desc *d)
{
    uint32_t lo = d->raw & 0xffff;
    return d->raw >> 43 & 1 ? lo | (uint32_t)(d->raw >> 48) << 16 : lo;
}
FORCE_INLINE uint64_t gate_offset64(const struct desc *d)
{
    return d->high << 32 | (d->raw >> 48) << 16 | (d->raw & 0xffff);
}
FORCE_INLINE unsigned gate_params(const struct desc *d) { return d->raw >> 32 & 0x1f; }

FORCE_INLINE bool addr_canonical(uint64_t a) { return (uint64_t)bits_sext(a, 48) == a; }

/* ---- seg.c ---- */
/* Where `sel` lies in its table; false: outside (or no LDT), nothing recorded. */
bool seg_desc_at(const struct cpu *c, uint16_t sel, uint64_t *at);
/* Fetch with #vector(sel & ~3) when outside the table; may #PF. */
bool seg_fetch(struct cpu *c, uint16_t sel, unsigned vector, enum cpu_why why, struct desc *d);
/* The second half of a 16-byte system descriptor; #vector(sel) when outside the table or when the
 * type field in it is not 0. */
bool seg_fetch_high(struct cpu *c, uint16_t sel, unsigned vector, enum cpu_why why, struct desc *d);
bool seg_mark_accessed(struct cpu *c, struct desc *d); /* in the table, if not yet */
bool seg_fault(struct cpu *c, unsigned vector, uint16_t sel, enum cpu_why why, uint64_t where);
void seg_from_desc(struct seg *s, uint16_t sel, const struct desc *d);
/* Into the hidden part, with seg_update(). */
void seg_set(struct cpu *c, unsigned seg, uint16_t sel, const struct desc *d);
void seg_set_null(struct cpu *c, unsigned seg, uint16_t sel);
void seg_set_real(struct cpu *c, unsigned seg, uint16_t sel); /* real mode */
void seg_set_vm86(struct cpu *c, unsigned seg, uint16_t sel);
/* MOV/POP/Lxx to DS ES FS GS SS in the present mode, all checks. */
bool seg_load(struct cpu *c, unsigned seg, uint16_t sel);
/* Checks of a stack segment for privilege level cpl; faults are #vector(sel) - also for a null
 * selector - and #SS(sel) when not present. */
bool seg_check_ss(struct cpu *c, uint16_t sel, unsigned cpl, unsigned vector, struct desc *d);
/* Checks of a data segment that is not null at the present level; faults are #vector(sel), #NP. */
bool seg_check_data(struct cpu *c, uint16_t sel, unsigned vector, struct desc *d);
/* A return to an outer level drops data segments that it may not see. */
void seg_drop_inner(struct cpu *c);
void seg_range_of(const struct cpu *c, const struct seg *s, struct seg_range *r);

/* ---- stack frames of far transfers (except.c) ---- */
struct stk {
    struct seg seg;
    uint64_t sp, mask;
    bool user;           /* pages are checked as CPL 3 */
    bool wide;           /* 64-bit mode: no segment, canonical addresses */
    uint16_t err;        /* selector for #SS: 0 for the stack in use */
};
struct frame {           /* pushed in order, all of one size */
    uint64_t v[40];
    unsigned n, size;
};
void stk_current(const struct cpu *c, struct stk *k);
void stk_new(const struct cpu *c, struct stk *k, uint16_t sel, const struct desc *d, uint64_t sp,
             unsigned cpl);
void stk_new64(struct stk *k, uint64_t sp, unsigned cpl);
/* All or nothing. */
bool stk_push_frame(struct cpu *c, struct stk *k, const struct frame *f);
bool stk_read(struct cpu *c, const struct stk *k, uint64_t off, unsigned size, uint64_t *v);
/* SS:ESP for level cpl from the TSS. */
bool except_tss_stack(struct cpu *c, unsigned cpl, uint16_t *ss, uint32_t *esp);
/* RSP0..2 (ist 0) or IST1..7 from a 64-bit TSS. */
bool except_tss_rsp(struct cpu *c, unsigned cpl, unsigned ist, uint64_t *rsp);

/* ---- task.c ---- */
enum task_why { TASK_JMP, TASK_CALL, TASK_INT, TASK_IRET };
/* sel/d: a TSS descriptor already checked for type, privilege and presence by the caller.
 * ret_rip goes into the old TSS; on success *rip is the new task's EIP.  push_error: onto its
 * stack.  A fault after the switch is in the new task's context: *rip then says where. */
bool task_switch(struct cpu *c, uint16_t sel, struct desc *d, enum task_why why, uint64_t ret_rip,
                 bool push_error, uint32_t error, uint64_t *rip);

/* ---- except.c ---- */
/* Set EFLAGS: status flags lazily, the rest in s.rflags, and what follows from TF, IF, AC. */
void except_set_flags(struct cpu *c, uint64_t v);

/* ---- mmu.c ---- */
struct walk {
    uint64_t phys; /* of the byte */
    uint8_t flags; /* TLB_* */
};
bool mmu_walk(struct cpu *c, uint64_t lin, enum mmu_access acc, unsigned view, struct walk *w);
void mmu_fill(struct cpu *c, uint64_t lin, unsigned view, const struct walk *w,
              const struct bus_page *pg);
unsigned mmu_phys_bits(const struct cpu *c);
void mmu_ac_update(struct cpu *c); /* after CR0.AM, CR4.SMAP, EFLAGS.AC or CPL changed */
/* ---- access.c ---- */
bool mem_check_write(struct cpu *c, unsigned seg, uint64_t off, unsigned size); /* stores nothing */
void access_watch_port(struct cpu *c, unsigned port, unsigned size); /* CR4.DE: I/O breakpoints */
/* Data breakpoints or hooks forbid fast tags for this page. */
bool access_watched(const struct cpu *c, uint64_t page);
bool mmu_load_pdptes(struct cpu *c, uint64_t cr3); /* #GP(0) for reserved bits; nothing changed */

/* ---- ops_far.c ---- */
/* A fault of task_switch() behind its point of no return belongs to the new task. */
bool far_task(struct cpu *c, uint16_t sel, struct desc *d, enum task_why why);
/* CS of a return: all checks against CPL; *d is it. */
bool far_check_return(struct cpu *c, uint16_t cs, struct desc *d);
void far_set_cs(struct cpu *c, uint16_t sel, const struct desc *d, unsigned cpl);
/* SS of a return to level rpl and code segment `code`; spares nothing that can fault.  A null
 * selector is good for 64-bit code above level 3: then d->raw is 0. */
bool far_check_outer(struct cpu *c, uint16_t ss, unsigned rpl, const struct desc *code,
                     struct desc *d);
bool far_mark_outer(struct cpu *c, struct desc *d);
void far_set_outer(struct cpu *c, uint16_t ss, const struct desc *d);
/* An offset in a new code segment: limit, or canonical. */
bool far_limit(struct cpu *c, const struct desc *d, uint64_t off);

/* ---- msr.c ---- */
bool msr_read(struct cpu *c, uint32_t index, uint64_t *v);  /* false: no such register */
bool msr_write(struct cpu *c, uint32_t index, uint64_t v);
