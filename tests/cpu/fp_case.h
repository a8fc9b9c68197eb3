/* What test_x87.c and test_sse.c share: a processor with 64 KB of flat memory, executing one
 * instruction from bytes; and the same instruction on the host's processor. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cpu/core.h"
#include "cpu/ops_x87.h"

enum { CASE_MEM = 0x2000, CASE_LEN = 128 };

struct fp_case {
    struct cpu *c;
    struct ram ram;
    struct bus *mem, *ports;
    struct clock clock;
    struct region region;
    bool ferr;
};

static inline void case_ferr(void *sink, unsigned pin, bool level)
{
    (void)pin;
    *(bool *)sink = level;
}

/* 32-bit protected mode, flat, no paging, x87 and SSE ready as an operating system leaves them. */
static inline void case_open(struct fp_case *k)
{
    struct err err = {0};
    struct cpu_state *s;

    memset(k, 0, sizeof *k);
    clock_init(&k->clock);
    assert_true(ram_init(&k->ram, 0x10000, &err));
    k->mem = bus_create("mem", 32);
    k->ports = bus_create("ports", 16);
    k->region = (struct region){.name = "ram", .kind = REGION_RAM, .len = 0x10000, .ram = &k->ram};
    assert_true(bus_map(k->mem, &k->region, &err));
    struct cpu_env env = {.mem = k->mem, .ports = k->ports, .ram = &k->ram, .clock = &k->clock,
                          .ferr = {.set = case_ferr, .sink = &k->ferr}};
    k->c = cpu_create(&cpu_accel_interp, NULL, &env, &err);
    assert_non_null(k->c);
    k->c->feat.bits[FEAT_SSE3 >> 6] |= (uint64_t)1 << (FEAT_SSE3 & 63); /* FISTTP */
    s = cpu_state(k->c);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        s->seg[i] = (struct seg){.sel = (uint16_t)(8 + 8 * (i != SEG_CS)), .limit = 0xffffffff,
                                 .attr = (uint16_t)(ATTR_P | ATTR_S | ATTR_DB | ATTR_G | ATTR_A |
                                                    ATTR_W | (i == SEG_CS ? ATTR_X : 0))};
    }
    s->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_MP;
    s->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    s->rflags = FL_1;
    s->fcw = 0x37f;
    s->fsw = 0;
    s->ftag = 0;
    s->mxcsr = 0x1f80;
    s->gpr[REG_DI] = CASE_MEM;
    cpu_state_changed(k->c);
}
static inline void case_close(struct fp_case *k)
{
    cpu_destroy(k->c);
    bus_destroy(k->mem);
    bus_destroy(k->ports);
    ram_fini(&k->ram);
}

/* Decode and execute.  Returns the vector of a fault, or -1. */
static inline int case_run(struct fp_case *k, const uint8_t *code, unsigned len, unsigned *op)
{
    struct cpu *c = k->c;
    struct insn in;

    assert_int_equal(decode(code, len, DECODE_32, &c->feat, &in), DECODE_OK);
    if (op) {
        *op = in.op;
    }
    if (in.op == OP_ud) {
        return EXC_UD;
    }
    c->s.rip = 0x1234;
    c->next_rip = c->s.rip + in.len;
    c->fault.pending = false;
    assert_non_null(exec_table[in.op]);
    if (exec_table[in.op](c, &in)) {
        assert_false(c->fault.pending);
        flags_sync(c);
        return -1;
    }
    flags_sync(c);
    return c->fault.vector;
}
#define RUN(k, ...)                                                                               \
    case_run((k), (const uint8_t[16]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), NULL)
static inline uint8_t *case_mem(struct fp_case *k)
{
    return k->ram.host + CASE_MEM;
}

/* ---- the same on the host ---- */

/* Everything an x87, MMX or SSE instruction can see and change. */
struct fp_image {
    uint8_t fx[512] __attribute__((aligned(64))); /* as FXSAVE has it */
    uint8_t mem[CASE_LEN] __attribute__((aligned(64)));
    uint64_t eax, flags;
};

