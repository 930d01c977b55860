/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/protect.c - user code that tries to reach supervisor pages, where user and supervisor pages alternate.
 * A monitor that keeps them apart by cutting a segment's limit must notice here that one limit is not enough.
 */
#include "guest.h"

#define PAGES 32u
#define LOW 0x40000000u
#define HIGH 0xf0000000u
#define FRAME 0x500000u

static uint32_t user_reads, user_writes, leaks, refused;

static void probe(uint32_t base)
{
	for (uint32_t i = 0; i < PAGES; i++) {
		uint32_t value = 0, esi = base + i * 4096;

		TRY("movl (%1), %0", : "=r"(value) : "r"(base + i * 4096), "0"(0) : "memory");
		if (caught.vector < 0)
			user_reads++;
		else if (caught.vector == 14 && caught.error == 5 && caught.cr2 == base + i * 4096)
			refused++;
		if (i % 3 == 1 && value != 0)
			leaks++;
		TRY("movl $0x66, 4(%0)", : : "r"(base + i * 4096) : "memory");
		if (caught.vector < 0)
			user_writes++;
		else if (caught.vector == 14 && caught.error == 7 && caught.cr2 == base + i * 4096 + 4)
			refused++;
		/* Read-modify-write, string and implicit stack accesses go the same way; a string instruction that faults leaves ESI alone. */
		TRY("lock incl 8(%0)", : : "r"(base + i * 4096) : "memory");
		if (caught.vector == 14 && (caught.error | 2) == 7)	/* TCG sees the read first */
			refused++;
		TRY("lodsb", : "+S"(esi) : : "eax", "memory");
		if (caught.vector == 14 && caught.error == 5 && esi == base + i * 4096)
			refused++;
	}
}

static void user_probes(void)
{
	user_reads = user_writes = refused = leaks = 0;
	probe(LOW);
	probe(HIGH);
	print("user: %u reads %u writes %u refused %u leaks\n", user_reads, user_writes, refused, leaks);
}

static void user(void)
{
	uint32_t esp;

	user_probes();
	/* A stack on a supervisor page: the push faults at CPL 3. */
	__asm__ volatile("movl $-1, %1; movl $1f, resume_eip; movl %%esp, %0; movl %2, %%esp; pushl $1\n1: movl $0, resume_eip; movl %0, %%esp"
			 : "=&r"(esp), "=m"(caught.vector) : "r"(LOW + 4096 + 64) : "memory");
	show("push on a supervisor page");
	/* Code on a supervisor page. */
	__asm__ volatile("movl $-1, %1; movl $1f, resume_eip; movl %%esp, %0; jmp *%2\n1: movl $0, resume_eip; movl %0, %%esp"
			 : "=&r"(esp), "=m"(caught.vector) : "r"(LOW + 4096 + 64) : "memory");
	show("jump to a supervisor page");
	/* Below what the kernel uses, at the very top, at zero. */
	TRY("movl 0xfffffffc, %%eax", : : : "eax");
	show("read of the last dword");
	TRY("movl $1, 0x1ffffc", : : : "memory");
	show("write of the kernel's own memory");
}

void guest_main(void)
{
	uint32_t damage = 0;

	paging_identity();
	for (uint32_t i = 0; i < PAGES; i++) {
		uint32_t entry = i % 3 == 1 ? 3 : 7;

		*(uint32_t *)(FRAME + i * 4096) = 0xdead0000 + i;
		*(uint32_t *)(FRAME + i * 4096 + 4) = 0;
		map_page(LOW + i * 4096, (FRAME + i * 4096) | entry);
		map_page(HIGH + i * 4096, (FRAME + i * 4096) | entry);
	}
	*pte_of(0x1ff000) &= ~4u;
	invlpg(0x1ff000);
	run_user(user);
	for (uint32_t i = 0; i < PAGES; i++)
		if (i % 3 == 1 && (*(uint32_t *)(FRAME + i * 4096) != 0xdead0000 + i || *(uint32_t *)(FRAME + i * 4096 + 4) != 0))
			damage++;
	print("supervisor pages damaged: %u\n", damage);
	/* The kernel itself reaches all of them. */
	for (uint32_t i = 0; i < PAGES; i++)
		damage += *(volatile uint32_t *)(LOW + i * 4096) != 0xdead0000 + i;
	print("kernel sees wrong values: %u\n", damage);
	/* Rights change: a supervisor page becomes a user page and back. */
	map_page(LOW + 4096, (FRAME + 4096) | 7);
	run_user(user_probes);
	map_page(LOW + 4096, (FRAME + 4096) | 3);
	run_user(user_probes);
}
