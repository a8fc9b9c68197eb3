/* PCI side of the standard VGA.  PCI Local Bus Specification 2.1, chapter 6; the identity and the
 * BARs are those that SeaBIOS's VGA BIOS and Linux's bochs-drm look for.
 * NOT IMPLEMENTED: decoding of the legacy window by the command register (always on: the board
 * maps it), palette snooping. */
#include "devices/video/vga_pci.h"

#include <errno.h>
#include <string.h>

#include "base/os.h"

#define VGA_ROM_MAX ((size_t)1 << 20)

static void vga_pci_reset(struct device *dev, enum reset_kind kind)
{
    struct vga_pci *vp = device_of(dev, struct vga_pci);
    pci_dev_reset(&vp->pci, kind);
}

static void vga_pci_snap(struct device *dev, struct snap *s)
{
    pci_dev_snap(&device_of(dev, struct vga_pci)->pci, s);
}

static void vga_pci_destroy(struct device *dev)
{
    struct vga_pci *vp = device_of(dev, struct vga_pci);
    pci_dev_destroy(&vp->pci);
    if (vp->rom.host) {
        os_pages_free(vp->rom.host, vp->rom_len);
        vp->rom.host = NULL;
    }
}

static const struct device_class vga_pci_class = {
    .name = "vga_pci", .snap_version = 1, .reset = vga_pci_reset, .snap = vga_pci_snap,
    .destroy = vga_pci_destroy,
};

static bool vga_pci_rom(struct vga_pci *vp, const void *rom, size_t len, struct err *err)
{
    if (len > VGA_ROM_MAX) {
        return err_set(err, EFBIG, "%s: a video ROM of %zu bytes is too big", vp->dev.id, len);
    }
    vp->rom_len = PAGE_SIZE; /* whole pages: an engine may read it directly */
    while (vp->rom_len < len) {
        vp->rom_len *= 2;
    }
    vp->rom = (struct region){.name = "vga.rom", .kind = REGION_ROM, .len = vp->rom_len};
    vp->rom.host = os_pages_alloc(vp->rom_len);
    if (!vp->rom.host) {
        return err_set(err, ENOMEM, "%s: the host has no memory for the video ROM", vp->dev.id);
    }
    memset(vp->rom.host, 0xff, vp->rom_len);
    memcpy(vp->rom.host, rom, len);
    return true;
}

bool vga_pci_init(struct vga_pci *vp, const char *id, struct vga *v, struct pci_bus *bus,
                  uint8_t devfn, const void *rom, size_t rom_len, struct err *err)
{
    *vp = (struct vga_pci){.dev = {&vga_pci_class, id}};
    pci_dev_init(&vp->pci, id, devfn, 0x1234, 0x1111, 0x03000002, 0);
    pci_bar_init(&vp->pci, 0, PCI_BAR_MEM, true, &v->lfb);
    pci_bar_init(&vp->pci, 2, PCI_BAR_MEM, false, &v->mmio);
    if (rom && rom_len) {
        if (!vga_pci_rom(vp, rom, rom_len, err)) {
            return false;
        }
        pci_bar_init(&vp->pci, 6, PCI_BAR_ROM, false, &vp->rom);
    }
    if (!pci_add(bus, &vp->pci)) {
        vga_pci_destroy(&vp->dev);
        return err_set(err, EBUSY, "%s: PCI slot %u is taken", id, devfn >> 3);
    }
    return true;
}
