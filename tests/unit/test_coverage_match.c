/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_coverage_match.c - claims about where what ran stands in a file, and where scan and run disagree: user/coverage_match.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "user/coverage_match.h"

#define BASE	0x1000u

/* A little program: ten MOVs that nothing else has, with a CALL, CLI, INT3, and data behind. */
static const uint8_t program[] = {
	0xb8, 0x11, 0x11, 0x11, 0x11,		/* 00 */
	0xb9, 0x22, 0x22, 0x22, 0x22,		/* 05 */
	0xba, 0x33, 0x33, 0x33, 0x33,		/* 0a */
	0xbb, 0x44, 0x44, 0x44, 0x44,		/* 0f */
	0xbd, 0x55, 0x55, 0x55, 0x55,		/* 14 */
	0xbe, 0x66, 0x66, 0x66, 0x66,		/* 19 */
	0xbf, 0x00, 0x10, 0x00, 0x00,		/* 1e: an address of its own */
	0xe8, 0x00, 0x00, 0x00, 0x00,		/* 23 */
	0xfa,					/* 28 */
	0xcc,					/* 29 */
	0xb8, 0x90, 0x90, 0x90, 0x90,		/* 2a */
	0x90,					/* 2f */
	0x90, 0x90, 0x90, 0x90,			/* 30: data, says the mark */
};

struct lab {
	struct coverage all;
	struct coverage_index index;
	struct code_mark mark;
	struct code_region region;
	struct ran_region ran;
	struct ran_place place[32];
	unsigned int nplaces;
};

static void ran(struct lab *l, uint32_t linear, const uint8_t *bytes, uint8_t length, uint8_t how)
{
	struct coverage_insn *insn;

	l->all.insns = realloc(l->all.insns, (l->all.ninsns + 1) * sizeof(*l->all.insns));
	insn = &l->all.insns[l->all.ninsns++];
	*insn = (struct coverage_insn){ .linear = linear, .gpa = linear, .length = length, .code32 = 1, .how = how, .cpls = 1 };
	memcpy(insn->bytes, bytes, length);
}

/* The program's instructions up to offset @end, at @base, natively. */
static void program_ran(struct lab *l, uint32_t base, uint32_t end)
{
	for (uint32_t at = 0; at < end;) {
		struct prescan_insn insn;

		assert_int_equal(prescan_decode(program + at, sizeof(program) - at, PRESCAN_MODE_32, &insn), PRESCAN_OK);
		ran(l, base + at, program + at, insn.length, PLX_COVER_NATIVE);
		at += insn.length;
	}
}

static int by_order(const void *a, const void *b)
{
	return coverage_order(a, b);
}

static void take(void *owner, const struct ran_place *place)
{
	struct lab *l = owner;

	assert_true(l->nplaces < 32);
	l->place[l->nplaces++] = *place;
}

static void match(struct lab *l, const uint64_t *base)
{
	const struct sweep_mode mode = { .strategy = REWRITE_ADAPTIVE };

	qsort(l->all.insns, l->all.ninsns, sizeof(*l->all.insns), by_order);
	l->mark = (struct code_mark){ .offset = 0x30, .kind = MARK_DATA };
	l->region = (struct code_region){ .name = "r", .address = BASE, .bytes = program, .nbytes = sizeof(program), .mode = CODE_32,
					  .marks = &l->mark, .nmarks = 1, .unlinked = l->region.unlinked };
	assert_true(coverage_index_make(&l->index, &l->all));
	assert_true(coverage_match(&l->index, &l->region, &mode, base, 4, &l->ran, take, l));
}

static void done(struct lab *l)
{
	ran_region_free(&l->ran);
	coverage_index_free(&l->index);
	coverage_free(&l->all);
}

static uint64_t ran_bytes(const struct lab *l)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < RAN_NR; i++)
		n += l->ran.ran_bytes[i];
	return n;
}

