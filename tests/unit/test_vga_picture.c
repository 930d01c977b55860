/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_vga_picture.c - what the VGA shows: text snapshots, and dots of each kind of mode. */
#include "tests/unit/vga_guest.h"

/* ---- text ---- */

static void snapshot_shows_cells_palette_and_cursor_from_the_start_address(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	set(m, 0x3d4, 0x0c, 0x01);			/* start: character 180h */
	set(m, 0x3d4, 0x0d, 0x80);
	set(m, 0x3d4, 0x0e, 0x01);			/* cursor: character 1e5h = row 1, column 21 */
	set(m, 0x3d4, 0x0f, 0xe5);
	poke(m, 0xb8000 + 0x300, 'P');
	poke(m, 0xb8000 + 0x301, 0x1e);
	poke(m, 0xb8000 + 0x300 + 2 * 1999, 'x');
	vga_text_snapshot(&m->vga, &m->text);
	assert_true(m->text.valid);
	assert_int_equal(m->text.columns, 80);
	assert_int_equal(m->text.rows, 25);
	assert_int_equal(m->text.cell[0], 'P' | 0x1e << 8);
	assert_int_equal(m->text.cell[1999] & 0xff, 'x');
	assert_true(m->text.cursor_visible);
	assert_int_equal(m->text.cursor_x, 21);
	assert_int_equal(m->text.cursor_y, 1);
	assert_int_equal(m->text.palette[6], dac(0x14));
	set(m, 0x3d4, 0x0a, 0x2d);
	vga_text_snapshot(&m->vga, &m->text);
	assert_false(m->text.cursor_visible);
}

static void snapshot_knows_fifty_rows_of_eight_lines(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	set(m, 0x3d4, 0x09, 0x47);
	vga_text_snapshot(&m->vga, &m->text);
	assert_int_equal(m->text.rows, 50);
	assert_int_equal(m->text.columns, 80);
}

static void snapshot_follows_the_line_where_the_screen_is_split(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	poke(m, 0xb8000, '0');
	poke(m, 0xb8000 + 0x400, 'S');
	set(m, 0x3d4, 0x0c, 0x02);			/* start: character 200h */
	set(m, 0x3d4, 0x18, 0x3f);			/* line compare 63: from line 64, row 4, memory from 0 */
	set(m, 0x3d4, 0x11, 0x0e);
	set(m, 0x3d4, 0x07, 0x0f);
	set(m, 0x3d4, 0x09, 0x0f);
	vga_text_snapshot(&m->vga, &m->text);
	assert_int_equal(m->text.cell[0] & 0xff, 'S');
	assert_int_equal(m->text.cell[4 * 80] & 0xff, '0');
}

static void snapshot_is_not_valid_in_graphics(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	vga_text_snapshot(&m->vga, &m->text);
	assert_false(m->text.valid);
	set_mode(m, &mode_3);
	dispi(m, VGA_DISPI_XRES, 640);
	dispi(m, VGA_DISPI_YRES, 480);
	dispi(m, VGA_DISPI_BPP, 32);
	dispi(m, VGA_DISPI_ENABLE, 0x41);
	vga_text_snapshot(&m->vga, &m->text);
	assert_false(m->text.valid);
}

static void a_machine_nobody_programmed_has_a_dark_text_screen(void **state)
{
	struct machine *m = *state;

	vga_text_snapshot(&m->vga, &m->text);
	assert_true(m->text.valid);
	assert_int_equal(m->text.columns, 80);
	assert_int_equal(m->text.rows, 25);
	picture(m);
	assert_int_equal(m->width, 720);
	assert_int_equal(m->height, 400);
	assert_int_equal(dot(m, 719, 399), 0);
}

