/* The PC of 1996 that firmware and systems know as "pc": 440FX host bridge, PIIX3 and PIIX4 power
 * management, ISA devices, standard VGA.  Which chip sits where: addresses, IRQs, wiring, and the
 * answers that firmware finds in CMOS and fw_cfg - and nothing else.
 *
 *   0:0.0 i440fx   0:1.0 piix3   0:1.1 ide   0:1.3 piix4_pm   0:2.0 vga
 *
 * NOT IMPLEMENTED: local APIC, I/O APIC, HPET, network cards, parallel port, ACPI and SMBIOS tables
 * of our own (SeaBIOS brings its own). */
#include "machine/machine_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/char/debug_exit.h"
#include "devices/char/debugcon.h"
#include "devices/char/uart16550.h"
#include "devices/dma/i8237.h"
#include "devices/firmware/fw_cfg.h"
#include "devices/input/i8042.h"
#include "devices/input/ps2kbd.h"
#include "devices/input/ps2mouse.h"
#include "devices/irqchip/i8259.h"
#include "devices/pci/i440fx.h"
#include "devices/pci/piix3.h"
#include "devices/pci/piix4_pm.h"
#include "devices/port92.h"
#include "devices/storage/fdc82077.h"
#include "devices/storage/piix_ide.h"
#include "devices/timer/i8254.h"
#include "devices/timer/mc146818.h"
#include "devices/timer/port61.h"
#include "devices/video/vga.h"
#include "devices/video/vga_pci.h"

#define BOARD_DEVICES 40

struct board {
    struct machine *m;
    struct region ram_low, ram_high, bios_high, bios_low, fpu_port;
    struct i8259 pic[2];
    struct i8254 pit;
    struct port61 port61;
    struct port92 port92;
    struct mc146818 rtc;
    struct i8042 kbc;
    struct ps2kbd kbd;
    struct ps2mouse mouse;
    struct i8237 dma;
    struct fdc82077 fdc;
    struct uart16550 uart[MACHINE_SERIALS];
    struct debugcon debugcon[MACHINE_DEBUGCONS];
    struct debug_exit debug_exit;
    struct fw_cfg fw;
    struct pci_bus pci;
    struct i440fx pmc;
    struct piix3 isa;
    struct piix_ide ide;
    struct piix4_pm pm;
    struct vga vga;
    struct vga_pci vga_pci;
    bool has_vga;
    struct device *devices[BOARD_DEVICES]; /* in order of reset, snapshot and printing */
    unsigned device_count;
    uint8_t *bios;
    bool a20_port92, a20_kbc;
    bool booted_once; /* -boot once= was used up */
};

/* ---- wires that end in the board ---- */

static void board_intr(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    (void)pin;
    if (b->m->cpu) {
        cpu_irq(b->m->cpu, level);
    }
}

static int board_inta(void *sink)
{
    return i8259_ack(&((struct board *)sink)->pic[0]);
}

/* Either gate lets address line 20 through. */
static void board_a20(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    if (pin) {
        b->a20_port92 = level;
    } else {
        b->a20_kbc = level;
    }
    uint64_t all = bits_mask(36);
    bus_set_mask(b->m->mem, b->a20_port92 || b->a20_kbc ? all : all & ~((uint64_t)1 << 20));
}

static void board_reset_pin(void *sink, unsigned pin, bool level)
{
    struct board *b = sink;
    (void)pin;
    if (level) {
        machine_request(b->m, MACHINE_RESET);
    }
}

static void board_reset_request(void *ctx, bool hard)
{
    struct board *b = ctx;
    (void)hard;
    machine_request(b->m, MACHINE_RESET);
}

static void board_power(void *ctx, unsigned slp_typ)
{
    struct board *b = ctx;
    if (slp_typ == 0) {
        machine_request(b->m, MACHINE_POWERED_OFF);
    }
}

static void board_leave(void *ctx, int status)
{
    struct board *b = ctx;
    b->m->exit_code = status;
    machine_request(b->m, MACHINE_EXIT);
}

