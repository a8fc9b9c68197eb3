/* MMX, SSE and SSE2 instructions: against the host's processor where that is an x86-64, and the
 * faults it cannot show against the manual. */
#include "tests/cpu/fp_case.h"

static uint64_t rng = 0x452821e638d01377;
static uint64_t rnd(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

#if defined(CASE_HOST)
static uint32_t word32(void)
{
    static const uint32_t f[] = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000,
                                 0x7fc00000, 0xffc00001, 0x7f800001, 1, 0x807fffff, 0x00800000,
                                 0x7f7fffff, 0x4f000000, 0xcf000000, 0x4effffff, 0x3fc00000,
                                 0xffffffff, 0x7fff8000, 0x80007fff, 0x00ff8001};
    switch (rnd() & 3) {
    case 0: return f[rnd() % ARRAY_LEN(f)];
    case 1: return (uint32_t)rnd();
    default: return (uint32_t)((rnd() & 0x807fffff) | (112 + rnd() % 48) << 23);
    }
}
static uint64_t word64(void)
{
    static const uint64_t d[] = {0x3ff0000000000000, 0xbff8000000000000, 0x7ff0000000000000,
                                 0xfff0000000000000, 0x7ff8000000000000, 0xfff0000000000001, 1,
                                 0x800fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff,
                                 0x41dfffffffc00000, 0xc1e0000000000000, 0x41e0000000000000,
                                 0x3690000000000000, 0x380fffffffffffff, 0x47efffffffffffff, 0};
    switch (rnd() & 7) {
    case 0: return d[rnd() % ARRAY_LEN(d)];
    case 1: return rnd() & 0x3f; /* shift counts */
    case 2: case 3: return (rnd() & 0x800fffffffffffff) | (1000 + rnd() % 60) << 52;
    default: return word32() | (uint64_t)word32() << 32;
    }
}

static void random_image(struct fp_image *m, bool unmasked)
{
    uint32_t mxcsr = (uint32_t)(0x1f80 | (rnd() & 0xe07f)); /* any RC, FTZ, DAZ, sticky flags */

    if (!(rnd() & 3)) {
        mxcsr &= ~0x8040u;
    }
    if (unmasked) {
        mxcsr &= (uint32_t)(~0x1fbfu | rnd()); /* unmasked, with fewer flags there already */
        mxcsr &= ~(~mxcsr >> 7 & 0x3f);
    }
    memset(m, 0, sizeof *m);
    store_le16(m->fx, 0x37f);
    store_le16(m->fx + 2, (uint16_t)(rnd() & 0x7f00));
    m->fx[4] = (uint8_t)rnd();
    store_le32(m->fx + 24, mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        store_le64(m->fx + 32 + i * 16, word64());
        store_le16(m->fx + 40 + i * 16, (uint16_t)rnd());
        store_le64(m->fx + 160 + i * 16, word64());
        store_le64(m->fx + 168 + i * 16, word64());
    }
    for (unsigned i = 0; i < CASE_LEN; i += 8) {
        store_le64(m->mem + i, word64());
    }
    m->eax = rnd() & 3 ? rnd() & 0xffffffff : word32();
    m->flags = rnd() & FL_STATUS;
}

/* What AMD does not keep in an FXSAVE image, and what is nobody's. */
static void forgive(struct fp_image *m)
{
    memset(m->fx + 5, 0, 19);
    memset(m->fx + 28, 0, 4);
    memset(m->fx + 288, 0, 224);
    for (unsigned i = 0; i < 8; i++) {
        memset(m->fx + 42 + i * 16, 0, 6);
    }
}

static void explain(const uint8_t *code, unsigned len, unsigned op, const struct fp_image *b,
                    const struct fp_image *g, const struct fp_image *h, int vector)
{
    fprintf(stderr, "%s:", op_name(op));
    for (unsigned i = 0; i < len; i++) {
        fprintf(stderr, " %02x", code[i]);
    }
    fprintf(stderr, " vector %d\n", vector);
    for (unsigned i = 0; i < sizeof *b; i += 8) {
        const uint8_t *x = (const uint8_t *)b + i, *y = (const uint8_t *)g + i,
                      *z = (const uint8_t *)h + i;
        if (memcmp(y, z, 8) || (i >= 160 && i < 288)) {
            fprintf(stderr, "  %s%3u %016llx -> %016llx host %016llx\n",
                    memcmp(y, z, 8) ? "*" : " ", i, (unsigned long long)load_le64(x),
                    (unsigned long long)load_le64(y), (unsigned long long)load_le64(z));
        }
    }
}

/* RCPPS and RSQRTPS are ours; STMXCSR, LDMXCSR and FXSAVE have their own tests. */
static bool skipped(const struct insn *in)
{
    switch (in->op) {
    case OP_rcpps: case OP_rcpss: case OP_rsqrtps: case OP_rsqrtss:
        return true;
    default:
        break;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (in->o[i].kind == OPND_GPR && in->o[i].reg != REG_AX) {
            return true; /* the host side lends EAX only */
        }
    }
    return in->op < OP_movd && in->op != OP_emms;
}

