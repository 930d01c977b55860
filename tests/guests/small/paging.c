/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/paging.c - 32-bit paging: faults and their error codes, accessed and dirty bits, WP, 4 MiB pages, INVLPG,
 * global pages, aliases. SDM 3A, "32-Bit Paging", "Accessed and Dirty Flags", "Page-Fault Exceptions".
 */
#include "guest.h"

#define VA 0x40000000u		/* far from the identity map */
#define FRAME 0x500000u		/* physical pages for the taking: 5 MiB and up */

static volatile uint32_t *const window = (uint32_t *)VA;

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

static void user(void)
{
	touch_read("user reads a user page", VA);
	touch_write("user writes a user page", VA);
	touch_read("user reads a read-only page", VA + 0x1000);
	touch_write("user writes a read-only page", VA + 0x1000);
	touch_read("user reads a supervisor page", VA + 0x2000);
	touch_write("user writes a supervisor page", VA + 0x2000);
	touch_read("user reads nothing", VA + 0x3000);
	touch_write("user writes nothing", VA + 0x3000);
}

static uint32_t faults;
static void fill_in(struct frame *f)
{
	faults++;
	(void)f;
	map_page(read_cr2() & ~0xfffu, (FRAME + (read_cr2() & 0xff000)) | 3);
}

