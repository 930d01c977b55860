/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp.h - what the files of the interpreter share: operands in, operands out, and their handlers.
 *
 *      interp.c --(tables)--> interp_alu, _decimal, _shift, _bit, _move, _stack, _branch, _string, _port,
 *                             _system, _fpu --> native.c
 *
 * Asked by:  interp*.c only.
 * Rule:      a handler checks everything, then commits. Whatever may fault (memory, privilege, limits) comes first;
 *            registers, flags and EIP change last, and ip_done() is the last line of every handler that goes on with
 *            the next instruction. So on MON_FAULT nothing was done and nothing has to be undone.
 * Read next: interp.c, then interp_flags.h.
 */
#ifndef MONITOR_INTERP_H
#define MONITOR_INTERP_H

#include "monitor/mon.h"
#include "prescan/prescan.h"

/* One instruction's work. MON_OK: done, EIP moved. MON_FAULT: vcpu->fault, nothing else. */
typedef enum mon_status (*interp_fn)(struct mon_vcpu *v, const struct prescan_insn *in);
#define INTERP_HANDLER(name) enum mon_status name(struct mon_vcpu *v, const struct prescan_insn *in)

#define IP_TRY(call)						\
	do {							\
		enum mon_status status_ = (call);		\
		if (PLX_UNLIKELY(status_ != MON_OK))		\
			return status_;				\
	} while (0)

/* ---- EIP and faults ---- */

static inline uint32_t ip_next(const struct mon_vcpu *v, const struct prescan_insn *in)
{
	/* Not cut to 16 bits in 16-bit code: past FFFFh the next fetch meets the limit, as in hardware. */
	return v->eip + in->length;
}

static inline enum mon_status ip_done(struct mon_vcpu *v, const struct prescan_insn *in)
{
	v->eip += in->length;
	return MON_OK;
}

static inline enum mon_status ip_ud(struct mon_vcpu *v)
{
	return mon_fault(v, X86_VEC_UD);
}

static inline enum mon_status ip_gp0(struct mon_vcpu *v)
{
	return mon_fault_error(v, X86_VEC_GP, 0);
}

/* ---- registers ---- */

static inline uint32_t ip_mask(unsigned int size)
{
	return size == 4 ? 0xffffffffu : size == 2 ? 0xffffu : 0xffu;
}

/* Operand size of an instruction whose lowest opcode bit is w. */
static inline unsigned int ip_wsize(const struct prescan_insn *in)
{
	return in->opcode & 1 ? in->opsize : 1;
}

static inline uint32_t ip_reg(const struct mon_vcpu *v, unsigned int reg, unsigned int size)
{
	if (size == 4)
		return v->gpr[reg];
	if (size == 2)
		return v->gpr[reg] & 0xffff;
	return v->gpr[reg & 3] >> (reg & 4) * 2 & 0xff;		/* AH CH DH BH are 4..7 */
}

static inline void ip_set_reg(struct mon_vcpu *v, unsigned int reg, unsigned int size, uint32_t value)
{
	if (size == 4) {
		v->gpr[reg] = value;
	} else if (size == 2) {
		v->gpr[reg] = (v->gpr[reg] & 0xffff0000u) | (value & 0xffff);
	} else {
		unsigned int shift = (reg & 4) * 2;

		v->gpr[reg & 3] = (v->gpr[reg & 3] & ~(0xffu << shift)) | (value & 0xff) << shift;
	}
}

/* ---- memory operands ---- */

static inline bool ip_is_mem(const struct prescan_insn *in)
{
	return in->flags & PRESCAN_F_MEM;
}

/* The offset of the explicit memory operand, cut to the address size. */
static inline uint32_t ip_offset(const struct mon_vcpu *v, const struct prescan_insn *in)
{
	uint32_t offset = (uint32_t)in->disp;

	if (in->base != PRESCAN_NO_REG)
		offset += v->gpr[in->base];
	if (in->index != PRESCAN_NO_REG)
		offset += v->gpr[in->index] << in->scale;
	return in->addrsize == 2 ? offset & 0xffff : offset;
}

/* The second half of a pair (BOUND, far pointers, table registers): its address wraps by itself. */
static inline uint32_t ip_offset_plus(const struct mon_vcpu *v, const struct prescan_insn *in, uint32_t delta)
{
	uint32_t offset = ip_offset(v, in) + delta;

	return in->addrsize == 2 ? offset & 0xffff : offset;
}

/* An operand of 1, 2 or 4 bytes at @offset of segment @sreg, zero-extended. */
static inline enum mon_status ip_load(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, unsigned int size,
				      uint32_t *value)
{
	uint32_t buf = 0;

	IP_TRY(mon_seg_read(v, sreg, offset, &buf, size));
	*value = buf;
	return MON_OK;
}

