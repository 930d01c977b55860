/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_system.c - from system instructions to the system half: operands are fetched here, the
 * meaning is in segment.c, sysreg.c and cpuid.c.
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp.c.
 */
#include "monitor/interp.h"

static bool ring0(const struct mon_vcpu *v)
{
	return v->cpl == 0;
}

/* User-mode instruction prevention: SGDT SIDT SLDT SMSW STR outside ring 0. */
static bool umip_forbids(const struct mon_vcpu *v)
{
	return v->cpl > 0 && (v->cr4 & X86_CR4_UMIP);
}

/* SLDT, STR, SMSW, MOV r/m,Sreg: 16 bits to memory, the operand size (zero-extended) to a register. */
static enum mon_status store_word(struct mon_vcpu *v, const struct prescan_insn *in, uint32_t value)
{
	IP_TRY(ip_rm_store(v, in, ip_is_mem(in) ? 2 : in->opsize, value));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_mov_from_sreg)
{
	if (in->reg > X86_GS)
		return ip_ud(v);
	return store_word(v, in, v->seg[in->reg].sel);
}

INTERP_HANDLER(interp_mov_to_sreg)
{
	uint32_t sel;

	if (in->reg > X86_GS || in->reg == X86_CS)
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 2, &sel));
	IP_TRY(mon_load_seg(v, in->reg, (uint16_t)sel));
	if (in->reg == X86_SS)
		v->int_shadow = MON_SHADOW_SS;
	return ip_done(v, in);
}

/* C4 LES, C5 LDS, 0F B2 LSS, B4 LFS, B5 LGS */
INTERP_HANDLER(interp_load_far)
{
	unsigned int sreg;
	uint32_t offset;
	uint16_t sel;

	if (in->map == PRESCAN_MAP_1B)
		sreg = in->opcode == 0xc4 ? X86_ES : X86_DS;
	else
		sreg = in->opcode & 7;			/* the opcode holds the number */
	IP_TRY(ip_load_far_pointer(v, in, &sel, &offset));
	IP_TRY(mon_load_seg(v, sreg, sel));
	ip_set_reg(v, in->reg, in->opsize, offset);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_arpl)
{
	uint32_t dest, rpl = v->gpr[in->reg] & 3;
	struct ip_rmw rmw;

	if (mon_real_or_v86(v))
		return ip_ud(v);
	IP_TRY(ip_rmw_begin(v, in, 2, &rmw, &dest));
	if ((dest & 3) < rpl) {
		IP_TRY(ip_rmw_end(v, in, 2, &rmw, (dest & ~3u) | rpl));
		v->eflags |= X86_FLAG_ZF;
	} else {
		v->eflags &= ~(uint32_t)X86_FLAG_ZF;
	}
	return ip_done(v, in);
}

static void set_zf(struct mon_vcpu *v, bool zf)
{
	v->eflags = zf ? v->eflags | X86_FLAG_ZF : v->eflags & ~(uint32_t)X86_FLAG_ZF;
}

INTERP_HANDLER(interp_group6)
{
	uint32_t sel;
	bool zf;

	if (mon_real_or_v86(v) || in->reg > 5)
		return ip_ud(v);
	if (in->reg < 2) {
		if (umip_forbids(v))
			return ip_gp0(v);
		return store_word(v, in, in->reg ? v->tr.sel : v->ldtr.sel);
	}
	/* LLDT and LTR: privilege before the operand is read. */
	if (in->reg < 4 && !ring0(v))
		return ip_gp0(v);
	IP_TRY(ip_rm_load(v, in, 2, &sel));
	switch (in->reg) {
	case 2:
		IP_TRY(mon_lldt(v, (uint16_t)sel));
		break;
	case 3:
		IP_TRY(mon_ltr(v, (uint16_t)sel));
		break;
	default:
		IP_TRY(mon_ver(v, (uint16_t)sel, in->reg & 1, &zf));
		set_zf(v, zf);
		break;
	}
	return ip_done(v, in);
}

/* SGDT and SIDT: six bytes whatever the operand size; the 24-bit base of the 286 went with the 386. */
static enum mon_status store_table(struct mon_vcpu *v, const struct prescan_insn *in, const struct mon_dtr *dtr)
{
	uint32_t linear;

