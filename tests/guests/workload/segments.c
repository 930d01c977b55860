/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/segments.c - local descriptors, 16-bit code and stacks, thread-local storage below its base. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "work.h"

static bool set_ldt(struct user_desc d)
{
	return syscall(SYS_modify_ldt, 1, &d, sizeof(d)) == 0;
}

static struct user_desc descriptor(unsigned int entry, void *base, unsigned int limit, unsigned int contents, bool big)
{
	return (struct user_desc){ .entry_number = entry, .base_addr = (unsigned int)(uintptr_t)base, .limit = limit,
				   .seg_32bit = big, .contents = contents };
}

#define LDT(entry) ((entry) << 3 | 7)

/* A local table is for the process that asks: each of these claims runs in a child. */
static bool in_child(bool (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body() ? 0 : 1);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fprintf(stderr, "child: status %x\n", status);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void *low_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct far_pointer {
	uint32_t offset;
	uint16_t selector;
} __attribute__((packed));

static uint32_t far_call(uint32_t offset, uint16_t selector, uint32_t argument)
{
	struct far_pointer to = { offset, selector };

	__asm__ volatile("lcall *%1" : "+a"(argument) : "m"(to) : "ecx", "edx", "memory", "cc");
	return argument;
}

static bool code16(void)
{
	/* A loop in 16-bit code: 100 times AX += CX, by way of a near call; ends in a 32-bit far return. */
	static const uint8_t code[] = {
		0xb9, 0x64, 0x00,		/* mov $100, %cx */
		0xe8, 0x05, 0x00,		/* 1: call 2f */
		0xe2, 0xfb,			/* loop 1b */
		0x66, 0xcb,			/* lretl */
		0x90,
		0x01, 0xc8,			/* 2: add %cx, %ax */
		0xc3,				/* ret */
	};
	uint8_t *p = low_pages(4096);
	bool good = true;

	if (!p)
		return false;
	memcpy(p, code, sizeof(code));
	if (!set_ldt(descriptor(3, p, 4095, MODIFY_LDT_CONTENTS_CODE, false)))
		return false;
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t got = far_call(0, LDT(3), i);

		if (got != ((i + 5050) & 0xffff)) {
			fprintf(stderr, "16-bit code: %u gives %u\n", i, got);
			good = false;
			break;
		}
	}
	return good;
}

bool code_of_16_bits_runs(void)
{
	return in_child(code16);
}

static bool stack16(void)
{
	/* SS of 16 bits: only SP moves, and the kernel comes back to it with the high half of ESP whole. */
	uint8_t *p = low_pages(65536);
	uint32_t esp_before, esp_after, got = 0, pid = 0;

	if (!p)
		return false;
	if (!set_ldt(descriptor(4, p, 0xffff, MODIFY_LDT_CONTENTS_DATA, false)))
		return false;
	for (int i = 0; i < 500; i++) {
		__asm__ volatile(
			"movl %%esp, %%esi\n\t"
			"movw %%ss, %%di\n\t"
			"movw %w[sel], %%ss\n\t"
			"movl $0x12348000, %%esp\n\t"
			"pushl $0x11223344\n\t"
			"movl $20, %%eax\n\t"		/* getpid */
			"int $0x80\n\t"
			"movl %%eax, %%edx\n\t"
			"movl %%esp, %%ebx\n\t"
			"popl %%ecx\n\t"
			"movl %%esp, %%eax\n\t"
			"movw %%di, %%ss\n\t"
			"movl %%esi, %%esp\n\t"
			: "=a"(esp_after), "=b"(esp_before), "=c"(got), "=d"(pid)
			: [sel] "a"(LDT(4)) : "esi", "edi", "memory", "cc");
		if (esp_before != 0x12347ffc || esp_after != 0x12348000 || got != 0x11223344 || pid != (uint32_t)getpid()) {
			fprintf(stderr, "16-bit stack: esp %x then %x, popped %x\n", esp_before, esp_after, got);
			return false;
		}
	}
	return true;
}

bool stack_of_16_bits_keeps_esp(void)
{
	return in_child(stack16);
}

