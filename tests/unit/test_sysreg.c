/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_sysreg.c - claims about monitor/sysreg.c and msr.c. */
#include "tests/unit/flat_vm.h"

static uint64_t fake_tsc(void) { return 1000000; }

static void expect_ud(struct flat *f, enum mon_status st)
{
	assert_int_equal(st, MON_FAULT);
	assert_int_equal(f->vcpu.fault.vector, X86_VEC_UD);
	assert_false(f->vcpu.fault.has_error);
}

static void reset_is_as_the_manual_says(void **state)
{
	struct flat *f = *state;
	struct mon_vcpu *v = &f->vcpu;
	uint8_t fpu[512];

	v->fpu_area = fpu;
	mon_reset(v);
	assert_int_equal(v->cr0, 0x60000010);
	assert_int_equal(v->seg[X86_CS].base + v->eip, 0xfffffff0);
	assert_int_equal(v->seg[X86_CS].sel, 0xf000);
	assert_int_equal(v->eflags, 2);
	assert_int_equal(v->idtr.limit, 0xffff);
	assert_int_equal(v->dr[6], 0xffff0ff0);
	assert_int_equal(v->dr[7], 0x400);
	assert_int_equal(v->seg_dirty, 0x3f);
	assert_false(mon_code32(v));
	assert_int_equal(fpu[0] | fpu[1] << 8, 0x40);
	assert_int_equal(fpu[24] | fpu[25] << 8, 0x1f80);
}

static void cr0_refuses_impossible_pairs(void **state)
{
	struct flat *f = *state;

	expect_fault(f, mon_write_cr(&f->vcpu, 0, X86_CR0_PG), X86_VEC_GP, 0);
	expect_fault(f, mon_write_cr(&f->vcpu, 0, X86_CR0_PE | X86_CR0_NW), X86_VEC_GP, 0);
	assert_int_equal(f->vcpu.cr0, X86_CR0_PE | X86_CR0_ET);
	assert_int_equal(mon_write_cr(&f->vcpu, 0, X86_CR0_PE | 0x0000ff00), MON_OK);
	assert_int_equal(f->vcpu.cr0, X86_CR0_PE | X86_CR0_ET);	/* undefined bits vanish, ET stays */
}

static void cr_access_needs_ring_0_and_a_register_that_exists(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	expect_ud(f, mon_read_cr(&f->vcpu, 1, &v));
	expect_ud(f, mon_write_cr(&f->vcpu, 8, 0));
	enter_protected(f, 3);
	expect_fault(f, mon_read_cr(&f->vcpu, 0, &v), X86_VEC_GP, 0);
	expect_fault(f, mon_write_cr(&f->vcpu, 3, 0), X86_VEC_GP, 0);
	expect_fault(f, mon_lmsw(&f->vcpu, 0), X86_VEC_GP, 0);
	expect_fault(f, mon_clts(&f->vcpu), X86_VEC_GP, 0);
	expect_fault(f, mon_invlpg(&f->vcpu, 0), X86_VEC_GP, 0);
	expect_fault(f, mon_hlt(&f->vcpu), X86_VEC_GP, 0);
	expect_fault(f, mon_lgdt(&f->vcpu, 0, 0, 4), X86_VEC_GP, 0);
	expect_fault(f, mon_lidt(&f->vcpu, 0, 0, 4), X86_VEC_GP, 0);
	expect_fault(f, mon_read_dr(&f->vcpu, 0, &v), X86_VEC_GP, 0);
}

static void paging_bits_flush_and_others_do_not(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_write_cr(&f->vcpu, 0, f->vcpu.cr0 | X86_CR0_TS), MON_OK);
	assert_int_equal(f->nr_flush, 0);
	assert_true(f->vcpu.mode_dirty);
	assert_int_equal(mon_write_cr(&f->vcpu, 0, f->vcpu.cr0 | X86_CR0_WP), MON_OK);
	assert_int_equal(f->nr_flush, 1);
	assert_int_equal(mon_write_cr(&f->vcpu, 4, X86_CR4_OSFXSR), MON_OK);
	assert_int_equal(f->nr_flush, 1);
	assert_int_equal(mon_write_cr(&f->vcpu, 4, X86_CR4_OSFXSR | X86_CR4_PGE), MON_OK);
	assert_int_equal(f->nr_flush, 2);
	assert_int_equal(mon_wrmsr(&f->vcpu, X86_MSR_EFER, X86_EFER_NXE), MON_OK);
	assert_int_equal(f->nr_flush, 3);
	assert_int_equal(mon_wrmsr(&f->vcpu, X86_MSR_EFER, X86_EFER_NXE), MON_OK);
	assert_int_equal(f->nr_flush, 3);
	assert_int_equal(mon_write_cr(&f->vcpu, 3, 0x1000), MON_OK);
	assert_int_equal(f->nr_cr3, 1);
	assert_int_equal(f->nr_flush, 3);
}

