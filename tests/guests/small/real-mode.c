/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/real-mode.c - real mode: segments, the vector table, 32-bit operands, A20, unreal mode, BIOS calls.
 * SDM 3B, "Real-Address Mode". Compiled with -m16: C's pointers are offsets in segment 0.
 */
#include "guest.h"

static volatile uint32_t seen_ip, seen_cs, seen_flags, vector_hits;

/* Vector handlers: note the frame, and step over the instruction when SI says how long it is. */
__asm__(".code16gcc\n"
	"real_trap:\n\t"
	".code16\n\t"
	"pushw %bp\n\tmovw %sp, %bp\n\tpushl %eax\n\t"
	"movzwl 2(%bp), %eax\n\tmovl %eax, seen_ip\n\t"
	"movzwl 4(%bp), %eax\n\tmovl %eax, seen_cs\n\t"
	"movzwl 6(%bp), %eax\n\tmovl %eax, seen_flags\n\t"
	"incl vector_hits\n\t"
	"addw %si, 2(%bp)\n\t"
	"popl %eax\n\tpopw %bp\n\tiretw\n"
	".code16gcc\n");
extern const char real_trap[];

static void set_vector(uint8_t vector, uint16_t segment, uint16_t offset)
{
	*(volatile uint32_t *)(uint32_t)(vector * 4u) = (uint32_t)segment << 16 | offset;
}

static void segments(void)
{
	uint32_t a, b;

	*(volatile uint32_t *)0x6000 = 0x11223344;
	__asm__ volatile("movw $0x600, %%ax; movw %%ax, %%fs; movl %%fs:0, %0; movw $0x5ff, %%ax; movw %%ax, %%gs; movl %%gs:0x10, %1" : "=&r"(a), "=&r"(b) : : "eax");
	print("fs %x gs %x\n", a, b);
	__asm__ volatile("movw %%fs, %w0; pushw %%gs; popw %w1" : "=&r"(a), "=r"(b));
	print("mov %x push %x\n", a & 0xffff, b & 0xffff);
	/* LDS and friends load a selector that is only a number. */
	*(volatile uint32_t *)0x6010 = 0x12340020;
	__asm__ volatile("lfsl 0x6010, %%eax\n" : : : "eax", "memory");
	__asm__ volatile("movw %%fs, %w0" : "=r"(a));
	__asm__ volatile("lgsw 0x6010, %w0" : "=r"(b));
	print("lfs %x lgs offset %x\n", a & 0xffff, b & 0xffff);
	/* The stack in a segment of its own: SP wraps inside 64 KiB. */
	__asm__ volatile("movl %%esp, %%ebx; movw $0x5000, %%ax; movw %%ax, %%ss; movl $2, %%esp; pushw $0x1111; pushw $0x2222; movzwl %%sp, %0; xorw %%ax, %%ax; movw %%ax, %%ss; movl %%ebx, %%esp"
			 : "=r"(a) : : "eax", "ebx", "memory");
	__asm__ volatile("movw $0x5000, %%ax; movw %%ax, %%fs; movzwl %%fs:0xfffe, %0" : "=r"(a), "=r"(b) : "1"(a) : "eax");
	print("sp wraps: sp %x memory %x\n", b, a);
	/* Far calls and returns through other segments. */
	__asm__ volatile("xorl %%eax, %%eax; movl %%cs, %%ecx\n\t.code16\n\tlcall $0x0700, $(1f - 0x7000)\n\tjmp 2f\n1: movw %%cs, %%ax; movw %%sp, %%bx; movw 2(%%bx), %%cx; lretw\n2:\n\t.code16gcc"
			 : "=a"(a), "=c"(b) : : "ebx", "memory");
	print("far call: cs %x return cs %x\n", a & 0xffff, b & 0xffff);
	__asm__ volatile(".code16\n\tpushw $0x0680; pushw $(1f - 0x6800); lretw\n1: movw %%cs, %%ax; ljmpw $0, $2f\n2:\n\t.code16gcc" : "=a"(a) : : "memory");
	print("far return: cs %x\n", a & 0xffff);
}

