/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/segment.c - descriptors, and the hidden half of segment registers.
 *
 *      interpreter, engine, far.c, task.c --> [segment] --> memory.c (GDT, LDT)
 *
 * Asked by:  everybody who loads a segment register or asks what a selector stands for.
 * Asks:      memory.c, as a supervisor: descriptor tables are read with implicit accesses.
 * Source:    SDM 3A, "Protection"; SDM 2, the pages of MOV, LLDT, LTR, LAR, LSL, VERR.
 * Tested by: tests/unit/test_segment.c.
 *
 * A selector's descriptor is read again at each load, never remembered: a guest may change its
 * tables without telling anybody, and the processor has no cache of descriptors beside the registers.
 */
#include "monitor/system.h"

/* ---- what a hidden half says ----------------------------------------------------------------- */

bool sys_seg_holds(const struct mon_seg *seg, uint32_t offset, uint32_t nbytes)
{
	uint32_t last = offset + nbytes - 1;

	if (last < offset)
		return false;
	if ((seg->attr & (MON_SEG_CODE | MON_SEG_EXPDOWN)) == MON_SEG_EXPDOWN) {
		uint32_t top = seg->attr & MON_SEG_DB ? ~0u : 0xffff;

		return offset > seg->limit && last <= top;
	}
	return last <= seg->limit;
}

void mon_seg_from_descriptor(struct mon_seg *seg, uint16_t sel, const uint32_t desc[2])
{
	seg->sel = sel;
	seg->pad = 0;
	/* The access byte and the AVL, L, D/B, G nibble keep their places; the limit between them goes. */
	seg->attr = desc[1] >> 8 & 0xf0ff;
	seg->base = sys_desc_base(desc);
	seg->limit = sys_desc_limit(desc);
}

void mon_seg_real(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel)
{
	struct mon_seg *seg = &vcpu->seg[sreg];
	uint32_t attr = MON_SEG_P | MON_SEG_S | MON_SEG_WRITABLE | MON_SEG_ACCESSED;

	if (mon_v86(vcpu)) {
		seg->attr = attr | MON_SEG_DPL;
		seg->limit = 0xffff;
	} else if (seg->attr & MON_SEG_NULL) {
		seg->attr = attr;
		seg->limit = 0xffff;
	}
	/* Else real mode: limit and rights stay what they were, and so "unreal" mode works. */
	seg->sel = sel;
	seg->base = (uint32_t)sel << 4;
	sys_seg_changed(vcpu, sreg);
}

void sys_seg_null(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel)
{
	vcpu->seg[sreg] = (struct mon_seg){ .sel = sel, .attr = MON_SEG_NULL };
	sys_seg_changed(vcpu, sreg);
}

void sys_commit_seg(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel, const uint32_t desc[2])
{
	mon_seg_from_descriptor(&vcpu->seg[sreg], sel, desc);
	sys_seg_changed(vcpu, sreg);
}

void sys_commit_cs(struct mon_vcpu *vcpu, uint16_t sel, const uint32_t desc[2], unsigned int cpl)
{
	uint32_t attr = vcpu->seg[X86_CS].attr;

	sys_commit_seg(vcpu, X86_CS, (uint16_t)((sel & ~3u) | cpl), desc);
	if (vcpu->seg[X86_CS].attr != attr)
		sys_mode_changed(vcpu);
	sys_set_cpl(vcpu, cpl);
}

/* ---- descriptor tables -------------------------------------------------------------------------- */

/* Where the descriptor of @sel lies; false if outside its table. */
static bool descriptor_place(const struct mon_vcpu *vcpu, uint16_t sel, uint32_t *linear)
{
	uint32_t base = vcpu->gdtr.base;
	uint32_t limit = vcpu->gdtr.limit;

	if (sel & 4) {
		if (vcpu->ldtr.attr & MON_SEG_NULL)
			return false;
		base = vcpu->ldtr.base;
		limit = vcpu->ldtr.limit;
	}
	if ((sel | 7u) > limit)
		return false;
	*linear = base + (sel & ~7u);
	return true;
}

enum mon_status mon_read_descriptor(struct mon_vcpu *vcpu, uint16_t sel, uint8_t vector, uint32_t desc[2])
{
	uint32_t linear;

	if (!descriptor_place(vcpu, sel, &linear))
		return mon_fault_error(vcpu, vector, sys_sel_error(sel));
	return mon_read(vcpu, linear, desc, 8, MON_ACC_READ | MON_ACC_SYSTEM);
}

