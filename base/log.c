/* Log switchboard.  The only mutable file-scope data below frontend beside base/trace. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static bool log_on[LOG_CLASSES] = {[LOG_HOST] = true};
static void (*log_sink)(void *ctx, enum log_class cls, const char *line);
static void *log_sink_ctx;

void log_enable(enum log_class cls, bool on)
{
    if (cls < LOG_CLASSES) {
        log_on[cls] = on;
    }
}

bool log_enabled(enum log_class cls)
{
    return log_on[cls];
}

void log_set_sink(void (*sink)(void *ctx, enum log_class cls, const char *line), void *ctx)
{
    log_sink = sink;
    log_sink_ctx = ctx;
}

void log_msg(enum log_class cls, const char *who, const char *fmt, ...)
{
    if (!log_on[cls]) {
        return;
    }
    char line[400];
    int n = snprintf(line, sizeof line, "%s: ", who);
    va_list ap;
    va_start(ap, fmt);
    if (n >= 0 && (size_t)n < sizeof line) {
        vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    }
    va_end(ap);
    if (log_sink) {
        log_sink(log_sink_ctx, cls, line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}
