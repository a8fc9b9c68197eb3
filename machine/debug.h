/* Looking inside: registers by name, memory without side effects, hooks for tracing, tables. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/machine.h"

struct machine_reg {
    const char *name; /* "eax", "eip", "eflags", "cs", "cr0", "gdt_base", ... */
    unsigned bits;
};
const struct machine_reg *machine_regs(struct machine *m, unsigned *count);
bool machine_reg_get(struct machine *m, unsigned cpu, unsigned index, uint64_t *val);
bool machine_reg_by_name(struct machine *m, unsigned cpu, const char *name, uint64_t *val);

/* As processor `cpu` (below machine_cpus()) sees them.
 * RAM and ROM only, no side effects; return bytes copied (stops at what is not mapped). */
size_t machine_peek(struct machine *m, unsigned cpu, uint64_t lin, void *buf, size_t len);
size_t machine_peek_phys(struct machine *m, uint64_t phys, void *buf, size_t len);
size_t machine_poke_phys(struct machine *m, uint64_t phys, const void *buf, size_t len);
bool machine_translate(struct machine *m, unsigned cpu, uint64_t lin, uint64_t *phys);
int machine_code_bits(struct machine *m, unsigned cpu); /* 16, 32, 64: to disassemble at CS:IP */
unsigned machine_last_insns(struct machine *m, unsigned cpu, uint64_t lin[32]); /* oldest first */

/* One text per line to print(): the monitor's "info X".  false: no such table. */
typedef void machine_print_fn(void *ctx, const char *line);
bool machine_info(struct machine *m, unsigned cpu, const char *what, machine_print_fn *print,
                  void *ctx);
/* what: registers cpus mem tlb mtree status screen pic pci block irq roms, any device ("uart0") */
const char *machine_info_name(struct machine *m, unsigned i); /* names that it knows; NULL ends */

/* Tracing: any member may be NULL; NULL tracer: none.  Called on the machine's thread, for the
 * processor machine_turn(). */
struct machine_tracer {
    /* before every instruction: linear address, bytes.  false: stop in front of it */
    bool (*insn)(void *ctx, struct machine *m, uint64_t lin, const uint8_t *bytes, unsigned len);
    void (*mem)(void *ctx, uint64_t lin, uint64_t phys, unsigned size, bool write, uint64_t val);
    void (*port)(void *ctx, uint16_t port, unsigned size, bool write, uint32_t val);
    void (*mmio)(void *ctx, const char *region, uint64_t phys, unsigned size, bool write,
                 uint64_t val);
    void (*exception)(void *ctx, struct machine *m, unsigned vector, uint32_t error, uint64_t rip);
    void (*interrupt)(void *ctx, struct machine *m, unsigned vector, uint64_t rip);
    void *ctx;
};
void machine_trace(struct machine *m, const struct machine_tracer *tracer);
/* Accesses to ports or memory nobody answers; NULL: off. */
void machine_on_unmapped(struct machine *m,
                         void (*f)(void *ctx, bool port, uint64_t addr, unsigned size, bool write),
                         void *ctx);
/* Names for "-cpu help": i from 0; NULL ends. */
const char *machine_cpu_model(unsigned i, const char **what);
