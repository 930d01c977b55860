/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/far.c - control transfers that change CS: far JMP, CALL and RET, IRET, SYSENTER, SYSEXIT.
 *
 *      interpreter, nexus handlers --> [far] --> segment.c stack.c task.c
 *
 * Asked by:  whoever carries out these instructions; EIP still points at them.
 * Asks:      segment.c for descriptors, stack.c for frames, task.c when the target is a task.
 * Source:    SDM 2A, the pages of CALL, JMP, RET, IRET; SDM 3A, "Privilege Levels", "Call Gates".
 * Tested by: tests/unit/test_far.c.
 * Read next: monitor/interrupt.c.
 *
 * Each routine has one shape: read, check, mark accessed bits, push (the last thing that can fault),
 * then commit registers. After the push nothing fails.
 */
#include "monitor/system.h"
#include "prescan/prescan.h"

static enum mon_status gp(struct mon_vcpu *vcpu, uint16_t sel)
{
	return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
}

uint32_t sys_next_eip(struct mon_vcpu *vcpu)
{
	enum prescan_mode mode = mon_code32(vcpu) ? PRESCAN_MODE_32 : PRESCAN_MODE_16;
	struct prescan_insn insn;
	uint8_t bytes[PRESCAN_INSN_MAX];
	uint32_t nbytes;

	if (mon_fetch(vcpu, vcpu->eip, bytes, &nbytes) ||
	    prescan_decode(bytes, nbytes, mode, &insn) != PRESCAN_OK)
		return vcpu->eip;	/* it was decoded a moment ago, so this is the guest's own race */
	return vcpu->eip + insn.length;
}

/* ---- real mode and V86 -------------------------------------------------------------------------- */

static enum mon_status check_real_eip(struct mon_vcpu *vcpu, uint32_t eip)
{
	uint32_t limit = mon_v86(vcpu) ? 0xffff : vcpu->seg[X86_CS].limit;

	return eip > limit ? gp(vcpu, 0) : MON_OK;
}

static void commit_real(struct mon_vcpu *vcpu, uint16_t sel, uint32_t eip)
{
	mon_seg_real(vcpu, X86_CS, sel);
	vcpu->eip = eip;
}

/* ---- JMP and CALL ----------------------------------------------------------------------------------- */

/* Code segment named by the instruction itself: no change of privilege. */
static enum mon_status check_direct(struct mon_vcpu *vcpu, uint16_t sel, uint32_t desc[2])
{
	unsigned int dpl = sys_desc_dpl(desc);

	if (sys_desc_conforming(desc) ? dpl > vcpu->cpl : (sel & 3u) > vcpu->cpl || dpl != vcpu->cpl)
		return gp(vcpu, sel);
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	return MON_OK;
}

/* The code segment behind a call gate, read and checked. Nonconforming code of a lower DPL means an inner ring, if
 * @call; a JMP may not go there. */
static enum mon_status check_gate_code(struct mon_vcpu *vcpu, uint16_t sel, bool call, uint32_t desc[2])
{
	unsigned int dpl;
	enum mon_status st;

	if (sys_sel_null(sel))
		return gp(vcpu, 0);
	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	dpl = sys_desc_dpl(desc);
	if (!sys_desc_code(desc) || dpl > vcpu->cpl)
		return gp(vcpu, sel);
	if (!call && !sys_desc_conforming(desc) && dpl != vcpu->cpl)
		return gp(vcpu, sel);
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	return MON_OK;
}

