/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_screenshot.c - a PNG file that another reader would accept, and nothing else left behind.
 *
 * The file is read back with libpng's simplified interface, which the writer does not use. The machine is a stand-in: pc_picture here
 * draws a pattern, and can change its size between two calls as a guest would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "devices/pc.h"
#include "user/screenshot.h"

struct pc {
	uint32_t width, height;
	unsigned int calls, grows_at;
};

static uint8_t pattern(uint32_t x, uint32_t y, uint32_t c)
{
	return (uint8_t)(x * 3 + y * 5 + c * 85);
}

void pc_picture(struct pc *pc, uint32_t *width, uint32_t *height, uint8_t *rgb, size_t nbytes)
{
	if (++pc->calls == pc->grows_at)
		pc->width *= 2;
	*width = pc->width;
	*height = pc->height;
	if (!rgb || nbytes < (size_t)pc->width * pc->height * 3)
		return;
	for (uint32_t y = 0; y < pc->height; y++)
		for (uint32_t x = 0; x < pc->width; x++)
			for (uint32_t c = 0; c < 3; c++)
				*rgb++ = pattern(x, y, c);
}

struct place {
	char folder[64], path[80], error[256];
	struct pc pc;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	strcpy(p->folder, "/tmp/plexus-test-screenshot-XXXXXX");
	if (!mkdtemp(p->folder))
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/a.png", p->folder);
	p->pc = (struct pc){ .width = 37, .height = 11 };
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	rmdir(p->path);
	rmdir(p->folder);
	free(p);
	return 0;
}

static unsigned int files_in(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void check_png(const struct place *p, uint32_t width, uint32_t height)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *rgb;

	assert_true(png_image_begin_read_from_file(&image, p->path));
	assert_int_equal(image.width, width);
	assert_int_equal(image.height, height);
	assert_int_equal(image.format, PNG_FORMAT_RGB);
	rgb = malloc(PNG_IMAGE_SIZE(image));
	assert_non_null(rgb);
	assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			for (uint32_t c = 0; c < 3; c++)
				assert_int_equal(rgb[(y * width + x) * 3 + c], pattern(x, y, c));
	free(rgb);
}

static void a_screenshot_has_the_pictures_size_and_dots(void **state)
{
	struct place *p = *state;

	assert_int_equal(screenshot_write(&p->pc, p->path, p->error, sizeof(p->error)), 0);
	check_png(p, 37, 11);
	assert_int_equal(files_in(p->folder), 1);
}

static void a_mode_change_in_between_gives_the_new_picture(void **state)
{
	struct place *p = *state;

	p->pc.grows_at = 2;
	assert_int_equal(screenshot_write(&p->pc, p->path, p->error, sizeof(p->error)), 0);
	check_png(p, 74, 11);
}

static void an_older_file_is_replaced(void **state)
{
	struct place *p = *state;
	FILE *old = fopen(p->path, "w");

	assert_non_null(old);
	fputs("something else", old);
	fclose(old);
	assert_int_equal(screenshot_write(&p->pc, p->path, p->error, sizeof(p->error)), 0);
	check_png(p, 37, 11);
}

static void a_missing_folder_is_told_in_a_sentence(void **state)
{
	struct place *p = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/no/such.png", p->folder);
	assert_int_equal(screenshot_write(&p->pc, path, p->error, sizeof(p->error)), -ENOENT);
	assert_non_null(strstr(p->error, path));
}

static void a_failure_leaves_nothing_behind(void **state)
{
	struct place *p = *state;

	assert_int_equal(mkdir(p->path, 0777), 0);	/* the rename must fail */
	assert_true(screenshot_write(&p->pc, p->path, p->error, sizeof(p->error)) < 0);
	assert_int_equal(files_in(p->folder), 1);
	p->pc.height = 0;				/* no picture at all */
	assert_int_equal(screenshot_write(&p->pc, p->path, p->error, sizeof(p->error)), -EINVAL);
	assert_int_equal(files_in(p->folder), 1);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_screenshot_has_the_pictures_size_and_dots),
		CLAIM(a_mode_change_in_between_gives_the_new_picture),
		CLAIM(an_older_file_is_replaced),
		CLAIM(a_missing_folder_is_told_in_a_sentence),
		CLAIM(a_failure_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("screenshot", tests, NULL, NULL);
}
