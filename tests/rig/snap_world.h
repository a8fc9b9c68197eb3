/* A host for a whole machine in a test: disk in memory, serial port, network, and a human, all of
 * whose doings depend on virtual time alone.  Its state is one struct, so that a twin of a machine
 * gets a twin of its host by assignment. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "machine/machine.h"

enum { WORLD_ECHO = 8, WORLD_DISK = 8 << 20, WORLD_SAID = 1 << 16 };

struct world_state { /* what a snapshot of the machine does not hold */
    uint64_t tick; /* host events so far */
    struct {
        uint16_t len;
        uint8_t data[NETDEV_FRAME_MAX];
    } echo[WORLD_ECHO]; /* answers on their way to the card */
    unsigned echo_count;
    uint64_t sent, posted, serial_out;
    uint64_t sum; /* of all that the guest gave out */
    unsigned script; /* bytes of the script typed */
    vtime ready; /* the guest said GUEST-READY; 0: not yet */
    unsigned match;
};

struct world {
    struct machine *m;
    struct world_state st;
    uint8_t *disk; /* WORLD_DISK bytes */
    struct blockdev blk;
    struct chardev serial;
    struct netdev net;
    vtime period;       /* between two host events */
    const char *script; /* typed into the serial port once the guest is ready; may be NULL */
};

/* cfg: all but disk, serial port and network card, which the world plugs in. */
struct world *world_new(struct machine_config *cfg, vtime period, const char *script);
void world_free(struct world *w);
/* Run to virtual time t, with the host's events at their times.  False: the machine stopped. */
bool world_run(struct world *w, vtime t);
void world_copy_host(struct world *to, const struct world *from); /* disk and host state */
uint64_t world_hash(struct world *w); /* machine, disk and host */
