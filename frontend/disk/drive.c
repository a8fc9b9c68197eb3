/* Drives: the right kind of image for each, opened with the right rights.
 *
 * A disk's bytes are the guest's, so nothing in them ever chooses how they are read
 * (CVE-2008-2004): an image is raw, always.  Content that looks like a container (qcow2 ...) is
 * refused, unless format=raw is written out, because the user most likely meant the container. */
#include "frontend/disk/drive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frontend/disk/overlay.h"
#include "frontend/disk/raw.h"
#include "frontend/probe.h"

void drive_init(struct drive *d, const char *id, bool cd, bool floppy)
{
    memset(d, 0, sizeof *d);
    snprintf(d->id, sizeof d->id, "%s", id);
    d->present = true;
    d->cd = cd;
    d->floppy = floppy;
    d->blk.removable = cd || floppy;
    d->blk.sector_size = cd ? 2048 : 512;
    d->blk.read_only = cd;
}

static bool drive_suits(const struct drive *d, const struct drive_spec *spec, struct raw *raw,
                        struct err *err)
{
    if (spec->raw_said) {
        return true;
    }
    enum probe_kind kind = probe_fd(raw_fd(raw), raw_size(raw));
    if (d->cd && (probe_is_container(kind) || kind == PROBE_DISK || kind == PROBE_BZIMAGE ||
                  kind == PROBE_ELF || kind == PROBE_MULTIBOOT || kind == PROBE_FLOPPY)) {
        return err_set(err, EINVAL, "%s %s: is %s, not an ISO image; try %s", spec->what,
                       spec->file, probe_name(kind),
                       kind == PROBE_BZIMAGE ? "-kernel FILE"
                       : kind == PROBE_DISK  ? "-hda FILE"
                                             : "an .iso file");
    }
    if (!d->cd && probe_is_container(kind)) {
        return err_set(err, EINVAL, "%s %s: is %s, not a raw disk; convert it, or say -drive "
                       "file=FILE,format=raw to use these very bytes", spec->what, spec->file,
                       probe_name(kind));
    }
    if (d->floppy && raw_size(raw) > 2949120) {
        return err_set(err, EINVAL, "%s %s: is larger than any floppy (2880 KB)", spec->what,
                       spec->file);
    }
    return true;
}

bool drive_load(struct drive *d, const struct drive_spec *spec, struct err *err)
{
    bool over = spec->snapshot && !d->cd && !spec->readonly;
    unsigned flags = d->cd ? RAW_CD : spec->readonly || over ? RAW_READ_ONLY : 0;
    struct raw *raw = raw_open(spec->what, spec->file, flags, err);
    struct overlay *overlay = NULL;
    struct blockdev base = {0};
    if (!raw || !drive_suits(d, spec, raw, err)) {
        raw_close(raw);
        return false;
    }
    raw_attach(raw, &base);
    if (over && !(overlay = overlay_open(&base, spec->file, err))) {
        raw_close(raw);
        return false;
    }
    drive_unload(d);
    d->raw = raw;
    d->overlay = overlay;
    if (overlay) {
        overlay_attach(overlay, &d->blk);
    } else {
        raw_attach(raw, &d->blk);
    }
    snprintf(d->file, sizeof d->file, "%s", spec->file);
    return true;
}

void drive_unload(struct drive *d)
{
    d->blk.ops = NULL;
    d->blk.backend = NULL;
    d->blk.sectors = 0;
    overlay_close(d->overlay);
    raw_close(d->raw);
    d->overlay = NULL;
    d->raw = NULL;
    d->file[0] = 0;
}

bool drive_flush(struct drive *d)
{
    return !d->blk.ops || d->blk.ops->flush(d->blk.backend) == BLK_OK;
}
