/* Bytes -> operations on one chip.  Aborts when save, load, save are not equal. */
#include "tests/rig/fuzz_device.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"

struct fuzz_bytes {
    const uint8_t *p;
    size_t left;
};

static uint64_t fuzz_take(struct fuzz_bytes *b, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n && b->left; i++, b->left--) {
        v |= (uint64_t)*b->p++ << (i * 8);
    }
    return v;
}

static void fuzz_roundtrip(struct rig *r)
{
    struct snap a, b;
    rig_save(r, &a);
    uint64_t h = rig_hash(r);
    if (!rig_load(r, a.buf, a.len) || rig_hash(r) != h) {
        abort();
    }
    rig_save(r, &b);
    if (a.len != b.len || memcmp(a.buf, b.buf, a.len) != 0) {
        abort();
    }
    snap_fini(&a);
    snap_fini(&b);
}

static void fuzz_damage(struct rig *r, struct fuzz_bytes *b)
{
    struct snap a;
    rig_save(r, &a);
    for (unsigned n = (unsigned)fuzz_take(b, 1) % 8 + 1; n && a.len; n--) {
        a.buf[fuzz_take(b, 3) % a.len] = (uint8_t)fuzz_take(b, 1);
    }
    if (!rig_load(r, a.buf, a.len)) {
        rig_reset(r, RESET_POWER_ON); /* as a machine does with a refused snapshot */
    }
    snap_fini(&a);
}

int fuzz_device(const struct contract_case *c, const uint8_t *data, size_t size)
{
    struct fuzz_bytes b = {data, size};
    vtime max = c->max_advance ? c->max_advance : 2 * VTIME_MS;
    log_enable(LOG_HOST, false);
    struct rig *r = contract_open(c);
    unsigned damage = 0, trips = 0;
    for (unsigned n = 0; b.left && n < 4096; n++) {
        uint8_t op = (uint8_t)fuzz_take(&b, 1);
        unsigned sz = 1u << (op >> 6);
        struct region *g = r->reg_count
                               ? r->regs[r->reg_count > 1 ? fuzz_take(&b, 1) % r->reg_count : 0]
                               : NULL;
        uint64_t len = g ? g->len : 1;
        switch (op & 15) {
        default:
            if (g) {
                uint64_t off = fuzz_take(&b, len > 65536 ? 4 : len > 256 ? 2 : 1) % len;
                region_out(g, off, fuzz_take(&b, sz), sz);
            }
            break;
        case 8: case 9: case 10: case 11:
            if (g) {
                region_in(g, fuzz_take(&b, len > 65536 ? 4 : len > 256 ? 2 : 1) % len, sz);
            }
            break;
        case 12: case 13:
            rig_advance(r, (fuzz_take(&b, 1) << (fuzz_take(&b, 1) & 31)) % max);
            break;
        case 14:
            if (c->input) {
                c->input(r, (uint32_t)fuzz_take(&b, 4));
            }
            break;
        case 15:
            if (op & 16) {
                rig_reset(r, op & 32 ? RESET_POWER_ON : RESET_CPU_ONLY);
            } else if (!(op & 32) && trips++ < 8) {
                fuzz_roundtrip(r);
            } else if (damage++ < 4) {
                fuzz_damage(r, &b);
            }
            break;
        }
    }
    contract_close(c, r);
    return 0;
}
