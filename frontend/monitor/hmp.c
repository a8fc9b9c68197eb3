/* The monitor's commands.  Names and forms as in QEMU's (qemu(1), "QEMU Monitor").
 * NOT IMPLEMENTED: breakpoints, snapshots, devices added at run time. */
#include "frontend/monitor/hmp.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/disk/drive.h"
#include "frontend/keyval.h"
#include "frontend/runner.h"
#include "frontend/suggest.h"
#include "frontend/trace/disasm.h"
#include "frontend/ui/keymap.h"
#include "frontend/ui/screenshot.h"
#include "frontend/version.h"
#include "machine/debug.h"

struct hmp_command {
    const char *name, *alias, *args, *help;
    void (*run)(struct hmp *h, char *args);
};
static const struct hmp_command hmp_commands[];

void hmp_printf(struct hmp *h, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0) {
        h->write(h->out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    }
}

static void hmp_print_line(void *ctx, const char *line)
{
    hmp_printf(ctx, "%s\n", line);
}

static char *hmp_word(char **args)
{
    char *p = *args + strspn(*args, " \t");
    size_t n = strcspn(p, " \t");
    *args = p + n;
    if (**args) {
        *(*args)++ = 0;
        *args += strspn(*args, " \t");
    }
    return p;
}

/* ---- looking ----------------------------------------------------------------------------- */

static const char *const hmp_info_own[] = {"status", "block", "network", "usernet",
                                           "version", "name", "speed"};

static const char *hmp_info_name(void *ctx, unsigned i)
{
    struct hmp *h = ctx;
    unsigned own = sizeof hmp_info_own / sizeof hmp_info_own[0];
    return i < own ? hmp_info_own[i] : machine_info_name(runner_machine(h->runner), i - own);
}

static void hmp_info_block(struct hmp *h)
{
    struct machine *m = runner_machine(h->runner);
    for (unsigned i = 0; i < h->drive_count; i++) {
        struct drive *d = &h->drives[i];
        if (!d->present) {
            continue;
        }
        machine_lock(m); /* the devices count in it */
        struct blockdev b = d->blk;
        machine_unlock(m);
        if (!b.ops) {
            hmp_printf(h, "%s: [empty]%s\n", d->id, b.locked ? ", tray locked" : "");
            continue;
        }
        hmp_printf(h, "%s: %s (raw%s%s), %" PRIu64 " sectors of %u bytes%s\n", d->id, d->file,
                   b.read_only ? ", read-only" : "", d->overlay ? ", snapshot" : "", b.sectors,
                   b.sector_size, b.removable && b.locked ? ", tray locked" : "");
        hmp_printf(h, "    %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64 " flushes\n", b.reads,
                   b.writes, b.flushes);
    }
}

/* "info registers -a", "info lapic -a" */
static bool hmp_every_cpu(const char *what, const char *args)
{
    return (strcmp(what, "registers") == 0 || strcmp(what, "lapic") == 0) &&
           strcmp(args, "-a") == 0;
}

static void hmp_info(struct hmp *h, char *args)
{
    struct machine *m = runner_machine(h->runner);
    char *what = hmp_word(&args);
    if (!*what) {
        hmp_printf(h, "info");
        for (unsigned i = 0; hmp_info_name(h, i); i++) {
            hmp_printf(h, " %s", hmp_info_name(h, i));
        }
        hmp_printf(h, "\n");
    } else if (strcmp(what, "status") == 0) {
        const char *why = runner_why_paused(h->runner);
        hmp_printf(h, "VM status: %s%s%s%s\n", why ? "paused" : "running", why ? " (" : "",
                   why ? why : "", why ? ")" : "");
        machine_info(m, h->cpu, what, hmp_print_line, h);
    } else if (strcmp(what, "block") == 0) {
        hmp_info_block(h);
    } else if (strcmp(what, "network") == 0) {
        hmp_info_network(h);
    } else if (strcmp(what, "usernet") == 0) {
        hmp_info_usernet(h);
    } else if (strcmp(what, "version") == 0) {
        hmp_printf(h, "Vitrine %s\n", VITRINE_VERSION);
    } else if (strcmp(what, "name") == 0) {
        hmp_printf(h, "%s\n", h->name ? h->name : "(no name)");
    } else if (strcmp(what, "speed") == 0) {
        hmp_printf(h, "%" PRIu64 " instructions, %" PRIu64 ".%03" PRIu64 " s of virtual time\n",
                   machine_insns(m), (uint64_t)(machine_now(m) / VTIME_SEC),
                   (uint64_t)(machine_now(m) % VTIME_SEC / VTIME_MS));
    } else if (hmp_every_cpu(what, args)) {
        for (unsigned i = 0; i < machine_cpus(m); i++) {
            hmp_printf(h, "CPU#%u\n", i);
            machine_info(m, i, what, hmp_print_line, h);
        }
    } else if (!machine_info(m, h->cpu, what, hmp_print_line, h)) {
        const char *near = suggest_nearest(what, hmp_info_name, h);
        hmp_printf(h, "There is no \"info %s\"%s%s%s.\n", what,
                   near ? "; did you mean \"info " : "; info alone lists what there is",
                   near ? near : "", near ? "\"" : "");
    }
}

