/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_vga.c - the VGA against its documentation: registers, planes, direct windows, DISPI.
 *
 * Expected bytes were worked out by hand from FreeVGA's "Graphics Registers" and "Accessing the VGA Display Memory".
 */
#include "tests/unit/vga_guest.h"

/* ---- registers ---- */

static void attribute_port_takes_index_and_data_in_turn_and_status_1_begins_anew(void **state)
{
	struct machine *m = *state;

	out(m, 0x3c2, 0x01);
	in(m, 0x3da);
	out(m, 0x3c0, 0x12);
	out(m, 0x3c0, 0x0f);
	out(m, 0x3c0, 0x13);		/* an index; the next would be data... */
	in(m, 0x3da);			/* ...but not after this */
	out(m, 0x3c0, 0x12);
	assert_int_equal(in(m, 0x3c0), 0x12);
	assert_int_equal(in(m, 0x3c1), 0x0f);
}

static void palette_registers_stand_still_while_the_screen_is_on(void **state)
{
	struct machine *m = *state;

	out(m, 0x3c2, 0x01);
	in(m, 0x3da);
	out(m, 0x3c0, 0x01);
	out(m, 0x3c0, 0x2a);
	out(m, 0x3c0, 0x21);		/* palette address source: the screen has it */
	out(m, 0x3c0, 0x15);
	assert_int_equal(in(m, 0x3c1), 0x2a);
}

static void dac_entries_change_whole_and_the_index_advances(void **state)
{
	struct machine *m = *state;

	out(m, 0x3c8, 5);
	out(m, 0x3c9, 10);
	out(m, 0x3c9, 20);
	assert_int_equal(in(m, 0x3c7), 0);		/* ready for writes */
	out(m, 0x3c7, 5);
	assert_int_equal(in(m, 0x3c7), 3);
	assert_int_equal(in(m, 0x3c9), 0);		/* two of three: not yet */
	out(m, 0x3c8, 5);
	for (uint8_t i = 1; i <= 6; i++)
		out(m, 0x3c9, 0xc0 | i);		/* only six bits count */
	assert_int_equal(in(m, 0x3c8), 7);
	out(m, 0x3c7, 5);
	for (uint8_t i = 1; i <= 6; i++)
		assert_int_equal(in(m, 0x3c9), i);
}

static void crtc_registers_0_to_7_are_protected_but_for_line_compare(void **state)
{
	struct machine *m = *state;

	out(m, 0x3c2, 0x01);
	set(m, 0x3d4, 0x00, 0x5f);
	set(m, 0x3d4, 0x07, 0x1f);
	set(m, 0x3d4, 0x11, 0x8e);
	set(m, 0x3d4, 0x00, 0x11);
	set(m, 0x3d4, 0x07, 0xe0);
	set(m, 0x3d4, 0x13, 0x28);
	assert_int_equal(get(m, 0x3d4, 0x00), 0x5f);
	assert_int_equal(get(m, 0x3d4, 0x07), 0x0f);
	assert_int_equal(get(m, 0x3d4, 0x13), 0x28);
}

static void crtc_answers_at_one_of_its_two_places(void **state)
{
	struct machine *m = *state;

	out(m, 0x3c2, 0x00);
	set(m, 0x3b4, 0x0c, 0x12);
	assert_int_equal(in(m, 0x3d5), 0xff);
	set(m, 0x3d4, 0x0c, 0x34);
	assert_int_equal(get(m, 0x3b4, 0x0c), 0x12);
	out(m, 0x3c2, 0x01);
	assert_int_equal(get(m, 0x3d4, 0x0c), 0x12);
	assert_int_equal(in(m, 0x3b5), 0xff);
}

static void misc_output_is_read_elsewhere_than_written(void **state)
{
	struct machine *m = *state;

	out(m, 0x3c2, 0x67);
	assert_int_equal(in(m, 0x3cc), 0x67);
}

