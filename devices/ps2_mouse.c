/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ps2_mouse.c - a PS/2 mouse at its end of the wire; with a wheel for those who knock.
 *
 * Asked by: kbd.c. Asks: nothing.
 * Source:   IBM PS/2 Hardware Interface Technical Reference, "Mouse"; the wheel is the IntelliMouse's: after the sample
 *           rates 200, 100, 80 the mouse's ID is 3 and packets have a fourth byte.
 * Time:     the sample rate is stored and reported, but movement is reported as soon as the wire is free.
 */
#include "devices/kbd.h"

#define ACK		0xfa
#define RESEND		0xfe

static void set_defaults(struct ps2_mouse *m)
{
	m->rate = 100;
	m->resolution = 2;
	m->scale_2to1 = false;
	m->reporting = false;
	m->remote = false;
	m->dx = m->dy = m->dz = 0;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
	uint8_t buttons = m->buttons;

	memset(m, 0, sizeof(*m));
	m->buttons = m->buttons_sent = buttons;
	set_defaults(m);
}

static void reply(struct ps2_mouse *m, uint8_t byte)
{
	ps2_fifo_put(&m->reply, byte);
}

static int32_t take(int32_t *from, int32_t low, int32_t high)
{
	int32_t n = *from < low ? low : *from > high ? high : *from;

	*from -= n;
	return n;
}

/* 2:1 scaling: IBM's table for stream mode. */
static int32_t scaled(const struct ps2_mouse *m, int32_t n)
{
	static const uint8_t table[6] = { 0, 1, 1, 3, 6, 9 };
	int32_t size = n < 0 ? -n : n;

	if (!m->scale_2to1 || m->remote)
		return n;
	size = size < 6 ? table[size] : size * 2;
	if (size > 255)
		size = 255;
	return n < 0 ? -size : size;
}

/*
 *   byte 0:  Y overflow | X overflow | Y sign | X sign | 1 | middle | right | left
 *   byte 1, 2: X, Y; byte 3 with a wheel: Z, -8 .. 7
 */
static void put_packet(struct ps2_mouse *m)
{
	int32_t dx = scaled(m, take(&m->dx, -255, 255)), dy = scaled(m, take(&m->dy, -255, 255));

	reply(m, (uint8_t)((dy < 0) << 5 | (dx < 0) << 4 | 0x08 | m->buttons));
	reply(m, (uint8_t)dx);
	reply(m, (uint8_t)dy);
	if (m->id == 3)
		reply(m, (uint8_t)take(&m->dz, -8, 7));
	else
		m->dz = 0;
	m->buttons_sent = m->buttons;
}

static void take_argument(struct ps2_mouse *m, uint8_t byte)
{
	static const uint8_t knock[3] = { 200, 100, 80 };

	if (m->command == 0xe8) {
		m->resolution = byte & 3;
	} else {
		m->rate = byte;
		m->knock = byte == knock[m->knock] ? m->knock + 1 : byte == knock[0];
		if (m->knock == 3) {
			m->id = 3;
			m->knock = 0;
		}
	}
	m->command = 0;
	reply(m, ACK);
}

void ps2_mouse_command(struct ps2_mouse *m, uint8_t byte)
{
	if (m->wrap && byte != 0xff && byte != 0xec) {
		reply(m, byte);
		return;
	}
	if (m->command) {
		take_argument(m, byte);
		return;
	}
	if (byte == RESEND) {
		reply(m, m->last);
		return;
	}
	/* A command ends whatever was on its way: the host would take it for the answer. */
	memset(&m->reply, 0, sizeof(m->reply));
	switch (byte) {
	case 0xe6:			/* scaling 1:1 */
	case 0xe7:			/* scaling 2:1 */
		m->scale_2to1 = byte == 0xe7;
		reply(m, ACK);
		break;
	case 0xe8:			/* resolution */
	case 0xf3:			/* sample rate */
		m->command = byte;
		reply(m, ACK);
		break;
	case 0xe9:			/* status */
		reply(m, ACK);
		reply(m, (uint8_t)(m->remote << 6 | m->reporting << 5 | m->scale_2to1 << 4 | (m->buttons & 1) << 2 |
				   (m->buttons & 4) >> 1 | (m->buttons & 2) >> 1));
		reply(m, m->resolution);
		reply(m, m->rate);
		break;
	case 0xea:			/* stream mode */
	case 0xf0:			/* remote mode */
		m->remote = byte == 0xf0;
		m->dx = m->dy = m->dz = 0;
		reply(m, ACK);
		break;
	case 0xeb:			/* read data */
		reply(m, ACK);
		put_packet(m);
		break;
	case 0xec:			/* leave wrap mode */
	case 0xee:			/* enter it */
		m->wrap = byte == 0xee;
		reply(m, ACK);
		break;
	case 0xf2:			/* read ID */
		reply(m, ACK);
		reply(m, m->id);
		break;
	case 0xf4:			/* enable reporting */
	case 0xf5:			/* disable */
		m->reporting = byte == 0xf4;
		m->dx = m->dy = m->dz = 0;
		reply(m, ACK);
		break;
	case 0xf6:			/* defaults */
		set_defaults(m);
		reply(m, ACK);
		break;
	case 0xff:			/* reset: self test passed, and the ID */
		ps2_mouse_reset(m);
		reply(m, ACK);
		reply(m, 0xaa);
		reply(m, 0x00);
		break;
	default:
		reply(m, RESEND);
		break;
	}
}

static bool wants_to_report(const struct ps2_mouse *m)
{
	return m->reporting && !m->remote && !m->wrap && !m->command &&
	       (m->dx || m->dy || (m->dz && m->id == 3) || m->buttons != m->buttons_sent);
}

bool ps2_mouse_ready(const struct ps2_mouse *m)
{
	return !ps2_fifo_empty(&m->reply) || wants_to_report(m);
}

/* A packet is made when the wire is free for it: movement adds up until then. */
uint8_t ps2_mouse_next(struct ps2_mouse *m)
{
	uint8_t byte;

	if (ps2_fifo_empty(&m->reply) && wants_to_report(m))
		put_packet(m);
	byte = ps2_fifo_get(&m->reply);
	if (byte != RESEND)
		m->last = byte;
	return byte;
}
