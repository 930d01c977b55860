/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/control-traps.c - control registers and MSRs refuse what the SDM reserves; TCG lets much of it through.
 * SDM 3A, "Control Registers"; SDM 2B, "MOV - Move to/from Control Registers", "WRMSR".
 */
#include "guest.h"

void guest_main(void)
{
	TRY("movl %0, %%cr4", : : "r"(read_cr4() | 0x80000000u) : "memory");
	show("reserved bit in cr4");
	TRY("movl %0, %%cr0", : : "r"((read_cr0() | 0x80000000u) & ~1u) : "memory");
	show("pg without pe");
	TRY("movl %0, %%cr0", : : "r"((read_cr0() | 0x20000000u) & ~0x40000000u) : "memory");
	show("nw without cd");
	print("cr0 pe %x pg %x cr4 bit 31 %x\n", read_cr0() & 1, read_cr0() >> 31, read_cr4() >> 31);
	TRY("rdmsr", : : "c"(0x12345678) : "eax", "edx");
	show("rdmsr of none");
	TRY("wrmsr", : : "c"(0x12345678), "a"(0), "d"(0));
	show("wrmsr of none");
	TRY("wrmsr", : : "c"(0x277), "a"(0x02020202), "d"(0));
	show("wrmsr of a bad PAT");
	/* DR6 and DR7: nothing is reserved in 32-bit mode that faults. */
	TRY("movl %0, %%dr7; movl %1, %%dr7", : : "r"(0xffff0000u & ~0x2000u), "r"(0) : "memory");
	show("dr7");
}
