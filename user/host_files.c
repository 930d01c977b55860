/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/host_files.c - see host_files.h. Asked by: user/machine.c, user/stats.c, user/doctor.c.
 * Tested by: tests/unit/test_host_files.c.
 */
#define _GNU_SOURCE			/* mkostemp */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "plexus/base.h"
#include "user/host_files.h"

int host_file_map(struct host_file *file, const char *path, char *why, size_t why_bytes)
{
	struct stat st;
	void *data;
	int fd, err;

	*file = (struct host_file){ 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		goto fail;
	errno = EISDIR;
	if (S_ISDIR(st.st_mode))
		goto fail;
	errno = EINVAL;
	if (!S_ISREG(st.st_mode))
		goto fail;
	if (st.st_size > 0) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			goto fail;
		file->data = data;
		file->nbytes = (size_t)st.st_size;
	}
	close(fd);
	return 0;
fail:
	err = errno;
	snprintf(why, why_bytes, "%s: %s", path, err == EINVAL ? "is not a file" : strerror(err));
	if (fd >= 0)
		close(fd);
	return -err;
}

void host_file_unmap(struct host_file *file)
{
	if (file->data)
		munmap((void *)file->data, file->nbytes);
	*file = (struct host_file){ 0 };
}

int host_read_number(const char *path, uint64_t *value)
{
	FILE *file = fopen(path, "re");
	unsigned long long number;
	int n;

	if (!file)
		return -errno;
	n = fscanf(file, "%llu", &number);
	fclose(file);
	if (n != 1)
		return -EINVAL;		/* "max", for one */
	*value = number;
	return 0;
}

/* The least memory.max from our own control group up to the root: each of them binds. */
static uint64_t cgroup_limit(const char *root)
{
	char path[4200], group[2048] = "", line[2048];
	uint64_t least = UINT64_MAX, value;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "0::", 3)) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(group, sizeof(group), "%s", line + 3);
		}
	if (file)
		fclose(file);

	/* Inside a container the path may be the host's; its own group is then what is mounted at the top. */
	for (;;) {
		char *slash;

		snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s/memory.max", root, group);
		if (host_read_number(path, &value) == 0)
			least = plx_min64(least, value);
		slash = strrchr(group, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	/* Version 1 of control groups: "no limit" is a number next to 2^63. */
	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/memory/memory.limit_in_bytes", root);
	if (host_read_number(path, &value) == 0)
		least = plx_min64(least, value);
	return least;
}

uint64_t host_memory_bytes(const char *root)
{
	struct sysinfo info;
	uint64_t limit = cgroup_limit(root);

	if (sysinfo(&info) < 0)
		return limit == UINT64_MAX ? 0 : limit;
	return plx_min64(limit, (uint64_t)info.totalram * info.mem_unit);
}

int host_file_check(const char *path, char *why, size_t why_bytes)
{
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";
	struct stat st;
	int err = 0;

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? EISDIR : access(path, W_OK) < 0 ? errno : 0;
	else if (access(folder, W_OK | X_OK) < 0)
		err = errno;
	if (err)
		snprintf(why, why_bytes, "%s: cannot be written: %s", path, strerror(err));
	return -err;
}

int host_file_create(struct host_new_file *file, const char *path, char *why, size_t why_bytes)
{
	struct stat st;
	int fd, err;

	*file = (struct host_new_file){ 0 };
	snprintf(file->path, sizeof(file->path), "%s", path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
	} else {
		snprintf(file->temporary, sizeof(file->temporary), "%s.XXXXXX", file->path);
		fd = mkostemp(file->temporary, O_CLOEXEC);
	}
	if (fd >= 0)
		file->stream = fdopen(fd, "w");
	if (file->stream)
		return 0;
	err = errno;
	snprintf(why, why_bytes, "%s: cannot be written: %s", path, strerror(err));
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && file->temporary[0])
		unlink(file->temporary);
	return -err;
}

int host_file_commit(struct host_new_file *file, char *why, size_t why_bytes)
{
	mode_t mask = umask(0);
	int err = 0;

	umask(mask);
	if (fflush(file->stream) || ferror(file->stream))
		err = errno ? errno : EIO;
	/* mkstemp makes files for the owner alone; a result is as readable as any other file. */
	if (!err && file->temporary[0] && fchmod(fileno(file->stream), 0666 & ~mask) < 0)
		err = errno;
	if (fclose(file->stream) && !err)
		err = errno;
	if (!err && file->temporary[0] && rename(file->temporary, file->path) < 0)
		err = errno;
	if (err && file->temporary[0])
		unlink(file->temporary);
	if (err)
		snprintf(why, why_bytes, "%s: cannot be written: %s", file->path, strerror(err));
	file->stream = NULL;
	return -err;
}
