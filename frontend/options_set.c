/* Handlers of the simple options. */
#include "frontend/options_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frontend/keyval.h"
#include "frontend/suggest.h"
#include "frontend/trace/dlog.h"
#include "frontend/ui/keymap.h"

#define FLAG(handler, statement)                                                                   \
    bool opt_##handler(struct options *o, const char *opt, const char *arg, struct err *err)       \
    {                                                                                              \
        (void)opt, (void)arg, (void)err;                                                           \
        statement;                                                                                 \
        return true;                                                                               \
    }

FLAG(snapshot, o->snapshot = true)
FLAG(kernel, o->kernel = arg)
FLAG(initrd, o->initrd = arg)
FLAG(append, o->append = arg)
FLAG(bios, o->bios = arg)
FLAG(nodefaults, o->nodefaults = true)
FLAG(nographic, o->nographic = true)
FLAG(fullscreen, o->fullscreen = true)
FLAG(freeze, o->freeze = true)
FLAG(no_reboot, o->no_reboot = true)
FLAG(no_shutdown, o->no_shutdown = true)
FLAG(log_file, o->log_file = arg)
FLAG(version, o->action = OPT_VERSION)
FLAG(help, o->action = OPT_HELP)

static bool opt_show(struct options *o, const char *text)
{
    o->action = OPT_TEXT;
    o->text = text;
    return true;
}

bool opt_memory(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"size", NULL};
    struct keyval kv;
    uint64_t size = 0;
    bool ok = keyval_parse(&kv, opt, arg, "size", err) && keyval_known(&kv, known, err);
    const char *text = ok ? keyval_get(&kv, "size") : NULL;
    if (ok && (!text || !parse_size(text, 1ull << 20, &size))) {
        ok = err_set(err, EINVAL, "-m %.40s is not a size: say -m 512M or -m 2G", arg);
    } else if (ok && size > OPT_RAM_MAX) {
        ok = err_set(err, EINVAL, "-m %.40s is more memory than this machine can have: at most "
                     "-m 60G", arg);
    } else if (ok && size < OPT_RAM_MIN) {
        ok = err_set(err, EINVAL, "-m %.40s is less memory than a PC needs: at least -m 1M", arg);
    }
    o->ram_size = size & ~4095ull;
    keyval_free(&kv);
    return ok;
}

bool opt_machine(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"type", "accel", "usb", "vmport", "acpi", "hpet", NULL};
    if (strcmp(arg, "help") == 0) {
        return opt_show(o, "pc    i440FX + PIIX3, 1 to 8 processors (the only one, and the "
                           "default)\n");
    }
    struct keyval kv;
    bool acpi = !o->no_acpi, hpet = !o->no_hpet;
    bool ok = keyval_parse(&kv, opt, arg, "type", err) && keyval_known(&kv, known, err) &&
              keyval_bool(&kv, "acpi", &acpi, err) && keyval_bool(&kv, "hpet", &hpet, err);
    o->no_acpi = !acpi;
    o->no_hpet = !hpet;
    const char *type = ok ? keyval_get(&kv, "type") : NULL;
    const char *accel = ok ? keyval_get(&kv, "accel") : NULL;
    if (type && strcmp(type, "pc") != 0 && strncmp(type, "pc-i440fx", 9) != 0) {
        ok = err_set(err, EINVAL, "%s: there is no machine \"%.60s\": say %s pc", opt, type, opt);
    }
    if (ok && accel) {
        ok = opt_accel(o, opt, accel, err);
    }
    keyval_free(&kv);
    return ok;
}

bool opt_accel(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (strcmp(arg, "help") == 0) {
        return opt_show(o, "interp    the block interpreter\n");
    }
    if (strcmp(arg, "interp") == 0) {
        return true;
    }
    if (strcmp(arg, "kvm") == 0 || strcmp(arg, "jit") == 0) {
        return err_set(err, EINVAL, "%s: %s comes with a later version: say -accel interp", opt,
                       arg);
    }
    return err_set(err, EINVAL, "%s: there is no accelerator \"%.60s\": say -accel interp", opt,
                   arg);
}

bool opt_cpu(struct options *o, const char *opt, const char *arg, struct err *err)
{
    (void)opt;
    if (strcmp(arg, "help") == 0 || strcmp(arg, "?") == 0) {
        o->action = OPT_CPU_HELP;
        return true;
    }
    /* MODEL,+a,-b,c=on,d=off -> "+a,-b,+c,-d" */
    char *copy = options_dup(o, arg), *flags = options_dup(o, arg), *save = NULL;
    char *word = strtok_r(copy, ",", &save);
    if (!word) {
        return err_set(err, EINVAL, "-cpu \"%s\" names no model; -cpu help lists them", arg);
    }
    o->cpu_model = word;
    *flags = 0;
    while ((word = strtok_r(NULL, ",", &save))) {
        char *eq = strchr(word, '=');
        bool on = word[0] != '-';
        size_t used = strlen(flags);
        if (strncmp(word, "vendor=", 7) == 0) {
            snprintf(flags + used, strlen(arg) + 1 - used, "%s%s", used ? "," : "", word);
            continue;
        }
        if (eq) {
            *eq = 0;
            if (!parse_bool(eq + 1, &on)) {
                return err_set(err, EINVAL, "-cpu: %.40s=%.40s must be %.40s=on or =off", word,
                               eq + 1, word);
            }
        } else if (word[0] != '+' && word[0] != '-') {
            return err_set(err, EINVAL, "-cpu: say +%.60s or -%.60s", word, word);
        } else {
            word++;
        }
        snprintf(flags + used, strlen(arg) + 1 - used, "%s%c%s", used ? "," : "", on ? '+' : '-',
                 word);
    }
    o->cpu_flags = *flags ? flags : NULL;
    return true;
}

