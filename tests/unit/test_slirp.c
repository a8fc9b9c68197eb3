/* The user network by its frames: what it answers, and what it must survive (T26 to T28). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

#include <cmocka.h>

#include "frontend/net/tftp_guard.h"
#include "tests/unit/slirp_case.h"

static struct slirp_case *net_open(bool restricted, const char *tftp)
{
    struct err err = {0};
    struct slirp_case *c = calloc(1, sizeof *c);
    case_default(c);
    c->opt.restricted = restricted;
    c->opt.tftp = tftp;
    if (!case_open(c, &err)) {
        fail_msg("%s", err.msg);
    }
    uint8_t f[64]; /* it learns the guest's address */
    case_send(c, f, arp_frame(f, 0x0a000202));
    return c;
}

static void net_close(struct slirp_case *c)
{
    net_slirp_close(c->s);
    free(c);
}

static const uint8_t *last(const struct slirp_case *c)
{
    return c->reply[(c->replies - 1) % CASE_REPLIES].data;
}

/* It still does its work. */
static void alive(struct slirp_case *c)
{
    uint8_t f[700];
    assert_int_equal(case_send(c, f, arp_frame(f, 0x0a000203)), 1);
    assert_int_equal(get16(last(c) + 20), 2);
    assert_int_equal(case_send(c, f, dhcp_frame(f, 1)), 1);
    assert_memory_equal(last(c) + 42 + 16, "\x0a\x00\x02\x0f", 4);
}

static void dhcp_gives_the_addresses(void **state)
{
    (void)state;
    struct slirp_case *c = net_open(false, NULL);
    uint8_t f[700];
    assert_int_equal(case_send(c, f, dhcp_frame(f, 1)), 1);
    const uint8_t *b = last(c) + 42, *o = b + 240;
    assert_memory_equal(b + 16, "\x0a\x00\x02\x0f", 4);
    unsigned seen = 0;
    for (; *o != 255 && o < b + 500; o += 2 + o[1]) {
        if (o[0] == 3) {
            assert_memory_equal(o + 2, "\x0a\x00\x02\x02", 4);
            seen |= 1;
        } else if (o[0] == 6) {
            assert_memory_equal(o + 2, "\x0a\x00\x02\x03", 4);
            seen |= 2;
        } else if (o[0] == 1) {
            assert_memory_equal(o + 2, "\xff\xff\xff\x00", 4);
            seen |= 4;
        }
    }
    assert_int_equal(seen, 7);
    net_close(c);
}

static void same_frames_same_answers(void **state)
{
    (void)state;
    static struct slirp_case *c[2];
    uint8_t f[2000];
    for (unsigned i = 0; i < 2; i++) {
        c[i] = net_open(true, NULL);
        case_send(c[i], f, dhcp_frame(f, 1));
        case_send(c[i], f, dhcp_frame(f, 3));
        uint8_t *p = ip_frame(f, 0x0a000202, 1, 64);
        memset(p, 0, 64);
        p[0] = 8;
        ip_checksums(f, 98);
        case_send(c[i], f, 98);
        for (unsigned k = 0; k < 40; k++) {
            case_pass(c[i], 100 * VTIME_MS);
        }
    }
    assert_true(c[0]->replies >= 4); /* ARP, DHCP twice, ping */
    assert_int_equal(c[0]->replies, c[1]->replies);
    assert_memory_equal(c[0]->reply, c[1]->reply, sizeof c[0]->reply);
    net_close(c[0]);
    net_close(c[1]);
}

