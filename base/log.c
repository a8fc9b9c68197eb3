/* Log switchboard.  The only mutable file-scope data below frontend: shared by all machines of the
 * process, so it has a lock of its own. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LOG_SITES = 32, LOG_LINE = 400, LOG_AGAIN = 1000 };

/* What a call site said last.  Two sites that share a slot only say a little more than they must.
 */
struct log_site {
    const char *who, *fmt;
    enum log_class cls;
    unsigned repeats; /* of `line`, not told yet */
    char line[LOG_LINE];
};

static atomic_bool log_on[LOG_CLASSES] = {[LOG_HOST] = true};
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_site log_sites[LOG_SITES];
static void (*log_sink)(void *ctx, enum log_class cls, const char *line);
static void *log_sink_ctx;

static void log_write(enum log_class cls, const char *line)
{
    if (log_sink) {
        log_sink(log_sink_ctx, cls, line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}

static void log_tell_repeats(struct log_site *site)
{
    char line[LOG_LINE + 40];
    if (site->repeats) {
        snprintf(line, sizeof line, "%s (repeated %u time%s)", site->line, site->repeats,
                 site->repeats == 1 ? "" : "s");
        site->repeats = 0;
        log_write(site->cls, line);
    }
}

static void log_settle(enum log_class cls)
{
    for (unsigned i = 0; i < LOG_SITES; i++) {
        if (log_sites[i].fmt && log_sites[i].cls == cls) {
            log_tell_repeats(&log_sites[i]);
            log_sites[i].fmt = NULL;
        }
    }
}

void log_enable(enum log_class cls, bool on)
{
    if (cls < LOG_CLASSES) {
        pthread_mutex_lock(&log_lock);
        log_settle(cls);
        pthread_mutex_unlock(&log_lock);
        atomic_store_explicit(&log_on[cls], on, memory_order_relaxed);
    }
}

bool log_enabled(enum log_class cls)
{
    return atomic_load_explicit(&log_on[cls], memory_order_relaxed);
}

void log_set_sink(void (*sink)(void *ctx, enum log_class cls, const char *line), void *ctx)
{
    pthread_mutex_lock(&log_lock);
    for (unsigned i = 0; i < LOG_CLASSES; i++) {
        log_settle((enum log_class)i);
    }
    log_sink = sink;
    log_sink_ctx = ctx;
    pthread_mutex_unlock(&log_lock);
}

void log_msg(enum log_class cls, const char *who, const char *fmt, ...)
{
    if (!log_enabled(cls)) {
        return;
    }
    char line[LOG_LINE];
    int n = snprintf(line, sizeof line, "%s: ", who);
    va_list ap;
    va_start(ap, fmt);
    if (n >= 0 && (size_t)n < sizeof line) {
        vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    }
    va_end(ap);
    uintptr_t slot = ((uintptr_t)fmt ^ (uintptr_t)who >> 3) * (uintptr_t)0x9e3779b97f4a7c15ull;
    pthread_mutex_lock(&log_lock);
    struct log_site *site = &log_sites[slot >> 40 & (LOG_SITES - 1)];
    if (site->fmt == fmt && site->who == who && site->cls == cls &&
        strcmp(site->line, line) == 0) {
        if (++site->repeats == LOG_AGAIN) { /* now and then, so that a stream of them is seen */
            log_tell_repeats(site);
        }
    } else {
        if (site->fmt) {
            log_tell_repeats(site);
        }
        site->who = who;
        site->fmt = fmt;
        site->cls = cls;
        memcpy(site->line, line, sizeof line);
        log_write(cls, line);
    }
    pthread_mutex_unlock(&log_lock);
}
