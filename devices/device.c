/* The walk over a device's verbs. */
#include "devices/device.h"

void device_reset(struct device *dev, enum reset_kind kind)
{
    if (dev->cls->reset) {
        dev->cls->reset(dev, kind);
    }
}

void device_drive(struct device *dev)
{
    if (dev->cls->drive) {
        dev->cls->drive(dev);
    }
}

void device_snap(struct device *dev, struct snap *s)
{
    if (snap_begin(s, dev->id, dev->cls->snap_version)) {
        dev->cls->snap(dev, s);
        snap_end(s);
    }
}

void device_destroy(struct device *dev)
{
    if (dev->cls->destroy) {
        dev->cls->destroy(dev);
    }
}
