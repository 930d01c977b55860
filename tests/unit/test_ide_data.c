/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_ide_data.c - claims about sectors through the data port: addresses, blocks, errors, and the cache.
 *
 * Source: ATA/ATAPI-6 (T13/1410D), "PIO data-in command protocol", "PIO data-out command protocol".
 */
#include "tests/unit/ide_board.h"

/* ---- reading by PIO ---- */

static void read_sectors_gives_each_sector_with_an_interrupt(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, 5, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(b->irq);
		take_sector(b, 5 + i);
	}
	assert_false(b->irq);			/* none after the last block */
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(b->irqs, 3);
	assert_int_equal(b->reads, 1);		/* read ahead: one host read */
}

static void count_zero_means_256(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, 100, 0);
	for (uint32_t i = 0; i < 256; i++)
		take_sector(b, 100 + i);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(b->reads, 2);
}

static void words_and_dwords_at_the_data_port_give_the_same_bytes(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512];
	uint32_t value;

	lba28(b, 0x20, 9, 1);
	for (uint32_t i = 0; i < 256; i += 2) {
		value = in_word(b);
		memcpy(&bytes[i], &value, 2);
	}
	for (uint32_t i = 256; i < 512; i += 4) {
		value = ide_command_ports.in(&b->ide.channel[0], 0x1f0, 4, 0);
		memcpy(&bytes[i], &value, 4);
	}
	expect_sector(bytes, 9);
	assert_int_equal(in(b, STATUS), READY);
	lba28(b, 0x20, 10, 1);
	assert_int_equal(ins(b, 4, bytes, 128), 128);
	expect_sector(bytes, 10);
}

static void bulk_read_stops_at_the_end_of_the_block(void **state)
{
	struct board *b = *state;
	uint8_t bytes[2048];

	lba28(b, 0x20, 0, 2);
	in_word(b);
	assert_int_equal(ins(b, 2, bytes, 1000), 255);
	assert_int_equal(ins(b, 2, bytes, 1000), 256);
	expect_sector(bytes, 1);
	/* Nothing asks any more: the bus floats, and the whole run is answered. */
	assert_int_equal(ins(b, 2, bytes, 1000), 1000);
	assert_int_equal(bytes[1999], 0xff);
}

static void chs_addresses_the_same_sectors(void **state)
{
	struct board *b = *state;

	chs(b, 0x20, 1, 2, 3, 1);
	take_sector(b, (1 * 16 + 2) * 63 + 2);
	/* And the registers tell where it ended. */
	assert_int_equal(in(b, LOW), 3);
	assert_int_equal(in(b, MID), 1);
	assert_int_equal(in(b, DEVICE), 0xa2);
	assert_int_equal(in(b, COUNT), 0);
}

static void chs_follows_initialize_device_parameters(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	out(b, DEVICE, 0xa0 | 3);		/* 4 heads */
	out(b, COUNT, 10);			/* 10 sectors */
	out(b, COMMAND, 0x91);
	assert_int_equal(in(b, STATUS), READY);
	chs(b, 0x20, 7, 3, 10, 1);
	take_sector(b, (7 * 4 + 3) * 10 + 9);
	chs(b, 0x20, 7, 4, 1, 1);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), IDNF);
	identify(b, word);
	assert_int_equal(word[54], NSECTORS / 40);
	assert_int_equal(word[1], 2);		/* the native one stays */
}

static void bad_chs_addresses_are_not_found(void **state)
{
	static const struct { uint16_t c; uint8_t h, s; } bad[] = { { 2, 0, 1 }, { 0, 0, 0 }, { 0, 0, 64 } };
	struct board *b = *state;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(bad); i++) {
		chs(b, 0x20, bad[i].c, bad[i].h, bad[i].s, 1);
		assert_int_equal(in(b, STATUS), READY | ERR);
		assert_int_equal(in(b, ERROR), IDNF);
	}
	assert_int_equal(b->reads, 0);
}

