/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_far.c - claims about monitor/far.c and stack.c. */
#include "tests/unit/flat_vm.h"

#define S SPARE

/* Put dwords on the stack at @esp, lowest address first. */
static void stack32(struct flat *f, uint32_t esp, const uint32_t *v, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		set32(f, esp + 4 * i, v[i]);
	f->vcpu.gpr[X86_ESP] = esp;
}

static void expect_untouched(struct flat *f, const struct mon_vcpu *before)
{
	assert_int_equal(f->vcpu.eip, before->eip);
	assert_int_equal(f->vcpu.cpl, before->cpl);
	assert_int_equal(f->vcpu.eflags, before->eflags);
	assert_memory_equal(f->vcpu.gpr, before->gpr, sizeof(before->gpr));
	assert_memory_equal(f->vcpu.seg, before->seg, sizeof(before->seg));
}

/* ---- JMP, CALL, RET in real mode and V86 ---- */

static void real_mode_call_and_ret_meet_again(void **state)
{
	struct flat *f = *state;

	enter_real(f);
	assert_int_equal(mon_far_call(&f->vcpu, 0x1000, 0x20, 2, 0x105), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_CS].base, 0x10000);
	assert_int_equal(f->vcpu.eip, 0x20);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0xfc);
	assert_int_equal(ram16(f, 0x90fc), 0x105);
	assert_int_equal(ram16(f, 0x90fe), 0x700);
	assert_int_equal(mon_far_ret(&f->vcpu, 2, 6), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_CS].sel, 0x700);
	assert_int_equal(f->vcpu.eip, 0x105);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0x106);
}

static void real_mode_eip_is_held_to_the_limit(void **state)
{
	struct flat *f = *state;

	enter_real(f);
	expect_fault(f, mon_far_jmp(&f->vcpu, 0x1000, 0x10000, 4), X86_VEC_GP, 0);
	assert_int_equal(mon_far_jmp(&f->vcpu, 0x1000, 0x10000, 2), MON_OK);	/* 16 bits: wraps to 0 */
	assert_int_equal(f->vcpu.eip, 0);
}

static void a_16_bit_stack_wraps_and_keeps_the_upper_half(void **state)
{
	struct flat *f = *state;

	enter_real(f);
	f->vcpu.gpr[X86_ESP] = 0xabcd0002;
	assert_int_equal(mon_far_call(&f->vcpu, 0x1000, 0x20, 2, 0x105), MON_OK);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0xabcdfffe);
	assert_int_equal(ram16(f, 0x9000), 0x700);
	assert_int_equal(ram16(f, 0x9000 + 0xfffe), 0x105);
	assert_int_equal(mon_far_ret(&f->vcpu, 2, 0), MON_OK);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0xabcd0002);
	assert_int_equal(f->vcpu.eip, 0x105);

	/* A word that straddles the end does not wrap: #SS. */
	f->vcpu.gpr[X86_ESP] = 1;
	expect_fault(f, mon_far_call(&f->vcpu, 0x1000, 0x20, 2, 0x105), X86_VEC_SS, 0);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 1);
}

static void big_real_cs_survives_a_real_mode_jump(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_write_cr(&f->vcpu, 0, X86_CR0_ET), MON_OK);
	assert_int_equal(mon_far_jmp(&f->vcpu, 0x1000, 0x10, 2), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_CS].limit, 0xffffffff);
	assert_true(mon_code32(&f->vcpu));
}

/* ---- direct, protected ---- */

static void far_jmp_checks_type_and_privilege(void **state)
{
	struct flat *f = *state;
	struct mon_vcpu before = f->vcpu;

	expect_fault(f, mon_far_jmp(&f->vcpu, 0, 0, 4), X86_VEC_GP, 0);
	expect_fault(f, mon_far_jmp(&f->vcpu, DATA0, 0, 4), X86_VEC_GP, DATA0);
	expect_fault(f, mon_far_jmp(&f->vcpu, CODE3, 0, 4), X86_VEC_GP, CODE3 & ~3);
	expect_fault(f, mon_far_jmp(&f->vcpu, CODE0 | 1, 0, 4), X86_VEC_GP, CODE0);
	expect_fault(f, mon_far_jmp(&f->vcpu, TSS_SEL, 0, 4), X86_VEC_GP, TSS_SEL);	/* busy */
	set_desc(f, GDT, S, 0, 0xfff, 0x1a, 0x4);
	expect_fault(f, mon_far_jmp(&f->vcpu, S, 0, 4), X86_VEC_NP, S);
	set_desc(f, GDT, S, 0, 0xfff, 0x9a, 0x4);
	expect_fault(f, mon_far_jmp(&f->vcpu, S, 0x1000, 4), X86_VEC_GP, 0);
	expect_untouched(f, &before);
	assert_int_equal(f->vm.ram[GDT + S + 5], 0x9a);
	assert_int_equal(mon_far_jmp(&f->vcpu, S, 0xfff, 4), MON_OK);
	assert_int_equal(f->vcpu.eip, 0xfff);
	assert_int_equal(f->vm.ram[GDT + S + 5], 0x9b);
}

