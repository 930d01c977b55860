/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/block_overlay.c - writes go beside the image, into a file that has no name.
 *
 *      sector 7 --> written[7]? --> yes: the nameless file, at the same offset (it is sparse)
 *                              \--> no:  the base image
 *
 * Asked by:  user/ to open; a disk chip through block_ops.
 * Asks:      the base's read, and nothing else of it: its write and flush are never called.
 * Flush:     has nothing to do. All of this is thrown away when the machine ends, also when the host loses power.
 * Tested by: tests/unit/test_block.c.
 * Read next: devices/ide.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE	/* mkostemp */
#endif
#include "devices/block_overlay.h"

#include "devices/block_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR_BYTES 512u

size_t block_overlay_bitmap_bytes(uint64_t nsectors)
{
	return (size_t)((nsectors + 7) / 8);
}

static bool is_written(const struct block_overlay *overlay, uint64_t sector)
{
	return overlay->written[sector >> 3] >> (sector & 7) & 1;
}

static bool in_range(const struct block_overlay *overlay, uint64_t sector, uint32_t nsectors)
{
	return sector <= overlay->nsectors && nsectors <= overlay->nsectors - sector;
}

static int overlay_read(void *owner, uint64_t sector, void *buf, uint32_t nsectors)
{
	const struct block_overlay *overlay = owner;
	uint8_t *to = buf;

	if (!in_range(overlay, sector, nsectors))
		return -EINVAL;
	while (nsectors) {
		bool here = is_written(overlay, sector);
		uint32_t run = 1;
		int err;

		while (run < nsectors && is_written(overlay, sector + run) == here)
			run++;
		if (here)
			err = block_read_fully(overlay->fd, to, (size_t)run * SECTOR_BYTES, sector * SECTOR_BYTES);
		else
			err = overlay->base->read(overlay->base->owner, sector, to, run);
		if (err)
			return err;
		to += (size_t)run * SECTOR_BYTES;
		sector += run;
		nsectors -= run;
	}
	return 0;
}

static int overlay_write(void *owner, uint64_t sector, const void *buf, uint32_t nsectors)
{
	const struct block_overlay *overlay = owner;
	int err;

	if (!in_range(overlay, sector, nsectors))
		return -EINVAL;
	err = block_write_fully(overlay->fd, buf, (size_t)nsectors * SECTOR_BYTES, sector * SECTOR_BYTES);
	if (err)
		return err;
	/* Marked only now: after a failed write the guest reads what was there before, or what it wrote earlier. */
	for (; nsectors; nsectors--, sector++)
		overlay->written[sector >> 3] |= 1u << (sector & 7);
	return 0;
}

static int overlay_flush(void *owner)
{
	(void)owner;
	return 0;
}

/* A file that nobody else can find: it loses its name at once, and so goes with the last process that has it open. */
static int open_nameless(const char *directory)
{
	char name[4096];
	int fd, length = snprintf(name, sizeof(name), "%s/plexus-snapshot-XXXXXX", directory);

	if (length < 0 || (size_t)length >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

int block_overlay_open(struct block_overlay *overlay, const struct block_ops *base, void *bitmap,
		       const char *directory, struct block_ops *ops, char *error, size_t error_bytes)
{
	int fd;

	overlay->fd = -1;
	if (!directory)
		directory = getenv("TMPDIR");
	if (!directory || !directory[0])
		directory = "/var/tmp";
	fd = open_nameless(directory);
	if (fd < 0) {
		int err = errno;

		if (error && error_bytes)
			snprintf(error, error_bytes, "%s: no temporary file for --snapshot can be made there (%s); set TMPDIR "
				 "to a directory that can be written.", directory, strerror(err));
		return -err;
	}
	*overlay = (struct block_overlay){ .base = base, .fd = fd, .written = bitmap, .nsectors = base->nsectors };
	*ops = (struct block_ops){ .read = overlay_read, .write = overlay_write, .flush = overlay_flush,
				   .nsectors = base->nsectors, .read_only = false, .owner = overlay };
	return 0;
}

void block_overlay_close(struct block_overlay *overlay)
{
	if (overlay->fd >= 0)
		close(overlay->fd);
	overlay->fd = -1;
}
