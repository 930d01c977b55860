/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/screenshot.c - the machine's picture as a PNG file, whole or not at all.
 *
 *      pc_picture --> RGB --> libpng --> PATH.PID.N.tmp --> rename --> PATH
 *
 * Asked by: user/ (a command, a signal, the end of a test). Asks: devices/pc.h, libpng.
 * A reader that waits for PATH to appear must never see half a picture; hence the temporary file in the same folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/pc.h"
#include "user/screenshot.h"

#define TEMP_TRIES 100
#define PATH_BYTES 4096

static int fail(char *error, size_t nbytes, int err, const char *path, const char *what)
{
	snprintf(error, nbytes, "cannot write the screenshot %s: %s (%s)", path, what, strerror(err));
	return -err;
}

/* A file that did not exist, beside @path, so that the rename stays inside one file system. */
static int open_temp(const char *path, char *temp)
{
	int fd = -1;

	for (int i = 0; i < TEMP_TRIES && fd < 0; i++) {
		if (snprintf(temp, PATH_BYTES, "%s.%ld.%d.tmp", path, (long)getpid(), i) >= PATH_BYTES) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			return -1;
	}
	return fd;
}

/* libpng leaves by longjmp: nothing that lives in a register may be used after it, so this function holds only its arguments. */
static bool encode(png_structp png, png_infop info, FILE *file, const uint8_t *rgb, uint32_t width, uint32_t height)
{
	if (setjmp(png_jmpbuf(png)))
		return false;
	png_init_io(png, file);
	png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (uint32_t y = 0; y < height; y++)
		png_write_row(png, rgb + (size_t)y * width * 3);
	png_write_end(png, NULL);
	return true;
}

static void be_silent(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;		/* the caller gets one sentence from us instead */
}

static void leave(png_structp png, png_const_charp message)
{
	(void)message;
	png_longjmp(png, 1);
}

static int write_png(FILE *file, const uint8_t *rgb, uint32_t width, uint32_t height)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, leave, be_silent);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	bool ok = false;

	errno = 0;
	if (info)
		ok = encode(png, info, file, rgb, width, height);
	else
		errno = ENOMEM;
	if (!ok && errno == 0)
		errno = EIO;
	ok = ok && fflush(file) == 0 && !ferror(file);
	png_destroy_write_struct(png ? &png : NULL, info ? &info : NULL);
	return ok ? 0 : errno;
}

int screenshot_write_rgb(const uint8_t *rgb, uint32_t width, uint32_t height, const char *path, char *error, size_t nbytes)
{
	char temp[PATH_BYTES];
	FILE *file;
	int fd, err;

	if (width == 0 || height == 0)
		return fail(error, nbytes, EINVAL, path, "the picture is empty");
	fd = open_temp(path, temp);
	if (fd < 0)
		return fail(error, nbytes, errno, path, "no file can be made in that folder");
	file = fdopen(fd, "wb");
	if (!file) {
		err = errno;
		close(fd);
		goto remove_temp;
	}
	err = write_png(file, rgb, width, height);
	if (fclose(file) != 0 && err == 0)
		err = errno;
	if (err)
		goto remove_temp;
	if (rename(temp, path) == 0)
		return 0;
	err = errno;
remove_temp:
	unlink(temp);
	return fail(error, nbytes, err, path, "is the disk full, or the path a folder?");
}

int screenshot_write(struct pc *pc, const char *path, char *error, size_t nbytes)
{
	uint32_t width = 0, height = 0, was_width, was_height;
	uint8_t *rgb = NULL;
	size_t size;
	int err;

	/* The guest may change its mode between the question for the size and the picture: then ask again. */
	pc_picture(pc, &width, &height, NULL, 0);
	do {
		uint8_t *bigger;

		was_width = width;
		was_height = height;
		size = (size_t)width * height * 3;
		bigger = realloc(rgb, size ? size : 1);
		if (!bigger) {
			free(rgb);
			return fail(error, nbytes, ENOMEM, path, "no memory for the picture");
		}
		rgb = bigger;
		pc_picture(pc, &width, &height, rgb, size);
	} while (width != was_width || height != was_height);

	err = screenshot_write_rgb(rgb, width, height, path, error, nbytes);
	free(rgb);
	return err;
}