/* CALL through a gate to a more privileged ring: new stack, the old one and the parameters copied to it. */
static enum mon_status call_inner(struct mon_vcpu *vcpu, const uint32_t gate[2], uint16_t sel, uint32_t eip,
				  const uint32_t desc[2], uint32_t next)
{
	unsigned int size = sys_desc_type(gate) == SYS_CALL32 ? 4 : 2;
	unsigned int nr_params = gate[1] & 31;
	unsigned int cpl = sys_desc_dpl(desc);
	uint32_t frame[SYS_FRAME_MAX], param[32];
	unsigned int nr = 0;
	struct mon_seg ss;
	uint32_t esp;
	enum mon_status st;

	st = sys_inner_stack(vcpu, cpl, &ss, &esp);
	if (st)
		return st;
	if (eip > sys_desc_limit(desc))
		return gp(vcpu, 0);

	frame[nr++] = vcpu->seg[X86_SS].sel;
	frame[nr++] = vcpu->gpr[X86_ESP];
	if (nr_params) {
		st = sys_peek_frame(vcpu, 0, param, nr_params, size);
		if (st)
			return st;
		/* The order on the new stack is that of the old: highest address first. */
		for (unsigned int i = nr_params; i > 0; i--)
			frame[nr++] = param[i - 1];
	}
	frame[nr++] = vcpu->seg[X86_CS].sel;
	frame[nr++] = next;
	st = sys_push_frame(vcpu, &ss, &esp, frame, nr, size, MON_ACC_SYSTEM, sys_sel_error(ss.sel));
	if (st)
		return st;

	vcpu->seg[X86_SS] = ss;
	sys_seg_changed(vcpu, X86_SS);
	vcpu->gpr[X86_ESP] = esp;
	sys_commit_cs(vcpu, sel, desc, cpl);
	vcpu->eip = eip;
	return MON_OK;
}

/* Push CS:EIP on the current stack (for @call), then go. Same ring. */
static enum mon_status go_same(struct mon_vcpu *vcpu, uint16_t sel, uint32_t desc[2], uint32_t eip, bool call,
			       unsigned int size, uint32_t next)
{
	enum mon_status st;

	if (eip > sys_desc_limit(desc))
		return gp(vcpu, 0);
	st = sys_mark_accessed(vcpu, sel, desc);
	if (st)
		return st;
	if (call) {
		uint32_t frame[2] = { vcpu->seg[X86_CS].sel, next };
		uint32_t esp = vcpu->gpr[X86_ESP];

		st = sys_push_frame(vcpu, &vcpu->seg[X86_SS], &esp, frame, 2, size, 0, 0);
		if (st)
			return st;
		vcpu->gpr[X86_ESP] = esp;
	}
	sys_commit_cs(vcpu, sel, desc, vcpu->cpl);
	vcpu->eip = eip;
	return MON_OK;
}

static enum mon_status through_call_gate(struct mon_vcpu *vcpu, const uint32_t gate[2], bool call, uint32_t next)
{
	bool wide = sys_desc_type(gate) == SYS_CALL32;
	uint16_t sel = (uint16_t)(gate[0] >> 16);
	uint32_t eip = (gate[0] & 0xffff) | (wide ? gate[1] & 0xffff0000 : 0);
	uint32_t desc[2];
	enum mon_status st;

	st = check_gate_code(vcpu, sel, call, desc);
	if (st)
		return st;
	if (call && !sys_desc_conforming(desc) && sys_desc_dpl(desc) < vcpu->cpl) {
		st = sys_mark_accessed(vcpu, sel, desc);
		return st ? st : call_inner(vcpu, gate, sel, eip, desc, next);
	}
	return go_same(vcpu, sel, desc, eip, call, wide ? 4 : 2, next);
}

/* The selector of a JMP or CALL names no code segment: a gate or a task, or a mistake. */
static enum mon_status through_system(struct mon_vcpu *vcpu, uint16_t sel, const uint32_t desc[2], bool call,
				      uint32_t next)
{
	enum mon_task_cause cause = call ? MON_TASK_CALL : MON_TASK_JMP;
	unsigned int type = sys_desc_type(desc);
	uint16_t tss_sel;

	if (sys_desc_s(desc) || (type != SYS_TSS16 && type != SYS_TSS32 && type != SYS_TASK_GATE &&
				 type != SYS_CALL16 && type != SYS_CALL32))
		return gp(vcpu, sel);
	if (sys_desc_dpl(desc) < vcpu->cpl || sys_desc_dpl(desc) < (sel & 3u))
		return gp(vcpu, sel);
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	if (type == SYS_CALL16 || type == SYS_CALL32)
		return through_call_gate(vcpu, desc, call, next);

	tss_sel = type == SYS_TASK_GATE ? (uint16_t)(desc[0] >> 16) : sel;
	return mon_task_switch(vcpu, tss_sel, cause, call ? next : sys_next_eip(vcpu), false, 0);
}

