/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_ide_dma.c - claims about the bus master: PRD tables long, short and nowhere; errors; the status bits.
 *
 * Source: datasheet 82371SB, "Bus Master IDE".
 */
#include "tests/unit/ide_board.h"

/* ---- bus master ---- */

static uint8_t bm_in(struct board *b, unsigned int reg)
{
	return ide_dma_ports.in(&b->ide, BM + reg, 1, 0) & 0xff;
}

static void bm_out(struct board *b, unsigned int reg, uint8_t value)
{
	ide_dma_ports.out(&b->ide, BM + reg, 1, value, 0);
}

static void prd(struct board *b, unsigned int index, uint32_t gpa, uint32_t nbytes, bool last)
{
	uint32_t word[2] = { gpa, (nbytes & 0xffff) | (last ? 0x80000000u : 0) };

	memcpy(&b->ram[TABLE + 8 * index], word, 8);
	ide_dma_ports.out(&b->ide, BM + 4, 4, TABLE, 0);
}

enum { TO_MEMORY = 9, FROM_MEMORY = 1, BM_STOP = 0 };
enum { ACTIVE = 1, BM_ERR = 2, INT = 4 };

static void dma_read_follows_the_table_and_ends_it(void **state)
{
	struct board *b = *state;

	prd(b, 0, BUFFER, 1000, false);			/* borders need not be sectors */
	prd(b, 1, BUFFER + 0x4000, 536, true);
	lba28(b, 0xc8, 11, 3);
	assert_int_equal(alt_status(b), READY | DRQ);
	assert_false(b->irq);
	bm_out(b, 0, TO_MEMORY);
	assert_true(b->irq);
	assert_int_equal(bm_in(b, 2), INT);		/* done, and the table with it */
	assert_int_equal(in(b, STATUS), READY);
	expect_sector(&b->ram[BUFFER], 11);
	memmove(&b->ram[BUFFER + 1000], &b->ram[BUFFER + 0x4000], 536);
	expect_sector(&b->ram[BUFFER + 512], 12);
	expect_sector(&b->ram[BUFFER + 1024], 13);
	bm_out(b, 0, BM_STOP);
	bm_out(b, 2, INT);
	assert_int_equal(bm_in(b, 2), 0);
}

static void engine_may_be_started_before_the_command(void **state)
{
	struct board *b = *state;

	prd(b, 0, BUFFER, 512, true);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), ACTIVE);
	lba28(b, 0xc8, 77, 1);
	assert_int_equal(bm_in(b, 2), INT);
	expect_sector(&b->ram[BUFFER], 77);
}

static void dma_write_reaches_the_disk(void **state)
{
	struct board *b = *state;

	fill(&b->ram[BUFFER], 200 * 512, 9);
	prd(b, 0, BUFFER, 0, false);			/* 0 is 64 KiB */
	prd(b, 1, BUFFER + 0x10000, 200 * 512 - 0x10000, true);
	lba28(b, 0xca, 500, 200);
	bm_out(b, 0, FROM_MEMORY);
	assert_int_equal(bm_in(b, 2), INT);
	assert_int_equal(in(b, STATUS), READY);
	assert_memory_equal(&b->media[500 * 512], &b->ram[BUFFER], 200 * 512);
	assert_int_equal(b->media[700 * 512], pattern(700, 0));
}

static void dma_with_48_bit_addresses_moves_more_than_the_buffer(void **state)
{
	struct board *b = *state;

	for (unsigned int i = 0; i < 6; i++)
		prd(b, i, BUFFER + i * 0x8000, 0x8000, i == 5);
	lba48(b, 0x25, 1234, 384);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), INT);
	for (uint32_t i = 0; i < 384; i++)
		expect_sector(&b->ram[BUFFER + i * 512], 1234 + i);
	lba48(b, 0x35, 2000, 384);
	bm_out(b, 0, BM_STOP);
	bm_out(b, 0, FROM_MEMORY);
	assert_int_equal(in(b, STATUS), READY);
	assert_memory_equal(&b->media[2000 * 512], &b->ram[BUFFER], 384 * 512);
}