	if (umip_forbids(v))
		return ip_gp0(v);
	IP_TRY(ip_probe_write(v, in->seg, ip_offset_plus(v, in, 2), 4, &linear));
	IP_TRY(ip_store(v, in->seg, ip_offset(v, in), 2, dtr->limit));
	IP_TRY(mon_write(v, linear, &dtr->base, 4, MON_ACC_WRITE));
	return ip_done(v, in);
}

static enum mon_status load_table(struct mon_vcpu *v, const struct prescan_insn *in)
{
	uint32_t limit, base;

	if (!ring0(v))
		return ip_gp0(v);
	IP_TRY(ip_load(v, in->seg, ip_offset(v, in), 2, &limit));
	IP_TRY(ip_load(v, in->seg, ip_offset_plus(v, in, 2), 4, &base));
	if (in->reg == 2)
		IP_TRY(mon_lgdt(v, (uint16_t)limit, base, in->opsize));
	else
		IP_TRY(mon_lidt(v, (uint16_t)limit, base, in->opsize));
	return ip_done(v, in);
}

/* 0F 01 with a register form is a table of its own. */
static enum mon_status group7_register(struct mon_vcpu *v, const struct prescan_insn *in)
{
	uint64_t value;

	switch (in->modrm) {
	case 0xca:					/* CLAC, STAC */
	case 0xcb:
		if (!IP_HAS(v, leaf7_ebx, 20) || !ring0(v))
			return ip_ud(v);
		v->eflags = in->modrm == 0xcb ? v->eflags | X86_FLAG_AC : v->eflags & ~(uint32_t)X86_FLAG_AC;
		return ip_done(v, in);
	case 0xd0:					/* XGETBV */
		if (!(v->cr4 & X86_CR4_OSXSAVE))
			return ip_ud(v);
		if (v->gpr[X86_ECX] != 0)
			return ip_gp0(v);
		v->gpr[X86_EAX] = (uint32_t)v->xcr0;
		v->gpr[X86_EDX] = (uint32_t)(v->xcr0 >> 32);
		return ip_done(v, in);
	case 0xf9:					/* RDTSCP */
		if (!IP_HAS(v, ext1_edx, 27))
			return ip_ud(v);
		IP_TRY(mon_rdtsc(v, &value));
		v->gpr[X86_EAX] = (uint32_t)value;
		v->gpr[X86_EDX] = (uint32_t)(value >> 32);
		v->gpr[X86_ECX] = 0;			/* TSC_AUX: one processor, number 0 */
		return ip_done(v, in);
	default:					/* VMX, SVM, MONITOR, MWAIT, XSETBV: none is offered */
		return ip_ud(v);
	}
}

INTERP_HANDLER(interp_group7)
{
	uint32_t value;

	if (!ip_is_mem(in) && in->reg != 4 && in->reg != 6)
		return group7_register(v, in);
	switch (in->reg) {
	case 0:
		return store_table(v, in, &v->gdtr);
	case 1:
		return store_table(v, in, &v->idtr);
	case 2:
	case 3:
		return load_table(v, in);
	case 4:
		if (umip_forbids(v))
			return ip_gp0(v);
		return store_word(v, in, v->cr0);
	case 6:
		if (!ring0(v))
			return ip_gp0(v);
		IP_TRY(ip_rm_load(v, in, 2, &value));
		IP_TRY(mon_lmsw(v, (uint16_t)value));
		return ip_done(v, in);
	case 7:
		/* INVLPG takes a linear address; limits of the segment do not matter to it. */
		IP_TRY(mon_invlpg(v, v->seg[in->seg].base + ip_offset(v, in)));
		return ip_done(v, in);
	default:
		return ip_ud(v);
	}
}

INTERP_HANDLER(interp_lar)
{
	uint32_t sel, value = 0;
	bool zf;

	if (mon_real_or_v86(v))
		return ip_ud(v);
	IP_TRY(ip_rm_load(v, in, 2, &sel));
	if (in->opcode == 2)
		IP_TRY(mon_lar(v, (uint16_t)sel, &zf, &value));
	else
		IP_TRY(mon_lsl(v, (uint16_t)sel, &zf, &value));
	if (zf)
		ip_set_reg(v, in->reg, in->opsize, value);
	set_zf(v, zf);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_clts)
{
	IP_TRY(mon_clts(v));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_privileged_nop)
{
	if (!ring0(v))
		return ip_gp0(v);
	return ip_done(v, in);
}