static void text_mode_can_be_had_without_a_bios(void **state)
{
	struct machine *m = *state;

	vga_set_text_mode(&m->vga);
	poke(m, 0xb8000, 'K');
	vga_text_snapshot(&m->vga, &m->text);
	assert_int_equal(m->text.cell[0], 'K' | 0x07 << 8);
	assert_int_equal(m->text.cell[1999], ' ' | 0x07 << 8);
	assert_int_equal(m->text.palette[6], 0xaa5500);		/* brown, by the palette's one exception */
	assert_int_equal(m->text.palette[15], 0xffffff);
}

/* The IBM VGA's font: 00h is blank, 01h a face; 41h in it is the letter. */
static void without_a_bios_the_font_comes_from_its_rom(void **state)
{
	static const uint8_t face[16] = { 0, 0, 0x7e, 0x81, 0xa5, 0x81, 0x81, 0xbd, 0x99, 0x81, 0x81, 0x7e };
	static uint8_t rom[8192];
	struct machine *m = *state;

	vga_set_text_mode(&m->vga);
	poke(m, 0xb8000, 'A');
	assert_false(vga_load_rom_font(&m->vga, rom, sizeof(rom)));
	memset(rom, 0xff, 0x345);			/* it may stand anywhere */
	memcpy(rom + 0x345 + 16, face, sizeof(face));
	rom[0x345 + 'A' * 16 + 2] = 0x10;
	assert_false(vga_load_rom_font(&m->vga, rom, 0x345 + 4095));
	assert_true(vga_load_rom_font(&m->vga, rom, 0x345 + 4096));
	picture(m);
	assert_int_equal(dot(m, 3, 2), 0xaaaaaa);
	assert_int_equal(dot(m, 2, 2), 0);
	assert_int_equal(dot(m, 3, 3), 0);
}

/* Character 41h: top line 81h, second line 3ch; C4h (a horizontal line): eighth line ff. */
static void put_font(struct machine *m)
{
	font_access(m, true);
	poke(m, 0xa0000 + 0x41 * 32, 0x81);
	poke(m, 0xa0000 + 0x41 * 32 + 1, 0x3c);
	poke(m, 0xa0000 + 0xc4 * 32 + 7, 0xff);
	poke(m, 0xa4000 + 0x41 * 32, 0x18);	/* the second font */
	font_access(m, false);
}

static void picture_draws_text_with_the_guests_font_nine_dots_wide(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	put_font(m);
	set(m, 0x3d4, 0x0a, 0x20);			/* no cursor */
	poke(m, 0xb8000, 0x41);
	poke(m, 0xb8001, 0x12);
	poke(m, 0xb8000 + 2 * 81, 0xc4);
	poke(m, 0xb8001 + 2 * 81, 0x12);
	picture(m);
	assert_int_equal(m->width, 720);
	assert_int_equal(m->height, 400);
	assert_int_equal(dot(m, 0, 0), dac(2));
	assert_int_equal(dot(m, 1, 0), dac(1));
	assert_int_equal(dot(m, 7, 0), dac(2));
	assert_int_equal(dot(m, 8, 0), dac(1));		/* the ninth dot of a letter is background */
	assert_int_equal(dot(m, 1, 1), dac(1));
	assert_int_equal(dot(m, 2, 1), dac(2));
	assert_int_equal(dot(m, 9 + 8, 16 + 7), dac(2));	/* of a line it is the line */
	assert_int_equal(dot(m, 9 + 8, 16 + 8), dac(1));
}

static void eight_dot_text_is_640_wide(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	set(m, 0x3c4, 1, 0x01);
	picture(m);
	assert_int_equal(m->width, 640);
}

static void attribute_bit_3_chooses_the_second_font(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	put_font(m);
	set(m, 0x3c4, 3, 0x04);				/* A (bit 3 set): 16 KiB on; B: 0 */
	set(m, 0x3d4, 0x0a, 0x20);
	poke(m, 0xb8000, 0x41);
	poke(m, 0xb8001, 0x07);
	poke(m, 0xb8002, 0x41);
	poke(m, 0xb8003, 0x0f);
	picture(m);
	assert_int_equal(dot(m, 0, 0), dac(7));
	assert_int_equal(dot(m, 3, 0), dac(0));
	assert_int_equal(dot(m, 9, 0), dac(0));
	assert_int_equal(dot(m, 12, 0), dac(0x3f));
}

