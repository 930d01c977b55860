/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_interp_native.c - x87, MMX and SSE through monitor/native.c, and plain instructions through it as well.
 *
 * Against the bare processor (interp_compare.h) the random operands also find the segment's limit, which is how a wrong
 * operand size shows: the processor faults where the interpreter does not, or the other way round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "monitor/interp.h"
#include "tests/unit/interp_compare.h"

#define MXCSR_AT 24
#define ST_AT	32
#define XMM_AT	160

static void put16(uint8_t *at, uint32_t x) { memcpy(at, &x, 2); }

/* Numbers of all kinds: small integers, halves, extremes, garbage. */
static void random_number(uint8_t *at, unsigned int size)
{
	double d;
	float f;

	switch (below(4)) {
	case 0:
		for (unsigned int i = 0; i < size; i++)
			at[i] = (uint8_t)rnd();
		break;
	case 1:
		d = (int32_t)value() / 8.0;
		for (unsigned int i = 0; i + 8 <= size; i += 8)
			memcpy(at + i, &d, 8);
		break;
	case 2:
		f = (float)((int32_t)value() / 4);
		for (unsigned int i = 0; i + 4 <= size; i += 4)
			memcpy(at + i, &f, 4);
		break;
	default:
		for (unsigned int i = 0; i + 4 <= size; i += 4) {
			uint32_t x = value();

			memcpy(at + i, &x, 4);
		}
		break;
	}
}

static void random_fpu(struct bare_cpu *cpu)
{
	memset(cpu->fpu, 0, sizeof(cpu->fpu));
	put16(cpu->fpu, below(3) ? 0x37f : 0x300 | (rnd() & 0xc3f) | 0x40);
	put16(cpu->fpu + 2, rnd() & 0x7f00);			/* TOP and conditions; nothing pending */
	cpu->fpu[4] = below(2) ? 0xff : (uint8_t)rnd();
	put16(cpu->fpu + MXCSR_AT, below(3) ? 0x1f80 : (0x1f80 & ~(rnd() & 0x1f80)) | (rnd() & 0xe07f));
	for (unsigned int i = 0; i < 8; i++) {
		long double x = (long double)(int32_t)value() / 16;

		if (below(4))
			memcpy(cpu->fpu + ST_AT + i * 16, &x, 10);
		else
			random_number(cpu->fpu + ST_AT + i * 16, 8);
		random_number(cpu->fpu + XMM_AT + i * 16, 16);
	}
	cpu->use_fpu = 1;
}

static bool askable(const struct prescan_insn *in)
{
	if (in->klass != PRESCAN_FPU || !in_the_arena(in) || in->opcode == 0x9b)
		return false;
	if (in->flags & PRESCAN_F_AVX)
		return false;
	/* FLDENV, FRSTOR and ten-byte numbers with 16-bit addresses wrap within the operand: nobody will ever put one there. */
	if ((in->flags & PRESCAN_F_X87) && ip_is_mem(in) && in->addrsize == 2 &&
	    (in->reg == 4 || (in->opcode == 0xdb && in->reg > 4) || (in->opcode == 0xdf && in->reg == 6)))
		return false;
	/* FNSTENV, FNSAVE, FXSAVE store the address of the last instruction, which differs; see below for those. XSAVE is not offered. */
	if ((in->flags & PRESCAN_F_X87) && ip_is_mem(in) && in->reg == 6 && (in->opcode == 0xd9 || in->opcode == 0xdd))
		return false;
	if (in->map == PRESCAN_MAP_0F && in->opcode == 0xae)
		return ip_is_mem(in) && ((in->reg == 1 && in->addrsize == 4) || in->reg == 2 || in->reg == 3) &&
		       ip_simd_prefix(in) == 0;
	return true;
}

