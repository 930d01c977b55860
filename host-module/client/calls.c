/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host-module/client/calls.c - the real system calls: see client.h. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-module/client/client.h"

static int call_open(void *owner, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	(void)owner;
	return fd < 0 ? -errno : fd;
}

static void call_close(void *owner, int fd)
{
	(void)owner;
	close(fd);
}

static int call_ioctl(void *owner, int fd, unsigned long call, void *arg)
{
	int ret = ioctl(fd, call, arg);

	(void)owner;
	return ret < 0 ? -errno : ret;
}

static int call_map(void *owner, int fd, uint64_t offset, uint64_t nbytes, bool writable, void **at)
{
	void *p = mmap(NULL, nbytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, (off_t)offset);

	(void)owner;
	if (p == MAP_FAILED)
		return -errno;
	*at = p;
	return 0;
}

static void call_unmap(void *owner, void *at, uint64_t nbytes)
{
	(void)owner;
	munmap(at, nbytes);
}

static bool call_group(void *owner, const char *path, char *name, size_t nbytes)
{
	const mode_t both = S_IRGRP | S_IWGRP;
	const struct group *group;
	struct stat st;

	(void)owner;
	if (stat(path, &st) || (st.st_mode & both) != both || st.st_gid == 0)
		return false;
	group = getgrgid(st.st_gid);
	if (group)
		snprintf(name, nbytes, "%s", group->gr_name);
	else
		snprintf(name, nbytes, "%u", st.st_gid);
	return true;
}

const struct hm_calls hm_calls = {
	.open = call_open,
	.close = call_close,
	.ioctl = call_ioctl,
	.map = call_map,
	.unmap = call_unmap,
	.group = call_group,
};
