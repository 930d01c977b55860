/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/vga_mem.c - A0000-BFFFF: four planes behind a window, or plain memory where that comes to the same.
 *
 *      guest access --> plain RAM                        (direct: text, 256 colours, DISPI banks)
 *                   \-> vga_window_ops --> planes        (everything else)
 *
 * A real VGA has four planes of 64 KiB and three ways to spread the processor's address a over them:
 *
 *      planar      every plane at offset a
 *      odd/even    plane a & 1 (and its neighbour + 2), offset a & ~1: text, CGA graphics
 *      chain-4     plane a & 3, offset a & ~3: 256 colours
 *
 * A guest expects the last two to be as fast as RAM, and they can be RAM if what is consecutive for the processor is
 * consecutive in video memory. One order of the bytes cannot do that for both, so there are two. With o1 o0 the low
 * bits of the offset, g its other fourteen, and p1 p0 the plane's number, a byte stands at
 *
 *      bit        17   16   15..2   1    0
 *      QUAD       o1   o0     g     p1   p0      o1 = o0 = 0: chain-4's 64 KiB; also four planes side by side for latches
 *      PAIR       p1   o0     g     o1   p0      p1 = o0 = 0: odd/even's 64 KiB
 *
 * To go from one to the other is to exchange bits 17 and 1: its own inverse, done in place by relayout(). No contents
 * are lost: what text left behind is what planar access finds on a real VGA, and the font in plane 2 stays.
 *
 * A register write that ends a direct window's right takes it back before the write returns. The other way is lazy: the guest
 * must use the window WISH_HITS times first, because mode setting passes through many states in which nothing is accessed, and
 * each remapping costs as much as dozens of trapped accesses.
 *
 * Read next: vga_regs.c. Tested by: tests/unit/test_vga.c.
 */
#include "devices/vga_parts.h"

#define WISH_HITS 8

/* GR6 bits 3..2: where the window is. */
static const struct { uint32_t first, nbytes; } memory_map[4] = {
	{ 0xa0000, 0x20000 }, { 0xa0000, 0x10000 }, { 0xb0000, 0x08000 }, { 0xb8000, 0x08000 },
};

static void relayout(struct vga *vga, uint8_t layout)
{
	uint16_t *low = (uint16_t *)(void *)vga->vram;		/* bit 17 clear; in units of 2 bytes */
	uint16_t *high = low + (1u << 16);

	if (vga->layout == layout)
		return;
	for (uint32_t i = 0; i < 1u << 16; i += 2) {
		uint16_t moved = low[i + 1];

		low[i + 1] = high[i];
		high[i] = moved;
	}
	vga->layout = layout;
	vga->relayouts++;
}

/* May the datapath be left out: does a write store just the byte written, and a read give just that byte? */
static bool datapath_is_plain(const struct vga *vga)
{
	return (vga->gc[GR_MODE] & (GR5_WRITE_MODE | GR5_READ_COMPARE)) == 0 && vga->gc[GR_ENABLE_SET_RESET] == 0 &&
	       vga->gc[GR_ROTATE] == 0 && vga->gc[GR_BIT_MASK] == 0xff;
}

static struct vga_window wanted_window(const struct vga *vga)
{
	uint8_t map = GR6_MAP(vga->gc[GR_MISC]);
	uint8_t mode = vga->seq[SR_MEMORY_MODE];
	struct vga_window w = { .layout = vga->layout };

	if (vga_dispi_packed(vga)) {
		w.direct = true;
		w.gpa = VGA_WINDOW_GPA;
		w.nbytes = 0x10000;
		w.offset = (uint32_t)vga->dispi[VGA_DISPI_BANK] << 16 & (vga->vram_bytes - 1);
		return w;
	}