static void lba48_reads_with_both_halves_of_the_registers(void **state)
{
	struct board *b = *state;

	lba48(b, 0x24, 0x0102, 0x0101);
	for (uint32_t i = 0; i < 0x101; i++)
		take_sector(b, 0x102 + i);
	assert_int_equal(in(b, STATUS), READY);
	/* An address that only its high half puts beyond the end. */
	lba48(b, 0x24, 0x010000000001ull, 1);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), IDNF);
}

static void lba28_ignores_what_stood_in_the_registers_before(void **state)
{
	struct board *b = *state;

	out(b, LOW, 0x77);
	out(b, COUNT, 0x77);
	lba28(b, 0x20, 3, 1);
	take_sector(b, 3);
	assert_int_equal(in(b, STATUS), READY);
}

static void lba28_has_four_bits_in_the_device_register(void **state)
{
	struct board *b = *state;

	b->block.nsectors = 0x20000000;
	b->bad_read = 0x0fedcba9;
	lba28(b, 0x20, 0x0fedcba9, 1);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(b->reported_sector, 0x0fedcba9);
	assert_int_equal(in(b, DEVICE), 0xef);
	assert_int_equal(in(b, HIGH), 0xed);
}

static void read_beyond_the_end_is_not_found(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, NSECTORS, 1);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), IDNF);
	assert_int_equal(b->reads, 0);
}

static void read_over_the_end_gives_what_there_is_first(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, NSECTORS - 2, 4);
	take_sector(b, NSECTORS - 2);
	take_sector(b, NSECTORS - 1);
	assert_true(b->irq);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), IDNF);
	assert_int_equal(in(b, LOW) | in(b, MID) << 8, NSECTORS);
	assert_int_equal(in(b, COUNT), 2);
}

static void sector_the_host_cannot_read_is_uncorrectable_after_its_neighbours(void **state)
{
	struct board *b = *state;

	b->bad_read = 22;
	lba28(b, 0x20, 20, 5);
	take_sector(b, 20);
	take_sector(b, 21);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), UNC);
	assert_int_equal(in(b, LOW), 22);
	assert_int_equal(in(b, COUNT), 3);
	assert_int_equal(b->reports, 1);
	assert_int_equal(b->reported, IDE_HOST_READ);
	assert_int_equal(b->reported_sector, 22);
	assert_int_equal(b->reported_error, -EIO);
	/* The disk goes on. */
	lba28(b, 0x20, 23, 1);
	take_sector(b, 23);
}

static void read_multiple_is_refused_until_it_is_set(void **state)
{
	struct board *b = *state;
	uint16_t word[256];
	uint8_t bytes[4096];

	lba28(b, 0xc4, 0, 8);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), ABRT);
	simple(b, 0xc6, 0, 8);
	assert_int_equal(in(b, STATUS), READY);
	b->irqs = 0;
	lba28(b, 0xc4, 40, 10);
	assert_int_equal(ins(b, 2, bytes, 2048), 2048);	/* 8 sectors in one block */
	expect_sector(bytes, 40);
	expect_sector(bytes + 7 * 512, 47);
	assert_int_equal(ins(b, 2, bytes, 2048), 512);	/* and a short one of 2 */
	expect_sector(bytes + 512, 49);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(b->irqs, 1);			/* nobody read the status between */
	identify(b, word);
	assert_int_equal(word[59], 0x0108);
}

static void set_multiple_takes_powers_of_two_up_to_16(void **state)
{
	struct board *b = *state;

	simple(b, 0xc6, 0, 3);
	assert_int_equal(in(b, STATUS), READY | ERR);
	simple(b, 0xc6, 0, 32);
	assert_int_equal(in(b, STATUS), READY | ERR);
	simple(b, 0xc6, 0, 16);
	assert_int_equal(in(b, STATUS), READY);
	simple(b, 0xc6, 0, 0);
	assert_int_equal(in(b, STATUS), READY);
	lba48(b, 0x29, 0, 1);
	assert_int_equal(in(b, STATUS), READY | ERR);
}

