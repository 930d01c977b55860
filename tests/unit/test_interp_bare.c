/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_interp_bare.c - the interpreter's integer instructions against the bare processor (interp_compare.h).
 *
 * Instructions are made at random from the opcode maps, so that forms nobody thought of are tried too; decimal
 * arithmetic, which the interpreter computes by itself, is tried with all values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/interp_compare.h"

/* What the bare processor at CPL 3 can be asked about. */
static bool askable(const struct prescan_insn *in)
{
	if (!in_the_arena(in))
		return false;
	switch (in->klass) {
	case PRESCAN_PLAIN:
		return !(in->flags & PRESCAN_F_END);
	case PRESCAN_SEG_STORE:
		/* FS and GS are the host's own here. */
		return in->map == PRESCAN_MAP_1B && !(in->opcode == 0x8c && in->reg >= X86_FS);
	default:
		return false;
	}
}

static void compare_map(unsigned int map, unsigned int rounds)
{
	struct bare_cpu cpu;
	struct test_case t;
	unsigned int failures = 0;

	for (unsigned int i = 0; i < rounds && failures < 20; i++) {
		if (!random_instruction(&t, map) || !askable(&t.in))
			continue;
		fill_registers(&cpu);
		/* Long repeats only cost time, as a rule; now and then they meet the end of the segment. */
		if ((t.in.flags & PRESCAN_F_STRING) && below(16))
			cpu.gpr[X86_ECX] = t.in.addrsize == 2 ? (rnd() & 0xffff0000u) | below(40) : below(40);
		if (i % 64 == 0)
			stir_memory();
		if (!same_on_both(&t, &cpu)) {
			failures++;
			put_both(0, bare_arena, BARE_ARENA_BYTES);
		}
	}
	assert_int_equal(failures, 0);
}

static void one_byte_instructions_do_what_the_processor_does(void **state)
{
	(void)state;
	bare_cpu_catch();
	nr_done = nr_faults = 0;
	compare_map(PRESCAN_MAP_1B, 200000);
	/* Both ways out were taken often, or the comparison means little. */
	assert_true(nr_done > 20000);
	assert_true(nr_faults > 2000);
}

static void two_byte_instructions_do_what_the_processor_does(void **state)
{
	(void)state;
	bare_cpu_catch();
	nr_done = 0;
	compare_map(PRESCAN_MAP_0F, 200000);
	assert_true(nr_done > 20000);
}

static void movbe_and_crc32_and_adx_do_what_the_processor_does(void **state)
{
	(void)state;
	bare_cpu_catch();
	nr_done = 0;
	compare_map(PRESCAN_MAP_0F38, 600000);
	assert_true(nr_done > 500);
}

static void bmi_instructions_do_what_the_processor_does(void **state)
{
	(void)state;
	bare_cpu_catch();
	nr_done = 0;
	compare_map(PRESCAN_MAP_VEX_0F38, 60000);
	compare_map(PRESCAN_MAP_VEX_0F3A, 10000);
	assert_true(nr_done > 5000);
}

static void make_case(struct test_case *t, bool code32, const uint8_t *bytes, unsigned int n)
{
	memset(t, 0, sizeof(*t));
	t->code32 = t->stack32 = code32;
	memcpy(t->bytes, bytes, n);
	assert_int_equal(prescan_decode(t->bytes, 15, code32 ? PRESCAN_MODE_32 : PRESCAN_MODE_16, &t->in), PRESCAN_OK);
	assert_int_equal(t->in.length, n);
}

/* Every AL, CF and AF, and AH where it matters: also the flags that the SDM leaves undefined. */
static void decimal_adjustment_is_exact_for_all_values(void **state)
{
	static const uint8_t opcodes[] = { 0x27, 0x2f, 0x37, 0x3f };
	struct bare_cpu cpu;
	struct test_case t;

	(void)state;
	bare_cpu_catch();
	for (unsigned int op = 0; op < 4; op++) {
		make_case(&t, true, &opcodes[op], 1);
		for (unsigned int i = 0; i < 256 * 4 * 6; i++) {
			static const uint8_t high[] = { 0, 1, 0x0f, 0x7f, 0x80, 0xff };

			fill_registers(&cpu);
			cpu.gpr[X86_EAX] = (rnd() & 0xffff0000u) | (uint32_t)high[i >> 10] << 8 | (i & 0xff);
			cpu.rflags &= ~(uint64_t)(X86_FLAG_CF | X86_FLAG_AF);
			cpu.rflags |= (i & 0x100 ? X86_FLAG_CF : 0) | (i & 0x200 ? X86_FLAG_AF : 0);
			assert_true(same_on_both(&t, &cpu));
		}
	}
}

