/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_task.c - claims about monitor/task.c. */
#include "tests/unit/flat_vm.h"

#define S SPARE
#define NEW_EIP	0x61000u
#define NEW_ESP	0xc000u

/* A sound ring 0 task in the second TSS. */
static void second_task(struct flat *f)
{
	set32(f, TSS2 + 0x1c, 0);
	set32(f, TSS2 + 0x20, NEW_EIP);
	set32(f, TSS2 + 0x24, X86_FLAG_ONE | X86_FLAG_CF);
	for (unsigned int i = 0; i < 8; i++)
		set32(f, TSS2 + 0x28 + 4 * i, i == X86_ESP ? NEW_ESP : 0x1000 + i);
	for (unsigned int s = 0; s < 6; s++)
		set32(f, TSS2 + 0x48 + 4 * s, s == X86_CS ? CODE0 : DATA0);
	set32(f, TSS2 + 0x60, LDT_SEL);
	set32(f, TSS2 + 0x64, 0x68u << 16);
	f->vm.ram[0x7000] = 0xea;		/* at EIP, for the length: JMP FAR 38h:0 */
	set32(f, 0x7001, 0);
	set16(f, 0x7005, TSS2_SEL);
}

static uint8_t access_byte(struct flat *f, uint16_t sel) { return f->vm.ram[GDT + sel + 5]; }

static void a_jump_saves_one_task_and_loads_the_other(void **state)
{
	struct flat *f = *state;

	second_task(f);
	f->vcpu.gpr[X86_EBX] = 0xbbbbbbbb;
	set16(f, TSS + 0x48 + 2, 0x7777);	/* beside ES's selector: not ours to write */
	assert_int_equal(mon_far_jmp(&f->vcpu, TSS2_SEL, 0, 4), MON_OK);

	assert_int_equal(ram32(f, TSS + 0x20), 0x7007);
	assert_int_equal(ram32(f, TSS + 0x24), X86_FLAG_ONE | X86_FLAG_IF);
	assert_int_equal(ram32(f, TSS + 0x28 + 4 * X86_EBX), 0xbbbbbbbb);
	assert_int_equal(ram32(f, TSS + 0x28 + 4 * X86_ESP), STACK0);
	assert_int_equal(ram32(f, TSS + 0x48), 0x77770000 | DATA0);
	assert_int_equal(ram16(f, TSS + 0x4c), CODE0);

	assert_int_equal(f->vcpu.eip, NEW_EIP);
	assert_int_equal(f->vcpu.gpr[X86_ECX], 0x1000 + X86_ECX);
	assert_int_equal(f->vcpu.gpr[X86_ESP], NEW_ESP);
	assert_int_equal(f->vcpu.eflags, X86_FLAG_ONE | X86_FLAG_CF);
	assert_int_equal(f->vcpu.tr.sel, TSS2_SEL);
	assert_true(f->vcpu.cr0 & X86_CR0_TS);
	assert_int_equal(access_byte(f, TSS_SEL), 0x89);	/* idle */
	assert_int_equal(access_byte(f, TSS2_SEL), 0x8b);	/* busy */
	assert_int_equal(f->vcpu.seg_dirty, 0x3f);
	assert_true(f->vcpu.mode_dirty);
}

static void a_call_nests_and_iret_comes_back(void **state)
{
	struct flat *f = *state;

	second_task(f);
	assert_int_equal(mon_far_call(&f->vcpu, TSS2_SEL, 0, 4, 0x7007), MON_OK);
	assert_true(f->vcpu.eflags & X86_FLAG_NT);
	assert_int_equal(ram16(f, TSS2), TSS_SEL);
	assert_int_equal(access_byte(f, TSS_SEL), 0x8b);	/* both are busy */
	assert_int_equal(access_byte(f, TSS2_SEL), 0x8b);

	f->vm.ram[NEW_EIP] = 0xcf;
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.eip, 0x7007);
	assert_int_equal(f->vcpu.tr.sel, TSS_SEL);
	assert_int_equal(f->vcpu.gpr[X86_ESP], STACK0);
	assert_false(f->vcpu.eflags & X86_FLAG_NT);
	assert_int_equal(access_byte(f, TSS2_SEL), 0x89);
	assert_int_equal(access_byte(f, TSS_SEL), 0x8b);
	assert_int_equal(ram32(f, TSS2 + 0x20), NEW_EIP + 1);
	assert_false(ram32(f, TSS2 + 0x24) & X86_FLAG_NT);	/* saved without it */
}

