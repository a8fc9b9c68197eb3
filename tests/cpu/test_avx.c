/* The integer SIMD operations, moves and shuffles in every encoding, MMX to AVX2, against the
 * host's own instructions: the same bytes, the same 16 YMM registers, MMX registers, general
 * registers, flags and memory, on a page whose neighbors are not there, so that faults agree too.
 * And what the host cannot show: who may use AVX. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cpu/ops_vec.h"

enum { PAGE = 0x3000, TABLES = 0x8000 };

/* What these instructions see and change.  The assembly below knows the offsets. */
struct image {
    uint8_t fx[512] __attribute__((aligned(64))); /* as FXSAVE has it; only x87 and MMX count */
    uint64_t ymm[16][4];                          /* 512 */
    uint64_t gpr[16];                             /* 1024; SP and R15 are the harness's */
    uint64_t flags;                               /* 1152 */
};

static uint64_t rng;
static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

/* ---- ours: 64-bit mode, one 4 KB page of memory at PAGE ---- */

struct rig {
    struct cpu *c;
    struct ram ram;
    struct bus *mem, *ports;
    struct clock clock;
    struct region region;
};

static void rig_open(struct rig *r)
{
    struct err err = {0};
    struct cpu_state *s;

    memset(r, 0, sizeof *r);
    clock_init(&r->clock);
    assert_true(ram_init(&r->ram, 0x10000, &err));
    r->mem = bus_create("mem", 32);
    r->ports = bus_create("ports", 16);
    r->region = (struct region){.name = "ram", .kind = REGION_RAM, .len = 0x10000, .ram = &r->ram};
    assert_true(bus_map(r->mem, &r->region, &err));
    struct cpu_env env = {.mem = r->mem, .ports = r->ports, .ram = &r->ram, .clock = &r->clock};
    r->c = cpu_create(&cpu_accel_interp, NULL, &env, &err);
    assert_non_null(r->c);
    for (unsigned i = 0; i < 3; i++) {
        store_le64(r->ram.host + TABLES + i * 0x1000, (TABLES + 0x1000 + i * 0x1000) | 3);
    }
    store_le64(r->ram.host + TABLES + 0x3000 + PAGE / 512, PAGE | 3);
    s = cpu_state(r->c);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        bool cs = i == SEG_CS;
        s->seg[i] = (struct seg){.sel = (uint16_t)(8 + 8 * !cs), .limit = 0xffffffff,
                                 .attr = (uint16_t)(ATTR_P | ATTR_S | ATTR_G | ATTR_A | ATTR_W |
                                                    (cs ? ATTR_X | ATTR_L : ATTR_DB))};
    }
    s->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_MP | CR0_PG;
    s->cr3 = TABLES;
    s->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PAE | CR4_OSXSAVE;
    s->efer = EFER_LME | EFER_LMA;
    s->xcr0 = 7;
    s->rflags = FL_1;
    s->fcw = 0x37f;
    s->mxcsr = 0x1f80;
    cpu_state_changed(r->c);
    assert_true(r->c->mode & MODE_CODE64);
}
static void rig_close(struct rig *r)
{
    cpu_destroy(r->c);
    bus_destroy(r->mem);
    bus_destroy(r->ports);
    ram_fini(&r->ram);
}

