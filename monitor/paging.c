/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/paging.c - from a guest linear address to a guest physical one.
 *
 *      interpreter, engine --> memory.c --> [paging] --> the guest's own tables
 *                                    shadow filling --^
 *
 * Asked by:  memory.c on a miss in its TLB; the engine when it fills a shadow mapping.
 * Asks:      vm.h for RAM, memory.c to tell of changed bytes.
 * Never:     looks at the TLB or at shadow mappings: it always walks.
 * Source:    SDM 3A, "Paging".
 *
 * SMEP, SMAP, PSE-36 and protection keys are not offered, so CR4 cannot ask for them.
 */
#include "monitor/system.h"

#define NX_BIT		((uint64_t)1 << 63)
#define PHYS_RESERVED	(~(uint64_t)0 << SYS_PHYS_BITS & ~NX_BIT)
/* A 4 MiB PDE without PSE-36: bits 21..13 must be zero; bit 12 is PAT. */
#define PDE_4M_RESERVED	0x003fe000u
#define PDE_2M_RESERVED	0x001fe000u
/* PDPTE: bits 2..1 and 8..5, and all above the physical address, NX included. */
#define PDPTE_RESERVED	(0x1e6u | ~(uint64_t)0 << SYS_PHYS_BITS)

/* What a walk found, before it is judged. */
struct walk {
	uint32_t dir_gpa;	/* of the PDE; its low byte holds A and D */
	uint32_t leaf_gpa;	/* of the PTE; the same as dir_gpa for a large page */
	uint8_t dir, leaf;	/* those low bytes */
	uint32_t gpa;
	uint32_t page_bytes;
	bool user, write, nx, global;
};

static uint32_t entry32(const struct mon_vm *vm, uint32_t gpa)
{
	const uint8_t *p = mon_phys_ptr(vm, gpa);
	uint32_t value = ~0u;	/* nobody answers on the bus */

	if (p)
		memcpy(&value, p, sizeof(value));
	return value;
}

static uint64_t entry64(const struct mon_vm *vm, uint32_t gpa)
{
	const uint8_t *p = mon_phys_ptr(vm, gpa);
	uint64_t value = ~(uint64_t)0;

	if (p)
		memcpy(&value, p, sizeof(value));
	return value;
}

static void set_entry_bits(struct mon_vcpu *vcpu, uint32_t gpa, uint8_t bits)
{
	uint8_t *p = mon_phys_ptr(vcpu->vm, gpa);

	/* Tables in ROM or nowhere keep their bits as they are. */
	if (!p || vcpu->vm->page[gpa >> PLX_PAGE_SHIFT] & MON_PAGE_ROM)
		return;
	*p |= bits;
	sys_ram_changed(vcpu, gpa, 1);
}

static bool nx_enabled(const struct mon_vcpu *vcpu)
{
	return vcpu->efer & X86_EFER_NXE && vcpu->cr4 & X86_CR4_PAE;
}

/* Returns P and RSVD of the error code in @why when the walk ends early. */
static bool walk_32(struct mon_vcpu *vcpu, uint32_t linear, struct walk *w, uint16_t *why)
{
	const struct mon_vm *vm = vcpu->vm;
	uint32_t pde, pte;

	*why = 0;
	w->dir_gpa = ((vcpu->cr3 & ~PLX_PAGE_MASK) | (linear >> 22 << 2)) & vm->a20_mask;
	pde = entry32(vm, w->dir_gpa);
	if (!(pde & X86_PTE_P))
		return false;
	w->dir = (uint8_t)pde;

	if (pde & X86_PTE_PS && vcpu->cr4 & X86_CR4_PSE) {
		if (pde & PDE_4M_RESERVED) {
			*why = X86_PF_P | X86_PF_RSVD;
			return false;
		}
		w->leaf_gpa = w->dir_gpa;
		w->leaf = w->dir;
		w->gpa = (pde & 0xffc00000) | (linear & 0x003fffff);
		w->page_bytes = 4u << 20;
		w->user = pde & X86_PTE_U;
		w->write = pde & X86_PTE_W;
		w->global = pde & X86_PTE_G;
		return true;
	}

	w->leaf_gpa = ((pde & ~PLX_PAGE_MASK) | (linear >> 12 & 0x3ff) << 2) & vm->a20_mask;
	pte = entry32(vm, w->leaf_gpa);
	if (!(pte & X86_PTE_P))
		return false;
	w->leaf = (uint8_t)pte;
	w->gpa = (pte & ~PLX_PAGE_MASK) | (linear & PLX_PAGE_MASK);
	w->page_bytes = PLX_PAGE_SIZE;
	w->user = pde & pte & X86_PTE_U;
	w->write = pde & pte & X86_PTE_W;
	w->global = pte & X86_PTE_G;
	return true;
}

