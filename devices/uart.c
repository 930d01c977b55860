/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/uart.c - the 16550A: a byte out, a byte in, and four reasons to interrupt.
 *
 *      bus --> [uart] --> char_sink
 *                 +-----> irq (through OUT2, as PCs wire it)
 *
 * Asked by:  the bus; devices/pc.c for time and input.
 * Source:    National Semiconductor PC16550D datasheet.
 * Time:      a byte written is gone at once, and LSR says so: polled output runs at the guest's own speed. Only the
 *            transmitter-empty *interrupt* waits a little for each byte (TX_BYTE_NS), for a driver that finds the next
 *            one there before it has left its handler concludes that the chip is broken. Input is moved as the guest reads
 *            it, whatever the divisor; the receiver's time-out is four characters at the divisor's rate.
 * Tested by: tests/unit/test_uart.c.
 */
#include "devices/uart.h"

enum { REG_DATA = 0, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_RDA		0x01
#define IER_THRE	0x02
#define IER_RLS		0x04
#define IER_MSI		0x08

#define IIR_NONE	0x01
#define IIR_MSI		0x00
#define IIR_THRE	0x02
#define IIR_RDA		0x04
#define IIR_RLS		0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFOS	0xc0

#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02
#define FCR_STICKY	0xc9		/* enable, DMA mode, trigger */

#define LCR_BREAK	0x40
#define LCR_DLAB	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10

#define LSR_DR		0x01
#define LSR_OE		0x02
#define LSR_BI		0x10
#define LSR_ERRORS	0x1e
#define LSR_THRE	0x20
#define LSR_TEMT	0x40

#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80
#define MSR_CONNECTED	(MSR_CTS | MSR_DSR | MSR_DCD)	/* somebody is always at the far end */

#define UART_CLOCK_HZ	1843200u
#define TX_BYTE_NS	8000ull		/* a tenth of a character at 115,200 bits/s */

static bool fifos_on(const struct uart *u)
{
	return u->fcr & FCR_ENABLE;
}

static unsigned int rx_room(const struct uart *u)
{
	return (fifos_on(u) ? UART_FIFO_BYTES : 1u) - u->rx_count;
}

static unsigned int rx_trigger(const struct uart *u)
{
	static const uint8_t level[4] = { 1, 4, 8, 14 };

	return fifos_on(u) ? level[u->fcr >> 6] : 1;
}

/* Four characters of start, data, parity and stop bits, 16 clocks a bit. */
static uint64_t rx_timeout(const struct uart *u)
{
	unsigned int bits = 1 + 5 + (u->lcr & 3) + (u->lcr >> 3 & 1) + 1 + (u->lcr >> 2 & 1);
	uint64_t clocks = 4ull * bits * 16 * (u->divisor ? u->divisor : 1);

	return clocks * DEV_NS_PER_S / UART_CLOCK_HZ;
}

/* The modem's lines: the far end's, or in loopback our own outputs. */
static uint8_t modem_lines(const struct uart *u)
{
	if (!(u->mcr & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
			 (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void update_modem(struct uart *u)
{
	uint8_t lines = modem_lines(u), changed = lines ^ u->msr_lines;

	/* RI's delta is its trailing edge only. */
	if (lines & MSR_RI)
		changed &= ~MSR_RI;
	u->msr_deltas |= changed >> 4;
	u->msr_lines = lines;
}

/* The reason of highest priority, as IIR tells it. */
static uint8_t interrupt_reason(const struct uart *u)
{
	if (u->ier & IER_RLS && u->lsr_errors)
		return IIR_RLS;
	if (u->ier & IER_RDA && u->rx_count >= rx_trigger(u))
		return IIR_RDA;
	if (u->ier & IER_RDA && u->rx_timed_out)
		return IIR_TIMEOUT;
	if (u->ier & IER_THRE && u->thre_pending)
		return IIR_THRE;
	if (u->ier & IER_MSI && u->msr_deltas)
		return IIR_MSI;
	return IIR_NONE;
}

static void update_irq(struct uart *u)
{
	/* OUT2 gates the line on a PC's card, and loopback holds OUT2 inactive at the pin. */
	bool gate = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	irq_set(&u->irq, gate && interrupt_reason(u) != IIR_NONE);
}

static void restart_rx_timeout(struct uart *u, uint64_t now_ns)
{
	u->rx_timed_out = false;
	u->rx_timeout_ns = fifos_on(u) && u->rx_count ? now_ns + rx_timeout(u) : DEV_NEVER;
}

static void rx_put(struct uart *u, uint8_t byte)
{
	u->rx[(u->rx_first + u->rx_count) % UART_FIFO_BYTES] = byte;
	u->rx_count++;
}

/* What waits on the wire comes in as far as there is room. Not in loopback: the input pin is cut off. */
static void receive(struct uart *u, uint64_t now_ns)
{
	bool any = false;

	while (!(u->mcr & MCR_LOOP) && u->queue_head != u->queue_tail && rx_room(u)) {
		rx_put(u, u->queue[u->queue_tail++ % UART_QUEUE_BYTES]);
		u->bytes_in++;
		any = true;
	}
	if (any)
		restart_rx_timeout(u, now_ns);
}

static uint8_t read_data(struct uart *u, uint64_t now_ns)
{
	if (u->rx_count) {
		u->rx_last = u->rx[u->rx_first];
		u->rx_first = (u->rx_first + 1) % UART_FIFO_BYTES;
		u->rx_count--;
		restart_rx_timeout(u, now_ns);
		receive(u, now_ns);
	}
	return u->rx_last;
}

static void write_data(struct uart *u, uint8_t byte, uint64_t now_ns)
{
	uint8_t mask = (uint8_t)((1u << (5 + (u->lcr & 3))) - 1);

	if (u->mcr & MCR_LOOP) {
		if (rx_room(u)) {
			rx_put(u, byte & mask);
			restart_rx_timeout(u, now_ns);
		} else {
			u->lsr_errors |= LSR_OE;
			if (!fifos_on(u))
				u->rx[u->rx_first] = byte & mask;	/* without FIFO the new byte wins */
		}
	} else {
		/* All eight bits whatever LCR says: a guest that just writes, without any set-up, is to be read too. */
		if (u->sink.write)
			u->sink.write(u->sink.owner, byte);
		u->bytes_out++;
	}
	u->thre_pending = false;
	if (u->thre_ns == DEV_NEVER)
		u->thre_ns = now_ns;
	/* At most a FIFO full: a polling writer that wrote thousands must not have to wait for all of them. */
	u->thre_ns = plx_min64(u->thre_ns + TX_BYTE_NS, now_ns + UART_FIFO_BYTES * TX_BYTE_NS);
}

static void write_ier(struct uart *u, uint8_t value)
{
	value &= 0x0f;
	/* Enabling it while the transmitter is empty (it always is) interrupts at once: drivers start and probe so. */
	if (value & IER_THRE && !(u->ier & IER_THRE)) {
		u->thre_pending = true;
		u->thre_ns = DEV_NEVER;
	}
	u->ier = value;
}

static void write_fcr(struct uart *u, uint8_t value, uint64_t now_ns)
{
	bool toggled = (value ^ u->fcr) & FCR_ENABLE;

	/* "Bit 0 must be a 1 when other bits are written": without it they are not programmed. */
	u->fcr = value & FCR_ENABLE ? value & FCR_STICKY : 0;
	if (toggled || value & FCR_CLEAR_RX) {
		u->rx_count = 0;
		u->lsr_errors &= LSR_OE;
		restart_rx_timeout(u, now_ns);
	}
}

static void write_lcr(struct uart *u, uint8_t value, uint64_t now_ns)
{
	/* A break that starts in loopback arrives as one zero byte with its mark. */
	if (value & ~u->lcr & LCR_BREAK && u->mcr & MCR_LOOP) {
		if (rx_room(u))
			rx_put(u, 0);
		u->lsr_errors |= LSR_BI;
		restart_rx_timeout(u, now_ns);
	}
	u->lcr = value;
}

static uint32_t uart_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct uart *u = opaque;
	uint8_t value;

	(void)size;
	uart_advance(u, now_ns);
	switch (port & 7) {
	case REG_DATA:
		value = u->lcr & LCR_DLAB ? u->divisor & 0xff : read_data(u, now_ns);
		break;
	case REG_IER:
		value = u->lcr & LCR_DLAB ? u->divisor >> 8 : u->ier;
		break;
	case REG_IIR_FCR:
		value = interrupt_reason(u);
		if (value == IIR_THRE)
			u->thre_pending = false;	/* "reading IIR, if it is the source" */
		if (fifos_on(u))
			value |= IIR_FIFOS;
		break;
	case REG_LCR:
		value = u->lcr;
		break;
	case REG_MCR:
		value = u->mcr;
		break;
	case REG_LSR:
		value = LSR_THRE | LSR_TEMT | u->lsr_errors | (u->rx_count ? LSR_DR : 0);
		u->lsr_errors = 0;
		break;
	case REG_MSR:
		value = u->msr_lines | u->msr_deltas;
		u->msr_deltas = 0;
		break;
	default:
		return u->scr;
	}
	update_irq(u);
	return value;
}

static void uart_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct uart *u = opaque;
	uint8_t byte = (uint8_t)value;

	(void)size;
	uart_advance(u, now_ns);
	switch (port & 7) {
	case REG_DATA:
		if (u->lcr & LCR_DLAB)
			u->divisor = (u->divisor & 0xff00) | byte;
		else
			write_data(u, byte, now_ns);
		break;
	case REG_IER:
		if (u->lcr & LCR_DLAB)
			u->divisor = (uint16_t)((u->divisor & 0xff) | byte << 8);
		else
			write_ier(u, byte);
		break;
	case REG_IIR_FCR:
		write_fcr(u, byte, now_ns);
		break;
	case REG_LCR:
		write_lcr(u, byte, now_ns);
		break;
	case REG_MCR:
		u->mcr = byte & 0x1f;
		update_modem(u);
		break;
	case REG_SCR:
		u->scr = byte;
		break;
	default:
		break;			/* LSR and MSR: factory test only */
	}
	receive(u, now_ns);
	update_irq(u);
}

const struct bus_port_ops uart_port_ops = { .in = uart_in, .out = uart_out, .byte_wide = true };

uint64_t uart_deadline(const struct uart *u)
{
	uint64_t at = DEV_NEVER;

	/* Only what would interrupt: everything else is looked up when the guest asks. */
	if (u->ier & IER_THRE)
		at = u->thre_ns;
	if (u->ier & IER_RDA && u->rx_count < rx_trigger(u))
		at = plx_min64(at, u->rx_timeout_ns);
	return at;
}

void uart_advance(struct uart *u, uint64_t now_ns)
{
	bool any = false;

	if (now_ns >= u->thre_ns) {
		u->thre_ns = DEV_NEVER;
		u->thre_pending = true;
		any = true;
	}
	if (now_ns >= u->rx_timeout_ns) {
		u->rx_timeout_ns = DEV_NEVER;
		u->rx_timed_out = true;
		any = true;
	}
	if (any)
		update_irq(u);
}

bool uart_input(struct uart *u, uint8_t byte, uint64_t now_ns)
{
	if (u->queue_head - u->queue_tail == UART_QUEUE_BYTES)
		return false;
	u->queue[u->queue_head++ % UART_QUEUE_BYTES] = byte;
	receive(u, now_ns);
	update_irq(u);
	return true;
}

void uart_reset(struct uart *u)
{
	u->ier = u->lcr = u->mcr = u->fcr = 0;
	u->divisor = 12;		/* 9,600; the chip itself leaves it undefined */
	u->lsr_errors = 0;
	u->msr_deltas = 0;
	u->msr_lines = modem_lines(u);
	u->rx_first = u->rx_count = 0;
	u->rx_timed_out = false;
	u->rx_timeout_ns = DEV_NEVER;
	u->thre_pending = false;
	u->thre_ns = DEV_NEVER;
	update_irq(u);
}

void uart_init(struct uart *u, struct irq_line irq, struct char_sink sink)
{
	memset(u, 0, sizeof(*u));
	u->irq = irq;
	u->sink = sink;
	uart_reset(u);
}
