/* The opcode maps from the inside: every cell of every map, legacy and VEX, in every mode, with
 * every feature and with one missing, decodes as its row says or as OP_ud.  And what the
 * instructions of the maps 0F 38, 0F 3A and VEX give as operands, and where makers differ.  That
 * the rows say what the manuals say is test_decode's business (against capstone). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after the four above */
#include <cmocka.h>

#include "base/bits.h"
#include "cpu/opmap.h"
#include "cpu/state.h"

static void set_feature(struct cpu_features *f, unsigned which, bool on)
{
    if (which != FEAT_ALWAYS) {
        f->bits[which >> 6] &= ~(1ull << (which & 63));
        f->bits[which >> 6] |= (uint64_t)on << (which & 63);
    }
}

/* What the cell's splits ask for, and everything else. */
static struct cpu_features features_for(const struct opmap_iter *it)
{
    struct cpu_features f = {{~0ull, ~0ull, ~0ull, ~0ull}};
    set_feature(&f, FEAT_AMD, false);
    set_feature(&f, FEAT_CPUID, !(it->row->flags & F_OLD));
    set_feature(&f, it->with, true);
    set_feature(&f, it->without, false);
    return f;
}

static const char *describe(const struct opmap_iter *it, unsigned mode, const uint8_t *b)
{
    static char text[160];
    int n = snprintf(text, sizeof text, "%u-bit, %smap %u opcode %02x pfx %d reg %d row %s:",
                     16u << mode, it->vex ? "VEX " : "", it->map, it->opcode, it->pfx, it->reg,
                     op_name(it->op));
    for (unsigned i = 0; i < 12; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, " %02x", b[i]);
    }
    return text;
}

/* Operands to try: ModRM, vvvv, W, L, 67; the SIB's index differs from every register used. */
enum { PICKS = 12 * 2 * 2 * 2 * 2 };
static struct opmap_pick pick_of(unsigned n)
{
    static const uint8_t modrms[12] = {0x0c, 0x04, 0x00, 0x45, 0x86, 0xc8,
                                       0xc0, 0xd1, 0x1a, 0xe3, 0xfc, 0x6d};
    struct opmap_pick p = {.modrm = modrms[n % 12], .sib = 0xb0, .tail = {1, 2, 3, 4, 5, 6, 7, 8}};
    n /= 12;
    p.vvvv = n & 1 ? 3 : 0;
    p.w = n >> 1 & 1;
    p.l = n >> 2 & 1;
    p.p67 = n >> 3 & 1;
    return p;
}

/* How many of the picks decode as `op`; every other must be OP_ud. */
static unsigned count_as(const struct opmap_iter *it, unsigned mode, const struct cpu_features *f,
                         unsigned op)
{
    unsigned hits = 0;
    for (unsigned n = 0; n < PICKS; n++) {
        struct opmap_pick p = pick_of(n);
        uint8_t b[32];
        struct insn in;
        if (opmap_encode(it, (enum decode_mode)mode, &p, b) == 0) {
            continue;
        }
        assert_int_equal(decode(b, sizeof b, (enum decode_mode)mode, f, &in), DECODE_OK);
        if (in.op != op && in.op != OP_ud) {
            print_error("%s: is %s, not %s\n", describe(it, mode, b), op_name(in.op), op_name(op));
            fail();
        }
        if (op != OP_ud && in.op == op) {
            assert_int_equal(!!(in.flags & INSN_VEX), it->vex);
            hits++;
        }
    }
    return hits;
}

static void test_every_row_decodes(void **state)
{
    unsigned rows = 0, illegal = 0;
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++) {
        for (struct opmap_iter it = {0}; opmap_next(&it);) {
            struct cpu_features f = features_for(&it);
            if (it.op == OP_ud) {
                continue;
            }
            if (!opmap_mode_legal(&it, (enum decode_mode)mode)) {
                assert_int_equal(count_as(&it, mode, &f, OP_ud), 0);
                illegal++;
                continue;
            }
            if (count_as(&it, mode, &f, it.op) == 0) {
                print_error("never reached: %s\n", describe(&it, mode, (const uint8_t[16]){0}));
                fail();
            }
            rows++;
        }
    }
    print_message("%u rows decode, %u are illegal in their mode\n", rows, illegal);
    assert_true(rows > 4000 && illegal > 50);
}

