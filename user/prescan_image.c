/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_image.c - opens a file, finds out what it is, and hands it to that format's reader.
 *
 * Asked by:  user/prescan_scan.c. Asks: user/prescan_elf.c, _pe.c, _ar.c, _boot.c, _iso.c, _rom.c, _bzimage.c.
 * Never:     follows an offset out of the bytes at hand; reads more of a disk than its boot code.
 * Read next: user/prescan_elf.c, then user/prescan_boot.c.
 */
#define _GNU_SOURCE			/* O_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/prescan_image.h"

#define HEAD_BYTES	4096u
#define DISK_BYTES	(2u << 20)		/* of a disk: the boot track and more; partitions usually begin at 1 MiB */
#define FILE_MAX	0x7fffffffull
#define DEPTH_MAX	3

enum image_verdict image_say(struct code_image *image, enum image_verdict verdict, const char *fmt, ...)
{
	va_list args;

	if (image->why[0])		/* the first trouble is the one to be told */
		return verdict;
	va_start(args, fmt);
	vsnprintf(image->why, sizeof(image->why), fmt, args);
	va_end(args);
	return verdict;
}

void image_format(struct code_image *image, const char *format)
{
	if (!image->format[0])		/* the outermost names the file */
		snprintf(image->format, sizeof(image->format), "%s", format);
}

static enum image_verdict no_memory(struct code_image *image)
{
	image->no_memory = true;
	return image_say(image, IMAGE_BAD, "there is not enough memory to read it");
}

void *image_buffer(struct code_image *image, size_t nbytes)
{
	void **grown = realloc(image->buffers, (image->nbuffers + 1) * sizeof(*grown));
	void *buffer;

	if (!grown)
		return NULL;
	image->buffers = grown;
	buffer = malloc(nbytes ? nbytes : 1);
	if (buffer)
		image->buffers[image->nbuffers++] = buffer;
	return buffer;
}

struct code_region *image_region(const struct image_part *part, const char *name, uint64_t address, size_t offset, size_t nbytes,
				 enum code_mode mode)
{
	struct code_image *image = part->image;
	struct code_region *region, *grown;
	size_t n = image->nregions;

	/* Powers of two: an archive may have tens of thousands. */
	if (!(n & (n - 1))) {
		grown = realloc(image->regions, (n ? 2 * n : 1) * sizeof(*grown));
		if (!grown) {
			no_memory(image);
			return NULL;
		}
		image->regions = grown;
	}
	region = &image->regions[n];
	*region = (struct code_region){
		.address = address, .bytes = part->bytes + offset, .nbytes = (uint32_t)nbytes, .mode = (uint8_t)mode,
	};
	if (asprintf(&region->name, "%s%s", part->prefix, name) < 0) {
		no_memory(image);
		return NULL;
	}
	image->nregions++;
	return region;
}

void image_mark(struct code_image *image, struct code_region *region, uint64_t offset, enum code_mark_kind kind)
{
	size_t n = region->nmarks;

	if (offset > region->nbytes)
		return;
	if (!(n & (n - 1))) {
		struct code_mark *grown = realloc(region->marks, (n ? 2 * n : 1) * sizeof(*grown));

		if (!grown) {
			no_memory(image);
			return;
		}
		region->marks = grown;
	}
	region->marks[region->nmarks++] = (struct code_mark){ .offset = (uint32_t)offset, .kind = (uint8_t)kind };
}

