/* The command line: table walk, help, did-you-mean.  Spellings: qemu(1); see options.def. */
#include "frontend/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/options_set.h"
#include "frontend/suggest.h"

const struct option_def option_defs[] = {
#define HEADING(text) {NULL, NULL, NULL, text},
#define OPTION(name, handler, arg, help) {name, opt_##handler, arg, help},
#include "frontend/options.def"
#undef OPTION
#undef HEADING
    {NULL, NULL, NULL, NULL}};

/* QEMU options that people will type and that are not built: say so instead of guessing. */
static const struct {
    const char *name, *why;
} option_later[] = {
    {"s", "the gdb stub comes with a later version; -d and the monitor look inside already"},
    {"gdb", "the gdb stub comes with a later version; -d and the monitor look inside already"},
    {"enable-kvm", "KVM comes with a later version; say -accel interp or nothing"},
    {"soundhw", "sound comes with a later version; leave it out"},
    {"audiodev", "sound comes with a later version; leave it out"},
    {"usb", "USB comes with a later version; leave it out"},
    {"loadvm", "snapshot files come with a later version; leave it out"},
    {"incoming", "migration comes with a later version; leave it out"},
    {"vnc", "VNC comes with a later version; say -display sdl, term or none"},
    {"qmp", "QMP comes with a later version; say -monitor unix:PATH,server,nowait"},
    {"daemonize", "it is not built; let the shell do it with &"},
    {"mon", "it is not built; say -monitor chardev:ID"},
    {"global", "it is not built; give the setting to -device"},
    {"curses", "say -display term"},
    {"sdl", "say -display sdl"},
};

static const struct option_def *options_find(const char *name)
{
    for (const struct option_def *d = option_defs; d->name || d->help; d++) {
        if (d->name && strcmp(d->name, name) == 0) {
            return d;
        }
    }
    return NULL;
}

static const char *options_name(void *ctx, unsigned i)
{
    (void)ctx;
    for (const struct option_def *d = option_defs; d->name || d->help; d++) {
        if (d->name && i-- == 0) {
            return d->name;
        }
    }
    return NULL;
}

char *options_dup(struct options *o, const char *s)
{
    char *copy = strdup(s);
    void **grown = realloc(o->owned, (o->owned_count + 1) * sizeof *grown);
    if (!copy || !grown) {
        fputs("vitrine: out of memory\n", stderr);
        exit(1);
    }
    o->owned = grown;
    o->owned[o->owned_count++] = copy;
    return copy;
}

void options_free(struct options *o)
{
    for (unsigned i = 0; i < o->owned_count; i++) {
        free(o->owned[i]);
    }
    free(o->owned);
    memset(o, 0, sizeof *o);
}

static bool options_unknown(const char *arg, const char *name, struct err *err)
{
    for (unsigned i = 0; i < sizeof option_later / sizeof option_later[0]; i++) {
        if (strcmp(option_later[i].name, name) == 0) {
            return err_set(err, EINVAL, "-%s: %s", name, option_later[i].why);
        }
    }
    const char *near = suggest_nearest(name, options_name, NULL);
    if (near) {
        return err_set(err, EINVAL, "unknown option %.60s, did you mean -%s?", arg, near);
    }
    const char *eq = strchr(name, '=');
    if (eq && eq - name < 20) {
        char word[24];
        snprintf(word, sizeof word, "%.*s", (int)(eq - name), name);
        if (options_find(word)) {
            return err_set(err, EINVAL, "unknown option %.60s, did you mean -%s %.60s?", arg, word,
                           eq + 1);
        }
    }
    return err_set(err, EINVAL, "unknown option %.60s; vitrine -help lists them all", arg);
}

