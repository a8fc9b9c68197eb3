/* The line editor: ANSI X3.64 cursor keys, a few Emacs keys, history, Tab. */
#include "frontend/monitor/reader.h"

#include <stdio.h>
#include <string.h>

#include "frontend/version.h"

enum { READER_ESC = 1, READER_CSI, READER_CSI_NUM };
static const char reader_prompt_text[] = "(vitrine) ";

static void reader_put(struct reader *r, const char *text, size_t len)
{
    while (len > 0) {
        const char *nl = memchr(text, '\n', len);
        size_t run = nl ? (size_t)(nl - text) : len;
        if (run > 0) {
            r->write(r->out, (const uint8_t *)text, run);
        }
        if (nl) {
            r->write(r->out, (const uint8_t *)"\r\n", 2);
            run++;
        }
        text += run;
        len -= run;
    }
}

static void reader_hmp_write(void *out, const char *text, size_t len)
{
    reader_put(out, text, len);
}

void reader_prompt(struct reader *r)
{
    reader_put(r, reader_prompt_text, sizeof reader_prompt_text - 1);
}

/* Draw from the cursor on and put the cursor where it belongs. */
static void reader_redraw(struct reader *r)
{
    char move[32];
    reader_put(r, "\r", 1);
    reader_prompt(r);
    reader_put(r, r->line, r->len);
    reader_put(r, "\033[K", 3);
    if (r->len > r->at) {
        int n = snprintf(move, sizeof move, "\033[%uD", r->len - r->at);
        reader_put(r, move, (size_t)n);
    }
}

static void reader_set(struct reader *r, const char *text)
{
    snprintf(r->line, sizeof r->line, "%s", text);
    r->len = r->at = (unsigned)strlen(r->line);
    reader_redraw(r);
}

static void reader_history(struct reader *r, int step)
{
    unsigned to = r->shown + (unsigned)step;
    unsigned most = r->entries < READER_HISTORY ? r->entries : READER_HISTORY;
    if ((step < 0 && r->shown == 0) || to > most) {
        return;
    }
    r->shown = to;
    reader_set(r, to ? r->history[(r->entries - to) % READER_HISTORY] : "");
}

static void reader_insert(struct reader *r, const char *text, size_t n)
{
    if (r->len + n >= READER_LINE) {
        return;
    }
    memmove(r->line + r->at + n, r->line + r->at, r->len - r->at);
    memcpy(r->line + r->at, text, n);
    bool end = r->at == r->len;
    r->at += (unsigned)n;
    r->len += (unsigned)n;
    r->line[r->len] = 0;
    if (end) {
        reader_put(r, text, n); /* the common case: plain echo */
    } else {
        reader_redraw(r);
    }
}

static void reader_delete(struct reader *r, unsigned from, unsigned to)
{
    memmove(r->line + from, r->line + to, r->len - to);
    r->len -= to - from;
    r->line[r->len] = 0;
    r->at = from;
    reader_redraw(r);
}

/* ---- completion -------------------------------------------------------------------------- */

struct reader_found {
    char common[64];
    unsigned count;
    struct reader *list; /* print them */
};

static void reader_found(void *ctx, const char *word)
{
    struct reader_found *f = ctx;
    if (f->list) {
        reader_put(f->list, word, strlen(word));
        reader_put(f->list, "  ", 2);
    } else if (f->count++ == 0) {
        snprintf(f->common, sizeof f->common, "%s", word);
    } else {
        size_t n = 0;
        while (f->common[n] && f->common[n] == word[n]) {
            n++;
        }
        f->common[n] = 0;
    }
}

static void reader_complete(struct reader *r)
{
    struct reader_found f = {0};
    if (r->at != r->len) {
        return;
    }
    hmp_complete(r->hmp, r->line, reader_found, &f);
    if (!f.count) {
        return;
    }
    const char *word = r->line;
    for (const char *p = r->line; *p; p++) {
        if (*p == ' ' || (*p == '-' && strncmp(r->line, "sendkey ", 8) == 0)) {
            word = p + 1;
        }
    }
    size_t have = strlen(word), want = strlen(f.common);
    if (want > have) {
        reader_insert(r, f.common + have, want - have);
    }
    if (f.count == 1 && strncmp(r->line, "sendkey ", 8) != 0) {
        reader_insert(r, " ", 1);
    } else if (f.count > 1 && want == have) {
        f.list = r;
        reader_put(r, "\n", 1);
        hmp_complete(r->hmp, r->line, reader_found, &f);
        reader_put(r, "\n", 1);
        reader_redraw(r);
    }
}

