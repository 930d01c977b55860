/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_interrupt.c - claims about monitor/interrupt.c. */
#include "tests/unit/flat_vm.h"

#define S SPARE

static void gate32(struct flat *f, uint8_t vector, uint32_t access)
{
	set_gate(f, IDT, vector, CODE0, 0x60000 + vector * 16, access, 0);
}

static void expect_at_handler(struct flat *f, uint8_t vector)
{
	assert_int_equal(f->vcpu.eip, 0x60000 + vector * 16);
	assert_int_equal(f->vcpu.cpl, 0);
	assert_int_equal(f->vcpu.delivering, 0xff);
}

static enum mon_status raise_error(struct flat *f, uint8_t vector, uint16_t error)
{
	mon_fault_error(&f->vcpu, vector, error);
	return mon_deliver_fault(&f->vcpu);
}

static void an_interrupt_gate_clears_if_and_a_trap_gate_does_not(void **state)
{
	struct flat *f = *state;

	gate32(f, 0x20, 0x8e);
	f->vcpu.eflags |= X86_FLAG_TF | X86_FLAG_NT | X86_FLAG_DF;
	f->vcpu.halted = 1;
	f->vcpu.int_shadow = MON_SHADOW_STI;
	assert_int_equal(mon_deliver_interrupt(&f->vcpu, 0x20), MON_OK);
	expect_at_handler(f, 0x20);
	assert_int_equal(f->vcpu.halted | f->vcpu.int_shadow, 0);
	assert_int_equal(f->vcpu.eflags, X86_FLAG_ONE | X86_FLAG_DF);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0 - 12);
	assert_int_equal(ram32(f, STACK0 - 12), 0x7000);
	assert_int_equal(ram32(f, STACK0 - 8), CODE0);
	assert_int_equal(ram32(f, STACK0 - 4), X86_FLAG_ONE | X86_FLAG_IF | X86_FLAG_TF | X86_FLAG_NT | X86_FLAG_DF);

	enter_protected(f, 0);
	gate32(f, 0x20, 0x8f);
	assert_int_equal(mon_deliver_interrupt(&f->vcpu, 0x20), MON_OK);
	assert_true(f->vcpu.eflags & X86_FLAG_IF);
}

static void an_interrupt_of_user_code_switches_to_the_ring_0_stack(void **state)
{
	struct flat *f = *state;

	gate32(f, 0x80, 0xee);
	enter_protected(f, 3);
	assert_int_equal(mon_soft_int(&f->vcpu, 0x80, 0x7002, false), MON_OK);
	expect_at_handler(f, 0x80);
	assert_int_equal(f->vcpu.seg[X86_SS].sel, DATA0);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0 - 20);
	assert_int_equal(ram32(f, STACK0 - 20), 0x7002);
	assert_int_equal(ram32(f, STACK0 - 16), CODE3);
	assert_int_equal(ram32(f, STACK0 - 8), STACK3);
	assert_int_equal(ram32(f, STACK0 - 4), DATA3);
	assert_int_equal(f->vcpu.seg[X86_DS].sel, DATA3);	/* data segments stay */
	assert_true(f->vcpu.mode_dirty);
	/* And back. */
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.eip, 0x7002);
}

static void int_n_checks_the_gates_dpl_and_hardware_does_not(void **state)
{
	struct flat *f = *state;

	gate32(f, 0x20, 0x8e);
	enter_protected(f, 3);
	expect_fault(f, mon_soft_int(&f->vcpu, 0x20, 0x7002, false), X86_VEC_GP, 0x20 * 8 + 2);
	assert_int_equal(f->vcpu.eip, 0x7000);
	assert_int_equal(mon_deliver_interrupt(&f->vcpu, 0x20), MON_OK);
	expect_at_handler(f, 0x20);
}

static void a_missing_gate_names_the_vector_and_ext(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_GP, 0x8e);
	gate32(f, X86_VEC_NP, 0x8e);
	expect_fault(f, mon_soft_int(&f->vcpu, 0x30, 0x7002, false), X86_VEC_GP, 0x30 * 8 + 2);
	gate32(f, 0x30, 0x0e);
	expect_fault(f, mon_soft_int(&f->vcpu, 0x30, 0x7002, false), X86_VEC_NP, 0x30 * 8 + 2);
	f->vcpu.idtr.limit = 0x30 * 8 + 6;
	expect_fault(f, mon_soft_int(&f->vcpu, 0x30, 0x7002, false), X86_VEC_GP, 0x30 * 8 + 2);

	/* From hardware the same is delivered, with EXT. */
	assert_int_equal(mon_deliver_interrupt(&f->vcpu, 0x30), MON_OK);
	expect_at_handler(f, X86_VEC_GP);
	assert_int_equal(ram32(f, f->vcpu.gpr[X86_ESP]), 0x30 * 8 + 3);
}

