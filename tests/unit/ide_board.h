/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/ide_board.h - an IDE function with one disk, and a driver in small, for the tests of both.
 *
 * The disk is an array with a sector that can be made bad; memory is an array too. Functions, not a library: each test
 * program has its own copy and uses what it needs.
 */
#ifndef TESTS_UNIT_IDE_BOARD_H
#define TESTS_UNIT_IDE_BOARD_H

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

PLX_UNUSED static bool hits(uint64_t bad, uint64_t sector, uint32_t n)
{
	return bad != NONE && bad >= sector && bad < sector + n;
}

PLX_UNUSED static int media_read(void *owner, uint64_t sector, void *buf, uint32_t n)
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

PLX_UNUSED static int media_write(void *owner, uint64_t sector, const void *buf, uint32_t n)
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

PLX_UNUSED static int media_flush(void *owner)
{
	struct board *b = owner;

	b->flushes++;
	return b->flush_error;
}

PLX_UNUSED static void ram_read(void *owner, uint32_t gpa, void *buf, uint32_t nbytes)
{
	struct board *b = owner;

	for (uint32_t i = 0; i < nbytes; i++)
		((uint8_t *)buf)[i] = gpa + i < RAM_BYTES ? b->ram[gpa + i] : 0xff;
}

PLX_UNUSED static void ram_write(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	struct board *b = owner;

	for (uint32_t i = 0; i < nbytes; i++)
		if (gpa + i < RAM_BYTES)
			b->ram[gpa + i] = ((const uint8_t *)buf)[i];
}

PLX_UNUSED static void on_irq(void *owner, unsigned int line, bool level)
{
	struct board *b = owner;

	assert_int_equal(line, 14);
	assert_int_not_equal(b->irq, level);
	b->irq = level;
	b->irqs += level;
}

PLX_UNUSED static void on_host_error(void *owner, unsigned int disk, enum ide_host_operation operation, uint64_t sector, int error)
{
	struct board *b = owner;

	assert_int_equal(disk, 0);
	b->reports++;
	b->reported = operation;
	b->reported_sector = sector;
	b->reported_error = error;
}

PLX_UNUSED static uint8_t pattern(uint32_t sector, uint32_t byte)
{
	return (uint8_t)(sector * 31 + byte * 7 + (byte >> 8));
}

/* One disk on the primary channel; bus master placed and allowed. */
PLX_UNUSED static int board_setup(void **state)
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

PLX_UNUSED static uint8_t in(struct board *b, unsigned int reg)
{
	return ide_command_ports.in(&b->ide.channel[0], 0x1f0 + reg, 1, 0) & 0xff;
}

PLX_UNUSED static void out(struct board *b, unsigned int reg, uint8_t value)
{
	ide_command_ports.out(&b->ide.channel[0], 0x1f0 + reg, 1, value, 0);
}

PLX_UNUSED static uint8_t alt_status(struct board *b)
{
	return ide_control_ports.in(&b->ide.channel[0], 0x3f6, 1, 0) & 0xff;
}

PLX_UNUSED static void control(struct board *b, uint8_t value)
{
	ide_control_ports.out(&b->ide.channel[0], 0x3f6, 1, value, 0);
}

PLX_UNUSED static uint16_t in_word(struct board *b)
{
	return ide_command_ports.in(&b->ide.channel[0], 0x1f0, 2, 0) & 0xffff;
}

PLX_UNUSED static void out_word(struct board *b, uint16_t value)
{
	ide_command_ports.out(&b->ide.channel[0], 0x1f0, 2, value, 0);
}

PLX_UNUSED static uint32_t ins(struct board *b, unsigned int size, void *buf, uint32_t count)
{
	return ide_command_ports.ins(&b->ide.channel[0], 0x1f0, size, buf, count, 0);
}

PLX_UNUSED static uint32_t outs(struct board *b, unsigned int size, const void *buf, uint32_t count)
{
	return ide_command_ports.outs(&b->ide.channel[0], 0x1f0, size, buf, count, 0);
}

PLX_UNUSED static void lba28(struct board *b, uint8_t command, uint32_t lba, uint8_t count)
{
	out(b, DEVICE, 0xe0 | (lba >> 24 & 15));
	out(b, COUNT, count);
	out(b, LOW, lba & 0xff);
	out(b, MID, lba >> 8 & 0xff);
	out(b, HIGH, lba >> 16 & 0xff);
	out(b, COMMAND, command);
}

PLX_UNUSED static void lba48(struct board *b, uint8_t command, uint64_t lba, uint16_t count)
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

PLX_UNUSED static void chs(struct board *b, uint8_t command, uint16_t cylinder, uint8_t head, uint8_t sector, uint8_t count)
{
	out(b, DEVICE, 0xa0 | head);
	out(b, COUNT, count);
	out(b, LOW, sector);
	out(b, MID, cylinder & 0xff);
	out(b, HIGH, cylinder >> 8);
	out(b, COMMAND, command);
}

PLX_UNUSED static void simple(struct board *b, uint8_t command, uint8_t feature, uint8_t count)
{
	out(b, DEVICE, 0xe0);
	out(b, FEATURE, feature);
	out(b, COUNT, count);
	out(b, COMMAND, command);
}

PLX_UNUSED static void expect_sector(const uint8_t *bytes, uint32_t sector)
{
	for (uint32_t i = 0; i < 512; i++)
		if (bytes[i] != pattern(sector, i))
			fail_msg("sector %u differs at byte %u", sector, i);
}

PLX_UNUSED static void take_sector(struct board *b, uint32_t sector)
{
	uint8_t bytes[512];

	assert_int_equal(in(b, STATUS), READY | DRQ);
	assert_int_equal(ins(b, 2, bytes, 256), 256);
	expect_sector(bytes, sector);
}

PLX_UNUSED static void identify(struct board *b, uint16_t *word)
{
	simple(b, 0xec, 0, 0);
	assert_int_equal(in(b, STATUS), READY | DRQ);
	assert_int_equal(ins(b, 2, word, 256), 256);
	assert_int_equal(in(b, STATUS), READY);
}

PLX_UNUSED static void fill(uint8_t *bytes, uint32_t n, uint8_t seed)
{
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 13 + seed);
}

#define T(name) cmocka_unit_test_setup(name, board_setup)

#endif
