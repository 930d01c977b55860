/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_prescan_image.c - where code is in a file: every format, small and built here byte by byte, whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "user/prescan_image.h"

static const struct image_options automatic = { .mode = CODE_GUESS };
static const struct image_options named = { .mode = CODE_GUESS, .named = true };

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

static enum image_verdict parse(struct code_image *image, const uint8_t *bytes, size_t nbytes)
{
	return image_parse(image, bytes, nbytes, &automatic);
}

/* ---- ELF ---- */

#define ELF_BYTES	0x300u
#define TEXT		0x100u
#define TEXT_ADDRESS	0x8048100u

/* .text of 32 bytes with a function at 0, an object of 4 bytes at 10h, a function at 18h. */
static void make_elf(uint8_t file[ELF_BYTES])
{
	Elf32_Ehdr h = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1 }, .e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1,
		.e_shoff = 0x200, .e_ehsize = sizeof(h), .e_shentsize = sizeof(Elf32_Shdr), .e_shnum = 5, .e_shstrndx = 4,
	};
	Elf32_Shdr s[5] = {
		{ 0 },
		{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = TEXT_ADDRESS,
		  .sh_offset = TEXT, .sh_size = 32 },
		{ .sh_type = SHT_NOBITS, .sh_flags = SHF_EXECINSTR, .sh_offset = 0xfffff000, .sh_size = 0x10000 },
		{ .sh_type = SHT_SYMTAB, .sh_offset = 0x140, .sh_size = 3 * sizeof(Elf32_Sym), .sh_entsize = sizeof(Elf32_Sym) },
		{ .sh_type = SHT_STRTAB, .sh_offset = 0x1a0, .sh_size = 8 },
	};
	Elf32_Sym symbols[3] = {
		{ .st_value = TEXT_ADDRESS, .st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1 },
		{ .st_value = TEXT_ADDRESS + 0x10, .st_size = 4, .st_info = ELF32_ST_INFO(STB_LOCAL, STT_OBJECT), .st_shndx = 1 },
		{ .st_value = TEXT_ADDRESS + 0x18, .st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1 },
	};

	memset(file, 0, ELF_BYTES);
	memcpy(file, &h, sizeof(h));
	memset(file + TEXT, 0x90, 32);
	memcpy(file + 0x140, symbols, sizeof(symbols));
	memcpy(file + 0x1a0, "\0.text", 7);
	memcpy(file + 0x200, s, sizeof(s));
}

static void executable_sections_of_an_elf_file_are_code(void **state)
{
	struct code_image image;
	uint8_t file[ELF_BYTES];

	(void)state;
	make_elf(file);
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_CODE);
	assert_string_equal(image.format, "ELF");
	assert_int_equal(image.nregions, 1);		/* NOBITS has no bytes in the file */
	assert_string_equal(image.regions[0].name, ".text");
	assert_int_equal(image.regions[0].address, TEXT_ADDRESS);
	assert_int_equal(image.regions[0].nbytes, 32);
	assert_ptr_equal(image.regions[0].bytes, file + TEXT);
	assert_int_equal(image.regions[0].mode, CODE_32);
	assert_false(image.regions[0].guessed);
	image_free(&image);
}

static void functions_and_objects_become_marks_in_order(void **state)
{
	static const struct code_mark want[] = { { 0, MARK_CODE }, { 0x10, MARK_DATA }, { 0x14, MARK_CODE }, { 0x18, MARK_CODE } };
	struct code_image image;
	uint8_t file[ELF_BYTES];

	(void)state;
	make_elf(file);
	parse(&image, file, sizeof(file));
	assert_int_equal(image.regions[0].nmarks, PLX_ARRAY_SIZE(want));
	for (size_t i = 0; i < PLX_ARRAY_SIZE(want); i++) {
		assert_int_equal(image.regions[0].marks[i].offset, want[i].offset);
		assert_int_equal(image.regions[0].marks[i].kind, want[i].kind);
	}
	image_free(&image);
}

static void a_64_bit_elf_file_is_refused_with_a_sentence(void **state)
{
	struct code_image image;
	uint8_t file[ELF_BYTES];

	(void)state;
	make_elf(file);
	file[EI_CLASS] = ELFCLASS64;
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_FOREIGN);
	assert_non_null(strstr(image.why, "64-bit"));
	image_free(&image);
	/* The x32 ABI is 64-bit code in a 32-bit file. */
	make_elf(file);
	put16(file + 18, EM_X86_64);
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_FOREIGN);
	image_free(&image);
}

