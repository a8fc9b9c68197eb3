/* From the command line to what the machine is made of. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "frontend/app_int.h"
#include "frontend/probe.h"
#include "frontend/runner.h"
#include "frontend/suggest.h"
#include "machine/debug.h"

/* The RTC of a deterministic machine starts here unless -rtc says otherwise: 2020-01-01 00:00 UTC
 */
#define APP_RTC_FIXED 1577836800

/* ---- FILE ------------------------------------------------------------------------------ */

static bool app_file_drive(struct app *a, enum probe_kind kind, struct err *err)
{
    struct options *o = &a->opts;
    bool cd = kind == PROBE_ISO, floppy = kind == PROBE_FLOPPY;
    enum opt_if iface = floppy ? OPT_IF_FLOPPY : OPT_IF_IDE;
    int index = cd ? 2 : 0;
    for (unsigned i = 0; i < o->drives; i++) {
        if (o->drive[i].iface == iface && o->drive[i].index == index) {
            return err_set(err, EINVAL, "%s is %s, but %s has its place already: give one of them "
                           "another with -drive file=FILE,format=raw,index=N", o->file,
                           probe_name(kind), o->drive[i].opt);
        }
    }
    if (o->drives == OPT_DRIVES) {
        return err_set(err, EINVAL, "%s: more than %d drives", o->file, OPT_DRIVES);
    }
    o->drive[o->drives++] = (struct opt_drive){.opt = "", .file = o->file, .iface = iface,
                                               .index = index, .cd = cd};
    if (!o->boot_given) {
        strcpy(o->boot_order, floppy ? "acd" : cd ? "dc" : "cd");
    }
    return true;
}

static bool app_is_gzip_kernel(const char *file)
{
    struct blob b;
    struct err err = {0};
    bool ok = loader_kernel(&b, "", file, &err);
    loader_free(&b);
    return ok;
}

