/* ACPI tables as firmware installs them: a small model of the table loader executes the commands,
 * and what a system then finds by following pointers from the RSDP is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bits.h"
#include "devices/firmware/acpi_tables.h"

#define TABLES_AT 0x07ffe000u
#define RSDP_AT 0x000f5a40u

struct acpi_bench {
    struct acpi_config cfg;
    struct acpi_blobs raw; /* as fw_cfg holds them */
    uint8_t tables[ACPI_TABLES_MAX], rsdp[ACPI_RSDP_LEN]; /* as they lie in memory */
    bool allocated[2];
};

static const struct acpi_config plain = {.pm_base = 0x600,
                                         .smb_base = 0x700,
                                         .gpe_base = 0xafe0,
                                         .apm_base = 0xb2,
                                         .hole = 128 << 20,
                                         .vga = true,
                                         .com = {{0x3f8, 4}}};
static const struct acpi_config rich = {.pm_base = 0xb000,
                                        .smb_base = 0xb100,
                                        .gpe_base = 0xafe0,
                                        .apm_base = 0xb2,
                                        .hole = 0xc0000000,
                                        .apic = true,
                                        .hpet_id = 0x8086a201,
                                        .com = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}},
                                        .lpt = {{0x378, 7}, {0x278, 5}, {0x3bc, 7}},
                                        .floppy = {true, true}};

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t s = 0;
    while (len--) {
        s = (uint8_t)(s + *p++);
    }
    return s;
}

/* Which of the two files a command names, and its length. */
static unsigned bench_file(const uint8_t *name, uint32_t *len, struct acpi_bench *b)
{
    unsigned rsdp = strcmp((const char *)name, "etc/acpi/rsdp") == 0;
    assert_true(rsdp || strcmp((const char *)name, "etc/acpi/tables") == 0);
    assert_int_equal(name[55], 0);
    *len = rsdp ? ACPI_RSDP_LEN : b->raw.tables_len;
    return rsdp;
}

static void loader_run(struct acpi_bench *b)
{
    uint8_t *data[2] = {b->tables, b->rsdp};
    uint32_t at[2] = {TABLES_AT, RSDP_AT}, len, from_len;
    assert_int_equal(b->raw.loader_len % 128, 0);
    memcpy(b->tables, b->raw.tables, sizeof b->tables);
    memcpy(b->rsdp, b->raw.rsdp, sizeof b->rsdp);
    for (const uint8_t *e = b->raw.loader; e < b->raw.loader + b->raw.loader_len; e += 128) {
        unsigned f = bench_file(e + 4, &len, b);
        if (load_le32(e) == 1) { /* ALLOCATE, once for each file */
            assert_false(b->allocated[f]);
            b->allocated[f] = true;
            assert_int_equal(at[f] % load_le32(e + 60), 0);
            assert_int_equal(e[64], f ? 2 : 1); /* the RSDP where systems search it */
        } else if (load_le32(e) == 2) {
            unsigned from = bench_file(e + 60, &from_len, b), size = e[120];
            uint32_t off = load_le32(e + 116);
            assert_true(b->allocated[f] && b->allocated[from] && (size == 4 || size == 8));
            assert_true(off + size <= len);
            uint64_t v = load_le(data[f] + off, size);
            assert_true(v < from_len);
            store_le(data[f] + off, v + at[from], size);
        } else {
            assert_int_equal(load_le32(e), 3);
            uint32_t off = load_le32(e + 60), start = load_le32(e + 64), n = load_le32(e + 68);
            assert_true(off < len && start + n <= len && off >= start && off < start + n);
            data[f][off] = (uint8_t)(data[f][off] - sum(data[f] + start, n));
        }
    }
    assert_true(b->allocated[0] && b->allocated[1]);
}

static struct acpi_bench *bench_open(const struct acpi_config *cfg)
{
    struct acpi_bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->cfg = *cfg;
    acpi_build(&b->raw, cfg);
    assert_false(b->raw.full);
    loader_run(b);
    return b;
}

