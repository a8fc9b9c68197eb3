/* "key=value,key=value": QEMU's option syntax (qemu(1), "Device options"), and numbers. */
#include "frontend/keyval.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/suggest.h"

bool parse_size(const char *text, uint64_t unit, uint64_t *bytes)
{
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    char *end;
    uint64_t whole = strtoull(text, &end, text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10);
    if (errno) {
        return false;
    }
    uint64_t num = 0, den = 1; /* the fraction */
    if (*end == '.') {
        for (end++; isdigit((unsigned char)*end) && den < 1000000000; end++) {
            num = num * 10 + (uint64_t)(*end - '0');
            den *= 10;
        }
    }
    uint64_t mul = unit;
    switch (*end | 32) {
    case 'b': mul = 1; end++; break;
    case 'k': mul = 1ull << 10; end++; break;
    case 'm': mul = 1ull << 20; end++; break;
    case 'g': mul = 1ull << 30; end++; break;
    case 't': mul = 1ull << 40; end++; break;
    default: break;
    }
    if (*end == 'i' && (end[1] | 32) == 'b') {
        end += 2; /* "GiB" */
    } else if ((*end | 32) == 'b' && end[1] == 0 && mul != 1) {
        end++; /* "GB", meaning the same in this place since ever */
    }
    if (*end || whole > (UINT64_MAX >> 1) / mul) {
        return false;
    }
    *bytes = whole * mul + (uint64_t)((unsigned __int128)num * mul / den);
    return true;
}

bool parse_uint(const char *text, uint64_t max, uint64_t *out)
{
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    char *end;
    uint64_t v = strtoull(text, &end, 0);
    if (errno || *end || v > max) {
        return false;
    }
    *out = v;
    return true;
}

bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"on", "yes", "true", "1", "y"};
    static const char *const no[] = {"off", "no", "false", "0", "n"};
    for (unsigned i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *out = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

bool keyval_parse(struct keyval *kv, const char *opt, const char *text, const char *implied,
                  struct err *err)
{
    memset(kv, 0, sizeof *kv);
    kv->opt = opt;
    size_t len = strlen(text);
    /* ",," collapses, so the copy never grows beyond one NUL for each item. */
    char *w = kv->buf = malloc(2 * len + 2);
    if (!w) {
        return err_set(err, ENOMEM, "%s: out of memory", opt);
    }
    const char *p = text;
    while (*p) {
        if (kv->count == KEYVAL_MAX) {
            return err_set(err, EINVAL, "%s: more than %d settings in \"%.60s\"", opt, KEYVAL_MAX,
                           text);
        }
        char *item = w, *eq = NULL;
        for (; *p; p++) {
            if (*p == ',') {
                if (p[1] != ',') {
                    break;
                }
                p++;
            } else if (*p == '=' && !eq) {
                eq = w;
            }
            *w++ = *p;
        }
        *w++ = 0;
        bool more = *p == ',';
        p += more;
        if (item[0] == 0) {
            return err_set(err, EINVAL, "%s: an empty setting in \"%.100s\"", opt, text);
        }
        if (eq) {
            *eq = 0;
            kv->key[kv->count] = item;
            kv->val[kv->count] = eq + 1;
        } else if (kv->count == 0 && implied) {
            kv->key[0] = implied;
            kv->val[0] = item;
        } else {
            kv->key[kv->count] = item;
            kv->val[kv->count] = "on";
            if (strncmp(item, "no", 2) == 0 && item[2] && strcmp(item, "nodelay") != 0) {
                kv->key[kv->count] = item + 2; /* nowait: wait=off */
                kv->val[kv->count] = "off";
            }
        }
        kv->count++;
    }
    return true;
}

void keyval_free(struct keyval *kv)
{
    free(kv->buf);
    memset(kv, 0, sizeof *kv);
}

const char *keyval_get(const struct keyval *kv, const char *key)
{
    for (unsigned i = kv->count; i-- > 0;) {
        if (strcmp(kv->key[i], key) == 0) {
            return kv->val[i];
        }
    }
    return NULL;
}

bool keyval_known(const struct keyval *kv, const char *const *known, struct err *err)
{
    for (unsigned i = 0; i < kv->count; i++) {
        unsigned j = 0;
        while (known[j] && strcmp(known[j], kv->key[i]) != 0) {
            j++;
        }
        if (!known[j]) {
            const char *near = suggest_in(kv->key[i], known);
            char list[160] = "";
            for (j = 0; known[j] && strlen(list) + strlen(known[j]) + 4 < sizeof list; j++) {
                strcat(list, j ? ", " : "");
                strcat(list, known[j]);
            }
            if (near) {
                return err_set(err, EINVAL, "%s: unknown setting \"%.60s\", did you mean \"%s\"?",
                               kv->opt, kv->key[i], near);
            }
            return err_set(err, EINVAL, "%s: unknown setting \"%.60s\", there are %s", kv->opt,
                           kv->key[i], list);
        }
    }
    return true;
}

bool keyval_bool(const struct keyval *kv, const char *key, bool *out, struct err *err)
{
    const char *v = keyval_get(kv, key);
    if (v && !parse_bool(v, out)) {
        return err_set(err, EINVAL, "%s: %s=%.60s must be %s=on or %s=off", kv->opt, key, v, key,
                       key);
    }
    return true;
}

bool keyval_uint(const struct keyval *kv, const char *key, uint64_t max, uint64_t *out,
                 struct err *err)
{
    const char *v = keyval_get(kv, key);
    if (v && !parse_uint(v, max, out)) {
        return err_set(err, EINVAL, "%s: %s=%.60s must be a number from 0 to %llu (0x%llx)",
                       kv->opt, key, v, (unsigned long long)max, (unsigned long long)max);
    }
    return true;
}