static void a_task_gate_leads_to_its_task(void **state)
{
	struct flat *f = *state;

	second_task(f);
	set_gate(f, GDT, S >> 3, TSS2_SEL, 0, 0xe5, 0);
	enter_protected(f, 3);
	/* The gate's DPL lets ring 3 in; the TSS's own DPL 0 does not matter. */
	expect_fault(f, mon_far_call(&f->vcpu, TSS2_SEL, 0, 4, 0x7007), X86_VEC_GP, TSS2_SEL);
	assert_int_equal(mon_far_call(&f->vcpu, S | 3, 0, 4, 0x7007), MON_OK);
	assert_int_equal(f->vcpu.cpl, 0);
	assert_int_equal(f->vcpu.eip, NEW_EIP);
	/* IRET to ring 3 again. */
	f->vm.ram[NEW_EIP] = 0xcf;
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.seg[X86_SS].sel, DATA3);
}

static void an_exception_through_a_task_gate_pushes_its_error_code_there(void **state)
{
	struct flat *f = *state;

	second_task(f);
	set_gate(f, IDT, X86_VEC_DF, TSS2_SEL, 0, 0x85, 0);
	mon_fault_error(&f->vcpu, X86_VEC_DF, 0x1234);
	assert_int_equal(mon_deliver_fault(&f->vcpu), MON_OK);
	assert_int_equal(f->vcpu.eip, NEW_EIP);
	assert_int_equal(f->vcpu.gpr[X86_ESP], NEW_ESP - 4);
	assert_int_equal(ram32(f, NEW_ESP - 4), 0x1234);
	assert_int_equal(ram32(f, TSS + 0x20), 0x7000);
	assert_true(f->vcpu.eflags & X86_FLAG_NT);
}

static void a_busy_or_short_tss_is_refused_and_nothing_changes(void **state)
{
	struct flat *f = *state;
	struct mon_vcpu before;

	second_task(f);
	before = f->vcpu;
	expect_fault(f, mon_task_switch(&f->vcpu, TSS_SEL, MON_TASK_CALL, 0, false, 0), X86_VEC_GP, TSS_SEL);
	expect_fault(f, mon_task_switch(&f->vcpu, TSS2_SEL | 4, MON_TASK_CALL, 0, false, 0), X86_VEC_GP, TSS2_SEL | 4);
	expect_fault(f, mon_task_switch(&f->vcpu, TSS2_SEL, MON_TASK_IRET, 0, false, 0), X86_VEC_TS, TSS2_SEL);
	set_desc(f, GDT, S, TSS2, 0x66, 0x89, 0);
	expect_fault(f, mon_task_switch(&f->vcpu, S, MON_TASK_CALL, 0, false, 0), X86_VEC_TS, S);
	set_desc(f, GDT, S, TSS2, 0x67, 0x09, 0);
	expect_fault(f, mon_task_switch(&f->vcpu, S, MON_TASK_CALL, 0, false, 0), X86_VEC_NP, S);
	before.fault = f->vcpu.fault;
	before.tlb[0] = f->vcpu.tlb[0];
	assert_memory_equal(&before, &f->vcpu, offsetof(struct mon_vcpu, tlb));
	assert_int_equal(ram32(f, TSS + 0x20), 0);
}

static void what_is_wrong_with_the_new_task_faults_in_the_new_task(void **state)
{
	struct flat *f = *state;

	second_task(f);
	set32(f, TSS2 + 0x48 + 4 * X86_SS, DATA3);
	expect_fault(f, mon_task_switch(&f->vcpu, TSS2_SEL, MON_TASK_CALL, 0x7007, false, 0), X86_VEC_TS, DATA3 & ~3);
	assert_int_equal(f->vcpu.tr.sel, TSS2_SEL);
	assert_int_equal(f->vcpu.eip, NEW_EIP);
	assert_int_equal(f->vcpu.seg[X86_SS].attr, MON_SEG_NULL);
}

