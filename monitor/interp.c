/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp.c - one guest instruction: fetch, decode, find its handler, and what a processor does around it.
 *
 *      guest code --> prescan_decode --> [tables] --> interp_*.c --> the system half
 *
 * This is not how guests run. It is for MMIO, single steps, code that changes itself, the first instructions of a
 * machine on a new host, and as the reference in differential tests. Exactness comes first; speed after it, though
 * tens of millions of instructions a second are expected.
 *
 * Asked by:  monitor/run.c, tests.
 * Asks:      prescan/, memory.c, interrupt.c.
 * Read next: interp.h, then interp_alu.c.
 */
#include "monitor/interp.h"

static const interp_fn one_byte[256] = {
	/* 00 - 3F: ADD OR ADC SBB AND SUB XOR CMP, six forms each */
	[0x00 ... 0x05] = interp_arith, [0x08 ... 0x0d] = interp_arith,
	[0x10 ... 0x15] = interp_arith, [0x18 ... 0x1d] = interp_arith,
	[0x20 ... 0x25] = interp_arith, [0x28 ... 0x2d] = interp_arith,
	[0x30 ... 0x35] = interp_arith, [0x38 ... 0x3d] = interp_arith,
	[0x06] = interp_push_sreg, [0x07] = interp_pop_sreg, [0x0e] = interp_push_sreg,
	[0x16] = interp_push_sreg, [0x17] = interp_pop_sreg,
	[0x1e] = interp_push_sreg, [0x1f] = interp_pop_sreg,
	[0x27] = interp_daa, [0x2f] = interp_daa, [0x37] = interp_aaa, [0x3f] = interp_aaa,
	/* 40 - 5F */
	[0x40 ... 0x4f] = interp_incdec,
	[0x50 ... 0x57] = interp_push_reg,
	[0x58 ... 0x5f] = interp_pop_reg,
	/* 60 - 6F */
	[0x60] = interp_pusha, [0x61] = interp_popa, [0x62] = interp_bound, [0x63] = interp_arpl,
	[0x68] = interp_push_imm, [0x69] = interp_imul, [0x6a] = interp_push_imm, [0x6b] = interp_imul,
	[0x6c ... 0x6f] = interp_string_port,
	/* 70 - 9F */
	[0x70 ... 0x7f] = interp_jcc,
	[0x80 ... 0x83] = interp_group1,
	[0x84 ... 0x85] = interp_test,
	[0x86 ... 0x87] = interp_xchg_rm,
	[0x88 ... 0x8b] = interp_mov,
	[0x8c] = interp_mov_from_sreg, [0x8d] = interp_lea, [0x8e] = interp_mov_to_sreg, [0x8f] = interp_pop_rm,
	[0x90 ... 0x97] = interp_xchg_acc,
	[0x98 ... 0x99] = interp_cbw,
	[0x9a] = interp_far_imm, [0x9b] = interp_x87,
	[0x9c] = interp_pushf, [0x9d] = interp_popf,
	[0x9e ... 0x9f] = interp_ahf,
	/* A0 - AF */
	[0xa0 ... 0xa3] = interp_mov_moffs,
	[0xa4 ... 0xa7] = interp_string,
	[0xa8 ... 0xa9] = interp_test,
	[0xaa ... 0xaf] = interp_string,
	/* B0 - CF */
	[0xb0 ... 0xbf] = interp_mov_imm,
	[0xc0 ... 0xc1] = interp_shift,
	[0xc2 ... 0xc3] = interp_ret,
	[0xc4 ... 0xc5] = interp_load_far,
	[0xc6 ... 0xc7] = interp_mov_imm,
	[0xc8] = interp_enter, [0xc9] = interp_leave,
	[0xca ... 0xcb] = interp_retf,
	[0xcc ... 0xce] = interp_int, [0xcf] = interp_iret,
	/* D0 - FF */
	[0xd0 ... 0xd3] = interp_shift,
	[0xd4] = interp_aam, [0xd5] = interp_aad, [0xd6] = interp_salc, [0xd7] = interp_xlat,
	[0xd8 ... 0xdf] = interp_x87,
	[0xe0 ... 0xe3] = interp_loop,
	[0xe4 ... 0xe5] = interp_in, [0xe6 ... 0xe7] = interp_out,
	[0xe8] = interp_call, [0xe9] = interp_jmp, [0xea] = interp_far_imm, [0xeb] = interp_jmp,
	[0xec ... 0xed] = interp_in, [0xee ... 0xef] = interp_out,
	[0xf1] = interp_int,
	[0xf4] = interp_hlt, [0xf5] = interp_flag,
	[0xf6 ... 0xf7] = interp_group3,
	[0xf8 ... 0xf9] = interp_flag, [0xfa] = interp_cli, [0xfb] = interp_sti, [0xfc ... 0xfd] = interp_flag,
	[0xfe ... 0xff] = interp_group5,
};