static int by_offset(const void *a, const void *b)
{
	const struct code_mark *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

static void finish(struct code_image *image, const struct image_options *options)
{
	for (size_t i = 0; i < image->nregions; i++) {
		struct code_region *region = &image->regions[i];

		if (options->mode != CODE_GUESS)
			region->mode = options->mode;
		if (region->mode == CODE_GUESS)
			guess_modes(image, region);
		if (region->nmarks)
			qsort(region->marks, region->nmarks, sizeof(*region->marks), by_offset);
	}
}

void image_free(struct code_image *image)
{
	for (size_t i = 0; i < image->nregions; i++) {
		free(image->regions[i].name);
		free(image->regions[i].marks);
	}
	for (size_t i = 0; i < image->nbuffers; i++)
		free(image->buffers[i]);
	free(image->regions);
	free(image->buffers);
	*image = (struct code_image){ 0 };
}

enum image_verdict image_inner(const struct image_part *part)
{
	if (part->depth > DEPTH_MAX)
		return IMAGE_NONE;
	if (elf_probe(part->bytes, part->nbytes))
		return elf_read(part);
	if (pe_probe(part->bytes, part->nbytes))
		return pe_read(part);
	if (coff_probe(part->bytes, part->nbytes))
		return coff_read(part);
	return IMAGE_NONE;
}

/* ---- a whole file ---------------------------------------------------------------------------------- */

struct source {
	int fd;			/* -1: all of it is in memory */
	uint64_t nbytes;
	const uint8_t *head;	/* HEAD_BYTES of it, or all in memory */
	size_t nhead;
	const uint8_t *tail;	/* its last 16 bytes */
};

static int read_at(int fd, void *to, size_t nbytes, uint64_t offset)
{
	uint8_t *at = to;

	while (nbytes) {
		ssize_t n = pread(fd, at, nbytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;	/* it became shorter while we read */
		at += n;
		offset += (uint64_t)n;
		nbytes -= (size_t)n;
	}
	return 0;
}

static int fetch(void *owner, void *to, size_t nbytes, uint64_t offset)
{
	const struct source *s = owner;

	if (offset > s->nbytes || s->nbytes - offset < nbytes)
		return -ENODATA;
	if (s->fd >= 0)
		return read_at(s->fd, to, nbytes, offset);
	memcpy(to, s->head + offset, nbytes);
	return 0;
}

static enum image_verdict cannot_read(struct code_image *image, int err)
{
	if (err == -ENODATA)
		return image_say(image, IMAGE_BAD, "it became shorter while it was read");
	return image_say(image, IMAGE_BAD, "cannot be read: %s", strerror(-err));
}

static enum image_verdict raw_read(const struct image_part *part, uint64_t address)
{
	struct code_region *region;

	image_format(part->image, "raw");
	region = image_region(part, "raw", address, 0, part->nbytes, CODE_GUESS);
	if (!region)
		return IMAGE_BAD;
	return IMAGE_CODE;
}

/* A disk, a CD, or a CD that is a disk as well: then both are read, whatever one says. */
static enum image_verdict disk_read(struct image_disk *disk, const struct image_part *part)
{
	enum image_verdict verdict = IMAGE_CODE, cd = IMAGE_CODE;
	bool boots = boot_probe(part->bytes, part->nbytes);

	disk->head = part->bytes;
	disk->nhead = part->nbytes;
	if (disk->iso)
		image_format(disk->image, boots ? "ISO 9660 image and disk image" : "ISO 9660 image");
	if (boots)
		verdict = boot_read(disk);
	if (disk->iso)
		cd = iso_read(disk);
	return verdict == IMAGE_CODE ? cd : verdict;
}

static enum image_verdict read_source(struct code_image *image, struct source *s, const struct image_options *options)
{
	struct image_part part = { .image = image, .bytes = s->head, .nbytes = s->nhead, .prefix = "" };
	enum image_verdict (*reader)(const struct image_part *part) = NULL;
	struct image_disk as_disk = { .image = image, .prefix = "", .nbytes = s->nbytes, .fetch = fetch, .owner = s };
	bool disk = false, option_rom = false, system_rom = false;
	uint64_t want = s->nbytes;
	uint8_t *whole;
	int err;

	if (options->raw)
		;
	else if (elf_probe(s->head, s->nhead))
		reader = elf_read;
	else if (bzimage_probe(s->head, s->nhead))
		reader = bzimage_read;
	else if (pe_probe(s->head, s->nhead))
		reader = pe_read;
	else if (ar_probe(s->head, s->nhead))
		reader = ar_read;
	else if (rom_option_probe(s->head, s->nhead, s->nbytes))
		option_rom = true;
	else if (iso_probe(&as_disk))
		disk = as_disk.iso = true;
	else if (boot_probe(s->head, s->nhead))
		disk = true;
	else if (rom_system_probe(s->tail, s->nbytes))
		system_rom = true;
	else if (coff_probe(s->head, s->nhead))
		reader = coff_read;
	else if (!options->named)
		return image_say(image, IMAGE_NONE, "is no kind of program that is known here");

	if (disk && want > DISK_BYTES)
		want = DISK_BYTES;
	if (want > FILE_MAX)
		return image_say(image, IMAGE_BAD, "is larger than 2 GiB; extract the part that holds the code");
	if (s->fd >= 0) {
		whole = image_buffer(image, (size_t)want);
		if (!whole)
			return no_memory(image);
		err = read_at(s->fd, whole, (size_t)want, 0);
		if (err)
			return cannot_read(image, err);
		part.bytes = whole;
	}
	part.nbytes = (size_t)want;
	if (reader)
		return reader(&part);
	if (disk)
		return disk_read(&as_disk, &part);
	if (option_rom || system_rom)
		return rom_read(&part, option_rom);
	return raw_read(&part, options->raw_address);
}

static enum image_verdict finished(struct code_image *image, enum image_verdict verdict, const struct image_options *options)
{
	finish(image, options);
	if (image->no_memory)
		return IMAGE_BAD;
	if (verdict == IMAGE_CODE && !image->nregions)
		return image_say(image, IMAGE_NONE, "holds no code (%s)", image->format);
	return verdict;
}

enum image_verdict image_parse(struct code_image *image, const uint8_t *bytes, size_t nbytes, const struct image_options *options)
{
	struct source s = { .fd = -1, .nbytes = nbytes, .head = bytes, .nhead = nbytes };

	*image = (struct code_image){ 0 };
	if (!nbytes)
		return image_say(image, IMAGE_NONE, "is empty");
	s.tail = nbytes >= 16 ? bytes + nbytes - 16 : bytes;
	return finished(image, read_source(image, &s, options), options);
}

enum image_verdict image_open(struct code_image *image, const char *path, const struct image_options *options)
{
	uint8_t head[HEAD_BYTES], tail[16] = { 0 };
	struct source s = { .head = head, .tail = tail };
	enum image_verdict verdict;
	struct stat st;
	off_t end;
	int err = 0;

	*image = (struct code_image){ 0 };
	/* A FIFO without a writer would hold us: non-blocking, and looked at before it is read. */
	s.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s.fd < 0)
		return image_say(image, IMAGE_BAD, "cannot be opened: %s", strerror(errno));
	if (fstat(s.fd, &st) < 0) {
		verdict = image_say(image, IMAGE_BAD, "cannot be examined: %s", strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		verdict = image_say(image, IMAGE_BAD, "is neither a file nor a block device");
		goto out;
	}
	end = lseek(s.fd, 0, SEEK_END);
	if (end < 0) {
		verdict = image_say(image, IMAGE_BAD, "cannot be read: %s", strerror(errno));
		goto out;
	}
	s.nbytes = (uint64_t)end;
	if (!s.nbytes) {
		verdict = image_say(image, options->named ? IMAGE_BAD : IMAGE_NONE, "is empty");
		goto out;
	}
	s.nhead = (size_t)plx_min64(s.nbytes, sizeof(head));
	err = read_at(s.fd, head, s.nhead, 0);
	if (!err && s.nbytes >= sizeof(tail))
		err = read_at(s.fd, tail, sizeof(tail), s.nbytes - sizeof(tail));
	if (err)
		verdict = cannot_read(image, err);
	else
		verdict = finished(image, read_source(image, &s, options), options);
out:
	close(s.fd);
	return verdict;
}