static void turning_pae_paging_on_loads_the_pdptes(void **state)
{
	struct flat *f = *state;

	set64(f, 0x12000, 0x13001);
	assert_int_equal(mon_write_cr(&f->vcpu, 4, X86_CR4_PAE), MON_OK);
	assert_int_equal(mon_write_cr(&f->vcpu, 3, 0x12000), MON_OK);
	assert_int_equal(f->vcpu.pdpte[0], 0);
	assert_int_equal(mon_write_cr(&f->vcpu, 0, f->vcpu.cr0 | X86_CR0_PG), MON_OK);
	assert_int_equal(f->vcpu.pdpte[0], 0x13001);
	/* Bytes changed in memory do not matter until CR3 is loaded again. */
	set64(f, 0x12000, 0x14001);
	assert_int_equal(f->vcpu.pdpte[0], 0x13001);
	assert_int_equal(mon_write_cr(&f->vcpu, 3, 0x12000), MON_OK);
	assert_int_equal(f->vcpu.pdpte[0], 0x14001);
}

static void a_bad_pdpte_keeps_paging_off(void **state)
{
	struct flat *f = *state;

	set64(f, 0x12018, 0x13003);
	f->vcpu.cr3 = 0x12000;
	f->vcpu.cr4 = X86_CR4_PAE;
	expect_fault(f, mon_write_cr(&f->vcpu, 0, f->vcpu.cr0 | X86_CR0_PG), X86_VEC_GP, 0);
	assert_false(f->vcpu.cr0 & X86_CR0_PG);
}

static void cr4_takes_only_bits_that_cpuid_offers(void **state)
{
	struct flat *f = *state;
	struct mon_cpu_features features = { .leaf1_edx = 1u << 3 };

	expect_fault(f, mon_write_cr(&f->vcpu, 4, X86_CR4_VME), X86_VEC_GP, 0);
	expect_fault(f, mon_write_cr(&f->vcpu, 4, X86_CR4_SMEP), X86_VEC_GP, 0);
	expect_fault(f, mon_write_cr(&f->vcpu, 4, X86_CR4_OSXSAVE), X86_VEC_GP, 0);
	f->vm.features = &features;
	assert_int_equal(mon_write_cr(&f->vcpu, 4, X86_CR4_PSE), MON_OK);
	expect_fault(f, mon_write_cr(&f->vcpu, 4, X86_CR4_PSE | X86_CR4_PGE), X86_VEC_GP, 0);
	assert_int_equal(f->vcpu.cr4, X86_CR4_PSE);
}

static void lmsw_sets_pe_but_never_clears_it(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_lmsw(&f->vcpu, X86_CR0_TS), MON_OK);
	assert_int_equal(f->vcpu.cr0, X86_CR0_PE | X86_CR0_ET | X86_CR0_TS);
	assert_int_equal(mon_lmsw(&f->vcpu, 0xfff0), MON_OK);
	assert_int_equal(f->vcpu.cr0, X86_CR0_PE | X86_CR0_ET);
	enter_real(f);
	assert_int_equal(mon_lmsw(&f->vcpu, X86_CR0_PE), MON_OK);
	assert_true(mon_protected(&f->vcpu));
}

static void leaving_protected_mode_makes_cs_writable(void **state)
{
	struct flat *f = *state;
	uint8_t b = 1;

	assert_int_equal(mon_write_cr(&f->vcpu, 0, 0), MON_OK);
	assert_int_equal(mon_seg_write(&f->vcpu, X86_CS, 0x20000, &b, 1), MON_OK);
	assert_int_equal(f->vm.ram[0x20000], 1);
}

static void lgdt_with_16_bit_operands_loads_24_bits_of_base(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_lgdt(&f->vcpu, 0x1ff, 0x12345678, 2), MON_OK);
	assert_int_equal(f->vcpu.gdtr.base, 0x345678);
	assert_int_equal(mon_lidt(&f->vcpu, 0x7ff, 0x12345678, 4), MON_OK);
	assert_int_equal(f->vcpu.idtr.base, 0x12345678);
	assert_int_equal(f->vcpu.idtr.limit, 0x7ff);
}

