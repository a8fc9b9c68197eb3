/* All state of a machine: hash, save, load.
 * Stream: magic, u64 length of the device part, u64 bytes of RAM, device part (base/snap), then for
 * each page of RAM a byte 0 (all zero) or 1 and its bytes.
 *
 * A refused snapshot leaves the machine as it was.  A stream that was whole when checked and then
 * cannot be read (the host's disk failed in between) leaves it as after power-on.
 * NOT IMPLEMENTED: a versioned snapshot file (the format here is for the same build). */
#include "machine/machine_int.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_DEVICES_MAX ((uint64_t)256 << 20)
/* 36 years: sums with periods and delays stay far below 2^64. */
#define SNAPSHOT_NOW_MAX ((vtime)1 << 60)

static const char snapshot_magic[8] = "VITRSNP2";

/* Everything a guest could tell apart, RAM excepted. */
void machine_snap(struct machine *m, struct snap *s)
{
    if (snap_begin(s, "machine", 3)) {
        uint64_t now = clock_now(&m->clk);
        uint8_t request = (uint8_t)m->request;
        uint32_t exit_code = (uint32_t)m->exit_code;
        uint8_t cpus = (uint8_t)m->cpus, turn = (uint8_t)m->turn;
        snap_u64(s, "now", &now);
        snap_u64(s, "insns", &m->insns);
        snap_u64(s, "timer_order", &m->clk.next_order);
        snap_u8(s, "request", &request);
        snap_u32(s, "exit_code", &exit_code);
        snap_u8(s, "processors", &cpus);
        snap_u8(s, "turn", &turn);
        snap_u64(s, "quantum", &m->quantum);
        if (snap_loading(s)) {
            if (now > SNAPSHOT_NOW_MAX || request > MACHINE_INTERNAL) {
                snap_fail(s, "an impossible time or state");
                return;
            }
            if (cpus != m->cpus) {
                snap_fail(s, "it has another number of processors");
                return;
            }
            if (turn >= cpus || m->quantum > SMP_QUANTUM) {
                snap_fail(s, "an impossible turn");
                return;
            }
            m->turn = turn;
            m->clk.slice_start = now;
            m->clk.progress = NULL;
            m->request = (enum machine_stop)request;
            m->exit_code = (int)exit_code;
            m->have_host_time = false; /* paced: the next post says which host time this is */
            m->busy_insns = 0;
            m->was_idle = false;
        }
        events_snap(m, s);
        snap_end(s);
    }
    for (unsigned i = 0; i < m->cpus; i++) {
        cpu_snap(m->cpu[i], s);
    }
    board_snap(m->board, s);
}

uint64_t machine_hash(struct machine *m)
{
    machine_lock(m);
    struct snap s;
    snap_init_hash(&s);
    machine_snap(m, &s);
    uint64_t h = ram_hash(&m->ram, s.hash);
    snap_fini(&s);
    machine_unlock(m);
    return h;
}

bool machine_save(struct machine *m, FILE *f, struct err *err)
{
    bool ok = true;
    machine_lock(m);
    struct snap s;
    snap_init_save(&s);
    machine_snap(m, &s);
    if (s.failed) {
        err_set(err, ENOMEM, "the snapshot could not be made: %s", s.why);
        snap_fini(&s);
        machine_unlock(m);
        return false;
    }
    uint64_t head[2] = {s.len, m->ram.size};
    ok = fwrite(snapshot_magic, 8, 1, f) == 1 && fwrite(head, sizeof head, 1, f) == 1 &&
         fwrite(s.buf, s.len, 1, f) == 1;
    for (uint64_t off = 0; ok && off < m->ram.size; off += PAGE_SIZE) {
        uint8_t used = m->ram.flags[off >> PAGE_SHIFT] & RAM_DIRTY;
        ok = fwrite(&used, 1, 1, f) == 1 &&
             (!used || fwrite(m->ram.host + off, PAGE_SIZE, 1, f) == 1);
    }
    ok = ok && fflush(f) == 0;
    snap_fini(&s);
    machine_unlock(m);
    return ok || err_set(err, errno, "the snapshot could not be written: %s", strerror(errno));
}

static bool snapshot_cut(struct err *err)
{
    return err_set(err, EIO, "the snapshot is cut short");
}