static void against_host(bool unmasked, unsigned rounds)
{
    static uint8_t said[OP_COUNT];
    static const uint8_t prefix[] = {0, 0x66, 0xf3, 0xf2};
    struct fp_case k;
    unsigned wrong = 0, ran = 0, faulted = 0;

    memset(said, 0, sizeof said);
    case_open(&k);
    k.c->feat = cpuid_model("vitrine32")->feat; /* up to SSE2: test_avx.c and the oracle go on */
    for (unsigned n = 0; n < rounds; n++) {
        for (unsigned m = 0; m < 4 * 256 * 4; m++) { /* 0F xx, each prefix, four operand pairs */
            uint8_t code[16] = {0};
            unsigned len = 0, op;
            struct fp_image before, g, h;
            struct insn in;
            int vector;
            bool ok;

            if (prefix[m & 3]) {
                code[len++] = prefix[m & 3];
            }
            code[len++] = 0x0f;
            code[len++] = (uint8_t)(m >> 4);
            switch (m >> 2 & 3) {
            case 0: code[len++] = (uint8_t)(7 | (rnd() & 7) << 3); break; /* [edi] */
            case 1: code[len++] = 0xc0 | (uint8_t)(rnd() & 7) << 3; break;
            default: code[len++] = (uint8_t)(0xc0 | rnd() % 64); break;
            }
            code[len] = (uint8_t)(rnd() & 3 ? rnd() & 31 : rnd()); /* an immediate, perhaps */
            assert_int_equal(decode(code, sizeof code, DECODE_32, &k.c->feat, &in), DECODE_OK);
            if (in.op == OP_ud || skipped(&in)) {
                continue;
            }
            random_image(&before, unmasked);
            g = h = before;
            case_load(&k, &before);
            vector = case_run(&k, code, in.len, &op);
            case_store(&k, &g);
            ok = host_run(code, in.len, &h);
            ran++;
            faulted += !ok;
            forgive(&g);
            forgive(&h);
            if (memcmp(&g, &h, sizeof g) || vector != (ok ? -1 : EXC_XM)) {
                wrong++;
                if (!said[op]) {
                    said[op] = 1;
                    explain(code, in.len, op, &before, &g, &h, vector);
                }
            }
        }
    }
    case_close(&k);
    printf("%u instructions, %u with #XM, %u differ\n", ran, faulted, wrong);
    assert_true(ran > rounds * 500);
    assert_true(unmasked ? faulted > rounds : faulted == 0);
    assert_int_equal(wrong, 0);
}
static void test_masked_against_host(void **state)
{
    (void)state;
    against_host(false, 600);
}
static void test_unmasked_against_host(void **state)
{
    (void)state;
    against_host(true, 150);
}
#endif

/* ---- faults ---- */

static void test_availability(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    k.c->s.cr4 &= ~(uint64_t)CR4_OSFXSR;
    assert_int_equal(RUN(&k, 0x0f, 0x28, 0xc1), EXC_UD);       /* movaps */
    assert_int_equal(RUN(&k, 0x66, 0x0f, 0xef, 0xc1), EXC_UD); /* pxor xmm */
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x17), EXC_UD);       /* ldmxcsr */
    assert_int_equal(RUN(&k, 0x0f, 0xef, 0xc1), -1);           /* pxor mm: no matter */
    k.c->s.cr4 |= CR4_OSFXSR;
    k.c->s.cr0 |= CR0_TS;
    assert_int_equal(RUN(&k, 0x0f, 0x28, 0xc1), EXC_NM);
    assert_int_equal(RUN(&k, 0x0f, 0xef, 0xc1), EXC_NM);
    k.c->s.cr0 |= CR0_EM;
    assert_int_equal(RUN(&k, 0x0f, 0x28, 0xc1), EXC_UD); /* before #NM */
    assert_int_equal(RUN(&k, 0x0f, 0xef, 0xc1), EXC_UD);
    case_close(&k);
}

static void test_alignment(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    assert_int_equal(RUN(&k, 0x0f, 0x28, 0x47, 0x08), EXC_GP);       /* movaps xmm0, [edi+8] */
    assert_int_equal(RUN(&k, 0x0f, 0x29, 0x47, 0x08), EXC_GP);       /* store */
    assert_int_equal(RUN(&k, 0x0f, 0x58, 0x47, 0x08), EXC_GP);       /* addps */
    assert_int_equal(RUN(&k, 0x66, 0x0f, 0xef, 0x47, 0x08), EXC_GP); /* pxor */
    assert_int_equal(RUN(&k, 0x66, 0x0f, 0xe7, 0x47, 0x08), EXC_GP); /* movntdq */
    assert_int_equal(RUN(&k, 0x0f, 0x10, 0x47, 0x08), -1);           /* movups */
    assert_int_equal(RUN(&k, 0xf3, 0x0f, 0x58, 0x47, 0x03), -1);     /* addss */
    assert_int_equal(RUN(&k, 0x0f, 0x12, 0x47, 0x03), -1);           /* movlps */
    assert_int_equal(RUN(&k, 0x0f, 0x5a, 0x47, 0x03), -1);           /* cvtps2pd, 8 bytes */
    assert_int_equal(RUN(&k, 0x0f, 0xef, 0x47, 0x03), -1);           /* pxor mm */
    /* it is the linear address that counts */
    k.c->s.seg[SEG_DS].base = 8;
    cpu_state_changed(k.c);
    assert_int_equal(RUN(&k, 0x0f, 0x28, 0x47, 0x08), -1);
    assert_int_equal(RUN(&k, 0x0f, 0x28, 0x07), EXC_GP);
    case_close(&k);
}

