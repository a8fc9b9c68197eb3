/* Serial port: PC16550D (National Semiconductor, datasheet TL/C/8652), with a 1.8432 MHz crystal.
 *
 *      off  DLAB=0 read / write   DLAB=1        interrupt cause (IIR), highest first
 *       0   RBR / THR             DLL           06 line status (LSR 4-1)    cleared by reading LSR
 *       1   IER                   DLM           04 received data            reading RBR
 *       2   IIR / FCR                           0C character timeout        reading RBR
 *       3   LCR   4 MCR   5 LSR                 02 THR empty                reading IIR, writing
 * THR 6   MSR   7 SCR                         00 modem status             reading MSR
 *
 * Characters take their real time (start, data, parity and stop bits of 16 * divisor clocks) in
 * both directions.  Host input waits while the receiver is full: a sender that honors handshake;
 * overruns happen in loopback.  Divisor 0: no baud clock, nothing moves.
 * On a PC, OUT2 opens the way of INTR to the interrupt controller.
 * NOT IMPLEMENTED: DMA pins (FCR 3), the transmit FIFO's one-character interrupt delay, parity
 * errors from the host's side, BREAK to the host. */
#include "devices/char/uart16550.h"

#include <string.h>

#include "base/bits.h"

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum { IER_ERBFI = 1, IER_ETBEI = 2, IER_ELSI = 4, IER_EDSSI = 8 };
enum { IIR_NONE = 1, IIR_MODEM = 0, IIR_THRE = 2, IIR_DATA = 4, IIR_LINE = 6, IIR_TIMEOUT = 12,
       IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 1, FCR_RX_RESET = 2, FCR_TX_RESET = 4 };
enum { LCR_STB = 4, LCR_PEN = 8, LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_PE = 4, LSR_FE = 8, LSR_BI = 0x10, LSR_THRE = 0x20,
       LSR_TEMT = 0x40, LSR_FIFO_ERR = 0x80, LSR_ERRORS = 0x1e };
enum { MSR_DCTS = 1, MSR_DDSR = 2, MSR_TERI = 4, MSR_DDCD = 8, MSR_CTS = 0x10, MSR_DSR = 0x20,
       MSR_RI = 0x40, MSR_DCD = 0x80 };

#define UART_CLOCK 1843200u

/* ---- what the registers say ---- */

static bool uart16550_fifo_on(const struct uart16550 *u)
{
    return u->fcr & FCR_ENABLE;
}

static bool uart16550_loop(const struct uart16550 *u)
{
    return u->mcr & MCR_LOOP;
}

static unsigned uart16550_rx_cap(const struct uart16550 *u)
{
    return uart16550_fifo_on(u) ? UART16550_FIFO : 1;
}

static unsigned uart16550_trigger(const struct uart16550 *u)
{
    static const uint8_t level[4] = {1, 4, 8, 14};
    return uart16550_fifo_on(u) ? level[u->fcr >> 6] : 1;
}

static uint8_t uart16550_mask(const struct uart16550 *u)
{
    return (uint8_t)(0xff >> (3 - (u->lcr & 3)));
}

vtime uart16550_char_time(const struct uart16550 *u)
{
    unsigned data = 5 + (u->lcr & 3);
    unsigned half_bits = 2 * (1 + data + !!(u->lcr & LCR_PEN)) +
                         (!(u->lcr & LCR_STB) ? 2 : data == 5 ? 3 : 4);
    if (!u->divisor) {
        return VTIME_NEVER;
    }
    return muldiv64_up((uint64_t)half_bits * 8 * u->divisor, VTIME_SEC, UART_CLOCK);
}

static uint8_t uart16550_lsr(const struct uart16550 *u)
{
    uint8_t v = u->lsr;
    v |= u->rx_count ? LSR_DR : 0;
    v |= !u->tx_count ? LSR_THRE : 0;
    v |= !u->tx_count && !u->tsr_busy ? LSR_TEMT : 0;
    for (unsigned i = 0; uart16550_fifo_on(u) && i < u->rx_count; i++) {
        v |= u->rx_flags[i] ? LSR_FIFO_ERR : 0;
    }
    return v;
}