/* Ports F0h, F1h: clear FERR#. */
static void board_fpu_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct board *b = dev;
    (void)off;
    (void)val;
    (void)size;
    if (b->m->cpu) {
        cpu_ignne(b->m->cpu);
    }
}

static const struct region_ops board_fpu_ops = {
    .write = board_fpu_write, .min_size = 1, .max_size = 1};

static struct irq_line board_line(void (*set)(void *, unsigned, bool), void *sink, unsigned pin)
{
    return (struct irq_line){.set = set, .sink = sink, .pin = pin};
}

static struct irq_line board_irq(struct board *b, unsigned irq)
{
    return i8259_pin(&b->pic[irq >> 3], irq & 7);
}

/* ---- memory ---- */

static bool board_memory(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    size_t len = m->cfg.bios.len;
    if (len < 65536 || len > (4u << 20) || (len & 0xffff)) {
        return err_set(err, EINVAL,
                       "the BIOS image has %zu bytes, not a multiple of 64 KB up to 4 MB", len);
    }
    b->bios = malloc(len);
    if (!b->bios) {
        return err_set(err, ENOMEM, "out of memory");
    }
    memcpy(b->bios, m->cfg.bios.data, len);
    size_t low = len < 0x20000 ? len : 0x20000;
    b->ram_low =
        (struct region){.name = "ram.low", .kind = REGION_RAM, .len = 0xa0000, .ram = &m->ram};
    b->ram_high = (struct region){.name = "ram.high",
                                  .kind = REGION_RAM,
                                  .base = 0x100000,
                                  .len = m->ram.size - 0x100000,
                                  .ram = &m->ram,
                                  .ram_off = 0x100000};
    b->bios_high = (struct region){.name = "bios",
                                   .kind = REGION_ROM,
                                   .host = b->bios,
                                   .len = len,
                                   .base = ((uint64_t)1 << 32) - len,
                                   .priority = 1};
    b->bios_low = (struct region){.name = "bios.isa",
                                  .kind = REGION_ROM,
                                  .len = low,
                                  .priority = 1,
                                  .base = 0x100000 - low,
                                  .host = b->bios + len - low};
    return bus_map(m->mem, &b->ram_low, err) &&
           (!b->ram_high.len || bus_map(m->mem, &b->ram_high, err)) &&
           bus_map(m->mem, &b->bios_high, err) && bus_map(m->mem, &b->bios_low, err);
}

/* ---- chips ---- */

static void board_add(struct board *b, struct device *dev)
{
    b->devices[b->device_count++] = dev;
}

static bool board_port(struct board *b, struct region *r, uint64_t base, struct err *err)
{
    r->base = base;
    r->priority = 1;
    return bus_map(b->m->ports, r, err);
}

