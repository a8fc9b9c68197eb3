/* The Ctrl-A keys, ports over pipes and sockets, the monitor's line editor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "frontend/char/mux.h"
#include "frontend/char/port.h"
#include "frontend/monitor/reader.h"
#include "frontend/options.h"

/* ---- mux -------------------------------------------------------------------------------- */

struct bench {
    struct mux mux;
    struct char_sink sink;
    char out[4096];
    size_t out_len;
    struct user {
        char got[8192];
        size_t len, room; /* takes at most room bytes */
        unsigned opened, closed;
    } user[2];
    unsigned quits, flushes, breaks, break_user;
};

static size_t bench_write(void *ctx, const uint8_t *buf, size_t len)
{
    struct bench *b = ctx;
    assert_true(b->out_len + len < sizeof b->out);
    memcpy(b->out + b->out_len, buf, len);
    b->out_len += len;
    return len;
}

static size_t user_input(void *ctx, const uint8_t *buf, size_t len)
{
    struct user *u = ctx;
    size_t n = len < u->room ? len : u->room;
    n = n < sizeof u->got - u->len ? n : sizeof u->got - u->len;
    memcpy(u->got + u->len, buf, n);
    u->len += n;
    u->room -= n;
    return n;
}

static void user_opened(void *ctx, bool open)
{
    struct user *u = ctx;
    u->opened += open;
    u->closed += !open;
}

static void bench_quit(void *ctx)
{
    ((struct bench *)ctx)->quits++;
}

static void bench_flush(void *ctx)
{
    ((struct bench *)ctx)->flushes++;
}

static void bench_break(void *ctx, unsigned user)
{
    ((struct bench *)ctx)->breaks++;
    ((struct bench *)ctx)->break_user = user;
}

static struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err err = {0};
    struct mux_actions act = {bench_quit, bench_flush, bench_break, b};
    assert_true(mux_init(&b->mux, bench_write, b, &act, &err));
    for (unsigned i = 0; i < 2; i++) {
        struct char_sink s = {.input = user_input, .opened = i ? user_opened : NULL,
                              .ctx = &b->user[i]};
        b->user[i].room = SIZE_MAX;
        assert_int_equal(mux_add(&b->mux, i ? "monitor" : "serial0", &s), i);
    }
    b->sink = mux_sink(&b->mux);
    return b;
}

static void bench_free(struct bench *b)
{
    mux_fini(&b->mux);
    free(b);
}

static void type(struct bench *b, const char *text)
{
    assert_int_equal(b->sink.input(b->sink.ctx, (const uint8_t *)text, strlen(text)),
                     strlen(text));
}

static void test_mux_escapes(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    type(b, "ab\001xcd\001sef\001b");
    assert_int_equal(b->quits, 1);
    assert_int_equal(b->flushes, 1);
    assert_int_equal(b->breaks, 1);
    assert_int_equal(b->break_user, 0);
    assert_int_equal(b->user[0].len, 6);
    assert_memory_equal(b->user[0].got, "abcdef", 6);
    assert_int_equal(b->user[1].len, 0);
    bench_free(b);
}

static void test_mux_sends_ctrl_a(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    type(b, "\001");
    type(b, "\001");
    assert_int_equal(b->user[0].len, 1);
    assert_int_equal(b->user[0].got[0], 1);
    type(b, "\001\001x"); /* the x is plain */
    assert_int_equal(b->quits, 0);
    assert_int_equal(b->user[0].len, 3);
    type(b, "\001?"); /* help for an unknown key as well as h */
    assert_true(b->out_len > 0);
    assert_non_null(strstr(b->out, "Ctrl-A x"));
    type(b, "\001zq"); /* unknown: swallowed */
    assert_int_equal(b->user[0].len, 4);
    bench_free(b);
}

