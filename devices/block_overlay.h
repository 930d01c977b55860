/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/block_overlay.h - --snapshot: a disk that can be written while its image stays as it is.
 *
 *      guest write --> a file without a name (gone when the last process ends)
 *      guest read  --> from there if this sector was written, else from the base image
 *
 * Asked by: user/. Asks: the base's struct block_ops, and the host's file system calls.
 * State:    one struct and one bitmap (a bit for each sector), both in the caller's memory, which must be shared when
 *           the descriptor is (fork).
 */
#ifndef DEVICES_BLOCK_OVERLAY_H
#define DEVICES_BLOCK_OVERLAY_H

#include "devices/device.h"

struct block_overlay {
	const struct block_ops *base;	/* only ever read; open it with BLOCK_FILE_READ_ONLY */
	int fd;				/* -1: closed */
	uint8_t *written;		/* bit s & 7 of byte s >> 3: sector s is in the overlay */
	uint64_t nsectors;
};

/* How large the bitmap must be: 2 MiB for each 8 GiB. Pages of it that stay zero need no memory. */
size_t block_overlay_bitmap_bytes(uint64_t nsectors);

/*
 * @bitmap: zeroed, block_overlay_bitmap_bytes(base->nsectors) long. @directory: where the nameless file goes
 * (a disk with room for all that the guest writes; NULL: $TMPDIR, else /var/tmp). 0, or -errno with one sentence in @error.
 */
int block_overlay_open(struct block_overlay *overlay, const struct block_ops *base, void *bitmap,
		       const char *directory, struct block_ops *ops, char *error, size_t error_bytes);
void block_overlay_close(struct block_overlay *overlay);

#endif
