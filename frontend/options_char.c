/* -serial, -monitor, -debugcon, -chardev: the host ends of serial things. */
#include "frontend/options_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/keyval.h"
#include "frontend/suggest.h"

static const char *const char_kinds[] = {"stdio", "null", "none", "file:", "unix:", "tcp:",
                                         "pty", "mon:stdio", "chardev:", NULL};

struct opt_chardev *opt_char_find(struct options *o, const char *id)
{
    for (unsigned i = 0; i < o->chrs; i++) {
        if (strcmp(o->chr[i].id, id) == 0) {
            return &o->chr[i];
        }
    }
    return NULL;
}

static struct opt_chardev *char_add(struct options *o, const char *opt, struct err *err)
{
    if (o->chrs == OPT_CHARDEVS) {
        err_set(err, EINVAL, "%s: more than %d character devices", opt, OPT_CHARDEVS);
        return NULL;
    }
    struct opt_chardev *c = &o->chr[o->chrs];
    *c = (struct opt_chardev){.opt = options_dup(o, opt), .signal = true};
    snprintf(c->id, sizeof c->id, "#%s%u", opt + 1, o->chrs);
    o->chrs++;
    return c;
}

static bool char_port_ok(const char *opt, const char *port, struct err *err)
{
    uint64_t n;
    if (!parse_uint(port, 65535, &n) || n == 0) {
        return err_set(err, EINVAL, "%s: \"%.40s\" is not a TCP port: 1 to 65535", opt, port);
    }
    return true;
}

/* unix:PATH,server,nowait and tcp:HOST:PORT,server,nowait */
static bool char_socket(struct options *o, struct opt_chardev *c, const char *opt,
                        const char *spec, struct err *err)
{
    static const char *const known[] = {"addr", "server", "wait", "nodelay", "delay", NULL};
    bool unix_sock = strncmp(spec, "unix:", 5) == 0;
    struct keyval kv;
    c->kind = OPT_CHR_SOCKET;
    c->wait = true;
    /* "addr" stands first without a key: the address may hold '=' */
    char *text = options_dup(o, spec + (unix_sock ? 5 : 4));
    char *rest = strchr(text, ',');
    if (rest) {
        *rest++ = 0;
    }
    bool ok = keyval_parse(&kv, opt, rest ? rest : "", NULL, err) &&
              keyval_known(&kv, known, err) && keyval_bool(&kv, "server", &c->server, err) &&
              keyval_bool(&kv, "wait", &c->wait, err);
    keyval_free(&kv);
    if (!ok) {
        return false;
    }
    if (unix_sock) {
        c->path = text;
        if (!text[0]) {
            return err_set(err, EINVAL, "%s %.60s: say unix:PATH,server,nowait", opt, spec);
        }
        return true;
    }
    char *colon = strrchr(text, ':');
    if (!colon) {
        return err_set(err, EINVAL, "%s %.60s: say tcp:HOST:PORT or tcp::PORT,server,nowait", opt,
                       spec);
    }
    *colon = 0;
    c->port = colon + 1;
    c->host = text[0] ? text : "127.0.0.1"; /* loopback unless another address is written out */
    return char_port_ok(opt, c->port, err);
}

bool opt_char_spec(struct options *o, const char *opt, const char *spec, char id[OPT_NAME],
                   bool *with_monitor, struct err *err)
{
    id[0] = 0;
    if (with_monitor && strncmp(spec, "mon:", 4) == 0) {
        *with_monitor = true;
        spec += 4;
    }
    if (strcmp(spec, "none") == 0) {
        return true;
    }
    if (strncmp(spec, "chardev:", 8) == 0) {
        if (!spec[8] || strlen(spec + 8) >= OPT_NAME) {
            return err_set(err, EINVAL, "%s %.60s: say chardev:ID with the id= of a -chardev", opt,
                           spec);
        }
        strcpy(id, spec + 8);
        return true;
    }
    struct opt_chardev *c = char_add(o, opt, err);
    if (!c) {
        return false;
    }
    if (strcmp(spec, "null") == 0) {
        c->kind = OPT_CHR_NULL;
    } else if (strcmp(spec, "stdio") == 0) {
        c->kind = OPT_CHR_STDIO;
    } else if (strcmp(spec, "pty") == 0) {
        c->kind = OPT_CHR_PTY;
    } else if (strncmp(spec, "file:", 5) == 0 && spec[5]) {
        c->kind = OPT_CHR_FILE;
        c->path = spec + 5;
    } else if (strncmp(spec, "unix:", 5) == 0 || strncmp(spec, "tcp:", 4) == 0) {
        if (!char_socket(o, c, opt, spec, err)) {
            return false;
        }
    } else {
        const char *near = suggest_in(spec, char_kinds);
        return near ? err_set(err, EINVAL, "%s %.60s: did you mean %s %s?", opt, spec, opt, near)
                    : err_set(err, EINVAL, "%s %.60s is not a place: say stdio, null, none, "
                              "file:F, unix:P, tcp:H:P, pty, mon:stdio or chardev:ID", opt, spec);
    }
    c->mux = with_monitor && *with_monitor;
    snprintf(id, OPT_NAME, "%s", c->id);
    return true;
}

