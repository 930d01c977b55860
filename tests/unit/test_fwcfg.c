/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_fwcfg.c - claims about fw_cfg, as firmware meets it: by port and by DMA.
 *
 * Source: "QEMU Firmware Configuration (fw_cfg) Device".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "devices/fwcfg.h"

#define RAM_BYTES 0x10000u
#define DESCRIPTOR 0x100u

struct board {
	struct fwcfg fwcfg;
	uint8_t ram[RAM_BYTES];
	uint64_t dma_written;
};

static void ram_read(void *owner, uint32_t gpa, void *buf, uint32_t nbytes)
{
	struct board *b = owner;

	for (uint32_t i = 0; i < nbytes; i++)
		((uint8_t *)buf)[i] = gpa + i < RAM_BYTES ? b->ram[gpa + i] : 0xff;
}

static void ram_write(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	struct board *b = owner;

	b->dma_written += nbytes;
	for (uint32_t i = 0; i < nbytes; i++)
		if (gpa + i < RAM_BYTES)
			b->ram[gpa + i] = ((const uint8_t *)buf)[i];
}

static int board_setup(void **state)
{
	static struct board board;
	struct dma_ops dma = { ram_read, ram_write, &board };

	memset(&board, 0, sizeof(board));
	memset(board.ram, 0xee, sizeof(board.ram));
	fwcfg_init(&board.fwcfg, &dma);
	fwcfg_reset(&board.fwcfg);
	*state = &board;
	return 0;
}

static void select_key(struct board *b, uint16_t key)
{
	fwcfg_ports.out(&b->fwcfg, 0x510, 2, key, 0);
}

static uint8_t next_byte(struct board *b)
{
	return fwcfg_ports.in(&b->fwcfg, 0x511, 1, 0) & 0xff;
}

static uint32_t next_be32(struct board *b)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | next_byte(b);
	return value;
}

static void put_be32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = value >> (24 - 8 * i) & 0xff;
}

static uint32_t swap32(uint32_t v)
{
	return __builtin_bswap32(v);
}

/* Runs one descriptor as SeaBIOS does: only the low half of its address is written. Return: the control word after. */
static uint32_t dma(struct board *b, uint32_t control, uint32_t nbytes, uint64_t address)
{
	uint8_t *d = &b->ram[DESCRIPTOR];

	put_be32(d, control);
	put_be32(d + 4, nbytes);
	put_be32(d + 8, address >> 32);
	put_be32(d + 12, address & 0xffffffff);
	fwcfg_dma_ports.out(&b->fwcfg, 0x518, 4, swap32(DESCRIPTOR), 0);
	return (uint32_t)d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3];
}

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

/* ---- by port ---- */

static void signature_is_there_from_reset(void **state)
{
	struct board *b = *state;
	char text[5] = "";

	for (int i = 0; i < 4; i++)
		text[i] = (char)next_byte(b);
	assert_string_equal(text, "QEMU");
}

static void id_says_port_and_dma(void **state)
{
	struct board *b = *state;

	select_key(b, FWCFG_KEY_ID);
	assert_int_equal(next_byte(b), 3);
	assert_int_equal(next_byte(b), 0);
}

static void selecting_again_starts_over(void **state)
{
	struct board *b = *state;

	next_byte(b);
	next_byte(b);
	select_key(b, FWCFG_KEY_SIGNATURE);
	assert_int_equal(next_byte(b), 'Q');
}

static void reading_past_the_end_gives_zeros(void **state)
{
	struct board *b = *state;

	fwcfg_add_bytes(&b->fwcfg, FWCFG_KEY_BOOT_MENU, "\xff\xff", 2);
	select_key(b, FWCFG_KEY_BOOT_MENU);
	assert_int_equal(next_byte(b), 0xff);
	assert_int_equal(next_byte(b), 0xff);
	assert_int_equal(next_byte(b), 0);
	assert_int_equal(next_byte(b), 0);
}

static void missing_items_and_unknown_keys_read_as_zeros(void **state)
{
	struct board *b = *state;
	static const uint16_t keys[] = { FWCFG_KEY_NUMA, 0x3fff, 0xbfff, 0x8003, 0xffff };

	for (size_t i = 0; i < PLX_ARRAY_SIZE(keys); i++) {
		select_key(b, keys[i]);
		assert_int_equal(next_byte(b), 0);
	}
}

