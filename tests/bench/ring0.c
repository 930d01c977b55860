/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/bench/ring0.c - what a kernel does all day, measured in a guest without a kernel: interrupt flag, flags, ports, far calls,
 * exceptions, control registers. Built with the small guests' library; prints "bench ring0 NAME VALUE ns UNIT" with one decimal.
 *
 * Time is the guest's own TSC, whose rate is taken from the PIT over 50 ms: both run on the guest's clock, whoever the host is.
 */
#include "guest.h"

#ifndef ROW_MS
#define ROW_MS 20	/* tests/module/guests/ring0_counted.c wants less */
#endif

static uint32_t tsc_khz;

/* Count 59,659 PIT cycles (50 ms) on channel 2 by its gate and output bits in port 61h. */
static void calibrate(void)
{
	uint64_t start;

	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb0);
	outb(0x42, 59659 & 0xff);
	outb(0x42, 59659 >> 8);
	start = rdtsc();
	while (!(inb(0x61) & 0x20))
		;
	/* No 64-bit division here: 50 ms of any processor fit 32 bits. */
	tsc_khz = (uint32_t)(rdtsc() - start) / 50;
}

static void print_row(const char *name, uint32_t cycles, uint32_t rounds, const char *unit)
{
	/* ns * 10 = cycles * 10,000,000 / kHz / rounds, in steps that stay inside 64 by 32 bits. */
	uint64_t product = (uint64_t)cycles * 10000;
	uint32_t low, high = (uint32_t)(product >> 32), rest, tenths;

	__asm__("divl %4" : "=a"(low), "=d"(rest) : "0"((uint32_t)product), "1"(high % tsc_khz), "r"(tsc_khz));
	/* low: tenths of microseconds of all rounds together */
	__asm__("mull %2; divl %3" : "=a"(tenths), "=d"(rest) : "r"(1000u), "r"(rounds), "0"(low) : "cc");
	print("bench ring0 %s %u.%u ns %s\n", name, tenths / 10, tenths % 10, unit);
}

/* Rounds are doubled until ROW_MS are filled; the best of three counts. The empty loop costs about a nanosecond and stays in. */
#define ROW(name, unit, body, ...)                                                                        \
	do {                                                                                              \
		uint32_t rounds = 64, best = 0;                                                           \
		for (unsigned int pass = 0; pass < 3;) {                                                  \
			uint64_t start = rdtsc();                                                         \
			uint32_t cycles;                                                                  \
			for (uint32_t i = 0; i < rounds; i++)                                             \
				__asm__ volatile(body __VA_ARGS__);                                       \
			cycles = (uint32_t)(rdtsc() - start);                                             \
			if (cycles < tsc_khz * ROW_MS && rounds < 1u << 28) {                             \
				rounds *= 2;                                                              \
				continue;                                                                 \
			}                                                                                 \
			if (pass == 0 || cycles < best)                                                   \
				best = cycles;                                                            \
			pass++;                                                                           \
		}                                                                                         \
		print_row(name, best, rounds, unit);                                                      \
	} while (0)

static void skip_ud2(struct frame *f)
{
	f->eip += 2;
}

static void nothing(struct frame *f)
{
	(void)f;
}

static void fill_page(struct frame *f)
{
	(void)f;
	*pte_of(0x40000000u) |= 1;
}

void near_function(void);
void far_function(void);
__asm__("near_function: ret\nfar_function: lret\n");

void guest_main(void)
{
	calibrate();
	pic_init();
	hook[6] = skip_ud2;
	hook[0x40] = nothing;
#ifdef ROW_EMPTY
	ROW("empty", "loop", "");
#endif
	ROW("near_call", "pair", "call near_function", : : : "memory");
	ROW("cli_sti", "pair", "cli; sti", : : : "memory");
	__asm__ volatile("cli");
	ROW("pushf_popf", "pair", "pushfl; popfl", : : : "memory", "cc");
	ROW("pushf_cli_popf", "triple", "pushfl; cli; popfl", : : : "memory", "cc");
	ROW("far_call", "pair", "lcall $0x08, $far_function", : : : "memory");
	ROW("load_es", "load", "movl %0, %%es", : : "r"(SEL_DATA0) : "memory");
	ROW("read_ds", "read", "movl %%ds, %%eax", : : : "eax");
	ROW("out_80", "access", "outb %%al, $0x80", : : : "memory");
	ROW("in_uart", "access", "inb %%dx, %%al", : : "d"(0x3fd) : "eax", "memory");
	ROW("in_pit", "access", "inb $0x40, %%al", : : : "eax", "memory");
	ROW("in_pic", "access", "inb $0x21, %%al", : : : "eax", "memory");
	ROW("rdtsc", "read", "rdtsc", : : : "eax", "edx");
	ROW("cpuid", "read", "cpuid", : : "a"(0) : "ebx", "ecx", "edx");
	ROW("read_cr0", "read", "movl %%cr0, %%eax", : : : "eax");
	ROW("clts", "write", "clts", : : : "memory");
	ROW("int_iret", "round-trip", "int $0x40", : : : "memory");
	ROW("ud2_iret", "round-trip", "ud2", : : : "memory");
	ROW("vga_write", "write", "movw $0x0720, 0xb8000", : : : "memory");
	paging_identity();
	map_page(0x40000000u, 0x500003);
	ROW("invlpg_touch", "pair", "invlpg 0x40000000; movl 0x40000000, %%eax", : : : "eax", "memory");
	ROW("write_pte", "write", "movl %1, (%0)", : : "r"(pte_of(0x40001000u)), "r"(0) : "memory");
	ROW("mov_cr3", "write", "movl %%cr3, %%eax; movl %%eax, %%cr3; movl 0x40000000, %%eax", : : : "eax", "memory");
	hook[14] = fill_page;
	ROW("page_fault", "fault", "andl $~1, (%0); invlpg 0x40000000; movl 0x40000000, %%eax", : : "r"(pte_of(0x40000000u)) : "eax", "memory");
}
