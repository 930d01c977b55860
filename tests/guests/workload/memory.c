/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/memory.c - mappings, protections, and that memory keeps what was written to it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

#define PAGE 4096u

static void *map(size_t bytes, int protection, int flags)
{
	void *p = mmap(NULL, bytes, protection, flags | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool mmap_is_zeroed_and_private(void)
{
	for (int round = 0; round < 20; round++) {
		uint32_t *p = map(64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

		if (!p)
			return false;
		for (size_t i = 0; i < 64 * PAGE / 4; i++)
			if (p[i] != 0) {
				fprintf(stderr, "not zero: %08x\n", p[i]);
				return false;
			}
		memset(p, 0xa5, 64 * PAGE);
		munmap(p, 64 * PAGE);
	}
	return true;
}

bool shared_mappings_are_shared(void)
{
	volatile uint32_t *p = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	int status;
	pid_t pid;

	if (!p)
		return false;
	pid = fork();
	if (pid == 0) {
		for (uint32_t i = 0; i < 1000; i++)
			p[i % 64] = i;
		p[100] = 0xc0ffee;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return p[100] == 0xc0ffee && p[39] == 999;
}

static sigjmp_buf back;
static void *volatile fault_address;

static void fault(int signal_number, siginfo_t *info, void *context)
{
	(void)signal_number;
	(void)context;
	fault_address = info->si_addr;
	siglongjmp(back, 1);
}

static bool faults(volatile char *address, bool write)
{
	struct sigaction act = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
	bool faulted;

	sigaction(SIGSEGV, &act, NULL);
	fault_address = NULL;
	faulted = sigsetjmp(back, 1) != 0;
	if (!faulted) {
		if (write)
			*address = 1;
		else
			(void)*address;
	}
	signal(SIGSEGV, SIG_DFL);
	return faulted && fault_address == address;
}

bool mprotect_guards_pages(void)
{
	volatile char *p = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (!p)
		return false;
	for (int round = 0; round < 20; round++) {
		p[PAGE] = 5;
		mprotect((void *)(p + PAGE), PAGE, PROT_READ);
		if (!faults(p + PAGE + 7, true) || faults(p + PAGE, false) || p[PAGE] != 5)
			return false;
		mprotect((void *)(p + PAGE), PAGE, PROT_NONE);
		if (!faults(p + PAGE + 9, false))
			return false;
		mprotect((void *)(p + PAGE), PAGE, PROT_READ | PROT_WRITE);
		if (faults(p + PAGE, true) || p[PAGE] != 1)
			return false;
		munmap((void *)(p + 2 * PAGE), PAGE);
		if (!faults(p + 2 * PAGE, false))
			return false;
		if (mmap((void *)(p + 2 * PAGE), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			return false;
		if (p[2 * PAGE] != 0)
			return false;
		p[2 * PAGE] = 3;
	}
	/* The kernel's half is out of reach, read or write. */
	return faults((volatile char *)0xc0100000u, false) && faults((volatile char *)0xfffffffcu, true) && faults((volatile char *)0x10, false);
}

bool brk_and_large_allocations(void)
{
	char *blocks[64];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 64; i++) {
			blocks[i] = malloc((size_t)(i + 1) * 1000);
			if (!blocks[i])
				return false;
			memset(blocks[i], i, (size_t)(i + 1) * 1000);
		}
		for (int i = 0; i < 64; i++) {
			for (int j = 0; j < (i + 1) * 1000; j += 97)
				if (blocks[i][j] != i)
					return false;
			free(blocks[i]);
		}
	}
	return true;
}

bool every_page_of_many_keeps_its_value(void)
{
	enum { PAGES = 2048 };
	uint32_t *p = map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), seed = 1;
	bool good = true;

	if (!p)
		return false;
	for (uint32_t i = 0; i < PAGES; i++)
		p[i * (PAGE / 4) + i % 1024] = i * 2654435761u;
	for (uint32_t n = 0; n < 20000; n++) {
		uint32_t i;

		seed = seed * 1664525 + 1013904223;
		i = seed >> 8 & (PAGES - 1);
		if (p[i * (PAGE / 4) + i % 1024] != i * 2654435761u)
			good = false;
	}
	munmap(p, PAGES * PAGE);
	return good;
}

bool files_map_and_sync(void)
{
	const char *path = "/mnt/plexwork.map";
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint32_t *p, again[16];
	bool good = true;

	if (fd < 0 && (fd = open("plexwork.map", O_RDWR | O_CREAT | O_TRUNC, 0600)) >= 0)
		path = "plexwork.map";
	if (fd < 0 || ftruncate(fd, 16 * PAGE))
		return false;
	p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	for (uint32_t i = 0; i < 16; i++)
		p[i * 1024 + i] = 0xabc00000 + i;
	msync(p, 16 * PAGE, MS_SYNC);
	munmap(p, 16 * PAGE);
	for (uint32_t i = 0; i < 16; i++)
		if (pread(fd, &again[i], 4, (off_t)(i * PAGE + i * 4)) != 4 || again[i] != 0xabc00000 + i)
			good = false;
	close(fd);
	unlink(path);
	return good;
}

bool mremap_moves_data(void)
{
	uint32_t *p = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), *q;

	if (!p)
		return false;
	for (uint32_t i = 0; i < 8 * 1024; i++)
		p[i] = i * 3;
	q = mremap(p, 8 * PAGE, 512 * PAGE, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		return false;
	for (uint32_t i = 0; i < 8 * 1024; i++)
		if (q[i] != i * 3)
			return false;
	return q[500 * 1024] == 0;
}