static void write_channel_bit_does_not_change_the_item(void **state)
{
	struct board *b = *state;

	select_key(b, 0x4000 | FWCFG_KEY_SIGNATURE);
	assert_int_equal(next_byte(b), 'Q');
}

static void integers_are_little_endian(void **state)
{
	struct board *b = *state;

	assert_true(fwcfg_add_integer(&b->fwcfg, FWCFG_KEY_RAM_SIZE, 0x0123456789abcdefull, 8));
	select_key(b, FWCFG_KEY_RAM_SIZE);
	assert_int_equal(next_byte(b), 0xef);
	assert_int_equal(next_byte(b), 0xcd);
	assert_false(fwcfg_add_integer(&b->fwcfg, 0x1fff, 1, 1));
	assert_false(fwcfg_add_integer(&b->fwcfg, FWCFG_KEY_RAM_SIZE, 1, 9));
}

static void architecture_keys_are_apart_from_the_others(void **state)
{
	struct board *b = *state;

	fwcfg_add_integer(&b->fwcfg, 0x8002, 1, 1);
	select_key(b, 0x8002);
	assert_int_equal(next_byte(b), 1);
	select_key(b, 0x0002);
	assert_int_equal(next_byte(b), 0);
}

static void rep_insb_moves_the_run_at_once(void **state)
{
	struct board *b = *state;
	static uint8_t file[5000];
	uint8_t got[6000];
	int key;

	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)(i * 7 + 1);
	key = fwcfg_add_file(&b->fwcfg, "opt/big", file, sizeof(file), false);
	select_key(b, (uint16_t)key);
	next_byte(b);
	assert_int_equal(fwcfg_ports.ins(&b->fwcfg, 0x511, 1, got, sizeof(got), 0), sizeof(got));
	assert_memory_equal(got, file + 1, sizeof(file) - 1);
	assert_int_equal(got[sizeof(file) - 1], 0);
	assert_int_equal(got[sizeof(got) - 1], 0);
}

static void data_port_ignores_writes(void **state)
{
	struct board *b = *state;
	char text[] = "ab";
	int key = fwcfg_add_file(&b->fwcfg, "opt/w", text, 2, true);

	select_key(b, (uint16_t)key);
	fwcfg_ports.out(&b->fwcfg, 0x511, 1, 'x', 0);
	assert_string_equal(text, "ab");
	assert_int_equal(next_byte(b), 'a');
}

/* ---- the directory ---- */

static void directory_lists_files_in_big_endian(void **state)
{
	struct board *b = *state;
	char name[57] = "";
	int first = fwcfg_add_file(&b->fwcfg, "etc/acpi/tables", "0123456789", 0x0a, false);
	int second = fwcfg_add_file(&b->fwcfg, "bootorder", "x", 1, false);

	assert_int_equal(first, 0x20);
	assert_int_equal(second, 0x21);
	select_key(b, FWCFG_KEY_FILE_DIR);
	assert_int_equal(next_be32(b), 2);
	assert_int_equal(next_be32(b), 10);
	assert_int_equal(next_be32(b), 0x00200000);	/* key, reserved */
	for (int i = 0; i < 56; i++)
		name[i] = (char)next_byte(b);
	assert_string_equal(name, "etc/acpi/tables");
	assert_int_equal(next_be32(b), 1);
	assert_int_equal(next_be32(b), 0x00210000);
}

static void empty_directory_has_a_count_of_zero(void **state)
{
	struct board *b = *state;

	select_key(b, FWCFG_KEY_FILE_DIR);
	assert_int_equal(next_be32(b), 0);
}

static void files_are_not_copied(void **state)
{
	struct board *b = *state;
	char text[] = "before";
	int key = fwcfg_add_file(&b->fwcfg, "opt/live", text, 6, false);

	memcpy(text, "after!", 6);
	select_key(b, (uint16_t)key);
	assert_int_equal(next_byte(b), 'a');
}

