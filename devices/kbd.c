/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/kbd.c - the 8042: two wires to keyboard and mouse, one output buffer to the processor, and odd jobs.
 *
 *      keyboard, mouse --> [8042] --> port 60h, IRQ 1 / IRQ 12
 *                             +-----> output port: A20 gate, processor reset
 *
 * Asked by:  the bus; devices/pc.c for time and input.
 * Asks:      ps2_keyboard.c, ps2_mouse.c, scancode.c; its output lines.
 * Source:    IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 * Time:      a byte from a wire enters the output buffer WIRE_NS after the one before was read. It is not at once,
 *            because software of old reads port 60h twice for one interrupt (a resident program, then the BIOS
 *            behind it) and counts on the same byte. The controller's own answers come at once.
 * Tested by: tests/unit/test_kbd.c.
 * Read next: ps2_keyboard.c.
 */
#include "devices/kbd.h"

#define WIRE_NS		300000ull	/* a PS/2 frame is 11 bits at 10 to 16 kHz, about 1 ms; less is as good */

/* Status, port 64h */
#define ST_OUTPUT_FULL	0x01
#define ST_SYSTEM	0x04		/* the self test has passed */
#define ST_COMMAND	0x08		/* the last byte written went to 64h */
#define ST_UNLOCKED	0x10
#define ST_MOUSE	0x20		/* the byte in the output buffer is the mouse's */

/* Command byte, ram[0] */
#define CB_IRQ1		0x01
#define CB_IRQ12	0x02
#define CB_SYSTEM	0x04
#define CB_KBD_OFF	0x10
#define CB_MOUSE_OFF	0x20
#define CB_TRANSLATE	0x40

/* Output port */
#define OP_NOT_RESET	0x01
#define OP_A20		0x02
#define OP_KBD_FULL	0x10		/* follow IRQ 1 and 12 */
#define OP_MOUSE_FULL	0x20

static void update_lines(struct kbd *kbd)
{
	irq_set(&kbd->config.irq1, kbd->full && !kbd->from_mouse && kbd->ram[0] & CB_IRQ1);
	irq_set(&kbd->config.irq12, kbd->full && kbd->from_mouse && kbd->ram[0] & CB_IRQ12);
}

static void fill(struct kbd *kbd, uint8_t byte, bool from_mouse)
{
	kbd->data = byte;
	kbd->full = true;
	kbd->from_mouse = from_mouse;
	update_lines(kbd);
}

/* The controller answers: at once if the buffer is free, else as soon as it is. */
static void answer(struct kbd *kbd, uint8_t byte, bool from_mouse)
{
	if (!kbd->full && ps2_fifo_empty(&kbd->reply)) {
		fill(kbd, byte, from_mouse);
		return;
	}
	/* Each answer travels with its source: two bytes a piece. */
	if (ps2_fifo_room(&kbd->reply) >= 2) {
		ps2_fifo_put(&kbd->reply, from_mouse);
		ps2_fifo_put(&kbd->reply, byte);
	}
}

/* What the keyboard sends, as the guest shall see it. False: the byte was F0h, and the next one tells. */
static bool translate(struct kbd *kbd, uint8_t *byte)
{
	if (!(kbd->ram[0] & CB_TRANSLATE)) {
		kbd->break_prefix = false;
		return true;
	}
	if (*byte == 0xf0) {
		kbd->break_prefix = true;
		return false;
	}
	*byte = scancode_set1_of[*byte];
	if (kbd->break_prefix)
		*byte |= 0x80;
	kbd->break_prefix = false;
	return true;
}

static bool keyboard_waits(const struct kbd *kbd)
{
	return !(kbd->ram[0] & CB_KBD_OFF) && ps2_keyboard_ready(&kbd->keyboard);
}

static bool mouse_waits(const struct kbd *kbd)
{
	return !(kbd->ram[0] & CB_MOUSE_OFF) && ps2_mouse_ready(&kbd->mouse);
}

/* Fill the output buffer if it is free and its time has come. */
static void pump(struct kbd *kbd, uint64_t now_ns)
{
	uint8_t byte;
	bool from_mouse;

	if (kbd->full)
		return;
	if (!ps2_fifo_empty(&kbd->reply)) {
		from_mouse = ps2_fifo_get(&kbd->reply);
		fill(kbd, ps2_fifo_get(&kbd->reply), from_mouse);
		return;
	}
	if (now_ns < kbd->next_ns)
		return;
	while (keyboard_waits(kbd)) {
		byte = ps2_keyboard_next(&kbd->keyboard);
		if (!translate(kbd, &byte))
			continue;
		kbd->keyboard_bytes++;
		fill(kbd, byte, false);
		return;
	}
	if (mouse_waits(kbd)) {
		kbd->mouse_bytes++;
		fill(kbd, ps2_mouse_next(&kbd->mouse), true);
	}
}