static bool board_isa(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    struct clock *clk = &m->clk;
    i8259_init(&b->pic[0], "pic0", board_line(board_intr, b, 0), 0xf8);
    i8259_init(&b->pic[1], "pic1", i8259_pin(&b->pic[0], 2), 0xde);
    i8259_cascade(&b->pic[0], &b->pic[1]);
    i8254_init(&b->pit, "pit", clk, board_irq(b, 0));
    port61_init(&b->port61, "port61", clk, &b->pit);
    port92_init(&b->port92, "port92", board_line(board_a20, b, 1),
                board_line(board_reset_pin, b, 0));
    mc146818_init(&b->rtc, "rtc", clk, board_irq(b, 8), m->cfg.rtc_base);
    i8042_init(&b->kbc, "i8042", clk, board_irq(b, 1), board_irq(b, 12),
               board_line(board_a20, b, 0), board_line(board_reset_pin, b, 0));
    ps2kbd_init(&b->kbd, "kbd", clk);
    ps2mouse_init(&b->mouse, "mouse", clk);
    i8042_attach(&b->kbc, I8042_KBD, &b->kbd.port);
    i8042_attach(&b->kbc, I8042_AUX, &b->mouse.port);
    i8237_init(&b->dma, "dma", bus_dma(m->mem));
    struct fdc82077_drive_config floppy[FDC_DRIVES] = {0};
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) {
        if (m->cfg.has_floppy[i] || m->cfg.floppy[i]) {
            struct blockdev *blk = m->cfg.floppy[i];
            enum fdc_drive_type type =
                blk && blk->sectors ? fdc82077_type_for(blk->sectors) : FDC_NONE;
            floppy[i] = (struct fdc82077_drive_config){blk, type == FDC_NONE ? FDC_1440K : type};
        }
    }
    fdc82077_init(&b->fdc, "fdc", clk, board_irq(b, 6), board_line(i8237_dreq_sink, &b->dma, 2),
                  floppy);
    i8237_attach(&b->dma, 2, fdc82077_dack, &b->fdc);
    b->fpu_port = (struct region){.name = "fpu.busy", .len = 2, .ops = &board_fpu_ops, .dev = b};
    board_add(b, &b->pic[0].dev);
    board_add(b, &b->pic[1].dev);
    board_add(b, &b->pit.dev);
    board_add(b, &b->port61.dev);
    board_add(b, &b->port92.dev);
    board_add(b, &b->rtc.dev);
    board_add(b, &b->kbc.dev);
    board_add(b, &b->kbd.dev);
    board_add(b, &b->mouse.dev);
    board_add(b, &b->dma.dev);
    board_add(b, &b->fdc.dev);
    return board_port(b, &b->pic[0].regs, 0x20, err) && board_port(b, &b->pic[1].regs, 0xa0, err) &&
           board_port(b, &b->pic[0].elcr_reg, 0x4d0, err) &&
           board_port(b, &b->pic[1].elcr_reg, 0x4d1, err) &&
           board_port(b, &b->pit.regs, 0x40, err) && board_port(b, &b->port61.regs, 0x61, err) &&
           board_port(b, &b->port92.regs, 0x92, err) && board_port(b, &b->rtc.regs, 0x70, err) &&
           board_port(b, &b->kbc.data, 0x60, err) && board_port(b, &b->kbc.command, 0x64, err) &&
           board_port(b, &b->fpu_port, 0xf0, err) && board_port(b, &b->rtc.ext_regs, 0x72, err) &&
           board_port(b, &b->dma.low, b->dma.low.base, err) &&
           board_port(b, &b->dma.page, b->dma.page.base, err) &&
           board_port(b, &b->dma.high, b->dma.high.base, err) &&
           board_port(b, &b->fdc.regs, b->fdc.regs.base, err) &&
           board_port(b, &b->fdc.dir, b->fdc.dir.base, err);
}

static bool board_serial(struct board *b, struct err *err)
{
    static const char *const id[] = {"uart0", "uart1", "uart2", "uart3"};
    static const char *const con_id[] = {"debugcon0", "debugcon1", "debugcon2", "debugcon3"};
    static const uint16_t base[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    static const uint8_t irq[] = {4, 3, 4, 3};
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        const struct machine_serial *s = &b->m->cfg.serial[i];
        if (!s->chr) {
            continue;
        }
        unsigned line = s->irq ? s->irq & 15u : irq[i];
        /* two ports may share a wire: the PIIX3 ORs its sources */
        uart16550_init(&b->uart[i], id[i], &b->m->clk,
                       board_line(piix3_isa_irq, &b->isa, PIIX3_ISA_PIN(i, line)), s->chr);
        board_add(b, &b->uart[i].dev);
        if (!board_port(b, &b->uart[i].regs, s->iobase ? s->iobase : base[i], err)) {
            return false;
        }
    }
    for (unsigned i = 0; i < MACHINE_DEBUGCONS; i++) {
        const struct machine_debugcon *s = &b->m->cfg.debugcon[i];
        if (!s->chr) {
            continue;
        }
        debugcon_init(&b->debugcon[i], con_id[i], 0xe9, s->chr);
        board_add(b, &b->debugcon[i].dev);
        if (!board_port(b, &b->debugcon[i].regs, s->iobase, err)) {
            return false;
        }
    }
    if (b->m->cfg.debug_exit_iobase) {
        debug_exit_init(&b->debug_exit, "debug_exit", b->m->cfg.debug_exit_iosize, board_leave, b);
        board_add(b, &b->debug_exit.dev);
        return board_port(b, &b->debug_exit.regs, b->m->cfg.debug_exit_iobase, err);
    }
    return true;
}