static void compare(unsigned int map, unsigned int rounds, uint8_t first, uint8_t last)
{
	struct bare_cpu cpu;
	struct test_case t;
	unsigned int failures = 0;

	for (unsigned int i = 0; i < rounds && failures < 20; i++) {
		if (!random_instruction(&t, map) || t.in.opcode < first || t.in.opcode > last || !askable(&t.in))
			continue;
		fill_registers(&cpu);
		random_fpu(&cpu);
		if (i % 64 == 0)
			stir_memory();
		if (!same_on_both(&t, &cpu)) {
			failures++;
			put_both(0, bare_arena, BARE_ARENA_BYTES);
		}
	}
	assert_int_equal(failures, 0);
}

static void x87_instructions_do_what_the_processor_does(void **state)
{
	(void)state;
	bare_cpu_catch();
	nr_done = nr_faults = 0;
	compare(PRESCAN_MAP_1B, 800000, 0xd8, 0xdf);
	assert_true(nr_done > 5000);
	assert_true(nr_faults > 500);
}

static void mmx_and_sse_instructions_do_what_the_processor_does(void **state)
{
	(void)state;
	bare_cpu_catch();
	nr_done = nr_faults = 0;
	compare(PRESCAN_MAP_0F, 300000, 0, 0xff);
	assert_true(nr_done > 20000);
	assert_true(nr_faults > 2000);
}

static void ssse3_and_sse4_instructions_do_what_the_processor_does(void **state)
{
	(void)state;
	bare_cpu_catch();
	nr_done = 0;
	compare(PRESCAN_MAP_0F38, 200000, 0, 0xff);
	compare(PRESCAN_MAP_0F3A, 300000, 0, 0xff);
	assert_true(nr_done > 5000);
}

/* ---- plain instructions: native.c and the interpreter must agree ---- */

static bool native_can(const struct prescan_insn *in)
{
	if (in->klass != PRESCAN_PLAIN || in->map == PRESCAN_MAP_3DNOW || !in_the_arena(in))
		return false;
	/* A register as bit offset reaches beyond the operand, and so beyond the copy. */
	if (in->map == PRESCAN_MAP_0F && ip_is_mem(in) && (in->opcode & 0xe7) == 0xa3)
		return false;
	return !(in->map == PRESCAN_MAP_0F && in->opcode == 0xae);
}

/* 1: compared and equal, 0: not comparable, -1: different. */
static int same_natively(const struct test_case *t)
{
	static uint8_t memory[BARE_ARENA_BYTES];
	uint8_t *arena = machine->vm.ram + MACHINE_ARENA;
	struct mon_vcpu *v = &machine->v;
	uint32_t before[8], eflags = v->eflags, after[8], offset = 0;
	enum mon_status status, native;

	memcpy(before, v->gpr, sizeof(before));
	v->eip = 0x1000;
	if (ip_is_mem(&t->in)) {
		offset = ip_offset(v, &t->in);
		if (offset > BARE_ARENA_BYTES - 64)
			return 0;
	}
	memcpy(memory, arena, sizeof(memory));
	native = mon_native_insn(v, &t->in, t->bytes, ip_is_mem(&t->in) ? memory + offset : NULL);
	if (native == MON_DEFER)
		return 0;
	memcpy(after, v->gpr, sizeof(after));
	memcpy(v->gpr, before, sizeof(before));
	offset = v->eflags;
	v->eflags = eflags;
	status = mon_interp_insn(v, &t->in, t->bytes);
	if (status != native || (status == MON_FAULT && v->fault.vector != X86_VEC_DE))
		return -1;
	if (status == MON_OK && (v->eip != 0x1000u + t->in.length || offset != v->eflags))
		return -1;
	if (status == MON_OK && memcmp(after, v->gpr, sizeof(after)) != 0)
		return -1;
	return memcmp(memory, arena, sizeof(memory)) == 0 ? 1 : -1;
}

