/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host/registers.c - a processor's registers as text, whichever host has it. Asked by: host/vm.c. */
#include <stdio.h>

#include "host/host.h"
#include "plexus/plexus-abi.h"

/* The order of plexus_registers.gpr. */
enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI };
#define NR_DATA_SEGMENTS 6
#define TR 7

void host_print_registers(const struct plexus_registers *r, char *buf, size_t nbytes)
{
	static const char *const name[NR_DATA_SEGMENTS] = { "ES", "CS", "SS", "DS", "FS", "GS" };
	const uint32_t *gpr = r->gpr;
	size_t n;

	n = (size_t)snprintf(buf, nbytes,
		"EAX=%08x EBX=%08x ECX=%08x EDX=%08x\nESI=%08x EDI=%08x EBP=%08x ESP=%08x\n"
		"EIP=%08x EFLAGS=%08x CPL=%u\nCR0=%08x CR2=%08x CR3=%08x CR4=%08x\n",
		gpr[EAX], gpr[EBX], gpr[ECX], gpr[EDX], gpr[ESI], gpr[EDI], gpr[EBP], gpr[ESP],
		r->eip, r->eflags, r->cpl, r->cr0, r->cr2, r->cr3, r->cr4);
	for (unsigned int i = 0; i < NR_DATA_SEGMENTS && n < nbytes; i++) {
		const struct plexus_segment *s = &r->segment[i];

		n += (size_t)snprintf(buf + n, nbytes - n, "%s=%04x base %08x limit %08x attr %05x\n", name[i],
				      s->selector, s->base, s->limit, s->attributes);
	}
	if (n < nbytes)
		snprintf(buf + n, nbytes - n, "GDT base %08x limit %04x  IDT base %08x limit %04x  TR=%04x base %08x\n",
			 r->gdt_base, r->gdt_limit, r->idt_base, r->idt_limit, r->segment[TR].selector, r->segment[TR].base);
}
