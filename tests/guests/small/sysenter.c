/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/sysenter.c - SYSENTER and SYSEXIT: segments, stack, flags, and their faults. SDM 2B, the two pages.
 */
#include "guest.h"

/* The four selectors are derived from one MSR: 08 code, 10 data, then 18 code and 20 data of ring 3: the library's own order. */
static volatile uint32_t seen_cs, seen_ss, seen_flags, seen_esp, seen_ds, calls, user_cs, user_ss;
static uint8_t kernel_stack[1024];

void fast_entry(void);
__asm__(".globl fast_entry\n"
	"fast_entry:\n\t"
	"pushl %ecx\n\tpushl %edx\n\t"
	"movl %ds, %eax\n\tmovl %eax, %ss:seen_ds\n\t"
	"movl %cs, %eax\n\tmovl %eax, seen_cs\n\t"
	"movl %ss, %eax\n\tmovl %eax, seen_ss\n\t"
	"pushfl\n\tpopl seen_flags\n\t"
	"leal 8(%esp), %eax\n\tmovl %eax, seen_esp\n\t"
	"incl calls\n\t"
	"popl %edx\n\tpopl %ecx\n\t"
	"movl $0x600d, %eax\n\t"
	"sysexit\n");

static void user(void)
{
	uint32_t result = 0;

	for (unsigned int i = 0; i < 1000; i++)
		__asm__ volatile("movl %%esp, %%ecx; movl $1f, %%edx; sysenter\n1:" : "=a"(result) : : "ecx", "edx", "memory", "cc");
	__asm__ volatile("movl %%cs, %0; movl %%ss, %1" : "=r"(user_cs), "=r"(user_ss));
	print("back: eax %x cs %x ss %x calls %u\n", result, user_cs, user_ss, calls);
	TRY("sysexit", : : : "ecx", "edx");
	show("user sysexit");
}

static void user_if(void)
{
	__asm__ volatile("movl %%esp, %%ecx; movl $1f, %%edx; sysenter\n1:" : : : "eax", "ecx", "edx", "memory", "cc");
	print("iopl 3: flags in the kernel %x, back %x\n", seen_flags & 0x23200, read_eflags() & 0x3200);
}

void guest_main(void)
{
	/* With SYSENTER_CS null both fault. */
	wrmsr(0x174, 0);
	TRY("sysenter");
	show("sysenter with cs 0");
	TRY("sysexit", : : "c"(0), "d"(0));
	show("sysexit with cs 0");
	wrmsr(0x174, SEL_CODE0);
	wrmsr(0x175, (uint32_t)(kernel_stack + sizeof(kernel_stack)));
	wrmsr(0x176, (uint32_t)fast_entry);
	print("msrs %x %s %s\n", (uint32_t)rdmsr(0x174), (uint32_t)rdmsr(0x175) == (uint32_t)(kernel_stack + sizeof(kernel_stack)) ? "right" : "wrong",
	      (uint32_t)rdmsr(0x176) == (uint32_t)fast_entry ? "right" : "wrong");
	run_user(user);
	print("kernel: cs %x ss %x ds %x if %x esp %s\n", seen_cs, seen_ss, seen_ds, seen_flags & 0x200,
	      seen_esp == (uint32_t)(kernel_stack + sizeof(kernel_stack)) ? "right" : "wrong");
	run_user_flags(user_if, 0x3200);
}
