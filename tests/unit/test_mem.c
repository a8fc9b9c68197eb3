/* mem/bus and mem/ram: priorities, splitting, overlap refused by name, one door for writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mem/bus.h"
#include "mem/irq.h"
#include "mem/ram.h"

struct log {
    char text[256];
    size_t len;
};

static uint64_t note_read(void *dev, uint64_t off, unsigned size)
{
    struct log *l = dev;
    l->len +=
        (size_t)snprintf(l->text + l->len, sizeof l->text - l->len, "r%u@%u ", size, (unsigned)off);
    return 0x1122334455667788ull >> (off * 8 & 63);
}
static void note_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct log *l = dev;
    l->len += (size_t)snprintf(l->text + l->len, sizeof l->text - l->len, "w%u@%u=%llx ", size,
                               (unsigned)off, (unsigned long long)val);
}
static const struct region_ops byte_ops = {note_read, note_write, 1, 1};
static const struct region_ops dword_ops = {note_read, note_write, 4, 4};

static const char *said(struct log *l)
{
    l->len = 0;
    return l->text;
}

static void ports_split_to_what_a_chip_takes(void **state)
{
    (void)state;
    struct bus *b = bus_create("io", 16);
    struct log l = {0};
    struct region r = {.name = "chip", .base = 0x60, .len = 4, .ops = &byte_ops, .dev = &l};
    assert_true(bus_map(b, &r, NULL));
    assert_int_equal(bus_read(b, 0x60, 4), 0x55667788);
    assert_string_equal(said(&l), "r1@0 r1@1 r1@2 r1@3 ");
    bus_write(b, 0x62, 0xaabbccdd, 4); /* the last two bytes fall beside the chip */
    assert_string_equal(said(&l), "w1@2=dd w1@3=cc ");
    assert_int_equal(bus_read(b, 0x64, 2), 0xffff);
    assert_int_equal(bus_read(b, 0x5f, 2), 0x88ff);
    said(&l);
    bus_unmap(b, &r);
    assert_int_equal(bus_read(b, 0x60, 1), 0xff);
    bus_destroy(b);
}

static void narrow_accesses_widen(void **state)
{
    (void)state;
    struct bus *b = bus_create("mem", 32);
    struct log l = {0};
    struct region r = {.name = "chip", .base = 0xfee00000, .len = 16, .ops = &dword_ops, .dev = &l};
    assert_true(bus_map(b, &r, NULL));
    assert_int_equal(bus_read(b, 0xfee00001, 1), 0x77);
    assert_string_equal(said(&l), "r4@0 ");
    bus_write(b, 0xfee00002, 0xab, 1);
    assert_string_equal(said(&l), "r4@0 w4@0=55ab7788 ");
    bus_destroy(b);
}

static void priority_decides_and_equals_are_refused_by_name(void **state)
{
    (void)state;
    struct bus *b = bus_create("mem", 32);
    struct log l1 = {0}, l2 = {0};
    struct region low = {.name = "ram", .base = 0, .len = 0x1000, .ops = &byte_ops, .dev = &l1};
    struct region high = {
        .name = "vga", .base = 0x100, .len = 0x100, .priority = 1, .ops = &byte_ops, .dev = &l2};
    struct region rival = {
        .name = "rival", .base = 0x1ff, .len = 2, .priority = 1, .ops = &byte_ops, .dev = &l2};
    struct err e = {0};
    assert_true(bus_map(b, &low, NULL));
    assert_true(bus_map(b, &high, NULL));
    assert_false(bus_map(b, &rival, &e));
    assert_non_null(strstr(e.msg, "rival"));
    assert_non_null(strstr(e.msg, "vga"));
    bus_read(b, 0xff, 2); /* one byte each */
    assert_string_equal(said(&l1), "r1@255 ");
    assert_string_equal(said(&l2), "r1@0 ");
    bus_unmap(b, &high);
    bus_read(b, 0x100, 1);
    assert_string_equal(said(&l1), "r1@256 ");
    struct region outside = {.name = "o", .base = 0xffffffff, .len = 2, .ops = &byte_ops};
    assert_false(bus_map(b, &outside, NULL));
    bus_destroy(b);
}

