/* A drive of the machine and the image in it: opened by option or by the monitor's change. */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/plugs/blockdev.h"

struct raw;
struct overlay;
struct drive {
    char id[16]; /* "ide0-hd0", "ide1-cd0", "floppy0" */
    bool present, cd, floppy;
    struct blockdev blk; /* what the machine sees */
    struct raw *raw;     /* NULL: no medium */
    struct overlay *overlay;
    char file[256];
};

struct drive_spec {
    const char *what; /* option, for sentences */
    const char *file; /* NULL: an empty drive */
    bool readonly, snapshot, raw_said;
};

void drive_init(struct drive *d, const char *id, bool cd, bool floppy);
/* Puts the image in.  On failure the drive stays as it was. */
bool drive_load(struct drive *d, const struct drive_spec *spec, struct err *err);
void drive_unload(struct drive *d);
bool drive_flush(struct drive *d); /* false: the host says that data did not reach the disk */
