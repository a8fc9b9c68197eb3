/* Every SIMD floating-point operation of SSE to FMA and F16C, in its legacy, VEX.128 and VEX.256
 * form, against the same bytes run by the host's processor: result, MXCSR, EFLAGS, #XM.
 * Operands are made by hand in one half of the cases and decoded in the other.  VITRINE_LONG=1 runs
 * some seventy times as many.  A host without AVX, FMA and F16C has nothing to compare with. */
#include "tests/cpu/fp_case.h"
#include "tests/cpu/fp_values.h"

#if defined(CASE_HOST)
#include <stdlib.h>

/* ---- the host's side ---- */

struct vec_image {
    uint64_t ymm[3][4];
    uint64_t rax, flags;
    uint32_t mxcsr, pad[3];
    uint8_t mem[32] __attribute__((aligned(32)));
};
_Static_assert(offsetof(struct vec_image, rax) == 96 && offsetof(struct vec_image, mxcsr) == 112,
               "what the code below has as displacements");

static sigjmp_buf vec_jump;
static struct vec_image *vec_out;

static void vec_on_fpe(int sig, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    static const uint32_t def = 0x1f80;

    (void)sig, (void)info;
    vec_out->mxcsr = uc->uc_mcontext.fpregs->mxcsr;
    memcpy(vec_out->ymm[0], &uc->uc_mcontext.fpregs->_xmm[0], 16);
    vec_out->flags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL];
    vec_out->rax = (uint64_t)uc->uc_mcontext.gregs[REG_RAX];
    __asm__ volatile("ldmxcsr %0" : : "m"(def));
    siglongjmp(vec_jump, 1);
}

/* One instruction on *m; its memory operand is [rdi].  false: SIGFPE. */
static bool vec_native(const uint8_t *code, unsigned len, struct vec_image *m)
{
    static uint8_t *page;
    static const uint8_t head[] = {
        0xc5, 0xfc, 0x10, 0x06,                               /* vmovups ymm0, [rsi] */
        0xc5, 0xfc, 0x10, 0x4e, 0x20,                         /* vmovups ymm1, [rsi+32] */
        0xc5, 0xfc, 0x10, 0x56, 0x40,                         /* vmovups ymm2, [rsi+64] */
        0x48, 0x8b, 0x46, 0x60, 0xff, 0x76, 0x68, 0x9d,       /* mov rax, ...; push ...; popf */
        0x0f, 0xae, 0x56, 0x70,                               /* ldmxcsr [rsi+112] */
    };
    static const uint8_t tail[] = {
        0x0f, 0xae, 0x5e, 0x70,                               /* stmxcsr [rsi+112] */
        0x9c, 0x8f, 0x46, 0x68, 0x48, 0x89, 0x46, 0x60,       /* pushf; pop ...; mov ..., rax */
        0xc5, 0xfc, 0x11, 0x06,                               /* vmovups [rsi], ymm0 */
        0xc5, 0xf8, 0x77, 0xc3,                               /* vzeroupper; ret */
    };
    static const uint32_t def = 0x1f80;
    struct sigaction sa = {.sa_sigaction = vec_on_fpe, .sa_flags = SA_SIGINFO}, old;
    void (*fn)(void *mem, void *image);
    volatile bool done = false;

    if (!page) {
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0);
        assert_true(page != MAP_FAILED);
    }
    memcpy(page, head, sizeof head);
    memcpy(page + sizeof head, code, len);
    memcpy(page + sizeof head + len, tail, sizeof tail);
    memcpy(&fn, &page, sizeof fn);
    vec_out = m;
    sigaction(SIGFPE, &sa, &old);
    if (!sigsetjmp(vec_jump, 1)) {
        fn(m->mem, m);
        done = true;
    }
    __asm__ volatile("ldmxcsr %0" : : "m"(def));
    sigaction(SIGFPE, &old, NULL);
    return done;
}

/* ---- the operations ---- */

enum shape {
    B,  /* o0 = o0 op o1, VEX o0 = o1 op o2; also the scalars with one source */
    U,  /* o0 = op(o1) */
    C,  /* flags of o0, o1 */
    G,  /* general register = op(o1) */
    I,  /* as B, the second source a general register */
    FM, /* VEX o0 = op(o0, o1, o2) */
    H   /* o0 (register or memory) = op(o1): VCVTPS2PH */
};
enum { LEG = 1, VEX = 2, L256 = 4, IMM = 8, W1 = 16, ALL = LEG | VEX | L256, SC = LEG | VEX };
enum { P_, P66, PF3, PF2 };
enum { FI = 100 }; /* values: integers */

