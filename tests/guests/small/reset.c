/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/reset.c - the machine starts again: by triple fault, by the keyboard controller, by port CF9h, by port 92h.
 * Which boot this is stands in CMOS memory, which survives; the firmware does not use that byte.
 */
#include "guest.h"

#define NOTE 0x50

static uint8_t cmos_read(uint8_t at)
{
	outb(0x70, at);
	return inb(0x71);
}

static void cmos_write(uint8_t at, uint8_t value)
{
	outb(0x70, at);
	outb(0x71, value);
}

void guest_main(void)
{
	static const struct { uint16_t limit; uint32_t base; } __attribute__((packed)) none = { 0, 0 };
	uint8_t boot = cmos_read(NOTE);

	if (boot < 0xa0 || boot > 0xa4)
		boot = 0xa0;
	cmos_write(NOTE, boot + 1);
	print("boot %u: cr0 %x\n", boot - 0xa0u, read_cr0() & 0x80000001u);
	/* What this boot leaves behind must not show in the next. */
	hook[0] = 0;
	switch (boot) {
	case 0xa0:
		print("triple fault\n");
		__asm__ volatile("lidt %0; int3" : : "m"(none));
		break;
	case 0xa1:
		print("keyboard controller\n");
		while (inb(0x64) & 2)
			;
		outb(0x64, 0xfe);
		break;
	case 0xa2:
		print("port cf9\n");
		outb(0xcf9, 2);
		outb(0xcf9, 6);
		break;
	case 0xa3:
		print("port 92\n");
		outb(0x92, inb(0x92) & ~1);
		outb(0x92, inb(0x92) | 1);
		break;
	default:
		cmos_write(NOTE, 0);
		return;
	}
	for (;;)
		__asm__ volatile("hlt");
}