/* IBM mode 3: 449 lines of 900 dots at 28.322 MHz are 70.09 frames a second; retrace is 2 lines of them. */
static void retrace_comes_seventy_times_a_second_of_guest_time(void **state)
{
	struct machine *m = *state;
	unsigned int retraces = 0, shown = 0, samples = 0;
	bool before = true;

	set_mode(m, &mode_3);
	for (uint64_t t = 0; t < DEV_NS_PER_S; t += 10000, samples++) {
		uint8_t status = (uint8_t)vga_port_ops.in(&m->vga, 0x3da, 1, t);
		bool retrace = status & 0x08;

		if (retrace)
			assert_true(status & 0x01);	/* in retrace nothing is displayed */
		retraces += retrace && !before;
		before = retrace;
		shown += !(status & 0x01);
	}
	assert_in_range(retraces, 69, 71);
	/* 400 of 449 lines, 80 of 100 characters: 71.3 % of the time there is a picture. */
	assert_in_range(shown * 1000 / samples, 700, 725);
}

/* ---- planes ---- */

static void map_mask_chooses_which_planes_a_write_reaches(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	poke(m, 0xa0010, 0x11);
	set(m, 0x3c4, 2, 0x05);
	poke(m, 0xa0010, 0xa5);
	assert_int_equal(plane_at(m, 0, 0x10), 0xa5);
	assert_int_equal(plane_at(m, 1, 0x10), 0x11);
	assert_int_equal(plane_at(m, 2, 0x10), 0xa5);
	assert_int_equal(plane_at(m, 3, 0x10), 0x11);
}

/* Data 81h turned right by 1 is c0h. Planes 0 and 2 take set/reset (1 and 0) instead. XOR with the latches 0f,
 * f0, 33, cc; then only bits 7..4 and 0 change. */
static void write_mode_0_rotates_sets_combines_and_masks(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	put_plane(m, 0, 0x20, 0x0f);
	put_plane(m, 1, 0x20, 0xf0);
	put_plane(m, 2, 0x20, 0x33);
	put_plane(m, 3, 0x20, 0xcc);
	peek(m, 0xa0020);		/* latches */
	set(m, 0x3ce, 0, 0x01);
	set(m, 0x3ce, 1, 0x05);
	set(m, 0x3ce, 3, 0x19);
	set(m, 0x3ce, 8, 0xf1);
	poke(m, 0xa0021, 0x81);
	assert_int_equal(plane_at(m, 0, 0x21), 0xfe);	/* ff ^ 0f = f0; masked bits of 0f: 0e */
	assert_int_equal(plane_at(m, 1, 0x21), 0x30);	/* c0 ^ f0 = 30; of f0: 00 */
	assert_int_equal(plane_at(m, 2, 0x21), 0x33);	/* 00 ^ 33 = 33 */
	assert_int_equal(plane_at(m, 3, 0x21), 0x0c);	/* c0 ^ cc = 0c: 00 of it; of cc: 0c */
}

static void functions_and_or_combine_with_the_latches(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	poke(m, 0xa0000, 0x3c);
	peek(m, 0xa0000);
	set(m, 0x3ce, 3, 0x08);
	poke(m, 0xa0001, 0x0f);
	set(m, 0x3ce, 3, 0x10);
	poke(m, 0xa0002, 0x0f);
	assert_int_equal(plane_at(m, 0, 1), 0x0c);
	assert_int_equal(plane_at(m, 3, 2), 0x3f);
}

static void write_mode_1_copies_the_latches(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	for (uint8_t plane = 0; plane < 4; plane++)
		put_plane(m, plane, 0x100, 0x10 + plane);
	set(m, 0x3ce, 5, 0x01);
	peek(m, 0xa0100);
	poke(m, 0xa0200, 0xff);
	for (uint8_t plane = 0; plane < 4; plane++)
		assert_int_equal(plane_at(m, plane, 0x200), 0x10 + plane);
}

static void write_mode_2_gives_each_plane_its_bit_of_the_data(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	poke(m, 0xa0000, 0x55);
	peek(m, 0xa0000);
	set(m, 0x3ce, 5, 0x02);
	set(m, 0x3ce, 8, 0x0f);
	poke(m, 0xa0000, 0x0a);
	assert_int_equal(plane_at(m, 0, 0), 0x50);
	assert_int_equal(plane_at(m, 1, 0), 0x5f);
	assert_int_equal(plane_at(m, 2, 0), 0x50);
	assert_int_equal(plane_at(m, 3, 0), 0x5f);
}