static enum mon_status far_transfer(struct mon_vcpu *vcpu, uint16_t sel, uint32_t offset, unsigned int opsize, bool call,
				    uint32_t next)
{
	uint32_t desc[2];
	enum mon_status st;

	if (opsize == 2)
		offset &= 0xffff;
	if (mon_real_or_v86(vcpu)) {
		st = check_real_eip(vcpu, offset);
		if (st)
			return st;
		if (call) {
			uint32_t frame[2] = { vcpu->seg[X86_CS].sel, next };

			st = sys_push_frame(vcpu, &vcpu->seg[X86_SS], &vcpu->gpr[X86_ESP], frame, 2, opsize, 0, 0);
			if (st)
				return st;
		}
		commit_real(vcpu, sel, offset);
		return MON_OK;
	}

	if (sys_sel_null(sel))
		return gp(vcpu, 0);
	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	if (!sys_desc_code(desc))
		return through_system(vcpu, sel, desc, call, next);
	st = check_direct(vcpu, sel, desc);
	if (st)
		return st;
	return go_same(vcpu, sel, desc, offset, call, opsize, next);
}

enum mon_status mon_far_jmp(struct mon_vcpu *vcpu, uint16_t sel, uint32_t offset, unsigned int opsize)
{
	return far_transfer(vcpu, sel, offset, opsize, false, 0);
}

enum mon_status mon_far_call(struct mon_vcpu *vcpu, uint16_t sel, uint32_t offset, unsigned int opsize, uint32_t next)
{
	return far_transfer(vcpu, sel, offset, opsize, true, next);
}

/* ---- RET and IRET -------------------------------------------------------------------------------------- */

/* CS as a return pops it: the same ring or an outer one. */
static enum mon_status check_return_cs(struct mon_vcpu *vcpu, uint16_t sel, uint32_t eip, uint32_t desc[2])
{
	unsigned int rpl = sel & 3;
	unsigned int dpl;
	enum mon_status st;

	if (sys_sel_null(sel))
		return gp(vcpu, 0);
	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	dpl = sys_desc_dpl(desc);
	if (!sys_desc_code(desc) || rpl < vcpu->cpl)
		return gp(vcpu, sel);
	if (sys_desc_conforming(desc) ? dpl > rpl : dpl != rpl)
		return gp(vcpu, sel);
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	if (eip > sys_desc_limit(desc))
		return gp(vcpu, 0);
	return sys_mark_accessed(vcpu, sel, desc);
}

/* Data segments that the outer ring may not use are taken from it, lest it inherit the inner one's. */
static void drop_inner_segments(struct mon_vcpu *vcpu)
{
	static const uint8_t data_regs[] = { X86_ES, X86_DS, X86_FS, X86_GS };

	for (unsigned int i = 0; i < sizeof(data_regs); i++) {
		const struct mon_seg *seg = &vcpu->seg[data_regs[i]];
		bool conforming = (seg->attr & (MON_SEG_CODE | MON_SEG_CONFORMING)) ==
				  (MON_SEG_CODE | MON_SEG_CONFORMING);

		if (seg->attr & MON_SEG_NULL || conforming)
			continue;
		if ((seg->attr & MON_SEG_DPL) >> MON_SEG_DPL_SHIFT < vcpu->cpl)
			sys_seg_null(vcpu, data_regs[i], 0);
	}
}

/* The last step of a return to an outer ring; all was checked. @pop is RET's own operand, for the outer stack too. */
static void commit_outer(struct mon_vcpu *vcpu, uint16_t cs, const uint32_t cs_desc[2], uint32_t eip, uint16_t ss,
			 const uint32_t ss_desc[2], uint32_t esp, uint32_t pop)
{
	sys_commit_seg(vcpu, X86_SS, ss, ss_desc);
	/* With B = 0 only SP is loaded: the upper half of the inner ESP shows through, as on silicon. */
	if (vcpu->seg[X86_SS].attr & MON_SEG_DB)
		vcpu->gpr[X86_ESP] = esp + pop;
	else
		vcpu->gpr[X86_ESP] = (vcpu->gpr[X86_ESP] & 0xffff0000) | ((esp + pop) & 0xffff);
	sys_commit_cs(vcpu, cs, cs_desc, cs & 3);
	vcpu->eip = eip;
	drop_inner_segments(vcpu);
}

enum mon_status mon_far_ret(struct mon_vcpu *vcpu, unsigned int opsize, uint16_t pop_bytes)
{
	uint32_t frame[2], outer[2], desc[2], ss_desc[2];
	uint32_t popped = 2 * opsize + pop_bytes;
	uint16_t cs;
	enum mon_status st;

