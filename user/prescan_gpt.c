/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_gpt.c - disks with a GUID partition table, as the BIOS boots them.
 *
 *      | protective MBR | GPT header | entries | ... | BIOS boot partition: GRUB's core | partitions | ... the table's copy |
 *      sector 0           1            2
 *
 * The BIOS knows nothing of all this: the code in the MBR finds the rest. GRUB's goes by a sector number of its own; a BIOS boot partition that
 * no such number leads to is read as well. The copy at the disk's end is not: no boot loader that starts from the BIOS goes by it.
 *
 * Asked by:  user/prescan_boot.c. Asks: user/prescan_grub.c.
 * Source:    UEFI specification 2.10, "GUID Partition Table (GPT) Disk Layout"; GRUB's manual, "BIOS installation".
 * Tested by: tests/unit/test_prescan_disk.c.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "user/prescan_image.h"

#define SECTOR		512u
#define HEADER_MIN	92u
#define ENTRY_MIN	128u
#define ENTRIES_MAX	(1u << 20)	/* bytes; usual are 16 KiB */
#define CODE_MAX	(1u << 20)	/* of a BIOS boot partition; that is how large it usually is */

/* 21686148-6449-6E6F-744E-656564454649, which spells itself. */
static const uint8_t bios_boot[16] = "Hah!IdontNeedEFI";

static bool all_zero(const uint8_t *bytes, size_t nbytes)
{
	for (size_t i = 0; i < nbytes; i++)
		if (bytes[i])
			return false;
	return true;
}

static enum image_verdict damaged(const struct image_disk *disk, const char *what)
{
	return image_say(disk->image, IMAGE_BAD, "its GUID partition table is damaged: %s", what);
}

static enum image_verdict bios_boot_partition(struct image_disk *disk, unsigned int number, uint64_t first, uint64_t sectors)
{
	struct image_part part = { .image = disk->image, .prefix = disk->prefix };
	size_t nbytes = (size_t)plx_min64(sectors * SECTOR, CODE_MAX);
	struct code_region *region;
	char what[64];
	uint8_t *code;

	if (disk->grub_sector == first)		/* the MBR led there */
		return IMAGE_CODE;
	snprintf(what, sizeof(what), "the BIOS boot partition (%u)", number);
	code = image_buffer(disk->image, nbytes);
	if (!code)
		return image_say(disk->image, IMAGE_BAD, "there is not enough memory to read it");
	if (!disk_fetch(disk, code, nbytes, first * SECTOR, what))
		return IMAGE_BAD;
	if (grub_diskboot_probe(code, first + 1))
		return grub_read(disk, first);
	while (nbytes && !code[nbytes - 1])
		nbytes--;
	if (!nbytes)
		return IMAGE_CODE;
	part.bytes = code;
	part.nbytes = nbytes;
	region = image_region(&part, "BIOS boot partition", 0, 0, nbytes, CODE_GUESS);
	if (!region)
		return IMAGE_BAD;
	region->guess_window = 1024;
	return IMAGE_CODE;
}

static enum image_verdict entry_read(struct image_disk *disk, unsigned int number, const uint8_t *entry)
{
	uint64_t first = image_le64(entry + 32), last = image_le64(entry + 40);
	char name[64];

	if (all_zero(entry, 16))
		return IMAGE_CODE;
	if (!first || last < first) {
		snprintf(name, sizeof(name), "partition %u ends before it begins", number);
		return damaged(disk, name);
	}
	if (first > disk->nbytes / SECTOR)
		return image_say(disk->image, IMAGE_BAD, "is truncated: GPT partition %u begins at sector %llu, the image ends at %llu", number,
				 (unsigned long long)first, (unsigned long long)(disk->nbytes / SECTOR));
	if (!memcmp(entry, bios_boot, sizeof(bios_boot)))
		return bios_boot_partition(disk, number, first, plx_min64(last - first, disk->nbytes) + 1);
	snprintf(name, sizeof(name), "GPT partition %u", number);
	return boot_partition(disk, name, first * SECTOR);
}

enum image_verdict gpt_read(struct image_disk *disk)
{
	uint8_t header[SECTOR], crc[4];
	uint32_t header_bytes, n, entry_bytes;
	uint64_t at;
	uint8_t *entries;

	if (!disk_fetch(disk, header, SECTOR, SECTOR, "the GPT's header"))
		return IMAGE_BAD;
	if (memcmp(header, "EFI PART", 8))
		return damaged(disk, "the MBR announces it, and sector 1 is no GPT header");
	header_bytes = image_le32(header + 12);
	if (header_bytes < HEADER_MIN || header_bytes > SECTOR)
		return damaged(disk, "its header has an impossible length");
	memcpy(crc, header + 16, 4);
	memset(header + 16, 0, 4);
	if (image_le32(crc) != (uint32_t)crc32(0, header, header_bytes))
		return damaged(disk, "its header's checksum does not fit");
	at = image_le64(header + 72);
	n = image_le32(header + 80);
	entry_bytes = image_le32(header + 84);
	if (entry_bytes < ENTRY_MIN || !n || (uint64_t)n * entry_bytes > ENTRIES_MAX || at < 2)
		return damaged(disk, "its header describes impossible entries");
	entries = image_buffer(disk->image, (size_t)n * entry_bytes);
	if (!entries)
		return image_say(disk->image, IMAGE_BAD, "there is not enough memory to read it");
	if (!disk_fetch(disk, entries, (size_t)n * entry_bytes, plx_min64(at, UINT64_MAX / SECTOR) * SECTOR, "the GPT's list of entries"))
		return IMAGE_BAD;
	if (image_le32(header + 88) != (uint32_t)crc32(0, entries, n * entry_bytes))
		return damaged(disk, "its entries' checksum does not fit");
	for (uint32_t i = 0; i < n; i++) {
		enum image_verdict verdict = entry_read(disk, i + 1, entries + (size_t)i * entry_bytes);

		if (verdict != IMAGE_CODE)
			return verdict;
	}
	return IMAGE_CODE;
}