static bool board_pci(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    struct irq_line isa[16], pirq[4];
    for (unsigned i = 0; i < 16; i++) {
        isa[i] = board_irq(b, i);
    }
    for (unsigned i = 0; i < 4; i++) {
        pirq[i] = board_line(piix3_pirq, &b->isa, i);
    }
    pci_init(&b->pci, "pci", m->mem, m->ports, pirq);
    bool ok =
        i440fx_init(&b->pmc, "i440fx", &b->pci, &m->ram, b->bios, m->cfg.bios.len) &&
        piix3_init(&b->isa, "piix3", &b->pci, PCI_DEVFN(1, 0), isa, board_reset_request, b) &&
        piix_ide_init(&b->ide, "ide", &b->pci, PCI_DEVFN(1, 1), &m->clk, bus_dma(m->mem),
                      board_line(piix3_isa_irq, &b->isa, PIIX3_ISA_PIN(0, 14)),
                      board_line(piix3_isa_irq, &b->isa, PIIX3_ISA_PIN(0, 15))) &&
        piix4_pm_init(&b->pm, "piix4_pm", &b->pci, PCI_DEVFN(1, 3), &m->clk,
                      board_line(piix3_isa_irq, &b->isa, PIIX3_ISA_PIN(1, 9)), board_power, b);
    if (!ok) {
        return err_set(err, ENOSPC, "the PCI bus is full");
    }
    board_add(b, &b->pci.dev);
    board_add(b, &b->pmc.dev);
    board_add(b, &b->isa.dev);
    board_add(b, &b->ide.dev);
    board_add(b, &b->pm.dev);
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        static const char *const serial[] = {"VT00001", "VT00002", "VT00003", "VT00004"};
        if (m->cfg.ide[i]) {
            piix_ide_attach(&b->ide, i / 2, i & 1, m->cfg.ide_is_cd[i] ? IDE_CD : IDE_DISK,
                            m->cfg.ide[i], m->cfg.ide_serial[i] ? m->cfg.ide_serial[i] : serial[i]);
        }
    }
    return board_port(b, &b->pci.regs, 0xcf8, err) && board_port(b, &b->pm.apm, 0xb2, err) &&
           board_port(b, &b->pm.gpe, 0xafe0, err);
}

static bool board_vga(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    if (m->cfg.no_vga) {
        return true;
    }
    if (!vga_init(&b->vga, "vga", &m->clk, VGA_VRAM_DEFAULT, err)) {
        return false;
    }
    b->has_vga = true;
    if (!vga_pci_init(&b->vga_pci, "vga.pci", &b->vga, &b->pci, PCI_DEVFN(2, 0),
                      m->cfg.vga_bios.data, m->cfg.vga_bios.len, err)) {
        return false;
    }
    board_add(b, &b->vga_pci.dev);
    board_add(b, &b->vga.dev);
    return vga_map_legacy(&b->vga, m->mem, m->ports, err);
}

/* ---- what the firmware asks ---- */

static unsigned board_boot_code(char c)
{
    return c == 'a' ? 1 : c == 'c' ? 2 : c == 'd' ? 3 : c == 'n' ? 4 : 0;
}

