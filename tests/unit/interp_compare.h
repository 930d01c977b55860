/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/interp_compare.h - one instruction twice: on the bare processor and in the interpreter.
 *
 * Both start from the same registers, segments and memory. Afterwards everything is compared: registers, status flags, DF, all 64 KiB
 * of memory, FPU state if asked, where it went; and if it faulted, the vector, and that nothing was half done.
 */
#ifndef TESTS_UNIT_INTERP_COMPARE_H
#define TESTS_UNIT_INTERP_COMPARE_H

#include "tests/unit/bare_cpu.h"
#include "tests/unit/interp_machine.h"

struct test_case {
	uint8_t bytes[16];
	struct prescan_insn in;
	bool code32, stack32;
};

extern struct machine *machine;
extern uint64_t nr_faults, nr_done;	/* how the instructions so far ended */

/* NULL, or why this machine cannot be the oracle. */
const char *compare_init(void);

/* Random numbers from a fixed seed, so that a failure comes again. */
void compare_seed(uint64_t start);
uint32_t rnd(void);
uint32_t below(uint32_t n);
uint32_t value(void);			/* likes borders and addresses of the arena */

void fill_registers(struct bare_cpu *cpu);
void stir_memory(void);
void put_both(uint32_t offset, const void *bytes, uint32_t nbytes);

/* Random bytes that decode to an instruction of @map (enum prescan_map). False: try again. */
bool random_instruction(struct test_case *t, unsigned int map);
/* No segment override, or one that stands for the arena. */
bool in_the_arena(const struct prescan_insn *in);

/* False, after a report on stderr, if the two differ. @cpu holds the start, and then the end on the bare processor. */
bool same_on_both(const struct test_case *t, struct bare_cpu *cpu);

#endif
