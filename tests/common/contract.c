/* The tests every device must pass. */
#include "tests/common/contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/log.h"

static uint64_t contract_rand(uint64_t *seed)
{
    uint64_t x = *seed += 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

struct rig *contract_open(const struct contract_case *c)
{
    struct rig *r = rig_create();
    c->make(r);
    rig_power_on(r);
    return r;
}

void contract_close(const struct contract_case *c, struct rig *r)
{
    for (unsigned i = r->dev_count; i-- > 0;) {
        device_destroy(r->devs[i]);
    }
    r->dev_count = 0;
    if (c->unmake) {
        c->unmake(r);
    }
    rig_destroy(r);
}

static vtime contract_span(const struct contract_case *c, uint64_t *seed)
{
    vtime max = c->max_advance ? c->max_advance : 2 * VTIME_MS;
    return (contract_rand(seed) >> (contract_rand(seed) % 40 + 20)) % max;
}

uint64_t contract_step(const struct contract_case *c, struct rig *r, uint64_t *seed)
{
    uint64_t x = contract_rand(seed), v = contract_rand(seed);
    struct region *g = r->reg_count ? r->regs[(x >> 8) % r->reg_count] : NULL;
    unsigned size = 1u << (x >> 16 & 3);
    if ((x >> 18 & 3) != 0) {
        size = 1; /* most registers are bytes, and most guests know it */
    }
    unsigned what = (unsigned)(x & 15);
    if (what < 3) {
        rig_advance(r, contract_span(c, seed));
        return 0;
    }
    if (what < 5 && c->input) {
        c->input(r, (uint32_t)v);
        return 0;
    }
    if (!g || !g->len) {
        return 0;
    }
    uint64_t off = (x >> 24) % g->len;
    if (what < 10) {
        return region_in(g, off, size);
    }
    if (x >> 20 & 1) {
        v &= 0x0f0f0f0f0f0f0f0full; /* small values reach more states */
    }
    region_out(g, off, v, size);
    return 0;
}

/* A LOG_HOST line from a chip on this bench means that it blames the host for a guest's doing. */
static void contract_sink(void *ctx, enum log_class cls, const char *line)
{
    if (cls == LOG_HOST) {
        ++*(unsigned *)ctx;
        fprintf(stderr, "host log: %s\n", line);
    }
}

static void contract_run(const struct contract_case *c, struct rig *r, uint64_t seed, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        contract_step(c, r, &seed);
    }
}

static void check_reset(const struct contract_case *c)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct rig *r = contract_open(c);
        contract_run(c, r, seed, 500);
        rig_reset(r, RESET_POWER_ON);
        uint64_t once = rig_hash(r);
        rig_reset(r, RESET_POWER_ON);
        if (rig_hash(r) != once) {
            fail_msg("%s: reset twice is not reset once", c->name);
        }
        rig_reset(r, RESET_CPU_ONLY);
        once = rig_hash(r);
        rig_reset(r, RESET_CPU_ONLY);
        assert_true(rig_hash(r) == once);
        contract_close(c, r);
    }
}

/* The clock, the wires and the plugs are the bench's: give the twin the same. */
static void contract_twin(struct rig *to, const struct rig *from)
{
    to->clk.slice_start = from->clk.slice_start;
    to->clk.next_order = from->clk.next_order;
    memcpy(to->pin, from->pin, sizeof to->pin);
    if (from->disk.data && to->disk.data && to->disk.len == from->disk.len) {
        memcpy(to->disk.data, from->disk.data, to->disk.len);
    }
    if (from->mem && to->mem_len == from->mem_len) {
        memcpy(to->mem, from->mem, to->mem_len);
    }
}

static void check_roundtrip(const struct contract_case *c)
{
    for (uint64_t seed = 10; seed < 26; seed++) {
        struct rig *r = contract_open(c);
        contract_run(c, r, seed, (unsigned)(seed - 10) * 40);
        if (c->busy && seed & 1) {
            rig_reset(r, RESET_POWER_ON);
            c->busy(r);
        }
        struct snap a, b;
        rig_save(r, &a);
        assert_false(a.failed);
        uint64_t hash = rig_hash(r);
        const struct clock at = r->clk;
        /* into a fresh chip ... */
        struct rig *t = contract_open(c);
        contract_twin(t, r);
        if (!rig_load(t, a.buf, a.len)) {
            fail_msg("%s: refuses its own snapshot (seed %llu)", c->name, (unsigned long long)seed);
        }
        rig_save(t, &b);
        assert_int_equal(a.len, b.len);
        if (memcmp(a.buf, b.buf, a.len) != 0) {
            fail_msg("%s: save, load, save differ (seed %llu)", c->name, (unsigned long long)seed);
        }
        if (rig_hash(t) != hash) {
            fail_msg("%s: the hash sees what the snapshot does not", c->name);
        }
        snap_fini(&b);
        /* ... and both live on alike: what a snapshot forgets shows here */
        uint64_t s1 = seed * 77, s2 = seed * 77;
        for (unsigned i = 0; i < 300; i++) {
            uint64_t before = s1;
            uint64_t v1 = contract_step(c, r, &s1), v2 = contract_step(c, t, &s2);
            if (v1 != v2 || s1 != s2) {
                fail_msg("%s: after a load step %u (seed %llu at %llx) reads %llx, not %llx",
                         c->name, i, (unsigned long long)seed, (unsigned long long)before,
                         (unsigned long long)v2, (unsigned long long)v1);
            }
        }
        if (rig_hash(r) != rig_hash(t)) {
            fail_msg("%s: state is missing from the snapshot (seed %llu)", c->name,
                     (unsigned long long)seed);
        }
        for (unsigned p = 0; p < RIG_PINS; p++) {
            if (r->pin[p].level != t->pin[p].level) {
                fail_msg("%s: pin %u differs after a load", c->name, p);
            }
        }
        contract_close(c, t);
        /* back into a chip that has moved on */
        contract_run(c, r, seed + 1, 100);
        struct rig *u = contract_open(c);
        contract_run(c, u, seed + 2, 200);
        u->clk.slice_start = at.slice_start; /* a machine loads its clock first */
        u->clk.next_order = at.next_order;
        if (!rig_load(u, a.buf, a.len)) {
            fail_msg("%s: refuses its own snapshot over other state", c->name);
        }
        if (rig_hash(u) != hash) {
            fail_msg("%s: a load leaves old state behind (seed %llu)", c->name,
                     (unsigned long long)seed);
        }
        contract_close(c, u);
        snap_fini(&a);
        contract_close(c, r);
    }
}

