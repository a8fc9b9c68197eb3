/* Far transfers, task switches, INT and IRET are all or nothing: each is run with every page that
 * it could touch taken away in turn.  It must fault with the whole state as before, and afterwards,
 * with the page back, end exactly as a run that never faulted. */
#include "tests/cpu/prot_case.h"

enum {
    GDT_AT = 0x20000, IDT_AT = 0x21000, TSS_A = 0x30000, TSS_B = 0x31000, STACK0 = 0x41000,
    STACK3 = 0x51000, STACK_B = 0x61000, CODE_AT = 0x70000, STRADDLE = 0x30fd0
};
enum { CS0 = 0x08, DS0 = 0x10, CS3 = 0x1b, DS3 = 0x23, TSSA = 0x28, TSSB = 0x30, CALLG = 0x3b,
       TASKG = 0x43, CONF = 0x4b };

static const uint32_t pages[] = {0x20000, 0x21000, 0x30000, 0x31000, 0x40000, 0x41000, 0x50000,
                                 0x51000, 0x60000};

struct scene {
    const char *name;
    uint8_t code[8];
    bool ring3, nt, to_v86;
    unsigned faults; /* how many of the pages must turn out to be needed, at least */
};

static const struct scene scenes[] = {
    {"int from ring 3", {0xcd, 0x40}, true, false, false, 4},
    {"int, same level", {0xcd, 0x40}, false, false, false, 3},
    {"int through a task gate", {0xcd, 0x41}, true, false, false, 4},
    {"call gate inward with parameters", {0x9a, 0, 0, 0, 0, CALLG, 0}, true, false, false, 4},
    {"call gate, same level", {0x9a, 0, 0, 0, 0, CALLG, 0}, false, false, false, 2},
    {"jmp to a TSS", {0xea, 0, 0, 0, 0, TSSB, 0}, false, false, false, 3},
    {"call to a TSS", {0x9a, 0, 0, 0, 0, TSSB, 0}, false, false, false, 3},
    {"call through a task gate", {0x9a, 0, 0, 0, 0, TASKG, 0}, true, false, false, 3},
    {"iret to the back link", {0xcf}, false, true, false, 3},
    {"iret outward", {0xcf}, false, false, false, 2},
    {"iret to virtual-8086", {0xcf}, false, false, true, 1},
    {"retf outward", {0xca, 8, 0}, false, false, false, 2},
    {"retf, same level", {0xcb}, true, false, false, 2},
    {"far call, same level", {0x9a, 0, 0, 7, 0, CS0, 0}, false, false, false, 2},
    {"far jmp conforming", {0xea, 0, 0, 7, 0, CONF, 0}, true, false, false, 1},
    {"pop ds", {0x1f}, true, false, false, 2},
    {"ltr", {0x0f, 0x00, 0xd9}, false, false, false, 1},
    {"lldt", {0x0f, 0x00, 0xd2}, false, false, false, 1},
};

static void put_tss(struct cpu_rig *r, uint32_t at, uint32_t eip)
{
    prot_put(r, at + 4, 4, STACK0 + 8); /* frames go over the page's end */
    prot_put(r, at + 8, 4, DS0);
    prot_put(r, at + 0x1c, 4, PROT_PD);
    prot_put(r, at + 0x20, 4, eip);
    prot_put(r, at + 0x24, 4, 2);
    prot_put(r, at + 0x38, 4, STACK_B);
    prot_put(r, at + 0x48, 2, DS0);
    prot_put(r, at + 0x4c, 2, CS0);
    prot_put(r, at + 0x50, 2, DS0);
    prot_put(r, at + 0x54, 2, DS0);
}