/* CMOS as SeaBIOS reads it (seabios src/hw/rtc.h and QEMU's pc). */
static void board_cmos(struct board *b)
{
    const struct machine_config *cfg = &b->m->cfg;
    struct mc146818 *r = &b->rtc;
    uint64_t ram = b->m->ram.size;
    uint64_t ext_kb = (ram >> 10) - 1024,
             above_16m = ram > (16u << 20) ? (ram - (16u << 20)) >> 16 : 0;
    ext_kb = ext_kb > 65535 ? 65535 : ext_kb;
    above_16m = above_16m > 65535 ? 65535 : above_16m;
    mc146818_set_cmos(r, 0x15, 640 & 0xff);
    mc146818_set_cmos(r, 0x16, 640 >> 8);
    mc146818_set_cmos(r, 0x17, (uint8_t)ext_kb);
    mc146818_set_cmos(r, 0x18, (uint8_t)(ext_kb >> 8));
    mc146818_set_cmos(r, 0x30, (uint8_t)ext_kb);
    mc146818_set_cmos(r, 0x31, (uint8_t)(ext_kb >> 8));
    mc146818_set_cmos(r, 0x34, (uint8_t)above_16m);
    mc146818_set_cmos(r, 0x35, (uint8_t)(above_16m >> 8));
    uint8_t fd0 = b->fdc.drive[0].type, fd1 = b->fdc.drive[1].type;
    mc146818_set_cmos(r, 0x10, (uint8_t)(fd0 << 4 | fd1));
    /* equipment: FPU, PS/2 mouse, floppy drives (bit 0: any, bit 6: two) */
    mc146818_set_cmos(r, 0x14, (uint8_t)(0x06 | (fd0 || fd1 ? 1 : 0) | (fd0 && fd1 ? 0x40 : 0)));
    mc146818_set_cmos(r, 0x5f, 0); /* further processors */
    /* disk translation, two bits a disk: LBA for what CHS alone cannot reach */
    uint8_t trans = 0;
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        if (cfg->ide[i] && !cfg->ide_is_cd[i] && cfg->ide[i]->sectors > 1024 * 16 * 63) {
            trans |= (uint8_t)(1u << (2 * i));
        }
    }
    mc146818_set_cmos(r, 0x39, trans);
    const char *order = cfg->boot_once[0] && !b->booted_once ? cfg->boot_once
                        : cfg->boot_order[0]                 ? cfg->boot_order
                                                             : "cad";
    unsigned code[3] = {0};
    for (unsigned i = 0; i < 3 && order[i]; i++) {
        code[i] = board_boot_code(order[i]);
    }
    mc146818_set_cmos(r, 0x3d, (uint8_t)(code[1] << 4 | code[0]));
    mc146818_set_cmos(r, 0x38, (uint8_t)(code[2] << 4 | 1)); /* bit 0: no floppy signature check */
}

static bool board_firmware(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    struct fw_cfg *fw = &b->fw;
    uint8_t e820[20];
    fw_cfg_init(fw, "fw_cfg", bus_dma(m->mem));
    board_add(b, &fw->dev);
    if (!board_port(b, &fw->regs, 0x510, err) || !board_port(b, &fw->dma_regs, 0x514, err)) {
        return false;
    }
    store_le64(e820, 0);
    store_le64(e820 + 8, m->ram.size);
    store_le32(e820 + 16, 1);
    bool ok = fw_cfg_add_u64(fw, FW_CFG_RAM_SIZE, m->ram.size) &&
              fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, 1) && fw_cfg_add_u16(fw, FW_CFG_MAX_CPUS, 1) &&
              fw_cfg_add_u16(fw, FW_CFG_BOOT_MENU, m->cfg.boot_menu) &&
              fw_cfg_add_u16(fw, FW_CFG_NOGRAPHIC, m->cfg.nographic) &&
              fw_cfg_add_file_copy(fw, "etc/e820", e820, sizeof e820);
    if (ok && m->cfg.boot_menu_ms) {
        uint8_t ms[2];
        store_le16(ms, m->cfg.boot_menu_ms > 65535 ? 65535 : (uint16_t)m->cfg.boot_menu_ms);
        ok = fw_cfg_add_file_copy(fw, "etc/boot-menu-wait", ms, 2);
    }
    if (ok && m->cfg.kernel.len) {
        static const char order[] = "/rom@genroms/linuxboot.rom\n";
        if (!linux_boot_setup(m, fw, err)) {
            return false;
        }
        ok = fw_cfg_add_file(fw, "bootorder", order, sizeof order);
    }
    return ok || err_set(err, ENOSPC, "fw_cfg is full");
}

