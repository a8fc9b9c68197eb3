/* -kernel, -initrd and -append: the files; for a Multiboot kernel modules in place of initrd. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/app_int.h"
#include "machine/machine.h"

/* One module: "FILE ARGUMENTS"; text is cut at the blank. */
static bool app_module(struct app *a, const char *text, size_t len, struct err *err)
{
    if (a->modules == MACHINE_MODULES) {
        return err_set(err, EINVAL, "-initrd: more than %d modules", MACHINE_MODULES);
    }
    char *line = malloc(len + 1), *out = line;
    if (!line) {
        return err_set(err, ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < len; i++) { /* ",,": a comma in a name, as in QEMU's options */
        *out++ = text[i];
        i += text[i] == ',' && i + 1 < len;
    }
    *out = 0;
    unsigned n = a->modules++;
    a->module_line[n] = line;
    char *blank = strchr(line, ' ');
    if (blank) {
        *blank = 0;
    }
    bool ok = line[0] ? loader_read(&a->module[n], "-initrd", line, OPT_RAM_MAX, err)
                      : err_set(err, EINVAL, "-initrd: an empty name between commas; say "
                                "-initrd 'FILE ARGUMENTS,FILE ARGUMENTS'");
    if (blank) {
        *blank = ' ';
    }
    return ok;
}

static bool app_modules(struct app *a, const char *list, struct err *err)
{
    const char *start = list;
    for (const char *p = list;; p++) {
        if (p[0] == ',' && p[1] == ',') {
            p++;
        } else if (!*p || *p == ',') {
            if (!app_module(a, start, (size_t)(p - start), err)) {
                return false;
            }
            start = p + 1;
            if (!*p) {
                return true;
            }
        }
    }
}

bool app_load_kernel(struct app *a, struct err *err)
{
    struct options *o = &a->opts;
    if (!o->kernel) {
        return !o->initrd && !o->append
                   ? true
                   : err_set(err, EINVAL, "%s without -kernel: add -kernel FILE",
                             o->initrd ? "-initrd" : "-append");
    }
    if (!loader_kernel(&a->kernel, "-kernel", o->kernel, err)) {
        return false;
    }
    uint64_t len = a->kernel.len;
    a->multiboot = machine_is_multiboot(a->kernel.data, a->kernel.len);
    if (a->multiboot && o->initrd && !app_modules(a, o->initrd, err)) {
        return false;
    }
    if (!a->multiboot && o->initrd &&
        !loader_read(&a->initrd, "-initrd", o->initrd, OPT_RAM_MAX, err)) {
        return false;
    }
    len += a->initrd.len;
    for (unsigned i = 0; i < a->modules; i++) {
        len += a->module[i].len;
    }
    if (len + (a->multiboot ? 1u << 20 : 8u << 20) > o->ram_size) {
        return err_set(err, EINVAL, "-m: kernel and initrd (%llu MB) do not fit into %llu MB of "
                       "memory: say -m 512M or more", (unsigned long long)len >> 20,
                       (unsigned long long)(o->ram_size >> 20));
    }
    return true;
}

void app_config_kernel(struct app *a)
{
    struct machine_config *c = &a->cfg;
    c->kernel = (struct machine_blob){a->kernel.data, a->kernel.len};
    c->initrd = (struct machine_blob){a->initrd.data, a->initrd.len};
    c->append = a->opts.append;
    c->kernel_path = a->opts.kernel;
    c->modules = a->modules;
    for (unsigned i = 0; i < a->modules; i++) {
        c->module[i].data = (struct machine_blob){a->module[i].data, a->module[i].len};
        c->module[i].cmdline = a->module_line[i];
    }
}

void app_free_kernel(struct app *a)
{
    loader_free(&a->kernel);
    loader_free(&a->initrd);
    for (unsigned i = 0; i < a->modules; i++) {
        loader_free(&a->module[i]);
        free(a->module_line[i]);
    }
    a->modules = 0;
}
