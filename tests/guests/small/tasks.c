/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/tasks.c - hardware task switches: JMP, CALL and IRET, task gates, busy bits, CR0.TS.
 * SDM 3A, "Task Management".
 */
#include "guest.h"

#define OTHER 0x38
#define GATE 0x40
#define FAULT_TASK 0x48
#define BAD 0x50

static struct tss32 other __attribute__((aligned(128))), fault_task __attribute__((aligned(128)));
static uint8_t other_stack[2048], fault_stack[2048];
static volatile uint32_t runs, other_link, other_flags, other_cr0, fault_code, fault_flags;

static uint32_t type_of(uint16_t selector)
{
	return (uint32_t)(gdt[selector >> 3] >> 40) & 0xf;
}

static void report(const char *what)
{
	uint16_t tr;

	__asm__ volatile("str %w0" : "=r"(tr));
	print("%s: tr %02x own type %x other type %x link %x nt %x ts %x\n", what, tr, type_of(SEL_TSS), type_of(OTHER),
	      other_link, other_flags >> 14 & 1, other_cr0 >> 3 & 1);
}

/* The other task: notes what it finds, and returns by IRET if it was called, by JMP if it was jumped to. */
static void other_main(void)
{
	for (;;) {
		runs++;
		other_link = other.link & 0xffff;
		other_flags = read_eflags();
		other_cr0 = read_cr0();
		__asm__ volatile("clts");
		if (other_flags & 0x4000)
			__asm__ volatile("iret" : : : "memory");
		else
			__asm__ volatile("ljmp $0x28, $0" : : : "memory");
	}
}

static void fault_main(void)
{
	for (;;) {
		uint32_t code;

		/* The error code is on the new task's stack. */
		__asm__ volatile("popl %0" : "=r"(code));
		fault_code = code;
		fault_flags = read_eflags();
		tss.eip += 2;		/* over UD2's kin in the old task: its TSS holds its EIP */
		__asm__ volatile("iret" : : : "memory");
	}
}

static void prepare(struct tss32 *t, void (*entry)(void), uint8_t *stack_end, uint16_t selector)
{
	memset(t, 0, 104);
	t->eip = (uint32_t)entry;
	t->esp = (uint32_t)stack_end;
	t->eflags = 2;
	t->cs = SEL_CODE0;
	t->ss = t->ds = t->es = SEL_DATA0;
	t->eax = 0x12345678;
	t->iomap = 104;
	set_segment(selector, (uint32_t)t, 103, ACC_TSS32, 0);
}

static void user(void)
{
	TRY("lcall $0x38, $0", : : : "memory");
	show("user calls a dpl 0 tss");
	TRY("lcall $0x40, $0", : : : "eax", "memory");
	show("user calls a dpl 3 task gate");
}

void guest_main(void)
{
	uint32_t ebx;

	prepare(&other, other_main, other_stack + sizeof(other_stack), OTHER);
	report("before");
	__asm__ volatile("movl $0x77, %%ebx; lcall $0x38, $0; movl %%ebx, %0" : "=r"(ebx) : : "ebx", "memory");
	report("after call");
	print("runs %u ebx kept %x\n", runs, ebx);
	/* Its EIP stands behind the IRET now: it goes round its loop. */
	__asm__ volatile("lcall $0x38, $0" : : : "memory");
	report("second call");
	__asm__ volatile("ljmp $0x38, $0" : : : "memory");
	report("after jmp");
	print("runs %u saved cs %x in tss %x\n", runs, tss.cs & 0xffff, tss.ss & 0xffff);
	set_gate(&gdt[GATE >> 3], OTHER, 0, ACC_TASKGATE | 0x60, 0);
	__asm__ volatile("lcall $0x40, $0" : : : "memory");
	report("through a gate");
	run_user(user);
	print("runs %u\n", runs);

	/* A software interrupt through a task gate. */
	set_gate(&idt[0x50], OTHER, 0, ACC_TASKGATE, 0);
	__asm__ volatile("int $0x50" : : : "memory");
	report("int through a task gate");

	/* An exception with an error code through a task gate. */
	prepare(&fault_task, fault_main, fault_stack + sizeof(fault_stack), FAULT_TASK);
	set_gate(&idt[13], FAULT_TASK, 0, ACC_TASKGATE, 0);
	__asm__ volatile("movl $0x7f8, %%eax; .byte 0x8e, 0xe0" : : : "eax", "memory");	/* mov %eax, %fs */
	print("#GP by task: code %x nt %x\n", fault_code, fault_flags >> 14 & 1);
	set_interrupt(13, (void (*)(void))trap_stubs[13], ACC_INT32);

	/* What must fault: a busy TSS, a TSS that is too short, one that is not present. */
	TRY("ljmp $0x28, $0", : : : "memory");
	show("jmp to the busy own tss");
	set_segment(BAD, (uint32_t)&other, 102, ACC_TSS32, 0);
	TRY("ljmp $0x50, $0", : : : "memory");
	show("jmp to a short tss");
	set_segment(BAD, (uint32_t)&other, 103, ACC_TSS32 & 0x7f, 0);
	TRY("ljmp $0x50, $0", : : : "memory");
	show("jmp to an absent tss");
}
