/* -nic, -net, -netdev, -object filter-dump: what is on the other side of a network card.  Spellings
 * as in qemu(1), "Network options"; where a default differs it is safer or repeatable: forwards
 * bind to 127.0.0.1, IPv6 is off (its router advertisements come at random times). NOT IMPLEMENTED:
 * tap, socket, bridge and other networks; hubs; guestfwd=, smb=. */
#include "frontend/options_set.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/keyval.h"
#include "frontend/suggest.h"

#define NET_USER_KEYS                                                                              \
    "net", "host", "dhcpstart", "dns", "hostname", "domainname", "dnssearch", "restrict", "tftp",  \
        "tftp-server-name", "bootfile", "hostfwd", "pcap", "ipv4", "ipv6", "guestfwd", "smb",      \
        "smbserver"
#define NET_LOOPBACK 0x7f000001u

static const char net_help[] =
    "user    NAT by libslirp: the guest reaches the network with this user's rights.\n"
    "  net=10.0.2.0/24      the guest's network      host=10.0.2.2  gateway, and the host itself\n"
    "  dhcpstart=10.0.2.15  what DHCP gives          dns=10.0.2.3   name server\n"
    "  hostname=, domainname=, dnssearch= (may be repeated)  further words of DHCP\n"
    "  restrict=on          the guest reaches nothing but hostfwd= connections and tftp=\n"
    "  hostfwd=tcp|udp:[HOSTADDR]:PORT-[GUESTADDR]:PORT  (may be repeated) a port of the host for\n"
    "                       a port of the guest; on 127.0.0.1 unless HOSTADDR is written out\n"
    "  tftp=DIR, bootfile=F, tftp-server-name=  boot by network from the files in DIR\n"
    "  ipv6=on              IPv6 too, fec0::/64\n"
    "  pcap=FILE            capture all frames\n"
    "none    nothing on the wire (-nic none: no card at all)\n";

/* ---- pieces ---------------------------------------------------------------------------- */

char *opt_addr_text(uint32_t addr, char text[16])
{
    struct in_addr in = {.s_addr = htonl(addr)};
    inet_ntop(AF_INET, &in, text, 16);
    return text;
}

static bool net_addr(const char *text, uint32_t *addr)
{
    struct in_addr in;
    if (inet_pton(AF_INET, text, &in) != 1) {
        return false;
    }
    *addr = ntohl(in.s_addr);
    return true;
}

/* "[ADDR]:PORT" */
static bool net_end(char *text, uint32_t *addr, uint16_t *port)
{
    uint64_t n;
    char *colon = strrchr(text, ':');
    if (!colon) {
        return false;
    }
    *colon = 0;
    if (text[0] && !net_addr(text, addr)) {
        return false;
    }
    if (!parse_uint(colon + 1, 65535, &n) || n == 0) {
        return false;
    }
    *port = (uint16_t)n;
    return true;
}

static bool net_fwd(const char *what, const char *text, bool whole, struct opt_fwd *f,
                    struct err *err)
{
    char copy[100], *dash = NULL;
    const char *form = whole ? "tcp::8080-:80 or udp:127.0.0.1:5300-10.0.2.15:53" : "tcp::8080";
    *f = (struct opt_fwd){.host_addr = NET_LOOPBACK};
    bool ok = strlen(text) < sizeof copy;
    char *p = strcpy(copy, ok ? text : "");
    if (strncmp(p, "tcp:", 4) == 0 || strncmp(p, "udp:", 4) == 0) {
        f->udp = p[0] == 'u';
        p += 4;
    } else if (p[0] == ':') {
        p++; /* QEMU's short form for TCP */
    } else {
        ok = false;
    }
    if (ok && whole) {
        dash = strchr(p, '-');
        ok = dash != NULL;
        if (dash) {
            *dash++ = 0;
        }
    }
    ok = ok && net_end(p, &f->host_addr, &f->host_port) &&
         (!whole || net_end(dash, &f->guest_addr, &f->guest_port));
    return ok || err_set(err, EINVAL, "%s: %.80s is no forward of a port: say %s (addresses are "
                         "numbers, ports 1 to 65535)", what, text, form);
}

