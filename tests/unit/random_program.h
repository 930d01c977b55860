/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/random_program.h - random guest programs for test_engine_random.c: straight-line code with forward branches, short
 * loops, calls and stores into itself, of whatever ring 3 or ring 0 may try.
 *
 * Where the result of an instruction is left open (undefined flags, which of two bad operands faults), the program does
 * not look at it. Everything follows from kind and number.
 */
#ifndef TESTS_UNIT_RANDOM_PROGRAM_H
#define TESTS_UNIT_RANDOM_PROGRAM_H

#include "engine_vm.h"

#define CODE_MAX 0xe00u

#define SEG_SMALL 0x48		/* base DATA, limit 7FFh */
#define SEG_READ 0x50		/* read-only, base DATA */
#define SEG_DOWN 0x58		/* expand-down, base DATA, above FFFh */
#define SEG_ABSENT 0x60
#define SEG_BYTES 0x68		/* base DATA, limit 123456h, by pages */
#define SEG_TLS 0x70		/* flat, base DATA: offsets may wrap */
#define SEG_CODE 0x78		/* readable code, base DATA */
#define SEG_STACK16 0x80	/* 16-bit stack, base 0 */

enum kind { RING0, RING0_PAGED, RING3, RING3_NO_WP, RING0_16, RING3_16, NR_KINDS };
static const char *const kind_name[] = { "ring 0", "ring 0 with paging", "ring 3", "ring 3 without CR0.WP", "16-bit ring 0", "16-bit ring 3" };

struct program {
	uint64_t random;
	bool d16, user, paged;
	uint8_t code[CODE_MAX + 0x100];
	uint8_t patched[CODE_MAX + 0x100];	/* bytes that the program itself is meant to change */
	bool starts[CODE_MAX + 0x100];	/* an instruction begins here */
	uint16_t next[0x1000];
	uint32_t n, last_start;
	uint32_t rpl;
};

/* ---- the generator ---------------------------------------------------------------------------------------- */

static uint32_t rnd(struct program *p, uint32_t below)
{
	p->random = p->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((p->random >> 33) % below);
}

static void put(struct program *p, uint8_t byte)
{
	p->code[p->n++] = byte;
}

static void put32(struct program *p, uint32_t value)
{
	memcpy(p->code + p->n, &value, 4);
	p->n += 4;
}

/* A new instruction with its prefixes, as 32-bit code would have them: in 16-bit code they mean the other size. */
#define P66 1
#define P67 2
static void start(struct program *p, unsigned int prefixes)
{
	if (p->n)
		p->next[p->last_start] = (uint16_t)p->n;
	p->last_start = p->n;
	p->starts[p->n] = true;
	if (p->d16)
		prefixes ^= P66 | P67;
	if (prefixes & P66)
		put(p, 0x66);
	if (prefixes & P67)
		put(p, 0x67);
}

static unsigned int reg(struct program *p)
{
	static const uint8_t regs[] = { 0, 1, 2, 3, 5, 6, 7 };

	return regs[rnd(p, 7)];
}

static uint32_t value(struct program *p)
{
	static const uint32_t odd[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff };

	return rnd(p, 3) ? rnd(p, 0x7fffffff) * 2 + rnd(p, 2) : odd[rnd(p, PLX_ARRAY_SIZE(odd))];
}

static uint32_t address(struct program *p)
{
	switch (rnd(p, 24)) {
	case 0:
		return 0x50000 + rnd(p, 0x3000);
	case 1:
		return 0x50000 + rnd(p, 4) * 0x1000 - 3 + rnd(p, 6);
	case 2:
		return p->user ? 0xc0000000 + rnd(p, 0x40000) : DATA + rnd(p, 0x8000);
	case 3:
		return p->paged ? 0x40000000 + rnd(p, 0x10000) : 0x900000 + rnd(p, 0x100);
	case 4:
		return DATA + 0x1000 * rnd(p, 8) - 3 + rnd(p, 6);
	default:
		return DATA + rnd(p, 0x8000);
	}
}

static void set_reg(struct program *p, unsigned int r, uint32_t v)
{
	start(p, 0);
	put(p, 0xb8 | r);
	put32(p, v);
}

static void maybe_segment(struct program *p)
{
	static const uint8_t prefix[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };

	if (!rnd(p, 10))
		put(p, prefix[rnd(p, 6)]);
}

