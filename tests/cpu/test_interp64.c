/* The engine in 64-bit mode: blocks against one-instruction mode on random programs (as
 * test_interp.c does for the other modes), and what is particular to 64 bits: addresses that are
 * not canonical, RIP-relative operands, the segment bases of FS and GS, upper halves.
 *
 * The same code runs at three linear addresses: low, where kernels are (ffffffff80000000h), and
 * right below the non-canonical ones. */
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
#define COUNTER 0x9000u /* and what the handler returns to: code, SS, RSP, RFLAGS, CS */
#define TABLES 0x80000u
#define IST 0x3f000u
#define HIGH 0xffffffff80000000ull
#define EDGE 0x00007ffffff00000ull

static uint64_t rnd_state;
static uint32_t rnd(void)
{
    rnd_state = rnd_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(rnd_state >> 33);
}

/* ---- random programs ---- */

/* m: ModRM; b, d: immediates of 1 and 4 bytes (d: 2 with 66h); q: as d, 8 with REX.W; r: a register
 * is added to the opcode, c: a condition. */
static const char *const common[] = {"\x01m",
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
                                     "\x89m",
                                     "\x8bm",
                                     "\x8dm",
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
                                     "\x50r",
                                     "\x58r",
                                     "\x90r",
                                     "\xb8rq",
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
                                     "\x63m",
                                     "\x63m",
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
                                     "\x0f\x40"
                                     "cm",
                                     "\x0f\x40"
                                     "cm",
                                     "\x0f\x90"
                                     "cm",
                                     "\x98",
                                     "\x99",
                                     "\xf8",
                                     "\xf9",
                                     "\xf5",
                                     "\xfc",
                                     "\xfd",
                                     "\x9c",
                                     "\x9d",
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
                                     "\x9e",
                                     "\x9f",
                                     "\xd7",
                                     "\x0f\xc7m",
                                     "\x0f\x1fm",
                                     "\xf7m",
                                     "\xf7m"};

