/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/bare_cpu_switch.S - into a 16- or 32-bit segment for one instruction, and back.
 *
 * void bare_switch(struct bare_cpu *cpu);
 *
 *  In       %rdi = cpu
 *  Out      registers and flags in *cpu
 *  Keeps    callee-saved registers; R14 and R15 live through compatibility mode and bring us back
 *  Faults   the signal handler goes to bare_exit with the registers as the fault left them
 */
#define GPR(n)		((n) * 8)
#define RFLAGS		64
#define HOST_RSP	72
#define FAR_EIP		80
#define DS		86
#define ES		88
#define SS		90
#define HOST_DS		92
#define HOST_ES		94
#define HOST_SS		96
#define TAKEN		100
#define FPU		112
#define USE_FPU		624

	.text
	.globl	bare_switch
bare_switch:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rdi, %r15
	movq	%rsp, HOST_RSP(%r15)
	movw	%ds, HOST_DS(%r15)
	movw	%es, HOST_ES(%r15)
	movw	%ss, HOST_SS(%r15)
	leaq	bare_exit(%rip), %r14
	xorl	%r13d, %r13d
	cmpl	$0, USE_FPU(%r15)
	je	1f
	fxrstor	FPU(%r15)
1:	movw	DS(%r15), %ds
	movw	ES(%r15), %es
	movq	GPR(0)(%r15), %rax
	movq	GPR(1)(%r15), %rcx
	movq	GPR(2)(%r15), %rdx
	movq	GPR(3)(%r15), %rbx
	movq	GPR(5)(%r15), %rbp
	movq	GPR(6)(%r15), %rsi
	movq	GPR(7)(%r15), %rdi
	pushq	RFLAGS(%r15)
	popfq
	movw	SS(%r15), %ss
	movl	GPR(4)(%r15), %esp
	ljmpl	*FAR_EIP(%r15)

	.globl	bare_exit
bare_exit:
	movq	%rax, GPR(0)(%r15)
	movq	%rcx, GPR(1)(%r15)
	movq	%rdx, GPR(2)(%r15)
	movq	%rbx, GPR(3)(%r15)
	movq	%rsp, GPR(4)(%r15)
	movq	%rbp, GPR(5)(%r15)
	movq	%rsi, GPR(6)(%r15)
	movq	%rdi, GPR(7)(%r15)
	movl	%r13d, TAKEN(%r15)
	movw	HOST_SS(%r15), %ss
	movq	HOST_RSP(%r15), %rsp
	pushfq
	popq	RFLAGS(%r15)
	pushq	$0x202			/* DF and AC clear: C code relies on both */
	popfq
	movw	HOST_DS(%r15), %ds
	movw	HOST_ES(%r15), %es
	cmpl	$0, USE_FPU(%r15)
	je	1f
	fxsave	FPU(%r15)
	fninit
	pushq	$0x1f80
	ldmxcsr	(%rsp)
	popq	%rax
1:	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* Copied to low memory, where a far jump from the segment can reach them. */
	.globl	bare_exit_fell, bare_exit_taken, bare_exit_end
bare_exit_fell:
	jmp	*%r14
bare_exit_taken:
	movb	$1, %r13b
	jmp	*%r14
bare_exit_end:

	.section .note.GNU-stack, "", @progbits
