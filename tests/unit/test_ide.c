/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_ide.c - claims about the IDE channels and their disks, driven through ports as a driver does.
 *
 * Sources: ATA/ATAPI-6 (T13/1410D); datasheet 82371SB, "Bus Master IDE".
 * The disk is an array with a sector that can be made bad; memory is an array too.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "devices/ide.h"

#define NSECTORS	3000u		/* two cylinders of 16 x 63 and something */
#define RAM_BYTES	0x80000u
#define BM		0xc000
#define TABLE		0x1000u
#define BUFFER		0x10000u
#define NONE		UINT64_MAX

struct board {
	struct pci pci;
	struct ide ide;
	struct block_ops block;
	uint8_t media[NSECTORS * 512];
	uint8_t ram[RAM_BYTES];
	uint64_t bad_read, bad_write;		/* sector, or NONE */
	int flush_error;
	unsigned int reads, writes, flushes, irqs;
	bool irq;
	enum ide_host_operation reported;
	unsigned int reports;
	uint64_t reported_sector;
	int reported_error;
};

enum { DATA, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS };
#define FEATURE ERROR
#define COMMAND STATUS
enum { BSY = 0x80, DRDY = 0x40, DF = 0x20, DSC = 0x10, DRQ = 0x08, ERR = 0x01 };
enum { UNC = 0x40, IDNF = 0x10, ABRT = 0x04 };
enum { READY = DRDY | DSC };

static bool hits(uint64_t bad, uint64_t sector, uint32_t n)
{
	return bad != NONE && bad >= sector && bad < sector + n;
}

static int media_read(void *owner, uint64_t sector, void *buf, uint32_t n)
{
	struct board *b = owner;

	assert_true(sector + n <= b->block.nsectors && n > 0);
	b->reads++;
	if (hits(b->bad_read, sector, n))
		return -EIO;
	if (sector + n <= NSECTORS)
		memcpy(buf, &b->media[sector * 512], n * 512);
	return 0;
}

static int media_write(void *owner, uint64_t sector, const void *buf, uint32_t n)
{
	struct board *b = owner;

	assert_true(sector + n <= b->block.nsectors && n > 0);
	assert_false(b->block.read_only);
	b->writes++;
	if (hits(b->bad_write, sector, n))
		return -ENOSPC;
	if (sector + n <= NSECTORS)
		memcpy(&b->media[sector * 512], buf, n * 512);
	return 0;
}

static int media_flush(void *owner)
{
	struct board *b = owner;

	b->flushes++;
	return b->flush_error;
}

static void ram_read(void *owner, uint32_t gpa, void *buf, uint32_t nbytes)
{
	struct board *b = owner;

	for (uint32_t i = 0; i < nbytes; i++)
		((uint8_t *)buf)[i] = gpa + i < RAM_BYTES ? b->ram[gpa + i] : 0xff;
}

static void ram_write(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	struct board *b = owner;

	for (uint32_t i = 0; i < nbytes; i++)
		if (gpa + i < RAM_BYTES)
			b->ram[gpa + i] = ((const uint8_t *)buf)[i];
}

static void on_irq(void *owner, unsigned int line, bool level)
{
	struct board *b = owner;

	assert_int_equal(line, 14);
	assert_int_not_equal(b->irq, level);
	b->irq = level;
	b->irqs += level;
}

static void on_host_error(void *owner, unsigned int disk, enum ide_host_operation operation, uint64_t sector, int error)
{
	struct board *b = owner;

	assert_int_equal(disk, 0);
	b->reports++;
	b->reported = operation;
	b->reported_sector = sector;
	b->reported_error = error;
}

static uint8_t pattern(uint32_t sector, uint32_t byte)
{
	return (uint8_t)(sector * 31 + byte * 7 + (byte >> 8));
}