bool opt_serial(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (o->serials == OPT_SERIALS) {
        return err_set(err, EINVAL, "-serial: at most %d serial ports", OPT_SERIALS);
    }
    struct opt_port *p = &o->serial[o->serials++];
    bool mon = false;
    o->serial_given = true;
    if (!opt_char_spec(o, opt, arg, p->chr, &mon, err)) {
        return false;
    }
    if (mon) {
        if (o->monitor_given) {
            return err_set(err, EINVAL, "-serial %.60s and -monitor: there is one monitor", arg);
        }
        strcpy(o->monitor, p->chr);
        o->monitor_given = true;
    }
    p->present = strcmp(arg, "none") != 0; /* the number stays reserved */
    return true;
}

bool opt_monitor(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (o->monitor_given && o->monitor[0]) {
        return err_set(err, EINVAL, "-monitor %.60s: there is one monitor and it has a place "
                       "already", arg);
    }
    o->monitor_given = true;
    return opt_char_spec(o, opt, arg, o->monitor, NULL, err);
}

bool opt_debugcon(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (o->debugcons == OPT_DEBUGCONS) {
        return err_set(err, EINVAL, "-debugcon: at most %d debug consoles", OPT_DEBUGCONS);
    }
    struct opt_port *p = &o->debugcon[o->debugcons++];
    p->iobase = 0xe9;
    p->present = true;
    return opt_char_spec(o, opt, arg, p->chr, NULL, err);
}

bool opt_chardev(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"backend", "id", "path", "host", "port", "server", "wait",
                                        "mux", "append", "signal", "nodelay", "delay", "telnet",
                                        "logfile", NULL};
    static const char *const kinds[] = {"null", "stdio", "file", "socket", "pty", NULL};
    struct keyval kv = {0};
    struct opt_chardev *c = char_add(o, opt, err);
    if (!c) {
        return false;
    }
    c->wait = true;
    bool ok = keyval_parse(&kv, opt, arg, "backend", err) && keyval_known(&kv, known, err) &&
              keyval_bool(&kv, "server", &c->server, err) &&
              keyval_bool(&kv, "wait", &c->wait, err) && keyval_bool(&kv, "mux", &c->mux, err) &&
              keyval_bool(&kv, "append", &c->append, err) &&
              keyval_bool(&kv, "signal", &c->signal, err);
    const char *kind = ok ? keyval_get(&kv, "backend") : NULL;
    const char *id = ok ? keyval_get(&kv, "id") : NULL;
    const char *path = ok ? keyval_get(&kv, "path") : NULL;
    const char *port = ok ? keyval_get(&kv, "port") : NULL;
    const char *host = ok ? keyval_get(&kv, "host") : NULL;
    unsigned k = 0;
    while (kind && kinds[k] && strcmp(kinds[k], kind) != 0) {
        k++;
    }
    if (!ok) {
    } else if (!kind || !kinds[k]) {
        const char *near = kind ? suggest_in(kind, kinds) : NULL;
        ok = near ? err_set(err, EINVAL, "-chardev %.40s: did you mean -chardev %s,id=ID?", kind,
                            near)
                  : err_set(err, EINVAL, "-chardev %.40s is not built: say null, stdio, file, "
                            "socket or pty", kind ? kind : arg);
    } else if (!id || !*id || strlen(id) >= OPT_NAME) {
        ok = err_set(err, EINVAL, "-chardev %s needs a short id: -chardev %s,id=ID", kind, kind);
    } else if (opt_char_find(o, id)) {
        ok = err_set(err, EINVAL, "-chardev id=%s is used twice", id);
    } else if (keyval_get(&kv, "telnet") && strcmp(keyval_get(&kv, "telnet"), "off") != 0) {
        ok = err_set(err, EINVAL, "-chardev telnet=on is not built: leave it out and use nc");
    } else if (keyval_get(&kv, "logfile")) {
        ok = err_set(err, EINVAL, "-chardev logfile is not built: use -chardev file");
    } else {
        strcpy(c->id, id);
        c->kind = (enum opt_chr_kind[]){OPT_CHR_NULL, OPT_CHR_STDIO, OPT_CHR_FILE, OPT_CHR_SOCKET,
                                        OPT_CHR_PTY}[k];
        c->path = path ? options_dup(o, path) : NULL;
        c->port = port ? options_dup(o, port) : NULL;
        c->host = host && *host ? options_dup(o, host) : "127.0.0.1";
        if (c->kind == OPT_CHR_FILE && !path) {
            ok = err_set(err, EINVAL, "-chardev file needs path=FILE");
        } else if (c->kind == OPT_CHR_SOCKET && !path == !port) {
            ok = err_set(err, EINVAL, "-chardev socket needs path=PATH or host=H,port=P");
        } else if (port) {
            ok = char_port_ok("-chardev", port, err);
        }
    }
    keyval_free(&kv);
    return ok;
}

