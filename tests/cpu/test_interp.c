/* The engine: blocks against one-instruction mode, budgets, interrupts, code that changes itself,
 * repeated strings, and the shape of the fast handlers in the release build.
 *
 * Blocks and steps must be the same machine: programs of random instructions run both ways, cut
 * into random slices, and after every slice the whole state is compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "cpu/core.h"
#include "cpu/interp/engine.h"
#include "tests/rig/cpu_rig.h"

#define RAM_SIZE ((uint64_t)1 << 20)
#define CODE 0x10000u
#define CODE_LEN 0x3000u
#define DATA 0x20000u
#define STACK 0x30000u
#define HANDLER_AT 0x8000u
#define COUNTER 0x9000u

static uint64_t rnd_state;
static uint32_t rnd(void)
{
    rnd_state = rnd_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(rnd_state >> 33);
}

/* ---- random programs ---- */

static const char *const common[] = {/* opcode bytes; m: ModRM, b w d: immediates, r: +register */
                                     "\x01m",
                                     "\x03m",
                                     "\x00m",
                                     "\x02m",
                                     "\x09m",
                                     "\x0bm",
                                     "\x11m",
                                     "\x13m",
                                     "\x19m",
                                     "\x1bm",
                                     "\x21m",
                                     "\x23m",
                                     "\x29m",
                                     "\x2bm",
                                     "\x28m",
                                     "\x2am",
                                     "\x31m",
                                     "\x33m",
                                     "\x39m",
                                     "\x3bm",
                                     "\x38m",
                                     "\x3am",
                                     "\x85m",
                                     "\x84m",
                                     "\x87m",
                                     "\x86m",
                                     "\x89m",
                                     "\x8bm",
                                     "\x88m",
                                     "\x8am",
                                     "\x8dm",
                                     "\x81md",
                                     "\x83mb",
                                     "\x80mb",
                                     "\xc1mb",
                                     "\xc0mb",
                                     "\xd1m",
                                     "\xd3m",
                                     "\xd0m",
                                     "\xd2m",
                                     "\xc7md",
                                     "\xc6mb",
                                     "\xf7m",
                                     "\xf6m",
                                     "\xffm",
                                     "\xfem",
                                     "\x40r",
                                     "\x48r",
                                     "\x50r",
                                     "\x58r",
                                     "\x90r",
                                     "\xb8rd",
                                     "\xb0rb",
                                     "\x05"
                                     "d",
                                     "\x2d"
                                     "d",
                                     "\x3d"
                                     "d",
                                     "\xa9"
                                     "d",
                                     "\x3c"
                                     "b",
                                     "\x04"
                                     "b",
                                     "\x6a"
                                     "b",
                                     "\x68"
                                     "d",
                                     "\x69md",
                                     "\x6bmb",
                                     "\x0f\xafm",
                                     "\x0f\xb6m",
                                     "\x0f\xb7m",
                                     "\x0f\xbem",
                                     "\x0f\xbfm",
                                     "\x0f\xa3m",
                                     "\x0f\xabm",
                                     "\x0f\xbamb",
                                     "\x0f\xa4mb",
                                     "\x0f\xacmb",
                                     "\x0f\xa5m",
                                     "\x0f\xbcm",
                                     "\x0f\xbdm",
                                     "\x0f\xc8r",
                                     "\x0f\xc1m",
                                     "\x0f\xb1m",
                                     "\x98",
                                     "\x99",
                                     "\xf8",
                                     "\xf9",
                                     "\xf5",
                                     "\xfc",
                                     "\xfd",
                                     "\x9c",
                                     "\x9d",
                                     "\x60",
                                     "\x61",
                                     "\xc9",
                                     "\xa4",
                                     "\xa5",
                                     "\xaa",
                                     "\xab",
                                     "\xac",
                                     "\xad",
                                     "\xae",
                                     "\xaf",
                                     "\xa6",
                                     "\xa7",
                                     "\x27",
                                     "\x2f",
                                     "\x37",
                                     "\x3f",
                                     "\x9e",
                                     "\x9f",
                                     "\xd7",
                                     "\x0f\xc7m"};

