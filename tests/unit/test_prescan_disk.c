/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_prescan_disk.c - boot code of disks with a GPT and of CDs, built here sector by sector, whole, cut and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lzma.h>
#include <zlib.h>

#include "user/prescan_image.h"

#define SECTOR		512u
#define CD_SECTOR	2048u

static const struct image_options automatic = { .mode = CODE_GUESS };

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

/* A region's name, and there is just one of that name. */
static const struct code_region *region(const struct code_image *image, const char *name)
{
	const struct code_region *found = NULL;

	for (size_t i = 0; i < image->nregions; i++)
		if (!strcmp(image->regions[i].name, name)) {
			assert_null(found);
			found = &image->regions[i];
		}
	return found;
}

/* The bytes stand alone in their memory, so that a checker of memory sees who reads past them. */
static enum image_verdict parse(struct code_image *image, const uint8_t *bytes, size_t nbytes, uint8_t **copy)
{
	enum image_verdict verdict;

	*copy = malloc(nbytes ? nbytes : 1);
	memcpy(*copy, bytes, nbytes);
	verdict = image_parse(image, *copy, nbytes, &automatic);
	assert_null(strchr(image->why, '\n'));
	if (verdict != IMAGE_CODE)
		assert_true(image->why[0]);
	for (size_t i = 0; i < image->nregions; i++) {
		volatile uint8_t sum = 0;

		for (uint32_t j = 0; j < image->regions[i].nbytes; j++)
			sum = (uint8_t)(sum ^ image->regions[i].bytes[j]);
		for (size_t j = 0; j < image->regions[i].nmarks; j++)
			assert_true(image->regions[i].marks[j].offset <= image->regions[i].nbytes);
	}
	return verdict;
}

static enum image_verdict verdict_of(const uint8_t *bytes, size_t nbytes, char why[256])
{
	struct code_image image;
	uint8_t *copy;
	enum image_verdict verdict = parse(&image, bytes, nbytes, &copy);

	memcpy(why, image.why, 256);
	image_free(&image);
	free(copy);
	return verdict;
}

/* ---- GRUB ---- */

#define CORE_SECTORS	40u
#define PACKER_END	0x400u
#define KERNEL_BYTES	0x1000u

/* diskboot.img that lists the core from @lba on, and the core: a kernel of HLTs and noise, packed, behind an unpacker. */
static void make_grub(uint8_t *diskboot, uint32_t lba)
{
	lzma_options_lzma options;
	const lzma_filter filters[] = { { LZMA_FILTER_LZMA1, &options }, { LZMA_VLI_UNKNOWN, NULL } };
	uint8_t *kernel = malloc(KERNEL_BYTES), *core = diskboot + SECTOR;
	size_t n = PACKER_END;

	memset(diskboot, 0x90, SECTOR);
	memset(diskboot + 0x100, 0, SECTOR - 0x100);
	put32(diskboot + 500, lba);
	put16(diskboot + 508, CORE_SECTORS);
	put16(diskboot + 510, 0x820);
	for (size_t i = 0; i < KERNEL_BYTES; i++)
		kernel[i] = (uint8_t)(i * i >> 7 | 1);
	memcpy(kernel + KERNEL_BYTES - 12, "mimg", 4);
	put32(kernel + KERNEL_BYTES - 8, 12);
	put32(kernel + KERNEL_BYTES - 4, 12);
	assert_false(lzma_lzma_preset(&options, 6));
	options.dict_size = 1u << 16;
	memset(core, 0x90, CORE_SECTORS * SECTOR);
	assert_int_equal(lzma_raw_buffer_encode(filters, NULL, kernel, KERNEL_BYTES, core, &n, CORE_SECTORS * SECTOR), LZMA_OK);
	put32(core + 8, (uint32_t)(n - PACKER_END));
	put32(core + 12, KERNEL_BYTES);
	free(kernel);
}

static void make_mbr(uint8_t *mbr, uint32_t grub_at)
{
	memset(mbr, 0x90, 0x1b8);
	put16(mbr + 510, 0xaa55);
	if (!grub_at)
		return;
	put32(mbr + 0x5c, grub_at);
	put32(mbr + 0x60, 0);
	memcpy(mbr + 0x180, "GRUB ", 5);
}

