/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/msr.c - model-specific registers and the counters.
 *
 *      RDMSR, WRMSR, RDTSC, RDPMC --> [msr] --> vcpu fields, hooks for EFER.NXE
 *
 * Asked by:  the interpreter and nexus handlers.
 * Source:    SDM 4, "Architectural MSRs"; SDM 3A, "Memory Type Range Registers".
 * Tested by: tests/unit/test_sysreg.c.
 *
 * MTRRs and PAT are kept, checked and have no effect: guest memory is ordinary memory of the host.
 * A register that nobody lists here does not exist: #GP(0), as on a processor that lacks it.
 */
#include "monitor/system.h"

#define MSR_PLATFORM_ID		0x17
#define MSR_EBL_CR_POWERON	0x2a
#define MSR_FEATURE_CONTROL	0x3a
#define MSR_UCODE_WRITE		0x79
#define MSR_UCODE_REV		0x8b
#define MSR_PLATFORM_INFO	0xce
#define MSR_MTRR_CAP		0xfe
#define MSR_ARCH_CAPABILITIES	0x10a
/* Not asked of the guest: RDCL (page-table isolation); MDS, TAA, SBDR, FBSDP, PSDP and RFDS (VERW). See cpuid.c. */
#define ARCH_CAP_VALUE		(1u << 0 | 1u << 5 | 1u << 8 | 1u << 13 | 1u << 14 | 1u << 15 | 1u << 27)
#define MSR_MISC_ENABLE		0x1a0
#define MSR_MTRR_VAR0		0x200
#define MSR_MTRR_VAR_END	0x210
#define MSR_MTRR_FIX_64K	0x250
#define MSR_MTRR_FIX_16K	0x258
#define MSR_MTRR_FIX_4K		0x268
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MSR_AMD_SYSCFG		0xc0010010
#define MSR_AMD_HWCR		0xc0010015
#define MSR_AMD_NB_CFG		0xc001001f
#define MSR_AMD_TSEG		0xc0010112
#define MSR_AMD_DE_CFG		0xc0011029

/* 8 variable pairs, fixed ranges, write-combining. */
#define MTRR_CAP_VALUE		0x508
#define PHYS_RESERVED		(~(uint64_t)0 << SYS_PHYS_BITS)
#define APIC_BASE_DEFINED	0xfffff900u	/* address, enable, BSP */

static uint64_t host_tsc(const struct mon_vcpu *vcpu)
{
	return vcpu->vm->tsc ? vcpu->vm->tsc() : __builtin_ia32_rdtsc();
}

static enum mon_status gp0(struct mon_vcpu *vcpu) { return mon_fault_error(vcpu, X86_VEC_GP, 0); }

static bool amd(const struct mon_vcpu *vcpu)
{
	return vcpu->vm->features && vcpu->vm->features->vendor[0] == 0x68747541;	/* "Auth" */
}

static bool has_nx(const struct mon_vcpu *vcpu)
{
	return !vcpu->vm->features || vcpu->vm->features->ext1_edx & 1u << 20;
}

/* UC, WC, WT, WP, WB; PAT adds UC-. */
static bool memory_type_ok(uint8_t type, bool pat)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

static bool eight_types_ok(uint64_t value, bool pat)
{
	for (unsigned int i = 0; i < 64; i += 8)
		if (!memory_type_ok((uint8_t)(value >> i), pat))
			return false;
	return true;
}

/* Where an MTRR is kept, NULL if @index is not one of the ranges. */
static uint64_t *mtrr_range(struct mon_vcpu *vcpu, uint32_t index)
{
	if (index >= MSR_MTRR_VAR0 && index < MSR_MTRR_VAR_END)
		return &vcpu->mtrr_var[index - MSR_MTRR_VAR0];
	if (index == MSR_MTRR_FIX_64K)
		return &vcpu->mtrr_fixed[0];
	if (index == MSR_MTRR_FIX_16K || index == MSR_MTRR_FIX_16K + 1)
		return &vcpu->mtrr_fixed[1 + index - MSR_MTRR_FIX_16K];
	if (index >= MSR_MTRR_FIX_4K && index < MSR_MTRR_FIX_4K + 8)
		return &vcpu->mtrr_fixed[3 + index - MSR_MTRR_FIX_4K];
	return NULL;
}

static bool mtrr_value_ok(uint32_t index, uint64_t value)
{
	if (index >= MSR_MTRR_VAR_END)
		return eight_types_ok(value, false);
	if (value & PHYS_RESERVED)
		return false;
	if (index & 1)			/* mask: bits 10..0 reserved, 11 is valid */
		return !(value & 0x7ff);
	return !(value & 0xf00) && memory_type_ok((uint8_t)value, false);
}

/* Registers that software reads, and sometimes writes, without expecting much: read as @value, writes vanish. */
static bool quiet_msr(const struct mon_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	*value = 0;
	if (index == MSR_UCODE_REV || index == MSR_UCODE_WRITE)
		return true;
	if (index == MSR_AMD_DE_CFG)
		*value = 2;		/* LFENCE waits for all before it, as on every host we run on */
	if (amd(vcpu))
		return index == MSR_AMD_SYSCFG || index == MSR_AMD_HWCR || index == MSR_AMD_NB_CFG ||
		       index == MSR_AMD_TSEG || index == MSR_AMD_DE_CFG;
	if (index == MSR_FEATURE_CONTROL)
		*value = 1;		/* locked, and no VMX */
	return index == MSR_PLATFORM_ID || index == MSR_EBL_CR_POWERON || index == MSR_FEATURE_CONTROL ||
	       index == MSR_PLATFORM_INFO;
}

