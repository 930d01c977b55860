/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/segments.c - protected-mode segments: bases, 16-bit code, loads that must fault, the LDT.
 * SDM 3A, "Protected-Mode Memory Management" and "Type Checking", "Privilege Levels".
 * Limits are in limits.c, since TCG does not check them.
 */
#include "guest.h"

#define S1 0x38
#define S2 0x40
#define S3 0x48
#define CODE16 0x50
#define CONFORM 0x58
#define HIGH 0x60
#define SYSTEM 0x68

static uint32_t block[64];
static uint64_t ldt[4];

static uint32_t read_through(uint16_t selector, uint32_t offset)
{
	uint32_t value;

	__asm__ volatile("pushl %%fs; movw %w1, %%fs; movl %%fs:(%2), %0; popl %%fs" : "=&r"(value) : "r"(selector), "r"(offset));
	return value;
}

static void bases(void)
{
	uint32_t es_value, gs_value, wrapped;

	for (unsigned int i = 0; i < 64; i++)
		block[i] = 0x1000 + i;
	set_segment(S1, (uint32_t)block, 0xfff, ACC_DATA0, FLAGS_32);
	set_segment(S2, (uint32_t)block + 16, 0xfffff, ACC_DATA0, FLAGS_32_PAGES);
	set_segment(S3, (uint32_t)block - 0x80000000u, 0xfffff, ACC_DATA0, FLAGS_32_PAGES);
	print("base: %x %x\n", read_through(S1, 0), read_through(S1, 20));
	print("base + 16: %x\n", read_through(S2, 4));
	/* Base plus offset wraps at 4 GiB. */
	print("wrap: %x\n", read_through(S3, 0x80000008u));
	wrapped = read_through(S2, 0xfffffff0u);
	print("negative offset: %x\n", wrapped);
	__asm__ volatile("movw %w2, %%es; movl %%es:8, %0; movw %w3, %%gs; movl %%gs:8, %1; movw %w4, %%es"
			 : "=&r"(es_value), "=&r"(gs_value) : "r"(S1), "r"(S2), "r"(SEL_DATA0));
	print("es %x gs %x\n", es_value, gs_value);

	/* String operations: ES:EDI cannot be overridden, DS:ESI can. */
	memset(&block[32], 0, 64);
	__asm__ volatile("movw %w0, %%es; movw %w1, %%fs; movl $0, %%esi; movl $128, %%edi; movl $4, %%ecx; cld; rep movsl %%fs:(%%esi), %%es:(%%edi); movw %w2, %%es"
			 : : "r"(S1), "r"(S2), "r"(SEL_DATA0) : "esi", "edi", "ecx", "memory");
	print("movs: %x %x %x %x %x\n", block[32], block[33], block[34], block[35], block[36]);
}

static void stack_segment(void)
{
	uint32_t popped, esp_after;

	/* A stack with a base of its own: pushes land in the block's end. */
	__asm__ volatile("movl %%esp, %%ebx; movw %w2, %%ss; movl $256, %%esp; pushl $0x1234; pushl $0x5678; popl %0; movl %%esp, %1; movl (%%esp), %%ecx; movw %w3, %%ss; movl %%ebx, %%esp"
			 : "=&r"(popped), "=&r"(esp_after) : "r"(S1), "r"(SEL_DATA0) : "ebx", "ecx", "memory");
	print("stack: popped %x esp %x left %x\n", popped, esp_after, block[63]);

	/* B = 0: SP is 16 bits wide, the upper half of ESP stays as it is. */
	set_segment(S3, (uint32_t)block, 0xffff, ACC_DATA0, FLAGS_16);
	__asm__ volatile("movl %%esp, %%ebx; movw %w2, %%ss; movl $0xabcd0100, %%esp; pushl $0x9abc; popl %0; pushw $1; movl %%esp, %1; movw %w3, %%ss; movl %%ebx, %%esp"
			 : "=&r"(popped), "=&r"(esp_after) : "r"(S3), "r"(SEL_DATA0) : "ebx", "memory");
	print("16-bit stack: popped %x esp %x\n", popped, esp_after);
}

static void code16(void)
{
	uint32_t ax, sp_pushed;

	/* 16-bit code in protected mode: operand and address size 16, prefixes give 32. */
	set_segment(CODE16, 0, 0xfffff, 0x9b, 0x8);
	__asm__ volatile("xorl %%eax, %%eax; xorl %%edx, %%edx; lcall $0x50, $1f; jmp 2f\n"
			 ".code16\n1: movw $0x1234, %%ax; movl $0x56789abc, %%edx; pushw %%ax; popw %%cx; lretl\n.code32\n2:"
			 : "=&a"(ax), "=&d"(sp_pushed) : : "ecx", "memory");
	print("16-bit code: eax %x edx %x\n", ax, sp_pushed);
}

