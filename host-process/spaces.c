/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/spaces.c - a process for each guest address space, and handing the processor over.
 *
 *      home (plx_vcpu_run's thread)      space 1             space 2
 *           runs guest code               waits               waits
 *           hand_over(1) ----------->  runs guest code
 *           waits                         hand_over(2) --->  runs guest code
 *
 * Exactly one of them runs; the others sleep on their futex (mon_space.host_run). All that matters is in the arena, which
 * they share at one address; each has a low 4 GiB and a descriptor table of its own. Home makes the others by fork(), so
 * each has home's stack, signal handlers and descriptors. They die with home: PR_SET_PDEATHSIG. If one of them dies, home ends
 * the others and the VM, whoever's turn it was: nobody knows what the dead one left half done.
 *
 * A process that waits has the host's FS, no guest FPU state, and no kick is meant for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host-process/process.h"

#define REBIND_TICKS 3000000000ull	/* about a second */
#define LOOK_AROUND_S 1		/* how often home looks whether the others are alive */

static void wake(struct mon_space *sp)
{
	__atomic_store_n(&sp->host_run, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &sp->host_run, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/*
 * A hand-over within one processor is a context switch; to another one it is an interrupt to a sleeping processor, five
 * times as dear. So the sleepers are bound to the processor that the running one is on. Now and then the running
 * one lets go, so that the scheduler can move all of them together.
 */
static void stay_together(struct plx_vm *vm, struct mon_space *from, struct mon_space *to)
{
	uint64_t now = host_rdtsc();
	cpu_set_t one;
	int cpu;

	if (now - vm->bound_ticks > REBIND_TICKS) {
		vm->bound_ticks = now;
		sched_setaffinity(0, sizeof(vm->affinity), &vm->affinity);
		from->host_cpu = 0;
	}
	cpu = sched_getcpu() + 1;
	CPU_ZERO(&one);
	CPU_SET(cpu - 1, &one);
	if (from->host_cpu != cpu && !sched_setaffinity(0, sizeof(one), &one))
		from->host_cpu = cpu;
	if (to->host_cpu != cpu && to->host_tid && !sched_setaffinity(to->host_tid, sizeof(one), &one))
		to->host_cpu = cpu;
}

/* This process runs guest code from here on. */
static void become_active(struct plx_vm *vm)
{
	vm->vcpu_pid = getpid();
	__atomic_store_n(&vm->vcpu_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	vm->vcpu->nexus.load |= NX_LOAD_SEGS;
	vm->vcpu->nexus.host_env = true;
	vm->vcpu->nexus.entered = 0;
}

/* In the new process: nothing of home's low 4 GiB is ours. */
static void be_space(struct plx_vm *vm, struct mon_space *sp, pid_t home)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != home)
		_exit(1);
	munmap((void *)(uintptr_t)PLX_PAGE_SIZE, (1ull << 32) - PLX_PAGE_SIZE);
	memcpy(sp->ldt_version, vm->engine->spaces[0].ldt_version, sizeof(sp->ldt_version));
	sp->window_at = sp->scratch_at = 0;
	sp->host_pid = getpid();
	sp->host_tid = (int32_t)syscall(SYS_gettid);
	sp->host_cpu = vm->engine->spaces[0].host_cpu;
	sp->host_run = 1;
	sp->used = true;
}

/* At home. 0 in home, 1 in the new process, -errno. */
static int make_process(struct plx_vm *vm, struct mon_space *sp)
{
	pid_t home = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		be_space(vm, sp, home);
		return 1;
	}
	/* The child writes the same number; kill and wait must know it whatever the child gets to. */
	sp->host_pid = pid;
	return 0;
}

/* The process of space @sp died: somebody killed it, or the host did for want of memory. */
static void note_loss(struct plx_vm *vm, struct mon_space *sp, int status)
{
	sp->host_pid = 0;
	if (vm->lost)
		return;
	vm->lost = true;
	hp_error(vm, -ESRCH, "a process of this machine was killed (%s); what the guest had flushed is on its disks",
		 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it left");
}

/*
 * Home only: is a process gone? Then all of them are, when this returns: none can be running guest code, be about to hand it to
 * the dead one, or hold a lock that somebody will leave again.
 */
static bool look_around(struct plx_vm *vm)
{
	struct mon_engine *e = vm->engine;
	int status;

	for (uint32_t i = 1; i < e->nspaces; i++) {
		struct mon_space *sp = &e->spaces[i];

		pid_t pid;

		if (sp->host_pid <= 0)
			continue;
		pid = waitpid(sp->host_pid, &status, WNOHANG);
		if (pid)	/* -1: gone, and somebody else took its status */
			note_loss(vm, sp, pid > 0 ? status : 0);
	}
	if (vm->lost)
		hp_spaces_destroy(vm);
	return vm->lost;
}

void hp_child_died(struct plx_vm *vm)
{
	struct mon_engine *e = vm->engine;

	for (uint32_t i = 1; i < e->nspaces; i++) {
		pid_t pid = e->spaces[i].host_pid;
		siginfo_t info = { .si_pid = 0 };

		/* Only a look: home takes the status, in look_around. */
		if (pid <= 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid != pid)
			continue;
		/* One of these reaches home: it runs guest code, or it waits. */
		plx_vm_stop(vm);
		syscall(SYS_futex, &e->spaces[0].host_run, FUTEX_WAKE, 1, NULL, NULL, 0);
		return;
	}
}

bool hp_spaces_lost(struct plx_vm *vm)
{
	return vm->lost || look_around(vm);
}

static int wait_for_turn(struct plx_vm *vm, struct mon_space *me)
{
	const struct timespec a_while = { .tv_sec = LOOK_AROUND_S };
	bool home = me == &vm->engine->spaces[0];

	for (;;) {
		while (!__atomic_load_n(&me->host_run, __ATOMIC_SEQ_CST)) {
			syscall(SYS_futex, &me->host_run, FUTEX_WAIT, 0, home ? &a_while : NULL, NULL, 0);
			if (home && look_around(vm)) {
				vm->wanted_space = NULL;
				vm->engine->space = me;
				vm->engine->dead = true;
				me->host_run = 1;
			}
		}
		if (home && vm->wanted_space) {
			struct mon_space *sp = vm->wanted_space;
			int made;

			vm->wanted_space = NULL;
			/* Before the fork: the new process may be done, and want another, before we run again. */
			me->host_run = 0;
			made = make_process(vm, sp);
			if (made == 1)
				return 0;
			if (made < 0) {
				me->host_run = 1;
				vm->engine->space = me;
				return made;
			}
			continue;
		}
		return 0;
	}
}

int hp_hand_over(void *host, struct mon_space *from, struct mon_space *to)
{
	struct plx_vm *vm = host;
	struct mon_space *home = &vm->engine->spaces[0];
	int err = 0;

	hp_host_env(vm);
	from->host_run = 0;
	if (to->used) {
		stay_together(vm, from, to);
		wake(to);
	} else if (from == home) {
		err = make_process(vm, to);
		if (err < 0) {
			from->host_run = 1;
			return err;
		}
	} else {
		vm->wanted_space = to;
		wake(home);
	}
	/* err is 1 in the new process: it is its turn already. */
	if (err != 1)
		err = wait_for_turn(vm, from);
	else
		err = 0;
	become_active(vm);
	return err;
}

void hp_spaces_create(struct plx_vm *vm)
{
	sched_getaffinity(0, sizeof(vm->affinity), &vm->affinity);
	vm->engine->spaces[0].host_run = 1;
}

void hp_spaces_destroy(struct plx_vm *vm)
{
	struct mon_engine *e = vm->engine;

	for (uint32_t i = 1; e && e->spaces && i < e->nspaces; i++) {
		struct mon_space *sp = &e->spaces[i];

		if (sp->host_pid <= 0)
			continue;
		kill(sp->host_pid, SIGKILL);
		while (waitpid(sp->host_pid, NULL, 0) < 0 && errno == EINTR)
			;
		sp->host_pid = 0;
		sp->used = false;
	}
}
