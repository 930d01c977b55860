/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/kernel/transition.S - from the host's world to the monitor's and back: the one page of code that is in both.
 *
 *      run.c: world_enter(ctx) --> own stack, switch IDT, own GDT, CR4, CR0, CR3 --> handlers.S in the block
 *             returns          <-- host GDT, TR, LDT, selectors, bases, IDT, stack <-- CR3, CR0, CR4 <-- world_leave
 *
 * The rule of the order: no register ever points at state that the world being entered, or left, lacks. So an NMI or a machine check
 * at any instruction finds an IDT, a GDT and a stack: the switch IDT has two gates that count and return, without IST (TR still
 * names the other world's TSS for a moment), and one for everything else, which can only be a defect here.
 *
 * Mapped:    at its own address in both worlds, read-execute, and so is the block (at the kernel's address of it).
 * Read next: run.c, ../ring0/handlers.S.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include "host-module/world.h"

	.text
	.balign 4096, 0xcc
	.globl world_page_start
world_page_start:

/*
 * void world_enter(struct world_ctx *ctx);
 *  In       %rdi = ctx at the kernel's address; interrupts off, preemption off, FPU in use by us
 *  Out      when the monitor leaves: ctx->request says why
 *  Keeps    what the psABI says, and RFLAGS
 */
	.globl world_enter
	.type world_enter, @function
world_enter:
	endbr64
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movq	%rsp, C_HOST_RSP(%rdi)
	movq	C_SWITCH_STACK(%rdi), %rsp
	lidt	C_SWITCH_IDTR(%rdi)
	lgdt	C_SWITCH_GDTR(%rdi)
	movq	C_PRIV_CR4(%rdi), %rax
	movq	%rax, %cr4
	movq	C_PRIV_CR0(%rdi), %rax
	movq	%rax, %cr0
	movq	C_PRIV_CR3(%rdi), %rax
	movq	%rax, %cr3
	movq	C_HANDLER_VA(%rdi), %rax
	movq	C_HERE(%rdi), %rdi
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax
	.size world_enter, . - world_enter
	STACK_FRAME_NON_STANDARD world_enter

/*
 *  In       %rdi = ctx at the kernel's address; private CR3
 */
	.balign 16, 0xcc
	.globl world_leave
	.type world_leave, @function
world_leave:
	endbr64
	movq	C_SWITCH_STACK(%rdi), %rsp
	lidt	C_SWITCH_IDTR(%rdi)
	lgdt	C_SWITCH_GDTR(%rdi)
	movq	C_HOST_CR3(%rdi), %rax
	movq	%rax, %cr3
	movq	C_HOST_CR0(%rdi), %rax
	movq	%rax, %cr0
	movq	C_HOST_CR4(%rdi), %rax
	movq	%rax, %cr4
	/* LTR wants the descriptor not busy: the read-only GDT has a writable twin. */
	lgdt	C_HOST_GDTR_RW(%rdi)
	movq	C_HOST_GDTR_RW+2(%rdi), %rdx
	movzwl	C_HOST_TR(%rdi), %eax
	andb	$~2, 5(%rdx,%rax)
	ltr	%ax
	lgdt	C_HOST_GDTR(%rdi)
	movzwl	C_HOST_LDTR(%rdi), %eax
	lldt	%ax
	movw	C_HOST_DS(%rdi), %ds
	movw	C_HOST_ES(%rdi), %es
	movw	C_HOST_FS(%rdi), %fs
	movw	C_HOST_GS(%rdi), %gs
	movl	$0xc0000100, %ecx
	movl	C_HOST_FSBASE(%rdi), %eax
	movl	C_HOST_FSBASE+4(%rdi), %edx
	wrmsr
	movl	$0xc0000101, %ecx
	movl	C_HOST_GSBASE(%rdi), %eax
	movl	C_HOST_GSBASE+4(%rdi), %edx
	wrmsr
	lidt	C_HOST_IDTR(%rdi)
	movl	$0x18, %eax
	movl	%eax, %ss
	movq	C_HOST_RSP(%rdi), %rsp
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
	int3
	.size world_leave, . - world_leave
	STACK_FRAME_NON_STANDARD world_leave

/* In the switch IDT. The stack is in the block, whose first page has the counters. */
	.balign 16, 0xcc
	.globl world_switch_nmi
world_switch_nmi:
	endbr64
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	movq	%rsp, %rax
	andq	$~(BLOCK_BYTES - 1), %rax
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
	ANNOTATE_UNRET_SAFE	/* the thunk is not mapped where this may run */
	ret
	int3
	.balign 16, 0xcc
	.globl world_switch_mc
world_switch_mc:
	endbr64
	pushq	%rax
	movq	%rsp, %rax
	andq	$~(BLOCK_BYTES - 1), %rax
	incq	C_MC_PENDING(%rax)
	popq	%rax
	iretq
/* A defect between two worlds: nothing can be called. Say so on the first serial port, and stop. */
	.balign 16, 0xcc
	.globl world_switch_defect
world_switch_defect:
	endbr64
	movw	$0x3f8, %dx
	movb	$'!', %al
	outb	%al, %dx
1:	hlt
	jmp	1b
	.org	world_page_start + 4096, 0xcc	/* and not a byte more */
	.globl world_page_end
world_page_end:

/*
 * void world_replay_N(void): interrupt N, as if it came now. The vector is acknowledged already and its handler sends the EOI. STI's
 * shadow covers the INT, so that the handler finds IF set in what it returns to (newer kernels look), and nothing else comes between. The
 * caller switches interrupts off again. NMI and machine check are not maskable: there is nothing to set.
 */
	.globl world_replay
	.balign 16, 0xcc
world_replay:
	vector = 0
	.rept	256
	.balign	16, 0xcc
	endbr64
	.if (vector == 2) || (vector == 18)
	nop
	.else
	sti
	.endif
	.byte	0xcd, vector
	RET
	int3
	vector = vector + 1
	.endr

	.section .rodata
	.balign	4096
	.globl world_image_start, world_image_end, world_block_start, world_block_end
world_image_start:
	.incbin	"monitor.bin"
world_image_end:
	.balign	16
world_block_start:
	.incbin	"block.bin"
world_block_end:

	.section .note.GNU-stack, "", @progbits
