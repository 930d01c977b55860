/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/interp_stack.c - PUSH and POP in all their forms, and stack frames.
 *
 * The operand size says how much is moved, the stack segment's B bit whether ESP or SP moves: the two are independent.
 * ESP is written only when all the memory of the instruction has been.
 *
 * Asked by:  interp.c's tables.
 * Tested by: tests/unit/test_interp.c, tests/unit/test_interp_bare.c.
 */
#include "monitor/interp.h"

INTERP_HANDLER(interp_push_reg)
{
	/* PUSH ESP stores the value before the decrement. */
	IP_TRY(ip_push(v, in->opsize, v->gpr[in->opcode & 7]));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_pop_reg)
{
	uint32_t value;

	IP_TRY(ip_peek(v, in->opsize, &value));
	ip_drop(v, in->opsize);
	ip_set_reg(v, in->opcode & 7, in->opsize, value);	/* POP ESP: the value wins over the increment */
	return ip_done(v, in);
}

INTERP_HANDLER(interp_push_imm)
{
	IP_TRY(ip_push(v, in->opsize, in->imm));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_push_rm)
{
	uint32_t value;

	IP_TRY(ip_rm_load(v, in, in->opsize, &value));
	IP_TRY(ip_push(v, in->opsize, value));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_pop_rm)
{
	uint32_t old_esp = v->gpr[X86_ESP], new_esp, value, offset;

	IP_TRY(ip_peek(v, in->opsize, &value));
	ip_drop(v, in->opsize);
	if (!ip_is_mem(in)) {
		ip_set_reg(v, in->rm, in->opsize, value);
		return ip_done(v, in);
	}
	/* An address with ESP in it is formed after the increment: SDM 2B, "POP". */
	new_esp = v->gpr[X86_ESP];
	offset = ip_offset(v, in);
	v->gpr[X86_ESP] = old_esp;
	IP_TRY(ip_store(v, in->seg, offset, in->opsize, value));
	v->gpr[X86_ESP] = new_esp;
	return ip_done(v, in);
}

/* 06 0E 16 1E are ES CS SS DS; 0F A0 and A8 FS and GS: bits 5..3 of the opcode, either way. */
INTERP_HANDLER(interp_push_sreg)
{
	IP_TRY(ip_push(v, in->opsize, v->seg[in->opcode >> 3 & 7].sel));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_pop_sreg)
{
	unsigned int sreg = in->opcode >> 3 & 7;
	uint32_t value, esp;

	IP_TRY(ip_peek(v, in->opsize, &value));
	/* POP SS: it is the old stack whose pointer moves. */
	esp = ip_sp_add(v, v->gpr[X86_ESP], in->opsize);
	IP_TRY(mon_load_seg(v, sreg, (uint16_t)value));
	v->gpr[X86_ESP] = esp;
	if (sreg == X86_SS)
		v->int_shadow = MON_SHADOW_SS;
	return ip_done(v, in);
}

/* Up to 33 words (ENTER) pushed as one: all slots are probed, in the order of the pushes, before the first is written. */
struct multi_push {
	uint32_t esp;
	unsigned int size, n;
	uint32_t linear[33], value[33];
};

static enum mon_status multi_push_add(struct mon_vcpu *v, struct multi_push *push, uint32_t value)
{
	unsigned int i = push->n;

	push->esp = ip_sp_add(v, push->esp, -push->size);
	push->value[i] = value;
	IP_TRY(ip_probe_write(v, X86_SS, ip_sp_offset(v, push->esp), push->size, &push->linear[i]));
	push->n++;
	return MON_OK;
}

static enum mon_status multi_push_commit(struct mon_vcpu *v, const struct multi_push *push)
{
	for (unsigned int i = 0; i < push->n; i++)
		IP_TRY(mon_write(v, push->linear[i], &push->value[i], push->size, MON_ACC_WRITE));
	return MON_OK;
}

INTERP_HANDLER(interp_pusha)
{
	struct multi_push push = { .esp = v->gpr[X86_ESP], .size = in->opsize };

	for (unsigned int reg = 0; reg < 8; reg++)
		IP_TRY(multi_push_add(v, &push, v->gpr[reg]));
	IP_TRY(multi_push_commit(v, &push));
	v->gpr[X86_ESP] = push.esp;
	return ip_done(v, in);
}

