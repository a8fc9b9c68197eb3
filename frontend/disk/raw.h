/* A raw image file or block device behind base/plugs/blockdev.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/plugs/blockdev.h"

struct raw;
enum { RAW_READ_ONLY = 1, RAW_CD = 2 /* 2048-byte sectors, read-only */ };

/* Opens, locks and sizes the image.  `what` is the option, for sentences.  A writable image is
 * locked against every other opener, a read-only one against writers; the sentence then names the
 * holder's pid. */
struct raw *raw_open(const char *what, const char *path, unsigned flags, struct err *err);
void raw_close(struct raw *r); /* flushes */
/* Fill the medium's fields of *blk; its device-side fields stay. */
void raw_attach(struct raw *r, struct blockdev *blk);
int raw_fd(const struct raw *r);
uint64_t raw_size(const struct raw *r); /* bytes */
bool raw_read_only(const struct raw *r);
