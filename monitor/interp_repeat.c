/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_repeat.c - finding runs of elements for repeated string instructions, and probing operands.
 *
 * Asked by: interp_string.c, interp_port.c; ip_probe_*() by all handlers that do more than one access.
 */
#include "monitor/interp_repeat.h"

static enum mon_status probe(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, uint32_t nbytes,
			     unsigned int access, uint32_t *linear)
{
	IP_TRY(mon_seg_check(v, sreg, offset, nbytes, access, linear));
	if (ip_misaligned(v, *linear, nbytes))
		return mon_fault_error(v, X86_VEC_AC, 0);
	return mon_probe(v, *linear, nbytes, access);
}

enum mon_status ip_probe_read(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, uint32_t nbytes, uint32_t *linear)
{
	return probe(v, sreg, offset, nbytes, MON_ACC_READ, linear);
}

enum mon_status ip_probe_write(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, uint32_t nbytes, uint32_t *linear)
{
	return probe(v, sreg, offset, nbytes, MON_ACC_WRITE, linear);
}

bool ip_run_find(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int sreg, unsigned int reg,
		 unsigned int size, uint32_t count, unsigned int access, struct ip_run *run)
{
	uint32_t offset = ip_reg(v, reg, in->addrsize), linear;
	struct mon_xlate xlate;
	uint64_t entry;

	/* Not past the end of the offset space: there the register wraps. */
	count = (uint32_t)plx_min64(count, ((uint64_t)ip_mask(in->addrsize) + 1 - offset) / size);
	/* The first element decides about the page; a limit further on only shortens the run to nothing. */
	if (count < 2 || mon_seg_check(v, sreg, offset, size, access, &linear) != MON_OK)
		return false;
	count = plx_min32(count, (PLX_PAGE_SIZE - (linear & PLX_PAGE_MASK)) / size);
	if (count < 2 || mon_seg_check(v, sreg, offset, count * size, access, &linear) != MON_OK)
		return false;
	if (ip_misaligned(v, linear, size) || mon_translate(v, linear, access, &xlate) != MON_OK)
		return false;
	entry = v->vm->page[xlate.gpa >> PLX_PAGE_SHIFT];
	if (!(entry & MON_PAGE_PRESENT) || ((access & MON_ACC_WRITE) && (entry & MON_PAGE_ROM)))
		return false;
	run->gpa = xlate.gpa;
	run->count = count;
	return true;
}