static void write_mode_3_uses_the_data_as_a_mask_for_set_reset(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	poke(m, 0xa0000, 0x55);
	peek(m, 0xa0000);
	set(m, 0x3ce, 0, 0x06);
	set(m, 0x3ce, 3, 0x04);		/* rotate by 4: f1 -> 1f */
	set(m, 0x3ce, 5, 0x03);
	set(m, 0x3ce, 8, 0x3c);		/* mask 3c & 1f = 1c */
	poke(m, 0xa0000, 0xf1);
	assert_int_equal(plane_at(m, 0, 0), 0x41);
	assert_int_equal(plane_at(m, 1, 0), 0x5d);
	assert_int_equal(plane_at(m, 2, 0), 0x5d);
	assert_int_equal(plane_at(m, 3, 0), 0x41);
}

static void read_mode_1_finds_dots_of_a_colour(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	put_plane(m, 0, 0, 0xf0);
	put_plane(m, 1, 0, 0xcc);
	put_plane(m, 2, 0, 0xaa);
	put_plane(m, 3, 0, 0x00);
	set(m, 0x3ce, 5, 0x08);
	set(m, 0x3ce, 2, 0x05);			/* planes 0 and 2 set, 1 and 3 clear */
	set(m, 0x3ce, 7, 0x0f);
	assert_int_equal(peek(m, 0xa0000), 0x20);	/* f0 & ~cc & aa */
	set(m, 0x3ce, 7, 0x01);
	assert_int_equal(peek(m, 0xa0000), 0xf0);	/* only plane 0 asked */
	set(m, 0x3ce, 7, 0x00);
	assert_int_equal(peek(m, 0xa0000), 0xff);
}

static void chain_4_puts_address_a_in_plane_a_and_3_at_offset_a_without_3(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	for (uint32_t a = 0; a < 64; a++)
		poke(m, 0xa0000 + a, (uint8_t)(0x40 + a));
	go_planar(m);
	for (uint32_t a = 0; a < 64; a++)
		assert_int_equal(plane_at(m, a & 3, a & ~3u), 0x40 + a);
	assert_int_equal(plane_at(m, 0, 1), 0);
}

static void odd_even_puts_characters_in_plane_0_and_attributes_in_plane_1(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	for (uint32_t a = 0; a < 64; a++)
		poke(m, 0xb8000 + a, (uint8_t)(0x40 + a));
	go_planar(m);
	for (uint32_t a = 0; a < 64; a++)
		assert_int_equal(plane_at(m, a & 1, a & ~1u), 0x40 + a);
	assert_int_equal(plane_at(m, 2, 0), 0);
	assert_int_equal(plane_at(m, 0, 1), 0);
}

static void odd_even_writes_reach_every_second_plane_that_the_mask_allows(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	set(m, 0x3c4, 2, 0x0f);
	poke(m, 0xb8000, 0x11);
	poke(m, 0xb8001, 0x22);
	set(m, 0x3ce, 4, 0x02);			/* reads alternate between planes 2 and 3 */
	assert_int_equal(peek(m, 0xb8000), 0x11);
	assert_int_equal(peek(m, 0xb8001), 0x22);
	go_planar(m);
	for (uint8_t plane = 0; plane < 4; plane++)
		assert_int_equal(plane_at(m, plane, 0), plane & 1 ? 0x22 : 0x11);
}

static void planes_keep_every_byte_across_text_and_256_colour_modes(void **state)
{
	struct machine *m = *state;
	static const struct mode *const modes[] = { &mode_3, &mode_13, &mode_4, &mode_12, &mode_3, &mode_d };
	uint32_t seed = 1;

	set_mode(m, &mode_12);
	for (uint8_t plane = 0; plane < 4; plane++) {
		set(m, 0x3c4, 2, (uint8_t)(1 << plane));
		for (uint32_t off = 0; off < 0x10000; off++) {
			seed = seed * 1664525 + 1013904223;
			poke(m, 0xa0000 + off, seed >> 24);
		}
	}
	for (size_t i = 0; i < PLX_ARRAY_SIZE(modes); i++) {
		set_mode(m, modes[i]);
		for (int n = 0; n < 2 * HITS; n++) {	/* enough to be given a direct window */
			peek(m, 0xb8000);
			peek(m, 0xa0000);
		}
	}
	assert_true(m->vga.relayouts >= 4);		/* or this would prove nothing */
	set_mode(m, &mode_12);
	seed = 1;
	for (uint8_t plane = 0; plane < 4; plane++) {
		set(m, 0x3ce, 4, plane);
		for (uint32_t off = 0; off < 0x10000; off++) {
			seed = seed * 1664525 + 1013904223;
			assert_int_equal(peek(m, 0xa0000 + off), seed >> 24);
		}
	}
}

