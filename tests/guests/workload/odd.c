/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/odd.c - instructions that programs seldom use, and what the processor says to those they may not. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "work.h"

static sigjmp_buf out;
static volatile uint32_t sig_seen, trap_seen, error_seen, eip_seen, address_seen, code_seen;

static void note(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	sig_seen = (uint32_t)sig;
	trap_seen = (uint32_t)g[REG_TRAPNO];
	error_seen = (uint32_t)g[REG_ERR];
	eip_seen = (uint32_t)g[REG_EIP];
	address_seen = (uint32_t)(uintptr_t)info->si_addr;
	code_seen = (uint32_t)info->si_code;
	siglongjmp(out, 1);
}

static void catch_all(void)
{
	struct sigaction act = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NODEFER };

	for (size_t i = 0; i < 5; i++)
		sigaction(((const int[]){ SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP })[i], &act, NULL);
}

static void release_all(void)
{
	for (size_t i = 0; i < 5; i++)
		signal(((const int[]){ SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP })[i], SIG_DFL);
}

/* The place of the instruction is the label 77; a trap reports behind it. */
#define EXPECT(what, sig, trap, behind, ...) do { \
	uint32_t here_; \
	__asm__ volatile("movl $77f, %0\n77:" : "=r"(here_)); \
	sig_seen = trap_seen = 0; \
	(void)here_; \
	if (!sigsetjmp(out, 1)) \
		__asm__ volatile("movl $88f, expected_eip\n\t88: " __VA_ARGS__); \
	if (sig_seen != (sig) || trap_seen != (trap) || eip_seen != expected_eip + (behind)) { \
		fprintf(stderr, "%s: signal %u trap %u eip %x, not %x\n", what, sig_seen, trap_seen, eip_seen, expected_eip + (behind)); \
		good = false; \
	} \
} while (0)
volatile uint32_t expected_eip;

bool forbidden_instructions_are_refused(void)
{
	volatile bool good = true;
	static const int32_t bounds[2] = { 1, 5 };
	static uint8_t unaligned[64] __attribute__((aligned(16)));

	catch_all();
	for (int i = 0; i < 5; i++) {
		EXPECT("cli", SIGSEGV, 13, 0, "cli");
		EXPECT("sti", SIGSEGV, 13, 0, "sti");
		EXPECT("hlt", SIGSEGV, 13, 0, "hlt");
		EXPECT("in", SIGSEGV, 13, 0, "inb $0x61, %%al" : : : "eax");
		EXPECT("outsb", SIGSEGV, 13, 0, "outsb" : : "d"(0x80), "S"(unaligned));
		EXPECT("mov cr0", SIGSEGV, 13, 0, "movl %%cr0, %%eax" : : : "eax");
		EXPECT("mov dr7", SIGSEGV, 13, 0, "movl %%dr7, %%eax" : : : "eax");
		EXPECT("rdmsr", SIGSEGV, 13, 0, "rdmsr" : : "c"(0x10) : "eax", "edx");
		EXPECT("wbinvd", SIGSEGV, 13, 0, "wbinvd");
		EXPECT("invlpg", SIGSEGV, 13, 0, "invlpg (%%esp)" : :);
		EXPECT("lgdt", SIGSEGV, 13, 0, "lgdt (%%esp)" : :);
		EXPECT("ltr", SIGSEGV, 13, 0, "ltr %%ax" : : "a"(0x80));
		EXPECT("clts", SIGSEGV, 13, 0, "clts");
		EXPECT("sysexit", SIGSEGV, 13, 0, "sysexit");
		EXPECT("int 13", SIGSEGV, 13, 0, "int $13");
		EXPECT("int 255", SIGSEGV, 13, 0, "int $255");
		EXPECT("ud2", SIGILL, 6, 0, "ud2");
		EXPECT("lock nop", SIGILL, 6, 0, ".byte 0xf0, 0x90");
		EXPECT("mov cs", SIGILL, 6, 0, ".byte 0x8e, 0xc8");
		EXPECT("int3", SIGTRAP, 3, 1, "int3");
		EXPECT("into", SIGSEGV, 4, 5, "movb $0x7f, %%al; addb $1, %%al; into; nop" : : : "eax");
		EXPECT("bound", SIGSEGV, 5, 0, "bound %0, %1" : : "r"(9), "m"(bounds));
		EXPECT("divide", SIGFPE, 0, 0, "divl %%ecx" : : "a"(1), "d"(0), "c"(0));
		EXPECT("idiv overflow", SIGFPE, 0, 0, "idivl %%ecx" : : "a"(0x80000000), "d"(0xffffffff), "c"(-1));
		EXPECT("movaps", SIGSEGV, 13, 0, "movaps (%%ecx), %%xmm0" : : "c"(unaligned + 1));
		EXPECT("retf null", SIGSEGV, 13, 4, "pushl $0; pushl $0; lret" : : : "memory");
	}
	release_all();
	return good;
}

