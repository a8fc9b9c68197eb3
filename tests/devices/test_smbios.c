/* SMBIOS tables read as dmidecode reads them: by the entry point, structure after structure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "devices/firmware/smbios.h"

#define GB ((uint64_t)1 << 30)

static struct smbios_blobs blobs;

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t s = 0;
    while (len--) {
        s = (uint8_t)(s + *p++);
    }
    return s;
}

/* The n-th structure of a type, after checking the shape of all; NULL: there is none. */
static const uint8_t *find(uint8_t type, unsigned n)
{
    const uint8_t *p = blobs.tables, *end = p + blobs.len, *found = NULL;
    unsigned count = 0, largest = 0;
    uint8_t last = 0;
    while (p < end) {
        const uint8_t *s = p, *q = p + p[1];
        assert_true(p[1] >= 4 && q + 2 <= end);
        while (q[0] || q[1]) {
            q++;
            assert_true(q + 2 <= end);
        }
        p = q + 2;
        count++;
        largest = p - s > largest ? (unsigned)(p - s) : largest;
        last = s[0];
        for (const uint8_t *o = blobs.tables; o < s; o++) { /* handles are unique */
            if (o[0] == s[0] && o[1] == s[1]) {
                assert_int_not_equal(load_le16(o + 2), load_le16(s + 2));
            }
        }
        if (s[0] == type && n-- == 0) {
            found = s;
        }
    }
    assert_ptr_equal(p, end);
    assert_int_equal(last, 127);
    assert_int_equal(count, load_le16(blobs.anchor + 28));
    assert_int_equal(largest, load_le16(blobs.anchor + 8));
    return found;
}

static const char *text(const uint8_t *s, unsigned at)
{
    unsigned n = s[at];
    const char *t = (const char *)s + s[1];
    assert_true(at < s[1]);
    if (!n) {
        return "";
    }
    while (--n) {
        assert_true(*t); /* the string that the field names is there */
        t += strlen(t) + 1;
    }
    return t;
}

static void build(const struct smbios_fields type[SMBIOS_TYPES], uint64_t low, uint64_t high)
{
    struct smbios_config cfg = {.type = type, .below_4g = low, .above_4g = high,
                                .cpu_signature = 0x673, .cpu_features = 0x383fbff};
    smbios_build(&blobs, &cfg);
    assert_false(blobs.full);
}

static void entry_point_holds_together(void **state)
{
    (void)state;
    struct smbios_fields t[SMBIOS_TYPES] = {0};
    build(t, GB, 0);
    assert_memory_equal(blobs.anchor, "_SM_", 4);
    assert_memory_equal(blobs.anchor + 16, "_DMI_", 5);
    assert_int_equal(blobs.anchor[5], 31);
    assert_int_equal(blobs.anchor[6] << 8 | blobs.anchor[7], 0x208);
    assert_int_equal(blobs.anchor[30], 0x28);
    assert_int_equal(load_le16(blobs.anchor + 22), blobs.len);
    assert_int_equal(sum(blobs.anchor, 31), 0);
    assert_int_equal(sum(blobs.anchor + 16, 15), 0);
    static const uint8_t there[] = {1, 2, 3, 4, 16, 17, 19, 32, 127};
    for (unsigned i = 0; i < sizeof there; i++) {
        assert_non_null(find(there[i], 0));
        assert_null(find(there[i], 1));
    }
    assert_null(find(0, 0)); /* the firmware's own */
    assert_string_equal(text(find(1, 0), 4), "Vitrine");
    assert_string_equal(text(find(4, 0), 4), "CPU 0");
    assert_int_equal(load_le32(find(4, 0) + 8), 0x673);
    assert_int_equal(load_le16(find(2, 0) + 11), load_le16(find(3, 0) + 2));
}