/* The byte with P, DPL, S and type: all that the processor ever writes. */
static enum mon_status write_access_byte(struct mon_vcpu *vcpu, uint16_t sel, uint8_t access_byte)
{
	uint32_t linear;

	if (!descriptor_place(vcpu, sel, &linear))
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	return mon_write(vcpu, linear + 5, &access_byte, 1, MON_ACC_WRITE | MON_ACC_SYSTEM);
}

enum mon_status sys_mark_accessed(struct mon_vcpu *vcpu, uint16_t sel, uint32_t desc[2])
{
	if (desc[1] & 0x100)
		return MON_OK;
	desc[1] |= 0x100;
	return write_access_byte(vcpu, sel, (uint8_t)(desc[1] >> 8));
}

enum mon_status sys_mark_busy(struct mon_vcpu *vcpu, uint16_t sel, bool busy)
{
	uint32_t desc[2];
	enum mon_status st;
	uint8_t byte;

	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	byte = (uint8_t)(desc[1] >> 8);
	byte = busy ? byte | SYS_TSS_BUSY_BIT : byte & ~SYS_TSS_BUSY_BIT;
	return write_access_byte(vcpu, sel, byte);
}

/* ---- loading a register ---------------------------------------------------------------------------- */

enum mon_status sys_check_ss(struct mon_vcpu *vcpu, uint16_t sel, unsigned int cpl, uint8_t vector, uint32_t desc[2])
{
	enum mon_status st;

	if (sys_sel_null(sel))		/* #TS of an inner stack names the selector, #GP says 0: the same bits */
		return mon_fault_error(vcpu, vector, sys_sel_error(sel));
	st = mon_read_descriptor(vcpu, sel, vector, desc);
	if (st)
		return st;
	if ((sel & 3) != cpl || sys_desc_dpl(desc) != cpl || !sys_desc_writable_data(desc))
		return mon_fault_error(vcpu, vector, sys_sel_error(sel));
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_SS, sys_sel_error(sel));
	return sys_mark_accessed(vcpu, sel, desc);
}

enum mon_status mon_load_seg(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel)
{
	uint32_t desc[2];
	enum mon_status st;

	if (mon_real_or_v86(vcpu)) {
		mon_seg_real(vcpu, sreg, sel);
		return MON_OK;
	}

	if (sreg == X86_SS) {
		st = sys_check_ss(vcpu, sel, vcpu->cpl, X86_VEC_GP, desc);
		if (st)
			return st;
		if ((vcpu->seg[X86_SS].attr ^ desc[1] >> 8) & MON_SEG_DB)
			sys_mode_changed(vcpu);
		sys_commit_seg(vcpu, sreg, sel, desc);
		return MON_OK;
	}

	if (sys_sel_null(sel)) {
		sys_seg_null(vcpu, sreg, sel);
		return MON_OK;
	}
	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	if (!sys_desc_readable(desc))
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	if (!(sys_desc_code(desc) && sys_desc_conforming(desc)) &&
	    (sys_desc_dpl(desc) < vcpu->cpl || sys_desc_dpl(desc) < (sel & 3u)))
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	st = sys_mark_accessed(vcpu, sel, desc);
	if (st)
		return st;
	sys_commit_seg(vcpu, sreg, sel, desc);
	return MON_OK;
}

/* #UD outside protected mode, #GP(0) outside CPL 0: the door of LLDT and LTR. */
static enum mon_status check_system_load(struct mon_vcpu *vcpu)
{
	if (mon_real_or_v86(vcpu))
		return mon_fault(vcpu, X86_VEC_UD);
	if (vcpu->cpl)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	return MON_OK;
}

enum mon_status mon_lldt(struct mon_vcpu *vcpu, uint16_t sel)
{
	uint32_t desc[2];
	enum mon_status st;

	st = check_system_load(vcpu);
	if (st)
		return st;
	if (sys_sel_null(sel)) {
		vcpu->ldtr = (struct mon_seg){ .sel = sel, .attr = MON_SEG_NULL };
		return MON_OK;
	}
	if (sel & 4)
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	if (sys_desc_s(desc) || sys_desc_type(desc) != SYS_LDT)
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	mon_seg_from_descriptor(&vcpu->ldtr, sel, desc);
	return MON_OK;
}

enum mon_status mon_ltr(struct mon_vcpu *vcpu, uint16_t sel)
{
	uint32_t desc[2];
	enum mon_status st;

