/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga_regs.c - the VGA's register files, ports 3B4h to 3DFh, byte by byte.
 *
 *      3C0 attribute (index and data through one port, told apart by a flip-flop that reading 3DA clears)
 *      3C2 misc output / input status 0    3C4 sequencer    3C6 palette DAC    3CE graphics
 *      3D4 CRTC and 3DA input status 1; at 3B4 and 3BA instead while misc output bit 0 is 0
 *
 * Asked by: the bus. Asks: vga_mem.c when a register changes how memory is seen, vga_timing.c for retrace.
 * Source:   FreeVGA, "VGA/SVGA Video Programming", the register pages.
 */
#include "devices/vga_parts.h"

#define STATUS0_SENSE		0x10	/* the monitor answers: a colour monitor */
#define STATUS1_BLANK		0x01
#define STATUS1_RETRACE		0x08
#define CR11_PROTECT		0x80	/* registers 0-7 are read-only, but for bit 4 of 7 */
#define DAC_STATE_READ		0x03

/* Bits that exist; the others read as 0. */
static const uint8_t seq_mask[VGA_SEQ_REGS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gc_mask[VGA_GC_REGS] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
static const uint8_t attr_mask[VGA_ATTR_REGS] = {
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0xef, 0xff, 0x3f, 0x0f, 0x0f,
};
#define CRTC_LAST 0x18

static bool crtc_answers_at(const struct vga *vga, uint16_t port)
{
	return (port >= VGA_PORT_COLOUR_FIRST) == (vga->misc & MISC_COLOUR);
}

static uint8_t attr_index_reg(const struct vga *vga)
{
	return vga->attr_index & 0x1f;
}

static uint8_t dac_read(struct vga *vga)
{
	uint8_t value = vga->dac[vga->dac_read_index][vga->dac_component];

	if (++vga->dac_component == 3) {
		vga->dac_component = 0;
		vga->dac_read_index++;
	}
	return value;
}

static void dac_write(struct vga *vga, uint8_t value)
{
	if (!(vga->dispi[VGA_DISPI_ENABLE] & DISPI_8BIT_DAC))
		value &= 0x3f;
	vga->dac_hold[vga->dac_component] = value;
	if (++vga->dac_component == 3) {
		vga->dac_component = 0;
		memcpy(vga->dac[vga->dac_write_index++], vga->dac_hold, 3);
	}
}

static void attr_write(struct vga *vga, uint8_t value)
{
	uint8_t index = attr_index_reg(vga);

	vga->attr_data = !vga->attr_data;
	if (vga->attr_data) {			/* it was an index that came */
		vga->attr_index = value & 0x3f;
		return;
	}
	/* The palette proper belongs to the screen while the screen is on. */
	if (index < 16 && (vga->attr_index & AR_INDEX_SCREEN_ON))
		return;
	vga->attr[index] = value & attr_mask[index];
}

static void crtc_write(struct vga *vga, uint8_t value)
{
	uint8_t index = vga->crtc_index;

	if (index > CRTC_LAST)
		return;
	if (index <= 7 && (vga->crtc[0x11] & CR11_PROTECT)) {
		if (index == 7)			/* line compare's ninth bit is for split screens, not timing */
			vga->crtc[7] = (vga->crtc[7] & ~0x10) | (value & 0x10);
		return;
	}
	vga->crtc[index] = value;
}

static uint32_t port_in(void *chip, uint16_t port, unsigned int size, uint64_t now_ns)
{
	struct vga *vga = chip;
	struct vga_beam beam;

	(void)size;
	switch (port) {
	case 0x3c0:
		return vga->attr_index;
	case 0x3c1:
		return vga->attr[attr_index_reg(vga)];
	case 0x3c2:
		return STATUS0_SENSE;
	case 0x3c3:
		return 0x01;			/* the adapter is enabled, always */
	case 0x3c4:
		return vga->seq_index;
	case 0x3c5:
		return vga->seq[vga->seq_index];
	case 0x3c6:
		return vga->dac_mask;
	case 0x3c7:
		return vga->dac_reading ? DAC_STATE_READ : 0;
	case 0x3c8:
		return vga->dac_write_index;
	case 0x3c9:
		return dac_read(vga);
	case 0x3ca:
		return vga->feature;
	case 0x3cc:
		return vga->misc;
	case 0x3ce:
		return vga->gc_index;
	case 0x3cf:
		return vga->gc[vga->gc_index];
	case 0x3b4:
	case 0x3d4:
		return crtc_answers_at(vga, port) ? vga->crtc_index : 0xff;
	case 0x3b5:
	case 0x3d5:
		if (!crtc_answers_at(vga, port))
			return 0xff;
		return vga->crtc_index <= CRTC_LAST ? vga->crtc[vga->crtc_index] : 0;
	case 0x3ba:
	case 0x3da:
		if (!crtc_answers_at(vga, port))
			return 0xff;
		vga->attr_data = false;
		beam = vga_beam_at(vga, now_ns);
		return (beam.blank ? STATUS1_BLANK : 0) | (beam.vertical_retrace ? STATUS1_RETRACE : 0);
	default:
		return 0xff;
	}
}

static void port_out(void *chip, uint16_t port, unsigned int size, uint32_t data, uint64_t now_ns)
{
	struct vga *vga = chip;
	uint8_t value = (uint8_t)data;

	(void)size;
	(void)now_ns;
	switch (port) {
	case 0x3c0:
		attr_write(vga, value);
		break;
	case 0x3c2:
		vga->misc = value & 0xef;
		vga_window_update(vga);
		break;
	case 0x3c4:
		vga->seq_index = value & (VGA_SEQ_REGS - 1);
		break;
	case 0x3c5:
		vga->seq[vga->seq_index] = value & seq_mask[vga->seq_index];
		vga_window_update(vga);
		break;
	case 0x3c6:
		vga->dac_mask = value;
		break;
	case 0x3c7:
		vga->dac_read_index = value;
		vga->dac_component = 0;
		vga->dac_reading = true;
		break;
	case 0x3c8:
		vga->dac_write_index = value;
		vga->dac_component = 0;
		vga->dac_reading = false;
		break;
	case 0x3c9:
		dac_write(vga, value);
		break;
	case 0x3ce:
		vga->gc_index = value & (VGA_GC_REGS - 1);
		break;
	case 0x3cf:
		vga->gc[vga->gc_index] = value & gc_mask[vga->gc_index];
		vga_window_update(vga);
		break;
	case 0x3b4:
	case 0x3d4:
		if (crtc_answers_at(vga, port))
			vga->crtc_index = value & 0x3f;
		break;
	case 0x3b5:
	case 0x3d5:
		if (crtc_answers_at(vga, port))
			crtc_write(vga, value);
		break;
	case 0x3ba:
	case 0x3da:
		if (crtc_answers_at(vga, port))
			vga->feature = value & 0x03;
		break;
	default:
		break;
	}
}

const struct bus_port_ops vga_port_ops = { .in = port_in, .out = port_out, .byte_wide = true };
