/* -smbios, -uuid, -fw_cfg, -parallel, -no-acpi, -no-hpet: what firmware and guests read about the
 * machine.  Names of fields: qemu(1), "-smbios". */
#include "frontend/options_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frontend/keyval.h"

bool opt_no_acpi(struct options *o, const char *opt, const char *arg, struct err *err)
{
    (void)opt, (void)arg, (void)err;
    o->no_acpi = true;
    return true;
}

bool opt_no_hpet(struct options *o, const char *opt, const char *arg, struct err *err)
{
    (void)opt, (void)arg, (void)err;
    o->no_hpet = true;
    return true;
}

/* 8-4-4-4-12 hexadecimal digits, or all 32 together. */
static bool fw_parse_uuid(const char *text, uint8_t out[16])
{
    unsigned n = 0;
    size_t len = strlen(text);
    if (len != 36 && len != 32) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (len == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text[i] != '-') {
                return false;
            }
            continue;
        }
        if (!isxdigit((unsigned char)text[i])) {
            return false;
        }
        unsigned digit = (unsigned)(text[i] <= '9' ? text[i] - '0' : (text[i] | 32) - 'a' + 10);
        out[n / 2] = (uint8_t)(n & 1 ? out[n / 2] | digit : digit << 4);
        n++;
    }
    return true;
}

bool opt_uuid(struct options *o, const char *opt, const char *arg, struct err *err)
{
    struct smbios_fields *t = &o->smbios[1];
    if (!fw_parse_uuid(arg, t->uuid)) {
        return err_set(err, EINVAL, "%s %.60s is not a UUID: say %s "
                       "550e8400-e29b-41d4-a716-446655440000", opt, arg, opt);
    }
    t->has_uuid = true;
    return true;
}

static bool fw_release(struct smbios_fields *t, const char *v, struct err *err)
{
    unsigned major, minor;
    int end = 0;
    if (sscanf(v, "%3u.%3u%n", &major, &minor, &end) != 2 || v[end] || major > 255 ||
        minor > 255) {
        return err_set(err, EINVAL, "-smbios release=%.40s: say release=MAJOR.MINOR, each 0 to "
                       "255", v);
    }
    t->major = (uint8_t)major;
    t->minor = (uint8_t)minor;
    t->has_release = true;
    return true;
}

/* The strings of each type; NULL ends the list, where keys that are no strings follow in known[].
 */
struct fw_string {
    const char *key;
    size_t at;
};
#define AT(field) {#field, offsetof(struct smbios_fields, field)}
static const struct fw_string fw_strings[SMBIOS_TYPES][8] = {
    {AT(vendor), AT(version), AT(date)},
    {AT(manufacturer), AT(product), AT(version), AT(serial), AT(sku), AT(family)},
    {AT(manufacturer), AT(product), AT(version), AT(serial), AT(asset), AT(location)},
    {AT(manufacturer), AT(version), AT(serial), AT(asset), AT(sku)},
    {AT(sock_pfx), AT(manufacturer), AT(version), AT(serial), AT(asset), AT(part)},
};
static const char *const fw_known[SMBIOS_TYPES][12] = {
    {"type", "vendor", "version", "date", "release", "uefi"},
    {"type", "manufacturer", "product", "version", "serial", "uuid", "sku", "family"},
    {"type", "manufacturer", "product", "version", "serial", "asset", "location"},
    {"type", "manufacturer", "version", "serial", "asset", "sku"},
    {"type", "sock_pfx", "manufacturer", "version", "serial", "asset", "part"},
};

static bool fw_smbios_strings(struct options *o, const struct keyval *kv, unsigned type,
                              struct err *err)
{
    for (const struct fw_string *s = fw_strings[type]; s->key; s++) {
        const char *v = keyval_get(kv, s->key);
        if (v && strlen(v) > SMBIOS_STRING_MAX) {
            return err_set(err, EINVAL, "-smbios type=%u,%s has %zu characters, at most %d fit",
                           type, s->key, strlen(v), SMBIOS_STRING_MAX);
        }
        if (v) {
            *(const char **)(void *)((char *)&o->smbios[type] + s->at) = options_dup(o, v);
        }
    }
    return true;
}

