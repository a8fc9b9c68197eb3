/* One run of Vitrine, in order: command line, files, machine, character devices, threads, face;
 * and back.
 * NOT IMPLEMENTED: two machines in one process from here (the rooms below can). */
#include "frontend/app.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "frontend/app_int.h"
#include "frontend/char/tty.h"
#include "frontend/monitor/edit.h"
#include "frontend/runner.h"
#include "frontend/script.h"
#include "frontend/trace/dlog.h"
#include "frontend/trace/fault_report.h"
#include "frontend/ui/keymap.h"
#include "frontend/ui/ui.h"
#include "frontend/version.h"
#include "machine/debug.h"

enum { APP_SAID_MAX = 65536 };

/* ---- messages --------------------------------------------------------------------------- */

void app_say(struct app *a, const char *text)
{
    pthread_mutex_lock(&a->said_lock);
    if (!__atomic_load_n(&a->screen_on, __ATOMIC_ACQUIRE) || !isatty(STDERR_FILENO)) {
        fputs(text, stderr);
        fflush(stderr);
    } else {
        size_t len = strlen(text);
        char *grown = a->said_len + len < APP_SAID_MAX ? realloc(a->said, a->said_len + len + 1)
                                                       : NULL;
        if (grown) {
            memcpy(grown + a->said_len, text, len + 1);
            a->said = grown;
            a->said_len += len;
        }
    }
    pthread_mutex_unlock(&a->said_lock);
}

static void app_screen_off(struct app *a)
{
    tty_restore();
    __atomic_store_n(&a->screen_on, false, __ATOMIC_RELEASE);
    if (a->said) {
        fputs(a->said, stderr);
        free(a->said);
        a->said = NULL;
        a->said_len = 0;
    }
}

static void app_log(void *ctx, enum log_class cls, const char *line)
{
    struct app *a = ctx;
    char text[512];
    if (a->dlog && cls != LOG_HOST) {
        dlog_line(a->dlog, line);
        return;
    }
    snprintf(text, sizeof text, "vitrine: %s\n", line);
    app_say(a, text);
}

static void app_face_says(void *ctx, const char *line)
{
    char text[512];
    snprintf(text, sizeof text, "vitrine: %s\n", line);
    app_say(ctx, text);
}

/* ---- what the runner tells -------------------------------------------------------------- */

static void app_stopped(void *ctx, const char *why)
{
    struct app *a = ctx;
    char text[200];
    snprintf(text, sizeof text, "vitrine: stopped: %s\n", why);
    app_say(a, text);
}

static void app_fault(void *ctx, struct machine *m, bool triple)
{
    struct app *a = ctx;
    char *text = fault_report(m, triple);
    dlog_flush(a->dlog);
    app_say(ctx, text ? text : "vitrine: the machine stopped by a fault\n");
    free(text);
}

static void app_finished(void *ctx)
{
    struct app *a = ctx;
    uint64_t one = 1;
    if (write(a->done_fd, &one, sizeof one) < 0) {
        return;
    }
}

/* ---- signals ---------------------------------------------------------------------------- */

