/* Flags by privilege, control registers by model, MSRs, ports and their permission map. */
#include "tests/cpu/prot_case.h"

static bool op(struct cpu_rig *r, const char *bytes, unsigned len)
{
    struct insn in;
    struct cpu *c = r->cpu;
    enum decode_mode m = c->mode & MODE_CODE32 ? DECODE_32 : DECODE_16;
    assert_int_equal(decode((const uint8_t *)bytes, len, m, NULL, &in), DECODE_OK);
    c->fault.pending = false;
    c->inhibit_next = 0;
    c->next_rip = c->s.rip + in.len;
    bool ok = exec_table[in.op](c, &in);
    assert_int_equal(ok, !c->fault.pending);
    return ok;
}
#define OP(r, s) op(r, s, sizeof(s) - 1)

enum where { REAL, PM, V86 };

/* POPF: which bits it may change, from the SDM's table of modes and privilege. */
static void popf_everywhere(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    (void)state;
    const uint64_t all = 0x3f7fd7;
    for (unsigned i = 0; i < 3 * 4 * 4 * 2 * 2 * 2; i++) {
        enum where w = i % 3;
        unsigned cpl = i / 3 & 3, iopl = i / 12 & 3, osize = i / 48 & 1 ? 4 : 2;
        bool vme = i / 96 & 1, ones = i / 192 & 1;
        if ((w == REAL && cpl) || (w == V86 && cpl != 3)) {
            continue;
        }
        c->s.cr0 = w == REAL ? c->s.cr0 & ~(uint64_t)CR0_PE : c->s.cr0 | CR0_PE;
        c->s.cr4 = vme ? CR4_VME : 0;
        c->s.cpl = (uint8_t)cpl;
        c->s.seg[SEG_SS].base = 0;
        uint64_t old = (ones ? 0 : all & ~(uint64_t)(FL_VM | FL_RF | FL_TF | FL_VIP | FL_VIF)) |
                       FL_1 | (w == V86 ? FL_VM : 0);
        old = (old & ~(uint64_t)FL_IOPL) | iopl << FL_IOPL_SHIFT;
        c->s.rflags = old;
        flags_set_status(c, (uint32_t)old);
        cpu_mode_update(c);
        c->s.gpr[REG_SP] = PROT_STACK;
        uint64_t image = ones ? 0xffffffff & ~(uint64_t)FL_TF : 0;
        prot_put(r, PROT_STACK, 4, image);
        bool ok = op(r, osize == 2 ? "\x66\x9d" : "\x9d", osize == 2 ? 2 : 1);
        bool allowed = w != V86 || iopl == 3 || (vme && osize == 2);
        assert_int_equal(ok, allowed);
        if (!ok) {
            assert_int_equal(c->fault.vector, EXC_GP);
            continue;
        }
        uint64_t mask = FL_STATUS | FL_DF | FL_NT | FL_TF | (osize == 4 ? FL_AC | FL_ID : 0);
        if (w == REAL || cpl == 0) {
            mask |= FL_IF | FL_IOPL;
        } else if (cpl <= iopl) {
            mask |= FL_IF;
        } else if (w == V86) {
            mask |= FL_VIF; /* VME: IF of the image */
            image = (image & ~(uint64_t)FL_VIF) | (image & FL_IF ? FL_VIF : 0);
        }
        uint64_t want = (old & ~mask) | (image & mask);
        flags_sync(c);
        assert_int_equal(c->s.rflags, (want & ~(uint64_t)FL_RF) | FL_1);
    }
    cpu_rig_destroy(r);
}

static void cli_sti_by_privilege(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    (void)state;
    for (unsigned i = 0; i < 4 * 4 * 2; i++) {
        unsigned cpl = i & 3, iopl = i >> 2 & 3;
        bool pvi = i >> 4;
        c->s.cpl = (uint8_t)cpl;
        c->s.cr4 = pvi ? CR4_PVI : 0;
        c->s.rflags = FL_1 | iopl << FL_IOPL_SHIFT;
        cpu_mode_update(c);
        bool real = cpl <= iopl, virt = !real && cpl == 3 && pvi;
        assert_int_equal(OP(r, "\xfb"), real || virt);
        assert_int_equal(c->s.rflags & (FL_IF | FL_VIF), real ? FL_IF : virt ? FL_VIF : 0);
        assert_int_equal(c->inhibit_next, real ? INHIBIT_STI : 0);
        assert_int_equal(OP(r, "\xfa"), real || virt);
        assert_int_equal(c->s.rflags & (FL_IF | FL_VIF), 0);
    }
    cpu_rig_destroy(r);
}