static void plain_instructions_agree_with_their_native_form(void **state)
{
	static const uint8_t maps[] = { PRESCAN_MAP_1B, PRESCAN_MAP_1B, PRESCAN_MAP_0F, PRESCAN_MAP_VEX_0F38, PRESCAN_MAP_VEX_0F3A };
	struct mon_vcpu *v = &machine->v;
	unsigned int equal = 0;
	struct bare_cpu cpu;
	struct test_case t;

	(void)state;
	bare_cpu_catch();
	machine_flat(machine);
	for (unsigned int s = 0; s < 6; s++)
		if (s != X86_CS)
			v->seg[s].base = MACHINE_ARENA;
	for (unsigned int i = 0; i < 200000; i++) {
		int verdict;

		if (!random_instruction(&t, maps[below(PLX_ARRAY_SIZE(maps))]) || !native_can(&t.in))
			continue;
		fill_registers(&cpu);
		for (unsigned int r = 0; r < 8; r++)
			v->gpr[r] = (uint32_t)cpu.gpr[r];
		v->eflags = (uint32_t)cpu.rflags;
		verdict = same_natively(&t);
		if (verdict < 0) {
			fprintf(stderr, "%s:", prescan_mnemonic(&t.in));
			for (unsigned int b = 0; b < t.in.length; b++)
				fprintf(stderr, " %02x", t.bytes[b]);
			fprintf(stderr, "\n");
		}
		assert_true(verdict >= 0);
		equal += (unsigned int)verdict;
	}
	assert_true(equal > 20000);
	memcpy(bare_arena, machine->vm.ram + MACHINE_ARENA, BARE_ARENA_BYTES);
}

/* ---- permission, faults, and the formats that cannot be compared byte by byte ---- */

static enum mon_status one(struct machine *m)
{
	enum mon_status status = mon_interp_one(&m->v);

	mon_fpu_save(&m->v);
	return status;
}

#define assert_fault(m, vec) do { assert_int_equal(one(m), MON_FAULT); assert_int_equal((m)->v.fault.vector, vec); } while (0)

static struct machine *flat(void)
{
	struct machine *m = machine;

	bare_cpu_catch();
	machine_flat(m);
	mon_fpu_reset(&m->v);
	CODE(m, "\xdb\xe3");			/* FNINIT */
	assert_int_equal(one(m), MON_OK);
	return m;
}

/* SDM 3A, "Device-Not-Available Exception"; SDM 2A, "FWAIT". */
static void cr0_decides_whether_the_fpu_may_be_used(void **state)
{
	struct machine *m = flat();

	(void)state;
	m->v.cr0 |= X86_CR0_TS;
	CODE(m, "\xd9\xe8");			/* FLD1 */
	assert_fault(m, X86_VEC_NM);
	CODE(m, "\x9b");			/* WAIT, MP clear */
	assert_int_equal(one(m), MON_OK);
	m->v.cr0 |= X86_CR0_MP;
	CODE(m, "\x9b");
	assert_fault(m, X86_VEC_NM);
	CODE(m, "\x0f\x58\xc1");		/* ADDPS */
	assert_fault(m, X86_VEC_NM);
	CODE(m, "\x0f\xae\x05\x00\x20\x00\x00");	/* FXSAVE */
	assert_fault(m, X86_VEC_NM);
	m->v.cr0 = (m->v.cr0 & ~(uint32_t)X86_CR0_TS) | X86_CR0_EM;
	CODE(m, "\xd9\xe8");
	assert_fault(m, X86_VEC_NM);
	CODE(m, "\x0f\x6f\xc1");		/* MOVQ mm0,mm1 */
	assert_fault(m, X86_VEC_UD);
	m->v.cr0 &= ~(uint32_t)X86_CR0_EM;
	m->v.cr4 &= ~(uint32_t)X86_CR4_OSFXSR;
	CODE(m, "\x0f\x58\xc1");
	assert_fault(m, X86_VEC_UD);
	CODE(m, "\x0f\x6f\xc1");		/* MMX does not ask for OSFXSR */
	assert_int_equal(one(m), MON_OK);
}

static void pending_x87_exception_is_mf_at_the_next_waiting_instruction(void **state)
{
	struct machine *m = flat();

	(void)state;
	machine_put32(m, 0x2000, 0x37b);			/* zero divide unmasked */
	CODE(m, "\xd9\x2d\x00\x20\x00\x00\xd9\xe8\xd9\xee\xde\xf9\xdf\xe0\x9b");
	for (unsigned int i = 0; i < 4; i++)			/* FLDCW, FLD1, FLDZ, FDIVP */
		assert_int_equal(one(m), MON_OK);
	assert_int_equal(one(m), MON_OK);			/* FNSTSW AX does not wait */
	assert_int_equal(m->v.gpr[X86_EAX] & 0x84, 0x84);	/* ES, ZE */
	assert_fault(m, X86_VEC_MF);
	assert_false(m->v.fault.has_error);
}