uint64_t kbd_deadline(const struct kbd *kbd)
{
	/* Only the wires wait for time, and only behind a byte that was read: pump() has done all else. */
	if (!kbd->full && (keyboard_waits(kbd) || mouse_waits(kbd)))
		return kbd->next_ns;
	return DEV_NEVER;
}

void kbd_advance(struct kbd *kbd, uint64_t now_ns)
{
	pump(kbd, now_ns);
}

static void write_output_port(struct kbd *kbd, uint8_t value)
{
	kbd->output_port = value;
	irq_set(&kbd->config.a20, value & OP_A20);
	if (!(value & OP_NOT_RESET) && kbd->config.reset)
		kbd->config.reset(kbd->config.owner);
}

static uint8_t read_output_port(const struct kbd *kbd)
{
	return (kbd->output_port & ~(OP_KBD_FULL | OP_MOUSE_FULL)) | (kbd->full && !kbd->from_mouse ? OP_KBD_FULL : 0) |
	       (kbd->full && kbd->from_mouse ? OP_MOUSE_FULL : 0);
}

static void write_command_byte(struct kbd *kbd, uint8_t value)
{
	kbd->ram[0] = value & ~0x80;
	kbd->status = (kbd->status & ~ST_SYSTEM) | (value & CB_SYSTEM ? ST_SYSTEM : 0);
	update_lines(kbd);
}

/* A byte to port 60h: the argument of a controller command, or else the keyboard's. */
static void write_data(struct kbd *kbd, uint8_t value)
{
	uint8_t command = kbd->command;

	kbd->command = 0;
	switch (command) {
	case 0:
		/* Talking to the keyboard switches its wire on. */
		kbd->ram[0] &= ~CB_KBD_OFF;
		ps2_keyboard_command(&kbd->keyboard, value);
		break;
	case 0x60:
		write_command_byte(kbd, value);
		break;
	case 0xd1:
		write_output_port(kbd, value);
		break;
	case 0xd2:
		answer(kbd, value, false);
		break;
	case 0xd3:
		answer(kbd, value, true);
		break;
	case 0xd4:
		kbd->ram[0] &= ~CB_MOUSE_OFF;
		ps2_mouse_command(&kbd->mouse, value);
		break;
	default:		/* 61h-7Fh: controller RAM; CBh and others: swallowed */
		if (command >= 0x61 && command <= 0x7f)
			kbd->ram[command & 0x1f] = value;
		break;
	}
}

/* A byte to port 64h. */
static void write_command(struct kbd *kbd, uint8_t value)
{
	kbd->command = 0;
	if (value >= 0x20 && value <= 0x3f) {
		answer(kbd, value == 0x20 ? (kbd->ram[0] & ~CB_SYSTEM) | (kbd->status & ST_SYSTEM ? CB_SYSTEM : 0) :
		       kbd->ram[value & 0x1f], false);
		return;
	}
	if (value >= 0xf0) {
		/* Pulse low those output bits whose command bits are 0; only bit 0 goes anywhere: reset. */
		if (!(value & OP_NOT_RESET) && kbd->config.reset)
			kbd->config.reset(kbd->config.owner);
		return;
	}
	switch (value) {
	case 0xa4:			/* is a password set? No. */
		answer(kbd, 0xf1, false);
		break;
	case 0xa7:
		kbd->ram[0] |= CB_MOUSE_OFF;
		break;
	case 0xa8:
		kbd->ram[0] &= ~CB_MOUSE_OFF;
		break;
	case 0xa9:			/* mouse wire test: good */
	case 0xab:			/* keyboard wire test: good */
		answer(kbd, 0x00, false);
		break;
	case 0xaa:			/* self test: good */
		kbd->status |= ST_SYSTEM;
		memset(&kbd->reply, 0, sizeof(kbd->reply));
		kbd->full = false;
		update_lines(kbd);
		answer(kbd, 0x55, false);
		break;
	case 0xad:
		kbd->ram[0] |= CB_KBD_OFF;
		break;
	case 0xae:
		kbd->ram[0] &= ~CB_KBD_OFF;
		break;
	case 0xc0:			/* input port: not locked, colour display */
		answer(kbd, 0xf0, false);
		break;
	case 0xd0:
		answer(kbd, read_output_port(kbd), false);
		break;
	case 0xdd:			/* A20 off and on, on controllers that know it */
		write_output_port(kbd, kbd->output_port & ~OP_A20);
		break;
	case 0xdf:
		write_output_port(kbd, kbd->output_port | OP_A20);
		break;
	case 0xe0:			/* test inputs: both clocks high */
		answer(kbd, 0x03, false);
		break;
	case 0xcb:
	case 0xd1:
	case 0xd2:
	case 0xd3:
	case 0xd4:
		kbd->command = value;
		break;
	default:
		if (value >= 0x60 && value <= 0x7f)
			kbd->command = value;
		break;			/* others are no commands here, and ignored */
	}
}

