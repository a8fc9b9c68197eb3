/* The board in words, for the monitor's "info". */
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "machine/board_int.h"

struct board_out {
    machine_print_fn *print;
    void *ctx;
};

static void board_print_pci(struct board *b, machine_print_fn *print, void *ctx)
{
    char line[128];
    for (unsigned f = 0; f < 256; f++) {
        const struct pci_dev *d = b->pci.fn[f];
        if (!d) {
            continue;
        }
        const uint8_t *c = d->config;
        snprintf(line, sizeof line, "00:%02x.%u %-10s %04x:%04x class %02x%02x irq %u command %04x",
                 f >> 3, f & 7, d->id, load_le16(c), load_le16(c + 2), c[PCI_CLASS],
                 c[PCI_SUBCLASS], c[PCI_INT_LINE], load_le16(c + PCI_COMMAND));
        print(ctx, line);
        for (unsigned i = 0; i < 7; i++) {
            bool mapped = false;
            if (d->bar[i].kind == PCI_BAR_NONE) {
                continue;
            }
            uint64_t at = pci_bar_base(d, i, &mapped);
            snprintf(line, sizeof line, "    BAR%u %s 0x%08llx, %llu bytes%s", i,
                     d->bar[i].kind == PCI_BAR_IO ? "ports " : "memory", (unsigned long long)at,
                     (unsigned long long)d->bar[i].region->len, mapped ? "" : " (off)");
            print(ctx, line);
        }
    }
}

static void board_print_block(struct board *b, machine_print_fn *print, void *ctx)
{
    static const char *const slot[] = {"ide0-hd0", "ide0-hd1", "ide1-cd0", "ide1-cd1"};
    char line[160];
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        const struct blockdev *d = b->m->cfg.ide[i];
        if (!d) {
            continue;
        }
        snprintf(line, sizeof line,
                 "%s (%s): %s, %llu sectors of %u bytes%s%s; %llu reads, %llu writes, %llu flushes",
                 slot[i], b->m->cfg.ide_is_cd[i] ? "CD" : "disk", d->sectors ? "medium" : "empty",
                 (unsigned long long)d->sectors, d->sector_size, d->read_only ? ", read-only" : "",
                 d->locked ? ", locked" : "", (unsigned long long)d->reads,
                 (unsigned long long)d->writes, (unsigned long long)d->flushes);
        print(ctx, line);
    }
}

static void board_print_pic(struct board *b, machine_print_fn *print, void *ctx)
{
    char line[160];
    for (unsigned i = 0; i < 2; i++) {
        const struct i8259 *p = &b->pic[i];
        snprintf(line, sizeof line,
                 "pic%u: irr=%02x imr=%02x isr=%02x elcr=%02x base=%02x lines=%02x", i,
                 i8259_irr(p), p->imr, p->isr, p->elcr, p->icw2, p->lines);
        print(ctx, line);
    }
}

static void board_print_vectors(const char *name, const uint32_t v[8], machine_print_fn *print,
                                void *ctx)
{
    char line[160];
    int n = snprintf(line, sizeof line, "%s:", name);
    for (unsigned i = 0; i < 256 && n < (int)sizeof line - 8; i++) {
        if (v[i >> 5] >> (i & 31) & 1) {
            n += snprintf(line + n, sizeof line - (size_t)n, " %02x", i);
        }
    }
    print(ctx, line);
}

static const char *const board_delivery[] = {"fixed", "lowest", "SMI",     "reserved",
                                             "NMI",   "INIT",   "startup", "ExtINT"};

static void board_print_lapic(struct board *b, unsigned cpu, machine_print_fn *print, void *ctx)
{
    static const char *const lvt[] = {"timer", "thermal", "perf", "LINT0", "LINT1", "error"};
    const struct lapic *l = &b->lapic[cpu];
    char line[160];
    snprintf(line, sizeof line, "%s: id %02x base %08llx%s%s svr %03x tpr %02x ppr %02x esr %02x",
             l->dev.id, l->id, (unsigned long long)(l->base & ~(uint64_t)0xfff),
             l->base & APIC_BASE_ENABLE ? "" : " (off)",
             l->svr & 0x100 ? "" : " (software disabled)", l->svr, l->tpr, lapic_priority(l),
             l->esr);
    print(ctx, line);
    snprintf(line, sizeof line, "ldr %02x dfr %x icr %08x%08x lint0 %u lint1 %u", l->ldr >> 24,
             l->dfr >> 28, l->icr[1], l->icr[0], l->lint & 1u, l->lint >> 1 & 1u);
    print(ctx, line);
    for (unsigned i = 0; i < LVT_COUNT; i++) {
        uint32_t e = l->lvt[i];
        bool timer = i == LVT_TIMER;
        snprintf(line, sizeof line, "lvt %-7s %08x %s vector %02x%s%s", lvt[i], e,
                 timer ? (e >> 17 & 1 ? "periodic" : "one-shot") : board_delivery[e >> 8 & 7],
                 e & 0xff, e >> 15 & 1 ? " level" : "", e >> 16 & 1 ? " masked" : "");
        print(ctx, line);
    }
    snprintf(line, sizeof line, "timer: initial %u current %u divided by %u", l->initial,
             lapic_count(l), 1u << lapic_shift(l));
    print(ctx, line);
    board_print_vectors("irr", l->irr, print, ctx);
    board_print_vectors("isr", l->isr, print, ctx);
    board_print_vectors("tmr", l->tmr, print, ctx);
}