/* ModRM with a memory operand. */
static void memory(struct program *p, unsigned int r)
{
	switch (rnd(p, 5)) {
	case 0:
	case 1:
		put(p, (uint8_t)(r << 3 | 5));
		put32(p, address(p));
		break;
	case 2:					/* [EBX, ESI, EDI + disp8] */
		put(p, (uint8_t)(0x40 | r << 3 | (const uint8_t[]){ 3, 6, 7 }[rnd(p, 3)]));
		put(p, (uint8_t)rnd(p, 256));
		break;
	case 3:					/* [ESP + disp8]: above it lies what was pushed */
		put(p, (uint8_t)(0x40 | r << 3 | 4));
		put(p, 0x24);
		put(p, (uint8_t)rnd(p, 64));
		break;
	case 4:					/* [base + EDX * scale + disp32] */
		put(p, (uint8_t)(0x80 | r << 3 | 4));
		put(p, (uint8_t)(rnd(p, 4) << 6 | 2 << 3 | (const uint8_t[]){ 3, 6, 7 }[rnd(p, 3)]));
		put32(p, rnd(p, 0x100));
		break;
	}
}

static void operand(struct program *p, unsigned int r)
{
	if (rnd(p, 2))
		memory(p, r);
	else
		put(p, (uint8_t)(0xc0 | r << 3 | reg(p)));
}

/* After flags that are undefined: CMP defines them all. */
static void define_flags(struct program *p)
{
	start(p, 0);
	put(p, 0x83);
	put(p, (uint8_t)(0xf8 | reg(p)));
	put(p, (uint8_t)rnd(p, 256));
}

static void pointers(struct program *p)
{
	set_reg(p, (const uint8_t[]){ 3, 6, 7 }[rnd(p, 3)], address(p));
	if (!rnd(p, 3))
		set_reg(p, 2, rnd(p, 0x400));
}

static unsigned int some66(struct program *p)
{
	return rnd(p, 4) ? 0 : P66;
}

static void gen_alu(struct program *p)
{
	unsigned int op = rnd(p, 8), form = rnd(p, 6), pfx = some66(p);
	bool lock = !rnd(p, 16), wide = pfx ^ 0 ? false : true;

	start(p, pfx);
	if (lock && form < 2 && op != 7) {
		put(p, 0xf0);
		put(p, (uint8_t)(op << 3 | form));
		memory(p, reg(p));
	} else if (form < 4) {
		maybe_segment(p);
		put(p, (uint8_t)(op << 3 | form));
		operand(p, form & 1 ? reg(p) : rnd(p, 8));
	} else if (form == 4) {
		maybe_segment(p);
		put(p, 0x83);
		operand(p, op);
		put(p, (uint8_t)rnd(p, 256));
	} else {
		uint32_t v = value(p);

		maybe_segment(p);
		put(p, 0x81);
		operand(p, op);
		put(p, (uint8_t)v);
		put(p, (uint8_t)(v >> 8));
		if (wide) {
			put(p, (uint8_t)(v >> 16));
			put(p, (uint8_t)(v >> 24));
		}
	}
	if (op == 1 || op == 4 || op == 6)
		define_flags(p);
}

static void gen_move(struct program *p)
{
	unsigned int pfx = some66(p);

	switch (rnd(p, 9)) {
	case 0:
	case 1:
		start(p, pfx);
		maybe_segment(p);
		put(p, (uint8_t)(0x88 + 2 * rnd(p, 2)));
		operand(p, rnd(p, 8));
		break;
	case 2:
	case 3:
		start(p, pfx);
		maybe_segment(p);
		put(p, (uint8_t)(0x89 + 2 * rnd(p, 2)));
		operand(p, reg(p));
		break;
	case 4:
		start(p, 0);
		put(p, 0x8d);
		memory(p, reg(p));
		break;
	case 5:
		start(p, pfx);
		put(p, 0x0f);
		put(p, (const uint8_t[]){ 0xb6, 0xb7, 0xbe, 0xbf }[rnd(p, 4)]);
		operand(p, reg(p));
		break;
	case 6:
		start(p, pfx);
		put(p, 0x0f);
		put(p, (uint8_t)(0x40 | rnd(p, 16)));
		operand(p, reg(p));
		break;
	case 7:
		start(p, pfx);
		put(p, 0x86 + (uint8_t)rnd(p, 2));
		if (p->code[p->n - 1] & 1)
			operand(p, reg(p));
		else
			memory(p, rnd(p, 8));
		break;
	case 8:
		start(p, 0);
		maybe_segment(p);
		put(p, 0xa0 + (uint8_t)rnd(p, 4));
		put32(p, address(p));
		break;
	}
}

