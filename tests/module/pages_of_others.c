/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/pages_of_others.c - a guest whose page tables name physical addresses that it does not have.
 *
 * With PAE and pages of 2 MiB: one pass over the 4 GiB of linear addresses for each place where the frames are said to be - the
 * guest's own first 4 GiB, then each 4 GiB up to 64, then with each single bit up to 63 set. Where there is no RAM all ones are
 * read (by this program's word as the device, or the monitor's own) or the processor refuses; writes change nothing.
 * Asked by: inside/a_guest_reads_nobodys_pages.
 */
#include "tests/module/machine.h"

#define PDPT	0x1000u
#define PD	0x2000u		/* four of them */
#define GDT	0x8000u
#define IDT	0x9000u
#define HANDLER	0x18000u

/* #PF: all ones were read, or nothing written. Both instructions are two bytes. */
GUEST(handler,
	"addl $4, %esp\n"
	"addl $2, (%esp)\n"
	"movl $-1, %eax\n"
	"incl %edi\n"
	"iret\n");

/* Each pass: how many words were not all ones, to the port. */
GUEST(guest,
	"lgdt (%esi)\n"
	"lidt 8(%esi)\n"
	"movl $0x20, %eax\n"		/* PAE */
	"movl %eax, %cr4\n"
	"movl $0x1000, %eax\n"
	"movl %eax, %cr3\n"
	"movl %cr0, %eax\n"
	"orl $0x80010000, %eax\n"
	"movl %eax, %cr0\n"
	"1: movl %cr3, %eax\n"
	"movl %eax, %cr3\n"
	"xorl %ecx, %ecx\n"
	"movl $0x200000, %ebx\n"
	"2: movl (%ebx), %eax\n"
	"cmpl $-1, %eax\n"
	"je 3f\n"
	"incl %ecx\n"
	"3: movl $0x5eed5eed, %edx\n"
	"movl %edx, (%ebx)\n"
	"addl $0x200000, %ebx\n"
	"jnc 2b\n"
	"movl %ecx, %eax\n"
	"outl %eax, $0x80\n"
	"jmp 1b\n");

static void tables(const struct machine *m, uint64_t where)
{
	uint64_t *pdpt = (uint64_t *)(m->ram + PDPT), *pd = (uint64_t *)(m->ram + PD);

	for (unsigned int i = 0; i < 4; i++)
		pdpt[i] = (PD + 4096 * i) | 1;
	/* Linear 0 to 2 MiB is the guest itself. */
	pd[0] = 0x83;
	for (uint64_t i = 1; i < 2048; i++)
		pd[i] = (i << 21) + where + 0x87;
	/* Its RAM, if only 32 bits of an address counted. */
	if (where)
		pd[2047] = where | 0x87;
}

static unsigned int pass(const struct machine *m, unsigned int *device)
{
	for (;;) {
		switch (machine_run(m)) {
		case PLEXUS_EXIT_MMIO_READ:
			m->run->value = ~0u;
			++*device;
			break;
		case PLEXUS_EXIT_MMIO_WRITE:
			++*device;
			break;
		case PLEXUS_EXIT_OUT:
			return m->run->value;
		default:
			fail("exit %u", m->run->exit);
		}
	}
}

static void look(const struct machine *m, uint64_t where, const char *what)
{
	unsigned int device = 0, seen;

	tables(m, where);
	seen = pass(m, &device);
	if (seen)
		fail("frames at %s %llx: %u words were not all ones", what, (unsigned long long)where, seen);
	for (uint32_t at = 0x100000; at < GUEST_RAM; at += 4)
		if (*(uint32_t *)(m->ram + at) != (at ^ 0x12345678))
			fail("frames at %s %llx: RAM at %x is %08x", what, (unsigned long long)where, at, *(uint32_t *)(m->ram + at));
	if (!where && device != 2 * 2047)
		fail("%u accesses came to the device, not %u", device, 2 * 2047);
}

int main(void)
{
	struct machine m = machine_create();
	const uint64_t flat[] = { 0, 0, 0x00cf9b000000ffffull, 0x00cf93000000ffffull };
	const uint16_t pointers[] = { sizeof(flat) - 1, GDT & 0xffff, GDT >> 16, 0, 256 * 8 - 1, IDT & 0xffff, IDT >> 16 };

	memcpy(m.ram + GUEST_DATA, pointers, sizeof(pointers));
	memcpy(m.ram + GDT, flat, sizeof(flat));
	memcpy(m.ram + HANDLER, handler, (size_t)(handler_end - handler));
	((uint64_t *)(m.ram + IDT))[14] = (HANDLER & 0xffff) | 0x10ull << 16 | 0x8eull << 40 | (uint64_t)(HANDLER >> 16) << 48;
	for (uint32_t at = 0x100000; at < GUEST_RAM; at += 4)
		*(uint32_t *)(m.ram + at) = at ^ 0x12345678;
	tables(&m, 0);
	machine_load(&m, guest, guest_end);
	look(&m, 0, "offset");
	for (uint64_t i = 1; i < 16; i++)
		look(&m, i << 32, "offset");
	for (unsigned int bit = 36; bit < 64; bit++)
		look(&m, 1ull << bit, "bit");
	machine_destroy(&m);
	return 0;
}