bool opt_smbios(struct options *o, const char *opt, const char *arg, struct err *err)
{
    struct keyval kv = {0};
    uint64_t type = 0;
    bool ok = keyval_parse(&kv, opt, arg, NULL, err);
    const char *text = ok ? keyval_get(&kv, "type") : NULL;
    if (!ok) {
    } else if (keyval_get(&kv, "file")) {
        ok = err_set(err, EINVAL, "-smbios file= is not built: say -smbios "
                     "type=1,manufacturer=NAME,serial=TEXT");
    } else if (!text) {
        ok = err_set(err, EINVAL, "-smbios %.60s needs a type: -smbios type=1,serial=TEXT", arg);
    } else if (!parse_uint(text, SMBIOS_TYPES - 1, &type)) {
        ok = err_set(err, EINVAL, "-smbios type=%.40s: the types that can be set are 0 (BIOS), 1 "
                     "(system), 2 (board), 3 (chassis) and 4 (processor)", text);
    } else {
        struct smbios_fields *t = &o->smbios[type];
        char name[24];
        snprintf(name, sizeof name, "-smbios type=%u", (unsigned)type);
        kv.opt = name;
        ok = keyval_known(&kv, fw_known[type], err) &&
             fw_smbios_strings(o, &kv, (unsigned)type, err);
        const char *release = ok ? keyval_get(&kv, "release") : NULL;
        const char *uuid = ok ? keyval_get(&kv, "uuid") : NULL;
        ok = ok && keyval_bool(&kv, "uefi", &t->uefi, err) &&
             (!release || fw_release(t, release, err)) &&
             (!uuid || opt_uuid(o, "-uuid", uuid, err));
        t->given = true;
    }
    keyval_free(&kv);
    return ok;
}

bool opt_fw_cfg(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"name", "string", "file", NULL};
    struct keyval kv = {0};
    bool ok = keyval_parse(&kv, opt, arg, "name", err) && keyval_known(&kv, known, err);
    const char *name = ok ? keyval_get(&kv, "name") : NULL;
    const char *string = ok ? keyval_get(&kv, "string") : NULL;
    const char *file = ok ? keyval_get(&kv, "file") : NULL;
    if (!ok) {
    } else if (!name || strncmp(name, "opt/", 4) != 0 || !name[4] || strlen(name) > 55) {
        ok = err_set(err, EINVAL, "%s name=%.60s: names begin with opt/ and have up to 55 "
                     "characters: say %s name=opt/org.example/x,string=TEXT", opt,
                     name ? name : "", opt);
    } else if (!string == !file) {
        ok = err_set(err, EINVAL, "%s name=%s needs string=TEXT or file=FILE, one of them", opt,
                     name);
    } else if (o->fw_files == OPT_FW_FILES) {
        ok = err_set(err, EINVAL, "%s: more than %d of them", opt, OPT_FW_FILES);
    } else {
        o->fw_file[o->fw_files++] = (struct opt_fw_file){
            .name = options_dup(o, name), .string = string ? options_dup(o, string) : NULL,
            .file = file ? options_dup(o, file) : NULL};
    }
    for (unsigned i = 0; ok && i + 1 < o->fw_files; i++) {
        if (strcmp(o->fw_file[i].name, name) == 0) {
            ok = err_set(err, EINVAL, "%s name=%s is given twice", opt, name);
        }
    }
    keyval_free(&kv);
    return ok;
}

bool opt_parallel(struct options *o, const char *opt, const char *arg, struct err *err)
{
    if (o->parallels == OPT_PARALLELS) {
        return err_set(err, EINVAL, "%s: at most %d parallel ports", opt, OPT_PARALLELS);
    }
    struct opt_port *p = &o->parallel[o->parallels++];
    p->present = strcmp(arg, "none") != 0; /* the number stays reserved */
    return opt_char_spec(o, opt, arg, p->chr, NULL, err);
}