/* The vector of a fault, or -1. */
static int rig_run(struct rig *r, const struct insn *in)
{
    struct cpu *c = r->c;
    bool ok;

    if (in->op == OP_ud) {
        return EXC_UD;
    }
    c->s.rip = 0x1234;
    c->next_rip = c->s.rip + in->len;
    c->fault.pending = false;
    ok = exec_table[in->op](c, in);
    flags_sync(c);
    return ok ? -1 : c->fault.vector;
}
static int run_bytes(struct rig *r, const uint8_t *code, size_t len)
{
    struct insn in;

    assert_int_equal(decode(code, len, DECODE_64, NULL, &in), DECODE_OK);
    assert_int_equal(in.len, len);
    return rig_run(r, &in);
}
#define RUN(r, ...)                                                                               \
    run_bytes((r), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* ---- against the host ---- */

#if defined(__x86_64__) && defined(__linux__)
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

/* Everything of this file, each at least MIN_CASES times. */
enum { MIN_CASES = 2000, FORMS = 3 << 13 };
static const uint16_t mine[] = {
#define A(n) OP_##n,
#define BWD(n) A(n##b) A(n##w) A(n##d)
#define BWDQ(n) BWD(n) A(n##q)
#define PS(n) A(n##ps) A(n##pd)
#define SS42(n) A(n##i) A(n##m)
    /* MMX, SSE, SSE2 */
    A(movd) A(movq) A(packsswb) A(packssdw) A(packuswb) BWDQ(padd) A(paddsb) A(paddsw) A(paddusb)
    A(paddusw) A(pand) A(pandn) A(por) A(pxor) BWDQ(pcmpeq) BWDQ(pcmpgt) A(pmaddwd) A(pmulhw)
    A(pmullw) A(psllw) A(pslld) A(psllq) A(psraw) A(psrad) A(psrlw) A(psrld) A(psrlq) BWDQ(psub)
    A(psubsb) A(psubsw) A(psubusb) A(psubusw) A(punpckhbw) A(punpckhwd) A(punpckhdq) A(punpcklbw)
    A(punpcklwd) A(punpckldq) A(pavgb) A(pavgw) A(pextrw) A(pinsrw) A(pmaxsw) A(pmaxub) A(pminsw)
    A(pminub) A(pmovmskb) A(pmulhuw) A(psadbw) A(pshufw) A(maskmovq) A(movntq) A(pmuludq)
    A(pslldq) A(psrldq) A(pshufd) A(pshufhw) A(pshuflw) A(punpckhqdq) A(punpcklqdq) A(maskmovdqu)
    A(movq2dq) A(movdq2q) PS(movu) PS(mova) A(movdqa) A(movdqu) A(movss) A(movsd_x) PS(movl)
    PS(movh) A(movhlps) A(movlhps) PS(movmsk) PS(movnt) A(movntdq) PS(unpckl) PS(unpckh) PS(shuf)
    PS(and) PS(andn) PS(or) PS(xor)
    /* SSE3, SSSE3, SSE4 */
    A(lddqu) A(movddup) A(movshdup) A(movsldup) BWD(psign) BWD(pabs) A(pmulhrsw) A(pmaddubsw)
    A(pshufb) A(phaddw) A(phaddd) A(phaddsw) A(phsubw) A(phsubd) A(phsubsw) A(palignr) A(movntdqa)
    A(pmulld) A(pmuldq) A(pminsb) A(pminuw) A(pminsd) A(pminud) A(pmaxsb) A(pmaxuw) A(pmaxsd)
    A(pmaxud) A(packusdw) A(pmovsxbw) A(pmovsxbd) A(pmovsxbq) A(pmovsxwd) A(pmovsxwq) A(pmovsxdq)
    A(pmovzxbw) A(pmovzxbd) A(pmovzxbq) A(pmovzxwd) A(pmovzxwq) A(pmovzxdq) A(phminposuw)
    A(mpsadbw) A(pblendw) PS(blend) A(pblendvb) PS(blendv) A(insertps) A(extractps) A(pinsrb)
    A(pinsrd) A(pextrb) A(pextrd) A(ptest) SS42(pcmpestr) SS42(pcmpistr)
    /* cryptography */
    A(aesenc) A(aesenclast) A(aesdec) A(aesdeclast) A(aesimc) A(aeskeygenassist) A(pclmulqdq)
    A(sha1rnds4) A(sha1nexte) A(sha1msg1) A(sha1msg2) A(sha256rnds2) A(sha256msg1) A(sha256msg2)
    /* AVX, AVX2 */
    A(vbroadcastss) A(vbroadcastsd) A(vbroadcastf128) A(vbroadcasti128) BWDQ(vpbroadcast)
    A(vinsertf128) A(vinserti128) A(vextractf128) A(vextracti128) A(vperm2f128) A(vperm2i128)
    PS(vpermil) PS(vmaskmov) PS(vtest) A(vzeroall) A(vzeroupper) A(vpermd) A(vpermq) PS(vperm)
    A(vpsllvd) A(vpsllvq) A(vpsrlvd) A(vpsrlvq) A(vpsravd) A(vpmaskmovd) A(vpmaskmovq) A(vpblendd)
    PS(vgatherd) PS(vgatherq) A(vpgatherdd) A(vpgatherdq) A(vpgatherqd) A(vpgatherqq)
};

/* The instruction goes between head and tail; R15 is the image, on the way in RDI. */
__asm__(".pushsection .rodata\n"
        "avx_head: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rdi, %r15\n fxrstor (%r15)\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "vmovdqu 512+32*\\n(%r15), %ymm\\n\n .endr\n"
        "push 1152(%r15)\n popf\n"
        "mov 1024(%r15), %rax\n mov 1032(%r15), %rcx\n mov 1040(%r15), %rdx\n"
        "mov 1048(%r15), %rbx\n mov 1064(%r15), %rbp\n mov 1072(%r15), %rsi\n"
        "mov 1080(%r15), %rdi\n mov 1088(%r15), %r8\n mov 1096(%r15), %r9\n"
        "mov 1104(%r15), %r10\n mov 1112(%r15), %r11\n mov 1120(%r15), %r12\n"
        "mov 1128(%r15), %r13\n mov 1136(%r15), %r14\n"
        "avx_tail:\n"
        "mov %rax, 1024(%r15)\n mov %rcx, 1032(%r15)\n mov %rdx, 1040(%r15)\n"
        "mov %rbx, 1048(%r15)\n mov %rbp, 1064(%r15)\n mov %rsi, 1072(%r15)\n"
        "mov %rdi, 1080(%r15)\n mov %r8, 1088(%r15)\n mov %r9, 1096(%r15)\n"
        "mov %r10, 1104(%r15)\n mov %r11, 1112(%r15)\n mov %r12, 1120(%r15)\n"
        "mov %r13, 1128(%r15)\n mov %r14, 1136(%r15)\n"
        "pushf\n pop 1152(%r15)\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "vmovdqu %ymm\\n, 512+32*\\n(%r15)\n .endr\n"
        "fxsave (%r15)\n fninit\n vzeroupper\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
        "avx_end: .popsection\n");
extern const uint8_t avx_head[], avx_tail[], avx_end[];

static struct host {
    uint8_t *code, *page; /* the page lies between two that are not there */
    struct image *out;
    sigjmp_buf jump;
} host;

static void host_fault(int sig, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    static const int8_t reg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, -1,      REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, -1};
    const uint8_t *x = (const uint8_t *)uc->uc_mcontext.fpregs; /* SDM Vol. 1, "XSAVE Area" */

    (void)info;
    memcpy(host.out->fx, x, 512);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(host.out->ymm[i], x + 160 + 16 * i, 16);
        memcpy(host.out->ymm[i] + 2, x + 576 + 16 * i, 16);
        if (reg[i] >= 0) {
            host.out->gpr[i] = (uint64_t)uc->uc_mcontext.gregs[reg[i]];
        }
    }
    host.out->flags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL];
    __asm__ volatile("fninit\n vzeroupper");
    siglongjmp(host.jump, sig);
}
static void host_open(void)
{
    struct sigaction sa = {.sa_sigaction = host_fault, .sa_flags = SA_SIGINFO};
    uint8_t *p = mmap(NULL, 0x4000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(p != MAP_FAILED);
    host.code = p;
    host.page = p + 0x2000;
    assert_int_equal(mprotect(host.code, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    assert_int_equal(mprotect(host.page, 0x1000, PROT_READ | PROT_WRITE), 0);
    memcpy(host.code, avx_head, (size_t)(avx_tail - avx_head));
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGILL, &sa, NULL);
}
/* The signal, or 0. */
static int host_run(const uint8_t *code, unsigned len, struct image *m)
{
    void (*fn)(struct image *);
    uint8_t *at = host.code + (avx_tail - avx_head);
    int sig;

    memcpy(at, code, len);
    memcpy(at + len, avx_tail, (size_t)(avx_end - avx_tail));
    memcpy(&fn, &host.code, sizeof fn);
    host.out = m;
    sig = sigsetjmp(host.jump, 1);
    if (!sig) {
        fn(m);
    }
    return sig;
}

static uint64_t word(unsigned kind)
{
    static const uint8_t bytes[] = {0, 0, 1, 2, 'a', 'b', 0x7f, 0x80, 0x81, 0xff};
    uint64_t v = rnd();

    switch (kind) {
    case 0: return v & 0x3f;                         /* counts */
    case 1: return (v & 0x8080808080808080) / 0x80 * 0xff; /* masks */
    case 2: return ((v & 0x0000007f0000007f) | 0x0000010000000100) - 0x0000013800000138;
    case 3: return (uint64_t)bits_sext(v, 7);        /* 64-bit indices */
    case 4: return v | 0x8000000080000000;
    case 5: case 6:
        for (unsigned i = 0; i < 64; i += 8) {
            v = (v & ~((uint64_t)0xff << i)) | (uint64_t)bytes[rnd() % sizeof bytes] << i;
        }
        return v;
    default: return v;
    }
}
static void random_image(struct image *m)
{
    static const uint32_t near[] = {0, 4, 8, 16, 24, 32, 40, 64};

    memset(m, 0, sizeof *m);
    store_le16(m->fx, 0x37f);
    store_le16(m->fx + 2, (uint16_t)(rnd() & 0x7f00));
    m->fx[4] = (uint8_t)rnd();
    store_le32(m->fx + 24, 0x1f80);
    for (unsigned i = 0; i < 8; i++) {
        store_le64(m->fx + 32 + i * 16, word(rnd() & 15));
        store_le16(m->fx + 40 + i * 16, (uint16_t)rnd());
    }
    for (unsigned i = 0; i < 16; i++) {
        unsigned kind = rnd() & 15;
        for (unsigned k = 0; k < 4; k++) {
            m->ymm[i][k] = word(kind);
        }
        m->gpr[i] = rnd() & 3 ? word(rnd() & 7) : rnd() % 20 - 2;
    }
    m->flags = (rnd() & FL_STATUS) | FL_1 | FL_IF;
    /* offset in the page: mostly inside, sometimes at an end; mostly aligned */
    m->gpr[REG_DI] = rnd() & 3 ? 0x800 : rnd() & 1 ? 0x1000 - near[rnd() % 8] : near[rnd() % 8];
    m->gpr[REG_DI] += rnd() & 3 ? 0 : rnd() & 7;
}

static void rig_load(struct rig *r, const struct image *m)
{
    struct cpu_state *s = cpu_state(r->c);

    s->fsw = load_le16(m->fx + 2);
    s->ftag = m->fx[4];
    for (unsigned i = 0; i < 8; i++) {
        s->st[((s->fsw >> 11) + i) & 7] =
            (struct f80){load_le64(m->fx + 32 + i * 16), load_le16(m->fx + 40 + i * 16)};
    }
    memcpy(s->ymm, m->ymm, sizeof s->ymm);
    memcpy(s->gpr, m->gpr, sizeof s->gpr);
    s->gpr[REG_DI] += PAGE;
    s->rflags = m->flags;
    flags_set_status(r->c, (uint32_t)m->flags);
}
static void rig_store(struct rig *r, struct image *m)
{
    const struct cpu_state *s = &r->c->s;

    store_le16(m->fx + 2, s->fsw);
    m->fx[4] = s->ftag;
    for (unsigned i = 0; i < 8; i++) {
        struct f80 v = s->st[((s->fsw >> 11) + i) & 7];
        store_le64(m->fx + 32 + i * 16, v.man);
        store_le16(m->fx + 40 + i * 16, v.se);
    }
    memcpy(m->ymm, s->ymm, sizeof m->ymm);
    memcpy(m->gpr, s->gpr, sizeof m->gpr);
    m->gpr[REG_DI] -= PAGE;
    m->flags = s->rflags;
}
/* What is the harness's or nobody's. */
static void forgive(struct image *m)
{
    memset(m->fx + 5, 0, 27);
    memset(m->fx + 160, 0, 352);
    for (unsigned i = 0; i < 8; i++) {
        memset(m->fx + 42 + i * 16, 0, 6);
    }
    m->gpr[REG_SP] = m->gpr[15] = 0;
    m->flags &= FL_STATUS;
}

/* An encoding: where the opcode is. */
struct form {
    uint8_t vex, map, pfx, op, w, l;
};
static unsigned make(const struct form *f, uint8_t code[16])
{
    static const uint8_t prefix[4] = {0, 0x66, 0xf3, 0xf2};
    unsigned len = 0, hi = (unsigned)rnd(); /* R X B bits, vvvv */
    bool sib = f->vex && f->map == 2 && f->op >= 0x90 && f->op <= 0x93;

    if (f->vex) {
        code[len++] = 0xc4;
        code[len++] = (uint8_t)((hi & 0xe0) | f->map);
        unsigned vvvv = rnd() & 1 ? 15 : rnd() & 15; /* 15: none, which some want */
        code[len++] = (uint8_t)(f->w << 7 | vvvv << 3 | f->l << 2 | f->pfx);
    } else {
        if (f->pfx) {
            code[len++] = prefix[f->pfx];
        }
        if (f->w || hi & 8) {
            code[len++] = (uint8_t)(0x40 | f->w << 3 | (hi & 7));
        }
        code[len++] = 0x0f;
        if (f->map > 1) {
            code[len++] = f->map == 2 ? 0x38 : 0x3a;
        }
    }
    code[len++] = f->op;
    if (sib) {
        code[len++] = (uint8_t)(0x44 | (rnd() & 7) << 3);
        code[len++] = (uint8_t)(rnd() & 0xf8) | 7;
        code[len++] = (uint8_t)(rnd() & 3 ? 0 : rnd());
    } else if (rnd() & 1) {
        code[len++] = (uint8_t)(0x47 | (rnd() & 7) << 3); /* [rdi + disp8] */
        code[len++] = (uint8_t)(rnd() & 3 ? 0 : rnd());
    } else {
        code[len++] = (uint8_t)(0xc0 | (rnd() & 63));
    }
    code[len] = (uint8_t)rnd(); /* an immediate, perhaps */
    memset(code + len + 1, 0x90, 15 - len);
    return len;
}
static bool is_mine(unsigned op)
{
    for (unsigned i = 0; i < ARRAY_LEN(mine); i++) {
        if (mine[i] == op) {
            return true;
        }
    }
    return false;
}
/* May it run here?  Memory only through RDI, and few general registers. */
static bool suits(const struct insn *in)
{
    for (unsigned i = 0; i < 4; i++) {
        if (in->o[i].kind == OPND_GPR && in->o[i].reg != REG_AX &&
            in->o[i].reg != REG_CX && in->o[i].reg != 8 && in->o[i].reg != 14) {
            return false;
        }
        if (in->o[i].kind == OPND_MEM && in->base != REG_DI) {
            return false;
        }
    }
    return is_mine(in->op);
}

static void explain(const uint8_t *code, const struct insn *in, int vector, int sig,
                    const struct image *b, const struct image *g, const struct image *h)
{
    fprintf(stderr, "%s%s:", in->flags & INSN_VEX ? "v " : "", op_name(in->op));
    for (unsigned i = 0; i < in->len; i++) {
        fprintf(stderr, " %02x", code[i]);
    }
    fprintf(stderr, " vector %d, host's signal %d\n", vector, sig);
    for (unsigned i = 0; i < sizeof *b / 8; i++) {
        const uint64_t x = ((const uint64_t *)b)[i], y = ((const uint64_t *)g)[i],
                       z = ((const uint64_t *)h)[i];
        if (y != z || (i >= 64 && i < 128 && x != z)) {
            fprintf(stderr, "  %s%3u %016llx -> %016llx host %016llx\n", y != z ? "*" : " ", i * 8,
                    (unsigned long long)x, (unsigned long long)y, (unsigned long long)z);
        }
    }
}

static struct tally {
    unsigned runs[OP_COUNT], faults, wrong;
    bool absent[OP_COUNT], said[OP_COUNT];
} tally;

/* The kind of word() its indices want: doublewords, quadwords; 0: no gather. */
static unsigned is_gather(unsigned op)
{
    switch (op) {
    case OP_vgatherdps: case OP_vgatherdpd: case OP_vpgatherdd: case OP_vpgatherdq: return 2;
    case OP_vgatherqps: case OP_vgatherqpd: case OP_vpgatherqd: case OP_vpgatherqq: return 3;
    default: return 0;
    }
}
/* One instruction here and there. */
static void one_case(struct rig *r, const uint8_t *code, const struct insn *in)
{
    struct image before, g, h;
    int vector, sig;

    random_image(&before);
    if (is_gather(in->op)) { /* stay away from what else the host has mapped */
        for (unsigned i = 0; i < 4; i++) {
            before.ymm[in->index][i] = word(is_gather(in->op));
        }
    }
    g = h = before;
    rig_load(r, &before);
    vector = rig_run(r, in);
    rig_store(r, &g);
    h.gpr[REG_DI] += (uint64_t)(uintptr_t)host.page;
    sig = host_run(code, in->len, &h);
    h.gpr[REG_DI] -= (uint64_t)(uintptr_t)host.page;
    if (sig == SIGILL && vector != EXC_UD) {
        tally.absent[in->op] = true; /* this host does not have it */
        memcpy(host.page, r->ram.host + PAGE, 4096);
        return;
    }
    forgive(&before);
    forgive(&g);
    forgive(&h);
    tally.runs[in->op]++;
    tally.faults += sig != 0;
    if (memcmp(&g, &h, sizeof g) || memcmp(host.page, r->ram.host + PAGE, 4096) ||
        sig != (vector < 0 ? 0 : vector == EXC_UD ? SIGILL : SIGSEGV)) {
        tally.wrong++;
        if (!tally.said[in->op]) {
            tally.said[in->op] = true;
            explain(code, in, vector, sig, &before, &g, &h);
        }
        memcpy(host.page, r->ram.host + PAGE, 4096);
    }
}
/* again: only what has too few cases yet. */
static void one_form(struct rig *r, const struct form *f, unsigned rounds, bool again)
{
    uint8_t code[16];
    struct insn in;
    unsigned tries = 0, ran = 0;

    while (ran < rounds && (ran || tries < 64)) {
        make(f, code);
        tries++;
        assert_int_equal(decode(code, sizeof code, DECODE_64, NULL, &in), DECODE_OK);
        if (suits(&in)) {
            if (!again || tally.runs[in.op] < MIN_CASES) {
                one_case(r, code, &in);
            }
            ran++;
        } else if (tries > 40 * rounds) {
            break;
        }
    }
}
static void test_against_host(void **state)
{
    struct rig r;
    unsigned total = 0, absent = 0, few = 0;
    (void)state;

    if (!__builtin_cpu_supports("avx2")) {
        puts("SKIP: the host has no AVX2");
        skip();
    }
    rng = 0x243f6a8885a308d3;
    memset(&tally, 0, sizeof tally);
    rig_open(&r);
    if (__builtin_cpu_is("amd")) {
        r.c->feat.bits[FEAT_AMD >> 6] |= (uint64_t)1 << (FEAT_AMD & 63);
    } else {
        r.c->feat.bits[FEAT_AMD >> 6] &= ~((uint64_t)1 << (FEAT_AMD & 63));
    }
    host_open();
    for (unsigned i = 0; i < 4096; i += 8) {
        store_le64(r.ram.host + PAGE + i, word(rnd() & 15));
    }
    memcpy(host.page, r.ram.host + PAGE, 4096);
    for (unsigned n = 0; n < 5 * FORMS; n++) {
        unsigned i = n % FORMS;
        struct form f = {.vex = i & 1, .l = i >> 1 & 1, .w = i >> 2 & 1, .pfx = i >> 3 & 3,
                         .op = (uint8_t)(i >> 5), .map = (uint8_t)(1 + (i >> 13))};
        one_form(&r, &f, 600, n >= FORMS);
    }
    for (unsigned i = 0; i < ARRAY_LEN(mine); i++) {
        unsigned op = mine[i];
        total += tally.runs[op];
        if (tally.absent[op]) {
            printf("SKIP: the host has no %s in some form\n", op_name(op));
            absent++;
        } else if (tally.runs[op] < MIN_CASES) {
            printf("%s: only %u cases\n", op_name(op), tally.runs[op]);
            few++;
        }
    }
    printf("%zu operations, %u instructions, %u faults, %u differ, %u operations not here\n",
           ARRAY_LEN(mine), total, tally.faults, tally.wrong, absent);
    rig_close(&r);
    assert_int_equal(tally.wrong, 0);
    assert_int_equal(few, 0);
    assert_true(tally.faults > total / 100);
}
#endif

/* ---- who may ---- */

static void test_availability(void **state)
{
    struct rig r;
    struct cpu_state *s;
    (void)state;
    rig_open(&r);
    s = cpu_state(r.c);
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), -1); /* vpxor xmm0, xmm1, xmm2 */
    s->cr4 &= ~(uint64_t)CR4_OSFXSR;                       /* no matter, nor is EM */
    s->cr0 |= CR0_EM;
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), -1);
    assert_int_equal(RUN(&r, 0x66, 0x0f, 0xef, 0xc2), EXC_UD);
    s->cr0 &= ~(uint64_t)CR0_EM;
    s->cr4 |= CR4_OSFXSR;
    s->cr0 |= CR0_TS;
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), EXC_NM);
    assert_int_equal(RUN(&r, 0xc5, 0xf8, 0x77), EXC_NM); /* vzeroupper */
    s->xcr0 = 3;
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), EXC_UD); /* before #NM */
    s->cr0 &= ~(uint64_t)CR0_TS;
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), EXC_UD);
    assert_int_equal(RUN(&r, 0xc5, 0xfc, 0x77), EXC_UD); /* vzeroall */
    s->xcr0 = 5; /* cannot be, but if it were */
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), EXC_UD);
    s->xcr0 = 7;
    s->cr4 &= ~(uint64_t)CR4_OSXSAVE;
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), EXC_UD);
    assert_int_equal(RUN(&r, 0x66, 0x0f, 0xef, 0xc2), -1);
    s->cr4 |= CR4_OSXSAVE;
    s->rflags |= FL_VM;
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), EXC_UD);
    s->rflags &= ~(uint64_t)FL_VM;
    s->cr0 &= ~(uint64_t)CR0_PE;
    assert_int_equal(RUN(&r, 0xc5, 0xf1, 0xef, 0xc2), EXC_UD);
    s->cr0 |= CR0_PE;
    rig_close(&r);
}