static inline enum mon_status ip_store(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, unsigned int size,
				       uint32_t value)
{
	return mon_seg_write(v, sreg, offset, &value, size);
}

/* Would an access of @align bytes at @linear be #AC(0)? mon_seg_read() and mon_seg_write() ask by themselves. */
static inline bool ip_misaligned(const struct mon_vcpu *v, uint32_t linear, unsigned int align)
{
	return PLX_UNLIKELY(v->eflags & X86_FLAG_AC) && (v->cr0 & X86_CR0_AM) && v->cpl == 3 && (linear & (align - 1));
}

/* Check that @nbytes (1, 2, 4 or 8) could be read or written there, and say where; nothing moves. */
enum mon_status ip_probe_read(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, uint32_t nbytes,
			      uint32_t *linear);
enum mon_status ip_probe_write(struct mon_vcpu *v, unsigned int sreg, uint32_t offset, uint32_t nbytes,
			       uint32_t *linear);

/* ---- the r/m operand ---- */

static inline enum mon_status ip_rm_load(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size,
					 uint32_t *value)
{
	if (ip_is_mem(in))
		return ip_load(v, in->seg, ip_offset(v, in), size, value);
	*value = ip_reg(v, in->rm, size);
	return MON_OK;
}

static inline enum mon_status ip_rm_store(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size,
					  uint32_t value)
{
	if (ip_is_mem(in))
		return ip_store(v, in->seg, ip_offset(v, in), size, value);
	ip_set_reg(v, in->rm, size, value);
	return MON_OK;
}

/*
 * Read-modify-write. The write is asked for before the read: the page fault of such an instruction says
 * "write" even if the page was missing, and a device must not be read (reading has effects) for
 * an instruction that then cannot be finished.
 */
struct ip_rmw {
	uint32_t linear;
};

static inline enum mon_status ip_rmw_begin(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size,
					   struct ip_rmw *rmw, uint32_t *value)
{
	uint32_t buf = 0;

	if (!ip_is_mem(in)) {
		*value = ip_reg(v, in->rm, size);
		return MON_OK;
	}
	IP_TRY(ip_probe_write(v, in->seg, ip_offset(v, in), size, &rmw->linear));
	IP_TRY(mon_read(v, rmw->linear, &buf, size, MON_ACC_READ));
	*value = buf;
	return MON_OK;
}

static inline enum mon_status ip_rmw_end(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int size,
					 const struct ip_rmw *rmw, uint32_t value)
{
	if (ip_is_mem(in))
		return mon_write(v, rmw->linear, &value, size, MON_ACC_WRITE);
	ip_set_reg(v, in->rm, size, value);
	return MON_OK;
}

/* ---- the stack ---- */

/* SP is ESP or its low half, as the stack segment's B bit says; the upper half then stays. */
static inline uint32_t ip_sp_add(const struct mon_vcpu *v, uint32_t sp, uint32_t delta)
{
	if (mon_stack32(v))
		return sp + delta;
	return (sp & 0xffff0000u) | ((sp + delta) & 0xffff);
}

/* The offset in SS that a stack pointer value stands for. */
static inline uint32_t ip_sp_offset(const struct mon_vcpu *v, uint32_t sp)
{
	return mon_stack32(v) ? sp : sp & 0xffff;
}

/* Store the value and move ESP; on a fault neither. */
static inline enum mon_status ip_push(struct mon_vcpu *v, unsigned int size, uint32_t value)
{
	uint32_t sp = ip_sp_add(v, v->gpr[X86_ESP], -size);

	IP_TRY(mon_seg_write(v, X86_SS, ip_sp_offset(v, sp), &value, size));
	v->gpr[X86_ESP] = sp;
	return MON_OK;
}

/* Read the top of the stack; ESP is the caller's to move, once nothing else can fail. */
static inline enum mon_status ip_peek(struct mon_vcpu *v, unsigned int size, uint32_t *value)
{
	return ip_load(v, X86_SS, ip_sp_offset(v, v->gpr[X86_ESP]), size, value);
}

static inline void ip_drop(struct mon_vcpu *v, uint32_t nbytes)
{
	v->gpr[X86_ESP] = ip_sp_add(v, v->gpr[X86_ESP], nbytes);
}

/* ---- conditions and features ---- */