/* One disk on the primary channel; bus master placed and allowed. */
static int board_setup(void **state)
{
	static struct board board;
	struct board *b = &board;
	struct pci_machine machine = { .owner = b };
	struct ide_config config = { .dma = { ram_read, ram_write, b }, .host_error = on_host_error, .owner = b };

	memset(b, 0, sizeof(*b));
	b->bad_read = NONE;
	b->bad_write = NONE;
	for (uint32_t s = 0; s < NSECTORS; s++)
		for (uint32_t i = 0; i < 512; i++)
			b->media[s * 512 + i] = pattern(s, i);
	b->block = (struct block_ops){ media_read, media_write, media_flush, NSECTORS, false, b };
	config.disk[0] = &b->block;
	config.irq[0] = (struct irq_line){ on_irq, b, 14 };
	pci_init(&b->pci, &machine);
	ide_init(&b->ide, &b->pci, &config);
	ide_reset(&b->ide);
	pci_config_write(&b->pci, PCI_DEVFN(1, 1), 0x20, 4, BM, 0);
	pci_config_write(&b->pci, PCI_DEVFN(1, 1), 4, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 0);
	*state = b;
	return 0;
}

/* ---- a driver in small ---- */

static uint8_t in(struct board *b, unsigned int reg)
{
	return ide_command_ports.in(&b->ide.channel[0], 0x1f0 + reg, 1, 0) & 0xff;
}

static void out(struct board *b, unsigned int reg, uint8_t value)
{
	ide_command_ports.out(&b->ide.channel[0], 0x1f0 + reg, 1, value, 0);
}

static uint8_t alt_status(struct board *b)
{
	return ide_control_ports.in(&b->ide.channel[0], 0x3f6, 1, 0) & 0xff;
}

static void control(struct board *b, uint8_t value)
{
	ide_control_ports.out(&b->ide.channel[0], 0x3f6, 1, value, 0);
}

static uint16_t in_word(struct board *b)
{
	return ide_command_ports.in(&b->ide.channel[0], 0x1f0, 2, 0) & 0xffff;
}

static void out_word(struct board *b, uint16_t value)
{
	ide_command_ports.out(&b->ide.channel[0], 0x1f0, 2, value, 0);
}

static uint32_t ins(struct board *b, unsigned int size, void *buf, uint32_t count)
{
	return ide_command_ports.ins(&b->ide.channel[0], 0x1f0, size, buf, count, 0);
}

static uint32_t outs(struct board *b, unsigned int size, const void *buf, uint32_t count)
{
	return ide_command_ports.outs(&b->ide.channel[0], 0x1f0, size, buf, count, 0);
}

static void lba28(struct board *b, uint8_t command, uint32_t lba, uint8_t count)
{
	out(b, DEVICE, 0xe0 | (lba >> 24 & 15));
	out(b, COUNT, count);
	out(b, LOW, lba & 0xff);
	out(b, MID, lba >> 8 & 0xff);
	out(b, HIGH, lba >> 16 & 0xff);
	out(b, COMMAND, command);
}

static void lba48(struct board *b, uint8_t command, uint64_t lba, uint16_t count)
{
	out(b, DEVICE, 0x40);
	out(b, COUNT, count >> 8);
	out(b, LOW, lba >> 24 & 0xff);
	out(b, MID, lba >> 32 & 0xff);
	out(b, HIGH, lba >> 40 & 0xff);
	out(b, COUNT, count & 0xff);
	out(b, LOW, lba & 0xff);
	out(b, MID, lba >> 8 & 0xff);
	out(b, HIGH, lba >> 16 & 0xff);
	out(b, COMMAND, command);
}

static void chs(struct board *b, uint8_t command, uint16_t cylinder, uint8_t head, uint8_t sector, uint8_t count)
{
	out(b, DEVICE, 0xa0 | head);
	out(b, COUNT, count);
	out(b, LOW, sector);
	out(b, MID, cylinder & 0xff);
	out(b, HIGH, cylinder >> 8);
	out(b, COMMAND, command);
}

static void simple(struct board *b, uint8_t command, uint8_t feature, uint8_t count)
{
	out(b, DEVICE, 0xe0);
	out(b, FEATURE, feature);
	out(b, COUNT, count);
	out(b, COMMAND, command);
}