static void test_alignment(void **state)
{
    struct rig r;
    (void)state;
    rig_open(&r);
    cpu_state(r.c)->gpr[REG_DI] = PAGE;
    assert_int_equal(RUN(&r, 0x66, 0x0f, 0xef, 0x47, 0x08), EXC_GP); /* pxor xmm0, [rdi + 8] */
    assert_int_equal(RUN(&r, 0xc5, 0xf9, 0xef, 0x47, 0x01), -1);     /* vpxor xmm0, [rdi + 1] */
    assert_int_equal(RUN(&r, 0xc5, 0xfd, 0x6f, 0x47, 0x10), EXC_GP); /* vmovdqa ymm0, [rdi + 16] */
    assert_int_equal(RUN(&r, 0xc5, 0xf9, 0x6f, 0x47, 0x10), -1);     /* the same of xmm0 */
    assert_int_equal(RUN(&r, 0xc5, 0xfe, 0x6f, 0x47, 0x01), -1);     /* vmovdqu ymm0, [rdi + 1] */
    assert_int_equal(RUN(&r, 0xc5, 0xfd, 0xe7, 0x47, 0x10), EXC_GP); /* vmovntdq [rdi + 16], ymm0 */
    /* only FS and GS have a base here */
    cpu_state(r.c)->seg[SEG_DS].base = cpu_state(r.c)->seg[SEG_GS].base = 8;
    assert_int_equal(RUN(&r, 0x66, 0x0f, 0xef, 0x47, 0x10), -1);
    assert_int_equal(RUN(&r, 0x65, 0x66, 0x0f, 0xef, 0x47, 0x10), EXC_GP);
    assert_int_equal(RUN(&r, 0x65, 0x66, 0x0f, 0xef, 0x47, 0x08), -1);
    rig_close(&r);
}

