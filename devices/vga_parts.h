/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga_parts.h - what the files of the VGA tell each other, and the bits of its registers that they share.
 *
 * Asked by: vga*.c only. Bit names follow the IBM VGA Technical Reference.
 */
#ifndef DEVICES_VGA_PARTS_H
#define DEVICES_VGA_PARTS_H

#include "devices/vga.h"

/* Miscellaneous output, 3C2h */
#define MISC_COLOUR		0x01	/* CRTC at 3Dx, not 3Bx */
#define MISC_RAM_ENABLE		0x02
#define MISC_CLOCK(v)		((v) >> 2 & 3)

/* Sequencer */
#define SR_CLOCKING		1
#define SR1_8_DOTS		0x01
#define SR1_HALF_CLOCK		0x08
#define SR1_SCREEN_OFF		0x20
#define SR_MAP_MASK		2
#define SR_FONT_SELECT		3
#define SR_MEMORY_MODE		4
#define SR4_SEQUENTIAL		0x04	/* set: no odd/even for writes */
#define SR4_CHAIN4		0x08

/* Graphics controller */
#define GR_SET_RESET		0
#define GR_ENABLE_SET_RESET	1
#define GR_COLOUR_COMPARE	2
#define GR_ROTATE		3
#define GR_READ_PLANE		4
#define GR_MODE			5
#define GR5_WRITE_MODE		0x03
#define GR5_READ_COMPARE	0x08
#define GR5_ODD_EVEN		0x10	/* reads alternate between planes */
#define GR5_SHIFT_CGA		0x20
#define GR5_SHIFT_256		0x40
#define GR_MISC			6
#define GR6_GRAPHICS		0x01
#define GR6_CHAIN_ODD_EVEN	0x02	/* address bit 0 chooses the plane, so it is no longer one of the address */
#define GR6_MAP(v)		((v) >> 2 & 3)
#define GR_COMPARE_PLANES	7
#define GR_BIT_MASK		8

/* Attribute controller */
#define AR_MODE			0x10
#define AR10_LINE_GRAPHICS	0x04
#define AR10_BLINK		0x08
#define AR10_PAN_TOP_ONLY	0x20
#define AR10_PALETTE_54		0x80
#define AR_PLANE_ENABLE		0x12
#define AR_PAN			0x13
#define AR_COLOUR_SELECT	0x14
#define AR_INDEX_SCREEN_ON	0x20	/* "palette address source" */

/* DISPI, port 1CEh index 4 */
#define DISPI_ENABLED		0x01
#define DISPI_GETCAPS		0x02
#define DISPI_8BIT_DAC		0x20
#define DISPI_LFB_ENABLED	0x40
#define DISPI_NOCLEARMEM	0x80
#define DISPI_ID_FIRST		0xb0c0
#define DISPI_ID_LAST		0xb0c5
#define DISPI_MAX_XRES		2560
#define DISPI_MAX_YRES		1600
#define DISPI_MAX_BPP		32

static inline bool vga_dispi_on(const struct vga *vga)
{
	return vga->dispi[VGA_DISPI_ENABLE] & DISPI_ENABLED;
}

/* A packed-pixel DISPI mode: video memory is plain bytes, planes and chains do not exist. */
static inline bool vga_dispi_packed(const struct vga *vga)
{
	return vga_dispi_on(vga) && vga->dispi[VGA_DISPI_BPP] >= 8;
}

/* vga_mem.c: the byte of video memory that holds plane @plane at plane offset @off. */
static inline uint32_t vga_index(const struct vga *vga, uint32_t off, uint32_t plane)
{
	uint32_t bank = off >> 16 << 18;

	if (vga->layout == VGA_LAYOUT_PAIR && bank == 0)
		return (plane >> 1) << 17 | (off & 1) << 16 | (off & 0xfffe) | (plane & 1);
	return (bank | (off & 3) << 16 | (off & 0xfffc) | plane) & (vga->vram_bytes - 1);
}

static inline uint8_t vga_plane_byte(const struct vga *vga, uint32_t off, uint32_t plane)
{
	return vga->vram[vga_index(vga, off, plane)];
}

/* All four planes at @off; plane 0 in the low byte. */
static inline uint32_t vga_load_planes(const struct vga *vga, uint32_t off)
{
	uint32_t quad;

	if (vga->layout == VGA_LAYOUT_PAIR && off < 0x10000)
		return vga_plane_byte(vga, off, 0) | (uint32_t)vga_plane_byte(vga, off, 1) << 8 |
		       (uint32_t)vga_plane_byte(vga, off, 2) << 16 | (uint32_t)vga_plane_byte(vga, off, 3) << 24;
	memcpy(&quad, vga->vram + vga_index(vga, off, 0), 4);
	return quad;
}

/* vga_mem.c: registers changed. Takes a direct window back at once if it is no longer right. */
void vga_window_update(struct vga *vga);

/* vga_timing.c: where the beam is at @now_ns. */
struct vga_beam { bool blank, vertical_retrace; uint64_t frame; };
struct vga_beam vga_beam_at(const struct vga *vga, uint64_t now_ns);

/* Vertical display end, in scan lines. */
static inline uint32_t vga_display_lines(const struct vga *vga)
{
	uint32_t lines = vga->crtc[0x12] | (vga->crtc[7] & 0x02) << 7 | (vga->crtc[7] & 0x40) << 3;

	return (lines + 1) << (vga->crtc[0x17] >> 2 & 1);	/* bit 2: the line counter runs at half speed */
}

#endif