	w.gpa = memory_map[map].first;
	w.nbytes = memory_map[map].nbytes;
	if (mode & SR4_CHAIN4) {
		w.layout = VGA_LAYOUT_QUAD;
		w.direct = vga->seq[SR_MAP_MASK] == 0x0f;
	} else if (!(mode & SR4_SEQUENTIAL)) {
		w.layout = VGA_LAYOUT_PAIR;
		w.direct = vga->seq[SR_MAP_MASK] == 0x03 && (vga->gc[GR_MODE] & GR5_ODD_EVEN) &&
			   (vga->gc[GR_MISC] & GR6_CHAIN_ODD_EVEN) && !(vga->gc[GR_READ_PLANE] & 2);
	} else if (vga->gc[GR_MISC] & GR6_GRAPHICS) {
		w.layout = VGA_LAYOUT_QUAD;	/* planar: never direct, but latches load in one go */
	}
	if (!(vga->misc & MISC_RAM_ENABLE) || !datapath_is_plain(vga) || vga_dispi_on(vga))
		w.direct = false;
	return w;
}

static bool same_window(const struct vga_window *a, const struct vga_window *b)
{
	return a->direct == b->direct && a->gpa == b->gpa && a->nbytes == b->nbytes && a->offset == b->offset;
}

void vga_window_update(struct vga *vga)
{
	vga->wish = wanted_window(vga);
	vga->wish_hits = 0;
	if (!vga->window.direct || same_window(&vga->window, &vga->wish))
		return;
	vga->window = (struct vga_window){ .direct = false };
	vga->remaps++;
	if (vga->map.map_window)
		vga->map.map_window(vga->map.owner, false, 0, 0, 0);
}

/* An access came through the window. Is it time to give the guest what it wishes? */
static void count_hit(struct vga *vga)
{
	if (vga->wish_hits >= WISH_HITS || ++vga->wish_hits < WISH_HITS)
		return;
	if (!vga_dispi_packed(vga))
		relayout(vga, vga->wish.layout);
	if (!vga->wish.direct || vga->window.direct || !vga->map.map_window)
		return;
	vga->window = vga->wish;
	vga->remaps++;
	vga->map.map_window(vga->map.owner, true, vga->window.gpa, vga->window.nbytes,
			    vga->vram_offset + vga->window.offset);
}

/* Where an access to @gpa goes: the plane offset, and the address whose low bits choose planes. False: nowhere. */
static bool decode(const struct vga *vga, uint32_t gpa, uint32_t *address, uint32_t *off)
{
	uint8_t map = GR6_MAP(vga->gc[GR_MISC]);
	uint32_t a = gpa - memory_map[map].first;

	if (!(vga->misc & MISC_RAM_ENABLE) || a >= memory_map[map].nbytes)
		return false;
	*address = a;
	/* In a 128 KiB window, address bit 16 stands in for the bit that chains take away. */
	if (vga->seq[SR_MEMORY_MODE] & SR4_CHAIN4)
		*off = (a & 0xfffc) | a >> 16;
	else if (vga->gc[GR_MISC] & GR6_CHAIN_ODD_EVEN)
		*off = (a & 0xfffe) | a >> 16;
	else
		*off = a & 0xffff;
	if (vga_dispi_on(vga))		/* 16 colours with planes of more than 64 KiB */
		*off += (uint32_t)vga->dispi[VGA_DISPI_BANK] << 16;
	return true;
}

/* Bit n of @nibble spread over byte n: 5 -> 00ff00ff. */
static uint32_t spread(uint8_t nibble)
{
	uint32_t bits = (nibble & 1u) | (nibble & 2u) << 7 | (nibble & 4u) << 14 | (nibble & 8u) << 21;

	return bits * 0xff;
}

static uint8_t read_byte(struct vga *vga, uint32_t gpa)
{
	uint32_t address, off, quad, differ, plane;

	if (vga_dispi_packed(vga)) {
		if (gpa - VGA_WINDOW_GPA >= 0x10000)
			return 0xff;
		return vga->vram[vga->wish.offset + (gpa - VGA_WINDOW_GPA)];
	}
	if (!decode(vga, gpa, &address, &off))
		return 0xff;

	quad = vga_load_planes(vga, off);
	for (int i = 0; i < 4; i++)
		vga->latch[i] = (uint8_t)(quad >> 8 * i);

	if (vga->gc[GR_MODE] & GR5_READ_COMPARE) {
		/* A 1 where every plane that takes part has the colour's bit. */
		differ = (quad ^ spread(vga->gc[GR_COLOUR_COMPARE])) & spread(vga->gc[GR_COMPARE_PLANES]);
		differ |= differ >> 16;
		differ |= differ >> 8;
		return (uint8_t)~differ;
	}
	if (vga->seq[SR_MEMORY_MODE] & SR4_CHAIN4)
		plane = address & 3;
	else if (vga->gc[GR_MODE] & GR5_ODD_EVEN)
		plane = (vga->gc[GR_READ_PLANE] & 2) | (address & 1);
	else
		plane = vga->gc[GR_READ_PLANE];
	return vga->latch[plane];
}