/* The AES tables, by way of the instructions, against FIPS 197's definition of the S-box. */
static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    uint8_t r = 0;
    for (; b; b >>= 1) {
        r ^= b & 1 ? a : 0;
        a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
    }
    return r;
}
static void test_aes_box(void **state)
{
    struct rig r;
    (void)state;
    rig_open(&r);
    for (unsigned i = 0; i < 256; i++) {
        uint8_t inv = 0, box = 0x63;
        for (unsigned k = 1; i && k < 256; k++) {
            inv = gf_mul((uint8_t)i, (uint8_t)k) == 1 ? (uint8_t)k : inv;
        }
        for (unsigned k = 0; k < 5; k++) {
            box ^= (uint8_t)(inv << k | inv >> (8 - k));
        }
        memset(r.c->s.ymm, 0, sizeof r.c->s.ymm);
        r.c->s.ymm[0][0] = i;
        assert_int_equal(RUN(&r, 0x66, 0x0f, 0x38, 0xdd, 0xc1), -1); /* aesenclast xmm0, xmm1 */
        assert_int_equal(r.c->s.ymm[0][0] & 0xff, box);
        assert_int_equal(RUN(&r, 0x66, 0x0f, 0x38, 0xdf, 0xc1), -1); /* aesdeclast */
        assert_true(r.c->s.ymm[0][0] == i && !r.c->s.ymm[0][1]);
    }
    rig_close(&r);
}