static size_t put_modrm(uint8_t *p, bool wide)
{
    unsigned reg = rnd() & 7;
    if (rnd() % 2) {
        p[0] = (uint8_t)(0xc0 | reg << 3 | (rnd() & 7));
        return 1;
    }
    if (!wide) {
        p[0] = (uint8_t)(0x06 | reg << 3); /* disp16 */
        store_le16(p + 1, (uint16_t)(0x2000 + rnd() % 0x800));
        return 3;
    }
    uint32_t at = DATA + rnd() % 0x2000;
    switch (rnd() % 6) {
    case 0: /* [disp32], sometimes where the code is */
        p[0] = (uint8_t)(0x05 | reg << 3);
        store_le32(p + 1, rnd() % 16 ? at : CODE + rnd() % CODE_LEN);
        return 5;
    case 1: /* [esp+disp8] */
        p[0] = (uint8_t)(0x44 | reg << 3);
        p[1] = 0x24;
        p[2] = (uint8_t)(rnd() & 0x7c);
        return 3;
    case 2: /* [ebp+disp8] */
        p[0] = (uint8_t)(0x45 | reg << 3);
        p[1] = (uint8_t)rnd();
        return 2;
    case 3: /* [base+index*scale+disp32] */
        p[0] = (uint8_t)(0x84 | reg << 3);
        p[1] = (uint8_t)rnd();
        store_le32(p + 2, rnd() & 0xff);
        return 6;
    default: /* [reg+disp8] */
        p[0] = (uint8_t)(0x40 | reg << 3 | (rnd() % 4 ? 6 + rnd() % 2 : rnd() % 4));
        p[1] = (uint8_t)rnd();
        return 2;
    }
}

static size_t put_insn(uint8_t *p, bool wide, unsigned wild)
{
    uint8_t *start = p;
    uint32_t dice = rnd() % 100;
    if (dice < 12) { /* keep pointers good: SI DI BX BP */
        static const uint8_t regs[4] = {6, 7, 3, 5};
        *p++ = (uint8_t)(0xb8 | regs[rnd() & 3]);
        if (wide) {
            store_le32(p, DATA + rnd() % 0x3000);
            return 5;
        }
        store_le16(p, (uint16_t)(0x2000 + rnd() % 0x3000));
        return 3;
    }
    if (dice < 22) { /* a short branch, mostly forward */
        *p++ = (uint8_t)(rnd() % 8 ? 0x70 | (rnd() & 15) : rnd() % 2 ? 0xeb : 0xe0 | (rnd() & 3));
        *p++ = (uint8_t)(rnd() % 5 ? rnd() % 24 : 0x100 - rnd() % 24);
        return 2;
    }
    if (dice < 25 && wide) { /* near branches, calls, returns */
        if (rnd() % 3 == 0) {
            *p = 0xc3;
            return 1;
        }
        *p++ = rnd() % 2 ? 0xe8 : 0xe9;
        store_le32(p, rnd() % 0x400 - 0x200);
        return 5;
    }
    if (dice < 28) { /* strings with a small count */
        *p++ = 0xb9;
        if (wide) {
            store_le32(p, rnd() % 40);
            p += 4;
        } else {
            store_le16(p, (uint16_t)(rnd() % 40));
            p += 2;
        }
        *p++ = rnd() % 2 ? 0xf3 : 0xf2;
        *p++ = (uint8_t)(0xa4 + rnd() % 12);
        return (size_t)(p - start);
    }
    if (dice < 30) { /* ports: the clock, an interrupt */
        static const uint8_t io[][2] = {{0xe4, 0x40}, {0xe6, 0x21}, {0xe6, 0x77}, {0xe5, 0x40},
                                        {0xfb, 0x90}, {0xfa, 0x90}, {0xe6, 0x20}, {0x90, 0x90}};
        memcpy(p, io[rnd() % 8], 2);
        return 2;
    }
    if (dice < 30 + wild) {
        static const uint8_t op0f[] = {0x31, 0xa2, 0xc7, 0x40, 0x4c, 0x95, 0x9f, 0x28, 0x6f, 0xef};
        switch (rnd() % 4) {
        case 0: *p++ = (uint8_t)(0xd8 | (rnd() & 7)); *p++ = (uint8_t)(0xc0 | rnd()); break;
        case 1: *p++ = 0x0f; *p++ = op0f[rnd() % sizeof op0f]; p += put_modrm(p, wide); break;
        case 2: *p++ = (uint8_t)rnd(); break;
        default: *p++ = 0x0f; *p++ = (uint8_t)rnd(); p += put_modrm(p, wide); break;
        }
        return (size_t)(p - start);
    }
    bool narrow = !wide;
    if (rnd() % 8 == 0) {
        *p++ = 0x66;
        narrow = !narrow;
    }
    if (rnd() % 24 == 0) {
        *p++ = (uint8_t)(rnd() % 2 ? 0x64 : 0x2e);
    }
    for (const char *t = common[rnd() % ARRAY_LEN(common)]; *t; t++) {
        switch (*t) {
        case 'm': p += put_modrm(p, wide); break;
        case 'b': *p++ = (uint8_t)rnd(); break;
        case 'r': p[-1] |= (uint8_t)(rnd() & 7); break;
        case 'd':
            store_le32(p, rnd() % 2 ? rnd() * 2 : rnd() & 0xff);
            p += narrow ? 2 : 4;
            break;
        default: *p++ = (uint8_t)*t; break;
        }
    }
    return (size_t)(p - start);
}

