/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/kbd.h - the 8042 keyboard controller with a PS/2 keyboard and a PS/2 mouse on it.
 *
 *      pc_key_scancode --> ps2_keyboard --+
 *      pc_mouse -------> ps2_mouse -------+--> [8042] --> port 60h, IRQ 1 and 12
 *                                                 |
 *                                                 +--> output port: A20, reset
 *
 * Files: kbd.c is the controller, ps2_keyboard.c and ps2_mouse.c what hangs on its two wires, scancode.c the tables.
 * Ports 60h and 64h.
 */
#ifndef DEVICES_KBD_H
#define DEVICES_KBD_H

#include "devices/device.h"

#define KBD_PORT_DATA	0x60
#define KBD_PORT_STATUS	0x64

/* A ring of bytes; one place stays free. */
#define PS2_FIFO_BYTES	64
struct ps2_fifo {
	uint8_t byte[PS2_FIFO_BYTES];
	uint8_t head, tail;
};

unsigned int ps2_fifo_room(const struct ps2_fifo *fifo);
bool ps2_fifo_empty(const struct ps2_fifo *fifo);
bool ps2_fifo_put(struct ps2_fifo *fifo, uint8_t byte);	/* false: full, and the byte is gone */
uint8_t ps2_fifo_get(struct ps2_fifo *fifo);		/* 0 when empty */

struct ps2_keyboard {
	struct ps2_fifo reply;		/* answers to commands: they come before scan codes */
	struct ps2_fifo keys;
	uint8_t command;		/* the command that waits for its argument; 0: none */
	uint8_t last;			/* what FEh (resend) sends */
	uint8_t set;			/* 1, 2, 3 */
	uint8_t leds, typematic;
	bool scanning;
	bool set3_no_breaks;		/* set 3 after F7h or F9h */
	/* The set-1 stream from outside, taken apart: */
	uint8_t prefix;			/* 0, E0h or E1h */
	uint8_t pause_bytes;		/* of an E1h sequence still to come */
};

struct ps2_mouse {
	struct ps2_fifo reply;		/* answers and packets: a packet is never cut by an answer */
	uint8_t command;		/* the command that waits for its argument; 0: none */
	uint8_t last;
	uint8_t id;			/* 0, or 3 with a wheel (after the rates 200, 100, 80) */
	uint8_t rate, resolution;
	uint8_t knock;			/* how much of 200, 100, 80 has come */
	bool reporting, remote, wrap, scale_2to1;
	int32_t dx, dy, dz;		/* moved and not yet reported; dy upward, as PS/2 has it */
	uint8_t buttons, buttons_sent;	/* bit 0 left, 1 right, 2 middle */
};

struct kbd_config {
	struct irq_line irq1, irq12;
	struct irq_line a20;		/* output port bit 1, at every write: the gate has another switch */
	void (*reset)(void *owner);	/* output port bit 0 went low */
	void *owner;
};

struct kbd {
	struct kbd_config config;
	uint8_t ram[32];		/* ram[0] is the command byte */
	uint8_t status;			/* system flag and command/data flag; the rest is computed */
	uint8_t command;		/* the command that waits for its data byte; 0: none */
	uint8_t output_port;

	/* The output buffer, and what the controller itself has yet to say. */
	uint8_t data;
	bool full, from_mouse;
	struct ps2_fifo reply;
	uint64_t next_ns;		/* not before this the next byte comes from a wire */
	bool break_prefix;		/* translation: F0h has come, the next code is a release */

	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
	uint8_t set2_of[128];		/* scan code set 1 to set 2 */
	uint64_t keyboard_bytes, mouse_bytes;	/* read by the guest, for --stats */
};

extern const struct bus_port_ops kbd_port_ops;	/* both ports; chip: struct kbd */

void kbd_init(struct kbd *kbd, const struct kbd_config *config);
/* Power-on. A20 is open, as in a PC after its firmware's first instructions. */
void kbd_reset(struct kbd *kbd);
uint64_t kbd_deadline(const struct kbd *kbd);
void kbd_advance(struct kbd *kbd, uint64_t now_ns);

/* From outside. False: the buffer is full, nothing was taken. */
bool kbd_scancode(struct kbd *kbd, uint8_t set1_byte, uint64_t now_ns);
/* @dx to the right, @dy downward as on screens, @dz toward the user; @buttons: bit 0 left, 1 right, 2 middle. */
void kbd_mouse_event(struct kbd *kbd, int dx, int dy, int dz, uint8_t buttons, uint64_t now_ns);

/* ps2_keyboard.c */
void ps2_keyboard_reset(struct ps2_keyboard *keyboard);
void ps2_keyboard_command(struct ps2_keyboard *keyboard, uint8_t byte);
bool ps2_keyboard_ready(const struct ps2_keyboard *keyboard);
uint8_t ps2_keyboard_next(struct ps2_keyboard *keyboard);
bool ps2_keyboard_key(struct ps2_keyboard *keyboard, const uint8_t set2_of[128], uint8_t set1_byte);

/* ps2_mouse.c */
void ps2_mouse_reset(struct ps2_mouse *mouse);
void ps2_mouse_command(struct ps2_mouse *mouse, uint8_t byte);
bool ps2_mouse_ready(const struct ps2_mouse *mouse);
uint8_t ps2_mouse_next(struct ps2_mouse *mouse);

/* scancode.c: the 8042's own translation of set 2 to set 1, F0h apart; and set 3 by set-1 code, 0: no such key. */
extern const uint8_t scancode_set1_of[256];
void scancode_invert(uint8_t set2_of[128]);
uint8_t scancode_set3(bool extended, uint8_t set1_make);

#endif