static void fields_stand_where_they_belong(void **state)
{
    (void)state;
    struct smbios_fields t[SMBIOS_TYPES] = {
        {.vendor = "v0", .version = "b0", .date = "d0", .major = 3, .minor = 4,
         .has_release = true, .uefi = true, .given = true},
        {.manufacturer = "m1", .product = "p1", .version = "v1", .serial = "s1", .sku = "k1",
         .family = "f1", .has_uuid = true,
         .uuid = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 9, 10, 11, 12, 13, 14, 15}},
        {.manufacturer = "m2", .product = "p2", .version = "v2", .serial = "s2", .asset = "a2",
         .location = "l2"},
        {.manufacturer = "m3", .version = "v3", .serial = "s3", .asset = "a3", .sku = "k3"},
        {.sock_pfx = "x4", .manufacturer = "m4", .version = "v4", .serial = "s4", .asset = "a4",
         .part = "p4"}};
    static const struct {
        uint8_t type, at;
        const char *is;
    } want[] = {{0, 4, "v0"}, {0, 5, "b0"}, {0, 8, "d0"}, {1, 4, "m1"}, {1, 5, "p1"},
                {1, 6, "v1"}, {1, 7, "s1"}, {1, 25, "k1"}, {1, 26, "f1"}, {2, 4, "m2"},
                {2, 5, "p2"}, {2, 6, "v2"}, {2, 7, "s2"}, {2, 8, "a2"}, {2, 10, "l2"},
                {3, 4, "m3"}, {3, 6, "v3"}, {3, 7, "s3"}, {3, 8, "a3"}, {3, 21, "k3"},
                {4, 4, "x4 0"}, {4, 7, "m4"}, {4, 16, "v4"}, {4, 32, "s4"}, {4, 33, "a4"},
                {4, 34, "p4"}};
    build(t, GB, 0);
    for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
        assert_string_equal(text(find(want[i].type, 0), want[i].at), want[i].is);
    }
    static const uint8_t uuid[] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 9, 10, 11,
                                   12, 13, 14, 15};
    assert_memory_equal(find(1, 0) + 8, uuid, 16);
    assert_int_equal(find(0, 0)[20] << 8 | find(0, 0)[21], 0x304);
    assert_int_equal(find(0, 0)[19] & 8, 8);
    t[1].serial = ""; /* an empty string would end the list: it is left out */
    build(t, GB, 0);
    assert_string_equal(text(find(1, 0), 7), "");
    assert_string_equal(text(find(1, 0), 26), "f1");
}

static void memory_is_what_there_is(void **state)
{
    (void)state;
    struct smbios_fields t[SMBIOS_TYPES] = {0};
    static const uint64_t low[] = {1 << 20, (1 << 20) + 4096, 512 << 20, 3 * GB, 3 * GB};
    static const uint64_t high[] = {0, 0, 0, 13 * GB, 57 * GB};
    static const unsigned dimms[] = {1, 1, 1, 1, 4};
    for (unsigned i = 0; i < ARRAY_LEN(low); i++) {
        build(t, low[i], high[i]);
        assert_int_equal(load_le16(find(16, 0) + 13), dimms[i]);
        assert_int_equal(load_le32(find(16, 0) + 7), (low[i] + high[i]) >> 10);
        uint64_t all = 0;
        for (unsigned d = 0; d < dimms[i]; d++) {
            uint16_t size = load_le16(find(17, d) + 12);
            all += (uint64_t)(size & 0x7fff) << (size & 0x8000 ? 10 : 20);
        }
        assert_int_equal(all, low[i] + high[i]);
        assert_null(find(17, dimms[i]));
        assert_int_equal(load_le32(find(19, 0) + 8), (low[i] >> 10) - 1);
        assert_int_equal(find(19, 1) != NULL, high[i] != 0);
        if (high[i]) {
            assert_int_equal(load_le32(find(19, 1) + 4), 4 << 20);
            assert_int_equal(load_le32(find(19, 1) + 8), (4 << 20) + (high[i] >> 10) - 1);
        }
    }
}

/* Every string as long as it can be, and longer: it fits, and nothing is torn. */
static void long_strings_are_cut(void **state)
{
    (void)state;
    char s[400];
    memset(s, 'x', sizeof s);
    s[sizeof s - 1] = 0;
    struct smbios_fields f = {.vendor = s, .version = s, .date = s, .manufacturer = s,
                              .product = s, .serial = s, .sku = s, .family = s, .asset = s,
                              .location = s, .sock_pfx = s, .part = s, .given = true};
    struct smbios_fields t[SMBIOS_TYPES] = {f, f, f, f, f};
    build(t, 3 * GB, 57 * GB);
    for (uint8_t type = 0; type < 5; type++) {
        assert_int_equal(strlen(text(find(type, 0), 4)), SMBIOS_STRING_MAX);
    }
    assert_int_equal(strlen(text(find(4, 0), 34)), SMBIOS_STRING_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_point_holds_together),
        cmocka_unit_test(fields_stand_where_they_belong),
        cmocka_unit_test(memory_is_what_there_is),
        cmocka_unit_test(long_strings_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
