/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/port92.c - system control port A.
 *
 *   bit 1: A20 open; the machine lets the last writer win, this or the 8042      bit 0: 0 -> 1 resets the processor
 *
 * Asked by:  the bus. Asks: its two outputs.
 * Source:    IBM PS/2 Hardware Interface Technical Reference, "System Control Port A".
 * Tested by: tests/unit/test_pc.c.
 */
#include "devices/port92.h"

#define FAST_RESET	0x01
#define A20_OPEN	0x02

static uint32_t port92_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	const struct port92 *p = opaque;

	(void)port;
	(void)size;
	(void)now_ns;
	return p->value;
}

static void port92_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct port92 *p = opaque;
	uint8_t old = p->value;

	(void)port;
	(void)size;
	(void)now_ns;
	p->value = (uint8_t)value;
	irq_set(&p->a20, value & A20_OPEN);
	if (value & ~old & FAST_RESET && p->reset)
		p->reset(p->owner);
}

const struct bus_port_ops port92_port_ops = { .in = port92_in, .out = port92_out, .byte_wide = true };

void port92_reset(struct port92 *p)
{
	p->value = A20_OPEN;
	irq_set(&p->a20, true);
}

void port92_init(struct port92 *p, struct irq_line a20, void (*reset)(void *owner), void *owner)
{
	p->a20 = a20;
	p->reset = reset;
	p->owner = owner;
	port92_reset(p);
}
