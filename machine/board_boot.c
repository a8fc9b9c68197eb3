/* The boot order that the user wrote down device by device, as SeaBIOS's "bootorder" file: one
 * Open Firmware path a line, the first first.  Devices without a rank follow in the order of the
 * CMOS letters (-boot). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/board_int.h"

enum { BOOT_PATH = 80, BOOT_ENTRIES = MACHINE_IDE + MACHINE_FLOPPIES + MACHINE_NICS };

struct boot_entry {
    uint32_t rank;
    char path[BOOT_PATH];
};
struct boot_list {
    struct boot_entry e[BOOT_ENTRIES];
    unsigned count;
};

/* A place for a device of this rank, behind those of equal rank. */
static char *boot_insert(struct boot_list *l, uint32_t rank)
{
    unsigned at = l->count++;
    while (at > 0 && l->e[at - 1].rank > rank) {
        l->e[at] = l->e[at - 1];
        at--;
    }
    l->e[at].rank = rank;
    return l->e[at].path;
}

static void boot_nic(struct board *b, struct boot_list *l, unsigned n)
{
    const struct machine_nic *c = &b->m->cfg.nic[n];
    char id[8];
    snprintf(id, sizeof id, "net%u", n);
    for (unsigned f = 0; f < 256 && c->boot_rank; f++) {
        if (b->pci.fn[f] && strcmp(b->pci.fn[f]->id, id) == 0) {
            snprintf(boot_insert(l, c->boot_rank), BOOT_PATH, "/pci@i0cf8/ethernet@%x", f >> 3);
        }
    }
}

bool board_boot_order(struct board *b, struct err *err)
{
    const struct machine_config *cfg = &b->m->cfg;
    struct boot_list l = {0};
    char text[(BOOT_ENTRIES + 4) * BOOT_PATH] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < b->fw.files; i++) { /* the kernel's boot ROM before all */
        const char *name = (const char *)b->fw.dir + 4 + i * 64 + 8;
        if (strncmp(name, "genroms/", 8) == 0 && len + BOOT_PATH < sizeof text) {
            len += (size_t)snprintf(text + len, BOOT_PATH, "/rom@%s\n", name);
        }
    }
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        if (cfg->ide[i] && cfg->ide_boot_rank[i]) {
            snprintf(boot_insert(&l, cfg->ide_boot_rank[i]), BOOT_PATH,
                     "/pci@i0cf8/ide@1,1/drive@%u/disk@%u", i / 2, i % 2);
        }
    }
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) {
        if (cfg->floppy_boot_rank[i]) {
            snprintf(boot_insert(&l, cfg->floppy_boot_rank[i]), BOOT_PATH,
                     "/pci@i0cf8/isa@1/fdc@03f0/floppy@%u", i);
        }
    }
    for (unsigned i = 0; i < MACHINE_NICS; i++) {
        boot_nic(b, &l, i);
    }
    for (unsigned i = 0; i < l.count; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", l.e[i].path);
    }
    if (cfg->boot_strict) {
        len += (size_t)snprintf(text + len, sizeof text - len, "HALT");
    }
    if (len && text[len - 1] == '\n') {
        text[--len] = 0; /* lines are separated, not ended: an empty one would be a device */
    }
    return !len || fw_cfg_add_file_copy(&b->fw, "bootorder", text, (uint32_t)len + 1) ||
           err_set(err, ENOSPC, "fw_cfg is full");
}
