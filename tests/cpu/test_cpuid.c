/* CPU models, CPUID answers, -cpu flags; reset state and the state list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the four above */
#include <cmocka.h>

#include "base/snap.h"
#include "cpu/core.h"
#include "tests/rig/cpu_rig.h"

static struct cpu *cpu_of(const char *name)
{
    struct cpu *c = calloc(1, sizeof *c);
    c->model = cpuid_model(name);
    assert_non_null(c->model);
    c->feat = c->model->feat;
    c->cpus = c->cores = c->threads = 1;
    cpu_state_reset(&c->s, c->model->signature);
    return c;
}

static void test_models(void **state)
{
    unsigned n = 0;
    (void)state;
    for (const struct cpu_model *m; (m = cpuid_models(n)) != NULL; n++) {
        assert_ptr_equal(cpuid_model(m->name), m);
        assert_int_equal(strlen(m->vendor), 12);
        assert_true(m->brand == NULL || strlen(m->brand) <= 48);
        assert_true(m->brand == NULL || m->max_ext_leaf >= 0x80000004);
        assert_true(feat_has(&m->feat, FEAT_I386));
        assert_int_equal(feat_has(&m->feat, FEAT_AMD), strcmp(m->vendor, "AuthenticAMD") == 0);
    }
    assert_true(n >= 7);
    assert_null(cpuid_model("pentium9"));
    assert_string_equal(cpuid_model(NULL)->name, "vitrine");
    assert_false(feat_has(&cpuid_model("vitrine32")->feat, FEAT_LM));
    assert_false(feat_has(&cpuid_model("386")->feat, FEAT_CPUID));
    assert_false(feat_has(&cpuid_model("486")->feat, FEAT_CPUID));
}

static void test_leaves(void **state)
{
    struct cpu *c = cpu_of("pentium3");
    uint32_t r[4], first[4];
    (void)state;
    cpuid_query(c, 0, 0, r);
    assert_int_equal(r[0], 2);
    assert_memory_equal(&r[1], "Genu", 4);
    assert_memory_equal(&r[3], "ineI", 4);
    assert_memory_equal(&r[2], "ntel", 4);
    cpuid_query(c, 1, 0, r);
    assert_int_equal(r[0], 0x673);
    assert_int_equal(r[2], 0);
    /* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE CMOV PAT PSE36 MMX FXSR SSE */
    assert_int_equal(r[3], 0x0383bbff);
    cpuid_query(c, 2, 0, first);
    assert_int_equal(first[0] & 0xff, 1);
    cpuid_query(c, 3, 0, r); /* past the end: the last basic leaf */
    assert_memory_equal(r, first, sizeof r);
    cpuid_query(c, 0x80000000, 0, r);
    assert_memory_equal(r, first, sizeof r);
    free(c);

    c = cpu_of("vitrine32");
    char brand[49] = {0};
    for (uint32_t i = 0; i < 3; i++) {
        cpuid_query(c, 0x80000002 + i, 0, r);
        memcpy(brand + 16 * i, r, 16);
    }
    assert_string_equal(brand, c->model->brand);
    cpuid_query(c, 0x80000001, 0, r);
    assert_int_equal(r[3], 1 << 20); /* NX */
    cpuid_query(c, 0x80000008, 0, r);
    assert_int_equal(r[0], 0x2024);
    cpuid_query(c, 1, 0, r);
    assert_int_equal(r[1] >> 8 & 0xff, 8);
    free(c);

    c = cpu_of("max");
    unsigned sizes[3];
    for (unsigned i = 0; i < 3; i++) {
        cpuid_query(c, 4, i, r);
        sizes[i] = ((r[1] >> 22) + 1) * ((r[1] & 0xfff) + 1) * (r[2] + 1);
    }
    assert_int_equal(sizes[0], 32 << 10);
    assert_int_equal(sizes[1], 32 << 10);
    assert_int_equal(sizes[2], 2 << 20);
    cpuid_query(c, 4, 3, r);
    assert_int_equal(r[0], 0);
    free(c);
}