bool opt_icount(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"shift", "sleep", NULL};
    o->icount = true;
    if (!arg) {
        return true;
    }
    struct keyval kv;
    uint64_t shift = o->icount_shift;
    bool ok = keyval_parse(&kv, opt, arg, "shift", err) && keyval_known(&kv, known, err);
    const char *text = ok ? keyval_get(&kv, "shift") : NULL;
    if (text && strcmp(text, "auto") != 0 && !parse_uint(text, 10, &shift)) {
        ok = err_set(err, EINVAL, "-icount shift=%.40s must be 0 to 10 (an instruction takes "
                     "2^shift ns): say -icount shift=3", text);
    }
    o->icount_shift = (unsigned)shift;
    keyval_free(&kv);
    return ok;
}

bool opt_rtc(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"base", "clock", "driftfix", NULL};
    struct keyval kv;
    bool ok = keyval_parse(&kv, opt, arg, "base", err) && keyval_known(&kv, known, err);
    const char *base = ok ? keyval_get(&kv, "base") : NULL;
    if (ok && base) {
        struct tm tm = {0};
        char *end = strptime(base, "%Y-%m-%d", &tm);
        if (end && *end == 'T') {
            end = strptime(end + 1, "%H:%M:%S", &tm);
        }
        if (strcmp(base, "utc") == 0) {
            o->rtc = OPT_RTC_UTC;
        } else if (strcmp(base, "localtime") == 0) {
            o->rtc = OPT_RTC_LOCAL;
        } else if (end && *end == 0) {
            o->rtc = OPT_RTC_DATE;
            o->rtc_date = timegm(&tm);
            if (o->rtc_date < 0) {
                ok = err_set(err, EINVAL, "-rtc base=%.40s is before 1970-01-01", base);
            }
        } else {
            ok = err_set(err, EINVAL, "-rtc base=%.40s is not a date: say base=utc, "
                         "base=localtime or base=2026-01-31T23:59:00", base);
        }
    }
    keyval_free(&kv);
    return ok;
}

bool opt_seed(struct options *o, const char *opt, const char *arg, struct err *err)
{
    char *end;
    errno = 0;
    o->seed = strtoull(arg, &end, 0);
    o->has_seed = true;
    if (end == arg || *end || *arg == '-' || errno) {
        return err_set(err, EINVAL, "%s %.40s: not a number; say %s 42", opt, arg, opt);
    }
    return true;
}

bool opt_libdir(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (o->libdirs == OPT_LIBDIRS) {
        return err_set(err, EINVAL, "%s: more than %d folders", opt, OPT_LIBDIRS);
    }
    o->libdir[o->libdirs++] = arg;
    return true;
}

bool opt_vga(struct options *o, const char *opt, const char *arg, struct err *err)
{
    (void)opt;
    if (strcmp(arg, "std") != 0 && strcmp(arg, "none") != 0) {
        return err_set(err, EINVAL, "-vga %.60s is not built: say -vga std or -vga none", arg);
    }
    o->vga_given = true;
    o->no_vga = arg[0] == 'n';
    return true;
}

bool opt_name(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"guest", "process", "debug-threads", NULL};
    struct keyval kv;
    bool ok = keyval_parse(&kv, opt, arg, "guest", err) && keyval_known(&kv, known, err);
    const char *guest = ok ? keyval_get(&kv, "guest") : NULL;
    if (guest) {
        o->name = options_dup(o, guest);
    }
    keyval_free(&kv);
    return ok;
}

static bool opt_boot_letters(const char *key, const char *text, char out[8], struct err *err)
{
    size_t len = strlen(text);
    if (len == 0 || len > 7 || strspn(text, "abcdn") != len) {
        return err_set(err, EINVAL, "-boot %s=%.40s must be letters of a (floppy), c (disk), d "
                       "(CD), n (network): say -boot %s=dc", key, text, key);
    }
    memset(out, 0, 8);
    memcpy(out, text, len);
    return true;
}

