/* The guest's screen in this terminal: text modes as text, graphics as half blocks in 24-bit color
 * (ECMA-48 SGR 38;2 and 48;2).  Only cells that changed are sent.  Keys come as xterm sends them
 * (ctlseqs, "PC-Style Function Keys").
 * NOT IMPLEMENTED: text colors (a display source gives characters only), mouse. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "frontend/char/tty.h"
#include "frontend/runner.h"
#include "frontend/ui/cp437.h"
#include "frontend/ui/keymap.h"
#include "frontend/ui/screenshot.h"
#include "frontend/ui/ui.h"
#include "machine/machine.h"

enum { TERM_COLS = 256, TERM_ROWS = 128, TERM_TEXT = 32768, TERM_OUT = 1 << 20,
       TERM_QUEUE = 4096, TERM_FAST_MS = 40, TERM_SLOW_MS = 200, TERM_KEY_MS = 12,
       TERM_ESC_MS = 40 };

struct term_cell {
    uint32_t ch;     /* Unicode; 0: unknown, must be sent */
    uint32_t fg, bg; /* 0xrrggbb; TERM_DEFAULT in text modes */
};
#define TERM_DEFAULT 0xff000000u

struct term {
    struct ui *ui;
    struct machine *m;
    unsigned cols, rows; /* of the terminal */
    struct term_cell shown[TERM_ROWS * TERM_COLS], next[TERM_ROWS * TERM_COLS];
    char text[TERM_TEXT];
    char *out;
    size_t out_len;
    bool graphics, prefix, help, all;
    unsigned scans;
    uint8_t in[64]; /* an escape sequence that is not whole yet */
    unsigned in_len;
    uint64_t in_ms;
    struct keymap_stroke queue[TERM_QUEUE];
    unsigned q_at, q_len;
    uint64_t key_ms;
};

static uint64_t term_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- drawing ---------------------------------------------------------------------------- */

static void term_emit(struct term *t, const char *text, size_t len)
{
    if (t->out_len + len <= TERM_OUT) {
        memcpy(t->out + t->out_len, text, len);
        t->out_len += len;
    }
}

static void term_flush(struct term *t)
{
    size_t done = 0;
    while (done < t->out_len) {
        ssize_t n = write(STDOUT_FILENO, t->out + done, t->out_len - done);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    t->out_len = 0;
}

static void term_emit_char(struct term *t, uint32_t c)
{
    char b[4];
    if (c < 0x80) {
        b[0] = (char)c;
        term_emit(t, b, 1);
    } else if (c < 0x800) {
        b[0] = (char)(0xc0 | c >> 6);
        b[1] = (char)(0x80 | (c & 63));
        term_emit(t, b, 2);
    } else {
        b[0] = (char)(0xe0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 63));
        b[2] = (char)(0x80 | (c & 63));
        term_emit(t, b, 3);
    }
}

static void term_emit_color(struct term *t, uint32_t fg, uint32_t bg)
{
    char b[64];
    int n;
    if (fg == TERM_DEFAULT) {
        n = snprintf(b, sizeof b, "\033[0m");
    } else {
        n = snprintf(b, sizeof b, "\033[38;2;%u;%u;%u;48;2;%u;%u;%um", fg >> 16 & 255,
                     fg >> 8 & 255, fg & 255, bg >> 16 & 255, bg >> 8 & 255, bg & 255);
    }
    term_emit(t, b, (size_t)n);
}

/* Send what differs. */
static void term_update(struct term *t)
{
    uint32_t fg = 1, bg = 1; /* no color is this */
    for (unsigned y = 0; y < t->rows; y++) {
        unsigned at = UINT32_MAX;
        for (unsigned x = 0; x < t->cols; x++) {
            struct term_cell *n = &t->next[y * TERM_COLS + x], *s = &t->shown[y * TERM_COLS + x];
            if (n->ch == s->ch && n->fg == s->fg && n->bg == s->bg) {
                continue;
            }
            if (at != x) {
                char b[32];
                int len = snprintf(b, sizeof b, "\033[%u;%uH", y + 1, x + 1);
                term_emit(t, b, (size_t)len);
            }
            if (n->fg != fg || n->bg != bg) {
                term_emit_color(t, n->fg, n->bg);
                fg = n->fg;
                bg = n->bg;
            }
            term_emit_char(t, n->ch);
            *s = *n;
            at = x + 1;
        }
    }
}

static void term_put(struct term *t, unsigned x, unsigned y, const char *text)
{
    for (; *text && x < t->cols && y < t->rows; text++, x++) {
        t->next[y * TERM_COLS + x] = (struct term_cell){(uint8_t)*text, TERM_DEFAULT, TERM_DEFAULT};
    }
}

