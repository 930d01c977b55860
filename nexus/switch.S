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
	/* POPFQ is slow, SAHF is not; but only POPFQ knows DF, AC and ID. */
	movl	NX_EFLAGS(%r15), %eax
	testl	NX_POPF_IF(%r15), %eax
	jnz	.Lpopf
	movl	%eax, %edx
	movb	%al, %ah
	btl	$11, %edx			/* OF: 7fh + 1 overflows, 7fh + 0 does not */
	setc	%al
	addb	$0x7f, %al
	sahf
.Lflags:
	movl	NX_GPR+0(%r15), %eax
	movl	NX_GPR+4(%r15), %ecx
	movl	NX_GPR+8(%r15), %edx
	movl	NX_GPR+12(%r15), %ebx
	movl	NX_GPR+20(%r15), %ebp
	movl	NX_GPR+24(%r15), %esi
	movl	NX_GPR+28(%r15), %edi
	movl	NX_GPR+16(%r15), %esp
	ljmpl	*NX_FAR_EIP(%r15)
.Lpopf:
	andl	$0x240cd5, %eax			/* status flags, DF, AC, ID: the rest is virtual */
	pushq	%rax
	popfq
	jmp	.Lflags
.Lload:
	testl	$NX_LOAD_FPU, %eax
	jz	1f
	movq	NX_FPU_AREA(%r15), %rdx
	fxrstor64 (%rdx)
1:	testl	$NX_LOAD_SS, %eax
	jz	1f
	movw	NX_SEL+4(%r15), %ss
1:	testl	$NX_LOAD_DS, %eax
	jz	1f
	movw	NX_SEL+6(%r15), %ds
1:	testl	$NX_LOAD_ES, %eax
	jz	1f
	movw	NX_SEL+0(%r15), %es
1:	testl	$NX_LOAD_FS_BASE, %eax
	jz	1f
	movq	NX_FS_BASE(%r15), %rdx
	wrfsbase %rdx
1:	testl	$NX_LOAD_FS, %eax		/* behind it: a selector brings its own base */
	jz	1f
	movw	NX_SEL+8(%r15), %fs
1:	testl	$NX_LOAD_GS, %eax
	jz	1f
	movw	NX_SEL+10(%r15), %gs
1:	movl	$0, NX_LOAD(%r15)		/* last: until here a kick makes everything be loaded again */
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
	/* AC would make the monitor's own accesses fault; ID would still be set at an entry by SAHF. */
	testl	$0x240000, %eax
	jnz	.Lclear_flags
.Lleave:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
.Lclear_flags:
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
	jmp	.Lclear_flags
	.size	nexus_unwind, . - nexus_unwind

	.section .note.GNU-stack, "", @progbits