static void nothing_answers_outside_the_chosen_window_or_with_ram_disabled(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	poke(m, 0xb8000, 'A');
	poke(m, 0xa0000, 'B');
	poke(m, 0xb0000, 'B');
	assert_int_equal(peek(m, 0xa0000), 0xff);
	assert_int_equal(peek(m, 0xb7fff), 0xff);
	assert_int_equal(peek(m, 0xb8000), 'A');
	out(m, 0x3c2, 0x65);
	poke(m, 0xb8000, 'B');
	assert_int_equal(peek(m, 0xb8000), 0xff);
	out(m, 0x3c2, 0x67);
	assert_int_equal(peek(m, 0xb8000), 'A');
}

static void wide_accesses_are_their_bytes_low_first(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	vga_window_ops.write(&m->vga, 0xa0002, 4, 0x44332211, 0);
	assert_int_equal(vga_window_ops.read(&m->vga, 0xa0003, 2, 0), 0x3322);
	assert_int_equal(vga_window_ops.read(&m->vga, 0xa0005, 1, 0), 0x44);
}

/* ---- direct windows ---- */

static void text_memory_becomes_plain_ram_after_a_few_accesses(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	assert_int_equal(m->maps, 0);			/* setting the mode alone remaps nothing */
	for (uint32_t i = 0; i < HITS; i++)
		poke(m, 0xb8000 + i, (uint8_t)(0x30 + i));
	assert_true(m->direct);
	assert_int_equal(m->maps, 1);
	assert_int_equal(m->gpa, 0xb8000);
	assert_int_equal(m->nbytes, 0x8000);
	for (uint32_t i = 0; i < HITS; i++)		/* what came before is there too */
		assert_int_equal(m->vram[m->offset - VRAM_OFFSET + i], 0x30 + i);
	poke(m, 0xb8002, '!');				/* now without the chip's knowing */
	vga_text_snapshot(&m->vga, &m->text);
	assert_int_equal(m->text.cell[1], '!' | 0x33 << 8);
}

static void a_256_colour_screen_becomes_plain_ram(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	for (uint32_t i = 0; i < 0x10000; i += 4)
		poke(m, 0xa0000 + i, (uint8_t)(i >> 8));
	assert_true(m->direct);
	assert_int_equal(m->gpa, 0xa0000);
	assert_int_equal(m->nbytes, 0x10000);
	picture(m);
	assert_int_equal(dot(m, 4, 100), dac((320 * 100 + 4) >> 8));
}

static void loading_a_font_takes_the_window_back_at_once_and_harms_no_text(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	for (uint32_t i = 0; i < 4000; i++)
		poke(m, 0xb8000 + i, (uint8_t)(i * 7));
	assert_true(m->direct);
	font_access(m, true);
	assert_false(m->direct);
	for (uint32_t i = 0; i < 0x2000; i++)
		poke(m, 0xa0000 + i, (uint8_t)(i ^ i >> 8));
	assert_false(m->direct);
	assert_int_equal(peek(m, 0xa1234), 0x34 ^ 0x12);
	font_access(m, false);
	for (uint32_t i = 0; i < 4000; i++)
		assert_int_equal(peek(m, 0xb8000 + i), (uint8_t)(i * 7));
	assert_true(m->direct);
	font_access(m, true);
	assert_int_equal(peek(m, 0xa1fff), (uint8_t)(0xff ^ 0x1f));
}