static void data_segments_of_a_task_fault_as_ts(void **state)
{
	struct flat *f = *state;

	second_task(f);
	set32(f, TSS2 + 0x48 + 4 * X86_FS, TSS_SEL);
	expect_fault(f, mon_task_switch(&f->vcpu, TSS2_SEL, MON_TASK_JMP, 0, false, 0), X86_VEC_TS, TSS_SEL);
	assert_int_equal(f->vcpu.seg[X86_CS].sel, CODE0);
	assert_int_equal(f->vcpu.seg[X86_FS].attr, MON_SEG_NULL);
}

static void the_t_bit_traps_after_the_switch(void **state)
{
	struct flat *f = *state;

	second_task(f);
	set16(f, TSS2 + 0x64, 1);
	f->vcpu.dr[7] |= 0x3ff;
	assert_int_equal(mon_task_switch(&f->vcpu, TSS2_SEL, MON_TASK_JMP, 0, false, 0), MON_FAULT);
	assert_int_equal(f->vcpu.fault.vector, X86_VEC_DB);
	assert_int_equal(f->vcpu.eip, NEW_EIP);
	assert_true(f->vcpu.dr[6] & 0x8000);
	assert_int_equal(f->vcpu.dr[7] & 0x3ff, 0x2aa);		/* local breakpoints are off, global ones stay */
}

static void a_task_may_be_virtual_8086(void **state)
{
	struct flat *f = *state;

	second_task(f);
	set32(f, TSS2 + 0x20, 0x100);
	set32(f, TSS2 + 0x24, X86_FLAG_ONE | X86_FLAG_VM);
	for (unsigned int s = 0; s < 6; s++)
		set32(f, TSS2 + 0x48 + 4 * s, 0x2000 + s);
	assert_int_equal(mon_task_switch(&f->vcpu, TSS2_SEL, MON_TASK_JMP, 0, false, 0), MON_OK);
	assert_true(mon_v86(&f->vcpu));
	assert_int_equal(f->vcpu.cpl, 3);
	assert_int_equal(f->vcpu.seg[X86_CS].base, 0x20010);
	assert_int_equal(f->vcpu.seg[X86_GS].attr, 0xf3);
}

static void with_paging_a_task_brings_its_cr3(void **state)
{
	struct flat *f = *state;

	for (uint32_t i = 0; i < 256; i++)
		set32(f, 0x12000 + i * 4, i << 12 | 3);
	set32(f, 0x10000, 0x12003);
	set32(f, 0x11000, 0x12003);
	f->vcpu.cr3 = 0x10000;
	f->vcpu.cr0 |= X86_CR0_PG;
	second_task(f);
	set32(f, TSS2 + 0x1c, 0x11000);
	assert_int_equal(mon_task_switch(&f->vcpu, TSS2_SEL, MON_TASK_JMP, 0, false, 0), MON_OK);
	assert_int_equal(f->vcpu.cr3, 0x11000);
	assert_int_equal(f->nr_cr3, 1);
}

static void a_tss_that_cannot_be_written_stops_the_switch_in_time(void **state)
{
	struct flat *f = *state;

	for (uint32_t i = 0; i < 256; i++)
		set32(f, 0x12000 + i * 4, i << 12 | 3);
	set32(f, 0x12000 + (TSS >> 12) * 4, TSS | 1);		/* read-only */
	set32(f, 0x10000, 0x12003);
	f->vcpu.cr3 = 0x10000;
	f->vcpu.cr0 |= X86_CR0_PG | X86_CR0_WP;
	second_task(f);
	expect_fault(f, mon_task_switch(&f->vcpu, TSS2_SEL, MON_TASK_JMP, 0, false, 0), X86_VEC_PF, 3);
	assert_int_equal(f->vcpu.tr.sel, TSS_SEL);
	assert_int_equal(access_byte(f, TSS2_SEL), 0x89);
}