static void expect_sector(const uint8_t *bytes, uint32_t sector)
{
	for (uint32_t i = 0; i < 512; i++)
		if (bytes[i] != pattern(sector, i))
			fail_msg("sector %u differs at byte %u", sector, i);
}

static void take_sector(struct board *b, uint32_t sector)
{
	uint8_t bytes[512];

	assert_int_equal(in(b, STATUS), READY | DRQ);
	assert_int_equal(ins(b, 2, bytes, 256), 256);
	expect_sector(bytes, sector);
}

static void identify(struct board *b, uint16_t *word)
{
	simple(b, 0xec, 0, 0);
	assert_int_equal(in(b, STATUS), READY | DRQ);
	assert_int_equal(ins(b, 2, word, 256), 256);
	assert_int_equal(in(b, STATUS), READY);
}

/* ---- registers, selection, reset ---- */

static void power_on_shows_the_signature_of_a_disk(void **state)
{
	struct board *b = *state;

	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, ERROR), 1);
	assert_int_equal(in(b, COUNT), 1);
	assert_int_equal(in(b, LOW), 1);
	assert_int_equal(in(b, MID), 0);
	assert_int_equal(in(b, HIGH), 0);
	assert_int_equal(in(b, DEVICE), 0xa0);
}

static void registers_read_back_what_was_written(void **state)
{
	struct board *b = *state;

	out(b, DEVICE, 0xa0);
	out(b, COUNT, 0x55);
	out(b, LOW, 0xaa);
	assert_int_equal(in(b, COUNT), 0x55);
	assert_int_equal(in(b, LOW), 0xaa);
	assert_int_equal(in(b, DEVICE), 0xa0);
	out(b, DEVICE, 0xb0);
	assert_int_equal(in(b, DEVICE), 0xb0);
}

/* ATA-6, "Single device configurations": device 0 answers for device 1, with status 00. */
static void absent_drive_1_has_status_zero_and_obeys_nothing(void **state)
{
	struct board *b = *state;

	out(b, DEVICE, 0xb0);
	assert_int_equal(in(b, STATUS), 0);
	assert_int_equal(alt_status(b), 0);
	out(b, COMMAND, 0xec);
	assert_int_equal(in(b, STATUS), 0);
	assert_false(b->irq);
	assert_int_equal(in_word(b), 0xffff);
	out(b, DEVICE, 0xa0);
	assert_int_equal(in(b, STATUS), READY);
}

static void empty_channel_floats(void **state)
{
	struct board *b = *state;
	struct ide_channel *secondary = &b->ide.channel[1];

	for (unsigned int reg = ERROR; reg <= STATUS; reg++)
		assert_int_equal(ide_command_ports.in(secondary, 0x170 + reg, 1, 0) & 0xff, 0xff);
	assert_int_equal(ide_control_ports.in(secondary, 0x376, 1, 0) & 0xff, 0xff);
	ide_command_ports.out(secondary, 0x177, 1, 0xec, 0);
	ide_command_ports.out(secondary, 0x177, 1, 0x90, 0);
	assert_int_equal(ide_command_ports.in(secondary, 0x177, 1, 0) & 0xff, 0xff);
}

static void high_order_bytes_are_the_writes_before(void **state)
{
	struct board *b = *state;

	out(b, LOW, 0x11);
	out(b, LOW, 0x22);
	control(b, 0x80);
	assert_int_equal(in(b, LOW), 0x11);
	out(b, MID, 0);			/* any write of the command block ends it */
	assert_int_equal(in(b, LOW), 0x22);
}

static void software_reset_is_busy_while_it_lasts_and_cancels(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, 0, 2);
	assert_int_equal(alt_status(b), READY | DRQ);
	control(b, 0x04);
	assert_int_equal(alt_status(b), BSY);
	assert_false(b->irq);
	out(b, COUNT, 9);		/* nobody listens */
	control(b, 0x00);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, COUNT), 1);
	assert_int_equal(in(b, ERROR), 1);
	assert_int_equal(in(b, DEVICE), 0xa0);
	assert_int_equal(in_word(b), 0xffff);
}