static void test_mux_switches(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    type(b, "one\001ctwo\001cthree");
    assert_int_equal(b->user[0].len, 8);
    assert_memory_equal(b->user[0].got, "onethree", 8);
    assert_int_equal(b->user[1].len, 3);
    assert_int_equal(b->user[1].opened, 1);
    assert_int_equal(b->user[1].closed, 1);
    assert_non_null(strstr(b->out, "[serial0]"));
    bench_free(b);
}

/* A guest that reads nothing must not be able to take the way out away. */
static void test_mux_works_when_the_guest_is_deaf(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    char *flood = malloc(MUX_KEPT * 2 + 1);
    memset(flood, 'y', MUX_KEPT * 2);
    flood[MUX_KEPT * 2] = 0;
    b->user[0].room = 0;
    type(b, flood);
    assert_int_equal(b->mux.kept_len, MUX_KEPT);
    type(b, "\001x");
    assert_int_equal(b->quits, 1);
    /* and when it listens again it gets what was kept, in order, piece by piece */
    b->user[0].room = 100;
    assert_true(b->sink.flush(b->sink.ctx));
    assert_int_equal(b->user[0].len, 100);
    b->mux.kept_len = 50;
    b->user[0].room = SIZE_MAX;
    assert_false(b->sink.flush(b->sink.ctx));
    assert_int_equal(b->user[0].len, 150);
    free(flood);
    bench_free(b);
}

/* ---- ports ------------------------------------------------------------------------------ */

static char dir[] = "/tmp/vitrine-test-char-XXXXXX";

static void nap(void)
{
    struct timespec ts = {.tv_nsec = 5000000};
    nanosleep(&ts, NULL);
}

struct taker {
    char got[100000];
    size_t len; /* atomic */
    unsigned refuse; /* atomic */
};

static size_t taker_input(void *ctx, const uint8_t *buf, size_t len)
{
    struct taker *t = ctx;
    if (__atomic_load_n(&t->refuse, __ATOMIC_RELAXED)) {
        __atomic_sub_fetch(&t->refuse, 1, __ATOMIC_RELAXED);
        return 0;
    }
    size_t n = len > 7 ? 7 : len; /* takes little at a time, as a UART */
    size_t at = __atomic_load_n(&t->len, __ATOMIC_ACQUIRE);
    memcpy(t->got + at, buf, n);
    __atomic_store_n(&t->len, at + n, __ATOMIC_RELEASE);
    return n;
}

static void wait_len(struct taker *t, size_t len)
{
    for (unsigned i = 0; i < 1000 && __atomic_load_n(&t->len, __ATOMIC_ACQUIRE) < len; i++) {
        nap();
    }
    assert_int_equal(__atomic_load_n(&t->len, __ATOMIC_ACQUIRE), len);
}

static int connect_unix(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    strcpy(sa.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    return fd;
}

static void read_all(int fd, char *buf, size_t len)
{
    size_t done = 0;
    while (done < len) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 5000), 1);
        ssize_t n = read(fd, buf + done, len - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
}

static void test_socket_server(void **state)
{
    (void)state;
    char path[64], buf[64];
    struct err err = {0};
    struct taker *t = calloc(1, sizeof *t);
    snprintf(path, sizeof path, "%s/s", dir);
    struct char_loop *l = char_loop_create(&err);
    struct opt_chardev c = {.opt = "-serial", .kind = OPT_CHR_SOCKET, .server = true,
                            .path = path};
    struct char_port *p = char_open(l, &c, &err);
    assert_non_null(p);
    struct char_sink sink = {.input = taker_input, .ctx = t};
    char_port_sink(p, &sink);
    assert_true(char_loop_start(l, &err));
    /* nobody there: taken and dropped */
    assert_int_equal(char_port_write(p, (const uint8_t *)"lost", 4), 4);
    for (unsigned round = 0; round < 2; round++) { /* the second client after the first left */
        __atomic_store_n(&t->len, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&t->refuse, 3, __ATOMIC_RELAXED);
        int fd = connect_unix(path);
        assert_int_equal(write(fd, "hello, serial port", 18), 18);
        wait_len(t, 18);
        assert_memory_equal(t->got, "hello, serial port", 18);
        assert_int_equal(char_port_write(p, (const uint8_t *)"answer", 6), 6);
        read_all(fd, buf, 6);
        assert_memory_equal(buf, "answer", 6);
        close(fd);
        for (unsigned i = 0; i < 200; i++) {
            nap();
        }
    }
    /* a second server on the same path is refused while we listen */
    struct char_loop *l2 = char_loop_create(&err);
    assert_null(char_open(l2, &c, &err));
    assert_non_null(strstr(err.msg, "another process listens there"));
    char_loop_destroy(l2);
    char_loop_destroy(l);
    assert_int_equal(access(path, F_OK), -1); /* the socket file is gone */
    free(t);
}

