/* PC16550D: interrupts, FIFOs, timing, loopback, by the datasheet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/rig/chips.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define CHAR_NS 86806ull /* 10 bits at 115200 */

static int setup(void **state)
{
    struct rig *r = contract_open(&case_uart16550);
    rig_out8(r, LCR, 0x83);
    rig_out8(r, 0, 1);
    rig_out8(r, 1, 0);
    rig_out8(r, LCR, 0x03);
    rig_out8(r, MCR, 0x0b);
    rig_in8(r, MSR);
    *state = r;
    return 0;
}
static int teardown(void **state)
{
    contract_close(&case_uart16550, *state);
    return 0;
}
static void baud(struct rig *r, unsigned divisor)
{
    uint8_t lcr = rig_in8(r, LCR);
    rig_out8(r, LCR, lcr | 0x80);
    rig_out8(r, 0, (uint8_t)divisor);
    rig_out8(r, 1, (uint8_t)(divisor >> 8));
    rig_out8(r, LCR, lcr & 0x7f);
}

static void reset_values(void **state)
{
    struct rig *r = *state;
    rig_reset(r, RESET_POWER_ON);
    assert_int_equal(rig_in8(r, IIR), 0x01);
    assert_int_equal(rig_in8(r, LSR), 0x60);
    assert_int_equal(rig_in8(r, IER), 0);
    assert_int_equal(rig_in8(r, LCR), 0);
    assert_int_equal(rig_in8(r, MCR), 0);
    assert_int_equal(rig_in8(r, MSR), 0xb0);
    rig_out8(r, SCR, 0x5a);
    assert_int_equal(rig_in8(r, SCR), 0x5a);
}

static void a_character_takes_its_time(void **state)
{
    struct rig *r = *state;
    struct uart16550 *u = r->priv;
    assert_int_equal(uart16550_char_time(u), CHAR_NS);
    rig_out8(r, RBR, 'A');
    assert_int_equal(rig_in8(r, LSR) & 0x60, 0x20); /* in the shift register */
    rig_out8(r, RBR, 'B');
    assert_int_equal(rig_in8(r, LSR) & 0x60, 0x00);
    rig_advance(r, CHAR_NS / UART16550_TX_SPEEDUP);
    assert_int_equal(r->term.out_len, 0);
    rig_advance(r, 1);
    assert_memory_equal(r->term.out, "A", 1);
    assert_int_equal(rig_in8(r, LSR) & 0x60, 0x20);
    rig_advance(r, CHAR_NS);
    assert_memory_equal(r->term.out, "AB", 2);
    assert_int_equal(rig_in8(r, LSR) & 0x60, 0x60);
    baud(r, 12);
    rig_out8(r, LCR, 0x1c); /* 5 data bits, parity, one and a half stop bits */
    assert_int_equal(uart16550_char_time(u), (17ull * 8 * 12 * VTIME_SEC + 1843199) / 1843200);
}

static void thre_interrupt_is_cleared_by_reading_iir(void **state)
{
    struct rig *r = *state;
    rig_out8(r, IER, 2); /* the holding register is empty: at once */
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, IIR), 0x02);
    assert_false(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, IIR), 0x01);
    rig_out8(r, RBR, 'x');
    assert_true(rig_level(r, PIN_IRQ)); /* moved on to the shift register */
    rig_out8(r, RBR, 'y');
    assert_false(rig_level(r, PIN_IRQ));
    rig_advance(r, CHAR_NS);
    assert_true(rig_level(r, PIN_IRQ));
    rig_out8(r, IER, 0);
    assert_false(rig_level(r, PIN_IRQ));
}

static void received_data_interrupts_until_read(void **state)
{
    struct rig *r = *state;
    rig_out8(r, IER, 1);
    rig_type(r, "Hi", 2);
    assert_false(rig_level(r, PIN_IRQ));
    rig_advance(r, CHAR_NS);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, IIR), 0x04);
    rig_advance(r, 5 * CHAR_NS); /* the sender waits while the register is full */
    assert_int_equal(rig_in8(r, LSR), 0x61);
    assert_int_equal(rig_in8(r, RBR), 'H');
    assert_false(rig_level(r, PIN_IRQ));
    rig_advance(r, CHAR_NS);
    assert_int_equal(rig_in8(r, RBR), 'i');
    assert_int_equal(rig_in8(r, LSR), 0x60);
}

static void fifo_trigger_and_timeout(void **state)
{
    struct rig *r = *state;
    rig_out8(r, IIR, 0x87); /* trigger 8 */
    rig_out8(r, IER, 1);
    assert_int_equal(rig_in8(r, IIR), 0xc1);
    rig_type(r, "0123456789", 10);
    rig_advance(r, 7 * CHAR_NS);
    assert_false(rig_level(r, PIN_IRQ));
    rig_advance(r, CHAR_NS);
    assert_int_equal(rig_in8(r, IIR), 0xc4);
    rig_in8(r, RBR);
    assert_int_equal(rig_in8(r, IIR), 0xc1); /* below the trigger */
    rig_advance(r, 2 * CHAR_NS);
    assert_int_equal(rig_in8(r, IIR), 0xc4);
    rig_in8(r, RBR), rig_in8(r, RBR);
    rig_advance(r, 4 * CHAR_NS - 1);
    assert_false(rig_level(r, PIN_IRQ));
    rig_advance(r, 1);
    assert_int_equal(rig_in8(r, IIR), 0xcc);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, RBR), '3');
    assert_false(rig_level(r, PIN_IRQ));
    rig_out8(r, IIR, 0x83); /* clear the receiver */
    assert_int_equal(rig_in8(r, LSR) & 1, 0);
    rig_out8(r, IIR, 0);
    assert_int_equal(rig_in8(r, IIR), 0x01);
}

