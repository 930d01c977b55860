/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/sysreg.c - control and debug registers, the flags that matter to the system, reset.
 *
 *      interpreter, nexus handlers, engine --> [sysreg] --> hooks (shadow mappings), paging.c (PDPTEs)
 *
 * Asked by:  whoever carries out MOV CR/DR, LMSW, CLTS, LGDT, HLT, CLI, STI, PUSHF, POPF, INVLPG.
 * Source:    SDM 3A, "System Architecture Overview", "Debug Registers", "Processor State After Reset".
 * Tested by: tests/unit/test_sysreg.c.
 * Read next: monitor/msr.c.
 *
 * CR4 takes only the bits whose features CPUID shows; VME and PVI are not among them, so CLI, STI, PUSHF
 * and POPF know the plain IOPL rules alone.
 */
#include "monitor/system.h"

#define CR0_DEFINED	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | \
			 X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)
#define CR4_OFFERED	(X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCE | \
			 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)
#define CR4_PAGING	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE)

/* DR6: bits 11..4 and 31..16 read as ones, 12 as zero. DR7: bit 10 is one; 11, 12, 14, 15 are zero. */
#define DR6_ONES	0xffff0ff0u
#define DR6_DEFINED	0x0000e00fu
#define DR6_BD		0x00002000u
#define DR7_ONES	0x00000400u
#define DR7_ZEROS	0x0000d800u
#define DR7_GD		0x00002000u

static enum mon_status gp0(struct mon_vcpu *vcpu) { return mon_fault_error(vcpu, X86_VEC_GP, 0); }

/* ---- reset ------------------------------------------------------------------------------------ */

void mon_reset(struct mon_vcpu *vcpu)
{
	static const struct mon_seg real_data = {
		.attr = MON_SEG_P | MON_SEG_S | MON_SEG_WRITABLE | MON_SEG_ACCESSED, .limit = 0xffff,
	};
	uint64_t now = vcpu->vm && vcpu->vm->tsc ? vcpu->vm->tsc() : __builtin_ia32_rdtsc();

	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	if (vcpu->vm && vcpu->vm->features)
		vcpu->gpr[X86_EDX] = vcpu->vm->features->signature;
	vcpu->eip = 0xfff0;
	vcpu->eflags = X86_FLAG_ONE;

	for (unsigned int s = 0; s < PLX_ARRAY_SIZE(vcpu->seg); s++)
		vcpu->seg[s] = real_data;
	/* The first fetch is 16 bytes under 4 GiB; the first far jump brings the base down. */
	vcpu->seg[X86_CS].sel = 0xf000;
	vcpu->seg[X86_CS].base = 0xffff0000;
	vcpu->ldtr = (struct mon_seg){ .attr = MON_SEG_P | SYS_LDT, .limit = 0xffff };
	vcpu->tr = (struct mon_seg){ .attr = MON_SEG_P | SYS_TSS32_BUSY, .limit = 0xffff };
	vcpu->gdtr = vcpu->idtr = (struct mon_dtr){ .limit = 0xffff };

	vcpu->cpl = 0;
	vcpu->int_shadow = 0;
	vcpu->halted = 0;
	vcpu->nmi_blocked = 0;
	vcpu->seg_dirty = 0x3f;
	vcpu->mode_dirty = 1;

	vcpu->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
	vcpu->cr2 = vcpu->cr3 = vcpu->cr4 = 0;
	memset(vcpu->pdpte, 0, sizeof(vcpu->pdpte));
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->dr[6] = DR6_ONES;
	vcpu->dr[7] = DR7_ONES;
	vcpu->debug_armed = vcpu->debug_hits = 0;
	vcpu->efer = 0;
	vcpu->sysenter_cs = vcpu->sysenter_esp = vcpu->sysenter_eip = 0;
	vcpu->apic_base = 0xfee00100;		/* the boot processor, its APIC switched off */
	vcpu->pat = 0x0007040600070406;
	vcpu->xcr0 = 1;
	vcpu->tsc_offset = 0 - now;		/* the guest's TSC starts at zero */
	vcpu->mtrr_def_type = 0;
	memset(vcpu->mtrr_fixed, 0, sizeof(vcpu->mtrr_fixed));
	memset(vcpu->mtrr_var, 0, sizeof(vcpu->mtrr_var));
	vcpu->misc_enable = 0x1801;		/* fast strings; no BTS, no PEBS */
	vcpu->fault = (struct mon_fault){ 0 };
	vcpu->delivering = 0xff;

	vcpu->ferr = 0;
	vcpu->fpu_live = false;
	if (vcpu->fpu_area) {
		/* FXSAVE image of the reset state: FCW 0040h, all tags "zero", MXCSR 1F80h. */
		static const uint16_t fcw = 0x0040;
		static const uint32_t mxcsr = 0x1f80;

		memset(vcpu->fpu_area, 0, 512);
		memcpy(vcpu->fpu_area, &fcw, sizeof(fcw));
		vcpu->fpu_area[4] = 0xff;
		memcpy(vcpu->fpu_area + 24, &mxcsr, sizeof(mxcsr));
	}
	mon_tlb_flush(vcpu);
	if (vcpu->hooks && vcpu->hooks->flush_tlb)
		vcpu->hooks->flush_tlb(vcpu, true);
}

