/* -cdrom, -hdX, -fdX, -drive, -device: which image sits where. */
#include "frontend/options_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frontend/keyval.h"
#include "frontend/suggest.h"

static struct opt_drive *drive_add(struct options *o, const char *opt, struct err *err)
{
    if (o->drives == OPT_DRIVES) {
        err_set(err, EINVAL, "%s: more than %d drives", opt, OPT_DRIVES);
        return NULL;
    }
    struct opt_drive *d = &o->drive[o->drives++];
    *d = (struct opt_drive){.opt = options_dup(o, opt), .index = -1};
    return d;
}

static bool drive_fixed(struct options *o, const char *opt, const char *file, enum opt_if iface,
                        int index, bool cd, struct err *err)
{
    struct opt_drive *d = drive_add(o, opt, err);
    if (!d) {
        return false;
    }
    if (file[0] == 0) {
        return err_set(err, EINVAL, "%s: an empty file name: %s FILE", opt, opt);
    }
    d->file = file;
    d->iface = iface;
    d->index = index;
    d->cd = cd;
    return true;
}

#define FIXED(handler, iface, index, cd)                                                           \
    bool opt_##handler(struct options *o, const char *opt, const char *arg, struct err *err)       \
    {                                                                                              \
        return drive_fixed(o, opt, arg, iface, index, cd, err);                                    \
    }

FIXED(cdrom, OPT_IF_IDE, 2, true)
FIXED(hda, OPT_IF_IDE, 0, false)
FIXED(hdb, OPT_IF_IDE, 1, false)
FIXED(hdc, OPT_IF_IDE, 2, false)
FIXED(hdd, OPT_IF_IDE, 3, false)
FIXED(fda, OPT_IF_FLOPPY, 0, false)
FIXED(fdb, OPT_IF_FLOPPY, 1, false)

static bool drive_bootindex(struct opt_drive *d, const struct keyval *kv, struct err *err)
{
    uint64_t n;
    if (!keyval_uint(kv, "bootindex", 0x7fffffff, &n, err)) {
        return false;
    }
    if (keyval_get(kv, "bootindex")) {
        d->boot_rank = (uint32_t)n + 1;
    }
    return true;
}

static bool drive_words(struct options *o, struct opt_drive *d, const struct keyval *kv,
                        struct err *err)
{
    const char *v;
    uint64_t n;
    if ((v = keyval_get(kv, "file")) && v[0]) {
        d->file = options_dup(o, v);
    }
    if ((v = keyval_get(kv, "id"))) {
        d->id = options_dup(o, v);
    }
    if ((v = keyval_get(kv, "serial"))) {
        d->serial = options_dup(o, v);
    }
    if ((v = keyval_get(kv, "format"))) {
        if (strcmp(v, "raw") != 0) {
            return err_set(err, EINVAL, "-drive format=%.40s is not built: say format=raw, or "
                           "convert it with qemu-img convert -O raw", v);
        }
        d->raw_said = true;
    }
    if ((v = keyval_get(kv, "if"))) {
        if (strcmp(v, "ide") == 0 || strcmp(v, "floppy") == 0 || strcmp(v, "none") == 0) {
            d->iface = v[0] == 'i' ? OPT_IF_IDE : v[0] == 'f' ? OPT_IF_FLOPPY : OPT_IF_NONE;
        } else {
            return err_set(err, EINVAL, "-drive if=%.40s is not built: say if=ide or if=floppy", v);
        }
    }
    if ((v = keyval_get(kv, "media"))) {
        if (strcmp(v, "disk") != 0 && strcmp(v, "cdrom") != 0) {
            return err_set(err, EINVAL, "-drive media=%.40s: say media=disk or media=cdrom", v);
        }
        d->cd = v[0] == 'c';
    }
    if ((v = keyval_get(kv, "cache")) && strcmp(v, "writeback") != 0 && strcmp(v, "none") != 0 &&
        strcmp(v, "unsafe") != 0) {
        return err_set(err, EINVAL, "-drive cache=%.40s is not built: say cache=writeback (a "
                       "flush of the guest reaches the disk)", v);
    }
    if (keyval_get(kv, "index")) {
        if (!keyval_uint(kv, "index", 3, &n, err)) {
            return false;
        }
        d->index = (int)n;
    }
    if (keyval_get(kv, "bus") || keyval_get(kv, "unit")) {
        uint64_t bus = 0, unit = 0;
        if (!keyval_uint(kv, "bus", 1, &bus, err) || !keyval_uint(kv, "unit", 1, &unit, err)) {
            return false;
        }
        d->index = (int)(bus * 2 + unit);
    }
    return true;
}

