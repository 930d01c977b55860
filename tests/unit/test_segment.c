/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_segment.c - claims about monitor/segment.c. */
#include "tests/unit/flat_vm.h"

#define S SPARE

static void a_descriptor_becomes_a_cache(void **state)
{
	struct flat *f = *state;
	struct mon_seg seg;
	uint32_t desc[2];

	set_desc(f, GDT, S, 0x12345678, 0xabcde, 0x93, 0xc);
	assert_int_equal(mon_read_descriptor(&f->vcpu, S | 3, X86_VEC_GP, desc), MON_OK);
	mon_seg_from_descriptor(&seg, S | 3, desc);
	assert_int_equal(seg.sel, S | 3);
	assert_int_equal(seg.base, 0x12345678);
	assert_int_equal(seg.limit, 0xabcdefff);
	assert_int_equal(seg.attr, MON_SEG_G | MON_SEG_DB | 0x93);
	set_desc(f, GDT, S, 0, 0xabcde, 0xfa, 0x1);
	mon_read_descriptor(&f->vcpu, S, X86_VEC_GP, desc);
	mon_seg_from_descriptor(&seg, S, desc);
	assert_int_equal(seg.limit, 0xabcde);
	assert_int_equal(seg.attr, MON_SEG_AVL | 0xfa);
}

static void a_selector_outside_its_table_faults_with_its_index(void **state)
{
	struct flat *f = *state;
	uint32_t desc[2];

	f->vcpu.gdtr.limit = 0x2e;	/* the last byte of 28h is missing */
	expect_fault(f, mon_read_descriptor(&f->vcpu, 0x2b, X86_VEC_GP, desc), X86_VEC_GP, 0x28);
	expect_fault(f, mon_read_descriptor(&f->vcpu, 0x107, X86_VEC_TS, desc), X86_VEC_TS, 0x104);
	f->vcpu.ldtr.attr = MON_SEG_NULL;
	expect_fault(f, mon_read_descriptor(&f->vcpu, 0x0c, X86_VEC_GP, desc), X86_VEC_GP, 0x0c);
}

static void loading_sets_the_accessed_bit_once(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, 0x20000, 0xfff, 0x92, 0x4);
	f->vm.page[GDT >> 12] |= MON_PAGE_WATCH;
	assert_int_equal(mon_load_seg(&f->vcpu, X86_ES, S), MON_OK);
	assert_int_equal(f->vm.ram[GDT + S + 5], 0x93);
	assert_int_equal(f->nr_watch, 1);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_FS, S), MON_OK);
	assert_int_equal(f->nr_watch, 1);
	assert_int_equal(f->vcpu.seg_dirty, 1u << X86_ES | 1u << X86_FS);
}

static void an_ldt_selector_is_looked_up_in_the_ldt(void **state)
{
	struct flat *f = *state;

	set_desc(f, LDT, 0x08, 0x30000, 0xff, 0xf2, 0);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_DS, 0x0f), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_DS].base, 0x30000);
	assert_int_equal(f->vm.ram[LDT + 8 + 5], 0xf3);
}

static void data_registers_refuse_what_privilege_or_type_forbid(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, 0, 0xfffff, 0x98, 0xc);		/* execute-only code */
	expect_fault(f, mon_load_seg(&f->vcpu, X86_DS, S), X86_VEC_GP, S);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_DS, TSS_SEL), X86_VEC_GP, TSS_SEL);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_DS, DATA0 | 1), X86_VEC_GP, DATA0);	/* RPL > DPL */
	set_desc(f, GDT, S, 0, 0xfffff, 0x12, 0xc);		/* not present */
	expect_fault(f, mon_load_seg(&f->vcpu, X86_DS, S), X86_VEC_NP, S);
	enter_protected(f, 3);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_DS, DATA0), X86_VEC_GP, DATA0);
	set_desc(f, GDT, S, 0, 0xfffff, 0x9e, 0xc);		/* conforming, readable: open to all */
	assert_int_equal(mon_load_seg(&f->vcpu, X86_DS, S | 3), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_DS].sel, S | 3);
}

static void a_refused_load_leaves_the_register(void **state)
{
	struct flat *f = *state;
	struct mon_seg before = f->vcpu.seg[X86_DS];

	set_desc(f, GDT, S, 0, 0xfffff, 0x12, 0xc);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_DS, S), MON_FAULT);
	assert_memory_equal(&before, &f->vcpu.seg[X86_DS], sizeof(before));
	assert_int_equal(f->vcpu.seg_dirty, 0);
	assert_int_equal(f->vm.ram[GDT + S + 5], 0x12);
}

