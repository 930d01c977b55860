/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/ata_identify.c - what a disk says of itself, in the 256 words of IDENTIFY DEVICE.
 *
 * Asked by:  devices/ata_command.c; devices/pc.c for the geometry that goes into CMOS.
 * Asks:      nothing.
 * Source:    ATA/ATAPI-6, "IDENTIFY DEVICE", word by word.
 * Rule:      a feature is claimed here if and only if ata_command.c has it. An old driver that finds no claim does
 *            without; one that finds a false claim fails.
 * Tested by: tests/unit/test_ide.c.
 */
#include "devices/ide_parts.h"

#define HEADS		16
#define SECTORS		63
#define MAX_CYLINDERS	16383		/* what CHS can say; larger disks report this and LBA */
#define MAX_LBA28	0x0fffffffull

#define MODEL		"PLEXUS HARDDISK"
#define FIRMWARE	"1.0"
#define SERIAL		"PLX0000"	/* and the drive's number */

struct ide_geometry ide_geometry(uint64_t nsectors)
{
	uint64_t cylinders = nsectors / (HEADS * SECTORS);
	struct ide_geometry geometry = { .heads = HEADS, .sectors = SECTORS };

	if (cylinders == 0)
		cylinders = 1;
	geometry.cylinders = (uint16_t)plx_min64(cylinders, MAX_CYLINDERS);
	return geometry;
}

unsigned int ide_bios_translation(uint64_t nsectors)
{
	/* INT 13h has ten bits for the cylinder: above that, heads must be multiplied (LBA-assisted). */
	return ide_geometry(nsectors).cylinders > 1024 ? 1 : 0;
}

static void put(uint8_t *bytes, unsigned int word, uint16_t value)
{
	bytes[2 * word] = value & 0xff;
	bytes[2 * word + 1] = value >> 8;
}

static void put_long(uint8_t *bytes, unsigned int word, uint64_t value, unsigned int nwords)
{
	for (unsigned int i = 0; i < nwords; i++)
		put(bytes, word + i, value >> (16 * i) & 0xffff);
}

/* ATA strings: the first character of each pair is in the high byte; padded with blanks. */
static void put_string(uint8_t *bytes, unsigned int word, unsigned int nwords, const char *text)
{
	for (unsigned int i = 0; i < 2 * nwords; i++)
		bytes[2 * word + (i ^ 1)] = *text ? (uint8_t)*text++ : ' ';
}

void ata_identify(const struct ide_drive *drive, uint8_t *bytes)
{
	uint64_t nsectors = drive->block->nsectors;
	uint32_t chs = (uint32_t)drive->current.cylinders * drive->current.heads * drive->current.sectors;
	char serial[] = SERIAL "1";
	uint8_t sum = 0;

	memset(bytes, 0, IDE_SECTOR_BYTES);
	serial[sizeof(SERIAL) - 1] += (char)drive->index;

	put(bytes, 0, 0x0040);				/* ATA, fixed */
	put(bytes, 1, drive->native.cylinders);
	put(bytes, 3, drive->native.heads);
	put(bytes, 4, (uint16_t)(drive->native.sectors * IDE_SECTOR_BYTES));	/* retired: bytes a track, */
	put(bytes, 5, IDE_SECTOR_BYTES);		/* bytes a sector; DOS drivers read them */
	put(bytes, 6, drive->native.sectors);
	put_string(bytes, 10, 10, serial);
	put(bytes, 20, 3);				/* retired: dual-ported buffer with cache, */
	put(bytes, 21, IDE_BUFFER_SECTORS);		/* its size, */
	put(bytes, 22, 4);				/* and ECC bytes */
	put_string(bytes, 23, 4, FIRMWARE);
	put_string(bytes, 27, 20, MODEL);
	put(bytes, 47, 0x8000 | IDE_MAX_MULTIPLE);
	put(bytes, 48, 1);				/* retired: 32-bit data port */
	put(bytes, 49, 0x2f00);				/* standard standby timer, IORDY, LBA, DMA */
	put(bytes, 50, 0x4000);
	put(bytes, 51, 0x0200);				/* retired: PIO and DMA timing modes */
	put(bytes, 52, 0x0200);
	put(bytes, 53, 7);				/* words 54-58, 64-70 and 88 are valid */
	put(bytes, 54, drive->current.cylinders);
	put(bytes, 55, drive->current.heads);
	put(bytes, 56, drive->current.sectors);
	put_long(bytes, 57, chs, 2);
	if (drive->multiple)
		put(bytes, 59, 0x0100 | drive->multiple);
	put_long(bytes, 60, plx_min64(nsectors, MAX_LBA28), 2);
	put(bytes, 63, 0x07 | drive->mwdma_mode << 8);	/* multiword DMA 0 - 2 */
	put(bytes, 64, 3);				/* PIO 3 and 4 */
	for (unsigned int word = 65; word <= 68; word++)
		put(bytes, word, 120);			/* cycle times in ns */
	put(bytes, 80, 0x0070);				/* ATA-4, ATA-5, ATA-6 */
	put(bytes, 82, 0x7028);				/* NOP, READ BUFFER, WRITE BUFFER, write cache, power management */
	put(bytes, 83, 0x7400);				/* FLUSH CACHE and EXT, 48-bit addresses */
	put(bytes, 84, 0x4000);
	put(bytes, 85, 0x7008 | (drive->write_cache ? 0x0020 : 0));
	put(bytes, 86, 0x3400);
	put(bytes, 87, 0x4000);
	put(bytes, 88, 0x3f | drive->udma_mode << 8);	/* Ultra DMA 0 - 5 */
	/* Result of the hardware reset: an 80-wire cable; our half says passed, number by jumper. */
	put(bytes, 93, drive->index & 1 ? 0x6b00 : 0x600b);
	put_long(bytes, 100, nsectors, 4);

	bytes[510] = 0xa5;				/* the checksum is valid, and makes the sum zero */
	for (unsigned int i = 0; i < 511; i++)
		sum += bytes[i];
	bytes[511] = (uint8_t)-sum;
}