static void gen_one_operand(struct program *p)
{
	unsigned int op = rnd(p, 6), pfx = some66(p);

	start(p, pfx);
	switch (op) {
	case 0:
		put(p, 0xfe + (uint8_t)rnd(p, 2));
		if (p->code[p->n - 1] & 1)
			operand(p, rnd(p, 2));
		else
			memory(p, rnd(p, 2));
		break;
	case 1:
		put(p, (uint8_t)(0x40 | rnd(p, 2) << 3 | reg(p)));
		break;
	case 2:
		put(p, 0xf6 + (uint8_t)rnd(p, 2));
		operand(p, 2 + rnd(p, 2));
		break;
	default:			/* MUL IMUL DIV IDIV */
		put(p, 0xf6 + (uint8_t)rnd(p, 2));
		operand(p, 4 + rnd(p, 4));
		define_flags(p);
		break;
	}
}

static void gen_shift(struct program *p)
{
	unsigned int op = rnd(p, 8);

	start(p, some66(p));
	switch (rnd(p, 5)) {
	case 0:
		put(p, 0xc0 + (uint8_t)rnd(p, 2));
		operand(p, op);
		put(p, (uint8_t)rnd(p, 40));
		break;
	case 1:
		put(p, 0xd0 + (uint8_t)rnd(p, 4));
		operand(p, op);
		break;
	case 2:				/* 32-bit SHLD, SHRD: a 16-bit count above 16 is undefined */
		p->n = p->last_start;
		start(p, 0);
		put(p, 0x0f);
		put(p, rnd(p, 2) ? 0xa4 : 0xac);
		operand(p, reg(p));
		put(p, (uint8_t)rnd(p, 40));
		break;
	case 3:
		put(p, 0x0f);
		put(p, (const uint8_t[]){ 0xa3, 0xab, 0xb3, 0xbb }[rnd(p, 4)]);
		operand(p, reg(p));
		break;
	case 4:
		put(p, 0x0f);
		put(p, 0xba);
		operand(p, 4 + rnd(p, 4));
		put(p, (uint8_t)rnd(p, 256));
		break;
	}
	define_flags(p);
}

static void gen_odd_integer(struct program *p)
{
	switch (rnd(p, 10)) {
	case 0:
		start(p, 0);
		put(p, 0x0f);
		put(p, (uint8_t)(0x90 | rnd(p, 16)));
		operand(p, rnd(p, 8));
		break;
	case 1:
		start(p, 0);
		put(p, 0x0f);
		put(p, (uint8_t)(0xc8 | reg(p)));
		break;
	case 2:
		start(p, some66(p));
		put(p, 0x0f);
		put(p, 0xc1);
		operand(p, reg(p));
		break;
	case 3:
		start(p, some66(p));
		put(p, 0x0f);
		put(p, 0xb1);
		operand(p, reg(p));
		break;
	case 4:
		start(p, 0);
		put(p, 0x0f);
		put(p, 0xc7);
		memory(p, 1);
		break;
	case 5:
		start(p, 0);
		put(p, 0x0f);
		put(p, 0xaf);
		operand(p, reg(p));
		define_flags(p);
		break;
	case 6:
		start(p, some66(p));
		put(p, rnd(p, 2) ? 0x98 : 0x99);
		break;
	case 7:
		start(p, 0);
		put(p, (const uint8_t[]){ 0x27, 0x2f, 0x37, 0x3f }[rnd(p, 4)]);
		define_flags(p);
		break;
	case 8:
		start(p, 0);
		put(p, rnd(p, 2) ? 0xd4 : 0xd5);
		put(p, (uint8_t)rnd(p, 12));
		define_flags(p);
		break;
	case 9:
		start(p, 0);
		maybe_segment(p);
		put(p, 0xd7);
		break;
	}
}