static void diagnostic_passes_and_interrupts(void **state)
{
	struct board *b = *state;

	out(b, DEVICE, 0xb0);		/* for both drives, whichever is selected */
	out(b, COMMAND, 0x90);
	assert_true(b->irq);
	assert_int_equal(in(b, DEVICE), 0xa0);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, ERROR), 1);
	assert_int_equal(in(b, COUNT), 1);
}

static void two_disks_on_a_cable_are_two(void **state)
{
	struct board *b = *state;
	struct block_ops second = b->block;
	struct ide_config config = b->ide.config;
	struct pci_machine machine = { .owner = b };
	uint16_t word[256];

	second.nsectors = 500;
	config.disk[1] = &second;
	pci_init(&b->pci, &machine);
	ide_init(&b->ide, &b->pci, &config);
	ide_reset(&b->ide);
	b->irqs = 0;

	out(b, DEVICE, 0xb0);
	assert_int_equal(in(b, STATUS), READY);
	out(b, COMMAND, 0xec);
	assert_int_equal(ins(b, 2, word, 256), 256);
	assert_int_equal(word[60], 500);
	assert_int_equal(word[13] & 0xff, '2');	/* PLX00002 */
	assert_int_equal(word[93], 0x6b00);

	/* A transfer of drive 1 is not drive 0's: its data port is dead while drive 0 is selected. */
	out(b, DEVICE, 0xf0);
	out(b, COUNT, 1);
	out(b, LOW, 9);
	out(b, MID, 0);
	out(b, HIGH, 0);
	out(b, COMMAND, 0x20);
	out(b, DEVICE, 0xe0);
	assert_int_equal(alt_status(b), READY);
	assert_int_equal(in_word(b), 0xffff);
	out(b, DEVICE, 0xf0);
	take_sector(b, 9);
	assert_int_equal(in(b, STATUS), READY);
}

/* ---- interrupt ---- */

static void status_takes_the_interrupt_back_and_alternate_status_does_not(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	assert_true(b->irq);
	alt_status(b);
	assert_true(b->irq);
	in(b, STATUS);
	assert_false(b->irq);
}

static void nien_holds_the_interrupt_until_it_is_cleared(void **state)
{
	struct board *b = *state;

	control(b, 0x02);
	simple(b, 0xe5, 0, 0);
	assert_false(b->irq);
	control(b, 0x00);
	assert_true(b->irq);
}

static void new_command_takes_the_old_interrupt_back(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	simple(b, 0xe5, 0, 0);
	assert_int_equal(b->irqs, 2);	/* two edges, though nobody read the status */
}

static void interrupt_of_a_drive_that_is_not_selected_waits(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	out(b, DEVICE, 0xb0);
	assert_false(b->irq);
	out(b, DEVICE, 0xa0);
	assert_true(b->irq);
}

/* ---- IDENTIFY ---- */

static void text_of(const uint16_t *word, unsigned int first, unsigned int nwords, char *text)
{
	for (unsigned int i = 0; i < nwords; i++) {
		text[2 * i] = (char)(word[first + i] >> 8);
		text[2 * i + 1] = (char)(word[first + i] & 0xff);
	}
	text[2 * nwords] = 0;
}

static void identify_names_the_disk(void **state)
{
	struct board *b = *state;
	uint16_t word[256];
	char text[48];

	identify(b, word);
	text_of(word, 27, 20, text);
	assert_memory_equal(text, "PLEXUS HARDDISK         ", 24);
	text_of(word, 10, 10, text);
	assert_memory_equal(text, "PLX00001            ", 20);
}

static void identify_tells_geometry_and_capacity(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	identify(b, word);
	assert_int_equal(word[0], 0x0040);
	assert_int_equal(word[1], 2);
	assert_int_equal(word[3], 16);
	assert_int_equal(word[6], 63);
	assert_int_equal(word[54], 2);
	assert_int_equal(word[57] | word[58] << 16, 2 * 16 * 63);
	assert_int_equal(word[60] | word[61] << 16, NSECTORS);
	assert_int_equal(word[100] | word[101] << 16, NSECTORS);
	assert_int_equal(word[102] | word[103] << 16, 0);
}