static void models_have_their_own_bits(void **state)
{
    static const struct {
        const char *model;
        bool cr4, ac, id;
    } rows[] = {
        {"386", false, false, false}, {"486", false, true, false}, {"pentium", true, true, true},
        {"pentium3", true, true, true},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct cpu_rig *r = prot_open(rows[i].model);
        struct cpu *c = r->cpu;
        c->s.gpr[REG_AX] = 0;
        bool ok = OP(r, "\x0f\x22\xe0"); /* MOV CR4, EAX */
        if (feat_has(&c->feat, FEAT_VME)) {
            assert_true(ok);
        } else {
            assert_int_equal(ok, rows[i].cr4);
            assert_int_equal(c->fault.vector, EXC_UD);
        }
        prot_put(r, PROT_STACK, 4, 0x240000);
        c->s.gpr[REG_SP] = PROT_STACK;
        assert_true(OP(r, "\x9d"));
        assert_int_equal(!!(c->s.rflags & FL_AC), feat_has(&c->feat, FEAT_I486));
        assert_int_equal(!!(c->s.rflags & FL_ID), feat_has(&c->feat, FEAT_CPUID));
        assert_int_equal(!!(c->s.rflags & FL_AC), rows[i].ac);
        c->s.gpr[REG_AX] = c->s.cr0 | CR0_WP | CR0_NE;
        assert_true(OP(r, "\x0f\x22\xc0"));
        assert_int_equal(!!(c->s.cr0 & CR0_WP), rows[i].ac);
        cpu_rig_destroy(r);
    }
}

static void cr0_rules(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        bool pe = i & 1, pg = i >> 1 & 1, nw = i >> 2 & 1, cd = i >> 3 & 1;
        uint64_t old = c->s.cr0;
        cpu_rig_paging(r, PROT_PD);
        c->s.cr0 = old;
        c->s.gpr[REG_AX] = (pe ? CR0_PE : 0) | (pg ? CR0_PG : 0) | (nw ? CR0_NW : 0) |
                           (cd ? CR0_CD : 0);
        bool good = (!pg || pe) && (!nw || cd);
        assert_int_equal(OP(r, "\x0f\x22\xc0"), good);
        assert_int_equal(c->s.cr0, good ? c->s.gpr[REG_AX] | CR0_ET : old);
        c->s.cr0 = CR0_PE | CR0_ET;
        cpu_mode_update(c);
    }
    c->s.gpr[REG_AX] = 0;
    assert_true(OP(r, "\x0f\x01\xf0")); /* LMSW cannot clear PE */
    assert_true(c->s.cr0 & CR0_PE);
    cpu_rig_destroy(r);
}

static void msrs(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    static const struct {
        uint32_t index;
        unsigned feat;
        uint64_t good, bad;
    } rows[] = {
        {0x174, FEAT_SEP, 0x10, 0}, {0x175, FEAT_SEP, 0x1234, 0}, {0x176, FEAT_SEP, 0x5678, 0},
        {0x277, FEAT_PAT, 0x0007040600070406, 0x0007040600070402},
        {0x2ff, FEAT_MTRR, 0xc06, 0xc02}, {0x200, FEAT_MTRR, 0x12345000 | 6, 0x12345000 | 7},
        {0x201, FEAT_MTRR, 0xff000800, 0xff000801}, {0x250, FEAT_MTRR, 0x0606060606060606, 0x02},
        {0x26f, FEAT_MTRR, 0x0505050505050505, 0xff}, {0x1b, FEAT_APIC, 0xfee00900, 0xfee00901},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (!feat_has(&c->feat, rows[i].feat)) {
            assert_false(msr_read(c, rows[i].index, &v));
            continue;
        }
        assert_true(msr_write(c, rows[i].index, rows[i].good));
        assert_true(msr_read(c, rows[i].index, &v));
        assert_int_equal(v, rows[i].good);
        if (rows[i].bad) {
            assert_false(msr_write(c, rows[i].index, rows[i].bad));
            assert_true(msr_read(c, rows[i].index, &v));
            assert_int_equal(v, rows[i].good);
        }
    }
    assert_true(msr_write(c, 0x10, 0x1122334455667788));
    assert_true(msr_read(c, 0x10, &v));
    assert_in_range(v, 0x1122334455667788, 0x1122334455667788 + 100);
    assert_false(msr_write(c, 0xfe, 0));
    assert_false(msr_read(c, 0x4b564d00, &v));
    c->s.gpr[REG_CX] = 0x4b564d00;
    assert_false(OP(r, "\x0f\x32"));
    assert_int_equal(c->fault.vector, EXC_GP);
    /* every index: a register that reads must not crash, and one that does not must not write */
    for (uint32_t i = 0; i < 0x2000; i++) {
        uint32_t index = i < 0x1000 ? i : 0xc0000000 + (i - 0x1000);
        if (index != 0x49 && !msr_read(c, index, &v)) { /* PRED_CMD is write-only */
            assert_false(msr_write(c, index, 0));
        }
    }
    cpu_rig_destroy(r);
}