static const interp_fn two_byte[256] = {
	[0x00] = interp_group6, [0x01] = interp_group7,
	[0x02 ... 0x03] = interp_lar,
	[0x06] = interp_clts,
	[0x08 ... 0x09] = interp_privileged_nop,
	[0x0d] = interp_nop,				/* PREFETCH, PREFETCHW: no fault, no effect */
	[0x0e] = interp_simd,				/* FEMMS */
	[0x10 ... 0x17] = interp_simd,
	[0x18 ... 0x1f] = interp_nop,			/* prefetch hints, NOP r/m */
	[0x20] = interp_mov_cr, [0x21] = interp_mov_dr, [0x22] = interp_mov_cr, [0x23] = interp_mov_dr,
	[0x28 ... 0x2f] = interp_simd,
	[0x30] = interp_msr, [0x31] = interp_counter, [0x32] = interp_msr, [0x33] = interp_counter,
	[0x34 ... 0x35] = interp_sysenter,
	[0x40 ... 0x4f] = interp_cmov,
	[0x50 ... 0x7f] = interp_simd,
	[0x80 ... 0x8f] = interp_jcc,
	[0x90 ... 0x9f] = interp_setcc,
	[0xa0] = interp_push_sreg, [0xa1] = interp_pop_sreg, [0xa2] = interp_cpuid, [0xa3] = interp_bt,
	[0xa4 ... 0xa5] = interp_shiftd,
	[0xa8] = interp_push_sreg, [0xa9] = interp_pop_sreg, [0xab] = interp_bt,
	[0xac ... 0xad] = interp_shiftd,
	[0xae] = interp_group15, [0xaf] = interp_imul,
	[0xb0 ... 0xb1] = interp_cmpxchg,
	[0xb2] = interp_load_far, [0xb3] = interp_bt, [0xb4 ... 0xb5] = interp_load_far,
	[0xb6 ... 0xb7] = interp_movx, [0xb8] = interp_popcnt,
	[0xba ... 0xbb] = interp_bt, [0xbc ... 0xbd] = interp_bitscan, [0xbe ... 0xbf] = interp_movx,
	[0xc0 ... 0xc1] = interp_xadd, [0xc2] = interp_simd, [0xc3] = interp_movnti, [0xc4 ... 0xc6] = interp_simd,
	[0xc7] = interp_group9, [0xc8 ... 0xcf] = interp_bswap,
	[0xd0 ... 0xf6] = interp_simd, [0xf7] = interp_maskmov, [0xf8 ... 0xfe] = interp_simd,
};

static interp_fn find_0f38(uint8_t opcode)
{
	if (opcode < 0xf0)
		return interp_simd;
	if (opcode <= 0xf1)
		return interp_0f38_f0;
	return opcode == 0xf6 ? interp_adx : NULL;
}

/* VEX needs protected mode; in real and V86 mode the bytes are #UD, whatever LES and LDS would make of them. */
static interp_fn find_vex(const struct mon_vcpu *v, const struct prescan_insn *in)
{
	if (mon_real_or_v86(v))
		return NULL;
	if (in->map == PRESCAN_MAP_VEX_0F38) {
		switch (in->opcode) {
		case 0xf2: return interp_andn;
		case 0xf3: return interp_group17;
		case 0xf5: return interp_bzhi;
		case 0xf6: return interp_mulx;
		case 0xf7: return interp_bmi_shift;
		}
	}
	if (in->map == PRESCAN_MAP_VEX_0F3A && in->opcode == 0xf0)
		return interp_bmi_shift;
	return interp_vex;
}

static interp_fn find_handler(const struct mon_vcpu *v, const struct prescan_insn *in)
{
	switch (in->map) {
	case PRESCAN_MAP_1B: return one_byte[in->opcode];
	case PRESCAN_MAP_0F: return two_byte[in->opcode];
	case PRESCAN_MAP_0F38: return find_0f38(in->opcode);
	case PRESCAN_MAP_0F3A:
	case PRESCAN_MAP_3DNOW: return interp_simd;
	default: return find_vex(v, in);
	}
}

static bool repeated_string(const struct prescan_insn *in)
{
	return in->map == PRESCAN_MAP_1B && in->prefixes & (PRESCAN_PFX_REP | PRESCAN_PFX_REPNE) &&
	       ((in->opcode >= 0x6c && in->opcode <= 0x6f) || (in->opcode >= 0xa4 && in->opcode <= 0xaf));
}

enum mon_status mon_interp_insn(struct mon_vcpu *v, const struct prescan_insn *in, const uint8_t *bytes)
{
	interp_fn handler = find_handler(v, in);
	uint32_t rf = v->eflags & X86_FLAG_RF, eip = v->eip;
	uint8_t shadow = v->int_shadow;
	enum mon_status status;

