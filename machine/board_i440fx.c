/* The PC of 1996 that firmware and systems know as "pc": 440FX host bridge, PIIX3 and PIIX4 power
 * management, ISA devices, standard VGA.  Which chip sits where: addresses, IRQs, wiring - and
 * nothing else.
 *
 *   0:0.0 i440fx   0:1.0 piix3   0:1.1 ide   0:1.3 piix4_pm   0:2.0 vga   0:3.0 and on: network
 *
 * NOT IMPLEMENTED: processors added while it runs, SERR# and IOCHK#. */
#include "machine/board_int.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"

/* ---- wires that end in the board ---- */

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
    if (b->m->cpus) {
        cpu_ignne(b->m->cpu[0]);
    }
}

static const struct region_ops board_fpu_ops = {
    .write = board_fpu_write, .min_size = 1, .max_size = 1};

struct irq_line board_line(void (*set)(void *, unsigned, bool), void *sink, unsigned pin)
{
    return (struct irq_line){.set = set, .sink = sink, .pin = pin};
}

/* ---- chips ---- */

void board_add(struct board *b, struct device *dev)
{
    b->devices[b->device_count++] = dev;
}

bool board_port(struct board *b, struct region *r, uint64_t base, struct err *err)
{
    r->base = base;
    r->priority = 1;
    return bus_map(b->m->ports, r, err);
}

static bool board_isa(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    struct clock *clk = &m->clk;
    i8254_init(&b->pit, "pit", clk, board_irq(b, BOARD_IRQ_CHIP, 0));
    port61_init(&b->port61, "port61", clk, &b->pit);
    port92_init(&b->port92, "port92", board_line(board_a20, b, 1),
                board_line(board_reset_pin, b, 0));
    mc146818_init(&b->rtc, "rtc", clk, board_irq(b, BOARD_IRQ_CHIP, 8), m->cfg.rtc_base);
    i8042_init(&b->kbc, "i8042", clk, board_irq(b, BOARD_IRQ_CHIP, 1),
               board_irq(b, BOARD_IRQ_CHIP, 12), board_line(board_a20, b, 0),
               board_line(board_reset_pin, b, 0));
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
    fdc82077_init(&b->fdc, "fdc", clk, board_irq(b, BOARD_IRQ_CHIP, 6),
                  board_line(i8237_dreq_sink, &b->dma, 2), floppy);
    i8237_attach(&b->dma, 2, fdc82077_dack, &b->fdc);
    b->fpu_port = (struct region){.name = "fpu.busy", .len = 2, .ops = &board_fpu_ops, .dev = b};
    board_add(b, &b->pit.dev);
    board_add(b, &b->port61.dev);
    board_add(b, &b->port92.dev);
    board_add(b, &b->rtc.dev);
    board_add(b, &b->kbc.dev);
    board_add(b, &b->kbd.dev);
    board_add(b, &b->mouse.dev);
    board_add(b, &b->dma.dev);
    board_add(b, &b->fdc.dev);
    return board_port(b, &b->pit.regs, 0x40, err) && board_port(b, &b->port61.regs, 0x61, err) &&
           board_port(b, &b->port92.regs, 0x92, err) && board_port(b, &b->rtc.regs, 0x70, err) &&
           board_port(b, &b->kbc.data, 0x60, err) && board_port(b, &b->kbc.command, 0x64, err) &&
           board_port(b, &b->fpu_port, 0xf0, err) && board_port(b, &b->rtc.ext_regs, 0x72, err) &&
           board_port(b, &b->dma.low, b->dma.low.base, err) &&
           board_port(b, &b->dma.page, b->dma.page.base, err) &&
           board_port(b, &b->dma.high, b->dma.high.base, err) &&
           board_port(b, &b->fdc.regs, b->fdc.regs.base, err) &&
           board_port(b, &b->fdc.dir, b->fdc.dir.base, err);
}

uint8_t board_serial_irq(const struct board *b, unsigned port)
{
    static const uint8_t irq[] = {4, 3, 4, 3};
    const struct machine_serial *s = &b->m->cfg.serial[port];
    return s->irq ? s->irq & 15 : irq[port];
}

