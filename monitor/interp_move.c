/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_move.c - data from here to there: MOV and its kin, and single flags.
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp_bare.c, tests/unit/test_interp.c.
 */
#include "monitor/interp.h"

INTERP_HANDLER(interp_mov)
{
	unsigned int size = ip_wsize(in);
	uint32_t value;

	if (in->opcode & 2) {
		IP_TRY(ip_rm_load(v, in, size, &value));
		ip_set_reg(v, in->reg, size, value);
	} else {
		IP_TRY(ip_rm_store(v, in, size, ip_reg(v, in->reg, size)));
	}
	return ip_done(v, in);
}

INTERP_HANDLER(interp_mov_moffs)
{
	unsigned int size = ip_wsize(in);
	uint32_t offset = in->addrsize == 2 ? (uint32_t)in->disp & 0xffff : (uint32_t)in->disp;
	uint32_t value;

	if (in->opcode & 2) {
		IP_TRY(ip_store(v, in->seg, offset, size, v->gpr[X86_EAX]));
	} else {
		IP_TRY(ip_load(v, in->seg, offset, size, &value));
		ip_set_reg(v, X86_EAX, size, value);
	}
	return ip_done(v, in);
}

INTERP_HANDLER(interp_mov_imm)
{
	if (in->opcode >= 0xc6)
		IP_TRY(ip_rm_store(v, in, ip_wsize(in), in->imm));
	else
		ip_set_reg(v, in->opcode & 7, in->opcode & 8 ? in->opsize : 1, in->imm);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_xchg_rm)
{
	unsigned int size = ip_wsize(in);
	uint32_t value, reg = ip_reg(v, in->reg, size);
	struct ip_rmw rmw;

	IP_TRY(ip_rmw_begin(v, in, size, &rmw, &value));
	IP_TRY(ip_rmw_end(v, in, size, &rmw, reg));
	ip_set_reg(v, in->reg, size, value);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_xchg_acc)
{
	unsigned int reg = in->opcode & 7;
	uint32_t acc = v->gpr[X86_EAX];

	/* 90h comes here too: NOP and PAUSE exchange EAX with itself. */
	ip_set_reg(v, X86_EAX, in->opsize, v->gpr[reg]);
	ip_set_reg(v, reg, in->opsize, acc);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_lea)
{
	ip_set_reg(v, in->reg, in->opsize, ip_offset(v, in));
	return ip_done(v, in);
}

/* 0F B6 B7: MOVZX, BE BF: MOVSX; the lowest bit says byte or word source. */
INTERP_HANDLER(interp_movx)
{
	bool word = in->opcode & 1;
	uint32_t value;

	IP_TRY(ip_rm_load(v, in, word ? 2 : 1, &value));
	if (in->opcode & 8)
		value = word ? (uint32_t)(int16_t)value : (uint32_t)(int8_t)value;
	ip_set_reg(v, in->reg, in->opsize, value);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_movnti)
{
	if (!ip_is_mem(in))
		return ip_ud(v);
	IP_TRY(ip_rm_store(v, in, 4, v->gpr[in->reg]));
	return ip_done(v, in);
}

/* The source is read, and may fault, whether the condition holds or not. */
INTERP_HANDLER(interp_cmov)
{
	uint32_t value;

	IP_TRY(ip_rm_load(v, in, in->opsize, &value));
	if (ip_condition(v->eflags, in->opcode & 15))
		ip_set_reg(v, in->reg, in->opsize, value);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_setcc)
{
	IP_TRY(ip_rm_store(v, in, 1, ip_condition(v->eflags, in->opcode & 15)));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_cbw)
{
	uint32_t eax = v->gpr[X86_EAX];

	if (in->opcode == 0x98)				/* CBW, CWDE */
		ip_set_reg(v, X86_EAX, in->opsize,
			   in->opsize == 4 ? (uint32_t)(int16_t)eax : (uint32_t)(int8_t)eax);
	else						/* CWD, CDQ */
		ip_set_reg(v, X86_EDX, in->opsize,
			   eax >> (in->opsize * 8 - 1) & 1 ? 0xffffffffu : 0);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_xlat)
{
	uint32_t offset = v->gpr[X86_EBX] + (v->gpr[X86_EAX] & 0xff);
	uint32_t value;

	if (in->addrsize == 2)
		offset &= 0xffff;
	IP_TRY(ip_load(v, in->seg, offset, 1, &value));
	ip_set_reg(v, X86_EAX, 1, value);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_ahf)
{
	const uint32_t low = X86_FLAGS_STATUS & 0xff;

	if (in->opcode == 0x9e)
		v->eflags = (v->eflags & ~low) | (v->gpr[X86_EAX] >> 8 & low);
	else
		ip_set_reg(v, 4, 1, (v->eflags & low) | X86_FLAG_ONE);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_salc)
{
	ip_set_reg(v, X86_EAX, 1, v->eflags & X86_FLAG_CF ? 0xff : 0);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_flag)
{
	switch (in->opcode) {
	case 0xf5: v->eflags ^= X86_FLAG_CF; break;
	case 0xf8: v->eflags &= ~(uint32_t)X86_FLAG_CF; break;
	case 0xf9: v->eflags |= X86_FLAG_CF; break;
	case 0xfc: v->eflags &= ~(uint32_t)X86_FLAG_DF; break;
	default:   v->eflags |= X86_FLAG_DF; break;
	}
	return ip_done(v, in);
}

INTERP_HANDLER(interp_bound)
{
	unsigned int size = in->opsize, shift = 32 - size * 8;
	uint32_t lower, upper;
	int32_t index = (int32_t)(v->gpr[in->reg] << shift);

	if (!ip_is_mem(in))
		return ip_ud(v);
	IP_TRY(ip_load(v, in->seg, ip_offset(v, in), size, &lower));
	IP_TRY(ip_load(v, in->seg, ip_offset_plus(v, in, size), size, &upper));
	/* All three with their sign at bit 31. */
	if (index < (int32_t)(lower << shift) || index > (int32_t)(upper << shift))
		return mon_fault(v, X86_VEC_BR);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_nop)
{
	return ip_done(v, in);
}

INTERP_HANDLER(interp_ud)
{
	(void)in;
	return ip_ud(v);
}

INTERP_HANDLER(interp_cmpxchg8b)
{
	uint32_t linear, old[2], *next, chosen[2];
	bool equal;

	if (!ip_is_mem(in))
		return ip_ud(v);
	IP_TRY(ip_probe_write(v, in->seg, ip_offset(v, in), 8, &linear));
	IP_TRY(mon_read(v, linear, old, 8, MON_ACC_READ));
	equal = old[0] == v->gpr[X86_EAX] && old[1] == v->gpr[X86_EDX];
	chosen[0] = v->gpr[X86_EBX];
	chosen[1] = v->gpr[X86_ECX];
	next = equal ? chosen : old;
	IP_TRY(mon_write(v, linear, next, 8, MON_ACC_WRITE));
	if (equal) {
		v->eflags |= X86_FLAG_ZF;
	} else {
		v->gpr[X86_EAX] = old[0];
		v->gpr[X86_EDX] = old[1];
		v->eflags &= ~(uint32_t)X86_FLAG_ZF;
	}
	return ip_done(v, in);
}