static void make_program(uint8_t code[CODE_LEN], bool wide, unsigned wild)
{
    size_t n = 0;
    while (n < CODE_LEN - 32) {
        n += put_insn(code + n, wide, wild);
    }
    while (n < CODE_LEN - 5) {
        code[n++] = 0x90;
    }
    code[n++] = 0xe9; /* back to the start */
    if (wide) {
        store_le32(code + n, (uint32_t)(0 - (n + 4)));
    } else {
        store_le16(code + n, (uint16_t)(0 - (n + 2)));
    }
}

/* All exceptions: a good stack again, and on at some other place in the code. */
static const uint8_t handler32[] = {
    0xbc, 0x00, 0x00, 0x03, 0x00,             /* mov esp, STACK */
    0x81, 0x05, 0x00, 0x90, 0x00, 0x00, 0x2b, 0x01, 0x00, 0x00, /* add dword [COUNTER], 299 */
    0xa1, 0x00, 0x90, 0x00, 0x00,             /* mov eax, [COUNTER] */
    0x25, 0xff, 0x1f, 0x00, 0x00,             /* and eax, 1fffh */
    0x05, 0x00, 0x00, 0x01, 0x00,             /* add eax, CODE */
    0xbe, 0x00, 0x00, 0x02, 0x00,             /* mov esi, DATA */
    0xbf, 0x00, 0x10, 0x02, 0x00,             /* mov edi, DATA + 1000h */
    0xff, 0xe0};                              /* jmp eax */
static const uint8_t handler16[] = {
    0xbc, 0x00, 0xf0,             /* mov sp, 0f000h */
    0x2e, 0x81, 0x06, 0x00, 0x01, 0x2b, 0x01, /* add word [cs:100h], 299 */
    0x2e, 0xa1, 0x00, 0x01,       /* mov ax, [cs:100h] */
    0x25, 0xff, 0x1f,             /* and ax, 1fffh */
    0xbe, 0x00, 0x20,             /* mov si, 2000h */
    0xbf, 0x00, 0x30,             /* mov di, 3000h */
    0x68, 0x00, 0x10, 0x50, 0xcb};/* push 1000h; push ax; retf */

enum prog { PROG_FLAT, PROG_PAGED, PROG_USER, PROG_REAL, PROG_SEGMENTS, PROG_COUNT };

static void set_up(struct cpu_rig *r, enum prog kind, const uint8_t *code)
{
    memset(r->ram.host, 0, RAM_SIZE);
    ram_wrote(&r->ram, 0, RAM_SIZE);
    cpu_irq(r->cpu, false);
    cpu_reset(r->cpu);
    struct cpu_state *s = cpu_state(r->cpu);
    s->tsc_offset = 0;
    r->port_sum = 0;
    r->clk.slice_start = 0;
    cpu_rig_load(r, CODE, code, CODE_LEN);
    if (kind == PROG_REAL) {
        cpu_rig_load(r, HANDLER_AT, handler16, sizeof handler16);
        for (unsigned i = 0; i < 256; i++) {
            uint8_t v[4] = {0, 0, HANDLER_AT >> 4 & 0xff, HANDLER_AT >> 12};
            cpu_rig_load(r, i * 4, v, 4);
        }
        cpu_rig_real(r, CODE >> 4, 0, 0xf000);
        s->seg[SEG_DS].sel = s->seg[SEG_ES].sel = 0x2000;
        s->seg[SEG_DS].base = s->seg[SEG_ES].base = 0x20000;
        s->seg[SEG_SS].sel = 0x3000;
        s->seg[SEG_SS].base = 0x30000;
        cpu_state_changed(r->cpu);
        return;
    }
    cpu_rig_load(r, HANDLER_AT, handler32, sizeof handler32);
    for (unsigned i = 0; i < 256; i++) {
        cpu_rig_gate(r, i, HANDLER_AT, 3);
    }
    cpu_rig_flat32(r, CODE, STACK);
    s->gpr[REG_SI] = s->gpr[REG_BX] = DATA;
    s->gpr[REG_DI] = s->gpr[REG_BP] = DATA + 0x1000;
    s->cr4 |= CR4_OSFXSR;
    if (kind == PROG_USER) {
        /* a TSS for the way back in: esp0, ss0 */
        uint8_t tss[104] = {0};
        store_le32(tss + 4, STACK + 0x1000);
        store_le16(tss + 8, 0x10);
        cpu_rig_load(r, 0xa000, tss, sizeof tss);
        s->tr = (struct seg){.sel = 0x28, .attr = 0x8b, .limit = 103, .base = 0xa000};
        s->cpl = 3;
        s->rflags |= FL_IOPL;
        for (unsigned i = 0; i < SEG_COUNT; i++) {
            s->seg[i] = (struct seg){.sel = 0x23, .attr = 0xc0f3, .limit = 0xffffffff};
        }
        s->seg[SEG_CS] = (struct seg){.sel = 0x1b, .attr = 0xc0fb, .limit = 0xffffffff};
    }
    if (kind == PROG_SEGMENTS) { /* bases and limits that matter */
        s->seg[SEG_DS].limit = DATA + 0x1fff;
        s->seg[SEG_ES].base = 0x40;
        s->seg[SEG_ES].limit = DATA + 0x2fff;
        s->seg[SEG_SS].limit = STACK - 1;
        s->seg[SEG_CS].limit = CODE + CODE_LEN - 1;
        s->seg[SEG_CS].base = 0;
    }
    cpu_state_changed(r->cpu);
    if (kind == PROG_PAGED || kind == PROG_USER) {
        cpu_rig_paging(r, 0x80000);
        /* one page read-only, one not present */
        uint8_t pte[4];
        store_le32(pte, (DATA + 0x2000) | 5);
        cpu_rig_load(r, 0x81000 + ((DATA + 0x2000) >> 12) * 4, pte, 4);
        store_le32(pte, 0);
        cpu_rig_load(r, 0x81000 + ((DATA + 0x4000) >> 12) * 4, pte, 4);
    }
}