static void cursor_is_drawn_between_its_lines_and_blinks_with_guest_time(void **state)
{
	struct machine *m = *state;
	unsigned int lit = 0;

	set_mode(m, &mode_3);
	poke(m, 0xb8001, 0x07);
	picture(m);
	assert_int_equal(dot(m, 0, 12), dac(0));
	assert_int_equal(dot(m, 0, 13), dac(7));
	assert_int_equal(dot(m, 8, 14), dac(7));
	assert_int_equal(dot(m, 0, 15), dac(0));
	assert_int_equal(dot(m, 9, 13), dac(0));
	for (uint64_t t = 0; t < 20; t++) {		/* two seconds, 4.4 times on and off */
		vga_picture(&m->vga, t * 100000000ull, &m->width, &m->height, m->rgb, PICTURE_BYTES);
		lit += dot(m, 0, 13) == dac(7);
	}
	assert_in_range(lit, 5, 15);
}

static void screen_off_and_palette_access_are_dark(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	poke(m, 0xa0000, 9);
	picture(m);
	assert_int_equal(dot(m, 0, 0), dac(9));
	set(m, 0x3c4, 1, 0x21);
	picture(m);
	assert_int_equal(dot(m, 0, 0), 0);
	set(m, 0x3c4, 1, 0x01);
	in(m, 0x3da);
	out(m, 0x3c0, 0x00);
	picture(m);
	assert_int_equal(dot(m, 0, 0), 0);
}

/* ---- graphics ---- */

static void mode_12h_is_640x480_of_four_planes(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	put_plane(m, 0, 80 * 479 + 79, 0x01);		/* the last dot: colour 1011b */
	put_plane(m, 1, 80 * 479 + 79, 0x01);
	put_plane(m, 3, 80 * 479 + 79, 0x01);
	put_plane(m, 2, 0, 0x80);			/* the first: 0100b */
	picture(m);
	assert_int_equal(m->width, 640);
	assert_int_equal(m->height, 480);
	assert_int_equal(dot(m, 0, 0), dac(0x04));
	assert_int_equal(dot(m, 1, 0), dac(0));
	assert_int_equal(dot(m, 639, 479), dac(0x3b));
	assert_int_equal(dot(m, 638, 479), dac(0));
}

static void mode_dh_shows_each_line_once(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_d);
	put_plane(m, 1, 40 * 199 + 39, 0x01);
	picture(m);
	assert_int_equal(m->width, 320);
	assert_int_equal(m->height, 200);
	assert_int_equal(dot(m, 319, 199), dac(2));
	assert_int_equal(dot(m, 319, 198), dac(0));
}

static void mode_13h_is_320x200_bytes(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	for (uint32_t i = 0; i < 64000; i++)
		poke(m, 0xa0000 + i, (uint8_t)(i / 320 + i % 320));
	picture(m);
	assert_int_equal(m->width, 320);
	assert_int_equal(m->height, 200);
	for (uint32_t y = 0; y < 200; y += 13)
		for (uint32_t x = 0; x < 320; x++)
			assert_int_equal(dot(m, x, y), dac((x + y) & 0xff));
}

static void mode_x_pages_flip_by_the_start_address(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	set(m, 0x3c4, 4, 0x06);				/* unchain */
	set(m, 0x3d4, 0x14, 0x00);
	set(m, 0x3d4, 0x17, 0xe3);
	for (uint8_t plane = 0; plane < 4; plane++) {
		put_plane(m, plane, 80 * 10 + 5, 0x20 + plane);
		put_plane(m, plane, 0x4000 + 80 * 10 + 5, 0x30 + plane);
	}
	picture(m);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(dot(m, 20 + i, 10), dac(0x20 + i));
	set(m, 0x3d4, 0x0c, 0x40);
	picture(m);
	assert_int_equal(m->width, 320);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(dot(m, 20 + i, 10), dac(0x30 + i));
}