	st = sys_peek_frame(vcpu, 0, frame, 2, opsize);
	if (st)
		return st;
	cs = (uint16_t)frame[1];

	if (mon_real_or_v86(vcpu)) {
		st = check_real_eip(vcpu, frame[0]);
		if (st)
			return st;
		vcpu->gpr[X86_ESP] = sys_stack_move(&vcpu->seg[X86_SS], vcpu->gpr[X86_ESP], popped);
		commit_real(vcpu, cs, frame[0]);
		return MON_OK;
	}

	st = check_return_cs(vcpu, cs, frame[0], desc);
	if (st)
		return st;
	if ((cs & 3) == vcpu->cpl) {
		vcpu->gpr[X86_ESP] = sys_stack_move(&vcpu->seg[X86_SS], vcpu->gpr[X86_ESP], popped);
		sys_commit_cs(vcpu, cs, desc, vcpu->cpl);
		vcpu->eip = frame[0];
		return MON_OK;
	}

	st = sys_peek_frame(vcpu, popped, outer, 2, opsize);
	if (st)
		return st;
	st = sys_check_ss(vcpu, (uint16_t)outer[1], cs & 3, X86_VEC_GP, ss_desc);
	if (st)
		return st;
	commit_outer(vcpu, cs, desc, frame[0], (uint16_t)outer[1], ss_desc, outer[0], pop_bytes);
	return MON_OK;
}

/* EFLAGS after IRET popped @image, by the CPL and IOPL that ran it. VM, VIF and VIP stay. */
static uint32_t iret_flags(const struct mon_vcpu *vcpu, uint32_t image, unsigned int opsize)
{
	uint32_t mask = SYS_FLAGS_WRITABLE;

	if (vcpu->cpl)
		mask &= ~X86_FLAG_IOPL;
	if (vcpu->cpl > mon_iopl(vcpu))
		mask &= ~X86_FLAG_IF;
	if (opsize == 2)
		mask &= 0xffff;
	return (vcpu->eflags & ~mask) | (image & mask);
}

static enum mon_status iret_real(struct mon_vcpu *vcpu, unsigned int opsize)
{
	uint32_t frame[3];
	enum mon_status st;

	if (mon_v86(vcpu) && mon_iopl(vcpu) != 3)
		return gp(vcpu, 0);
	st = sys_peek_frame(vcpu, 0, frame, 3, opsize);
	if (st)
		return st;
	st = check_real_eip(vcpu, frame[0]);
	if (st)
		return st;
	vcpu->gpr[X86_ESP] = sys_stack_move(&vcpu->seg[X86_SS], vcpu->gpr[X86_ESP], 3 * opsize);
	sys_set_eflags(vcpu, iret_flags(vcpu, frame[2], opsize));
	commit_real(vcpu, (uint16_t)frame[1], frame[0]);
	return MON_OK;
}

/* CPL 0 and VM in the image: the frame holds all six segment registers. */
static enum mon_status iret_to_v86(struct mon_vcpu *vcpu)
{
	static const uint8_t order[] = { X86_ES, X86_DS, X86_FS, X86_GS };
	uint32_t f[9];		/* EIP CS EFLAGS ESP SS ES DS FS GS */
	enum mon_status st;

	st = sys_peek_frame(vcpu, 0, f, 9, 4);
	if (st)
		return st;
	if (f[0] > 0xffff)
		return gp(vcpu, 0);

	sys_set_eflags(vcpu, (f[2] & SYS_FLAGS_WRITABLE) | X86_FLAG_VM);	/* first: mon_seg_real looks at VM */
	sys_set_cpl(vcpu, 3);
	mon_seg_real(vcpu, X86_CS, (uint16_t)f[1]);
	mon_seg_real(vcpu, X86_SS, (uint16_t)f[4]);
	for (unsigned int i = 0; i < sizeof(order); i++)
		mon_seg_real(vcpu, order[i], (uint16_t)f[5 + i]);
	vcpu->gpr[X86_ESP] = f[3];
	vcpu->eip = f[0];
	sys_mode_changed(vcpu);
	return MON_OK;
}

/* NT is set: the return is to the task that the current TSS names. */
static enum mon_status iret_task(struct mon_vcpu *vcpu)
{
	uint16_t back;
	enum mon_status st;

	st = mon_read(vcpu, vcpu->tr.base, &back, 2, MON_ACC_READ | MON_ACC_SYSTEM);
	if (st)
		return st;
	return mon_task_switch(vcpu, back, MON_TASK_IRET, sys_next_eip(vcpu), false, 0);
}

