/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/arith.c - integer instructions over many operands: results and the flags that the SDM defines, as checksums.
 * A monitor that rewrites code must not disturb flags anywhere; every line here passes through branches, calls and memory.
 */
#include "guest.h"

static uint32_t hash, seed = 12345;

static uint32_t next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed ^ seed >> 15;
}

static void mix(uint32_t v)
{
	hash = (hash ^ v) * 16777619u;
}

/* OF SF ZF AF PF CF; logic leaves AF undefined, multiplication all but OF and CF. */
#define ALL 0x8d5u
#define LOGIC 0x8c5u
#define MUL 0x801u

#define BINARY(name, suffix, mask)                                                                          \
	do {                                                                                                \
		hash = 2166136261u;                                                                         \
		for (unsigned int i = 0; i < 200; i++) {                                                    \
			uint32_t x = operand(i), y = next(), f = i & 1;                                     \
			__asm__ volatile("shrl $1, %1; " name suffix "; pushfl; popl %1" : "+a"(x), "+r"(f) : "d"(y) : "cc"); \
			mix(x);                                                                             \
			mix(f & (mask));                                                                    \
		}                                                                                           \
		print("%s %08x\n", name, hash);                                                             \
	} while (0)

static uint32_t operand(unsigned int i)
{
	static const uint32_t corners[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000u, 0xffffffffu };

	return i < 11 ? corners[i] : next();
}

static void shifts(void)
{
#define SHIFT(name, zero_mask)                                                                              \
	do {                                                                                                \
		hash = 2166136261u;                                                                         \
		for (unsigned int i = 0; i < 200; i++) {                                                    \
			uint32_t x = operand(i), n = next() & 31, f;                                        \
			__asm__ volatile("cmpl %0, %0; " name " %%cl, %0; pushfl; popl %1" : "+a"(x), "=r"(f) : "c"(n) : "cc"); \
			mix(x);                                                                             \
			mix(f & (n == 1 ? (zero_mask) | 0x800u : (zero_mask)));                             \
		}                                                                                           \
		print("%s %08x\n", name, hash);                                                             \
	} while (0)
	SHIFT("shll", 0xc5);
	SHIFT("shrl", 0xc5);
	SHIFT("sarl", 0xc5);
	SHIFT("roll", 0x01);
	SHIFT("rorl", 0x01);
	SHIFT("rcll", 0x01);
	SHIFT("rcrl", 0x01);
	hash = 2166136261u;
	for (unsigned int i = 0; i < 200; i++) {
		uint32_t x = operand(i), y = next(), n = next() & 31;

		__asm__ volatile("shldl %%cl, %1, %0; shrdl %%cl, %0, %1" : "+r"(x), "+r"(y) : "c"(n) : "cc");
		mix(x);
		mix(y);
	}
	print("shld shrd %08x\n", hash);
}

static void conditions(void)
{
	hash = 2166136261u;
	for (unsigned int i = 0; i < 256; i++) {
		/* The eight flags in all their combinations, through POPF, SETcc and Jcc. */
		uint32_t flags = (i & 1) | (i & 2) << 1 | (i & 4) << 2 | (i & 8) << 3 | (i & 16) << 3 | (i & 32) << 6 | 2;
		uint32_t set = 0, jumped = 0;

#define CONDITION(cc)                                                                                                   \
		{                                                                                                       \
			uint32_t s = 0, j = 1;                                                                          \
			__asm__ volatile("pushl %2; popfl; set" cc " %b0; j" cc " 1f; movl $0, %1\n1:" : "+q"(s), "+r"(j) : "r"(flags) : "cc", "memory"); \
			set = set << 1 | s;                                                                             \
			jumped = jumped << 1 | j;                                                                       \
		}
		CONDITION("o") CONDITION("no") CONDITION("b") CONDITION("ae") CONDITION("e") CONDITION("ne") CONDITION("be") CONDITION("a")
		CONDITION("s") CONDITION("ns") CONDITION("p") CONDITION("np") CONDITION("l") CONDITION("ge") CONDITION("le") CONDITION("g")
		mix(set);
		mix(jumped);
		if (set != jumped)
			print("setcc and jcc differ at %x\n", flags);
	}
	print("conditions %08x\n", hash);
}

/* Flags must live across every kind of branch. */
static void across_branches(void)
{
	uint32_t f;

	hash = 2166136261u;
	for (unsigned int i = 0; i < 64; i++) {
		uint32_t flags = (i & 1) | (i & 2) << 1 | (i & 4) << 2 | (i & 8) << 3 | (i & 16) << 3 | (i & 32) << 6 | 2, target;

		__asm__ volatile("movl $2f, %1; pushl %2; popfl; jmp 1f\n1: call 3f; jmp *%1\n2: pushfl; popl %0; jmp 4f\n3: ret\n4:"
				 : "=r"(f), "=&r"(target) : "r"(flags) : "memory", "cc");
		mix(f & 0xfd7);
		__asm__ volatile("movl $3f, %1; pushl %2; popfl; call *%1; pushl $2f; ret $0\n2: lcall $0x08, $5f; pushfl; popl %0; jmp 4f\n3: ret\n5: lret\n4:"
				 : "=r"(f), "=&r"(target) : "r"(flags) : "memory", "cc");
		mix(f & 0xfd7);
		__asm__ volatile("pushl %1; popfl; movl $3, %%ecx\n1: nop; loop 1b; leal 4(%%ecx), %%ecx; jecxz 1b; xchgl %%ecx, %%ecx; pushfl; popl %0"
				 : "=r"(f) : "r"(flags) : "ecx", "memory", "cc");
		mix(f & 0xfd7);
		__asm__ volatile("pushl %1; popfl; movl %%ds, %%ecx; movl %%ecx, %%es; pushl %%es; popl %%es; sti; cli; pushfl; popl %0"
				 : "=r"(f) : "r"(flags) : "ecx", "memory", "cc");
		mix(f & 0xfd7);
		__asm__ volatile("pushl %1; popfl; inb $0x61, %%al; outb %%al, $0x80; movl %%cr0, %%eax; str %%ax; pushfl; popl %0"
				 : "=r"(f) : "r"(flags) : "eax", "memory", "cc");
		mix(f & 0xfd7);
	}
	print("across branches and sensitive instructions %08x\n", hash);
}