static void identify_of_a_large_disk_saturates_the_small_fields(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	b->block.nsectors = 0x123456789aull;
	b->ide.channel[0].drive[0].native = ide_geometry(b->block.nsectors);
	identify(b, word);
	assert_int_equal(word[1], 16383);
	assert_int_equal(word[60] | word[61] << 16, 0x0fffffff);
	assert_int_equal(word[100] | (uint32_t)word[101] << 16, 0x3456789a);
	assert_int_equal(word[102], 0x12);
}

static void identify_claims_what_drivers_need(void **state)
{
	struct board *b = *state;
	uint16_t word[256];
	uint8_t sum = 0;

	identify(b, word);
	assert_int_equal(word[49] & 0x0300, 0x0300);	/* LBA, DMA */
	assert_int_equal(word[47] & 0xff, 16);
	assert_int_equal(word[53] & 7, 7);
	assert_int_equal(word[63], 0x0407);		/* multiword DMA 2 chosen */
	assert_int_equal(word[83], 0x7400);		/* flush, flush ext, 48-bit */
	assert_int_equal(word[88], 0x003f);
	for (unsigned int i = 0; i < 512; i++)
		sum += ((const uint8_t *)word)[i];
	assert_int_equal(word[255] & 0xff, 0xa5);
	assert_int_equal(sum, 0);
}

static void bios_translation_begins_above_1024_cylinders(void **state)
{
	(void)state;
	assert_int_equal(ide_bios_translation(1024ull * 16 * 63), 0);
	assert_int_equal(ide_bios_translation(1025ull * 16 * 63), 1);
	assert_int_equal(ide_geometry(100).cylinders, 1);
}

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

static void fill(uint8_t *bytes, uint32_t n, uint8_t seed)
{
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 13 + seed);
}

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

/* ---- the other commands ---- */

static void commands_that_a_disk_does_not_have_are_aborted(void **state)
{
	/* DEVICE RESET, PACKET, IDENTIFY PACKET, SMART, SECURITY, SET MAX, NCQ, DSM, READ LOG EXT, reserved; NOP too. */
	static const uint8_t codes[] = { 0x00, 0x08, 0xa0, 0xa1, 0xb0, 0xf5, 0xf9, 0x60, 0x61, 0x06, 0x2f, 0xff, 0x22, 0x32 };
	struct board *b = *state;

	for (size_t i = 0; i < sizeof(codes); i++) {
		simple(b, codes[i], 0, 0);
		assert_true(b->irq);
		assert_int_equal(in(b, STATUS), READY | ERR);
		assert_int_equal(in(b, ERROR), ABRT);
	}
}

static void harmless_commands_end_well(void **state)
{
	/* RECALIBRATE, STANDBY and IDLE with and without IMMEDIATE, SLEEP, and their older codes. */
	static const uint8_t codes[] = { 0x10, 0x1f, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6, 0x94, 0x95, 0x96, 0x97, 0x99 };
	struct board *b = *state;

	for (size_t i = 0; i < sizeof(codes); i++) {
		simple(b, codes[i], 0, 0);
		assert_true(b->irq);
		assert_int_equal(in(b, STATUS), READY);
	}
}

static void power_mode_follows_standby_and_access(void **state)
{
	struct board *b = *state;

	simple(b, 0xe5, 0, 0);
	assert_int_equal(in(b, COUNT), 0xff);
	simple(b, 0xe0, 0, 0);
	simple(b, 0xe5, 0, 0);
	assert_int_equal(in(b, COUNT), 0x00);
	lba28(b, 0x20, 0, 1);
	take_sector(b, 0);
	simple(b, 0xe5, 0, 0);
	assert_int_equal(in(b, COUNT), 0xff);
}

static void seek_checks_the_address(void **state)
{
	struct board *b = *state;

	lba28(b, 0x70, NSECTORS - 1, 0);
	assert_int_equal(in(b, STATUS), READY);
	lba28(b, 0x70, NSECTORS, 0);
	assert_int_equal(in(b, STATUS), READY | ERR);
	assert_int_equal(in(b, ERROR), IDNF);
}