static void test_dynamic_bits(void **state)
{
    struct err err = {0};
    struct cpu *c = cpu_of(NULL);
    uint32_t r[4];
    (void)state;
    c->apic_id = 5;
    cpuid_query(c, 1, 0, r);
    assert_true(r[3] & 1 << 9);
    assert_int_equal(r[1] >> 24, 5);
    assert_true(cpuid_apply_flags(&c->feat, "-apic", &err));
    cpuid_query(c, 1, 0, r);
    assert_false(r[3] & 1 << 9);
    assert_int_equal(r[1] >> 24, 0);
    assert_true(cpuid_apply_flags(&c->feat, "+apic", &err));
    c->s.apic_base &= ~(uint64_t)(1 << 11);
    cpuid_query(c, 1, 0, r);
    assert_false(r[3] & 1 << 9);
    c->s.cr4 |= CR4_OSXSAVE;
    cpuid_query(c, 1, 0, r);
    assert_true(r[2] & 1 << 27);
    free(c);
}

static void test_flags(void **state)
{
    struct err err = {0};
    struct cpu_features f = cpuid_model("pentium3")->feat, before = f;
    (void)state;
    assert_true(cpuid_apply_flags(&f, "+sse2,-pae,nx=on,CLFLUSH", &err));
    assert_true(feat_has(&f, FEAT_SSE2) && feat_has(&f, FEAT_NX) && feat_has(&f, FEAT_CLFLUSH));
    assert_false(feat_has(&f, FEAT_PAE));
    assert_true(cpuid_apply_flags(&f, "nx=off", &err));
    assert_false(feat_has(&f, FEAT_NX));
    assert_true(cpuid_apply_flags(&f, "+lm", &err));
    assert_true(feat_has(&f, FEAT_LM));
    assert_true(cpuid_apply_flags(&f, NULL, &err));
    assert_true(cpuid_apply_flags(&f, "", &err));

    f = before;
    assert_false(cpuid_apply_flags(&f, "+nx,+ssse2", &err));
    assert_string_equal(err.msg, "-cpu: no CPU feature \"ssse2\"; did you mean \"sse2\"?");
    assert_memory_equal(&f, &before, sizeof f); /* all or nothing */
    err = (struct err){0};
    assert_false(cpuid_apply_flags(&f, "+x2apic", &err)); /* known, but nothing executes it */
    assert_non_null(strstr(err.msg, "\"x2apic\" is not implemented"));
    err = (struct err){0};
    assert_false(cpuid_apply_flags(&f, "vendor=Cyrix", &err));
    assert_non_null(strstr(err.msg, "vendor=GenuineIntel"));
    err = (struct err){0};
    assert_false(cpuid_apply_flags(&f, "nx=maybe", &err));
    assert_non_null(strstr(err.msg, "nx=on"));
    err = (struct err){0};
    assert_false(cpuid_apply_flags(&f, "+", &err));
    err = (struct err){0};
    assert_false(cpuid_apply_flags(&f, "+i486", &err)); /* a generation is not a flag */
    /* hostile lengths */
    char *longname = malloc(4096);
    memset(longname, 'a', 4095);
    longname[4095] = 0;
    assert_false(cpuid_apply_flags(&f, longname, &err));
    free(longname);
}

/* The vendor is one bit for the string, the leaves that only AMD has, and what runs. */
static void test_vendor(void **state)
{
    struct err err = {0};
    struct cpu *c = cpu_of("x86-64-v2");
    uint32_t r[4];
    (void)state;
    cpuid_query(c, 0, 0, r);
    assert_memory_equal(&r[1], "Genu", 4);
    cpuid_query(c, 0x80000000, 0, r);
    assert_int_equal(r[1], 0);
    assert_true(cpuid_apply_flags(&c->feat, "+sha,vendor=AuthenticAMD,-sse3", &err));
    cpuid_query(c, 0, 0, r);
    assert_memory_equal(&r[1], "Auth", 4);
    assert_memory_equal(&r[3], "enti", 4);
    assert_memory_equal(&r[2], "cAMD", 4);
    cpuid_query(c, 0x80000000, 0, r);
    assert_memory_equal(&r[1], "Auth", 4);
    assert_true(feat_has(&c->feat, FEAT_SHA) && !feat_has(&c->feat, FEAT_SSE3));
    assert_true(cpuid_apply_flags(&c->feat, "vendor=GenuineIntel", &err));
    assert_false(feat_has(&c->feat, FEAT_AMD));
    free(c);
}