static void test_every_empty_cell_is_undefined(void **state)
{
    unsigned cells = 0;
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++) {
        for (struct opmap_iter it = {0}; opmap_next(&it);) {
            if (it.op == OP_ud) {
                struct cpu_features f = features_for(&it);
                count_as(&it, mode, &f, OP_ud);
                cells++;
            }
        }
    }
    print_message("%u cells\n", cells);
    assert_true(cells > 6000);
}

/* Without the row's feature, and VEX without AVX or (256 bits) AVX2. */
static void test_missing_feature_is_undefined(void **state)
{
    unsigned gated = 0;
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++) {
        for (struct opmap_iter it = {0}; opmap_next(&it);) {
            struct cpu_features f = features_for(&it), less = f;
            if (it.op == OP_ud) {
                continue;
            }
            if (it.row->feat != FEAT_ALWAYS) {
                set_feature(&less, it.row->feat, false);
                assert_int_equal(count_as(&it, mode, &less, OP_ud), 0);
                gated++;
            }
            if (it.vex && !(it.row->vex & VEX_ONLY)) {
                less = f;
                set_feature(&less, FEAT_AVX, false);
                assert_int_equal(count_as(&it, mode, &less, OP_ud), 0);
            }
            if (it.vex && (it.row->vex & VEX_I256)) {
                less = f;
                set_feature(&less, FEAT_AVX2, false);
                it.l = 1;
                assert_int_equal(count_as(&it, mode, &less, OP_ud), 0);
            }
        }
    }
    assert_true(gated > 2500);
}

static bool row_uses_vvvv(const struct op_row *row)
{
    bool uses = false;
    for (unsigned i = 0; i < 4; i++) {
        uses |= letters[row->o[i]].cls == C_H || letters[row->o[i]].cls == C_B;
    }
    return uses;
}

/* #UD: the other VEX.L or W, vvvv where it has no use, a legacy prefix or REX in front. */
static void test_vex_rules(void **state)
{
    static const uint8_t front[] = {0x66, 0xf3, 0xf2, 0xf0, 0x48};
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++) {
        for (struct opmap_iter it = {0}; opmap_next(&it);) {
            if (!it.vex || it.op == OP_ud) {
                continue;
            }
            struct cpu_features f = features_for(&it);
            struct opmap_iter other = it;
            if (it.l >= 0) {
                other.l = !it.l;
                for (unsigned n = 0; n < PICKS; n++) { /* vzeroupper and vzeroall: each other's */
                    struct opmap_pick p = pick_of(n);
                    uint8_t b[32];
                    struct insn in;
                    opmap_encode(&other, (enum decode_mode)mode, &p, b);
                    decode(b, sizeof b, (enum decode_mode)mode, &f, &in);
                    assert_int_not_equal(in.op, it.op);
                }
            }
            if (it.row->vex & (VEX_W0 | VEX_W1)) {
                other = it;
                other.w = !it.w;
                for (unsigned n = 0; n < PICKS; n++) { /* W may pick another row */
                    struct opmap_pick p = pick_of(n);
                    uint8_t b[32];
                    struct insn in;
                    opmap_encode(&other, (enum decode_mode)mode, &p, b);
                    decode(b, sizeof b, (enum decode_mode)mode, &f, &in);
                    assert_int_not_equal(in.op, it.op);
                }
            }
            for (unsigned n = 0; n < PICKS; n++) {
                struct opmap_pick p = pick_of(n);
                uint8_t b[40];
                struct insn in;
                if (opmap_encode(&it, (enum decode_mode)mode, &p, b + 1) == 0) {
                    continue;
                }
                if (p.vvvv != 0 && !row_uses_vvvv(it.row)) {
                    decode(b + 1, 32, (enum decode_mode)mode, &f, &in);
                    assert_int_equal(in.op, OP_ud);
                }
                for (unsigned i = 0; i < (mode == DECODE_64 ? 5 : 4); i++) {
                    b[0] = front[i];
                    if (b[0] == 0x48 && p.p67) {
                        continue; /* REX counts only right in front of VEX */
                    }
                    decode(b, 33, (enum decode_mode)mode, &f, &in);
                    assert_int_equal(in.op, OP_ud);
                }
            }
        }
    }
}