bool opt_drive(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"file", "format", "if", "media", "index", "bus", "unit",
                                        "readonly", "snapshot", "serial", "id", "cache", "aio",
                                        "discard", "bootindex", NULL};
    struct opt_drive *d = drive_add(o, opt, err);
    struct keyval kv = {0};
    bool ok = d && keyval_parse(&kv, opt, arg, "file", err) && keyval_known(&kv, known, err) &&
              keyval_bool(&kv, "readonly", &d->readonly, err) &&
              keyval_bool(&kv, "snapshot", &d->snapshot, err) && drive_words(o, d, &kv, err) &&
              drive_bootindex(d, &kv, err);
    if (ok && d->iface == OPT_IF_FLOPPY && d->index > 1) {
        ok = err_set(err, EINVAL, "-drive if=floppy,index=%d: floppy drives are 0 and 1", d->index);
    }
    if (ok && !d->file && !d->cd && d->iface == OPT_IF_IDE) {
        ok = err_set(err, EINVAL, "-drive without a file: say -drive file=FILE,format=raw");
    }
    keyval_free(&kv);
    return ok;
}

/* ---- -device --------------------------------------------------------------------------- */

static const char *const device_names[] = {"isa-serial", "isa-debugcon", "isa-debug-exit",
                                           "ide-hd", "ide-cd", "VGA", "ne2k_pci", "ne2k_isa",
                                           "pc-testdev", "pci-testdev", NULL};

static bool device_serial(struct options *o, const struct keyval *kv, struct err *err)
{
    static const char *const known[] = {"driver", "iobase", "irq", "chardev", "id", "index", NULL};
    uint64_t iobase = 0, irq = 0;
    if (!keyval_known(kv, known, err) || !keyval_uint(kv, "iobase", 0xfff8, &iobase, err) ||
        !keyval_uint(kv, "irq", 15, &irq, err)) {
        return false;
    }
    if (o->serials == OPT_SERIALS) {
        return err_set(err, EINVAL, "-device isa-serial: at most %d serial ports", OPT_SERIALS);
    }
    struct opt_port *p = &o->serial[o->serials++];
    *p = (struct opt_port){.present = true, .iobase = (uint16_t)iobase, .irq = (uint8_t)irq};
    const char *chr = keyval_get(kv, "chardev");
    snprintf(p->chr, sizeof p->chr, "%s", chr ? chr : "");
    return true;
}

static bool device_debugcon(struct options *o, const struct keyval *kv, struct err *err)
{
    static const char *const known[] = {"driver", "iobase", "chardev", "id", "readback", NULL};
    uint64_t iobase = 0xe9;
    if (!keyval_known(kv, known, err) || !keyval_uint(kv, "iobase", 0xffff, &iobase, err)) {
        return false;
    }
    if (o->debugcons == OPT_DEBUGCONS) {
        return err_set(err, EINVAL, "-device isa-debugcon: at most %d of them", OPT_DEBUGCONS);
    }
    const char *chr = keyval_get(kv, "chardev");
    if (!chr) {
        return err_set(err, EINVAL, "-device isa-debugcon needs chardev=ID: -chardev "
                       "file,id=log,path=F -device isa-debugcon,iobase=0x402,chardev=log");
    }
    struct opt_port *p = &o->debugcon[o->debugcons++];
    *p = (struct opt_port){.present = true, .iobase = (uint16_t)iobase};
    snprintf(p->chr, sizeof p->chr, "%s", chr);
    return true;
}

static bool device_exit(struct options *o, const struct keyval *kv, struct err *err)
{
    static const char *const known[] = {"driver", "iobase", "iosize", "id", NULL};
    uint64_t iobase = 0x501, iosize = 2;
    if (!keyval_known(kv, known, err) || !keyval_uint(kv, "iobase", 0xffff, &iobase, err) ||
        !keyval_uint(kv, "iosize", 8, &iosize, err)) {
        return false;
    }
    if (iobase == 0 || iosize == 0) {
        return err_set(err, EINVAL, "-device isa-debug-exit: say iobase=0xf4,iosize=0x04");
    }
    o->debug_exit_iobase = (uint16_t)iobase;
    o->debug_exit_iosize = (uint16_t)iosize;
    return true;
}

static bool device_test(const struct keyval *kv, bool *have, struct err *err)
{
    static const char *const known[] = {"driver", "id", NULL};
    if (!keyval_known(kv, known, err)) {
        return false;
    }
    if (*have) {
        return err_set(err, EINVAL, "-device %s: there is one already", keyval_get(kv, "driver"));
    }
    *have = true;
    return true;
}

static bool device_ide(struct options *o, const struct keyval *kv, bool cd, struct err *err)
{
    static const char *const known[] = {"driver", "drive", "bus", "unit", "id", "serial",
                                        "bootindex", NULL};
    const char *drv = keyval_get(kv, "drive"), *bus = keyval_get(kv, "bus");
    const char *serial = keyval_get(kv, "serial");
    uint64_t unit = 0;
    if (!keyval_known(kv, known, err) || !keyval_uint(kv, "unit", 1, &unit, err)) {
        return false;
    }
    struct opt_drive *d = NULL;
    for (unsigned i = 0; drv && i < o->drives; i++) {
        if (o->drive[i].id && strcmp(o->drive[i].id, drv) == 0) {
            d = &o->drive[i];
        }
    }
    if (drv && !d) {
        return err_set(err, EINVAL, "-device %s,drive=%.40s: no -drive with id=%.40s comes before",
                       cd ? "ide-cd" : "ide-hd", drv, drv);
    }
    if (!d && !cd) {
        return err_set(err, EINVAL, "-device ide-hd needs drive=ID: -drive if=none,id=ID,file=F "
                       "-device ide-hd,drive=ID");
    }
    if (!d && !(d = drive_add(o, "-device", err))) {
        return false;
    }
    d->iface = OPT_IF_IDE;
    d->cd = cd;
    d->serial = serial ? options_dup(o, serial) : d->serial;
    if (!drive_bootindex(d, kv, err)) {
        return false;
    }
    if (bus) {
        if (strcmp(bus, "ide.0") != 0 && strcmp(bus, "ide.1") != 0) {
            return err_set(err, EINVAL, "-device bus=%.40s: say bus=ide.0 or bus=ide.1", bus);
        }
        d->index = (bus[4] - '0') * 2 + (int)unit;
    }
    return true;
}

