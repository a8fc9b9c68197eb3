/* Keyboard controller: Intel 8042 with the PS/2 program (IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard and Auxiliary Device Controller"; 82C42PC/AMIKEY commands as far as IBM's).
 *
 *   64h read    7 PERR  6 TIMEOUT  5 AUX OBF  4 KEYLOCK#  3 A2  2 SYS  1 IBF  0 OBF
 *   RAM 0       7 -  6 translate  5 mouse off  4 keyboard off  3 -  2 SYS  1 IRQ12 on  0 IRQ1 on
 *   outport     5 IRQ12  4 IRQ1  1 A20  0 RESET#
 *
 * A byte from a device takes some 300 us after the output buffer was read; the controller's own
 * answer comes at once when the buffer is free, after 20 us when it must wait.
 * Keyboard bytes are translated to set 1 while bit 6 of RAM 0 is set.
 * HW: after reset A20 is enabled: the pins of port 2 are pulled up.
 * NOT IMPLEMENTED: ACh diagnostic dump, C1h and C2h polls, a password (A4h says none), IBF
 * (commands take no time). */
#include "devices/input/i8042.h"

#include <string.h>

enum { OBF = 1, SYS = 4, A2 = 8, KEYLOCK = 0x10, AUX = 0x20, TIMEOUT = 0x40 };
enum { CCB_IRQ1 = 1, CCB_IRQ12 = 2, CCB_SYS = 4, CCB_NO_KBD = 0x10, CCB_NO_AUX = 0x20,
       CCB_XLAT = 0x40 };
enum { PORT_RESET = 1, PORT_A20 = 2, PORT_IRQ1 = 0x10, PORT_IRQ12 = 0x20 };
#define I8042_BYTE_NS (300 * VTIME_US)
#define I8042_REPLY_NS (20 * VTIME_US)

static void i8042_update_irq(struct i8042 *k)
{
    bool full = k->status & OBF, aux = k->status & AUX;
    irq_set(&k->irq[I8042_KBD], full && !aux && (k->ram[0] & CCB_IRQ1));
    irq_set(&k->irq[I8042_AUX], full && aux && (k->ram[0] & CCB_IRQ12));
}

static void i8042_fill(struct i8042 *k, uint8_t val, uint8_t flags)
{
    k->out = val;
    k->status = (uint8_t)((k->status & ~(AUX | TIMEOUT)) | OBF | (flags & (AUX | TIMEOUT)));
    i8042_update_irq(k);
}

static bool i8042_port_ready(const struct i8042 *k, unsigned port)
{
    const struct ps2_device *d = k->port[port];
    bool off = k->ram[0] & (port == I8042_KBD ? CCB_NO_KBD : CCB_NO_AUX);
    return d && !off && d->ops->ready(d->dev);
}

/* Start waiting for the next byte if the output buffer is free and someone has one. */
static void i8042_pump(struct i8042 *k)
{
    if (k->status & OBF) {
        return;
    }
    vtime wait;
    if (k->reply.count) {
        wait = I8042_REPLY_NS;
    } else if (i8042_port_ready(k, I8042_KBD) || i8042_port_ready(k, I8042_AUX)) {
        wait = I8042_BYTE_NS;
    } else {
        return;
    }
    vtime when = clock_now(k->clk) + wait;
    if (k->xfer.when == VTIME_NEVER || k->xfer.when > when) {
        vtimer_arm(&k->xfer, when);
    }
}

/* Set 2 to set 1: F0 makes the next code a break.  Answers pass: they are above 80h. */
static bool i8042_translate(struct i8042 *k, uint8_t *val)
{
    if (!(k->ram[0] & CCB_XLAT)) {
        k->break_next = false;
        return true;
    }
    if (*val == 0xf0) {
        k->break_next = true;
        return false;
    }
    *val = ps2_to_set1[*val];
    if (k->break_next) {
        *val |= 0x80;
        k->break_next = false;
    }
    return true;
}

static void i8042_xfer(void *owner, vtime now)
{
    struct i8042 *k = owner;
    (void)now;
    if (k->status & OBF) {
        return;
    }
    if (k->reply.count >= 2) {
        uint8_t flags = fifo_pop(&k->reply);
        i8042_fill(k, fifo_pop(&k->reply), flags);
        return;
    }
    bool kbd = i8042_port_ready(k, I8042_KBD), aux = i8042_port_ready(k, I8042_AUX);
    if (kbd && (!aux || k->aux_last)) {
        uint8_t val = k->port[I8042_KBD]->ops->take(k->port[I8042_KBD]->dev);
        k->aux_last = false;
        if (i8042_translate(k, &val)) {
            i8042_fill(k, val, 0);
        }
    } else if (aux) {
        k->aux_last = true;
        i8042_fill(k, k->port[I8042_AUX]->ops->take(k->port[I8042_AUX]->dev), AUX);
    }
    i8042_pump(k);
}

