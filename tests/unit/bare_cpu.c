/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/bare_cpu.c - see bare_cpu.h. The LDT entries, the arena, and the signals of instructions that fault. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/unit/bare_cpu.h"

void bare_switch(struct bare_cpu *cpu);
extern const char bare_exit[], bare_exit_fell[], bare_exit_taken[], bare_exit_end[];

_Static_assert(offsetof(struct bare_cpu, eip) == 80, "bare_cpu_switch.S");
_Static_assert(offsetof(struct bare_cpu, ds) == 86, "bare_cpu_switch.S");
_Static_assert(offsetof(struct bare_cpu, taken) == 100, "bare_cpu_switch.S");
_Static_assert(offsetof(struct bare_cpu, fpu) == 112, "bare_cpu_switch.S");
_Static_assert(offsetof(struct bare_cpu, use_fpu) == 624, "bare_cpu_switch.S");

enum { SLOT_CODE16 = 1, SLOT_CODE32, SLOT_DATA16, SLOT_DATA32 };
#define LDT_SELECTOR(slot) ((uint16_t)((slot) << 3 | 7))
#define EXIT_OFFSET 0xf00u	/* in the code page: the 64-bit way out */

uint8_t *bare_arena;
bool (*bare_signal_hook)(uint8_t vector, uint64_t rip, uint64_t *new_rip);
static uint8_t *code_page;
static struct bare_cpu *running;

uint16_t bare_selector_code(bool code32) { return LDT_SELECTOR(code32 ? SLOT_CODE32 : SLOT_CODE16); }
uint16_t bare_selector_data(bool stack32) { return LDT_SELECTOR(stack32 ? SLOT_DATA32 : SLOT_DATA16); }

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *reg = uc->uc_mcontext.gregs;
	uint64_t new_rip;

	/* The kernel leaves AC as the instruction had it. */
	__asm__ volatile("pushfq\n\tandl $~0x40000, (%%rsp)\n\tpopfq" : : : "cc", "memory");
	(void)info;
	if (bare_signal_hook && bare_signal_hook((uint8_t)reg[REG_TRAPNO], (uint64_t)reg[REG_RIP], &new_rip)) {
		reg[REG_RIP] = (greg_t)new_rip;
		return;
	}
	if (!running) {
		signal(sig, SIG_DFL);		/* the test's own: let it happen again, and die of it */
		return;
	}
	running->vector = (int)reg[REG_TRAPNO];
	running->eip = (uint32_t)reg[REG_RIP];
	reg[REG_RIP] = (greg_t)(uintptr_t)bare_exit;
	/* CS 33h; SS, in the top 16 bits, flat. */
	reg[REG_CSGSFS] = (reg[REG_CSGSFS] & 0x0000ffffffff0000) | 0x33 | (greg_t)0x2b << 48;
	reg[REG_EFL] &= ~(greg_t)X86_FLAG_RF;
}

static int set_segment(unsigned int slot, const void *base, uint32_t limit, bool code, bool big)
{
	struct user_desc d = {
		.entry_number = slot,
		.base_addr = (unsigned int)(uintptr_t)base,
		.limit = limit,
		.seg_32bit = big,
		.contents = code ? MODIFY_LDT_CONTENTS_CODE : MODIFY_LDT_CONTENTS_DATA,
		.useable = 1,
	};

	return (int)syscall(SYS_modify_ldt, 0x11, &d, sizeof(d));
}

void bare_cpu_catch(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &sa, NULL))
			abort();
}

const char *bare_cpu_init(void)
{
	stack_t stack = { .ss_size = 65536 };

	if (bare_arena)
		return NULL;
	code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	bare_arena = mmap(NULL, BARE_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (code_page == MAP_FAILED || bare_arena == MAP_FAILED)
		return "no memory below 2 GiB for code and data";
	if (set_segment(SLOT_CODE16, code_page, BARE_CODE_LIMIT, true, false) ||
	    set_segment(SLOT_CODE32, code_page, BARE_CODE_LIMIT, true, true) ||
	    set_segment(SLOT_DATA16, bare_arena, BARE_ARENA_BYTES - 1, false, false) ||
	    set_segment(SLOT_DATA32, bare_arena, BARE_ARENA_BYTES - 1, false, true))
		return "modify_ldt does not work here";
	stack.ss_sp = malloc(stack.ss_size);
	if (!stack.ss_sp || sigaltstack(&stack, NULL))
		return "no alternate signal stack";
	memcpy(code_page + EXIT_OFFSET, bare_exit_fell, (size_t)(bare_exit_end - bare_exit_fell));
	return NULL;
}

/* A far jump to the 64-bit code segment, by offset 32 and selector, in either kind of code. */
static void put_way_out(uint8_t *at, const char *stub, bool code32)
{
	uint32_t target = (uint32_t)(uintptr_t)code_page + EXIT_OFFSET + (uint32_t)(stub - bare_exit_fell);

	if (!code32)
		*at++ = 0x66;
	*at++ = 0xea;
	memcpy(at, &target, 4);
	memcpy(at + 4, "\x33", 2);
}

void bare_cpu_run(struct bare_cpu *cpu, const uint8_t *bytes, unsigned int length, bool code32, bool stack32)
{
	memcpy(code_page + BARE_CODE_OFFSET, bytes, length);
	put_way_out(code_page + BARE_CODE_OFFSET + length, bare_exit_fell, code32);
	put_way_out(code_page + BARE_TAKEN_OFFSET, bare_exit_taken, code32);
	cpu->eip = BARE_CODE_OFFSET;
	cpu->cs = bare_selector_code(code32);
	cpu->ds = cpu->es = cpu->ss = bare_selector_data(stack32);
	cpu->vector = -1;
	running = cpu;
	__asm__ volatile("" : : : "memory");
	bare_switch(cpu);
	__asm__ volatile("" : : : "memory");
	running = NULL;
}
