/* The plain PC chips on the bench. */
#include "tests/rig/chips.h"

#include <stdlib.h>

static void *chip_alloc(struct rig *r, size_t len)
{
    r->priv = malloc(len);
    if (!r->priv) {
        abort();
    }
    /* T37: what init and reset forget shows as this pattern */
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)r->priv)[i] = 0xa5;
    }
    return r->priv;
}

static void chip_free(struct rig *r)
{
    free(r->priv);
}

/* ---- 8259A pair ---- */

static void make_pic(struct rig *r)
{
    struct pic_bench *b = chip_alloc(r, sizeof *b);
    i8259_init(&b->master, "pic0", rig_wire(r, PIN_IRQ), 0xf8);
    i8259_init(&b->slave, "pic1", (struct irq_line){0}, 0xde);
    i8259_cascade(&b->master, &b->slave);
    rig_add_region(r, &b->master.regs);
    rig_add_region(r, &b->slave.regs);
    rig_add_region(r, &b->master.elcr_reg);
    rig_add_region(r, &b->slave.elcr_reg);
    rig_add_device(r, &b->master.dev);
    rig_add_device(r, &b->slave.dev);
}

static void busy_pic(struct rig *r)
{
    struct pic_bench *b = r->priv;
    for (unsigned i = 0; i < 2; i++) {
        region_out(r->regs[i], 0, 0x11, 1);
        region_out(r->regs[i], 1, 0x08 + 0x68 * i, 1);
        region_out(r->regs[i], 1, i ? 2 : 4, 1);
        region_out(r->regs[i], 1, 1, 1);
    }
    i8259_set(&b->slave, 3, true);
    i8259_ack(&b->master);
    i8259_set(&b->master, 1, true);
}

static void input_pic(struct rig *r, uint32_t v)
{
    struct pic_bench *b = r->priv;
    if (v & 0x80) {
        i8259_ack(&b->master);
    } else if ((v & 15) != 2) { /* IR2 is the slave's */
        i8259_set(v & 8 ? &b->slave : &b->master, v & 7, v >> 8 & 1);
    }
}

static const struct contract_pure pure_elcr[] = {{2, 0, 1}, {3, 0, 1}};
const struct contract_case case_i8259 = {"i8259", make_pic, chip_free, busy_pic, input_pic,
                                         pure_elcr, 2, 0, 0};

/* ---- 8254 and port 61h ---- */

static void make_pit(struct rig *r)
{
    struct pit_bench *b = chip_alloc(r, sizeof *b);
    i8254_init(&b->pit, "pit0", &r->clk, rig_wire(r, PIN_IRQ));
    port61_init(&b->port61, "port61", &r->clk, &b->pit);
    rig_add_region(r, &b->pit.regs);
    rig_add_region(r, &b->port61.regs);
    rig_add_device(r, &b->pit.dev);
    rig_add_device(r, &b->port61.dev);
}

static void busy_pit(struct rig *r)
{
    rig_out8(r, 3, 0x36);
    rig_out8(r, 0, 0x34);
    rig_out8(r, 0, 0x12);
    rig_out8(r, 3, 0xb0);
    rig_out8(r, 2, 0xff);
    region_out(r->regs[1], 0, 1, 1);
    rig_advance(r, 777777);
    rig_out8(r, 0, 0x99); /* half a count */
    rig_out8(r, 3, 0xc2);
}

static void input_pit(struct rig *r, uint32_t v)
{
    struct pit_bench *b = r->priv;
    i8254_set_gate(&b->pit, v & 1, v >> 1 & 1); /* channels 0 and 1: port 61h drives the third */
}

static const struct contract_pure pure_pit[] = {{0, 3, 1}, {1, 0, 1}};
const struct contract_case case_i8254 = {"i8254", make_pit, chip_free, busy_pit, input_pit,
                                         pure_pit, 2, 0, 0};

/* ---- MC146818 ---- */

static void make_rtc(struct rig *r)
{
    struct mc146818 *c = chip_alloc(r, sizeof *c);
    mc146818_init(c, "rtc0", &r->clk, rig_wire(r, PIN_IRQ), RTC_TEST_EPOCH);
    rig_add_region(r, &c->regs);
    rig_add_region(r, &c->ext_regs);
    rig_add_device(r, &c->dev);
}

