/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_boot.c - boot sectors, and of disk images the code that boots them.
 *
 * A sector that ends in 55 AA is boot code at 7C00h. A disk's first sector may be followed by GRUB's core, and the partitions it
 * lists may begin with boot sectors of their own. What in a sector is no code is known: the BIOS parameter block behind
 * the first jump, and the partition table.
 *
 * Asked by:  user/prescan_image.c. Asks: user/prescan_grub.c.
 */
#include <string.h>

#include "user/prescan_image.h"

#define SECTOR		512u
#define ENTRY		0x7c00u
#define DISK_SIGNATURE	0x1b8u
#define TABLE		0x1beu
#define MARK		0x1feu
#define NR_PARTITIONS	4u

static bool has_mark(const uint8_t *sector)
{
	return sector[MARK] == 0x55 && sector[MARK + 1] == 0xaa;
}

bool boot_probe(const uint8_t *bytes, size_t nbytes)
{
	return nbytes >= SECTOR && has_mark(bytes);
}

/* Is there a partition table? Its four flags are 00 or 80, and something is in it. */
static bool has_table(const uint8_t *sector)
{
	bool any = false;

	for (unsigned int i = 0; i < NR_PARTITIONS; i++) {
		const uint8_t *p = sector + TABLE + i * 16;

		if (p[0] & 0x7f)
			return false;
		any |= p[4] && image_le32(p + 12);
	}
	return any;
}

/* One boot sector as a region. */
static bool sector_region(const struct image_part *part, const char *name)
{
	const uint8_t *b = part->bytes;
	struct code_region *region = image_region(part, name, ENTRY, 0, SECTOR, CODE_16);
	uint32_t skip = 0, begin = 0, end = MARK;

	if (!region)
		return false;
	/* "jmp over the parameter block": EB xx 90 or E9 xx xx. */
	if (b[0] == 0xeb && b[2] == 0x90 && b[1] < 0x80) {
		skip = b[1] + 2u;
		begin = 3;
	} else if (b[0] == 0xe9) {
		skip = image_le16(b + 1) + 3u;
		begin = 3;
	}
	if (skip > begin && skip < TABLE) {
		image_mark(part->image, region, begin, MARK_DATA);
		image_mark(part->image, region, skip, MARK_CODE);
	}
	if (has_table(b))
		end = DISK_SIGNATURE;
	image_mark(part->image, region, end, MARK_DATA);
	return true;
}

enum image_verdict boot_read(const struct image_part *part, uint64_t disk_bytes,
			     int (*fetch)(void *owner, void *to, size_t nbytes, uint64_t offset), void *owner)
{
	bool table = has_table(part->bytes);
	enum image_verdict verdict;

	image_format(part->image, disk_bytes == SECTOR ? "boot sector" : table ? "disk image" : "boot sector and more");
	if (!sector_region(part, table ? "MBR" : "boot sector"))
		return IMAGE_BAD;
	if (disk_bytes == SECTOR)
		return IMAGE_CODE;
	for (unsigned int i = 0; table && i < NR_PARTITIONS; i++) {
		const uint8_t *entry = part->bytes + TABLE + i * 16;
		uint64_t at = (uint64_t)image_le32(entry + 8) * SECTOR;
		struct image_part boot = { .image = part->image, .nbytes = SECTOR, .prefix = part->prefix };
		uint8_t *sector;
		char name[32];

		if (!entry[4] || entry[4] == 0xee || !at)	/* EE: the cover of a GPT */
			continue;
		sector = image_buffer(part->image, SECTOR);
		if (!sector)
			return image_say(part->image, IMAGE_BAD, "there is not enough memory to read it");
		if (fetch(owner, sector, SECTOR, at))
			return image_say(part->image, IMAGE_BAD, "is truncated: partition %u begins at byte %llu, the image ends at %llu",
					 i + 1, (unsigned long long)at, (unsigned long long)disk_bytes);
		if (!has_mark(sector))
			continue;
		boot.bytes = sector;
		snprintf(name, sizeof(name), "partition %u boot sector", i + 1);
		if (!sector_region(&boot, name))
			return IMAGE_BAD;
	}
	if (grub_probe(part->bytes)) {
		verdict = grub_read(part);
		if (verdict != IMAGE_CODE)
			return verdict;
	} else if (!table && part->nbytes > SECTOR) {
		/* Neither a partitioned disk nor GRUB: a loader that goes on behind its sector, or a file system. */
		struct code_region *rest;

		if (part->bytes[11] == 0 && part->bytes[12] == 2)	/* a FAT's sector size: what follows is its table */
			return IMAGE_CODE;
		rest = image_region(part, "behind the boot sector", ENTRY + SECTOR, SECTOR, part->nbytes - SECTOR, CODE_GUESS);
		if (!rest)
			return IMAGE_BAD;
		rest->guess_window = 1024;
	}
	return IMAGE_CODE;
}
