/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_repeat.c - finding runs of elements for repeated string instructions, and probing for writes.
 *
 * Asked by: interp_string.c, interp_port.c; ip_probe_write() by all handlers that read, modify and write.
 */
#include "monitor/interp_repeat.h"

enum mon_status ip_probe_write(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, uint32_t nbytes, uint32_t *linear)
{
	IP_TRY(mon_seg_check(v, sreg, offset, nbytes, MON_ACC_WRITE, linear));
	return mon_probe(v, *linear, nbytes, MON_ACC_WRITE);
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
	if (mon_translate(v, linear, access, &xlate) != MON_OK)
		return false;
	entry = v->vm->page[xlate.gpa >> PLX_PAGE_SHIFT];
	if (!(entry & MON_PAGE_PRESENT) || ((access & MON_ACC_WRITE) && (entry & MON_PAGE_ROM)))
		return false;
	run->gpa = xlate.gpa;
	run->count = count;
	return true;
}
