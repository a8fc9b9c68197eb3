/* What machine/multiboot.c refuses, in one sentence each, and what it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bits.h"
#include "devices/firmware/fw_cfg.h"
#include "machine/machine_int.h"

struct try {
    uint8_t file[8192];
    size_t len;
    struct machine *m;
    struct fw_cfg *fw;
    struct err err;
};

static int try_new(void **state)
{
    struct try *t = calloc(1, sizeof *t);
    t->m = calloc(1, sizeof *t->m);
    t->fw = calloc(1, sizeof *t->fw);
    t->m->ram.size = 16u << 20;
    t->len = 4096;
    *state = t;
    return 0;
}

static int try_free(void **state)
{
    struct try *t = *state;
    free(t->m->linux_keep);
    free(t->m);
    free(t->fw);
    free(t);
    return 0;
}

static void header(struct try *t, size_t at, uint32_t flags)
{
    store_le32(t->file + at, 0x1badb002);
    store_le32(t->file + at + 4, flags);
    store_le32(t->file + at + 8, -(0x1badb002 + flags));
}

/* The addresses behind the header: header, load, load end, bss end, entry. */
static void addresses(struct try *t, size_t at, uint32_t h, uint32_t l, uint32_t le, uint32_t be)
{
    store_le32(t->file + at + 12, h);
    store_le32(t->file + at + 16, l);
    store_le32(t->file + at + 20, le);
    store_le32(t->file + at + 24, be);
    store_le32(t->file + at + 28, l);
}

static bool attempt(struct try *t)
{
    uint8_t *exact = malloc(t->len); /* so that a read too far is one for ASan */
    memcpy(exact, t->file, t->len);
    memset(&t->err, 0, sizeof t->err);
    free(t->m->linux_keep);
    t->m->linux_keep = NULL;
    t->m->cfg.kernel = (struct machine_blob){exact, t->len};
    fw_cfg_init(t->fw, "fw", (struct dma){0});
    bool ok = multiboot_setup(t->m, t->fw, &t->err);
    free(exact);
    assert_int_equal(ok, t->err.msg[0] == 0);
    return ok;
}

static void refused(struct try *t, const char *why)
{
    assert_false(attempt(t));
    if (!strstr(t->err.msg, why)) {
        fail_msg("said \"%s\", not \"%s\"", t->err.msg, why);
    }
}

static void recognized_by_checksum_in_the_first_8_kb(void **state)
{
    struct try *t = *state;
    assert_false(machine_is_multiboot(t->file, sizeof t->file));
    header(t, 8180, 3);
    assert_true(machine_is_multiboot(t->file, sizeof t->file));
    assert_false(machine_is_multiboot(t->file, 8190));
    t->file[8190]++;
    assert_false(machine_is_multiboot(t->file, sizeof t->file));
    memset(t->file, 0, sizeof t->file);
    header(t, 6, 3); /* not on a dword */
    assert_false(machine_is_multiboot(t->file, sizeof t->file));
    memset(t->file, 0, sizeof t->file);
    header(t, 0, 3);
    memcpy(t->file + 0x202, "HdrS", 4); /* both: Linux */
    assert_false(machine_is_multiboot(t->file, sizeof t->file));
}

static void addresses_in_the_header(void **state)
{
    struct try *t = *state;
    header(t, 64, 0x10003);
    addresses(t, 64, 0x200040, 0x200000, 0x200800, 0x201000);
    assert_true(attempt(t));
    const uint8_t *s = t->fw->item[FW_CFG_SETUP_DATA].data;
    assert_int_equal(load_le32(s + 4), 0x200000);
    assert_int_equal(load_le32(s + 48), FW_CFG_KERNEL_DATA);
    assert_int_equal(load_le32(s + 52), 0);
    assert_int_equal(load_le32(s + 56), 0x800);
    assert_int_equal(load_le32(s + 60), 0x200000);
    assert_int_equal(load_le32(s + 64), 0x800);
    addresses(t, 64, 0x200040, 0x200000, 0, 0); /* all of the file */
    assert_true(attempt(t));
    assert_int_equal(load_le32(t->fw->item[FW_CFG_SETUP_DATA].data + 56), 4096);
    addresses(t, 64, 0x200040, 0x200041, 0, 0);
    refused(t, "contradict");
    addresses(t, 64, 0x200041, 0x200000, 0, 0);
    refused(t, "contradict");
    addresses(t, 64, 0x200040, 0x200000, 0x1fffff, 0);
    refused(t, "contradict");
    addresses(t, 64, 0x200040, 0x200000, 0x200800, 0x2007ff);
    refused(t, "contradict");
    addresses(t, 64, 0x200040, 0x200000, 0x201001, 0);
    refused(t, "cut short");
    addresses(t, 64, 0x200040, 0x200000, 0, 0xfffffff0);
    refused(t, "memory");
    addresses(t, 64, 0xfb0, 0xf70, 0, 0);
    refused(t, "BIOS");
    t->len = 90;
    refused(t, "cut short");
}

static void flags_that_are_not_understood(void **state)
{
    struct try *t = *state;
    for (unsigned bit = 0; bit < 16; bit++) {
        header(t, 0, 0x10000 | 1u << bit);
        addresses(t, 0, 0x200000, 0x200000, 0, 0);
        if (bit < 3) {
            assert_true(attempt(t));
        } else {
            refused(t, "header flags");
        }
    }
    header(t, 0, 0x80010000); /* the upper half is optional */
    assert_true(attempt(t));
}

static void modules_lie_behind_the_kernel_on_pages(void **state)
{
    struct try *t = *state;
    static uint8_t data[5000];
    header(t, 0, 0x10003);
    addresses(t, 0, 0x200000, 0x200000, 0, 0);
    t->m->cfg.modules = 2;
    t->m->cfg.module[0] = (struct machine_module){{data, 5000}, "a"};
    t->m->cfg.module[1] = (struct machine_module){{data, 10}, "b"};
    assert_true(attempt(t));
    const uint8_t *s = t->fw->item[FW_CFG_SETUP_DATA].data;
    assert_int_equal(load_le32(s), 4);
    assert_int_equal(load_le32(s + 48 + 20 + 12), 0x201000);
    assert_int_equal(load_le32(s + 48 + 40 + 12), 0x203000);
    assert_int_equal(load_le32(s + 48 + 40 + 4), 5000);
    t->m->ram.size = (2u << 20) + 0x50000 + 0x3000;
    refused(t, "memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(recognized_by_checksum_in_the_first_8_kb, try_new,
                                        try_free),
        cmocka_unit_test_setup_teardown(addresses_in_the_header, try_new, try_free),
        cmocka_unit_test_setup_teardown(flags_that_are_not_understood, try_new, try_free),
        cmocka_unit_test_setup_teardown(modules_lie_behind_the_kernel_on_pages, try_new, try_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
