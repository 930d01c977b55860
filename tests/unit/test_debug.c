/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_debug.c - claims about breakpoints: DR0 to DR3, DR6, DR7 and RF, as mon_step() carries them out.
 *
 * Ring 0, flat segments, code at 1000h, data at 4000h. Each vector's handler stands at 3000h + 16 * vector.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/interp_machine.h"

#define IDT	0x2000u
#define STACK	0x8000u
#define DATA	0x4000u
#define HANDLER(vector) (0x3000u + 16 * (vector))

#define DR7(n, rw, len)	(1u << 2 * (n) | ((rw) | (len) << 2) << (16 + 4 * (n)))
enum { CODE_BP = 0, ON_WRITE = 1, ON_IO = 2, ON_ACCESS = 3 };
enum { LEN1 = 0, LEN2 = 1, LEN4 = 3 };
#define DR6_CAUSES 0xe00fu
#define DR6_BS	0x4000u
#define DR6_BD	0x2000u

static int setup(void **state)
{
	struct machine *m = machine_create();

	machine_flat(m);
	m->v.idtr = (struct mon_dtr){ .base = IDT, .limit = 32 * 8 - 1 };
	for (uint32_t vector = 0; vector < 32; vector++) {
		machine_put32(m, IDT + vector * 8, 8 << 16 | HANDLER(vector));
		machine_put32(m, IDT + vector * 8 + 4, 0x8e00);
	}
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	machine_destroy(*state);
	return 0;
}

static void set(struct machine *m, unsigned int dr, uint32_t value)
{
	assert_int_equal(mon_write_dr(&m->v, dr, value), MON_OK);
}

static void step(struct machine *m)
{
	assert_int_equal(mon_step(&m->v), MON_OK);
}

/* The step just done ended in #DB, for @cause, with @eip to return to. */
static void stopped(struct machine *m, uint32_t cause, uint32_t eip)
{
	assert_int_equal(m->v.eip, HANDLER(X86_VEC_DB));
	assert_int_equal(m->v.dr[6] & DR6_CAUSES, cause);
	assert_int_equal(machine_get32(m, m->v.gpr[X86_ESP]), eip);
}

static uint32_t pushed_flags(struct machine *m)
{
	return machine_get32(m, m->v.gpr[X86_ESP] + 8);
}

/* What a handler does: IRET, with @set in the image. */
static void iret(struct machine *m, uint32_t flags)
{
	machine_put32(m, m->v.gpr[X86_ESP] + 8, pushed_flags(m) | flags);
	machine_code(m, HANDLER(X86_VEC_DB), "\xcf", 1);
	step(m);
}

static void execution_breakpoint_faults_before_the_instruction(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x90\x40\x90");			/* NOP; INC EAX; NOP */
	set(m, 2, 0x1001);
	set(m, 7, DR7(2, CODE_BP, LEN1));
	step(m);
	assert_int_equal(m->v.eip, 0x1001);
	step(m);
	stopped(m, 1 << 2, 0x1001);
	assert_int_equal(m->v.gpr[X86_EAX], 0);
	assert_false(pushed_flags(m) & X86_FLAG_RF);	/* or no debugger could tell it from its own doing */
}

static void rf_lets_the_instruction_run_once(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x40\xeb\xfd");			/* 1: INC EAX; JMP 1b */
	set(m, 0, 0x1000);
	set(m, 7, DR7(0, CODE_BP, LEN1));
	step(m);
	stopped(m, 1, 0x1000);
	iret(m, X86_FLAG_RF);
	assert_true(m->v.eflags & X86_FLAG_RF);
	step(m);
	assert_int_equal(m->v.gpr[X86_EAX], 1);
	assert_false(m->v.eflags & X86_FLAG_RF);
	step(m);
	step(m);
	stopped(m, 1, 0x1000);
	iret(m, 0);					/* without RF it stops again at once */
	step(m);
	stopped(m, 1, 0x1000);
	assert_int_equal(m->v.gpr[X86_EAX], 1);
}

static void popf_does_not_load_rf(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x9d\x90");
	machine_put32(m, STACK - 4, X86_FLAG_RF | 2);
	m->v.gpr[X86_ESP] = STACK - 4;
	set(m, 0, 0x1001);
	set(m, 7, DR7(0, CODE_BP, LEN1));
	step(m);
	assert_false(m->v.eflags & X86_FLAG_RF);
	step(m);
	stopped(m, 1, 0x1001);
}

