/* A processor as a library: two buses, INTR and NMI pins, an INTA callback, a clock.
 * The public face of the room; everything else in cpu/ is its inside. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/snap.h"
#include "cpu/hooks.h"
#include "cpu/state.h"
#include "mem/bus.h"
#include "mem/irq.h"

struct cpu;

enum cpu_stop {
    CPU_BUDGET,       /* max_insns retired exactly */
    CPU_HALTED,       /* HLT, and nothing deliverable: wait for the next event */
    CPU_KICKED,       /* cpu_kick(), a timer armed for sooner, or a reset asked by a device */
    CPU_BREAKPOINT,   /* a hook said stop, in front of the instruction */
    CPU_TRIPLE_FAULT, /* shut down; cpu_last_faults() tells */
    CPU_INTERNAL      /* the engine found itself wrong; cpu_error() tells */
};
enum { ACCEL_DETERMINISTIC = 1, ACCEL_SINGLE_STEP = 2, ACCEL_COUNTS_INSNS = 4 };

struct cpu_accel { /* "interp", "jit", "kvm": the whole difference */
    const char *name;
    unsigned caps;
    bool (*open)(struct cpu *cpu, struct err *err);
    void (*close)(struct cpu *cpu);
    /* Run at most max_insns (a REP iteration counts as one); *done = retired. */
    enum cpu_stop (*run)(struct cpu *cpu, uint64_t max_insns, uint64_t *done);
    void (*fetch_state)(struct cpu *cpu); /* engine -> cpu_state */
    void (*store_state)(struct cpu *cpu); /* cpu_state was changed from outside */
    void (*map_changed)(struct cpu *cpu); /* bus map or A20 changed: drop translations and code */
};
extern const struct cpu_accel cpu_accel_interp;

/* The local APIC of this processor, a chip of the board's; every call may be NULL. */
struct cpu_apic {
    void *ctx;
    /* IA32_APIC_BASE as it is now: after WRMSR, a reset, a load.  0: there is no local APIC. */
    void (*base)(void *ctx, uint64_t msr);
    uint8_t (*tpr)(void *ctx); /* CR8 is its bits 7 to 4 */
    void (*set_tpr)(void *ctx, uint8_t tpr);
};

struct cpu_env { /* everything a processor can see of the board */
    struct bus *mem, *ports;
    struct ram *ram; /* watched for code changes */
    struct clock *clock;
    int (*ack_irq)(void *pic); /* INTA cycle: vector (a spurious one is a vector), or -1 */
    void *pic;
    struct irq_line ferr;      /* FERR#, to IRQ 13 */
    struct cpu_apic apic;
};

struct cpu_config {
    const char *model;      /* "pentium3"; NULL: the default */
    const char *flags;      /* "+sse2,-pae" or NULL */
    uint64_t tsc_hz;        /* 0: 1 GHz */
    uint64_t seed;          /* of RDRAND: the same seed, the same numbers */
    uint8_t apic_id;        /* what CPUID says */
    bool ap;                /* not the bootstrap processor: waits for SIPI after reset */
    /* what CPUID says of the others; 0: 1.  More than one: PAUSE leaves cpu_run() */
    unsigned cpus, cores, threads; /* in all, per socket, per core */
};

struct cpu *cpu_create(const struct cpu_accel *accel, const struct cpu_config *cfg,
                       const struct cpu_env *env, struct err *err);
void cpu_destroy(struct cpu *cpu);
void cpu_reset(struct cpu *cpu); /* RESET# or INIT through the board: SDM reset state */
enum cpu_stop cpu_run(struct cpu *cpu, uint64_t max_insns, uint64_t *done);

void cpu_irq(struct cpu *cpu, bool level); /* INTR pin */
void cpu_nmi(struct cpu *cpu);
/* INIT and the start-up message of a local APIC; taken at the next instruction boundary. */
void cpu_init_pin(struct cpu *cpu);
void cpu_sipi(struct cpu *cpu, uint8_t vector);
uint64_t cpu_apic_base(const struct cpu *cpu); /* IA32_APIC_BASE; 0: no local APIC */
void cpu_ignne(struct cpu *cpu);           /* port F0h: IGNNE#, FERR# drops */
void cpu_kick(struct cpu *cpu);            /* any thread: leave run() soon */
void cpu_resched(struct cpu *cpu);         /* own thread: leave run() after this instruction */
/* Waits (HLT, or for SIPI) and nothing deliverable is there: cpu_run() would do nothing. */
bool cpu_idle(const struct cpu *cpu);
/* Did PAUSE end the last run?  Asked once a run by who gives several processors their turns. */
bool cpu_took_pause(struct cpu *cpu);
void cpu_map_changed(struct cpu *cpu);
/* Watch one more RAM that appears on the memory bus (video memory), so that writable pointers to it
 * are dropped when it is cleaned.  Code in it runs, but is not cached. */
void cpu_watch_ram(struct cpu *cpu, struct ram *ram);

struct cpu_state *cpu_state(struct cpu *cpu);   /* brought up to date; const unless followed by: */
void cpu_state_changed(struct cpu *cpu);        /* after writing through cpu_state() */
void cpu_set_hooks(struct cpu *cpu, const struct cpu_hooks *hooks, void *ctx); /* NULL: none */
void cpu_snap(struct cpu *cpu, struct snap *snap);
const uint64_t *cpu_progress(const struct cpu *cpu); /* for clock.progress; zeroed by cpu_run() */

/* Debugger's view, no side effects (no A/D bits, no device access). */
bool cpu_lin_to_phys(struct cpu *cpu, uint64_t lin, uint64_t *phys);

/* What led to a triple fault, or the last exceptions so far (oldest first). */
enum cpu_why {
    WHY_NONE, WHY_IDT_LIMIT, WHY_GATE_TYPE, WHY_GATE_DPL, WHY_GATE_NOT_PRESENT, WHY_CS_NULL,
    WHY_CS_LIMIT, WHY_CS_TYPE, WHY_CS_DPL, WHY_CS_NOT_PRESENT, WHY_IP_LIMIT, WHY_TSS_LIMIT,
    WHY_SS_NULL, WHY_SS_LIMIT, WHY_SS_BAD, WHY_SS_NOT_PRESENT, WHY_STACK_LIMIT, WHY_PAGE,
    WHY_TSS_BAD, WHY_OTHER
};
struct cpu_fault_record {
    uint8_t vector;
    bool has_error, during_delivery; /* during_delivery: of the previous record's vector */
    uint32_t error;
    uint16_t cs;
    uint64_t rip, cr2;
    enum cpu_why why; /* the check that failed */
    uint64_t where;   /* the address of the descriptor, gate or stack slot in question */
};
unsigned cpu_last_faults(const struct cpu *cpu, struct cpu_fault_record out[8]);
/* Linear addresses of the last instructions executed, oldest first; returns how many (<= 32). */
unsigned cpu_last_insns(struct cpu *cpu, uint64_t out[32]);
const char *cpu_error(const struct cpu *cpu);
/* Models for "-cpu help": name and one line; NULL ends. */
const char *cpu_model_name(unsigned i, const char **what);
