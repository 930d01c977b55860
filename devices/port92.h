/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/port92.h - the PS/2's system control port A: a quick way to the A20 gate and to a reset.
 */
#ifndef DEVICES_PORT92_H
#define DEVICES_PORT92_H

#include "devices/device.h"

#define PORT92_PORT	0x92

struct port92 {
	uint8_t value;
	struct irq_line a20;		/* bit 1, at every write: the gate has another switch */
	void (*reset)(void *owner);	/* bit 0 went from 0 to 1 */
	void *owner;
};

extern const struct bus_port_ops port92_port_ops;

void port92_init(struct port92 *port92, struct irq_line a20, void (*reset)(void *owner), void *owner);
void port92_reset(struct port92 *port92);

#endif
