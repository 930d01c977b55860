/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-process/signal.c - the processor's exceptions, as Linux delivers them, and kicks.
 *
 *      guest code --exception--> kernel --SIGSEGV..--> handler (alternate stack) --> nexus_unwind
 *
 * The handler copies what the kernel saved into the vCPU and leaves for nexus_enter's caller without returning to
 * the kernel: SA_NODEFER and no mask, so nothing is left to undo, and a system call is saved.
 *
 * Rules here: FS may be the guest's, so no libc and no thread-local storage; general registers only
 * (compiled so), since the guest's FPU state is in the signal frame. One VM runs per process at a time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <ucontext.h>

#include "host-process/process.h"

#define SIGNAL_STACK_BYTES (256u << 10)

/* The VM whose guest code this process may be running. Written by hp_signals_install and _remove only. */
static struct plx_vm *current_vm;

static const int fault_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

/* The kernel put the FPU registers into the frame and gave us fresh ones. */
static void keep_fpu(struct mon_vcpu *v, const ucontext_t *uc)
{
	uint64_t *to = (uint64_t *)v->fpu_area;
	const uint64_t *from = (const uint64_t *)uc->uc_mcontext.fpregs;

	for (unsigned int i = 0; i < 512 / 8; i++)
		to[i] = from[i];
	v->fpu_live = false;
	v->nexus.load |= NX_LOAD_SS;	/* handlers run with Linux's own */
}

static void keep_registers(struct mon_vcpu *v, const greg_t *g)
{
	v->gpr[X86_EAX] = (uint32_t)g[REG_RAX];
	v->gpr[X86_ECX] = (uint32_t)g[REG_RCX];
	v->gpr[X86_EDX] = (uint32_t)g[REG_RDX];
	v->gpr[X86_EBX] = (uint32_t)g[REG_RBX];
	v->gpr[X86_ESP] = (uint32_t)g[REG_RSP];
	v->gpr[X86_EBP] = (uint32_t)g[REG_RBP];
	v->gpr[X86_ESI] = (uint32_t)g[REG_RSI];
	v->gpr[X86_EDI] = (uint32_t)g[REG_RDI];
	v->eflags = (uint32_t)g[REG_EFL];
	v->nexus.fault_eip = (uint32_t)g[REG_RIP];
	v->nexus.fault_vector = (uint32_t)g[REG_TRAPNO];
	v->nexus.fault_error = (uint32_t)g[REG_ERR];
	v->nexus.fault_address = (uint32_t)g[REG_CR2];
}

/* The kernel leaves AC and ID as the guest had them; our own accesses need not be aligned, and nexus_enter counts on ID 0. */
static inline void clear_flags(void)
{
	__asm__ volatile("pushfq; andl $~0x240000, (%%rsp); popfq" : : : "memory", "cc");
}

static bool in_guest(const greg_t *g)
{
	return (g[REG_CSGSFS] & 0xffff) != NX_CS64;
}

static char *put_hex(char *at, uint64_t value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[value >> shift & 15];
	return at;
}

static char *put_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

/* A fault in Plexus itself: say where, and let the kernel end the process as it would have. */
static void crash(int sig, const greg_t *g)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} dfl = { 0 };
	char line[256], *at = line;

	at = put_text(at, "plexus: a defect of Plexus: exception at rip ");
	at = put_hex(at, (uint64_t)g[REG_RIP]);
	at = put_text(at, " (nexus_enter ");
	at = put_hex(at, (uint64_t)(uintptr_t)nexus_enter);
	at = put_text(at, "), vector ");
	at = put_hex(at, (uint64_t)g[REG_TRAPNO]);
	at = put_text(at, ", error ");
	at = put_hex(at, (uint64_t)g[REG_ERR]);
	at = put_text(at, ", address ");
	at = put_hex(at, (uint64_t)g[REG_CR2]);
	*at++ = '\n';
	hp_syscall6(SYS_write, 2, (long)line, at - line, 0, 0, 0);
	hp_syscall6(SYS_rt_sigaction, sig, (long)&dfl, 0, 8, 0, 0);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;
	struct plx_vm *vm = current_vm;
	struct mon_vcpu *v;
	uint64_t rip;

	clear_flags();
	(void)info;
	if (!vm) {
		crash(sig, g);
		return;
	}
	v = vm->vcpu;
	if (!in_guest(g)) {
		if (mon_native_recover(v, (uint8_t)g[REG_TRAPNO], (uint64_t)g[REG_RIP], &rip))
			g[REG_RIP] = (greg_t)rip;
		else
			crash(sig, g);
		return;
	}
	keep_registers(v, g);
	keep_fpu(v, uc);
	v->nexus.exit = NX_EXIT_FAULT;
	nexus_unwind(v);
}

static void on_kick(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;
	struct plx_vm *vm = current_vm;
	struct mon_vcpu *v;

	clear_flags();
	(void)sig;
	(void)info;
	if (!vm || vm->vcpu->nexus.host_env)
		return;			/* nexus.kick is set already */
	v = vm->vcpu;
	if (in_guest(g)) {
		uint32_t offset = (uint32_t)g[REG_RIP] + vm->engine->cs_host_base - vm->engine->window;

		if (offset >= WINDOW_COLD && offset < WINDOW_BYTES)
			return;		/* on its way out already */
		keep_registers(v, g);
		keep_fpu(v, uc);
		v->nexus.exit = NX_EXIT_KICK;
		nexus_unwind(v);
	}
	if ((uint64_t)g[REG_RIP] >= (uint64_t)(uintptr_t)nexus_enter &&
	    (uint64_t)g[REG_RIP] < (uint64_t)(uintptr_t)nexus_enter_end &&
	    v->nexus.entered) {
		if (!(v->nexus.load & NX_LOAD_FPU))
			keep_fpu(v, uc);
		v->fpu_live = false;
		v->nexus.exit = NX_EXIT_ABORT;
		nexus_unwind(v);
	}
}

int hp_signals_install(struct plx_vm *vm)
{
	struct sigaction sa;
	stack_t ss;

	vm->signal_stack = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->signal_stack == MAP_FAILED) {
		vm->signal_stack = NULL;
		return hp_error(vm, -errno, "cannot allocate the signal stack: %s", strerror(errno));
	}
	ss = (stack_t){ .ss_sp = vm->signal_stack, .ss_size = SIGNAL_STACK_BYTES };
	if (sigaltstack(&ss, NULL))
		return hp_error(vm, -errno, "cannot set the signal stack: %s", strerror(errno));
	current_vm = vm;
	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sa.sa_sigaction = on_fault;
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(fault_signals); i++)
		if (sigaction(fault_signals[i], &sa, NULL))
			return hp_error(vm, -errno, "cannot handle signal %d: %s", fault_signals[i], strerror(errno));
	sa.sa_sigaction = on_kick;
	if (sigaction(HP_KICK_SIGNAL, &sa, NULL))
		return hp_error(vm, -errno, "cannot handle signal %d: %s", HP_KICK_SIGNAL, strerror(errno));
	return 0;
}

void hp_signals_remove(struct plx_vm *vm)
{
	stack_t ss = { .ss_flags = SS_DISABLE };

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(fault_signals); i++)
		signal(fault_signals[i], SIG_DFL);
	signal(HP_KICK_SIGNAL, SIG_IGN);
	if (current_vm == vm)
		current_vm = NULL;
	if (vm->signal_stack) {
		sigaltstack(&ss, NULL);
		munmap(vm->signal_stack, SIGNAL_STACK_BYTES);
		vm->signal_stack = NULL;
	}
}
