/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/task.c - the task state segment: switches, ring stacks, the I/O permission map.
 *
 *      far.c, interrupt.c --> [task] --> segment.c memory.c paging.c stack.c
 *
 * Asked by:  far.c (JMP, CALL, IRET), interrupt.c (task gates, inner stacks), IN and OUT.
 * Source:    SDM 3A, "Task Management"; SDM 1, "I/O Permission Bit Map".
 * Tested by: tests/unit/test_task.c.
 *
 * A task switch has two halves. Up to the point of no return everything is checked in the old task: both
 * TSSs are there and big enough, tables can be written. Then the registers change hands, and what is
 * wrong with the new task's own segments is a fault *in the new task*, at its first instruction:
 * mon_task_switch then returns MON_FAULT with the switch done. It is the one routine of which this is true.
 */
#include "monitor/system.h"

/* 32-bit TSS: SDM 3A, "32-Bit Task-State Segment" */
#define TSS32_ESP0	0x04
#define TSS32_CR3	0x1c
#define TSS32_EIP	0x20
#define TSS32_EFLAGS	0x24
#define TSS32_GPR	0x28
#define TSS32_SREG	0x48
#define TSS32_LDT	0x60
#define TSS32_TRAP	0x64
#define TSS32_IOMAP	0x66
#define TSS32_BYTES	0x68
/* 16-bit TSS */
#define TSS16_SP0	0x02
#define TSS16_IP	0x0e
#define TSS16_FLAGS	0x10
#define TSS16_GPR	0x12
#define TSS16_SREG	0x22
#define TSS16_LDT	0x2a
#define TSS16_BYTES	0x2c

#define DR6_BT		0x8000u
#define DR7_LOCAL	0x0155u		/* L0..L3 and LE: breakpoints of one task */

static bool tss_wide(const struct mon_seg *tr) { return tr->attr & SYS_TSS_32_BIT; }

static enum mon_status ts(struct mon_vcpu *vcpu, uint16_t sel)
{
	return mon_fault_error(vcpu, X86_VEC_TS, sys_sel_error(sel));
}

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void put16(uint8_t *p, uint32_t value)
{
	uint16_t v = (uint16_t)value;

	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t value) { memcpy(p, &value, sizeof(value)); }

/* Reads and writes of a TSS: longer than mon_read's 16 bytes, so piece by piece. Writes are probed before. */
static enum mon_status tss_read(struct mon_vcpu *vcpu, uint32_t linear, uint8_t *buf, uint32_t nbytes)
{
	enum mon_status st = MON_OK;

	for (uint32_t at = 0; at < nbytes && !st; at += 4)
		st = mon_read(vcpu, linear + at, buf + at, plx_min32(4, nbytes - at), MON_ACC_READ | MON_ACC_SYSTEM);
	return st;
}

/* ---- ring stacks and the I/O map ----------------------------------------------------------------- */

enum mon_status mon_tss_stack(struct mon_vcpu *vcpu, unsigned int cpl, uint16_t *ss, uint32_t *esp)
{
	const struct mon_seg *tr = &vcpu->tr;
	bool wide = tss_wide(tr);
	uint32_t at = wide ? TSS32_ESP0 + cpl * 8 : TSS16_SP0 + cpl * 4;
	uint32_t nbytes = wide ? 6 : 4;
	uint8_t buf[8];
	enum mon_status st;

	if (tr->attr & MON_SEG_NULL || at + nbytes - 1 > tr->limit)
		return ts(vcpu, tr->sel);
	st = mon_read(vcpu, tr->base + at, buf, nbytes, MON_ACC_READ | MON_ACC_SYSTEM);
	if (st)
		return st;
	*esp = wide ? get32(buf) : get16(buf);
	*ss = get16(buf + (wide ? 4 : 2));
	return MON_OK;
}

enum mon_status mon_io_check(struct mon_vcpu *vcpu, uint16_t port, unsigned int size)
{
	const struct mon_seg *tr = &vcpu->tr;
	uint16_t map, bits;
	uint32_t at;
	enum mon_status st;

	if (!mon_protected(vcpu) || (!mon_v86(vcpu) && vcpu->cpl <= mon_iopl(vcpu)))
		return MON_OK;
	if (tr->attr & MON_SEG_NULL || !tss_wide(tr) || tr->limit < TSS32_BYTES - 1)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	st = mon_read(vcpu, tr->base + TSS32_IOMAP, &map, 2, MON_ACC_READ | MON_ACC_SYSTEM);
	if (st)
		return st;
	/* Always two bytes: a port's bits may straddle them. Hence the ff that must follow the map. */
	at = map + port / 8u;
	if (at + 1 > tr->limit)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	st = mon_read(vcpu, tr->base + at, &bits, 2, MON_ACC_READ | MON_ACC_SYSTEM);
	if (st)
		return st;
	if (bits >> (port & 7) & ((1u << size) - 1))
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	return MON_OK;
}

