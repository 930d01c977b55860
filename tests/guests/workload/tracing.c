/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guests/workload/tracing.c - what debuggers do: single steps, breakpoints of both kinds, other people's registers. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "work.h"

extern const uint8_t traced_start[], traced_end[], traced_middle[];
volatile uint32_t traced_word;

/* Something of everything: calls, string instructions, flags, indirect jumps, system calls. Ends in INT3. */
__asm__(
	".pushsection .text\n"
	".globl traced_start, traced_middle, traced_end\n"
	"traced_start:\n"
	"	movl $50, %ecx\n"
	"1:	call 2f\n"
	"	pushf\n"
	"	popl %edx\n"
	"	pushl %edx\n"
	"	popf\n"
	"	call *%esi\n"
	"	loop 1b\n"
	"	movl $20, %eax\n"
	"	int $0x80\n"
	"	cld\n"
	"	subl $64, %esp\n"
	"	movl %esp, %edi\n"
	"	movl $16, %ecx\n"
	"	xorl %eax, %eax\n"
	"	rep stosl\n"
	"	addl $64, %esp\n"
	"	movw %ds, %dx\n"
	"	movw %dx, %es\n"
	"	movw %ss, %dx\n"
	"	movw %dx, %ss\n"
	"	nop\n"
	"traced_middle:\n"
	"	movl $7, traced_word\n"
	"	nop\n"
	"	nop\n"
	"	int3\n"
	"	nop\n"
	"2:	incl %ebx\n"
	"	ret\n"
	"traced_end:\n"
	".popsection\n");

static pid_t start_traced(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		__asm__ volatile("movl $2f, %%esi; xorl %%ebx, %%ebx; jmp traced_start; 2: incl %%ebx; ret" : : : "memory");
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	return pid;
}

static void kill_traced(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool in_traced(uint32_t eip)
{
	return eip >= (uint32_t)(uintptr_t)traced_start && eip < (uint32_t)(uintptr_t)traced_end;
}

bool single_steps_see_every_instruction(void)
{
	pid_t pid = start_traced();
	uint32_t hash = 5381, steps = 0, last = 0;
	struct user_regs_struct r = { 0 };
	int status;

	for (unsigned int i = 0; i < 200000; i++) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			break;
		ptrace(PTRACE_GETREGS, pid, NULL, &r);
		if (in_traced((uint32_t)r.eip)) {
			steps++;
			hash = hash * 33 + (uint32_t)r.eip - (uint32_t)(uintptr_t)traced_start;
			if (r.ebx < 0 || (r.eflags & 0x100 && last))
				break;
		}
		/* The INT3 itself: the step is over it, as a trap. */
		if ((uint32_t)r.eip == (uint32_t)(uintptr_t)traced_middle + 13)
			break;
	}
	kill_traced(pid);
	if (steps != 484 || r.ebx != 100) {
		fprintf(stderr, "%u steps, hash %x, ebx %ld, eip %lx\n", steps, hash, r.ebx, r.eip);
		return false;
	}
	return true;
}

static bool set_debug(pid_t pid, unsigned int n, uint32_t value)
{
	return ptrace(PTRACE_POKEUSER, pid, (void *)(offsetof(struct user, u_debugreg) + 4 * n), (void *)(uintptr_t)value) == 0;
}

static bool stops_at(pid_t pid, uint32_t eip, const char *what)
{
	struct user_regs_struct r;
	int status;

	ptrace(PTRACE_CONT, pid, NULL, NULL);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
		fprintf(stderr, "%s: status %x\n", what, status);
		return false;
	}
	ptrace(PTRACE_GETREGS, pid, NULL, &r);
	if ((uint32_t)r.eip != eip) {
		fprintf(stderr, "%s: eip %lx for %x\n", what, r.eip, eip);
		return false;
	}
	return true;
}

bool breakpoint_registers_stop_the_traced(void)
{
	for (int i = 0; i < 5; i++) {
		const uint32_t middle = (uint32_t)(uintptr_t)traced_middle;
		pid_t pid = start_traced();
		bool good = set_debug(pid, 0, middle) && set_debug(pid, 7, 0x1) && stops_at(pid, middle, "execution");

		/* A store of four bytes: reported behind the instruction that did it. */
		good = good && set_debug(pid, 1, (uint32_t)(uintptr_t)&traced_word) && set_debug(pid, 7, 0xd00004) &&
		       stops_at(pid, middle + 10, "store") && ptrace(PTRACE_PEEKDATA, pid, &traced_word, NULL) == 7 &&
		       set_debug(pid, 7, 0) && stops_at(pid, middle + 13, "int3");
		kill_traced(pid);
		if (!good)
			return false;
	}
	return true;
}

