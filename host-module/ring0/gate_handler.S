/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/gate_handler.S - behind the gate of INT3, in ring 3: simple sensitive instructions, done without ring 0 (--rewrite=gate).
 *
 *      fragment: INT3 --IDT gate 3--> [gate_start] --IRETQ--> the fragment, behind the site
 *                                          \--what cannot be done here--INT 80h--> handlers.S, with the site's number
 *
 * This code is copied to WORLD_GATE (gate.c), a page of ring 3's above 4 GiB, where no guest code can name it; its data and its
 * stack are the page behind. The gate's IST brings RSP there; the processor pushes SS, RSP, RFLAGS, CS, RIP.
 *
 *  In       the guest's registers; RIP, RFLAGS, RSP on the stack. struct nexus_gate_site stands behind the INT3
 *  Keeps    EAX ECX EDX EBX EBP ESI EDI but what the instruction changes; R15, which the stubs want
 *  Destroys R8-R14
 *  Stack    the frame that was pushed stays as it is; what IRETQ reads is built anew below it
 *
 * It can be stopped at every instruction, by the host's interrupt or by a fault on the guest's stack. Then gate.c looks where: at the
 * IRETQ all is done, and the guest stands where the new frame says. Before that nothing is: the site starts over from the
 * old frame. So the one store that makes it done comes right before IRETQ. (PUSHF's store can be repeated.)
 *
 * Asked by: the processor. Tested by: tests/guests/small under --rewrite=gate, tests/module/inside/the_gate_does_what_inline_code_does.
 */
#include "host-module/world.h"
#include "nexus/gate.h"

#define DATA(field)	gate_start + PLX_GATE_DATA + field(%rip)
#define PLX_GATE_DATA	0x1000
#define FLAG_IF		0x200

	.macro	new_frame
	pushq	32(%rsp)			/* SS */
	pushq	%r11				/* RSP */
	pushq	%r13				/* RFLAGS */
	pushq	32(%rsp)			/* CS */
	pushq	%r10				/* RIP */
	.endm

	.section .text.gate, "ax", @progbits
	.globl	gate_start, gate_end
	.balign	16
gate_start:
	movl	(%rsp), %r10d
	movl	DATA(G_CS_BASE), %r8d
	addl	%r10d, %r8d			/* struct nexus_gate_site */
	movzbl	GATE_SITE_OP(%r8), %r9d
	movzbl	GATE_SITE_ARG(%r8), %r12d
	addl	$GATE_SITE_BYTES, %r10d		/* the next instruction */
	movl	24(%rsp), %r11d			/* ESP */
	movl	16(%rsp), %r13d			/* EFLAGS */
	leaq	.Lops(%rip), %r14
	movslq	(%r14,%r9,4), %r9
	addq	%r14, %r9
	jmp	*%r9

	.balign	4
.Lops:
	.long	.Lleave - .Lops, .Lcli - .Lops, .Lsti - .Lops, .Lpushf - .Lops, .Lpopf - .Lops
	.long	.Luser_pushf - .Lops, .Luser_popf - .Lops, .Lpush_seg - .Lops, .Lmov_seg - .Lops

	/* A number past the last cannot be: prescan wrote it, and guest code cannot write there. */
	.balign	16
.Lleave:
	movl	(%r8), %r8d
	movq	24(%rsp), %r11
	pushq	16(%rsp)
	popfq
	movq	%r11, %rsp
	int	$VECTOR_SITE

.Lcli:
	movl	DATA(G_FLAG_PAGE), %r9d
	new_frame
	incq	DATA(G_DONE)
	movl	$0, (%r9)			/* vif */
	iretq

.Lsti:
	movl	DATA(G_FLAG_PAGE), %r9d
	cmpl	$0, 4(%r9)			/* pending */
	jne	.Lleave
	new_frame
	incq	DATA(G_DONE)
	movl	$FLAG_IF, (%r9)
	iretq

.Lpushf:
	movl	DATA(G_FLAG_PAGE), %r9d
	leal	-FLAG_IF(%r13), %r12d		/* the processor's IF is 1 */
	addl	(%r9), %r12d
.Lpush:
	subl	$4, %r11d
	new_frame
	movl	DATA(G_BIAS), %r14d
	addl	%r11d, %r14d
	incq	DATA(G_DONE)
	movl	%r12d, (%r14)
	iretq

.Luser_pushf:
	movl	%r13d, %r12d
	jmp	.Lpush

.Lpopf:
	movl	DATA(G_BIAS), %r14d
	addl	%r11d, %r14d
	movl	(%r14), %r12d
	testl	$GATE_ODD_FLAGS, %r12d
	jnz	.Lleave
	movl	DATA(G_FLAG_PAGE), %r9d
	movl	%r12d, %r14d
	andl	$FLAG_IF, %r14d
	testl	%r14d, 4(%r9)
	jnz	.Lleave
	addl	$4, %r11d
	andl	$GATE_TAKEN_FLAGS, %r12d
	orl	$FLAG_IF | 2, %r12d
	movl	%r12d, %r13d
	new_frame
	incq	DATA(G_DONE)
	movl	%r14d, (%r9)
	iretq

.Luser_popf:
	movl	DATA(G_BIAS), %r14d
	addl	%r11d, %r14d
	movl	(%r14), %r12d
	testl	$GATE_ODD_FLAGS, %r12d
	jnz	.Lleave
	addl	$4, %r11d
	andl	$GATE_TAKEN_FLAGS, %r12d
	orl	$FLAG_IF | 2, %r12d
	movl	%r12d, %r13d
	new_frame
	incq	DATA(G_DONE)
	iretq

	/* %r12 = the selector that is asked for; %r9 and %r14 are free. */
	.macro	read_selector
	movl	DATA(G_SELECTORS), %r9d
	movl	DATA(G_USER_SELECTORS), %r14d
	testl	$GATE_ARG_USER, %r12d
	cmovnzl	%r14d, %r9d
	movl	%r12d, %r14d
	andl	$GATE_ARG_SEG, %r14d
	movl	(%r9,%r14,4), %r14d
	.endm

.Lpush_seg:
	read_selector
	movl	%r14d, %r12d
	jmp	.Lpush

.Lmov_seg:
	read_selector
	andl	$GATE_ARG_REG, %r12d
	leaq	.Lmoves(%rip), %r9
	leaq	(%r9,%r12,2), %r9		/* 16 bytes for each */
	new_frame
	incq	DATA(G_DONE)
	jmp	*%r9

	.balign	16
.Lmoves:
	movl	%r14d, %eax
	iretq
	.balign	16
	movl	%r14d, %ecx
	iretq
	.balign	16
	movl	%r14d, %edx
	iretq
	.balign	16
	movl	%r14d, %ebx
	iretq
	.balign	16
	movl	%r14d, 24(%rsp)			/* ESP */
	iretq
	.balign	16
	movl	%r14d, %ebp
	iretq
	.balign	16
	movl	%r14d, %esi
	iretq
	.balign	16
	movl	%r14d, %edi
	iretq
gate_end:

	.section .note.GNU-stack, "", @progbits