static void i8042_notify(void *host)
{
    i8042_pump(host);
}

static void i8042_reply(struct i8042 *k, uint8_t val, uint8_t flags)
{
    if (!(k->status & OBF) && !k->reply.count) {
        i8042_fill(k, val, flags);
    } else if (fifo_room(&k->reply) >= 2) {
        fifo_push(&k->reply, flags);
        fifo_push(&k->reply, val);
    }
    i8042_pump(k);
}

static void i8042_pulse_reset(struct i8042 *k)
{
    irq_set(&k->reset, true);
    irq_set(&k->reset, false);
}

static void i8042_write_outport(struct i8042 *k, uint8_t val)
{
    k->outport = val | PORT_RESET;
    irq_set(&k->a20, val & PORT_A20);
    if (!(val & PORT_RESET)) {
        i8042_pulse_reset(k);
    }
}

static uint8_t i8042_outport(const struct i8042 *k)
{
    uint8_t v = k->outport & (uint8_t) ~(PORT_IRQ1 | PORT_IRQ12);
    if (k->status & OBF) {
        v |= k->status & AUX ? PORT_IRQ12 : PORT_IRQ1;
    }
    return v;
}

static void i8042_set_ccb(struct i8042 *k, uint8_t val)
{
    k->ram[0] = val;
    k->status = (uint8_t)((k->status & ~SYS) | (val & CCB_SYS ? SYS : 0));
    i8042_update_irq(k);
    i8042_pump(k);
}

static void i8042_send(struct i8042 *k, unsigned port, uint8_t val)
{
    /* sending enables the interface: the clock line must be free */
    i8042_set_ccb(k, k->ram[0] & (uint8_t) ~(port == I8042_KBD ? CCB_NO_KBD : CCB_NO_AUX));
    if (k->port[port]) {
        k->port[port]->ops->write(k->port[port]->dev, val);
        i8042_pump(k);
    } else {
        i8042_reply(k, 0xfe, (uint8_t)(TIMEOUT | (port == I8042_AUX ? AUX : 0)));
    }
}

static void i8042_write_data(struct i8042 *k, uint8_t val)
{
    uint8_t cmd = k->pending;
    if (k->password_loading) {
        k->password_loading = val != 0;
        return;
    }
    k->pending = 0;
    if (cmd >= 0x60 && cmd <= 0x7f) {
        if (cmd == 0x60) {
            i8042_set_ccb(k, val);
        } else {
            k->ram[cmd & 31] = val;
        }
        return;
    }
    switch (cmd) {
    case 0xd1: i8042_write_outport(k, val); break;
    case 0xd2: i8042_reply(k, val, 0); break;
    case 0xd3: i8042_reply(k, val, AUX); break;
    case 0xd4: i8042_send(k, I8042_AUX, val); break;
    default: i8042_send(k, I8042_KBD, val); break;
    }
}

static void i8042_write_command(struct i8042 *k, uint8_t cmd)
{
    k->pending = 0;
    k->password_loading = false;
    if (cmd >= 0x20 && cmd <= 0x3f) {
        i8042_reply(k, k->ram[cmd & 31], 0);
        return;
    }
    if (cmd >= 0x60 && cmd <= 0x7f) {
        k->pending = cmd;
        return;
    }
    if (cmd >= 0xf0) { /* pulse the low four bits of the output port whose bit is 0 */
        if (!(cmd & PORT_RESET)) {
            i8042_pulse_reset(k);
        }
        return;
    }
    switch (cmd) {
    case 0xa4: i8042_reply(k, 0xf1, 0); break; /* no password */
    case 0xa5: k->password_loading = true; break;
    case 0xa7: i8042_set_ccb(k, k->ram[0] | CCB_NO_AUX); break;
    case 0xa8: i8042_set_ccb(k, k->ram[0] & (uint8_t)~CCB_NO_AUX); break;
    case 0xa9: i8042_reply(k, 0x00, 0); break; /* mouse lines are fine */
    case 0xaa:
        k->status |= SYS;
        k->ram[0] |= CCB_SYS;
        i8042_reply(k, 0x55, 0);
        break;
    case 0xab: i8042_reply(k, 0x00, 0); break; /* keyboard lines are fine */
    case 0xad: i8042_set_ccb(k, k->ram[0] | CCB_NO_KBD); break;
    case 0xae: i8042_set_ccb(k, k->ram[0] & (uint8_t)~CCB_NO_KBD); break;
    case 0xc0: i8042_reply(k, 0x80, 0); break; /* input port: not locked */
    case 0xd0: i8042_reply(k, i8042_outport(k), 0); break;
    case 0xd1: case 0xd2: case 0xd3: case 0xd4: k->pending = cmd; break;
    case 0xdd: i8042_write_outport(k, k->outport & (uint8_t)~PORT_A20); break;
    case 0xdf: i8042_write_outport(k, k->outport | PORT_A20); break;
    case 0xe0: i8042_reply(k, 0x00, 0); break; /* test inputs: the clock lines */
    default: break;
    }
}