static void an_elf_file_cut_anywhere_is_bad_or_has_less_but_is_never_read_past(void **state)
{
	struct code_image image;
	uint8_t file[ELF_BYTES], *cut;

	(void)state;
	make_elf(file);
	for (size_t n = SELFMAG; n < 0x200 + 5 * sizeof(Elf32_Shdr); n++) {
		cut = malloc(n);		/* exactly so long: a checker of memory sees one byte too many */
		memcpy(cut, file, n);
		assert_int_equal(parse(&image, cut, n), IMAGE_BAD);
		assert_non_null(strstr(image.why, "truncated"));
		image_free(&image);
		free(cut);
	}
}

static void without_a_section_table_executable_segments_are_code(void **state)
{
	Elf32_Phdr p = { .p_type = PT_LOAD, .p_offset = TEXT, .p_vaddr = 0x1000, .p_filesz = 32, .p_memsz = 64, .p_flags = PF_R | PF_X };
	struct code_image image;
	uint8_t file[ELF_BYTES];
	Elf32_Ehdr h;

	(void)state;
	make_elf(file);
	memcpy(&h, file, sizeof(h));
	h.e_shoff = h.e_shnum = 0;
	h.e_phoff = 0x40;
	h.e_phnum = 1;
	h.e_phentsize = sizeof(p);
	memcpy(file, &h, sizeof(h));
	memcpy(file + 0x40, &p, sizeof(p));
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_CODE);
	assert_int_equal(image.nregions, 1);
	assert_int_equal(image.regions[0].address, 0x1000);
	assert_int_equal(image.regions[0].nbytes, 32);
	image_free(&image);
}

/* ---- PE, COFF, DOS ---- */

static void make_pe(uint8_t file[0x400], uint32_t machine)
{
	memset(file, 0, 0x400);
	memcpy(file, "MZ", 2);
	put16(file + 0x18, 0x40);
	put32(file + 0x3c, 0x80);
	memcpy(file + 0x80, "PE\0\0", 4);
	put16(file + 0x84, machine);
	put16(file + 0x86, 2);			/* sections */
	put16(file + 0x94, 0xe0);		/* optional header */
	put16(file + 0x98, 0x10b);
	put32(file + 0x98 + 28, 0x400000);
	uint8_t *s = file + 0x98 + 0xe0;

	memcpy(s, ".text", 5);
	put32(s + 8, 0x10);			/* virtual size */
	put32(s + 12, 0x1000);
	put32(s + 16, 0x200);			/* in the file, rounded up */
	put32(s + 20, 0x200);
	put32(s + 36, 0x60000020);
	memcpy(s + 40, ".data", 5);
	put32(s + 40 + 16, 0x10);
	put32(s + 40 + 20, 0x200);
	put32(s + 40 + 36, 0xc0000040);
}

static void code_sections_of_a_pe_file_are_code_as_long_as_in_memory(void **state)
{
	struct code_image image;
	uint8_t file[0x400];

	(void)state;
	make_pe(file, 0x14c);
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_CODE);
	assert_string_equal(image.format, "PE");
	assert_int_equal(image.nregions, 1);
	assert_int_equal(image.regions[0].address, 0x401000);
	assert_int_equal(image.regions[0].nbytes, 0x10);
	image_free(&image);

	assert_int_equal(parse(&image, file, 0x208), IMAGE_BAD);
	assert_non_null(strstr(image.why, ".text"));
	image_free(&image);

	make_pe(file, 0x8664);
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_FOREIGN);
	assert_non_null(strstr(image.why, "64-bit"));
	image_free(&image);
}

static void a_program_of_bytecode_is_not_taken_for_code(void **state)
{
	struct code_image image;
	uint8_t file[0x400];

	(void)state;
	make_pe(file, 0x14c);
	put32(file + 0x98 + 96 + 14 * 8, 0x2000);
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_FOREIGN);
	image_free(&image);
}

static void a_dos_program_is_16_bit_code_behind_its_header(void **state)
{
	struct code_image image;
	uint8_t file[0x60] = { 'M', 'Z' };

	(void)state;
	put16(file + 2, sizeof(file));		/* bytes in the last page */
	put16(file + 4, 1);			/* pages */
	put16(file + 8, 2);			/* paragraphs of header */
	assert_int_equal(parse(&image, file, sizeof(file)), IMAGE_CODE);
	assert_int_equal(image.nregions, 1);
	assert_int_equal(image.regions[0].mode, CODE_16);
	assert_ptr_equal(image.regions[0].bytes, file + 0x20);
	assert_int_equal(image.regions[0].nbytes, sizeof(file) - 0x20);
	image_free(&image);
	assert_int_equal(parse(&image, file, sizeof(file) - 1), IMAGE_BAD);
	image_free(&image);
}

