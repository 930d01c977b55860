/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/handlers.S - the code in the block: what the processor finds behind each gate while the guest runs.
 *
 *      IDT gate --> stub n --> all registers into ctx->frame --> ring0/trap.c --> back to the guest, or out of nexus_enter
 *      INT 80h in a stub of the code cache --> straight out of nexus_enter, with the site's number
 *      world_enter, in the kernel --> block_enter --> where world_call waits
 *
 * Position-independent: the block is found from RIP, for it stands now here, now there. TSS.RSP0 is the end of the frame inside
 * the context, so that what the processor pushes is in its place already. Exceptions of the monitor itself come on its own
 * stack. Interrupts are off all the time.
 *
 * Linked alone, at offset BLOCK_CODE of the block; nothing here names an address outside of it.
 * Read next: world_call.S, trap.c.
 */
#include "host-module/world.h"
#include "nexus/frame.h"

#define CTX	block_ctx(%rip)

	.text
	.globl	block_start, block_ctx
	/* The context lies BLOCK_CODE bytes below; the linker script says so. */
block_start:
	jmp	block_enter
	.balign	8, 0xcc
	jmp	block_first
	.balign	64, 0xcc
	/* Stub n is at BLOCK_CODE + 40h + 16 * n: ring0/block.c computes the gates from that. */
	vector = 0
	.rept	256
	.balign	16, 0xcc
	.if vector == VECTOR_SITE
	jmp	site_exit
	.elseif vector == 2
	jmp	nmi
	.elseif vector == 18
	jmp	machine_check
	.else
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
	.else
	pushq	$0
	.endif
	.byte	0x68
	.long	vector
	jmp	trap
	.endif
	vector = vector + 1
	.endr

	.balign	16, 0xcc
trap:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	leaq	CTX, %rdi
	testb	$3, F_CS(%rsp)
	jz	own_fault
	cmpl	$0, C_SMAP(%rdi)		/* the guest may have set AC */
	je	1f
	clac
1:	movq	C_VCPU(%rdi), %rbx
	movq	NX_HOST_RSP(%rbx), %rsp
	call	*C_TRAP_FN(%rdi)		/* (ctx): 0: on with the guest */
	testl	%eax, %eax
	jnz	out_of_guest
	leaq	CTX, %rdi
	leaq	C_FRAME(%rdi), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	/* Not from here: IRET to a 16-bit stack leaves the upper half of ESP as it was in ring 0 (see trap.c). */
	movq	block_ctx + C_IRET_RSP(%rip), %rsp
	iretq

pop_frame:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	iretq

/* nexus_enter returns to its caller. */
out_of_guest:
	movq	NX_HOST_RSP(%rbx), %rsp
leave:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* In the monitor itself: an arena page that is not there yet, a native step's exception, an interrupt it let in; or a defect. */
own_fault:
	movq	%rsp, %rsi
	movq	%rsp, %rbx
	andq	$~15, %rsp
	call	*C_FAULT_FN(%rdi)		/* (ctx, frame): returns if all is well */
	movq	%rbx, %rsp
	jmp	pop_frame

/*
 * A stub in the code cache: %r8d = site number; 64-bit code in ring 3. General registers are the guest's.
 * On the stack: RIP CS RFLAGS RSP SS.
 */
	.balign	16, 0xcc
site_exit:
	leaq	CTX, %r9
	movq	C_VCPU(%r9), %r15
	movl	%eax, NX_GPR+0(%r15)
	movl	%ecx, NX_GPR+4(%r15)
	movl	%edx, NX_GPR+8(%r15)
	movl	%ebx, NX_GPR+12(%r15)
	movl	%ebp, NX_GPR+20(%r15)
	movl	%esi, NX_GPR+24(%r15)
	movl	%edi, NX_GPR+28(%r15)
	movl	24(%rsp), %eax
	movl	%eax, NX_GPR+16(%r15)
	movl	16(%rsp), %eax
	movl	%eax, NX_EFLAGS(%r15)
	movl	%r8d, NX_EXIT(%r15)
	cld
	cmpl	$0, C_SMAP(%r9)
	je	1f
	clac
1:	movq	NX_HOST_RSP(%r15), %rsp
	jmp	leave

	.balign	16, 0xcc
nmi:
	testb	$3, 8(%rsp)
	jz	1f
	pushq	$0
	pushq	$2
	jmp	trap
1:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	leaq	CTX, %rax
	incq	C_NMI_PENDING(%rax)
	/* Not by IRET, which would let the next NMI in: they stay shut until the host's own handler is through. */
	movq	24(%rsp), %rcx			/* RIP */
	movq	40(%rsp), %rdx			/* RFLAGS */
	movq	48(%rsp), %rax			/* RSP: our frame lies below; the slots overwritten are read by now */
	movq	%rcx, -8(%rax)
	movq	%rdx, -16(%rax)
	movq	16(%rsp), %rcx
	movq	%rcx, -24(%rax)
	movq	0(%rsp), %rdx
	movq	8(%rsp), %rcx
	leaq	-24(%rax), %rsp
	popq	%rax
	popfq
	ret

	.balign	16, 0xcc
machine_check:
	testb	$3, 8(%rsp)
	jz	1f
	pushq	$0
	pushq	$18
	jmp	trap
1:	pushq	%rax
	leaq	CTX, %rax
	incq	C_MC_PENDING(%rax)
	popq	%rax
	iretq

/*
 * From the kernel's world.
 *  In       %rdi = ctx, at the address where the block is in use; private CR3; switch IDT, GDT and stack
 *  Out      world_call, in the image, goes on
 */
	.balign	16, 0xcc
block_enter:
	lgdt	C_GDTR(%rdi)
	movq	C_GDTR+2(%rdi), %rax
	andb	$~2, SEL_TSS+5(%rax)		/* not busy, or LTR faults */
	movl	$SEL_TSS, %eax
	ltr	%ax
	lidt	C_IDTR(%rdi)
	movl	$SEL_LDT, %eax
	lldt	%ax
	movw	C_GUEST_DS(%rdi), %ds
	movw	C_GUEST_ES(%rdi), %es
	movw	C_GUEST_FS(%rdi), %fs
	movw	C_GUEST_GS(%rdi), %gs
block_resume:
	movq	C_MON_RSP(%rdi), %rsp
	popfq
	jmp	leave

/* The same for the first time: there are no tables yet (ring0/block.c makes them), so the switch's own stay. */
	.balign	16, 0xcc
block_first:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	jmp	block_resume

	.section .note.GNU-stack, "", @progbits