/* ---- the new task, as its TSS describes it ------------------------------------------------------------ */

struct task {
	uint32_t cr3, eip, eflags, gpr[8];
	uint16_t sreg[6];
	uint16_t ldt;
	bool trap;
};

static void parse_tss32(const uint8_t *tss, struct task *t)
{
	t->cr3 = get32(tss + TSS32_CR3);
	t->eip = get32(tss + TSS32_EIP);
	t->eflags = get32(tss + TSS32_EFLAGS);
	for (unsigned int i = 0; i < 8; i++)
		t->gpr[i] = get32(tss + TSS32_GPR + 4 * i);
	for (unsigned int s = 0; s < 6; s++)
		t->sreg[s] = get16(tss + TSS32_SREG + 4 * s);
	t->ldt = get16(tss + TSS32_LDT);
	t->trap = tss[TSS32_TRAP] & 1;
}

/* The 286's task: no CR3, FS, GS, T; upper register halves come up as ones. */
static void parse_tss16(const struct mon_vcpu *vcpu, const uint8_t *tss, struct task *t)
{
	t->cr3 = vcpu->cr3;
	t->eip = get16(tss + TSS16_IP);
	t->eflags = get16(tss + TSS16_FLAGS);
	for (unsigned int i = 0; i < 8; i++)
		t->gpr[i] = 0xffff0000 | get16(tss + TSS16_GPR + 2 * i);
	for (unsigned int s = 0; s < 4; s++)
		t->sreg[s] = get16(tss + TSS16_SREG + 2 * s);
	t->sreg[X86_FS] = t->sreg[X86_GS] = 0;
	t->ldt = get16(tss + TSS16_LDT);
	t->trap = false;
}

/* The new TSS's descriptor, by the rules of the cause. IRET goes back to a busy task, all else to an idle one. */
static enum mon_status check_new_tss(struct mon_vcpu *vcpu, uint16_t sel, enum mon_task_cause cause, uint32_t desc[2])
{
	uint8_t vector = cause == MON_TASK_IRET ? X86_VEC_TS : X86_VEC_GP;
	unsigned int type;
	enum mon_status st;

	if (sel & 4 || sys_sel_null(sel))
		return mon_fault_error(vcpu, vector, sys_sel_error(sel));
	st = mon_read_descriptor(vcpu, sel, vector, desc);
	if (st)
		return st;
	type = sys_desc_type(desc);
	if (cause == MON_TASK_IRET)
		type ^= SYS_TSS_BUSY_BIT;
	if (sys_desc_s(desc) || (type != SYS_TSS16 && type != SYS_TSS32))
		return mon_fault_error(vcpu, vector, sys_sel_error(sel));
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	if (sys_desc_limit(desc) < (type == SYS_TSS32 ? TSS32_BYTES : TSS16_BYTES) - 1)
		return ts(vcpu, sel);
	return MON_OK;
}

/* ---- the old task, saved ---------------------------------------------------------------------------------- */

/* Registers into @buf as they lie from EIP (IP) on; returns how many bytes, 0 if the old TSS is too small. */
static uint32_t image_of_old_task(const struct mon_vcpu *vcpu, uint32_t eip, uint32_t eflags, uint8_t *buf)
{
	bool wide = tss_wide(&vcpu->tr);
	unsigned int size = wide ? 4 : 2;
	unsigned int nr_sregs = wide ? 6 : 4;
	uint32_t at = 0;

	if (vcpu->tr.attr & MON_SEG_NULL || vcpu->tr.limit < (wide ? TSS32_LDT : TSS16_LDT) - 1)
		return 0;
	if (wide) {
		put32(buf, eip);
		put32(buf + 4, eflags);
	} else {
		put16(buf, eip);
		put16(buf + 2, eflags);
	}
	at = 2 * size;
	for (unsigned int i = 0; i < 8; i++, at += size) {
		if (wide)
			put32(buf + at, vcpu->gpr[i]);
		else
			put16(buf + at, vcpu->gpr[i]);
	}
	/* Selectors are two bytes in a slot of four; the upper two stay as they are: see write_old_task. */
	for (unsigned int s = 0; s < nr_sregs; s++, at += size)
		put16(buf + at, vcpu->seg[s].sel);
	return at;
}