static void error_codes_are_pushed_last_and_faults_set_rf(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_PF, 0x8e);
	mon_fault_error(&f->vcpu, X86_VEC_PF, 6);
	f->vcpu.fault.address = 0xdeadb000;
	assert_int_equal(mon_deliver_fault(&f->vcpu), MON_OK);
	expect_at_handler(f, X86_VEC_PF);
	assert_int_equal(f->vcpu.cr2, 0xdeadb000);
	assert_int_equal(ram32(f, STACK0 - 16), 6);
	assert_int_equal(ram32(f, STACK0 - 12), 0x7000);
	assert_true(ram32(f, STACK0 - 4) & X86_FLAG_RF);
	assert_false(f->vcpu.eflags & X86_FLAG_RF);
}

static void traps_and_interrupts_do_not_set_rf(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_DB, 0x8e);
	f->vcpu.dr[7] |= 0x2000;
	mon_fault(&f->vcpu, X86_VEC_DB);
	assert_int_equal(mon_deliver_fault(&f->vcpu), MON_OK);
	assert_false(ram32(f, STACK0 - 4) & X86_FLAG_RF);
	assert_false(f->vcpu.dr[7] & 0x2000);	/* GD off, so that the handler may look */
}

static void a_16_bit_gate_pushes_words(void **state)
{
	struct flat *f = *state;

	set_gate(f, IDT, 0x20, CODE0, 0x4321, 0x86, 0);
	assert_int_equal(mon_deliver_interrupt(&f->vcpu, 0x20), MON_OK);
	assert_int_equal(f->vcpu.eip, 0x4321);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0 - 6);
	assert_int_equal(ram16(f, STACK0 - 6), 0x7000);
}

static void v86_code_is_left_with_all_its_segments_on_the_stack(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_GP, 0x8e);
	enter_v86(f, 0);
	expect_fault(f, mon_soft_int(&f->vcpu, 0x21, 0x102, false), X86_VEC_GP, 0);
	assert_int_equal(mon_deliver_fault(&f->vcpu), MON_OK);
	expect_at_handler(f, X86_VEC_GP);
	assert_false(mon_v86(&f->vcpu));
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0 - 40);
	assert_int_equal(ram32(f, STACK0 - 40), 0);		/* error */
	assert_int_equal(ram32(f, STACK0 - 36), 0x100);
	assert_int_equal(ram32(f, STACK0 - 32), 0x700);
	assert_true(ram32(f, STACK0 - 28) & X86_FLAG_VM);
	assert_int_equal(ram32(f, STACK0 - 24), 0x100);		/* SP */
	assert_int_equal(ram32(f, STACK0 - 20), 0x900);
	assert_int_equal(ram32(f, STACK0 - 16), 0x100 + X86_ES);
	assert_int_equal(ram32(f, STACK0 - 12), 0x100 + X86_DS);
	assert_int_equal(ram32(f, STACK0 - 8), 0x100 + X86_FS);
	assert_int_equal(ram32(f, STACK0 - 4), 0x100 + X86_GS);
	assert_int_equal(f->vcpu.seg[X86_DS].attr, MON_SEG_NULL);
	assert_int_equal(f->vcpu.seg[X86_GS].attr, MON_SEG_NULL);
	assert_int_equal(f->vcpu.seg_dirty, 0x3f);

	/* IRET brings it all back. */
	f->vcpu.gpr[X86_ESP] += 4;
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_true(mon_v86(&f->vcpu));
	assert_int_equal(f->vcpu.seg[X86_GS].base, (0x100 + X86_GS) << 4);
}

static void int3_in_v86_mode_does_not_ask_for_iopl(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_BP, 0xee);
	enter_v86(f, 0);
	assert_int_equal(mon_soft_int(&f->vcpu, X86_VEC_BP, 0x101, true), MON_OK);
	expect_at_handler(f, X86_VEC_BP);
}

static void v86_handlers_must_be_ring_0_code(void **state)
{
	struct flat *f = *state;

	set_gate(f, IDT, 0x20, CODE3, 0x4321, 0xee, 0);
	enter_v86(f, 3);
	expect_fault(f, mon_soft_int(&f->vcpu, 0x20, 0x102, false), X86_VEC_GP, CODE3 & ~3);
	set_desc(f, GDT, S, 0, 0xfffff, 0x9e, 0xc);	/* conforming: would run at CPL 3 */
	set_gate(f, IDT, 0x20, S, 0x4321, 0xee, 0);
	expect_fault(f, mon_soft_int(&f->vcpu, 0x20, 0x102, false), X86_VEC_GP, S);
}