static void long_table_leaves_the_engine_active(void **state)
{
	struct board *b = *state;

	prd(b, 0, BUFFER, 4096, true);
	lba28(b, 0xc8, 0, 1);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), INT | ACTIVE);
	assert_int_equal(b->ram[BUFFER + 512], 0);
	bm_out(b, 0, BM_STOP);
	assert_int_equal(bm_in(b, 2), INT);
}

static void short_table_leaves_the_drive_waiting(void **state)
{
	struct board *b = *state;

	prd(b, 0, BUFFER, 512, true);
	lba28(b, 0xc8, 0, 2);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), 0);		/* no interrupt, not active */
	assert_int_equal(alt_status(b), READY | DRQ);
	assert_false(b->irq);
	control(b, 4);
	control(b, 0);
	assert_int_equal(in(b, STATUS), READY);
}

static void second_table_can_finish_a_short_first(void **state)
{
	struct board *b = *state;

	prd(b, 0, BUFFER, 512, true);
	lba28(b, 0xc8, 0, 2);
	bm_out(b, 0, TO_MEMORY);
	bm_out(b, 0, BM_STOP);
	prd(b, 0, BUFFER + 512, 512, true);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), INT);
	expect_sector(&b->ram[BUFFER], 0);
	expect_sector(&b->ram[BUFFER + 512], 1);
}

static void dma_read_error_is_told_after_the_good_sectors(void **state)
{
	struct board *b = *state;

	b->bad_read = 2;
	prd(b, 0, BUFFER, 2048, true);
	lba28(b, 0xc8, 0, 4);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), INT | ACTIVE);	/* no PCI error: that bit is not for disks */
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), UNC);
	assert_int_equal(in(b, LOW), 2);
	expect_sector(&b->ram[BUFFER + 512], 1);
	assert_int_equal(b->ram[BUFFER + 1024], 0);
}

static void dma_write_error_is_a_fault(void **state)
{
	struct board *b = *state;

	b->bad_write = 3;
	prd(b, 0, BUFFER, 2048, true);
	lba28(b, 0xca, 0, 4);
	bm_out(b, 0, FROM_MEMORY);
	assert_int_equal(in(b, STATUS), READY | DF | ERR);
	assert_int_equal(in(b, LOW), 3);
}

static void dma_to_nowhere_ends_as_if_memory_were_there(void **state)
{
	struct board *b = *state;

	prd(b, 0, 0xfff00000, 512, true);
	lba28(b, 0xc8, 0, 1);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), INT);
	lba28(b, 0xca, 1, 1);
	bm_out(b, 0, BM_STOP);
	bm_out(b, 0, FROM_MEMORY);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(b->media[512], 0xff);
}

static void table_nowhere_moves_nothing_into_memory_and_ends(void **state)
{
	struct board *b = *state;

	/* It reads as ff: a descriptor at FFFFFFFE of 65534 bytes with the end bit. */
	ide_dma_ports.out(&b->ide, BM + 4, 4, 0xf0000000, 0);
	lba28(b, 0xc8, 0, 1);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(in(b, STATUS), READY);
}

static void transfer_waits_for_the_right_to_be_master(void **state)
{
	struct board *b = *state;

	pci_config_write(&b->pci, PCI_DEVFN(1, 1), 4, 2, PCI_COMMAND_IO, 0);
	prd(b, 0, BUFFER, 512, true);
	lba28(b, 0xc8, 0, 1);
	bm_out(b, 0, TO_MEMORY);
	assert_int_equal(bm_in(b, 2), ACTIVE);
	assert_int_equal(b->ram[BUFFER + 1], 0);
	pci_config_write(&b->pci, PCI_DEVFN(1, 1), 4, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 0);
	assert_int_equal(bm_in(b, 2), INT);
	expect_sector(&b->ram[BUFFER], 0);
}

