/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga_render.c - what a monitor would show, from video memory and registers.
 *
 *      CRTC: counter and row scan --> address --> planes --> shift mode --> attribute --> DAC --> R, G, B
 *      DISPI:                         bytes -------------------------------------------> DAC --> R, G, B
 *
 * Asked by: devices/pc.c for pc_text_screen and pc_picture, thus displays and screenshots. Writes nothing in the chip.
 * The picture is cut to what differs: lines that the CRTC only repeats (double scan, row scans of a graphics mode) appear once,
 * so mode 13h is 320x200. Text keeps its cells' dots.
 */
#include "devices/vga_parts.h"

/* What one frame is, from the registers. */
struct frame {
	uint32_t width, lines;		/* dots, scan lines of the CRTC */
	uint32_t repeat;		/* scan lines per line of the picture */
	uint32_t columns, dots;		/* character clocks in a line, dots in each */
	uint32_t cell_lines;		/* row scans in a row */
	uint32_t double_scan;		/* 2 if each row scan is shown twice */
	uint32_t pitch;			/* what the counter gains from row to row */
	bool text, dark;
	uint32_t font[2];		/* where the fonts for attribute bit 3 = 0 and 1 begin in plane 2 */
	uint32_t colour[16];
	bool blink_dark, cursor_dark;	/* the phases: blinking text and the cursor are off now */
};

static uint8_t dac_8_bits(const struct vga *vga, uint8_t value)
{
	return vga->dispi[VGA_DISPI_ENABLE] & DISPI_8BIT_DAC ? value : (uint8_t)(value << 2 | value >> 4);
}

static uint32_t dac_colour(const struct vga *vga, uint8_t index)
{
	const uint8_t *entry = vga->dac[index & vga->dac_mask];

	return (uint32_t)dac_8_bits(vga, entry[0]) << 16 | (uint32_t)dac_8_bits(vga, entry[1]) << 8 |
	       dac_8_bits(vga, entry[2]);
}

/* A 4-bit colour through the attribute controller's palette and the DAC. */
static uint32_t attribute_colour(const struct vga *vga, uint8_t colour)
{
	uint8_t index = vga->attr[colour & vga->attr[AR_PLANE_ENABLE] & 0x0f];
	uint8_t select = vga->attr[AR_COLOUR_SELECT];

	if (vga->attr[AR_MODE] & AR10_PALETTE_54)
		index = (index & 0x0f) | (select & 0x03) << 4;
	return dac_colour(vga, (index & 0x3f) | (select & 0x0c) << 4);
}

static void put(uint8_t *dot, uint32_t colour)
{
	dot[0] = (uint8_t)(colour >> 16);
	dot[1] = (uint8_t)(colour >> 8);
	dot[2] = (uint8_t)colour;
}

static struct frame frame_of(const struct vga *vga, uint64_t now_ns)
{
	uint64_t number = now_ns == DEV_NEVER ? 0 : vga_beam_at(vga, now_ns).frame;
	uint8_t select = vga->seq[SR_FONT_SELECT];
	struct frame f = { .text = !(vga->gc[GR_MISC] & GR6_GRAPHICS) };
	bool row_scan_addresses = (vga->crtc[0x17] & 0x03) != 0x03;

	f.columns = vga->crtc[1] + 1u;
	f.cell_lines = (vga->crtc[9] & 0x1f) + 1u;
	f.double_scan = vga->crtc[9] & 0x80 ? 2 : 1;
	f.lines = vga_display_lines(vga);
	f.pitch = vga->crtc[0x13] * 2u;
	f.dark = (vga->seq[SR_CLOCKING] & SR1_SCREEN_OFF) || !(vga->attr_index & AR_INDEX_SCREEN_ON);
	if (f.columns < 10 || f.lines < 64) {	/* nobody has programmed the CRTC: a dark text screen */
		f = (struct frame){ .columns = 80, .cell_lines = 16, .double_scan = 1, .lines = 400, .pitch = 80,
				    .text = true, .dark = true };
	}

