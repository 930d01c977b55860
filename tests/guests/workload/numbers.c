/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/numbers.c - x87 arithmetic with known results to the last bit, and 64-bit integers by 32-bit code. */
#include <fenv.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

static bool same(const char *what, double got, uint64_t expected)
{
	uint64_t bits;

	memcpy(&bits, &got, 8);
	if (bits != expected)
		fprintf(stderr, "%s: %016llx, not %016llx\n", what, (unsigned long long)bits, (unsigned long long)expected);
	return bits == expected;
}

bool x87_gives_known_results(void)
{
	volatile double two = 2, three = 3, sum = 0;
	double pi;

	__asm__("fldpi" : "=t"(pi));
	for (int i = 1; i <= 100000; i++)
		sum += (double)(float)(1.0f / (float)i);
	return same("sqrt 2", sqrt(two), 0x3ff6a09e667f3bcdull) & same("2/3", two / three, 0x3fe5555555555555ull) &
	       same("pi", pi, 0x400921fb54442d18ull) & same("exp", exp(1.0 * two), 0x401d8e64b8d4ddaeull) &
	       same("log", log(three), 0x3ff193ea7aad030bull) & (sum > 12.0901 && sum < 12.0902);
}

bool x87_rounding_modes(void)
{
	static const int modes[4] = { FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };
	static const double expected[4] = { -2, -3, -2, -2 };
	volatile double x = -2.5;
	bool good = true;

	for (int i = 0; i < 4; i++) {
		fesetround(modes[i]);
		if (rint(x) != expected[i])
			good = false;
	}
	fesetround(FE_TONEAREST);
	return good;
}

static volatile double scratch;

static void disturb(int signal_number)
{
	(void)signal_number;
	scratch = sqrt(scratch + 3.0) * 7.0;
}

/* Two processes compute, a timer interrupts: each must get what it gets alone. */
bool x87_state_survives_switches(void)
{
	struct itimerval each = { { 0, 3000 }, { 0, 3000 } }, none = { { 0, 0 }, { 0, 0 } };
	int status;
	pid_t pid;
	double x = 0.5;

	signal(SIGALRM, disturb);
	pid = fork();
	setitimer(ITIMER_REAL, &each, NULL);
	for (int i = 0; i < 400000; i++)
		x = x * 3.75 * (1.0 - x);
	setitimer(ITIMER_REAL, &none, NULL);
	if (pid == 0) {
		double alone = 0.5;

		for (int i = 0; i < 400000; i++)
			alone = alone * 3.75 * (1.0 - alone);
		_exit(memcmp(&x, &alone, 8) == 0 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	{
		double alone = 0.5;

		for (int i = 0; i < 400000; i++)
			alone = alone * 3.75 * (1.0 - alone);
		return memcmp(&x, &alone, 8) == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
}

bool integers_64_bit(void)
{
	volatile uint64_t a = 0x123456789abcdef0ull, b = 0xfedcba98ull;
	volatile int64_t c = -1234567890123456789ll, d = 987654321;

	return a / b == 0x12492492ull && a % b == 0x51451440ull && (uint64_t)c * (uint64_t)d == 0x3802dc1162e7387bull && c / d == -1249999988ll && c % d == -725308641ll &&
	       (a << 17) == 0xacf13579bde00000ull && (a >> 35) == 0x2468acfull;
}
