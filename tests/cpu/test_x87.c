/* x87 instructions: against the host's processor where that is an x86-64, and the parts it cannot
 * show (faults, FERR#, image layouts) against the manual. */
#include "tests/cpu/fp_case.h"

static uint64_t rng = 0x243f6a8885a308d3;
static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}
#define ONE ((uint64_t)1 << 63)

#if defined(CASE_HOST)
static struct f80 random80(void)
{
    static const struct f80 special[] = {
        {0, 0}, {0, 0x8000}, {ONE, 0x3fff}, {ONE, 0xbfff}, {ONE, 0x7fff}, {ONE, 0xffff},
        {3 * (ONE >> 1), 0x7fff}, {3 * (ONE >> 1), 0xffff}, {ONE | 1, 0x7fff}, {ONE | 9, 0xffff},
        {1, 0}, {ONE, 0}, {ONE - 1, 0x8000}, {ONE >> 1, 0x3fff}, {0, 0x7fff}, {5, 0x4000},
        {ONE, 0x7ffe}, {~(uint64_t)0, 0x7ffe}, {ONE, 1}, {ONE, 0x3fff + 63}, {ONE, 0x4000}};
    struct f80 v = {rnd() | ONE, (uint16_t)(rnd() & 0x8000)};

    switch (rnd() % 6) {
    case 0: return special[rnd() % ARRAY_LEN(special)];
    case 1: v.se |= rnd() & 0x7fff; break;
    case 2: v.se |= (uint16_t)(0x3fff + rnd() % 70); v.man &= ~(uint64_t)0 << (rnd() & 63); break;
    default: v.se |= (uint16_t)(0x3fff - 12 + rnd() % 24); break;
    }
    return v;
}

/* Operands in memory that mean something as m32, m64, m80, integers and packed decimal. */
static void random_mem(uint8_t *p)
{
    static const uint32_t words[] = {0, 1, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000,
                                     0x7f800001, 0x3f800000, 0x807fffff, 0x00400000, 0x7fffffff,
                                     0xffffffff, 0x7ff00000, 0x7ff80000, 0x3ff00000, 0x000fffff};
    for (unsigned i = 0; i < CASE_LEN; i += 4) {
        store_le32(p + i, rnd() & 1 ? words[rnd() % ARRAY_LEN(words)] : (uint32_t)rnd());
    }
    if (rnd() & 1) {
        struct f80 v = random80();
        store_le64(p, v.man);
        store_le16(p + 8, v.se);
    } else if (rnd() & 1) {
        for (unsigned i = 0; i < 10; i++) {
            p[i] = (uint8_t)(rnd() % 10 << 4 | rnd() % 10);
        }
    }
}

static void random_image(struct fp_image *m, bool unmasked)
{
    static const uint16_t pc[] = {0, 0x200, 0x300};
    uint16_t fcw = (uint16_t)(0x7f | pc[rnd() % 3] | (rnd() & 3) << 10);

    memset(m, 0, sizeof *m);
    if (unmasked) {
        fcw &= (uint16_t)~(rnd() & 0x3f);
    }
    store_le16(m->fx, fcw);
    store_le16(m->fx + 2, (uint16_t)((rnd() & 0x7f00) | (rnd() & 0x7f & fcw)));
    m->fx[4] = rnd() & 3 ? 0xff : (uint8_t)rnd();
    if (rnd() & 1) { /* room on the stack */
        m->fx[4] &= (uint8_t)~(1 << (((m->fx[3] >> 3) - 1) & 7));
    }
    store_le32(m->fx + 24, 0x1f80);
    for (unsigned i = 0; i < 8; i++) {
        struct f80 v = random80();
        store_le64(m->fx + 32 + i * 16, v.man);
        store_le16(m->fx + 40 + i * 16, v.se);
    }
    random_mem(m->mem);
    m->eax = rnd() & 0xffffffff;
    m->flags = rnd() & FL_STATUS;
}

static bool transcendental(unsigned op)
{
    switch (op) {
    case OP_f2xm1: case OP_fyl2x: case OP_fyl2xp1: case OP_fptan: case OP_fpatan: case OP_fsin:
    case OP_fcos: case OP_fsincos:
        return true;
    default:
        return false;
    }
}

