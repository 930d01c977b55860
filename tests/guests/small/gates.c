/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/gates.c - call gates, outer returns, interrupt and trap gates, their privilege checks.
 * SDM 3A, "Call Gates", "Accessing a Code Segment Through a Call Gate", "Exception- or Interrupt-Handler Procedures".
 */
#include "guest.h"

#define GATE 0x38		/* DPL 3, two parameters */
#define GATE0 0x40		/* DPL 0 */
#define GATE16 0x48
#define ABSENT 0x50
#define CONFORM 0x58
#define TO_NULL 0x60
#define SAME 0x68

static volatile uint32_t seen_cs, seen_cpl_ss, seen_a, seen_b, seen_old_cs, seen_flags, returned_esp_ok;

/* Entered through the gate: stack is EIP CS b a ESP SS. Cleans both stacks. */
__asm__(".globl gate_entry\n"
	"gate_entry:\n\t"
	"pushl %eax\n\tpushl %ds\n\tmovl $0x10, %eax\n\tmovl %eax, %ds\n\t"
	"movl %cs, %eax\n\tmovl %eax, seen_cs\n\t"
	"movl %ss, %eax\n\tmovl %eax, seen_cpl_ss\n\t"
	"movl 12(%esp), %eax\n\tmovl %eax, seen_old_cs\n\t"
	"movl 16(%esp), %eax\n\tmovl %eax, seen_b\n\t"
	"movl 20(%esp), %eax\n\tmovl %eax, seen_a\n\t"
	"popl %ds\n\tpopl %eax\n\t"
	"lret $8\n"
	".globl gate16_entry\n"
	"gate16_entry:\n\t"
	"pushl %eax\n\tpushl %ds\n\tmovl $0x10, %eax\n\tmovl %eax, %ds\n\t"
	"movzwl 10(%esp), %eax\n\tmovl %eax, seen_old_cs\n\t"
	"popl %ds\n\tpopl %eax\n\t"
	"lretw\n"
	".globl same_entry\n"
	"same_entry:\n\tmovl %cs, %eax\n\tlret\n");
void gate_entry(void);
void gate16_entry(void);
void same_entry(void);

static void user(void)
{
	uint32_t before, after, ds;

	__asm__ volatile("movl %%esp, %0; pushl $0x1111; pushl $0x2222; lcall $0x3b, $0; movl %%esp, %1; movl %%ds, %2"
			 : "=&r"(before), "=&r"(after), "=&r"(ds) : : "memory");
	print("gate: cs %x ss %x a %x b %x from cs %x\n", seen_cs, seen_cpl_ss, seen_a, seen_b, seen_old_cs);
	print("back: esp balanced %d ds %x\n", before == after, ds);
	TRY("lcall $0x40, $0");
	show("gate of dpl 0");
	__asm__ volatile("pushl $3; pushl $4; lcall $0x38, $0x1234" : : : "memory");
	print("a gate ignores the offset: a %x b %x\n", seen_a, seen_b);
	TRY("lcall $0x50, $0");
	show("gate not present");
	TRY("ljmp $0x3b, $0");
	show("jmp through a gate inward");
	TRY("lcall $0x60, $0");
	show("gate to null");
	TRY("lcall $0x8, $0");
	show("call of inner code");
	TRY("int $0x40");
	show("int of a dpl 0 gate");
	TRY("int $0x41");
	show("int of a dpl 3 gate");
	TRY("int $0x0e");
	show("int 0e");
	TRY("int $3");
	show("int3 of a dpl 0 gate");
	TRY("int $0x42");
	show("int, not present");
	__asm__ volatile("movl $0, %%eax; lcall $0x5b, $conform_entry" : "=a"(seen_cs) : : "memory");
	print("conforming: cs %x\n", seen_cs);
	/* A return inward is refused. */
	__asm__ volatile("movl $-1, %0; movl %%esp, %%ebx; movl $1f, resume_eip; pushl $8; pushl $1f; lret\n1: movl $0, resume_eip; movl %%ebx, %%esp"
			 : : "m"(caught.vector) : "ebx", "memory");
	show("lret inward");
	__asm__ volatile("movl $-1, %0; movl %%esp, %%ebx; movl $1f, resume_eip; pushl $0x10; pushl $0x7000; pushfl; pushl $8; pushl $1f; iret\n1: movl $0, resume_eip; movl %%ebx, %%esp"
			 : : "m"(caught.vector) : "ebx", "memory");
	show("iret inward");
}
__asm__("conform_entry: movl %cs, %eax\n\tlret\n");

static void count_flags(struct frame *f)
{
	seen_flags = read_eflags() & 0x200;
	(void)f;
}

void guest_main(void)
{
	uint32_t cs;

	set_gate(&gdt[GATE >> 3], SEL_CODE0, (uint32_t)gate_entry, ACC_CALL32 | 0x60, 2);
	set_gate(&gdt[GATE0 >> 3], SEL_CODE0, (uint32_t)gate_entry, ACC_CALL32, 2);
	set_gate(&gdt[GATE16 >> 3], SEL_CODE0, (uint32_t)gate16_entry & 0xffff, ACC_CALL16 | 0x60, 0);
	set_gate(&gdt[ABSENT >> 3], SEL_CODE0, (uint32_t)gate_entry, (ACC_CALL32 | 0x60) & 0x7f, 0);
	set_gate(&gdt[TO_NULL >> 3], 0, (uint32_t)gate_entry, ACC_CALL32 | 0x60, 0);
	set_gate(&gdt[SAME >> 3], SEL_CODE0, (uint32_t)same_entry, ACC_CALL32, 0);
	set_segment(CONFORM, 0, 0xfffff, ACC_CONFORMING0, FLAGS_32_PAGES);
	set_interrupt(0x40, (void (*)(void))trap_stubs[0x40], ACC_INT32);
	set_interrupt(0x41, (void (*)(void))trap_stubs[0x41], ACC_INT32 | 0x60);
	set_interrupt(0x42, (void (*)(void))trap_stubs[0x42], (ACC_INT32 | 0x60) & 0x7f);

	run_user(user);

	__asm__ volatile("lcall $0x68, $0" : "=a"(cs) : : "memory");
	print("gate on the same level: cs %x\n", cs);
	seen_old_cs = 0;
	if ((uint32_t)gate16_entry < 0x10000) {
		__asm__ volatile("lcallw *%0" : : "m"(*(const uint32_t[]){ GATE16 << 16 }) : "memory");
		print("16-bit gate: from cs %x\n", seen_old_cs);
	}

	/* Interrupt gates clear IF, trap gates leave it. Both clear TF. */
	hook[0x43] = hook[0x44] = count_flags;
	set_interrupt(0x43, (void (*)(void))trap_stubs[0x43], ACC_INT32);
	set_interrupt(0x44, (void (*)(void))trap_stubs[0x44], ACC_TRAP32);
	__asm__ volatile("sti; int $0x43; cli" : : : "memory");
	print("interrupt gate: if %x\n", seen_flags);
	__asm__ volatile("sti; int $0x44; cli" : : : "memory");
	print("trap gate: if %x\n", seen_flags);

	/* A fault while delivering: the gate's code segment is bad. */
	set_gate(&idt[0x45], 0x7f8, 0, ACC_INT32, 0);
	TRY("int $0x45");
	show("int to a selector past the table");
	set_gate(&idt[0x45], SEL_DATA0, 0, ACC_INT32, 0);
	TRY("int $0x45");
	show("int to data");
	idt[0x45] = 0;
	TRY("int $0x45");
	show("int of an empty gate");
}
