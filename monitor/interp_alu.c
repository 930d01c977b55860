/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_alu.c - addition, logic, multiplication, division, and compare-and-exchange.
 *
 * Asked by:  interp.c's tables.
 * Asks:      interp_flags.h for results and flags, memory.c for operands.
 * Tested by: tests/unit/test_interp_bare.c, against the bare processor.
 */
#include "monitor/interp.h"
#include "monitor/interp_flags.h"

FLAGS_BINARY(op_add, "add")
FLAGS_BINARY(op_or, "or")
FLAGS_BINARY(op_adc, "adc")
FLAGS_BINARY(op_sbb, "sbb")
FLAGS_BINARY(op_and, "and")
FLAGS_BINARY(op_sub, "sub")
FLAGS_BINARY(op_xor, "xor")
FLAGS_BINARY(op_test, "test")
FLAGS_BINARY_WL(op_imul, "imul")
FLAGS_UNARY(op_inc, "inc")
FLAGS_UNARY(op_dec, "dec")
FLAGS_UNARY(op_neg, "neg")

enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

static uint32_t alu(unsigned int op, unsigned int size, uint32_t a, uint32_t b, uint32_t *eflags)
{
	switch (op) {
	case ALU_ADD: return op_add(size, a, b, eflags);
	case ALU_OR:  return op_or(size, a, b, eflags);
	case ALU_ADC: return op_adc(size, a, b, eflags);
	case ALU_SBB: return op_sbb(size, a, b, eflags);
	case ALU_AND: return op_and(size, a, b, eflags);
	case ALU_XOR: return op_xor(size, a, b, eflags);
	default:      return op_sub(size, a, b, eflags);	/* SUB, CMP */
	}
}

/* r/m = r/m OP @b; for CMP the result is dropped. */
static enum mon_status alu_rm(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int op, unsigned int size,
			      uint32_t b)
{
	uint32_t eflags = v->eflags, a;
	struct ip_rmw rmw;

	if (op == ALU_CMP) {
		IP_TRY(ip_rm_load(v, in, size, &a));
		op_sub(size, a, b, &eflags);
	} else {
		IP_TRY(ip_rmw_begin(v, in, size, &rmw, &a));
		a = alu(op, size, a, b, &eflags);
		IP_TRY(ip_rmw_end(v, in, size, &rmw, a));
	}
	v->eflags = eflags;
	return ip_done(v, in);
}

INTERP_HANDLER(interp_arith)
{
	unsigned int op = in->opcode >> 3 & 7;
	unsigned int size = ip_wsize(in);
	unsigned int reg;
	uint32_t b, result;

	switch (in->opcode >> 1 & 3) {
	case 0:						/* r/m, r */
		return alu_rm(v, in, op, size, ip_reg(v, in->reg, size));
	case 1:						/* r, r/m */
		reg = in->reg;
		IP_TRY(ip_rm_load(v, in, size, &b));
		break;
	default:					/* AL/eAX, imm */
		reg = X86_EAX;
		b = in->imm;
		break;
	}
	result = alu(op, size, ip_reg(v, reg, size), b, &v->eflags);
	if (op != ALU_CMP)
		ip_set_reg(v, reg, size, result);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_group1)
{
	return alu_rm(v, in, in->reg, ip_wsize(in), in->imm);
}

INTERP_HANDLER(interp_test)
{
	unsigned int size = ip_wsize(in);
	uint32_t a, b;

	if (in->opcode < 0xa8) {
		IP_TRY(ip_rm_load(v, in, size, &a));
		b = ip_reg(v, in->reg, size);
	} else {
		a = ip_reg(v, X86_EAX, size);
		b = in->imm;
	}
	op_test(size, a, b, &v->eflags);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_incdec)
{
	uint32_t eflags = v->eflags, a;
	struct ip_rmw rmw;
	unsigned int size, reg;

	if (in->opcode < 0x50) {			/* 40-4F: the register is in the opcode */
		reg = in->opcode & 7;
		a = ip_reg(v, reg, in->opsize);
		a = in->opcode & 8 ? op_dec(in->opsize, a, &v->eflags) : op_inc(in->opsize, a, &v->eflags);
		ip_set_reg(v, reg, in->opsize, a);
		return ip_done(v, in);
	}
	size = ip_wsize(in);
	IP_TRY(ip_rmw_begin(v, in, size, &rmw, &a));
	a = in->reg & 1 ? op_dec(size, a, &eflags) : op_inc(size, a, &eflags);
	IP_TRY(ip_rmw_end(v, in, size, &rmw, a));
	v->eflags = eflags;
	return ip_done(v, in);
}

/* MUL and IMUL, one operand: EDX:EAX = EAX * b, DX:AX, or AX = AL * b. */
#define WIDE_ASM(insn, suffix, mod, lo, hi, b, fl)						\
	__asm__(FLAGS_IN "mov %k[lo_], %%eax\n\t" insn suffix " %" mod "[b_]\n\tmov %%eax, %k[lo_]" FLAGS_OUT	\
		: [lo_] "+&r" (lo), "+&d" (hi), "+&a" (fl) : [b_] "q" (b) : "cc")

#define WIDE_OP(name, insn)									\
static inline void name(unsigned int size, uint32_t *lo, uint32_t *hi, uint32_t b, uint32_t *eflags)	\
{												\
	uint32_t fl = flags_pack(*eflags), l = *lo, h = *hi;					\
												\
	if (size == 4)										\
		WIDE_ASM(insn, "l", "k", l, h, b, fl);						\
	else if (size == 2)									\
		WIDE_ASM(insn, "w", "w", l, h, b, fl);						\
	else											\
		WIDE_ASM(insn, "b", "b", l, h, b, fl);						\
	*eflags = flags_merge(*eflags, fl);							\
	*lo = l;										\
	*hi = h;										\
}