bool opt_boot(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"order", "once", "menu", "splash-time", "strict",
                                        "reboot-timeout", NULL};
    struct keyval kv;
    uint64_t ms = o->boot_menu_ms, retry = o->boot_retry_ms;
    const char *timeout;
    bool ok = keyval_parse(&kv, opt, arg, "order", err) && keyval_known(&kv, known, err) &&
              keyval_bool(&kv, "menu", &o->boot_menu, err) &&
              keyval_bool(&kv, "strict", &o->boot_strict, err) &&
              keyval_uint(&kv, "splash-time", 65535, &ms, err);
    timeout = ok ? keyval_get(&kv, "reboot-timeout") : NULL;
    if (timeout && strcmp(timeout, "-1") == 0) {
        retry = 0; /* never, as if nothing were said */
    } else if (timeout) {
        ok = keyval_uint(&kv, "reboot-timeout", 65535, &retry, err);
        retry = retry ? retry : 1; /* at once */
    }
    o->boot_retry_ms = (uint32_t)retry;
    if (ok && keyval_get(&kv, "order")) {
        ok = opt_boot_letters("order", keyval_get(&kv, "order"), o->boot_order, err);
        o->boot_given = true;
    }
    if (ok && keyval_get(&kv, "once")) {
        ok = opt_boot_letters("once", keyval_get(&kv, "once"), o->boot_once, err);
        o->boot_given = true;
    }
    o->boot_menu_ms = (uint32_t)ms;
    keyval_free(&kv);
    return ok;
}

bool opt_display(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"type", "aspect", "full-screen", NULL};
    static const char *const types[] = {"sdl", "term", "none", "curses", NULL};
    if (strcmp(arg, "help") == 0) {
        return opt_show(o, "sdl     a window (settings: aspect=on, full-screen=on)\n"
                           "term    the screen in this terminal\nnone    nowhere\n");
    }
    struct keyval kv;
    bool ok = keyval_parse(&kv, opt, arg, "type", err) && keyval_known(&kv, known, err) &&
              keyval_bool(&kv, "aspect", &o->aspect, err) &&
              keyval_bool(&kv, "full-screen", &o->fullscreen, err);
    const char *type = ok ? keyval_get(&kv, "type") : NULL;
    if (!ok) {
    } else if (!type) {
        ok = err_set(err, EINVAL, "-display %.60s names no display: say -display sdl, term or none",
                     arg);
    } else if (strcmp(type, "sdl") == 0) {
        o->ui = OPT_UI_SDL;
    } else if (strcmp(type, "term") == 0 || strcmp(type, "curses") == 0) {
        o->ui = OPT_UI_TERM;
    } else if (strcmp(type, "none") == 0) {
        o->ui = OPT_UI_NONE;
    } else {
        const char *near = suggest_in(type, types);
        ok = near ? err_set(err, EINVAL, "-display %.60s: did you mean -display %s?", type, near)
                  : err_set(err, EINVAL, "-display %.60s is not built: say -display sdl, term or "
                            "none", type);
    }
    keyval_free(&kv);
    return ok;
}

bool opt_layout(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (strcmp(arg, "help") == 0) {
        return opt_show(o, "us, uk (en-gb), de, fr, es, it, sv\n");
    }
    if (!keymap_layout(arg)) {
        return err_set(err, EINVAL, "%s: there is no layout \"%.40s\": say -k us, uk, de, fr, es, "
                       "it or sv", opt, arg);
    }
    o->layout = arg;
    return true;
}

bool opt_triple_fault(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (strcmp(arg, "stop") != 0 && strcmp(arg, "reset") != 0) {
        return err_set(err, EINVAL, "%s %.60s: say %s stop or %s reset", opt, arg, opt, opt);
    }
    o->triple_reset = arg[0] == 'r';
    return true;
}

bool opt_input_script(struct options *o, const char *opt, const char *arg, struct err *err)
{
    (void)opt, (void)err;
    if (strcmp(arg, "help") == 0) {
        return opt_show(
            o, "Each line: TIME action.  TIME is ms of virtual time since power-on, or +ms after "
               "the line before.\n"
               "  5000 sendkey ctrl-alt-delete    press keys together, as the monitor does\n"
               "  5000 type ls -l\\n               type text in the layout of -k (\\n Enter, \\t "
               "Tab, \\e Esc, \\\\)\n"
               "  5000 wait TEXT                  go on when TEXT is on the text screen\n"
               "  5000 hash                       print the hash of the whole machine\n"
               "  5000 screendump FILE            write the screen as PNG (or .ppm)\n"
               "  5000 text FILE                  write the text screen\n"
               "  5000 system_reset | system_powerdown | nmi\n"
               "  5000 quit                       leave, exit status 0\n"
               "# begins a comment.\n");
    }
    o->input_script = arg;
    return true;
}

bool opt_log_items(struct options *o, const char *opt, const char *arg, struct err *err)
{
    (void)opt;
    if (strcmp(arg, "help") == 0) {
        return opt_show(o, dlog_help());
    }
    return dlog_parse_items(arg, &o->log_items, err);
}

bool opt_log_filter(struct options *o, const char *opt, const char *arg, struct err *err)
{
    (void)opt;
    struct dlog_range ranges[DLOG_RANGES];
    unsigned count = 0;
    o->log_filter = arg;
    return dlog_parse_filter(arg, ranges, &count, err);
}