static void same_name_replaces_the_contents_under_its_key(void **state)
{
	struct board *b = *state;
	int key = fwcfg_add_file(&b->fwcfg, "opt/a", "old", 3, false);

	assert_int_equal(fwcfg_add_file(&b->fwcfg, "opt/ab", "x", 1, false), key + 1);
	assert_int_equal(fwcfg_add_file(&b->fwcfg, "opt/a", "newer", 5, false), key);
	select_key(b, (uint16_t)key);
	assert_int_equal(next_byte(b), 'n');
	select_key(b, FWCFG_KEY_FILE_DIR);
	assert_int_equal(next_be32(b), 2);
	assert_int_equal(next_be32(b), 5);
}

static void bad_names_and_a_full_directory_are_refused(void **state)
{
	struct board *b = *state;
	char name[80];

	memset(name, 'n', sizeof(name));
	name[56] = 0;
	assert_int_equal(fwcfg_add_file(&b->fwcfg, name, "x", 1, false), -1);
	name[55] = 0;
	assert_true(fwcfg_add_file(&b->fwcfg, name, "x", 1, false) > 0);
	assert_int_equal(fwcfg_add_file(&b->fwcfg, "", "x", 1, false), -1);
	for (int i = 1; i < FWCFG_MAX_FILES; i++) {
		snprintf(name, sizeof(name), "opt/%d", i);
		assert_int_equal(fwcfg_add_file(&b->fwcfg, name, "x", 1, false), 0x20 + i);
	}
	assert_int_equal(fwcfg_add_file(&b->fwcfg, "opt/one-too-many", "x", 1, false), -1);
}

/* ---- DMA ---- */

static void dma_ports_read_as_the_signature(void **state)
{
	struct board *b = *state;

	assert_int_equal(fwcfg_dma_ports.in(&b->fwcfg, 0x514, 4, 0), 0x554d4551);	/* "QEMU" in memory order */
	assert_int_equal(fwcfg_dma_ports.in(&b->fwcfg, 0x518, 4, 0), 0x47464320);	/* " CFG" */
	assert_int_equal(fwcfg_dma_ports.in(&b->fwcfg, 0x514, 1, 0), 'Q');
}

static void dma_read_fills_memory_and_clears_control(void **state)
{
	struct board *b = *state;

	assert_int_equal(dma(b, FWCFG_KEY_SIGNATURE << 16 | SELECT | READ, 4, 0x1000), 0);
	assert_memory_equal(&b->ram[0x1000], "QEMU\xee", 5);
}

static void dma_goes_on_where_the_last_one_ended(void **state)
{
	struct board *b = *state;
	int key = fwcfg_add_file(&b->fwcfg, "opt/x", "abcdefgh", 8, false);

	assert_int_equal(dma(b, (uint32_t)key << 16 | SELECT | READ, 2, 0x1000), 0);
	assert_int_equal(dma(b, SKIP, 3, 0), 0);
	assert_int_equal(dma(b, READ, 2, 0x1002), 0);
	assert_memory_equal(&b->ram[0x1000], "abfg\xee", 5);
	assert_int_equal(next_byte(b), 'h');		/* one offset for both ways */
}

static void dma_read_past_the_end_gives_zeros(void **state)
{
	struct board *b = *state;

	assert_int_equal(dma(b, FWCFG_KEY_SIGNATURE << 16 | SELECT | READ, 8192, 0x1000), 0);
	assert_memory_equal(&b->ram[0x1000], "QEMU\0\0", 6);
	assert_int_equal(b->ram[0x1000 + 8191], 0);
	assert_int_equal(b->ram[0x1000 + 8192], 0xee);
}

static void dma_write_reaches_a_writable_file_only(void **state)
{
	struct board *b = *state;
	char writable[] = "....", fixed[] = "....";
	int w = fwcfg_add_file(&b->fwcfg, "etc/system-states", writable, 4, true);
	int f = fwcfg_add_file(&b->fwcfg, "opt/fixed", fixed, 4, false);

	memcpy(&b->ram[0x1000], "data", 4);
	assert_int_equal(dma(b, (uint32_t)w << 16 | SELECT | WRITE, 4, 0x1000), 0);
	assert_string_equal(writable, "data");
	assert_int_equal(dma(b, (uint32_t)f << 16 | SELECT | WRITE, 4, 0x1000), ERROR);
	assert_string_equal(fixed, "....");
	assert_int_equal(dma(b, 0x1fffu << 16 | SELECT | WRITE, 1, 0x1000), ERROR);
}

