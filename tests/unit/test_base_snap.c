/* base/snap and base/fifo: one list for save, load, hash and print; hostile input is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fifo.h"
#include "base/snap.h"

struct thing {
    bool flag;
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d;
    uint8_t bytes[5];
    uint8_t ring[4];
    struct fifo f;
    struct clock clk;
    struct vtimer t;
};

static void nothing(void *o, vtime now)
{
    (void)o, (void)now;
}

static void thing_init(struct thing *x)
{
    *x = (struct thing){0};
    fifo_init(&x->f, x->ring, sizeof x->ring);
    clock_init(&x->clk);
    vtimer_init(&x->t, &x->clk, "t", nothing, x);
}

static void walk(struct thing *x, struct snap *s)
{
    if (snap_begin(s, "thing0", 3)) {
        snap_bool(s, "flag", &x->flag);
        snap_u8(s, "a", &x->a);
        snap_u16(s, "b", &x->b);
        snap_u32(s, "c", &x->c);
        snap_u64(s, "d", &x->d);
        snap_bytes(s, "bytes", x->bytes, sizeof x->bytes);
        fifo_snap(&x->f, s, "f");
        snap_timer(s, "t", &x->t);
        snap_end(s);
    }
}

static void fill(struct thing *x)
{
    thing_init(x);
    x->flag = true, x->a = 0xfe, x->b = 0xbeef, x->c = 0xdeadbeef, x->d = 0x0123456789abcdefull;
    memcpy(x->bytes, "hello", 5);
    for (unsigned i = 0; i < 6; i++) { /* the ring has wrapped */
        fifo_push(&x->f, (uint8_t)i);
        if (i < 4) {
            fifo_pop(&x->f);
        }
    }
    vtimer_arm(&x->t, 1234);
}

static uint64_t hash(struct thing *x)
{
    struct snap s;
    snap_init_hash(&s);
    walk(x, &s);
    return s.hash;
}

static void a_load_brings_back_all_that_was_saved(void **state)
{
    (void)state;
    struct thing x, y;
    struct snap s, l;
    fill(&x);
    snap_init_save(&s);
    walk(&x, &s);
    thing_init(&y);
    snap_init_load(&l, s.buf, s.len);
    walk(&y, &l);
    assert_false(l.failed);
    assert_true(y.flag);
    assert_int_equal(y.a, 0xfe);
    assert_int_equal(y.b, 0xbeef);
    assert_int_equal(y.c, 0xdeadbeef);
    assert_true(y.d == 0x0123456789abcdefull);
    assert_memory_equal(y.bytes, "hello", 5);
    assert_int_equal(y.f.count, 2);
    assert_int_equal(fifo_peek(&y.f), 4);
    assert_int_equal(clock_next(&y.clk), 1234);
    assert_true(hash(&x) == hash(&y)); /* though the ring's head is elsewhere */
    y.bytes[4]++;
    assert_true(hash(&x) != hash(&y));
    snap_fini(&s);
}

static void truncated_or_foreign_input_is_refused(void **state)
{
    (void)state;
    struct thing x, y;
    struct snap s, l;
    fill(&x);
    snap_init_save(&s);
    walk(&x, &s);
    for (size_t n = 0; n < s.len; n++) {
        uint8_t *cut = test_malloc(n + 1);
        memcpy(cut, s.buf, n);
        thing_init(&y);
        snap_init_load(&l, cut, n);
        walk(&y, &l);
        assert_true(l.failed);
        vtimer_cancel(&y.t);
        test_free(cut);
    }
    static const size_t header[] = {0, 4, 10, 14}; /* id length, id, version, byte count */
    for (unsigned i = 0; i < 4; i++) {
        s.buf[header[i]] ^= 0x81;
        thing_init(&y);
        snap_init_load(&l, s.buf, s.len);
        walk(&y, &l);
        assert_true(l.failed);
        assert_true(l.why[0]);
        s.buf[header[i]] ^= 0x81;
    }
    s.buf[18] = 2; /* a flag that is neither */
    snap_init_load(&l, s.buf, s.len);
    walk(&y, &l);
    assert_true(l.failed);
    snap_fini(&s);
}

static void count_lines(void *ctx, const char *line)
{
    *(unsigned *)ctx += line[0] != 0;
}

static void print_shows_every_field(void **state)
{
    (void)state;
    struct thing x;
    struct snap s;
    unsigned lines = 0;
    fill(&x);
    snap_init_print(&s, count_lines, &lines);
    walk(&x, &s);
    assert_int_equal(lines, 1 + 6 + 1 + 2 + 1);
}

static void a_fifo_drops_what_does_not_fit(void **state)
{
    (void)state;
    uint8_t mem[2];
    struct fifo f;
    fifo_init(&f, mem, 2);
    assert_int_equal(fifo_pop(&f), 0);
    assert_true(fifo_push(&f, 1));
    assert_true(fifo_push(&f, 2));
    assert_false(fifo_push(&f, 3));
    assert_int_equal(fifo_room(&f), 0);
    assert_int_equal(fifo_pop(&f), 1);
    assert_true(fifo_push(&f, 4));
    assert_int_equal(fifo_pop(&f), 2);
    assert_int_equal(fifo_pop(&f), 4);
}

static void an_err_keeps_the_first_failure(void **state)
{
    (void)state;
    struct err e = {0};
    assert_false(err_set(&e, 5, "disk %s", "hd0"));
    err_set(&e, 6, "later");
    err_prefix(&e, "open: ");
    assert_string_equal(e.msg, "open: disk hd0");
    assert_int_equal(e.code, 5);
    assert_false(err_set(NULL, 1, "nobody listens"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_brings_back_all_that_was_saved),
        cmocka_unit_test(truncated_or_foreign_input_is_refused),
        cmocka_unit_test(print_shows_every_field),
        cmocka_unit_test(a_fifo_drops_what_does_not_fit),
        cmocka_unit_test(an_err_keeps_the_first_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
