/* Machines of several processors: the self-checking guest smp.asm ends well, and wherever it is
 * cut - into slices, steps, kicks from outside, snapshots - nothing changes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/debug.h"
#include "machine/machine_int.h"
#include "tests/rig/snap_world.h"

static struct machine_blob rom;

static uint64_t rnd(uint64_t *seed)
{
    uint64_t x = *seed += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static struct machine_config config(unsigned cpus)
{
    return (struct machine_config){.ram_size = 4 << 20, .bios = rom, .cpus = cpus, .no_vga = true};
}

static struct machine *create(const struct machine_config *cfg)
{
    struct err err = {0};
    struct machine_config c = *cfg;
    c.deterministic = true;
    c.icount_shift = 2;
    struct machine *m = machine_create(&c, &err);
    if (!m) {
        fail_msg("%s", err.msg);
    }
    return m;
}

static uint32_t peek(struct machine *m, uint64_t phys)
{
    uint8_t b[4];
    assert_int_equal(machine_peek_phys(m, phys, b, 4), 4);
    return load_le32(b);
}
enum { V_TEST = 0x500, UP = 0x30018 };

static void the_guest_passes(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= MACHINE_CPUS; n++) {
        struct machine_config cfg = config(n);
        cfg.debug_exit_iobase = 0x501;
        cfg.debug_exit_iosize = 2;
        struct machine *m = create(&cfg);
        assert_int_equal(machine_cpus(m), n);
        enum machine_stop why = machine_run(m, 20 * VTIME_SEC);
        if (why != MACHINE_EXIT || machine_exit_code(m) != 1) {
            fail_msg("%u processors: stop %d, test %u", n, why, peek(m, V_TEST));
        }
        machine_destroy(m);
    }
}

/* One machine runs in one piece, its twin in random ones. */
static void slices_change_nothing(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 4; n *= 2) {
        struct machine_config cfg = config(n);
        struct machine *a = create(&cfg), *b = create(&cfg);
        uint64_t seed = n;
        for (vtime t = 7 * VTIME_MS; t < 190 * VTIME_MS; t += 20 * VTIME_MS) {
            machine_run(a, t);
            while (machine_now(b) < t) {
                if (rnd(&seed) % 8 == 0) {
                    for (uint64_t i = rnd(&seed) % 30; i > 0 && machine_now(b) + 1000 < t; i--) {
                        machine_step(b);
                    }
                }
                vtime now = machine_now(b), end = now + 1 + rnd(&seed) % (VTIME_MS / 4);
                machine_run(b, now < t && end > t ? t : end);
            }
            assert_true(machine_now(b) == machine_now(a));
            if (machine_hash(a) != machine_hash(b)) {
                fail_msg("%u processors, %u ms, test %u: not equal", n, (unsigned)(t / VTIME_MS),
                         peek(a, V_TEST));
            }
        }
        machine_destroy(a);
        machine_destroy(b);
    }
}

static void save(struct world *w, char **buf, size_t *len)
{
    struct err err = {0};
    FILE *f = open_memstream(buf, len);
    assert_non_null(f);
    if (!machine_save(w->m, f, &err)) {
        fail_msg("%s", err.msg);
    }
    fclose(f);
}

static bool load(struct world *w, const char *buf, size_t len, struct err *err)
{
    FILE *f = fmemopen((void *)(uintptr_t)buf, len ? len : 1, "rb");
    assert_non_null(f);
    bool ok = machine_load(w->m, f, err);
    fclose(f);
    return ok;
}

