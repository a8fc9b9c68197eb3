/* Every 32-bit user-mode instruction against the host's processor: registers, flags, memory, x87,
 * MMX and SSE state, and the fault.  Each case is run three times from the same state: natively, by
 * exec_table[] and by the engine (one block with a jump to itself behind it).  Then sequences of up
 * to nine integer instructions, natively and by the engine, at once and in pieces.
 *
 * The work is done in a child process: a wild native instruction must not take the test along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* after the four above */
#include <cmocka.h>

#include "base/clock.h"
#include "cpu/core.h"
#include "tests/cpu/oracle.h"

enum { RAM_SIZE = 0x3000, RAM_CODE_AT = 0x2000, WANT_CASES = 300000 };

/* What is not compared, or compared loosely, and why.  flags: EFLAGS bits; what: a set of W_*. */
enum {
    W_FLAGS = 1,  /* EFLAGS bits in `flags` */
    W_C1 = 2,     /* FSW.C1 */
    W_ULP = 4,    /* the last bits of ST */
    W_IMAGE = 8,  /* the last-instruction pointers in a stored FPU image */
    W_TOP = 16,   /* TOP (and so what is ST(0)) */
    W_APPROX = 32, /* XMM floats within 2^-11 */
    W_UPPER = 64, /* upper half of a pushed selector */
    W_GP = 128,   /* ours faults */
    W_XM_FPU = 256, /* x87 state when #XM was raised */
    W_GP_HOST = 512 /* the host faults */
};
static const struct loose {
    uint16_t op, what;
    uint32_t flags;
    const char *why;
} loose[] = {
#include "tests/cpu/oracle_loose.h"
};

struct side { /* one processor of ours */
    struct clock clock;
    struct ram ram;
    struct region data, code;
    struct bus *mem, *ports;
    struct cpu *cpu;
};

struct stats {
    uint32_t cases[OP_COUNT], faults[OP_COUNT], bad_exec[OP_COUNT], bad_engine[OP_COUNT];
    uint32_t flag_diff[OP_COUNT]; /* EFLAGS bits that ever differed */
    unsigned long total;
    unsigned shown[2];
};

static bool side_open(struct side *s)
{
    struct err err = {0};
    memset(s, 0, sizeof *s);
    clock_init(&s->clock);
    s->mem = bus_create("memory", 36);
    s->ports = bus_create("ports", 16);
    if (!ram_init(&s->ram, RAM_SIZE, &err)) {
        return false;
    }
    s->data = (struct region){.name = "data", .kind = REGION_RAM, .base = ORACLE_DATA,
                              .len = ORACLE_DATA_SIZE, .ram = &s->ram};
    s->code = (struct region){.name = "code",
                              .kind = REGION_RAM,
                              .base = ORACLE_CODE,
                              .len = 0x1000,
                              .ram = &s->ram,
                              .ram_off = RAM_CODE_AT};
    if (!bus_map(s->mem, &s->data, &err) || !bus_map(s->mem, &s->code, &err)) {
        return false;
    }
    struct cpu_env env = {.mem = s->mem, .ports = s->ports, .ram = &s->ram, .clock = &s->clock};
    s->cpu = cpu_create(&cpu_accel_interp, NULL, &env, &err);
    if (s->cpu == NULL) {
        printf("%s\n", err.msg);
        return false;
    }
    struct cpu_state *st = cpu_state(s->cpu);
    st->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE;
    st->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    st->cpl = 3;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        st->seg[i] =
            (struct seg){.sel = ORACLE_DS,
                         .limit = 0xffffffff,
                         .attr = ATTR_P | ATTR_DPL | ATTR_S | ATTR_W | ATTR_A | ATTR_DB | ATTR_G};
    }
    st->seg[SEG_CS].sel = ORACLE_CS;
    st->seg[SEG_CS].attr |= ATTR_X;
    st->seg[SEG_FS].sel = st->seg[SEG_GS].sel = 0;
    st->idt_limit = 0; /* a fault delivered ends in a triple fault: seen as such */
    st->rip = ORACLE_INSN;
    cpu_state_changed(s->cpu);
    uint8_t stop[2] = {0xeb, 0xfe}; /* jmp $ */
    ram_store(&s->ram, RAM_CODE_AT + (ORACLE_TAKEN - ORACLE_CODE), stop, 2);
    return true;
}