static void busy_rtc(struct rig *r)
{
    rig_out8(r, 0, 11);
    rig_out8(r, 1, 0x72);
    rig_advance(r, 998 * VTIME_MS);
}

static const struct contract_pure pure_rtc[] = {{0, 0, 1}, {1, 1, 1}};
const struct contract_case case_mc146818 = {"mc146818", make_rtc, chip_free, busy_rtc, NULL,
                                            pure_rtc, 2, 0, 700 * VTIME_MS};

/* ---- PC16550D ---- */

static void make_uart(struct rig *r)
{
    struct uart16550 *u = chip_alloc(r, sizeof *u);
    uart16550_init(u, "uart0", &r->clk, rig_wire(r, PIN_IRQ), &r->chr);
    rig_add_region(r, &u->regs);
    rig_add_device(r, &u->dev);
}

static void busy_uart(struct rig *r)
{
    rig_out8(r, 2, 0xc7);
    rig_out8(r, 4, 0x0b);
    rig_out8(r, 1, 0x0f);
    for (unsigned i = 0; i < 10; i++) {
        rig_out8(r, 0, (uint8_t)i);
    }
    rig_type(r, "0123456789abcdefghij", 20);
    rig_advance(r, 200 * VTIME_US);
}

static void input_uart(struct rig *r, uint32_t v)
{
    if ((v & 15) == 0) {
        r->chr.client->break_signal(r->chr.dev);
    } else if ((v & 15) == 1) {
        uart16550_set_modem(r->priv, (uint8_t)(v >> 8));
    } else {
        rig_type(r, &v, 1 + (v & 3));
    }
}

static const struct contract_pure pure_uart[] = {{0, 1, 1}, {0, 3, 1}, {0, 4, 1}, {0, 7, 1}};
const struct contract_case case_uart16550 = {"uart16550", make_uart, chip_free, busy_uart,
                                             input_uart, pure_uart, 4, 0, 0};

/* ---- parallel port ---- */

static void make_parallel(struct rig *r)
{
    struct parallel *p = chip_alloc(r, sizeof *p);
    parallel_init(p, "parallel0", &r->clk, rig_wire(r, PIN_IRQ), &r->chr);
    rig_add_region(r, &p->regs);
    rig_add_device(r, &p->dev);
}

static void busy_parallel(struct rig *r)
{
    rig_out8(r, 0, 'P');
    rig_out8(r, 2, 0x1d);
    rig_advance(r, 5500); /* acknowledged, not yet ready */
}

static const struct contract_pure pure_parallel[] = {{0, 0, 1}, {0, 2, 1}, {0, 3, 1}};
const struct contract_case case_parallel = {"parallel", make_parallel, chip_free, busy_parallel,
                                            NULL, pure_parallel, 3, 0, 20 * VTIME_US};

/* ---- debug ports ---- */

static void make_debugcon(struct rig *r)
{
    struct debugcon *d = chip_alloc(r, sizeof *d);
    debugcon_init(d, "debugcon0", 0xe9, &r->chr);
    rig_add_region(r, &d->regs);
    rig_add_device(r, &d->dev);
}

static const struct contract_pure pure_first[] = {{0, 0, 1}};
const struct contract_case case_debugcon = {"debugcon", make_debugcon, chip_free, NULL, NULL,
                                            pure_first, 1, 0, 0};

static void bench_leave(void *ctx, int status)
{
    struct exit_bench *b = ctx;
    b->status = status;
    b->calls++;
}

static void make_exit(struct rig *r)
{
    struct exit_bench *b = chip_alloc(r, sizeof *b);
    b->calls = 0;
    debug_exit_init(&b->chip, "exit0", 4, bench_leave, b);
    rig_add_region(r, &b->chip.regs);
    rig_add_device(r, &b->chip.dev);
}

const struct contract_case case_debug_exit = {"debug_exit", make_exit, chip_free, NULL, NULL,
                                              pure_first, 1, 0, 0};

static void make_port92(struct rig *r)
{
    struct port92 *p = chip_alloc(r, sizeof *p);
    port92_init(p, "port92", rig_wire(r, PIN_A20), rig_wire(r, PIN_RESET));
    rig_add_region(r, &p->regs);
    rig_add_device(r, &p->dev);
}