static void i8042_data_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8042 *k = dev;
    (void)off, (void)size;
    k->status &= (uint8_t)~A2;
    i8042_write_data(k, (uint8_t)val);
}

static uint64_t i8042_data_read(void *dev, uint64_t off, unsigned size)
{
    struct i8042 *k = dev;
    (void)off, (void)size;
    if (k->status & OBF) {
        k->status &= (uint8_t) ~(OBF | AUX | TIMEOUT);
        i8042_update_irq(k);
        i8042_pump(k);
    }
    return k->out;
}

static void i8042_command_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct i8042 *k = dev;
    (void)off, (void)size;
    k->status |= A2;
    i8042_write_command(k, (uint8_t)val);
}

static uint64_t i8042_status_read(void *dev, uint64_t off, unsigned size)
{
    (void)off, (void)size;
    return ((struct i8042 *)dev)->status | KEYLOCK;
}

static void i8042_reset(struct device *dev, enum reset_kind kind)
{
    struct i8042 *k = device_of(dev, struct i8042);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    vtimer_cancel(&k->xfer);
    k->status = k->out = k->pending = 0;
    k->outport = 0xcf; /* bits 7 and 6: keyboard data and clock; A20 on */
    memset(k->ram, 0, sizeof k->ram);
    k->break_next = k->password_loading = k->aux_last = false;
    fifo_clear(&k->reply);
    k->irq[0].level = k->irq[1].level = k->reset.level = false;
    k->a20.level = true;
}

static void i8042_drive(struct device *dev)
{
    struct i8042 *k = device_of(dev, struct i8042);
    irq_drive(&k->irq[0]);
    irq_drive(&k->irq[1]);
    irq_drive(&k->a20);
}

static void i8042_snap(struct device *dev, struct snap *s)
{
    struct i8042 *k = device_of(dev, struct i8042);
    snap_u8(s, "status", &k->status);
    snap_u8(s, "out", &k->out);
    snap_u8(s, "outport", &k->outport);
    snap_bytes(s, "ram", k->ram, sizeof k->ram);
    snap_u8(s, "pending", &k->pending);
    snap_bool(s, "break_next", &k->break_next);
    snap_bool(s, "password_loading", &k->password_loading);
    snap_bool(s, "aux_last", &k->aux_last);
    fifo_snap(&k->reply, s, "reply");
    snap_bool(s, "irq1", &k->irq[0].level);
    snap_bool(s, "irq12", &k->irq[1].level);
    snap_bool(s, "a20", &k->a20.level);
    snap_timer(s, "xfer", &k->xfer);
    if (snap_loading(s) && (k->reply.count & 1)) {
        fifo_clear(&k->reply);
        snap_fail(s, "i8042: half an answer");
    }
}

static void i8042_destroy(struct device *dev)
{
    vtimer_cancel(&device_of(dev, struct i8042)->xfer);
}

static const struct device_class i8042_class = {
    .name = "i8042",
    .snap_version = 1,
    .reset = i8042_reset,
    .drive = i8042_drive,
    .snap = i8042_snap,
    .destroy = i8042_destroy,
};
static const struct region_ops i8042_data_ops = {i8042_data_read, i8042_data_write, 1, 1};
static const struct region_ops i8042_command_ops = {i8042_status_read, i8042_command_write, 1, 1};

void i8042_init(struct i8042 *k, const char *id, struct clock *clk, struct irq_line irq1,
                struct irq_line irq12, struct irq_line a20, struct irq_line reset)
{
    *k = (struct i8042){
        .dev = {&i8042_class, id},
        .data = {.name = "i8042.data", .len = 1, .priority = 1, .ops = &i8042_data_ops, .dev = k},
        .command =
            {.name = "i8042.cmd", .len = 1, .priority = 1, .ops = &i8042_command_ops, .dev = k},
        .clk = clk,
        .irq = {irq1, irq12},
        .a20 = a20,
        .reset = reset,
    };
    fifo_init(&k->reply, k->reply_buf, sizeof k->reply_buf);
    vtimer_init(&k->xfer, clk, "i8042.xfer", i8042_xfer, k);
    i8042_reset(&k->dev, RESET_POWER_ON);
}

void i8042_attach(struct i8042 *k, unsigned port, struct ps2_device *dev)
{
    k->port[port & 1] = dev;
    dev->notify = i8042_notify;
    dev->host = k;
}
