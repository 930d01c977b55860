/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_image.h - which bytes of a file are IA-32 code, and where they believe they stand.
 *
 *      file --> [image: ELF, PE, ar, boot sector, ROM, bzImage ...] --> regions --> sweep --> result --> table, JSON, HTML
 *
 * Every reader checks each offset against the bytes that are there before it follows it: the files are foreign.
 * Tested by: tests/unit/test_prescan_image.c.
 */
#ifndef USER_PRESCAN_IMAGE_H
#define USER_PRESCAN_IMAGE_H

#include <stdio.h>

#include "plexus/base.h"

enum code_mode {
	CODE_16 = 0,
	CODE_32 = 1,
	CODE_GUESS,		/* a blob says nothing: user/prescan_guess.c judges by where branches lead */
};

enum code_mark_kind {		/* in the order in which marks at one place take effect */
	MARK_16 = 0,		/* from here on in this mode */
	MARK_32,
	MARK_DATA,		/* no code from here to the next MARK_CODE */
	MARK_CODE,		/* a function begins: instructions are counted from here, whatever came before */
};

struct code_mark {
	uint32_t offset;
	uint8_t kind;
};

struct code_region {
	char *name;
	uint64_t address;	/* of the first byte, as the file says: linear, or an offset where it says nothing */
	const uint8_t *bytes;	/* in one of the image's buffers */
	uint32_t nbytes;
	uint8_t mode;		/* enum code_mode */
	bool guessed;
	bool unlinked;		/* addresses in it are put right when it is loaded: a relocatable file */
	uint32_t guess_window;	/* bytes that surely are of one mode; 0: the whole region */
	struct code_mark *marks;	/* sorted by image_finish() */
	size_t nmarks;
};

enum image_verdict {
	IMAGE_CODE = 0,
	IMAGE_NONE,		/* no format we know */
	IMAGE_FOREIGN,		/* 64-bit, or another processor's */
	IMAGE_BAD,		/* truncated, inconsistent, unreadable */
	IMAGE_NR
};

struct code_image {
	char format[80];
	struct code_region *regions;
	size_t nregions;
	void **buffers;
	size_t nbuffers;
	/* One sentence on what is not among the regions though it should be; the verdict says how bad that is. */
	char why[256];
	bool no_memory;
};

struct image_options {
	uint8_t mode;		/* CODE_GUESS: as the file says */
	bool raw;		/* whatever it looks like, it is code from the first byte on */
	bool named;		/* somebody asked for this very file: what is no known format is raw */
	uint64_t raw_address;
};

/*
 * Reads @path and finds its code. A file that is not IMAGE_CODE may still have regions (what stands before the damage).
 * @why of the image holds a sentence without the path unless all is well. Always followed by image_free().
 */
enum image_verdict image_open(struct code_image *image, const char *path, const struct image_options *options);
void image_free(struct code_image *image);

/* The same for bytes in memory, which must outlive the image. */
enum image_verdict image_parse(struct code_image *image, const uint8_t *bytes, size_t nbytes, const struct image_options *options);

/* ---- for the readers of single formats: prescan_elf.c and so on ---- */

/* Bytes inside a file: @prefix goes before the regions' names. Nothing in here goes deeper than three levels. */
struct image_part {
	struct code_image *image;
	const uint8_t *bytes;
	size_t nbytes;
	const char *prefix;
	unsigned int depth;
};

PLX_PRINTF(3, 4)
enum image_verdict image_say(struct code_image *image, enum image_verdict verdict, const char *fmt, ...);
/* NULL: no memory, and noted. Bytes past 4 GiB of a region are an error of the caller. */
struct code_region *image_region(const struct image_part *part, const char *name, uint64_t address, size_t offset, size_t nbytes,
				 enum code_mode mode);
void image_mark(struct code_image *image, struct code_region *region, uint64_t offset, enum code_mark_kind kind);
/* Memory that lives as long as the image; NULL: none. */
void *image_buffer(struct code_image *image, size_t nbytes);
void image_format(struct code_image *image, const char *format);

/* Any format that can stand inside another: ELF, COFF, PE. IMAGE_NONE otherwise. */
enum image_verdict image_inner(const struct image_part *part);