static void conforming_code_runs_at_the_callers_cpl(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, 0, 0xfffff, 0x9e, 0xc);
	enter_protected(f, 3);
	assert_int_equal(mon_far_call(&f->vcpu, S, 0x1234, 4, 0x7007), MON_OK);
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.seg[X86_CS].sel, S | 3);
	assert_int_equal(ram32(f, STACK3 - 8), 0x7007);
	assert_int_equal(ram32(f, STACK3 - 4), CODE3);
}

static void jumping_to_16_bit_code_is_a_mode_change(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, 0x10000, 0xffff, 0x9b, 0);
	assert_int_equal(mon_far_jmp(&f->vcpu, S, 0x77770010, 2), MON_OK);
	assert_int_equal(f->vcpu.eip, 0x10);
	assert_true(f->vcpu.mode_dirty);
	assert_true(f->vcpu.seg_dirty & 1u << X86_CS);
	assert_false(mon_code32(&f->vcpu));
}

static void a_call_without_room_changes_nothing(void **state)
{
	struct flat *f = *state;
	struct mon_vcpu before;

	f->vcpu.seg[X86_SS].limit = 0xfff;
	f->vcpu.gpr[X86_ESP] = 0x1004;
	before = f->vcpu;
	expect_fault(f, mon_far_call(&f->vcpu, CODE0, 0x1234, 4, 0x7007), X86_VEC_SS, 0);
	expect_untouched(f, &before);
}

/* ---- call gates ---- */

static void a_32_bit_gate_switches_stacks_and_copies_parameters(void **state)
{
	struct flat *f = *state;
	const uint32_t params[3] = { 0x11111111, 0x22222222, 0x33333333 };

	set_gate(f, GDT, S >> 3, CODE0, 0x00054321, 0xec, 3);
	enter_protected(f, 3);
	stack32(f, STACK3 - 12, params, 3);
	assert_int_equal(mon_far_call(&f->vcpu, S | 3, 0xdead, 4, 0x7007), MON_OK);
	assert_int_equal(f->vcpu.cpl, 0);
	assert_int_equal(f->vcpu.seg[X86_CS].sel, CODE0);
	assert_int_equal(f->vcpu.seg[X86_SS].sel, DATA0);
	assert_int_equal(f->vcpu.eip, 0x54321);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0 - 28);
	assert_int_equal(ram32(f, STACK0 - 28), 0x7007);
	assert_int_equal(ram32(f, STACK0 - 24), CODE3);
	assert_int_equal(ram32(f, STACK0 - 20), 0x11111111);
	assert_int_equal(ram32(f, STACK0 - 12), 0x33333333);
	assert_int_equal(ram32(f, STACK0 - 8), STACK3 - 12);
	assert_int_equal(ram32(f, STACK0 - 4), DATA3);
	assert_true(f->vcpu.mode_dirty);

	/* ... and RETF 12 goes all the way back, with the parameters off both stacks. */
	assert_int_equal(mon_far_ret(&f->vcpu, 4, 12), MON_OK);
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.seg[X86_SS].sel, DATA3);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK3);
	assert_int_equal(f->vcpu.eip, 0x7007);
}

static void a_16_bit_gate_pushes_words(void **state)
{
	struct flat *f = *state;

	set_gate(f, GDT, S >> 3, CODE0, 0x4321, 0xe4, 1);
	enter_protected(f, 3);
	set16(f, STACK3, 0xbeef);
	assert_int_equal(mon_far_call(&f->vcpu, S | 3, 0, 4, 0x7007), MON_OK);
	assert_int_equal(f->vcpu.eip, 0x4321);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0 - 10);
	assert_int_equal(ram16(f, STACK0 - 10), 0x7007);
	assert_int_equal(ram16(f, STACK0 - 8), CODE3);
	assert_int_equal(ram16(f, STACK0 - 6), 0xbeef);
	assert_int_equal(ram16(f, STACK0 - 4), STACK3 & 0xffff);
	assert_int_equal(ram16(f, STACK0 - 2), DATA3);
}