static const struct row {
    const char *name;
    op_fn *fn;
    uint8_t map, pp, op, shape;
    uint8_t size; /* of the memory operand in the 128-bit forms */
    uint8_t dst;  /* size of operand 0 there */
    uint8_t values, how;
} rows[] = {
#define R(name, ...)                                                                               \
    {                                                                                              \
#name, op_##name, __VA_ARGS__                                                              \
    }
#define FOUR(name, op)                                                                             \
    R(name##ps, 1, P_, op, B, 16, 16, FP_F32, ALL),                                                \
        R(name##pd, 1, P66, op, B, 16, 16, FP_F64, ALL),                                           \
        R(name##ss, 1, PF3, op, B, 4, 4, FP_F32, SC), R(name##sd, 1, PF2, op, B, 8, 8, FP_F64, SC)
    FOUR(add, 0x58),
    FOUR(mul, 0x59),
    FOUR(sub, 0x5c),
    FOUR(min, 0x5d),
    FOUR(div, 0x5e),
    FOUR(max, 0x5f),
    R(sqrtps, 1, P_, 0x51, U, 16, 16, FP_F32, ALL),
    R(sqrtpd, 1, P66, 0x51, U, 16, 16, FP_F64, ALL),
    R(sqrtss, 1, PF3, 0x51, B, 4, 4, FP_F32, SC),
    R(sqrtsd, 1, PF2, 0x51, B, 8, 8, FP_F64, SC),
    R(cmpps, 1, P_, 0xc2, B, 16, 16, FP_F32, ALL | IMM),
    R(cmppd, 1, P66, 0xc2, B, 16, 16, FP_F64, ALL | IMM),
    R(cmpss, 1, PF3, 0xc2, B, 4, 4, FP_F32, SC | IMM),
    R(cmpsd_x, 1, PF2, 0xc2, B, 8, 8, FP_F64, SC | IMM),
    R(ucomiss, 1, P_, 0x2e, C, 4, 4, FP_F32, SC),
    R(ucomisd, 1, P66, 0x2e, C, 8, 8, FP_F64, SC),
    R(comiss, 1, P_, 0x2f, C, 4, 4, FP_F32, SC),
    R(comisd, 1, P66, 0x2f, C, 8, 8, FP_F64, SC),
    R(cvtsi2ss, 1, PF3, 0x2a, I, 4, 4, FI, SC),
    R(cvtsi2sd, 1, PF2, 0x2a, I, 4, 8, FI, SC),
    R(cvtsi2ss, 1, PF3, 0x2a, I, 8, 4, FI, SC | W1),
    R(cvtsi2sd, 1, PF2, 0x2a, I, 8, 8, FI, SC | W1),
    R(cvttss2si, 1, PF3, 0x2c, G, 4, 4, FP_F32, SC),
    R(cvtss2si, 1, PF3, 0x2d, G, 4, 4, FP_F32, SC),
    R(cvttsd2si, 1, PF2, 0x2c, G, 8, 4, FP_F64, SC),
    R(cvtsd2si, 1, PF2, 0x2d, G, 8, 4, FP_F64, SC),
    R(cvttss2si, 1, PF3, 0x2c, G, 4, 8, FP_F32, SC | W1),
    R(cvtss2si, 1, PF3, 0x2d, G, 4, 8, FP_F32, SC | W1),
    R(cvttsd2si, 1, PF2, 0x2c, G, 8, 8, FP_F64, SC | W1),
    R(cvtsd2si, 1, PF2, 0x2d, G, 8, 8, FP_F64, SC | W1),
    R(cvtps2pd, 1, P_, 0x5a, U, 8, 16, FP_F32, ALL),
    R(cvtpd2ps, 1, P66, 0x5a, U, 16, 8, FP_F64, ALL),
    R(cvtss2sd, 1, PF3, 0x5a, B, 4, 8, FP_F32, SC),
    R(cvtsd2ss, 1, PF2, 0x5a, B, 8, 4, FP_F64, SC),
    R(cvtdq2ps, 1, P_, 0x5b, U, 16, 16, FI, ALL),
    R(cvtps2dq, 1, P66, 0x5b, U, 16, 16, FP_F32, ALL),
    R(cvttps2dq, 1, PF3, 0x5b, U, 16, 16, FP_F32, ALL),
    R(cvttpd2dq, 1, P66, 0xe6, U, 16, 8, FP_F64, ALL),
    R(cvtdq2pd, 1, PF3, 0xe6, U, 8, 16, FI, ALL),
    R(cvtpd2dq, 1, PF2, 0xe6, U, 16, 8, FP_F64, ALL),
    R(haddpd, 1, P66, 0x7c, B, 16, 16, FP_F64, ALL),
    R(haddps, 1, PF2, 0x7c, B, 16, 16, FP_F32, ALL),
    R(hsubpd, 1, P66, 0x7d, B, 16, 16, FP_F64, ALL),
    R(hsubps, 1, PF2, 0x7d, B, 16, 16, FP_F32, ALL),
    R(addsubpd, 1, P66, 0xd0, B, 16, 16, FP_F64, ALL),
    R(addsubps, 1, PF2, 0xd0, B, 16, 16, FP_F32, ALL),
    R(roundps, 3, P66, 0x08, U, 16, 16, FP_F32, ALL | IMM),
    R(roundpd, 3, P66, 0x09, U, 16, 16, FP_F64, ALL | IMM),
    R(roundss, 3, P66, 0x0a, B, 4, 4, FP_F32, SC | IMM),
    R(roundsd, 3, P66, 0x0b, B, 8, 8, FP_F64, SC | IMM),
    R(dpps, 3, P66, 0x40, B, 16, 16, FP_F32, ALL | IMM),
    R(dppd, 3, P66, 0x41, B, 16, 16, FP_F64, SC | IMM),
    R(vcvtph2ps, 2, P66, 0x13, U, 8, 16, FP_F16, VEX | L256),
    R(vcvtps2ph, 3, P66, 0x1d, H, 16, 8, FP_F32, VEX | L256 | IMM),
#define FMA_P(name, op)                                                                           \
    R(name##ps, 2, P66, op, FM, 16, 16, FP_F32, VEX | L256),                                      \
    R(name##pd, 2, P66, op, FM, 16, 16, FP_F64, VEX | L256 | W1)
#define FMA_S(name, op)                                                                            \
    R(name##ss, 2, P66, op, FM, 4, 4, FP_F32, VEX),                                                \
        R(name##sd, 2, P66, op, FM, 8, 8, FP_F64, VEX | W1)
#define FMA3P(name, op) FMA_P(name##132, op), FMA_P(name##213, op + 16), FMA_P(name##231, op + 32)
#define FMA3S(name, op) FMA_S(name##132, op), FMA_S(name##213, op + 16), FMA_S(name##231, op + 32)
    FMA3P(vfmaddsub, 0x96),
    FMA3P(vfmsubadd, 0x97),
    FMA3P(vfmadd, 0x98),
    FMA3S(vfmadd, 0x99),
    FMA3P(vfmsub, 0x9a),
    FMA3S(vfmsub, 0x9b),
    FMA3P(vfnmadd, 0x9c),
    FMA3S(vfnmadd, 0x9d),
    FMA3P(vfnmsub, 0x9e),
    FMA3S(vfnmsub, 0x9f),
};

/* Bytes and the decoded form of a row: from memory or a register, by VEX, with VEX.L. */
static unsigned encode(const struct row *r, bool mem, bool vex, bool wide, uint8_t imm,
                       uint8_t code[16], struct insn *in)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    bool three = vex && (r->shape == B || r->shape == I || r->shape == FM);
    unsigned n = 0, k = 0;
    struct opnd src = {OPND_XMM, 2, r->size}, reg = {OPND_XMM, 0, r->dst};
    uint8_t rm = 2;

    *in = (struct insn){.flags = (uint8_t)(INSN_MODRM | (vex ? INSN_VEX : 0)), .osize = 4,
                        .asize = 4, .seg = SEG_DS, .base = REG_DI, .index = INSN_NOREG,
                        .imm = r->how & IMM ? imm : 0};
    if (r->shape == I) {
        src = (struct opnd){OPND_GPR, REG_AX, r->size};
        rm = 0;
    } else if (r->shape == G) {
        reg.kind = OPND_GPR;
    } else if (r->shape == H) {
        src.size = r->dst;
        reg.size = 16;
        if (wide) {
            reg.size = 32;
        }
    } else if (r->dst == 8 && r->shape == U) {
        reg.size = 16; /* half a register, but the whole is written */
    } else if (wide) {
        reg.size = (uint8_t)(r->dst * 2);
    }
    if (wide) {
        src.size = (uint8_t)(src.size * 2);
    }
    if (mem) {
        src = (struct opnd){OPND_MEM, 0, src.size};
        rm = 7;
    }
    in->modrm = mem ? 7 : 0xc0 | rm;
    if (r->shape == H) {
        in->o[k++] = src;
        in->o[k++] = reg;
    } else {
        in->o[k++] = reg;
        if (three) {
            in->o[k++] = (struct opnd){OPND_XMM, 1, reg.size};
        }
        in->o[k++] = src;
    }
    if (r->how & IMM) {
        in->o[k] = (struct opnd){OPND_IMM, 0, 1};
    }
    if (vex) {
        code[n++] = 0xc4;
        code[n++] = 0xe0 | r->map;
        code[n++] = (uint8_t)((r->how & W1 ? 0x80 : 0) | (three ? 0x70 : 0x78) | wide << 2 | r->pp);
    } else {
        if (r->pp) {
            code[n++] = prefixes[r->pp];
        }
        if (r->how & W1) {
            code[n++] = 0x48;
        }
        code[n++] = 0x0f;
        if (r->map > 1) {
            code[n++] = r->map == 2 ? 0x38 : 0x3a;
        }
    }
    code[n++] = r->op;
    code[n++] = in->modrm;
    if (r->how & IMM) {
        code[n++] = imm;
    }
    in->len = (uint8_t)n;
    return n;
}

static void random_values(unsigned kind, uint64_t v[4])
{
    if (kind == FI) {
        for (unsigned i = 0; i < 8; i++) {
            fp_set(v, FP_F32, i, bits_sext(rnd(), 1 + rnd() % 32));
        }
        if (rnd() & 1) {
            v[0] = rnd() >> (rnd() & 63);
        }
    } else {
        values_fill((enum fp_fmt)kind, v);
        if (!(rnd() & 3)) { /* ordinary numbers, so that later steps are reached without faults */
            for (unsigned i = 0; i < 256 / fp_width((enum fp_fmt)kind); i++) {
                static const uint64_t one[] = {[FP_F32] = 0x3f800000, [FP_F64] = 0x3ff0000000000000,
                                               [FP_F16] = 0x3c00};
                fp_set(v, (enum fp_fmt)kind, i, one[kind] ^ (rnd() & bits_mask(rnd() % 24)));
            }
        }
    }
}

static void report(const struct row *r, const uint8_t *code, unsigned len,
                   const struct vec_image *b, const struct vec_image *g, const struct vec_image *h,
                   bool faulted, bool host_faulted)
{
    fprintf(stderr, "%s:", r->name);
    for (unsigned i = 0; i < len; i++) {
        fprintf(stderr, " %02x", code[i]);
    }
    fprintf(stderr, " mxcsr %04x -> %04x%s, host %04x%s\n", b->mxcsr, g->mxcsr,
            faulted ? " #XM" : "", h->mxcsr, host_faulted ? " #XM" : "");
    for (unsigned i = 0; i < sizeof *b; i += 8) {
        const uint8_t *x = (const uint8_t *)b + i, *y = (const uint8_t *)g + i,
                      *z = (const uint8_t *)h + i;
        fprintf(stderr, " %s%3u %016llx -> %016llx host %016llx\n", memcmp(y, z, 8) ? "*" : " ", i,
                (unsigned long long)load_le64(x), (unsigned long long)load_le64(y),
                (unsigned long long)load_le64(z));
    }
}

static void against_host(bool unmasked)
{
    unsigned rounds = getenv("VITRINE_LONG") ? 20000 : 300, ran = 0, faults = 0, wrong = 0;
    struct fp_case k;
    struct cpu *c;

    if (!__builtin_cpu_supports("fma") || !values_f16c()) {
        puts("this host has no AVX, FMA or F16C: nothing compared");
        return;
    }
    case_open(&k);
    c = k.c;
    c->s.cr4 |= CR4_OSXSAVE;
    c->s.xcr0 = 7;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        unsigned bad = 0;
        for (unsigned n = 0; n < rounds; n++) {
            struct vec_image before = {0}, g, h;
            bool vex = r->how & LEG ? n & 1 : true, wide = vex && r->how & L256 && n & 2,
                 mem = n & 4;
            bool ok, host_ok;
            uint8_t code[16];
            struct insn in;
            unsigned len = encode(r, mem, vex, wide, (uint8_t)rnd(), code, &in);

            for (unsigned v = 0; v < 3; v++) {
                random_values(r->values == FP_F16 || r->values == FI ? FP_F32 : r->values,
                              before.ymm[v]);
            }
            random_values(r->values, before.ymm[2]);
            memcpy(before.mem, before.ymm[2], 32);
            if (!(rnd() & 3)) {
                memcpy(before.ymm[1], before.ymm[0], 32); /* equal operands */
            }
            before.rax = before.ymm[2][0];
            before.flags = FL_1 | (rnd() & FL_STATUS);
            before.mxcsr = (uint32_t)(0x1f80 | (rnd() & 0xe07f));
            if (unmasked) {
                before.mxcsr &= (uint32_t)~(rnd() & rnd() & 0x1f80) & ~0x3fu;
            }
            g = h = before;
            host_ok = vec_native(code, len, &h);
            h.flags &= FL_STATUS;
            if (!host_ok) { /* what the handler does not see */
                memcpy(&h.ymm[0][2], &before.ymm[0][2], 16);
            }
            for (unsigned v = 0; v < 3; v++) {
                memcpy(c->s.ymm[v], before.ymm[v], 32);
            }
            c->s.gpr[REG_AX] = before.rax;
            c->s.mxcsr = before.mxcsr;
            c->s.rflags = before.flags;
            flags_set_status(c, (uint32_t)before.flags);
            memcpy(case_mem(&k), before.mem, 32);
            c->fault.pending = false;
            if (n & 8) {
                assert_int_equal(decode(code, len, DECODE_64, NULL, &in), DECODE_OK);
                assert_ptr_equal(exec_table[in.op], r->fn);
                assert_int_equal(in.len, len);
            }
            ok = r->fn(c, &in);
            flags_sync(c);
            memcpy(g.ymm[0], c->s.ymm[0], 32);
            g.rax = c->s.gpr[REG_AX];
            g.mxcsr = c->s.mxcsr;
            g.flags = c->s.rflags & FL_STATUS;
            memcpy(g.mem, case_mem(&k), 32);
            ran++;
            faults += !host_ok;
            if (ok != host_ok || memcmp(&g, &h, sizeof g) ||
                (!ok && c->fault.vector != EXC_XM)) {
                wrong++;
                if (!bad++) {
                    report(r, code, len, &before, &g, &h, !ok, !host_ok);
                }
            }
        }
        if (bad) {
            fprintf(stderr, "%s: %u of %u differ\n", r->name, bad, rounds);
        }
    }
    case_close(&k);
    printf("%u instructions of %zu kinds, %u with #XM, %u differ\n", ran, ARRAY_LEN(rows), faults,
           wrong);
    assert_true(unmasked ? faults > ran / 20 : faults == 0);
    assert_int_equal(wrong, 0);
}
/* ---- what a program of ring 3 cannot show ---- */

static int run(struct fp_case *k, const char *name, bool vex, bool mem)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t code[16];
        struct insn in;
        if (!strcmp(rows[i].name, name)) {
            encode(&rows[i], mem, vex, false, 0, code, &in);
            k->c->fault.pending = false;
            return rows[i].fn(k->c, &in) ? -1 : k->c->fault.vector;
        }
    }
    return -2;
}

static void test_faults(void **state)
{
    static const char *const names[] = {"addps", "sqrtsd", "cmppd", "cvtsi2sd", "dpps", "roundss",
                                        "haddpd", "comisd", "cvtps2pd"};
    struct fp_case k;
    struct cpu *c;
    (void)state;
    case_open(&k);
    c = k.c;
    c->s.cr4 |= CR4_OSXSAVE;
    c->s.xcr0 = 7;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        c->s.cr0 |= CR0_EM; /* for legacy SSE only */
        assert_int_equal(run(&k, names[i], false, false), EXC_UD);
        assert_int_equal(run(&k, names[i], true, false), -1);
        c->s.cr0 &= ~(uint64_t)CR0_EM;
        c->s.cr0 |= CR0_TS;
        assert_int_equal(run(&k, names[i], false, false), EXC_NM);
        assert_int_equal(run(&k, names[i], true, false), EXC_NM);
        c->s.cr0 &= ~(uint64_t)CR0_TS;
        c->s.xcr0 = 3;
        assert_int_equal(run(&k, names[i], false, false), -1);
        assert_int_equal(run(&k, names[i], true, false), EXC_UD);
        c->s.xcr0 = 7;
        c->s.cr4 &= ~(uint64_t)CR4_OSFXSR;
        assert_int_equal(run(&k, names[i], false, false), EXC_UD);
        assert_int_equal(run(&k, names[i], true, false), -1);
        c->s.cr4 |= CR4_OSFXSR;
    }
    c->s.rflags |= FL_VM;
    assert_int_equal(run(&k, "vfmadd132ps", true, false), EXC_UD);
    assert_int_equal(run(&k, "vcvtph2ps", true, false), EXC_UD);
    c->s.rflags &= ~(uint64_t)FL_VM;
    /* alignment: legacy only, and not for less than 16 bytes */
    c->s.gpr[REG_DI] = CASE_MEM + 4;
    assert_int_equal(run(&k, "dpps", false, true), EXC_GP);
    assert_int_equal(run(&k, "dpps", true, true), -1);
    assert_int_equal(run(&k, "cvtps2pd", false, true), -1);
    assert_int_equal(run(&k, "vfmadd132pd", true, true), -1);
    case_close(&k);
}

/* An unmasked exception: #XM, or #UD without CR4.OSXMMEXCPT; nothing is written. */
static void test_exceptions(void **state)
{
    static const char *const names[] = {"vfmadd231ps", "addps", "roundps", "cvtps2pd", "haddps",
                                        "vcvtph2ps"};
    static const uint64_t snan[4] = {0x7f8000017c017c01, 0x7f8000017c017c01, 0x7f8000017c017c01,
                                     0x7f8000017c017c01};
    struct fp_case k;
    struct cpu *c;
    (void)state;
    case_open(&k);
    c = k.c;
    c->s.cr4 |= CR4_OSXSAVE;
    c->s.xcr0 = 7;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        uint64_t before[4] = {1, 2, 3, 4};
        memcpy(c->s.ymm[0], before, 32);
        memcpy(c->s.ymm[2], snan, 32);
        memset(c->s.ymm[1], 0, 32);
        c->s.ymm[1][0] = c->s.ymm[1][1] = 0x7f8000017f800001;
        c->s.mxcsr = 0x1f80 & ~(FP_IE << 7);
        c->s.cr4 |= CR4_OSXMMEXCPT;
        assert_int_equal(run(&k, names[i], true, false), EXC_XM);
        assert_int_equal(c->s.mxcsr & FP_ALL, FP_IE);
        assert_memory_equal(c->s.ymm[0], before, 32);
        c->s.cr4 &= ~(uint64_t)CR4_OSXMMEXCPT;
        assert_int_equal(run(&k, names[i], true, false), EXC_UD);
        assert_memory_equal(c->s.ymm[0], before, 32);
    }
    case_close(&k);
}

/* VCVTPS2PH: a store that faults leaves MXCSR; an exception leaves memory. */
static void test_half_store(void **state)
{
    struct fp_case k;
    struct cpu *c;
    (void)state;
    case_open(&k);
    c = k.c;
    c->s.cr4 |= CR4_OSXSAVE;
    c->s.xcr0 = 7;
    c->s.ymm[0][0] = 0x3f8000013f800001; /* inexact */
    memset(case_mem(&k), 0xee, 16);
    c->s.seg[SEG_DS].limit = CASE_MEM + 3;
    c->s.seg[SEG_DS].attr &= (uint16_t)~ATTR_G;
    cpu_state_changed(c);
    c->s.mxcsr = 0x1f80;
    assert_int_equal(run(&k, "vcvtps2ph", true, true), EXC_GP);
    assert_int_equal(c->s.mxcsr, 0x1f80);
    c->s.seg[SEG_DS].limit = 0xffffffff;
    cpu_state_changed(c);
    c->s.mxcsr = 0x1f80 & ~(FP_PE << 7);
    assert_int_equal(run(&k, "vcvtps2ph", true, true), EXC_XM);
    assert_int_equal(c->s.mxcsr & FP_ALL, FP_PE);
    assert_true(load_le64(case_mem(&k)) == 0xeeeeeeeeeeeeeeee);
    c->s.mxcsr = 0x1f80;
    assert_int_equal(run(&k, "vcvtps2ph", true, true), -1);
    assert_true(load_le64(case_mem(&k)) == 0x000000003c003c00);
    assert_true(load_le64(case_mem(&k) + 8) == 0xeeeeeeeeeeeeeeee);
    assert_int_equal(c->s.mxcsr & FP_ALL, FP_PE);
    case_close(&k);
}

static void test_masked(void **state)
{
    (void)state;
    against_host(false);
}
static void test_unmasked(void **state)
{
    (void)state;
    against_host(true);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(CASE_HOST)
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_half_store),
        cmocka_unit_test(test_masked),
        cmocka_unit_test(test_unmasked),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
