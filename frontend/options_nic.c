/* Network cards on the command line: -device ne2k_pci and ne2k_isa, and the cards of -nic and
 * -net nic. */
#include "frontend/options_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/keyval.h"
#include "frontend/suggest.h"

static const char *const nic_models[] = {"ne2k_pci", "ne2k_isa", NULL};

static bool nic_mac(const char *opt, const char *text, uint8_t mac[6], struct err *err)
{
    unsigned v[6];
    char sep, end;
    bool ok = text[0] && strlen(text) == 17 && (text[2] == ':' || text[2] == '-');
    sep = ok ? text[2] : ':';
    for (unsigned i = 0; ok && i < 17; i++) {
        ok = i % 3 == 2 ? text[i] == sep : strchr("0123456789abcdefABCDEF", text[i]) != NULL;
    }
    const char *form = sep == '-' ? "%2x-%2x-%2x-%2x-%2x-%2x%c" : "%2x:%2x:%2x:%2x:%2x:%2x%c";
    ok = ok && sscanf(text, form, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &end) == 6;
    if (!ok) {
        return err_set(err, EINVAL, "%s: %.40s is no MAC address: say mac=52:54:00:12:34:56", opt,
                       text);
    }
    if ((v[0] & 1) || !(v[0] | v[1] | v[2] | v[3] | v[4] | v[5])) {
        return err_set(err, EINVAL, "%s: a card cannot have the %s address %.40s: say "
                       "mac=52:54:00:12:34:56", opt, (v[0] & 1) ? "group" : "empty", text);
    }
    for (unsigned i = 0; i < 6; i++) {
        mac[i] = (uint8_t)v[i];
    }
    return true;
}

static struct opt_nic *nic_new(struct options *o, const struct keyval *kv,
                               enum opt_nic_model model, const char *netdev, struct err *err)
{
    if (o->nics == OPT_NICS) {
        err_set(err, EINVAL, "%s: at most %d network cards", kv->opt, OPT_NICS);
        return NULL;
    }
    struct opt_nic *c = &o->nic[o->nics];
    *c = (struct opt_nic){.model = model, .opt = options_dup(o, kv->opt), .net = -1};
    c->netdev = netdev ? options_dup(o, netdev) : NULL;
    const char *mac = keyval_get(kv, "mac");
    mac = mac ? mac : keyval_get(kv, "macaddr");
    if (mac && !nic_mac(kv->opt, mac, c->mac, err)) {
        return NULL;
    }
    c->mac_given = mac != NULL;
    o->nics++;
    return c;
}

bool opt_nic_add(struct options *o, const struct keyval *kv, const char *netdev, struct err *err)
{
    const char *m = keyval_get(kv, "model");
    enum opt_nic_model model = OPT_NIC_PCI;
    if (m && (strcmp(m, "ne2k_isa") == 0 || strcmp(m, "ne2000") == 0)) {
        model = OPT_NIC_ISA;
    } else if (m && strcmp(m, "ne2k_pci") != 0) {
        const char *near = suggest_in(m, nic_models);
        return near ? err_set(err, EINVAL, "%s: there is no card \"%.40s\", did you mean "
                              "model=%s?", kv->opt, m, near)
                    : err_set(err, EINVAL, "%s: the card \"%.40s\" is not built: say "
                              "model=ne2k_pci or model=ne2k_isa", kv->opt, m);
    }
    return nic_new(o, kv, model, netdev, err) != NULL;
}

static bool nic_isa(struct opt_nic *c, const struct keyval *kv, struct err *err)
{
    uint64_t iobase = 0x300, irq = 9;
    if (!keyval_uint(kv, "iobase", 0xffff, &iobase, err) ||
        !keyval_uint(kv, "irq", 15, &irq, err)) {
        return false;
    }
    if (iobase < 0x200 || iobase > 0x3e0 || iobase % 32) {
        return err_set(err, EINVAL, "%s: iobase=0x%llx is no place for 32 ports: 0x200 to 0x3e0 in "
                       "steps of 0x20, usually 0x300", kv->opt, (unsigned long long)iobase);
    }
    if (irq < 3 || irq == 6 || irq == 8 || irq == 12 || irq == 13) {
        return err_set(err, EINVAL, "%s: irq=%llu is taken by the board: say 9 (or 3, 4, 5, 7, 10, "
                       "11, 14, 15 where nothing else sits)", kv->opt, (unsigned long long)irq);
    }
    c->iobase = keyval_get(kv, "iobase") ? (uint16_t)iobase : 0; /* 0: nic_isa_place() */
    c->irq = keyval_get(kv, "irq") ? (uint8_t)irq : 0;
    return true;
}

static bool nic_pci(struct options *o, struct opt_nic *c, const struct keyval *kv, struct err *err)
{
    const char *addr = keyval_get(kv, "addr"), *rom = keyval_get(kv, "romfile");
    const char *bus = keyval_get(kv, "bus");
    uint64_t slot = 0, rombar = 1;
    if (addr) {
        char copy[16];
        snprintf(copy, sizeof copy, "%s", addr);
        size_t n = strlen(copy);
        if (n > 2 && strcmp(copy + n - 2, ".0") == 0) {
            copy[n - 2] = 0; /* slot.function */
        }
        char *end;
        slot = strtoull(copy, &end, 16); /* QEMU reads it as hexadecimal, with or without 0x */
        if (*end || !copy[0] || slot < 3 || slot > 31) {
            return err_set(err, EINVAL, "%s: addr=%.20s is no free slot: 03 to 1f (hexadecimal)",
                           kv->opt, addr);
        }
    }
    if (bus && strcmp(bus, "pci.0") != 0) {
        return err_set(err, EINVAL, "%s: bus=%.20s: there is one PCI bus: say bus=pci.0", kv->opt,
                       bus);
    }
    if (!keyval_uint(kv, "rombar", 1, &rombar, err)) {
        return false;
    }
    c->slot = (uint8_t)slot;
    c->romfile = !rombar ? "" : rom ? options_dup(o, rom) : NULL;
    return true;
}

