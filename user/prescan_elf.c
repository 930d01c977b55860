/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_elf.c - ELF programs, libraries, objects, kernels and modules: their executable sections.
 *
 * Where there are symbols, functions are where instructions are counted from, and objects inside code sections are data.
 * Where there is no section table (it may be stripped), executable segments are taken.
 *
 * Asked by:  user/prescan_image.c. Source: "System V ABI", gABI 4.1, chapters 4 and 5.
 */
#include <elf.h>
#include <string.h>

#include "user/prescan_image.h"

struct elf {
	const struct image_part *part;
	Elf32_Ehdr header;
	uint32_t nsections, name_table;
};

bool elf_probe(const uint8_t *bytes, size_t nbytes)
{
	return nbytes >= SELFMAG && !memcmp(bytes, ELFMAG, SELFMAG);
}

static bool inside(const struct image_part *part, uint64_t offset, uint64_t nbytes)
{
	return offset <= part->nbytes && nbytes <= part->nbytes - offset;
}

/* The file is cut, or its tables lie. */
static enum image_verdict beyond(const struct image_part *part, const char *what, uint64_t end)
{
	return image_say(part->image, IMAGE_BAD, "is truncated: %s%s%s ends at byte %llu, the file at %zu", part->prefix,
			 part->prefix[0] ? " " : "", what, (unsigned long long)end, part->nbytes);
}

static bool section(const struct elf *elf, uint32_t i, Elf32_Shdr *section)
{
	uint64_t offset = elf->header.e_shoff + (uint64_t)i * elf->header.e_shentsize;

	if (i >= elf->nsections || !inside(elf->part, offset, sizeof(*section)))
		return false;
	memcpy(section, elf->part->bytes + offset, sizeof(*section));
	return true;
}

/* A string of table @table, or "" when there is none; never past the file's end. */
static const char *string(const struct elf *elf, uint32_t table, uint32_t index)
{
	Elf32_Shdr strings;
	const char *text;

	if (!section(elf, table, &strings) || strings.sh_type != SHT_STRTAB || !inside(elf->part, strings.sh_offset, strings.sh_size) ||
	    index >= strings.sh_size)
		return "";
	text = (const char *)elf->part->bytes + strings.sh_offset + index;
	return memchr(text, 0, strings.sh_size - index) ? text : "";
}

/* Symbols of section @index become marks of its region. */
static void mark_symbols(const struct elf *elf, const Elf32_Shdr *table, uint32_t index, const Elf32_Shdr *of, struct code_region *region)
{
	uint64_t n = table->sh_size / sizeof(Elf32_Sym);

	for (uint64_t i = 0; i < n; i++) {
		Elf32_Sym symbol;
		unsigned int type;
		uint32_t at;

		memcpy(&symbol, elf->part->bytes + table->sh_offset + i * sizeof(symbol), sizeof(symbol));
		type = ELF32_ST_TYPE(symbol.st_info);
		if (symbol.st_shndx != index)
			continue;
		at = elf->header.e_type == ET_REL ? symbol.st_value : symbol.st_value - of->sh_addr;
		if (at >= of->sh_size)
			continue;
		if (type == STT_FUNC || type == STT_GNU_IFUNC) {
			image_mark(elf->part->image, region, at, MARK_CODE);
		} else if (type == STT_OBJECT && symbol.st_size) {
			image_mark(elf->part->image, region, at, MARK_DATA);
			image_mark(elf->part->image, region, (uint64_t)at + symbol.st_size, MARK_CODE);
		}
	}
}

/* The full symbol table if there is one, or else the dynamic one. */
static bool find_symbols(const struct elf *elf, Elf32_Shdr *table)
{
	for (unsigned int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < elf->nsections && section(elf, i, table); i++)
			if (table->sh_type == (pass ? SHT_DYNSYM : SHT_SYMTAB) && inside(elf->part, table->sh_offset, table->sh_size))
				return true;
	return false;
}

static enum image_verdict read_sections(const struct elf *elf)
{
	const struct image_part *part = elf->part;
	Elf32_Shdr symbols, s;
	bool have_symbols = find_symbols(elf, &symbols);