static bool board_serial(struct board *b, struct err *err)
{
    static const char *const id[] = {"uart0", "uart1", "uart2", "uart3"};
    static const char *const con_id[] = {"debugcon0", "debugcon1", "debugcon2", "debugcon3"};
    static const uint16_t base[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
        const struct machine_serial *s = &b->m->cfg.serial[i];
        if (!s->chr) {
            continue;
        }
        unsigned line = board_serial_irq(b, i);
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

static bool board_parallel(struct board *b, struct err *err)
{
    static const char *const id[] = {"parallel0", "parallel1", "parallel2"};
    static const uint16_t base[] = {0x378, 0x278, 0x3bc};
    static const uint8_t irq[] = {7, 5, 7};
    for (unsigned i = 0; i < MACHINE_PARALLELS; i++) {
        const struct machine_parallel *c = &b->m->cfg.parallel[i];
        if (!c->chr) {
            continue;
        }
        unsigned line = c->irq ? c->irq & 15u : irq[i];
        b->parallel_irq[i] = (uint8_t)line;
        parallel_init(&b->parallel[i], id[i], &b->m->clk,
                      board_irq(b, BOARD_IRQ_LPT + i, line), c->chr);
        board_add(b, &b->parallel[i].dev);
        if (!board_port(b, &b->parallel[i].regs, c->iobase ? c->iobase : base[i], err)) {
            return false;
        }
    }
    return true;
}

static bool board_pci(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    struct irq_line isa[16], pirq[4];
    for (unsigned i = 0; i < 16; i++) {
        isa[i] = board_irq(b, BOARD_IRQ_PIIX3, i);
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
                      board_line(piix3_isa_irq, &b->isa, PIIX3_ISA_PIN(0, 15)));
    b->has_pm = ok && !m->cfg.no_acpi;
    if (b->has_pm) {
        ok = piix4_pm_init(&b->pm, "piix4_pm", &b->pci, PCI_DEVFN(1, 3), &m->clk,
                           board_line(piix3_isa_irq, &b->isa, PIIX3_ISA_PIN(1, 9)), board_power, b);
    }
    if (!ok) {
        return err_set(err, ENOSPC, "the PCI bus is full");
    }
    board_add(b, &b->pci.dev);
    board_add(b, &b->pmc.dev);
    board_add(b, &b->isa.dev);
    board_add(b, &b->ide.dev);
    if (b->has_pm) {
        board_add(b, &b->pm.dev);
    }
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        static const char *const serial[] = {"VT00001", "VT00002", "VT00003", "VT00004"};
        if (m->cfg.ide[i]) {
            piix_ide_attach(&b->ide, i / 2, i & 1, m->cfg.ide_is_cd[i] ? IDE_CD : IDE_DISK,
                            m->cfg.ide[i], m->cfg.ide_serial[i] ? m->cfg.ide_serial[i] : serial[i]);
        }
    }
    return board_port(b, &b->pci.regs, 0xcf8, err) &&
           (!b->has_pm || (board_port(b, &b->pm.apm, 0xb2, err) &&
                           board_port(b, &b->pm.gpe, 0xafe0, err)));
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

/* ---- life ---- */

static bool board_cpus(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    const struct machine_config *cfg = &m->cfg;
    for (unsigned i = 0; i < cfg->cpus; i++) {
        struct cpu_env env = {.mem = m->mem,
                              .ports = m->ports,
                              .ram = &m->ram,
                              .clock = &m->clk,
                              .ack_irq = board_inta,
                              .pic = &b->place[i],
                              .apic = board_cpu_apic(b, i)};
        struct cpu_config cc = {.model = cfg->cpu_model,
                                .flags = cfg->cpu_flags,
                                .seed = cfg->seed,
                                .apic_id = board_apic_id(cfg, i),
                                .ap = i > 0,
                                .cpus = cfg->cpus,
                                .cores = cfg->cores,
                                .threads = cfg->threads};
        if (i == 0) { /* MultiProcessor Specification 1.4, "Floating Point Error Interrupt" */
            env.ferr = board_irq(b, BOARD_IRQ_CHIP, 13);
        }
        m->cpu[i] = cpu_create(&cpu_accel_interp, &cc, &env, err);
        if (!m->cpu[i]) {
            return false;
        }
        m->cpus++;
        if (i && !cpu_apic_base(m->cpu[i])) {
            return err_set(err, EINVAL, "-smp %u: the processor has no local APIC, which several "
                           "need: take another -cpu, or -smp 1", cfg->cpus);
        }
        if (b->has_vga) {
            cpu_watch_ram(m->cpu[i], &b->vga.vram);
        }
    }
    return true;
}

struct board *board_create(struct machine *m, struct err *err)
{
    struct board *b = calloc(1, sizeof *b);
    if (!b) {
        err_set(err, ENOMEM, "out of memory");
        return NULL;
    }
    b->m = m;
    m->board = b;
    if (!board_memory(b, err) || !board_irqs(b, err) || !board_isa(b, err) || !board_pci(b, err) ||
        !board_serial(b, err) || !board_parallel(b, err) || !board_vga(b, err) ||
        !board_net(b, err) || !board_test(b, err) || !board_firmware(b, err)) {
        return NULL; /* machine_destroy() takes what there is */
    }
    /* after the processors: what the tables say of them */
    if (!board_cpus(b, err) || !board_smbios(b, err) || !board_acpi(b, err)) {
        return NULL;
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
        board_acpi_snap(b, s);
        board_irq_snap(b, s);
        snap_end(s);
    }
    if (snap_loading(s)) {
        board_a20(b, 0, b->a20_kbc);
    }
    for (unsigned i = 0; i < b->device_count; i++) {
        device_snap(b->devices[i], s);
    }
    /* the processors' word counts, whatever the local APICs' sections said */
    for (unsigned i = 0; i < b->m->cpus && snap_loading(s); i++) {
        struct cpu_apic apic = board_cpu_apic(b, i);
        apic.base(apic.ctx, cpu_apic_base(b->m->cpu[i]));
    }
}

void board_event(struct board *b, const struct event *ev)
{
    if (ev->kind == EVENT_NMI) {
        board_nmi(b);
    } else if (ev->kind == EVENT_POWER_BUTTON || ev->kind == EVENT_SLEEP_BUTTON) {
        if (b->has_pm) {
            (ev->kind == EVENT_POWER_BUTTON ? piix4_pm_power_button
                                            : piix4_pm_sleep_button)(&b->pm);
        }
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