/* Several processors: HTT, the IDs' width, leaf 0Bh. */
static void test_topology(void **state)
{
    struct cpu *c = cpu_of("max");
    uint32_t r[4];
    (void)state;
    c->cpus = c->cores = 5;
    c->threads = 1;
    c->apic_id = 3;
    cpuid_query(c, 1, 0, r);
    assert_true(r[3] & 1 << 28);
    assert_int_equal(r[1] >> 16 & 0xff, 8);
    cpuid_query(c, 0xb, 0, r);
    assert_true(r[0] == 0 && r[1] == 1 && r[2] == 0x100 && r[3] == 3);
    cpuid_query(c, 0xb, 1, r);
    assert_true(r[0] == 3 && r[1] == 5 && r[2] == 0x201 && r[3] == 3);
    cpuid_query(c, 0xb, 2, r);
    assert_true(r[0] == 0 && r[1] == 0 && r[2] == 2);
    c->cpus = c->cores = 1;
    cpuid_query(c, 1, 0, r);
    assert_false(r[3] & 1 << 28);
    free(c);
}

static void test_xsave_leaf(void **state)
{
    struct err err = {0};
    struct cpu *c = cpu_of("x86-64-v3");
    uint32_t r[4];
    (void)state;
    cpuid_query(c, 0xd, 0, r);
    assert_true(r[0] == 7 && r[1] == 576 && r[2] == 832);
    c->s.xcr0 = 7;
    cpuid_query(c, 0xd, 0, r);
    assert_int_equal(r[1], 832);
    cpuid_query(c, 0xd, 2, r);
    assert_true(r[0] == 256 && r[1] == 576 && r[2] == 0);
    assert_true(cpuid_apply_flags(&c->feat, "-avx", &err));
    cpuid_query(c, 0xd, 0, r);
    assert_true(r[0] == 3 && r[2] == 576);
    free(c);
}

/* What CPUID reports and what the decoder takes come from the same bits. */
static void test_reported_is_decoded(void **state)
{
    static const struct {
        uint32_t leaf, reg, bit;
        uint8_t code[4];
    } checks[] = {{1, 3, 4, {0x0f, 0x31}},          {1, 3, 5, {0x0f, 0x32}},
                  {1, 3, 8, {0x0f, 0xc7, 0x08}},    {1, 3, 11, {0x0f, 0x34}},
                  {1, 3, 15, {0x0f, 0x40, 0xc0}},   {1, 3, 19, {0x0f, 0xae, 0x38}},
                  {1, 3, 23, {0x0f, 0x6f, 0xc0}},   {1, 3, 24, {0x0f, 0xae, 0x00}},
                  {1, 3, 25, {0x0f, 0x10, 0xc0}},   {1, 3, 26, {0x66, 0x0f, 0x10, 0xc0}},
                  {0x80000001, 3, 27, {0x0f, 0x01, 0xf9}}, {1, 2, 0, {0xf2, 0x0f, 0xf0, 0x00}},
                  {1, 2, 9, {0x0f, 0x38, 0x00, 0xc0}}, {1, 2, 12, {0xc4, 0xe2, 0x71, 0x98}},
                  {1, 2, 22, {0x0f, 0x38, 0xf0, 0x00}}, {1, 2, 23, {0xf3, 0x0f, 0xb8, 0xc0}},
                  {1, 2, 28, {0xc5, 0xf0, 0x58, 0xc0}}, {1, 2, 30, {0x0f, 0xc7, 0xf0}},
                  {7, 1, 8, {0xc4, 0xe2, 0x73, 0xf5}}};
    (void)state;
    for (unsigned m = 0; cpuid_models(m) != NULL; m++) {
        struct cpu *c = cpu_of(cpuid_models(m)->name);
        for (unsigned i = 0; i < ARRAY_LEN(checks); i++) {
            uint8_t code[15] = {0};
            uint32_t r[4] = {0};
            struct insn in;
            memcpy(code, checks[i].code, 4);
            if (feat_has(&c->feat, FEAT_CPUID) &&
                (checks[i].leaf < 0x80000000 || c->model->max_ext_leaf >= checks[i].leaf)) {
                cpuid_query(c, checks[i].leaf, 0, r);
            }
            assert_int_equal(decode(code, 15, DECODE_32, &c->feat, &in), DECODE_OK);
            assert_int_equal(in.op != OP_ud, r[checks[i].reg] >> checks[i].bit & 1);
        }
        free(c);
    }
}