static void any_register_that_alters_the_datapath_takes_the_window_back(void **state)
{
	static const struct { uint16_t port; uint8_t index, value; } changes[] = {
		{ 0x3c4, 2, 0x01 }, { 0x3c4, 4, 0x06 }, { 0x3ce, 1, 0x01 }, { 0x3ce, 3, 0x03 }, { 0x3ce, 3, 0x18 },
		{ 0x3ce, 4, 0x02 }, { 0x3ce, 5, 0x11 }, { 0x3ce, 5, 0x18 }, { 0x3ce, 5, 0x00 }, { 0x3ce, 6, 0x0a },
		{ 0x3ce, 6, 0x0c }, { 0x3ce, 8, 0xfe },
	};
	struct machine *m = *state;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(changes); i++) {
		set_mode(m, &mode_3);
		for (int n = 0; n < HITS; n++)
			peek(m, 0xb8000);
		assert_true(m->direct);
		set(m, changes[i].port, changes[i].index, changes[i].value);
		assert_false(m->direct);
	}
}

static void registers_that_do_not_matter_leave_the_window_alone(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	for (int n = 0; n < HITS; n++)
		peek(m, 0xb8000);
	set(m, 0x3d4, 0x0e, 0x01);		/* the cursor moves at every character */
	set(m, 0x3d4, 0x0c, 0x02);
	out(m, 0x3c4, 2);
	set(m, 0x3ce, 4, 0x01);
	out(m, 0x3c8, 0);
	assert_true(m->direct);
	assert_int_equal(m->maps, 1);
}

static void unchained_256_colours_are_never_direct(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	set(m, 0x3c4, 4, 0x06);
	for (uint32_t i = 0; i < 100; i++)
		poke(m, 0xa0000 + i, 1);
	assert_int_equal(m->maps, 0);
}

static void without_a_mapper_everything_works_through_the_window(void **state)
{
	struct machine *m = *state;

	vga_init(&m->vga, m->vram, VRAM_OFFSET, VGA_VRAM_BYTES, NULL);
	set_mode(m, &mode_3);
	for (uint32_t i = 0; i < 4000; i++)
		poke(m, 0xb8000 + i, (uint8_t)i);
	assert_int_equal(peek(m, 0xb8000 + 1234), (uint8_t)1234);
}

static void reset_takes_the_window_back_and_keeps_memory(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	for (uint32_t i = 0; i < 100; i++)
		poke(m, 0xb8000 + i, (uint8_t)i);
	vga_reset(&m->vga);
	assert_false(m->direct);
	assert_int_equal(in(m, 0x3cc), 0);
	set_mode(m, &mode_3);
	assert_int_equal(peek(m, 0xb8063), 99);
}

/* ---- DISPI ---- */

static void dispi_tells_what_it_is_and_can(void **state)
{
	struct machine *m = *state;

	dispi(m, VGA_DISPI_ID, 0xb0c0);
	assert_int_equal(dispi_get(m, VGA_DISPI_ID), 0xb0c0);
	dispi(m, VGA_DISPI_ID, 0xb0c5);
	assert_int_equal(dispi_get(m, VGA_DISPI_ID), 0xb0c5);
	dispi(m, VGA_DISPI_ID, 0xb0c6);
	assert_int_equal(dispi_get(m, VGA_DISPI_ID), 0xb0c5);
	assert_int_equal(dispi_get(m, VGA_DISPI_MEMORY_64K), 256);
	dispi(m, VGA_DISPI_XRES, 800);
	dispi(m, VGA_DISPI_ENABLE, 0x02);
	assert_true(dispi_get(m, VGA_DISPI_XRES) >= 1600);
	assert_int_equal(dispi_get(m, VGA_DISPI_BPP), 32);
	dispi(m, VGA_DISPI_ENABLE, 0x00);
	assert_int_equal(dispi_get(m, VGA_DISPI_XRES), 800);
}

static void dispi_clears_the_screen_unless_told_not_to(void **state)
{
	struct machine *m = *state;

	m->vram[0] = m->vram[800 * 600 * 4 - 1] = m->vram[800 * 600 * 4] = 0x55;
	start_dispi(m, 800, 600, 32, 0x80);
	assert_int_equal(m->vram[0], 0x55);
	start_dispi(m, 800, 600, 32, 0x40);
	assert_int_equal(m->vram[0], 0);
	assert_int_equal(m->vram[800 * 600 * 4 - 1], 0);
	assert_int_equal(m->vram[800 * 600 * 4], 0x55);
}