/* ---- archives ---- */

static size_t add_member(uint8_t *to, const char *name, const void *bytes, size_t nbytes)
{
	char header[61];

	snprintf(header, sizeof(header), "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "644", nbytes);
	memcpy(to, header, 60);
	memcpy(to + 60, bytes, nbytes);
	if (nbytes & 1)
		to[60 + nbytes] = '\n';
	return 60 + nbytes + (nbytes & 1);
}

static void objects_in_an_archive_are_named_after_their_members(void **state)
{
	static const char names[] = "a_very_long_name_of_an_object.o/\n";
	uint8_t file[8 + 5 * 60 + 3 * ELF_BYTES], elf[ELF_BYTES];
	struct code_image image;
	size_t n = 8;

	(void)state;
	make_elf(elf);
	memcpy(file, "!<arch>\n", 8);
	n += add_member(file + n, "/", "\0\0\0", 3);
	n += add_member(file + n, "//", names, sizeof(names) - 1);
	n += add_member(file + n, "short.o/", elf, sizeof(elf));
	n += add_member(file + n, "README/", "no code", 7);
	n += add_member(file + n, "/0", elf, sizeof(elf));
	assert_int_equal(parse(&image, file, n), IMAGE_CODE);
	assert_string_equal(image.format, "archive");
	assert_int_equal(image.nregions, 2);
	assert_string_equal(image.regions[0].name, "short.o:.text");
	assert_string_equal(image.regions[1].name, "a_very_long_name_of_an_object.o:.text");
	image_free(&image);

	/* Cut inside the last member. */
	assert_int_equal(parse(&image, file, n - 1), IMAGE_BAD);
	assert_int_equal(image.nregions, 1);
	image_free(&image);

	memcpy(file, "!<thin>\n", 8);
	assert_int_equal(parse(&image, file, n), IMAGE_BAD);
	assert_non_null(strstr(image.why, "thin"));
	image_free(&image);
}

/* ---- boot sectors, disks, ROMs ---- */

static void the_parameter_block_and_the_partition_table_are_no_code(void **state)
{
	uint8_t sector[512] = { 0xeb, 0x3c, 0x90 };
	struct code_image image;

	(void)state;
	put16(sector + 510, 0xaa55);
	assert_int_equal(parse(&image, sector, sizeof(sector)), IMAGE_CODE);
	assert_string_equal(image.format, "boot sector");
	assert_int_equal(image.regions[0].mode, CODE_16);
	assert_int_equal(image.regions[0].address, 0x7c00);
	assert_int_equal(image.regions[0].nmarks, 3);
	assert_int_equal(image.regions[0].marks[0].offset, 3);
	assert_int_equal(image.regions[0].marks[1].offset, 0x3e);
	assert_int_equal(image.regions[0].marks[2].offset, 510);
	image_free(&image);

	/* A partition: type 83h from sector 2048. */
	sector[0x1be] = 0x80;
	sector[0x1be + 4] = 0x83;
	put32(sector + 0x1be + 8, 2048);
	put32(sector + 0x1be + 12, 100);
	parse(&image, sector, sizeof(sector));
	assert_int_equal(image.regions[0].marks[2].offset, 0x1b8);
	image_free(&image);
}

static void a_disk_has_its_partitions_boot_sectors(void **state)
{
	enum { SECTORS = 16 };
	uint8_t *disk = calloc(SECTORS, 512);
	struct code_image image;

	(void)state;
	put16(disk + 510, 0xaa55);
	disk[0x1be + 4] = 6;
	put32(disk + 0x1be + 8, 8);
	put32(disk + 0x1be + 12, 8);
	put16(disk + 8 * 512 + 510, 0xaa55);
	assert_int_equal(parse(&image, disk, SECTORS * 512), IMAGE_CODE);
	assert_string_equal(image.format, "disk image");
	assert_int_equal(image.nregions, 2);
	assert_string_equal(image.regions[1].name, "partition 1 boot sector");
	image_free(&image);

	assert_int_equal(parse(&image, disk, 8 * 512), IMAGE_BAD);
	assert_non_null(strstr(image.why, "partition 1"));
	image_free(&image);
	free(disk);
}

static void an_option_rom_and_a_system_rom_are_told_from_data(void **state)
{
	uint8_t *rom = calloc(1, 0x10000);
	struct code_image image;

	(void)state;
	put16(rom, 0xaa55);
	rom[2] = 2;
	rom[3] = 0xe9;
	put16(rom + 4, 0x40 - 6);
	assert_int_equal(parse(&image, rom, 1024), IMAGE_CODE);
	assert_string_equal(image.format, "option ROM");
	assert_int_equal(image.regions[0].mode, CODE_16);
	image_free(&image);
	assert_int_equal(parse(&image, rom, 1000), IMAGE_BAD);
	image_free(&image);

	memset(rom, 0, 0x10000);
	rom[0xfff0] = 0xea;
	put16(rom + 0xfff1, 0xe05b);
	put16(rom + 0xfff3, 0xf000);
	assert_int_equal(parse(&image, rom, 0x10000), IMAGE_CODE);
	assert_string_equal(image.format, "system BIOS");
	assert_int_equal(image.regions[0].address, 0xffff0000);
	image_free(&image);
	rom[0xfff0] = 0;
	assert_int_equal(parse(&image, rom, 0x10000), IMAGE_NONE);
	image_free(&image);
	free(rom);
}

static void what_is_no_format_is_raw_only_if_it_was_named(void **state)
{
	static const uint8_t bytes[] = "no program at all";
	struct image_options raw = { .mode = CODE_16, .raw = true, .raw_address = 0x600 };
	struct code_image image;
	uint8_t file[ELF_BYTES];

	(void)state;
	assert_int_equal(image_parse(&image, bytes, sizeof(bytes), &automatic), IMAGE_NONE);
	image_free(&image);
	assert_int_equal(image_parse(&image, bytes, sizeof(bytes), &named), IMAGE_CODE);
	assert_string_equal(image.format, "raw");
	assert_true(image.regions[0].guessed);
	image_free(&image);

	make_elf(file);			/* asked to, it takes anything as code */
	assert_int_equal(image_parse(&image, file, sizeof(file), &raw), IMAGE_CODE);
	assert_int_equal(image.regions[0].nbytes, sizeof(file));
	assert_int_equal(image.regions[0].address, 0x600);
	assert_int_equal(image.regions[0].mode, CODE_16);
	image_free(&image);
}

/* ---- kernels ---- */

#define SETUP_BYTES	1024u		/* one sector of setup behind the boot sector */
#define PAYLOAD_OFFSET	16u

static size_t make_kernel(uint8_t *file, const uint8_t *payload, size_t nbytes)
{
	memset(file, 0x90, SETUP_BYTES + PAYLOAD_OFFSET);
	file[0x1f1] = 1;
	put16(file + 510, 0xaa55);
	file[0x200] = 0xeb;
	file[0x201] = 0x66;
	memcpy(file + 0x202, "HdrS", 4);
	put16(file + 0x206, 0x20c);
	put32(file + 0x214, 0x100000);
	put16(file + 0x236, 0);
	put32(file + 0x248, PAYLOAD_OFFSET);
	put32(file + 0x24c, (uint32_t)nbytes);
	memcpy(file + SETUP_BYTES + PAYLOAD_OFFSET, payload, nbytes);
	memset(file + SETUP_BYTES + PAYLOAD_OFFSET + nbytes, 0x90, 8);
	return SETUP_BYTES + PAYLOAD_OFFSET + nbytes + 8;
}

static void expect_kernel(const uint8_t *payload, size_t nbytes)
{
	uint8_t *file = malloc(SETUP_BYTES + PAYLOAD_OFFSET + nbytes + 8);
	size_t n = make_kernel(file, payload, nbytes);
	struct code_image image;

	assert_int_equal(parse(&image, file, n), IMAGE_CODE);
	assert_string_equal(image.format, "Linux kernel (bzImage)");
	assert_int_equal(image.nregions, 4);
	assert_string_equal(image.regions[0].name, "setup");
	assert_int_equal(image.regions[0].mode, CODE_16);
	assert_string_equal(image.regions[1].name, "entry");
	assert_int_equal(image.regions[1].nbytes, PAYLOAD_OFFSET);
	assert_string_equal(image.regions[2].name, "unpacker");
	assert_int_equal(image.regions[2].nbytes, 8);
	assert_string_equal(image.regions[3].name, "vmlinux:.text");
	assert_int_equal(image.regions[3].address, TEXT_ADDRESS);
	image_free(&image);

	/* One byte of the packed kernel is another: it must not come out as something else. */
	file[SETUP_BYTES + PAYLOAD_OFFSET + nbytes / 2] ^= 0x10;
	assert_int_equal(parse(&image, file, n), IMAGE_BAD);
	assert_non_null(strstr(image.why, "packed kernel"));
	image_free(&image);
	free(file);
}

static void a_kernel_packed_with_xz_is_unpacked(void **state)
{
	uint8_t elf[ELF_BYTES], packed[2 * ELF_BYTES];
	size_t n = 0;

	(void)state;
	make_elf(elf);
	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, elf, sizeof(elf), packed, &n, sizeof(packed)), LZMA_OK);
	expect_kernel(packed, n);
}

