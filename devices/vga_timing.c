/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga_timing.c - where the beam is: a function of guest time and the CRTC's registers.
 *
 * Asked by: vga_regs.c for input status 1 (programs wait for retrace), vga_render.c for blinking.
 * Nothing ticks. Times are in picoseconds inside one frame, because a dot takes some 40 ns and errors would add up over
 * the 400,000 dots of a frame; the frame itself is reduced to whole nanoseconds, in which guest time is counted.
 */
#include "devices/vga_parts.h"

/* The monitor's own rate when the CRTC is not programmed or DISPI draws: 70 Hz, 449 lines, 400 of them visible. */
#define FREE_LINE_PS	31778000ull
#define FREE_LINES	449
#define FREE_VISIBLE	400
#define FREE_RETRACE	412

struct vga_beam vga_beam_at(const struct vga *vga, uint64_t now_ns)
{
	/* 25.175 MHz, 28.322 MHz; the two external clocks are taken for the first. */
	uint64_t dot_ps = MISC_CLOCK(vga->misc) == 1 ? 35308 : 39722;
	uint32_t dots = vga->seq[SR_CLOCKING] & SR1_8_DOTS ? 8 : 9;
	uint32_t line_chars = vga->crtc[0] + 5u;
	uint32_t lines = (vga->crtc[6] | (vga->crtc[7] & 0x01) << 8 | (vga->crtc[7] & 0x20) << 4) + 2u;
	uint32_t visible = vga_display_lines(vga);
	uint32_t retrace = vga->crtc[0x10] | (vga->crtc[7] & 0x04) << 6 | (vga->crtc[7] & 0x80) << 2;
	uint32_t retrace_lines = (vga->crtc[0x11] - retrace) & 0x0f;
	uint64_t line_ps, visible_ps, frame_ns, t_ps, line, in_line_ps;
	struct vga_beam beam;

	if (vga->crtc[0x17] & 0x04) {		/* line counter at half speed */
		lines *= 2;
		retrace *= 2;
		retrace_lines *= 2;
	}
	if (vga->seq[SR_CLOCKING] & SR1_HALF_CLOCK)
		dot_ps *= 2;
	line_ps = line_chars * dots * dot_ps;
	visible_ps = (vga->crtc[1] + 1u) * dots * dot_ps;
	if (vga_dispi_on(vga) || lines < 100 || retrace >= lines || line_ps < FREE_LINE_PS / 4) {
		line_ps = FREE_LINE_PS;
		visible_ps = FREE_LINE_PS / 5 * 4;
		lines = FREE_LINES;
		visible = FREE_VISIBLE;
		retrace = FREE_RETRACE;
		retrace_lines = 2;
	}
	if (retrace_lines == 0)
		retrace_lines = 16;		/* the end is four bits only: a whole turn */

	frame_ns = line_ps * lines / 1000;
	t_ps = now_ns % frame_ns * 1000;
	line = t_ps / line_ps;
	in_line_ps = t_ps % line_ps;
	beam.frame = now_ns / frame_ns;
	beam.vertical_retrace = line >= retrace && line < retrace + retrace_lines;
	beam.blank = line >= visible || in_line_ps >= visible_ps;
	return beam;
}