static void load_state(struct cpu_state *st, const struct oracle_regs *r)
{
    for (unsigned i = 0; i < 8; i++) {
        st->gpr[i] = r->gpr[i];
    }
    st->rip = ORACLE_INSN;
    st->rflags = r->eflags;
    st->fcw = load_le16(r->fx);
    st->fsw = load_le16(r->fx + 2);
    st->ftag = r->fx[4];
    st->mxcsr = load_le32(r->fx + 24);
    for (unsigned i = 0; i < 8; i++) {
        unsigned phys = (i + (st->fsw >> 11)) & 7;
        st->st[phys].man = load_le64(r->fx + 32 + 16 * i);
        st->st[phys].se = load_le16(r->fx + 40 + 16 * i);
        st->ymm[i][0] = load_le64(r->fx + 160 + 16 * i);
        st->ymm[i][1] = load_le64(r->fx + 168 + 16 * i);
    }
}

static void store_state(const struct cpu_state *st, struct oracle_regs *r)
{
    memset(r, 0, sizeof *r);
    for (unsigned i = 0; i < 8; i++) {
        r->gpr[i] = (uint32_t)st->gpr[i];
    }
    r->eflags = (uint32_t)st->rflags;
    store_le16(r->fx, st->fcw);
    store_le16(r->fx + 2, st->fsw);
    r->fx[4] = st->ftag;
    store_le32(r->fx + 24, st->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        unsigned phys = (i + (st->fsw >> 11)) & 7;
        store_le64(r->fx + 32 + 16 * i, st->st[phys].man);
        store_le16(r->fx + 40 + 16 * i, st->st[phys].se);
        store_le64(r->fx + 160 + 16 * i, st->ymm[i][0]);
        store_le64(r->fx + 168 + 16 * i, st->ymm[i][1]);
    }
}

/* By the table: as many calls as iterations. */
static struct oracle_fault run_exec(struct side *s, const struct oracle_case *k,
                                    struct oracle_regs *out)
{
    struct cpu *c = s->cpu;
    struct oracle_fault f = {.vector = -1};
    load_state(&c->s, &k->regs);
    flags_set_status(c, (uint32_t)c->s.rflags);
    c->fault.pending = false;
    c->exit_word = 0;
    c->inhibit_next = 0;
    c->s.inhibit = 0;
    for (unsigned i = 0; i < 64; i++) {
        c->next_rip = ORACLE_INSN + k->len;
        if (!exec_table[k->in.op](c, &k->in)) {
            f.vector = c->fault.vector;
            f.error = c->fault.has_error ? c->fault.error : 0;
            break;
        }
        if (c->next_rip != c->s.rip) {
            break;
        }
    }
    flags_sync(c);
    store_state(&c->s, out);
    out->where = (uint32_t)(f.vector >= 0 ? c->s.rip : c->next_rip);
    return f;
}