static void decimal(void)
{
	hash = 2166136261u;
	for (unsigned int i = 0; i < 1024; i++) {
		uint32_t x = i & 255, f = 2 | (i >> 8 & 1) | (i >> 9 & 1) << 4;

#define DECIMAL(name, mask)                                                                                            \
		{                                                                                                      \
			uint32_t v = x | 0x500, g = f;                                                                 \
			__asm__ volatile("pushl %1; popfl; " name "; pushfl; popl %1" : "+a"(v), "+r"(g) : : "cc", "memory"); \
			mix(v);                                                                                        \
			mix(g & (mask));                                                                               \
		}
		DECIMAL("daa", 0xd5) DECIMAL("das", 0xd5) DECIMAL("aaa", 0x11) DECIMAL("aas", 0x11) DECIMAL("aam", 0xc4) DECIMAL("aad", 0xc4)
		DECIMAL("cbw; cwde; cdq; cwd", 0xd5) DECIMAL("sahf; lahf", 0xd5) DECIMAL("cmc", 0x01)
	}
	print("decimal %08x\n", hash);
}

static void stack(void)
{
	uint32_t out[8], esp1, esp2, frame;

	__asm__ volatile("movl %%esp, %0; pushal; movl %%esp, %%eax; movl 12(%%eax), %%eax; popal; movl %%esp, %1" : "=&r"(esp1), "=&r"(esp2) : : "memory");
	print("pusha popa balanced %u\n", esp1 == esp2);
	__asm__ volatile("pushl %%esp; popl %%eax; movl %%esp, %%ecx; subl %%eax, %%ecx; movl %%ecx, %0" : "=m"(out[0]) : : "eax", "ecx", "cc", "memory");
	__asm__ volatile("pushl $0x12345678; movl %%esp, %%eax; popl (%%esp); movl %%esp, %%ecx; subl %%eax, %%ecx; movl (%%esp), %%eax; subl $4, %%esp; addl $4, %%esp; movl %%eax, %0; movl %%ecx, %1; "
			 : "=m"(out[1]), "=m"(out[2]) : : "eax", "ecx", "cc", "memory");
	print("push esp %u pop (esp) %x\n", out[0], out[2]);
	__asm__ volatile("movl %%ebp, %%edx; movl %%esp, %%ecx; movl %%esp, %%ebp; enter $16, $3; movl %%ebp, %%eax; subl %%esp, %%eax; leave; movl %%ecx, %%esp; movl %%edx, %%ebp; movl %%eax, %0" : "=r"(frame) : : "eax", "ecx", "edx", "cc", "memory");
	print("enter 16, 3: frame %u\n", frame);
	__asm__ volatile("pushw $0x1234; pushw $0x5678; popl %0" : "=r"(frame));
	print("16-bit pushes %x\n", frame);

}

void guest_main(void)
{
	BINARY("addl", " %%edx, %%eax", ALL);
	BINARY("adcl", " %%edx, %%eax", ALL);
	BINARY("subl", " %%edx, %%eax", ALL);
	BINARY("sbbl", " %%edx, %%eax", ALL);
	BINARY("cmpl", " %%edx, %%eax", ALL);
	BINARY("andl", " %%edx, %%eax", LOGIC);
	BINARY("orl", " %%edx, %%eax", LOGIC);
	BINARY("xorl", " %%edx, %%eax", LOGIC);
	BINARY("testl", " %%edx, %%eax", LOGIC);
	BINARY("addw", " %%dx, %%ax", ALL);
	BINARY("sbbw", " %%dx, %%ax", ALL);
	BINARY("addb", " %%dl, %%ah", ALL);
	BINARY("sbbb", " %%dh, %%al", ALL);
	BINARY("negl", " %%eax", ALL);
	BINARY("incl", " %%eax", ALL);
	BINARY("decw", " %%ax", ALL);
	BINARY("notl", " %%eax", 1);
	BINARY("imull", " %%edx, %%eax", MUL);
	BINARY("imulw", " $-77, %%dx, %%ax", MUL);
	BINARY("btsl", " %%edx, %%eax", 1);
	BINARY("btcl", " $5, %%eax", 1);
	BINARY("bsfl", " %%edx, %%eax", 0x40);
	BINARY("bsrl", " %%edx, %%eax", 0x40);
	BINARY("xaddl", " %%eax, %%eax", ALL);
	BINARY("movsbl", " %%dl, %%eax", 1);
	BINARY("movzwl", " %%dx, %%eax", 1);
	BINARY("cmpxchgl", " %%edx, %%eax", ALL);
	shifts();
	conditions();
	across_branches();
	decimal();
	stack();
}