bool breakpoints_poked_into_code_are_met(void)
{
	for (int i = 0; i < 10; i++) {
		const uint32_t middle = (uint32_t)(uintptr_t)traced_middle;
		pid_t pid = start_traced();
		long word = ptrace(PTRACE_PEEKTEXT, pid, traced_middle, NULL);
		struct user_regs_struct r;
		bool good = !ptrace(PTRACE_POKETEXT, pid, traced_middle, (void *)((word & ~0xffl) | 0xcc)) &&
			    stops_at(pid, middle + 1, "poked") && !ptrace(PTRACE_POKETEXT, pid, traced_middle, (void *)word);

		ptrace(PTRACE_GETREGS, pid, NULL, &r);
		r.eip = (long)middle;
		ptrace(PTRACE_SETREGS, pid, NULL, &r);
		good = good && stops_at(pid, middle + 13, "int3");
		kill_traced(pid);
		if (!good)
			return false;
	}
	return true;
}

static volatile uint32_t traps, last_trap_eip;
static volatile bool trap_wrong;

static void count_trap(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	traps++;
	if ((uint32_t)g[REG_EIP] == last_trap_eip)
		trap_wrong = true;
	last_trap_eip = (uint32_t)g[REG_EIP];
}

bool a_program_can_step_itself(void)
{
	struct sigaction act = { .sa_sigaction = count_trap, .sa_flags = SA_SIGINFO };

	sigaction(SIGTRAP, &act, NULL);
	for (int i = 0; i < 50; i++) {
		traps = 0;
		trap_wrong = false;
		__asm__ volatile(
			"pushf; orl $0x100, (%%esp); popf\n\t"
			"nop\n\t"				/* 1 */
			"movl $3, %%ecx\n\t"			/* 2 */
			"1: nop\n\t"				/* 3 5 7 */
			"loop 1b\n\t"				/* 4 6 8 */
			"pushf\n\t"				/* 9 */
			"andl $~0x100, (%%esp)\n\t"		/* 10 */
			"popf\n\t"				/* 11: traps still, for TF was set before it */
			"nop\n\t" : : : "ecx", "memory", "cc");
		if (traps != 11 || trap_wrong) {
			fprintf(stderr, "%u traps\n", traps);
			return false;
		}
	}
	signal(SIGTRAP, SIG_DFL);
	return true;
}

/* A timer looks at the registers at arbitrary places of code that keeps them all; what it sees must be what they are. */
static volatile uint32_t looks, looked_wrong, wrong_eip, wrong_ecx, wrong_edx;
extern const uint8_t busy_start[], busy_end[];
__asm__(
	".pushsection .text\n"
	".globl busy_start, busy_end\n"
	"busy_start:\n"
	"	pushl %ebp\n	pushl %ebx\n	pushl %esi\n	pushl %edi\n"
	"	movl $0xecececec, %ecx\n"
	"	movl $0xedededed, %edx\n"
	"	movl $0xebebebeb, %ebp\n"
	"	movl $busy_leaf, %esi\n"
	"	movl $0xdededede, %edi\n"
	"busy_loop:\n"
	"	call busy_leaf\n"
	"	call *%esi\n"
	"	pushf\n"
	"	popf\n"
	"	pushl $busy_back\n"
	"	jmp *%esi\n"
	"busy_back:\n"
	"	movw %ds, %ax\n"
	"	pushl %ds\n"
	"	popl %eax\n"
	"	pushf\n"
	"	popl %eax\n"
	"	addl $1, busy_rounds\n"
	"	cmpl $0, busy_stop\n"
	"	je busy_loop\n"
	"busy_end:\n"
	"	popl %edi\n	popl %esi\n	popl %ebx\n	popl %ebp\n"
	"	ret\n"
	"busy_leaf:\n"
	"	leal 1(%ebx), %ebx\n"
	"	ret\n"
	".popsection\n");
volatile uint32_t busy_rounds, busy_stop;

static void look(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint32_t eip = (uint32_t)g[REG_EIP];

	(void)sig;
	(void)info;
	if (eip < (uint32_t)(uintptr_t)busy_start + 29 || eip >= (uint32_t)(uintptr_t)busy_end)
		return;
	looks++;
	if ((uint32_t)g[REG_ECX] != 0xecececec || (uint32_t)g[REG_EDX] != 0xedededed || (uint32_t)g[REG_EBP] != 0xebebebeb ||
	    (uint32_t)g[REG_EDI] != 0xdededede) {
		looked_wrong++;
		wrong_eip = eip;
		wrong_ecx = (uint32_t)g[REG_ECX];
		wrong_edx = (uint32_t)g[REG_EDX];
	}
	if (looks == 300)
		busy_stop = 1;
}

bool interrupts_find_registers_as_they_are(void)
{
	struct sigaction act = { .sa_sigaction = look, .sa_flags = SA_SIGINFO };
	struct itimerval each = { { 0, 1000 }, { 0, 1000 } }, none = { { 0, 0 }, { 0, 0 } };

	sigaction(SIGALRM, &act, NULL);
	busy_stop = 0;
	setitimer(ITIMER_REAL, &each, NULL);
	((void (*)(void))(uintptr_t)busy_start)();
	setitimer(ITIMER_REAL, &none, NULL);
	if (looked_wrong)
		fprintf(stderr, "%u of %u looks: at start+%x ecx %x edx %x\n", looked_wrong, looks,
			wrong_eip - (uint32_t)(uintptr_t)busy_start, wrong_ecx, wrong_edx);
	return !looked_wrong;
}
