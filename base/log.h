/* Log lines by class; the sink is set once by main (default: host errors to stderr). */
#pragma once
#include <stdbool.h>

enum log_class {
    LOG_HOST,  /* the host failed us: file, socket, ioctl: always shown */
    LOG_GUEST, /* the guest did something the datasheet forbids: -d guest_errors */
    LOG_UNIMP, /* the guest used hardware that is not built: -d unimp */
    LOG_CLASSES
};

/* `who` is a device id: "uart0", "cpu0", "machine".  No newline in fmt.  A call site that says the
 * same again is not written again: "... (repeated N times)" follows when it says something else,
 * every thousand times, and when its class is switched off. */
void log_msg(enum log_class cls, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void log_enable(enum log_class cls, bool on);
bool log_enabled(enum log_class cls);
/* line is complete, without newline.  Called with the log's lock held: it may not log. */
void log_set_sink(void (*sink)(void *ctx, enum log_class cls, const char *line), void *ctx);