	f.repeat = f.double_scan;
	if (f.text)
		f.dots = vga->seq[SR_CLOCKING] & SR1_8_DOTS ? 8 : 9;
	else if (vga->gc[GR_MODE] & GR5_SHIFT_256)
		f.dots = 4;
	else
		f.dots = 8;
	if (!f.text && !row_scan_addresses)
		f.repeat *= f.cell_lines;
	f.width = f.columns * f.dots;

	f.font[0] = (select & 0x03) << 14 | (select & 0x10) << 9;
	f.font[1] = (select & 0x0c) << 12 | (select & 0x20) << 8;
	for (unsigned int i = 0; i < 16; i++)
		f.colour[i] = attribute_colour(vga, (uint8_t)i);
	f.cursor_dark = number >> 4 & 1;
	f.blink_dark = number >> 5 & 1;
	return f;
}

/* The CRTC's counter on its way to the planes: byte, word or doubleword addressing, and the row scan's bits for CGA. */
static uint32_t plane_offset(const struct vga *vga, uint32_t counter, uint32_t row_scan)
{
	uint8_t mode = vga->crtc[0x17];
	uint32_t off;

	counter &= 0xffff;
	if (vga->crtc[0x14] & 0x40)
		off = counter << 2 | (counter >> 14 & 3);
	else if (mode & 0x40)
		off = counter;
	else
		off = counter << 1 | (counter >> (mode & 0x20 ? 15 : 13) & 1);
	if (!(mode & 0x01))
		off = (off & ~0x2000u) | (row_scan & 1) << 13;
	if (!(mode & 0x02))
		off = (off & ~0x4000u) | (row_scan & 2) << 13;
	return off & 0xffff;
}

static uint32_t line_compare(const struct vga *vga)
{
	return vga->crtc[0x18] | (vga->crtc[7] & 0x10) << 4 | (vga->crtc[9] & 0x40) << 3;
}

static uint32_t start_address(const struct vga *vga)
{
	return vga->crtc[0x0c] << 8 | vga->crtc[0x0d];
}

static uint16_t cursor_address(const struct vga *vga)
{
	return (uint16_t)((vga->crtc[0x0e] << 8 | vga->crtc[0x0f]) + (vga->crtc[0x0b] >> 5 & 3));
}

static bool cursor_shown(const struct vga *vga)
{
	return !(vga->crtc[0x0a] & 0x20) && (vga->crtc[0x0a] & 0x1f) <= (vga->crtc[0x0b] & 0x1f);
}

/* Eight or nine dots of one cell; the leftmost in bit 8. */
static uint32_t cell_dots(const struct vga *vga, uint32_t font, uint32_t character, uint32_t attribute, uint32_t row_scan)
{
	uint32_t glyph = (uint32_t)vga_plane_byte(vga, font + character * 32 + row_scan, 2) << 1;

	if ((vga->attr[AR_MODE] & AR10_LINE_GRAPHICS) && (character & 0xe0) == 0xc0)
		glyph |= glyph >> 1 & 1;		/* box drawing goes on through the ninth dot */
	if ((attribute & 0x07) == 0x01 && row_scan == (vga->crtc[0x14] & 0x1fu))
		glyph = 0x1ff;				/* underline; in colour modes it is set below the cell */
	return glyph;
}

/* One line of text, moved @pan dots to the left: a cell more than there are columns comes in at the right. */
static void text_line(const struct vga *vga, const struct frame *f, uint32_t counter, uint32_t row_scan, uint32_t pan,
		      uint8_t *row)
{
	bool blinks = vga->attr[AR_MODE] & AR10_BLINK;
	bool cursor_line = cursor_shown(vga) && !f->cursor_dark && row_scan >= (vga->crtc[0x0a] & 0x1fu) &&
			   row_scan <= (vga->crtc[0x0b] & 0x1fu);

	for (uint32_t x = 0; x <= f->columns; x++, counter++) {
		uint32_t quad = vga_load_planes(vga, plane_offset(vga, counter, row_scan));
		uint32_t character = quad & 0xff, attribute = quad >> 8 & 0xff;
		uint32_t background = f->colour[attribute >> 4 & (blinks ? 7 : 15)];
		uint32_t foreground = f->colour[attribute & 15];
		uint32_t glyph = cell_dots(vga, f->font[attribute >> 3 & 1], character, attribute, row_scan);

		if (blinks && (attribute & 0x80) && f->blink_dark)
			foreground = background;
		if (cursor_line && (uint16_t)counter == cursor_address(vga))
			glyph = 0x1ff;
		for (uint32_t dot = 0; dot < f->dots; dot++) {
			uint32_t at = x * f->dots + dot - pan;	/* wraps when panned out at the left */

			if (at < f->width)
				put(row + 3 * at, glyph >> (8 - dot) & 1 ? foreground : background);
		}
	}
}