/* Cannot fault: the range was probed. */
static void write_old_task(struct mon_vcpu *vcpu, const uint8_t *buf, uint32_t nbytes)
{
	bool wide = tss_wide(&vcpu->tr);
	uint32_t linear = vcpu->tr.base + (wide ? TSS32_EIP : TSS16_IP);
	uint32_t sregs = wide ? TSS32_SREG - TSS32_EIP : TSS16_SREG - TSS16_IP;

	for (uint32_t at = 0; at < nbytes; at += wide ? 4 : 2)
		mon_write(vcpu, linear + at, buf + at, wide && at < sregs ? 4 : 2, MON_ACC_WRITE | MON_ACC_SYSTEM);
}

/* ---- in the new task ------------------------------------------------------------------------------------------- */

static enum mon_status load_ldt(struct mon_vcpu *vcpu, uint16_t sel)
{
	uint32_t desc[2];
	enum mon_status st;

	if (sys_sel_null(sel))
		return MON_OK;
	if (sel & 4)
		return ts(vcpu, sel);
	st = mon_read_descriptor(vcpu, sel, X86_VEC_TS, desc);
	if (st)
		return st;
	if (sys_desc_s(desc) || sys_desc_type(desc) != SYS_LDT || !sys_desc_present(desc))
		return ts(vcpu, sel);
	mon_seg_from_descriptor(&vcpu->ldtr, sel, desc);
	return MON_OK;
}

static enum mon_status load_task_cs(struct mon_vcpu *vcpu, uint16_t sel)
{
	unsigned int rpl = sel & 3;
	uint32_t desc[2];
	enum mon_status st;

	if (sys_sel_null(sel))
		return ts(vcpu, sel);
	st = mon_read_descriptor(vcpu, sel, X86_VEC_TS, desc);
	if (st)
		return st;
	if (!sys_desc_code(desc) ||
	    (sys_desc_conforming(desc) ? sys_desc_dpl(desc) > rpl : sys_desc_dpl(desc) != rpl))
		return ts(vcpu, sel);
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	st = sys_mark_accessed(vcpu, sel, desc);
	if (st)
		return st;
	sys_commit_cs(vcpu, sel, desc, rpl);
	return MON_OK;
}

/* mon_load_seg with a task's vector: what would be #GP is #TS here. */
static enum mon_status load_task_data(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel)
{
	enum mon_status st = mon_load_seg(vcpu, sreg, sel);

	if (st && vcpu->fault.vector == X86_VEC_GP)
		vcpu->fault.vector = X86_VEC_TS;
	return st;
}

static enum mon_status load_task_segments(struct mon_vcpu *vcpu, const struct task *t)
{
	static const uint8_t data_regs[] = { X86_ES, X86_DS, X86_FS, X86_GS };
	uint32_t desc[2];
	enum mon_status st;

	st = load_ldt(vcpu, t->ldt);
	if (st)
		return st;
	if (mon_v86(vcpu)) {
		for (unsigned int s = 0; s < 6; s++)
			mon_seg_real(vcpu, s, t->sreg[s]);
		return MON_OK;
	}
	st = sys_check_ss(vcpu, t->sreg[X86_SS], vcpu->cpl, X86_VEC_TS, desc);
	if (st)
		return st;
	sys_commit_seg(vcpu, X86_SS, t->sreg[X86_SS], desc);
	st = load_task_cs(vcpu, t->sreg[X86_CS]);
	for (unsigned int i = 0; i < sizeof(data_regs) && !st; i++)
		st = load_task_data(vcpu, data_regs[i], t->sreg[data_regs[i]]);
	return st;
}

/* All of the new task's registers. Segment registers hold their selectors, and nothing behind them yet. */
static void commit_registers(struct mon_vcpu *vcpu, const struct task *t, uint32_t eflags)
{
	memcpy(vcpu->gpr, t->gpr, sizeof(vcpu->gpr));
	vcpu->eip = t->eip;
	sys_set_eflags(vcpu, eflags & (SYS_FLAGS_WRITABLE | X86_FLAG_VM));
	for (unsigned int s = 0; s < 6; s++)
		sys_seg_null(vcpu, s, t->sreg[s]);
	vcpu->ldtr = (struct mon_seg){ .sel = t->ldt, .attr = MON_SEG_NULL };
	vcpu->cpl = mon_v86(vcpu) ? 3 : t->sreg[X86_CS] & 3;
	vcpu->cr0 |= X86_CR0_TS;
	vcpu->dr[7] &= ~DR7_LOCAL;
	mon_debug_arm(vcpu);
	vcpu->int_shadow = 0;
	sys_mode_changed(vcpu);
}

