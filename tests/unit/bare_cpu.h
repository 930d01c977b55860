/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/bare_cpu.h - the oracle: one 16- or 32-bit instruction on the real processor, in real segments.
 *
 *      test --> bare_cpu.c (LDT, arena, signals) --> bare_cpu.S --> far jump --> the instruction --> far jump back
 *
 * The instruction runs in compatibility mode, in a code segment with D = 0 or 1, with DS = ES = SS = a 64 KiB data segment
 * over the arena (B = 0 or 1 for SS). It may read, write, push, fault: what it did is in the arena and in struct bare_cpu.
 */
#ifndef TESTS_UNIT_BARE_CPU_H
#define TESTS_UNIT_BARE_CPU_H

#include "plexus/base.h"
#include "plexus/x86.h"

#define BARE_ARENA_BYTES 0x10000u
#define BARE_CODE_OFFSET 0x100u		/* EIP of the instruction; the code segment's limit is 0xfff */
#define BARE_TAKEN_OFFSET 0x180u	/* EIP that sets @taken: a branch target */
#define BARE_CODE_LIMIT 0xfffu

struct bare_cpu {
	/* In and out. Layout known to bare_cpu.S. */
	uint64_t gpr[8];
	uint64_t rflags;
	uint64_t host_rsp;
	uint32_t eip;
	uint16_t cs, ds, es, ss;
	uint16_t host_ds, host_es, host_ss, pad;
	uint32_t taken;		/* out: 0 fell through, 1 went to BARE_TAKEN_OFFSET */
	uint32_t pad2;
	uint8_t fpu[512] __attribute__((aligned(16)));
	uint32_t use_fpu;	/* in: load @fpu before, store it after */
	/* Out. */
	int vector;		/* -1, or the exception that the instruction raised */
};

/* 0, or why this machine cannot be the oracle (no modify_ldt, ...). */
const char *bare_cpu_init(void);
/* Take the signals. At the start of each test, for cmocka takes them for itself before each. */
void bare_cpu_catch(void);
extern uint8_t *bare_arena;
/* The selectors, for the tests' virtual processors. */
uint16_t bare_selector_code(bool code32);
uint16_t bare_selector_data(bool stack32);
void bare_cpu_run(struct bare_cpu *cpu, const uint8_t *bytes, unsigned int length, bool code32, bool stack32);

/* Called first by the signal handler; true: handled, with *rip the place to go on. May be NULL. */
extern bool (*bare_signal_hook)(uint8_t vector, uint64_t rip, uint64_t *new_rip);

#endif
