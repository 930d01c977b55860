/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/system.h - words that the files of the system half share among themselves.
 *
 * Asked by:  memory.c paging.c stack.c segment.c far.c interrupt.c task.c sysreg.c msr.c cpuid.c.
 * Never:     by the engine, the interpreter or the hosts; theirs is monitor/mon.h.
 * Built:     twice, freestanding and hosted.
 */
#ifndef MONITOR_SYSTEM_H
#define MONITOR_SYSTEM_H

#include "monitor/mon.h"

/* Physical address bits that we offer (CPUID 80000008h); what lies above them is reserved in tables. */
#define SYS_PHYS_BITS	32

/* Types of system descriptors: SDM 3A, "System Descriptor Types" */
#define SYS_TSS16	0x1
#define SYS_LDT		0x2
#define SYS_TSS16_BUSY	0x3
#define SYS_CALL16	0x4
#define SYS_TASK_GATE	0x5
#define SYS_INT16	0x6
#define SYS_TRAP16	0x7
#define SYS_TSS32	0x9
#define SYS_TSS32_BUSY	0xb
#define SYS_CALL32	0xc
#define SYS_INT32	0xe
#define SYS_TRAP32	0xf
#define SYS_TSS_BUSY_BIT 0x2
#define SYS_TSS_32_BIT	0x8

/* EFLAGS bits that code can set at all; bit 1 is always one, VM, VIF and VIP have rules of their own. */
#define SYS_FLAGS_WRITABLE \
	(X86_FLAGS_STATUS | X86_FLAG_TF | X86_FLAG_IF | X86_FLAG_DF | X86_FLAG_IOPL | X86_FLAG_NT | \
	 X86_FLAG_RF | X86_FLAG_AC | X86_FLAG_ID)

/* The fields of a raw descriptor, for checks before a cache is made of it. */
static inline bool sys_desc_present(const uint32_t d[2]) { return d[1] & 0x8000; }
static inline bool sys_desc_s(const uint32_t d[2]) { return d[1] & 0x1000; }
static inline unsigned int sys_desc_dpl(const uint32_t d[2]) { return d[1] >> 13 & 3; }
static inline unsigned int sys_desc_type(const uint32_t d[2]) { return d[1] >> 8 & 0xf; }
static inline bool sys_desc_code(const uint32_t d[2]) { return (d[1] & 0x1800) == 0x1800; }
static inline bool sys_desc_conforming(const uint32_t d[2]) { return d[1] & 0x0400; }
static inline bool sys_desc_writable_data(const uint32_t d[2]) { return (d[1] & 0x1a00) == 0x1200; }
/* Readable: data of any kind, or code with R set. */
static inline bool sys_desc_readable(const uint32_t d[2])
{
	return sys_desc_s(d) && ((d[1] & 0x0a00) != 0x0800);
}

static inline uint32_t sys_desc_base(const uint32_t d[2])
{
	return d[0] >> 16 | (d[1] & 0xff) << 16 | (d[1] & 0xff000000);
}

static inline uint32_t sys_desc_limit(const uint32_t d[2])
{
	uint32_t limit = (d[0] & 0xffff) | (d[1] & 0x000f0000);

	return d[1] & 0x00800000 ? limit << 12 | 0xfff : limit;
}

static inline bool sys_sel_null(uint16_t sel) { return !(sel & ~3u); }
/* A selector as an error code: index and TI; the two low bits are EXT and IDT there. */
static inline uint16_t sys_sel_error(uint16_t sel) { return sel & ~3u; }

/* The two ways for the engine to learn of a change. */
static inline void sys_mode_changed(struct mon_vcpu *v) { v->mode_dirty = 1; }

static inline void sys_seg_changed(struct mon_vcpu *v, unsigned int sreg) { v->seg_dirty |= (uint8_t)(1u << sreg); }

static inline void sys_set_eflags(struct mon_vcpu *v, uint32_t flags)
{
	flags = (flags & ~0x8028u) | X86_FLAG_ONE;
	if ((v->eflags ^ flags) & (X86_FLAG_VM | X86_FLAG_IOPL | X86_FLAG_NT | X86_FLAG_TF | X86_FLAG_AC | X86_FLAG_RF))
		sys_mode_changed(v);
	v->eflags = flags;
}

static inline void sys_set_cpl(struct mon_vcpu *v, unsigned int cpl)
{
	if (v->cpl != cpl)
		sys_mode_changed(v);
	v->cpl = (uint8_t)cpl;
}