bool alignment_is_checked_when_asked_for(void)
{
	static uint8_t room[64] __attribute__((aligned(16)));
	volatile bool good = true;

	catch_all();
	for (int i = 0; i < 20; i++) {
		EXPECT("misaligned", SIGBUS, 17, 9, "pushf; orl $0x40000, (%%esp)\n\t.byte 0x9d\n\t.byte 0x8b, 0x01" : : "c"(room + 1) : "eax");
		__asm__ volatile("pushf; andl $~0x40000, (%%esp); popf" : : : "cc");
	}
	/* And is not when it is not. */
	for (int i = 0; i < 1000; i++) {
		uint32_t value = (uint32_t)i, back;

		__asm__ volatile("movl %1, 1(%2); movl 1(%2), %0" : "=r"(back) : "r"(value), "r"(room) : "memory");
		good &= back == value;
	}
	release_all();
	return good;
}

bool numeric_errors_become_signals(void)
{
	volatile double zero = 0, one = 1;
	volatile bool good = true;
	uint16_t control = 0x0372, old;
	uint32_t mxcsr = 0x1d00, old_mxcsr;

	catch_all();
	__asm__ volatile("fnstcw %0" : "=m"(old));
	__asm__ volatile("stmxcsr %0" : "=m"(old_mxcsr));
	for (int i = 0; i < 10; i++) {
		sig_seen = 0;
		if (!sigsetjmp(out, 1)) {
			__asm__ volatile("fnclex; fldcw %0" : : "m"(control));
			__asm__ volatile("fldl %0; fdivl %1; fwait; fstp %%st(0)" : : "m"(one), "m"(zero));
		}
		__asm__ volatile("fninit; fldcw %0" : : "m"(old));
		if (sig_seen != 0 && sig_seen != SIGFPE)
			good = false;
		control = 0x037b;	/* zero divide is not masked */
		sig_seen = 0;
		if (!sigsetjmp(out, 1)) {
			__asm__ volatile("fnclex; fldcw %0" : : "m"(control));
			__asm__ volatile("fldl %0; fdivl %1; fwait; fstp %%st(0)" : : "m"(one), "m"(zero));
		}
		__asm__ volatile("fninit; fldcw %0" : : "m"(old));
		if (sig_seen != SIGFPE || trap_seen != 16 || code_seen != FPE_FLTDIV) {
			fprintf(stderr, "x87: signal %u trap %u code %u\n", sig_seen, trap_seen, code_seen);
			good = false;
		}
		sig_seen = 0;
		if (!sigsetjmp(out, 1)) {
			__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
			__asm__ volatile("movsd %0, %%xmm0; divsd %1, %%xmm0" : : "m"(one), "m"(zero));
		}
		__asm__ volatile("ldmxcsr %0" : : "m"(old_mxcsr));
		if (sig_seen != SIGFPE || trap_seen != 19 || code_seen != FPE_FLTDIV) {
			fprintf(stderr, "SSE: signal %u trap %u code %u\n", sig_seen, trap_seen, code_seen);
			good = false;
		}
	}
	release_all();
	return good;
}

static bool ports(void)
{
	volatile bool good = true;

	if (ioperm(0x80, 1, 1))
		return true;		/* not allowed at all */
	catch_all();
	for (int i = 0; i < 100; i++)
		outb((unsigned char)i, 0x80);
	EXPECT("port 81h", SIGSEGV, 13, 0, "outb %%al, $0x81" : : "a"(0));
	EXPECT("ports 80h and 81h", SIGSEGV, 13, 0, "outw %%ax, $0x80" : : "a"(0));
	ioperm(0x80, 1, 0);
	EXPECT("port 80h taken away", SIGSEGV, 13, 0, "outb %%al, $0x80" : : "a"(0));
	if (iopl(3) == 0) {
		for (int i = 0; i < 100; i++)
			inb(0x61);
		iopl(0);
		EXPECT("iopl taken away", SIGSEGV, 13, 0, "inb $0x61, %%al" : : : "eax");
	}
	release_all();
	return good;
}

