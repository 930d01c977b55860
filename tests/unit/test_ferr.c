/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_ferr.c - claims about x87 errors with CR0.NE = 0: FERR# goes out, IGNNE# comes in.
 *
 * The board here is three variables; devices/pc_wire.c's is in test_pc.c. The host's faults come back through
 * interp_compare.c's signal handlers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/interp_compare.h"

#define FCW_AT	0x4000u		/* two control words in memory: zero divide unmasked, and the default */
#define ES_ZE	0x84u

static bool ferr, ignne;
static unsigned int asked;

static bool on_ferr(void *owner, bool level)
{
	(void)owner;
	ferr = level;
	asked++;
	if (!level)
		ignne = false;
	return ignne;
}

static int init(void **state)
{
	const char *why = compare_init();

	(void)state;
	if (why)
		fprintf(stderr, "cannot be the oracle: %s\n", why);
	return why ? -1 : 0;
}

/* FLDCW [4000h]; FLD1; FLDZ; FDIVP have run: 1 / 0 pends. */
static struct machine *divided(void)
{
	static const struct mon_io_ops *plain;
	static struct mon_io_ops io;
	struct machine *m = machine;

	bare_cpu_catch();
	machine_flat(m);
	mon_fpu_reset(&m->v);
	if (!plain)
		plain = m->vm.io;
	io = *plain;
	io.ferr = on_ferr;
	m->vm.io = &io;
	m->v.cr0 &= ~(uint32_t)X86_CR0_NE;
	ferr = ignne = false;
	asked = 0;
	machine_put32(m, FCW_AT, 0x037f037b);
	CODE(m, "\xdb\xe3\xd9\x2d\x00\x40\x00\x00\xd9\xe8\xd9\xee\xde\xf9");
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(mon_step(&m->v), MON_OK);
	return m;
}

static uint32_t status_word(struct machine *m)
{
	CODE(m, "\xdf\xe0");				/* FNSTSW AX */
	assert_int_equal(mon_step(&m->v), MON_OK);
	return m->v.gpr[X86_EAX] & 0xffff;
}

static uint32_t control_word(struct machine *m)
{
	CODE(m, "\xd9\x3d\x08\x40\x00\x00");		/* FNSTCW [4008h] */
	assert_int_equal(mon_step(&m->v), MON_OK);
	return machine_get32(m, 0x4008) & 0xffff;
}

static void the_next_waiting_instruction_asserts_ferr_and_freezes(void **state)
{
	struct machine *m = divided();

	(void)state;
	assert_false(ferr);
	assert_int_equal(status_word(m) & ES_ZE, ES_ZE);	/* it does not wait */
	assert_false(ferr);
	CODE(m, "\xd9\xe8");				/* FLD1 */
	assert_int_equal(mon_step(&m->v), MON_HALT);
	assert_true(ferr);
	assert_int_equal(m->v.ferr, 1);
	assert_int_equal(m->v.eip, 0x1000);
}

static void a_frozen_instruction_is_not_stepped_over(void **state)
{
	struct machine *m = divided();

	(void)state;
	CODE(m, "\x9b");				/* WAIT */
	m->v.eflags |= X86_FLAG_TF;
	m->v.int_shadow = MON_SHADOW_STI;
	assert_int_equal(mon_step(&m->v), MON_HALT);
	assert_int_equal(m->v.eip, 0x1000);
	assert_int_equal(m->v.int_shadow, 0);		/* or the interrupt it waits for could not come */
	assert_false(m->v.dr[6] & 0x4000);
}

static void clearing_the_error_takes_ferr_away(void **state)
{
	struct machine *m = divided();

	(void)state;
	CODE(m, "\x9b\x9b");
	assert_int_equal(mon_step(&m->v), MON_HALT);
	CODE(m, "\xdb\xe2");				/* FNCLEX */
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_false(ferr);
	assert_int_equal(m->v.ferr, 0);
	CODE(m, "\x9b");
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(asked, 2);
}

static void ignne_lets_instructions_run_with_the_error_pending(void **state)
{
	struct machine *m = divided();

	(void)state;
	CODE(m, "\xd9\xe8\xda\xe9");			/* FLD1; FUCOMPP */
	assert_int_equal(mon_step(&m->v), MON_HALT);
	ignne = true;
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.eip, 0x1002);
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_true(ferr);
	assert_int_equal(status_word(m) & ES_ZE, ES_ZE);	/* it pends as before */
	assert_int_equal(control_word(m), 0x37b);
	/* Masked by FLDCW, it is no error any more. */
	CODE(m, "\xd9\x2d\x02\x40\x00\x00");
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(control_word(m), 0x37f);
	assert_int_equal(status_word(m) & ES_ZE, 0x04);
	assert_false(ferr);
	assert_false(ignne);
}

static void a_board_without_the_wire_ignores_errors(void **state)
{
	struct machine *m = divided();
	struct mon_io_ops io = *m->vm.io;

	(void)state;
	io.ferr = NULL;
	m->vm.io = &io;
	CODE(m, "\xd9\xe8\xdb\xe2");
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(mon_step(&m->v), MON_OK);
	assert_int_equal(m->v.ferr, 0);
}

static void with_ne_set_it_is_an_exception(void **state)
{
	struct machine *m = divided();

	(void)state;
	m->v.cr0 |= X86_CR0_NE;
	CODE(m, "\x9b");
	assert_int_equal(mon_interp_one(&m->v), MON_FAULT);
	assert_int_equal(m->v.fault.vector, X86_VEC_MF);
	assert_int_equal(asked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_waiting_instruction_asserts_ferr_and_freezes),
		cmocka_unit_test(a_frozen_instruction_is_not_stepped_over),
		cmocka_unit_test(clearing_the_error_takes_ferr_away),
		cmocka_unit_test(ignne_lets_instructions_run_with_the_error_pending),
		cmocka_unit_test(a_board_without_the_wire_ignores_errors),
		cmocka_unit_test(with_ne_set_it_is_an_exception),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
