/* The script: one action for each line, "TIME verb argument".  TIME counts ms of virtual time since
 * power-on; "+TIME" counts from the end of the line before.  Text is typed at a speed a PS/2
 * keyboard has. */
#include "frontend/script.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/runner.h"
#include "frontend/suggest.h"
#include "frontend/ui/keymap.h"
#include "frontend/ui/screenshot.h"
#include "machine/machine.h"

enum verb {
    VERB_SENDKEY, VERB_TYPE, VERB_WAIT, VERB_HASH, VERB_SCREENDUMP, VERB_TEXT, VERB_RESET,
    VERB_POWERDOWN, VERB_NMI, VERB_QUIT
};
static const char *const verb_names[] = {"sendkey", "type", "wait", "hash", "screendump", "text",
                                         "system_reset", "system_powerdown", "nmi", "quit", NULL};
#define SCRIPT_KEY_HOLD (30 * VTIME_MS)
#define SCRIPT_KEY_NEXT (60 * VTIME_MS)
#define SCRIPT_POLL (50 * VTIME_MS)

struct script_line {
    vtime when;
    bool relative;
    enum verb verb;
    char *arg;
    uint8_t keys[KEYMAP_CHORD];
    unsigned count;
    unsigned number; /* in the file */
};
struct script {
    char *text;
    struct script_line *lines;
    unsigned count, at;
    vtime last;      /* when the line before ended */
    const char *typing;
    struct keymap_stroke stroke;
    bool down;       /* a typed key is down */
    vtime next;      /* of typing or waiting */
    bool waiting;
    const struct keymap_layout *layout;
};

/* ---- reading --------------------------------------------------------------------------- */

static bool script_line(struct script *s, struct script_line *l, char *p, const char *name,
                        struct err *err)
{
    l->relative = *p == '+';
    p += l->relative;
    char *end;
    errno = 0;
    unsigned long long ms = strtoull(p, &end, 10);
    if (!isdigit((unsigned char)*p) || errno || ms > UINT64_MAX / VTIME_MS / 2 ||
        !isspace((unsigned char)*end)) {
        return err_set(err, EINVAL, "-input-script %s: line %u must begin with a time in ms: "
                       "\"5000 sendkey ret\"", name, l->number);
    }
    l->when = ms * VTIME_MS;
    for (p = end; *p == ' ' || *p == '\t'; p++) {
    }
    char *verb = p;
    while (*p && !isspace((unsigned char)*p)) {
        p++;
    }
    if (*p) {
        *p++ = 0;
    }
    l->arg = p;
    unsigned v = 0;
    while (verb_names[v] && strcmp(verb_names[v], verb) != 0) {
        v++;
    }
    if (!verb_names[v]) {
        const char *near = suggest_in(verb, verb_names);
        return err_set(err, EINVAL, "-input-script %s: line %u: unknown action \"%.40s\", %s%s",
                       name, l->number, verb, near ? "did you mean " : "-input-script help lists ",
                       near ? near : "them");
    }
    l->verb = (enum verb)v;
    if (v == VERB_SENDKEY) {
        char bad[32];
        l->count = keymap_chord(l->arg, l->keys, bad);
        if (!l->count) {
            return err_set(err, EINVAL, "-input-script %s: line %u: unknown key \"%s\"", name,
                           l->number, bad);
        }
    } else if (v == VERB_TYPE) {
        keymap_unescape(l->arg);
        for (const char *q = l->arg; *q;) {
            const char *from = q;
            struct keymap_stroke st;
            if (!keymap_char(s->layout, keymap_utf8(&q), &st)) {
                return err_set(err, EINVAL, "-input-script %s: line %u: \"%.*s\" cannot be typed "
                               "in this layout; -k LAYOUT chooses another", name, l->number,
                               (int)(q - from), from);
            }
        }
    } else if ((v == VERB_WAIT || v == VERB_SCREENDUMP || v == VERB_TEXT) && !*l->arg) {
        return err_set(err, EINVAL, "-input-script %s: line %u: %s needs %s", name, l->number, verb,
                       v == VERB_WAIT ? "a text" : "a file name");
    }
    return true;
}

struct script *script_parse(const char *name, const char *text, const struct keymap_layout *layout,
                            struct err *err)
{
    struct script *s = calloc(1, sizeof *s);
    if (!s || !(s->text = strdup(text))) {
        err_set(err, ENOMEM, "-input-script: out of memory");
        script_close(s);
        return NULL;
    }
    s->layout = layout;
    unsigned number = 0;
    for (char *p = s->text, *next; p; p = next) {
        number++;
        if ((next = strchr(p, '\n'))) {
            *next++ = 0;
        }
        p[strcspn(p, "\r")] = 0;
        p += strspn(p, " \t");
        if (*p == 0 || *p == '#') {
            continue;
        }
        struct script_line *grown = realloc(s->lines, (s->count + 1) * sizeof *grown);
        if (!grown) {
            err_set(err, ENOMEM, "-input-script: out of memory");
            script_close(s);
            return NULL;
        }
        s->lines = grown;
        struct script_line *l = &grown[s->count++];
        memset(l, 0, sizeof *l);
        l->number = number;
        if (!script_line(s, l, p, name, err)) {
            script_close(s);
            return NULL;
        }
    }
    return s;
}