/* By the engine, in runs of `piece` instructions. */
static struct oracle_fault run_engine(struct side *s, const uint8_t *bytes, unsigned len,
                                      const struct oracle_regs *regs, unsigned piece,
                                      struct oracle_regs *out)
{
    struct cpu *c = s->cpu;
    struct oracle_fault f = {.vector = -1};
    uint8_t code[ORACLE_SEQ_MAX + 20];
    uint64_t done;
    memcpy(code, bytes, len);
    code[len] = 0xeb;
    code[len + 1] = 0xfe;
    ram_store(&s->ram, RAM_CODE_AT + (ORACLE_INSN - ORACLE_CODE), code, len + 2);
    struct cpu_state *st = cpu_state(c);
    load_state(st, regs);
    st->activity = ACT_ACTIVE;
    st->inhibit = 0;
    st->cr2 = 0;
    c->fault_count = 0;
    cpu_state_changed(c);
    enum cpu_stop stop = CPU_BUDGET;
    for (unsigned n = 0; n < 24 && stop == CPU_BUDGET; n += piece) {
        stop = cpu_run(c, piece, &done);
    }
    st = cpu_state(c);
    store_state(st, out);
    out->where = (uint32_t)st->rip;
    if (stop != CPU_BUDGET) {
        struct cpu_fault_record rec[8];
        unsigned n = cpu_last_faults(c, rec);
        f.vector = n != 0 ? rec[0].vector : 255;
        f.error = n != 0 && rec[0].has_error ? rec[0].error : 0;
    }
    return f;
}

static const struct loose *find_loose(unsigned op, unsigned what)
{
    for (unsigned i = 0; i < ARRAY_LEN(loose); i++) {
        if (loose[i].op == op && (loose[i].what & what)) {
            return &loose[i];
        }
    }
    return NULL;
}

static bool f80_near(const uint8_t *a, const uint8_t *b)
{
    uint64_t ma = load_le64(a), mb = load_le64(b), d = ma > mb ? ma - mb : mb - ma;
    int ea = load_le16(a + 8), eb = load_le16(b + 8);
    if (ea == eb) {
        return d <= 16;
    }
    /* across a power of two */
    return (ea == eb + 1 && ma == (uint64_t)1 << 63 && ~mb <= 16) ||
           (eb == ea + 1 && mb == (uint64_t)1 << 63 && ~ma <= 16);
}

static bool f32_near(uint32_t a, uint32_t b)
{
    float x, y;
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    return a == b || (x / y > 1 - 1.0f / 2048 && x / y < 1 + 1.0f / 2048);
}

/* NULL: equal; else what differs first. */
static const char *compare(const struct oracle_case *k, const struct oracle_regs *a,
                           struct oracle_fault fa, const struct oracle_regs *b,
                           struct oracle_fault fb)
{
    const struct loose *l;
    if (fa.vector != fb.vector) {
        if (fa.vector < 0 && fb.vector == EXC_GP && find_loose(k->in.op, W_GP) != NULL) {
            return NULL;
        }
        if (fa.vector == EXC_GP && fb.vector < 0 && find_loose(k->in.op, W_GP_HOST) != NULL) {
            return NULL;
        }
        return "vector";
    }
    if (fa.vector == EXC_GP && fa.error != fb.error) {
        return "error code";
    }
    uint32_t flags = ORACLE_FLAGS;
    if (fa.vector < 0 && (l = find_loose(k->in.op, W_FLAGS)) != NULL) {
        flags &= ~l->flags;
    }
    if ((a->eflags ^ b->eflags) & flags) {
        return "eflags";
    }
    if (memcmp(a->gpr, b->gpr, sizeof a->gpr) != 0) {
        return "registers";
    }
    if (fa.vector < 0 &&
        b->where != (a->where == 0 ? ORACLE_INSN + k->len : (unsigned)ORACLE_TAKEN)) {
        return "eip";
    }
    if (load_le16(a->fx) != load_le16(b->fx)) {
        return "fcw";
    }
    bool xm = fa.vector == EXC_XM && find_loose(k->in.op, W_XM_FPU) != NULL;
    if (a->fx[4] != b->fx[4] && !xm) {
        return "ftag";
    }
    uint32_t ma = load_le32(a->fx + 24), mb = load_le32(b->fx + 24);
    /* With #XM raised by one element AMD leaves out masked flags of the others; SDM Vol. 1,
     * "Interaction of SIMD and x87 Floating-Point Exceptions": all are reported. */
    if (fa.vector == EXC_XM ? (ma | mb) != mb : ma != mb) {
        return "mxcsr";
    }
    uint16_t fsw = (load_le16(a->fx + 2) ^ load_le16(b->fx + 2)) & 0xffff;
    if (find_loose(k->in.op, W_C1) != NULL) {
        fsw &= ~0x200u;
    }
    if (find_loose(k->in.op, W_TOP) != NULL || xm) {
        fsw &= ~0x3800u;
    }
    if (fsw) {
        return "fsw";
    }
    bool ulp = find_loose(k->in.op, W_ULP) != NULL;
    for (unsigned i = 0; i < 8; i++) { /* by physical register */
        unsigned ia = (i - (load_le16(a->fx + 2) >> 11)) & 7;
        unsigned ib = (i - (load_le16(b->fx + 2) >> 11)) & 7;
        const uint8_t *x = a->fx + 32 + 16 * ia, *y = b->fx + 32 + 16 * ib;
        if (memcmp(x, y, 10) != 0 && !(ulp && f80_near(x, y))) {
            return "st";
        }
    }
    if (find_loose(k->in.op, W_APPROX) != NULL) {
        for (unsigned i = 0; i < 32; i++) {
            if (!f32_near(load_le32(a->fx + 160 + 4 * i), load_le32(b->fx + 160 + 4 * i))) {
                return "xmm";
            }
        }
        return NULL;
    }
    if (memcmp(a->fx + 160, b->fx + 160, 128) != 0) {
        return "xmm";
    }
    return NULL;
}