/* Condition 0..15 of Jcc, SETcc, CMOVcc: SDM 1, "EFLAGS Condition Codes". */
static inline bool ip_condition(uint32_t eflags, unsigned int cc)
{
	bool holds;

	switch (cc >> 1 & 7) {
	case 0: holds = eflags & X86_FLAG_OF; break;
	case 1: holds = eflags & X86_FLAG_CF; break;
	case 2: holds = eflags & X86_FLAG_ZF; break;
	case 3: holds = eflags & (X86_FLAG_CF | X86_FLAG_ZF); break;
	case 4: holds = eflags & X86_FLAG_SF; break;
	case 5: holds = eflags & X86_FLAG_PF; break;
	case 6: holds = !(eflags & X86_FLAG_SF) != !(eflags & X86_FLAG_OF); break;
	default: holds = (eflags & X86_FLAG_ZF) || !(eflags & X86_FLAG_SF) != !(eflags & X86_FLAG_OF); break;
	}
	return holds != (cc & 1);
}

/* A feature as the guest's CPUID shows it. Without a feature table (unit tests) all are there. */
#define IP_HAS(v, word, bit)	(!(v)->vm || !(v)->vm->features || ((v)->vm->features->word >> (bit) & 1))

/* The lowest of 66h, F3h, F2h as SIMD opcodes read them: 0 none, 1 66h, 2 F3h, 3 F2h. */
static inline unsigned int ip_simd_prefix(const struct prescan_insn *in)
{
	if (in->prefixes & PRESCAN_PFX_REP)
		return 2;
	if (in->prefixes & PRESCAN_PFX_REPNE)
		return 3;
	return in->prefixes & PRESCAN_PFX_OPSIZE ? 1 : 0;
}

/* ---- handlers, by file ---- */

/* interp_alu.c */
INTERP_HANDLER(interp_arith);		/* 00-3D without x6 x7 xE xF */
INTERP_HANDLER(interp_group1);		/* 80-83 */
INTERP_HANDLER(interp_test);		/* 84 85 A8 A9 */
INTERP_HANDLER(interp_incdec);		/* 40-4F, FE FF /0 /1 */
INTERP_HANDLER(interp_group3);		/* F6 F7 */
INTERP_HANDLER(interp_imul);		/* 69 6B 0F AF */
INTERP_HANDLER(interp_xadd);		/* 0F C0 C1 */
INTERP_HANDLER(interp_cmpxchg);		/* 0F B0 B1 */
INTERP_HANDLER(interp_adx);		/* 66/F3 0F 38 F6 */

/* interp_decimal.c */
INTERP_HANDLER(interp_daa);		/* 27 DAA, 2F DAS */
INTERP_HANDLER(interp_aaa);		/* 37 AAA, 3F AAS */
INTERP_HANDLER(interp_aam);		/* D4 */
INTERP_HANDLER(interp_aad);		/* D5 */

/* interp_shift.c */
INTERP_HANDLER(interp_shift);		/* C0 C1 D0-D3 */
INTERP_HANDLER(interp_shiftd);		/* 0F A4 A5 AC AD */
INTERP_HANDLER(interp_bmi_shift);	/* VEX 0F38 F7 SHLX SARX SHRX BEXTR, VEX 0F3A F0 RORX */

/* interp_bit.c */
INTERP_HANDLER(interp_bt);		/* 0F A3 AB B3 BB BA */
INTERP_HANDLER(interp_bitscan);		/* 0F BC BD: BSF BSR TZCNT LZCNT */
INTERP_HANDLER(interp_popcnt);		/* F3 0F B8 */
INTERP_HANDLER(interp_bswap);		/* 0F C8-CF */
INTERP_HANDLER(interp_0f38_f0);		/* MOVBE, CRC32 */
INTERP_HANDLER(interp_andn);		/* VEX 0F38 F2 */
INTERP_HANDLER(interp_group17);		/* VEX 0F38 F3: BLSR BLSMSK BLSI */
INTERP_HANDLER(interp_bzhi);		/* VEX 0F38 F5: BZHI PDEP PEXT */
INTERP_HANDLER(interp_mulx);		/* VEX 0F38 F6 */

/* interp_move.c */
INTERP_HANDLER(interp_mov);		/* 88-8B */
INTERP_HANDLER(interp_mov_moffs);	/* A0-A3 */
INTERP_HANDLER(interp_mov_imm);		/* B0-BF C6 C7 */
INTERP_HANDLER(interp_xchg_rm);		/* 86 87 */
INTERP_HANDLER(interp_xchg_acc);	/* 90-97 */
INTERP_HANDLER(interp_lea);		/* 8D */
INTERP_HANDLER(interp_movx);		/* 0F B6 B7 BE BF */
INTERP_HANDLER(interp_movnti);		/* 0F C3 */
INTERP_HANDLER(interp_cmov);		/* 0F 40-4F */
INTERP_HANDLER(interp_setcc);		/* 0F 90-9F */
INTERP_HANDLER(interp_cbw);		/* 98 99 */
INTERP_HANDLER(interp_xlat);		/* D7 */
INTERP_HANDLER(interp_ahf);		/* 9E SAHF, 9F LAHF */
INTERP_HANDLER(interp_salc);		/* D6 */
INTERP_HANDLER(interp_flag);		/* F5 CMC F8 CLC F9 STC FC CLD FD STD */
INTERP_HANDLER(interp_bound);		/* 62 */
INTERP_HANDLER(interp_nop);
INTERP_HANDLER(interp_ud);
INTERP_HANDLER(interp_cmpxchg8b);	/* 0F C7 /1 */