/* The table at a physical address; its header must hold together. */
static const uint8_t *table_at(struct acpi_bench *b, uint64_t addr)
{
    assert_in_range(addr, TABLES_AT, TABLES_AT + b->raw.tables_len - 36);
    const uint8_t *t = b->tables + (addr - TABLES_AT);
    uint32_t len = load_le32(t + 4);
    assert_true(len >= 36 && addr + len <= TABLES_AT + (uint64_t)b->raw.tables_len);
    assert_int_equal(sum(t, len), 0);
    return t;
}

static const uint8_t *table_find(struct acpi_bench *b, const char *signature)
{
    const uint8_t *rsdt = table_at(b, load_le32(b->rsdp + 16)), *found = NULL;
    const uint8_t *xsdt = table_at(b, load_le64(b->rsdp + 24));
    unsigned n = (load_le32(rsdt + 4) - 36) / 4;
    assert_memory_equal(rsdt, "RSDT", 4);
    assert_memory_equal(xsdt, "XSDT", 4);
    assert_int_equal(load_le32(xsdt + 4), 36 + 8 * n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t addr = load_le32(rsdt + 36 + 4 * i);
        assert_int_equal(load_le64(xsdt + 36 + 8 * i), addr);
        if (memcmp(table_at(b, addr), signature, 4) == 0) {
            assert_null(found);
            found = table_at(b, addr);
        }
    }
    return found;
}

static void rsdp_leads_to_every_table(void **state)
{
    (void)state;
    static const char *const there[] = {"FACP", "WAET"}, *const more[] = {"APIC", "HPET"};
    for (unsigned k = 0; k < 2; k++) {
        struct acpi_bench *b = bench_open(k ? &rich : &plain);
        assert_memory_equal(b->rsdp, "RSD PTR ", 8);
        assert_int_equal(sum(b->rsdp, 20), 0);
        assert_int_equal(sum(b->rsdp, 36), 0);
        assert_int_equal(b->rsdp[15], 2);
        for (unsigned i = 0; i < 2; i++) {
            assert_non_null(table_find(b, there[i]));
            assert_int_equal(table_find(b, more[i]) != NULL, k);
        }
        free(b);
    }
}

static void fadt_says_what_piix4_does(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct acpi_bench *b = bench_open(k ? &rich : &plain);
        const uint8_t *t = table_find(b, "FACP");
        uint32_t pm = k ? 0xb000 : 0x600;
        assert_int_equal(load_le32(t + 4), 244);
        assert_int_equal(t[8], 3);
        assert_int_equal(load_le32(t + 36), load_le64(t + 132));
        assert_int_equal(load_le32(t + 40), load_le64(t + 140));
        const uint8_t *facs = b->tables + (load_le32(t + 36) - TABLES_AT);
        assert_memory_equal(facs, "FACS\x40\0\0\0", 8);
        assert_int_equal(load_le32(t + 36) % 64, 0);
        assert_memory_equal(table_at(b, load_le32(t + 40)), "DSDT", 4);
        assert_int_equal(load_le16(t + 46), 9);
        assert_int_equal(load_le32(t + 48), 0xb2);
        assert_int_equal(t[52], 0xf1);
        assert_int_equal(t[53], 0xf0);
        assert_int_equal(load_le32(t + 56), pm);
        assert_int_equal(load_le32(t + 64), pm + 4);
        assert_int_equal(load_le32(t + 76), pm + 8);
        assert_int_equal(load_le64(t + 152), pm);
        assert_int_equal(load_le64(t + 176), pm + 4);
        assert_int_equal(load_le64(t + 212), pm + 8);
        assert_int_equal(load_le32(t + 80), 0xafe0);
        assert_true(load_le16(t + 96) > 100 && load_le16(t + 98) > 1000); /* neither C2 nor C3 */
        assert_int_equal(t[108], 0x32);
        /* fixed power button (4), sleep button (5) and RTC (6): 0; 24-bit timer (8): 0; reset: 1 */
        assert_int_equal(load_le32(t + 112) & 0x570, 0x400);
        assert_int_equal(load_le64(t + 120), 0xcf9);
        assert_int_equal(t[116], 1);
        assert_int_equal(t[117], 8);
        assert_int_equal(t[128], 6);
        assert_int_equal(load_le16(t + 109), k ? 7 : 3);
        free(b);
    }
}

