/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/code.c - code that is made at run time, calls of every kind, faults as signals, known algorithms. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "work.h"

typedef uint32_t (*made_fn)(void);

static uint8_t *code_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* mov $value, %eax; ret */
static void put_constant(uint8_t *at, uint32_t value)
{
	at[0] = 0xb8;
	memcpy(at + 1, &value, 4);
	at[5] = 0xc3;
	__asm__ volatile("" : : : "memory");
}

bool generated_code_follows_its_changes(void)
{
	uint8_t *p = code_pages(4096);
	uint32_t sum = 0;

	if (!p)
		return false;
	for (uint32_t i = 0; i < 2000; i++) {
		put_constant(p, i);
		sum += ((made_fn)(uintptr_t)p)();
	}
	if (sum != 1999000) {
		fprintf(stderr, "sum %u\n", sum);
		return false;
	}
	/* Written while writable, run while not: what a careful just-in-time compiler does. */
	sum = 0;
	for (uint32_t i = 0; i < 100; i++) {
		mprotect(p, 4096, PROT_READ | PROT_WRITE);
		put_constant(p, i * i);
		mprotect(p, 4096, PROT_READ | PROT_EXEC);
		sum += ((made_fn)(uintptr_t)p)();
	}
	munmap(p, 4096);
	return sum == 328350;
}

bool generated_code_in_many_pages(void)
{
	enum { PAGES = 256 };
	uint8_t *p = code_pages(PAGES * 4096);
	uint32_t sum = 0;

	if (!p)
		return false;
	for (uint32_t round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < PAGES; i++)
			put_constant(p + i * 4096 + i * 8, i + round);
		for (uint32_t i = 0; i < PAGES; i++)
			sum += ((made_fn)(uintptr_t)(p + i * 4096 + i * 8))();
	}
	munmap(p, PAGES * 4096);
	return sum == 5u * (PAGES * (PAGES - 1) / 2) + PAGES * 10u;
}

static uint32_t f0(uint32_t x) { return x + 1; }
static uint32_t f1(uint32_t x) { return x * 3; }
static uint32_t f2(uint32_t x) { return x ^ 0x5555; }
static uint32_t f3(uint32_t x) { return x >> 1; }

bool indirect_calls_reach_their_targets(void)
{
	static uint32_t (*const volatile table[4])(uint32_t) = { f0, f1, f2, f3 };
	uint32_t through = 7, direct = 7;

	for (uint32_t i = 0; i < 400000; i++) {
		uint32_t which = (i * 7 + (i >> 5)) & 3;

		through = table[which](through);
		switch (which) {
		case 0: direct = direct + 1; break;
		case 1: direct = direct * 3; break;
		case 2: direct = direct ^ 0x5555; break;
		default: direct = direct >> 1;
		}
	}
	return through == direct;
}

static uint32_t __attribute__((noinline)) ackermann(uint32_t m, uint32_t n)
{
	if (m == 0)
		return n + 1;
	return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static uint32_t __attribute__((noinline)) fib(uint32_t n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

bool deep_recursion_returns(void)
{
	return ackermann(2, 300) == 603 && ackermann(3, 6) == 509 && fib(24) == 46368;
}

static sigjmp_buf back;
static volatile int seen_signal, seen_code, skip;

static void fault(int signal_number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	seen_signal = signal_number;
	seen_code = info->si_code;
	if (skip) {
		uc->uc_mcontext.gregs[REG_EIP] += skip;
		return;
	}
	siglongjmp(back, 1);
}

bool exceptions_become_signals(void)
{
	struct sigaction act = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
	volatile int zero = 0;
	volatile bool good = true;

	sigaction(SIGFPE, &act, NULL);
	sigaction(SIGILL, &act, NULL);
	sigaction(SIGTRAP, &act, NULL);
	sigaction(SIGSEGV, &act, NULL);
#define EXPECT(number, statement)                                              \
	do {                                                                   \
		seen_signal = 0;                                               \
		if (sigsetjmp(back, 1) == 0) {                                 \
			statement;                                             \
		}                                                              \
		if (seen_signal != (number)) {                                 \
			fprintf(stderr, #statement ": signal %d\n", seen_signal); \
			good = false;                                          \
		}                                                              \
	} while (0)
	EXPECT(SIGFPE, zero = 7 / zero);
	EXPECT(SIGILL, __asm__ volatile("ud2"));
	EXPECT(SIGTRAP, __asm__ volatile("int3"));
	EXPECT(SIGSEGV, __asm__ volatile("hlt"));
	EXPECT(SIGSEGV, __asm__ volatile("cli"));
	EXPECT(SIGSEGV, __asm__ volatile("inb $0x80, %%al" : : : "eax"));
	EXPECT(SIGSEGV, __asm__ volatile("movl %%cr0, %%eax" : : : "eax"));
	EXPECT(SIGSEGV, __asm__ volatile("lgdt 0" : : : "memory"));
	EXPECT(SIGSEGV, __asm__ volatile("int $0x60"));
	/* A handler that steps over the instruction and goes on. */
	skip = 2;
	for (int i = 0; i < 100; i++) {
		seen_signal = 0;
		__asm__ volatile("ud2");
		good = good && seen_signal == SIGILL;
	}
	skip = 0;
	/* A single step by TF is one SIGTRAP after the next instruction. */
	seen_signal = 0;
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("pushfl; orl $0x100, (%%esp); popfl; nop; nop" : : : "cc", "memory");
	good = good && seen_signal == SIGTRAP && seen_code == TRAP_TRACE;
	signal(SIGFPE, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	return good;
}

/* SHA-256 as FIPS 180-4 writes it down. */
static const uint32_t sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
	0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static void sha_block(uint32_t h[8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[i * 4] << 24 | (uint32_t)block[i * 4 + 1] << 16 | (uint32_t)block[i * 4 + 2] << 8 | block[i * 4 + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
		       (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[i] + w[i];
		uint32_t t2 = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(&v[1], &v[0], 28);
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

bool sha256_of_known_data(void)
{
	/* A million times "a": the long test message of FIPS 180-4's examples. */
	static const uint32_t expected[8] = { 0xcdc76e5c, 0x9914fb92, 0x81a1c7e2, 0x84d73e67, 0xf1809a48, 0xa497200e, 0x046d39cc, 0xc7112cd0 };
	uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	uint8_t block[64];

	memset(block, 'a', 64);
	for (int i = 0; i < 1000000 / 64; i++)
		sha_block(h, block);
	memset(block, 0, 64);
	block[0] = 0x80;
	block[60] = 0x00;
	block[61] = 0x7a;
	block[62] = 0x12;
	block[63] = 0x00;
	sha_block(h, block);
	return memcmp(h, expected, sizeof(h)) == 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

bool sorting_is_right(void)
{
	enum { N = 50000 };
	uint32_t *v = malloc(N * sizeof(*v)), seed = 99, sum = 0, sorted_sum = 0;
	bool good = true;

	if (!v)
		return false;
	for (int i = 0; i < N; i++) {
		seed = seed * 1664525 + 1013904223;
		sum += v[i] = seed;
	}
	qsort(v, N, sizeof(*v), compare);
	for (int i = 0; i < N; i++) {
		sorted_sum += v[i];
		if (i && v[i - 1] > v[i])
			good = false;
	}
	free(v);
	return good && sum == sorted_sum;
}
