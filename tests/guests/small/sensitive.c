/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/sensitive.c - the instructions that run unprivileged and would show the wrong machine: SGDT SIDT SLDT STR
 * SMSW PUSHF POPF LAR LSL VERR VERW, segment register moves and pushes; and IOPL's say over CLI, STI and POPF.
 * (Robin and Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure Virtual Machine Monitor", 2000.)
 */
#include "guest.h"

#define RO 0x38
#define XO 0x40
#define USER_RW 0x48
#define ABSENT 0x50
#define GATE 0x58
#define CONFORM 0x60

static void lar_lsl(uint16_t selector)
{
	uint32_t rights = 0x5555, limit = 0x6666, flags_lar, flags_lsl, verr, verw;

	__asm__ volatile("larl %3, %0; pushfl; popl %1; movl %2, %2" : "+r"(rights), "=r"(flags_lar) : "r"(0), "r"((uint32_t)selector) : "cc");
	__asm__ volatile("lsll %2, %0; pushfl; popl %1" : "+r"(limit), "=r"(flags_lsl) : "r"((uint32_t)selector) : "cc");
	__asm__ volatile("verr %w1; pushfl; popl %0" : "=r"(verr) : "r"(selector) : "cc");
	__asm__ volatile("verw %w1; pushfl; popl %0" : "=r"(verw) : "r"(selector) : "cc");
	/* Bits 19 to 16 of what LAR gives are undefined. */
	print("%03x: lar %u %08x lsl %u %08x verr %u verw %u\n", selector, flags_lar >> 6 & 1, rights & 0xf0ffff, flags_lsl >> 6 & 1, limit,
	      verr >> 6 & 1, verw >> 6 & 1);
}

static void all_lar_lsl(void)
{
	static const uint16_t selectors[] = {
		0, 0x08, 0x0b, 0x10, 0x13, 0x18, 0x1b, 0x20, 0x23, SEL_TSS, SEL_TSS | 3, SEL_LDT, RO, RO | 3, XO, XO | 3, USER_RW, USER_RW | 3,
		ABSENT, GATE, CONFORM, CONFORM | 3, 0x70, 0x7f8, 0xfff8, 0x0c,
	};

	for (unsigned int i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
		lar_lsl(selectors[i]);
}

static void stored_tables(void)
{
	struct { uint16_t limit; uint32_t base; } __attribute__((packed)) g, i;
	uint16_t ldt, tr, msw;
	uint32_t tr32, msw32;

	__asm__ volatile("sgdt %0; sidt %1" : "=m"(g), "=m"(i));
	print("sgdt %x %s sidt %x %s\n", g.limit, g.base == (uint32_t)gdt ? "right" : "wrong", i.limit, i.base == (uint32_t)idt ? "right" : "wrong");
	__asm__ volatile("sldt %w0; str %w1; smsw %w2" : "=r"(ldt), "=r"(tr), "=r"(msw));
	__asm__ volatile("str %k0; smsw %k1" : "=r"(tr32), "=r"(msw32));
	print("sldt %x str %x smsw %x str32 %x smsw32 %x\n", ldt, tr, msw, tr32, msw32 & 0xffff);
	__asm__ volatile("sldt %0; str %1; smsw %2" : "=m"(ldt), "=m"(tr), "=m"(msw));
	print("to memory: sldt %x str %x smsw %x\n", ldt, tr, msw);
}

static void selectors(void)
{
	uint32_t cs, ss, ds, es, fs, gs, pcs, pss, pds;
	uint16_t cs16;

	__asm__ volatile("movl %%cs, %0; movl %%ss, %1; movl %%ds, %2; movl %%es, %3" : "=r"(cs), "=r"(ss), "=r"(ds), "=r"(es));
	__asm__ volatile("movl %%fs, %0; movl %%gs, %1" : "=r"(fs), "=r"(gs));
	__asm__ volatile("pushl %%cs; popl %0; pushl %%ss; popl %1; pushl %%ds; popl %2" : "=r"(pcs), "=r"(pss), "=r"(pds));
	__asm__ volatile("movw %%cs, %0" : "=m"(cs16));
	print("mov: %x %x %x %x %x %x push: %x %x %x mem %x\n", cs, ss, ds, es, fs, gs, pcs & 0xffff, pss & 0xffff, pds & 0xffff, cs16);
	if ((cs & 3) == 3)
		__asm__ volatile("lcall $0x1b, $1f; jmp 2f\n1: movl 4(%%esp), %0; lret\n2:" : "=r"(cs) : : "memory");
	else
		__asm__ volatile("lcall $0x08, $1f; jmp 2f\n1: movl 4(%%esp), %0; lret\n2:" : "=r"(cs) : : "memory");
	print("far call pushes cs %x\n", cs & 0xffff);
}

static void flags(const char *who)
{
	uint32_t value;

	/* Bits that a POPF may change depend on CPL and IOPL; the others stay in silence. */
	write_eflags(0x3202);
	value = read_eflags();
	print("%s: popf 3202 gives %05x", who, value & 0x3f7700);
	write_eflags(0x0002);
	print(" popf 0002 gives %05x", read_eflags() & 0x3f7700);
	write_eflags(0x244002);
	print(" popf 244002 gives %06x\n", read_eflags() & 0x3f7700);
	write_eflags(0x0002);
	__asm__ volatile("pushfw; popw %w0" : "=r"(value));
	print("%s: pushfw %04x\n", who, value & 0x7702);
}

static void user0(void)
{
	stored_tables();
	all_lar_lsl();
	flags("user iopl 0");
	TRY("cli");
	show("cli");
	TRY("sti");
	show("sti");
	TRY("hlt");
	show("hlt");
	TRY("inb $0x80, %%al", : : : "eax");
	show("in");
	TRY("movl %%cr0, %%eax", : : : "eax");
	show("mov cr0");
	TRY("movl %%dr7, %%eax", : : : "eax");
	show("mov dr7");
	TRY("lgdt 0", : : : "memory");
	show("lgdt");
	TRY("lidt 0", : : : "memory");
	show("lidt");
	TRY("lldt %w0", : : "r"(0));
	show("lldt");
	TRY("ltr %w0", : : "r"(0));
	show("ltr");
	TRY("lmsw %w0", : : "r"(1));
	show("lmsw");
	TRY("clts");
	show("clts");
	TRY("invd");
	show("invd");
	TRY("wbinvd");
	show("wbinvd");
	TRY("invlpg 0");
	show("invlpg");
	TRY("rdmsr", : : "c"(0x174) : "eax", "edx");
	show("rdmsr");
	TRY("wrmsr", : : "c"(0x174), "a"(0), "d"(0));
	show("wrmsr");
	TRY("movl %%ds, %%eax; movl %%eax, %%es", : : : "eax");
	show("mov ds to es");
	selectors();
}

static void user3(void)
{
	flags("user iopl 3");
	TRY("cli");
	show("cli");
	print("if %x\n", read_eflags() & 0x200);
	TRY("sti");
	show("sti");
	print("if %x\n", read_eflags() & 0x200);
	TRY("inb $0x80, %%al", : : : "eax");
	show("in");
	TRY("cli");
}

void guest_main(void)
{
	set_segment(RO, 0, 0xfffff, 0x91, FLAGS_32_PAGES);
	set_segment(XO, 0, 0x123, 0x99, FLAGS_32);
	set_segment(USER_RW, 0x1000, 0x45, 0xf2, FLAGS_32_PAGES);
	set_segment(ABSENT, 0, 0x77, 0x12, FLAGS_32);
	set_gate(&gdt[GATE >> 3], 8, 0x8000, ACC_CALL32, 0);
	set_segment(CONFORM, 0, 0xfff, ACC_CONFORMING0, FLAGS_32);
	set_segment(SEL_LDT, 0x5000, 0x1f, ACC_LDT, 0);
	print("kernel\n");
	stored_tables();
	all_lar_lsl();
	selectors();
	flags("kernel");
	print("user, IOPL 0\n");
	run_user_flags(user0, 0);
	print("user, IOPL 3\n");
	run_user_flags(user3, 0x3000);
	/* LMSW sets PE, MP, EM, TS and cannot clear PE. */
	__asm__ volatile("lmsw %w0" : : "r"(0x0a));
	print("lmsw 0a: cr0 %x", read_cr0() & 0x1f);
	__asm__ volatile("lmsw %w0" : : "r"(0));
	print(" lmsw 0: cr0 %x", read_cr0() & 0x1f);
	write_cr0(read_cr0() | 8);
	__asm__ volatile("clts");
	print(" clts: cr0 %x\n", read_cr0() & 0x1f);
}
