/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/screenshot.h - the machine's picture as a PNG file. */
#ifndef USER_SCREENSHOT_H
#define USER_SCREENSHOT_H

#include <stddef.h>
#include <stdint.h>

struct pc;

/*
 * Writes what the monitor would show, text drawn with the guest's own font. The file appears whole or not at all (a temporary
 * file beside it, then rename). 0, or -errno with one sentence in @error.
 */
int screenshot_write(struct pc *pc, const char *path, char *error, size_t nbytes);

/* The part without a machine: @rgb is width * height * 3 bytes. */
int screenshot_write_rgb(const uint8_t *rgb, uint32_t width, uint32_t height, const char *path, char *error,
			 size_t nbytes);

#endif