static bool walk_pae(struct mon_vcpu *vcpu, uint32_t linear, struct walk *w, uint16_t *why)
{
	const struct mon_vm *vm = vcpu->vm;
	uint64_t reserved = PHYS_RESERVED | (nx_enabled(vcpu) ? 0 : NX_BIT);
	uint64_t pdpte = vcpu->pdpte[linear >> 30];
	uint64_t pde, pte;

	*why = 0;
	if (!(pdpte & X86_PTE_P))	/* reserved bits were refused when it was loaded */
		return false;

	w->dir_gpa = (((uint32_t)pdpte & ~PLX_PAGE_MASK) | (linear >> 21 & 0x1ff) << 3) & vm->a20_mask;
	pde = entry64(vm, w->dir_gpa);
	if (!(pde & X86_PTE_P))
		return false;
	w->dir = (uint8_t)pde;
	*why = X86_PF_P | X86_PF_RSVD;
	if (pde & reserved)
		return false;

	if (pde & X86_PTE_PS) {
		if (pde & PDE_2M_RESERVED)
			return false;
		w->leaf_gpa = w->dir_gpa;
		w->leaf = w->dir;
		w->gpa = ((uint32_t)pde & 0xffe00000) | (linear & 0x001fffff);
		w->page_bytes = 2u << 20;
		w->user = pde & X86_PTE_U;
		w->write = pde & X86_PTE_W;
		w->global = pde & X86_PTE_G;
		w->nx = pde & NX_BIT;
		return true;
	}

	w->leaf_gpa = (((uint32_t)pde & ~PLX_PAGE_MASK) | (linear >> 12 & 0x1ff) << 3) & vm->a20_mask;
	pte = entry64(vm, w->leaf_gpa);
	*why = 0;
	if (!(pte & X86_PTE_P))
		return false;
	*why = X86_PF_P | X86_PF_RSVD;
	if (pte & reserved)
		return false;
	w->leaf = (uint8_t)pte;
	w->gpa = ((uint32_t)pte & ~PLX_PAGE_MASK) | (linear & PLX_PAGE_MASK);
	w->page_bytes = PLX_PAGE_SIZE;
	w->user = pde & pte & X86_PTE_U;
	w->write = pde & pte & X86_PTE_W;
	w->global = pte & X86_PTE_G;
	w->nx = (pde | pte) & NX_BIT;
	return true;
}

static enum mon_status page_fault(struct mon_vcpu *vcpu, uint32_t linear, unsigned int access, bool user, uint16_t why)
{
	if (access & MON_ACC_PEEK)
		return MON_FAULT;
	if (access & MON_ACC_WRITE)
		why |= X86_PF_W;
	if (user)
		why |= X86_PF_U;
	if (access & MON_ACC_EXEC && nx_enabled(vcpu))
		why |= X86_PF_I;
	mon_fault_error(vcpu, X86_VEC_PF, why);
	vcpu->fault.address = linear;
	return MON_FAULT;
}

enum mon_status mon_translate(struct mon_vcpu *vcpu, uint32_t linear, unsigned int access, struct mon_xlate *out)
{
	const struct mon_vm *vm = vcpu->vm;
	bool user = vcpu->cpl == 3 && !(access & (MON_ACC_SYSTEM | MON_ACC_PEEK));
	bool a20_open = vm->a20_mask == ~0u;
	struct walk w = { 0 };
	uint8_t leaf_bits = X86_PTE_A;
	uint16_t why;
	bool found;

	if (!(vcpu->cr0 & X86_CR0_PG)) {
		*out = (struct mon_xlate){
			.gpa = linear & vm->a20_mask, .writable = true, .user = true, .write_ok = true, .accessed = true,
			.page_bytes = a20_open ? 4u << 20 : PLX_PAGE_SIZE,
		};
		return MON_OK;
	}

	if (vcpu->cr4 & X86_CR4_PAE)
		found = walk_pae(vcpu, linear, &w, &why);
	else
		found = walk_32(vcpu, linear, &w, &why);
	if (!found)
		return page_fault(vcpu, linear, access, user, why);

	out->write_ok = w.write || (!user && !(vcpu->cr0 & X86_CR0_WP));
	if ((user && !w.user) || (access & MON_ACC_WRITE && !out->write_ok) || (access & MON_ACC_EXEC && w.nx))
		return page_fault(vcpu, linear, access, user, X86_PF_P);

	if (!(access & MON_ACC_PEEK)) {
		if (access & MON_ACC_WRITE)
			leaf_bits |= X86_PTE_D;
		if (w.dir_gpa != w.leaf_gpa && !(w.dir & X86_PTE_A))
			set_entry_bits(vcpu, w.dir_gpa, X86_PTE_A);
		if ((w.leaf & leaf_bits) != leaf_bits) {
			set_entry_bits(vcpu, w.leaf_gpa, leaf_bits);
			w.leaf |= leaf_bits;
		}
	}

	out->gpa = w.gpa & vm->a20_mask;
	out->writable = out->write_ok && w.leaf & X86_PTE_D;
	out->user = w.user;
	out->accessed = w.leaf & X86_PTE_A;
	out->global = w.global && vcpu->cr4 & X86_CR4_PGE;
	out->nx = w.nx;
	out->dir_gpa = w.dir_gpa;
	out->leaf_gpa = w.leaf_gpa;
	/* With the gate closed odd and even megabytes are one: no large page is a straight run then. */
	out->page_bytes = a20_open ? w.page_bytes : PLX_PAGE_SIZE;
	return MON_OK;
}

enum mon_status sys_read_pdptes(struct mon_vcpu *vcpu, uint32_t cr3, uint64_t pdpte[4])
{
	for (uint32_t i = 0; i < 4; i++) {
		pdpte[i] = entry64(vcpu->vm, ((cr3 & ~31u) + i * 8) & vcpu->vm->a20_mask);
		if (pdpte[i] & X86_PTE_P && pdpte[i] & PDPTE_RESERVED)
			return mon_fault_error(vcpu, X86_VEC_GP, 0);
	}
	return MON_OK;
}
