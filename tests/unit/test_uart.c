/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_uart.c - devices/uart.c against the PC16550D datasheet, with the clock held in hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/uart.h"

static struct uart uart;
static bool level;
static uint8_t sent[64];
static unsigned int nsent;
static uint64_t now;

static void on_irq(void *owner, unsigned int line, bool high)
{
	(void)owner;
	(void)line;
	level = high;
}

static void on_byte(void *owner, uint8_t byte)
{
	(void)owner;
	if (nsent < sizeof(sent))
		sent[nsent] = byte;
	nsent++;
}

static void out(unsigned int reg, uint8_t value)
{
	uart_port_ops.out(&uart, (uint16_t)(0x3f8 + reg), 1, value, now);
}

static uint8_t in(unsigned int reg)
{
	return (uint8_t)uart_port_ops.in(&uart, (uint16_t)(0x3f8 + reg), 1, now);
}

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };
#define FCR IIR

static int set_up(void **state)
{
	(void)state;
	now = 0;
	nsent = 0;
	level = false;
	uart_init(&uart, (struct irq_line){ .set = on_irq }, (struct char_sink){ .write = on_byte });
	out(LCR, 0x83);
	out(DATA, 1);			/* 115,200 */
	out(IER, 0);
	out(LCR, 0x03);
	out(MCR, 0x0b);
	return 0;
}

static void feed(const char *text)
{
	while (*text)
		assert_true(uart_input(&uart, (uint8_t)*text++, now));
}

static void bytes_written_go_out_in_order(void **state)
{
	(void)state;
	out(DATA, 'h');
	out(DATA, 'i');
	assert_int_equal(nsent, 2);
	assert_memory_equal(sent, "hi", 2);
	assert_int_equal(in(LSR), 0x60);
}

static void the_divisor_hides_behind_dlab(void **state)
{
	(void)state;
	out(LCR, 0x83);
	out(DATA, 0x34);
	out(IER, 0x12);
	assert_int_equal(in(DATA), 0x34);
	assert_int_equal(in(IER), 0x12);
	assert_int_equal(in(LCR), 0x83);
	out(LCR, 0x03);
	assert_int_equal(in(IER), 0x00);
	assert_int_equal(nsent, 0);
}

static void short_words_come_back_without_their_high_bits(void **state)
{
	(void)state;
	out(LCR, 0x02);			/* seven bits */
	out(MCR, 0x10);
	out(DATA, 0xff);
	assert_int_equal(in(DATA), 0x7f);
}

static void the_scratch_register_holds_a_byte(void **state)
{
	(void)state;
	out(SCR, 0xa5);
	assert_int_equal(in(SCR), 0xa5);
}

static void iir_tells_a_16550a_from_its_fifo_bits(void **state)
{
	(void)state;
	assert_int_equal(in(IIR), 0x01);
	out(FCR, 0x01);
	assert_int_equal(in(IIR), 0xc1);
	out(FCR, 0x00);
	assert_int_equal(in(IIR), 0x01);
}

static void without_fifo_each_byte_interrupts_and_waits_to_be_read(void **state)
{
	(void)state;
	out(IER, 0x01);
	feed("ab");
	assert_true(level);
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(LSR) & 1, 1);
	assert_int_equal(in(DATA), 'a');
	assert_true(level);		/* the next one came in */
	assert_int_equal(in(DATA), 'b');
	assert_false(level);
	assert_int_equal(in(LSR) & 1, 0);
}

static void the_trigger_level_holds_the_interrupt_back(void **state)
{
	(void)state;
	out(FCR, 0x81);			/* eight */
	out(IER, 0x01);
	feed("1234567");
	assert_false(level);
	assert_int_equal(in(LSR) & 1, 1);
	feed("8");
	assert_true(level);
	assert_int_equal(in(IIR), 0xc4);
	in(DATA);
	assert_false(level);
}

static void bytes_below_the_trigger_time_out_after_four_characters(void **state)
{
	(void)state;
	out(FCR, 0x81);
	out(IER, 0x01);
	feed("x");
	assert_false(level);
	assert_int_equal(uart_deadline(&uart), 4ull * 10 * 16 * 1000000000 / 1843200);
	now = uart_deadline(&uart);
	uart_advance(&uart, now);
	assert_true(level);
	assert_int_equal(in(IIR), 0xcc);
	assert_int_equal(in(DATA), 'x');
	assert_false(level);
	assert_int_equal(uart_deadline(&uart), DEV_NEVER);
}

static void input_waits_on_the_wire_when_the_fifo_is_full(void **state)
{
	unsigned int i;

	(void)state;
	out(FCR, 0x01);
	for (i = 0; i < UART_FIFO_BYTES + UART_QUEUE_BYTES; i++)
		assert_true(uart_input(&uart, (uint8_t)i, now));
	assert_false(uart_input(&uart, 0, now));
	for (i = 0; i < UART_FIFO_BYTES + UART_QUEUE_BYTES; i++)
		assert_int_equal(in(DATA), i & 0xff);
	assert_int_equal(in(LSR), 0x60);		/* nothing lost: no overrun */
}

