/* base/clock: order, ties, exactness inside a slice, restore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/clock.h"

struct note {
    struct clock clk;
    char order[32];
    unsigned n;
    vtime at[32];
    struct vtimer a, b, c;
    vtime again;
};

static void fired(struct note *n, char who, vtime now)
{
    assert_int_equal(clock_now(&n->clk), now);
    if (n->n < sizeof n->order) {
        n->at[n->n] = now;
        n->order[n->n++] = who;
    }
}
static void fire_a(void *o, vtime now)
{
    struct note *n = o;
    fired(n, 'a', now);
    if (n->again) {
        vtimer_arm(&n->a, now + n->again);
    }
}
static void fire_b(void *o, vtime now)
{
    fired(o, 'b', now);
}
static void fire_c(void *o, vtime now)
{
    fired(o, 'c', now);
}

static int setup(void **state)
{
    static struct note n;
    n = (struct note){0};
    clock_init(&n.clk);
    vtimer_init(&n.a, &n.clk, "a", fire_a, &n);
    vtimer_init(&n.b, &n.clk, "b", fire_b, &n);
    vtimer_init(&n.c, &n.clk, "c", fire_c, &n);
    *state = &n;
    return 0;
}

static void deadlines_fire_in_order_and_ties_oldest_first(void **state)
{
    struct note *n = *state;
    vtimer_arm(&n->c, 50);
    vtimer_arm(&n->b, 20);
    vtimer_arm(&n->a, 50);
    assert_int_equal(clock_next(&n->clk), 20);
    clock_advance(&n->clk, 49);
    assert_memory_equal(n->order, "b", 1);
    assert_int_equal(n->n, 1);
    clock_advance(&n->clk, 50);
    assert_memory_equal(n->order, "bca", 3);
    assert_int_equal(clock_next(&n->clk), VTIME_NEVER);
}

static void a_timer_may_rearm_itself_inside_one_advance(void **state)
{
    struct note *n = *state;
    n->again = 10;
    vtimer_arm(&n->a, 10);
    clock_advance(&n->clk, 35);
    assert_int_equal(n->n, 3);
    assert_int_equal(n->at[2], 30);
    assert_int_equal(clock_now(&n->clk), 35);
    vtimer_cancel(&n->a);
    vtimer_cancel(&n->a);
    assert_null(n->clk.head);
}

static void rearming_moves_and_never_cancels(void **state)
{
    struct note *n = *state;
    vtimer_arm(&n->a, 10);
    vtimer_arm(&n->a, 30);
    clock_advance(&n->clk, 29);
    assert_int_equal(n->n, 0);
    vtimer_arm(&n->a, VTIME_NEVER);
    clock_advance(&n->clk, 100);
    assert_int_equal(n->n, 0);
    vtimer_arm(&n->a, 5); /* in the past: due at once, time does not go back */
    clock_advance(&n->clk, 100);
    assert_int_equal(n->n, 1);
    assert_int_equal(n->at[0], 100);
}

static void time_is_exact_inside_a_slice(void **state)
{
    struct note *n = *state;
    uint64_t insns = 0;
    n->clk.progress = &insns;
    n->clk.ns_per_insn_q32 = (uint64_t)5 << 31; /* 2.5 ns */
    insns = 3;
    assert_int_equal(clock_now(&n->clk), 7);
    assert_int_equal(clock_insns_until(&n->clk, 10), 4);
    assert_int_equal(clock_insns_until(&n->clk, 11), 5);
    assert_int_equal(clock_insns_until(&n->clk, 0), 0);
}

static void sooner(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void arming_before_the_slice_ends_shortens_it(void **state)
{
    struct note *n = *state;
    unsigned calls = 0;
    n->clk.sooner = sooner;
    n->clk.sooner_ctx = &calls;
    n->clk.slice_end = 100;
    vtimer_arm(&n->a, 100);
    assert_int_equal(calls, 0);
    vtimer_arm(&n->b, 99);
    assert_int_equal(calls, 1);
}

static void restore_keeps_the_order_of_ties(void **state)
{
    struct note *n = *state;
    vtimer_restore(&n->a, 10, 7);
    vtimer_restore(&n->b, 10, 3);
    vtimer_restore(&n->c, VTIME_NEVER, 0);
    clock_advance(&n->clk, 10);
    assert_memory_equal(n->order, "ba", 2);
    assert_int_equal(n->n, 2);
}

static void muldiv_has_128_bits(void **state)
{
    (void)state;
    assert_true(muldiv64(UINT64_MAX, 1000, 1000) == UINT64_MAX);
    assert_int_equal(muldiv64_up(1, 1, 3), 1);
    assert_int_equal(bits_sext(0x80, 8), -128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(deadlines_fire_in_order_and_ties_oldest_first, setup),
        cmocka_unit_test_setup(a_timer_may_rearm_itself_inside_one_advance, setup),
        cmocka_unit_test_setup(rearming_moves_and_never_cancels, setup),
        cmocka_unit_test_setup(time_is_exact_inside_a_slice, setup),
        cmocka_unit_test_setup(arming_before_the_slice_ends_shortens_it, setup),
        cmocka_unit_test_setup(restore_keeps_the_order_of_ties, setup),
        cmocka_unit_test(muldiv_has_128_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