static bool in_child(bool (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body() ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool ports_open_and_close(void)
{
	return in_child(ports);
}

static bool no_time_stamps(void)
{
	volatile bool good = true;

	catch_all();
	__asm__ volatile("rdtsc" : : : "eax", "edx");
	prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	EXPECT("rdtsc", SIGSEGV, 13, 0, "rdtsc" : : : "eax", "edx");
	prctl(PR_SET_TSC, PR_TSC_ENABLE);
	__asm__ volatile("rdtsc" : : : "eax", "edx");
	return good;
}

bool time_stamps_can_be_forbidden(void)
{
	return in_child(no_time_stamps);
}

/* A string instruction that meets a closed page in its middle goes on there once it is opened. */
static uint8_t *arena;
static volatile uint32_t opened;

static void open_page(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint8_t *page = (uint8_t *)((uintptr_t)info->si_addr & ~4095u);

	(void)sig;
	(void)g;
	opened++;
	if (opened > 1000)
		_exit(3);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

bool string_instructions_go_on_after_faults(void)
{
	struct sigaction act = { .sa_sigaction = open_page, .sa_flags = SA_SIGINFO };
	enum { PAGES = 64 };
	volatile bool good = true;

	sigaction(SIGSEGV, &act, NULL);
	for (int round = 0; round < 4; round++) {
		uint8_t *from, *to;
		uint32_t n = PAGES * 4096 / 4;

		arena = mmap(NULL, 2 * PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		from = arena;
		to = arena + PAGES * 4096;
		for (uint32_t i = 0; i < n; i++)
			((uint32_t *)(void *)from)[i] = i * 2654435761u;
		opened = 0;
		mprotect(to, PAGES * 4096, round & 1 ? PROT_NONE : PROT_READ);
		if (round & 2)
			mprotect(from, PAGES * 4096, PROT_NONE);
		__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
		if (n || opened != (round & 2 ? 2 * PAGES : PAGES) || memcmp(arena, arena + PAGES * 4096, PAGES * 4096)) {
			fprintf(stderr, "round %d: %u left, %u pages opened\n", round, n, opened);
			good = false;
		}
		munmap(arena, 2 * PAGES * 4096);
	}
	signal(SIGSEGV, SIG_DFL);
	return good;
}

bool code_changes_right_before_it_runs(void)
{
	/* The store changes the immediate of the instruction behind it. */
	static const uint8_t code[] = {
		0x89, 0x81, 0x07, 0x00, 0x00, 0x00,	/* mov %eax, 7(%ecx) */
		0xb8, 0x00, 0x00, 0x00, 0x00,		/* mov $0, %eax */
		0xc3,
	};
	uint8_t *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned int at = 0; at < 8; at++) {
		uint8_t *f = p + 4096 - at * 2;		/* at a page's edge, too */

		memcpy(f, code, sizeof(code));
		for (uint32_t i = 0; i < 200; i++) {
			uint32_t got;

			__asm__ volatile("call *%1" : "=a"(got) : "c"(f), "a"(i * 77 + at) : "memory");
			if (got != i * 77 + at) {
				fprintf(stderr, "at %u: %u instead of %u\n", at, got, i * 77 + at);
				return false;
			}
		}
	}
	munmap(p, 8192);
	return true;
}

bool code_changes_through_another_view(void)
{
	int fd = memfd_create("code", 0);
	uint8_t *write_here, *run_here;

	if (fd < 0 || ftruncate(fd, 8192))
		return false;
	write_here = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	run_here = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t at = i * 13 % 4090;

		write_here[at] = 0xb8;
		memcpy(write_here + at + 1, &i, 4);
		write_here[at + 5] = 0xc3;
		__asm__ volatile("" : : : "memory");
		if (((uint32_t (*)(void))(uintptr_t)(run_here + at))() != i) {
			fprintf(stderr, "change %u was not seen\n", i);
			return false;
		}
		/* Another process writes it. */
		if (i % 100 == 0) {
			pid_t pid = fork();

			if (pid == 0) {
				uint32_t other = i ^ 0x55aa55aa;

				memcpy(write_here + at + 1, &other, 4);
				_exit(((uint32_t (*)(void))(uintptr_t)(run_here + at))() == other ? 0 : 1);
			}
			int status;

			waitpid(pid, &status, 0);
			if (status || ((uint32_t (*)(void))(uintptr_t)(run_here + at))() != (i ^ 0x55aa55aa)) {
				fprintf(stderr, "change %u of another process was not seen (%x)\n", i, status);
				return false;
			}
		}
	}
	munmap(write_here, 8192);
	munmap(run_here, 8192);
	close(fd);
	return true;
}

/* The first page, where a host lets an ordinary process map nothing. */
static bool first_page(void)
{
	volatile uint32_t *p;
	uint8_t *f;

	/* The compiler is not to know that these are low addresses. */
	p = mmap((void *)(uintptr_t)0x1000, 0xf000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED)
		return true;		/* the guest's own vm.mmap_min_addr */
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 0xf000 / 4; i += 64)
			p[i] = i * 3 + round;
		for (uint32_t i = 0; i < 0xf000 / 4; i += 64)
			if (p[i] != i * 3 + round)
				return false;
	}
	f = (uint8_t *)(uintptr_t)0x2000;
	for (uint32_t i = 0; i < 1000; i++) {
		f[0] = 0xb8;
		memcpy(f + 1, &i, 4);
		f[5] = 0xc3;
		__asm__ volatile("" : : : "memory");
		if (((uint32_t (*)(void))(uintptr_t)f)() != i)
			return false;
	}
	return true;
}

bool low_pages_are_pages(void)
{
	return in_child(first_page);
}

bool pages_without_execute_are_as_the_processor_says(void)
{
	uint8_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool refused;

	p[0] = 0xc3;
	catch_all();
	sig_seen = 0;
	if (!sigsetjmp(out, 1))
		((void (*)(void))(uintptr_t)p)();
	refused = sig_seen == SIGSEGV;
	release_all();
	/* Without NX it runs; with it the error says "fetch", and the address is the page's. */
	return !refused || (trap_seen == 14 && (error_seen & 0x10) && eip_seen == (uint32_t)(uintptr_t)p);
}