static void show(const char *who, struct cpu_rig *r)
{
    const struct cpu_state *s = cpu_state(r->cpu);
    uint64_t last[32];
    unsigned n = cpu_last_insns(r->cpu, last);
    print_message("%s: rip %llx flags %llx inhibit %u cpl %u\n", who, (unsigned long long)s->rip,
                  (unsigned long long)s->rflags, s->inhibit, s->cpl);
    for (unsigned i = 0; i < 8; i++) {
        print_message(" %llx", (unsigned long long)s->gpr[i]);
    }
    print_message("\n last:");
    for (unsigned i = n > 12 ? n - 12 : 0; i < n; i++) {
        print_message(" %llx", (unsigned long long)last[i]);
    }
    print_message("\n");
}

static bool same_programs(enum prog kind, uint64_t seed, unsigned slices, struct cpu_rig *a,
                          struct cpu_rig *b)
{
    static uint8_t code[CODE_LEN];
    rnd_state = seed;
    make_program(code, kind != PROG_REAL, 3);
    set_up(a, kind, code);
    set_up(b, kind, code);
    interp_step_only(a->cpu, true);
    for (unsigned i = 0; i < slices; i++) {
        uint64_t n = rnd() % 4 ? rnd() % 40 + 1 : rnd() % 1500 + 1;
        enum cpu_stop sa = cpu_rig_run(a, n), sb = cpu_rig_run(b, n);
        if (sa != sb || a->done != b->done || cpu_rig_hash(a) != cpu_rig_hash(b)) {
            print_message("kind %d seed %llu slice %u of %llu: stops %d %d, done %llu %llu\n", kind,
                          (unsigned long long)seed, i, (unsigned long long)n, sa, sb,
                          (unsigned long long)a->done, (unsigned long long)b->done);
            show("steps ", a);
            show("blocks", b);
            return false;
        }
        if (sa == CPU_TRIPLE_FAULT) { /* once more, from a different place */
            set_up(a, kind, code);
            set_up(b, kind, code);
            cpu_state(a->cpu)->rip = cpu_state(b->cpu)->rip += rnd() % 256;
            cpu_state_changed(a->cpu);
            cpu_state_changed(b->cpu);
        } else if (sa == CPU_HALTED) {
            cpu_nmi(a->cpu);
            cpu_nmi(b->cpu);
        } else if (rnd() % 16 == 0) {
            a->vector = b->vector = 0x30;
            a->irq_once = b->irq_once = true;
            cpu_irq(a->cpu, true);
            cpu_irq(b->cpu, true);
        }
    }
    return true;
}

static void run_kind(enum prog kind, unsigned programs)
{
    struct cpu_rig *a = cpu_rig_create(NULL, RAM_SIZE), *b = cpu_rig_create(NULL, RAM_SIZE);
    const char *env = getenv("INTERP_SEED");
    assert_non_null(a);
    assert_non_null(b);
    for (unsigned i = 0; i < programs; i++) {
        assert_true(same_programs(kind, env ? strtoull(env, NULL, 0) : i + 1, 150, a, b));
    }
    cpu_rig_destroy(a);
    cpu_rig_destroy(b);
}

