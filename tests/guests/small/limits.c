/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/limits.c - what each access through a segment checks: limits of data, stack, expand-down and code, and types.
 * SDM 3A, "Limit Checking", "Type Checking".
 */
#include "guest.h"

#define DATA 0x38
#define PAGES 0x40
#define DOWN 0x48
#define DOWN16 0x50
#define STACK 0x58
#define CODE 0x60

static uint8_t area[8192] __attribute__((aligned(4096)));

#define READ8(offset) do { TRY("movb %%fs:(%0), %%al", : : "r"(offset) : "eax"); print("byte %08x ", (uint32_t)(offset)); show("read"); } while (0)
#define READ32(offset) do { TRY("movl %%fs:(%0), %%eax", : : "r"(offset) : "eax"); print("dword %08x ", (uint32_t)(offset)); show("read"); } while (0)
#define WRITE32(offset) do { TRY("movl $0, %%fs:(%0)", : : "r"(offset) : "memory"); print("dword %08x ", (uint32_t)(offset)); show("write"); } while (0)

static void load_fs(uint16_t selector)
{
	__asm__ volatile("movw %w0, %%fs" : : "r"(selector));
}

void guest_main(void)
{
	set_segment(DATA, (uint32_t)area, 0xff, ACC_DATA0, FLAGS_32);
	set_segment(PAGES, (uint32_t)area, 0, ACC_DATA0, FLAGS_32_PAGES);
	set_segment(DOWN, (uint32_t)area - 0x1000, 0xfff, ACC_DOWN0, FLAGS_32);
	set_segment(DOWN16, (uint32_t)area, 0xfff, ACC_DOWN0, FLAGS_16);
	/* Base 0, so that the trap's frame on it is where C looks for it. */
	set_segment(STACK, 0, (uint32_t)area + 0xfff, ACC_DATA0, FLAGS_32);
	set_segment(CODE, 0, 0xff, ACC_CODE0, FLAGS_32);

	print("limit ff\n");
	load_fs(DATA);
	READ8(0xff);
	READ8(0x100);
	READ32(0xfc);
	READ32(0xfd);
	WRITE32(0xfc);
	WRITE32(0x100);
	READ8(0xffffffffu);

	print("limit 0 pages\n");
	load_fs(PAGES);
	READ32(0xffc);
	READ32(0xffd);
	READ8(0x1000);

	print("expand-down, 32-bit, limit fff\n");
	load_fs(DOWN);
	READ8(0xfff);
	READ8(0x1000);
	READ32(0xffe);
	READ32(0x1000);

	print("expand-down, 16-bit, limit fff\n");
	load_fs(DOWN16);
	READ8(0x0);
	READ8(0x1000);
	READ8(0x10000);
	READ32(0x1ffc);

	print("stack segment\n");
	__asm__ volatile("movl %%esp, %%ebx; movw %w0, %%ss; movl %1, %%esp; movl $1f, resume_eip; movl $1f, try_eip; movl $-1, %2\n"
			 "movl 4(%%esp), %%eax\n1: movl $0, resume_eip; movw %w3, %%ss; movl %%ebx, %%esp"
			 : : "r"(STACK), "r"(area + 0x1000), "m"(caught.vector), "r"(SEL_DATA0) : "eax", "ebx", "memory");
	show("read past the stack's limit");
	__asm__ volatile("movl %%esp, %%ebx; movw %w0, %%ss; movl %3, %%esp; movl %%esp, %%ebp; movl $1f, resume_eip; movl $-1, %2\n"
			 "movl 0xe00(%%ebp), %%eax\n1: movl $0, resume_eip; movw %w1, %%ss; movl %%ebx, %%esp"
			 : : "r"(STACK), "r"(SEL_DATA0), "m"(caught.vector), "r"(area + 0x200) : "eax", "ebx", "ebp", "memory");
	show("read past the limit by ebp");

	print("types\n");
	load_fs(0);
	READ8(0x500);
	set_segment(DATA, 0, 0xfffff, 0x91, FLAGS_32_PAGES);
	load_fs(DATA);
	READ8(0x500);
	WRITE32(0x500);
	set_segment(DATA, 0, 0xfffff, ACC_CODE0, FLAGS_32_PAGES);
	load_fs(DATA);
	READ8(0x500);
	WRITE32(0x500);
	/* CS itself can be read and not written. */
	TRY("movl %%cs:0x500, %%eax", : : : "eax");
	show("read through cs");
	TRY("movl %%eax, %%cs:0x500", : : : "memory");
	show("write through cs");
	set_segment(DATA, (uint32_t)area, 0xff, ACC_DATA0, FLAGS_32);

	print("code, limit ff\n");
	TRY("ljmp $0x60, $0x100");
	show("jmp past the limit");
	TRY("lcall $0x60, $0xffff");
	show("call past the limit");

	print("string across the limit\n");
	{
		uint32_t left, at;

		memset(area, 0xee, 512);
		__asm__ volatile("movw %w2, %%es; movl $0xf0, %%edi; movl $32, %%ecx; xorl %%eax, %%eax; cld; movl $1f, resume_eip; movl $-1, %3\n"
				 "rep stosb\n1: movl $0, resume_eip; movw %w4, %%es"
				 : "=&c"(left), "=&D"(at) : "r"(DATA), "m"(caught.vector), "r"(SEL_DATA0) : "eax", "memory");
		show("rep stosb");
		print("ecx %x edi %x last %02x next %02x\n", left, at, area[0xff], area[0x100]);
	}
}
