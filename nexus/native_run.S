/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nexus/native_run.S - around one guest instruction on the bare processor.
 *
 *      monitor/native.c --> [nexus_native_run] --> scratch code: instruction, RET
 *                                  ^ nexus_native_fault <-- host's exception handler
 *
 * Asked by:  monitor/native.c, for x87, MMX and SSE, and in tests as the oracle of the interpreter.
 * Read next: nexus/native.h, monitor/native.c.
 */
#include "nexus/native.h"

/*
 * int nexus_native_run(struct nexus_native_frame *frame);
 *
 *  In       %rdi = frame: registers, flags, memory operand, entry
 *  Out      %eax = 0, results in the frame; 1 after nexus_native_fault, and then the frame's results are stale
 *  Keeps    callee-saved registers (x86-64 psABI); the control words are the guest's affair
 *  Destroys the caller-saved general registers, status flags; FPU and SIMD as the instruction does
 *  Needs    scratch code that does not touch R14, R15 or the stack. The guest's ESP is in R12, whose number has the
 *           same low three bits, so that the host's stack pointer always stands
 *  Stack    64 bytes of the caller's
 *  Faults   any of the instruction's own. R15 is the frame then, which is all that nexus_native_fault needs
 */
	.text
	.globl	nexus_native_run
	.type	nexus_native_run, @function
nexus_native_run:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rdi, %r15
	movq	%rsp, NN_HOST_RSP(%r15)
	movq	NN_ENTRY(%r15), %r14
	movq	NN_MEM(%r15), %r8

	/* Status flags from AH, and OF from AL: 1 + 7fh overflows. MOV leaves them alone. */
	movzwl	NN_FLAGS(%r15), %eax
	addb	$0x7f, %al
	sahf
	movq	NN_GPR + 0(%r15), %rax
	movq	NN_GPR + 8(%r15), %rcx
	movq	NN_GPR + 16(%r15), %rdx
	movq	NN_GPR + 24(%r15), %rbx
	movq	NN_GPR + 32(%r15), %r12
	movq	NN_GPR + 40(%r15), %rbp
	movq	NN_GPR + 48(%r15), %rsi
	movq	NN_GPR + 56(%r15), %rdi
	call	*%r14
	movq	%rax, NN_GPR + 0(%r15)
	lahf
	seto	%al
	movw	%ax, NN_FLAGS(%r15)
	movq	%rcx, NN_GPR + 8(%r15)
	movq	%rdx, NN_GPR + 16(%r15)
	movq	%rbx, NN_GPR + 24(%r15)
	movq	%r12, NN_GPR + 32(%r15)
	movq	%rbp, NN_GPR + 40(%r15)
	movq	%rsi, NN_GPR + 48(%r15)
	movq	%rdi, NN_GPR + 56(%r15)
	xorl	%eax, %eax
nexus_native_leave:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.size	nexus_native_run, . - nexus_native_run

/*
 * Where the host's exception handler sends RIP when the instruction faulted (mon_native_recover() says so).
 *
 *  In       %r15 = frame, as the instruction left it
 *  Out      nexus_native_run returns 1
 */
	.globl	nexus_native_fault
	.type	nexus_native_fault, @function
nexus_native_fault:
	movq	NN_HOST_RSP(%r15), %rsp
	cld
	movl	$1, %eax
	jmp	nexus_native_leave
	.size	nexus_native_fault, . - nexus_native_fault

/*
 * void nexus_native_serialize(void);
 *
 * IRET to the next instruction: it serializes, in ring 3 as in ring 0, and unlike CPUID no hypervisor intercepts it.
 *
 *  Destroys %rax, %rcx, %rdx
 *  Stack    48 bytes of the caller's
 */
	.globl	nexus_native_serialize
	.type	nexus_native_serialize, @function
nexus_native_serialize:
	movq	%rsp, %rax
	movl	%ss, %ecx
	movl	%cs, %edx
	pushq	%rcx
	pushq	%rax
	pushfq
	pushq	%rdx
	leaq	1f(%rip), %rax
	pushq	%rax
	iretq
1:	ret
	.size	nexus_native_serialize, . - nexus_native_serialize

	.section .note.GNU-stack, "", @progbits