static enum mon_status iret_protected(struct mon_vcpu *vcpu, unsigned int opsize)
{
	uint32_t frame[3], outer[2], desc[2], ss_desc[2], flags;
	uint16_t cs;
	enum mon_status st;

	st = sys_peek_frame(vcpu, 0, frame, 3, opsize);
	if (st)
		return st;
	if (opsize == 4 && frame[2] & X86_FLAG_VM && vcpu->cpl == 0)
		return iret_to_v86(vcpu);

	cs = (uint16_t)frame[1];
	st = check_return_cs(vcpu, cs, frame[0], desc);
	if (st)
		return st;
	flags = iret_flags(vcpu, frame[2], opsize);
	if ((cs & 3) == vcpu->cpl) {
		vcpu->gpr[X86_ESP] = sys_stack_move(&vcpu->seg[X86_SS], vcpu->gpr[X86_ESP], 3 * opsize);
		sys_commit_cs(vcpu, cs, desc, vcpu->cpl);
		vcpu->eip = frame[0];
	} else {
		st = sys_peek_frame(vcpu, 3 * opsize, outer, 2, opsize);
		if (st)
			return st;
		st = sys_check_ss(vcpu, (uint16_t)outer[1], cs & 3, X86_VEC_GP, ss_desc);
		if (st)
			return st;
		commit_outer(vcpu, cs, desc, frame[0], (uint16_t)outer[1], ss_desc, outer[0], 0);
	}
	sys_set_eflags(vcpu, flags);
	return MON_OK;
}

enum mon_status mon_iret(struct mon_vcpu *vcpu, unsigned int opsize)
{
	enum mon_status st;

	if (mon_real_or_v86(vcpu))
		st = iret_real(vcpu, opsize);
	else if (vcpu->eflags & X86_FLAG_NT)
		st = iret_task(vcpu);
	else
		st = iret_protected(vcpu, opsize);
	if (!st)
		vcpu->nmi_blocked = 0;
	return st;
}

/* ---- SYSENTER and SYSEXIT ---------------------------------------------------------------------------------- */

/* Flat segments of fixed contents: the descriptors are not read. */
static void commit_flat(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel, unsigned int dpl)
{
	vcpu->seg[sreg] = (struct mon_seg){
		.sel = (uint16_t)((sel & ~3u) | dpl),
		.attr = MON_SEG_G | MON_SEG_DB | MON_SEG_P | dpl << MON_SEG_DPL_SHIFT | MON_SEG_S |
			(sreg == X86_CS ? MON_SEG_CODE : 0) | MON_SEG_WRITABLE | MON_SEG_ACCESSED,
		.limit = ~0u,
	};
	sys_seg_changed(vcpu, sreg);
}

enum mon_status mon_sysenter(struct mon_vcpu *vcpu)
{
	uint16_t cs = (uint16_t)vcpu->sysenter_cs;

	if (!mon_protected(vcpu) || sys_sel_null(cs))
		return gp(vcpu, 0);
	sys_set_eflags(vcpu, vcpu->eflags & ~(X86_FLAG_VM | X86_FLAG_IF | X86_FLAG_RF));
	commit_flat(vcpu, X86_CS, cs, 0);
	commit_flat(vcpu, X86_SS, (uint16_t)(cs + 8), 0);
	vcpu->cpl = 0;
	vcpu->gpr[X86_ESP] = vcpu->sysenter_esp;
	vcpu->eip = vcpu->sysenter_eip;
	sys_mode_changed(vcpu);
	return MON_OK;
}

enum mon_status mon_sysexit(struct mon_vcpu *vcpu)
{
	uint16_t cs = (uint16_t)vcpu->sysenter_cs;

	if (!mon_protected(vcpu) || sys_sel_null(cs) || vcpu->cpl)
		return gp(vcpu, 0);
	commit_flat(vcpu, X86_CS, (uint16_t)(cs + 16), 3);
	commit_flat(vcpu, X86_SS, (uint16_t)(cs + 24), 3);
	vcpu->cpl = 3;
	vcpu->gpr[X86_ESP] = vcpu->gpr[X86_ECX];
	vcpu->eip = vcpu->gpr[X86_EDX];
	sys_mode_changed(vcpu);
	return MON_OK;
}