static void gen_stack(struct program *p)
{
	unsigned int pfx = some66(p);

	switch (rnd(p, 10)) {
	case 0:
		start(p, pfx);
		put(p, (uint8_t)(0x50 | rnd(p, 8)));
		break;
	case 1:
		start(p, pfx);
		put(p, (uint8_t)(0x58 | reg(p)));
		break;
	case 2:
		start(p, pfx);
		put(p, 0xff);
		memory(p, 6);
		break;
	case 3:
		start(p, pfx);
		put(p, 0x8f);
		memory(p, 0);
		break;
	case 4:
		start(p, pfx);
		put(p, 0x60);
		if (rnd(p, 2)) {
			start(p, pfx);
			put(p, 0x61);
		}
		break;
	case 5:				/* levels that cannot fault half-way: what is written then is nobody's promise */
		set_reg(p, X86_EBP, DATA + 0x100 + 4 * rnd(p, 0x100));
		start(p, 0);
		put(p, 0xc8);
		put(p, (uint8_t)rnd(p, 64));
		put(p, 0);
		put(p, (uint8_t)rnd(p, 4));
		start(p, 0);
		put(p, 0xc9);
		break;
	case 6:
		start(p, pfx);
		put(p, 0x6a);
		put(p, (uint8_t)rnd(p, 256));
		break;
	case 7:
		start(p, pfx);
		put(p, 0x9c);
		start(p, pfx);
		put(p, (uint8_t)(0x58 | reg(p)));
		break;
	case 8:				/* any flags but TF, VM and RF; AC and NT seldom */
		start(p, 0);
		put(p, 0x68);
		put32(p, value(p) & (rnd(p, 4) ? 0x203ed5 : 0x247ed5));
		start(p, 0);
		put(p, 0x9d);
		if (rnd(p, 4)) {		/* most often back to something usual */
			start(p, 0);
			put(p, 0x68);
			put32(p, value(p) & 0xad5);
			start(p, 0);
			put(p, 0x9d);
		}
		break;
	case 9:
		set_reg(p, X86_ESP, STACK - 64 * rnd(p, 64));
		break;
	}
}

static void gen_string(struct program *p)
{
	static const uint8_t ops[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf };
	uint8_t op;

	if (!rnd(p, 3)) {
		start(p, 0);
		put(p, rnd(p, 2) ? 0xfc : 0xfd);
	}
	if (rnd(p, 3))
		set_reg(p, X86_ESI, address(p));
	if (rnd(p, 3))
		set_reg(p, X86_EDI, address(p));
	set_reg(p, X86_ECX, rnd(p, 4) ? rnd(p, 20) : rnd(p, 2000));
	op = ops[rnd(p, PLX_ARRAY_SIZE(ops))];
	if ((op & 0xfe) == 0xa6) {		/* which of two bad operands faults is the processor's affair */
		set_reg(p, X86_ESI, DATA + rnd(p, 0x1000));
		set_reg(p, X86_EDI, DATA + rnd(p, 0x1000));
	}
	start(p, some66(p));
	if ((op & 0xfe) != 0xa6)
		maybe_segment(p);
	if (rnd(p, 3))
		put(p, 0xf2 + (uint8_t)rnd(p, 2));
	put(p, op);
}

static void gen_flags(struct program *p)
{
	static const uint8_t ops[] = { 0xfa, 0xfb, 0xf8, 0xf9, 0xf5, 0xfc, 0xfc, 0xfd, 0x9e, 0x9f, 0xfa, 0xfb };

	start(p, 0);
	if (!rnd(p, 12))
		put(p, 0x2e);
	put(p, ops[rnd(p, PLX_ARRAY_SIZE(ops))]);
}

static uint32_t selector(struct program *p)
{
	static const uint8_t usual[] = { SEG_SMALL, SEG_READ, SEG_DOWN, SEG_ABSENT, SEG_BYTES, SEG_TLS, SEG_CODE, SEG_STACK16, 0, CODE0 };

	if (rnd(p, 2))
		return p->user ? DATA3 : DATA0;
	if (!rnd(p, 12))
		return rnd(p, 0x10000);
	return usual[rnd(p, PLX_ARRAY_SIZE(usual))] | (rnd(p, 8) ? p->rpl : rnd(p, 4));
}

