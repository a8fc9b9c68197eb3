/* The tests every device must pass (house.md, section 9), and the description of a device that
 * they and the fuzz target share. */
#pragma once
#include "tests/rig/rig.h"

struct contract_pure { /* a register whose read changes nothing */
    unsigned region;
    uint64_t off;
    unsigned size;
};

struct contract_case {
    const char *name;
    /* Build the chip on the bench: init, rig_add_region() for each region, rig_add_device() for
     * the chip (and for chips that must live beside it), keep the struct in r->priv. */
    void (*make)(struct rig *r);
    void (*unmake)(struct rig *r); /* after the devices were destroyed: free r->priv */
    /* Bring it into the middle of an operation; may be NULL. */
    void (*busy)(struct rig *r);
    /* Something from the host's side, chosen by v (a key, a byte, a frame); may be NULL. */
    void (*input)(struct rig *r, uint32_t v);
    const struct contract_pure *pure;
    unsigned pure_count;
    unsigned rounds;   /* random accesses a check; 0: 4000 */
    vtime max_advance; /* longest random step of time; 0: 2 ms */
};

/* All checks; cmocka assertions name the one that failed. */
void contract_check(const struct contract_case *c);

/* A rig with the case's chip, powered on; contract_close() destroys both. */
struct rig *contract_open(const struct contract_case *c);
void contract_close(const struct contract_case *c, struct rig *r);
/* One random operation; returns what a read gave (0 for others).  Advances *seed. */
uint64_t contract_step(const struct contract_case *c, struct rig *r, uint64_t *seed);
