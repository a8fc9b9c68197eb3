/* What the tests of protection share: a flat 32-bit machine, code given as bytes, little helpers.
 */
#pragma once
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

#include "cpu/protect.h"
#include "tests/rig/cpu_rig.h"

#define PROT_RAM ((uint64_t)8 << 20)
#define PROT_CODE 0x8000u
#define PROT_STACK 0x7000u
#define PROT_HANDLERS 0x9000u /* handler n: HLT at 9000h + n */
#define PROT_PD 0x100000u     /* cpu_rig_paging: page tables behind it */

static inline struct cpu_rig *prot_open(const char *model)
{
    struct cpu_rig *r = cpu_rig_create(model, PROT_RAM);
    assert_non_null(r);
    cpu_rig_flat32(r, PROT_CODE, PROT_STACK);
    for (unsigned i = 0; i < 64; i++) {
        uint8_t hlt = 0xf4;
        cpu_rig_load(r, PROT_HANDLERS + i, &hlt, 1);
        cpu_rig_gate(r, i, PROT_HANDLERS + i, 0);
    }
    return r;
}

static inline void prot_put(struct cpu_rig *r, uint64_t at, unsigned size, uint64_t v)
{
    uint8_t b[8];
    store_le64(b, v);
    cpu_rig_load(r, at, b, size);
}

static inline uint64_t prot_get(struct cpu_rig *r, uint64_t at, unsigned size)
{
    return load_le(r->ram.host + at, size);
}

static inline uint64_t prot_desc(uint32_t base, uint32_t limit, unsigned attr)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)(attr & 0xf0ff) << 40 |
           (uint64_t)(limit & 0xf0000) << 32 | (uint64_t)(base >> 24) << 56;
}

/* Code at the instruction pointer; runs n instructions. */
#define PROT_RUN(r, n, ...)                                                                        \
    do {                                                                                           \
        static const uint8_t code_[] = {__VA_ARGS__};                                              \
        cpu_rig_load(r, (r)->cpu->s.seg[SEG_CS].base + (r)->cpu->s.rip, code_, sizeof code_);      \
        cpu_rig_run(r, n);                                                                         \
    } while (0)

/* The vector whose handler was entered, from where it stands; -1: none. */
static inline int prot_vector(struct cpu_rig *r)
{
    uint64_t ip = cpu_state(r->cpu)->rip;
    return ip >= PROT_HANDLERS && ip < PROT_HANDLERS + 64 ? (int)(ip - PROT_HANDLERS) : -1;
}

static inline uint32_t prot_stack(struct cpu_rig *r, unsigned i) /* i-th dword from SS:ESP */
{
    return (uint32_t)prot_get(r, r->cpu->s.seg[SEG_SS].base + r->cpu->s.gpr[REG_SP] + i * 4, 4);
}