static void show_hex(const char *what, const uint8_t *p, unsigned n)
{
    printf("  %s", what);
    for (unsigned i = 0; i < n; i++) {
        printf("%s%02x", i % 4 == 0 ? " " : "", p[n - 1 - i]);
    }
    printf("\n");
}

static void show(const struct oracle_case *k, const char *who, const char *what,
                 const struct oracle_regs *a, struct oracle_fault fa, const struct oracle_regs *b,
                 struct oracle_fault fb)
{
    printf("%s of %s: %s differs; code", op_name(k->in.op), who, what);
    for (unsigned i = 0; i < k->len; i++) {
        printf(" %02x", k->code[i]);
    }
    printf("\n  fault host %d/%x, ours %d/%x; eflags %x -> host %x, ours %x\n", fa.vector, fa.error,
           fb.vector, fb.error, k->regs.eflags, a->eflags & ORACLE_FLAGS, b->eflags & ORACLE_FLAGS);
    for (unsigned r = 0; r < 8; r++) {
        printf("  r%u %08x -> %08x %08x%s\n", r, k->regs.gpr[r], a->gpr[r], b->gpr[r],
               a->gpr[r] != b->gpr[r] ? " !" : "");
    }
    printf("  fcw %04x fsw %04x ftag %02x mxcsr %04x -> fsw %04x %04x ftag %02x %02x mxcsr %04x "
           "%04x\n",
           load_le16(k->regs.fx), load_le16(k->regs.fx + 2), k->regs.fx[4],
           load_le32(k->regs.fx + 24), load_le16(a->fx + 2), load_le16(b->fx + 2), a->fx[4],
           b->fx[4], load_le32(a->fx + 24), load_le32(b->fx + 24));
    bool mem = k->in.o[0].kind == OPND_MEM || k->in.o[1].kind == OPND_MEM;
    for (unsigned i = 0; i < k->pokes && mem; i++) {
        printf("  poke %08x", k->poke[i].at);
        show_hex("", k->poke[i].bytes, k->poke[i].len);
    }
    for (unsigned i = 0; i < 8; i++) {
        for (unsigned v = 0; v < 2; v++) {
            unsigned at = v ? 160 + 16 * i : 32 + 16 * i, n = v ? 16 : 10;
            bool diff = memcmp(a->fx + at, b->fx + at, n) != 0;
            bool used =
                (k->in.o[0].kind == (v ? OPND_XMM : OPND_ST) && k->in.o[0].reg == i) ||
                (k->in.o[1].kind == (v ? OPND_XMM : OPND_ST) && k->in.o[1].reg == i) ||
                (!v && (k->in.o[0].kind == OPND_MMX || k->in.o[1].kind == OPND_MMX) && i < 8) ||
                (!v && k->in.op >= OP_fadd && k->in.op <= OP_fwait && i < 2);
            if (diff || used) {
                printf("  %s%u", v ? "xmm" : "st", i);
                show_hex("before", k->regs.fx + at, n);
                show_hex("      host ", a->fx + at, n);
                show_hex("      ours ", b->fx + at, n);
            }
        }
    }
}