static uint32_t kbd_in(void *opaque, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct kbd *kbd = opaque;

	(void)size;
	pump(kbd, now_ns);
	if (port == KBD_PORT_STATUS)
		return kbd->status | ST_UNLOCKED | (kbd->full ? ST_OUTPUT_FULL : 0) |
		       (kbd->full && kbd->from_mouse ? ST_MOUSE : 0);
	if (kbd->full) {
		kbd->full = false;
		kbd->next_ns = now_ns + WIRE_NS;
		update_lines(kbd);
		/* An answer that waited behind a scan code may follow at once; a scan code may not. */
		if (!ps2_fifo_empty(&kbd->reply)) {
			uint8_t byte = kbd->data;

			pump(kbd, now_ns);
			return byte;
		}
	}
	return kbd->data;		/* empty: the last byte once more */
}

static void kbd_out(void *opaque, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct kbd *kbd = opaque;

	(void)size;
	if (port == KBD_PORT_STATUS) {
		kbd->status |= ST_COMMAND;
		write_command(kbd, (uint8_t)value);
	} else {
		kbd->status &= ~ST_COMMAND;
		write_data(kbd, (uint8_t)value);
	}
	pump(kbd, now_ns);
}

const struct bus_port_ops kbd_port_ops = { .in = kbd_in, .out = kbd_out, .byte_wide = true };

bool kbd_scancode(struct kbd *kbd, uint8_t set1_byte, uint64_t now_ns)
{
	bool taken = ps2_keyboard_key(&kbd->keyboard, kbd->set2_of, set1_byte);

	pump(kbd, now_ns);
	return taken;
}

static int32_t add_clamped(int32_t sum, int by)
{
	int64_t n = (int64_t)sum + by;

	/* A guest that does not look for long need not hear of every step. */
	return (int32_t)(n > 4096 ? 4096 : n < -4096 ? -4096 : n);
}

void kbd_mouse_event(struct kbd *kbd, int dx, int dy, int dz, uint8_t buttons, uint64_t now_ns)
{
	struct ps2_mouse *m = &kbd->mouse;

	if (m->reporting || m->remote) {
		m->dx = add_clamped(m->dx, dx);
		m->dy = add_clamped(m->dy, -dy);
		m->dz = m->id == 3 ? add_clamped(m->dz, dz) : 0;
	}
	m->buttons = buttons & 7;
	pump(kbd, now_ns);
}

void kbd_reset(struct kbd *kbd)
{
	memset(kbd->ram, 0, sizeof(kbd->ram));
	memset(&kbd->reply, 0, sizeof(kbd->reply));
	kbd->ram[0] = CB_IRQ1 | CB_IRQ12;	/* the state that boot loaders without a BIOS of their own expect */
	kbd->status = ST_COMMAND;
	kbd->command = 0;
	kbd->output_port = OP_NOT_RESET | OP_A20;
	kbd->full = false;
	kbd->from_mouse = false;
	kbd->data = 0;
	kbd->next_ns = 0;
	kbd->break_prefix = false;
	ps2_keyboard_reset(&kbd->keyboard);
	ps2_mouse_reset(&kbd->mouse);
	update_lines(kbd);
	irq_set(&kbd->config.a20, true);
}

void kbd_init(struct kbd *kbd, const struct kbd_config *config)
{
	memset(kbd, 0, sizeof(*kbd));
	kbd->config = *config;
	scancode_invert(kbd->set2_of);
	kbd_reset(kbd);
}
