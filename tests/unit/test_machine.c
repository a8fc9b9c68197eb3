/* A whole machine as a library: SeaBIOS from its package runs in it (the set-up of ./check installs
 * it). Save, load into a fresh machine and go on with equal hashes; two machines side by side in
 * one process do not disturb each other; the clock in paced mode. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/debug.h"
#include "machine/machine.h"

#define FIRMWARE "/usr/share/seabios/bios-256k.bin"
#define VGA_FIRMWARE "/usr/share/seabios/vgabios-stdvga.bin"

struct fixture {
    struct machine_blob bios, vga;
    uint8_t disk[1 << 20];
    struct blockdev blk;
    struct chardev serial;
    char out[65536];
    size_t out_len;
};

static struct machine_blob slurp(const char *path)
{
    struct machine_blob b = {0};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    void *p = malloc((size_t)n);
    assert_int_equal(fread(p, 1, (size_t)n, f), n);
    fclose(f);
    b.data = p;
    b.len = (size_t)n;
    return b;
}

static enum blk_result disk_read(void *be, uint64_t sector, uint32_t count, void *buf)
{
    struct fixture *x = be;
    memcpy(buf, x->disk + sector * 512, (size_t)count * 512);
    return BLK_OK;
}

static enum blk_result disk_write(void *be, uint64_t sector, uint32_t count, const void *buf)
{
    struct fixture *x = be;
    memcpy(x->disk + sector * 512, buf, (size_t)count * 512);
    return BLK_OK;
}

static enum blk_result disk_flush(void *be)
{
    (void)be;
    return BLK_OK;
}

static const struct blockdev_ops disk_ops = {disk_read, disk_write, disk_flush, NULL};

static size_t serial_write(void *be, const uint8_t *buf, size_t len)
{
    struct fixture *x = be;
    for (size_t i = 0; i < len && x->out_len < sizeof x->out; i++) {
        x->out[x->out_len++] = (char)buf[i];
    }
    return len;
}

static const struct chardev_ops serial_ops = {serial_write, NULL};

/* A boot sector that reads the disk again and again through the BIOS, adds the bytes up, and echoes
 * keys and its sum to the serial port: DMA or PIO, timers, keyboard and UART are all in motion. */
static const uint8_t boot_code[] = {
    0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c,
    0xfb,                               /* segments, stack, STI */
    0xba, 0xfb, 0x03, 0xb0, 0x03, 0xee, /* eight data bits on COM1 */
    /* loop: AH=02 read 16 sectors to 1000:0 */
    0xb8, 0x00, 0x10, 0x8e, 0xc0, 0x31, 0xdb, 0xb8, 0x10, 0x02, 0xb9, 0x01, 0x00, 0xba, 0x80, 0x00,
    0xcd, 0x13,
    /* add up 1000:0..1FFF into DX */
    0x31, 0xd2, 0x31, 0xf6, 0x26, 0x03, 0x14, 0x46, 0x46, 0x81, 0xfe, 0x00, 0x20, 0x75, 0xf5,
    /* DL and a key, if there is one, to COM1 */
    0x88, 0xd0, 0xba, 0xf8, 0x03, 0xee, 0xb4, 0x01, 0xcd, 0x16, 0x74, 0x08, 0x30, 0xe4, 0xcd, 0x16,
    0xba, 0xf8, 0x03, 0xee, 0xf4, /* HLT until the next tick */
    0xeb, 0xb6,                   /* again */
};

static struct fixture *fixture_new(void)
{
    struct fixture *x = calloc(1, sizeof *x);
    x->bios = slurp(FIRMWARE);
    x->vga = slurp(VGA_FIRMWARE);
    for (size_t i = 0; i < sizeof x->disk; i++) {
        x->disk[i] = (uint8_t)(i * 7 + (i >> 9));
    }
    memset(x->disk, 0, 512);
    memcpy(x->disk, boot_code, sizeof boot_code);
    x->disk[510] = 0x55;
    x->disk[511] = 0xaa;
    x->blk = (struct blockdev){.ops = &disk_ops, .backend = x, .sectors = sizeof x->disk / 512,
                               .sector_size = 512};
    x->serial = (struct chardev){.ops = &serial_ops, .backend = x};
    return x;
}

