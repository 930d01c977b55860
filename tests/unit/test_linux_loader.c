/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_linux_loader.c - the boot protocol, with kernels made here: a header, and bytes behind it.
 * Source of the claims: Linux, Documentation/arch/x86/boot.rst and zero-page.rst.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "guest-bios/linux_loader.h"

#define MIB (1u << 20)
#define RAM_BYTES (32 * MIB)
#define SETUP_BYTES (3 * 512)
#define CODE_BYTES 5000u

static uint8_t ram[RAM_BYTES];
static uint8_t image[SETUP_BYTES + CODE_BYTES];
static char why[256];
static struct plx_flat_start start;

static void put(uint8_t *p, uint64_t value, int nbytes)
{
	for (int i = 0; i < nbytes; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *p, int nbytes)
{
	uint64_t value = 0;

	for (int i = 0; i < nbytes; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

/* A relocatable 2.12 kernel of today, 8 MiB from 4 MiB on. */
static int fresh_kernel(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	memset(image, 0, sizeof(image));
	memset(&start, 0, sizeof(start));
	why[0] = '\0';
	image[0x1f1] = 2;			/* setup sectors behind the boot sector */
	put(image + 0x1f4, (CODE_BYTES + 15) / 16, 4);
	put(image + 0x1fe, 0xaa55, 2);
	image[0x200] = 0xeb;
	image[0x201] = 0x66;			/* header up to 268h */
	memcpy(image + 0x202, "HdrS", 4);
	put(image + 0x206, 0x020c, 2);
	image[0x211] = 0x01 | 0x80;		/* LOADED_HIGH, CAN_USE_HEAP */
	put(image + 0x214, 0x100000, 4);	/* code32_start */
	put(image + 0x22c, 0x7fffffff, 4);
	put(image + 0x238, 2047, 4);
	put(image + 0x258, 4 * MIB, 8);
	put(image + 0x260, 8 * MIB, 4);
	for (uint32_t i = 0; i < CODE_BYTES; i++)
		image[SETUP_BYTES + i] = (uint8_t)(i * 7 + 1);
	return 0;
}

static void write_ram(void *owner, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	assert_true(gpa <= RAM_BYTES && nbytes <= RAM_BYTES - gpa);
	memcpy((uint8_t *)owner + gpa, buf, nbytes);
}

static int load(const struct linux_boot *boot)
{
	const struct linux_ram target = { .nbytes = sizeof(ram), .write = write_ram, .owner = ram };

	return linux_load(&target, boot, &start, why, sizeof(why));
}

static int load_plain(void)
{
	return load(&(struct linux_boot){ .kernel = image, .kernel_bytes = sizeof(image) });
}

static bool ram_untouched(void)
{
	for (uint32_t i = 0; i < RAM_BYTES; i++)
		if (ram[i])
			return false;
	return true;
}

static void the_32_bit_part_lies_at_1_mib_and_runs_from_there(void **state)
{
	(void)state;
	assert_int_equal(load_plain(), 0);
	assert_memory_equal(ram + MIB, image + SETUP_BYTES, CODE_BYTES);
	assert_int_equal(start.eip, MIB);
	assert_memory_equal(ram + start.esi + 0x202, "HdrS", 4);
}

static void zero_setup_sectors_mean_four(void **state)
{
	static uint8_t old[5 * 512 + 32];

	(void)state;
	memcpy(old, image, 3 * 512);
	old[0x1f1] = 0;
	put(old + 0x1f4, 2, 4);
	memset(old + 5 * 512, 0x5a, 32);
	assert_int_equal(load(&(struct linux_boot){ .kernel = old, .kernel_bytes = sizeof(old) }), 0);
	assert_int_equal(ram[MIB], 0x5a);
}

static void the_gdt_has_flat_code_at_10h_and_flat_data_at_18h(void **state)
{
	(void)state;
	assert_int_equal(load_plain(), 0);
	assert_int_equal(start.gdt_limit, 31);
	assert_int_equal(get(ram + start.gdt_base + 0x10, 8), 0x00cf9b000000ffff);
	assert_int_equal(get(ram + start.gdt_base + 0x18, 8), 0x00cf93000000ffff);
}

static void only_the_header_is_copied_into_the_boot_parameters(void **state)
{
	(void)state;
	image[0x1f0] = 0xee;	/* before the header */
	image[0x268] = 0xee;	/* behind its end, 202h + 66h */
	assert_int_equal(load_plain(), 0);
	assert_int_equal(ram[start.esi + 0x1f0], 0);
	assert_int_equal(ram[start.esi + 0x268], 0);
	assert_int_equal(get(ram + start.esi + 0x260, 4), 8 * MIB);
}

static void the_loader_is_undefined_and_offers_no_heap(void **state)
{
	(void)state;
	assert_int_equal(load_plain(), 0);
	assert_int_equal(ram[start.esi + 0x210], 0xff);
	assert_int_equal(ram[start.esi + 0x211] & 0x81, 0x01);
}

static void the_memory_map_leaves_out_the_bios_area_and_ends_with_ram(void **state)
{
	uint64_t usable = 0, last_end = 0;
	const uint8_t *params;

	(void)state;
	assert_int_equal(load_plain(), 0);
	params = ram + start.esi;
	for (int i = 0; i < params[0x1e8]; i++) {
		const uint8_t *entry = params + 0x2d0 + 20 * i;
		uint64_t at = get(entry, 8), nbytes = get(entry + 8, 8);

		assert_true(at >= last_end);
		last_end = at + nbytes;
		if (get(entry + 16, 4) != 1)
			continue;
		assert_true(last_end <= 0xa0000 || at >= 0x100000);
		usable += nbytes;
	}
	assert_int_equal(last_end, RAM_BYTES);
	assert_int_equal(usable, RAM_BYTES - MIB + 0x9fc00);
	assert_int_equal(get(params + 0x1e0, 4), (RAM_BYTES - MIB) / 1024);
}

/* Without it Linux looks for no VGA at all. */
static void a_text_screen_is_told_only_if_there_is_one(void **state)
{
	(void)state;
	assert_int_equal(load(&(struct linux_boot){ .kernel = image, .kernel_bytes = sizeof(image), .text_screen = true }), 0);
	assert_int_equal(ram[start.esi + 0x06], 3);
	assert_int_equal(ram[start.esi + 0x07], 80);
	assert_int_equal(ram[start.esi + 0x0e], 25);
	assert_int_equal(ram[start.esi + 0x0f], 1);
	assert_int_equal(load_plain(), 0);
	assert_int_equal(ram[start.esi + 0x0f], 0);
}

static void the_command_line_arrives_with_its_end(void **state)
{
	struct linux_boot boot = { .kernel = image, .kernel_bytes = sizeof(image), .cmdline = "console=ttyS0 quiet" };

	(void)state;
	memset(ram, 0xcc, sizeof(ram));
	assert_int_equal(load(&boot), 0);
	assert_string_equal((char *)ram + get(ram + start.esi + 0x228, 4), "console=ttyS0 quiet");
}

static void a_command_line_longer_than_the_kernel_takes_is_refused(void **state)
{
	char line[301];
	struct linux_boot boot = { .kernel = image, .kernel_bytes = sizeof(image), .cmdline = line };

	(void)state;
	put(image + 0x238, 300, 4);
	memset(line, 'x', 300);
	line[300] = '\0';
	assert_int_equal(load(&boot), 0);

	fresh_kernel(NULL);
	put(image + 0x238, 299, 4);
	assert_int_equal(load(&boot), -EINVAL);
	assert_non_null(strstr(why, "at most 299 characters"));
	assert_true(ram_untouched());
}

static void the_initrd_lies_on_a_page_as_high_as_ram_goes(void **state)
{
	static uint8_t initrd[5000];
	struct linux_boot boot = { .kernel = image, .kernel_bytes = sizeof(image), .initrd = initrd,
				   .initrd_bytes = sizeof(initrd) };

	(void)state;
	memset(initrd, 0x77, sizeof(initrd));
	assert_int_equal(load(&boot), 0);
	assert_int_equal(get(ram + start.esi + 0x218, 4), RAM_BYTES - 8192);
	assert_int_equal(get(ram + start.esi + 0x21c, 4), sizeof(initrd));
	assert_memory_equal(ram + RAM_BYTES - 8192, initrd, sizeof(initrd));
}

static void the_initrd_stays_below_what_the_kernel_can_reach(void **state)
{
	static uint8_t initrd[4096];
	struct linux_boot boot = { .kernel = image, .kernel_bytes = sizeof(image), .initrd = initrd,
				   .initrd_bytes = sizeof(initrd) };

	(void)state;
	put(image + 0x22c, 20 * MIB - 1, 4);
	assert_int_equal(load(&boot), 0);
	assert_int_equal(get(ram + start.esi + 0x218, 4), 20 * MIB - 4096);
}

/* The kernel unpacks itself before it reads the memory map: the RAM disk must not lie where it will write. */
static void an_initrd_that_the_unpacking_kernel_would_overwrite_is_refused(void **state)
{
	static uint8_t initrd[20 * MIB + 1];
	struct linux_boot boot = { .kernel = image, .kernel_bytes = sizeof(image), .initrd = initrd,
				   .initrd_bytes = 20 * MIB };

	(void)state;
	assert_int_equal(load(&boot), 0);	/* 12 MiB of kernel and 20 MiB of disk: just so */
	fresh_kernel(NULL);
	boot.initrd_bytes++;
	assert_int_equal(load(&boot), -ENOSPC);
	assert_non_null(strstr(why, "initial RAM disk of 21M"));
	assert_true(ram_untouched());
}

static void a_kernel_that_needs_more_ram_says_how_much(void **state)
{
	(void)state;
	put(image + 0x260, 60 * MIB, 4);
	assert_int_equal(load_plain(), -ENOSPC);
	assert_non_null(strstr(why, "needs 64M of memory"));
	assert_true(ram_untouched());
}

static void expect_refusal(const void *bytes, size_t nbytes, const char *what)
{
	struct linux_boot boot = { .kernel = bytes, .kernel_bytes = nbytes };

	assert_int_equal(load(&boot), -EINVAL);
	if (!strstr(why, what))
		fail_msg("'%s' does not say '%s'", why, what);
	assert_true(ram_untouched());
}

static void what_is_no_bzimage_is_refused_by_name(void **state)
{
	static uint8_t other[1024];

	(void)state;
	expect_refusal("", 0, "not a Linux kernel");
	expect_refusal("#!/bin/sh\n", 10, "not a Linux kernel");
	expect_refusal("\177ELF\1\1\1", 7, "pass the bzImage");
	expect_refusal("\x1f\x8b\x08", 3, "compressed by gzip");
	put(other + 0x1fe, 0xaa55, 2);
	expect_refusal(other, sizeof(other), "boot it as a disk");
}

static void a_64_bit_kernel_is_refused(void **state)
{
	(void)state;
	put(image + 0x236, 1, 2);
	expect_refusal(image, sizeof(image), "64-bit kernel");
}

static void a_protocol_before_2_05_is_refused(void **state)
{
	(void)state;
	put(image + 0x206, 0x0204, 2);
	expect_refusal(image, sizeof(image), "boot protocol 2.04");
	put(image + 0x206, 0x0205, 2);
	assert_int_equal(load_plain(), 0);
}

static void a_zimage_is_refused(void **state)
{
	(void)state;
	image[0x211] = 0;
	expect_refusal(image, sizeof(image), "zImage");
}

/* Boot protocol, code32_start: 0 is nowhere. iPXE's ipxe.lkrn has it: only its 16-bit code runs. */
static void what_has_no_32_bit_entry_is_refused(void **state)
{
	(void)state;
	put(image + 0x214, 0, 4);
	expect_refusal(image, sizeof(image), "has no 32-bit entry");
}

static void a_kernel_cut_short_is_refused_at_every_length(void **state)
{
	(void)state;
	expect_refusal(image, SETUP_BYTES, "cut short");
	expect_refusal(image, sizeof(image) - 16, "cut short");
	for (size_t nbytes = 0; nbytes < SETUP_BYTES; nbytes += 13) {
		struct linux_boot boot = { .kernel = image, .kernel_bytes = nbytes };

		assert_int_equal(load(&boot), -EINVAL);
	}
}

/* Distributions sign kernels: the signature stands behind the kernel proper. */
static void bytes_behind_the_kernel_do_no_harm(void **state)
{
	(void)state;
	put(image + 0x1f4, 16, 4);
	assert_int_equal(load_plain(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_32_bit_part_lies_at_1_mib_and_runs_from_there, fresh_kernel),
		cmocka_unit_test_setup(zero_setup_sectors_mean_four, fresh_kernel),
		cmocka_unit_test_setup(the_gdt_has_flat_code_at_10h_and_flat_data_at_18h, fresh_kernel),
		cmocka_unit_test_setup(only_the_header_is_copied_into_the_boot_parameters, fresh_kernel),
		cmocka_unit_test_setup(the_loader_is_undefined_and_offers_no_heap, fresh_kernel),
		cmocka_unit_test_setup(the_memory_map_leaves_out_the_bios_area_and_ends_with_ram, fresh_kernel),
		cmocka_unit_test_setup(a_text_screen_is_told_only_if_there_is_one, fresh_kernel),
		cmocka_unit_test_setup(the_command_line_arrives_with_its_end, fresh_kernel),
		cmocka_unit_test_setup(a_command_line_longer_than_the_kernel_takes_is_refused, fresh_kernel),
		cmocka_unit_test_setup(the_initrd_lies_on_a_page_as_high_as_ram_goes, fresh_kernel),
		cmocka_unit_test_setup(the_initrd_stays_below_what_the_kernel_can_reach, fresh_kernel),
		cmocka_unit_test_setup(an_initrd_that_the_unpacking_kernel_would_overwrite_is_refused, fresh_kernel),
		cmocka_unit_test_setup(a_kernel_that_needs_more_ram_says_how_much, fresh_kernel),
		cmocka_unit_test_setup(what_is_no_bzimage_is_refused_by_name, fresh_kernel),
		cmocka_unit_test_setup(a_64_bit_kernel_is_refused, fresh_kernel),
		cmocka_unit_test_setup(a_protocol_before_2_05_is_refused, fresh_kernel),
		cmocka_unit_test_setup(a_zimage_is_refused, fresh_kernel),
		cmocka_unit_test_setup(what_has_no_32_bit_entry_is_refused, fresh_kernel),
		cmocka_unit_test_setup(a_kernel_cut_short_is_refused_at_every_length, fresh_kernel),
		cmocka_unit_test_setup(bytes_behind_the_kernel_do_no_harm, fresh_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