bool elf_probe(const uint8_t *bytes, size_t nbytes);
enum image_verdict elf_read(const struct image_part *part);
bool pe_probe(const uint8_t *bytes, size_t nbytes);	/* MZ: PE or DOS program */
enum image_verdict pe_read(const struct image_part *part);
bool coff_probe(const uint8_t *bytes, size_t nbytes);
enum image_verdict coff_read(const struct image_part *part);
bool ar_probe(const uint8_t *bytes, size_t nbytes);
enum image_verdict ar_read(const struct image_part *part);
bool bzimage_probe(const uint8_t *bytes, size_t nbytes);
enum image_verdict bzimage_read(const struct image_part *part);
bool boot_probe(const uint8_t *bytes, size_t nbytes);	/* boot sector, or a disk that begins with one */

/* A disk, of which only the boot code is read: in place, where it is needed. */
struct image_disk {
	struct code_image *image;
	const char *prefix;		/* goes before the regions' names */
	const uint8_t *head;		/* its first bytes: a sector at least, or NULL if it does not begin with one that boots */
	size_t nhead;
	uint64_t nbytes;
	int (*fetch)(void *owner, void *to, size_t nbytes, uint64_t offset);	/* 0, or -errno; -ENODATA: it ends before */
	void *owner;
	bool iso;			/* behind the first sector is a CD's file system */
	uint64_t grub_sector;		/* of the diskboot.img whose core was read; 0: none yet */
};

/* False: not there, and a sentence was said that names @what. */
bool disk_fetch(const struct image_disk *disk, void *to, size_t nbytes, uint64_t offset, const char *what);
enum image_verdict boot_read(struct image_disk *disk);
/* A partition's boot sector, if it has one; @name is the partition's. */
enum image_verdict boot_partition(struct image_disk *disk, const char *name, uint64_t offset);
enum image_verdict gpt_read(struct image_disk *disk);
bool iso_probe(const struct image_disk *disk);
enum image_verdict iso_read(struct image_disk *disk);	/* its El Torito images */
bool grub_probe(const uint8_t *sector);
/* Is it diskboot.img, and lists its core from @core on? 0: wherever. */
bool grub_diskboot_probe(const uint8_t *sector, uint64_t core);
/* From boot.img: the sector of diskboot.img. */
uint64_t grub_sector(const uint8_t *sector);
enum image_verdict grub_read(struct image_disk *disk, uint64_t diskboot_sector);
/* A core that stands in one piece; the bytes live as long as the image. */
enum image_verdict grub_core(struct code_image *image, const char *prefix, const uint8_t *bytes, size_t nbytes);
bool rom_option_probe(const uint8_t *bytes, size_t nbytes, uint64_t file_bytes);
bool rom_system_probe(const uint8_t *last16, uint64_t file_bytes);
enum image_verdict rom_read(const struct image_part *part, bool option);

/*
 * prescan_unpack.c: xz, LZMA, gzip, bzip2, Zstandard and LZ4 as the kernel has them, to at most @max bytes (a bomb ends there). The
 * result belongs to the image. 0, or -errno with a sentence fragment in @why.
 * unpack_lzma_raw: a bare LZMA1 stream, as GRUB has it, that becomes exactly @out_bytes.
 */
#define UNPACK_MAX	((size_t)1 << 30)	/* a kernel is some 30 MiB; what claims more is a bomb or broken */
int unpack(struct code_image *image, const uint8_t *bytes, size_t nbytes, size_t max, uint8_t **out, size_t *out_bytes,
	   char *why, size_t why_bytes);
bool unpack_lzma_raw(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t out_bytes);

/* prescan_guess.c: replaces CODE_GUESS by marks and a mode. */
void guess_modes(struct code_image *image, struct code_region *region);

static inline uint32_t image_le16(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8; }
static inline uint32_t image_le32(const uint8_t *p) { return image_le16(p) | image_le16(p + 2) << 16; }
static inline uint64_t image_le64(const uint8_t *p) { return image_le32(p) | (uint64_t)image_le32(p + 4) << 32; }

#endif
