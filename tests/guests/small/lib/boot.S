/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/lib/boot.S - the boot sector of every small guest: fetch the rest by INT 13h, go there.
 *
 *   7C00h      this sector          8000h...  the guest, linked there; at most 448 KiB
 *   below 7C00h  real-mode stack
 *
 * In    DL = the BIOS drive, CS:IP = 0:7C00h or 7C0h:0 (SDM says nothing of it; BIOSes differ)
 * Out   far jump to 0:8000h, real mode, DS = ES = SS = 0, interrupts off
 */
	.code16
	.section .boot, "ax"
	.globl	boot
boot:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	ljmp	$0, $1f
1:	cld
	movb	%dl, drive

	/* 32 sectors a time: some BIOSes refuse to cross 64 KiB within one read. */
	movw	$image_sectors, %bp
read:	movw	$packet, %si
	movb	drive, %dl
	movb	$0x42, %ah
	int	$0x13
	jc	failed
	addw	$32 * 512 / 16, packet_segment
	addl	$32, packet_lba
	subw	$32, %bp
	ja	read

	ljmp	$0, $0x8000

failed:	movw	$text, %si
2:	lodsb
	testb	%al, %al
	jz	3f
	movw	$0x3f8, %dx
	outb	%al, %dx
	jmp	2b
3:	hlt
	jmp	3b

text:	.asciz	"boot: INT 13h failed\n"
drive:	.byte	0
	.balign	4
packet:	.byte	16, 0
	.word	32
	.word	0			/* offset */
packet_segment:
	.word	0x8000 / 16
packet_lba:
	.long	1, 0

	.org	510
	.word	0xaa55
