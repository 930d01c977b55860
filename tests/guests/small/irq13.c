/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/irq13.c - x87 errors the PC's old way: with CR0.NE clear, FERR# becomes IRQ 13, and port F0h acknowledges.
 * SDM 1, "MS-DOS Compatibility Sub-mode" (appendix on x87 exception handlers).
 */
#include "guest.h"

static uint32_t irq13_count;

static void irq13(struct frame *f)
{
	(void)f;
	irq13_count++;
	__asm__ volatile("fnclex");
	outb(0xf0, 0);
	pic_eoi(13);
}

void guest_main(void)
{
	static const uint16_t unmasked = 0x0340;

	write_cr0(read_cr0() & ~0x2eu);
	pic_init();
	pic_unmask(13);
	hook[0x2d] = irq13;
	__asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp %%st, %%st(1)" : : "m"(unmasked));
	__asm__ volatile("sti; fwait; nop; nop; cli");
	print("irq 13: %u\n", irq13_count);
	__asm__ volatile("fninit");
}
