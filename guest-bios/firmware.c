/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-bios/firmware.c - where firmware lives, and whether a file can be one.
 *
 * Asked by:  user/run.c. Asks: the file system.
 * Tested by: tests/unit/test_firmware.c, in a directory of its own.
 *
 * Plexus carries no firmware. The order of the tables below is the order of preference: SeaBIOS first, which knows fw_cfg
 * and takes memory size, ACPI tables and the VGA's ROM from it; then the Bochs BIOS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-bios/firmware.h"
#include "plexus/base.h"

static const char *const system_paths[] = {
	"/usr/share/seabios/bios-256k.bin",	/* Debian, Ubuntu, Fedora: seabios */
	"/usr/share/qemu/bios-256k.bin",	/* Arch, openSUSE */
	"/usr/share/seabios/bios.bin",
	"/usr/share/bochs/BIOS-bochs-latest",	/* Debian: bochsbios */
};

static const char *const vga_paths[] = {
	"/usr/share/seabios/vgabios-stdvga.bin",
	"/usr/share/seavgabios/vgabios-stdvga.bin",	/* Fedora */
	"/usr/share/qemu/vgabios-stdvga.bin",
	"/usr/share/vgabios/vgabios.bin",		/* Debian: vgabios */
	"/usr/share/bochs/VGABIOS-lgpl-latest",
};

PLX_PRINTF(4, 5)
static int refuse(int err, char *why, size_t why_bytes, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, why_bytes, fmt, args);
	va_end(args);
	return err;
}

static int check_image(enum firmware_kind kind, const struct firmware *fw, char *why, size_t why_bytes)
{
	if (kind == FIRMWARE_SYSTEM) {
		if (fw->nbytes % (64u << 10) || fw->nbytes == 0)
			return refuse(-EINVAL, why, why_bytes,
				      "%s: not a system ROM: %u bytes, which is no multiple of 64 KiB", fw->path, fw->nbytes);
		return 0;
	}
	if (fw->nbytes < 512 || fw->data[0] != 0x55 || fw->data[1] != 0xaa)
		return refuse(-EINVAL, why, why_bytes, "%s: not an option ROM: it does not begin with 55 AA", fw->path);
	return 0;
}

static int read_image(enum firmware_kind kind, struct firmware *fw, char *why, size_t why_bytes)
{
	uint32_t max = kind == FIRMWARE_SYSTEM ? FIRMWARE_SYSTEM_MAX : FIRMWARE_VGA_MAX;
	struct stat st;
	uint32_t got = 0;
	int fd, err;

	fd = open(fw->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse(-errno, why, why_bytes, "%s: %s", fw->path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse(-EINVAL, why, why_bytes, "%s: not a file that can hold firmware", fw->path);
	}
	if (st.st_size > (off_t)max) {
		close(fd);
		return refuse(-EFBIG, why, why_bytes, "%s: %lld bytes are too many for %s, which has at most %u KiB", fw->path,
			      (long long)st.st_size, kind == FIRMWARE_SYSTEM ? "a system ROM" : "a VGA ROM", max >> 10);
	}

	fw->nbytes = (uint32_t)st.st_size;
	fw->data = malloc(fw->nbytes ? fw->nbytes : 1);
	if (!fw->data) {
		close(fd);
		return refuse(-ENOMEM, why, why_bytes, "%s: out of memory", fw->path);
	}
	while (got < fw->nbytes) {
		ssize_t n = read(fd, fw->data + got, fw->nbytes - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (uint32_t)n;
	}
	close(fd);
	err = got == fw->nbytes ? check_image(kind, fw, why, why_bytes)
				: refuse(-EIO, why, why_bytes, "%s: could not be read whole", fw->path);
	if (err) {
		free(fw->data);
		fw->data = NULL;
	}
	return err;
}

int firmware_read(enum firmware_kind kind, const char *path, const char *root, struct firmware *fw, char *why,
		  size_t why_bytes)
{
	const char *const *paths = kind == FIRMWARE_SYSTEM ? system_paths : vga_paths;
	size_t npaths = kind == FIRMWARE_SYSTEM ? PLX_ARRAY_SIZE(system_paths) : PLX_ARRAY_SIZE(vga_paths);

	memset(fw, 0, sizeof(*fw));
	if (path) {
		snprintf(fw->path, sizeof(fw->path), "%s", path);
		return read_image(kind, fw, why, why_bytes);
	}
	for (size_t i = 0; i < npaths; i++) {
		snprintf(fw->path, sizeof(fw->path), "%s%s", root, paths[i]);
		if (access(fw->path, R_OK) == 0)
			return read_image(kind, fw, why, why_bytes);
	}
	fw->path[0] = '\0';
	if (kind == FIRMWARE_SYSTEM)
		return refuse(-ENOENT, why, why_bytes,
			      "no firmware is installed: install the package seabios, or pass --firmware FILE");
	return refuse(-ENOENT, why, why_bytes,
		      "no VGA ROM is installed: install the package seabios, or pass --vga-rom FILE or --no-vga");
}
