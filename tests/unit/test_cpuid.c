/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_cpuid.c - claims about monitor/cpuid.c. */
#include "tests/unit/flat_vm.h"

enum { EAX, EBX, ECX, EDX };

/* A host that has every feature bit there is, made by AMD. */
static void host_with_all(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	(void)subleaf;
	for (unsigned int i = 0; i < 4; i++)
		regs[i] = 0xffffffff;
	if (leaf == 0) {
		regs[EAX] = 0x20;
		memcpy(&regs[EBX], "Auth", 4);
		memcpy(&regs[EDX], "enti", 4);
		memcpy(&regs[ECX], "cAMD", 4);
	}
	if (leaf == 1)
		regs[EAX] = 0x00a20f12;
	if (leaf == 0x80000000)
		regs[EAX] = 0x80000021;
	if (leaf >= 0x80000002 && leaf <= 0x80000004)
		memcpy(regs, "Processor-brand-", 16);
}

static void host_with_nothing(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	(void)leaf;
	(void)subleaf;
	memset(regs, 0, 16);
}

static void set_up(struct flat *f, struct mon_cpu_features *features,
		   void (*host)(uint32_t, uint32_t, uint32_t *))
{
	mon_features_init(features, host);
	f->vm.features = features;
}

static void what_the_monitor_cannot_do_is_not_shown(void **state)
{
	struct flat *f = *state;
	struct mon_cpu_features features;
	uint32_t r[4];

	set_up(f, &features, host_with_all);
	mon_cpuid(&f->vcpu, 1, 0, r);
	assert_int_equal(r[EAX], 0x00a20f12);
	assert_int_equal(r[EDX] & (1u << 1 | 1u << 7 | 1u << 9 | 1u << 14 | 1u << 17 | 1u << 28), 0);	/* VME MCE APIC MCA PSE36 HTT */
	assert_int_equal(r[ECX] & (1u << 3 | 1u << 5 | 1u << 12 | 1u << 13 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28), 0);
	mon_cpuid(&f->vcpu, 7, 0, r);
	assert_int_equal(r[EBX] & (1u << 5 | 1u << 7 | 1u << 16 | 1u << 20), 0);	/* AVX2 SMEP AVX512F SMAP */
	assert_int_equal(r[ECX], 0);
	mon_cpuid(&f->vcpu, 0x80000001, 0, r);
	assert_int_equal(r[EDX] & (1u << 11 | 1u << 27 | 1u << 29), 0);			/* SYSCALL RDTSCP LM */
	assert_int_equal(r[EDX] & 1u << 20, 1u << 20);					/* NX */
	assert_int_equal(r[ECX] & 1u << 2, 0);						/* SVM */
}

static void what_the_monitor_plays_is_always_shown(void **state)
{
	struct flat *f = *state;
	struct mon_cpu_features features;
	uint32_t r[4];

	set_up(f, &features, host_with_nothing);
	mon_cpuid(&f->vcpu, 1, 0, r);
	assert_int_equal(r[EDX], 0x0001387d);	/* FPU DE PSE TSC MSR PAE SEP MTRR PGE PAT */
	assert_int_equal(r[ECX], 1u << 31);	/* a hypervisor is here */
	mon_cpuid(&f->vcpu, 0, 0, r);
	assert_memory_equal(&r[EBX], "Genu", 4);
	mon_cpuid(&f->vcpu, 0x80000000, 0, r);
	assert_int_equal(r[EAX], 0x80000008);
	expect_fault(f, mon_wrmsr(&f->vcpu, X86_MSR_EFER, 0), X86_VEC_GP, 0);	/* no NX, so no EFER */
}

static void leaves_out_of_range_are_zero(void **state)
{
	struct flat *f = *state;
	struct mon_cpu_features features;
	uint32_t r[4];
	static const uint32_t leaves[] = { 8, 0xd, 0x3fffffff, 0x40000001, 0x40000100, 0x80000009, 0x80000022, 0xffffffff };

	set_up(f, &features, host_with_all);
	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(leaves); i++) {
		mon_cpuid(&f->vcpu, leaves[i], 0, r);
		assert_int_equal(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	}
	mon_cpuid(&f->vcpu, 7, 1, r);
	assert_int_equal(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
}

static void vendor_and_brand_are_the_hosts(void **state)
{
	struct flat *f = *state;
	struct mon_cpu_features features;
	uint32_t r[4];

	set_up(f, &features, host_with_all);
	mon_cpuid(&f->vcpu, 0, 0, r);
	assert_int_equal(r[EAX], 7);
	assert_memory_equal(&r[EDX], "enti", 4);
	mon_cpuid(&f->vcpu, 0x80000003, 0, r);
	assert_memory_equal(r, "Processor-brand-", 16);
	mon_cpuid(&f->vcpu, 0x80000008, 0, r);
	assert_int_equal(r[EAX], 0x2020);
	mon_cpuid(&f->vcpu, 0x80000021, 0, r);		/* AMD's: nothing to mend in software */
	assert_int_equal(r[EAX], 1u << 29);
	assert_int_equal(r[ECX], 6);
}

static void a_guest_may_know_that_it_is_one(void **state)
{
	struct flat *f = *state;
	struct mon_cpu_features features;
	uint32_t r[4];

	set_up(f, &features, host_with_nothing);
	mon_cpuid(&f->vcpu, 0x40000000, 0, r);
	assert_int_equal(r[EAX], 0x40000000);	/* no leaf behind it */
	assert_memory_equal(&r[EBX], "PlexusPlexus", 12);
}

/* mon_reset puts the signature in EDX, as a processor does after its self-test. */
static void reset_leaves_the_signature_in_edx(void **state)
{
	struct flat *f = *state;
	struct mon_cpu_features features;

	set_up(f, &features, host_with_all);
	mon_reset(&f->vcpu);
	assert_int_equal(f->vcpu.gpr[X86_EDX], 0x00a20f12);
	assert_int_equal(f->vcpu.gpr[X86_EAX], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(what_the_monitor_cannot_do_is_not_shown),
		FLAT_TEST(what_the_monitor_plays_is_always_shown),
		FLAT_TEST(leaves_out_of_range_are_zero),
		FLAT_TEST(vendor_and_brand_are_the_hosts),
		FLAT_TEST(a_guest_may_know_that_it_is_one),
		FLAT_TEST(reset_leaves_the_signature_in_edx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