void guest_main(void)
{
	uint32_t sum = 0;

	paging_identity();
	print("on: cr0 %08x\n", read_cr0() & 0x80010001u);
	map_page(VA, FRAME | 7);
	map_page(VA + 0x1000, (FRAME + 0x1000) | 5);
	map_page(VA + 0x2000, (FRAME + 0x2000) | 3);

	touch_read("read", VA);
	print("pte after read %03x\n", *pte_of(VA) & 0xfff);
	touch_write("write", VA);
	print("pte after write %03x\n", *pte_of(VA) & 0xfff);
	touch_write("supervisor writes read-only, WP 0", VA + 0x1000);
	print("pte %03x\n", *pte_of(VA + 0x1000) & 0xfff);
	write_cr0(read_cr0() | 0x10000);
	touch_write("supervisor writes read-only, WP 1", VA + 0x1000);
	touch_read("supervisor reads read-only, WP 1", VA + 0x1000);
	touch_read("read of nothing", VA + 0x3000);
	touch_write("write of nothing", VA + 0x3004);
	touch_read("read of no table", 0x80000000u);
	run_user(user);
	write_cr0(read_cr0() & ~0x10000u);

	/* Across two pages: CR2 names the byte that faulted. */
	map_page(VA + 0x4000, (FRAME + 0x4000) | 3);
	map_page(VA + 0x5000, 0);
	touch_read("dword across into nothing", VA + 0x4ffe);
	touch_write("dword write across into nothing", VA + 0x4ffd);
	print("half-done write: %x\n", *(volatile uint8_t *)(VA + 0x4ffd));

	/* Aliases: two linear pages, one frame. */
	map_page(VA + 0x6000, (FRAME + 0x6000) | 3);
	map_page(VA + 0x7000, (FRAME + 0x6000) | 3);
	window[0x6000 / 4] = 0x1111;
	print("alias %x", window[0x7000 / 4]);
	window[0x7000 / 4 + 1] = 0x2222;
	print(" %x physical %x\n", window[0x6000 / 4 + 1], *(volatile uint32_t *)(FRAME + 0x6004));

	/* Remapping needs INVLPG; afterwards the new frame is there. */
	*(volatile uint32_t *)(FRAME + 0x8000) = 0xaaaa;
	*(volatile uint32_t *)(FRAME + 0x9000) = 0xbbbb;
	map_page(VA + 0x8000, (FRAME + 0x8000) | 3);
	print("before %x", window[0x8000 / 4]);
	*pte_of(VA + 0x8000) = (FRAME + 0x9000) | 3;
	invlpg(VA + 0x8000);
	print(" after invlpg %x", window[0x8000 / 4]);
	*pte_of(VA + 0x8000) = (FRAME + 0x8000) | 3;
	write_cr3(read_cr3());
	print(" after cr3 %x\n", window[0x8000 / 4]);

	/* Taking away rights, with INVLPG. */
	map_page(VA + 0x8000, 0);
	touch_read("unmapped", VA + 0x8000);
	/* From not-present to present needs none. */
	*pte_of(VA + 0x8000) = (FRAME + 0x9000) | 3;
	touch_read("mapped again", VA + 0x8000);

	/* Dirty bit cleared by software, set again by the next write. */
	touch_write("write", VA + 0x8000);
	*pte_of(VA + 0x8000) &= ~0x60u;
	invlpg(VA + 0x8000);
	print("cleared %03x", *pte_of(VA + 0x8000) & 0xfff);
	(void)window[0x8000 / 4];
	print(" read %03x", *pte_of(VA + 0x8000) & 0xfff);
	window[0x8000 / 4] = 1;
	print(" write %03x\n", *pte_of(VA + 0x8000) & 0xfff);
	print("directory entry accessed %x\n", PAGE_DIR[VA >> 22] & 0x20);

	/* 4 MiB pages. */
	write_cr4(read_cr4() | 0x10);
	PAGE_DIR[0x60000000u >> 22] = 0x400000 | 0x83;
	*(volatile uint32_t *)(FRAME + 0xa000) = 0xcafe;
	sum = *(volatile uint32_t *)(0x60000000u + FRAME + 0xa000 - 0x400000);
	print("4 MiB page %x entry %03x\n", sum, PAGE_DIR[0x60000000u >> 22] & 0xfff);
	sum = 0;
	*(volatile uint32_t *)0x60100000u = 7;
	print("written: entry %03x\n", PAGE_DIR[0x60000000u >> 22] & 0xfff);
	PAGE_DIR[0x60000000u >> 22] = 0x400000 | 0x81;
	invlpg(0x60000000u);
	write_cr0(read_cr0() | 0x10000);
	touch_write("write of a read-only 4 MiB page", 0x60200000u);
	write_cr0(read_cr0() & ~0x10000u);

	/* Global pages stay over a CR3 load, go with INVLPG. */
	write_cr4(read_cr4() | 0x80);
	map_page(VA + 0xb000, (FRAME + 0x8000) | 0x103);
	print("global %x", window[0xb000 / 4]);
	*pte_of(VA + 0xb000) = (FRAME + 0x9000) | 0x103;
	invlpg(VA + 0xb000);
	print(" after invlpg %x\n", window[0xb000 / 4]);

	/* Demand paging: a handler that maps, and the instruction runs again. */
	hook[14] = fill_in;
	for (uint32_t i = 0; i < 64; i++)
		*(volatile uint32_t *)(0x48000000u + i * 4096 + i * 4) = i;
	for (uint32_t i = 0; i < 64; i++)
		sum += *(volatile uint32_t *)(0x48000000u + i * 4096 + i * 4);
	print("demand paging: %u faults, sum %u\n", faults, sum);
	hook[14] = 0;

	/* Execution through another mapping, and of nothing. */
	memcpy((void *)(FRAME + 0xc000), "\xb8\x39\x30\x00\x00\xc3", 6);
	map_page(VA + 0xc000, (FRAME + 0xc000) | 3);
	__asm__ volatile("call *%1" : "=a"(sum) : "r"(VA + 0xc000) : "ecx", "edx", "memory");
	print("code there returns %u\n", sum);
	/* An instruction that lies across a page boundary into another frame. */
	memcpy((void *)(FRAME + 0xdffd), "\xb8\x40\x30", 3);
	memcpy((void *)(FRAME + 0xf000), "\x00\x00\xc3", 3);
	map_page(VA + 0xd000, (FRAME + 0xd000) | 3);
	map_page(VA + 0xe000, (FRAME + 0xf000) | 3);
	__asm__ volatile("call *%1" : "=a"(sum) : "r"(VA + 0xdffd) : "ecx", "edx", "memory");
	print("code across returns %u\n", sum);
	map_page(VA + 0xe000, (FRAME + 0xe000) | 3);
	memcpy((void *)(FRAME + 0xe000), "\x01\x00\xc3", 3);
	__asm__ volatile("call *%1" : "=a"(sum) : "r"(VA + 0xdffd) : "ecx", "edx", "memory");
	print("second page remapped: %u\n", sum);
	map_page(VA + 0xe000, 0);
	__asm__ volatile("movl $-1, %0; movl %%esp, %%ebx; movl $1f, resume_eip; movl %1, try_eip; call *%1\n1: movl $0, resume_eip; movl %%ebx, %%esp"
			 : : "m"(caught.vector), "r"(VA + 0xdffd) : "eax", "ebx", "memory");
	show("second page gone");
	print("eip offset %x\n", caught.eip_offset);
	paging_off();
	print("off: cr0 %08x\n", read_cr0() & 0x80010001u);
}
