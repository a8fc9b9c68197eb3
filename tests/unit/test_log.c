/* The log switchboard: classes, the sink, and call sites that say the same over and over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

struct heard {
    char text[4096];
    unsigned lines;
};

static void hear(void *ctx, enum log_class cls, const char *line)
{
    struct heard *h = ctx;
    size_t n = strlen(h->text);
    snprintf(h->text + n, sizeof h->text - n, "%d %s\n", (int)cls, line);
    h->lines++;
}

static void byte(unsigned v)
{
    log_msg(LOG_UNIMP, "dev0", "byte %02x", v);
}

static void other(void)
{
    log_msg(LOG_UNIMP, "dev0", "something else");
}

static void what_is_off_is_silent(void **state)
{
    (void)state;
    struct heard h = {0};
    log_set_sink(hear, &h);
    byte(1);
    log_enable(LOG_UNIMP, true);
    byte(1);
    log_enable(LOG_UNIMP, false);
    byte(1);
    log_set_sink(NULL, NULL);
    assert_string_equal(h.text, "2 dev0: byte 01\n");
}

static void repeats_of_a_call_site_are_counted(void **state)
{
    (void)state;
    struct heard h = {0};
    log_set_sink(hear, &h);
    log_enable(LOG_UNIMP, true);
    for (unsigned i = 0; i < 5; i++) {
        byte(1);
        other(); /* between them, from elsewhere: still the same site */
    }
    byte(2);
    log_enable(LOG_UNIMP, false);
    log_set_sink(NULL, NULL);
    assert_string_equal(h.text, "2 dev0: byte 01\n"
                                "2 dev0: something else\n"
                                "2 dev0: byte 01 (repeated 4 times)\n"
                                "2 dev0: byte 02\n"
                                "2 dev0: something else (repeated 4 times)\n");
}

static void a_flood_is_some_lines(void **state)
{
    (void)state;
    struct heard h = {0};
    log_set_sink(hear, &h);
    log_enable(LOG_UNIMP, true);
    for (unsigned i = 0; i < 10000; i++) {
        byte(7);
    }
    log_enable(LOG_UNIMP, false);
    log_set_sink(NULL, NULL);
    assert_int_equal(h.lines, 1 + 10);
    assert_non_null(strstr(h.text, "(repeated 999 times)"));
}

static void after_off_and_on_it_is_said_again(void **state)
{
    (void)state;
    struct heard h = {0};
    log_set_sink(hear, &h);
    for (unsigned i = 0; i < 2; i++) {
        log_enable(LOG_UNIMP, true);
        byte(1);
        log_enable(LOG_UNIMP, false);
    }
    log_set_sink(NULL, NULL);
    assert_int_equal(h.lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_off_is_silent),
        cmocka_unit_test(repeats_of_a_call_site_are_counted),
        cmocka_unit_test(a_flood_is_some_lines),
        cmocka_unit_test(after_off_and_on_it_is_said_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