static void check_random(const struct contract_case *c)
{
    unsigned host_lines = 0;
    log_set_sink(contract_sink, &host_lines);
    log_enable(LOG_GUEST, true);
    log_enable(LOG_UNIMP, true);
    for (uint64_t seed = 100; seed < 103; seed++) {
        struct rig *r = contract_open(c);
        contract_run(c, r, seed, c->rounds ? c->rounds : 4000);
        assert_false(r->disk.out_of_range);
        contract_close(c, r);
    }
    log_enable(LOG_GUEST, false);
    log_enable(LOG_UNIMP, false);
    log_set_sink(NULL, NULL);
    if (host_lines) {
        fail_msg("%s: %u lines of class host", c->name, host_lines);
    }
}

static void check_damaged(const struct contract_case *c)
{
    struct rig *r = contract_open(c);
    contract_run(c, r, 7, 300);
    struct snap a;
    rig_save(r, &a);
    contract_close(c, r);
    unsigned cuts = a.len > 65536 ? 12 : 200;
    for (unsigned i = 0; i < cuts; i++) {
        r = contract_open(c);
        size_t len = a.len <= cuts ? (i < a.len ? i : a.len - 1) : a.len * i / cuts;
        if (rig_load(r, a.buf, len)) {
            fail_msg("%s: takes a snapshot cut to %zu of %zu bytes", c->name, len, a.len);
        }
        contract_run(c, r, i, 60);
        contract_close(c, r);
    }
    uint8_t *m = malloc(a.len ? a.len : 1);
    assert_non_null(m);
    uint64_t seed = 99;
    for (unsigned i = 0; i < cuts * 2; i++) {
        memcpy(m, a.buf, a.len);
        for (unsigned n = 1 + i % 9; n && a.len; n--) {
            /* mostly small sections: favor the first 64 KB, where the registers are */
            uint64_t x = contract_rand(&seed);
            size_t span = x & 7 ? (a.len < 65536 ? a.len : 65536) : a.len;
            m[(x >> 8) % span] = (uint8_t)(contract_rand(&seed) >> (x & 56));
        }
        r = contract_open(c);
        r->clk.slice_start = VTIME_MS;
        rig_load(r, m, a.len); /* refused or taken: it must live on */
        contract_run(c, r, i, 100);
        rig_reset(r, RESET_POWER_ON);
        contract_run(c, r, i + 1, 60);
        contract_close(c, r);
    }
    free(m);
    snap_fini(&a);
}

static void check_timers(const struct contract_case *c)
{
    for (uint64_t seed = 40; seed < 44; seed++) {
        struct rig *r = contract_open(c);
        if (c->busy) {
            c->busy(r);
        }
        contract_run(c, r, seed, 400);
        for (unsigned i = r->dev_count; i-- > 0;) {
            device_destroy(r->devs[i]);
        }
        if (r->clk.head) {
            fail_msg("%s: timer %s is armed after destroy", c->name, r->clk.head->name);
        }
        r->dev_count = 0;
        contract_close(c, r);
    }
}

static void check_pure(const struct contract_case *c)
{
    struct rig *r = contract_open(c);
    uint64_t seed = 5;
    for (unsigned i = 0; i < 300 && c->pure_count; i++) {
        contract_step(c, r, &seed);
        const struct contract_pure *p = &c->pure[i % c->pure_count];
        uint64_t h = rig_hash(r);
        uint64_t v = region_in(r->regs[p->region], p->off, p->size);
        if (region_in(r->regs[p->region], p->off, p->size) != v || rig_hash(r) != h) {
            fail_msg("%s: reading region %u + %llu is not pure", c->name, p->region,
                     (unsigned long long)p->off);
        }
    }
    contract_close(c, r);
}

static void contract_noprint(void *ctx, const char *line)
{
    *(size_t *)ctx += strlen(line);
}

static void check_print(const struct contract_case *c)
{
    struct rig *r = contract_open(c);
    contract_run(c, r, 3, 100);
    uint64_t h = rig_hash(r);
    size_t chars = 0;
    struct snap s;
    snap_init_print(&s, contract_noprint, &chars);
    for (unsigned i = 0; i < r->dev_count; i++) {
        device_snap(r->devs[i], &s);
    }
    assert_true(chars > 0 || !r->dev_count);
    assert_true(rig_hash(r) == h);
    contract_close(c, r);
}

void contract_check(const struct contract_case *c)
{
    check_reset(c);
    check_roundtrip(c);
    check_random(c);
    check_damaged(c);
    check_timers(c);
    check_pure(c);
    check_print(c);
}