static void board_print_ioapic(struct board *b, machine_print_fn *print, void *ctx)
{
    const struct i82093aa *io = &b->ioapic;
    char line[160];
    snprintf(line, sizeof line, "%s: id %02x sel %02x lines %06x", io->dev.id, io->id, io->sel,
             io->lines);
    print(ctx, line);
    for (unsigned i = 0; i < I82093AA_PINS; i++) {
        uint64_t e = io->entry[i];
        snprintf(line, sizeof line, "pin %2u %016llx dest %02x %s %s vector %02x %s%s%s%s", i,
                 (unsigned long long)e, (unsigned)(e >> 56),
                 e & IOAPIC_LOGICAL ? "logical " : "physical", board_delivery[e >> 8 & 7],
                 (unsigned)(e & 0xff), e & IOAPIC_LEVEL ? "level" : "edge",
                 e & IOAPIC_POLARITY ? " low" : " high", e & IOAPIC_MASK ? " masked" : "",
                 e & IOAPIC_REMOTE_IRR ? " remote-irr" : "");
        print(ctx, line);
    }
}

static void board_print_irq(struct board *b, machine_print_fn *print, void *ctx)
{
    char line[80];
    print(ctx, "how often each interrupt wire rose:");
    for (unsigned i = 0; i < 16; i++) {
        if (b->irq_count[i]) {
            snprintf(line, sizeof line, "%2u: %llu", i, (unsigned long long)b->irq_count[i]);
            print(ctx, line);
        }
    }
}

/* The BIOS, the ROMs that PCI functions carry, what -kernel adds, and the option ROMs that the BIOS
 * has put into memory so far. */
static void board_print_roms(struct board *b, machine_print_fn *print, void *ctx)
{
    char line[160];
    snprintf(line, sizeof line, "%08llx-%08llx BIOS, %llu KB",
             (unsigned long long)b->bios_high.base,
             (unsigned long long)(b->bios_high.base + b->bios_high.len - 1),
             (unsigned long long)(b->bios_high.len >> 10));
    print(ctx, line);
    for (unsigned f = 0; f < 256; f++) {
        const struct pci_dev *d = b->pci.fn[f];
        if (d && d->bar[6].kind != PCI_BAR_NONE) {
            bool mapped;
            uint64_t at = pci_bar_base(d, 6, &mapped);
            snprintf(line, sizeof line, "%08llx %s, %llu KB, PCI 00:%02x.%u%s",
                     (unsigned long long)at, d->id,
                     (unsigned long long)(d->bar[6].region->len >> 10), f >> 3, f & 7,
                     mapped ? "" : " (off)");
            print(ctx, line);
        }
    }
    for (uint32_t i = 0; i < b->fw.files; i++) {
        const char *name = (const char *)b->fw.dir + 4 + i * 64 + 8;
        if (strncmp(name, "genroms/", 8) == 0) {
            snprintf(line, sizeof line, "fw_cfg   %.56s, %u bytes", name,
                     b->fw.item[FW_CFG_FILE_FIRST + i].len);
            print(ctx, line);
        }
    }
    for (uint64_t at = 0xc0000; at < 0xf0000; at += 2048) {
        uint8_t head[3];
        if (bus_copy_out(b->m->mem, at, head, 3) && load_le16(head) == 0xaa55 && head[2]) {
            snprintf(line, sizeof line, "%08llx-%08llx option ROM in memory, %u KB",
                     (unsigned long long)at, (unsigned long long)(at + head[2] * 512 - 1),
                     head[2] / 2u);
            print(ctx, line);
        }
    }
}

static void board_print_speaker(struct board *b, machine_print_fn *print, void *ctx)
{
    char line[80];
    uint32_t hz = port61_tone(&b->port61);
    if (hz) {
        snprintf(line, sizeof line, "speaker: on, %u Hz", hz);
    } else {
        snprintf(line, sizeof line, "speaker: off (level %u)", port61_speaker(&b->port61));
    }
    print(ctx, line);
}

static const char *const board_tables[] = {"pic",   "irq",  "lapic",  "ioapic",
                                           "block", "roms", "speaker"}; /* and "pci", below */

const char *board_info_name(struct board *b, unsigned i)
{
    unsigned n = ARRAY_LEN(board_tables);
    return i < n ? board_tables[i] : i - n < b->device_count ? b->devices[i - n]->id : NULL;
}

bool board_info(struct board *b, unsigned cpu, const char *what, machine_print_fn *print,
                void *ctx)
{
    if (strcmp(what, "pci") == 0) {
        board_print_pci(b, print, ctx);
        return true;
    }
    if (strcmp(what, "roms") == 0) {
        board_print_roms(b, print, ctx);
        return true;
    }
    if (strcmp(what, "speaker") == 0) {
        board_print_speaker(b, print, ctx);
        return true;
    }
    if (strcmp(what, "block") == 0) {
        board_print_block(b, print, ctx);
        return true;
    }
    if (strcmp(what, "pic") == 0) {
        board_print_pic(b, print, ctx);
        return true;
    }
    if (strcmp(what, "irq") == 0) {
        board_print_irq(b, print, ctx);
        return true;
    }
    if (strcmp(what, "lapic") == 0) {
        board_print_lapic(b, cpu, print, ctx);
        return true;
    }
    if (strcmp(what, "ioapic") == 0) {
        board_print_ioapic(b, print, ctx);
        return true;
    }
    for (unsigned i = 0; i < b->device_count; i++) {
        if (strcmp(b->devices[i]->id, what) == 0) {
            struct snap s;
            snap_init_print(&s, print, ctx);
            device_snap(b->devices[i], &s);
            snap_fini(&s);
            return true;
        }
    }
    return false;
}