bool opt_parse_fwd(const char *what, const char *text, struct opt_fwd *fwd, struct err *err)
{
    return net_fwd(what, text, true, fwd, err);
}

bool opt_parse_fwd_host(const char *what, const char *text, struct opt_fwd *fwd, struct err *err)
{
    return net_fwd(what, text, false, fwd, err);
}

static struct opt_net *net_find(struct options *o, const char *id)
{
    for (unsigned i = 0; i < o->nets; i++) {
        if (strcmp(o->net[i].id, id) == 0) {
            return &o->net[i];
        }
    }
    return NULL;
}

static struct opt_net *net_add(struct options *o, const char *opt, struct err *err)
{
    if (o->nets == OPT_NETS) {
        err_set(err, EINVAL, "%s: more than %d networks", opt, OPT_NETS);
        return NULL;
    }
    struct opt_net *n = &o->net[o->nets];
    *n = (struct opt_net){.opt = options_dup(o, opt), .nic = -1, .net = 0x0a000200,
                          .mask = 0xffffff00};
    snprintf(n->id, sizeof n->id, "user.%u", o->nets);
    o->nets++;
    o->net_given = true;
    return n;
}

static bool net_id(struct options *o, struct opt_net *n, const struct keyval *kv, struct err *err)
{
    const char *id = keyval_get(kv, "id");
    id = id ? id : keyval_get(kv, "name");
    if (!id) {
        return true;
    }
    if (!id[0] || strlen(id) >= sizeof n->id) {
        return err_set(err, EINVAL, "%s needs a short id: id=net0", kv->opt);
    }
    struct opt_net *other = net_find(o, id);
    if (other && other != n) {
        return err_set(err, EINVAL, "%s id=%s is used twice", kv->opt, id);
    }
    strcpy(n->id, id);
    return true;
}

/* ---- user ------------------------------------------------------------------------------ */

static bool net_user_range(struct opt_net *n, const char *value, const char *opt, struct err *err)
{
    char copy[40];
    uint64_t bits = 24;
    snprintf(copy, sizeof copy, "%s", value);
    char *slash = strchr(copy, '/');
    bool ok = true;
    if (slash) {
        *slash++ = 0;
        uint32_t mask;
        if (net_addr(slash, &mask)) {
            bits = 0;
            while (bits < 32 && (mask & (0x80000000u >> bits))) {
                bits++;
            }
            ok = bits == 32 ? mask == UINT32_MAX : (mask << bits) == 0;
        } else {
            ok = parse_uint(slash, 32, &bits);
        }
    }
    if (!ok || !net_addr(copy, &n->net) || bits < 4 || bits > 28) {
        return err_set(err, EINVAL, "%s: net=%.40s is no network: say net=10.0.2.0/24 (/4 to /28)",
                       opt, value);
    }
    n->mask = UINT32_MAX << (32 - bits);
    n->net &= n->mask;
    return true;
}

static bool net_user_addr(const struct keyval *kv, const char *key, const struct opt_net *n,
                          uint32_t fallback, uint32_t *addr, struct err *err)
{
    char low[16], high[16];
    const char *v = keyval_get(kv, key);
    *addr = n->net | fallback;
    if (v && !net_addr(v, addr)) {
        return err_set(err, EINVAL, "%s: %s=%.40s is no address: say %s=%s", kv->opt, key, v, key,
                       opt_addr_text(n->net | fallback, low));
    }
    if ((*addr & n->mask) != n->net || (*addr & ~n->mask) == 0 ||
        (*addr & ~n->mask) == ~n->mask) {
        return err_set(err, EINVAL, "%s: %s=%.40s is outside the network: %s to %s", kv->opt, key,
                       v, opt_addr_text(n->net + 1, low),
                       opt_addr_text((n->net | ~n->mask) - 1, high));
    }
    return true;
}