/* A twin from a snapshot lives on as the original does, with the same events from outside. */
static void snapshots_at_random_points(void **state)
{
    (void)state;
    unsigned tests = 0, last = 0;
    for (unsigned n = 2; n <= 4; n += 2) {
        struct machine_config cfg = config(n);
        struct world *w = world_new(&cfg, 700 * VTIME_US, NULL);
        uint64_t seed = 30 + n;
        for (unsigned i = 0; i < 40; i++) {
            char *buf = NULL;
            size_t len = 0;
            struct err err = {0};
            assert_true(world_run(w, machine_now(w->m) + 1 + rnd(&seed) % (3 * VTIME_MS)));
            save(w, &buf, &len);
            struct world *t = world_new(&cfg, w->period, NULL);
            if (!load(t, buf, len, &err)) {
                fail_msg("%s", err.msg);
            }
            free(buf);
            world_copy_host(t, w);
            assert_int_equal(world_hash(w), world_hash(t));
            vtime end = machine_now(w->m) + 1 + rnd(&seed) % (4 * VTIME_MS);
            assert_true(world_run(w, end) && world_run(t, end));
            if (machine_turn(w->m) != machine_turn(t->m) || world_hash(w) != world_hash(t)) {
                fail_msg("%u processors, test %u: not equal", n, peek(w->m, V_TEST));
            }
            tests += peek(w->m, V_TEST) != last;
            last = peek(w->m, V_TEST);
            world_free(t);
        }
        world_free(w);
    }
    if (tests <= 8) { /* it was everywhere */
        fail_msg("%u", tests);
    }
}

static void a_snapshot_of_others_is_refused(void **state)
{
    (void)state;
    struct machine_config one = config(2), other = config(3);
    struct world *w = world_new(&one, VTIME_MS, NULL), *t = world_new(&other, VTIME_MS, NULL);
    char *buf = NULL;
    size_t len = 0;
    struct err err = {0};
    world_run(w, 15 * VTIME_MS);
    world_run(t, 15 * VTIME_MS);
    uint64_t before = machine_hash(t->m);
    save(w, &buf, &len);
    assert_false(load(t, buf, len, &err));
    assert_non_null(strstr(err.msg, "number of processors"));
    assert_int_equal(machine_hash(t->m), before);
    /* a turn that nobody has, a quantum that is too long */
    before = machine_hash(w->m);
    unsigned keep = w->m->turn;
    uint64_t quantum = w->m->quantum;
    for (unsigned i = 0; i < 2; i++) {
        char *bad = NULL;
        w->m->turn = i ? keep : 2;
        w->m->quantum = i ? SMP_QUANTUM + 1ull : quantum;
        struct snap s;
        snap_init_save(&s);
        w->m->cpus = 2;
        machine_snap(w->m, &s);
        w->m->turn = keep;
        w->m->quantum = quantum;
        /* the head of a stream, and the memory that belongs to it */
        size_t head = 8 + 16, at = head + load_le64((uint8_t *)buf + 8);
        err = (struct err){0};
        bad = malloc(len);
        assert_non_null(bad);
        assert_int_equal(s.len, load_le64((uint8_t *)buf + 8));
        memcpy(bad, buf, len);
        memcpy(bad + head, s.buf, s.len);
        assert_true(at < len);
        assert_false(load(w, bad, len, &err));
        if (!strstr(err.msg, "turn")) {
            fail_msg("%s", err.msg);
        }
        assert_int_equal(machine_hash(w->m), before);
        snap_fini(&s);
        free(bad);
    }
    free(buf);
    world_free(w);
    world_free(t);
}

static void *kicker(void *arg)
{
    struct machine *m = arg;
    for (unsigned i = 0; i < 100; i++) {
        machine_kick(m);
        machine_next_deadline(m);
        machine_turn(m);
        nanosleep(&(struct timespec){.tv_nsec = 30000}, NULL);
    }
    return NULL;
}

static void kicks_and_lookers_change_nothing(void **state)
{
    (void)state;
    struct machine_config cfg = config(4);
    struct machine *a = create(&cfg), *b = create(&cfg);
    pthread_t th;
    vtime end = 60 * VTIME_MS;
    assert_int_equal(machine_run(a, end), MACHINE_DEADLINE);
    assert_int_equal(pthread_create(&th, NULL, kicker, b), 0);
    while (machine_run(b, end) == MACHINE_KICKED) {
    }
    pthread_join(th, NULL);
    assert_int_equal(machine_hash(a), machine_hash(b));
    machine_destroy(a);
    machine_destroy(b);
}

static void first_line(void *ctx, const char *line)
{
    char *to = ctx;
    snprintf(to + strlen(to), 600 - strlen(to), "%s\n", line);
}