static void madt_names_the_wires(void **state)
{
    (void)state;
    struct acpi_bench *b = bench_open(&rich);
    const uint8_t *t = table_find(b, "APIC"), *end = t + load_le32(t + 4);
    unsigned seen[5] = {0}, level = 0;
    assert_int_equal(load_le32(t + 36), 0xfee00000);
    assert_int_equal(load_le32(t + 40), 1);
    for (const uint8_t *p = t + 44; p < end; p += p[1]) {
        assert_true(p[0] < 5 && p[1] >= 6 && p + p[1] <= end);
        seen[p[0]]++;
        if (p[0] == 0) {
            assert_int_equal(load_le32(p + 4), 1);
        } else if (p[0] == 1) {
            assert_int_equal(load_le32(p + 4), 0xfec00000);
            assert_int_equal(load_le32(p + 8), 0);
        } else if (p[0] == 2 && p[3] == 0) {
            assert_int_equal(load_le32(p + 4), 2);
            assert_int_equal(load_le16(p + 8), 0);
        } else if (p[0] == 2) {
            assert_int_equal(load_le32(p + 4), p[3]);
            assert_int_equal(load_le16(p + 8), 0x0d);
            level |= 1u << p[3];
        } else {
            assert_int_equal(p[2], 0xff);
            assert_int_equal(p[5], 1); /* LINT1 */
        }
    }
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], 1);
    assert_int_equal(seen[4], 1);
    assert_int_equal(level, 1u << 5 | 1u << 9 | 1u << 10 | 1u << 11);
    t = table_find(b, "HPET");
    assert_int_equal(load_le32(t + 36), 0x8086a201);
    assert_int_equal(load_le64(t + 44), 0xfed00000);
    free(b);
}

static unsigned count(const uint8_t *t, const void *what, size_t len)
{
    unsigned n = 0;
    for (uint32_t i = 36; i + len <= load_le32(t + 4); i++) {
        n += memcmp(t + i, what, len) == 0;
    }
    return n;
}

/* EISA ids as SeaBIOS searches them: 0Ch 41h D0h and the number, big endian. */
static unsigned pnp(const uint8_t *t, uint8_t hi, uint8_t lo)
{
    uint8_t id[] = {0x0c, 0x41, 0xd0, hi, lo};
    return count(t, id, sizeof id);
}

static void dsdt_lists_the_ports_there_are(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct acpi_bench *b = bench_open(k ? &rich : &plain);
        const uint8_t *fadt = table_find(b, "FACP"), *t = table_at(b, load_le32(fadt + 40));
        static const uint8_t com4[] = {0x47, 1, 0xe8, 2, 0xe8, 2, 1, 8, 0x22, 8, 0};
        static const uint8_t lpt3[] = {0x47, 1, 0xbc, 3, 0xbc, 3, 1, 4, 0x22, 0x80, 0};
        assert_memory_equal(t + 36, "\x08_S5_\x12", 6); /* first, for simple parsers */
        assert_int_equal(pnp(t, 0x03, 0x03), 1);
        assert_int_equal(pnp(t, 0x05, 0x01), k ? 4 : 1);
        assert_int_equal(pnp(t, 0x04, 0x00), k ? 3 : 0);
        assert_int_equal(pnp(t, 0x07, 0x00), k);
        assert_int_equal(pnp(t, 0x01, 0x03), k);
        assert_int_equal(pnp(t, 0x0c, 0x0f), 5);
        assert_int_equal(count(t, com4, sizeof com4), k);
        assert_int_equal(count(t, lpt3, sizeof lpt3), k);
        assert_int_equal(count(t, "LNKA", 4), 31); /* its device and 30 routes: slot 1 has LNKS */
        free(b);
    }
}