/*
 * The write datapath, all planes at once, a byte a plane:
 *
 *      mode 0   rotated data, or set/reset's bit in planes that enable it; function with latch; bit mask
 *      mode 1   the latches
 *      mode 2   data's bit of the plane's number; function; bit mask
 *      mode 3   set/reset's bit; function; mask = rotated data AND bit mask
 */
static uint32_t datapath(const struct vga *vga, uint8_t value, uint32_t latch)
{
	const uint8_t *gc = vga->gc;
	uint8_t turned = (uint8_t)(value >> (gc[GR_ROTATE] & 7) | value << (8 - (gc[GR_ROTATE] & 7)));
	uint32_t mask = gc[GR_BIT_MASK] * 0x01010101u;
	uint32_t data, enabled;

	switch (gc[GR_MODE] & GR5_WRITE_MODE) {
	case 0:
		enabled = spread(gc[GR_ENABLE_SET_RESET]);
		data = (turned * 0x01010101u & ~enabled) | (spread(gc[GR_SET_RESET]) & enabled);
		break;
	case 1:
		return latch;
	case 2:
		data = spread(value);
		break;
	default:
		data = spread(gc[GR_SET_RESET]);
		mask &= turned * 0x01010101u;
		break;
	}

	switch (gc[GR_ROTATE] >> 3 & 3) {
	case 0:
		break;
	case 1:
		data &= latch;
		break;
	case 2:
		data |= latch;
		break;
	case 3:
		data ^= latch;
		break;
	}
	return (data & mask) | (latch & ~mask);
}

static void write_byte(struct vga *vga, uint32_t gpa, uint8_t value)
{
	uint32_t address, off, latch, data;
	uint8_t planes = vga->seq[SR_MAP_MASK];

	if (vga_dispi_packed(vga)) {
		if (gpa - VGA_WINDOW_GPA < 0x10000)
			vga->vram[vga->wish.offset + (gpa - VGA_WINDOW_GPA)] = value;
		return;
	}
	if (!decode(vga, gpa, &address, &off))
		return;

	if (vga->seq[SR_MEMORY_MODE] & SR4_CHAIN4)
		planes &= 1u << (address & 3);
	else if (!(vga->seq[SR_MEMORY_MODE] & SR4_SEQUENTIAL))
		planes &= address & 1 ? 0x0a : 0x05;

	latch = vga->latch[0] | vga->latch[1] << 8 | vga->latch[2] << 16 | (uint32_t)vga->latch[3] << 24;
	data = datapath(vga, value, latch);
	if (planes == 0x0f && vga->layout == VGA_LAYOUT_QUAD) {
		memcpy(vga->vram + vga_index(vga, off, 0), &data, 4);
		return;
	}
	for (uint32_t plane = 0; plane < 4; plane++)
		if (planes & 1u << plane)
			vga->vram[vga_index(vga, off, plane)] = (uint8_t)(data >> 8 * plane);
}

static uint32_t window_read(void *chip, uint32_t gpa, unsigned int size, uint64_t now_ns)
{
	struct vga *vga = chip;
	uint32_t value = 0;

	(void)now_ns;
	vga->window_reads++;
	count_hit(vga);
	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)read_byte(vga, gpa + i) << 8 * i;
	return value;
}

static void window_write(void *chip, uint32_t gpa, unsigned int size, uint32_t value, uint64_t now_ns)
{
	struct vga *vga = chip;

	(void)now_ns;
	vga->window_writes++;
	count_hit(vga);
	for (unsigned int i = 0; i < size; i++)
		write_byte(vga, gpa + i, (uint8_t)(value >> 8 * i));
}

const struct bus_mmio_ops vga_window_ops = { .read = window_read, .write = window_write };