/* Dot @x of a graphics line. */
static uint32_t graphics_dot(const struct vga *vga, const struct frame *f, uint32_t counter, uint32_t row_scan, uint32_t x)
{
	uint32_t clock = x / f->dots, dot = x % f->dots;
	uint32_t quad;
	uint8_t colour = 0;

	if (vga->crtc[0x14] & 0x20)		/* the counter moves on every fourth clock only */
		clock >>= 2;
	else if (vga->crtc[0x17] & 0x08)
		clock >>= 1;
	quad = vga_load_planes(vga, plane_offset(vga, counter + clock, row_scan));

	if (vga->gc[GR_MODE] & GR5_SHIFT_256)	/* a byte a dot, planes in turn */
		return dac_colour(vga, (uint8_t)(quad >> 8 * dot));
	if (vga->gc[GR_MODE] & GR5_SHIFT_CGA) {	/* bit pairs: four dots from planes 0 and 2, four from 1 and 3 */
		uint32_t shift = 6 - 2 * (dot & 3);

		quad >>= dot & 4 ? 8 : 0;
		colour = (quad >> shift & 3) | (quad >> 16 >> shift & 3) << 2;
	} else {
		for (uint32_t plane = 0; plane < 4; plane++)
			colour |= (quad >> (8 * plane + 7 - dot) & 1) << plane;
	}
	return f->colour[colour];
}

/* How many dots the picture is moved to the left. In 9-dot text 8 stands for none, and 0 for one. */
static uint32_t pan_of(const struct vga *vga, const struct frame *f)
{
	uint32_t pan = vga->attr[AR_PAN] & 0x0f;

	if (f->text && f->dots == 9)
		return pan >= 8 ? 0 : pan + 1;
	if (pan >= 8)
		return 0;
	return f->dots == 4 ? pan >> 1 : pan;
}

static void draw_crtc(const struct vga *vga, const struct frame *f, uint8_t *rgb)
{
	uint32_t counter = start_address(vga) + (vga->crtc[8] >> 5 & 3);
	uint32_t row_scan = vga->crtc[8] & 0x1f, half = 0, split = line_compare(vga);
	uint32_t pan = pan_of(vga, f);

	for (uint32_t line = 0; line < f->lines; line++) {
		if (line % f->repeat == 0) {
			if (f->text)
				text_line(vga, f, counter, row_scan, pan, rgb);
			else
				for (uint32_t x = 0; x < f->width; x++)
					put(rgb + 3 * x, graphics_dot(vga, f, counter, row_scan, x + pan));
			rgb += 3 * f->width;
		}
		if (line == split) {		/* the lower window begins: memory from 0 on */
			counter = 0;
			row_scan = 0;
			half = 0;
			if (vga->attr[AR_MODE] & AR10_PAN_TOP_ONLY)
				pan = 0;
			continue;
		}
		if (++half < f->double_scan)
			continue;
		half = 0;
		if (row_scan + 1 == f->cell_lines) {
			row_scan = 0;
			counter += f->pitch;
		} else {
			row_scan = (row_scan + 1) & 0x1f;
		}
	}
}

static uint8_t scale_5(uint32_t v)
{
	return (uint8_t)((v & 31) << 3 | (v & 31) >> 2);
}

static uint32_t packed_colour(const struct vga *vga, const uint8_t *p)
{
	uint32_t v;

	switch (vga->dispi[VGA_DISPI_BPP]) {
	case 8:
		return dac_colour(vga, p[0]);
	case 15:
		v = p[0] | p[1] << 8;
		return (uint32_t)scale_5(v >> 10) << 16 | (uint32_t)scale_5(v >> 5) << 8 | scale_5(v);
	case 16:
		v = p[0] | p[1] << 8;
		return (uint32_t)scale_5(v >> 11) << 16 | ((v >> 5 & 63) << 2 | (v >> 9 & 3)) << 8 | scale_5(v);
	default:
		return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
	}
}