static void unmasked_simd_exception_is_xm_or_ud(void **state)
{
	struct machine *m = flat();

	(void)state;
	machine_put32(m, 0x2000, 0x1d80);			/* zero divide unmasked */
	machine_put32(m, 0x2004, 0);
	machine_put32(m, 0x2008, 0x3f800000);
	CODE(m, "\x0f\xae\x15\x00\x20\x00\x00\xf3\x0f\x10\x0d\x04\x20\x00\x00\xf3\x0f\x10\x05\x08\x20\x00\x00\xf3\x0f\x5e\xc1");
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(one(m), MON_OK);
	assert_fault(m, X86_VEC_XM);
	m->v.cr4 &= ~(uint32_t)X86_CR4_OSXMMEXCPT;
	assert_fault(m, X86_VEC_UD);
}

static void unmasked_invalid_store_leaves_memory_alone(void **state)
{
	struct machine *m = flat();

	(void)state;
	machine_put32(m, 0x2000, 0x37e);			/* invalid operation unmasked */
	machine_put32(m, 0x2004, 0x12345678);
	CODE(m, "\xd9\x2d\x00\x20\x00\x00\xdb\x15\x04\x20\x00\x00");	/* FLDCW; FIST from an empty stack */
	assert_int_equal(one(m), MON_OK);
	assert_int_equal(one(m), MON_OK);
	assert_int_equal(machine_get32(m, 0x2004), 0x12345678);
}

static void environment_has_the_format_of_the_operand_size(void **state)
{
	struct machine *m = flat();

	(void)state;
	for (uint32_t at = 0x2000; at < 0x2080; at += 4)
		machine_put32(m, at, 0xcccccccc);
	CODE(m, "\xd9\xe8\xd9\x35\x00\x20\x00\x00\x66\xd9\x35\x40\x20\x00\x00");	/* FLD1, FNSTENV, FNSTENV 16 */
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(one(m), MON_OK);
	assert_int_equal(machine_get32(m, 0x2000), 0xffff037f);
	assert_int_equal(machine_get32(m, 0x2004) & 0x3800, 0x3800);
	assert_int_equal(machine_get32(m, 0x2008), 0xffff3fff);
	assert_int_equal(machine_get32(m, 0x200c), 0);		/* no address of ours leaks */
	assert_int_equal(machine_get32(m, 0x2018), 0);
	assert_int_equal(machine_get32(m, 0x201c), 0xcccccccc);	/* 28 bytes */
	assert_int_equal(machine_get32(m, 0x2040) & 0xffff, 0x37f);
	assert_int_equal(machine_get32(m, 0x2044) & 0xffff, 0x3fff);
	assert_int_equal(machine_get32(m, 0x204c), 0xcccc0000);	/* 14 bytes */
}

static void fxsave_and_fxrstor_round_trip_and_check(void **state)
{
	struct machine *m = flat();

	(void)state;
	memset(m->vm.ram + 0x2000, 0xcc, 0x400);
	machine_put32(m, 0x3000, 0x40490fdb);
	CODE(m, "\xd9\x05\x00\x30\x00\x00\xf3\x0f\x10\x3d\x00\x30\x00\x00\x0f\xae\x05\x00\x20\x00\x00\xdb\xe3\x0f\x57\xff"
		"\x0f\xae\x0d\x00\x20\x00\x00\xd9\x1d\x04\x30\x00\x00\xf3\x0f\x11\x3d\x08\x30\x00\x00");
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(one(m), MON_OK);
	assert_int_equal(machine_get32(m, 0x3004), 0x40490fdb);
	assert_int_equal(machine_get32(m, 0x3008), 0x40490fdb);
	assert_int_equal(machine_get32(m, 0x2000 + 288), 0xcccccccc);	/* XMM8 and on do not exist here */
	assert_int_equal(machine_get32(m, 0x2008), 0);

	CODE(m, "\x0f\xae\x05\x08\x20\x00\x00");			/* not on a 16-byte boundary */
	assert_fault(m, X86_VEC_GP);
	machine_put32(m, 0x2018, 0x80001f80);				/* a reserved bit of MXCSR */
	CODE(m, "\x0f\xae\x0d\x00\x20\x00\x00");
	assert_fault(m, X86_VEC_GP);
	CODE(m, "\x0f\xae\x15\x18\x20\x00\x00");
	assert_fault(m, X86_VEC_GP);
}

