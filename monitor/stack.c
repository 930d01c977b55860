/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/stack.c - whole frames on and off a guest stack.
 *
 *      far.c interrupt.c task.c --> [stack] --> memory.c
 *
 * Asked by:  the files that push several values as one deed, some of them on a stack that is not loaded yet.
 * Asks:      memory.c; segment.c for limits and for the checks of a new SS.
 * Tested by: tests/unit/test_far.c, tests/unit/test_interrupt.c.
 *
 * A frame is put down completely or not at all: all that can fault comes before the first byte. Nearly
 * always it is one straight run of bytes and so one write; only a frame that wraps around the end of its
 * segment (SP of 2 and three words to push) goes value by value.
 */
#include "monitor/system.h"

/* Offset of the stack's lowest byte, and whether @nbytes from there are one run. */
static bool straight_run(const struct mon_seg *ss, uint32_t *low, uint32_t nbytes)
{
	if (ss->attr & MON_SEG_DB)
		return *low + nbytes - 1 >= *low;
	*low &= 0xffff;
	return *low + nbytes <= 0x10000;
}

enum mon_status sys_push_frame(struct mon_vcpu *vcpu, const struct mon_seg *ss, uint32_t *esp, const uint32_t *value,
			       unsigned int nr, unsigned int size, unsigned int access, uint16_t error)
{
	uint32_t total = nr * size;
	uint32_t low = *esp - total;
	uint8_t buf[SYS_FRAME_MAX * 4];
	enum mon_status st;

	/* Ascending addresses: the last value pushed is the first in memory. */
	for (unsigned int i = 0; i < nr; i++) {
		uint8_t *to = buf + (nr - 1 - i) * size;

		if (size == 4)
			__builtin_memcpy(to, &value[i], 4);
		else
			__builtin_memcpy(to, &value[i], 2);
	}

	if (straight_run(ss, &low, total)) {
		if (!sys_seg_holds(ss, low, total))
			return mon_fault_error(vcpu, X86_VEC_SS, error);
		if (!(access & (MON_ACC_SYSTEM | SYS_ACC_UNALIGNED)) && sys_misaligned(vcpu, ss->base + low, size))
			return mon_fault_error(vcpu, X86_VEC_AC, 0);
		st = mon_write(vcpu, ss->base + low, buf, total, access | MON_ACC_WRITE);
		if (st)
			return st;
		*esp = sys_stack_move(ss, *esp, 0 - total);
		return MON_OK;
	}

	for (unsigned int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < nr; i++) {
			uint32_t at = *esp - total + i * size;

			if (!(ss->attr & MON_SEG_DB))
				at &= 0xffff;
			if (!sys_seg_holds(ss, at, size))
				return mon_fault_error(vcpu, X86_VEC_SS, error);
			if (pass == 0)
				st = mon_probe(vcpu, ss->base + at, size, access | MON_ACC_WRITE);
			else
				st = mon_write(vcpu, ss->base + at, buf + i * size, size, access | MON_ACC_WRITE);
			if (st)
				return st;
		}
	}
	*esp = sys_stack_move(ss, *esp, 0 - total);
	return MON_OK;
}

enum mon_status sys_peek_frame(struct mon_vcpu *vcpu, uint32_t skip, uint32_t *value, unsigned int nr, unsigned int size)
{
	const struct mon_seg *ss = &vcpu->seg[X86_SS];
	uint32_t low = vcpu->gpr[X86_ESP] + skip;
	uint32_t total = nr * size;
	uint8_t buf[SYS_FRAME_MAX * 4];
	enum mon_status st;

	if (straight_run(ss, &low, total)) {
		uint32_t linear;

		st = mon_seg_check(vcpu, X86_SS, low, total, MON_ACC_READ, &linear);
		if (st)
			return st;
		if (sys_misaligned(vcpu, linear, size))		/* each value by itself, not the frame */
			return mon_fault_error(vcpu, X86_VEC_AC, 0);
		st = mon_read(vcpu, linear, buf, total, MON_ACC_READ);
		if (st)
			return st;
	} else {
		for (unsigned int i = 0; i < nr; i++) {
			uint32_t at = low + i * size;

			if (!(ss->attr & MON_SEG_DB))
				at &= 0xffff;
			st = mon_seg_read(vcpu, X86_SS, at, buf + i * size, size);
			if (st)
				return st;
		}
	}
	for (unsigned int i = 0; i < nr; i++) {
		value[i] = 0;
		if (size == 4)
			__builtin_memcpy(&value[i], buf + i * 4, 4);
		else
			__builtin_memcpy(&value[i], buf + i * 2, 2);
	}
	return MON_OK;
}

enum mon_status sys_inner_stack(struct mon_vcpu *vcpu, unsigned int cpl, struct mon_seg *ss, uint32_t *esp)
{
	uint32_t desc[2];
	uint16_t sel;
	enum mon_status st;

	st = mon_tss_stack(vcpu, cpl, &sel, esp);
	if (st)
		return st;
	st = sys_check_ss(vcpu, sel, cpl, X86_VEC_TS, desc);
	if (st)
		return st;
	mon_seg_from_descriptor(ss, sel, desc);
	return MON_OK;
}