/* Bytes that need not agree become equal.  AMD keeps FOP, FIP and FDP only with an exception. */
static void forgive(struct fp_image *h, struct fp_image *g, unsigned op)
{
    memset(h->fx + 5, 0, 19);
    memset(g->fx + 5, 0, 19);
    memset(h->fx + 28, 0, 4);
    memset(g->fx + 28, 0, 4);
    memset(h->fx + 288, 0, 224);
    memset(g->fx + 288, 0, 224);
    for (unsigned i = 0; i < 8; i++) {
        memset(h->fx + 42 + i * 16, 0, 6);
        memset(g->fx + 42 + i * 16, 0, 6);
    }
    if (op == OP_fnstenv || op == OP_fnsave) { /* pointers */
        memset(h->mem + 12, 0, 16);
        memset(g->mem + 12, 0, 16);
    }
    if (transcendental(op)) {
        for (unsigned i = 0; i < 2; i++) {
            uint8_t *x = h->fx + 32 + i * 16, *y = g->fx + 32 + i * 16;
            /* one last place: consecutive as 80-bit integers, but for the integer bit */
            fp_u128 a = (fp_u128)load_le16(x + 8) << 63 | (load_le64(x) & (ONE - 1));
            fp_u128 b = (fp_u128)load_le16(y + 8) << 63 | (load_le64(y) & (ONE - 1));
            if (a - b + 1 < 3) {
                memcpy(y, x, 10);
            }
        }
        h->fx[3] &= (uint8_t)~2; /* C1: the direction of a rounding that may differ */
        g->fx[3] &= (uint8_t)~2;
    }
}

static void explain(const char *when, const uint8_t *code, unsigned len, unsigned op,
                    const struct fp_image *b, const struct fp_image *g, const struct fp_image *h)
{
    fprintf(stderr, "%s %s:", when, op_name(op));
    for (unsigned i = 0; i < len; i++) {
        fprintf(stderr, " %02x", code[i]);
    }
    fprintf(stderr, "\nbefore fcw %04x fsw %04x tag %02x mem %016llx %016llx\n", load_le16(b->fx),
            load_le16(b->fx + 2), b->fx[4], (unsigned long long)load_le64(b->mem),
            (unsigned long long)load_le64(b->mem + 8));
    fprintf(stderr, "  st0 %04x:%016llx st1 %04x:%016llx\n", load_le16(b->fx + 40),
            (unsigned long long)load_le64(b->fx + 32), load_le16(b->fx + 56),
            (unsigned long long)load_le64(b->fx + 48));
    for (unsigned i = 0; i < 8; i++) {
        if (memcmp(g->fx + 32 + i * 16, h->fx + 32 + i * 16, 10)) {
            fprintf(stderr, "  st%u after %04x:%016llx host %04x:%016llx\n", i,
                    load_le16(g->fx + 40 + i * 16),
                    (unsigned long long)load_le64(g->fx + 32 + i * 16),
                    load_le16(h->fx + 40 + i * 16),
                    (unsigned long long)load_le64(h->fx + 32 + i * 16));
        }
    }
    for (unsigned i = 0; i < CASE_LEN; i++) {
        if (g->mem[i] != h->mem[i]) {
            fprintf(stderr, "  mem[%u] %02x -> %02x host %02x\n", i, b->mem[i], g->mem[i],
                    h->mem[i]);
        }
    }
    fprintf(stderr,
            "guest fcw %04x fsw %04x tag %02x eax %llx fl %llx; host fcw %04x fsw %04x tag %02x "
            "eax %llx fl %llx\n",
            load_le16(g->fx), load_le16(g->fx + 2), g->fx[4], (unsigned long long)g->eax,
             (unsigned long long)g->flags, load_le16(h->fx), load_le16(h->fx + 2), h->fx[4],
             (unsigned long long)h->eax, (unsigned long long)h->flags);
}

static bool skipped(const uint8_t *code, unsigned op)
{
    (void)code;
    switch (op) {
    case OP_fldenv: case OP_frstor: /* random images: test_images() */
    case OP_fwait:
        return true;
    default:
        return false;
    }
}