static void a20_masks_addresses(void **state)
{
    (void)state;
    struct ram ram;
    struct bus *b = bus_create("mem", 32);
    assert_true(ram_init(&ram, 4 << 20, NULL));
    struct region r = {.name = "ram", .kind = REGION_RAM, .len = 4 << 20, .ram = &ram};
    assert_true(bus_map(b, &r, NULL));
    bus_write(b, 0x500, 0x1234, 2);
    bus_write(b, 0x100500, 0x5678, 2);
    bus_set_mask(b, ~(uint64_t)0x100000);
    assert_int_equal(bus_read(b, 0x100500, 2), 0x1234);
    bus_set_mask(b, ~(uint64_t)0);
    assert_int_equal(bus_read(b, 0x100500, 2), 0x5678);
    bus_write(b, 0xffd, 0x8877665544332211ull, 8); /* across pages, unaligned */
    assert_true(bus_read(b, 0xffd, 8) == 0x8877665544332211ull);
    uint8_t buf[8];
    assert_true(bus_copy_out(b, 0xffd, buf, 8));
    assert_int_equal(buf[7], 0x88);
    assert_false(bus_copy_out(b, (4 << 20) - 4, buf, 8));
    assert_int_equal(buf[7], 0xff);
    assert_false(bus_copy_in(b, (4 << 20) - 4, "abcdefgh", 8));
    assert_int_equal(ram.host[(4 << 20) - 1], 'd');
    bus_destroy(b);
    ram_fini(&ram);
}

static uint8_t rom_bytes[8192];

static void rom_reads_from_the_image_and_writes_to_the_shadow(void **state)
{
    (void)state;
    struct ram ram;
    struct bus *b = bus_create("mem", 32);
    struct bus_page p;
    assert_true(ram_init(&ram, 1 << 20, NULL));
    rom_bytes[3] = 0x42;
    struct region rom = {.name = "rom",
                         .kind = REGION_ROM,
                         .base = 0xf0000,
                         .len = sizeof rom_bytes,
                         .priority = 3,
                         .host = rom_bytes};
    struct region all = {.name = "ram", .kind = REGION_RAM, .len = 1 << 20, .ram = &ram};
    assert_true(bus_map(b, &all, NULL));
    assert_true(bus_map(b, &rom, NULL));
    bus_write(b, 0xf0003, 0x99, 1);
    assert_int_equal(bus_read(b, 0xf0003, 1), 0x42);
    assert_int_equal(ram.host[0xf0003], 0);
    rom.ram = &ram;
    rom.ram_off = 0xf0000;
    bus_write(b, 0xf0003, 0x99, 1);
    assert_int_equal(bus_read(b, 0xf0003, 1), 0x42);
    assert_int_equal(ram.host[0xf0003], 0x99);
    bus_page(b, 0xf0000, &p);
    assert_ptr_equal(p.host_r, rom_bytes);
    assert_null(p.host_w);
    bus_page(b, 0x2000, &p);
    assert_ptr_equal(p.host_w, ram.host + 0x2000);
    assert_int_equal(p.ram_off, 0x2000);
    bus_destroy(b);
    ram_fini(&ram);
}

struct watch {
    unsigned changed, protects;
    uint64_t off, len;
    bool held; /* code of that page is still decoded */
};
static bool on_code(void *ctx, uint64_t off, uint64_t len)
{
    struct watch *w = ctx;
    w->changed++;
    w->off = off;
    w->len = len;
    return w->held;
}
static void on_protect(void *ctx, uint64_t off)
{
    struct watch *w = ctx;
    w->protects++;
    w->off = off;
}

