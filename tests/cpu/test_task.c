/* Task switches in detail: what is saved where, what is loaded, what belongs to whom.
 * The faults on the way: tests/guest/task.asm and test_far.c. */
#include "tests/cpu/prot_case.h"

enum { TSS_OLD = 0x3000, TSS_NEW = 0x3100, SEL_OLD = 0x28, SEL_NEW = 0x30 };

static struct cpu_rig *open_tasks(unsigned type_old, unsigned type_new)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu_state *s = cpu_state(r->cpu);
    prot_put(r, 0x500 + SEL_OLD, 8, prot_desc(TSS_OLD, 0x67, 0x80u | type_old | 2));
    prot_put(r, 0x500 + SEL_NEW, 8, prot_desc(TSS_NEW, 0x67, 0x80u | type_new));
    prot_put(r, 0x538, 8, prot_desc(0x3200, 0xff, 0x82)); /* 38: LDT */
    s->gdt_limit = 0x3f;
    s->tr = (struct seg){.sel = SEL_OLD, .attr = (uint16_t)(0x82u | type_old), .limit = 0x67,
                         .base = TSS_OLD};
    for (unsigned i = 0; i < 8; i++) {
        s->gpr[i] = 0xa0000000 + i * 0x01010101;
    }
    cpu_state_changed(r->cpu);
    return r;
}

static void fill_new32(struct cpu_rig *r)
{
    prot_put(r, TSS_NEW + 0x1c, 4, PROT_PD);
    prot_put(r, TSS_NEW + 0x20, 4, 0x5000);
    prot_put(r, TSS_NEW + 0x24, 4, 0x8d7 | FL_IF);
    for (unsigned i = 0; i < 8; i++) {
        prot_put(r, TSS_NEW + 0x28 + i * 4, 4, 0xb0000000 + i);
    }
    static const uint16_t seg[] = {0x10, 0x08, 0x10, 0x10, 0, 0x13};
    for (unsigned i = 0; i < 6; i++) {
        prot_put(r, TSS_NEW + 0x48 + i * 4, 2, seg[i] == 0x13 ? 0x23 : seg[i]);
    }
    prot_put(r, TSS_NEW + 0x60, 2, 0x38);
}

static bool jump(struct cpu_rig *r, enum task_why why, uint64_t *rip)
{
    struct desc d;
    struct cpu *c = r->cpu;
    assert_true(seg_fetch(c, SEL_NEW, EXC_GP, WHY_NONE, &d));
    *rip = 0;
    c->fault.pending = false;
    return task_switch(c, SEL_NEW, &d, why, 0x12345678, false, 0, rip);
}

static void thirty_two_bits(void **state)
{
    struct cpu_rig *r = open_tasks(9, 9);
    struct cpu *c = r->cpu;
    uint64_t rip;
    (void)state;
    fill_new32(r);
    flags_set_status(c, FL_CF | FL_ZF);
    assert_true(jump(r, TASK_JMP, &rip));
    assert_int_equal(rip, 0x5000);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(prot_get(r, TSS_OLD + 0x28 + i * 4, 4), 0xa0000000 + i * 0x01010101);
        assert_int_equal(c->s.gpr[i], 0xb0000000 + i);
    }
    assert_int_equal(prot_get(r, TSS_OLD + 0x20, 4), 0x12345678);
    assert_int_equal(prot_get(r, TSS_OLD + 0x24, 4), FL_1 | FL_CF | FL_ZF);
    assert_int_equal(prot_get(r, TSS_OLD + 0x4c, 2), 8);
    assert_int_equal(prot_get(r, TSS_OLD + 0x48, 2), 0x10);
    flags_sync(c);
    assert_int_equal(c->s.rflags, 0x8d7 | FL_IF);
    assert_int_equal(c->s.seg[SEG_FS].attr & ATTR_P, 0);
    assert_int_equal(c->s.seg[SEG_GS].sel, 0x23);
    assert_int_equal(c->s.ldtr.base, 0x3200);
    assert_int_equal(c->s.tr.sel, SEL_NEW);
    assert_int_equal(c->s.tr.attr & 0xf, 11);
    assert_true(c->s.cr0 & CR0_TS);
    assert_int_equal(prot_get(r, 0x500 + SEL_OLD + 5, 1), 0x89);
    assert_int_equal(prot_get(r, 0x500 + SEL_NEW + 5, 1), 0x8b);
    assert_int_not_equal(c->s.cr3, PROT_PD); /* without paging CR3 is left alone */
    cpu_rig_destroy(r);
}

