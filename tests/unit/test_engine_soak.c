/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_engine_soak.c - what long runs of real guests brought to light, each made small.
 *
 * Most of it is about spaces: a guest address space is a process of its own, and there are more of the one than of the other.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine_vm.h"

#define PAGING_ON \
	"	movl $0x100000, %eax\n" \
	"	movl %eax, %cr3\n" \
	"	movl %cr0, %eax\n" \
	"	orl $0x80010000, %eax\n" \
	"	movl %eax, %cr0\n" \
	"	jmp 99f\n" \
	"99:\n"

#define SPACES 40u
#define DIRECTORY(k) (0x200000u + (k) * 0x2000u)	/* and its first page table behind it */

static void make_spaces(struct evm *m)
{
	evm_identity(m, 7);
	for (uint32_t k = 0; k < SPACES; k++) {
		for (uint32_t at = 0; at < 0x2000; at += 4)
			evm_poke32(m, DIRECTORY(k) + at, evm_peek32(m, PGDIR + at));
		evm_poke32(m, DIRECTORY(k), (DIRECTORY(k) + 0x1000) | 7);
		/* 21000h is private: 400000h and on, or 500000h and on */
		evm_poke32(m, DIRECTORY(k) + 0x1000 + 0x21 * 4, (0x400000 + k * 0x1000) | 7);
	}
}

/* One new space after the other, each with next to nothing to do. */
GUEST(g_new_spaces,
	PAGING_ON
	"	movl $0x200000, %edi\n"
	"	xorl %ebx, %ebx\n"
	"1:	movl %edi, %cr3\n"
	"	incl %ebx\n"
	"	addl $0x2000, %edi\n"
	"	cmpl $0x21c000, %edi\n"
	"	jne 1b\n"
	OUT("%ebx")
	END);

/* A VM whose every process waits for another cannot be stopped: somebody else must end this program. */
static pid_t start_guardian(void)
{
	const pid_t guarded = getpid();
	const pid_t guardian = fork();

	if (guardian == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sleep(60);
		print_error("nobody runs any more\n");
		kill(guarded, SIGKILL);
		_exit(1);
	}
	return guardian;
}

static void end_guardian(pid_t guardian)
{
	kill(guardian, SIGKILL);
	waitpid(guardian, NULL, 0);
}

/* The process that makes the others is one that the scheduler passes over: they want the next one before it has looked
 * around. */
static void new_spaces_are_made_however_late_home_runs(void **state)
{
	const struct sched_param none = { 0 };
	const pid_t guardian = start_guardian();
	struct evm *m;

	(void)state;
	for (unsigned int round = 0; round < 5; round++) {
		m = evm_open(PLX_REWRITE_ADAPTIVE);
		make_spaces(m);
		LOAD(m, PROG, g_new_spaces);
		evm_start(m, PROG);
		sched_setscheduler(0, SCHED_IDLE | SCHED_RESET_ON_FORK, &none);
		evm_run_to_end(m);
		sched_setscheduler(0, SCHED_OTHER, &none);
		CHECK_OUT(m, 14);
		evm_close(m);
	}
	end_guardian(guardian);
}

/* From space to space in no order; each finds in its private page what was last written there, though others change its table. */
GUEST(g_crowd,
	PAGING_ON
	"	movl $3000, %ebp\n"
	"	movl $1, %esi\n"
	"1:	imull $1664525, %esi, %esi\n"
	"	addl $1013904223, %esi\n"
	"	movl %esi, %eax\n"
	"	shrl $16, %eax\n"
	"	xorl %edx, %edx\n"
	"	movl $40, %ecx\n"
	"	divl %ecx\n"
	"	shll $13, %edx\n"
	"	leal 0x200000(%edx), %edi\n"
	"	movl %edi, %cr3\n"
	"	movl 0x1084(%edi), %eax\n"		/* which frame should it be? */
	"	shrl $12, %eax\n"
	"	andl $0x1ff, %eax\n"
	"	movl 0x60000(,%eax,4), %ecx\n"
	"	cmpl %ecx, 0x21000\n"
	"	jne 9f\n"
	"	incl 0x60000(,%eax,4)\n"
	"	incl 0x21000\n"
	"	movl %esi, %eax\n"
	"	shrl $8, %eax\n"
	"	andl $0xffff, %eax\n"
	"	xorl %edx, %edx\n"
	"	movl $40, %ecx\n"
	"	divl %ecx\n"
	"	shll $13, %edx\n"
	"	addl $0x200000, %edx\n"
	"	cmpl %edi, %edx\n"
	"	je 2f\n"
	"	xorl $0x100000, 0x1084(%edx)\n"		/* takes effect when its CR3 is loaded */
	"2:	decl %ebp\n"
	"	jnz 1b\n"
	"	movl $0x600d, %ebp\n"
	"9:\n"
	OUT("%ebp")
	END);