static void fixture_free(struct fixture *x)
{
    free((void *)(uintptr_t)x->bios.data);
    free((void *)(uintptr_t)x->vga.data);
    free(x);
}

static struct machine *fixture_machine(struct fixture *x, bool deterministic)
{
    struct machine_config cfg = {.ram_size = 16 << 20, .deterministic = deterministic,
                                 .icount_shift = 2, .bios = x->bios, .vga_bios = x->vga,
                                 .boot_order = "c"};
    struct err err = {0};
    cfg.ide[0] = &x->blk;
    cfg.serial[0].chr = &x->serial;
    struct machine *m = machine_create(&cfg, &err);
    if (!m) {
        fail_msg("%s", err.msg);
    }
    return m;
}

static void press(struct machine *m, uint8_t hid)
{
    struct input_event ev = {.kind = INPUT_KEY, .key = {.hid = hid, .down = true}};
    machine_post_input(m, &ev);
    ev.key.down = false;
    machine_post_input(m, &ev);
}

static void run_to(struct machine *m, vtime t)
{
    assert_int_equal(machine_run(m, t), MACHINE_DEADLINE);
}

/* Timer interrupts since midnight, as the BIOS counts them at 0040:006C. */
static uint32_t bios_ticks(struct machine *m)
{
    uint8_t b[4];
    assert_int_equal(machine_peek_phys(m, 0x46c, b, 4), 4);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

#define BOOTED (2 * VTIME_SEC) /* SeaBIOS has handed over by then */

static void the_guest_runs(void **state)
{
    (void)state;
    struct fixture *x = fixture_new();
    struct machine *m = fixture_machine(x, true);
    run_to(m, BOOTED);
    size_t before = x->out_len;
    press(m, 0x04);
    run_to(m, BOOTED + VTIME_SEC);
    assert_true(x->out_len > before + 5); /* about 18 ticks a second */
    assert_non_null(memchr(x->out + before, 'a', x->out_len - before));
    machine_destroy(m);
    fixture_free(x);
}

/* Save at many points, load into a fresh machine, go on: the same bytes and hashes as without. */
static void saved_and_loaded_goes_on_the_same(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    for (unsigned round = 0; round < 12; round++) {
        struct fixture *a = fixture_new(), *b = fixture_new();
        struct machine *m = fixture_machine(a, true), *n = fixture_machine(b, true);
        struct err err = {0};
        seed = seed * 1664525 + 1013904223;
        /* half of the points lie in the BIOS's own work, half in the boot sector's */
        vtime at = round & 1 ? BOOTED + seed % VTIME_SEC : 20 * VTIME_MS + seed % (BOOTED / 2);
        run_to(m, at);
        press(m, 0x05);
        run_to(m, at + seed % (3 * VTIME_MS));
        FILE *f = tmpfile();
        assert_non_null(f);
        assert_true(machine_save(m, f, &err));
        rewind(f);
        if (!machine_load(n, f, &err)) {
            fail_msg("%s", err.msg);
        }
        fclose(f);
        assert_int_equal(machine_hash(m), machine_hash(n));
        memcpy(b->disk, a->disk, sizeof a->disk);
        for (unsigned i = 1; i <= 4; i++) {
            vtime t = machine_now(m) + 150 * VTIME_MS;
            run_to(m, t);
            run_to(n, t);
            assert_int_equal(machine_insns(m), machine_insns(n));
            assert_int_equal(machine_hash(m), machine_hash(n));
        }
        machine_destroy(m);
        machine_destroy(n);
        fixture_free(a);
        fixture_free(b);
    }
}

static void cut_short_snapshots_are_refused(void **state)
{
    (void)state;
    struct fixture *x = fixture_new();
    struct machine *m = fixture_machine(x, true);
    char *buf = NULL;
    size_t len = 0;
    struct err err = {0};
    run_to(m, 100 * VTIME_MS);
    FILE *f = open_memstream(&buf, &len);
    assert_true(machine_save(m, f, &err));
    fclose(f);
    for (size_t cut = 0; cut < len; cut += len / 13) {
        struct err e = {0};
        f = fmemopen(buf, cut ? cut : 1, "rb");
        assert_false(machine_load(m, f, &e));
        assert_true(e.msg[0] != 0);
        fclose(f);
    }
    free(buf);
    machine_destroy(m);
    fixture_free(x);
}

/* Slices interleaved with another machine's give the same as alone. */
static void two_machines_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct fixture *a = fixture_new(), *b = fixture_new(), *c = fixture_new();
    c->disk[600] ^= 0x55; /* the third one does other work */
    struct machine *alone = fixture_machine(a, true);
    run_to(alone, BOOTED + VTIME_SEC / 2);
    struct machine *m = fixture_machine(b, true), *other = fixture_machine(c, true);
    for (vtime t = 0; t < BOOTED + VTIME_SEC / 2;) {
        t += 37 * VTIME_MS;
        run_to(other, t);
        run_to(m, t < BOOTED + VTIME_SEC / 2 ? t : BOOTED + VTIME_SEC / 2);
    }
    assert_int_equal(machine_hash(alone), machine_hash(m));
    assert_int_not_equal(machine_hash(other), machine_hash(m));
    machine_destroy(alone);
    machine_destroy(m);
    machine_destroy(other);
    fixture_free(a);
    fixture_free(b);
    fixture_free(c);
}