static void app_signal_set(sigset_t *set)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(set);
    for (unsigned i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        struct sigaction old;
        if (sigaction(ours[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            sigaddset(set, ours[i]); /* under nohup SIGHUP stays ignored */
        }
    }
    sigaddset(set, SIGUSR1); /* ends the thread */
}

static void *app_signals(void *arg)
{
    struct app *a = arg;
    sigset_t set;
    int sig;
    app_signal_set(&set);
    while (sigwait(&set, &sig) == 0 && sig != SIGUSR1) {
        __atomic_store_n(&a->signal_taken, sig, __ATOMIC_RELEASE);
        runner_quit(a->runner, 0);
    }
    return NULL;
}

static bool app_signals_start(struct app *a, struct err *err)
{
    sigset_t set;
    app_signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* every thread made from now on inherits this */
    int rc = pthread_create(&a->signal_thread, NULL, app_signals, a);
    a->signal_running = rc == 0;
    return rc == 0 || err_set(err, rc, "signals: no thread: %s", strerror(rc));
}

/* ---- the faces -------------------------------------------------------------------------- */

static bool app_uses_stdio(const struct app *a)
{
    for (unsigned i = 0; i < OPT_CHARDEVS; i++) {
        if (a->ports[i] && a->ports[i]->in_fd == STDIN_FILENO) {
            return true;
        }
    }
    return a->monitor_edit;
}

static bool app_show(struct app *a, struct err *err)
{
    struct options *o = &a->opts;
    struct ui ui = {.runner = a->runner, .title = a->title, .layout = keymap_layout(o->layout),
                    .drives = a->drives, .drive_count = APP_DRIVES, .fullscreen = o->fullscreen,
                    .aspect = o->aspect, .done_fd = a->done_fd, .say = app_face_says, .ctx = a};
    enum opt_ui kind = o->no_vga && o->ui == OPT_UI_AUTO ? OPT_UI_NONE : o->ui;
    bool automatic = kind == OPT_UI_AUTO;
    bool tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !app_uses_stdio(a);
    if (automatic) {
        const char *x = getenv("DISPLAY"), *w = getenv("WAYLAND_DISPLAY");
        bool window = ui_sdl_built() && ((x && *x) || (w && *w));
        kind = window ? OPT_UI_SDL : tty ? OPT_UI_TERM : OPT_UI_NONE;
    }
    if (kind == OPT_UI_SDL) {
        if (ui_sdl_run(&ui, err)) {
            return true;
        }
        if (!automatic) {
            return false;
        }
        *err = (struct err){0};
        kind = tty ? OPT_UI_TERM : OPT_UI_NONE;
    }
    if (kind == OPT_UI_TERM) {
        if (!tty) {
            return err_set(err, EINVAL, "-display term: %s; say -display none or -nographic",
                           app_uses_stdio(a) ? "the terminal is used by a serial port or monitor"
                                             : "standard input and output are no terminal");
        }
        __atomic_store_n(&a->screen_on, true, __ATOMIC_RELEASE);
        bool ok = ui_term_run(&ui, err);
        app_screen_off(a);
        return ok;
    }
    if (automatic && !o->no_vga && !app_uses_stdio(a)) {
        app_say(a, "vitrine: no display and no terminal: running without a screen (-nographic "
                   "shows the serial port)\n");
    }
    return ui_none_run(&ui);
}

/* ---- life ------------------------------------------------------------------------------- */

static bool app_make(struct app *a, struct err *err)
{
    struct options *o = &a->opts;
    if (!app_recognize(a, err) || !app_load_files(a, err)) {
        return false;
    }
    if (o->input_script &&
        !(a->script = script_open(o->input_script, keymap_layout(o->layout), err))) {
        return false;
    }
    if (!app_open_drives(a, err) || !app_config(a, err)) {
        return false;
    }
    if (!(a->machine = machine_create(&a->cfg, err))) {
        return false;
    }
    if (o->log_items &&
        !(a->dlog = dlog_open(a->machine, o->log_items, o->log_filter, o->log_file, err))) {
        return false;
    }
    struct runner_config rc = {.freeze = o->freeze, .no_reboot = o->no_reboot,
                               .no_shutdown = o->no_shutdown, .triple_reset = o->triple_reset,
                               .script = a->script, .stopped = app_stopped, .fault = app_fault,
                               .finished = app_finished, .tick = app_tick, .ctx = a};
    if (!(a->runner = runner_create(a->machine, &rc, err)) ||
        !(a->loop = char_loop_create(err))) {
        return false;
    }
    a->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Signals still end the process at once while an opener waits for its client. */
    if (!app_open_nets(a, err) || !app_open_chars(a, err) || !app_signals_start(a, err)) {
        return false;
    }
    if (a->monitor_edit && !(a->edit = edit_start(&a->hmp, err))) {
        return false;
    }
    return char_loop_start(a->loop, err) && runner_start(a->runner, err);
}

static bool app_unmake(struct app *a)
{
    if (a->runner) {
        runner_quit(a->runner, 1);
        runner_join(a->runner);
    }
    edit_stop(a->edit);
    if (a->loop) {
        app_close_chars(a);
    }
    app_close_nets(a);
    app_screen_off(a);
    dlog_close(a->dlog);
    a->dlog = NULL;
    bool flushed = app_flush_disks(a);
    if (a->signal_running) {
        pthread_kill(a->signal_thread, SIGUSR1);
        pthread_join(a->signal_thread, NULL);
    }
    runner_destroy(a->runner);
    machine_destroy(a->machine);
    for (unsigned i = 0; i < APP_DRIVES; i++) {
        drive_unload(&a->drives[i]);
    }
    script_close(a->script);
    loader_free(&a->bios);
    loader_free(&a->vga_bios);
    app_free_kernel(a);
    for (unsigned i = 0; i < OPT_FW_FILES; i++) {
        loader_free(&a->fw_file[i]);
    }
    for (unsigned i = 0; i < OPT_NICS; i++) {
        loader_free(&a->nic_rom[i]);
    }
    return flushed;
}

static int app_run(struct app *a)
{
    struct err err = {0};
    int status = 1;
    if (app_make(a, &err) && app_show(a, &err)) {
        runner_join(a->runner);
        status = runner_status(a->runner);
    }
    bool flushed = app_unmake(a);
    int sig = __atomic_load_n(&a->signal_taken, __ATOMIC_ACQUIRE);
    if (sig) {
        fprintf(stderr, "vitrine: ended by signal %d (%s), disks flushed\n", sig, strsignal(sig));
    }
    if (err.code) {
        fprintf(stderr, "vitrine: %s\n", err.msg);
        return 1;
    }
    if (!flushed) {
        fprintf(stderr, "vitrine: not all data reached the disk, see above\n");
        return status ? status : 1;
    }
    return status;
}

static int app_inform(const struct options *o)
{
    switch (o->action) {
    case OPT_HELP: options_help(stdout, false); break;
    case OPT_HELP_MD: options_help(stdout, true); break;
    case OPT_VERSION:
        printf("Vitrine %s\nAn x86 PC emulator. Engines: interp. Faces: %sterm, none.\n",
               VITRINE_VERSION, ui_sdl_built() ? "sdl, " : "");
        break;
    case OPT_CPU_HELP: {
        const char *what, *name;
        for (unsigned i = 0; (name = machine_cpu_model(i, &what)); i++) {
            printf("%-12s %s\n", name, what ? what : "");
        }
        break;
    }
    default: fputs(o->text, stdout); break;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

int app_main(int argc, char **argv)
{
    struct err err = {0};
    struct app *a = calloc(1, sizeof *a);
    if (!a) {
        return 1;
    }
    pthread_mutex_init(&a->said_lock, NULL);
    signal(SIGPIPE, SIG_IGN);
    int status = 1;
    if (!options_parse(&a->opts, argc, argv, &err)) {
        fprintf(stderr, "vitrine: %s\n", err.msg);
    } else if (a->opts.action != OPT_RUN) {
        status = app_inform(&a->opts);
    } else {
        log_set_sink(app_log, a);
        status = app_run(a);
        log_set_sink(NULL, NULL);
    }
    options_free(&a->opts);
    pthread_mutex_destroy(&a->said_lock);
    free(a);
    return status;
}
