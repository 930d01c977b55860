/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_engine_stats.c - the engine's counters as numbers, and the names they get: monitor/stats.c, host/stats.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "host/stats.h"
#include "monitor/engine.h"
#include "monitor/stats.h"

#define ROOM (ENGINE_STAT_NR + 2 * STATS_ROWS)

static struct mon_engine engine;
static struct mon_vcpu vcpu;
static uint64_t values[ROOM];
static struct plx_stat stats[512];

static int fresh(void **state)
{
	(void)state;
	memset(&engine, 0, sizeof(engine));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(values, 0xee, sizeof(values));
	memset(stats, 0, sizeof(stats));
	engine.vcpu = &vcpu;
	engine.cache.nfrags = 1;
	return 0;
}

static size_t name(size_t nvalues)
{
	const struct stat_rate rate = { .ticks = 2000, .ns = 1000 };

	return stats_name_values(values, nvalues, &rate, stats, PLX_ARRAY_SIZE(stats));
}

static const struct plx_stat *find(size_t n, const char *group, const char *of)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(stats[i].group, group) && !strcmp(stats[i].name, of))
			return &stats[i];
	return NULL;
}

static unsigned int row_named(const char *mnemonic, unsigned int from)
{
	while (from < prescan_nr_rows() && strcmp(prescan_row_mnemonic(from), mnemonic))
		from++;
	assert_true(from < prescan_nr_rows());
	return from;
}

static void each_number_stands_at_its_own_place(void **state)
{
	(void)state;
	engine.stats.translate_ticks = 11;
	engine.stats.steps = 22;
	engine.stats.guest_insns = 33;
	engine.nspaces = 44;
	engine.cache.nfrags = 56;
	vcpu.nr_interpreted = 66;
	assert_int_equal(engine_stat_values(&engine, values, ROOM), ENGINE_STAT_NR);
	assert_int_equal(values[ENGINE_STAT_BEFORE_PAIRS], ENGINE_STAT_NR);
	assert_int_equal(values[ENGINE_STAT_TRANSLATION], 11);
	assert_int_equal(values[ENGINE_STAT_STEPS], 22);
	assert_int_equal(values[ENGINE_STAT_COUNTED_INSNS], 33);
	assert_int_equal(values[ENGINE_STAT_SPACES], 44);
	assert_int_equal(values[ENGINE_STAT_FRAGMENTS], 55);
	assert_int_equal(values[ENGINE_STAT_INTERPRETED], 66);
	assert_int_equal(values[ENGINE_STAT_ROWS], prescan_nr_rows());
}

/* Programs of other releases know them by number. */
static void numbers_of_the_first_release_keep_their_places(void **state)
{
	(void)state;
	assert_int_equal(ENGINE_STAT_TRANSLATION, 1);
	assert_int_equal(ENGINE_STAT_ENTRIES, 12);
	assert_int_equal(ENGINE_STAT_FAULTS, 17);
	assert_int_equal(ENGINE_STAT_FILLED_AHEAD, 25);
	assert_int_equal(ENGINE_STAT_INTERRUPTS, 40);
	assert_int_equal(ENGINE_STAT_STEPS, 44);
	assert_int_equal(ENGINE_STAT_COUNTED_INSNS, 45);
	assert_int_equal(ENGINE_STAT_ROWS, 46);
}

static void what_does_not_fit_is_counted_and_not_written(void **state)
{
	(void)state;
	engine.stats.callout_row[3] = 1;
	assert_int_equal(engine_stat_values(&engine, values, 2), ENGINE_STAT_NR + 2);
	assert_int_equal(values[2], 0xeeeeeeeeeeeeeeeeull);
	assert_int_equal(engine_stat_values(&engine, NULL, 0), ENGINE_STAT_NR + 2);
}

static void times_are_nanoseconds(void **state)
{
	size_t n;

	(void)state;
	engine.stats.halt_ticks = 500;
	n = name(engine_stat_values(&engine, values, ROOM));
	assert_int_equal(find(n, "time", "halted")->value, 250);
}

static void translation_is_told_by_the_instruction_too(void **state)
{
	size_t n;

	(void)state;
	assert_null(find(name(engine_stat_values(&engine, values, ROOM)), "code", "translation, ns an instruction"));
	engine.stats.translate_ticks = 20000;
	engine.cache.stat_insns = 100;
	n = name(engine_stat_values(&engine, values, ROOM));
	assert_int_equal(find(n, "code", "translation, ns an instruction")->value, 100);
}