static void against_host(bool unmasked, unsigned rounds)
{
    static uint8_t said[OP_COUNT]; /* one report an operation */
    struct fp_case k;
    unsigned wrong = 0;

    memset(said, 0, sizeof said);
    case_open(&k);
    if (__builtin_cpu_is("amd")) {
        k.c->feat.bits[FEAT_AMD >> 6] |= (uint64_t)1 << (FEAT_AMD & 63);
    }
    for (unsigned n = 0; n < rounds; n++) {
        for (unsigned m = 0; m < 8 * 72; m++) { /* every escape, memory and register form */
            uint8_t code[16] = {(uint8_t)(0xd8 + m / 72)};
            struct fp_image before, g, h;
            unsigned op;
            code[1] = (uint8_t)(m % 72 < 64 ? 0xc0 + m % 72 : (m % 72 - 64) << 3 | 7);
            random_image(&before, unmasked);
            struct insn in;
            assert_int_equal(decode(code, 16, DECODE_32, &k.c->feat, &in), DECODE_OK);
            if (in.op == OP_ud || skipped(code, in.op)) {
                continue;
            }
            g = h = before;
            case_load(&k, &before);
            assert_int_equal(case_run(&k, code, 2, &op), -1);
            case_store(&k, &g);
            assert_true(host_run(code, 2, &h));
            forgive(&h, &g, op);
            wrong += memcmp(&g, &h, sizeof g) != 0;
            if (memcmp(&g, &h, sizeof g) && !said[op]) {
                said[op] = 1;
                explain(unmasked ? "unmasked" : "masked", code, 2, op, &before, &g, &h);
            }
        }
    }
    case_close(&k);
    assert_int_equal(wrong, 0);
}
static void test_masked_against_host(void **state)
{
    (void)state;
    against_host(false, 1500);
}
static void test_unmasked_against_host(void **state)
{
    (void)state;
    against_host(true, 1500);
}
#endif

/* ---- faults and pins ---- */

static void test_availability(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    k.c->s.cr0 |= CR0_TS;
    assert_int_equal(RUN(&k, 0xd9, 0xe8), EXC_NM);       /* fld1 */
    assert_int_equal(RUN(&k, 0xdb, 0xe3), EXC_NM);       /* fninit */
    assert_int_equal(RUN(&k, 0x9b), EXC_NM);             /* fwait with MP */
    assert_int_equal(RUN(&k, 0x0f, 0x77), EXC_NM);       /* emms */
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x07), EXC_NM); /* fxsave */
    k.c->s.cr0 &= ~(uint64_t)CR0_MP;
    assert_int_equal(RUN(&k, 0x9b), -1);
    k.c->s.cr0 = (k.c->s.cr0 & ~(uint64_t)CR0_TS) | CR0_EM;
    assert_int_equal(RUN(&k, 0xd9, 0xe8), EXC_NM);
    assert_int_equal(RUN(&k, 0x9b), -1);
    assert_int_equal(RUN(&k, 0x0f, 0x77), EXC_UD);
    assert_int_equal(k.c->s.ftag, 0);
    case_close(&k);
}

static void test_pending_error(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    RUN(&k, 0xd9, 0xee); /* fldz */
    RUN(&k, 0xd9, 0xe8); /* fld1 */
    k.c->s.fcw &= (uint16_t)~FP_ZE;
    assert_int_equal(RUN(&k, 0xd8, 0xf1), -1); /* fdiv st, st(1): 1/0, reported later */
    assert_int_equal(k.c->s.fsw & (FSW_ES | FSW_B | FP_ALL), FSW_ES | FSW_B | FP_ZE);
    assert_int_equal(x87_get(k.c, 0).se, 0x3fff); /* not computed */
    assert_int_equal(RUN(&k, 0xd9, 0xe8), EXC_MF);
    assert_int_equal(RUN(&k, 0x9b), EXC_MF);
    assert_int_equal(RUN(&k, 0x0f, 0x6e, 0xc0), EXC_MF); /* movd mm0, eax */
    assert_int_equal(RUN(&k, 0xdf, 0xe0), -1);           /* fnstsw ax: does not wait */
    assert_int_equal(RUN(&k, 0xd9, 0x3f), -1);           /* fnstcw */
    assert_int_equal(RUN(&k, 0xdb, 0xe2), -1);           /* fnclex */
    assert_int_equal(k.c->s.fsw & 0x80ff, 0);
    assert_int_equal(RUN(&k, 0x9b), -1);
    case_close(&k);
}