static void vectors(void)
{
	uint32_t a;

	set_vector(0x60, 0, (uint16_t)(uint32_t)real_trap);
	set_vector(0x61, 0x0700, (uint16_t)((uint32_t)real_trap - 0x7000));
	for (unsigned int v = 0; v <= 7; v++)
		if (v != 2)
			set_vector((uint8_t)v, 0, (uint16_t)(uint32_t)real_trap);
	__asm__ volatile("xorw %%si, %%si; stc; int $0x60" : : : "esi", "cc", "memory");
	print("int 60: cs %x flags %x\n", seen_cs, seen_flags & 0x3d7);
	__asm__ volatile("xorw %%si, %%si; sti; nop; int $0x61; cli" : : : "esi", "cc", "memory");
	print("int 61: if %x after it if %x\n", seen_flags & 0x200, read_eflags() & 0x200);
	vector_hits = 0;
	__asm__ volatile(".code16\n\tmovw $2, %%si; xorl %%ecx, %%ecx; movw $1f, %%bx\n1: divw %%cx\n\t.code16gcc" : "=b"(a) : "a"(1), "d"(0) : "ecx", "esi", "cc", "memory");
	print("divide error at itself %u\n", seen_ip == (a & 0xffff));
	__asm__ volatile(".code16\n\tmovw $2, %%si; movw $1f, %%bx\n1: ud2\n\t.code16gcc" : "=b"(a) : : "esi", "cc", "memory");
	print("ud2 at itself %u\n", seen_ip == (a & 0xffff));
	__asm__ volatile(".code16\n\txorw %%si, %%si; movw $1f, %%bx\nint3\n1:\n\t.code16gcc" : "=b"(a) : : "esi", "cc", "memory");
	print("int3 behind itself %u\n", seen_ip == (a & 0xffff));
	__asm__ volatile("xorw %%si, %%si; movb $0x7f, %%al; incb %%al; into" : : : "eax", "esi", "cc", "memory");
	print("hits %u\n", vector_hits);
	/* Single step in real mode. */
	vector_hits = 0;
	__asm__ volatile(".code16\n\txorw %%si, %%si; pushfw; popw %%ax; orw $0x100, %%ax; pushw %%ax; popfw; nop; nop; pushw %%bx; popw %%bx; andw $0xfeff, %%ax; pushw %%ax; popfw\n\t.code16gcc" : : : "eax", "esi", "cc", "memory");
	print("single steps %u\n", vector_hits);
	/* LIDT moves the vector table; an IDT limit that is too short is not tried here. */
	{
		struct { uint16_t limit; uint32_t base; } __attribute__((packed)) moved = { 0x3ff, 0x60000 }, old;

		__asm__ volatile("sidt %0" : "=m"(old));
		__asm__ volatile("movw $0x6000, %%ax; movw %%ax, %%fs; movl %0, %%fs:0x62 * 4" : : "r"((uint32_t)real_trap) : "eax", "memory");
		vector_hits = 0;
		__asm__ volatile("lidtl %0; xorw %%si, %%si; int $0x62; lidtl %1" : : "m"(moved), "m"(old) : "esi", "memory");
		print("moved table: hits %u old base %x limit %x\n", vector_hits, old.base, old.limit);
	}
}

