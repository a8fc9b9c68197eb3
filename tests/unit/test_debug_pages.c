/* "info mem" and "info tlb" over page tables made here, in each kind of paging; and against the
 * processor's own walk for addresses all over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bits.h"
#include "cpu/state.h"
#include "machine/debug.h"
#include "machine/machine_int.h"

#define NX ((uint64_t)1 << 63)

struct bench {
    struct machine *m;
    uint8_t bios[65536];
    char text[65536];
    size_t len;
};

static int bench_new(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err err = {0};
    struct machine_config cfg = {.ram_size = 64 << 20, .bios = {b->bios, sizeof b->bios},
                                 .cpu_model = "max", .no_vga = true};
    b->m = machine_create(&cfg, &err);
    assert_non_null(b->m);
    *state = b;
    return 0;
}

static int bench_free(void **state)
{
    struct bench *b = *state;
    machine_destroy(b->m);
    free(b);
    return 0;
}

static void put(struct bench *b, uint64_t at, uint64_t v, unsigned size)
{
    uint8_t bytes[8];
    store_le64(bytes, v);
    assert_int_equal(machine_poke_phys(b->m, at, bytes, size), size);
}

static void paging(struct bench *b, uint64_t cr3, uint64_t cr4, uint64_t efer)
{
    struct cpu_state *s = cpu_state(b->m->cpu[0]);
    s->cr0 |= CR0_PG | CR0_PE;
    s->cr3 = cr3;
    s->cr4 = cr4;
    s->efer = efer;
    cpu_state_changed(b->m->cpu[0]);
}

static void collect(void *ctx, const char *line)
{
    struct bench *b = ctx;
    size_t n = strlen(line);
    assert_true(b->len + n + 2 < sizeof b->text);
    memcpy(b->text + b->len, line, n);
    b->len += n;
    b->text[b->len++] = '\n';
    b->text[b->len] = 0;
}

static void expect(struct bench *b, const char *table, const char *want)
{
    b->len = 0;
    b->text[0] = 0;
    assert_true(machine_info(b->m, 0, table, collect, b));
    assert_string_equal(b->text, want);
}

static void no_paging(void **state)
{
    expect(*state, "mem", "paging is off\n");
    expect(*state, "tlb", "paging is off\n");
}

static void pages_of_32_bits(void **state)
{
    struct bench *b = *state;
    put(b, 0x10000, 0x11007, 4);               /* 0: a table, user and writable */
    put(b, 0x10004, 0x11005, 4);               /* 4 MB: the same table, read-only */
    put(b, 0x10000 + 4 * 0x300, 0x004001e3, 4); /* C0000000h: a large page, global, dirty */
    put(b, 0x11000 + 4 * 8, 0x00020067, 4);
    put(b, 0x11000 + 4 * 9, 0x00021003, 4);
    put(b, 0x11000 + 4 * 10, 0x00022013, 4);
    put(b, 0x11000 + 4 * 11, 0x00022012, 4); /* not present */
    paging(b, 0x10000, CR4_PSE, 0);
    expect(b, "tlb",
           "00008000: 00020000 ---DA--UW\n"
           "00009000: 00021000 --------W\n"
           "0000a000: 00022000 -----C--W\n"
           "00408000: 00020000 ---DA--U-\n"
           "00409000: 00021000 ---------\n"
           "0040a000: 00022000 -----C---\n"
           "c0000000: 00400000 -GPDA---W\n");
    expect(b, "mem",
           "00008000-00008fff -> 000020000 uwx (4 KB)\n"
           "00009000-0000afff -> 000021000 -wx (8 KB)\n"
           "00408000-00408fff -> 000020000 urx (4 KB)\n"
           "00409000-0040afff -> 000021000 -rx (8 KB)\n"
           "c0000000-c03fffff -> 000400000 -wx (4096 KB)\n");
    for (uint64_t lin = 0; lin < 0x800000; lin += 0x1000) {
        uint64_t phys = 0;
        bool on = machine_translate(b->m, 0, lin, &phys);
        assert_int_equal(on, (lin & 0x3fffff) >= 0x8000 && (lin & 0x3fffff) < 0xb000);
    }
}

static void pae_with_nx(void **state)
{
    struct bench *b = *state;
    put(b, 0x10020, 0x11001, 8); /* CR3 has 32-byte steps */
    put(b, 0x11000, 0x12007 | NX, 8);
    put(b, 0x11008, 0x00200087 | (uint64_t)1 << 33, 8); /* 2 MB, above 4 GB */
    put(b, 0x12000, 0x20007, 8);
    paging(b, 0x10020, CR4_PAE, EFER_NXE);
    expect(b, "tlb",
           "00000000: 00020000 X------UW\n"
           "00200000: 200200000 --P----UW\n");
    expect(b, "mem",
           "00000000-00000fff -> 000020000 uw- (4 KB)\n"
           "00200000-003fffff -> 200200000 uwx (2048 KB)\n");
}

static void tables_outside_memory_are_nothing(void **state)
{
    struct bench *b = *state;
    put(b, 0x10000, 0xfffff007, 4);
    put(b, 0x10004, 0x70000007, 4);
    paging(b, 0x10000, 0, 0);
    b->len = 0;
    assert_true(machine_info(b->m, 0, "tlb", collect, b));
    paging(b, 0xf0000000, 0, 0);
    expect(b, "mem", "");
}

static void four_levels_and_a_table_that_maps_itself(void **state)
{
    struct bench *b = *state;
    put(b, 0x10000 + 8 * 511, 0x10003, 8); /* the last entry is the table itself */
    paging(b, 0x10000, CR4_PAE, EFER_LMA | EFER_LME);
    expect(b, "tlb", "fffffffffffff000: 0000000000010000 --------W\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_paging, bench_new, bench_free),
        cmocka_unit_test_setup_teardown(pages_of_32_bits, bench_new, bench_free),
        cmocka_unit_test_setup_teardown(pae_with_nx, bench_new, bench_free),
        cmocka_unit_test_setup_teardown(tables_outside_memory_are_nothing, bench_new, bench_free),
        cmocka_unit_test_setup_teardown(four_levels_and_a_table_that_maps_itself, bench_new,
                                        bench_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