static void test_reset(void **state)
{
    struct cpu_state s;
    (void)state;
    memset(&s, 0xa5, sizeof s);
    cpu_state_reset(&s, 0x673);
    assert_true(s.rip == 0xfff0 && s.seg[SEG_CS].base == 0xffff0000 && s.seg[SEG_CS].sel == 0xf000);
    assert_true(s.seg[SEG_CS].limit == 0xffff && s.seg[SEG_DS].base == 0);
    assert_true(s.gpr[REG_DX] == 0x673 && s.gpr[REG_AX] == 0 && s.rflags == 2);
    assert_true(s.cr0 == 0x60000010 && s.dr[6] == 0xffff0ff0 && s.dr[7] == 0x400);
    assert_true(s.fcw == 0x40 && s.fsw == 0 && s.ftag == 0xff && s.mxcsr == 0x1f80);
    assert_true(s.pat == 0x0007040600070406 && s.apic_base == 0xfee00900 && s.xcr0 == 1);
    assert_true(s.cpl == 0 && s.activity == ACT_ACTIVE && s.inhibit == 0);
}

/* Every byte of the state is in the list: change any of them, the hash changes and comes back. */
static uint64_t hash_of(struct cpu_state *s)
{
    struct snap snap;
    snap_init_hash(&snap);
    assert_true(snap_begin(&snap, "cpu", 1));
    cpu_state_snap(s, &snap);
    snap_end(&snap);
    return snap.hash;
}

static bool is_padding(size_t at)
{
    for (unsigned i = 0; i < 8; i++) {
        size_t f = offsetof(struct cpu_state, st) + i * sizeof(struct f80);
        if (at >= f + offsetof(struct f80, se) + 2 && at < f + sizeof(struct f80)) {
            return true;
        }
    }
    const struct {
        size_t after, before;
    } gaps[] = {
        {offsetof(struct cpu_state, idt_limit) + 2, offsetof(struct cpu_state, cr0)},
        {offsetof(struct cpu_state, sipi_vector) + 1, offsetof(struct cpu_state, pending_dr6)},
        {offsetof(struct cpu_state, ftag) + 1, offsetof(struct cpu_state, fop)},
        {offsetof(struct cpu_state, fds) + 2, offsetof(struct cpu_state, fip)},
        {offsetof(struct cpu_state, mxcsr) + 4, offsetof(struct cpu_state, ymm)},
        {offsetof(struct cpu_state, monitor) + 1, sizeof(struct cpu_state)}};
    for (unsigned i = 0; i < ARRAY_LEN(gaps); i++) {
        if (at >= gaps[i].after && at < gaps[i].before) {
            return true;
        }
    }
    return false;
}