static void commit_cr3(struct mon_vcpu *vcpu, uint32_t cr3, const uint64_t pdpte[4])
{
	vcpu->cr3 = cr3;
	if (vcpu->cr4 & X86_CR4_PAE)
		memcpy(vcpu->pdpte, pdpte, sizeof(vcpu->pdpte));
	mon_tlb_flush(vcpu);
	if (vcpu->hooks && vcpu->hooks->load_cr3)
		vcpu->hooks->load_cr3(vcpu);
}

static enum mon_status push_task_error(struct mon_vcpu *vcpu, bool wide, uint32_t error)
{
	return sys_push_frame(vcpu, &vcpu->seg[X86_SS], &vcpu->gpr[X86_ESP], &error, 1, wide ? 4 : 2,
			      SYS_ACC_UNALIGNED, 0);
}

/* ---- the switch itself ------------------------------------------------------------------------------------------ */

enum mon_status mon_task_switch(struct mon_vcpu *vcpu, uint16_t tss_sel, enum mon_task_cause cause, uint32_t next,
				bool has_error, uint32_t error)
{
	bool nest = cause == MON_TASK_CALL || cause == MON_TASK_GATE;
	bool free_old = !nest;
	uint32_t old_flags = cause == MON_TASK_IRET ? vcpu->eflags & ~X86_FLAG_NT : vcpu->eflags;
	uint16_t old_sel = vcpu->tr.sel;
	uint8_t tss[TSS32_BYTES], image[TSS32_LDT - TSS32_EIP];
	uint64_t pdpte[4];
	uint32_t desc[2], image_bytes, gdt;
	struct mon_seg new_tr;
	struct task t;
	bool wide;
	enum mon_status st;

	/* The first half: all in the old task. */
	st = check_new_tss(vcpu, tss_sel, cause, desc);
	if (st)
		return st;
	desc[1] |= SYS_TSS_BUSY_BIT << 8;
	mon_seg_from_descriptor(&new_tr, tss_sel, desc);
	wide = tss_wide(&new_tr);

	st = tss_read(vcpu, new_tr.base, tss, wide ? TSS32_BYTES : TSS16_BYTES);
	if (st)
		return st;
	if (wide)
		parse_tss32(tss, &t);
	else
		parse_tss16(vcpu, tss, &t);

	image_bytes = image_of_old_task(vcpu, next, old_flags, image);
	if (!image_bytes)
		return ts(vcpu, old_sel);
	gdt = vcpu->gdtr.base;
	st = mon_probe(vcpu, vcpu->tr.base + (tss_wide(&vcpu->tr) ? TSS32_EIP : TSS16_IP), image_bytes,
		       MON_ACC_WRITE | MON_ACC_SYSTEM);
	if (!st && nest)
		st = mon_probe(vcpu, new_tr.base, 2, MON_ACC_WRITE | MON_ACC_SYSTEM);
	if (!st && free_old)
		st = mon_probe(vcpu, gdt + (old_sel & ~7u), 8, MON_ACC_WRITE | MON_ACC_SYSTEM);
	if (!st && cause != MON_TASK_IRET)
		st = mon_probe(vcpu, gdt + (tss_sel & ~7u), 8, MON_ACC_WRITE | MON_ACC_SYSTEM);
	if (!st && wide && vcpu->cr0 & X86_CR0_PG && vcpu->cr4 & X86_CR4_PAE)
		st = sys_read_pdptes(vcpu, t.cr3, pdpte);
	if (st)
		return st;

	/* The point of no return. Writes below were probed; their status says nothing new. */
	write_old_task(vcpu, image, image_bytes);
	if (free_old)
		sys_mark_busy(vcpu, old_sel, false);
	if (nest)
		mon_write(vcpu, new_tr.base, &old_sel, 2, MON_ACC_WRITE | MON_ACC_SYSTEM);
	if (cause != MON_TASK_IRET)
		sys_mark_busy(vcpu, tss_sel, true);
	vcpu->tr = new_tr;
	commit_registers(vcpu, &t, nest ? t.eflags | X86_FLAG_NT : t.eflags);
	if (wide && vcpu->cr0 & X86_CR0_PG)
		commit_cr3(vcpu, t.cr3, pdpte);

	/* The second half: faults are the new task's. */
	st = load_task_segments(vcpu, &t);
	if (!st && has_error)
		st = push_task_error(vcpu, wide, error);
	if (!st && t.eip > vcpu->seg[X86_CS].limit)
		st = mon_fault_error(vcpu, X86_VEC_GP, 0);
	if (!st && t.trap) {
		vcpu->dr[6] |= DR6_BT;
		st = mon_fault(vcpu, X86_VEC_DB);
	}
	return st;
}
