/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices/block_file.c - a raw image file as a disk.
 *
 *      IDE --> struct block_ops --> [block_file] --> pread, pwrite, fdatasync
 *
 * Asked by:  user/ to open; a disk chip through block_ops.
 * Asks:      the host's file system. This is a backend, not a chip: system calls are its business, globals are not.
 * Durable:   what the guest flushed is in the file when flush returns 0 (fdatasync). A failed flush is told, every time
 *            it fails; the host may have dropped the data, and only the guest can decide what that means.
 * Tested by: tests/unit/test_block.c.
 * Read next: devices/block_overlay.c.
 */
#include "devices/block_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR_BYTES 512u

int block_read_fully(int fd, void *buf, size_t nbytes, uint64_t offset)
{
	uint8_t *to = buf;

	while (nbytes) {
		ssize_t n = pread(fd, to, nbytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;		/* somebody cut the file short under us */
		to += n;
		offset += (uint64_t)n;
		nbytes -= (size_t)n;
	}
	return 0;
}

int block_write_fully(int fd, const void *buf, size_t nbytes, uint64_t offset)
{
	const uint8_t *from = buf;

	while (nbytes) {
		ssize_t n = pwrite(fd, from, nbytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENOSPC;
		from += n;
		offset += (uint64_t)n;
		nbytes -= (size_t)n;
	}
	return 0;
}

/* The chips check ranges too; a mistake there must not turn into a longer file or another disk's data here. */
static bool in_range(const struct block_file *file, uint64_t sector, uint32_t nsectors)
{
	return sector <= file->nsectors && nsectors <= file->nsectors - sector;
}

static int file_read(void *owner, uint64_t sector, void *buf, uint32_t nsectors)
{
	const struct block_file *file = owner;

	if (!in_range(file, sector, nsectors))
		return -EINVAL;
	return block_read_fully(file->fd, buf, (size_t)nsectors * SECTOR_BYTES, sector * SECTOR_BYTES);
}

static int file_write(void *owner, uint64_t sector, const void *buf, uint32_t nsectors)
{
	const struct block_file *file = owner;

	if (file->read_only)
		return -EROFS;
	if (!in_range(file, sector, nsectors))
		return -EINVAL;
	return block_write_fully(file->fd, buf, (size_t)nsectors * SECTOR_BYTES, sector * SECTOR_BYTES);
}

static int file_flush(void *owner)
{
	const struct block_file *file = owner;

	if (file->read_only)
		return 0;
	while (fdatasync(file->fd) != 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* ---- opening: every way it can go wrong has its sentence ---- */

struct refusal {
	char *text;
	size_t nbytes;
};

PLX_PRINTF(3, 4) static int refuse(const struct refusal *why, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (why->text && why->nbytes)
		vsnprintf(why->text, why->nbytes, format, args);
	va_end(args);
	return -err;
}

static int refuse_open(const struct refusal *why, const char *path, bool read_only, int err)
{
	switch (err) {
	case ENOENT:
		return refuse(why, err, "%s: there is no such disk image; check the path, or make an empty disk with "
			      "\"truncate -s 4G %s\".", path, path);
	case EISDIR:
		return refuse(why, err, "%s is a directory; give the path of a raw disk image file.", path);
	case EACCES:
	case EPERM:
	case EROFS:
		if (read_only)
			return refuse(why, err, "%s cannot be read (%s); make it readable for this user.",
				      path, strerror(err));
		return refuse(why, err, "%s cannot be written (%s); make it writable for this user, or use --snapshot "
			      "to leave it as it is.", path, strerror(err));
	case ETXTBSY:
		return refuse(why, err, "%s is in use as a program or swap file; give another disk image.", path);
	default:
		return refuse(why, err, "%s cannot be opened: %s; give the path of a readable raw disk image.",
			      path, strerror(err));
	}
}

/* Size in bytes of a regular file or block device. */
static int image_size(int fd, const char *path, const struct refusal *why, uint64_t *nbytes)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st) != 0)
		return refuse(why, errno, "%s cannot be examined: %s; give another disk image.", path,
			      strerror(errno));
	if (S_ISDIR(st.st_mode))
		return refuse_open(why, path, true, EISDIR);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return refuse(why, EINVAL, "%s is neither a file nor a block device; give the path of a raw disk image.",
			      path);
	end = lseek(fd, 0, SEEK_END);	/* works for block devices too, where st_size is 0 */
	if (end < 0)
		return refuse(why, errno, "%s has no size (%s); give the path of a raw disk image.", path,
			      strerror(errno));
	if (end == 0)
		return refuse(why, EINVAL, "%s is empty; give it a size, such as \"truncate -s 4G %s\".", path, path);
	if (end % SECTOR_BYTES)
		return refuse(why, EINVAL, "%s has %lld bytes, which is not a whole number of 512-byte sectors; if it is "
			      "a raw image, round it up with \"truncate -s %%512 %s\".", path, (long long)end, path);
	*nbytes = (uint64_t)end;
	return 0;
}

/* Images of other formats would boot as garbage; those that say what they are get a hint. */
static int check_format(int fd, const char *path, const struct refusal *why)
{
	static const struct { uint8_t magic[4]; const char *name; } formats[] = {
		{ { 'Q', 'F', 'I', 0xfb }, "qcow2" },
		{ { 'K', 'D', 'M', 'V' }, "vmdk" },
		{ { 'c', 'o', 'n', 'e' }, "vpc" },
		{ { 'v', 'h', 'd', 'x' }, "vhdx" },
	};
	uint8_t head[4];
	int err = block_read_fully(fd, head, sizeof(head), 0);

	if (err)
		return refuse(why, -err, "%s cannot be read: %s; check the disk it is on.", path, strerror(-err));
	for (size_t i = 0; i < PLX_ARRAY_SIZE(formats); i++)
		if (memcmp(head, formats[i].magic, sizeof(head)) == 0)
			return refuse(why, EINVAL, "%s is a %s image, not a raw one; convert it with \"qemu-img convert "
				      "-O raw %s %s.raw\".", path, formats[i].name, path, path);
	return 0;
}

int block_file_open(struct block_file *file, const char *path, unsigned int flags, struct block_ops *ops,
		    char *error, size_t error_bytes)
{
	const struct refusal why = { error, error_bytes };
	bool read_only = flags & BLOCK_FILE_READ_ONLY;
	uint64_t nbytes = 0;
	int fd, err;

	file->fd = -1;
	/* O_NONBLOCK: opening a FIFO by mistake must not hang. It means nothing to files and disks. */
	fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return refuse_open(&why, path, read_only, errno);

	err = image_size(fd, path, &why, &nbytes);
	if (err)
		goto close_fd;
	if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
		err = errno == EWOULDBLOCK ?
			refuse(&why, EBUSY, "%s is in use by another Plexus; stop that one, or use --snapshot in both.",
			       path) :
			refuse(&why, errno, "%s cannot be locked: %s; put it on a file system with locks.", path,
			       strerror(errno));
		goto close_fd;
	}
	err = check_format(fd, path, &why);
	if (err)
		goto close_fd;

	*file = (struct block_file){ .fd = fd, .nsectors = nbytes / SECTOR_BYTES, .read_only = read_only };
	*ops = (struct block_ops){ .read = file_read, .write = file_write, .flush = file_flush,
				   .nsectors = file->nsectors, .read_only = read_only, .owner = file };
	return 0;

close_fd:
	close(fd);
	return err;
}

void block_file_close(struct block_file *file)
{
	if (file->fd >= 0)
		close(file->fd);	/* the lock goes with the last descriptor */
	file->fd = -1;
}