/* The modem inputs: the pins, or in loopback the outputs DTR RTS OUT1 OUT2. */
static uint8_t uart16550_modem(const struct uart16550 *u, uint8_t mcr, uint8_t pins)
{
    (void)u;
    if (!(mcr & MCR_LOOP)) {
        return pins & 0xf0;
    }
    return (uint8_t)((mcr & MCR_DTR ? MSR_DSR : 0) | (mcr & MCR_RTS ? MSR_CTS : 0) |
                     (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static uint8_t uart16550_iir(const struct uart16550 *u)
{
    if ((u->ier & IER_ELSI) && (u->lsr & LSR_ERRORS)) {
        return IIR_LINE;
    }
    if ((u->ier & IER_ERBFI) && u->rx_count >= uart16550_trigger(u)) {
        return IIR_DATA;
    }
    if ((u->ier & IER_ERBFI) && u->timed_out) {
        return IIR_TIMEOUT;
    }
    if ((u->ier & IER_ETBEI) && u->thre_pending) {
        return IIR_THRE;
    }
    if ((u->ier & IER_EDSSI) && u->msr_delta) {
        return IIR_MODEM;
    }
    return IIR_NONE;
}

static void uart16550_update_irq(struct uart16550 *u)
{
    bool gate = (u->mcr & MCR_OUT2) && !uart16550_loop(u); /* loopback forces OUT2# inactive */
    irq_set(&u->irq, gate && uart16550_iir(u) != IIR_NONE);
}

static void uart16550_arm(struct uart16550 *u, struct vtimer *t, unsigned chars)
{
    vtime ct = uart16550_char_time(u);
    vtimer_arm(t, ct == VTIME_NEVER ? VTIME_NEVER : clock_now(u->clk) + ct * chars);
}

/* The line behind the transmitter is a host file or terminal, which takes characters much faster
 * than the baud rate says.  Kernel consoles poll for THRE with interrupts off: at the true rate
 * every line of boot messages would cost millions of instructions and, as on real machines, timer
 * ticks. */
static void uart16550_arm_tx(struct uart16550 *u)
{
    vtime ct = uart16550_char_time(u);
    vtimer_arm(&u->tx, ct == VTIME_NEVER ? VTIME_NEVER
                                         : clock_now(u->clk) + ct / UART16550_TX_SPEEDUP + 1);
}

/* ---- receiver ---- */

static void uart16550_rx_touch(struct uart16550 *u)
{
    u->timed_out = false;
    if (uart16550_fifo_on(u) && u->rx_count) {
        uart16550_arm(u, &u->timeout, 4);
    } else {
        vtimer_cancel(&u->timeout);
    }
}

/* A character's error bits show in LSR when it is the next to be read. */
static void uart16550_rx_top(struct uart16550 *u)
{
    if (u->rx_count) {
        u->lsr |= u->rx_flags[0];
    }
}

static void uart16550_rx_push(struct uart16550 *u, uint8_t val, uint8_t flags)
{
    if (u->rx_count >= uart16550_rx_cap(u)) {
        u->lsr |= LSR_OE;
        if (!uart16550_fifo_on(u)) { /* RBR is overwritten; a FIFO keeps what it has */
            u->rx_data[0] = val;
            u->rx_flags[0] = flags;
            u->lsr |= flags;
        }
    } else {
        u->rx_data[u->rx_count] = val;
        u->rx_flags[u->rx_count++] = flags;
        if (u->rx_count == 1) {
            uart16550_rx_top(u);
        }
        uart16550_rx_touch(u);
    }
    uart16550_update_irq(u);
}

static void uart16550_rx_start(struct uart16550 *u)
{
    if (u->line.count && u->rx.when == VTIME_NEVER && !uart16550_loop(u)) {
        uart16550_arm(u, &u->rx, 1);
    }
}

static void uart16550_rx_done(void *owner, vtime now)
{
    struct uart16550 *u = owner;
    (void)now;
    if (uart16550_loop(u) || u->rx_count >= uart16550_rx_cap(u)) {
        return; /* reading RBR or leaving loopback starts again */
    }
    bool was_full = !fifo_room(&u->line);
    if (u->line.count) {
        uart16550_rx_push(u, fifo_pop(&u->line) & uart16550_mask(u), 0);
    }
    uart16550_rx_start(u);
    if (was_full && u->chr && u->chr->ops && u->chr->ops->accept_input) {
        u->chr->ops->accept_input(u->chr->backend);
    }
}

static void uart16550_rx_clear(struct uart16550 *u)
{
    u->rx_count = 0;
    u->lsr &= (uint8_t) ~(LSR_PE | LSR_FE | LSR_BI);
    uart16550_rx_touch(u);
    uart16550_rx_start(u);
}

static uint8_t uart16550_read_rbr(struct uart16550 *u)
{
    if (u->rx_count) {
        u->rbr_last = u->rx_data[0];
        u->rx_count--;
        memmove(u->rx_data, u->rx_data + 1, u->rx_count);
        memmove(u->rx_flags, u->rx_flags + 1, u->rx_count);
        uart16550_rx_top(u);
        uart16550_rx_touch(u);
        uart16550_rx_start(u);
        uart16550_update_irq(u);
    }
    return u->rbr_last;
}

static void uart16550_timed_out(void *owner, vtime now)
{
    struct uart16550 *u = owner;
    (void)now;
    u->timed_out = u->rx_count && uart16550_fifo_on(u);
    uart16550_update_irq(u);
}

/* ---- transmitter ---- */

static void uart16550_tx_load(struct uart16550 *u)
{
    if (u->tsr_busy || !u->tx_count) {
        return;
    }
    u->tsr = u->tx_buf[0];
    u->tx_count--;
    memmove(u->tx_buf, u->tx_buf + 1, u->tx_count);
    u->tsr_busy = true;
    uart16550_arm_tx(u);
    if (!u->tx_count) {
        u->thre_pending = true;
    }
}

static void uart16550_tx_done(void *owner, vtime now)
{
    struct uart16550 *u = owner;
    (void)now;
    uint8_t b = u->tsr & uart16550_mask(u);
    u->tsr_busy = false;
    uart16550_tx_load(u);
    if (u->lcr & LCR_BREAK) {
        b = 0; /* SOUT is held at space: the character is lost */
    }
    if (uart16550_loop(u)) {
        if (!(u->lcr & LCR_BREAK)) {
            uart16550_rx_push(u, b, 0);
        }
    } else if (u->chr && u->chr->ops && u->chr->ops->write && !(u->lcr & LCR_BREAK)) {
        u->chr->ops->write(u->chr->backend, &b, 1);
    }
    uart16550_update_irq(u);
}

static void uart16550_write_thr(struct uart16550 *u, uint8_t val)
{
    unsigned cap = uart16550_fifo_on(u) ? UART16550_FIFO : 1;
    u->thre_pending = false;
    if (u->tx_count < cap) {
        u->tx_buf[u->tx_count++] = val;
    } else if (cap == 1) {
        u->tx_buf[0] = val; /* the holding register is overwritten; a full FIFO drops the new one */
    }
    uart16550_tx_load(u);
}

/* ---- registers ---- */

static void uart16550_modem_change(struct uart16550 *u, uint8_t mcr, uint8_t pins)
{
    uint8_t old = uart16550_modem(u, u->mcr, u->modem_in), now = uart16550_modem(u, mcr, pins);
    uint8_t diff = old ^ now;
    u->msr_delta |= (uint8_t)((diff & MSR_CTS ? MSR_DCTS : 0) | (diff & MSR_DSR ? MSR_DDSR : 0) |
                              (diff & MSR_DCD ? MSR_DDCD : 0) |
                              (diff & old & MSR_RI ? MSR_TERI : 0));
    u->mcr = mcr;
    u->modem_in = pins & 0xf0;
}

void uart16550_set_modem(struct uart16550 *u, uint8_t pins)
{
    uart16550_modem_change(u, u->mcr, pins);
    uart16550_update_irq(u);
}

static void uart16550_write_fcr(struct uart16550 *u, uint8_t val)
{
    bool toggled = (val ^ u->fcr) & FCR_ENABLE;
    if (toggled || (val & FCR_RX_RESET && val & FCR_ENABLE)) {
        u->fcr = val & (FCR_ENABLE | 0xc8);
        uart16550_rx_clear(u);
    }
    if (toggled || (val & FCR_TX_RESET && val & FCR_ENABLE)) {
        if (u->tx_count) {
            u->thre_pending = true;
        }
        u->tx_count = 0; /* the shift register goes on */
    }
    u->fcr = val & FCR_ENABLE ? val & (FCR_ENABLE | 0xc8) : 0;
    uart16550_rx_touch(u);
}

static void uart16550_write_ier(struct uart16550 *u, uint8_t val)
{
    val &= 15;
    if (!(u->ier & IER_ETBEI) && (val & IER_ETBEI) && !u->tx_count) {
        u->thre_pending = true;
    }
    u->ier = val;
}

static void uart16550_write_lcr(struct uart16550 *u, uint8_t val)
{
    bool began = (val & LCR_BREAK) && !(u->lcr & LCR_BREAK);
    u->lcr = val;
    if (began && uart16550_loop(u)) {
        uart16550_rx_push(u, 0, LSR_BI | LSR_FE);
    }
}

static void uart16550_write_divisor(struct uart16550 *u, uint16_t val)
{
    u->divisor = val;
    if (!val) {
        vtimer_cancel(&u->tx);
        vtimer_cancel(&u->rx);
        vtimer_cancel(&u->timeout);
        return;
    }
    if (u->tsr_busy && u->tx.when == VTIME_NEVER) {
        uart16550_arm_tx(u);
    }
    if (!u->timed_out && u->timeout.when == VTIME_NEVER) {
        uart16550_rx_touch(u);
    }
    uart16550_rx_start(u);
}

static void uart16550_write(void *dev, uint64_t off, uint64_t v, unsigned size)
{
    struct uart16550 *u = dev;
    uint8_t val = (uint8_t)v;
    bool dlab = u->lcr & LCR_DLAB;
    (void)size;
    switch (off) {
    case RBR_THR:
        if (dlab) {
            uart16550_write_divisor(u, (uint16_t)((u->divisor & 0xff00) | val));
        } else {
            uart16550_write_thr(u, val);
        }
        break;
    case IER:
        if (dlab) {
            uart16550_write_divisor(u, (uint16_t)((u->divisor & 0xff) | val << 8));
        } else {
            uart16550_write_ier(u, val);
        }
        break;
    case IIR_FCR: uart16550_write_fcr(u, val); break;
    case LCR: uart16550_write_lcr(u, val); break;
    case MCR:
        uart16550_modem_change(u, val & 0x1f, u->modem_in);
        uart16550_rx_start(u);
        break;
    case SCR: u->scr = val; break;
    default: break; /* LSR and MSR: factory tests only */
    }
    uart16550_update_irq(u);
}

static uint64_t uart16550_read(void *dev, uint64_t off, unsigned size)
{
    struct uart16550 *u = dev;
    bool dlab = u->lcr & LCR_DLAB;
    uint8_t v;
    (void)size;
    switch (off) {
    case RBR_THR: return dlab ? u->divisor & 0xff : uart16550_read_rbr(u);
    case IER: return dlab ? u->divisor >> 8 : u->ier;
    case IIR_FCR:
        v = uart16550_iir(u);
        if (v == IIR_THRE) {
            u->thre_pending = false;
            uart16550_update_irq(u);
        }
        return v | (uart16550_fifo_on(u) ? IIR_FIFO : 0);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR:
        v = uart16550_lsr(u);
        u->lsr = 0;
        if (u->rx_count) {
            u->rx_flags[0] = 0;
        }
        uart16550_update_irq(u);
        return v;
    case MSR:
        v = uart16550_modem(u, u->mcr, u->modem_in) | u->msr_delta;
        u->msr_delta = 0;
        uart16550_update_irq(u);
        return v;
    default: return u->scr;
    }
}

/* ---- the host's side ---- */

static size_t uart16550_room(void *dev)
{
    return fifo_room(&((struct uart16550 *)dev)->line);
}

static void uart16550_receive(void *dev, const uint8_t *buf, size_t len)
{
    struct uart16550 *u = dev;
    for (size_t i = 0; i < len; i++) {
        fifo_push(&u->line, buf[i]);
    }
    if (u->rx_count < uart16550_rx_cap(u)) {
        uart16550_rx_start(u);
    }
}

static void uart16550_break_signal(void *dev)
{
    struct uart16550 *u = dev;
    if (!uart16550_loop(u) && u->divisor) {
        uart16550_rx_push(u, 0, LSR_BI | LSR_FE);
    }
}

static const struct chardev_client uart16550_client = {uart16550_room, uart16550_receive,
                                                       uart16550_break_signal};

/* ---- life ---- */

static void uart16550_stop(struct uart16550 *u)
{
    vtimer_cancel(&u->tx);
    vtimer_cancel(&u->rx);
    vtimer_cancel(&u->timeout);
}

static void uart16550_reset(struct device *dev, enum reset_kind kind)
{
    struct uart16550 *u = device_of(dev, struct uart16550);
    if (kind == RESET_CPU_ONLY) {
        return;
    }
    uart16550_stop(u);
    u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->msr_delta = u->lsr = 0;
    u->modem_in = u->chr && u->chr->ops ? MSR_DCD | MSR_DSR | MSR_CTS : 0;
    u->divisor = 1; /* undefined after power-on; the fastest */
    u->tsr = u->rbr_last = u->tx_count = u->rx_count = 0;
    u->tsr_busy = u->thre_pending = u->timed_out = false;
    memset(u->tx_buf, 0, sizeof u->tx_buf);
    memset(u->rx_data, 0, sizeof u->rx_data);
    memset(u->rx_flags, 0, sizeof u->rx_flags);
    fifo_clear(&u->line);
    u->irq.level = false;
}

static void uart16550_drive(struct device *dev)
{
    irq_drive(&device_of(dev, struct uart16550)->irq);
}

static void uart16550_snap(struct device *dev, struct snap *s)
{
    struct uart16550 *u = device_of(dev, struct uart16550);
    snap_u8(s, "ier", &u->ier);
    snap_u8(s, "fcr", &u->fcr);
    snap_u8(s, "lcr", &u->lcr);
    snap_u8(s, "mcr", &u->mcr);
    snap_u8(s, "scr", &u->scr);
    snap_u8(s, "msr_delta", &u->msr_delta);
    snap_u8(s, "lsr", &u->lsr);
    snap_u8(s, "modem_in", &u->modem_in);
    snap_u16(s, "divisor", &u->divisor);
    snap_u8(s, "tsr", &u->tsr);
    snap_bool(s, "tsr_busy", &u->tsr_busy);
    snap_bool(s, "thre_pending", &u->thre_pending);
    snap_bool(s, "timed_out", &u->timed_out);
    snap_bytes(s, "tx_buf", u->tx_buf, sizeof u->tx_buf);
    snap_bytes(s, "rx_data", u->rx_data, sizeof u->rx_data);
    snap_bytes(s, "rx_flags", u->rx_flags, sizeof u->rx_flags);
    snap_u8(s, "tx_count", &u->tx_count);
    snap_u8(s, "rx_count", &u->rx_count);
    snap_u8(s, "rbr_last", &u->rbr_last);
    fifo_snap(&u->line, s, "line");
    snap_bool(s, "irq", &u->irq.level);
    snap_timer(s, "tx", &u->tx);
    snap_timer(s, "rx", &u->rx);
    snap_timer(s, "timeout", &u->timeout);
    if (snap_loading(s)) {
        if (u->tx_count > UART16550_FIFO || u->rx_count > UART16550_FIFO) {
            snap_fail(s, "uart16550: a FIFO holds more than it can");
        }
        u->tx_count = u->tx_count > UART16550_FIFO ? 0 : u->tx_count;
        u->rx_count = u->rx_count > UART16550_FIFO ? 0 : u->rx_count;
        u->ier &= 15;
        u->mcr &= 0x1f;
        u->fcr &= FCR_ENABLE | 0xc8;
        u->lsr &= LSR_ERRORS;
        for (unsigned i = 0; i < UART16550_FIFO; i++) {
            u->rx_flags[i] &= LSR_ERRORS; /* they end in lsr */
        }
        u->msr_delta &= 15;
        u->modem_in &= 0xf0;
    }
}

static void uart16550_destroy(struct device *dev)
{
    uart16550_stop(device_of(dev, struct uart16550));
}

static const struct device_class uart16550_class = {
    .name = "uart16550",
    .snap_version = 1,
    .reset = uart16550_reset,
    .drive = uart16550_drive,
    .snap = uart16550_snap,
    .destroy = uart16550_destroy,
};
static const struct region_ops uart16550_ops = {uart16550_read, uart16550_write, 1, 1};

void uart16550_init(struct uart16550 *u, const char *id, struct clock *clk, struct irq_line irq,
                    struct chardev *chr)
{
    *u = (struct uart16550){
        .dev = {&uart16550_class, id},
        .regs = {.name = "uart.regs", .len = 8, .priority = 1, .ops = &uart16550_ops, .dev = u},
        .irq = irq,
        .clk = clk,
        .chr = chr,
    };
    fifo_init(&u->line, u->line_buf, sizeof u->line_buf);
    vtimer_init(&u->tx, clk, "uart.tx", uart16550_tx_done, u);
    vtimer_init(&u->rx, clk, "uart.rx", uart16550_rx_done, u);
    vtimer_init(&u->timeout, clk, "uart.timeout", uart16550_timed_out, u);
    if (chr) {
        chr->client = &uart16550_client;
        chr->dev = u;
    }
    uart16550_reset(&u->dev, RESET_POWER_ON);
}