static void test_state_list_is_complete(void **state)
{
    struct cpu_state s;
    (void)state;
    memset(&s, 0, sizeof s);
    uint64_t base = hash_of(&s);
    for (size_t i = 0; i < sizeof s; i++) {
        if (is_padding(i)) {
            continue;
        }
        ((uint8_t *)&s)[i] = 1;
        if (hash_of(&s) == base) {
            print_message("byte %zu of cpu_state is not in the list\n", i);
        }
        assert_true(hash_of(&s) != base);
        ((uint8_t *)&s)[i] = 0;
    }
    assert_true(hash_of(&s) == base);
}

static bool loads(struct cpu_state *s, struct cpu_state *to)
{
    struct snap out, in;
    snap_init_save(&out);
    assert_true(snap_begin(&out, "cpu", 1));
    cpu_state_snap(s, &out);
    snap_end(&out);
    snap_init_load(&in, out.buf, out.len);
    assert_true(snap_begin(&in, "cpu", 1));
    cpu_state_snap(to, &in);
    snap_end(&in);
    snap_fini(&out);
    return !in.failed;
}

static void test_state_is_checked(void **state)
{
    struct cpu_state s, to;
    (void)state;
    cpu_state_reset(&s, 0x673);
    s.gpr[3] = 0x12345678;
    s.st[2].man = 1;
    memset(&to, 0xff, sizeof to);
    assert_true(loads(&s, &to));
    assert_true(hash_of(&s) == hash_of(&to));
#define REFUSED(what)                                                                              \
    do {                                                                                           \
        cpu_state_reset(&s, 0x673);                                                                \
        what;                                                                                      \
        assert_false(loads(&s, &to));                                                              \
    } while (0)
    REFUSED(s.activity = 9);
    REFUSED(s.cpl = 4);
    REFUSED(s.cpl = 3);
    REFUSED(s.inhibit = 4);
    REFUSED(s.rflags = 0);
    REFUSED(s.rflags |= 1 << 3);
    REFUSED(s.cr0 |= CR0_PG);
    REFUSED(s.rflags |= FL_VM);
    REFUSED(s.efer |= EFER_LMA);
    REFUSED(s.mxcsr |= 1u << 31);
    REFUSED(s.gpr[2] |= (uint64_t)1 << 40);
    REFUSED(s.rip |= (uint64_t)1 << 40);
}

/* POPFD and IRETD of all ones: what of AC and ID stays is how software knows the processor. */
static void test_settable_flags(void **state)
{
    static const struct {
        const char *model;
        uint32_t flags;
    } want[] = {{"386", 0}, {"486", FL_AC}, {"pentium", FL_AC | FL_ID}, {NULL, FL_AC | FL_ID}};
    static const uint8_t code[] = {
        0x68, 0x02, 0x00, 0x24, 0x00,       /* push 240002h */
        0x9d, 0x9c, 0x5b,                   /* popfd; pushfd; pop ebx */
        0x6a, 0x02, 0x9d,                   /* push 2; popfd */
        0x68, 0x02, 0x00, 0x24, 0x00, 0x0e, /* push 240002h; push cs */
        0x68, 0x17, 0x10, 0x00, 0x00, 0xcf, /* push 1017h; iretd */
        0x9c, 0x59, 0xe6, 0xf4,             /* 1017h: pushfd; pop ecx; out f4h, al */
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
        struct cpu_rig *r = cpu_rig_create(want[i].model, 1 << 20);
        assert_non_null(r);
        cpu_rig_load(r, 0x1000, code, sizeof code);
        cpu_rig_flat32(r, 0x1000, 0x9000);
        cpu_rig_run(r, 100);
        assert_true(r->ended);
        assert_int_equal(r->cpu->s.gpr[3] & (FL_AC | FL_ID), want[i].flags);
        assert_int_equal(r->cpu->s.gpr[1] & (FL_AC | FL_ID), want[i].flags);
        cpu_rig_destroy(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_dynamic_bits),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_vendor),
        cmocka_unit_test(test_topology),
        cmocka_unit_test(test_xsave_leaf),
        cmocka_unit_test(test_reported_is_decoded),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_state_list_is_complete),
        cmocka_unit_test(test_state_is_checked),
        cmocka_unit_test(test_settable_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