static bool net_user_addrs(struct opt_net *n, const struct keyval *kv, struct err *err)
{
    const char *v = keyval_get(kv, "net");
    if (v && !net_user_range(n, v, kv->opt, err)) {
        return false;
    }
    /* the last 16 addresses would not hold 15 next to the broadcast address: 14 then */
    uint32_t dhcp = ~n->mask > 15 ? 15 : 14;
    if (!net_user_addr(kv, "host", n, 2, &n->host, err) ||
        !net_user_addr(kv, "dhcpstart", n, dhcp, &n->dhcp, err) ||
        !net_user_addr(kv, "dns", n, 3, &n->dns, err)) {
        return false;
    }
    if (n->host == n->dns || n->host == n->dhcp || n->dns == n->dhcp) {
        return err_set(err, EINVAL, "%s: host, dns and dhcpstart must be three addresses: say "
                       "host=10.0.2.2,dns=10.0.2.3,dhcpstart=10.0.2.15", kv->opt);
    }
    return true;
}

/* A word for a DHCP reply. */
static bool net_user_word(struct options *o, const struct keyval *kv, const char *key, size_t max,
                          const char **out, struct err *err)
{
    const char *v = keyval_get(kv, key);
    if (v && (!v[0] || strlen(v) > max)) {
        return err_set(err, EINVAL, "%s: %s=%.40s must have 1 to %zu characters", kv->opt, key, v,
                       max);
    }
    *out = v ? options_dup(o, v) : NULL;
    return true;
}

/* Settings that come several times. */
static bool net_user_lists(struct options *o, struct opt_net *n, const struct keyval *kv,
                           struct err *err)
{
    for (unsigned i = 0; i < kv->count; i++) {
        const char *key = kv->key[i], *val = kv->val[i];
        if (strcmp(key, "hostfwd") == 0) {
            if (n->fwds == OPT_FWDS) {
                return err_set(err, EINVAL, "%s: more than %d hostfwd=", kv->opt, OPT_FWDS);
            }
            if (!opt_parse_fwd(kv->opt, val, &n->fwd[n->fwds++], err)) {
                return false;
            }
        } else if (strcmp(key, "dnssearch") == 0) {
            if (n->searches == OPT_SEARCHES || !val[0] || strlen(val) > 200) {
                return err_set(err, EINVAL, "%s: dnssearch=%.40s: at most %d domains, each of up "
                               "to 200 characters", kv->opt, val, OPT_SEARCHES);
            }
            n->search[n->searches++] = options_dup(o, val);
        } else if (strcmp(key, "guestfwd") == 0 || strncmp(key, "smb", 3) == 0) {
            return err_set(err, EINVAL, "%s: %s= comes with a later version: leave it out (the "
                           "guest reaches the host as %s)", kv->opt, key, "10.0.2.2");
        }
    }
    return true;
}

static bool net_user(struct options *o, struct opt_net *n, const struct keyval *kv,
                     struct err *err)
{
    bool ipv4 = true;
    n->kind = OPT_NET_USER;
    if (!net_user_addrs(n, kv, err) || !keyval_bool(kv, "restrict", &n->restricted, err) ||
        !keyval_bool(kv, "ipv4", &ipv4, err) || !keyval_bool(kv, "ipv6", &n->ipv6, err) ||
        !net_user_word(o, kv, "hostname", 32, &n->hostname, err) ||
        !net_user_word(o, kv, "domainname", 200, &n->domain, err) ||
        !net_user_word(o, kv, "bootfile", 127, &n->bootfile, err) ||
        !net_user_word(o, kv, "tftp-server-name", 60, &n->tftp_name, err) ||
        !net_user_word(o, kv, "tftp", 3000, &n->tftp, err) ||
        !net_user_word(o, kv, "pcap", 3000, &n->pcap, err) ||
        !net_user_lists(o, n, kv, err)) {
        return false;
    }
    return ipv4 || err_set(err, EINVAL, "%s: ipv4=off is not built: leave it out", kv->opt);
}