/* SDM 3B, "Instruction-Breakpoint Exception Condition": the fault comes before those of the instruction itself. */
static void execution_breakpoint_comes_before_the_instructions_own_fault(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x0f\x0b");				/* UD2 */
	set(m, 0, 0x1000);
	set(m, 7, DR7(0, CODE_BP, LEN1));
	step(m);
	stopped(m, 1, 0x1000);
	iret(m, X86_FLAG_RF);
	step(m);
	assert_int_equal(m->v.eip, HANDLER(X86_VEC_UD));
	assert_true(pushed_flags(m) & X86_FLAG_RF);	/* a fault: the breakpoint has had its turn */
}

static void write_breakpoint_traps_after_the_instruction(void **state)
{
	struct machine *m = *state;

	CODE(m, "\xa3\x04\x40\x00\x00\xa1\x04\x40\x00\x00");	/* MOV [4004h],EAX; MOV EAX,[4004h] */
	m->v.gpr[X86_EAX] = 7;
	set(m, 1, DATA + 4);
	set(m, 7, DR7(1, ON_WRITE, LEN4));
	step(m);
	stopped(m, 1 << 1, 0x1005);
	assert_int_equal(machine_get32(m, DATA + 4), 7);
	iret(m, 0);
	step(m);					/* it is read: not watched */
	assert_int_equal(m->v.eip, 0x100a);
}

static void access_breakpoint_sees_reads_too(void **state)
{
	struct machine *m = *state;

	CODE(m, "\xa1\x04\x40\x00\x00");
	set(m, 3, DATA + 4);
	set(m, 7, DR7(3, ON_ACCESS, LEN4));
	step(m);
	stopped(m, 1 << 3, 0x1005);
}

static void fetching_an_instruction_is_no_access(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x90");
	set(m, 0, 0x1000);
	set(m, 7, DR7(0, ON_ACCESS, LEN4));
	step(m);
	assert_int_equal(m->v.eip, 0x1001);
}

static void any_byte_in_common_is_a_hit_and_none_is_not(void **state)
{
	static const struct { uint32_t dr, len, at; bool byte, hit; } cases[] = {
		{ DATA + 4, LEN4, DATA, false, false }, { DATA + 4, LEN4, DATA + 1, false, true },
		{ DATA + 4, LEN4, DATA + 7, true, true }, { DATA + 4, LEN4, DATA + 8, true, false },
		{ DATA + 4, LEN4, DATA + 3, true, false }, { DATA + 6, LEN4, DATA + 4, true, true },	/* DR is aligned down */
		{ DATA + 6, LEN2, DATA + 4, false, true }, { DATA + 6, LEN2, DATA + 5, true, false },
		{ DATA + 5, LEN1, DATA + 4, false, true }, { DATA + 5, LEN1, DATA + 4, true, false },
	};
	struct machine *m = *state;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(cases); i++) {
		m->v.gpr[X86_ESI] = cases[i].at;
		if (cases[i].byte)
			CODE(m, "\x88\x06");			/* MOV [ESI],AL */
		else
			CODE(m, "\x89\x06");			/* MOV [ESI],EAX */
		set(m, 0, cases[i].dr);
		set(m, 7, DR7(0, ON_WRITE, cases[i].len));
		step(m);
		assert_int_equal(m->v.eip == HANDLER(X86_VEC_DB), cases[i].hit);
		m->v.gpr[X86_ESP] = STACK;
	}
}

static void two_breakpoints_and_a_step_are_one_exception(void **state)
{
	struct machine *m = *state;

	CODE(m, "\xff\x06");				/* INC [ESI]: a read and a write */
	m->v.gpr[X86_ESI] = DATA;
	m->v.eflags |= X86_FLAG_TF;
	set(m, 0, DATA);
	set(m, 1, DATA);
	set(m, 7, DR7(0, ON_WRITE, LEN4) | DR7(1, ON_ACCESS, LEN4));
	step(m);
	stopped(m, DR6_BS | 3, 0x1002);
	assert_int_equal(m->v.gpr[X86_ESP], STACK - 12);
}

static void breakpoints_that_are_not_enabled_are_silent(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x89\x06");
	m->v.gpr[X86_ESI] = DATA;
	set(m, 0, DATA);
	set(m, 1, 0x1000);
	set(m, 7, (DR7(0, ON_WRITE, LEN4) & ~3u) | 0x300);	/* LE and GE alone enable nothing */
	assert_int_equal(m->v.debug_armed, 0);
	step(m);
	assert_int_equal(m->v.eip, 0x1002);
	set(m, 7, 2 << 2 * 0 | ON_WRITE << 16 | LEN4 << 18);	/* the global bit is as good as the local one */
	assert_int_equal(m->v.debug_armed, MON_DEBUG_DATA);
	m->v.eip = 0x1000;
	step(m);
	stopped(m, 1, 0x1002);
}