/* A triple fault of any processor stops the machine, which says whose it was; a reset stops all. */
static void triple_fault_of_another(void **state)
{
    (void)state;
    struct machine_config cfg = config(3);
    struct machine *m = create(&cfg);
    char text[600] = "";
    while (peek(m, UP) < 2) {
        assert_int_equal(machine_run(m, machine_now(m) + VTIME_MS), MACHINE_DEADLINE);
    }
    assert_true(machine_info(m, 1, "cpus", first_line, text));
    assert_non_null(strstr(text, "  CPU #0: pc=0x000f"));
    assert_non_null(strstr(text, "* CPU #1: pc=0x000f"));
    assert_non_null(strstr(text, "APIC ID 2, running"));
    uint64_t v;
    assert_true(machine_reg_by_name(m, 2, "eip", &v));
    assert_false(machine_reg_by_name(m, 3, "eip", &v));
    assert_int_equal(machine_code_bits(m, 1), 32);
    cpu_state(m->cpu[1])->idt_limit = 0;
    cpu_state_changed(m->cpu[1]);
    cpu_nmi(m->cpu[1]);
    assert_int_equal(machine_run(m, machine_now(m) + VTIME_SEC), MACHINE_TRIPLE_FAULT);
    assert_non_null(strstr(machine_why(m), "the processor 1 could not start"));
    machine_reset(m);
    assert_int_equal(machine_turn(m), 0);
    text[0] = 0;
    assert_true(machine_info(m, 0, "cpus", first_line, text));
    assert_non_null(strstr(text, "#1: pc=0xfffffff0 APIC ID 1, waiting for SIPI"));
    assert_non_null(strstr(text, "#0: pc=0xfffffff0 APIC ID 0, running, its turn"));
    machine_destroy(m);
}

static void apic_ids_are_fields(void **state)
{
    (void)state;
    static const struct {
        unsigned cores, threads;
        uint8_t id[8];
    } layout[] = {{1, 1, {0, 1, 2, 3, 4, 5, 6, 7}},
                  {2, 2, {0, 1, 2, 3, 4, 5, 6, 7}},
                  {3, 1, {0, 1, 2, 4, 5, 6, 8, 9}},
                  {1, 3, {0, 1, 2, 4, 5, 6, 8, 9}}};
    for (unsigned i = 0; i < ARRAY_LEN(layout); i++) {
        struct machine_config cfg = {.cores = layout[i].cores, .threads = layout[i].threads};
        for (unsigned n = 0; n < 8; n++) {
            assert_int_equal(board_apic_id(&cfg, n), layout[i].id[n]);
        }
    }
}

static void several_need_local_apics(void **state)
{
    (void)state;
    struct machine_config cfg = config(2);
    struct err err = {0};
    cfg.cpu_model = "486";
    assert_null(machine_create(&cfg, &err));
    assert_non_null(strstr(err.msg, "-smp 2: the processor has no local APIC"));
    cfg = config(9);
    assert_null(machine_create(&cfg, &err));
    cfg = config(1);
    cfg.cpu_model = "486";
    struct machine *m = machine_create(&cfg, &err);
    assert_non_null(m);
    machine_destroy(m);
}

static int prepare(void **state)
{
    char cmd[500], path[] = "/tmp/vitrine-smp-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    snprintf(cmd, sizeof cmd, "nasm -f bin -w-number-overflow -I %s/guest/ -o %s %s/guest/smp.asm",
             TESTS_DIR, path, TESTS_DIR);
    int rc = system(cmd);
    uint8_t *p = malloc(65536);
    if (rc || !p || pread(fd, p, 65536, 0) != 65536) {
        rc = -1;
    }
    close(fd);
    unlink(path);
    rom = (struct machine_blob){p, 65536};
    return rc;
}

static int leave(void **state)
{
    (void)state;
    free((void *)(uintptr_t)rom.data);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guest_passes),
        cmocka_unit_test(slices_change_nothing),
        cmocka_unit_test(snapshots_at_random_points),
        cmocka_unit_test(a_snapshot_of_others_is_refused),
        cmocka_unit_test(kicks_and_lookers_change_nothing),
        cmocka_unit_test(triple_fault_of_another),
        cmocka_unit_test(apic_ids_are_fields),
        cmocka_unit_test(several_need_local_apics),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, prepare, leave);
}