static unsigned programs(void)
{
    const char *env = getenv("INTERP_PROGRAMS");
    return env ? (unsigned)strtoul(env, NULL, 0) : 60;
}

static void blocks_and_steps_agree_in_flat_code(void **state)
{
    (void)state;
    run_kind(PROG_FLAT, programs());
}
static void blocks_and_steps_agree_with_paging(void **state)
{
    (void)state;
    run_kind(PROG_PAGED, programs());
}
static void blocks_and_steps_agree_in_user_mode(void **state)
{
    (void)state;
    run_kind(PROG_USER, programs());
}
static void blocks_and_steps_agree_in_real_mode(void **state)
{
    (void)state;
    run_kind(PROG_REAL, programs());
}
static void blocks_and_steps_agree_with_limits(void **state)
{
    (void)state;
    run_kind(PROG_SEGMENTS, programs());
}

/* ---- by hand ---- */

static struct cpu_rig *flat(const uint8_t *code, size_t len)
{
    struct cpu_rig *r = cpu_rig_create(NULL, RAM_SIZE);
    assert_non_null(r);
    cpu_rig_load(r, CODE, code, len);
    cpu_rig_flat32(r, CODE, STACK);
    return r;
}
#define FLAT(...)                                                                                 \
    static const uint8_t code[] = {__VA_ARGS__};                                                  \
    struct cpu_rig *r = flat(code, sizeof code);                                                  \
    struct cpu_state *s = cpu_state(r->cpu);                                                     \
    (void)s

static void run_stops_exactly_at_its_budget(void **state)
{
    (void)state;
    FLAT(0x40, 0x41, 0x42, 0x43, 0xeb, 0xfa); /* inc eax ecx edx ebx; jmp */
    for (unsigned n = 0; n < 300; n++) {
        uint64_t before = s->gpr[REG_AX] + s->gpr[REG_CX] + s->gpr[REG_DX] + s->gpr[REG_BX];
        assert_int_equal(cpu_rig_run(r, n), CPU_BUDGET);
        assert_int_equal(r->done, n);
        uint64_t after = s->gpr[REG_AX] + s->gpr[REG_CX] + s->gpr[REG_DX] + s->gpr[REG_BX];
        assert_in_range(after - before, n * 4 / 5, n * 4 / 5 + 1);
    }
    cpu_rig_destroy(r);
}

static void a_rep_iteration_counts_as_one(void **state)
{
    (void)state;
    FLAT(0xf3, 0xa5, 0xf4); /* rep movsd; hlt */
    s->gpr[REG_SI] = CODE;
    s->gpr[REG_DI] = DATA;
    s->gpr[REG_CX] = 3000; /* three pages */
    assert_int_equal(cpu_rig_run(r, 1001), CPU_BUDGET);
    assert_int_equal(s->gpr[REG_CX], 1999);
    assert_int_equal(s->gpr[REG_DI], DATA + 4004);
    assert_int_equal(s->rip, CODE);
    assert_int_equal(cpu_rig_run(r, 100000), CPU_HALTED);
    assert_int_equal(r->done, 1999 + 1);
    assert_memory_equal(r->ram.host + DATA, r->ram.host + CODE, 12000);
    cpu_rig_destroy(r);
}

static void rep_with_a_count_of_zero_is_one_instruction(void **state)
{
    (void)state;
    FLAT(0xf3, 0xa4, 0x90, 0xf4); /* rep movsb; nop; hlt */
    s->gpr[REG_CX] = 0;
    assert_int_equal(cpu_rig_run(r, 100), CPU_HALTED);
    assert_int_equal(r->done, 3);
    cpu_rig_destroy(r);
}

static void overlapping_movs_repeats_the_pattern(void **state)
{
    (void)state;
    FLAT(0xf3, 0xa4, 0xf4);
    r->ram.host[DATA] = 0x5a;
    s->gpr[REG_SI] = DATA;
    s->gpr[REG_DI] = DATA + 1;
    s->gpr[REG_CX] = 100;
    assert_int_equal(cpu_rig_run(r, 1000), CPU_HALTED);
    for (unsigned i = 0; i <= 100; i++) {
        assert_int_equal(r->ram.host[DATA + i], 0x5a);
    }
    cpu_rig_destroy(r);
}