/* ---- keys -------------------------------------------------------------------------------- */

static void reader_enter(struct reader *r)
{
    reader_put(r, "\n", 1);
    if (r->len && (!r->entries ||
                   strcmp(r->history[(r->entries - 1) % READER_HISTORY], r->line) != 0)) {
        strcpy(r->history[r->entries++ % READER_HISTORY], r->line);
    }
    char line[READER_LINE];
    strcpy(line, r->line);
    r->len = r->at = r->shown = 0;
    r->line[0] = 0;
    r->hmp->write = reader_hmp_write;
    r->hmp->out = r;
    hmp_line(r->hmp, line);
    reader_prompt(r);
}

static void reader_csi(struct reader *r, uint8_t c)
{
    switch (c) {
    case 'A': reader_history(r, 1); break;
    case 'B': reader_history(r, -1); break;
    case 'C':
        if (r->at < r->len) {
            r->at++;
            reader_put(r, "\033[C", 3);
        }
        break;
    case 'D':
        if (r->at > 0) {
            r->at--;
            reader_put(r, "\033[D", 3);
        }
        break;
    case 'H':
        r->at = 0;
        reader_redraw(r);
        break;
    case 'F':
        r->at = r->len;
        reader_redraw(r);
        break;
    case '3':
        if (r->at < r->len) {
            reader_delete(r, r->at, r->at + 1);
        }
        break;
    default: break;
    }
}

static void reader_key(struct reader *r, uint8_t c)
{
    bool was_cr = r->last_cr;
    r->last_cr = c == '\r';
    if (r->escape == READER_ESC) {
        r->escape = c == '[' || c == 'O' ? READER_CSI : 0;
        return;
    }
    if (r->escape == READER_CSI) {
        r->escape = c >= '0' && c <= '9' ? READER_CSI_NUM : 0;
        reader_csi(r, c);
        return;
    }
    if (r->escape == READER_CSI_NUM) {
        r->escape = c >= '@' ? 0 : READER_CSI_NUM; /* up to the final byte */
        return;
    }
    switch (c) {
    case '\n':
        if (!was_cr) {
            reader_enter(r);
        }
        break;
    case '\r': reader_enter(r); break;
    case 0x1b: r->escape = READER_ESC; break;
    case 0x09: reader_complete(r); break;
    case 0x08:
    case 0x7f:
        if (r->at > 0) {
            reader_delete(r, r->at - 1, r->at);
        }
        break;
    case 0x01: reader_csi(r, 'H'); break;
    case 0x02: reader_csi(r, 'D'); break;
    case 0x03: /* Ctrl-C: throw the line away */
        reader_put(r, "\n", 1);
        reader_set(r, "");
        break;
    case 0x04: reader_csi(r, '3'); break;
    case 0x05: reader_csi(r, 'F'); break;
    case 0x06: reader_csi(r, 'C'); break;
    case 0x0b: reader_delete(r, r->at, r->len); break;
    case 0x0c: reader_redraw(r); break;
    case 0x0e: reader_history(r, -1); break;
    case 0x10: reader_history(r, 1); break;
    case 0x15: reader_delete(r, 0, r->at); break;
    default:
        if (c >= 32) {
            reader_insert(r, (const char *)&c, 1);
        }
        break;
    }
}

static size_t reader_input(void *ctx, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        reader_key(ctx, buf[i]);
    }
    return len;
}

static void reader_opened(void *ctx, bool open)
{
    struct reader *r = ctx;
    if (!open) {
        return;
    }
    if (!r->greeted) {
        static const char hello[] =
            "Vitrine " VITRINE_VERSION " monitor - help lists the commands\n";
        r->greeted = true;
        reader_put(r, "\n", 1);
        reader_put(r, hello, sizeof hello - 1);
    } else {
        reader_put(r, "\n", 1);
    }
    r->len = r->at = 0;
    r->line[0] = 0;
    reader_prompt(r);
}

void reader_init(struct reader *r, struct hmp *h,
                 size_t (*write)(void *, const uint8_t *, size_t), void *out)
{
    memset(r, 0, sizeof *r);
    r->hmp = h;
    r->write = write;
    r->out = out;
    h->write = reader_hmp_write;
    h->out = r;
}

struct char_sink reader_sink(struct reader *r)
{
    return (struct char_sink){.input = reader_input, .opened = reader_opened, .ctx = r};
}
