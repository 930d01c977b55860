/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/system.c - rows that are mostly the kernel's work: calls, faults, mappings, signals, processes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

static uint32_t getppid_vsyscall(uint32_t n)
{
	uint32_t entry = (uint32_t)getauxval(AT_SYSINFO), result = 0;

	while (n--)
		__asm__ volatile("call *%1" : "=a"(result) : "r"(entry), "0"(SYS_getppid) : "memory");
	return result;
}

static uint32_t getppid_int80(uint32_t n)
{
	uint32_t result = 0;

	while (n--)
		__asm__ volatile("int $0x80" : "=a"(result) : "0"(SYS_getppid) : "memory");
	return result;
}

static uint32_t read_zero(uint32_t n)
{
	static char buf[4096];
	int fd = open("/dev/zero", O_RDONLY);

	while (n--)
		if (read(fd, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			break;
	close(fd);
	return (uint32_t)buf[5];
}

static uint32_t open_close_proc(uint32_t n)
{
	uint32_t sum = 0;

	while (n--) {
		int fd = open("/proc/self/stat", O_RDONLY);

		sum += (uint32_t)fd;
		close(fd);
	}
	return sum;
}

static volatile uint32_t caught;

static void handler(int signal_number)
{
	(void)signal_number;
	caught++;
}

static uint32_t signal_self(uint32_t n)
{
	pid_t self = getpid();

	signal(SIGUSR1, handler);
	while (n--)
		kill(self, SIGUSR1);
	return caught;
}

#define TOUCHED 256
static uint32_t page_touch(uint32_t n)
{
	uint32_t sum = 0;

	while (n--) {
		volatile uint8_t *p = mmap(NULL, TOUCHED * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (uint32_t i = 0; i < TOUCHED; i++)
			p[i * 4096] = (uint8_t)i;
		sum += p[77 * 4096];
		munmap((void *)p, TOUCHED * 4096);
	}
	return sum;
}

static uint32_t map_unmap(uint32_t n)
{
	uint32_t sum = 0;

	while (n--) {
		volatile uint8_t *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*p = 1;
		sum += *p;
		munmap((void *)p, 65536);
	}
	return sum;
}

static uint32_t protect_pair(uint32_t n)
{
	static uint8_t *p;

	if (!p) {
		p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (int i = 0; i < 65536; i += 4096)
			p[i] = 1;
	}
	while (n--) {
		mprotect(p, 65536, PROT_READ);
		mprotect(p, 65536, PROT_READ | PROT_WRITE);
		*(volatile uint8_t *)p = 2;
	}
	return *p;
}

static uint32_t ping_pong(uint32_t n)
{
	int there[2], back[2];
	char c = 'x';
	pid_t pid;

	if (pipe(there) || pipe(back))
		return 0;
	pid = fork();
	if (pid == 0) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(there[0]);
	for (uint32_t i = 0; i < n; i++)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			break;
	close(there[1]);
	close(back[0]);
	close(back[1]);
	waitpid(pid, NULL, 0);
	return (uint32_t)c;
}

static uint32_t fork_exit(uint32_t n)
{
	int status = 0;

	while (n--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(3);
		waitpid(pid, &status, 0);
	}
	return (uint32_t)status;
}

static uint32_t fork_exec(uint32_t n)
{
	int status = 0;

	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl("/proc/self/exe", "plexbench", "nothing", (char *)NULL);
			_exit(3);
		}
		waitpid(pid, &status, 0);
	}
	return (uint32_t)status;
}

const struct row system_rows[] = {
	{ "system", "getppid_vsyscall", "call", 1, getppid_vsyscall },
	{ "system", "getppid_int80", "call", 1, getppid_int80 },
	{ "system", "read_zero_4k", "call", 1, read_zero },
	{ "system", "open_close_proc", "pair", 1, open_close_proc },
	{ "system", "signal_self", "signal", 1, signal_self },
	{ "system", "page_touch", "page", TOUCHED, page_touch },
	{ "system", "mmap_munmap", "pair", 1, map_unmap },
	{ "system", "mprotect_pair", "pair", 1, protect_pair },
	{ "system", "pipe_ping_pong", "round-trip", 1, ping_pong },
	{ "system", "fork_exit", "process", 1, fork_exit },
	{ "system", "fork_exec", "process", 1, fork_exec },
	{ 0 },
};