static void a_store_into_the_next_instruction_is_seen(void **state)
{
    (void)state;
    /* mov byte [next+1], 77h; next: mov al, 11h; hlt */
    FLAT(0xc6, 0x05, 0x08, 0x00, 0x01, 0x00, 0x77, 0xb0, 0x11, 0xf4);
    for (unsigned i = 0; i < 3; i++) {
        r->ram.host[CODE + 8] = 0x11;
        ram_wrote(&r->ram, CODE + 8, 1);
        s->rip = CODE;
        s->gpr[REG_AX] = 0;
        s->activity = ACT_ACTIVE;
        cpu_state_changed(r->cpu);
        assert_int_equal(cpu_rig_run(r, 100), CPU_HALTED);
        assert_int_equal(s->gpr[REG_AX], 0x77);
        assert_int_equal(r->done, 3);
    }
    cpu_rig_destroy(r);
}

static void another_writer_is_seen_too(void **state)
{
    (void)state;
    FLAT(0xb0, 0x11, 0xeb, 0xfc); /* l: mov al, 11h; jmp l */
    cpu_rig_run(r, 1000);
    assert_int_equal(s->gpr[REG_AX] & 0xff, 0x11);
    static const uint8_t v = 0x22; /* a device's DMA ends in ram_store */
    cpu_rig_load(r, CODE + 1, &v, 1);
    cpu_rig_run(r, 1000);
    assert_int_equal(s->gpr[REG_AX] & 0xff, 0x22);
    cpu_rig_destroy(r);
}

static void an_instruction_in_two_pages_follows_both(void **state)
{
    (void)state;
    static const uint8_t body[] = {0xb8, 0x11, 0x22, 0x33, 0x44, 0xf4}; /* mov eax, imm32; hlt */
    FLAT(0x90);
    uint8_t pte[4], v;
    cpu_rig_load(r, CODE + 0xffd, body, sizeof body);
    cpu_rig_load(r, 0x40000, body + 3, 3); /* another second page, with another end */
    cpu_rig_paging(r, 0x80000);
    struct interp *e = r->cpu->engine;
    for (unsigned i = 0; i < 12; i++) {
        uint32_t want = 0x44332211;
        if (i >= 4 && i < 8) { /* a writer on the second page */
            v = (uint8_t)i;
            cpu_rig_load(r, CODE + 0x1001, &v, 1);
            want = 0x00332211 | (uint32_t)v << 24;
        } else if (i >= 8) { /* another page there */
            v = (uint8_t)(i * 3);
            cpu_rig_load(r, 0x40000, &v, 1);
            store_le32(pte, 0x40007);
            cpu_rig_load(r, 0x81000 + ((CODE + 0x1000) >> 12) * 4, pte, 4);
            tlb_flush(r->cpu, false);
            want = 0x44002211 | (uint32_t)v << 16;
        }
        s->rip = CODE + 0xffd;
        s->activity = ACT_ACTIVE;
        assert_int_equal(cpu_rig_run(r, 10), CPU_HALTED);
        assert_int_equal(s->gpr[REG_AX], want);
        assert_int_equal(r->done, 2);
    }
    assert_in_range(e->builds, 5, 20);
    cpu_rig_destroy(r);
}

static void data_beside_code_does_not_kill_it(void **state)
{
    (void)state;
    /* l: inc dword [CODE + 200h]; jmp l */
    FLAT(0xff, 0x05, 0x00, 0x02, 0x01, 0x00, 0xeb, 0xf8);
    struct interp *e = r->cpu->engine;
    cpu_rig_run(r, 10000);
    assert_int_equal(load_le32(r->ram.host + CODE + 0x200), 5000);
    assert_int_equal(e->kills, 0);
    assert_in_range(e->builds, 1, 3);
    cpu_rig_destroy(r);
}

static void data_between_code_costs_no_search(void **state)
{
    (void)state;
    /* l: inc dword [CODE + 8]; jmp m; data: 4 bytes; m: dec eax; jmp l */
    FLAT(0xff, 0x05, 0x08, 0x00, 0x01, 0x00, 0xeb, 0x04, 0, 0, 0, 0, 0x48, 0xeb, 0xf1);
    struct interp *e = r->cpu->engine;
    cpu_rig_run(r, 10000);
    assert_int_equal(load_le32(r->ram.host + CODE + 8), 2500);
    assert_int_equal(e->kills, 0);
    assert_int_equal(e->walks, 0);
    cpu_rig_destroy(r);
}

static void the_clock_is_exact_inside_a_block(void **state)
{
    (void)state;
    /* nop; nop; in al, 40h; mov bl, al; nop; in al, 40h; hlt */
    FLAT(0x90, 0x90, 0xe4, 0x40, 0x88, 0xc3, 0x90, 0xe4, 0x40, 0xf4);
    assert_int_equal(cpu_rig_run(r, 100), CPU_HALTED);
    assert_int_equal(s->gpr[REG_BX] & 0xff, 2);
    assert_int_equal(s->gpr[REG_AX] & 0xff, 5);
    cpu_rig_destroy(r);
}