static void maskmov_writes_only_the_chosen_bytes(void **state)
{
	struct machine *m = flat();

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		m->vm.ram[0x2000 + i] = i % 3 == 0 ? 0x80 : 0x7f;
		m->vm.ram[0x2010 + i] = (uint8_t)(0x40 + i);
		m->vm.ram[0x2020 + i] = 0xee;
	}
	m->v.gpr[X86_EDI] = 0x2021;
	CODE(m, "\x66\x0f\x6f\x0d\x00\x20\x00\x00\x66\x0f\x6f\x05\x10\x20\x00\x00\x66\x0f\xf7\xc1");
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(one(m), MON_OK);
	assert_int_equal(m->v.gpr[X86_EDI], 0x2021);
	for (unsigned int i = 0; i < 15; i++)
		assert_int_equal(m->vm.ram[0x2021 + i], i % 3 == 0 ? 0x40 + i : 0xee);
}

static void stack_pointer_can_be_an_operand(void **state)
{
	struct machine *m = flat();

	(void)state;
	m->v.gpr[X86_ESP] = 0xdeadbeef;
	CODE(m, "\x66\x0f\x6e\xdc\x66\x0f\x7e\xdd\x66\x0f\x7e\xdc");	/* MOVD xmm3,esp; MOVD ebp,xmm3; MOVD esp,xmm3 */
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(one(m), MON_OK);
	assert_int_equal(m->v.gpr[X86_EBP], 0xdeadbeef);
	assert_int_equal(m->v.gpr[X86_ESP], 0xdeadbeef);
}

static void scratch_code_is_written_once_per_instruction(void **state)
{
	struct machine *m = flat();
	uint64_t encoded;

	(void)state;
	CODE(m, "\xd9\xe0");
	assert_int_equal(one(m), MON_OK);
	encoded = m->native.nr_encoded;
	for (unsigned int i = 0; i < 100; i++) {
		m->v.eip = 0x1000;
		assert_int_equal(one(m), MON_OK);
	}
	assert_int_equal(m->native.nr_encoded, encoded);
}

static int setup(void **state)
{
	const char *why = compare_init();

	(void)state;
	if (why) {
		fprintf(stderr, "no bare processor to compare with: %s\n", why);
		_exit(77);		/* automake: skipped */
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x87_instructions_do_what_the_processor_does),
		cmocka_unit_test(mmx_and_sse_instructions_do_what_the_processor_does),
		cmocka_unit_test(ssse3_and_sse4_instructions_do_what_the_processor_does),
		cmocka_unit_test(plain_instructions_agree_with_their_native_form),
		cmocka_unit_test(cr0_decides_whether_the_fpu_may_be_used),
		cmocka_unit_test(pending_x87_exception_is_mf_at_the_next_waiting_instruction),
		cmocka_unit_test(unmasked_simd_exception_is_xm_or_ud),
		cmocka_unit_test(unmasked_invalid_store_leaves_memory_alone),
		cmocka_unit_test(environment_has_the_format_of_the_operand_size),
		cmocka_unit_test(fxsave_and_fxrstor_round_trip_and_check),
		cmocka_unit_test(maskmov_writes_only_the_chosen_bytes),
		cmocka_unit_test(stack_pointer_can_be_an_operand),
		cmocka_unit_test(scratch_code_is_written_once_per_instruction),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