static void real_mode_goes_through_the_vector_table(void **state)
{
	struct flat *f = *state;

	enter_real(f);
	set32(f, 0x10 * 4, 0xf0001234);
	f->vcpu.eflags |= X86_FLAG_IF | X86_FLAG_TF;
	assert_int_equal(mon_soft_int(&f->vcpu, 0x10, 0x102, false), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_CS].base, 0xf0000);
	assert_int_equal(f->vcpu.eip, 0x1234);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0xfa);
	assert_int_equal(ram16(f, 0x90fa), 0x102);
	assert_int_equal(ram16(f, 0x90fc), 0x700);
	assert_int_equal(ram16(f, 0x90fe), 0x302);
	assert_int_equal(f->vcpu.eflags, X86_FLAG_ONE);
	assert_int_equal(mon_iret(&f->vcpu, 2), MON_OK);
	assert_int_equal(f->vcpu.eflags, 0x302);
}

static void real_mode_pushes_no_error_code(void **state)
{
	struct flat *f = *state;

	enter_real(f);
	set32(f, X86_VEC_GP * 4, 0xf0001234);
	assert_int_equal(raise_error(f, X86_VEC_GP, 0), MON_OK);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0xfa);
	assert_int_equal(ram16(f, 0x90fa), 0x100);
}

/* ---- double and triple faults ---- */

static void a_contributory_fault_on_the_way_to_another_is_a_double_fault(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_DF, 0x8e);
	assert_int_equal(raise_error(f, X86_VEC_GP, 0x1234), MON_OK);	/* #GP has no gate: #GP again */
	expect_at_handler(f, X86_VEC_DF);
	assert_int_equal(ram32(f, f->vcpu.gpr[X86_ESP]), 0);
	assert_int_equal(ram32(f, f->vcpu.gpr[X86_ESP] + 4), 0x7000);
}

static void a_benign_first_event_makes_no_double_fault(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_GP, 0x8e);
	gate32(f, X86_VEC_DF, 0x8e);
	mon_fault(&f->vcpu, X86_VEC_UD);
	assert_int_equal(mon_deliver_fault(&f->vcpu), MON_OK);
	expect_at_handler(f, X86_VEC_GP);
	assert_int_equal(ram32(f, f->vcpu.gpr[X86_ESP]), X86_VEC_UD * 8 + 3);
}

/* An IDT page that is not there: the #PF on the way to #MF is served by the #PF gate, which can be read. */
static void a_page_fault_on_the_way_to_a_benign_fault_is_just_served(void **state)
{
	struct flat *f = *state;

	/* Identity paging, with a hole at the page of the high gates: the IDT straddles two pages. */
	for (uint32_t i = 0; i < 256; i++)
		set32(f, 0x11000 + i * 4, i << 12 | 3);
	set32(f, 0x10000, 0x11003);
	f->vcpu.idtr.base = 0x20000 - X86_VEC_PF * 8 - 8;	/* vector 15 is the first of the next page */
	set32(f, 0x11000 + 0x20 * 4, 0);
	set_gate(f, f->vcpu.idtr.base, X86_VEC_PF, CODE0, 0x60000 + X86_VEC_PF * 16, 0x8e, 0);
	f->vcpu.cr3 = 0x10000;
	f->vcpu.cr0 |= X86_CR0_PG;
	mon_fault(&f->vcpu, X86_VEC_MF);			/* benign, and its gate is in the hole */
	assert_int_equal(mon_deliver_fault(&f->vcpu), MON_OK);
	expect_at_handler(f, X86_VEC_PF);
	assert_int_equal(f->vcpu.cr2, f->vcpu.idtr.base + X86_VEC_MF * 8);
	assert_int_equal(ram32(f, f->vcpu.gpr[X86_ESP]), 0);	/* an absent page, read by a supervisor */
}