static void dispi_banks_are_direct_windows(void **state)
{
	struct machine *m = *state;

	start_dispi(m, 1024, 768, 8, 0);
	poke(m, 0xa0001, 0x41);
	assert_false(m->direct);
	assert_int_equal(m->vram[1], 0x41);
	dispi(m, VGA_DISPI_BANK, 3);
	for (uint32_t i = 0; i < HITS; i++)
		poke(m, 0xa0000 + i, 0x50);
	assert_true(m->direct);
	assert_int_equal(m->offset, VRAM_OFFSET + 0x30000);
	assert_int_equal(m->vram[0x30000], 0x50);
	dispi(m, VGA_DISPI_BANK, 4);
	assert_false(m->direct);
	dispi(m, VGA_DISPI_BANK, 0xffff);		/* wraps at the end of memory */
	poke(m, 0xaffff, 0x51);
	assert_int_equal(m->vram[VGA_VRAM_BYTES - 1], 0x51);
	assert_int_equal(peek(m, 0xb8000), 0xff);
	dispi(m, VGA_DISPI_ENABLE, 0);
	assert_int_equal(dispi_get(m, VGA_DISPI_BANK), 0);
}

static void dispi_mode_stands_still_while_it_is_on(void **state)
{
	struct machine *m = *state;

	start_dispi(m, 640, 480, 8, 0);
	dispi(m, VGA_DISPI_XRES, 800);
	dispi(m, VGA_DISPI_BPP, 32);
	assert_int_equal(dispi_get(m, VGA_DISPI_XRES), 640);
	assert_int_equal(dispi_get(m, VGA_DISPI_BPP), 8);
}

static void dispi_without_a_size_does_not_come_on(void **state)
{
	struct machine *m = *state;

	dispi(m, VGA_DISPI_ENABLE, 0x41);
	picture(m);
	assert_int_equal(m->width, 720);
	assert_int_equal(dispi_get(m, VGA_DISPI_ENABLE) & 1, 0);
}

/* ---- PCI ---- */

static void note_move(void *owner, const struct pci_region *region, uint32_t old_base, uint32_t new_base)
{
	struct machine *m = owner;

	(void)old_base;
	m->gpa = new_base;
	m->nbytes = region->nbytes;
}

static void frame_buffer_is_bar_0_of_a_display_controller(void **state)
{
	struct machine *m = *state;
	struct pci_machine machine = { .move = note_move, .owner = m };
	struct pci pci;

	pci_init(&pci, &machine);
	assert_true(vga_attach_pci(&m->vga, &pci, PCI_DEVFN(2, 0)));
	assert_int_equal(pci_config_read(&pci, PCI_DEVFN(2, 0), PCI_CFG_VENDOR, 4), 0x11111234);
	assert_int_equal(pci_config_read(&pci, PCI_DEVFN(2, 0), PCI_CFG_SUBCLASS, 2), 0x0300);
	pci_config_write(&pci, PCI_DEVFN(2, 0), PCI_CFG_BAR0, 4, 0xffffffff, 0);
	assert_int_equal(pci_config_read(&pci, PCI_DEVFN(2, 0), PCI_CFG_BAR0, 4) & ~0xfu, 0xff000000);
	pci_config_write(&pci, PCI_DEVFN(2, 0), PCI_CFG_BAR0, 4, 0xe1000000, 0);
	pci_config_write(&pci, PCI_DEVFN(2, 0), PCI_CFG_COMMAND, 2, PCI_COMMAND_MEMORY, 0);
	assert_int_equal(m->gpa, 0xe1000000);
	assert_int_equal(m->nbytes, VGA_VRAM_BYTES);
	vga_reset(&m->vga);
	assert_int_equal(m->gpa, PCI_UNMAPPED);
	assert_int_equal(pci_config_read(&pci, PCI_DEVFN(2, 0), PCI_CFG_VENDOR, 2), 0x1234);
}

/* ---- whatever a guest may do ---- */

