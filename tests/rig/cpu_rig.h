/* A bench for the processor alone: memory, ports, a clock, an interrupt controller of one line. */
#pragma once
#include "base/clock.h"
#include "cpu/cpu.h"
#include "mem/bus.h"
#include "mem/ram.h"

#define CPU_RIG_OUT 8192

struct cpu_rig {
    struct bus *mem, *ports;
    struct ram ram;
    struct clock clk;
    struct region ram_region, uart, debug, all_ports;
    struct cpu *cpu;
    char out[CPU_RIG_OUT]; /* bytes written to port 3F8h or E9h */
    size_t out_len;
    uint8_t vector;  /* what INTA answers */
    bool irq_once;   /* INTA drops the line */
    bool latch;      /* the serial port's divisor latch is open */
    bool ended;      /* port F4h was written */
    uint32_t port_sum; /* of everything written to other ports, in order */
    uint64_t done;
};

/* NULL on failure (printed).  model: a name, with features behind commas ("max,+lm").  ram_size: a
 * multiple of 4 KB. */
struct cpu_rig *cpu_rig_create(const char *model, uint64_t ram_size);
void cpu_rig_destroy(struct cpu_rig *r);
void cpu_rig_load(struct cpu_rig *r, uint64_t at, const void *bytes, size_t len);
/* 32-bit protected mode, flat segments, GDT at 500h (8 code, 10h data, 18h/20h user), IDT at 800h.
 */
void cpu_rig_flat32(struct cpu_rig *r, uint32_t eip, uint32_t esp);
/* Real mode at cs:ip, ss:sp = 0:sp. */
void cpu_rig_real(struct cpu_rig *r, uint16_t cs, uint16_t ip, uint16_t sp);
/* Identity page tables at pd_at (two levels, 4 KB pages) for the RAM, everything present, writable,
 * user; CR0.PG on. */
void cpu_rig_paging(struct cpu_rig *r, uint32_t pd_at);
void cpu_rig_gate(struct cpu_rig *r, unsigned vector, uint32_t eip,
                  unsigned dpl);                            /* interrupt gate */
/* 64-bit mode in 4-level page tables at `tables` (eight pages; the IDT is the last): the first 2
 * MB, again at ffffffff80000000h (as kernels are) and up to 7fffffffffffh, before the addresses
 * that are not canonical; RAM repeats in them.  GDT as cpu_rig_flat32() but for 64-bit code; a TSS
 * at 600h; rsp is RSP0, IST1 and where it starts. */
void cpu_rig_long64(struct cpu_rig *r, uint32_t tables, uint64_t rip, uint64_t rsp);
void cpu_rig_gate64(struct cpu_rig *r, unsigned vector, uint64_t rip); /* DPL 3, IST1 */
enum cpu_stop cpu_rig_run(struct cpu_rig *r, uint64_t max); /* r->done; turns the clock */
uint64_t cpu_rig_hash(struct cpu_rig *r); /* processor and memory */