	(void)bytes;
	v->nr_interpreted++;
	if (!handler)
		return ip_ud(v);
	v->int_shadow = 0;
	/* RF lasts for one instruction. Away with it before, not after: IRET and task switches load the next one's. */
	v->eflags &= ~(uint32_t)X86_FLAG_RF;
	status = handler(v, in);
	if (PLX_LIKELY(status == MON_OK)) {
		/* Between two elements of a repeated instruction RF is 1: the breakpoint at it has had its turn. */
		if (PLX_UNLIKELY(v->eip == eip) && repeated_string(in))
			v->eflags |= X86_FLAG_RF;
	} else if (status == MON_FAULT) {
		v->int_shadow = shadow;
		v->eflags |= rf;
	} else if (v->eip == eip) {
		v->eflags |= rf;		/* frozen before an x87 instruction: an interrupt may come, in a shadow too */
	}
	return status;
}

/* The instruction at CS:EIP. Its bytes are a private copy: another processor may be writing there. */
static enum mon_status fetch(struct mon_vcpu *v, uint8_t bytes[PRESCAN_INSN_MAX + 1], struct prescan_insn *in)
{
	uint32_t nbytes = 0;

	IP_TRY(mon_fetch(v, v->eip, bytes, &nbytes));
	switch (prescan_decode(bytes, nbytes, mon_code32(v) ? PRESCAN_MODE_32 : PRESCAN_MODE_16, in)) {
	case PRESCAN_OK:
		return MON_OK;
	case PRESCAN_NEED_MORE:
		return mon_fetch_fault(v, v->eip, nbytes);
	case PRESCAN_TOO_LONG:
		return ip_gp0(v);
	default:
		return ip_ud(v);
	}
}

enum mon_status mon_interp_one(struct mon_vcpu *v)
{
	uint8_t bytes[PRESCAN_INSN_MAX + 1];
	struct prescan_insn in;

	IP_TRY(fetch(v, bytes, &in));
	return mon_interp_insn(v, &in, bytes);
}

/* In DR6, the causes of #DB: a single step; breakpoints 3 to 0. */
#define DR6_BS	0x4000u
#define DR6_B	0x000fu

/*
 * Does an instruction that began with TF = 1 end in a single-step trap? Not MOV SS and POP SS, which hold it
 * back by one instruction; not INT n, INT3 and INTO, whose delivery has cleared TF and which trap in the handler's stead
 * only if TF is still set (INTO without overflow): SDM 3B, "Single-Step Exception Condition".
 */
static bool traps_after(const struct mon_vcpu *v, const struct prescan_insn *in)
{
	if (v->int_shadow & MON_SHADOW_SS)
		return false;
	if (in->map == PRESCAN_MAP_1B && in->opcode >= 0xcc && in->opcode <= 0xce)
		return v->eflags & X86_FLAG_TF;
	return true;
}

/* #DB; @hits: the breakpoints that caused it, and BS. B3 to B0 of former times are forgotten with each new breakpoint. */
static enum mon_status debug_exception(struct mon_vcpu *v, uint32_t cause)
{
	if (cause & DR6_B)
		v->dr[6] &= ~DR6_B;
	v->dr[6] |= cause;
	v->halted = 0;				/* HLT ends with its own trap */
	mon_fault(v, X86_VEC_DB);
	return mon_deliver_fault(v);
}

enum mon_status mon_step(struct mon_vcpu *v)
{
	bool tf = v->eflags & X86_FLAG_TF;
	uint8_t bytes[PRESCAN_INSN_MAX + 1];
	struct prescan_insn in;
	enum mon_status status;
	uint32_t cause, eip = v->eip;

	/* MOV SS and POP SS hold back breakpoints as they do interrupts: a hit of theirs waits for the instruction after. */
	if (!(v->int_shadow & MON_SHADOW_SS)) {
		v->debug_hits = 0;
		if (v->debug_armed & MON_DEBUG_CODE && !(v->eflags & X86_FLAG_RF)) {
			cause = mon_debug_code(v, v->seg[X86_CS].base + v->eip);
			if (cause)
				return debug_exception(v, cause);
		}
	}

	status = fetch(v, bytes, &in);
	if (status == MON_OK)
		status = mon_interp_insn(v, &in, bytes);
	if (status == MON_FAULT)
		return mon_deliver_fault(v);
	if (status != MON_OK && status != MON_HALT)
		return status;
	if (status == MON_HALT && v->eip == eip)
		return status;			/* frozen before an x87 instruction (interp_fpu.c): nothing was done */
	cause = tf && traps_after(v, &in) ? DR6_BS : 0;
	if (PLX_UNLIKELY(v->debug_hits) && !(v->int_shadow & MON_SHADOW_SS))
		cause |= v->debug_hits;
	return PLX_UNLIKELY(cause) ? debug_exception(v, cause) : status;
}