static void aam_and_aad_are_exact_in_every_base(void **state)
{
	struct bare_cpu cpu;
	struct test_case t;

	(void)state;
	bare_cpu_catch();
	for (unsigned int base = 0; base < 256; base++)
		for (unsigned int op = 0xd4; op <= 0xd5; op++) {
			uint8_t bytes[2] = { (uint8_t)op, (uint8_t)base };

			make_case(&t, true, bytes, 2);
			for (unsigned int i = 0; i < 16; i++) {
				fill_registers(&cpu);
				cpu.gpr[X86_EAX] = rnd();
				assert_true(same_on_both(&t, &cpu));
			}
		}
}

/* ---- branches: the target is a place where bare_cpu.c waits ---- */

/* Opcode, then the displacement to BARE_TAKEN_OFFSET of its size. */
static void make_branch(struct test_case *t, bool code32, bool other_size, bool other_address, uint8_t opcode, bool two_byte)
{
	uint8_t bytes[16];
	unsigned int n = 0, size;
	uint32_t displacement;

	if (other_size)
		bytes[n++] = 0x66;
	if (other_address)
		bytes[n++] = 0x67;
	if (two_byte)
		bytes[n++] = 0x0f;
	bytes[n++] = opcode;
	size = two_byte || opcode == 0xe8 || opcode == 0xe9 ? (code32 != other_size ? 4 : 2) : 1;
	displacement = BARE_TAKEN_OFFSET - (BARE_CODE_OFFSET + n + size);
	memcpy(bytes + n, &displacement, size);
	make_case(t, code32, bytes, n + size);
}

static void near_branches_go_where_the_processor_goes(void **state)
{
	struct bare_cpu cpu;
	struct test_case t;

	(void)state;
	bare_cpu_catch();
	for (unsigned int i = 0; i < 20000; i++) {
		bool two_byte = below(3) == 0;
		uint8_t opcode;

		if (two_byte)
			opcode = (uint8_t)(0x80 + below(16));
		else if (below(2))
			opcode = (uint8_t)(0x70 + below(16));
		else
			opcode = (uint8_t[]){ 0xe0, 0xe1, 0xe2, 0xe3, 0xe8, 0xe9, 0xeb }[below(7)];
		make_branch(&t, below(2), below(4) == 0, below(4) == 0, opcode, two_byte);
		t.stack32 = below(2);
		fill_registers(&cpu);
		if (below(2))
			cpu.gpr[X86_ECX] = (below(2) ? rnd() & 0xffff0000u : 0) | below(3);
		assert_true(same_on_both(&t, &cpu));
	}
}

static void near_returns_and_indirect_calls_go_where_the_processor_goes(void **state)
{
	static const uint8_t codes[][4] = { { 1, 0xc3 }, { 3, 0xc2, 0x34, 0x12 }, { 2, 0xff, 0xd0 }, { 2, 0xff, 0xe0 },
					    { 3, 0xff, 0x54, 0x24 }, { 3, 0xff, 0x64, 0x24 } };
	struct bare_cpu cpu;
	struct test_case t;

	(void)state;
	bare_cpu_catch();
	for (unsigned int i = 0; i < 20000; i++) {
		const uint8_t *code = codes[below(PLX_ARRAY_SIZE(codes))];
		bool code32 = below(2), other_size = below(4) == 0;
		uint32_t target = below(8) ? BARE_TAKEN_OFFSET : 0x10000 | BARE_TAKEN_OFFSET;
		uint8_t bytes[8] = { 0x66 };
		unsigned int n = other_size;

		memcpy(bytes + n, code + 1, code[0]);
		n += code[0];
		if (code[1] == 0xff && (code[2] & 0xc7) == 0x44) {	/* [ESP + 8], in 32-bit addressing only */
			code32 = true;
			bytes[n++] = 8;
		}
		make_case(&t, code32, bytes, n);
		t.stack32 = below(2);
		fill_registers(&cpu);
		cpu.gpr[X86_EAX] = target;
		cpu.gpr[X86_ESP] = (t.stack32 || code[1] == 0xff ? 0 : rnd() & 0xffff0000u) | (below(0xf000) + 0x100);
		if (below(16) == 0 && t.stack32 && code[1] != 0xff)
			cpu.gpr[X86_ESP] = 0x80000000u | rnd();		/* beyond the limit */
		for (unsigned int slot = 0; slot <= 8; slot += 8)
			put_both(((cpu.gpr[X86_ESP] + slot) & 0xffff) % (BARE_ARENA_BYTES - 4), &target, 4);
		assert_true(same_on_both(&t, &cpu));
	}
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
		cmocka_unit_test(one_byte_instructions_do_what_the_processor_does),
		cmocka_unit_test(two_byte_instructions_do_what_the_processor_does),
		cmocka_unit_test(movbe_and_crc32_and_adx_do_what_the_processor_does),
		cmocka_unit_test(bmi_instructions_do_what_the_processor_does),
		cmocka_unit_test(decimal_adjustment_is_exact_for_all_values),
		cmocka_unit_test(aam_and_aad_are_exact_in_every_base),
		cmocka_unit_test(near_branches_go_where_the_processor_goes),
		cmocka_unit_test(near_returns_and_indirect_calls_go_where_the_processor_goes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
