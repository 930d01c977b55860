/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/debug-traps.c - INT1 and general detect, which debug.c leaves out because TCG has neither.
 * SDM 2A, "INT n/INTO/INT3/INT1"; SDM 3B, "General-Detect Exception Condition".
 */
#include "guest.h"

static uint32_t dr6(void)
{
	uint32_t v;

	__asm__ volatile("movl %%dr6, %0" : "=r"(v));
	return v & 0xe00f;
}

static uint32_t dr7(void)
{
	uint32_t v;

	__asm__ volatile("movl %%dr7, %0" : "=r"(v));
	return v;
}

static void user(void)
{
	/* Unlike INT3 and INT n, INT1 does not look at the gate's DPL. */
	TRY(".byte 0xf1");
	show("user int1");
	TRY("int3");
	show("user int3");
}

void guest_main(void)
{
	__asm__ volatile("movl %0, %%dr6" : : "r"(0));
	TRY(".byte 0xf1");
	show("int1");
	print("eip offset %u dr6 %x\n", caught.eip_offset, dr6());
	run_user(user);
	/* The next access of a debug register traps before it happens, and the processor clears GD. */
	__asm__ volatile("movl %0, %%dr7" : : "r"(0x2000));
	TRY("movl %%dr0, %%eax", : : : "eax");
	show("mov from dr0 with gd");
	print("eip offset %u dr6 %x dr7 %x\n", caught.eip_offset, dr6(), dr7());
}