static void verify_reads_without_giving_data(void **state)
{
	struct board *b = *state;

	lba28(b, 0x40, 0, 200);
	assert_true(b->irq);
	assert_int_equal(in(b, STATUS), READY);
	b->bad_read = 150;
	lba28(b, 0x40, 0, 200);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), UNC);
	assert_int_equal(in(b, LOW), 150);
}

/* ---- writing by PIO ---- */

static void write_sectors_arrive_before_the_command_ends(void **state)
{
	struct board *b = *state;
	uint8_t bytes[1024];

	fill(bytes, sizeof(bytes), 1);
	lba28(b, 0x30, 7, 2);
	assert_int_equal(in(b, STATUS), READY | DRQ);
	assert_false(b->irq);				/* the first block is asked for in silence */
	assert_int_equal(outs(b, 2, bytes, 512), 256);
	assert_true(b->irq);
	assert_int_equal(in(b, STATUS), READY | DRQ);
	assert_int_equal(outs(b, 2, bytes + 512, 256), 256);
	assert_true(b->irq);
	assert_int_equal(in(b, STATUS), READY);
	assert_memory_equal(&b->media[7 * 512], bytes, 1024);
	assert_int_equal(b->media[9 * 512], pattern(9, 0));
	assert_int_equal(b->writes, 1);
}

static void write_by_single_words_is_the_same(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512];

	fill(bytes, sizeof(bytes), 2);
	chs(b, 0x30, 0, 0, 1, 1);
	for (unsigned int i = 0; i < 512; i += 2)
		out_word(b, bytes[i] | bytes[i + 1] << 8);
	assert_int_equal(in(b, STATUS), READY);
	assert_memory_equal(b->media, bytes, 512);
}

static void write_of_256_sectors_and_more_reaches_the_disk(void **state)
{
	struct board *b = *state;
	static uint8_t bytes[300 * 512];

	fill(bytes, sizeof(bytes), 3);
	lba48(b, 0x34, 1000, 300);
	for (unsigned int i = 0; i < 300; i++) {
		assert_int_equal(in(b, STATUS), READY | DRQ);
		assert_int_equal(outs(b, 4, bytes + i * 512, 128), 128);
	}
	assert_int_equal(in(b, STATUS), READY);
	assert_memory_equal(&b->media[1000 * 512], bytes, sizeof(bytes));
	assert_int_equal(b->writes, 3);
}

static void write_multiple_asks_block_by_block(void **state)
{
	struct board *b = *state;
	static uint8_t bytes[20 * 512];

	fill(bytes, sizeof(bytes), 4);
	simple(b, 0xc6, 0, 16);
	lba28(b, 0xc5, 30, 20);
	assert_int_equal(outs(b, 2, bytes, 20 * 256), 16 * 256);
	assert_int_equal(outs(b, 2, bytes + 16 * 512, 4 * 256), 4 * 256);
	assert_int_equal(in(b, STATUS), READY);
	assert_memory_equal(&b->media[30 * 512], bytes, sizeof(bytes));
}

static void write_the_host_refuses_is_a_fault_and_told(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512] = { 0 };

	b->bad_write = 61;
	lba28(b, 0x30, 60, 3);
	for (unsigned int i = 0; i < 3; i++)
		outs(b, 2, bytes, 256);
	assert_int_equal(in(b, STATUS), READY | DF | ERR);
	assert_int_equal(in(b, ERROR), ABRT);
	assert_int_equal(in(b, LOW), 61);
	assert_int_equal(in(b, COUNT), 2);
	assert_int_equal(b->reported, IDE_HOST_WRITE);
	assert_int_equal(b->reported_sector, 61);
	assert_int_equal(b->reported_error, -ENOSPC);
	assert_int_equal(b->media[60 * 512], 0);	/* what could be written, was */
}

static void write_over_the_end_keeps_what_fits(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512];

	fill(bytes, sizeof(bytes), 5);
	lba28(b, 0x30, NSECTORS - 1, 2);
	outs(b, 2, bytes, 256);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), IDNF);
	assert_memory_equal(&b->media[(NSECTORS - 1) * 512], bytes, 512);
}