/* The memory window begins where low RAM ends and ends before the I/O APIC. */
static void dsdt_windows_follow_memory(void **state)
{
    (void)state;
    static const uint64_t holes[] = {1 << 20, 512 << 20, 0xc0000000, 0xdffff000};
    for (unsigned i = 0; i < ARRAY_LEN(holes); i++) {
        struct acpi_config cfg = plain;
        cfg.hole = holes[i];
        struct acpi_bench *b = bench_open(&cfg);
        const uint8_t *t = table_at(b, load_le32(table_find(b, "FACP") + 40));
        uint8_t d[26] = {0x87, 23, 0, 0, 0x0c, 1};
        store_le32(d + 10, (uint32_t)holes[i]);
        store_le32(d + 14, 0xfebfffff);
        store_le32(d + 22, 0xfec00000 - (uint32_t)holes[i]);
        assert_int_equal(count(t, d, sizeof d), 1);
        free(b);
    }
}

/* Where the chips sit does not change how long the tables are: they are refreshed in place. */
static void lengths_do_not_depend_on_places(void **state)
{
    (void)state;
    struct acpi_bench *a = bench_open(&plain);
    struct acpi_config cfg = plain;
    cfg.pm_base = 0xffc0;
    cfg.smb_base = 0x10;
    struct acpi_bench *b = bench_open(&cfg);
    assert_int_equal(a->raw.tables_len, b->raw.tables_len);
    assert_int_equal(a->raw.loader_len, b->raw.loader_len);
    assert_memory_equal(a->raw.loader, b->raw.loader, a->raw.loader_len);
    free(a);
    free(b);
}

/* What iasl disassembles it compiles again, and finds nothing wrong. */
static void iasl_takes_it_apart_and_together(void **state)
{
    (void)state;
    if (system("iasl -v >/dev/null 2>&1") != 0) {
        skip();
    }
    struct acpi_bench *b = bench_open(&rich);
    const uint8_t *fadt = table_find(b, "FACP"), *xsdt = table_at(b, load_le64(b->rsdp + 24));
    char dir[] = "/tmp/vitrine-acpi-XXXXXX", cmd[256];
    assert_non_null(mkdtemp(dir));
    unsigned n = (load_le32(xsdt + 4) - 36) / 8;
    for (unsigned i = 0; i <= n; i++) {
        const uint8_t *t = i < n ? table_at(b, load_le64(xsdt + 36 + 8 * i))
                                 : table_at(b, load_le32(fadt + 40));
        snprintf(cmd, sizeof cmd, "%s/t%u.dat", dir, i);
        FILE *f = fopen(cmd, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(t, load_le32(t + 4), 1, f), 1);
        fclose(f);
        /* 3168: Processor() is how ACPI 1.0 systems know processors */
        snprintf(cmd, sizeof cmd,
                 "cd %s && iasl -d t%u.dat >log 2>&1 && ! grep -iE '(error|warning):' log && "
                 "iasl -vw 3168 -we -p u%u t%u.dsl >log 2>&1 || { cat log; false; }", dir, i, i, i);
        assert_int_equal(system(cmd), 0);
    }
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsdp_leads_to_every_table),
        cmocka_unit_test(fadt_says_what_piix4_does),
        cmocka_unit_test(madt_names_the_wires),
        cmocka_unit_test(dsdt_lists_the_ports_there_are),
        cmocka_unit_test(dsdt_windows_follow_memory),
        cmocka_unit_test(lengths_do_not_depend_on_places),
        cmocka_unit_test(iasl_takes_it_apart_and_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
