/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/smc.c - code that changes itself: in its own block, in its own page, across pages, through an alias,
 * while it runs and by string instructions. SDM 3A, "Handling Self- and Cross-Modifying Code": a jump or a serialising
 * instruction makes the change seen; processors since the Pentium see it at once on the same linear address.
 */
#include "guest.h"

static uint8_t page[4 * 4096] __attribute__((aligned(4096)));


static void put_mov_ret(uint8_t *at, uint32_t value)
{
	at[0] = 0xb8;				/* mov $value, %eax */
	*(volatile uint32_t *)(at + 1) = value;
	at[5] = 0xc3;
}

static uint32_t call(const void *at)
{
	uint32_t value;

	__asm__ volatile("call *%1" : "=a"(value) : "r"(at) : "ecx", "edx", "memory");
	return value;
}

void guest_main(void)
{
	uint32_t a, b, sum;

	/* Written once, run often, written again, run again. */
	put_mov_ret(page, 1);
	sum = 0;
	for (unsigned int i = 0; i < 1000; i++)
		sum += call(page);
	put_mov_ret(page, 5);
	for (unsigned int i = 0; i < 1000; i++)
		sum += call(page);
	print("twice written: %u\n", sum);

	/* Written before each run. */
	sum = 0;
	for (unsigned int i = 0; i < 3000; i++) {
		*(volatile uint32_t *)(page + 1) = i;
		sum += call(page);
	}
	print("written each time: %u\n", sum);

	/* The writer stands in the page that it writes: a counter in the immediate of its own page. */
	{
		/* incl imm; mov $imm, %eax; ret */
		static const uint8_t code[] = { 0xff, 0x05, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xc3 };

		memcpy(page + 256, code, sizeof(code));
		*(uint32_t *)(page + 256 + 2) = (uint32_t)(page + 256 + 7);
		sum = 0;
		for (unsigned int i = 0; i < 1000; i++)
			sum += call(page + 256);
		print("same block, next instruction: %u\n", sum);
	}

	/* The store changes the instruction right behind it: NOP NOP becomes INC EAX. */
	__asm__ volatile("xorl %%eax, %%eax; movl $20, %%ecx\n"
			 "1: movb $0x40, 2f\n"
			 "2: nop\n"
			 "movb $0x90, 2b\n"
			 "jmp 3f\n"
			 "3: decl %%ecx; jnz 1b"
			 : "=a"(a) : : "ecx", "memory");
	print("instruction behind the store: %u\n", a);

	/* A jump's target is changed while the loop runs. */
	__asm__ volatile("xorl %%eax, %%eax; movl $100, %%ecx\n"
			 "1: .byte 0xeb\n2: .byte 0\n"			/* jmp to 3f or 4f */
			 "3: incl %%eax; jmp 5f\n"
			 "4: addl $1000, %%eax\n"
			 "5: xorb $(4b - 3b), 2b\n"
			 "decl %%ecx; jnz 1b\n"
			 : "=a"(b) : : "ecx", "memory");
	print("jump changed: %u\n", b);

	/* A function across two pages; only the second page is written. */
	put_mov_ret(page + 4096 - 3, 0x11223344);
	a = call(page + 4096 - 3);
	page[4096 + 1] = 0x55;
	b = call(page + 4096 - 3);
	print("across pages: %x %x\n", a, b);

	/* By REP MOVS and REP STOS over code that ran. */
	put_mov_ret(page + 512, 7);
	put_mov_ret(page + 600, 9);
	a = call(page + 512);
	__asm__ volatile("cld; rep movsb" : : "S"(page + 600), "D"(page + 512), "c"(6) : "memory");
	b = call(page + 512);
	print("rep movs: %u %u\n", a, b);
	__asm__ volatile("cld; rep stosb" : : "a"(0x90), "D"(page + 512), "c"(5) : "memory");
	__asm__ volatile("movl $77, %%eax; call *%1" : "=&a"(a) : "r"(page + 512) : "memory");
	print("rep stos: %u\n", a);

	/* By a push, and by an add to memory, and by xchg and cmpxchg. */
	put_mov_ret(page + 1024, 100);
	call(page + 1024);
	__asm__ volatile("movl %%esp, %%ebx; leal 5(%0), %%esp; pushl $200; movl %%ebx, %%esp" : : "r"(page + 1024) : "ebx", "memory");
	a = call(page + 1024);
	__asm__ volatile("addl $11, 1(%0)" : : "r"(page + 1024) : "memory");
	b = call(page + 1024);
	__asm__ volatile("movl $300, %%ecx; xchgl %%ecx, 1(%0)" : : "r"(page + 1024) : "ecx", "memory");
	sum = call(page + 1024);
	print("push %u add %u xchg %u", a, b, sum);
	__asm__ volatile("movl $300, %%eax; movl $400, %%ecx; lock cmpxchgl %%ecx, 1(%0)" : : "r"(page + 1024) : "eax", "ecx", "memory");
	print(" cmpxchg %u\n", call(page + 1024));

	/* Data beside code in one page: many writes that change no code. */
	put_mov_ret(page + 2048, 1);
	sum = 0;
	for (unsigned int i = 0; i < 5000; i++) {
		*(volatile uint32_t *)(page + 3000) += 1;
		sum += call(page + 2048);
	}
	print("data beside code: %u %u\n", sum, *(volatile uint32_t *)(page + 3000));

	/* Through another linear address of the same frame. */
	paging_identity();
	map_page(0x40000000u, (uint32_t)(page + 8192) | 3);
	put_mov_ret(page + 8192, 21);
	a = call(page + 8192);
	put_mov_ret((uint8_t *)0x40000000u, 22);
	b = call(page + 8192);
	print("through an alias: %u %u", a, b);
	a = call((void *)0x40000000u);
	put_mov_ret(page + 8192, 23);
	__asm__ volatile("xorl %%eax, %%eax; cpuid" : : : "eax", "ebx", "ecx", "edx", "memory");
	print(" %u %u\n", a, call((void *)0x40000000u));

	/* A page of code is replaced by remapping. */
	put_mov_ret(page + 3 * 4096, 31);
	put_mov_ret(page + 2 * 4096, 32);
	map_page(0x40001000u, (uint32_t)(page + 2 * 4096) | 3);
	a = call((void *)0x40001000u);
	map_page(0x40001000u, (uint32_t)(page + 3 * 4096) | 3);
	b = call((void *)0x40001000u);
	print("remapped: %u %u\n", a, b);

	/* Code that was run is made read-only, written (which faults with WP), and runs on unchanged. */
	write_cr0(read_cr0() | 0x10000);
	map_page(0x40001000u, (uint32_t)(page + 3 * 4096) | 1);
	TRY("movl $99, 0x40001001", : : : "memory");
	show("write of read-only code");
	print("still %u\n", call((void *)0x40001000u));
	write_cr0(read_cr0() & ~0x80010000u);

	/* A generated loop, grown and rerun: what a just-in-time compiler does. */
	sum = 0;
	for (unsigned int n = 1; n < 40; n++) {
		uint8_t *p = page;

		*p++ = 0x31;				/* xor %eax, %eax */
		*p++ = 0xc0;
		for (unsigned int i = 0; i < n; i++) {
			*p++ = 0x05;			/* add $i, %eax */
			*(uint32_t *)p = i;
			p += 4;
		}
		*p = 0xc3;
		__asm__ volatile("" : : : "memory");
		sum += call(page);
	}
	print("generated: %u\n", sum);
}
