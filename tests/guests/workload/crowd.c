/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/crowd.c - more processes than a host may keep address spaces for, each with a state of its own. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

enum { CROWD = 40, ROUNDS = 60 };

static bool all_end_well(pid_t *pid, int n)
{
	bool good = true;

	for (int i = 0; i < n; i++) {
		int status = -1;

		if (pid[i] <= 0 || waitpid(pid[i], &status, 0) != pid[i] || !WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "process %d of the crowd: status %x\n", i, status);
			good = false;
		}
	}
	return good;
}

bool a_crowd_passes_a_token(void)
{
	int ring[CROWD][2];
	pid_t pid[CROWD];
	uint32_t token = 0;
	bool good;

	for (int i = 0; i < CROWD; i++)
		if (pipe(ring[i]))
			return false;
	for (int i = 0; i < CROWD; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		/* Each keeps pages of its own, and looks at all of them whenever the token comes by. */
		uint32_t *mine = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uint32_t t;

		for (int r = 0; r < ROUNDS; r++) {
			for (uint32_t k = 0; r && k < 16; k++)
				if (mine[k * 1024] != (uint32_t)i * 1000003u + (uint32_t)r - 1 + k)
					_exit(2);
			for (uint32_t k = 0; k < 16; k++)
				mine[k * 1024] = (uint32_t)i * 1000003u + (uint32_t)r + k;
			if (r % 20 == 19) {	/* a new mapping where the old one was */
				munmap(mine, 8 * 4096);
				if (mmap(mine, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != (void *)mine ||
				    mine[0] || mine[7 * 1024])
					_exit(3);
				for (uint32_t k = 0; k < 8; k++)
					mine[k * 1024] = (uint32_t)i * 1000003u + (uint32_t)r + k;
			}
			if (read(ring[i][0], &t, 4) != 4)
				_exit(4);
			t++;
			if (write(ring[(i + 1) % CROWD][1], &t, 4) != 4)
				_exit(5);
		}
		_exit(0);
	}
	if (write(ring[0][1], &token, 4) != 4)
		return false;
	good = all_end_well(pid, CROWD);
	if (read(ring[0][0], &token, 4) != 4 || token != CROWD * ROUNDS) {
		fprintf(stderr, "token %u\n", token);
		good = false;
	}
	for (int i = 0; i < CROWD; i++) {
		close(ring[i][0]);
		close(ring[i][1]);
	}
	return good;
}

static void __attribute__((target("sse2"))) put_state(uint32_t v, double *x87)
{
	uint32_t lane[4] = { v, v + 1, v + 2, v + 3 };

	*x87 = v + 0.5;
	__asm__ volatile("movups (%0), %%xmm1; movups (%0), %%xmm6" : : "r"(lane) : "memory");
	__asm__ volatile("fldl (%0)" : : "r"(x87));
}

static bool __attribute__((target("sse2"))) state_is(uint32_t v)
{
	uint32_t a[4], b[4];
	double top;

	__asm__ volatile("movups %%xmm1, (%0); movups %%xmm6, (%1)" : : "r"(a), "r"(b) : "memory");
	__asm__ volatile("fstl (%0)" : : "r"(&top) : "memory");
	for (uint32_t i = 0; i < 4; i++)
		if (a[i] != v + i || b[i] != v + i)
			return false;
	return top == v + 0.5;
}

bool a_crowd_keeps_its_floating_point(void)
{
	pid_t pid[CROWD];

	for (int i = 0; i < CROWD; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		double x87;
		uint32_t v = (uint32_t)i * 0x01010101u;

		put_state(v, &x87);
		for (int r = 0; r < 100; r++) {
			__asm__ volatile("int $0x80" : : "a"(158) : "memory");	/* sched_yield; nothing of the library in between */
			if (r % 16 == i % 16)
				for (volatile int spin = 0; spin < 20000; spin++)
					;
			if (!state_is(v))
				_exit(2);
		}
		_exit(0);
	}
	return all_end_well(pid, CROWD);
}

bool a_crowd_shares_what_it_shares(void)
{
	pid_t pid[CROWD];
	uint32_t *shared = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < CROWD; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (int r = 0; r < 200; r++) {
			for (int k = 0; k < 8; k++)
				__atomic_fetch_add(&shared[k * 1024], 1, __ATOMIC_SEQ_CST);
			if (r % 8 == 0)
				sched_yield();
		}
		_exit(0);
	}
	if (!all_end_well(pid, CROWD))
		return false;
	for (int k = 0; k < 8; k++)
		if (shared[k * 1024] != CROWD * 200) {
			fprintf(stderr, "page %d: %u\n", k, shared[k * 1024]);
			return false;
		}
	munmap(shared, 8 * 4096);
	return true;
}

bool address_spaces_come_and_go(void)
{
	/* Generations: each process makes the next and ends, so that page directories are used again and again. */
	for (int line = 0; line < 4; line++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			for (int depth = 0; depth < 60; depth++) {
				volatile char room[20000];
				pid_t next;

				memset((char *)room, depth + line, sizeof(room));
				next = fork();
				if (next) {
					waitpid(next, &status, 0);
					for (size_t i = 0; i < sizeof(room); i += 512)
						if (room[i] != (char)(depth + line))
							_exit(9);
					_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 8);
				}
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "line %d: status %x\n", line, status);
			return false;
		}
	}
	return true;
}