	for (uint32_t i = 0; i < elf->nsections; i++) {
		struct code_region *region;
		const char *name;

		if (!section(elf, i, &s))
			return beyond(part, "its section table", elf->header.e_shoff + (uint64_t)elf->nsections * elf->header.e_shentsize);
		if (!(s.sh_flags & SHF_EXECINSTR) || s.sh_type == SHT_NOBITS || s.sh_type == SHT_NULL || !s.sh_size)
			continue;
		name = string(elf, elf->name_table, s.sh_name);
		if (s.sh_flags & SHF_COMPRESSED)
			return image_say(part->image, IMAGE_BAD, "section %s is compressed; objcopy --decompress-debug-sections unpacks it", name);
		if (!inside(part, s.sh_offset, s.sh_size))
			return beyond(part, name[0] ? name : "a code section", (uint64_t)s.sh_offset + s.sh_size);
		region = image_region(part, name[0] ? name : "section", s.sh_addr, s.sh_offset, s.sh_size, CODE_32);
		if (!region)
			return IMAGE_BAD;
		region->unlinked = elf->header.e_type == ET_REL;
		if (have_symbols)
			mark_symbols(elf, &symbols, i, &s, region);
	}
	return IMAGE_CODE;
}

static enum image_verdict read_segments(const struct elf *elf)
{
	const struct image_part *part = elf->part;
	const Elf32_Ehdr *h = &elf->header;

	for (uint32_t i = 0; i < h->e_phnum; i++) {
		uint64_t at = h->e_phoff + (uint64_t)i * h->e_phentsize;
		Elf32_Phdr p;
		char name[24];

		if (!inside(part, at, sizeof(p)))
			return beyond(part, "its segment table", h->e_phoff + (uint64_t)h->e_phnum * h->e_phentsize);
		memcpy(&p, part->bytes + at, sizeof(p));
		if (p.p_type != PT_LOAD || !(p.p_flags & PF_X) || !p.p_filesz)
			continue;
		snprintf(name, sizeof(name), "segment %u", i);
		if (!inside(part, p.p_offset, p.p_filesz))
			return beyond(part, name, (uint64_t)p.p_offset + p.p_filesz);
		if (!image_region(part, name, p.p_vaddr, p.p_offset, p.p_filesz, CODE_32))
			return IMAGE_BAD;
	}
	return IMAGE_CODE;
}

enum image_verdict elf_read(const struct image_part *part)
{
	struct elf elf = { .part = part };
	Elf32_Ehdr *h = &elf.header;
	Elf32_Shdr first;

	image_format(part->image, "ELF");
	if (part->nbytes < sizeof(*h))
		return beyond(part, "its header", sizeof(*h));
	memcpy(h, part->bytes, sizeof(*h));
	if (h->e_ident[EI_CLASS] == ELFCLASS64)
		return image_say(part->image, IMAGE_FOREIGN, "is a 64-bit ELF file; Plexus runs 16- and 32-bit code only");
	if (h->e_ident[EI_CLASS] != ELFCLASS32)
		return image_say(part->image, IMAGE_BAD, "has an ELF header of no known class (%u)", h->e_ident[EI_CLASS]);
	if (h->e_ident[EI_DATA] != ELFDATA2LSB || (h->e_machine != EM_386 && h->e_machine != EM_IAMCU))
		return image_say(part->image, IMAGE_FOREIGN, "is an ELF file for another processor (machine %u)",
				 h->e_ident[EI_DATA] == ELFDATA2LSB ? h->e_machine : (h->e_machine >> 8 | (h->e_machine & 0xff) << 8));

	elf.nsections = h->e_shnum;
	elf.name_table = h->e_shstrndx;
	if (h->e_shoff) {
		if (h->e_shentsize < sizeof(Elf32_Shdr))
			return image_say(part->image, IMAGE_BAD, "has an ELF section table with entries of %u bytes", h->e_shentsize);
		if (!inside(part, h->e_shoff, (uint64_t)(h->e_shnum ? h->e_shnum : 1) * h->e_shentsize))
			return beyond(part, "its section table", h->e_shoff + (uint64_t)h->e_shnum * h->e_shentsize);
		/* More than 65,279 sections: the count is in the first one, and so is the names' table. */
		memcpy(&first, part->bytes + h->e_shoff, sizeof(first));
		if (!h->e_shnum)
			elf.nsections = first.sh_size;
		if (h->e_shstrndx == SHN_XINDEX)
			elf.name_table = first.sh_link;
	}
	if (elf.nsections && h->e_shoff)
		return read_sections(&elf);
	if (h->e_phnum && h->e_phentsize < sizeof(Elf32_Phdr))
		return image_say(part->image, IMAGE_BAD, "has an ELF segment table with entries of %u bytes", h->e_phentsize);
	return read_segments(&elf);
}
