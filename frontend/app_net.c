/* Network cards and networks: from options to the machine's description, and their life. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "frontend/app_int.h"
#include "frontend/net/slirp.h"

enum { APP_ROM_MAX = 1 << 20 };

/* The boot ROM of a card: the one that was named, or iPXE's if it is installed. */
static bool app_rom(struct app *a, const struct opt_nic *c, struct blob *b, struct err *err)
{
    const struct options *o = &a->opts;
    const char *names[] = {c->romfile ? c->romfile : "pxe-ne2k_pci.rom", NULL};
    char path[600];
    if (c->model != OPT_NIC_PCI || (c->romfile && !c->romfile[0])) {
        return true;
    }
    if (c->romfile && (strchr(c->romfile, '/') || access(c->romfile, R_OK) == 0)) {
        snprintf(path, sizeof path, "%s", c->romfile);
    } else if (!firmware_find(path, sizeof path, o->libdir, o->libdirs, names)) {
        return !c->romfile || err_set(err, ENOENT, "%s: romfile=%s: not found; give a path, or say "
                                      "-L DIR", c->opt, c->romfile);
    }
    if (!loader_read(b, c->opt, path, APP_ROM_MAX, err)) {
        return false;
    }
    if (b->len < 512 || b->data[0] != 0x55 || b->data[1] != 0xaa) {
        return err_set(err, EINVAL, "%s: romfile=%s is no option ROM (it does not begin with 55 "
                       "AA)", c->opt, path);
    }
    return true;
}

bool app_load_roms(struct app *a, struct err *err)
{
    for (unsigned i = 0; i < a->opts.nics; i++) {
        if (!app_rom(a, &a->opts.nic[i], &a->nic_rom[i], err)) {
            return false;
        }
    }
    return true;
}

void app_net_config(struct app *a)
{
    const struct options *o = &a->opts;
    for (unsigned i = 0; i < o->nics; i++) {
        const struct opt_nic *c = &o->nic[i];
        struct machine_nic *n = &a->cfg.nic[i];
        net_port_init(&a->nets[i], c, c->net < 0 ? NULL : &o->net[c->net]);
        n->model = c->model == OPT_NIC_PCI ? MACHINE_NIC_NE2K_PCI : MACHINE_NIC_NE2K_ISA;
        n->net = &a->nets[i].net;
        n->iobase = c->iobase;
        n->irq = c->irq;
        n->slot = c->slot;
        n->rom = (struct machine_blob){a->nic_rom[i].data, a->nic_rom[i].len};
        n->boot_rank = c->boot_rank;
    }
}

bool app_open_nets(struct app *a, struct err *err)
{
    for (unsigned i = 0; i < a->opts.nics; i++) {
        struct net_port *p = &a->nets[i];
        if (p->opt && p->opt->fallback && !net_slirp_built()) {
            p->opt = NULL; /* nobody asked for it */
        }
        if (!net_port_open(p, a->machine, a->runner, err)) {
            return false;
        }
    }
    return true;
}

void app_close_nets(struct app *a)
{
    for (unsigned i = 0; i < OPT_NICS; i++) {
        net_port_close(&a->nets[i]);
    }
}

vtime app_tick(void *ctx, vtime now, bool *waiting)
{
    struct app *a = ctx;
    vtime due = VTIME_NEVER;
    for (unsigned i = 0; i < a->opts.nics; i++) {
        vtime at = net_tick(&a->nets[i], now, waiting);
        due = at < due ? at : due;
    }
    return due;
}
