/* -snapshot: what the guest writes goes to an unlinked temporary file, the image stays as it is. */
#pragma once
#include "base/err.h"
#include "base/plugs/blockdev.h"

struct overlay;
/* base: a read-only blockdev of 512-byte sectors whose backend outlives the overlay. */
struct overlay *overlay_open(const struct blockdev *base, const char *name, struct err *err);
void overlay_close(struct overlay *o);
void overlay_attach(struct overlay *o, struct blockdev *blk);