/* The kind's name; later and unknown ones are told. */
static bool net_kind(const char *opt, const char *kind, struct err *err)
{
    static const char *const kinds[] = {"user", "none", NULL};
    static const char *const later[] = {"tap", "socket", "bridge", "stream", "dgram", "hubport",
                                        "l2tpv3", "vde", "vhost-user", "vhost-vdpa", "passt",
                                        "af-xdp", "netmap", NULL};
    bool netdev = strcmp(opt, "-netdev") == 0;
    for (unsigned i = 0; kinds[i] && kind; i++) {
        if (strcmp(kind, kinds[i]) == 0 && !(netdev && i == 1)) {
            return true;
        }
    }
    const char *good = netdev ? "-netdev user,id=ID" : "-nic user or -nic none";
    for (unsigned i = 0; later[i] && kind; i++) {
        if (strcmp(kind, later[i]) == 0) {
            return err_set(err, EINVAL, "%s %s: such networks come with a later version: say %s",
                           opt, kind, good);
        }
    }
    const char *near = kind ? suggest_in(kind, kinds) : NULL;
    return near && !netdev
               ? err_set(err, EINVAL, "%s %.40s: did you mean %s %s?", opt, kind, opt, near)
               : err_set(err, EINVAL, "%s %.40s: there is no such network: say %s", opt,
                         kind ? kind : "", good);
}

/* ---- the options ----------------------------------------------------------------------- */

static bool net_show_help(struct options *o, const char *arg)
{
    if (strcmp(arg, "help") != 0 && strcmp(arg, "?") != 0) {
        return false;
    }
    o->action = OPT_TEXT;
    o->text = net_help;
    return true;
}

bool opt_netdev(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"type", "id", NET_USER_KEYS, NULL};
    struct keyval kv = {0};
    struct opt_net *n;
    if (net_show_help(o, arg)) {
        return true;
    }
    bool ok = keyval_parse(&kv, opt, arg, "type", err) &&
              net_kind(opt, keyval_get(&kv, "type"), err) && keyval_known(&kv, known, err);
    if (ok && !keyval_get(&kv, "id")) {
        ok = err_set(err, EINVAL, "-netdev %.60s needs an id: -netdev user,id=net0 -device "
                     "ne2k_pci,netdev=net0", arg);
    }
    ok = ok && (n = net_add(o, opt, err)) && net_id(o, n, &kv, err) && net_user(o, n, &kv, err);
    keyval_free(&kv);
    return ok;
}

bool opt_nic(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"type", "id", "model", "mac", "macaddr", NET_USER_KEYS,
                                        NULL};
    static const char *const known_none[] = {"type", NULL};
    struct keyval kv = {0};
    struct opt_net *n = NULL;
    if (net_show_help(o, arg)) {
        return true;
    }
    bool ok = keyval_parse(&kv, opt, arg, "type", err);
    const char *model = ok ? keyval_get(&kv, "model") : NULL;
    if (model && strcmp(model, "help") == 0) {
        keyval_free(&kv);
        o->action = OPT_TEXT;
        o->text = "ne2k_pci    NE2000 on PCI (RTL8029AS), the default\n"
                  "ne2k_isa    NE2000 on ISA, ports 300h, IRQ 9\n";
        return true;
    }
    const char *kind = ok ? keyval_get(&kv, "type") : NULL;
    ok = ok && net_kind(opt, kind, err);
    if (ok && kind[0] == 'n') {
        o->net_given = true;
        ok = keyval_known(&kv, known_none, err);
    } else if (ok) {
        ok = keyval_known(&kv, known, err) && (n = net_add(o, opt, err)) &&
             net_id(o, n, &kv, err) && net_user(o, n, &kv, err) &&
             opt_nic_add(o, &kv, n->id, err);
    }
    keyval_free(&kv);
    return ok;
}

bool opt_net(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known_user[] = {"type", "id", "name", NET_USER_KEYS, NULL};
    static const char *const known_nic[] = {"type", "id", "name", "model", "mac", "macaddr",
                                            "addr", "netdev", "vectors", NULL};
    struct keyval kv = {0};
    struct opt_net *n;
    if (net_show_help(o, arg)) {
        return true;
    }
    bool ok = keyval_parse(&kv, opt, arg, "type", err);
    const char *kind = ok ? keyval_get(&kv, "type") : NULL;
    if (!ok) {
    } else if (kind && strcmp(kind, "nic") == 0) {
        o->net_given = true;
        ok = keyval_known(&kv, known_nic, err) &&
             opt_nic_add(o, &kv, keyval_get(&kv, "netdev"), err);
        if (ok) {
            o->nic[o->nics - 1].legacy = !keyval_get(&kv, "netdev");
        }
    } else if (kind && strcmp(kind, "user") == 0) {
        ok = keyval_known(&kv, known_user, err) && (n = net_add(o, opt, err)) &&
             net_id(o, n, &kv, err) && net_user(o, n, &kv, err);
        if (ok) {
            n->legacy = true;
        }
    } else if (kind && strcmp(kind, "none") == 0) {
        o->net_given = true;
    } else {
        static const char *const words[] = {"nic", "user", "none", NULL};
        const char *near = kind ? suggest_in(kind, words) : NULL;
        ok = near ? err_set(err, EINVAL, "-net %.40s: did you mean -net %s?", kind, near)
                  : err_set(err, EINVAL, "-net %.40s is not built: say -net nic -net user, or "
                            "-nic user", kind ? kind : arg);
    }
    keyval_free(&kv);
    return ok;
}

