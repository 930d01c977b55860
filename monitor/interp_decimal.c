/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_decimal.c - packed and unpacked decimal: DAA DAS AAA AAS AAM AAD.
 *
 * 64-bit code has lost these, so unlike interp_alu.c this file cannot ask the processor for the whole. It follows the
 * SDM's pseudo-code, with the one addition or subtraction in the middle left to the processor: its flags turn out
 * to be just those that the SDM leaves undefined (asked in a 32-bit segment, where these instructions still exist).
 *
 * Tested by: tests/unit/test_interp_bare.c, all values of AX, CF and AF.
 */
#include "monitor/interp.h"
#include "monitor/interp_flags.h"

FLAGS_BINARY(op_add, "add")
FLAGS_BINARY(op_sub, "sub")

/* CF and AF say whether an adjustment was made; the other flags are those of the one addition that made it. */
static void adjusted(struct mon_vcpu *v, uint32_t eflags, bool cf, bool af)
{
	eflags &= ~(uint32_t)(X86_FLAG_CF | X86_FLAG_AF);
	v->eflags = eflags | (cf ? X86_FLAG_CF : 0) | (af ? X86_FLAG_AF : 0);
}

INTERP_HANDLER(interp_daa)
{
	bool subtract = in->opcode == 0x2f, cf = false, af = false;
	uint32_t eflags = v->eflags, by = 0;
	uint8_t al = (uint8_t)v->gpr[X86_EAX];

	if ((al & 0x0f) > 9 || (eflags & X86_FLAG_AF)) {
		by = 0x06;
		af = true;
		/* DAS alone sees the borrow of its first step. */
		cf = subtract && al < 6;
	}
	if (al > 0x99 || (eflags & X86_FLAG_CF)) {
		by += 0x60;
		cf = true;
	}
	ip_set_reg(v, X86_EAX, 1, subtract ? op_sub(1, al, by, &eflags) : op_add(1, al, by, &eflags));
	adjusted(v, eflags, cf, af);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_aaa)
{
	uint32_t eflags = v->eflags, ax = v->gpr[X86_EAX] & 0xffff;
	bool adjust = (ax & 0x0f) > 9 || (eflags & X86_FLAG_AF);
	uint32_t by = adjust ? 0x106 : 0;

	ax = in->opcode == 0x3f ? op_sub(2, ax, by, &eflags) : op_add(2, ax, by, &eflags);
	ip_set_reg(v, X86_EAX, 2, ax & 0xff0f);
	adjusted(v, eflags, adjust, adjust);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_aam)
{
	uint8_t al = (uint8_t)v->gpr[X86_EAX], base = (uint8_t)in->imm;

	if (base == 0)
		return mon_fault(v, X86_VEC_DE);
	ip_set_reg(v, X86_EAX, 2, (uint32_t)(al / base) << 8 | al % base);
	op_add(1, al % base, 0, &v->eflags);		/* SF ZF PF of AL, the others 0 */
	return ip_done(v, in);
}

INTERP_HANDLER(interp_aad)
{
	uint32_t ax = v->gpr[X86_EAX] & 0xffff;

	ip_set_reg(v, X86_EAX, 2, op_add(1, ax, (ax >> 8) * (uint8_t)in->imm, &v->eflags) & 0xff);
	return ip_done(v, in);
}