static void an_instruction_that_faults_does_not_trap(void **state)
{
	struct machine *m = *state;

	CODE(m, "\xf7\x36");				/* DIV [ESI], by 0 */
	m->v.gpr[X86_ESI] = DATA;
	set(m, 0, DATA);
	set(m, 7, DR7(0, ON_ACCESS, LEN4));
	step(m);
	assert_int_equal(m->v.eip, HANDLER(X86_VEC_DE));
	machine_code(m, HANDLER(X86_VEC_DE), "\x90", 1);
	step(m);
	assert_int_equal(m->v.eip, HANDLER(X86_VEC_DE) + 1);
}

static void repeated_instruction_traps_between_elements_and_goes_on(void **state)
{
	struct machine *m = *state;

	CODE(m, "\xf3\xaa");				/* REP STOSB */
	m->v.gpr[X86_EDI] = DATA;
	m->v.gpr[X86_ECX] = 8;
	m->v.gpr[X86_EAX] = 0x5a;
	set(m, 0, DATA + 2);
	set(m, 1, 0x1000);
	set(m, 7, DR7(0, ON_WRITE, LEN1) | DR7(1, CODE_BP, LEN1));
	step(m);
	stopped(m, 1 << 1, 0x1000);
	iret(m, X86_FLAG_RF);
	step(m);
	stopped(m, 1, 0x1000);
	assert_int_equal(m->v.gpr[X86_ECX], 5);
	assert_true(pushed_flags(m) & X86_FLAG_RF);	/* the breakpoint at the instruction itself is not due again */
	iret(m, 0);
	step(m);
	assert_int_equal(m->v.eip, 0x1002);
	assert_int_equal(m->v.gpr[X86_ECX], 0);
	assert_int_equal(machine_get32(m, DATA + 4), 0x5a5a5a5a);
}

static void stack_switch_holds_breakpoints_back_by_one_instruction(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x8e\x16\x90\x90");			/* MOV SS,[ESI]; NOP; NOP */
	machine_put32(m, DATA, 16);
	m->v.gpr[X86_ESI] = DATA;
	machine_put32(m, 0x810, 0x0000ffff);
	machine_put32(m, 0x814, 0x00cf9300);
	set(m, 0, DATA);
	set(m, 1, 0x1002);
	set(m, 7, DR7(0, ON_ACCESS, LEN2) | DR7(1, CODE_BP, LEN1));
	step(m);
	assert_int_equal(m->v.eip, 0x1002);
	step(m);
	stopped(m, 1, 0x1003);
}

static void general_detect_guards_the_registers_once(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x0f\x21\xd8");			/* MOV EAX,DR3 */
	set(m, 3, 0x1234);
	set(m, 7, 0x2000);
	step(m);
	stopped(m, DR6_BD, 0x1000);
	assert_false(m->v.dr[7] & 0x2000);		/* the handler may look */
	iret(m, 0);
	step(m);
	assert_int_equal(m->v.gpr[X86_EAX], 0x1234);
}

static void new_breakpoint_bits_replace_the_old_ones(void **state)
{
	struct machine *m = *state;

	CODE(m, "\x90");
	m->v.dr[6] |= 0xa | DR6_BD;
	set(m, 0, 0x1000);
	set(m, 7, DR7(0, CODE_BP, LEN1));
	step(m);
	stopped(m, DR6_BD | 1, 0x1000);			/* the other causes stay until the handler clears them */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(execution_breakpoint_faults_before_the_instruction),
		T(rf_lets_the_instruction_run_once),
		T(popf_does_not_load_rf),
		T(execution_breakpoint_comes_before_the_instructions_own_fault),
		T(write_breakpoint_traps_after_the_instruction),
		T(access_breakpoint_sees_reads_too),
		T(fetching_an_instruction_is_no_access),
		T(any_byte_in_common_is_a_hit_and_none_is_not),
		T(two_breakpoints_and_a_step_are_one_exception),
		T(breakpoints_that_are_not_enabled_are_silent),
		T(an_instruction_that_faults_does_not_trap),
		T(repeated_instruction_traps_between_elements_and_goes_on),
		T(stack_switch_holds_breakpoints_back_by_one_instruction),
		T(general_detect_guards_the_registers_once),
		T(new_breakpoint_bits_replace_the_old_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