static void a_kernel_packed_with_gzip_is_unpacked(void **state)
{
	uint8_t elf[ELF_BYTES], packed[2 * ELF_BYTES];
	z_stream stream = { .next_in = elf, .avail_in = sizeof(elf), .next_out = packed, .avail_out = sizeof(packed) };

	(void)state;
	make_elf(elf);
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	expect_kernel(packed, stream.total_out);
}

static void a_kernel_packed_with_zstandard_is_unpacked(void **state)
{
	uint8_t elf[ELF_BYTES], packed[2 * ELF_BYTES];
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t n;

	(void)state;
	make_elf(elf);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(context, packed, sizeof(packed), elf, sizeof(elf));
	assert_false(ZSTD_isError(n));
	ZSTD_freeCCtx(context);
	put32(packed + n, sizeof(elf));		/* as the kernel's build does; the damage then still hits what is packed */
	expect_kernel(packed, n + 4);
}

static void a_kernel_packed_another_way_than_known_is_named(void **state)
{
	static const uint8_t lzo[] = { 0x89, 'L', 'Z', 'O', 0, 0, 0, 0 };
	uint8_t file[SETUP_BYTES + PAYLOAD_OFFSET + 64];
	struct code_image image;
	size_t n = make_kernel(file, lzo, sizeof(lzo));

	(void)state;
	assert_int_equal(parse(&image, file, n), IMAGE_BAD);
	assert_non_null(strstr(image.why, "LZO"));
	assert_int_equal(image.nregions, 3);		/* what is not packed is there all the same */
	image_free(&image);

	put16(file + 0x236, 1);
	assert_int_equal(parse(&image, file, n), IMAGE_FOREIGN);
	image_free(&image);
}

