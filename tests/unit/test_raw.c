/* Images on the host: locks, sizes, short files, failing disks, -snapshot. */
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
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "frontend/disk/drive.h"
#include "frontend/disk/raw.h"

static char dir[] = "/tmp/vitrine-test-raw-XXXXXX";
static char path[64];

static void quiet(void *ctx, enum log_class cls, const char *line)
{
    (void)ctx, (void)cls, (void)line;
}

static void make(off_t size)
{
    snprintf(path, sizeof path, "%s/disk.img", dir);
    unlink(path);
    int fd = open(path, O_CREAT | O_RDWR, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static struct raw *open_ok(unsigned flags)
{
    struct err err = {0};
    struct raw *r = raw_open("-hda", path, flags, &err);
    if (!r) {
        fail_msg("%s", err.msg);
    }
    return r;
}

static void test_write_is_there(void **state)
{
    (void)state;
    make(1 << 20);
    struct blockdev b = {0};
    uint8_t buf[1024], got[1024];
    struct raw *r = open_ok(0);
    raw_attach(r, &b);
    assert_int_equal(b.sectors, 2048);
    assert_int_equal(b.sector_size, 512);
    memset(buf, 0xa5, sizeof buf);
    assert_int_equal(b.ops->write(b.backend, 2046, 2, buf), BLK_OK);
    assert_int_equal(b.ops->flush(b.backend), BLK_OK);
    assert_int_equal(b.ops->read(b.backend, 2046, 2, got), BLK_OK);
    assert_memory_equal(buf, got, sizeof buf);
    assert_int_equal(b.ops->write(b.backend, 2047, 2, buf), BLK_EIO);
    assert_int_equal(b.ops->read(b.backend, 2048, 1, got), BLK_EIO);
    raw_close(r);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 1 << 20);
}

static void test_second_opener_is_refused(void **state)
{
    (void)state;
    make(1 << 20);
    struct err err = {0};
    struct raw *r = open_ok(0);
    assert_null(raw_open("-hdb", path, 0, &err));
    assert_non_null(strstr(err.msg, "in use by this process already"));
    assert_int_equal(err.code, EBUSY);
    err = (struct err){0};
    assert_null(raw_open("-hdb", path, RAW_READ_ONLY, &err));
    raw_close(r);
    r = open_ok(0); /* and the lock is gone */
    raw_close(r);
}

static void test_readers_share(void **state)
{
    (void)state;
    make(1 << 20);
    struct err err = {0};
    struct raw *a = open_ok(RAW_READ_ONLY), *b = open_ok(RAW_READ_ONLY);
    assert_null(raw_open("-hda", path, 0, &err));
    raw_close(a);
    raw_close(b);
}

/* A child holds the image; we must be told its pid. */
static void holder(unsigned flags, unsigned try)
{
    int up[2], down[2];
    char c = 0;
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        struct raw *r = raw_open("-hda", path, flags, &err);
        c = r ? 'y' : 'n';
        if (write(up[1], &c, 1) == 1 && read(down[0], &c, 1) == 1) {
            raw_close(r);
        }
        _exit(0);
    }
    assert_int_equal(read(up[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    struct err err = {0};
    char want[64];
    snprintf(want, sizeof want, "in use by process %d", (int)pid);
    assert_null(raw_open("-hda", path, try, &err));
    if (!strstr(err.msg, want)) {
        fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
    }
    assert_int_equal(write(down[1], &c, 1), 1);
    waitpid(pid, NULL, 0);
    raw_close(open_ok(try));
    for (int i = 0; i < 2; i++) {
        close(up[i]);
        close(down[i]);
    }
}

static void test_the_holder_is_named(void **state)
{
    (void)state;
    make(1 << 20);
    holder(0, 0);
    holder(0, RAW_READ_ONLY);
    holder(RAW_READ_ONLY, 0);
}

static void test_lock_ends_with_a_killed_holder(void **state)
{
    (void)state;
    make(1 << 20);
    int up[2];
    char c;
    assert_int_equal(pipe(up), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        c = raw_open("-hda", path, 0, &err) ? 'y' : 'n';
        if (write(up[1], &c, 1) == 1) {
            pause();
        }
        _exit(0);
    }
    assert_int_equal(read(up[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    raw_close(open_ok(0));
    close(up[0]);
    close(up[1]);
}

static void test_wrong_files(void **state)
{
    (void)state;
    static const struct {
        off_t size;
        const char *says;
    } t[] = {{0, "is empty"}, {1000, "not a multiple of 512"}};
    for (unsigned i = 0; i < 2; i++) {
        struct err err = {0};
        make(t[i].size);
        assert_null(raw_open("-hda", path, 0, &err));
        assert_non_null(strstr(err.msg, t[i].says));
    }
    struct err err = {0};
    assert_null(raw_open("-hda", dir, 0, &err));
    assert_non_null(strstr(err.msg, "is a directory"));
    err = (struct err){0};
    assert_null(raw_open("-hda", "/tmp/no/such/file", 0, &err));
    assert_string_equal(err.msg, "-hda /tmp/no/such/file: No such file or directory");
}

static void test_cd_tail_is_zeros(void **state)
{
    (void)state;
    make(3 * 2048 + 100);
    struct blockdev b = {0};
    struct raw *r = open_ok(RAW_CD);
    uint8_t buf[2048];
    memset(buf, 1, sizeof buf);
    raw_attach(r, &b);
    assert_int_equal(b.sectors, 4);
    assert_int_equal(b.sector_size, 2048);
    assert_true(b.read_only);
    assert_int_equal(b.ops->read(b.backend, 3, 1, buf), BLK_OK);
    assert_int_equal(buf[2047], 0);
    assert_int_equal(b.ops->write(b.backend, 0, 1, buf), BLK_EROFS);
    raw_close(r);
}

static void test_a_cut_file_is_an_error(void **state)
{
    (void)state;
    make(1 << 20);
    struct blockdev b = {0};
    uint8_t buf[1024];
    struct raw *r = open_ok(0);
    raw_attach(r, &b);
    assert_int_equal(truncate(path, 512 * 100 + 256), 0);
    assert_int_equal(b.ops->read(b.backend, 99, 1, buf), BLK_OK);
    assert_int_equal(b.ops->read(b.backend, 100, 1, buf), BLK_EIO);
    assert_int_equal(b.ops->read(b.backend, 99, 2, buf), BLK_EIO);
    raw_close(r);
}

/* A file size limit makes pwrite(2) fail in the middle of a request. */
static void test_a_failed_write_is_told(void **state)
{
    (void)state;
    make(1 << 20);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit lim = {.rlim_cur = 512 * 10, .rlim_max = 512 * 10};
        struct blockdev b = {0};
        struct err err = {0};
        uint8_t buf[512 * 4] = {0};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &lim);
        struct raw *r = raw_open("-hda", path, 0, &err);
        raw_attach(r, &b);
        bool ok = b.ops->write(b.backend, 4, 4, buf) == BLK_OK &&
                  b.ops->write(b.backend, 8, 4, buf) == BLK_EIO; /* EFBIG */
        _exit(ok ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* A file system of 64 KB that is really full; needs the right to mount one. */
static void test_no_space_is_told_apart(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        uid_t uid = geteuid();
        if (unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) < 0 ||
            mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", dir, "tmpfs", 0, "size=64k") < 0) {
            _exit(77);
        }
        static uint8_t buf[512 * 256];
        struct blockdev b = {0};
        struct err err = {0};
        make(1 << 20);
        struct raw *r = raw_open("-hda", path, 0, &err);
        memset(buf, 1, sizeof buf);
        raw_attach(r, &b);
        _exit(b.ops->write(b.backend, 0, 256, buf) == BLK_ENOSPC ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(status, 0);
}

static void fill(uint8_t *buf, uint8_t v)
{
    memset(buf, v, 512);
}

static void test_snapshot_leaves_the_image(void **state)
{
    (void)state;
    make(1 << 20);
    struct drive d;
    struct err err = {0};
    uint8_t buf[512 * 3], one[512];
    drive_init(&d, "ide0-hd0", false, false);
    struct drive_spec spec = {.what = "-hda", .file = path, .snapshot = true};
    assert_true(drive_load(&d, &spec, &err));
    assert_false(d.blk.read_only);
    fill(one, 7);
    assert_int_equal(d.blk.ops->write(d.blk.backend, 11, 1, one), BLK_OK);
    assert_int_equal(d.blk.ops->write(d.blk.backend, d.blk.sectors, 1, one), BLK_EIO);
    memset(buf, 9, sizeof buf);
    assert_int_equal(d.blk.ops->read(d.blk.backend, 10, 3, buf), BLK_OK);
    assert_int_equal(buf[0], 0);
    assert_int_equal(buf[512], 7);
    assert_int_equal(buf[1023], 7);
    assert_int_equal(buf[1024], 0);
    /* two snapshots of one image are fine: nobody writes to it */
    struct drive e;
    drive_init(&e, "ide0-hd1", false, false);
    assert_true(drive_load(&e, &spec, &err));
    assert_int_equal(e.blk.ops->read(e.blk.backend, 11, 1, one), BLK_OK);
    assert_int_equal(one[0], 0);
    drive_unload(&e);
    drive_unload(&d);
    struct raw *r = open_ok(RAW_READ_ONLY);
    struct blockdev b = {0};
    raw_attach(r, &b);
    fill(one, 1);
    assert_int_equal(b.ops->read(b.backend, 11, 1, one), BLK_OK);
    assert_int_equal(one[0], 0);
    raw_close(r);
}

/* T34: what a guest writes into its raw disk never decides how the disk is read. */
static void test_raw_stays_raw(void **state)
{
    (void)state;
    make(1 << 20);
    struct raw *r = open_ok(0);
    struct blockdev b = {0};
    uint8_t one[512] = "QFI\xfb\0\0\0\3";
    raw_attach(r, &b);
    assert_int_equal(b.ops->write(b.backend, 0, 1, one), BLK_OK);
    raw_close(r);
    struct drive d;
    struct err err = {0};
    drive_init(&d, "ide0-hd0", false, false);
    struct drive_spec spec = {.what = "-hda", .file = path};
    assert_false(drive_load(&d, &spec, &err));
    assert_non_null(strstr(err.msg, "is a qcow2 image, not a raw disk"));
    assert_null(d.blk.ops);
    err = (struct err){0};
    spec.raw_said = true;
    assert_true(drive_load(&d, &spec, &err));
    assert_int_equal(d.blk.sectors, 2048);
    uint8_t got[512];
    assert_int_equal(d.blk.ops->read(d.blk.backend, 0, 1, got), BLK_OK);
    assert_memory_equal(one, got, 512);
    drive_unload(&d);
    assert_null(d.blk.ops);
    assert_int_equal(d.blk.sectors, 0);
}

static void test_change_keeps_the_medium_on_failure(void **state)
{
    (void)state;
    make(1 << 20);
    struct drive d;
    struct err err = {0};
    drive_init(&d, "ide1-cd0", true, false);
    struct drive_spec spec = {.what = "change", .file = path};
    assert_true(drive_load(&d, &spec, &err));
    const void *was = d.blk.backend;
    struct drive_spec none = {.what = "change", .file = "/tmp/no/such/file"};
    assert_false(drive_load(&d, &none, &err));
    assert_ptr_equal(d.blk.backend, was);
    assert_true(d.blk.removable);
    drive_unload(&d);
}

static int setup(void **state)
{
    (void)state;
    log_set_sink(quiet, NULL);
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    rmdir(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_is_there),
        cmocka_unit_test(test_second_opener_is_refused),
        cmocka_unit_test(test_readers_share),
        cmocka_unit_test(test_the_holder_is_named),
        cmocka_unit_test(test_lock_ends_with_a_killed_holder),
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_cd_tail_is_zeros),
        cmocka_unit_test(test_a_cut_file_is_an_error),
        cmocka_unit_test(test_a_failed_write_is_told),
        cmocka_unit_test(test_no_space_is_told_apart),
        cmocka_unit_test(test_snapshot_leaves_the_image),
        cmocka_unit_test(test_raw_stays_raw),
        cmocka_unit_test(test_change_keeps_the_medium_on_failure),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