static void hmp_cpu(struct hmp *h, char *args)
{
    uint64_t n;
    unsigned last = machine_cpus(runner_machine(h->runner)) - 1;
    char *word = hmp_word(&args);
    if (!*word) {
        hmp_printf(h, "CPU %u of 0 to %u\n", h->cpu, last);
    } else if (!parse_uint(word, last, &n)) {
        hmp_printf(h, "There is no processor %s: say cpu 0%s.\n", word, last ? " to cpu N-1" : "");
    } else {
        h->cpu = (unsigned)n;
    }
}

static void hmp_x(struct hmp *h, char *args)
{
    hmp_examine(h, args, false);
}

static void hmp_xp(struct hmp *h, char *args)
{
    hmp_examine(h, args, true);
}

static void hmp_p(struct hmp *h, char *args)
{
    hmp_print(h, args);
}

static void hmp_screendump(struct hmp *h, char *args)
{
    struct err err = {0};
    char *file = hmp_word(&args);
    if (!*file) {
        hmp_printf(h, "Say screendump FILE.png (or FILE.ppm).\n");
    } else if (!screenshot_save(h->runner, file, &err)) {
        hmp_printf(h, "%s\n", err.msg);
    }
}

static void hmp_hash(struct hmp *h, char *args)
{
    (void)args;
    hmp_printf(h, "hash %016" PRIx64 "\n", machine_hash(runner_machine(h->runner)));
}

/* ---- running ----------------------------------------------------------------------------- */

static void hmp_stop(struct hmp *h, char *args)
{
    (void)args;
    runner_pause(h->runner);
}

static void hmp_cont(struct hmp *h, char *args)
{
    (void)args;
    runner_cont(h->runner);
}

static void hmp_step(struct hmp *h, char *args)
{
    uint64_t n = 1;
    char *word = hmp_word(&args);
    if (*word && (!parse_uint(word, 10000000, &n) || n == 0)) {
        hmp_printf(h, "Say step or step COUNT.\n");
        return;
    }
    if (!runner_paused(h->runner)) {
        runner_pause(h->runner);
    }
    if (!runner_step(h->runner, (unsigned)n)) {
        hmp_printf(h, "The machine is not stopped.\n");
        return;
    }
    h->cpu = machine_turn(runner_machine(h->runner)); /* whose instruction comes next */
    hmp_show_insn(h);
}

static void hmp_reset(struct hmp *h, char *args)
{
    (void)args;
    runner_reset(h->runner);
}

static void hmp_sleep(struct hmp *h, char *args)
{
    (void)args;
    machine_sleep_button(runner_machine(h->runner));
    runner_wake(h->runner);
}

static void hmp_powerdown(struct hmp *h, char *args)
{
    (void)args;
    machine_power_button(runner_machine(h->runner));
    runner_wake(h->runner);
}

static void hmp_nmi(struct hmp *h, char *args)
{
    (void)args;
    machine_nmi(runner_machine(h->runner));
    runner_wake(h->runner);
}

static void hmp_quit(struct hmp *h, char *args)
{
    (void)args;
    runner_quit(h->runner, 0);
}

/* ---- keys and mouse ---------------------------------------------------------------------- */

static const char *hmp_key_name(void *ctx, unsigned i)
{
    (void)ctx;
    return keymap_name_at(i);
}

static void hmp_sendkey(struct hmp *h, char *args)
{
    uint8_t keys[KEYMAP_CHORD];
    char bad[32];
    uint64_t hold = 100;
    char *word = hmp_word(&args), *ms = hmp_word(&args);
    unsigned n = *word ? keymap_chord(word, keys, bad) : 0;
    if (!*word || (*ms && !parse_uint(ms, 60000, &hold))) {
        hmp_printf(h, "Say sendkey ctrl-alt-delete or sendkey KEY HOLD_MS.\n");
    } else if (!n) {
        const char *near = suggest_nearest(bad, hmp_key_name, NULL);
        hmp_printf(h, "Unknown key \"%s\"%s%s%s\n", bad, near ? ", did you mean \"" : ".",
                   near ? near : "", near ? "\"?" : "");
    } else if (!runner_chord(h->runner, keys, n, (unsigned)hold)) {
        hmp_printf(h, "Too many keys wait already.\n");
    }
}

