/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_boot.c - boot sectors, and of disk images the code that boots them.
 *
 * A sector that ends in 55 AA is boot code at 7C00h. A disk's first sector may be followed by GRUB's core, and the partitions it
 * lists may begin with boot sectors of their own. What in a sector is no code is known: the BIOS parameter block behind
 * the first jump, and the partition table.
 *
 * Asked by:  user/prescan_image.c; user/prescan_iso.c, for the disks inside a CD. Asks: user/prescan_grub.c, user/prescan_gpt.c.
 * Tested by: tests/unit/test_prescan_image.c, tests/unit/test_prescan_disk.c.
 */
#include <errno.h>
#include <string.h>

#include "user/prescan_image.h"

#define SECTOR		512u
#define ENTRY		0x7c00u
#define DISK_SIGNATURE	0x1b8u
#define TABLE		0x1beu
#define MARK		0x1feu
#define NR_PARTITIONS	4u
#define TYPE_GPT	0xeeu		/* the cover of a GPT */

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

bool disk_fetch(const struct image_disk *disk, void *to, size_t nbytes, uint64_t offset, const char *what)
{
	int err = disk->fetch(disk->owner, to, nbytes, offset);

	if (err == -ENODATA)
		image_say(disk->image, IMAGE_BAD, "is truncated: %s begins at byte %llu and is %zu bytes long, the image ends at %llu", what,
			  (unsigned long long)offset, nbytes, (unsigned long long)disk->nbytes);
	else if (err)
		image_say(disk->image, IMAGE_BAD, "cannot be read: %s", strerror(-err));
	return !err;
}

enum image_verdict boot_partition(struct image_disk *disk, const char *name, uint64_t offset)
{
	struct image_part boot = { .image = disk->image, .nbytes = SECTOR, .prefix = disk->prefix };
	uint8_t *sector = image_buffer(disk->image, SECTOR);
	char text[80];

	if (!sector)
		return image_say(disk->image, IMAGE_BAD, "there is not enough memory to read it");
	if (!disk_fetch(disk, sector, SECTOR, offset, name))
		return IMAGE_BAD;
	if (!has_mark(sector))
		return IMAGE_CODE;
	boot.bytes = sector;
	snprintf(text, sizeof(text), "%s boot sector", name);
	return sector_region(&boot, text) ? IMAGE_CODE : IMAGE_BAD;
}

/* Neither a partitioned disk nor GRUB: a loader that goes on behind its sector, or a file system. */
static enum image_verdict behind(const struct image_disk *disk, const struct image_part *part)
{
	struct code_region *rest;

	if (disk->iso || part->nbytes <= SECTOR)
		return IMAGE_CODE;
	if (part->bytes[11] == 0 && part->bytes[12] == 2)	/* a FAT's sector size: what follows is its table */
		return IMAGE_CODE;
	rest = image_region(part, "behind the boot sector", ENTRY + SECTOR, SECTOR, part->nbytes - SECTOR, CODE_GUESS);
	if (!rest)
		return IMAGE_BAD;
	rest->guess_window = 1024;
	return IMAGE_CODE;
}

enum image_verdict boot_read(struct image_disk *disk)
{
	const struct image_part part = { .image = disk->image, .bytes = disk->head, .nbytes = disk->nhead, .prefix = disk->prefix };
	bool table = has_table(part.bytes), gpt = false;
	enum image_verdict verdict;

	image_format(part.image, disk->nbytes == SECTOR ? "boot sector" : table ? "disk image" : "boot sector and more");
	if (!sector_region(&part, table ? "MBR" : "boot sector"))
		return IMAGE_BAD;
	if (disk->nbytes == SECTOR)
		return IMAGE_CODE;
	for (unsigned int i = 0; table && i < NR_PARTITIONS; i++) {
		const uint8_t *entry = part.bytes + TABLE + i * 16;
		uint64_t at = (uint64_t)image_le32(entry + 8) * SECTOR;
		char name[32];

		gpt |= entry[4] == TYPE_GPT;
		if (!entry[4] || entry[4] == TYPE_GPT || !at)
			continue;
		snprintf(name, sizeof(name), "partition %u", i + 1);
		verdict = boot_partition(disk, name, at);
		if (verdict != IMAGE_CODE)
			return verdict;
	}
	if (grub_probe(part.bytes))
		verdict = grub_read(disk, grub_sector(part.bytes));
	else
		verdict = table ? IMAGE_CODE : behind(disk, &part);
	return verdict == IMAGE_CODE && gpt ? gpt_read(disk) : verdict;
}
