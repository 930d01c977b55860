/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interrupt.c - interrupts and exceptions: from a vector to the first instruction of its handler.
 *
 *      interpreter (INT n) -----\
 *      engine (faults, INTR) ---> [interrupt] --> stack.c segment.c task.c
 *
 * Asked by:  the interpreter and nexus for INT n, INT3, INTO; the engine for faults and hardware interrupts.
 * Source:    SDM 2A, INT n; SDM 3A, "Interrupt and Exception Handling", "Double Fault Exception".
 * Tested by: tests/unit/test_interrupt.c.
 * Read next: monitor/task.c.
 *
 * enter() does one delivery, all or nothing. What goes wrong on the way is itself a fault: for INT n it
 * is returned to the caller, who delivers it like any other; for exceptions and hardware interrupts
 * mon_deliver_fault() goes round again, by the rules of the double fault.
 */
#include "monitor/system.h"

#define ERROR_EXT	1u	/* the event came from outside the running code */
#define ERROR_IDT	2u	/* the index is one of the IDT */
#define DR7_GD		0x2000u

/* One event on its way. */
struct event {
	uint8_t vector;
	bool soft;		/* INT n, INT3, INTO: gate DPL is checked, EXT is clear */
	bool has_error;
	uint16_t error;
	uint32_t eip;		/* what the handler will return to */
	uint32_t eflags;	/* the image pushed */
};

static uint16_t ext(const struct event *e) { return e->soft ? 0 : ERROR_EXT; }

static enum mon_status idt_fault(struct mon_vcpu *vcpu, const struct event *e, uint8_t vector)
{
	return mon_fault_error(vcpu, vector, (uint16_t)(e->vector * 8 | ERROR_IDT | ext(e)));
}

/* ---- real mode ----------------------------------------------------------------------------------- */

static enum mon_status enter_real(struct mon_vcpu *vcpu, const struct event *e)
{
	uint32_t frame[3] = { e->eflags, vcpu->seg[X86_CS].sel, e->eip };
	uint16_t entry[2];	/* offset, segment */
	enum mon_status st;

	if (e->vector * 4u + 3 > vcpu->idtr.limit)
		return idt_fault(vcpu, e, X86_VEC_GP);
	st = mon_read(vcpu, vcpu->idtr.base + e->vector * 4u, entry, 4, MON_ACC_READ | MON_ACC_SYSTEM);
	if (st)
		return st;
	if (entry[0] > vcpu->seg[X86_CS].limit)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	st = sys_push_frame(vcpu, &vcpu->seg[X86_SS], &vcpu->gpr[X86_ESP], frame, 3, 2, SYS_ACC_UNALIGNED, 0);
	if (st)
		return st;
	sys_set_eflags(vcpu, vcpu->eflags & ~(X86_FLAG_IF | X86_FLAG_TF | X86_FLAG_AC | X86_FLAG_RF));
	mon_seg_real(vcpu, X86_CS, entry[1]);
	vcpu->eip = entry[0];
	return MON_OK;
}

/* ---- protected mode and V86 ------------------------------------------------------------------------- */

static enum mon_status enter_task(struct mon_vcpu *vcpu, const struct event *e, const uint32_t gate[2])
{
	/* What is saved of the old task is the pushed image, RF included. */
	sys_set_eflags(vcpu, e->eflags);
	return mon_task_switch(vcpu, (uint16_t)(gate[0] >> 16), MON_TASK_GATE, e->eip, e->has_error, e->error);
}

/* The handler's code segment. *inner: it runs in a more privileged ring than the code it interrupts. */
static enum mon_status check_handler(struct mon_vcpu *vcpu, uint16_t sel, uint32_t desc[2], bool *inner)
{
	unsigned int dpl;
	enum mon_status st;

	if (sys_sel_null(sel))
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	dpl = sys_desc_dpl(desc);
	if (!sys_desc_code(desc) || dpl > vcpu->cpl)
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	*inner = !sys_desc_conforming(desc) && dpl < vcpu->cpl;
	/* V86 code can be left for ring 0 alone. */
	if (mon_v86(vcpu) && (!*inner || dpl != 0))
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	return sys_mark_accessed(vcpu, sel, desc);
}