static void term_draw_text(struct term *t, uint32_t cols, uint32_t rows)
{
    for (unsigned y = 0; y < rows && y < t->rows; y++) {
        for (unsigned x = 0; x < cols && x < t->cols; x++) {
            t->next[y * TERM_COLS + x].ch = cp437_unicode[(uint8_t)t->text[y * cols + x]];
        }
    }
}

/* The mean color of one cell's half; boxes are at most a few hundred pixels. */
static uint32_t term_box(const struct surface *s, uint32_t x0, uint32_t y0, uint32_t x1,
                         uint32_t y1)
{
    uint32_t r = 0, g = 0, b = 0, n = 0;
    x1 = x1 > x0 ? x1 : x0 + 1;
    y1 = y1 > y0 ? y1 : y0 + 1;
    for (uint32_t y = y0; y < y1 && y < s->height; y++) {
        const uint32_t *row = (const uint32_t *)((const char *)s->pixels + (size_t)y * s->stride);
        for (uint32_t x = x0; x < x1 && x < s->width; x++) {
            r += row[x] >> 16 & 255;
            g += row[x] >> 8 & 255;
            b += row[x] & 255;
            n++;
        }
    }
    return n ? r / n << 16 | g / n << 8 | b / n : 0;
}

static void term_draw_graphics(struct term *t, const struct surface *s)
{
    /* the largest size that keeps 4:3, a half cell taken as square */
    unsigned w = t->cols, h = (t->rows - 1) * 2;
    if (w * 3 > h * 4) {
        w = h * 4 / 3;
    } else {
        h = w * 3 / 4;
    }
    for (unsigned y = 0; y < h / 2; y++) {
        for (unsigned x = 0; x < w; x++) {
            uint32_t x0 = x * s->width / w, x1 = (x + 1) * s->width / w;
            uint32_t ya = 2 * y * s->height / h, yb = (2 * y + 1) * s->height / h;
            uint32_t yc = (2 * y + 2) * s->height / h;
            t->next[y * TERM_COLS + x] = (struct term_cell){
                0x2580, term_box(s, x0, ya, x1, yb), term_box(s, x0, yb, x1, yc)};
        }
    }
}

static const char *const term_help_lines[] = {
    "+---------------------------------------+", "| Ctrl-A x       leave Vitrine          |",
    "| Ctrl-A d       Ctrl-Alt-Del           |", "| Ctrl-A p       pause and go on        |",
    "| Ctrl-A r       reset                  |", "| Ctrl-A s       screenshot (PNG)       |",
    "| Ctrl-A l       draw everything again  |", "| Ctrl-A Ctrl-A  send Ctrl-A            |",
    "| any key        close this             |", "+---------------------------------------+"};

static void term_size(struct term *t)
{
    struct winsize ws = {0};
    unsigned cols = 80, rows = 25;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col && ws.ws_row) {
        cols = ws.ws_col;
        rows = ws.ws_row;
    }
    cols = cols < TERM_COLS ? cols : TERM_COLS;
    rows = rows < TERM_ROWS ? rows : TERM_ROWS;
    rows = rows < 2 ? 2 : rows;
    if (cols != t->cols || rows != t->rows || t->all) {
        t->cols = cols;
        t->rows = rows;
        t->all = false;
        memset(t->shown, 0, sizeof t->shown);
        term_emit(t, "\033[0m\033[2J", 8);
    }
}

static bool term_blank(const struct term *t, unsigned y)
{
    for (unsigned x = 0; x < t->cols; x++) {
        uint32_t c = t->next[y * TERM_COLS + x].ch;
        if (c != ' ' && c != 0) {
            return false;
        }
    }
    return true;
}

/* true: something changed. */
static bool term_draw(struct term *t)
{
    char line[160];
    uint32_t cols = 0, rows = 0;
    term_size(t);
    for (unsigned i = 0; i < TERM_ROWS * TERM_COLS; i++) {
        t->next[i] = (struct term_cell){' ', TERM_DEFAULT, TERM_DEFAULT};
    }
    machine_lock(t->m);
    bool is_text = machine_text(t->m, t->text, sizeof t->text, &cols, &rows);
    if (is_text && (uint64_t)cols * rows <= sizeof t->text) {
        machine_unlock(t->m);
        term_draw_text(t, cols, rows);
        snprintf(line, sizeof line, " %s - Ctrl-A x leaves, Ctrl-A h helps%s ", t->ui->title,
                 runner_paused(t->ui->runner) ? " - PAUSED" : "");
        if (rows < t->rows) {
            term_put(t, 0, t->rows - 1, line);
        } else if (term_blank(t, t->rows - 1)) {
            term_put(t, 0, t->rows - 1, runner_paused(t->ui->runner) ? "[PAUSED]" : "");
        }
    } else {
        struct rect dirty;
        const struct surface *s = machine_scan(t->m, &dirty);
        if (s && s->pixels && s->width && s->height) {
            term_draw_graphics(t, s);
            snprintf(line, sizeof line, " %ux%u graphics - Ctrl-A x leaves, Ctrl-A h helps ",
                     s->width, s->height);
            term_put(t, 0, t->rows - 1, line);
        }
        machine_unlock(t->m);
    }
    if (t->help) {
        for (unsigned i = 0; i < sizeof term_help_lines / sizeof term_help_lines[0]; i++) {
            term_put(t, 4, 2 + i, term_help_lines[i]);
        }
    }
    size_t before = t->out_len;
    term_update(t);
    bool changed = t->out_len != before;
    term_flush(t);
    return changed;
}

