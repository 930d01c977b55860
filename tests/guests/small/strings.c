/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/strings.c - string instructions: directions, sizes, 16-bit addresses, faults in the middle, and port strings.
 * SDM 2B, "REP/REPE/REPZ/REPNE/REPNZ": a fault leaves ECX, ESI, EDI at the element that faulted.
 */
#include "guest.h"

#define VA 0x40000000u
#define FRAME 0x500000u

static uint8_t buffer[4096], other[4096];

static uint32_t checksum(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 1;

	for (; n; n--)
		sum = sum * 31 + *p++;
	return sum;
}

static void fill(void)
{
	for (uint32_t i = 0; i < sizeof(buffer); i++) {
		buffer[i] = (uint8_t)(i * 7 + (i >> 3));
		other[i] = 0;
	}
}

static uint32_t faults;
static void provide(struct frame *f)
{
	faults++;
	if (faults <= 8)
		print("fault at %x: ecx %x esi %x edi %x\n", read_cr2(), f->ecx, f->esi, f->edi);
	map_page(read_cr2() & ~0xfffu, (FRAME + (read_cr2() & 0xff000)) | 3);
}

void guest_main(void)
{
	uint32_t c, s, d, flags;

	fill();
	__asm__ volatile("cld; rep movsb" : "=c"(c), "=S"(s), "=D"(d) : "0"(100), "1"(buffer), "2"(other) : "memory");
	print("movsb: ecx %u esi+%u edi+%u sum %08x\n", c, s - (uint32_t)buffer, d - (uint32_t)other, checksum(other, 200));
	__asm__ volatile("std; rep movsl; cld" : "=c"(c), "=S"(s), "=D"(d) : "0"(50), "1"(buffer + 400), "2"(other + 800) : "memory");
	print("movsl down: esi%d edi%d sum %08x\n", (int)(s - (uint32_t)buffer - 400), (int)(d - (uint32_t)other - 800), checksum(other, 1000));
	/* Overlap: each element is read after the one before was written. */
	fill();
	__asm__ volatile("cld; rep movsb" : "=c"(c), "=S"(s), "=D"(d) : "0"(64), "1"(buffer), "2"(buffer + 3) : "memory");
	print("overlap: sum %08x\n", checksum(buffer, 100));
	__asm__ volatile("rep stosw" : "=c"(c), "=D"(d) : "0"(33), "1"(other + 1), "a"(0xbeef) : "memory");
	print("stosw: sum %08x\n", checksum(other, 100));
	__asm__ volatile("repne scasb; pushfl; popl %2" : "=c"(c), "=D"(d), "=r"(flags) : "0"(1000), "1"(buffer), "a"(buffer[77]) : "cc");
	print("scasb: ecx %u edi+%u zf %u\n", c, d - (uint32_t)buffer, flags >> 6 & 1);
	fill();
	memcpy(other, buffer, 512);
	other[300] ^= 0x80;
	__asm__ volatile("repe cmpsb; pushfl; popl %3" : "=c"(c), "=S"(s), "=D"(d), "=r"(flags) : "0"(512), "1"(buffer), "2"(other) : "cc");
	print("cmpsb: ecx %u flags %x\n", c, flags & 0x8d5);
	__asm__ volatile("xorl %%eax, %%eax; repe cmpsl; pushfl; popl %3" : "=c"(c), "=S"(s), "=D"(d), "=r"(flags) : "0"(0), "1"(buffer), "2"(other + 1) : "eax", "cc");
	print("cmpsl of none: zf stays %u\n", flags >> 6 & 1);
	__asm__ volatile("cld; lodsb; movzbl %%al, %%eax; lodsw; lodsl" : "=a"(c), "=S"(s) : "1"(buffer));
	print("lods: %x esi+%u\n", c, s - (uint32_t)buffer);

	/* 16-bit address size: SI, DI, CX only; the upper halves stay. */
	__asm__ volatile("cld; .byte 0x67; rep movsb" : "=c"(c), "=S"(s), "=D"(d) : "0"(0xabcd0010), "1"(0x0500), "2"(0x0600) : "memory");
	print("16-bit: ecx %x esi %x edi %x\n", c, s, d);
	__asm__ volatile("movl $0x10003, %%ecx; xorl %%eax, %%eax; 1: incl %%eax; .byte 0x67; loop 1b; movl %%ecx, %0" : "=r"(c), "=&a"(d) : : "ecx", "cc");
	print("16-bit loop: %u rounds ecx %x\n", d, c);
	__asm__ volatile("movl $0x10000, %%ecx; xorl %0, %0; .byte 0x67; jecxz 1f; incl %0\n1:" : "=&r"(d) : : "ecx", "cc");
	print("jcxz taken %u\n", !d);

	/* Faults in the middle, with paging; the handler maps and the instruction goes on. */
	paging_identity();
	hook[14] = provide;
	map_page(VA, FRAME | 3);
	__asm__ volatile("cld; rep stosb" : "=c"(c), "=D"(d) : "0"(0x3000), "1"(VA + 0x800), "a"(0x41) : "memory");
	print("stosb done: ecx %u faults %u sum %08x\n", c, faults, checksum((uint8_t *)VA + 0x7f0, 0x2000));
	faults = 0;
	__asm__ volatile("cld; rep movsl" : "=c"(c), "=S"(s), "=D"(d) : "0"(0x800), "1"(VA + 0x801), "2"(VA + 0x10ffe) : "memory");
	print("movsl done: faults %u sum %08x\n", faults, checksum((uint8_t *)VA + 0x10ff0, 0x2000));
	faults = 0;
	__asm__ volatile("std; rep movsb; cld" : "=c"(c), "=S"(s), "=D"(d) : "0"(0x1800), "1"(VA + 0x2000), "2"(VA + 0x22010) : "memory");
	print("movsb down done: faults %u sum %08x\n", faults, checksum((uint8_t *)VA + 0x21000, 0x1000));
	hook[14] = 0;
	paging_off();

	/* Port strings: the disk's first sector by REP INSW, and its signature. */
	outb(0x3f6, 2);
	while (inb(0x1f7) & 0x80)
		;
	outb(0x1f6, 0xe0);
	outb(0x1f2, 1);
	outb(0x1f3, 0);
	outb(0x1f4, 0);
	outb(0x1f5, 0);
	outb(0x1f7, 0x20);
	while ((inb(0x1f7) & 0x88) != 0x08)
		;
	memset(buffer, 0, sizeof(buffer));
	__asm__ volatile("cld; rep insw" : "=c"(c), "=D"(d) : "0"(256), "1"(buffer), "d"(0x1f0) : "memory");
	print("insw: ecx %u edi+%u signature %02x%02x first %02x same as at 7c00 %u\n", c, d - (uint32_t)buffer, buffer[511], buffer[510], buffer[0],
	      memcmp(buffer, (void *)0x7c00, 64) == 0);
	print("drq after it %x\n", inb(0x1f7) & 0x08);
	/* Bytes to the serial port by REP OUTSB: no waiting, the FIFO takes 16. */
	__asm__ volatile("cld; rep outsb" : "=c"(c), "=S"(s) : "0"(9), "1"("outsb ok\n"), "d"(0x3f8) : "memory");
	print("outsb: ecx %u\n", c);
}