static void test_file_gets_everything(void **state)
{
    (void)state;
    char path[64];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/f", dir);
    struct char_loop *l = char_loop_create(&err);
    struct opt_chardev c = {.opt = "-serial", .kind = OPT_CHR_FILE, .path = path};
    struct char_port *p = char_open(l, &c, &err);
    assert_non_null(p);
    assert_true(char_loop_start(l, &err));
    uint8_t chunk[1000];
    size_t total = 0;
    for (unsigned i = 0; i < 2000; i++) { /* eight times the ring */
        memset(chunk, (int)i, sizeof chunk);
        total += char_port_write(p, chunk, sizeof chunk);
    }
    char_loop_destroy(l);
    FILE *f = fopen(path, "rb");
    size_t n = 0;
    int ch;
    while ((ch = fgetc(f)) != EOF) {
        if (ch != (int)(n / 1000 & 255)) {
            fail_msg("byte %zu is %d", n, ch);
        }
        n++;
    }
    fclose(f);
    unlink(path);
    assert_int_equal(n, 2000 * 1000);
    assert_int_equal(total, n);
}

/* T31 in small: a reader that never reads costs a bounded buffer and no time to speak of. */
static void test_slow_reader(void **state)
{
    (void)state;
    char path[64];
    struct err err = {0};
    snprintf(path, sizeof path, "%s/slow", dir);
    struct char_loop *l = char_loop_create(&err);
    struct opt_chardev c = {.opt = "-serial", .kind = OPT_CHR_SOCKET, .server = true,
                            .path = path};
    struct char_port *p = char_open(l, &c, &err);
    assert_non_null(p);
    assert_true(char_loop_start(l, &err));
    int fd = connect_unix(path);
    nap();
    uint8_t chunk[4096] = {0};
    time_t begin = time(NULL);
    for (unsigned i = 0; i < 2000; i++) { /* 8 MB */
        assert_int_equal(char_port_write(p, chunk, sizeof chunk), sizeof chunk);
    }
    assert_true(time(NULL) - begin < 10);
    pthread_mutex_lock(&p->lock);
    assert_true(p->out_len <= CHAR_OUT);
    pthread_mutex_unlock(&p->lock);
    close(fd);
    char_loop_destroy(l);
}

static void test_pty(void **state)
{
    (void)state;
    struct err err = {0};
    char buf[16];
    struct taker *t = calloc(1, sizeof *t);
    struct char_loop *l = char_loop_create(&err);
    struct opt_chardev c = {.opt = "-serial", .kind = OPT_CHR_PTY};
    struct char_port *p = char_open(l, &c, &err);
    if (!p) {
        char_loop_destroy(l);
        free(t);
        skip();
    }
    struct char_sink sink = {.input = taker_input, .ctx = t};
    char_port_sink(p, &sink);
    assert_true(char_loop_start(l, &err));
    assert_int_equal(strncmp(p->name, "pty:", 4), 0);
    for (unsigned round = 0; round < 2; round++) {
        int fd = open(p->name + 4, O_RDWR | O_NOCTTY);
        assert_true(fd >= 0);
        __atomic_store_n(&t->len, 0, __ATOMIC_RELEASE);
        assert_int_equal(write(fd, "x\r\n", 3), 3);
        wait_len(t, 3);
        assert_memory_equal(t->got, "x\r\n", 3); /* raw: nothing translated */
        char_port_write(p, (const uint8_t *)"a\nb", 3);
        read_all(fd, buf, 3);
        assert_memory_equal(buf, "a\nb", 3);
        close(fd);
    }
    char_loop_destroy(l);
    free(t);
}