static void native_max_is_the_last_sector(void **state)
{
	struct board *b = *state;

	simple(b, 0xf8, 0, 0);
	assert_int_equal(in(b, STATUS), READY);
	assert_int_equal(in(b, LOW) | in(b, MID) << 8 | in(b, HIGH) << 16, NSECTORS - 1);
	b->block.nsectors = 0x123456789aull;
	simple(b, 0x27, 0, 0);
	assert_int_equal(in(b, LOW) | in(b, MID) << 8 | in(b, HIGH) << 16, 0x567899);
	control(b, 0x80);
	assert_int_equal(in(b, LOW) | in(b, MID) << 8 | in(b, HIGH) << 16, 0x001234);
}

static void set_features_chooses_transfer_modes(void **state)
{
	struct board *b = *state;
	uint16_t word[256];

	simple(b, 0xef, 3, 0x45);		/* Ultra DMA 5 */
	assert_int_equal(in(b, STATUS), READY);
	identify(b, word);
	assert_int_equal(word[88], 0x203f);
	assert_int_equal(word[63], 0x0007);
	simple(b, 0xef, 3, 0x22);		/* multiword DMA 2 */
	simple(b, 0xef, 3, 0x0c);		/* PIO 4 leaves that alone */
	identify(b, word);
	assert_int_equal(word[88], 0x003f);
	assert_int_equal(word[63], 0x0407);
	simple(b, 0xef, 3, 0x46);		/* there is no Ultra DMA 6 */
	assert_int_equal(in(b, STATUS), READY | ERR);
	simple(b, 0xef, 0x05, 0);		/* nor power management levels */
	assert_int_equal(in(b, ERROR), ABRT);
}

static void buffer_commands_keep_a_sector(void **state)
{
	struct board *b = *state;
	uint8_t bytes[512], back[512];

	fill(bytes, sizeof(bytes), 6);
	simple(b, 0xe8, 0, 0);
	assert_int_equal(outs(b, 2, bytes, 256), 256);
	assert_int_equal(in(b, STATUS), READY);
	lba28(b, 0x20, 0, 1);
	take_sector(b, 0);
	simple(b, 0xe4, 0, 0);
	assert_int_equal(ins(b, 2, back, 256), 256);
	assert_memory_equal(bytes, back, 512);
	assert_int_equal(b->writes, 0);
}

static void new_command_ends_one_that_was_given_up(void **state)
{
	struct board *b = *state;

	lba28(b, 0x20, 0, 4);
	in_word(b);
	lba28(b, 0x20, 50, 1);
	take_sector(b, 50);
	assert_int_equal(in(b, STATUS), READY);
}

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

#define T(name) cmocka_unit_test_setup(name, board_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(power_on_shows_the_signature_of_a_disk),
		T(registers_read_back_what_was_written),
		T(absent_drive_1_has_status_zero_and_obeys_nothing),
		T(empty_channel_floats),
		T(two_disks_on_a_cable_are_two),
		T(high_order_bytes_are_the_writes_before),
		T(software_reset_is_busy_while_it_lasts_and_cancels),
		T(diagnostic_passes_and_interrupts),
		T(status_takes_the_interrupt_back_and_alternate_status_does_not),
		T(nien_holds_the_interrupt_until_it_is_cleared),
		T(new_command_takes_the_old_interrupt_back),
		T(interrupt_of_a_drive_that_is_not_selected_waits),
		T(identify_names_the_disk),
		T(identify_tells_geometry_and_capacity),
		T(identify_of_a_large_disk_saturates_the_small_fields),
		T(identify_claims_what_drivers_need),
		T(bios_translation_begins_above_1024_cylinders),
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
		T(commands_that_a_disk_does_not_have_are_aborted),
		T(harmless_commands_end_well),
		T(power_mode_follows_standby_and_access),
		T(seek_checks_the_address),
		T(native_max_is_the_last_sector),
		T(set_features_chooses_transfer_modes),
		T(buffer_commands_keep_a_sector),
		T(new_command_ends_one_that_was_given_up),
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
