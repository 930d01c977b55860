/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_bzimage.c - Linux kernels as they are booted: 16-bit setup, 32-bit unpacker, and the kernel packed inside.
 *
 *      | boot sector, header, setup (16-bit) | unpacker | payload: a packed vmlinux | unpacker, its data |
 *      0                     (setup_sects + 1) * 512    + payload_offset  + payload_length
 *
 * Asked by:  user/prescan_image.c. Source: the kernel's Documentation/x86/boot.rst, "The Real-Mode Kernel Header".
 */
#include <string.h>

#include "user/prescan_image.h"

#define SECTOR		512u
#define SETUP_SECTS	0x1f1u
#define HEADER_MAGIC	0x202u
#define JUMP		0x200u
#define VERSION		0x206u
#define XLOADFLAGS	0x236u
#define CODE32_START	0x214u
#define PAYLOAD		0x248u		/* offset, length: since 2.08 */
#define HEADER_END	0x250u
#define XLF_KERNEL_64	1u
#define SETUP_ADDRESS	0x10000u	/* where loaders put it as a rule */

bool bzimage_probe(const uint8_t *bytes, size_t nbytes)
{
	return nbytes >= HEADER_END && !memcmp(bytes + HEADER_MAGIC, "HdrS", 4) && bytes[510] == 0x55 && bytes[511] == 0xaa;
}

/* The payload: unpacked, and read as what it is, an ELF file. */
static enum image_verdict payload(const struct image_part *part, uint64_t offset, uint64_t nbytes)
{
	struct image_part inner = { .image = part->image, .prefix = "vmlinux:", .depth = part->depth + 1 };
	enum image_verdict verdict;
	char why[160];
	uint8_t *bytes;

	if (unpack(part->image, part->bytes + offset, (size_t)nbytes, UNPACK_MAX, &bytes, &inner.nbytes, why, sizeof(why)))
		return image_say(part->image, IMAGE_BAD, "its packed kernel %s", why);
	inner.bytes = bytes;
	verdict = image_inner(&inner);
	if (verdict == IMAGE_NONE)
		return image_say(part->image, IMAGE_BAD, "its packed kernel is no ELF file");
	return verdict;
}

enum image_verdict bzimage_read(const struct image_part *part)
{
	const uint8_t *b = part->bytes;
	struct code_image *image = part->image;
	uint32_t sects = b[SETUP_SECTS] ? b[SETUP_SECTS] : 4, version = image_le16(b + VERSION);
	uint64_t setup = (sects + 1) * SECTOR, start = 0, nbytes = 0, address = image_le32(b + CODE32_START);
	struct code_region *region;

	image_format(image, "Linux kernel (bzImage)");
	if (version >= 0x20c && image_le16(b + XLOADFLAGS) & XLF_KERNEL_64)
		return image_say(image, IMAGE_FOREIGN, "is a 64-bit Linux kernel; Plexus runs 16- and 32-bit code only");
	if (setup > part->nbytes)
		return image_say(image, IMAGE_BAD, "is truncated: the kernel's setup code ends at byte %llu, the file at %zu",
				 (unsigned long long)setup, part->nbytes);
	region = image_region(part, "setup", SETUP_ADDRESS, 0, (size_t)setup, CODE_16);
	if (!region)
		return IMAGE_BAD;
	/* An EFI stub's MZ and PE headers stand where the boot sector's code was; without them it is a stub that complains. */
	if (!memcmp(b, "MZ", 2))
		image_mark(image, region, 0, MARK_DATA);
	else
		image_mark(image, region, SETUP_SECTS, MARK_DATA);
	image_mark(image, region, JUMP, MARK_CODE);
	image_mark(image, region, HEADER_MAGIC, MARK_DATA);
	image_mark(image, region, HEADER_MAGIC + (uint64_t)b[JUMP + 1], MARK_CODE);

	if (setup == part->nbytes)		/* a loader dressed as a kernel, such as GRUB's lnxboot.img */
		return IMAGE_CODE;
	if (version >= 0x208) {
		start = setup + image_le32(b + PAYLOAD);
		nbytes = image_le32(b + PAYLOAD + 4);
	}
	if (!nbytes) {
		if (!image_region(part, "kernel", address, (size_t)setup, (size_t)(part->nbytes - setup), CODE_32))
			return IMAGE_BAD;
		return image_say(image, IMAGE_BAD, "is a kernel of boot protocol %u.%02u, which does not tell where its packed part is",
				 version >> 8, version & 0xff);
	}
	if (start > part->nbytes || nbytes > part->nbytes - start)
		return image_say(image, IMAGE_BAD, "is truncated: the packed kernel ends at byte %llu, the file at %zu",
				 (unsigned long long)(start + nbytes), part->nbytes);
	if (start > setup && !image_region(part, "entry", address, (size_t)setup, (size_t)(start - setup), CODE_32))
		return IMAGE_BAD;
	if (start + nbytes < part->nbytes &&
	    !image_region(part, "unpacker", address + (start + nbytes - setup), (size_t)(start + nbytes),
			  (size_t)(part->nbytes - start - nbytes), CODE_32))
		return IMAGE_BAD;
	return payload(part, start, nbytes);
}