bool opt_device(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (strcmp(arg, "help") == 0) {
        o->action = OPT_TEXT;
        o->text = "isa-serial      iobase=, irq=, chardev=\n"
                  "isa-debugcon    iobase= (0xe9), chardev=\n"
                  "isa-debug-exit  iobase= (0x501), iosize= (2)\n"
                  "ide-hd, ide-cd  drive=, bus=ide.0|ide.1, unit=0|1, serial=, bootindex=\n"
                  "ne2k_pci        netdev=, mac=, addr=SLOT, romfile=F, bootindex=\n"
                  "ne2k_isa        netdev=, mac=, iobase= (0x300), irq= (9)\n"
                  "pc-testdev      for test suites: latch, IRQ lines, memory as a device\n"
                  "pci-testdev     for test suites: BARs of memory and ports\n"
                  "VGA             as -vga std\n";
        return true;
    }
    struct keyval kv;
    bool ok = keyval_parse(&kv, opt, arg, "driver", err);
    const char *drv = ok ? keyval_get(&kv, "driver") : NULL;
    if (!ok) {
    } else if (!drv) {
        ok = err_set(err, EINVAL, "-device %.60s names no device; -device help lists them", arg);
    } else if (strcmp(drv, "isa-serial") == 0) {
        ok = device_serial(o, &kv, err);
    } else if (strcmp(drv, "isa-debugcon") == 0) {
        ok = device_debugcon(o, &kv, err);
    } else if (strcmp(drv, "isa-debug-exit") == 0) {
        ok = device_exit(o, &kv, err);
    } else if (strcmp(drv, "ide-hd") == 0 || strcmp(drv, "ide-cd") == 0) {
        ok = device_ide(o, &kv, drv[4] == 'c', err);
    } else if (strcmp(drv, "ne2k_pci") == 0 || strcmp(drv, "ne2k_isa") == 0) {
        ok = opt_device_nic(o, &kv, drv[5] == 'p' ? OPT_NIC_PCI : OPT_NIC_ISA, err);
    } else if (strcmp(drv, "pc-testdev") == 0) {
        ok = device_test(&kv, &o->pc_testdev, err);
    } else if (strcmp(drv, "pci-testdev") == 0) {
        ok = device_test(&kv, &o->pci_testdev, err);
    } else if (strcmp(drv, "VGA") == 0) {
        o->vga_given = true;
    } else {
        const char *near = suggest_in(drv, device_names);
        ok = near ? err_set(err, EINVAL, "-device: there is no device \"%.60s\", did you mean "
                            "\"%s\"?", drv, near)
                  : err_set(err, EINVAL, "-device: the device \"%.60s\" is not built; -device help "
                            "lists those that are", drv);
    }
    keyval_free(&kv);
    return ok;
}

/* ---- places ---------------------------------------------------------------------------- */

bool opt_finish_drives(struct options *o, struct err *err)
{
    static const char *const ide[] = {"first IDE disk (hda)", "second IDE disk (hdb)",
                                      "third IDE place (hdc, CD)", "fourth IDE place (hdd)"};
    static const char *const fd[] = {"floppy drive A", "floppy drive B"};
    const struct opt_drive *taken[2][4] = {0};
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < o->drives; i++) {
            struct opt_drive *d = &o->drive[i];
            unsigned fl = d->iface == OPT_IF_FLOPPY;
            if (d->iface == OPT_IF_NONE || (d->index < 0) != (pass == 1)) {
                continue;
            }
            if (pass == 1) { /* the next free place; a CD prefers the one of -cdrom */
                int max = fl ? 2 : 4;
                d->index = d->cd && !taken[0][2] ? 2 : 0;
                while (d->index < max && taken[fl][d->index]) {
                    d->index++;
                }
                if (d->index == max) {
                    return err_set(err, EINVAL, "%s: all %d %s are taken", d->opt, max,
                                   fl ? "floppy drives" : "IDE places");
                }
            }
            const struct opt_drive *other = taken[fl][d->index];
            if (other) {
                return err_set(err, EINVAL, "%s and %s both want the %s: give one of them "
                               "another place with -drive index=N", other->opt, d->opt,
                               fl ? fd[d->index] : ide[d->index]);
            }
            taken[fl][d->index] = d;
        }
    }
    return true;
}
