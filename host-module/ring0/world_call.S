/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/world_call.S - out of the monitor into the host, and into guest code.
 *
 *      run.c --> nexus_enter --IRET--> fragment --> its stub --INT 80h--> handlers.S --> nexus_enter returns
 *      host_ops.c, io.c --> world_call_switch --> world_leave, in the kernel ... block_enter --> it returns
 *
 * nexus_enter stands in for that of nexus/switch.S, which is the process host's: what differs is that ring 0 enters by IRET,
 * which takes SS, ESP, EFLAGS, CS and EIP at once. trap.c has the C half.
 */
#include "host-module/world.h"
#include "nexus/frame.h"

	.text
/* The monitor's first instruction, in its image: world_call's stack is made so that it returns here. */
	.globl	monitor_start
	.type	monitor_start, @function
monitor_start:
	movq	%rbx, %rdi			/* ctx, from the first frame */
	xorl	%ebp, %ebp
	call	monitor_main
	ud2
	.size	monitor_start, . - monitor_start

/*
 * void world_call_switch(struct world_ctx *ctx);
 *  In       %rdi = ctx, where the block is in use; the request is written
 *  Out      the host has answered. The block may be elsewhere: ctx is stale
 *  Keeps    what the psABI says. DS ES FS GS, which are the guest's
 */
	.globl	world_call_switch
	.type	world_call_switch, @function
world_call_switch:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movq	%rsp, C_MON_RSP(%rdi)
	movw	%ds, C_GUEST_DS(%rdi)
	movw	%es, C_GUEST_ES(%rdi)
	movw	%fs, C_GUEST_FS(%rdi)
	movw	%gs, C_GUEST_GS(%rdi)
	movq	C_EXIT_VA(%rdi), %rax
	movq	C_HOST_CTX(%rdi), %rdi
	jmp	*%rax
	.size	world_call_switch, . - world_call_switch

/*
 * void enter_guest(struct mon_vcpu *vcpu);
 *  In       %rdi = vcpu; nexus.far_* says where, nexus.load what else to load, nexus.stub_r15 is for the stubs; nexus.iret_stack:
 *           40 bytes below it are IRET's
 *  Out      why the guest stopped is in nexus.exit
 *  Keeps    %rbx %rbp %r12-%r15
 */
	.globl	enter_guest
	.type	enter_guest, @function
enter_guest:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, NX_HOST_RSP(%rdi)
	cmpl	$0, NX_KICK(%rdi)
	jne	.Labort
	movl	NX_LOAD(%rdi), %eax
	testl	%eax, %eax
	jnz	.Lload
.Lloaded:
	movq	NX_IRET_STACK(%rdi), %rsp
	movzwl	NX_SEL+4(%rdi), %eax
	pushq	%rax				/* SS */
	movl	NX_GPR+16(%rdi), %eax
	pushq	%rax				/* ESP */
	movl	NX_EFLAGS(%rdi), %eax
	andl	$0x240cd5, %eax			/* status flags, DF, AC, ID: the rest is virtual */
	orl	$0x202, %eax			/* IF: the host's interrupts */
	pushq	%rax
	movzwl	NX_FAR_CS(%rdi), %eax
	pushq	%rax
	movl	NX_FAR_EIP(%rdi), %eax
	pushq	%rax
	movq	NX_STUB_R15(%rdi), %r15
	movl	NX_GPR+0(%rdi), %eax
	movl	NX_GPR+4(%rdi), %ecx
	movl	NX_GPR+8(%rdi), %edx
	movl	NX_GPR+12(%rdi), %ebx
	movl	NX_GPR+20(%rdi), %ebp
	movl	NX_GPR+24(%rdi), %esi
	movl	NX_GPR+28(%rdi), %edi
	iretq
.Lload:
	testl	$NX_LOAD_FPU, %eax
	jz	1f
	movq	NX_FPU_AREA(%rdi), %rdx
	fxrstor64 (%rdx)
1:	testl	$NX_LOAD_DS, %eax
	jz	1f
	movw	NX_SEL+6(%rdi), %ds
1:	testl	$NX_LOAD_ES, %eax
	jz	1f
	movw	NX_SEL+0(%rdi), %es
1:	testl	$NX_LOAD_FS, %eax
	jz	1f
	movw	NX_SEL+8(%rdi), %fs
1:	testl	$NX_LOAD_GS, %eax
	jz	1f
	movw	NX_SEL+10(%rdi), %gs
1:	movl	$0, NX_LOAD(%rdi)
	jmp	.Lloaded
.Labort:
	movl	$NX_EXIT_ABORT, NX_EXIT(%rdi)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.size	enter_guest, . - enter_guest

/* engine_init takes this address for nexus.exit_fn, which the stubs of this host do not use. */
	.globl	nexus_exit
nexus_exit:
	ud2

	.section .note.GNU-stack, "", @progbits