static void loopback_carries_data_modem_lines_and_overruns(void **state)
{
    struct rig *r = *state;
    rig_out8(r, MCR, 0x10);
    assert_int_equal(rig_in8(r, MSR) & 0xf0, 0);
    rig_out8(r, MCR, 0x1a);
    assert_int_equal(rig_in8(r, MSR), 0x99); /* RTS -> CTS, OUT2 -> DCD with their deltas */
    assert_int_equal(rig_in8(r, MSR), 0x90);
    rig_out8(r, MCR, 0x1e);
    assert_int_equal(rig_in8(r, MSR), 0xd0); /* RI rises: no trailing edge */
    rig_out8(r, MCR, 0x1a);
    assert_int_equal(rig_in8(r, MSR), 0x94);
    rig_out8(r, RBR, 'a');
    rig_advance(r, CHAR_NS);
    assert_int_equal(r->term.out_len, 0); /* SOUT is marking */
    assert_int_equal(rig_in8(r, LSR), 0x61);
    rig_out8(r, RBR, 'b');
    rig_advance(r, CHAR_NS);
    assert_int_equal(rig_in8(r, LSR), 0x63); /* overrun */
    assert_int_equal(rig_in8(r, LSR), 0x61);
    assert_int_equal(rig_in8(r, RBR), 'b');
    rig_out8(r, IER, 4);
    rig_out8(r, IIR, 7);
    for (unsigned i = 0; i < 18; i++) {
        rig_out8(r, RBR, (uint8_t)('A' + i));
        rig_advance(r, CHAR_NS);
    }
    assert_int_equal(rig_in8(r, IIR) & 15, 6);
    assert_false(rig_level(r, PIN_IRQ)); /* loopback holds OUT2 inactive */
    assert_int_equal(rig_in8(r, LSR), 0x63);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(rig_in8(r, RBR), 'A' + i);
    }
    assert_int_equal(rig_in8(r, LSR), 0x60);
}

static void break_shows_when_its_character_is_next(void **state)
{
    struct rig *r = *state;
    rig_out8(r, IIR, 1);
    rig_out8(r, IER, 4);
    rig_type(r, "z", 1);
    rig_advance(r, CHAR_NS);
    r->chr.client->break_signal(r->chr.dev);
    assert_int_equal(rig_in8(r, LSR), 0xe1); /* an error somewhere in the FIFO */
    assert_false(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, RBR), 'z');
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, IIR), 0xc6);
    assert_int_equal(rig_in8(r, LSR), 0xf9);
    assert_int_equal(rig_in8(r, LSR), 0x61);
    assert_int_equal(rig_in8(r, RBR), 0);
}

static void modem_status_interrupt(void **state)
{
    struct rig *r = *state;
    rig_out8(r, IER, 8);
    uart16550_set_modem(r->priv, 0x30);
    assert_true(rig_level(r, PIN_IRQ));
    assert_int_equal(rig_in8(r, IIR), 0x00);
    assert_int_equal(rig_in8(r, MSR), 0x38);
    assert_false(rig_level(r, PIN_IRQ));
}

static void out2_gates_the_interrupt_on_a_pc(void **state)
{
    struct rig *r = *state;
    rig_out8(r, MCR, 0x03);
    rig_out8(r, IER, 2);
    assert_false(rig_level(r, PIN_IRQ));
    rig_out8(r, MCR, 0x0b);
    assert_true(rig_level(r, PIN_IRQ));
}

static void host_input_is_never_more_than_there_is_room(void **state)
{
    struct rig *r = *state;
    uint8_t big[500];
    memset(big, 'q', sizeof big);
    size_t n = rig_type(r, big, sizeof big);
    assert_int_equal(n, UART16550_LINE);
    assert_int_equal(r->chr.client->room(r->chr.dev), 0);
    rig_advance(r, 2 * CHAR_NS);
    assert_int_equal(r->term.accept_calls, 1); /* one went on; it waits in RBR */
    assert_int_equal(r->chr.client->room(r->chr.dev), 1);
}

static void t22_every_divisor_and_line_control(void **state)
{
    struct rig *r = *state;
    for (unsigned d = 0; d < 65536; d += d < 300 ? 1 : 257) {
        for (unsigned lcr = 0; lcr < 256; lcr += 5) {
            baud(r, d);
            rig_out8(r, LCR, (uint8_t)(lcr & 0x7f));
            rig_out8(r, RBR, (uint8_t)d);
            vtime ct = uart16550_char_time(r->priv);
            assert_true(d ? ct > 50000 && ct < 10 * VTIME_SEC : ct == VTIME_NEVER);
            rig_advance(r, 1000);
        }
    }
    rig_out8(r, LCR, 3);
    baud(r, 1);
    rig_advance(r, 10 * VTIME_SEC);
    r->term.out_len = 0;
    baud(r, 0);
    rig_out8(r, RBR, 'n'); /* waits for a baud clock */
    rig_advance(r, VTIME_SEC);
    assert_int_equal(r->term.out_len, 0);
    baud(r, 1);
    rig_advance(r, CHAR_NS);
    assert_int_equal(r->term.out_len, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(reset_values),
        T(a_character_takes_its_time),
        T(thre_interrupt_is_cleared_by_reading_iir),
        T(received_data_interrupts_until_read),
        T(fifo_trigger_and_timeout),
        T(loopback_carries_data_modem_lines_and_overruns),
        T(break_shows_when_its_character_is_next),
        T(modem_status_interrupt),
        T(out2_gates_the_interrupt_on_a_pc),
        T(host_input_is_never_more_than_there_is_room),
        T(t22_every_divisor_and_line_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