const struct contract_case case_port92 = {"port92", make_port92, chip_free, NULL, NULL,
                                          pure_first, 1, 0, 0};

/* ---- 8042, keyboard, mouse: one bench; the cases differ in what they stir ---- */

static void make_kbc(struct rig *r)
{
    struct kbc_bench *b = chip_alloc(r, sizeof *b);
    i8042_init(&b->kbc, "kbc0", &r->clk, rig_wire(r, PIN_IRQ), rig_wire(r, PIN_IRQ12),
               rig_wire(r, PIN_A20), rig_wire(r, PIN_RESET));
    ps2kbd_init(&b->kbd, "kbd0", &r->clk);
    ps2mouse_init(&b->mouse, "mouse0", &r->clk);
    i8042_attach(&b->kbc, I8042_KBD, &b->kbd.port);
    i8042_attach(&b->kbc, I8042_AUX, &b->mouse.port);
    rig_add_region(r, &b->kbc.data);
    rig_add_region(r, &b->kbc.command);
    rig_add_device(r, &b->kbc.dev);
    rig_add_device(r, &b->kbd.dev);
    rig_add_device(r, &b->mouse.dev);
}

static void busy_kbc(struct rig *r)
{
    struct kbc_bench *b = r->priv;
    region_out(r->regs[1], 0, 0x60, 1);
    rig_out8(r, 0, 0x47);
    ps2kbd_key(&b->kbd, 0x52, true);
    region_out(r->regs[1], 0, 0xd4, 1);
    rig_out8(r, 0, 0xf4);
    rig_advance(r, 3 * VTIME_MS);
    ps2mouse_move(&b->mouse, 3, -4, 1, 1);
    region_out(r->regs[1], 0, 0x20, 1);
    region_out(r->regs[1], 0, 0xd1, 1);
}

static void input_kbd(struct rig *r, uint32_t v)
{
    ps2kbd_key(&((struct kbc_bench *)r->priv)->kbd, (uint8_t)v, v >> 8 & 1);
}

static void input_mouse(struct rig *r, uint32_t v)
{
    ps2mouse_move(&((struct kbc_bench *)r->priv)->mouse, (int8_t)v, (int8_t)(v >> 8),
                  (int8_t)(v >> 24) / 32, v >> 16 & 0x1f);
}

static void input_kbc(struct rig *r, uint32_t v)
{
    if (v & 0x800) {
        input_kbd(r, v);
    } else {
        input_mouse(r, v);
    }
}

/* straight on the cable: commands to the device without the controller's own grammar */
static void input_kbd_cable(struct rig *r, uint32_t v)
{
    struct ps2_device *p = &((struct kbc_bench *)r->priv)->kbd.port;
    switch (v >> 9 & 3) {
    case 0: p->ops->write(p->dev, v & 0x1000 ? (uint8_t)(0xed + v % 19) : (uint8_t)v); break;
    case 1:
        if (p->ops->ready(p->dev)) {
            p->ops->take(p->dev);
        }
        break;
    default: input_kbd(r, v); break;
    }
}

static void input_mouse_cable(struct rig *r, uint32_t v)
{
    struct ps2_device *p = &((struct kbc_bench *)r->priv)->mouse.port;
    switch (v >> 9 & 3) {
    case 0: p->ops->write(p->dev, v & 0x1000 ? (uint8_t)(0xe6 + v % 26) : (uint8_t)v); break;
    case 1:
        if (p->ops->ready(p->dev)) {
            p->ops->take(p->dev);
        }
        break;
    default: input_mouse(r, v); break;
    }
}

static const struct contract_pure pure_kbc[] = {{1, 0, 1}};
const struct contract_case case_i8042 = {"i8042", make_kbc, chip_free, busy_kbc, input_kbc,
                                         pure_kbc, 1, 0, 20 * VTIME_MS};
const struct contract_case case_ps2kbd = {"ps2kbd", make_kbc, chip_free, busy_kbc, input_kbd_cable,
                                          pure_kbc, 1, 0, 600 * VTIME_MS};
const struct contract_case case_ps2mouse = {"ps2mouse", make_kbc, chip_free, busy_kbc,
                                            input_mouse_cable, pure_kbc, 1, 0, 20 * VTIME_MS};