static void gen_segment(struct program *p)
{
	static const uint8_t sregs[] = { 0, 3, 4, 5, 0, 3, 4, 5, 0, 3, 4, 5, 0, 3, 2 };
	unsigned int sreg = sregs[rnd(p, PLX_ARRAY_SIZE(sregs))], r = reg(p);

	switch (rnd(p, 9)) {
	case 0:
	case 1:
		set_reg(p, r, selector(p));
		start(p, 0);
		put(p, 0x8e);
		put(p, (uint8_t)(0xc0 | sreg << 3 | r));
		if (sreg == 2 && rnd(p, 4)) {	/* back to a stack that works */
			set_reg(p, r, p->user ? DATA3 : DATA0);
			start(p, 0);
			put(p, 0x8e);
			put(p, (uint8_t)(0xc0 | sreg << 3 | r));
		}
		break;
	case 2:
		start(p, 0);
		put(p, 0x68);
		put32(p, selector(p));
		start(p, 0);
		if (sreg >= 4)
			put(p, 0x0f);
		put(p, (const uint8_t[]){ 0x07, 0, 0x17, 0x1f, 0xa1, 0xa9 }[sreg == 2 ? 3 : sreg]);
		break;
	case 3:
		start(p, some66(p));
		if (sreg >= 4)
			put(p, 0x0f);
		put(p, (const uint8_t[]){ 0x06, 0, 0x16, 0x1e, 0xa0, 0xa8 }[sreg]);
		break;
	case 4:
		start(p, some66(p));
		put(p, 0x8c);
		operand(p, rnd(p, 6));
		break;
	case 5:
		set_reg(p, r, selector(p));
		start(p, 0);
		put(p, 0x0f);
		put(p, 2 + (uint8_t)rnd(p, 2));		/* LAR LSL */
		put(p, (uint8_t)(0xc0 | reg(p) << 3 | r));
		break;
	case 6:
		set_reg(p, r, selector(p));
		start(p, 0);
		put(p, 0x0f);
		put(p, 0);
		put(p, (uint8_t)(0xc0 | (4 + rnd(p, 2)) << 3 | r));	/* VERR VERW */
		break;
	case 7:
		start(p, 0);
		put(p, 0x0f);
		put(p, (uint8_t)rnd(p, 2));
		memory(p, rnd(p, 2));			/* SLDT STR SGDT SIDT */
		break;
	case 8:
		start(p, 0);				/* LES LDS LFS LGS */
		sreg = rnd(p, 4);
		if (sreg >= 2)
			put(p, 0x0f);
		put(p, (const uint8_t[]){ 0xc4, 0xc5, 0xb4, 0xb5 }[sreg]);
		memory(p, reg(p));
		break;
	}
}

