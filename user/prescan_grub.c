/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_grub.c - GRUB 2 for the BIOS, as grub-install leaves it on a disk.
 *
 *      MBR (boot.img) --> diskboot.img (16-bit, lists the rest's sectors) --> unpacker (16- and 32-bit) --> kernel and modules
 *                                                                             | LZMA, without a header |
 *
 * The unpacked part is the kernel at 9000h, then a list of modules: "mimg", where the first one is, and for each its type and
 * size; a module is an ELF object.
 *
 * On a CD, diskboot.img and what follows are one file with the loader for CDs before them.
 *
 * Asked by:  user/prescan_boot.c, user/prescan_gpt.c, user/prescan_iso.c. Source: GRUB's own structures: i386/pc/boot.h, offsets of startup_raw, kernel.h.
 */
#include <string.h>

#include "user/prescan_image.h"

#define SECTOR			512u
#define KERNEL_SECTOR		0x5cu	/* in boot.img: where diskboot.img is */
#define HYBRID_SECTOR		0x1b0u	/* the same in boot_hybrid.img, which CDs begin with; it has 0 there */
#define LIST_LAST		0x1f4u	/* in diskboot.img: first entry of the list, which grows downward by 12 */
#define LIST_ENTRY		12u	/* first sector, how many, at which segment */
#define LIST_SEGMENT		0x820u	/* the first entry's */
#define CORE_MAX		(2u << 20)	/* it is loaded below 640 KiB */
#define CORE_ADDRESS		0x8200u
#define PACKED_BYTES		0x08u	/* in the unpacker */
#define UNPACKED_BYTES		0x0cu
#define UNPACKER_CODE		0x1cu	/* behind its fields */
#define UNPACKER_MAX		0x2000u
#define UNPACKED_MAX		(64u << 20)
#define KERNEL_ADDRESS		0x9000u
#define MODULES_MAGIC		"mimg"
#define MODULE_ELF		0u

bool grub_probe(const uint8_t *sector)
{
	for (unsigned int i = 0; i + 4 < SECTOR; i++)
		if (!memcmp(sector + i, "GRUB", 4))
			return true;
	return false;
}

bool grub_diskboot_probe(const uint8_t *sector, uint64_t core)
{
	const uint8_t *entry = sector + LIST_LAST;

	return image_le16(entry + 8) && image_le16(entry + 10) == LIST_SEGMENT && (!core || image_le64(entry) == core);
}

uint64_t grub_sector(const uint8_t *sector)
{
	uint64_t at = image_le64(sector + KERNEL_SECTOR);

	return at ? at : image_le64(sector + HYBRID_SECTOR);
}

/* The core's sectors, one after the other, from the list in diskboot.img. Returns how many bytes; 0: the list lies. */
static size_t gather(const struct image_disk *disk, const uint8_t *diskboot, uint8_t *to, size_t room)
{
	size_t n = 0;

	for (unsigned int at = LIST_LAST; at >= LIST_ENTRY; at -= LIST_ENTRY) {
		uint64_t start = image_le64(diskboot + at);
		uint64_t nbytes = (uint64_t)image_le16(diskboot + at + 8) * SECTOR;

		if (!nbytes)
			break;
		if (start > disk->nbytes / SECTOR || nbytes > room - n ||
		    disk->fetch(disk->owner, to + n, (size_t)nbytes, start * SECTOR))
			return 0;
		n += (size_t)nbytes;
	}
	return n;
}

/* Modules behind the kernel. A module that is damaged is told, the others are read. */
static enum image_verdict modules(const struct image_part *core, size_t list)
{
	uint64_t at = list + image_le32(core->bytes + list + 4), end = list + image_le32(core->bytes + list + 8);

	if (end > core->nbytes)
		return image_say(core->image, IMAGE_BAD, "GRUB's list of modules ends outside its core");
	for (unsigned int i = 0; at + 8 <= end; i++) {
		uint32_t type = image_le32(core->bytes + at), nbytes = image_le32(core->bytes + at + 4);
		struct image_part module = { .image = core->image, .bytes = core->bytes + at + 8, .nbytes = nbytes - 8, .depth = 1 };
		enum image_verdict verdict;
		char prefix[64];

		if (nbytes < 8 || nbytes > end - at)
			return image_say(core->image, IMAGE_BAD, "GRUB's module %u is cut off", i);
		snprintf(prefix, sizeof(prefix), "%sGRUB module %u:", core->prefix, i);
		module.prefix = prefix;
		if (type == MODULE_ELF) {
			verdict = image_inner(&module);
			if (verdict == IMAGE_BAD || verdict == IMAGE_FOREIGN)
				return verdict;
		}
		at += nbytes;
	}
	return IMAGE_CODE;
}

/* The kernel ends where the list of modules begins; the word may also occur by chance, so the fields behind it must fit. */
static size_t find_modules(const uint8_t *bytes, size_t nbytes)
{
	for (size_t i = 0; i + 12 <= nbytes; i += 4)
		if (!memcmp(bytes + i, MODULES_MAGIC, 4) && image_le32(bytes + i + 4) == 12 && image_le32(bytes + i + 8) <= nbytes - i)
			return i;
	return 0;
}

static enum image_verdict unpacked(const struct image_part *core, uint8_t *bytes, size_t nbytes)
{
	struct image_part inner = { .image = core->image, .bytes = bytes, .nbytes = nbytes, .prefix = core->prefix };
	size_t list = find_modules(bytes, nbytes);
	struct code_region *kernel = image_region(&inner, "GRUB kernel", KERNEL_ADDRESS, 0, list ? list : nbytes, CODE_GUESS);

	if (!kernel)
		return IMAGE_BAD;
	kernel->guess_window = 1024;
	return list ? modules(&inner, list) : IMAGE_CODE;
}

enum image_verdict grub_core(struct code_image *image, const char *prefix, const uint8_t *bytes, size_t n)
{
	const struct image_part core = { .image = image, .bytes = bytes, .nbytes = n, .prefix = prefix };
	struct code_region *region;
	uint32_t packed, nbytes;
	uint8_t *out;

	if (n < UNPACKER_MAX)
		return image_say(image, IMAGE_BAD, "GRUB's core is truncated: there are %zu bytes of it", n);
	packed = image_le32(bytes + PACKED_BYTES);
	nbytes = image_le32(bytes + UNPACKED_BYTES);
	if (packed > n || nbytes > UNPACKED_MAX || nbytes < packed)
		return image_say(image, IMAGE_BAD, "GRUB's core does not say how it is packed");
	out = image_buffer(image, nbytes);
	if (!out)
		return image_say(image, IMAGE_BAD, "there is not enough memory to read it");
	/* The unpacker's own length is nowhere; a range coder's first byte is 0, and only the right start yields all bytes. */
	for (uint32_t at = UNPACKER_CODE; at < UNPACKER_MAX && at + packed <= n; at++) {
		if (bytes[at] || !unpack_lzma_raw(bytes + at, packed, out, nbytes) || !find_modules(out, nbytes))
			continue;
		region = image_region(&core, "GRUB unpacker", CORE_ADDRESS, 0, at, CODE_GUESS);
		if (!region)
			return IMAGE_BAD;
		region->guess_window = 256;
		image_mark(image, region, PACKED_BYTES, MARK_DATA);
		image_mark(image, region, UNPACKER_CODE, MARK_CODE);
		return unpacked(&core, out, nbytes);
	}
	return image_say(image, IMAGE_BAD, "GRUB's core cannot be unpacked; it may be of another version");
}

enum image_verdict grub_read(struct image_disk *disk, uint64_t sector)
{
	struct code_image *image = disk->image;
	struct image_part part = { .image = image, .nbytes = SECTOR, .prefix = disk->prefix };
	struct code_region *region;
	uint8_t *diskboot, *bytes;
	size_t n;

	if (sector == 0 || sector >= disk->nbytes / SECTOR)
		return image_say(image, IMAGE_BAD, "is truncated: GRUB's core is at sector %llu, the image ends at %llu",
				 (unsigned long long)sector, (unsigned long long)(disk->nbytes / SECTOR));
	diskboot = image_buffer(image, SECTOR);
	bytes = image_buffer(image, CORE_MAX);
	if (!diskboot || !bytes)
		return image_say(image, IMAGE_BAD, "there is not enough memory to read it");
	if (!disk_fetch(disk, diskboot, SECTOR, sector * SECTOR, "GRUB's core"))
		return IMAGE_BAD;
	part.bytes = diskboot;
	region = image_region(&part, "GRUB diskboot", 0x8000, 0, SECTOR, CODE_16);
	if (!region)
		return IMAGE_BAD;
	image_mark(image, region, LIST_LAST, MARK_DATA);	/* what of the list is longer is data, too, but rare */

	n = gather(disk, diskboot, bytes, CORE_MAX);
	if (!n)
		return image_say(image, IMAGE_BAD, "GRUB's core is listed in sectors that the image does not have");
	disk->grub_sector = sector;
	return grub_core(image, disk->prefix, bytes, n);
}