static void gates_check_in_the_order_of_the_manual(void **state)
{
	struct flat *f = *state;
	struct mon_vcpu before;

	set_gate(f, GDT, S >> 3, CODE0, 0x4321, 0x8c, 0);	/* DPL 0 */
	enter_protected(f, 3);
	before = f->vcpu;
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_GP, S);
	set_gate(f, GDT, S >> 3, CODE0, 0x4321, 0x6c, 0);	/* not present */
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_NP, S);
	set_gate(f, GDT, S >> 3, 0, 0x4321, 0xec, 0);
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_GP, 0);
	set_gate(f, GDT, S >> 3, DATA0, 0x4321, 0xec, 0);
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_GP, DATA0);
	/* A jump may not raise privilege. */
	set_gate(f, GDT, S >> 3, CODE0, 0x4321, 0xec, 0);
	expect_fault(f, mon_far_jmp(&f->vcpu, S, 0, 4), X86_VEC_GP, CODE0);
	expect_untouched(f, &before);
}

static void a_bad_inner_stack_is_ts_with_its_selector(void **state)
{
	struct flat *f = *state;
	struct mon_vcpu before;

	set_gate(f, GDT, S >> 3, CODE0, 0x4321, 0xec, 0);
	set_desc(f, GDT, S + 8, 0, 0xf, 0x93, 0x4);		/* a stack of 16 bytes */
	enter_protected(f, 3);
	before = f->vcpu;
	set32(f, TSS + 8, 0);
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_TS, 0);
	set32(f, TSS + 8, DATA3);
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_TS, DATA3 & ~3);
	set32(f, TSS + 8, S + 8);
	set32(f, TSS + 4, 0xc);
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_SS, S + 8);
	f->vcpu.tr.limit = 8;
	expect_fault(f, mon_far_call(&f->vcpu, S, 0, 4, 0x7007), X86_VEC_TS, TSS_SEL);
	expect_untouched(f, &before);
}

/* ---- returns ---- */

static void a_return_may_not_go_inward(void **state)
{
	struct flat *f = *state;
	const uint32_t frame[2] = { 0x1234, CODE0 };
	struct mon_vcpu before;

	enter_protected(f, 3);
	stack32(f, STACK3 - 16, frame, 2);
	before = f->vcpu;
	expect_fault(f, mon_far_ret(&f->vcpu, 4, 0), X86_VEC_GP, CODE0);
	expect_fault(f, mon_iret(&f->vcpu, 4), X86_VEC_GP, CODE0);
	expect_untouched(f, &before);
}

static void a_return_to_an_outer_ring_takes_inner_segments_away(void **state)
{
	struct flat *f = *state;
	const uint32_t frame[5] = { 0x1234, CODE3, 0x202, STACK3, DATA3 };

	set_desc(f, GDT, S, 0, 0xfffff, 0x9f, 0xc);		/* conforming code may stay */
	load(f, X86_FS, S);
	load(f, X86_GS, DATA3);
	stack32(f, STACK0 - 20, frame, 5);
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK3);
	assert_int_equal(f->vcpu.seg[X86_DS].attr, MON_SEG_NULL);
	assert_int_equal(f->vcpu.seg[X86_DS].sel, 0);
	assert_int_equal(f->vcpu.seg[X86_ES].attr, MON_SEG_NULL);
	assert_int_equal(f->vcpu.seg[X86_FS].sel, S);
	assert_int_equal(f->vcpu.seg[X86_GS].sel, DATA3);
	assert_int_equal(f->vcpu.seg_dirty, 0xf);		/* ES CS SS DS */
}

static void a_return_checks_the_outer_stack(void **state)
{
	struct flat *f = *state;
	const uint32_t frame[5] = { 0x1234, CODE3, 0x202, STACK3, DATA0 };
	struct mon_vcpu before;

	stack32(f, STACK0 - 20, frame, 5);
	before = f->vcpu;
	expect_fault(f, mon_iret(&f->vcpu, 4), X86_VEC_GP, DATA0);
	set32(f, STACK0 - 4, 3);
	expect_fault(f, mon_iret(&f->vcpu, 4), X86_VEC_GP, 0);
	expect_untouched(f, &before);
}

static void a_16_bit_outer_stack_leaves_the_upper_half_of_esp(void **state)
{
	struct flat *f = *state;
	const uint32_t frame[5] = { 0x1234, CODE3, 0x202, 0x55558000, S | 3 };

	set_desc(f, GDT, S, 0x10000, 0xffff, 0xf3, 0);
	stack32(f, STACK0 - 20, frame, 5);
	f->vcpu.gpr[X86_ESP] = STACK0 - 20;
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.gpr[X86_ESP], ((STACK0 - 20) & 0xffff0000) | 0x8000);
}