/* ---- line editor ------------------------------------------------------------------------ */

static struct bench *reader_bench(struct reader *r, struct hmp *h)
{
    struct bench *b = calloc(1, sizeof *b);
    memset(h, 0, sizeof *h);
    reader_init(r, h, bench_write, b);
    b->sink = reader_sink(r);
    return b;
}

static void test_reader_edits(void **state)
{
    (void)state;
    struct reader r;
    struct hmp h;
    struct bench *b = reader_bench(&r, &h);
    type(b, "abX\177c\033[D\033[DY\001Z\005!");
    assert_string_equal(r.line, "ZaYbc!");
    type(b, "\033[D\033[D\013"); /* kill to the end */
    assert_string_equal(r.line, "ZaYb");
    type(b, "\025"); /* kill to the beginning */
    assert_string_equal(r.line, "");
    type(b, "help quit\r");
    assert_non_null(strstr(b->out, "leave Vitrine\r\n(vitrine) "));
    type(b, "\033[A");
    assert_string_equal(r.line, "help quit");
    type(b, "\033[B");
    assert_string_equal(r.line, "");
    free(b);
}

static void test_reader_completes(void **state)
{
    (void)state;
    struct reader r;
    struct hmp h;
    struct bench *b = reader_bench(&r, &h);
    type(b, "screen\t");
    assert_string_equal(r.line, "screendump ");
    type(b, "\003system_r\t");
    assert_string_equal(r.line, "system_reset ");
    type(b, "\003system\t");
    assert_string_equal(r.line, "system_");
    type(b, "\t");
    assert_non_null(strstr(b->out, "system_reset  system_powerdown"));
    type(b, "\003sendkey ctrl-alt-del\t");
    assert_string_equal(r.line, "sendkey ctrl-alt-del"); /* del and delete */
    free(b);
}

static void test_reader_survives_anything(void **state)
{
    (void)state;
    struct reader r;
    struct hmp h;
    struct bench *b = reader_bench(&r, &h);
    uint32_t seed = 12345;
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1103515245 + 12345;
        uint8_t c = (uint8_t)(seed >> 16);
        if (c == '\r' || c == '\n') {
            c = 'x'; /* lines would run commands on a machine that is not there */
        }
        b->sink.input(b->sink.ctx, &c, 1);
        b->out_len = 0;
        assert_true(r.len < READER_LINE && r.at <= r.len);
        assert_int_equal(strlen(r.line), r.len);
    }
    free(b);
}

static void test_reader_suggests(void **state)
{
    (void)state;
    struct reader r;
    struct hmp h;
    struct bench *b = reader_bench(&r, &h);
    type(b, "sytem_reset\n");
    assert_non_null(strstr(b->out, "Unknown command \"sytem_reset\", did you mean "
                                   "\"system_reset\"?"));
    free(b);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mux_escapes),
        cmocka_unit_test(test_mux_sends_ctrl_a),
        cmocka_unit_test(test_mux_switches),
        cmocka_unit_test(test_mux_works_when_the_guest_is_deaf),
        cmocka_unit_test(test_socket_server),
        cmocka_unit_test(test_file_gets_everything),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_pty),
        cmocka_unit_test(test_reader_edits),
        cmocka_unit_test(test_reader_completes),
        cmocka_unit_test(test_reader_survives_anything),
        cmocka_unit_test(test_reader_suggests),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