static void io_permission_map(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    static const char *const insn[] = {"\xe4\x83", "\x66\xe5\x83", "\xe5\x83"}; /* IN 83h */
    (void)state;
    c->s.tr = (struct seg){.sel = 0x28, .attr = 0x8b, .limit = 0x68 + 0x12, .base = 0x3000};
    prot_put(r, 0x3066, 2, 0x68);
    c->s.cpl = 3;
    cpu_mode_update(c);
    for (unsigned map = 0; map < 1 << 8; map++) {
        prot_put(r, 0x3068 + 0x10, 2, map << 3); /* ports 83h..8Ah */
        for (unsigned k = 0; k < 3; k++) {
            unsigned size = 1u << k;
            bool ok = op(r, insn[k], k == 1 ? 3 : 2);
            assert_int_equal(ok, (map & ((1u << size) - 1)) == 0);
        }
    }
    prot_put(r, 0x3068 + 0x10, 2, 0);
    assert_true(OP(r, "\xe4\x83"));
    c->s.tr.limit = 0x68 + 0x10; /* the second byte is read too */
    assert_false(OP(r, "\xe4\x83"));
    c->s.tr.limit = 0x68 + 0x12;
    c->s.tr.attr = 0x83; /* a 16-bit TSS has no map */
    assert_false(OP(r, "\xe4\x83"));
    c->s.rflags |= FL_IOPL;
    assert_true(OP(r, "\xe4\x83"));
    cpu_rig_destroy(r);
}

static unsigned port_reads;
static uint64_t count_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev, (void)off, (void)size;
    port_reads++;
    return 0x5a;
}

static void ins_reads_no_port_in_vain(void **state)
{
    static const struct region_ops ops = {.read = count_read, .min_size = 1, .max_size = 4};
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    struct err err;
    struct region io = {.name = "count", .kind = REGION_IO, .base = 0x60, .len = 1, .ops = &ops,
                        .priority = 2};
    (void)state;
    assert_true(bus_map(r->ports, &io, &err));
    cpu_rig_paging(r, PROT_PD);
    prot_put(r, PROT_PD + 4096 + 0x20 * 4, 4, 0x20006);
    tlb_flush(c, false);
    c->s.gpr[REG_DX] = 0x60;
    c->s.gpr[REG_DI] = 0x20000;
    port_reads = 0;
    assert_false(OP(r, "\x6c")); /* INSB */
    assert_int_equal(c->fault.vector, EXC_PF);
    assert_int_equal(c->fault.error, 2);
    assert_int_equal(port_reads, 0);
    c->s.gpr[REG_DI] = 0x21000;
    c->s.gpr[REG_CX] = 2;
    c->s.rip = 0x1000;
    assert_true(OP(r, "\xf3\x6c"));
    assert_int_equal(c->next_rip, 0x1000); /* one iteration left */
    assert_true(OP(r, "\xf3\x6c"));
    assert_int_equal(c->next_rip, 0x1002);
    assert_true(OP(r, "\xf3\x6c"));
    assert_int_equal(port_reads, 2);
    assert_int_equal(c->s.gpr[REG_DI], 0x21002);
    assert_int_equal(prot_get(r, 0x21000, 2), 0x5a5a);
    bus_unmap(r->ports, &io);
    cpu_rig_destroy(r);
}

/* LAR, LSL, VERR, VERW never fault on a selector, whatever the table holds. */
static void probes_do_not_fault(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    (void)state;
    c->s.gdt_limit = 0x2ff;
    for (unsigned i = 0; i < 256 * 4 * 4; i++) {
        unsigned access = i & 255, rpl = i >> 8 & 3, cpl = i >> 10, dpl = access >> 5 & 3;
        prot_put(r, 0x600, 8, prot_desc(0x12345678, 0x54321, access));
        c->s.cpl = (uint8_t)cpl;
        cpu_mode_update(c);
        c->s.gpr[REG_CX] = 0x100 | rpl;
        c->s.gpr[REG_AX] = 0x77777777;
        unsigned type = access & 0x1f;
        bool seg = type & 0x10, code = (type & 0x18) == 0x18, conf = code && type & 4;
        bool seen = conf || (cpl <= dpl && rpl <= dpl);
        static const uint32_t lar = 0x1a3e, lsl = 0x0a0e; /* system types */
        bool is_lar = seen && (seg || lar >> (type & 15) & 1);
        bool is_lsl = seen && (seg || lsl >> (type & 15) & 1);
        assert_true(OP(r, "\x0f\x03\xc1"));
        assert_int_equal(flag_zf(c), is_lsl);
        assert_int_equal(c->s.gpr[REG_AX], is_lsl ? 0x54321 : 0x77777777);
        assert_true(OP(r, "\x0f\x02\xc1"));
        assert_int_equal(flag_zf(c), is_lar);
        if (is_lar) {
            assert_int_equal(c->s.gpr[REG_AX] & 0xff00, access << 8);
        }
        assert_true(OP(r, "\x0f\x00\xe1")); /* VERR CX */
        assert_int_equal(flag_zf(c), seen && seg && (!code || type & 2));
        assert_true(OP(r, "\x0f\x00\xe9")); /* VERW CX */
        assert_int_equal(flag_zf(c), seen && seg && !code && (type & 2) != 0);
    }
    cpu_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(popf_everywhere),
        cmocka_unit_test(cli_sti_by_privilege),
        cmocka_unit_test(models_have_their_own_bits),
        cmocka_unit_test(cr0_rules),
        cmocka_unit_test(msrs),
        cmocka_unit_test(io_permission_map),
        cmocka_unit_test(ins_reads_no_port_in_vain),
        cmocka_unit_test(probes_do_not_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
