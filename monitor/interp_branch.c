/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_branch.c - where to go next: jumps, calls, returns, loops, and the doors to far.c and interrupt.c.
 *
 * A near target beyond the limit of CS is #GP(0) of the branch itself, not of the next fetch, and it is
 * checked before a return address is pushed (SDM 2A, "CALL").
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp.c.
 */
#include "monitor/interp.h"

static enum mon_status near_target(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t target, uint32_t *eip)
{
	if (in->opsize == 2)
		target &= 0xffff;
	if (target > v->seg[X86_CS].limit)
		return ip_gp0(v);
	*eip = target;
	return MON_OK;
}

static uint32_t displacement(const struct prescan_insn *in)
{
	return in->imm_size == 1 ? (uint32_t)(int8_t)in->imm :
	       in->imm_size == 2 ? (uint32_t)(int16_t)in->imm : in->imm;
}

static enum mon_status jump(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t target)
{
	return near_target(v, in, target, &v->eip);
}

static enum mon_status call(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t target)
{
	uint32_t eip;

	IP_TRY(near_target(v, in, target, &eip));
	IP_TRY(ip_push(v, in->opsize, ip_next(v, in)));
	v->eip = eip;
	return MON_OK;
}

INTERP_HANDLER(interp_jcc)
{
	if (!ip_condition(v->eflags, in->opcode & 15))
		return ip_done(v, in);
	return jump(v, in, ip_next(v, in) + displacement(in));
}

INTERP_HANDLER(interp_jmp)
{
	return jump(v, in, ip_next(v, in) + displacement(in));
}

INTERP_HANDLER(interp_call)
{
	return call(v, in, ip_next(v, in) + displacement(in));
}

INTERP_HANDLER(interp_ret)
{
	uint32_t eip;

	IP_TRY(ip_peek(v, in->opsize, &eip));
	IP_TRY(near_target(v, in, eip, &v->eip));
	ip_drop(v, in->opsize + (in->opcode == 0xc2 ? in->imm & 0xffff : 0));
	return MON_OK;
}

/* E0 LOOPNE, E1 LOOPE, E2 LOOP, E3 JCXZ. The address size says CX or ECX. */
INTERP_HANDLER(interp_loop)
{
	uint32_t count = ip_reg(v, X86_ECX, in->addrsize);
	bool taken;

	if (in->opcode == 0xe3) {
		taken = count == 0;
	} else {
		count--;
		taken = (count & ip_mask(in->addrsize)) != 0;
		if (in->opcode != 0xe2)
			taken = taken && !(v->eflags & X86_FLAG_ZF) == !(in->opcode & 1);
	}
	if (taken) {
		uint32_t eip;

		IP_TRY(near_target(v, in, ip_next(v, in) + displacement(in), &eip));
		v->eip = eip;
	} else {
		ip_done(v, in);
	}
	if (in->opcode != 0xe3)
		ip_set_reg(v, X86_ECX, in->addrsize, count);
	return MON_OK;
}

enum mon_status ip_load_far_pointer(struct mon_vcpu *v, const struct prescan_insn *in, uint16_t *sel, uint32_t *offset)
{
	uint32_t low, high;

	if (!ip_is_mem(in))
		return ip_ud(v);
	IP_TRY(ip_load(v, in->seg, ip_offset(v, in), in->opsize, &low));
	IP_TRY(ip_load(v, in->seg, ip_offset_plus(v, in, in->opsize), 2, &high));
	*offset = low;
	*sel = (uint16_t)high;
	return MON_OK;
}

INTERP_HANDLER(interp_group5)
{
	uint32_t target;
	uint16_t sel;

	if (in->opcode == 0xfe && in->reg > 1)
		return ip_ud(v);
	switch (in->reg) {
	case 0:
	case 1:
		return interp_incdec(v, in);
	case 2:
		IP_TRY(ip_rm_load(v, in, in->opsize, &target));
		return call(v, in, target);
	case 3:
		IP_TRY(ip_load_far_pointer(v, in, &sel, &target));
		return mon_far_call(v, sel, target, in->opsize, ip_next(v, in));
	case 4:
		IP_TRY(ip_rm_load(v, in, in->opsize, &target));
		return jump(v, in, target);
	case 5:
		IP_TRY(ip_load_far_pointer(v, in, &sel, &target));
		return mon_far_jmp(v, sel, target, in->opsize);
	case 6:
		return interp_push_rm(v, in);
	default:
		return ip_ud(v);
	}
}

INTERP_HANDLER(interp_far_imm)
{
	uint32_t offset = in->imm & ip_mask(in->opsize);

	if (in->opcode == 0x9a)
		return mon_far_call(v, in->imm2, offset, in->opsize, ip_next(v, in));
	return mon_far_jmp(v, in->imm2, offset, in->opsize);
}

INTERP_HANDLER(interp_retf)
{
	return mon_far_ret(v, in->opsize, in->opcode == 0xca ? (uint16_t)in->imm : 0);
}

INTERP_HANDLER(interp_int)
{
	switch (in->opcode) {
	case 0xcc:
		return mon_soft_int(v, X86_VEC_BP, ip_next(v, in), true);
	case 0xcd:
		return mon_soft_int(v, (uint8_t)in->imm, ip_next(v, in), false);
	case 0xce:
		if (!(v->eflags & X86_FLAG_OF))
			return ip_done(v, in);
		return mon_soft_int(v, X86_VEC_OF, ip_next(v, in), true);
	default:
		/* F1, INT1: #DB as a trap, EIP past the instruction, with no look at the gate's DPL. Nothing else can fail. */
		v->eip = ip_next(v, in);
		return mon_fault(v, X86_VEC_DB);
	}
}

INTERP_HANDLER(interp_iret)
{
	return mon_iret(v, in->opsize);
}

INTERP_HANDLER(interp_sysenter)
{
	if (!IP_HAS(v, leaf1_edx, 11))
		return ip_ud(v);
	return in->opcode == 0x34 ? mon_sysenter(v) : mon_sysexit(v);
}