static void what_ran_at_the_files_own_address_is_counted_by_class_and_by_how(void **state)
{
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, BASE, 0x0a);
	ran(&l, BASE + 0x28, program + 0x28, 1, PLX_COVER_INLINED);
	ran(&l, BASE + 0x29, program + 0x29, 1, PLX_COVER_NEXUS | PLX_COVER_NATIVE);
	match(&l, NULL);
	assert_int_equal(l.ran.class_bytes[PRESCAN_PLAIN], 10);
	assert_int_equal(l.ran.class_insns[PRESCAN_PLAIN], 2);
	assert_int_equal(l.ran.class_bytes[PRESCAN_FLAGS], 1);
	assert_int_equal(l.ran.ran_bytes[RAN_NATIVE], 10);
	assert_int_equal(l.ran.ran_bytes[RAN_INLINED], 1);
	assert_int_equal(l.ran.ran_bytes[RAN_NEXUS], 1);		/* the dearest way */
	assert_int_equal(l.ran.how_insns[0], 3);
	assert_int_equal(l.ran.foreseen[REWRITING_INLINED][RAN_INLINED], 1);
	assert_int_equal(l.ran.foreseen[REWRITING_COPIED][RAN_NATIVE], 2);
	assert_int_equal(l.nplaces, 0);
	assert_string_equal(l.ran.map, "a10 . b1c1 .");
	for (size_t i = 0; i < l.all.ninsns; i++)
		assert_true(l.index.known[i]);
	done(&l);
}

static void code_that_was_moved_is_found_by_its_bytes(void **state)
{
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, 0xc5000000, 0x1e);
	match(&l, NULL);
	assert_int_equal(l.ran.nbiases, 1);
	assert_int_equal((uint32_t)(BASE + l.ran.biases[0]), 0xc5000000);
	assert_int_equal(ran_bytes(&l), 0x1e);
	done(&l);
}

static void an_address_that_moved_along_is_no_patch(void **state)
{
	const uint8_t moved[] = { 0xbf, 0x00, 0x50, 0x00, 0x00 };
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, BASE + 0x4000, 0x1e);
	ran(&l, BASE + 0x401e, moved, 5, PLX_COVER_NATIVE);
	match(&l, NULL);
	assert_int_equal(ran_bytes(&l), 0x23);
	assert_int_equal(l.ran.relocated, 1);
	assert_int_equal(l.ran.disagree[DISAGREE_BYTES], 0);
	done(&l);
}

static void what_was_not_linked_yet_may_have_any_address(void **state)
{
	const uint8_t call[] = { 0xe8, 0xfc, 0x12, 0x34, 0x56 }, nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

	(void)state;
	for (unsigned int patched = 0; patched < 2; patched++) {
		struct lab l = { 0 };

		program_ran(&l, 0xc8a55000, 0x23);
		ran(&l, 0xc8a55023, patched ? nop : call, 5, PLX_COVER_NATIVE);
		l.region.unlinked = true;
		match(&l, NULL);
		assert_int_equal(l.ran.relocated, !patched);
		assert_int_equal(l.ran.disagree[DISAGREE_BYTES], patched);
		done(&l);
	}
}

static void one_file_at_two_places_is_found_at_both(void **state)
{
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, 0x30000000, 0x1e);
	program_ran(&l, 0x40000000, 0x2a);
	match(&l, NULL);
	assert_int_equal(l.ran.nbiases, 2);
	assert_int_equal(ran_bytes(&l), 0x2a);
	done(&l);
}

static void where_the_caller_says_it_stood_there_is_no_search(void **state)
{
	const uint64_t here = 0x30000000, elsewhere = 0x50000000;
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, 0x30000000, 0x1e);
	program_ran(&l, 0x40000000, 0x2a);
	match(&l, &here);
	assert_int_equal(l.ran.nbiases, 1);
	assert_int_equal(ran_bytes(&l), 0x1e);
	ran_region_free(&l.ran);
	coverage_index_free(&l.index);
	match(&l, &elsewhere);
	assert_int_equal(ran_bytes(&l), 0);
	done(&l);
}