/* A UDP socket of the host: restrict=on keeps the guest from it, off lets it through. */
static void restrict_keeps_the_guest_in(void **state)
{
    (void)state;
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    getsockname(fd, (struct sockaddr *)&sa, &n);
    struct timeval tv = {.tv_usec = 200000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    for (unsigned open = 0; open < 2; open++) {
        struct slirp_case *c = net_open(!open, NULL);
        uint8_t f[200], got[16];
        case_send(c, f, udp_frame(f, 0x0a000202, 1234, ntohs(sa.sin_port), "hello", 5));
        ssize_t len = recv(fd, got, sizeof got, 0);
        assert_int_equal(len, open ? 5 : -1);
        net_close(c);
    }
    close(fd);
}

static void forwards_bind_to_loopback_and_tell_when_taken(void **state)
{
    (void)state;
    struct slirp_case *c = net_open(true, NULL);
    struct err err = {0};
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&sa, &n);
    struct opt_fwd f;
    char text[60], want[200];
    snprintf(text, sizeof text, "tcp::%u-:22", ntohs(sa.sin_port));
    assert_true(opt_parse_fwd("-nic", text, &f, &err));
    assert_int_equal(f.host_addr, 0x7f000001);
    assert_false(net_slirp_forward(c->s, &f, &err));
    snprintf(want, sizeof want, "-nic: hostfwd: the TCP port %u on 127.0.0.1 of the host cannot be "
             "used: Address already in use", ntohs(sa.sin_port));
    assert_string_equal(err.msg, want);
    close(fd);
    assert_true(net_slirp_forward(c->s, &f, &err));
    char *info = net_slirp_info(c->s);
    assert_non_null(strstr(info, "127.0.0.1"));
    free(info);
    assert_true(net_slirp_unforward(c->s, &f));
    assert_false(net_slirp_unforward(c->s, &f));
    net_close(c);
}

/* ---- T26 ---- */

static void fragment(struct slirp_case *c, unsigned id, unsigned off, unsigned len, bool more)
{
    uint8_t f[1600];
    uint8_t *p = ip_frame(f, 0x0a000202, 17, len);
    for (unsigned i = 0; i < len; i++) {
        p[i] = (uint8_t)(off + i);
    }
    if (off == 0 && len >= 8) {
        put16(p, 99);
        put16(p + 2, 67);
        put16(p + 4, 65000);
        put16(p + 6, 0);
    }
    put16(f + 18, id);
    put16(f + 20, off / 8 | (more ? 0x2000 : 0));
    ip_checksums(f, 34 + len);
    case_send(c, f, 34 + len);
}

static void T26_fragments_that_overlap_leave_gaps_and_fill_64K(void **state)
{
    (void)state;
    struct slirp_case *c = net_open(true, NULL);
    unsigned id = 1;
    /* every order and overlap of two and of three */
    for (unsigned a = 0; a <= 48; a += 8) {
        for (unsigned b = 0; b <= 48; b += 8) {
            for (unsigned l = 8; l <= 40; l += 16) {
                fragment(c, id, a, l, true);
                fragment(c, id, b, 24, true);
                fragment(c, id++, 16, 40, false);
            }
        }
    }
    /* a first one that is bigger than what follows says it is; the last before the first */
    fragment(c, id, 0, 1400, true);
    fragment(c, id++, 8, 16, false);
    fragment(c, id, 16, 1400, false);
    fragment(c, id++, 0, 8, true);
    /* up to 64 KB and beyond it, forwards, backwards, with holes */
    for (unsigned pass = 0; pass < 3; pass++) {
        for (unsigned i = 0; i <= 46; i++) {
            unsigned at = (pass == 1 ? 46 - i : i) * 1424;
            if (pass < 2 || i % 3) {
                fragment(c, id, at < 65528 ? at : 65528, 1424, i < 46 || pass == 2);
            }
        }
        fragment(c, id++, 65528, 1480, false);
    }
    /* fragments of length 0 and of odd lengths in the middle */
    for (unsigned l = 0; l < 24; l++) {
        fragment(c, id, 0, l, true);
        fragment(c, id, 8, l, true);
        fragment(c, id++, 16, l, false);
    }
    /* more datagrams begun than are ever finished, and then time passes */
    for (unsigned i = 0; i < 3000; i++) {
        fragment(c, 10000 + i, 8, 1400, true);
    }
    for (unsigned i = 0; i < 200; i++) {
        case_pass(c, 500 * VTIME_MS);
    }
    alive(c);
    net_close(c);
}

/* ---- T27 ---- */

