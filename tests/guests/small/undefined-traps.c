/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/undefined-traps.c - what undefined.c leaves out because TCG differs: LOCK where it may not stand, undefined
 * extensions of 8F and C6, RF in the pushed flags of a fault, and alignment checks.
 * SDM 3A, "Alignment Check Exception (#AC)", SDM 3B, "Instruction-Breakpoint Exception Condition" (RF).
 */
#include "guest.h"

#define CASE(text, bytes)              \
	do {                           \
		TRY(".byte " bytes, : : "a"(0x500) : "ecx", "edx", "memory", "cc"); \
		show(text);            \
	} while (0)

static void user_align(void)
{
	static uint32_t two[2];

	__asm__ volatile("pushfl; orl $0x40000, (%%esp); popfl" : : : "cc", "memory");
	TRY("movl 1(%0), %%eax", : : "r"(two) : "eax");
	show("unaligned with ac, user");
	__asm__ volatile("pushfl; andl $~0x40000, (%%esp); popfl" : : : "cc", "memory");
	TRY("movl 1(%0), %%eax", : : "r"(two) : "eax");
	show("unaligned without ac");
}

void guest_main(void)
{
	CASE("lock mov", "0xf0, 0x89, 0x00");
	CASE("lock test", "0xf0, 0x85, 0x00");
	CASE("8f /1", "0x8f, 0xc8");
	CASE("c6 /1", "0xc6, 0xc8, 0x00");
	TRY("ud2");
	print("ud2: rf %x\n", caught.eflags & 0x10000);
	TRY("xorl %%ecx, %%ecx; divl %%ecx", : : "a"(1), "d"(0) : "ecx", "cc");
	print("divide: rf %x\n", caught.eflags & 0x10000);
	TRY("int3");
	print("int3 is a trap: rf %x\n", caught.eflags & 0x10000);
	TRY("int $0x50");
	print("int 50: rf %x\n", caught.eflags & 0x10000);
	write_cr0(read_cr0() | 0x40000);
	run_user(user_align);
}