static enum mon_status enter_gate(struct mon_vcpu *vcpu, const struct event *e, const uint32_t gate[2])
{
	static const uint8_t v86_regs[] = { X86_GS, X86_FS, X86_DS, X86_ES };
	unsigned int type = sys_desc_type(gate);
	unsigned int size = type & 8 ? 4 : 2;
	uint16_t sel = (uint16_t)(gate[0] >> 16);
	uint32_t eip = (gate[0] & 0xffff) | (size == 4 ? gate[1] & 0xffff0000 : 0);
	uint32_t desc[2], frame[SYS_FRAME_MAX], esp = vcpu->gpr[X86_ESP];
	struct mon_seg ss = vcpu->seg[X86_SS];
	unsigned int cpl = vcpu->cpl;
	unsigned int nr = 0;
	bool from_v86 = mon_v86(vcpu);
	uint32_t clear = X86_FLAG_TF | X86_FLAG_NT | X86_FLAG_RF | X86_FLAG_VM;
	bool inner;
	enum mon_status st;

	st = check_handler(vcpu, sel, desc, &inner);
	if (st)
		return st;
	if (inner) {
		cpl = sys_desc_dpl(desc);
		st = sys_inner_stack(vcpu, cpl, &ss, &esp);
		if (st)
			return st;
	}
	if (eip > sys_desc_limit(desc))
		return mon_fault_error(vcpu, X86_VEC_GP, 0);

	if (from_v86)
		for (unsigned int i = 0; i < sizeof(v86_regs); i++)
			frame[nr++] = vcpu->seg[v86_regs[i]].sel;
	if (inner) {
		frame[nr++] = vcpu->seg[X86_SS].sel;
		frame[nr++] = vcpu->gpr[X86_ESP];
	}
	frame[nr++] = e->eflags;
	frame[nr++] = vcpu->seg[X86_CS].sel;
	frame[nr++] = e->eip;
	if (e->has_error)
		frame[nr++] = e->error;
	st = sys_push_frame(vcpu, &ss, &esp, frame, nr, size, inner ? MON_ACC_SYSTEM : SYS_ACC_UNALIGNED,
			    inner ? sys_sel_error(ss.sel) : 0);
	if (st)
		return st;

	if (inner) {
		vcpu->seg[X86_SS] = ss;
		sys_seg_changed(vcpu, X86_SS);
	}
	vcpu->gpr[X86_ESP] = esp;
	if (from_v86)
		for (unsigned int i = 0; i < sizeof(v86_regs); i++)
			sys_seg_null(vcpu, v86_regs[i], 0);
	if (type == SYS_INT16 || type == SYS_INT32)
		clear |= X86_FLAG_IF;
	sys_set_eflags(vcpu, vcpu->eflags & ~clear);
	sys_commit_cs(vcpu, sel, desc, cpl);
	vcpu->eip = eip;
	return MON_OK;
}

static enum mon_status enter_protected(struct mon_vcpu *vcpu, const struct event *e)
{
	uint32_t gate[2];
	unsigned int type;
	enum mon_status st;

	if (e->vector * 8u + 7 > vcpu->idtr.limit)
		return idt_fault(vcpu, e, X86_VEC_GP);
	st = mon_read(vcpu, vcpu->idtr.base + e->vector * 8u, gate, 8, MON_ACC_READ | MON_ACC_SYSTEM);
	if (st)
		return st;
	type = sys_desc_type(gate);
	if (sys_desc_s(gate) || (type != SYS_TASK_GATE && type != SYS_INT16 && type != SYS_TRAP16 &&
				 type != SYS_INT32 && type != SYS_TRAP32))
		return idt_fault(vcpu, e, X86_VEC_GP);
	if (e->soft && sys_desc_dpl(gate) < vcpu->cpl)
		return idt_fault(vcpu, e, X86_VEC_GP);
	if (!sys_desc_present(gate))
		return idt_fault(vcpu, e, X86_VEC_NP);
	return type == SYS_TASK_GATE ? enter_task(vcpu, e, gate) : enter_gate(vcpu, e, gate);
}

/* One delivery. A fault on the way names EXT if the event did not come from an instruction asking for it. */
static enum mon_status enter(struct mon_vcpu *vcpu, const struct event *e)
{
	uint32_t eflags = vcpu->eflags;
	uint16_t tr = vcpu->tr.sel;
	enum mon_status st;