static void expect_grub(const struct code_image *image, const char *prefix)
{
	char name[64];

	snprintf(name, sizeof(name), "%sGRUB unpacker", prefix);
	assert_non_null(region(image, name));
	assert_int_equal(region(image, name)->nbytes, PACKER_END);
	assert_int_equal(region(image, name)->address, 0x8200);
	snprintf(name, sizeof(name), "%sGRUB kernel", prefix);
	assert_non_null(region(image, name));
	assert_int_equal(region(image, name)->nbytes, KERNEL_BYTES - 12);
}

/* ---- GPT ---- */

#define DISK_SECTORS	300u
#define BIOS_BOOT	40u		/* sectors where partitions begin */
#define SYSTEM		200u
#define DATA		250u
#define HEADER		SECTOR
#define ENTRIES		(2 * SECTOR)
#define NENTRIES	8u

static void sign(uint8_t *disk)
{
	put32(disk + HEADER + 88, (uint32_t)crc32(0, disk + ENTRIES, NENTRIES * 128));
	put32(disk + HEADER + 16, 0);
	put32(disk + HEADER + 16, (uint32_t)crc32(0, disk + HEADER, 92));
}

static void add_partition(uint8_t *disk, unsigned int i, const char *type, uint32_t first, uint32_t last)
{
	uint8_t *entry = disk + ENTRIES + (size_t)i * 128;

	memcpy(entry, type, 16);
	memset(entry + 16, 0x11, 16);
	put32(entry + 32, first);
	put32(entry + 40, last);
}

/* BIOS boot partition with GRUB, a partition with a boot sector, one without. */
static uint8_t *make_gpt(uint32_t mbr_leads_to)
{
	uint8_t *disk = calloc(DISK_SECTORS, SECTOR), *p = disk + 0x1be;

	make_mbr(disk, mbr_leads_to);
	p[4] = 0xee;
	put32(p + 8, 1);
	put32(p + 12, DISK_SECTORS - 1);
	memcpy(disk + HEADER, "EFI PART\0\0\1", 12);
	put32(disk + HEADER + 12, 92);
	put32(disk + HEADER + 24, 1);
	put32(disk + HEADER + 72, 2);
	put32(disk + HEADER + 80, NENTRIES);
	put32(disk + HEADER + 84, 128);
	add_partition(disk, 0, "Hah!IdontNeedEFI", BIOS_BOOT, SYSTEM - 1);
	add_partition(disk, 2, "any other type..", SYSTEM, DATA - 1);
	add_partition(disk, 5, "a type of data..", DATA, DISK_SECTORS - 1);
	sign(disk);
	make_grub(disk + BIOS_BOOT * SECTOR, BIOS_BOOT + 1);
	make_mbr(disk + SYSTEM * SECTOR, 0);
	return disk;
}

static void a_gpt_disk_has_its_mbr_grub_and_boot_sectors(void **state)
{
	uint8_t *disk = make_gpt(BIOS_BOOT), *copy;
	struct code_image image;

	(void)state;
	assert_int_equal(parse(&image, disk, DISK_SECTORS * SECTOR, &copy), IMAGE_CODE);
	assert_string_equal(image.format, "disk image");
	assert_non_null(region(&image, "MBR"));
	assert_non_null(region(&image, "GRUB diskboot"));
	assert_non_null(region(&image, "GPT partition 3 boot sector"));
	expect_grub(&image, "");
	assert_int_equal(image.nregions, 5);		/* so the core is there once, though two ways lead to it */
	image_free(&image);
	free(copy);
	free(disk);
}

static void grub_is_found_in_its_partition_under_any_mbr(void **state)
{
	uint8_t *disk = make_gpt(0), *copy;
	struct code_image image;

	(void)state;
	assert_int_equal(parse(&image, disk, DISK_SECTORS * SECTOR, &copy), IMAGE_CODE);
	expect_grub(&image, "");
	assert_int_equal(image.nregions, 5);
	image_free(&image);
	free(copy);
	free(disk);
}