static void a_page_fault_during_a_page_fault_is_a_double_fault(void **state)
{
	struct flat *f = *state;

	for (uint32_t i = 0; i < 256; i++)
		set32(f, 0x11000 + i * 4, i << 12 | 3);
	set32(f, 0x10000, 0x11003);
	f->vcpu.idtr.base = 0x20000 - X86_VEC_PF * 8;		/* #PF's own gate is in the hole, #DF's is not */
	set32(f, 0x11000 + 0x20 * 4, 0);
	set_gate(f, f->vcpu.idtr.base, X86_VEC_DF, CODE0, 0x60000 + X86_VEC_DF * 16, 0x8e, 0);
	f->vcpu.cr3 = 0x10000;
	f->vcpu.cr0 |= X86_CR0_PG;
	mon_fault_error(&f->vcpu, X86_VEC_PF, 0);
	f->vcpu.fault.address = 0x1234;
	assert_int_equal(mon_deliver_fault(&f->vcpu), MON_OK);
	expect_at_handler(f, X86_VEC_DF);
	assert_int_equal(f->vcpu.cr2, 0x20000);
}

static void a_fault_on_the_way_to_the_double_fault_is_shutdown(void **state)
{
	struct flat *f = *state;

	f->vcpu.idtr.limit = 0;
	assert_int_equal(raise_error(f, X86_VEC_GP, 0), MON_SHUTDOWN);
	assert_int_equal(f->vcpu.eip, 0x7000);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0);

	enter_real(f);
	f->vcpu.idtr.limit = 3;
	assert_int_equal(raise_error(f, X86_VEC_GP, 0), MON_SHUTDOWN);
}

static void a_stack_without_room_is_a_double_fault_only_after_a_contributory_one(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, 0, 0x3, 0x93, 0x4);			/* ring 0 stack of four bytes */
	gate32(f, 0x20, 0x8e);
	enter_protected(f, 3);
	set32(f, TSS + 8, S);
	set32(f, TSS + 4, 4);
	/* The interrupt is benign, its #SS too has no stack: #SS then #SS is a double fault, and that shuts down. */
	assert_int_equal(mon_deliver_interrupt(&f->vcpu, 0x20), MON_SHUTDOWN);
	assert_int_equal(f->vcpu.cpl, 3);
}

/* Silicon loops for ever here; a monitor must not. */
static void alignment_is_not_checked_while_an_event_is_delivered(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, 0, 0xfffff, 0x9f, 0xc);		/* conforming: #AC's handler stays in ring 3 */
	set_gate(f, IDT, X86_VEC_AC, S, 0x60000, 0xee, 0);
	enter_protected(f, 3);
	f->vcpu.cr0 |= X86_CR0_AM;
	f->vcpu.eflags |= X86_FLAG_AC;
	f->vcpu.gpr[X86_ESP] = STACK3 - 2;
	assert_int_equal(raise_error(f, X86_VEC_AC, 0), MON_OK);
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.eip, 0x60000);
}

static void an_nmi_blocks_the_next_one(void **state)
{
	struct flat *f = *state;

	gate32(f, X86_VEC_NMI, 0x8e);
	assert_int_equal(mon_deliver_interrupt(&f->vcpu, X86_VEC_NMI), MON_OK);
	expect_at_handler(f, X86_VEC_NMI);
	assert_int_equal(f->vcpu.nmi_blocked, 1);
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.nmi_blocked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(an_interrupt_gate_clears_if_and_a_trap_gate_does_not),
		FLAT_TEST(an_interrupt_of_user_code_switches_to_the_ring_0_stack),
		FLAT_TEST(int_n_checks_the_gates_dpl_and_hardware_does_not),
		FLAT_TEST(a_missing_gate_names_the_vector_and_ext),
		FLAT_TEST(error_codes_are_pushed_last_and_faults_set_rf),
		FLAT_TEST(traps_and_interrupts_do_not_set_rf),
		FLAT_TEST(a_16_bit_gate_pushes_words),
		FLAT_TEST(v86_code_is_left_with_all_its_segments_on_the_stack),
		FLAT_TEST(int3_in_v86_mode_does_not_ask_for_iopl),
		FLAT_TEST(v86_handlers_must_be_ring_0_code),
		FLAT_TEST(real_mode_goes_through_the_vector_table),
		FLAT_TEST(real_mode_pushes_no_error_code),
		FLAT_TEST(a_contributory_fault_on_the_way_to_another_is_a_double_fault),
		FLAT_TEST(a_benign_first_event_makes_no_double_fault),
		FLAT_TEST(a_page_fault_on_the_way_to_a_benign_fault_is_just_served),
		FLAT_TEST(a_page_fault_during_a_page_fault_is_a_double_fault),
		FLAT_TEST(a_fault_on_the_way_to_the_double_fault_is_shutdown),
		FLAT_TEST(a_stack_without_room_is_a_double_fault_only_after_a_contributory_one),
		FLAT_TEST(alignment_is_not_checked_while_an_event_is_delivered),
		FLAT_TEST(an_nmi_blocks_the_next_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
