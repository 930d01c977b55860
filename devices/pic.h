/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/pic.h - two 8259A interrupt controllers, the second on input 2 of the first.
 *
 *      chip --irq_line--> [pic] --intr--> pc.c --> the processor's INTR pin
 *                           ^--- pic_acknowledge: the vector, when the processor takes it
 *
 * Ports 20-21h, a0-a1h, and 4d0-4d1h (edge/level control, PIIX3 datasheet "ELCR").
 */
#ifndef DEVICES_PIC_H
#define DEVICES_PIC_H

#include "devices/device.h"

#define PIC_PORT_MASTER	0x20
#define PIC_PORT_SLAVE	0xa0
#define PIC_PORT_ELCR	0x4d0

/* Which ICW the chip waits for; PIC_READY: none. */
enum pic_init { PIC_READY = 0, PIC_WANTS_ICW2, PIC_WANTS_ICW3, PIC_WANTS_ICW4 };

struct pic_chip {
	uint8_t irr, isr, imr;
	uint8_t line;			/* the inputs as they stand */
	uint8_t elcr;			/* 1: level-triggered */
	uint8_t base;			/* ICW2, low three bits zero */
	uint8_t lowest;			/* input of lowest priority: 7 until rotated */
	uint8_t init;			/* enum pic_init */
	bool wants_icw4, single;	/* ICW1 */
	bool auto_eoi, special_nested;	/* ICW4 */
	bool rotate_on_auto_eoi;
	bool special_mask, poll, read_isr;	/* OCW3 */
};

struct pic {
	struct pic_chip chip[2];	/* master, slave */
	bool intr_level;
	struct irq_line intr;
	/* Tells the machine that a request was taken, by INTA or by poll: the PIT counts its ticks with it. */
	void (*taken)(void *owner, unsigned int irq);
	void *taken_owner;
	uint64_t delivered[16];		/* by INTA or poll; spurious ones are counted apart */
	uint64_t spurious;
};

extern const struct bus_port_ops pic_port_ops;

void pic_init(struct pic *pic, struct irq_line intr);
/* Power-on: nothing masked, nothing in service; the lines keep the levels their owners drive. */
void pic_reset(struct pic *pic);
/* An input changes: @irq 0..15 but 2, the cascade. Fits struct irq_line.set with the pic as owner. */
void pic_set_irq(void *pic, unsigned int irq, bool level);
/* INTA: the processor takes an interrupt. Return: its vector; the spurious one (input 7) if the request is gone. */
uint8_t pic_acknowledge(struct pic *pic);
/* The vector pic_acknowledge would give, with nothing changed; -1: no request. */
int pic_peek(const struct pic *pic);
static inline bool pic_masked(const struct pic *pic, unsigned int irq)
{
	return pic->chip[irq >> 3].imr >> (irq & 7) & 1;
}

#endif