static void another_loader_in_the_bios_boot_partition_is_code_as_well(void **state)
{
	uint8_t *disk = make_gpt(0), *copy;
	struct code_image image;

	(void)state;
	memset(disk + BIOS_BOOT * SECTOR, 0, (SYSTEM - BIOS_BOOT) * SECTOR);
	memset(disk + BIOS_BOOT * SECTOR, 0x90, 777);
	assert_int_equal(parse(&image, disk, DISK_SECTORS * SECTOR, &copy), IMAGE_CODE);
	assert_int_equal(region(&image, "BIOS boot partition")->nbytes, 777);
	image_free(&image);
	free(copy);

	memset(disk + BIOS_BOOT * SECTOR, 0, 777);		/* empty, as it is made */
	assert_int_equal(parse(&image, disk, DISK_SECTORS * SECTOR, &copy), IMAGE_CODE);
	assert_null(region(&image, "BIOS boot partition"));
	assert_int_equal(image.nregions, 2);
	image_free(&image);
	free(copy);
	free(disk);
}

static void a_damaged_gpt_is_one_sentence(void **state)
{
	uint8_t *disk = make_gpt(BIOS_BOOT);
	char why[256];

	(void)state;
	for (size_t i = HEADER; i < ENTRIES + NENTRIES * 128; i = i == HEADER + 91 ? ENTRIES : i + 1) {
		disk[i] ^= 0x24;
		assert_int_equal(verdict_of(disk, DISK_SECTORS * SECTOR, why), IMAGE_BAD);
		assert_non_null(strstr(why, "GUID partition table is damaged"));
		disk[i] ^= 0x24;
	}
	/* With checksums that fit, too. */
	put32(disk + HEADER + 80, 0x7fffffff);
	sign(disk);
	assert_int_equal(verdict_of(disk, DISK_SECTORS * SECTOR, why), IMAGE_BAD);
	assert_non_null(strstr(why, "impossible entries"));
	put32(disk + HEADER + 80, NENTRIES);
	put32(disk + HEADER + 76, 0xffffffff);			/* where they are: nowhere */
	sign(disk);
	assert_int_equal(verdict_of(disk, DISK_SECTORS * SECTOR, why), IMAGE_BAD);
	assert_non_null(strstr(why, "truncated"));
	put32(disk + HEADER + 76, 0);
	add_partition(disk, 2, "any other type..", SYSTEM, SYSTEM - 1);
	sign(disk);
	assert_int_equal(verdict_of(disk, DISK_SECTORS * SECTOR, why), IMAGE_BAD);
	assert_non_null(strstr(why, "partition 3 ends before it begins"));
	add_partition(disk, 2, "any other type..", DISK_SECTORS, DISK_SECTORS + 5);
	sign(disk);
	assert_int_equal(verdict_of(disk, DISK_SECTORS * SECTOR, why), IMAGE_BAD);
	assert_non_null(strstr(why, "GPT partition 3"));
	free(disk);
}

static void a_gpt_disk_cut_at_any_sector_is_one_sentence(void **state)
{
	uint8_t *disk = make_gpt(BIOS_BOOT);
	char why[256];

	(void)state;
	for (uint32_t sectors = 2; sectors <= DATA; sectors++) {
		assert_int_equal(verdict_of(disk, sectors * SECTOR, why), IMAGE_BAD);
		assert_true(strstr(why, "truncated") || strstr(why, "sectors that the image does not have"));
	}
	assert_int_equal(verdict_of(disk, (DATA + 1) * SECTOR, why), IMAGE_CODE);
	free(disk);
}

/* ---- CDs ---- */

#define CD_SECTORS	900u
#define CATALOG		20u
#define IMAGE		30u
#define CD_BYTES	((size_t)CD_SECTORS * CD_SECTOR)

static void sum_up(uint8_t *record)
{
	uint32_t sum = 0;

	put16(record + 28, 0);
	for (unsigned int i = 0; i < 32; i += 2)
		sum += image_le16(record + i);
	put16(record + 28, 0 - sum);
}