static void hmp_mouse_move(struct hmp *h, char *args)
{
    int v[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        char *word = hmp_word(&args), *end;
        v[i] = (int)strtol(word, &end, 10);
        if ((i < 2 && !*word) || *end || v[i] < -32768 || v[i] > 32767) {
            hmp_printf(h, "Say mouse_move DX DY [WHEEL].\n");
            return;
        }
    }
    runner_pointer(h->runner, v[0], v[1], v[2], 0);
}

static void hmp_mouse_button(struct hmp *h, char *args)
{
    uint64_t v;
    if (!parse_uint(hmp_word(&args), 7, &v)) {
        hmp_printf(h, "Say mouse_button BITS: 1 left, 2 right, 4 middle, 0 none.\n");
        return;
    }
    runner_pointer(h->runner, 0, 0, 0, (uint8_t)v);
}

/* ---- media ------------------------------------------------------------------------------- */

static struct drive *hmp_drive(struct hmp *h, const char *id)
{
    char list[200] = "";
    for (unsigned i = 0; i < h->drive_count; i++) {
        struct drive *d = &h->drives[i];
        if (!d->present || !d->blk.removable) {
            continue;
        }
        if (strcmp(d->id, id) == 0 || (d->cd && strcmp(id, "cdrom") == 0)) {
            return d;
        }
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", d->id);
    }
    hmp_printf(h, "There is no removable drive \"%s\"; there %s %s.\n", id,
               strchr(list, ',') ? "are" : "is", *list ? list : "none");
    return NULL;
}

static void hmp_eject(struct hmp *h, char *args)
{
    bool force = strncmp(args, "-f", 2) == 0;
    if (force) {
        hmp_word(&args);
    }
    struct machine *m = runner_machine(h->runner);
    struct drive *d = hmp_drive(h, hmp_word(&args));
    if (!d) {
        return;
    }
    machine_lock(m);
    if (d->blk.locked && !force) {
        hmp_printf(h, "%s is locked by the guest; eject -f %s takes it out all the same.\n", d->id,
                   d->id);
    } else {
        drive_unload(d);
        machine_media_changed(m, &d->blk);
    }
    machine_unlock(m);
    runner_wake(h->runner);
}

static void hmp_change(struct hmp *h, char *args)
{
    struct err err = {0};
    struct machine *m = runner_machine(h->runner);
    char *id = hmp_word(&args);
    if (!*id || !*args) {
        hmp_printf(h, "Say change ide1-cd0 FILE.\n");
        return;
    }
    struct drive *d = hmp_drive(h, id);
    struct drive_spec spec = {.what = "change", .file = args};
    if (!d) {
        return;
    }
    machine_lock(m);
    if (d->blk.locked) {
        hmp_printf(h, "%s is locked by the guest; eject -f %s first.\n", d->id, d->id);
    } else if (!drive_load(d, &spec, &err)) {
        hmp_printf(h, "%s\n", err.msg);
    } else {
        machine_media_changed(m, &d->blk);
    }
    machine_unlock(m);
    runner_wake(h->runner);
}

/* ---- the table --------------------------------------------------------------------------- */

static void hmp_help(struct hmp *h, char *args)
{
    char *what = hmp_word(&args);
    for (const struct hmp_command *c = hmp_commands; c->name; c++) {
        if (!*what || strcmp(what, c->name) == 0 || (c->alias && strcmp(what, c->alias) == 0)) {
            char left[64];
            snprintf(left, sizeof left, "%s%s%s%s%s", c->name, c->alias ? "|" : "",
                     c->alias ? c->alias : "", *c->args ? " " : "", c->args);
            hmp_printf(h, "%-34s %s\n", left, c->help);
        }
    }
}

