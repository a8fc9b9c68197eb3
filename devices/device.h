/* What every chip is: the same verbs for all.  A chip sees a clock, wires, a DMA window and a plug,
 * and nothing else; the board decides where its regions appear. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/snap.h"

enum reset_kind { RESET_POWER_ON, RESET_CPU_ONLY, RESET_SNAPSHOT_LOAD };

struct device;
struct device_class {
    const char *name; /* "uart16550" */
    uint32_t snap_version;
    void (*reset)(struct device *dev, enum reset_kind kind); /* own state only */
    void (*drive)(struct device *dev);                /* then: put outputs on the wires; or NULL */
    void (*snap)(struct device *dev, struct snap *s); /* one list of fields, inside begin/end */
    void (*destroy)(struct device *dev);                     /* cancel timers, free; may be NULL */
};
struct device { /* first member of every device */
    const struct device_class *cls;
    const char *id; /* "uart0": logs, traces, snapshots */
};
#define device_of(ptr, type) ((type *)(void *)((char *)(ptr)-offsetof(type, dev)))

void device_reset(struct device *dev, enum reset_kind kind);
void device_drive(struct device *dev);
/* snap_begin + the class's list + snap_end */
void device_snap(struct device *dev, struct snap *s);
void device_destroy(struct device *dev);