static void enabling_the_transmitter_interrupt_raises_it_at_once(void **state)
{
	(void)state;
	out(IER, 0x02);
	assert_true(level);
	assert_int_equal(in(IIR), 0x02);
	assert_false(level);				/* reading IIR clears it */
	assert_int_equal(in(IIR), 0x01);
	out(IER, 0x00);
	out(IER, 0x02);
	assert_true(level);
}

static void the_transmitter_interrupt_follows_a_write_after_a_while(void **state)
{
	(void)state;
	out(IER, 0x02);
	in(IIR);
	out(DATA, 'x');
	assert_false(level);
	assert_int_equal(in(LSR), 0x60);
	assert_true(uart_deadline(&uart) > now && uart_deadline(&uart) < now + 100000);
	now = uart_deadline(&uart);
	uart_advance(&uart, now);
	assert_true(level);
	out(DATA, 'y');					/* writing clears it too */
	assert_false(level);
}

static void a_long_polled_output_does_not_put_the_interrupt_off(void **state)
{
	unsigned int i;

	(void)state;
	out(IER, 0x02);
	in(IIR);
	for (i = 0; i < 10000; i++)
		out(DATA, 'x');
	assert_true(uart_deadline(&uart) < now + 1000000);
}

static void receive_comes_before_transmit_in_iir(void **state)
{
	(void)state;
	out(IER, 0x07);
	feed("x");
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(IIR), 0x04);		/* and reading it there clears nothing */
	in(DATA);
	assert_int_equal(in(IIR), 0x02);
}

static void out2_gates_the_line(void **state)
{
	(void)state;
	out(MCR, 0x03);
	out(IER, 0x02);
	assert_false(level);
	out(MCR, 0x0b);
	assert_true(level);
}

static void loopback_returns_bytes_and_sends_none(void **state)
{
	(void)state;
	out(MCR, 0x10);
	out(DATA, 0x5a);
	assert_int_equal(nsent, 0);
	assert_int_equal(in(LSR) & 1, 1);
	assert_int_equal(in(DATA), 0x5a);
	feed("x");					/* the wire is cut off meanwhile */
	assert_int_equal(in(LSR) & 1, 0);
	out(MCR, 0x0b);
	assert_int_equal(in(DATA), 'x');
}

/* How drivers find the size of the FIFO. */
static void loopback_overruns_after_sixteen_bytes(void **state)
{
	unsigned int i, n = 0;

	(void)state;
	out(FCR, 0x07);
	out(MCR, 0x10);
	for (i = 0; i < 256; i++)
		out(DATA, (uint8_t)i);
	assert_int_equal(in(LSR) & 0x02, 0x02);
	assert_int_equal(in(LSR) & 0x02, 0x00);		/* told once */
	while (in(LSR) & 1)
		assert_int_equal(in(DATA), n++);
	assert_int_equal(n, 16);
}

static void modem_outputs_come_back_as_inputs_in_loopback(void **state)
{
	(void)state;
	assert_int_equal(in(MSR), 0xb0);
	out(MCR, 0x1a);					/* RTS, OUT2 */
	in(MSR);
	assert_int_equal(in(MSR), 0x90);
	out(MCR, 0x15);					/* DTR, OUT1 */
	assert_int_equal(in(MSR), 0x60 | 0x0b);		/* CTS, DSR, DCD changed; RI's rise is none */
	assert_int_equal(in(MSR), 0x60);
	out(MCR, 0x11);
	assert_int_equal(in(MSR), 0x20 | 0x04);		/* but its fall is */
}

static void clearing_the_fifo_drops_what_is_in_it(void **state)
{
	(void)state;
	out(FCR, 0x01);
	out(IER, 0x01);
	feed("abc");
	assert_true(level);
	out(FCR, 0x03);
	assert_false(level);
	assert_int_equal(in(LSR) & 1, 0);
}

static void line_status_interrupts_first_and_until_lsr_is_read(void **state)
{
	(void)state;
	out(MCR, 0x18);
	out(IER, 0x05);
	out(DATA, 'a');
	out(DATA, 'b');
	assert_int_equal(in(IIR), 0x06);
	in(LSR);
	assert_int_equal(in(IIR), 0x04);
	assert_int_equal(in(DATA), 'b');		/* without FIFO the new byte wins */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, set_up)
		T(bytes_written_go_out_in_order),
		T(the_divisor_hides_behind_dlab),
		T(short_words_come_back_without_their_high_bits),
		T(the_scratch_register_holds_a_byte),
		T(iir_tells_a_16550a_from_its_fifo_bits),
		T(without_fifo_each_byte_interrupts_and_waits_to_be_read),
		T(the_trigger_level_holds_the_interrupt_back),
		T(bytes_below_the_trigger_time_out_after_four_characters),
		T(input_waits_on_the_wire_when_the_fifo_is_full),
		T(enabling_the_transmitter_interrupt_raises_it_at_once),
		T(the_transmitter_interrupt_follows_a_write_after_a_while),
		T(a_long_polled_output_does_not_put_the_interrupt_off),
		T(receive_comes_before_transmit_in_iir),
		T(out2_gates_the_line),
		T(loopback_returns_bytes_and_sends_none),
		T(loopback_overruns_after_sixteen_bytes),
		T(modem_outputs_come_back_as_inputs_in_loopback),
		T(clearing_the_fifo_drops_what_is_in_it),
		T(line_status_interrupts_first_and_until_lsr_is_read),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
