/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_coverage_file.c - claims about coverage files and about several of them together: user/coverage_file.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plexus/plexus.h"
#include "user/coverage_file.h"

static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static int by_order(const void *a, const void *b)
{
	return coverage_order(a, b);
}

#define MAX 400u

/* A run with this number; entries of two runs with the same @places partly agree. */
static size_t make(struct coverage_insn *insns, uint32_t number, uint32_t places)
{
	size_t kept = 0, n = MAX;

	seed = number;
	memset(insns, 0, MAX * sizeof(*insns));
	for (size_t i = 0; i < n; i++) {
		struct coverage_insn *insn = &insns[i];

		insn->length = (uint8_t)(1 + any(15));
		insn->linear = any(8) ? 0xc0100000u + any(places) : 0xffffff00u + any(256);
		insn->gpa = any(4) ? insn->linear - 0xc0000000u : any(~0u);
		insn->code32 = any(5) != 0;
		insn->how = (uint8_t)(1 + any(15));
		insn->cpls = (uint8_t)any(16);
		for (unsigned int b = 0; b < insn->length; b++)
			insn->bytes[b] = (uint8_t)any(3);
		if (!any(3)) {
			insn->callouts = any(~0u) * (uint64_t)any(~0u);
			insn->interpreted = any(3);
			insn->raised = any(3);
			insn->how |= insn->raised ? PLX_COVER_RAISED : 0;
		}
	}
	qsort(insns, n, sizeof(*insns), by_order);
	for (size_t i = 0; i < n; i++)
		if (!kept || coverage_order(&insns[kept - 1], &insns[i]))
			insns[kept++] = insns[i];
	return kept;
}

/* The bytes of that run's file; to be freed. */
static uint8_t *file_of(uint32_t number, uint32_t places, size_t *nbytes)
{
	static struct coverage_insn insns[MAX];
	struct coverage_run run = { .rewrite = PLX_REWRITE_INT3, .lost = number, .unreached = 77, .version = "1.2", .command = "run --x 'y z'" };
	char *bytes = NULL;
	FILE *to;

	memset(run.id, (int)number, sizeof(run.id));
	to = open_memstream(&bytes, nbytes);
	assert_non_null(to);
	assert_true(coverage_write(&run, insns, make(insns, number, places), to));
	fclose(to);
	return (uint8_t *)bytes;
}

static struct coverage run_of(uint32_t number, uint32_t places)
{
	struct coverage c = { 0 };
	char why[128] = "";
	size_t nbytes;
	uint8_t *bytes = file_of(number, places, &nbytes);

	if (coverage_parse(&c, bytes, nbytes, why, sizeof(why)))
		print_error("%s\n", why);
	assert_int_equal(c.nruns, 1);
	free(bytes);
	return c;
}

static void assert_same(const struct coverage *a, const struct coverage *b)
{
	assert_int_equal(a->nruns, b->nruns);
	assert_int_equal(a->ninsns, b->ninsns);
	for (size_t i = 0; i < a->nruns; i++)
		assert_memory_equal(a->runs[i].id, b->runs[i].id, COVERAGE_ID_BYTES);
	assert_memory_equal(a->insns, b->insns, a->ninsns * sizeof(*a->insns));
}

static void what_was_written_is_read_again(void **state)
{
	static struct coverage_insn insns[MAX];

	(void)state;
	for (uint32_t number = 1; number < 30; number++) {
		struct coverage c = run_of(number, 1u << number % 24);
		size_t n = make(insns, number, 1u << number % 24);

		assert_int_equal(c.ninsns, n);
		assert_memory_equal(c.insns, insns, n * sizeof(*insns));
		assert_int_equal(c.runs[0].rewrite, PLX_REWRITE_INT3);
		assert_int_equal(c.runs[0].lost, number);
		assert_int_equal(c.runs[0].unreached, 77);
		assert_string_equal(c.runs[0].version, "1.2");
		assert_string_equal(c.runs[0].command, "run --x 'y z'");
		coverage_free(&c);
	}
}

static void a_file_cut_off_at_any_byte_is_refused(void **state)
{
	size_t nbytes;
	uint8_t *bytes = file_of(5, 1000, &nbytes);
	struct coverage c = { 0 };
	char why[128];

	(void)state;
	for (size_t n = 0; n < nbytes; n++) {
		uint8_t *part = malloc(n + 1);		/* of its own size, for tools that watch its end */

		assert_non_null(part);
		memcpy(part, bytes, n);
		assert_int_not_equal(coverage_parse(&c, part, n, why, sizeof(why)), 0);
		assert_string_equal(why, n ? "is cut off" : "is no coverage file of Plexus");
		free(part);
	}
	free(bytes);
}

