/* -smp: processors, and how they are laid out in sockets, cores and threads.  Names and meaning as
 * QEMU's (qemu(1), "-smp"): what is not said is calculated, sockets before cores before threads.
 * NOT IMPLEMENTED: dies, clusters, books, drawers, modules (only 1 of each). */
#include <errno.h>
#include <string.h>

#include "frontend/keyval.h"
#include "frontend/options_set.h"
#include "machine/config.h"

struct smp {
    uint64_t cpus, maxcpus, sockets, cores, threads; /* 0: not said */
};

static bool smp_number(const struct keyval *kv, const char *key, uint64_t *out, struct err *err)
{
    const char *text = keyval_get(kv, key);
    if (text && (!parse_uint(text, 65535, out) || *out == 0)) {
        return err_set(err, EINVAL, "-smp %s=%.40s is not a number of processors: say -smp %s=2",
                       key, text, key);
    }
    return true;
}

/* As QEMU's machine_parse_smp_config(): what is missing follows from the rest. */
static void smp_complete(struct smp *s)
{
    if (s->cpus || s->maxcpus) {
        uint64_t all = s->maxcpus ? s->maxcpus : s->cpus;
        if (!s->sockets) {
            s->cores = s->cores ? s->cores : 1;
            s->threads = s->threads ? s->threads : 1;
            s->sockets = all / (s->cores * s->threads);
        } else if (!s->cores) {
            s->threads = s->threads ? s->threads : 1;
            s->cores = all / (s->sockets * s->threads);
        }
        if (!s->threads && s->sockets && s->cores) {
            s->threads = all / (s->sockets * s->cores);
        }
    }
    s->sockets = s->sockets ? s->sockets : 1;
    s->cores = s->cores ? s->cores : 1;
    s->threads = s->threads ? s->threads : 1;
    uint64_t product = s->sockets * s->cores * s->threads;
    s->maxcpus = s->maxcpus ? s->maxcpus : s->cpus ? s->cpus : product;
    s->cpus = s->cpus ? s->cpus : s->maxcpus;
}

static bool smp_check(const struct smp *s, const char *arg, struct err *err)
{
    uint64_t product = s->sockets * s->cores * s->threads;
    if (s->cpus > MACHINE_CPUS || s->maxcpus > MACHINE_CPUS || product > MACHINE_CPUS) {
        return err_set(err, EINVAL, "-smp %.60s: a machine has 1 to %d processors: say -smp %d",
                       arg, MACHINE_CPUS, MACHINE_CPUS);
    }
    if (s->maxcpus < s->cpus) {
        return err_set(err, EINVAL, "-smp %.60s: maxcpus=%llu is less than cpus=%llu", arg,
                       (unsigned long long)s->maxcpus, (unsigned long long)s->cpus);
    }
    if (product != s->maxcpus) {
        return err_set(err, EINVAL, "-smp %.60s: sockets=%llu times cores=%llu times threads=%llu "
                       "is %llu, not %llu", arg, (unsigned long long)s->sockets,
                       (unsigned long long)s->cores, (unsigned long long)s->threads,
                       (unsigned long long)product, (unsigned long long)s->maxcpus);
    }
    return true;
}

bool opt_smp(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"cpus", "sockets", "cores", "threads", "maxcpus", "dies",
                                        "clusters", "modules", NULL};
    static const char *const one[] = {"dies", "clusters", "modules"};
    struct keyval kv;
    struct smp s = {0};
    bool ok = keyval_parse(&kv, opt, arg, "cpus", err) && keyval_known(&kv, known, err) &&
              smp_number(&kv, "cpus", &s.cpus, err) &&
              smp_number(&kv, "sockets", &s.sockets, err) &&
              smp_number(&kv, "cores", &s.cores, err) &&
              smp_number(&kv, "threads", &s.threads, err) &&
              smp_number(&kv, "maxcpus", &s.maxcpus, err);
    for (unsigned i = 0; ok && i < sizeof one / sizeof one[0]; i++) {
        const char *text = keyval_get(&kv, one[i]);
        if (text && strcmp(text, "1") != 0) {
            ok = err_set(err, EINVAL, "-smp %s=%.40s: there is one: leave it out", one[i], text);
        }
    }
    if (ok) {
        smp_complete(&s);
        ok = smp_check(&s, arg, err);
    }
    if (ok) {
        o->cpus = (unsigned)s.cpus;
        o->max_cpus = (unsigned)s.maxcpus;
        o->cores = (unsigned)s.cores;
        o->threads = (unsigned)s.threads;
    }
    keyval_free(&kv);
    return ok;
}