static void test_ferr_and_ignne(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    k.c->s.cr0 &= ~(uint64_t)CR0_NE;
    k.c->s.fcw &= (uint16_t)~FP_ZE;
    RUN(&k, 0xd9, 0xee);
    RUN(&k, 0xd9, 0xe8);
    assert_false(k.ferr);
    cpu_ignne(k.c); /* a write to port F0h without an error, as in a POST, changes nothing later */
    RUN(&k, 0xd8, 0xf1);
    assert_true(k.ferr);
    cpu_ignne(k.c); /* the handler writes port F0h */
    assert_false(k.ferr);
    assert_int_equal(RUN(&k, 0xd9, 0x3f), -1);
    assert_int_equal(RUN(&k, 0xd9, 0xe0), -1); /* fchs, ignoring the error */
    assert_false(k.ferr);
    assert_int_equal(RUN(&k, 0xdb, 0xe2), -1); /* fnclex ends IGNNE# */
    RUN(&k, 0xd8, 0xf1);
    assert_true(k.ferr);
    assert_int_equal(RUN(&k, 0xdb, 0xe3), -1);
    assert_false(k.ferr);
    case_close(&k);
}

static void test_pointers(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    assert_int_equal(RUN(&k, 0xd9, 0x47, 0x04), -1); /* fld dword [edi + 4] */
    assert_int_equal(k.c->s.fip, 0x1234);
    assert_int_equal(k.c->s.fcs, 8);
    assert_int_equal(k.c->s.fdp, CASE_MEM + 4);
    assert_int_equal(k.c->s.fds, 16);
    assert_int_equal(k.c->s.fop, 0x147);
    RUN(&k, 0xd9, 0xe0); /* fchs: no operand in memory, FDP stays */
    assert_int_equal(k.c->s.fop, 0x1e0);
    assert_int_equal(k.c->s.fdp, CASE_MEM + 4);
    RUN(&k, 0xd9, 0x3f); /* control instructions leave no trace */
    assert_int_equal(k.c->s.fop, 0x1e0);
    case_close(&k);
}

static void test_memory_fault_changes_nothing(void **state)
{
    struct fp_case k;
    struct cpu_state before;
    (void)state;
    case_open(&k);
    RUN(&k, 0xd9, 0xeb); /* fldpi */
    k.c->s.seg[SEG_DS].limit = CASE_MEM + 3;
    k.c->s.seg[SEG_DS].attr &= (uint16_t)~ATTR_G;
    cpu_state_changed(k.c);
    RUN(&k, 0xd9, 0xc0);
    before = k.c->s;
    assert_int_equal(RUN(&k, 0xdd, 0x1f), EXC_GP); /* fstp qword */
    assert_memory_equal(&before, &k.c->s, sizeof before);
    assert_int_equal(RUN(&k, 0xdc, 0x07), EXC_GP); /* fadd qword */
    assert_int_equal(RUN(&k, 0xdd, 0x37), EXC_GP); /* fnsave */
    assert_int_equal(RUN(&k, 0xdf, 0x37), EXC_GP); /* fbstp */
    assert_memory_equal(&before, &k.c->s, sizeof before);
    assert_int_equal(RUN(&k, 0xd9, 0x1f), -1);
    case_close(&k);
}

/* ---- images ---- */

static void fill(struct fp_case *k)
{
    RUN(k, 0xdb, 0xe3);
    RUN(k, 0xd9, 0xe8); /* 1 */
    RUN(k, 0xd9, 0xee); /* 0 */
    RUN(k, 0xd9, 0x07); /* fld dword [edi] */
    k->c->s.fop = 0x5aa;
    k->c->s.fip = 0x12345;
    k->c->s.fcs = 0x1008;
    k->c->s.fdp = 0x6789a;
    k->c->s.fds = 0x2010;
}

