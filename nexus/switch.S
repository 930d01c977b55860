/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nexus/switch.S - in and out of guest code, in the process host.
 *
 *      monitor/run.c --> nexus_enter --far jump--> fragment (16- or 32-bit, code cache)
 *            ^                                        | far jump or far call to its 64-bit stub
 *            +--------------- nexus_exit <------------+ jmp *NX_EXIT_FN(%r15)
 *
 * Read nexus_enter and nexus_exit side by side: one undoes the other.
 * Never: uses the guest's stack, FS or GS. Tested by: tests/unit/test_switch.c.
 */
#include "nexus/frame.h"

	.text

/*
 * void nexus_enter(struct mon_vcpu *vcpu);
 *
 *  In       %rdi = vcpu; nexus.far_* says where, nexus.load what else to load
 *  Out      nothing; why the guest stopped is in nexus.exit
 *  Keeps    %rbx %rbp %r12-%r15 (psABI, callee-saved)
 *  Destroys everything else; DS ES FS GS SS become the guest's
 *  Needs    x87/SSE: guest's if load has no NX_LOAD_FPU. No TLS use by the caller until FS is the host's again
 *  Faults   none in a correct monitor; a signal between here and nexus_enter_end that means "kick" goes
 *           to nexus_unwind with NX_EXIT_ABORT: nothing in memory has changed
 */
	.globl	nexus_enter
	.type	nexus_enter, @function
nexus_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rdi, %r15
	movq	%rsp, NX_HOST_RSP(%r15)
	movl	$1, NX_ENTERED(%r15)		/* from here on a kick may abort us */
	cmpl	$0, NX_KICK(%r15)
	jne	.Labort
	movl	NX_LOAD(%r15), %eax
	testl	%eax, %eax
	jnz	.Lload
.Lloaded:
	movw	NX_SS(%r15), %ss
	pushq	NX_EFLAGS(%r15)			/* 8 bytes: the next field's low half goes unused */
	andl	$0x240cd5, (%rsp)		/* status flags, DF, AC, ID: the rest is virtual */
	popfq
	movl	NX_GPR+0(%r15), %eax
	movl	NX_GPR+4(%r15), %ecx
	movl	NX_GPR+8(%r15), %edx
	movl	NX_GPR+12(%r15), %ebx
	movl	NX_GPR+20(%r15), %ebp
	movl	NX_GPR+24(%r15), %esi
	movl	NX_GPR+28(%r15), %edi
	movl	NX_GPR+16(%r15), %esp
	ljmpl	*NX_FAR_EIP(%r15)
.Lload:
	testl	$NX_LOAD_FPU, %eax
	jz	1f
	movq	NX_FPU_AREA(%r15), %rdx
	fxrstor64 (%rdx)
1:	testl	$NX_LOAD_SEGS, %eax
	jz	.Lloaded
	movw	NX_DS(%r15), %ds
	movw	NX_ES(%r15), %es
	movw	NX_FS(%r15), %fs
	movw	NX_GS(%r15), %gs
	jmp	.Lloaded
.Labort:
	movl	$NX_EXIT_ABORT, NX_EXIT(%r15)
	jmp	.Lleave
	.globl	nexus_enter_end
nexus_enter_end:
	.size	nexus_enter, . - nexus_enter

/*
 * Every stub in the code cache ends here, still with the guest's registers.
 *
 *  In       %r8d = site number, %r15 = vcpu, CS = 33h
 *  Out      returns to nexus_enter's caller
 */
	.globl	nexus_exit
	.type	nexus_exit, @function
nexus_exit:
	movl	%eax, NX_GPR+0(%r15)
	movl	%ecx, NX_GPR+4(%r15)
	movl	%edx, NX_GPR+8(%r15)
	movl	%ebx, NX_GPR+12(%r15)
	movl	%esp, NX_GPR+16(%r15)
	movl	%ebp, NX_GPR+20(%r15)
	movl	%esi, NX_GPR+24(%r15)
	movl	%edi, NX_GPR+28(%r15)
	movl	%r8d, NX_EXIT(%r15)
	movq	NX_HOST_RSP(%r15), %rsp
	pushfq
	popq	%rax
	movl	%eax, NX_EFLAGS(%r15)
	cld
	btl	$18, %eax			/* AC would make the monitor's own accesses fault */
	jc	.Lclear_ac
.Lleave:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
.Lclear_ac:
	pushq	$2
	popfq
	jmp	.Lleave
	.size	nexus_exit, . - nexus_exit

/*
 * void nexus_unwind(struct mon_vcpu *vcpu);  from a signal handler; never returns to it.
 *  In       %rdi = vcpu; the handler has stored registers and nexus.exit
 */
	.globl	nexus_unwind
	.type	nexus_unwind, @function
nexus_unwind:
	movq	NX_HOST_RSP(%rdi), %rsp
	cld
	jmp	.Lleave
	.size	nexus_unwind, . - nexus_unwind

	.section .note.GNU-stack, "", @progbits
