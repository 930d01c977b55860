/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_repeat.h - what the string instructions and the string port instructions have in common.
 *
 * Asked by: interp_string.c, interp_port.c. Done in: interp_repeat.c.
 */
#ifndef MONITOR_INTERP_REPEAT_H
#define MONITOR_INTERP_REPEAT_H

#include "monitor/interp.h"

/* Elements that one call of mon_interp_one() does at most, so that interrupts are looked at now and then. */
#define IP_REPEAT_BUDGET 4096u
/* The bounce buffer of runs. On the stack, which in ring 0 is small. */
#define IP_RUN_BYTES 512u

static inline bool ip_repeats(const struct prescan_insn *in)
{
	return in->prefixes & (PRESCAN_PFX_REP | PRESCAN_PFX_REPNE);
}

/* Runs go upward, and an instruction that is single-stepped or watched does one element at a time. */
static inline bool ip_may_run(const struct mon_vcpu *v)
{
	return !(v->eflags & (X86_FLAG_DF | X86_FLAG_TF)) && !v->debug_armed;
}

/* Does a trap come between this element and the next? */
static inline bool ip_traps_between(const struct mon_vcpu *v)
{
	return (v->eflags & X86_FLAG_TF) || v->debug_hits;
}

/* ESI or EDI on by @count elements, the way DF says, within the address size. */
static inline void ip_string_advance(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int reg,
				     unsigned int size, uint32_t count)
{
	uint32_t delta = v->eflags & X86_FLAG_DF ? -(count * size) : count * size;

	ip_set_reg(v, reg, in->addrsize, v->gpr[reg] + delta);
}

/* Elements in one piece of plain RAM. */
struct ip_run {
	uint32_t gpa;
	uint32_t count;
};

/*
 * How many of the @count elements at sreg:reg, upward, lie in one page of RAM, in reach of the segment and
 * without wrapping? False if fewer than two, or if anything is unusual or would fault: the caller then does one element by
 * itself and meets the fault properly. vcpu->fault may have been written; nobody reads it without MON_FAULT.
 */
bool ip_run_find(struct mon_vcpu *v, const struct prescan_insn *in, unsigned int sreg, unsigned int reg,
		 unsigned int size, uint32_t count, unsigned int access, struct ip_run *run);

#endif