static bool based_code(void)
{
	/* 32-bit code in a segment with a base: relative and absolute branches count from it. */
	static const uint8_t code[] = {
		0xb9, 0x64, 0x00, 0x00, 0x00,		/* mov $100, %ecx */
		0xba, 0x20, 0x00, 0x00, 0x00,		/* mov $0x20, %edx */
		0xff, 0xd2,				/* 1: call *%edx */
		0xe2, 0xfc,				/* loop 1b */
		0xe8, 0x0d, 0x00, 0x00, 0x00,		/* call 0x20 */
		0x2e, 0x03, 0x05, 0x30, 0x00, 0x00, 0x00, /* add %cs:0x30, %eax */
		0xcb,					/* lret */
		0x90, 0x90, 0x90, 0x90, 0x90,
		0x40, 0xc3,				/* 0x20: inc %eax; ret */
	};
	uint8_t *p = low_pages(4096);
	uint32_t add = 1000;

	if (!p)
		return false;
	memcpy(p + 0x123, code, sizeof(code));
	memcpy(p + 0x123 + 0x30, &add, 4);
	if (!set_ldt(descriptor(5, p + 0x123, 4095 - 0x123, MODIFY_LDT_CONTENTS_CODE, true)))
		return false;
	for (uint32_t i = 0; i < 1000; i++)
		if (far_call(0, LDT(5), i) != i + 1101) {
			fprintf(stderr, "based code: %u\n", i);
			return false;
		}
	return true;
}

bool code_in_a_based_segment_runs(void)
{
	return in_child(based_code);
}

static sigjmp_buf out;
static volatile uint32_t fault_eip, fault_trap, fault_error, fault_address;

static void note_fault(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	fault_eip = (uint32_t)g[REG_EIP];
	fault_trap = (uint32_t)g[REG_TRAPNO];
	fault_error = (uint32_t)g[REG_ERR];
	fault_address = (uint32_t)(uintptr_t)info->si_addr;
	siglongjmp(out, 1);
}