static void an_interrupt_is_taken_behind_the_instruction_that_raised_it(void **state)
{
    (void)state;
    /* sti; nop; mov al, 44h; out 21h, al; inc ebx; inc ebx; hlt */
    FLAT(0xfb, 0x90, 0xb0, 0x44, 0xe6, 0x21, 0x43, 0x43, 0xf4);
    static const uint8_t handler[] = {0x89, 0xd9, 0xf4}; /* mov ecx, ebx; hlt */
    cpu_rig_gate(r, 0x44, HANDLER_AT, 0);
    cpu_rig_load(r, HANDLER_AT, handler, sizeof handler);
    s->gpr[REG_CX] = 99;
    assert_int_equal(cpu_rig_run(r, 100), CPU_HALTED);
    assert_int_equal(s->gpr[REG_CX], 0);
    assert_int_equal(load_le32(r->ram.host + s->gpr[REG_SP]), CODE + 6);
    cpu_rig_destroy(r);
}

static void hlt_halts_each_time(void **state)
{
    (void)state;
    FLAT(0xfb, 0xf4, 0x43, 0xeb, 0xfc); /* sti; l: hlt; inc ebx; jmp l */
    static const uint8_t handler[] = {0xcf};
    cpu_rig_gate(r, 0x44, HANDLER_AT, 0);
    cpu_rig_load(r, HANDLER_AT, handler, sizeof handler);
    r->vector = 0x44;
    r->irq_once = true;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(cpu_rig_run(r, 1000), CPU_HALTED);
        assert_int_equal(r->done, i ? 4 : 2); /* iret, inc, jmp, hlt */
        assert_int_equal(s->gpr[REG_BX], i);
        cpu_irq(r->cpu, true);
    }
    cpu_rig_destroy(r);
}

static void sti_holds_interrupts_for_one_instruction(void **state)
{
    (void)state;
    /* sti; inc ebx; inc ebx; hlt, with the line up already */
    FLAT(0xfb, 0x43, 0x43, 0xf4);
    static const uint8_t handler[] = {0xf4};
    cpu_rig_gate(r, 0x44, HANDLER_AT, 0);
    cpu_rig_load(r, HANDLER_AT, handler, sizeof handler);
    r->vector = 0x44;
    cpu_irq(r->cpu, true);
    assert_int_equal(cpu_rig_run(r, 100), CPU_HALTED);
    assert_int_equal(s->gpr[REG_BX], 1);
    cpu_rig_destroy(r);
}

static void a_fault_in_a_block_has_exact_state(void **state)
{
    (void)state;
    /* inc eax; inc ebx; xor ecx, ecx; div ecx (#DE); inc eax */
    FLAT(0x40, 0x43, 0x31, 0xc9, 0xf7, 0xf1, 0x40);
    static const uint8_t handler[] = {0xf4};
    cpu_rig_gate(r, 0, HANDLER_AT, 0);
    cpu_rig_load(r, HANDLER_AT, handler, sizeof handler);
    assert_int_equal(cpu_rig_run(r, 100), CPU_HALTED);
    assert_int_equal(r->done, 3 + 1 + 1); /* the fault counts as one */
    assert_int_equal(load_le32(r->ram.host + s->gpr[REG_SP]), CODE + 4);
    assert_true(load_le32(r->ram.host + s->gpr[REG_SP] + 8) & FL_ZF); /* of the XOR */
    cpu_rig_destroy(r);
}

static void last_insns_tells_the_way_here(void **state)
{
    (void)state;
    FLAT(0x40, 0x41, 0xeb, 0x02, 0x90, 0x90, 0x42, 0x43, 0xf4);
    uint64_t at[32];
    assert_int_equal(cpu_rig_run(r, 100), CPU_HALTED);
    unsigned n = cpu_last_insns(r->cpu, at);
    static const uint32_t want[] = {0, 1, 2, 6, 7, 8};
    assert_int_equal(n, 6);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(at[i], CODE + want[i]);
    }
    cpu_rig_destroy(r);
}

static void a_kick_leaves_an_endless_loop(void **state)
{
    (void)state;
    FLAT(0xeb, 0xfe);
    cpu_kick(r->cpu);
    assert_int_equal(cpu_rig_run(r, 1000000), CPU_KICKED);
    assert_int_equal(r->done, 0);
    assert_int_equal(cpu_rig_run(r, 1000), CPU_BUDGET);
    cpu_rig_destroy(r);
}