static void pixel_panning_moves_256_colours_by_half_steps(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_13);
	poke(m, 0xa0003, 0x77);
	in(m, 0x3da);
	out(m, 0x3c0, 0x33);
	out(m, 0x3c0, 0x04);				/* two dots */
	picture(m);
	assert_int_equal(dot(m, 1, 0), dac(0x77));
	assert_int_equal(dot(m, 3, 0), dac(0));
}

static void cga_four_colours_interleave_lines_and_bit_pairs(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_4);
	poke(m, 0xb8000, 0x1b);				/* 0 1 2 3 */
	poke(m, 0xb8001, 0xe4);				/* 3 2 1 0 */
	poke(m, 0xba000, 0xc0);				/* line 1 */
	poke(m, 0xb8000 + 80, 0x40);			/* line 2 */
	poke(m, 0xba000 + 99 * 80 + 79, 0x02);		/* line 199, its last dot */
	for (int n = 0; n < HITS; n++)
		peek(m, 0xb8000);
	assert_true(m->direct);
	picture(m);
	assert_int_equal(m->width, 320);
	assert_int_equal(m->height, 200);
	assert_int_equal(dot(m, 0, 0), dac(0));
	assert_int_equal(dot(m, 1, 0), dac(0x13));
	assert_int_equal(dot(m, 3, 0), dac(0x17));
	assert_int_equal(dot(m, 4, 0), dac(0x17));
	assert_int_equal(dot(m, 7, 0), dac(0));
	assert_int_equal(dot(m, 0, 1), dac(0x17));
	assert_int_equal(dot(m, 0, 2), dac(0x13));
	assert_int_equal(dot(m, 319, 199), dac(0x15));
}

static void cga_two_colours_are_640x200(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_6);
	poke(m, 0xb8000, 0x80);
	poke(m, 0xba000 + 99 * 80 + 79, 0x01);
	picture(m);
	assert_int_equal(m->width, 640);
	assert_int_equal(m->height, 200);
	assert_int_equal(dot(m, 0, 0), dac(0x17));
	assert_int_equal(dot(m, 1, 0), dac(0));
	assert_int_equal(dot(m, 639, 199), dac(0x17));
}

/* ---- DISPI ---- */

static void dispi_depths_show_their_bytes(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_3);
	start_dispi(m, 640, 480, 8, 0x40);
	m->vram[640 * 479 + 639] = 0x99;
	picture(m);
	assert_int_equal(m->width, 640);
	assert_int_equal(m->height, 480);
	assert_int_equal(dot(m, 639, 479), dac(0x99));

	start_dispi(m, 800, 600, 15, 0x40);
	memcpy(m->vram + 2, (uint8_t[]){ 0x1f, 0x40 }, 2);	/* 10000 00000 11111 */
	picture(m);
	assert_int_equal(dot(m, 1, 0), 0x8400ff);

	start_dispi(m, 800, 600, 16, 0x40);
	memcpy(m->vram + 800 * 2, (uint8_t[]){ 0xe0, 0x87 }, 2);	/* 10000 111111 00000 */
	picture(m);
	assert_int_equal(dot(m, 0, 1), 0x84ff00);

	start_dispi(m, 640, 480, 24, 0x40);
	memcpy(m->vram + 3 * 640 * 2 + 3, (uint8_t[]){ 0x11, 0x22, 0x33 }, 3);
	picture(m);
	assert_int_equal(dot(m, 1, 2), 0x332211);

	start_dispi(m, 1024, 768, 32, 0x40);
	memcpy(m->vram + 4 * (1024 * 767 + 1023), (uint8_t[]){ 0x11, 0x22, 0x33, 0xff }, 4);
	picture(m);
	assert_int_equal(m->width, 1024);
	assert_int_equal(dot(m, 1023, 767), 0x332211);
}