static void test_every_op_is_mapped(void **state)
{
    static bool seen[OP_COUNT];
    (void)state;
    for (struct opmap_iter it = {0}; opmap_next(&it);) {
        seen[it.op] = true;
    }
    for (unsigned op = 0; op < OP_COUNT; op++) {
        if (!seen[op]) {
            print_error("not mapped: %s\n", op_name(op));
        }
        assert_true(seen[op]);
    }
}

/* ---- operands ---- */
static struct insn get(enum decode_mode mode, const char *hex, const struct cpu_features *f)
{
    uint8_t b[32];
    unsigned n = 0;
    struct insn in;
    for (const char *p = hex; *p != 0; p += p[2] == ' ' ? 3 : 2) {
        b[n++] = (uint8_t)strtoul((char[3]){p[0], p[1], 0}, NULL, 16);
    }
    assert_int_equal(decode(b, n, mode, f, &in), DECODE_OK);
    assert_int_equal(in.len, n);
    return in;
}

/* "addps x1.16 x2.16 m.16 [b,i*s]": kind, register, size; R: GPR, M: MMX, i: immediate */
static const char *show(const struct insn *in)
{
    static char text[160];
    static const char kinds[] = "?RHmiSCDsMxJF";
    size_t n = (size_t)snprintf(text, sizeof text, "%s%s/%u",
                                in->flags & INSN_VEX && op_name(in->op)[0] != 'v' ? "v" : "",
                                op_name(in->op), in->osize);
    for (unsigned i = 0; i < 4 && in->o[i].kind != OPND_NONE; i++) {
        const struct opnd *o = &in->o[i];
        if (o->kind == OPND_IMM) {
            n += (size_t)snprintf(text + n, sizeof text - n, " i%llx", (unsigned long long)in->imm);
        } else if (o->kind == OPND_MEM) {
            n += (size_t)snprintf(text + n, sizeof text - n, " m.%u", o->size);
        } else {
            n += (size_t)snprintf(text + n, sizeof text - n, " %c%u.%u", kinds[o->kind], o->reg,
                                  o->size);
        }
    }
    return text;
}

static void test_operands(void **state)
{
    static const struct {
        uint8_t mode;
        const char *hex, *what;
    } cases[] = {
#include "tests/cpu/opmap_cases.h"
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct insn in = get((enum decode_mode)cases[i].mode, cases[i].hex, NULL);
        if (strcmp(show(&in), cases[i].what) != 0) {
            print_error("%s: %s, expected %s\n", cases[i].hex, show(&in), cases[i].what);
            fail();
        }
    }
    struct insn in = get(DECODE_64, "c4 82 75 92 84 a2 44 33 22 11", NULL);
    assert_int_equal(in.base, 10); /* vgatherdps ymm0, [r10+ymm12*4+11223344h], ymm1 */
    assert_int_equal(in.index, 12);
    assert_int_equal(in.scale, 2);
    assert_int_equal(in.disp, 0x11223344);
    in = get(DECODE_64, "c4 e2 71 92 04 25 00 00 00 00", NULL); /* index xmm4: no SP here */
    assert_int_equal(in.index, 4);
    assert_int_equal(in.base, INSN_NOREG);
}

