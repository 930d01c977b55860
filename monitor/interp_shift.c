/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_shift.c - shifts and rotates, double shifts, and their BMI2 kin without flags.
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp_bare.c, against the bare processor.
 */
#include "monitor/interp.h"
#include "monitor/interp_flags.h"

FLAGS_SHIFT(op_rol, "rol")
FLAGS_SHIFT(op_ror, "ror")
FLAGS_SHIFT(op_rcl, "rcl")
FLAGS_SHIFT(op_rcr, "rcr")
FLAGS_SHIFT(op_shl, "shl")
FLAGS_SHIFT(op_shr, "shr")
FLAGS_SHIFT(op_sar, "sar")
FLAGS_VEX3(op_bextr, "bextr")

static uint32_t shift(unsigned int op, unsigned int size, uint32_t a, uint32_t count, uint32_t *eflags)
{
	switch (op) {
	case 0: return op_rol(size, a, count, eflags);
	case 1: return op_ror(size, a, count, eflags);
	case 2: return op_rcl(size, a, count, eflags);
	case 3: return op_rcr(size, a, count, eflags);
	case 5: return op_shr(size, a, count, eflags);
	case 7: return op_sar(size, a, count, eflags);
	default: return op_shl(size, a, count, eflags);	/* 4, and 6, which is SHL too */
	}
}

INTERP_HANDLER(interp_shift)
{
	unsigned int size = ip_wsize(in);
	uint32_t eflags = v->eflags, a, count;
	struct ip_rmw rmw;

	if (in->opcode < 0xd0)				/* C0 C1 */
		count = in->imm;
	else						/* D0 D1: by 1; D2 D3: by CL */
		count = in->opcode & 2 ? v->gpr[X86_ECX] : 1;
	IP_TRY(ip_rmw_begin(v, in, size, &rmw, &a));
	a = shift(in->reg, size, a, count & 0x1f, &eflags);
	IP_TRY(ip_rmw_end(v, in, size, &rmw, a));
	v->eflags = eflags;
	return ip_done(v, in);
}

#define DOUBLE_ASM(insn, mod)									\
	__asm__(FLAGS_IN insn " %%cl, %" mod "[b], %" mod "[a]" FLAGS_OUT			\
		: [a] "+&r" (a), "+&a" (fl) : [b] "r" (b), "c" (count) : "cc")

/* A 16-bit shift by 17 to 31 is undefined; what this processor does then is what native guest code sees too. */
static uint32_t shift_double(bool right, unsigned int size, uint32_t a, uint32_t b, uint32_t count, uint32_t *eflags)
{
	uint32_t fl = flags_pack(*eflags);

	if (size == 4 && right)
		DOUBLE_ASM("shrdl", "k");
	else if (size == 4)
		DOUBLE_ASM("shldl", "k");
	else if (right)
		DOUBLE_ASM("shrdw", "w");
	else
		DOUBLE_ASM("shldw", "w");
	*eflags = flags_merge(*eflags, fl);
	return a;
}

INTERP_HANDLER(interp_shiftd)
{
	unsigned int size = in->opsize;
	uint32_t eflags = v->eflags, a, count;
	struct ip_rmw rmw;

	count = in->opcode & 1 ? v->gpr[X86_ECX] : in->imm;
	IP_TRY(ip_rmw_begin(v, in, size, &rmw, &a));
	a = shift_double(in->opcode & 8, size, a, ip_reg(v, in->reg, size), count & 0x1f, &eflags);
	IP_TRY(ip_rmw_end(v, in, size, &rmw, a));
	v->eflags = eflags;
	return ip_done(v, in);
}

INTERP_HANDLER(interp_bmi_shift)
{
	bool rorx = in->map == PRESCAN_MAP_VEX_0F3A;
	unsigned int count;
	uint32_t a, result;

	if (!IP_HAS(v, leaf7_ebx, 8) && !(in->vex_pp == 0 && IP_HAS(v, leaf7_ebx, 3)))
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 4, &a));
	count = (rorx ? in->imm : v->gpr[in->vex_vvvv]) & 31;
	if (rorx)
		result = a >> count | a << (-count & 31);
	else if (in->vex_pp == 1)
		result = a << count;
	else if (in->vex_pp == 2)
		result = (uint32_t)((int32_t)a >> count);
	else if (in->vex_pp == 3)
		result = a >> count;
	else
		result = op_bextr(a, v->gpr[in->vex_vvvv], &v->eflags);
	v->gpr[in->reg] = result;
	return ip_done(v, in);
}
