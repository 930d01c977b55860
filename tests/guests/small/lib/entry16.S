/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/lib/entry16.S - entry of the guests that stay in real mode (compiled with gcc -m16).
 *
 * Code, data and stack share segment 0, so C's pointers are right as long as everything lies below 64 KiB.
 */
	.code16
	.section .entry, "ax"
	.globl	entry
entry:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x7c00, %esp
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	cld
	rep stosb
	movw	$0x3fb, %dx
	movb	$3, %al
	outb	%al, %dx
	calll	guest_start16
	hlt