static void dr4_and_dr5_are_aliases_unless_de(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	assert_int_equal(mon_write_dr(&f->vcpu, 5, 0xffffffff & ~0x2000u), MON_OK);
	assert_int_equal(f->vcpu.dr[7], 0xffff07ff);
	assert_int_equal(mon_write_dr(&f->vcpu, 6, 0), MON_OK);
	assert_int_equal(mon_read_dr(&f->vcpu, 4, &v), MON_OK);
	assert_int_equal(v, 0xffff0ff0);
	f->vcpu.cr4 = X86_CR4_DE;
	expect_ud(f, mon_read_dr(&f->vcpu, 4, &v));
}

static void general_detect_guards_the_debug_registers(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	assert_int_equal(mon_write_dr(&f->vcpu, 7, 0x2000), MON_OK);
	assert_int_equal(mon_read_dr(&f->vcpu, 0, &v), MON_FAULT);
	assert_int_equal(f->vcpu.fault.vector, X86_VEC_DB);
	assert_true(f->vcpu.dr[6] & 0x2000);
}

static void cli_and_sti_obey_iopl(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_cli(&f->vcpu), MON_OK);
	assert_false(f->vcpu.eflags & X86_FLAG_IF);
	assert_int_equal(mon_sti(&f->vcpu), MON_OK);
	assert_int_equal(f->vcpu.int_shadow, MON_SHADOW_STI);
	f->vcpu.int_shadow = 0;
	assert_int_equal(mon_sti(&f->vcpu), MON_OK);	/* IF was set already: no shadow */
	assert_int_equal(f->vcpu.int_shadow, 0);

	enter_protected(f, 3);
	expect_fault(f, mon_cli(&f->vcpu), X86_VEC_GP, 0);
	expect_fault(f, mon_sti(&f->vcpu), X86_VEC_GP, 0);
	f->vcpu.eflags |= X86_FLAG_IOPL;
	assert_int_equal(mon_cli(&f->vcpu), MON_OK);
	enter_v86(f, 2);
	expect_fault(f, mon_cli(&f->vcpu), X86_VEC_GP, 0);
	enter_v86(f, 3);
	assert_int_equal(mon_cli(&f->vcpu), MON_OK);
}

static void popf_changes_what_the_ring_may_and_is_silent_about_the_rest(void **state)
{
	struct flat *f = *state;

	assert_int_equal(mon_popf(&f->vcpu, 0xffffffff, 4), MON_OK);
	assert_int_equal(f->vcpu.eflags, 0x00247fd7);	/* no RF, VM, VIF, VIP */
	assert_true(f->vcpu.mode_dirty);

	enter_protected(f, 3);
	f->vcpu.mode_dirty = 0;
	assert_int_equal(mon_popf(&f->vcpu, X86_FLAG_CF | X86_FLAG_IOPL, 4), MON_OK);
	assert_int_equal(f->vcpu.eflags, X86_FLAG_ONE | X86_FLAG_CF | X86_FLAG_IF);
	assert_false(f->vcpu.mode_dirty);

	enter_protected(f, 3);
	f->vcpu.eflags |= X86_FLAG_IOPL;
	assert_int_equal(mon_popf(&f->vcpu, 0, 4), MON_OK);
	assert_int_equal(f->vcpu.eflags, X86_FLAG_ONE | X86_FLAG_IOPL);

	f->vcpu.eflags |= X86_FLAG_AC;
	assert_int_equal(mon_popf(&f->vcpu, X86_FLAG_ZF, 2), MON_OK);
	assert_int_equal(f->vcpu.eflags, X86_FLAG_ONE | X86_FLAG_IOPL | X86_FLAG_AC | X86_FLAG_ZF);

	enter_v86(f, 2);
	expect_fault(f, mon_popf(&f->vcpu, 0, 2), X86_VEC_GP, 0);
}

static void pushf_hides_vm_and_rf(void **state)
{
	struct flat *f = *state;
	uint32_t image;

	enter_v86(f, 3);
	f->vcpu.eflags |= X86_FLAG_RF;
	assert_int_equal(mon_pushf(&f->vcpu, 4, &image), MON_OK);
	assert_int_equal(image, X86_FLAG_ONE | X86_FLAG_IF | X86_FLAG_IOPL);
	enter_v86(f, 1);
	expect_fault(f, mon_pushf(&f->vcpu, 4, &image), X86_VEC_GP, 0);
}

/* ---- MSRs ---- */

static void unknown_msrs_do_not_exist(void **state)
{
	struct flat *f = *state;
	uint64_t v;

	expect_fault(f, mon_rdmsr(&f->vcpu, 0x12345, &v), X86_VEC_GP, 0);
	expect_fault(f, mon_wrmsr(&f->vcpu, 0x12345, 0), X86_VEC_GP, 0);
	expect_fault(f, mon_rdmsr(&f->vcpu, 0xc0000103, &v), X86_VEC_GP, 0);
	enter_protected(f, 3);
	expect_fault(f, mon_rdmsr(&f->vcpu, X86_MSR_TSC, &v), X86_VEC_GP, 0);
}