static void dma_write_beyond_the_end_writes_nothing(void **state)
{
	struct board *b = *state;
	char writable[] = "....";
	int w = fwcfg_add_file(&b->fwcfg, "opt/w", writable, 4, true);

	memcpy(&b->ram[0x1000], "overflow", 8);
	assert_int_equal(dma(b, (uint32_t)w << 16 | SELECT | WRITE, 8, 0x1000), ERROR);
	assert_string_equal(writable, "....");
}

static void dma_to_memory_beyond_4g_is_an_error(void **state)
{
	struct board *b = *state;

	assert_int_equal(dma(b, SELECT | READ, 4, 0x100000000ull), ERROR);
	assert_int_equal(dma(b, SELECT | READ, 0x20, 0xfffffff0), ERROR);
	assert_int_equal(b->dma_written, 8);		/* two control words, no data */
}

static void dma_to_nowhere_is_swallowed(void **state)
{
	struct board *b = *state;

	assert_int_equal(dma(b, SELECT | READ, 4, 0x80000000), 0);
}

static void descriptor_address_has_two_halves_and_is_used_once(void **state)
{
	struct board *b = *state;

	/* High half not zero: no memory there; nothing may happen. */
	fwcfg_dma_ports.out(&b->fwcfg, 0x514, 4, swap32(1), 0);
	assert_int_equal(dma(b, SELECT | READ, 4, 0x1000), SELECT | READ);
	assert_int_equal(b->dma_written, 0);
	/* It was consumed: the next low half stands alone. */
	assert_int_equal(dma(b, SELECT | READ, 4, 0x1000), 0);
	assert_memory_equal(&b->ram[0x1000], "QEMU", 4);
}

static void select_without_transfer_only_selects(void **state)
{
	struct board *b = *state;

	next_byte(b);
	assert_int_equal(dma(b, FWCFG_KEY_ID << 16 | SELECT, 4, 0x1000), 0);
	assert_int_equal(b->ram[0x1000], 0xee);
	assert_int_equal(next_byte(b), 3);
}

static void huge_skip_does_not_wrap_to_the_start(void **state)
{
	struct board *b = *state;

	select_key(b, FWCFG_KEY_SIGNATURE);
	assert_int_equal(dma(b, SKIP, 0xffffffff, 0), 0);
	assert_int_equal(dma(b, SKIP, 2, 0), 0);
	assert_int_equal(next_byte(b), 0);
}

#define T(name) cmocka_unit_test_setup(name, board_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(signature_is_there_from_reset),
		T(id_says_port_and_dma),
		T(selecting_again_starts_over),
		T(reading_past_the_end_gives_zeros),
		T(missing_items_and_unknown_keys_read_as_zeros),
		T(write_channel_bit_does_not_change_the_item),
		T(integers_are_little_endian),
		T(architecture_keys_are_apart_from_the_others),
		T(rep_insb_moves_the_run_at_once),
		T(data_port_ignores_writes),
		T(directory_lists_files_in_big_endian),
		T(empty_directory_has_a_count_of_zero),
		T(files_are_not_copied),
		T(same_name_replaces_the_contents_under_its_key),
		T(bad_names_and_a_full_directory_are_refused),
		T(dma_ports_read_as_the_signature),
		T(dma_read_fills_memory_and_clears_control),
		T(dma_goes_on_where_the_last_one_ended),
		T(dma_read_past_the_end_gives_zeros),
		T(dma_write_reaches_a_writable_file_only),
		T(dma_write_beyond_the_end_writes_nothing),
		T(dma_to_memory_beyond_4g_is_an_error),
		T(dma_to_nowhere_is_swallowed),
		T(descriptor_address_has_two_halves_and_is_used_once),
		T(select_without_transfer_only_selects),
		T(huge_skip_does_not_wrap_to_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