/* ---- control registers ------------------------------------------------------------------------- */

static void flush_all(struct mon_vcpu *vcpu)
{
	mon_tlb_flush(vcpu);
	if (vcpu->hooks && vcpu->hooks->flush_tlb)
		vcpu->hooks->flush_tlb(vcpu, true);
}

static bool pae_paging(uint32_t cr0, uint32_t cr4) { return cr0 & X86_CR0_PG && cr4 & X86_CR4_PAE; }

enum mon_status mon_read_cr(struct mon_vcpu *vcpu, unsigned int n, uint32_t *value)
{
	if (n == 1 || n > 4)
		return mon_fault(vcpu, X86_VEC_UD);
	if (vcpu->cpl)
		return gp0(vcpu);
	*value = n == 0 ? vcpu->cr0 : n == 2 ? vcpu->cr2 : n == 3 ? vcpu->cr3 : vcpu->cr4;
	return MON_OK;
}

static enum mon_status write_cr0(struct mon_vcpu *vcpu, uint32_t value)
{
	uint32_t old = vcpu->cr0;
	uint32_t changed;
	uint64_t pdpte[4];
	enum mon_status st;

	value = (value & CR0_DEFINED) | X86_CR0_ET;
	changed = old ^ value;
	if (value & X86_CR0_PG && !(value & X86_CR0_PE))
		return gp0(vcpu);
	if (value & X86_CR0_NW && !(value & X86_CR0_CD))
		return gp0(vcpu);
	if (pae_paging(value, vcpu->cr4) && changed & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW)) {
		st = sys_read_pdptes(vcpu, vcpu->cr3, pdpte);
		if (st)
			return st;
		memcpy(vcpu->pdpte, pdpte, sizeof(pdpte));
	}

	vcpu->cr0 = value;
	if (!changed)
		return MON_OK;
	sys_mode_changed(vcpu);
	if (changed & X86_CR0_PE) {
		sys_set_cpl(vcpu, 0);
		if (!(value & X86_CR0_PE)) {
			/* Real mode lets CS be read and written; its limit and D stay until, and after, a far jump. */
			struct mon_seg *cs = &vcpu->seg[X86_CS];

			cs->attr = (cs->attr & (MON_SEG_DB | MON_SEG_G)) |
				   MON_SEG_P | MON_SEG_S | MON_SEG_WRITABLE | MON_SEG_ACCESSED;
		}
		vcpu->seg_dirty = 0x3f;
	}
	if (changed & (X86_CR0_PG | X86_CR0_WP))
		flush_all(vcpu);
	return MON_OK;
}

static enum mon_status write_cr3(struct mon_vcpu *vcpu, uint32_t value)
{
	uint64_t pdpte[4];
	enum mon_status st;

	if (pae_paging(vcpu->cr0, vcpu->cr4)) {
		st = sys_read_pdptes(vcpu, value, pdpte);
		if (st)
			return st;
		memcpy(vcpu->pdpte, pdpte, sizeof(pdpte));
	}
	vcpu->cr3 = value;
	mon_tlb_flush(vcpu);
	if (vcpu->hooks && vcpu->hooks->load_cr3)
		vcpu->hooks->load_cr3(vcpu);
	return MON_OK;
}

