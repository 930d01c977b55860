/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ps2_keyboard.c - a PS/2 keyboard at its end of the wire: commands in, scan codes out.
 *
 *      outside (set 1) --> [keyboard: set 1, 2 or 3] --> kbd.c (8042, may translate back to set 1)
 *
 * Asked by: kbd.c. Asks: scancode.c.
 * Source:   IBM PS/2 Hardware Interface Technical Reference, "Keyboards", "Commands from the System".
 * Not here: typematic repeat (whoever holds the key down outside repeats it), and set 3's per-key types: F7h to FAh
 *           tell only whether releases are sent; FBh to FDh are accepted and their key lists swallowed.
 */
#include "devices/kbd.h"

#define ACK		0xfa
#define RESEND		0xfe
#define SELF_TEST_OK	0xaa
#define BREAK		0xf0

#define TYPEMATIC_DEFAULT 0x2b		/* 10.9 a second after 500 ms */
#define ROOM_FOR_KEY	4		/* E0 F0 xx, and one to spare */

unsigned int ps2_fifo_room(const struct ps2_fifo *fifo)
{
	return (fifo->tail + PS2_FIFO_BYTES - fifo->head - 1u) % PS2_FIFO_BYTES;
}

bool ps2_fifo_empty(const struct ps2_fifo *fifo)
{
	return fifo->head == fifo->tail;
}

bool ps2_fifo_put(struct ps2_fifo *fifo, uint8_t byte)
{
	if (!ps2_fifo_room(fifo))
		return false;
	fifo->byte[fifo->head % PS2_FIFO_BYTES] = byte;
	fifo->head = (fifo->head + 1) % PS2_FIFO_BYTES;
	return true;
}

uint8_t ps2_fifo_get(struct ps2_fifo *fifo)
{
	uint8_t byte;

	if (ps2_fifo_empty(fifo))
		return 0;
	byte = fifo->byte[fifo->tail % PS2_FIFO_BYTES];
	fifo->tail = (fifo->tail + 1) % PS2_FIFO_BYTES;
	return byte;
}

static void set_defaults(struct ps2_keyboard *k)
{
	memset(&k->keys, 0, sizeof(k->keys));
	k->set = 2;
	k->typematic = TYPEMATIC_DEFAULT;
	k->set3_no_breaks = false;
	k->prefix = 0;
	k->pause_bytes = 0;
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	memset(k, 0, sizeof(*k));
	set_defaults(k);
	k->scanning = true;
}

static void reply(struct ps2_keyboard *k, uint8_t byte)
{
	ps2_fifo_put(&k->reply, byte);
}

/* The byte after EDh, F0h or F3h; true if the byte was one. A byte above 7Fh is the next command instead. */
static bool take_argument(struct ps2_keyboard *k, uint8_t byte)
{
	uint8_t command = k->command;

	if (!command)
		return false;
	if (command >= 0xfb) {		/* a list of keys goes on until a command */
		if (byte >= 0xed)
			k->command = 0;
		else
			reply(k, ACK);
		return byte < 0xed;
	}
	k->command = 0;
	if (byte & 0x80)
		return false;
	reply(k, ACK);
	switch (command) {
	case 0xed:
		k->leds = byte & 7;
		break;
	case 0xf3:
		k->typematic = byte;
		break;
	case 0xf0:
		if (byte == 0)
			reply(k, k->set);
		else if (byte <= 3)
			k->set = byte;
		memset(&k->keys, 0, sizeof(k->keys));
		break;
	}
	return true;
}