static void sixteen_bits(void **state)
{
    struct cpu_rig *r = open_tasks(1, 1);
    struct cpu *c = r->cpu;
    uint64_t rip;
    (void)state;
    prot_put(r, 0x500 + SEL_NEW, 8, prot_desc(TSS_NEW, 0x2b, 0x81));
    prot_put(r, TSS_NEW + 0x0e, 2, 0x5678);
    prot_put(r, TSS_NEW + 0x10, 2, 0x4202 & ~FL_NT);
    for (unsigned i = 0; i < 8; i++) {
        prot_put(r, TSS_NEW + 0x12 + i * 2, 2, 0xc000 + i);
    }
    static const uint16_t seg[] = {0x10, 0x08, 0x10, 0x10};
    for (unsigned i = 0; i < 4; i++) {
        prot_put(r, TSS_NEW + 0x22 + i * 2, 2, seg[i]);
    }
    prot_put(r, TSS_OLD + 0x2c, 4, 0x11223344); /* behind a 16-bit TSS: not ours */
    assert_true(jump(r, TASK_CALL, &rip));
    assert_int_equal(rip, 0x5678);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(prot_get(r, TSS_OLD + 0x12 + i * 2, 2), (i * 0x01010101) & 0xffff);
        assert_int_equal(c->s.gpr[i] & 0xffff, 0xc000 + i);
    }
    assert_int_equal(prot_get(r, TSS_OLD + 0x0e, 2), 0x5678);
    assert_int_equal(prot_get(r, TSS_OLD + 0x28, 2), 0x10);
    assert_int_equal(prot_get(r, TSS_OLD + 0x2c, 4), 0x11223344);
    assert_int_equal(prot_get(r, TSS_NEW, 2), SEL_OLD);
    assert_true(c->s.rflags & FL_NT);
    assert_int_equal(prot_get(r, 0x500 + SEL_OLD + 5, 1), 0x83);
    assert_int_equal(c->s.seg[SEG_FS].sel, 0);
    assert_int_equal(c->s.seg[SEG_GS].sel, 0);
    cpu_rig_destroy(r);
}

static void limits_by_type(void **state)
{
    static const struct {
        unsigned type, limit;
        bool ok;
    } rows[] = {{9, 0x67, true}, {9, 0x66, false}, {1, 0x2b, true}, {1, 0x2a, false}};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct cpu_rig *r = open_tasks(9, rows[i].type);
        uint64_t rip;
        fill_new32(r);
        if (rows[i].type == 1) {
            prot_put(r, TSS_NEW + 0x24, 2, 8);
            prot_put(r, TSS_NEW + 0x26, 2, 0x10);
            prot_put(r, TSS_NEW + 0x22, 2, 0x10);
            prot_put(r, TSS_NEW + 0x28, 2, 0x10);
            prot_put(r, TSS_NEW + 0x2a, 2, 0);
        }
        prot_put(r, 0x500 + SEL_NEW, 8, prot_desc(TSS_NEW, rows[i].limit, 0x80u | rows[i].type));
        assert_int_equal(jump(r, TASK_JMP, &rip), rows[i].ok);
        if (!rows[i].ok) {
            assert_int_equal(r->cpu->fault.vector, EXC_TS);
            assert_int_equal(r->cpu->fault.error, SEL_NEW);
            assert_int_equal(r->cpu->s.tr.sel, SEL_OLD);
        }
        cpu_rig_destroy(r);
    }
}

static void address_space_and_debug(void **state)
{
    struct cpu_rig *r = open_tasks(9, 9);
    struct cpu *c = r->cpu;
    uint64_t rip;
    (void)state;
    fill_new32(r);
    cpu_rig_paging(r, PROT_PD);
    cpu_rig_paging(r, PROT_PD + 0x10000); /* the old task's */
    prot_put(r, TSS_NEW + 0x64, 2, 1); /* T */
    c->s.dr[7] = 0x755;
    assert_true(jump(r, TASK_JMP, &rip));
    assert_int_equal(c->s.cr3, PROT_PD);
    assert_int_equal(c->s.dr[7], 0x600);
    assert_int_equal(c->s.pending_dr6, 0x8000);
    assert_true(c->exit_word & EXIT_TRAP);
    cpu_rig_destroy(r);
}

static void faults_of_the_new_task_say_its_eip(void **state)
{
    struct cpu_rig *r = open_tasks(9, 9);
    uint64_t rip;
    (void)state;
    fill_new32(r);
    prot_put(r, TSS_NEW + 0x54, 2, 0x40); /* DS outside the GDT */
    assert_false(jump(r, TASK_JMP, &rip));
    assert_int_equal(rip, 0x5000);
    assert_int_equal(r->cpu->fault.vector, EXC_TS);
    assert_int_equal(r->cpu->fault.error, 0x40);
    assert_int_equal(r->cpu->s.tr.sel, SEL_NEW);
    assert_int_equal(r->cpu->s.seg[SEG_CS].sel, 8);
    assert_true(r->cpu->s.seg[SEG_CS].attr & ATTR_P);
    assert_false(r->cpu->s.seg[SEG_DS].attr & ATTR_P);
    cpu_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_two_bits),
        cmocka_unit_test(sixteen_bits),
        cmocka_unit_test(limits_by_type),
        cmocka_unit_test(address_space_and_debug),
        cmocka_unit_test(faults_of_the_new_task_say_its_eip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
