/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/debug.c - single steps by TF, breakpoints and watchpoints by DR0 to DR3, DR6, INT3, INTO.
 * SDM 3B, "Debug Registers", "Debug Exceptions".
 */
#include "guest.h"

#define DR_FUNCTIONS(n)                                                                                          \
	static inline uint32_t read_dr##n(void) { uint32_t v; __asm__ volatile("movl %%dr" #n ", %0" : "=r"(v)); return v; } \
	static inline void write_dr##n(uint32_t v) { __asm__ volatile("movl %0, %%dr" #n : : "r"(v) : "memory"); }
DR_FUNCTIONS(0)
DR_FUNCTIONS(1)
DR_FUNCTIONS(6)
DR_FUNCTIONS(7)

static volatile uint32_t steps, trace[64], last_dr6, hits, stop_tf;
static volatile uint32_t data[4];
extern const char step_code[];

static void single(struct frame *f)
{
	if (steps < 64)
		trace[steps] = f->eip;
	steps++;
	last_dr6 = read_dr6();
	write_dr6(0);
	if (steps >= stop_tf)
		f->eflags &= ~0x100u;
}

static void breakpoint(struct frame *f)
{
	hits++;
	last_dr6 = read_dr6();
	write_dr6(0);
	/* RF lets the instruction itself run once without stopping again. */
	f->eflags |= 0x10000;
}

static void user_steps(void)
{
	__asm__ volatile("pushfl; orl $0x100, (%%esp); popfl; nop; nop; incl %%eax; nop" : : : "eax", "cc", "memory");
	print("user stepped\n");
}

void guest_main(void)
{
	uint32_t target, count;

	hook[1] = single;
	steps = 0;
	stop_tf = 15;			/* each round of REP counts */
	/* The trap comes after the instruction that follows the POPF, then after each. */
	__asm__ volatile("pushfl; orl $0x100, (%%esp); popfl\n"
			 "step_code: nop\n"
			 "movl $3, %%ecx\n"
			 "1: loop 1b\n"
			 "call 2f\n"
			 "jmp 3f\n"
			 "2: ret\n"
			 "3: xorl %%eax, %%eax\n"
			 "cld; movl $step_code, %%esi; movl $2, %%ecx; rep lodsb\n"
			 "nop; nop; nop; nop; nop\n"
			 "step_end:" : : : "eax", "ecx", "esi", "cc", "memory");
	print("steps %u dr6 %x:", steps, last_dr6 & 0xe00f);
	for (unsigned int i = 0; i < 15; i++)
		print(" %x", trace[i] - (uint32_t)step_code);
	print("\n");

	/* PUSHF while stepping pushes TF as set; POPF that clears it stops after itself. */
	steps = 0;
	stop_tf = 1000;
	__asm__ volatile("pushfl; orl $0x100, (%%esp); popfl; pushfl; popl %0; pushfl; andl $~0x100, (%%esp); popfl; nop; nop" : "=r"(count) : : "cc", "memory");
	print("pushf under tf %x steps %u\n", count & 0x100, steps);

	/* Interrupt handlers start with TF clear; the step is taken after the return. */
	steps = 0;
	hook[0x40] = 0;
	caught.vector = -1;
	__asm__ volatile("movl $1f, resume_eip; pushfl; orl $0x100, (%%esp); popfl; int $0x40\n1: nop; pushfl; andl $~0x100, (%%esp); popfl; movl $0, resume_eip" : : : "cc", "memory");
	print("int under tf: vector %x steps %u\n", (uint32_t)caught.vector, steps);

	/* MOV SS delays the step by one instruction. */
	steps = 0;
	stop_tf = 2;
	__asm__ volatile("movl %%ss, %%eax; pushfl; orl $0x100, (%%esp); popfl\n"
			 "4: movl %%eax, %%ss; nop; nop; nop; nop; movl $4b, %%eax" : "=a"(count) : : "cc", "memory");
	print("mov ss under tf: second stop at %x\n", trace[1] - count);

	steps = 0;
	stop_tf = 3;
	run_user(user_steps);
	print("steps %u\n", steps);

	/* Software breakpoints. */
	hook[1] = 0;
	TRY("int3");
	show("int3");
	print("eip offset %u\n", caught.eip_offset);
	TRY(".byte 0xcd, 3");
	show("int 3");
	print("eip offset %u\n", caught.eip_offset);
	TRY("movb $0x7f, %%al; incb %%al; into", : : : "eax", "cc");
	show("into with of");
	TRY("xorl %%eax, %%eax; into", : : : "eax", "cc");
	show("into without");

	/* Execution breakpoints. */
	hook[1] = breakpoint;
	__asm__ volatile("movl $1f, %0; jmp 2f\n1: incl %%ecx; ret\n2:" : "=r"(target));
	write_dr0(target);
	write_dr7(0x00000002);
	hits = 0;
	__asm__ volatile("xorl %%ecx, %%ecx; call *%1; call *%1; call *%1; movl %%ecx, %0" : "=r"(count) : "r"(target) : "ecx", "cc", "memory");
	print("execution breakpoint: hits %u runs %u dr6 %x\n", hits, count, last_dr6 & 0xe00f);
	write_dr7(0);
	__asm__ volatile("xorl %%ecx, %%ecx; call *%1; movl %%ecx, %0" : "=r"(count) : "r"(target) : "ecx", "cc", "memory");
	print("disabled: hits %u runs %u\n", hits, count);

	/* Watchpoints: writes, then reads and writes; the trap comes after the instruction. */
	hits = 0;
	write_dr1((uint32_t)&data[1]);
	write_dr7(0x00d00008);			/* DR1: 4 bytes, writes, global */
	data[0] = 1;
	data[2] = 2;
	print("beside: %u\n", hits);
	data[1] = 3;
	print("written: %u dr6 %x value %u\n", hits, last_dr6 & 0xe00f, data[1]);
	count = data[1];
	print("read: %u\n", hits);
	*(volatile uint8_t *)((uint32_t)&data[1] + 3) = 0;
	print("last byte written: %u\n", hits);
	write_dr7(0x00f00008);			/* reads and writes */
	count += data[1];
	print("read, watching reads: %u\n", hits);
	write_dr7(0);
	data[1] = 0;
	print("off: %u\n", hits);

	/* DR7 reads back with bit 10 set; DR6 with its ones. */
	hook[1] = 0;
	print("dr7 %x\n", read_dr7());
	write_dr7(0x55);
	print("dr7 %x\n", read_dr7());
	write_dr7(0);
	write_dr6(0);
	print("dr6 %x\n", read_dr6());
	write_dr0(0x12345678);
	print("dr0 %x\n", read_dr0());
	/* DR4 and DR5 are DR6 and DR7 unless CR4.DE says no. */
	TRY(".byte 0x0f, 0x21, 0xe0", : : : "eax");
	show("mov from dr4, de 0");
	write_cr4(read_cr4() | 8);
	TRY(".byte 0x0f, 0x21, 0xe0", : : : "eax");
	show("mov from dr4, de 1");
	write_cr4(read_cr4() & ~8u);
}