WIDE_OP(op_mul, "mul")
WIDE_OP(op_imul_wide, "imul")
WIDE_OP(op_div, "div")
WIDE_OP(op_idiv, "idiv")

/* Would DIV fault? The quotient must fit: SDM 2A, "DIV". */
static bool div_overflows(unsigned int size, uint32_t lo, uint32_t hi, uint32_t b)
{
	b &= ip_mask(size);
	if (size == 1)
		return b == 0 || (lo >> 8 & 0xff) >= b;
	return b == 0 || (hi & ip_mask(size)) >= b;
}

static bool idiv_overflows(unsigned int size, uint32_t lo, uint32_t hi, uint32_t b)
{
	int64_t dividend, divisor, quotient;

	if (size == 4) {
		dividend = (int64_t)((uint64_t)hi << 32 | lo);
		divisor = (int32_t)b;
	} else if (size == 2) {
		dividend = (int32_t)(hi << 16 | (lo & 0xffff));
		divisor = (int16_t)b;
	} else {
		dividend = (int16_t)lo;
		divisor = (int8_t)b;
	}
	if (divisor == 0 || (divisor == -1 && dividend == INT64_MIN))
		return true;
	quotient = dividend / divisor;
	if (size == 4)
		return quotient != (int32_t)quotient;
	if (size == 2)
		return quotient != (int16_t)quotient;
	return quotient != (int8_t)quotient;
}

INTERP_HANDLER(interp_group3)
{
	unsigned int size = ip_wsize(in);
	uint32_t *lo = &v->gpr[X86_EAX], *hi = &v->gpr[X86_EDX];
	uint32_t eflags = v->eflags, a;
	struct ip_rmw rmw;

	switch (in->reg) {
	case 2:
	case 3:						/* NOT, NEG */
		IP_TRY(ip_rmw_begin(v, in, size, &rmw, &a));
		a = in->reg == 2 ? ~a : op_neg(size, a, &eflags);
		IP_TRY(ip_rmw_end(v, in, size, &rmw, a));
		v->eflags = eflags;
		return ip_done(v, in);
	}

	IP_TRY(ip_rm_load(v, in, size, &a));
	switch (in->reg) {
	case 4:
		op_mul(size, lo, hi, a, &v->eflags);
		break;
	case 5:
		op_imul_wide(size, lo, hi, a, &v->eflags);
		break;
	case 6:
		if (div_overflows(size, *lo, *hi, a))
			return mon_fault(v, X86_VEC_DE);
		op_div(size, lo, hi, a, &v->eflags);
		break;
	case 7:
		if (idiv_overflows(size, *lo, *hi, a))
			return mon_fault(v, X86_VEC_DE);
		op_idiv(size, lo, hi, a, &v->eflags);
		break;
	default:					/* /0 TEST, and /1, which is TEST too */
		op_test(size, a, in->imm, &v->eflags);
		break;
	}
	return ip_done(v, in);
}

INTERP_HANDLER(interp_imul)
{
	uint32_t a, b;

	IP_TRY(ip_rm_load(v, in, in->opsize, &b));
	a = in->map == PRESCAN_MAP_0F ? v->gpr[in->reg] : in->imm;
	ip_set_reg(v, in->reg, in->opsize, op_imul(in->opsize, a, b, &v->eflags));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_xadd)
{
	unsigned int size = ip_wsize(in);
	uint32_t eflags = v->eflags, old, sum;
	struct ip_rmw rmw;

	IP_TRY(ip_rmw_begin(v, in, size, &rmw, &old));
	sum = op_add(size, old, ip_reg(v, in->reg, size), &eflags);
	/* XADD r,r with twice the same register leaves the sum: the destination is written last. */
	if (!ip_is_mem(in))
		ip_set_reg(v, in->reg, size, old);
	IP_TRY(ip_rmw_end(v, in, size, &rmw, sum));
	if (ip_is_mem(in))
		ip_set_reg(v, in->reg, size, old);
	v->eflags = eflags;
	return ip_done(v, in);
}

INTERP_HANDLER(interp_cmpxchg)
{
	unsigned int size = ip_wsize(in);
	uint32_t eflags = v->eflags, old;
	struct ip_rmw rmw;
	bool equal;

	IP_TRY(ip_rmw_begin(v, in, size, &rmw, &old));
	op_sub(size, ip_reg(v, X86_EAX, size), old, &eflags);
	equal = eflags & X86_FLAG_ZF;
	/* The destination is written either way (SDM 2A, "CMPXCHG": "to simplify the interface to the bus"). */
	if (equal || ip_is_mem(in))
		IP_TRY(ip_rmw_end(v, in, size, &rmw, equal ? ip_reg(v, in->reg, size) : old));
	if (!equal)
		ip_set_reg(v, X86_EAX, size, old);
	v->eflags = eflags;
	return ip_done(v, in);
}

/* ADCX and ADOX: add with CF, or with OF, as the only flag read and written. */
INTERP_HANDLER(interp_adx)
{
	uint32_t flag = in->prefixes & PRESCAN_PFX_REP ? X86_FLAG_OF : X86_FLAG_CF;
	uint64_t sum;
	uint32_t b;

	if (!IP_HAS(v, leaf7_ebx, 19))
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 4, &b));
	sum = (uint64_t)v->gpr[in->reg] + b + !!(v->eflags & flag);
	v->gpr[in->reg] = (uint32_t)sum;
	v->eflags = sum >> 32 ? v->eflags | flag : v->eflags & ~flag;
	return ip_done(v, in);
}