static bool limits(void)
{
	struct sigaction act = { .sa_sigaction = note_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	uint8_t *p = low_pages(8192);
	volatile uint32_t value;

	if (!p)
		return false;
	memset(p, 0x5a, 8192);
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	if (!set_ldt(descriptor(6, p, 0xfff, MODIFY_LDT_CONTENTS_DATA, true)) ||
	    !set_ldt(descriptor(7, p, 0xfff, MODIFY_LDT_CONTENTS_STACK, true)))
		return false;
	for (volatile int i = 0; i < 20; i++) {
		/* Inside, outside, across the edge. */
		__asm__ volatile("movw %w1, %%fs; movl %%fs:0xffc, %0" : "=r"(value) : "r"(LDT(6)));
		if (value != 0x5a5a5a5a)
			return false;
		fault_trap = 0;
		if (!sigsetjmp(out, 1))
			__asm__ volatile("movw %w1, %%fs; movl %%fs:0xffd, %0" : "=r"(value) : "r"(LDT(6)));
		if (fault_trap != 13 || fault_error != 0) {
			fprintf(stderr, "limit: trap %u error %x\n", fault_trap, fault_error);
			return false;
		}
		/* Expands down: what is below the limit is out, what is above is in. */
		__asm__ volatile("movw %w1, %%fs; movl %%fs:0x1000, %0" : "=r"(value) : "r"(LDT(7)));
		if (value != 0x5a5a5a5a)
			return false;
		fault_trap = 0;
		if (!sigsetjmp(out, 1))
			__asm__ volatile("movw %w1, %%fs; movl %%fs:0xfff, %0" : "=r"(value) : "r"(LDT(7)));
		if (fault_trap != 13) {
			fprintf(stderr, "expand-down limit: trap %u\n", fault_trap);
			return false;
		}
		fault_trap = 0;
		if (!sigsetjmp(out, 1))
			__asm__ volatile("movw %w1, %%fs; movl %%fs:0, %0" : "=r"(value) : "r"(0));
		if (fault_trap != 13) {
			fprintf(stderr, "null selector: trap %u\n", fault_trap);
			return false;
		}
		fault_trap = 0;
		if (!sigsetjmp(out, 1))
			__asm__ volatile("movw %w0, %%fs" : : "r"(LDT(100)));
		if (fault_trap != 13 || fault_error != (LDT(100) & 0xfffc)) {
			fprintf(stderr, "no descriptor: trap %u error %x\n", fault_trap, fault_error);
			return false;
		}
	}
	__asm__ volatile("movw %w0, %%fs" : : "r"(0));
	return true;
}

bool segment_limits_are_kept(void)
{
	return in_child(limits);
}

static bool thread_storage(void)
{
	/* The segment of thread-local storage is flat and wraps around: variables lie below its base. */
	uint8_t *p = low_pages(3 * 4096);
	struct user_desc d = descriptor((unsigned int)-1, p + 8192, 0xfffff, MODIFY_LDT_CONTENTS_DATA, true);
	uint32_t sum = 0, old;

	d.limit_in_pages = 1;
	d.useable = 1;
	if (!p || syscall(SYS_set_thread_area, &d))
		return false;
	for (uint32_t i = 0; i < 2048; i++)
		((uint32_t *)(void *)p)[i] = i * 7;
	__asm__ volatile("movw %%fs, %w0; movw %w1, %%fs" : "=&r"(old) : "r"(d.entry_number << 3 | 3));
	for (int32_t i = -2048; i < 0; i++) {
		uint32_t value, again;

		__asm__ volatile("movl %%fs:(%1,%2,4), %0" : "=r"(value) : "r"(0), "r"(i));
		__asm__ volatile("movl %%fs:(%1), %0" : "=r"(again) : "r"(i * 4));
		if (value != again)
			return false;
		sum += value;
	}
	for (int i = 0; i < 1000; i++)
		__asm__ volatile("incl %%fs:-4; lock; xaddl %0, %%fs:-8" : "+r"(i) : : "memory");
	__asm__ volatile("movw %w0, %%fs" : : "r"(old));
	if (sum != 7u * 2047 * 2048 / 2 || ((uint32_t *)(void *)p)[2047] < 2047 * 7) {
		fprintf(stderr, "sum %u\n", sum);
		return false;
	}
	return true;
}

bool thread_storage_lies_below_its_base(void)
{
	return in_child(thread_storage);
}

static bool kernel_hidden(void)
{
	/* No way to the kernel's half: by DS, by wrapped segments, by jumps. */
	static const uint32_t address[] = { 0xc0000000, 0xc1000000, 0xe0000000, 0xfa000000, 0xfa001000, 0xfb000000, 0xff000000, 0xfffff000,
					    0xf8000000, 0xfa100000, 0xfa040000 };
	struct sigaction act = { .sa_sigaction = note_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	volatile uint8_t value;

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	for (volatile unsigned int round = 0; round < 3; round++) {
		for (volatile size_t i = 0; i < sizeof(address) / sizeof(address[0]); i++) {
			volatile uint32_t a = address[i];

			for (volatile unsigned int way = 0; way < 5; way++) {
				fault_trap = 0;
				if (!sigsetjmp(out, 1)) {
					switch (way) {
					case 0:
						value = *(volatile uint8_t *)(uintptr_t)a;
						break;
					case 1:
						*(volatile uint8_t *)(uintptr_t)a = 1;
						break;
					case 2:
						__asm__ volatile("movl %%gs:0, %%ecx; negl %%ecx; addl %1, %%ecx; movb %%gs:(%%ecx), %0"
								 : "=q"(value) : "r"(a) : "ecx");
						break;
					case 3:
						__asm__ volatile("movb %%cs:(%1), %0" : "=q"(value) : "r"(a));
						break;
					case 4:
						((void (*)(void))(uintptr_t)a)();
						break;
					}
				}
				if (fault_trap != 14 || !(fault_error & 4) || fault_address != address[i]) {
					fprintf(stderr, "%x by way %u: trap %u error %x address %x\n", address[i], way, fault_trap,
						fault_error, fault_address);
					return false;
				}
			}
		}
	}
	(void)value;
	return true;
}

bool kernel_memory_is_out_of_reach(void)
{
	return in_child(kernel_hidden);
}