	st = check_system_load(vcpu);
	if (st)
		return st;
	if (sys_sel_null(sel))
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	if (sel & 4)
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	st = mon_read_descriptor(vcpu, sel, X86_VEC_GP, desc);
	if (st)
		return st;
	if (sys_desc_s(desc) || (sys_desc_type(desc) != SYS_TSS16 && sys_desc_type(desc) != SYS_TSS32))
		return mon_fault_error(vcpu, X86_VEC_GP, sys_sel_error(sel));
	if (!sys_desc_present(desc))
		return mon_fault_error(vcpu, X86_VEC_NP, sys_sel_error(sel));
	st = sys_mark_busy(vcpu, sel, true);
	if (st)
		return st;
	desc[1] |= SYS_TSS_BUSY_BIT << 8;
	mon_seg_from_descriptor(&vcpu->tr, sel, desc);
	return MON_OK;
}

/* ---- asking about a selector ---------------------------------------------------------------------------- */

/* The descriptor of @sel for LAR and friends: what would fault elsewhere is just "not valid" here,
 * except a page fault on the table itself. */
static enum mon_status look_up(struct mon_vcpu *vcpu, uint16_t sel, bool *found, uint32_t desc[2])
{
	uint32_t linear;

	*found = false;
	if (mon_real_or_v86(vcpu))
		return mon_fault(vcpu, X86_VEC_UD);
	if (sys_sel_null(sel) || !descriptor_place(vcpu, sel, &linear))
		return MON_OK;
	*found = true;
	return mon_read(vcpu, linear, desc, 8, MON_ACC_READ | MON_ACC_SYSTEM);
}

/* Does privilege let this code see the segment? Conforming code is open to all. */
static bool visible(const struct mon_vcpu *vcpu, uint16_t sel, const uint32_t desc[2])
{
	if (sys_desc_code(desc) && sys_desc_conforming(desc))
		return true;
	return sys_desc_dpl(desc) >= vcpu->cpl && sys_desc_dpl(desc) >= (sel & 3u);
}

/* System types that LAR knows, one bit a type: both TSS kinds, LDT, call gates, task gate. */
#define LAR_TYPES	(1u << SYS_TSS16 | 1u << SYS_LDT | 1u << SYS_TSS16_BUSY | 1u << SYS_CALL16 | \
			 1u << SYS_TASK_GATE | 1u << SYS_TSS32 | 1u << SYS_TSS32_BUSY | 1u << SYS_CALL32)
/* ... and LSL: those that have a limit. */
#define LSL_TYPES	(1u << SYS_TSS16 | 1u << SYS_LDT | 1u << SYS_TSS16_BUSY | 1u << SYS_TSS32 | 1u << SYS_TSS32_BUSY)

static enum mon_status look_up_typed(struct mon_vcpu *vcpu, uint16_t sel, uint32_t types, bool *zf, uint32_t desc[2])
{
	enum mon_status st;

	st = look_up(vcpu, sel, zf, desc);
	if (st || !*zf)
		return st;
	*zf = visible(vcpu, sel, desc) && (sys_desc_s(desc) || types >> sys_desc_type(desc) & 1);
	return MON_OK;
}

enum mon_status mon_lar(struct mon_vcpu *vcpu, uint16_t sel, bool *zf, uint32_t *value)
{
	uint32_t desc[2];
	enum mon_status st;

	st = look_up_typed(vcpu, sel, LAR_TYPES, zf, desc);
	if (!st && *zf)
		*value = desc[1] & 0x00ffff00;	/* bits 19..16, undefined in the SDM, come through on silicon */
	return st;
}

enum mon_status mon_lsl(struct mon_vcpu *vcpu, uint16_t sel, bool *zf, uint32_t *value)
{
	uint32_t desc[2];
	enum mon_status st;

	st = look_up_typed(vcpu, sel, LSL_TYPES, zf, desc);
	if (!st && *zf)
		*value = sys_desc_limit(desc);
	return st;
}

enum mon_status mon_ver(struct mon_vcpu *vcpu, uint16_t sel, bool write, bool *zf)
{
	uint32_t desc[2];
	enum mon_status st;

	st = look_up(vcpu, sel, zf, desc);
	if (st || !*zf)
		return st;
	*zf = visible(vcpu, sel, desc) && (write ? sys_desc_writable_data(desc) : sys_desc_readable(desc));
	return MON_OK;
}