	st = mon_protected(vcpu) ? enter_protected(vcpu, e) : enter_real(vcpu, e);
	if (st == MON_OK) {
		vcpu->int_shadow = 0;
		return st;
	}
	if (vcpu->tr.sel == tr)
		vcpu->eflags = eflags;	/* enter_task may have put RF in */
	if (vcpu->fault.vector >= X86_VEC_TS && vcpu->fault.vector <= X86_VEC_GP)
		vcpu->fault.error |= ext(e);
	return st;
}

/* ---- the three doors ---------------------------------------------------------------------------------- */

enum mon_status mon_soft_int(struct mon_vcpu *vcpu, uint8_t vector, uint32_t next, bool int3_or_into)
{
	struct event e = { .vector = vector, .soft = true, .eip = next, .eflags = vcpu->eflags & ~X86_FLAG_RF };

	/* INT n in V86 mode is IOPL-sensitive; INT3 and INTO are not. */
	if (mon_v86(vcpu) && mon_iopl(vcpu) != 3 && !int3_or_into)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	return enter(vcpu, &e);
}

/* Contributory exceptions: SDM 3A, "Interrupt and Exception Classes" */
static bool contributory(uint8_t vector)
{
	return vector == X86_VEC_DE || (vector >= X86_VEC_TS && vector <= X86_VEC_GP);
}

static bool makes_double_fault(uint8_t first, uint8_t second)
{
	if (contributory(first))
		return contributory(second);
	if (first == X86_VEC_PF)
		return contributory(second) || second == X86_VEC_PF;
	return false;
}

/* Faults restart their instruction and so ask for RF in the image; traps (#DB, #BP, #OF) and aborts do not. */
static bool sets_rf(const struct mon_fault *f)
{
	return !f->soft && !f->external && f->vector != X86_VEC_DB && f->vector != X86_VEC_NMI &&
	       f->vector != X86_VEC_BP && f->vector != X86_VEC_OF && f->vector != X86_VEC_DF &&
	       f->vector != X86_VEC_MC;
}

enum mon_status mon_deliver_fault(struct mon_vcpu *vcpu)
{
	vcpu->nr_delivered++;
	for (;;) {
		struct mon_fault first = vcpu->fault;
		struct event e = {
			.vector = first.vector, .soft = first.soft, .has_error = first.has_error, .error = first.error,
			.eip = vcpu->eip, .eflags = vcpu->eflags,
		};
		uint8_t second;

		if (sets_rf(&first))
			e.eflags |= X86_FLAG_RF;
		if (first.vector == X86_VEC_PF)
			vcpu->cr2 = first.address;
		if (first.vector == X86_VEC_DB) {
			if (vcpu->dr[7] & DR7_GD)
				sys_mode_changed(vcpu);
			vcpu->dr[7] &= ~DR7_GD;
		}
		vcpu->delivering = first.vector;
		if (enter(vcpu, &e) == MON_OK) {
			vcpu->delivering = 0xff;
			vcpu->halted = 0;
			return MON_OK;
		}

		second = vcpu->fault.vector;
		if (first.vector == X86_VEC_DF && (contributory(second) || second == X86_VEC_PF)) {
			vcpu->delivering = 0xff;
			return MON_SHUTDOWN;
		}
		if (makes_double_fault(first.vector, second)) {
			/* The second fault's CR2 is what the double fault handler sees. */
			if (second == X86_VEC_PF)
				vcpu->cr2 = vcpu->fault.address;
			mon_fault_error(vcpu, X86_VEC_DF, 0);
		}
	}
}

enum mon_status mon_deliver_interrupt(struct mon_vcpu *vcpu, uint8_t vector)
{
	struct event e = { .vector = vector, .eip = vcpu->eip, .eflags = vcpu->eflags };

	vcpu->halted = 0;
	vcpu->int_shadow = 0;
	if (vector == X86_VEC_NMI)
		vcpu->nmi_blocked = 1;
	if (enter(vcpu, &e) == MON_OK)
		return MON_OK;
	/* Interrupts are benign: the fault is delivered as it is, and the interrupt is lost as on silicon. */
	return mon_deliver_fault(vcpu);
}