static void a_crowd_of_spaces_keeps_apart_what_is_apart(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		make_spaces(m);
		LOAD(m, PROG, g_crowd);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x600d);
	}
}

/*
 * Two spaces with PAE that have their page directories in common. One of them writes a page that later becomes the page table
 * for the place where the window stands; the other puts it into the directory; then the first maps a page there.
 */
#define ROOT_A 0x300000u
#define ROOT_B 0x300020u
#define LOW_DIR 0x301000u
#define HIGH_DIR 0x302000u
#define LATE_TABLE 0x350000u
#define HIDDEN 0x360000u
_Static_assert(WINDOW_PREFERRED == 0xfa000000u, "the guest below has that address in it");

GUEST(g_late_table,
	"	movl $0x300000, %eax\n"
	"	movl %eax, %cr3\n"
	"	movl %cr4, %eax\n"
	"	orl $0x20, %eax\n"
	"	movl %eax, %cr4\n"
	"	movl %cr0, %eax\n"
	"	orl $0x80010000, %eax\n"
	"	movl %eax, %cr0\n"
	"	jmp 1f\n"
	"1:	movl $0x300020, %ecx\n"
	"	movl $0x300000, %edx\n"
	"	movl %ecx, %cr3\n"
	"	movl $0, 0x350ff8\n"
	"	movl %edx, %cr3\n"
	"	movl $0x350003, 0x302e80\n"
	"	nop\n"
	"	movl %ecx, %cr3\n"
	"	movl $0x360003, 0x350000\n"
	"	movl 0xfa000000, %eax\n" SAY_EAX
	"	movl 0xfa000004, %eax\n" SAY_EAX
	END);

static void a_page_table_written_in_another_space_moves_the_window(void **state)
{
	struct evm *m;

	(void)state;
	EVERY_STRATEGY(m) {
		for (uint32_t root = ROOT_A; root <= ROOT_B; root += 0x20) {
			evm_poke32(m, root, LOW_DIR | 1);
			evm_poke32(m, root + 24, HIGH_DIR | 1);
		}
		for (uint32_t i = 0; i < EVM_RAM >> 21; i++)
			evm_poke32(m, LOW_DIR + i * 8, i << 21 | 0x83);
		evm_poke32(m, HIDDEN, 0x11112222);
		evm_poke32(m, HIDDEN + 4, 0x33334444);
		LOAD(m, PROG, g_late_table);
		evm_start(m, PROG);
		evm_run_to_end(m);
		CHECK_OUT(m, 0x11112222, 0x33334444);
	}
}

/*
 * More scattered pages than Linux lets a process have mappings: 81920 linear pages from 40000000h on, all one frame, so that no
 * two neighbours can be one mapping. Every 512th is dropped by INVLPG on the way; then each is read again.
 */
GUEST(g_scattered,
	PAGING_ON
	"	movl $0x40000000, %edi\n"
	"	xorl %ebx, %ebx\n"
	"1:	incl (%edi)\n"
	"	incl %ebx\n"
	"	testl $0x1ff, %ebx\n"
	"	jnz 2f\n"
	"	invlpg (%edi)\n"
	"2:	addl $0x1000, %edi\n"
	"	cmpl $0x54000000, %edi\n"
	"	jne 1b\n"
	"	movl $0x40000000, %edi\n"
	"3:	cmpl %ebx, (%edi)\n"
	"	jne 4f\n"
	"	addl $0x2000, %edi\n"
	"	cmpl $0x54000000, %edi\n"
	"	jne 3b\n"
	"4:\n"
	OUT("%ebx")
	OUT("%edi")
	END);

static void more_scattered_pages_than_host_mappings_are_no_trouble(void **state)
{
	struct evm *m = evm_open(PLX_REWRITE_ADAPTIVE);

	(void)state;
	evm_identity(m, 7);
	for (uint32_t i = 0; i < 1024; i++)
		evm_poke32(m, 0x200000 + i * 4, 0x300000 | 7);
	for (uint32_t i = 0; i < 80; i++)
		evm_poke32(m, PGDIR + (0x100 + i) * 4, 0x200000 | 7);
	LOAD(m, PROG, g_scattered);
	evm_start(m, PROG);
	evm_run_to_end(m);
	CHECK_OUT(m, 81920, 0x54000000);
	evm_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_spaces_are_made_however_late_home_runs),
		cmocka_unit_test(a_crowd_of_spaces_keeps_apart_what_is_apart),
		cmocka_unit_test(a_page_table_written_in_another_space_moves_the_window),
		cmocka_unit_test(more_scattered_pages_than_host_mappings_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