/* A gather that faults in the middle goes on where it was. */
static void test_gather_goes_on(void **state)
{
    /* vpgatherdd ymm1, [rdi + ymm0 * 4], ymm2 */
    static const uint8_t code[] = {0xc4, 0xe2, 0x6d, 0x90, 0x0c, 0x87};
    struct rig r;
    struct cpu_state *s;
    uint32_t *idx, *got;
    (void)state;
    rig_open(&r);
    s = cpu_state(r.c);
    idx = (uint32_t *)s->ymm[0];
    got = (uint32_t *)s->ymm[1];
    s->gpr[REG_DI] = PAGE;
    for (unsigned i = 0; i < 8; i++) {
        idx[i] = i;
        got[i] = 0xeeeeeeee;
        store_le32(r.ram.host + PAGE + 4 * i, 100 + i);
    }
    memset(s->ymm[2], 0xff, 32);
    ((uint32_t *)s->ymm[2])[2] = 0x7fffffff; /* not this one */
    idx[2] = idx[5] = 0x40000000;            /* not there */
    assert_int_equal(run_bytes(&r, code, sizeof code), EXC_PF);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(got[i], i == 2 || i >= 5 ? 0xeeeeeeee : 100 + i);
        assert_int_equal(((uint32_t *)s->ymm[2])[i], i < 5 ? 0 : 0xffffffff);
    }
    idx[5] = 5;
    assert_int_equal(run_bytes(&r, code, sizeof code), -1);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(got[i], i == 2 ? 0xeeeeeeee : 100 + i);
        assert_int_equal(((uint32_t *)s->ymm[2])[i], 0);
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_availability),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_aes_box),
        cmocka_unit_test(test_gather_goes_on),
#if defined(__x86_64__) && defined(__linux__)
        cmocka_unit_test(test_against_host),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
