/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/processes.c - processes, pipes, signals, timers and threads. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "work.h"

bool fork_copies_memory(void)
{
	static volatile int shared_by_mistake = 1;
	bool good = true;

	for (int i = 0; i < 50; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			shared_by_mistake = 1000 + i;
			_exit(shared_by_mistake == 1000 + i ? i : 99);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != i) {
			fprintf(stderr, "child %d: status %x\n", i, status);
			good = false;
		}
	}
	return good && shared_by_mistake == 1;
}

bool exec_passes_arguments(void)
{
	for (int i = 0; i < 10; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			execl("/proc/self/exe", "plexwork", "echo-arguments", "one argument with blanks", NULL);
			_exit(98);
		}
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 42) {
			fprintf(stderr, "exec: status %x\n", status);
			return false;
		}
	}
	return true;
}

bool vfork_and_wait_status(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0)
		_exit(7);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
		return false;
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

bool pipes_carry_everything(void)
{
	enum { BYTES = 1 << 20 };
	int to[2], from[2], status;
	uint32_t sum_sent = 1, sum_back = 1;
	unsigned char buf[4093];
	pid_t pid;
	size_t sent = 0, back = 0;

	if (pipe(to) || pipe(from))
		return false;
	pid = fork();
	if (pid == 0) {
		ssize_t n;

		close(to[1]);
		close(from[0]);
		while ((n = read(to[0], buf, sizeof(buf))) > 0)
			for (ssize_t done = 0; done < n;) {
				ssize_t w = write(from[1], buf + done, (size_t)(n - done));

				if (w < 0)
					_exit(1);
				done += w;
			}
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	while (back < BYTES) {
		ssize_t n;

		if (sent < BYTES) {
			size_t want = BYTES - sent < 1021 ? BYTES - sent : 1021;

			for (size_t i = 0; i < want; i++) {
				buf[i] = (unsigned char)((sent + i) * 31 >> 3);
				sum_sent = sum_sent * 33 + buf[i];
			}
			if (write(to[1], buf, want) != (ssize_t)want)
				return false;
			sent += want;
			if (sent == BYTES)
				close(to[1]);
		}
		n = read(from[0], buf, sizeof(buf));
		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			sum_back = sum_back * 33 + buf[i];
		back += (size_t)n;
	}
	close(from[0]);
	waitpid(pid, &status, 0);
	if (sum_sent != sum_back)
		fprintf(stderr, "pipe: sent %08x, back %08x\n", sum_sent, sum_back);
	return sum_sent == sum_back && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static volatile int order[16], orders;

static void note(int signal_number)
{
	if (orders < 16)
		order[orders++] = signal_number;
}

bool signals_arrive_in_order(void)
{
	struct sigaction act = { .sa_handler = note };
	sigset_t all, old;

	orders = 0;
	for (int s = SIGRTMIN; s < SIGRTMIN + 4; s++)
		sigaction(s, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	if (orders != 1 || order[0] != SIGUSR1)
		return false;
	/* Blocked, sent in disorder, delivered lowest first. */
	orders = 0;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (int i = 3; i >= 0; i--)
		kill(getpid(), SIGRTMIN + i);
	if (orders != 0)
		return false;
	sigprocmask(SIG_SETMASK, &old, NULL);
	/* Handlers nest: the last one set up runs first, and so the highest is seen first or the lowest, but each exactly once. */
	if (orders != 4)
		return false;
	for (int i = 0; i < 4; i++)
		for (int j = i + 1; j < 4; j++)
			if (order[i] == order[j])
				return false;
	return true;
}

static sigjmp_buf out_of_depth;

static void overflowed(int signal_number)
{
	(void)signal_number;
	siglongjmp(out_of_depth, 1);
}

/* Goes down until the stack ends; the compiler may not know that it never comes back. */
static volatile int bottomless = 1;

static int deeper(volatile char *above)
{
	volatile char room[4096];

	room[0] = *above;
	return bottomless ? deeper(room) + room[0] : 0;
}

bool alternate_stack_survives_overflow(void)
{
	static char other[32768];
	stack_t stack = { .ss_sp = other, .ss_size = sizeof(other) };
	struct sigaction act = { .sa_handler = overflowed, .sa_flags = SA_ONSTACK };
	volatile char seed = 1;
	bool survived;

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &act, NULL);
	survived = sigsetjmp(out_of_depth, 1) != 0;
	if (!survived)
		deeper(&seed);
	signal(SIGSEGV, SIG_DFL);
	return survived;
}

static volatile sig_atomic_t alarms;

static void alarmed(int signal_number)
{
	(void)signal_number;
	alarms++;
}

bool timers_fire(void)
{
	struct sigaction act = { .sa_handler = alarmed };
	struct itimerval each = { { 0, 10000 }, { 0, 10000 } }, none = { { 0, 0 }, { 0, 0 } };
	struct timespec a, b;
	volatile uint32_t work = 0;

	sigaction(SIGALRM, &act, NULL);
	clock_gettime(CLOCK_MONOTONIC, &a);
	setitimer(ITIMER_REAL, &each, NULL);
	while (alarms < 20)
		work++;
	setitimer(ITIMER_REAL, &none, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec <= a.tv_nsec)) {
		fprintf(stderr, "the clock went back\n");
		return false;
	}
	return work > 0;
}

bool select_sees_what_is_ready(void)
{
	int p[2], q[2];
	fd_set set;
	struct timeval wait = { 0, 20000 };
	char c;

	if (pipe(p) || pipe(q))
		return false;
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	FD_SET(q[0], &set);
	if (select(q[1] + 1, &set, NULL, NULL, &wait) != 0)
		return false;
	if (write(q[1], "x", 1) != 1)
		return false;
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	FD_SET(q[0], &set);
	wait.tv_sec = 5;
	if (select(q[1] + 1, &set, NULL, NULL, &wait) != 1 || FD_ISSET(p[0], &set) || !FD_ISSET(q[0], &set))
		return false;
	return read(q[0], &c, 1) == 1 && c == 'x';
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;
static __thread int mine;

static void *count(void *argument)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
		mine++;
	}
	*(int *)argument = mine;
	return NULL;
}

bool threads_share_and_lock(void)
{
	pthread_t thread[4];
	int own[4] = { 0, 0, 0, 0 };

	for (int i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, count, &own[i]))
			return false;
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	if (counter != 80000)
		fprintf(stderr, "counter %d\n", counter);
	for (int i = 0; i < 4; i++)
		if (own[i] != 20000)
			return false;
	return counter == 80000;
}