/* ---- keys ------------------------------------------------------------------------------- */

static void term_queue(struct term *t, struct keymap_stroke k)
{
    if (t->q_len < TERM_QUEUE) {
        t->queue[(t->q_at + t->q_len++) % TERM_QUEUE] = k;
    }
}

static void term_command(struct term *t, uint8_t c)
{
    static const uint8_t cad[] = {HID_CTRL_L, HID_ALT_L, 0x4c};
    struct runner *r = t->ui->runner;
    char name[64], line[160];
    struct err err = {0};
    switch (c) {
    case 'x': runner_quit(r, 0); break;
    case 'd': (void)runner_chord(r, cad, 3, 100); break;
    case 'p':
        if (runner_paused(r)) {
            runner_cont(r);
        } else {
            runner_pause(r);
        }
        break;
    case 'r': runner_reset(r); break;
    case 'l': t->all = true; break;
    case 's':
        screenshot_name(name, sizeof name);
        if (screenshot_save(r, name, &err)) {
            snprintf(line, sizeof line, "screenshot %s", name);
            t->ui->say(t->ui->ctx, line);
        } else {
            t->ui->say(t->ui->ctx, err.msg);
        }
        break;
    default: t->help = true; break;
    }
}

/* Final byte or number of a CSI sequence to a key. */
static uint8_t term_csi_key(char final, unsigned num)
{
    static const uint8_t tilde[] = {0, 0x4a, 0x49, 0x4c, 0x4d, 0x4b, 0x4e, 0x4a, 0x4d, 0, 0, 0x3a,
                                    0x3b, 0x3c, 0x3d, 0x3e, 0, 0x3f, 0x40, 0x41, 0x42, 0x43, 0,
                                    0x44, 0x45};
    switch (final) {
    case 'A': return 0x52;
    case 'B': return 0x51;
    case 'C': return 0x4f;
    case 'D': return 0x50;
    case 'H': return 0x4a;
    case 'F': return 0x4d;
    case 'P': return 0x3a;
    case 'Q': return 0x3b;
    case 'R': return 0x3c;
    case 'S': return 0x3d;
    case 'Z': return 0x2b; /* shift-tab */
    case '~': return num < sizeof tilde ? tilde[num] : 0;
    default: return 0;
    }
}

/* Takes one key from the front of b; 0: needs more bytes. */
static unsigned term_sequence(struct term *t, const uint8_t *b, unsigned len, bool last)
{
    struct keymap_stroke k = {0};
    if (b[0] != 0x1b) {
        unsigned need = b[0] < 0x80 ? 1 : b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
        if (len < need && !last) {
            return 0;
        }
        char ch[5] = {0};
        memcpy(ch, b, need < len ? need : len);
        const char *p = ch;
        if (keymap_char(t->ui->layout, keymap_utf8(&p), &k)) {
            term_queue(t, k);
        }
        return need < len ? need : len;
    }
    if (len == 1) {
        if (!last) {
            return 0;
        }
        k.hid = 0x29;
        term_queue(t, k);
        return 1;
    }
    if (b[1] == '[' && len >= 3 && b[2] == '[') { /* Linux console F1 to F5 */
        if (len < 4) {
            return last ? len : 0;
        }
        k.hid = b[3] >= 'A' && b[3] <= 'E' ? (uint8_t)(0x3a + b[3] - 'A') : 0;
        if (k.hid) {
            term_queue(t, k);
        }
        return 4;
    }
    if (b[1] == '[' || b[1] == 'O') {
        unsigned i = 2, num[2] = {0, 0}, which = 0;
        for (; i < len && (b[i] == ';' || (b[i] >= '0' && b[i] <= '9')); i++) {
            if (b[i] == ';') {
                which = 1;
            } else {
                num[which] = (num[which] * 10 + b[i] - '0') % 1000;
            }
        }
        if (i == len) {
            return last || len >= sizeof t->in ? len : 0;
        }
        k.hid = term_csi_key((char)b[i], num[0]);
        unsigned mods = num[1] ? num[1] - 1 : 0;
        k.shift = mods & 1 || b[i] == 'Z';
        k.ctrl = mods & 4;
        if (mods & 2) {
            runner_key(t->ui->runner, HID_ALT_L, true);
        }
        if (k.hid) {
            term_queue(t, k);
        }
        if (mods & 2) {
            runner_key(t->ui->runner, HID_ALT_L, false);
        }
        return i + 1;
    }
    /* ESC and a character: Alt */
    const char ch[2] = {(char)b[1], 0};
    const char *p = ch;
    if (keymap_char(t->ui->layout, keymap_utf8(&p), &k)) {
        uint8_t keys[4];
        unsigned n = 0;
        keys[n++] = HID_ALT_L;
        if (k.shift) {
            keys[n++] = HID_SHIFT_L;
        }
        keys[n++] = k.hid;
        (void)runner_chord(t->ui->runner, keys, n, 50);
    }
    return 2;
}