/* ---- the guess ---- */

/* Compiled by hand: a loop with branches whose lengths differ between the modes. */
static const uint8_t code32[] = {
	0x55, 0x89, 0xe5, 0xb8, 0x78, 0x56, 0x34, 0x12,	/* mov $12345678h, %eax */
	0x3d, 0x10, 0x32, 0x54, 0x76, 0x74, 0x07,	/* cmp; je +7 */
	0x05, 0x11, 0x22, 0x33, 0x44, 0xeb, 0xf2,	/* add; jmp back */
	0x5d, 0xc3,
};
static const uint8_t code16[] = {
	0x55, 0x89, 0xe5, 0xb8, 0x78, 0x56,		/* mov $5678h, %ax */
	0x3d, 0x10, 0x32, 0x74, 0x05,			/* cmp; je +5 */
	0x05, 0x11, 0x22, 0xeb, 0xf6,			/* add; jmp back */
	0x5d, 0xc3,
};

static void the_mode_of_raw_code_is_told_by_its_branches(void **state)
{
	struct code_image image;

	(void)state;
	image_parse(&image, code32, sizeof(code32), &named);
	assert_int_equal(image.regions[0].mode, CODE_32);
	image_free(&image);
	image_parse(&image, code16, sizeof(code16), &named);
	assert_int_equal(image.regions[0].mode, CODE_16);
	image_free(&image);
}

