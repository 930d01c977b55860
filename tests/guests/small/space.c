/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/space.c - a walker through the whole linear space: a page mapped and touched in every 4 MiB, first one at
 * a time, then all at once, then every page of some regions. Wherever a monitor keeps something of its own in the guest's linear
 * space, this guest wants that very place.
 */
#include "guest.h"

#define FRAME 0x500000u
#define TABLE 0x480000u		/* one page table, lent to every directory entry in turn */

static uint32_t errors;

static void check(uint32_t linear, uint32_t expect, const char *what)
{
	uint32_t seen = *(volatile uint32_t *)linear;

	if (seen == expect)
		return;
	if (errors++ < 10)
		print("%s at %08x: %08x, not %08x\n", what, linear, seen, expect);
}

void guest_main(void)
{
	uint32_t touched = 0;
	volatile uint32_t *table = (volatile uint32_t *)TABLE;

	paging_identity();

	/* One at a time: each 4 MiB gets a page at a place of its own inside it. */
	for (uint32_t i = 2; i < 1024; i++) {
		uint32_t slot = i * 37 % 1024, linear = i << 22 | slot << 12;

		memset((void *)TABLE, 0, 4096);
		table[slot] = FRAME | 3;
		PAGE_DIR[i] = TABLE | 3;
		*(volatile uint32_t *)FRAME = i;
		check(linear, i, "one");
		*(volatile uint32_t *)(linear + 4) = ~i;
		if (*(volatile uint32_t *)(FRAME + 4) != ~i)
			errors++;
		/* Code runs there as well. */
		if (i % 16 == 0) {
			uint32_t value;

			memcpy((void *)(FRAME + 64), "\xb8\x00\x00\x00\x00\xc3", 6);
			*(volatile uint32_t *)(FRAME + 65) = i;
			__asm__ volatile("call *%1" : "=a"(value) : "r"(linear + 64) : "ecx", "edx", "memory");
			if (value != i && errors++ < 10)
				print("code at %08x: %x, not %x\n", linear, value, i);
		}
		PAGE_DIR[i] = 0;
		invlpg(linear);
		touched++;
	}
	print("one at a time: %u touched, %u errors\n", touched, errors);

	/* All at once: one table for all, so every 4 MiB shows the same 1024 frames (8 MiB and up of RAM is enough). */
	for (uint32_t slot = 0; slot < 1024; slot++)
		table[slot] = (0x800000 + (slot % 256) * 4096) | 3;
	for (uint32_t slot = 0; slot < 256; slot++) {
		map_page(0x3ff000, (0x800000 + slot * 4096) | 3);
		*(volatile uint32_t *)0x3ff000 = 0xf00d0000 + slot;
	}
	for (uint32_t i = 2; i < 1024; i++)
		PAGE_DIR[i] = TABLE | 3;
	write_cr3(read_cr3());
	touched = 0;
	for (uint32_t i = 2; i < 1024; i++)
		for (uint32_t slot = i % 8; slot < 1024; slot += 128) {
			check(i << 22 | slot << 12, 0xf00d0000 + slot % 256, "all");
			touched++;
		}
	print("all at once: %u touched, %u errors\n", touched, errors);

	/* Every page of the first and last 4 MiB of each GiB. */
	touched = 0;
	for (uint32_t i = 255; i < 1024; i += 256)
		for (uint32_t slot = 0; slot < 1024; slot++) {
			check(i << 22 | slot << 12, 0xf00d0000 + slot % 256, "dense");
			*(volatile uint32_t *)(i << 22 | slot << 12 | 8) = i + slot;
			check(i << 22 | slot << 12 | 8, i + slot, "dense write");
			touched++;
		}
	print("dense: %u touched, %u errors\n", touched, errors);

	/* The end: the last byte. (An access that wraps round may fault or not; the SDM leaves it open.) */
	*(volatile uint8_t *)0xffffffffu = 0x77;
	print("last byte %02x\n", *(volatile uint8_t *)0xffffffffu);

	/*
	 * All pages gone: each must fault. A monitor whose code lies in free linear space may show a page or two of its own
	 * to a guest that reads where it has mapped nothing (see CAVEATS); no more than that, and writes fault everywhere.
	 */
	for (uint32_t i = 2; i < 1024; i++)
		PAGE_DIR[i] = 0;
	write_cr3(read_cr3());
	touched = 0;
	for (uint32_t i = 2; i < 1024; i++) {
		TRY("movl (%0), %%eax", : : "r"(i << 22 | 0x123000) : "eax", "memory");
		if (caught.vector == 14 && caught.cr2 == (i << 22 | 0x123000) && caught.error == 0)
			touched++;
	}
	print("gone: reads %s\n", touched >= 1020 ? "fault" : "do not fault");
	touched = 0;
	for (uint32_t i = 2; i < 1024; i++) {
		TRY("movl %%eax, (%0)", : : "r"(i << 22 | 0x123000) : "eax", "memory");
		if (caught.vector == 14 && caught.cr2 == (i << 22 | 0x123000) && caught.error == 2)
			touched++;
	}
	print("gone: %u writes fault\n", touched);
}
