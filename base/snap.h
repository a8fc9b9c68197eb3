/* The one visitor: save, load, hash and print walk the same list.
 *
 * A device writes one list of fields between snap_begin() and snap_end().  Loading is hostile
 * input: after a load the device checks its own indices and calls snap_fail(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum snap_mode { SNAP_SAVE, SNAP_LOAD, SNAP_HASH, SNAP_PRINT };

struct snap {
    enum snap_mode mode;
    /* SAVE: a growing buffer owned by the caller's snap_fini; LOAD: borrowed bytes */
    uint8_t *buf;
    size_t len, cap, pos;
    const uint8_t *in;
    size_t section_end; /* LOAD: where this section's bytes end */
    size_t section_at;  /* SAVE: where this section's length stands */
    uint32_t version;
    uint64_t hash;
    void (*print)(void *ctx, const char *line); /* PRINT */
    void *print_ctx;
    bool failed;
    char why[120];
};

void snap_init_save(struct snap *s);
void snap_init_load(struct snap *s, const void *buf, size_t len);
void snap_init_hash(struct snap *s);
void snap_init_print(struct snap *s, void (*print)(void *ctx, const char *line), void *ctx);
void snap_fini(struct snap *s);

bool snap_begin(struct snap *s, const char *id, uint32_t version); /* false: skip this section */
void snap_end(struct snap *s);
uint32_t snap_version(const struct snap *s); /* of what is being read */
bool snap_loading(const struct snap *s);
void snap_fail(struct snap *s, const char *why); /* sticky; later calls are no-ops */

void snap_bool(struct snap *s, const char *name, bool *v);
void snap_u8(struct snap *s, const char *name, uint8_t *v);
void snap_u16(struct snap *s, const char *name, uint16_t *v);
void snap_u32(struct snap *s, const char *name, uint32_t *v);
void snap_u64(struct snap *s, const char *name, uint64_t *v);
void snap_bytes(struct snap *s, const char *name, void *buf, size_t len);
void snap_timer(struct snap *s, const char *name, struct vtimer *t);
/* Mix bytes into a running 64-bit hash; the same function the HASH mode uses. */
uint64_t snap_hash_bytes(uint64_t h, const void *buf, size_t len);