static void a_rom_changes_its_mode_where_the_code_does(void **state)
{
	uint8_t *rom = malloc(0x10000);
	struct code_image image;
	bool to16 = false;

	(void)state;
	for (size_t at = 0; at < 0x10000; at++)
		rom[at] = at < 0x8000 ? code32[at % 0x8000 % sizeof(code32)] : code16[(at - 0x8000) % sizeof(code16)];
	rom[0xfff0] = 0xea;
	put16(rom + 0xfff3, 0xf000);
	assert_int_equal(parse(&image, rom, 0x10000), IMAGE_CODE);
	assert_int_equal(image.regions[0].mode, CODE_32);
	for (size_t i = 0; i < image.regions[0].nmarks; i++) {
		const struct code_mark *m = &image.regions[0].marks[i];

		assert_int_not_equal(m->kind, MARK_32);
		if (m->kind == MARK_16) {
			assert_int_equal(m->offset, 0x8000);
			to16 = true;
		}
	}
	assert_true(to16);
	image_free(&image);
	free(rom);
}

/* ---- damage ---- */

/* Every reader with random bytes changed: it may refuse, it may find nonsense, but regions stay inside what was given. */
static void damaged_files_never_lead_outside_themselves(void **state)
{
	uint8_t elf[ELF_BYTES], archive[8 + 60 + ELF_BYTES], pe[0x400], kernel[SETUP_BYTES + 2 * ELF_BYTES], packed[2 * ELF_BYTES];
	struct { uint8_t *bytes; size_t n; } files[4] = { { elf, sizeof(elf) }, { archive, sizeof(archive) }, { pe, sizeof(pe) }, { kernel, 0 } };
	uint32_t seed = 4711;
	size_t n = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t which = (size_t)round % 4;
		struct code_image image;
		uint8_t *copy;

		make_elf(elf);
		make_pe(pe, 0x14c);
		memcpy(archive, "!<arch>\n", 8);
		add_member(archive + 8, "a.o/", elf, sizeof(elf));
		if (which == 3) {
			n = 0;
			lzma_easy_buffer_encode(0, LZMA_CHECK_NONE, NULL, elf, sizeof(elf), packed, &n, sizeof(packed));
			files[3].n = make_kernel(kernel, packed, n);
		}
		copy = malloc(files[which].n);
		memcpy(copy, files[which].bytes, files[which].n);
		for (int i = 0; i < 4; i++) {
			seed = seed * 1664525u + 1013904223u;
			/* Headers are where it hurts. */
			copy[(seed >> 8) % (seed & 0x40 ? files[which].n : plx_min64(files[which].n, 0x250))] = (uint8_t)(seed >> 24);
		}
		parse(&image, copy, files[which].n);
		for (size_t i = 0; i < image.nregions; i++) {
			volatile uint8_t sum = 0;	/* reads each byte, for a checker of memory to see */

			for (uint32_t j = 0; j < image.regions[i].nbytes; j++)
				sum = (uint8_t)(sum ^ image.regions[i].bytes[j]);
			for (size_t j = 0; j < image.regions[i].nmarks; j++)
				assert_true(image.regions[i].marks[j].offset <= image.regions[i].nbytes);
		}
		image_free(&image);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(executable_sections_of_an_elf_file_are_code),
		cmocka_unit_test(functions_and_objects_become_marks_in_order),
		cmocka_unit_test(a_64_bit_elf_file_is_refused_with_a_sentence),
		cmocka_unit_test(an_elf_file_cut_anywhere_is_bad_or_has_less_but_is_never_read_past),
		cmocka_unit_test(without_a_section_table_executable_segments_are_code),
		cmocka_unit_test(code_sections_of_a_pe_file_are_code_as_long_as_in_memory),
		cmocka_unit_test(a_program_of_bytecode_is_not_taken_for_code),
		cmocka_unit_test(a_dos_program_is_16_bit_code_behind_its_header),
		cmocka_unit_test(objects_in_an_archive_are_named_after_their_members),
		cmocka_unit_test(the_parameter_block_and_the_partition_table_are_no_code),
		cmocka_unit_test(a_disk_has_its_partitions_boot_sectors),
		cmocka_unit_test(an_option_rom_and_a_system_rom_are_told_from_data),
		cmocka_unit_test(what_is_no_format_is_raw_only_if_it_was_named),
		cmocka_unit_test(a_kernel_packed_with_xz_is_unpacked),
		cmocka_unit_test(a_kernel_packed_with_gzip_is_unpacked),
		cmocka_unit_test(a_kernel_packed_with_zstandard_is_unpacked),
		cmocka_unit_test(a_kernel_packed_another_way_than_known_is_named),
		cmocka_unit_test(the_mode_of_raw_code_is_told_by_its_branches),
		cmocka_unit_test(a_rom_changes_its_mode_where_the_code_does),
		cmocka_unit_test(damaged_files_never_lead_outside_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
