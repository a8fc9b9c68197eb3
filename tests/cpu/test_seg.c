/* Segment register loads: every type, privilege and presence, against the SDM's rules. */
#include "tests/cpu/prot_case.h"

#define SLOT 0x600u /* descriptor 20h * 8 = 100h of the GDT */

static struct cpu_rig *open_seg(void)
{
    struct cpu_rig *r = prot_open(NULL);
    r->cpu->s.gdt_limit = 0x2ff;
    r->cpu->s.idt_base = 0x2000;
    return r;
}

/* All 32 types, 4 DPLs, 4 RPLs, P, at CPL 0..3, into DS and SS. */
static void every_descriptor(void **state)
{
    struct cpu_rig *r = open_seg();
    struct cpu *c = r->cpu;
    (void)state;
    for (unsigned i = 0; i < 32 * 4 * 4 * 2 * 4 * 2; i++) {
        unsigned type = i & 31, dpl = i >> 5 & 3, rpl = i >> 7 & 3, p = i >> 9 & 1,
                 cpl = i >> 10 & 3;
        unsigned seg = i >> 12 & 1 ? SEG_SS : SEG_DS, sel = 0x100 | rpl;
        prot_put(r, SLOT, 8, prot_desc(0x1000, 0xfff, type | dpl << 5 | p << 7));
        c->s.cpl = (uint8_t)cpl;
        c->s.seg[seg] = (struct seg){.sel = 0x10, .attr = 0xc093, .limit = 0xffffffff};
        cpu_mode_update(c);
        c->fault.pending = false;
        bool code = (type & 0x18) == 0x18, data = (type & 0x18) == 0x10;
        int want = -1;
        if (seg == SEG_SS) {
            if (!data || !(type & 2) || rpl != cpl || dpl != cpl) {
                want = EXC_GP;
            } else if (!p) {
                want = EXC_SS;
            }
        } else if (!(data || (code && type & 2))) {
            want = EXC_GP;
        } else if (!(code && type & 4) && (rpl > dpl || cpl > dpl)) {
            want = EXC_GP;
        } else if (!p) {
            want = EXC_NP;
        }
        bool ok = seg_load(c, seg, (uint16_t)sel);
        assert_int_equal(ok, want < 0);
        if (ok) {
            assert_int_equal(c->s.seg[seg].sel, sel);
            assert_int_equal(c->s.seg[seg].base, 0x1000);
            assert_int_equal(prot_get(r, SLOT + 5, 1) & 1, 1);
        } else {
            assert_int_equal(c->fault.vector, want);
            assert_int_equal(c->fault.error, 0x100);
            assert_int_equal(c->s.seg[seg].sel, 0x10);
            assert_int_equal(prot_get(r, SLOT + 5, 1) & 1, type & 1);
        }
    }
    cpu_rig_destroy(r);
}

struct span {
    unsigned attr;
    uint32_t limit;
    uint64_t first, last; /* good offsets; first > last: none */
    bool read, write;
};

static void limits(void **state)
{
    static const struct span spans[] = {
        {0x93, 0, 0, 0, true, true},
        {0x93, 0xffff, 0, 0xffff, true, true},
        {0x91, 0xff, 0, 0xff, true, false},
        {0xc093, 0, 0, 0xfff, true, true},
        {0xc093, 0xfffff, 0, 0xffffffff, true, true},
        {0x97, 0xfff, 0x1000, 0xffff, true, true},
        {0x95, 0xfff, 0x1000, 0xffff, true, false},
        {0x4097, 0xfff, 0x1000, 0xffffffff, true, true},
        {0xc097, 0xfffff, 1, 0, false, false},
        {0x97, 0xffff, 1, 0, false, false},
        {0x9b, 0xff, 0, 0xff, true, false},
        {0x99, 0xff, 1, 0, false, false},
        {0x9f, 0xff, 0, 0xff, true, false},
    };
    struct cpu_rig *r = open_seg();
    struct cpu *c = r->cpu;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(spans); i++) {
        const struct span *s = &spans[i];
        const struct seg_range *g = &c->range[SEG_ES];
        struct desc d = {.raw = prot_desc(0, s->limit, s->attr)};
        seg_set(c, SEG_ES, 0x100, &d);
        uint64_t v,
            off[] = {s->first - 1, s->first, s->last - 3, s->last - 2, s->last, s->last + 1};
        assert_int_equal(g->rd_lo <= g->rd_hi, s->read);
        assert_int_equal(g->wr_lo <= g->wr_hi, s->write);
        if (s->read) {
            assert_int_equal(g->rd_lo, s->first);
            assert_int_equal(g->rd_hi, s->last);
        }
        for (unsigned k = 0; k < ARRAY_LEN(off); k++) {
            for (unsigned size = 1; size <= 4; size *= 2) {
                uint64_t o = off[k] & 0xffffffff;
                bool in = s->first <= s->last && o >= s->first && o + size - 1 <= s->last;
                c->fault.pending = false;
                assert_int_equal(mem_read(c, SEG_ES, o, size, &v), s->read && in);
                if (!(s->read && in)) {
                    assert_int_equal(c->fault.vector, EXC_GP);
                    assert_int_equal(c->fault.error, 0);
                }
                c->fault.pending = false;
                assert_int_equal(mem_check_write(c, SEG_ES, o, size), s->write && in);
            }
        }
    }
    cpu_rig_destroy(r);
}