/* ---- life ---- */

struct board *board_create(struct machine *m, struct err *err)
{
    struct board *b = calloc(1, sizeof *b);
    if (!b) {
        err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    b->m = m;
    m->board = b;
    if (!board_memory(b, err) || !board_isa(b, err) || !board_pci(b, err) ||
        !board_serial(b, err) || !board_vga(b, err) || !board_firmware(b, err)) {
        return NULL; /* machine_destroy() takes what there is */
    }
    struct cpu_env env = {.mem = m->mem,
                          .ports = m->ports,
                          .ram = &m->ram,
                          .clock = &m->clk,
                          .ack_irq = board_inta,
                          .pic = b,
                          .ferr = board_irq(b, 13)};
    struct cpu_config cc = {.model = m->cfg.cpu_model, .flags = m->cfg.cpu_flags};
    m->cpu = cpu_create(&cpu_accel_interp, &cc, &env, err);
    if (!m->cpu) {
        return NULL;
    }
    if (b->has_vga) {
        cpu_watch_ram(m->cpu, &b->vga.vram);
    }
    return b;
}

void board_destroy(struct board *b)
{
    if (!b) {
        return;
    }
    for (unsigned i = b->device_count; i-- > 0;) {
        device_destroy(b->devices[i]);
    }
    free(b->bios);
    free(b);
}

void board_reset(struct board *b, bool power_on)
{
    if (!power_on) {
        b->booted_once = true;
    }
    for (unsigned i = 0; i < b->device_count; i++) {
        device_reset(b->devices[i], RESET_POWER_ON);
    }
    for (unsigned i = 0; i < b->device_count; i++) {
        device_drive(b->devices[i]);
    }
    board_cmos(b);
}

void board_snap(struct board *b, struct snap *s)
{
    if (snap_begin(s, "board", 1)) {
        snap_bool(s, "a20_port92", &b->a20_port92);
        snap_bool(s, "a20_kbc", &b->a20_kbc);
        snap_bool(s, "booted_once", &b->booted_once);
        snap_end(s);
    }
    if (snap_loading(s)) {
        board_a20(b, 0, b->a20_kbc);
    }
    for (unsigned i = 0; i < b->device_count; i++) {
        device_snap(b->devices[i], s);
    }
}

void board_event(struct board *b, const struct event *ev)
{
    if (ev->kind == EVENT_POWER_BUTTON) {
        piix4_pm_power_button(&b->pm);
    } else if (ev->kind == EVENT_INPUT && ev->input.kind == INPUT_KEY) {
        ps2kbd_key(&b->kbd, ev->input.key.hid, ev->input.key.down);
    } else if (ev->kind == EVENT_INPUT) {
        ps2mouse_move(&b->mouse, ev->input.pointer.dx, ev->input.pointer.dy,
                      ev->input.pointer.wheel, ev->input.pointer.buttons);
    }
}

struct display_source *board_display(struct board *b)
{
    return b->has_vga ? &b->vga.display : NULL;
}

uint8_t board_leds(struct board *b)
{
    return ps2kbd_leds(&b->kbd);
}

/* ---- info ---- */

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

static const char *const board_tables[] = {"pic", "irq",
                                           "block"}; /* and "pci", below: a device too */

const char *board_info_name(struct board *b, unsigned i)
{
    unsigned n = ARRAY_LEN(board_tables);
    return i < n ? board_tables[i] : i - n < b->device_count ? b->devices[i - n]->id : NULL;
}

bool board_info(struct board *b, const char *what, machine_print_fn *print, void *ctx)
{
    if (strcmp(what, "pci") == 0) {
        board_print_pci(b, print, ctx);
        return true;
    }
    if (strcmp(what, "block") == 0) {
        board_print_block(b, print, ctx);
        return true;
    }
    if (strcmp(what, "pic") == 0 || strcmp(what, "irq") == 0) {
        board_print_pic(b, print, ctx);
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