/* interp_stack.c */
INTERP_HANDLER(interp_push_reg);	/* 50-57 */
INTERP_HANDLER(interp_pop_reg);		/* 58-5F */
INTERP_HANDLER(interp_push_imm);	/* 68 6A */
INTERP_HANDLER(interp_push_rm);		/* FF /6 */
INTERP_HANDLER(interp_pop_rm);		/* 8F */
INTERP_HANDLER(interp_push_sreg);	/* 06 0E 16 1E, 0F A0 A8 */
INTERP_HANDLER(interp_pop_sreg);	/* 07 17 1F, 0F A1 A9 */
INTERP_HANDLER(interp_pusha);		/* 60 */
INTERP_HANDLER(interp_popa);		/* 61 */
INTERP_HANDLER(interp_pushf);		/* 9C */
INTERP_HANDLER(interp_popf);		/* 9D */
INTERP_HANDLER(interp_enter);		/* C8 */
INTERP_HANDLER(interp_leave);		/* C9 */

/* interp_branch.c */
INTERP_HANDLER(interp_jcc);		/* 70-7F, 0F 80-8F */
INTERP_HANDLER(interp_jmp);		/* E9 EB */
INTERP_HANDLER(interp_call);		/* E8 */
INTERP_HANDLER(interp_ret);		/* C2 C3 */
INTERP_HANDLER(interp_loop);		/* E0-E3 */
INTERP_HANDLER(interp_group5);		/* FE FF */
INTERP_HANDLER(interp_far_imm);		/* 9A EA */
INTERP_HANDLER(interp_retf);		/* CA CB */
INTERP_HANDLER(interp_int);		/* CC CD CE F1 */
INTERP_HANDLER(interp_iret);		/* CF */
INTERP_HANDLER(interp_sysenter);	/* 0F 34 35 */

/* interp_string.c, interp_port.c */
INTERP_HANDLER(interp_string);		/* A4-A7 AA-AF */
INTERP_HANDLER(interp_string_port);	/* 6C-6F */
INTERP_HANDLER(interp_in);		/* E4 E5 EC ED */
INTERP_HANDLER(interp_out);		/* E6 E7 EE EF */

/* interp_system.c */
INTERP_HANDLER(interp_mov_from_sreg);	/* 8C */
INTERP_HANDLER(interp_mov_to_sreg);	/* 8E */
INTERP_HANDLER(interp_load_far);	/* C4 C5, 0F B2 B4 B5 */
INTERP_HANDLER(interp_arpl);		/* 63 */
INTERP_HANDLER(interp_group6);		/* 0F 00 */
INTERP_HANDLER(interp_group7);		/* 0F 01 */
INTERP_HANDLER(interp_lar);		/* 0F 02 03 */
INTERP_HANDLER(interp_clts);		/* 0F 06 */
INTERP_HANDLER(interp_privileged_nop);	/* 0F 08 09: INVD WBINVD */
INTERP_HANDLER(interp_mov_cr);		/* 0F 20 22 */
INTERP_HANDLER(interp_mov_dr);		/* 0F 21 23 */
INTERP_HANDLER(interp_msr);		/* 0F 30 32 */
INTERP_HANDLER(interp_counter);		/* 0F 31 33: RDTSC RDPMC */
INTERP_HANDLER(interp_cpuid);		/* 0F A2 */
INTERP_HANDLER(interp_group9);		/* 0F C7 */
INTERP_HANDLER(interp_hlt);		/* F4 */
INTERP_HANDLER(interp_cli);		/* FA */
INTERP_HANDLER(interp_sti);		/* FB */

/* interp_fpu.c */
INTERP_HANDLER(interp_x87);		/* 9B D8-DF */
INTERP_HANDLER(interp_simd);		/* MMX, SSE; 0F77 */
INTERP_HANDLER(interp_group15);		/* 0F AE */
INTERP_HANDLER(interp_maskmov);		/* 0F F7 */
INTERP_HANDLER(interp_vex);		/* AVX */

/* The far pointer m16:16 or m16:32 at the memory operand. */
enum mon_status ip_load_far_pointer(struct mon_vcpu *v, const struct prescan_insn *in, uint16_t *sel, uint32_t *offset);

#endif