static const struct hmp_command hmp_commands[] = {
    {"help", "?", "[COMMAND]", "this list", hmp_help},
    {"info", NULL, "[TABLE]", "a table of the machine; alone: which there are", hmp_info},
    {"cpu", NULL, "N", "look at processor N: registers, x, info lapic (-a: all)", hmp_cpu},
    {"x", NULL, "/FMT ADDRESS", "virtual memory: x/8xw $esp, x/10i $pc", hmp_x},
    {"xp", NULL, "/FMT ADDRESS", "physical memory", hmp_xp},
    {"print", "p", "[/FMT] NUMBER", "calculate: print $eax + 4 * 3", hmp_p},
    {"stop", NULL, "", "stop the machine", hmp_stop},
    {"cont", "c", "", "go on", hmp_cont},
    {"step", "s", "[COUNT]", "execute instructions one by one", hmp_step},
    {"screendump", NULL, "FILE", "write the screen as PNG (or .ppm)", hmp_screendump},
    {"hash", NULL, "", "a number for the whole state of the machine", hmp_hash},
    {"sendkey", NULL, "KEYS [HOLD_MS]", "press keys together: sendkey ctrl-alt-delete",
     hmp_sendkey},
    {"mouse_move", NULL, "DX DY [WHEEL]", "move the mouse", hmp_mouse_move},
    {"mouse_button", NULL, "BITS", "hold mouse buttons: 1 left, 2 right, 4 middle",
     hmp_mouse_button},
    {"eject", NULL, "[-f] DRIVE", "take the medium out", hmp_eject},
    {"change", NULL, "DRIVE FILE", "put another medium in", hmp_change},
    {"hostfwd_add", NULL, "[NETDEV] tcp|udp:[ADDR]:PORT-[ADDR]:PORT",
     "forward a port of the host to the guest", hmp_hostfwd_add},
    {"hostfwd_remove", NULL, "[NETDEV] tcp|udp:[ADDR]:PORT", "no longer", hmp_hostfwd_remove},
    {"set_link", NULL, "NAME on|off", "pull the network cable, put it back", hmp_set_link},
    {"system_reset", NULL, "", "press the reset button", hmp_reset},
    {"system_powerdown", NULL, "", "press the power button", hmp_powerdown},
    {"system_sleep", NULL, "", "press the sleep button", hmp_sleep},
    {"nmi", NULL, "", "send a non-maskable interrupt to all processors", hmp_nmi},
    {"quit", "q", "", "leave Vitrine", hmp_quit},
    {NULL, NULL, NULL, NULL, NULL}};

static const char *hmp_command_name(void *ctx, unsigned i)
{
    (void)ctx;
    return hmp_commands[i].name;
}

void hmp_line(struct hmp *h, const char *line)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", line + strspn(line, " \t"));
    for (size_t n = strlen(copy); n > 0 && isspace((unsigned char)copy[n - 1]); n--) {
        copy[n - 1] = 0;
    }
    if (!copy[0] || copy[0] == '#') {
        return;
    }
    char *args = copy;
    size_t n = strcspn(copy, " \t/");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)n, copy);
    args = copy + n;
    args += strspn(args, " \t");
    for (const struct hmp_command *c = hmp_commands; c->name; c++) {
        if (strcmp(c->name, name) == 0 || (c->alias && strcmp(c->alias, name) == 0)) {
            c->run(h, args);
            return;
        }
    }
    const char *near = suggest_nearest(name, hmp_command_name, NULL);
    hmp_printf(h, "Unknown command \"%s\"%s%s%s\n", name,
               near ? ", did you mean \""
                    : "; help lists "
                      "them.",
               near ? near : "", near ? "\"?" : "");
}

void hmp_complete(struct hmp *h, const char *line, void (*found)(void *ctx, const char *word),
                  void *ctx)
{
    const char *word = strrchr(line, ' ');
    const char *(*get)(void *, unsigned) = hmp_command_name;
    if (word) {
        word++;
        if (strncmp(line, "info ", 5) == 0) {
            get = hmp_info_name;
        } else if (strncmp(line, "sendkey ", 8) == 0) {
            get = hmp_key_name;
            const char *dash = strrchr(word, '-');
            word = dash ? dash + 1 : word;
        } else if (strncmp(line, "eject ", 6) == 0 || strncmp(line, "change ", 7) == 0) {
            for (unsigned i = 0; i < h->drive_count; i++) {
                if (h->drives[i].present && h->drives[i].blk.removable &&
                    strncmp(h->drives[i].id, word, strlen(word)) == 0) {
                    found(ctx, h->drives[i].id);
                }
            }
            return;
        } else if (strncmp(line, "help ", 5) != 0) {
            return;
        }
    } else {
        word = line;
    }
    size_t len = strlen(word);
    for (unsigned i = 0; get(h, i); i++) {
        if (strncmp(get(h, i), word, len) == 0) {
            found(ctx, get(h, i));
        }
    }
}

bool hmp_init(struct hmp *h)
{
    h->dis = disasm_open();
    return h->dis != NULL;
}

void hmp_fini(struct hmp *h)
{
    disasm_close(h->dis);
    h->dis = NULL;
}