static void a_16_bit_task_has_words(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, TSS2, 0x2b, 0x81, 0);
	set16(f, TSS2 + 0x0e, 0x1234);
	set16(f, TSS2 + 0x10, 0x0003);
	set16(f, TSS2 + 0x12, 0xaaaa);
	set16(f, TSS2 + 0x1a, 0x8000);
	set16(f, TSS2 + 0x22, DATA0);
	set16(f, TSS2 + 0x24, CODE0);
	set16(f, TSS2 + 0x26, DATA0);
	set16(f, TSS2 + 0x28, 0);
	assert_int_equal(mon_task_switch(&f->vcpu, S, MON_TASK_CALL, 0x7007, true, 0x5678), MON_OK);
	assert_int_equal(f->vcpu.eip, 0x1234);
	assert_int_equal(f->vcpu.gpr[X86_EAX] & 0xffff, 0xaaaa);
	assert_int_equal(f->vcpu.gpr[X86_ESP] & 0xffff, 0x8000 - 2);
	assert_int_equal(f->vcpu.seg[X86_FS].attr, MON_SEG_NULL);
	assert_int_equal(f->vcpu.eflags, 0x4003);
	assert_int_equal(access_byte(f, S), 0x83);
	/* And out of it again: words are saved. */
	set32(f, TSS2 + 0x2c, 0x99999999);
	f->vm.ram[0x1234] = 0xcf;
	assert_int_equal(mon_iret(&f->vcpu, 4), MON_OK);
	assert_int_equal(ram16(f, TSS2 + 0x0e), 0x1235);
	assert_int_equal(ram16(f, TSS2 + 0x12), 0xaaaa);
	assert_int_equal(ram16(f, TSS2 + 0x24), CODE0);
	assert_int_equal(ram32(f, TSS2 + 0x2c), 0x99999999);
	assert_int_equal(f->vcpu.eip, 0x7007);
}

/* ---- the I/O permission map ---- */

static void ports_are_free_up_to_iopl(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_io_check(&f->vcpu, 0x60, 1), MON_OK);
	set16(f, TSS + 0x66, 0x68);
	enter_protected(f, 3);
	expect_fault(f, mon_io_check(&f->vcpu, 0x60, 1), X86_VEC_GP, 0);	/* the map lies outside the TSS */
	f->vcpu.eflags |= X86_FLAG_IOPL;
	assert_int_equal(mon_io_check(&f->vcpu, 0x60, 1), MON_OK);
	enter_real(f);
	assert_int_equal(mon_io_check(&f->vcpu, 0x60, 4), MON_OK);
}

static void the_map_answers_for_each_byte_of_a_port(void **state)
{
	struct flat *f = *state;

	set16(f, TSS + 0x66, 0x68);
	f->vcpu.tr.limit = 0x68 + 16;
	enter_protected(f, 3);
	f->vm.ram[TSS + 0x68 + 1] = 0x01;			/* port 8 */
	assert_int_equal(mon_io_check(&f->vcpu, 7, 1), MON_OK);
	expect_fault(f, mon_io_check(&f->vcpu, 7, 2), X86_VEC_GP, 0);
	expect_fault(f, mon_io_check(&f->vcpu, 5, 4), X86_VEC_GP, 0);
	assert_int_equal(mon_io_check(&f->vcpu, 4, 4), MON_OK);
	assert_int_equal(mon_io_check(&f->vcpu, 16 * 8 - 1, 1), MON_OK);
	expect_fault(f, mon_io_check(&f->vcpu, 16 * 8, 1), X86_VEC_GP, 0);
	/* V86 code asks the map even with IOPL 3. */
	enter_v86(f, 3);
	expect_fault(f, mon_io_check(&f->vcpu, 8, 1), X86_VEC_GP, 0);
	assert_int_equal(mon_io_check(&f->vcpu, 9, 1), MON_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(a_jump_saves_one_task_and_loads_the_other),
		FLAT_TEST(a_call_nests_and_iret_comes_back),
		FLAT_TEST(a_task_gate_leads_to_its_task),
		FLAT_TEST(an_exception_through_a_task_gate_pushes_its_error_code_there),
		FLAT_TEST(a_busy_or_short_tss_is_refused_and_nothing_changes),
		FLAT_TEST(what_is_wrong_with_the_new_task_faults_in_the_new_task),
		FLAT_TEST(data_segments_of_a_task_fault_as_ts),
		FLAT_TEST(the_t_bit_traps_after_the_switch),
		FLAT_TEST(a_task_may_be_virtual_8086),
		FLAT_TEST(with_paging_a_task_brings_its_cr3),
		FLAT_TEST(a_tss_that_cannot_be_written_stops_the_switch_in_time),
		FLAT_TEST(a_16_bit_task_has_words),
		FLAT_TEST(ports_are_free_up_to_iopl),
		FLAT_TEST(the_map_answers_for_each_byte_of_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
