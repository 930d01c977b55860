/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/count_instructions.c - is RDTSC a count of instructions in this machine? (tests/module/run --bench)
 *
 * QEMU's "-icount shift=0" lets one instruction take one nanosecond and the time stamp counter count nanoseconds. Then a figure
 * is the same on every host and in every run, which no measured time is. This program times a loop whose instructions are known.
 *
 * Asked by: tests/module/inside/bench_instructions_are_counted.
 */
#include <stdint.h>
#include <stdio.h>

#define ROUNDS 100000u

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

int main(void)
{
	uint64_t best = UINT64_MAX;

	/* The timer's interrupt falls into some rounds, so the least of them counts. */
	for (int i = 0; i < 20; i++) {
		uint64_t rounds = ROUNDS, start = tsc(), spent;

		/* Three instructions each. */
		__asm__ volatile("1: nop; dec %0; jnz 1b" : "+r"(rounds) : : "cc");
		spent = tsc() - start;
		if (spent < best)
			best = spent;
	}
	printf("bench instructions_per_round %.2f\n", (double)best / ROUNDS);
	if (best < 3 * ROUNDS || best > 3 * ROUNDS + ROUNDS / 50) {
		printf("a loop of 3 instructions took %.2f counts: RDTSC does not count instructions here\n", (double)best / ROUNDS);
		return 1;
	}
	return 0;
}
