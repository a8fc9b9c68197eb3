/* Files recognized by content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include "base/bits.h"
#include "frontend/loader.h"
#include "frontend/probe.h"

static uint8_t b[PROBE_NEED];

static void put(size_t at, const char *text, size_t len)
{
    memcpy(b + at, text, len);
}

static enum probe_kind probe(uint64_t size)
{
    enum probe_kind k = probe_bytes(b, size < sizeof b ? (size_t)size : sizeof b, size);
    memset(b, 0, sizeof b);
    return k;
}

static void kernel(void)
{
    put(0x1fe, "\x55\xaa", 2);
    put(0x202, "HdrS", 4);
    store_le16(b + 0x206, 0x20f);
}

static void test_kinds(void **state)
{
    (void)state;
    assert_int_equal(probe(0), PROBE_EMPTY);
    assert_int_equal(probe(1 << 20), PROBE_UNKNOWN);
    put(PROBE_ISO_AT + 1, "CD001", 5);
    assert_int_equal(probe(1 << 20), PROBE_ISO);
    put(PROBE_ISO_AT + 2048 + 1, "NSR02", 5);
    assert_int_equal(probe(1 << 20), PROBE_ISO);
    put(0x1fe, "\x55\xaa", 2);
    assert_int_equal(probe(1 << 20), PROBE_DISK);
    put(0x1fe, "\x55\xaa", 2);
    assert_int_equal(probe(1474560), PROBE_FLOPPY);
    put(0x1fe, "\x55\xaa", 2);
    assert_int_equal(probe((1 << 20) + 1), PROBE_UNKNOWN);
    kernel();
    assert_int_equal(probe(5 << 20), PROBE_BZIMAGE);
    kernel();
    store_le16(b + 0x206, 0x1ff); /* before 2.00 */
    assert_int_equal(probe(5 << 20), PROBE_DISK);
    put(0, "\x7f" "ELF", 4);
    assert_int_equal(probe(1000), PROBE_ELF);
    put(0, "QFI\xfb", 4);
    assert_int_equal(probe(1 << 20), PROBE_QCOW2);
    put(64, "\x7f\x10\xda\xbe", 4);
    assert_int_equal(probe(1 << 20), PROBE_VDI);
    put(0, "\x1f\x8b\x08", 3);
    assert_int_equal(probe(100), PROBE_GZIP);
    put(0, "MZ", 2);
    assert_int_equal(probe(100), PROBE_PE);
    put(0, "hello, world\n", 13);
    assert_int_equal(probe(13), PROBE_TEXT);
}

static void test_hybrid_iso_is_an_iso(void **state)
{
    (void)state;
    put(0x1fe, "\x55\xaa", 2);
    put(PROBE_ISO_AT + 1, "CD001", 5);
    assert_int_equal(probe(1 << 20), PROBE_ISO);
}

static void test_multiboot_elf(void **state)
{
    (void)state;
    put(0, "\x7f" "ELF", 4);
    store_le32(b + 0x1000, 0x1badb002);
    store_le32(b + 0x1004, 3);
    store_le32(b + 0x1008, 0 - (0x1badb002u + 3));
    assert_int_equal(probe(1 << 20), PROBE_MULTIBOOT);
    put(0, "\x7f" "ELF", 4);
    store_le32(b + 0x1000, 0x1badb002); /* no valid checksum */
    assert_int_equal(probe(1 << 20), PROBE_ELF);
}

/* No length may make it read beyond what there is: under ASan an overrun of the heap shows. */
static void test_any_length(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof b; len += len < 600 ? 1 : 997) {
        uint8_t *copy = malloc(len ? len : 1);
        memset(copy, 0x7f, len);
        for (unsigned kind = 0; kind < 3; kind++) {
            if (len >= 4) {
                memcpy(copy, kind == 0 ? "\x7f" "ELF" : kind == 1 ? "conectix" : "# Di", 4);
            }
            probe_name(probe_bytes(copy, len, len));
        }
        free(copy);
    }
    for (int k = PROBE_UNKNOWN; k <= PROBE_TEXT; k++) {
        assert_non_null(probe_name((enum probe_kind)k));
    }
}

static char file[] = "/tmp/vitrine-test-probe-XXXXXX";

static void save(const void *data, size_t len)
{
    int fd = open(file, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static void test_kernel_gzipped_or_not(void **state)
{
    (void)state;
    struct blob blob;
    struct err err = {0};
    kernel();
    save(b, sizeof b);
    assert_true(loader_kernel(&blob, "-kernel", file, &err));
    assert_int_equal(blob.len, sizeof b);
    loader_free(&blob);

    gzFile gz = gzopen(file, "wb");
    assert_int_equal(gzwrite(gz, b, sizeof b), (int)sizeof b);
    gzclose(gz);
    assert_true(loader_kernel(&blob, "-kernel", file, &err));
    assert_int_equal(blob.len, sizeof b);
    assert_memory_equal(blob.data, b, sizeof b);

    /* cut in the middle: refused */
    uint8_t z[256];
    int fd = open(file, O_RDONLY);
    ssize_t n = read(fd, z, sizeof z);
    close(fd);
    assert_true(n > 30);
    save(z, (size_t)n - 12);
    loader_free(&blob);
    assert_false(loader_kernel(&blob, "-kernel", file, &err));
    assert_non_null(strstr(err.msg, "damaged gzip"));

    err = (struct err){0};
    memset(b, 0, sizeof b);
    put(PROBE_ISO_AT + 1, "CD001", 5);
    save(b, sizeof b);
    assert_false(loader_kernel(&blob, "-kernel", file, &err));
    assert_non_null(strstr(err.msg,
                           "is an ISO image, neither a Linux bzImage nor a Multiboot kernel; "
                           "try -cdrom FILE"));
    memset(b, 0, sizeof b);
}

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(file);
    close(fd);
    return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_hybrid_iso_is_an_iso),
        cmocka_unit_test(test_multiboot_elf),
        cmocka_unit_test(test_any_length),
        cmocka_unit_test(test_kernel_gzipped_or_not),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
