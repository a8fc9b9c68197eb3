/* National Semiconductor PC16550D. */
#pragma once
#include "base/clock.h"
#include "base/fifo.h"
#include "base/plugs/chardev.h"
#include "devices/device.h"
#include "mem/bus.h"
#include "mem/irq.h"

enum { UART16550_FIFO = 16, UART16550_LINE = 64 };
#define UART16550_TX_SPEEDUP 32 /* transmission, against the programmed baud rate */

struct uart16550 {
    struct device dev;
    struct region regs; /* 8 bytes: 3F8h... */
    struct irq_line irq; /* INTR through the gate that OUT2# opens on a PC */
    struct clock *clk;
    struct chardev *chr; /* may be NULL: nothing is plugged in */
    struct vtimer tx;      /* the character in the shift register is out */
    struct vtimer rx;      /* the next character from the line is in */
    struct vtimer timeout; /* four character times without a FIFO access */
    uint8_t ier, fcr, lcr, mcr, scr, msr_delta;
    uint8_t lsr;        /* OE PE FE BI only; the rest is computed */
    uint8_t modem_in;   /* DCD RI DSR CTS pins in MSR's bits 7-4 */
    uint16_t divisor;
    uint8_t tsr;
    bool tsr_busy;
    bool thre_pending;  /* the THRE interrupt: cleared by reading IIR, by writing THR */
    bool timed_out;
    uint8_t tx_buf[UART16550_FIFO], rx_data[UART16550_FIFO], rx_flags[UART16550_FIFO];
    uint8_t tx_count, rx_count;
    uint8_t rbr_last;   /* RBR keeps the last character */
    uint8_t line_buf[UART16550_LINE];
    struct fifo line;   /* on their way from the host: they arrive one character time each */
};

/* Sets chr->client: the chardev must not be shared.  A chardev that takes less than it is offered
 * loses the character, as a terminal that is switched off would (buffering is the backend's duty,
 * so that the guest's time never depends on the host). */
void uart16550_init(struct uart16550 *u, const char *id, struct clock *clk, struct irq_line irq,
                    struct chardev *chr);
void uart16550_set_modem(struct uart16550 *u, uint8_t pins); /* MSR bits 7-4 */
vtime uart16550_char_time(const struct uart16550 *u); /* VTIME_NEVER when divisor is 0 */
