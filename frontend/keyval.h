/* "key=value,key=value" as QEMU writes it: ",," is a comma, the first bare word belongs to an
 * implied key, and a bare key later means "on". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { KEYVAL_MAX = 24 };
struct keyval {
    unsigned count;
    char *buf; /* holds all strings */
    const char *key[KEYVAL_MAX], *val[KEYVAL_MAX];
    const char *opt; /* "-drive": names the option in sentences */
};

/* implied may be NULL: then a first bare word is a flag too. */
bool keyval_parse(struct keyval *kv, const char *opt, const char *text, const char *implied,
                  struct err *err);
void keyval_free(struct keyval *kv);
/* NULL when absent.  The last one wins. */
const char *keyval_get(const struct keyval *kv, const char *key);
/* Every key must be among the NULL-ended `known`. */
bool keyval_known(const struct keyval *kv, const char *const *known, struct err *err);
bool keyval_bool(const struct keyval *kv, const char *key, bool *out, struct err *err);
bool keyval_uint(const struct keyval *kv, const char *key, uint64_t max, uint64_t *out,
                 struct err *err);

/* "2G", "512", "1.5G": bytes.  `unit`: what a bare number counts in. */
bool parse_size(const char *text, uint64_t unit, uint64_t *bytes);
/* Decimal, 0x hex or 0 octal; the whole string. */
bool parse_uint(const char *text, uint64_t max, uint64_t *out);
/* on/off/yes/no/true/false/1/0 */
bool parse_bool(const char *text, bool *out);