static void gen_fpu(struct program *p)
{
	switch (rnd(p, 9)) {
	case 0:
	case 1:
		start(p, 0);
		put(p, 0xd8 + (uint8_t)rnd(p, 8));
		if (p->code[p->n - 1] == 0xd9 || p->code[p->n - 1] == 0xdd)
			memory(p, (const uint8_t[]){ 0, 2, 3, 0, 7 }[rnd(p, 5)]);	/* FLD FST FSTP; FNSTCW FNSTSW */
		else if (p->code[p->n - 1] == 0xdb)
			memory(p, (const uint8_t[]){ 0, 2, 3, 5, 7 }[rnd(p, 5)]);
		else
			memory(p, rnd(p, 8));
		break;
	case 2:
	case 3:
		start(p, 0);
		put(p, (const uint8_t[]){ 0xd8, 0xdc, 0xde, 0xda, 0xdb, 0xd9 }[rnd(p, 6)]);
		if (p->code[p->n - 1] == 0xd9)
			put(p, (const uint8_t[]){ 0xe8, 0xeb, 0xee, 0xe0, 0xe1, 0xe4, 0xfa, 0xfc, 0xc9, 0xc1, 0xd0 }[rnd(p, 11)]);
		else if (p->code[p->n - 1] == 0xda)
			put(p, 0xc0 | (uint8_t)rnd(p, 32));
		else if (p->code[p->n - 1] == 0xdb)
			put(p, (const uint8_t[]){ 0xe2, 0xe3, 0xc1, 0xc9, 0xd1 }[rnd(p, 5)]);
		else
			put(p, (uint8_t)(0xc0 | (rnd(p, 2) ? 0 : 0x20) | rnd(p, 16)));
		break;
	case 4:
		start(p, 0);
		put(p, 0xdf);
		put(p, 0xe0);			/* FNSTSW AX */
		break;
	case 5: {				/* MMX and SSE2 integers, registers or memory */
		static const uint8_t ops[] = { 0xfc, 0xfd, 0xfe, 0xd4, 0xf8, 0xfa, 0xef, 0xeb, 0xdb, 0x60, 0x61, 0x62, 0x6f, 0x7f, 0xe5, 0xd5 };

		start(p, some66(p));
		maybe_segment(p);
		put(p, 0x0f);
		put(p, ops[rnd(p, PLX_ARRAY_SIZE(ops))]);
		operand(p, rnd(p, 8));
		break;
	}
	case 6:
	case 7: {				/* SSE arithmetic and moves */
		static const uint8_t ops[] = { 0x58, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x51, 0x10, 0x11, 0x28, 0x29, 0x54, 0x57, 0x14, 0x2e };
		uint8_t op = ops[rnd(p, PLX_ARRAY_SIZE(ops))];

		start(p, op == 0x28 || op == 0x29 || op == 0x54 || op == 0x57 || op == 0x14 || op == 0x2e ? some66(p) : 0);
		if (op == 0x58 || op == 0x10 || op == 0x11 || op == 0x59)
			if (rnd(p, 2))
				put(p, 0xf2 + (uint8_t)rnd(p, 2));
		put(p, 0x0f);
		put(p, op);
		operand(p, rnd(p, 8));
		break;
	}
	case 8:
		start(p, 0);
		if (rnd(p, 3)) {
			put(p, 0x0f);
			put(p, 0x77);		/* EMMS */
		} else if (rnd(p, 2)) {
			put(p, 0x9b);
		} else {
			put(p, 0xd9);		/* FLDCW: exceptions may be unmasked now */
			memory(p, 5);
			start(p, 0);
			put(p, 0xdb);
			put(p, 0xe2);
		}
		break;
	}
}

static void gen_port(struct program *p)
{
	start(p, some66(p));
	switch (rnd(p, 4)) {
	case 0:
		put(p, 0xe4 + (uint8_t)rnd(p, 4));
		put(p, 0xe0);
		break;
	case 1:
		p->n = p->last_start;
		set_reg(p, X86_EDX, 0xe0);
		start(p, some66(p));
		put(p, 0xec + (uint8_t)rnd(p, 4));
		break;
	default:
		p->n = p->last_start;
		set_reg(p, X86_EDX, 0xe0);
		set_reg(p, X86_ECX, rnd(p, 6));
		start(p, some66(p));
		if (rnd(p, 2))
			put(p, 0xf3);
		put(p, 0x6c + (uint8_t)rnd(p, 4));
		break;
	}
}

static void gen_system(struct program *p)
{
	switch (rnd(p, 12)) {
	case 0:
		start(p, 0);
		put(p, 0xcc);
		break;
	case 1:
		start(p, 0);
		put(p, 0xce);
		break;
	case 2:
		start(p, 0);
		put(p, 0xcd);
		put(p, 0x20 + (uint8_t)rnd(p, 0x20));
		break;
	case 3:
		start(p, 0);
		put(p, 0x0f);
		put(p, rnd(p, 2) ? 0x0b : 0xff);
		if (p->code[p->n - 1] == 0xff)
			put(p, 0xc0);
		break;
	case 4:
		start(p, 0);
		put(p, 0x62);
		memory(p, reg(p));
		break;
	case 5: {				/* CR0.TS comes and goes */
		unsigned int r = reg(p);

		start(p, 0);
		put(p, 0x0f);
		put(p, 0x20);
		put(p, (uint8_t)(0xc0 | r));
		start(p, 0);
		put(p, 0x83);
		put(p, (uint8_t)(0xf0 | r));
		put(p, 8);
		define_flags(p);
		start(p, 0);
		put(p, 0x0f);
		put(p, 0x22);
		put(p, (uint8_t)(0xc0 | r));
		break;
	}
	case 6:
		start(p, 0);
		put(p, 0x0f);
		put(p, 0x06);
		break;
	case 7:
		start(p, 0);
		put(p, 0x0f);
		put(p, 0x20);
		put(p, (uint8_t)(0xd8 | X86_EAX));
		start(p, 0);
		put(p, 0x0f);
		put(p, 0x22);
		put(p, (uint8_t)(0xd8 | X86_EAX));
		break;
	case 8:
		start(p, 0);
		put(p, 0x0f);
		put(p, 0x01);
		memory(p, 7);			/* INVLPG */
		break;
	case 9:
		start(p, 0);
		put(p, 0x0f);
		put(p, 0x01);
		operand(p, 4);			/* SMSW */
		break;
	case 10:				/* single steps for a while */
		for (unsigned int on = 0; on < 2; on++) {
			if (on)
				set_reg(p, reg(p), value(p));
			start(p, 0);
			put(p, 0x9c);
			start(p, 0);
			put(p, 0x81);
			put(p, on ? 0x24 | 4 << 3 : 0x0c);
			put(p, 0x24);
			put32(p, on ? ~0x100u : 0x100);
			define_flags(p);
			start(p, 0);
			put(p, 0x9d);
		}
		break;
	case 11:
		start(p, 0);
		put(p, 0xf0);			/* LOCK where it may not be */
		put(p, 0x8b);
		memory(p, reg(p));
		break;
	}
}