static void iret_gives_each_ring_the_flags_it_may_set(void **state)
{
	struct flat *f = *state;
	const uint32_t all = 0xffffffff & ~X86_FLAG_VM;
	uint32_t frame[3] = { 0x1234, CODE0, all & ~X86_FLAG_NT };

	stack32(f, STACK0 - 12, frame, 3);
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	/* VM, VIF and VIP apart, ring 0 sets all that exist. */
	assert_int_equal(f->vcpu.eflags, 0x00253fd7);

	enter_protected(f, 3);
	f->vcpu.eflags = X86_FLAG_ONE | 1u << X86_FLAG_IOPL_SHIFT;
	frame[1] = CODE3;
	stack32(f, STACK3 - 12, frame, 3);
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.eflags & (X86_FLAG_IOPL | X86_FLAG_IF), 1u << X86_FLAG_IOPL_SHIFT);

	/* A 16-bit IRET leaves the upper half. */
	enter_protected(f, 0);
	f->vcpu.eflags |= X86_FLAG_AC;
	set16(f, STACK0 - 6, 0x1234);
	set16(f, STACK0 - 4, CODE0);
	set16(f, STACK0 - 2, 0x0046);
	f->vcpu.gpr[X86_ESP] = STACK0 - 6;
	assert_int_equal(mon_iret(&f->vcpu, 2), MON_OK);
	assert_int_equal(f->vcpu.eflags, X86_FLAG_AC | 0x46);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0);
}

static void iret_ends_the_blocking_of_nmi(void **state)
{
	struct flat *f = *state;
	const uint32_t frame[3] = { 0x1234, CODE0, 0x2 };

	f->vcpu.nmi_blocked = 1;
	stack32(f, STACK0 - 12, frame, 3);
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.nmi_blocked, 0);
}

static void iret_enters_v86_mode_from_ring_0(void **state)
{
	struct flat *f = *state;
	const uint32_t frame[9] = { 0x100, 0x700, X86_FLAG_VM | X86_FLAG_IF | 0x3002, 0xfffe, 0x900, 1, 2, 3, 4 };

	stack32(f, STACK0 - 36, frame, 9);
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_true(mon_v86(&f->vcpu));
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.eip, 0x100);
	assert_int_equal(f->vcpu.seg[X86_CS].base, 0x7000);
	assert_int_equal(f->vcpu.seg[X86_CS].attr, 0xf3);
	assert_int_equal(f->vcpu.seg[X86_SS].base, 0x9000);
	assert_int_equal(f->vcpu.seg[X86_ES].sel, 1);
	assert_int_equal(f->vcpu.seg[X86_DS].sel, 2);
	assert_int_equal(f->vcpu.seg[X86_FS].sel, 3);
	assert_int_equal(f->vcpu.seg[X86_GS].base, 0x40);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0xfffe);
	assert_int_equal(f->vcpu.seg_dirty, 0x3f);
	assert_true(f->vcpu.mode_dirty);
}

static void v86_iret_obeys_iopl_and_keeps_it(void **state)
{
	struct flat *f = *state;

	enter_v86(f, 0);
	expect_fault(f, mon_iret(&f->vcpu, 2), X86_VEC_GP, 0);
	enter_v86(f, 3);
	set16(f, 0x9100, 0x200);
	set16(f, 0x9102, 0x800);
	set16(f, 0x9104, 0x0002);		/* IOPL 0 and IF 0 in the image */
	assert_int_equal(mon_iret(&f->vcpu, 2), MON_OK);
	assert_int_equal(mon_iopl(&f->vcpu), 3);
	assert_true(mon_v86(&f->vcpu));
	assert_false(f->vcpu.eflags & X86_FLAG_IF);
	assert_int_equal(f->vcpu.seg[X86_CS].base, 0x8000);
}

static void real_mode_iret_sets_the_low_flags(void **state)
{
	struct flat *f = *state;

	enter_real(f);
	set16(f, 0x9100, 0x200);
	set16(f, 0x9102, 0x800);
	set16(f, 0x9104, 0x7202);
	assert_int_equal(mon_iret(&f->vcpu, 2), MON_OK);
	assert_int_equal(f->vcpu.eflags, 0x7202);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0x106);
}

