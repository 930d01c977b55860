/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_decimal.c - packed and unpacked decimal: DAA DAS AAA AAS AAM AAD.
 *
 * 64-bit code has lost these, so unlike interp_alu.c this file cannot ask the processor.
 * It follows the SDM's pseudo-code; for the flags that are undefined there it follows the silicon,
 * which the tests ask in a 32-bit segment.
 *
 * Tested by: tests/unit/test_interp_bare.c, all values of AX, CF and AF.
 */
#include "monitor/interp.h"

static uint32_t result_flags(uint8_t value)
{
	uint32_t flags = 0;

	if (value == 0)
		flags |= X86_FLAG_ZF;
	if (value & 0x80)
		flags |= X86_FLAG_SF;
	if (!__builtin_parity(value))
		flags |= X86_FLAG_PF;
	return flags;
}

static void set_status(struct mon_vcpu *v, uint32_t flags)
{
	v->eflags = (v->eflags & ~(uint32_t)X86_FLAGS_STATUS) | flags;
}

INTERP_HANDLER(interp_daa)
{
	bool subtract = in->opcode == 0x2f;
	uint8_t old = (uint8_t)v->gpr[X86_EAX], al = old;
	bool old_cf = v->eflags & X86_FLAG_CF;
	uint32_t flags = 0;

	if ((old & 0x0f) > 9 || (v->eflags & X86_FLAG_AF)) {
		al = (uint8_t)(subtract ? al - 6 : al + 6);
		flags |= X86_FLAG_AF;
		/* DAS alone sees the borrow of its first step. */
		if (subtract && (old_cf || old < 6))
			flags |= X86_FLAG_CF;
	}
	if (old > 0x99 || old_cf) {
		al = (uint8_t)(subtract ? al - 0x60 : al + 0x60);
		flags |= X86_FLAG_CF;
	}
	ip_set_reg(v, X86_EAX, 1, al);
	set_status(v, flags | result_flags(al));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_aaa)
{
	bool subtract = in->opcode == 0x3f;
	uint32_t ax = v->gpr[X86_EAX] & 0xffff;
	uint32_t flags = 0;

	if ((ax & 0x0f) > 9 || (v->eflags & X86_FLAG_AF)) {
		ax = subtract ? ax - 0x106 : ax + 0x106;
		flags = X86_FLAG_AF | X86_FLAG_CF;
	}
	ax &= 0xff0f;
	ip_set_reg(v, X86_EAX, 2, ax);
	set_status(v, flags | result_flags((uint8_t)ax));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_aam)
{
	uint8_t al = (uint8_t)v->gpr[X86_EAX], base = (uint8_t)in->imm;

	if (base == 0)
		return mon_fault(v, X86_VEC_DE);
	ip_set_reg(v, X86_EAX, 2, (uint32_t)(al / base) << 8 | al % base);
	set_status(v, result_flags(al % base));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_aad)
{
	uint32_t ax = v->gpr[X86_EAX] & 0xffff;
	uint8_t al = (uint8_t)(ax + (ax >> 8) * (uint8_t)in->imm);

	ip_set_reg(v, X86_EAX, 2, al);
	set_status(v, result_flags(al));
	return ip_done(v, in);
}
