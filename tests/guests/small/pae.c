/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/pae.c - PAE paging: three levels, 2 MiB pages, PDPTEs loaded at MOV to CR3, reserved bits, NX where present.
 * SDM 3A, "PAE Paging".
 */
#include "guest.h"

#define PDPT ((volatile uint64_t *)0x200000)
#define PD(i) ((volatile uint64_t *)(0x201000 + (i) * 0x1000))
#define PT ((volatile uint64_t *)0x206000)
#define VA 0xc0000000u
#define FRAME 0x500000u

static void touch_read(const char *what, uint32_t address)
{
	TRY("movl (%0), %%eax", : : "r"(address) : "eax", "memory");
	show(what);
}

static void touch_write(const char *what, uint32_t address)
{
	TRY("movl $0x5a5a5a5a, (%0)", : : "r"(address) : "memory");
	show(what);
}

void guest_main(void)
{
	uint32_t a, b, c, d, result;

	for (unsigned int i = 0; i < 0x7000 / 8; i++)
		PDPT[i] = 0;
	for (unsigned int i = 0; i < 4; i++)
		PDPT[i] = (uint32_t)PD(i) | 1;
	for (unsigned int i = 0; i < 4; i++)
		PD(0)[i] = i * 0x200000 | 0xe7;
	PD(3)[0] = (uint32_t)PT | 7;
	PT[0] = FRAME | 3;
	PT[1] = (FRAME + 0x1000) | 1;
	PT[3] = (FRAME + 0x3000) | 3;
	write_cr4(read_cr4() | 0x20);
	write_cr3((uint32_t)PDPT);
	write_cr0(read_cr0() | 0x80010000u);
	print("on\n");

	touch_read("read", VA);
	print("pte %03x\n", (uint32_t)PT[0] & 0xfff);
	touch_write("write", VA);
	print("pte %03x pde %03x\n", (uint32_t)PT[0] & 0xfff, (uint32_t)PD(3)[0] & 0xfff);
	touch_write("write of read-only", VA + 0x1000);
	touch_read("nothing", VA + 0x4000);
	touch_read("no directory entry", VA + 0x400000);
	PD(3)[1] = 0x400000 | 0x83;
	*(volatile uint32_t *)(FRAME + 0x5000) = 0xfeed;
	a = *(volatile uint32_t *)(VA + 0x200000 + 0x105000);
	print("2 MiB page %x entry %03x\n", a, (uint32_t)PD(3)[1] & 0xfff);

	/* PDPTEs are read at MOV to CR3 only; a change in memory does not count before. */
	PDPT[3] = 0;
	touch_read("pdpte cleared in memory", VA);
	write_cr3((uint32_t)PDPT);
	touch_read("after mov to cr3", VA);
	PDPT[3] = (uint32_t)PD(3) | 1;
	write_cr3((uint32_t)PDPT);
	touch_read("and back", VA);

	/* Another root: the same linear page is another frame. */
	for (unsigned int i = 0; i < 4; i++)
		PDPT[512 * 8 + i] = PDPT[i];
	*(volatile uint32_t *)(FRAME + 0x3000) = 0x3333;
	*(volatile uint32_t *)FRAME = 0x1111;
	for (unsigned int i = 0; i < 512; i++)
		PD(8)[i] = 0;
	PD(8)[0] = (uint32_t)PD(9) | 3;
	PD(9)[0] = (FRAME + 0x3000) | 3;
	PDPT[512 * 8 + 3] = (uint32_t)PD(8) | 1;
	a = *(volatile uint32_t *)VA;
	write_cr3((uint32_t)(PDPT + 512 * 8));
	b = *(volatile uint32_t *)VA;
	write_cr3((uint32_t)PDPT);
	c = *(volatile uint32_t *)VA;
	print("roots: %x %x %x\n", a, b, c);

	/* No-execute, where the processor has it: the error code then has the I bit. */
	__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000000u));
	d = 0;
	if (a >= 0x80000001u)
		__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000001u));
	memcpy((void *)(FRAME + 0x3000), "\xb8\x39\x30\x00\x00\xc3", 6);
	if (d & 1u << 20)
		wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x800);
	PT[5] = (FRAME + 0x3000) | 3 | ((d & 1u << 20) ? 1ull << 63 : 0);
	result = 0;
	__asm__ volatile("movl $-1, %0; movl %%esp, %%ebx; movl $1f, resume_eip; movl %2, try_eip; call *%2\n1: movl $0, resume_eip; movl %%ebx, %%esp"
			 : "=m"(caught.vector), "=a"(result) : "r"(VA + 0x5000) : "ebx", "memory");
	if (d & 1u << 20)
		print("no-execute %s\n", caught.vector == 14 && (caught.error & 0x15) == 0x11 ? "holds" : "does not hold");
	else
		print("no-execute %s\n", result == 12345 ? "holds" : "does not hold"); /* absent: the same line, the page runs */
	write_cr0(read_cr0() & ~0x80000000u);
	print("off\n");
}