static void read_only_disk_refuses_writes(void **state)
{
	struct board *b = *state;

	b->block.read_only = true;
	lba28(b, 0x30, 0, 1);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_true(in(b, ERROR) & ABRT);
	lba28(b, 0xca, 0, 1);
	assert_int_equal(in(b, STATUS), READY | ERR);
	lba28(b, 0x20, 0, 1);
	take_sector(b, 0);
}

static void reset_drops_a_half_written_block(void **state)
{
	struct board *b = *state;

	lba28(b, 0x30, 0, 1);
	out_word(b, 0xdead);
	control(b, 0x04);
	control(b, 0x00);
	assert_int_equal(b->writes, 0);
	assert_int_equal(b->media[0], pattern(0, 0));
}

/* ---- cache ---- */

static void flush_reaches_the_host_and_its_failure_the_guest(void **state)
{
	struct board *b = *state;

	simple(b, 0xe7, 0, 0);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(b->flushes, 1);
	b->flush_error = -EIO;
	simple(b, 0xea, 0, 0);
	assert_int_equal(in(b, STATUS), READY | DF | ERR);
	assert_int_equal(in(b, ERROR), ABRT);
	assert_int_equal(b->reported, IDE_HOST_FLUSH);
	assert_int_equal(b->reported_error, -EIO);
}

static void without_write_cache_each_write_is_flushed(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512] = { 0 };
	uint16_t word[256];

	simple(b, 0xef, 0x82, 0);
	assert_int_equal(b->flushes, 1);
	identify(b, word);
	assert_int_equal(word[85] & 0x20, 0);
	lba28(b, 0x30, 0, 1);
	outs(b, 2, bytes, 256);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(b->flushes, 2);
	b->flush_error = -EIO;
	lba28(b, 0x30, 0, 1);
	outs(b, 2, bytes, 256);
	assert_int_equal(in(b, STATUS), READY | DF | ERR);
}

static void flush_all_asks_only_disks_that_were_written(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512] = { 0 };

	assert_int_equal(ide_flush_all(&b->ide), 0);
	assert_int_equal(b->flushes, 0);
	lba28(b, 0x30, 0, 1);
	outs(b, 2, bytes, 256);
	b->flush_error = -EIO;
	assert_int_equal(ide_flush_all(&b->ide), -EIO);
	b->flush_error = 0;
	assert_int_equal(ide_flush_all(&b->ide), 0);
	assert_int_equal(ide_flush_all(&b->ide), 0);
	assert_int_equal(b->flushes, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(read_sectors_gives_each_sector_with_an_interrupt),
		T(count_zero_means_256),
		T(words_and_dwords_at_the_data_port_give_the_same_bytes),
		T(bulk_read_stops_at_the_end_of_the_block),
		T(chs_addresses_the_same_sectors),
		T(chs_follows_initialize_device_parameters),
		T(bad_chs_addresses_are_not_found),
		T(lba48_reads_with_both_halves_of_the_registers),
		T(lba28_ignores_what_stood_in_the_registers_before),
		T(lba28_has_four_bits_in_the_device_register),
		T(read_beyond_the_end_is_not_found),
		T(read_over_the_end_gives_what_there_is_first),
		T(sector_the_host_cannot_read_is_uncorrectable_after_its_neighbours),
		T(read_multiple_is_refused_until_it_is_set),
		T(set_multiple_takes_powers_of_two_up_to_16),
		T(verify_reads_without_giving_data),
		T(write_sectors_arrive_before_the_command_ends),
		T(write_by_single_words_is_the_same),
		T(write_of_256_sectors_and_more_reaches_the_disk),
		T(write_multiple_asks_block_by_block),
		T(write_the_host_refuses_is_a_fault_and_told),
		T(write_over_the_end_keeps_what_fits),
		T(read_only_disk_refuses_writes),
		T(reset_drops_a_half_written_block),
		T(flush_reaches_the_host_and_its_failure_the_guest),
		T(without_write_cache_each_write_is_flushed),
		T(flush_all_asks_only_disks_that_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