static void test_images(void **state)
{
    struct fp_case k;
    struct cpu_state before;
    uint8_t *m;
    (void)state;
    case_open(&k);
    m = case_mem(&k);
    fill(&k);
    before = k.c->s;
    RUN(&k, 0xd9, 0x37); /* fnstenv, 32-bit protected */
    assert_int_equal(load_le32(m), 0xffff037f);
    assert_int_equal(load_le32(m + 4), 0xffff0000u | 5 << 11);
    assert_int_equal(load_le32(m + 8), 0xffff0000u | (0x13ff | 1 << 10)); /* 7: valid, 6, 5: zero */
    assert_int_equal(load_le32(m + 12), 0x12345);
    assert_int_equal(load_le32(m + 16), 0x05aa1008);
    assert_int_equal(load_le32(m + 20), 0x6789a);
    assert_int_equal(load_le32(m + 24), 0xffff2010);
    RUN(&k, 0xdb, 0xe3);
    assert_int_equal(RUN(&k, 0xd9, 0x27), -1); /* fldenv */
    assert_memory_equal(&before, &k.c->s, sizeof before);

    RUN(&k, 0x66, 0xd9, 0x37); /* 16-bit protected */
    assert_int_equal(load_le16(m + 6), 0x2345);
    assert_int_equal(load_le16(m + 8), 0x1008);
    assert_int_equal(load_le16(m + 10), 0x789a);
    assert_int_equal(load_le16(m + 12), 0x2010);

    /* real mode: linear addresses FCS * 16 + FIP = 223C5, FDS * 16 + FDP = 8799A */
    k.c->s.cr0 &= ~(uint64_t)CR0_PE;
    RUN(&k, 0xd9, 0x37);
    assert_int_equal(load_le32(m + 12), 0xffff23c5);
    assert_int_equal(load_le32(m + 16), 0x000025aa);
    assert_int_equal(load_le32(m + 20), 0xffff799a + 0x0);
    assert_int_equal(load_le32(m + 24), 0x00008000);
    RUN(&k, 0x66, 0xd9, 0x37);
    assert_int_equal(load_le16(m + 6), 0x23c5);
    assert_int_equal(load_le16(m + 8), 0x25aa);
    assert_int_equal(load_le16(m + 10), 0x799a);
    assert_int_equal(load_le16(m + 12), 0x8000);
    RUN(&k, 0x66, 0xd9, 0x27);
    assert_int_equal(k.c->s.fip, 0x223c5);
    assert_int_equal(k.c->s.fdp, 0x8799a);
    assert_int_equal(k.c->s.fop, 0x5aa);
    k.c->s.cr0 |= CR0_PE;

    /* fnsave, frstor: everything back, and FNINIT between */
    for (unsigned size = 0; size < 2; size++) {
        fill(&k);
        if (size) {
            k.c->s.fip &= 0xffff;
            k.c->s.fdp &= 0xffff;
            k.c->s.fop = 0;
        }
        before = k.c->s;
        assert_int_equal(size ? RUN(&k, 0x66, 0xdd, 0x37) : RUN(&k, 0xdd, 0x37), -1);
        assert_int_equal(k.c->s.ftag, 0);
        assert_int_equal(k.c->s.fcw, 0x37f);
        memset(k.c->s.st, 0x55, sizeof k.c->s.st);
        k.c->s.fop = 0;
        assert_int_equal(size ? RUN(&k, 0x66, 0xdd, 0x27) : RUN(&k, 0xdd, 0x27), -1);
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(before.st[i].se, k.c->s.st[i].se);
            assert_true(before.st[i].man == k.c->s.st[i].man);
        }
        assert_int_equal(before.ftag, k.c->s.ftag);
        assert_int_equal(before.fsw, k.c->s.fsw);
        assert_int_equal(before.fip, k.c->s.fip);
        assert_int_equal(before.fdp, k.c->s.fdp);
        assert_int_equal(before.fop, k.c->s.fop);
    }
    case_close(&k);
}

static void test_fldenv_raises_pending(void **state)
{
    struct fp_case k;
    uint8_t *m;
    (void)state;
    case_open(&k);
    m = case_mem(&k);
    RUN(&k, 0xd9, 0x37);
    store_le16(m, 0x37b);  /* ZE unmasked */
    store_le16(m + 4, 4);  /* and there */
    RUN(&k, 0xd9, 0x27);
    assert_int_equal(k.c->s.fsw & (FSW_ES | FSW_B), FSW_ES | FSW_B);
    assert_int_equal(RUN(&k, 0xd9, 0xe8), EXC_MF);
    RUN(&k, 0xd9, 0x37); /* fnstenv masks everything, after storing */
    assert_int_equal(load_le16(m), 0x37b);
    assert_int_equal(k.c->s.fcw & FP_ALL, FP_ALL);
    assert_int_equal(RUN(&k, 0xd9, 0xe8), -1);
    case_close(&k);
}