struct script *script_open(const char *path, const struct keymap_layout *layout, struct err *err)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t cap = 0;
    if (!f || (getdelim(&text, &cap, 0, f) < 0 && ferror(f))) {
        err_set(err, errno, "-input-script %s: %s", path, strerror(errno));
        free(text);
        if (f) {
            fclose(f);
        }
        return NULL;
    }
    fclose(f);
    struct script *s = script_parse(path, text ? text : "", layout, err);
    free(text);
    return s;
}

void script_close(struct script *s)
{
    if (s) {
        free(s->lines);
        free(s->text);
        free(s);
    }
}

/* ---- running --------------------------------------------------------------------------- */

static void script_stroke(struct runner *r, const struct keymap_stroke *k, bool down)
{
    const struct {
        bool on;
        uint8_t hid;
    } mods[] = {{k->shift, HID_SHIFT_L}, {k->altgr, HID_ALT_R}, {k->ctrl, HID_CTRL_L}};
    if (!down) {
        runner_key(r, k->hid, false);
    }
    for (unsigned i = 0; i < 3; i++) {
        if (mods[i].on) {
            runner_key(r, mods[i].hid, down);
        }
    }
    if (down) {
        runner_key(r, k->hid, true);
    }
}

static bool script_on_screen(struct machine *m, const char *text)
{
    char screen[16384];
    uint32_t cols, rows;
    if (!machine_text(m, screen, sizeof screen, &cols, &rows) || cols == 0) {
        return false;
    }
    size_t len = strlen(text);
    for (uint32_t y = 0; y < rows; y++) {
        for (uint32_t x = 0; x + len <= cols; x++) {
            if (memcmp(screen + (size_t)y * cols + x, text, len) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void script_dump_text(struct machine *m, const char *path)
{
    char screen[16384];
    uint32_t cols = 0, rows = 0;
    FILE *f = fopen(path, "w");
    if (!f) {
        fprintf(stderr, "vitrine: -input-script: %s: %s\n", path, strerror(errno));
        return;
    }
    if (machine_text(m, screen, sizeof screen, &cols, &rows)) {
        for (uint32_t y = 0; y < rows; y++) {
            uint32_t end = cols;
            while (end > 0 && (screen[y * cols + end - 1] == ' ' || !screen[y * cols + end - 1])) {
                end--;
            }
            for (uint32_t x = 0; x < end; x++) {
                uint8_t c = (uint8_t)screen[y * cols + x];
                fputc(c >= 32 && c < 127 ? c : c ? '#' : ' ', f);
            }
            fputc('\n', f);
        }
    } else {
        fputs("(graphics)\n", f);
    }
    fclose(f);
}

/* One step of a typed text.  false: it is finished. */
static bool script_type(struct script *s, struct runner *r, vtime now)
{
    if (s->down) {
        script_stroke(r, &s->stroke, false);
        s->down = false;
        s->next = now + SCRIPT_KEY_NEXT - SCRIPT_KEY_HOLD;
    } else if (*s->typing) {
        if (keymap_char(s->layout, keymap_utf8(&s->typing), &s->stroke)) {
            script_stroke(r, &s->stroke, true);
            s->down = true;
        }
        s->next = now + SCRIPT_KEY_HOLD;
    } else {
        s->typing = NULL;
        return false;
    }
    return true;
}

static void script_act(struct script *s, const struct script_line *l, struct runner *r, vtime now)
{
    struct machine *m = runner_machine(r);
    struct err err = {0};
    switch (l->verb) {
    case VERB_SENDKEY: (void)runner_chord(r, l->keys, l->count, 100); break;
    case VERB_TYPE:
        s->typing = l->arg;
        s->next = now;
        break;
    case VERB_WAIT:
        s->waiting = true;
        s->next = now;
        break;
    case VERB_HASH:
        printf("hash %016" PRIx64 " at %" PRIu64 " ns, %" PRIu64 " instructions\n",
               machine_hash(m), now, machine_insns(m));
        fflush(stdout);
        break;
    case VERB_SCREENDUMP:
        if (!screenshot_save(r, l->arg, &err)) {
            fprintf(stderr, "vitrine: -input-script: %s\n", err.msg);
        }
        break;
    case VERB_TEXT: script_dump_text(m, l->arg); break;
    case VERB_RESET: runner_reset(r); break;
    case VERB_POWERDOWN: machine_power_button(m); break;
    case VERB_NMI: machine_nmi(m); break;
    case VERB_QUIT: runner_quit(r, 0); break;
    }
}

vtime script_run(struct script *s, struct runner *r, vtime now)
{
    while (s->at < s->count || s->typing || s->waiting) {
        if (s->typing || s->waiting) {
            if (now < s->next) {
                return s->next;
            }
            if (s->typing) {
                if (!script_type(s, r, now)) {
                    s->last = now;
                }
            } else if (script_on_screen(runner_machine(r), s->lines[s->at - 1].arg)) {
                s->waiting = false;
                s->last = now;
            } else {
                s->next = now + SCRIPT_POLL;
            }
            continue;
        }
        struct script_line *l = &s->lines[s->at];
        vtime when = l->relative ? s->last + l->when : l->when;
        if (when > now) {
            return when;
        }
        s->at++;
        s->last = now;
        script_act(s, l, r, now);
        if (l->verb == VERB_QUIT) {
            return VTIME_NEVER;
        }
    }
    return VTIME_NEVER;
}