static void term_bytes(struct term *t, bool last)
{
    while (t->in_len) {
        unsigned n = term_sequence(t, t->in, t->in_len, last);
        if (!n) {
            return;
        }
        memmove(t->in, t->in + n, t->in_len - n);
        t->in_len -= n;
    }
}

static void term_input(struct term *t)
{
    uint8_t buf[256];
    ssize_t n = read(STDIN_FILENO, buf, sizeof buf);
    if (n == 0) {
        runner_quit(t->ui->runner, 0); /* the terminal is gone */
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (t->help) {
            t->help = false;
            if (buf[i] != 'x' && buf[i] != 1) {
                continue;
            }
            t->prefix = buf[i] == 'x'; /* who just read "x leaves" and types x means it */
        }
        if (t->prefix) {
            t->prefix = false;
            if (buf[i] != 1) {
                term_command(t, buf[i]);
                continue;
            }
        } else if (buf[i] == 1) {
            t->prefix = true;
            continue;
        }
        if (t->in_len == sizeof t->in) {
            term_bytes(t, true);
        }
        t->in[t->in_len++] = buf[i];
        t->in_ms = term_ms();
        term_bytes(t, false);
    }
}

/* One stroke at a time, at a speed that a PS/2 keyboard's 16-byte buffer survives. */
static void term_type(struct term *t, uint64_t now)
{
    if (!t->q_len || now < t->key_ms) {
        return;
    }
    struct keymap_stroke k = t->queue[t->q_at];
    t->q_at = (t->q_at + 1) % TERM_QUEUE;
    t->q_len--;
    t->key_ms = now + TERM_KEY_MS;
    struct runner *r = t->ui->runner;
    const uint8_t mods[3] = {k.ctrl ? HID_CTRL_L : 0, k.altgr ? HID_ALT_R : 0,
                             k.shift ? HID_SHIFT_L : 0};
    for (unsigned i = 0; i < 3; i++) {
        if (mods[i]) {
            runner_key(r, mods[i], true);
        }
    }
    runner_key(r, k.hid, true);
    runner_key(r, k.hid, false);
    for (unsigned i = 0; i < 3; i++) {
        if (mods[i]) {
            runner_key(r, mods[i], false);
        }
    }
}

bool ui_term_run(struct ui *ui, struct err *err)
{
    struct term *t = calloc(1, sizeof *t);
    if (!t || !(t->out = malloc(TERM_OUT)) || !tty_raw(false)) {
        err_set(err, ENOMEM, "-display term: the terminal cannot be used");
        free(t ? t->out : NULL);
        free(t);
        return false;
    }
    t->ui = ui;
    t->m = runner_machine(ui->runner);
    tty_screen();
    uint64_t draw_at = 0;
    while (!runner_finished(ui->runner)) {
        uint64_t now = term_ms();
        if (now >= draw_at) {
            draw_at = now + (term_draw(t) ? TERM_FAST_MS : TERM_SLOW_MS);
        }
        term_type(t, now);
        if (t->in_len && now - t->in_ms >= TERM_ESC_MS) {
            term_bytes(t, true);
        }
        uint64_t wait = draw_at - now;
        if (t->q_len && wait > TERM_KEY_MS) {
            wait = TERM_KEY_MS;
        }
        if (t->in_len && wait > TERM_ESC_MS) {
            wait = TERM_ESC_MS;
        }
        struct pollfd pfd[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = ui->done_fd, .events = POLLIN}};
        if (poll(pfd, 2, (int)wait) > 0 && pfd[0].revents) {
            term_input(t);
            draw_at = term_ms() + 15 < draw_at ? term_ms() + 15 : draw_at; /* show the echo soon */
        }
    }
    free(t->out);
    free(t);
    return true;
}