static void mode_word(void **state)
{
    struct cpu_rig *r = open_seg();
    struct cpu *c = r->cpu;
    struct desc d;
    (void)state;
    uint32_t flat = MODE_FLAT_CS | MODE_FLAT_DS | MODE_FLAT_ES | MODE_FLAT_SS;
    assert_int_equal(c->mode, MODE_CODE32 | MODE_STACK32 | MODE_PE | flat);
    d.raw = prot_desc(0, 0xfffff, 0xc091); /* read-only is not flat */
    seg_set(c, SEG_DS, 0x100, &d);
    assert_int_equal(c->mode & flat, flat & ~(uint32_t)MODE_FLAT_DS);
    d.raw = prot_desc(0x10, 0xfffff, 0xc093);
    seg_set(c, SEG_ES, 0x100, &d);
    assert_false(c->mode & MODE_FLAT_ES);
    d.raw = prot_desc(0, 0xfffff, 0x8093);
    seg_set(c, SEG_SS, 0x100, &d);
    assert_false(c->mode & MODE_STACK32);
    c->exit_word = 0;
    seg_set_null(c, SEG_ES, 0);
    assert_int_equal(c->exit_word & EXIT_MODE, 0);
    c->s.cpl = 3;
    cpu_mode_update(c);
    assert_true(c->mode & MODE_USER);
    assert_true(c->exit_word & EXIT_MODE);
    assert_ptr_equal(c->tlb_cur, c->tlb[1]);
    c->s.rflags |= FL_VM;
    cpu_mode_update(c);
    assert_int_equal(c->mode & (MODE_VM | MODE_PE), MODE_VM);
    cpu_rig_destroy(r);
}

static void real_mode_keeps_big_limits(void **state)
{
    struct cpu_rig *r = open_seg();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    c->s.cr0 &= ~(uint64_t)CR0_PE;
    cpu_mode_update(c);
    assert_true(seg_load(c, SEG_ES, 0x1234));
    assert_int_equal(c->s.seg[SEG_ES].base, 0x12340);
    assert_int_equal(c->s.seg[SEG_ES].limit, 0xffffffff);
    assert_true(mem_read(c, SEG_ES, 0x200000, 4, &v));
    cpu_reset(c);
    assert_true(seg_load(c, SEG_ES, 0x1234));
    assert_int_equal(c->s.seg[SEG_ES].limit, 0xffff);
    assert_false(mem_read(c, SEG_ES, 0xffff, 2, &v));
    assert_true(mem_write(c, SEG_CS, 0x10, 1, 1)); /* CS is writable here */
    cpu_rig_destroy(r);
}

static void null_and_tables(void **state)
{
    struct cpu_rig *r = open_seg();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    for (unsigned rpl = 0; rpl < 4; rpl++) {
        c->fault.pending = false;
        assert_true(seg_load(c, SEG_FS, (uint16_t)rpl));
        assert_false(mem_read(c, SEG_FS, 0, 1, &v));
        assert_int_equal(c->fault.vector, EXC_GP);
        assert_false(seg_load(c, SEG_SS, (uint16_t)rpl));
        assert_int_equal(c->fault.error, 0);
    }
    c->s.gdt_limit = 0x106; /* the last byte of slot 100h is missing */
    prot_put(r, SLOT, 8, prot_desc(0, 0xff, 0x93));
    assert_false(seg_load(c, SEG_ES, 0x100));
    assert_int_equal(c->fault.error, 0x100);
    c->s.gdt_limit = 0x107;
    assert_true(seg_load(c, SEG_ES, 0x100));
    assert_false(seg_load(c, SEG_ES, 0x104)); /* no LDT */
    assert_int_equal(c->fault.error, 0x104);
    c->s.ldtr = (struct seg){.sel = 0x50, .attr = 0x82, .limit = 0x107, .base = 0x500};
    assert_true(seg_load(c, SEG_ES, 0x104));
    cpu_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_descriptor),
        cmocka_unit_test(limits),
        cmocka_unit_test(mode_word),
        cmocka_unit_test(real_mode_keeps_big_limits),
        cmocka_unit_test(null_and_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
