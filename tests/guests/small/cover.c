/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/cover.c - code of which it is known what runs of it and what does not.
 *
 * Each instruction between cover_begin and cover_end has a label that says what becomes of it under --rewrite=adaptive, and at which
 * privilege level: cov_n0_7 runs natively at CPL 0, i: by an inline sequence, x: by a callout, t: by the interpreter, because it stores into
 * code, z: never. tests/guests/run-coverage compares.
 */
#include "guest.h"

void cover_all(uint32_t rounds);
void cover_iret(void);
void cover_back(void);

__asm__(".text\n"
	".macro ran how, insn:vararg\n"
	"cov_\\how\\()_\\@:\n"
	"	\\insn\n"
	".endm\n"

	"cover_begin:\n"
	"cover_iret:\n"
	"	ran x0, iret\n"

	"cover_all:\n"
	"	ran n0, pushal\n"
	"	ran n0, movl 36(%esp), %ecx\n"
	"	ran n0, movl %ecx, cover_left\n"
	"cover_round:\n"
	/* tails behind branches that are always taken, and targets of those that never are */
	"	ran n0, xorl %eax, %eax\n"
	"	ran n0, jnz 1f\n"
	"	ran n0, jz 2f\n"
	"	ran z0, nop\n"
	"1:	ran z0, cli\n"
	"	ran z0, ret\n"
	"2:	ran n0, movl $3, %ecx\n"
	"3:	ran n0, incl %eax\n"
	"	ran n0, loop 3b\n"
	"	ran n0, jmp 4f\n"
	"	ran z0, incl %eax\n"
	"4:\n"
	/* calls, returns, indirect branches */
	"	ran n0, call 5f\n"
	"	ran n0, movl $6f, %edx\n"
	"	ran n0, jmp *%edx\n"
	"5:	ran n0, nop\n"
	"	ran n0, ret\n"
	"	ran z0, nop\n"
	"6:	ran n0, pushl $9\n"
	"	ran n0, call 7f\n"
	"	ran n0, call *cover_pointer\n"
	"	ran n0, jmp 8f\n"
	"7:	ran n0, ret $4\n"
	"	ran z0, int3\n"
	"cover_called:\n"
	"	ran n0, ret\n"
	"8:\n"
	/* what is sensitive */
	"	ran i0, cli\n"
	"	ran i0, pushfl\n"
	"	ran i0, popfl\n"
	"	ran i0, movl %ds, %eax\n"
	"	ran i0, pushl %es\n"
	"	ran n0, popl %eax\n"
	"	ran x0, sgdt cover_table\n"
	"	ran x0, str %ax\n"
	"	ran x0, movl %cr0, %eax\n"
	"	ran x0, movl %eax, %cr0\n"
	"	ran x0, inb $0xe4, %al\n"
	"	ran x0, outb %al, $0xe4\n"
	"	ran x0, int $0x40\n"
	"	ran x0, ljmp $0x08, $1f\n"
	"	ran z0, hlt\n"
	"1:	ran n0, fninit\n"
	/* an instruction for whoever reads on, and four for whoever jumps into it */
	"	ran n0, jmp 1f\n"
	"cover_inside:\n"
	"	ran z0, .byte 0xb8\n"
	"1:	ran n0, nop\n"
	"	ran n0, nop\n"
	"	ran n0, nop\n"
	"	ran n0, nop\n"
	/* patched: JMP to the next instruction becomes a NOP of two bytes */
	"cover_patched:\n"
	"	ran n0, jmp 1f\n"
	"1:	ran t0, movw $0x9066, cover_patched\n"
	/* at CPL 3 */
	"	ran n0, movl $0x23, %eax\n"
	"	ran x0, movl %eax, %ds\n"
	"	ran x0, movl %eax, %es\n"
	"	ran n0, movl %esp, tss + 4\n"
	"	ran n0, movl %esp, cover_esp\n"
	"	ran n0, pushl %eax\n"
	"	ran n0, pushl $user_stack + 8192\n"
	"	ran n0, pushl $2\n"
	"	ran n0, pushl $0x1b\n"
	"	ran n0, pushl $1f\n"
	"	ran x0, iret\n"
	"1:	ran n3, nop\n"
	"	ran x3, cpuid\n"
	"	ran x3, int $0x41\n"
	"	ran z3, nop\n"
	"cover_back:\n"
	"	ran n0, movl $0x10, %eax\n"
	"	ran x0, movl %eax, %ds\n"
	"	ran x0, movl %eax, %es\n"
	"	ran n0, movl cover_esp, %esp\n"
	"	ran n0, decl cover_left\n"
	"	ran n0, jnz cover_round\n"
	"	ran n0, popal\n"
	"	ran n0, ret\n"
	"cover_end:\n"
	".data\n"
	".balign 4\n"
	"cover_pointer: .long cover_called\n"
	".bss\n"
	".balign 4096\n"			/* a store beside code would not be native */
	"cover_left: .long 0\n"
	"cover_esp: .long 0\n"
	"cover_table: .long 0, 0\n"
	".text\n");

void guest_main(void)
{
	set_interrupt(0x40, cover_iret, ACC_INT32 | 0x60);
	set_interrupt(0x41, cover_back, ACC_INT32 | 0x60);
	pic_init();
	cover_all(2);
	print("covered\n");
}