static void one_page_at_two_addresses_runs_from_both(void **state)
{
    (void)state;
    /* call next; next: pop eax; hlt: the page knows where it is */
    FLAT(0xe8, 0x00, 0x00, 0x00, 0x00, 0x58, 0xf4);
    uint8_t pte[4];
    cpu_rig_paging(r, 0x80000);
    store_le32(pte, CODE | 7); /* 50000h -> the code, too */
    cpu_rig_load(r, 0x81000 + 0x50 * 4, pte, 4);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t at = i % 2 ? 0x50000 : CODE;
        s->rip = at;
        s->activity = ACT_ACTIVE;
        assert_int_equal(cpu_rig_run(r, 10), CPU_HALTED);
        assert_int_equal(s->gpr[REG_AX], at + 5);
    }
    struct interp *e = r->cpu->engine;
    assert_in_range(e->builds, 1, 2); /* decoded once */
    cpu_rig_destroy(r);
}

static void every_operation_has_an_executor(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OP_COUNT; i++) {
        if (!exec_table[i]) {
            print_message("missing: %s\n", op_name(i));
        }
        assert_non_null(exec_table[i]);
    }
}

/* ---- the shape of the code ---- */

static void fast_handlers_have_no_frame_and_end_in_jumps(void **state)
{
    char line[512], name[128] = "";
    unsigned handlers = 0, bad = 0, jumps = 0;
    (void)state;
    FILE *f = interp_is_tail_threaded()
                  ? popen("objdump -d --no-show-raw-insn /proc/$PPID/exe 2>/dev/null", "r") : NULL;
    if (!f) {
        skip(); /* the portable build has returns instead */
    }
    while (fgets(line, sizeof line, f)) {
        char sym[128];
        if (sscanf(line, "%*x <%127[^>]>:", sym) == 1 && !strchr(line, '\t')) {
            if (name[0] && !jumps) {
                print_message("%s does not jump on\n", name);
                bad++;
            }
            name[0] = 0;
            if (strncmp(sym, "h_", 2) == 0) {
                strcpy(name, sym);
                handlers++;
                jumps = 0;
            }
            continue;
        }
        const char *insn = name[0] ? strrchr(line, '\t') : NULL;
        if (!insn) {
            continue;
        }
        insn++;
        if (strncmp(insn, "push", 4) == 0 || strncmp(insn, "pop ", 4) == 0 ||
            strncmp(insn, "call", 4) == 0 ||
            (strstr(insn, "%rsp") && strncmp(insn, "sub", 3) == 0)) {
            print_message("%s: %s", name, insn);
            bad++;
        }
        if (strncmp(insn, "jmp", 3) == 0) {
            jumps++;
        }
    }
    int status = pclose(f);
    if (status != 0 || !handlers) {
        skip(); /* no objdump here */
    }
    assert_in_range(handlers, 1000, 100000);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_an_executor),
        cmocka_unit_test(fast_handlers_have_no_frame_and_end_in_jumps),
        cmocka_unit_test(run_stops_exactly_at_its_budget),
        cmocka_unit_test(a_rep_iteration_counts_as_one),
        cmocka_unit_test(rep_with_a_count_of_zero_is_one_instruction),
        cmocka_unit_test(overlapping_movs_repeats_the_pattern),
        cmocka_unit_test(a_store_into_the_next_instruction_is_seen),
        cmocka_unit_test(another_writer_is_seen_too),
        cmocka_unit_test(an_instruction_in_two_pages_follows_both),
        cmocka_unit_test(data_beside_code_does_not_kill_it),
        cmocka_unit_test(data_between_code_costs_no_search),
        cmocka_unit_test(the_clock_is_exact_inside_a_block),
        cmocka_unit_test(an_interrupt_is_taken_behind_the_instruction_that_raised_it),
        cmocka_unit_test(hlt_halts_each_time),
        cmocka_unit_test(sti_holds_interrupts_for_one_instruction),
        cmocka_unit_test(a_fault_in_a_block_has_exact_state),
        cmocka_unit_test(last_insns_tells_the_way_here),
        cmocka_unit_test(a_kick_leaves_an_endless_loop),
        cmocka_unit_test(one_page_at_two_addresses_runs_from_both),
        cmocka_unit_test(blocks_and_steps_agree_in_flat_code),
        cmocka_unit_test(blocks_and_steps_agree_with_paging),
        cmocka_unit_test(blocks_and_steps_agree_in_user_mode),
        cmocka_unit_test(blocks_and_steps_agree_in_real_mode),
        cmocka_unit_test(blocks_and_steps_agree_with_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