static void dispi_virtual_screen_is_wider_and_can_be_moved_over(void **state)
{
	struct machine *m = *state;

	start_dispi(m, 640, 480, 32, 0x40);
	assert_int_equal(dispi_get(m, VGA_DISPI_VIRT_WIDTH), 640);
	dispi(m, VGA_DISPI_VIRT_WIDTH, 1024);
	assert_int_equal(dispi_get(m, VGA_DISPI_VIRT_HEIGHT), 4096);	/* 16 MiB of 4 KiB lines */
	dispi(m, VGA_DISPI_X_OFFSET, 100);
	dispi(m, VGA_DISPI_Y_OFFSET, 50);
	m->vram[4 * (1024 * 50 + 100) + 1] = 0xab;
	picture(m);
	assert_int_equal(dot(m, 0, 0), 0x00ab00);
	dispi(m, VGA_DISPI_VIRT_WIDTH, 100);				/* not narrower than what is shown */
	assert_int_equal(dispi_get(m, VGA_DISPI_VIRT_WIDTH), 640);
	dispi(m, VGA_DISPI_Y_OFFSET, 0xffff);				/* far behind the end: black, and no harm */
	picture(m);
	assert_int_equal(dot(m, 0, 0), 0);
}

static void dispi_16_colours_reach_beyond_64_kib_a_plane(void **state)
{
	struct machine *m = *state;

	set_mode(m, &mode_12);
	start_dispi(m, 1024, 768, 4, 0);
	dispi(m, VGA_DISPI_BANK, 1);
	put_plane(m, 0, 128 * 767 + 127 - 0x10000, 0x01);
	put_plane(m, 3, 128 * 767 + 127 - 0x10000, 0x01);
	picture(m);
	assert_int_equal(m->width, 1024);
	assert_int_equal(dot(m, 1023, 767), dac(0x39));
	assert_int_equal(dot(m, 1022, 767), dac(0));
}

static void dispi_dac_can_have_eight_bits(void **state)
{
	struct machine *m = *state;

	start_dispi(m, 640, 480, 8, 0x60);
	out(m, 0x3c6, 0xff);
	out(m, 0x3c8, 0);
	out(m, 0x3c9, 0xfe);
	out(m, 0x3c9, 0x81);
	out(m, 0x3c9, 0x03);
	picture(m);
	assert_int_equal(dot(m, 0, 0), 0xfe8103);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(snapshot_shows_cells_palette_and_cursor_from_the_start_address),
		CLAIM(snapshot_knows_fifty_rows_of_eight_lines),
		CLAIM(snapshot_follows_the_line_where_the_screen_is_split),
		CLAIM(snapshot_is_not_valid_in_graphics),
		CLAIM(a_machine_nobody_programmed_has_a_dark_text_screen),
		CLAIM(text_mode_can_be_had_without_a_bios),
		CLAIM(without_a_bios_the_font_comes_from_its_rom),
		CLAIM(picture_draws_text_with_the_guests_font_nine_dots_wide),
		CLAIM(eight_dot_text_is_640_wide),
		CLAIM(attribute_bit_3_chooses_the_second_font),
		CLAIM(cursor_is_drawn_between_its_lines_and_blinks_with_guest_time),
		CLAIM(screen_off_and_palette_access_are_dark),
		CLAIM(mode_12h_is_640x480_of_four_planes),
		CLAIM(mode_dh_shows_each_line_once),
		CLAIM(mode_13h_is_320x200_bytes),
		CLAIM(mode_x_pages_flip_by_the_start_address),
		CLAIM(pixel_panning_moves_256_colours_by_half_steps),
		CLAIM(cga_four_colours_interleave_lines_and_bit_pairs),
		CLAIM(cga_two_colours_are_640x200),
		CLAIM(dispi_depths_show_their_bytes),
		CLAIM(dispi_virtual_screen_is_wider_and_can_be_moved_over),
		CLAIM(dispi_16_colours_reach_beyond_64_kib_a_plane),
		CLAIM(dispi_dac_can_have_eight_bits),
	};

	return cmocka_run_group_tests_name("vga picture", tests, NULL, NULL);
}