/* A bit of CR4 exists when its feature does. Without a feature list (unit tests) all that we know of exist. */
static uint32_t cr4_offered(const struct mon_vcpu *vcpu)
{
	const struct mon_cpu_features *f = vcpu->vm->features;
	uint32_t bits = CR4_OFFERED;

	if (!f)
		return bits;
	if (!(f->leaf1_edx & 1u << 24))
		bits &= ~(uint32_t)X86_CR4_OSFXSR;
	if (!(f->leaf1_edx & 1u << 25))
		bits &= ~(uint32_t)X86_CR4_OSXMMEXCPT;
	if (!(f->leaf1_edx & 1u << 13))
		bits &= ~(uint32_t)X86_CR4_PGE;
	if (!(f->leaf1_edx & 1u << 6))
		bits &= ~(uint32_t)X86_CR4_PAE;
	if (!(f->leaf1_edx & 1u << 3))
		bits &= ~(uint32_t)X86_CR4_PSE;
	if (!(f->leaf1_edx & 1u << 2))
		bits &= ~(uint32_t)X86_CR4_DE;
	return bits;
}

static enum mon_status write_cr4(struct mon_vcpu *vcpu, uint32_t value)
{
	uint32_t changed = vcpu->cr4 ^ value;
	uint64_t pdpte[4];
	enum mon_status st;

	if (value & ~cr4_offered(vcpu))
		return gp0(vcpu);
	if (pae_paging(vcpu->cr0, value) && changed & CR4_PAGING) {
		st = sys_read_pdptes(vcpu, vcpu->cr3, pdpte);
		if (st)
			return st;
		memcpy(vcpu->pdpte, pdpte, sizeof(pdpte));
	}
	vcpu->cr4 = value;
	if (changed)
		sys_mode_changed(vcpu);
	if (changed & CR4_PAGING)
		flush_all(vcpu);
	return MON_OK;
}

enum mon_status mon_write_cr(struct mon_vcpu *vcpu, unsigned int n, uint32_t value)
{
	if (n == 1 || n > 4)
		return mon_fault(vcpu, X86_VEC_UD);
	if (vcpu->cpl)
		return gp0(vcpu);
	switch (n) {
	case 0:
		return write_cr0(vcpu, value);
	case 3:
		return write_cr3(vcpu, value);
	case 4:
		return write_cr4(vcpu, value);
	}
	vcpu->cr2 = value;
	return MON_OK;
}

enum mon_status mon_lmsw(struct mon_vcpu *vcpu, uint16_t value)
{
	uint32_t msw = X86_CR0_MP | X86_CR0_EM | X86_CR0_TS;

	if (vcpu->cpl)
		return gp0(vcpu);
	msw = (vcpu->cr0 & ~msw) | (value & msw);
	/* It can set PE, never clear it: the 286 had no way back. */
	return write_cr0(vcpu, msw | (value & X86_CR0_PE));
}

enum mon_status mon_clts(struct mon_vcpu *vcpu)
{
	if (vcpu->cpl)
		return gp0(vcpu);
	if (vcpu->cr0 & X86_CR0_TS)
		sys_mode_changed(vcpu);
	vcpu->cr0 &= ~X86_CR0_TS;
	return MON_OK;
}

enum mon_status mon_invlpg(struct mon_vcpu *vcpu, uint32_t linear)
{
	if (vcpu->cpl)
		return gp0(vcpu);
	mon_tlb_flush_page(vcpu, linear);
	if (vcpu->hooks && vcpu->hooks->invlpg)
		vcpu->hooks->invlpg(vcpu, linear);
	return MON_OK;
}

enum mon_status mon_hlt(struct mon_vcpu *vcpu)
{
	if (vcpu->cpl)
		return gp0(vcpu);
	vcpu->halted = 1;
	return MON_HALT;
}

static enum mon_status load_table(struct mon_vcpu *vcpu, struct mon_dtr *dtr, uint16_t limit, uint32_t base,
				  unsigned int opsize)
{
	if (vcpu->cpl)
		return gp0(vcpu);
	sys_mode_changed(vcpu);		/* a host may keep the real tables where these are */
	*dtr = (struct mon_dtr){ .base = opsize == 2 ? base & 0x00ffffff : base, .limit = limit };
	return MON_OK;
}