/* Random registers, accesses, pictures. Video memory lies between fences: nothing may be written beside it. */
static void no_register_contents_reach_outside_video_memory(void **state)
{
	struct machine *m = *state;
	const uint32_t vram_bytes = 1u << 20, fence = 1u << 16;
	uint8_t *area = calloc(1, vram_bytes + 2 * fence);
	uint32_t seed = 7;

	assert_non_null(area);
	memset(area, 0xf1, fence);
	memset(area + fence + vram_bytes, 0xf2, fence);
	vga_init(&m->vga, area + fence, 0, vram_bytes, NULL);
	for (int i = 0; i < 60000; i++) {
		uint32_t value, what;

		seed = seed * 1664525 + 1013904223;
		value = seed >> 8;
		what = seed >> 4 & 15;
		if (what < 8)
			vga_port_ops.out(&m->vga, (uint16_t)(0x3b4 + value % 40), 1, value >> 8 & 0xff, i);
		else if (what < 10)
			vga_dispi_ops.out(&m->vga, (uint16_t)(0x1ce + (what & 1)), 2,
					  what & 1 ? value & 0xffff : value % 12, i);
		else if (what < 13)
			vga_window_ops.write(&m->vga, 0xa0000 + value % 0x1fffd, 1u << (what - 10), value, i);
		else
			vga_window_ops.read(&m->vga, 0xa0000 + value % 0x1fffd, 4, i);
		if (i % 3000 == 0) {
			vga_picture(&m->vga, (uint64_t)i << 20, &m->width, &m->height, m->rgb, PICTURE_BYTES);
			vga_text_snapshot(&m->vga, &m->text);
			assert_true(m->text.columns * m->text.rows <= PC_TEXT_MAX);
		}
	}
	for (uint32_t i = 0; i < fence; i++) {
		assert_int_equal(area[i], 0xf1);
		assert_int_equal(area[fence + vram_bytes + i], 0xf2);
	}
	free(area);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(attribute_port_takes_index_and_data_in_turn_and_status_1_begins_anew),
		CLAIM(palette_registers_stand_still_while_the_screen_is_on),
		CLAIM(dac_entries_change_whole_and_the_index_advances),
		CLAIM(crtc_registers_0_to_7_are_protected_but_for_line_compare),
		CLAIM(crtc_answers_at_one_of_its_two_places),
		CLAIM(misc_output_is_read_elsewhere_than_written),
		CLAIM(retrace_comes_seventy_times_a_second_of_guest_time),
		CLAIM(map_mask_chooses_which_planes_a_write_reaches),
		CLAIM(write_mode_0_rotates_sets_combines_and_masks),
		CLAIM(functions_and_or_combine_with_the_latches),
		CLAIM(write_mode_1_copies_the_latches),
		CLAIM(write_mode_2_gives_each_plane_its_bit_of_the_data),
		CLAIM(write_mode_3_uses_the_data_as_a_mask_for_set_reset),
		CLAIM(read_mode_1_finds_dots_of_a_colour),
		CLAIM(chain_4_puts_address_a_in_plane_a_and_3_at_offset_a_without_3),
		CLAIM(odd_even_puts_characters_in_plane_0_and_attributes_in_plane_1),
		CLAIM(odd_even_writes_reach_every_second_plane_that_the_mask_allows),
		CLAIM(planes_keep_every_byte_across_text_and_256_colour_modes),
		CLAIM(nothing_answers_outside_the_chosen_window_or_with_ram_disabled),
		CLAIM(wide_accesses_are_their_bytes_low_first),
		CLAIM(text_memory_becomes_plain_ram_after_a_few_accesses),
		CLAIM(a_256_colour_screen_becomes_plain_ram),
		CLAIM(loading_a_font_takes_the_window_back_at_once_and_harms_no_text),
		CLAIM(any_register_that_alters_the_datapath_takes_the_window_back),
		CLAIM(registers_that_do_not_matter_leave_the_window_alone),
		CLAIM(unchained_256_colours_are_never_direct),
		CLAIM(without_a_mapper_everything_works_through_the_window),
		CLAIM(reset_takes_the_window_back_and_keeps_memory),
		CLAIM(dispi_tells_what_it_is_and_can),
		CLAIM(dispi_clears_the_screen_unless_told_not_to),
		CLAIM(dispi_banks_are_direct_windows),
		CLAIM(dispi_mode_stands_still_while_it_is_on),
		CLAIM(dispi_without_a_size_does_not_come_on),
		CLAIM(frame_buffer_is_bar_0_of_a_display_controller),
		CLAIM(no_register_contents_reach_outside_video_memory),
	};

	return cmocka_run_group_tests_name("vga", tests, NULL, NULL);
}
