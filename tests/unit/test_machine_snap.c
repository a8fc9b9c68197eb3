/* Save a machine in memory, load into a fresh one, go on: equal hashes, at random points of guests
 * that have disk DMA, keys, mouse, serial bytes, timers and network frames under way.  Damaged
 * snapshots are refused and leave the machine as it was.  Two machines in two threads.
 *
 * Guests: a ROM of our own (snap_guest.asm), always; SeaBIOS; Linux from the demo ISO's parts, when
 * the cache has them (scripts/mkdemo.sh; VITRINE_DEMO names another folder). */
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
#include "tests/rig/snap_world.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 0
#endif

static struct machine_blob rom, bios;

static struct machine_blob slurp(const char *path)
{
    struct machine_blob b = {0};
    FILE *f = fopen(path, "rb");
    if (!f) {
        return b;
    }
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    void *p = malloc((size_t)n + 1);
    if (p && fread(p, 1, (size_t)n, f) == (size_t)n) {
        b.data = p;
        b.len = (size_t)n;
    }
    fclose(f);
    return b;
}

static uint64_t rnd(uint64_t *seed)
{
    uint64_t x = *seed += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static struct machine_config rom_config(void)
{
    struct machine_config cfg = {.ram_size = 2 << 20, .bios = rom};
    cfg.nic[0].model = MACHINE_NIC_NE2K_ISA;
    return cfg;
}

static uint32_t peek(struct world *w, uint64_t phys)
{
    uint8_t b[4];
    assert_int_equal(machine_peek_phys(w->m, phys, b, 4), 4);
    return load_le32(b);
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

/* One point: a twin of w, made from its snapshot, lives on like w for a random while. */
static void point(struct world *w, const struct machine_config *cfg, uint64_t *seed, vtime longest)
{
    char *buf = NULL;
    size_t len = 0;
    struct err err = {0};
    save(w, &buf, &len);
    struct world *t = world_new((struct machine_config *)(uintptr_t)cfg, w->period, w->script);
    if (!load(t, buf, len, &err)) {
        fail_msg("%s", err.msg);
    }
    free(buf);
    world_copy_host(t, w);
    uint64_t at = machine_insns(w->m);
    assert_int_equal(world_hash(w), world_hash(t));
    for (unsigned i = (unsigned)rnd(seed) % 50; i > 0; i--) { /* some one by one ... */
        machine_step(w->m);
        machine_step(t->m);
    }
    for (unsigned i = 0; i < 3; i++) { /* ... then in longer and longer stretches */
        vtime span = 1 + rnd(seed) % (longest >> (4 - 2 * i));
        vtime end = machine_now(w->m) + span;
        bool a = world_run(w, end), b = world_run(t, end);
        assert_int_equal(a, b);
        if (machine_insns(w->m) != machine_insns(t->m) || world_hash(w) != world_hash(t)) {
            fail_msg("saved after %llu instructions, not equal %llu later",
                     (unsigned long long)at, (unsigned long long)(machine_insns(w->m) - at));
        }
    }
    world_free(t);
}

/* The time of the next point: on a host event (which is then under way) or anywhere. */
static vtime next_point(struct world *w, uint64_t *seed, vtime gap)
{
    vtime t = machine_now(w->m) + 1 + rnd(seed) % gap;
    return rnd(seed) & 1 ? t / w->period * w->period + w->period : t;
}

static void a_busy_rom_at_100_points(void **state)
{
    (void)state;
    struct machine_config cfg = rom_config();
    struct world *w = world_new(&cfg, 700 * VTIME_US, NULL);
    uint64_t seed = 2026;
    for (unsigned i = 0; i < 100; i++) {
        assert_true(world_run(w, next_point(w, &seed, 5 * VTIME_MS)));
        point(w, &cfg, &seed, 4 * VTIME_MS);
    }
    /* it was as busy as it claims */
    assert_true(peek(w, 0x6010) > 100); /* disk transfers */
    assert_true(peek(w, 0x600c) > 300); /* ticks */
    assert_true(peek(w, 0x6014) > 50);  /* keyboard and mouse bytes */
    assert_true(peek(w, 0x6018) > 50);  /* serial in */
    assert_true(w->st.serial_out > 300);
    assert_true(peek(w, 0x601c) > 100); /* frames received */
    assert_true(w->st.sent > 50);
    print_message(
        "  %u disk transfers, %u ticks, %u keys, %u serial bytes in, %u out, %u frames in, "
        "%u out\n",
        peek(w, 0x6010), peek(w, 0x600c), peek(w, 0x6014), peek(w, 0x6018),
        (unsigned)w->st.serial_out, peek(w, 0x601c), (unsigned)w->st.sent);
    world_free(w);
}

/* What was posted is part of the hash before it is delivered, and reaches the guest after a load.
 */
static void what_was_posted_is_part_of_the_state(void **state)
{
    (void)state;
    struct machine_config cfg = rom_config();
    for (unsigned kind = 0; kind < 6; kind++) {
        struct world *w = world_new(&cfg, VTIME_SEC, NULL), *t = world_new(&cfg, VTIME_SEC, NULL);
        char *buf = NULL;
        size_t len = 0;
        struct err err = {0};
        assert_true(world_run(w, 20 * VTIME_MS));
        uint64_t before = machine_hash(w->m);
        struct input_event ev = {.kind = INPUT_KEY, .key = {.hid = 4, .down = true}};
        switch (kind) {
        case 0: machine_post_input(w->m, &ev); break;
        case 1:
            ev = (struct input_event){.kind = INPUT_POINTER, .pointer = {-300, 5, -1, 3}};
            machine_post_input(w->m, &ev);
            break;
        case 2: machine_power_button(w->m); break;
        case 3: machine_nmi(w->m); break;
        case 4: machine_post_break(w->m, &w->serial); break;
        case 5: machine_post_link(w->m, &w->net, false); break;
        }
        if (machine_hash(w->m) == before) {
            fail_msg("event %u is not in the hash", kind);
        }
        save(w, &buf, &len);
        if (!load(t, buf, len, &err)) {
            fail_msg("event %u: %s", kind, err.msg);
        }
        free(buf);
        world_copy_host(t, w);
        assert_int_equal(machine_hash(w->m), machine_hash(t->m));
        world_run(w, 40 * VTIME_MS);
        world_run(t, 40 * VTIME_MS);
        assert_int_equal(machine_hash(w->m), machine_hash(t->m));
        /* a host end that is not this machine's is nobody's */
        before = machine_hash(w->m);
        machine_post_break(w->m, &t->serial);
        machine_post_link(w->m, &t->net, true);
        assert_int_equal(machine_hash(w->m), before);
        world_free(w);
        world_free(t);
    }
}

/* ---- damage ---- */

enum { SECTIONS = 80 };
struct layout { /* where the sections of a snapshot begin; the last entry: where RAM begins */
    size_t at[SECTIONS];
    unsigned count;
};

static void lay_out(const char *buf, struct layout *l)
{
    size_t pos = 24, end = 24 + load_le64(buf + 8);
    l->count = 0;
    while (pos < end) {
        assert_true(l->count < SECTIONS - 1);
        l->at[l->count++] = pos;
        pos += 4 + load_le32(buf + pos);
        pos += 8 + load_le32(buf + pos + 4);
    }
    assert_int_equal(pos, end);
    l->at[l->count] = end;
}

static struct world *busy_rom(const struct machine_config *cfg, vtime at)
{
    struct world *w = world_new((struct machine_config *)(uintptr_t)cfg, 700 * VTIME_US, NULL);
    assert_true(world_run(w, at));
    return w;
}

static void expect_refused(struct world *w, const char *buf, size_t len, uint64_t hash)
{
    struct err err = {0};
    if (load(w, buf, len, &err)) {
        fail_msg("a snapshot cut to %zu bytes is taken", len);
    }
    assert_true(err.msg[0] != 0);
    if (machine_hash(w->m) != hash) {
        fail_msg("a snapshot cut to %zu bytes is refused, and changes the machine", len);
    }
}

static void a_cut_snapshot_changes_nothing(void **state)
{
    (void)state;
    struct machine_config cfg = rom_config();
    struct world *a = busy_rom(&cfg, 35 * VTIME_MS), *b = busy_rom(&cfg, 61 * VTIME_MS),
                 *c = busy_rom(&cfg, 61 * VTIME_MS);
    char *buf = NULL;
    size_t len = 0;
    struct layout l;
    save(a, &buf, &len);
    char *bad = malloc(len);
    assert_non_null(bad);
    lay_out(buf, &l);
    assert_true(l.count > 15);
    uint64_t hash = machine_hash(b->m);
    for (unsigned i = 0; i < l.count; i++) {
        size_t from = l.at[i], to = l.at[i + 1];
        const size_t cut[] = {from, from + 3, from + 10, (from + to) / 2, to - 1};
        for (unsigned k = 0; k < ARRAY_LEN(cut); k++) {
            expect_refused(b, buf, cut[k], hash);
            /* the same with a header that claims that this is all of the devices */
            size_t ram = len - l.at[l.count];
            memcpy(bad, buf, cut[k]);
            memcpy(bad + cut[k], buf + l.at[l.count], ram);
            store_le64(bad + 8, cut[k] - 24);
            expect_refused(b, bad, cut[k] + ram, hash);
        }
    }
    for (size_t at = l.at[l.count]; at < len; at += (len - l.at[l.count]) / 7 + 1) {
        expect_refused(b, buf, at, hash);
    }
    expect_refused(b, buf, len - 1, hash);
    expect_refused(b, buf, 0, hash);
    buf[l.at[l.count]] = 2; /* neither empty nor full page */
    expect_refused(b, buf, len, hash);
    /* and it goes on as if nothing had been */
    assert_true(world_run(b, 90 * VTIME_MS));
    assert_true(world_run(c, 90 * VTIME_MS));
    assert_int_equal(world_hash(b), world_hash(c));
    free(bad);
    free(buf);
    world_free(a);
    world_free(b);
    world_free(c);
}

static bool host_silent(struct world *w, vtime span)
{
    machine_run(w->m, machine_now(w->m) + span);
    return true;
}

/* Every section, with bytes changed in it: refused without a trace, or taken, and then the machine
 * lives on somehow, and a good snapshot still makes it whole. */
static void damaged_sections_do_no_harm(void **state)
{
    (void)state;
    struct machine_config cfg = rom_config();
    struct world *a = busy_rom(&cfg, 35 * VTIME_MS), *b = busy_rom(&cfg, 61 * VTIME_MS);
    char *buf = NULL, *own = NULL;
    size_t len = 0, own_len = 0;
    struct layout l;
    uint64_t seed = 77;
    unsigned taken = 0, refused = 0;
    save(a, &buf, &len);
    save(b, &own, &own_len);
    lay_out(buf, &l);
    char *bad = malloc(len);
    assert_non_null(bad);
    uint64_t hash = machine_hash(b->m);
    unsigned rounds = SLOW_BUILD ? 12 : 40;
    for (unsigned i = 0; i < l.count; i++) {
        for (unsigned k = 0; k < rounds; k++) {
            struct err err = {0};
            size_t from = l.at[i], span = l.at[i + 1] - from;
            memcpy(bad, buf, len);
            if (span > 65536 && k & 3) {
                span = 4096; /* the registers, not the video memory */
            }
            for (unsigned n = 1 + k % 4; n; n--) {
                bad[from + rnd(&seed) % span] ^= (char)(1u << (rnd(&seed) & 7));
            }
            if (k % 5 == 4) {
                store_le32(bad + from + rnd(&seed) % (span > 8 ? span - 4 : 4),
                           k & 1 ? 0xffffffff : 0x7fffffff);
            }
            if (!load(b, bad, len, &err)) {
                refused++;
                if (machine_hash(b->m) != hash) {
                    fail_msg("section %u, round %u: refused (%s), and changed", i, k, err.msg);
                }
                continue;
            }
            taken++;
            host_silent(b, VTIME_MS / 4);
            err = (struct err){0};
            if (!load(b, own, own_len, &err) || machine_hash(b->m) != hash) {
                fail_msg("section %u, round %u: a good snapshot does not heal it: %s", i, k,
                         err.msg);
            }
        }
    }
    print_message("  %u sections: %u damaged snapshots refused, %u taken\n", l.count, refused,
                  taken);
    assert_true(refused > l.count && taken > l.count);
    free(bad);
    free(buf);
    free(own);
    world_free(a);
    world_free(b);
}

/* ---- threads ---- */

struct runner {
    struct world *w;
    uint64_t hash;
};

static void *run_thread(void *arg)
{
    struct runner *r = arg;
    world_run(r->w, (SLOW_BUILD ? 60 : 300) * VTIME_MS);
    r->hash = world_hash(r->w);
    return NULL;
}

static void machines_in_threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct machine_config cfg = rom_config();
    struct runner alone[2], both[2];
    pthread_t th[2];
    for (unsigned i = 0; i < 2; i++) {
        alone[i].w = world_new(&cfg, (700 + i * 111) * VTIME_US, NULL);
        run_thread(&alone[i]);
        both[i].w = world_new(&cfg, (700 + i * 111) * VTIME_US, NULL);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&th[i], NULL, run_thread, &both[i]), 0);
    }
    /* and somebody from outside looks at them and wants the lock */
    for (unsigned i = 0; i < 50; i++) {
        struct rect r;
        machine_scan(both[i & 1].w->m, &r);
        machine_next_deadline(both[i & 1].w->m);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(th[i], NULL);
    }
    assert_int_equal(alone[0].hash, both[0].hash);
    assert_int_equal(alone[1].hash, both[1].hash);
    assert_int_not_equal(both[0].hash, both[1].hash);
    for (unsigned i = 0; i < 2; i++) {
        world_free(alone[i].w);
        world_free(both[i].w);
    }
}