static void alignment_is_that_of_a_value_not_of_the_frame(void **state)
{
	struct flat *f = *state;
	const uint32_t frame[2] = { 0x1234, CODE3 };

	enter_protected(f, 3);
	f->vcpu.cr0 |= X86_CR0_AM;
	f->vcpu.eflags |= X86_FLAG_AC;
	stack32(f, STACK3 - 12, frame, 2);
	assert_int_equal(mon_far_ret(&f->vcpu, 4, 0), MON_OK);
	stack32(f, STACK3 - 14, frame, 2);
	expect_fault(f, mon_far_ret(&f->vcpu, 4, 0), X86_VEC_AC, 0);
	expect_fault(f, mon_far_call(&f->vcpu, CODE3, 0x1234, 4, 0x7007), X86_VEC_AC, 0);
}

/* ---- SYSENTER, SYSEXIT ---- */

static void sysenter_and_sysexit_load_flat_segments(void **state)
{
	struct flat *f = *state;

	enter_protected(f, 3);
	expect_fault(f, mon_sysenter(&f->vcpu), X86_VEC_GP, 0);		/* the MSR is zero */
	f->vcpu.sysenter_cs = 0x60;
	f->vcpu.sysenter_esp = 0x8800;
	f->vcpu.sysenter_eip = 0xc0100000;
	assert_int_equal(mon_sysenter(&f->vcpu), MON_OK);
	assert_int_equal(f->vcpu.cpl, 0);
	assert_int_equal(f->vcpu.seg[X86_CS].sel, 0x60);
	assert_int_equal(f->vcpu.seg[X86_CS].attr, 0xc09b);
	assert_int_equal(f->vcpu.seg[X86_SS].sel, 0x68);
	assert_int_equal(f->vcpu.seg[X86_SS].attr, 0xc093);
	assert_int_equal(f->vcpu.seg[X86_SS].limit, 0xffffffff);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0x8800);
	assert_int_equal(f->vcpu.eip, 0xc0100000);
	assert_false(f->vcpu.eflags & X86_FLAG_IF);

	f->vcpu.gpr[X86_ECX] = 0xbfff0000;
	f->vcpu.gpr[X86_EDX] = 0x08048000;
	assert_int_equal(mon_sysexit(&f->vcpu), MON_OK);
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.seg[X86_CS].sel, 0x73);
	assert_int_equal(f->vcpu.seg[X86_CS].attr, 0xc0fb);
	assert_int_equal(f->vcpu.seg[X86_SS].sel, 0x7b);
	assert_int_equal(f->vcpu.seg[X86_SS].attr, 0xc0f3);
	assert_int_equal(f->vcpu.eip, 0x08048000);
	assert_int_equal(f->vcpu.gpr[X86_ESP], 0xbfff0000);
	expect_fault(f, mon_sysexit(&f->vcpu), X86_VEC_GP, 0);		/* not from ring 3 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(real_mode_call_and_ret_meet_again),
		FLAT_TEST(real_mode_eip_is_held_to_the_limit),
		FLAT_TEST(a_16_bit_stack_wraps_and_keeps_the_upper_half),
		FLAT_TEST(big_real_cs_survives_a_real_mode_jump),
		FLAT_TEST(far_jmp_checks_type_and_privilege),
		FLAT_TEST(conforming_code_runs_at_the_callers_cpl),
		FLAT_TEST(jumping_to_16_bit_code_is_a_mode_change),
		FLAT_TEST(a_call_without_room_changes_nothing),
		FLAT_TEST(a_32_bit_gate_switches_stacks_and_copies_parameters),
		FLAT_TEST(a_16_bit_gate_pushes_words),
		FLAT_TEST(gates_check_in_the_order_of_the_manual),
		FLAT_TEST(a_bad_inner_stack_is_ts_with_its_selector),
		FLAT_TEST(a_return_may_not_go_inward),
		FLAT_TEST(a_return_to_an_outer_ring_takes_inner_segments_away),
		FLAT_TEST(a_return_checks_the_outer_stack),
		FLAT_TEST(a_16_bit_outer_stack_leaves_the_upper_half_of_esp),
		FLAT_TEST(iret_gives_each_ring_the_flags_it_may_set),
		FLAT_TEST(iret_ends_the_blocking_of_nmi),
		FLAT_TEST(iret_enters_v86_mode_from_ring_0),
		FLAT_TEST(v86_iret_obeys_iopl_and_keeps_it),
		FLAT_TEST(real_mode_iret_sets_the_low_flags),
		FLAT_TEST(alignment_is_that_of_a_value_not_of_the_frame),
		FLAT_TEST(sysenter_and_sysexit_load_flat_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