static void test_simd_exception(void **state)
{
    struct fp_case k;
    struct cpu_state before;
    (void)state;
    case_open(&k);
    k.c->s.mxcsr = 0x1f80 & ~(FP_ZE << 7);
    k.c->s.ymm[0][0] = 0x3f8000003f800000;
    k.c->s.ymm[1][0] = 0x0000000040000000;
    before = k.c->s;
    assert_int_equal(RUN(&k, 0x0f, 0x5e, 0xc1), EXC_XM); /* divps: an unmasked division by zero */
    assert_int_equal(k.c->s.mxcsr & FP_ALL, FP_ZE | FP_IE); /* lanes 2 and 3: 0/0 */
    assert_memory_equal(before.ymm, k.c->s.ymm, sizeof before.ymm);
    k.c->s.cr4 &= ~(uint64_t)CR4_OSXMMEXCPT;
    assert_int_equal(RUN(&k, 0x0f, 0x5e, 0xc1), EXC_UD);
    case_close(&k);
}

static void test_mxcsr(void **state)
{
    struct fp_case k;
    uint8_t *m;
    (void)state;
    case_open(&k);
    m = case_mem(&k);
    store_le32(m, 0xffff);
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x17), -1);
    assert_int_equal(k.c->s.mxcsr, 0xffff);
    store_le32(m, 0x10000);
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x17), EXC_GP);
    assert_int_equal(k.c->s.mxcsr, 0xffff);
    assert_int_equal(RUN(&k, 0x0f, 0xae, 0x5f, 0x04), -1);
    assert_int_equal(load_le32(m + 4), 0xffff);
    case_close(&k);
}

static void test_upper_halves_stay(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    k.c->s.ymm[0][2] = 0x1122334455667788;
    k.c->s.ymm[0][3] = 0x99aabbccddeeff00;
    RUN(&k, 0x0f, 0x28, 0xc1);       /* movaps */
    RUN(&k, 0x0f, 0x58, 0xc1);       /* addps */
    RUN(&k, 0x66, 0x0f, 0x6e, 0xc0); /* movd */
    RUN(&k, 0xf3, 0x0f, 0x10, 0x07); /* movss load */
    assert_true(k.c->s.ymm[0][2] == 0x1122334455667788);
    assert_true(k.c->s.ymm[0][3] == 0x99aabbccddeeff00);
    case_close(&k);
}

static void test_fault_keeps_mmx_state(void **state)
{
    struct fp_case k;
    (void)state;
    case_open(&k);
    k.c->s.seg[SEG_DS].limit = CASE_MEM + 3;
    k.c->s.seg[SEG_DS].attr &= (uint16_t)~ATTR_G;
    cpu_state_changed(k.c);
    k.c->s.fsw = 3 << 11;
    k.c->s.ftag = 0x11;
    assert_int_equal(RUN(&k, 0x0f, 0x7f, 0x07), EXC_GP); /* movq [edi], mm0 */
    assert_int_equal(k.c->s.fsw, 3 << 11);
    assert_int_equal(k.c->s.ftag, 0x11);
    assert_int_equal(RUN(&k, 0x0f, 0x7e, 0x07), -1); /* movd [edi], mm0 */
    assert_int_equal(k.c->s.fsw, 0);
    assert_int_equal(k.c->s.ftag, 0xff);
    case_close(&k);
}

static void test_masked_store(void **state)
{
    struct fp_case k;
    uint8_t *m;
    (void)state;
    case_open(&k);
    m = case_mem(&k);
    memset(m, 0xee, 16);
    k.c->s.ymm[1][0] = 0x1716151413121110;
    k.c->s.ymm[1][1] = 0x1f1e1d1c1b1a1918;
    k.c->s.ymm[2][0] = 0x80007f0000000080;
    k.c->s.ymm[2][1] = 0xff00000000000000;
    assert_int_equal(RUN(&k, 0x66, 0x0f, 0xf7, 0xca), -1); /* maskmovdqu xmm1, xmm2 */
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(m[i], i == 0 || i == 7 || i == 15 ? 0x10 + i : 0xee);
    }
    case_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_availability),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_simd_exception),
        cmocka_unit_test(test_mxcsr),
        cmocka_unit_test(test_upper_halves_stay),
        cmocka_unit_test(test_fault_keeps_mmx_state),
        cmocka_unit_test(test_masked_store),
#if defined(CASE_HOST)
        cmocka_unit_test(test_masked_against_host),
        cmocka_unit_test(test_unmasked_against_host),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