static void ss_wants_writable_data_of_exactly_cpl(void **state)
{
	struct flat *f = *state;

	expect_fault(f, mon_load_seg(&f->vcpu, X86_SS, 0), X86_VEC_GP, 0);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_SS, DATA3), X86_VEC_GP, DATA3 & ~3);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_SS, DATA0 | 3), X86_VEC_GP, DATA0);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_SS, CODE0), X86_VEC_GP, CODE0);
	set_desc(f, GDT, S, 0, 0xfffff, 0x91, 0xc);		/* read-only */
	expect_fault(f, mon_load_seg(&f->vcpu, X86_SS, S), X86_VEC_GP, S);
	set_desc(f, GDT, S, 0, 0xfffff, 0x12, 0xc);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_SS, S), X86_VEC_SS, S);
	set_desc(f, GDT, S, 0, 0xffff, 0x92, 0);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_SS, S), MON_OK);
	assert_true(f->vcpu.mode_dirty);			/* B changed */
}

static void null_keeps_its_rpl_and_nothing_else(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_load_seg(&f->vcpu, X86_GS, 3), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_GS].sel, 3);
	assert_int_equal(f->vcpu.seg[X86_GS].attr, MON_SEG_NULL);
	assert_int_equal(f->vcpu.seg[X86_GS].limit, 0);
}

static void real_mode_loads_keep_a_big_limit(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	/* "Unreal" mode: a 4 GiB DS loaded in protected mode outlives the way back. */
	assert_int_equal(mon_write_cr(&f->vcpu, 0, X86_CR0_ET), MON_OK);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_DS, 0x1234), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_DS].base, 0x12340);
	assert_int_equal(f->vcpu.seg[X86_DS].limit, 0xffffffff);
	set32(f, 0x32340, 0xbeef);
	assert_int_equal(mon_seg_read(&f->vcpu, X86_DS, 0x20000, &v, 4), MON_OK);
	assert_int_equal(v, 0xbeef);
}

static void real_mode_revives_a_register_that_was_null(void **state)
{
	struct flat *f = *state;
	uint8_t b;

	assert_int_equal(mon_load_seg(&f->vcpu, X86_FS, 0), MON_OK);
	assert_int_equal(mon_write_cr(&f->vcpu, 0, X86_CR0_ET), MON_OK);
	expect_fault(f, mon_seg_read(&f->vcpu, X86_FS, 0, &b, 1), X86_VEC_GP, 0);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_FS, 0x2000), MON_OK);
	assert_int_equal(mon_seg_read(&f->vcpu, X86_FS, 0xffff, &b, 1), MON_OK);
	expect_fault(f, mon_seg_read(&f->vcpu, X86_FS, 0x10000, &b, 1), X86_VEC_GP, 0);
}

static void v86_segments_are_64_kib_and_dpl_3(void **state)
{
	struct flat *f = *state;

	enter_v86(f, 3);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_DS, 0xb800), MON_OK);
	assert_int_equal(f->vcpu.seg[X86_DS].base, 0xb8000);
	assert_int_equal(f->vcpu.seg[X86_DS].limit, 0xffff);
	assert_int_equal(f->vcpu.seg[X86_DS].attr, 0xf3);
}

static void lldt_takes_ldts_of_the_gdt(void **state)
{
	struct flat *f = *state;

	set_desc(f, GDT, S, 0x6000, 0x7f, 0x82, 0);
	assert_int_equal(mon_lldt(&f->vcpu, S), MON_OK);
	assert_int_equal(f->vcpu.ldtr.base, 0x6000);
	expect_fault(f, mon_lldt(&f->vcpu, S | 4), X86_VEC_GP, S | 4);
	expect_fault(f, mon_lldt(&f->vcpu, DATA0), X86_VEC_GP, DATA0);
	set_desc(f, GDT, S, 0x6000, 0x7f, 0x02, 0);
	expect_fault(f, mon_lldt(&f->vcpu, S), X86_VEC_NP, S);
	assert_int_equal(mon_lldt(&f->vcpu, 0), MON_OK);
	expect_fault(f, mon_load_seg(&f->vcpu, X86_DS, 0x0c), X86_VEC_GP, 0x0c);
	enter_protected(f, 3);
	expect_fault(f, mon_lldt(&f->vcpu, S), X86_VEC_GP, 0);
	enter_v86(f, 3);
	assert_int_equal(mon_lldt(&f->vcpu, S), MON_FAULT);
	assert_int_equal(f->vcpu.fault.vector, X86_VEC_UD);
}