static void efer_has_nxe_and_nothing_else(void **state)
{
	struct flat *f = *state;
	uint64_t v;

	expect_fault(f, mon_wrmsr(&f->vcpu, X86_MSR_EFER, 0x101), X86_VEC_GP, 0);
	assert_int_equal(mon_wrmsr(&f->vcpu, X86_MSR_EFER, X86_EFER_NXE), MON_OK);
	assert_int_equal(mon_rdmsr(&f->vcpu, X86_MSR_EFER, &v), MON_OK);
	assert_int_equal(v, X86_EFER_NXE);
}

static void the_tsc_can_be_set_and_tsd_guards_it(void **state)
{
	struct flat *f = *state;
	uint64_t v;

	f->vm.tsc = fake_tsc;
	assert_int_equal(mon_wrmsr(&f->vcpu, X86_MSR_TSC, 5), MON_OK);
	assert_int_equal(mon_rdtsc(&f->vcpu, &v), MON_OK);
	assert_int_equal(v, 5);
	enter_protected(f, 3);
	assert_int_equal(mon_rdtsc(&f->vcpu, &v), MON_OK);
	f->vcpu.cr4 |= X86_CR4_TSD;
	expect_fault(f, mon_rdtsc(&f->vcpu, &v), X86_VEC_GP, 0);
}

static void memory_types_are_checked(void **state)
{
	struct flat *f = *state;
	uint64_t v;

	expect_fault(f, mon_wrmsr(&f->vcpu, X86_MSR_PAT, 0x0007040600070402), X86_VEC_GP, 0);
	assert_int_equal(mon_wrmsr(&f->vcpu, X86_MSR_PAT, 0x0007010600070106), MON_OK);
	expect_fault(f, mon_wrmsr(&f->vcpu, 0x2ff, 0xc07), X86_VEC_GP, 0);
	assert_int_equal(mon_wrmsr(&f->vcpu, 0x2ff, 0xc06), MON_OK);
	expect_fault(f, mon_wrmsr(&f->vcpu, 0x250, 0x07), X86_VEC_GP, 0);
	assert_int_equal(mon_wrmsr(&f->vcpu, 0x26f, 0x0606060606060606), MON_OK);
	assert_int_equal(mon_rdmsr(&f->vcpu, 0x26f, &v), MON_OK);
	assert_int_equal(v, 0x0606060606060606);
	assert_int_equal(mon_rdmsr(&f->vcpu, 0x268, &v), MON_OK);
	assert_int_equal(v, 0);
	assert_int_equal(mon_wrmsr(&f->vcpu, 0x200, 0xe0000000), MON_OK);
	expect_fault(f, mon_wrmsr(&f->vcpu, 0x201, 0xe0000001), X86_VEC_GP, 0);
	assert_int_equal(mon_wrmsr(&f->vcpu, 0x201, 0xe0000800), MON_OK);
	expect_fault(f, mon_wrmsr(&f->vcpu, 0xfe, 0), X86_VEC_GP, 0);
	expect_fault(f, mon_rdmsr(&f->vcpu, 0x210, &v), X86_VEC_GP, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(reset_is_as_the_manual_says),
		FLAT_TEST(cr0_refuses_impossible_pairs),
		FLAT_TEST(cr_access_needs_ring_0_and_a_register_that_exists),
		FLAT_TEST(paging_bits_flush_and_others_do_not),
		FLAT_TEST(turning_pae_paging_on_loads_the_pdptes),
		FLAT_TEST(a_bad_pdpte_keeps_paging_off),
		FLAT_TEST(cr4_takes_only_bits_that_cpuid_offers),
		FLAT_TEST(lmsw_sets_pe_but_never_clears_it),
		FLAT_TEST(leaving_protected_mode_makes_cs_writable),
		FLAT_TEST(lgdt_with_16_bit_operands_loads_24_bits_of_base),
		FLAT_TEST(dr4_and_dr5_are_aliases_unless_de),
		FLAT_TEST(general_detect_guards_the_debug_registers),
		FLAT_TEST(cli_and_sti_obey_iopl),
		FLAT_TEST(popf_changes_what_the_ring_may_and_is_silent_about_the_rest),
		FLAT_TEST(pushf_hides_vm_and_rf),
		FLAT_TEST(unknown_msrs_do_not_exist),
		FLAT_TEST(efer_has_nxe_and_nothing_else),
		FLAT_TEST(the_tsc_can_be_set_and_tsd_guards_it),
		FLAT_TEST(memory_types_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
