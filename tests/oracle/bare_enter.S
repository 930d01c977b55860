/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/oracle/bare_enter.S - into a 16- or 32-bit segment with TF set, for one instruction.
 *
 * void oracle_enter(uint32_t eip, uint16_t cs, uint16_t ds);
 *
 *  In       %edi = eip, %si = cs, %dx = selector for DS, ES and SS
 *  Out      nothing; the signal handler saw what happened, and goes to oracle_left
 *  Keeps    callee-saved registers: R15 holds our stack through compatibility mode
 *  Faults   the instruction's own: every way back is through the signal handler
 */
	.text
	.globl	oracle_enter
oracle_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %r15
	/* IRETQ: it alone sets TF, CS and SS at once, so that TF first acts on the instruction itself. */
	movzwl	%dx, %ecx
	pushq	%rcx			/* SS */
	pushq	$0x8000			/* ESP: the middle of the data segment */
	pushq	$0x302			/* TF, IF */
	movzwl	%si, %esi
	pushq	%rsi			/* CS */
	movl	%edi, %edi
	pushq	%rdi			/* EIP */
	movw	%cx, %ds
	movw	%cx, %es
	/* All registers point into the data segment, apart from each other, in either address size. */
	movl	$0x1000, %eax
	movl	$0x0001, %ecx
	movl	$0x2000, %edx
	movl	$0x3000, %ebx
	movl	$0x4000, %ebp
	movl	$0x5000, %esi
	movl	$0x6000, %edi
	iretq

	.globl	oracle_left
oracle_left:
	movq	%r15, %rsp
	pushq	$0x202			/* NT may be set: sigreturn leaves it, and IRETQ would fault on it */
	popfq
	movw	$0x2b, %ax
	movw	%ax, %ds
	movw	%ax, %es
	fninit
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
