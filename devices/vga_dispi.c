/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga_dispi.c - the Bochs display interface, ports 1CEh (index) and 1CFh (data), 16 bits wide.
 *
 *      ID -> mode registers while disabled -> ENABLE: the mode begins -> ENABLE 0: the VGA is back
 *
 * Asked by: the bus; guests are the SeaBIOS VGA BIOS (VBE modes) and Linux's bochs-drm.
 * A mode's size and depth stand still while it is on; what may move are the bank, the virtual width and the offsets.
 */
#include "devices/vga_parts.h"

static uint32_t bits_per_pixel(const struct vga *vga)
{
	uint16_t bpp = vga->dispi[VGA_DISPI_BPP];

	return bpp == 15 ? 16 : bpp;
}

static uint32_t bytes_of_lines(const struct vga *vga, uint32_t lines)
{
	return lines * (vga->dispi[VGA_DISPI_VIRT_WIDTH] * bits_per_pixel(vga) / 8);
}

static void set_virtual_width(struct vga *vga, uint16_t width)
{
	uint32_t line;

	vga->dispi[VGA_DISPI_VIRT_WIDTH] = width < vga->dispi[VGA_DISPI_XRES] ? vga->dispi[VGA_DISPI_XRES] : width;
	line = bytes_of_lines(vga, 1);
	vga->dispi[VGA_DISPI_VIRT_HEIGHT] =
		line == 0 ? 0 : (uint16_t)plx_min32(vga->vram_bytes / line, UINT16_MAX);
}

static void set_enable(struct vga *vga, uint16_t value)
{
	bool was_on = vga_dispi_on(vga);

	/* A mode nobody chose (no size yet) cannot come on. */
	if (vga->dispi[VGA_DISPI_XRES] == 0 || vga->dispi[VGA_DISPI_YRES] == 0)
		value &= (uint16_t)~DISPI_ENABLED;
	vga->dispi[VGA_DISPI_ENABLE] = value & (DISPI_ENABLED | DISPI_GETCAPS | DISPI_8BIT_DAC | DISPI_LFB_ENABLED |
						DISPI_NOCLEARMEM);
	if (!vga_dispi_on(vga)) {
		vga->dispi[VGA_DISPI_BANK] = 0;
		return;
	}
	if (was_on)
		return;
	set_virtual_width(vga, vga->dispi[VGA_DISPI_XRES]);
	vga->dispi[VGA_DISPI_X_OFFSET] = 0;
	vga->dispi[VGA_DISPI_Y_OFFSET] = 0;
	if (!(value & DISPI_NOCLEARMEM)) {
		/* Four planes side by side take what a packed mode of the same depth takes, but not from 0 on. */
		uint32_t nbytes = vga_dispi_packed(vga) ? bytes_of_lines(vga, vga->dispi[VGA_DISPI_YRES])
							: vga->vram_bytes;

		memset(vga->vram, 0, plx_min32(nbytes, vga->vram_bytes));
	}
}

static void write_reg(struct vga *vga, uint16_t index, uint16_t value)
{
	bool on = vga_dispi_on(vga);
	uint32_t bank_bytes = vga_dispi_packed(vga) || !on ? 0x10000 : 0x40000;

	switch (index) {
	case VGA_DISPI_ID:
		if (value >= DISPI_ID_FIRST && value <= DISPI_ID_LAST)
			vga->dispi[index] = value;
		break;
	case VGA_DISPI_XRES:
		if (!on && value <= DISPI_MAX_XRES)
			vga->dispi[index] = value;
		break;
	case VGA_DISPI_YRES:
		if (!on && value <= DISPI_MAX_YRES)
			vga->dispi[index] = value;
		break;
	case VGA_DISPI_BPP:
		if (value == 0)			/* 0 asks for the oldest interface's depth */
			value = 8;
		if (!on && (value == 4 || value == 8 || value == 15 || value == 16 || value == 24 || value == 32))
			vga->dispi[index] = value;
		break;
	case VGA_DISPI_ENABLE:
		set_enable(vga, value);
		break;
	case VGA_DISPI_BANK:
		vga->dispi[index] = (uint16_t)(value & (vga->vram_bytes / bank_bytes - 1));
		break;
	case VGA_DISPI_VIRT_WIDTH:
		set_virtual_width(vga, value);
		break;
	case VGA_DISPI_X_OFFSET:
	case VGA_DISPI_Y_OFFSET:
		vga->dispi[index] = value;
		break;
	default:				/* read-only, or not there */
		return;
	}
	vga_window_update(vga);
}

static uint16_t read_reg(const struct vga *vga, uint16_t index)
{
	bool caps = vga->dispi[VGA_DISPI_ENABLE] & DISPI_GETCAPS;

	switch (index) {
	case VGA_DISPI_XRES:
		return caps ? DISPI_MAX_XRES : vga->dispi[index];
	case VGA_DISPI_YRES:
		return caps ? DISPI_MAX_YRES : vga->dispi[index];
	case VGA_DISPI_BPP:
		return caps ? DISPI_MAX_BPP : vga->dispi[index];
	case VGA_DISPI_MEMORY_64K:
		return (uint16_t)(vga->vram_bytes >> 16);
	default:
		return index < VGA_DISPI_REGS ? vga->dispi[index] : 0;
	}
}

static uint32_t dispi_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	const struct vga *vga = chip;
	uint32_t value = port == VGA_PORT_DISPI_FIRST ? vga->dispi_index : read_reg(vga, vga->dispi_index);

	(void)now_ns;
	return size == 1 ? value & 0xff : value;
}

static void dispi_out(void *chip, uint16_t port, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct vga *vga = chip;

	(void)now_ns;
	if (size == 1)
		value &= 0xff;
	if (port == VGA_PORT_DISPI_FIRST)
		vga->dispi_index = (uint16_t)value;
	else
		write_reg(vga, vga->dispi_index, (uint16_t)value);
}

const struct bus_port_ops vga_dispi_ops = { .in = dispi_in, .out = dispi_out };
