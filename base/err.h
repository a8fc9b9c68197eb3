/* Why a host-side operation failed.
 * An err lives on the caller's stack, never on the heap; only the first failure is kept. */
#pragma once
#include <stdbool.h>

struct err {
    int code;      /* errno value, 0 when no error is recorded */
    char msg[240]; /* one sentence, no newline, names the object: "disk hd0: ..." */
};

/* Record the first failure and return false, so that callers write `return err_set(...)`. */
bool err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Put context in front: "hd0: " + "open failed".  Returns false. */
bool err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