/* Bytes of a stored image that are not compared: take the host's.  FIP, FDP, FOP: this host (AMD)
 * gives them only while an exception waits; FXSAVE's reserved bytes. */
static void forgive_memory(struct side *s, const struct oracle_case *k,
                           const struct oracle_regs *out)
{
    static const struct {
        uint16_t op, at16, len16, at32, len32;
    } images[] = {{OP_fnstenv, 6, 8, 12, 16}, {OP_fnsave, 6, 8, 12, 16}, {OP_fxsave, 6, 18, 6, 18}};
    const uint8_t *host = (const uint8_t *)(uintptr_t)ORACLE_DATA;
    uint32_t ea = (uint32_t)k->in.disp;
    ea += k->in.base < 8 ? k->regs.gpr[k->in.base] : 0;
    ea += k->in.index < 8 ? k->regs.gpr[k->in.index] << k->in.scale : 0;
    ea -= ORACLE_DATA;
    if (find_loose(k->in.op, W_UPPER) != NULL && k->in.osize == 4) {
        uint32_t sp = out->gpr[REG_SP] - ORACLE_DATA;
        if (sp < ORACLE_DATA_SIZE - 4) {
            ram_store(&s->ram, sp + 2, host + sp + 2, 2);
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(images); i++) {
        if (images[i].op != k->in.op || ea > ORACLE_DATA_SIZE - 512) {
            continue;
        }
        unsigned at = k->in.osize == 2 ? images[i].at16 : images[i].at32;
        ram_store(&s->ram, ea + at, host + ea + at,
                  k->in.osize == 2 ? images[i].len16 : images[i].len32);
        if (k->in.op == OP_fxsave) {
            ram_store(&s->ram, ea + 28, host + ea + 28, 4); /* MXCSR_MASK */
            for (unsigned r = 0; r < 8; r++) {
                ram_store(&s->ram, ea + 42 + 16 * r, host + ea + 42 + 16 * r, 6);
            }
            ram_store(&s->ram, ea + 288, host + ea + 288, 224);
        }
    }
}

static void poke_all(const struct oracle_case *k, struct side *sides)
{
    for (unsigned i = 0; i < k->pokes; i++) {
        uint32_t off = k->poke[i].at - ORACLE_DATA;
        memcpy((void *)(uintptr_t)k->poke[i].at, k->poke[i].bytes, k->poke[i].len);
        for (unsigned n = 0; n < 2; n++) {
            ram_store(&sides[n].ram, off, k->poke[i].bytes, k->poke[i].len);
        }
    }
}

static void refill(struct side *sides)
{
    uint64_t x = 0x1234567;
    uint8_t *host = (uint8_t *)(uintptr_t)ORACLE_DATA;
    for (unsigned i = 0; i < ORACLE_DATA_SIZE; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        host[i] = (uint8_t)(x >> 56);
    }
    for (unsigned n = 0; n < 2; n++) {
        ram_store(&sides[n].ram, 0, host, ORACLE_DATA_SIZE);
    }
}

static void one_case(const struct oracle_case *k, struct side *sides, struct stats *st)
{
    static const char *const who[2] = {"exec_table", "the engine"};
    uint8_t *host = (uint8_t *)(uintptr_t)ORACLE_DATA;
    struct oracle_regs a, b;
    poke_all(k, sides);
    struct oracle_fault fa = oracle_native_run(k->code, k->len, &k->regs, &a), fb;
    st->cases[k->in.op]++;
    st->faults[k->in.op] += fa.vector >= 0;
    st->total++;
    bool exec_bad = false;
    for (unsigned n = 0; n < 2; n++) {
        fb = n == 0 ? run_exec(&sides[0], k, &b)
                    : run_engine(&sides[1], k->code, k->len, &k->regs, 24, &b);
        const char *what = compare(k, &a, fa, &b, fb);
        if (fa.vector < 0) {
            forgive_memory(&sides[n], k, &a);
        }
        bool mem = memcmp(host, sides[n].ram.host, ORACLE_DATA_SIZE) != 0;
        if (mem && what == NULL) {
            what = "memory";
        }
        if (what != NULL) {
            st->flag_diff[k->in.op] |= (a.eflags ^ b.eflags) & ORACLE_FLAGS;
            uint32_t *bad = n == 0 ? st->bad_exec : st->bad_engine;
            bool already = exec_bad;
            exec_bad = true;
            bad[k->in.op] += !already; /* of the engine only what is its own */
            if (bad[k->in.op] <= 2 && !already && st->shown[n]++ < 40) {
                show(k, who[n], what, &a, fa, &b, fb);
                for (unsigned i = 0, left = 8; mem && i < ORACLE_DATA_SIZE && left; i++) {
                    if (host[i] != sides[n].ram.host[i]) {
                        printf("  [%08x] host %02x ours %02x\n", ORACLE_DATA + i, host[i],
                               sides[n].ram.host[i]);
                        left--;
                    }
                }
            }
        }
        if (mem) {
            ram_store(&sides[n].ram, 0, host, ORACLE_DATA_SIZE);
        }
    }
}

/* Sequences: the engine against the host, at once and in small pieces. */
static unsigned long sequences(struct side *sides, unsigned long count)
{
    uint8_t *host = (uint8_t *)(uintptr_t)ORACLE_DATA;
    unsigned long bad = 0, insns = 0, taken = 0, faults = 0;
    for (unsigned long i = 0; i < count; i++) {
        struct oracle_seq q;
        struct oracle_regs a, b;
        oracle_gen_seq(i, &q);
        struct oracle_fault fa = oracle_native_run(q.code, q.len, &q.regs, &a), fb;
        insns += q.count;
        faults += fa.vector >= 0;
        taken += fa.vector < 0 && a.where == 1;
        for (unsigned n = 0; n < 2; n++) {
            struct oracle_case k = {.len = q.len, .in = {.op = OP_nop}, .regs = q.regs};
            fb = run_engine(&sides[n], q.code, q.len, &q.regs, n == 0 ? 24 : 1 + i % 3, &b);
            if (q.af_unknown) {
                b.eflags = (b.eflags & ~(uint32_t)FL_AF) | (a.eflags & FL_AF);
            }
            const char *what = compare(&k, &a, fa, &b, fb);
            bool mem = memcmp(host, sides[n].ram.host, ORACLE_DATA_SIZE) != 0;
            if (what == NULL && mem) {
                what = "memory";
            }
            if (what != NULL && bad++ < 10) {
                printf("sequence %lu, %s:", i, n == 0 ? "at once" : "in pieces");
                for (unsigned at = 0; at < q.len; at++) {
                    printf(" %02x", q.code[at]);
                }
                printf("\n");
                show(&k, "the engine", what, &a, fa, &b, fb);
            }
            if (mem) {
                ram_store(&sides[n].ram, 0, host, ORACLE_DATA_SIZE);
            }
        }
        if (i % 4096 == 4095) {
            refill(sides);
        }
    }
    printf("%lu sequences, %lu instructions, %lu left by a branch, %lu with a fault, "
           "%lu differences\n", count, insns, taken, faults, bad);
    return bad;
}

/* Exit status of the child: 0 good, 1 differences, 2 cannot. */
static int child(void)
{
    static struct side sides[2];
    static struct stats st;
    static const struct {
        unsigned first, last;
        const char *name;
    } classes[] = {{OP_add, OP_cmpxchg8b, "arithmetic"},
                   {OP_rol, OP_shrd, "shifts"},
                   {OP_mul, OP_idiv, "multiply, divide"},
                   {OP_daa, OP_aad, "BCD"},
                   {OP_bt, OP_bswap, "bits"},
                   {OP_mov, OP_prefetch, "moves"},
                   {OP_push, OP_push_seg, "stack"},
                   {OP_movs, OP_scas, "strings"},
                   {OP_jmp, OP_jcxz, "branches"},
                   {OP_mov_seg, OP_outs, "system (faults)"},
                   {OP_fadd, OP_fwait, "x87"},
                   {OP_fxsave, OP_emms, "FXSAVE, MXCSR, EMMS"},
                   {OP_movd, OP_movdq2q, "MMX and SSE2 integer"},
                   {OP_movups, OP_xorpd, "SSE moves"},
                   {OP_addps, OP_cvttpd2dq, "SSE arithmetic"}};
    const char *why = "";
    if (!oracle_native_open(&why)) {
        printf("no oracle: %s\n", why);
        return 2;
    }
    if (!side_open(&sides[0]) || !side_open(&sides[1])) {
        return 1;
    }
    refill(sides);
    unsigned n = oracle_gen_count();
    const char *only = getenv("VITRINE_ORACLE_OP"), *want = getenv("VITRINE_ORACLE_CASES");
    unsigned long cases = want ? strtoul(want, NULL, 0) : WANT_CASES;
    unsigned long tries = 0;
    for (uint64_t round = 0; st.total < cases && tries < 20 * cases; round++) {
        for (unsigned e = 0; e < n; e++, tries++) {
            struct oracle_case k;
            if (oracle_gen_case(e, round, &k) &&
                (only == NULL || strcmp(only, op_name(k.in.op)) == 0)) {
                one_case(&k, sides, &st);
            }
        }
        if (round % 16 == 15) {
            refill(sides);
        }
    }
    unsigned long bad = 0;
    for (unsigned op = 0; op < OP_COUNT; op++) {
        if (st.bad_exec[op] + st.bad_engine[op] != 0) {
            printf("%-12s %6u cases: exec_table differs in %u, only the engine in %u; flags %x\n",
                   op_name(op), st.cases[op], st.bad_exec[op], st.bad_engine[op],
                   st.flag_diff[op]);
            bad += st.bad_exec[op] + st.bad_engine[op];
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
        unsigned long c = 0, f = 0, ops = 0;
        for (unsigned op = classes[i].first; op <= classes[i].last; op++) {
            c += st.cases[op];
            f += st.faults[op];
            ops += st.cases[op] != 0;
        }
        printf("%-22s %3lu operations %7lu cases, %6lu with a fault\n", classes[i].name, ops, c, f);
    }
    bad += sequences(sides, only ? 0 : cases / 4);
    printf("undefined with LOCK %u; %u encodings, %lu cases, %lu differences\n", st.cases[OP_ud], n,
           st.total, bad);
    return bad != 0;
}

static void test_host_oracle(void **state)
{
    int status = 0;
    (void)state;
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(900); /* a safety net, not a measure: the host may be busy */
        int r = child();
        fflush(stdout);
        _exit(r);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        fail_msg("the child died of signal %d", WTERMSIG(status));
    }
    if (WEXITSTATUS(status) == 2) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_host_oracle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