/* Kicks from another thread: the machine stops for each, soon, and nothing else changes. */
static void *kicking_thread(void *arg)
{
    struct world *w = arg;
    for (unsigned i = 0; i < 200; i++) {
        machine_kick(w->m);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    return NULL;
}

static void kicks_change_nothing(void **state)
{
    (void)state;
    struct machine_config cfg = rom_config();
    struct world *w = world_new(&cfg, 700 * VTIME_US, NULL), *t = world_new(&cfg, 700 * VTIME_US,
                                                                            NULL);
    pthread_t th;
    assert_true(world_run(w, 50 * VTIME_MS));
    assert_true(world_run(t, 50 * VTIME_MS));
    vtime end = 120 * VTIME_MS;
    assert_int_equal(pthread_create(&th, NULL, kicking_thread, t), 0);
    while (!world_run(t, end)) {
    }
    pthread_join(th, NULL);
    world_run(w, end);
    assert_int_equal(world_hash(w), world_hash(t));
    world_free(w);
    world_free(t);
}

/* ---- real guests ---- */

static void seabios_at_20_points(void **state)
{
    (void)state;
    if (!bios.len) {
        print_message("  no SeaBIOS here (package seabios)\n");
        skip();
    }
    struct machine_config cfg = {.ram_size = 16 << 20, .bios = bios, .boot_order = "c"};
    struct world *w = world_new(&cfg, 900 * VTIME_US, NULL);
    uint64_t seed = 5;
    for (unsigned i = 0; i < (SLOW_BUILD ? 6 : 20); i++) {
        assert_true(world_run(w, next_point(w, &seed, 80 * VTIME_MS)));
        point(w, &cfg, &seed, 20 * VTIME_MS);
    }
    world_free(w);
}

/* Boots until `last`; whole: until the shell is there, and beyond. */
static void linux_boots_on(unsigned points, vtime last, bool whole)
{
    char path[400];
    const char *dir = getenv("VITRINE_DEMO"), *cache = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    if (!dir) {
        snprintf(path, sizeof path, "%s%s/vitrine/demo", cache ? cache : home ? home : "",
                 cache ? "" : "/.cache");
        dir = strdup(path);
    }
    snprintf(path, sizeof path, "%s/vmlinuz", dir);
    struct machine_blob kernel = slurp(path);
    snprintf(path, sizeof path, "%s/initrd.gz", dir);
    struct machine_blob initrd = slurp(path);
    if (!kernel.len || !initrd.len || !bios.len) {
        print_message("  no demo guest in %s: scripts/mkdemo.sh makes it\n", dir);
        skip();
    }
    struct machine_config cfg = {.ram_size = 96 << 20, .bios = bios, .kernel = kernel,
                                 .initrd = initrd, .append = "console=ttyS0,115200 quiet",
                                 .icount_shift = 3};
    cfg.nic[0].model = MACHINE_NIC_NE2K_PCI;
    struct world *w =
        world_new(&cfg, 3 * VTIME_MS,
                  "modprobe ne2k-pci;  ip addr add 10.0.2.15/24 dev eth0; ip "
                  "link set eth0 up; "
                  "ping -A -q 10.0.2.2 & while :; do dd if=/dev/sda of=/dev/null bs=64k; "
                  "dd if=/dev/urandom of=/dev/sda bs=32k count=200 seek=3; sync; "
                  "echo 3 >/proc/sys/vm/drop_caches; done\n");
    uint64_t seed = 686;
    for (unsigned i = 0; i < points; i++) {
        if (whole && i >= points / 2 && !w->st.ready) {
            while (!w->st.ready && machine_now(w->m) < 2 * last) {
                assert_true(world_run(w, machine_now(w->m) + VTIME_SEC));
            }
            assert_true(w->st.ready != 0);
        }
        /* half of the points in the boot, half while the shell's loop keeps disk and card busy */
        vtime left = w->st.ready ? w->st.ready + 12 * VTIME_SEC : last, now = machine_now(w->m);
        unsigned of = (w->st.ready || !whole ? points : points / 2) - i; /* at least 1 */
        left = left > now ? left - now : 50 * VTIME_MS;
        assert_true(world_run(w, next_point(w, &seed, 2 * left / of + 1)));
        point(w, &cfg, &seed, 10 * VTIME_MS);
    }
    if (whole) {
        assert_true(w->blk.reads > 100 && w->blk.writes > 10 && w->st.sent > 10);
    }
    print_message("  %llu instructions, ready at %llu ms, %llu disk reads, %llu writes, %llu "
                  "frames in, %llu out\n",
                  (unsigned long long)machine_insns(w->m),
                  (unsigned long long)(w->st.ready / VTIME_MS), (unsigned long long)w->blk.reads,
                  (unsigned long long)w->blk.writes, (unsigned long long)w->st.posted,
                  (unsigned long long)w->st.sent);
    world_free(w);
}

/* To the shell and beyond is some minutes of processor time: ./check --long. */
static void linux_at_100_points(void **state)
{
    const char *l = getenv("VITRINE_LONG");
    (void)state;
    if (SLOW_BUILD) {
        print_message("  not in this slow build\n");
        skip();
    }
    if (l && *l) {
        linux_boots_on(100, 60 * VTIME_SEC, true);
    } else {
        print_message("  only the beginning, without --long\n");
        linux_boots_on(8, 3 * VTIME_SEC, false);
    }
}

static int prepare(void **state)
{
    char cmd[500], path[] = "/tmp/vitrine-snap-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    close(fd);
    snprintf(cmd, sizeof cmd, "nasm -f bin -o %s %s/unit/snap_guest.asm", path, TESTS_DIR);
    int rc = system(cmd);
    rom = slurp(path);
    unlink(path);
    bios = slurp("/usr/share/seabios/bios-256k.bin");
    return rc || rom.len != 65536;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_rom_at_100_points),
        cmocka_unit_test(what_was_posted_is_part_of_the_state),
        cmocka_unit_test(a_cut_snapshot_changes_nothing),
        cmocka_unit_test(damaged_sections_do_no_harm),
        cmocka_unit_test(machines_in_threads_do_not_disturb_each_other),
        cmocka_unit_test(kicks_change_nothing),
        cmocka_unit_test(seabios_at_20_points),
        cmocka_unit_test(linux_at_100_points),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, prepare, NULL);
}
