/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/debugcon.c - the debug console: each byte written goes out, and reading tells that it is there.
 *
 * Asked by:  the bus. Asks: its sink.
 * Source:    the Bochs and QEMU debug port; SeaBIOS reads it first and stays silent unless it answers E9h.
 * Tested by: tests/unit/test_pc.c.
 */
#include "devices/debugcon.h"

#define PRESENT	0xe9

static uint32_t debugcon_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	(void)opaque;
	(void)port;
	(void)size;
	(void)now_ns;
	return PRESENT;
}

static void debugcon_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct debugcon *debugcon = opaque;

	(void)port;
	(void)size;
	(void)now_ns;
	debugcon->bytes++;
	if (debugcon->sink.write)
		debugcon->sink.write(debugcon->sink.owner, (uint8_t)value);
}

const struct bus_port_ops debugcon_port_ops = { .in = debugcon_in, .out = debugcon_out, .byte_wide = true };

void debugcon_init(struct debugcon *debugcon, struct char_sink sink)
{
	debugcon->sink = sink;
	debugcon->bytes = 0;
}
