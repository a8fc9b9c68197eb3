/* XSAVE and its kin by the rules of SDM Vol. 1, "Managing State Using the XSAVE Feature Set"; and
 * what a host process cannot show of the later integer instructions: RDRAND's seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the four above */
#include <cmocka.h>

#include "cpu/core.h"
#include "tests/rig/cpu_rig.h"

enum { AREA = 0x4000, CODE = 0x1000 };
#define AREA_PTR(r) ((r)->ram.host + AREA)

/* One instruction on the area (EBX points there), EDX:EAX = mask; the vector of its fault or -1. */
static int run_mode(struct cpu_rig *r, const char *insn, size_t len, uint32_t mask, uint32_t ebx)
{
    struct cpu_state *s = cpu_state(r->cpu);
    uint8_t code[16] = {0};
    memcpy(code, insn, len);
    code[len] = 0xf4; /* hlt */
    cpu_rig_load(r, CODE, code, sizeof code);
    s->rip = CODE;
    s->gpr[REG_AX] = mask;
    s->gpr[REG_DX] = 0;
    s->gpr[REG_BX] = ebx;
    s->activity = ACT_ACTIVE;
    cpu_state_changed(r->cpu);
    unsigned before = r->cpu->fault_count;
    cpu_rig_run(r, 1);
    return r->cpu->fault_count == before
               ? -1
               : r->cpu->faults[before % ARRAY_LEN(r->cpu->faults)].vector;
}
#define RUN(r, insn, mask) run_mode(r, insn, sizeof(insn) - 1, mask, AREA)
#define XSAVE "\x0f\xae\x23"
#define XSAVEOPT "\x0f\xae\x33"
#define XSAVEC "\x0f\xc7\x23"
#define XRSTOR "\x0f\xae\x2b"

static struct cpu_rig *make(void)
{
    struct cpu_rig *r = cpu_rig_create("max", 1 << 20);
    assert_non_null(r);
    cpu_rig_flat32(r, CODE, 0x9000);
    for (unsigned v = 0; v < 32; v++) {
        cpu_rig_gate(r, v, 0x2000, 0);
    }
    memset(r->ram.host + 0x2000, 0xf4, 16);
    struct cpu_state *s = cpu_state(r->cpu);
    s->cr4 |= CR4_OSXSAVE | CR4_OSFXSR;
    s->xcr0 = 7;
    s->fcw = 0x37f;
    s->ftag = 0;
    for (unsigned i = 0; i < 8; i++) {
        s->st[i] = (struct f80){0};
    }
    cpu_state_changed(r->cpu);
    return r;
}

static void fill(struct cpu_state *s)
{
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned q = 0; q < 4; q++) {
            s->ymm[i][q] = (uint64_t)(i + 1) << 32 | (q + 1);
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        s->st[i] = (struct f80){(uint64_t)1 << 63 | i, (uint16_t)(0x3fff + i)};
    }
    s->ftag = 0xa5;
    s->mxcsr = 0x1f81;
}

static void test_round_trip(void **state)
{
    static const struct {
        const char *insn;
        uint64_t comp;
    } how[] = {{XSAVE, 0}, {XSAVEOPT, 0}, {XSAVEC, (uint64_t)1 << 63 | 7}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(how); i++) {
        struct cpu_rig *r = make();
        struct cpu_state *s = cpu_state(r->cpu), before;
        fill(s);
        before = *s;
        memset(AREA_PTR(r), 0, 832);
        assert_int_equal(run_mode(r, how[i].insn, 3, 7, AREA), -1);
        assert_true(load_le64(AREA_PTR(r) + 512) == 7);
        assert_true(load_le64(AREA_PTR(r) + 520) == how[i].comp);
        assert_true(load_le64(AREA_PTR(r) + 576 + 16) == before.ymm[1][2]);
        memset(s->ymm, 0x5a, sizeof s->ymm);
        s->mxcsr = 0x1f80;
        assert_int_equal(RUN(r, XRSTOR, 7), -1);
        assert_int_equal(s->mxcsr, before.mxcsr);
        assert_int_equal(s->ftag, before.ftag);
        /* outside 64-bit mode the upper eight registers are not there */
        assert_memory_equal(s->ymm, before.ymm, 8 * 32);
        assert_true(s->ymm[8][0] == 0x5a5a5a5a5a5a5a5a && s->ymm[15][3] == 0x5a5a5a5a5a5a5a5a);
        for (unsigned k = 0; k < 8; k++) {
            assert_true(s->st[k].man == before.st[k].man && s->st[k].se == before.st[k].se);
        }
        cpu_rig_destroy(r);
    }
}

/* What is in its initial configuration: XSTATE_BV says so, XSAVEOPT and XSAVEC write nothing. */
static void test_init_optimization(void **state)
{
    static const char *const insns[] = {XSAVE, XSAVEOPT, XSAVEC};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(insns); i++) {
        struct cpu_rig *r = make();
        struct cpu_state *s = cpu_state(r->cpu);
        memset(s->ymm, 0, sizeof s->ymm);
        s->ymm[3][0] = 77;
        s->mxcsr = 0x1f80;
        memset(AREA_PTR(r), 0xcc, 832);
        memset(AREA_PTR(r) + 512, 0, 64);
        store_le64(AREA_PTR(r) + 512, 5);
        assert_int_equal(run_mode(r, insns[i], 3, 6, AREA), -1); /* without x87 */
        /* SSE is in use, AVX is not; the x87 bit: kept by XSAVE, cleared by XSAVEC */
        assert_true(load_le64(AREA_PTR(r) + 512) == (i == 2 ? 2 : 3));
        assert_int_equal(AREA_PTR(r)[0], 0xcc);
        assert_int_equal(load_le64(AREA_PTR(r) + 160 + 48), 77);
        assert_int_equal(AREA_PTR(r)[576], i == 0 ? 0 : 0xcc);
        assert_int_equal(load_le32(AREA_PTR(r) + 24), 0x1f80);
        /* and XRSTOR of it initialises */
        memset(s->ymm, 0x11, sizeof s->ymm);
        assert_int_equal(RUN(r, XRSTOR, 6), -1);
        assert_true(s->ymm[3][0] == 77 && s->ymm[3][2] == 0 && s->ymm[0][0] == 0);
        cpu_rig_destroy(r);
    }
}