static void another_program_at_the_same_address_does_not_count(void **state)
{
	struct lab l = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		ran(&l, BASE + 5 * i, (const uint8_t[]){ 0x05, 1, 2, 3, 4 }, 5, PLX_COVER_NATIVE);
	match(&l, NULL);
	assert_int_equal(l.ran.nbiases, 0);
	assert_int_equal(ran_bytes(&l), 0);
	assert_int_equal(l.nplaces, 0);
	done(&l);
}

/* Two programs at one linear address, in frames of their own. */
static void frames_tell_two_programs_at_one_address_apart(void **state)
{
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, BASE, 0x1e);
	for (uint32_t i = 0; i < 8; i++) {
		ran(&l, BASE + 5 * i, (const uint8_t[]){ 0x05, 1, 2, 3, 4 }, 5, PLX_COVER_NATIVE);
		l.all.insns[l.all.ninsns - 1].gpa = 0x700000 + 5 * i;
	}
	match(&l, NULL);
	assert_int_equal(ran_bytes(&l), 0x1e);
	assert_int_equal(l.nplaces, 0);
	done(&l);
}

static void patched_places_ran_with_other_bytes(void **state)
{
	const uint8_t nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, BASE, 0x23);
	ran(&l, BASE + 0x23, nop, 5, PLX_COVER_NATIVE);
	match(&l, NULL);
	assert_int_equal(l.ran.ran_bytes[RAN_OTHER_BYTES], 5);
	assert_int_equal(l.ran.class_bytes[PRESCAN_BRANCH], 5);
	assert_int_equal(l.nplaces, 1);
	assert_int_equal(l.place[0].kind, DISAGREE_BYTES);
	assert_int_equal(l.place[0].address, BASE + 0x23);
	assert_int_equal(l.place[0].cover, PRESCAN_BRANCH);
	assert_memory_equal(l.place[0].bytes, program + 0x23, 5);
	assert_memory_equal(l.all.insns[l.place[0].insn].bytes, nop, 5);
	done(&l);
}

static void what_ran_inside_an_instruction_or_in_data_is_told(void **state)
{
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, BASE, 0x1e);
	ran(&l, BASE + 0x2b, program + 0x2b, 1, PLX_COVER_NATIVE);
	ran(&l, BASE + 0x31, program + 0x31, 1, PLX_COVER_NATIVE);
	match(&l, NULL);
	assert_int_equal(l.nplaces, 2);
	assert_int_equal(l.place[0].kind, DISAGREE_INSIDE);
	assert_int_equal(l.place[0].address, BASE + 0x2b);
	assert_int_equal(l.place[1].kind, DISAGREE_NOT_CODE);
	assert_int_equal(l.place[1].cover, COVER_DATA);
	assert_int_equal(ran_bytes(&l), 0x1e);
	done(&l);
}

static void what_ran_in_the_other_mode_is_told(void **state)
{
	struct lab l = { 0 };

	(void)state;
	program_ran(&l, BASE, 0x1e);
	ran(&l, BASE + 0x1e, program + 0x1e, 3, PLX_COVER_NATIVE);
	l.all.insns[l.all.ninsns - 1].code32 = 0;
	match(&l, NULL);
	assert_int_equal(l.nplaces, 1);
	assert_int_equal(l.place[0].kind, DISAGREE_MODE);
	assert_int_equal(l.place[0].mode, 32);
	done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ran_at_the_files_own_address_is_counted_by_class_and_by_how),
		cmocka_unit_test(code_that_was_moved_is_found_by_its_bytes),
		cmocka_unit_test(an_address_that_moved_along_is_no_patch),
		cmocka_unit_test(what_was_not_linked_yet_may_have_any_address),
		cmocka_unit_test(one_file_at_two_places_is_found_at_both),
		cmocka_unit_test(where_the_caller_says_it_stood_there_is_no_search),
		cmocka_unit_test(another_program_at_the_same_address_does_not_count),
		cmocka_unit_test(frames_tell_two_programs_at_one_address_apart),
		cmocka_unit_test(patched_places_ran_with_other_bytes),
		cmocka_unit_test(what_ran_inside_an_instruction_or_in_data_is_told),
		cmocka_unit_test(what_ran_in_the_other_mode_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
