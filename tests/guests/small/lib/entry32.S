/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/lib/entry32.S - from real mode to flat protected mode, and the exception stubs.
 *
 * The frame that the stubs build is struct frame in guest.h; keep the two the same.
 */
	.section .entry, "ax"
	.code16
	.globl	entry
entry:
	cli
	inb	$0x92, %al		/* A20 open, by the fast gate */
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $flat

	.code32
flat:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$0x90000, %esp
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	cld
	rep stosb
	call	guest_start
	hlt

	.text
	/* 256 stubs of 8 bytes' grain: vector, and an error code of 0 where the processor pushes none. */
	.globl	trap_stubs
	.balign	16
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	(vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
	nop
	.else
	pushl	$0
	.endif
	pushl	$vector
	jmp	common
	.set	vector, vector + 1
	.endr

common:	pushal
	pushl	%ds
	pushl	%es
	pushl	%fs
	pushl	%gs
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	cld
	pushl	%esp
	call	trap
	addl	$4, %esp
	.globl	trap_return
trap_return:
	popl	%gs
	popl	%fs
	popl	%es
	popl	%ds
	popal
	addl	$8, %esp
	iret

/*
 * void enter_user(uint32_t eip, uint32_t esp, uint32_t eflags);
 *
 * Runs eip at CPL 3 until it executes INT 30h. Returns then as if it were an ordinary call.
 *
 *  Keeps    %ebx %esi %edi %ebp
 *  Destroys %eax %ecx %edx, flags; DS ES FS GS are the user's data segment, then 10h
 */
	.globl	enter_user
enter_user:
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	20(%esp), %eax
	movl	24(%esp), %ecx
	movl	28(%esp), %edx
	pushl	user_esp
	movl	%esp, user_esp
	movl	%esp, tss + 4		/* ESP0 */
	pushl	$0x23
	pushl	%ecx
	pushl	%edx
	pushl	$0x1b
	pushl	%eax
	movl	$0x23, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	iret
	.globl	leave_user
leave_user:				/* the gate of INT 30h points here */
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	user_esp, %esp
	popl	user_esp
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

	.data
	.globl	user_esp
user_esp: .long	0
	.balign	8
	.globl	gdt
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* 08 code, ring 0 */
	.quad	0x00cf93000000ffff	/* 10 data, ring 0 */
	.quad	0x00cffb000000ffff	/* 18 code, ring 3 */
	.quad	0x00cff3000000ffff	/* 20 data, ring 3 */
	.fill	59, 8, 0		/* 28 TSS, 30 LDT, from 38h on for the guests */
	.word	0
gdt_pointer:
	.word	64 * 8 - 1
	.long	gdt
