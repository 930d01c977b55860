/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/cpuid.c - CPUID, RDTSC and the MSRs, as far as every processor from the Pentium Pro on agrees.
 * SDM 2A, "CPUID"; SDM 3B, "Time-Stamp Counter".
 */
#include "guest.h"

static uint32_t a, b, c, d;

static void cpuid(uint32_t leaf)
{
	__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(leaf), "2"(0));
}

static const char *yes(bool v)
{
	return v ? "yes" : "no";
}

static void user(void)
{
	uint64_t t1, t2;

	cpuid(0);
	print("user cpuid: %s\n", yes(a >= 1));
	TRY("rdtsc", : : : "eax", "edx");
	show("user rdtsc");
	t1 = rdtsc();
	t2 = rdtsc();
	print("user tsc goes on: %s\n", yes(t2 >= t1));
}

static void user_tsd(void)
{
	TRY("rdtsc", : : : "eax", "edx");
	show("user rdtsc with tsd");
	TRY("rdpmc", : : "c"(0) : "eax", "edx");
	show("user rdpmc");
}

void guest_main(void)
{
	uint64_t t1, t2;
	uint32_t flags;
	bool letters = true;

	flags = read_eflags();
	write_eflags(flags ^ 0x200000);
	print("id toggles: %s\n", yes((read_eflags() ^ flags) & 0x200000));
	write_eflags(flags);

	cpuid(0);
	for (unsigned int i = 0; i < 4; i++) {
		letters = letters && (uint8_t)(b >> i * 8) >= ' ' && (uint8_t)(b >> i * 8) < 0x7f;
		letters = letters && (uint8_t)(c >> i * 8) >= ' ' && (uint8_t)(d >> i * 8) < 0x7f;
	}
	print("leaf 0: more than 0: %s vendor is text: %s\n", yes(a >= 1), yes(letters));
	cpuid(1);
	print("fpu %s tsc %s msr %s cx8 %s sep %s pge %s cmov %s pse %s pae %s mmx %s fxsr %s sse %s sse2 %s\n", yes(d & 1), yes(d >> 4 & 1),
	      yes(d >> 5 & 1), yes(d >> 8 & 1), yes(d >> 11 & 1), yes(d >> 13 & 1), yes(d >> 15 & 1), yes(d >> 3 & 1), yes(d >> 6 & 1), yes(d >> 23 & 1),
	      yes(d >> 24 & 1), yes(d >> 25 & 1), yes(d >> 26 & 1));
	print("vmx %s\n", yes(c >> 5 & 1));
	print("family at least 5: %s\n", yes((a >> 8 & 15) >= 5));
	cpuid(0x40000000u + 0x12345);	/* whatever it says, it must not fault and must be the same twice */
	flags = a ^ b ^ c ^ d;
	cpuid(0x40000000u + 0x12345);
	print("an odd leaf is steady: %s\n", yes(flags == (a ^ b ^ c ^ d)));
	t1 = rdtsc();
	for (volatile unsigned int i = 0; i < 1000; i++)
		;
	t2 = rdtsc();
	print("tsc goes on: %s\n", yes(t2 > t1));
	run_user(user);
	write_cr4(read_cr4() | 4);
	run_user(user_tsd);
	TRY("rdtsc", : : : "eax", "edx");
	show("kernel rdtsc with tsd");
	write_cr4(read_cr4() & ~4u);

	/* CMOV, CMPXCHG8B, BSWAP, XADD: what the kernels need. */
	__asm__ volatile("movl $1, %0; movl $2, %1; cmpl %0, %1; cmovgl %1, %0; cmovel %2, %0" : "=&r"(a), "=&r"(b) : "r"(9) : "cc");
	print("cmov %u\n", a);
	{
		static uint64_t value = 0x1122334455667788ull;
		static uint8_t equal;

		__asm__ volatile("pushl %%ebx; movl $0x99aabbcc, %%ebx; movl $0xddeeff00, %%ecx; movl $0x55667788, %%eax; movl $0x11223344, %%edx; lock cmpxchg8b %0; setz %1; popl %%ebx"
				 : "+m"(value), "=m"(equal) : : "eax", "ecx", "edx", "cc");
		print("cmpxchg8b %x %08x%08x\n", equal, (uint32_t)(value >> 32), (uint32_t)value);
	}
	a = 0x12345678;
	__asm__ volatile("bswap %0" : "+r"(a));
	b = 5;
	__asm__ volatile("lock xaddl %0, %1" : "+r"(b), "+m"(flags) : : "cc");
	print("bswap %x\n", a);
}