static void gen_any(struct program *p);

/* Where instruction @at's rel8, imm32 ... ends, relative to now. */
static void patch8(struct program *p, uint32_t at)
{
	p->code[at] = (uint8_t)(p->n - at - 1);
}

static void gen_some(struct program *p, unsigned int n)
{
	while (n--)
		gen_any(p);
}

/* Code of at most so many bytes, for what a short jump must clear. */
static void gen_short(struct program *p)
{
	uint32_t begin = p->n;

	while (p->n - begin < 30)
		gen_alu(p);
}

static uint32_t base(const struct program *p)
{
	return p->d16 ? 0 : PROG;
}

static void gen_branch(struct program *p)
{
	uint32_t at, at2;
	unsigned int r = reg(p);

	switch (rnd(p, 9)) {
	case 0:
		start(p, 0);
		put(p, (uint8_t)(0x70 | rnd(p, 16)));
		put(p, 0);
		at = p->n - 1;
		gen_short(p);
		patch8(p, at);
		break;
	case 1:
		start(p, 0);
		put(p, 0x0f);
		put(p, (uint8_t)(0x80 | rnd(p, 16)));
		put32(p, 0);
		at = p->n;
		gen_some(p, 1 + rnd(p, 4));
		memcpy(p->code + at - 4, &(uint32_t){ p->n - at }, 4);
		break;
	case 2:						/* a loop: its body leaves ECX alone */
		set_reg(p, X86_ECX, 1 + rnd(p, 6));
		at = p->n;
		for (unsigned int i = 0; i < 3; i++) {
			start(p, 0);
			put(p, (uint8_t)(rnd(p, 8) << 3 | 1));
			put(p, (uint8_t)(0x05 | (rnd(p, 2) ? X86_EAX : X86_EDX) << 3));
			put32(p, DATA + rnd(p, 0x1000));
		}
		define_flags(p);
		start(p, 0);
		put(p, (uint8_t)(0xe0 + rnd(p, 3)));
		put(p, (uint8_t)(at - p->n - 1));
		break;
	case 3:
		if (rnd(p, 2))
			set_reg(p, X86_ECX, rnd(p, 2) << 16);
		start(p, rnd(p, 2) ? P67 : 0);
		put(p, 0xe3);
		put(p, 0);
		at = p->n - 1;
		gen_short(p);
		patch8(p, at);
		break;
	case 4:
	case 5:						/* call what lies behind a jump */
		if (rnd(p, 2)) {
			start(p, 0);
			put(p, 0xe8);
			put32(p, 0);
			at = p->n;
		} else {
			set_reg(p, r, 0);
			at = p->n;
			start(p, 0);
			put(p, 0xff);
			put(p, (uint8_t)(0xd0 | r));
		}
		start(p, 0);
		put(p, 0xe9);
		put32(p, 0);
		at2 = p->n;
		if (p->code[at - 5] == 0xe8)
			memcpy(p->code + at - 4, &(uint32_t){ at2 - at }, 4);
		else
			memcpy(p->code + at - 4, &(uint32_t){ base(p) + at2 }, 4);
		gen_some(p, rnd(p, 3));
		start(p, 0);
		if (rnd(p, 3)) {
			put(p, 0xc3);
		} else {
			put(p, 0xc2);
			put(p, (uint8_t)(4 * rnd(p, 4)));
			put(p, 0);
		}
		memcpy(p->code + at2 - 4, &(uint32_t){ p->n - at2 }, 4);
		break;
	case 6:						/* jump through memory */
		start(p, 0);
		put(p, 0xc7);
		put(p, 0x05);
		put32(p, DATA + 0x7000);
		put32(p, 0);
		at = p->n - 4;
		start(p, 0);
		put(p, 0xff);
		put(p, 0x25);
		put32(p, DATA + 0x7000);
		gen_some(p, rnd(p, 3));
		memcpy(p->code + at, &(uint32_t){ base(p) + p->n }, 4);
		break;
	case 7:						/* a far jump and back to where we are */
		start(p, 0);
		put(p, 0xea);
		put32(p, 0);
		at = p->n - 4;
		put(p, p->d16 ? CODE16 : p->user ? CODE3 : CODE0);
		put(p, 0);
		if (p->d16)
			p->code[p->n - 2] |= p->rpl;
		memcpy(p->code + at, &(uint32_t){ base(p) + p->n }, 4);
		break;
	case 8: {					/* change an instruction that is about to run */
		uint32_t imm;

		start(p, 0);
		put(p, 0xc6 + (uint8_t)rnd(p, 2));
		put(p, 0x05);
		at = p->n;
		put32(p, 0);
		imm = value(p);
		put(p, (uint8_t)imm);
		if (p->code[at - 2] & 1) {
			put(p, (uint8_t)(imm >> 8));
			put(p, (uint8_t)(imm >> 16));
			put(p, (uint8_t)(imm >> 24));
		}
		gen_some(p, rnd(p, 2));
		set_reg(p, r, value(p));
		memcpy(p->code + at, &(uint32_t){ PROG + p->n - 4 }, 4);
		memset(p->patched + p->n - 4, 1, 4);
		break;
	}
	}
}

