/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/uart.h - the 16550A serial port.
 *
 *      guest --> [uart] --> struct char_sink        host --uart_input--> [uart] --> guest, IRQ 4 or 3
 */
#ifndef DEVICES_UART_H
#define DEVICES_UART_H

#include "devices/device.h"

#define UART_COM1	0x3f8
#define UART_COM2	0x2f8
#define UART_PORT_COUNT	8
#define UART_FIFO_BYTES	16
#define UART_QUEUE_BYTES 256		/* input that waits on the wire; a power of two */

struct uart {
	struct irq_line irq;
	struct char_sink sink;

	uint8_t ier, lcr, mcr, scr, fcr;
	uint16_t divisor;
	uint8_t lsr_errors;		/* overrun and the like, until LSR is read */
	uint8_t msr_deltas;		/* bits 0-3, until MSR is read */
	uint8_t msr_lines;		/* bits 4-7 as last seen, to find the deltas */

	uint8_t rx[UART_FIFO_BYTES];	/* one byte only while the FIFOs are off */
	uint8_t rx_first, rx_count;
	uint8_t rx_last;		/* what an empty receiver reads as */
	bool rx_timed_out;
	uint64_t rx_timeout_ns;		/* DEV_NEVER: not running */

	bool thre_pending;		/* the transmitter-empty interrupt, until IIR is read or THR written */
	uint64_t thre_ns;		/* when it comes; DEV_NEVER: not on its way */

	uint8_t queue[UART_QUEUE_BYTES];	/* the far end: bytes that did not fit the receiver */
	uint32_t queue_head, queue_tail;
	uint64_t bytes_in, bytes_out;
};

extern const struct bus_port_ops uart_port_ops;

void uart_init(struct uart *uart, struct irq_line irq, struct char_sink sink);
void uart_reset(struct uart *uart);
uint64_t uart_deadline(const struct uart *uart);
void uart_advance(struct uart *uart, uint64_t now_ns);
/* A byte from outside. False: the queue is full, nothing was taken. */
bool uart_input(struct uart *uart, uint8_t byte, uint64_t now_ns);

#endif
