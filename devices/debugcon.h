/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/debugcon.h - port 402h, where firmware talks to whoever debugs it.
 */
#ifndef DEVICES_DEBUGCON_H
#define DEVICES_DEBUGCON_H

#include "devices/device.h"

#define DEBUGCON_PORT	0x402

struct debugcon {
	struct char_sink sink;
	uint64_t bytes;
};

extern const struct bus_port_ops debugcon_port_ops;

void debugcon_init(struct debugcon *debugcon, struct char_sink sink);

#endif
