/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/vga_guest.h - the guest's side of the VGA: ports, memory, and modes set as a VGA BIOS sets them.
 *
 * Asked by: test_vga.c (registers, planes, windows), test_vga_picture.c (what is seen).
 * The mode tables are the IBM VGA's parameter tables.
 */
#ifndef TESTS_UNIT_VGA_GUEST_H
#define TESTS_UNIT_VGA_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices/vga.h"

#define VRAM_OFFSET 0x8000000ull	/* where video memory pretends to be in the RAM object */
#define HITS 8				/* accesses until a window is handed over */
#define PICTURE_BYTES (1024 * 768 * 3)

struct machine {
	struct vga vga;
	uint8_t *vram, *rgb;
	uint32_t width, height;
	struct pc_text_screen text;
	unsigned int maps;		/* calls of map_window */
	bool direct;
	uint32_t gpa, nbytes;
	uint64_t offset;
};

struct mode {
	uint8_t misc, seq[5], crtc[25], gc[9], attr[21];
};

PLX_UNUSED static const struct mode mode_3 = {
	0x67, { 0x03, 0x00, 0x03, 0x00, 0x02 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
	  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
	{ 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff },
	{ 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
	  0x0c, 0x00, 0x0f, 0x08, 0x00 },
};

PLX_UNUSED static const struct mode mode_4 = {
	0x63, { 0x03, 0x09, 0x03, 0x00, 0x02 },
	{ 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x00, 0x00, 0x00,
	  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff },
	{ 0x00, 0x00, 0x00, 0x00, 0x00, 0x30, 0x0f, 0x00, 0xff },
	{ 0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	  0x01, 0x00, 0x03, 0x00, 0x00 },
};

PLX_UNUSED static const struct mode mode_6 = {
	0x63, { 0x03, 0x01, 0x01, 0x00, 0x06 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x00, 0x00, 0x00,
	  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff },
	{ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x00, 0xff },
	{ 0x00, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17,
	  0x01, 0x00, 0x01, 0x00, 0x00 },
};

PLX_UNUSED static const struct mode mode_d = {
	0x63, { 0x03, 0x09, 0x0f, 0x00, 0x06 },
	{ 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0x00, 0x00, 0x00,
	  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff },
	{ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x0f, 0xff },
	{ 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	  0x01, 0x00, 0x0f, 0x00, 0x00 },
};

PLX_UNUSED static const struct mode mode_12 = {
	0xe3, { 0x03, 0x01, 0x0f, 0x00, 0x06 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0x00, 0x00, 0x00,
	  0x00, 0x00, 0x00, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff },
	{ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x0f, 0xff },
	{ 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
	  0x01, 0x00, 0x0f, 0x00, 0x00 },
};

PLX_UNUSED static const struct mode mode_13 = {
	0x63, { 0x03, 0x01, 0x0f, 0x00, 0x0e },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00,
	  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
	{ 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff },
	{ 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
	  0x41, 0x00, 0x0f, 0x00, 0x00 },
};

/* ---- the guest's side ---- */

PLX_UNUSED static void note_map(void *owner, bool direct, uint32_t gpa, uint32_t nbytes, uint64_t offset)
{
	struct machine *m = owner;

	m->maps++;
	m->direct = direct;
	m->gpa = gpa;
	m->nbytes = nbytes;
	m->offset = offset;
}

PLX_UNUSED static void out(struct machine *m, uint16_t port, uint8_t value)
{
	vga_port_ops.out(&m->vga, port, 1, value, 0);
}

PLX_UNUSED static uint8_t in(struct machine *m, uint16_t port)
{
	return (uint8_t)vga_port_ops.in(&m->vga, port, 1, 0);
}

/* Index and data of a pair of ports. */
PLX_UNUSED static void set(struct machine *m, uint16_t port, uint8_t index, uint8_t value)
{
	out(m, port, index);
	out(m, port + 1, value);
}

PLX_UNUSED static uint8_t get(struct machine *m, uint16_t port, uint8_t index)
{
	out(m, port, index);
	return in(m, port + 1);
}

PLX_UNUSED static void dispi(struct machine *m, uint16_t index, uint16_t value)
{
	vga_dispi_ops.out(&m->vga, 0x1ce, 2, index, 0);
	vga_dispi_ops.out(&m->vga, 0x1cf, 2, value, 0);
}

PLX_UNUSED static uint16_t dispi_get(struct machine *m, uint16_t index)
{
	vga_dispi_ops.out(&m->vga, 0x1ce, 2, index, 0);
	return (uint16_t)vga_dispi_ops.in(&m->vga, 0x1cf, 2, 0);
}

/* Guest memory accesses, as the machine routes them. */
PLX_UNUSED static void poke(struct machine *m, uint32_t gpa, uint8_t value)
{
	if (m->direct && gpa - m->gpa < m->nbytes)
		m->vram[m->offset - VRAM_OFFSET + gpa - m->gpa] = value;
	else
		vga_window_ops.write(&m->vga, gpa, 1, value, 0);
}

PLX_UNUSED static uint8_t peek(struct machine *m, uint32_t gpa)
{
	if (m->direct && gpa - m->gpa < m->nbytes)
		return m->vram[m->offset - VRAM_OFFSET + gpa - m->gpa];
	return (uint8_t)vga_window_ops.read(&m->vga, gpa, 1, 0);
}

PLX_UNUSED static void set_mode(struct machine *m, const struct mode *mode)
{
	uint16_t crtc = mode->misc & 1 ? 0x3d4 : 0x3b4;

	out(m, 0x3c2, mode->misc);
	for (uint8_t i = 0; i < 5; i++)
		set(m, 0x3c4, i, mode->seq[i]);
	set(m, crtc, 0x11, mode->crtc[0x11] & 0x7f);	/* unlock 0-7 first */
	for (uint8_t i = 0; i < 25; i++)
		set(m, crtc, i, mode->crtc[i]);
	for (uint8_t i = 0; i < 9; i++)
		set(m, 0x3ce, i, mode->gc[i]);
	in(m, crtc + 6);
	for (uint8_t i = 0; i < 21; i++) {
		out(m, 0x3c0, i);
		out(m, 0x3c0, mode->attr[i]);
	}
	out(m, 0x3c0, 0x20);
	/* A palette in which entry i is (i, 63 - i, i / 4): each tells which it is. */
	out(m, 0x3c6, 0xff);
	out(m, 0x3c8, 0);
	for (unsigned int i = 0; i < 256; i++) {
		out(m, 0x3c9, (uint8_t)i & 0x3f);
		out(m, 0x3c9, 63 - (i & 0x3f));
		out(m, 0x3c9, (uint8_t)i >> 2);
	}
}

/* Planar access: all planes writable, plane @plane readable, at A0000. */
PLX_UNUSED static void go_planar(struct machine *m)
{
	set(m, 0x3c4, 2, 0x0f);
	set(m, 0x3c4, 4, 0x06);
	set(m, 0x3ce, 1, 0x00);
	set(m, 0x3ce, 3, 0x00);
	set(m, 0x3ce, 5, 0x00);
	set(m, 0x3ce, 6, 0x05);
	set(m, 0x3ce, 8, 0xff);
}

PLX_UNUSED static void put_plane(struct machine *m, uint8_t plane, uint32_t off, uint8_t value)
{
	set(m, 0x3c4, 2, (uint8_t)(1 << plane));
	poke(m, 0xa0000 + off, value);
	set(m, 0x3c4, 2, 0x0f);
}

PLX_UNUSED static uint8_t plane_at(struct machine *m, uint8_t plane, uint32_t off)
{
	set(m, 0x3ce, 4, plane);
	return peek(m, 0xa0000 + off);
}

/* As a VGA BIOS reaches the font in plane 2 while text is on, and leaves it again. */
PLX_UNUSED static void font_access(struct machine *m, bool on)
{
	set(m, 0x3c4, 0, 1);
	set(m, 0x3c4, 2, on ? 0x04 : 0x03);
	set(m, 0x3c4, 4, on ? 0x07 : 0x03);
	set(m, 0x3c4, 0, 3);
	set(m, 0x3ce, 4, on ? 0x02 : 0x00);
	set(m, 0x3ce, 5, on ? 0x00 : 0x10);
	set(m, 0x3ce, 6, on ? 0x04 : 0x0e);
}

PLX_UNUSED static void picture(struct machine *m)
{
	memset(m->rgb, 0xee, PICTURE_BYTES);
	vga_picture(&m->vga, DEV_NEVER, &m->width, &m->height, m->rgb, PICTURE_BYTES);
}

PLX_UNUSED static uint32_t dot(const struct machine *m, uint32_t x, uint32_t y)
{
	const uint8_t *p = m->rgb + 3 * (y * m->width + x);

	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

PLX_UNUSED static uint32_t wide(uint32_t six)
{
	return six << 2 | six >> 4;
}

/* What set_mode's palette shows for DAC entry @i. */
PLX_UNUSED static uint32_t dac(uint32_t i)
{
	return wide(i & 0x3f) << 16 | wide(63 - (i & 0x3f)) << 8 | wide(i >> 2);
}

PLX_UNUSED static void start_dispi(struct machine *m, uint16_t width, uint16_t height, uint16_t bpp, uint16_t flags)
{
	dispi(m, VGA_DISPI_ENABLE, 0);
	dispi(m, VGA_DISPI_XRES, width);
	dispi(m, VGA_DISPI_YRES, height);
	dispi(m, VGA_DISPI_BPP, bpp);
	dispi(m, VGA_DISPI_ENABLE, 0x01 | flags);
}

PLX_UNUSED static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct vga_map_ops map = { .map_window = note_map, .owner = m };

	if (!m)
		return -1;
	m->vram = calloc(1, VGA_VRAM_BYTES);
	m->rgb = malloc(PICTURE_BYTES);
	if (!m->vram || !m->rgb)
		return -1;
	vga_init(&m->vga, m->vram, VRAM_OFFSET, VGA_VRAM_BYTES, &map);
	*state = m;
	return 0;
}

PLX_UNUSED static int teardown(void **state)
{
	struct machine *m = *state;

	free(m->vram);
	free(m->rgb);
	free(m);
	return 0;
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