/* Paced: time follows what is posted, never goes back, and a lag is closed without merging ticks.
 */
static void paced_time_follows_the_host(void **state)
{
    (void)state;
    struct fixture *x = fixture_new();
    struct machine *m = fixture_machine(x, false);
    uint64_t host = 5000 * VTIME_SEC;
    vtime last = 0;
    uint32_t seed = 1;
    for (unsigned i = 0; i < 4000; i++) {
        seed = seed * 1664525 + 1013904223;
        host += seed % 100 == 0 ? 40 * VTIME_MS
                                : VTIME_MS; /* now and then the host is busy elsewhere */
        machine_post_time(m, host);
        machine_run(m, machine_now(m) + VTIME_MS);
        assert_true(machine_now(m) >= last);
        last = machine_now(m);
    }
    uint32_t ticks = bios_ticks(m);
    vtime from = machine_now(m);
    for (unsigned i = 0; i < 300; i++) { /* ten seconds in which the guest mostly waits */
        host += i % 10 == 0 ? 150 * VTIME_MS : 20 * VTIME_MS;
        machine_post_time(m, host);
        for (unsigned k = 0; k < 40 && machine_run(m, machine_now(m) + VTIME_MS) != MACHINE_IDLE;
             k++) {
        }
    }
    double seconds = (double)(machine_now(m) - from) / 1e9;
    double rate = (double)(bios_ticks(m) - ticks) / seconds;
    if (rate < 17.7 || rate > 18.7) { /* 18.2 a second, of which none may be lost */
        fail_msg("%.2f ticks a second", rate);
    }
    uint64_t host_now = host - 5000 * VTIME_SEC;
    assert_true(machine_now(m) <= host_now + 100 * VTIME_MS);
    assert_true(machine_now(m) + 200 * VTIME_MS >= host_now);
    machine_destroy(m);
    fixture_free(x);
}

static void bad_configurations_get_a_sentence(void **state)
{
    (void)state;
    struct fixture *x = fixture_new();
    struct machine_config cfg = {.ram_size = 16 << 20, .bios = x->bios};
    struct err err = {0};
    cfg.ram_size = 4096;
    assert_null(machine_create(&cfg, &err));
    assert_non_null(strstr(err.msg, "memory"));
    cfg.ram_size = 16 << 20;
    cfg.bios.len = 1000;
    err = (struct err){0};
    assert_null(machine_create(&cfg, &err));
    assert_non_null(strstr(err.msg, "BIOS"));
    cfg.bios = x->bios;
    cfg.cpu_model = "pentum3";
    err = (struct err){0};
    assert_null(machine_create(&cfg, &err));
    assert_non_null(strstr(err.msg, "pentum3"));
    fixture_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guest_runs),
        cmocka_unit_test(saved_and_loaded_goes_on_the_same),
        cmocka_unit_test(cut_short_snapshots_are_refused),
        cmocka_unit_test(two_machines_do_not_disturb_each_other),
        cmocka_unit_test(paced_time_follows_the_host),
        cmocka_unit_test(bad_configurations_get_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
