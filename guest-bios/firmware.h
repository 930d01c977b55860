/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest-bios/firmware.h - find and read the firmware images that the host's distribution packages. */
#ifndef GUEST_BIOS_FIRMWARE_H
#define GUEST_BIOS_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

enum firmware_kind { FIRMWARE_SYSTEM, FIRMWARE_VGA };

/* The system ROM is mapped below 1 MiB (its last 128 KiB) and below 4 GiB (all of it). */
#define FIRMWARE_SYSTEM_MAX	(4u << 20)
#define FIRMWARE_VGA_MAX	(64u << 10)

struct firmware {
	uint8_t *data;			/* malloc()ed; the caller frees it */
	uint32_t nbytes;
	char path[4096];
};

/*
 * Reads @path, or with @path NULL the first image found under @root ("" but in tests) in the places that distributions use.
 * The image is checked: size, and for the VGA its signature. 0, or -errno with one sentence in @why.
 */
int firmware_read(enum firmware_kind kind, const char *path, const char *root, struct firmware *fw, char *why,
		  size_t why_bytes);

#endif