/* ModRM and what follows; `rest`: bytes of the instruction behind it, as far as is known. */
static size_t put_modrm(uint8_t *p, uint64_t here)
{
    unsigned reg = rnd() & 7;
    if (rnd() % 2) {
        p[0] = (uint8_t)(0xc0 | reg << 3 | (rnd() & 7));
        return 1;
    }
    uint32_t at = DATA + rnd() % 0x2000;
    switch (rnd() % 7) {
    case 0: /* [rip+disp32], now and then where the code is */
        p[0] = (uint8_t)(0x05 | reg << 3);
        store_le32(p + 1, (rnd() % 16 ? at : CODE + rnd() % CODE_LEN) - (uint32_t)(here + 5));
        return 5;
    case 1: /* [disp32] */
        p[0] = (uint8_t)(0x04 | reg << 3);
        p[1] = 0x25;
        store_le32(p + 2, at);
        return 6;
    case 2: /* [rsp+disp8] */
        p[0] = (uint8_t)(0x44 | reg << 3);
        p[1] = 0x24;
        p[2] = (uint8_t)(rnd() & 0x7c);
        return 3;
    case 3: /* [rbp+disp8] */
        p[0] = (uint8_t)(0x45 | reg << 3);
        p[1] = (uint8_t)rnd();
        return 2;
    case 4: /* [base+index*scale+disp32] */
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

static size_t put_insn(uint8_t *p, uint64_t here, unsigned wild)
{
    uint8_t *start = p;
    uint32_t dice = rnd() % 100;
    if (dice < 14) { /* keep pointers good, and the index small */
        static const uint8_t regs[] = {6, 7, 3, 5, 8 + 6, 8 + 7, 8 + 3, 8 + 5, 1, 8 + 1};
        unsigned reg = regs[rnd() % sizeof regs];
        uint64_t v = (reg & 7) == 1 ? rnd() % 64 : DATA + rnd() % 0x3000;
        unsigned kind = (reg & 7) == 1 ? 9 : rnd() % 12;
        if (kind > 2) {
            if (reg > 7) {
                *p++ = 0x41;
            }
            *p++ = (uint8_t)(0xb8 | (reg & 7));
            store_le32(p, (uint32_t)v);
            return (size_t)(p + 4 - start);
        }
        /* the same memory elsewhere, or where none can be */
        v += kind == 0 ? HIGH : kind == 1 ? EDGE + 0x100000 - 0x40000 : 0x00007ffffffffff0ull;
        *p++ = reg > 7 ? 0x49 : 0x48;
        *p++ = (uint8_t)(0xb8 | (reg & 7));
        store_le64(p, v);
        return (size_t)(p + 8 - start);
    }
    if (dice < 23) { /* a short branch, mostly forward */
        *p++ = (uint8_t)(rnd() % 8 ? 0x70 | (rnd() & 15) : rnd() % 2 ? 0xeb : 0xe0 | (rnd() & 3));
        *p++ = (uint8_t)(rnd() % 5 ? rnd() % 24 : 0x100 - rnd() % 24);
        return 2;
    }
    if (dice < 27) { /* near branches, calls, returns; some far away */
        if (rnd() % 4 == 0) {
            *p = 0xc3;
            return 1;
        }
        if (rnd() % 16 == 0) {
            *p++ = 0x66;
        }
        if (rnd() % 3 == 0) {
            *p++ = 0x0f;
            *p++ = (uint8_t)(0x80 | (rnd() & 15));
        } else {
            *p++ = rnd() % 2 ? 0xe8 : 0xe9;
        }
        store_le32(p, rnd() % 12 ? rnd() % 0x400 - 0x200 : 0x7ff00000 + (rnd() & 0xfffff));
        return (size_t)(p + 4 - start);
    }
    if (dice < 30) { /* strings with a small count */
        *p++ = 0xb9;
        store_le32(p, rnd() % 40);
        p += 4;
        if (rnd() % 8 == 0) {
            *p++ = 0x67;
        }
        *p++ = rnd() % 2 ? 0xf3 : 0xf2;
        if (rnd() % 2) {
            *p++ = 0x48;
        }
        *p++ = (uint8_t)(0xa4 + rnd() % 12);
        return (size_t)(p - start);
    }
    if (dice < 32) { /* runs on the stack */
        unsigned n = 1 + rnd() % 7, op = rnd() % 2 ? 0x50 : 0x58;
        for (unsigned i = 0; i < n; i++) {
            if (rnd() % 2) {
                *p++ = 0x41;
            }
            *p++ = (uint8_t)(op | (rnd() % 8 ? 1 + rnd() % 3 : rnd() & 7));
        }
        return (size_t)(p - start);
    }
    if (dice < 34) { /* ports: the clock, an interrupt; SWAPGS */
        static const uint8_t io[][3] = {{0xe4, 0x40, 0x90}, {0xe6, 0x21, 0x90}, {0xe6, 0x77, 0x90},
                                        {0xe5, 0x40, 0x90}, {0xfb, 0x90, 0x90}, {0xfa, 0x90, 0x90},
                                        {0xe6, 0x20, 0x90}, {0x0f, 0x01, 0xf8}};
        memcpy(p, io[rnd() % 8], 3);
        return 3;
    }
    if (dice < 44) { /* MMX, SSE: every prefix, every opcode */
        static const uint8_t pfx[4] = {0x66, 0xf2, 0xf3, 0x90};
        static const uint8_t hot[] = {0x10, 0x11, 0x28, 0x29, 0x6f, 0x7f, 0x6e, 0x7e, 0xd6, 0xef,
                                      0xeb, 0xdb, 0xdf, 0x74, 0xd7, 0x70, 0xd4, 0xfe, 0x60, 0x6c,
                                      0x58, 0x59, 0x5c, 0x5e, 0x51, 0x2a, 0x2c, 0x2d, 0x2e, 0x54,
                                      0x57, 0x5a, 0xe7, 0x2b, 0x12, 0x13, 0x16, 0x17, 0x14, 0xc6,
                                      0x71, 0x72, 0x73, 0x71, 0x72, 0x73, 0x15, 0x55, 0x56, 0x70};
        *p++ = rnd() % 2 ? 0x66 : pfx[rnd() & 3];
        if (rnd() % 2) {
            *p++ = (uint8_t)(0x40 | (rnd() & 15));
        }
        *p++ = 0x0f;
        *p = rnd() % 3 ? hot[rnd() % sizeof hot] : (uint8_t)(0x60 + rnd() % 16);
        if (rnd() % 3 == 0) {
            *p = (uint8_t)(0xd0 + rnd() % 0x30);
        }
        bool imm = *p == 0x70 || *p == 0xc6;
        if (*p++ - 0x71u < 3) { /* shifts by an immediate: registers only */
            static const uint8_t kind[] = {2, 4, 6, 3, 7};
            *p++ = (uint8_t)(0xc0 | kind[rnd() % 5] << 3 | (rnd() & 7));
            *p++ = (uint8_t)(rnd() % 4 ? rnd() % 32 : rnd());
            return (size_t)(p - start);
        }
        p += put_modrm(p, here + (size_t)(p - start));
        if (imm) {
            *p++ = (uint8_t)rnd();
        }
        return (size_t)(p - start);
    }
    if (dice < 44 + wild) {
        switch (rnd() % 3) {
        case 0: *p++ = (uint8_t)(0xd8 | (rnd() & 7)); *p++ = (uint8_t)(0xc0 | rnd()); break;
        case 1: *p++ = (uint8_t)rnd(); break;
        default:
            *p++ = 0x0f;
            *p++ = (uint8_t)rnd();
            p += put_modrm(p, here + (size_t)(p - start));
            break;
        }
        return (size_t)(p - start);
    }
    bool narrow = false, wide = false;
    if (rnd() % 10 == 0) {
        *p++ = 0x66;
        narrow = true;
    }
    if (rnd() % 16 == 0) {
        static const uint8_t pfx[4] = {0x64, 0x65, 0x65, 0x67};
        *p++ = pfx[rnd() & 3];
    }
    if (rnd() % 32 == 0) {
        *p++ = 0xf0;
    }
    if (rnd() % 4) {
        *p = (uint8_t)(0x40 | (rnd() & 15) | (rnd() % 2) << 3);
        wide = *p++ & 8;
    }
    for (const char *t = common[rnd() % ARRAY_LEN(common)]; *t; t++) {
        switch (*t) {
        case 'm': p += put_modrm(p, here + (size_t)(p - start)); break;
        case 'b': *p++ = (uint8_t)rnd(); break;
        case 'r': p[-1] |= (uint8_t)(rnd() & 7); break;
        case 'c': p[-1] |= (uint8_t)(rnd() & 15); break;
        case 'd':
        case 'q':
            store_le32(p, rnd() % 2 ? rnd() * 2 : rnd() & 0xff);
            store_le32(p + 4, rnd() * 2);
            p += *t == 'q' && wide ? 8 : narrow && !wide ? 2 : 4;
            break;
        default: *p++ = (uint8_t)*t; break;
        }
    }
    return (size_t)(p - start);
}

static void make_program(uint8_t code[CODE_LEN], unsigned wild)
{
    size_t n = 0;
    while (n < CODE_LEN - 40) {
        n += put_insn(code + n, CODE + n, wild);
    }
    while (n < CODE_LEN - 5) {
        code[n++] = 0x90;
    }
    code[n++] = 0xe9; /* back to the start */
    store_le32(code + n, (uint32_t)(0 - (n + 4)));
}

/* All exceptions: IRETQ to some other place in the code, with a good stack. */
static const uint8_t handler[] = {
    0x81, 0x04, 0x25, 0x00, 0x90, 0x00, 0x00, 0x2b, 0x01, 0x00, 0x00, /* add dword [COUNTER], 299 */
    0x8b, 0x04, 0x25, 0x00, 0x90, 0x00, 0x00,       /* mov eax, [COUNTER] */
    0x25, 0xff, 0x1f, 0x00, 0x00,                   /* and eax, 1fffh */
    0x48, 0x03, 0x04, 0x25, 0x08, 0x90, 0x00, 0x00, /* add rax, [COUNTER + 8] */
    0xff, 0x34, 0x25, 0x10, 0x90, 0x00, 0x00,       /* push qword [COUNTER + 10h] */
    0xff, 0x34, 0x25, 0x18, 0x90, 0x00, 0x00, 0xff, 0x34, 0x25, 0x20, 0x90, 0x00, 0x00,
    0xff, 0x34, 0x25, 0x28, 0x90, 0x00, 0x00, 0x50, /* push rax */
    0xbe, 0x00, 0x00, 0x02, 0x00,                   /* mov esi, DATA */
    0xbf, 0x00, 0x10, 0x02, 0x00,                   /* mov edi, DATA + 1000h */
    0x48, 0xcf};                                    /* iretq */

enum prog { PROG_LOW, PROG_HIGH, PROG_EDGE, PROG_USER, PROG_NO_SSE };

static void put64(struct cpu_rig *r, uint64_t at, uint64_t v)
{
    uint8_t b[8];
    store_le64(b, v);
    cpu_rig_load(r, at, b, 8);
}

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
    uint64_t base = kind == PROG_HIGH ? HIGH : kind == PROG_EDGE ? EDGE : 0;
    cpu_rig_load(r, CODE, code, CODE_LEN);
    cpu_rig_load(r, HANDLER_AT, handler, sizeof handler);
    cpu_rig_long64(r, TABLES, base + CODE, IST);
    for (unsigned i = 0; i < 256; i++) {
        cpu_rig_gate64(r, i, HANDLER_AT);
    }
    uint64_t v = 0x123456789abcdef1;
    for (unsigned i = 0; i < 0x2000; i += 8) { /* something to compute with */
        v = v * 6364136223846793005ull + 1442695040888963407ull;
        put64(r, DATA + i, v ^ v >> 31);
    }
    for (unsigned i = 0; i < 16; i++) {
        s->gpr[i] = DATA + i * 0x100;
        memcpy(s->ymm[i], r->ram.host + DATA + i * 40, 32);
    }
    s->gpr[REG_SP] = STACK;
    bool user = kind == PROG_USER;
    put64(r, COUNTER + 8, base + CODE);
    put64(r, COUNTER + 16, user ? 0x23 : 0x10);
    put64(r, COUNTER + 24, STACK);
    put64(r, COUNTER + 32, user ? 0x3002 : 2);
    put64(r, COUNTER + 40, user ? 0x1b : 8);
    if (user) {
        s->cpl = 3;
        s->rflags |= FL_IOPL;
        s->seg[SEG_SS] = (struct seg){.sel = 0x23, .attr = 0xc0f3, .limit = 0xffffffff};
        s->seg[SEG_CS] = (struct seg){.sel = 0x1b, .attr = 0xa0fb, .limit = 0xffffffff};
    }
    if (kind == PROG_NO_SSE) {
        s->cr0 |= CR0_TS;
    }
    s->seg[SEG_FS].base = 0x1000;
    s->seg[SEG_GS].base = HIGH;
    s->kernel_gs_base = 0x40;
    s->lstar = s->cstar = HANDLER_AT;
    s->star = (uint64_t)8 << 32 | (uint64_t)0x10 << 48;
    cpu_state_changed(r->cpu);
    /* one page read-only, one not present */
    put64(r, TABLES + 0x6000 + ((DATA + 0x2000) >> 12) * 8, (DATA + 0x2000) | 5);
    put64(r, TABLES + 0x6000 + ((DATA + 0x4000) >> 12) * 8, 0);
}

static void show(const char *who, struct cpu_rig *r)
{
    const struct cpu_state *s = cpu_state(r->cpu);
    uint64_t last[32];
    unsigned n = cpu_last_insns(r->cpu, last);
    print_message("%s: rip %llx flags %llx inhibit %u cpl %u cs %x gs %llx\n", who,
                  (unsigned long long)s->rip, (unsigned long long)s->rflags, s->inhibit, s->cpl,
                  s->seg[SEG_CS].sel, (unsigned long long)s->seg[SEG_GS].base);
    for (unsigned i = 0; i < 16; i++) {
        print_message(" %llx", (unsigned long long)s->gpr[i]);
    }
    print_message("\n last:");
    for (unsigned i = n > 12 ? n - 12 : 0; i < n; i++) {
        uint64_t phys = last[i] & (RAM_SIZE - 1);
        print_message("\n  %llx: ", (unsigned long long)last[i]);
        for (unsigned k = 0; k < 12; k++) {
            print_message("%02x", r->ram.host[phys + k]);
        }
    }
    print_message("\n");
}

/* Where the two machines differ: bytes of struct cpu_state and of memory. */
static void show_difference(struct cpu_rig *a, struct cpu_rig *b)
{
    const uint8_t *sa = (const uint8_t *)cpu_state(a->cpu);
    const uint8_t *sb = (const uint8_t *)cpu_state(b->cpu);
    unsigned left = 16;
    for (size_t i = 0; i < sizeof(struct cpu_state) && left; i++) {
        if (sa[i] != sb[i]) {
            print_message(" state byte %zu: %02x %02x\n", i, sa[i], sb[i]);
            left--;
        }
    }
    print_message(" (gpr at 0, ymm at %zu)\n", offsetof(struct cpu_state, ymm));
    for (uint64_t i = 0; i < RAM_SIZE && left; i++) {
        if (a->ram.host[i] != b->ram.host[i]) {
            print_message(" memory %llx: %02x %02x\n", (unsigned long long)i, a->ram.host[i],
                          b->ram.host[i]);
            left--;
        }
    }
}

static bool same_programs(enum prog kind, uint64_t seed, unsigned slices, struct cpu_rig *a,
                          struct cpu_rig *b)
{
    static uint8_t code[CODE_LEN];
    rnd_state = seed;
    make_program(code, 3);
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
            show_difference(a, b);
            return false;
        }
        if (sa == CPU_TRIPLE_FAULT || rnd() % 50 == 0) { /* once more, from a different place */
            uint64_t skip = rnd() % 4096;
            set_up(a, kind, code);
            set_up(b, kind, code);
            cpu_state(a->cpu)->rip += skip;
            cpu_state(b->cpu)->rip += skip;
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

static void run_kind(enum prog kind)
{
    struct cpu_rig *a = cpu_rig_create("max,+lm", RAM_SIZE);
    struct cpu_rig *b = cpu_rig_create("max,+lm", RAM_SIZE);
    const char *seed = getenv("INTERP_SEED"), *env = getenv("INTERP_PROGRAMS");
    unsigned programs = env ? (unsigned)strtoul(env, NULL, 0) : 60;
    assert_non_null(a);
    assert_non_null(b);
    for (unsigned i = 0; i < programs; i++) {
        assert_true(same_programs(kind, seed ? strtoull(seed, NULL, 0) : i + 1, 150, a, b));
    }
    cpu_rig_destroy(a);
    cpu_rig_destroy(b);
}

static void blocks_and_steps_agree_in_64_bit_code(void **state)
{
    (void)state;
    run_kind(PROG_LOW);
}
static void blocks_and_steps_agree_where_kernels_are(void **state)
{
    (void)state;
    run_kind(PROG_HIGH);
}
static void blocks_and_steps_agree_at_the_last_canonical_addresses(void **state)
{
    (void)state;
    run_kind(PROG_EDGE);
}
static void blocks_and_steps_agree_in_64_bit_user_mode(void **state)
{
    (void)state;
    run_kind(PROG_USER);
}
static void blocks_and_steps_agree_without_sse(void **state)
{
    (void)state;
    run_kind(PROG_NO_SSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_and_steps_agree_in_64_bit_code),
        cmocka_unit_test(blocks_and_steps_agree_where_kernels_are),
        cmocka_unit_test(blocks_and_steps_agree_at_the_last_canonical_addresses),
        cmocka_unit_test(blocks_and_steps_agree_in_64_bit_user_mode),
        cmocka_unit_test(blocks_and_steps_agree_without_sse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