static void add_entry(uint8_t *cd, unsigned int record, unsigned int media, uint32_t sectors, uint32_t lba)
{
	uint8_t *entry = cd + CATALOG * CD_SECTOR + (size_t)record * 32;

	entry[0] = 0x88;
	entry[1] = (uint8_t)media;
	put16(entry + 6, sectors);
	put32(entry + 8, lba);
}

/* A catalog without an entry. */
static uint8_t *make_cd(void)
{
	uint8_t *cd = calloc(CD_SECTORS, CD_SECTOR), *catalog = cd + CATALOG * CD_SECTOR;

	for (uint32_t i = 16; i < 19; i++) {
		memcpy(cd + i * CD_SECTOR + 1, "CD001\1", 6);
		cd[i * CD_SECTOR] = i == 16 ? 1 : i == 17 ? 0 : 255;
	}
	memcpy(cd + 17 * CD_SECTOR + 7, "EL TORITO SPECIFICATION", 23);
	put32(cd + 17 * CD_SECTOR + 71, CATALOG);
	catalog[0] = 1;
	memcpy(catalog + 4, "a maker", 7);
	put16(catalog + 30, 0xaa55);
	sum_up(catalog);
	return cd;
}

/* A loader that the BIOS reads four sectors of, and which is 5000 bytes long. */
static uint8_t *make_isolinux(void)
{
	uint8_t *cd = make_cd(), *loader = cd + IMAGE * CD_SECTOR;

	memset(loader, 0x90, 5000);
	put32(loader + 8, 16);
	put32(loader + 12, IMAGE);
	put32(loader + 16, 5000);
	add_entry(cd, 1, 0, 4, IMAGE);
	return cd;
}

static void a_cd_without_emulation_has_its_whole_loader(void **state)
{
	uint8_t *cd = make_isolinux(), *copy;
	const struct code_region *r;
	struct code_image image;

	(void)state;
	assert_int_equal(parse(&image, cd, CD_BYTES, &copy), IMAGE_CODE);
	assert_string_equal(image.format, "ISO 9660 image");
	assert_int_equal(image.nregions, 2);
	r = region(&image, "El Torito 1:boot image");
	assert_non_null(r);
	assert_int_equal(r->address, 0x7c00);
	assert_int_equal(r->nbytes, 2048);
	assert_int_equal(r->mode, CODE_16);
	assert_int_equal(r->nmarks, 2);
	assert_int_equal(r->marks[0].offset, 8);
	assert_int_equal(r->marks[1].offset, 64);
	r = region(&image, "El Torito 1:behind its first sectors");
	assert_non_null(r);
	assert_int_equal(r->address, 0x7c00 + 2048);
	assert_int_equal(r->nbytes, 5000 - 2048);
	image_free(&image);
	free(copy);

	/* Another segment, and no table: what the catalog says. */
	put16(cd + CATALOG * CD_SECTOR + 32 + 2, 0x1000);
	put32(cd + IMAGE * CD_SECTOR + 12, IMAGE + 1);
	assert_int_equal(parse(&image, cd, CD_BYTES, &copy), IMAGE_CODE);
	assert_int_equal(image.nregions, 1);
	assert_int_equal(image.regions[0].address, 0x10000);
	assert_int_equal(image.regions[0].nmarks, 0);
	image_free(&image);
	free(copy);
	free(cd);
}

static void a_cd_shows_its_floppy_and_its_hard_disk(void **state)
{
	uint8_t *cd = make_cd(), *section = cd + CATALOG * CD_SECTOR + 64, *copy, *disk;
	struct code_image image;

	(void)state;
	add_entry(cd, 1, 2, 1, IMAGE);			/* 1.44 MB: up to sector 750 */
	make_mbr(cd + IMAGE * CD_SECTOR, 0);
	put16(cd + IMAGE * CD_SECTOR + 11, 512);	/* FAT */
	section[0] = 0x91;
	put16(section + 2, 1);
	add_entry(cd, 3, 4, 1, 800);
	disk = cd + 800 * CD_SECTOR;
	make_mbr(disk, 0);
	disk[0x1be + 4] = 6;
	put32(disk + 0x1be + 8, 17);
	put32(disk + 0x1be + 12, 100);
	make_mbr(disk + 17 * SECTOR, 0);
	assert_int_equal(parse(&image, cd, CD_BYTES, &copy), IMAGE_CODE);
	assert_int_equal(image.nregions, 3);
	assert_non_null(region(&image, "El Torito 1:boot sector"));
	assert_non_null(region(&image, "El Torito 2:MBR"));
	assert_non_null(region(&image, "El Torito 2:partition 1 boot sector"));
	image_free(&image);
	free(copy);

	cd[IMAGE * CD_SECTOR + 511] = 0;
	assert_int_equal(parse(&image, cd, CD_BYTES, &copy), IMAGE_BAD);
	assert_non_null(strstr(image.why, "a floppy without a boot sector"));
	image_free(&image);
	free(copy);
	free(cd);
}

