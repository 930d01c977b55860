/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/undefined.c - what must raise #UD, #GP, #DE or #BR by its own form; lengths; the EIP pushed.
 * SDM 2D, "Opcode Map"; SDM 2A, "Instruction Prefixes", "LOCK".
 */
#include "guest.h"

#define CASE(text, bytes)              \
	do {                           \
		TRY(".byte " bytes, : : : "eax", "ecx", "edx", "memory", "cc"); \
		show(text);            \
	} while (0)

void guest_main(void)
{
	static const int32_t bounds[2] = { -5, 5 };

	CASE("ud2", "0x0f, 0x0b");
	CASE("ud1", "0x0f, 0xb9, 0xc0");
	CASE("0f ff", "0x0f, 0xff, 0xc0");
	CASE("lock nop", "0xf0, 0x90");
	CASE("lock add reg", "0xf0, 0x01, 0xc0");
	CASE("lock cmp", "0xf0, 0x39, 0x05, 0x00, 0x05, 0x00, 0x00");
	CASE("lock add mem", "0xf0, 0x01, 0x05, 0x00, 0x05, 0x00, 0x00");
	CASE("lea reg", "0x8d, 0xc0");
	CASE("les reg", "0xc4, 0xc0, 0x00, 0x00");
	CASE("bound reg", "0x62, 0xc0");
	CASE("mov sreg 6", "0x8e, 0xf0");
	CASE("mov from sreg 7", "0x8c, 0xf8");
	CASE("mov cs", "0x8e, 0xc8");
	CASE("mov cr1", "0x0f, 0x20, 0xc8");
	CASE("mov cr5", "0x0f, 0x22, 0xe8");
	CASE("fe /7", "0xfe, 0xf8");
	CASE("ff /7", "0xff, 0xf8");
	CASE("0f c7 /1 reg", "0x0f, 0xc7, 0xc8");
	CASE("lcall reg", "0xff, 0xd8");
	CASE("ljmp reg", "0xff, 0xe8");
	CASE("15 bytes", "0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90");
	CASE("16 bytes", "0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90");
	TRY("xorl %%ecx, %%ecx; divl %%ecx", : : "a"(1), "d"(0) : "ecx", "cc");
	show("divide by zero");
	TRY("movl $1, %%ecx; divl %%ecx", : : "a"(1), "d"(1) : "ecx", "cc");
	show("divide overflow");
	TRY("movl $-1, %%ecx; idivl %%ecx", : : "a"(0x80000000u), "d"(0xffffffffu) : "ecx", "cc");
	show("idiv overflow");
	TRY(".byte 0xd4, 0x00", : : : "eax", "cc");
	show("aam 0");
	TRY("movl $5, %%eax; boundl %%eax, %0", : : "m"(bounds) : "eax");
	show("bound inside");
	TRY("movl $6, %%eax; boundl %%eax, %0", : : "m"(bounds) : "eax");
	show("bound outside");
	print("its eip offset %u\n", caught.eip_offset);
	TRY("nop; nop; ud2");
	print("eip offset of ud2 behind two nops %u\n", caught.eip_offset);
	/* The oddities that do run. */
	CASE("salc", "0xd6");
	CASE("aad 16", "0xd5, 0x10");
	CASE("repne nop", "0xf2, 0x90");
	CASE("long nop", "0x0f, 0x1f, 0x44, 0x00, 0x00");
	CASE("c0 /6", "0xc0, 0xf0, 0x01");
	CASE("82 /0", "0x82, 0xc0, 0x01");
	CASE("prefetch", "0x0f, 0x18, 0x08");

	/* Alignment is checked at CPL 3 only. */
	write_cr0(read_cr0() | 0x40000);
	TRY("pushfl; orl $0x40000, (%%esp); popfl; movl bounds_odd, %%eax; pushfl; andl $~0x40000, (%%esp); popfl", : : : "eax", "cc", "memory");
	show("unaligned with ac, kernel");
}
__asm__(".balign 4\n.byte 0\nbounds_odd: .long 0");
