/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/prescan_state.c - see prescan_state.h. Asked by: user/prescan_pool.c. Tested by: tests/unit/test_prescan_command.c. */
#define _GNU_SOURCE			/* O_CLOEXEC, flock */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/command.h"
#include "user/prescan_state.h"

#define MAGIC		"plexus prescan state 1"
#define RECORD_HEAD	12u		/* length (4), checksum (8) */

/* FNV-1a: against a torn write, not against malice. */
static uint64_t checksum(const uint8_t *bytes, size_t nbytes)
{
	uint64_t sum = 0xcbf29ce484222325u;

	for (size_t i = 0; i < nbytes; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	return sum;
}

static void put_le(uint8_t *to, uint64_t value, unsigned int nbytes)
{
	for (unsigned int i = 0; i < nbytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static int write_all(int fd, const void *bytes, size_t nbytes, uint64_t offset)
{
	const uint8_t *at = bytes;

	while (nbytes) {
		ssize_t n = pwrite(fd, at, nbytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		nbytes -= (size_t)n;
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	struct file_result *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static int keep(struct scan_state *state, struct file_result *result)
{
	if (state->nresults == state->room) {
		size_t room = state->room ? 2 * state->room : 256;
		struct file_result **grown = realloc(state->results, room * sizeof(struct file_result *));

		if (!grown)
			return -ENOMEM;
		state->results = grown;
		state->room = room;
	}
	state->results[state->nresults++] = result;
	return 0;
}

static int read_records(struct scan_state *state, const uint8_t *bytes, uint64_t nbytes, uint64_t at)
{
	while (nbytes - at >= RECORD_HEAD) {
		uint64_t length = image_le32(bytes + at);
		struct file_result *result;

		if (length > nbytes - at - RECORD_HEAD || checksum(bytes + at + RECORD_HEAD, length) != image_le64(bytes + at + 4))
			break;
		result = file_result_unpack(bytes + at + RECORD_HEAD, length);
		if (!result)
			break;
		if (keep(state, result)) {
			file_result_free(result);
			return -ENOMEM;
		}
		at += RECORD_HEAD + length;
	}
	state->nbytes = at;
	if (state->nresults)
		qsort(state->results, state->nresults, sizeof(struct file_result *), by_path);
	return 0;
}

static int read_file(struct scan_state *state, const char *header, uint64_t nbytes, char *why, size_t why_bytes)
{
	size_t nheader = strlen(header);
	uint8_t *bytes = malloc(nbytes);
	uint64_t at = 0;
	int err = 0;

	while (bytes && at < nbytes) {
		ssize_t n = pread(state->fd, bytes + at, nbytes - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (uint64_t)n;
	}
	if (!bytes || at < nbytes) {
		err = bytes ? -EIO : -ENOMEM;
		snprintf(why, why_bytes, "%s: cannot be read: %s", state->path, strerror(-err));
	} else if (nbytes < strlen(MAGIC) || memcmp(bytes, MAGIC, strlen(MAGIC))) {
		err = -EINVAL;
		snprintf(why, why_bytes, "%s: is no state file of plexus prescan; it is left as it is", state->path);
	} else if (nbytes < nheader || memcmp(bytes, header, nheader)) {
		err = -EINVAL;
		snprintf(why, why_bytes, "%s: was made by another version or with other options; remove it, or give those options again",
			 state->path);
	} else {
		err = read_records(state, bytes, nbytes, nheader);
		if (err)
			snprintf(why, why_bytes, "%s: there is not enough memory to read it", state->path);
	}
	free(bytes);
	return err;
}

int scan_state_open(struct scan_state *state, const char *path, const char *options, char *why, size_t why_bytes)
{
	char header[512];
	struct stat st;
	int err;

	*state = (struct scan_state){ .fd = -1 };
	snprintf(header, sizeof(header), "%s; plexus %s; %s\n", MAGIC, plexus_version, options);
	snprintf(state->path, sizeof(state->path), "%s", path);
	state->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
	if (state->fd < 0 || fstat(state->fd, &st) < 0) {
		err = -errno;
		snprintf(why, why_bytes, "%s: cannot be opened: %s", path, strerror(-err));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		err = -EINVAL;
		snprintf(why, why_bytes, "%s: is not a file", path);
		goto fail;
	}
	if (flock(state->fd, LOCK_EX | LOCK_NB) < 0) {
		err = -errno;
		snprintf(why, why_bytes, "%s: is in use by another plexus prescan", path);
		goto fail;
	}
	if (st.st_size > 0) {
		err = read_file(state, header, (uint64_t)st.st_size, why, why_bytes);
		if (err)
			goto fail;
	} else {
		state->nbytes = strlen(header);
		err = write_all(state->fd, header, state->nbytes, 0);
		if (err) {
			snprintf(why, why_bytes, "%s: cannot be written: %s", path, strerror(-err));
			unlink(path);
			goto fail;
		}
	}
	/* A record that was cut off is overwritten by the next. */
	if (ftruncate(state->fd, (off_t)state->nbytes) < 0) {
		err = -errno;
		snprintf(why, why_bytes, "%s: cannot be written: %s", path, strerror(-err));
		goto fail;
	}
	return 0;
fail:
	scan_state_close(state);
	return err;
}

const struct file_result *scan_state_find(const struct scan_state *state, const struct scan_file *file)
{
	size_t low = 0, high = state->nresults;
	const struct file_result *found = NULL;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(state->results[middle]->path, file->path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* There may be several: the file changed between scans, and was scanned again. What failed is tried again. */
	for (; low < state->nresults && !strcmp(state->results[low]->path, file->path); low++) {
		const struct file_result *r = state->results[low];

		if (r->nbytes == file->nbytes && r->mtime_ns == file->mtime_ns && r->inode == file->inode &&
		    r->named == file->named && r->verdict != IMAGE_BAD)
			found = state->results[low];
	}
	return found;
}

int scan_state_append(struct scan_state *state, const struct file_result *result, char *why, size_t why_bytes)
{
	uint8_t head[RECORD_HEAD];
	size_t nbytes;
	uint8_t *bytes = file_result_pack(result, &nbytes);
	int err = bytes && nbytes < UINT32_MAX ? 0 : -ENOMEM;

	if (!err) {
		put_le(head, nbytes, 4);
		put_le(head + 4, checksum(bytes, nbytes), 8);
		err = write_all(state->fd, head, sizeof(head), state->nbytes);
		if (!err)
			err = write_all(state->fd, bytes, nbytes, state->nbytes + sizeof(head));
	}
	free(bytes);
	if (!err) {
		state->nbytes += sizeof(head) + nbytes;
		return 0;
	}
	if (ftruncate(state->fd, (off_t)state->nbytes) < 0)
		err = -errno;
	snprintf(why, why_bytes, "%s: cannot be written: %s; what it holds is whole", state->path, strerror(-err));
	return err;
}

void scan_state_close(struct scan_state *state)
{
	for (size_t i = 0; i < state->nresults; i++)
		file_result_free(state->results[i]);
	free(state->results);
	if (state->fd >= 0)
		close(state->fd);
	*state = (struct scan_state){ .fd = -1 };
}