static void test_fxsave(void **state)
{
    struct fp_case k;
    struct cpu_state before;
    uint8_t *m;
    (void)state;
    case_open(&k);
    m = case_mem(&k);
    fill(&k);
    for (unsigned i = 0; i < 8; i++) {
        k.c->s.ymm[i][0] = rnd();
        k.c->s.ymm[i][1] = rnd();
        k.c->s.ymm[i][2] = rnd();
    }
    k.c->s.mxcsr = 0x1fbf;
    before = k.c->s;
    memset(m, 0xee, 512);
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x07), -1);
    assert_int_equal(load_le16(m), 0x37f);
    assert_int_equal(m[4], 0xe0);
    assert_int_equal(load_le32(m + 24), 0x1fbf);
    assert_int_equal(load_le32(m + 28), 0xffff);
    assert_int_equal(load_le16(m + 32 + 32 + 8), 0x3fff); /* ST(2) */
    assert_int_equal(m[511], 0xee);                       /* software's own */
    memset(k.c->s.st, 0, sizeof k.c->s.st);
    RUN(&k, 0xdb, 0xe3);
    k.c->s.mxcsr = 0x1f80;
    for (unsigned i = 0; i < 8; i++) {
        k.c->s.ymm[i][0] = k.c->s.ymm[i][1] = 0;
    }
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x0f), -1);
    for (unsigned i = 0; i < 8; i++) {
        assert_true(before.st[i].man == k.c->s.st[i].man && before.st[i].se == k.c->s.st[i].se);
    }
    assert_memory_equal(before.ymm, k.c->s.ymm, sizeof before.ymm);
    assert_int_equal(before.fsw, k.c->s.fsw);
    assert_int_equal(before.ftag, k.c->s.ftag);
    assert_int_equal(k.c->s.mxcsr, 0x1fbf);
    assert_int_equal(k.c->s.fip, 0x12345);
    /* reserved MXCSR bits, misalignment */
    m[26] = 1;
    before = k.c->s;
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x0f), EXC_GP);
    assert_memory_equal(&before, &k.c->s, sizeof before);
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x47, 0x08), EXC_GP);
    /* without OSFXSR the XMM registers stay out of it */
    m[26] = 0;
    k.c->s.cr4 = 0;
    memset(m, 0xee, 512);
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x07), -1);
    assert_int_equal(m[160], 0xee);
    case_close(&k);
}

static void test_stack_faults(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    assert_int_equal(RUN(&k, 0xd9, 0xe0), -1); /* fchs of nothing */
    assert_int_equal(k.c->s.fsw & 0x27f, FSW_SF | FP_IE);
    assert_int_equal(x87_get(k.c, 0).se, 0xffff);
    RUN(&k, 0xdb, 0xe3);
    for (unsigned i = 0; i < 9; i++) {
        RUN(&k, 0xd9, 0xe8);
    }
    assert_int_equal(k.c->s.fsw & 0x27f, FSW_SF | FP_IE | FSW_C1); /* the ninth overflows */
    assert_int_equal(x87_get(k.c, 0).se, 0xffff);
    assert_int_equal(x87_get(k.c, 1).se, 0x3fff);
    /* unmasked: nothing moves */
    RUN(&k, 0xdb, 0xe3);
    k.c->s.fcw &= (uint16_t)~FP_IE;
    assert_int_equal(RUN(&k, 0xdd, 0x1f), -1); /* fstp qword of nothing */
    assert_int_equal(x87_top(k.c), 0);
    assert_int_equal(k.c->s.fsw & (FSW_ES | FSW_SF | FP_IE), FSW_ES | FSW_SF | FP_IE);
    case_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_availability),
        cmocka_unit_test(test_pending_error),
        cmocka_unit_test(test_ferr_and_ignne),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_memory_fault_changes_nothing),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_fldenv_raises_pending),
        cmocka_unit_test(test_fxsave),
        cmocka_unit_test(test_stack_faults),
#if defined(CASE_HOST)
        cmocka_unit_test(test_masked_against_host),
        cmocka_unit_test(test_unmasked_against_host),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
