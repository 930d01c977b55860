/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_iso.c - bootable CDs: El Torito in ISO 9660.
 *
 *      | system area: a hybrid's MBR | volume descriptors | ... boot catalog ... boot images |
 *      0                               sector 16 (of 2048 bytes)
 *
 *      boot record (a volume descriptor) --> boot catalog: validation, default entry, sections --> boot images
 *
 * A boot image is code that the BIOS loads as it is (no emulation), or a floppy or hard disk that it shows to the guest: that is then read as any
 * disk. Images for other platforms than the PC's BIOS (EFI, PowerPC) are passed over. The files of the CD are not looked at.
 *
 * Asked by:  user/prescan_image.c. Asks: user/prescan_boot.c, user/prescan_grub.c.
 * Source:    "El Torito" Bootable CD-ROM Format Specification 1.0; ECMA-119, 8.
 * Tested by: tests/unit/test_prescan_disk.c.
 */
#include <errno.h>
#include <string.h>

#include "user/prescan_image.h"

#define CD_SECTOR	2048u
#define SECTOR		512u
#define DESCRIPTORS	16u		/* the first one's sector */
#define DESCRIPTORS_MAX	64u
#define RECORD		32u		/* the catalog is made of these */
#define RECORDS_MAX	2048u
#define ENTRY		0x7c00u
#define INFO_TABLE	8u		/* in a boot image: where it is and how long, as mkisofs' -boot-info-table puts it */
#define INFO_END	64u
#define LOADED_16	2048u		/* what a loader surely begins with in 16-bit mode */
#define CODE_MAX	(32u << 20)

enum { MEDIA_NONE = 0, MEDIA_1200K, MEDIA_1440K, MEDIA_2880K, MEDIA_DISK };
enum { PLATFORM_BIOS = 0 };
enum { BOOTABLE = 0x88, NOT_BOOTABLE = 0x00, SECTION = 0x90, SECTION_LAST = 0x91, EXTENSION = 0x44 };

bool iso_probe(const struct image_disk *disk)
{
	uint8_t id[5];

	return disk->nbytes >= (DESCRIPTORS + 1) * CD_SECTOR &&
	       !disk->fetch(disk->owner, id, sizeof(id), DESCRIPTORS * CD_SECTOR + 1) && !memcmp(id, "CD001", 5);
}

static enum image_verdict damaged(const struct image_disk *disk, const char *what)
{
	return image_say(disk->image, IMAGE_BAD, "its El Torito boot catalog is damaged: %s", what);
}

/* ---- boot images ---- */

/* A disk inside the CD. */
struct inner {
	const struct image_disk *cd;
	uint64_t at, nbytes;
};

static int fetch_inner(void *owner, void *to, size_t nbytes, uint64_t offset)
{
	const struct inner *inner = owner;

	if (offset > inner->nbytes || nbytes > inner->nbytes - offset)
		return -ENODATA;
	return inner->cd->fetch(inner->cd->owner, to, nbytes, inner->at + offset);
}

static enum image_verdict emulated(struct image_disk *cd, unsigned int number, unsigned int media, uint64_t at)
{
	static const uint32_t floppy_bytes[] = { [MEDIA_1200K] = 1200u << 10, [MEDIA_1440K] = 1440u << 10, [MEDIA_2880K] = 2880u << 10 };
	struct inner inner = { .cd = cd, .at = at, .nbytes = media == MEDIA_DISK ? cd->nbytes - at : floppy_bytes[media] };
	struct image_disk disk = { .image = cd->image, .nbytes = inner.nbytes, .fetch = fetch_inner, .owner = &inner };
	size_t nhead = media == MEDIA_DISK ? SECTOR : (size_t)inner.nbytes;	/* a hard disk's other sectors are fetched */
	uint8_t *head = image_buffer(cd->image, nhead);
	char what[48], prefix[32];

	if (!head)
		return image_say(cd->image, IMAGE_BAD, "there is not enough memory to read it");
	snprintf(what, sizeof(what), "El Torito boot image %u", number);
	if (!disk_fetch(cd, head, nhead, at, what))
		return IMAGE_BAD;
	if (!boot_probe(head, nhead))
		return image_say(cd->image, IMAGE_BAD, "%s is %s without a boot sector", what,
				 media == MEDIA_DISK ? "a hard disk" : "a floppy");
	snprintf(prefix, sizeof(prefix), "El Torito %u:", number);
	disk.prefix = prefix;
	disk.head = head;
	disk.nhead = nhead;
	return boot_read(&disk);
}

/* How long the image's file is, if it says so and is the one that it speaks of; else 0. */
static uint32_t info_table(const uint8_t *start, size_t nbytes, uint32_t lba)
{
	if (nbytes < INFO_END || image_le32(start + INFO_TABLE) != DESCRIPTORS || image_le32(start + INFO_TABLE + 4) != lba)
		return 0;
	return image_le32(start + INFO_TABLE + 8);
}

static enum image_verdict no_emulation(struct image_disk *cd, unsigned int number, const uint8_t *entry)
{
	uint32_t lba = image_le32(entry + 8), sectors = image_le16(entry + 6), segment = image_le16(entry + 2), told;
	uint64_t at = (uint64_t)lba * CD_SECTOR, address = segment ? (uint64_t)segment << 4 : ENTRY;
	size_t loaded = (sectors ? sectors : 1) * SECTOR, nbytes, first;
	uint8_t start[INFO_END];
	char what[48], prefix[32];
	struct image_part part = { .image = cd->image, .prefix = prefix };
	struct code_region *region;
	uint8_t *code;