static void faults(void)
{
	set_segment(S1, 0, 0xfffff, ACC_DATA0 & 0x7f, FLAGS_32_PAGES);	/* not present */
	set_segment(S2, 0, 0xfffff, 0x91, FLAGS_32_PAGES);		/* read only */
	set_segment(S3, 0, 0xfffff, 0x99, FLAGS_32_PAGES);		/* execute only */
	set_segment(CONFORM, 0, 0xfffff, ACC_CONFORMING0, FLAGS_32_PAGES);
	set_segment(HIGH, 0, 0xfffff, ACC_CODE3, FLAGS_32_PAGES);
	set_segment(SYSTEM, 0, 0, ACC_LDT, 0);

#define LOAD(register, selector, text)                                      \
	do {                                                                \
		TRY("movw %w0, %%" register, : : "r"(selector) : "memory"); \
		show(text);                                                 \
	} while (0)

	LOAD("fs", 0, "fs null");
	LOAD("fs", 3, "fs null rpl 3");
	LOAD("fs", S1, "fs not present");
	LOAD("fs", S1 | 3, "fs not present rpl 3");
	LOAD("fs", S2, "fs read only");
	TRY("movl %%fs:0, %%eax", : : : "eax");
	show("read of read only");
	LOAD("fs", S3, "fs execute only");
	LOAD("fs", CONFORM, "fs conforming code");
	LOAD("fs", SEL_DATA0 | 3, "fs dpl 0 rpl 3");
	LOAD("fs", CONFORM | 3, "fs conforming rpl 3");
	LOAD("fs", SYSTEM, "fs system descriptor");
	LOAD("fs", 0x7f8, "fs past the table");
	LOAD("fs", 0x3c, "fs in no LDT");
	LOAD("ss", 0, "ss null");
	LOAD("ss", S1, "ss not present");
	LOAD("ss", S2, "ss read only");
	LOAD("ss", SEL_CODE0, "ss code");
	LOAD("ss", SEL_DATA3, "ss dpl 3");
	LOAD("ss", SEL_DATA0 | 3, "ss rpl 3");
	TRY("ljmp $0, $0");
	show("jmp null");
	TRY("ljmp $0x10, $0");
	show("jmp data");
	TRY("ljmp $0x18, $0");
	show("jmp dpl 3");
	TRY("ljmp $0x7f8, $0");
	show("jmp past the table");
	TRY("ljmp $0x68, $0");
	show("jmp system descriptor");
	TRY("movw %%ax, %%cs", : : : "memory");
	show("mov to cs");
	TRY("lldt %w0", : : "r"(S2));
	show("lldt of data");
	TRY("ltr %w0", : : "r"(SEL_TSS));
	show("ltr of a busy one");
}

static void local_table(void)
{
	uint16_t back;

	set_segment(SEL_LDT, (uint32_t)ldt, sizeof(ldt) - 1, ACC_LDT, 0);
	ldt[1] = gdt[SEL_DATA0 >> 3];
	ldt[2] = gdt[SEL_DATA3 >> 3];
	__asm__ volatile("lldt %w0" : : "r"(SEL_LDT));
	__asm__ volatile("sldt %w0" : "=r"(back));
	print("sldt %x\n", back);
	LOAD("gs", 0x0c, "gs ldt 1");
	LOAD("gs", 0x17, "gs ldt 2");
	LOAD("gs", 0x1c, "gs ldt 3");
	LOAD("gs", 0x24, "gs past the ldt");
	print("access byte after loads %02x\n", (uint32_t)(ldt[1] >> 40) & 0xff);
	/* The trap stubs reload GS: it must not name a table that is gone. */
	__asm__ volatile("movw %w0, %%gs; movw %w0, %%fs; lldt %w0" : : "r"(0));
	LOAD("gs", 0x0c, "gs without ldt");
	/* The accessed bit is set by the load. */
	set_segment(S2, 0, 0xfffff, 0x92, FLAGS_32_PAGES);
	LOAD("gs", S2, "gs not accessed yet");
	print("accessed now %02x\n", (uint32_t)(gdt[S2 >> 3] >> 40) & 0xff);
	/* The register keeps its descriptor when the table changes. */
	gdt[S2 >> 3] = 0;
	TRY("movl %%gs:0, %%eax", : : : "eax");
	show("cached descriptor");
	LOAD("gs", 0, "gs null");
}

void guest_main(void)
{
	bases();
	stack_segment();
	code16();
	faults();
	local_table();
}