static struct cpu_rig *open_scene(const struct scene *s)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu_state *st = &r->cpu->s;
    static const unsigned attr[] = {0, 0xc09b, 0xc092, 0xc0fa, 0xc0f2};
    for (unsigned i = 1; i < 5; i++) { /* accessed bits are still to be set */
        prot_put(r, GDT_AT + i * 8, 8, prot_desc(0, 0xfffff, attr[i]));
    }
    prot_put(r, GDT_AT + TSSA, 8, prot_desc(STRADDLE, 0x67, 0x8b));
    prot_put(r, GDT_AT + TSSB, 8, prot_desc(0x31100, 0x67, s->nt ? 0x8b : 0x89));
    prot_put(r, GDT_AT + (CALLG & ~7), 8, 0x0007ec0200080000 | (uint64_t)7 << 48);
    prot_put(r, GDT_AT + (TASKG & ~7), 8, 0x0000e50000000000 | (uint64_t)TSSB << 16);
    prot_put(r, GDT_AT + (CONF & ~7), 8, prot_desc(0, 0xfffff, 0xc09e));
    prot_put(r, GDT_AT + 0x50, 8, prot_desc(0x31200, 0xff, 0x82)); /* LDT */
    prot_put(r, GDT_AT + 0x58, 8, prot_desc(0x31300, 0x67, 0x89)); /* for LTR */
    prot_put(r, IDT_AT + 0x40 * 8, 8, 0x0007ee0000080000);
    prot_put(r, IDT_AT + 0x41 * 8, 8, 0x0000e50000000000 | (uint64_t)TSSB << 16);
    put_tss(r, STRADDLE, 0);
    put_tss(r, 0x31100, CODE_AT + 0x100);
    prot_put(r, STRADDLE, 2, TSSB); /* back link */
    cpu_rig_load(r, CODE_AT, s->code, sizeof s->code);

    uint32_t sp = s->ring3 ? STACK3 - 4 : STACK0 - 8;
    /* what IRET and RETF find: EIP CS EFLAGS ESP SS, or with immediate 8 two more in front of ESP
     */
    static const uint32_t iret[] = {CODE_AT + 0x200, CS3, 0x202, STACK3 + 0x10, DS3};
    static const uint32_t v86[] = {0x200, 0x7000, 0x20202, 0xfffe, 0x4000, 0, 0, 0, 0};
    static const uint32_t retf[] = {CODE_AT + 0x200, CS3, 1, 2, STACK3 + 0x10, DS3};
    static const uint32_t same[] = {CODE_AT + 0x200, CS3};
    const uint32_t *v = s->to_v86 ? v86 : s->code[0] == 0xcf ? iret : s->ring3 ? same : retf;
    unsigned n = s->to_v86 ? 9 : s->code[0] == 0xcf ? 5 : s->ring3 ? 2 : 6;
    if (s->code[0] == 0x1f) {
        prot_put(r, sp, 4, DS3);
    } else {
        for (unsigned i = 0; i < n; i++) {
            prot_put(r, sp + i * 4, 4, v[i]);
        }
    }
    st->gdt_base = GDT_AT;
    st->gdt_limit = 0x5f;
    st->idt_base = IDT_AT;
    st->tr = (struct seg){.sel = TSSA, .attr = 0x8b, .limit = 0x67, .base = STRADDLE};
    st->rip = CODE_AT;
    st->gpr[REG_SP] = sp;
    st->gpr[REG_DX] = 0x50;
    st->gpr[REG_CX] = 0x58;
    st->cpl = s->ring3 ? 3 : 0;
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        st->seg[i].sel = s->ring3 ? DS3 : DS0;
        st->seg[i].attr = s->ring3 ? 0xc0f3 : 0xc093;
    }
    st->seg[SEG_CS].sel = s->ring3 ? CS3 : CS0;
    st->seg[SEG_CS].attr = s->ring3 ? 0xc0fb : 0xc09b;
    st->rflags |= s->nt ? FL_NT : 0;
    cpu_state_changed(r->cpu);
    cpu_rig_paging(r, PROT_PD);
    return r;
}

static bool go(struct cpu_rig *r, const struct scene *s)
{
    struct cpu *c = r->cpu;
    struct insn in;
    assert_int_equal(decode(s->code, sizeof s->code, DECODE_32, NULL, &in), DECODE_OK);
    c->next_rip = c->s.rip + in.len;
    c->fault.pending = false;
    flags_sync(c);
    bool ok = exec_table[in.op](c, &in);
    assert_int_equal(ok, !c->fault.pending);
    if (ok) {
        c->s.rip = c->next_rip;
    }
    flags_sync(c);
    return ok;
}

static void set_page(struct cpu_rig *r, uint32_t page, bool present)
{
    prot_put(r, PROT_PD + 4096 + page / 4096 * 4, 4, page | (present ? 7 : 6));
    tlb_flush(r->cpu, false);
}

static void all_or_nothing(void **state)
{
    static uint8_t before[0x100000], good[0x100000];
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(scenes); i++) {
        const struct scene *s = &scenes[i];
        struct cpu_rig *r = open_scene(s);
        unsigned faults = 0;
        if (!go(r, s)) {
            fail_msg("%s: #%d(%x) cr2 %lx", s->name, r->cpu->fault.vector, r->cpu->fault.error,
                     (unsigned long)r->cpu->fault.cr2);
        }
        struct cpu_state end = r->cpu->s;
        memcpy(good, r->ram.host, sizeof good);
        cpu_rig_destroy(r);
        for (unsigned k = 0; k < ARRAY_LEN(pages); k++) {
            r = open_scene(s);
            set_page(r, pages[k], false);
            flags_sync(r->cpu);
            struct cpu_state start = r->cpu->s;
            memcpy(before, r->ram.host, sizeof before);
            if (!go(r, s)) {
                faults++;
                assert_int_equal(r->cpu->fault.vector, EXC_PF);
                assert_int_equal(r->cpu->fault.cr2 & ~PAGE_MASK, pages[k]);
                if (memcmp(&start, &r->cpu->s, sizeof start) != 0) {
                    fail_msg("%s without page %x: the state changed", s->name, pages[k]);
                }
                for (unsigned b = 0; b < sizeof before;
                     b++) { /* but for accessed bits of the GDT */
                    if (before[b] != r->ram.host[b] && b / 4096 != GDT_AT / 4096) {
                        fail_msg("%s without page %x: memory changed at %x", s->name, pages[k], b);
                    }
                }
                set_page(r, pages[k], true);
                if (!go(r, s)) {
                    fail_msg("%s: faults with page %x back", s->name, pages[k]);
                }
            }
            if (memcmp(&end, &r->cpu->s, sizeof end) != 0 ||
                memcmp(good, r->ram.host, sizeof good) != 0) {
                fail_msg("%s: another end after a fault in page %x", s->name, pages[k]);
            }
            cpu_rig_destroy(r);
        }
        if (faults < s->faults) {
            fail_msg("%s: only %u pages mattered", s->name, faults);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_or_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