static size_t t27_frame(unsigned kind, uint8_t *f)
{
    static const uint8_t dns[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 2, 'b', 'c', 0,
                                  0, 1, 0, 1};
    uint8_t *p;
    size_t n;
    switch (kind) {
    case 0: return arp_frame(f, 0x0a000202);
    case 1: return dhcp_frame(f, 1);
    case 2: return dhcp_frame(f, 3);
    case 3: return tftp_frame(f, "file");
    case 4: return udp_frame(f, 0x0a000203, 1000, 53, dns, sizeof dns);
    case 5: /* ping */
        p = ip_frame(f, 0x0a000202, 1, 40);
        memset(p, 0, 40);
        p[0] = 8;
        ip_checksums(f, 74);
        return 74;
    case 6: /* SYN with options */
        p = ip_frame(f, 0x0a000202, 6, 40);
        memset(p, 0, 40);
        put16(p, 1000);
        put16(p + 2, 80);
        p[12] = 0xa0;
        p[13] = 2;
        put16(p + 14, 65535);
        memcpy(p + 20, "\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7", 20);
        ip_checksums(f, 74);
        return 74;
    case 7: /* IP options */
        p = ip_frame(f, 0x0a000202, 1, 40 + 8);
        f[14] = 0x4f;
        memset(p, 7, 40);
        p[40] = 8;
        memset(p + 41, 0, 7);
        ip_checksums(f, 14 + 20 + 48);
        return 14 + 20 + 48;
    case 8: /* NC-SI, which libslirp answers too */
        memset(f, 0xff, 12);
        memset(f + 12, 0, 60);
        put16(f + 12, 0x88f8);
        f[15] = 1;
        return 72;
    default: /* IPv6 router solicitation */
        n = arp_frame(f, 0);
        memset(f + 14, 0, 70);
        put16(f + 12, 0x86dd);
        f[14] = 0x60;
        put16(f + 18, 16);
        f[20] = 58;
        f[21] = 255;
        f[54] = 133;
        return n + 28;
    }
}

static void T27_every_protocol_cut_off_at_every_length(void **state)
{
    (void)state;
    struct slirp_case *c = net_open(true, "/");
    c->opt.tftp = NULL; /* libslirp serves "/", and the guard does not look: its own checks only */
    for (unsigned kind = 0; kind < 10; kind++) {
        uint8_t f[800];
        size_t full = t27_frame(kind, f);
        for (size_t n = 1; n <= full; n++) {
            for (unsigned fix = 0; fix < 3; fix++) {
                uint8_t *cut = malloc(n); /* so that ASan sees a byte too far */
                t27_frame(kind, f);
                if (fix && n >= 34 && get16(f + 12) == 0x0800) {
                    put16(f + 16, (unsigned)(n - 14)); /* the lengths inside fit the frame */
                    if (fix == 2 && f[23] == 17 && n >= 42) {
                        put16(f + 38, (unsigned)(n - 34));
                    }
                    ip_checksums(f, n);
                }
                memcpy(cut, f, n);
                case_send(c, cut, n);
                free(cut);
            }
        }
    }
    alive(c);
    /* and lengths inside that promise more or less than there is */
    for (unsigned len = 0; len < 65536; len += len < 600 ? 1 : 997) {
        uint8_t f[800];
        for (unsigned kind = 1; kind < 8; kind++) {
            size_t n = t27_frame(kind, f);
            put16(f + 16, len);
            ip_checksums(f, n);
            case_send(c, f, n);
            n = t27_frame(kind, f);
            put16(f + 38, len);
            case_send(c, f, n);
        }
    }
    alive(c);
    net_close(c);
}

/* ---- T28 ---- */

static char t28_root[64];

static int t28_make(void **state)
{
    char cmd[800];
    (void)state;
    strcpy(t28_root, "/tmp/vitrine-tftp-XXXXXX");
    if (!mkdtemp(t28_root)) {
        return -1;
    }
    snprintf(cmd, sizeof cmd,
             "cd %s && mkdir -p in/sub && echo secret >secret && echo good >in/file && "
             "echo deep >in/sub/file && ln -s ../secret in/out && ln -s file in/near && "
             "ln -s /etc/passwd in/abs && ln -s .. in/up && mkfifo in/pipe && "
             "ln -s /dev/zero in/zero && ln -s loop in/loop && mkdir inside && "
             "echo secret >inside/file", t28_root);
    if (system(cmd)) {
        return -1;
    }
    strcat(t28_root, "/in");
    return 0;
}