bool app_recognize(struct app *a, struct err *err)
{
    struct options *o = &a->opts;
    struct stat st;
    if (!o->file) {
        return true;
    }
    int fd = open(o->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        err_set(err, errno, "%s: %s", o->file, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    enum probe_kind kind = PROBE_UNKNOWN;
    bool file = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
    if (file) {
        kind = probe_fd(fd, S_ISBLK(st.st_mode) ? UINT64_MAX - 511 : (uint64_t)st.st_size);
    }
    close(fd);
    if (!file) {
        return err_set(err, EINVAL, "%s: is a %s, not an image file", o->file,
                       S_ISDIR(st.st_mode) ? "directory" : "special file");
    }
    if (S_ISBLK(st.st_mode) && kind != PROBE_ISO) {
        return app_file_drive(a, PROBE_DISK, err);
    }
    switch (kind) {
    case PROBE_ISO:
    case PROBE_DISK:
    case PROBE_FLOPPY: return app_file_drive(a, kind, err);
    case PROBE_GZIP:
        if (!app_is_gzip_kernel(o->file)) {
            return err_set(err, EINVAL,
                           "%s: is compressed with gzip and holds no kernel; gunzip it "
                           "first",
                           o->file);
        }
        /* fall through */
    case PROBE_BZIMAGE:
    case PROBE_MULTIBOOT:
        if (o->kernel) {
            return err_set(err, EINVAL, "%s is a kernel, and so is -kernel %s: leave one out",
                           o->file, o->kernel);
        }
        o->kernel = o->file;
        return true;
    case PROBE_EMPTY: return err_set(err, EINVAL, "%s: is empty", o->file);
    case PROBE_XZ:
    case PROBE_ZSTD:
    case PROBE_BZIP2:
    case PROBE_ZIP:
        return err_set(err, EINVAL, "%s: is %s: unpack it first", o->file, probe_name(kind));
    case PROBE_QCOW2:
    case PROBE_VMDK:
    case PROBE_VDI:
    case PROBE_VHD:
    case PROBE_VHDX:
        return err_set(err, EINVAL, "%s: is %s, which is not built: qemu-img convert -O raw makes "
                       "a raw disk of it", o->file, probe_name(kind));
    case PROBE_UNKNOWN:
        return err_set(err, EINVAL, "%s: is neither an ISO image nor a bootable disk nor a Linux "
                       "kernel; -hda %s uses it as a disk all the same", o->file, o->file);
    default:
        return err_set(err, EINVAL, "%s: is %s; Vitrine boots ISO images, raw disks, Linux "
                       "bzImages and Multiboot kernels", o->file, probe_name(kind));
    }
}

/* ---- firmware and kernels -------------------------------------------------------------- */

static bool app_firmware(struct app *a, struct blob *b, const char *what, const char *name,
                         const char *fallback, struct err *err)
{
    const char *names[] = {name, fallback, NULL};
    char path[600];
    const struct options *o = &a->opts;
    if (strcmp(what, "-bios") == 0 && (strchr(name, '/') || access(name, R_OK) == 0)) {
        snprintf(path, sizeof path, "%s", name);
    } else if (!firmware_find(path, sizeof path, o->libdir, o->libdirs, names)) {
        return err_set(err, ENOENT, "%s %s: not found in %s%s/usr/share/seabios; install the "
                       "package seabios, or say -L DIR", what, name,
                       o->libdirs ? o->libdir[0] : "", o->libdirs ? " or " : "");
    }
    return loader_read(b, what, path, 4u << 20, err);
}

bool app_load_files(struct app *a, struct err *err)
{
    struct options *o = &a->opts;
    if (!app_firmware(a, &a->bios, "-bios", o->bios ? o->bios : "bios-256k.bin",
                      o->bios ? NULL : "bios.bin", err)) {
        return false;
    }
    if (a->bios.len < 65536 || a->bios.len % 65536) {
        return err_set(err, EINVAL, "-bios %s: a PC's firmware is a multiple of 64 KB, up to 4 MB; "
                       "this has %zu bytes", o->bios ? o->bios : "bios", a->bios.len);
    }
    o->no_vga = o->no_vga || (o->nodefaults && !o->vga_given);
    if (!o->no_vga &&
        !app_firmware(a, &a->vga_bios, "-vga std:", "vgabios-stdvga.bin", NULL, err)) {
        return false;
    }
    for (unsigned i = 0; i < o->fw_files; i++) {
        if (o->fw_file[i].file &&
            !loader_read(&a->fw_file[i], "-fw_cfg", o->fw_file[i].file, 64u << 20, err)) {
            return false;
        }
    }
    return app_load_roms(a, err) && app_load_kernel(a, err);
}

/* ---- drives ---------------------------------------------------------------------------- */

bool app_open_drives(struct app *a, struct err *err)
{
    struct options *o = &a->opts;
    char id[40];
    for (unsigned i = 0; i < o->drives; i++) {
        struct opt_drive *od = &o->drive[i];
        if (od->iface == OPT_IF_NONE) {
            return err_set(err, EINVAL, "-drive if=none,id=%s is connected to nothing: add -device "
                           "ide-hd,drive=%s", od->id ? od->id : "?", od->id ? od->id : "ID");
        }
        bool floppy = od->iface == OPT_IF_FLOPPY;
        struct drive *d = &a->drives[floppy ? APP_IDE + od->index : od->index];
        if (floppy) {
            snprintf(id, sizeof id, "floppy%d", od->index);
        } else {
            snprintf(id, sizeof id, "ide%d-%s%d", od->index / 2, od->cd ? "cd" : "hd",
                     od->index % 2);
        }
        drive_init(d, id, od->cd, floppy);
        struct drive_spec spec = {.what = od->opt, .file = od->file, .readonly = od->readonly,
                                  .snapshot = od->snapshot || o->snapshot,
                                  .raw_said = od->raw_said};
        if (!spec.what[0]) {
            spec.what = floppy ? "-fda" : od->cd ? "-cdrom" : "-hda";
        }
        if (spec.file && !drive_load(d, &spec, err)) {
            return false;
        }
        if (floppy) {
            a->cfg.floppy_boot_rank[od->index] = od->boot_rank;
        } else {
            a->cfg.ide_serial[od->index] = od->serial;
            a->cfg.ide_boot_rank[od->index] = od->boot_rank;
        }
    }
    if (!o->nodefaults && !a->drives[2].present) {
        drive_init(&a->drives[2], "ide1-cd0", true, false); /* for the monitor's change */
    }
    return true;
}

bool app_flush_disks(struct app *a)
{
    bool ok = true;
    for (unsigned i = 0; i < APP_DRIVES; i++) {
        ok = drive_flush(&a->drives[i]) && ok;
    }
    return ok;
}

/* ---- the machine's description --------------------------------------------------------- */

static uint64_t app_rtc(const struct options *o)
{
    time_t now = time(NULL);
    struct tm tm;
    switch (o->rtc) {
    case OPT_RTC_DATE: return (uint64_t)o->rtc_date;
    case OPT_RTC_LOCAL:
        localtime_r(&now, &tm);
        return (uint64_t)(now + tm.tm_gmtoff);
    case OPT_RTC_UTC: return (uint64_t)now;
    default: return o->icount ? APP_RTC_FIXED : (uint64_t)now;
    }
}

static uint64_t app_seed(const struct options *o)
{
    uint64_t seed = 0;
    if (o->has_seed) {
        return o->seed;
    }
    if (!o->icount && getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
        seed = (uint64_t)time(NULL);
    }
    return seed;
}

static const char *app_cpu_name(void *ctx, unsigned i)
{
    const char *what;
    (void)ctx;
    return machine_cpu_model(i, &what);
}

static bool app_cpu(const char *model, struct err *err)
{
    for (unsigned i = 0; app_cpu_name(NULL, i); i++) {
        if (strcmp(app_cpu_name(NULL, i), model) == 0) {
            return true;
        }
    }
    const char *near = suggest_nearest(model, app_cpu_name, NULL);
    return near ? err_set(err, EINVAL, "-cpu %.40s: did you mean -cpu %s?", model, near)
                : err_set(err, EINVAL, "-cpu %.40s: there is no such model; -cpu help lists them",
                          model);
}

bool app_config(struct app *a, struct err *err)
{
    const struct options *o = &a->opts;
    struct machine_config *c = &a->cfg;
    if (o->cpu_model && !app_cpu(o->cpu_model, err)) {
        return false;
    }
    c->name = o->name;
    c->ram_size = o->ram_size;
    c->cpu_model = o->cpu_model;
    c->cpu_flags = o->cpu_flags;
    c->cpus = o->cpus;
    c->max_cpus = o->max_cpus;
    c->cores = o->cores;
    c->threads = o->threads;
    c->no_hpet = o->no_hpet;
    c->deterministic = o->icount;
    c->icount_shift = o->icount_shift;
    c->rtc_base = app_rtc(o);
    c->seed = app_seed(o);
    c->bios = (struct machine_blob){a->bios.data, a->bios.len};
    c->vga_bios = (struct machine_blob){a->vga_bios.data, a->vga_bios.len};
    c->no_vga = o->no_vga;
    for (unsigned i = 0; i < APP_IDE; i++) {
        if (a->drives[i].present) {
            c->ide[i] = &a->drives[i].blk;
            c->ide_is_cd[i] = a->drives[i].cd;
        }
    }
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) {
        if (a->drives[APP_IDE + i].present) {
            c->floppy[i] = &a->drives[APP_IDE + i].blk;
            c->has_floppy[i] = true;
        }
    }
    for (unsigned i = 0; i < o->serials; i++) {
        if (o->serial[i].present) {
            c->serial[i].chr = &a->serial[i].chr;
            c->serial[i].iobase = o->serial[i].iobase;
            c->serial[i].irq = o->serial[i].irq;
            char_guest_init(&a->serial[i]);
        }
    }
    for (unsigned i = 0; i < o->debugcons; i++) {
        c->debugcon[i].chr = &a->debugcon[i].chr;
        c->debugcon[i].iobase = o->debugcon[i].iobase;
        char_guest_init(&a->debugcon[i]);
    }
    for (unsigned i = 0; i < o->parallels; i++) {
        if (o->parallel[i].present) {
            c->parallel[i].chr = &a->parallel[i].chr;
            c->parallel[i].iobase = o->parallel[i].iobase;
            c->parallel[i].irq = o->parallel[i].irq;
            char_guest_init(&a->parallel[i]);
        }
    }
    c->no_acpi = o->no_acpi;
    memcpy(c->smbios, o->smbios, sizeof c->smbios);
    for (unsigned i = 0; i < o->fw_files; i++) {
        const struct opt_fw_file *f = &o->fw_file[i];
        c->fw_file[i] = (struct machine_fw_file){
            .name = f->name,
            .data = f->string ? (const void *)f->string : a->fw_file[i].data,
            .len = f->string ? strlen(f->string) : a->fw_file[i].len};
    }
    c->fw_files = o->fw_files;
    c->debug_exit_iobase = o->debug_exit_iobase;
    c->debug_exit_iosize = o->debug_exit_iosize;
    c->pc_testdev = o->pc_testdev;
    c->pci_testdev = o->pci_testdev;
    memcpy(c->boot_order, o->boot_order, sizeof c->boot_order);
    memcpy(c->boot_once, o->boot_once, sizeof c->boot_once);
    app_net_config(a);
    c->boot_menu = o->boot_menu;
    c->boot_menu_ms = o->boot_menu_ms;
    c->boot_retry_ms = o->boot_retry_ms;
    c->boot_strict = o->boot_strict;
    app_config_kernel(a);
    const char *file = o->file;
    for (unsigned i = 0; !file && i < o->drives; i++) {
        file = o->drive[i].file;
    }
    file = file ? file : o->kernel;
    const char *slash = file ? strrchr(file, '/') : NULL;
    snprintf(a->title, sizeof a->title, "%s", o->name ? o->name
                                              : slash ? slash + 1
                                              : file  ? file
                                                      : "PC");
    return true;
}

/* ---- character devices ----------------------------------------------------------------- */

static void app_mux_quit(void *ctx)
{
    struct app *a = ctx;
    runner_quit(a->runner, 0);
}

static void app_mux_flush(void *ctx)
{
    app_flush_disks(ctx);
}

struct app_mux { /* what a break needs to know */
    struct mux mux;
    struct app *app;
    unsigned index;
};

static void app_mux_break(void *ctx, unsigned user)
{
    struct app_mux *am = ctx;
    struct char_guest *g = am->app->mux_guest[am->index][user];
    if (g) {
        char_guest_break(g);
    }
}

static void app_mux_quit_any(void *ctx)
{
    app_mux_quit(((struct app_mux *)ctx)->app);
}

static void app_mux_flush_any(void *ctx)
{
    app_mux_flush(((struct app_mux *)ctx)->app);
}

static size_t app_port_write(void *port, const uint8_t *buf, size_t len)
{
    return char_port_write(port, buf, len);
}

static bool app_connect(struct app *a, const char *id, const char *name, struct char_guest *g,
                        const struct char_sink *sink, struct err *err)
{
    struct options *o = &a->opts;
    unsigned i = 0;
    while (i < o->chrs && strcmp(o->chr[i].id, id) != 0) {
        i++;
    }
    if (i == o->chrs || o->chr[i].kind == OPT_CHR_NULL) {
        return true;
    }
    if (!a->ports[i]) {
        a->ports[i] = char_open(a->loop, &o->chr[i], err);
        if (!a->ports[i]) {
            return false;
        }
        if (o->chr[i].mux) {
            struct app_mux *am = calloc(1, sizeof *am);
            struct mux_actions act = {.quit = app_mux_quit_any, .flush_disks = app_mux_flush_any,
                                      .serial_break = app_mux_break, .ctx = am};
            if (!am || !mux_init(&am->mux, app_port_write, a->ports[i], &act, err)) {
                free(am);
                return err_set(err, ENOMEM, "chardev: out of memory");
            }
            am->app = a;
            am->index = i;
            a->muxes[i] = &am->mux;
            struct char_sink ms = mux_sink(&am->mux);
            char_port_sink(a->ports[i], &ms);
        }
    }
    if (g) {
        char_guest_connect(g, a->ports[i], a->runner);
    } else {
        a->reader.out = a->ports[i];
    }
    if (a->muxes[i]) {
        unsigned user = mux_add(a->muxes[i], name, sink);
        if (user == MUX_USERS) {
            return err_set(err, EINVAL, "chardev %s: more than %d share it", id, MUX_USERS);
        }
        a->mux_guest[i][user] = g;
    } else {
        char_port_sink(a->ports[i], sink);
    }
    return true;
}

bool app_open_chars(struct app *a, struct err *err)
{
    static const char *const serial_names[] = {"serial0", "serial1", "serial2", "serial3"};
    struct options *o = &a->opts;
    for (unsigned i = 0; i < o->serials; i++) {
        struct char_sink sink = char_guest_sink(&a->serial[i]);
        if (o->serial[i].present && o->serial[i].chr[0] &&
            !app_connect(a, o->serial[i].chr, serial_names[i], &a->serial[i], &sink, err)) {
            return false;
        }
    }
    for (unsigned i = 0; i < o->debugcons; i++) {
        struct char_sink sink = char_guest_sink(&a->debugcon[i]);
        if (o->debugcon[i].chr[0] &&
            !app_connect(a, o->debugcon[i].chr, "debugcon", &a->debugcon[i], &sink, err)) {
            return false;
        }
    }
    for (unsigned i = 0; i < o->parallels; i++) {
        struct char_sink sink = char_guest_sink(&a->parallel[i]);
        if (o->parallel[i].chr[0] &&
            !app_connect(a, o->parallel[i].chr, "parallel", &a->parallel[i], &sink, err)) {
            return false;
        }
    }
    a->monitor = o->monitor[0];
    if (!a->monitor) {
        return true;
    }
    if (!hmp_init(&a->hmp)) {
        return err_set(err, ENOMEM, "-monitor: out of memory");
    }
    a->hmp.runner = a->runner;
    a->hmp.drives = a->drives;
    a->hmp.drive_count = APP_DRIVES;
    a->hmp.nets = a->nets;
    a->hmp.net_count = OPT_NICS;
    a->hmp.name = a->title;
    const struct opt_chardev *c = options_chardev(o, o->monitor);
    if (c && c->kind == OPT_CHR_STDIO && !c->mux && isatty(STDIN_FILENO) &&
        isatty(STDOUT_FILENO)) {
        a->monitor_edit = true; /* app.c starts it with the other threads */
        return true;
    }
    reader_init(&a->reader, &a->hmp, app_port_write, NULL);
    struct char_sink sink = reader_sink(&a->reader);
    if (!app_connect(a, o->monitor, "monitor", NULL, &sink, err)) {
        return false;
    }
    /* a monitor that is alone and connected says hello at once; others when they get the focus */
    if (c && !c->mux && c->kind != OPT_CHR_NULL && !c->server) {
        sink.opened(sink.ctx, true);
    } else if (c && c->server) {
        for (unsigned i = 0; i < o->chrs; i++) {
            if (&o->chr[i] == c && a->ports[i] && a->ports[i]->in_fd >= 0 && !c->mux) {
                sink.opened(sink.ctx, true); /* waited for the client already */
            }
        }
    }
    return true;
}

void app_close_chars(struct app *a)
{
    char_loop_destroy(a->loop);
    a->loop = NULL;
    for (unsigned i = 0; i < OPT_CHARDEVS; i++) {
        if (a->muxes[i]) {
            mux_fini(a->muxes[i]);
            free(a->muxes[i]); /* the first member of its app_mux */
        }
    }
    hmp_fini(&a->hmp);
}
