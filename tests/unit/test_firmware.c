/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_firmware.c - firmware is looked for where distributions put it, and a file that cannot be one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-bios/firmware.h"

static char root[64];
static char why[4400];
static struct firmware fw;

static void run(const char *fmt, const char *arg)
{
	char command[512];

	snprintf(command, sizeof(command), fmt, arg, arg);
	assert_int_equal(system(command), 0);
}

static int empty_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/plexus-test-XXXXXX");
	why[0] = '\0';
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	free(fw.data);
	fw.data = NULL;
	run("rm -rf %s", root);
	return 0;
}

/* A file of @kib KiB that begins with @first, at @path under the root. */
static const char *make_file(const char *path, unsigned int kib, const char *first)
{
	static char full[256];
	char command[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname %s)\"", full);
	assert_int_equal(system(command), 0);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(first, file);
	assert_int_equal(ftruncate(fileno(file), kib << 10), 0);
	fclose(file);
	return full;
}

static int find(enum firmware_kind kind)
{
	return firmware_read(kind, NULL, root, &fw, why, sizeof(why));
}

static int given(enum firmware_kind kind, const char *path)
{
	return firmware_read(kind, path, root, &fw, why, sizeof(why));
}

static void without_any_the_sentence_names_the_package_and_the_option(void **state)
{
	(void)state;
	assert_int_equal(find(FIRMWARE_SYSTEM), -ENOENT);
	assert_non_null(strstr(why, "install the package seabios, or pass --firmware FILE"));
	assert_int_equal(find(FIRMWARE_VGA), -ENOENT);
	assert_non_null(strstr(why, "--vga-rom FILE"));
}

static void seabios_goes_before_the_bochs_bios(void **state)
{
	(void)state;
	make_file("/usr/share/bochs/BIOS-bochs-latest", 64, "bochs");
	assert_int_equal(find(FIRMWARE_SYSTEM), 0);
	assert_memory_equal(fw.data, "bochs", 5);
	free(fw.data);
	make_file("/usr/share/seabios/bios-256k.bin", 256, "sea");
	assert_int_equal(find(FIRMWARE_SYSTEM), 0);
	assert_memory_equal(fw.data, "sea", 3);
	assert_int_equal(fw.nbytes, 256 << 10);
}

static void a_given_file_is_taken_instead_of_an_installed_one(void **state)
{
	(void)state;
	make_file("/usr/share/seabios/bios-256k.bin", 256, "sea");
	assert_int_equal(given(FIRMWARE_SYSTEM, make_file("/mine", 128, "mine")), 0);
	assert_memory_equal(fw.data, "mine", 4);
}

static void a_given_file_that_is_missing_is_an_error_even_if_another_is_installed(void **state)
{
	(void)state;
	make_file("/usr/share/seabios/bios-256k.bin", 256, "sea");
	assert_int_equal(given(FIRMWARE_SYSTEM, "/nonexistent/bios"), -ENOENT);
	assert_string_equal(why, "/nonexistent/bios: No such file or directory");
}

static void a_directory_is_no_firmware(void **state)
{
	(void)state;
	assert_int_equal(given(FIRMWARE_SYSTEM, root), -EINVAL);
	assert_non_null(strstr(why, "not a file that can hold firmware"));
}

static void odd_sizes_and_sizes_beyond_the_rom_are_refused(void **state)
{
	(void)state;
	assert_int_equal(given(FIRMWARE_SYSTEM, make_file("/odd", 100, "")), -EINVAL);
	assert_non_null(strstr(why, "multiple of 64 KiB"));
	assert_int_equal(given(FIRMWARE_SYSTEM, make_file("/empty", 0, "")), -EINVAL);
	assert_int_equal(given(FIRMWARE_SYSTEM, make_file("/big", 4160, "")), -EFBIG);
	assert_non_null(strstr(why, "at most 4096 KiB"));
	assert_null(fw.data);
}

/* PnP BIOS specification, "Option ROM Header": an option ROM begins with 55 AA. */
static void a_vga_rom_without_its_signature_is_refused(void **state)
{
	(void)state;
	assert_int_equal(given(FIRMWARE_VGA, make_file("/rom", 32, "\x55\xaa")), 0);
	free(fw.data);
	assert_int_equal(given(FIRMWARE_VGA, make_file("/rom", 32, "MZ")), -EINVAL);
	assert_non_null(strstr(why, "55 AA"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, empty_root, remove_root)
	const struct CMUnitTest tests[] = {
		TEST(without_any_the_sentence_names_the_package_and_the_option),
		TEST(seabios_goes_before_the_bochs_bios),
		TEST(a_given_file_is_taken_instead_of_an_installed_one),
		TEST(a_given_file_that_is_missing_is_an_error_even_if_another_is_installed),
		TEST(a_directory_is_no_firmware),
		TEST(odd_sizes_and_sizes_beyond_the_rom_are_refused),
		TEST(a_vga_rom_without_its_signature_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