/* ---- makers ---- */
static void test_makers(void **state)
{
    static const struct {
        uint8_t mode;
        const char *hex, *intel, *amd; /* "" : OP_ud */
    } cases[] = {
        {DECODE_64, "66 eb 00", "jmp/8 J0.8", "jmp/2 J0.2"},
        {DECODE_64, "66 74 00", "jcc/8 J0.8", "jcc/2 J0.2"},
        {DECODE_64, "66 c3", "ret/8", "ret/2"},
        {DECODE_64, "66 c2 04 00", "ret/8 i4", "ret/2 i4"},
        {DECODE_64, "66 ff e0", "jmp/8 R0.8", "jmp/2 R0.2"},
        {DECODE_64, "66 ff 10", "call/8 m.8", "call/2 m.2"},
        {DECODE_64, "66 e2 fe", "loop/8 J0.8", "loop/2 J0.2"},
        {DECODE_64, "66 e3 fe", "jcxz/8 J0.8", "jcxz/2 J0.2"},
        {DECODE_64, "66 48 eb 00", "jmp/8 J0.8", "jmp/8 J0.8"},
        {DECODE_32, "66 eb 00", "jmp/2 J0.2", "jmp/2 J0.2"},
        {DECODE_64, "63 c1", "movsxd/4 R0.4 R1.4", "movsxd/4 R0.4 R1.4"},
        {DECODE_64, "66 63 c1", "movsxd/2 R0.2 R1.2", "movsxd/2 R0.2 R1.4"},
        {DECODE_64, "48 63 c1", "movsxd/8 R0.8 R1.4", "movsxd/8 R0.8 R1.4"},
        {DECODE_64, "48 0f b2 00", "lseg/8 R0.8 m.8 S2.2", "lseg/8 R0.8 m.8 S2.2"},
        {DECODE_64, "66 48 0f b4 00", "lseg/8 R0.8 m.8 S4.2", "lseg/8 R0.8 m.8 S4.2"},
        {DECODE_64, "48 ff 28", "jmp_far/8 m.8", "jmp_far/8 m.8"},
        {DECODE_64, "48 ff 18", "call_far/8 m.8", "call_far/8 m.8"},
        {DECODE_64, "0f 34", "sysenter/4", ""},
        {DECODE_64, "0f 35", "sysexit/4", "sysexit/4"},
        {DECODE_32, "0f 34", "sysenter/4", "sysenter/4"},
        {DECODE_64, "0f 05", "syscall/4", "syscall/4"},
        {DECODE_32, "0f 05", "", "syscall/4"},
        {DECODE_16, "0f 07", "", "sysret/2"},
        {DECODE_64, "48 0f 07", "sysret/8", "sysret/8"},
        {DECODE_32, "0f 0d c8", "prefetch/4 R0.4", ""},
        {DECODE_32, "0f 0d 08", "prefetch/4 m.4", "prefetch/4 m.0"},
    };
    struct cpu_features amd = {{~0ull, ~0ull, ~0ull, ~0ull}}, intel = amd;
    (void)state;
    set_feature(&intel, FEAT_AMD, false);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned who = 0; who < 3; who++) {
            const struct cpu_features *f = who == 0 ? NULL : who == 1 ? &intel : &amd;
            const char *want = who < 2 ? cases[i].intel : cases[i].amd;
            struct insn in = get((enum decode_mode)cases[i].mode, cases[i].hex, f);
            if (want[0] == 0 ? in.op != OP_ud : strcmp(show(&in), want) != 0) {
                print_error("%s: %s, expected %s\n", cases[i].hex, show(&in), want);
                fail();
            }
        }
    }
}

/* Without TZCNT and LZCNT the F3 is ignored. */
static void test_counts_fall_back(void **state)
{
    struct cpu_features f = {{~0ull, ~0ull, ~0ull, ~0ull}};
    (void)state;
    assert_int_equal(get(DECODE_32, "f3 0f bc c1", &f).op, OP_tzcnt);
    assert_int_equal(get(DECODE_32, "f3 0f bd c1", &f).op, OP_lzcnt);
    set_feature(&f, FEAT_BMI1, false);
    set_feature(&f, FEAT_LZCNT, false);
    assert_int_equal(get(DECODE_32, "f3 0f bc c1", &f).op, OP_bsf);
    assert_int_equal(get(DECODE_32, "f3 0f bd c1", &f).op, OP_bsr);
    assert_int_equal(get(DECODE_32, "f2 0f bc c1", NULL).op, OP_bsf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_decodes),
        cmocka_unit_test(test_every_empty_cell_is_undefined),
        cmocka_unit_test(test_missing_feature_is_undefined),
        cmocka_unit_test(test_vex_rules),
        cmocka_unit_test(test_every_op_is_mapped),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_makers),
        cmocka_unit_test(test_counts_fall_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