bool opt_object(struct options *o, const char *opt, const char *arg, struct err *err)
{
    static const char *const known[] = {"qom-type", "id", "netdev", "file", "maxlen", "queue",
                                        NULL};
    struct keyval kv = {0};
    uint64_t maxlen = 65536;
    bool ok = keyval_parse(&kv, opt, arg, "qom-type", err);
    const char *type = ok ? keyval_get(&kv, "qom-type") : NULL;
    if (ok && (!type || strcmp(type, "filter-dump") != 0)) {
        ok = err_set(err, EINVAL, "-object %.60s is not built: there is filter-dump", arg);
    }
    ok = ok && keyval_known(&kv, known, err) && keyval_uint(&kv, "maxlen", 65536, &maxlen, err);
    const char *netdev = ok ? keyval_get(&kv, "netdev") : NULL;
    const char *file = ok ? keyval_get(&kv, "file") : NULL;
    if (ok && (!netdev || !file || !file[0])) {
        ok = err_set(err, EINVAL, "-object filter-dump needs netdev= and file=: -object "
                     "filter-dump,id=f0,netdev=net0,file=net.pcap");
    }
    if (ok && o->dumps == OPT_NETS) {
        ok = err_set(err, EINVAL, "-object: more than %d captures", OPT_NETS);
    }
    if (ok) { /* the -netdev may come later */
        o->dump[o->dumps].netdev = options_dup(o, netdev);
        o->dump[o->dumps].file = options_dup(o, file);
        o->dump[o->dumps++].max = (uint32_t)maxlen;
    }
    keyval_free(&kv);
    return ok;
}

/* ---- after the last word --------------------------------------------------------------- */

static bool net_dumps(struct options *o, struct err *err)
{
    for (unsigned i = 0; i < o->dumps; i++) {
        struct opt_net *n = net_find(o, o->dump[i].netdev);
        if (!n) {
            return err_set(err, EINVAL, "-object filter-dump: there is no -netdev with id=%.40s",
                           o->dump[i].netdev);
        }
        if (n->pcap) {
            return err_set(err, EINVAL, "-object filter-dump: %s is captured into %.60s already",
                           n->id, n->pcap);
        }
        n->pcap = o->dump[i].file;
        n->pcap_max = o->dump[i].max;
    }
    return true;
}

static bool net_default(struct options *o, struct err *err)
{
    struct keyval none = {.opt = "-nic"};
    struct opt_net *n = net_add(o, "-nic", err);
    if (!n || !net_user(o, n, &none, err) || !opt_nic_add(o, &none, n->id, err)) {
        return false;
    }
    n->fallback = true;
    return true;
}

bool opt_finish_nets(struct options *o, struct err *err)
{
    if (!o->net_given && !o->nodefaults && !net_default(o, err)) {
        return false;
    }
    if (!opt_finish_nics(o, err) || !net_dumps(o, err)) {
        return false;
    }
    for (unsigned i = 0; i < o->nets; i++) {
        const struct opt_net *n = &o->net[i];
        if (n->nic < 0 && n->legacy) {
            return err_set(err, EINVAL, "-net user is connected to no card: add -net nic, or say "
                           "-nic user (each card has a network of its own)");
        }
        if (n->nic < 0) {
            return err_set(err, EINVAL, "-netdev id=%s is connected to no card: add -device "
                           "ne2k_pci,netdev=%s", n->id, n->id);
        }
    }
    return true;
}