enum mon_status mon_lgdt(struct mon_vcpu *vcpu, uint16_t limit, uint32_t base, unsigned int opsize)
{
	return load_table(vcpu, &vcpu->gdtr, limit, base, opsize);
}

enum mon_status mon_lidt(struct mon_vcpu *vcpu, uint16_t limit, uint32_t base, unsigned int opsize)
{
	return load_table(vcpu, &vcpu->idtr, limit, base, opsize);
}

/* ---- debug registers ------------------------------------------------------------------------------ */

/* The register that number @n means. DR4 and DR5 are names for 6 and 7 unless CR4.DE makes them undefined. */
static enum mon_status check_dr(struct mon_vcpu *vcpu, unsigned int *n)
{
	if (*n > 7 || ((*n == 4 || *n == 5) && vcpu->cr4 & X86_CR4_DE))
		return mon_fault(vcpu, X86_VEC_UD);
	if (vcpu->cpl)
		return gp0(vcpu);
	if (vcpu->dr[7] & DR7_GD) {
		/* The handler must be able to use them: delivery of #DB clears GD. */
		vcpu->dr[6] |= DR6_BD;
		return mon_fault(vcpu, X86_VEC_DB);
	}
	if (*n == 4 || *n == 5)
		*n += 2;
	return MON_OK;
}

enum mon_status mon_read_dr(struct mon_vcpu *vcpu, unsigned int n, uint32_t *value)
{
	enum mon_status st = check_dr(vcpu, &n);

	if (!st)
		*value = vcpu->dr[n];
	return st;
}

enum mon_status mon_write_dr(struct mon_vcpu *vcpu, unsigned int n, uint32_t value)
{
	enum mon_status st = check_dr(vcpu, &n);

	if (st)
		return st;
	if (n == 6)
		value = (value & DR6_DEFINED) | DR6_ONES;
	if (n == 7)
		value = (value & ~DR7_ZEROS) | DR7_ONES;
	if (vcpu->dr[n] != value)
		sys_mode_changed(vcpu);
	vcpu->dr[n] = value;
	if (n == 7)
		mon_debug_arm(vcpu);
	return MON_OK;
}

/* ---- IF, and the image of EFLAGS ---------------------------------------------------------------------- */

/* May this code change IF? Real mode: always. V86: IOPL 3. Protected mode: CPL <= IOPL. V86's CPL is 3. */
static bool may_change_if(const struct mon_vcpu *vcpu)
{
	return vcpu->cpl <= mon_iopl(vcpu);
}

enum mon_status mon_cli(struct mon_vcpu *vcpu)
{
	if (!may_change_if(vcpu))
		return gp0(vcpu);
	vcpu->eflags &= ~X86_FLAG_IF;
	return MON_OK;
}

enum mon_status mon_sti(struct mon_vcpu *vcpu)
{
	if (!may_change_if(vcpu))
		return gp0(vcpu);
	if (!(vcpu->eflags & X86_FLAG_IF))
		vcpu->int_shadow |= MON_SHADOW_STI;
	vcpu->eflags |= X86_FLAG_IF;
	return MON_OK;
}

enum mon_status mon_popf(struct mon_vcpu *vcpu, uint32_t image, unsigned int opsize)
{
	uint32_t mask = SYS_FLAGS_WRITABLE & ~X86_FLAG_RF;

	if (mon_v86(vcpu) && mon_iopl(vcpu) != 3)
		return gp0(vcpu);
	if (vcpu->cpl)				/* V86 code included */
		mask &= ~X86_FLAG_IOPL;
	if (!may_change_if(vcpu))
		mask &= ~X86_FLAG_IF;		/* in silence: no fault */
	if (opsize == 2)
		mask &= 0xffff;
	sys_set_eflags(vcpu, ((vcpu->eflags & ~mask) | (image & mask)) & ~X86_FLAG_RF);
	return MON_OK;
}

enum mon_status mon_pushf(struct mon_vcpu *vcpu, unsigned int opsize, uint32_t *image)
{
	if (mon_v86(vcpu) && mon_iopl(vcpu) != 3)
		return gp0(vcpu);
	*image = vcpu->eflags & ~(X86_FLAG_VM | X86_FLAG_RF);
	if (opsize == 2)
		*image &= 0xffff;
	return MON_OK;
}
