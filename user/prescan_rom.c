/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_rom.c - a PC's ROMs: option ROMs (a VGA's, for one) and the system BIOS.
 *
 * Asked by:  user/prescan_image.c. Source: "PCI Firmware Specification", "PCI Expansion ROMs"; SDM 3A, "First Instruction Executed".
 */
#include <string.h>

#include "user/prescan_image.h"

#define OPTION_ADDRESS	0xc0000u
#define OPTION_ENTRY	3u		/* behind 55 AA and the length */
#define PCI_POINTER	0x18u		/* in an option ROM: where the PCI data structure is */
#define BLOCK		512u
#define KIB64		0x10000u
#define SYSTEM_MAX	(16u << 20)

bool rom_option_probe(const uint8_t *bytes, size_t nbytes, uint64_t file_bytes)
{
	return nbytes > OPTION_ENTRY && bytes[0] == 0x55 && bytes[1] == 0xaa && bytes[2] && bytes[2] * BLOCK <= file_bytes + KIB64 &&
	       (bytes[3] == 0xe9 || bytes[3] == 0xeb || bytes[3] == 0xe8 || bytes[3] == 0xcb);
}

/* The processor starts 16 bytes before the end, with a far jump into F000h. */
bool rom_system_probe(const uint8_t *last16, uint64_t file_bytes)
{
	return file_bytes >= KIB64 && file_bytes <= SYSTEM_MAX && file_bytes % KIB64 == 0 && last16[0] == 0xea &&
	       image_le16(last16 + 3) == 0xf000;
}

enum image_verdict rom_read(const struct image_part *part, bool option)
{
	uint64_t address = option ? OPTION_ADDRESS : 0x100000000ull - part->nbytes;
	struct code_region *region;
	size_t nbytes = part->nbytes, header;

	image_format(part->image, option ? "option ROM" : "system BIOS");
	if (option && part->bytes[2] * (size_t)BLOCK > nbytes)
		return image_say(part->image, IMAGE_BAD, "is truncated: the ROM says that it has %zu bytes, the file has %zu",
				 part->bytes[2] * (size_t)BLOCK, nbytes);
	region = image_region(part, "ROM", address, 0, nbytes, option ? CODE_16 : CODE_GUESS);
	if (!region)
		return IMAGE_BAD;
	region->guess_window = 4096;
	if (!option) {
		image_mark(part->image, region, nbytes - 16, MARK_CODE);	/* the first instruction executed */
		image_mark(part->image, region, nbytes - 11, MARK_DATA);	/* the date, and the machine's number */
		return IMAGE_CODE;
	}
	image_mark(part->image, region, 0, MARK_DATA);
	image_mark(part->image, region, OPTION_ENTRY, MARK_CODE);
	header = nbytes >= PCI_POINTER + 2 ? image_le16(part->bytes + PCI_POINTER) : 0;
	if (part->bytes[3] == 0xe9 || part->bytes[3] == 0xeb) {
		/* The jump leads over the pointers at 18h and 1Ah and whatever text follows. */
		uint64_t target = part->bytes[3] == 0xeb ? OPTION_ENTRY + 2 + (uint64_t)part->bytes[4] :
							   OPTION_ENTRY + 3 + (uint64_t)image_le16(part->bytes + 4);

		image_mark(part->image, region, OPTION_ENTRY + (part->bytes[3] == 0xeb ? 2 : 3), MARK_DATA);
		image_mark(part->image, region, target < 0x100 ? target : PCI_POINTER + 4, MARK_CODE);
	}
	if (header + 0x18 < nbytes && !memcmp(part->bytes + header, "PCIR", 4)) {
		image_mark(part->image, region, header, MARK_DATA);
		image_mark(part->image, region, header + image_le16(part->bytes + header + 10), MARK_CODE);
	}
	return IMAGE_CODE;
}