static void gen_any(struct program *p)
{
	static void (*const gens[])(struct program *) = {
		gen_alu, gen_alu, gen_alu, gen_move, gen_move, gen_move, gen_one_operand, gen_shift, gen_odd_integer,
		gen_stack, gen_stack, gen_string, gen_flags, gen_segment, gen_fpu, gen_fpu, gen_port, gen_system, pointers, pointers,
	};

	if (p->n > CODE_MAX - 0x200)
		return;
	gens[rnd(p, PLX_ARRAY_SIZE(gens))](p);
}

static void generate(struct program *p, enum kind kind, uint32_t number)
{
	unsigned int n;
	uint32_t end;

	memset(p, 0, sizeof(*p));
	p->random = (uint64_t)number * 0x9e3779b97f4a7c15ull + kind + 1;
	p->d16 = kind == RING0_16 || kind == RING3_16;
	p->user = kind == RING3 || kind == RING3_NO_WP || kind == RING3_16;
	p->paged = kind != RING0 && kind != RING0_16;
	p->rpl = p->user ? 3 : 0;
	rnd(p, 2);
	for (unsigned int r = 0; r < 8; r++)
		if (r != X86_ESP)
			set_reg(p, r, r == X86_EBX || r >= X86_ESI ? DATA + rnd(p, 0x7000) : value(p));
	start(p, 0);
	put(p, 0xdb);
	put(p, 0xe3);
	n = 10 + rnd(p, 60);
	while (n-- && p->n < CODE_MAX - 0x400) {
		if (rnd(p, 6))
			gen_any(p);
		else
			gen_branch(p);
	}
	start(p, 0);
	end = p->n = p->last_start;		/* no prefixes here */
	memcpy(p->code + end, p->user ? "\xcd\x80" : "\xe6\xf4", 2);
	memcpy(p->code + end + 2, "\xf4\xf4\xf4\xf4", 4);
	p->n = end + 6;
	for (uint32_t i = 0; i < PLX_ARRAY_SIZE(p->next); i++)
		if (!p->next[i])
			p->next[i] = (uint16_t)end;
}

#endif