/* Is all of RAM there?  Leaves f where it was. */
static bool snapshot_check_ram(FILE *f, uint64_t size, struct err *err)
{
    off_t start = ftello(f);
    if (start < 0) {
        return err_set(err, errno, "a snapshot is loaded from a file, not from a pipe");
    }
    for (uint64_t off = 0; off < size; off += PAGE_SIZE) {
        uint8_t used, last;
        if (fread(&used, 1, 1, f) != 1) {
            return snapshot_cut(err);
        }
        if (used > 1) {
            return err_set(err, EINVAL, "the snapshot is damaged at page %" PRIu64 " of memory",
                           off >> PAGE_SHIFT);
        }
        if (used &&
            (fseeko(f, (off_t)PAGE_SIZE - 1, SEEK_CUR) != 0 || fread(&last, 1, 1, f) != 1)) {
            return snapshot_cut(err);
        }
    }
    return fseeko(f, start, SEEK_SET) == 0 ||
           err_set(err, errno, "the snapshot: %s", strerror(errno));
}

static bool snapshot_load_ram(struct ram *ram, FILE *f)
{
    for (uint64_t off = 0; off < ram->size; off += PAGE_SIZE) {
        uint8_t used;
        if (fread(&used, 1, 1, f) != 1) {
            return false;
        }
        if (used) {
            bool ok = fread(ram->host + off, PAGE_SIZE, 1, f) == 1;
            ram_wrote(ram, off, PAGE_SIZE);
            if (!ok) {
                return false;
            }
        } else if (ram->flags[off >> PAGE_SHIFT] & RAM_DIRTY) {
            memset(ram->host + off, 0, PAGE_SIZE);
            ram_wrote(ram, off, PAGE_SIZE);
        }
    }
    return true;
}

/* The device part, or, when it is refused, what was there before. */
static bool snapshot_load_devices(struct machine *m, const uint8_t *buf, size_t len,
                                  struct err *err)
{
    struct snap before, s, back;
    snap_init_save(&before);
    machine_snap(m, &before);
    if (before.failed) {
        err_set(err, ENOMEM, "the snapshot cannot be loaded: %s", before.why);
        snap_fini(&before);
        return false;
    }
    snap_init_load(&s, buf, len);
    machine_snap(m, &s);
    if (!s.failed && s.pos != len) {
        snap_fail(&s, "it has more devices");
    }
    if (s.failed) {
        err_set(err, EINVAL, "the snapshot does not fit this machine: %s", s.why);
        snap_init_load(&back, before.buf, before.len);
        machine_snap(m, &back);
        assert(!back.failed); /* it came from this very machine */
    }
    snap_fini(&before);
    return !s.failed;
}

static void snapshot_power_on(struct machine *m)
{
    for (uint64_t off = 0; off < m->ram.size; off += PAGE_SIZE) {
        if (m->ram.flags[off >> PAGE_SHIFT] & RAM_DIRTY) {
            memset(m->ram.host + off, 0, PAGE_SIZE);
            ram_wrote(&m->ram, off, PAGE_SIZE);
        }
    }
    m->request = MACHINE_DEADLINE;
    events_forget(m);
    board_reset(m->board, true);
    machine_reset_cpus(m);
}

bool machine_load(struct machine *m, FILE *f, struct err *err)
{
    char magic[8];
    uint64_t head[2];
    if (fread(magic, 8, 1, f) != 1 || memcmp(magic, snapshot_magic, 8) != 0 ||
        fread(head, sizeof head, 1, f) != 1 || head[0] > SNAPSHOT_DEVICES_MAX) {
        return err_set(err, EINVAL, "this is not a snapshot of this version");
    }
    if (head[1] != m->ram.size) {
        return err_set(err, EINVAL,
                       "the snapshot has %" PRIu64 " MB of memory, this machine %" PRIu64,
                       head[1] >> 20, m->ram.size >> 20);
    }
    uint8_t *buf = malloc(head[0] ? head[0] : 1);
    if (!buf) {
        return err_set(err, ENOMEM, "out of memory");
    }
    if (fread(buf, 1, head[0], f) != head[0]) {
        free(buf);
        return snapshot_cut(err);
    }
    machine_lock(m);
    bool ok =
        snapshot_check_ram(f, m->ram.size, err) && snapshot_load_devices(m, buf, head[0], err);
    if (ok && !snapshot_load_ram(&m->ram, f)) {
        ok = err_set(err, EIO, "the snapshot could not be read; the machine was reset");
        snapshot_power_on(m);
    }
    machine_map_changed(m);
    machine_unlock(m);
    free(buf);
    return ok;
}