static void times_without_a_rate_are_nothing(void **state)
{
	const struct stat_rate none = { .ticks = 0 };
	size_t n;

	(void)state;
	engine.stats.halt_ticks = 500;
	n = stats_name_values(values, engine_stat_values(&engine, values, ROOM), &none, stats, PLX_ARRAY_SIZE(stats));
	assert_int_equal(find(n, "time", "halted")->value, 0);
}

static void forms_of_one_instruction_are_summed_within_a_class(void **state)
{
	unsigned int one = row_named("OUT", 0), other = row_named("OUT", one + 1);
	size_t n;

	(void)state;
	engine.stats.callout_row[one] = 5;
	engine.stats.callout_row[other] = 7;
	engine.stats.callout_klass[one] = engine.stats.callout_klass[other] = PRESCAN_PORT;
	n = name(engine_stat_values(&engine, values, ROOM));
	assert_int_equal(find(n, "callout: port", "OUT")->value, 12);
	assert_null(find(n, "callout: flags", "OUT"));
}

static void the_interpreters_share_is_shown_when_instructions_are_counted(void **state)
{
	size_t n;

	(void)state;
	vcpu.nr_interpreted = 10;
	n = name(engine_stat_values(&engine, values, ROOM));
	assert_null(find(n, "interpreter", "instructions run"));
	engine.stats.guest_insns = 990;
	n = name(engine_stat_values(&engine, values, ROOM));
	assert_int_equal(find(n, "interpreter", "instructions run")->value, 1000);
	assert_int_equal(find(n, "interpreter", "interpreted, of a million")->value, 10000);
}

/* plexus.ko may be of another release than the program. */
static void a_module_that_counts_less_is_shown_as_far_as_it_goes(void **state)
{
	size_t n;

	(void)state;
	values[0] = ENGINE_STAT_HALTED + 1;
	values[ENGINE_STAT_TRANSLATION] = 2;
	values[ENGINE_STAT_HALTED] = 4;
	values[3] = (uint64_t)row_named("OUT", 0) << 8 | PRESCAN_PORT;
	values[4] = 9;
	n = name(5);
	assert_int_equal(n, 3);
	assert_int_equal(find(n, "time", "halted")->value, 2);
	assert_int_equal(find(n, "callout: port", "all")->value, 9);	/* whose rows they are nobody said */
}

static void numbers_that_a_newer_module_adds_are_passed_over(void **state)
{
	size_t n, nr;

	(void)state;
	engine.stats.callout_row[row_named("OUT", 0)] = 3;
	engine.stats.callout_klass[row_named("OUT", 0)] = PRESCAN_PORT;
	nr = engine_stat_values(&engine, values, ROOM);
	memmove(&values[ENGINE_STAT_NR + 1], &values[ENGINE_STAT_NR], 2 * sizeof(values[0]));
	values[ENGINE_STAT_NR] = 12345;
	values[ENGINE_STAT_BEFORE_PAIRS]++;
	n = name(nr + 1);
	assert_int_equal(find(n, "callout: port", "OUT")->value, 3);
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(stats[i].value, 12345);
}

static void nothing_and_nonsense_name_nothing(void **state)
{
	(void)state;
	assert_int_equal(name(0), 0);
	values[0] = ~0ull;		/* more than there are */
	assert_int_equal(name(1), 0);
	values[0] = 0;
	assert_int_equal(name(3), 0);
	values[0] = 1;
	values[1] = 0xff;		/* a class that nobody knows */
	assert_int_equal(name(3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_number_stands_at_its_own_place, fresh),
		cmocka_unit_test_setup(numbers_of_the_first_release_keep_their_places, fresh),
		cmocka_unit_test_setup(what_does_not_fit_is_counted_and_not_written, fresh),
		cmocka_unit_test_setup(times_are_nanoseconds, fresh),
		cmocka_unit_test_setup(translation_is_told_by_the_instruction_too, fresh),
		cmocka_unit_test_setup(times_without_a_rate_are_nothing, fresh),
		cmocka_unit_test_setup(forms_of_one_instruction_are_summed_within_a_class, fresh),
		cmocka_unit_test_setup(the_interpreters_share_is_shown_when_instructions_are_counted, fresh),
		cmocka_unit_test_setup(a_module_that_counts_less_is_shown_as_far_as_it_goes, fresh),
		cmocka_unit_test_setup(numbers_that_a_newer_module_adds_are_passed_over, fresh),
		cmocka_unit_test_setup(nothing_and_nonsense_name_nothing, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
