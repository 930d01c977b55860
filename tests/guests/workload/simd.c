/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/simd.c - SSE and SSE2 with known results, and that their state survives signals and switches. */
#include <emmintrin.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include "work.h"

#define SSE2 __attribute__((target("sse2")))

SSE2 bool sse_gives_known_results(void)
{
	__m128 a, b;
	__m128d d;
	__m128i i;
	uint32_t out[4];
	double pair[2];

	if (!__builtin_cpu_supports("sse2"))
		return true;
	a = _mm_set_ps(4, 3, 2, 1);
	b = _mm_mul_ps(_mm_add_ps(a, a), a);
	memcpy(out, &b, 16);
	if (out[0] != 0x40000000 || out[1] != 0x41000000 || out[2] != 0x41900000 || out[3] != 0x42000000)
		return false;
	d = _mm_sqrt_pd(_mm_set_pd(2, 9));
	memcpy(pair, &d, 16);
	if (pair[0] != 3 || pair[1] != 1.4142135623730951)
		return false;
	i = _mm_sad_epu8(_mm_set1_epi8(9), _mm_set1_epi8(4));
	memcpy(out, &i, 16);
	if (out[0] != 40 || out[2] != 40)
		return false;
	i = _mm_madd_epi16(_mm_set1_epi16(300), _mm_set1_epi16(-7));
	memcpy(out, &i, 16);
	return out[0] == (uint32_t)-4200 && _mm_movemask_epi8(_mm_set1_epi8(-1)) == 0xffff;
}

static volatile int disturbed;

SSE2 static void disturb(int signal_number)
{
	__m128d x = _mm_set1_pd(1e300 + signal_number);

	__asm__ volatile("movapd %0, %%xmm0; movapd %0, %%xmm3; movapd %0, %%xmm7" : : "x"(x) : "xmm0", "xmm3", "xmm7");
	disturbed++;
}

SSE2 bool sse_state_survives_signals(void)
{
	struct itimerval each = { { 0, 2000 }, { 0, 2000 } }, none = { { 0, 0 }, { 0, 0 } };
	uint32_t out[4];
	bool good = true;

	if (!__builtin_cpu_supports("sse2"))
		return true;
	signal(SIGALRM, disturb);
	setitimer(ITIMER_REAL, &each, NULL);
	while (disturbed < 20) {
		uint32_t counted;

		__asm__ volatile("movl $0x1234, %%eax; movd %%eax, %%xmm7; pshufd $0, %%xmm7, %%xmm7; movdqa %%xmm7, %%xmm3\n\t"
				 "movl $20000, %%ecx\n1: decl %%ecx; jnz 1b\n\t"
				 "paddd %%xmm3, %%xmm7; movdqu %%xmm7, %0; movl %%ecx, %1"
				 : "=m"(out), "=m"(counted) : : "eax", "ecx", "xmm3", "xmm7", "cc");
		for (int i = 0; i < 4; i++)
			good = good && out[i] == 0x2468;
	}
	setitimer(ITIMER_REAL, &none, NULL);
	return good;
}