static void draw_dispi(const struct vga *vga, uint8_t *rgb)
{
	const uint16_t *r = vga->dispi;
	uint32_t bytes_per_dot = (r[VGA_DISPI_BPP] + 7u) / 8;
	uint32_t line_bytes = r[VGA_DISPI_VIRT_WIDTH] * bytes_per_dot;
	bool planar = r[VGA_DISPI_BPP] == 4;

	for (uint32_t y = 0; y < r[VGA_DISPI_YRES]; y++) {
		uint64_t line = y + r[VGA_DISPI_Y_OFFSET];
		uint64_t at = line * line_bytes + (uint64_t)r[VGA_DISPI_X_OFFSET] * bytes_per_dot;
		uint64_t bit = line * r[VGA_DISPI_VIRT_WIDTH] + r[VGA_DISPI_X_OFFSET];

		for (uint32_t x = 0; x < r[VGA_DISPI_XRES]; x++, rgb += 3, at += bytes_per_dot, bit++) {
			uint32_t colour = 0;	/* past the end of video memory: black */

			if (planar && bit / 8 < vga->vram_bytes / 4) {
				uint32_t quad = vga_load_planes(vga, (uint32_t)(bit / 8)) >> (7 - bit % 8);

				colour = attribute_colour(vga, (quad & 1) | (quad >> 7 & 2) | (quad >> 14 & 4) |
								       (quad >> 21 & 8));
			} else if (!planar && at + bytes_per_dot <= vga->vram_bytes) {
				colour = packed_colour(vga, vga->vram + at);
			}
			put(rgb, colour);
		}
	}
}

void vga_picture(const struct vga *vga, uint64_t now_ns, uint32_t *width, uint32_t *height, uint8_t *rgb, size_t nbytes)
{
	struct frame f = frame_of(vga, now_ns);

	if (vga_dispi_on(vga)) {
		*width = vga->dispi[VGA_DISPI_XRES];
		*height = vga->dispi[VGA_DISPI_YRES];
	} else {
		*width = f.width;
		*height = (f.lines + f.repeat - 1) / f.repeat;
	}
	if (!rgb || nbytes < (size_t)*width * *height * 3)
		return;
	if (vga_dispi_on(vga))
		draw_dispi(vga, rgb);
	else if (f.dark)
		memset(rgb, 0, (size_t)*width * *height * 3);
	else
		draw_crtc(vga, &f, rgb);
}

void vga_text_snapshot(const struct vga *vga, struct pc_text_screen *screen)
{
	struct frame f = frame_of(vga, DEV_NEVER);
	uint32_t row_lines = f.cell_lines * f.double_scan;
	uint32_t split = line_compare(vga), counter = start_address(vga), line = 0;
	uint16_t cursor = cursor_address(vga);

	memset(screen, 0, sizeof(*screen));
	screen->valid = f.text && !vga_dispi_on(vga);
	memcpy(screen->palette, f.colour, sizeof(screen->palette));
	if (!screen->valid)
		return;

	screen->columns = (uint16_t)plx_min32(f.columns, 132);
	screen->rows = (uint16_t)plx_max32(1, plx_min32(f.lines / row_lines, PC_TEXT_MAX / screen->columns));
	for (uint32_t y = 0; y < screen->rows; y++, line += row_lines, counter += f.pitch) {
		if (line > split) {
			counter = 0;
			split = UINT32_MAX;
		}
		for (uint32_t x = 0; x < screen->columns; x++) {
			uint32_t off = plane_offset(vga, counter + x, 0);

			screen->cell[y * screen->columns + x] =
				(uint16_t)(vga_plane_byte(vga, off, 0) | vga_plane_byte(vga, off, 1) << 8);
			if ((uint16_t)(counter + x) == cursor && cursor_shown(vga)) {
				screen->cursor_visible = true;
				screen->cursor_x = (uint16_t)x;
				screen->cursor_y = (uint16_t)y;
			}
		}
	}
}