static int t28_remove(void **state)
{
    char cmd[100];
    (void)state;
    t28_root[strlen(t28_root) - 3] = 0;
    snprintf(cmd, sizeof cmd, "rm -rf %s", t28_root);
    return system(cmd);
}

static void T28_tftp_names_stay_in_the_folder(void **state)
{
    static const struct {
        const char *name, *data; /* NULL: refused, or not found */
    } t[] = {{"file", "good\n"}, {"sub/file", "deep\n"}, {"near", "good\n"}, {"/file", "good\n"},
             {"./file", "good\n"}, {"none", NULL}, {"", NULL}, {".", NULL}, {"..", NULL},
             {"../secret", NULL}, {"sub/../../secret", NULL}, {"sub/..", NULL},
             {"/../secret", NULL},
             {"../inside/file", NULL}, {"..\\secret", NULL}, {"\\..\\secret", NULL},
             {"sub\\file", NULL}, {"c:/file", NULL}, {"C:\\file", NULL}, {"/etc/passwd", NULL},
             {"//etc/passwd", NULL}, {"out", NULL}, {"abs", NULL}, {"up/secret", NULL},
             {"pipe", NULL}, {"zero", NULL}, {"loop", NULL}, {"sub", NULL}, {"sub/", NULL},
             {"file/", NULL}, {"/dev/zero", NULL}, {"../../../../../../../../etc/passwd", NULL}};
    (void)state;
    struct slirp_case *c = net_open(true, t28_root);
    uint8_t f[800];
    for (unsigned i = 0; i < sizeof t / sizeof t[0]; i++) {
        unsigned n = case_send(c, f, tftp_frame(f, t[i].name));
        const uint8_t *r = last(c) + 42;
        unsigned op = n ? get16(r) : 0;
        bool data = op == 3 && memcmp(r + 4, t[i].data ? t[i].data : "", 5) == 0;
        if (t[i].data ? !data : op == 3) {
            fail_msg("TFTP name \"%s\": answer %u", t[i].name, op);
        }
        assert_true(n == 0 || op == 3 || op == 5);
        assert_int_equal(tftp_guard_name(t28_root, t[i].name) && op == 3, t[i].data != NULL);
    }
    alive(c);
    net_close(c);
}

/* A request hidden in fragments does not pass the guard. */
static void T28_requests_in_fragments_are_dropped(void **state)
{
    (void)state;
    uint8_t f[800];
    size_t n = tftp_frame(f, "../secret");
    assert_int_equal(tftp_guard(t28_root, f, n), TFTP_REFUSE);
    put16(f + 20, 0x2000);
    assert_int_equal(tftp_guard(t28_root, f, n), TFTP_DROP);
    put16(f + 20, 3);
    assert_int_equal(tftp_guard(t28_root, f, n), TFTP_DROP);
    n = tftp_frame(f, "file");
    assert_int_equal(tftp_guard(t28_root, f, n), TFTP_PASS);
    for (size_t k = 0; k < n; k++) {
        uint8_t *cut = malloc(k + 1);
        memcpy(cut, f, k);
        tftp_guard(t28_root, cut, k);
        tftp_guard_spoil(cut, k);
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dhcp_gives_the_addresses),
        cmocka_unit_test(same_frames_same_answers),
        cmocka_unit_test(restrict_keeps_the_guest_in),
        cmocka_unit_test(forwards_bind_to_loopback_and_tell_when_taken),
        cmocka_unit_test(T26_fragments_that_overlap_leave_gaps_and_fill_64K),
        cmocka_unit_test(T27_every_protocol_cut_off_at_every_length),
        cmocka_unit_test_setup_teardown(T28_tftp_names_stay_in_the_folder, t28_make, t28_remove),
        cmocka_unit_test_setup_teardown(T28_requests_in_fragments_are_dropped, t28_make,
                                        t28_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