static inline void case_load(struct fp_case *k, const struct fp_image *m)
{
    struct cpu_state *s = cpu_state(k->c);

    s->fcw = load_le16(m->fx);
    s->fsw = load_le16(m->fx + 2);
    s->ftag = m->fx[4];
    s->mxcsr = load_le32(m->fx + 24);
    for (unsigned i = 0; i < 8; i++) {
        unsigned p = ((s->fsw >> 11) + i) & 7;
        s->st[p] = (struct f80){load_le64(m->fx + 32 + i * 16), load_le16(m->fx + 40 + i * 16)};
        s->ymm[i][0] = load_le64(m->fx + 160 + i * 16);
        s->ymm[i][1] = load_le64(m->fx + 168 + i * 16);
    }
    s->gpr[REG_AX] = m->eax;
    s->rflags = m->flags | FL_1;
    s->gpr[REG_DI] = CASE_MEM;
    flags_set_status(k->c, (uint32_t)s->rflags);
    memcpy(case_mem(k), m->mem, CASE_LEN);
}
static inline void case_store(struct fp_case *k, struct fp_image *m)
{
    struct cpu_state *s = &k->c->s;

    store_le16(m->fx, s->fcw);
    store_le16(m->fx + 2, s->fsw);
    m->fx[4] = s->ftag;
    store_le32(m->fx + 24, s->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        struct f80 v = s->st[((s->fsw >> 11) + i) & 7];
        store_le64(m->fx + 32 + i * 16, v.man);
        store_le16(m->fx + 40 + i * 16, v.se);
        store_le64(m->fx + 160 + i * 16, s->ymm[i][0]);
        store_le64(m->fx + 168 + i * 16, s->ymm[i][1]);
    }
    m->eax = s->gpr[REG_AX];
    m->flags = s->rflags & FL_STATUS;
    memcpy(m->mem, case_mem(k), CASE_LEN);
}

#if defined(__x86_64__) && defined(__linux__)
#define CASE_HOST 1
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf host_jump;
static struct fp_image *host_out;
static volatile sig_atomic_t host_signal;

static inline void host_on_fpe(int sig, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    static const uint32_t def = 0x1f80;

    (void)info;
    memcpy(host_out->fx, uc->uc_mcontext.fpregs, 512);
    host_out->eax = (uint64_t)uc->uc_mcontext.gregs[REG_RAX];
    host_out->flags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL] & FL_STATUS;
    host_signal = sig;
    __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(def));
    siglongjmp(host_jump, 1);
}

/* One instruction (memory operand: [EDI], which is [RDI] here; the only register: EAX) on *m.
 * true: executed; false: SIGFPE. */
static inline bool host_run(const uint8_t *code, unsigned len, struct fp_image *m)
{
    static uint8_t *page;
    static const uint8_t head[] = {
        0x8b, 0x01,             /* mov eax, [rcx] */
        0xff, 0x71, 0x08, 0x9d, /* push qword [rcx + 8]; popfq */
        0x0f, 0xae, 0x0e,       /* fxrstor [rsi] */
    };
    static const uint8_t tail[] = {
        0x0f, 0xae, 0x02,       /* fxsave [rdx] */
        0x9c, 0x8f, 0x41, 0x08, /* pushfq; pop qword [rcx + 8] */
        0x48, 0x89, 0x01,       /* mov [rcx], rax */
        0xdb, 0xe3,             /* fninit */
        0xc3,
    };
    static const uint32_t def = 0x1f80;
    struct sigaction sa = {.sa_sigaction = host_on_fpe, .sa_flags = SA_SIGINFO}, old;
    struct fp_image in = *m;
    uint64_t io[2] = {m->eax, m->flags | FL_1};
    void (*fn)(void *mem, void *from, void *to, void *io);

    if (!page) {
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0);
        assert_true(page != MAP_FAILED);
    }
    memcpy(page, head, sizeof head);
    memcpy(page + sizeof head, code, len);
    memcpy(page + sizeof head + len, tail, sizeof tail);
    memcpy(&fn, &page, sizeof fn);
    host_out = m;
    host_signal = 0;
    sigaction(SIGFPE, &sa, &old);
    if (!sigsetjmp(host_jump, 1)) {
        fn(m->mem, in.fx, m->fx, io);
        m->eax = io[0];
        m->flags = io[1] & FL_STATUS;
    }
    __asm__ volatile("ldmxcsr %0" : : "m"(def));
    sigaction(SIGFPE, &old, NULL);
    return !host_signal;
}
#endif