static void every_writer_goes_through_one_door(void **state)
{
    (void)state;
    struct ram ram;
    struct watch w = {0};
    struct ram_watcher rw = {on_code, on_protect, &w, NULL};
    assert_true(ram_init(&ram, 64 << 10, NULL));
    ram_watch(&ram, &rw);
    assert_false(ram_page_plain(&ram, 0x2000));
    ram_store(&ram, 0x2ffe, "abcd", 4);
    assert_true(ram_page_plain(&ram, 0x2000));
    assert_true(ram_page_plain(&ram, 0x3000));
    assert_int_equal(w.changed, 0);
    ram_mark_code(&ram, 0x3123);
    assert_int_equal(w.protects, 1);
    assert_int_equal(w.off, 0x3000);
    ram_mark_code(&ram, 0x3456); /* said once */
    assert_int_equal(w.protects, 1);
    assert_false(ram_page_plain(&ram, 0x3000));
    ram_store(&ram, 0x2ffe, "wxyz", 4);
    assert_int_equal(w.changed, 1);
    assert_int_equal(w.off, 0x3000);
    assert_int_equal(w.len, 2);
    assert_true(ram_page_plain(&ram, 0x3000)); /* nobody has code there any more */
    /* two processors: the mark goes when neither has */
    struct watch w2 = {.held = true};
    struct ram_watcher rw2 = {on_code, on_protect, &w2, NULL};
    ram_watch(&ram, &rw2);
    ram_mark_code(&ram, 0x3000);
    assert_int_equal(w2.protects, 1);
    w.changed = 0;
    ram_store(&ram, 0x3010, "a", 1);
    assert_int_equal(w.changed, 1);
    assert_int_equal(w2.changed, 1);
    assert_false(ram_page_plain(&ram, 0x3000));
    w.held = true;
    w2.held = false;
    ram_store(&ram, 0x3010, "b", 1);
    assert_false(ram_page_plain(&ram, 0x3000));
    w.held = false;
    ram_store(&ram, 0x3010, "c", 1);
    assert_true(ram_page_plain(&ram, 0x3000));
    ram_mark_code(&ram, 0x3000);
    ram_clear_code(&ram, 0x3000);
    assert_true(ram_page_plain(&ram, 0x3000));
    ram_clean(&ram);
    assert_false(ram_page_plain(&ram, 0x2000));
    assert_true(w.off == UINT64_MAX);
    uint64_t h = ram_hash(&ram, 1);
    ram_store(&ram, 0x8000, "\0\0", 2); /* zeros are as if never written */
    assert_true(ram_hash(&ram, 1) == h);
    ram_store(&ram, 0x8000, "\1", 1);
    assert_true(ram_hash(&ram, 1) != h);
    ram_fini(&ram);
}

static void count(void *sink, unsigned pin, bool level)
{
    (void)level;
    ((unsigned *)sink)[pin]++;
}

static void a_wire_reports_changes_only(void **state)
{
    (void)state;
    unsigned n[2] = {0};
    struct irq_line w = {.set = count, .sink = n, .pin = 1}, open = {0};
    irq_set(&w, false);
    irq_set(&w, true);
    irq_set(&w, true);
    assert_int_equal(n[1], 1);
    irq_drive(&w);
    assert_int_equal(n[1], 2);
    irq_set(&open, true);
    irq_drive(&open);
    assert_int_equal(n[0], 0);
}

static void changed(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void a_batch_is_one_change(void **state)
{
    (void)state;
    struct bus *b = bus_create("mem", 32);
    unsigned n = 0;
    struct region x = {.name = "x", .base = 0x1000, .len = 16, .ops = &byte_ops};
    struct region y = {.name = "y", .base = 0x2000, .len = 16, .ops = &byte_ops};
    bus_on_change(b, changed, &n);
    bus_batch_begin(b);
    assert_true(bus_map(b, &x, NULL));
    assert_true(bus_map(b, &y, NULL));
    assert_int_equal(n, 0);
    bus_batch_end(b);
    assert_int_equal(n, 1);
    bus_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_split_to_what_a_chip_takes),
        cmocka_unit_test(narrow_accesses_widen),
        cmocka_unit_test(priority_decides_and_equals_are_refused_by_name),
        cmocka_unit_test(a20_masks_addresses),
        cmocka_unit_test(rom_reads_from_the_image_and_writes_to_the_shadow),
        cmocka_unit_test(every_writer_goes_through_one_door),
        cmocka_unit_test(a_wire_reports_changes_only),
        cmocka_unit_test(a_batch_is_one_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