/* ---- memory.c ---- */

/* Bytes of RAM at @gpa, inside one page, have changed: dirty bit and hooks. */
void sys_ram_changed(struct mon_vcpu *vcpu, uint32_t gpa, uint32_t nbytes);

/* #AC only at CPL 3 with both CR0.AM and EFLAGS.AC; an operand whose size is a power of two is aligned to it. */
static inline bool sys_misaligned(const struct mon_vcpu *vcpu, uint32_t linear, uint32_t nbytes)
{
	return PLX_UNLIKELY(vcpu->eflags & X86_FLAG_AC) && vcpu->cr0 & X86_CR0_AM && vcpu->cpl == 3 &&
	       nbytes <= 8 && !(nbytes & (nbytes - 1)) && linear & (nbytes - 1);
}

/* ---- paging.c ---- */

/* The four PDPTEs that @cr3 points to, checked; MON_FAULT is #GP(0). Only for CR4.PAE paging. */
enum mon_status sys_read_pdptes(struct mon_vcpu *vcpu, uint32_t cr3, uint64_t pdpte[4]);

/* ---- stack.c ---- */

/*
 * Put @nr values of @size bytes (2 or 4) on the stack @ss:*@esp, value[0] first, all or nothing, and move *@esp.
 * @ss need not be in vcpu->seg yet; then @access holds MON_ACC_SYSTEM for a stack of CPL 0..2, and
 * @error is the code of a #SS: 0 for the current stack, the new selector on a stack switch.
 */
#define SYS_FRAME_MAX	40
/* With @access: no #AC. For frames of events: an #AC while #AC is delivered to CPL 3 would never end. */
#define SYS_ACC_UNALIGNED 0x100
enum mon_status sys_push_frame(struct mon_vcpu *vcpu, const struct mon_seg *ss, uint32_t *esp, const uint32_t *value,
			       unsigned int nr, unsigned int size, unsigned int access, uint16_t error);
/* Read @nr values of @size bytes from the current stack, @skip bytes above its top. Nothing moves. */
enum mon_status sys_peek_frame(struct mon_vcpu *vcpu, uint32_t skip, uint32_t *value, unsigned int nr,
			       unsigned int size);
/* The stack that the current TSS holds for @cpl, checked as a stack switch checks it (#TS, #SS name the selector). */
enum mon_status sys_inner_stack(struct mon_vcpu *vcpu, unsigned int cpl, struct mon_seg *ss, uint32_t *esp);
/* @esp moved by @delta as a stack of @ss's width moves: with B = 0 the upper half stays. */
static inline uint32_t sys_stack_move(const struct mon_seg *ss, uint32_t esp, uint32_t delta)
{
	if (ss->attr & MON_SEG_DB)
		return esp + delta;
	return (esp & 0xffff0000) | ((esp + delta) & 0xffff);
}

/* ---- segment.c ---- */

/* Are @nbytes at @offset inside the segment's limit, expand-down ones included? */
bool sys_seg_holds(const struct mon_seg *seg, uint32_t offset, uint32_t nbytes);
/* Set the accessed bit in the table if it is clear; updates @desc too. */
enum mon_status sys_mark_accessed(struct mon_vcpu *vcpu, uint16_t sel, uint32_t desc[2]);
/* Change the busy bit of the TSS descriptor @sel of the GDT. */
enum mon_status sys_mark_busy(struct mon_vcpu *vcpu, uint16_t sel, bool busy);
/* A segment register as a null selector leaves it. */
void sys_seg_null(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel);
/* Commit a register whose descriptor has passed all checks. CS: RPL and CPL become @cpl. */
void sys_commit_seg(struct mon_vcpu *vcpu, unsigned int sreg, uint16_t sel, const uint32_t desc[2]);
void sys_commit_cs(struct mon_vcpu *vcpu, uint16_t sel, const uint32_t desc[2], unsigned int cpl);
/* A stack segment for @cpl: null, limits, RPL, DPL and type are @vector; not present is #SS. Sets accessed. */
enum mon_status sys_check_ss(struct mon_vcpu *vcpu, uint16_t sel, unsigned int cpl, uint8_t vector, uint32_t desc[2]);

/* ---- far.c ---- */

/* The EIP after the far instruction at CS:EIP, for routines that are not told (task switches by JMP, IRET). */
uint32_t sys_next_eip(struct mon_vcpu *vcpu);

#endif