static void a20(void)
{
	uint32_t a, b;

	outb(0x92, inb(0x92) | 2);
	*(volatile uint8_t *)0x7b0 = 0x11;
	__asm__ volatile("movw $0xffff, %%ax; movw %%ax, %%fs; movb $0x22, %%fs:0x7c0; movzbl 0x7b0, %0; movzbl %%fs:0x7c0, %1" : "=&r"(a), "=&r"(b) : : "eax", "memory");
	print("a20 open: %x %x\n", a, b);
	outb(0x92, inb(0x92) & ~2);
	__asm__ volatile("movw $0xffff, %%ax; movw %%ax, %%fs; movzbl %%fs:0x7c0, %0; movb $0x33, %%fs:0x7c0; movzbl 0x7b0, %1" : "=&r"(a), "=&r"(b) : : "eax", "memory");
	print("a20 closed: %x %x\n", a, b);
	outb(0x92, inb(0x92) | 2);
	__asm__ volatile("movw $0xffff, %%ax; movw %%ax, %%fs; movzbl %%fs:0x7c0, %0" : "=r"(a) : : "eax", "memory");
	print("a20 open again: %x\n", a);
}

/* Protected mode and back with big limits left in the segment caches: 4 GiB data in real mode. */
static void unreal(void)
{
	static uint64_t table[3] __attribute__((aligned(8))) = { 0, 0x008f93000000ffff, 0x00009b000000ffff };
	struct { uint16_t limit; uint32_t base; } __attribute__((packed)) pointer = { sizeof(table) - 1, (uint32_t)table };
	uint32_t a, b;

	outb(0x92, inb(0x92) | 2);
	__asm__ volatile("lgdtl %2\n\t"
			 "movl %%cr0, %%eax; orb $1, %%al; movl %%eax, %%cr0; jmp 1f\n1:\n\t"
			 "movl $8, %%ecx; movl %%ecx, %%fs\n\t"
			 "andb $0xfe, %%al; movl %%eax, %%cr0; jmp 2f\n2:\n\t"
			 "movl $0x200000, %%ecx; movl $0xcafef00d, %%fs:(%%ecx); movl %%fs:(%%ecx), %0; movl %%fs:0x100000(%%ecx), %1"
			 : "=&r"(a), "=&r"(b) : "m"(pointer) : "eax", "ecx", "memory");
	print("unreal: %x\n", a);
	/* A reload in real mode sets the base and leaves the limit. */
	__asm__ volatile("movw $0x1000, %%ax; movw %%ax, %%fs; movl $0x1f0000, %%ecx; movl %%fs:(%%ecx), %0" : "=r"(a) : : "eax", "ecx");
	print("still big after a reload: %x\n", a);
	print("pe %x\n", read_cr0() & 1);
}

static void bios(void)
{
	uint32_t a, b, c;

	__asm__ volatile("int $0x12; movzwl %%ax, %%eax" : "=a"(a) : : "cc", "memory");
	print("int 12h: at least 600 KiB %u\n", a >= 600);
	__asm__ volatile("int $0x15; setc %%al; movzbl %%al, %%eax" : "=a"(c), "=b"(a), "=c"(b) : "0"(0xe801), "1"(0), "2"(0) : "edx", "cc", "memory");
	print("int 15h e801: carry %u memory %s\n", c & 1, (a & 0xffff) || (b & 0xffff) ? "yes" : "none");
	__asm__ volatile("pushw %%es; xorw %%cx, %%cx; movb $8, %%ah; movb $0x80, %%dl; int $0x13; popw %%es; setc %b0; movzbl %b0, %0; movzbl %%dl, %1" : "=&b"(a), "=&S"(b) : : "eax", "ecx", "edx", "edi", "cc", "memory");
	print("int 13h 08: carry %u disks %u\n", a, b);
	/* The BIOS tick counter goes on while interrupts are open: SeaBIOS handles IRQ 0. */
	a = *(volatile uint32_t *)0x46c;
	__asm__ volatile("sti");
	do {
		__asm__ volatile("hlt");
		b = *(volatile uint32_t *)0x46c;
	} while (a == b);
	__asm__ volatile("cli");
	print("ticks go on\n");
}

void guest_main(void)
{
	bios();
	segments();
	vectors();
	a20();
	unreal();
}