static bool char_use(struct options *o, const char *id, const char *who, unsigned uses[],
                     struct err *err)
{
    struct opt_chardev *c = opt_char_find(o, id);
    if (!c) {
        return err_set(err, EINVAL, "%s: there is no -chardev with id=%s", who, id);
    }
    unsigned *n = &uses[c - o->chr];
    if (++*n > 1 && !c->mux) {
        return err_set(err, EINVAL, "%s: the character device %s is in use already; mux=on (or "
                       "mon:stdio) lets several share it", who, c->id[0] == '#' ? "stdio" : c->id);
    }
    return true;
}

/* Who gets the terminal when -nographic leaves it open (qemu(1), -nographic). */
static bool char_nographic(struct options *o, struct err *err)
{
    struct opt_chardev *tty = NULL;
    for (unsigned i = 0; i < o->chrs; i++) {
        tty = o->chr[i].kind == OPT_CHR_STDIO ? &o->chr[i] : tty;
    }
    if (!o->serial_given && !o->nodefaults) {
        if (!tty && !(tty = char_add(o, "-nographic", err))) {
            return false;
        }
        tty->kind = OPT_CHR_STDIO;
        if (o->serials < OPT_SERIALS) {
            for (unsigned i = o->serials; i > 0; i--) {
                o->serial[i] = o->serial[i - 1]; /* ports of -device come after */
            }
            o->serials++;
            o->serial[0] = (struct opt_port){.present = true};
            strcpy(o->serial[0].chr, tty->id);
        }
    }
    if (!o->monitor_given && !o->nodefaults) {
        if (!tty && !(tty = char_add(o, "-nographic", err))) {
            return false;
        }
        tty->kind = OPT_CHR_STDIO;
        strcpy(o->monitor, tty->id);
        o->monitor_given = true;
    }
    if (tty) {
        tty->mux = true;
        tty->signal = false; /* Ctrl-C belongs to the guest, as in QEMU */
    }
    return true;
}

bool opt_finish_chars(struct options *o, struct err *err)
{
    unsigned uses[OPT_CHARDEVS] = {0};
    if (o->nographic && !char_nographic(o, err)) {
        return false;
    }
    if (!o->serials && !o->serial_given && !o->nodefaults) {
        o->serials = 1; /* a port that is connected to nothing */
        o->serial[0] = (struct opt_port){.present = true};
    }
    for (unsigned i = 0; i < o->serials; i++) {
        if (o->serial[i].chr[0] && !char_use(o, o->serial[i].chr, "-serial", uses, err)) {
            return false;
        }
    }
    for (unsigned i = 0; i < o->debugcons; i++) {
        if (o->debugcon[i].chr[0] && !char_use(o, o->debugcon[i].chr, "-debugcon", uses, err)) {
            return false;
        }
    }
    for (unsigned i = 0; i < o->parallels; i++) {
        if (o->parallel[i].chr[0] && !char_use(o, o->parallel[i].chr, "-parallel", uses, err)) {
            return false;
        }
    }
    if (o->monitor[0] && !char_use(o, o->monitor, "-monitor", uses, err)) {
        return false;
    }
    struct opt_chardev *tty = NULL;
    for (unsigned i = 0; i < o->chrs; i++) {
        if (o->chr[i].kind == OPT_CHR_STDIO && uses[i]) {
            if (tty) {
                return err_set(err, EINVAL, "%s and %s both want this terminal: say -serial "
                               "mon:stdio, or -chardev stdio,id=ID,mux=on for both", tty->opt,
                               o->chr[i].opt);
            }
            tty = &o->chr[i];
            tty->signal = tty->signal && !tty->mux;
        }
    }
    if (tty && o->ui == OPT_UI_TERM) {
        return err_set(err, EINVAL, "%s and -display term both want this terminal: say -display "
                       "none or sdl, or %s pty", tty->opt, tty->opt);
    }
    if (o->nographic) {
        if (o->ui == OPT_UI_SDL || o->ui == OPT_UI_TERM) {
            return err_set(err, EINVAL, "-nographic and -display contradict each other: say "
                           "-serial mon:stdio for a window with a serial terminal");
        }
        o->ui = OPT_UI_NONE;
    }
    return true;
}
