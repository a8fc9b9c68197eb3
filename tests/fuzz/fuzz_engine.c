/* The engine's two ways against each other on any code at all: blocks and single instructions must
 * leave the same machine after every slice.  Input: mode, slice lengths, then code bytes.
 * Mode: 1 real mode; else 2 paging; 4: 64-bit mode, there 2 the kernel's addresses, 8 right below
 * the non-canonical ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/core.h"
#include "cpu/interp/engine.h"
#include "tests/rig/cpu_rig.h"

#define RAM ((uint64_t)1 << 18)
#define CODE 0x10000u
#define DATA 0x20000u
#define HANDLER 0x8000u

/* 64-bit mode: the handler's IRETQ goes on eleven bytes further with the same stack. */
static void start64(struct cpu_rig *r, unsigned mode)
{
    static const uint8_t handler[] = {
        0x83, 0x04, 0x25, 0x00, 0x90, 0x00, 0x00, 0x0b,       /* add dword [9000h], 11 */
        0x6a, 0x10, 0x68, 0x00, 0x00, 0x03, 0x00, 0x6a, 0x02, /* push SS, RSP, RFLAGS */
        0x6a, 0x08, 0xff, 0x34, 0x25, 0x00, 0x90, 0x00, 0x00, /* push CS, [9000h] */
        0x48, 0xcf};                                          /* iretq */
    uint64_t code = CODE + (mode & 2 ? 0xffffffff80000000ull : mode & 8 ? 0x7ffffff00000ull : 0);
    uint8_t first[8];
    cpu_rig_load(r, HANDLER, handler, sizeof handler);
    store_le64(first, code + 11);
    cpu_rig_load(r, 0x9000, first, sizeof first);
    cpu_rig_long64(r, 0x38000, code, 0x37ff0);
    for (unsigned i = 0; i < 32; i++) {
        cpu_rig_gate64(r, i, HANDLER);
    }
    struct cpu_state *s = cpu_state(r->cpu);
    for (unsigned i = 0; i < 16; i++) {
        s->gpr[i] = DATA + i * 0x100;
        for (unsigned k = 0; k < 2; k++) {
            s->ymm[i][k] = (i * 2 + k + 1) * 0x9e3779b97f4a7c15ull;
        }
    }
    s->gpr[REG_SP] = 0x30000;
    s->gpr[REG_CX] = 17;
    s->seg[SEG_GS].base = 0xffffffff80000000ull;
    cpu_state_changed(r->cpu);
}

static void start(struct cpu_rig *r, unsigned mode, const uint8_t *code, size_t len)
{
    /* exceptions go on eleven bytes further: ESP again, EIP from a counter in memory */
    static const uint8_t handler[] = {0xbc, 0x00, 0x00, 0x03, 0x00, 0x83, 0x05, 0x00, 0x90,
                                      0x00, 0x00, 0x0b, 0xff, 0x25, 0x00, 0x90, 0x00, 0x00};
    static const uint8_t first[4] = {0x0b, 0x00, 0x01, 0x00};
    for (uint64_t off = 0; off < RAM; off += PAGE_SIZE) { /* few are: this is the target's speed */
        if (r->ram.flags[off >> PAGE_SHIFT]) {
            memset(r->ram.host + off, 0, PAGE_SIZE);
            ram_wrote(&r->ram, off, PAGE_SIZE);
        }
    }
    ram_clean(&r->ram);
    cpu_irq(r->cpu, false);
    cpu_reset(r->cpu);
    struct cpu_state *s = cpu_state(r->cpu);
    s->tsc_offset = 0;
    r->clk.slice_start = 0;
    r->port_sum = 0;
    cpu_rig_load(r, CODE, code, len);
    if (mode & 4) {
        start64(r, mode);
        return;
    }
    if (mode & 1) {
        cpu_rig_real(r, CODE >> 4, 0, 0xf000);
        s->seg[SEG_DS].base = s->seg[SEG_ES].base = s->seg[SEG_SS].base = DATA;
        cpu_state_changed(r->cpu);
        return;
    }
    cpu_rig_load(r, HANDLER, handler, sizeof handler);
    cpu_rig_load(r, 0x9000, first, sizeof first);
    for (unsigned i = 0; i < 32; i++) {
        cpu_rig_gate(r, i, HANDLER, 3);
    }
    cpu_rig_flat32(r, CODE, 0x30000);
    for (unsigned i = 0; i < 8; i++) {
        if (i != REG_SP) {
            s->gpr[i] = DATA + i * 0x100;
        }
    }
    s->gpr[REG_CX] = 17;
    s->cr4 |= CR4_OSFXSR;
    cpu_state_changed(r->cpu);
    if (mode & 2) {
        cpu_rig_paging(r, 0x38000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cpu_rig *a, *b; /* a fuzz target is one process and one thread */
    if (!a) {
        a = cpu_rig_create("max,+lm", RAM);
        b = cpu_rig_create("max,+lm", RAM);
        if (!a || !b) {
            abort();
        }
        interp_step_only(a->cpu, true);
    }
    if (size < 8 || size > 4096) {
        return 0;
    }
    start(a, data[0], data + 8, size - 8);
    start(b, data[0], data + 8, size - 8);
    for (unsigned i = 1; i < 8; i++) {
        uint64_t n = 1 + (uint64_t)data[i] * (i & 1 ? 1 : 4);
        enum cpu_stop sa = cpu_rig_run(a, n), sb = cpu_rig_run(b, n);
        if (sa != sb || a->done != b->done || cpu_rig_hash(a) != cpu_rig_hash(b)) {
            fprintf(stderr, "slice %u of %llu: stops %d %d, done %llu %llu, rip %llx %llx\n", i,
                    (unsigned long long)n, sa, sb, (unsigned long long)a->done,
                    (unsigned long long)b->done, (unsigned long long)cpu_state(a->cpu)->rip,
                    (unsigned long long)cpu_state(b->cpu)->rip);
            abort();
        }
        if (sa == CPU_TRIPLE_FAULT) {
            break;
        }
        if (sa == CPU_HALTED) {
            cpu_nmi(a->cpu);
            cpu_nmi(b->cpu);
        }
    }
    return 0;
}