static void a_file_with_any_byte_changed_is_refused(void **state)
{
	size_t nbytes;
	uint8_t *bytes = file_of(6, 1000, &nbytes);
	struct coverage c = { 0 };
	char why[128];

	(void)state;
	for (size_t n = 0; n < nbytes; n++) {
		bytes[n] ^= (uint8_t)(1 + n % 255);
		assert_int_not_equal(coverage_parse(&c, bytes, nbytes, why, sizeof(why)), 0);
		bytes[n] ^= (uint8_t)(1 + n % 255);
	}
	assert_int_equal(coverage_parse(&c, bytes, nbytes, why, sizeof(why)), 0);
	coverage_free(&c);
	free(bytes);
}

static void something_behind_the_end_is_refused(void **state)
{
	size_t nbytes;
	uint8_t *bytes = file_of(6, 1000, &nbytes);
	struct coverage c = { 0 };
	char why[128];

	(void)state;
	bytes = realloc(bytes, nbytes + 1);
	bytes[nbytes] = 0;
	assert_int_not_equal(coverage_parse(&c, bytes, nbytes + 1, why, sizeof(why)), 0);
	assert_string_equal(why, "is damaged");
	free(bytes);
}

static void another_version_is_told_by_number(void **state)
{
	size_t nbytes;
	uint8_t *bytes = file_of(6, 1000, &nbytes);
	struct coverage c = { 0 };
	char why[128];

	(void)state;
	bytes[8] = 9;
	assert_int_not_equal(coverage_parse(&c, bytes, nbytes, why, sizeof(why)), 0);
	assert_string_equal(why, "is of format version 9, and this Plexus reads version 1");
	free(bytes);
}

static void the_order_of_files_makes_no_difference(void **state)
{
	(void)state;
	for (uint32_t round = 1; round < 10; round++) {
		struct coverage a = { 0 }, b = { 0 }, part;

		for (uint32_t i = 0; i < 4; i++) {
			part = run_of(round * 10 + i, 60);
			assert_true(coverage_add(&a, &part));
			part = run_of(round * 10 + 3 - i, 60);
			assert_true(coverage_add(&b, &part));
		}
		assert_int_equal(a.nruns, 4);
		assert_same(&a, &b);
		coverage_free(&a);
		coverage_free(&b);
	}
}

static void a_file_given_twice_counts_once(void **state)
{
	struct coverage a = { 0 }, once = { 0 }, part;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		part = run_of(i + 1, 60);
		assert_true(coverage_add(&once, &part));
		for (unsigned int again = 0; again < 3; again++) {
			part = run_of(i + 1, 60);
			assert_true(coverage_add(&a, &part));
			assert_null(part.insns);
		}
		part = run_of(1, 60);
		assert_true(coverage_add(&a, &part));
	}
	assert_same(&a, &once);
	coverage_free(&a);
	coverage_free(&once);
}

static void two_runs_of_one_instruction_add_their_counts(void **state)
{
	struct coverage_insn x = { .linear = 0x1000, .gpa = 0x1000, .length = 2, .bytes = { 0x0f, 0xa2 }, .how = PLX_COVER_NEXUS, .cpls = 1, .callouts = 3 };
	struct coverage_insn y = x;
	struct coverage a = { 0 }, b = { 0 };

	(void)state;
	y.how = PLX_COVER_INTERPRETED | PLX_COVER_RAISED;
	y.cpls = 8;
	y.callouts = 4;
	y.interpreted = 5;
	y.raised = 6;
	a.nruns = b.nruns = a.ninsns = b.ninsns = 1;
	a.runs = calloc(1, sizeof(*a.runs));
	b.runs = calloc(1, sizeof(*b.runs));
	b.runs[0].id[3] = 1;
	a.insns = calloc(1, sizeof(*a.insns));
	b.insns = calloc(1, sizeof(*b.insns));
	a.insns[0] = x;
	b.insns[0] = y;
	assert_true(coverage_add(&a, &b));
	assert_int_equal(a.ninsns, 1);
	assert_int_equal(a.insns[0].how, PLX_COVER_NEXUS | PLX_COVER_INTERPRETED | PLX_COVER_RAISED);
	assert_int_equal(a.insns[0].cpls, 9);
	assert_int_equal(a.insns[0].callouts, 7);
	assert_int_equal(a.insns[0].interpreted, 5);
	assert_int_equal(a.insns[0].raised, 6);
	coverage_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(a_file_cut_off_at_any_byte_is_refused),
		cmocka_unit_test(a_file_with_any_byte_changed_is_refused),
		cmocka_unit_test(something_behind_the_end_is_refused),
		cmocka_unit_test(another_version_is_told_by_number),
		cmocka_unit_test(the_order_of_files_makes_no_difference),
		cmocka_unit_test(a_file_given_twice_counts_once),
		cmocka_unit_test(two_runs_of_one_instruction_add_their_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