enum mon_status mon_rdmsr(struct mon_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	const uint64_t *mtrr;

	if (vcpu->cpl)
		return gp0(vcpu);
	switch (index) {
	case X86_MSR_TSC:
		*value = host_tsc(vcpu) + vcpu->tsc_offset;
		return MON_OK;
	case X86_MSR_APIC_BASE:
		*value = vcpu->apic_base;
		return MON_OK;
	case MSR_ARCH_CAPABILITIES:
		if (!vcpu->vm->features || !(vcpu->vm->features->leaf7_edx >> 29 & 1))
			return gp0(vcpu);
		*value = ARCH_CAP_VALUE;
		return MON_OK;
	case X86_MSR_SYSENTER_CS:
		*value = vcpu->sysenter_cs;
		return MON_OK;
	case X86_MSR_SYSENTER_ESP:
		*value = vcpu->sysenter_esp;
		return MON_OK;
	case X86_MSR_SYSENTER_EIP:
		*value = vcpu->sysenter_eip;
		return MON_OK;
	case X86_MSR_PAT:
		*value = vcpu->pat;
		return MON_OK;
	case X86_MSR_EFER:
		if (!has_nx(vcpu))
			return gp0(vcpu);
		*value = vcpu->efer;
		return MON_OK;
	case MSR_MTRR_CAP:
		*value = MTRR_CAP_VALUE;
		return MON_OK;
	case MSR_MTRR_DEF_TYPE:
		*value = vcpu->mtrr_def_type;
		return MON_OK;
	case MSR_MISC_ENABLE:
		if (amd(vcpu))
			return gp0(vcpu);
		*value = vcpu->misc_enable;
		return MON_OK;
	}
	mtrr = mtrr_range(vcpu, index);
	if (mtrr) {
		*value = *mtrr;
		return MON_OK;
	}
	return quiet_msr(vcpu, index, value) ? MON_OK : gp0(vcpu);
}

static enum mon_status write_efer(struct mon_vcpu *vcpu, uint64_t value)
{
	if (!has_nx(vcpu) || value & ~(uint64_t)X86_EFER_NXE)
		return gp0(vcpu);
	if (vcpu->efer == value)
		return MON_OK;
	vcpu->efer = value;
	sys_mode_changed(vcpu);
	mon_tlb_flush(vcpu);
	if (vcpu->hooks && vcpu->hooks->flush_tlb)
		vcpu->hooks->flush_tlb(vcpu, true);
	return MON_OK;
}

enum mon_status mon_wrmsr(struct mon_vcpu *vcpu, uint32_t index, uint64_t value)
{
	uint64_t *mtrr;
	uint64_t ignored;

	if (vcpu->cpl)
		return gp0(vcpu);
	switch (index) {
	case X86_MSR_TSC:
		vcpu->tsc_offset = value - host_tsc(vcpu);
		return MON_OK;
	case X86_MSR_APIC_BASE:
		if (value & ~(uint64_t)APIC_BASE_DEFINED)
			return gp0(vcpu);
		vcpu->apic_base = value;
		return MON_OK;
	case X86_MSR_SYSENTER_CS:
		vcpu->sysenter_cs = (uint32_t)value;
		return MON_OK;
	case X86_MSR_SYSENTER_ESP:
		vcpu->sysenter_esp = (uint32_t)value;
		return MON_OK;
	case X86_MSR_SYSENTER_EIP:
		vcpu->sysenter_eip = (uint32_t)value;
		return MON_OK;
	case X86_MSR_PAT:
		if (!eight_types_ok(value, true))
			return gp0(vcpu);
		vcpu->pat = value;
		return MON_OK;
	case X86_MSR_EFER:
		return write_efer(vcpu, value);
	case MSR_MTRR_DEF_TYPE:
		if (value & ~(uint64_t)0xcff || !memory_type_ok((uint8_t)value, false))
			return gp0(vcpu);
		vcpu->mtrr_def_type = value;
		return MON_OK;
	case MSR_MISC_ENABLE:
		if (amd(vcpu))
			return gp0(vcpu);
		vcpu->misc_enable = value;
		return MON_OK;
	}
	mtrr = mtrr_range(vcpu, index);
	if (mtrr) {
		if (!mtrr_value_ok(index, value))
			return gp0(vcpu);
		*mtrr = value;
		return MON_OK;
	}
	return quiet_msr(vcpu, index, &ignored) ? MON_OK : gp0(vcpu);
}

enum mon_status mon_rdtsc(struct mon_vcpu *vcpu, uint64_t *value)
{
	if (vcpu->cr4 & X86_CR4_TSD && vcpu->cpl)
		return gp0(vcpu);
	*value = host_tsc(vcpu) + vcpu->tsc_offset;
	return MON_OK;
}

/* CPUID shows no counters, so every index is out of range; only the order of reasons would differ. */
enum mon_status mon_rdpmc(struct mon_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	(void)index;
	*value = 0;
	return gp0(vcpu);
}