static void ltr_marks_the_tss_busy(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_ltr(&f->vcpu, TSS2_SEL), MON_OK);
	assert_int_equal(f->vm.ram[GDT + TSS2_SEL + 5], 0x8b);
	assert_int_equal(f->vcpu.tr.attr, 0x8b);
	assert_int_equal(f->vcpu.tr.base, TSS2);
	expect_fault(f, mon_ltr(&f->vcpu, TSS2_SEL), X86_VEC_GP, TSS2_SEL);	/* busy now */
	expect_fault(f, mon_ltr(&f->vcpu, 0), X86_VEC_GP, 0);
	set_desc(f, GDT, S, TSS2, 0x67, 0x09, 0);
	expect_fault(f, mon_ltr(&f->vcpu, S), X86_VEC_NP, S);
}

static void lar_and_lsl_answer_only_what_may_be_seen(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;
	bool zf;

	assert_int_equal(mon_lar(&f->vcpu, DATA3, &zf, &v), MON_OK);
	assert_true(zf);
	assert_int_equal(v, 0x00cff300);
	assert_int_equal(mon_lsl(&f->vcpu, DATA3, &zf, &v), MON_OK);
	assert_true(zf);
	assert_int_equal(v, 0xffffffff);
	assert_int_equal(mon_lsl(&f->vcpu, TSS_SEL, &zf, &v), MON_OK);
	assert_true(zf);
	assert_int_equal(v, 0x67);

	set_gate(f, GDT, S >> 3, CODE0, 0x1234, 0x8c, 0);	/* a call gate: LAR yes, LSL no */
	mon_lar(&f->vcpu, S, &zf, &v);
	assert_true(zf);
	mon_lsl(&f->vcpu, S, &zf, &v);
	assert_false(zf);
	set_gate(f, GDT, S >> 3, CODE0, 0x1234, 0x8e, 0);	/* an interrupt gate has no place in a GDT */
	mon_lar(&f->vcpu, S, &zf, &v);
	assert_false(zf);

	v = 77;
	mon_lar(&f->vcpu, 0, &zf, &v);
	assert_false(zf);
	mon_lar(&f->vcpu, 0xfff8, &zf, &v);
	assert_false(zf);
	mon_lar(&f->vcpu, DATA0 | 1, &zf, &v);			/* RPL counts */
	assert_false(zf);
	enter_protected(f, 3);
	mon_lar(&f->vcpu, DATA0, &zf, &v);
	assert_false(zf);
	assert_int_equal(v, 77);
}

static void verr_and_verw_ask_about_reading_and_writing(void **state)
{
	struct flat *f = *state;
	bool zf;

	enter_protected(f, 3);
	mon_ver(&f->vcpu, DATA3, true, &zf);
	assert_true(zf);
	mon_ver(&f->vcpu, CODE3, true, &zf);
	assert_false(zf);
	mon_ver(&f->vcpu, CODE3, false, &zf);
	assert_true(zf);
	mon_ver(&f->vcpu, DATA0, false, &zf);
	assert_false(zf);
	mon_ver(&f->vcpu, TSS_SEL, false, &zf);
	assert_false(zf);
	enter_v86(f, 3);
	assert_int_equal(mon_ver(&f->vcpu, DATA3, false, &zf), MON_FAULT);
	assert_int_equal(f->vcpu.fault.vector, X86_VEC_UD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(a_descriptor_becomes_a_cache),
		FLAT_TEST(a_selector_outside_its_table_faults_with_its_index),
		FLAT_TEST(loading_sets_the_accessed_bit_once),
		FLAT_TEST(an_ldt_selector_is_looked_up_in_the_ldt),
		FLAT_TEST(data_registers_refuse_what_privilege_or_type_forbid),
		FLAT_TEST(a_refused_load_leaves_the_register),
		FLAT_TEST(ss_wants_writable_data_of_exactly_cpl),
		FLAT_TEST(null_keeps_its_rpl_and_nothing_else),
		FLAT_TEST(real_mode_loads_keep_a_big_limit),
		FLAT_TEST(real_mode_revives_a_register_that_was_null),
		FLAT_TEST(v86_segments_are_64_kib_and_dpl_3),
		FLAT_TEST(lldt_takes_ldts_of_the_gdt),
		FLAT_TEST(ltr_marks_the_tss_busy),
		FLAT_TEST(lar_and_lsl_answer_only_what_may_be_seen),
		FLAT_TEST(verr_and_verw_ask_about_reading_and_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