bool options_parse(struct options *o, int argc, char *const *argv, struct err *err)
{
    memset(o, 0, sizeof *o);
    o->ram_size = OPT_RAM_DEFAULT;
    o->icount_shift = 3;
    o->layout = "us";
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (arg[0] != '-' || arg[1] == 0) {
            if (o->file) {
                return err_set(err, EINVAL,
                               "two files, \"%.60s\" and \"%.60s\": give the second one to -cdrom, "
                               "-hda or -drive",
                               o->file, arg);
            }
            if (arg[0] == 0 || arg[0] == '-') {
                return err_set(err, EINVAL, "\"%s\" is not a file name; vitrine FILE boots FILE",
                               arg);
            }
            o->file = arg;
            continue;
        }
        const char *name = arg + 1 + (arg[1] == '-');
        const struct option_def *d = options_find(name);
        if (strcmp(name, "help=md") == 0) {
            o->action = OPT_HELP_MD;
            return true;
        }
        if (!d) {
            return options_unknown(arg, name, err);
        }
        const char *val = NULL;
        if (strcmp(d->name, "icount") == 0) {
            /* QEMU insists on an argument; here it may be left out */
            if (i + 1 < argc && (strncmp(argv[i + 1], "shift=", 6) == 0 ||
                                 (argv[i + 1][0] >= '0' && argv[i + 1][0] <= '9' &&
                                  strlen(argv[i + 1]) <= 2))) {
                val = argv[++i];
            }
        } else if (d->arg) {
            if (i + 1 >= argc) {
                return err_set(err, EINVAL, "-%s needs an argument: -%s %.150s", d->name, d->name,
                               d->arg);
            }
            val = argv[++i];
        }
        char opt[32];
        snprintf(opt, sizeof opt, "-%s", d->name);
        if (!d->set(o, opt, val, err)) {
            return false;
        }
        if (o->action != OPT_RUN) {
            return true;
        }
    }
    if (!opt_finish_drives(o, err) || !opt_finish_chars(o, err) || !opt_finish_nets(o, err)) {
        return false;
    }
    if ((o->initrd || o->append) && !o->kernel && !o->file) {
        return err_set(err, EINVAL, "%s without -kernel: add -kernel FILE",
                       o->initrd ? "-initrd" : "-append");
    }
    return true;
}

void options_help(FILE *out, bool markdown)
{
    if (markdown) {
        fputs("# Options\n\nGenerated by `vitrine -help=md`; the source is "
              "`frontend/options.def`.\n\n`vitrine [FILE] [options]`: FILE is an ISO image, a raw "
              "disk, a floppy or a Linux bzImage, recognized by its content.\n",
              out);
    } else {
        fputs("Usage: vitrine [FILE] [options]\n"
              "FILE is an ISO image, a raw disk, a floppy or a Linux bzImage, recognized by its "
              "content.\n",
              out);
    }
    for (const struct option_def *d = option_defs; d->name || d->help; d++) {
        if (!d->name) {
            fprintf(out, markdown ? "\n## %s\n\n| option | argument | meaning |\n|---|---|---|\n"
                                  : "\n%s:\n",
                    d->help);
        } else if (markdown) {
            fprintf(out, "| `-%s` | ", d->name);
            if (d->arg) {
                fputc('`', out);
                for (const char *p = d->arg; *p; p++) {
                    if (*p == '|') {
                        fputc('\\', out);
                    }
                    fputc(*p, out);
                }
                fputc('`', out);
            }
            fprintf(out, " | %s |\n", d->help);
        } else {
            int n = fprintf(out, "  -%s%s%s", d->name, d->arg ? " " : "", d->arg ? d->arg : "");
            fprintf(out, "%*s%s\n", n < 32 ? 32 - n : 2, "", d->help);
        }
    }
    if (!markdown) {
        fputs("\nWindow keys, each with Ctrl-Alt: G mouse, F full screen, P pause, R reset, D "
              "Ctrl-Alt-Del,\n  S screenshot, A aspect 4:3, 1 to 4 size, Q quit.\n"
              "Terminal keys: Ctrl-A x leaves, Ctrl-A h tells the rest.\n",
              out);
    }
}

const struct opt_chardev *options_chardev(const struct options *o, const char *id)
{
    return opt_char_find((struct options *)o, id);
}