	snprintf(what, sizeof(what), "El Torito boot image %u", number);
	snprintf(prefix, sizeof(prefix), "El Torito %u:", number);
	if (!disk_fetch(cd, start, sizeof(start), at, what))
		return IMAGE_BAD;
	told = info_table(start, sizeof(start), lba);
	if (told > CODE_MAX)
		return image_say(cd->image, IMAGE_BAD, "%s says that it is %u MiB long, which no loader is", what, told >> 20);
	nbytes = told > loaded ? told : loaded;
	code = image_buffer(cd->image, nbytes);
	if (!code)
		return image_say(cd->image, IMAGE_BAD, "there is not enough memory to read it");
	if (!disk_fetch(cd, code, nbytes, at, what))
		return IMAGE_BAD;
	part.bytes = code;
	part.nbytes = nbytes;
	first = nbytes < LOADED_16 ? nbytes : LOADED_16;
	region = image_region(&part, "boot image", address, 0, first, CODE_16);
	if (!region)
		return IMAGE_BAD;
	if (told) {
		image_mark(cd->image, region, INFO_TABLE, MARK_DATA);
		image_mark(cd->image, region, INFO_END, MARK_CODE);
	}
	if (nbytes == first)
		return IMAGE_CODE;
	/* GRUB: its part for CDs, then diskboot.img, then its core. The MBR of a hybrid leads to the same one. */
	if (nbytes >= first + SECTOR && grub_diskboot_probe(code + first, 0))
		return cd->grub_sector == (at + first) / SECTOR ? IMAGE_CODE :
		       grub_core(cd->image, prefix, code + first + SECTOR, nbytes - first - SECTOR);
	region = image_region(&part, "behind its first sectors", address + first, first, nbytes - first, CODE_GUESS);
	if (!region)
		return IMAGE_BAD;
	region->guess_window = 1024;
	return IMAGE_CODE;
}

/* ---- the catalog ---- */

static enum image_verdict boot_image(struct image_disk *cd, unsigned int number, const uint8_t *entry)
{
	unsigned int media = entry[1] & 0x0f;
	uint64_t at = (uint64_t)image_le32(entry + 8) * CD_SECTOR;
	char what[64];

	if (media > MEDIA_DISK) {
		snprintf(what, sizeof(what), "boot image %u is of no kind that there is (%u)", number, media);
		return damaged(cd, what);
	}
	if (at < (DESCRIPTORS + 1) * CD_SECTOR) {
		snprintf(what, sizeof(what), "boot image %u is at sector %u", number, image_le32(entry + 8));
		return damaged(cd, what);
	}
	if (at >= cd->nbytes)
		return image_say(cd->image, IMAGE_BAD, "is truncated: El Torito boot image %u begins at byte %llu, the image ends at %llu", number,
				 (unsigned long long)at, (unsigned long long)cd->nbytes);
	return media == MEDIA_NONE ? no_emulation(cd, number, entry) : emulated(cd, number, media, at);
}

/* Key, sum of all words, and the platform, which is also that of the default entry. */
static const char *invalid(const uint8_t *record)
{
	uint32_t sum = 0;

	if (record[0] != 1 || record[30] != 0x55 || record[31] != 0xaa)
		return "it does not begin with a validation entry";
	for (unsigned int i = 0; i < RECORD; i += 2)
		sum += image_le16(record + i);
	return sum & 0xffff ? "the validation entry's checksum does not fit" : NULL;
}

static enum image_verdict catalog_read(struct image_disk *cd, uint64_t at)
{
	unsigned int platform = 0, number = 0, left = 1;	/* entries of this section still to come */
	bool more = true;					/* another section header may follow */
	const char *trouble;
	uint8_t r[RECORD];

	for (unsigned int i = 0; i < RECORDS_MAX && (more || left); i++) {
		enum image_verdict verdict;

		if (!disk_fetch(cd, r, RECORD, at + (uint64_t)i * RECORD, "the El Torito boot catalog"))
			return IMAGE_BAD;
		if (i == 0) {
			trouble = invalid(r);
			if (trouble)
				return damaged(cd, trouble);
			platform = r[1];
			continue;
		}
		if (r[0] == EXTENSION && i > 1)			/* more about the entry before; nothing on where its code is */
			continue;
		if (!left) {
			if (r[0] != SECTION && r[0] != SECTION_LAST)	/* zeros: no section at all, the usual end */
				break;
			more = r[0] == SECTION;
			platform = r[1];
			left = image_le16(r + 2);
			continue;
		}
		left--;
		number++;
		if (r[0] != BOOTABLE && r[0] != NOT_BOOTABLE)
			return damaged(cd, "an entry is neither bootable nor the contrary");
		if (r[0] == NOT_BOOTABLE || platform != PLATFORM_BIOS)
			continue;
		verdict = boot_image(cd, number, r);
		if (verdict != IMAGE_CODE)
			return verdict;
	}
	return IMAGE_CODE;
}

enum image_verdict iso_read(struct image_disk *disk)
{
	uint8_t d[CD_SECTOR];

	for (uint32_t i = DESCRIPTORS; i < DESCRIPTORS + DESCRIPTORS_MAX; i++) {
		if (!disk_fetch(disk, d, CD_SECTOR, (uint64_t)i * CD_SECTOR, "its list of volume descriptors"))
			return IMAGE_BAD;
		if (memcmp(d + 1, "CD001", 5))
			return image_say(disk->image, IMAGE_BAD, "its list of volume descriptors is damaged at sector %u", i);
		if (d[0] == 255)
			return IMAGE_CODE;
		if (d[0] == 0 && !memcmp(d + 7, "EL TORITO SPECIFICATION", 23))
			return catalog_read(disk, (uint64_t)image_le32(d + 71) * CD_SECTOR);
	}
	return image_say(disk->image, IMAGE_BAD, "its list of volume descriptors has no end");
}