INTERP_HANDLER(interp_popa)
{
	uint32_t esp = v->gpr[X86_ESP], value[8];

	for (int reg = 7; reg >= 0; reg--) {
		/* The slot of ESP is read too, and may fault, but goes nowhere. */
		IP_TRY(ip_load(v, X86_SS, ip_sp_offset(v, esp), in->opsize, &value[reg]));
		esp = ip_sp_add(v, esp, in->opsize);
	}
	for (unsigned int reg = 0; reg < 8; reg++)
		if (reg != X86_ESP)
			ip_set_reg(v, reg, in->opsize, value[reg]);
	v->gpr[X86_ESP] = esp;
	return ip_done(v, in);
}

INTERP_HANDLER(interp_pushf)
{
	uint32_t image;

	IP_TRY(mon_pushf(v, in->opsize, &image));
	IP_TRY(ip_push(v, in->opsize, image & ~(uint32_t)(X86_FLAG_VM | X86_FLAG_RF)));
	return ip_done(v, in);
}

INTERP_HANDLER(interp_popf)
{
	uint32_t image;

	IP_TRY(ip_peek(v, in->opsize, &image));
	IP_TRY(mon_popf(v, image, in->opsize));
	ip_drop(v, in->opsize);
	return ip_done(v, in);
}

/*
 * ENTER size, level: SDM 2A, "ENTER". The outer frame pointers are read through EBP downward, and may be, or
 * overlap, what this very instruction has just pushed: pending bytes lie over memory's.
 */
static enum mon_status enter_read(struct mon_vcpu *v, const struct multi_push *push, uint32_t offset, uint32_t *value)
{
	uint32_t linear, word = 0;
	uint8_t buf[4];

	IP_TRY(ip_probe_read(v, X86_SS, offset, push->size, &linear));
	IP_TRY(mon_read(v, linear, buf, push->size, MON_ACC_READ));
	for (unsigned int i = 0; i < push->size; i++) {
		for (unsigned int slot = 0; slot < push->n; slot++) {
			uint32_t within = linear + i - push->linear[slot];

			if (within < push->size)
				buf[i] = (uint8_t)(push->value[slot] >> within * 8);
		}
		word |= (uint32_t)buf[i] << i * 8;
	}
	*value = word;
	return MON_OK;
}

INTERP_HANDLER(interp_enter)
{
	struct multi_push push = { .esp = v->gpr[X86_ESP], .size = in->opsize };
	unsigned int level = in->imm2 & 31;
	uint32_t ebp = v->gpr[X86_EBP], frame, esp, value, linear;

	IP_TRY(multi_push_add(v, &push, ebp));
	frame = push.esp;
	if (level > 0) {
		for (unsigned int i = 1; i < level; i++) {
			ebp = ip_sp_add(v, ebp, -(uint32_t)in->opsize);
			IP_TRY(enter_read(v, &push, ip_sp_offset(v, ebp), &value));
			IP_TRY(multi_push_add(v, &push, value));
		}
		IP_TRY(multi_push_add(v, &push, frame));
	}
	/* The new top of the stack must be writable too, though nothing is written there. */
	esp = ip_sp_add(v, push.esp, -(in->imm & 0xffff));
	if (esp != push.esp)
		IP_TRY(ip_probe_write(v, X86_SS, ip_sp_offset(v, esp), in->opsize, &linear));

	IP_TRY(multi_push_commit(v, &push));
	v->gpr[X86_ESP] = esp;
	ip_set_reg(v, X86_EBP, in->opsize, frame);
	return ip_done(v, in);
}

INTERP_HANDLER(interp_leave)
{
	uint32_t ebp = v->gpr[X86_EBP], esp, value;

	IP_TRY(ip_load(v, X86_SS, ip_sp_offset(v, ebp), in->opsize, &value));
	esp = mon_stack32(v) ? ebp : (v->gpr[X86_ESP] & 0xffff0000u) | (ebp & 0xffff);
	v->gpr[X86_ESP] = ip_sp_add(v, esp, in->opsize);
	ip_set_reg(v, X86_EBP, in->opsize, value);
	return ip_done(v, in);
}
