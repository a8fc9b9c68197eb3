/* Observers: tracer, gdb, coverage, lockstep.  They look and may ask to stop, never change the
 * guest. With no hooks set the engine runs its fast loop; with any it runs instruction by
 * instruction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct cpu_state;
struct insn;

struct cpu_hooks { /* any member may be NULL */
    /* about to execute; bytes/len of the instruction (len 0: it could not be fetched).  false: stop
     * in front of it, run() returns CPU_BREAKPOINT. */
    bool (*before_insn)(void *ctx, const struct cpu_state *st, const uint8_t *bytes, unsigned len);
    void (*mem)(void *ctx, uint64_t lin, uint64_t phys, unsigned size, bool write, uint64_t val);
    void (*port)(void *ctx, uint16_t port, unsigned size, bool write, uint32_t val);
    void (*exception)(void *ctx, unsigned vector, uint32_t error, uint64_t rip);
    void (*interrupt)(void *ctx, unsigned vector, uint64_t rip);
};