static void what_is_for_efi_or_not_bootable_is_passed_over(void **state)
{
	uint8_t *cd = make_isolinux(), *section = cd + CATALOG * CD_SECTOR + 64;
	char why[256];
	struct code_image image;
	uint8_t *copy;

	(void)state;
	section[0] = 0x91;
	section[1] = 0xef;
	put16(section + 2, 1);
	add_entry(cd, 3, 0, 1, 0x7fffffff);		/* would be a fault if it were read */
	assert_int_equal(parse(&image, cd, CD_BYTES, &copy), IMAGE_CODE);
	assert_int_equal(image.nregions, 2);
	image_free(&image);
	free(copy);
	cd[CATALOG * CD_SECTOR + 32] = 0;
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_NONE);
	assert_non_null(strstr(why, "holds no code (ISO 9660 image)"));
	memset(cd + 17 * CD_SECTOR + 7, 0, 23);		/* a CD of files only */
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_NONE);
	free(cd);
}

/* GRUB's CDs: the El Torito image is cdboot.img, diskboot.img and the core; the MBR of a hybrid leads into the middle of it. */
static void a_hybrids_grub_is_read_once(void **state)
{
	uint8_t *cd = make_isolinux(), *copy;
	struct code_image image;

	(void)state;
	make_grub(cd + (IMAGE + 1) * CD_SECTOR, IMAGE * 4 + 5);
	put32(cd + IMAGE * CD_SECTOR + 16, CD_SECTOR + SECTOR + CORE_SECTORS * SECTOR);
	assert_int_equal(parse(&image, cd, CD_BYTES, &copy), IMAGE_CODE);
	assert_string_equal(image.format, "ISO 9660 image");
	expect_grub(&image, "El Torito 1:");
	assert_int_equal(image.nregions, 3);
	image_free(&image);
	free(copy);

	make_mbr(cd, IMAGE * 4 + 4);
	put32(cd + 0x5c, 0);				/* boot_hybrid.img has it elsewhere */
	put32(cd + 0x1b0, IMAGE * 4 + 4);
	put32(cd + 0x1b4, 0);
	assert_int_equal(parse(&image, cd, CD_BYTES, &copy), IMAGE_CODE);
	assert_string_equal(image.format, "ISO 9660 image and disk image");
	expect_grub(&image, "");
	assert_non_null(region(&image, "El Torito 1:boot image"));
	assert_int_equal(image.nregions, 5);
	image_free(&image);
	free(copy);
	free(cd);
}

static void a_damaged_catalog_is_one_sentence(void **state)
{
	uint8_t *cd = make_isolinux(), *catalog = cd + CATALOG * CD_SECTOR;
	char why[256];

	(void)state;
	for (size_t i = 0; i < 32; i++) {
		catalog[i] ^= 0x24;
		assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_BAD);
		assert_non_null(strstr(why, "boot catalog is damaged"));
		catalog[i] ^= 0x24;
	}
	catalog[32] = 0x77;
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_BAD);
	assert_non_null(strstr(why, "neither bootable nor the contrary"));
	catalog[32] = 0x88;
	catalog[33] = 7;
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_BAD);
	assert_non_null(strstr(why, "of no kind that there is"));
	catalog[33] = 0;
	put32(catalog + 40, 3);
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_BAD);
	assert_non_null(strstr(why, "at sector 3"));
	put32(catalog + 40, 0xffffffff);
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_BAD);
	assert_non_null(strstr(why, "truncated"));
	put32(catalog + 40, IMAGE);
	put32(cd + IMAGE * CD_SECTOR + 16, 0xffffffff);		/* the loader's own word on how long it is */
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_BAD);
	assert_non_null(strstr(why, "which no loader is"));
	cd[18 * CD_SECTOR + 1] = 0;
	memset(cd + 17 * CD_SECTOR + 7, 0, 23);
	assert_int_equal(verdict_of(cd, CD_BYTES, why), IMAGE_BAD);
	assert_non_null(strstr(why, "volume descriptors is damaged at sector 18"));
	free(cd);
}