/* The mod field is ignored: these always name registers. */
INTERP_HANDLER(interp_mov_cr)
{
	uint32_t value;

	if (in->opcode & 2) {
		IP_TRY(mon_write_cr(v, in->reg, v->gpr[in->modrm & 7]));
	} else {
		IP_TRY(mon_read_cr(v, in->reg, &value));
		v->gpr[in->modrm & 7] = value;
	}
	return ip_done(v, in);
}

INTERP_HANDLER(interp_mov_dr)
{
	uint32_t value;

	if (in->opcode & 2) {
		IP_TRY(mon_write_dr(v, in->reg, v->gpr[in->modrm & 7]));
	} else {
		IP_TRY(mon_read_dr(v, in->reg, &value));
		v->gpr[in->modrm & 7] = value;
	}
	return ip_done(v, in);
}

static void set_edx_eax(struct mon_vcpu *v, uint64_t value)
{
	v->gpr[X86_EAX] = (uint32_t)value;
	v->gpr[X86_EDX] = (uint32_t)(value >> 32);
}

INTERP_HANDLER(interp_msr)
{
	uint64_t value;

	if (in->opcode == 0x30) {
		value = (uint64_t)v->gpr[X86_EDX] << 32 | v->gpr[X86_EAX];
		IP_TRY(mon_wrmsr(v, v->gpr[X86_ECX], value));
	} else {
		IP_TRY(mon_rdmsr(v, v->gpr[X86_ECX], &value));
		set_edx_eax(v, value);
	}
	return ip_done(v, in);
}

INTERP_HANDLER(interp_counter)
{
	uint64_t value;

	if (in->opcode == 0x31)
		IP_TRY(mon_rdtsc(v, &value));
	else
		IP_TRY(mon_rdpmc(v, v->gpr[X86_ECX], &value));
	set_edx_eax(v, value);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_cpuid)
{
	uint32_t regs[4];

	mon_cpuid(v, v->gpr[X86_EAX], v->gpr[X86_ECX], regs);
	v->gpr[X86_EAX] = regs[0];
	v->gpr[X86_EBX] = regs[1];
	v->gpr[X86_ECX] = regs[2];
	v->gpr[X86_EDX] = regs[3];
	return ip_done(v, in);
}

/* RDRAND, RDSEED: the processor's own numbers; CF says whether it had one. */
static enum mon_status random_number(struct mon_vcpu *v, const struct prescan_insn *in, bool seed)
{
	uint32_t value;
	uint8_t ok;

	if (seed ? !IP_HAS(v, leaf7_ebx, 18) : !IP_HAS(v, leaf1_ecx, 30))
		return ip_ud(v);
	if (seed)
		__asm__ volatile("rdseed %0\n\tsetc %1" : "=r" (value), "=qm" (ok) : : "cc");
	else
		__asm__ volatile("rdrand %0\n\tsetc %1" : "=r" (value), "=qm" (ok) : : "cc");
	ip_set_reg(v, in->rm, in->opsize, ok ? value : 0);
	v->eflags = (v->eflags & ~(uint32_t)X86_FLAGS_STATUS) | (ok ? X86_FLAG_CF : 0);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_group9)
{
	if (in->reg == 1)
		return interp_cmpxchg8b(v, in);
	if (!ip_is_mem(in) && in->reg == 6)
		return random_number(v, in, false);
	if (!ip_is_mem(in) && in->reg == 7 && !(in->prefixes & PRESCAN_PFX_REP))
		return random_number(v, in, true);
	if (!ip_is_mem(in) && in->reg == 7 && IP_HAS(v, leaf7_ecx, 22)) {
		v->gpr[in->rm] = 0;			/* RDPID: TSC_AUX, as RDTSCP */
		return ip_done(v, in);
	}
	return ip_ud(v);
}

INTERP_HANDLER(interp_hlt)
{
	enum mon_status status = mon_hlt(v);

	if (status == MON_HALT)
		v->eip += in->length;
	return status;
}

INTERP_HANDLER(interp_cli)
{
	IP_TRY(mon_cli(v));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_sti)
{
	IP_TRY(mon_sti(v));
	return ip_done(v, in);
}