static void test_faults(void **state)
{
    struct cpu_rig *r = make();
    struct cpu_state *s = cpu_state(r->cpu);
    (void)state;
#define HEADER(what)                                                                               \
    do {                                                                                           \
        memset(AREA_PTR(r), 0, 832);                                                               \
        store_le32(AREA_PTR(r) + 24, 0x1f80);                                                      \
        what;                                                                                      \
    } while (0)
    HEADER((void)0);
    assert_int_equal(RUN(r, XRSTOR, 7), -1);
    HEADER(AREA_PTR(r)[512] = 8); /* a component that XCR0 has not */
    assert_int_equal(RUN(r, XRSTOR, 7), EXC_GP);
    HEADER(AREA_PTR(r)[520] = 1); /* XCOMP_BV without the format bit */
    assert_int_equal(RUN(r, XRSTOR, 7), EXC_GP);
    HEADER(AREA_PTR(r)[530] = 1); /* standard form: bytes 23:8 of the header */
    assert_int_equal(RUN(r, XRSTOR, 7), EXC_GP);
    HEADER(AREA_PTR(r)[540] = 1); /* not looked at */
    assert_int_equal(RUN(r, XRSTOR, 7), -1);
    HEADER(store_le64(AREA_PTR(r) + 520, (uint64_t)1 << 63 | 7); AREA_PTR(r)[540] = 1);
    assert_int_equal(RUN(r, XRSTOR, 7), EXC_GP); /* but by the compacted form */
    HEADER(store_le64(AREA_PTR(r) + 520, (uint64_t)1 << 63 | 3); AREA_PTR(r)[512] = 4);
    assert_int_equal(RUN(r, XRSTOR, 7), EXC_GP);
    HEADER(store_le32(AREA_PTR(r) + 24, 0x10000)); /* MXCSR */
    assert_int_equal(RUN(r, XRSTOR, 1), -1);
    assert_int_equal(RUN(r, XRSTOR, 2), EXC_GP);
    assert_int_equal(RUN(r, XRSTOR, 4), EXC_GP);
    assert_int_equal(run_mode(r, XSAVE, 3, 7, AREA + 16), EXC_GP); /* 64-byte alignment */
    s->cr0 |= CR0_TS;
    assert_int_equal(RUN(r, XSAVE, 7), EXC_NM);
    s->cr4 &= ~(uint64_t)CR4_OSXSAVE;
    assert_int_equal(RUN(r, XSAVE, 7), EXC_UD);
    assert_int_equal(RUN(r, "\x0f\x01\xd0", 0), EXC_UD); /* XGETBV */
    s->cr4 |= CR4_OSXSAVE;
    s->cr0 &= ~(uint64_t)CR0_TS;
    s->gpr[REG_CX] = 0;
    assert_int_equal(RUN(r, "\x0f\x01\xd0", 0), -1);
    assert_int_equal(s->gpr[REG_AX], 7);
    assert_int_equal(RUN(r, "\x0f\x01\xd1", 5), EXC_GP); /* XSETBV: AVX without SSE */
    assert_int_equal(RUN(r, "\x0f\x01\xd1", 2), EXC_GP);
    assert_int_equal(RUN(r, "\x0f\x01\xd1", 15), EXC_GP);
    assert_int_equal(RUN(r, "\x0f\x01\xd1", 3), -1);
    assert_int_equal(s->xcr0, 3);
    cpu_rig_destroy(r);
}

/* A mask bit that XCR0 has not is no component. */
static void test_mask(void **state)
{
    struct cpu_rig *r = make();
    struct cpu_state *s = cpu_state(r->cpu);
    (void)state;
    fill(s);
    s->xcr0 = 3;
    memset(AREA_PTR(r), 0xcc, 832);
    memset(AREA_PTR(r) + 512, 0, 64);
    assert_int_equal(RUN(r, XSAVE, 0xffffffff), -1);
    assert_true(load_le64(AREA_PTR(r) + 512) == 3);
    assert_int_equal(AREA_PTR(r)[576], 0xcc);
    cpu_rig_destroy(r);
}

/* The numbers are a function of the seed; there is always one. */
static void test_rdrand(void **state)
{
    uint64_t first = 0;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct cpu_rig *r = make();
        struct cpu_state *s = cpu_state(r->cpu);
        s->rng = i == 2 ? 99 : 5;
        s->rflags |= FL_STATUS & ~FL_CF;
        assert_int_equal(RUN(r, "\x0f\xc7\xf1", 0), -1); /* rdrand ecx */
        s = cpu_state(r->cpu);
        assert_int_equal(s->rflags & FL_STATUS, FL_CF);
        uint64_t a = s->gpr[REG_CX];
        assert_int_equal(RUN(r, "\x0f\xc7\xf9", 0), -1); /* rdseed ecx */
        assert_true(s->gpr[REG_CX] != a && !(s->gpr[REG_CX] >> 32));
        if (i == 0) {
            first = a;
        } else {
            assert_int_equal(a == first, i == 1);
        }
        cpu_rig_destroy(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_init_optimization),
        cmocka_unit_test(test_faults),     cmocka_unit_test(test_mask),
        cmocka_unit_test(test_rdrand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
