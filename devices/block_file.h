/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/block_file.h - a disk whose sectors are a raw image file (or block device) of the host.
 *
 * Asked by: user/ opens it and hands struct block_ops to the machine. Asks: the host's file system calls.
 * State:    one struct, in the caller's memory. The descriptor is shared with processes forked after the open.
 * Safety:   the image is locked (flock): one Plexus may write it, or several may read it.
 */
#ifndef DEVICES_BLOCK_FILE_H
#define DEVICES_BLOCK_FILE_H

#include "devices/device.h"

#define BLOCK_FILE_READ_ONLY	1u	/* never written; others may read it at the same time */

struct block_file {
	int fd;				/* -1: closed */
	uint64_t nsectors;
	bool read_only;
};

/*
 * Open @path and fill @ops for it. 0, or -errno with one sentence in @error that names the file and the remedy
 * (at most @error_bytes, always ended with a NUL).
 */
int block_file_open(struct block_file *file, const char *path, unsigned int flags, struct block_ops *ops,
		    char *error, size_t error_bytes);
/* Closes and unlocks. Written data that was not flushed is the host's page cache's business. */
void block_file_close(struct block_file *file);

/* pread and pwrite that go on after short transfers and EINTR. 0 or -errno; a read past the end of file is -EIO. */
int block_read_fully(int fd, void *buf, size_t nbytes, uint64_t offset);
int block_write_fully(int fd, const void *buf, size_t nbytes, uint64_t offset);

#endif