static void engine_status_bits_are_as_the_datasheet_says(void **state)
{
	struct board *b = *state;

	bm_out(b, 2, 0x60);
	assert_int_equal(bm_in(b, 2), 0x60);		/* "drives do DMA": kept for drivers */
	simple(b, 0xe5, 0, 0);				/* any interrupt sets the bit */
	assert_int_equal(bm_in(b, 2), 0x60 | INT);
	bm_out(b, 2, 0x60);
	assert_int_equal(bm_in(b, 2), 0x60 | INT);
	bm_out(b, 2, 0x60 | INT);
	assert_int_equal(bm_in(b, 2), 0x60);
	ide_dma_ports.out(&b->ide, BM + 4, 2, 0x5677, 0);
	ide_dma_ports.out(&b->ide, BM + 6, 2, 0x1234, 0);
	assert_int_equal(ide_dma_ports.in(&b->ide, BM + 4, 4, 0), 0x12345674);
	assert_int_equal(bm_in(b, 8 + 2), 0);		/* the other channel's are its own */
	assert_int_equal(ide_dma_ports.in(&b->ide, BM + 12, 4, 0), 0);
}

static void stopping_the_engine_stops_the_transfer(void **state)
{
	struct board *b = *state;

	prd(b, 0, BUFFER, 512, true);
	bm_out(b, 0, TO_MEMORY);
	bm_out(b, 0, BM_STOP);
	assert_int_equal(bm_in(b, 2), 0);
	lba28(b, 0xc8, 0, 1);
	assert_int_equal(alt_status(b), READY | DRQ);
	assert_false(b->irq);
}

static void function_is_a_piix3_in_compatibility_mode(void **state)
{
	struct board *b = *state;

	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 1), 0, 4), 0x70108086);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 1), 9, 1), 0x80);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 1), 10, 2), 0x0101);
	pci_config_write(&b->pci, PCI_DEVFN(1, 1), 0x20, 4, 0xffffffff, 0);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 1), 0x20, 4), 0xfffffff1);
	pci_config_write(&b->pci, PCI_DEVFN(1, 1), 0x40, 2, 0x8000, 0);
	assert_int_equal(pci_config_read(&b->pci, PCI_DEVFN(1, 1), 0x41, 1), 0x80);
}

static void machine_reset_forgets_all_modes(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	simple(b, 0xc6, 0, 16);
	simple(b, 0xef, 3, 0x45);
	simple(b, 0xef, 0x82, 0);
	lba28(b, 0x20, 0, 4);
	ide_reset(&b->ide);
	assert_false(b->irq);
	assert_int_equal(bm_in(b, 2), 0);
	identify(b, word);
	assert_int_equal(word[59], 0);
	assert_int_equal(word[63], 0x0407);
	assert_int_equal(word[85] & 0x20, 0x20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(dma_read_follows_the_table_and_ends_it),
		T(engine_may_be_started_before_the_command),
		T(dma_write_reaches_the_disk),
		T(dma_with_48_bit_addresses_moves_more_than_the_buffer),
		T(long_table_leaves_the_engine_active),
		T(short_table_leaves_the_drive_waiting),
		T(second_table_can_finish_a_short_first),
		T(dma_read_error_is_told_after_the_good_sectors),
		T(dma_write_error_is_a_fault),
		T(dma_to_nowhere_ends_as_if_memory_were_there),
		T(table_nowhere_moves_nothing_into_memory_and_ends),
		T(transfer_waits_for_the_right_to_be_master),
		T(engine_status_bits_are_as_the_datasheet_says),
		T(stopping_the_engine_stops_the_transfer),
		T(function_is_a_piix3_in_compatibility_mode),
		T(machine_reset_forgets_all_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
