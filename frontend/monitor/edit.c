/* libedit (editline(3)) around the monitor: history, Tab completion, Emacs keys. */
#include "frontend/monitor/edit.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "frontend/char/tty.h"
#include "frontend/version.h"

struct edit {
    struct hmp *hmp;
    EditLine *el;
    History *hist;
    pthread_t thread;
    int stop_fd;
};

static char *edit_prompt(EditLine *el)
{
    static char prompt[] = "(vitrine) "; /* el_set() wants it writable; nobody writes */
    (void)el;
    return prompt;
}

static void edit_write(void *out, const char *text, size_t len)
{
    (void)out;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

/* One byte, or end of file once edit_stop() was called. */
static int edit_getc(EditLine *el, wchar_t *c)
{
    struct edit *e;
    el_get(el, EL_CLIENTDATA, &e);
    struct pollfd pfd[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = e->stop_fd, .events = POLLIN}};
    while (poll(pfd, 2, -1) < 0 && errno == EINTR) {
    }
    unsigned char byte;
    if (pfd[1].revents || read(STDIN_FILENO, &byte, 1) != 1) {
        return 0;
    }
    *c = (wchar_t)byte;
    return 1;
}

struct edit_found {
    char common[64];
    unsigned count;
    bool list;
};

static void edit_found(void *ctx, const char *word)
{
    struct edit_found *f = ctx;
    if (f->list) {
        printf("%s  ", word);
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

static unsigned char edit_complete(EditLine *el, int ch)
{
    struct edit *e;
    struct edit_found f = {0};
    char line[256];
    (void)ch;
    el_get(el, EL_CLIENTDATA, &e);
    const LineInfo *li = el_line(el);
    snprintf(line, sizeof line, "%.*s", (int)(li->cursor - li->buffer), li->buffer);
    hmp_complete(e->hmp, line, edit_found, &f);
    if (!f.count) {
        return CC_ERROR;
    }
    bool keys = strncmp(line, "sendkey ", 8) == 0;
    const char *word = line;
    for (const char *p = line; *p; p++) {
        if (*p == ' ' || (keys && *p == '-')) {
            word = p + 1;
        }
    }
    size_t have = strlen(word), want = strlen(f.common);
    if (want > have) {
        el_insertstr(el, f.common + have);
    }
    if (f.count == 1 && !keys) {
        el_insertstr(el, " ");
    } else if (f.count > 1 && want == have) {
        f.list = true;
        printf("\n");
        hmp_complete(e->hmp, line, edit_found, &f);
        printf("\n");
        fflush(stdout);
        return CC_REDISPLAY;
    }
    return CC_REFRESH;
}

static void *edit_main(void *arg)
{
    struct edit *e = arg;
    HistEvent ev;
    int n;
    const char *line;
    printf("Vitrine %s monitor - help lists the commands\n", VITRINE_VERSION);
    fflush(stdout);
    while ((line = el_gets(e->el, &n)) && n > 0) {
        char copy[512];
        snprintf(copy, sizeof copy, "%s", line);
        copy[strcspn(copy, "\r\n")] = 0;
        if (copy[0]) {
            history(e->hist, &ev, H_ENTER, copy);
        }
        hmp_line(e->hmp, copy);
    }
    return NULL;
}

struct edit *edit_start(struct hmp *h, struct err *err)
{
    struct edit *e = calloc(1, sizeof *e);
    HistEvent ev;
    if (!e) {
        err_set(err, ENOMEM, "-monitor: out of memory");
        return NULL;
    }
    tty_raw(true); /* only so that every way out restores it; libedit sets its own modes */
    e->stop_fd = eventfd(0, EFD_CLOEXEC);
    e->hmp = h;
    h->write = edit_write;
    h->out = NULL;
    e->el = el_init("vitrine", stdin, stdout, stderr);
    e->hist = history_init();
    if (!e->el || !e->hist || e->stop_fd < 0) {
        err_set(err, ENOMEM, "-monitor: libedit does not start");
        free(e);
        return NULL;
    }
    history(e->hist, &ev, H_SETSIZE, 200);
    history(e->hist, &ev, H_SETUNIQUE, 1);
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_PROMPT, edit_prompt);
    el_set(e->el, EL_EDITOR, "emacs");
    el_set(e->el, EL_SIGNAL, 0);
    el_set(e->el, EL_HIST, history, e->hist);
    el_set(e->el, EL_GETCFN, edit_getc);
    el_set(e->el, EL_ADDFN, "complete", "complete a word", edit_complete);
    el_set(e->el, EL_BIND, "^I", "complete", NULL);
    int rc = pthread_create(&e->thread, NULL, edit_main, e);
    if (rc) {
        err_set(err, rc, "-monitor: no thread: %s", strerror(rc));
        free(e);
        return NULL;
    }
    return e;
}

void edit_stop(struct edit *e)
{
    if (!e) {
        return;
    }
    uint64_t one = 1;
    if (write(e->stop_fd, &one, sizeof one) == sizeof one) {
        pthread_join(e->thread, NULL);
    }
    el_end(e->el);
    history_end(e->hist);
    close(e->stop_fd);
    tty_restore();
    free(e);
}
