/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_pe.c - what Microsoft's tools make: PE programs and drivers, COFF objects, DOS programs.
 *
 * Asked by:  user/prescan_image.c. Source: Microsoft, "PE Format"; for DOS, Ralf Brown's Interrupt List, INT 21/4B.
 */
#include <string.h>

#include "user/prescan_image.h"

#define MACHINE_I386	0x14cu
#define FILE_HEADER	20u
#define SECTION_HEADER	40u
#define SCN_CODE	0x00000020u
#define SCN_EXECUTE	0x20000000u
#define PE32		0x10bu
#define CLR_DIRECTORY	14u
#define DOS_PARAGRAPH	16u
#define DOS_PAGE	512u

static bool inside(const struct image_part *part, uint64_t offset, uint64_t nbytes)
{
	return offset <= part->nbytes && nbytes <= part->nbytes - offset;
}

/* The section table at @table of @n entries; code sections become regions. */
static enum image_verdict read_sections(const struct image_part *part, uint64_t table, unsigned int n, uint32_t base, bool object)
{
	for (unsigned int i = 0; i < n; i++) {
		uint64_t at = table + (uint64_t)i * SECTION_HEADER;
		const uint8_t *s = part->bytes + at;
		uint32_t virtual_bytes, address, nbytes, offset, flags;
		char name[9] = "";

		if (!inside(part, at, SECTION_HEADER))
			return image_say(part->image, IMAGE_BAD, "is truncated: its section table ends at byte %llu, the file at %zu",
					 (unsigned long long)(table + (uint64_t)n * SECTION_HEADER), part->nbytes);
		memcpy(name, s, 8);
		virtual_bytes = image_le32(s + 8);
		address = image_le32(s + 12);
		nbytes = image_le32(s + 16);
		offset = image_le32(s + 20);
		flags = image_le32(s + 36);
		if (!(flags & (SCN_CODE | SCN_EXECUTE)) || !nbytes || !offset)
			continue;
		/* Raw bytes are rounded up to the file's alignment; the memory image says where code ends. */
		if (!object && virtual_bytes && virtual_bytes < nbytes)
			nbytes = virtual_bytes;
		if (!inside(part, offset, nbytes))
			return image_say(part->image, IMAGE_BAD, "is truncated: section %s ends at byte %llu, the file at %zu", name,
					 (unsigned long long)offset + nbytes, part->nbytes);
		if (!image_region(part, name[0] ? name : "section", (uint64_t)base + address, offset, nbytes, CODE_32))
			return IMAGE_BAD;
	}
	return IMAGE_CODE;
}

/* ---- COFF objects ---- */

/* There is no magic number but the machine's: the rest must make sense too. */
bool coff_probe(const uint8_t *bytes, size_t nbytes)
{
	uint32_t n;

	if (nbytes < FILE_HEADER || image_le16(bytes) != MACHINE_I386)
		return false;
	n = image_le16(bytes + 2);
	return n && n < 0x8000 && image_le16(bytes + 16) == 0 && !(image_le16(bytes + 18) & 0x2002) &&
	       FILE_HEADER + SECTION_HEADER <= nbytes && (bytes[FILE_HEADER] == '.' || bytes[FILE_HEADER] == '/');
}

enum image_verdict coff_read(const struct image_part *part)
{
	image_format(part->image, "COFF object");
	return read_sections(part, FILE_HEADER, image_le16(part->bytes + 2), 0, true);
}

/* ---- MZ ---- */

bool pe_probe(const uint8_t *bytes, size_t nbytes)
{
	return nbytes >= 0x20 && !memcmp(bytes, "MZ", 2);
}

/* A DOS program: what is loaded, from behind the header to the end that the header states. */
static enum image_verdict dos_read(const struct image_part *part)
{
	uint64_t header = image_le16(part->bytes + 8) * DOS_PARAGRAPH;
	uint64_t end = (uint64_t)image_le16(part->bytes + 4) * DOS_PAGE;
	uint32_t last = image_le16(part->bytes + 2);

	image_format(part->image, "DOS program");
	if (last && end >= DOS_PAGE)
		end = end - DOS_PAGE + last;
	if (header < 0x1c || header >= end)
		return image_say(part->image, IMAGE_BAD, "has a DOS header that makes no sense");
	if (end > part->nbytes)
		return image_say(part->image, IMAGE_BAD, "is truncated: its program ends at byte %llu, the file at %zu",
				 (unsigned long long)end, part->nbytes);
	if (!image_region(part, "program", 0, (size_t)header, (size_t)(end - header), CODE_16))
		return IMAGE_BAD;
	return IMAGE_CODE;
}

enum image_verdict pe_read(const struct image_part *part)
{
	uint64_t header, optional;
	uint32_t machine, n, optional_bytes, base = 0;

	/* Only a DOS header of 64 bytes has the field, and its relocations then begin at 40h. */
	if (part->nbytes < 0x40 || !(header = image_le32(part->bytes + 0x3c)) || !inside(part, header, 4 + FILE_HEADER) ||
	    memcmp(part->bytes + header, "PE\0\0", 4)) {
		if (part->nbytes >= 0x40 && image_le16(part->bytes + 0x18) >= 0x40 && header && !inside(part, header, 4 + FILE_HEADER))
			return image_say(part->image, IMAGE_BAD, "is truncated: its PE header is at byte %llu, the file ends at %zu",
					 (unsigned long long)header, part->nbytes);
		return dos_read(part);
	}
	image_format(part->image, "PE");
	header += 4;
	machine = image_le16(part->bytes + header);
	if (machine == 0x8664)
		return image_say(part->image, IMAGE_FOREIGN, "is a 64-bit PE file; Plexus runs 16- and 32-bit code only");
	if (machine != MACHINE_I386)
		return image_say(part->image, IMAGE_FOREIGN, "is a PE file for another processor (machine %x)", machine);
	n = image_le16(part->bytes + header + 2);
	optional_bytes = image_le16(part->bytes + header + 16);
	optional = header + FILE_HEADER;
	if (!inside(part, optional, optional_bytes))
		return image_say(part->image, IMAGE_BAD, "is truncated: its PE header ends at byte %llu, the file at %zu",
				 (unsigned long long)(optional + optional_bytes), part->nbytes);
	if (optional_bytes >= 32 && image_le16(part->bytes + optional) == PE32)
		base = image_le32(part->bytes + optional + 28);
	/* What an assembly calls code is bytecode. */
	if (optional_bytes >= 96 + (CLR_DIRECTORY + 1) * 8 && image_le32(part->bytes + optional + 96 + CLR_DIRECTORY * 8))
		return image_say(part->image, IMAGE_FOREIGN, "is a PE file of .NET bytecode");
	return read_sections(part, optional + optional_bytes, n, base, false);
}
