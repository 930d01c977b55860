/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pit.h - the 8254 interval timer, and port 61h, through which the PC reaches its third counter.
 *
 *      counter 0 --> IRQ 0     counter 1: memory refresh, seen in bit 4 of port 61h     counter 2 --> speaker
 *
 * Ports 40-43h and 61h.
 */
#ifndef DEVICES_PIT_H
#define DEVICES_PIT_H

#include "devices/device.h"

#define PIT_PORT_COUNTER0 0x40
#define PIT_PORT_CONTROL 0x43
#define PIT_PORT_SYSTEM	0x61

/* 14.31818 MHz / 12, in hertz: the PC's one clock, not the 8254's own. */
#define PIT_HZ 1193182u

struct pit_counter {
	uint8_t mode;			/* 0..5 */
	uint8_t access;			/* 1 low byte, 2 high byte, 3 low then high */
	bool bcd;
	bool gate;

	/* The count as a function of time. Ticks are PIT_HZ since power-on. */
	bool counting;			/* false: no count written (or no trigger) since the control word */
	uint32_t reload;		/* 1..65536, or 1..10000 in BCD */
	uint64_t start;			/* the tick at which the counting element took @reload */
	uint64_t held;			/* modes 0 and 4 with the gate low: the ticks that had passed */

	/* A count that waits: in modes 2 and 3 for the end of the period, in 1 and 5 for a trigger. 0: none. */
	uint32_t next_reload;
	uint64_t next_start;		/* the start that it will have */
	uint64_t next_at;		/* the tick at which it is taken */

	bool write_high, read_high;	/* access 3: the high byte is next */
	uint8_t low_byte;
	bool count_latched, status_latched;
	uint16_t latch;
	uint8_t status;
};

struct pit {
	struct pit_counter counter[3];
	uint8_t system;			/* port 61h, bits 0-3 as written */
	struct irq_line irq0;
	bool irq0_level;

	/* Ticks of counter 0: see "Missed ticks" in pit.c. */
	uint64_t edge;			/* the tick of the next rising edge; DEV_NEVER: none */
	bool awaiting;			/* a tick was given and not yet taken */
	bool masked;			/* nobody listens: ticks are not owed */
	uint32_t owed;
	uint64_t last_ns;		/* when the last tick was given */
	uint64_t ticks_given, ticks_late, ticks_lost;	/* for --stats */
};

extern const struct bus_port_ops pit_port_ops;

void pit_init(struct pit *pit, struct irq_line irq0, uint64_t now_ns);
void pit_reset(struct pit *pit, uint64_t now_ns);
uint64_t pit_deadline(const struct pit *pit);
void pit_advance(struct pit *pit, uint64_t now_ns);

/* The processor took IRQ 0. */
void pit_irq0_taken(struct pit *pit);
/* The interrupt controller does not listen to IRQ 0 (any more): ticks missed now are lost, as they would be on a PC. */
void pit_irq0_masked(struct pit *pit, bool masked);

#endif