void ps2_keyboard_command(struct ps2_keyboard *k, uint8_t byte)
{
	if (byte == RESEND) {
		reply(k, k->last);
		return;
	}
	if (take_argument(k, byte))
		return;
	switch (byte) {
	case 0xed:			/* LEDs */
	case 0xf0:			/* scan code set */
	case 0xf3:			/* typematic rate and delay */
	case 0xfb:			/* set 3: types of single keys */
	case 0xfc:
	case 0xfd:
		k->command = byte;
		reply(k, ACK);
		break;
	case 0xee:			/* echo: not acknowledged but answered */
		reply(k, 0xee);
		break;
	case 0xf2:			/* read ID: MF2 */
		reply(k, ACK);
		reply(k, 0xab);
		reply(k, 0x83);
		break;
	case 0xf4:			/* enable */
		memset(&k->keys, 0, sizeof(k->keys));
		k->scanning = true;
		reply(k, ACK);
		break;
	case 0xf5:			/* defaults, and stop scanning */
		set_defaults(k);
		k->scanning = false;
		reply(k, ACK);
		break;
	case 0xf6:			/* defaults */
		set_defaults(k);
		reply(k, ACK);
		break;
	case 0xf7:			/* set 3: all typematic */
	case 0xf8:			/* all make/break */
	case 0xf9:			/* all make only */
	case 0xfa:			/* all typematic and make/break */
		k->set3_no_breaks = byte == 0xf7 || byte == 0xf9;
		reply(k, ACK);
		break;
	case 0xff:			/* reset: acknowledge, then the self test's result */
		ps2_keyboard_reset(k);
		reply(k, ACK);
		reply(k, SELF_TEST_OK);
		break;
	default:
		reply(k, RESEND);
		break;
	}
}

bool ps2_keyboard_ready(const struct ps2_keyboard *k)
{
	return !ps2_fifo_empty(&k->reply) || !ps2_fifo_empty(&k->keys);
}

uint8_t ps2_keyboard_next(struct ps2_keyboard *k)
{
	uint8_t byte = ps2_fifo_get(ps2_fifo_empty(&k->reply) ? &k->keys : &k->reply);

	if (byte != RESEND)
		k->last = byte;
	return byte;
}

static void key_set2(struct ps2_keyboard *k, const uint8_t set2_of[128], uint8_t byte)
{
	uint8_t code = set2_of[byte & 0x7f];

	if (!code)
		return;			/* no key has it */
	if (byte & 0x80)
		ps2_fifo_put(&k->keys, BREAK);
	ps2_fifo_put(&k->keys, code);
}

static void key_set3(struct ps2_keyboard *k, uint8_t byte)
{
	uint8_t code;

	if (k->prefix == 0xe1) {
		if ((byte & 0x7f) != 0x1d)
			return;		/* Pause is the first key of its sequence here */
		code = 0x62;
	} else {
		code = scancode_set3(k->prefix == 0xe0, byte & 0x7f);
	}
	if (!code || (byte & 0x80 && k->set3_no_breaks))
		return;
	if (byte & 0x80)
		ps2_fifo_put(&k->keys, BREAK);
	ps2_fifo_put(&k->keys, code);
}

/*
 * One byte of set 1 from outside. Sets 1 and 2 are translated byte by byte, prefixes included; set 3 has no prefixes,
 * so they are kept until the code comes.
 */
bool ps2_keyboard_key(struct ps2_keyboard *k, const uint8_t set2_of[128], uint8_t byte)
{
	if (!k->scanning)
		return true;		/* a keyboard that does not scan misses keys */
	if (ps2_fifo_room(&k->keys) < ROOM_FOR_KEY)
		return false;
	if (k->set == 1)
		ps2_fifo_put(&k->keys, byte);
	if (byte == 0xe0 || byte == 0xe1) {
		k->prefix = byte;
		k->pause_bytes = byte == 0xe1 ? 2 : 1;
		if (k->set == 2)
			ps2_fifo_put(&k->keys, byte);
		return true;
	}
	if (k->set == 2)
		key_set2(k, set2_of, byte);
	else if (k->set == 3)
		key_set3(k, byte);
	if (k->pause_bytes && --k->pause_bytes == 0)
		k->prefix = 0;
	return true;
}