static void a_cd_cut_at_any_sector_is_one_sentence(void **state)
{
	uint8_t *cd = make_isolinux();
	char why[256];

	(void)state;
	for (uint32_t sectors = 17; sectors < IMAGE + 3; sectors++) {
		assert_int_equal(verdict_of(cd, (size_t)sectors * CD_SECTOR, why), IMAGE_BAD);
		assert_non_null(strstr(why, "truncated"));
	}
	assert_int_equal(verdict_of(cd, (IMAGE + 3) * CD_SECTOR, why), IMAGE_CODE);
	free(cd);
}

/* Random bytes changed where tables are; the checksums are put right again, or nothing behind them would ever be reached. */
static void damaged_disks_never_lead_outside_themselves(void **state)
{
	static const uint16_t cd_places[] = { 16 * 4, 17 * 4, CATALOG * 4, IMAGE * 4, IMAGE * 4 + 8 }, disk_places[] = { 0, 1, 2, BIOS_BOOT, BIOS_BOOT + 1 };
	uint8_t *cd = make_isolinux(), *disk = make_gpt(BIOS_BOOT);
	size_t cd_bytes = (IMAGE + 16) * CD_SECTOR, disk_bytes = DISK_SECTORS * SECTOR;
	uint32_t seed = 4711;
	char why[256];

	(void)state;
	make_grub(cd + (IMAGE + 1) * CD_SECTOR, IMAGE * 4 + 5);
	put32(cd + IMAGE * CD_SECTOR + 16, CD_SECTOR + SECTOR + CORE_SECTORS * SECTOR);
	make_mbr(cd, IMAGE * 4 + 4);
	for (int round = 0; round < 600; round++) {
		bool on_cd = round & 1;
		size_t n = on_cd ? cd_bytes : disk_bytes;
		uint8_t *copy = malloc(n);

		memcpy(copy, on_cd ? cd : disk, n);
		for (int i = 0; i < 3; i++) {
			seed = seed * 1664525u + 1013904223u;
			copy[(on_cd ? cd_places : disk_places)[(seed >> 28) % 5] * SECTOR + (seed >> 16 & (seed & 0x80 ? 0x1ff : 0x5f))] =
				(uint8_t)(seed >> 8);
		}
		if (on_cd)
			sum_up(copy + CATALOG * CD_SECTOR);
		else
			sign(copy);
		verdict_of(copy, n, why);
		free(copy);
	}
	free(disk);
	free(cd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gpt_disk_has_its_mbr_grub_and_boot_sectors),
		cmocka_unit_test(grub_is_found_in_its_partition_under_any_mbr),
		cmocka_unit_test(another_loader_in_the_bios_boot_partition_is_code_as_well),
		cmocka_unit_test(a_damaged_gpt_is_one_sentence),
		cmocka_unit_test(a_gpt_disk_cut_at_any_sector_is_one_sentence),
		cmocka_unit_test(a_cd_without_emulation_has_its_whole_loader),
		cmocka_unit_test(a_cd_shows_its_floppy_and_its_hard_disk),
		cmocka_unit_test(what_is_for_efi_or_not_bootable_is_passed_over),
		cmocka_unit_test(a_hybrids_grub_is_read_once),
		cmocka_unit_test(a_damaged_catalog_is_one_sentence),
		cmocka_unit_test(a_cd_cut_at_any_sector_is_one_sentence),
		cmocka_unit_test(damaged_disks_never_lead_outside_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