bool opt_device_nic(struct options *o, const struct keyval *kv, enum opt_nic_model model,
                    struct err *err)
{
    static const char *const known_pci[] = {"driver", "id", "netdev", "mac", "addr", "bus",
                                            "romfile", "rombar", "bootindex", NULL};
    static const char *const known_isa[] = {"driver", "id", "netdev", "mac", "iobase", "irq",
                                            NULL};
    const char *id = keyval_get(kv, "id");
    uint64_t boot = 0;
    if (!keyval_known(kv, model == OPT_NIC_PCI ? known_pci : known_isa, err) ||
        !keyval_uint(kv, "bootindex", 0x7fffffff, &boot, err)) {
        return false;
    }
    o->net_given = true;
    struct opt_nic *c = nic_new(o, kv, model, keyval_get(kv, "netdev"), err);
    if (!c || !(model == OPT_NIC_PCI ? nic_pci(o, c, kv, err) : nic_isa(c, kv, err))) {
        return false;
    }
    c->boot_rank = keyval_get(kv, "bootindex") ? (uint32_t)boot + 1 : 0;
    if (id && strlen(id) >= sizeof c->id) {
        return err_set(err, EINVAL, "%s: the id %.40s is too long: at most %zu characters", kv->opt,
                       id, sizeof c->id - 1);
    }
    snprintf(c->id, sizeof c->id, "%s", id ? id : "");
    return true;
}

/* ---- after the last word --------------------------------------------------------------- */

static bool nic_connect(struct options *o, unsigned at, struct err *err)
{
    struct opt_nic *c = &o->nic[at];
    for (unsigned i = 0; i < o->nets && c->net < 0; i++) {
        struct opt_net *n = &o->net[i];
        bool mine = c->netdev ? strcmp(n->id, c->netdev) == 0
                              : c->legacy && n->legacy && n->nic < 0;
        if (mine && n->nic >= 0) {
            return err_set(err, EINVAL, "%s: the network %s has a card already: give this one a "
                           "-netdev of its own", c->opt, n->id);
        }
        if (mine) {
            c->net = (int)i;
            n->nic = (int)at;
        }
    }
    if (c->netdev && c->net < 0) {
        return err_set(err, EINVAL, "%s: there is no -netdev with id=%.40s: add -netdev "
                       "user,id=%.40s", c->opt, c->netdev, c->netdev);
    }
    return true;
}

static void nic_default_mac(struct options *o, struct opt_nic *c)
{
    for (uint8_t last = 0x56;; last++) {
        bool used = false;
        memcpy(c->mac, "\x52\x54\x00\x12\x34", 5);
        c->mac[5] = last;
        for (unsigned i = 0; i < o->nics; i++) {
            used = used || (o->nic[i].mac_given && &o->nic[i] != c &&
                            memcmp(o->nic[i].mac, c->mac, 6) == 0);
        }
        if (!used) {
            c->mac_given = true;
            return;
        }
    }
}

/* Ports and interrupts of further ISA cards that have none given: the usual places. */
static void nic_isa_place(struct opt_nic *c, unsigned nth)
{
    static const struct {
        uint16_t iobase;
        uint8_t irq;
    } places[OPT_NICS] = {{0x300, 9}, {0x320, 10}, {0x340, 11}, {0x360, 5}};
    c->iobase = c->iobase ? c->iobase : places[nth].iobase;
    c->irq = c->irq ? c->irq : places[nth].irq;
}

static bool nic_names(struct options *o, struct err *err)
{
    unsigned count[2] = {0};
    for (unsigned i = 0; i < o->nics; i++) {
        struct opt_nic *c = &o->nic[i];
        unsigned nth = count[c->model]++;
        if (!c->id[0]) {
            snprintf(c->id, sizeof c->id, "%s.%u", nic_models[c->model], nth);
        }
        if (c->model == OPT_NIC_ISA) {
            nic_isa_place(c, nth);
        }
        if (!c->mac_given) {
            nic_default_mac(o, c);
        }
        for (unsigned j = 0; j < i; j++) {
            const struct opt_nic *d = &o->nic[j];
            if (strcmp(d->id, c->id) == 0) {
                return err_set(err, EINVAL, "%s id=%s is used twice", c->opt, c->id);
            }
            if (c->slot && c->slot == d->slot) {
                return err_set(err, EINVAL, "%s: two cards in slot %02x: give one another addr=",
                               c->opt, c->slot);
            }
            if (c->iobase && c->iobase == d->iobase) {
                return err_set(err, EINVAL, "%s: two cards at ports 0x%x: give one another "
                               "iobase=, as 0x320", c->opt, c->iobase);
            }
        }
    }
    return true;
}

bool opt_finish_nics(struct options *o, struct err *err)
{
    for (unsigned i = 0; i < o->nics; i++) {
        if (!nic_connect(o, i, err)) {
            return false;
        }
    }
    return nic_names(o, err);
}
